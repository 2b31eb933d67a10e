// SPDX-License-Identifier: MIT
/*
 * What a process may not do, and that nobody else notices when it tries: faults, endless loops,
 * forged packets, wild doorbells, memory that is not its own, host memory that was not mapped.
 * After each, a second context must still compute right.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "client.h"
#include "kernels.h"

#define OUT	0x1000
#define NOWHERE 0x7000000000ull

static struct client board;
static struct context good, bad;
static struct queue good_queue;

/* The good context's work: it must always come out right. */
static void check_good(void)
{
	uint64_t args = put_args(&good, 0, 0, VA_DATA + OUT, 0);
	union hbi_packet p = packet_dispatch(KERNEL_MARK, 200, args);
	uint32_t i, count, wrong = 0;

	memset(context_data(&good) + OUT, 0, 1024);
	CHECK(queue_do(&good_queue, &p));
	for (i = 0; i < 200; i++) {
		memcpy(&count, context_data(&good) + OUT + 4 * i, 4);
		wrong += count != 1;
	}
	CHECK_EQUAL(wrong, 0);
}

static void drain_events(void)
{
	struct hbi_event event;

	while (take_event(&board, &event, 0))
		;
}

/* Runs one packet on a fresh queue of the bad context; the error it ends in. */
static enum hbi_error run_bad(const union hbi_packet *packet, uint32_t timeout_ms,
			      struct hbi_event *event, struct hbi_queue_status *status)
{
	union hbi_packet nop = packet_nop();
	struct queue queue;
	enum hbi_error error;

	drain_events();
	CHECK_EQUAL(queue_init(&queue, &bad, 5, 4, timeout_ms), HBI_OK);
	queue_put(&queue, &nop);
	queue_put(&queue, packet);
	queue_put(&queue, &nop);
	queue_ring(&queue);
	error = queue_wait_error(&queue);
	CHECK(take_event(&board, event, PATIENCE_MS));
	CHECK_EQUAL(event->type, HBI_EVENT_QUEUE_ERROR);
	CHECK_EQUAL(event->error, error);
	CHECK_EQUAL(event->fault.queue, 5);
	CHECK_EQUAL(event->fault.context, bad.id);
	CHECK_EQUAL(event->fault.packet, 1);
	CHECK_EQUAL(queue.status->fault_packet, 1);
	CHECK_EQUAL(queue.status->completed, 1);
	CHECK_EQUAL(queue.status->state, HBI_QUEUE_ERROR);
	CHECK_EQUAL(queue.status->fault_address, event->fault.address);
	if (status)
		memcpy(status, (const void *)queue.status, sizeof(*status));
	CHECK_EQUAL(admin_destroy_queue(&board, 5), HBI_OK);
	return error;
}

static void test_faults(void)
{
	static const struct {
		unsigned int kernel;
		uint64_t argument;
		enum hbi_error error;
		uint64_t address;
	} cases[] = {
		{ KERNEL_LOAD, NOWHERE, HBI_ERROR_LOAD, NOWHERE },
		{ KERNEL_LOAD, 0, HBI_ERROR_LOAD, 0 },
		{ KERNEL_LOAD, 1ull << 47, HBI_ERROR_LOAD, 1ull << 47 },
		{ KERNEL_LOAD, VA_HOST, HBI_ERROR_LOAD, VA_HOST },
		{ KERNEL_LOAD, 0x80000000, HBI_ERROR_LOAD, 0x80000000 },
		{ KERNEL_STORE, NOWHERE + 8, HBI_ERROR_STORE, NOWHERE + 8 },
		{ KERNEL_STORE, VA_CODE, HBI_ERROR_STORE, VA_CODE },
		{ KERNEL_STORE, VA_HOST + 16, HBI_ERROR_STORE, VA_HOST + 16 },
		{ KERNEL_JUMP, NOWHERE, HBI_ERROR_FETCH, NOWHERE },
		{ KERNEL_JUMP, VA_DATA, HBI_ERROR_FETCH, VA_DATA },
		{ KERNEL_ILLEGAL, 0, HBI_ERROR_INSTRUCTION, 0 },
		{ KERNEL_CALL, 0, HBI_ERROR_INSTRUCTION, 0 },
		{ KERNEL_CSR, 0, HBI_ERROR_INSTRUCTION, 0 },
	};
	struct hbi_event event;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t code = VA_CODE + cases[i].kernel * KERNEL_SLOT;
		union hbi_packet p = packet_dispatch(cases[i].kernel, 100,
						     put_args(&bad, 0, 0, cases[i].argument, 0));

		CHECK_EQUAL(run_bad(&p, 0, &event, NULL), cases[i].error);
		CHECK_EQUAL(event.fault.address, cases[i].address);
		CHECK(event.fault.hart >= 1 && event.fault.hart <= board.workers);
		if (cases[i].kernel == KERNEL_JUMP)
			CHECK_EQUAL(event.fault.pc, cases[i].argument);
		else
			CHECK(event.fault.pc >= code && event.fault.pc < code + KERNEL_SLOT);
		check_good();
	}
}

/* Page table entries that neither a core nor the DMA engine may follow. */
static void test_tables(void)
{
	uint64_t data = context_memory(&bad, 0) >> 12 << HBI_PTE_PPN_SHIFT;
	uint64_t full = HBI_PTE_V | HBI_PTE_U | HBI_PTE_A | HBI_PTE_D | PTE_RW;
	uint64_t firmware = 0x80000000ull >> 12 << HBI_PTE_PPN_SHIFT;
	uint64_t uart = 0x10000000ull >> 12 << HBI_PTE_PPN_SHIFT;
	uint64_t beyond =
		(context_memory(&bad, 0) + board.aperture_bytes) >> 12 << HBI_PTE_PPN_SHIFT;
	struct {
		uint64_t pte;
		bool reads;
	} cases[] = {
		{ 0, false },
		{ data | (full & ~HBI_PTE_V), false },
		{ data | (full & ~HBI_PTE_U), false },
		{ data | (full & ~HBI_PTE_A), false },
		{ data | (full & ~HBI_PTE_D), true },
		{ data | (full & ~HBI_PTE_R), false },
		{ data | (full & ~HBI_PTE_W), true },
		{ data | full | 1ull << 54, false },
		{ data | full | 1ull << 63, false },
		{ firmware | full, false },
		{ uart | full, false },
		{ beyond | full, false },
	};
	uint64_t va = 0x70000000;
	struct hbi_event event;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t args = put_args(&bad, 0, 0, va, 0);
		union hbi_packet p;

		map_raw(&bad, va, cases[i].pte);
		CHECK_EQUAL(admin_invalidate(&board, bad.id), HBI_OK);
		p = packet_dispatch(KERNEL_STORE, 1, args);
		CHECK_EQUAL(run_bad(&p, 0, &event, NULL), HBI_ERROR_STORE);
		CHECK_EQUAL(event.fault.address, va);
		p = packet_fill(va, 8, 1);
		CHECK_EQUAL(run_bad(&p, 0, &event, NULL), HBI_ERROR_STORE);
		CHECK_EQUAL(event.fault.address, va);
		p = packet_signal(va + 8, 1);
		CHECK_EQUAL(run_bad(&p, 0, &event, NULL), HBI_ERROR_STORE);
		p = packet_copy(va, VA_DATA, 8);
		CHECK_EQUAL(run_bad(&p, 0, &event, NULL), HBI_ERROR_STORE);
		if (cases[i].reads)
			continue;
		p = packet_dispatch(KERNEL_LOAD, 1, args);
		CHECK_EQUAL(run_bad(&p, 0, &event, NULL), HBI_ERROR_LOAD);
		p = packet_copy(VA_DATA, va, 8);
		CHECK_EQUAL(run_bad(&p, 0, &event, NULL), HBI_ERROR_LOAD);
		CHECK_EQUAL(event.fault.address, va);
		p = packet_wait(va, 1);
		CHECK_EQUAL(run_bad(&p, 0, &event, NULL), HBI_ERROR_LOAD);
		p = packet_indirect(va, 1);
		CHECK_EQUAL(run_bad(&p, 0, &event, NULL), HBI_ERROR_LOAD);
	}
	check_good();
}

static void test_unmap_while_running(void)
{
	uint64_t va = 0x78000000;
	struct hbi_event event;
	union hbi_packet p;

	map_pages(&bad, va, context_memory(&bad, 0x80000), 4096, PTE_RW);
	CHECK_EQUAL(admin_invalidate(&board, bad.id), HBI_OK);
	p = packet_dispatch(KERNEL_STORE, 1, put_args(&bad, 0, 0, va, 0));
	{
		struct queue queue;

		CHECK_EQUAL(queue_init(&queue, &bad, 6, 4, 0), HBI_OK);
		CHECK(queue_do(&queue, &p));
		CHECK_EQUAL(admin_destroy_queue(&board, 6), HBI_OK);
	}
	map_raw(&bad, va, 0);
	CHECK_EQUAL(admin_invalidate(&board, bad.id), HBI_OK);
	CHECK_EQUAL(run_bad(&p, 0, &event, NULL), HBI_ERROR_STORE);
	check_good();
}

static void test_timeout(void)
{
	union hbi_packet p = packet_dispatch(KERNEL_SPIN, 10, put_args(&bad, 0, 0, 0, 0));
	struct hbi_event event;

	CHECK_EQUAL(run_bad(&p, 200, &event, NULL), HBI_ERROR_TIMEOUT);
	CHECK_EQUAL(event.fault.address, 0);
	CHECK_EQUAL(event.fault.pc, VA_CODE + KERNEL_SPIN * KERNEL_SLOT);
	check_good();
}

/* While a kernel loops, the board serves everybody else's packets and the driver; then it ends. */
static void test_destroy_running(void)
{
	union hbi_packet spin = packet_dispatch(KERNEL_SPIN, 10, put_args(&bad, 0, 0, 0, 0));
	union hbi_packet p = packet_signal(VA_HOST, 77);
	uint64_t nop[8] = { 0 };
	struct queue queue;

	CHECK_EQUAL(queue_init(&queue, &bad, 7, 4, 0), HBI_OK);
	queue_put(&queue, &spin);
	queue_ring(&queue);
	usleep(50000);
	CHECK_EQUAL(admin(&board, nop), HBI_OK);
	CHECK_EQUAL(admin_invalidate(&board, bad.id), HBI_OK);
	CHECK(queue_do(&good_queue, &p));
	CHECK_EQUAL(*(volatile uint64_t *)context_host(&good), 77);
	p = packet_sync_code(VA_CODE, 4096);
	CHECK(queue_do(&good_queue, &p));
	CHECK_EQUAL(queue.status->completed, 0);
	CHECK_EQUAL(queue.status->state, HBI_QUEUE_LIVE);
	CHECK_EQUAL(admin_destroy_queue(&board, 7), HBI_OK);
	CHECK_EQUAL(queue.status->state, HBI_QUEUE_NONE);
	check_good();
	/* The workers are free, the number can be used again, and its doorbell is forgotten. */
	CHECK_EQUAL(queue_init(&queue, &bad, 7, 4, 0), HBI_OK);
	usleep(20000);
	CHECK_EQUAL(queue.status->completed, 0);
	CHECK_EQUAL(queue.status->state, HBI_QUEUE_LIVE);
	CHECK_EQUAL(admin_destroy_queue(&board, 7), HBI_OK);
}

/* One queue's fault ends the other queues of its context, a running one among them. */
static void test_siblings(void)
{
	union hbi_packet spin = packet_dispatch(KERNEL_SPIN, 10, put_args(&bad, 0, 0, 0, 0));
	union hbi_packet p = packet_fill(NOWHERE, 8, 0);
	struct queue first, second;
	struct hbi_event event;

	drain_events();
	CHECK_EQUAL(queue_init(&first, &bad, 10, 4, 0), HBI_OK);
	CHECK_EQUAL(queue_init(&second, &bad, 11, 4, 0), HBI_OK);
	queue_put(&first, &spin);
	queue_ring(&first);
	queue_put(&second, &p);
	queue_ring(&second);
	CHECK_EQUAL(queue_wait_error(&second), HBI_ERROR_STORE);
	CHECK_EQUAL(queue_wait_error(&first), HBI_ERROR_CANCELED);
	CHECK(take_event(&board, &event, PATIENCE_MS));
	CHECK_EQUAL(event.fault.queue, 11);
	CHECK(take_event(&board, &event, PATIENCE_MS));
	CHECK_EQUAL(event.fault.queue, 10);
	CHECK_EQUAL(event.error, HBI_ERROR_CANCELED);
	check_good();
	CHECK_EQUAL(admin_destroy_queue(&board, 10), HBI_OK);
	CHECK_EQUAL(admin_destroy_queue(&board, 11), HBI_OK);
}

static void test_malformed(void)
{
	union hbi_packet dispatch = packet_dispatch(KERNEL_MARK, 1, VA_DATA);
	union hbi_packet list[32], p;
	struct hbi_event event;
	size_t count = 0, i;

#define ADD(base, field, value)    \
	do {                       \
		p = base;          \
		p.field = (value); \
		list[count++] = p; \
	} while (0)
	ADD(packet_nop(), header.flags, 1);
	ADD(packet_nop(), header.reserved0, 1);
	ADD(packet_nop(), header.reserved1, 1);
	ADD(packet_nop(), words[7], 1);
	ADD(packet_barrier(), words[1], 1);
	ADD(dispatch, header.flags, 2);
	ADD(dispatch, dispatch.code, VA_CODE + 1);
	ADD(dispatch, dispatch.code, 1ull << 47);
	ADD(dispatch, dispatch.args, 1ull << 47);
	ADD(dispatch, dispatch.scratch, VA_SCRATCH + 8);
	ADD(dispatch, dispatch.scratch_stride, 8);
	ADD(dispatch, dispatch.scratch, (1ull << 47) - 64);
	ADD(dispatch, dispatch.reserved[1], 1);
	ADD(packet_copy(VA_DATA, VA_HOST, 64), copy.size, ~0ull);
	ADD(packet_copy(VA_DATA, VA_HOST, 64), copy.source, ~0ull - 8);
	ADD(packet_copy(VA_DATA, VA_HOST, 64), copy.destination, (1ull << 47) - 8);
	ADD(packet_copy(VA_DATA, VA_HOST, 64), copy.reserved[0], 1);
	ADD(packet_fill(VA_DATA, 64, 0), fill.destination, VA_DATA + 2);
	ADD(packet_fill(VA_DATA, 64, 0), fill.size, 63);
	ADD(packet_fill(VA_DATA, 64, 0), fill.reserved0, 1);
	ADD(packet_signal(VA_DATA, 1), signal.address, VA_DATA + 4);
	ADD(packet_wait(VA_DATA, 1), signal.address, VA_DATA + 1);
	ADD(packet_timestamp(VA_DATA), timestamp.address, VA_DATA + 4);
	ADD(packet_timestamp(VA_DATA), words[2], 1);
	ADD(packet_indirect(VA_DATA, 1), indirect.address, VA_DATA + 32);
	ADD(packet_indirect(VA_DATA, 1), indirect.count, HBI_INDIRECT_MAX_PACKETS + 1);
	ADD(packet_indirect(VA_DATA, 1), indirect.count, ~0ull);
	ADD(packet_sync_code(VA_CODE, 4), sync_code.size, ~0ull);
	for (i = 0; i < count; i++)
		CHECK_EQUAL(run_bad(&list[i], 0, &event, NULL), HBI_ERROR_FIELD);

	p = dispatch;
	p.dispatch.groups[0] = p.dispatch.groups[1] = p.dispatch.groups[2] = ~0u;
	CHECK_EQUAL(run_bad(&p, 0, &event, NULL), HBI_ERROR_FIELD);
	p.dispatch.groups[0] = p.dispatch.groups[1] = 0x80000000;
	p.dispatch.groups[2] = 2;
	CHECK_EQUAL(run_bad(&p, 0, &event, NULL), HBI_ERROR_FIELD);
	p = packet_nop();
	p.header.type = 10;
	CHECK_EQUAL(run_bad(&p, 0, &event, NULL), HBI_ERROR_OPCODE);
	p.header.type = 255;
	CHECK_EQUAL(run_bad(&p, 0, &event, NULL), HBI_ERROR_OPCODE);
	p = packet_indirect(VA_DATA, 1);
	memcpy(context_data(&bad), &p, 64);
	CHECK_EQUAL(run_bad(&p, 0, &event, NULL), HBI_ERROR_NESTING);
	check_good();
}

static void test_doorbells(void)
{
	static const uint64_t tails[] = { 17, 1000, ~0ull, 1ull << 63, 1ull << 32 };
	union hbi_packet nop = packet_nop();
	struct queue queue;
	size_t i;

	for (i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		CHECK_EQUAL(queue_init(&queue, &bad, 20, 4, 0), HBI_OK);
		queue.tail = tails[i];
		queue_ring(&queue);
		CHECK_EQUAL(queue_wait_error(&queue), HBI_ERROR_RING);
		CHECK_EQUAL(admin_destroy_queue(&board, 20), HBI_OK);
	}
	/* Backwards. */
	CHECK_EQUAL(queue_init(&queue, &bad, 20, 4, 0), HBI_OK);
	queue_put(&queue, &nop);
	queue_put(&queue, &nop);
	queue_ring(&queue);
	CHECK(queue_wait(&queue, 2));
	queue.tail = 1;
	queue_ring(&queue);
	CHECK_EQUAL(queue_wait_error(&queue), HBI_ERROR_RING);
	CHECK_EQUAL(admin_destroy_queue(&board, 20), HBI_OK);
	/* Doorbells of no queue. */
	for (i = 0; i < 64; i++)
		if (i != good_queue.id)
			bar_write(&board, 0, 0x10000 + i * 4096, ~0ull, 8);
	bar_write(&board, 0, 0x10000 + 64 * 4096, ~0ull, 8);
	bar_write(&board, 0, 0x10008, ~0ull, 8);
	drain_events();
	check_good();
}

/* Host memory that the client did not map, or only for reading. */
static void test_host_dma(void)
{
	uint64_t va = 0x74000000, lost = 0xdead0000, fixed = 0x9000000000;
	uint8_t *host = context_host(&bad);
	struct hbi_queue_status status;
	struct hbi_event event;
	union hbi_packet p;

	map_pages(&bad, va, board.host_window + lost, 4096, PTE_RW);
	map_pages(&bad, va + 4096, board.host_window + fixed, 4096, PTE_RW);
	CHECK_EQUAL(admin_invalidate(&board, bad.id), HBI_OK);
	board.refused_reads = board.refused_writes = 0;
	p = packet_copy(VA_DATA, va, 64);
	CHECK_EQUAL(run_bad(&p, 0, &event, &status), HBI_ERROR_HOST_DMA);
	CHECK_EQUAL(status.fault_address, va);
	client_pump(&board, 1000);
	CHECK_EQUAL(board.refused_reads, 1);
	CHECK_EQUAL(board.refused_address, lost);
	p = packet_copy(va + 128, VA_DATA, 64);
	CHECK_EQUAL(run_bad(&p, 0, &event, &status), HBI_ERROR_HOST_DMA);
	CHECK_EQUAL(status.fault_address, va + 128);
	p = packet_fill(va, 64, 0);
	CHECK_EQUAL(run_bad(&p, 0, &event, NULL), HBI_ERROR_HOST_DMA);
	p = packet_wait(va, 1);
	CHECK_EQUAL(run_bad(&p, 0, &event, NULL), HBI_ERROR_HOST_DMA);
	p = packet_indirect(va, 1);
	CHECK_EQUAL(run_bad(&p, 0, &event, NULL), HBI_ERROR_HOST_DMA);
	/* Nobody waits for this store; it fails at its packet all the same. */
	p = packet_signal(va + 16, 1);
	CHECK_EQUAL(run_bad(&p, 0, &event, &status), HBI_ERROR_HOST_DMA);
	CHECK_EQUAL(status.fault_address, va + 16);
	if (board.refused_writes < 3)
		client_pump(&board, 5000);
	CHECK_EQUAL(board.refused_writes, 3);

	CHECK_EQUAL(client_dma_map(&board, fixed, 0, 4096, false), 0);
	p = packet_copy(va + 4096, VA_DATA, 64);
	memset(board.host, 0x5a, 64);
	CHECK_EQUAL(run_bad(&p, 0, &event, NULL), HBI_ERROR_HOST_DMA);
	CHECK_EQUAL(board.host[0], 0x5a);
	{
		struct queue queue;

		CHECK_EQUAL(queue_init(&queue, &bad, 6, 4, 0), HBI_OK);
		p = packet_copy(VA_HOST, va + 4096, 64);
		CHECK(queue_do(&queue, &p));
		CHECK_EQUAL(host[63], 0x5a);
		/* Unmapped, it is out of reach at once. */
		CHECK_EQUAL(client_dma_unmap(&board, fixed, 4096), 0);
		queue_put(&queue, &p);
		queue_ring(&queue);
		CHECK_EQUAL(queue_wait_error(&queue), HBI_ERROR_HOST_DMA);
		CHECK_EQUAL(admin_destroy_queue(&board, 6), HBI_OK);
	}
	drain_events();
	check_good();
}

/* Events are lost, and counted, when the host does not take them; nothing else suffers. */
static void test_event_overflow(void)
{
	union hbi_packet p = packet_signal(NOWHERE, 1);
	struct hbi_event event;
	uint32_t i, taken = 0;

	drain_events();
	for (i = 0; i < (1u << EVENTS_LOG2) + 10; i++) {
		struct queue queue;

		CHECK_EQUAL(queue_init(&queue, &bad, 5, 4, 0), HBI_OK);
		queue_put(&queue, &p);
		queue_ring(&queue);
		CHECK_EQUAL(queue_wait_error(&queue), HBI_ERROR_STORE);
		CHECK_EQUAL(admin_destroy_queue(&board, 5), HBI_OK);
	}
	while (take_event(&board, &event, 0))
		taken++;
	CHECK_EQUAL(taken, 1u << EVENTS_LOG2);
	CHECK_EQUAL(run_bad(&p, 0, &event, NULL), HBI_ERROR_STORE);
	CHECK_EQUAL(event.fault.lost, 10);
}

static uint64_t random_state = 0x243f6a8885a308d3;

static uint64_t random_word(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static uint64_t random_address(void)
{
	static const uint64_t places[] = { VA_DATA, VA_HOST, VA_DATA + 0x8000, VA_HOST + 0x8000 };
	static const uint64_t wild[] = { VA_CODE, NOWHERE, 0, (1ull << 47) - 4096 };
	uint64_t r = random_word();

	if (!(r & 255))
		return random_word();
	if (!(r & 63))
		return wild[r >> 8 & 3] + (r >> 16 & 0xfff8);
	return places[r >> 8 & 3] + (r >> 16 & 0xfff8);
}

/* A packet that is nearly right. */
static union hbi_packet random_packet(void)
{
	static const unsigned int safe[] = { KERNEL_MARK,  KERNEL_LOAD,	 KERNEL_STORE,
					     KERNEL_REGS,  KERNEL_STACK, KERNEL_VECTOR,
					     KERNEL_VALUE, KERNEL_POISON };
	uint64_t r = random_word();
	union hbi_packet p = { 0 };
	unsigned int i;

	switch (r >> 56 ? r % 12 : 12) {
	case 0:
		p = packet_copy(random_address(), random_address(), r >> 8 & 0xffff);
		break;
	case 1:
		p = packet_fill(random_address() & ~3ull, r >> 8 & 0xfffc, r);
		break;
	case 2:
		p = packet_signal(random_address(), r);
		break;
	case 3:
		p = packet_wait(random_address(), 0);
		break;
	case 4:
		p = packet_indirect(VA_DATA + 0x80000 + (r >> 16 & 15) * 64, r >> 8 & 15);
		break;
	case 5:
		p = packet_sync_code(VA_CODE + (r >> 32 & 0x7ff8), r >> 8 & 0x7fff);
		break;
	case 6:
	case 7:
		p = packet_dispatch(safe[r >> 8 & 7], r >> 16 & 255, VA_DATA + 0x82000);
		if (!(r >> 24 & 127))
			p.dispatch.code = random_address();
		break;
	case 12:
		for (i = 0; i < 8; i++)
			p.words[i] = random_word();
		break;
	case 9:
		p = packet_timestamp(random_address());
		break;
	default:
		p = packet_nop();
	}
	if (!(random_word() & 127))
		p.words[random_word() & 7] ^= 1ull << (random_word() & 63);
	return p;
}

static void test_fuzz(void)
{
	uint8_t *before = malloc(DATA_BYTES);
	uint32_t round, i, errors = 0;
	uint64_t nop[8] = { 0 };

	if (!before)
		die("out of memory");
	memcpy(before, context_data(&good), DATA_BYTES);
	for (round = 0; round < 300; round++) {
		struct queue queue;
		union hbi_packet p;

		CHECK_EQUAL(queue_init(&queue, &bad, 9, 5, 50), HBI_OK);
		put_args(&bad, 0x82000, 1 + (random_word() & 63), VA_DATA + 0x4000, VA_DATA);
		for (i = 0; i < 32; i++) {
			p = random_packet();
			if (p.header.type != HBI_PACKET_INDIRECT)
				memcpy(context_data(&bad) + 0x80000 + 64 * i, &p, 64);
			p = random_packet();
			queue_put(&queue, &p);
		}
		queue_ring(&queue);
		if (!(round & 15)) {
			bar_write(&board, 0, 0x1000 + (random_word() & 0xffc), random_word(), 4);
			bar_write(&board, 0, 0x50000 + (random_word() & 0xfffc), random_word(), 4);
			bar_write(&board, 0, 0x10000 + 9 * 4096, random_word(), 8);
		}
		/* Some are destroyed in the middle of it. */
		if (round % 3)
			errors += !queue_wait(&queue, queue.tail);
		CHECK_EQUAL(admin_destroy_queue(&board, 9), HBI_OK);
		drain_events();
	}
	printf("# %u of 200 streams ended in an error\n", errors);
	CHECK(errors > 20 && errors < 200);
	CHECK_EQUAL(board_state(&board), HBI_STATE_RUNNING);
	CHECK_EQUAL(admin(&board, nop), HBI_OK);
	CHECK(!memcmp(before, context_data(&good), DATA_BYTES));
	check_good();
	free(before);
}

int main(int argc, char **argv)
{
	test_arguments(argc, argv);
	client_open(&board, NULL);
	start_board(&board);
	context_standard(&good, &board, 1);
	context_standard(&bad, &board, 2);
	CHECK_EQUAL(queue_init(&good_queue, &good, 0, 6, 0), HBI_OK);
	tap_run("faults of kernels", test_faults);
	tap_run("page tables that refuse", test_tables);
	tap_run("unmapped pages", test_unmap_while_running);
	tap_run("endless loop ended by its timeout", test_timeout);
	tap_run("running queue destroyed", test_destroy_running);
	tap_run("queues of one context fail together", test_siblings);
	tap_run("malformed packets", test_malformed);
	tap_run("wild doorbells", test_doorbells);
	tap_run("host memory out of reach", test_host_dma);
	tap_run("event ring overflow", test_event_overflow);
	tap_run("random packets", test_fuzz);
	client_close(&board);
	return tap_end();
}
