// SPDX-License-Identifier: MIT
/*
 * Kernels in VkPipelineCache objects and in the folder of the disk cache: what was kept is found again, and
 * what was damaged is made anew.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vt.h"

#include "index.h"

#define STORAGE (VK_BUFFER_USAGE_TRANSFER_DST_BIT | VK_BUFFER_USAGE_STORAGE_BUFFER_BIT)

static const VkDescriptorSetLayoutBinding one_storage = { 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1,
							  VK_SHADER_STAGE_COMPUTE_BIT, NULL };

/* Kernels that differ in one constant, so that each has a key of its own. */
static VkResult make(struct vt *vt, struct vt_kernel *kernel, uint32_t multiplier,
		     VkPipelineCache cache)
{
	static const VkSpecializationMapEntry entry = { 1, 0, 4 };
	const VkSpecializationInfo constants = { 1, &entry, sizeof(multiplier), &multiplier };
	VkDescriptorSetLayout layout = vt_set_layout(vt, 0, &one_storage, 1, NULL);

	return vt_kernel_try(vt, kernel, index_spv, sizeof(index_spv), &layout, 1, 8, &constants,
			     cache);
}

/* What comes of making it, where it is given back at once. */
static VkResult attempt(struct vt *vt, uint32_t multiplier, VkPipelineCache cache)
{
	struct vt_kernel kernel;
	VkResult result = make(vt, &kernel, multiplier, cache);

	vt_kernel_free(vt, &kernel);
	return result;
}

/* The same, where a kernel that would have to be compiled is not made. */
static VkResult attempt_cached(struct vt *vt, uint32_t multiplier, VkPipelineCache cache)
{
	VkResult result;

	vt->kernel_flags = VK_PIPELINE_CREATE_FAIL_ON_PIPELINE_COMPILE_REQUIRED_BIT;
	result = attempt(vt, multiplier, cache);
	vt->kernel_flags = 0;
	return result;
}

static VkPipelineCache new_cache(struct vt *vt, const void *data, size_t size)
{
	const VkPipelineCacheCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO,
		.initialDataSize = size,
		.pInitialData = data,
	};
	VkPipelineCache cache = VK_NULL_HANDLE;

	VT_OK(vkCreatePipelineCache(vt->device, &info, NULL, &cache));
	return cache;
}

static void drop(struct vt *vt, VkPipelineCache cache)
{
	vkDestroyPipelineCache(vt->device, cache, NULL);
}

/* The data of a cache, which the caller frees. */
static uint8_t *data_of(struct vt *vt, VkPipelineCache cache, size_t *size)
{
	uint8_t *data;

	VT_OK(vkGetPipelineCacheData(vt->device, cache, size, NULL));
	data = calloc(1, *size);
	VT_OK(vkGetPipelineCacheData(vt->device, cache, size, data));
	return data;
}

static void test_return(struct vt *vt)
{
	VkPipelineCache cache = new_cache(vt, NULL, 0), copy;
	size_t empty = 0, size;
	uint8_t *data;

	VT_OK(vkGetPipelineCacheData(vt->device, cache, &empty, NULL));
	VT_OK(attempt(vt, 3, cache));
	VT_CHECK(!vt->hearth || !vt->cache_hit);
	VT_OK(attempt(vt, 3, cache));
	VT_CHECK(!vt->hearth || vt->cache_hit);
	data = data_of(vt, cache, &size);
	VT_CHECK(!vt->hearth || size > empty, "%zu, %zu", size, empty);
	drop(vt, cache);

	copy = new_cache(vt, data, size);
	VT_OK(attempt(vt, 3, copy));
	VT_CHECK(!vt->hearth || vt->cache_hit);
	VT_OK(attempt(vt, 4, copy));
	VT_CHECK(!vt->cache_hit);
	drop(vt, copy);
	free(data);
}

/* A buffer that is too small takes the header and the kernels that fit whole, or nothing. */
static void test_small_buffers(struct vt *vt)
{
	VkPipelineCache cache = new_cache(vt, NULL, 0);
	size_t whole = 0;
	uint8_t *data;

	VT_OK(attempt(vt, 3, cache));
	VT_OK(attempt(vt, 4, cache));
	data = data_of(vt, cache, &whole);
	for (size_t size = 0; size < whole; size += size < 300 ? 1 : 97) {
		size_t written = size;
		VkResult result = vkGetPipelineCacheData(vt->device, cache, &written, data);

		VT_CHECK(result == VK_INCOMPLETE && written <= size, "%zu bytes: VkResult %d, %zu",
			 size, result, written);
		if (written)
			drop(vt, new_cache(vt, data, written));
	}
	free(data);
	drop(vt, cache);
}

/* Layers check the header before a driver sees it, and are right; so it stays as it is here. */
static void test_truncated(struct vt *vt)
{
	const size_t header = sizeof(VkPipelineCacheHeaderVersionOne);
	VkPipelineCache cache = new_cache(vt, NULL, 0);
	size_t size;
	uint8_t *data;

	VT_OK(attempt(vt, 3, cache));
	data = data_of(vt, cache, &size);
	drop(vt, cache);
	for (size_t cut = header; cut < size; cut += cut < header + 200 ? 1 : 61) {
		/* On the heap, for checkers of memory to see where it ends. */
		uint8_t *part = malloc(cut);

		memcpy(part, data, cut);
		cache = new_cache(vt, part, cut);
		free(part);
		VT_CHECK(!vt->hearth ||
				 attempt_cached(vt, 3, cache) == VK_PIPELINE_COMPILE_REQUIRED,
			 "cut to %zu of %zu bytes", cut, size);
		drop(vt, cache);
	}
	free(data);
}

static void test_damaged(struct vt *vt)
{
	const size_t header = sizeof(VkPipelineCacheHeaderVersionOne);
	VkPipelineCache cache = new_cache(vt, NULL, 0);
	uint32_t seed = 1;
	size_t size;
	uint8_t *data;

	VT_OK(attempt(vt, 3, cache));
	data = data_of(vt, cache, &size);
	drop(vt, cache);
	if (size <= header) {
		vt_skip("the driver keeps nothing in its caches");
		free(data);
		return;
	}
	for (int i = 0; i < 400; i++) {
		size_t at;
		uint8_t bit;

		seed = seed * 1664525 + 1013904223;
		/* Half of them in the head of the entry. */
		at = header + (seed >> 8) % (i & 1 ? size - header : 112);
		if (at >= size)
			continue;
		bit = 1u << (seed >> 29);
		data[at] ^= bit;
		cache = new_cache(vt, data, size);
		data[at] ^= bit;
		VT_CHECK(!vt->hearth ||
				 attempt_cached(vt, 3, cache) == VK_PIPELINE_COMPILE_REQUIRED,
			 "%02x at byte %zu", bit, at);
		drop(vt, cache);
	}
	free(data);
}

static void test_merged(struct vt *vt)
{
	VkPipelineCache caches[3];

	for (uint32_t i = 0; i < 3; i++)
		caches[i] = new_cache(vt, NULL, 0);
	for (uint32_t i = 0; i < 3; i++)
		VT_OK(attempt(vt, 3 + i, caches[i]));
	VT_OK(attempt(vt, 4, caches[2]));
	VT_OK(vkMergePipelineCaches(vt->device, caches[0], 2, caches + 1));
	drop(vt, caches[1]);
	drop(vt, caches[2]);
	for (uint32_t i = 0; i < 3; i++) {
		VT_OK(attempt(vt, 3 + i, caches[0]));
		VT_CHECK(!vt->hearth || vt->cache_hit, "kernel %u", i);
	}
	drop(vt, caches[0]);
}

static void test_only_cached(struct vt *vt)
{
	VkPipelineCache cache = new_cache(vt, NULL, 0);
	VkResult result;

	if (!vt->features13.pipelineCreationCacheControl || !vt->hearth) {
		vt_skip("the device need not know what is cached");
		drop(vt, cache);
		return;
	}
	result = attempt_cached(vt, 3, cache);
	VT_CHECK(result == VK_PIPELINE_COMPILE_REQUIRED, "VkResult %d", result);
	VT_OK(attempt(vt, 3, cache));
	VT_OK(attempt_cached(vt, 3, cache));
	drop(vt, cache);
}

/* ---- The folder ---- */

enum damage {
	DAMAGE_BIT,
	DAMAGE_CUT,
	DAMAGE_EMPTY,
	DAMAGE_LONGER,
	DAMAGE_FOLDER,
	DAMAGE_COUNT,
};

static void damage_file(const char *path, enum damage damage)
{
	int fd = open(path, O_RDWR);
	struct stat info;
	char byte = 0;

	VT_CHECK(fd >= 0 && !fstat(fd, &info), "%s", path);
	switch (damage) {
	case DAMAGE_BIT:
		VT_CHECK(pread(fd, &byte, 1, info.st_size / 2) == 1);
		byte ^= 4;
		VT_CHECK(pwrite(fd, &byte, 1, info.st_size / 2) == 1);
		break;
	case DAMAGE_CUT:
		VT_CHECK(!ftruncate(fd, info.st_size - 1));
		break;
	case DAMAGE_EMPTY:
		VT_CHECK(!ftruncate(fd, 0));
		break;
	case DAMAGE_LONGER:
		/* Beyond what a kernel may have, and none of it on the disk. */
		VT_CHECK(!ftruncate(fd, 1ll << 40) || !ftruncate(fd, 0));
		break;
	default:
		VT_CHECK(!unlink(path) && !mkdir(path, 0700));
		break;
	}
	close(fd);
}

/* Calls @damage_file, or removes the files where @damage is DAMAGE_COUNT. Returns how many there were. */
static uint32_t each_file(const char *folder, enum damage damage)
{
	DIR *stream = opendir(folder);
	struct dirent *item;
	uint32_t count = 0;

	while (stream && (item = readdir(stream))) {
		char path[512];

		if (item->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, item->d_name);
		count++;
		if (damage < DAMAGE_COUNT)
			damage_file(path, damage);
		else if (remove(path))
			count--;
	}
	if (stream)
		closedir(stream);
	return count;
}

static void check_folder(struct vt *vt, const char *folder)
{
	VkResult result = attempt_cached(vt, 3, VK_NULL_HANDLE);

	VT_CHECK(result == VK_PIPELINE_COMPILE_REQUIRED, "VkResult %d", result);
	VT_OK(attempt(vt, 3, VK_NULL_HANDLE));
	VT_OK(attempt_cached(vt, 3, VK_NULL_HANDLE));
	result = attempt_cached(vt, 4, VK_NULL_HANDLE);
	VT_CHECK(result == VK_PIPELINE_COMPILE_REQUIRED, "VkResult %d", result);
	for (enum damage damage = 0; damage < DAMAGE_COUNT; damage++) {
		VT_CHECK(each_file(folder, damage) > 0);
		result = attempt_cached(vt, 3, VK_NULL_HANDLE);
		VT_CHECK(result == VK_PIPELINE_COMPILE_REQUIRED, "damage %d: VkResult %d", damage,
			 result);
		VT_OK(attempt(vt, 3, VK_NULL_HANDLE));
		/* A folder in its place is not removed; all else is written anew. */
		if (damage != DAMAGE_FOLDER)
			VT_OK(attempt_cached(vt, 3, VK_NULL_HANDLE));
	}
	setenv("HEARTH_CACHE", "0", 1);
	result = attempt_cached(vt, 3, VK_NULL_HANDLE);
	VT_CHECK(result == VK_PIPELINE_COMPILE_REQUIRED, "VkResult %d", result);
	each_file(folder, DAMAGE_COUNT);
}

/* What comes from the folder is code that works. */
static void check_runs(struct vt *vt)
{
	struct vt_buffer data = vt_buffer(vt, 4096, STORAGE);
	const uint32_t pushed[2] = { 9, 1024 };
	VkCommandBuffer commands;
	struct vt_kernel kernel;
	VkDescriptorSet set;
	uint32_t wrong = 0;

	VT_OK(make(vt, &kernel, 3, VK_NULL_HANDLE));
	set = vt_set(vt, kernel.layouts[0]);
	vt_write_buffer(vt, set, 0, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &data, 0, VK_WHOLE_SIZE);
	commands = vt_begin(vt, VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT);
	vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.pipeline);
	vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.layout, 0, 1, &set,
				0, NULL);
	vkCmdPushConstants(commands, kernel.layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof(pushed),
			   pushed);
	vkCmdDispatch(commands, 1024, 1, 1);
	vt_run(vt, commands);
	for (uint32_t i = 0; i < 1024; i++)
		wrong += ((uint32_t *)data.map)[i] != 3 * i + 9;
	VT_CHECK(wrong == 0, "%u words", wrong);
	VT_OK(vkFreeDescriptorSets(vt->device, vt->sets, 1, &set));
	vt_kernel_free(vt, &kernel);
	vt_buffer_free(vt, &data);
}

static void test_disk(struct vt *vt)
{
	char folder[] = "/tmp/hearth-test-XXXXXX", inner[64];

	if (!vt->hearth) {
		vt_skip("the driver is no Hearth");
		return;
	}
	VT_CHECK(mkdtemp(folder) != NULL);
	/* Folders that are not there are made. */
	snprintf(inner, sizeof(inner), "%s/kernels", folder);
	setenv("HEARTH_CACHE_DIR", inner, 1);
	setenv("HEARTH_CACHE", "1", 1);
	check_folder(vt, inner);
	setenv("HEARTH_CACHE", "1", 1);
	VT_OK(attempt(vt, 3, VK_NULL_HANDLE));
	VT_OK(attempt_cached(vt, 3, VK_NULL_HANDLE));
	check_runs(vt);
	/* Where nothing can be written, kernels are made all the same. */
	setenv("HEARTH_CACHE_DIR", "/proc/nowhere", 1);
	VT_OK(attempt(vt, 3, VK_NULL_HANDLE));
	setenv("HEARTH_CACHE", "0", 1);
	each_file(inner, DAMAGE_COUNT);
	VT_CHECK(!rmdir(inner) && !rmdir(folder));
}

static const struct vt_test tests[] = {
	{ "kernels come back from a cache's data", test_return },
	{ "buffers too small for the data", test_small_buffers },
	{ "truncated data", test_truncated },
	{ "damaged data", test_damaged },
	{ "merged caches", test_merged },
	{ "only what is cached", test_only_cached },
	{ "the folder of kernels", test_disk },
};

int main(int argc, char **argv)
{
	struct vt vt;

	setenv("HEARTH_CACHE", "0", 1);
	vt_open(&vt, argc, argv, false);
	return vt_main(&vt, tests, sizeof(tests) / sizeof(tests[0]));
}
