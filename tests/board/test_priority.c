// SPDX-License-Identifier: MIT
/*
 * Priority, and dispatches that give way. Nothing here depends on how fast the board is: what is
 * counted is how much of a dispatch has run when another one is through.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "client.h"
#include "kernels.h"

#define GROUPS	2048
#define SLOW	60000 /* turns of a loop */
#define PACKETS 96
#define RACES	4
#define OUT	(VA_DATA + 0x2000)

static struct client board;
static struct context low, high;

static volatile uint32_t *marks(struct context *context)
{
	return (volatile uint32_t *)(context_data(context) + OUT - VA_DATA);
}

static unsigned int marked(struct context *context, unsigned int groups, uint32_t value)
{
	unsigned int count = 0;

	while (groups--)
		count += marks(context)[groups] == value;
	return count;
}

/* A long dispatch of @low runs; @other gets a short one done meanwhile, at @priority. */
static void overtake(struct context *other, uint32_t priority)
{
	union hbi_packet long_one = packet_dispatch(KERNEL_SLOW, GROUPS, VA_DATA);
	union hbi_packet short_one = packet_dispatch(KERNEL_MARK, 16, VA_DATA + 0x1000);
	struct queue first, second;
	unsigned int done;

	memset((void *)marks(&low), 0, 4 * GROUPS);
	memset(context_data(other) + 0x8000, 0, 64);
	put_args(&low, 0, GROUPS, OUT, SLOW);
	put_args(other, 0x1000, 16, VA_DATA + 0x8000, 0);
	CHECK_EQUAL(queue_init_priority(&first, &low, 0, 4, 0, 1), HBI_OK);
	CHECK_EQUAL(queue_init_priority(&second, other, 1, 4, 0, priority), HBI_OK);
	queue_put(&first, &long_one);
	queue_ring(&first);
	while (!marked(&low, GROUPS, 1))
		;
	CHECK(queue_do(&second, &short_one));
	done = marked(&low, GROUPS, 1);
	printf("# %u of %u work-groups had run\n", done, GROUPS);
	CHECK(done < GROUPS);
	CHECK_EQUAL(first.status->completed, 0);
	CHECK(queue_wait(&first, 1));
	/* Each of them whole, and once. */
	CHECK_EQUAL(marked(&low, GROUPS, 1), GROUPS);
	CHECK_EQUAL(*(uint32_t *)(context_data(other) + 0x8000), 1);
	CHECK_EQUAL(admin_destroy_queue(&board, 0), HBI_OK);
	CHECK_EQUAL(admin_destroy_queue(&board, 1), HBI_OK);
}

static void test_higher(void)
{
	overtake(&high, 2);
}

static void test_higher_same_context(void)
{
	overtake(&low, 2);
}

static void test_slice(void)
{
	overtake(&high, 1);
}

static void test_lower(void)
{
	overtake(&high, 0);
}

/* While one of two contexts does PACKETS, the other, two steps lower: how many? */
static uint64_t race(void)
{
	union hbi_packet packet = packet_dispatch(KERNEL_SLOW, 2, VA_DATA);
	struct queue slow, quick;
	uint64_t other;
	unsigned int i;

	put_args(&low, 0, 2, OUT, SLOW);
	put_args(&high, 0, 2, OUT, SLOW);
	CHECK_EQUAL(queue_init_priority(&slow, &low, 0, 8, 0, 0), HBI_OK);
	CHECK_EQUAL(queue_init_priority(&quick, &high, 1, 8, 0, 2), HBI_OK);
	for (i = 0; i < PACKETS; i++) {
		union hbi_packet signal = packet_signal(VA_HOST + 0xf0000, i + 1);

		queue_put(&slow, &packet);
		queue_put(&slow, &signal);
		queue_put(&quick, &packet);
		queue_put(&quick, &signal);
	}
	memset(context_host(&low) + 0xf0000, 0, 8);
	queue_ring(&slow);
	queue_ring(&quick);
	CHECK(queue_wait(&quick, quick.tail));
	other = __atomic_load_n((uint64_t *)(context_host(&low) + 0xf0000), __ATOMIC_SEQ_CST);
	printf("# %u against %llu\n", PACKETS, (unsigned long long)other);
	CHECK(queue_wait(&slow, slow.tail));
	CHECK_EQUAL(admin_destroy_queue(&board, 0), HBI_OK);
	CHECK_EQUAL(admin_destroy_queue(&board, 1), HBI_OK);
	return other;
}

/* A busy host may take its time from one side: one race of a few has to be as it should. */
static void test_weights(void)
{
	unsigned int races = 1;
	uint64_t other = race();

	while (races < RACES && (other >= PACKETS / 2 || !other)) {
		other = race();
		races++;
	}
	CHECK(other < PACKETS / 2);
	CHECK(other > 0);
}

/* What gave way and what it gave way to count their time limits apart. */
static void test_timeout(void)
{
	union hbi_packet long_one = packet_dispatch(KERNEL_SLOW, GROUPS, VA_DATA);
	union hbi_packet endless = packet_dispatch(KERNEL_SPIN, 1, VA_DATA);
	struct queue first, second;

	memset((void *)marks(&low), 0, 4 * GROUPS);
	put_args(&low, 0, GROUPS, OUT, SLOW);
	CHECK_EQUAL(queue_init_priority(&first, &low, 0, 4, 120000, 0), HBI_OK);
	CHECK_EQUAL(queue_init_priority(&second, &high, 1, 4, 300, 3), HBI_OK);
	queue_put(&first, &long_one);
	queue_ring(&first);
	while (!marked(&low, GROUPS, 1))
		;
	queue_put(&second, &endless);
	queue_ring(&second);
	CHECK_EQUAL(queue_wait_error(&second), HBI_ERROR_TIMEOUT);
	CHECK(queue_wait(&first, 1));
	CHECK_EQUAL(marked(&low, GROUPS, 1), GROUPS);
	CHECK_EQUAL(admin_destroy_queue(&board, 0), HBI_OK);
	CHECK_EQUAL(admin_destroy_queue(&board, 1), HBI_OK);
}

int main(int argc, char **argv)
{
	test_arguments(argc, argv);
	client_open(&board, NULL);
	start_board(&board);
	context_standard(&low, &board, 1);
	context_standard(&high, &board, 2);
	tap_run("a dispatch gives way to one of higher priority", test_higher);
	tap_run("also to one of its own context", test_higher_same_context);
	tap_run("after a slice, to one of the same priority", test_slice);
	tap_run("and even to a lower one, whose turn comes", test_lower);
	tap_run("priority is weight, and starves nobody", test_weights);
	tap_run("an endless one that it gave way to is ended, and it goes on", test_timeout);
	CHECK_EQUAL(client_close(&board), 0);
	return tap_end();
}
