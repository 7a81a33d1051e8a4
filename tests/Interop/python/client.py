# SPDX-License-Identifier: Apache-2.0
"""A gRPC client that does not share a line with Muster: reads one JSON order a line, answers one JSON line each."""
import base64
import sys
import threading
import time

import common

common.use_generated(sys.argv[1])

import grpc  # noqa: E402
import interop_pb2 as pb  # noqa: E402
import interop_pb2_grpc as stubs  # noqa: E402
from peer_health import health_pb2  # noqa: E402
from peer_reflection_v1 import reflection_pb2 as reflection_v1  # noqa: E402
from peer_reflection_v1alpha import reflection_pb2 as reflection_v1alpha  # noqa: E402

_channels = {}
_lock = threading.Lock()


def channel_of(order):
    key = (order["target"], order.get("ca"), order.get("fresh"))
    with _lock:
        if key not in _channels:
            options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0)]
            if order.get("ca"):
                with open(order["ca"], "rb") as file:
                    credentials = grpc.ssl_channel_credentials(file.read())
                _channels[key] = grpc.secure_channel(order["target"], credentials, options)
            else:
                _channels[key] = grpc.insecure_channel(order["target"], options)
        return _channels[key]


def ask_of(order):
    ask = dict(order.get("ask", {}))
    body = base64.b64decode(ask.pop("body", ""))
    size = ask.pop("body_bytes", 0)
    return pb.Ask(body=body or bytes(size), **ask)


def call_options(order):
    options = {"metadata": common.from_pairs(order.get("metadata"))}
    if "timeout_ms" in order:
        options["timeout"] = order["timeout_ms"] / 1000
    if order.get("compress"):
        options["compression"] = grpc.Compression.Gzip
    if order.get("wait_ready"):
        options["wait_for_ready"] = True
    return options


def ended(call, result):
    """Adds how a call ended; a call that raised and one that returned tell it in the same way."""
    result["code"] = call.code().value[0]
    result["message"] = call.details() or ""
    result["headers"] = common.to_pairs(call.initial_metadata())
    result["trailers"] = common.to_pairs(call.trailing_metadata())
    return result


def answer_of(answer):
    body = answer.body
    return {"bodyBytes": len(body), "body": base64.b64encode(body[:1024]).decode(),
            "count": answer.count, "bytes": answer.bytes}


def unary(order):
    channel = channel_of(order)
    path = order.get("path", "/muster.interop.v1.InteropService/Echo")
    method = channel.unary_unary(path, pb.Ask.SerializeToString, pb.Answer.FromString)
    try:
        answer, call = method.with_call(ask_of(order), **call_options(order))
        return ended(call, answer_of(answer))
    except grpc.RpcError as error:
        return ended(error, {})


def collect(order):
    stub = stubs.InteropServiceStub(channel_of(order))
    ask = ask_of(order)
    asks = (ask for _ in range(order["send"]))
    try:
        answer, call = stub.Collect.with_call(asks, **call_options(order))
        return ended(call, answer_of(answer))
    except grpc.RpcError as error:
        return ended(error, {})


def drain(call, order):
    """Reads a stream of answers to its end, or cancels it after some."""
    result = {"received": 0, "ordered": True, "total": 0}
    try:
        for answer in call:
            if answer.bytes:
                result["total"] = answer.bytes
                continue
            result["ordered"] = result["ordered"] and answer.count == result["received"]
            result["received"] += 1
            if result["received"] == 1 and order.get("tell_first"):
                common.say({"id": order["id"], "first": True})
            if result["received"] == order.get("cancel_after"):
                call.cancel()
    except grpc.RpcError:
        pass
    return ended(call, result)


def pour(order):
    stub = stubs.InteropServiceStub(channel_of(order))
    return drain(stub.Pour(ask_of(order), **call_options(order)), order)


def converse(order):
    stub = stubs.InteropServiceStub(channel_of(order))
    ask = ask_of(order)
    turn = threading.Semaphore(order.get("in_flight", 1_000_000))

    def asks():
        for number in range(order["send"]):
            turn.acquire()
            ask.count = number
            copy = pb.Ask()
            copy.CopyFrom(ask)
            yield copy
        if order.get("stay_open"):
            time.sleep(order["stay_open"] / 1000)

    call = stub.Converse(asks(), **call_options(order))
    if "in_flight" not in order:
        return drain(call, order)
    result = {"received": 0, "ordered": True, "total": 0}
    try:
        for answer in call:
            if answer.bytes:
                result["total"] = answer.bytes
                continue
            result["ordered"] = result["ordered"] and answer.count == result["received"]
            result["received"] += 1
            turn.release()
    except grpc.RpcError:
        pass
    return ended(call, result)


def concurrent(order):
    """Many calls at once on one connection; says how many ended well."""
    stub = stubs.InteropServiceStub(channel_of(order))
    ask = ask_of(order)
    began = time.monotonic()
    calls = [stub.Echo.future(ask, timeout=30) for _ in range(order["send"])]
    good = sum(1 for call in calls if call.exception() is None)
    return {"received": good, "elapsedMs": int((time.monotonic() - began) * 1000)}


def health(order):
    channel = channel_of(order)
    request = health_pb2.HealthCheckRequest(service=order.get("service", ""))
    if order.get("watch"):
        watch = channel.unary_stream("/grpc.health.v1.Health/Watch", health_pb2.HealthCheckRequest.SerializeToString,
                                     health_pb2.HealthCheckResponse.FromString)
        call = watch(request, timeout=10)
        seen = []
        try:
            for answer in call:
                seen.append(answer.status)
                common.say({"id": order["id"], "first": True})
                if len(seen) == order["watch"]:
                    call.cancel()
        except grpc.RpcError:
            pass
        return ended(call, {"statuses": seen})
    check = channel.unary_unary("/grpc.health.v1.Health/Check", health_pb2.HealthCheckRequest.SerializeToString,
                                health_pb2.HealthCheckResponse.FromString)
    try:
        answer, call = check.with_call(request, timeout=10)
        return ended(call, {"statuses": [answer.status]})
    except grpc.RpcError as error:
        return ended(error, {"statuses": []})


def reflect(order):
    module = reflection_v1 if order["version"] == "v1" else reflection_v1alpha
    method = channel_of(order).stream_stream(
        "/grpc.reflection.%s.ServerReflection/ServerReflectionInfo" % order["version"],
        module.ServerReflectionRequest.SerializeToString, module.ServerReflectionResponse.FromString)
    request = module.ServerReflectionRequest(**order["request"])
    call = method(iter([request]), timeout=10)
    result = {"names": [], "files": [], "error": 0}
    from google.protobuf import descriptor_pb2
    for answer in call:
        result["names"] += [service.name for service in answer.list_services_response.service]
        for blob in answer.file_descriptor_response.file_descriptor_proto:
            result["files"].append(descriptor_pb2.FileDescriptorProto.FromString(blob).name)
        result["error"] = answer.error_response.error_code
    return ended(call, result)


OPERATIONS = {"unary": unary, "collect": collect, "pour": pour, "converse": converse, "concurrent": concurrent,
              "health": health, "reflect": reflect}


def run(order):
    try:
        result = OPERATIONS[order["op"]](order)
    except Exception as error:  # The test that waits for the answer must see what went wrong here.
        result = {"crash": repr(error)}
    result["id"] = order["id"]
    common.say(result)


common.say({"ready": True, "grpc": grpc.__version__})
for each in common.requests():
    threading.Thread(target=run, args=(each,), daemon=True).start()
