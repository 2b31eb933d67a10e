// SPDX-License-Identifier: MIT
/*
 * Images, their views, texel buffers and samplers. Tiling is linear whatever is asked for: rows of texels, the levels of a slice or
 * layer below each other in rows of one length (struct hearth_image_descriptor says where exactly). Layouts have no
 * meaning.
 */
#include <string.h>

#include "hth_private.h"

#define ROW_ALIGN  4u
#define IMAGE_TAIL 16u /* the last texel may be read as if it were of the largest size */

/* ---- Images ---- */

uint64_t hth_image_offset(const struct hth_image *image, uint32_t level, uint32_t x, uint32_t y,
			  uint32_t z)
{
	uint64_t row = (uint64_t)y + image->mip_rows - (image->mip_rows >> level) + level;

	return z * image->slice_bytes + row * image->row_bytes +
	       ((uint64_t)x << image->format->texel_log2);
}

VkExtent3D hth_image_extent(const struct hth_image *image, uint32_t level)
{
	return (VkExtent3D){ HTH_MAX(image->extent.width >> level, 1u),
			     HTH_MAX(image->extent.height >> level, 1u),
			     HTH_MAX(image->extent.depth >> level, 1u) };
}

/* Fills what follows from the creation; false if no such image can be. */
static bool image_lay_out(const struct hth_device *device, const VkImageCreateInfo *info,
			  struct hth_image *image)
{
	VkImageFormatProperties properties;
	VkExtent3D e = info->extent;
	uint64_t rows, slices;
	uint32_t high = 1;

	if (hth_GetPhysicalDeviceImageFormatProperties(
		    (VkPhysicalDevice)device->physical_device, info->format, info->imageType,
		    info->tiling, info->usage, info->flags, &properties) != VK_SUCCESS)
		return false;
	if (!e.width || !e.height || !e.depth || !info->mipLevels || !info->arrayLayers ||
	    e.width > properties.maxExtent.width || e.height > properties.maxExtent.height ||
	    e.depth > properties.maxExtent.depth || info->mipLevels > properties.maxMipLevels ||
	    info->arrayLayers > properties.maxArrayLayers || info->samples != VK_SAMPLE_COUNT_1_BIT)
		return false;
	image->format = hth_format_find(info->format);
	image->type = info->imageType;
	image->extent = e;
	image->levels = info->mipLevels;
	image->layers = info->arrayLayers;
	image->row_bytes = HTH_ALIGN(e.width << image->format->texel_log2, ROW_ALIGN);
	rows = e.height;
	if (image->levels > 1) {
		while (high < e.height)
			high *= 2;
		image->mip_rows = 2 * high;
		rows = image->mip_rows - (image->mip_rows >> image->levels) + image->levels;
	}
	image->slice_bytes = rows * image->row_bytes;
	slices = image->type == VK_IMAGE_TYPE_3D ? e.depth : image->layers;
	image->size = image->slice_bytes * slices + IMAGE_TAIL;
	return image->size <= properties.maxResourceSize;
}

VKAPI_ATTR VkResult VKAPI_CALL hth_CreateImage(VkDevice handle, const VkImageCreateInfo *info,
					       const VkAllocationCallbacks *callbacks, VkImage *out)
{
	struct hth_device *device = hth_device_from_handle(handle);
	struct hth_image *image;

	*out = VK_NULL_HANDLE;
	image = hth_object_alloc(device, callbacks, sizeof(*image), VK_OBJECT_TYPE_IMAGE);
	if (!image)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	if (!image_lay_out(device, info, image)) {
		hth_object_free(device, callbacks, image);
		return VK_ERROR_FORMAT_NOT_SUPPORTED;
	}
	*out = hth_image_to_handle(image);
	return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL hth_DestroyImage(VkDevice device, VkImage image,
					    const VkAllocationCallbacks *callbacks)
{
	hth_object_free(hth_device_from_handle(device), callbacks, hth_image_from_handle(image));
}

static void image_requirements(const struct hth_device *device, const struct hth_image *image,
			       VkMemoryRequirements *requirements)
{
	requirements->size = HTH_ALIGN(image->size, (uint64_t)HTH_BUFFER_ALIGNMENT);
	requirements->alignment = HTH_BUFFER_ALIGNMENT;
	requirements->memoryTypeBits = device->physical_device->storage_types;
}

VKAPI_ATTR void VKAPI_CALL hth_GetImageMemoryRequirements(VkDevice device, VkImage image,
							  VkMemoryRequirements *requirements)
{
	image_requirements(hth_device_from_handle(device), hth_image_from_handle(image),
			   requirements);
}

VKAPI_ATTR void VKAPI_CALL
hth_GetImageMemoryRequirements2(VkDevice device, const VkImageMemoryRequirementsInfo2 *info,
				VkMemoryRequirements2 *requirements)
{
	hth_GetImageMemoryRequirements(device, info->image, &requirements->memoryRequirements);
	hth_dedicated_requirements(requirements->pNext);
}

VKAPI_ATTR void VKAPI_CALL
hth_GetDeviceImageMemoryRequirements(VkDevice handle, const VkDeviceImageMemoryRequirements *info,
				     VkMemoryRequirements2 *requirements)
{
	const struct hth_device *device = hth_device_from_handle(handle);
	struct hth_image image = { .size = 0 };

	image_lay_out(device, info->pCreateInfo, &image);
	image_requirements(device, &image, &requirements->memoryRequirements);
	hth_dedicated_requirements(requirements->pNext);
}

VKAPI_ATTR void VKAPI_CALL
hth_GetImageSparseMemoryRequirements(VkDevice device, VkImage image, uint32_t *count,
				     VkSparseImageMemoryRequirements *requirements)
{
	(void)device;
	(void)image;
	(void)requirements;
	*count = 0;
}

VKAPI_ATTR void VKAPI_CALL hth_GetImageSparseMemoryRequirements2(
	VkDevice device, const VkImageSparseMemoryRequirementsInfo2 *info, uint32_t *count,
	VkSparseImageMemoryRequirements2 *requirements)
{
	(void)device;
	(void)info;
	(void)requirements;
	*count = 0;
}

VKAPI_ATTR void VKAPI_CALL hth_GetDeviceImageSparseMemoryRequirements(
	VkDevice device, const VkDeviceImageMemoryRequirements *info, uint32_t *count,
	VkSparseImageMemoryRequirements2 *requirements)
{
	(void)device;
	(void)info;
	(void)requirements;
	*count = 0;
}

VKAPI_ATTR VkResult VKAPI_CALL hth_BindImageMemory2(VkDevice device, uint32_t count,
						    const VkBindImageMemoryInfo *infos)
{
	(void)device;
	for (uint32_t i = 0; i < count; i++)
		hth_image_from_handle(infos[i].image)->va =
			hth_memory_from_handle(infos[i].memory)->bo.va + infos[i].memoryOffset;
	return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL hth_BindImageMemory(VkDevice device, VkImage image,
						   VkDeviceMemory memory, VkDeviceSize offset)
{
	const VkBindImageMemoryInfo info = { .image = image,
					     .memory = memory,
					     .memoryOffset = offset };

	return hth_BindImageMemory2(device, 1, &info);
}

VKAPI_ATTR void VKAPI_CALL hth_GetImageSubresourceLayout(VkDevice device, VkImage handle,
							 const VkImageSubresource *subresource,
							 VkSubresourceLayout *layout)
{
	const struct hth_image *image = hth_image_from_handle(handle);
	VkExtent3D e = hth_image_extent(image, subresource->mipLevel);

	(void)device;
	layout->offset =
		hth_image_offset(image, subresource->mipLevel, 0, 0, subresource->arrayLayer);
	layout->rowPitch = image->row_bytes;
	layout->arrayPitch = layout->depthPitch = image->slice_bytes;
	layout->size = (uint64_t)image->row_bytes * e.height;
	if (e.depth > 1)
		layout->size += (e.depth - 1) * image->slice_bytes;
}

/* ---- Views ---- */

static struct hearth_component swizzle(const struct hth_format *format, VkComponentSwizzle swizzle,
				       uint32_t i)
{
	switch (swizzle) {
	case VK_COMPONENT_SWIZZLE_ZERO:
		return (struct hearth_component){ .kind = HEARTH_COMPONENT_CONSTANT, .width = 32 };
	case VK_COMPONENT_SWIZZLE_ONE:
		return (struct hearth_component){ .kind = HEARTH_COMPONENT_CONSTANT,
						  .offset = 1,
						  .width = 32 };
	case VK_COMPONENT_SWIZZLE_IDENTITY:
		return format->components[i];
	default:
		return format->components[swizzle - VK_COMPONENT_SWIZZLE_R];
	}
}

static VkResult view_fill(const VkImageViewCreateInfo *info, struct hearth_image_descriptor *d)
{
	const struct hth_image *image = hth_image_from_handle(info->image);
	const struct hth_format *format = hth_format_find(info->format);
	const VkImageSubresourceRange *range = &info->subresourceRange;
	uint32_t level = range->baseMipLevel, layer = range->baseArrayLayer;
	bool deep = image->type == VK_IMAGE_TYPE_3D;
	uint32_t layers = deep ? hth_image_extent(image, level).depth : image->layers;
	VkExtent3D e;

	if (!format || format->texel_log2 != image->format->texel_log2 || level >= image->levels ||
	    layer >= layers || info->viewType == VK_IMAGE_VIEW_TYPE_CUBE ||
	    info->viewType == VK_IMAGE_VIEW_TYPE_CUBE_ARRAY)
		return VK_ERROR_FORMAT_NOT_SUPPORTED;
	e = hth_image_extent(image, level);
	d->address = image->va + hth_image_offset(image, level, 0, 0, layer);
	d->slice_bytes = image->slice_bytes;
	d->row_bytes = image->row_bytes;
	d->mip_rows = image->mip_rows >> level;
	d->extent[0] = e.width;
	d->extent[1] = e.height;
	d->extent[2] = layers - layer;
	if (range->layerCount != VK_REMAINING_ARRAY_LAYERS &&
	    info->viewType != VK_IMAGE_VIEW_TYPE_3D)
		d->extent[2] = HTH_MIN(range->layerCount, d->extent[2]);
	d->levels = image->levels - level;
	if (range->levelCount != VK_REMAINING_MIP_LEVELS)
		d->levels = HTH_MIN(range->levelCount, d->levels);
	d->texel_log2 = format->texel_log2;
	d->components[0] = swizzle(format, info->components.r, 0);
	d->components[1] = swizzle(format, info->components.g, 1);
	d->components[2] = swizzle(format, info->components.b, 2);
	d->components[3] = swizzle(format, info->components.a, 3);
	return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL hth_CreateImageView(VkDevice handle,
						   const VkImageViewCreateInfo *info,
						   const VkAllocationCallbacks *callbacks,
						   VkImageView *out)
{
	struct hth_device *device = hth_device_from_handle(handle);
	struct hth_image_view *view;
	VkResult result;

	*out = VK_NULL_HANDLE;
	view = hth_object_alloc(device, callbacks, sizeof(*view), VK_OBJECT_TYPE_IMAGE_VIEW);
	if (!view)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	result = view_fill(info, &view->descriptor);
	if (result != VK_SUCCESS)
		hth_object_free(device, callbacks, view);
	else
		*out = hth_image_view_to_handle(view);
	return result;
}

VKAPI_ATTR void VKAPI_CALL hth_DestroyImageView(VkDevice device, VkImageView view,
						const VkAllocationCallbacks *callbacks)
{
	hth_object_free(hth_device_from_handle(device), callbacks,
			hth_image_view_from_handle(view));
}

/* A texel buffer is an image of one row. */
VKAPI_ATTR VkResult VKAPI_CALL hth_CreateBufferView(VkDevice handle,
						    const VkBufferViewCreateInfo *info,
						    const VkAllocationCallbacks *callbacks,
						    VkBufferView *out)
{
	struct hth_device *device = hth_device_from_handle(handle);
	const struct hth_buffer *buffer = hth_buffer_from_handle(info->buffer);
	const struct hth_format *format = hth_format_find(info->format);
	struct hth_image_view *view;
	uint64_t bytes;

	*out = VK_NULL_HANDLE;
	if (!format || !(format->flags & HTH_FORMAT_TEXEL_BUFFER) || info->offset > buffer->size)
		return VK_ERROR_FORMAT_NOT_SUPPORTED;
	view = hth_object_alloc(device, callbacks, sizeof(*view), VK_OBJECT_TYPE_BUFFER_VIEW);
	if (!view)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	bytes = HTH_MIN(info->range, buffer->size - info->offset) >> format->texel_log2;
	view->descriptor = (struct hearth_image_descriptor){
		.address = buffer->va + info->offset,
		.extent = { (uint32_t)HTH_MIN(bytes, UINT32_MAX), 1, 1 },
		.levels = 1,
		.texel_log2 = format->texel_log2,
	};
	memcpy(view->descriptor.components, format->components, sizeof(format->components));
	*out = (VkBufferView)(uintptr_t)view;
	return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL hth_DestroyBufferView(VkDevice device, VkBufferView view,
						 const VkAllocationCallbacks *callbacks)
{
	hth_object_free(hth_device_from_handle(device), callbacks, (void *)(uintptr_t)view);
}

/* ---- Samplers ---- */

static uint32_t address_mode(VkSamplerAddressMode mode)
{
	switch (mode) {
	case VK_SAMPLER_ADDRESS_MODE_MIRRORED_REPEAT:
		return HEARTH_ADDRESS_REPEAT | HEARTH_ADDRESS_MIRROR;
	case VK_SAMPLER_ADDRESS_MODE_CLAMP_TO_EDGE:
		return HEARTH_ADDRESS_CLAMP;
	case VK_SAMPLER_ADDRESS_MODE_CLAMP_TO_BORDER:
		return HEARTH_ADDRESS_BORDER;
	case VK_SAMPLER_ADDRESS_MODE_MIRROR_CLAMP_TO_EDGE:
		return HEARTH_ADDRESS_CLAMP | HEARTH_ADDRESS_MIRROR;
	default:
		return HEARTH_ADDRESS_REPEAT;
	}
}

static uint32_t compare_flags(VkCompareOp op)
{
	/* A Vulkan comparison is three bits: less, equal, greater. */
	return (op & 1 ? HEARTH_SAMPLER_LESS : 0) | (op & 2 ? HEARTH_SAMPLER_EQUAL : 0) |
	       (op & 4 ? HEARTH_SAMPLER_GREATER : 0);
}

static uint32_t sampler_flags(const VkSamplerCreateInfo *info)
{
	const VkSamplerAddressMode modes[] = { info->addressModeU, info->addressModeV,
					       info->addressModeW };
	uint32_t flags = 0;

	if (info->magFilter == VK_FILTER_LINEAR)
		flags |= HEARTH_SAMPLER_MAG_LINEAR;
	if (info->minFilter == VK_FILTER_LINEAR)
		flags |= HEARTH_SAMPLER_MIN_LINEAR;
	if (info->mipmapMode == VK_SAMPLER_MIPMAP_MODE_LINEAR)
		flags |= HEARTH_SAMPLER_MIP_LINEAR;
	if (info->unnormalizedCoordinates)
		flags |= HEARTH_SAMPLER_UNNORMALIZED;
	if (info->compareEnable)
		flags |= HEARTH_SAMPLER_COMPARE | compare_flags(info->compareOp);
	if (info->borderColor == VK_BORDER_COLOR_FLOAT_OPAQUE_WHITE ||
	    info->borderColor == VK_BORDER_COLOR_INT_OPAQUE_WHITE)
		flags |= HEARTH_SAMPLER_BORDER_COLOR;
	if (info->borderColor != VK_BORDER_COLOR_FLOAT_TRANSPARENT_BLACK &&
	    info->borderColor != VK_BORDER_COLOR_INT_TRANSPARENT_BLACK)
		flags |= HEARTH_SAMPLER_BORDER_ALPHA;
	for (uint32_t i = 0; i < 3; i++)
		flags |= address_mode(modes[i]) << (HEARTH_SAMPLER_ADDRESS_SHIFT + 4 * i);
	return flags;
}

VKAPI_ATTR VkResult VKAPI_CALL hth_CreateSampler(VkDevice handle, const VkSamplerCreateInfo *info,
						 const VkAllocationCallbacks *callbacks,
						 VkSampler *out)
{
	struct hth_sampler *sampler = hth_object_alloc(hth_device_from_handle(handle), callbacks,
						       sizeof(*sampler), VK_OBJECT_TYPE_SAMPLER);

	if (!sampler)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	sampler->descriptor = (struct hearth_sampler_descriptor){
		.flags = sampler_flags(info),
		.lod_bias = info->mipLodBias,
		.min_lod = info->minLod,
		.max_lod = info->maxLod,
	};
	*out = hth_sampler_to_handle(sampler);
	return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL hth_DestroySampler(VkDevice device, VkSampler sampler,
					      const VkAllocationCallbacks *callbacks)
{
	hth_object_free(hth_device_from_handle(device), callbacks,
			hth_sampler_from_handle(sampler));
}
