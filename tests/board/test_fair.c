// SPDX-License-Identifier: MIT
/*
 * The board's time is shared among contexts: one with many queues full of work does not keep
 * another with a single one from its part. What is counted is what the greedy one got done while
 * the modest one did its work: about as much, where a turn for each queue would give it twelve times.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "client.h"
#include "kernels.h"

#define GREEDY	     12
#define PACKETS	     96
#define RACES	     4
#define COPY_BYTES   0x8000
#define MODEST_QUEUE 20
#define DONE	     0xf0000 /* of a context's host memory */

static struct client board;
static struct context greedy, modest;

/* How many packets of each queue are done, as its own SIGNAL packets say. */
static uint64_t done_by(struct context *context, unsigned int count)
{
	uint64_t sum = 0;

	while (count--)
		sum += __atomic_load_n((uint64_t *)(context_host(context) + DONE) + count,
				       __ATOMIC_SEQ_CST);
	return sum;
}

static void fill_ring(struct queue *queue, const union hbi_packet *packet)
{
	unsigned int i;

	for (i = 1; i <= PACKETS; i++) {
		union hbi_packet signal = packet_signal(VA_HOST + DONE + 8 * queue->id, i);

		queue_put(queue, packet);
		queue_put(queue, &signal);
	}
}

/* How much the greedy have done when the modest one is through. */
static uint64_t race(const union hbi_packet *packet)
{
	struct queue queues[GREEDY], one;
	uint64_t other;
	unsigned int i;

	for (i = 0; i < GREEDY; i++) {
		CHECK_EQUAL(queue_init(&queues[i], &greedy, i, 8, 0), HBI_OK);
		fill_ring(&queues[i], packet);
	}
	CHECK_EQUAL(queue_init(&one, &modest, MODEST_QUEUE, 8, 0), HBI_OK);
	memset(context_host(&greedy) + DONE, 0, 8 * GREEDY);
	fill_ring(&one, packet);
	for (i = 0; i < GREEDY; i++)
		queue_ring(&queues[i]);
	queue_ring(&one);
	CHECK(queue_wait(&one, one.tail));
	other = done_by(&greedy, GREEDY);
	printf("# %u packets of one queue against %llu of %u queues with %u each\n", PACKETS,
	       (unsigned long long)other, GREEDY, PACKETS);
	for (i = 0; i < GREEDY; i++) {
		CHECK(queue_wait(&queues[i], queues[i].tail));
		CHECK_EQUAL(admin_destroy_queue(&board, i), HBI_OK);
	}
	CHECK_EQUAL(admin_destroy_queue(&board, MODEST_QUEUE), HBI_OK);
	return other;
}

/*
 * The board shares time, and a host with other work takes some of it from whom it likes: one race
 * of a few has to be fair. Returns how many there were.
 */
static unsigned int fair_race(const union hbi_packet *packet)
{
	uint64_t other = race(packet);
	unsigned int races = 1;

	while (races < RACES && (other >= GREEDY * PACKETS / 3 || other <= PACKETS / 4)) {
		other = race(packet);
		races++;
	}
	CHECK(other < GREEDY * PACKETS / 3);
	/* Nor does the modest one starve the greedy. */
	CHECK(other > PACKETS / 4);
	return races;
}

static void test_copies(void)
{
	union hbi_packet packet = packet_copy(VA_HOST + 0x80000, VA_HOST, COPY_BYTES);

	fair_race(&packet);
}

static void test_dispatches(void)
{
	union hbi_packet packet = packet_dispatch(KERNEL_MARK, 16, VA_DATA);
	unsigned int races;

	put_args(&greedy, 0, 16, VA_DATA + 0x1000, 0);
	put_args(&modest, 0, 16, VA_DATA + 0x1000, 0);
	races = fair_race(&packet);
	CHECK_EQUAL(*(uint32_t *)(context_data(&greedy) + 0x1000), races * GREEDY * PACKETS);
	CHECK_EQUAL(*(uint32_t *)(context_data(&modest) + 0x1000), races * PACKETS);
}

/* Long dispatches of a context with many queues between short ones of another. */
static void test_long_dispatches(void)
{
	union hbi_packet spin = packet_dispatch(KERNEL_SPIN, 1, VA_DATA);
	union hbi_packet mark = packet_dispatch(KERNEL_MARK, 16, VA_DATA);
	struct queue hog, one;
	unsigned int i;

	CHECK_EQUAL(queue_init(&hog, &greedy, 0, 4, 700), HBI_OK);
	CHECK_EQUAL(queue_init(&one, &modest, MODEST_QUEUE, 7, 0), HBI_OK);
	memset(context_data(&modest) + 0x1000, 0, 4);
	queue_put(&hog, &spin);
	queue_ring(&hog);
	for (i = 0; i < 8; i++)
		queue_put(&one, &mark);
	queue_ring(&one);
	/* The endless one is ended by its timeout; the others then all run. */
	CHECK(queue_wait(&one, one.tail));
	CHECK_EQUAL(*(uint32_t *)(context_data(&modest) + 0x1000), 8);
	CHECK_EQUAL(queue_wait_error(&hog), HBI_ERROR_TIMEOUT);
	CHECK_EQUAL(admin_destroy_queue(&board, 0), HBI_OK);
	CHECK_EQUAL(admin_destroy_queue(&board, MODEST_QUEUE), HBI_OK);
}

/* Within a context its queues take turns. */
static void test_same_context(void)
{
	union hbi_packet packet = packet_copy(VA_HOST + 0x80000, VA_HOST, COPY_BYTES);
	struct queue first, second;

	CHECK_EQUAL(queue_init(&first, &greedy, 0, 8, 0), HBI_OK);
	CHECK_EQUAL(queue_init(&second, &greedy, 1, 8, 0), HBI_OK);
	memset(context_host(&greedy) + DONE, 0, 8 * GREEDY);
	fill_ring(&first, &packet);
	fill_ring(&second, &packet);
	queue_ring(&first);
	queue_ring(&second);
	CHECK(queue_wait(&first, first.tail));
	CHECK(done_by(&greedy, 2) >= PACKETS + PACKETS / 3);
	CHECK(queue_wait(&second, second.tail));
	CHECK_EQUAL(admin_destroy_queue(&board, 0), HBI_OK);
	CHECK_EQUAL(admin_destroy_queue(&board, 1), HBI_OK);
}

int main(int argc, char **argv)
{
	test_arguments(argc, argv);
	client_open(&board, NULL);
	start_board(&board);
	context_standard(&greedy, &board, 1);
	context_standard(&modest, &board, 2);
	tap_run("copies: contexts share the board, however many queues they have", test_copies);
	tap_run("dispatches: likewise", test_dispatches);
	tap_run("an endless dispatch is ended, and others run", test_long_dispatches);
	tap_run("queues of one context take turns", test_same_context);
	CHECK_EQUAL(client_close(&board), 0);
	return tap_end();
}
