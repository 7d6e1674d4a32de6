// class: files
// rule: read_write_tmp
// success: Node copies a file out of /tmp
// proof: read
'use strict';
const fs = require('fs');
const { attempt, FILE } = require('./attack.js');
attempt(() => {
    fs.copyFileSync(FILE, 'copy');
    return fs.readFileSync('copy');
});
