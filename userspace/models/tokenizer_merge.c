// SPDX-License-Identifier: MIT
/*
 * The merging that SentencePiece and BPE share: a list of symbols and a heap of possible merges, the best
 * first. O(n log n). A candidate is stale when one of its symbols has grown since, which its length shows.
 */
#include "tokenizer_internal.h"

#include <errno.h>
#include <stdlib.h>

struct heap {
	struct hm_candidate *items;
	size_t count;
	size_t capacity;
};

static bool before(const struct hm_candidate *a, const struct hm_candidate *b)
{
	return a->score > b->score || (a->score == b->score && a->left < b->left);
}

static int push(struct heap *heap, struct hm_candidate item)
{
	size_t i, parent;

	if (heap->count == heap->capacity) {
		size_t capacity = heap->capacity ? heap->capacity * 2 : 64;
		struct hm_candidate *items = reallocarray(heap->items, capacity, sizeof(*items));

		if (!items)
			return -ENOMEM;
		heap->items = items;
		heap->capacity = capacity;
	}
	for (i = heap->count++; i; i = parent) {
		parent = (i - 1) / 2;
		if (!before(&item, &heap->items[parent]))
			break;
		heap->items[i] = heap->items[parent];
	}
	heap->items[i] = item;
	return 0;
}

static struct hm_candidate pop(struct heap *heap)
{
	struct hm_candidate top = heap->items[0], last = heap->items[--heap->count];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < heap->count) {
		if (child + 1 < heap->count && before(&heap->items[child + 1], &heap->items[child]))
			child++;
		if (!before(&heap->items[child], &last))
			break;
		heap->items[i] = heap->items[child];
		i = child;
	}
	heap->items[i] = last;
	return top;
}

int hm_merge_symbols(const struct hm_tokenizer *tokenizer, struct hm_symbol *symbols, size_t count,
		     bool (*find)(const struct hm_tokenizer *tokenizer,
				  const struct hm_symbol *left, const struct hm_symbol *right,
				  struct hm_candidate *candidate))
{
	struct hm_candidate candidate = { 0 };
	struct heap heap = { 0 };
	int32_t left, right;
	int ret = 0;
	size_t i;

	for (i = 1; i < count && !ret; i++) {
		if (!find(tokenizer, &symbols[i - 1], &symbols[i], &candidate))
			continue;
		candidate.left = (int32_t)i - 1;
		candidate.right = (int32_t)i;
		candidate.length = symbols[i - 1].length + symbols[i].length;
		ret = push(&heap, candidate);
	}
	while (heap.count && !ret) {
		candidate = pop(&heap);
		left = candidate.left;
		right = candidate.right;
		if (!symbols[left].length || !symbols[right].length ||
		    symbols[left].length + symbols[right].length != candidate.length)
			continue;
		symbols[left].length = candidate.length;
		symbols[left].token = candidate.joined;
		symbols[left].next = symbols[right].next;
		symbols[right].length = 0;
		if (symbols[right].next >= 0)
			symbols[symbols[right].next].previous = left;
		for (i = 0; i < 2 && !ret; i++) {
			int32_t a = i ? left : symbols[left].previous;
			int32_t b = i ? symbols[left].next : left;

			if (a < 0 || b < 0 ||
			    !find(tokenizer, &symbols[a], &symbols[b], &candidate))
				continue;
			candidate.left = a;
			candidate.right = b;
			candidate.length = symbols[a].length + symbols[b].length;
			ret = push(&heap, candidate);
		}
	}
	free(heap.items);
	return ret;
}
