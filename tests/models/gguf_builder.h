/* SPDX-License-Identifier: MIT */
/* Makes GGUF files in memory, right or wrong on purpose. Aborts when memory runs out. */
#ifndef GGUF_BUILDER_H
#define GGUF_BUILDER_H

#include <stddef.h>
#include <stdint.h>

#define GB_ALIGNMENT 32u

struct gguf_builder {
	uint8_t *bytes;
	size_t size;
	size_t capacity;
	uint64_t entries;
	uint64_t tensors;
	uint64_t data_bytes; /* of the tensors announced so far */
};

void gb_start(struct gguf_builder *b);
void gb_free(struct gguf_builder *b);

void gb_raw(struct gguf_builder *b, const void *bytes, size_t size);
void gb_u32_raw(struct gguf_builder *b, uint32_t value);
void gb_u64_raw(struct gguf_builder *b, uint64_t value);
void gb_string_raw(struct gguf_builder *b, const char *text);

void gb_u32(struct gguf_builder *b, const char *key, uint32_t value);
void gb_f32(struct gguf_builder *b, const char *key, float value);
void gb_bool(struct gguf_builder *b, const char *key, int value);
void gb_string(struct gguf_builder *b, const char *key, const char *value);
void gb_strings(struct gguf_builder *b, const char *key, const char *const *values, size_t count);
void gb_f32s(struct gguf_builder *b, const char *key, const float *values, size_t count);
void gb_i32s(struct gguf_builder *b, const char *key, const int32_t *values, size_t count);

/* After all metadata. @bytes of data are placed behind those of the tensors before. */
void gb_tensor(struct gguf_builder *b, const char *name, uint32_t type, uint64_t columns,
	       uint64_t rows, uint64_t bytes);
/* @count matrices one after the other. */
void gb_stack(struct gguf_builder *b, const char *name, uint32_t type, uint64_t columns,
	      uint64_t rows, uint64_t count, uint64_t bytes);
void gb_vector(struct gguf_builder *b, const char *name, uint32_t type, uint64_t columns,
	       uint64_t bytes);
/* Writes the counts; the caller writes each tensor's data behind it, filled up to a multiple of GB_ALIGNMENT. */
void gb_finish_header(struct gguf_builder *b);
/* Writes the counts, and zeros for the tensors' data. */
void gb_finish(struct gguf_builder *b);

#endif /* GGUF_BUILDER_H */
