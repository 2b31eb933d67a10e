// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sleep. A board that nobody uses, no open file and no buffer in its memory, may sleep by itself
 * (runtime PM, if the administrator allows it: power/control in sysfs); it has no contexts then,
 * and nothing is lost. When the whole system sleeps, contexts are not kept: the board is cut off
 * from host memory before, and is reset afterwards, which tells every context what any reset tells.
 * Buffers stay with their owners; what was in board memory, the board alone decides.
 */
#include <linux/pm_runtime.h>

#include "hearth_admin.h"
#include "hearth_device.h"
#include "hearth_irq.h"
#include "hearth_mmio.h"
#include "hearth_pci.h"
#include "hearth_reset.h"

#define HEARTH_AUTOSUSPEND_MS 5000

static struct hearth_device *hearth_pm_device(struct device *dev)
{
	return pci_get_drvdata(to_pci_dev(dev));
}

static int hearth_pm_suspend(struct device *dev)
{
	struct hearth_device *hdev = hearth_pm_device(dev);

	hearth_reset_hold(hdev, "the system sleeps", 0);
	hearth_device_change(hdev, HEARTH_SUSPENDED);
	return 0;
}

/* The worker stands still until processes run again, and with them the file system. */
static int hearth_pm_resume(struct device *dev)
{
	struct hearth_device *hdev = hearth_pm_device(dev);

	hearth_device_change(hdev, HEARTH_RESETTING);
	hearth_reset_release(hdev);
	return 0;
}

static int hearth_pm_runtime_suspend(struct device *dev)
{
	struct hearth_device *hdev = hearth_pm_device(dev);
	int ret = 0;

	/* Who reads sensors has no reference; a board that has failed may sleep as it is. */
	down_write(&hdev->reset_lock);
	if (!hearth_device_change(hdev, HEARTH_SUSPENDED) && hearth_device_away(hdev))
		ret = -EAGAIN;
	up_write(&hdev->reset_lock);
	if (!ret)
		hearth_irq_synchronize(hdev);
	return ret;
}

static int hearth_pm_runtime_resume(struct device *dev)
{
	struct hearth_device *hdev = hearth_pm_device(dev);

	if (hearth_device_state(hdev) != HEARTH_SUSPENDED)
		return 0;
	if ((hearth_read32(hdev, HBI_REG_STATUS) & 0xff) != HBI_STATE_RUNNING) {
		hearth_reset_lost(hdev, "it forgot everything while it slept");
		return 0;
	}
	hearth_device_change(hdev, HEARTH_LIVE);
	hearth_admin_events(hdev);
	return 0;
}

const struct dev_pm_ops hearth_pm_ops = { SYSTEM_SLEEP_PM_OPS(hearth_pm_suspend, hearth_pm_resume)
						  RUNTIME_PM_OPS(hearth_pm_runtime_suspend,
								 hearth_pm_runtime_resume, NULL) };

/* Wakes the board for a use that hearth_pm_put() ends. Sleeps. */
int hearth_pm_get(struct hearth_device *hdev)
{
	return pm_runtime_resume_and_get(hdev->drm.dev);
}

/* For one more use of a board that is awake. */
void hearth_pm_get_again(struct hearth_device *hdev)
{
	pm_runtime_get_noresume(hdev->drm.dev);
}

void hearth_pm_put(struct hearth_device *hdev)
{
	pm_runtime_mark_last_busy(hdev->drm.dev);
	pm_runtime_put_autosuspend(hdev->drm.dev);
}

/* The last step of probe, which the PCI core does with a reference of its own. */
void hearth_pm_init(struct hearth_device *hdev)
{
	struct device *dev = hdev->drm.dev;

	pm_runtime_set_autosuspend_delay(dev, HEARTH_AUTOSUSPEND_MS);
	pm_runtime_use_autosuspend(dev);
	hearth_pm_put(hdev);
}

/* The first step of remove. */
void hearth_pm_fini(struct hearth_device *hdev)
{
	struct device *dev = hdev->drm.dev;

	pm_runtime_get_noresume(dev);
	pm_runtime_dont_use_autosuspend(dev);
}
