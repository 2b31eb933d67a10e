#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""hearth-conform against the virtual board, as TAP.

run.py good CONFORM BOARD FIRMWARE [BOARD-OPTION...]    passes on what the tool says of a board that is right
run.py locked CONFORM BOARD FIRMWARE PUBLIC-KEY         likewise, what there is to say of a board with an owner
run.py broken CONFORM BOARD FIRMWARE                    each way to go wrong must make a check fail that names it
run.py tool CONFORM BOARD FIRMWARE                      options, exit status, JSON
"""
import json
import os
import signal
import subprocess
import sys
import tempfile

# Misbehaviour of the board; what to run; the checks that must fail, and nothing else may of those that ran before.
BROKEN = (
    ("hang:0", "queue-around", {"queue-around"}),
    ("garbage:1", "idle-ignores,reset", {"idle-ignores"}),
    ("allones:1", "idle-ignores", {"idle-ignores"}),
    ("vanish:1", "idle-ignores,image-address", {"idle-ignores", "image-address"}),
    ("completion", "admin-nop", {"admin-nop"}),
    ("interrupt", "admin-interrupt,arm-at-once", {"admin-interrupt", "arm-at-once"}),
    ("dma", "packet-copy,admin-identify", {"packet-copy"}),
    ("corrupt", "packet-copy,packet-signal", {"packet-copy"}),
    ("status", "admin-queue-life,admin-nop", {"admin-queue-life"}),
    ("generation", "reset,boot", {"reset"}),
)
# Slow is not wrong, as long as it keeps the times that the board tells.
SLOW = "boot,admin-nop,packet-signal"


class Board:
    def __init__(self, program, options):
        self.folder = tempfile.TemporaryDirectory(prefix="hearth-conform-")
        self.socket = os.path.join(self.folder.name, "board")
        self.process = subprocess.Popen([program, "--socket", self.socket, "--dram", "64M", *options])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=60)
        self.folder.cleanup()


def conform(tool, board, firmware, *options):
    return subprocess.run([tool, "--firmware", firmware, "--socket", board.socket, *options], text=True,
                          capture_output=True, timeout=500, check=False)


class Tap:
    count = failed = 0

    def ok(self, good, what, detail=""):
        self.count += 1
        self.failed += not good
        print(("" if good else "not ") + f"ok {self.count} - {what}")
        if not good:
            print("".join(f"# {line}\n" for line in str(detail).splitlines()), end="", flush=True)

    def end(self):
        print(f"1..{self.count}")
        return self.failed != 0


def good(tool, program, firmware, *options):
    with Board(program, options) as board:
        return subprocess.run([tool, "--firmware", firmware, "--socket", board.socket, "--tap"], check=False).returncode


def locked(tool, program, firmware, key):
    with Board(program, ["--owner-key", key]) as board:
        return subprocess.run([tool, "--firmware", firmware, "--socket", board.socket, "--tap", "--only",
                               "reg-security,image-*,rescue,boot,admin-firmware-info"], check=False).returncode


def broken(tool, program, firmware):
    tap = Tap()
    for how, only, expected in BROKEN:
        with Board(program, ["--misbehave", how]) as board:
            run = conform(tool, board, firmware, "--json", "--patience", "3", "--only", only)
        try:
            results = {check["name"]: check["result"] for check in json.loads(run.stdout)["checks"]}
        except (json.JSONDecodeError, KeyError):
            results = {}
        failed = {name for name, result in results.items() if result == "failed"}
        # After a board has gone mad, what else fails is up to chance; what must fail is not.
        wild = how.split(":")[0] in ("garbage", "allones", "hang")
        right = run.returncode == 1 and (failed >= expected if wild else failed == expected)
        tap.ok(right, f"{how}: {', '.join(sorted(expected))}", run.stdout + run.stderr)
    with Board(program, ["--misbehave", "slow"]) as board:
        run = conform(tool, board, firmware, "--only", SLOW)
    tap.ok(run.returncode == 0, "slow: nothing fails", run.stdout + run.stderr)
    return tap.end()


def tool_itself(tool, program, firmware):
    tap = Tap()

    def status(*options):
        return subprocess.run([tool, *options], capture_output=True, text=True, check=False)

    checks = status("--list").stdout.splitlines()
    tap.ok(len(checks) > 100 and all(len(line.split("\t")) == 3 for line in checks), "--list", checks)
    tap.ok(len({line.split("\t")[0] for line in checks}) == len(checks), "names of checks are unique", checks)
    tap.ok(status("--help").returncode == 0, "--help")
    tap.ok(status().returncode == 2, "no options: usage")
    tap.ok(status("--firmware", firmware).returncode == 2, "no board: usage")
    tap.ok(status("--firmware", "/dev/null", "--socket", "/x").returncode == 2, "no firmware")
    tap.ok(status("--firmware", firmware, "--pci", "0000:ff:1f.7").returncode == 3, "no such PCI function")
    tap.ok(status("--firmware", firmware, "--pci", "../../x").returncode == 3, "no such PCI address")
    with Board(program, ["--misbehave", "garbage"]) as board:
        tap.ok(conform(tool, board, firmware).returncode == 3, "no board interface: status 3")
    with Board(program, []) as board:
        run = conform(tool, board, firmware, "--json", "--only", "reg-*,image-owner", "--skip", "reg-u*")
        result = json.loads(run.stdout)
    names = [check["name"] for check in result["checks"]]
    tap.ok(run.returncode == 0 and result["failed"] == 0 and result["left_out"] == 1, "--json", run.stdout)
    tap.ok("reg-magic" in names and "reg-uuid" not in names and "admin-nop" not in names, "--only and --skip", names)
    tap.ok(result["schema"] == "hearth-conform/1" and all(check["cites"] for check in result["checks"]),
           "every check cites something", run.stdout)
    with Board(program, []) as board:
        tap.ok(conform(tool, board, firmware, "--only", "nothing-of-this-name").returncode == 2, "no check of a name")
    return tap.end()


if __name__ == "__main__":
    sys.exit({"good": good, "locked": locked, "broken": broken, "tool": tool_itself}[sys.argv[1]](*sys.argv[2:]))
