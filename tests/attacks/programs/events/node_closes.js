// class: events
// rule: read_write_tmp
// success: Node closes all fds but those of its event loop, and makes a folder in /tmp
// proof: new
'use strict';
const fs = require('fs');
const { attempt, NEW } = require('./attack.js');
attempt(() => {
    for (const name of fs.readdirSync('/proc/self/fd')) {
        let what = '';
        try {
            what = fs.readlinkSync('/proc/self/fd/' + name);
            if (Number(name) > 2 && !/anon_inode/.test(what) && !/^pipe/.test(what)) fs.closeSync(Number(name));
        } catch (error) {
            continue;
        }
    }
    fs.mkdirSync(NEW);
    return true;
});
