// class: children
// rule: create_child_process
// success: Node starts a program through its own inner binding
// proof: mark
'use strict';
const { attempt, MARK } = require('./attack.js');
process.on('warning', () => {});
attempt(() => {
    const { Process } = process.binding('process_wrap');
    const handle = new Process();
    return new Promise((fine, bad) => {
        handle.onexit = (status) => fine(status === 0);
        const error = handle.spawn({ file: '/usr/bin/touch', args: ['touch', MARK], envPairs: [], stdio: [] });
        if (error) bad(new Error('spawn: ' + error));
    });
});
