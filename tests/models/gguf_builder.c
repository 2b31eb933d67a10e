// SPDX-License-Identifier: MIT
/* GGUF files for tests. The header's counts are filled in at the end. */
#include "gguf_builder.h"

#include <stdlib.h>
#include <string.h>

#include "gguf.h"

#define ALIGNMENT GB_ALIGNMENT

void gb_raw(struct gguf_builder *b, const void *bytes, size_t size)
{
	if (b->size + size > b->capacity) {
		b->capacity = (b->size + size) * 2 + 256;
		b->bytes = realloc(b->bytes, b->capacity);
		if (!b->bytes)
			abort();
	}
	if (size)
		memcpy(b->bytes + b->size, bytes, size);
	b->size += size;
}

void gb_u32_raw(struct gguf_builder *b, uint32_t value)
{
	gb_raw(b, &value, sizeof(value));
}

void gb_u64_raw(struct gguf_builder *b, uint64_t value)
{
	gb_raw(b, &value, sizeof(value));
}

void gb_string_raw(struct gguf_builder *b, const char *text)
{
	gb_u64_raw(b, strlen(text));
	gb_raw(b, text, strlen(text));
}

void gb_start(struct gguf_builder *b)
{
	memset(b, 0, sizeof(*b));
	gb_raw(b, "GGUF", 4);
	gb_u32_raw(b, 3);
	gb_u64_raw(b, 0);
	gb_u64_raw(b, 0);
}

void gb_free(struct gguf_builder *b)
{
	free(b->bytes);
}

static void key(struct gguf_builder *b, const char *name, uint32_t type)
{
	gb_string_raw(b, name);
	gb_u32_raw(b, type);
	b->entries++;
}

static void array(struct gguf_builder *b, const char *name, uint32_t type, size_t count)
{
	key(b, name, HM_GGUF_ARRAY);
	gb_u32_raw(b, type);
	gb_u64_raw(b, count);
}

void gb_u32(struct gguf_builder *b, const char *name, uint32_t value)
{
	key(b, name, HM_GGUF_U32);
	gb_u32_raw(b, value);
}

void gb_f32(struct gguf_builder *b, const char *name, float value)
{
	key(b, name, HM_GGUF_F32);
	gb_raw(b, &value, sizeof(value));
}

void gb_bool(struct gguf_builder *b, const char *name, int value)
{
	uint8_t byte = (uint8_t)value;

	key(b, name, HM_GGUF_BOOL);
	gb_raw(b, &byte, 1);
}

void gb_string(struct gguf_builder *b, const char *name, const char *value)
{
	key(b, name, HM_GGUF_STRING);
	gb_string_raw(b, value);
}

void gb_strings(struct gguf_builder *b, const char *name, const char *const *values, size_t count)
{
	size_t i;

	array(b, name, HM_GGUF_STRING, count);
	for (i = 0; i < count; i++)
		gb_string_raw(b, values[i]);
}

void gb_f32s(struct gguf_builder *b, const char *name, const float *values, size_t count)
{
	array(b, name, HM_GGUF_F32, count);
	gb_raw(b, values, count * sizeof(*values));
}

void gb_i32s(struct gguf_builder *b, const char *name, const int32_t *values, size_t count)
{
	array(b, name, HM_GGUF_I32, count);
	gb_raw(b, values, count * sizeof(*values));
}

static void place(struct gguf_builder *b, uint32_t type, uint64_t bytes)
{
	gb_u32_raw(b, type);
	gb_u64_raw(b, b->data_bytes);
	b->data_bytes += (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	b->tensors++;
}

void gb_tensor(struct gguf_builder *b, const char *name, uint32_t type, uint64_t columns,
	       uint64_t rows, uint64_t bytes)
{
	gb_string_raw(b, name);
	gb_u32_raw(b, 2);
	gb_u64_raw(b, columns);
	gb_u64_raw(b, rows);
	place(b, type, bytes);
}

void gb_stack(struct gguf_builder *b, const char *name, uint32_t type, uint64_t columns,
	      uint64_t rows, uint64_t count, uint64_t bytes)
{
	gb_string_raw(b, name);
	gb_u32_raw(b, 3);
	gb_u64_raw(b, columns);
	gb_u64_raw(b, rows);
	gb_u64_raw(b, count);
	place(b, type, bytes);
}

void gb_vector(struct gguf_builder *b, const char *name, uint32_t type, uint64_t columns,
	       uint64_t bytes)
{
	gb_string_raw(b, name);
	gb_u32_raw(b, 1);
	gb_u64_raw(b, columns);
	place(b, type, bytes);
}

void gb_finish_header(struct gguf_builder *b)
{
	static const uint8_t zeros[ALIGNMENT];

	gb_raw(b, zeros, (ALIGNMENT - b->size % ALIGNMENT) % ALIGNMENT);
	memcpy(b->bytes + 8, &b->tensors, 8);
	memcpy(b->bytes + 16, &b->entries, 8);
}

void gb_finish(struct gguf_builder *b)
{
	static const uint8_t zeros[ALIGNMENT];
	uint64_t left;

	gb_finish_header(b);
	for (left = b->data_bytes; left; left -= ALIGNMENT)
		gb_raw(b, zeros, ALIGNMENT);
}
