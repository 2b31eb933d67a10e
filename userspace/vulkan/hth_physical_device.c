// SPDX-License-Identifier: MIT
/*
 * What a device says of itself: features, properties, limits, extensions, memory and queues. Features are what the compiler and the recorder really do; the few that only a graphics
 * queue could use are reported where Vulkan 1.3 demands them, since nothing can reach them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hth_private.h"

#define SUBGROUP_OPERATIONS                                                           \
	(VK_SUBGROUP_FEATURE_BASIC_BIT | VK_SUBGROUP_FEATURE_VOTE_BIT |               \
	 VK_SUBGROUP_FEATURE_ARITHMETIC_BIT | VK_SUBGROUP_FEATURE_BALLOT_BIT |        \
	 VK_SUBGROUP_FEATURE_SHUFFLE_BIT | VK_SUBGROUP_FEATURE_SHUFFLE_RELATIVE_BIT | \
	 VK_SUBGROUP_FEATURE_CLUSTERED_BIT | VK_SUBGROUP_FEATURE_QUAD_BIT |           \
	 VK_SUBGROUP_FEATURE_ROTATE_BIT_KHR | VK_SUBGROUP_FEATURE_ROTATE_CLUSTERED_BIT_KHR)

/* Descriptors of one kind that a stage, a set or a layout may hold. */
#define MAX_DESCRIPTORS 4096

/*
 * Only when asked for: ggml shares matrices of 16 × 16 out among the subgroups of a work-group as if a subgroup had 16
 * invocations at least, and computes nonsense where it has fewer.
 */
static bool has_matrices(const struct hth_physical_device *pd)
{
	const char *wanted = secure_getenv("HEARTH_COOPERATIVE_MATRIX");

	return pd->target.matrix_count && wanted && !strcmp(wanted, "1");
}

static void fill_features(const struct hth_physical_device *pd, struct hth_features *f)
{
	/* The recorder and the queue. */
	f->descriptorBindingStorageBufferUpdateAfterBind = VK_TRUE;
	f->descriptorBindingUniformBufferUpdateAfterBind = VK_TRUE;
	f->descriptorBindingSampledImageUpdateAfterBind = VK_TRUE;
	f->descriptorBindingStorageImageUpdateAfterBind = VK_TRUE;
	f->descriptorBindingUniformTexelBufferUpdateAfterBind = VK_TRUE;
	f->descriptorBindingStorageTexelBufferUpdateAfterBind = VK_TRUE;
	f->descriptorBindingUpdateUnusedWhilePending = VK_TRUE;
	f->descriptorBindingPartiallyBound = VK_TRUE;
	f->descriptorBindingInlineUniformBlockUpdateAfterBind = VK_TRUE;
	f->hostQueryReset = VK_TRUE;
	f->inlineUniformBlock = VK_TRUE;
	f->maintenance4 = VK_TRUE;
	f->pipelineCreationCacheControl = VK_TRUE;
	f->pipelineRobustness = VK_TRUE;
	f->privateData = VK_TRUE;
	f->synchronization2 = VK_TRUE;
	f->timelineSemaphore = VK_TRUE;

	/* The compiler. */
	f->robustBufferAccess = VK_TRUE;
	f->shaderInt16 = VK_TRUE;
	f->shaderInt64 = VK_TRUE;
	f->shaderFloat64 = VK_TRUE;
	f->shaderInt8 = VK_TRUE;
	f->shaderFloat16 = VK_TRUE;
	f->storageBuffer8BitAccess = VK_TRUE;
	f->storageBuffer16BitAccess = VK_TRUE;
	f->uniformAndStorageBuffer8BitAccess = VK_TRUE;
	f->uniformAndStorageBuffer16BitAccess = VK_TRUE;
	f->storagePushConstant8 = VK_TRUE;
	f->storagePushConstant16 = VK_TRUE;
	f->scalarBlockLayout = VK_TRUE;
	f->uniformBufferStandardLayout = VK_TRUE;
	f->shaderSubgroupExtendedTypes = VK_TRUE;
	f->subgroupBroadcastDynamicId = VK_TRUE;
	f->subgroupSizeControl = VK_TRUE;
	f->computeFullSubgroups = VK_TRUE;
	f->shaderBufferInt64Atomics = VK_TRUE;
	f->shaderSharedInt64Atomics = VK_TRUE;
	f->shaderStorageBufferArrayDynamicIndexing = VK_TRUE;
	f->shaderUniformBufferArrayDynamicIndexing = VK_TRUE;
	f->bufferDeviceAddress = VK_TRUE;
	f->runtimeDescriptorArray = VK_TRUE;
	f->shaderStorageBufferArrayNonUniformIndexing = VK_TRUE;
	f->shaderUniformBufferArrayNonUniformIndexing = VK_TRUE;
	f->shaderSampledImageArrayDynamicIndexing = VK_TRUE;
	f->shaderStorageImageArrayDynamicIndexing = VK_TRUE;
	f->shaderUniformTexelBufferArrayDynamicIndexing = VK_TRUE;
	f->shaderStorageTexelBufferArrayDynamicIndexing = VK_TRUE;
	f->shaderSampledImageArrayNonUniformIndexing = VK_TRUE;
	f->shaderStorageImageArrayNonUniformIndexing = VK_TRUE;
	f->shaderUniformTexelBufferArrayNonUniformIndexing = VK_TRUE;
	f->shaderStorageTexelBufferArrayNonUniformIndexing = VK_TRUE;
	f->shaderStorageImageExtendedFormats = VK_TRUE;
	f->shaderStorageImageReadWithoutFormat = VK_TRUE;
	f->shaderStorageImageWriteWithoutFormat = VK_TRUE;
	f->samplerMirrorClampToEdge = VK_TRUE;
	f->robustImageAccess = VK_TRUE;
	f->shaderBufferFloat32Atomics = VK_TRUE;
	f->shaderBufferFloat32AtomicAdd = VK_TRUE;
	f->shaderBufferFloat32AtomicMinMax = VK_TRUE;
	f->shaderBufferFloat64Atomics = VK_TRUE;
	f->shaderBufferFloat64AtomicAdd = VK_TRUE;
	f->shaderBufferFloat64AtomicMinMax = VK_TRUE;
	f->shaderSharedFloat32Atomics = VK_TRUE;
	f->shaderSharedFloat32AtomicAdd = VK_TRUE;
	f->shaderSharedFloat32AtomicMinMax = VK_TRUE;
	f->shaderSharedFloat64Atomics = VK_TRUE;
	f->shaderSharedFloat64AtomicAdd = VK_TRUE;
	f->shaderSharedFloat64AtomicMinMax = VK_TRUE;
	f->cooperativeMatrix = has_matrices(pd);
	f->cooperativeMatrixRobustBufferAccess = has_matrices(pd);
	f->shaderExpectAssume = VK_TRUE;
	f->shaderSubgroupRotate = VK_TRUE;
	f->shaderSubgroupRotateClustered = VK_TRUE;
	/* Lanes that part at a construct come together where it ends. */
	f->shaderSubgroupUniformControlFlow = VK_TRUE;
	f->shaderMaximalReconvergence = VK_TRUE;
	f->shaderIntegerDotProduct = VK_TRUE;
	f->shaderZeroInitializeWorkgroupMemory = VK_TRUE;
	f->workgroupMemoryExplicitLayout = VK_TRUE;
	f->workgroupMemoryExplicitLayoutScalarBlockLayout = VK_TRUE;
	f->workgroupMemoryExplicitLayout8BitAccess = VK_TRUE;
	f->workgroupMemoryExplicitLayout16BitAccess = VK_TRUE;
	f->vulkanMemoryModel = VK_TRUE;
	f->vulkanMemoryModelDeviceScope = VK_TRUE;

	/* Demanded of every 1.3 device; only graphics pipelines could make use of them. */
	f->dynamicRendering = VK_TRUE;
	f->imagelessFramebuffer = VK_TRUE;
	f->multiview = VK_TRUE;
	f->separateDepthStencilLayouts = VK_TRUE;
	f->shaderDemoteToHelperInvocation = VK_TRUE;
	f->shaderTerminateInvocation = VK_TRUE;
}

static void fill_properties(struct hth_physical_device *pd)
{
	struct hth_properties *p = &pd->properties;
	const struct hc_target *target = &pd->target;

	memcpy(p->deviceUUID, pd->uuid, VK_UUID_SIZE);
	memcpy(p->driverUUID, pd->cache_uuid, VK_UUID_SIZE);
	p->deviceLUIDValid = VK_FALSE;
	p->subgroupSize = target->subgroup_size;
	p->minSubgroupSize = target->min_subgroup_size;
	p->maxSubgroupSize = target->max_subgroup_size;
	p->subgroupSupportedStages = VK_SHADER_STAGE_COMPUTE_BIT;
	p->subgroupSupportedOperations = SUBGROUP_OPERATIONS;
	p->subgroupQuadOperationsInAllStages = VK_TRUE; /* of which there is one */
	p->requiredSubgroupSizeStages = VK_SHADER_STAGE_COMPUTE_BIT;
	/* Of four bytes in 32 bits: what hc_emit_dot.c has instructions for. */
	p->integerDotProduct4x8BitPackedUnsignedAccelerated =
		p->integerDotProduct4x8BitPackedSignedAccelerated =
			p->integerDotProduct4x8BitPackedMixedSignednessAccelerated =
				target->arch == HC_ARCH_X86_64;
	p->maxComputeWorkgroupSubgroups = HTH_MAX_INVOCATIONS / target->min_subgroup_size;
	p->pointClippingBehavior = VK_POINT_CLIPPING_BEHAVIOR_ALL_CLIP_PLANES;
	p->maxMultiviewViewCount = 6;
	p->maxMultiviewInstanceIndex = (1u << 27) - 1;
	p->maxPerSetDescriptors = MAX_DESCRIPTORS;
	p->maxMemoryAllocationSize = pd->memory.memoryHeaps[0].size;
	p->maxBufferSize = pd->memory.memoryHeaps[0].size;
	snprintf(p->driverName, sizeof(p->driverName), "Hearth");
	snprintf(p->driverInfo, sizeof(p->driverInfo), "%s backend, %s", pd->backend->name,
		 pd->has_target ? target->cpu : "no compiler");
	/* The modes that the code has anyway are those that may be asked for. */
	p->denormBehaviorIndependence = VK_SHADER_FLOAT_CONTROLS_INDEPENDENCE_ALL;
	p->roundingModeIndependence = VK_SHADER_FLOAT_CONTROLS_INDEPENDENCE_ALL;
	p->shaderSignedZeroInfNanPreserveFloat16 = VK_TRUE;
	p->shaderSignedZeroInfNanPreserveFloat32 = VK_TRUE;
	p->shaderSignedZeroInfNanPreserveFloat64 = VK_TRUE;
	p->shaderDenormPreserveFloat16 = VK_TRUE;
	p->shaderDenormPreserveFloat32 = VK_TRUE;
	p->shaderDenormPreserveFloat64 = VK_TRUE;
	p->shaderRoundingModeRTEFloat16 = VK_TRUE;
	p->shaderRoundingModeRTEFloat32 = VK_TRUE;
	p->shaderRoundingModeRTEFloat64 = VK_TRUE;
	p->maxUpdateAfterBindDescriptorsInAllPools = 500000;
	p->maxPerStageDescriptorUpdateAfterBindSamplers = MAX_DESCRIPTORS;
	p->maxPerStageDescriptorUpdateAfterBindUniformBuffers = MAX_DESCRIPTORS;
	p->maxPerStageDescriptorUpdateAfterBindStorageBuffers = MAX_DESCRIPTORS;
	p->maxPerStageDescriptorUpdateAfterBindSampledImages = MAX_DESCRIPTORS;
	p->maxPerStageDescriptorUpdateAfterBindStorageImages = MAX_DESCRIPTORS;
	p->maxPerStageDescriptorUpdateAfterBindInputAttachments = MAX_DESCRIPTORS;
	p->maxPerStageUpdateAfterBindResources = 2 * MAX_DESCRIPTORS;
	p->maxDescriptorSetUpdateAfterBindSamplers = MAX_DESCRIPTORS;
	p->maxDescriptorSetUpdateAfterBindUniformBuffers = MAX_DESCRIPTORS;
	p->maxDescriptorSetUpdateAfterBindUniformBuffersDynamic = HTH_MAX_DYNAMIC / 2;
	p->maxDescriptorSetUpdateAfterBindStorageBuffers = MAX_DESCRIPTORS;
	p->maxDescriptorSetUpdateAfterBindStorageBuffersDynamic = HTH_MAX_DYNAMIC / 2;
	p->maxDescriptorSetUpdateAfterBindSampledImages = MAX_DESCRIPTORS;
	p->maxDescriptorSetUpdateAfterBindStorageImages = MAX_DESCRIPTORS;
	p->maxDescriptorSetUpdateAfterBindInputAttachments = MAX_DESCRIPTORS;
	p->supportedDepthResolveModes = VK_RESOLVE_MODE_SAMPLE_ZERO_BIT;
	p->supportedStencilResolveModes = VK_RESOLVE_MODE_SAMPLE_ZERO_BIT;
	p->maxTimelineSemaphoreValueDifference = UINT64_MAX / 2;
	p->framebufferIntegerColorSampleCounts = VK_SAMPLE_COUNT_1_BIT;
	p->maxInlineUniformBlockSize = HTH_MAX_INLINE_BYTES;
	p->maxPerStageDescriptorInlineUniformBlocks = 16;
	p->maxPerStageDescriptorUpdateAfterBindInlineUniformBlocks = 16;
	p->maxDescriptorSetInlineUniformBlocks = 16;
	p->maxDescriptorSetUpdateAfterBindInlineUniformBlocks = 16;
	p->maxInlineUniformTotalSize = 16 * HTH_MAX_INLINE_BYTES;
	p->storageTexelBufferOffsetAlignmentBytes = HTH_OFFSET_ALIGNMENT;
	p->uniformTexelBufferOffsetAlignmentBytes = HTH_OFFSET_ALIGNMENT;
	p->maxPushDescriptors = 32;
	p->cooperativeMatrixSupportedStages = VK_SHADER_STAGE_COMPUTE_BIT;
	p->defaultRobustnessStorageBuffers = VK_PIPELINE_ROBUSTNESS_BUFFER_BEHAVIOR_DISABLED_EXT;
	p->defaultRobustnessUniformBuffers = VK_PIPELINE_ROBUSTNESS_BUFFER_BEHAVIOR_DISABLED_EXT;
	p->defaultRobustnessVertexInputs = VK_PIPELINE_ROBUSTNESS_BUFFER_BEHAVIOR_DISABLED_EXT;
	p->defaultRobustnessImages = VK_PIPELINE_ROBUSTNESS_IMAGE_BEHAVIOR_DISABLED_EXT;
	p->minImportedHostPointerAlignment = (uint64_t)sysconf(_SC_PAGESIZE);
}

/* The least values are those of the specification's "Required Limits", graphics ones included. */
static void fill_limits(const struct hth_physical_device *pd, VkPhysicalDeviceLimits *l)
{
	*l = (VkPhysicalDeviceLimits){
		.maxImageDimension1D = 4096,
		.maxImageDimension2D = 4096,
		.maxImageDimension3D = 256,
		.maxImageDimensionCube = 4096,
		.maxImageArrayLayers = 256,
		.maxTexelBufferElements = 1 << 27,
		.maxUniformBufferRange = UINT32_MAX,
		.maxStorageBufferRange = UINT32_MAX,
		.maxPushConstantsSize = HTH_MAX_PUSH_BYTES,
		.maxMemoryAllocationCount = 1 << 16,
		.maxSamplerAllocationCount = 4000,
		.bufferImageGranularity = 1,
		.maxBoundDescriptorSets = HTH_MAX_SETS,
		.maxPerStageDescriptorSamplers = MAX_DESCRIPTORS,
		.maxPerStageDescriptorUniformBuffers = MAX_DESCRIPTORS,
		.maxPerStageDescriptorStorageBuffers = MAX_DESCRIPTORS,
		.maxPerStageDescriptorSampledImages = MAX_DESCRIPTORS,
		.maxPerStageDescriptorStorageImages = MAX_DESCRIPTORS,
		.maxPerStageDescriptorInputAttachments = MAX_DESCRIPTORS,
		.maxPerStageResources = 2 * MAX_DESCRIPTORS,
		.maxDescriptorSetSamplers = MAX_DESCRIPTORS,
		.maxDescriptorSetUniformBuffers = MAX_DESCRIPTORS,
		.maxDescriptorSetUniformBuffersDynamic = HTH_MAX_DYNAMIC / 2,
		.maxDescriptorSetStorageBuffers = MAX_DESCRIPTORS,
		.maxDescriptorSetStorageBuffersDynamic = HTH_MAX_DYNAMIC / 2,
		.maxDescriptorSetSampledImages = MAX_DESCRIPTORS,
		.maxDescriptorSetStorageImages = MAX_DESCRIPTORS,
		.maxDescriptorSetInputAttachments = MAX_DESCRIPTORS,
		.maxVertexInputAttributes = 16,
		.maxVertexInputBindings = 16,
		.maxVertexInputAttributeOffset = 2047,
		.maxVertexInputBindingStride = 2048,
		.maxVertexOutputComponents = 64,
		.maxFragmentInputComponents = 64,
		.maxFragmentOutputAttachments = 4,
		.maxFragmentCombinedOutputResources = MAX_DESCRIPTORS,
		.maxComputeSharedMemorySize = HTH_MAX_SHARED_BYTES,
		/* Their product stays below 2^63, as a DISPATCH packet wants it. */
		.maxComputeWorkGroupCount = { INT32_MAX, 65535, 65535 },
		.maxComputeWorkGroupInvocations = HTH_MAX_INVOCATIONS,
		.maxComputeWorkGroupSize = { HTH_MAX_INVOCATIONS, HTH_MAX_INVOCATIONS,
					     HTH_MAX_INVOCATIONS },
		.subPixelPrecisionBits = 4,
		.subTexelPrecisionBits = 4,
		.mipmapPrecisionBits = 4,
		.maxDrawIndexedIndexValue = (1u << 24) - 1,
		.maxDrawIndirectCount = 1,
		.maxSamplerLodBias = 2.0f,
		.maxSamplerAnisotropy = 1.0f,
		.maxViewports = 1,
		.maxViewportDimensions = { 4096, 4096 },
		.viewportBoundsRange = { -8192.0f, 8191.0f },
		.minMemoryMapAlignment = 4096,
		.minTexelBufferOffsetAlignment = HTH_OFFSET_ALIGNMENT,
		.minUniformBufferOffsetAlignment = HTH_OFFSET_ALIGNMENT,
		.minStorageBufferOffsetAlignment = HTH_OFFSET_ALIGNMENT,
		.minTexelOffset = -8,
		.maxTexelOffset = 7,
		.maxFramebufferWidth = 4096,
		.maxFramebufferHeight = 4096,
		.maxFramebufferLayers = 256,
		.framebufferColorSampleCounts = VK_SAMPLE_COUNT_1_BIT | VK_SAMPLE_COUNT_4_BIT,
		.framebufferDepthSampleCounts = VK_SAMPLE_COUNT_1_BIT | VK_SAMPLE_COUNT_4_BIT,
		.framebufferStencilSampleCounts = VK_SAMPLE_COUNT_1_BIT | VK_SAMPLE_COUNT_4_BIT,
		.framebufferNoAttachmentsSampleCounts =
			VK_SAMPLE_COUNT_1_BIT | VK_SAMPLE_COUNT_4_BIT,
		.maxColorAttachments = 4,
		.sampledImageColorSampleCounts = VK_SAMPLE_COUNT_1_BIT | VK_SAMPLE_COUNT_4_BIT,
		.sampledImageIntegerSampleCounts = VK_SAMPLE_COUNT_1_BIT,
		.sampledImageDepthSampleCounts = VK_SAMPLE_COUNT_1_BIT | VK_SAMPLE_COUNT_4_BIT,
		.sampledImageStencilSampleCounts = VK_SAMPLE_COUNT_1_BIT | VK_SAMPLE_COUNT_4_BIT,
		.storageImageSampleCounts = VK_SAMPLE_COUNT_1_BIT,
		.maxSampleMaskWords = 1,
		.timestampComputeAndGraphics = VK_TRUE,
		.timestampPeriod = (float)pd->timestamp_period_ns,
		.maxCombinedClipAndCullDistances = 0,
		.discreteQueuePriorities = 2,
		.pointSizeRange = { 1.0f, 1.0f },
		.lineWidthRange = { 1.0f, 1.0f },
		.standardSampleLocations = VK_TRUE,
		.optimalBufferCopyOffsetAlignment = 64,
		.optimalBufferCopyRowPitchAlignment = 64,
		.nonCoherentAtomSize = 64,
	};
}

/* Names the compiler's build and target, since code made by one is nothing to another. */
static void fill_cache_uuid(struct hth_physical_device *pd)
{
	struct hth_sha256 hash;
	uint8_t build_id[20], digest[32];

	hth_compiler_build_id(build_id);
	hth_sha256_init(&hash);
	hth_sha256_add(&hash, build_id, sizeof(build_id));
	hth_sha256_add_u32(&hash, HEARTH_KERNEL_ABI_VERSION);
	hth_sha256_add_u32(&hash, HTH_DRIVER_VERSION);
	hth_sha256_add(&hash, &pd->target, sizeof(pd->target));
	hth_sha256_finish(&hash, digest);
	memcpy(pd->cache_uuid, digest, VK_UUID_SIZE);
}

void hth_physical_device_complete(struct hth_physical_device *pd)
{
	VkPhysicalDeviceProperties *core = &pd->core;

	fill_cache_uuid(pd);
	fill_features(pd, &pd->features);
	fill_properties(pd);
	core->apiVersion = HTH_API_VERSION;
	core->driverVersion = HTH_DRIVER_VERSION;
	core->vendorID = pd->vendor_id;
	core->deviceID = pd->device_id;
	core->deviceType = pd->type;
	snprintf(core->deviceName, sizeof(core->deviceName), "%s", pd->name);
	memcpy(core->pipelineCacheUUID, pd->cache_uuid, VK_UUID_SIZE);
	fill_limits(pd, &core->limits);
}

bool hth_physical_device_has_extension(const struct hth_physical_device *pd,
				       enum hth_extension extension)
{
	switch (extension) {
	case HTH_EXT_EXTERNAL_MEMORY_HOST:
		return pd->pointer_handles != 0;
	case HTH_KHR_EXTERNAL_MEMORY_FD:
		return pd->import_handles != 0;
	case HTH_EXT_EXTERNAL_MEMORY_DMA_BUF:
		return pd->import_handles & VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT;
	case HTH_KHR_BUFFER_DEVICE_ADDRESS:
		return pd->features.bufferDeviceAddress;
	case HTH_KHR_COOPERATIVE_MATRIX:
		return pd->features.cooperativeMatrix;
	case HTH_KHR_SHADER_INTEGER_DOT_PRODUCT:
		return pd->features.shaderIntegerDotProduct;
	case HTH_KHR_VARIABLE_POINTERS:
		return pd->features.variablePointersStorageBuffer;
	case HTH_KHR_ZERO_INITIALIZE_WORKGROUP_MEMORY:
		return pd->features.shaderZeroInitializeWorkgroupMemory;
	default:
		return !hth_extensions[extension].instance;
	}
}

VKAPI_ATTR VkResult VKAPI_CALL hth_EnumerateDeviceLayerProperties(VkPhysicalDevice device,
								  uint32_t *count,
								  VkLayerProperties *properties)
{
	(void)device;
	(void)properties;
	*count = 0;
	return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL
hth_EnumerateDeviceExtensionProperties(VkPhysicalDevice handle, const char *layer, uint32_t *count,
				       VkExtensionProperties *properties)
{
	struct hth_physical_device *pd = hth_physical_device_from_handle(handle);
	uint32_t total = 0, written = 0;

	if (layer)
		return VK_ERROR_LAYER_NOT_PRESENT;
	for (uint32_t i = 0; i < HTH_EXTENSION_COUNT; i++) {
		if (!hth_physical_device_has_extension(pd, i))
			continue;
		total++;
		if (!properties || written >= *count)
			continue;
		memset(&properties[written], 0, sizeof(properties[written]));
		snprintf(properties[written].extensionName, VK_MAX_EXTENSION_NAME_SIZE, "%s",
			 hth_extensions[i].name);
		properties[written++].specVersion = hth_extensions[i].spec_version;
	}
	*count = properties ? written : total;
	return properties && written < total ? VK_INCOMPLETE : VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL hth_GetPhysicalDeviceFeatures(VkPhysicalDevice handle,
							 VkPhysicalDeviceFeatures *features)
{
	hth_features_core(&hth_physical_device_from_handle(handle)->features, features);
}

VKAPI_ATTR void VKAPI_CALL hth_GetPhysicalDeviceFeatures2(VkPhysicalDevice handle,
							  VkPhysicalDeviceFeatures2 *features)
{
	struct hth_physical_device *pd = hth_physical_device_from_handle(handle);

	hth_features_core(&pd->features, &features->features);
	hth_features_chain(&pd->features, features->pNext);
}

VKAPI_ATTR void VKAPI_CALL hth_GetPhysicalDeviceProperties(VkPhysicalDevice handle,
							   VkPhysicalDeviceProperties *properties)
{
	*properties = hth_physical_device_from_handle(handle)->core;
}

VKAPI_ATTR void VKAPI_CALL hth_GetPhysicalDeviceProperties2(VkPhysicalDevice handle,
							    VkPhysicalDeviceProperties2 *properties)
{
	struct hth_physical_device *pd = hth_physical_device_from_handle(handle);

	properties->properties = pd->core;
	hth_properties_chain(&pd->properties, properties->pNext);
}

VKAPI_ATTR void VKAPI_CALL hth_GetPhysicalDeviceMemoryProperties(
	VkPhysicalDevice handle, VkPhysicalDeviceMemoryProperties *properties)
{
	*properties = hth_physical_device_from_handle(handle)->memory;
}

VKAPI_ATTR void VKAPI_CALL hth_GetPhysicalDeviceMemoryProperties2(
	VkPhysicalDevice handle, VkPhysicalDeviceMemoryProperties2 *properties)
{
	struct hth_physical_device *pd = hth_physical_device_from_handle(handle);

	properties->memoryProperties = pd->memory;
	for (VkBaseOutStructure *next = properties->pNext; next; next = next->pNext) {
		VkPhysicalDeviceMemoryBudgetPropertiesEXT *budget = (void *)next;

		if (next->sType != VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT)
			continue;
		memset(budget->heapBudget, 0, sizeof(budget->heapBudget));
		memset(budget->heapUsage, 0, sizeof(budget->heapUsage));
		for (uint32_t i = 0; i < pd->memory.memoryHeapCount; i++) {
			budget->heapUsage[i] = atomic_load(&pd->usage->used[i]);
			pd->backend->memory_budget(pd, i, &budget->heapUsage[i],
						   &budget->heapBudget[i]);
		}
	}
}

static void fill_queue_family(const struct hth_physical_device *pd, VkQueueFamilyProperties *family)
{
	*family = (VkQueueFamilyProperties){
		.queueFlags = VK_QUEUE_COMPUTE_BIT | VK_QUEUE_TRANSFER_BIT,
		.queueCount = pd->queue_count,
		.timestampValidBits = 64,
		.minImageTransferGranularity = { 1, 1, 1 },
	};
}

VKAPI_ATTR void VKAPI_CALL hth_GetPhysicalDeviceQueueFamilyProperties(
	VkPhysicalDevice handle, uint32_t *count, VkQueueFamilyProperties *properties)
{
	if (!properties) {
		*count = 1;
	} else if (*count) {
		*count = 1;
		fill_queue_family(hth_physical_device_from_handle(handle), properties);
	}
}

VKAPI_ATTR void VKAPI_CALL hth_GetPhysicalDeviceQueueFamilyProperties2(
	VkPhysicalDevice handle, uint32_t *count, VkQueueFamilyProperties2 *properties)
{
	if (!properties) {
		*count = 1;
	} else if (*count) {
		*count = 1;
		fill_queue_family(hth_physical_device_from_handle(handle),
				  &properties->queueFamilyProperties);
	}
}

/* ---- Cooperative matrices ---- */

static VkComponentTypeKHR component_type(uint8_t component)
{
	static const VkComponentTypeKHR types[] = {
		[HC_COMPONENT_F16] = VK_COMPONENT_TYPE_FLOAT16_KHR,
		[HC_COMPONENT_F32] = VK_COMPONENT_TYPE_FLOAT32_KHR,
		[HC_COMPONENT_S8] = VK_COMPONENT_TYPE_SINT8_KHR,
		[HC_COMPONENT_U8] = VK_COMPONENT_TYPE_UINT8_KHR,
		[HC_COMPONENT_S32] = VK_COMPONENT_TYPE_SINT32_KHR,
		[HC_COMPONENT_U32] = VK_COMPONENT_TYPE_UINT32_KHR,
	};

	return types[component];
}

VKAPI_ATTR VkResult VKAPI_CALL hth_GetPhysicalDeviceCooperativeMatrixPropertiesKHR(
	VkPhysicalDevice handle, uint32_t *count, VkCooperativeMatrixPropertiesKHR *properties)
{
	const struct hc_target *target = &hth_physical_device_from_handle(handle)->target;
	uint32_t total =
		has_matrices(hth_physical_device_from_handle(handle)) ? target->matrix_count : 0;

	if (!properties) {
		*count = total;
		return VK_SUCCESS;
	}
	if (*count > total)
		*count = total;
	for (uint32_t i = 0; i < *count; i++) {
		const struct hc_matrix *matrix = &target->matrices[i];

		properties[i].MSize = matrix->m;
		properties[i].NSize = matrix->n;
		properties[i].KSize = matrix->k;
		properties[i].AType = component_type(matrix->a);
		properties[i].BType = component_type(matrix->b);
		properties[i].CType = component_type(matrix->c);
		properties[i].ResultType = component_type(matrix->c);
		properties[i].saturatingAccumulation = VK_FALSE;
		properties[i].scope = VK_SCOPE_SUBGROUP_KHR;
	}
	return *count < total ? VK_INCOMPLETE : VK_SUCCESS;
}

/* ---- Sharing with others ---- */

VKAPI_ATTR void VKAPI_CALL hth_GetPhysicalDeviceExternalSemaphoreProperties(
	VkPhysicalDevice device, const VkPhysicalDeviceExternalSemaphoreInfo *info,
	VkExternalSemaphoreProperties *properties)
{
	(void)device;
	(void)info;
	properties->exportFromImportedHandleTypes = 0;
	properties->compatibleHandleTypes = 0;
	properties->externalSemaphoreFeatures = 0;
}

VKAPI_ATTR void VKAPI_CALL hth_GetPhysicalDeviceExternalFenceProperties(
	VkPhysicalDevice device, const VkPhysicalDeviceExternalFenceInfo *info,
	VkExternalFenceProperties *properties)
{
	(void)device;
	(void)info;
	properties->exportFromImportedHandleTypes = 0;
	properties->compatibleHandleTypes = 0;
	properties->externalFenceFeatures = 0;
}

VKAPI_ATTR VkResult VKAPI_CALL hth_GetPhysicalDeviceToolProperties(
	VkPhysicalDevice device, uint32_t *count, VkPhysicalDeviceToolProperties *properties)
{
	(void)device;
	(void)properties;
	*count = 0;
	return VK_SUCCESS;
}
