// class: handler
// rule: read_handler
// success: a dependency in Node reads the handler's source
// proof: read
// when: import
'use strict';
const { attempt, HANDLER } = require('./attack.js');
attempt(() => require('fs').readFileSync(HANDLER));
