// SPDX-License-Identifier: MIT
/* Every ioctl with good and with bad arguments, and every error that its description names. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

static int fd;

static int query(uint32_t type, void *out, uint32_t *size)
{
	struct drm_hearth_dev_query args = { type, *size, (uintptr_t)out };
	int ret = raw_ioctl(fd, DRM_IOCTL_HEARTH_DEV_QUERY, &args);

	*size = args.size;
	return ret;
}

static void test_query(void)
{
	struct drm_hearth_query_device device = { 0 };
	struct drm_hearth_query_firmware firmware = { 0 };
	struct drm_hearth_query_memory memory = { 0 };
	uint8_t large[600];
	uint32_t size = 0;

	is(query(DRM_HEARTH_QUERY_DEVICE, NULL, &size), 0, "query without pointer");
	is(size, sizeof(device), "tells the size");
	is(query(99, NULL, &size), -EINVAL, "unknown query refused");
	size = sizeof(device);
	is(query(DRM_HEARTH_QUERY_DEVICE, (void *)8, &size), -EFAULT, "bad pointer refused");
	size = 5000;
	is(query(DRM_HEARTH_QUERY_DEVICE, large, &size), -EINVAL, "too large a structure refused");

	memset(large, 0xaa, sizeof(large));
	size = sizeof(large);
	is(query(DRM_HEARTH_QUERY_DEVICE, large, &size), 0, "a newer caller's structure");
	ok(!large[sizeof(device)] && !large[sizeof(large) - 1], "is zeroed beyond ours");
	memset(large, 0xaa, sizeof(large));
	size = 16;
	is(query(DRM_HEARTH_QUERY_DEVICE, large, &size), 0, "an older caller's structure");
	ok(large[16] == 0xaa, "is not written beyond its end");

	is(hearth_drm_query_device(fd, &device), 0, "device query");
	is(device.hbi_version >> 16, HBI_VERSION_MAJOR, "major version of the interface");
	ok(device.workers >= 1 && device.max_queues >= 1, "workers and queues");
	ok(device.va_start > 0 && device.va_end <= HBI_RETURN_ADDRESS, "bindable addresses");
	ok(device.caps & HBI_CAP_COMPUTE, "the board computes");
	ok(strnlen((char *)device.board_name, 64) > 0, "the board has a name: %.64s",
	   (char *)device.board_name);
	is(hearth_drm_query_firmware(fd, &firmware), 0, "firmware query");
	is(firmware.state, HBI_STATE_RUNNING, "firmware runs");
	ok(strnlen((char *)firmware.version, 32) > 0, "firmware has a version: %.32s",
	   (char *)firmware.version);
	is(hearth_drm_query_memory(fd, &memory), 0, "memory query");
	ok(memory.board_total >= memory.board_free && memory.board_free > 0,
	   "memory is %llu MiB, %llu MiB free", (unsigned long long)memory.board_total >> 20,
	   (unsigned long long)memory.board_free >> 20);
}

static int bo_create(struct drm_hearth_bo_create args)
{
	int ret = raw_ioctl(fd, DRM_IOCTL_HEARTH_BO_CREATE, &args);

	if (!ret)
		hearth_drm_bo_close(fd, args.handle);
	return ret;
}

static void test_bo(void)
{
	const uint32_t board = DRM_HEARTH_PLACEMENT_BOARD, host = DRM_HEARTH_PLACEMENT_HOST;
	struct drm_hearth_bo_create args = { .size = 1, .placement = board };
	struct drm_hearth_bo_info info;
	void *map;

	is(bo_create((struct drm_hearth_bo_create){ 0, board }), -EINVAL, "buffer of 0 bytes");
	is(bo_create((struct drm_hearth_bo_create){ 4096, 0 }), -EINVAL, "placement 0");
	is(bo_create((struct drm_hearth_bo_create){ 4096, 3 }), -EINVAL, "placement 3");
	is(bo_create((struct drm_hearth_bo_create){ 4096, board, 1 }), -EINVAL, "unknown flag");
	is(bo_create((struct drm_hearth_bo_create){ 4096, board, 0, 0, 1 }), -EINVAL, "padding");
	is(bo_create((struct drm_hearth_bo_create){ 1ull << 45, board }), -ENOSPC,
	   "32 TiB of board");
	is(bo_create((struct drm_hearth_bo_create){ 1ull << 45, host }), -ENOSPC, "32 TiB of host");
	is(bo_create((struct drm_hearth_bo_create){ ~0ull, board }), -ENOSPC, "2^64 - 1 bytes");

	is(raw_ioctl(fd, DRM_IOCTL_HEARTH_BO_CREATE, &args), 0, "buffer of 1 byte");
	is(args.size, 4096, "is rounded up");
	is(hearth_drm_bo_info(fd, args.handle, &info), 0, "asked about");
	ok(info.size == 4096 && info.placement == board && info.mmap_offset, "it is as made");
	is(hearth_drm_bo_info(fd, 0, &info), -ENOENT, "handle 0");
	is(hearth_drm_bo_info(fd, 12345, &info), -ENOENT, "unknown handle");

	hearth_drm_bo_info(fd, args.handle, &info);
	map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, info.mmap_offset);
	ok(map == MAP_FAILED && errno == EINVAL, "private mapping refused");
	map = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, info.mmap_offset);
	ok(map == MAP_FAILED && errno == EINVAL, "mapping beyond the end refused");
	map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	ok(map == MAP_FAILED, "mapping of offset 0 refused");
	is(hearth_drm_bo_close(fd, args.handle), 0, "closed");
	ok(hearth_drm_bo_close(fd, args.handle) < 0, "twice refused");
	map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, info.mmap_offset);
	ok(map == MAP_FAILED, "mapping after close refused");
}

static void test_vm(void)
{
	struct drm_hearth_vm_create create = { .flags = 1 };
	struct drm_hearth_vm_destroy destroy = { .pad = 1 };
	uint32_t ids[80], count, id, i;
	int ret;

	is(raw_ioctl(fd, DRM_IOCTL_HEARTH_VM_CREATE, &create), -EINVAL, "unknown flag");
	is(hearth_drm_vm_create(fd, &id), 0, "address space made");
	ok(id != 0, "its id is not 0");
	destroy.vm_id = id;
	is(raw_ioctl(fd, DRM_IOCTL_HEARTH_VM_DESTROY, &destroy), -EINVAL, "padding");
	is(hearth_drm_vm_destroy(fd, id), 0, "destroyed");
	is(hearth_drm_vm_destroy(fd, id), -ENOENT, "twice refused");
	is(hearth_drm_vm_destroy(fd, 0), -ENOENT, "id 0");
	is(hearth_drm_vm_destroy(fd, ~0u), -ENOENT, "id 2^32 - 1");
	for (count = 0; count < 80; count++) {
		ret = hearth_drm_vm_create(fd, &ids[count]);
		if (ret)
			break;
	}
	ok(count > 1 && count < 80 && ret == -EBUSY, "%u address spaces, then no more", count);
	for (i = 0; i < count; i++)
		hearth_drm_vm_destroy(fd, ids[i]);
	is(hearth_drm_vm_create(fd, &id), 0, "after destroying them, one more");
	hearth_drm_vm_destroy(fd, id);
}

static int bind(uint32_t vm, uint32_t op, uint32_t flags, uint32_t handle, uint64_t offset,
		uint64_t va, uint64_t range)
{
	struct drm_hearth_vm_bind args = { vm, op, flags, handle, offset, va, range };

	return raw_ioctl(fd, DRM_IOCTL_HEARTH_VM_BIND, &args);
}

static void test_bind(void)
{
	const uint64_t va = 0x1000000, end = HBI_RETURN_ADDRESS;
	const uint32_t map = DRM_HEARTH_VM_BIND_MAP, unmap = DRM_HEARTH_VM_BIND_UNMAP;
	uint32_t vm, board, host;

	hearth_drm_vm_create(fd, &vm);
	hearth_drm_bo_create(fd, 65536, DRM_HEARTH_PLACEMENT_BOARD, &board);
	hearth_drm_bo_create(fd, 65536, DRM_HEARTH_PLACEMENT_HOST, &host);
	is(bind(0, map, 0, board, 0, va, 4096), -ENOENT, "no such address space");
	is(bind(vm, map, 0, 777, 0, va, 4096), -ENOENT, "no such buffer");
	is(bind(vm, 2, 0, board, 0, va, 4096), -EINVAL, "unknown operation");
	is(bind(vm, map, 4, board, 0, va, 4096), -EINVAL, "unknown flag");
	is(bind(vm, map, 0, board, 1, va, 4096), -EINVAL, "odd offset");
	is(bind(vm, map, 0, board, 0, va + 64, 4096), -EINVAL, "odd address");
	is(bind(vm, map, 0, board, 0, va, 100), -EINVAL, "odd range");
	is(bind(vm, map, 0, board, 0, va, 0), -EINVAL, "empty range");
	is(bind(vm, map, 0, board, 0, 0, 4096), -EINVAL, "address 0");
	is(bind(vm, map, 0, board, 0, 0x8000, 0x10000), -EINVAL, "below the first address");
	is(bind(vm, map, 0, board, 0, end, 4096), -EINVAL, "the return page");
	is(bind(vm, map, 0, board, 0, end - 4096, 8192), -EINVAL, "over the return page");
	is(bind(vm, map, 0, board, 0, 1ull << 47, 4096), -EINVAL, "2^47");
	is(bind(vm, map, 0, board, 0, ~0xfffull, 4096), -EINVAL, "the last page of all");
	is(bind(vm, map, 0, board, 0, va, ~0xfffull), -EINVAL, "a range that wraps");
	is(bind(vm, map, 0, board, 0, va, 65536 + 4096), -EINVAL, "more than the buffer");
	is(bind(vm, map, 0, board, 65536, va, 4096), -EINVAL, "offset behind the buffer");
	is(bind(vm, map, 0, board, ~0xfffull, va, 8192), -EINVAL, "offset that wraps");
	is(bind(vm, map, DRM_HEARTH_VM_BIND_EXEC, host, 0, va, 4096), -EINVAL,
	   "EXEC of host memory");
	is(bind(vm, unmap, 1, 0, 0, va, 4096), -EINVAL, "flags of an unmap");
	is(bind(vm, unmap, 0, board, 0, va, 4096), -EINVAL, "buffer of an unmap");
	is(bind(vm, unmap, 0, 0, 4096, va, 4096), -EINVAL, "offset of an unmap");
	is(bind(vm, unmap, 0, 0, 0, va, 4096), 0, "unmap of nothing");
	is(bind(vm, unmap, 0, 0, 0, 0x10000, end - 0x10000), 0, "unmap of everything");
	is(bind(vm, map, 0, board, 0, end - 65536, 65536), 0, "the last pages");
	is(bind(vm, map, 0, host, 0, 0x10000, 65536), 0, "the first pages");
	is(bind(vm, map, 0, board, 4096, 0x14000, 8192), 0, "over a part of them");
	is(bind(vm, unmap, 0, 0, 0, 0x10000, end - 0x10000), 0, "unmap of everything");
	hearth_drm_bo_close(fd, board);
	hearth_drm_bo_close(fd, host);
	is(hearth_drm_vm_destroy(fd, vm), 0, "destroyed");
}

static int queue_create(struct drm_hearth_queue_create args)
{
	struct drm_hearth_queue_destroy destroy = { 0 };
	int ret = raw_ioctl(fd, DRM_IOCTL_HEARTH_QUEUE_CREATE, &args);

	if (!ret) {
		destroy.queue_id = args.queue_id;
		raw_ioctl(fd, DRM_IOCTL_HEARTH_QUEUE_DESTROY, &destroy);
	}
	return ret;
}

static void test_priority(struct drm_hearth_queue_create args)
{
	int status = -1;
	pid_t child;

	args.priority = 3;
	is(queue_create(args), 0, "priority 3 with CAP_SYS_NICE");
	child = fork();
	if (!child) {
		if (setuid(1000))
			_exit(2);
		_exit(queue_create(args) == -EACCES ? 0 : 1);
	}
	waitpid(child, &status, 0);
	is(status, 0, "priority 3 without is refused");
}

static void test_queue_pages(const struct drm_hearth_queue_create *args)
{
	void *map;

	map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, args->status_offset);
	ok(map == MAP_FAILED && errno == EACCES, "status page for writing refused");
	map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, args->status_offset);
	ok(map != MAP_FAILED, "status page for reading");
	ok(mprotect(map, 4096, PROT_READ | PROT_WRITE) && errno == EACCES, "made writable refused");
	munmap(map, 4096);
	map = mmap(NULL, 4096, PROT_WRITE, MAP_PRIVATE, fd, args->doorbell_offset);
	ok(map == MAP_FAILED && errno == EINVAL, "private doorbell refused");
	map = mmap(NULL, 8192, PROT_WRITE, MAP_SHARED, fd, args->doorbell_offset);
	ok(map == MAP_FAILED, "two pages of doorbell refused");
	map = mmap(NULL, 4096, PROT_EXEC, MAP_SHARED, fd, args->doorbell_offset);
	ok(map == MAP_FAILED, "doorbell for execution refused");
	/* Offsets are of the file that made the queue. */
	{
		int other = open_board();

		map = mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, other, args->doorbell_offset);
		ok(map == MAP_FAILED && errno == EACCES, "another file's doorbell refused");
		map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, other, args->status_offset);
		ok(map == MAP_FAILED && errno == EACCES, "another file's status refused");
		close(other);
	}
}

static void test_queue(void)
{
	struct drm_hearth_queue_create good = { .ring_log2 = 6, .ring_va = 0x1000000 };
	struct drm_hearth_queue_create args;
	struct drm_hearth_queue_destroy destroy = { .pad = 1 };
	struct drm_hearth_queue_wait wait = { .pad = 1 };
	struct drm_hearth_queue_state state = { 0 };
	struct drm_hearth_query_device device;
	uint32_t ring, count;
	int ret;

	hearth_drm_query_device(fd, &device);
	hearth_drm_vm_create(fd, &good.vm_id);
	is(queue_create(good), -EINVAL, "ring that is not bound");
	hearth_drm_bo_create(fd, 4096, DRM_HEARTH_PLACEMENT_HOST, &ring);
	bind(good.vm_id, DRM_HEARTH_VM_BIND_MAP, 0, ring, 0, good.ring_va, 4096);
	is(queue_create(good), 0, "good queue");
	args = good, args.vm_id = 99;
	is(queue_create(args), -ENOENT, "no such address space");
	args = good, args.flags = 2;
	is(queue_create(args), -EINVAL, "unknown flag");
	args = good, args.ring_log2 = 0;
	is(queue_create(args), -EINVAL, "ring of one packet");
	args = good, args.ring_log2 = device.ring_log2_max + 1;
	is(queue_create(args), -EINVAL, "ring larger than the board's");
	args = good, args.ring_log2 = 7;
	is(queue_create(args), -EINVAL, "ring half bound");
	args = good, args.ring_va += 32;
	is(queue_create(args), -EINVAL, "ring not aligned");
	args = good, args.ring_va = ~63ull;
	is(queue_create(args), -EINVAL, "ring at the end of all addresses");
	args = good, args.priority = 4;
	is(queue_create(args), -EINVAL, "priority 4");
	args = good, args.timeout_ms = 4000000;
	is(queue_create(args), -EINVAL, "time limit of more than an hour");
	test_priority(good);

	args = good;
	is(raw_ioctl(fd, DRM_IOCTL_HEARTH_QUEUE_CREATE, &args), 0, "queue made");
	test_queue_pages(&args);
	is(hearth_drm_vm_destroy(fd, good.vm_id), -EBUSY, "its address space is busy");
	wait.queue_id = args.queue_id;
	is(raw_ioctl(fd, DRM_IOCTL_HEARTH_QUEUE_WAIT, &wait), -EINVAL, "padding of a wait");
	wait.pad = 0;
	is(raw_ioctl(fd, DRM_IOCTL_HEARTH_QUEUE_WAIT, &wait), 0, "wait for nothing");
	wait.completed = 1;
	is(raw_ioctl(fd, DRM_IOCTL_HEARTH_QUEUE_WAIT, &wait), -ETIME, "wait without sleep");
	wait.timeout_ns = -5;
	is(raw_ioctl(fd, DRM_IOCTL_HEARTH_QUEUE_WAIT, &wait), -ETIME, "wait until before");
	wait.timeout_ns = now_ns() + 50000000;
	is(raw_ioctl(fd, DRM_IOCTL_HEARTH_QUEUE_WAIT, &wait), -ETIME, "wait for 50 ms");
	ok(now_ns() >= wait.timeout_ns, "was not shorter");
	wait.completed = ~0ull;
	wait.timeout_ns = now_ns() + 1000000;
	is(raw_ioctl(fd, DRM_IOCTL_HEARTH_QUEUE_WAIT, &wait), -ETIME, "wait for 2^64 - 1");
	wait.queue_id = 0;
	is(raw_ioctl(fd, DRM_IOCTL_HEARTH_QUEUE_WAIT, &wait), -ENOENT, "wait for queue 0");
	state.queue_id = args.queue_id;
	is(raw_ioctl(fd, DRM_IOCTL_HEARTH_QUEUE_STATE, &state), 0, "state");
	is(state.state, HBI_QUEUE_LIVE, "it lives");
	is(state.error, HBI_OK, "without error");
	state.queue_id = 4711;
	is(raw_ioctl(fd, DRM_IOCTL_HEARTH_QUEUE_STATE, &state), -ENOENT, "state of none");
	destroy.queue_id = args.queue_id;
	is(raw_ioctl(fd, DRM_IOCTL_HEARTH_QUEUE_DESTROY, &destroy), -EINVAL, "padding of destroy");
	destroy.pad = 0;
	is(raw_ioctl(fd, DRM_IOCTL_HEARTH_QUEUE_DESTROY, &destroy), 0, "destroyed");
	is(raw_ioctl(fd, DRM_IOCTL_HEARTH_QUEUE_DESTROY, &destroy), -ENOENT, "twice refused");
	ok(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, fd, args.doorbell_offset) == MAP_FAILED,
	   "its doorbell cannot be mapped any more");

	for (count = 0; count < 1000; count++) {
		args = good;
		ret = raw_ioctl(fd, DRM_IOCTL_HEARTH_QUEUE_CREATE, &args);
		if (ret)
			break;
	}
	ok(ret == -EBUSY && count > 0 && count <= device.max_queues, "%u queues, then no more",
	   count);
	/* The rest is left to the file's close. */
}

int main(void)
{
	uint32_t vm;

	fd = open_board();
	is(raw_ioctl(fd, DRM_IOWR(DRM_COMMAND_BASE + 0x0a, uint64_t), &vm), -EINVAL,
	   "unknown ioctl");
	test_query();
	test_bo();
	test_vm();
	test_bind();
	test_queue();
	close(fd);
	fd = open_board();
	is(hearth_drm_vm_create(fd, &vm), 0, "after close, everything can be had again");
	close(fd);
	return done();
}
