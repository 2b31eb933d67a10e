// SPDX-License-Identifier: MIT
/*
 * Submits BATCHES batches and waits for each by looking at the status page. Run under strace, the
 * number of its system calls must not depend on BATCHES.
 */
#include <stdio.h>
#include <stdlib.h>

#include "guest.h"

int main(int argc, char **argv)
{
	unsigned long batches = argc > 1 ? strtoul(argv[1], NULL, 10) : 1, i, k;
	struct context context;
	struct buffer host;

	context_open(&context, 0);
	host = context_buffer(&context, 4096, DRM_HEARTH_PLACEMENT_HOST, 0);
	for (i = 0; i < batches; i++) {
		for (k = 0; k < 8; k++)
			push_signal(&context, host.va, i);
		hearth_drm_queue_ring(&context.queue);
		while (hearth_drm_queue_completed(&context.queue) < context.queue.tail)
			;
	}
	if (context.queue.doorbells != batches || context.queue.waits) {
		printf("%lu batches, %llu doorbells, %llu sleeps\n", batches,
		       (unsigned long long)context.queue.doorbells,
		       (unsigned long long)context.queue.waits);
		return 1;
	}
	context_close(&context);
	return 0;
}
