// SPDX-License-Identifier: MIT
/*
 * Buffers, and reading and writing them from the host: directly where they are mapped, else in
 * pieces through a staging buffer.
 */
#include "runtime.h"

#include <stdlib.h>
#include <string.h>

#define STAGING_BYTES (4ull << 20)

enum hearth_status hrt_buffer_create(struct hearth_device *device, uint64_t bytes,
				     enum hrt_memory_use use, struct hearth_buffer **out)
{
	struct hearth_buffer *buffer = calloc(1, sizeof(*buffer));
	VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.size = bytes,
		.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
			 VK_BUFFER_USAGE_TRANSFER_DST_BIT,
		.sharingMode = VK_SHARING_MODE_EXCLUSIVE,
	};
	VkMemoryRequirements requirements;
	enum hearth_status status;
	VkResult result;

	if (!buffer)
		return hrt_fail(HEARTH_ERROR_OUT_OF_MEMORY,
				"creating a buffer: out of host memory");
	buffer->device = device;
	buffer->bytes = bytes;
	result = vkCreateBuffer(device->vk, &info, NULL, &buffer->vk);
	if (result != VK_SUCCESS) {
		free(buffer);
		return hrt_fail_vk(result, "vkCreateBuffer", "a buffer of %llu bytes",
				   (unsigned long long)bytes);
	}
	vkGetBufferMemoryRequirements(device->vk, buffer->vk, &requirements);
	status = hrt_memory_alloc(device, &requirements, use, &buffer->memory);
	if (status != HEARTH_OK)
		goto out_fail;
	result = vkBindBufferMemory(device->vk, buffer->vk, hrt_memory_handle(&buffer->memory),
				    buffer->memory.offset);
	if (result != VK_SUCCESS) {
		status = hrt_fail_vk(result, "vkBindBufferMemory", "a buffer of %llu bytes",
				     (unsigned long long)bytes);
		goto out_fail;
	}
	if (use != HRT_MEMORY_DEVICE || !device->physical->no_mapping)
		buffer->map = hrt_memory_map(&buffer->memory);
	*out = buffer;
	return HEARTH_OK;

out_fail:
	hearth_buffer_destroy(buffer);
	return status;
}

static void record_zero_fill(VkCommandBuffer commands, void *data)
{
	struct hearth_buffer *buffer = data;

	vkCmdFillBuffer(commands, buffer->vk, 0, VK_WHOLE_SIZE, 0);
}

static enum hearth_status zero_fill(struct hearth_buffer *buffer)
{
	enum hearth_status status;

	if (buffer->map) {
		memset(buffer->map, 0, buffer->bytes);
		return HEARTH_OK;
	}
	pthread_mutex_lock(&buffer->device->transfer.lock);
	status = hrt_transfer_run(buffer->device, record_zero_fill, buffer);
	pthread_mutex_unlock(&buffer->device->transfer.lock);
	return status;
}

enum hearth_status hearth_buffer_create(struct hearth_device *device, uint64_t bytes,
					enum hearth_buffer_kind kind, struct hearth_buffer **out)
{
	enum hearth_status status;

	if (!device || !out)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"hearth_buffer_create: device or buffer is NULL");
	*out = NULL;
	if (kind != HEARTH_BUFFER_DEVICE && kind != HEARTH_BUFFER_SHARED)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"hearth_buffer_create: unknown kind %d", kind);
	if (!bytes)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT, "hearth_buffer_create: 0 bytes");
	if (bytes > device->physical->properties.max_buffer_bytes)
		return hrt_fail(
			HEARTH_ERROR_OUT_OF_DEVICE_MEMORY,
			"hearth_buffer_create: %llu bytes, the device's largest buffer is %llu",
			(unsigned long long)bytes,
			(unsigned long long)device->physical->properties.max_buffer_bytes);
	status = hrt_buffer_create(
		device, hrt_round_up(bytes, 4),
		kind == HEARTH_BUFFER_SHARED ? HRT_MEMORY_SHARED : HRT_MEMORY_DEVICE, out);
	if (status != HEARTH_OK)
		return status;
	status = zero_fill(*out);
	if (status != HEARTH_OK) {
		hearth_buffer_destroy(*out);
		*out = NULL;
	}
	return status;
}

void hearth_buffer_destroy(struct hearth_buffer *buffer)
{
	if (!buffer)
		return;
	vkDestroyBuffer(buffer->device->vk, buffer->vk, NULL);
	hrt_memory_free(buffer->device, &buffer->memory);
	free(buffer);
}

uint64_t hearth_buffer_bytes(const struct hearth_buffer *buffer)
{
	return buffer ? buffer->bytes : 0;
}

void *hearth_buffer_map(struct hearth_buffer *buffer)
{
	return buffer ? buffer->map : NULL;
}

/* ---- Host access ---- */

struct staged_copy {
	VkBuffer source;
	VkBuffer destination;
	VkBufferCopy region;
};

static void record_copy(VkCommandBuffer commands, void *data)
{
	const struct staged_copy *copy = data;

	vkCmdCopyBuffer(commands, copy->source, copy->destination, 1, &copy->region);
}

/* Copies of buffers go in bytes of any number, so the last piece needs no rounding. */
static enum hearth_status staged_access(struct hearth_buffer *buffer, uint64_t offset, char *data,
					uint64_t bytes, bool write)
{
	struct hearth_device *device = buffer->device;
	struct hrt_transfer *transfer = &device->transfer;
	enum hearth_status status = HEARTH_OK;

	pthread_mutex_lock(&transfer->lock);
	if (!transfer->staging)
		status = hrt_buffer_create(device, STAGING_BYTES, HRT_MEMORY_STAGING,
					   &transfer->staging);
	while (status == HEARTH_OK && bytes) {
		uint64_t part = bytes < STAGING_BYTES ? bytes : STAGING_BYTES;
		char *map = transfer->staging->map;
		struct staged_copy copy = {
			.source = write ? transfer->staging->vk : buffer->vk,
			.destination = write ? buffer->vk : transfer->staging->vk,
			.region = { .srcOffset = write ? 0 : offset,
				    .dstOffset = write ? offset : 0,
				    .size = part },
		};

		if (write)
			memcpy(map, data, part);
		status = hrt_transfer_run(device, record_copy, &copy);
		if (status == HEARTH_OK && !write)
			memcpy(data, map, part);
		data += part;
		offset += part;
		bytes -= part;
	}
	pthread_mutex_unlock(&transfer->lock);
	return status;
}

static enum hearth_status check_access(const char *function, const struct hearth_buffer *buffer,
				       uint64_t offset, const void *data, uint64_t bytes)
{
	if (!buffer || (!data && bytes))
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT, "%s: buffer or data is NULL",
				function);
	if (offset > buffer->bytes || bytes > buffer->bytes - offset)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"%s: bytes %llu … +%llu of a buffer of %llu", function,
				(unsigned long long)offset, (unsigned long long)bytes,
				(unsigned long long)buffer->bytes);
	return HEARTH_OK;
}

enum hearth_status hearth_buffer_write(struct hearth_buffer *buffer, uint64_t offset,
				       const void *data, uint64_t bytes)
{
	enum hearth_status status =
		check_access("hearth_buffer_write", buffer, offset, data, bytes);

	if (status != HEARTH_OK || !bytes)
		return status;
	if (!buffer->map)
		return staged_access(buffer, offset, (char *)data, bytes, true);
	memcpy((char *)buffer->map + offset, data, bytes);
	return HEARTH_OK;
}

enum hearth_status hearth_buffer_read(struct hearth_buffer *buffer, uint64_t offset, void *data,
				      uint64_t bytes)
{
	enum hearth_status status = check_access("hearth_buffer_read", buffer, offset, data, bytes);

	if (status != HEARTH_OK || !bytes)
		return status;
	if (!buffer->map)
		return staged_access(buffer, offset, data, bytes, false);
	memcpy(data, (const char *)buffer->map + offset, bytes);
	return HEARTH_OK;
}
