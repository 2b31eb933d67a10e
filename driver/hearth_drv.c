// SPDX-License-Identifier: GPL-2.0-only
/*
 * hearth.ko: accelerator boards that implement the Hearth Board Interface. This file binds boards,
 * opens and closes files, and holds the table of ioctls.
 *
 * A board is known by its class and by the interface's DVSEC, never by its maker's ids: others make
 * accelerators of the same class, which are left alone.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/rcupdate.h>

#include <drm/drm_accel.h>
#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>
#include <uapi/drm/hearth_accel.h>

#include "hearth_admin.h"
#include "hearth_bo.h"
#include "hearth_device.h"
#include "hearth_dmabuf.h"
#include "hearth_mmio.h"
#include "hearth_pci.h"
#include "hearth_queue.h"
#include "hearth_quota.h"
#include "hearth_reset.h"
#include "hearth_show.h"
#include "hearth_telemetry.h"
#include "hearth_userptr.h"
#include "hearth_vm.h"
#include "hearth_vram.h"

/* No query structure is larger; a caller's may be, if it is newer. */
#define HEARTH_QUERY_MAX 4096u

static void hearth_query_device(struct hearth_device *hdev, struct drm_hearth_query_device *out)
{
	struct pci_dev *pdev = hdev->pdev;

	memcpy(out->uuid, hdev->info.uuid, sizeof(out->uuid));
	out->hbi_version = hdev->info.version;
	out->board_id = hdev->info.board_id;
	out->board_revision = hdev->info.board_revision;
	out->workers = hdev->info.workers;
	out->vlen_bits = hdev->info.vlen_bits;
	out->max_queues = hdev->info.queues;
	out->caps = hdev->info.caps;
	out->timestamp_hz = hdev->info.timestamp_hz;
	out->va_start = HEARTH_VA_START;
	out->va_end = HEARTH_VA_END;
	out->ring_log2_max = hdev->info.ring_log2;
	out->pci_bdf = pci_domain_nr(pdev->bus) << 16 | pdev->bus->number << 8 | pdev->devfn;
	out->generation = hdev->info.generation;
	memcpy(out->board_name, hdev->identity.board_name, sizeof(out->board_name));
	memcpy(out->serial, hdev->identity.serial, sizeof(out->serial));
	memcpy(out->vendor, hdev->identity.vendor, sizeof(out->vendor));
	memcpy(out->isa, hdev->identity.isa, sizeof(out->isa));
}

static int hearth_query_firmware(struct hearth_device *hdev, struct drm_hearth_query_firmware *out)
{
	u32 status = hearth_read32(hdev, HBI_REG_STATUS);

	/* No value of STATUS: nothing answers there any more. */
	if (status == ~0u) {
		hearth_device_fail(hdev, "its registers read as all ones");
		return -ENODEV;
	}
	memcpy(out->version, hdev->identity.firmware_version, sizeof(out->version));
	out->state = status & 0xff;
	return 0;
}

static void hearth_query_memory(struct hearth_device *hdev, struct drm_hearth_query_memory *out)
{
	out->board_total = hearth_vram_total(hdev);
	out->board_free = hearth_vram_available(hdev);
}

static void hearth_query_state(struct hearth_device *hdev, struct drm_hearth_query_state *out)
{
	/* The state first: who sees it live sees no older epoch than the one that is. */
	out->state = hearth_device_state(hdev);
	out->epoch = hearth_device_epoch(hdev);
	out->resets = hearth_reset_count(hdev);
}

/* What is asked of the board itself, or may change with its firmware. */
static int hearth_query_board(struct hearth_device *hdev, u32 type, void *out)
{
	int idx, ret;

	ret = hearth_device_enter(hdev, &idx);
	if (ret)
		return ret;
	if (type == DRM_HEARTH_QUERY_DEVICE)
		hearth_query_device(hdev, out);
	else
		ret = hearth_query_firmware(hdev, out);
	hearth_device_exit(hdev, idx);
	return ret;
}

static void hearth_query_quota(struct hearth_file *hfile, struct drm_hearth_query_quota *out)
{
	out->board_limit = hearth_account_limit(hfile->board_account);
	out->board_used = hearth_account_used(hfile->board_account);
	out->host_limit = hearth_account_limit(hfile->host_account);
	out->host_used = hearth_account_used(hfile->host_account);
}

static int hearth_query_telemetry(struct hearth_device *hdev,
				  struct drm_hearth_query_telemetry *out)
{
	struct hbi_telemetry telemetry;
	int idx, ret;

	if (!(hdev->info.caps & HBI_CAP_TELEMETRY))
		return -EOPNOTSUPP;
	ret = hearth_device_peek(hdev, &idx);
	if (ret)
		return ret;
	ret = hearth_admin_telemetry(hdev, 0, &telemetry);
	hearth_device_exit(hdev, idx);
	if (ret)
		return ret;
	out->valid = telemetry.valid;
	out->workers = hdev->info.workers;
	out->time_ns = hearth_telemetry_ns(hdev, telemetry.ticks);
	out->busy_ns = hearth_telemetry_ns(hdev, telemetry.busy);
	out->dispatches = telemetry.dispatches;
	out->energy_uj = telemetry.energy_uj;
	out->power_mw = telemetry.power_mw;
	out->temperature_mk = telemetry.temperature_mk;
	out->clock_khz = telemetry.clock_khz;
	return 0;
}

/**
 * hearth_ioctl_dev_query() - DRM_IOCTL_HEARTH_DEV_QUERY
 * @drm: the device
 * @data: struct drm_hearth_dev_query
 * @file: the caller's
 *
 * DEVICE and FIRMWARE wait for the end of a reset that is under way.
 *
 * Returns: 0; -EINVAL for an unknown type or a structure of more than 4096 bytes; -EFAULT for
 * memory that cannot be written; -ENODEV when the board is gone.
 */
static int hearth_ioctl_dev_query(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct hearth_device *hdev = to_hearth_device(drm);
	struct drm_hearth_dev_query *args = data;
	void __user *pointer = u64_to_user_ptr(args->pointer);
	union {
		struct drm_hearth_query_device device;
		struct drm_hearth_query_firmware firmware;
		struct drm_hearth_query_memory memory;
		struct drm_hearth_query_state state;
		struct drm_hearth_query_telemetry telemetry;
		struct drm_hearth_query_quota quota;
	} out = {};
	u32 size, room = args->size;
	int ret = 0;

	if (drm_dev_is_unplugged(drm))
		return -ENODEV;
	switch (args->type) {
	case DRM_HEARTH_QUERY_DEVICE:
		ret = hearth_query_board(hdev, args->type, &out.device);
		size = sizeof(out.device);
		break;
	case DRM_HEARTH_QUERY_FIRMWARE:
		ret = hearth_query_board(hdev, args->type, &out.firmware);
		size = sizeof(out.firmware);
		break;
	case DRM_HEARTH_QUERY_STATE:
		hearth_query_state(hdev, &out.state);
		size = sizeof(out.state);
		break;
	case DRM_HEARTH_QUERY_TELEMETRY:
		ret = hearth_query_telemetry(hdev, &out.telemetry);
		size = sizeof(out.telemetry);
		break;
	case DRM_HEARTH_QUERY_MEMORY:
		hearth_query_memory(hdev, &out.memory);
		size = sizeof(out.memory);
		break;
	case DRM_HEARTH_QUERY_QUOTA:
		hearth_query_quota(file->driver_priv, &out.quota);
		size = sizeof(out.quota);
		break;
	default:
		ret = -EINVAL;
	}
	if (ret)
		return ret;

	args->size = size;
	if (!args->pointer)
		return 0;
	if (room > HEARTH_QUERY_MAX)
		return -EINVAL;
	if (copy_to_user(pointer, &out, min(room, size)))
		return -EFAULT;
	if (room > size && clear_user(pointer + size, room - size))
		return -EFAULT;
	return 0;
}

static const struct drm_ioctl_desc hearth_ioctls[] = {
	DRM_IOCTL_DEF_DRV(HEARTH_DEV_QUERY, hearth_ioctl_dev_query, 0),
	DRM_IOCTL_DEF_DRV(HEARTH_BO_CREATE, hearth_ioctl_bo_create, 0),
	DRM_IOCTL_DEF_DRV(HEARTH_BO_INFO, hearth_ioctl_bo_info, 0),
	DRM_IOCTL_DEF_DRV(HEARTH_VM_CREATE, hearth_ioctl_vm_create, 0),
	DRM_IOCTL_DEF_DRV(HEARTH_VM_DESTROY, hearth_ioctl_vm_destroy, 0),
	DRM_IOCTL_DEF_DRV(HEARTH_VM_BIND, hearth_ioctl_vm_bind, 0),
	DRM_IOCTL_DEF_DRV(HEARTH_QUEUE_CREATE, hearth_ioctl_queue_create, 0),
	DRM_IOCTL_DEF_DRV(HEARTH_QUEUE_DESTROY, hearth_ioctl_queue_destroy, 0),
	DRM_IOCTL_DEF_DRV(HEARTH_QUEUE_WAIT, hearth_ioctl_queue_wait, 0),
	DRM_IOCTL_DEF_DRV(HEARTH_QUEUE_STATE, hearth_ioctl_queue_state, 0),
	DRM_IOCTL_DEF_DRV(HEARTH_QUEUE_WAIT_MANY, hearth_ioctl_queue_wait_many, 0),
	DRM_IOCTL_DEF_DRV(HEARTH_QUEUE_FENCE, hearth_ioctl_queue_fence, 0),
	DRM_IOCTL_DEF_DRV(HEARTH_BO_USERPTR, hearth_ioctl_bo_userptr, 0),
};

static void hearth_file_free(struct hearth_file *hfile)
{
	hearth_account_put(hfile->board_account);
	hearth_account_put(hfile->host_account);
	kfree(hfile);
}

static int hearth_open(struct drm_device *drm, struct drm_file *file)
{
	struct hearth_device *hdev = to_hearth_device(drm);
	struct hearth_file *hfile;
	int ret;

	hfile = kzalloc_obj(struct hearth_file, GFP_KERNEL_ACCOUNT);
	if (!hfile)
		return -ENOMEM;
	hfile->hdev = hdev;
	hfile->board_account = hearth_account_open(hfile->hdev);
	hfile->host_account = hearth_account_open(NULL);
	if (!hfile->board_account || !hfile->host_account) {
		hearth_file_free(hfile);
		return -ENOMEM;
	}
	ret = hearth_pm_get(hdev);
	if (ret) {
		hearth_file_free(hfile);
		return ret;
	}
	xa_init_flags(&hfile->vms, XA_FLAGS_ALLOC1);
	xa_init_flags(&hfile->queues, XA_FLAGS_ALLOC1);
	file->driver_priv = hfile;
	return 0;
}

/*
 * Queues, then address spaces. DRM has dropped the buffers' handles before; what is bound has kept
 * its buffers.
 */
static void hearth_postclose(struct drm_device *drm, struct drm_file *file)
{
	struct hearth_file *hfile = file->driver_priv;

	hearth_queue_close_all(hfile, file);
	hearth_vm_close_all(hfile);
	xa_destroy(&hfile->queues);
	xa_destroy(&hfile->vms);
	hearth_file_free(hfile);
	hearth_pm_put(to_hearth_device(drm));
}

static const struct file_operations hearth_fops = {
	.owner = THIS_MODULE,
	DRM_ACCEL_FOPS,
	.show_fdinfo = drm_show_fdinfo,
};

static const struct drm_driver hearth_drm_driver = {
	.driver_features = DRIVER_COMPUTE_ACCEL | DRIVER_GEM | DRIVER_SYNCOBJ |
			   DRIVER_SYNCOBJ_TIMELINE | HEARTH_DRIVER_GPUVA,
	.open = hearth_open,
	.postclose = hearth_postclose,
	.ioctls = hearth_ioctls,
	.num_ioctls = ARRAY_SIZE(hearth_ioctls),
	.gem_prime_import = hearth_dmabuf_import,
	.gem_prime_import_sg_table = hearth_dmabuf_import_sg_table,
	.show_fdinfo = hearth_fdinfo_show,
	.fops = &hearth_fops,
	.name = "hearth",
	.desc = "Hearth Board Interface accelerators",
	HEARTH_DRIVER_DATE("20261123").major = 1,
	.minor = 0,
};

static int hearth_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct hearth_device *hdev;
	int ret;

	/* Before anything of it is touched. */
	if (!pci_find_dvsec_capability(pdev, HBI_DVSEC_VENDOR, HBI_DVSEC_ID)) {
		dev_info(&pdev->dev,
			 "no Hearth board: no DVSEC %04x:%04x in its configuration space\n",
			 HBI_DVSEC_VENDOR, HBI_DVSEC_ID);
		return -ENODEV;
	}
	hdev = devm_drm_dev_alloc(&pdev->dev, &hearth_drm_driver, struct hearth_device, drm);
	if (IS_ERR(hdev))
		return PTR_ERR(hdev);
	hdev->pdev = pdev;
	pci_set_drvdata(pdev, hdev);
	ret = hearth_device_init(hdev);
	if (ret)
		return ret;
	hearth_debugfs_init(hdev);
	ret = hearth_sysfs_init(hdev);
	if (ret)
		goto out_unplug;
	ret = drm_dev_register(&hdev->drm, 0);
	if (ret)
		goto out_sysfs;
	hearth_hwmon_init(hdev);
	hearth_pm_init(hdev);
	drm_info(&hdev->drm, "%s, firmware %s, %u harts, %llu MiB\n", hdev->identity.board_name,
		 hdev->identity.firmware_version, hdev->info.workers, hdev->aperture.size >> 20);
	return 0;

out_sysfs:
	hearth_sysfs_fini(hdev);
out_unplug:
	hearth_device_unplug(hdev);
	return ret;
}

static void hearth_remove(struct pci_dev *pdev)
{
	struct hearth_device *hdev = pci_get_drvdata(pdev);

	hearth_sysfs_fini(hdev);
	hearth_pm_fini(hdev);
	hearth_device_unplug(hdev);
}

static const struct pci_device_id hearth_ids[] = { { PCI_DEVICE_CLASS(HBI_PCI_CLASS, ~0) }, {} };
MODULE_DEVICE_TABLE(pci, hearth_ids);

static struct pci_driver hearth_pci_driver = {
	.name = "hearth",
	.id_table = hearth_ids,
	.probe = hearth_probe,
	.remove = hearth_remove,
	.err_handler = &hearth_error_handlers,
	.driver.pm = pm_ptr(&hearth_pm_ops),
};

static int __init hearth_init(void)
{
	return pci_register_driver(&hearth_pci_driver);
}
module_init(hearth_init);

static void __exit hearth_exit(void)
{
	pci_unregister_driver(&hearth_pci_driver);
	/* A fence that was the last to hold the module may still be in its callback. */
	rcu_barrier();
}
module_exit(hearth_exit);

MODULE_DESCRIPTION("Hearth Board Interface accelerators");
MODULE_AUTHOR("The Hearth project");
MODULE_LICENSE("GPL");
HEARTH_IMPORT_DMA_BUF;
