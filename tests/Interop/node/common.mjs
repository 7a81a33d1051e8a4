// SPDX-License-Identifier: Apache-2.0
// What the Node client and server of the interop tests share: the line protocol and the loaded protos.
import { createInterface } from "node:readline";
import path from "node:path";
import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";

const options = { keepCase: true, longs: Number, enums: Number, defaults: true, oneofs: true };

export function load(protoFolder, contractFolder) {
  const read = (folder, file) => grpc.loadPackageDefinition(loader.loadSync(path.join(folder, file),
    { ...options, includeDirs: [folder] }));
  return {
    interop: read(protoFolder, "interop.proto").muster.interop.v1,
    health: read(contractFolder, "grpc/health/v1/health.proto").grpc.health.v1,
    reflection: {
      v1: read(contractFolder, "grpc/reflection/v1/reflection.proto").grpc.reflection.v1,
      v1alpha: read(contractFolder, "grpc/reflection/v1alpha/reflection.proto").grpc.reflection.v1alpha,
    },
  };
}

export const say = (message) => process.stdout.write(JSON.stringify(message) + "\n");

export async function* requests() {
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim()) yield JSON.parse(line);
  }
}

// Metadata as JSON: binary values become hex.
export function toPairs(metadata) {
  const pairs = [];
  for (const key of Object.keys(metadata?.getMap() ?? {})) {
    for (const value of metadata.get(key)) pairs.push([key, Buffer.isBuffer(value) ? value.toString("hex") : value]);
  }
  return pairs;
}

export function fromPairs(pairs) {
  const metadata = new grpc.Metadata();
  for (const [key, value] of pairs ?? []) {
    metadata.add(key, key.endsWith("-bin") ? Buffer.from(value, "hex") : value);
  }
  return metadata;
}
