// SPDX-License-Identifier: MIT
/*
 * test-driver-stress WHAT COUNT: makes queues, or takes the board away under load (every other time
 * the driver alone, every other time the PCI function), COUNT times, and looks whether all is as
 * before: board memory, what users are charged for, and the kernel's memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"
#include "load.h"

static char pci[16];

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die(path, -errno);
	close(fd);
}

/* A line of /proc/meminfo, in KiB. */
static long meminfo(const char *name)
{
	FILE *file = fopen("/proc/meminfo", "r");
	char line[128];
	long value = -1;

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)))
			value = atol(line + strlen(name) + 1);
	if (file)
		fclose(file);
	return value;
}

static long kernel_memory(void)
{
	sync();
	/* A kernel without sysctl has none. */
	if (!access("/proc/sys/vm/drop_caches", W_OK))
		put("/proc/sys/vm/drop_caches", "3");
	return meminfo("SUnreclaim") + meminfo("Percpu") + meminfo("KernelStack") +
	       meminfo("PageTables");
}

static void check_accounts(uint64_t free_before)
{
	struct drm_hearth_query_memory memory;
	struct drm_hearth_query_quota quota;
	int fd = open_board();

	is(hearth_drm_query_memory(fd, &memory) ?: hearth_drm_query_quota(fd, &quota), 0,
	   "memory is told");
	is(memory.board_free, free_before, "no board memory is lost");
	is(quota.board_used, 0, "nobody is charged for board memory");
	is(quota.host_used, 0, "nor for host memory");
	close(fd);
}

static uint64_t board_free(void)
{
	struct drm_hearth_query_memory memory;
	int fd = open_board(), ret = hearth_drm_query_memory(fd, &memory);

	if (ret)
		die("ask for memory", ret);
	close(fd);
	return memory.board_free;
}

static void queues(int count)
{
	union hbi_packet nop = { .header.type = HBI_PACKET_NOP };
	struct hearth_drm_queue queue;
	struct context context;
	int i, ret = 0;

	context_open(&context, 0);
	for (i = 0; i < count && !ret; i++) {
		ret = hearth_drm_queue_create(context.fd, context.vm, context.ring.va,
					      context.ring.map, 1 + i % 8, 0, i % 3, &queue);
		if (ret)
			break;
		hearth_drm_queue_push(&queue, &nop);
		hearth_drm_queue_ring(&queue);
		/* Every other one is destroyed with work in it. */
		if (i % 2)
			ret = hearth_drm_queue_wait(&queue, 1, now_ns() + GUEST_WAIT_NS);
		ret = ret ?: hearth_drm_queue_destroy(&queue);
	}
	context_close(&context);
	ok(i == count && !ret, "%d of %d queues are made, used and destroyed (%s)", i, count,
	   strerror(-ret));
}

static bool await_node(void)
{
	int64_t limit = now_ns() + GUEST_WAIT_NS;

	while (access(guest_node(), R_OK | W_OK) && now_ns() < limit)
		usleep(5000);
	return !access(guest_node(), R_OK | W_OK);
}

static void removals(int count)
{
	struct load *load = load_start(true);
	bool hung = false;
	char path[96];
	int i;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/remove", pci);
	for (i = 0; i < count && !hung; i++) {
		if (i % 2) {
			put(path, "1");
			put("/sys/bus/pci/rescan", "1");
		} else {
			put("/sys/bus/pci/drivers/hearth/unbind", pci);
			put("/sys/bus/pci/drivers/hearth/bind", pci);
		}
		hung = !await_node() || !load_goes_on(load);
		if (i % 20 == 19)
			printf("# %d removals, kernel memory %ld KiB\n", i + 1,
			       meminfo("SUnreclaim"));
	}
	is(hung, 0, "work goes on after each time that the board comes back");
	ok(load->ended >= i, "%ld contexts ended in %d removals", load->ended, i);
	ok(load_end(load), "everybody was told rightly");
}

int main(int argc, char **argv)
{
	int count = argc > 2 ? atoi(argv[2]) : 100;
	struct hearth_drm_board board;
	uint64_t free_before;
	long before, after;

	if (hearth_drm_discover(&board, 1) < 1 || argc < 2)
		die("find the board", -ENOENT);
	memcpy(pci, board.pci, sizeof(pci));
	/* What the first time allocates for good is not counted. */
	queues(8);
	free_before = board_free();
	before = kernel_memory();
	if (!strcmp(argv[1], "queues"))
		queues(count);
	else if (!strcmp(argv[1], "removals"))
		removals(count);
	else
		die("queues or removals", -EINVAL);
	check_accounts(free_before);
	/* Slabs are freed late, and in pages: not every one of a few MiB is back at once. */
	usleep(500000);
	after = kernel_memory();
	ok(after - before < 6144, "the kernel has %ld KiB more than before", after - before);
	return done();
}
