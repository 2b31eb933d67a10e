// SPDX-License-Identifier: MIT
/*
 * The loader's interface: the three exported functions, and which entry point an instance or a
 * device is given for a name.
 */
#include <stdlib.h>
#include <string.h>

#include "hth_private.h"

#define HTH_LOADER_INTERFACE 7

#define HTH_EXPORT	     __attribute__((visibility("default")))

/*
 * Core commands that only a graphics or sparse queue could use: there, so that a table of all core
 * commands has no hole, and refusing.
 */
static VKAPI_ATTR VkResult VKAPI_CALL refuse(void)
{
	return VK_ERROR_FEATURE_NOT_PRESENT;
}

static int compare(const void *name, const void *entry)
{
	return strcmp(name, ((const struct hth_entry *)entry)->name);
}

static const struct hth_entry *find(const char *name)
{
	return bsearch(name, hth_entries, hth_entry_count, sizeof(hth_entries[0]), compare);
}

static PFN_vkVoidFunction function_of(const struct hth_entry *entry)
{
	if (entry->function)
		return entry->function;
	return entry->version && entry->level == HTH_LEVEL_DEVICE ? (PFN_vkVoidFunction)refuse
								  : NULL;
}

static bool instance_allows(const struct hth_instance *instance, const struct hth_entry *entry)
{
	uint32_t version = HTH_MIN(instance->api_version, (uint32_t)HTH_API_VERSION);

	if (entry->version && entry->version <= version)
		return true;
	for (uint32_t i = 0; i < HTH_COUNT(entry->extensions); i++) {
		int extension = entry->extensions[i];

		if (extension < 0)
			continue;
		/* A device extension's commands may be asked of the instance without more. */
		if (!hth_extensions[extension].instance || instance->extensions[extension])
			return true;
	}
	return false;
}

static bool device_allows(const struct hth_device *device, const struct hth_entry *entry)
{
	uint32_t version = HTH_MIN(device->instance->api_version, (uint32_t)HTH_API_VERSION);

	if (entry->level != HTH_LEVEL_DEVICE)
		return false;
	if (entry->version && entry->version <= version)
		return true;
	for (uint32_t i = 0; i < HTH_COUNT(entry->extensions); i++) {
		int extension = entry->extensions[i];

		if (extension >= 0 &&
		    (hth_extensions[extension].instance ? device->instance->extensions[extension]
							: device->extensions[extension]))
			return true;
	}
	return false;
}

HTH_EXPORT VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL vk_icdGetInstanceProcAddr(VkInstance instance,
									      const char *name);
HTH_EXPORT VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL
vk_icdGetPhysicalDeviceProcAddr(VkInstance instance, const char *name);
HTH_EXPORT VKAPI_ATTR VkResult VKAPI_CALL
vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t *version);

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL hth_GetInstanceProcAddr(VkInstance handle,
								 const char *name)
{
	static const struct {
		const char *name;
		PFN_vkVoidFunction function;
	} loader[] = {
		{ "vk_icdNegotiateLoaderICDInterfaceVersion",
		  (PFN_vkVoidFunction)vk_icdNegotiateLoaderICDInterfaceVersion },
		{ "vk_icdGetInstanceProcAddr", (PFN_vkVoidFunction)vk_icdGetInstanceProcAddr },
		{ "vk_icdGetPhysicalDeviceProcAddr",
		  (PFN_vkVoidFunction)vk_icdGetPhysicalDeviceProcAddr },
	};
	struct hth_instance *instance = hth_instance_from_handle(handle);
	const struct hth_entry *entry;

	if (!name)
		return NULL;
	for (uint32_t i = 0; i < HTH_COUNT(loader); i++)
		if (!strcmp(name, loader[i].name))
			return loader[i].function;
	entry = find(name);
	if (!entry)
		return NULL;
	if (entry->level == HTH_LEVEL_GLOBAL || !strcmp(name, "vkGetInstanceProcAddr"))
		return entry->function;
	if (!instance || !instance_allows(instance, entry))
		return NULL;
	return function_of(entry);
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL hth_GetDeviceProcAddr(VkDevice handle, const char *name)
{
	struct hth_device *device = hth_device_from_handle(handle);
	const struct hth_entry *entry;

	if (!device || !name)
		return NULL;
	if (!strcmp(name, HEARTH_GET_QUEUE_STATISTICS))
		return (PFN_vkVoidFunction)hth_GetQueueStatisticsHEARTH;
	entry = find(name);
	return entry && device_allows(device, entry) ? function_of(entry) : NULL;
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL vk_icdGetInstanceProcAddr(VkInstance instance,
								   const char *name)
{
	return hth_GetInstanceProcAddr(instance, name);
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL vk_icdGetPhysicalDeviceProcAddr(VkInstance handle,
									 const char *name)
{
	const struct hth_entry *entry = name ? find(name) : NULL;

	(void)handle;
	return entry && entry->level == HTH_LEVEL_PHYSICAL_DEVICE ? entry->function : NULL;
}

VKAPI_ATTR VkResult VKAPI_CALL vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t *version)
{
	/* Before version 5 a driver had to judge the application's API version itself. */
	if (*version < 5)
		return VK_ERROR_INCOMPATIBLE_DRIVER;
	*version = HTH_MIN(*version, (uint32_t)HTH_LOADER_INTERFACE);
	return VK_SUCCESS;
}
