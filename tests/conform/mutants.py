#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Does hearth-conform see what it is for? Builds the firmware with one mistake after the other and runs the check that
must notice it, as TAP.

mutants.py CONFORM BOARD FIRMWARE-FOLDER MKIMAGE OBJCOPY NM CC FLAG...

In the flags, the words @OUTPUT@ and @INPUT@ stand for the program and for its sources.
"""
import glob
import os
import shutil
import subprocess
import sys
import tempfile

from run import Board, Tap, conform

# The check; the file; what it says; what it says by mistake.
MUTANTS = (
    ("page-supervisor", "fw_context.c", "!(pte & HBI_PTE_U) || !(pte & HBI_PTE_A)", "!(pte & HBI_PTE_A)"),
    ("page-accessed", "fw_context.c", "!(pte & HBI_PTE_U) || !(pte & HBI_PTE_A)", "!(pte & HBI_PTE_U)"),
    ("page-dirty", "fw_context.c", "pte & HBI_PTE_W && pte & HBI_PTE_D", "pte & HBI_PTE_W"),
    ("page-read-only", "fw_context.c", "return pte & HBI_PTE_W && pte & HBI_PTE_D", "return true"),
    ("page-reserved", "fw_context.c", " || pte & PTE_RESERVED", ""),
    ("page-write-execute", "fw_context.c", "if (pte & HBI_PTE_W && !(pte & HBI_PTE_R))", "if (0)"),
    ("page-firmware", "fw_context.c", "\t\telse\n\t\t\treturn false;\n\t\treturn true;", "\t\treturn true;"),
    ("table-outside", "fw_context.c", "if (!in_aperture(table, FW_PAGE_BYTES))", "if (0)"),
    ("table-flags", "fw_context.c", "if (pte & (HBI_PTE_U | HBI_PTE_A | HBI_PTE_D))", "if (0)"),
    ("superpage", "fw_context.c", " || base & (((u64)1 << shift) - 1)", ""),
    ("invalidate", "fw_admin.c", "\tfw_hart_synchronize();\n\treturn HBI_OK;", "\treturn HBI_OK;"),
    ("admin-reserved", "fw_admin.c", "if (command->header.reserved)", "if (0)"),
    ("admin-log", "fw_log.c", "log->count++;", "log->count += !log->count;"),
    ("admin-log", "fw_queue.c", "fw_log(HBI_LOG_WARNING,", "if (0) fw_log(HBI_LOG_WARNING,"),
    ("admin-log-boots", "fw_log.c", "entry->boot = fw_board.firmware.boots;", "entry->boot = 0;"),
    ("admin-contexts", "fw_context.c", "if (contexts[context].live)\n\t\treturn HBI_ERROR_EXISTS;", ""),
    ("admin-queues", "fw_context.c", "if (contexts[context].queues)", "if (0)"),
    ("dispatch-registers", "fw_worker.c", "memset(hart->regs, 0, sizeof(hart->regs));", ""),
    ("dispatch-vectors", "fw_worker.c", "\tfw_user_clear();\n", ""),
    ("dispatch-timeout", "fw_worker.c", "if (fw_time() >= fw_worker_deadline())", "if (0)"),
    ("dispatch-grid", "fw_worker.c", "fw_min(chunk, groups - first)", "chunk"),
    ("sync-code", "fw_packet.c", "__atomic_fetch_or((u64 *)at, 0, __ATOMIC_RELAXED)", "(void)0"),
    ("packet-wait", "fw_packet.c", "queue->wait_epoch == fw_wait_epoch && fw_time() < queue->wait_time",
     "queue->wait_epoch == fw_wait_epoch"),
    ("packet-indirect-refused", "fw_queue.c", "if (queue->in_indirect)\n\t\treturn HBI_ERROR_NESTING;", ""),
    ("packet-reserved", "fw_packet.c", "packet->header.reserved0 || packet->header.reserved1", "false"),
    ("tail-ahead", "fw_queue.c", " || tail - queue->fetched > (u64)1 << queue->ring_log2", ""),
    ("error-cancels", "fw_queue.c", "other->context == queue->context", "false"),
    ("packet-unknown", "fw_queue.c",
     "fw_event_queue_error(queue->id, queue->context, error, address, pc, queue->head, hart);", ""),
    ("dispatch-gives-way", "fw_sched.c", "\t\t\tfw_worker_yield();", "\t\t\t(void)0;"),
    ("dispatch-gives-way", "fw_worker.c", "queue->next_group = job.next;", "queue->next_group = 0;"),
    ("dispatch-priority", "fw_sched.c", "return ticks >> 2 * priority;", "return ticks;"),
    ("power-limit", "fw_power.c", "if (limit_mw < lowest() || limit_mw > fw_board.busy_mw)", "if (0)"),
    ("power-limit-kept", "fw_sched.c", "if (!fw_power_allows(false))", "if (0)"),
    ("fair-contexts", "fw_sched.c", "if (used >= quantum) {", "if (used >= 100000 * quantum) {"),
)


def build(folder, mkimage, objcopy, nm, compiler, flags):
    elf, image = os.path.join(folder, "mutant.elf"), os.path.join(folder, "mutant.bin")
    sources = ["start.S", "platform/virtual/platform.c", *sorted(glob.glob("fw_*.c", root_dir=folder))]
    command = [compiler]
    for flag in flags:
        command += [elf] if flag == "@OUTPUT@" else sources if flag == "@INPUT@" else [flag]
    subprocess.run(command, cwd=folder, check=True)
    subprocess.run([mkimage, elf, objcopy, nm, "mutant", image], check=True)
    return image


def main():
    tool, program, source, mkimage, objcopy, nm, compiler, *flags = sys.argv[1:]
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="hearth-mutants-") as work:
        folder = os.path.join(work, "firmware")
        shutil.copytree(source, folder)
        for check, name, right, wrong in MUTANTS:
            path = os.path.join(folder, name)
            with open(path, encoding="utf-8") as file:
                text = file.read()
            if right not in text:
                tap.ok(False, f"{check}: {name}", f"the text is not there: {right}")
                continue
            with open(path, "w", encoding="utf-8") as file:
                file.write(text.replace(right, wrong, 1))
            image = build(folder, mkimage, objcopy, nm, compiler, flags)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            with Board(program, []) as board:
                run = conform(tool, board, image, "--patience", "4", "--only", check)
            tap.ok(run.returncode == 1, f"{check} notices {name} with: {wrong.strip() or 'nothing'}",
                   f"instead of: {right}\n{run.stdout}{run.stderr}")
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
