/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef HEARTH_MMIO_H
#define HEARTH_MMIO_H

#include <linux/types.h>

struct hearth_device;

int hearth_mmio_init(struct hearth_device *hdev);
void hearth_mmio_fini(struct hearth_device *hdev);

u32 hearth_read32(struct hearth_device *hdev, u32 reg);
u64 hearth_read64(struct hearth_device *hdev, u32 reg);
void hearth_write32(struct hearth_device *hdev, u32 reg, u32 value);
void hearth_write64(struct hearth_device *hdev, u32 reg, u64 value);
bool hearth_mmio_gone(struct hearth_device *hdev);
bool hearth_mmio_beats(struct hearth_device *hdev);
int hearth_wait_status(struct hearth_device *hdev, u32 state, u32 timeout_ms);
int hearth_board_reset(struct hearth_device *hdev);

#endif /* HEARTH_MMIO_H */
