// SPDX-License-Identifier: MIT
/*
 * What a hostile shader can reach: the whole compiler, from the validator to the linker. Any outcome is right but a crash,
 * a leak, an error without a message, or one that says that LLVM was given something wrong. Mutations keep to SPIR-V's
 * words, so that more of them pass the validator.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "hc.h"

#define HEADER_WORDS 5
#define MAX_WORDS    (1u << 16)
#define SETS	     4
#define BINDINGS     8

static void require(bool truth, const char *what, const char *message)
{
	if (truth)
		return;
	fprintf(stderr, "%s: %s\n", what, message ? message : "no message");
	abort();
}

/* The shader may name any of a few buffers; the size of the module chooses target and flags. */
static void compile(const uint32_t *words, size_t count)
{
	struct hc_binding bindings[SETS * BINDINGS];
	struct hc_spec_constant constant = { .id = 1, .size_bytes = 4, .value = 3 };
	struct hc_kernel *kernel = NULL;
	struct hc_target target;
	char *message = NULL;
	enum hc_result result;
	uint32_t i;

	for (i = 0; i < SETS * BINDINGS; i++)
		bindings[i] = (struct hc_binding){
			.set = i / BINDINGS,
			.binding = i % BINDINGS,
			.kind = count & 8 && i & 1 ? HC_BINDING_IMAGE : HC_BINDING_STORAGE_BUFFER,
			.slot = i % BINDINGS * 20,
			.count = 4,
		};
	if (count & 1)
		result = hc_target_riscv64(&target, 256);
	else
		result = hc_target_x86(&target, count & 2 ? "avx2" : "avx512");
	require(!result, "target", hc_result_string(result));

	struct hc_compile_info info = {
		.target = &target,
		.spirv = words,
		.spirv_words = count,
		.entry_point = "main",
		.spec_constants = &constant,
		.spec_constant_count = 1,
		.bindings = bindings,
		.binding_count = SETS * BINDINGS,
		.flags = count & 4 ? HC_COMPILE_ROBUST : 0,
	};

	result = hc_compile(&info, &kernel, &message);
	if (!result) {
		require(kernel && kernel->image_bytes && kernel->entry_offset < kernel->image_bytes,
			"a kernel without an image", message);
		require(!message, "a message with a kernel", message);
		hc_kernel_free(kernel);
		return;
	}
	require(!kernel, "a kernel with an error", message);
	require(result == HC_ERROR_OUT_OF_MEMORY || (message && *message),
		"an error without a message", message);
	require(result != HC_ERROR_INTERNAL, "an internal error", message);
	free(message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t *words = malloc(size + 4);

	if (!words)
		return 0;
	memcpy(words, data, size);
	compile(words, size / 4);
	free(words);
	return 0;
}

/* ---- Mutations ---- */

static uint32_t next_random(uint32_t *state)
{
	uint32_t z = *state += 0x9e3779b9u;

	z = (z ^ z >> 16) * 0x85ebca6bu;
	z = (z ^ z >> 13) * 0xc2b2ae35u;
	return z ^ z >> 16;
}

/* The first word of a random instruction, or 0 if there is none. */
static size_t instruction(const uint32_t *words, size_t count, uint32_t *random)
{
	size_t at, wanted = HEADER_WORDS + next_random(random) % count, last = 0;

	for (at = HEADER_WORDS; at < count && at <= wanted; at += words[at] >> 16) {
		last = at;
		if (!(words[at] >> 16) || (words[at] >> 16) > count - at)
			return 0;
	}
	return last;
}

static uint32_t interesting(const uint32_t *words, uint32_t *random)
{
	static const uint32_t numbers[] = { 0,	   1,	     2,		3,	  4,
					    5,	   7,	     8,		16,	  31,
					    32,	   33,	     63,	64,	  128,
					    255,   1024,     4095,	4096,	  65535,
					    65536, 1u << 24, INT32_MAX, 1u << 31, UINT32_MAX };
	uint32_t choice = next_random(random);

	if (choice & 1)
		return words[3] ? choice / 2 % words[3] : 0; /* an id */
	return choice & 2 ? numbers[choice / 4 % (sizeof(numbers) / sizeof(*numbers))]
			  : choice >> 2;
}

/* One change; returns the new number of words, @most at the most. */
static size_t change(uint32_t *words, size_t count, size_t most, uint32_t *random)
{
	size_t at = instruction(words, count, random), other, length;
	uint32_t choice = next_random(random) % 16;

	if (!at)
		return count;
	length = words[at] >> 16;
	other = instruction(words, count, random);
	if (choice < 7 && length > 1) {
		words[at + 1 + next_random(random) % (length - 1)] = interesting(words, random);
	} else if (choice < 9 && other && length > 1 && words[other] >> 16 > 1) {
		/* A word of another instruction. */
		words[at + 1 + next_random(random) % (length - 1)] =
			words[other + 1 + next_random(random) % ((words[other] >> 16) - 1)];
	} else if (choice < 11 && other) {
		/* Another instruction's opcode. */
		words[at] = (words[at] & 0xffff0000u) | (words[other] & 0xffff);
	} else if (choice == 11) {
		words[at] = (words[at] & 0xffff0000u) | next_random(random) % 450;
	} else if (choice == 12) {
		memmove(words + at, words + at + length, (count - at - length) * sizeof(*words));
		count -= length;
	} else if (choice == 13 && other && count + length <= most) {
		uint32_t copy[256];

		if (length > 256)
			return count;
		memcpy(copy, words + at, length * sizeof(*words));
		memmove(words + other + length, words + other, (count - other) * sizeof(*words));
		memcpy(words + other, copy, length * sizeof(*words));
		count += length;
	} else if (choice == 14) {
		words[next_random(random) % count] ^= 1u << next_random(random) % 32;
	} else if (next_random(random) % 8 == 0) {
		count = at;
	}
	return count;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	uint32_t random = seed, *words;
	size_t count = size / 4, most = max_size / 4 < MAX_WORDS ? max_size / 4 : MAX_WORDS;
	uint32_t left = 1 + next_random(&random) % 3;

	if (count < HEADER_WORDS + 1 || count > most)
		return size;
	words = malloc(most * sizeof(*words));
	if (!words)
		return size;
	memcpy(words, data, count * 4);
	for (; left && count > HEADER_WORDS; left--)
		count = change(words, count, most, &random);
	memcpy(data, words, count * 4);
	free(words);
	return count * 4;
}
