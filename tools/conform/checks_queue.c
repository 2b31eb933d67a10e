// SPDX-License-Identifier: MIT
/* Rings, doorbells, status blocks, armed interrupts, and what an error does to its neighbours. */
#include <string.h>
#include "conform.h"

static unsigned int vector_of(struct board *board, const struct queue *queue)
{
	return board->vectors > 1 ? 1 + queue->id % (board->vectors - 1) : 0;
}

static bool raised(struct board *board, const struct queue *queue, int ms)
{
	return board->transport->interrupt(board, vector_of(board, queue), ms);
}

static void around(struct board *board)
{
	struct queue queue = make_queue(context_of(board, 1), 0, 3, 0);
	int round, i;

	for (round = 0; round < 12; round++) {
		for (i = 0; i < 5; i++)
			put(&queue, nop_packet());
		ring(&queue);
		wait_for(&queue, queue.tail);
	}
	EQUAL(queue.status->completed, 60);
	EQUAL(queue.status->fetched, 60);
	EQUAL(queue.status->error, 0);
	no_event(board);
}

static void full(struct board *board)
{
	struct queue queue = make_queue(context_of(board, 1), 0, 6, 0);
	int i;

	for (i = 0; i < 64; i++)
		put(&queue, nop_packet());
	ring(&queue);
	wait_for(&queue, 64);
}

static void doorbell_halves(struct board *board)
{
	struct queue queue = make_queue(context_of(board, 1), 0, 3, 0);

	put(&queue, nop_packet());
	doorbell(board, 0, 1, 4, 0);
	rest(board, 50);
	EQUAL(queue.status->completed, 0);
	doorbell(board, 0, 0, 4, 4);
	wait_for(&queue, 1);
}

static void doorbell_reserved(struct board *board)
{
	struct queue queue = make_queue(context_of(board, 1), 0, 3, 0);
	unsigned int offset;

	put(&queue, nop_packet());
	for (offset = 8; offset < 4096; offset = 2 * offset)
		doorbell(board, 0, 1, 8, offset);
	rest(board, 50);
	EQUAL(queue.status->completed, 0);
	EQUAL(board->transport->bar_read(board, board->doorbell_bar, board->doorbell_offset + 64,
					 4),
	      0);
	ring(&queue);
	wait_for(&queue, 1);
}

static void doorbell_of_nobody(struct board *board)
{
	struct context *context = context_of(board, 1);
	struct queue queue;

	doorbell(board, 0, 1000, 8, 0);
	doorbell(board, board->queues - 1, 1000, 8, 0);
	rest(board, 50);
	no_event(board);
	/* Nor later, when the number is a queue. */
	queue = make_queue(context, 0, 3, 0);
	rest(board, 50);
	EQUAL(queue.status->state, HBI_QUEUE_LIVE);
	do_packet(&queue, nop_packet());
}

static void tail_back(struct board *board)
{
	struct queue queue = make_queue(context_of(board, 1), 0, 3, 0);

	put(&queue, nop_packet());
	do_packet(&queue, nop_packet());
	doorbell(board, 0, 1, 8, 0);
	wait_error(&queue, HBI_ERROR_RING, ~0ull);
}

static void tail_ahead(struct board *board)
{
	struct queue queue = make_queue(context_of(board, 1), 0, 3, 0);

	doorbell(board, 0, 9, 8, 0);
	wait_error(&queue, HBI_ERROR_RING, ~0ull);
}

static void no_unasked(struct board *board)
{
	struct queue queue = make_queue(context_of(board, 1), 0, 3, 0);

	if (board->vectors < 2)
		leave_out("one vector is shared by all");
	put(&queue, nop_packet());
	ring(&queue);
	rest(board, 100);
	EQUAL(queue.status->completed, 1);
	EXPECT(!raised(board, &queue, 50));
}

static void arm_at_once(struct board *board)
{
	struct queue queue = make_queue(context_of(board, 1), 0, 3, 0);

	do_packet(&queue, nop_packet());
	while (raised(board, &queue, 0))
		;
	set_reg(board, HBI_REG_QUEUE_ARM(0), 1, 8);
	EXPECT(raised(board, &queue, patience_ms));
	if (board->vectors > 1)
		EXPECT(!raised(board, &queue, 50));
}

static void arm_ahead(struct board *board)
{
	struct queue queue = make_queue(context_of(board, 1), 0, 3, 0);

	if (board->vectors < 2)
		leave_out("one vector is shared by all");
	set_reg(board, HBI_REG_QUEUE_ARM(0), 2, 4);
	set_reg(board, HBI_REG_QUEUE_ARM(0) + 4, 0, 4);
	put(&queue, nop_packet());
	ring(&queue);
	EXPECT(!raised(board, &queue, 100));
	put(&queue, nop_packet());
	ring(&queue);
	EXPECT(raised(board, &queue, patience_ms));
	EXPECT(queue.status->completed >= 2);
	/* A later store replaces an earlier one. */
	set_reg(board, HBI_REG_QUEUE_ARM(0), 3, 8);
	set_reg(board, HBI_REG_QUEUE_ARM(0), 4, 8);
	put(&queue, nop_packet());
	ring(&queue);
	EXPECT(!raised(board, &queue, 100));
	put(&queue, nop_packet());
	ring(&queue);
	EXPECT(raised(board, &queue, patience_ms));
}

static void arm_error(struct board *board)
{
	struct queue queue = make_queue(context_of(board, 1), 0, 3, 0);

	set_reg(board, HBI_REG_QUEUE_ARM(0), ~0ull, 8);
	doorbell(board, 0, 100, 8, 0);
	EXPECT(raised(board, &queue, patience_ms));
	EQUAL(queue.status->state, HBI_QUEUE_ERROR);
	/* And at once when it already is. */
	set_reg(board, HBI_REG_QUEUE_ARM(0), ~0ull, 8);
	EXPECT(raised(board, &queue, patience_ms));
}

static void canceled(struct board *board)
{
	struct context *first = context_of(board, 1), *second = context_of(board, 2);
	struct queue bad = make_queue(first, 0, 3, 0), other = make_queue(first, 1, 3, 0);
	struct queue innocent = make_queue(second, 2, 3, 0);
	struct hbi_event event;

	do_packet(&innocent, nop_packet());
	put(&other, value_packet(HBI_PACKET_WAIT, VA_HOST, 1));
	ring(&other);
	put(&bad, (union hbi_packet){ .header.type = 0xee });
	ring(&bad);
	wait_error(&bad, HBI_ERROR_OPCODE, ~0ull);
	wait_error(&other, HBI_ERROR_CANCELED, ~0ull);
	do_packet(&innocent, nop_packet());
	EQUAL(innocent.status->completed, 2);
	EXPECT(!next_event(board, &event, 50));
	/* Nothing more is executed. */
	put(&bad, fill_packet(VA_HOST, 4, 0x5555));
	ring(&bad);
	rest(board, 50);
	EQUAL(*(uint32_t *)host_of(first), 0);
	drop_queue(&bad);
	drop_queue(&other);
	EQUAL(admin_simple(board, HBI_ADMIN_DESTROY_CONTEXT, 1), HBI_OK);
	board->contexts_made &= ~2ull;
	do_packet(&innocent, nop_packet());
}

/* What three queues of a context get done while another context's one does 100 packets. */
static uint64_t race(struct board *board)
{
	struct context *greedy = context_of(board, 1), *modest = context_of(board, 2);
	struct queue many[3], one;
	uint64_t sum = 0;
	int i, j;

	for (i = 0; i < 3; i++)
		many[i] = make_queue(greedy, i, 8, 0);
	one = make_queue(modest, 3, 8, 0);
	memset(host_of(greedy) + 0x70000, 0, 24);
	for (j = 1; j <= 100; j++)
		for (i = 0; i < 4; i++) {
			struct queue *queue = i < 3 ? &many[i] : &one;

			put(queue, copy_packet(VA_HOST + 0x40000, VA_HOST, 0x4000));
			put(queue, value_packet(HBI_PACKET_SIGNAL, VA_HOST + 0x70000 + 8 * i, j));
		}
	for (i = 0; i < 3; i++)
		ring(&many[i]);
	ring(&one);
	wait_for(&one, one.tail);
	for (i = 0; i < 3; i++)
		sum += *(volatile uint64_t *)(host_of(greedy) + 0x70000 + 8 * i);
	for (i = 0; i < 3; i++) {
		wait_for(&many[i], many[i].tail);
		drop_queue(&many[i]);
	}
	drop_queue(&one);
	return sum;
}

/*
 * A share is about 100; a turn for each queue would be 300, all of it. One time of three is enough:
 * the host may have been busy with something else.
 */
static void shares(struct board *board)
{
	uint64_t sum = 0;
	int tries;

	for (tries = 0; tries < 3; tries++) {
		sum = race(board);
		if (sum < 250)
			return;
	}
	stop("three queues got %llu packets done while another context's one did 100",
	     (unsigned long long)sum);
}

const struct check checks_queue[] = {
	{ "queue-around", "QUE-1 QUE-2 STS-2", "many times around a ring", NEED_RUNNING, 0,
	  around },
	{ "queue-full", "QUE-2 DBL-1", "a ring filled to the last slot", NEED_RUNNING, 0, full },
	{ "doorbell-halves", "DBL-1", "a doorbell in two halves", NEED_RUNNING, 0,
	  doorbell_halves },
	{ "doorbell-reserved", "DBL-1", "the rest of the page has no effect", NEED_RUNNING, 0,
	  doorbell_reserved },
	{ "doorbell-of-nobody", "DBL-1", "nor has a doorbell of no queue, then or later",
	  NEED_RUNNING, 0, doorbell_of_nobody },
	{ "tail-back", "ERR.RING DBL-1", "a tail that goes back", NEED_RUNNING, 0, tail_back },
	{ "tail-ahead", "ERR.RING DBL-1", "a tail more than a ring ahead", NEED_RUNNING, 0,
	  tail_ahead },
	{ "arm-unasked", "ARM-1", "no interrupt without arming", NEED_RUNNING, 0, no_unasked },
	{ "arm-at-once", "ARM-1 ARM-2", "an interrupt at once, and one", NEED_RUNNING, 0,
	  arm_at_once },
	{ "arm-ahead", "ARM-1 REG.QUEUE_ARM", "an interrupt when the count is there, not before",
	  NEED_RUNNING, 0, arm_ahead },
	{ "arm-error", "ARM-1 ERR-1", "and when the queue fails", NEED_RUNNING, 0, arm_error },
	{ "error-cancels", "ERR-1 ERR.CANCELED EVT.QUEUE_ERROR EVT-1",
	  "an error ends the queues of its context and no others", NEED_RUNNING, 0, canceled },
	{ "fair-contexts", "ORD-4", "contexts share the board, however many queues they have",
	  NEED_RUNNING, 0, shares },
	{ 0 },
};
