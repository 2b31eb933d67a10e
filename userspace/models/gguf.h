/* SPDX-License-Identifier: MIT */
/*
 * Reads GGUF files, versions 2 and 3, little-endian: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 *
 * The file is mapped, not read; strings and tensor data point into the mapping and live as long as
 * the struct hm_gguf. Everything is checked when the file is opened, so that accessors cannot run out of the
 * file. All functions are thread-safe on an open file.
 */
#ifndef HEARTH_HM_GGUF_H
#define HEARTH_HM_GGUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hm_error.h"

#define HM_GGUF_MAX_DIMS 4

enum hm_gguf_type {
	HM_GGUF_U8 = 0,
	HM_GGUF_I8 = 1,
	HM_GGUF_U16 = 2,
	HM_GGUF_I16 = 3,
	HM_GGUF_U32 = 4,
	HM_GGUF_I32 = 5,
	HM_GGUF_F32 = 6,
	HM_GGUF_BOOL = 7,
	HM_GGUF_STRING = 8,
	HM_GGUF_ARRAY = 9,
	HM_GGUF_U64 = 10,
	HM_GGUF_I64 = 11,
	HM_GGUF_F64 = 12,
};

/* Not zero-terminated. */
struct hm_string {
	const char *bytes;
	size_t length;
};

/* One metadata entry. For arrays, @type is that of the elements; strings have been walked once. */
struct hm_gguf_entry {
	struct hm_string key;
	enum hm_gguf_type type;
	bool is_array;
	uint64_t count; /* 1 if not an array */
	const uint8_t *data;
};

/*
 * A tensor: @dims[0] is the row length (GGUF's order). @type: GGUF's number of the element type, one
 * that hm_gguf_type_name() knows.
 */
struct hm_gguf_tensor {
	struct hm_string name;
	uint32_t n_dims;
	uint64_t dims[HM_GGUF_MAX_DIMS]; /* unused ones are 1 */
	uint32_t type;
	uint64_t bytes;
	const uint8_t *data;
};

struct hm_gguf;

/* Errors: -ENOENT and others of open(2), -EINVAL for a file that breaks the format, -ENOMEM. */
int hm_gguf_open(const char *path, struct hm_gguf **gguf, struct hm_error *error);
/* The same over memory that the caller keeps; @name stands in messages. */
int hm_gguf_open_memory(const char *name, const void *data, size_t size, struct hm_gguf **gguf,
			struct hm_error *error);
void hm_gguf_close(struct hm_gguf *gguf);

const char *hm_gguf_name(const struct hm_gguf *gguf);
uint64_t hm_gguf_file_bytes(const struct hm_gguf *gguf);

const struct hm_gguf_entry *hm_gguf_find(const struct hm_gguf *gguf, const char *key);

/*
 * One value of any integer (or float) type. Returns 0; -ENOENT with *value unchanged if the key is
 * missing (and, if @required, a message); -EINVAL if it has another type or does not fit.
 */
int hm_gguf_u32(const struct hm_gguf *gguf, const char *key, bool required, uint32_t *value,
		struct hm_error *error);
int hm_gguf_f32(const struct hm_gguf *gguf, const char *key, bool required, float *value,
		struct hm_error *error);
int hm_gguf_bool(const struct hm_gguf *gguf, const char *key, bool required, bool *value,
		 struct hm_error *error);
int hm_gguf_string(const struct hm_gguf *gguf, const char *key, bool required,
		   struct hm_string *value, struct hm_error *error);

/* Array with elements of @type: 0 and the entry, -ENOENT or -EINVAL as above. */
int hm_gguf_array(const struct hm_gguf *gguf, const char *key, enum hm_gguf_type type,
		  bool required, const struct hm_gguf_entry **entry, struct hm_error *error);
/* The string at *@cursor of an array of strings, which then points to the next one; start at entry->data. */
struct hm_string hm_gguf_next_string(const uint8_t **cursor);

uint64_t hm_gguf_tensor_count(const struct hm_gguf *gguf);
const struct hm_gguf_tensor *hm_gguf_tensor_at(const struct hm_gguf *gguf, uint64_t index);
const struct hm_gguf_tensor *hm_gguf_find_tensor(const struct hm_gguf *gguf, const char *name);

/* "F32", "Q4_K", …; NULL for unknown numbers. */
const char *hm_gguf_type_name(uint32_t type);

#endif /* HEARTH_HM_GGUF_H */
