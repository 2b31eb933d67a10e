// SPDX-License-Identifier: MIT
/*
 * Device memory and buffers.
 */
#include <unistd.h>

#include "hth_private.h"

static VkResult memory_create(struct hth_device *device, const struct hth_external *external,
			      struct hth_memory *memory)
{
	const struct hth_backend *backend = device->backend;
	enum hth_placement placement = device->physical_device->placements[memory->type_index];

	if (external->fd)
		return backend->bo_import_fd(device, placement, external->fd->handleType,
					     external->fd->fd, memory->size, &memory->bo);
	if (external->pointer) {
		if (!(device->physical_device->pointer_types & 1u << memory->type_index))
			return VK_ERROR_INVALID_EXTERNAL_HANDLE;
		return backend->bo_import(device, external->pointer->pHostPointer, memory->size,
					  &memory->bo);
	}
	if (external->export_handles)
		return backend->bo_create_shared(device, placement, memory->size, &memory->bo);
	return backend->bo_create(device, placement, memory->size, &memory->bo);
}

VKAPI_ATTR VkResult VKAPI_CALL hth_AllocateMemory(VkDevice handle, const VkMemoryAllocateInfo *info,
						  const VkAllocationCallbacks *callbacks,
						  VkDeviceMemory *out)
{
	struct hth_device *device = hth_device_from_handle(handle);
	struct hth_physical_device *pd = device->physical_device;
	struct hth_external external;
	struct hth_memory *memory;
	VkResult result;
	uint32_t heap;

	if (info->memoryTypeIndex >= pd->memory.memoryTypeCount)
		return VK_ERROR_OUT_OF_DEVICE_MEMORY;
	heap = pd->memory.memoryTypes[info->memoryTypeIndex].heapIndex;
	if (info->allocationSize > pd->memory.memoryHeaps[heap].size)
		return VK_ERROR_OUT_OF_DEVICE_MEMORY;
	result = hth_external_read(pd, info->pNext, &external);
	if (result != VK_SUCCESS)
		return result;
	memory = hth_object_alloc(device, callbacks, sizeof(*memory), VK_OBJECT_TYPE_DEVICE_MEMORY);
	if (!memory)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	memory->type_index = info->memoryTypeIndex;
	memory->size = info->allocationSize;
	memory->export_handles = external.export_handles;
	result = memory_create(device, &external, memory);
	if (result != VK_SUCCESS) {
		hth_object_free(device, callbacks, memory);
		return result;
	}
	/* A file descriptor that was taken is the driver's. */
	if (external.fd)
		close(external.fd->fd);
	atomic_fetch_add(&device->memory_used[memory->type_index], memory->size);
	atomic_fetch_add(&pd->usage->used[heap], memory->size);
	*out = hth_memory_to_handle(memory);
	return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL hth_FreeMemory(VkDevice handle, VkDeviceMemory memory_handle,
					  const VkAllocationCallbacks *callbacks)
{
	struct hth_device *device = hth_device_from_handle(handle);
	struct hth_memory *memory = hth_memory_from_handle(memory_handle);
	struct hth_physical_device *pd = device->physical_device;

	if (!memory)
		return;
	atomic_fetch_sub(&device->memory_used[memory->type_index], memory->size);
	atomic_fetch_sub(&pd->usage->used[pd->memory.memoryTypes[memory->type_index].heapIndex],
			 memory->size);
	device->backend->bo_destroy(device, &memory->bo);
	hth_object_free(device, callbacks, memory);
}

VKAPI_ATTR VkResult VKAPI_CALL hth_MapMemory(VkDevice device, VkDeviceMemory memory,
					     VkDeviceSize offset, VkDeviceSize size,
					     VkMemoryMapFlags flags, void **data)
{
	(void)device;
	(void)size;
	(void)flags;
	*data = (uint8_t *)hth_memory_from_handle(memory)->bo.map + offset;
	return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL hth_MapMemory2(VkDevice device, const VkMemoryMapInfo *info,
					      void **data)
{
	return hth_MapMemory(device, info->memory, info->offset, info->size, info->flags, data);
}

VKAPI_ATTR void VKAPI_CALL hth_UnmapMemory(VkDevice device, VkDeviceMemory memory)
{
	(void)device;
	(void)memory;
}

VKAPI_ATTR VkResult VKAPI_CALL hth_UnmapMemory2(VkDevice device, const VkMemoryUnmapInfo *info)
{
	hth_UnmapMemory(device, info->memory);
	return VK_SUCCESS;
}

/* All host-visible memory is coherent. */
VKAPI_ATTR VkResult VKAPI_CALL hth_FlushMappedMemoryRanges(VkDevice device, uint32_t count,
							   const VkMappedMemoryRange *ranges)
{
	(void)device;
	(void)count;
	(void)ranges;
	return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL hth_InvalidateMappedMemoryRanges(VkDevice device, uint32_t count,
								const VkMappedMemoryRange *ranges)
{
	(void)device;
	(void)count;
	(void)ranges;
	return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL hth_GetDeviceMemoryCommitment(VkDevice device, VkDeviceMemory memory,
							 VkDeviceSize *bytes)
{
	(void)device;
	*bytes = hth_memory_from_handle(memory)->size;
}

VKAPI_ATTR uint64_t VKAPI_CALL hth_GetDeviceMemoryOpaqueCaptureAddress(
	VkDevice device, const VkDeviceMemoryOpaqueCaptureAddressInfo *info)
{
	(void)device;
	return hth_memory_from_handle(info->memory)->bo.va;
}

/* ---- Buffers ---- */

VKAPI_ATTR VkResult VKAPI_CALL hth_CreateBuffer(VkDevice handle, const VkBufferCreateInfo *info,
						const VkAllocationCallbacks *callbacks,
						VkBuffer *out)
{
	struct hth_device *device = hth_device_from_handle(handle);
	struct hth_buffer *buffer;

	if (info->size > device->physical_device->properties.maxBufferSize)
		return VK_ERROR_OUT_OF_DEVICE_MEMORY;
	buffer = hth_object_alloc(device, callbacks, sizeof(*buffer), VK_OBJECT_TYPE_BUFFER);
	if (!buffer)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	buffer->size = info->size;
	buffer->usage = info->usage;
	*out = hth_buffer_to_handle(buffer);
	return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL hth_DestroyBuffer(VkDevice device, VkBuffer buffer,
					     const VkAllocationCallbacks *callbacks)
{
	hth_object_free(hth_device_from_handle(device), callbacks, hth_buffer_from_handle(buffer));
}

/* Only buffers that nothing but packets touch may lie where kernels cannot reach. */
static void buffer_requirements(const struct hth_device *device, uint64_t size,
				VkBufferUsageFlags usage, VkMemoryRequirements *requirements)
{
	const VkBufferUsageFlags transfer = VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
					    VK_BUFFER_USAGE_TRANSFER_DST_BIT |
					    VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT;
	const struct hth_physical_device *pd = device->physical_device;

	requirements->size = HTH_ALIGN(size, (uint64_t)HTH_BUFFER_ALIGNMENT);
	requirements->alignment = HTH_BUFFER_ALIGNMENT;
	requirements->memoryTypeBits = usage & ~transfer ? pd->storage_types : pd->transfer_types;
}

void hth_dedicated_requirements(void *chain)
{
	for (VkBaseOutStructure *next = chain; next; next = next->pNext) {
		VkMemoryDedicatedRequirements *dedicated = (void *)next;

		if (next->sType != VK_STRUCTURE_TYPE_MEMORY_DEDICATED_REQUIREMENTS)
			continue;
		dedicated->prefersDedicatedAllocation = VK_FALSE;
		dedicated->requiresDedicatedAllocation = VK_FALSE;
	}
}

VKAPI_ATTR void VKAPI_CALL hth_GetBufferMemoryRequirements(VkDevice device, VkBuffer handle,
							   VkMemoryRequirements *requirements)
{
	struct hth_buffer *buffer = hth_buffer_from_handle(handle);

	buffer_requirements(hth_device_from_handle(device), buffer->size, buffer->usage,
			    requirements);
}

VKAPI_ATTR void VKAPI_CALL
hth_GetBufferMemoryRequirements2(VkDevice device, const VkBufferMemoryRequirementsInfo2 *info,
				 VkMemoryRequirements2 *requirements)
{
	hth_GetBufferMemoryRequirements(device, info->buffer, &requirements->memoryRequirements);
	hth_dedicated_requirements(requirements->pNext);
}

VKAPI_ATTR void VKAPI_CALL
hth_GetDeviceBufferMemoryRequirements(VkDevice device, const VkDeviceBufferMemoryRequirements *info,
				      VkMemoryRequirements2 *requirements)
{
	buffer_requirements(hth_device_from_handle(device), info->pCreateInfo->size,
			    info->pCreateInfo->usage, &requirements->memoryRequirements);
	hth_dedicated_requirements(requirements->pNext);
}

static void bind(VkBuffer buffer, VkDeviceMemory memory, VkDeviceSize offset)
{
	hth_buffer_from_handle(buffer)->va = hth_memory_from_handle(memory)->bo.va + offset;
}

VKAPI_ATTR VkResult VKAPI_CALL hth_BindBufferMemory(VkDevice device, VkBuffer buffer,
						    VkDeviceMemory memory, VkDeviceSize offset)
{
	(void)device;
	bind(buffer, memory, offset);
	return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL hth_BindBufferMemory2(VkDevice device, uint32_t count,
						     const VkBindBufferMemoryInfo *infos)
{
	(void)device;
	for (uint32_t i = 0; i < count; i++)
		bind(infos[i].buffer, infos[i].memory, infos[i].memoryOffset);
	return VK_SUCCESS;
}

VKAPI_ATTR VkDeviceAddress VKAPI_CALL
hth_GetBufferDeviceAddress(VkDevice device, const VkBufferDeviceAddressInfo *info)
{
	(void)device;
	return hth_buffer_from_handle(info->buffer)->va;
}

VKAPI_ATTR uint64_t VKAPI_CALL
hth_GetBufferOpaqueCaptureAddress(VkDevice device, const VkBufferDeviceAddressInfo *info)
{
	(void)device;
	return hth_buffer_from_handle(info->buffer)->va;
}
