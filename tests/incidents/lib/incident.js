// What the replayed acts share. It lies in the package that plays the distribution.
'use strict';
const path = require('path');

const SECRET = process.env.INCIDENT_SECRET;
const ADDRESS = process.env.INCIDENT_ADDRESS;

/** The path of the mark that the act in this file leaves when it worked. */
exports.mark = (file) => path.join(process.env.INCIDENT_MARKS, path.basename(file, '.js'));

/** Resolves when the request has been answered. */
exports.request = (library, options, body) =>
    new Promise((resolve, reject) => {
        const request = require(library).request(
            { timeout: 8000, rejectUnauthorized: false, ...options },
            (answer) => {
                answer.resume();
                answer.on('end', resolve);
                answer.on('error', reject);
            },
        );
        request.on('error', reject);
        request.on('timeout', () => request.destroy(new Error('no answer')));
        request.end(body);
    });

/** Resolves when the command has ended. Rejects if its status is not 0. */
exports.shell = (command) =>
    new Promise((resolve, reject) => {
        require('child_process').exec(command, { timeout: 15000 }, (error, out) =>
            error ? reject(error) : resolve(out),
        );
    });

exports.perform = async (name, act) => {
    try {
        await act();
        console.log(`ACT ${name} DONE`);
    } catch (error) {
        console.log(`ACT ${name} STOPPED ${String(error).replace(/\n/g, ' ').slice(0, 300)}`);
    }
};

exports.SECRET = SECRET;
exports.ADDRESS = ADDRESS;
