// SPDX-License-Identifier: MIT
/*
 * Buffers of the process's own pages: what the board sees is what the process sees, for as long as the
 * buffer lives, within the limits of the process and of the user; and what cannot be pinned.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define MIB    (1ull << 20)
#define NOBODY 65534
#define VA     0x30000000ull

static int userptr(int fd, uint64_t address, uint64_t size, uint32_t flags, uint32_t *handle)
{
	struct drm_hearth_bo_userptr args = { address, size, flags };
	int ret = raw_ioctl(fd, DRM_IOCTL_HEARTH_BO_USERPTR, &args);

	*handle = args.handle;
	return ret;
}

static void *pages(uint64_t size, int rights)
{
	void *memory = mmap(NULL, size, rights, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		die("memory", -errno);
	return memory;
}

/* Pinned pages of this process, in KiB, as the kernel counts them. */
static long pinned(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[128];
	long kib = -1;

	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "VmPin: %ld", &kib);
	if (file)
		fclose(file);
	return kib;
}

static void test_refused(struct context *context)
{
	uint8_t *memory = pages(4 * 4096, PROT_READ | PROT_WRITE);
	uint64_t at = (uintptr_t)memory;
	struct buffer board = context_buffer(context, 4096, DRM_HEARTH_PLACEMENT_BOARD, 0);
	uint32_t handle;
	int fd = context->fd;

	is(userptr(fd, at, 4096, 2, &handle), -EINVAL, "unknown flag");
	is(userptr(fd, at, 0, 0, &handle), -EINVAL, "no bytes");
	is(userptr(fd, at + 64, 4096, 0, &handle), -EINVAL, "address within a page");
	is(userptr(fd, at, 4095, 0, &handle), -EINVAL, "size within a page");
	is(userptr(fd, at, 1ull << 46, 0, &handle), -ENOSPC, "more than the machine has");
	is(userptr(fd, 0, 4096, 0, &handle), -EFAULT, "address 0");
	is(userptr(fd, ~0xfffull, 4096, 0, &handle), -EFAULT, "the last page of all");
	is(userptr(fd, 0xffff888000000000ull, 4096, 0, &handle), -EFAULT, "the kernel's memory");
	is(userptr(fd, ~0xfffull, 8192, 0, &handle), -EFAULT, "a range that wraps around");
	is(userptr(fd, (uintptr_t)board.map, 4096, 0, &handle), -EFAULT, "mapped board memory");
	is(userptr(fd, (uintptr_t)context->queue.doorbell, 4096, 0, &handle), -EFAULT,
	   "a doorbell");
	munmap(memory + 2 * 4096, 4096);
	is(userptr(fd, at, 4 * 4096, 0, &handle), -EFAULT, "pages with a hole in them");
	mprotect(memory, 4096, PROT_READ);
	is(userptr(fd, at, 4096, 0, &handle), -EFAULT, "pages that may not be written");
	is(pinned(), 0, "nothing of it stays pinned");
	munmap(memory, 4 * 4096);
	munmap(board.map, board.size);
}

/* Board copies @memory's first half to its second, through @va. */
static int copy_half(struct context *context, uint64_t va, uint64_t size)
{
	push_copy(context, va, va + size / 2, size / 2);
	return context_submit(context);
}

static void test_used(struct context *context, const char *what, uint8_t *memory, uint64_t size)
{
	struct drm_hearth_bo_info info;
	uint32_t handle;
	uint64_t i, wrong = 0;
	int dmabuf;

	for (i = 0; i < size / 2; i++)
		memory[i] = (uint8_t)(i * 7 + i / 4096);
	is(hearth_drm_bo_userptr(context->fd, memory, size, 0, &handle), 0, what);
	hearth_drm_bo_info(context->fd, handle, &info);
	ok(info.size == size && info.placement == DRM_HEARTH_PLACEMENT_HOST && !info.mmap_offset &&
		   info.flags == DRM_HEARTH_BO_IS_USERPTR,
	   "asked about, it is as made");
	is(pinned(), (long)(size >> 10), "its pages are counted");
	is(hearth_drm_bo_export(context->fd, handle, &dmabuf), -EPERM, "it is not exported");
	is(hearth_drm_vm_map(context->fd, context->vm, handle, 0, VA, size,
			     DRM_HEARTH_VM_BIND_EXEC),
	   -EINVAL, "nor executed");
	is(hearth_drm_vm_map(context->fd, context->vm, handle, 0, VA, size, 0), 0, "it is bound");
	is(copy_half(context, VA, size), 0, "the board copies in it");
	for (i = 0; i < size / 2; i++)
		wrong += memory[size / 2 + i] != (uint8_t)(i * 7 + i / 4096);
	is((int64_t)wrong, 0, "and the process sees it");
	hearth_drm_bo_close(context->fd, handle);
	memset(memory, 0x33, size / 2);
	is(copy_half(context, VA, size), 0, "it outlives its handle");
	is(memory[size - 1], 0x33, "with the same memory");
	hearth_drm_vm_unmap(context->fd, context->vm, VA, size);
	is(pinned(), 0, "and is unpinned with its last binding");
}

static void test_readonly(struct context *context)
{
	uint8_t *memory = pages(MIB, PROT_READ | PROT_WRITE);
	struct buffer board = context_buffer(context, 4096, DRM_HEARTH_PLACEMENT_HOST, 0);
	uint32_t handle;

	memset(memory, 0x44, MIB);
	mprotect(memory, MIB, PROT_READ);
	is(hearth_drm_bo_userptr(context->fd, memory, MIB, DRM_HEARTH_BO_USERPTR_READONLY, &handle),
	   0, "pages that may only be read");
	is(hearth_drm_vm_map(context->fd, context->vm, handle, 0, VA, MIB, 0), -EACCES,
	   "are not bound for writing");
	is(hearth_drm_vm_map(context->fd, context->vm, handle, 0, VA, MIB,
			     DRM_HEARTH_VM_BIND_READONLY),
	   0, "but for reading");
	push_copy(context, VA + MIB - 4096, board.va, 4096);
	is(context_submit(context), 0, "the board reads them");
	is(((volatile uint8_t *)board.map)[4095], 0x44, "as they are");
	hearth_drm_bo_close(context->fd, handle);
	hearth_drm_vm_unmap(context->fd, context->vm, VA, MIB);
	munmap(memory, MIB);
	munmap(board.map, board.size);
}

/* What the process does with its mappings afterwards is no business of the buffer's. */
static void test_outlives(struct context *context)
{
	uint8_t *memory = pages(MIB, PROT_READ | PROT_WRITE);
	struct buffer out = context_buffer(context, 4096, DRM_HEARTH_PLACEMENT_HOST, 0);
	uint32_t handle;
	int status;
	pid_t child;

	memset(memory, 0x55, MIB);
	hearth_drm_bo_userptr(context->fd, memory, MIB, 0, &handle);
	hearth_drm_vm_map(context->fd, context->vm, handle, 0, VA, MIB, 0);
	child = fork();
	if (!child) {
		memset(memory, 0x66, MIB);
		_exit(0);
	}
	waitpid(child, &status, 0);
	memory[5] = 0x77;
	push_copy(context, VA, out.va, 4096);
	is(context_submit(context), 0, "after a fork the board reads");
	ok(((volatile uint8_t *)out.map)[4] == 0x55 && ((volatile uint8_t *)out.map)[5] == 0x77,
	   "what the parent wrote, not the child");
	munmap(memory, MIB);
	memory = pages(MIB, PROT_READ | PROT_WRITE);
	memset(memory, 0x11, MIB);
	push_fill(context, VA, MIB, 0x22222222);
	push_copy(context, VA + MIB - 4096, out.va, 4096);
	is(context_submit(context), 0, "unmapped, it is the board's still");
	is(((volatile uint8_t *)out.map)[0], 0x22, "with what the board wrote");
	is(memory[0], 0x11, "and new memory of the process is not touched");
	hearth_drm_bo_close(context->fd, handle);
	hearth_drm_vm_unmap(context->fd, context->vm, VA, MIB);
	munmap(memory, MIB);
	munmap(out.map, out.size);
}

/* In a child that may not lock more than 1 MiB. Returns a bit for each thing that is wrong. */
static int limited(int fd)
{
	struct rlimit limit = { MIB, MIB };
	uint8_t *memory = pages(2 * MIB, PROT_READ | PROT_WRITE);
	uint32_t handles[3];
	int wrong = 0;

	if (setrlimit(RLIMIT_MEMLOCK, &limit) || setgid(NOBODY) || setuid(NOBODY))
		return 64;
	wrong |= hearth_drm_bo_userptr(fd, memory, MIB / 2, 0, &handles[0]) ? 1 : 0;
	wrong |= hearth_drm_bo_userptr(fd, memory, MIB / 2, 0, &handles[1]) ? 2 : 0;
	wrong |= hearth_drm_bo_userptr(fd, memory + MIB, 4096, 0, &handles[2]) != -ENOMEM ? 4 : 0;
	wrong |= pinned() != 1024 ? 8 : 0;
	hearth_drm_bo_close(fd, handles[0]);
	wrong |= hearth_drm_bo_userptr(fd, memory + MIB, 4096, 0, &handles[2]) ? 16 : 0;
	hearth_drm_bo_close(fd, handles[1]);
	hearth_drm_bo_close(fd, handles[2]);
	wrong |= pinned() ? 32 : 0;
	return wrong;
}

static void test_limit(void)
{
	int fd = open_board(), status;
	pid_t child = fork();

	if (!child)
		_exit(limited(fd));
	waitpid(child, &status, 0);
	is(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0, "RLIMIT_MEMLOCK holds");
	close(fd);
}

static void set_quota(const char *name, unsigned int mib)
{
	char path[96], text[16];
	int file;

	snprintf(path, sizeof(path), "/sys/module/hearth/parameters/%s", name);
	snprintf(text, sizeof(text), "%u", mib);
	file = open(path, O_WRONLY);
	if (file < 0 || write(file, text, strlen(text)) < 0)
		die(path, -errno);
	close(file);
}

static struct drm_hearth_query_quota quota(int fd)
{
	struct drm_hearth_query_quota quota = { 0 };

	is(hearth_drm_query_quota(fd, &quota), 0, "asked for the quota");
	return quota;
}

/* Another user, with a file of its own, has a quota of its own. */
static int other_user(uint32_t placement)
{
	uint32_t handle;
	int fd;

	if (setgid(NOBODY) || setuid(NOBODY))
		return 1;
	fd = hearth_drm_open(guest_node());
	if (fd < 0)
		return 2;
	if (hearth_drm_bo_create(fd, 6 * MIB, placement, &handle))
		return 4;
	return hearth_drm_bo_create(fd, 6 * MIB, placement, &handle) == -ENOSPC ? 0 : 8;
}

static void test_quota(const char *parameter, uint32_t placement, const char *what)
{
	struct drm_hearth_query_quota before, after;
	uint8_t *memory = pages(6 * MIB, PROT_READ | PROT_WRITE);
	uint32_t one, two, vm, i, refused = 0;
	int first = open_board(), second = open_board(), status;
	bool board = placement == DRM_HEARTH_PLACEMENT_BOARD;
	pid_t child;

	printf("# quota of %s memory\n", what);
	set_quota(parameter, 8);
	before = quota(first);
	is((int64_t)(board ? before.board_limit : before.host_limit), 8 * MIB, "it is as set");
	is(hearth_drm_bo_create(first, 6 * MIB, placement, &one), 0, "6 of 8 MiB");
	is(hearth_drm_bo_create(first, 6 * MIB, placement, &two), -ENOSPC,
	   "and 6 more are refused");
	is(hearth_drm_bo_create(second, 6 * MIB, placement, &two), -ENOSPC,
	   "by another file of the user, too");
	after = quota(second);
	is((int64_t)(board ? after.board_used - before.board_used
			   : after.host_used - before.host_used),
	   6 * MIB, "what is used is told");
	if (!board)
		is(hearth_drm_bo_userptr(second, memory, 6 * MIB, 0, &two), -ENOSPC,
		   "and pinned pages count");

	/* Tables are board memory, and a process can ask for any number of them. */
	if (board) {
		is(hearth_drm_vm_create(first, &vm), 0, "an address space");
		for (i = 0; i < 2000 && !refused; i++)
			refused = hearth_drm_vm_map(first, vm, one, 0, (i + 1ull) << 30, 4096, 0) ==
				  -ENOSPC;
		ok(refused, "page tables count: refused after %u ranges", i);
		set_quota(parameter, 1);
		is(hearth_drm_vm_unmap(first, vm, 1ull << 30, 1ull << 31), 0,
		   "what is over the quota can be given back");
		set_quota(parameter, 8);
		is(hearth_drm_vm_unmap(first, vm, 1ull << 30, 1ull << 44), 0, "all of it");
		is(hearth_drm_vm_map(first, vm, one, 0, 1ull << 30, 4096, 0), 0, "for others");
		is(hearth_drm_vm_destroy(first, vm), 0, "the address space goes");
	}

	chmod(guest_node(), 0666);
	child = fork();
	if (!child)
		_exit(other_user(placement));
	waitpid(child, &status, 0);
	is(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0, "another user has 8 MiB of its own");
	chmod(guest_node(), 0600);

	hearth_drm_bo_close(first, one);
	is(hearth_drm_bo_create(second, 6 * MIB, placement, &two), 0, "what is closed can be had");
	set_quota(parameter, 1);
	is(hearth_drm_bo_create(second, 4096, placement, &one), -ENOSPC, "a lowered quota holds");
	set_quota(parameter, 0);
	is(hearth_drm_bo_create(second, 6 * MIB, placement, &one), 0, "without a quota all may go");
	close(first);
	close(second);
	munmap(memory, 6 * MIB);
}

int main(void)
{
	struct drm_hearth_query_quota last;
	uint64_t size = 3 * MIB + 8192;
	struct context context;
	uint8_t *memory;
	int fd, memfd;

	context_open(&context, 0);
	test_refused(&context);
	memory = pages(size, PROT_READ | PROT_WRITE);
	test_used(&context, "anonymous memory", memory, size);
	munmap(memory, size);
	memfd = memfd_create("shared", 0);
	if (memfd < 0 || ftruncate(memfd, size))
		die("a memfd", -errno);
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	test_used(&context, "shared memory", memory, size);
	munmap(memory, size);
	close(memfd);
	test_readonly(&context);
	test_outlives(&context);
	context_close(&context);
	test_limit();
	test_quota("user_board_mib", DRM_HEARTH_PLACEMENT_BOARD, "board");
	test_quota("user_host_mib", DRM_HEARTH_PLACEMENT_HOST, "host");
	fd = open_board();
	last = quota(fd);
	ok(!last.board_used && !last.host_used, "in the end nothing is in use");
	close(fd);
	return done();
}
