// SPDX-License-Identifier: MIT
/* See fuzz_program.h. Values are right often enough to get deep and wrong often enough to get to the corners. */
#include <stdlib.h>
#include <string.h>

#include "fuzz_ops.h"
#include "fuzz_program.h"

static uint64_t state;
static uint8_t *memory;

void fuzz_seed(uint64_t seed, uint8_t *pages)
{
	state = seed | 1;
	memory = pages;
}

static uint64_t draw(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

uint32_t fuzz_below(uint32_t limit)
{
	return (uint32_t)(draw() >> 32) % limit;
}

#define below fuzz_below

/* ---- Values ---- */

static uint64_t any(void)
{
	static const uint64_t odd[] = {
		0,
		1,
		63,
		4095,
		4096,
		65536,
		1ull << 31,
		1ull << 32,
		1ull << 47,
		1ull << 63,
		~0ull,
		~0xfffull,
		HBI_RETURN_ADDRESS,
	};

	return below(4) ? odd[below(sizeof(odd) / sizeof(odd[0]))] : draw();
}

static uint64_t value(enum field_kind kind)
{
	switch (kind) {
	case FIELD_ZERO:
		return below(24) ? 0 : any();
	case FIELD_ID:
		return below(8) ? 1 + below(2) : value(FIELD_SMALL);
	case FIELD_LOG2:
		return below(8) ? 6 + below(3) : value(FIELD_SMALL);
	case FIELD_RANK:
		return below(8) ? below(4) : value(FIELD_SMALL);
	case FIELD_SMALL:
		return below(16) ? below(2) ? below(3) : below(7) : any();
	case FIELD_SIZE:
		return below(12) ? 4096ull * below(33) : below(3) ? below(8192) : any();
	case FIELD_VA:
		return below(12) ? FUZZ_VA + 4096ull * below(4 * FUZZ_PAGES) : any();
	case FIELD_MEMORY:
		/* Memory of this program's own, or none at all: the kernel may write there. */
		if (below(8))
			return (uintptr_t)memory + 4096ull * below(MEMORY_PAGES) +
			       (below(4) ? 0 : below(4096));
		return below(2) ? below(4096) : draw() | 1ull << 63;
	case FIELD_TIME:
		return below(2) ? 0 : 1 + below(NEAR_NS / 2);
	default:
		return any();
	}
}

/* An address in what is bound, behind the ring, mostly of 8 bytes. */
static uint64_t bound(void)
{
	uint64_t at = FUZZ_VA + 4096 + below((FUZZ_PAGES - 1) * 4096);

	if (!below(40))
		return value(FIELD_VA);
	return below(8) ? at & ~7ull : at;
}

/* Words 1 to 7 of a packet that is mostly right: a wrong one ends the context, and all after it is idle. */
static void new_packet(uint64_t *words)
{
	unsigned int i, type = below(10);

	words[0] = type;
	switch (type) {
	case HBI_PACKET_COPY:
		words[1] = bound();
		words[2] = bound();
		words[3] = below(4096);
		break;
	case HBI_PACKET_FILL:
		words[1] = bound() & ~3ull;
		words[2] = below(1024) * 4;
		words[3] = (uint32_t)draw();
		break;
	case HBI_PACKET_SIGNAL:
		words[1] = bound() & ~7ull;
		words[2] = draw();
		break;
	case HBI_PACKET_WAIT:
		words[1] = bound() & ~7ull;
		words[2] = below(12) ? 0 : draw();
		break;
	case HBI_PACKET_TIMESTAMP:
		words[1] = bound() & ~7ull;
		break;
	case HBI_PACKET_INDIRECT:
		words[1] = bound() & ~63ull;
		words[2] = below(3);
		break;
	case HBI_PACKET_SYNC_CODE:
		words[1] = bound() & ~7ull;
		words[2] = below(512) * 8;
		break;
	case HBI_PACKET_DISPATCH:
		/* A grid of nothing, or rarely code that is none. */
		words[1] = below(8) ? 0 : draw();
		words[2] = (uint64_t)below(64) << 38;
		for (i = 3; i < 6; i++)
			words[i] = bound() & ~63ull;
		break;
	}
	if (!below(40))
		words[below(8)] = any();
}

/* ---- Operations ---- */

static enum op_kind draw_kind(void)
{
	static const uint8_t kinds[] = { OP_CALL,   OP_CALL,   OP_CALL,		OP_CALL,
					 OP_CALL,   OP_CALL,   OP_CALL,		OP_CALL,
					 OP_PACKET, OP_PACKET, OP_PACKET,	OP_DOORBELL,
					 OP_MAP,    OP_EXPORT, OP_CLOSE_HANDLE, OP_OTHER };

	return kinds[below(sizeof(kinds))];
}

static void set_field(struct op *op, const struct field *field)
{
	uint64_t word = value(field->kind);

	memcpy((uint8_t *)op->words + field->offset, &word, field->bytes);
}

static void new_op(struct op *op)
{
	const struct field *field;
	unsigned int i;

	memset(op, 0, sizeof(*op));
	op->kind = draw_kind();
	op->which = draw();
	switch (op->kind) {
	case OP_CALL:
		op->which = below(FUZZ_CALLS);
		/* It takes the board longest. */
		if (fuzz_calls[op->which].request == DRM_IOCTL_HEARTH_VM_CREATE && below(4))
			op->which = below(FUZZ_CALLS);
		for (field = fuzz_calls[op->which].fields; field->kind; field++)
			set_field(op, field);
		break;
	case OP_PACKET:
		new_packet(op->words);
		break;
	case OP_DOORBELL:
		op->words[0] = below(24) ? 0 : any();
		break;
	default:
		for (i = 0; i < 4; i++)
			op->words[i] = value(i ? FIELD_SIZE : FIELD_ID);
	}
}

void fuzz_new(struct program *program)
{
	unsigned int i;

	program->count = 1 + below(PROGRAM_OPS);
	for (i = 0; i < program->count; i++)
		new_op(&program->ops[i]);
}

static void change_field(struct op *op)
{
	const struct field *field = fuzz_calls[op->which % FUZZ_CALLS].fields;

	if (op->kind != OP_CALL || !field->kind) {
		op->words[below(8)] = value(FIELD_VA);
		return;
	}
	while (field[1].kind && below(3))
		field++;
	set_field(op, field);
}

void fuzz_mutate(struct program *program, const struct program *other)
{
	unsigned int changes = 1 + below(3);

	while (changes--) {
		struct op *op = &program->ops[below(program->count)];

		switch (below(5)) {
		case 0:
			new_op(op);
			break;
		case 1:
			if (program->count > 1)
				*op = program->ops[--program->count];
			break;
		case 2:
			if (program->count < PROGRAM_OPS)
				program->ops[program->count++] = *op;
			break;
		case 3:
			*op = other->ops[below(other->count)];
			break;
		default:
			change_field(op);
		}
	}
}

/* ---- As text: for each operation KIND.WHICH.WORD,WORD… without the zeros at its end ---- */

void fuzz_print(const struct program *program, const char *before)
{
	unsigned int i, n, words;

	printf("%s", before);
	for (i = 0; i < program->count; i++) {
		const struct op *op = &program->ops[i];

		printf("%s%u.%u.", i ? " " : "", op->kind, op->which);
		for (words = OP_WORDS; words && !op->words[words - 1];)
			words--;
		for (n = 0; n < words; n++)
			printf("%s%llx", n ? "," : "", (unsigned long long)op->words[n]);
	}
	printf("\n");
}

static bool parse_op(struct op *op, char *text)
{
	unsigned int n = 0;
	char *end;

	op->kind = strtoul(text, &end, 10);
	if (*end != '.' || op->kind >= OP_KINDS)
		return false;
	op->which = strtoul(end + 1, &end, 10);
	if (*end != '.' || (op->kind == OP_CALL && op->which >= FUZZ_CALLS))
		return false;
	for (end++; *end && n < OP_WORDS; end += *end == ',')
		op->words[n++] = strtoull(end, &end, 16);
	return !*end;
}

bool fuzz_parse(struct program *program, const char *line)
{
	char *copy = strdup(line), *rest = NULL, *word;
	bool good = copy;

	memset(program, 0, sizeof(*program));
	for (word = copy ? strtok_r(copy, " \n", &rest) : NULL; good && word;
	     word = strtok_r(NULL, " \n", &rest))
		good = program->count < PROGRAM_OPS &&
		       parse_op(&program->ops[program->count++], word);
	free(copy);
	return good && program->count;
}
