/* SPDX-License-Identifier: MIT */
/* SPIR-V modules inside another file: which shaders a library brings. */
#ifndef BENCH_MODULES_H
#define BENCH_MODULES_H

#include <stddef.h>
#include <stdint.h>

/*
 * The first whole module in @words from *@at on: returns its first word and sets *@count to its words and *@at behind
 * it, or returns NULL if there is none.
 */
const uint32_t *bench_next_module(const uint32_t *words, size_t word_count, size_t *at,
				  size_t *count);

#endif /* BENCH_MODULES_H */
