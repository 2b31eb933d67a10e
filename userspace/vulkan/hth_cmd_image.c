// SPDX-License-Identifier: MIT
/*
 * Recording of what moves texels: copies between images and buffers, and clears. A box of texels is rows of bytes; rows that lie
 * behind each other on both sides are one packet.
 */
#include <string.h>

#include "hth_private.h"

/* Bytes of rows and of slices; @va of the first texel. */
struct hth_box {
	uint64_t va;
	uint64_t row_bytes, slice_bytes;
};

static void copy_box(struct hth_cmd_buffer *buffer, struct hth_box from, struct hth_box to,
		     uint64_t bytes, uint32_t rows, uint32_t slices)
{
	if (from.row_bytes == bytes && to.row_bytes == bytes) {
		bytes *= rows;
		rows = 1;
		if (from.slice_bytes == bytes && to.slice_bytes == bytes) {
			bytes *= slices;
			slices = 1;
		}
	}
	for (uint32_t z = 0; z < slices; z++)
		for (uint32_t y = 0; y < rows; y++)
			hth_cmd_copy(buffer, from.va + z * from.slice_bytes + y * from.row_bytes,
				     to.va + z * to.slice_bytes + y * to.row_bytes, bytes);
}

static uint32_t layers_of(const struct hth_image *image, const VkImageSubresourceLayers *layers)
{
	return layers->layerCount == VK_REMAINING_ARRAY_LAYERS
		       ? image->layers - layers->baseArrayLayer
		       : layers->layerCount;
}

static struct hth_box image_box(const struct hth_image *image,
				const VkImageSubresourceLayers *layers, VkOffset3D at)
{
	return (struct hth_box){
		.va = image->va + hth_image_offset(image, layers->mipLevel, (uint32_t)at.x,
						   (uint32_t)at.y,
						   layers->baseArrayLayer + (uint32_t)at.z),
		.row_bytes = image->row_bytes,
		.slice_bytes = image->slice_bytes,
	};
}

static void copy_buffer_image(VkCommandBuffer handle, VkBuffer buffer_handle, VkImage image_handle,
			      const VkBufferImageCopy2 *region, bool to_image)
{
	const struct hth_buffer *buffer = hth_buffer_from_handle(buffer_handle);
	const struct hth_image *image = hth_image_from_handle(image_handle);
	uint32_t log2 = image->format->texel_log2;
	uint64_t wide =
		region->bufferRowLength ? region->bufferRowLength : region->imageExtent.width;
	uint64_t high =
		region->bufferImageHeight ? region->bufferImageHeight : region->imageExtent.height;
	struct hth_box box = image_box(image, &region->imageSubresource, region->imageOffset);
	struct hth_box linear = { buffer->va + region->bufferOffset, wide << log2,
				  (wide << log2) * high };

	copy_box(hth_cmd_buffer_from_handle(handle), to_image ? linear : box,
		 to_image ? box : linear, (uint64_t)region->imageExtent.width << log2,
		 region->imageExtent.height,
		 HTH_MAX(region->imageExtent.depth, layers_of(image, &region->imageSubresource)));
}

static VkBufferImageCopy2 newer_copy(const VkBufferImageCopy *region)
{
	return (VkBufferImageCopy2){
		.bufferOffset = region->bufferOffset,
		.bufferRowLength = region->bufferRowLength,
		.bufferImageHeight = region->bufferImageHeight,
		.imageSubresource = region->imageSubresource,
		.imageOffset = region->imageOffset,
		.imageExtent = region->imageExtent,
	};
}

VKAPI_ATTR void VKAPI_CALL hth_CmdCopyBufferToImage(VkCommandBuffer handle, VkBuffer source,
						    VkImage destination, VkImageLayout layout,
						    uint32_t count,
						    const VkBufferImageCopy *regions)
{
	(void)layout;
	for (uint32_t i = 0; i < count; i++) {
		const VkBufferImageCopy2 region = newer_copy(&regions[i]);

		copy_buffer_image(handle, source, destination, &region, true);
	}
}

VKAPI_ATTR void VKAPI_CALL hth_CmdCopyBufferToImage2(VkCommandBuffer handle,
						     const VkCopyBufferToImageInfo2 *info)
{
	for (uint32_t i = 0; i < info->regionCount; i++)
		copy_buffer_image(handle, info->srcBuffer, info->dstImage, &info->pRegions[i],
				  true);
}

VKAPI_ATTR void VKAPI_CALL hth_CmdCopyImageToBuffer(VkCommandBuffer handle, VkImage source,
						    VkImageLayout layout, VkBuffer destination,
						    uint32_t count,
						    const VkBufferImageCopy *regions)
{
	(void)layout;
	for (uint32_t i = 0; i < count; i++) {
		const VkBufferImageCopy2 region = newer_copy(&regions[i]);

		copy_buffer_image(handle, destination, source, &region, false);
	}
}

VKAPI_ATTR void VKAPI_CALL hth_CmdCopyImageToBuffer2(VkCommandBuffer handle,
						     const VkCopyImageToBufferInfo2 *info)
{
	for (uint32_t i = 0; i < info->regionCount; i++)
		copy_buffer_image(handle, info->dstBuffer, info->srcImage, &info->pRegions[i],
				  false);
}

static void copy_image(VkCommandBuffer handle, VkImage source, VkImage destination,
		       const VkImageSubresourceLayers *source_layers, VkOffset3D source_at,
		       const VkImageSubresourceLayers *layers, VkOffset3D at, VkExtent3D extent)
{
	const struct hth_image *from = hth_image_from_handle(source);
	const struct hth_image *to = hth_image_from_handle(destination);
	/* Layers of one may be slices of the other. */
	uint32_t slices = HTH_MAX(extent.depth, layers_of(from, source_layers));

	copy_box(hth_cmd_buffer_from_handle(handle), image_box(from, source_layers, source_at),
		 image_box(to, layers, at), (uint64_t)extent.width << from->format->texel_log2,
		 extent.height, slices);
}

VKAPI_ATTR void VKAPI_CALL hth_CmdCopyImage(VkCommandBuffer handle, VkImage source,
					    VkImageLayout source_layout, VkImage destination,
					    VkImageLayout layout, uint32_t count,
					    const VkImageCopy *regions)
{
	(void)source_layout;
	(void)layout;
	for (uint32_t i = 0; i < count; i++)
		copy_image(handle, source, destination, &regions[i].srcSubresource,
			   regions[i].srcOffset, &regions[i].dstSubresource, regions[i].dstOffset,
			   regions[i].extent);
}

VKAPI_ATTR void VKAPI_CALL hth_CmdCopyImage2(VkCommandBuffer handle, const VkCopyImageInfo2 *info)
{
	for (uint32_t i = 0; i < info->regionCount; i++) {
		const VkImageCopy2 *region = &info->pRegions[i];

		copy_image(handle, info->srcImage, info->dstImage, &region->srcSubresource,
			   region->srcOffset, &region->dstSubresource, region->dstOffset,
			   region->extent);
	}
}

/* ---- Clears ---- */

/* One row of the colour, in command memory, as long as the image's; 0 if there is none. */
static uint64_t row_of_color(struct hth_cmd_buffer *buffer, const struct hth_image *image,
			     const VkClearColorValue *color)
{
	uint32_t bytes = 1u << image->format->texel_log2, texel[4];
	uint8_t *row;
	uint64_t va;

	hth_format_encode(image->format, color, texel);
	row = hth_cmd_data(buffer, image->row_bytes, &va);
	if (!row)
		return 0;
	for (uint32_t x = 0; x < image->extent.width; x++)
		memcpy(row + (size_t)x * bytes, texel, bytes);
	return va;
}

VKAPI_ATTR void VKAPI_CALL hth_CmdClearColorImage(VkCommandBuffer handle, VkImage image_handle,
						  VkImageLayout layout,
						  const VkClearColorValue *color, uint32_t count,
						  const VkImageSubresourceRange *ranges)
{
	struct hth_cmd_buffer *buffer = hth_cmd_buffer_from_handle(handle);
	const struct hth_image *image = hth_image_from_handle(image_handle);
	uint64_t row = row_of_color(buffer, image, color);

	(void)layout;
	for (uint32_t i = 0; row && i < count; i++) {
		const VkImageSubresourceRange *range = &ranges[i];
		uint32_t levels = range->levelCount == VK_REMAINING_MIP_LEVELS
					  ? image->levels - range->baseMipLevel
					  : range->levelCount;
		uint32_t layers = range->layerCount == VK_REMAINING_ARRAY_LAYERS
					  ? image->layers - range->baseArrayLayer
					  : range->layerCount;

		for (uint32_t l = range->baseMipLevel; l < range->baseMipLevel + levels; l++) {
			VkExtent3D e = hth_image_extent(image, l);
			struct hth_box to = { image->va + hth_image_offset(image, l, 0, 0,
									   range->baseArrayLayer),
					      image->row_bytes, image->slice_bytes };

			copy_box(buffer, (struct hth_box){ row, 0, 0 }, to,
				 (uint64_t)e.width << image->format->texel_log2, e.height,
				 HTH_MAX(e.depth, layers));
		}
	}
}
