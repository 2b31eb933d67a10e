/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef HEARTH_PCI_H
#define HEARTH_PCI_H

#include <linux/types.h>

struct dev_pm_ops;
struct hearth_device;
struct pci_error_handlers;

extern const struct pci_error_handlers hearth_error_handlers;
extern const struct dev_pm_ops hearth_pm_ops;

void hearth_pm_init(struct hearth_device *hdev);
void hearth_pm_fini(struct hearth_device *hdev);
int hearth_pm_get(struct hearth_device *hdev);
void hearth_pm_get_again(struct hearth_device *hdev);
void hearth_pm_put(struct hearth_device *hdev);

#endif /* HEARTH_PCI_H */
