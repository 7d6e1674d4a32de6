// class: children
// rule: read_write_tmp
// policy: child-allowed.yaml
// success: a program that Node starts without an environment reads a file in /tmp
// proof: read
'use strict';
const { attempt, FILE } = require('./attack.js');
attempt(() => require('child_process').execFileSync('/bin/cat', [FILE], { env: {}, stdio: ['ignore', 'pipe', 'inherit'] }));
