"""Writes what python-snappy reads out of the Hadoop objects that are named to standard output."""

import sys

import snappy

for path in sys.argv[1:]:
    with open(path, "rb") as file:
        data = file.read()
    # Its stream reader does not look at the raw lengths, which Hadoop's goes by.
    at = 0
    while at < len(data):
        promised, size = (int.from_bytes(data[at + i : at + i + 4], "big") for i in (0, 4))
        assert len(snappy.uncompress(data[at + 8 : at + 8 + size])) == promised, f"block at {at}"
        at += 8 + size
    reader = snappy.HadoopStreamDecompressor()
    sys.stdout.buffer.write(reader.decompress(data))
    assert not reader.remains, "bytes are left behind the last block"
