/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef HEARTH_FW_H
#define HEARTH_FW_H

struct hearth_device;

int hearth_fw_boot(struct hearth_device *hdev);

#endif /* HEARTH_FW_H */
