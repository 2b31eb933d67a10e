// SPDX-License-Identifier: MIT
/* User queues: every packet, their order, doorbells, status and interrupts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "client.h"
#include "kernels.h"

#define OUT    0x1000 /* of VA_DATA: what kernels write */
#define BUFFER 0x40000

static struct client board;
static struct context context;
static struct queue queue;

static uint64_t load64(const void *at)
{
	return __atomic_load_n((const uint64_t *)at, __ATOMIC_SEQ_CST);
}

static void fill_pattern(uint8_t *bytes, size_t size, uint32_t seed)
{
	size_t i;

	for (i = 0; i < size; i++) {
		seed = seed * 1664525 + 1013904223;
		bytes[i] = seed >> 24;
	}
}

static void test_nops(void)
{
	union hbi_packet p = packet_nop();
	int i, round;

	/* Many times around the ring of 64. */
	for (round = 0; round < 10; round++) {
		for (i = 0; i < 40; i++)
			queue_put(&queue, &p);
		queue_ring(&queue);
		CHECK(queue_wait(&queue, queue.tail));
	}
	CHECK_EQUAL(queue.status->completed, queue.tail);
	CHECK_EQUAL(queue.status->fetched, queue.tail);
	CHECK_EQUAL(queue.status->error, 0);
}

static void test_doorbell_halves(void)
{
	union hbi_packet p = packet_nop();

	queue_put(&queue, &p);
	bar_write(&board, 0, 0x10000, (uint32_t)queue.tail, 4);
	usleep(20000);
	CHECK(queue.status->completed < queue.tail);
	bar_write(&board, 0, 0x10004, queue.tail >> 32, 4);
	CHECK(queue_wait(&queue, queue.tail));
}

static void test_arm(void)
{
	unsigned int vector = 1;
	union hbi_packet p = packet_nop();

	irq_drain(&board);
	/* Without arming: nothing. */
	queue_put(&queue, &p);
	queue_ring(&queue);
	while (queue.status->completed < queue.tail)
		usleep(1000);
	CHECK(!irq_wait(&board, vector, 100));
	/* Already there: at once, and once. */
	set_reg64(&board, HBI_REG_QUEUE_ARM(0), queue.tail);
	CHECK(irq_wait(&board, vector, PATIENCE_MS));
	CHECK(!irq_wait(&board, vector, 100));
	/* In advance, in halves, and only when the count is there. */
	set_reg32(&board, HBI_REG_QUEUE_ARM(0), queue.tail + 2);
	set_reg32(&board, HBI_REG_QUEUE_ARM(0) + 4, 0);
	queue_put(&queue, &p);
	queue_ring(&queue);
	CHECK(!irq_wait(&board, vector, 200));
	queue_put(&queue, &p);
	queue_ring(&queue);
	CHECK(irq_wait(&board, vector, PATIENCE_MS));
	/* A later write replaces an earlier one. */
	set_reg64(&board, HBI_REG_QUEUE_ARM(0), queue.tail + 1);
	set_reg64(&board, HBI_REG_QUEUE_ARM(0), queue.tail + 2);
	queue_put(&queue, &p);
	queue_ring(&queue);
	CHECK(!irq_wait(&board, vector, 200));
	queue_put(&queue, &p);
	queue_ring(&queue);
	CHECK(irq_wait(&board, vector, PATIENCE_MS));
	CHECK(!irq_wait(&board, vector, 100));
}

static void check_copy(uint64_t destination, uint8_t *to, uint64_t source, uint8_t *from,
		       size_t size)
{
	union hbi_packet p = packet_copy(destination, source, size);

	fill_pattern(from, size, size + 7);
	memset(to, 0xee, size + 8);
	CHECK(queue_do(&queue, &p));
	CHECK(!memcmp(to, from, size));
	CHECK_EQUAL(to[size], 0xee);
}

static void test_copy(void)
{
	static const size_t sizes[] = { 1, 7, 64, 4095, 4097, 100003, 262144 };
	uint8_t *data = context_data(&context), *host = context_host(&context);
	uint64_t far = BUFFER + 0x50000;
	union hbi_packet p;
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t n = sizes[i], skew = i & 3;

		check_copy(VA_DATA + far + skew, data + far + skew, VA_DATA + BUFFER, data + BUFFER,
			   n);
		check_copy(VA_HOST + skew, host + skew, VA_DATA + BUFFER + 1, data + BUFFER + 1, n);
		check_copy(VA_DATA + BUFFER, data + BUFFER, VA_HOST + 5, host + 5, n);
		check_copy(VA_HOST + 0x80000, host + 0x80000, VA_HOST + skew, host + skew, n);
	}
	p = packet_copy(VA_HOST, VA_DATA, 0);
	CHECK(queue_do(&queue, &p));
}

/* Pages that lie in any order in memory are one range to the process. */
static void test_scattered(void)
{
	uint64_t va = 0x60000000, size = 9ull << 20, i;
	uint64_t base = 64ull << 20; /* of the aperture; nobody else's */
	uint8_t *pattern = malloc(4096);
	union hbi_packet p;
	uint32_t wrong = 0;

	for (i = 0; i < size / 4096; i++) {
		uint64_t page = i * 7 % (size / 4096);

		map_pages(&context, va + i * 4096, board.aperture_base + base + page * 4096, 4096,
			  PTE_RW);
	}
	CHECK_EQUAL(admin_invalidate(&board, 1), HBI_OK);
	p = packet_fill(va, size, 0xabcd1234);
	CHECK(queue_do(&queue, &p));
	for (i = 0; i < size / 4; i++)
		wrong += ((uint32_t *)(board.aperture + base))[i] != 0xabcd1234;
	CHECK_EQUAL(wrong, 0);
	for (i = 0; i < size / 4096; i++)
		*(uint32_t *)(board.aperture + base + (i * 7 % (size / 4096)) * 4096) = i;
	p = packet_copy(VA_HOST + 3, va + 4096 - 1, 0xf0000);
	CHECK(queue_do(&queue, &p));
	for (i = 1; i < 0xf0000 / 4096; i++) {
		uint32_t value;

		memcpy(&value, context_host(&context) + 3 + 1 + (i - 1) * 4096, 4);
		wrong += value != i;
	}
	CHECK_EQUAL(wrong, 0);
	free(pattern);
}

static void test_fill(void)
{
	uint8_t *host = context_host(&context), *data = context_data(&context);
	union hbi_packet p = packet_fill(VA_HOST + 4, 0x9000, 0x01020304);
	uint32_t i, wrong = 0;

	memset(host, 0, 0xa000);
	CHECK(queue_do(&queue, &p));
	for (i = 0; i < 0xa000 / 4; i++)
		wrong += ((uint32_t *)host)[i] != (i >= 1 && i <= 0x2400 ? 0x01020304 : 0);
	CHECK_EQUAL(wrong, 0);
	p = packet_fill(VA_DATA + BUFFER, 8, ~0u);
	memset(data + BUFFER, 0, 16);
	CHECK(queue_do(&queue, &p));
	CHECK_EQUAL(load64(data + BUFFER), ~0ull);
	CHECK_EQUAL(load64(data + BUFFER + 8), 0);
}

static void test_signal_and_timestamp(void)
{
	uint8_t *host = context_host(&context), *data = context_data(&context);
	union hbi_packet p[6] = {
		packet_signal(VA_HOST, 0x1122334455667788),
		packet_timestamp(VA_HOST + 8),
		packet_barrier(),
		packet_signal(VA_DATA + BUFFER, 42),
		packet_timestamp(VA_DATA + BUFFER + 8),
		packet_timestamp(VA_HOST + 16),
	};
	int i;

	memset(host, 0, 64);
	for (i = 0; i < 6; i++)
		queue_put(&queue, &p[i]);
	queue_ring(&queue);
	CHECK(queue_wait(&queue, queue.tail));
	CHECK_EQUAL(load64(host), 0x1122334455667788);
	CHECK_EQUAL(load64(data + BUFFER), 42);
	CHECK(load64(host + 8));
	CHECK(load64(host + 8) <= load64(data + BUFFER + 8));
	CHECK(load64(data + BUFFER + 8) <= load64(host + 16));
}

/* One queue waits for what another, or the host, signals; in either memory. */
static void test_wait(void)
{
	uint64_t places[] = { VA_HOST + 0x100, VA_DATA + BUFFER + 0x100 };
	uint8_t *bytes[] = { context_host(&context) + 0x100,
			     context_data(&context) + BUFFER + 0x100 };
	struct queue other;
	union hbi_packet p;
	int i;

	CHECK_EQUAL(queue_init(&other, &context, 1, 4, 0), HBI_OK);
	for (i = 0; i < 2; i++) {
		memset(bytes[i], 0, 8);
		p = packet_wait(places[i], 100);
		queue_put(&other, &p);
		queue_ring(&other);
		p = packet_signal(places[i], 99);
		CHECK(queue_do(&queue, &p));
		usleep(20000);
		CHECK_EQUAL(other.status->completed, 2 * i);
		p = packet_signal(places[i], 101);
		CHECK(queue_do(&queue, &p));
		CHECK(queue_wait(&other, other.tail));

		p = packet_wait(places[i], 1ull << 40);
		queue_put(&other, &p);
		queue_ring(&other);
		usleep(20000);
		CHECK_EQUAL(other.status->completed, 2 * i + 1);
		__atomic_store_n((uint64_t *)bytes[i], 1ull << 40, __ATOMIC_SEQ_CST);
		CHECK(queue_wait(&other, other.tail));
	}
	/* A pending wait does not keep it from being destroyed. */
	p = packet_wait(VA_HOST + 0x100, ~0ull);
	queue_put(&other, &p);
	queue_ring(&other);
	CHECK_EQUAL(admin_destroy_queue(&board, 1), HBI_OK);
	CHECK_EQUAL(other.status->state, HBI_QUEUE_NONE);
}

static void test_indirect(void)
{
	uint8_t *host = context_host(&context), *data = context_data(&context);
	uint64_t before = queue.tail;
	union hbi_packet p;
	uint32_t i, wrong = 0;

	/* 100 packets, across a page border, in each memory. */
	memset(data + OUT, 0, 4096);
	for (i = 0; i < 100; i++) {
		p = packet_signal(VA_DATA + OUT + 8 * i, i + 1);
		memcpy(host + 0xf80 + 64 * i, &p, 64);
		p = packet_signal(VA_DATA + OUT + 8 * (100 + i), i + 1);
		memcpy(data + BUFFER + 0xf80 + 64 * i, &p, 64);
	}
	p = packet_indirect(VA_HOST + 0xf80, 100);
	queue_put(&queue, &p);
	p = packet_indirect(VA_DATA + BUFFER + 0xf80, 100);
	queue_put(&queue, &p);
	p = packet_indirect(VA_DATA, 0);
	queue_put(&queue, &p);
	queue_ring(&queue);
	CHECK(queue_wait(&queue, queue.tail));
	CHECK_EQUAL(queue.status->completed, before + 3);
	for (i = 0; i < 200; i++)
		wrong += load64(data + OUT + 8 * i) != i % 100 + 1;
	CHECK_EQUAL(wrong, 0);
}

static uint32_t word(uint64_t offset)
{
	uint32_t value;

	memcpy(&value, context_data(&context) + offset, 4);
	return value;
}

static void check_marks(uint32_t groups)
{
	uint32_t i, wrong = 0;

	for (i = 0; i < groups; i++)
		wrong += word(OUT + 4 * i) != 1;
	CHECK_EQUAL(wrong, 0);
	CHECK_EQUAL(word(OUT + 4 * groups), 0);
}

/* Every work-group exactly once, whatever the number. */
static void test_dispatch_groups(void)
{
	static const uint32_t counts[] = { 1, 2, 3, 15, 16, 17, 1000, 50000 };
	uint64_t args = put_args(&context, 0, 0, VA_DATA + OUT, 0);
	union hbi_packet p;
	size_t i;

	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		memset(context_data(&context) + OUT, 0, 4 * counts[i] + 4);
		p = packet_dispatch(KERNEL_MARK, counts[i], args);
		CHECK(queue_do(&queue, &p));
		check_marks(counts[i]);
	}
	memset(context_data(&context) + OUT, 0, 8192);
	p = packet_dispatch(KERNEL_MARK, 3, args);
	p.dispatch.groups[1] = 5;
	p.dispatch.groups[2] = 7;
	CHECK(queue_do(&queue, &p));
	check_marks(105);
	memset(context_data(&context) + OUT, 0, 8192);
	put_args(&context, 0, 77, VA_DATA + OUT, 0);
	p = packet_dispatch(KERNEL_MARK, 0, args);
	CHECK(queue_do(&queue, &p));
	CHECK_EQUAL(word(OUT), 0);
	p.header.flags = HBI_DISPATCH_GRID_IN_ARGS;
	CHECK(queue_do(&queue, &p));
	check_marks(77);
}

static void test_dispatch_kernels(void)
{
	uint8_t *data = context_data(&context);
	uint64_t args = put_args(&context, 0, 0, VA_DATA + OUT, VA_DATA + BUFFER);
	float *in = (float *)(data + BUFFER);
	uint32_t i, wrong = 0;
	union hbi_packet p;

	/* Stack and scratch of each worker are its own. */
	p = packet_dispatch(KERNEL_STACK, 500, args);
	CHECK(queue_do(&queue, &p));
	for (i = 0; i < 500; i++)
		wrong += load64(data + OUT + 8 * i) != 2 * 63 * 64 / 2;
	CHECK_EQUAL(wrong, 0);

	for (i = 0; i < 64 * 100; i++)
		in[i] = i % 64 + i / 64;
	p = packet_dispatch(KERNEL_VECTOR, 100, args);
	CHECK(queue_do(&queue, &p));
	for (i = 0; i < 100; i++) {
		float sum;

		memcpy(&sum, data + OUT + 4 * i, 4);
		wrong += sum != 63 * 64 / 2 + 64.0f * i;
	}
	CHECK_EQUAL(wrong, 0);

	/* Nothing of one call is left for the next. */
	p = packet_dispatch(KERNEL_POISON, 64, args);
	CHECK(queue_do(&queue, &p));
	memset(data + OUT, 0xff, 8 * 64);
	p = packet_dispatch(KERNEL_REGS, 64, args);
	CHECK(queue_do(&queue, &p));
	for (i = 0; i < 64; i++)
		wrong += load64(data + OUT + 8 * i) != 0;
	CHECK_EQUAL(wrong, 0);
}

/* A kernel that the host rewrites runs as rewritten after SYNC_CODE. */
static void test_sync_code(void)
{
	uint64_t args = put_args(&context, 0, 0, VA_DATA + OUT, 0);
	uint8_t *code = context_bytes(&context, 0x140000) + KERNEL_VALUE * KERNEL_SLOT;
	uint32_t i, round, wrong = 0;
	union hbi_packet p;

	for (round = 1; round <= 20; round++) {
		uint32_t li = 0x00000313 | round << 20; /* li t1, round */

		memcpy(code, &li, 4);
		p = packet_sync_code(VA_CODE + KERNEL_VALUE * KERNEL_SLOT, KERNEL_SLOT);
		queue_put(&queue, &p);
		p = packet_dispatch(KERNEL_VALUE, 32, args);
		CHECK(queue_do(&queue, &p));
		for (i = 0; i < 32; i++)
			wrong += load64(context_data(&context) + OUT + 8 * i) != round;
	}
	CHECK_EQUAL(wrong, 0);
	p = packet_sync_code(VA_CODE, 0x10000);
	CHECK(queue_do(&queue, &p));
}

/* A chain through all of it: host to board, two kernels, board to host, signal. */
static void test_chain(void)
{
	uint8_t *host = context_host(&context);
	uint64_t args = put_args(&context, 0, 0, VA_DATA + OUT, VA_DATA + BUFFER);
	uint32_t round, i, wrong = 0;
	float *in = (float *)host;

	for (round = 0; round < 20; round++) {
		union hbi_packet p[] = {
			packet_copy(VA_DATA + BUFFER, VA_HOST, 64 * 64 * 4),
			packet_barrier(),
			packet_dispatch(KERNEL_VECTOR, 64, args),
			packet_barrier(),
			packet_copy(VA_HOST + 0x10000, VA_DATA + OUT, 64 * 4),
			packet_signal(VA_HOST + 0x20000, round + 1),
		};

		for (i = 0; i < 64 * 64; i++)
			in[i] = round + i / 64;
		for (i = 0; i < sizeof(p) / sizeof(p[0]); i++)
			queue_put(&queue, &p[i]);
		queue_ring(&queue);
		CHECK(queue_wait(&queue, queue.tail));
		CHECK_EQUAL(load64(host + 0x20000), round + 1);
		for (i = 0; i < 64; i++) {
			float sum;

			memcpy(&sum, host + 0x10000 + 4 * i, 4);
			wrong += sum != 64.0f * (round + i);
		}
	}
	CHECK_EQUAL(wrong, 0);
}

static void test_many_queues(void)
{
	struct queue queues[8];
	uint32_t i, round, wrong = 0;
	union hbi_packet p;

	for (i = 0; i < 8; i++)
		CHECK_EQUAL(queue_init(&queues[i], &context, i + 1, 8, 0), HBI_OK);
	memset(context_data(&context) + OUT, 0, 8192);
	for (round = 0; round < 20; round++) {
		for (i = 0; i < 8; i++) {
			uint64_t args =
				put_args(&context, 64 * i, 0, VA_DATA + OUT + 4 * 100 * i, 0);

			p = packet_dispatch(KERNEL_MARK, 100, args);
			queue_put(&queues[i], &p);
			p = packet_nop();
			queue_put(&queues[i], &p);
			queue_ring(&queues[i]);
		}
	}
	for (i = 0; i < 8; i++)
		CHECK(queue_wait(&queues[i], queues[i].tail));
	for (i = 0; i < 800; i++)
		wrong += word(OUT + 4 * i) != 20;
	CHECK_EQUAL(wrong, 0);
	for (i = 0; i < 8; i++)
		CHECK_EQUAL(admin_destroy_queue(&board, i + 1), HBI_OK);
}

/* A board of another shape, that a driver learns from its registers alone. */
static void test_other_shape(void)
{
	const char *const shape[] = { "--workers", "5", "--vlen", "1024", "--dram", "64M", NULL };

	client_open(&board, shape);
	CHECK_EQUAL(reg32(&board, HBI_REG_CORES), 5 | 1024 << 16);
	CHECK_EQUAL(reg64(&board, HBI_REG_APERTURE_SIZE), 64 << 20);
	start_board(&board);
	context_standard(&context, &board, 1);
	CHECK_EQUAL(queue_init(&queue, &context, 0, 6, 0), HBI_OK);
	test_dispatch_groups();
	test_dispatch_kernels();
}

int main(int argc, char **argv)
{
	test_arguments(argc, argv);
	client_open(&board, NULL);
	start_board(&board);
	context_standard(&context, &board, 1);
	CHECK_EQUAL(queue_init(&queue, &context, 0, 6, 0), HBI_OK);
	tap_run("no operation, around the ring", test_nops);
	tap_run("doorbell in two halves", test_doorbell_halves);
	tap_run("armed interrupts", test_arm);
	tap_run("copy in all directions", test_copy);
	tap_run("fill", test_fill);
	tap_run("scattered pages", test_scattered);
	tap_run("signal and timestamp", test_signal_and_timestamp);
	tap_run("wait", test_wait);
	tap_run("indirect", test_indirect);
	tap_run("each work-group once", test_dispatch_groups);
	tap_run("stack, scratch, vectors, clean registers", test_dispatch_kernels);
	tap_run("rewritten code", test_sync_code);
	tap_run("chain of packets", test_chain);
	tap_run("eight queues at once", test_many_queues);
	client_close(&board);
	tap_run("five workers, vectors of 1024 bits, 64 MiB", test_other_shape);
	client_close(&board);
	return tap_end();
}
