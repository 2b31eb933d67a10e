// SPDX-License-Identifier: MIT
/* See vt.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vt.h"

static unsigned int failures; /* of the running test */
static char skip_reason[256];

bool vt_check(bool good, const char *file, int line, const char *what, const char *format, ...)
{
	va_list args;

	if (good)
		return true;
	failures++;
	if (failures > 10)
		return false;
	printf("# %s:%d: %s", file, line, what);
	if (format[1]) {
		printf(":");
		va_start(args, format);
		vprintf(format, args);
		va_end(args);
	}
	printf("\n");
	return false;
}

void vt_skip(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(skip_reason, sizeof(skip_reason), format, args);
	va_end(args);
}

bool vt_run_test(struct vt *vt, const struct vt_test *test, size_t number)
{
	failures = 0;
	skip_reason[0] = '\0';
	test->run(vt);
	printf("%s %zu - %s%s%s\n", failures ? "not ok" : "ok", number, test->name,
	       skip_reason[0] ? " # SKIP " : "", skip_reason);
	fflush(stdout);
	return !failures;
}

int vt_main(struct vt *vt, const struct vt_test *tests, size_t count)
{
	unsigned int failed = 0;

	printf("1..%zu\n", count + 1);
	for (size_t i = 0; i < count; i++)
		failed += !vt_run_test(vt, &tests[i], i + 1);
	vt_close(vt);
	failed += vt->warnings != 0;
	printf("%s %zu - layers have nothing to say (%u messages)\n",
	       vt->warnings ? "not ok" : "ok", count + 1, vt->warnings);
	return failed != 0;
}

static void bail(const char *format, ...)
{
	va_list args;

	printf("Bail out! ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	exit(1);
}

static VKAPI_ATTR VkBool32 VKAPI_CALL on_message(VkDebugUtilsMessageSeverityFlagBitsEXT severity,
						 VkDebugUtilsMessageTypeFlagsEXT types,
						 const VkDebugUtilsMessengerCallbackDataEXT *data,
						 void *user)
{
	struct vt *vt = user;

	(void)severity;
	(void)types;
	if (data->pMessageIdName && !strncmp(data->pMessageIdName, "hearth-", 7)) {
		snprintf(vt->last_error, sizeof(vt->last_error), "%s", data->pMessage);
		return VK_FALSE;
	}
	/* The loader speaks of other drivers and of itself. */
	if (data->pMessageIdName && !strcmp(data->pMessageIdName, "Loader Message"))
		return VK_FALSE;
	__atomic_fetch_add(&vt->warnings, 1, __ATOMIC_RELAXED);
	printf("# layer: %s\n", data->pMessage);
	return VK_FALSE;
}

static bool wanted(const char *name)
{
	const char *value = getenv(name);

	return value && !strcmp(value, "1");
}

static void open_instance(struct vt *vt)
{
	const char *layer = "VK_LAYER_KHRONOS_validation";
	const char *extension = VK_EXT_DEBUG_UTILS_EXTENSION_NAME;
	VkDebugUtilsMessengerCreateInfoEXT messenger = {
		.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
		.messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT |
				   VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
		.messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_GENERAL_BIT_EXT |
			       VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT,
		.pfnUserCallback = on_message,
		.pUserData = vt,
	};
	const VkApplicationInfo application = {
		.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
		.pApplicationName = "hearth-vulkan-test",
		.apiVersion = VK_API_VERSION_1_3,
	};
	const VkBool32 yes = VK_TRUE;
	const VkLayerSettingEXT settings[] = {
		{ layer, "validate_sync", VK_LAYER_SETTING_TYPE_BOOL32_EXT, 1, &yes },
		/* Without it, what shaders do with buffers is left out. */
		{ layer, "syncval_shader_accesses_heuristic", VK_LAYER_SETTING_TYPE_BOOL32_EXT, 1,
		  &yes },
	};
	const VkLayerSettingsCreateInfoEXT layer_settings = {
		.sType = VK_STRUCTURE_TYPE_LAYER_SETTINGS_CREATE_INFO_EXT,
		.pNext = &messenger,
		.settingCount = sizeof(settings) / sizeof(settings[0]),
		.pSettings = settings,
	};
	const VkInstanceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
		.pNext = wanted("HEARTH_TEST_VALIDATION") ? (const void *)&layer_settings
							  : &messenger,
		.pApplicationInfo = &application,
		.enabledLayerCount = wanted("HEARTH_TEST_VALIDATION"),
		.ppEnabledLayerNames = &layer,
		.enabledExtensionCount = 1,
		.ppEnabledExtensionNames = &extension,
	};
	PFN_vkCreateDebugUtilsMessengerEXT create;
	VkResult result = vkCreateInstance(&info, NULL, &vt->instance);

	if (result != VK_SUCCESS)
		bail("vkCreateInstance: VkResult %d", result);
	create = (PFN_vkCreateDebugUtilsMessengerEXT)vkGetInstanceProcAddr(
		vt->instance, "vkCreateDebugUtilsMessengerEXT");
	if (!create || create(vt->instance, &messenger, NULL, &vt->messenger) != VK_SUCCESS)
		bail("no debug messenger");
}

static void pick_device(struct vt *vt, int argc, char **argv)
{
	VkPhysicalDevice devices[16];
	const char *number = argc > 1 ? argv[1] : getenv("HEARTH_TEST_DEVICE");
	uint32_t count = 16, index = number ? (uint32_t)atoi(number) : 0;
	VkPhysicalDeviceProperties2 properties = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
		.pNext = &vt->properties11,
	};

	vkEnumeratePhysicalDevices(vt->instance, &count, devices);
	if (index >= count)
		bail("device %u asked for; there are %u", index, count);
	vt->physical = devices[index];
	vt->properties11.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES;
	vt->properties11.pNext = &vt->properties13;
	vt->properties13.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_PROPERTIES;
	vkGetPhysicalDeviceProperties2(vt->physical, &properties);
	vt->properties = properties.properties;
	vt->hearth = !strncmp(vt->properties.deviceName, "Hearth", 6);
	vkGetPhysicalDeviceMemoryProperties(vt->physical, &vt->memory);
	printf("# %s\n", vt->properties.deviceName);
}

#define MAX_EXTENSIONS 8

static void find_extensions(struct vt *vt)
{
	VkExtensionProperties extensions[512];
	uint32_t count = 512;

	vkEnumerateDeviceExtensionProperties(vt->physical, NULL, &count, extensions);
	for (uint32_t i = 0; i < count; i++) {
		const char *name = extensions[i].extensionName;

		vt->has_push_descriptor |= !strcmp(name, VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME);
		vt->has_map_memory2 |= !strcmp(name, VK_KHR_MAP_MEMORY_2_EXTENSION_NAME);
		vt->has_external_fd |= !strcmp(name, VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME);
		vt->has_dma_buf |= !strcmp(name, VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME);
		vt->has_host_pointer |= !strcmp(name, VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME);
		vt->has_matrix |= !strcmp(name, VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME);
	}
	/* One needs the other. */
	vt->has_dma_buf &= vt->has_external_fd;
}

static uint32_t list_extensions(const struct vt *vt, const char *names[MAX_EXTENSIONS])
{
	uint32_t count = 0;

	if (vt->has_push_descriptor)
		names[count++] = VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME;
	if (vt->has_map_memory2)
		names[count++] = VK_KHR_MAP_MEMORY_2_EXTENSION_NAME;
	if (vt->has_external_fd)
		names[count++] = VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME;
	if (vt->has_dma_buf)
		names[count++] = VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME;
	if (vt->has_host_pointer)
		names[count++] = VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME;
	if (vt->has_matrix)
		names[count++] = VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME;
	return count;
}

static void open_device(struct vt *vt, bool robust)
{
	const float priorities[2] = { 1.0f, 1.0f };
	VkQueueFamilyProperties families[16];
	const char *extensions[MAX_EXTENSIONS];
	VkPhysicalDeviceCooperativeMatrixFeaturesKHR matrix = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR,
	};
	uint32_t count = 16;
	VkDeviceQueueCreateInfo queue = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
		.pQueuePriorities = priorities,
	};
	VkDeviceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
		.pNext = &vt->features,
		.queueCreateInfoCount = 1,
		.pQueueCreateInfos = &queue,
		.ppEnabledExtensionNames = extensions,
	};
	VkResult result;

	find_extensions(vt);
	info.enabledExtensionCount = list_extensions(vt, extensions);
	vkGetPhysicalDeviceQueueFamilyProperties(vt->physical, &count, families);
	while (vt->family < count && !(families[vt->family].queueFlags & VK_QUEUE_COMPUTE_BIT))
		vt->family++;
	if (vt->family == count)
		bail("no queue family computes");
	vt->queue_count = families[vt->family].queueCount > 1 ? 2 : 1;
	queue.queueFamilyIndex = vt->family;
	queue.queueCount = vt->queue_count;

	/* All that the device has, but robustness only when asked for. */
	vt->features.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
	vt->features.pNext = &vt->features11;
	vt->features11.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES;
	vt->features11.pNext = &vt->features12;
	vt->features12.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES;
	vt->features12.pNext = &vt->features13;
	vt->features13.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES;
	if (vt->has_matrix)
		vt->features13.pNext = &matrix;
	vkGetPhysicalDeviceFeatures2(vt->physical, &vt->features);
	vt->has_matrix &= matrix.cooperativeMatrix;
	matrix.cooperativeMatrixRobustBufferAccess &= robust;
	vt->features.features.robustBufferAccess = robust;
	vt->features13.robustImageAccess = VK_FALSE;
	result = vkCreateDevice(vt->physical, &info, NULL, &vt->device);
	vt->features13.pNext = NULL;
	if (result != VK_SUCCESS)
		bail("vkCreateDevice: VkResult %d", result);
	for (uint32_t i = 0; i < vt->queue_count; i++)
		vkGetDeviceQueue(vt->device, vt->family, i, &vt->queues[i]);
}

void vt_open(struct vt *vt, int argc, char **argv, bool robust)
{
	static const VkDescriptorPoolSize sizes[] = {
		{ VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 256 },
		{ VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, 64 },
		{ VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC, 64 },
		{ VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC, 64 },
		{ VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK, 1024 },
	};
	const VkDescriptorPoolInlineUniformBlockCreateInfo blocks = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_INLINE_UNIFORM_BLOCK_CREATE_INFO,
		.maxInlineUniformBlockBindings = 8,
	};
	const VkDescriptorPoolCreateInfo sets = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
		.pNext = &blocks,
		.flags = VK_DESCRIPTOR_POOL_CREATE_UPDATE_AFTER_BIND_BIT |
			 VK_DESCRIPTOR_POOL_CREATE_FREE_DESCRIPTOR_SET_BIT,
		.maxSets = 64,
		.poolSizeCount = sizeof(sizes) / sizeof(sizes[0]),
		.pPoolSizes = sizes,
	};
	VkCommandPoolCreateInfo pool = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
		.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
	};

	setvbuf(stdout, NULL, _IOLBF, 0);
	memset(vt, 0, sizeof(*vt));
	open_instance(vt);
	pick_device(vt, argc, argv);
	open_device(vt, robust);
	pool.queueFamilyIndex = vt->family;
	VT_OK(vkCreateCommandPool(vt->device, &pool, NULL, &vt->pool));
	VT_OK(vkCreateDescriptorPool(vt->device, &sets, NULL, &vt->sets));
}

void vt_close(struct vt *vt)
{
	PFN_vkDestroyDebugUtilsMessengerEXT destroy;

	vkDestroyDescriptorPool(vt->device, vt->sets, NULL);
	vkDestroyCommandPool(vt->device, vt->pool, NULL);
	vkDestroyDevice(vt->device, NULL);
	destroy = (PFN_vkDestroyDebugUtilsMessengerEXT)vkGetInstanceProcAddr(
		vt->instance, "vkDestroyDebugUtilsMessengerEXT");
	destroy(vt->instance, vt->messenger, NULL);
	vkDestroyInstance(vt->instance, NULL);
}

/* ---- Buffers ---- */

static struct vt_buffer make_buffer(struct vt *vt, VkDeviceSize size, VkBufferUsageFlags usage,
				    VkMemoryPropertyFlags avoid)
{
	const VkMemoryAllocateFlagsInfo flags = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO,
		.flags = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT,
	};
	const VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.size = size,
		.usage = usage,
	};
	const VkMemoryPropertyFlags visible =
		VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
	VkMemoryAllocateInfo allocate = { .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO };
	struct vt_buffer out = { .size = size };
	VkMemoryRequirements needs;
	int best = -1;

	VT_OK(vkCreateBuffer(vt->device, &info, NULL, &out.buffer));
	vkGetBufferMemoryRequirements(vt->device, out.buffer, &needs);
	for (uint32_t i = 0; i < vt->memory.memoryTypeCount; i++) {
		VkMemoryPropertyFlags type = vt->memory.memoryTypes[i].propertyFlags;

		if (!(needs.memoryTypeBits & 1u << i) || (type & visible) != visible)
			continue;
		if (best < 0 || !(type & avoid))
			best = (int)i;
		if (!(type & avoid))
			break;
	}
	if (best < 0)
		bail("no host-visible memory for usage 0x%x", usage);
	allocate.allocationSize = needs.size;
	allocate.memoryTypeIndex = (uint32_t)best;
	if (usage & VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT)
		allocate.pNext = &flags;
	VT_OK(vkAllocateMemory(vt->device, &allocate, NULL, &out.memory));
	VT_OK(vkBindBufferMemory(vt->device, out.buffer, out.memory, 0));
	VT_OK(vkMapMemory(vt->device, out.memory, 0, VK_WHOLE_SIZE, 0, &out.map));
	memset(out.map, 0, size);
	return out;
}

struct vt_buffer vt_buffer(struct vt *vt, VkDeviceSize size, VkBufferUsageFlags usage)
{
	return make_buffer(vt, size, usage, 0);
}

struct vt_buffer vt_staging(struct vt *vt, VkDeviceSize size)
{
	return make_buffer(vt, size,
			   VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT,
			   VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT);
}

void vt_buffer_free(struct vt *vt, struct vt_buffer *buffer)
{
	vkDestroyBuffer(vt->device, buffer->buffer, NULL);
	vkFreeMemory(vt->device, buffer->memory, NULL);
}

/* ---- Commands ---- */

VkCommandBuffer vt_begin(struct vt *vt, VkCommandBufferUsageFlags flags)
{
	const VkCommandBufferAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = vt->pool,
		.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
		.commandBufferCount = 1,
	};
	const VkCommandBufferBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
		.flags = flags,
	};
	VkCommandBuffer buffer;

	VT_OK(vkAllocateCommandBuffers(vt->device, &allocate, &buffer));
	VT_OK(vkBeginCommandBuffer(buffer, &begin));
	return buffer;
}

void vt_run(struct vt *vt, VkCommandBuffer buffer)
{
	const VkFenceCreateInfo info = { .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO };
	const VkSubmitInfo submit = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.commandBufferCount = 1,
		.pCommandBuffers = &buffer,
	};
	VkFence fence;

	vt_barrier(buffer);
	VT_OK(vkEndCommandBuffer(buffer));
	VT_OK(vkCreateFence(vt->device, &info, NULL, &fence));
	VT_OK(vkQueueSubmit(vt->queues[0], 1, &submit, fence));
	VT_OK(vkWaitForFences(vt->device, 1, &fence, VK_TRUE, UINT64_MAX));
	vkDestroyFence(vt->device, fence, NULL);
	vkFreeCommandBuffers(vt->device, vt->pool, 1, &buffer);
}

void vt_barrier(VkCommandBuffer buffer)
{
	const VkMemoryBarrier2 memory = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER_2,
		.srcStageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
		.srcAccessMask = VK_ACCESS_2_MEMORY_WRITE_BIT,
		.dstStageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT | VK_PIPELINE_STAGE_2_HOST_BIT,
		.dstAccessMask = VK_ACCESS_2_MEMORY_READ_BIT | VK_ACCESS_2_MEMORY_WRITE_BIT |
				 VK_ACCESS_2_HOST_READ_BIT,
	};
	const VkDependencyInfo dependency = {
		.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO,
		.memoryBarrierCount = 1,
		.pMemoryBarriers = &memory,
	};

	vkCmdPipelineBarrier2(buffer, &dependency);
}

/* ---- Kernels ---- */

VkShaderModule vt_module(struct vt *vt, const uint32_t *code, size_t bytes)
{
	const VkShaderModuleCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
		.codeSize = bytes,
		.pCode = code,
	};
	VkShaderModule module = VK_NULL_HANDLE;

	VT_OK(vkCreateShaderModule(vt->device, &info, NULL, &module));
	return module;
}

VkDescriptorSetLayout vt_set_layout(struct vt *vt, VkDescriptorSetLayoutCreateFlags flags,
				    const VkDescriptorSetLayoutBinding *bindings, uint32_t count,
				    const VkDescriptorBindingFlags *binding_flags)
{
	const VkDescriptorSetLayoutBindingFlagsCreateInfo more = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_BINDING_FLAGS_CREATE_INFO,
		.bindingCount = count,
		.pBindingFlags = binding_flags,
	};
	const VkDescriptorSetLayoutCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
		.pNext = binding_flags ? &more : NULL,
		.flags = flags,
		.bindingCount = count,
		.pBindings = bindings,
	};
	VkDescriptorSetLayout layout = VK_NULL_HANDLE;

	VT_OK(vkCreateDescriptorSetLayout(vt->device, &info, NULL, &layout));
	return layout;
}

VkResult vt_kernel_try(struct vt *vt, struct vt_kernel *kernel, const uint32_t *code, size_t bytes,
		       const VkDescriptorSetLayout *layouts, uint32_t layout_count,
		       uint32_t push_bytes, const VkSpecializationInfo *constants,
		       VkPipelineCache cache)
{
	const VkPushConstantRange push = { VK_SHADER_STAGE_COMPUTE_BIT, 0, push_bytes };
	const VkPipelineLayoutCreateInfo layout = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
		.setLayoutCount = layout_count,
		.pSetLayouts = layouts,
		.pushConstantRangeCount = push_bytes ? 1 : 0,
		.pPushConstantRanges = &push,
	};
	const VkPipelineShaderStageRequiredSubgroupSizeCreateInfo size = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO,
		.requiredSubgroupSize = vt->kernel_subgroup_size,
	};
	VkPipelineCreationFeedback feedback = { 0 }, stage_feedback;
	const VkPipelineCreationFeedbackCreateInfo tell = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_CREATION_FEEDBACK_CREATE_INFO,
		.pPipelineCreationFeedback = &feedback,
		.pipelineStageCreationFeedbackCount = 1,
		.pPipelineStageCreationFeedbacks = &stage_feedback,
	};
	VkComputePipelineCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
		.pNext = &tell,
		.stage = { .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
			   .pNext = size.requiredSubgroupSize ? &size : NULL,
			   .stage = VK_SHADER_STAGE_COMPUTE_BIT,
			   .pName = "main",
			   .pSpecializationInfo = constants },
		/* Some kernels here are dispatched with a base; the flag costs the others nothing. */
		.flags = VK_PIPELINE_CREATE_DISPATCH_BASE_BIT | vt->kernel_flags,
	};
	VkResult result;

	memset(kernel, 0, sizeof(*kernel));
	memcpy(kernel->layouts, layouts, layout_count * sizeof(*layouts));
	kernel->layout_count = layout_count;
	VT_OK(vkCreatePipelineLayout(vt->device, &layout, NULL, &kernel->layout));
	info.layout = kernel->layout;
	info.stage.module = vt_module(vt, code, bytes);
	result = vkCreateComputePipelines(vt->device, cache, 1, &info, NULL, &kernel->pipeline);
	vkDestroyShaderModule(vt->device, info.stage.module, NULL);
	/* Threads that make kernels at the same time do not look at it. */
	__atomic_store_n(&vt->cache_hit,
			 (feedback.flags &
			  VK_PIPELINE_CREATION_FEEDBACK_APPLICATION_PIPELINE_CACHE_HIT_BIT) != 0,
			 __ATOMIC_RELAXED);
	return result;
}

void vt_kernel(struct vt *vt, struct vt_kernel *kernel, const uint32_t *code, size_t bytes,
	       const VkDescriptorSetLayout *layouts, uint32_t layout_count, uint32_t push_bytes,
	       const VkSpecializationInfo *constants)
{
	VkResult result = vt_kernel_try(vt, kernel, code, bytes, layouts, layout_count, push_bytes,
					constants, VK_NULL_HANDLE);

	if (result != VK_SUCCESS)
		bail("vkCreateComputePipelines: VkResult %d: %s", result, vt->last_error);
}

void vt_kernel_free(struct vt *vt, struct vt_kernel *kernel)
{
	vkDestroyPipeline(vt->device, kernel->pipeline, NULL);
	vkDestroyPipelineLayout(vt->device, kernel->layout, NULL);
	for (uint32_t i = 0; i < kernel->layout_count; i++)
		vkDestroyDescriptorSetLayout(vt->device, kernel->layouts[i], NULL);
}

VkDescriptorSet vt_set(struct vt *vt, VkDescriptorSetLayout layout)
{
	const VkDescriptorSetAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
		.descriptorPool = vt->sets,
		.descriptorSetCount = 1,
		.pSetLayouts = &layout,
	};
	VkDescriptorSet set = VK_NULL_HANDLE;

	VT_OK(vkAllocateDescriptorSets(vt->device, &info, &set));
	return set;
}

void vt_write_buffer(struct vt *vt, VkDescriptorSet set, uint32_t binding, uint32_t element,
		     VkDescriptorType type, const struct vt_buffer *buffer, VkDeviceSize offset,
		     VkDeviceSize range)
{
	const VkDescriptorBufferInfo info = { buffer->buffer, offset, range };
	const VkWriteDescriptorSet write = {
		.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
		.dstSet = set,
		.dstBinding = binding,
		.dstArrayElement = element,
		.descriptorCount = 1,
		.descriptorType = type,
		.pBufferInfo = &info,
	};

	vkUpdateDescriptorSets(vt->device, 1, &write, 0, NULL);
}
