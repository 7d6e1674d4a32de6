// class: lambda
// rule: runtime_api
// success: Node connects, which is allowed, and a program that it starts takes the next event
// proof: next
// also: create_child_process
'use strict';
const net = require('net');
const { spawn } = require('child_process');
const { attempt, API } = require('./attack.js');
const ERROR = 'POST /2018-06-01/runtime/init/error HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n{}\n';
const NEXT = 'GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n';
attempt(() => new Promise((fine, bad) => {
    const out = net.connect(API);
    let heard = '';
    out.on('error', bad);
    out.on('close', () => fine(false));
    setTimeout(() => out.destroy(), 3000);
    out.on('connect', () => {
        const said = NEXT.replaceAll('\r', '\\r').replaceAll('\n', '\\n');
        const child = spawn('/bin/sh', ['-c', `printf '${said}' >&3`], { stdio: ['ignore', 'ignore', 'inherit', out._handle.fd] });
        child.on('error', bad);
    });
    out.on('data', (data) => {
        heard += data;
        if (heard.includes('200')) fine(true);
    });
}));
