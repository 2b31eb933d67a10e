// SPDX-License-Identifier: MIT
/*
 * What a dispatch costs beside its work: command buffers of 100 dispatches of a kernel that does next to nothing, with
 * a barrier after each, as a model's step has them. Prints microseconds a dispatch, the best and the median of many
 * submissions, and those of a submission of one. Any device: VK_DRIVER_FILES and the first argument choose it.
 *
 *	usage: dispatch_speed [device] [rounds]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "vt.h"

#include "index.h"

#define DISPATCHES 100
#define MAX_ROUNDS 10000

static const VkDescriptorSetLayoutBinding one_storage = { 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1,
							  VK_SHADER_STAGE_COMPUTE_BIT, NULL };

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

static int compare(const void *a, const void *b)
{
	const double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

/* @count dispatches of @groups work-groups, submitted and waited for @rounds times. */
static void measure(struct vt *vt, const struct vt_kernel *kernel, VkDescriptorSet set,
		    uint32_t count, uint32_t groups, int rounds)
{
	static double took[MAX_ROUNDS];
	const VkFenceCreateInfo info = { .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO };
	const uint32_t pushed[2] = { 0, 1 };
	VkCommandBuffer commands = vt_begin(vt, 0);
	const VkSubmitInfo submit = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.commandBufferCount = 1,
		.pCommandBuffers = &commands,
	};
	VkFence fence;

	vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel->pipeline);
	vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel->layout, 0, 1,
				&set, 0, NULL);
	vkCmdPushConstants(commands, kernel->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof(pushed),
			   pushed);
	for (uint32_t i = 0; i < count; i++) {
		vkCmdDispatch(commands, groups, 1, 1);
		vt_barrier(commands);
	}
	VT_OK(vkEndCommandBuffer(commands));
	VT_OK(vkCreateFence(vt->device, &info, NULL, &fence));
	for (int i = -10; i < rounds; i++) {
		double start = now_us();

		VT_OK(vkQueueSubmit(vt->queues[0], 1, &submit, fence));
		VT_OK(vkWaitForFences(vt->device, 1, &fence, VK_TRUE, UINT64_MAX));
		if (i >= 0)
			took[i] = (now_us() - start) / count;
		VT_OK(vkResetFences(vt->device, 1, &fence));
	}
	qsort(took, (size_t)rounds, sizeof(took[0]), compare);
	printf("%4u dispatches of %5u groups: %8.2f us each (median %8.2f)\n", count, groups,
	       took[0], took[rounds / 2]);
	vkDestroyFence(vt->device, fence, NULL);
	vkFreeCommandBuffers(vt->device, vt->pool, 1, &commands);
}

int main(int argc, char **argv)
{
	static const uint32_t groups[] = { 1, 2, 4, 16, 64, 256, 1024 };
	int rounds = argc > 2 ? atoi(argv[2]) : 1000;
	VkDescriptorSetLayout layout;
	struct vt_kernel kernel;
	struct vt_buffer data;
	VkDescriptorSet set;
	struct vt vt;

	if (rounds < 1 || rounds > MAX_ROUNDS) {
		fprintf(stderr, "dispatch_speed: rounds: %d, expected 1 to %d\n", rounds,
			MAX_ROUNDS);
		return 2;
	}
	vt_open(&vt, argc, argv, false);
	layout = vt_set_layout(&vt, 0, &one_storage, 1, NULL);
	data = vt_buffer(&vt, 256, VK_BUFFER_USAGE_STORAGE_BUFFER_BIT);
	vt_kernel(&vt, &kernel, index_spv, sizeof(index_spv), &layout, 1, 8, NULL);
	set = vt_set(&vt, layout);
	vt_write_buffer(&vt, set, 0, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &data, 0, VK_WHOLE_SIZE);
	measure(&vt, &kernel, set, 1, 1, rounds);
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		measure(&vt, &kernel, set, DISPATCHES, groups[i], rounds);
	VT_OK(vkFreeDescriptorSets(vt.device, vt.sets, 1, &set));
	vt_kernel_free(&vt, &kernel);
	vt_buffer_free(&vt, &data);
	vt_close(&vt);
	return 0;
}
