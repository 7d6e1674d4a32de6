// class: handler
// rule: read_handler
// success: a dependency in Node copies the handler's source and reads the copy
// proof: read
// when: import
'use strict';
const fs = require('fs');
const { attempt, HANDLER } = require('./attack.js');
attempt(() => {
    fs.copyFileSync(HANDLER, 'copy');
    return fs.readFileSync('copy');
});
