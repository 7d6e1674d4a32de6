// class: machine_code
// rule: native_code
// success: JavaScript calls the engine's inner functions, after setting the flag that allows it at
//   run time
// proof: word
const { attempt } = require("./attack.js");

attempt(() => {
  require("v8").setFlagsFromString("--allow-natives-syntax");
  return typeof new Function("return %GetOptimizationStatus(function () {})")() === "number";
});
