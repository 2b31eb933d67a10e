// SPDX-License-Identifier: GPL-2.0-only
/*
 * What /proc/PID/fdinfo tells of an open file, in the keys of the kernel's drm-usage-stats: time on
 * the board's workers as the board itself accounts it to the file's contexts, and memory. The time
 * never goes back, whatever the board says.
 */
#include <linux/math64.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_print.h>

#include "hearth_admin.h"
#include "hearth_bo.h"
#include "hearth_device.h"
#include "hearth_telemetry.h"
#include "hearth_vm.h"

u64 hearth_telemetry_ns(struct hearth_device *hdev, u64 ticks)
{
	return mul_u64_u64_div_u64(ticks, NSEC_PER_SEC, hdev->info.timestamp_hz);
}

/* Worker time of one context in nanoseconds, or 0 where the board does not tell. */
static u64 hearth_context_busy(struct hearth_device *hdev, struct hearth_vm *vm)
{
	struct hbi_telemetry telemetry;

	if (hearth_vm_stale(vm) || hearth_admin_telemetry(hdev, vm->context, &telemetry))
		return 0;
	return hearth_telemetry_ns(hdev, telemetry.context_busy);
}

/*
 * @vm is about to leave the file, and its context the board. Under @vm's lock, in a
 * hearth_device_lock() section.
 */
void hearth_fdinfo_retire(struct hearth_file *hfile, struct hearth_vm *vm)
{
	struct hearth_device *hdev = hfile->hdev;

	if (hdev->info.caps & HBI_CAP_TELEMETRY)
		atomic64_add(hearth_context_busy(hdev, vm), &hfile->busy_retired_ns);
}

static u64 hearth_file_busy(struct hearth_file *hfile)
{
	struct hearth_device *hdev = hfile->hdev;
	u64 busy = atomic64_read(&hfile->busy_retired_ns);
	s64 shown = atomic64_read(&hfile->busy_shown_ns);
	struct hearth_vm *entry, *vm;
	unsigned long id;
	int idx;

	if (!hearth_device_peek(hdev, &idx)) {
		xa_for_each (&hfile->vms, id, entry) {
			vm = hearth_vm_lookup(hfile, id);
			if (!vm)
				continue;
			mutex_lock(&vm->lock);
			if (!vm->destroyed)
				busy += hearth_context_busy(hdev, vm);
			mutex_unlock(&vm->lock);
			hearth_vm_put(vm);
		}
		hearth_device_exit(hdev, idx);
	}
	do {
		if (shown >= (s64)busy)
			return shown;
	} while (!atomic64_try_cmpxchg(&hfile->busy_shown_ns, &shown, busy));
	return busy;
}

static void hearth_fdinfo_add(struct drm_memory_stats *stats, struct drm_gem_object *obj)
{
	struct drm_memory_stats *one = &stats[to_hearth_bo(obj)->kind == HEARTH_BO_BOARD ? 0 : 1];

	if (drm_gem_object_is_shared_for_memory_stats(obj))
		one->shared += obj->size;
	else
		one->private += obj->size;
	one->resident += obj->size;
}

static void hearth_fdinfo_memory(struct drm_printer *p, struct drm_file *file)
{
	static const char *const names[] = { "board", "host" };
	struct drm_memory_stats stats[ARRAY_SIZE(names)] = {};
	struct drm_gem_object *obj;
	unsigned int i;
	int id;

	spin_lock(&file->table_lock);
	idr_for_each_entry (&file->object_idr, obj, id)
		hearth_fdinfo_add(stats, obj);
	spin_unlock(&file->table_lock);
	for (i = 0; i < ARRAY_SIZE(names); i++)
		drm_print_memory_stats(p, &stats[i], DRM_GEM_OBJECT_RESIDENT, names[i]);
}

/* &drm_driver.show_fdinfo; the board is asked once for each address space of the file. */
void hearth_fdinfo_show(struct drm_printer *p, struct drm_file *file)
{
	struct hearth_file *hfile = file->driver_priv;
	struct hearth_device *hdev = hfile->hdev;

	if (hdev->info.caps & HBI_CAP_TELEMETRY) {
		drm_printf(p, "drm-engine-compute:\t%llu ns\n", hearth_file_busy(hfile));
		drm_printf(p, "drm-engine-capacity-compute:\t%u\n", hdev->info.workers);
	}
	hearth_fdinfo_memory(p, file);
}
