// SPDX-License-Identifier: Apache-2.0
// A gRPC client that does not share a line with Muster: reads one JSON order a line, answers one JSON line each.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import grpc from "@grpc/grpc-js";
import { fromPairs, load, requests, say, toPairs } from "./common.mjs";

const types = load(process.argv[2], process.argv[3]);
const channels = new Map();

function clientOf(Type, order) {
  const key = JSON.stringify([Type.serviceName, order.target, order.ca, order.fresh, order.compress]);
  if (!channels.has(key)) {
    const credentials = order.ca ? grpc.credentials.createSsl(readFileSync(order.ca)) : grpc.credentials.createInsecure();
    const options = { "grpc.use_local_subchannel_pool": 1, "grpc.enable_retries": 0 };
    if (order.compress) options["grpc.default_compression_algorithm"] = 2;
    channels.set(key, new Type(order.target, credentials, options));
  }
  return channels.get(key);
}

const interop = (order) => clientOf(types.interop.InteropService, order);

function askOf(order) {
  const { body, body_bytes: size, ...ask } = order.ask ?? {};
  return { ...ask, body: body ? Buffer.from(body, "base64") : Buffer.alloc(size ?? 0) };
}

const optionsOf = (order, timeoutMs) =>
  (order.timeout_ms ?? timeoutMs) ? { deadline: Date.now() + (order.timeout_ms ?? timeoutMs) } : {};

const answerOf = (answer) => ({
  bodyBytes: answer.body.length, body: answer.body.subarray(0, 1024).toString("base64"),
  count: answer.count, bytes: answer.bytes,
});

// Collects headers and status of a call; the end of the call is its status, whatever came before.
function watch(call, result) {
  return new Promise((resolve) => {
    call.on("metadata", (metadata) => { result.headers = toPairs(metadata); });
    call.on("error", () => {});
    call.on("status", (status) => {
      result.code = status.code;
      result.message = status.details;
      result.trailers = toPairs(status.metadata);
      // Answers that were read before the status are delivered before this runs.
      setImmediate(() => resolve(result));
    });
  });
}

function unary(order) {
  const client = interop(order);
  const result = {};
  const definition = types.interop.InteropService.service.Echo;
  const call = client.makeUnaryRequest(order.path ?? definition.path, definition.requestSerialize,
    definition.responseDeserialize, askOf(order), fromPairs(order.metadata), optionsOf(order), (error, answer) => {
      if (answer) Object.assign(result, answerOf(answer));
    });
  return watch(call, result);
}

// Waits for room when the stream is full; a call that has ended never has room again, so its end counts too.
async function write(call, message, end) {
  if (!call.write(message)) await Promise.race([new Promise((resolve) => call.once("drain", resolve)), end]);
}

async function collect(order) {
  const result = {};
  const call = interop(order).Collect(fromPairs(order.metadata), optionsOf(order), (error, answer) => {
    if (answer) Object.assign(result, answerOf(answer));
  });
  const end = watch(call, result);
  const ask = askOf(order);
  for (let number = 0; number < order.send; number++) await write(call, ask, end);
  call.end();
  return end;
}

function drain(call, order, onAnswer) {
  const result = { received: 0, ordered: true, total: 0 };
  call.on("data", (answer) => {
    if (answer.bytes) {
      result.total = answer.bytes;
      return;
    }
    result.ordered = result.ordered && answer.count === result.received;
    result.received++;
    if (result.received === 1 && order.tell_first) say({ id: order.id, first: true });
    if (result.received === order.cancel_after) call.cancel();
    onAnswer?.();
  });
  return watch(call, result);
}

const pour = (order) => {
  const call = interop(order).Pour(askOf(order), fromPairs(order.metadata), optionsOf(order));
  return drain(call, order);
};

async function converse(order) {
  const call = interop(order).Converse(fromPairs(order.metadata), optionsOf(order));
  const ask = askOf(order);
  let turns = order.in_flight ?? Infinity;
  let wake = null;
  let over = false;
  const end = drain(call, order, () => { turns++; wake?.(); });
  end.then(() => { over = true; wake?.(); });
  for (let number = 0; number < order.send && !over; number++) {
    while (turns === 0 && !over) await new Promise((resolve) => { wake = resolve; });
    turns--;
    await write(call, { ...ask, count: number }, end);
  }
  if (!order.stay_open) call.end();
  return end;
}

async function concurrent(order) {
  const client = interop(order);
  const began = Date.now();
  const calls = [];
  for (let number = 0; number < order.send; number++) {
    calls.push(new Promise((resolve) => client.Echo(askOf(order), { deadline: Date.now() + 30000 },
      (error) => resolve(!error))));
  }
  const outcomes = await Promise.all(calls);
  return { received: outcomes.filter((good) => good).length, elapsedMs: Date.now() - began };
}

function health(order) {
  const client = clientOf(types.health.Health, order);
  const request = { service: order.service ?? "" };
  const result = { statuses: [] };
  if (order.watch) {
    const call = client.Watch(request, { deadline: Date.now() + 10000 });
    call.on("data", (answer) => {
      result.statuses.push(answer.status);
      say({ id: order.id, first: true });
      if (result.statuses.length === order.watch) call.cancel();
    });
    return watch(call, result);
  }
  const call = client.Check(request, { deadline: Date.now() + 10000 }, (error, answer) => {
    if (answer) result.statuses.push(answer.status);
  });
  return watch(call, result);
}

function fileName(blob) {
  // The name is field 1 of a FileDescriptorProto; protobufjs of the proto loader reads it.
  const require = createRequire(import.meta.url);
  const reader = require("protobufjs/minimal").Reader.create(blob);
  reader.uint32();
  return reader.string();
}

function reflect(order) {
  const client = clientOf(types.reflection[order.version].ServerReflection, order);
  const call = client.ServerReflectionInfo({ deadline: Date.now() + 10000 });
  const result = { names: [], files: [], error: 0 };
  call.on("data", (answer) => {
    for (const service of answer.list_services_response?.service ?? []) result.names.push(service.name);
    for (const blob of answer.file_descriptor_response?.file_descriptor_proto ?? []) result.files.push(fileName(blob));
    result.error = answer.error_response?.error_code ?? 0;
  });
  const end = watch(call, result);
  call.write(order.request);
  call.end();
  return end;
}

const operations = { unary, collect, pour, converse, concurrent, health, reflect };

async function run(order) {
  let result;
  try {
    result = await operations[order.op](order);
  } catch (error) {
    // The test that waits for the answer must see what went wrong here.
    result = { crash: String(error?.stack ?? error) };
  }
  say({ ...result, id: order.id });
}

say({ ready: true, node: process.version });
for await (const order of requests()) run(order);
process.exit(0);
