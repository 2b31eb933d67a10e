// SPDX-License-Identifier: MIT
/*
 * Command pools and the memory of commands. A pool cuts slabs of device memory into blocks; a command
 * buffer fills a block with packets from its start and with argument blocks from its end, and takes
 * the next one when they meet.
 */
#include <stdlib.h>
#include <string.h>

#include "hth_private.h"

#define BLOCK_BYTES (32u << 10)
#define SLAB_BLOCKS 8u

VKAPI_ATTR VkResult VKAPI_CALL hth_CreateCommandPool(VkDevice handle,
						     const VkCommandPoolCreateInfo *info,
						     const VkAllocationCallbacks *callbacks,
						     VkCommandPool *out)
{
	struct hth_device *device = hth_device_from_handle(handle);
	struct hth_cmd_pool *pool =
		hth_object_alloc(device, callbacks, sizeof(*pool), VK_OBJECT_TYPE_COMMAND_POOL);

	(void)info;
	if (!pool)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	pool->device = device;
	*out = hth_cmd_pool_to_handle(pool);
	return VK_SUCCESS;
}

static VkResult add_slab(struct hth_cmd_pool *pool)
{
	struct hth_device *device = pool->device;
	struct hth_slab *slab = calloc(1, sizeof(*slab));
	VkResult result;

	if (!slab)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	result = device->backend->bo_create(device, HTH_PLACEMENT_DEVICE, BLOCK_BYTES * SLAB_BLOCKS,
					    &slab->bo);
	if (result != VK_SUCCESS) {
		free(slab);
		return result;
	}
	slab->next = pool->slabs;
	pool->slabs = slab;
	for (uint32_t i = SLAB_BLOCKS; i-- > 0;) {
		struct hth_block *block = calloc(1, sizeof(*block));

		if (!block)
			return VK_ERROR_OUT_OF_HOST_MEMORY;
		block->va = slab->bo.va + i * BLOCK_BYTES;
		block->map = (uint8_t *)slab->bo.map + i * BLOCK_BYTES;
		block->size = BLOCK_BYTES;
		block->next = pool->free_blocks;
		pool->free_blocks = block;
	}
	return VK_SUCCESS;
}

/* A block with room for @need bytes; a larger one than usual is memory of its own. */
VkResult hth_block_get(struct hth_cmd_pool *pool, uint32_t need, struct hth_block **out)
{
	struct hth_device *device = pool->device;
	struct hth_block *block;
	VkResult result;

	if (need > BLOCK_BYTES) {
		block = calloc(1, sizeof(*block));
		if (!block)
			return VK_ERROR_OUT_OF_HOST_MEMORY;
		result = device->backend->bo_create(device, HTH_PLACEMENT_DEVICE, need, &block->bo);
		if (result != VK_SUCCESS) {
			free(block);
			return result;
		}
		block->va = block->bo.va;
		block->map = block->bo.map;
		block->size = need;
		*out = block;
		return VK_SUCCESS;
	}
	if (!pool->free_blocks) {
		result = add_slab(pool);
		if (result != VK_SUCCESS)
			return result;
	}
	block = pool->free_blocks;
	pool->free_blocks = block->next;
	*out = block;
	return VK_SUCCESS;
}

void hth_block_put(struct hth_cmd_pool *pool, struct hth_block *block)
{
	if (block->bo.size) {
		pool->device->backend->bo_destroy(pool->device, &block->bo);
		free(block);
		return;
	}
	block->next = pool->free_blocks;
	pool->free_blocks = block;
}

static void cmd_buffer_free(struct hth_cmd_buffer *buffer)
{
	hth_cmd_buffer_reset(buffer);
	free(buffer->segments);
	*buffer->link = buffer->next;
	if (buffer->next)
		buffer->next->link = buffer->link;
	hth_object_free(buffer->device, NULL, buffer);
}

VKAPI_ATTR void VKAPI_CALL hth_DestroyCommandPool(VkDevice handle, VkCommandPool pool_handle,
						  const VkAllocationCallbacks *callbacks)
{
	struct hth_device *device = hth_device_from_handle(handle);
	struct hth_cmd_pool *pool = hth_cmd_pool_from_handle(pool_handle);

	if (!pool)
		return;
	while (pool->buffers)
		cmd_buffer_free(pool->buffers);
	while (pool->free_blocks) {
		struct hth_block *block = pool->free_blocks;

		pool->free_blocks = block->next;
		free(block);
	}
	while (pool->slabs) {
		struct hth_slab *slab = pool->slabs;

		pool->slabs = slab->next;
		device->backend->bo_destroy(device, &slab->bo);
		free(slab);
	}
	hth_object_free(device, callbacks, pool);
}

VKAPI_ATTR VkResult VKAPI_CALL hth_ResetCommandPool(VkDevice device, VkCommandPool pool,
						    VkCommandPoolResetFlags flags)
{
	(void)device;
	(void)flags;
	for (struct hth_cmd_buffer *buffer = hth_cmd_pool_from_handle(pool)->buffers; buffer;
	     buffer = buffer->next)
		hth_cmd_buffer_reset(buffer);
	return VK_SUCCESS;
}

/* A hint; blocks are few and stay for the next recording. */
VKAPI_ATTR void VKAPI_CALL hth_TrimCommandPool(VkDevice device, VkCommandPool pool,
					       VkCommandPoolTrimFlags flags)
{
	(void)device;
	(void)pool;
	(void)flags;
}

VKAPI_ATTR VkResult VKAPI_CALL hth_AllocateCommandBuffers(VkDevice handle,
							  const VkCommandBufferAllocateInfo *info,
							  VkCommandBuffer *out)
{
	struct hth_device *device = hth_device_from_handle(handle);
	struct hth_cmd_pool *pool = hth_cmd_pool_from_handle(info->commandPool);

	for (uint32_t i = 0; i < info->commandBufferCount; i++) {
		struct hth_cmd_buffer *buffer = hth_object_alloc(device, NULL, sizeof(*buffer),
								 VK_OBJECT_TYPE_COMMAND_BUFFER);

		if (!buffer) {
			hth_FreeCommandBuffers(handle, info->commandPool, i, out);
			for (uint32_t k = 0; k < info->commandBufferCount; k++)
				out[k] = NULL;
			return VK_ERROR_OUT_OF_HOST_MEMORY;
		}
		buffer->device = device;
		buffer->pool = pool;
		buffer->level = info->level;
		buffer->next = pool->buffers;
		buffer->link = &pool->buffers;
		if (buffer->next)
			buffer->next->link = &buffer->next;
		pool->buffers = buffer;
		out[i] = hth_cmd_buffer_to_handle(buffer);
	}
	return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL hth_FreeCommandBuffers(VkDevice device, VkCommandPool pool,
						  uint32_t count, const VkCommandBuffer *buffers)
{
	(void)device;
	(void)pool;
	for (uint32_t i = 0; i < count; i++)
		if (buffers[i])
			cmd_buffer_free(hth_cmd_buffer_from_handle(buffers[i]));
}
