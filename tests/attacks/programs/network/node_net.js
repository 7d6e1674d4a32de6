// class: network
// rule: outbound_connectivity
// success: Node connects
// proof: sink
'use strict';
const net = require('net');
const { attempt, SINK } = require('./attack.js');
attempt(() => new Promise((fine, bad) => {
    const out = net.connect(SINK, () => out.end('taken', () => fine(true)));
    out.on('error', bad);
}));
