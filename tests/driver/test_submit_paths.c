// SPDX-License-Identifier: MIT
/*
 * Two ways to submit, to the same queue and in turn: a store to the doorbell, and a system call that takes the packets
 * (submit/hearth_submit.c). What each costs is counted; how long each takes is told.
 *
 * test-driver-submit-paths [BATCHES]
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "guest.h"
#include "submit/hearth_submit.h"

#define PACKETS	    8
/* Where the virtual board counts accesses to BAR0: see Documentation/virtual-board.rst. */
#define COUNTERS_AT 0x148

enum path { DOORBELL, CALL, PATHS };

struct counters {
	uint32_t loads;
	uint32_t stores;
	uint32_t doorbells;
};

struct cost {
	int64_t *submit; /* ns until the process goes on */
	int64_t *done;	 /* ns until the packets are complete */
	unsigned int calls;
	uint64_t copied; /* bytes of packets copied by the kernel */
	struct counters board;
};

static int config, device;

static struct counters read_counters(void)
{
	struct counters counters;

	if (pread(config, &counters, sizeof(counters), COUNTERS_AT) != sizeof(counters))
		die("read the board's counters", -errno);
	return counters;
}

static void open_all(const struct context *context)
{
	struct hearth_submit_setup setup = {
		.ring = (uintptr_t)context->ring.map,
		.doorbell = (uintptr_t)context->queue.doorbell,
		.ring_log2 = 8,
	};
	uint32_t bdf = context->device.pci_bdf;
	char path[96];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%04x:%02x:%02x.%x/config", bdf >> 16,
		 bdf >> 8 & 0xff, bdf >> 3 & 0x1f, bdf & 7);
	config = open(path, O_RDONLY);
	if (config < 0)
		die(path, -errno);
	device = open("/dev/hearth-submit", O_RDWR);
	if (device < 0 || ioctl(device, HEARTH_SUBMIT_SETUP, &setup))
		die("/dev/hearth-submit", -errno);
}

static void batch(struct context *context, const struct buffer *host, enum path path,
		  struct cost *cost, unsigned int number)
{
	union hbi_packet packets[PACKETS];
	struct hearth_submit_packets submit = {
		.packets = (uintptr_t)packets,
		.tail = context->queue.tail,
		.count = PACKETS,
	};
	struct counters before = read_counters(), after;
	int64_t begin;
	unsigned int i;

	for (i = 0; i < PACKETS; i++)
		packets[i] =
			(union hbi_packet){ .signal = { .header.type = HBI_PACKET_SIGNAL,
							.address = host->va,
							.value = context->queue.tail + i + 1 } };
	begin = now_ns();
	if (path == DOORBELL) {
		for (i = 0; i < PACKETS; i++)
			hearth_drm_queue_push(&context->queue, &packets[i]);
		hearth_drm_queue_ring(&context->queue);
	} else {
		if (ioctl(device, HEARTH_SUBMIT_PACKETS, &submit))
			die("submit", -errno);
		cost->calls++;
		cost->copied += sizeof(packets);
		context->queue.tail = submit.tail;
	}
	cost->submit[number] = now_ns() - begin;
	while (hearth_drm_queue_completed(&context->queue) < context->queue.tail)
		;
	cost->done[number] = now_ns() - begin;
	after = read_counters();
	cost->board.loads += after.loads - before.loads;
	cost->board.stores += after.stores - before.stores;
	cost->board.doorbells += after.doorbells - before.doorbells;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static double median(int64_t *values, unsigned int count)
{
	qsort(values, count, sizeof(*values), compare);
	return (double)values[count / 2];
}

int main(int argc, char **argv)
{
	static const char *const names[PATHS] = { "doorbell", "system call" };
	unsigned int batches = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : 2000, i;
	struct cost costs[PATHS] = { 0 };
	double submit[PATHS], finish[PATHS];
	struct context context;
	struct buffer host;
	enum path path;

	context_open(&context, 0);
	host = context_buffer(&context, 4096, DRM_HEARTH_PLACEMENT_HOST, 0);
	/* Once, so that all pages are mapped. */
	for (i = 0; i < 256; i++)
		push_nop(&context);
	is(context_submit(&context), 0, "the ring is mapped");
	open_all(&context);
	for (path = 0; path < PATHS; path++) {
		costs[path].submit = calloc(batches + 1, sizeof(int64_t));
		costs[path].done = calloc(batches + 1, sizeof(int64_t));
	}
	for (i = 0; i < batches; i++)
		for (path = 0; path < PATHS; path++)
			batch(&context, &host, path, &costs[path], i);
	is(*(volatile uint64_t *)host.map, context.queue.tail, "all was done, in order");
	for (path = 0; path < PATHS; path++) {
		struct cost *cost = &costs[path];

		submit[path] = median(cost->submit, batches);
		finish[path] = median(cost->done, batches);
		printf("# %-11s %u batches: %u system calls, %llu bytes copied by the kernel, %u "
		       "doorbell "
		       "stores, %u other stores, %u loads; median %.1f us to submit, %.1f us to "
		       "completion\n",
		       names[path], batches, cost->calls, (unsigned long long)cost->copied,
		       cost->board.doorbells, cost->board.stores, cost->board.loads,
		       submit[path] / 1000, finish[path] / 1000);
	}
	printf("# system call over doorbell, ratio of medians: %.2f to submit, %.2f to "
	       "completion\n",
	       submit[CALL] / submit[DOORBELL], finish[CALL] / finish[DOORBELL]);
	is(costs[DOORBELL].calls, 0, "a store to the doorbell takes no system call");
	is((int64_t)costs[DOORBELL].copied, 0, "and no copy by the kernel");
	is(costs[DOORBELL].board.doorbells, batches, "one store to the board a batch");
	is(costs[DOORBELL].board.stores + costs[DOORBELL].board.loads, 0, "and no other access");
	is(costs[CALL].calls, batches, "the other way takes one a batch");
	is((int64_t)costs[CALL].copied, 64ll * PACKETS * batches, "which copies all packets");
	is(costs[CALL].board.doorbells, batches, "and stores once to the board as well");
	context_close(&context);
	return done();
}
