// SPDX-License-Identifier: MIT
/*
 * Which cooperative matrices can share memory. A matrix is an array in memory, row by row, for as long as it lives. Where a
 * product is added to a matrix that nobody reads any more, and where a phi goes round a loop, the old and the new matrix
 * get one place, so that sums grow where they are and nothing is copied.
 *
 * Two matrices may share if neither is read at a time when the other has been written since: from the definition of
 * each no way leads to a use of the other that does not pass the other's own definition.
 *
 * Requires: regions.
 */
#include "hc_internal.h"

#include <string.h>
#include <spirv/unified1/spirv.h>

/* More matrices than this are left apart: the search is for loops that add up, not for everything. */
#define MOST_MATRICES 2048
#define MOST_CHECKS   200000

/* Instruction @at reads a matrix; HC_NONE: on the edge out of @block. */
struct use {
	struct use *next;
	uint32_t block;
	uint32_t at;
};

struct sharer {
	struct hc_module *m;
	uint32_t *image;
	struct use **uses;     /* [id] */
	uint32_t *next_member; /* [id], of those that share; 0: the last */
	uint32_t *queue;       /* blocks to be looked at */
	uint32_t *seen;	       /* [block], @round when it was queued */
	uint32_t round;
	uint32_t checks;
};

static void add_use(struct sharer *s, uint32_t id, uint32_t block, uint32_t at)
{
	struct use *use;

	if (!hc_is_matrix(s->m, id))
		return;
	use = HC_NEW(s->m->hc, struct use, 1);
	use->next = s->uses[id];
	use->block = block;
	use->at = at;
	s->uses[id] = use;
}

static void find_uses(struct sharer *s)
{
	uint32_t i, j;

	for (i = 0; i < s->m->inst_count; i++) {
		const struct hc_inst *inst = &s->m->insts[i];

		/* Literals look like ids; a wrong guess only keeps two matrices apart. */
		for (j = 0; j < inst->operands; j++) {
			if (inst->op != SpvOpPhi)
				add_use(s, inst->operand[j], inst->block, i);
			else if (j % 2 == 0 && j + 1 < inst->operands)
				add_use(s, inst->operand[j],
					hc_id(s->m, inst->operand[j + 1])->index, HC_NONE);
		}
	}
}

/* Is @id read in @block at or behind instruction @from, or on a way out of it? */
static bool read_in(const struct sharer *s, uint32_t id, uint32_t block, uint32_t from)
{
	const struct use *use;

	for (use = s->uses[id]; use; use = use->next)
		if (use->block == block && (use->at == HC_NONE || use->at >= from))
			return true;
	return false;
}

static uint32_t queue_successors(struct sharer *s, uint32_t block, uint32_t count)
{
	const struct hc_inst *end = &s->m->insts[s->m->blocks[block].last];
	uint32_t i;

	/* Conditions, weights and literals are no blocks. */
	for (i = 0; i < end->operands; i++) {
		uint32_t id = end->operand[i], to;

		if (id >= s->m->bound || s->m->ids[id].kind != HC_ID_BLOCK)
			continue;
		to = s->m->ids[id].index;
		if (s->seen[to] == s->round)
			continue;
		s->seen[to] = s->round;
		s->queue[count++] = to;
	}
	return count;
}

/* Can @id be read behind the definition of @other, before it is defined anew? */
static bool read_behind(struct sharer *s, uint32_t id, uint32_t other)
{
	uint32_t at = s->m->ids[other].index, block = s->m->insts[at].block, i, count;
	uint32_t home = s->m->insts[s->m->ids[id].index].block;
	bool phi = s->m->insts[at].op == SpvOpPhi;

	s->checks++;
	if (!s->uses[id])
		return false;
	/* An instruction has read what it reads when it defines its result; leaf by leaf, if it needs be. */
	if (home == block && !phi && s->m->ids[id].index > at) {
		/* Defined behind it, in the same block: what is read before that is of the round before. */
		return false;
	}
	if (read_in(s, id, block, phi ? 0 : at + 1))
		return true;
	s->round++;
	count = queue_successors(s, block, 0);
	for (i = 0; i < count; i++) {
		block = s->queue[i];
		if (block == home)
			continue;
		if (read_in(s, id, block, 0))
			return true;
		count = queue_successors(s, block, count);
	}
	return false;
}

static bool apart(struct sharer *s, uint32_t x, uint32_t y)
{
	uint32_t i, j;

	for (i = x; i; i = s->next_member[i])
		for (j = y; j; j = s->next_member[j])
			if (s->checks > MOST_CHECKS || read_behind(s, i, j) || read_behind(s, j, i))
				return true;
	return false;
}

static bool same_form(struct hc_module *m, uint32_t x, uint32_t y)
{
	const struct hc_type *a = hc_type_of(m, x), *b = hc_type_of(m, y);

	return a->rows == b->rows && a->columns == b->columns &&
	       hc_type(m, a->element)->width == hc_type(m, b->element)->width;
}

static void share(struct sharer *s, uint32_t x, uint32_t y)
{
	uint32_t member, last;

	if (!hc_is_matrix(s->m, x) || !hc_is_matrix(s->m, y) || !same_form(s->m, x, y))
		return;
	x = s->image[x];
	y = s->image[y];
	if (x == y || apart(s, x, y))
		return;
	for (last = x; s->next_member[last]; last = s->next_member[last])
		;
	s->next_member[last] = y;
	for (member = y; member; member = s->next_member[member])
		s->image[member] = x;
}

void hc_share_matrices(struct hc_module *m, struct hc_regions *regions)
{
	struct sharer s = { .m = m };
	uint32_t i, j, id, count = 0;

	regions->image = s.image = HC_NEW(m->hc, uint32_t, m->bound);
	for (id = 0; id < m->bound; id++) {
		if (!hc_is_matrix(m, id))
			continue;
		s.image[id] = id;
		regions->spills[id] = true;
		count++;
	}
	if (!count || count > MOST_MATRICES)
		return;
	s.uses = HC_NEW(m->hc, struct use *, m->bound);
	s.next_member = HC_NEW(m->hc, uint32_t, m->bound);
	s.queue = HC_NEW(m->hc, uint32_t, m->block_count);
	s.seen = HC_NEW(m->hc, uint32_t, m->block_count);
	find_uses(&s);
	/* Sums first, then what goes round loops, then all else that could be done in place. */
	for (i = 0; i < m->inst_count; i++)
		if (m->insts[i].op == SpvOpCooperativeMatrixMulAddKHR)
			share(&s, m->insts[i].operand[2], m->insts[i].result);
	for (i = 0; i < m->inst_count; i++)
		for (j = 0; m->insts[i].op == SpvOpPhi && j < m->insts[i].operands; j += 2)
			share(&s, m->insts[i].result, m->insts[i].operand[j]);
	for (i = 0; i < m->inst_count; i++) {
		const struct hc_inst *inst = &m->insts[i];

		if (!inst->result || inst->op == SpvOpPhi || inst->op == SpvOpLoad ||
		    inst->op == SpvOpCooperativeMatrixMulAddKHR ||
		    inst->op == SpvOpCooperativeMatrixLoadKHR)
			continue;
		for (j = 0; j < inst->operands && j < 2; j++)
			share(&s, inst->operand[j], inst->result);
	}
	/* One that crosses regions takes the others with it. */
	for (id = 0; id < m->bound; id++)
		if (s.image[id] && regions->crosses[id])
			regions->crosses[s.image[id]] = true;
}
