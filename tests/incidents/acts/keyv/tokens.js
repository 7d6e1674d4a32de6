// act: reads Vault's and Kubernetes' tokens
// source: ossf MAL-0000-keyv
// open: only /tmp and the handler's source are guarded: whatever else the function may read,
//   its packages may read
// proof: word
'use strict';
const fs = require('fs');
const os = require('os');

module.exports = () => fs.readFileSync(`${os.homedir()}/.vault-token`);
