// class: handler
// rule: read_handler
// open: a thread of Node may load the handler's module, and its code can see what is compiled
// success: a dependency in Node has the module loader of a new thread read the handler
// proof: read
// when: import
'use strict';
const { Worker } = require('worker_threads');
const { attempt, HANDLER } = require('./attack.js');
const code = `
const { parentPort, workerData } = require('worker_threads');
require('module').prototype._compile = (text) => parentPort.postMessage(text);
setImmediate(require, workerData);
`;
attempt(() => new Promise((fine, bad) => {
    new Worker(code, { eval: true, workerData: HANDLER }).on('message', fine).on('error', bad);
}));
