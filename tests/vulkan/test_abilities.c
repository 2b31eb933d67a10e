// SPDX-License-Identifier: MIT
/* What a device reports of types, of limits and of subgroup operations, kernels can do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vt.h"

#include "largest.h"
#include "matrix_float.h"
#include "matrix_half.h"
#include "matrix_half_sums.h"
#include "matrix_mixed.h"
#include "matrix_signed.h"
#include "matrix_unsigned.h"
#include "operations_0.h"
#include "operations_1.h"
#include "operations_2.h"
#include "operations_3.h"
#include "operations_4.h"
#include "operations_5.h"
#include "operations_6.h"
#include "operations_7.h"
#include "type_float16.h"
#include "type_float64.h"
#include "type_int16.h"
#include "type_int64.h"
#include "type_int8.h"

#define STORAGE (VK_BUFFER_USAGE_TRANSFER_DST_BIT | VK_BUFFER_USAGE_STORAGE_BUFFER_BIT)
#define COUNT	64

enum type { INT8, INT16, INT64, FLOAT16, FLOAT64 };

/* Small whole numbers that are not negative, as float16 has them. */
static uint16_t to_half(unsigned int value)
{
	int exponent = 0;

	if (!value)
		return 0;
	while (value >> (exponent + 1))
		exponent++;
	return (uint16_t)((exponent + 15) << 10 | ((value << (10 - exponent)) & 0x3ff));
}

static void put(enum type type, void *array, uint32_t i, unsigned int value)
{
	switch (type) {
	case INT8:
		((int8_t *)array)[i] = (int8_t)value;
		break;
	case INT16:
		((int16_t *)array)[i] = (int16_t)value;
		break;
	case INT64:
		((int64_t *)array)[i] = value;
		break;
	case FLOAT16:
		((uint16_t *)array)[i] = to_half(value);
		break;
	case FLOAT64:
		((double *)array)[i] = value;
		break;
	}
}

static void check_type(struct vt *vt, enum type type, const uint32_t *code, size_t code_bytes,
		       size_t size)
{
	static const VkDescriptorSetLayoutBinding bindings[] = {
		{ 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL },
		{ 1, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL },
		{ 2, VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL },
	};
	VkDescriptorSetLayout layout = vt_set_layout(vt, 0, bindings, 3, NULL);
	struct vt_buffer in = vt_buffer(vt, COUNT * size, STORAGE);
	struct vt_buffer out = vt_buffer(vt, COUNT * size, STORAGE);
	struct vt_buffer plus = vt_buffer(
		vt, 16, VK_BUFFER_USAGE_TRANSFER_DST_BIT | VK_BUFFER_USAGE_UNIFORM_BUFFER_BIT);
	/* 31 · 3 + 20 still fits into all of the types, and in 11 bits. */
	unsigned char times[8] = { 0 }, expected[COUNT * 8] = { 0 };
	uint32_t push_bytes = size < 4 ? 4 : (uint32_t)size;
	VkCommandBuffer commands;
	struct vt_kernel kernel;
	VkDescriptorSet set;

	put(type, times, 0, 3);
	put(type, plus.map, 0, 20);
	for (uint32_t i = 0; i < COUNT; i++) {
		put(type, in.map, i, i % 32);
		put(type, expected, i, i % 32 * 3 + (i % 32 > 3 ? 20 : 1));
	}
	vt_kernel(vt, &kernel, code, code_bytes, &layout, 1, push_bytes, NULL);
	set = vt_set(vt, layout);
	vt_write_buffer(vt, set, 0, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &in, 0, VK_WHOLE_SIZE);
	vt_write_buffer(vt, set, 1, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &out, 0, VK_WHOLE_SIZE);
	vt_write_buffer(vt, set, 2, 0, VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, &plus, 0, VK_WHOLE_SIZE);
	commands = vt_begin(vt, VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT);
	vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.pipeline);
	vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.layout, 0, 1, &set,
				0, NULL);
	vkCmdPushConstants(commands, kernel.layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, push_bytes,
			   times);
	vkCmdDispatch(commands, 1, 1, 1);
	vt_run(vt, commands);
	VT_CHECK(!memcmp(out.map, expected, COUNT * size));
	VT_OK(vkFreeDescriptorSets(vt->device, vt->sets, 1, &set));
	vt_kernel_free(vt, &kernel);
	vt_buffer_free(vt, &in);
	vt_buffer_free(vt, &out);
	vt_buffer_free(vt, &plus);
}

static void test_int8(struct vt *vt)
{
	const VkPhysicalDeviceVulkan12Features *f = &vt->features12;

	if (f->shaderInt8 && f->uniformAndStorageBuffer8BitAccess && f->storagePushConstant8)
		check_type(vt, INT8, type_int8_spv, sizeof(type_int8_spv), 1);
	else
		vt_skip("the device has no 8-bit integers");
}

static bool has_storage16(const struct vt *vt)
{
	return vt->features11.uniformAndStorageBuffer16BitAccess &&
	       vt->features11.storagePushConstant16;
}

static void test_int16(struct vt *vt)
{
	if (vt->features.features.shaderInt16 && has_storage16(vt))
		check_type(vt, INT16, type_int16_spv, sizeof(type_int16_spv), 2);
	else
		vt_skip("the device has no 16-bit integers");
}

static void test_int64(struct vt *vt)
{
	if (vt->features.features.shaderInt64)
		check_type(vt, INT64, type_int64_spv, sizeof(type_int64_spv), 8);
	else
		vt_skip("the device has no 64-bit integers");
}

static void test_float16(struct vt *vt)
{
	if (vt->features12.shaderFloat16 && has_storage16(vt))
		check_type(vt, FLOAT16, type_float16_spv, sizeof(type_float16_spv), 2);
	else
		vt_skip("the device has no 16-bit floats");
}

static void test_float64(struct vt *vt)
{
	if (vt->features.features.shaderFloat64)
		check_type(vt, FLOAT64, type_float64_spv, sizeof(type_float64_spv), 8);
	else
		vt_skip("the device has no 64-bit floats");
}

/* ---- Subgroups ---- */

/* What shaders/operations.comp writes for one lane; @size divides the work-group. */
static uint32_t expected_of(int kind, uint32_t lane, uint32_t size)
{
	switch (kind) {
	case 0:
		return lane == 0;
	case 1:
		return 3;
	case 2:
		return lane * (lane - 1) / 2 + ((size - 1) << 16);
	case 3:
		return size / 2 + (3 << 8);
	case 4:
		return (lane ^ 5) * 2;
	case 5:
		return lane >= 2 ? lane - 2 : 77;
	case 6:
		return 4 * (lane & ~3u) + 6;
	default:
		return (lane ^ 1) * 100 + (lane & ~3u) + 2;
	}
}

static void check_operation(struct vt *vt, int kind, const uint32_t *code, size_t bytes)
{
	static const VkDescriptorSetLayoutBinding binding = { 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
							      1, VK_SHADER_STAGE_COMPUTE_BIT,
							      NULL };
	VkDescriptorSetLayout layout = vt_set_layout(vt, 0, &binding, 1, NULL);
	struct vt_buffer out = vt_buffer(vt, COUNT * 4, STORAGE);
	uint32_t size =
		vt->kernel_subgroup_size ? vt->kernel_subgroup_size : vt->properties11.subgroupSize;
	VkCommandBuffer commands;
	struct vt_kernel kernel;
	VkDescriptorSet set;

	vt_kernel(vt, &kernel, code, bytes, &layout, 1, 0, NULL);
	set = vt_set(vt, layout);
	vt_write_buffer(vt, set, 0, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &out, 0, VK_WHOLE_SIZE);
	commands = vt_begin(vt, VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT);
	vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.pipeline);
	vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.layout, 0, 1, &set,
				0, NULL);
	vkCmdDispatch(commands, 1, 1, 1);
	vt_run(vt, commands);
	for (uint32_t i = 0; i < COUNT; i++) {
		uint32_t got = ((uint32_t *)out.map)[i];
		uint32_t expected = expected_of(kind, i % size, size);

		VT_CHECK(got == expected, "kind %d, size %u, invocation %u: %u, not %u", kind, size,
			 i, got, expected);
	}
	VT_OK(vkFreeDescriptorSets(vt->device, vt->sets, 1, &set));
	vt_kernel_free(vt, &kernel);
	vt_buffer_free(vt, &out);
}

static void test_operations(struct vt *vt)
{
	static const struct {
		VkSubgroupFeatureFlags needs;
		const uint32_t *code;
		size_t bytes;
	} kinds[] = {
		{ VK_SUBGROUP_FEATURE_BASIC_BIT, operations_0_spv, sizeof(operations_0_spv) },
		{ VK_SUBGROUP_FEATURE_VOTE_BIT, operations_1_spv, sizeof(operations_1_spv) },
		{ VK_SUBGROUP_FEATURE_ARITHMETIC_BIT, operations_2_spv, sizeof(operations_2_spv) },
		{ VK_SUBGROUP_FEATURE_BALLOT_BIT, operations_3_spv, sizeof(operations_3_spv) },
		{ VK_SUBGROUP_FEATURE_SHUFFLE_BIT, operations_4_spv, sizeof(operations_4_spv) },
		{ VK_SUBGROUP_FEATURE_SHUFFLE_RELATIVE_BIT, operations_5_spv,
		  sizeof(operations_5_spv) },
		{ VK_SUBGROUP_FEATURE_CLUSTERED_BIT, operations_6_spv, sizeof(operations_6_spv) },
		{ VK_SUBGROUP_FEATURE_QUAD_BIT, operations_7_spv, sizeof(operations_7_spv) },
	};
	const VkPhysicalDeviceVulkan13Properties *p = &vt->properties13;
	bool choice = vt->features13.subgroupSizeControl &&
		      (p->requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT);

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!(vt->properties11.subgroupSupportedOperations & kinds[i].needs))
			continue;
		check_operation(vt, (int)i, kinds[i].code, kinds[i].bytes);
		for (uint32_t size = p->minSubgroupSize; choice && size <= p->maxSubgroupSize;
		     size *= 2) {
			vt->kernel_subgroup_size = size;
			if (size != vt->properties11.subgroupSize)
				check_operation(vt, (int)i, kinds[i].code, kinds[i].bytes);
		}
		vt->kernel_subgroup_size = 0;
	}
}

/* ---- Cooperative matrices ---- */

#define MOST_MATRICES 64

static const struct matrix_kind {
	VkComponentTypeKHR a, c;
	const uint32_t *code;
	size_t bytes;
} matrix_kinds[] = {
	{ VK_COMPONENT_TYPE_FLOAT16_KHR, VK_COMPONENT_TYPE_FLOAT32_KHR, matrix_half_spv,
	  sizeof(matrix_half_spv) },
	{ VK_COMPONENT_TYPE_FLOAT16_KHR, VK_COMPONENT_TYPE_FLOAT16_KHR, matrix_half_sums_spv,
	  sizeof(matrix_half_sums_spv) },
	{ VK_COMPONENT_TYPE_FLOAT32_KHR, VK_COMPONENT_TYPE_FLOAT32_KHR, matrix_float_spv,
	  sizeof(matrix_float_spv) },
	{ VK_COMPONENT_TYPE_SINT8_KHR, VK_COMPONENT_TYPE_SINT32_KHR, matrix_signed_spv,
	  sizeof(matrix_signed_spv) },
	{ VK_COMPONENT_TYPE_UINT8_KHR, VK_COMPONENT_TYPE_UINT32_KHR, matrix_unsigned_spv,
	  sizeof(matrix_unsigned_spv) },
	{ VK_COMPONENT_TYPE_UINT8_KHR, VK_COMPONENT_TYPE_SINT32_KHR, matrix_mixed_spv,
	  sizeof(matrix_mixed_spv) },
};

static size_t component_bytes(VkComponentTypeKHR type)
{
	switch (type) {
	case VK_COMPONENT_TYPE_SINT8_KHR:
	case VK_COMPONENT_TYPE_UINT8_KHR:
		return 1;
	case VK_COMPONENT_TYPE_FLOAT16_KHR:
		return 2;
	default:
		return 4;
	}
}

static void put_component(VkComponentTypeKHR type, void *array, uint32_t i, unsigned int value)
{
	uint16_t half = to_half(value);
	float single = (float)value;

	switch (type) {
	case VK_COMPONENT_TYPE_FLOAT16_KHR:
		memcpy((char *)array + 2 * i, &half, 2);
		break;
	case VK_COMPONENT_TYPE_FLOAT32_KHR:
		memcpy((char *)array + 4 * i, &single, 4);
		break;
	default:
		/* The other bytes are zero, and the lowest comes first. */
		((uint8_t *)array)[component_bytes(type) * i] = (uint8_t)value;
		break;
	}
}

static void check_matrix(struct vt *vt, const struct matrix_kind *kind,
			 const VkCooperativeMatrixPropertiesKHR *p, uint32_t subgroup)
{
	static const VkDescriptorSetLayoutBinding bindings[] = {
		{ 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL },
		{ 1, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL },
		{ 2, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL },
	};
	static const VkSpecializationMapEntry entries[] = {
		{ 0, 0, 4 }, { 1, 4, 4 }, { 2, 8, 4 }, { 3, 12, 4 }
	};
	const uint32_t m = p->MSize, n = p->NSize, k = p->KSize, values[4] = { m, n, k, subgroup };
	const VkSpecializationInfo constants = { 4, entries, sizeof(values), values };
	VkDescriptorSetLayout layout = vt_set_layout(vt, 0, bindings, 3, NULL);
	size_t size = component_bytes(kind->a), result_bytes = m * n * component_bytes(kind->c);
	struct vt_buffer buffers[3] = { vt_buffer(vt, m * k * size, STORAGE),
					vt_buffer(vt, k * n * size, STORAGE),
					vt_buffer(vt, result_bytes, STORAGE) };
	void *expected = calloc(1, result_bytes);
	VkCommandBuffer commands;
	struct vt_kernel kernel;
	VkDescriptorSet set;

	memset(buffers[2].map, 0, result_bytes);
	for (uint32_t i = 0; i < m * k; i++)
		put_component(kind->a, buffers[0].map, i, i * 5 % 7 % 4);
	for (uint32_t i = 0; i < k * n; i++)
		put_component(kind->a, buffers[1].map, i, i * 3 % 11 % 3);
	for (uint32_t i = 0; i < m * n; i++) {
		unsigned int sum = i % 13;

		put_component(kind->c, buffers[2].map, i, sum);
		for (uint32_t j = 0; j < k; j++)
			sum += (i / n * k + j) * 5 % 7 % 4 * ((i % n * k + j) * 3 % 11 % 3);
		put_component(kind->c, expected, i, sum);
	}
	vt_kernel(vt, &kernel, kind->code, kind->bytes, &layout, 1, 0, &constants);
	set = vt_set(vt, layout);
	for (uint32_t i = 0; i < 3; i++)
		vt_write_buffer(vt, set, i, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &buffers[i], 0,
				VK_WHOLE_SIZE);
	commands = vt_begin(vt, VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT);
	vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.pipeline);
	vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.layout, 0, 1, &set,
				0, NULL);
	vkCmdDispatch(commands, 1, 1, 1);
	vt_run(vt, commands);
	VT_CHECK(!memcmp(buffers[2].map, expected, result_bytes),
		 "product of %u x %u x %u, components %d and %d, subgroups of %u", m, n, k, kind->a,
		 kind->c, subgroup);
	VT_OK(vkFreeDescriptorSets(vt->device, vt->sets, 1, &set));
	vt_kernel_free(vt, &kernel);
	for (uint32_t i = 0; i < 3; i++)
		vt_buffer_free(vt, &buffers[i]);
	free(expected);
}

/* Every product that the device lists, among those that there is a shader for. */
static void test_matrices(struct vt *vt)
{
	VkCooperativeMatrixPropertiesKHR list[MOST_MATRICES];
	PFN_vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR get;
	uint32_t count = MOST_MATRICES, checked = 0;

	if (!vt->has_matrix) {
		vt_skip("the device has no cooperative matrices");
		return;
	}
	get = (PFN_vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR)vkGetInstanceProcAddr(
		vt->instance, "vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR");
	memset(list, 0, sizeof(list));
	for (uint32_t i = 0; i < count; i++)
		list[i].sType = VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_KHR;
	VT_OK(get(vt->physical, &count, list));
	for (uint32_t i = 0; i < count; i++) {
		if (list[i].scope != VK_SCOPE_SUBGROUP_KHR || list[i].AType != list[i].BType ||
		    list[i].CType != list[i].ResultType || list[i].saturatingAccumulation)
			continue;
		for (size_t j = 0; j < sizeof(matrix_kinds) / sizeof(matrix_kinds[0]); j++) {
			if (matrix_kinds[j].a != list[i].AType ||
			    matrix_kinds[j].c != list[i].CType)
				continue;
			check_matrix(vt, &matrix_kinds[j], &list[i], vt->properties11.subgroupSize);
			checked++;
		}
	}
	VT_CHECK(checked >= 1, "none of %u products was checked", count);
	VT_CHECK(!vt->hearth || checked == count, "%u of %u products checked", checked, count);
}

/* ---- Limits ---- */

/* The largest work-group, along axis @axis as far as that goes, with all of the shared memory. */
static void check_largest(struct vt *vt, uint32_t axis)
{
	static const VkDescriptorSetLayoutBinding binding = { 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
							      1, VK_SHADER_STAGE_COMPUTE_BIT,
							      NULL };
	static const VkSpecializationMapEntry entries[] = {
		{ 0, 0, 4 }, { 1, 4, 4 }, { 2, 8, 4 }, { 3, 12, 4 }
	};
	const VkPhysicalDeviceLimits *limits = &vt->properties.limits;
	uint32_t values[4] = { 1, 1, 1, limits->maxComputeSharedMemorySize / 4 };
	const VkSpecializationInfo constants = { 4, entries, sizeof(values), values };
	VkDescriptorSetLayout layout = vt_set_layout(vt, 0, &binding, 1, NULL);
	uint32_t n = limits->maxComputeWorkGroupSize[axis];
	VkCommandBuffer commands;
	struct vt_kernel kernel;
	struct vt_buffer out;
	VkDescriptorSet set;

	if (n > limits->maxComputeWorkGroupInvocations)
		n = limits->maxComputeWorkGroupInvocations;
	values[axis] = n;
	out = vt_buffer(vt, n * 4, STORAGE);
	vt_kernel(vt, &kernel, largest_spv, sizeof(largest_spv), &layout, 1, 0, &constants);
	set = vt_set(vt, layout);
	vt_write_buffer(vt, set, 0, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &out, 0, VK_WHOLE_SIZE);
	commands = vt_begin(vt, VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT);
	vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.pipeline);
	vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.layout, 0, 1, &set,
				0, NULL);
	vkCmdDispatch(commands, 1, 1, 1);
	vt_run(vt, commands);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t sum = 0;

		for (uint32_t at = i; at < values[3]; at += n)
			sum += values[3] - 1 - at;
		VT_CHECK(((uint32_t *)out.map)[i] == sum, "axis %u, invocation %u: %u, not %u",
			 axis, i, ((uint32_t *)out.map)[i], sum);
	}
	VT_OK(vkFreeDescriptorSets(vt->device, vt->sets, 1, &set));
	vt_kernel_free(vt, &kernel);
	vt_buffer_free(vt, &out);
}

static void test_largest(struct vt *vt)
{
	for (uint32_t axis = 0; axis < 3; axis++)
		check_largest(vt, axis);
}

static const struct vt_test tests[] = {
	{ "8-bit integers", test_int8 },
	{ "16-bit integers", test_int16 },
	{ "64-bit integers", test_int64 },
	{ "16-bit floats", test_float16 },
	{ "64-bit floats", test_float64 },
	{ "subgroup operations, in subgroups of every size", test_operations },
	{ "cooperative matrices", test_matrices },
	{ "the largest work-groups", test_largest },
};

int main(int argc, char **argv)
{
	struct vt vt;

	vt_open(&vt, argc, argv, false);
	return vt_main(&vt, tests, sizeof(tests) / sizeof(tests[0]));
}
