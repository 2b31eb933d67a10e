#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Puts struct hbi_fw_header (include/hearth/hbi.h) before a raw firmware binary.

mkimage.py ELF OBJCOPY NM VERSION OUTPUT
"""
import struct
import subprocess
import sys
import tempfile
import zlib

MAGIC = 0x57464248
HEADER = struct.Struct("<IIIIQQQ32s184x")  # not signed: tools/hearth-sign does that
HBI_VERSION = 1 << 16


def main():
    elf, objcopy, nm, version, output = sys.argv[1:]
    symbols = {}
    for line in subprocess.check_output([nm, elf], text=True).splitlines():
        address, _, name = line.split()
        symbols[name] = int(address, 16)
    with tempfile.NamedTemporaryFile() as raw:
        subprocess.check_call([objcopy, "-O", "binary", elf, raw.name])
        image = raw.read()
    image += bytes(-len(image) % 64)
    start = symbols["fw_start"]
    memory = symbols["fw_memory_end"] - start
    if len(version.encode()) > 31:
        sys.exit(f"mkimage: version {version!r} is longer than 31 bytes")
    header = HEADER.pack(MAGIC, HEADER.size, HBI_VERSION, zlib.crc32(image), len(image), start,
                         max(memory, len(image)), version.encode())
    with open(output, "wb") as out:
        out.write(header + image)


if __name__ == "__main__":
    main()
