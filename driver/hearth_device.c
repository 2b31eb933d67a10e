// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a board: bring-up in order, failure, and letting go. A board that breaks its contract
 * is cut off from host memory at once, and stays so until it is bound again. Letting go first ends
 * every use by processes, then stops the board, and only then gives back what it could reach.
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
#include "hearth_vram.h"

/* What an ioctl answers that needs the board: 0, -EIO or -ENODEV. */
int hearth_device_error(struct hearth_device *hdev)
{
	switch (hearth_device_state(hdev)) {
	case HEARTH_STARTING:
	case HEARTH_LIVE:
		return 0;
	case HEARTH_FAILED:
		return -EIO;
	case HEARTH_GONE:
		break;
	}
	return -ENODEV;
}

/* Raises the state to @state. Returns whether this call did. */
static bool hearth_device_raise(struct hearth_device *hdev, enum hearth_state state)
{
	int old = atomic_read(&hdev->state);

	do {
		if (old >= state)
			return false;
	} while (!atomic_try_cmpxchg(&hdev->state, &old, state));
	return true;
}

/*
 * The board is not to be trusted any more. Takes its way to host memory, so that everything it
 * could reach may be freed right after, and wakes all who wait for it. Does not sleep.
 */
void hearth_device_fail(struct hearth_device *hdev, const char *why)
{
	bool gone;
	int idx;

	if (!drm_dev_enter(&hdev->drm, &idx))
		return;
	gone = hearth_mmio_gone(hdev);
	if (hearth_device_raise(hdev, gone ? HEARTH_GONE : HEARTH_FAILED)) {
		pci_clear_master(hdev->pdev);
		hearth_write32(hdev, HBI_REG_CONTROL, HBI_CONTROL_RESET);
		dev_err(hdev->drm.dev, "board %s: %s\n", gone ? "is gone" : "failed", why);
		hearth_admin_wake(hdev);
		hearth_queue_cancel_all(hdev);
	}
	drm_dev_exit(idx);
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

/* Firmware, rings, first command. */
static int hearth_device_boot(struct hearth_device *hdev)
{
	int ret;

	ret = hearth_fw_boot(hdev);
	if (ret)
		return ret;
	ret = hearth_admin_enable(hdev);
	if (ret)
		return ret;
	return hearth_admin_identify(hdev);
}

int hearth_device_init(struct hearth_device *hdev)
{
	struct pci_dev *pdev = hdev->pdev;
	int ret;

	atomic_set(&hdev->state, HEARTH_STARTING);
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
	pci_set_master(pdev);
	ret = hearth_irq_init(hdev);
	if (ret)
		goto out_admin;
	ret = hearth_device_boot(hdev);
	if (ret)
		goto out_stop;
	hearth_device_raise(hdev, HEARTH_LIVE);
	return 0;

out_stop:
	hearth_board_reset(hdev);
	hearth_irq_fini(hdev);
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

	/* No new use of the board, and after it returns no old one; CPU mappings are gone too. */
	drm_dev_unplug(&hdev->drm);
	hearth_device_raise(hdev, HEARTH_GONE);
	hearth_queue_cancel_all(hdev);
	hearth_p2p_revoke_all(hdev);

	if (!hearth_mmio_gone(hdev))
		hearth_board_reset(hdev);
	pci_clear_master(pdev);
	hearth_irq_fini(hdev);

	hearth_queue_unmap_all(hdev);
	hearth_bo_unmap_all(hdev);
	hearth_p2p_flush(hdev);
	hearth_admin_fini(hdev);
	hearth_mmio_fini(hdev);
	pci_release_regions(pdev);
	pci_disable_device(pdev);
}
