// class: lambda
// rule: runtime_api
// success: Node streams a response to an invocation, as its runtime client would
// proof: next
'use strict';
const http = require('http');
const { attempt, API } = require('./attack.js');
attempt(() => new Promise((fine, bad) => {
    const path = '/2018-06-01/runtime/invocation/1/response';
    const headers = { 'Lambda-Runtime-Function-Response-Mode': 'streaming', 'Transfer-Encoding': 'chunked' };
    const request = http.request({ ...API, path, method: 'POST', headers }, (answer) => {
        answer.resume();
        fine(answer.statusCode < 300);
    });
    request.on('error', bad);
    request.write('theirs');
    request.end();
}));
