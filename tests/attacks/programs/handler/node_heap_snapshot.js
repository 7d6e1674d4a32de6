// class: handler
// rule: read_handler
// open: V8 keeps each script's text, and describes its heap to any code that asks; the call
//   reaches no function of libc
// success: a dependency in Node reads the text of the handler from a snapshot of the heap
// proof: read
// when: call
'use strict';
const v8 = require('v8');
const { attempt } = require('./attack.js');
attempt(async () => {
    let text = '';
    for await (const piece of v8.getHeapSnapshot()) text += piece;
    return text;
});
