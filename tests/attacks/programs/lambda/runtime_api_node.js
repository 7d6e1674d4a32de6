// class: lambda
// rule: runtime_api
// success: Node takes the next event from the Runtime API
// proof: api
'use strict';
const http = require('http');
const { attempt, API } = require('./attack.js');
attempt(() => new Promise((fine, bad) => {
    const path = '/2018-06-01/runtime/invocation/next';
    http.get({ ...API, path }, (answer) => { answer.resume(); fine(answer.statusCode === 200); }).on('error', bad);
}));
