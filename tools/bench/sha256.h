/* SPDX-License-Identifier: MIT */
/* SHA-256 (FIPS 180-4), of files and of shaders. */
#ifndef BENCH_SHA256_H
#define BENCH_SHA256_H

#include <stdbool.h>
#include <stddef.h>

#define SHA256_TEXT 65 /* hexadecimal digits and the end */

void sha256_text(const void *data, size_t bytes, char text[SHA256_TEXT]);
/* False, and an empty text, if the file cannot be read. */
bool sha256_file(const char *path, char text[SHA256_TEXT]);

#endif /* BENCH_SHA256_H */
