/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Texts about a board for people who look for what went wrong: in debugfs as it is now, in a core
 * dump as it was. None of them tells what is in a buffer. Unless said otherwise they are called
 * inside a hearth_device_lock() section.
 */
#ifndef HEARTH_SHOW_H
#define HEARTH_SHOW_H

#include <linux/types.h>

struct drm_printer;
struct hbi_event;
struct hearth_device;
struct hearth_vm;

/** struct hearth_queue_info - a queue as it was at one moment */
struct hearth_queue_info {
	/** @context: the board's id of its address space */
	u32 context;
	/** @pid: of the process that made it */
	u32 pid;
	/** @ring_log2: log2 of the packets of its ring */
	u32 ring_log2;
	/** @priority: 0 to 3 */
	u32 priority;
	/** @timeout_ms: of its dispatches */
	u32 timeout_ms;
	/** @ring: context address */
	u64 ring;
	/** @state: enum hbi_queue_state, as the board says */
	u32 state;
	/** @error: enum hbi_error, likewise */
	u32 error;
	/** @completed: likewise */
	u64 completed;
	/** @fetched: likewise */
	u64 fetched;
	/** @fault_address: likewise */
	u64 fault_address;
	/** @fault_packet: likewise */
	u64 fault_packet;
	/** @armed: what is waited for, or all ones */
	u64 armed;
	/** @interrupts: raised for it */
	u64 interrupts;
	/** @dead: its address space is */
	bool dead;
};

/* hearth_queue.c */
bool hearth_queue_describe(struct hearth_device *hdev, u32 number, struct hearth_queue_info *info);
/* hearth_vm.c; @most: mappings to tell */
void hearth_vm_show(struct hearth_vm *vm, struct drm_printer *p, unsigned int most);
/* hearth_admin.c */
void hearth_admin_show(struct hearth_device *hdev, struct drm_printer *p);
const char *hearth_error_string(u32 error);

void hearth_show_board(struct hearth_device *hdev, struct drm_printer *p);
void hearth_show_queues(struct hearth_device *hdev, struct drm_printer *p);
void hearth_show_address_spaces(struct hearth_device *hdev, struct drm_printer *p);
void hearth_show_memory(struct hearth_device *hdev, struct drm_printer *p);
void hearth_show_log(struct hearth_device *hdev, struct drm_printer *p);

/* hearth_debugfs.c; before drm_dev_register(), outside of any section */
void hearth_debugfs_init(struct hearth_device *hdev);

/* hearth_coredump.c; outside of any section */
int hearth_coredump_init(struct hearth_device *hdev);
void hearth_coredump_fini(struct hearth_device *hdev);
/* While the registers are mapped; do not sleep. @why: a constant text. */
void hearth_coredump_take(struct hearth_device *hdev, const char *why);
void hearth_coredump_fault(struct hearth_device *hdev, const struct hbi_event *event);

#endif /* HEARTH_SHOW_H */
