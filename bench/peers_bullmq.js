// Adds delayed jobs to a queue of BullMQ, so many a line that it is told: "100 34" adds 100 with 34 bytes each.
const net = require('net');
const {Queue} = require('bullmq');
const [directory] = process.argv.slice(2);
const queue = new Queue('timers', {connection: {path: `${directory}/redis.sock`}});
let number = 0;

async function add(count, bytes) {
    const jobs = [];
    for (let i = 0; i < count; i++) {
        const delay = 86400000 + (number * 7919 % 2592000) * 1000;
        jobs.push({name: 'step', data: `${number++} `.padEnd(bytes, 'x'), opts: {delay}});
    }
    await queue.addBulk(jobs);
}

net.createServer((socket) => {
    let rest = '';
    socket.on('data', async (chunk) => {
        rest += chunk;
        while (rest.includes('\n')) {
            const line = rest.slice(0, rest.indexOf('\n'));
            rest = rest.slice(line.length + 1);
            await add(...line.split(' ').map(Number));
            socket.write('done\n');
        }
    });
    socket.on('close', () => process.exit(0));
}).listen(`${directory}/bullmq.sock`);
