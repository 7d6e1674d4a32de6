// class: files
// rule: read_write_tmp
// success: Node reads a file in /tmp through its own inner binding, where no JavaScript of fs is
//   asked
// proof: read
'use strict';
const { attempt, FILE } = require('./attack.js');
process.on('warning', () => {});
attempt(() => process.binding('fs').readFileUtf8(FILE, 0));
