// SPDX-License-Identifier: MIT
/*
 * The arithmetic of a user queue's ring (hearth_drm.h), against a model that keeps every packet: indices that run
 * freely, over 2^32 and over 2^64, and a board that fetches at any pace. No packet is lost, none is written over
 * before it was fetched, and the doorbell is told of all of them.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hearth_drm.h>

static int tests, failures;

static void ok(bool pass, const char *what)
{
	printf("%sok %d - %s\n", pass ? "" : "not ", ++tests, what);
	failures += !pass;
}

static unsigned long long draw(unsigned long long *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* A ring of its exact size, so that the sanitizer sees a slot beside it. */
static bool run(uint32_t log2, uint64_t start, unsigned int steps)
{
	struct hbi_queue_status status = { .completed = start, .fetched = start };
	volatile uint64_t doorbell = start;
	struct hearth_drm_queue queue = {
		.ring = malloc(HBI_PACKET_SIZE << log2),
		.ring_mask = (1u << log2) - 1,
		.doorbell = &doorbell,
		.status = &status,
		.tail = start,
	};
	unsigned long long state = 0x9e3779b97f4a7c15ull ^ start;
	uint64_t pushed = 0, taken = 0;
	bool good = queue.ring;
	unsigned int i;

	for (i = 0; good && i < steps; i++) {
		uint32_t space = hearth_drm_queue_space(&queue), n;
		union hbi_packet packet = { 0 };

		good = space == (1u << log2) - (pushed - taken);
		for (n = draw(&state) % (space + 1); n; n--) {
			packet.words[1] = pushed++;
			hearth_drm_queue_push(&queue, &packet);
		}
		hearth_drm_queue_ring(&queue);
		good = good && doorbell == start + pushed && queue.doorbells == i + 1;
		/* The board: in order, any part of what is there. */
		for (n = draw(&state) % (pushed - taken + 1); n && good; n--) {
			good = queue.ring[(start + taken) & queue.ring_mask].words[1] == taken;
			taken++;
			status.fetched = status.completed = start + taken;
		}
		good = good && hearth_drm_queue_completed(&queue) == start + taken;
	}
	free(queue.ring);
	return good;
}

int main(void)
{
	ok(run(0, 0, 1000), "a ring of one packet");
	ok(run(6, 0, 20000), "a ring of 64 packets from 0");
	ok(run(6, (1ull << 32) - 100, 20000), "over 2^32");
	ok(run(6, ~0ull - 100, 20000), "over 2^64");
	ok(run(12, ~0ull - 5000, 2000), "a ring of 4096 packets over 2^64");
	printf("1..%d\n", tests);
	return failures ? 1 : 0;
}
