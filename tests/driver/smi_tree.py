#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""hearth-smi on made-up trees of sysfs, as TAP: what it tells, in each format, and how it ends.

smi_tree.py HEARTH-SMI HEARTH-SIGN OWNER-KEY IMAGE

The last three are "-" where the build signs nothing."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import tempfile

TOPOLOGY = {"pci": str, "uuid": str, "numa_node": int, "iommu_group": str, "link_width": int, "max_link_width": int,
            "link_speed": str, "max_link_speed": str, "path": str, "peers": str}
HEALTH = {"pci": str, "uuid": str, "health": str, "state": str, "resets": int, "faults": int, "temperature_mc": int,
          "firmware_version": str, "firmware_image": str, "reasons": str}
WATCH = {"time_ms": int, "pci": str, "uuid": str, "state": str, "busy_percent": float, "dispatches": int,
         "temperature_c": float, "power_w": float, "faults": int, "resets": int}
POWER = {"pci": str, "uuid": str, "power_uw": int, "limit_uw": int, "min_uw": int, "max_uw": int, "default_uw": int,
         "clock_hz": int}
FIRMWARE = {"pci": str, "uuid": str, "version": str, "image": str, "own_version": str, "own_rollback": int,
            "own_signed": str}
results = []


def ok(good, what, more=""):
    results.append(bool(good))
    print(f"{'ok' if good else 'not ok'} {len(results)} - {what}")
    if not good:
        print("\n".join("# " + line for line in str(more).splitlines()))


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text + "\n")


def make_board(root, place, number, state="live", sensors=True, width=8):
    pci = place.rsplit("/", 1)[-1]
    folder = f"{root}/devices/{place}"
    uuid = f"00000000-0000-4000-8000-{number:012x}"
    for name, text in {"uuid": uuid, "name": "A, \"board\"", "state": state, "workers": "4", "resets": "2",
                       "faults": "3", "firmware_version": "1.2.3", "firmware_image": "common",
                       "time_ns": "1000000000", "busy_ns": "500000000", "dispatches": "7"}.items():
        write(f"{folder}/hearth/{name}", text)
    if sensors:
        for name, text in {"temp1_input": "45600", "temp1_label": "board (model)", "power1_average": "12300000",
                           "energy1_input": "99", "power1_cap": "25000000", "power1_cap_min": "9000000",
                           "power1_cap_max": "30000000", "power1_cap_default": "30000000",
                           "freq1_input": "800000000"}.items():
            write(f"{folder}/hwmon/hwmon{number}/{name}", text)
    for name, text in {"numa_node": str(number - 2), "current_link_width": str(width), "max_link_width": "8",
                       "current_link_speed": "16.0 GT/s PCIe", "max_link_speed": "32.0 GT/s PCIe"}.items():
        write(f"{folder}/{name}", text)
    os.makedirs(f"{root}/kernel/iommu_groups/{10 + number}", exist_ok=True)
    os.symlink(f"{root}/kernel/iommu_groups/{10 + number}", f"{folder}/iommu_group")
    os.makedirs(f"{root}/bus/pci/devices", exist_ok=True)
    os.symlink(f"../../../devices/{place}", f"{root}/bus/pci/devices/{pci}")
    return folder


def run(tool, root, *arguments):
    return subprocess.run([tool, "--sysfs", root, *arguments], capture_output=True, text=True, check=False,
                          timeout=60)


def has_types(rows, types):
    """Each row has just these members, each of its type or null."""
    return all(list(row) == list(types) and all(value is None or isinstance(value, types[name])
                                                for name, value in row.items()) for row in rows)


def both(tool, root, command, types, boards, status):
    """JSON and CSV of a command tell the same of so many boards."""
    done = run(tool, root, *command, "--json")
    what = " ".join(command)
    try:
        told = json.loads(done.stdout)
    except json.JSONDecodeError as error:
        ok(False, f"{what}: JSON", f"{error}\n{done.stdout}")
        return []
    ok(done.returncode == status, f"{what}: exit status {status}", done.returncode)
    ok(told["schema"] == "hearth-smi/1" and len(told["boards"]) == boards and has_types(told["boards"], types),
       f"{what}: members and types of JSON", done.stdout)
    rows = list(csv.reader(io.StringIO(run(tool, root, *command, "--csv").stdout, newline=""), strict=True))
    expected = [["" if value is None else str(value) for value in row.values()] for row in told["boards"]]
    ok(rows[1:] == expected and (not rows or rows[0] == list(types)), f"{what}: CSV says the same", rows)
    text = run(tool, root, *command)
    ok(text.returncode == status and all(row["pci"] in text.stdout for row in told["boards"]), f"{what}: as text",
       text.stdout)
    return told["boards"]


def good_tree(tool, root):
    make_board(root, "pci0000:00/0000:00:01.0/0000:01:00.0/0000:02:00.0/0000:03:00.0", 2)
    make_board(root, "pci0000:00/0000:00:01.0/0000:01:00.0/0000:02:01.0/0000:04:00.0", 3)
    make_board(root, "pci0000:00/0000:00:02.0/0000:05:00.0", 4)
    make_board(root, "pci0000:80/0000:80:01.0/0000:81:00.0", 1, sensors=False)
    write(f"{root}/devices/pci0000:00/0000:06:00.0/class", "0x120000")
    os.symlink("../../../devices/pci0000:00/0000:06:00.0", f"{root}/bus/pci/devices/0000:06:00.0")
    boards = {board["pci"]: board for board in both(tool, root, ["topology"], TOPOLOGY, 4, 0)}
    ok(list(boards) == sorted(boards), "topology: in order of addresses", list(boards))
    ok(boards["0000:03:00.0"]["peers"] == "0000:04:00.0=switch 0000:05:00.0=root 0000:81:00.0=system",
       "topology: peers", boards["0000:03:00.0"]["peers"])
    ok(boards["0000:81:00.0"]["numa_node"] is None and boards["0000:04:00.0"]["numa_node"] == 1, "topology: nodes")
    ok(boards["0000:03:00.0"]["iommu_group"] == "12" and boards["0000:03:00.0"]["link_speed"] == "16.0 GT/s PCIe",
       "topology: group and link")
    healthy = both(tool, root, ["health"], HEALTH, 4, 0)
    ok(all(board["health"] == "good" and not board["reasons"] for board in healthy), "health: good", healthy)
    ok(healthy[3]["temperature_mc"] is None and healthy[0]["temperature_mc"] == 45600, "health: temperature")


def sick_tree(tool, root):
    make_board(root, "pci0000:00/0000:00:01.0/0000:01:00.0", 1, width=4)
    (board,) = both(tool, root, ["health"], HEALTH, 1, 1)
    ok(board["health"] == "warning" and "narrower" in board["reasons"], "health: a narrow link", board)
    folder = make_board(root, "pci0000:00/0000:00:02.0/0000:02:00.0", 2)
    os.makedirs(f"{root}/class/devcoredump/devcd1")
    os.symlink(folder, f"{root}/class/devcoredump/devcd1/failing_device")
    boards = both(tool, root, ["health"], HEALTH, 2, 1)
    ok("core dump" in boards[1]["reasons"] and "core dump" not in boards[0]["reasons"], "health: a core dump", boards)
    make_board(root, "pci0000:00/0000:00:03.0/0000:03:00.0", 3, state="failed")
    boards = both(tool, root, ["health"], HEALTH, 3, 5)
    ok(boards[2]["health"] == "failed" and boards[2]["reasons"] == "the board is failed", "health: a failed board",
       boards)


def watch(tool, root):
    folder = make_board(root, "pci0000:00/0000:00:01.0/0000:01:00.0", 1)
    with subprocess.Popen([tool, "--sysfs", root, "watch", "--json", "--interval", "0.2"], stdout=subprocess.PIPE,
                          text=True) as process:
        rows = [json.loads(process.stdout.readline())]
        write(f"{folder}/hearth/busy_ns.new", "1500000000")
        write(f"{folder}/hearth/time_ns", "1500000000")
        os.rename(f"{folder}/hearth/busy_ns.new", f"{folder}/hearth/busy_ns")
        while len(rows) < 20 and rows[-1]["busy_percent"] in (None, 0.0):
            rows.append(json.loads(process.stdout.readline()))
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        ok(process.wait(timeout=30) == 0, "watch: an interrupt ends it, status 0")
    ok(has_types(rows, WATCH), "watch: members and types of JSON lines", rows)
    ok(rows[0]["busy_percent"] is None and rows[-1]["busy_percent"] == 50.0, "watch: how busy between two looks", rows)
    ok(rows[0]["temperature_c"] == 45.6 and rows[0]["power_w"] == 12.3, "watch: sensors", rows[0])
    done = run(tool, root, "watch", "--csv", "--count", "3", "--interval", "0.05")
    table = list(csv.reader(io.StringIO(done.stdout, newline=""), strict=True))
    ok(done.returncode == 0 and len(table) == 4 and table[0] == list(WATCH), "watch: CSV, so many times", table)
    done = run(tool, root, "watch", "--count", "2", "--interval", "0.05")
    ok(done.returncode == 0 and done.stdout.count("busy_percent") == 1 and done.stdout.count("live") == 2,
       "watch: as text", done.stdout)
    with subprocess.Popen([tool, "--sysfs", root, "watch", "--interval", "0.05"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        process.stdout.close()
        ok(process.wait(timeout=30) == 0 and not process.stderr.read(), "watch: a reader that goes away is no failure")


def firmware(tool, root, sign, key, image):
    folder = make_board(root, "pci0000:00/0000:00:01.0/0000:01:00.0", 1)
    place, public, signed, other = (f"{root}/{name}" for name in ("firmware", "owner.pub", "signed.bin", "other.pem"))
    os.makedirs(place)
    own = f"{place}/hearth/00000000-0000-4000-8000-000000000001.bin"
    with open(public, "w", encoding="utf-8") as file:
        subprocess.run([sign, "public", key], stdout=file, check=True)
    subprocess.run([sign, "sign", "--key", key, "--rollback", "9", image, signed], check=True)
    options = ["--firmware-folder", place]
    (row,) = both(tool, root, ["firmware", *options], FIRMWARE, 1, 0)
    ok(row["image"] == "common" and not row["own_version"] and row["own_rollback"] is None, "firmware: none installed")

    def update(*arguments):
        return run(tool, root, "firmware", "update", *arguments, *options)

    write(f"{folder}/hearth/reset", "")
    write(f"{folder}/hearth/firmware_image", "own")
    done = update("0000:01:00.0", signed, "--key", public)
    ok(done.returncode == 0 and os.path.getsize(own) == os.path.getsize(signed), "firmware: an update", done.stderr)
    ok(open(f"{folder}/hearth/reset", encoding="utf-8").read().startswith("1"), "firmware: the board was reset")
    (row,) = both(tool, root, ["firmware", "info", *options], FIRMWARE, 1, 0)
    ok(row["own_rollback"] == 9 and row["own_signed"] == "yes", "firmware: what is installed", row)
    # The board does not take the next one: the one before is there again.
    before = open(own, "rb").read()
    write(f"{folder}/hearth/firmware_image", "common")
    done = update("00000000-0000-4000-8000-000000000001", image)
    ok(done.returncode == 5 and open(own, "rb").read() == before, "firmware: back to the one before", done.stderr)
    os.unlink(own)
    done = update("0000:01:00.0", image)
    ok(done.returncode == 5 and not os.path.exists(own), "firmware: or to none", done.stderr)
    subprocess.run([sign, "keygen", other], check=True)
    subprocess.run([sign, "sign", "--key", other, image, signed], check=True)
    done = update("0000:01:00.0", signed, "--key", public)
    ok(done.returncode == 1 and "another key" in done.stderr, "firmware: signed by somebody else", done.stderr)
    data = bytearray(open(image, "rb").read())
    data[-1] ^= 1
    with open(signed, "wb") as file:
        file.write(data)
    done = update("0000:01:00.0", signed)
    ok(done.returncode == 1 and "checksum" in done.stderr, "firmware: a damaged image", done.stderr)
    ok(update("0000:01:00.0", "/dev/null").returncode == 1, "firmware: no image")
    ok(update("0000:99:00.0", image).returncode == 3, "firmware: no such board")
    ok(sorted(os.listdir(f"{place}/hearth")) in ([], [os.path.basename(own) + ".old"]), "firmware: nothing is left over",
       os.listdir(f"{place}/hearth"))


def power(tool, root):
    folder = make_board(root, "pci0000:00/0000:00:01.0/0000:01:00.0", 1)
    make_board(root, "pci0000:00/0000:00:02.0/0000:02:00.0", 2, sensors=False)
    boards = both(tool, root, ["power"], POWER, 2, 0)
    ok(list(boards[0].values())[2:] == [12300000, 25000000, 9000000, 30000000, 30000000, 800000000] and
       not any(list(boards[1].values())[2:]), "power: sensors and limits", boards)
    both(tool, root, ["power", "info"], POWER, 2, 0)
    cap = f"{folder}/hwmon/hwmon1/power1_cap"

    def limit(text):
        done = run(tool, root, "power", "set", "0000:01:00.0", text)
        # The file keeps what was there behind what is written.
        return done.returncode, open(cap, encoding="utf-8").read().split("\n")[0], done.stdout

    ok(limit("12.5") == (0, "12500000", "0000:01:00.0 has a power limit of 12.500 W\n"), "power: set in watts", limit("12.5"))
    write(cap, "9")
    ok(limit("default")[:2] == (0, "0"), "power: the board's own", limit("default"))
    done = run(tool, root, "power", "set", "0000:02:00.0", "10")
    ok(done.returncode == 1 and "no power limit" in done.stderr, "power: a board without", done.stderr)
    ok(run(tool, root, "power", "set", "0000:03:00.0", "10").returncode == 3, "power: no such board")
    os.unlink(cap)
    os.symlink("/dev/full", cap)
    done = run(tool, root, "power", "set", "0000:01:00.0", "10")
    ok(done.returncode in (1, 5) and done.stderr, "power: a write that fails", done.stderr)


def resets(tool, root):
    folder = make_board(root, "pci0000:00/0000:00:01.0/0000:01:00.0", 1)
    write(f"{folder}/hearth/reset", "")
    ok(run(tool, root, "reset", "0000:01:00.0").returncode == 0, "reset: by address")
    ok(open(f"{folder}/hearth/reset", encoding="utf-8").read().startswith("1"), "reset: the attribute was written")
    ok(run(tool, root, "reset", "0000:02:00.0").returncode == 3, "reset: no such board")
    os.unlink(f"{folder}/hearth/reset")
    done = run(tool, root, "reset", "0000:01:00.0")
    ok(done.returncode == 5 and "bound again" in done.stderr, "reset: an older driver; says what it does", done.stderr)


def main():
    tool, sign, key, image = sys.argv[1:]
    tests = [good_tree, sick_tree, watch, power, resets]
    for test in tests:
        with tempfile.TemporaryDirectory(prefix="hearth-smi-") as root:
            test(tool, os.path.realpath(root))
    if sign != "-":
        with tempfile.TemporaryDirectory(prefix="hearth-smi-") as root:
            firmware(tool, os.path.realpath(root), sign, key, image)
    with tempfile.TemporaryDirectory(prefix="hearth-smi-") as root:
        for command in (["topology"], ["health"], ["watch"], ["power"]):
            ok(run(tool, root, *command).returncode == 3, f"{command[0]}: status 3 without boards")
        for wrong in (["watch", "--interval", "0"], ["watch", "--interval", "x"], ["watch", "--count", "-1"], ["reset"],
                      ["power", "set"], ["power", "nonsense"], ["power", "set", "x", "-1"], ["power", "set", "x", "1W"],
                      ["power", "set", "x", "1", "--json"], ["firmware", "update"], ["firmware", "nonsense"], ["list", "--interval", "1"],
                      ["health", "--json", "--csv"], ["health", "more"], ["cdi", "--csv"], ["--key", "x"]):
            ok(run(tool, root, *wrong).returncode == 2, f"usage: {' '.join(wrong)}")
    print(f"1..{len(results)}")
    return not all(results)


if __name__ == "__main__":
    sys.exit(main())
