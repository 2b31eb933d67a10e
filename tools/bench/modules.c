// SPDX-License-Identifier: MIT
/*
 * Finds SPIR-V modules by their first words and follows their instructions. A module ends after the end of a function
 * that no other function follows.
 */
#include "modules.h"

#define MAGIC		0x07230203u
#define HEADER_WORDS	5
#define VERSION_MOST	0x00010600u
#define OP_FUNCTION	54
#define OP_FUNCTION_END 56

/* Words of the module at the start of @words, or 0. */
static size_t module_words(const uint32_t *words, size_t count)
{
	size_t at = HEADER_WORDS;

	/* Magic, version, generator, bound of ids, and a word that is 0. */
	if (count < HEADER_WORDS || words[0] != MAGIC || words[1] < 0x00010000u ||
	    words[1] > VERSION_MOST || words[1] & 0xff || !words[3] || words[4])
		return 0;
	while (at < count) {
		size_t length = words[at] >> 16;
		uint32_t op = words[at] & 0xffff;

		if (!length || length > count - at)
			return 0;
		at += length;
		if (op == OP_FUNCTION_END &&
		    (at == count || (words[at] & 0xffff) != OP_FUNCTION || words[at] >> 16 != 5))
			return at;
	}
	return 0;
}

const uint32_t *bench_next_module(const uint32_t *words, size_t word_count, size_t *at,
				  size_t *count)
{
	for (; *at < word_count; ++*at) {
		const uint32_t *module = words + *at;

		*count = module_words(module, word_count - *at);
		if (*count) {
			*at += *count;
			return module;
		}
	}
	return NULL;
}
