// class: files
// rule: read_write_tmp
// success: Node reads a file in /tmp
// proof: read
'use strict';
const { attempt, FILE } = require('./attack.js');
attempt(() => require('fs').readFileSync(FILE));
