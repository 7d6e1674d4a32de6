// class: children
// rule: create_child_process
// success: Node runs a command line
// proof: mark
'use strict';
const { attempt, MARK } = require('./attack.js');
attempt(() => { require('child_process').execSync(`touch ${MARK}`); return true; });
