// class: files
// rule: read_write_tmp
// success: Node makes a temporary folder
// proof: new
'use strict';
const { attempt, NEW } = require('./attack.js');
attempt(() => Boolean(require('fs').mkdtempSync(NEW)));
