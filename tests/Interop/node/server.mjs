// SPDX-License-Identifier: Apache-2.0
// A gRPC server that does not share a line with Muster; says its addresses in one JSON line and serves until killed.
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { setTimeout as pause } from "node:timers/promises";
import grpc from "@grpc/grpc-js";
import { load, requests, say } from "./common.mjs";

const [protoFolder, contractFolder, socket, certificate, key, compress] = process.argv.slice(2);
const types = load(protoFolder, contractFolder);
const observed = new Map();

function begin(name, call) {
  if (!name) return;
  const deadline = call.getDeadline();
  const left = deadline instanceof Date ? deadline.getTime() - Date.now() : deadline - Date.now();
  const entry = { ended: false, cancelled: false, timeout_ms: Number.isFinite(left) ? Math.max(0, Math.round(left)) : 0 };
  observed.set(name, entry);
  call.on("cancelled", () => { entry.ended = true; entry.cancelled = true; });
  call.on("finish", () => { entry.ended = true; });
  call.on("close", () => { entry.ended = true; });
}

// Sends the headers that are asked for, and returns the trailers.
function echoMetadata(call) {
  const headers = new grpc.Metadata();
  const trailers = new grpc.Metadata();
  let any = false;
  for (const key of Object.keys(call.metadata.getMap())) {
    if (!key.startsWith("x-echo-")) continue;
    any = true;
    for (const value of call.metadata.get(key)) {
      headers.add(key, value);
      trailers.add("x-trail-" + key.slice(7), value);
    }
  }
  if (any) call.sendMetadata(headers);
  return trailers;
}

const failure = (ask, trailers) => ({ code: ask.status, details: ask.message, metadata: trailers });

async function echo(call, done) {
  const ask = call.request;
  begin(ask.key, call);
  const trailers = echoMetadata(call);
  const until = Date.now() + ask.delay_ms;
  while (Date.now() < until && !call.cancelled) await pause(5);
  if (call.cancelled) return;
  if (ask.status) done(failure(ask, trailers));
  else done(null, { body: ask.answer_bytes ? Buffer.alloc(ask.answer_bytes) : ask.body }, trailers);
}

async function write(call, message) {
  if (!call.write(message) && !call.cancelled) {
    await new Promise((resolve) => { call.once("drain", resolve); call.once("cancelled", resolve); });
  }
}

async function pour(call) {
  const ask = call.request;
  begin(ask.key, call);
  const trailers = echoMetadata(call);
  for (let number = 0; number < ask.count && !call.cancelled; number++) {
    await write(call, { body: Buffer.alloc(ask.answer_bytes), count: number });
    if (ask.delay_ms) await pause(ask.delay_ms);
  }
  if (call.cancelled) return;
  if (ask.status) call.emit("error", failure(ask, trailers));
  else call.end(trailers);
}

async function collect(call, done) {
  const trailers = echoMetadata(call);
  let count = 0;
  let bytes = 0;
  for await (const ask of call) {
    count++;
    bytes += ask.body.length;
    if (ask.status) {
      done(failure(ask, trailers));
      return;
    }
  }
  done(null, { count, bytes }, trailers);
}

// Events instead of "for await": at its end that would destroy the half of the stream that still answers.
function converse(call) {
  const trailers = echoMetadata(call);
  let count = 0;
  let over = false;
  let work = Promise.resolve();
  const answer = async (ask) => {
    if (over || call.cancelled) return;
    if (count === 0) begin(ask.key, call);
    if (ask.status) {
      over = true;
      call.emit("error", failure(ask, trailers));
      return;
    }
    if (ask.delay_ms) await pause(ask.delay_ms);
    await write(call, { body: ask.body, count });
    count++;
  };
  call.on("data", (ask) => {
    call.pause();
    work = work.then(() => answer(ask)).then(() => call.resume());
  });
  call.on("end", () => work.then(async () => {
    if (over || call.cancelled) return;
    await write(call, { count, bytes: count + 1 });
    call.end(trailers);
  }));
}

async function observe(call, done) {
  const until = Date.now() + 5000;
  while (Date.now() < until && !observed.get(call.request.key)?.ended) await pause(10);
  done(null, observed.get(call.request.key) ?? {});
}

function check(call, done) {
  if (["", "muster.interop.v1.InteropService"].includes(call.request.service)) done(null, { status: 1 });
  else done({ code: grpc.status.NOT_FOUND, details: "unknown service" });
}

const server = new grpc.Server(compress === "gzip" ? { "grpc.default_compression_algorithm": 2 } : {});
server.addService(types.interop.InteropService.service,
  { Echo: echo, Pour: pour, Collect: collect, Converse: converse, Observe: observe });
server.addService(types.health.Health.service, { Check: check });
const bind = promisify(server.bindAsync.bind(server));
const port = await bind("127.0.0.1:0", grpc.ServerCredentials.createInsecure());
await bind("unix:" + socket, grpc.ServerCredentials.createInsecure());
const pair = [{ cert_chain: readFileSync(certificate), private_key: readFileSync(key) }];
const tlsPort = await bind("127.0.0.1:0", grpc.ServerCredentials.createSsl(null, pair));
say({ ready: true, node: process.version, port, tlsPort });
for await (const line of requests()) void line;
process.exit(0);
