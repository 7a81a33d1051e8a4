#!/usr/bin/python3
"""A worker for the handler "upper", which returns its payload in capitals. Stops on Ctrl-C or SIGTERM.

Usage: worker.py [SLOTS]   (default: 2)
"""
import concurrent.futures
import os
import queue
import secrets
import shutil
import signal
import socket
import sys
import threading
import time

import grpc

import muster_proto

FOLDER = muster_proto.load()

from muster.v1 import dispatch_pb2, dispatch_pb2_grpc, registry_pb2, registry_pb2_grpc, types_pb2  # noqa: E402

HANDLERS = {"upper": lambda payload: payload.upper()}


class Worker:
    """Heartbeats to the Register carry the results; assignments come from the Scheduler."""

    def __init__(self, slots):
        self.slots = slots
        self.nonce = secrets.randbits(63) + 1
        self.beats = queue.Queue()
        self.pool = concurrent.futures.ThreadPoolExecutor(slots)
        self.lock = threading.Lock()
        self.ended = 0
        self.results = 0
        self.running = set()
        self.interval = 0.25
        self.stopping = threading.Event()

    def run(self, address):
        with grpc.insecure_channel(address) as channel:
            self.beats.put(registry_pb2.HeartbeatRequest(hello=self.hello()))
            stream = registry_pb2_grpc.RegistryServiceStub(channel).Heartbeat(iter(self.beats.get, None))
            welcome = next(stream).welcome
            self.interval = welcome.interval_ms / 1000
            threading.Thread(target=self.beat, daemon=True).start()
            threading.Thread(target=self.listen, args=(stream,), daemon=True).start()
            print(f"worker {welcome.worker_id:016x} offers {', '.join(HANDLERS)} with {self.slots} slots", flush=True)
            self.take(welcome)
            self.beats.put(registry_pb2.HeartbeatRequest(goodbye=True, ended_total=self.ended))
            self.beats.put(None)
            time.sleep(0.2)

    def hello(self):
        with open("/proc/self/stat", encoding="ascii") as stat:
            start = int(stat.read().rsplit(")", 1)[1].split()[19])
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as boot:
            boot_id = boot.read().strip()
        return registry_pb2.RegisterHello(
            wire_version=1, nonce=self.nonce, name="python-sample", slots=self.slots, handlers=list(HANDLERS),
            host=socket.gethostname(), pid=os.getpid(), pid_start=start, version="sample", boot_id=boot_id,
            pid_namespace=os.stat("/proc/self/ns/pid").st_ino)

    def take(self, welcome):
        """Opens the Dispatch stream and runs what comes until stopped."""
        address = welcome.scheduler_addresses[0].removeprefix("http://")
        outgoing = queue.Queue()
        outgoing.put(dispatch_pb2.DispatchRequest(hello=dispatch_pb2.DispatchHello(
            wire_version=1, worker_id=welcome.worker_id, nonce=self.nonce)))
        with grpc.insecure_channel(address) as channel:
            stream = dispatch_pb2_grpc.DispatchServiceStub(channel).Dispatch(iter(outgoing.get, None))
            threading.Thread(target=lambda: (self.stopping.wait(), stream.cancel()), daemon=True).start()
            try:
                for message in stream:
                    for group in message.groups:
                        for assignment in group.assignments:
                            with self.lock:
                                self.running.add(assignment.task_id)
                            self.pool.submit(self.execute, group.handler, assignment, time.monotonic())
            except grpc.RpcError as error:
                if not self.stopping.is_set():
                    raise SystemExit(f"the Scheduler's stream ended: {error.details()}") from error
        self.pool.shutdown(wait=True)

    def execute(self, handler, assignment, received):
        started = time.monotonic()
        result = registry_pb2.AttemptResult(task_id=assignment.task_id, attempt=assignment.attempt)
        try:
            result.output = HANDLERS[handler](assignment.payload)
            result.outcome = types_pb2.OUTCOME_SUCCEEDED
        except Exception as error:  # A handler's failure is the task's, not the worker's.
            result.outcome = types_pb2.OUTCOME_FAILED
            result.error.CopyFrom(types_pb2.TaskError(
                code="HANDLER_FAILED", message=str(error), type=type(error).__name__))
        finished = time.monotonic()
        result.waited_us = int((started - received) * 1e6)
        result.ran_us = int((finished - started) * 1e6)
        with self.lock:
            self.running.discard(assignment.task_id)
            self.ended += 1
            self.results += 1
            result.result_number = self.results
            self.beats.put(registry_pb2.HeartbeatRequest(results=[result], ended_total=self.ended))

    def beat(self):
        while not self.stopping.wait(self.interval):
            with self.lock:
                self.beats.put(registry_pb2.HeartbeatRequest(ended_total=self.ended, running=list(self.running)))

    def listen(self, stream):
        try:
            for message in stream:
                if message.interval_ms:
                    self.interval = message.interval_ms / 1000
                if message.drain:
                    self.stopping.set()
        except grpc.RpcError as error:
            if not self.stopping.is_set():
                print(f"the Register's stream ended: {error.details()}", file=sys.stderr, flush=True)
                self.stopping.set()


def main():
    worker = Worker(int(sys.argv[1]) if len(sys.argv) > 1 else 2)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: worker.stopping.set())
    worker.run(muster_proto.default_address())


if __name__ == "__main__":
    try:
        main()
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)
