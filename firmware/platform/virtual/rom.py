#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Turns the boot ROM of the virtual board into a C array, which hearth-board carries.

rom.py ELF OBJCOPY OUTPUT
"""
import subprocess
import sys
import tempfile


def main():
    elf, objcopy, output = sys.argv[1:]
    with tempfile.NamedTemporaryFile() as raw:
        subprocess.check_call([objcopy, "-O", "binary", "-j", ".text", "-j", ".rodata", elf, raw.name])
        rom = raw.read()
    with open(output, "w") as out:
        out.write("static const unsigned char vb_rom[] = {\n")
        for start in range(0, len(rom), 16):
            out.write("\t" + " ".join(f"0x{byte:02x}," for byte in rom[start:start + 16]) + "\n")
        out.write("};\n")


if __name__ == "__main__":
    main()
