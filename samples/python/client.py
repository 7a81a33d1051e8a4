#!/usr/bin/python3
"""Submits tasks one by one and in a session, and prints their results.

Usage: client.py [HANDLER] [COUNT]   (default: upper 10; start worker.py, or any worker that offers the handler)
"""
import queue
import shutil
import sys

import grpc

import muster_proto

FOLDER = muster_proto.load()

from muster.v1 import registry_pb2, registry_pb2_grpc, submission_pb2, submission_pb2_grpc, types_pb2  # noqa: E402


def run_one(stub, handler, payload):
    """The short way: submit, await, release."""
    task = stub.SubmitTask(submission_pb2.SubmitTaskRequest(
        wire_version=1,
        options=types_pb2.TaskOptions(handler=handler),
        item=types_pb2.TaskItem(payload=payload)), timeout=30)
    result = stub.AwaitTask(submission_pb2.AwaitTaskRequest(task_id=task.task_id), timeout=60).result
    stub.ReleaseTasks(submission_pb2.ReleaseTasksRequest(task_ids=[task.task_id]), timeout=30)
    return result


def run_session(stub, client_id, handler, payloads):
    """The long way: one stream for many tasks. Returns the outputs in the order of the payloads."""
    outgoing = queue.Queue()
    outgoing.put(submission_pb2.SessionRequest(
        hello=submission_pb2.SessionHello(wire_version=1, client_id=client_id, name="python-sample")))
    outgoing.put(submission_pb2.SessionRequest(submit=submission_pb2.SubmitBatch(
        first_ref=1,
        options=types_pb2.TaskOptions(handler=handler),
        items=[types_pb2.TaskItem(payload=payload) for payload in payloads])))
    outputs = [None] * len(payloads)
    confirmed = 0
    for message in stub.Session(iter(outgoing.get, None), timeout=120):
        for accepted in message.accepted:
            for error in accepted.errors:
                raise SystemExit(f"task {error.index} was refused: {error.code}: {error.message}")
        for result in message.results:
            if result.outcome != types_pb2.OUTCOME_SUCCEEDED:
                raise SystemExit(f"task {result.task_id:016x} ended {result.outcome}: {result.error.message}")
            outputs[result.ref - 1] = result.output
            confirmed += 1
        if message.results:
            outgoing.put(submission_pb2.SessionRequest(confirmed_total=confirmed))
        if confirmed == len(payloads):
            outgoing.put(None)
    return outputs


def main():
    handler = sys.argv[1] if len(sys.argv) > 1 else "upper"
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    with grpc.insecure_channel(muster_proto.default_address()) as front:
        address, client_id = muster_proto.plm_address(front, registry_pb2, registry_pb2_grpc, "python-sample")
    with grpc.insecure_channel(address) as channel:
        stub = submission_pb2_grpc.SubmissionServiceStub(channel)
        print("one:", run_one(stub, handler, b"hello from python").output.decode())
        for output in run_session(stub, client_id, handler, [f"task {n}".encode() for n in range(1, count + 1)]):
            print("session:", output.decode())


if __name__ == "__main__":
    try:
        main()
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)
