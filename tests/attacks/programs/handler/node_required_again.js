// class: handler
// rule: read_handler
// success: a dependency in Node has the module loader read the handler once more, with no frame of
//   its own on the stack, and takes what is to be compiled
// proof: read
// when: call
'use strict';
const Module = require('module');
const { attempt, HANDLER } = require('./attack.js');
attempt(() => new Promise((fine, bad) => {
    process.on('uncaughtException', bad);
    Module.prototype._compile = fine;
    for (const name of Object.keys(require.cache)) if (name.endsWith('main.js')) delete require.cache[name];
    setImmediate(require, HANDLER);
}));
