// class: children
// rule: create_child_process
// success: Node starts another Node
// proof: mark
'use strict';
const { attempt, MARK } = require('./attack.js');
if (process.argv[2] === 'child') {
    require('fs').mkdirSync(MARK);
    process.exit(0);
}
attempt(() => new Promise((fine, bad) => {
    const started = require('child_process').fork(__filename, ['child']);
    started.on('error', bad);
    started.on('exit', (status) => fine(status === 0));
}));
