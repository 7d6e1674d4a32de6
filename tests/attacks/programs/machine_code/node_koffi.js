// class: machine_code
// rule: native_code
// needs: node gcc
// when: import
// success: Node loads koffi, which calls any function of any library (here a library of its name,
//   which reads a file in /tmp by its own system calls)
// proof: read
const path = require("path");
const { attempt } = require("./attack.js");

attempt(() => {
  try {
    process.dlopen({ exports: {} }, path.join(__dirname, "koffi.node"));
  } catch (error) {
    if (!/did not self-register/.test(error.message)) throw error;
  }
  return true;
});
