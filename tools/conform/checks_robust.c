// SPDX-License-Identifier: MIT
/*
 * Garbage: random packets, commands and register stores, the same at every run. Whatever the board
 * answers, it must go on serving, and a context that does nothing wrong must not notice.
 */
#include <string.h>
#include "conform.h"

static uint64_t seed;

static uint64_t next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static void plant(struct context *victim)
{
	memset(data_of(victim) + 0x40000, 0xc5, 0x4000);
	memset(host_of(victim) + 0x40000, 0xc5, 0x4000);
}

static void harvest(struct context *victim)
{
	size_t i;

	for (i = 0; i < 0x4000; i++) {
		EQUAL(data_of(victim)[0x40000 + i], 0xc5);
		EQUAL(host_of(victim)[0x40000 + i], 0xc5);
	}
}

/* Mostly right, so that it gets far: a known type, addresses near what is mapped. */
static union hbi_packet wild_packet(void)
{
	static const uint64_t places[] = {
		VA_DATA, VA_HOST, VA_RING, VA_CODE, VA_SCRATCH, VA_SPARE
	};
	union hbi_packet packet = { 0 };
	int i;

	for (i = 1; i < 8; i++)
		switch (next_random() % 6) {
		case 0:
			packet.words[i] = next_random();
			break;
		case 1:
			packet.words[i] = next_random() % 4096;
			break;
		case 2:
		case 3:
			packet.words[i] = places[next_random() % 6] + next_random() % 0x90000;
			break;
		}
	packet.header.type = next_random() % 11;
	/* Endless kernels are checked elsewhere, and grids without end are. */
	if (packet.header.type == HBI_PACKET_DISPATCH) {
		packet.dispatch.groups[0] = next_random() % 8;
		packet.dispatch.groups[1] = packet.dispatch.groups[2] = 1;
	}
	if (packet.header.type == HBI_PACKET_WAIT && next_random() % 2)
		packet.signal.value = 0;
	if (packet.header.type == HBI_PACKET_INDIRECT)
		packet.indirect.count %= 64;
	if (next_random() % 32 == 0)
		packet.words[0] = next_random();
	return packet;
}

static void packets(struct board *board)
{
	struct context *hostile = context_of(board, 1), *victim = context_of(board, 2);
	struct queue honest = make_queue(victim, 3, 3, 0), queue;
	struct hbi_event event;
	int round, i;

	seed = 0x5eed;
	plant(victim);
	for (round = 0; round < 100; round++) {
		queue = make_queue(hostile, 0, 5, 200);
		for (i = 0; i < 24; i++)
			put(&queue, wild_packet());
		ring(&queue);
		if (round % 8 == 0)
			rest(board, 20);
		do_packet(&honest, nop_packet());
		EXPECT(queue.status->state == HBI_QUEUE_LIVE ||
		       (queue.status->state == HBI_QUEUE_ERROR && queue.status->error > HBI_OK &&
			queue.status->error <= HBI_ERROR_INTERNAL));
		drop_queue(&queue);
		while (next_event(board, &event, 0))
			if (event.type != HBI_EVENT_LOG)
				EQUAL(event.fault.context, hostile->id);
	}
	harvest(victim);
	EQUAL(honest.status->completed, 100);
	EQUAL(honest.status->state, HBI_QUEUE_LIVE);
}

static void tails(struct board *board)
{
	struct context *hostile = context_of(board, 1), *victim = context_of(board, 2);
	struct queue honest = make_queue(victim, 3, 3, 0), queue;
	int round, i;

	seed = 0xbe11;
	for (round = 0; round < 20; round++) {
		queue = make_queue(hostile, 0, 4, 0);
		memset(queue.ring, 0, 16 * HBI_PACKET_SIZE);
		for (i = 0; i < 20; i++)
			doorbell(board, 0, next_random() >> next_random() % 64,
				 next_random() % 2 ? 4 : 8, 0);
		do_packet(&honest, nop_packet());
		drop_queue(&queue);
	}
}

static void commands(struct board *board)
{
	struct context *victim = context_of(board, 2);
	struct queue honest = make_queue(victim, 3, 3, 0);
	uint64_t words[8];
	int round, i;

	seed = 0xadbad;
	plant(victim);
	for (round = 0; round < 300; round++) {
		uint16_t status;

		for (i = 0; i < 8; i++)
			words[i] = next_random() >> next_random() % 64;
		/* Reserved bits of the header are set: whatever it is, it must be refused. */
		words[0] |= 1ull << 32;
		status = admin(board, words);
		EXPECT(status == HBI_ERROR_FIELD || status == HBI_ERROR_OPCODE);
	}
	do_packet(&honest, nop_packet());
	harvest(victim);
}

static void registers(struct board *board)
{
	struct queue honest = make_queue(context_of(board, 2), 3, 3, 0);
	int round;

	seed = 0x4e6;
	for (round = 0; round < 400; round++) {
		uint32_t offset = next_random() % HBI_REG_BLOCK_SIZE & ~7u;

		/* What has a meaning while the board runs is left alone. */
		if (offset == (HBI_REG_CONTROL & ~7u) || offset == HBI_REG_ADMIN_TAIL ||
		    offset == HBI_REG_QUEUE_ARM(3))
			continue;
		set_reg(board, offset, next_random(), 8);
		(void)reg(board, offset, 8);
	}
	do_packet(&honest, nop_packet());
	EQUAL(state_of(board), HBI_STATE_RUNNING);
	EQUAL(admin_simple(board, HBI_ADMIN_NOP, 0), HBI_OK);
}

static void reset_under_load(struct board *board)
{
	uint32_t generation = reg(board, HBI_REG_GENERATION, 4);
	struct queue queue = make_queue(context_of(board, 1), 0, 8, 0);
	uint64_t word;
	int i;

	for (i = 0; i < 200; i++)
		put(&queue, copy_packet(VA_HOST, VA_DATA, 0x40000));
	ring(&queue);
	reset_board(board);
	EXPECT(reg(board, HBI_REG_GENERATION, 4) > generation);
	/* No DMA after the end of the reset. */
	memset(host_of(&(struct context){ .board = board, .id = 1 }), 0x99, 0x40000);
	rest(board, 100);
	memcpy(&word, host_of(&(struct context){ .board = board, .id = 1 }) + 0x8000, 8);
	EQUAL(word, 0x9999999999999999);
	start(board);
	EQUAL(admin_simple(board, HBI_ADMIN_NOP, 0), HBI_OK);
}

const struct check checks_robust[] = {
	{ "wild-packets", "SEC-1 SEC-2 SEC-5 SEC-6 ERR-1", "2400 packets of garbage", NEED_RUNNING,
	  0, packets },
	{ "wild-doorbells", "SEC-6 DBL-1 ERR.RING", "tails of garbage", NEED_RUNNING, 0, tails },
	{ "wild-commands", "ADM-6 SEC-7", "300 commands of garbage", NEED_RUNNING, 0, commands },
	{ "wild-registers", "REG-1", "stores of garbage to registers", NEED_RUNNING, 0, registers },
	{ "reset-under-load", "STA-10 REG.GENERATION",
	  "a reset ends all DMA, and all is well after", NEED_RUNNING, 0, reset_under_load },
	{ 0 },
};
