// class: handler
// rule: read_handler
// success: a dependency in Node links to the handler's source and reads it so
// proof: read
// when: import
'use strict';
const fs = require('fs');
const { attempt, HANDLER } = require('./attack.js');
attempt(() => {
    fs.linkSync(HANDLER, 'second');
    return fs.readFileSync('second');
});
