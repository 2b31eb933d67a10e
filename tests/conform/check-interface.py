#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares the text of the board interface with its C header, as TAP.

check-interface.py HEADER TEXT [CHECKS]

Every constant of hbi.h must be named in the text: in full, or, where the text says what a family is called
(HBI_REG_... and so on), by the rest of its name. Where a table or a list gives a number to such a name, it must be
the header's. Every structure must be named. Numbers of paragraphs must be unique and in order. CHECKS is the output
of `hearth-conform --list`: each paragraph or table row that a check cites must be there.
"""
import re
import sys

FAMILIES = ("REG", "CAP", "STATE", "BOOT", "ERROR", "ADMIN", "PACKET", "EVENT", "CONTROL", "QUEUE", "LIMIT", "DVSEC",
            "PTE", "FIRMWARE", "SECURITY", "FW", "DISPATCH")
# Not of the interface, but of the header: how it checks itself, and the ids of the board that tests use.
OWN = re.compile(r"HEARTH_HBI_H|HBI_CHECK_\w+|HBI_VIRTUAL_\w+|HBI_CAP_MASK")


def constants(header):
    """Name → value (None where it is not a plain number) of defines and enumerators."""
    header = re.sub(r"/\*.*?\*/", " ", header, flags=re.S)
    found = {}
    for name, value in re.findall(r"^#define\s+(\w+)(?:\([^)]*\))?[ \t]*(.*)$", header, flags=re.M):
        found[name] = value
    for body in re.findall(r"\benum\s+\w+\s*\{(.*?)\}", header, flags=re.S):
        for name, value in re.findall(r"(\w+)\s*=\s*([^,]+)", body):
            found[name] = value.strip()
    for name, value in found.items():
        plain = re.fullmatch(r"\(?\s*(0x[0-9a-fA-F]+|\d+)(?:u|ull)?\s*(?:<<\s*(\d+))?\s*\)?", value)
        found[name] = (int(plain.group(1), 0) << int(plain.group(2) or 0)) if plain else None
    return {name: value for name, value in found.items() if name.startswith("HBI_") and not OWN.fullmatch(name)}


def short_names(name):
    for family in FAMILIES:
        if name.startswith(f"HBI_{family}_"):
            yield family, name[len(f"HBI_{family}_"):]


def mentioned(name, text):
    if re.search(rf"\b{name}\b", text):
        return True
    return any(re.search(rf"(?<![A-Z0-9_]){short}(?![A-Z0-9_])", text) and f"HBI_{family}_" in text
               for family, short in short_names(name))


def sections(text):
    """Heading → lines."""
    lines = text.split("\n")
    result, name = {}, ""
    for line, under in zip(lines, lines[1:] + [""]):
        if line and re.fullmatch(r"([=~-])\1{2,}", under) and not line.startswith(("=", " ")):
            name = line.strip()
        result.setdefault(name, []).append(line)
    return result


def table_values(lines, unit):
    """Name → number of tables whose rows begin with a number and then, perhaps after a type, a name."""
    values = {}
    for line in lines:
        row = re.match(r"([0-9A-F]+)(h?)\s+(?:(?:RO|RW|WO)\d*\s+)?(?:``)?([A-Z][A-Z_0-9]+)\b", line)
        if row and bool(row.group(2)) == (unit == "h"):
            values[row.group(3)] = int(row.group(1), 16 if unit == "h" else 10)
    return values


# Section, family, how the number is written, how the header's value is to be seen.
TABLES = (("Registers", "REG", "h", None), ("Boot errors", "BOOT", "", None), ("Errors", "ERROR", "", None),
          ("Admin queue", "ADMIN", "", None), ("Packets", "PACKET", "", None), ("Events", "EVENT", "", None),
          ("Abilities", "CAP", "", "bit"))


class Tap:
    count = failed = 0

    def result(self, what, wrong):
        self.count += 1
        self.failed += bool(wrong)
        print(("not " if wrong else "") + f"ok {self.count} - {what}")
        for line in wrong:
            print(f"#   {line}")


def main():
    header = open(sys.argv[1], encoding="utf-8").read()
    text = open(sys.argv[2], encoding="utf-8").read()
    names, parts, tap = constants(header), sections(text), Tap()

    tap.result(f"the text names all {len(names)} constants of the header",
               [name for name in names if not mentioned(name, text)])

    structures = set(re.findall(r"^struct (hbi_\w+) \{", header, flags=re.M))
    # Packets and commands are rows of tables, named by their types.
    structures = {s for s in structures if not s.startswith(("hbi_packet_", "hbi_admin_"))}
    tap.result(f"and all {len(structures)} structures", sorted(s for s in structures if s not in text))

    for section, family, unit, view in TABLES:
        wrong = []
        values = table_values(parts.get(section, []), unit)
        for name, value in names.items():
            short = name[len(f"HBI_{family}_"):] if name.startswith(f"HBI_{family}_") else None
            if short is None or value is None or short in ("OK", "BLOCK_SIZE", "ARM", "SIZE"):
                continue
            expected = value.bit_length() - 1 if view == "bit" else value
            if values.get(short, expected) != expected:
                wrong.append(f"{name} is {expected}, the table says {values[short]}")
            elif short not in values and family != "REG":
                wrong.append(f"{name} is not in the table")
            elif short not in values:
                wrong.append(f"{name} has no row")
        tap.result(f"{section}: {len(values)} rows with the header's numbers", wrong)

    numbers, wrong = [], []
    last = {}
    for tag, number in re.findall(r"\*\*([A-Z]{3})-(\d+)\.\*\*", text):
        if int(number) != last.get(tag, 0) + 1:
            wrong.append(f"{tag}-{number} follows {tag}-{last.get(tag, 0)}")
        last[tag] = int(number)
        numbers.append(f"{tag}-{number}")
    tap.result(f"{len(numbers)} numbered paragraphs, in order", wrong if numbers else ["none"])

    if len(sys.argv) > 3:
        rows = {f"{tag}.{name}" for tag, section, unit in
                (("REG", "Registers", "h"), ("BOO", "Boot errors", ""), ("ERR", "Errors", ""), ("ADM", "Admin queue", ""),
                 ("PKT", "Packets", ""), ("EVT", "Events", ""), ("CAP", "Abilities", ""))
                for name in table_values(parts.get(section, []), unit)}
        wrong, cited = [], 0
        for line in open(sys.argv[3], encoding="utf-8"):
            check, _, places = line.rstrip("\n").partition("\t")
            for place in places.split("\t")[0].split():
                cited += 1
                if place not in numbers and place not in rows:
                    wrong.append(f"{check} cites {place}, which is not there")
        tap.result(f"{cited} citations of the conformance checks", wrong if cited else ["no check cites anything"])

    print(f"1..{tap.count}")
    return tap.failed != 0


if __name__ == "__main__":
    sys.exit(main())
