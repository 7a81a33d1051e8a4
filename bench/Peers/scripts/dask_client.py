# SPDX-License-Identifier: Apache-2.0
"""Dask's client. Usage: dask_client.py ADDRESS; the last line is JSON."""
import json
import os
import sys
import time

import dask_tasks
from distributed import Client

PAYLOAD = "x" * 100


def flow(client, count):
    start = time.perf_counter()
    results = client.gather(client.map(dask_tasks.noop, [PAYLOAD] * count, range(count), pure=False))
    assert len(results) == count
    return count / (time.perf_counter() - start)


def lone(client, count):
    times = []
    for number in range(count):
        start = time.perf_counter()
        client.submit(dask_tasks.noop, PAYLOAD, number, pure=False).result()
        times.append((time.perf_counter() - start) * 1e6)
    return sorted(times)


def commands(client, count):
    start = time.perf_counter()
    client.gather(client.map(dask_tasks.true, range(count), pure=False))
    return count / (time.perf_counter() - start)


def main():
    client = Client(sys.argv[1])
    client.wait_for_workers(2)
    flow(client, 500)
    tasks_per_s = flow(client, 4_000)
    lone(client, 50)
    times = lone(client, 600)
    print(json.dumps({
        "tasks_per_s": tasks_per_s,
        "p50_us": times[len(times) // 2],
        "p99_us": times[len(times) * 99 // 100],
        "commands_per_s": commands(client, 500),
    }), flush=True)

    # Its threads take long to end.
    os._exit(0)


if __name__ == "__main__":
    main()
