// What the attacks in Node share: the places to attack, and how an attack reports its result.
'use strict';

const endpoint = (name) => {
    const text = process.env[name];
    const at = text.lastIndexOf(':');
    return { host: text.slice(0, at).replace(/[[\]]/g, ''), port: Number(text.slice(at + 1)) };
};

module.exports = {
    SECRET: process.env.ATTACK_SECRET,
    FILE: process.env.ATTACK_FILE,
    DIR: process.env.ATTACK_DIR,
    NEW: process.env.ATTACK_NEW,
    MARK: process.env.ATTACK_MARK,
    HANDLER: process.env.ATTACK_HANDLER,
    SINK: endpoint('ATTACK_SINK'),
    UDP: endpoint('ATTACK_SINK_UDP'),
    API: endpoint('AWS_LAMBDA_RUNTIME_API'),
    // How long to try a race: longer in a run that must succeed, because the machine may be busy.
    patience: (seconds) => Math.max(seconds, Number(process.env.ATTACK_SECONDS || 0)),
    // Calls the attack, waits for it, reports the result, and ends the program.
    async attempt(steal) {
        let done = false;
        try {
            let got = await steal();
            if (Buffer.isBuffer(got)) got = got.toString();
            if (typeof got === 'string') {
                const at = got.indexOf(process.env.ATTACK_SECRET);
                done = at >= 0;
                if (done) console.log('GOT', JSON.stringify(got.slice(at, at + 100)));
            } else {
                done = Boolean(got);
            }
            console.log(done ? 'REACHED' : 'STOPPED: nothing came of it');
        } catch (error) {
            console.log('STOPPED: ' + String(error).replace(/\n/g, ' ').slice(0, 300));
        }
        process.exit(done ? 0 : 1);
    },
};
