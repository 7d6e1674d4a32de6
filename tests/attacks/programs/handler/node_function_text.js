// class: handler
// rule: read_handler
// open: V8 keeps a function's text to compile it from, and Function.prototype.toString gives it
//   to any code of the function
// success: a dependency in Node reads the text of the handler from memory
// proof: read
// when: call
'use strict';
const { attempt } = require('./attack.js');
attempt(() => require.main.require(process.env.ATTACK_HANDLER).handler.toString());
