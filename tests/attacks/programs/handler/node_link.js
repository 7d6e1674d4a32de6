// class: handler
// rule: read_handler
// success: a dependency in Node reads the handler's source through a link
// proof: read
// when: import
'use strict';
const fs = require('fs');
const { attempt, HANDLER } = require('./attack.js');
attempt(() => {
    fs.linkSync(HANDLER, 'second');
    return fs.readFileSync('second');
});
