// act: starts bun_environment.js with Bun
// source: Sigma eb827bbd
// rule: create_child_process
// asks: exec /tmp/bun
// says: bun
// proof: mark
'use strict';
const fs = require('fs');
const path = require('path');
const { mark } = require('./incident');

module.exports = () => {
    // Bun is played by a link to the shell.
    const program = path.join(process.env.HOME, 'bun');
    if (!fs.existsSync(program)) fs.symlinkSync('/bin/sh', program);
    require('child_process').execFileSync(program, ['-c', `touch ${mark(__filename)}`]);
};
