// SPDX-License-Identifier: MIT
/*
 * Formats: what texels are made of, what may be done with them, and how large images of them may be. Kernels read and write texels by
 * the components given here (hearth/kernel_abi.h); everything else follows from them.
 */
#include <math.h>
#include <string.h>

#include "hth_private.h"

#define C(kind_, offset_, width_) \
	{ .kind = HEARTH_COMPONENT_##kind_, .offset = (offset_), .width = (width_) }
#define NONE	   C(CONSTANT, 0, 32)
#define ONE	   C(CONSTANT, 1, 32)
#define R(k, w)	   { C(k, 0, w), NONE, NONE, ONE }
#define RG(k, w)   { C(k, 0, w), C(k, w, w), NONE, ONE }
#define RGBA(k, w) { C(k, 0, w), C(k, w, w), C(k, 2 * (w), w), C(k, 3 * (w), w) }

#define STORAGE	   HTH_FORMAT_STORAGE
#define ATTACH	   HTH_FORMAT_ATTACHMENT
#define TEXEL	   HTH_FORMAT_TEXEL_BUFFER
#define ATOMIC	   HTH_FORMAT_ATOMIC

/* Sorted by the numbers of the formats. */
static const struct hth_format formats[] = {
	{ VK_FORMAT_B4G4R4A4_UNORM_PACK16,
	  1,
	  0,
	  { C(UNORM, 4, 4), C(UNORM, 8, 4), C(UNORM, 12, 4), C(UNORM, 0, 4) } },
	{ VK_FORMAT_R5G6B5_UNORM_PACK16,
	  1,
	  ATTACH,
	  { C(UNORM, 11, 5), C(UNORM, 5, 6), C(UNORM, 0, 5), ONE } },
	{ VK_FORMAT_A1R5G5B5_UNORM_PACK16,
	  1,
	  ATTACH,
	  { C(UNORM, 10, 5), C(UNORM, 5, 5), C(UNORM, 0, 5), C(UNORM, 15, 1) } },
	{ VK_FORMAT_R8_UNORM, 0, STORAGE | ATTACH | TEXEL, R(UNORM, 8) },
	{ VK_FORMAT_R8_SNORM, 0, STORAGE | TEXEL, R(SNORM, 8) },
	{ VK_FORMAT_R8_UINT, 0, STORAGE | ATTACH | TEXEL, R(UINT, 8) },
	{ VK_FORMAT_R8_SINT, 0, STORAGE | ATTACH | TEXEL, R(SINT, 8) },
	{ VK_FORMAT_R8G8_UNORM, 1, STORAGE | ATTACH | TEXEL, RG(UNORM, 8) },
	{ VK_FORMAT_R8G8_SNORM, 1, STORAGE | TEXEL, RG(SNORM, 8) },
	{ VK_FORMAT_R8G8_UINT, 1, STORAGE | ATTACH | TEXEL, RG(UINT, 8) },
	{ VK_FORMAT_R8G8_SINT, 1, STORAGE | ATTACH | TEXEL, RG(SINT, 8) },
	{ VK_FORMAT_R8G8B8A8_UNORM, 2, STORAGE | ATTACH | TEXEL, RGBA(UNORM, 8) },
	{ VK_FORMAT_R8G8B8A8_SNORM, 2, STORAGE | TEXEL, RGBA(SNORM, 8) },
	{ VK_FORMAT_R8G8B8A8_UINT, 2, STORAGE | ATTACH | TEXEL, RGBA(UINT, 8) },
	{ VK_FORMAT_R8G8B8A8_SINT, 2, STORAGE | ATTACH | TEXEL, RGBA(SINT, 8) },
	{ VK_FORMAT_B8G8R8A8_UNORM,
	  2,
	  ATTACH | TEXEL,
	  { C(UNORM, 16, 8), C(UNORM, 8, 8), C(UNORM, 0, 8), C(UNORM, 24, 8) } },
	{ VK_FORMAT_A8B8G8R8_UNORM_PACK32, 2, STORAGE | ATTACH | TEXEL, RGBA(UNORM, 8) },
	{ VK_FORMAT_A8B8G8R8_SNORM_PACK32, 2, STORAGE | TEXEL, RGBA(SNORM, 8) },
	{ VK_FORMAT_A8B8G8R8_UINT_PACK32, 2, STORAGE | ATTACH | TEXEL, RGBA(UINT, 8) },
	{ VK_FORMAT_A8B8G8R8_SINT_PACK32, 2, STORAGE | ATTACH | TEXEL, RGBA(SINT, 8) },
	{ VK_FORMAT_A2B10G10R10_UNORM_PACK32,
	  2,
	  STORAGE | ATTACH | TEXEL,
	  { C(UNORM, 0, 10), C(UNORM, 10, 10), C(UNORM, 20, 10), C(UNORM, 30, 2) } },
	{ VK_FORMAT_A2B10G10R10_UINT_PACK32,
	  2,
	  STORAGE | ATTACH | TEXEL,
	  { C(UINT, 0, 10), C(UINT, 10, 10), C(UINT, 20, 10), C(UINT, 30, 2) } },
	{ VK_FORMAT_R16_UNORM, 1, STORAGE | TEXEL, R(UNORM, 16) },
	{ VK_FORMAT_R16_SNORM, 1, STORAGE | TEXEL, R(SNORM, 16) },
	{ VK_FORMAT_R16_UINT, 1, STORAGE | ATTACH | TEXEL, R(UINT, 16) },
	{ VK_FORMAT_R16_SINT, 1, STORAGE | ATTACH | TEXEL, R(SINT, 16) },
	{ VK_FORMAT_R16_SFLOAT, 1, STORAGE | ATTACH | TEXEL, R(FLOAT, 16) },
	{ VK_FORMAT_R16G16_UNORM, 2, STORAGE | TEXEL, RG(UNORM, 16) },
	{ VK_FORMAT_R16G16_SNORM, 2, STORAGE | TEXEL, RG(SNORM, 16) },
	{ VK_FORMAT_R16G16_UINT, 2, STORAGE | ATTACH | TEXEL, RG(UINT, 16) },
	{ VK_FORMAT_R16G16_SINT, 2, STORAGE | ATTACH | TEXEL, RG(SINT, 16) },
	{ VK_FORMAT_R16G16_SFLOAT, 2, STORAGE | ATTACH | TEXEL, RG(FLOAT, 16) },
	{ VK_FORMAT_R16G16B16A16_UNORM, 3, STORAGE | TEXEL, RGBA(UNORM, 16) },
	{ VK_FORMAT_R16G16B16A16_SNORM, 3, STORAGE | TEXEL, RGBA(SNORM, 16) },
	{ VK_FORMAT_R16G16B16A16_UINT, 3, STORAGE | ATTACH | TEXEL, RGBA(UINT, 16) },
	{ VK_FORMAT_R16G16B16A16_SINT, 3, STORAGE | ATTACH | TEXEL, RGBA(SINT, 16) },
	{ VK_FORMAT_R16G16B16A16_SFLOAT, 3, STORAGE | ATTACH | TEXEL, RGBA(FLOAT, 16) },
	{ VK_FORMAT_R32_UINT, 2, STORAGE | ATTACH | TEXEL | ATOMIC, R(UINT, 32) },
	{ VK_FORMAT_R32_SINT, 2, STORAGE | ATTACH | TEXEL | ATOMIC, R(SINT, 32) },
	{ VK_FORMAT_R32_SFLOAT, 2, STORAGE | ATTACH | TEXEL, R(FLOAT, 32) },
	{ VK_FORMAT_R32G32_UINT, 3, STORAGE | ATTACH | TEXEL, RG(UINT, 32) },
	{ VK_FORMAT_R32G32_SINT, 3, STORAGE | ATTACH | TEXEL, RG(SINT, 32) },
	{ VK_FORMAT_R32G32_SFLOAT, 3, STORAGE | ATTACH | TEXEL, RG(FLOAT, 32) },
	{ VK_FORMAT_R32G32B32A32_UINT, 4, STORAGE | ATTACH | TEXEL, RGBA(UINT, 32) },
	{ VK_FORMAT_R32G32B32A32_SINT, 4, STORAGE | ATTACH | TEXEL, RGBA(SINT, 32) },
	{ VK_FORMAT_R32G32B32A32_SFLOAT, 4, STORAGE | ATTACH | TEXEL, RGBA(FLOAT, 32) },
	{ VK_FORMAT_B10G11R11_UFLOAT_PACK32,
	  2,
	  STORAGE | TEXEL,
	  { C(FLOAT, 0, 11), C(FLOAT, 11, 11), C(FLOAT, 22, 10), ONE } },
	{ VK_FORMAT_D16_UNORM, 1, HTH_FORMAT_DEPTH, R(UNORM, 16) },
	{ VK_FORMAT_D32_SFLOAT, 2, HTH_FORMAT_DEPTH, R(FLOAT, 32) },
};

const struct hth_format *hth_format_find(VkFormat format)
{
	for (uint32_t i = 0; i < HTH_COUNT(formats); i++)
		if (formats[i].format == format)
			return &formats[i];
	return NULL;
}

static bool is_integer(const struct hth_format *format)
{
	return format->components[0].kind == HEARTH_COMPONENT_UINT ||
	       format->components[0].kind == HEARTH_COMPONENT_SINT;
}

/*
 * Attachments and blits are demanded of some formats by the specification, and belong to graphics queues: nothing can reach
 * them.
 */
static VkFormatFeatureFlags2 image_features(const struct hth_format *format)
{
	VkFormatFeatureFlags2 out =
		VK_FORMAT_FEATURE_2_SAMPLED_IMAGE_BIT | VK_FORMAT_FEATURE_2_TRANSFER_SRC_BIT |
		VK_FORMAT_FEATURE_2_TRANSFER_DST_BIT | VK_FORMAT_FEATURE_2_BLIT_SRC_BIT;

	if (format->flags & HTH_FORMAT_DEPTH)
		return out | VK_FORMAT_FEATURE_2_SAMPLED_IMAGE_DEPTH_COMPARISON_BIT |
		       VK_FORMAT_FEATURE_2_DEPTH_STENCIL_ATTACHMENT_BIT;
	if (!is_integer(format))
		out |= VK_FORMAT_FEATURE_2_SAMPLED_IMAGE_FILTER_LINEAR_BIT;
	if (format->flags & HTH_FORMAT_STORAGE)
		out |= VK_FORMAT_FEATURE_2_STORAGE_IMAGE_BIT |
		       VK_FORMAT_FEATURE_2_STORAGE_READ_WITHOUT_FORMAT_BIT |
		       VK_FORMAT_FEATURE_2_STORAGE_WRITE_WITHOUT_FORMAT_BIT;
	if (format->flags & HTH_FORMAT_ATOMIC)
		out |= VK_FORMAT_FEATURE_2_STORAGE_IMAGE_ATOMIC_BIT;
	if (format->flags & HTH_FORMAT_ATTACHMENT)
		out |= VK_FORMAT_FEATURE_2_COLOR_ATTACHMENT_BIT | VK_FORMAT_FEATURE_2_BLIT_DST_BIT;
	if (format->flags & HTH_FORMAT_ATTACHMENT && !is_integer(format) &&
	    format->components[0].width < 32)
		out |= VK_FORMAT_FEATURE_2_COLOR_ATTACHMENT_BLEND_BIT;
	return out;
}

static VkFormatFeatureFlags2 buffer_features(const struct hth_format *format)
{
	VkFormatFeatureFlags2 out = 0;

	if (!(format->flags & HTH_FORMAT_TEXEL_BUFFER))
		return 0;
	out |= VK_FORMAT_FEATURE_2_UNIFORM_TEXEL_BUFFER_BIT;
	if (format->flags & HTH_FORMAT_STORAGE)
		out |= VK_FORMAT_FEATURE_2_STORAGE_TEXEL_BUFFER_BIT |
		       VK_FORMAT_FEATURE_2_STORAGE_READ_WITHOUT_FORMAT_BIT |
		       VK_FORMAT_FEATURE_2_STORAGE_WRITE_WITHOUT_FORMAT_BIT;
	if (format->flags & HTH_FORMAT_ATOMIC)
		out |= VK_FORMAT_FEATURE_2_STORAGE_TEXEL_BUFFER_ATOMIC_BIT;
	return out;
}

/* The bits that the first version of the flags has: all but the newest. */
#define OLD_FEATURES (VK_FORMAT_FEATURE_2_STORAGE_READ_WITHOUT_FORMAT_BIT - 1)

VKAPI_ATTR void VKAPI_CALL hth_GetPhysicalDeviceFormatProperties(VkPhysicalDevice device,
								 VkFormat number,
								 VkFormatProperties *properties)
{
	const struct hth_format *format = hth_format_find(number);

	(void)device;
	memset(properties, 0, sizeof(*properties));
	if (!format)
		return;
	properties->linearTilingFeatures = properties->optimalTilingFeatures =
		(VkFormatFeatureFlags)(image_features(format) & OLD_FEATURES);
	properties->bufferFeatures = (VkFormatFeatureFlags)(buffer_features(format) & OLD_FEATURES);
}

VKAPI_ATTR void VKAPI_CALL hth_GetPhysicalDeviceFormatProperties2(VkPhysicalDevice device,
								  VkFormat number,
								  VkFormatProperties2 *properties)
{
	const struct hth_format *format = hth_format_find(number);

	hth_GetPhysicalDeviceFormatProperties(device, number, &properties->formatProperties);
	for (VkBaseOutStructure *next = properties->pNext; next; next = next->pNext) {
		VkFormatProperties3 *more = (void *)next;

		if (next->sType != VK_STRUCTURE_TYPE_FORMAT_PROPERTIES_3)
			continue;
		more->linearTilingFeatures = format ? image_features(format) : 0;
		more->optimalTilingFeatures = more->linearTilingFeatures;
		more->bufferFeatures = format ? buffer_features(format) : 0;
	}
}

/* ---- Images of a format ---- */

static bool usage_fits(VkImageUsageFlags usage, VkFormatFeatureFlags2 features)
{
	static const struct {
		VkImageUsageFlags usage;
		VkFormatFeatureFlags2 feature;
	} needs[] = {
		{ VK_IMAGE_USAGE_TRANSFER_SRC_BIT, VK_FORMAT_FEATURE_2_TRANSFER_SRC_BIT },
		{ VK_IMAGE_USAGE_TRANSFER_DST_BIT, VK_FORMAT_FEATURE_2_TRANSFER_DST_BIT },
		{ VK_IMAGE_USAGE_SAMPLED_BIT, VK_FORMAT_FEATURE_2_SAMPLED_IMAGE_BIT },
		{ VK_IMAGE_USAGE_STORAGE_BIT, VK_FORMAT_FEATURE_2_STORAGE_IMAGE_BIT },
		{ VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT, VK_FORMAT_FEATURE_2_COLOR_ATTACHMENT_BIT },
		{ VK_IMAGE_USAGE_DEPTH_STENCIL_ATTACHMENT_BIT,
		  VK_FORMAT_FEATURE_2_DEPTH_STENCIL_ATTACHMENT_BIT },
		{ VK_IMAGE_USAGE_INPUT_ATTACHMENT_BIT,
		  VK_FORMAT_FEATURE_2_COLOR_ATTACHMENT_BIT |
			  VK_FORMAT_FEATURE_2_DEPTH_STENCIL_ATTACHMENT_BIT },
		{ VK_IMAGE_USAGE_TRANSIENT_ATTACHMENT_BIT,
		  VK_FORMAT_FEATURE_2_COLOR_ATTACHMENT_BIT |
			  VK_FORMAT_FEATURE_2_DEPTH_STENCIL_ATTACHMENT_BIT },
	};

	for (uint32_t i = 0; i < HTH_COUNT(needs); i++) {
		if (usage & needs[i].usage && !(features & needs[i].feature))
			return false;
		usage &= ~needs[i].usage;
	}
	return !usage;
}

static uint32_t levels_of(uint32_t extent)
{
	return 32 - (uint32_t)__builtin_clz(extent);
}

VKAPI_ATTR VkResult VKAPI_CALL hth_GetPhysicalDeviceImageFormatProperties(
	VkPhysicalDevice handle, VkFormat number, VkImageType type, VkImageTiling tiling,
	VkImageUsageFlags usage, VkImageCreateFlags flags, VkImageFormatProperties *properties)
{
	const VkImageCreateFlags known =
		VK_IMAGE_CREATE_MUTABLE_FORMAT_BIT | VK_IMAGE_CREATE_EXTENDED_USAGE_BIT |
		VK_IMAGE_CREATE_2D_ARRAY_COMPATIBLE_BIT | VK_IMAGE_CREATE_ALIAS_BIT;
	const struct hth_physical_device *pd = hth_physical_device_from_handle(handle);
	const VkPhysicalDeviceLimits *limits = &pd->core.limits;
	const struct hth_format *format = hth_format_find(number);
	VkFormatFeatureFlags2 features = format ? image_features(format) : 0;
	uint32_t side = limits->maxImageDimension2D;

	memset(properties, 0, sizeof(*properties));
	/* With EXTENDED_USAGE another format of the same size may have what this one lacks. */
	if (!format || flags & ~known || tiling > VK_IMAGE_TILING_LINEAR || !usage ||
	    (!usage_fits(usage, features) && !(flags & VK_IMAGE_CREATE_EXTENDED_USAGE_BIT)))
		return VK_ERROR_FORMAT_NOT_SUPPORTED;
	if (type == VK_IMAGE_TYPE_3D && format->flags & HTH_FORMAT_DEPTH)
		return VK_ERROR_FORMAT_NOT_SUPPORTED;
	properties->maxExtent = (VkExtent3D){ side, side, 1 };
	properties->maxArrayLayers = limits->maxImageArrayLayers;
	if (type == VK_IMAGE_TYPE_1D) {
		side = limits->maxImageDimension1D;
		properties->maxExtent = (VkExtent3D){ side, 1, 1 };
	} else if (type == VK_IMAGE_TYPE_3D) {
		side = limits->maxImageDimension3D;
		properties->maxExtent = (VkExtent3D){ side, side, side };
		properties->maxArrayLayers = 1;
	}
	properties->maxMipLevels = levels_of(side);
	if (tiling == VK_IMAGE_TILING_LINEAR)
		properties->maxMipLevels = properties->maxArrayLayers = 1;
	properties->sampleCounts = VK_SAMPLE_COUNT_1_BIT;
	properties->maxResourceSize = pd->memory.memoryHeaps[0].size;
	return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL hth_GetPhysicalDeviceImageFormatProperties2(
	VkPhysicalDevice device, const VkPhysicalDeviceImageFormatInfo2 *info,
	VkImageFormatProperties2 *properties)
{
	memset(&properties->imageFormatProperties, 0, sizeof(properties->imageFormatProperties));
	for (const VkBaseInStructure *next = info->pNext; next; next = next->pNext) {
		const VkPhysicalDeviceExternalImageFormatInfo *external = (const void *)next;

		/* Images do not lie in memory of others. */
		if (next->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_IMAGE_FORMAT_INFO &&
		    external->handleType)
			return VK_ERROR_FORMAT_NOT_SUPPORTED;
	}
	for (VkBaseOutStructure *next = properties->pNext; next; next = next->pNext) {
		VkExternalImageFormatProperties *external = (void *)next;

		if (next->sType == VK_STRUCTURE_TYPE_EXTERNAL_IMAGE_FORMAT_PROPERTIES)
			memset(&external->externalMemoryProperties, 0,
			       sizeof(external->externalMemoryProperties));
	}
	return hth_GetPhysicalDeviceImageFormatProperties(device, info->format, info->type,
							  info->tiling, info->usage, info->flags,
							  &properties->imageFormatProperties);
}

VKAPI_ATTR void VKAPI_CALL hth_GetPhysicalDeviceSparseImageFormatProperties(
	VkPhysicalDevice device, VkFormat format, VkImageType type, VkSampleCountFlagBits samples,
	VkImageUsageFlags usage, VkImageTiling tiling, uint32_t *count,
	VkSparseImageFormatProperties *properties)
{
	(void)device;
	(void)format;
	(void)type;
	(void)samples;
	(void)usage;
	(void)tiling;
	(void)properties;
	*count = 0;
}

VKAPI_ATTR void VKAPI_CALL hth_GetPhysicalDeviceSparseImageFormatProperties2(
	VkPhysicalDevice device, const VkPhysicalDeviceSparseImageFormatInfo2 *info,
	uint32_t *count, VkSparseImageFormatProperties2 *properties)
{
	(void)device;
	(void)info;
	(void)properties;
	*count = 0;
}

/* ---- Clear values ---- */

/* Nearest half, ties to even; @value is no NaN. */
static uint32_t to_half(float value)
{
	uint32_t sign = signbit(value) ? 0x8000 : 0;
	float size = fabsf(value);
	int exponent;

	if (isinf(size) || size >= 65520.0f)
		return sign | 0x7c00;
	if (size < 0x1p-14f)
		return sign | (uint32_t)rintf(size * 0x1p24f);
	frexpf(size, &exponent);
	/* A fraction that rounds up to 2048 carries into the exponent, as it should. */
	return sign | (((uint32_t)(exponent + 14) << 10) +
		       (uint32_t)rintf(ldexpf(size, 11 - exponent)) - 1024);
}

static uint32_t encode_float(const struct hearth_component *component, float value)
{
	uint32_t bits;

	if (component->width == 32) {
		memcpy(&bits, &value, sizeof(bits));
		return bits;
	}
	bits = isnan(value) ? 0x7e00 : to_half(value);
	if (component->width < 16)
		bits = bits & 0x8000 ? 0 : bits >> (15 - component->width);
	return bits;
}

static uint32_t encode(const struct hearth_component *component, VkClearColorValue value,
		       uint32_t i)
{
	float clamped = isnan(value.float32[i]) ? 0 : fminf(value.float32[i], 1);
	uint32_t most = component->width == 32 ? UINT32_MAX : (1u << component->width) - 1;

	switch (component->kind) {
	case HEARTH_COMPONENT_UINT:
	case HEARTH_COMPONENT_SINT:
		return value.uint32[i] & most;
	case HEARTH_COMPONENT_UNORM:
		return (uint32_t)rintf(fmaxf(clamped, 0) * (float)most);
	case HEARTH_COMPONENT_SNORM:
		return (uint32_t)(int32_t)rintf(fmaxf(clamped, -1) * (float)(most >> 1)) & most;
	case HEARTH_COMPONENT_FLOAT:
		return encode_float(component, value.float32[i]);
	default:
		return 0;
	}
}

void hth_format_encode(const struct hth_format *format, const VkClearColorValue *value,
		       uint32_t texel[4])
{
	memset(texel, 0, 16);
	for (uint32_t i = 0; i < 4; i++) {
		const struct hearth_component *component = &format->components[i];

		if (component->kind != HEARTH_COMPONENT_CONSTANT)
			texel[component->offset / 32] |= encode(component, *value, i)
							 << component->offset % 32;
	}
}
