// SPDX-License-Identifier: Apache-2.0
// BullMQ's client and workers. Usage: node bullmq.js PORT; the last line is JSON. Starts its two workers itself.
const { Queue, Worker, QueueEvents } = require('bullmq');
const { fork, spawn } = require('child_process');

const [port, role] = process.argv.slice(2);
const connection = { host: '127.0.0.1', port: Number(port), maxRetriesPerRequest: null };
const payload = 'x'.repeat(100);
const result = 'r'.repeat(32);
const now = () => Number(process.hrtime.bigint()) / 1e3;

async function work() {
  process.on('disconnect', () => process.exit(0));
  const runTrue = () => new Promise((resolve) => {
    spawn('/bin/true', { stdio: 'ignore' }).on('close', () => resolve(result));
  });
  const isCommand = role === 'true';
  const worker = new Worker('q', isCommand ? runTrue : async () => result, {
    connection,
    concurrency: isCommand ? 1 : 100,
    drainDelay: 5,
  });
  await worker.waitUntilReady();
  process.send('ready');
}

async function startWorkers(kind) {
  const workers = [];
  for (let n = 0; n < 2; n++) {
    const child = fork(__filename, [port, kind]);
    await new Promise((resolve) => child.once('message', resolve));
    workers.push(child);
  }
  return workers;
}

async function stopWorkers(workers) {
  for (const child of workers) {
    await new Promise((resolve) => {
      child.once('exit', resolve);
      child.kill('SIGKILL');
    });
  }
}

async function measure() {
  // By default about 10,000 events are kept, and a client that falls behind would miss results.
  const queue = new Queue('q', { connection, streams: { events: { maxLen: 2_000_000 } } });
  const events = new QueueEvents('q', { connection });
  await events.waitUntilReady();
  let got = 0;
  let wanted = Infinity;
  let reached = () => {};
  events.on('completed', () => {
    if (++got >= wanted) {
      wanted = Infinity;
      reached();
    }
  });
  const results = (count) => (got >= count ? undefined : new Promise((resolve) => {
    wanted = count;
    reached = resolve;
  }));
  const opts = { removeOnComplete: true };
  async function flow(count) {
    got = 0;
    const start = now();
    let put = 0;
    const add = async () => {
      while (put < count) {
        const size = Math.min(1_000, count - put);
        put += size;
        await queue.addBulk(Array.from({ length: size }, () => ({ name: 't', data: payload, opts })));
      }
    };
    await Promise.all([add(), add()]);
    await results(count);
    return count / ((now() - start) / 1e6);
  }
  async function lone(count) {
    const times = [];
    for (let n = 0; n < count; n++) {
      got = 0;
      const start = now();
      await Promise.all([results(1), queue.add('t', payload, opts)]);
      times.push(now() - start);
    }
    return times.sort((a, b) => a - b);
  }

  let workers = await startWorkers('none');
  await flow(3_000);
  const tasksPerSecond = await flow(25_000);
  await lone(200);
  const times = await lone(2_000);
  await stopWorkers(workers);
  workers = await startWorkers('true');
  await flow(100);
  const commandsPerSecond = await flow(1_000);
  await stopWorkers(workers);
  console.log(JSON.stringify({
    tasks_per_s: tasksPerSecond,
    p50_us: times[times.length >> 1],
    p99_us: times[Math.floor(times.length * 0.99)],
    commands_per_s: commandsPerSecond,
  }));
  process.exit(0);
}

(role ? work() : measure()).catch((error) => {
  console.error(error);
  process.exit(1);
});
