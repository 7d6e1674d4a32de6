// class: children
// rule: create_child_process
// success: Node starts a program and lets it outlive it
// proof: mark
'use strict';
const { spawn } = require('child_process');
const { attempt, MARK } = require('./attack.js');
attempt(() => new Promise((fine, bad) => {
    const started = spawn('/usr/bin/touch', [MARK], { detached: true, stdio: 'ignore', env: {} });
    started.on('error', bad);
    started.on('exit', (status) => fine(status === 0));
}));
