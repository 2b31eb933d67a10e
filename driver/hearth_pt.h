/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sv48 page tables of one context, written to board memory through callbacks.
 *
 * A table has a shadow in host memory, so that the board is written only. Whatever may need tables
 * reserves them first; map and unmap then never fail. Tables that fall empty are kept until
 * hearth_pt_reap(), which the caller calls once the board has forgotten its translations.
 *
 * The caller serialises all calls on one struct hearth_pt. No part of the kernel but memory
 * allocation is used: the same source is tested in user space.
 */
#ifndef HEARTH_PT_H
#define HEARTH_PT_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdbool.h>
#include <stdint.h>
typedef uint64_t u64;
typedef uint32_t u32;
typedef uint16_t u16;
#endif

/** struct hearth_pt_ops - where tables lie */
struct hearth_pt_ops {
	/**
	 * @alloc: a zeroed table of 4 KiB in board memory
	 *
	 * Sets @address to its board-physical address and @backing to what @free and @write want.
	 * Returns 0 or a negative errno.
	 */
	int (*alloc)(void *owner, u64 *address, void **backing);
	/** @free: the board does not use it any more */
	void (*free)(void *owner, void *backing);
	/** @write: one entry, in one 64-bit store */
	void (*write)(void *owner, void *backing, u32 index, u64 entry);
};

/** struct hearth_pt_table - one table */
struct hearth_pt_table {
	/** @next: in the pool or in the list of dead tables */
	struct hearth_pt_table *next;
	/** @address: board-physical */
	u64 address;
	/** @backing: of hearth_pt_ops.alloc */
	void *backing;
	/** @shadow: of 512 entries: 0, a leaf as the board has it, or a pointer to a table */
	u64 *shadow;
	/** @used: entries that are not 0 */
	u32 used;
};

/** struct hearth_pt - the tables of a context */
struct hearth_pt {
	/** @ops: where tables lie */
	const struct hearth_pt_ops *ops;
	/** @owner: first argument of @ops */
	void *owner;
	/** @root: the root table */
	struct hearth_pt_table *root;
	/** @pool: reserved tables, zeroed */
	struct hearth_pt_table *pool;
	/** @pool_count: of @pool */
	u32 pool_count;
	/** @dead: tables that the board may still walk */
	struct hearth_pt_table *dead;
};

/** HEARTH_PT_UNMAP_TABLES - most tables that one unmap needs: two levels split at either end */
#define HEARTH_PT_UNMAP_TABLES 4

int hearth_pt_init(struct hearth_pt *pt, const struct hearth_pt_ops *ops, void *owner);
void hearth_pt_fini(struct hearth_pt *pt);
u32 hearth_pt_map_tables(u64 va, u64 size);
u32 hearth_pt_unmap_tables(const struct hearth_pt *pt, u64 va, u64 size);
int hearth_pt_reserve(struct hearth_pt *pt, u32 tables);
int hearth_pt_map(struct hearth_pt *pt, u64 va, u64 address, u64 size, u64 flags);
int hearth_pt_unmap(struct hearth_pt *pt, u64 va, u64 size);
void hearth_pt_reap(struct hearth_pt *pt);
u64 hearth_pt_lookup(const struct hearth_pt *pt, u64 va, u32 *shift);

#endif /* HEARTH_PT_H */
