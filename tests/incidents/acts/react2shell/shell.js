// act: the server starts a shell that runs id
// source: Sigma c70834fa
// rule: create_child_process
// asks: exec /usr/bin/bash
// says: /bin/sh
// proof: word
'use strict';
const { shell } = require('./incident');

module.exports = () => shell('id');
