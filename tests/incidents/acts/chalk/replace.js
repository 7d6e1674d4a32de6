// act: replaces fetch to change addresses in answers
// source: MAL-2025-46969
// open: it changes data within the process, and leaves by nothing that a rule is about
// proof: word
'use strict';
module.exports = () => {
    const before = globalThis.fetch;
    globalThis.fetch = (...given) => before(...given);
    globalThis.fetch = before;
};
