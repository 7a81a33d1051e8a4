// Submits tasks one by one and in a session, and prints their results.
// Usage: npm ci && node client.js [HANDLER] [COUNT]   (default: upper 10)
'use strict';
const path = require('path');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const root = path.join(__dirname, '..', '..', 'proto');
const files = ['registry', 'submission'].map((name) => `muster/v1/${name}.proto`);
const { muster } = grpc.loadPackageDefinition(loader.loadSync(files, {
  includeDirs: [root], longs: String, enums: String, defaults: true, keepCase: true,
}));

function defaultAddress() {
  const base = process.env.XDG_RUNTIME_DIR;
  const folder = base ? `${base}/muster` : `/tmp/muster-${process.getuid()}`;
  const address = process.env.MUSTER_ADDRESS || `unix:${folder}/default/register.sock`;
  return address.replace(/^http:\/\//, '');
}

// Turns one unary call into a promise with a deadline.
function call(client, method, request) {
  return new Promise((resolve, reject) => {
    const options = { deadline: Date.now() + 60000 };
    client[method](request, options, (error, answer) => (error ? reject(error) : resolve(answer)));
  });
}

async function runOne(plm, handler, payload) {
  const { task_id } = await call(plm, 'SubmitTask', { wire_version: 1, options: { handler }, item: { payload } });
  const { result } = await call(plm, 'AwaitTask', { task_id });
  await call(plm, 'ReleaseTasks', { task_ids: [task_id] });
  return result;
}

// One stream for many tasks. Resolves to the outputs in the order of the payloads.
function runSession(plm, clientId, handler, payloads) {
  return new Promise((resolve, reject) => {
    const outputs = new Array(payloads.length);
    let confirmed = 0;
    const stream = plm.Session({ deadline: Date.now() + 120000 });
    stream.on('error', reject);
    stream.on('data', (message) => {
      for (const accepted of message.accepted) {
        for (const error of accepted.errors) reject(new Error(`task ${error.index}: ${error.code}: ${error.message}`));
      }
      for (const result of message.results) {
        if (result.outcome !== 'OUTCOME_SUCCEEDED') {
          reject(new Error(`task ${result.task_id} ended ${result.outcome}: ${result.error.message}`));
        }
        outputs[Number(result.ref) - 1] = result.output;
        confirmed += 1;
      }
      if (message.results.length > 0) stream.write({ confirmed_total: String(confirmed) });
      if (confirmed === payloads.length) {
        stream.end();
        resolve(outputs);
      }
    });
    stream.write({ hello: { wire_version: 1, client_id: clientId, name: 'node-sample' } });
    stream.write({ submit: { first_ref: '1', options: { handler }, items: payloads.map((payload) => ({ payload })) } });
  });
}

async function main() {
  const handler = process.argv[2] || 'upper';
  const count = Number(process.argv[3] || 10);
  const credentials = grpc.credentials.createInsecure();
  const front = new muster.v1.RegistryService(defaultAddress(), credentials);
  const cell = await call(front, 'RegisterClient', { wire_version: 1, name: 'node-sample' });
  front.close();
  const plm = new muster.v1.SubmissionService(cell.plm_addresses[0].replace(/^http:\/\//, ''), credentials);
  console.log('one:', (await runOne(plm, handler, Buffer.from('hello from node'))).output.toString());
  const payloads = Array.from({ length: count }, (_, n) => Buffer.from(`task ${n + 1}`));
  for (const output of await runSession(plm, cell.client_id, handler, payloads)) {
    console.log('session:', output.toString());
  }
  plm.close();
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
