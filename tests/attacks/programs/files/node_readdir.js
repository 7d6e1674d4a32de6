// class: files
// rule: read_write_tmp
// success: Node lists a folder of /tmp
// proof: read
'use strict';
const { attempt, DIR } = require('./attack.js');
attempt(() => require('fs').readdirSync(DIR).join('\n'));
