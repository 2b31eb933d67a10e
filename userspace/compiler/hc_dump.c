// SPDX-License-Identifier: MIT
/* The tree as text, with the shape of each value and the region of each node, under the name "region". */
#include "hc_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct printer {
	FILE *out;
	struct hc_module *m;
	struct hc_shapes *shapes;
	struct hc_regions *regions;
};

static void print_shape(struct printer *p, uint32_t id)
{
	uint32_t leaf;

	for (leaf = 0; leaf < hc_type_of(p->m, id)->leaves && leaf < 16; leaf++) {
		struct hc_shape shape = p->shapes->leaf[id][leaf];

		if (!shape.known)
			fputs(" dead", p->out);
		else if (shape.kind == HC_UNIFORM)
			fputs(" uniform", p->out);
		else if (shape.kind == HC_AFFINE)
			fprintf(p->out, " affine%+lld", (long long)shape.stride);
		else
			fputs(" varying", p->out);
	}
	if (p->regions->crosses[id])
		fputs(" crosses", p->out);
	if (p->regions->shares[id])
		fprintf(p->out, " in the place of %%%u", p->regions->shares[id]);
}

static void print_list(struct printer *p, struct hc_list *list, int depth)
{
	static const char *const names[] = {
		[HC_NODE_CODE] = "code",       [HC_NODE_IF] = "if",	[HC_NODE_SWITCH] = "switch",
		[HC_NODE_LOOP] = "loop",       [HC_NODE_EDGE] = "edge", [HC_NODE_JUMP] = "jump",
		[HC_NODE_BARRIER] = "barrier", [HC_NODE_END] = "end",
	};
	struct hc_node *node;
	uint32_t i;

	for (node = list->first; node; node = node->next) {
		fprintf(p->out, "%*s%s", depth * 2, "", names[node->kind]);
		if (node->condition)
			fprintf(p->out, " %%%u", node->condition);
		if (node->region)
			fprintf(p->out, " region %u", node->region);
		if (node->parts)
			fprintf(p->out, " %u parts", node->parts);
		fprintf(p->out, "%s%s%s\n", node->divergent ? " divergent" : "",
			node->jumps ? " jumps" : "", node->group_level ? " group-level" : "");
		for (i = node->first; node->kind == HC_NODE_CODE && i < node->end; i++) {
			const struct hc_inst *inst = &p->m->insts[i];

			fprintf(p->out, "%*s", depth * 2 + 2, "");
			if (inst->result)
				fprintf(p->out, "%%%u = ", inst->result);
			fputs(hc_op_name(inst->op), p->out);
			if (inst->result && p->shapes->leaf[inst->result])
				print_shape(p, inst->result);
			fputc('\n', p->out);
		}
		print_list(p, &node->body[0], depth + 1);
		if (node->body[1].first) {
			fprintf(p->out, "%*s%s\n", depth * 2, "",
				node->kind == HC_NODE_LOOP ? "continue" : "else");
			print_list(p, &node->body[1], depth + 1);
		}
		for (i = 0; i < node->case_count; i++) {
			struct hc_case *c = &node->cases[node->order[i]];

			fprintf(p->out, "%*scase %u%s\n", depth * 2, "", c->label,
				c->is_default ? " default" : "");
			print_list(p, &c->enter, depth + 1);
			print_list(p, &c->body, depth + 1);
		}
	}
}

void hc_dump_tree(struct hc_module *m, struct hc_list *tree, struct hc_shapes *shapes,
		  struct hc_regions *regions)
{
	struct printer p = { .m = m, .shapes = shapes, .regions = regions };
	char *text = NULL;
	size_t size;

	if (!hc_wants_dump(m->hc, "region"))
		return;
	p.out = open_memstream(&text, &size);
	if (!p.out)
		return;
	print_list(&p, tree, 0);
	fclose(p.out);
	hc_dump(m->hc, "region", text);
	free(text);
}
