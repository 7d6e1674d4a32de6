// class: handler
// rule: read_handler
// success: a dependency in Node reads the handler's source when it is called
// proof: read
// when: call
'use strict';
const { attempt, HANDLER } = require('./attack.js');
attempt(() => require('fs/promises').readFile(HANDLER));
