// SPDX-License-Identifier: GPL-2.0-only
/*
 * What there is to tell of a board: who it is, its queues, its address spaces, its memory and its
 * firmware's log. Each is one text, for debugfs and for core dumps alike.
 */
#include <linux/math64.h>
#include <linux/pid.h>
#include <linux/slab.h>
#include <linux/utsname.h>

#include <drm/drm_file.h>
#include <drm/drm_print.h>

#include "hearth_admin.h"
#include "hearth_device.h"
#include "hearth_show.h"
#include "hearth_telemetry.h"
#include "hearth_vm.h"
#include "hearth_vram.h"

/* Of one address space. */
#define HEARTH_SHOW_MAPPINGS 256
/* A board whose log has no end does not keep its reader. */
#define HEARTH_SHOW_LOG	     64

void hearth_show_board(struct hearth_device *hdev, struct drm_printer *p)
{
	const struct hbi_identity *identity = &hdev->identity;

	drm_printf(p, "kernel: %s\n", init_utsname()->release);
	drm_printf(p, "pci: %s\n", dev_name(hdev->drm.dev));
	drm_printf(p, "uuid: %pUb\n", hdev->info.uuid);
	drm_printf(p, "name: %s\n", identity->board_name);
	drm_printf(p, "vendor: %s\n", identity->vendor);
	drm_printf(p, "serial: %s\n", identity->serial);
	drm_printf(p, "firmware: %s\n", identity->firmware_version);
	drm_printf(p, "interface: %u.%u\n", hdev->info.version >> 16, hdev->info.version & 0xffff);
	drm_printf(p, "board_id: %#x\n", hdev->info.board_id);
	drm_printf(p, "board_revision: %u\n", hdev->info.board_revision);
	drm_printf(p, "abilities: %#llx\n", hdev->info.caps);
	drm_printf(p, "state: %s\n", hearth_device_state_name(hdev));
	drm_printf(p, "epoch: %u\n", hearth_device_epoch(hdev));
}

static const char *hearth_queue_state_string(u32 state)
{
	static const char *const names[] = { "none", "live", "error" };

	return state < ARRAY_SIZE(names) ? names[state] : "unknown";
}

void hearth_show_queues(struct hearth_device *hdev, struct drm_printer *p)
{
	struct hearth_queue_info info;
	u32 i;

	for (i = 0; i < hdev->info.queues; i++) {
		if (!hearth_queue_describe(hdev, i, &info))
			continue;
		drm_printf(p, "queue %u: context %u, pid %u, %s%s", i, info.context, info.pid,
			   hearth_queue_state_string(info.state),
			   info.dead ? ", address space dead" : "");
		drm_printf(p, ", ring %#llx of 2^%u packets, completed %llu, fetched %llu",
			   info.ring, info.ring_log2, info.completed, info.fetched);
		if (info.armed != U64_MAX)
			drm_printf(p, ", armed for %llu", info.armed);
		drm_printf(p, ", interrupts %llu, priority %u, timeout %u ms", info.interrupts,
			   info.priority, info.timeout_ms);
		if (info.error)
			drm_printf(p, ", packet %llu: %s at %#llx", info.fault_packet,
				   hearth_error_string(info.error), info.fault_address);
		drm_puts(p, "\n");
	}
}

/* Whose lock is the outermost of all here: no ioctl holds another when it takes it. */
void hearth_show_address_spaces(struct hearth_device *hdev, struct drm_printer *p)
{
	struct drm_file *file;

	mutex_lock(&hdev->drm.filelist_mutex);
	list_for_each_entry (file, &hdev->drm.filelist, lhead) {
		struct hearth_file *hfile = file->driver_priv;
		struct hearth_vm *entry, *vm;
		unsigned long id;
		int pid;

		rcu_read_lock();
		pid = pid_nr(rcu_dereference(file->pid));
		rcu_read_unlock();
		xa_for_each (&hfile->vms, id, entry) {
			vm = hearth_vm_lookup(hfile, id);
			if (!vm)
				continue;
			drm_printf(p, "client %llu: pid %d, address space %lu, ", file->client_id,
				   pid, id);
			hearth_vm_show(vm, p, HEARTH_SHOW_MAPPINGS);
			hearth_vm_put(vm);
		}
	}
	mutex_unlock(&hdev->drm.filelist_mutex);
}

void hearth_show_memory(struct hearth_device *hdev, struct drm_printer *p)
{
	drm_printf(p, "board: %#llx to %#llx\n", hdev->info.dram_base,
		   hdev->info.dram_base + hdev->info.dram_size);
	drm_printf(p, "aperture: %#llx to %#llx\n", hdev->aperture.base,
		   hdev->aperture.base + hdev->aperture.size);
	drm_printf(p, "host_window: %#llx, %u bits\n", hdev->info.host_window,
		   hdev->info.host_bits);
	drm_printf(p, "total_bytes: %llu\n", hearth_vram_total(hdev));
	drm_printf(p, "free_bytes: %llu\n", hearth_vram_available(hdev));
}

static void hearth_show_entry(struct hearth_device *hdev, struct drm_printer *p,
			      const struct hbi_log_entry *entry)
{
	static const char *const levels[] = { "error", "warning", "info", "debug" };
	u64 ns = hearth_telemetry_ns(hdev, entry->ticks);
	u32 rest;

	ns = div_u64_rem(ns, NSEC_PER_SEC, &rest);
	drm_printf(p, "%llu: boot %u, %llu.%06u s, hart %u, %s: %s\n", entry->number, entry->boot,
		   ns, rest / 1000, entry->hart,
		   entry->level < ARRAY_SIZE(levels) ? levels[entry->level] : "unknown",
		   entry->text);
}

void hearth_show_log(struct hearth_device *hdev, struct drm_printer *p)
{
	struct hbi_log *log;
	unsigned int rounds;
	u64 next = 0;
	int ret;
	u32 i;

	if (!(hdev->info.caps & HBI_CAP_LOG)) {
		drm_puts(p, "the board keeps none\n");
		return;
	}
	log = kmalloc(sizeof(*log), GFP_KERNEL);
	if (!log)
		return;
	for (rounds = 0; rounds < HEARTH_SHOW_LOG; rounds++) {
		ret = hearth_admin_log(hdev, next, log);
		if (ret) {
			drm_printf(p, "the board does not tell it: %d\n", ret);
			break;
		}
		for (i = 0; i < log->count; i++)
			hearth_show_entry(hdev, p, &log->entries[i]);
		if (log->next <= next || log->next == log->end)
			break;
		next = log->next;
	}
	kfree(log);
}
