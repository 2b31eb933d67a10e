// SPDX-License-Identifier: MIT
/*
 * The last error of each thread, and how results of Vulkan become statuses of hearth.h.
 */
#include "runtime.h"

#include <stdarg.h>
#include <stdio.h>

static _Thread_local char last_error[1024];

const char *hearth_last_error(void)
{
	return last_error;
}

const char *hearth_status_string(enum hearth_status status)
{
	switch (status) {
	case HEARTH_OK:
		return "ok";
	case HEARTH_ERROR_INVALID_ARGUMENT:
		return "invalid argument";
	case HEARTH_ERROR_OUT_OF_MEMORY:
		return "out of host memory";
	case HEARTH_ERROR_OUT_OF_DEVICE_MEMORY:
		return "out of device memory";
	case HEARTH_ERROR_NO_DEVICE:
		return "no such device";
	case HEARTH_ERROR_UNSUPPORTED:
		return "not supported by the device";
	case HEARTH_ERROR_COMPILE:
		return "the shader was refused";
	case HEARTH_ERROR_DEVICE_LOST:
		return "the device was lost";
	case HEARTH_ERROR_TIMEOUT:
		return "timeout";
	case HEARTH_ERROR_DRIVER:
		return "error of the Vulkan driver";
	}
	return "unknown status";
}

enum hearth_status hrt_fail(enum hearth_status status, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(last_error, sizeof(last_error), format, arguments);
	va_end(arguments);
	return status;
}

static const struct {
	VkResult result;
	enum hearth_status status;
	const char *text;
} vk_results[] = {
	{ VK_ERROR_OUT_OF_HOST_MEMORY, HEARTH_ERROR_OUT_OF_MEMORY, "out of host memory" },
	{ VK_ERROR_OUT_OF_DEVICE_MEMORY, HEARTH_ERROR_OUT_OF_DEVICE_MEMORY,
	  "out of device memory" },
	{ VK_ERROR_OUT_OF_POOL_MEMORY, HEARTH_ERROR_OUT_OF_DEVICE_MEMORY, "out of pool memory" },
	{ VK_ERROR_TOO_MANY_OBJECTS, HEARTH_ERROR_OUT_OF_DEVICE_MEMORY, "too many allocations" },
	{ VK_ERROR_DEVICE_LOST, HEARTH_ERROR_DEVICE_LOST, "the device was lost" },
	{ VK_ERROR_INITIALIZATION_FAILED, HEARTH_ERROR_DRIVER, "initialisation failed" },
	{ VK_ERROR_INCOMPATIBLE_DRIVER, HEARTH_ERROR_NO_DEVICE, "no usable Vulkan driver found" },
	{ VK_ERROR_EXTENSION_NOT_PRESENT, HEARTH_ERROR_UNSUPPORTED, "an extension is missing" },
	{ VK_ERROR_FEATURE_NOT_PRESENT, HEARTH_ERROR_UNSUPPORTED, "a feature is missing" },
	{ VK_ERROR_LAYER_NOT_PRESENT, HEARTH_ERROR_UNSUPPORTED, "a layer is missing" },
	{ VK_ERROR_INVALID_SHADER_NV, HEARTH_ERROR_COMPILE, "the shader was refused" },
	{ VK_TIMEOUT, HEARTH_ERROR_TIMEOUT, "timeout" },
};

enum hearth_status hrt_fail_vk(VkResult result, const char *call, const char *format, ...)
{
	enum hearth_status status = HEARTH_ERROR_DRIVER;
	const char *text = "unexpected result";
	char what[640];
	va_list arguments;

	for (size_t i = 0; i < HRT_COUNT(vk_results); i++) {
		if (vk_results[i].result == result) {
			status = vk_results[i].status;
			text = vk_results[i].text;
		}
	}
	va_start(arguments, format);
	vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	return hrt_fail(status, "%s: %s: %s (VkResult %d)", what, call, text, result);
}
