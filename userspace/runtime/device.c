// SPDX-License-Identifier: MIT
/*
 * Devices: the VkDevice with the features that kernels may use, its queues, and the transfers that move
 * data into memory that the host cannot see.
 */
#include "runtime.h"

#include <stdlib.h>
#include <string.h>

static VkResult create_vk(struct hearth_device *device, uint32_t queue_count)
{
	const struct hrt_physical *physical = device->physical;
	static const float priorities[HRT_MAX_QUEUES] = { 1, 1, 1, 1 };
	bool v1_3 = physical->properties.vulkan_version >= VK_API_VERSION_1_3;
	VkPhysicalDeviceVulkan11Features have11 = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES,
	};
	VkPhysicalDeviceVulkan12Features have12 = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
		.pNext = &have11,
	};
	VkPhysicalDeviceVulkan13Features have13 = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES,
		.pNext = &have12,
	};
	VkPhysicalDeviceFeatures2 have = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
		.pNext = v1_3 ? (void *)&have13 : (void *)&have12,
	};

	vkGetPhysicalDeviceFeatures2(physical->vk, &have);

	/* Of what there is, only what a compute kernel may want. */
	VkPhysicalDeviceVulkan11Features use11 = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES,
		.storageBuffer16BitAccess = have11.storageBuffer16BitAccess,
		.uniformAndStorageBuffer16BitAccess = have11.uniformAndStorageBuffer16BitAccess,
		.variablePointersStorageBuffer = have11.variablePointersStorageBuffer,
		.variablePointers = have11.variablePointers,
	};
	VkPhysicalDeviceVulkan12Features use12 = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
		.pNext = &use11,
		.timelineSemaphore = VK_TRUE,
		.storageBuffer8BitAccess = have12.storageBuffer8BitAccess,
		.uniformAndStorageBuffer8BitAccess = have12.uniformAndStorageBuffer8BitAccess,
		.shaderFloat16 = have12.shaderFloat16,
		.shaderInt8 = have12.shaderInt8,
		.shaderSubgroupExtendedTypes = have12.shaderSubgroupExtendedTypes,
		.scalarBlockLayout = have12.scalarBlockLayout,
		.vulkanMemoryModel = have12.vulkanMemoryModel,
		.vulkanMemoryModelDeviceScope = have12.vulkanMemoryModelDeviceScope,
	};
	VkPhysicalDeviceVulkan13Features use13 = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES,
		.pNext = &use12,
		.subgroupSizeControl = have13.subgroupSizeControl,
		.computeFullSubgroups = have13.computeFullSubgroups,
		.shaderIntegerDotProduct = have13.shaderIntegerDotProduct,
		.maintenance4 = have13.maintenance4,
	};
	const VkPhysicalDeviceFeatures2 use = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
		.pNext = v1_3 ? (void *)&use13 : (void *)&use12,
		.features = {
			.shaderInt16 = have.features.shaderInt16,
			.shaderInt64 = have.features.shaderInt64,
			.shaderFloat64 = have.features.shaderFloat64,
		},
	};
	const VkDeviceQueueCreateInfo queues = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
		.queueFamilyIndex = physical->queue_family,
		.queueCount = queue_count,
		.pQueuePriorities = priorities,
	};
	const VkDeviceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
		.pNext = &use,
		.queueCreateInfoCount = 1,
		.pQueueCreateInfos = &queues,
	};

	return vkCreateDevice(physical->vk, &info, NULL, &device->vk);
}

static VkResult create_transfer(struct hearth_device *device)
{
	struct hrt_transfer *transfer = &device->transfer;
	const VkCommandPoolCreateInfo pool = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
		.flags = VK_COMMAND_POOL_CREATE_TRANSIENT_BIT,
		.queueFamilyIndex = device->physical->queue_family,
	};
	const VkFenceCreateInfo fence = { .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO };
	VkCommandBufferAllocateInfo commands = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
		.commandBufferCount = 1,
	};
	VkResult result = vkCreateCommandPool(device->vk, &pool, NULL, &transfer->pool);

	if (result != VK_SUCCESS)
		return result;
	commands.commandPool = transfer->pool;
	result = vkAllocateCommandBuffers(device->vk, &commands, &transfer->commands);
	if (result != VK_SUCCESS)
		return result;
	return vkCreateFence(device->vk, &fence, NULL, &transfer->fence);
}

enum hearth_status hearth_device_create(struct hearth_instance *instance, uint32_t index,
					struct hearth_device **out)
{
	const VkPipelineCacheCreateInfo cache = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO,
	};
	struct hearth_device *device;
	uint32_t queue_count;
	VkResult result;

	if (!instance || !out)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"hearth_device_create: instance or device is NULL");
	*out = NULL;
	if (index >= instance->physical_count)
		return hrt_fail(HEARTH_ERROR_NO_DEVICE, "device %u: there are %u devices", index,
				instance->physical_count);
	device = calloc(1, sizeof(*device));
	if (!device)
		return hrt_fail(HEARTH_ERROR_OUT_OF_MEMORY, "hearth_device_create: out of memory");
	device->physical = &instance->physicals[index];
	pthread_mutex_init(&device->pool.lock, NULL);
	pthread_mutex_init(&device->transfer.lock, NULL);
	pthread_mutex_init(&device->cache_lock, NULL);
	queue_count = device->physical->queue_count;
	if (queue_count > HRT_MAX_QUEUES)
		queue_count = HRT_MAX_QUEUES;
	result = create_vk(device, queue_count);
	if (result != VK_SUCCESS) {
		device->vk = VK_NULL_HANDLE;
		goto out_fail;
	}
	for (uint32_t i = 0; i < queue_count; i++) {
		pthread_mutex_init(&device->queues[i].lock, NULL);
		vkGetDeviceQueue(device->vk, device->physical->queue_family, i,
				 &device->queues[i].vk);
	}
	device->queue_count = queue_count;
	result = create_transfer(device);
	if (result != VK_SUCCESS)
		goto out_fail;
	/* Only a help: without it pipelines are made all the same. */
	if (vkCreatePipelineCache(device->vk, &cache, NULL, &device->pipeline_cache) != VK_SUCCESS)
		device->pipeline_cache = VK_NULL_HANDLE;
	*out = device;
	return HEARTH_OK;

out_fail:
	hearth_device_destroy(device);
	return hrt_fail_vk(result, "vkCreateDevice", "device %u (%s)", index,
			   instance->physicals[index].properties.name);
}

void hearth_device_destroy(struct hearth_device *device)
{
	if (!device)
		return;
	if (device->vk) {
		vkDeviceWaitIdle(device->vk);
		while (device->rope_tables) {
			struct hrt_rope_table *table = device->rope_tables;

			device->rope_tables = table->next;
			hearth_buffer_destroy(table->buffer);
			free(table);
		}
		hrt_pipelines_finish(device);
		hearth_buffer_destroy(device->transfer.staging);
		vkDestroyFence(device->vk, device->transfer.fence, NULL);
		vkDestroyCommandPool(device->vk, device->transfer.pool, NULL);
		vkDestroyPipelineCache(device->vk, device->pipeline_cache, NULL);
		hrt_memory_pool_finish(device);
		vkDestroyDevice(device->vk, NULL);
	}
	for (uint32_t i = 0; i < device->queue_count; i++)
		pthread_mutex_destroy(&device->queues[i].lock);
	pthread_mutex_destroy(&device->pool.lock);
	pthread_mutex_destroy(&device->transfer.lock);
	pthread_mutex_destroy(&device->cache_lock);
	free(device);
}

/* ---- Work ---- */

enum hearth_status hrt_queue_submit(struct hrt_queue *queue, const VkSubmitInfo *info,
				    VkFence fence, const char *what)
{
	VkResult result;

	pthread_mutex_lock(&queue->lock);
	result = vkQueueSubmit(queue->vk, 1, info, fence);
	pthread_mutex_unlock(&queue->lock);
	if (result != VK_SUCCESS)
		return hrt_fail_vk(result, "vkQueueSubmit", "%s", what);
	return HEARTH_OK;
}

enum hearth_status hrt_transfer_run(struct hearth_device *device,
				    void (*record)(VkCommandBuffer commands, void *data),
				    void *data)
{
	struct hrt_transfer *transfer = &device->transfer;
	const VkCommandBufferBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
		.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT,
	};
	const VkSubmitInfo submit = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.commandBufferCount = 1,
		.pCommandBuffers = &transfer->commands,
	};
	const VkMemoryBarrier before = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
		.srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
		.dstAccessMask = VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT,
	};
	const VkMemoryBarrier after = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
		.srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
		.dstAccessMask = VK_ACCESS_HOST_READ_BIT | VK_ACCESS_MEMORY_READ_BIT |
				 VK_ACCESS_MEMORY_WRITE_BIT,
	};
	enum hearth_status status;
	VkResult result;

	result = vkResetCommandPool(device->vk, transfer->pool, 0);
	if (result == VK_SUCCESS)
		result = vkBeginCommandBuffer(transfer->commands, &begin);
	if (result != VK_SUCCESS)
		return hrt_fail_vk(result, "vkBeginCommandBuffer", "recording a transfer");
	vkCmdPipelineBarrier(transfer->commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
			     VK_PIPELINE_STAGE_TRANSFER_BIT, 0, 1, &before, 0, NULL, 0, NULL);
	record(transfer->commands, data);
	vkCmdPipelineBarrier(transfer->commands, VK_PIPELINE_STAGE_TRANSFER_BIT,
			     VK_PIPELINE_STAGE_HOST_BIT | VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, 1,
			     &after, 0, NULL, 0, NULL);
	result = vkEndCommandBuffer(transfer->commands);
	if (result == VK_SUCCESS)
		result = vkResetFences(device->vk, 1, &transfer->fence);
	if (result != VK_SUCCESS)
		return hrt_fail_vk(result, "vkEndCommandBuffer", "recording a transfer");
	status = hrt_queue_submit(&device->queues[0], &submit, transfer->fence, "a transfer");
	if (status != HEARTH_OK)
		return status;
	result = vkWaitForFences(device->vk, 1, &transfer->fence, VK_TRUE, UINT64_MAX);
	if (result != VK_SUCCESS)
		return hrt_fail_vk(result, "vkWaitForFences", "a transfer");
	return HEARTH_OK;
}
