// SPDX-License-Identifier: MIT
/* Kernels through Vulkan: constants, descriptors of every kind, grids, threads, caches, robustness. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vt.h"

#include "address.h"
#include "bindings.h"
#include "groups.h"
#include "index.h"
#include "reduce.h"
#include "step.h"
#include "subgroup.h"

#define COPY_USAGE (VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT)
#define STORAGE	   (COPY_USAGE | VK_BUFFER_USAGE_STORAGE_BUFFER_BIT)

static const VkDescriptorSetLayoutBinding one_storage = { 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1,
							  VK_SHADER_STAGE_COMPUTE_BIT, NULL };
static const VkDescriptorSetLayoutBinding two_storage[2] = {
	{ 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL },
	{ 1, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL },
};

struct index_push {
	uint32_t offset, count;
};

struct index_constants {
	uint32_t size, multiplier;
	VkBool32 negate;
};

static const VkSpecializationMapEntry index_entries[] = {
	{ 0, offsetof(struct index_constants, size), 4 },
	{ 1, offsetof(struct index_constants, multiplier), 4 },
	{ 2, offsetof(struct index_constants, negate), 4 },
};

static VkResult index_try(struct vt *vt, struct vt_kernel *kernel, uint32_t size,
			  uint32_t multiplier, bool negate, VkPipelineCache cache)
{
	const struct index_constants values = { size, multiplier, negate };
	const VkSpecializationInfo constants = { 3, index_entries, sizeof(values), &values };
	VkDescriptorSetLayout layout = vt_set_layout(vt, 0, &one_storage, 1, NULL);

	return vt_kernel_try(vt, kernel, index_spv, sizeof(index_spv), &layout, 1,
			     sizeof(struct index_push), &constants, cache);
}

static void index_kernel(struct vt *vt, struct vt_kernel *kernel, uint32_t size,
			 uint32_t multiplier, bool negate)
{
	VkResult result = index_try(vt, kernel, size, multiplier, negate, VK_NULL_HANDLE);

	VT_CHECK(result == VK_SUCCESS, "VkResult %d: %s", result, vt->last_error);
}

static void bind(VkCommandBuffer commands, const struct vt_kernel *kernel, VkDescriptorSet set)
{
	vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel->pipeline);
	if (set)
		vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel->layout, 0,
					1, &set, 0, NULL);
}

static void push(VkCommandBuffer commands, const struct vt_kernel *kernel, const void *data,
		 uint32_t bytes)
{
	vkCmdPushConstants(commands, kernel->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, bytes, data);
}

static void free_set(struct vt *vt, VkDescriptorSet set)
{
	VT_OK(vkFreeDescriptorSets(vt->device, vt->sets, 1, &set));
}

static void test_constants(struct vt *vt)
{
	struct vt_buffer data = vt_buffer(vt, 4096, STORAGE);
	const struct index_push pushes[2] = { { 1000, 500 }, { 7, 3 } };
	struct vt_kernel kernels[2];
	VkCommandBuffer commands;
	uint32_t *words = data.map, wrong = 0;
	VkDescriptorSet set;

	index_kernel(vt, &kernels[0], 64, 5, false);
	index_kernel(vt, &kernels[1], 33, 2, true);
	set = vt_set(vt, kernels[0].layouts[0]);
	vt_write_buffer(vt, set, 0, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &data, 0, VK_WHOLE_SIZE);
	commands = vt_begin(vt, VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT);
	bind(commands, &kernels[0], set);
	push(commands, &kernels[0], &pushes[0], sizeof(pushes[0]));
	vkCmdDispatch(commands, 8, 1, 1);
	vt_barrier(commands);
	/* The layouts are compatible, so the set stays bound. */
	vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernels[1].pipeline);
	push(commands, &kernels[1], &pushes[1], sizeof(pushes[1]));
	vkCmdDispatch(commands, 1, 1, 1);
	vt_run(vt, commands);
	for (uint32_t i = 0; i < 1024; i++)
		wrong += words[i] != (i < 3 ? ~(2 * i + 7) : i < 500 ? 5 * i + 1000 : 0);
	VT_CHECK(wrong == 0, "%u words; first %u %u %u", wrong, words[0], words[3], words[500]);
	free_set(vt, set);
	vt_kernel_free(vt, &kernels[0]);
	vt_kernel_free(vt, &kernels[1]);
	vt_buffer_free(vt, &data);
}

struct groups {
	uint32_t total, nx, ny, nz;
	struct {
		uint32_t x, y, z, invocations;
	} group[128];
};

static void test_grids(struct vt *vt)
{
	const VkDispatchIndirectCommand indirect = { 5, 2, 3 };
	struct vt_buffer data = vt_buffer(vt, sizeof(struct groups), STORAGE);
	struct vt_buffer args = vt_buffer(vt, 64, COPY_USAGE | VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT);
	VkDescriptorSetLayout layout = vt_set_layout(vt, 0, &one_storage, 1, NULL);
	struct groups *g = data.map;
	VkCommandBuffer commands;
	struct vt_kernel kernel;
	VkDescriptorSet set;

	vt_kernel(vt, &kernel, groups_spv, sizeof(groups_spv), &layout, 1, 0, NULL);
	set = vt_set(vt, layout);
	vt_write_buffer(vt, set, 0, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &data, 0, VK_WHOLE_SIZE);

	commands = vt_begin(vt, 0);
	bind(commands, &kernel, set);
	vkCmdDispatch(commands, 8, 4, 4);
	vt_run(vt, commands);
	VT_CHECK(g->total == 128, "%u", g->total);
	VT_CHECK(g->nx == 8 && g->ny == 4 && g->nz == 4, "%u %u %u", g->nx, g->ny, g->nz);
	for (uint32_t i = 0; i < 128; i++)
		VT_CHECK(g->group[i].x == i % 8 && g->group[i].y == i / 8 % 4 &&
				 g->group[i].z == i / 32 && g->group[i].invocations == 16,
			 "group %u: %u %u %u, %u", i, g->group[i].x, g->group[i].y, g->group[i].z,
			 g->group[i].invocations);

	memset(g, 0, sizeof(*g));
	commands = vt_begin(vt, 0);
	bind(commands, &kernel, set);
	vkCmdDispatchBase(commands, 3, 1, 2, 2, 1, 2);
	vkCmdDispatch(commands, 0, 4, 4);
	vt_run(vt, commands);
	VT_CHECK(g->total == 4, "%u", g->total);
	VT_CHECK(g->group[3 + 8 * (1 + 4 * 2)].x == 3 && g->group[3 + 8 * (1 + 4 * 2)].y == 1 &&
		 g->group[3 + 8 * (1 + 4 * 2)].z == 2);
	VT_CHECK(g->group[4 + 8 * (1 + 4 * 3)].invocations == 16);

	/* The grid is written by an earlier command of the same buffer. */
	memset(g, 0, sizeof(*g));
	commands = vt_begin(vt, 0);
	vkCmdUpdateBuffer(commands, args.buffer, 16, sizeof(indirect), &indirect);
	vt_barrier(commands);
	bind(commands, &kernel, set);
	vkCmdDispatchIndirect(commands, args.buffer, 16);
	vt_run(vt, commands);
	VT_CHECK(g->total == 30, "%u", g->total);
	VT_CHECK(g->nx == 5 && g->ny == 2 && g->nz == 3);
	free_set(vt, set);
	vt_kernel_free(vt, &kernel);
	vt_buffer_free(vt, &data);
	vt_buffer_free(vt, &args);
}

struct bindings {
	struct vt_buffer out, uniform, array[2], dynamic, dynamic_storage;
	struct vt_kernel kernel;
	VkDescriptorSet sets[2];
};

static void bindings_open(struct vt *vt, struct bindings *b, VkDescriptorSetLayoutCreateFlags flags,
			  const VkDescriptorBindingFlags *binding_flags)
{
	const VkShaderStageFlags stage = VK_SHADER_STAGE_COMPUTE_BIT;
	const VkDescriptorSetLayoutBinding first[] = {
		{ 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, stage, NULL },
		{ 1, VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, 1, stage, NULL },
		{ 3, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 2, stage, NULL },
	};
	const VkDescriptorSetLayoutBinding second[] = {
		{ 0, VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC, 1, stage, NULL },
		{ 1, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC, 1, stage, NULL },
		{ 2, VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK, 64, stage, NULL },
	};
	const uint32_t inlined[8] = { 55, 0, 0, 0, 66 };
	const VkWriteDescriptorSetInlineUniformBlock block = {
		.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET_INLINE_UNIFORM_BLOCK,
		.dataSize = sizeof(inlined),
		.pData = inlined,
	};
	VkWriteDescriptorSet write = {
		.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
		.pNext = &block,
		.dstBinding = 2,
		.descriptorCount = sizeof(inlined),
		.descriptorType = VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK,
	};
	const VkBufferUsageFlags uniform = COPY_USAGE | VK_BUFFER_USAGE_UNIFORM_BUFFER_BIT;
	VkDescriptorSetLayout layouts[2];

	b->out = vt_buffer(vt, 64, STORAGE);
	b->uniform = vt_buffer(vt, 1024, uniform);
	b->array[0] = vt_buffer(vt, 4096, STORAGE);
	b->array[1] = vt_buffer(vt, 4096, STORAGE);
	b->dynamic = vt_buffer(vt, 4096, uniform);
	b->dynamic_storage = vt_buffer(vt, 4096, STORAGE);
	for (uint32_t i = 0; i < 1024; i++) {
		((uint32_t *)b->array[0].map)[i] = 1000 + i;
		((uint32_t *)b->array[1].map)[i] = 2000 + i;
		((uint32_t *)b->dynamic.map)[i] = 3000 + i;
		((uint32_t *)b->dynamic_storage.map)[i] = 4000 + i;
	}
	for (uint32_t i = 0; i < 256; i++)
		((uint32_t *)b->uniform.map)[i] = 5000 + i;
	layouts[0] = vt_set_layout(vt, flags, first, 3, binding_flags);
	layouts[1] = vt_set_layout(vt, 0, second, 3, NULL);
	vt_kernel(vt, &b->kernel, bindings_spv, sizeof(bindings_spv), layouts, 2, 0, NULL);
	b->sets[0] = vt_set(vt, layouts[0]);
	b->sets[1] = vt_set(vt, layouts[1]);
	vt_write_buffer(vt, b->sets[0], 0, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &b->out, 0,
			VK_WHOLE_SIZE);
	vt_write_buffer(vt, b->sets[0], 1, 0, VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, &b->uniform, 256,
			16);
	vt_write_buffer(vt, b->sets[0], 3, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &b->array[0], 0,
			1024);
	vt_write_buffer(vt, b->sets[0], 3, 1, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &b->array[1], 1024,
			VK_WHOLE_SIZE);
	vt_write_buffer(vt, b->sets[1], 0, 0, VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC,
			&b->dynamic, 0, 256);
	vt_write_buffer(vt, b->sets[1], 1, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC,
			&b->dynamic_storage, 256, 256);
	write.dstSet = b->sets[1];
	vkUpdateDescriptorSets(vt->device, 1, &write, 0, NULL);
}

static void bindings_close(struct vt *vt, struct bindings *b)
{
	struct vt_buffer *buffers[] = { &b->out,      &b->uniform, &b->array[0],
					&b->array[1], &b->dynamic, &b->dynamic_storage };

	VT_OK(vkFreeDescriptorSets(vt->device, vt->sets, 2, b->sets));
	vt_kernel_free(vt, &b->kernel);
	for (size_t i = 0; i < sizeof(buffers) / sizeof(buffers[0]); i++)
		vt_buffer_free(vt, buffers[i]);
}

static void bindings_record(struct bindings *b, VkCommandBuffer commands)
{
	const uint32_t offsets[2] = { 512, 1024 };

	vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, b->kernel.pipeline);
	vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, b->kernel.layout, 0, 2,
				b->sets, 2, offsets);
	vkCmdDispatch(commands, 1, 1, 1);
}

static void bindings_check(const struct bindings *b, uint32_t second_array)
{
	const uint32_t *r = b->out.map;

	VT_CHECK(r[0] == 5000 + 64 + 2, "%u", r[0]);
	VT_CHECK(r[1] == 1001, "%u", r[1]);
	VT_CHECK(r[2] == second_array, "%u", r[2]);
	VT_CHECK(r[3] == 3000 + 128, "%u", r[3]);
	VT_CHECK(r[4] == 4000 + 64 + 256 + 1, "%u", r[4]);
	VT_CHECK(r[5] == 55, "%u", r[5]);
	VT_CHECK(r[6] == 66, "%u", r[6]);
	VT_CHECK(r[7] == 256, "%u", r[7]);
}

static void test_descriptors(struct vt *vt)
{
	struct bindings b;
	VkCommandBuffer commands;

	bindings_open(vt, &b, 0, NULL);
	commands = vt_begin(vt, 0);
	bindings_record(&b, commands);
	vt_run(vt, commands);
	bindings_check(&b, 2000 + 256 + 1);
	bindings_close(vt, &b);
}

static void test_update_after_bind(struct vt *vt)
{
	const VkDescriptorBindingFlags after = VK_DESCRIPTOR_BINDING_UPDATE_AFTER_BIND_BIT;
	const VkDescriptorBindingFlags flags[3] = { after, 0, after };
	struct bindings b;
	VkCommandBuffer commands;

	if (!vt->features12.descriptorBindingStorageBufferUpdateAfterBind) {
		vt_skip("the device cannot update storage buffers after binding");
		return;
	}
	bindings_open(vt, &b, VK_DESCRIPTOR_SET_LAYOUT_CREATE_UPDATE_AFTER_BIND_POOL_BIT, flags);
	commands = vt_begin(vt, 0);
	bindings_record(&b, commands);
	vt_write_buffer(vt, b.sets[0], 3, 1, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &b.array[0], 2048,
			64);
	vt_run(vt, commands);
	bindings_check(&b, 1000 + 512 + 1);
	bindings_close(vt, &b);
}

static void test_copy_and_template(struct vt *vt)
{
	const VkDescriptorUpdateTemplateEntry entries[] = {
		{ 0, 0, 1, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 0, 0 },
		{ 3, 0, 2, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, sizeof(VkDescriptorBufferInfo),
		  sizeof(VkDescriptorBufferInfo) },
	};
	struct bindings b;
	VkCommandBuffer commands;
	VkDescriptorUpdateTemplateCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_UPDATE_TEMPLATE_CREATE_INFO,
		.descriptorUpdateEntryCount = 2,
		.pDescriptorUpdateEntries = entries,
		.templateType = VK_DESCRIPTOR_UPDATE_TEMPLATE_TYPE_DESCRIPTOR_SET,
	};
	VkCopyDescriptorSet copy = {
		.sType = VK_STRUCTURE_TYPE_COPY_DESCRIPTOR_SET,
		.srcBinding = 1,
		.dstBinding = 1,
		.descriptorCount = 1,
	};
	VkDescriptorBufferInfo buffers[3];
	VkDescriptorUpdateTemplate update;
	VkDescriptorSet old;

	bindings_open(vt, &b, 0, NULL);
	buffers[0] = (VkDescriptorBufferInfo){ b.out.buffer, 0, VK_WHOLE_SIZE };
	buffers[1] = (VkDescriptorBufferInfo){ b.array[0].buffer, 0, 1024 };
	buffers[2] = (VkDescriptorBufferInfo){ b.array[0].buffer, 512, 512 };
	info.descriptorSetLayout = b.kernel.layouts[0];
	VT_OK(vkCreateDescriptorUpdateTemplate(vt->device, &info, NULL, &update));
	old = b.sets[0];
	b.sets[0] = vt_set(vt, b.kernel.layouts[0]);
	vkUpdateDescriptorSetWithTemplate(vt->device, b.sets[0], update, buffers);
	copy.srcSet = old;
	copy.dstSet = b.sets[0];
	vkUpdateDescriptorSets(vt->device, 0, NULL, 1, &copy);
	commands = vt_begin(vt, 0);
	bindings_record(&b, commands);
	vt_run(vt, commands);
	bindings_check(&b, 1000 + 128 + 1);
	vkDestroyDescriptorUpdateTemplate(vt->device, update, NULL);
	free_set(vt, old);
	bindings_close(vt, &b);
}

static void test_map_memory2(struct vt *vt)
{
	PFN_vkMapMemory2KHR map_memory =
		(PFN_vkMapMemory2KHR)vkGetDeviceProcAddr(vt->device, "vkMapMemory2KHR");
	PFN_vkUnmapMemory2KHR unmap_memory =
		(PFN_vkUnmapMemory2KHR)vkGetDeviceProcAddr(vt->device, "vkUnmapMemory2KHR");
	VkMemoryUnmapInfoKHR unmap = { .sType = VK_STRUCTURE_TYPE_MEMORY_UNMAP_INFO_KHR };
	VkMemoryMapInfoKHR info = { .sType = VK_STRUCTURE_TYPE_MEMORY_MAP_INFO_KHR,
				    .offset = 64,
				    .size = VK_WHOLE_SIZE };
	struct vt_buffer buffer;
	void *map = NULL;

	if (!vt->has_map_memory2) {
		vt_skip("the device has no VK_KHR_map_memory2");
		return;
	}
	VT_CHECK(map_memory && unmap_memory);
	buffer = vt_buffer(vt, 256, STORAGE);
	((uint32_t *)buffer.map)[16] = 0x600d;
	vkUnmapMemory(vt->device, buffer.memory);
	info.memory = unmap.memory = buffer.memory;
	VT_OK(map_memory(vt->device, &info, &map));
	VT_CHECK(map && *(uint32_t *)map == 0x600d);
	VT_OK(unmap_memory(vt->device, &unmap));
	VT_OK(vkMapMemory(vt->device, buffer.memory, 0, VK_WHOLE_SIZE, 0, &map));
	vt_buffer_free(vt, &buffer);
}

static void test_push_descriptors(struct vt *vt)
{
	PFN_vkCmdPushDescriptorSetKHR push_set = (PFN_vkCmdPushDescriptorSetKHR)vkGetDeviceProcAddr(
		vt->device, "vkCmdPushDescriptorSetKHR");
	const struct index_constants values = { 64, 1, VK_FALSE };
	const VkSpecializationInfo constants = { 3, index_entries, sizeof(values), &values };
	struct vt_buffer buffers[2];
	VkDescriptorSetLayout layout;
	struct vt_kernel kernel;
	VkCommandBuffer commands;

	if (!vt->has_push_descriptor) {
		vt_skip("the device has no push descriptors");
		return;
	}
	VT_CHECK(push_set != NULL);
	layout = vt_set_layout(vt, VK_DESCRIPTOR_SET_LAYOUT_CREATE_PUSH_DESCRIPTOR_BIT_KHR,
			       &one_storage, 1, NULL);
	vt_kernel(vt, &kernel, index_spv, sizeof(index_spv), &layout, 1, sizeof(struct index_push),
		  &constants);
	commands = vt_begin(vt, 0);
	vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.pipeline);
	for (uint32_t i = 0; i < 2; i++) {
		const struct index_push values_pushed = { 100 * i, 64 };
		VkDescriptorBufferInfo info = { VK_NULL_HANDLE, 0, VK_WHOLE_SIZE };
		const VkWriteDescriptorSet write = {
			.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
			.descriptorCount = 1,
			.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
			.pBufferInfo = &info,
		};

		buffers[i] = vt_buffer(vt, 256, STORAGE);
		info.buffer = buffers[i].buffer;
		push_set(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.layout, 0, 1, &write);
		push(commands, &kernel, &values_pushed, sizeof(values_pushed));
		vkCmdDispatch(commands, 1, 1, 1);
	}
	vt_run(vt, commands);
	for (uint32_t i = 0; i < 2; i++) {
		VT_CHECK(((uint32_t *)buffers[i].map)[63] == 100 * i + 63);
		vt_buffer_free(vt, &buffers[i]);
	}
	vt_kernel_free(vt, &kernel);
}

static void test_shared_memory(struct vt *vt)
{
	const uint32_t groups = 64;
	struct vt_buffer in = vt_buffer(vt, groups * 256 * 4, STORAGE);
	struct vt_buffer out = vt_buffer(vt, groups * 4, STORAGE);
	VkDescriptorSetLayout layout = vt_set_layout(vt, 0, two_storage, 2, NULL);
	VkCommandBuffer commands;
	struct vt_kernel kernel;
	VkDescriptorSet set;

	vt_kernel(vt, &kernel, reduce_spv, sizeof(reduce_spv), &layout, 1, 0, NULL);
	for (uint32_t i = 0; i < groups * 256; i++)
		((float *)in.map)[i] = (float)(i % 256) + (float)(i / 256);
	set = vt_set(vt, layout);
	vt_write_buffer(vt, set, 0, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &in, 0, VK_WHOLE_SIZE);
	vt_write_buffer(vt, set, 1, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &out, 0, VK_WHOLE_SIZE);
	commands = vt_begin(vt, 0);
	bind(commands, &kernel, set);
	vkCmdDispatch(commands, groups, 1, 1);
	vt_run(vt, commands);
	for (uint32_t g = 0; g < groups; g++)
		VT_CHECK(((float *)out.map)[g] == 32640.0f + 256.0f * (float)g, "group %u: %g", g,
			 (double)((float *)out.map)[g]);
	free_set(vt, set);
	vt_kernel_free(vt, &kernel);
	vt_buffer_free(vt, &in);
	vt_buffer_free(vt, &out);
}

/* @wanted: 0 for the size that the device chooses. */
static void check_subgroups(struct vt *vt, uint32_t wanted)
{
	struct vt_buffer out = vt_buffer(vt, 66 * 4, STORAGE);
	VkDescriptorSetLayout layout = vt_set_layout(vt, 0, &one_storage, 1, NULL);
	uint32_t *words = out.map, size;
	VkCommandBuffer commands;
	struct vt_kernel kernel;
	VkDescriptorSet set;

	vt->kernel_subgroup_size = wanted;
	vt_kernel(vt, &kernel, subgroup_spv, sizeof(subgroup_spv), &layout, 1, 0, NULL);
	vt->kernel_subgroup_size = 0;
	set = vt_set(vt, layout);
	vt_write_buffer(vt, set, 0, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &out, 0, VK_WHOLE_SIZE);
	commands = vt_begin(vt, 0);
	bind(commands, &kernel, set);
	vkCmdDispatch(commands, 1, 1, 1);
	vt_run(vt, commands);
	size = words[0];
	VT_CHECK(size == (wanted ? wanted : vt->properties11.subgroupSize), "%u", size);
	VT_CHECK(words[1] == (64 + size - 1) / size, "%u", words[1]);
	for (uint32_t i = 0; size && i < 64; i++) {
		uint32_t first = i / size * size, last = first + size < 64 ? first + size : 64;
		uint32_t sum = (first + last - 1) * (last - first) / 2;

		VT_CHECK(words[2 + i] == sum, "invocation %u: %u, not %u", i, words[2 + i], sum);
	}
	free_set(vt, set);
	vt_kernel_free(vt, &kernel);
	vt_buffer_free(vt, &out);
}

static void test_subgroups(struct vt *vt)
{
	check_subgroups(vt, 0);
}

static void test_subgroup_sizes(struct vt *vt)
{
	const VkPhysicalDeviceVulkan13Properties *p = &vt->properties13;

	if (!vt->features13.subgroupSizeControl ||
	    !(p->requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT)) {
		vt_skip("the device gives no choice of subgroup sizes");
		return;
	}
	VT_CHECK(p->minSubgroupSize <= vt->properties11.subgroupSize &&
			 vt->properties11.subgroupSize <= p->maxSubgroupSize,
		 "%u to %u", p->minSubgroupSize, p->maxSubgroupSize);
	for (uint32_t size = p->minSubgroupSize; size <= p->maxSubgroupSize; size *= 2)
		check_subgroups(vt, size);
}

static void test_device_address(struct vt *vt)
{
	struct vt_buffer buffers[2];
	VkDeviceAddress addresses[2];
	VkCommandBuffer commands;
	struct vt_kernel kernel;

	if (!vt->features12.bufferDeviceAddress) {
		vt_skip("the device has no buffer addresses");
		return;
	}
	vt_kernel(vt, &kernel, address_spv, sizeof(address_spv), NULL, 0, sizeof(addresses), NULL);
	for (uint32_t i = 0; i < 2; i++) {
		VkBufferDeviceAddressInfo info = {
			.sType = VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO,
		};

		buffers[i] =
			vt_buffer(vt, 1024, STORAGE | VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT);
		info.buffer = buffers[i].buffer;
		addresses[i] = vkGetBufferDeviceAddress(vt->device, &info);
		VT_CHECK(addresses[i] != 0);
	}
	for (uint32_t i = 0; i < 256; i++)
		((uint32_t *)buffers[0].map)[i] = i * i;
	commands = vt_begin(vt, 0);
	vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.pipeline);
	push(commands, &kernel, addresses, sizeof(addresses));
	vkCmdDispatch(commands, 8, 1, 1);
	vt_run(vt, commands);
	for (uint32_t i = 0; i < 256; i++)
		VT_CHECK(((uint32_t *)buffers[1].map)[i] == i * i + 1);
	vt_kernel_free(vt, &kernel);
	vt_buffer_free(vt, &buffers[0]);
	vt_buffer_free(vt, &buffers[1]);
}

static void test_secondary_dispatch(struct vt *vt)
{
	const VkCommandBufferAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = vt->pool,
		.level = VK_COMMAND_BUFFER_LEVEL_SECONDARY,
		.commandBufferCount = 1,
	};
	const VkCommandBufferInheritanceInfo inherit = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_INHERITANCE_INFO,
	};
	const VkCommandBufferBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
		.pInheritanceInfo = &inherit,
	};
	const struct index_push pushes[2] = { { 500, 64 }, { 900, 16 } };
	struct vt_buffer data = vt_buffer(vt, 256, STORAGE);
	VkCommandBuffer primary, secondary;
	struct vt_kernel kernel;
	VkDescriptorSet set;

	index_kernel(vt, &kernel, 16, 1, false);
	set = vt_set(vt, kernel.layouts[0]);
	vt_write_buffer(vt, set, 0, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &data, 0, VK_WHOLE_SIZE);
	VT_OK(vkAllocateCommandBuffers(vt->device, &allocate, &secondary));
	VT_OK(vkBeginCommandBuffer(secondary, &begin));
	bind(secondary, &kernel, set);
	push(secondary, &kernel, &pushes[0], sizeof(pushes[0]));
	vkCmdDispatch(secondary, 4, 1, 1);
	vt_barrier(secondary);
	VT_OK(vkEndCommandBuffer(secondary));
	primary = vt_begin(vt, VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT);
	vkCmdExecuteCommands(primary, 1, &secondary);
	bind(primary, &kernel, set);
	push(primary, &kernel, &pushes[1], sizeof(pushes[1]));
	vkCmdDispatch(primary, 1, 1, 1);
	vt_run(vt, primary);
	VT_CHECK(((uint32_t *)data.map)[15] == 915 && ((uint32_t *)data.map)[16] == 516 &&
		 ((uint32_t *)data.map)[63] == 563);
	vkFreeCommandBuffers(vt->device, vt->pool, 1, &secondary);
	free_set(vt, set);
	vt_kernel_free(vt, &kernel);
	vt_buffer_free(vt, &data);
}

static void test_chain(struct vt *vt)
{
	/* 200 dispatches that depend on each other, recorded once and run three times. */
	struct vt_buffer data = vt_buffer(vt, 4096, STORAGE);
	VkDescriptorSetLayout layout = vt_set_layout(vt, 0, &one_storage, 1, NULL);
	VkCommandBuffer commands = vt_begin(vt, 0);
	const VkSubmitInfo submit = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.commandBufferCount = 1,
		.pCommandBuffers = &commands,
	};
	uint32_t *words = data.map, wrong = 0;
	struct vt_kernel kernel;
	VkDescriptorSet set;

	vt_kernel(vt, &kernel, step_spv, sizeof(step_spv), &layout, 1, sizeof(uint32_t), NULL);
	set = vt_set(vt, layout);
	vt_write_buffer(vt, set, 0, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &data, 0, VK_WHOLE_SIZE);
	for (uint32_t i = 0; i < 1024; i++)
		words[i] = i;
	for (uint32_t i = 0; i < 200; i++) {
		bind(commands, &kernel, set);
		push(commands, &kernel, &i, sizeof(i));
		vkCmdDispatch(commands, 16, 1, 1);
		vt_barrier(commands);
	}
	VT_OK(vkEndCommandBuffer(commands));
	for (int turn = 0; turn < 3; turn++) {
		VT_OK(vkQueueSubmit(vt->queues[0], 1, &submit, VK_NULL_HANDLE));
		VT_OK(vkQueueWaitIdle(vt->queues[0]));
	}
	for (uint32_t i = 0; i < 1024; i++) {
		uint32_t expected = i;

		for (uint32_t step = 0; step < 600; step++)
			expected = expected * 3 + step % 200;
		wrong += words[i] != expected;
	}
	VT_CHECK(wrong == 0, "%u words", wrong);
	vkFreeCommandBuffers(vt->device, vt->pool, 1, &commands);
	free_set(vt, set);
	vt_kernel_free(vt, &kernel);
	vt_buffer_free(vt, &data);
}

/* Several threads, each with a pool, buffers and kernels of its own, submit to one queue. */
struct worker {
	struct vt *vt;
	pthread_mutex_t *queue_lock;
	VkDescriptorSet set;
	struct vt_kernel kernel;
	struct vt_buffer data;
	uint32_t number;
	uint32_t wrong;
};

static void *work(void *argument)
{
	struct worker *w = argument;
	struct vt *vt = w->vt;
	const VkCommandPoolCreateInfo pool_info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
		.queueFamilyIndex = vt->family,
	};
	const VkFenceCreateInfo fence_info = { .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO };
	const VkCommandBufferBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO
	};
	VkCommandBufferAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandBufferCount = 1,
	};
	VkCommandBuffer commands;
	VkSubmitInfo submit = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.commandBufferCount = 1,
		.pCommandBuffers = &commands,
	};
	VkCommandPool pool;
	VkFence fence;

	VT_OK(vkCreateCommandPool(vt->device, &pool_info, NULL, &pool));
	VT_OK(vkCreateFence(vt->device, &fence_info, NULL, &fence));
	allocate.commandPool = pool;
	VT_OK(vkAllocateCommandBuffers(vt->device, &allocate, &commands));
	for (uint32_t turn = 0; turn < 40; turn++) {
		const struct index_push pushed = { turn * 1000, 256 };

		VT_OK(vkBeginCommandBuffer(commands, &begin));
		bind(commands, &w->kernel, w->set);
		push(commands, &w->kernel, &pushed, sizeof(pushed));
		vkCmdDispatch(commands, 256 / 16, 1, 1);
		vt_barrier(commands);
		VT_OK(vkEndCommandBuffer(commands));
		pthread_mutex_lock(w->queue_lock);
		VT_OK(vkQueueSubmit(vt->queues[0], 1, &submit, fence));
		pthread_mutex_unlock(w->queue_lock);
		VT_OK(vkWaitForFences(vt->device, 1, &fence, VK_TRUE, UINT64_MAX));
		VT_OK(vkResetFences(vt->device, 1, &fence));
		for (uint32_t i = 0; i < 256; i++)
			w->wrong +=
				((uint32_t *)w->data.map)[i] != i * (w->number + 1) + pushed.offset;
		VT_OK(vkResetCommandPool(vt->device, pool, 0));
	}
	vkDestroyFence(vt->device, fence, NULL);
	vkDestroyCommandPool(vt->device, pool, NULL);
	return NULL;
}

static void *compile_worker(void *argument)
{
	struct worker *w = argument;

	index_kernel(w->vt, &w->kernel, 16, w->number + 1, false);
	return NULL;
}

static void test_threads(struct vt *vt)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct worker workers[8];
	pthread_t threads[8];

	for (uint32_t i = 0; i < 8; i++) {
		workers[i] = (struct worker){ .vt = vt, .queue_lock = &lock, .number = i };
		VT_CHECK(!pthread_create(&threads[i], NULL, compile_worker, &workers[i]));
	}
	for (uint32_t i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	for (uint32_t i = 0; i < 8; i++) {
		struct worker *w = &workers[i];

		w->data = vt_buffer(vt, 1024, STORAGE);
		w->set = vt_set(vt, w->kernel.layouts[0]);
		vt_write_buffer(vt, w->set, 0, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &w->data, 0,
				VK_WHOLE_SIZE);
	}
	for (uint32_t i = 0; i < 8; i++)
		VT_CHECK(!pthread_create(&threads[i], NULL, work, &workers[i]));
	for (uint32_t i = 0; i < 8; i++) {
		struct worker *w = &workers[i];

		pthread_join(threads[i], NULL);
		VT_CHECK(w->wrong == 0, "thread %u: %u words", i, w->wrong);
		free_set(vt, w->set);
		vt_kernel_free(vt, &w->kernel);
		vt_buffer_free(vt, &w->data);
	}
}

static const struct vt_test tests[] = {
	{ "push and specialization constants", test_constants },
	{ "grids: plain, with a base, indirect", test_grids },
	{ "descriptors of every kind", test_descriptors },
	{ "descriptors updated after binding", test_update_after_bind },
	{ "descriptors copied, and by template", test_copy_and_template },
	{ "memory mapped by a structure", test_map_memory2 },
	{ "push descriptors", test_push_descriptors },
	{ "shared memory and barriers", test_shared_memory },
	{ "subgroups", test_subgroups },
	{ "subgroups of every size", test_subgroup_sizes },
	{ "buffer device addresses", test_device_address },
	{ "dispatches in secondary command buffers", test_secondary_dispatch },
	{ "a long chain of dispatches", test_chain },
	{ "many threads", test_threads },
};

int main(int argc, char **argv)
{
	struct vt vt;

	vt_open(&vt, argc, argv, false);
	return vt_main(&vt, tests, sizeof(tests) / sizeof(tests[0]));
}
