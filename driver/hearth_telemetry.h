/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef HEARTH_TELEMETRY_H
#define HEARTH_TELEMETRY_H

#include <linux/types.h>

struct drm_file;
struct drm_printer;
struct hearth_device;
struct hearth_file;
struct hearth_vm;

int hearth_sysfs_init(struct hearth_device *hdev);
void hearth_sysfs_fini(struct hearth_device *hdev);
void hearth_hwmon_init(struct hearth_device *hdev);
u64 hearth_telemetry_ns(struct hearth_device *hdev, u64 ticks);
void hearth_fdinfo_retire(struct hearth_file *hfile, struct hearth_vm *vm);
void hearth_fdinfo_show(struct drm_printer *p, struct drm_file *file);

#endif /* HEARTH_TELEMETRY_H */
