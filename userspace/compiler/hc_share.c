// SPDX-License-Identifier: MIT
/*
 * Which values that cross regions share a place. A sum that a loop with barriers keeps, and its next value, which one region
 * computes from it, would lie in two places and be copied in each round. Where nothing needs the old value once the
 * new one is there, they are one place, and the copy vanishes.
 */
#include "hc_internal.h"

#include <spirv/unified1/spirv.h>

struct sharer {
	struct hc_module *m;
	struct hc_shapes *shapes;
	struct hc_regions *regions;
	struct hc_node *loop;
	uint32_t phi;	 /* of the loop's header */
	uint32_t next;	 /* its next value */
	uint32_t region; /* that computes it */
	uint32_t at;	 /* region of the use at hand */
	bool inside;	 /* is that in the loop? */
	bool deeper;	 /* in another loop with barriers inside the loop? */
	bool refused;
};

static void look_at_use(void *context, uint32_t id)
{
	struct sharer *s = context;

	/* The old value is read before the new one is written, by each subgroup; and once. */
	if (id == s->phi && s->inside && (s->at != s->region || s->deeper))
		s->refused = true;
	if (id == s->next && !s->inside)
		s->refused = true;
}

/* The values that an edge gives to phis. The one that this is about is the loop's own. */
static void look_at_edge(struct sharer *s, const struct hc_node *edge)
{
	const struct hc_inst *inst;
	uint32_t j;

	if (edge->from == HC_NONE)
		return;
	for (inst = &s->m->insts[s->m->blocks[edge->to].first]; inst->op == SpvOpPhi; inst++) {
		if (inst->result == s->phi && s->at == s->region)
			s->refused = true;
		for (j = 0; j + 1 < inst->operands; j += 2)
			if (inst->operand[j + 1] == s->m->blocks[edge->from].label &&
			    (inst->result != s->phi || inst->operand[j] != s->next))
				look_at_use(s, inst->operand[j]);
	}
}

static void look_at_list(struct sharer *s, const struct hc_list *list)
{
	const struct hc_node *node;
	uint32_t i;

	for (node = list->first; node && !s->refused; node = node->next) {
		bool inside = s->inside, deeper = s->deeper;

		s->at = node->region;
		switch (node->kind) {
		case HC_NODE_CODE:
			for (i = node->first; i < node->end; i++) {
				if (s->m->insts[i].result == s->next && deeper)
					s->refused = true;
				hc_for_each_use(s->m, &s->m->insts[i], look_at_use, s);
			}
			break;
		case HC_NODE_IF:
		case HC_NODE_SWITCH:
			look_at_use(s, node->condition);
			break;
		case HC_NODE_EDGE:
		case HC_NODE_JUMP:
			look_at_edge(s, node);
			break;
		case HC_NODE_LOOP:
			s->deeper |= inside && node->group_level;
			s->inside |= node == s->loop;
			break;
		default:
			break;
		}
		look_at_list(s, &node->body[0]);
		look_at_list(s, &node->body[1]);
		for (i = 0; i < node->case_count; i++) {
			look_at_list(s, &node->cases[i].enter);
			look_at_list(s, &node->cases[i].body);
		}
		s->inside = inside;
		s->deeper = deeper;
	}
}

static bool same_form(struct sharer *s, uint32_t a, uint32_t b)
{
	uint32_t leaf, leaves = hc_type_of(s->m, a)->leaves;

	/* Cooperative matrices have their own way to share: see hc_matrix.c. */
	if (hc_is_matrix(s->m, a) || s->m->ids[a].type != s->m->ids[b].type ||
	    !s->shapes->leaf[a] || !s->shapes->leaf[b])
		return false;
	for (leaf = 0; leaf < leaves; leaf++)
		if (hc_shape_of(s->shapes, a, leaf).kind != HC_VARYING ||
		    hc_shape_of(s->shapes, b, leaf).kind != HC_VARYING)
			return false;
	return true;
}

/* Is @node the loop or something in it? */
static bool holds(const struct hc_list *list, uint32_t block)
{
	const struct hc_node *node;
	uint32_t i;

	for (node = list->first; node; node = node->next) {
		if (node->kind == HC_NODE_CODE && node->block == block)
			return true;
		if (holds(&node->body[0], block) || holds(&node->body[1], block))
			return true;
		for (i = 0; i < node->case_count; i++)
			if (holds(&node->cases[i].body, block))
				return true;
	}
	return false;
}

static void share_phi(struct sharer *s, const struct hc_inst *phi, struct hc_list *tree)
{
	struct hc_regions *regions = s->regions;
	uint32_t j, next = 0, backwards = 0;

	for (j = 0; j + 1 < phi->operands; j += 2) {
		uint32_t from = hc_id(s->m, phi->operand[j + 1])->index;

		if (holds(&s->loop->body[0], from) || holds(&s->loop->body[1], from)) {
			next = phi->operand[j];
			backwards++;
		}
	}
	if (backwards != 1 || s->m->ids[next].kind != HC_ID_VALUE || next == phi->result ||
	    !regions->crosses[phi->result] || !regions->crosses[next] ||
	    regions->shares[phi->result] || regions->shares[next] || !regions->home[next] ||
	    regions->home[next] == regions->home[phi->result] || !same_form(s, phi->result, next))
		return;
	s->phi = phi->result;
	s->next = next;
	s->region = regions->home[next];
	s->inside = s->deeper = s->refused = false;
	look_at_list(s, tree);
	if (!s->refused)
		regions->shares[next] = phi->result;
}

/* Lanes that left keep what they had: their values must not be in the place of others'. */
static bool is_left_apart(const struct hc_node *loop)
{
	return loop->parted || (loop->body[0].first && loop->body[0].first->parted);
}

static void find_loops(struct sharer *s, struct hc_list *list, struct hc_list *tree)
{
	const struct hc_inst *phi;
	struct hc_node *node;
	uint32_t i;

	for (node = list->first; node; node = node->next) {
		if (!node->group_level)
			continue;
		if (node->kind == HC_NODE_LOOP && !is_left_apart(node)) {
			phi = &s->m->insts[s->m->blocks[node->block].first];
			for (; phi->op == SpvOpPhi; phi++) {
				s->loop = node;
				share_phi(s, phi, tree);
			}
		}
		find_loops(s, &node->body[0], tree);
		find_loops(s, &node->body[1], tree);
		for (i = 0; i < node->case_count; i++)
			find_loops(s, &node->cases[i].body, tree);
	}
}

void hc_share(struct hc_module *m, struct hc_shapes *shapes, struct hc_regions *regions,
	      struct hc_list *tree)
{
	struct sharer s = { .m = m, .shapes = shapes, .regions = regions };

	regions->shares = HC_NEW(m->hc, uint32_t, m->bound);
	find_loops(&s, tree, tree);
}
