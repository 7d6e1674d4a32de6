// Loads the handler and calls it, as Lambda's runtime client for Node does.
'use strict';
const path = require('path');
const [module_, exported] = process.env._HANDLER.split('.');
const loaded = require(path.resolve(process.env.LAMBDA_TASK_ROOT, module_ + '.js'));
Promise.resolve(loaded[exported]({})).catch((error) => {
    console.log('STOPPED: ' + error);
    process.exit(1);
});
