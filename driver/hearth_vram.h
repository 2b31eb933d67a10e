/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef HEARTH_VRAM_H
#define HEARTH_VRAM_H

#include <linux/list.h>
#include <linux/types.h>

struct hearth_device;

int hearth_vram_init(struct hearth_device *hdev);
int hearth_vram_alloc(struct hearth_device *hdev, u64 size, struct list_head *blocks);
void hearth_vram_free(struct hearth_device *hdev, struct list_head *blocks);
void hearth_vram_zero(struct hearth_device *hdev, struct list_head *blocks);
int hearth_vram_stage(struct hearth_device *hdev, u64 bytes);
u64 hearth_vram_total(struct hearth_device *hdev);
u64 hearth_vram_available(struct hearth_device *hdev);
int hearth_vram_for_each(struct hearth_device *hdev, struct list_head *blocks, u64 offset, u64 size,
			 int (*each)(void *data, u64 position, u64 bytes), void *data);

#endif /* HEARTH_VRAM_H */
