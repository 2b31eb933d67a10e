// SPDX-License-Identifier: MIT
/* Images: copies, clears, texels of every format as kernels see them, samplers, atomics, texel buffers. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vt.h"

#include "sampled.h"
#include "texel_atomic.h"
#include "texel_buffer.h"
#include "texels_float.h"
#include "texels_int.h"
#include "texels_r8ui.h"
#include "texels_rg16f.h"
#include "texels_rgba8.h"
#include "texels_uint.h"

#define STORAGE                                                                \
	(VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT | \
	 VK_BUFFER_USAGE_STORAGE_BUFFER_BIT)

struct image {
	VkImage image;
	VkDeviceMemory memory;
	VkImageView view;
	VkImageSubresourceRange all;
};

static uint32_t memory_type(struct vt *vt, uint32_t bits)
{
	for (uint32_t i = 0; i < vt->memory.memoryTypeCount; i++)
		if (bits & 1u << i)
			return i;
	return 0;
}

static struct image image_make(struct vt *vt, VkFormat format, VkExtent3D extent, uint32_t levels,
			       uint32_t layers, VkImageUsageFlags usage, VkImageViewType type)
{
	const VkImageCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
		.imageType = extent.depth > 1 ? VK_IMAGE_TYPE_3D : VK_IMAGE_TYPE_2D,
		.format = format,
		.extent = extent,
		.mipLevels = levels,
		.arrayLayers = layers,
		.samples = VK_SAMPLE_COUNT_1_BIT,
		.usage = usage | VK_IMAGE_USAGE_TRANSFER_SRC_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT,
	};
	VkMemoryAllocateInfo memory = { .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO };
	VkImageViewCreateInfo view = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
		.viewType = type,
		.format = format,
	};
	VkMemoryRequirements requirements;
	struct image out = { .all = { VK_IMAGE_ASPECT_COLOR_BIT, 0, levels, 0, layers } };

	VT_OK(vkCreateImage(vt->device, &info, NULL, &out.image));
	vkGetImageMemoryRequirements(vt->device, out.image, &requirements);
	memory.allocationSize = requirements.size;
	memory.memoryTypeIndex = memory_type(vt, requirements.memoryTypeBits);
	VT_OK(vkAllocateMemory(vt->device, &memory, NULL, &out.memory));
	VT_OK(vkBindImageMemory(vt->device, out.image, out.memory, 0));
	view.image = out.image;
	view.subresourceRange = out.all;
	if (usage)
		VT_OK(vkCreateImageView(vt->device, &view, NULL, &out.view));
	return out;
}

static void image_free(struct vt *vt, struct image *image)
{
	vkDestroyImageView(vt->device, image->view, NULL);
	vkDestroyImage(vt->device, image->image, NULL);
	vkFreeMemory(vt->device, image->memory, NULL);
}

/* All that came before is done, and the image is in the general layout. */
static void image_ready(VkCommandBuffer cmd, const struct image *image, bool first)
{
	const VkImageMemoryBarrier barrier = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
		.srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT | VK_ACCESS_MEMORY_READ_BIT,
		.dstAccessMask = VK_ACCESS_MEMORY_WRITE_BIT | VK_ACCESS_MEMORY_READ_BIT,
		.oldLayout = first ? VK_IMAGE_LAYOUT_UNDEFINED : VK_IMAGE_LAYOUT_GENERAL,
		.newLayout = VK_IMAGE_LAYOUT_GENERAL,
		.srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
		.dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
		.image = image->image,
		.subresourceRange = image->all,
	};

	vkCmdPipelineBarrier(cmd, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
			     VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, 0, NULL, 0, NULL, 1, &barrier);
}

static VkBufferImageCopy whole_level(uint32_t level, uint32_t layer, uint32_t layers, VkExtent3D e)
{
	return (VkBufferImageCopy){
		.imageSubresource = { VK_IMAGE_ASPECT_COLOR_BIT, level, layer, layers },
		.imageExtent = e,
	};
}

/* ---- Copies ---- */

static void test_copies(struct vt *vt)
{
	enum { WIDE = 13, HIGH = 7, LEVELS = 3, LAYERS = 3, ROW = 16 };
	struct image a = image_make(vt, VK_FORMAT_R8G8B8A8_UINT, (VkExtent3D){ WIDE, HIGH, 1 },
				    LEVELS, LAYERS, 0, VK_IMAGE_VIEW_TYPE_2D_ARRAY);
	struct image b = image_make(vt, VK_FORMAT_R32_UINT, (VkExtent3D){ WIDE, HIGH, 5 }, 1, 1, 0,
				    VK_IMAGE_VIEW_TYPE_3D);
	struct vt_buffer in = vt_buffer(vt, 4 * ROW * HIGH, STORAGE);
	struct vt_buffer out = vt_buffer(vt, 4096, STORAGE);
	VkCommandBuffer cmd = vt_begin(vt, 0);
	const VkClearColorValue seven = { .uint32 = { 7, 0, 0, 1 } };
	VkBufferImageCopy up = whole_level(1, 2, 1, (VkExtent3D){ 5, 3, 1 });
	VkBufferImageCopy down = whole_level(1, 0, 3, (VkExtent3D){ 6, 3, 1 });
	VkBufferImageCopy deep = whole_level(0, 0, 1, (VkExtent3D){ WIDE, HIGH, 5 });
	const VkImageCopy across = {
		.srcSubresource = { VK_IMAGE_ASPECT_COLOR_BIT, 1, 1, 2 },
		.dstSubresource = { VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1 },
		.dstOffset = { 4, 2, 3 },
		.extent = { 6, 3, 2 },
	};
	const uint32_t *words = out.map;

	for (uint32_t i = 0; i < ROW * HIGH; i++)
		((uint32_t *)in.map)[i] = 1000 + i;
	up.bufferRowLength = ROW;
	up.bufferOffset = 4;
	up.imageOffset = (VkOffset3D){ 1, 0, 0 };
	deep.bufferOffset = 1024;
	image_ready(cmd, &a, true);
	image_ready(cmd, &b, true);
	vkCmdClearColorImage(cmd, a.image, VK_IMAGE_LAYOUT_GENERAL, &seven, 1, &a.all);
	vkCmdClearColorImage(cmd, b.image, VK_IMAGE_LAYOUT_GENERAL, &seven, 1, &b.all);
	image_ready(cmd, &a, false);
	vkCmdCopyBufferToImage(cmd, in.buffer, a.image, VK_IMAGE_LAYOUT_GENERAL, 1, &up);
	image_ready(cmd, &a, false);
	image_ready(cmd, &b, false);
	vkCmdCopyImage(cmd, a.image, VK_IMAGE_LAYOUT_GENERAL, b.image, VK_IMAGE_LAYOUT_GENERAL, 1,
		       &across);
	image_ready(cmd, &b, false);
	vkCmdCopyImageToBuffer(cmd, a.image, VK_IMAGE_LAYOUT_GENERAL, out.buffer, 1, &down);
	vkCmdCopyImageToBuffer(cmd, b.image, VK_IMAGE_LAYOUT_GENERAL, out.buffer, 1, &deep);
	vt_run(vt, cmd);
	for (uint32_t z = 0; z < 3; z++)
		for (uint32_t y = 0; y < 3; y++)
			for (uint32_t x = 0; x < 6; x++) {
				uint32_t want = z == 2 && x ? 1000 + ROW * y + x : 0x01000007;

				VT_CHECK(words[x + 6 * (y + 3 * z)] == want, "(%u, %u, %u)", x, y,
					 z);
			}
	for (uint32_t z = 0; z < 5; z++)
		for (uint32_t y = 0; y < HIGH; y++)
			for (uint32_t x = 0; x < WIDE; x++) {
				bool inside = x >= 4 && x < 10 && y >= 2 && y < 5 && z >= 3;
				uint32_t want = 7;

				if (inside)
					want = z == 4 && x > 4 ? 1000 + ROW * (y - 2) + x - 4
							       : 0x01000007;
				VT_CHECK(words[256 + x + WIDE * (y + HIGH * z)] == want,
					 "(%u, %u, %u): %u", x, y, z,
					 words[256 + x + WIDE * (y + HIGH * z)]);
			}
	image_free(vt, &a);
	image_free(vt, &b);
	vt_buffer_free(vt, &in);
	vt_buffer_free(vt, &out);
}

/* ---- Formats ---- */

enum numbers { FLOATS, INTS, UINTS };

/* @unit: the steps that numbers are rounded to, 0 for integers; @count: components. */
struct format {
	const char *name;
	VkFormat format;
	enum numbers numbers;
	uint32_t count, bytes;
	double unit;
	const uint32_t *code; /* one that names the format, or NULL */
	size_t code_bytes;
};

#define F(name, numbers, count, bytes, unit) \
	{ #name, VK_FORMAT_##name, numbers, count, bytes, unit, NULL, 0 }
#define NAMED(name, numbers, count, bytes, unit, code) \
	{ #name, VK_FORMAT_##name, numbers, count, bytes, unit, code, sizeof(code) }

static const struct format formats[] = {
	F(R8_UNORM, FLOATS, 1, 1, 1 / 255.),
	F(R8G8_SNORM, FLOATS, 2, 2, 1 / 127.),
	F(R8G8B8A8_UNORM, FLOATS, 4, 4, 1 / 255.),
	NAMED(R8G8B8A8_UNORM, FLOATS, 4, 4, 1 / 255., texels_rgba8_spv),
	F(R8G8B8A8_SNORM, FLOATS, 4, 4, 1 / 127.),
	F(R8G8B8A8_UINT, UINTS, 4, 4, 0),
	F(R8G8B8A8_SINT, INTS, 4, 4, 0),
	NAMED(R8_UINT, UINTS, 1, 1, 0, texels_r8ui_spv),
	F(R16_UNORM, FLOATS, 1, 2, 1 / 65535.),
	F(R16G16_SFLOAT, FLOATS, 2, 4, 1 / 2048.),
	NAMED(R16G16_SFLOAT, FLOATS, 2, 4, 1 / 2048., texels_rg16f_spv),
	F(R16G16B16A16_SFLOAT, FLOATS, 4, 8, 1 / 2048.),
	F(R16G16B16A16_SINT, INTS, 4, 8, 0),
	F(R32_UINT, UINTS, 1, 4, 0),
	F(R32_SINT, INTS, 1, 4, 0),
	F(R32_SFLOAT, FLOATS, 1, 4, 1e-7),
	F(R32G32_UINT, UINTS, 2, 8, 0),
	F(R32G32B32A32_SFLOAT, FLOATS, 4, 16, 1e-7),
	F(R32G32B32A32_UINT, UINTS, 4, 16, 0),
	F(A2B10G10R10_UNORM_PACK32, FLOATS, 4, 4, 1 / 3.),
	F(A2B10G10R10_UINT_PACK32, UINTS, 4, 4, 0),
	F(B10G11R11_UFLOAT_PACK32, FLOATS, 3, 4, 1 / 64.),
};

static const struct {
	const uint32_t *code;
	size_t bytes;
} any_format[] = {
	[FLOATS] = { texels_float_spv, sizeof(texels_float_spv) },
	[INTS] = { texels_int_spv, sizeof(texels_int_spv) },
	[UINTS] = { texels_uint_spv, sizeof(texels_uint_spv) },
};

static void write_image(struct vt *vt, VkDescriptorSet set, uint32_t binding, uint32_t element,
			VkDescriptorType type, VkImageView view, VkSampler sampler)
{
	const VkDescriptorImageInfo info = { sampler, view, VK_IMAGE_LAYOUT_GENERAL };
	const VkWriteDescriptorSet write = {
		.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
		.dstSet = set,
		.dstBinding = binding,
		.dstArrayElement = element,
		.descriptorCount = 1,
		.descriptorType = type,
		.pImageInfo = &info,
	};

	vkUpdateDescriptorSets(vt->device, 1, &write, 0, NULL);
}

/* A pool that has images too. */
static VkDescriptorPool open_pool(struct vt *vt)
{
	static const VkDescriptorPoolSize sizes[] = {
		{ VK_DESCRIPTOR_TYPE_STORAGE_IMAGE, 4 },
		{ VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE, 4 },
		{ VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER, 4 },
		{ VK_DESCRIPTOR_TYPE_SAMPLER, 4 },
		{ VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER, 4 },
		{ VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER, 4 },
		{ VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 8 },
	};
	const VkDescriptorPoolCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
		.maxSets = 4,
		.poolSizeCount = sizeof(sizes) / sizeof(sizes[0]),
		.pPoolSizes = sizes,
	};
	VkDescriptorPool pool = VK_NULL_HANDLE;

	VT_OK(vkCreateDescriptorPool(vt->device, &info, NULL, &pool));
	return pool;
}

static VkDescriptorSet set_of(struct vt *vt, VkDescriptorPool pool, VkDescriptorSetLayout layout)
{
	const VkDescriptorSetAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
		.descriptorPool = pool,
		.descriptorSetCount = 1,
		.pSetLayouts = &layout,
	};
	VkDescriptorSet set = VK_NULL_HANDLE;

	VT_OK(vkAllocateDescriptorSets(vt->device, &info, &set));
	return set;
}

static void run(struct vt *vt, VkCommandBuffer cmd, const struct vt_kernel *kernel,
		VkDescriptorSet set, const void *push, uint32_t push_bytes,
		const uint32_t groups[3])
{
	vkCmdBindPipeline(cmd, VK_PIPELINE_BIND_POINT_COMPUTE, kernel->pipeline);
	vkCmdBindDescriptorSets(cmd, VK_PIPELINE_BIND_POINT_COMPUTE, kernel->layout, 0, 1, &set, 0,
				NULL);
	if (push_bytes)
		vkCmdPushConstants(cmd, kernel->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, push_bytes,
				   push);
	vkCmdDispatch(cmd, groups[0], groups[1], groups[2]);
	(void)vt;
}

static const VkClearColorValue colors[] = {
	[FLOATS] = { .float32 = { 0.375f, 0.8125f, 0.09375f, 1.0f } },
	[INTS] = { .int32 = { -100, 77, -1, 3 } },
	[UINTS] = { .uint32 = { 200, 77, 1, 3 } },
};

static void check_texel(const struct format *f, const uint32_t *got, bool inside, uint32_t i)
{
	const VkClearColorValue *color = &colors[f->numbers];

	for (uint32_t c = 0; c < 4; c++) {
		bool there = c < f->count;
		float value;

		memcpy(&value, &got[c], sizeof(value));
		if (!inside && c < 3)
			VT_CHECK(!got[c], "%s: %08x outside", f->name, got[c]);
		else if (inside && f->numbers == FLOATS)
			VT_CHECK(fabs(value - (there ? color->float32[c] : c == 3)) <=
					 f->unit / 2 + 1e-6,
				 "%s: texel %u component %u is %g", f->name, i, c, value);
		else if (inside)
			VT_CHECK(got[c] == (there ? color->uint32[c] : c == 3),
				 "%s: texel %u component %u is %u", f->name, i, c, got[c]);
	}
}

/* What a clear writes a kernel reads, and what a kernel writes is what a clear would. */
static void check_format(struct vt *vt, const struct format *f)
{
	enum { WIDE = 7, HIGH = 5, LAYERS = 2 };
	static const VkDescriptorSetLayoutBinding bindings[] = {
		{ 0, VK_DESCRIPTOR_TYPE_STORAGE_IMAGE, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL },
		{ 1, VK_DESCRIPTOR_TYPE_STORAGE_IMAGE, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL },
		{ 2, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL },
	};
	const VkExtent3D extent = { WIDE, HIGH, 1 };
	struct image a = image_make(vt, f->format, extent, 1, LAYERS, VK_IMAGE_USAGE_STORAGE_BIT,
				    VK_IMAGE_VIEW_TYPE_2D_ARRAY);
	struct image b = image_make(vt, f->format, extent, 1, LAYERS, VK_IMAGE_USAGE_STORAGE_BIT,
				    VK_IMAGE_VIEW_TYPE_2D_ARRAY);
	VkBufferImageCopy copy = whole_level(0, 0, LAYERS, extent);
	VkDescriptorSetLayout layout = vt_set_layout(vt, 0, bindings, 3, NULL);
	struct vt_buffer out = vt_buffer(vt, 16 * (1 + 8 * 6 * LAYERS), STORAGE);
	struct vt_buffer bytes_a = vt_buffer(vt, 2048, STORAGE);
	struct vt_buffer bytes_b = vt_buffer(vt, 2048, STORAGE);
	VkDescriptorPool pool = open_pool(vt);
	const uint32_t groups[3] = { 2, 2, LAYERS };
	const int32_t *size = out.map;
	struct vt_kernel kernel;
	VkDescriptorSet set;
	VkCommandBuffer cmd;

	vt_kernel(vt, &kernel, f->code ? f->code : any_format[f->numbers].code,
		  f->code ? f->code_bytes : any_format[f->numbers].bytes, &layout, 1, 16, NULL);
	set = set_of(vt, pool, layout);
	write_image(vt, set, 0, 0, VK_DESCRIPTOR_TYPE_STORAGE_IMAGE, a.view, VK_NULL_HANDLE);
	write_image(vt, set, 1, 0, VK_DESCRIPTOR_TYPE_STORAGE_IMAGE, b.view, VK_NULL_HANDLE);
	vt_write_buffer(vt, set, 2, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &out, 0, VK_WHOLE_SIZE);
	memset(bytes_a.map, 0x5a, bytes_a.size);
	memset(bytes_b.map, 0x5a, bytes_b.size);
	cmd = vt_begin(vt, 0);
	image_ready(cmd, &a, true);
	image_ready(cmd, &b, true);
	vkCmdClearColorImage(cmd, a.image, VK_IMAGE_LAYOUT_GENERAL, &colors[f->numbers], 1, &a.all);
	image_ready(cmd, &a, false);
	run(vt, cmd, &kernel, set, &colors[f->numbers], 16, groups);
	image_ready(cmd, &b, false);
	vkCmdCopyImageToBuffer(cmd, a.image, VK_IMAGE_LAYOUT_GENERAL, bytes_a.buffer, 1, &copy);
	vkCmdCopyImageToBuffer(cmd, b.image, VK_IMAGE_LAYOUT_GENERAL, bytes_b.buffer, 1, &copy);
	vt_barrier(cmd);
	vt_run(vt, cmd);
	VT_CHECK(size[0] == WIDE && size[1] == HIGH && size[2] == LAYERS && size[3] == HIGH);
	for (uint32_t z = 0; z < LAYERS; z++)
		for (uint32_t y = 0; y < 6; y++)
			for (uint32_t x = 0; x < 8; x++) {
				uint32_t i = x + 8 * (y + 6 * z);

				check_texel(f, (const uint32_t *)out.map + 4 + 4 * i,
					    x < WIDE && y < HIGH, i);
			}
	VT_CHECK(!memcmp(bytes_a.map, bytes_b.map, bytes_a.size), "%s: texels written differ",
		 f->name);
	VT_CHECK(((uint8_t *)bytes_a.map)[WIDE * HIGH * LAYERS * f->bytes] == 0x5a, "%s", f->name);
	vkDestroyDescriptorPool(vt->device, pool, NULL);
	vt_kernel_free(vt, &kernel);
	vt_buffer_free(vt, &out);
	vt_buffer_free(vt, &bytes_a);
	vt_buffer_free(vt, &bytes_b);
	image_free(vt, &a);
	image_free(vt, &b);
}

static void test_formats(struct vt *vt)
{
	if (!vt->features.features.shaderStorageImageReadWithoutFormat ||
	    !vt->features.features.shaderStorageImageWriteWithoutFormat ||
	    !vt->features.features.shaderStorageImageExtendedFormats) {
		vt_skip("the device wants the formats of storage images to be told");
		return;
	}
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		check_format(vt, &formats[i]);
}

/* ---- Samplers ---- */

enum { SIDE = 4, PLACES = 64 };

/* Level 0 is x + 10 y, level 1 is 100, level 2 is 200. */
static float texel_at(int x, int y, VkSamplerAddressMode mode, bool *outside)
{
	int at[2] = { x, y };

	*outside = false;
	for (int i = 0; i < 2; i++) {
		if (mode == VK_SAMPLER_ADDRESS_MODE_REPEAT)
			at[i] = ((at[i] % SIDE) + SIDE) % SIDE;
		else if (mode == VK_SAMPLER_ADDRESS_MODE_MIRRORED_REPEAT)
			at[i] = ((at[i] % (2 * SIDE)) + 2 * SIDE) % (2 * SIDE);
		if (mode == VK_SAMPLER_ADDRESS_MODE_MIRRORED_REPEAT && at[i] >= SIDE)
			at[i] = 2 * SIDE - 1 - at[i];
		*outside |= at[i] < 0 || at[i] >= SIDE;
		at[i] = at[i] < 0 ? 0 : at[i] >= SIDE ? SIDE - 1 : at[i];
	}
	if (mode != VK_SAMPLER_ADDRESS_MODE_CLAMP_TO_BORDER)
		*outside = false;
	return (float)(at[0] + 10 * at[1]);
}

static float reference(const float *place, VkFilter filter, VkSamplerAddressMode mode)
{
	float u = place[0] * SIDE, v = place[1] * SIDE, sum = 0;
	int x, y;
	bool outside;

	if (place[2] >= 0.5f)
		return 100.0f * roundf(place[2]);
	if (filter == VK_FILTER_NEAREST) {
		float value = texel_at((int)floorf(u), (int)floorf(v), mode, &outside);

		return outside ? 1 : value;
	}
	x = (int)floorf(u - 0.5f);
	y = (int)floorf(v - 0.5f);
	for (int i = 0; i < 4; i++) {
		float a = u - 0.5f - (float)x, b = v - 0.5f - (float)y;
		float weight = (i & 1 ? a : 1 - a) * (i & 2 ? b : 1 - b);
		float value = texel_at(x + (i & 1), y + (i >> 1), mode, &outside);

		sum += weight * (outside ? 1 : value);
	}
	return sum;
}

static void check_sampler(struct vt *vt, const struct image *image, VkFilter filter,
			  VkSamplerAddressMode mode)
{
	const VkSamplerCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO,
		.magFilter = filter,
		.minFilter = filter,
		.addressModeU = mode,
		.addressModeV = mode,
		.addressModeW = mode,
		.maxLod = VK_LOD_CLAMP_NONE,
		.borderColor = VK_BORDER_COLOR_FLOAT_OPAQUE_WHITE,
	};
	VkDescriptorSetLayoutBinding bindings[] = {
		{ 0, VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER, 1, VK_SHADER_STAGE_COMPUTE_BIT,
		  NULL },
		{ 1, VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE, 2, VK_SHADER_STAGE_COMPUTE_BIT, NULL },
		{ 2, VK_DESCRIPTOR_TYPE_SAMPLER, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL },
		{ 3, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL },
		{ 4, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL },
	};
	struct vt_buffer places = vt_buffer(vt, PLACES * 16, STORAGE);
	struct vt_buffer out = vt_buffer(vt, PLACES * 64, STORAGE);
	VkDescriptorPool pool = open_pool(vt);
	const uint32_t groups[3] = { PLACES / 8, 1, 1 };
	VkSampler sampler = VK_NULL_HANDLE;
	VkDescriptorSetLayout layout;
	struct vt_kernel kernel;
	VkDescriptorSet set;
	VkCommandBuffer cmd;

	VT_OK(vkCreateSampler(vt->device, &info, NULL, &sampler));
	/* One sampler that sets write, one that the layout brings. */
	bindings[2].pImmutableSamplers = &sampler;
	layout = vt_set_layout(vt, 0, bindings, 5, NULL);
	for (int i = 0; i < PLACES; i++) {
		float *place = (float *)places.map + 4 * i;

		place[0] = (float)((i * 37 % 64) - 20) / 27.0f;
		place[1] = (float)((i * 23 % 64) - 30) / 29.0f;
		place[2] = i % 7 == 6 ? 1.0f : i % 11 == 10 ? 2.0f : 0.0f;
	}
	vt_kernel(vt, &kernel, sampled_spv, sizeof(sampled_spv), &layout, 1, 0, NULL);
	set = set_of(vt, pool, layout);
	write_image(vt, set, 0, 0, VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER, image->view, sampler);
	write_image(vt, set, 1, 0, VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE, image->view, VK_NULL_HANDLE);
	write_image(vt, set, 1, 1, VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE, image->view, VK_NULL_HANDLE);
	vt_write_buffer(vt, set, 3, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &places, 0,
			VK_WHOLE_SIZE);
	vt_write_buffer(vt, set, 4, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &out, 0, VK_WHOLE_SIZE);
	cmd = vt_begin(vt, 0);
	run(vt, cmd, &kernel, set, NULL, 0, groups);
	vt_run(vt, cmd);
	for (int i = 0; i < PLACES; i++) {
		const float *place = (float *)places.map + 4 * i, *got = (float *)out.map + 16 * i;
		float want = reference(place, filter, mode);
		int level = (int)place[2], fx = (int)(place[0] * 4), fy = (int)(place[1] * 4);
		bool inside = fx >= 0 && fx < SIDE >> level && fy >= 0 && fy < SIDE >> level;

		/* The reference knows the border of level 0 only. */
		if (level && mode == VK_SAMPLER_ADDRESS_MODE_CLAMP_TO_BORDER)
			want = got[0];
		VT_CHECK(fabsf(got[0] - want) < 0.01f, "mode %d filter %d at (%g, %g): %g, not %g",
			 mode, filter, place[0], place[1], got[0], want);
		VT_CHECK(got[4] == got[0] && fabsf(got[7] - 1) < 1e-5f);
		if (inside)
			VT_CHECK(got[8] == (level ? 100.0f * (float)level : (float)(fx + 10 * fy)),
				 "fetch at (%d, %d, %d): %g", fx, fy, level, got[8]);
		VT_CHECK(got[12] == SIDE >> level && got[13] == SIDE >> level && got[14] == 3);
	}
	vkDestroyDescriptorPool(vt->device, pool, NULL);
	vt_kernel_free(vt, &kernel);
	vkDestroySampler(vt->device, sampler, NULL);
	vt_buffer_free(vt, &places);
	vt_buffer_free(vt, &out);
}

static void test_samplers(struct vt *vt)
{
	static const VkSamplerAddressMode modes[] = {
		VK_SAMPLER_ADDRESS_MODE_REPEAT,
		VK_SAMPLER_ADDRESS_MODE_MIRRORED_REPEAT,
		VK_SAMPLER_ADDRESS_MODE_CLAMP_TO_EDGE,
		VK_SAMPLER_ADDRESS_MODE_CLAMP_TO_BORDER,
	};
	struct image image = image_make(vt, VK_FORMAT_R32_SFLOAT, (VkExtent3D){ SIDE, SIDE, 1 }, 3,
					1, VK_IMAGE_USAGE_SAMPLED_BIT, VK_IMAGE_VIEW_TYPE_2D);
	struct vt_buffer in = vt_buffer(vt, 4 * SIDE * SIDE, STORAGE);
	const VkBufferImageCopy copy = whole_level(0, 0, 1, (VkExtent3D){ SIDE, SIDE, 1 });
	VkCommandBuffer cmd = vt_begin(vt, 0);
	VkFormatProperties properties;

	for (int i = 0; i < SIDE * SIDE; i++)
		((float *)in.map)[i] = (float)(i % SIDE + 10 * (i / SIDE));
	image_ready(cmd, &image, true);
	vkCmdCopyBufferToImage(cmd, in.buffer, image.image, VK_IMAGE_LAYOUT_GENERAL, 1, &copy);
	for (uint32_t l = 1; l < 3; l++) {
		const VkClearColorValue color = { .float32 = { 100.0f * (float)l } };
		const VkImageSubresourceRange range = { VK_IMAGE_ASPECT_COLOR_BIT, l, 1, 0, 1 };

		vkCmdClearColorImage(cmd, image.image, VK_IMAGE_LAYOUT_GENERAL, &color, 1, &range);
	}
	image_ready(cmd, &image, false);
	vt_run(vt, cmd);
	vkGetPhysicalDeviceFormatProperties(vt->physical, VK_FORMAT_R32_SFLOAT, &properties);
	for (uint32_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		check_sampler(vt, &image, VK_FILTER_NEAREST, modes[i]);
		if (properties.optimalTilingFeatures &
		    VK_FORMAT_FEATURE_SAMPLED_IMAGE_FILTER_LINEAR_BIT)
			check_sampler(vt, &image, VK_FILTER_LINEAR, modes[i]);
	}
	vt_buffer_free(vt, &in);
	image_free(vt, &image);
}

/* ---- Atomics, texel buffers ---- */

static VkBufferView view_of(struct vt *vt, const struct vt_buffer *buffer, VkFormat format,
			    VkDeviceSize range)
{
	const VkBufferViewCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO,
		.buffer = buffer->buffer,
		.format = format,
		.range = range,
	};
	VkBufferView view = VK_NULL_HANDLE;

	VT_OK(vkCreateBufferView(vt->device, &info, NULL, &view));
	return view;
}

static void write_view(struct vt *vt, VkDescriptorSet set, uint32_t binding, VkDescriptorType type,
		       VkBufferView view)
{
	const VkWriteDescriptorSet write = {
		.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
		.dstSet = set,
		.dstBinding = binding,
		.descriptorCount = 1,
		.descriptorType = type,
		.pTexelBufferView = &view,
	};

	vkUpdateDescriptorSets(vt->device, 1, &write, 0, NULL);
}

static void test_atomics(struct vt *vt)
{
	enum { COUNT = 160 };
	static const VkDescriptorSetLayoutBinding bindings[] = {
		{ 0, VK_DESCRIPTOR_TYPE_STORAGE_IMAGE, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL },
		{ 1, VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT,
		  NULL },
		{ 2, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL },
	};
	/* The kernel counts in 5 × 3 texels; a row and a column are not there. */
	const VkExtent3D extent = { 4, 2, 1 };
	struct image image = image_make(vt, VK_FORMAT_R32_UINT, extent, 1, 1,
					VK_IMAGE_USAGE_STORAGE_BIT, VK_IMAGE_VIEW_TYPE_2D);
	struct vt_buffer texels = vt_buffer(vt, 64, VK_BUFFER_USAGE_STORAGE_TEXEL_BUFFER_BIT);
	struct vt_buffer out = vt_buffer(vt, 4 * COUNT, STORAGE);
	struct vt_buffer sums = vt_buffer(vt, 64, STORAGE);
	VkBufferView view = view_of(vt, &texels, VK_FORMAT_R32_SINT, 32);
	VkDescriptorSetLayout layout = vt_set_layout(vt, 0, bindings, 3, NULL);
	const VkBufferImageCopy copy = whole_level(0, 0, 1, extent);
	const VkClearColorValue zero = { .uint32 = { 0 } };
	const uint32_t groups[3] = { COUNT / 16, 1, 1 };
	VkDescriptorPool pool = open_pool(vt);
	uint32_t want[8] = { 0 };
	struct vt_kernel kernel;
	VkDescriptorSet set;
	VkCommandBuffer cmd;

	memset(texels.map, 0, texels.size);
	vt_kernel(vt, &kernel, texel_atomic_spv, sizeof(texel_atomic_spv), &layout, 1, 0, NULL);
	set = set_of(vt, pool, layout);
	write_image(vt, set, 0, 0, VK_DESCRIPTOR_TYPE_STORAGE_IMAGE, image.view, VK_NULL_HANDLE);
	write_view(vt, set, 1, VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER, view);
	vt_write_buffer(vt, set, 2, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &out, 0, VK_WHOLE_SIZE);
	cmd = vt_begin(vt, 0);
	image_ready(cmd, &image, true);
	vkCmdClearColorImage(cmd, image.image, VK_IMAGE_LAYOUT_GENERAL, &zero, 1, &image.all);
	image_ready(cmd, &image, false);
	run(vt, cmd, &kernel, set, NULL, 0, groups);
	image_ready(cmd, &image, false);
	vkCmdCopyImageToBuffer(cmd, image.image, VK_IMAGE_LAYOUT_GENERAL, sums.buffer, 1, &copy);
	vt_barrier(cmd);
	vt_run(vt, cmd);
	for (uint32_t i = 0; i < COUNT; i++)
		if (i % 5 < 4 && i / 5 % 3 < 2)
			want[i % 5 + 4 * (i / 5 % 3)] += 1 + i;
	for (uint32_t i = 0; i < 8; i++) {
		VT_CHECK(((uint32_t *)sums.map)[i] == want[i], "texel %u: %u", i,
			 ((uint32_t *)sums.map)[i]);
		VT_CHECK(((int32_t *)texels.map)[i] == (int32_t)((COUNT - 1 - i) / 9 * 9 + i));
	}
	VT_CHECK(!((int32_t *)texels.map)[8]);
	vkDestroyDescriptorPool(vt->device, pool, NULL);
	vkDestroyBufferView(vt->device, view, NULL);
	vt_kernel_free(vt, &kernel);
	vt_buffer_free(vt, &texels);
	vt_buffer_free(vt, &out);
	vt_buffer_free(vt, &sums);
	image_free(vt, &image);
}

static void test_texel_buffers(struct vt *vt)
{
	enum { COUNT = 45 };
	static const VkDescriptorSetLayoutBinding bindings[] = {
		{ 0, VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT,
		  NULL },
		{ 1, VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT,
		  NULL },
	};
	struct vt_buffer in = vt_buffer(vt, 96, VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT);
	struct vt_buffer out = vt_buffer(vt, 96, VK_BUFFER_USAGE_STORAGE_TEXEL_BUFFER_BIT);
	VkBufferView views[2];
	VkDescriptorSetLayout layout = vt_set_layout(vt, 0, bindings, 2, NULL);
	const uint32_t groups[3] = { 3, 1, 1 };
	VkDescriptorPool pool = open_pool(vt);
	VkFormatProperties properties;
	struct vt_kernel kernel;
	VkDescriptorSet set;
	VkCommandBuffer cmd;

	vkGetPhysicalDeviceFormatProperties(vt->physical, VK_FORMAT_R8G8_UNORM, &properties);
	if (!(properties.bufferFeatures & VK_FORMAT_FEATURE_STORAGE_TEXEL_BUFFER_BIT)) {
		vt_skip("no storage texel buffers of R8G8_UNORM");
		return;
	}
	views[0] = view_of(vt, &in, VK_FORMAT_R8G8_UNORM, 2 * COUNT);
	views[1] = view_of(vt, &out, VK_FORMAT_R8G8_UNORM, 2 * COUNT);
	for (uint32_t i = 0; i < 96; i++) {
		((uint8_t *)in.map)[i] = (uint8_t)(i * 5 + 1);
		((uint8_t *)out.map)[i] = 0xee;
	}
	vt_kernel(vt, &kernel, texel_buffer_spv, sizeof(texel_buffer_spv), &layout, 1, 0, NULL);
	set = set_of(vt, pool, layout);
	write_view(vt, set, 0, VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER, views[0]);
	write_view(vt, set, 1, VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER, views[1]);
	cmd = vt_begin(vt, 0);
	run(vt, cmd, &kernel, set, NULL, 0, groups);
	vt_barrier(cmd);
	vt_run(vt, cmd);
	for (uint32_t i = 0; i < 48; i++)
		VT_CHECK(((uint16_t *)out.map)[i] ==
				 (i < COUNT ? ((uint16_t *)in.map)[COUNT - 1 - i] : 0xeeee),
			 "texel %u", i);
	vkDestroyDescriptorPool(vt->device, pool, NULL);
	vkDestroyBufferView(vt->device, views[0], NULL);
	vkDestroyBufferView(vt->device, views[1], NULL);
	vt_kernel_free(vt, &kernel);
	vt_buffer_free(vt, &in);
	vt_buffer_free(vt, &out);
}

static const struct vt_test tests[] = {
	{ "copies between images, levels, layers and buffers; clears", test_copies },
	{ "texels of all kinds of formats, read and written", test_formats },
	{ "samplers: filters, address modes, levels", test_samplers },
	{ "atomics on texels", test_atomics },
	{ "texel buffers", test_texel_buffers },
};

int main(int argc, char **argv)
{
	struct vt vt;

	vt_open(&vt, argc, argv, false);
	return vt_main(&vt, tests, sizeof(tests) / sizeof(tests[0]));
}
