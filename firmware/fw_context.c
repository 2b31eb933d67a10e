// SPDX-License-Identifier: MIT
/*
 * Contexts, and the walk of their Sv48 tables on behalf of the DMA engine and of packets. It grants
 * exactly what a hart would grant user mode, and keeps nothing from one walk to the next, so that
 * an invalidated translation is never used again. It reads tables from the aperture only.
 */
#include "fw.h"

struct fw_context {
	u64 root;
	u32 queues;
	bool live;
};

#define PTE_RESERVED (~(u64)0 << 54)
#define SATP_SV48    ((u64)9 << 60)
#define SATP_ASID(a) ((u64)(a) << 44)
#define MERGE_LIMIT  1024 /* leaves joined into one run */

static struct fw_context contexts[FW_MAX_CONTEXTS + 1];

bool fw_context_live(u32 context)
{
	return context >= 1 && context <= fw_board.contexts && contexts[context].live;
}

u64 fw_context_satp(u32 context)
{
	return SATP_SV48 | SATP_ASID(context) | contexts[context].root >> HBI_PAGE_SHIFT;
}

void fw_context_hold(u32 context, int queues)
{
	contexts[context].queues += queues;
}

static bool in_aperture(u64 pa, u64 size)
{
	return pa >= fw_board.aperture_base && size <= fw_board.aperture_bytes &&
	       pa - fw_board.aperture_base <= fw_board.aperture_bytes - size;
}

bool fw_is_host(u64 pa)
{
	return pa >= fw_board.host_window && pa - fw_board.host_window < fw_board.host_bytes;
}

enum hbi_error fw_context_create(u32 context, u64 root)
{
	if (context < 1 || context > fw_board.contexts)
		return HBI_ERROR_FIELD;
	if (root & (FW_PAGE_BYTES - 1) || !in_aperture(root, FW_PAGE_BYTES))
		return HBI_ERROR_FIELD;
	if (contexts[context].live)
		return HBI_ERROR_EXISTS;
	contexts[context].root = root;
	contexts[context].queues = 0;
	contexts[context].live = true;
	fw_telemetry_forget(context);
	fw_hart_synchronize();
	return HBI_OK;
}

enum hbi_error fw_context_destroy(u32 context)
{
	if (!fw_context_live(context))
		return HBI_ERROR_NO_ENTRY;
	if (contexts[context].queues)
		return HBI_ERROR_BUSY;
	contexts[context].live = false;
	fw_sched_forget(context);
	fw_hart_synchronize();
	return HBI_OK;
}

static enum hbi_error refusal(enum fw_access access)
{
	switch (access) {
	case FW_READ:
		return HBI_ERROR_LOAD;
	case FW_WRITE:
		return HBI_ERROR_STORE;
	default:
		return HBI_ERROR_FETCH;
	}
}

static bool leaf_allows(u64 pte, enum fw_access access)
{
	if (!(pte & HBI_PTE_U) || !(pte & HBI_PTE_A))
		return false;
	switch (access) {
	case FW_READ:
		return pte & HBI_PTE_R;
	case FW_WRITE:
		return pte & HBI_PTE_W && pte & HBI_PTE_D;
	default:
		return pte & (HBI_PTE_R | HBI_PTE_X);
	}
}

/* One walk. *@bytes: to the end of the leaf, or of the memory it points into. */
static bool walk(u64 root, u64 va, enum fw_access access, u64 *pa, u64 *bytes)
{
	u64 table = root;
	int level;

	if (va >= FW_VA_END)
		return false;
	for (level = HBI_PT_LEVELS - 1; level >= 0; level--) {
		u32 shift = HBI_PAGE_SHIFT + 9 * level;
		u64 offset = va & (((u64)1 << shift) - 1);
		u64 base, pte, *entry;

		if (!in_aperture(table, FW_PAGE_BYTES))
			return false;
		entry = (u64 *)table + ((va >> shift) & (HBI_PT_ENTRIES - 1));
		pte = __atomic_load_n(entry, __ATOMIC_RELAXED);
		if (!(pte & HBI_PTE_V) || pte & PTE_RESERVED)
			return false;
		if (pte & HBI_PTE_W && !(pte & HBI_PTE_R))
			return false;
		base = (pte & HBI_PTE_PPN_MASK) >> HBI_PTE_PPN_SHIFT << HBI_PAGE_SHIFT;
		if (!(pte & (HBI_PTE_R | HBI_PTE_X))) {
			if (pte & (HBI_PTE_U | HBI_PTE_A | HBI_PTE_D))
				return false;
			table = base;
			continue;
		}
		if (!leaf_allows(pte, access) || base & (((u64)1 << shift) - 1))
			return false;
		*pa = base + offset;
		*bytes = ((u64)1 << shift) - offset;
		if (in_aperture(*pa, 1))
			*bytes = fw_min(*bytes,
					fw_board.aperture_base + fw_board.aperture_bytes - *pa);
		else if (fw_is_host(*pa))
			*bytes = fw_min(*bytes, fw_board.host_window + fw_board.host_bytes - *pa);
		else
			return false;
		return true;
	}
	return false;
}

enum hbi_error fw_context_run(u32 context, u64 va, u64 size, enum fw_access access, u64 *pa,
			      u64 *bytes)
{
	u64 root = contexts[context].root;
	u64 next, more;
	int leaves;

	if (!walk(root, va, access, pa, bytes))
		return refusal(access);
	/* Join what follows; where that is refused, the run just ends before it. */
	for (leaves = 1; leaves < MERGE_LIMIT && *bytes < size; leaves++) {
		if (!walk(root, va + *bytes, access, &next, &more) || next != *pa + *bytes ||
		    fw_is_host(next) != fw_is_host(*pa))
			break;
		*bytes += more;
	}
	*bytes = fw_min(*bytes, size);
	return HBI_OK;
}
