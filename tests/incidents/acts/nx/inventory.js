// act: lists the file system in /tmp/inventory.txt
// source: GHSA-cxm3-wv7p-598c
// rule: read_write_tmp
// asks: make /tmp/inventory.txt
// says: /tmp/inventory.txt
// proof: file
// path: /tmp/inventory.txt
// realistic: an invocation may use what it makes in /tmp, until it ends
// only_for: an invocation may use what it makes in /tmp, until it ends
'use strict';
const fs = require('fs');

module.exports = () => fs.writeFileSync('/tmp/inventory.txt', fs.readdirSync('/').join());
