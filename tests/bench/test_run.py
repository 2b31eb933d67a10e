#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_run.py HEARTH-BENCH SCHEMA: a short run on the device named in HEARTH_BENCH_TEST_NAME, as TAP.

The result file is held against the schema of the documentation, the report is read as XML, two results are
compared, and wrong usage and broken files get their exit codes. No time is looked at.
"""
import json
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

program, schema_path = sys.argv[1:3]
device = os.environ["HEARTH_BENCH_TEST_NAME"]
count = failed = 0


def result(good, text, detail=""):
    global count, failed
    count += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {count} - {text}")
    if not good:
        print("".join(f"#   {line}\n" for line in str(detail).splitlines()[-30:]), end="", flush=True)


def run(*arguments):
    return subprocess.run([program, *arguments], capture_output=True, text=True)


KINDS = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None), "number": (int, float)}


def is_kind(value, kind):
    return isinstance(value, KINDS[kind]) and (kind != "number" or not isinstance(value, bool))


def violations(value, schema, root, place="$"):
    """The keywords of JSON Schema that the schema uses; another one is an error of the schema."""
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    unknown = set(schema) - {"type", "properties", "required", "additionalProperties", "items", "enum", "const",
                             "pattern", "minimum", "minItems", "description", "title", "$schema", "$id", "$defs"}
    if unknown:
        yield f"{place}: this test does not know {unknown}"
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(is_kind(value, kind) for kind in kinds):
        yield f"{place}: {value!r} is no {kinds}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{place}: {value!r} is none of {schema['enum']}"
    if "const" in schema and value != schema["const"]:
        yield f"{place}: {value!r} is not {schema['const']!r}"
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{place}: {value!r} is not like {schema['pattern']}"
    if is_kind(value, "number") and value < schema.get("minimum", value):
        yield f"{place}: {value} is less than {schema['minimum']}"
    if isinstance(value, list):
        if len(value) < schema.get("minItems", 0):
            yield f"{place}: only {len(value)} items"
        for i, item in enumerate(value):
            yield from violations(item, schema.get("items", {}), root, f"{place}[{i}]")
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        for key in schema.get("required", []):
            if key not in value:
                yield f"{place}: {key} is missing"
        for key, item in value.items():
            if key in properties:
                yield from violations(item, properties[key], root, f"{place}.{key}")
            elif schema.get("additionalProperties", True) is False:
                yield f"{place}: {key} is not in the schema"


def check_result(path, schema):
    with open(path, encoding="utf-8") as file:
        data = json.load(file)
    found = list(violations(data, schema, schema))
    result(not found, "the result file keeps the schema", "\n".join(found))
    broken = json.loads(json.dumps(data))
    broken["devices"][0]["cases"][0]["status"] = "perhaps"
    del broken["system"]
    result(len(list(violations(broken, schema, schema))) == 2, "the schema refuses what is wrong")
    devices = data["devices"]
    result(len(devices) == 1 and device in devices[0]["name"], f"{device} was measured, and nothing else",
           [d["name"] for d in devices])
    results = devices[0]["peaks"] + devices[0]["cases"]
    bad = [r for r in results if r["status"] not in ("ok", "skipped")]
    result(not bad, "nothing was wrong or failed", json.dumps(bad, indent=1))
    ops = {(c["op"], c["type"], c["phase"]) for c in devices[0]["cases"] if c["status"] == "ok"}
    expected = {("gemm", t, p) for t in ("F32", "F16", "Q8_0", "Q4_0") for p in ("prefill", "decode")}
    expected |= {("attention", t, p) for t in ("F32", "F16") for p in ("prefill", "decode")}
    result(ops == expected, "every operation, type and phase was measured", expected ^ ops)
    result(all(c["check"]["pass"] and c["check"]["samples"] > 0 for c in devices[0]["cases"] if c["status"] == "ok"),
           "every case was compared with float64")
    total = sum(data["summary"][k] for k in ("ok", "wrong", "failed", "skipped"))
    result(total == len(results), "the summary counts all results", data["summary"])
    result(len({c["id"] for c in devices[0]["cases"]}) == len(devices[0]["cases"]), "no two cases have one id")


def check_report(path):
    try:
        tree = xml.etree.ElementTree.parse(path)
    except xml.etree.ElementTree.ParseError as error:
        result(False, "the report is well-formed", error)
        return
    result(True, "the report is well-formed")
    elements = list(tree.iter())
    names = {e.tag.split("}")[-1] for e in elements}
    result({"svg", "rect", "table"} <= names, "it has tables and bars", names)
    links = [e for e in elements if {"src", "href", "data"} & set(e.attrib)]
    text = open(path, encoding="utf-8").read()
    outside = re.findall(r"url\(|@import|https?://(?!www\.w3\.org/1999/xhtml)", text)
    result(not links and not outside and not names & {"script", "link", "img", "iframe"},
           "it needs nothing from elsewhere, and no script", (links, outside, names))


def check_usage(folder):
    for arguments, code, part in [
            (["--no-such-option"], 2, "unrecognized"),
            (["--rounds", "0"], 2, "expected a number"),
            (["--device", "no such device"], 2, "no such device"),
            (["--model", "no such model"], 2, "no model"),
            (["--compare", "one"], 2, "two files"),
            (["--compare", "/nonexistent/a", "/nonexistent/b"], 1, "No such file"),
            (["--from", f"{folder}/broken", "--html", "-"], 1, "expected"),
            (["--from", f"{folder}/other", "--html", "-"], 1, "schema"),
            (["--quick", "--device", device, "--json", "/nonexistent/x"], 1, "No such file")]:
        done = run(*arguments)
        result(done.returncode == code and part in done.stderr, f"{' '.join(arguments[:2])}: status {code}",
               f"status {done.returncode}: {done.stderr}")


with tempfile.TemporaryDirectory() as folder, open(schema_path, encoding="utf-8") as file:
    schema = json.load(file)
    listed = run("--list")
    result(listed.returncode == 0 and device in listed.stdout, "--list names the device",
           listed.stdout + listed.stderr)
    done = run("--quick", "--device", device, "--json", f"{folder}/a", "--html", f"{folder}/a.html")
    result(done.returncode == 0, "a run ends well", done.stdout + done.stderr)
    if done.returncode in (0, 1):
        check_result(f"{folder}/a", schema)
        check_report(f"{folder}/a.html")
        again = run("--from", f"{folder}/a", "--html", f"{folder}/b.html")
        result(again.returncode == 0 and open(f"{folder}/a.html").read() == open(f"{folder}/b.html").read(),
               "the file gives the same report again", again.stderr)
        same = run("--compare", f"{folder}/a", f"{folder}/a")
        means = re.findall(r"geometric mean of \d+ \w+: ([\d.]+)", same.stdout)
        result(same.returncode == 0 and means == ["1.000", "1.000"], "a result is as fast as itself",
               same.stdout + same.stderr)
        twice = json.load(open(f"{folder}/a", encoding="utf-8"))
        for case in twice["devices"][0]["cases"]:
            case["rate"] = case["rate"] and 2 * case["rate"]
        json.dump(twice, open(f"{folder}/twice", "w", encoding="utf-8"))
        means = re.findall(r"geometric mean of \d+ \w+: ([\d.]+)",
                           run("--compare", f"{folder}/a", f"{folder}/twice").stdout)
        result(means == ["1.000", "2.000"], "twice the rates are twice as fast", means)
    # Buffers as large as in earnest: devices have limits that small ones do not meet.
    done = run("--peaks", "--seconds", "0", "--device", device, "--json", f"{folder}/peaks")
    result(done.returncode == 0, "the peaks in full size", done.stdout + done.stderr)
    if done.returncode == 0:
        peaks = json.load(open(f"{folder}/peaks", encoding="utf-8"))["devices"][0]["peaks"]
        result(all(p["value"] > 0 for p in peaks if p["status"] == "ok") and len(peaks) == 10,
               "each peak has a value", peaks)
    open(f"{folder}/broken", "w").write("{")
    open(f"{folder}/other", "w").write("{\"schema\": \"other\"}")
    check_usage(folder)
print(f"1..{count}")
sys.exit(failed != 0)
