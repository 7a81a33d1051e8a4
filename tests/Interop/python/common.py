# SPDX-License-Identifier: Apache-2.0
"""What the Python client and server of the interop tests share: the line protocol and the generated modules."""
import json
import sys
import threading

_write_lock = threading.Lock()


def use_generated(folder):
    sys.path.insert(0, folder)


def say(message):
    """One JSON object a line, to whoever started this program."""
    with _write_lock:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()


def requests():
    for line in sys.stdin:
        if line.strip():
            yield json.loads(line)


def to_pairs(metadata):
    """Metadata as JSON: binary values become hex."""
    pairs = []
    for key, value in metadata or ():
        pairs.append([key, value.hex() if isinstance(value, bytes) else value])
    return pairs


def from_pairs(pairs):
    result = []
    for key, value in pairs or ():
        result.append((key, bytes.fromhex(value) if key.endswith("-bin") else value))
    return result
