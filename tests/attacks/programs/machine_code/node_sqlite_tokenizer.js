// class: machine_code
// rule: native_code
// needs: node>=22.13
// success: SQLite inside Node takes the address of a table of functions from a blob
// proof: word
// open: Node's own SQLite is compiled into it: its functions are not exported, and it makes no
//   call of libc that a door could judge. No option of Node's keeps node:sqlite and takes
//   fts3_tokenizer away
const { DatabaseSync } = require("node:sqlite");
const { attempt } = require("./attack.js");

attempt(() => {
  const database = new DatabaseSync(":memory:");
  const address = Buffer.from("0807060504030201", "hex");
  database.prepare("SELECT fts3_tokenizer(?, ?)").get("mine", address);
  return address.equals(database.prepare("SELECT fts3_tokenizer(?) AS it").get("mine").it);
});
