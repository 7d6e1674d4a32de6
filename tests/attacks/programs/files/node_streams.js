// class: files
// rule: read_write_tmp
// success: Node pipes a file of /tmp out through a link
// proof: read
'use strict';
const fs = require('fs');
const { attempt, FILE } = require('./attack.js');
attempt(async () => {
    fs.symlinkSync(FILE, 'innocent');
    let text = '';
    for await (const piece of fs.createReadStream('innocent')) text += piece;
    return text;
});
