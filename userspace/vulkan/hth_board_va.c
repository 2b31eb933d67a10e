// SPDX-License-Identifier: MIT
/* Addresses of a context on a board: first fit over a sorted list of free ranges. */
#include <stdlib.h>
#include <string.h>

#include "hth_board.h"

bool hth_va_init(struct hth_va_space *space, uint64_t start, uint64_t end)
{
	space->capacity = 16;
	space->ranges = malloc(space->capacity * sizeof(*space->ranges));
	if (!space->ranges)
		return false;
	pthread_mutex_init(&space->lock, NULL);
	space->count = 1;
	space->ranges[0] = (struct hth_va_range){ start, end };
	return true;
}

void hth_va_finish(struct hth_va_space *space)
{
	pthread_mutex_destroy(&space->lock);
	free(space->ranges);
}

/* One spare entry at all times, so that freeing never fails. */
static bool reserve(struct hth_va_space *space)
{
	struct hth_va_range *grown;

	if (space->count + 2 <= space->capacity)
		return true;
	grown = realloc(space->ranges, 2 * space->capacity * sizeof(*grown));
	if (!grown)
		return false;
	space->ranges = grown;
	space->capacity *= 2;
	return true;
}

static void insert(struct hth_va_space *space, uint32_t at, struct hth_va_range range)
{
	memmove(&space->ranges[at + 1], &space->ranges[at],
		(space->count - at) * sizeof(*space->ranges));
	space->ranges[at] = range;
	space->count++;
}

static void remove_at(struct hth_va_space *space, uint32_t at)
{
	space->count--;
	memmove(&space->ranges[at], &space->ranges[at + 1],
		(space->count - at) * sizeof(*space->ranges));
}

uint64_t hth_va_alloc(struct hth_va_space *space, uint64_t size, uint64_t alignment)
{
	uint64_t found = 0;

	pthread_mutex_lock(&space->lock);
	for (uint32_t i = 0; i < space->count && reserve(space); i++) {
		struct hth_va_range *range = &space->ranges[i];
		uint64_t start = HTH_ALIGN(range->start, alignment);
		struct hth_va_range rest = { start + size, range->end };

		if (start < range->start || start > range->end || size > range->end - start)
			continue;
		found = start;
		if (start > range->start) {
			range->end = start;
			if (rest.start < rest.end)
				insert(space, i + 1, rest);
		} else if (rest.start < rest.end) {
			*range = rest;
		} else {
			remove_at(space, i);
		}
		break;
	}
	pthread_mutex_unlock(&space->lock);
	return found;
}

void hth_va_free(struct hth_va_space *space, uint64_t start, uint64_t size)
{
	struct hth_va_range range = { start, start + size };
	uint32_t at = 0;

	pthread_mutex_lock(&space->lock);
	while (at < space->count && space->ranges[at].end < range.start)
		at++;
	/* Here is the first range that lies after, or touches from below. */
	if (at < space->count && space->ranges[at].end == range.start) {
		space->ranges[at].end = range.end;
		if (at + 1 < space->count && space->ranges[at + 1].start == range.end) {
			space->ranges[at].end = space->ranges[at + 1].end;
			remove_at(space, at + 1);
		}
	} else if (at < space->count && space->ranges[at].start == range.end) {
		space->ranges[at].start = range.start;
	} else if (space->count < space->capacity) {
		insert(space, at, range);
	}
	pthread_mutex_unlock(&space->lock);
}
