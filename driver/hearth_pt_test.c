// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page table writer against a model: an array that says for each 4 KiB page of a window what it
 * maps to. After every step the tables, as the board would walk them from memory that only the
 * write callback fills, must say the same; no table is leaked, and none is written once freed.
 *
 * The writer is compiled into the test. The kernel runs it with KUnit; user space, under its
 * sanitizers, with what tests/unit/kunit/test.h has of that.
 */
#include <kunit/test.h>

/* Misuse is part of the test. */
#define pt_broken(condition) (condition)
#include "hearth_pt.c"

/* Of the random test, and between two looks at all pages: a kernel that checks itself is slow. */
#ifdef __KERNEL__
#define RANDOM_STEPS 300
#define LOOK_EVERY   64
#else
#define RANDOM_STEPS 3000
#define LOOK_EVERY   16
#endif

#define BOARD_BASE  0x80000000ull
#define TABLE_BYTES 4096
#define MAX_TABLES  8192
#define LEAF	    (HBI_PTE_V | HBI_PTE_R | HBI_PTE_W | HBI_PTE_U | HBI_PTE_A | HBI_PTE_D)
#define LEAF_RX	    (HBI_PTE_V | HBI_PTE_R | HBI_PTE_X | HBI_PTE_U | HBI_PTE_A)

/* Board memory: tables by number, allocated as asked for. */
struct board {
	u64 *tables[MAX_TABLES];
	unsigned int live;
	unsigned int budget; /* tables that may still be allocated */
	unsigned long writes;
};

static int board_alloc(void *owner, u64 *address, void **backing)
{
	struct board *board = owner;
	unsigned int i;

	if (!board->budget)
		return -ENOSPC;
	for (i = 0; i < MAX_TABLES && board->tables[i]; i++)
		;
	if (i == MAX_TABLES)
		return -ENOSPC;
	board->tables[i] = pt_zalloc(TABLE_BYTES);
	board->live++;
	board->budget--;
	*address = BOARD_BASE + (u64)i * TABLE_BYTES;
	*backing = &board->tables[i];
	return 0;
}

static void board_free(void *owner, void *backing)
{
	struct board *board = owner;
	u64 **table = backing;

	pt_free(*table);
	*table = NULL;
	board->live--;
	board->budget++;
}

static void board_write(void *owner, void *backing, u32 index, u64 entry)
{
	struct board *board = owner;
	u64 **table = backing;

	(*table)[index] = entry;
	board->writes++;
}

static const struct hearth_pt_ops board_ops = {
	.alloc = board_alloc,
	.free = board_free,
	.write = board_write,
};

/*
 * As a hart walks: returns the board-physical address of @va, or 0, and the leaf's flags. Sets *bad
 * for an entry that breaks a rule of Sv48 or points to a table that is not there.
 */
static u64 walk(struct board *board, u64 root, u64 va, u64 *flags, bool *bad)
{
	u64 table = root;
	int level;

	for (level = HBI_PT_LEVELS - 1; level >= 0; level--) {
		unsigned int shift = HBI_PAGE_SHIFT + 9 * level;
		u64 number = (table - BOARD_BASE) / TABLE_BYTES, entry, address;

		if (table < BOARD_BASE || number >= MAX_TABLES || !board->tables[number]) {
			*bad = true;
			return 0;
		}
		entry = board->tables[number][(va >> shift) & 511];
		if (!entry)
			return 0;
		if (!(entry & HBI_PTE_V) || entry >> 54) {
			*bad = true;
			return 0;
		}
		address = (entry & HBI_PTE_PPN_MASK) >> HBI_PTE_PPN_SHIFT << HBI_PAGE_SHIFT;
		if (entry & (HBI_PTE_R | HBI_PTE_W | HBI_PTE_X)) {
			if (address & ((1ull << shift) - 1)) {
				*bad = true;
				return 0;
			}
			*flags = entry & 0x3ff;
			return address | (va & ((1ull << shift) - 1));
		}
		if (entry & (HBI_PTE_U | HBI_PTE_A | HBI_PTE_D)) {
			*bad = true;
			return 0;
		}
		table = address;
	}
	*bad = true;
	return 0;
}

static int map(struct hearth_pt *pt, u64 va, u64 address, u64 size, u64 flags)
{
	if (hearth_pt_reserve(pt, hearth_pt_map_tables(va, size)))
		return -ENOMEM;
	return hearth_pt_map(pt, va, address, size, flags);
}

static int unmap(struct hearth_pt *pt, u64 va, u64 size)
{
	int ret;

	if (hearth_pt_reserve(pt, hearth_pt_unmap_tables(pt, va, size)))
		return -ENOMEM;
	ret = hearth_pt_unmap(pt, va, size);
	hearth_pt_reap(pt);
	return ret;
}

static void hearth_pt_test_sizes(struct kunit *test)
{
	static struct board board = { .budget = MAX_TABLES };
	struct hearth_pt pt;
	u64 flags = 0;
	bool bad = false;
	u32 shift = 0;

	KUNIT_EXPECT_TRUE_MSG(test, !hearth_pt_init(&pt, &board_ops, &board), "a root is made");
	KUNIT_EXPECT_TRUE_MSG(test, !map(&pt, 0x40000000, 0x100000000, 1ull << 30, LEAF),
			      "1 GiB maps");
	hearth_pt_reap(&pt);
	KUNIT_EXPECT_TRUE_MSG(test, board.live == 2, "and takes one table beside the root");
	KUNIT_EXPECT_TRUE_MSG(test, hearth_pt_lookup(&pt, 0x40000000, &shift) && shift == 30,
			      "as one leaf");
	KUNIT_EXPECT_TRUE_MSG(test,
			      walk(&board, pt.root->address, 0x40123456, &flags, &bad) ==
					      0x100123456 &&
				      !bad && flags == LEAF,
			      "to the right place");
	KUNIT_EXPECT_TRUE_MSG(test, !unmap(&pt, 0x40201000, 0x1000), "a page of its middle unmaps");
	KUNIT_EXPECT_TRUE_MSG(test, board.live == 4, "splitting two levels");
	KUNIT_EXPECT_TRUE_MSG(test,
			      !walk(&board, pt.root->address, 0x40201000, &flags, &bad) && !bad,
			      "it is gone");
	KUNIT_EXPECT_TRUE_MSG(
		test,
		walk(&board, pt.root->address, 0x40200fff, &flags, &bad) == 0x100200fff && !bad,
		"the page before is not");
	KUNIT_EXPECT_TRUE_MSG(
		test,
		walk(&board, pt.root->address, 0x40202000, &flags, &bad) == 0x100202000 && !bad,
		"the page after is not");
	KUNIT_EXPECT_TRUE_MSG(
		test,
		walk(&board, pt.root->address, 0x7fffffff, &flags, &bad) == 0x13fffffff && !bad,
		"nor is the last byte");
	KUNIT_EXPECT_TRUE_MSG(test, !unmap(&pt, 0x40000000, 1ull << 30), "the rest unmaps");
	KUNIT_EXPECT_TRUE_MSG(test, board.live == 1, "and only the root is left");
	KUNIT_EXPECT_TRUE_MSG(test, !map(&pt, 0x1ff000, 0x80000000, 0x202000, LEAF_RX),
			      "a range over 2 MiB edges maps");
	KUNIT_EXPECT_TRUE_MSG(test, hearth_pt_lookup(&pt, 0x1ff000, &shift) && shift == 12,
			      "4 KiB before the edge");
	KUNIT_EXPECT_TRUE_MSG(test, hearth_pt_lookup(&pt, 0x400000, &shift) && shift == 12,
			      "4 KiB after it");
	hearth_pt_fini(&pt);
	KUNIT_EXPECT_TRUE_MSG(test, !board.live, "nothing is leaked");
}

static void hearth_pt_test_errors(struct kunit *test)
{
	static struct board board = { .budget = MAX_TABLES };
	struct hearth_pt pt;

	KUNIT_EXPECT_TRUE_MSG(test, !hearth_pt_init(&pt, &board_ops, &board), "a root is made");
	KUNIT_EXPECT_TRUE_MSG(test, hearth_pt_map(&pt, 0x1001, 0x80000000, 0x1000, LEAF) == -EINVAL,
			      "odd address refused");
	KUNIT_EXPECT_TRUE_MSG(test, hearth_pt_map(&pt, 0x1000, 0x80000001, 0x1000, LEAF) == -EINVAL,
			      "odd target refused");
	KUNIT_EXPECT_TRUE_MSG(test, hearth_pt_map(&pt, 0x1000, 0x80000000, 0x800, LEAF) == -EINVAL,
			      "odd size refused");
	KUNIT_EXPECT_TRUE_MSG(test, hearth_pt_map(&pt, 0x1000, 0x80000000, 0, LEAF) == -EINVAL,
			      "size 0 refused");
	KUNIT_EXPECT_TRUE_MSG(test,
			      hearth_pt_map(&pt, 0x1000, 0x80000000, 0x1000, HBI_PTE_V) == -EINVAL,
			      "no right refused");
	KUNIT_EXPECT_TRUE_MSG(test,
			      hearth_pt_map(&pt, (1ull << 47) - 0x1000, 0x80000000, 0x2000, LEAF) ==
				      -EINVAL,
			      "a range over the end refused");
	KUNIT_EXPECT_TRUE_MSG(test,
			      hearth_pt_map(&pt, 1ull << 47, 0x80000000, 0x1000, LEAF) == -EINVAL,
			      "the upper half refused");
	KUNIT_EXPECT_TRUE_MSG(test, hearth_pt_unmap(&pt, ~0xfffull, 0x2000) == -EINVAL,
			      "an unmap that wraps refused");
	KUNIT_EXPECT_TRUE_MSG(test, hearth_pt_map(&pt, 0x1000, 0x80000000, 0x1000, LEAF) == -ENOMEM,
			      "a map without reserve fails");
	board.budget = 2;
	KUNIT_EXPECT_TRUE_MSG(test, hearth_pt_reserve(&pt, 3) == -ENOMEM,
			      "reserve fails without memory");
	hearth_pt_reap(&pt);
	KUNIT_EXPECT_TRUE_MSG(test, board.budget == 2, "and gives back what it got");
	hearth_pt_fini(&pt);
	KUNIT_EXPECT_TRUE_MSG(test, !board.live, "nothing is leaked");
	board.budget = 0;
	KUNIT_EXPECT_TRUE_MSG(test, hearth_pt_init(&pt, &board_ops, &board) == -ENOMEM,
			      "no root without memory");
}

/* A window of pages at an address where three levels change, against the model. */
#define WINDOW_PAGES 4096u /* 16 MiB */
#define WINDOW_VA    ((1ull << 39) - (WINDOW_PAGES / 2) * 4096ull)

static unsigned long long next_random(unsigned long long *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static bool window_matches(struct board *board, struct hearth_pt *pt, const u64 *model)
{
	unsigned int i;

	for (i = 0; i < WINDOW_PAGES; i++) {
		u64 va = WINDOW_VA + i * 4096ull, flags = 0, found;
		bool bad = false;
		u32 shift;

		found = walk(board, pt->root->address, va, &flags, &bad);
		if (bad || found != (model[i] & ~0xfffull) ||
		    (found && flags != (model[i] & 0x3ff)))
			return false;
		if (!!hearth_pt_lookup(pt, va, &shift) != !!model[i])
			return false;
	}
	return true;
}

static void hearth_pt_test_random(struct kunit *test)
{
	static struct board board = { .budget = MAX_TABLES };
	static u64 model[WINDOW_PAGES];
	unsigned long long state = 88172645463325252ull;
	bool same = true, fits = true;
	struct hearth_pt pt;
	unsigned int step, i;

	hearth_pt_init(&pt, &board_ops, &board);
	for (step = 0; step < RANDOM_STEPS && same && fits; step++) {
		unsigned int first = next_random(&state) % WINDOW_PAGES;
		unsigned int count = 1 + next_random(&state) % (step % 3 ? 64 : 2048);
		u64 address, flags = step & 1 ? LEAF : LEAF_RX;

		/* Often aligned to 2 MiB, so that large pages come and are split. */
		if (step % 5 == 0)
			first &= ~511u;
		if (first + count > WINDOW_PAGES)
			count = WINDOW_PAGES - first;
		address = 0x1000000000ull + (u64)first * 4096;
		if (step % 7 == 0)
			address += 4096;

		if (next_random(&state) % 3) {
			/* As a bind does: the old goes, the new comes, in one reservation. */
			u32 tables =
				hearth_pt_map_tables(WINDOW_VA + first * 4096ull, count * 4096ull);

			fits = !hearth_pt_reserve(&pt, tables) &&
			       !hearth_pt_unmap(&pt, WINDOW_VA + first * 4096ull,
						count * 4096ull) &&
			       !hearth_pt_map(&pt, WINDOW_VA + first * 4096ull, address,
					      count * 4096ull, flags);
			hearth_pt_reap(&pt);
			for (i = 0; i < count; i++)
				model[first + i] = (address + i * 4096ull) | flags;
		} else {
			fits = !unmap(&pt, WINDOW_VA + first * 4096ull, count * 4096ull);
			for (i = 0; i < count; i++)
				model[first + i] = 0;
		}
		if (step % LOOK_EVERY == 0)
			same = window_matches(&board, &pt, model);
	}
	KUNIT_EXPECT_TRUE_MSG(test, fits, "no step needs more than it reserved");
	KUNIT_EXPECT_TRUE_MSG(test, same && window_matches(&board, &pt, model),
			      "the tables say what the model says");
	KUNIT_EXPECT_TRUE_MSG(test, board.writes > RANDOM_STEPS, "and were written");
	unmap(&pt, WINDOW_VA, WINDOW_PAGES * 4096ull);
	KUNIT_EXPECT_TRUE_MSG(test, board.live == 1, "all unmapped, only the root is left");
	hearth_pt_fini(&pt);
	KUNIT_EXPECT_TRUE_MSG(test, !board.live, "nothing is leaked");
}

/* What is freed must not be walked: dead tables stay until they are reaped. */
static void hearth_pt_test_dead(struct kunit *test)
{
	static struct board board = { .budget = MAX_TABLES };
	struct hearth_pt pt;

	hearth_pt_init(&pt, &board_ops, &board);
	map(&pt, 0x200000, 0x90001000, 0x1000, LEAF);
	hearth_pt_reap(&pt);
	KUNIT_EXPECT_TRUE_MSG(test, board.live == 4, "one page takes three tables beside the root");
	hearth_pt_reserve(&pt, HEARTH_PT_UNMAP_TABLES);
	hearth_pt_unmap(&pt, 0x200000, 0x1000);
	KUNIT_EXPECT_TRUE_MSG(test, board.live == 4 + HEARTH_PT_UNMAP_TABLES,
			      "unmapped, they are kept");
	hearth_pt_reap(&pt);
	KUNIT_EXPECT_TRUE_MSG(test, board.live == 1, "until they are reaped");
	hearth_pt_fini(&pt);
}

/*
 * Who may have no more tables can still unmap whole pages of any size, and is told what a split
 * needs.
 */
static void hearth_pt_test_frugal(struct kunit *test)
{
	static struct board board = { .budget = MAX_TABLES };
	struct hearth_pt pt;

	hearth_pt_init(&pt, &board_ops, &board);
	map(&pt, 1ull << 30, 1ull << 32, 1ull << 30, LEAF);
	map(&pt, 1ull << 21, 0x90000000, 3ull << 21, LEAF);
	hearth_pt_reap(&pt);
	KUNIT_EXPECT_TRUE_MSG(test,
			      hearth_pt_unmap_tables(&pt, 0, 1ull << 46) == 0 &&
				      hearth_pt_unmap_tables(&pt, 0, 1ull << 47) == 0,
			      "whole pages need no table");
	KUNIT_EXPECT_TRUE_MSG(test, hearth_pt_unmap_tables(&pt, 1ull << 30, 1ull << 21) == 1,
			      "2 MiB of 1 GiB need one");
	KUNIT_EXPECT_TRUE_MSG(test, hearth_pt_unmap_tables(&pt, (1ull << 30) + 4096, 4096) == 4,
			      "pages within it four");
	KUNIT_EXPECT_TRUE_MSG(test,
			      hearth_pt_unmap_tables(&pt, (1ull << 21) + 4096, 1ull << 21) == 2,
			      "from one page of 2 MiB into the next two");
	KUNIT_EXPECT_TRUE_MSG(test, hearth_pt_unmap_tables(&pt, 1ull << 40, 4096) == 0,
			      "and nothing none");
	board.budget = 0;
	KUNIT_EXPECT_TRUE_MSG(
		test, !unmap(&pt, 1ull << 21, 1ull << 21) && !unmap(&pt, 1ull << 30, 1ull << 30),
		"without memory they are unmapped");
	KUNIT_EXPECT_TRUE_MSG(test, unmap(&pt, 2ull << 21, 4096) == -ENOMEM, "and a part is not");
	hearth_pt_fini(&pt);
	KUNIT_EXPECT_TRUE_MSG(test, !board.live, "nothing is leaked");
}

static struct kunit_case hearth_pt_cases[] = {
	KUNIT_CASE(hearth_pt_test_sizes),  KUNIT_CASE(hearth_pt_test_errors),
	KUNIT_CASE(hearth_pt_test_random), KUNIT_CASE(hearth_pt_test_dead),
	KUNIT_CASE(hearth_pt_test_frugal), {},
};

static struct kunit_suite hearth_pt_suite = {
	.name = "hearth_pt",
	.test_cases = hearth_pt_cases,
};

kunit_test_suite(hearth_pt_suite);

MODULE_DESCRIPTION("Tests of hearth.ko's page table writer");
MODULE_LICENSE("GPL");
