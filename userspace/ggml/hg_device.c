// SPDX-License-Identifier: MIT
/*
 * The plugin as libggml sees it: its entry points and its devices, one for each Vulkan device that libhearth
 * finds and whose shaders can read and write 16-bit numbers. Devices are opened on first use and stay open as
 * long as the process, as libggml may use them from destructors.
 */
#include "hg.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void hg_error(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	fputs("ggml-hearth: ", stderr);
	vfprintf(stderr, format, list);
	fputc('\n', stderr);
	va_end(list);
}

void hg_hearth_error(const char *what)
{
	hg_error("%s: %s", what, hearth_last_error());
}

struct hearth_device *hg_device_open(struct hg_device *device)
{
	pthread_mutex_lock(&device->lock);
	if (!device->hearth &&
	    hearth_device_create(device->instance, device->index, &device->hearth) != HEARTH_OK)
		hg_hearth_error(device->name);
	pthread_mutex_unlock(&device->lock);
	return device->hearth;
}

static const char *device_get_name(ggml_backend_dev_t dev)
{
	return ((struct hg_device *)dev->context)->name;
}

static const char *device_get_description(ggml_backend_dev_t dev)
{
	return ((struct hg_device *)dev->context)->properties.name;
}

static void device_get_memory(ggml_backend_dev_t dev, size_t *free, size_t *total)
{
	const struct hg_device *device = dev->context;

	*free = device->properties.memory_bytes;
	*total = device->properties.memory_bytes;
}

static enum ggml_backend_dev_type device_get_type(ggml_backend_dev_t dev)
{
	const struct hg_device *device = dev->context;

	/* A CPU that is a Vulkan device is no ggml CPU device: those own host memory. */
	switch (device->properties.type) {
	case HEARTH_DEVICE_CPU:
	case HEARTH_DEVICE_INTEGRATED_GPU:
		return GGML_BACKEND_DEVICE_TYPE_IGPU;
	default:
		return GGML_BACKEND_DEVICE_TYPE_GPU;
	}
}

static void device_get_props(ggml_backend_dev_t dev, struct ggml_backend_dev_props *props)
{
	memset(props, 0, sizeof(*props));
	props->name = device_get_name(dev);
	props->description = device_get_description(dev);
	props->type = device_get_type(dev);
	device_get_memory(dev, &props->memory_free, &props->memory_total);
}

static ggml_backend_t device_init_backend(ggml_backend_dev_t dev, const char *parameters)
{
	(void)parameters;
	return hg_backend_create(dev->context);
}

static ggml_backend_buffer_type_t device_get_buffer_type(ggml_backend_dev_t dev)
{
	return &((struct hg_device *)dev->context)->memory;
}

static bool device_supports_op(ggml_backend_dev_t dev, const struct ggml_tensor *op)
{
	return hg_op_supported(dev->context, op);
}

static bool device_supports_buft(ggml_backend_dev_t dev, ggml_backend_buffer_type_t type)
{
	return type == &((struct hg_device *)dev->context)->memory;
}

/* ---- The plugin ---- */

static struct {
	struct hearth_instance *instance;
	struct hg_device *devices;
	size_t count;
} plugin;

static const char *reg_get_name(ggml_backend_reg_t reg)
{
	(void)reg;
	return "Hearth";
}

static size_t reg_get_device_count(ggml_backend_reg_t reg)
{
	(void)reg;
	return plugin.count;
}

static ggml_backend_dev_t reg_get_device(ggml_backend_reg_t reg, size_t index)
{
	(void)reg;
	return index < plugin.count ? &plugin.devices[index].ggml : NULL;
}

static void *reg_get_proc_address(ggml_backend_reg_t reg, const char *name)
{
	(void)reg;
	(void)name;
	return NULL;
}

static struct ggml_backend_reg registration = {
	.api_version = HG_ABI_VERSION,
	.iface = {
		.get_name = reg_get_name,
		.get_device_count = reg_get_device_count,
		.get_device = reg_get_device,
		.get_proc_address = reg_get_proc_address,
	},
};

static const struct ggml_backend_device_i device_iface = {
	.get_name = device_get_name,
	.get_description = device_get_description,
	.get_memory = device_get_memory,
	.get_type = device_get_type,
	.get_props = device_get_props,
	.init_backend = device_init_backend,
	.get_buffer_type = device_get_buffer_type,
	.supports_op = device_supports_op,
	.supports_buft = device_supports_buft,
};

static void add_device(uint32_t index)
{
	struct hg_device *device = &plugin.devices[plugin.count];

	device->properties.struct_size = sizeof(device->properties);
	if (hearth_device_get_properties(plugin.instance, index, &device->properties) !=
	    HEARTH_OK) {
		hg_hearth_error("properties of a device");
		return;
	}
	if (!device->properties.storage16 ||
	    device->properties.max_workgroup_invocations < HG_LOCAL) {
		hg_error("%s is left out: it lacks 16-bit storage or work-groups of %d",
			 device->properties.name, HG_LOCAL);
		return;
	}
	device->instance = plugin.instance;
	device->index = index;
	pthread_mutex_init(&device->lock, NULL);
	snprintf(device->name, sizeof(device->name), "Hearth%zu", plugin.count);
	device->ggml = (struct ggml_backend_device){
		.iface = device_iface,
		.reg = &registration,
		.context = device,
	};
	hg_memory_init(device);
	plugin.count++;
}

/* What the runtime says; drivers and layers say much that is no error. */
static void on_message(void *user, const char *message)
{
	(void)user;
	if (!strncmp(message, "hearth: ", 8))
		hg_error("%s", message + 8);
}

static void find_devices(void)
{
	const struct hearth_instance_info info = { .struct_size = sizeof(info), .log = on_message };
	uint32_t count;

	/* No Vulkan driver is no error: there are no devices then. */
	if (hearth_instance_create(&info, &plugin.instance) != HEARTH_OK)
		return;
	count = hearth_device_count(plugin.instance);
	plugin.devices = calloc(count ? count : 1, sizeof(*plugin.devices));
	if (!plugin.devices) {
		hg_error("out of memory");
		return;
	}
	for (uint32_t i = 0; i < count; i++)
		add_device(i);
}

ggml_backend_reg_t ggml_backend_init(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	if (!hg_ops_verify())
		return NULL;
	pthread_once(&once, find_devices);
	return &registration;
}

int ggml_backend_score(void)
{
	return hg_ops_verify();
}
