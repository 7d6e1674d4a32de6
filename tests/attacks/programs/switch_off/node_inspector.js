// class: switch_off
// rule: read_write_tmp
// success: code evaluated by Node's own debugger reads a file in /tmp
// proof: read
'use strict';
const { attempt, FILE } = require('./attack.js');
const { Session } = require('inspector');
attempt(() => new Promise((fine, bad) => {
    const session = new Session();
    session.connect();
    globalThis.load = require;
    const expression = `load('fs').readFileSync(${JSON.stringify(FILE)}, 'utf8')`;
    session.post('Runtime.evaluate', { expression }, (error, answer) => {
        if (error) bad(error);
        else if (answer.exceptionDetails) bad(answer.exceptionDetails.exception.description);
        else fine(answer.result.value);
    });
}));
