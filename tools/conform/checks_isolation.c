// SPDX-License-Identifier: MIT
/*
 * Page tables: what must be granted, what must be refused, by the DMA engine and by cores alike, and
 * what INVALIDATE_TLB promises. Then wild work of one context beside canaries in another.
 */
#include <string.h>
#include "conform.h"

/* A read and a write of @va by each way there is must be refused. */
static void unreachable(struct context *context, uint64_t va, bool writable_only)
{
	struct board *board = context->board;

	invalidate(board, context->id);
	packet_fails(context, copy_packet(va, VA_DATA, 64), HBI_ERROR_STORE, va);
	if (!writable_only)
		packet_fails(context, copy_packet(VA_DATA, va, 64), HBI_ERROR_LOAD, va);
	if (!(board->caps & HBI_CAP_COMPUTE) || board->workers > MAX_WORKERS)
		return;
	set_args(context, 1, va);
	packet_fails(context, dispatch_packet(KERNEL_STORE, 1), HBI_ERROR_STORE, va);
	if (!writable_only)
		packet_fails(context, dispatch_packet(KERNEL_LOAD, 1), HBI_ERROR_LOAD, va);
}

static uint64_t spare_page(struct context *context)
{
	return data_pa(context) + 0x70000;
}

#define REFUSED_LEAF(name, expression, writable_only)           \
	static void name(struct board *board)                   \
	{                                                       \
		struct context *context = context_of(board, 1); \
		uint64_t good = leaf(spare_page(context), RW);  \
                                                                \
		(void)good;                                     \
		map_raw(context, VA_SPARE, 0, expression);      \
		unreachable(context, VA_SPARE, writable_only);  \
	}

REFUSED_LEAF(leaf_supervisor, good & ~HBI_PTE_U, false)
REFUSED_LEAF(leaf_accessed, good & ~HBI_PTE_A, false)
REFUSED_LEAF(leaf_dirty, good & ~HBI_PTE_D, true)
REFUSED_LEAF(leaf_read_only, leaf(spare_page(context), HBI_PTE_R), true)
REFUSED_LEAF(leaf_invalid, good & ~HBI_PTE_V, false)
REFUSED_LEAF(leaf_write_only, good & ~HBI_PTE_R, false)
REFUSED_LEAF(leaf_write_execute, (good & ~HBI_PTE_R) | HBI_PTE_X, false)
REFUSED_LEAF(leaf_reserved, good | 1ull << 60, false)
REFUSED_LEAF(leaf_firmware, leaf(board->dram_base, RW), false)
REFUSED_LEAF(leaf_outside, leaf(board->dram_base + board->dram_bytes, RW), false)

static void leaf_devices(struct board *board)
{
	struct context *context = context_of(board, 1);
	uint64_t page;

	/* Low board-physical addresses: where systems have their devices. */
	for (page = 0; page < board->dram_base && page < 1ull << 32;
	     page = page ? page << 2 : 4096) {
		map_raw(context, VA_SPARE, 0, leaf(page, RW));
		unreachable(context, VA_SPARE, false);
	}
}

static void table_outside(struct board *board)
{
	struct context *context = context_of(board, 1);

	map_raw(context, VA_SPARE, 1, board->dram_base >> 12 << HBI_PTE_PPN_SHIFT | HBI_PTE_V);
	unreachable(context, VA_SPARE, false);
	map_raw(context, VA_SPARE, 1,
		(board->host_window + board->host_bus) >> 12 << HBI_PTE_PPN_SHIFT | HBI_PTE_V);
	unreachable(context, VA_SPARE, false);
}

static void table_flags(struct board *board)
{
	struct context *context = context_of(board, 1);
	static const uint64_t flags[] = { HBI_PTE_U, HBI_PTE_A, HBI_PTE_D };
	uint64_t table;
	size_t i;

	/* A good page, then a wrong bit in the entry above it. */
	map_raw(context, VA_SPARE, 0, leaf(spare_page(context), RW));
	table = board->aperture_base + context->next_table - 4096;
	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		map_raw(context, VA_SPARE, 1,
			table >> 12 << HBI_PTE_PPN_SHIFT | HBI_PTE_V | flags[i]);
		unreachable(context, VA_SPARE, false);
	}
}

static void superpages(struct board *board)
{
	struct context *context = context_of(board, 1);
	struct queue queue;
	uint64_t pa = data_pa(context); /* 2 MiB aligned if the aperture is */

	/* Misaligned: refused. */
	map_raw(context, VA_SPARE, 1, leaf((pa & ~0x1fffffull) + 0x1000, RW));
	unreachable(context, VA_SPARE, false);
	if (pa & 0x1fffff)
		leave_out("the aperture is not aligned to 2 MiB");
	map_raw(context, VA_SPARE, 1, leaf(pa, RW));
	invalidate(board, 1);
	queue = make_queue(context, 0, 3, 0);
	do_packet(&queue, fill_packet(VA_SPARE + 0x70000, 64, 0x1234));
	EQUAL(*(uint32_t *)(data_of(context) + 0x7003c), 0x1234);
}

static void upper_half(struct board *board)
{
	struct context *context = context_of(board, 1);

	packet_fails(context, copy_packet(VA_DATA, 1ull << HBI_VA_BITS, 64), HBI_ERROR_FIELD,
		     ~0ull);
	packet_fails(context, copy_packet(VA_DATA, ~0xfffull, 64), HBI_ERROR_FIELD, ~0ull);
}

static void remap(struct board *board)
{
	struct context *context = context_of(board, 1);
	struct queue queue = make_queue(context, 0, 3, 0);
	bool cores = board->caps & HBI_CAP_COMPUTE && board->workers <= MAX_WORKERS;
	uint32_t i;

	set_args(context, 1, VA_SPARE + 128);
	for (i = 0; i < 8; i++) {
		uint64_t page = 0x60000 + 0x1000 * i;

		memset(data_of(context) + page, 0x10 + i, 64);
		memset(data_of(context) + page + 128, 0, 4);
		map_raw(context, VA_SPARE, 0, leaf(data_pa(context) + page, RW));
		invalidate(board, 1);
		do_packet(&queue, copy_packet(VA_HOST, VA_SPARE, 64));
		EQUAL(host_of(context)[63], 0x10 + i);
		if (!cores)
			continue;
		do_packet(&queue, dispatch_packet(KERNEL_MARK, 1));
		EQUAL(*(uint32_t *)(data_of(context) + page + 128), 1);
	}
	map_raw(context, VA_SPARE, 0, 0);
	drop_queue(&queue);
	unreachable(context, VA_SPARE, false);
}

/* Everything that a context reaches for is not there; what another has stays as it is. */
static void canaries(struct board *board)
{
	struct context *hostile = context_of(board, 1), *victim = context_of(board, 2);
	struct queue queue = make_queue(victim, 3, 3, 0);
	uint64_t addresses[] = { data_pa(victim),
				 victim->root,
				 hostile->root,
				 board->dram_base,
				 board->host_window + board->host_bus,
				 board->host_bus,
				 board->aperture_base };
	size_t i;

	memset(data_of(victim) + 0x40000, 0xc5, 0x1000);
	memset(host_of(victim) + 0x40000, 0xc5, 0x1000);
	/* Physical addresses are no context addresses. */
	for (i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		uint64_t va = addresses[i] & ((1ull << HBI_VA_BITS) - 4096);

		packet_fails(hostile, copy_packet(va, VA_DATA, 64), HBI_ERROR_STORE, va);
		packet_fails(hostile, copy_packet(VA_DATA, va, 64), HBI_ERROR_LOAD, va);
	}
	for (i = 0; i < 0x1000; i++) {
		EQUAL(data_of(victim)[0x40000 + i], 0xc5);
		EQUAL(host_of(victim)[0x40000 + i], 0xc5);
	}
	do_packet(&queue, nop_packet());
}

#define ROW(name, cites, what, run) { name, cites, what, NEED_RUNNING, 0, run }

const struct check checks_isolation[] = {
	ROW("page-supervisor", "CTX-1 SEC-2", "a page without U", leaf_supervisor),
	ROW("page-accessed", "CTX-2", "a page without A", leaf_accessed),
	ROW("page-dirty", "CTX-2", "stores to a page without D", leaf_dirty),
	ROW("page-read-only", "CTX-1", "stores to a page without W", leaf_read_only),
	ROW("page-invalid", "CTX-1", "a page without V", leaf_invalid),
	ROW("page-write-only", "CTX-3", "a page with W and without R", leaf_write_only),
	ROW("page-write-execute", "CTX-3", "and so with X", leaf_write_execute),
	ROW("page-reserved", "CTX-3", "an entry with reserved bits", leaf_reserved),
	ROW("page-firmware", "CTX-4 REG-5 SEC-4", "a page of the firmware's memory", leaf_firmware),
	ROW("page-outside", "CTX-4", "a page behind the end of memory", leaf_outside),
	ROW("page-devices", "CTX-4 SEC-4", "pages where devices may be", leaf_devices),
	ROW("table-outside", "CTX-4", "tables outside the aperture", table_outside),
	ROW("table-flags", "CTX-3", "U, A or D in an entry that is no leaf", table_flags),
	ROW("superpage", "CTX-1 CTX-3", "aligned superpages, and no others", superpages),
	ROW("upper-half", "CTX-1", "context addresses from 2^47 on", upper_half),
	ROW("invalidate", "CTX-7 ADM.INVALIDATE_TLB", "no old translation after INVALIDATE_TLB",
	    remap),
	ROW("canaries", "SEC-2 CTX-6", "physical addresses lead nowhere; canaries stay", canaries),
	{ 0 },
};
