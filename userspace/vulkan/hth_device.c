// SPDX-License-Identifier: MIT
/*
 * Devices: creation with what the application enables of extensions and features, and the queues
 * that belong to it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hth_private.h"

VkResult hth_device_lost(struct hth_device *device)
{
	if (!atomic_exchange(&device->lost, true))
		hth_sync_wake(device);
	return VK_ERROR_DEVICE_LOST;
}

static VkResult enable_extensions(struct hth_device *device, const VkDeviceCreateInfo *info)
{
	for (uint32_t i = 0; i < info->enabledExtensionCount; i++) {
		const char *name = info->ppEnabledExtensionNames[i];
		uint32_t known = 0;

		while (known < HTH_EXTENSION_COUNT && strcmp(hth_extensions[known].name, name))
			known++;
		if (known == HTH_EXTENSION_COUNT ||
		    !hth_physical_device_has_extension(device->physical_device, known)) {
			hth_log(device->instance, VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
				"hearth-device-extension", "vkCreateDevice: %s has no extension %s",
				device->physical_device->name, name);
			return VK_ERROR_EXTENSION_NOT_PRESENT;
		}
		device->extensions[known] = true;
	}
	return VK_SUCCESS;
}

static VkResult check_queues(const struct hth_device *device, const VkDeviceCreateInfo *info,
			     uint32_t *count)
{
	*count = 0;
	for (uint32_t i = 0; i < info->queueCreateInfoCount; i++) {
		const VkDeviceQueueCreateInfo *queue = &info->pQueueCreateInfos[i];

		if (queue->queueFamilyIndex != 0 ||
		    queue->queueCount > device->physical_device->queue_count) {
			hth_log(device->instance, VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
				"hearth-device-queues",
				"vkCreateDevice: %u queues of family %u asked for; family 0 has "
				"%u, "
				"and there is no other",
				queue->queueCount, queue->queueFamilyIndex,
				device->physical_device->queue_count);
			return VK_ERROR_INITIALIZATION_FAILED;
		}
		*count = HTH_MAX(*count, queue->queueCount);
	}
	return VK_SUCCESS;
}

static void device_free(struct hth_device *device, const VkAllocationCallbacks *callbacks)
{
	pthread_mutex_destroy(&device->private_lock);
	pthread_cond_destroy(&device->sync_cond);
	pthread_mutex_destroy(&device->sync_lock);
	hth_object_finish(device);
	hth_free(device->instance->has_callbacks ? &device->instance->callbacks : NULL, callbacks,
		 device);
}

VKAPI_ATTR VkResult VKAPI_CALL hth_CreateDevice(VkPhysicalDevice handle,
						const VkDeviceCreateInfo *info,
						const VkAllocationCallbacks *callbacks,
						VkDevice *out)
{
	struct hth_physical_device *pd = hth_physical_device_from_handle(handle);
	struct hth_instance *instance = pd->instance;
	pthread_condattr_t attributes;
	struct hth_device *device;
	const char *missing;
	uint32_t queue_count;
	VkResult result;

	device = hth_alloc(instance->has_callbacks ? &instance->callbacks : NULL, callbacks,
			   sizeof(*device), VK_SYSTEM_ALLOCATION_SCOPE_DEVICE);
	if (!device)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	hth_object_init(device, VK_OBJECT_TYPE_DEVICE);
	device->physical_device = pd;
	device->instance = instance;
	device->backend = pd->backend;
	device->has_callbacks = callbacks || instance->has_callbacks;
	if (device->has_callbacks)
		device->callbacks = callbacks ? *callbacks : instance->callbacks;
	pthread_mutex_init(&device->sync_lock, NULL);
	pthread_mutex_init(&device->private_lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&device->sync_cond, &attributes);
	pthread_condattr_destroy(&attributes);

	result = enable_extensions(device, info);
	if (result != VK_SUCCESS)
		goto out_free;
	missing = hth_features_request(&pd->features, info->pEnabledFeatures, info->pNext,
				       &device->enabled);
	if (missing) {
		hth_log(instance, VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
			"hearth-device-feature", "vkCreateDevice: %s has no feature %s", pd->name,
			missing);
		result = VK_ERROR_FEATURE_NOT_PRESENT;
		goto out_free;
	}
	result = check_queues(device, info, &queue_count);
	if (result != VK_SUCCESS)
		goto out_free;
	result = device->backend->device_init(device);
	if (result != VK_SUCCESS)
		goto out_free;
	for (device->queue_count = 0; device->queue_count < queue_count; device->queue_count++) {
		result = hth_queue_init(device, device->queue_count);
		if (result != VK_SUCCESS)
			goto out_queues;
	}
	*out = hth_device_to_handle(device);
	return VK_SUCCESS;

out_queues:
	while (device->queue_count)
		hth_queue_finish(&device->queues[--device->queue_count]);
	device->backend->device_finish(device);
out_free:
	device_free(device, callbacks);
	return result;
}

/*
 * How work reached the device: HEARTH_STATISTICS=1 prints it, and messengers that take information are told of boards.
 */
static void report_statistics(struct hth_device *device)
{
	const char *wanted = getenv("HEARTH_STATISTICS");
	const char *name = device->physical_device->name;

	for (uint32_t i = 0; i < device->queue_count; i++) {
		struct hearth_queue_statistics s;

		hth_GetQueueStatisticsHEARTH(hth_queue_to_handle(&device->queues[i]), &s);
		if (wanted && !strcmp(wanted, "1"))
			fprintf(stderr,
				"hearth: %s: queue %u: %llu submissions, %llu packets, "
				"%llu doorbells, %llu system calls to submit, %llu sleeps\n",
				name, i, (unsigned long long)s.submissions,
				(unsigned long long)s.packets, (unsigned long long)s.doorbells,
				(unsigned long long)s.submit_system_calls,
				(unsigned long long)s.sleeps);
		if (device->backend->queue_statistics && s.submissions)
			hth_log(device->instance, VK_DEBUG_UTILS_MESSAGE_SEVERITY_INFO_BIT_EXT,
				"hearth-board-counts",
				"%s: %llu submissions through the user queue, with %llu doorbell "
				"writes and %llu system calls; %llu waits slept in the kernel",
				name, (unsigned long long)s.submissions,
				(unsigned long long)s.doorbells,
				(unsigned long long)s.submit_system_calls,
				(unsigned long long)s.sleeps);
	}
}

VKAPI_ATTR void VKAPI_CALL hth_DestroyDevice(VkDevice handle,
					     const VkAllocationCallbacks *callbacks)
{
	struct hth_device *device = hth_device_from_handle(handle);

	if (!device)
		return;
	report_statistics(device);
	while (device->queue_count)
		hth_queue_finish(&device->queues[--device->queue_count]);
	device->backend->device_finish(device);
	device_free(device, callbacks);
}

VKAPI_ATTR void VKAPI_CALL hth_GetDeviceQueue(VkDevice handle, uint32_t family, uint32_t index,
					      VkQueue *queue)
{
	struct hth_device *device = hth_device_from_handle(handle);

	(void)family;
	*queue = index < device->queue_count ? hth_queue_to_handle(&device->queues[index]) : NULL;
}

VKAPI_ATTR void VKAPI_CALL hth_GetDeviceQueue2(VkDevice handle, const VkDeviceQueueInfo2 *info,
					       VkQueue *queue)
{
	hth_GetDeviceQueue(handle, info->queueFamilyIndex, info->queueIndex, queue);
}

VKAPI_ATTR VkResult VKAPI_CALL hth_DeviceWaitIdle(VkDevice handle)
{
	struct hth_device *device = hth_device_from_handle(handle);

	for (uint32_t i = 0; i < device->queue_count; i++) {
		VkResult result = hth_QueueWaitIdle(hth_queue_to_handle(&device->queues[i]));

		if (result != VK_SUCCESS)
			return result;
	}
	return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL hth_GetDeviceGroupPeerMemoryFeatures(VkDevice device, uint32_t heap,
								uint32_t local, uint32_t remote,
								VkPeerMemoryFeatureFlags *features)
{
	(void)device;
	(void)heap;
	(void)local;
	(void)remote;
	*features = VK_PEER_MEMORY_FEATURE_COPY_SRC_BIT | VK_PEER_MEMORY_FEATURE_COPY_DST_BIT |
		    VK_PEER_MEMORY_FEATURE_GENERIC_SRC_BIT | VK_PEER_MEMORY_FEATURE_GENERIC_DST_BIT;
}
