// SPDX-License-Identifier: MIT
/*
 * A board that reaches for host memory that is not mapped for it (hearth-board --misbehave stray): test-driver-stray
 * refused, where an IOMMU stands before the host's memory, and open, where none does, which shows that the board does try.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"

#define BYTES  4096
#define CANARY 0xca
#define SPOIL  0x66 /* what the board writes */
#define TAKEN  64   /* bytes that it reads and writes */
#define MIB    (1ull << 20)

enum { KLOG_READ_ALL = 3 };

/* Each stray ends the context that it was made for, so that every one has its own. */
struct attempt {
	struct context context;
	struct buffer from, to;
};

static void attempt_open(struct attempt *a)
{
	context_open(&a->context, 0);
	a->from = context_buffer(&a->context, BYTES, DRM_HEARTH_PLACEMENT_HOST, 0);
	a->to = context_buffer(&a->context, BYTES, DRM_HEARTH_PLACEMENT_BOARD, 0);
}

static void attempt_close(struct attempt *a)
{
	munmap(a->from.map, a->from.size);
	munmap(a->to.map, a->to.size);
	context_close(&a->context);
}

/* The board is led to @bus; 0: to where the copy before came from. Returns how that ended. */
static int lead(struct attempt *a, uint64_t bus)
{
	*(uint64_t *)a->from.map = bus;
	push_copy(&a->context, a->from.va, a->to.va, BYTES);
	return context_submit(&a->context);
}

static bool all(const volatile uint8_t *bytes, size_t size, uint8_t value)
{
	while (size && *bytes == value) {
		bytes++;
		size--;
	}
	return !size;
}

/* Where a page of this process lies in the host's memory. */
static uint64_t physical(const void *at)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t entry = 0;

	if (fd < 0 || pread(fd, &entry, 8, (off_t)((uintptr_t)at / 4096 * 8)) != 8)
		die("/proc/self/pagemap", -errno);
	close(fd);
	if (!(entry >> 63) || !(entry << 9 >> 9))
		die("a page's place is not told", -EPERM);
	return (entry << 9 >> 9) * 4096;
}

/*
 * Whether the kernel's log tells of a refused read of @bus. Only of a device's first access it does for sure: the emulated
 * IOMMU keeps one record of a device, and drops what comes before that is taken.
 */
static bool told(uint64_t bus)
{
	static char text[1 << 18];
	int64_t limit = now_ns() + GUEST_WAIT_NS;
	char address[48];

	snprintf(address, sizeof(address), "fault addr 0x%" PRIx64 " ", bus & ~UINT64_C(4095));
	do {
		int size = klogctl(KLOG_READ_ALL, text, sizeof(text) - 1);
		char *line, *rest = text;

		text[size > 0 ? size : 0] = 0;
		while ((line = strsep(&rest, "\n")))
			if (strstr(line, "DMAR: [DMA Read") && strstr(line, address))
				return true;
		usleep(50000);
	} while (now_ns() < limit);
	return false;
}

static uint8_t *canary(void)
{
	uint8_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (page == MAP_FAILED || mlock(page, 4096))
		die("memory", -errno);
	memset(page, CANARY, 4096);
	return page;
}

static void check_ended(struct attempt *a)
{
	struct drm_hearth_queue_state state = { 0 };

	hearth_drm_queue_state(&a->context.queue, &state);
	is(state.error, HBI_ERROR_HOST_DMA, "its context ends, with the error that says why");
	is(state.reset, DRM_HEARTH_RESET_NONE, "and the board is not reset");
}

/* A process's memory that has nothing to do with the board. */
static void test_foreign(bool refused)
{
	uint8_t *page = canary();
	struct attempt a;
	uint64_t bus;
	int ret;

	if (access("/proc/self/pagemap", R_OK)) {
		skip("memory that was never mapped", "this kernel does not tell where a page lies");
		munmap(page, 4096);
		return;
	}
	bus = physical(page);
	attempt_open(&a);
	memset(a.from.map, 0, BYTES);
	ret = lead(&a, bus);
	if (refused) {
		is(ret, -ECANCELED, "memory that was never mapped is refused");
		ok(all(page, 4096, CANARY), "no byte of it has changed");
		ok(all((uint8_t *)a.to.map + 8, TAKEN, 0), "none has come to the board");
		ok(told(bus), "the IOMMU names it");
		check_ended(&a);
	} else {
		is(ret, 0, "with no IOMMU nobody refuses");
		ok(all(page, TAKEN, SPOIL) && all(page + TAKEN, 4096 - TAKEN, CANARY),
		   "the board has written to memory that was never mapped");
		ok(all((uint8_t *)a.to.map + 8, TAKEN, CANARY), "and has read it");
	}
	attempt_close(&a);
	munmap(page, 4096);
}

/* Memory that was the board's: bound, read by it, unbound and given back. */
static void test_former(void)
{
	struct buffer former;
	struct attempt a;

	attempt_open(&a);
	former = context_buffer(&a.context, MIB, DRM_HEARTH_PLACEMENT_HOST, 0);
	memset(former.map, 0, former.size);
	memset(a.from.map, 0, BYTES);
	push_copy(&a.context, former.va + MIB / 2, a.to.va + 128, 128);
	is(context_submit(&a.context), 0, "a buffer is copied from");
	munmap(former.map, former.size);
	is(hearth_drm_vm_unmap(a.context.fd, a.context.vm, former.va, former.size)
		   ?: hearth_drm_bo_close(a.context.fd, former.handle),
	   0, "and given back");
	is(lead(&a, 0), -ECANCELED, "what was its memory is refused");
	ok(all((uint8_t *)a.to.map + 8, TAKEN, 0), "none has come to the board");
	check_ended(&a);
	attempt_close(&a);
}

/* The kernel's own code. */
static void test_kernel(void)
{
	FILE *file = fopen("/proc/iomem", "r");
	uint64_t start = 0, at;
	struct attempt a;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (strstr(line, "Kernel code") && sscanf(line, "%" SCNx64, &at) == 1)
			start = at;
	if (file)
		fclose(file);
	if (!start)
		die("/proc/iomem has no kernel", -ENOENT);
	attempt_open(&a);
	memset(a.from.map, 0, BYTES);
	is(lead(&a, start), -ECANCELED, "the kernel's code is refused");
	ok(all((uint8_t *)a.to.map + 8, TAKEN, 0), "none has come to the board");
	check_ended(&a);
	attempt_close(&a);
}

static void test_others(void)
{
	struct context context;

	context_open(&context, 0);
	push_nop(&context);
	is(context_submit(&context), 0, "others work on");
	context_close(&context);
}

int main(int argc, char **argv)
{
	bool refused = argc > 1 && !strcmp(argv[1], "refused");

	test_foreign(refused);
	if (refused) {
		test_former();
		test_kernel();
	}
	test_others();
	return done();
}
