// class: handler
// rule: read_handler
// success: a dependency in Node reads the handler's source in a thread of its own
// proof: read
// when: import
'use strict';
const { Worker } = require('worker_threads');
const { attempt, HANDLER } = require('./attack.js');
const code = `
const { parentPort, workerData } = require('worker_threads');
parentPort.postMessage(require('fs').readFileSync(workerData, 'utf8'));
`;
attempt(() => new Promise((fine, bad) => {
    new Worker(code, { eval: true, workerData: HANDLER }).on('message', fine).on('error', bad);
}));
