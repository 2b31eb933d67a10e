// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the PCI core does to a board under its driver: function-level resets, asked for by root or
 * by the core itself, and recovery from errors of the bus. Both are resets of the board with a
 * pause in which nobody may touch it. A transaction that was lost leaves nobody knowing what of it
 * was done, so an error that the core would let a driver ignore is no less a reset.
 */
#include <linux/pci.h>

#include "hearth_device.h"
#include "hearth_mmio.h"
#include "hearth_pci.h"
#include "hearth_reset.h"
#include "hearth_show.h"

/*
 * A recovery that has not ended after this is taken for given up; the core of old kernels says
 * nothing.
 */
#define HEARTH_RECOVERY_MS 60000

static void hearth_error_reset_prepare(struct pci_dev *pdev)
{
	hearth_reset_hold(pci_get_drvdata(pdev), "function-level reset", 0);
}

/* The core has brought configuration space back. Who asked for the reset finds the board live. */
static void hearth_error_reset_done(struct pci_dev *pdev)
{
	struct hearth_device *hdev = pci_get_drvdata(pdev);

	hearth_reset_release(hdev);
	hearth_reset_finish(hdev);
}

static pci_ers_result_t hearth_error_detected(struct pci_dev *pdev, pci_channel_state_t state)
{
	struct hearth_device *hdev = pci_get_drvdata(pdev);

	if (state == pci_channel_io_perm_failure) {
		hearth_reset_hold(hdev, "the bus has failed", 0);
		hearth_device_change(hdev, HEARTH_GONE);
		return PCI_ERS_RESULT_DISCONNECT;
	}
	hearth_coredump_take(hdev, "an error of the bus");
	hearth_reset_hold(hdev, "an error of the bus", HEARTH_RECOVERY_MS);
	/* Where the link still works, the board's own reset is enough. */
	return state == pci_channel_io_normal ? PCI_ERS_RESULT_CAN_RECOVER
					      : PCI_ERS_RESULT_NEED_RESET;
}

static pci_ers_result_t hearth_error_mmio_enabled(struct pci_dev *pdev)
{
	return hearth_mmio_gone(pci_get_drvdata(pdev)) ? PCI_ERS_RESULT_NEED_RESET
						       : PCI_ERS_RESULT_RECOVERED;
}

static pci_ers_result_t hearth_error_slot_reset(struct pci_dev *pdev)
{
	struct hearth_device *hdev = pci_get_drvdata(pdev);

	pci_restore_state(pdev);
	/* For the next time. */
	pci_save_state(pdev);
	if (!hearth_mmio_gone(hdev))
		return PCI_ERS_RESULT_RECOVERED;
	hearth_device_change(hdev, HEARTH_GONE);
	return PCI_ERS_RESULT_DISCONNECT;
}

static void hearth_error_resume(struct pci_dev *pdev)
{
	hearth_reset_release(pci_get_drvdata(pdev));
}

const struct pci_error_handlers hearth_error_handlers = {
	.reset_prepare = hearth_error_reset_prepare,
	.reset_done = hearth_error_reset_done,
	.error_detected = hearth_error_detected,
	.mmio_enabled = hearth_error_mmio_enabled,
	.slot_reset = hearth_error_slot_reset,
	.resume = hearth_error_resume,
};
