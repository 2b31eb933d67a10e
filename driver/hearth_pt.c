// SPDX-License-Identifier: GPL-2.0-only
/*
 * The Sv48 writer: maps with the largest pages that addresses and sizes allow (4 KiB, 2 MiB,
 * 1 GiB), splits a large page when part of it goes, and drops tables that fall empty. See
 * hearth_pt.h for the contract.
 */
#ifdef __KERNEL__
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#define pt_zalloc(bytes) kzalloc(bytes, GFP_KERNEL_ACCOUNT)
#define pt_free(pointer) kfree(pointer)
#ifndef pt_broken
#define pt_broken(condition) WARN_ON_ONCE(condition)
#endif
#else
#include <errno.h>
#include <stdlib.h>
#define pt_zalloc(bytes) calloc(1, bytes)
#define pt_free(pointer) free(pointer)
#endif

#include <hearth/hbi.h>

#include "hearth_pt.h"

#ifndef __KERNEL__
static u64 min(u64 a, u64 b)
{
	if (a < b)
		return a;
	return b;
}
#endif

/* Largest leaf: level 2 of 0 to 3, 1 GiB. */
#define PT_LEAF_LEVELS 3
#define PT_INDEX_BITS  9

static u32 pt_shift(u32 level)
{
	return HBI_PAGE_SHIFT + PT_INDEX_BITS * level;
}

static u32 pt_index(u64 va, u32 level)
{
	return (va >> pt_shift(level)) & (HBI_PT_ENTRIES - 1);
}

/* A leaf has V set; a pointer to a table never has. */
static bool pt_is_leaf(u64 entry)
{
	return entry & HBI_PTE_V;
}

static struct hearth_pt_table *pt_child(u64 entry)
{
	return (struct hearth_pt_table *)(unsigned long)entry;
}

static u64 pt_ppn(u64 address)
{
	return (address >> HBI_PAGE_SHIFT) << HBI_PTE_PPN_SHIFT;
}

static u64 pt_leaf_address(u64 entry)
{
	return ((entry & HBI_PTE_PPN_MASK) >> HBI_PTE_PPN_SHIFT) << HBI_PAGE_SHIFT;
}

static struct hearth_pt_table *pt_table_new(struct hearth_pt *pt)
{
	struct hearth_pt_table *table = pt_zalloc(sizeof(*table));

	if (!table)
		return NULL;
	table->shadow = pt_zalloc(HBI_PT_ENTRIES * sizeof(u64));
	if (!table->shadow)
		goto out_table;
	if (pt->ops->alloc(pt->owner, &table->address, &table->backing))
		goto out_shadow;
	return table;

out_shadow:
	pt_free(table->shadow);
out_table:
	pt_free(table);
	return NULL;
}

static void pt_table_free(struct hearth_pt *pt, struct hearth_pt_table *table)
{
	pt->ops->free(pt->owner, table->backing);
	pt_free(table->shadow);
	pt_free(table);
}

static void pt_list_free(struct hearth_pt *pt, struct hearth_pt_table **list)
{
	while (*list) {
		struct hearth_pt_table *table = *list;

		*list = table->next;
		pt_table_free(pt, table);
	}
}

/* Writes the board's entry first, so that a shadow never shows what the board has not. */
static void pt_set(struct hearth_pt *pt, struct hearth_pt_table *table, u32 index, u64 entry)
{
	u64 written = entry;

	if (entry && !pt_is_leaf(entry))
		written = pt_ppn(pt_child(entry)->address) | HBI_PTE_V;
	pt->ops->write(pt->owner, table->backing, index, written);
	if (!table->shadow[index] && entry)
		table->used++;
	if (table->shadow[index] && !entry)
		table->used--;
	table->shadow[index] = entry;
}

static struct hearth_pt_table *pt_pool_take(struct hearth_pt *pt)
{
	struct hearth_pt_table *table = pt->pool;

	if (pt_broken(!table))
		return NULL;
	pt->pool = table->next;
	pt->pool_count--;
	table->next = NULL;
	return table;
}

/*
 * The table under entry @index of a table at @level: made if there is none, filled with the parts
 * of a large page if there is one. It is complete before the board can see it.
 */
static struct hearth_pt_table *pt_descend(struct hearth_pt *pt, struct hearth_pt_table *table,
					  u32 level, u32 index)
{
	u64 entry = table->shadow[index];
	struct hearth_pt_table *child;
	u32 i;

	if (entry && !pt_is_leaf(entry))
		return pt_child(entry);
	child = pt_pool_take(pt);
	if (!child)
		return NULL;
	if (entry)
		for (i = 0; i < HBI_PT_ENTRIES; i++)
			pt_set(pt, child, i, entry + pt_ppn((u64)i << pt_shift(level - 1)));
	pt_set(pt, table, index, (unsigned long)child);
	return child;
}

static bool pt_fits_leaf(u32 level, u64 va, u64 address, u64 size)
{
	u64 bytes = 1ull << pt_shift(level);

	return level < PT_LEAF_LEVELS && size >= bytes && !((va | address) & (bytes - 1));
}

static int pt_map_level(struct hearth_pt *pt, struct hearth_pt_table *table, u32 level, u64 va,
			u64 address, u64 size, u64 flags)
{
	while (size) {
		u64 bytes = 1ull << pt_shift(level);
		u64 room = bytes - (va & (bytes - 1));
		u64 take = min(size, room);
		u32 index = pt_index(va, level);

		/* A table that is already there stays in use: others may share it. */
		if (pt_fits_leaf(level, va, address, take) &&
		    (!table->shadow[index] || pt_is_leaf(table->shadow[index]))) {
			pt_set(pt, table, index, pt_ppn(address) | flags);
		} else {
			struct hearth_pt_table *child = pt_descend(pt, table, level, index);
			int ret;

			if (!child)
				return -ENOMEM;
			ret = pt_map_level(pt, child, level - 1, va, address, take, flags);
			if (ret)
				return ret;
		}
		va += take;
		address += take;
		size -= take;
	}
	return 0;
}

static int pt_unmap_level(struct hearth_pt *pt, struct hearth_pt_table *table, u32 level, u64 va,
			  u64 size)
{
	while (size) {
		u64 bytes = 1ull << pt_shift(level);
		u64 room = bytes - (va & (bytes - 1));
		u64 take = min(size, room);
		u32 index = pt_index(va, level);
		u64 entry = table->shadow[index];

		if (entry && pt_is_leaf(entry) && take == bytes) {
			pt_set(pt, table, index, 0);
		} else if (entry) {
			struct hearth_pt_table *child = pt_descend(pt, table, level, index);
			int ret;

			if (!child)
				return -ENOMEM;
			ret = pt_unmap_level(pt, child, level - 1, va, take);
			if (ret)
				return ret;
			if (!child->used) {
				pt_set(pt, table, index, 0);
				child->next = pt->dead;
				pt->dead = child;
			}
		}
		va += take;
		size -= take;
	}
	return 0;
}

static bool pt_range_valid(u64 va, u64 size)
{
	u64 end = 1ull << HBI_VA_BITS;

	return size && !((va | size) & ((1ull << HBI_PAGE_SHIFT) - 1)) && va < end &&
	       size <= end - va;
}

int hearth_pt_init(struct hearth_pt *pt, const struct hearth_pt_ops *ops, void *owner)
{
	*pt = (struct hearth_pt){ .ops = ops, .owner = owner };
	pt->root = pt_table_new(pt);
	return pt->root ? 0 : -ENOMEM;
}

static void pt_free_level(struct hearth_pt *pt, struct hearth_pt_table *table)
{
	u32 i;

	for (i = 0; i < HBI_PT_ENTRIES && table->used; i++) {
		u64 entry = table->shadow[i];

		if (!entry)
			continue;
		if (!pt_is_leaf(entry))
			pt_free_level(pt, pt_child(entry));
		table->used--;
	}
	pt_table_free(pt, table);
}

/* The board has forgotten the context. */
void hearth_pt_fini(struct hearth_pt *pt)
{
	pt_free_level(pt, pt->root);
	pt->root = NULL;
	hearth_pt_reap(pt);
}

/* Most tables that mapping [@va, @va + @size) over anything needs, unmaps of the same included. */
u32 hearth_pt_map_tables(u64 va, u64 size)
{
	u64 tables = HEARTH_PT_UNMAP_TABLES;
	u64 last = va + size - 1;
	u32 level;

	for (level = 1; level < HBI_PT_LEVELS; level++)
		tables += (last >> pt_shift(level)) - (va >> pt_shift(level)) + 1;
	return tables > ~0u ? ~0u : (u32)tables;
}

/* Tables that splitting the leaf at @va needs, if there is one and @va is inside of it. */
static u32 pt_split_tables(const struct hearth_pt *pt, u64 va)
{
	const struct hearth_pt_table *table = pt->root;
	u32 level, tables = 0;

	if (va >> HBI_VA_BITS)
		return 0;
	for (level = HBI_PT_LEVELS; level-- > 0;) {
		u64 entry = table->shadow[pt_index(va, level)];

		if (!entry)
			return 0;
		if (pt_is_leaf(entry))
			break;
		table = pt_child(entry);
	}
	while (va & ((1ull << pt_shift(level)) - 1)) {
		tables++;
		level--;
	}
	return tables;
}

/*
 * Most tables that unmapping [@va, @va + @size) needs as things are: none, unless large pages have
 * to be split. So a process that may have no more tables can still give some back.
 */
u32 hearth_pt_unmap_tables(const struct hearth_pt *pt, u64 va, u64 size)
{
	return pt_split_tables(pt, va) + pt_split_tables(pt, va + size);
}

/* Makes sure that the pool has @tables. Returns 0, or -ENOMEM with the pool as it got. */
int hearth_pt_reserve(struct hearth_pt *pt, u32 tables)
{
	while (pt->pool_count < tables) {
		struct hearth_pt_table *table = pt_table_new(pt);

		if (!table)
			return -ENOMEM;
		table->next = pt->pool;
		pt->pool = table;
		pt->pool_count++;
	}
	return 0;
}

/*
 * Maps the contiguous [@address, @address + @size) of board-physical memory at @va. @flags: of a
 * leaf, HBI_PTE_V and at least one of R and X among them. -EINVAL for a range that is none; -ENOMEM
 * if the caller has reserved too little, which it must not.
 */
int hearth_pt_map(struct hearth_pt *pt, u64 va, u64 address, u64 size, u64 flags)
{
	if (!pt_range_valid(va, size) || (address & ((1ull << HBI_PAGE_SHIFT) - 1)) ||
	    !(flags & HBI_PTE_V) || !(flags & (HBI_PTE_R | HBI_PTE_X)))
		return -EINVAL;
	return pt_map_level(pt, pt->root, HBI_PT_LEVELS - 1, va, address, size, flags);
}

/* Unmaps what is mapped in the range. Errors as of hearth_pt_map(). */
int hearth_pt_unmap(struct hearth_pt *pt, u64 va, u64 size)
{
	if (!pt_range_valid(va, size))
		return -EINVAL;
	return pt_unmap_level(pt, pt->root, HBI_PT_LEVELS - 1, va, size);
}

/* Frees dead tables and what is left of the pool. */
void hearth_pt_reap(struct hearth_pt *pt)
{
	pt_list_free(pt, &pt->dead);
	pt_list_free(pt, &pt->pool);
	pt->pool_count = 0;
}

/* The leaf that maps @va, or 0; @shift becomes the log2 of its bytes. */
u64 hearth_pt_lookup(const struct hearth_pt *pt, u64 va, u32 *shift)
{
	const struct hearth_pt_table *table = pt->root;
	u32 level;

	for (level = HBI_PT_LEVELS; level-- > 0;) {
		u64 entry = table->shadow[pt_index(va, level)];

		if (!entry)
			return 0;
		if (pt_is_leaf(entry)) {
			*shift = pt_shift(level);
			return (entry & ~HBI_PTE_PPN_MASK) |
			       pt_ppn(pt_leaf_address(entry) |
				      (va & ((1ull << pt_shift(level)) - 1)));
		}
		table = pt_child(entry);
	}
	return 0;
}
