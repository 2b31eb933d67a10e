// SPDX-License-Identifier: MIT
/*
 * Recordings: one command buffer, recorded once and submitted as often as wanted. Barriers are put where an
 * operation touches what an earlier one since the last barrier wrote, or writes what one read.
 */
#include "runtime.h"

#include <stdlib.h>
#include <string.h>

#define SETS_PER_POOL 128

enum hearth_status hearth_recording_create(struct hearth_device *device,
					   struct hearth_recording **out)
{
	const VkCommandBufferBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
	};
	/* Work of other submissions, and what the host wrote, comes before. */
	const VkMemoryBarrier before = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
		.srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
		.dstAccessMask = VK_ACCESS_MEMORY_READ_BIT | VK_ACCESS_MEMORY_WRITE_BIT,
	};
	VkCommandPoolCreateInfo pool = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
	};
	VkCommandBufferAllocateInfo commands = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
		.commandBufferCount = 1,
	};
	struct hearth_recording *recording;
	VkResult result;

	if (!device || !out)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"hearth_recording_create: device or recording is NULL");
	*out = NULL;
	recording = calloc(1, sizeof(*recording));
	if (!recording)
		return hrt_fail(HEARTH_ERROR_OUT_OF_MEMORY,
				"hearth_recording_create: out of memory");
	recording->device = device;
	pool.queueFamilyIndex = device->physical->queue_family;
	result = vkCreateCommandPool(device->vk, &pool, NULL, &recording->pool);
	if (result != VK_SUCCESS)
		goto out_fail;
	commands.commandPool = recording->pool;
	result = vkAllocateCommandBuffers(device->vk, &commands, &recording->commands);
	if (result != VK_SUCCESS)
		goto out_fail;
	result = vkBeginCommandBuffer(recording->commands, &begin);
	if (result != VK_SUCCESS)
		goto out_fail;
	vkCmdPipelineBarrier(recording->commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
			     VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT,
			     0, 1, &before, 0, NULL, 0, NULL);
	*out = recording;
	return HEARTH_OK;

out_fail:
	hearth_recording_destroy(recording);
	return hrt_fail_vk(result, "vkCreateCommandPool", "hearth_recording_create");
}

void hearth_recording_destroy(struct hearth_recording *recording)
{
	struct hearth_device *device;

	if (!recording)
		return;
	device = recording->device;
	for (uint32_t i = 0; i < recording->descriptor_pool_count; i++)
		vkDestroyDescriptorPool(device->vk, recording->descriptor_pools[i], NULL);
	vkDestroyCommandPool(device->vk, recording->pool, NULL);
	hrt_derived_free(recording);
	hrt_timeline_put(recording->timeline);
	free(recording->descriptor_pools);
	free(recording);
}

uint32_t hearth_recording_length(const struct hearth_recording *recording)
{
	return recording ? recording->length : 0;
}

enum hearth_status hrt_recording_check(const struct hearth_recording *recording, const char *op)
{
	static const char *const states[] = {
		[HRT_RECORDING_ENDED] = "is ended",
		[HRT_RECORDING_BROKEN] = "failed earlier",
	};

	if (!recording)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT, "%s: recording is NULL", op);
	if (recording->state != HRT_RECORDING_OPEN)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT, "%s: the recording %s", op,
				states[recording->state]);
	return HEARTH_OK;
}

enum hearth_status hearth_recording_set_precision(struct hearth_recording *recording,
						  enum hearth_precision precision)
{
	static const char op[] = "hearth_recording_set_precision";
	enum hearth_status status = hrt_recording_check(recording, op);

	if (status != HEARTH_OK)
		return status;
	if (precision != HEARTH_PRECISION_EXACT && precision != HEARTH_PRECISION_FAST)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT, "%s: unknown precision %d", op,
				precision);
	recording->precision = precision;
	return HEARTH_OK;
}

enum hearth_status hearth_recording_end(struct hearth_recording *recording)
{
	enum hearth_status status = hrt_recording_check(recording, "hearth_recording_end");
	const VkMemoryBarrier after = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
		.srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT,
		.dstAccessMask = VK_ACCESS_HOST_READ_BIT,
	};
	VkResult result;

	if (status != HEARTH_OK)
		return status;
	vkCmdPipelineBarrier(recording->commands,
			     VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT,
			     VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &after, 0, NULL, 0, NULL);
	result = vkEndCommandBuffer(recording->commands);
	if (result != VK_SUCCESS) {
		recording->state = HRT_RECORDING_BROKEN;
		return hrt_fail_vk(result, "vkEndCommandBuffer", "hearth_recording_end");
	}
	recording->state = HRT_RECORDING_ENDED;
	return HEARTH_OK;
}

/* ---- Barriers ---- */

static bool depends(const struct hrt_binding *earlier, const struct hrt_binding *later)
{
	return earlier->buffer == later->buffer && (earlier->access | later->access) & HRT_WRITE &&
	       earlier->offset < later->offset + later->bytes &&
	       later->offset < earlier->offset + earlier->bytes;
}

/* Before an operation that touches @bindings: a barrier if it must wait for one since the last barrier. */
static void order(struct hearth_recording *recording, const struct hrt_binding *bindings,
		  uint32_t count)
{
	const VkMemoryBarrier barrier = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
		.srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT,
		.dstAccessMask = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT |
				 VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT,
	};
	const VkPipelineStageFlags stages =
		VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT;
	bool wait = recording->pending_count + count > HRT_MAX_PENDING;

	hrt_derived_invalidate(recording, bindings, count);

	for (uint32_t i = 0; i < recording->pending_count && !wait; i++)
		for (uint32_t j = 0; j < count && !wait; j++)
			wait = depends(&recording->pending[i], &bindings[j]);
	if (wait) {
		vkCmdPipelineBarrier(recording->commands, stages, stages, 0, 1, &barrier, 0, NULL,
				     0, NULL);
		recording->pending_count = 0;
	}
	memcpy(recording->pending + recording->pending_count, bindings, count * sizeof(*bindings));
	recording->pending_count += count;
}

/* ---- Dispatches ---- */

static VkResult add_descriptor_pool(struct hearth_recording *recording)
{
	const VkDescriptorPoolSize size = {
		.type = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
		.descriptorCount = SETS_PER_POOL * HRT_MAX_BINDINGS,
	};
	const VkDescriptorPoolCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
		.maxSets = SETS_PER_POOL,
		.poolSizeCount = 1,
		.pPoolSizes = &size,
	};
	VkDescriptorPool *grown;
	VkResult result;

	grown = realloc(recording->descriptor_pools,
			(recording->descriptor_pool_count + 1) * sizeof(*grown));
	if (!grown)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	recording->descriptor_pools = grown;
	result = vkCreateDescriptorPool(recording->device->vk, &info, NULL,
					&grown[recording->descriptor_pool_count]);
	if (result != VK_SUCCESS)
		return result;
	recording->descriptor_pool_count++;
	recording->sets_left = SETS_PER_POOL;
	return VK_SUCCESS;
}

static VkResult make_set(struct hearth_recording *recording, const struct hrt_pipeline *pipeline,
			 const struct hrt_binding *bindings, VkDescriptorSet *set)
{
	const VkPhysicalDeviceLimits *limits = &recording->device->physical->limits;
	VkDescriptorSetAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
		.descriptorSetCount = 1,
		.pSetLayouts = &pipeline->set_layout,
	};
	VkDescriptorBufferInfo buffers[HRT_MAX_BINDINGS];
	VkWriteDescriptorSet writes[HRT_MAX_BINDINGS];
	VkResult result = VK_SUCCESS;

	if (!recording->sets_left)
		result = add_descriptor_pool(recording);
	if (result != VK_SUCCESS)
		return result;
	info.descriptorPool = recording->descriptor_pools[recording->descriptor_pool_count - 1];
	result = vkAllocateDescriptorSets(recording->device->vk, &info, set);
	if (result != VK_SUCCESS)
		return result;
	recording->sets_left--;
	for (uint32_t i = 0; i < pipeline->buffer_count; i++) {
		uint64_t start =
			bindings[i].offset & ~(limits->minStorageBufferOffsetAlignment - 1);

		buffers[i] = (VkDescriptorBufferInfo){
			.buffer = bindings[i].buffer->vk,
			.offset = start,
			.range = hrt_round_up(bindings[i].offset + bindings[i].bytes, 4) - start,
		};
		writes[i] = (VkWriteDescriptorSet){
			.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
			.dstSet = *set,
			.dstBinding = i,
			.descriptorCount = 1,
			.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
			.pBufferInfo = &buffers[i],
		};
	}
	vkUpdateDescriptorSets(recording->device->vk, pipeline->buffer_count, writes, 0, NULL);
	return VK_SUCCESS;
}

static enum hearth_status check_limits(const struct hearth_recording *recording, const char *op,
				       const struct hrt_pipeline *pipeline,
				       const struct hrt_binding *bindings, const uint32_t groups[3])
{
	const struct hrt_physical *physical = recording->device->physical;
	const VkPhysicalDeviceLimits *limits = &physical->limits;

	for (uint32_t i = 0; i < pipeline->buffer_count; i++) {
		uint64_t start =
			bindings[i].offset & ~(limits->minStorageBufferOffsetAlignment - 1);
		uint64_t range = hrt_round_up(bindings[i].offset + bindings[i].bytes, 4) - start;

		if (range > limits->maxStorageBufferRange)
			return hrt_fail(HEARTH_ERROR_UNSUPPORTED,
					"%s: buffer %u has %llu bytes, a kernel on %s can reach %u",
					op, i, (unsigned long long)range, physical->properties.name,
					limits->maxStorageBufferRange);
	}
	for (uint32_t i = 0; i < 3; i++)
		if (!groups[i] || groups[i] > limits->maxComputeWorkGroupCount[i])
			return hrt_fail(HEARTH_ERROR_UNSUPPORTED,
					"%s: %u × %u × %u work-groups, %s takes 1 … %u × %u × %u",
					op, groups[0], groups[1], groups[2],
					physical->properties.name,
					limits->maxComputeWorkGroupCount[0],
					limits->maxComputeWorkGroupCount[1],
					limits->maxComputeWorkGroupCount[2]);
	return HEARTH_OK;
}

enum hearth_status hrt_record(struct hearth_recording *recording, const char *op,
			      const struct hrt_pipeline *pipeline,
			      const struct hrt_binding *bindings, const void *push,
			      const uint32_t groups[3])
{
	enum hearth_status status = check_limits(recording, op, pipeline, bindings, groups);
	VkDescriptorSet set = VK_NULL_HANDLE;
	VkResult result;

	if (status != HEARTH_OK)
		return status;
	result = make_set(recording, pipeline, bindings, &set);
	if (result != VK_SUCCESS)
		return hrt_fail_vk(result, "vkAllocateDescriptorSets", "%s", op);
	order(recording, bindings, pipeline->buffer_count);
	if (recording->bound != pipeline->vk)
		vkCmdBindPipeline(recording->commands, VK_PIPELINE_BIND_POINT_COMPUTE,
				  pipeline->vk);
	recording->bound = pipeline->vk;
	vkCmdBindDescriptorSets(recording->commands, VK_PIPELINE_BIND_POINT_COMPUTE,
				pipeline->layout, 0, 1, &set, 0, NULL);
	if (pipeline->push_bytes)
		vkCmdPushConstants(recording->commands, pipeline->layout,
				   VK_SHADER_STAGE_COMPUTE_BIT, 0, pipeline->push_bytes, push);
	vkCmdDispatch(recording->commands, groups[0], groups[1], groups[2]);
	recording->length++;
	return HEARTH_OK;
}

/* ---- Views ---- */

/* The part of its buffer that @view means. */
static enum hearth_status resolve_view(const struct hearth_recording *recording, const char *op,
				       const char *name, const struct hearth_view *view,
				       uint64_t *bytes)
{
	if (!view->buffer)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT, "%s: %s has no buffer", op, name);
	if (view->buffer->device != recording->device)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT, "%s: %s is on another device", op,
				name);
	if (view->offset % HRT_VIEW_ALIGN)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"%s: %s starts at byte %llu, expected a multiple of %d", op, name,
				(unsigned long long)view->offset, HRT_VIEW_ALIGN);
	if (view->offset >= view->buffer->bytes || view->bytes > view->buffer->bytes - view->offset)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"%s: %s is bytes %llu … +%llu of a buffer of %llu", op, name,
				(unsigned long long)view->offset, (unsigned long long)view->bytes,
				(unsigned long long)view->buffer->bytes);
	*bytes = view->bytes ? view->bytes : view->buffer->bytes - view->offset;
	return HEARTH_OK;
}

enum hearth_status hrt_bind(const struct hearth_recording *recording, const char *op,
			    const char *name, const struct hearth_view *view, uint64_t bytes,
			    enum hrt_access access, struct hrt_binding *binding,
			    uint32_t *first_word)
{
	uint64_t alignment = recording->device->physical->limits.minStorageBufferOffsetAlignment;
	uint64_t have;
	enum hearth_status status = resolve_view(recording, op, name, view, &have);

	if (status != HEARTH_OK)
		return status;
	if (bytes > have)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"%s: %s has %llu bytes, %llu are needed", op, name,
				(unsigned long long)have, (unsigned long long)bytes);
	*binding = (struct hrt_binding){ view->buffer, view->offset, bytes, access };
	*first_word = (uint32_t)(view->offset & (alignment - 1)) / 4;
	return HEARTH_OK;
}

/* ---- Dispatches and copies of callers ---- */

enum hearth_status hearth_record_dispatch(struct hearth_recording *recording,
					  struct hearth_kernel *kernel,
					  const struct hearth_view *buffers, uint32_t buffer_count,
					  const void *push, uint32_t push_bytes, uint32_t groups_x,
					  uint32_t groups_y, uint32_t groups_z)
{
	static const char op[] = "hearth_record_dispatch";
	const uint32_t groups[3] = { groups_x, groups_y, groups_z };
	enum hearth_status status = hrt_recording_check(recording, op);
	struct hrt_binding bindings[HRT_MAX_BINDINGS];

	if (status != HEARTH_OK)
		return status;
	if (!kernel || kernel->device != recording->device)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT, "%s: kernel %s", op,
				kernel ? "is of another device" : "is NULL");
	if (buffer_count != kernel->pipeline.buffer_count || (buffer_count && !buffers))
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT, "%s: %u buffers, the kernel has %u",
				op, buffers ? buffer_count : 0, kernel->pipeline.buffer_count);
	if (push_bytes != kernel->pipeline.push_bytes || (push_bytes && !push))
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"%s: %u push constant bytes, the kernel has %u", op,
				push ? push_bytes : 0, kernel->pipeline.push_bytes);
	for (uint32_t i = 0; i < buffer_count; i++) {
		uint32_t first_word;
		uint64_t bytes;
		char name[16] = "buffer 0";

		name[7] = (char)('0' + i);
		status = resolve_view(recording, op, name, &buffers[i], &bytes);
		if (status == HEARTH_OK)
			/* What the kernel does with it is not known. */
			status = hrt_bind(recording, op, name, &buffers[i], bytes,
					  HRT_READ | HRT_WRITE, &bindings[i], &first_word);
		if (status != HEARTH_OK)
			return status;
		if (first_word)
			return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
					"%s: %s starts at byte %llu, kernels on this device need "
					"multiples of %llu",
					op, name, (unsigned long long)buffers[i].offset,
					(unsigned long long)recording->device->physical->limits
						.minStorageBufferOffsetAlignment);
	}
	return hrt_record(recording, op, &kernel->pipeline, bindings, push, groups);
}

enum hearth_status hearth_record_copy(struct hearth_recording *recording, struct hearth_view source,
				      struct hearth_view destination, uint64_t bytes)
{
	static const char op[] = "hearth_record_copy";
	enum hearth_status status = hrt_recording_check(recording, op);
	const VkBufferCopy region = { source.offset, destination.offset, bytes };
	struct hrt_binding bindings[2];
	uint32_t first_word;

	if (status != HEARTH_OK)
		return status;
	if (!bytes)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT, "%s: 0 bytes", op);
	status = hrt_bind(recording, op, "source", &source, bytes, HRT_READ, &bindings[0],
			  &first_word);
	if (status == HEARTH_OK)
		status = hrt_bind(recording, op, "destination", &destination, bytes, HRT_WRITE,
				  &bindings[1], &first_word);
	if (status != HEARTH_OK)
		return status;
	if (depends(&bindings[0], &bindings[1]))
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT, "%s: source and destination overlap",
				op);
	order(recording, bindings, 2);
	vkCmdCopyBuffer(recording->commands, source.buffer->vk, destination.buffer->vk, 1, &region);
	recording->length++;
	return HEARTH_OK;
}
