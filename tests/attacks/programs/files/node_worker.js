// class: files
// rule: read_write_tmp
// success: a worker thread of Node reads a file in /tmp
// proof: read
'use strict';
const { Worker } = require('worker_threads');
const { attempt, FILE } = require('./attack.js');
const code = `require('worker_threads').parentPort.postMessage(require('fs').readFileSync(${JSON.stringify(FILE)}, 'utf8'))`;
attempt(() => new Promise((fine, bad) => {
    const worker = new Worker(code, { eval: true });
    worker.on('message', fine);
    worker.on('error', bad);
}));
