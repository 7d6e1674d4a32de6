// class: events
// rule: guard_integrity
// success: Node opens the event pipe for reading
// proof: word
'use strict';
const fs = require('fs');
const { attempt } = require('./attack.js');
attempt(() => {
    const flags = fs.constants.O_NONBLOCK;
    for (const name of ['/dev/stderr', '/proc/self/fd/2', `/proc/${process.pid}/fd/2`]) {
        for (const how of [fs.constants.O_RDONLY, fs.constants.O_RDWR]) {
            try {
                fs.openSync(name, how | flags);
                return true;
            } catch (error) {
                continue;
            }
        }
    }
    return false;
});
