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
		put_text("/proc/sys/vm/drop_caches", "3");
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

static void removals(int count)
{
	const char *pci = pci_of(guest_node());
	struct load *load = load_start(true);
	bool hung = false;
	char path[96];
	int i;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/remove", pci);
	for (i = 0; i < count && !hung; i++) {
		if (i % 2) {
			put_text(path, "1");
			put_text("/sys/bus/pci/rescan", "1");
			hung = !node_comes(NULL);
		} else {
			driver_unbind(pci);
			hung = !driver_bind(pci, NULL);
		}
		hung = hung || !load_goes_on(load);
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
	uint64_t free_before;
	long before, after;

	if (argc < 2)
		die("WHAT is wanted", -EINVAL);
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
