// SPDX-License-Identifier: MIT
/*
 * Memory that is shared with others: as a file descriptor, of this driver alone or a dma-buf, and the
 * application's own memory by its address. What a device can do of it, its backend has put into the
 * physical device.
 */
#include <string.h>

#include "hth_private.h"

/* Those that only lead to the same kind of memory of this driver, and dma-bufs. */
#define FD_HANDLES                                      \
	(VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT | \
	 VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT)

VkResult hth_external_read(const struct hth_physical_device *pd, const void *chain,
			   struct hth_external *external)
{
	*external = (struct hth_external){ 0 };
	for (const VkBaseInStructure *next = chain; next; next = next->pNext) {
		const VkImportMemoryFdInfoKHR *fd = (const void *)next;
		const VkImportMemoryHostPointerInfoEXT *pointer = (const void *)next;
		const VkExportMemoryAllocateInfo *export = (const void *)next;

		if (next->sType == VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR && fd->handleType) {
			if (!(fd->handleType & pd->import_handles) || fd->fd < 0)
				return VK_ERROR_INVALID_EXTERNAL_HANDLE;
			external->fd = fd;
		} else if (next->sType == VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT &&
			   pointer->handleType) {
			if (!(pointer->handleType & pd->pointer_handles))
				return VK_ERROR_INVALID_EXTERNAL_HANDLE;
			external->pointer = pointer;
		} else if (next->sType == VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO) {
			if (export->handleTypes & ~pd->export_handles)
				return VK_ERROR_INVALID_EXTERNAL_HANDLE;
			external->export_handles = export->handleTypes;
		}
	}
	/* Imported memory goes out as it came. */
	if (external->pointer ||
	    (external->fd && external->export_handles & ~external->fd->handleType))
		return external->export_handles ? VK_ERROR_INVALID_EXTERNAL_HANDLE : VK_SUCCESS;
	return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL hth_GetMemoryFdKHR(VkDevice handle, const VkMemoryGetFdInfoKHR *info,
						  int *fd)
{
	struct hth_device *device = hth_device_from_handle(handle);
	struct hth_memory *memory = hth_memory_from_handle(info->memory);

	if (!(info->handleType & memory->export_handles))
		return VK_ERROR_INVALID_EXTERNAL_HANDLE;
	return device->backend->bo_export(device, &memory->bo, info->handleType, fd);
}

VKAPI_ATTR VkResult VKAPI_CALL hth_GetMemoryFdPropertiesKHR(VkDevice handle,
							    VkExternalMemoryHandleTypeFlagBits type,
							    int fd,
							    VkMemoryFdPropertiesKHR *properties)
{
	struct hth_device *device = hth_device_from_handle(handle);
	struct hth_physical_device *pd = device->physical_device;
	enum hth_placement placement;
	VkResult result;

	properties->memoryTypeBits = 0;
	if (!(type & pd->import_handles) || fd < 0)
		return VK_ERROR_INVALID_EXTERNAL_HANDLE;
	result = device->backend->fd_placement(device, type, fd, &placement);
	if (result != VK_SUCCESS)
		return result;
	for (uint32_t i = 0; i < pd->memory.memoryTypeCount; i++)
		if (pd->placements[i] == placement)
			properties->memoryTypeBits |= 1u << i;
	return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL hth_GetMemoryHostPointerPropertiesEXT(
	VkDevice handle, VkExternalMemoryHandleTypeFlagBits type, const void *pointer,
	VkMemoryHostPointerPropertiesEXT *properties)
{
	struct hth_physical_device *pd = hth_device_from_handle(handle)->physical_device;

	(void)pointer;
	if (!(type & pd->pointer_handles))
		return VK_ERROR_INVALID_EXTERNAL_HANDLE;
	properties->memoryTypeBits = pd->pointer_types;
	return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL hth_GetPhysicalDeviceExternalBufferProperties(
	VkPhysicalDevice handle, const VkPhysicalDeviceExternalBufferInfo *info,
	VkExternalBufferProperties *properties)
{
	struct hth_physical_device *pd = hth_physical_device_from_handle(handle);
	VkExternalMemoryProperties *memory = &properties->externalMemoryProperties;
	VkExternalMemoryHandleTypeFlagBits type = info->handleType;

	memset(memory, 0, sizeof(*memory));
	if (type & (pd->import_handles | pd->pointer_handles)) {
		memory->externalMemoryFeatures = VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT;
		memory->compatibleHandleTypes = type;
	}
	if (type & pd->export_handles & FD_HANDLES) {
		memory->externalMemoryFeatures |= VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT;
		memory->exportFromImportedHandleTypes = type;
		memory->compatibleHandleTypes = pd->export_handles;
	}
}
