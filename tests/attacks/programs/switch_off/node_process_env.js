// class: switch_off
// rule: read_write_tmp
// success: Node's own environment is emptied and its loader patched, and a file in /tmp read
// proof: read
'use strict';
const { attempt, FILE } = require('./attack.js');
for (const name of Object.keys(process.env)) if (/^(LD_|FUNCTION_SHIELD)/.test(name)) delete process.env[name];
process.env.FUNCTION_SHIELD_MODE = 'off';
attempt(() => require('fs').readFileSync(FILE));
