// SPDX-License-Identifier: MIT
/*
 * Pipelines: of the embedded shaders, cached with the device by shader and specialization constants, and of
 * kernels that callers bring.
 */
#include "runtime.h"

#include <stdlib.h>
#include <string.h>

#define SPIRV_MAGIC 0x07230203u

struct pipeline_source {
	const char *name; /* for error texts */
	const uint32_t *words;
	size_t bytes;
	const char *entry_point;
	const uint32_t *spec;
	uint32_t spec_count;
	uint32_t subgroup_size;
};

static VkResult create_layout(struct hearth_device *device, struct hrt_pipeline *pipeline)
{
	VkDescriptorSetLayoutBinding bindings[HRT_MAX_BINDINGS];
	VkDescriptorSetLayoutCreateInfo set_info = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
		.bindingCount = pipeline->buffer_count,
		.pBindings = bindings,
	};
	const VkPushConstantRange push = {
		.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
		.size = (uint32_t)hrt_round_up(pipeline->push_bytes, 4),
	};
	const VkPipelineLayoutCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
		.setLayoutCount = 1,
		.pSetLayouts = &pipeline->set_layout,
		.pushConstantRangeCount = pipeline->push_bytes ? 1 : 0,
		.pPushConstantRanges = &push,
	};
	VkResult result;

	for (uint32_t i = 0; i < pipeline->buffer_count; i++)
		bindings[i] = (VkDescriptorSetLayoutBinding){
			.binding = i,
			.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
			.descriptorCount = 1,
			.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
		};
	result = vkCreateDescriptorSetLayout(device->vk, &set_info, NULL, &pipeline->set_layout);
	if (result != VK_SUCCESS)
		return result;
	return vkCreatePipelineLayout(device->vk, &info, NULL, &pipeline->layout);
}

static void pipeline_finish(struct hearth_device *device, struct hrt_pipeline *pipeline)
{
	vkDestroyPipeline(device->vk, pipeline->vk, NULL);
	vkDestroyPipelineLayout(device->vk, pipeline->layout, NULL);
	vkDestroyDescriptorSetLayout(device->vk, pipeline->set_layout, NULL);
}

/* buffer_count and push_bytes of @pipeline are set. */
static enum hearth_status pipeline_init(struct hearth_device *device,
					const struct pipeline_source *source,
					struct hrt_pipeline *pipeline)
{
	VkSpecializationMapEntry *entries = NULL;
	const VkShaderModuleCreateInfo module_info = {
		.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
		.codeSize = source->bytes,
		.pCode = source->words,
	};
	const VkPipelineShaderStageRequiredSubgroupSizeCreateInfo subgroup = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO,
		.requiredSubgroupSize = source->subgroup_size,
	};
	VkSpecializationInfo spec = {
		.mapEntryCount = source->spec_count,
		.dataSize = 4ull * source->spec_count,
		.pData = source->spec,
	};
	VkComputePipelineCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
		.stage = {
			.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
			.pNext = source->subgroup_size ? &subgroup : NULL,
			.stage = VK_SHADER_STAGE_COMPUTE_BIT,
			.pName = source->entry_point,
			.pSpecializationInfo = source->spec_count ? &spec : NULL,
		},
	};
	const char *call = "vkCreateShaderModule";
	VkShaderModule module = VK_NULL_HANDLE;
	VkResult result = VK_ERROR_OUT_OF_HOST_MEMORY;

	if (source->spec_count) {
		entries = calloc(source->spec_count, sizeof(*entries));
		if (!entries)
			goto out;
		for (uint32_t i = 0; i < source->spec_count; i++)
			entries[i] = (VkSpecializationMapEntry){ i, 4 * i, 4 };
		spec.pMapEntries = entries;
	}
	result = vkCreateShaderModule(device->vk, &module_info, NULL, &module);
	if (result != VK_SUCCESS)
		goto out;
	call = "vkCreatePipelineLayout";
	result = create_layout(device, pipeline);
	if (result != VK_SUCCESS)
		goto out;
	info.stage.module = module;
	info.layout = pipeline->layout;
	call = "vkCreateComputePipelines";
	result = vkCreateComputePipelines(device->vk, device->pipeline_cache, 1, &info, NULL,
					  &pipeline->vk);
out:
	vkDestroyShaderModule(device->vk, module, NULL);
	free(entries);
	if (result == VK_SUCCESS)
		return HEARTH_OK;
	pipeline_finish(device, pipeline);
	/* What a driver says of a shader that it does not take. */
	if (result == VK_ERROR_UNKNOWN || result == VK_ERROR_INITIALIZATION_FAILED)
		result = VK_ERROR_INVALID_SHADER_NV;
	return hrt_fail_vk(result, call, "kernel %s on %s", source->name,
			   device->physical->properties.name);
}

/* ---- Embedded shaders ---- */

enum hearth_status hrt_shader_pipeline(struct hearth_device *device, enum hrt_shader shader,
				       const uint32_t *spec, uint32_t spec_count,
				       const struct hrt_pipeline **out)
{
	const struct hrt_shader_entry *entry = &hrt_shaders[shader];
	const struct pipeline_source source = {
		.name = entry->name,
		.words = entry->words,
		.bytes = entry->bytes,
		.entry_point = "main",
		.spec = spec,
		.spec_count = spec_count,
		.subgroup_size = device->physical->asked_subgroup_size,
	};
	enum hearth_status status = HEARTH_OK;
	struct hrt_pipeline *pipeline;

	pthread_mutex_lock(&device->cache_lock);
	for (pipeline = device->pipelines; pipeline; pipeline = pipeline->next)
		if (pipeline->shader == shader && pipeline->spec_count == spec_count &&
		    !memcmp(pipeline->spec, spec, 4ull * spec_count))
			break;
	if (!pipeline) {
		pipeline = calloc(1, sizeof(*pipeline));
		if (!pipeline) {
			status = hrt_fail(HEARTH_ERROR_OUT_OF_MEMORY,
					  "kernel %s: out of host memory", entry->name);
			goto out;
		}
		pipeline->shader = shader;
		pipeline->spec_count = spec_count;
		memcpy(pipeline->spec, spec, 4ull * spec_count);
		pipeline->buffer_count = entry->buffer_count;
		pipeline->push_bytes = entry->push_bytes;
		status = pipeline_init(device, &source, pipeline);
		if (status != HEARTH_OK) {
			free(pipeline);
			goto out;
		}
		pipeline->next = device->pipelines;
		device->pipelines = pipeline;
	}
	*out = pipeline;
out:
	pthread_mutex_unlock(&device->cache_lock);
	return status;
}

void hrt_pipelines_finish(struct hearth_device *device)
{
	while (device->pipelines) {
		struct hrt_pipeline *pipeline = device->pipelines;

		device->pipelines = pipeline->next;
		pipeline_finish(device, pipeline);
		free(pipeline);
	}
}

/* ---- Kernels of callers ---- */

static enum hearth_status check_info(const struct hearth_device *device,
				     const struct hearth_kernel_info *info)
{
	const struct hrt_physical *physical = device->physical;
	uint32_t size = info->subgroup_size;

	if (info->struct_size < sizeof(*info))
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"hearth_kernel_create: struct_size is %u, expected %zu",
				info->struct_size, sizeof(*info));
	if (!info->spirv == !info->glsl)
		return hrt_fail(
			HEARTH_ERROR_INVALID_ARGUMENT,
			"hearth_kernel_create: exactly one of spirv and glsl must be given");
	if (info->spirv &&
	    (info->spirv_bytes < 20 || info->spirv_bytes % 4 || info->spirv[0] != SPIRV_MAGIC))
		return hrt_fail(
			HEARTH_ERROR_COMPILE,
			"hearth_kernel_create: %zu bytes of spirv are no SPIR-V module in this "
			"machine's byte order",
			info->spirv_bytes);
	if (info->buffer_count > HRT_MAX_BINDINGS)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"hearth_kernel_create: %u buffers, at most %d are supported",
				info->buffer_count, HRT_MAX_BINDINGS);
	if (info->push_bytes > HRT_MAX_PUSH_BYTES ||
	    info->push_bytes > physical->limits.maxPushConstantsSize || info->push_bytes % 4)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"hearth_kernel_create: %u push constant bytes, expected a multiple "
				"of 4, at most %u",
				info->push_bytes, physical->limits.maxPushConstantsSize);
	if (info->spec_constant_count && !info->spec_constants)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"hearth_kernel_create: spec_constants is NULL, count is %u",
				info->spec_constant_count);
	if (size && (size & (size - 1) || size < physical->min_subgroup_size ||
		     size > physical->max_subgroup_size))
		return hrt_fail(HEARTH_ERROR_UNSUPPORTED,
				"hearth_kernel_create: subgroup size %u, %s offers %u … %u", size,
				physical->properties.name, physical->min_subgroup_size,
				physical->max_subgroup_size);
	return HEARTH_OK;
}

enum hearth_status hearth_kernel_create(struct hearth_device *device,
					const struct hearth_kernel_info *info,
					struct hearth_kernel **out)
{
	struct pipeline_source source;
	struct hearth_kernel *kernel;
	enum hearth_status status;
	uint32_t *compiled = NULL;

	if (!device || !info || !out)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"hearth_kernel_create: device, info or kernel is NULL");
	*out = NULL;
	status = check_info(device, info);
	if (status != HEARTH_OK)
		return status;
	source = (struct pipeline_source){
		.name = info->glsl ? "(GLSL)" : "(SPIR-V)",
		.words = info->spirv,
		.bytes = info->spirv_bytes,
		.entry_point = info->entry_point ? info->entry_point : "main",
		.spec = info->spec_constants,
		.spec_count = info->spec_constant_count,
		.subgroup_size = info->subgroup_size,
	};
	if (info->glsl) {
		status = hrt_glsl_compile(info->glsl, source.entry_point, &compiled, &source.bytes);
		if (status != HEARTH_OK)
			return status;
		source.words = compiled;
	}
	kernel = calloc(1, sizeof(*kernel));
	if (!kernel) {
		status =
			hrt_fail(HEARTH_ERROR_OUT_OF_MEMORY, "hearth_kernel_create: out of memory");
		goto out;
	}
	kernel->device = device;
	kernel->pipeline.buffer_count = info->buffer_count;
	kernel->pipeline.push_bytes = info->push_bytes;
	status = pipeline_init(device, &source, &kernel->pipeline);
	if (status != HEARTH_OK)
		free(kernel);
	else
		*out = kernel;
out:
	free(compiled);
	return status;
}

void hearth_kernel_destroy(struct hearth_kernel *kernel)
{
	if (!kernel)
		return;
	pipeline_finish(kernel->device, &kernel->pipeline);
	free(kernel);
}
