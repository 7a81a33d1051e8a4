# SPDX-License-Identifier: Apache-2.0
"""A gRPC server that does not share a line with Muster; says its addresses in one JSON line and serves until killed."""
import sys
import threading
import time
from concurrent import futures

import common

common.use_generated(sys.argv[1])

import grpc  # noqa: E402
import interop_pb2 as pb  # noqa: E402
import interop_pb2_grpc as stubs  # noqa: E402
from peer_health import health_pb2  # noqa: E402

CODES = {code.value[0]: code for code in grpc.StatusCode}


class Observations:
    """How calls with a key ended, for tests that ask afterwards."""

    def __init__(self):
        self._seen = {}
        self._change = threading.Condition()

    def begin(self, key, context):
        if not key:
            return
        remaining = context.time_remaining()
        entry = pb.ObserveResponse(timeout_ms=int(remaining * 1000) if remaining and remaining < 1e6 else 0)
        with self._change:
            self._seen[key] = entry

        def end():
            with self._change:
                entry.ended = True
                entry.cancelled = not getattr(context, "muster_done", False)
                self._change.notify_all()

        context.add_callback(end)

    def wait(self, key):
        deadline = time.monotonic() + 5
        with self._change:
            while time.monotonic() < deadline:
                entry = self._seen.get(key)
                if entry is not None and entry.ended:
                    return entry
                self._change.wait(0.1)
            return self._seen.get(key, pb.ObserveResponse())


OBSERVED = Observations()


def echo_metadata(context):
    headers = [(key, value) for key, value in context.invocation_metadata() if key.startswith("x-echo-")]
    if headers:
        context.send_initial_metadata(headers)
        context.set_trailing_metadata([("x-trail-" + key[7:], value) for key, value in headers])


def finish(ask, context):
    context.muster_done = True
    if ask.status:
        context.set_code(CODES[ask.status])
        context.set_details(ask.message)


class Service(stubs.InteropServiceServicer):
    def Echo(self, request, context):
        OBSERVED.begin(request.key, context)
        echo_metadata(context)
        if request.delay_ms:
            deadline = time.monotonic() + request.delay_ms / 1000
            while time.monotonic() < deadline and context.is_active():
                time.sleep(0.005)
            if not context.is_active():
                return pb.Answer()
        finish(request, context)
        return pb.Answer(body=bytes(request.answer_bytes) if request.answer_bytes else request.body)

    def Pour(self, request, context):
        OBSERVED.begin(request.key, context)
        echo_metadata(context)
        for number in range(request.count):
            if not context.is_active():
                return
            yield pb.Answer(body=bytes(request.answer_bytes), count=number)
            if request.delay_ms:
                time.sleep(request.delay_ms / 1000)
        finish(request, context)

    def Collect(self, request_iterator, context):
        echo_metadata(context)
        count = total = 0
        for ask in request_iterator:
            count += 1
            total += len(ask.body)
            if ask.status:
                finish(ask, context)
                return pb.Answer()
        return pb.Answer(count=count, bytes=total)

    def Converse(self, request_iterator, context):
        echo_metadata(context)
        count = 0
        for ask in request_iterator:
            if not count:
                OBSERVED.begin(ask.key, context)
            if ask.status:
                finish(ask, context)
                return
            if ask.delay_ms:
                time.sleep(ask.delay_ms / 1000)
            yield pb.Answer(body=ask.body, count=count)
            count += 1
        # A cancelled call, too, may end its requests as if they were complete; but its last answer is never taken.
        yield pb.Answer(count=count, bytes=count + 1)
        context.muster_done = True

    def Observe(self, request, context):
        return OBSERVED.wait(request.key)


def health_handler():
    def check(request, context):
        if request.service not in ("", "muster.interop.v1.InteropService"):
            context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
        return health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.SERVING)

    return grpc.method_handlers_generic_handler("grpc.health.v1.Health", {
        "Check": grpc.unary_unary_rpc_method_handler(
            check, health_pb2.HealthCheckRequest.FromString, health_pb2.HealthCheckResponse.SerializeToString)})


def main():
    socket, certificate, key, compress = sys.argv[2:6]
    compression = grpc.Compression.Gzip if compress == "gzip" else None
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=160), compression=compression,
                         options=[("grpc.so_reuseport", 0)])
    stubs.add_InteropServiceServicer_to_server(Service(), server)
    server.add_generic_rpc_handlers((health_handler(),))
    ready = {"ready": True, "grpc": grpc.__version__, "port": server.add_insecure_port("127.0.0.1:0")}
    server.add_insecure_port("unix:" + socket)
    with open(certificate, "rb") as chain, open(key, "rb") as secret:
        credentials = grpc.ssl_server_credentials([(secret.read(), chain.read())])
    ready["tlsPort"] = server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    common.say(ready)
    for _ in common.requests():
        pass
    server.stop(0).wait()


main()
