// class: files
// rule: read_write_tmp
// success: Node makes a file in /tmp from its thread pool
// proof: new
'use strict';
const { attempt, NEW, SECRET } = require('./attack.js');
attempt(async () => {
    await require('fs/promises').writeFile(NEW, SECRET);
    return true;
});
