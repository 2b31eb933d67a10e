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
#include "hearth_telemetry.h"

#define HEARTH_ZERO_CELSIUS_MK 273150

static u32 hearth_hwmon_bit(enum hwmon_sensor_types type)
{
	switch (type) {
	case hwmon_temp:
		return HBI_TELEMETRY_TEMPERATURE;
	case hwmon_power:
		return HBI_TELEMETRY_POWER;
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

	return hdev->sensors & hearth_hwmon_bit(type) ? 0444 : 0;
}

static int hearth_hwmon_read(struct device *dev, enum hwmon_sensor_types type, u32 attr,
			     int channel, long *value)
{
	struct hearth_device *hdev = dev_get_drvdata(dev);
	struct hbi_telemetry telemetry;
	int idx, ret;

	ret = hearth_device_peek(hdev, &idx);
	if (ret)
		return ret;
	ret = hearth_admin_telemetry(hdev, 0, &telemetry);
	hearth_device_exit(hdev, idx);
	if (ret)
		return ret;
	if (!(telemetry.valid & hearth_hwmon_bit(type)))
		return -ENODATA;
	switch (type) {
	case hwmon_temp:
		*value = (long)telemetry.temperature_mk - HEARTH_ZERO_CELSIUS_MK;
		return 0;
	case hwmon_power:
		*value = (long)telemetry.power_mw * 1000;
		return 0;
	case hwmon_energy:
		*value = min_t(u64, telemetry.energy_uj, LONG_MAX);
		return 0;
	default:
		return -EOPNOTSUPP;
	}
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
	.read_string = hearth_hwmon_read_string,
};

static const struct hwmon_channel_info *const hearth_hwmon_channels[] = {
	HWMON_CHANNEL_INFO(temp, HWMON_T_INPUT | HWMON_T_LABEL),
	HWMON_CHANNEL_INFO(power, HWMON_P_AVERAGE | HWMON_P_LABEL),
	HWMON_CHANNEL_INFO(energy, HWMON_E_INPUT | HWMON_E_LABEL),
	NULL,
};

static const struct hwmon_chip_info hearth_hwmon_chip = {
	.ops = &hearth_hwmon_ops,
	.info = hearth_hwmon_channels,
};

/* From probe, of a live board. A board without sensors has none; one without hwmon works too. */
void hearth_hwmon_init(struct hearth_device *hdev)
{
	struct hbi_telemetry telemetry;
	struct device *hwmon;

	if (!(hdev->info.caps & HBI_CAP_TELEMETRY) || hearth_admin_telemetry(hdev, 0, &telemetry))
		return;
	hdev->sensors = telemetry.valid;
	if (!IS_REACHABLE(CONFIG_HWMON) || !(telemetry.valid & ~HBI_TELEMETRY_MODEL))
		return;
	hwmon = devm_hwmon_device_register_with_info(hdev->drm.dev, "hearth", hdev,
						     &hearth_hwmon_chip, NULL);
	if (IS_ERR(hwmon))
		drm_notice(&hdev->drm, "no hwmon device: %pe\n", hwmon);
}
