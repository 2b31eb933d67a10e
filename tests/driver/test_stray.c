// SPDX-License-Identifier: MIT
/*
 * A board that reads and writes where nothing is mapped for it. The virtual board is led there by its configuration
 * space (Documentation/virtual-board.rst) and asks the machine for the access as it is. Behind an IOMMU ($GUEST_IOMMU)
 * each is refused: memory is as before, the board tells of a refused access, its context ends and no other, and
 * the kernel log has the IOMMU's line for it and the driver's, and no more. Without one the same access is carried out,
 * which shows that it is the IOMMU that refuses, and that this test would see if it did not.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"

#define PAGE	     4096
#define CANARIES     64
#define FILLED	     0x5a
#define TOUCHED	     0xc3
/* Far above the machine's memory and below where the kernel gives bus addresses from. */
#define NOWHERE	     0x3f12345000ull

/* The board's capability. */
#define STRAY_AT     0x1d0
#define STRAY_HEAD   (0x000b | 1 << 16)
#define STRAY_COPIED (STRAY_AT + 8)
#define STRAY_THERE  (STRAY_AT + 16)

static int config, log_fd;
static const char *pci;
static uint8_t *canaries;
static struct context beside;

/* ---- The board, the log, memory ---- */

static void open_config(void)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", pci);
	config = open(path, O_RDWR);
	if (config < 0)
		die(path, -errno);
}

static bool strays(void)
{
	uint32_t head;

	return pread(config, &head, sizeof(head), STRAY_AT) == sizeof(head) && head == STRAY_HEAD;
}

/* 0: it goes where it is told. */
static void lead(uint64_t address)
{
	uint64_t value = address ? address | 1 : 0;

	if (pwrite(config, &value, sizeof(value), STRAY_THERE) != sizeof(value))
		die("lead the board", -errno);
}

static uint64_t copied(void)
{
	uint64_t address;

	if (pread(config, &address, sizeof(address), STRAY_COPIED) != sizeof(address))
		die("ask the board for an address", -errno);
	return address;
}

/* 0: this kernel has no pagemap (CONFIG_PROC_PAGE_MONITOR), as the debug kernel. */
static uint64_t physical(const void *at)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t entry = 0;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || pread(fd, &entry, sizeof(entry), (uintptr_t)at / PAGE * 8) != sizeof(entry) ||
	    !(entry >> 63) || !(entry & ((1ull << 55) - 1)))
		die("find a page in memory", -ENXIO);
	close(fd);
	return (entry & ((1ull << 55) - 1)) * PAGE;
}

static uint64_t kernel_code(void)
{
	FILE *file = fopen("/proc/iomem", "r");
	unsigned long long start = 0;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (strstr(line, "Kernel code") && sscanf(line, " %llx-", &start) == 1)
			break;
	if (!start)
		die("find the kernel's code", -ENXIO);
	fclose(file);
	return start & ~(PAGE - 1ull);
}

static void canaries_fill(void)
{
	int i;

	for (i = 0; i < CANARIES; i++)
		memset(canaries + PAGE * i, 0x80 + i, PAGE);
}

static long canaries_changed(void)
{
	long i, changed = 0;

	for (i = 0; i < PAGE * CANARIES; i++)
		changed += canaries[i] != 0x80 + i / PAGE;
	return changed;
}

static bool all(const void *at, uint8_t value)
{
	const uint8_t *bytes = at;
	int i;

	for (i = 0; i < PAGE; i++)
		if (bytes[i] != value)
			return false;
	return true;
}

/* The kernel tells of ten interrupts of an IOMMU in five seconds, and a fault may raise three. */
static void log_skip(void)
{
	static int64_t since;
	static int faults;

	if (faults == 3) {
		while (now_ns() < since + 5200000000ll)
			usleep(50000);
		faults = 0;
	}
	if (!faults++)
		since = now_ns();
	lseek(log_fd, 0, SEEK_END);
}

/*
 * What the log has got since log_skip(), until the IOMMU's line about @address is there: how many such lines, and how
 * many of anything else than that and what belongs to it.
 */
static void log_read(uint64_t address, bool write, int *faults, int *others)
{
	int64_t limit = now_ns() + 10000000000ll, now;
	char line[2048], fault[64], what[32];

	snprintf(fault, sizeof(fault), "fault addr 0x%llx ", (unsigned long long)address);
	snprintf(what, sizeof(what), "DMAR: [DMA %s", write ? "Write" : "Read");
	*faults = *others = 0;
	while ((now = now_ns()) < limit) {
		ssize_t size = read(log_fd, line, sizeof(line) - 1);
		char *text;

		if (size < 0) {
			/* What follows the last line comes with it. */
			if (*faults && limit > now + 200000000)
				limit = now + 200000000;
			usleep(10000);
			continue;
		}
		line[size] = 0;
		text = strchr(line, ';');
		text = text ? text + 1 : line;
		text[strcspn(text, "\n")] = 0;
		if (strstr(text, what) && strstr(text, fault) && strstr(text, pci + 5))
			++*faults;
		else if (!strstr(text, "DMAR: DRHD: handling fault status") &&
			 !(strstr(text, "hearth") && strstr(text, "refused"))) {
			++*others;
			printf("#   the log: %s\n", text);
		}
	}
}

/* ---- Going astray ---- */

/* A context, a page of host memory and one of board memory. */
struct walk {
	struct context context;
	struct buffer host, board;
};

static void walk_open(struct walk *walk)
{
	context_open(&walk->context, 0);
	walk->host = context_buffer(&walk->context, PAGE, DRM_HEARTH_PLACEMENT_HOST, 0);
	walk->board = context_buffer(&walk->context, PAGE, DRM_HEARTH_PLACEMENT_BOARD, 0);
	memset(walk->host.map, FILLED, PAGE);
	memset(walk->board.map, FILLED, PAGE);
}

static void walk_close(struct walk *walk)
{
	munmap(walk->host.map, PAGE);
	munmap(walk->board.map, PAGE);
	context_close(&walk->context);
}

/* Copies between the two, which the board does with @address instead of the host's page. */
static int walk_to(struct walk *walk, uint64_t address, bool write)
{
	int ret;

	memset(write ? walk->board.map : walk->host.map, TOUCHED, PAGE);
	if (write)
		push_copy(&walk->context, walk->board.va, walk->host.va, PAGE);
	else
		push_copy(&walk->context, walk->host.va, walk->board.va, PAGE);
	lead(address);
	ret = context_submit(&walk->context);
	lead(0);
	return ret;
}

static bool serves(struct context *context)
{
	push_nop(context);
	return !context_submit(context);
}

/* The access at @address is refused, with all that belongs to that. Ends the context. */
static void refused(struct walk *walk, const char *what, uint64_t address, bool write)
{
	const char *how = write ? "write" : "read";
	struct drm_hearth_queue_state state = { 0 };
	int faults, others, ret;

	log_skip();
	ret = walk_to(walk, address, write);
	ok(ret == -ECANCELED, "%s: a %s ends its context (%s)", what, how, strerror(-ret));
	hearth_drm_queue_state(&walk->context.queue, &state);
	ok(state.error == HBI_ERROR_HOST_DMA && state.fault_address == walk->host.va,
	   "%s: the board tells of a refused access at the copy's address", what);
	ok(state.reset == DRM_HEARTH_RESET_NONE, "%s: the board is not reset", what);
	ok(all(write ? walk->host.map : walk->board.map, FILLED) && !canaries_changed(),
	   "%s: nothing is written, here or there", what);
	log_read(address, write, &faults, &others);
	ok(faults == 1 && !others, "%s: the log has the IOMMU's line for it, and no other (%d, %d)",
	   what, faults, others);
	ok(serves(&beside), "%s: the context beside goes on", what);
}

static void refused_at(const char *what, uint64_t address, bool write)
{
	struct walk walk;

	walk_open(&walk);
	refused(&walk, what, address, write);
	walk_close(&walk);
}

/* What is mapped is reached, until it is unmapped: its bus address is the same, and leads nowhere. */
static void refused_unmapped(bool write)
{
	struct buffer lent;
	struct walk walk;
	uint64_t address;

	walk_open(&walk);
	lent = context_buffer(&walk.context, PAGE, DRM_HEARTH_PLACEMENT_HOST, 0);
	memset(lent.map, FILLED, PAGE);
	push_copy(&walk.context, lent.va, walk.board.va, PAGE);
	is(context_submit(&walk.context), 0, "another page is copied");
	address = copied();
	is(walk_to(&walk, address, write), 0, "a board led to that page reaches it");
	ok(all(write ? lent.map : walk.board.map, write ? TOUCHED : FILLED),
	   "and %s it, not what it was told to", write ? "writes" : "reads");

	munmap(lent.map, PAGE);
	hearth_drm_vm_unmap(walk.context.fd, walk.context.vm, lent.va, PAGE);
	is(hearth_drm_bo_close(walk.context.fd, lent.handle), 0, "the page is given back");
	memset(walk.host.map, FILLED, PAGE);
	memset(walk.board.map, FILLED, PAGE);
	refused(&walk, "a page that was given back", address, write);
	walk_close(&walk);
}

/* Pages of a process's own that are lent for reading. */
static void refused_readonly(void)
{
	struct walk walk;
	uint32_t handle;
	uint64_t va;
	int ret;

	walk_open(&walk);
	va = walk.context.next_va;
	ret = hearth_drm_bo_userptr(walk.context.fd, canaries, PAGE, DRM_HEARTH_BO_USERPTR_READONLY,
				    &handle);
	if (!ret)
		ret = hearth_drm_vm_map(walk.context.fd, walk.context.vm, handle, 0, va, PAGE,
					DRM_HEARTH_VM_BIND_READONLY);
	if (ret)
		die("lend a page for reading", ret);
	push_copy(&walk.context, va, walk.board.va, PAGE);
	is(context_submit(&walk.context), 0, "a page that is lent for reading is read");
	ok(all(walk.board.map, canaries[0]), "rightly");
	refused(&walk, "a page that is lent for reading", copied(), true);
	walk_close(&walk);
}

static void with_iommu(void)
{
	uint64_t page = physical(canaries + 5 * PAGE);

	if (page)
		refused_at("a page of a process", page, true);
	else
		skip("a page of a process", "this kernel does not tell where pages are");
	refused_at("the kernel's code", kernel_code(), false);
	refused_at("an address of nothing", NOWHERE, false);
	refused_unmapped(true);
	refused_unmapped(false);
	refused_readonly();
}

static void without_iommu(void)
{
	struct walk walk;

	if (!physical(canaries)) {
		skip("no IOMMU", "this kernel does not tell where pages are");
		return;
	}
	walk_open(&walk);
	is(walk_to(&walk, physical(canaries + 5 * PAGE), true), 0,
	   "no IOMMU: nothing refuses a stray write");
	ok(all(canaries + 5 * PAGE, TOUCHED), "and it arrives");
	is(walk_to(&walk, physical(canaries + 6 * PAGE), false), 0, "nor a stray read");
	ok(all(walk.board.map, canaries[6 * PAGE]), "which gets what is there");
	canaries_fill();
	walk_close(&walk);
}

int main(void)
{
	const char *iommu = getenv("GUEST_IOMMU");
	struct drm_hearth_query_state before, after;

	pci = pci_of(guest_node());
	open_config();
	if (!strays())
		die("look for the capability of a board that strays", -ENODEV);
	log_fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	canaries = mmap(NULL, PAGE * CANARIES, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (log_fd < 0 || canaries == MAP_FAILED || mlock(canaries, PAGE * CANARIES))
		die("canaries", -errno);
	canaries_fill();
	context_open(&beside, 0);
	before = board_state(beside.fd);

	if (iommu && atoi(iommu))
		with_iommu();
	else
		without_iommu();

	after = board_state(beside.fd);
	is(canaries_changed(), 0, "all canaries are as they were");
	ok(after.state == DRM_HEARTH_STATE_LIVE && after.resets == before.resets,
	   "the board is live and was not reset");
	ok(serves(&beside), "and serves");
	context_close(&beside);
	return done();
}
