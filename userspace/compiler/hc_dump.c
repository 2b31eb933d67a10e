// SPDX-License-Identifier: MIT
/* What the passes made, as text. */
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
	if (p->regions && p->regions->crosses[id])
		fputs(" crosses", p->out);
	if (p->regions && p->regions->shares[id])
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
		fprintf(p->out, "%s%s%s%s\n", node->divergent ? " divergent" : "",
			node->jumps ? " jumps" : "", node->group_level ? " group-level" : "",
			node->parted ? " parted" : "");
		for (i = node->first; node->kind == HC_NODE_CODE && i < node->end; i++) {
			const struct hc_inst *inst = &p->m->insts[i];

			fprintf(p->out, "%*s", depth * 2 + 2, "");
			if (inst->result)
				fprintf(p->out, "%%%u = ", inst->result);
			fputs(hc_op_name(inst->op), p->out);
			if (inst->result && p->shapes && p->shapes->leaf[inst->result])
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

/* Text for @pass; NULL if nobody wants it. */
static FILE *begin(struct hc_module *m, const char *pass, char **text, size_t *size)
{
	*text = NULL;
	return hc_wants_dump(m->hc, pass) ? open_memstream(text, size) : NULL;
}

static void end(struct hc_module *m, const char *pass, FILE *out, char *const *text)
{
	fclose(out);
	hc_dump(m->hc, pass, *text);
	free(*text);
}

void hc_dump_tree(struct hc_module *m, const char *pass, struct hc_list *tree,
		  struct hc_shapes *shapes, struct hc_regions *regions)
{
	struct printer p = { .m = m, .shapes = shapes, .regions = regions };
	size_t size;
	char *text;

	p.out = begin(m, pass, &text, &size);
	if (!p.out)
		return;
	print_list(&p, tree, 0);
	end(m, pass, p.out, &text);
}

static void print_type(FILE *out, const struct hc_type *type)
{
	static const char *const names[] = {
		[HC_TYPE_VOID] = "void",	 [HC_TYPE_BOOL] = "bool",
		[HC_TYPE_INT] = "int",		 [HC_TYPE_FLOAT] = "float",
		[HC_TYPE_VECTOR] = "vector",	 [HC_TYPE_MATRIX] = "matrix",
		[HC_TYPE_ARRAY] = "array",	 [HC_TYPE_STRUCT] = "structure",
		[HC_TYPE_POINTER] = "pointer",	 [HC_TYPE_COOPERATIVE] = "cooperative matrix",
		[HC_TYPE_FUNCTION] = "function",
	};

	fprintf(out, "type %s", names[type->kind]);
	if (type->width)
		fprintf(out, " of %u bits", type->width);
	if (type->rows)
		fprintf(out, " %u x %u", type->rows, type->columns);
	if (type->count)
		fprintf(out, " of %u", type->count);
	if (type->element)
		fprintf(out, " %%%u", type->element);
	if (type->stride)
		fprintf(out, " stride %u", type->stride);
	if (type->leaves)
		fprintf(out, ", %u %s", type->leaves, type->leaves > 1 ? "leaves" : "leaf");
}

static void print_id(FILE *out, struct hc_module *m, uint32_t i)
{
	const struct hc_id *id = &m->ids[i];
	uint32_t leaf;

	switch (id->kind) {
	case HC_ID_TYPE:
		fprintf(out, "%%%u = ", i);
		print_type(out, id->as_type);
		break;
	case HC_ID_CONSTANT:
		fprintf(out, "%%%u = constant %%%u", i, id->type);
		for (leaf = 0; leaf < hc_type_of(m, i)->leaves && leaf < 16; leaf++)
			fprintf(out, " 0x%llx", (unsigned long long)id->constant[leaf]);
		break;
	case HC_ID_VARIABLE:
		fprintf(out, "%%%u = variable %%%u class %u", i, id->type, id->storage_class);
		if (id->builtin != HC_NONE)
			fprintf(out, " built-in %u", id->builtin);
		else
			fprintf(out, " set %u binding %u", id->set, id->binding);
		break;
	default:
		return;
	}
	fputc('\n', out);
}

void hc_dump_module(struct hc_module *m)
{
	size_t size;
	char *text;
	FILE *out = begin(m, "module", &text, &size);
	uint32_t i;

	if (!out)
		return;
	for (i = 0; i < m->bound; i++)
		print_id(out, m, i);
	fprintf(out, "%u instructions in %u blocks, work-group %u x %u x %u, %u subgroups of %u\n",
		m->inst_count, m->block_count, m->hc->local_size[0], m->hc->local_size[1],
		m->hc->local_size[2], m->hc->subgroups, m->hc->lanes);
	end(m, "module", out, &text);
}

void hc_dump_tables(struct hc_module *m)
{
	size_t size;
	char *text;
	FILE *out = begin(m, "table", &text, &size);
	uint32_t i;

	if (!out)
		return;
	for (i = 0; i < m->bound; i++)
		if (m->ids[i].kind == HC_ID_VARIABLE && m->ids[i].is_table)
			fprintf(out, "%%%u always holds %%%u\n", i, m->ids[i].initializer);
	end(m, "table", out, &text);
}

void hc_dump_partition(struct hc_module *m, const uint32_t *need)
{
	size_t size;
	char *text;
	FILE *out = begin(m, "partition", &text, &size);
	uint32_t i;

	if (!out)
		return;
	for (i = 0; i < m->bound; i++)
		if (need[i])
			fprintf(out, "%%%u is needed by parts 0x%x\n", i, need[i]);
	end(m, "partition", out, &text);
}

void hc_dump_sharing(struct hc_module *m, struct hc_regions *regions)
{
	size_t size;
	char *text;
	FILE *out = begin(m, "share", &text, &size);
	uint32_t i;

	if (out) {
		for (i = 0; i < m->bound; i++)
			if (regions->shares[i])
				fprintf(out, "%%%u lies in the place of %%%u\n", i,
					regions->shares[i]);
		end(m, "share", out, &text);
	}
	out = begin(m, "matrix", &text, &size);
	if (!out)
		return;
	for (i = 0; i < m->bound; i++)
		if (regions->image[i])
			fprintf(out, "%%%u lies in the memory of %%%u%s\n", i, regions->image[i],
				regions->crosses[regions->image[i]] ? ", which crosses" : "");
	end(m, "matrix", out, &text);
}

void hc_dump_adjacent(struct hc_module *m, struct hc_adjacent **adjacent)
{
	size_t size;
	char *text;
	FILE *out = begin(m, "adjacent", &text, &size);
	uint32_t i, j;

	if (!out)
		return;
	for (i = 0; i < m->inst_count; i++) {
		if (!adjacent[i] || adjacent[i]->inst[0] != i)
			continue;
		for (j = 0; j < adjacent[i]->count; j++)
			fprintf(out, "%s%%%u at %lld", j ? ", " : "",
				m->insts[adjacent[i]->inst[j]].result,
				(long long)adjacent[i]->offset[j]);
		fputc('\n', out);
	}
	end(m, "adjacent", out, &text);
}
