// SPDX-License-Identifier: MIT
/* Everything of Vulkan that needs no shader: transfers, synchronisation, queries, objects. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vt.h"

#define COPY_USAGE (VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT)

static void test_limits(struct vt *vt)
{
	const VkPhysicalDeviceLimits *limits = &vt->properties.limits;

	VT_CHECK(vt->properties.apiVersion >= VK_API_VERSION_1_3);
	VT_CHECK(limits->maxComputeWorkGroupInvocations >= 128);
	VT_CHECK(limits->maxComputeSharedMemorySize >= 16384);
	VT_CHECK(limits->maxPushConstantsSize >= 128);
	VT_CHECK(limits->maxStorageBufferRange >= 1u << 27);
	VT_CHECK(limits->maxBoundDescriptorSets >= 4);
	VT_CHECK(limits->minStorageBufferOffsetAlignment <= 256);
	VT_CHECK(vt->properties11.subgroupSize >= 1);
	VT_CHECK((vt->properties11.subgroupSize & (vt->properties11.subgroupSize - 1)) == 0);
	VT_CHECK(vt->properties11.subgroupSupportedStages & VK_SHADER_STAGE_COMPUTE_BIT);
	VT_CHECK(vt->properties11.subgroupSupportedOperations & VK_SUBGROUP_FEATURE_BASIC_BIT);
	VT_CHECK(vt->properties13.minSubgroupSize <= vt->properties11.subgroupSize);
	VT_CHECK(vt->properties13.maxSubgroupSize >= vt->properties11.subgroupSize);
	VT_CHECK(vt->features12.timelineSemaphore && vt->features13.synchronization2);
}

static void test_entry_points(struct vt *vt)
{
	static const char *const device_names[] = {
		"vkCreateBuffer",   "vkQueueSubmit2",	"vkCmdDispatchBase",
		"vkCmdCopyBuffer2", "vkSetPrivateData", "vkGetDeviceBufferMemoryRequirements",
		"vkWaitSemaphores",
	};

	for (size_t i = 0; i < sizeof(device_names) / sizeof(device_names[0]); i++)
		VT_CHECK(vkGetDeviceProcAddr(vt->device, device_names[i]) != NULL, "%s",
			 device_names[i]);
	VT_CHECK(vkGetDeviceProcAddr(vt->device, "vkNoSuchFunction") == NULL);
	VT_CHECK(vkGetInstanceProcAddr(vt->instance, "vkNoSuchFunction") == NULL);
	/* An extension that was not enabled has no commands. */
	VT_CHECK(vkGetDeviceProcAddr(vt->device, "vkCmdCopyBuffer2KHR") == NULL);
}

static void test_copy_fill_update(struct vt *vt)
{
	struct vt_buffer a = vt_buffer(vt, 8192, COPY_USAGE | VK_BUFFER_USAGE_STORAGE_BUFFER_BIT);
	struct vt_buffer b = vt_staging(vt, 8192);
	uint32_t data[64];
	const VkBufferCopy copies[2] = { { 0, 4096, 4096 }, { 101, 7, 57 } };
	VkCommandBuffer commands = vt_begin(vt, VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT);
	uint32_t *words = b.map;

	for (uint32_t i = 0; i < 64; i++)
		data[i] = 0x10000 + i;
	vkCmdFillBuffer(commands, a.buffer, 0, VK_WHOLE_SIZE, 0xabcd1234);
	vkCmdFillBuffer(commands, b.buffer, 0, 4096, 0);
	vt_barrier(commands);
	vkCmdUpdateBuffer(commands, a.buffer, 256, sizeof(data), data);
	vt_barrier(commands);
	vkCmdCopyBuffer(commands, a.buffer, b.buffer, 2, copies);
	vt_run(vt, commands);
	VT_CHECK(words[1024] == 0xabcd1234, "0x%x", words[1024]);
	for (uint32_t i = 0; i < 64; i++)
		VT_CHECK(words[1024 + 64 + i] == data[i], "word %u: 0x%x", i, words[1024 + 64 + i]);
	VT_CHECK(words[1024 + 128] == 0xabcd1234);
	VT_CHECK(!memcmp((uint8_t *)b.map + 7, (uint8_t *)a.map + 101, 57));
	VT_CHECK(((uint8_t *)b.map)[6] == 0 && ((uint8_t *)b.map)[64] == 0);
	vt_buffer_free(vt, &a);
	vt_buffer_free(vt, &b);
}

static void test_large_copy(struct vt *vt)
{
	const VkDeviceSize bytes = 9 << 20;
	struct vt_buffer a = vt_buffer(vt, bytes, COPY_USAGE);
	struct vt_buffer b = vt_buffer(vt, bytes, COPY_USAGE);
	const VkBufferCopy2 region = { .sType = VK_STRUCTURE_TYPE_BUFFER_COPY_2, .size = bytes };
	const VkCopyBufferInfo2 copy = {
		.sType = VK_STRUCTURE_TYPE_COPY_BUFFER_INFO_2,
		.srcBuffer = a.buffer,
		.dstBuffer = b.buffer,
		.regionCount = 1,
		.pRegions = &region,
	};
	VkCommandBuffer commands = vt_begin(vt, 0);
	uint32_t *from = a.map, *to = b.map, wrong = 0;

	for (uint32_t i = 0; i < bytes / 4; i++)
		from[i] = i * 2654435761u;
	vkCmdCopyBuffer2(commands, &copy);
	vt_run(vt, commands);
	for (uint32_t i = 0; i < bytes / 4; i++)
		wrong += to[i] != i * 2654435761u;
	VT_CHECK(wrong == 0, "%u words", wrong);
	vt_buffer_free(vt, &a);
	vt_buffer_free(vt, &b);
}

static void test_many_commands(struct vt *vt)
{
	/* Enough for several blocks of command memory. */
	struct vt_buffer a = vt_buffer(vt, 4096 * 4, COPY_USAGE);
	VkCommandBuffer commands = vt_begin(vt, 0);
	uint32_t *words = a.map, wrong = 0;
	uint32_t block[512];

	for (uint32_t i = 0; i < 4096; i++) {
		if (i % 100 == 0) {
			memset(block, 0xee, sizeof(block));
			vkCmdUpdateBuffer(commands, a.buffer, 0, sizeof(block), block);
			vt_barrier(commands);
		}
		vkCmdFillBuffer(commands, a.buffer, i * 4, 4, i + 1);
		if (i % 100 == 99)
			vt_barrier(commands);
	}
	vt_barrier(commands);
	for (uint32_t i = 0; i < 512; i++)
		vkCmdFillBuffer(commands, a.buffer, i * 4, 4, i + 1);
	vt_run(vt, commands);
	for (uint32_t i = 0; i < 4096; i++)
		wrong += words[i] != i + 1;
	VT_CHECK(wrong == 0, "%u words", wrong);
	vt_buffer_free(vt, &a);
}

static void test_fences(struct vt *vt)
{
	const VkFenceCreateInfo info = { .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO };
	const VkFenceCreateInfo set = { .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO,
					.flags = VK_FENCE_CREATE_SIGNALED_BIT };
	VkFence fences[2];

	VT_OK(vkCreateFence(vt->device, &info, NULL, &fences[0]));
	VT_OK(vkCreateFence(vt->device, &set, NULL, &fences[1]));
	VT_CHECK(vkGetFenceStatus(vt->device, fences[0]) == VK_NOT_READY);
	VT_CHECK(vkGetFenceStatus(vt->device, fences[1]) == VK_SUCCESS);
	VT_CHECK(vkWaitForFences(vt->device, 1, fences, VK_TRUE, 0) == VK_TIMEOUT);
	VT_CHECK(vkWaitForFences(vt->device, 1, fences, VK_TRUE, 1000000) == VK_TIMEOUT);
	VT_CHECK(vkWaitForFences(vt->device, 2, fences, VK_TRUE, 1000) == VK_TIMEOUT);
	VT_OK(vkWaitForFences(vt->device, 2, fences, VK_FALSE, UINT64_MAX));
	VT_OK(vkQueueSubmit(vt->queues[0], 0, NULL, fences[0]));
	VT_OK(vkWaitForFences(vt->device, 2, fences, VK_TRUE, UINT64_MAX));
	VT_OK(vkResetFences(vt->device, 2, fences));
	VT_CHECK(vkGetFenceStatus(vt->device, fences[0]) == VK_NOT_READY);
	VT_CHECK(vkGetFenceStatus(vt->device, fences[1]) == VK_NOT_READY);
	VT_OK(vkQueueWaitIdle(vt->queues[0]));
	for (int i = 0; i < 2; i++)
		vkDestroyFence(vt->device, fences[i], NULL);
}

static VkSemaphore timeline(struct vt *vt, uint64_t value)
{
	const VkSemaphoreTypeCreateInfo type = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
		.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE,
		.initialValue = value,
	};
	const VkSemaphoreCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
		.pNext = &type,
	};
	VkSemaphore semaphore = VK_NULL_HANDLE;

	VT_OK(vkCreateSemaphore(vt->device, &info, NULL, &semaphore));
	return semaphore;
}

static VkResult submit2(VkQueue queue, VkCommandBuffer commands, VkSemaphore wait,
			uint64_t wait_value, VkSemaphore signal, uint64_t signal_value)
{
	const VkSemaphoreSubmitInfo waits = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
		.semaphore = wait,
		.value = wait_value,
		.stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
	};
	const VkSemaphoreSubmitInfo signals = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
		.semaphore = signal,
		.value = signal_value,
		.stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
	};
	const VkCommandBufferSubmitInfo buffer = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO,
		.commandBuffer = commands,
	};
	const VkSubmitInfo2 info = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
		.waitSemaphoreInfoCount = wait != VK_NULL_HANDLE,
		.pWaitSemaphoreInfos = &waits,
		.commandBufferInfoCount = commands != NULL,
		.pCommandBufferInfos = &buffer,
		.signalSemaphoreInfoCount = signal != VK_NULL_HANDLE,
		.pSignalSemaphoreInfos = &signals,
	};

	return vkQueueSubmit2(queue, 1, &info, VK_NULL_HANDLE);
}

static VkResult wait_value(struct vt *vt, VkSemaphore semaphore, uint64_t value, uint64_t timeout)
{
	const VkSemaphoreWaitInfo info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
		.semaphoreCount = 1,
		.pSemaphores = &semaphore,
		.pValues = &value,
	};

	return vkWaitSemaphores(vt->device, &info, timeout);
}

static void signal_value(struct vt *vt, VkSemaphore semaphore, uint64_t value)
{
	const VkSemaphoreSignalInfo info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO,
		.semaphore = semaphore,
		.value = value,
	};

	VT_OK(vkSignalSemaphore(vt->device, &info));
}

static void test_binary_semaphores(struct vt *vt)
{
	const VkSemaphoreCreateInfo info = { .sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO };
	VkQueue second = vt->queues[vt->queue_count - 1];
	VkSemaphore semaphore;

	VT_OK(vkCreateSemaphore(vt->device, &info, NULL, &semaphore));
	for (int i = 0; i < 20; i++) {
		VT_OK(submit2(vt->queues[0], NULL, VK_NULL_HANDLE, 0, semaphore, 0));
		VT_OK(submit2(second, NULL, semaphore, 0, VK_NULL_HANDLE, 0));
	}
	VT_OK(vkDeviceWaitIdle(vt->device));
	vkDestroySemaphore(vt->device, semaphore, NULL);
}

static void test_timeline_host(struct vt *vt)
{
	VkSemaphore semaphores[2] = { timeline(vt, 5), timeline(vt, 0) };
	const uint64_t values[2] = { 100, 3 };
	const VkSemaphoreWaitInfo any = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
		.flags = VK_SEMAPHORE_WAIT_ANY_BIT,
		.semaphoreCount = 2,
		.pSemaphores = semaphores,
		.pValues = values,
	};
	uint64_t value = 0;

	VT_OK(vkGetSemaphoreCounterValue(vt->device, semaphores[0], &value));
	VT_CHECK(value == 5, "%llu", (unsigned long long)value);
	VT_OK(wait_value(vt, semaphores[0], 5, 0));
	VT_CHECK(wait_value(vt, semaphores[0], 6, 1000000) == VK_TIMEOUT);
	VT_CHECK(vkWaitSemaphores(vt->device, &any, 1000) == VK_TIMEOUT);
	signal_value(vt, semaphores[1], 3);
	VT_OK(vkWaitSemaphores(vt->device, &any, UINT64_MAX));
	VT_OK(vkGetSemaphoreCounterValue(vt->device, semaphores[1], &value));
	VT_CHECK(value == 3);
	for (int i = 0; i < 2; i++)
		vkDestroySemaphore(vt->device, semaphores[i], NULL);
}

/* A submission that waits for a value which only later, and from another thread, is promised. */
struct later {
	struct vt *vt;
	VkSemaphore semaphore;
};

static void *signal_later(void *argument)
{
	struct later *later = argument;

	for (uint64_t value = 1; value <= 50; value++) {
		signal_value(later->vt, later->semaphore, 2 * value - 1);
		VT_OK(wait_value(later->vt, later->semaphore, 2 * value, UINT64_MAX));
	}
	return NULL;
}

static void test_timeline_threads(struct vt *vt)
{
	struct later later = { vt, timeline(vt, 0) };
	VkSemaphore done = timeline(vt, 0);
	struct vt_buffer a = vt_buffer(vt, 4 * 50, COPY_USAGE);
	VkCommandBuffer commands[50];
	pthread_t thread;
	uint64_t value = 0;

	/* All are submitted before the first value is signalled. */
	for (uint32_t i = 0; i < 50; i++) {
		commands[i] = vt_begin(vt, 0);
		vkCmdFillBuffer(commands[i], a.buffer, 4 * i, 4, i + 1);
		vt_barrier(commands[i]);
		VT_OK(vkEndCommandBuffer(commands[i]));
		VT_OK(submit2(vt->queues[0], commands[i], later.semaphore, 2 * i + 1,
			      later.semaphore, 2 * i + 2));
	}
	VT_OK(submit2(vt->queues[0], NULL, later.semaphore, 100, done, 7));
	VT_OK(vkGetSemaphoreCounterValue(vt->device, done, &value));
	VT_CHECK(value == 0);
	VT_CHECK(!pthread_create(&thread, NULL, signal_later, &later));
	VT_OK(wait_value(vt, done, 7, UINT64_MAX));
	pthread_join(thread, NULL);
	for (uint32_t i = 0; i < 50; i++)
		VT_CHECK(((uint32_t *)a.map)[i] == i + 1);
	VT_OK(vkGetSemaphoreCounterValue(vt->device, later.semaphore, &value));
	VT_CHECK(value == 100, "%llu", (unsigned long long)value);
	VT_OK(vkQueueWaitIdle(vt->queues[0]));
	vkFreeCommandBuffers(vt->device, vt->pool, 50, commands);
	vkDestroySemaphore(vt->device, later.semaphore, NULL);
	vkDestroySemaphore(vt->device, done, NULL);
	vt_buffer_free(vt, &a);
}

static void test_two_queues(struct vt *vt)
{
	struct vt_buffer a = vt_buffer(vt, 64, COPY_USAGE);
	VkSemaphore semaphore = timeline(vt, 0);
	const VkBufferCopy copy = { 0, 4, 4 };
	VkCommandBuffer fill, move;

	if (vt->queue_count < 2) {
		vkDestroySemaphore(vt->device, semaphore, NULL);
		vt_buffer_free(vt, &a);
		vt_skip("the device has one queue");
		return;
	}
	fill = vt_begin(vt, 0);
	vkCmdFillBuffer(fill, a.buffer, 0, 4, 42);
	vt_barrier(fill);
	VT_OK(vkEndCommandBuffer(fill));
	move = vt_begin(vt, 0);
	vkCmdCopyBuffer(move, a.buffer, a.buffer, 1, &copy);
	vt_barrier(move);
	VT_OK(vkEndCommandBuffer(move));
	/* The second queue is given its work first. */
	VT_OK(submit2(vt->queues[1], move, semaphore, 1, semaphore, 2));
	VT_OK(submit2(vt->queues[0], fill, VK_NULL_HANDLE, 0, semaphore, 1));
	VT_OK(wait_value(vt, semaphore, 2, UINT64_MAX));
	VT_CHECK(((uint32_t *)a.map)[1] == 42);
	VT_OK(vkDeviceWaitIdle(vt->device));
	vkFreeCommandBuffers(vt->device, vt->pool, 1, &fill);
	vkFreeCommandBuffers(vt->device, vt->pool, 1, &move);
	vkDestroySemaphore(vt->device, semaphore, NULL);
	vt_buffer_free(vt, &a);
}

static void test_events(struct vt *vt)
{
	const VkEventCreateInfo info = { .sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO };
	struct vt_buffer a = vt_buffer(vt, 64, COPY_USAGE);
	const VkMemoryBarrier memory = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
		.srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
		.dstAccessMask = VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT,
	};
	const VkBufferCopy copy = { 0, 32, 4 };
	VkCommandBuffer commands;
	VkEvent event;

	VT_OK(vkCreateEvent(vt->device, &info, NULL, &event));
	VT_CHECK(vkGetEventStatus(vt->device, event) == VK_EVENT_RESET);
	VT_OK(vkSetEvent(vt->device, event));
	VT_CHECK(vkGetEventStatus(vt->device, event) == VK_EVENT_SET);
	VT_OK(vkResetEvent(vt->device, event));
	VT_CHECK(vkGetEventStatus(vt->device, event) == VK_EVENT_RESET);

	commands = vt_begin(vt, 0);
	vkCmdFillBuffer(commands, a.buffer, 0, 4, 77);
	vkCmdSetEvent(commands, event, VK_PIPELINE_STAGE_TRANSFER_BIT);
	vkCmdWaitEvents(commands, 1, &event, VK_PIPELINE_STAGE_TRANSFER_BIT,
			VK_PIPELINE_STAGE_TRANSFER_BIT, 1, &memory, 0, NULL, 0, NULL);
	vkCmdCopyBuffer(commands, a.buffer, a.buffer, 1, &copy);
	vt_run(vt, commands);
	VT_CHECK(((uint32_t *)a.map)[8] == 77);
	VT_CHECK(vkGetEventStatus(vt->device, event) == VK_EVENT_SET);

	commands = vt_begin(vt, 0);
	vkCmdResetEvent(commands, event, VK_PIPELINE_STAGE_TRANSFER_BIT);
	vt_run(vt, commands);
	VT_CHECK(vkGetEventStatus(vt->device, event) == VK_EVENT_RESET);
	vkDestroyEvent(vt->device, event, NULL);
	vt_buffer_free(vt, &a);
}

static void test_timestamps(struct vt *vt)
{
	const VkQueryPoolCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
		.queryType = VK_QUERY_TYPE_TIMESTAMP,
		.queryCount = 4,
	};
	struct vt_buffer a = vt_buffer(vt, 1 << 20, COPY_USAGE);
	struct vt_buffer b = vt_staging(vt, 256);
	VkCommandBuffer commands;
	uint64_t results[6] = { 0 };
	uint64_t *copied = b.map;
	VkQueryPool pool;

	VT_OK(vkCreateQueryPool(vt->device, &info, NULL, &pool));
	vkResetQueryPool(vt->device, pool, 0, 4);
	VT_CHECK(vkGetQueryPoolResults(vt->device, pool, 0, 1, 8, results, 8,
				       VK_QUERY_RESULT_64_BIT) == VK_NOT_READY);
	commands = vt_begin(vt, 0);
	vkCmdResetQueryPool(commands, pool, 0, 4);
	vkCmdWriteTimestamp(commands, VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT, pool, 0);
	vkCmdFillBuffer(commands, a.buffer, 0, VK_WHOLE_SIZE, 1);
	vt_barrier(commands);
	vkCmdWriteTimestamp2(commands, VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT, pool, 1);
	vkCmdCopyQueryPoolResults(commands, pool, 0, 2, b.buffer, 16, 16,
				  VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT |
					  VK_QUERY_RESULT_WITH_AVAILABILITY_BIT);
	vt_run(vt, commands);
	VT_OK(vkGetQueryPoolResults(vt->device, pool, 0, 2, 32, results, 16,
				    VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT |
					    VK_QUERY_RESULT_WITH_AVAILABILITY_BIT));
	VT_CHECK(results[1] && results[3]);
	VT_CHECK(results[2] > results[0], "%llu %llu", (unsigned long long)results[0],
		 (unsigned long long)results[2]);
	VT_CHECK(copied[2] == results[0] && copied[3] && copied[4] == results[2] && copied[5]);
	VT_CHECK(vkGetQueryPoolResults(vt->device, pool, 3, 1, 16, results, 16,
				       VK_QUERY_RESULT_64_BIT |
					       VK_QUERY_RESULT_WITH_AVAILABILITY_BIT) ==
		 VK_NOT_READY);
	VT_CHECK(results[1] == 0);
	vkDestroyQueryPool(vt->device, pool, NULL);
	vt_buffer_free(vt, &a);
	vt_buffer_free(vt, &b);
}

static void test_secondary(struct vt *vt)
{
	const VkCommandBufferAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = vt->pool,
		.level = VK_COMMAND_BUFFER_LEVEL_SECONDARY,
		.commandBufferCount = 2,
	};
	const VkCommandBufferInheritanceInfo inherit = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_INHERITANCE_INFO,
	};
	const VkCommandBufferBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
		.flags = VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT,
		.pInheritanceInfo = &inherit,
	};
	struct vt_buffer a = vt_buffer(vt, 64, COPY_USAGE);
	const VkBufferCopy copy = { 0, 8, 4 };
	VkCommandBuffer primary, secondary[2];
	uint32_t *words = a.map;

	VT_OK(vkAllocateCommandBuffers(vt->device, &allocate, secondary));
	VT_OK(vkBeginCommandBuffer(secondary[0], &begin));
	vkCmdFillBuffer(secondary[0], a.buffer, 0, 4, 11);
	vt_barrier(secondary[0]);
	VT_OK(vkEndCommandBuffer(secondary[0]));
	VT_OK(vkBeginCommandBuffer(secondary[1], &begin));
	vkCmdCopyBuffer(secondary[1], a.buffer, a.buffer, 1, &copy);
	vt_barrier(secondary[1]);
	VT_OK(vkEndCommandBuffer(secondary[1]));

	primary = vt_begin(vt, VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT);
	vkCmdFillBuffer(primary, a.buffer, 0, 16, 1);
	vt_barrier(primary);
	vkCmdExecuteCommands(primary, 2, secondary);
	vkCmdFillBuffer(primary, a.buffer, 4, 4, 22);
	vt_barrier(primary);
	vkCmdExecuteCommands(primary, 1, &secondary[0]);
	vkCmdFillBuffer(primary, a.buffer, 12, 4, 33);
	vt_run(vt, primary);
	VT_CHECK(words[0] == 11 && words[1] == 22 && words[2] == 11 && words[3] == 33,
		 "%u %u %u %u", words[0], words[1], words[2], words[3]);
	vkFreeCommandBuffers(vt->device, vt->pool, 2, secondary);
	vt_buffer_free(vt, &a);
}

static void test_resubmit(struct vt *vt)
{
	struct vt_buffer a = vt_buffer(vt, 1024, COPY_USAGE);
	VkCommandBuffer commands = vt_begin(vt, VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT);
	const VkSubmitInfo submit = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.commandBufferCount = 1,
		.pCommandBuffers = &commands,
	};
	const VkBufferCopy copy = { 0, 4, 1020 };
	struct vt_buffer b = vt_buffer(vt, 1024, COPY_USAGE);

	/* Each turn moves the words on by one place, through a second buffer. */
	((uint32_t *)a.map)[0] = 9;
	vkCmdCopyBuffer(commands, a.buffer, b.buffer, 1, &copy);
	vt_barrier(commands);
	vkCmdCopyBuffer(commands, b.buffer, a.buffer, 1, &copy);
	vt_barrier(commands);
	VT_OK(vkEndCommandBuffer(commands));
	for (int i = 0; i < 100; i++)
		VT_OK(vkQueueSubmit(vt->queues[0], 1, &submit, VK_NULL_HANDLE));
	VT_OK(vkQueueWaitIdle(vt->queues[0]));
	VT_CHECK(((uint32_t *)a.map)[200] == 9, "%u", ((uint32_t *)a.map)[200]);
	VT_CHECK(((uint32_t *)a.map)[202] == 0);
	VT_OK(vkResetCommandBuffer(commands, 0));
	vkFreeCommandBuffers(vt->device, vt->pool, 1, &commands);
	vt_buffer_free(vt, &a);
	vt_buffer_free(vt, &b);
}

static void test_private_data(struct vt *vt)
{
	const VkPrivateDataSlotCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_PRIVATE_DATA_SLOT_CREATE_INFO,
	};
	struct vt_buffer a = vt_buffer(vt, 64, COPY_USAGE);
	VkPrivateDataSlot slots[2];
	uint64_t data = 1;

	for (int i = 0; i < 2; i++)
		VT_OK(vkCreatePrivateDataSlot(vt->device, &info, NULL, &slots[i]));
	vkGetPrivateData(vt->device, VK_OBJECT_TYPE_BUFFER, (uint64_t)a.buffer, slots[0], &data);
	VT_CHECK(data == 0);
	VT_OK(vkSetPrivateData(vt->device, VK_OBJECT_TYPE_BUFFER, (uint64_t)a.buffer, slots[0], 5));
	VT_OK(vkSetPrivateData(vt->device, VK_OBJECT_TYPE_BUFFER, (uint64_t)a.buffer, slots[1], 6));
	VT_OK(vkSetPrivateData(vt->device, VK_OBJECT_TYPE_BUFFER, (uint64_t)a.buffer, slots[0], 7));
	vkGetPrivateData(vt->device, VK_OBJECT_TYPE_BUFFER, (uint64_t)a.buffer, slots[0], &data);
	VT_CHECK(data == 7);
	vkGetPrivateData(vt->device, VK_OBJECT_TYPE_BUFFER, (uint64_t)a.buffer, slots[1], &data);
	VT_CHECK(data == 6);
	for (int i = 0; i < 2; i++)
		vkDestroyPrivateDataSlot(vt->device, slots[i], NULL);
	vt_buffer_free(vt, &a);
}

static void test_impossible_images(struct vt *vt)
{
	VkFormatProperties format;
	VkImageFormatProperties image;

	if (!vt->hearth) {
		vt_skip("the device is not one of ours");
		return;
	}
	vkGetPhysicalDeviceFormatProperties(vt->physical, VK_FORMAT_BC1_RGB_UNORM_BLOCK, &format);
	VT_CHECK(!format.bufferFeatures && !format.linearTilingFeatures &&
		 !format.optimalTilingFeatures);
	VT_CHECK(vkGetPhysicalDeviceImageFormatProperties(
			 vt->physical, VK_FORMAT_BC1_RGB_UNORM_BLOCK, VK_IMAGE_TYPE_2D,
			 VK_IMAGE_TILING_LINEAR, VK_IMAGE_USAGE_SAMPLED_BIT, 0,
			 &image) == VK_ERROR_FORMAT_NOT_SUPPORTED);
	VT_CHECK(vkGetPhysicalDeviceImageFormatProperties(vt->physical, VK_FORMAT_D32_SFLOAT,
							  VK_IMAGE_TYPE_2D, VK_IMAGE_TILING_OPTIMAL,
							  VK_IMAGE_USAGE_STORAGE_BIT, 0,
							  &image) == VK_ERROR_FORMAT_NOT_SUPPORTED);
	VT_CHECK(vkGetPhysicalDeviceImageFormatProperties(vt->physical, VK_FORMAT_R8G8B8A8_UNORM,
							  VK_IMAGE_TYPE_2D, VK_IMAGE_TILING_OPTIMAL,
							  VK_IMAGE_USAGE_SAMPLED_BIT,
							  VK_IMAGE_CREATE_SPARSE_BINDING_BIT,
							  &image) == VK_ERROR_FORMAT_NOT_SUPPORTED);
}

static void test_descriptor_pool(struct vt *vt)
{
	const VkDescriptorPoolSize size = { VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 8 };
	const VkDescriptorPoolCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
		.flags = VK_DESCRIPTOR_POOL_CREATE_FREE_DESCRIPTOR_SET_BIT,
		.maxSets = 4,
		.poolSizeCount = 1,
		.pPoolSizes = &size,
	};
	const VkDescriptorSetLayoutBinding binding = { 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 2,
						       VK_SHADER_STAGE_COMPUTE_BIT, NULL };
	VkDescriptorSetLayout layout = vt_set_layout(vt, 0, &binding, 1, NULL);
	VkDescriptorSetLayout layouts[4] = { layout, layout, layout, layout };
	VkDescriptorSetAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
		.descriptorSetCount = 4,
		.pSetLayouts = layouts,
	};
	VkDescriptorSet sets[4];

	VT_OK(vkCreateDescriptorPool(vt->device, &info, NULL, &allocate.descriptorPool));
	for (int round = 0; round < 3; round++) {
		VT_OK(vkAllocateDescriptorSets(vt->device, &allocate, sets));
		VT_OK(vkFreeDescriptorSets(vt->device, allocate.descriptorPool, 2, &sets[1]));
		allocate.descriptorSetCount = 2;
		VT_OK(vkAllocateDescriptorSets(vt->device, &allocate, &sets[1]));
		allocate.descriptorSetCount = 4;
		VT_OK(vkResetDescriptorPool(vt->device, allocate.descriptorPool, 0));
	}
	vkDestroyDescriptorPool(vt->device, allocate.descriptorPool, NULL);
	vkDestroyDescriptorSetLayout(vt->device, layout, NULL);
}

static void test_pipeline_cache(struct vt *vt)
{
	VkPipelineCacheCreateInfo info = { .sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO };
	VkPipelineCacheHeaderVersionOne header;
	VkPipelineCache cache, other;
	uint8_t data[65536];
	size_t size = 0;

	VT_OK(vkCreatePipelineCache(vt->device, &info, NULL, &cache));
	VT_OK(vkGetPipelineCacheData(vt->device, cache, &size, NULL));
	VT_CHECK(size >= sizeof(header) && size <= sizeof(data), "%zu", size);
	VT_OK(vkGetPipelineCacheData(vt->device, cache, &size, data));
	memcpy(&header, data, sizeof(header));
	VT_CHECK(header.headerSize >= sizeof(header));
	VT_CHECK(header.headerVersion == VK_PIPELINE_CACHE_HEADER_VERSION_ONE);
	VT_CHECK(header.vendorID == vt->properties.vendorID);
	VT_CHECK(!memcmp(header.pipelineCacheUUID, vt->properties.pipelineCacheUUID, VK_UUID_SIZE));
	info.initialDataSize = size;
	info.pInitialData = data;
	VT_OK(vkCreatePipelineCache(vt->device, &info, NULL, &other));
	VT_OK(vkMergePipelineCaches(vt->device, cache, 1, &other));
	vkDestroyPipelineCache(vt->device, other, NULL);
	vkDestroyPipelineCache(vt->device, cache, NULL);
}

static const struct vt_test tests[] = {
	{ "limits", test_limits },
	{ "entry points", test_entry_points },
	{ "copy, fill, update", test_copy_fill_update },
	{ "a large copy", test_large_copy },
	{ "many commands", test_many_commands },
	{ "fences", test_fences },
	{ "binary semaphores", test_binary_semaphores },
	{ "timeline semaphores on the host", test_timeline_host },
	{ "timeline semaphores between threads", test_timeline_threads },
	{ "two queues", test_two_queues },
	{ "events", test_events },
	{ "timestamps", test_timestamps },
	{ "secondary command buffers", test_secondary },
	{ "a command buffer submitted many times", test_resubmit },
	{ "private data", test_private_data },
	{ "images that cannot be are refused", test_impossible_images },
	{ "descriptor pools", test_descriptor_pool },
	{ "pipeline caches", test_pipeline_cache },
};

int main(int argc, char **argv)
{
	struct vt vt;

	vt_open(&vt, argc, argv, false);
	return vt_main(&vt, tests, sizeof(tests) / sizeof(tests[0]));
}
