// SPDX-License-Identifier: MIT
/*
 * Kernels that go wrong on a board: the process is told what happened, its device is lost, and the next
 * device works. On the CPU such kernels are the process's own fault, as with any code that it runs. With
 * "reset" as the second argument, by root: the board is reset under a kernel, with the same outcome.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vt.h"

#include "beyond.h"
#include "spin.h"
#include "step.h"

#define STORAGE (VK_BUFFER_USAGE_TRANSFER_DST_BIT | VK_BUFFER_USAGE_STORAGE_BUFFER_BIT)

static const VkDescriptorSetLayoutBinding one_storage = { 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1,
							  VK_SHADER_STAGE_COMPUTE_BIT, NULL };

/* Submits and waits; what comes of it. */
static VkResult run(struct vt *vt, VkCommandBuffer commands)
{
	const VkFenceCreateInfo info = { .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO };
	const VkSubmitInfo submit = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.commandBufferCount = 1,
		.pCommandBuffers = &commands,
	};
	VkResult result;
	VkFence fence;

	vt_barrier(commands);
	VT_OK(vkEndCommandBuffer(commands));
	VT_OK(vkCreateFence(vt->device, &info, NULL, &fence));
	result = vkQueueSubmit(vt->queues[0], 1, &submit, fence);
	if (result == VK_SUCCESS)
		result = vkWaitForFences(vt->device, 1, &fence, VK_TRUE, 120ull * 1000000000);
	vkDestroyFence(vt->device, fence, NULL);
	vkFreeCommandBuffers(vt->device, vt->pool, 1, &commands);
	return result;
}

/* Right results of a kernel on the device, or of the lack of it. */
static void check_works(struct vt *vt)
{
	struct vt_buffer data = vt_buffer(vt, 4096, STORAGE);
	VkDescriptorSetLayout layout = vt_set_layout(vt, 0, &one_storage, 1, NULL);
	const uint32_t add = 5;
	VkCommandBuffer commands;
	struct vt_kernel kernel;
	VkDescriptorSet set;

	vt_kernel(vt, &kernel, step_spv, sizeof(step_spv), &layout, 1, sizeof(add), NULL);
	set = vt_set(vt, layout);
	vt_write_buffer(vt, set, 0, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &data, 0, VK_WHOLE_SIZE);
	for (uint32_t i = 0; i < 1024; i++)
		((uint32_t *)data.map)[i] = i;
	commands = vt_begin(vt, 0);
	vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.pipeline);
	vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.layout, 0, 1, &set,
				0, NULL);
	vkCmdPushConstants(commands, kernel.layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof(add),
			   &add);
	vkCmdDispatch(commands, 16, 1, 1);
	VT_CHECK(run(vt, commands) == VK_SUCCESS);
	for (uint32_t i = 0; i < 1024; i++)
		VT_CHECK(((uint32_t *)data.map)[i] == 3 * i + 5, "word %u: %u", i,
			 ((uint32_t *)data.map)[i]);
	VT_OK(vkFreeDescriptorSets(vt->device, vt->sets, 1, &set));
	vt_kernel_free(vt, &kernel);
	vt_buffer_free(vt, &data);
}

static void test_works(struct vt *vt)
{
	check_works(vt);
}

/* Without robust access, an index far beyond a buffer is an address like any other. */
static void test_wild_load(struct vt *vt)
{
	static const VkDescriptorSetLayoutBinding bindings[2] = {
		{ 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL },
		{ 1, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL },
	};
	VkDescriptorSetLayout layout = vt_set_layout(vt, 0, bindings, 2, NULL);
	struct vt_buffer data = vt_buffer(vt, 4096, STORAGE);
	VkCommandBuffer commands = vt_begin(vt, 0);
	const uint32_t far = 0x20000000;
	struct vt_kernel kernel;
	VkDescriptorSet set;
	VkResult result;

	vt_kernel(vt, &kernel, beyond_spv, sizeof(beyond_spv), &layout, 1, sizeof(far), NULL);
	set = vt_set(vt, layout);
	vt_write_buffer(vt, set, 0, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &data, 0, VK_WHOLE_SIZE);
	vt_write_buffer(vt, set, 1, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &data, 0, VK_WHOLE_SIZE);
	vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.pipeline);
	vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.layout, 0, 1, &set,
				0, NULL);
	vkCmdPushConstants(commands, kernel.layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof(far),
			   &far);
	vkCmdDispatch(commands, 4, 1, 1);
	vt->last_error[0] = '\0';
	result = run(vt, commands);
	VT_CHECK(result == VK_ERROR_DEVICE_LOST, "VkResult %d", result);
	VT_CHECK(strstr(vt->last_error, "load") && strstr(vt->last_error, "address 0x"), "%s",
		 vt->last_error);
	printf("# %s\n", vt->last_error);
	VT_CHECK(vkDeviceWaitIdle(vt->device) == VK_ERROR_DEVICE_LOST);
	vt_kernel_free(vt, &kernel);
	vt_buffer_free(vt, &data);
}

/* What the kernel without end counts up. */
static _Atomic(volatile uint32_t *) spinning;

/* Runs a kernel without end; what comes of it. */
static VkResult spin(struct vt *vt)
{
	struct vt_buffer data = vt_buffer(vt, 64, STORAGE);
	VkDescriptorSetLayout layout = vt_set_layout(vt, 0, &one_storage, 1, NULL);
	VkCommandBuffer commands = vt_begin(vt, 0);
	struct vt_kernel kernel;
	VkDescriptorSet set;
	VkResult result;

	vt_kernel(vt, &kernel, spin_spv, sizeof(spin_spv), &layout, 1, 0, NULL);
	set = vt_set(vt, layout);
	vt_write_buffer(vt, set, 0, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &data, 0, VK_WHOLE_SIZE);
	vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.pipeline);
	vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.layout, 0, 1, &set,
				0, NULL);
	vkCmdDispatch(commands, 1, 1, 1);
	vt->last_error[0] = '\0';
	spinning = data.map;
	result = run(vt, commands);
	VT_CHECK(((uint32_t *)data.map)[0] > 0);
	spinning = NULL;
	vt_kernel_free(vt, &kernel);
	vt_buffer_free(vt, &data);
	return result;
}

static void test_hang(struct vt *vt)
{
	VkResult result = spin(vt);

	VT_CHECK(result == VK_ERROR_DEVICE_LOST, "VkResult %d", result);
	VT_CHECK(strstr(vt->last_error, "too long") != NULL, "%s", vt->last_error);
}

/* Returns whether the only board was reset, once the kernel without end runs. */
static void *reset_board(void *unused)
{
	int fd = open("/sys/class/accel/accel0/device/hearth/reset", O_WRONLY);
	int patience = 60000;
	bool good;

	while (patience-- && (!spinning || !*spinning))
		usleep(1000);
	good = fd >= 0 && write(fd, "1", 1) == 1;
	if (fd >= 0)
		close(fd);
	return good ? unused : NULL;
}

static void test_reset(struct vt *vt)
{
	void *good = NULL;
	pthread_t thread;
	VkResult result;

	VT_CHECK(!pthread_create(&thread, NULL, reset_board, vt));
	result = spin(vt);
	pthread_join(thread, &good);
	VT_CHECK(good != NULL);
	VT_CHECK(result == VK_ERROR_DEVICE_LOST, "VkResult %d", result);
	VT_CHECK(strstr(vt->last_error, "reset, not because of this device") != NULL, "%s",
		 vt->last_error);
	VT_CHECK(vkDeviceWaitIdle(vt->device) == VK_ERROR_DEVICE_LOST);
}

int main(int argc, char **argv)
{
	/* Each on a device of its own, for a lost one stays lost. */
	static const struct vt_test resets[] = {
		{ "a kernel on a sound device", test_works },
		{ "a reset of the board", test_reset },
		{ "the next device works", test_works },
	};
	static const struct vt_test faults[] = {
		{ "a kernel on a sound device", test_works },
		{ "a load from a wild address", test_wild_load },
		{ "the next device works", test_works },
		{ "a kernel without end", test_hang },
		{ "the next device works again", test_works },
	};
	bool reset = argc > 2 && !strcmp(argv[2], "reset");
	const struct vt_test *tests = reset ? resets : faults;
	size_t count =
		reset ? sizeof(resets) / sizeof(resets[0]) : sizeof(faults) / sizeof(faults[0]);
	struct vt vt;
	int failed = 0;

	setenv("HEARTH_DISPATCH_TIMEOUT_MS", reset ? "60000" : "2000", 1);
	vt_open(&vt, argc, argv, false);
	if (strncmp(vt.properties.deviceName, "Hearth board", 12)) {
		printf("1..0 # SKIP the device is no Hearth board\n");
		vt_close(&vt);
		return 0;
	}
	vt_close(&vt);
	printf("1..%zu\n", count);
	for (size_t i = 0; i < count; i++) {
		vt_open(&vt, argc, argv, false);
		failed += !vt_run_test(&vt, &tests[i], i + 1);
		vt_close(&vt);
		failed += vt.warnings != 0;
	}
	return failed != 0;
}
