// class: network
// rule: outbound_connectivity
// success: Node sends a datagram
// proof: udp
'use strict';
const dgram = require('dgram');
const { attempt, UDP } = require('./attack.js');
attempt(() => new Promise((fine, bad) => {
    const out = dgram.createSocket('udp4');
    out.send('taken', UDP.port, UDP.host, (error) => (error ? bad(error) : fine(true)));
}));
