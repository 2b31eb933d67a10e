// SPDX-License-Identifier: MIT
/*
 * What a batch costs while nobody sleeps: one doorbell store and nothing else, by the program's own
 * counts, by the driver's count of interrupts and by the virtual board's counts of what reached its
 * registers.
 *
 * With a number as argument it only submits so many batches and prints nothing, for strace: the
 * number of its system calls must not depend on the number of batches.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "guest.h"

#define BATCHES	    500

/* Where the virtual board counts accesses to BAR0: see Documentation/virtual-board.rst. */
#define COUNTERS_AT 0x148

/* As they lie in configuration space. */
struct counters {
	uint32_t loads;
	uint32_t stores;
	uint32_t doorbells;
};

static int config;

static void open_config(const struct context *context)
{
	uint32_t bdf = context->device.pci_bdf;
	char path[96];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%04x:%02x:%02x.%x/config", bdf >> 16,
		 bdf >> 8 & 0xff, bdf >> 3 & 0x1f, bdf & 7);
	config = open(path, O_RDONLY);
	if (config < 0)
		die(path, -errno);
}

static struct counters read_counters(void)
{
	struct counters counters;

	if (pread(config, &counters, sizeof(counters), COUNTERS_AT) != sizeof(counters))
		die("read the board's counters", -errno);
	return counters;
}

/* Batches of 8 packets; each is waited for by looking at memory. */
static void submit(struct context *context, const struct buffer *host, unsigned long batches)
{
	unsigned long i, k;

	for (i = 0; i < batches; i++) {
		for (k = 0; k < 8; k++)
			push_signal(context, host->va, context->queue.tail + 1);
		hearth_drm_queue_ring(&context->queue);
		while (hearth_drm_queue_completed(&context->queue) < context->queue.tail)
			;
	}
}

int main(int argc, char **argv)
{
	unsigned long batches = argc > 1 ? strtoul(argv[1], NULL, 10) : BATCHES;
	struct drm_hearth_queue_state state_before, state;
	struct counters before, after;
	struct context context;
	struct buffer host;
	uint64_t doorbells;

	context_open(&context, 0);
	host = context_buffer(&context, 4096, DRM_HEARTH_PLACEMENT_HOST, 0);
	/* Once, so that the pages are mapped. */
	submit(&context, &host, 1);
	if (argc > 1) {
		submit(&context, &host, batches);
		context_close(&context);
		return 0;
	}

	open_config(&context);
	hearth_drm_queue_state(&context.queue, &state_before);
	doorbells = context.queue.doorbells;
	before = read_counters();
	submit(&context, &host, batches);
	after = read_counters();
	hearth_drm_queue_state(&context.queue, &state);
	printf("# %lu batches of 8 packets: the board saw %u doorbell stores, %u register stores, "
	       "%u loads\n",
	       batches, after.doorbells - before.doorbells, after.stores - before.stores,
	       after.loads - before.loads);
	is(context.queue.doorbells - doorbells, batches,
	   "the program stored to the doorbell once a batch");
	is(context.queue.waits, 0, "and never slept");
	is(after.doorbells - before.doorbells, batches, "the board saw one doorbell store a batch");
	is(after.stores - before.stores, 0, "no other store to a register");
	is(after.loads - before.loads, 0, "and no load");
	is(state.interrupts, state_before.interrupts, "the queue raised no interrupt");
	is(*(volatile uint64_t *)host.map, context.queue.tail, "and all was done");
	context_close(&context);
	return done();
}
