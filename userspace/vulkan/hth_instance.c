// SPDX-License-Identifier: MIT
/*
 * Instances: their extensions, the debug messengers that hear what went wrong, and the list of
 * physical devices, which is made when it is first asked for.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hth_private.h"

static const VkAllocationCallbacks *instance_callbacks(const struct hth_instance *instance)
{
	return instance->has_callbacks ? &instance->callbacks : NULL;
}

VKAPI_ATTR VkResult VKAPI_CALL hth_EnumerateInstanceVersion(uint32_t *version)
{
	*version = HTH_API_VERSION;
	return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL hth_EnumerateInstanceLayerProperties(uint32_t *count,
								    VkLayerProperties *properties)
{
	(void)properties;
	*count = 0;
	return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL hth_EnumerateInstanceExtensionProperties(
	const char *layer, uint32_t *count, VkExtensionProperties *properties)
{
	uint32_t total = 0, written = 0;

	if (layer)
		return VK_ERROR_LAYER_NOT_PRESENT;
	for (uint32_t i = 0; i < HTH_EXTENSION_COUNT; i++) {
		if (!hth_extensions[i].instance)
			continue;
		total++;
		if (!properties || written >= *count)
			continue;
		memset(&properties[written], 0, sizeof(properties[written]));
		snprintf(properties[written].extensionName, VK_MAX_EXTENSION_NAME_SIZE, "%s",
			 hth_extensions[i].name);
		properties[written++].specVersion = hth_extensions[i].spec_version;
	}
	*count = properties ? written : total;
	return properties && written < total ? VK_INCOMPLETE : VK_SUCCESS;
}

static struct hth_messenger *messenger_create(struct hth_instance *instance,
					      const VkDebugUtilsMessengerCreateInfoEXT *info,
					      const VkAllocationCallbacks *callbacks)
{
	struct hth_messenger *messenger =
		hth_alloc(instance_callbacks(instance), callbacks, sizeof(*messenger),
			  VK_SYSTEM_ALLOCATION_SCOPE_OBJECT);

	if (!messenger)
		return NULL;
	hth_object_init(messenger, VK_OBJECT_TYPE_DEBUG_UTILS_MESSENGER_EXT);
	messenger->severity = info->messageSeverity;
	messenger->types = info->messageType;
	messenger->callback = info->pfnUserCallback;
	messenger->user = info->pUserData;
	pthread_mutex_lock(&instance->lock);
	messenger->next = instance->messengers;
	instance->messengers = messenger;
	pthread_mutex_unlock(&instance->lock);
	return messenger;
}

/* ---- Programs that need something of the driver ---- */

static const struct {
	const char *application;
	uint32_t least_subgroup_size;
} quirks[] = {
	/*
	 * Where a device says 8 and lets a shader ask for 16, its small tile of MUL_MAT_ID has one subgroup of 16 do
	 * the work of four, and three quarters of the result are never written.
	 */
	{ "ggml-vulkan", 16 },
};

static void apply_quirks(struct hth_instance *instance, const VkApplicationInfo *application)
{
	if (!application || !application->pApplicationName)
		return;
	for (uint32_t i = 0; i < HTH_COUNT(quirks); i++)
		if (!strcmp(quirks[i].application, application->pApplicationName))
			instance->least_subgroup_size = quirks[i].least_subgroup_size;
}

VKAPI_ATTR VkResult VKAPI_CALL hth_CreateInstance(const VkInstanceCreateInfo *info,
						  const VkAllocationCallbacks *callbacks,
						  VkInstance *out)
{
	struct hth_instance *instance;
	pthread_mutexattr_t attributes;

	for (uint32_t i = 0; i < info->enabledExtensionCount; i++) {
		uint32_t known = 0;

		while (known < HTH_EXTENSION_COUNT &&
		       (!hth_extensions[known].instance ||
			strcmp(hth_extensions[known].name, info->ppEnabledExtensionNames[i])))
			known++;
		if (known == HTH_EXTENSION_COUNT)
			return VK_ERROR_EXTENSION_NOT_PRESENT;
	}
	instance =
		hth_alloc(NULL, callbacks, sizeof(*instance), VK_SYSTEM_ALLOCATION_SCOPE_INSTANCE);
	if (!instance)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	hth_object_init(instance, VK_OBJECT_TYPE_INSTANCE);
	if (callbacks) {
		instance->callbacks = *callbacks;
		instance->has_callbacks = true;
	}
	instance->api_version = VK_API_VERSION_1_0;
	if (info->pApplicationInfo && info->pApplicationInfo->apiVersion)
		instance->api_version = info->pApplicationInfo->apiVersion;
	apply_quirks(instance, info->pApplicationInfo);
	for (uint32_t i = 0; i < info->enabledExtensionCount; i++)
		for (uint32_t k = 0; k < HTH_EXTENSION_COUNT; k++)
			if (!strcmp(hth_extensions[k].name, info->ppEnabledExtensionNames[i]))
				instance->extensions[k] = true;
	/* Recursive: finding the devices may have something to say. */
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&instance->lock, &attributes);
	pthread_mutexattr_destroy(&attributes);
	*out = hth_instance_to_handle(instance);
	return VK_SUCCESS;
}

static pthread_mutex_t usage_lock =
	PTHREAD_MUTEX_INITIALIZER; /* of the list, and of its counts of instances */
static struct hth_heap_usage *usages;

static struct hth_heap_usage *join_usage(const uint8_t *uuid)
{
	struct hth_heap_usage *usage;

	pthread_mutex_lock(&usage_lock);
	for (usage = usages; usage; usage = usage->next)
		if (!memcmp(usage->uuid, uuid, VK_UUID_SIZE))
			break;
	if (!usage) {
		usage = calloc(1, sizeof(*usage));
		if (usage) {
			memcpy(usage->uuid, uuid, VK_UUID_SIZE);
			usage->next = usages;
			usages = usage;
		}
	}
	if (usage)
		usage->instances++;
	pthread_mutex_unlock(&usage_lock);
	return usage;
}

static void leave_usage(struct hth_heap_usage *usage)
{
	struct hth_heap_usage **at = &usages;

	pthread_mutex_lock(&usage_lock);
	if (!--usage->instances) {
		while (*at != usage)
			at = &(*at)->next;
		*at = usage->next;
		free(usage);
	}
	pthread_mutex_unlock(&usage_lock);
}

VKAPI_ATTR void VKAPI_CALL hth_DestroyInstance(VkInstance handle,
					       const VkAllocationCallbacks *callbacks)
{
	struct hth_instance *instance = hth_instance_from_handle(handle);

	if (!instance)
		return;
	for (uint32_t i = 0; i < instance->physical_device_count; i++) {
		struct hth_physical_device *device = instance->physical_devices[i];

		device->backend->physical_device_finish(device);
		leave_usage(device->usage);
		hth_object_finish(device);
		free(device);
	}
	free(instance->physical_devices);
	pthread_mutex_destroy(&instance->lock);
	hth_object_finish(instance);
	hth_free(instance_callbacks(instance), callbacks, instance);
}

VkResult hth_instance_add_device(struct hth_instance *instance,
				 struct hth_physical_device *physical_device)
{
	struct hth_physical_device **grown =
		realloc(instance->physical_devices, (instance->physical_device_count + 1) *
							    sizeof(struct hth_physical_device *));

	if (!grown)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	instance->physical_devices = grown;
	physical_device->usage = join_usage(physical_device->uuid);
	if (!physical_device->usage)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	hth_object_init(physical_device, VK_OBJECT_TYPE_PHYSICAL_DEVICE);
	physical_device->instance = instance;
	if (physical_device->target.subgroup_size < instance->least_subgroup_size &&
	    physical_device->target.max_subgroup_size >= instance->least_subgroup_size)
		physical_device->target.subgroup_size = instance->least_subgroup_size;
	hth_physical_device_complete(physical_device);
	grown[instance->physical_device_count++] = physical_device;
	return VK_SUCCESS;
}

/* Boards come first, so that a program that takes the first device takes an accelerator. */
static VkResult enumerate(struct hth_instance *instance)
{
	VkResult result = VK_SUCCESS;

	pthread_mutex_lock(&instance->lock);
	if (!instance->enumerated) {
		result = hth_board_enumerate(instance);
		if (result == VK_SUCCESS)
			result = hth_host_enumerate(instance);
		instance->enumerated = true;
	}
	pthread_mutex_unlock(&instance->lock);
	return result;
}

VKAPI_ATTR VkResult VKAPI_CALL hth_EnumeratePhysicalDevices(VkInstance handle, uint32_t *count,
							    VkPhysicalDevice *devices)
{
	struct hth_instance *instance = hth_instance_from_handle(handle);
	VkResult result = enumerate(instance);
	uint32_t written;

	if (result != VK_SUCCESS)
		return result;
	if (!devices) {
		*count = instance->physical_device_count;
		return VK_SUCCESS;
	}
	written = HTH_MIN(*count, instance->physical_device_count);
	for (uint32_t i = 0; i < written; i++)
		devices[i] = hth_physical_device_to_handle(instance->physical_devices[i]);
	*count = written;
	return written < instance->physical_device_count ? VK_INCOMPLETE : VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL hth_EnumeratePhysicalDeviceGroups(
	VkInstance handle, uint32_t *count, VkPhysicalDeviceGroupProperties *groups)
{
	struct hth_instance *instance = hth_instance_from_handle(handle);
	VkResult result = enumerate(instance);
	uint32_t written;

	if (result != VK_SUCCESS)
		return result;
	if (!groups) {
		*count = instance->physical_device_count;
		return VK_SUCCESS;
	}
	written = HTH_MIN(*count, instance->physical_device_count);
	for (uint32_t i = 0; i < written; i++) {
		memset(groups[i].physicalDevices, 0, sizeof(groups[i].physicalDevices));
		groups[i].physicalDeviceCount = 1;
		groups[i].physicalDevices[0] =
			hth_physical_device_to_handle(instance->physical_devices[i]);
		groups[i].subsetAllocation = VK_FALSE;
	}
	*count = written;
	return written < instance->physical_device_count ? VK_INCOMPLETE : VK_SUCCESS;
}

/* ---- Messages ---- */

VKAPI_ATTR VkResult VKAPI_CALL hth_CreateDebugUtilsMessengerEXT(
	VkInstance handle, const VkDebugUtilsMessengerCreateInfoEXT *info,
	const VkAllocationCallbacks *callbacks, VkDebugUtilsMessengerEXT *out)
{
	struct hth_messenger *messenger =
		messenger_create(hth_instance_from_handle(handle), info, callbacks);

	if (!messenger)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	*out = hth_messenger_to_handle(messenger);
	return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL
hth_DestroyDebugUtilsMessengerEXT(VkInstance handle, VkDebugUtilsMessengerEXT messenger_handle,
				  const VkAllocationCallbacks *callbacks)
{
	struct hth_instance *instance = hth_instance_from_handle(handle);
	struct hth_messenger *messenger = hth_messenger_from_handle(messenger_handle);

	if (!messenger)
		return;
	pthread_mutex_lock(&instance->lock);
	for (struct hth_messenger **link = &instance->messengers; *link; link = &(*link)->next) {
		if (*link == messenger) {
			*link = messenger->next;
			break;
		}
	}
	pthread_mutex_unlock(&instance->lock);
	hth_object_finish(messenger);
	hth_free(instance_callbacks(instance), callbacks, messenger);
}

static void submit_message(struct hth_instance *instance,
			   VkDebugUtilsMessageSeverityFlagBitsEXT severity,
			   VkDebugUtilsMessageTypeFlagsEXT types,
			   const VkDebugUtilsMessengerCallbackDataEXT *data)
{
	pthread_mutex_lock(&instance->lock);
	for (struct hth_messenger *m = instance->messengers; m; m = m->next)
		if ((m->severity & severity) && (m->types & types))
			m->callback(severity, types, data, m->user);
	pthread_mutex_unlock(&instance->lock);
}

VKAPI_ATTR void VKAPI_CALL hth_SubmitDebugUtilsMessageEXT(
	VkInstance handle, VkDebugUtilsMessageSeverityFlagBitsEXT severity,
	VkDebugUtilsMessageTypeFlagsEXT types, const VkDebugUtilsMessengerCallbackDataEXT *data)
{
	submit_message(hth_instance_from_handle(handle), severity, types, data);
}

void hth_log(struct hth_instance *instance, VkDebugUtilsMessageSeverityFlagBitsEXT severity,
	     const char *id, const char *format, ...)
{
	char text[2048];
	va_list args;
	VkDebugUtilsMessengerCallbackDataEXT data = {
		.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CALLBACK_DATA_EXT,
		.pMessageIdName = id,
		.pMessage = text,
	};

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (instance && instance->messengers)
		submit_message(instance, severity, VK_DEBUG_UTILS_MESSAGE_TYPE_GENERAL_BIT_EXT,
			       &data);
	else if (severity >= VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT)
		fprintf(stderr, "hearth: %s\n", text);
}

/* Names and labels are for layers and tools; the driver itself has no use for them. */

VKAPI_ATTR VkResult VKAPI_CALL
hth_SetDebugUtilsObjectNameEXT(VkDevice device, const VkDebugUtilsObjectNameInfoEXT *info)
{
	(void)device;
	(void)info;
	return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL
hth_SetDebugUtilsObjectTagEXT(VkDevice device, const VkDebugUtilsObjectTagInfoEXT *info)
{
	(void)device;
	(void)info;
	return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL hth_QueueBeginDebugUtilsLabelEXT(VkQueue queue,
							    const VkDebugUtilsLabelEXT *label)
{
	(void)queue;
	(void)label;
}

VKAPI_ATTR void VKAPI_CALL hth_QueueEndDebugUtilsLabelEXT(VkQueue queue)
{
	(void)queue;
}

VKAPI_ATTR void VKAPI_CALL hth_QueueInsertDebugUtilsLabelEXT(VkQueue queue,
							     const VkDebugUtilsLabelEXT *label)
{
	(void)queue;
	(void)label;
}

VKAPI_ATTR void VKAPI_CALL hth_CmdBeginDebugUtilsLabelEXT(VkCommandBuffer buffer,
							  const VkDebugUtilsLabelEXT *label)
{
	(void)buffer;
	(void)label;
}

VKAPI_ATTR void VKAPI_CALL hth_CmdEndDebugUtilsLabelEXT(VkCommandBuffer buffer)
{
	(void)buffer;
}

VKAPI_ATTR void VKAPI_CALL hth_CmdInsertDebugUtilsLabelEXT(VkCommandBuffer buffer,
							   const VkDebugUtilsLabelEXT *label)
{
	(void)buffer;
	(void)label;
}
