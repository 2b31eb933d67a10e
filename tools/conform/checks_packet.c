// SPDX-License-Identifier: MIT
/* Each packet: what it does, in which order, and how it is refused. */
#include <string.h>
#include "conform.h"

static void pattern(uint8_t *bytes, size_t count, uint32_t seed)
{
	while (count--) {
		seed = seed * 1664525 + 1013904223;
		*bytes++ = seed >> 24;
	}
}

static void same_bytes(const uint8_t *a, const uint8_t *b, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (a[i] != b[i])
			stop("byte %zu of %zu is %02xh instead of %02xh", i, count, a[i], b[i]);
}

static void copies(struct queue *queue, uint64_t destination, uint8_t *to, uint64_t source,
		   uint8_t *from, size_t bytes)
{
	pattern(from, bytes, bytes + 3);
	memset(to - 1, 0xee, bytes + 2);
	do_packet(queue, copy_packet(destination, source, bytes));
	same_bytes(to, from, bytes);
	EQUAL(to[-1], 0xee);
	EQUAL(to[bytes], 0xee);
}

static void copy(struct board *board)
{
	static const size_t sizes[] = { 1, 3, 8, 64, 4095, 4097, 100003 };
	struct context *context = context_of(board, 1);
	struct queue queue = make_queue(context, 0, 3, 0);
	uint8_t *data = data_of(context), *host = host_of(context);
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t n = sizes[i], a = 1 + i % 7, b = 0x40000 + 5 - i % 5;

		copies(&queue, VA_DATA + a, data + a, VA_DATA + b, data + b, n);
		copies(&queue, VA_HOST + a, host + a, VA_DATA + b, data + b, n);
		copies(&queue, VA_DATA + a, data + a, VA_HOST + b, host + b, n);
		copies(&queue, VA_HOST + a, host + a, VA_HOST + b, host + b, n);
	}
	do_packet(&queue, copy_packet(VA_HOST, VA_DATA, 0));
}

static void copy_refused(struct board *board)
{
	struct context *context = context_of(board, 1);
	union hbi_packet packet = copy_packet(VA_HOST, VA_DATA, 16);

	packet.words[4] = 1;
	packet_fails(context, packet, HBI_ERROR_FIELD, ~0ull);
	packet_fails(context, copy_packet(VA_HOST, (1ull << HBI_VA_BITS) - 8, 16), HBI_ERROR_FIELD,
		     ~0ull);
	packet_fails(context, copy_packet(VA_HOST, VA_DATA, ~0ull), HBI_ERROR_FIELD, ~0ull);
	packet_fails(context, copy_packet(VA_HOST, VA_SPARE, 16), HBI_ERROR_LOAD, VA_SPARE);
	packet_fails(context, copy_packet(VA_SPARE + 8, VA_HOST, 16), HBI_ERROR_STORE,
		     VA_SPARE + 8);
	packet_fails(context, copy_packet(VA_CODE, VA_HOST, 16), HBI_ERROR_STORE, VA_CODE);
	/* The first page is there, the second is not. */
	packet_fails(context, copy_packet(VA_DATA, VA_HOST + DATA_BYTES - 4096, 8192),
		     HBI_ERROR_LOAD, VA_HOST + DATA_BYTES);
}

static void fill(struct board *board)
{
	static const size_t sizes[] = { 0, 4, 60, 4096, 65540 };
	struct context *context = context_of(board, 1);
	struct queue queue = make_queue(context, 0, 3, 0);
	uint8_t *places[] = { data_of(context) + 0x10004, host_of(context) + 0x10004 };
	const uint64_t addresses[] = { VA_DATA + 0x10004, VA_HOST + 0x10004 };
	size_t i, j, k;

	for (i = 0; i < 2; i++)
		for (j = 0; j < sizeof(sizes) / sizeof(sizes[0]); j++) {
			uint32_t *words = (uint32_t *)places[i];

			memset(places[i] - 4, 0xee, sizes[j] + 8);
			do_packet(&queue, fill_packet(addresses[i], sizes[j], 0x12345678));
			EQUAL(words[-1], 0xeeeeeeee);
			for (k = 0; k < sizes[j] / 4; k++)
				EQUAL(words[k], 0x12345678);
			EQUAL(words[k], 0xeeeeeeee);
		}
}

static void fill_refused(struct board *board)
{
	struct context *context = context_of(board, 1);
	union hbi_packet packet = fill_packet(VA_DATA, 16, 1);

	packet_fails(context, fill_packet(VA_DATA, 6, 1), HBI_ERROR_FIELD, ~0ull);
	packet_fails(context, fill_packet(VA_DATA + 2, 8, 1), HBI_ERROR_FIELD, ~0ull);
	packet.fill.reserved0 = 1;
	packet_fails(context, packet, HBI_ERROR_FIELD, ~0ull);
	packet_fails(context, fill_packet(VA_SPARE, 16, 1), HBI_ERROR_STORE, VA_SPARE);
	packet_fails(context, fill_packet(VA_CODE, 16, 1), HBI_ERROR_STORE, VA_CODE);
}

static void signal_packet(struct board *board)
{
	struct context *context = context_of(board, 1);
	struct queue queue = make_queue(context, 0, 3, 0);

	do_packet(&queue, value_packet(HBI_PACKET_SIGNAL, VA_HOST + 8, 0x1122334455667788));
	EQUAL(*(uint64_t *)(host_of(context) + 8), 0x1122334455667788);
	EQUAL(*(uint64_t *)host_of(context), 0);
	do_packet(&queue, value_packet(HBI_PACKET_SIGNAL, VA_DATA + 16, ~0ull));
	EQUAL(*(uint64_t *)(data_of(context) + 16), ~0ull);
	drop_queue(&queue);
	packet_fails(context, value_packet(HBI_PACKET_SIGNAL, VA_HOST + 4, 1), HBI_ERROR_FIELD,
		     ~0ull);
}

static void signal_order(struct board *board)
{
	struct context *context = context_of(board, 1);
	struct queue queue = make_queue(context, 0, 6, 0);
	volatile uint64_t *flag = (uint64_t *)host_of(context);
	uint8_t *to = host_of(context) + 0x1000;
	int i;

	/* Whoever sees the value sees what was written before it. */
	for (i = 1; i <= 20; i++) {
		put(&queue, fill_packet(VA_HOST + 0x1000, 0x8000, i));
		put(&queue, value_packet(HBI_PACKET_SIGNAL, VA_HOST, i));
		ring(&queue);
		while (*flag != (uint64_t)i) {
			if (queue.status->state != HBI_QUEUE_LIVE)
				wait_for(&queue, queue.tail);
			rest(board, 0);
		}
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		EQUAL(*(uint32_t *)to, i);
		EQUAL(*(uint32_t *)(to + 0x7ffc), i);
	}
	wait_for(&queue, queue.tail);
}

static void wait_host(struct board *board)
{
	struct context *context = context_of(board, 1);
	struct queue queue = make_queue(context, 0, 3, 0), other = make_queue(context, 1, 3, 0);
	volatile uint64_t *value = (uint64_t *)host_of(context);

	*value = 5;
	do_packet(&queue, value_packet(HBI_PACKET_WAIT, VA_HOST, 5));
	put(&queue, value_packet(HBI_PACKET_WAIT, VA_HOST, 7));
	ring(&queue);
	/* It keeps nobody else. */
	do_packet(&other, nop_packet());
	*value = 6;
	rest(board, 60);
	EQUAL(queue.status->completed, 1);
	/* Only the host writes: it must be seen without any doorbell. */
	*value = 8;
	wait_for(&queue, 2);
	/* Unsigned. */
	*value = 1ull << 63;
	do_packet(&queue, value_packet(HBI_PACKET_WAIT, VA_HOST, 7));
}

static void wait_signal(struct board *board)
{
	struct context *context = context_of(board, 1);
	struct queue queue = make_queue(context, 0, 3, 0), other = make_queue(context, 1, 3, 0);

	put(&queue, value_packet(HBI_PACKET_WAIT, VA_DATA, 1));
	put(&queue, fill_packet(VA_DATA + 64, 4, 1));
	ring(&queue);
	rest(board, 30);
	EQUAL(queue.status->completed, 0);
	EQUAL(*(uint32_t *)(data_of(context) + 64), 0);
	do_packet(&other, value_packet(HBI_PACKET_SIGNAL, VA_DATA, 1));
	wait_for(&queue, 2);
	EQUAL(*(uint32_t *)(data_of(context) + 64), 1);
}

static void wait_refused(struct board *board)
{
	struct context *context = context_of(board, 1);

	packet_fails(context, value_packet(HBI_PACKET_WAIT, VA_HOST + 1, 0), HBI_ERROR_FIELD,
		     ~0ull);
	packet_fails(context, value_packet(HBI_PACKET_WAIT, VA_SPARE, 0), HBI_ERROR_LOAD, VA_SPARE);
	packet_fails(context, value_packet(HBI_PACKET_WAIT, ~7ull, 0), HBI_ERROR_FIELD, ~0ull);
}

static void timestamp(struct board *board)
{
	uint64_t hz = reg(board, HBI_REG_TIMESTAMP_HZ, 8);
	struct context *context = context_of(board, 1);
	struct queue queue = make_queue(context, 0, 3, 0);
	volatile uint64_t *time = (uint64_t *)host_of(context);
	uint64_t first;

	do_packet(&queue, value_packet(HBI_PACKET_TIMESTAMP, VA_HOST, 0));
	first = *time;
	rest(board, 200);
	do_packet(&queue, value_packet(HBI_PACKET_TIMESTAMP, VA_HOST, 0));
	/* At least most of 200 ms; an upper bound would measure the host. */
	if (*time - first < hz / 1000 * 150)
		stop("%llu ticks in 200 ms at %llu a second", (unsigned long long)(*time - first),
		     (unsigned long long)hz);
	drop_queue(&queue);
	packet_fails(context, value_packet(HBI_PACKET_TIMESTAMP, VA_HOST, 1), HBI_ERROR_FIELD,
		     ~0ull);
}

static void barrier(struct board *board)
{
	struct context *context = context_of(board, 1);
	struct queue queue = make_queue(context, 0, 3, 0);

	put(&queue, fill_packet(VA_DATA, 0x10000, 7));
	put(&queue, (union hbi_packet){ .header.type = HBI_PACKET_BARRIER });
	put(&queue, copy_packet(VA_HOST, VA_DATA, 0x10000));
	put(&queue, (union hbi_packet){ .header.type = HBI_PACKET_BARRIER });
	ring(&queue);
	wait_for(&queue, 4);
	EQUAL(*(uint32_t *)(host_of(context) + 0xfffc), 7);
}

static void indirect(struct board *board)
{
	struct context *context = context_of(board, 1);
	struct queue queue = make_queue(context, 0, 3, 0);
	union hbi_packet *block = (union hbi_packet *)(data_of(context) + 0x20000);
	union hbi_packet call = { .indirect = { .header.type = HBI_PACKET_INDIRECT,
						.address = VA_DATA + 0x20000 } };
	int i;

	for (i = 0; i < 50; i++)
		block[i] = fill_packet(VA_HOST + 4 * i, 4, 100 + i);
	do_packet(&queue, call);
	EQUAL(*(uint32_t *)host_of(context), 0);
	call.indirect.count = 50;
	put(&queue, call);
	put(&queue, value_packet(HBI_PACKET_SIGNAL, VA_HOST + 0x1000, 1));
	ring(&queue);
	wait_for(&queue, 3);
	for (i = 0; i < 50; i++)
		EQUAL(((uint32_t *)host_of(context))[i], 100 + i);
	/* Its packets are not counted. */
	EQUAL(queue.status->completed, 3);
	EQUAL(queue.status->fetched, 3);
}

static void indirect_refused(struct board *board)
{
	struct context *context = context_of(board, 1);
	union hbi_packet *block = (union hbi_packet *)(data_of(context) + 0x20000);
	union hbi_packet call = { .indirect = { .header.type = HBI_PACKET_INDIRECT,
						.address = VA_DATA + 0x20000,
						.count = 3 } };

	memset(block, 0, 3 * sizeof(*block));
	block[1] = call;
	packet_fails(context, call, HBI_ERROR_NESTING, ~0ull);
	block[1] = nop_packet();
	block[1].header.type = 0x77;
	packet_fails(context, call, HBI_ERROR_OPCODE, ~0ull);
	call.indirect.address += 32;
	packet_fails(context, call, HBI_ERROR_FIELD, ~0ull);
	call.indirect.address = VA_SPARE;
	packet_fails(context, call, HBI_ERROR_LOAD, VA_SPARE);
	call.indirect.address = VA_DATA;
	call.indirect.count = HBI_INDIRECT_MAX_PACKETS + 1;
	packet_fails(context, call, HBI_ERROR_FIELD, ~0ull);
}

static void unknown(struct board *board)
{
	static const uint8_t types[] = { 10, 100, 255 };
	struct context *context = context_of(board, 1);
	size_t i;

	for (i = 0; i < sizeof(types); i++)
		packet_fails(context, (union hbi_packet){ .header.type = types[i] },
			     HBI_ERROR_OPCODE, ~0ull);
}

/* Flags and the header's reserved bits, of each packet. */
static void reserved(struct board *board)
{
	struct context *context = context_of(board, 1);
	uint8_t type;

	for (type = HBI_PACKET_NOP; type <= HBI_PACKET_SYNC_CODE; type++) {
		union hbi_packet packet = { .header = { .type = type, .flags = 0x80 } };

		if (type == HBI_PACKET_DISPATCH && !(board->caps & HBI_CAP_COMPUTE))
			continue;
		packet_fails(context, packet, HBI_ERROR_FIELD, ~0ull);
		packet.header.flags = 0;
		packet.header.reserved0 = 1;
		packet_fails(context, packet, HBI_ERROR_FIELD, ~0ull);
		packet.header.reserved0 = 0;
		packet.words[7] = 1;
		packet_fails(context, packet, HBI_ERROR_FIELD, ~0ull);
	}
}

static void host_refuses(struct board *board)
{
	uint64_t window = board->host_window + UNMAPPED_BUS;
	struct context *context = context_of(board, 1);

	if (!board->translated)
		leave_out("without an IOMMU a wild address would reach memory of others");
	map_pages(context, VA_SPARE, window, 4096, RW);
	invalidate(board, 1);
	packet_fails(context, copy_packet(VA_DATA, VA_SPARE, 64), HBI_ERROR_HOST_DMA, VA_SPARE);
	packet_fails(context, copy_packet(VA_SPARE + 8, VA_DATA, 64), HBI_ERROR_HOST_DMA,
		     VA_SPARE + 8);
	packet_fails(context, fill_packet(VA_SPARE, 64, 1), HBI_ERROR_HOST_DMA, VA_SPARE);
	packet_fails(context, value_packet(HBI_PACKET_SIGNAL, VA_SPARE, 1), HBI_ERROR_HOST_DMA,
		     VA_SPARE);
}

const struct check checks_packet[] = {
	{ "packet-copy", "PKT.COPY PKT-1", "copies of all sizes, alignments and directions",
	  NEED_RUNNING, 0, copy },
	{ "packet-copy-refused", "PKT.COPY ERR.LOAD ERR.STORE ERR-1 CTX-6",
	  "copies where the tables do not allow them", NEED_RUNNING, 0, copy_refused },
	{ "packet-fill", "PKT.FILL", "fills write their range and nothing beside", NEED_RUNNING, 0,
	  fill },
	{ "packet-fill-refused", "PKT.FILL ERR.FIELD ERR.STORE", "fills that must be refused",
	  NEED_RUNNING, 0, fill_refused },
	{ "packet-signal", "PKT.SIGNAL", "signals store 64 bits", NEED_RUNNING, 0, signal_packet },
	{ "packet-signal-order", "ORD-1 PKT.SIGNAL", "who sees a signal sees what came before it",
	  NEED_RUNNING, 0, signal_order },
	{ "packet-wait", "PKT.WAIT ORD-2", "waits see what the host writes", NEED_RUNNING, 0,
	  wait_host },
	{ "packet-wait-signal", "PKT.WAIT ORD-1 ORD-2", "and what another queue signals",
	  NEED_RUNNING, 0, wait_signal },
	{ "packet-wait-refused", "PKT.WAIT ERR.LOAD", "waits that must be refused", NEED_RUNNING, 0,
	  wait_refused },
	{ "packet-timestamp", "PKT.TIMESTAMP REG.TIMESTAMP_HZ", "timestamps grow", NEED_RUNNING, 0,
	  timestamp },
	{ "packet-barrier", "PKT.BARRIER ORD-1", "a barrier puts a copy after a fill", NEED_RUNNING,
	  0, barrier },
	{ "packet-indirect", "PKT.INDIRECT ORD-3", "packets elsewhere, not counted", NEED_RUNNING,
	  0, indirect },
	{ "packet-indirect-refused", "PKT.INDIRECT ERR.NESTING ORD-3",
	  "blocks that must be refused", NEED_RUNNING, 0, indirect_refused },
	{ "packet-unknown", "ERR.OPCODE PKT-1", "unknown packets", NEED_RUNNING, 0, unknown },
	{ "packet-reserved", "CON-2 ERR.FIELD PKT-1 PKT.NOP PKT.BARRIER",
	  "reserved bits of each packet", NEED_RUNNING, 0, reserved },
	{ "packet-host-refuses", "ERR.HOST_DMA ERR-2", "an address that the host refuses",
	  NEED_RUNNING, 0, host_refuses },
	{ 0 },
};
