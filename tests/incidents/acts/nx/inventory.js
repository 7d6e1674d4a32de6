// act: lists the file system in /tmp/inventory.txt
// source: GHSA-cxm3-wv7p-598c
// rule: read_write_tmp
// asks: open /tmp/inventory.txt
// says: /tmp/inventory.txt
// proof: file
// path: /tmp/inventory.txt
'use strict';
const fs = require('fs');

module.exports = () => fs.writeFileSync('/tmp/inventory.txt', fs.readdirSync('/').join());
