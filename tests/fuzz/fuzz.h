/* SPDX-License-Identifier: MIT */
/* A fuzz target, as libFuzzer wants it; fuzz_main.c calls it too. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Uses @data; returns 0. Must not keep or change it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * Changes the @size bytes of @data, which have room for @max_size, in a way that depends on nothing but @seed; returns the
 * new size. A target that has none is given changed bytes.
 */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
	__attribute__((weak));

#endif /* FUZZ_H */
