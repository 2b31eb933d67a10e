// SPDX-License-Identifier: MIT
/*
 * Shader modules and compute pipelines: from SPIR-V to code that the device can run, by way of the
 * caches. A shader that the compiler does not take fails here, with a message that says why.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hth_private.h"

#define HTH_MAX_BINDINGS 4096 /* bindings of a pipeline layout that kernels can use */

VKAPI_ATTR VkResult VKAPI_CALL hth_CreateShaderModule(VkDevice handle,
						      const VkShaderModuleCreateInfo *info,
						      const VkAllocationCallbacks *callbacks,
						      VkShaderModule *out)
{
	struct hth_device *device = hth_device_from_handle(handle);
	struct hth_shader_module *module = hth_object_alloc(
		device, callbacks, sizeof(*module) + info->codeSize, VK_OBJECT_TYPE_SHADER_MODULE);

	if (!module)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	module->words = info->codeSize / sizeof(uint32_t);
	memcpy(module->code, info->pCode, module->words * sizeof(uint32_t));
	*out = hth_shader_module_to_handle(module);
	return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL hth_DestroyShaderModule(VkDevice device, VkShaderModule module,
						   const VkAllocationCallbacks *callbacks)
{
	hth_object_free(hth_device_from_handle(device), callbacks,
			hth_shader_module_from_handle(module));
}

/* All that one compilation depends on. */
struct request {
	struct hc_compile_info info;
	struct hc_binding *bindings;
	struct hc_spec_constant *constants;
};

static enum hc_binding_kind binding_kind(VkDescriptorType type)
{
	switch (type) {
	case VK_DESCRIPTOR_TYPE_STORAGE_BUFFER:
	case VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC:
		return HC_BINDING_STORAGE_BUFFER;
	case VK_DESCRIPTOR_TYPE_SAMPLER:
		return HC_BINDING_SAMPLER;
	case VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER:
	case VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE:
	case VK_DESCRIPTOR_TYPE_STORAGE_IMAGE:
	case VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER:
	case VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER:
		return HC_BINDING_IMAGE;
	default:
		return HC_BINDING_UNIFORM_BUFFER;
	}
}

static uint32_t collect_bindings(const struct hth_pipeline_layout *layout, struct hc_binding *out)
{
	uint32_t count = 0;

	for (uint32_t s = 0; s < layout->set_count; s++) {
		const struct hth_set_layout *set = layout->sets[s];

		for (uint32_t b = 0; set && b < set->binding_count; b++) {
			const struct hth_binding *binding = &set->bindings[b];
			struct hc_binding one = { .set = s,
						  .binding = b,
						  .slot = binding->slot,
						  .count = binding->count };

			if (!binding->used)
				continue;
			switch (binding->type) {
			case VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC:
			case VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC:
				one.dynamic = true;
				one.slot += layout->dynamic_base[s];
				break;
			case VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK:
				one.count = 1;
				break;
			case VK_DESCRIPTOR_TYPE_INPUT_ATTACHMENT:
				continue;
			default:
				break;
			}
			one.kind = binding_kind(binding->type);
			if (out)
				out[count] = one;
			count++;
		}
	}
	return count;
}

static VkResult collect_constants(const VkSpecializationInfo *info, struct request *request)
{
	request->constants = calloc(info->mapEntryCount, sizeof(*request->constants));
	if (!request->constants)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	for (uint32_t i = 0; i < info->mapEntryCount; i++) {
		const VkSpecializationMapEntry *entry = &info->pMapEntries[i];
		struct hc_spec_constant *constant = &request->constants[i];

		/* Constants are scalars: what is larger, or outside the data, is no valid use. */
		if (entry->size > sizeof(constant->value) || entry->offset > info->dataSize ||
		    entry->size > info->dataSize - entry->offset)
			continue;
		constant->id = entry->constantID;
		constant->size_bytes = entry->size;
		memcpy(&constant->value, (const uint8_t *)info->pData + entry->offset, entry->size);
		request->info.spec_constant_count++;
		request->constants[request->info.spec_constant_count - 1] = *constant;
	}
	request->info.spec_constants = request->constants;
	return VK_SUCCESS;
}

/* What the stage says of itself counts more than what the pipeline says; without either the device's feature decides. */
static bool is_robust(const struct hth_device *device, const VkComputePipelineCreateInfo *create)
{
	const void *chains[] = { create->stage.pNext, create->pNext };

	for (uint32_t i = 0; i < HTH_COUNT(chains); i++) {
		for (const VkBaseInStructure *next = chains[i]; next; next = next->pNext) {
			const VkPipelineRobustnessCreateInfoEXT *info = (const void *)next;
			bool by_default = device->enabled.robustBufferAccess, robust = false;

			if (next->sType != VK_STRUCTURE_TYPE_PIPELINE_ROBUSTNESS_CREATE_INFO_EXT)
				continue;
			/* There is one code for all buffers: it checks if any is to be checked. */
			for (uint32_t k = 0; k < 2; k++) {
				VkPipelineRobustnessBufferBehaviorEXT wanted =
					k ? info->storageBuffers : info->uniformBuffers;

				robust |=
					wanted == VK_PIPELINE_ROBUSTNESS_BUFFER_BEHAVIOR_DEVICE_DEFAULT_EXT
						? by_default
						: wanted !=
							  VK_PIPELINE_ROBUSTNESS_BUFFER_BEHAVIOR_DISABLED_EXT;
			}
			return robust;
		}
	}
	return device->enabled.robustBufferAccess;
}

static VkResult request_init(struct request *request, const struct hth_device *device,
			     const VkComputePipelineCreateInfo *create,
			     const struct hth_pipeline_layout *layout)
{
	const VkPipelineShaderStageCreateInfo *stage = &create->stage;
	const struct hth_shader_module *module = hth_shader_module_from_handle(stage->module);
	struct hc_compile_info *info = &request->info;
	uint32_t binding_count;

	memset(request, 0, sizeof(*request));
	info->target = &device->physical_device->target;
	info->entry_point = stage->pName;
	info->spirv = module ? module->code : NULL;
	info->spirv_words = module ? module->words : 0;
	for (const VkBaseInStructure *next = stage->pNext; next; next = next->pNext) {
		if (next->sType == VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO && !module) {
			const VkShaderModuleCreateInfo *inside = (const void *)next;

			info->spirv = inside->pCode;
			info->spirv_words = inside->codeSize / sizeof(uint32_t);
		} else if (
			next->sType ==
			VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO) {
			const VkPipelineShaderStageRequiredSubgroupSizeCreateInfo *size =
				(const void *)next;

			info->subgroup_size = size->requiredSubgroupSize;
		}
	}
	if (is_robust(device, create))
		info->flags |= HC_COMPILE_ROBUST;
	if (stage->flags & VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT)
		info->flags |= HC_COMPILE_FULL_SUBGROUPS;
	binding_count = collect_bindings(layout, NULL);
	if (binding_count) {
		request->bindings = calloc(binding_count, sizeof(*request->bindings));
		if (!request->bindings)
			return VK_ERROR_OUT_OF_HOST_MEMORY;
		info->binding_count = collect_bindings(layout, request->bindings);
		info->bindings = request->bindings;
	}
	if (stage->pSpecializationInfo && stage->pSpecializationInfo->mapEntryCount)
		return collect_constants(stage->pSpecializationInfo, request);
	return VK_SUCCESS;
}

static void request_finish(struct request *request)
{
	free(request->bindings);
	free(request->constants);
}

static void request_key(const struct request *request, uint8_t key[32])
{
	const struct hc_compile_info *info = &request->info;
	struct hth_sha256 hash;
	uint8_t build_id[20];

	hth_compiler_build_id(build_id);
	hth_sha256_init(&hash);
	hth_sha256_add(&hash, build_id, sizeof(build_id));
	hth_sha256_add_u32(&hash, HEARTH_KERNEL_ABI_VERSION);
	hth_sha256_add(&hash, info->target, sizeof(*info->target));
	hth_sha256_add_u64(&hash, info->spirv_words);
	hth_sha256_add(&hash, info->spirv, info->spirv_words * sizeof(uint32_t));
	hth_sha256_add(&hash, info->entry_point, strlen(info->entry_point) + 1);
	hth_sha256_add_u32(&hash, info->flags);
	hth_sha256_add_u32(&hash, info->subgroup_size);
	hth_sha256_add_u32(&hash, info->binding_count);
	for (uint32_t i = 0; i < info->binding_count; i++) {
		const struct hc_binding *binding = &info->bindings[i];

		hth_sha256_add_u32(&hash, binding->set);
		hth_sha256_add_u32(&hash, binding->binding);
		hth_sha256_add_u32(&hash, binding->kind);
		hth_sha256_add_u32(&hash, binding->dynamic);
		hth_sha256_add_u32(&hash, binding->slot);
		hth_sha256_add_u32(&hash, binding->count);
	}
	hth_sha256_add_u32(&hash, info->spec_constant_count);
	for (uint32_t i = 0; i < info->spec_constant_count; i++) {
		hth_sha256_add_u32(&hash, info->spec_constants[i].id);
		hth_sha256_add_u32(&hash, info->spec_constants[i].size_bytes);
		hth_sha256_add_u64(&hash, info->spec_constants[i].value);
	}
	hth_sha256_finish(&hash, key);
}

/* How a refusal looks to the application; the message says the rest. */
static VkResult result_of(enum hc_result result)
{
	switch (result) {
	case HC_ERROR_OUT_OF_MEMORY:
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	case HC_ERROR_INVALID_SPIRV:
	case HC_ERROR_INVALID_ARGUMENT:
		return VK_ERROR_INVALID_SHADER_NV;
	case HC_ERROR_UNSUPPORTED:
		return VK_ERROR_FEATURE_NOT_PRESENT;
	default:
		return VK_ERROR_UNKNOWN;
	}
}

static VkResult compile(struct hth_device *device, const struct request *request,
			const uint8_t key[32], struct hth_kernel **out)
{
	const char *reason = NULL;
	const struct hth_compiler *hc = hth_compiler_get(&reason);
	struct hc_kernel *compiled = NULL;
	struct timespec begin, end;
	enum hc_result result;
	char *message = NULL;

	if (!hc || !device->physical_device->has_target) {
		hth_log(device->instance, VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
			"hearth-compiler-missing", "no compiler: %s",
			reason ? reason : "it does not know this machine");
		return VK_ERROR_INITIALIZATION_FAILED;
	}
	clock_gettime(CLOCK_MONOTONIC, &begin);
	result = hc->compile(&request->info, &compiled, &message);
	clock_gettime(CLOCK_MONOTONIC, &end);
	hth_dump_shader(&request->info, key,
			(double)(end.tv_sec - begin.tv_sec) +
				1e-9 * (double)(end.tv_nsec - begin.tv_nsec));
	if (result != HC_OK) {
		hth_log(device->instance, VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
			"hearth-compile", "vkCreateComputePipelines: entry point %s: %s%s%s",
			request->info.entry_point, hc->result_string(result), message ? ": " : "",
			message ? message : "");
		free(message);
		return result_of(result);
	}
	free(message);
	*out = hth_kernel_create(compiled, key);
	hc->kernel_free(compiled);
	return *out ? VK_SUCCESS : VK_ERROR_OUT_OF_HOST_MEMORY;
}

/* The device cannot run what exceeds the limits that it reports. */
static VkResult check_limits(struct hth_device *device, const struct hth_kernel *kernel)
{
	uint64_t invocations =
		(uint64_t)kernel->local_size[0] * kernel->local_size[1] * kernel->local_size[2];

	if (invocations >= 1 && invocations <= HTH_MAX_INVOCATIONS &&
	    kernel->shared_bytes <= HTH_MAX_SHARED_BYTES)
		return VK_SUCCESS;
	hth_log(device->instance, VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT, "hearth-limits",
		"vkCreateComputePipelines: %llu invocations and %u bytes of shared memory asked "
		"for; "
		"at most %u and %u are there",
		(unsigned long long)invocations, kernel->shared_bytes, HTH_MAX_INVOCATIONS,
		HTH_MAX_SHARED_BYTES);
	return VK_ERROR_INVALID_SHADER_NV;
}

static VkResult get_kernel(struct hth_device *device, struct hth_pipeline_cache *cache,
			   const struct request *request, bool only_cached, bool *hit,
			   struct hth_kernel **out)
{
	uint8_t key[32];
	VkResult result;

	request_key(request, key);
	*out = cache ? hth_pipeline_cache_find(cache, key) : NULL;
	*hit = *out != NULL;
	if (*out)
		return VK_SUCCESS;
	*out = hth_disk_cache_load(key);
	if (!*out) {
		if (only_cached)
			return VK_PIPELINE_COMPILE_REQUIRED;
		result = compile(device, request, key, out);
		if (result != VK_SUCCESS)
			return result;
		hth_disk_cache_store(*out);
	}
	if (cache)
		hth_pipeline_cache_add(cache, *out);
	return VK_SUCCESS;
}

static void pipeline_free(struct hth_device *device, const VkAllocationCallbacks *callbacks,
			  struct hth_pipeline *pipeline)
{
	if (pipeline->code.bo.size)
		device->backend->code_destroy(device, &pipeline->code);
	hth_object_free(device, callbacks, pipeline);
}

static VkResult pipeline_load(struct hth_device *device, struct hth_pipeline *pipeline,
			      const struct hth_kernel *kernel,
			      const struct hth_pipeline_layout *layout)
{
	VkResult result = check_limits(device, kernel);

	if (result != VK_SUCCESS)
		return result;
	memcpy(pipeline->local_size, kernel->local_size, sizeof(pipeline->local_size));
	pipeline->dynamic_count = layout->dynamic_count;
	pipeline->set_count = layout->set_count;
	for (uint32_t i = 0; i < layout->set_count; i++) {
		pipeline->dynamic_base[i] = layout->dynamic_base[i];
		if (layout->sets[i])
			pipeline->set_dynamic_count[i] = layout->sets[i]->dynamic_count;
	}
	result = device->backend->scratch(device, kernel->scratch_bytes, kernel->stack_bytes,
					  &pipeline->scratch);
	if (result != VK_SUCCESS)
		return result;
	return device->backend->code_create(device, kernel->image, kernel->image_bytes,
					    kernel->entry_offset, &pipeline->code);
}

static VkResult pipeline_create(struct hth_device *device, struct hth_pipeline_cache *cache,
				const VkComputePipelineCreateInfo *info,
				const VkAllocationCallbacks *callbacks, bool *hit,
				struct hth_pipeline **out)
{
	const struct hth_pipeline_layout *layout = hth_pipeline_layout_from_handle(info->layout);
	bool only_cached = info->flags & VK_PIPELINE_CREATE_FAIL_ON_PIPELINE_COMPILE_REQUIRED_BIT;
	struct hth_pipeline *pipeline;
	struct hth_kernel *kernel = NULL;
	struct request request;
	VkResult result;

	result = request_init(&request, device, info, layout);
	if (result == VK_SUCCESS)
		result = get_kernel(device, cache, &request, only_cached, hit, &kernel);
	request_finish(&request);
	if (result != VK_SUCCESS)
		return result;
	pipeline = hth_object_alloc(device, callbacks, sizeof(*pipeline), VK_OBJECT_TYPE_PIPELINE);
	if (pipeline)
		result = pipeline_load(device, pipeline, kernel, layout);
	else
		result = VK_ERROR_OUT_OF_HOST_MEMORY;
	hth_kernel_unref(kernel);
	if (result == VK_SUCCESS)
		*out = pipeline;
	else if (pipeline)
		pipeline_free(device, callbacks, pipeline);
	return result;
}

static void fill_feedback(const void *chain, int64_t start_ns, bool hit)
{
	for (const VkBaseInStructure *next = chain; next; next = next->pNext) {
		const VkPipelineCreationFeedbackCreateInfo *info = (const void *)next;
		VkPipelineCreationFeedback feedback = {
			.flags = VK_PIPELINE_CREATION_FEEDBACK_VALID_BIT,
			.duration = hth_now_ns() - start_ns,
		};

		if (next->sType != VK_STRUCTURE_TYPE_PIPELINE_CREATION_FEEDBACK_CREATE_INFO)
			continue;
		if (hit)
			feedback.flags |=
				VK_PIPELINE_CREATION_FEEDBACK_APPLICATION_PIPELINE_CACHE_HIT_BIT;
		*info->pPipelineCreationFeedback = feedback;
		for (uint32_t i = 0; i < info->pipelineStageCreationFeedbackCount; i++)
			info->pPipelineStageCreationFeedbacks[i] = feedback;
	}
}

VKAPI_ATTR VkResult VKAPI_CALL hth_CreateComputePipelines(VkDevice handle, VkPipelineCache cache,
							  uint32_t count,
							  const VkComputePipelineCreateInfo *infos,
							  const VkAllocationCallbacks *callbacks,
							  VkPipeline *out)
{
	struct hth_device *device = hth_device_from_handle(handle);
	VkResult result = VK_SUCCESS;

	for (uint32_t i = 0; i < count; i++)
		out[i] = VK_NULL_HANDLE;
	for (uint32_t i = 0; i < count; i++) {
		struct hth_pipeline *pipeline = NULL;
		int64_t start = hth_now_ns();
		bool hit = false;
		VkResult one = pipeline_create(device, hth_pipeline_cache_from_handle(cache),
					       &infos[i], callbacks, &hit, &pipeline);

		fill_feedback(infos[i].pNext, start, hit);
		if (one == VK_SUCCESS) {
			out[i] = hth_pipeline_to_handle(pipeline);
			continue;
		}
		/* A real error is more than "must be compiled". */
		if (result >= 0)
			result = one;
		if (infos[i].flags & VK_PIPELINE_CREATE_EARLY_RETURN_ON_FAILURE_BIT)
			break;
	}
	return result;
}

VKAPI_ATTR void VKAPI_CALL hth_DestroyPipeline(VkDevice device, VkPipeline pipeline,
					       const VkAllocationCallbacks *callbacks)
{
	if (pipeline)
		pipeline_free(hth_device_from_handle(device), callbacks,
			      hth_pipeline_from_handle(pipeline));
}
