// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a board: its states, the sections in which it may be spoken with, bring-up in order,
 * and letting go, which first ends every use by processes, then stops the board, and only then
 * gives back what it could reach. What lies between is in hearth_reset.c.
 */
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/pci.h>

#include <drm/drm_drv.h>
#include <drm/drm_managed.h>

#include "hearth_admin.h"
#include "hearth_bo.h"
#include "hearth_device.h"
#include "hearth_fw.h"
#include "hearth_irq.h"
#include "hearth_mmio.h"
#include "hearth_p2p.h"
#include "hearth_queue.h"
#include "hearth_reset.h"
#include "hearth_show.h"
#include "hearth_trace.h"
#include "hearth_vram.h"

/* What may follow on each state. */
static const u8 hearth_state_next[] = {
	[HEARTH_STARTING] = BIT(HEARTH_LIVE) | BIT(HEARTH_FAILED) | BIT(HEARTH_GONE),
	[HEARTH_LIVE] = BIT(HEARTH_RESETTING) | BIT(HEARTH_SUSPENDED) | BIT(HEARTH_FAILED) |
			BIT(HEARTH_GONE),
	[HEARTH_RESETTING] =
		BIT(HEARTH_LIVE) | BIT(HEARTH_SUSPENDED) | BIT(HEARTH_FAILED) | BIT(HEARTH_GONE),
	[HEARTH_SUSPENDED] = BIT(HEARTH_LIVE) | BIT(HEARTH_RESETTING) | BIT(HEARTH_GONE),
	[HEARTH_FAILED] = BIT(HEARTH_RESETTING) | BIT(HEARTH_GONE),
	/* If it is still bound: by hand, or when the bus is well again. */
	[HEARTH_GONE] = BIT(HEARTH_RESETTING),
};

/* Changes the state if @state may follow on it. Returns whether this call did. */
bool hearth_device_change(struct hearth_device *hdev, enum hearth_state state)
{
	int old = atomic_read(&hdev->state);

	do {
		if (!(hearth_state_next[old] & BIT(state)))
			return false;
	} while (!atomic_try_cmpxchg(&hdev->state, &old, state));
	trace_hearth_state(hdev, old, state);
	wake_up_all(&hdev->state_wait);
	return true;
}

const char *hearth_device_state_name(struct hearth_device *hdev)
{
	static const char *const names[] = {
		[HEARTH_STARTING] = "starting",	  [HEARTH_LIVE] = "live",
		[HEARTH_RESETTING] = "resetting", [HEARTH_SUSPENDED] = "suspended",
		[HEARTH_FAILED] = "failed",	  [HEARTH_GONE] = "gone",
	};

	return names[hearth_device_state(hdev)];
}

/* What a call answers that needs the board: 0, -ECANCELED, -EIO or -ENODEV. */
int hearth_device_error(struct hearth_device *hdev)
{
	switch (hearth_device_state(hdev)) {
	case HEARTH_STARTING:
	case HEARTH_LIVE:
		return 0;
	case HEARTH_RESETTING:
	case HEARTH_SUSPENDED:
		return -ECANCELED;
	case HEARTH_FAILED:
		return -EIO;
	case HEARTH_GONE:
		break;
	}
	return -ENODEV;
}

/*
 * Begins a section in which the board is neither let go nor reset, whatever its state is. False: it
 * has been let go. For what has to be done in any state; others use hearth_device_enter().
 */
bool hearth_device_lock(struct hearth_device *hdev, int *idx)
{
	if (!drm_dev_enter(&hdev->drm, idx))
		return false;
	down_read(&hdev->reset_lock);
	return true;
}

void hearth_device_exit(struct hearth_device *hdev, int idx)
{
	up_read(&hdev->reset_lock);
	drm_dev_exit(idx);
}

/* As hearth_device_enter(), but does not wait: -EAGAIN while the board is away. */
int hearth_device_peek(struct hearth_device *hdev, int *idx)
{
	if (!drm_dev_enter(&hdev->drm, idx))
		return -ENODEV;
	if (down_read_trylock(&hdev->reset_lock)) {
		if (!hearth_device_away(hdev))
			return 0;
		up_read(&hdev->reset_lock);
	}
	drm_dev_exit(*idx);
	return -EAGAIN;
}

/*
 * Begins a section in which the board is neither let go nor reset; waits for the end of a reset
 * that is under way. The board may have failed. Returns 0, -ENODEV, or -ERESTARTSYS.
 */
int hearth_device_enter(struct hearth_device *hdev, int *idx)
{
	while (hearth_device_lock(hdev, idx)) {
		if (!hearth_device_away(hdev))
			return 0;
		hearth_device_exit(hdev, *idx);
		if (wait_event_interruptible(hdev->state_wait, !hearth_device_away(hdev)))
			return -ERESTARTSYS;
	}
	return -ENODEV;
}

static int hearth_device_dma(struct hearth_device *hdev)
{
	struct device *dev = &hdev->pdev->dev;
	int ret;

	/* Processes and the board share memory with no call between that could flush a cache. */
	if (!dev_is_dma_coherent(dev)) {
		drm_err(&hdev->drm, "this machine's PCI is not cache-coherent: not supported\n");
		return -ENODEV;
	}

	ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(hdev->info.host_bits));
	if (ret) {
		drm_err(&hdev->drm, "bus addresses of %u bits do not do for this machine: %d\n",
			hdev->info.host_bits, ret);
		return ret;
	}
	dma_set_max_seg_size(dev, UINT_MAX);
	return 0;
}

/* A boot has forgotten the limit, and may be of firmware that takes another range. */
static int hearth_device_limit_power(struct hearth_device *hdev)
{
	u32 limit = READ_ONCE(hdev->power_limit_mw);
	int ret;

	if (!limit)
		return 0;
	ret = hearth_admin_power_limit(hdev, limit);
	if (ret != -EINVAL)
		return ret;
	drm_warn(&hdev->drm,
		 "the power limit of %u mW is not taken any more: it is the board's own\n", limit);
	WRITE_ONCE(hdev->power_limit_mw, 0);
	return 0;
}

/* Firmware, rings, first command. Its first step is a reset of the board. */
int hearth_device_boot(struct hearth_device *hdev)
{
	int ret;

	ret = hearth_fw_boot(hdev);
	if (ret)
		return ret;
	/* From here on it may reach host memory: it has forgotten whatever it was told before. */
	pci_set_master(hdev->pdev);
	ret = hearth_admin_enable(hdev);
	if (ret)
		return ret;
	ret = hearth_admin_identify(hdev);
	if (ret)
		return ret;
	return hearth_device_limit_power(hdev);
}

int hearth_device_init(struct hearth_device *hdev)
{
	struct pci_dev *pdev = hdev->pdev;
	int ret;

	atomic_set(&hdev->state, HEARTH_STARTING);
	init_waitqueue_head(&hdev->state_wait);
	init_rwsem(&hdev->reset_lock);
	init_rwsem(&hdev->fault_lock);
	hdev->epoch = 1;
	spin_lock_init(&hdev->queues.lock);
	INIT_LIST_HEAD(&hdev->bos.list);
	ida_init(&hdev->contexts);
	INIT_LIST_HEAD(&hdev->bos.imports);
	ret = drmm_mutex_init(&hdev->drm, &hdev->bos.lock);
	if (ret)
		return ret;
	ret = drmm_mutex_init(&hdev->drm, &hdev->bos.imports_lock);
	if (ret)
		return ret;
	ret = hearth_reset_init(hdev);
	if (ret)
		return ret;
	ret = hearth_coredump_init(hdev);
	if (ret)
		return ret;

	ret = pci_enable_device(pdev);
	if (ret)
		return ret;
	ret = pci_request_regions(pdev, "hearth");
	if (ret)
		goto out_disable;
	ret = hearth_mmio_init(hdev);
	if (ret)
		goto out_regions;
	ret = hearth_device_dma(hdev);
	if (ret)
		goto out_mmio;
	ret = hearth_vram_init(hdev);
	if (ret)
		goto out_mmio;
	ret = hearth_p2p_init(hdev);
	if (ret)
		goto out_mmio;
	ret = hearth_admin_init(hdev);
	if (ret)
		goto out_mmio;
	ret = hearth_irq_init(hdev);
	if (ret)
		goto out_admin;
	ret = hearth_device_boot(hdev);
	if (ret)
		goto out_stop;
	/* What a reset of the function brings back. */
	pci_save_state(pdev);
	hearth_device_change(hdev, HEARTH_LIVE);
	return 0;

out_stop:
	hearth_board_reset(hdev);
	hearth_irq_fini(hdev);
	hearth_coredump_fini(hdev);
out_admin:
	pci_clear_master(pdev);
	hearth_admin_fini(hdev);
out_mmio:
	hearth_mmio_fini(hdev);
out_regions:
	pci_release_regions(pdev);
out_disable:
	pci_disable_device(pdev);
	return ret;
}

/* Files may be open, buffers mapped, threads asleep in QUEUE_WAIT: none of them is waited for. */
void hearth_device_unplug(struct hearth_device *hdev)
{
	struct pci_dev *pdev = hdev->pdev;

	/* A reset that is under way ends at this, and who waits for its end. */
	hearth_device_change(hdev, HEARTH_GONE);
	hearth_admin_close(hdev);
	/* No new use of the board, and after it returns no old one; CPU mappings are gone too. */
	drm_dev_unplug(&hdev->drm);
	hearth_reset_fini(hdev);
	hearth_queue_cancel_all(hdev);
	hearth_p2p_revoke_all(hdev);

	if (!hearth_mmio_gone(hdev))
		hearth_board_reset(hdev);
	pci_clear_master(pdev);
	hearth_irq_fini(hdev);
	/* Events made some until now. */
	hearth_coredump_fini(hdev);

	hearth_queue_unmap_all(hdev);
	hearth_bo_unmap_all(hdev);
	hearth_p2p_flush(hdev);
	hearth_admin_fini(hdev);
	hearth_mmio_fini(hdev);
	pci_release_regions(pdev);
	pci_disable_device(pdev);
}
