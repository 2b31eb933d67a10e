// SPDX-License-Identifier: MIT
/*
 * What must not harm the process: shaders that are broken or that ask for what is not there, and, with
 * robust access, reads and writes beyond buffers. No layer may watch here, for it would see the
 * broken shaders first.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vt.h"

#include "beyond.h"
#include "image.h"
#include "reduce.h"

static VkResult try_code(struct vt *vt, const uint32_t *code, size_t bytes, VkDescriptorType type)
{
	const VkDescriptorSetLayoutBinding bindings[2] = {
		{ 0, type, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL },
		{ 1, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL },
	};
	VkDescriptorSetLayout layout = vt_set_layout(vt, 0, bindings, 2, NULL);
	struct vt_kernel kernel;
	VkResult result;

	vt->last_error[0] = '\0';
	result = vt_kernel_try(vt, &kernel, code, bytes, &layout, 1, 4, NULL, VK_NULL_HANDLE);
	vt_kernel_free(vt, &kernel);
	return result;
}

static void test_unsupported(struct vt *vt)
{
	VkResult result;

	if (!vt->hearth) {
		vt_skip("the device is not one of ours");
		return;
	}
	result = try_code(vt, image_spv, sizeof(image_spv),
			  VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER);
	VT_CHECK(result < 0, "VkResult %d", result);
	VT_CHECK(strstr(vt->last_error, "Dim Cube") != NULL, "%s", vt->last_error);
	printf("# %s\n", vt->last_error);
}

static void test_truncated(struct vt *vt)
{
	if (!vt->hearth) {
		vt_skip("the device is not one of ours");
		return;
	}
	for (size_t words = 5; words < sizeof(reduce_spv) / 4; words += 7) {
		VkResult result =
			try_code(vt, reduce_spv, words * 4, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER);

		VT_CHECK(result < 0, "%zu words: VkResult %d", words, result);
		VT_CHECK(vt->last_error[0], "%zu words: no message", words);
	}
}

/* The compiler checks what it reads; a changed word gives a refusal or a kernel, and never a crash. */
static void test_damaged(struct vt *vt)
{
	uint32_t code[sizeof(reduce_spv) / 4];
	uint32_t random = 12345;
	unsigned int refused = 0;

	if (!vt->hearth) {
		vt_skip("the device is not one of ours");
		return;
	}
	for (int i = 0; i < 200; i++) {
		memcpy(code, reduce_spv, sizeof(code));
		for (int k = 0; k < 1 + i % 3; k++) {
			random = random * 1664525 + 1013904223;
			code[random % (sizeof(code) / 4)] ^= 1u << (random >> 27);
		}
		refused += try_code(vt, code, sizeof(code), VK_DESCRIPTOR_TYPE_STORAGE_BUFFER) < 0;
	}
	VT_CHECK(refused > 20, "%u of 200 refused", refused);
	printf("# %u of 200 damaged shaders were refused\n", refused);
}

static void test_robust(struct vt *vt)
{
	const uint32_t storage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT;
	const VkDescriptorSetLayoutBinding bindings[2] = {
		{ 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL },
		{ 1, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL },
	};
	const uint32_t far[3] = { 0, 32, 0x10000000 };
	struct vt_buffer data = vt_buffer(vt, 512, storage);
	struct vt_buffer seen = vt_buffer(vt, 256, storage);
	VkDescriptorSetLayout layout = vt_set_layout(vt, 0, bindings, 2, NULL);
	uint32_t *words = data.map, *out = seen.map;
	VkDescriptorSet set = vt_set(vt, layout);
	struct vt_kernel kernel;

	vt_kernel(vt, &kernel, beyond_spv, sizeof(beyond_spv), &layout, 1, 4, NULL);
	/* The bound range is a half of the buffer, so what is beyond it can be seen. */
	vt_write_buffer(vt, set, 0, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &data, 0, 256);
	vt_write_buffer(vt, set, 1, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &seen, 0, 256);
	for (int turn = 0; turn < 3; turn++) {
		VkCommandBuffer commands = vt_begin(vt, 0);

		for (uint32_t i = 0; i < 128; i++)
			words[i] = i + 1;
		memset(out, 0xff, 256);
		vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.pipeline);
		vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.layout, 0,
					1, &set, 0, NULL);
		vkCmdPushConstants(commands, kernel.layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, 4,
				   &far[turn]);
		vkCmdDispatch(commands, 1, 1, 1);
		vt_run(vt, commands);
		for (uint32_t i = 0; i < 64; i++) {
			bool inside = (uint64_t)i + far[turn] < 64;

			if (vt->hearth || inside)
				VT_CHECK(out[i] == (inside ? i + far[turn] + 1 : 0),
					 "turn %d: %u: %u", turn, i, out[i]);
		}
		for (uint32_t i = 64; i < 128; i++)
			VT_CHECK(words[i] == i + 1, "turn %d: word %u was written", turn, i);
	}
	VT_OK(vkFreeDescriptorSets(vt->device, vt->sets, 1, &set));
	vt_kernel_free(vt, &kernel);
	vt_buffer_free(vt, &data);
	vt_buffer_free(vt, &seen);
}

static const struct vt_test tests[] = {
	{ "robust access", test_robust },
	{ "unsupported shaders are refused by name", test_unsupported },
	{ "truncated shaders are refused", test_truncated },
	{ "damaged shaders do no harm", test_damaged },
};

int main(int argc, char **argv)
{
	struct vt vt;

	unsetenv("HEARTH_TEST_VALIDATION");
	vt_open(&vt, argc, argv, true);
	return vt_main(&vt, tests, sizeof(tests) / sizeof(tests[0]));
}
