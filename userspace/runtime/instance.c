// SPDX-License-Identifier: MIT
/*
 * Instances: finding Vulkan drivers and describing their devices. Devices that cannot serve (older
 * than Vulkan 1.2, no compute queue) are not listed; why is told to the log.
 *
 * Drivers given by path get a VkInstance of their own, which makes their devices come first
 * whatever order the loader prefers.
 */
#include "runtime.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OLDEST_VULKAN VK_API_VERSION_1_2

static void log_message(const struct hearth_instance *instance, const char *text)
{
	if (instance->log)
		instance->log(instance->log_user, text);
}

void hrt_log(const struct hearth_instance *instance, const char *format, ...)
{
	char text[1024];
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	log_message(instance, text);
}

static VKAPI_ATTR VkBool32 VKAPI_CALL on_message(VkDebugUtilsMessageSeverityFlagBitsEXT severity,
						 VkDebugUtilsMessageTypeFlagsEXT types,
						 const VkDebugUtilsMessengerCallbackDataEXT *data,
						 void *user)
{
	(void)types;
	/* Only our own driver's information is for users; the loader's and the layers' is theirs. */
	if (severity < VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT &&
	    (!data->pMessageIdName || strncmp(data->pMessageIdName, "hearth-", 7)))
		return VK_FALSE;
	log_message(user, data->pMessage ? data->pMessage : "(message without text)");
	return VK_FALSE;
}

static bool has_instance_extension(const char *name)
{
	VkExtensionProperties *properties = NULL;
	uint32_t count = 0;
	bool found = false;

	if (vkEnumerateInstanceExtensionProperties(NULL, &count, NULL) != VK_SUCCESS || !count)
		return false;
	properties = calloc(count, sizeof(*properties));
	if (!properties)
		return false;
	if (vkEnumerateInstanceExtensionProperties(NULL, &count, properties) >= 0)
		for (uint32_t i = 0; i < count && !found; i++)
			found = !strcmp(properties[i].extensionName, name);
	free(properties);
	return found;
}

/* @drivers: NULL for those that the loader finds. */
static VkResult create_vk(struct hearth_instance *instance,
			  const VkDirectDriverLoadingListLUNARG *drivers, uint32_t slot)
{
	const VkApplicationInfo application = {
		.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
		.pEngineName = "hearth",
		.engineVersion = HEARTH_API_VERSION,
		.apiVersion = VK_API_VERSION_1_3,
	};
	VkDebugUtilsMessengerCreateInfoEXT messenger = {
		.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
		.messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_INFO_BIT_EXT |
				   VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT |
				   VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
		.messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_GENERAL_BIT_EXT |
			       VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT |
			       VK_DEBUG_UTILS_MESSAGE_TYPE_PERFORMANCE_BIT_EXT,
		.pfnUserCallback = on_message,
		.pUserData = instance,
	};
	bool debug = instance->log && has_instance_extension(VK_EXT_DEBUG_UTILS_EXTENSION_NAME);
	PFN_vkCreateDebugUtilsMessengerEXT create_messenger;
	const char *extensions[2];
	uint32_t extension_count = 0;
	VkResult result;

	if (drivers)
		extensions[extension_count++] = VK_LUNARG_DIRECT_DRIVER_LOADING_EXTENSION_NAME;
	if (debug)
		extensions[extension_count++] = VK_EXT_DEBUG_UTILS_EXTENSION_NAME;
	messenger.pNext = drivers;

	const VkInstanceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
		.pNext = debug ? (const void *)&messenger : drivers,
		.pApplicationInfo = &application,
		.enabledExtensionCount = extension_count,
		.ppEnabledExtensionNames = extensions,
	};

	result = vkCreateInstance(&info, NULL, &instance->vk[slot]);
	if (result != VK_SUCCESS) {
		instance->vk[slot] = VK_NULL_HANDLE;
		return result;
	}
	messenger.pNext = NULL;
	create_messenger = (PFN_vkCreateDebugUtilsMessengerEXT)vkGetInstanceProcAddr(
		instance->vk[slot], "vkCreateDebugUtilsMessengerEXT");
	if (debug && create_messenger)
		create_messenger(instance->vk[slot], &messenger, NULL, &instance->messengers[slot]);
	return VK_SUCCESS;
}

/* ---- Devices ---- */

static bool find_queue_family(struct hrt_physical *physical)
{
	VkQueueFamilyProperties families[32];
	uint32_t count = HRT_COUNT(families);
	bool found = false;

	vkGetPhysicalDeviceQueueFamilyProperties(physical->vk, &count, families);
	for (uint32_t i = 0; i < count; i++) {
		bool graphics = families[i].queueFlags & VK_QUEUE_GRAPHICS_BIT;

		if (!(families[i].queueFlags & VK_QUEUE_COMPUTE_BIT) || !families[i].queueCount)
			continue;
		/* A family without graphics does not compete with a desktop for the device. */
		if (found && graphics)
			continue;
		physical->queue_family = i;
		physical->queue_count = families[i].queueCount;
		found = true;
		if (!graphics)
			break;
	}
	return found;
}

static enum hearth_device_type device_type(VkPhysicalDeviceType type)
{
	switch (type) {
	case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
		return HEARTH_DEVICE_INTEGRATED_GPU;
	case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
		return HEARTH_DEVICE_DISCRETE_GPU;
	case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
		return HEARTH_DEVICE_VIRTUAL_GPU;
	case VK_PHYSICAL_DEVICE_TYPE_CPU:
		return HEARTH_DEVICE_CPU;
	default:
		return HEARTH_DEVICE_OTHER;
	}
}

static void describe_memory(struct hrt_physical *physical)
{
	const VkPhysicalDeviceMemoryProperties *memory = &physical->memory;
	struct hearth_device_properties *p = &physical->properties;

	p->unified_memory = true;
	for (uint32_t i = 0; i < memory->memoryHeapCount; i++)
		if (memory->memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT &&
		    memory->memoryHeaps[i].size > p->memory_bytes)
			p->memory_bytes = memory->memoryHeaps[i].size;
	for (uint32_t heap = 0; heap < memory->memoryHeapCount; heap++) {
		bool visible = false;

		if (!(memory->memoryHeaps[heap].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT))
			continue;
		for (uint32_t i = 0; i < memory->memoryTypeCount; i++)
			if (memory->memoryTypes[i].heapIndex == heap &&
			    memory->memoryTypes[i].propertyFlags &
				    VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT)
				visible = true;
		p->unified_memory &= visible;
	}
}

/* Whether @list, with commas, names @ability. */
static bool names(const char *list, const char *ability)
{
	size_t length = strlen(ability);

	while (list && *list) {
		size_t item = strcspn(list, ",");

		if (item == length && !strncmp(list, ability, length))
			return true;
		list += item + (list[item] == ',');
	}
	return false;
}

/* HEARTH_DISABLE and what the program disables: for drivers that get it wrong, and for tests of what is done without it. */
static bool is_disabled(const struct hearth_instance *instance, const char *ability)
{
	return names(secure_getenv("HEARTH_DISABLE"), ability) || names(instance->disable, ability);
}

/* HEARTH_SUBGROUP: subgroups of another size than the device's default, for tests of what depends on it. */
static void ask_subgroup_size(struct hrt_physical *physical)
{
	const char *text = secure_getenv("HEARTH_SUBGROUP");
	unsigned long size = text ? strtoul(text, NULL, 10) : 0;

	if (!size || size & (size - 1) || size < physical->min_subgroup_size ||
	    size > physical->max_subgroup_size)
		return;
	physical->asked_subgroup_size = (uint32_t)size;
	physical->properties.subgroup_size = (uint32_t)size;
}

/* False, with the reason logged, if the device cannot serve. */
static bool describe(struct hearth_instance *instance, struct hrt_physical *physical)
{
	struct hearth_device_properties *p = &physical->properties;
	VkPhysicalDeviceVulkan11Properties v11 = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES,
		.pNext = NULL,
	};
	VkPhysicalDeviceVulkan12Properties v12 = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_PROPERTIES,
		.pNext = &v11,
	};
	VkPhysicalDeviceVulkan13Properties v13 = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_PROPERTIES,
		.pNext = &v12,
	};
	VkPhysicalDeviceVulkan11Features f11 = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES,
	};
	VkPhysicalDeviceVulkan12Features f12 = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
		.pNext = &f11,
	};
	VkPhysicalDeviceVulkan13Features f13 = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES,
		.pNext = &f12,
	};
	VkPhysicalDeviceProperties2 properties = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
	};
	VkPhysicalDeviceFeatures2 features = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
	};
	VkPhysicalDeviceProperties basic;
	char text[512];
	uint32_t wrong;
	bool v1_3;

	vkGetPhysicalDeviceProperties(physical->vk, &basic);
	if (basic.apiVersion < OLDEST_VULKAN) {
		snprintf(text, sizeof(text), "hearth: %s: Vulkan %u.%u, 1.2 is needed: not listed",
			 basic.deviceName, VK_API_VERSION_MAJOR(basic.apiVersion),
			 VK_API_VERSION_MINOR(basic.apiVersion));
		log_message(instance, text);
		return false;
	}
	v1_3 = basic.apiVersion >= VK_API_VERSION_1_3;
	properties.pNext = v1_3 ? (void *)&v13 : (void *)&v12;
	features.pNext = v1_3 ? (void *)&f13 : (void *)&f12;
	vkGetPhysicalDeviceProperties2(physical->vk, &properties);
	vkGetPhysicalDeviceFeatures2(physical->vk, &features);
	vkGetPhysicalDeviceMemoryProperties(physical->vk, &physical->memory);
	if (!find_queue_family(physical) || !f12.timelineSemaphore) {
		snprintf(text, sizeof(text),
			 "hearth: %s: no compute queue or no timeline semaphores: "
			 "not listed",
			 basic.deviceName);
		log_message(instance, text);
		return false;
	}
	physical->limits = basic.limits;
	memcpy(physical->driver_uuid, v11.driverUUID, VK_UUID_SIZE);
	if (v1_3 && f13.subgroupSizeControl &&
	    v13.requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT) {
		physical->min_subgroup_size = v13.minSubgroupSize;
		physical->max_subgroup_size = v13.maxSubgroupSize;
	}

	p->struct_size = sizeof(*p);
	p->type = device_type(basic.deviceType);
	snprintf(p->name, sizeof(p->name), "%s", basic.deviceName);
	snprintf(p->driver, sizeof(p->driver), "%.100s%s%.150s", v12.driverName,
		 v12.driverInfo[0] ? " " : "", v12.driverInfo);
	memcpy(p->uuid, v11.deviceUUID, sizeof(p->uuid));
	p->vulkan_version = basic.apiVersion;
	p->vendor_id = basic.vendorID;
	p->device_id = basic.deviceID;
	p->max_buffer_bytes = v11.maxMemoryAllocationSize;
	if (v1_3 && v13.maxBufferSize && v13.maxBufferSize < p->max_buffer_bytes)
		p->max_buffer_bytes = v13.maxBufferSize;
	p->subgroup_size = v11.subgroupSize;
	p->max_workgroup_invocations = basic.limits.maxComputeWorkGroupInvocations;
	p->shared_memory_bytes = basic.limits.maxComputeSharedMemorySize;
	p->max_binding_bytes = basic.limits.maxStorageBufferRange;
	p->float16 = f12.shaderFloat16;
	p->driver_version = basic.driverVersion;
	memcpy(p->driver_uuid, v11.driverUUID, sizeof(p->driver_uuid));
	wrong = instance->ignore_verdicts ? 0 : hrt_verdict_read(instance, p);
	p->storage16 = f11.storageBuffer16BitAccess && !(wrong & HRT_STORAGE16) &&
		       !is_disabled(instance, "storage16");
	p->storage8 = f12.storageBuffer8BitAccess;
	p->subgroup_arithmetic =
		v11.subgroupSupportedStages & VK_SHADER_STAGE_COMPUTE_BIT &&
		v11.subgroupSupportedOperations & VK_SUBGROUP_FEATURE_ARITHMETIC_BIT &&
		!(wrong & HRT_SUBGROUP) && !is_disabled(instance, "subgroup");
	physical->no_mapping = is_disabled(instance, "mapping");
	ask_subgroup_size(physical);
	p->integer_dot = v1_3 && f13.shaderIntegerDotProduct &&
			 v13.integerDotProduct4x8BitPackedSignedAccelerated &&
			 v13.integerDotProduct4x8BitPackedMixedSignednessAccelerated &&
			 p->subgroup_arithmetic && p->subgroup_size >= 8 &&
			 p->subgroup_size <= 64 &&
			 v11.subgroupSupportedOperations & VK_SUBGROUP_FEATURE_CLUSTERED_BIT &&
			 !(wrong & HRT_INTEGER_DOT) && !is_disabled(instance, "integer_dot");
	describe_memory(physical);
	return true;
}

/* A driver given by path may be one that the loader finds as well. */
static bool is_known(const struct hearth_instance *instance, const struct hrt_physical *candidate)
{
	for (uint32_t i = 0; i < instance->physical_count; i++) {
		const struct hrt_physical *known = &instance->physicals[i];

		if (known->instance != candidate->instance &&
		    !memcmp(known->driver_uuid, candidate->driver_uuid, VK_UUID_SIZE) &&
		    !memcmp(known->properties.uuid, candidate->properties.uuid, VK_UUID_SIZE) &&
		    !strcmp(known->properties.name, candidate->properties.name))
			return true;
	}
	return false;
}

static enum hearth_status enumerate(struct hearth_instance *instance, VkInstance vk)
{
	VkPhysicalDevice handles[64];
	uint32_t count = HRT_COUNT(handles);
	VkResult result = vkEnumeratePhysicalDevices(vk, &count, handles);
	struct hrt_physical *grown;

	if (result == VK_ERROR_INITIALIZATION_FAILED || result == VK_ERROR_INCOMPATIBLE_DRIVER)
		return HEARTH_OK; /* drivers without a device */
	if (result != VK_SUCCESS && result != VK_INCOMPLETE)
		return hrt_fail_vk(result, "vkEnumeratePhysicalDevices", "listing devices");
	if (!count)
		return HEARTH_OK;
	grown = realloc(instance->physicals,
			(instance->physical_count + count) * sizeof(*instance->physicals));
	if (!grown)
		return hrt_fail(HEARTH_ERROR_OUT_OF_MEMORY, "listing devices: out of host memory");
	instance->physicals = grown;
	for (uint32_t i = 0; i < count; i++) {
		struct hrt_physical *next = &instance->physicals[instance->physical_count];

		memset(next, 0, sizeof(*next));
		next->instance = vk;
		next->vk = handles[i];
		if (describe(instance, next) && !is_known(instance, next))
			instance->physical_count++;
	}
	return HEARTH_OK;
}

/* ---- Drivers given by path ---- */

static enum hearth_status load_drivers(struct hearth_instance *instance,
				       const struct hearth_instance_info *info)
{
	VkDirectDriverLoadingInfoLUNARG *drivers = NULL;
	VkDirectDriverLoadingListLUNARG list = {
		.sType = VK_STRUCTURE_TYPE_DIRECT_DRIVER_LOADING_LIST_LUNARG,
		.mode = VK_DIRECT_DRIVER_LOADING_MODE_EXCLUSIVE_LUNARG,
		.driverCount = info->extra_driver_count,
	};
	enum hearth_status status = HEARTH_OK;
	VkResult result;

	if (!has_instance_extension(VK_LUNARG_DIRECT_DRIVER_LOADING_EXTENSION_NAME))
		return hrt_fail(
			HEARTH_ERROR_UNSUPPORTED,
			"driver %s: the Vulkan loader lacks VK_LUNARG_direct_driver_loading "
			"(1.3.244 or later has it); name a manifest in VK_ADD_DRIVER_FILES instead",
			info->extra_drivers[0]);
	drivers = calloc(info->extra_driver_count, sizeof(*drivers));
	instance->libraries = calloc(info->extra_driver_count, sizeof(*instance->libraries));
	if (!drivers || !instance->libraries) {
		status =
			hrt_fail(HEARTH_ERROR_OUT_OF_MEMORY, "loading drivers: out of host memory");
		goto out;
	}
	for (uint32_t i = 0; i < info->extra_driver_count; i++) {
		const char *path = info->extra_drivers[i];
		void *library = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;

		if (!library) {
			status = hrt_fail(HEARTH_ERROR_NO_DEVICE, "driver %s: %s",
					  path ? path : "(null)",
					  path ? dlerror() : "no path given");
			goto out;
		}
		instance->libraries[instance->library_count++] = library;
		drivers[i].sType = VK_STRUCTURE_TYPE_DIRECT_DRIVER_LOADING_INFO_LUNARG;
		drivers[i].pfnGetInstanceProcAddr = (PFN_vkGetInstanceProcAddrLUNARG)dlsym(
			library, "vk_icdGetInstanceProcAddr");
		if (!drivers[i].pfnGetInstanceProcAddr) {
			status = hrt_fail(
				HEARTH_ERROR_NO_DEVICE,
				"driver %s: no vk_icdGetInstanceProcAddr: not a Vulkan driver",
				path);
			goto out;
		}
	}
	list.pDrivers = drivers;
	result = create_vk(instance, &list, 0);
	if (result != VK_SUCCESS) {
		status = hrt_fail_vk(result, "vkCreateInstance", "driver %s",
				     info->extra_drivers[0]);
		goto out;
	}
	status = enumerate(instance, instance->vk[0]);
out:
	free(drivers);
	return status;
}

/* ---- The interface ---- */

enum hearth_status hearth_instance_create(const struct hearth_instance_info *info,
					  struct hearth_instance **out)
{
	static const struct hearth_instance_info none = { .struct_size = sizeof(none) };
	struct hearth_instance *instance;
	enum hearth_status status = HEARTH_OK;
	VkResult result;

	if (!out)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"hearth_instance_create: instance is NULL");
	*out = NULL;
	if (!info)
		info = &none;
	if (info->struct_size < offsetof(struct hearth_instance_info, disable))
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"hearth_instance_create: struct_size is %u, expected %zu",
				info->struct_size, sizeof(*info));
	if (info->extra_driver_count && !info->extra_drivers)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"hearth_instance_create: extra_drivers is NULL, count is %u",
				info->extra_driver_count);
	if (info->exclusive && !info->extra_driver_count)
		return hrt_fail(
			HEARTH_ERROR_INVALID_ARGUMENT,
			"hearth_instance_create: exclusive without extra_drivers leaves no driver");
	instance = calloc(1, sizeof(*instance));
	if (!instance)
		return hrt_fail(HEARTH_ERROR_OUT_OF_MEMORY,
				"hearth_instance_create: out of memory");
	instance->log = info->log;
	instance->log_user = info->log_user;
	if (info->struct_size >= sizeof(*info)) {
		instance->ignore_verdicts = info->ignore_verdicts;
		instance->disable = info->disable ? strdup(info->disable) : NULL;
		if (info->disable && !instance->disable) {
			free(instance);
			return hrt_fail(HEARTH_ERROR_OUT_OF_MEMORY,
					"hearth_instance_create: out of memory");
		}
	}
	if (info->extra_driver_count)
		status = load_drivers(instance, info);
	if (status == HEARTH_OK && !info->exclusive) {
		result = create_vk(instance, NULL, 1);
		if (result == VK_SUCCESS)
			status = enumerate(instance, instance->vk[1]);
		else if (result != VK_ERROR_INCOMPATIBLE_DRIVER || !info->extra_driver_count)
			status = hrt_fail_vk(result, "vkCreateInstance",
					     "creating a Vulkan instance");
	}
	if (status != HEARTH_OK) {
		hearth_instance_destroy(instance);
		return status;
	}
	*out = instance;
	return HEARTH_OK;
}

void hearth_instance_destroy(struct hearth_instance *instance)
{
	if (!instance)
		return;
	for (uint32_t i = 0; i < HRT_COUNT(instance->vk); i++) {
		PFN_vkDestroyDebugUtilsMessengerEXT destroy;

		if (!instance->vk[i])
			continue;
		destroy = (PFN_vkDestroyDebugUtilsMessengerEXT)vkGetInstanceProcAddr(
			instance->vk[i], "vkDestroyDebugUtilsMessengerEXT");
		if (instance->messengers[i] && destroy)
			destroy(instance->vk[i], instance->messengers[i], NULL);
		vkDestroyInstance(instance->vk[i], NULL);
	}
	for (uint32_t i = 0; i < instance->library_count; i++)
		dlclose(instance->libraries[i]);
	free(instance->libraries);
	free(instance->physicals);
	free(instance->disable);
	free(instance);
}

uint32_t hearth_device_count(const struct hearth_instance *instance)
{
	return instance ? instance->physical_count : 0;
}

enum hearth_status hearth_device_get_properties(const struct hearth_instance *instance,
						uint32_t index,
						struct hearth_device_properties *properties)
{
	uint32_t wanted;

	if (!instance || !properties)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"hearth_device_get_properties: instance or properties is NULL");
	if (index >= instance->physical_count)
		return hrt_fail(HEARTH_ERROR_NO_DEVICE, "device %u: there are %u devices", index,
				instance->physical_count);
	wanted = properties->struct_size;
	if (wanted < sizeof(wanted))
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"hearth_device_get_properties: struct_size is %u, expected %zu",
				wanted, sizeof(*properties));
	if (wanted > sizeof(*properties))
		memset((char *)properties + sizeof(*properties), 0, wanted - sizeof(*properties));
	memcpy(properties, &instance->physicals[index].properties,
	       wanted < sizeof(*properties) ? wanted : sizeof(*properties));
	properties->struct_size = wanted;
	return HEARTH_OK;
}
