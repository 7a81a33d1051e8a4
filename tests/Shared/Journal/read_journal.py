#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads a journal as docs/internals/journal.md describes it, without any of the product's code.

Usage: read_journal.py FOLDER

Prints one JSON object per record, oldest first, then one with the end. Exit code 0: all is as it should be,
1: damage (told on the last line), 2: wrong usage.
"""

import json
import os
import re
import struct
import sys

BLOCK = 4096
DATA = 8192
HEADER = 40
BODY_MAX = 8 * 1024 * 1024
FOLLOWED = 2
MARKS = {0xFF00: "opened", 0xFF01: "synced", 0xFF02: "closed", 0xFF03: "forgotten"}


def make_table():
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ 0x82F63B78 if value & 1 else value >> 1
        table.append(value)
    return table


TABLE = make_table()


def crc(seed, data):
    value = ~seed & 0xFFFFFFFF
    for byte in data:
        value = TABLE[(value ^ byte) & 0xFF] ^ (value >> 8)
    return ~value & 0xFFFFFFFF


class Damage(Exception):
    def __init__(self, name, offset, what):
        super().__init__(what)
        self.name, self.offset, self.what = name, offset, what


class Segment:
    def __init__(self, folder, name):
        self.name, self.folder = name, folder
        with open(os.path.join(folder, name), "rb") as file:
            self.data = file.read()
        head = self.data[:BLOCK]
        if len(head) < BLOCK or head[:8] != b"MUSTERJ\n" or struct.unpack_from("<I", head, 4092)[0] != crc(0, head[:4092]):
            raise Damage(name, 0, "header")
        (self.version, self.seed, self.lineage, self.number, self.base, self.length, self.first, self.live_from,
         self.made_us, self.previous) = struct.unpack_from("<IIQQQqQQqI", head, 8)
        if self.version != 1:
            raise Damage(name, 0, f"version {self.version}")
        if self.number != int(name[:12]) or self.length != len(self.data):
            raise Damage(name, 0, "name or length")

    def record_at(self, offset):
        """The whole record that belongs at this offset, or None."""
        if offset + HEADER > self.length:
            return None
        check, size, sequence, position, synced, previous, kind, synced_check = struct.unpack_from("<IIQQQIHH", self.data, offset)
        if position != self.base + offset or size > BODY_MAX or offset + HEADER + size > self.length:
            return None
        if check != crc(self.seed, self.data[offset + 4:offset + HEADER + size]):
            return None
        body = self.data[offset + HEADER:offset + HEADER + size]
        return {"check": check, "sequence": sequence, "synced": synced, "previous": previous, "kind": kind, "body": body,
                "synced_check": synced_check, "offset": offset, "next": offset + (HEADER + size + 7) // 8 * 8}

    def proof(self):
        """Sequence and check of the last record that is known to be flushed, and flags; None if the proof is damaged."""
        raw = self.data[BLOCK:BLOCK + HEADER]
        lineage, synced, position, check_of_record, flags, _, check = struct.unpack("<QQQIIII", raw)
        if (check != crc(self.seed, raw[:36]) or lineage != self.lineage or synced < self.first - 1
                or not self.base + DATA <= position <= self.base + self.length):
            return None
        return synced, check_of_record, flags


def read_segments(folder):
    segments = []
    for name in sorted(name for name in os.listdir(folder) if re.fullmatch(r"\d{12}\.segment", name)):
        segment = Segment(folder, name)
        if segments:
            before = segments[-1]
            if ((segment.lineage, segment.seed) != (before.lineage, before.seed)
                    or segment.number != before.number + 1 or segment.base != before.base + before.length
                    or segment.first < before.first):
                raise Damage(name, 0, "does not follow " + before.name)
        segments.append(segment)
    return segments


def another_time(segment, records):
    """Some records are not the ones that were flushed; what is sure ends at the last flush that they know of."""
    flushed = max((record["synced"] for record in records), default=0)
    sure = next((record["offset"] for record in records if record["sequence"] > flushed), DATA)
    raise Damage(segment.name, sure if flushed >= segment.first else DATA, "from another time")


def check_end(segment, offset, expected, records):
    """Damage if anything proves that the record that would be next, or others than these, had been flushed."""
    proof = segment.proof()
    checks = {record["sequence"]: record["check"] & 0xFFFF for record in records}
    at = offset
    while at + HEADER <= segment.length:
        later = segment.record_at(at) if struct.unpack_from("<Q", segment.data, at + 16)[0] == segment.base + at else None
        if later is None:
            at += 8
            continue
        if later["synced"] >= expected:
            raise Damage(segment.name, offset, f"record {expected} had been flushed")
        if later["sequence"] <= expected or checks.get(later["synced"], later["synced_check"]) != later["synced_check"]:
            another_time(segment, records)
        at = later["next"]
    if proof is None:
        raise Damage(segment.name, BLOCK, "proof")
    if proof[0] >= expected:
        raise Damage(segment.name, offset, f"record {expected} had been flushed")
    following = f"{segment.number + 1:012}.segment"
    if proof[2] & FOLLOWED and not os.path.exists(os.path.join(segment.folder, following)):
        raise Damage(following, 0, "the journal went on in it")


def read(folder):
    segments = read_segments(folder)
    if not segments:
        raise Damage(folder, 0, "no segments")
    live_from = segments[-1].live_from
    sequence, previous, closed = segments[0].first - 1, segments[0].previous, False
    for index, segment in enumerate(segments):
        following = segments[index + 1] if index + 1 < len(segments) else None
        offset, records = DATA, []
        proof = segment.proof() if following is None else None
        while following is None or sequence + 1 < following.first:
            record = segment.record_at(offset)
            if record is None or record["sequence"] != sequence + 1 or record["previous"] != previous:
                if following is not None:
                    raise Damage(segment.name, offset, f"record {sequence + 1}")
                break
            if proof is not None and record["sequence"] == proof[0] and record["check"] != proof[1]:
                another_time(segment, records)
            records.append(record)
            sequence, previous = record["sequence"], record["check"]
            closed = record["kind"] == 0xFF02
            if record["kind"] == 0xFF03:
                live_from = max(live_from, struct.unpack("<Q", record["body"])[0])
            print(json.dumps({
                "sequence": sequence, "segment": segment.number, "offset": offset, "kind": record["kind"],
                "bytes": len(record["body"]), "synced": record["synced"], "crc": record["check"],
                "text": MARKS.get(record["kind"], record["body"][:16].hex()),
            }))
            offset = record["next"]
        if following is None:
            check_end(segment, offset, sequence + 1, records)
        elif previous != following.previous:
            raise Damage(segment.name, offset, "does not lead to the next segment")
    if segments[0].first > live_from:
        raise Damage(segments[0].name, 0, "segments before it are missing")
    return {"end": sequence, "live_from": live_from, "closed": closed, "lineage": f"{segments[0].lineage:016x}"}


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        print(json.dumps(read(sys.argv[1])))
        return 0
    except Damage as damage:
        print(json.dumps({"damage": damage.name, "offset": damage.offset, "what": damage.what}))
        return 1


if __name__ == "__main__":
    sys.exit(main())
