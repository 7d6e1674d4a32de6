// class: handler
// rule: read_handler
// success: a dependency in Node reads the handler by code that has the name of Node's module
//   loader, from a timer
// proof: read
// when: import
'use strict';
const vm = require('vm');
const { attempt, HANDLER } = require('./attack.js');
const code = '(fs, path, fine, bad) => { try { fine(fs.readFileSync(path)); } catch (error) { bad(error); } }';
const read = vm.runInThisContext(code, { filename: 'node:internal/modules/cjs/loader' });
attempt(() => new Promise((fine, bad) => setTimeout(read, 1, require('fs'), HANDLER, fine, bad)));
