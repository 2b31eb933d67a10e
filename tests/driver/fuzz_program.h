/* SPDX-License-Identifier: MIT */
/*
 * Programs of the fuzzer of calls: some operations on one open file, made at random, changed at random, and as a
 * line of text. Nothing here touches the board.
 */
#ifndef FUZZ_PROGRAM_H
#define FUZZ_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define PROGRAM_OPS    40
#define OP_WORDS       12
/* What most files have bound: a ring in the first page, and pages of its own after it. */
#define FUZZ_VA	       0x10000ull
#define FUZZ_PAGES     16
#define FUZZ_RING_LOG2 6
/* Of the memory that calls may name. */
#define MEMORY_PAGES   16
/* Times up to this are counted from when the call is made. */
#define NEAR_NS	       1000000

enum op_kind {
	OP_CALL,
	OP_PACKET,
	OP_DOORBELL,
	OP_MAP,
	OP_EXPORT,
	OP_CLOSE_HANDLE,
	OP_OTHER,
	OP_KINDS
};

struct op {
	uint8_t kind;
	uint8_t which;
	uint64_t words[OP_WORDS];
};

struct program {
	unsigned int count;
	struct op ops[PROGRAM_OPS];
};

/* Of all that is random. @memory: MEMORY_PAGES that calls may name and the kernel may write. */
void fuzz_seed(uint64_t seed, uint8_t *memory);
uint32_t fuzz_below(uint32_t limit);

void fuzz_new(struct program *program);
/* One to three changes: an operation new, gone, twice, of @other, or with another field. */
void fuzz_mutate(struct program *program, const struct program *other);

void fuzz_print(const struct program *program, const char *before);
/* False for a line that is no program. */
bool fuzz_parse(struct program *program, const char *line);

#endif /* FUZZ_PROGRAM_H */
