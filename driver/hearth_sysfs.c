// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the board's folder in sysfs tells, under hearth/: who it is, how it is, and how much its
 * workers have done. Everybody may read; root may reset the board. Nothing here waits for a reset
 * but that.
 */
#include <linux/pci.h>
#include <linux/sysfs.h>
#include <linux/uuid.h>

#include <drm/drm_drv.h>

#include "hearth_admin.h"
#include "hearth_device.h"
#include "hearth_reset.h"
#include "hearth_telemetry.h"

static struct hearth_device *hearth_sysfs_device(struct device *dev)
{
	return pci_get_drvdata(to_pci_dev(dev));
}

static int hearth_sysfs_telemetry(struct device *dev, struct hbi_telemetry *telemetry)
{
	struct hearth_device *hdev = hearth_sysfs_device(dev);
	int idx, ret;

	ret = hearth_device_peek(hdev, &idx);
	if (ret)
		return ret;
	ret = hearth_admin_telemetry(hdev, 0, telemetry);
	hearth_device_exit(hdev, idx);
	return ret;
}

static ssize_t uuid_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%pUb\n", hearth_sysfs_device(dev)->info.uuid);
}
static DEVICE_ATTR_RO(uuid);

static ssize_t state_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", hearth_device_state_name(hearth_sysfs_device(dev)));
}
static DEVICE_ATTR_RO(state);

static ssize_t epoch_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", hearth_device_epoch(hearth_sysfs_device(dev)));
}
static DEVICE_ATTR_RO(epoch);

static ssize_t resets_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", hearth_reset_count(hearth_sysfs_device(dev)));
}
static DEVICE_ATTR_RO(resets);

/* Contexts that failed by their own fault. */
static ssize_t faults_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", atomic_read(&hearth_sysfs_device(dev)->faults));
}
static DEVICE_ATTR_RO(faults);

static ssize_t firmware_version_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", hearth_sysfs_device(dev)->identity.firmware_version);
}
static DEVICE_ATTR_RO(firmware_version);

/* Which image runs: "own", the one for this board alone, or "common". */
static ssize_t firmware_image_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n",
			  READ_ONCE(hearth_sysfs_device(dev)->firmware_own) ? "own" : "common");
}
static DEVICE_ATTR_RO(firmware_image);

static ssize_t name_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", hearth_sysfs_device(dev)->identity.board_name);
}
static DEVICE_ATTR_RO(name);

/* "1" resets the board; the write returns when that is done. */
static ssize_t reset_store(struct device *dev, struct device_attribute *attr, const char *buf,
			   size_t count)
{
	int ret;

	if (!sysfs_streq(buf, "1"))
		return -EINVAL;
	ret = hearth_reset_by_hand(hearth_sysfs_device(dev));
	return ret ? ret : count;
}
static DEVICE_ATTR_WO(reset);

static ssize_t workers_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", hearth_sysfs_device(dev)->info.workers);
}
static DEVICE_ATTR_RO(workers);

/* Nanoseconds of the board's clock; busy_ns grows by up to @workers times as much. */
static ssize_t time_ns_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct hbi_telemetry telemetry;
	int ret = hearth_sysfs_telemetry(dev, &telemetry);

	if (ret)
		return ret;
	return sysfs_emit(buf, "%llu\n",
			  hearth_telemetry_ns(hearth_sysfs_device(dev), telemetry.ticks));
}
static DEVICE_ATTR_RO(time_ns);

static ssize_t busy_ns_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct hbi_telemetry telemetry;
	int ret = hearth_sysfs_telemetry(dev, &telemetry);

	if (ret)
		return ret;
	return sysfs_emit(buf, "%llu\n",
			  hearth_telemetry_ns(hearth_sysfs_device(dev), telemetry.busy));
}
static DEVICE_ATTR_RO(busy_ns);

static ssize_t worker_busy_ns_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct hearth_device *hdev = hearth_sysfs_device(dev);
	struct hbi_telemetry telemetry;
	int i, workers, length = 0, ret = hearth_sysfs_telemetry(dev, &telemetry);

	if (ret)
		return ret;
	workers = min3(telemetry.workers, hdev->info.workers, (u32)HBI_TELEMETRY_WORKERS);
	for (i = 0; i < workers; i++)
		length += sysfs_emit_at(buf, length, "%s%llu", i ? " " : "",
					hearth_telemetry_ns(hdev, telemetry.worker_busy[i]));
	return length + sysfs_emit_at(buf, length, "\n");
}
static DEVICE_ATTR_RO(worker_busy_ns);

static ssize_t dispatches_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct hbi_telemetry telemetry;
	int ret = hearth_sysfs_telemetry(dev, &telemetry);

	if (ret)
		return ret;
	return sysfs_emit(buf, "%llu\n", telemetry.dispatches);
}
static DEVICE_ATTR_RO(dispatches);

static struct attribute *hearth_sysfs_attributes[] = {
	&dev_attr_uuid.attr,
	&dev_attr_state.attr,
	&dev_attr_epoch.attr,
	&dev_attr_resets.attr,
	&dev_attr_faults.attr,
	&dev_attr_name.attr,
	&dev_attr_firmware_version.attr,
	&dev_attr_firmware_image.attr,
	&dev_attr_reset.attr,
	&dev_attr_workers.attr,
	&dev_attr_time_ns.attr,
	&dev_attr_busy_ns.attr,
	&dev_attr_worker_busy_ns.attr,
	&dev_attr_dispatches.attr,
	NULL,
};

static umode_t hearth_sysfs_visible(struct kobject *kobj, struct attribute *attr, int index)
{
	struct hearth_device *hdev = hearth_sysfs_device(kobj_to_dev(kobj));

	if (attr == &dev_attr_time_ns.attr || attr == &dev_attr_busy_ns.attr ||
	    attr == &dev_attr_worker_busy_ns.attr || attr == &dev_attr_dispatches.attr)
		return hdev->info.caps & HBI_CAP_TELEMETRY ? attr->mode : 0;
	return attr->mode;
}

static const struct attribute_group hearth_sysfs_group = {
	.name = "hearth",
	.attrs = hearth_sysfs_attributes,
	.is_visible = hearth_sysfs_visible,
};

/* Before the device node is told of: what gives it a name looks here when it hears of it. */
int hearth_sysfs_init(struct hearth_device *hdev)
{
	return sysfs_create_group(&hdev->pdev->dev.kobj, &hearth_sysfs_group);
}

/* Before anything of the board is let go: waits for who reads or writes here. */
void hearth_sysfs_fini(struct hearth_device *hdev)
{
	sysfs_remove_group(&hdev->pdev->dev.kobj, &hearth_sysfs_group);
}
