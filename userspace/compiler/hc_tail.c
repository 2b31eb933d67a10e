// SPDX-License-Identifier: MIT
/*
 * Loops and switches that hold a barrier run once for the whole work-group, so leaving them is a decision of the whole
 * group. Behind the last barrier each invocation may decide for itself: "if (i >= n) return;" after shared memory
 * was filled is of that kind. What stands behind the last barrier is therefore made a switch of one case inside, whose end is
 * the end of the one around; jumps that lanes take apart leave it instead, under masks as everywhere else.
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

static void wrap(struct hc_module *m, struct hc_list *list, struct hc_node *parent,
		 const struct ending *ending)
{
	static const uint32_t order[] = { 0 };
	struct hc_node *node, *cut = NULL, *tail;
	struct hc_list rest = { 0 };

	for (node = list->first; node; node = node->next)
		if (is_cut(node))
			cut = node;
	rest.first = cut ? cut->next : list->first;
	rest.last = list->last;
	if (!rest.first || !retarget(&rest, ending, NULL))
		return;
	tail = HC_NEW(m->hc, struct hc_node, 1);
	tail->kind = HC_NODE_SWITCH;
	tail->parent = parent;
	tail->block = parent->block;
	tail->splits = true;
	tail->case_count = 1;
	tail->order = order;
	tail->cases = HC_NEW(m->hc, struct hc_case, 1);
	tail->cases[0].is_default = true;
	tail->cases[0].body = rest;
	for (node = rest.first; node; node = node->next)
		node->parent = tail;
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

static bool has_barrier(const struct hc_node *node)
{
	const struct hc_node *inner;
	uint32_t i;

	for (; node; node = node->next) {
		if (node->kind == HC_NODE_BARRIER || has_barrier(node->body[0].first) ||
		    has_barrier(node->body[1].first))
			return true;
		for (i = 0; i < node->case_count; i++) {
			inner = node->cases[i].body.first;
			if (has_barrier(inner))
				return true;
		}
	}
	return false;
}

/* May lanes leave @target apart by a jump in @list? They may where no barrier stands between @branch and the target's end. */
static bool leaves_apart(const struct hc_list *list, const struct hc_node *branch)
{
	const struct hc_node *node, *at;

	for (node = list->first; node; node = node->next) {
		if (leaves_apart(&node->body[0], branch) || leaves_apart(&node->body[1], branch))
			return true;
		if (node->kind != HC_NODE_JUMP || node->target->kind != HC_NODE_SWITCH ||
		    !node->target->group_level)
			continue;
		for (at = branch; at && at != node->target; at = at->parent)
			if (has_barrier(at->next))
				break;
		if (at == node->target)
			return true;
	}
	return false;
}

void hc_refuse_parting(struct hc_module *m, const struct hc_list *list)
{
	const struct hc_node *node;
	uint32_t i;

	for (node = list->first; node; node = node->next) {
		if (node->kind == HC_NODE_IF && node->group_level && node->divergent &&
		    !has_barrier(node->body[0].first) && !has_barrier(node->body[1].first) &&
		    (leaves_apart(&node->body[0], node) || leaves_apart(&node->body[1], node)))
			hc_abort(m->hc, HC_ERROR_UNSUPPORTED,
				 "invocations that leave, each on its own, a branch that holds a "
				 "barrier and "
				 "has code behind it are not supported");
		hc_refuse_parting(m, &node->body[0]);
		hc_refuse_parting(m, &node->body[1]);
		for (i = 0; i < node->case_count; i++)
			hc_refuse_parting(m, &node->cases[i].body);
	}
}
