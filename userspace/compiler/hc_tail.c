// SPDX-License-Identifier: MIT
/*
 * Loops and switches that hold a barrier run once for the whole work-group, so leaving them is a decision of the whole
 * group. Behind the last barrier each invocation may decide for itself: "if (i >= n) return;" after shared memory
 * was filled is of that kind. What stands behind the last barrier is therefore made a switch of one case inside, whose end is
 * the end of the one around; jumps that lanes take apart leave it instead, under masks as everywhere else.
 *
 * Where such jumps stand in a branch that holds a barrier and has code behind it, what they leave is only marked: hc_emit_apart.c
 * keeps account of who is still there.
 *
 * Requires group_level of what holds a barrier, and barriers as nodes of their own.
 */
#include "hc_internal.h"

/* What control reaches by falling off a list's end. */
struct ending {
	struct hc_node *target;
	enum hc_jump jump;
	const struct ending *more;
};

static bool leads_to(const struct ending *ending, const struct hc_node *jump)
{
	for (; ending; ending = ending->more)
		if (ending->target == jump->target && ending->jump == jump->jump)
			return true;
	return false;
}

static bool is_cut(const struct hc_node *node)
{
	return node->group_level || node->kind == HC_NODE_BARRIER;
}

/* Makes jumps in @list that @ending names leave @tail; with no @tail, only looks whether there are any. */
static bool retarget(struct hc_list *list, const struct ending *ending, struct hc_node *tail)
{
	struct hc_node *node;
	bool found = false;
	uint32_t i;

	for (node = list->first; node; node = node->next) {
		if (node->kind == HC_NODE_JUMP && node->target->splits && leads_to(ending, node)) {
			found = true;
			if (tail) {
				tail->divergent |= node->target->divergent;
				node->target = tail;
				node->jump = HC_JUMP_BREAK;
			}
		}
		found |= retarget(&node->body[0], ending, tail);
		found |= retarget(&node->body[1], ending, tail);
		for (i = 0; i < node->case_count; i++)
			found |= retarget(&node->cases[i].body, ending, tail);
	}
	return found;
}

/* A switch of one case around @rest, in place of it, in @parent. */
static struct hc_node *wrapped(struct hc_module *m, const struct hc_list *rest,
			       struct hc_node *parent)
{
	static const uint32_t order[] = { 0 };
	struct hc_node *node, *around = HC_NEW(m->hc, struct hc_node, 1);

	around->kind = HC_NODE_SWITCH;
	around->parent = parent;
	around->block = parent->block;
	around->splits = true;
	around->case_count = 1;
	around->order = order;
	around->cases = HC_NEW(m->hc, struct hc_case, 1);
	around->cases[0].is_default = true;
	around->cases[0].body = *rest;
	for (node = rest->first; node; node = node->next)
		node->parent = around;
	return around;
}

static void wrap(struct hc_module *m, struct hc_list *list, struct hc_node *parent,
		 const struct ending *ending)
{
	struct hc_node *node, *cut = NULL, *tail;
	struct hc_list rest = { 0 };

	for (node = list->first; node; node = node->next)
		if (is_cut(node))
			cut = node;
	rest.first = cut ? cut->next : list->first;
	rest.last = list->last;
	if (!rest.first || !retarget(&rest, ending, NULL))
		return;
	tail = wrapped(m, &rest, parent);
	retarget(&rest, ending, tail);
	if (cut)
		cut->next = tail;
	else
		list->first = tail;
	list->last = tail;
}

static void visit(struct hc_module *m, struct hc_list *list, struct hc_node *parent,
		  const struct ending *ending)
{
	struct hc_node *node;
	uint32_t i;

	for (node = list->first; node; node = node->next) {
		const struct ending *around = node->next ? NULL : ending;
		const struct ending leave = { node, HC_JUMP_BREAK, around };
		const struct ending proceed = { node, HC_JUMP_CONTINUE, NULL };

		if (!node->group_level)
			continue;
		if (node->kind == HC_NODE_LOOP) {
			visit(m, &node->body[0], node, &proceed);
			visit(m, &node->body[1], node, NULL);
			continue;
		}
		visit(m, &node->body[0], node, around);
		visit(m, &node->body[1], node, around);
		for (i = 0; i < node->case_count; i++)
			visit(m, &node->cases[i].body, node, &leave);
	}
	if (parent && ending)
		wrap(m, list, parent, ending);
}

void hc_part_tails(struct hc_module *m, struct hc_list *tree)
{
	visit(m, tree, NULL, NULL);
}

/* ---- What is left ---- */

static bool has_cut(const struct hc_node *node)
{
	for (; node; node = node->next)
		if (is_cut(node))
			return true;
	return false;
}

/*
 * May lanes take @jump each on its own? Not where those that stay come to a barrier before what it leaves ends: then all of the group
 * jump, or none.
 */
static bool leaves_apart(const struct hc_node *jump)
{
	const struct hc_node *at, *branch = NULL;

	for (at = jump->parent; at && at != jump->target; at = at->parent)
		if (at->splits)
			branch = at;
	for (at = branch; at && at != jump->target; at = at->parent)
		if (has_cut(at->next))
			return false;
	return branch;
}

/* Looks in @list for such jumps. Those to the continue part of @loop count, and are returned, if it is not NULL. */
static bool find_leaving(struct hc_list *list, const struct hc_node *loop)
{
	struct hc_node *node;
	bool found = false;
	uint32_t i;

	for (node = list->first; node; node = node->next) {
		if (node->kind == HC_NODE_JUMP && node->target->group_level) {
			if (node->jump == HC_JUMP_CONTINUE)
				found |= node->target == loop && leaves_apart(node);
			else if (node->jump == HC_JUMP_BREAK && leaves_apart(node))
				node->target->parted = true;
		}
		found |= find_leaving(&node->body[0], loop);
		found |= find_leaving(&node->body[1], loop);
		for (i = 0; i < node->case_count; i++)
			found |= find_leaving(&node->cases[i].body, loop);
	}
	return found;
}

/* A loop's body that is left apart for the continue part becomes a switch of one case, as the tails above. */
static void wrap_bodies(struct hc_module *m, struct hc_list *list)
{
	struct hc_node *node, *inner;
	uint32_t i;

	for (node = list->first; node; node = node->next) {
		const struct ending proceed = { node, HC_JUMP_CONTINUE, NULL };

		if (!node->group_level)
			continue;
		wrap_bodies(m, &node->body[0]);
		wrap_bodies(m, &node->body[1]);
		for (i = 0; i < node->case_count; i++)
			wrap_bodies(m, &node->cases[i].body);
		if (node->kind != HC_NODE_LOOP || !find_leaving(&node->body[0], node))
			continue;
		inner = wrapped(m, &node->body[0], node);
		inner->group_level = inner->parted = true;
		retarget(&inner->cases[0].body, &proceed, inner);
		node->body[0].first = node->body[0].last = inner;
	}
}

void hc_part_others(struct hc_module *m, struct hc_list *tree)
{
	wrap_bodies(m, tree);
	find_leaving(tree, NULL);
}
