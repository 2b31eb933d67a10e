// SPDX-License-Identifier: MIT
/* Buffers: zeroed, shared, counted, exhausted, exported. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"

#define MIB (1ull << 20)

static int fd;

static bool all(const void *data, uint64_t size, uint8_t value)
{
	const uint8_t *bytes = data;

	return bytes[0] == value && !memcmp(bytes, bytes + 1, size - 1);
}

static void test_zeroed(uint32_t placement, const char *what)
{
	uint32_t handle;
	bool zero = true;
	void *map;
	int i;

	for (i = 0; i < 4; i++) {
		if (hearth_drm_bo_create(fd, 4 * MIB, placement, &handle) ||
		    hearth_drm_bo_map(fd, handle, 4 * MIB, &map))
			die("a buffer", -ENOMEM);
		zero = zero && all(map, 4 * MIB, 0);
		memset(map, 0x5a, 4 * MIB);
		ok(all(map, 4 * MIB, 0x5a), "%s memory keeps what was written", what);
		munmap(map, 4 * MIB);
		hearth_drm_bo_close(fd, handle);
	}
	ok(zero, "%s memory is zero when it comes", what);
}

static void test_two_mappings(void)
{
	uint32_t handle;
	uint8_t *first, *second;

	hearth_drm_bo_create(fd, MIB, DRM_HEARTH_PLACEMENT_BOARD, &handle);
	hearth_drm_bo_map(fd, handle, MIB, (void **)&first);
	hearth_drm_bo_map(fd, handle, MIB, (void **)&second);
	first[4097] = 7;
	__sync_synchronize();
	is(second[4097], 7, "two mappings show one buffer");
	munmap(first, 4096);
	is(second[4097], 7, "one of them may go in part");
	hearth_drm_bo_close(fd, handle);
	first[4098] = 8;
	__sync_synchronize();
	is(second[4098], 8, "and both outlive the handle");
	munmap(first + 4096, MIB - 4096);
	munmap(second, MIB);
}

static void test_exhaust(void)
{
	uint64_t before = board_free();
	uint32_t handles[512], count;
	int ret = 0;

	for (count = 0; count < 512; count++) {
		ret = hearth_drm_bo_create(fd, 64 * MIB, DRM_HEARTH_PLACEMENT_BOARD,
					   &handles[count]);
		if (ret)
			break;
	}
	is(ret, -ENOSPC, "board memory ends");
	ok(count >= 1 && count <= before / (64 * MIB), "after %u buffers of 64 MiB", count);
	is(board_free(), before - count * 64 * MIB, "and is counted");
	while (count--)
		hearth_drm_bo_close(fd, handles[count]);
	is(board_free(), before, "all of it comes back");
}

static void test_host_pressure(void)
{
	uint32_t handle;
	int ret = hearth_drm_bo_create(fd, 8192 * MIB, DRM_HEARTH_PLACEMENT_HOST, &handle);

	ok(ret == -ENOSPC || ret == -ENOMEM, "more host memory than the machine has is refused");
}

static void test_share(uint32_t placement, const char *what)
{
	int other = open_board(), dmabuf = -1, ret;
	uint32_t handle, again;
	uint8_t *first, *second;
	void *map;

	hearth_drm_bo_create(fd, 65536, placement, &handle);
	hearth_drm_bo_map(fd, handle, 65536, (void **)&first);
	first[100] = 42;
	is(hearth_drm_bo_export(fd, handle, &dmabuf), 0, what);
	is(hearth_drm_bo_import(other, dmabuf, &again), 0, "another file imports it");
	is(hearth_drm_bo_map(other, again, 65536, (void **)&second), 0, "and maps it");
	is(second[100], 42, "it is the same");
	map = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, dmabuf, 0);
	ok(map != MAP_FAILED && ((volatile uint8_t *)map)[100] == 42, "mapped by its dma-buf");
	if (map != MAP_FAILED)
		munmap(map, 65536);
	close(dmabuf);
	hearth_drm_bo_close(fd, handle);
	is(second[100], 42, "it lives while one of them has it");
	munmap(first, 65536);
	munmap(second, 65536);
	close(other);
	ret = hearth_drm_bo_import(fd, open("/dev/null", 0), &again);
	ok(ret < 0, "a file that is no dma-buf is refused");
}

/*
 * 320 MiB of host memory come and go, each buffer by another way. Were they kept, the suite would see
 * it once the module is unloaded.
 */
static void test_churn(void)
{
	int i, bad = 0;

	for (i = 0; i < 80; i++) {
		int file = open_board(), dmabuf = -1;
		uint32_t handle, vm;
		void *map;

		if (hearth_drm_bo_create(file, 4 * MIB, DRM_HEARTH_PLACEMENT_HOST, &handle) ||
		    hearth_drm_vm_create(file, &vm) ||
		    hearth_drm_vm_map(file, vm, handle, 0, 0x100000, 4 * MIB, 0) ||
		    hearth_drm_bo_map(file, handle, 4 * MIB, &map)) {
			bad++;
			close(file);
			continue;
		}
		*(volatile uint8_t *)map = 1;
		if (i % 4 == 1)
			hearth_drm_bo_close(file, handle);
		else if (i % 4 == 2)
			hearth_drm_vm_unmap(file, vm, 0x100000, 4 * MIB);
		else if (i % 4 == 3)
			hearth_drm_bo_export(file, handle, &dmabuf);
		if (dmabuf >= 0)
			close(dmabuf);
		close(file);
		munmap(map, 4 * MIB);
	}
	is(bad, 0, "80 buffers of 4 MiB, bound and mapped, come and go");
}

int main(void)
{
	uint64_t before;

	fd = open_board();
	before = board_free();
	test_zeroed(DRM_HEARTH_PLACEMENT_BOARD, "board");
	test_zeroed(DRM_HEARTH_PLACEMENT_HOST, "host");
	test_two_mappings();
	test_exhaust();
	test_host_pressure();
	test_churn();
	test_share(DRM_HEARTH_PLACEMENT_HOST, "host memory is exported");
	test_share(DRM_HEARTH_PLACEMENT_BOARD, "board memory is exported");
	is(board_free(), before, "nothing is lost");
	close(fd);
	return done();
}
