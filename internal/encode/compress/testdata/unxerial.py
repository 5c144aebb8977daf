"""Writes what python-snappy reads out of the snappy-java streams that are named to standard
output. It knows their blocks, but not what stands around them."""

import sys

import snappy

for path in sys.argv[1:]:
    with open(path, "rb") as file:
        data = file.read()
    assert data[:16] == b"\x82SNAPPY\0" + b"\0\0\0\1" * 2, data[:16]
    at = 16
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        sys.stdout.buffer.write(snappy.uncompress(data[at + 4 : at + 4 + size]))
        at += 4 + size
    assert at == len(data), "the last block is cut"
