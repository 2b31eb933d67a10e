/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef HEARTH_ADMIN_H
#define HEARTH_ADMIN_H

#include <linux/types.h>

struct hbi_admin_create_queue;
struct hbi_log;
struct hbi_telemetry;
struct hearth_device;

int hearth_admin_init(struct hearth_device *hdev);
void hearth_admin_fini(struct hearth_device *hdev);
int hearth_admin_enable(struct hearth_device *hdev);
void hearth_admin_interrupt(struct hearth_device *hdev);
void hearth_admin_events(struct hearth_device *hdev);
void hearth_admin_close(struct hearth_device *hdev);

int hearth_admin_identify(struct hearth_device *hdev);
int hearth_admin_create_context(struct hearth_device *hdev, u32 context, u64 root);
int hearth_admin_destroy_context(struct hearth_device *hdev, u32 context);
int hearth_admin_invalidate(struct hearth_device *hdev, u32 context, u64 va, u64 size);
int hearth_admin_create_queue(struct hearth_device *hdev, struct hbi_admin_create_queue *command);
int hearth_admin_destroy_queue(struct hearth_device *hdev, u32 queue);
int hearth_admin_log(struct hearth_device *hdev, u64 first, struct hbi_log *out);
int hearth_admin_power_limit(struct hearth_device *hdev, u32 milliwatts);
int hearth_admin_telemetry(struct hearth_device *hdev, u32 context, struct hbi_telemetry *out);

#endif /* HEARTH_ADMIN_H */
