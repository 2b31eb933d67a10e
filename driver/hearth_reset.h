/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef HEARTH_RESET_H
#define HEARTH_RESET_H

#include <linux/types.h>

struct hearth_device;

int hearth_reset_init(struct hearth_device *hdev);
void hearth_reset_fini(struct hearth_device *hdev);

void hearth_device_fail(struct hearth_device *hdev, const char *why);
int hearth_reset_by_hand(struct hearth_device *hdev);
void hearth_reset_hold(struct hearth_device *hdev, const char *why, unsigned int longest_ms);
void hearth_reset_release(struct hearth_device *hdev);
void hearth_reset_finish(struct hearth_device *hdev);
void hearth_reset_lost(struct hearth_device *hdev, const char *why);
void hearth_reset_watch(struct hearth_device *hdev);
u32 hearth_reset_count(struct hearth_device *hdev);

#endif /* HEARTH_RESET_H */
