// SPDX-License-Identifier: MIT
/*
 * Device memory. Drivers limit how many allocations there may be and make small ones large, so buffers
 * up to SMALL_BYTES share blocks, first fit; larger ones have a block of their own. Blocks that become empty are
 * given back. Host-visible blocks stay mapped.
 */
#include "runtime.h"

#include <stdlib.h>

#define BLOCK_BYTES (16ull << 20)
#define SMALL_BYTES (4ull << 20)

struct hrt_range {
	struct hrt_range *next; /* at a higher offset */
	uint64_t offset;
	uint64_t bytes;
};

struct hrt_block {
	struct hrt_block *next;
	VkDeviceMemory vk;
	void *map;
	uint32_t type;
	bool shared; /* may hold several buffers */
	uint64_t bytes;
	struct hrt_range *free_ranges;
	uint32_t used; /* pieces handed out */
};

/* ---- Memory types ---- */

/* How well a memory type serves a use; negative: not at all. */
static int type_score(const struct hrt_physical *physical, uint32_t type, enum hrt_memory_use use)
{
	const VkMemoryType *t = &physical->memory.memoryTypes[type];
	const VkMemoryHeap *heap = &physical->memory.memoryHeaps[t->heapIndex];
	const VkMemoryPropertyFlags unusable = VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT |
					       VK_MEMORY_PROPERTY_PROTECTED_BIT |
					       VK_MEMORY_PROPERTY_DEVICE_COHERENT_BIT_AMD;
	bool local = t->propertyFlags & VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
	bool visible = t->propertyFlags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT;
	bool coherent = t->propertyFlags & VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
	bool cached = t->propertyFlags & VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
	/* A small window on a large memory is for small things. */
	bool whole = heap->size >= physical->properties.memory_bytes;

	if (t->propertyFlags & unusable)
		return -1;
	switch (use) {
	case HRT_MEMORY_DEVICE:
		if ((visible && !coherent) || (!local && physical->properties.memory_bytes))
			return -1;
		return (local ? 8 : 0) + (visible ? (whole ? 2 : -1) : 0) +
		       (visible && cached ? 1 : 0);
	case HRT_MEMORY_SHARED:
		if (!visible || !coherent)
			return -1;
		return (local ? 2 : 0) + (cached ? 1 : 0);
	case HRT_MEMORY_STAGING:
		if (!visible || !coherent)
			return -1;
		return (local ? 0 : 2) + (cached ? 1 : 0);
	}
	return -1;
}

/* The best type among the bits of @allowed; UINT32_MAX if none serves. */
static uint32_t best_type(const struct hrt_physical *physical, uint32_t allowed,
			  enum hrt_memory_use use)
{
	uint32_t best = UINT32_MAX;
	int best_score = -1;

	for (uint32_t i = 0; i < physical->memory.memoryTypeCount; i++) {
		int score = allowed & (1u << i) ? type_score(physical, i, use) : -1;

		if (score > best_score) {
			best_score = score;
			best = i;
		}
	}
	return best;
}

/* ---- Blocks ---- */

static struct hrt_block *block_create(struct hearth_device *device, uint32_t type, uint64_t bytes,
				      bool shared, VkResult *result)
{
	const VkMemoryAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.allocationSize = bytes,
		.memoryTypeIndex = type,
	};
	struct hrt_block *block = calloc(1, sizeof(*block));
	struct hrt_range *range = calloc(1, sizeof(*range));

	*result = VK_ERROR_OUT_OF_HOST_MEMORY;
	if (!block || !range)
		goto out_free;
	*result = vkAllocateMemory(device->vk, &info, NULL, &block->vk);
	if (*result != VK_SUCCESS)
		goto out_free;
	if (device->physical->memory.memoryTypes[type].propertyFlags &
	    VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT) {
		*result = vkMapMemory(device->vk, block->vk, 0, VK_WHOLE_SIZE, 0, &block->map);
		if (*result != VK_SUCCESS)
			goto out_memory;
	}
	range->bytes = bytes;
	block->free_ranges = range;
	block->type = type;
	block->bytes = bytes;
	block->shared = shared;
	block->next = device->pool.blocks;
	device->pool.blocks = block;
	return block;

out_memory:
	vkFreeMemory(device->vk, block->vk, NULL);
out_free:
	free(range);
	free(block);
	return NULL;
}

static void block_destroy(struct hearth_device *device, struct hrt_block *block)
{
	struct hrt_block **link = &device->pool.blocks;

	while (*link != block)
		link = &(*link)->next;
	*link = block->next;
	while (block->free_ranges) {
		struct hrt_range *range = block->free_ranges;

		block->free_ranges = range->next;
		free(range);
	}
	vkFreeMemory(device->vk, block->vk, NULL);
	free(block);
}

/* Takes @bytes from the first free range that has them. */
static bool block_take(struct hrt_block *block, uint64_t bytes, uint64_t alignment,
		       struct hrt_memory *memory)
{
	for (struct hrt_range **link = &block->free_ranges; *link; link = &(*link)->next) {
		struct hrt_range *range = *link;
		uint64_t start = hrt_round_up(range->offset, alignment);
		uint64_t end = range->offset + range->bytes;

		if (start > end || end - start < bytes)
			continue;
		if (start + bytes == end && start == range->offset) {
			*link = range->next;
			free(range);
		} else if (start + bytes == end) {
			range->bytes = start - range->offset;
		} else if (start == range->offset) {
			range->offset = start + bytes;
			range->bytes = end - range->offset;
		} else {
			struct hrt_range *rest = calloc(1, sizeof(*rest));

			if (!rest)
				return false;
			rest->offset = start + bytes;
			rest->bytes = end - rest->offset;
			rest->next = range->next;
			range->bytes = start - range->offset;
			range->next = rest;
		}
		block->used++;
		*memory = (struct hrt_memory){ .block = block, .offset = start, .bytes = bytes };
		return true;
	}
	return false;
}

/* Gives a piece back and joins it with its free neighbours. */
static void block_give(struct hrt_block *block, uint64_t offset, uint64_t bytes)
{
	struct hrt_range *before = NULL;
	struct hrt_range *after = block->free_ranges;
	struct hrt_range *range;

	while (after && after->offset < offset) {
		before = after;
		after = after->next;
	}
	if (before && before->offset + before->bytes == offset) {
		before->bytes += bytes;
		range = before;
	} else {
		range = calloc(1, sizeof(*range));
		if (!range)
			return; /* this piece stays unused until the block goes */
		range->offset = offset;
		range->bytes = bytes;
		range->next = after;
		*(before ? &before->next : &block->free_ranges) = range;
	}
	if (after && range->offset + range->bytes == after->offset) {
		range->bytes += after->bytes;
		range->next = after->next;
		free(after);
	}
}

/* ---- The interface ---- */

static VkResult alloc_type(struct hearth_device *device, uint32_t type, uint64_t bytes,
			   uint64_t alignment, struct hrt_memory *memory)
{
	bool small = bytes <= SMALL_BYTES;
	struct hrt_block *block;
	VkResult result;

	for (block = device->pool.blocks; small && block; block = block->next)
		if (block->type == type && block->shared &&
		    block_take(block, bytes, alignment, memory))
			return VK_SUCCESS;
	block = block_create(device, type, small ? BLOCK_BYTES : bytes, small, &result);
	if (!block && small) /* a device so small or so full that a block is too much */
		block = block_create(device, type, bytes, false, &result);
	if (!block)
		return result;
	return block_take(block, bytes, alignment, memory) ? VK_SUCCESS
							   : VK_ERROR_OUT_OF_HOST_MEMORY;
}

enum hearth_status hrt_memory_alloc(struct hearth_device *device,
				    const VkMemoryRequirements *requirements,
				    enum hrt_memory_use use, struct hrt_memory *memory)
{
	uint32_t allowed = requirements->memoryTypeBits;
	VkResult result = VK_ERROR_OUT_OF_DEVICE_MEMORY;

	pthread_mutex_lock(&device->pool.lock);
	/* When the best type's heap is full, the next best of the same use may have room. */
	while (result == VK_ERROR_OUT_OF_DEVICE_MEMORY) {
		uint32_t type = best_type(device->physical, allowed, use);

		if (type == UINT32_MAX)
			break;
		result = alloc_type(device, type, requirements->size, requirements->alignment,
				    memory);
		allowed &= ~(1u << type);
	}
	pthread_mutex_unlock(&device->pool.lock);
	if (result != VK_SUCCESS)
		return hrt_fail_vk(result, "vkAllocateMemory", "%s: %llu bytes of memory",
				   device->physical->properties.name,
				   (unsigned long long)requirements->size);
	return HEARTH_OK;
}

void hrt_memory_free(struct hearth_device *device, struct hrt_memory *memory)
{
	struct hrt_block *block = memory->block;

	if (!block)
		return;
	pthread_mutex_lock(&device->pool.lock);
	if (--block->used)
		block_give(block, memory->offset, memory->bytes);
	else
		block_destroy(device, block);
	pthread_mutex_unlock(&device->pool.lock);
	memory->block = NULL;
}

VkDeviceMemory hrt_memory_handle(const struct hrt_memory *memory)
{
	return memory->block->vk;
}

void *hrt_memory_map(const struct hrt_memory *memory)
{
	return memory->block->map ? (char *)memory->block->map + memory->offset : NULL;
}

void hrt_memory_pool_finish(struct hearth_device *device)
{
	while (device->pool.blocks)
		block_destroy(device, device->pool.blocks);
}
