// class: files
// rule: read_write_tmp
// success: Node renames a file out of /tmp and reads it
// proof: read
// needs: one-filesystem
'use strict';
const fs = require('fs');
const { attempt, FILE } = require('./attack.js');
attempt(() => {
    fs.renameSync(FILE, 'taken');
    return fs.readFileSync('taken');
});
