/* SPDX-License-Identifier: MIT */
/* A fuzz target, as libFuzzer wants it; fuzz_main.c calls it too. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Uses @data; returns 0. Must not keep or change it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif /* FUZZ_H */
