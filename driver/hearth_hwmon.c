// SPDX-License-Identifier: GPL-2.0-only
/*
 * The board's sensors as a hwmon device. Only what the board says it has is there; a model is
 * labelled as one.
 */
#include <linux/hwmon.h>

#include <drm/drm_drv.h>
#include <drm/drm_print.h>

#include "hearth_admin.h"
#include "hearth_device.h"
#include "hearth_pci.h"
#include "hearth_telemetry.h"

#define HEARTH_ZERO_CELSIUS_MK 273150

static u32 hearth_hwmon_bit(enum hwmon_sensor_types type, u32 attr)
{
	switch (type) {
	case hwmon_temp:
		return HBI_TELEMETRY_TEMPERATURE;
	case hwmon_power:
		return attr == hwmon_power_cap || attr == hwmon_power_cap_min ||
				       attr == hwmon_power_cap_max
			       ? HBI_TELEMETRY_POWER_LIMIT
			       : HBI_TELEMETRY_POWER;
	case hwmon_energy:
		return HBI_TELEMETRY_ENERGY;
	default:
		return 0;
	}
}

static umode_t hearth_hwmon_visible(const void *data, enum hwmon_sensor_types type, u32 attr,
				    int channel)
{
	const struct hearth_device *hdev = data;

	if (!(hdev->sensors & hearth_hwmon_bit(type, attr)))
		return 0;
	return type == hwmon_power && attr == hwmon_power_cap ? 0644 : 0444;
}

/* -ENODATA if the board no longer tells what @bit stands for. */
static int hearth_hwmon_ask(struct hearth_device *hdev, u32 bit, struct hbi_telemetry *telemetry)
{
	int idx, ret;

	ret = hearth_device_peek(hdev, &idx);
	if (ret)
		return ret;
	ret = hearth_admin_telemetry(hdev, 0, telemetry);
	hearth_device_exit(hdev, idx);
	if (ret)
		return ret;
	return telemetry->valid & bit ? 0 : -ENODATA;
}

static long hearth_hwmon_power(const struct hbi_telemetry *telemetry, u32 attr)
{
	switch (attr) {
	case hwmon_power_cap:
		return (long)telemetry->power_limit_mw * 1000;
	case hwmon_power_cap_min:
		return (long)telemetry->power_limit_min_mw * 1000;
	case hwmon_power_cap_max:
		return (long)telemetry->power_limit_max_mw * 1000;
	default:
		return (long)telemetry->power_mw * 1000;
	}
}

static int hearth_hwmon_read(struct device *dev, enum hwmon_sensor_types type, u32 attr,
			     int channel, long *value)
{
	struct hbi_telemetry telemetry;
	int ret;

	ret = hearth_hwmon_ask(dev_get_drvdata(dev), hearth_hwmon_bit(type, attr), &telemetry);
	if (ret)
		return ret;
	switch (type) {
	case hwmon_temp:
		*value = (long)telemetry.temperature_mk - HEARTH_ZERO_CELSIUS_MK;
		return 0;
	case hwmon_power:
		*value = hearth_hwmon_power(&telemetry, attr);
		return 0;
	case hwmon_energy:
		*value = min_t(u64, telemetry.energy_uj, LONG_MAX);
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

/* power1_cap, in microwatts; 0 is the board's own. The board knows its range. */
static int hearth_hwmon_write(struct device *dev, enum hwmon_sensor_types type, u32 attr,
			      int channel, long value)
{
	struct hearth_device *hdev = dev_get_drvdata(dev);
	int idx, ret;
	u32 limit;

	if (type != hwmon_power || attr != hwmon_power_cap)
		return -EOPNOTSUPP;
	if (value < 0 || value / 1000 > U32_MAX || (value && value < 1000))
		return -EINVAL;
	limit = value / 1000;
	ret = hearth_pm_get(hdev);
	if (ret)
		return ret;
	ret = hearth_device_enter(hdev, &idx);
	if (ret)
		goto out_put;
	ret = hearth_admin_power_limit(hdev, limit);
	if (!ret)
		WRITE_ONCE(hdev->power_limit_mw, limit);
	hearth_device_exit(hdev, idx);
out_put:
	hearth_pm_put(hdev);
	return ret;
}

static int hearth_hwmon_read_string(struct device *dev, enum hwmon_sensor_types type, u32 attr,
				    int channel, const char **text)
{
	struct hearth_device *hdev = dev_get_drvdata(dev);

	*text = hdev->sensors & HBI_TELEMETRY_MODEL ? "board (model)" : "board";
	return 0;
}

static const struct hwmon_ops hearth_hwmon_ops = {
	.is_visible = hearth_hwmon_visible,
	.read = hearth_hwmon_read,
	.write = hearth_hwmon_write,
	.read_string = hearth_hwmon_read_string,
};

static const struct hwmon_channel_info *const hearth_hwmon_channels[] = {
	HWMON_CHANNEL_INFO(temp, HWMON_T_INPUT | HWMON_T_LABEL),
	HWMON_CHANNEL_INFO(power, HWMON_P_AVERAGE | HWMON_P_LABEL | HWMON_P_CAP | HWMON_P_CAP_MIN |
					  HWMON_P_CAP_MAX),
	HWMON_CHANNEL_INFO(energy, HWMON_E_INPUT | HWMON_E_LABEL),
	NULL,
};

static const struct hwmon_chip_info hearth_hwmon_chip = {
	.ops = &hearth_hwmon_ops,
	.info = hearth_hwmon_channels,
};

/*
 * The kernel's hwmon devices have no type for clocks; these are named as GPUs' drivers name theirs.
 */
static ssize_t freq1_input_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct hbi_telemetry telemetry;
	int ret = hearth_hwmon_ask(dev_get_drvdata(dev), HBI_TELEMETRY_CLOCK, &telemetry);

	if (ret)
		return ret;
	return sysfs_emit(buf, "%llu\n", (u64)telemetry.clock_khz * 1000);
}
static DEVICE_ATTR_RO(freq1_input);

static ssize_t freq1_label_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	const char *text;

	hearth_hwmon_read_string(dev, hwmon_chip, 0, 0, &text);
	return sysfs_emit(buf, "%s\n", text);
}
static DEVICE_ATTR_RO(freq1_label);

static ssize_t power1_cap_default_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct hbi_telemetry telemetry;
	int ret = hearth_hwmon_ask(dev_get_drvdata(dev), HBI_TELEMETRY_POWER_LIMIT, &telemetry);

	if (ret)
		return ret;
	return sysfs_emit(buf, "%llu\n", (u64)telemetry.power_limit_default_mw * 1000);
}
static DEVICE_ATTR_RO(power1_cap_default);

static struct attribute *hearth_hwmon_attributes[] = {
	&dev_attr_freq1_input.attr,
	&dev_attr_freq1_label.attr,
	&dev_attr_power1_cap_default.attr,
	NULL,
};

static umode_t hearth_hwmon_attribute_visible(struct kobject *kobj, struct attribute *attr,
					      int index)
{
	struct hearth_device *hdev = dev_get_drvdata(kobj_to_dev(kobj));
	u32 bit = attr == &dev_attr_power1_cap_default.attr ? HBI_TELEMETRY_POWER_LIMIT
							    : HBI_TELEMETRY_CLOCK;

	return hdev->sensors & bit ? attr->mode : 0;
}

static const struct attribute_group hearth_hwmon_group = {
	.attrs = hearth_hwmon_attributes,
	.is_visible = hearth_hwmon_attribute_visible,
};

static const struct attribute_group *hearth_hwmon_groups[] = { &hearth_hwmon_group, NULL };

/* From probe, of a live board. A board without sensors has none; one without hwmon works too. */
void hearth_hwmon_init(struct hearth_device *hdev)
{
	struct hbi_telemetry telemetry;
	struct device *hwmon;

	if (!(hdev->info.caps & HBI_CAP_TELEMETRY) || hearth_admin_telemetry(hdev, 0, &telemetry))
		return;
	hdev->sensors = telemetry.valid;
	if (!(hdev->info.caps & HBI_CAP_POWER_LIMIT))
		hdev->sensors &= ~HBI_TELEMETRY_POWER_LIMIT;
	if (!IS_REACHABLE(CONFIG_HWMON) || !(telemetry.valid & ~HBI_TELEMETRY_MODEL))
		return;
	hwmon = devm_hwmon_device_register_with_info(hdev->drm.dev, "hearth", hdev,
						     &hearth_hwmon_chip, hearth_hwmon_groups);
	if (IS_ERR(hwmon))
		drm_notice(&hdev->drm, "no hwmon device: %pe\n", hwmon);
}
