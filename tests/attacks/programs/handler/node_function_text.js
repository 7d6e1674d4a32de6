// class: handler
// rule: read_handler
// open: Node keeps every function's text in memory, and toString gives it
// success: a dependency in Node reads the text of the handler from memory
// proof: read
// when: call
'use strict';
const { attempt } = require('./attack.js');
attempt(() => require.main.require(process.env.ATTACK_HANDLER).handler.toString());
