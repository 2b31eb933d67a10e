// SPDX-License-Identifier: MIT
/*
 * GGUF reader. A file is hostile until every length in it has been compared with what is left of the
 * file; only then is anything allocated, and never more than the file's own size could justify.
 */
#include "gguf.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define GGUF_MAGIC	    0x46554747u /* "GGUF" */
#define GGUF_ALIGNMENT	    32u
#define GGUF_MAX_KEY_BYTES  65535u
#define GGUF_MIN_KV_BYTES   (8 + 4 + 1)
#define GGUF_MIN_INFO_BYTES (8 + 4 + 8 + 4 + 8)

struct hm_gguf {
	char *name;
	const uint8_t *data;
	size_t size;
	bool mapped;
	uint64_t entry_count;
	struct hm_gguf_entry *entries;
	uint64_t tensor_count;
	struct hm_gguf_tensor *tensors;
	struct hm_gguf_tensor **by_name; /* sorted */
};

/* Elements and bytes of a block of each element type; 0 bytes: the type has been removed from GGUF. */
static const struct {
	const char *name;
	uint16_t block;
	uint16_t bytes;
} tensor_types[] = {
	[0] = { "F32", 1, 4 },	       [1] = { "F16", 1, 2 },	      [2] = { "Q4_0", 32, 18 },
	[3] = { "Q4_1", 32, 20 },      [6] = { "Q5_0", 32, 22 },      [7] = { "Q5_1", 32, 24 },
	[8] = { "Q8_0", 32, 34 },      [9] = { "Q8_1", 32, 36 },      [10] = { "Q2_K", 256, 84 },
	[11] = { "Q3_K", 256, 110 },   [12] = { "Q4_K", 256, 144 },   [13] = { "Q5_K", 256, 176 },
	[14] = { "Q6_K", 256, 210 },   [15] = { "Q8_K", 256, 292 },   [16] = { "IQ2_XXS", 256, 66 },
	[17] = { "IQ2_XS", 256, 74 },  [18] = { "IQ3_XXS", 256, 98 }, [19] = { "IQ1_S", 256, 50 },
	[20] = { "IQ4_NL", 32, 18 },   [21] = { "IQ3_S", 256, 110 },  [22] = { "IQ2_S", 256, 82 },
	[23] = { "IQ4_XS", 256, 136 }, [24] = { "I8", 1, 1 },	      [25] = { "I16", 1, 2 },
	[26] = { "I32", 1, 4 },	       [27] = { "I64", 1, 8 },	      [28] = { "F64", 1, 8 },
	[29] = { "IQ1_M", 256, 56 },   [30] = { "BF16", 1, 2 },	      [34] = { "TQ1_0", 256, 54 },
	[35] = { "TQ2_0", 256, 66 },   [39] = { "MXFP4", 32, 17 },
};

const char *hm_gguf_type_name(uint32_t type)
{
	return type < sizeof(tensor_types) / sizeof(tensor_types[0]) ? tensor_types[type].name
								     : NULL;
}

static const uint8_t value_bytes[] = {
	[HM_GGUF_U8] = 1,  [HM_GGUF_I8] = 1,  [HM_GGUF_U16] = 2, [HM_GGUF_I16] = 2,
	[HM_GGUF_U32] = 4, [HM_GGUF_I32] = 4, [HM_GGUF_F32] = 4, [HM_GGUF_BOOL] = 1,
	[HM_GGUF_U64] = 8, [HM_GGUF_I64] = 8, [HM_GGUF_F64] = 8,
};

static const char *const value_names[] = {
	[HM_GGUF_U8] = "u8",	   [HM_GGUF_I8] = "i8",	    [HM_GGUF_U16] = "u16",
	[HM_GGUF_I16] = "i16",	   [HM_GGUF_U32] = "u32",   [HM_GGUF_I32] = "i32",
	[HM_GGUF_F32] = "f32",	   [HM_GGUF_BOOL] = "bool", [HM_GGUF_STRING] = "string",
	[HM_GGUF_ARRAY] = "array", [HM_GGUF_U64] = "u64",   [HM_GGUF_I64] = "i64",
	[HM_GGUF_F64] = "f64",
};

/* Where the parser stands. @what names the field for messages. */
struct reader {
	const struct hm_gguf *gguf;
	size_t offset;
	struct hm_error *error;
};

static size_t left(const struct reader *r)
{
	return r->gguf->size - r->offset;
}

static int truncated(struct reader *r, const char *what, uint64_t need)
{
	return hm_fail(r->error, -EINVAL,
		       "%s: %s at byte %zu: needs %" PRIu64 " bytes, the file has %zu left",
		       r->gguf->name, what, r->offset, need, left(r));
}

static int read_u32(struct reader *r, const char *what, uint32_t *value)
{
	if (left(r) < sizeof(*value))
		return truncated(r, what, sizeof(*value));
	memcpy(value, r->gguf->data + r->offset, sizeof(*value));
	r->offset += sizeof(*value);
	return 0;
}

static int read_u64(struct reader *r, const char *what, uint64_t *value)
{
	if (left(r) < sizeof(*value))
		return truncated(r, what, sizeof(*value));
	memcpy(value, r->gguf->data + r->offset, sizeof(*value));
	r->offset += sizeof(*value);
	return 0;
}

static int read_string(struct reader *r, const char *what, struct hm_string *string)
{
	uint64_t length = 0;
	int ret = read_u64(r, what, &length);

	if (ret)
		return ret;
	if (length > left(r))
		return truncated(r, what, length);
	string->bytes = (const char *)r->gguf->data + r->offset;
	string->length = (size_t)length;
	r->offset += string->length;
	return 0;
}

/* Steps over @count values of @type and leaves their start in @data. */
static int skip_values(struct reader *r, const char *what, uint32_t type, uint64_t count,
		       const uint8_t **data)
{
	struct hm_string string;
	uint64_t i;
	int ret;

	*data = r->gguf->data + r->offset;
	if (type == HM_GGUF_STRING) {
		/* Every string has at least its length; so a made-up count ends soon. */
		if (count > left(r) / sizeof(uint64_t))
			return truncated(r, what, count);
		for (i = 0; i < count; i++) {
			ret = read_string(r, what, &string);
			if (ret)
				return ret;
		}
		return 0;
	}
	if (count > left(r) / value_bytes[type])
		return truncated(r, what, count);
	r->offset += (size_t)count * value_bytes[type];
	return 0;
}

static bool known_value_type(uint32_t type)
{
	return type <= HM_GGUF_F64 && type != HM_GGUF_ARRAY;
}

static int read_entry(struct reader *r, struct hm_gguf_entry *entry)
{
	char what[96];
	uint32_t type = 0;
	int ret;

	ret = read_string(r, "metadata key", &entry->key);
	if (ret)
		return ret;
	if (!entry->key.length || entry->key.length > GGUF_MAX_KEY_BYTES)
		return hm_fail(r->error, -EINVAL,
			       "%s: metadata key before byte %zu: length %zu, expected 1 to %u",
			       r->gguf->name, r->offset, entry->key.length, GGUF_MAX_KEY_BYTES);
	snprintf(what, sizeof(what), "metadata %.*s",
		 (int)(entry->key.length < 64 ? entry->key.length : 64), entry->key.bytes);
	ret = read_u32(r, what, &type);
	if (ret)
		return ret;
	entry->is_array = type == HM_GGUF_ARRAY;
	entry->count = 1;
	if (entry->is_array) {
		ret = read_u32(r, what, &type);
		if (!ret)
			ret = read_u64(r, what, &entry->count);
		if (ret)
			return ret;
	}
	if (!known_value_type(type))
		return hm_fail(r->error, -EINVAL,
			       "%s: %s: value type %u is not known (expected 0 to 12%s)",
			       r->gguf->name, what, type,
			       entry->is_array ? ", no nested array" : "");
	entry->type = (enum hm_gguf_type)type;
	return skip_values(r, what, type, entry->count, &entry->data);
}

/* Dimensions, type and data offset of one tensor; its data is placed later. */
static int read_tensor_info(struct reader *r, struct hm_gguf_tensor *tensor, uint64_t *offset)
{
	uint64_t elements = 1;
	char what[96];
	uint32_t i;
	int ret;

	ret = read_string(r, "tensor name", &tensor->name);
	if (ret)
		return ret;
	snprintf(what, sizeof(what), "tensor %.*s",
		 (int)(tensor->name.length < 64 ? tensor->name.length : 64), tensor->name.bytes);
	ret = read_u32(r, what, &tensor->n_dims);
	if (ret)
		return ret;
	if (!tensor->n_dims || tensor->n_dims > HM_GGUF_MAX_DIMS)
		return hm_fail(r->error, -EINVAL, "%s: %s: %u dimensions, expected 1 to %u",
			       r->gguf->name, what, tensor->n_dims, HM_GGUF_MAX_DIMS);
	for (i = 0; i < HM_GGUF_MAX_DIMS; i++) {
		tensor->dims[i] = 1;
		if (i >= tensor->n_dims)
			continue;
		ret = read_u64(r, what, &tensor->dims[i]);
		if (ret)
			return ret;
		if (!tensor->dims[i] || tensor->dims[i] > UINT32_MAX ||
		    __builtin_mul_overflow(elements, tensor->dims[i], &elements) ||
		    elements > INT64_MAX)
			return hm_fail(r->error, -EINVAL,
				       "%s: %s: dimension %u is %" PRIu64
				       ", expected 1 to 2^32 - 1 and a product below 2^63",
				       r->gguf->name, what, i, tensor->dims[i]);
	}
	ret = read_u32(r, what, &tensor->type);
	if (!ret)
		ret = read_u64(r, what, offset);
	if (ret)
		return ret;
	if (!hm_gguf_type_name(tensor->type))
		return hm_fail(r->error, -EINVAL, "%s: %s: element type %u is not known",
			       r->gguf->name, what, tensor->type);
	if (tensor->dims[0] % tensor_types[tensor->type].block)
		return hm_fail(r->error, -EINVAL,
			       "%s: %s: row of %" PRIu64
			       " elements, expected a multiple of %s's %u",
			       r->gguf->name, what, tensor->dims[0],
			       hm_gguf_type_name(tensor->type), tensor_types[tensor->type].block);
	if (__builtin_mul_overflow(elements / tensor_types[tensor->type].block,
				   tensor_types[tensor->type].bytes, &tensor->bytes))
		return hm_fail(r->error, -EINVAL, "%s: %s: too large", r->gguf->name, what);
	return 0;
}

static int compare_strings(struct hm_string a, struct hm_string b)
{
	size_t shorter = a.length < b.length ? a.length : b.length;
	int order = memcmp(a.bytes, b.bytes, shorter);

	if (order)
		return order;
	return a.length < b.length ? -1 : a.length > b.length;
}

static int compare_tensors(const void *a, const void *b)
{
	const struct hm_gguf_tensor *const *x = a, *const *y = b;

	return compare_strings((*x)->name, (*y)->name);
}

static int place_tensors(struct reader *r, const uint64_t *offsets, uint32_t alignment)
{
	struct hm_gguf *gguf = (struct hm_gguf *)r->gguf;
	uint64_t start = ((uint64_t)r->offset + alignment - 1) / alignment * alignment;
	uint64_t i, room;

	if (gguf->tensor_count && start > gguf->size)
		return truncated(r, "tensor data", alignment);
	room = gguf->size - start;
	for (i = 0; i < gguf->tensor_count; i++) {
		struct hm_gguf_tensor *tensor = &gguf->tensors[i];

		if (offsets[i] % alignment)
			return hm_fail(r->error, -EINVAL,
				       "%s: tensor %.*s: offset %" PRIu64
				       ", expected a multiple of %u",
				       gguf->name, (int)tensor->name.length, tensor->name.bytes,
				       offsets[i], alignment);
		if (offsets[i] > room || tensor->bytes > room - offsets[i])
			return hm_fail(r->error, -EINVAL,
				       "%s: tensor %.*s: %" PRIu64 " bytes at offset %" PRIu64
				       " lie outside the file's %" PRIu64 " bytes of tensor data",
				       gguf->name, (int)tensor->name.length, tensor->name.bytes,
				       tensor->bytes, offsets[i], room);
		tensor->data = gguf->data + start + offsets[i];
		gguf->by_name[i] = tensor;
	}
	qsort(gguf->by_name, gguf->tensor_count, sizeof(*gguf->by_name), compare_tensors);
	for (i = 1; i < gguf->tensor_count; i++) {
		const struct hm_gguf_tensor *tensor = gguf->by_name[i];

		if (!compare_strings(tensor->name, gguf->by_name[i - 1]->name))
			return hm_fail(r->error, -EINVAL,
				       "%s: tensor %.*s: stands in the file twice", gguf->name,
				       (int)tensor->name.length, tensor->name.bytes);
	}
	return 0;
}

static int read_header(struct reader *r)
{
	struct hm_gguf *gguf = (struct hm_gguf *)r->gguf;
	uint32_t magic = 0, version = 0;
	int ret;

	ret = read_u32(r, "magic", &magic);
	if (ret)
		return ret;
	if (magic != GGUF_MAGIC)
		return hm_fail(r->error, -EINVAL,
			       "%s: magic is 0x%08x, expected 0x%08x (a GGUF file)", gguf->name,
			       magic, GGUF_MAGIC);
	ret = read_u32(r, "version", &version);
	if (ret)
		return ret;
	if (version != 2 && version != 3)
		return hm_fail(r->error, -EINVAL, "%s: version is %u, expected 2 or 3%s",
			       gguf->name, version,
			       version & 0xffff ? "" : " (big-endian files are not read)");
	ret = read_u64(r, "tensor count", &gguf->tensor_count);
	if (!ret)
		ret = read_u64(r, "metadata count", &gguf->entry_count);
	if (ret)
		return ret;
	/* What the file could hold at most bounds the allocations. */
	if (gguf->entry_count > left(r) / GGUF_MIN_KV_BYTES)
		return hm_fail(r->error, -EINVAL,
			       "%s: metadata count is %" PRIu64
			       ", more than the file's %zu bytes can hold",
			       gguf->name, gguf->entry_count, gguf->size);
	if (gguf->tensor_count > left(r) / GGUF_MIN_INFO_BYTES)
		return hm_fail(r->error, -EINVAL,
			       "%s: tensor count is %" PRIu64
			       ", more than the file's %zu bytes can hold",
			       gguf->name, gguf->tensor_count, gguf->size);
	return 0;
}

static int parse(struct hm_gguf *gguf, struct hm_error *error)
{
	struct reader r = { .gguf = gguf, .error = error };
	uint32_t alignment = GGUF_ALIGNMENT;
	uint64_t *offsets = NULL;
	uint64_t i;
	int ret;

	ret = read_header(&r);
	if (ret)
		return ret;
	/* One more than needed: an allocation of 0 bytes may be NULL. */
	gguf->entries = calloc((size_t)gguf->entry_count + 1, sizeof(*gguf->entries));
	gguf->tensors = calloc((size_t)gguf->tensor_count + 1, sizeof(*gguf->tensors));
	gguf->by_name = calloc((size_t)gguf->tensor_count + 1, sizeof(*gguf->by_name));
	offsets = calloc((size_t)gguf->tensor_count + 1, sizeof(*offsets));
	if (!gguf->entries || !gguf->tensors || !gguf->by_name || !offsets) {
		ret = hm_fail(error, -ENOMEM, "%s: out of memory", gguf->name);
		goto out;
	}
	for (i = 0; i < gguf->entry_count; i++) {
		ret = read_entry(&r, &gguf->entries[i]);
		if (ret)
			goto out;
	}
	ret = hm_gguf_u32(gguf, "general.alignment", false, &alignment, error);
	if (ret && ret != -ENOENT)
		goto out;
	if (!alignment || alignment % 8 || alignment > 1u << 20) {
		ret = hm_fail(error, -EINVAL,
			      "%s: general.alignment is %u, expected a multiple of 8 up to 2^20",
			      gguf->name, alignment);
		goto out;
	}
	for (i = 0; i < gguf->tensor_count; i++) {
		ret = read_tensor_info(&r, &gguf->tensors[i], &offsets[i]);
		if (ret)
			goto out;
	}
	ret = place_tensors(&r, offsets, alignment);
out:
	free(offsets);
	return ret;
}

static int open_data(const char *name, const void *data, size_t size, bool mapped,
		     struct hm_gguf **out, struct hm_error *error)
{
	struct hm_gguf *gguf = calloc(1, sizeof(*gguf));
	int ret;

	*out = NULL;
	if (gguf) {
		gguf->data = data;
		gguf->size = size;
		gguf->mapped = mapped;
		gguf->name = strdup(name);
	}
	if (!gguf || !gguf->name) {
		free(gguf);
		if (mapped)
			munmap((void *)data, size);
		return hm_fail(error, -ENOMEM, "%s: out of memory", name);
	}
	ret = parse(gguf, error);
	if (ret) {
		hm_gguf_close(gguf);
		return ret;
	}
	*out = gguf;
	return 0;
}

int hm_gguf_open_memory(const char *name, const void *data, size_t size, struct hm_gguf **gguf,
			struct hm_error *error)
{
	return open_data(name, data, size, false, gguf, error);
}

int hm_gguf_open(const char *path, struct hm_gguf **gguf, struct hm_error *error)
{
	struct stat st;
	void *data;
	int fd, ret;

	*gguf = NULL;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return hm_fail(error, -errno, "%s: %s", path, strerror(errno));
	if (fstat(fd, &st)) {
		ret = hm_fail(error, -errno, "%s: %s", path, strerror(errno));
		goto out;
	}
	if (!S_ISREG(st.st_mode) || st.st_size <= 0) {
		ret = hm_fail(error, -EINVAL, "%s: %s, expected a GGUF file", path,
			      S_ISREG(st.st_mode) ? "is empty" : "is not a regular file");
		goto out;
	}
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED) {
		ret = hm_fail(error, -errno, "%s: mmap: %s", path, strerror(errno));
		goto out;
	}
	ret = open_data(path, data, (size_t)st.st_size, true, gguf, error);
out:
	close(fd);
	return ret;
}

void hm_gguf_close(struct hm_gguf *gguf)
{
	if (!gguf)
		return;
	if (gguf->mapped)
		munmap((void *)gguf->data, gguf->size);
	free(gguf->by_name);
	free(gguf->tensors);
	free(gguf->entries);
	free(gguf->name);
	free(gguf);
}

const char *hm_gguf_name(const struct hm_gguf *gguf)
{
	return gguf->name;
}

uint64_t hm_gguf_file_bytes(const struct hm_gguf *gguf)
{
	return gguf->size;
}

const struct hm_gguf_entry *hm_gguf_find(const struct hm_gguf *gguf, const char *key)
{
	size_t length = strlen(key);
	uint64_t i;

	for (i = 0; i < gguf->entry_count; i++) {
		const struct hm_gguf_entry *entry = &gguf->entries[i];

		if (entry->key.length == length && !memcmp(entry->key.bytes, key, length))
			return entry;
	}
	return NULL;
}

static int missing(const struct hm_gguf *gguf, const char *key, bool required,
		   struct hm_error *error)
{
	if (required)
		return hm_fail(error, -ENOENT, "%s: metadata %s: missing", gguf->name, key);
	return -ENOENT;
}

static int wrong_type(const struct hm_gguf *gguf, const struct hm_gguf_entry *entry,
		      const char *key, const char *expected, struct hm_error *error)
{
	return hm_fail(error, -EINVAL, "%s: metadata %s: is %s%s, expected %s", gguf->name, key,
		       entry->is_array ? "array of " : "", value_names[entry->type], expected);
}

/* The scalar as a signed 64-bit number; false for other types and for u64 beyond. */
static bool scalar_integer(const struct hm_gguf_entry *entry, int64_t *value)
{
	union {
		uint8_t u8;
		int8_t i8;
		uint16_t u16;
		int16_t i16;
		uint32_t u32;
		int32_t i32;
		uint64_t u64;
		int64_t i64;
	} v;

	if (entry->is_array || entry->type > HM_GGUF_F64 || entry->type == HM_GGUF_STRING)
		return false;
	memcpy(&v, entry->data, value_bytes[entry->type]);
	switch (entry->type) {
	case HM_GGUF_U8:
		*value = v.u8;
		return true;
	case HM_GGUF_I8:
		*value = v.i8;
		return true;
	case HM_GGUF_U16:
		*value = v.u16;
		return true;
	case HM_GGUF_I16:
		*value = v.i16;
		return true;
	case HM_GGUF_U32:
		*value = v.u32;
		return true;
	case HM_GGUF_I32:
		*value = v.i32;
		return true;
	case HM_GGUF_U64:
		*value = (int64_t)v.u64;
		return v.u64 <= INT64_MAX;
	case HM_GGUF_I64:
		*value = v.i64;
		return true;
	default:
		return false;
	}
}

int hm_gguf_u32(const struct hm_gguf *gguf, const char *key, bool required, uint32_t *value,
		struct hm_error *error)
{
	const struct hm_gguf_entry *entry = hm_gguf_find(gguf, key);
	int64_t wide;

	if (!entry)
		return missing(gguf, key, required, error);
	if (!scalar_integer(entry, &wide))
		return wrong_type(gguf, entry, key, "an integer", error);
	if (wide < 0 || wide > UINT32_MAX)
		return hm_fail(error, -EINVAL,
			       "%s: metadata %s: is %" PRId64 ", expected 0 to 2^32 - 1",
			       gguf->name, key, wide);
	*value = (uint32_t)wide;
	return 0;
}

int hm_gguf_f32(const struct hm_gguf *gguf, const char *key, bool required, float *value,
		struct hm_error *error)
{
	const struct hm_gguf_entry *entry = hm_gguf_find(gguf, key);
	double wide;

	if (!entry)
		return missing(gguf, key, required, error);
	if (!entry->is_array && entry->type == HM_GGUF_F32) {
		memcpy(value, entry->data, sizeof(*value));
	} else if (!entry->is_array && entry->type == HM_GGUF_F64) {
		memcpy(&wide, entry->data, sizeof(wide));
		*value = (float)wide;
	} else {
		return wrong_type(gguf, entry, key, "f32", error);
	}
	if (!isfinite(*value))
		return hm_fail(error, -EINVAL, "%s: metadata %s: is not a finite number",
			       gguf->name, key);
	return 0;
}

int hm_gguf_bool(const struct hm_gguf *gguf, const char *key, bool required, bool *value,
		 struct hm_error *error)
{
	const struct hm_gguf_entry *entry = hm_gguf_find(gguf, key);

	if (!entry)
		return missing(gguf, key, required, error);
	if (entry->is_array || entry->type != HM_GGUF_BOOL)
		return wrong_type(gguf, entry, key, "bool", error);
	if (*entry->data > 1)
		return hm_fail(error, -EINVAL, "%s: metadata %s: is %u, expected 0 or 1",
			       gguf->name, key, *entry->data);
	*value = *entry->data;
	return 0;
}

int hm_gguf_string(const struct hm_gguf *gguf, const char *key, bool required,
		   struct hm_string *value, struct hm_error *error)
{
	const struct hm_gguf_entry *entry = hm_gguf_find(gguf, key);
	const uint8_t *cursor;

	if (!entry)
		return missing(gguf, key, required, error);
	if (entry->is_array || entry->type != HM_GGUF_STRING)
		return wrong_type(gguf, entry, key, "string", error);
	cursor = entry->data;
	*value = hm_gguf_next_string(&cursor);
	return 0;
}

int hm_gguf_array(const struct hm_gguf *gguf, const char *key, enum hm_gguf_type type,
		  bool required, const struct hm_gguf_entry **entry, struct hm_error *error)
{
	char expected[32];

	*entry = hm_gguf_find(gguf, key);
	if (!*entry)
		return missing(gguf, key, required, error);
	if ((*entry)->is_array && (*entry)->type == type)
		return 0;
	snprintf(expected, sizeof(expected), "array of %s", value_names[type]);
	return wrong_type(gguf, *entry, key, expected, error);
}

struct hm_string hm_gguf_next_string(const uint8_t **cursor)
{
	struct hm_string string;
	uint64_t length;

	memcpy(&length, *cursor, sizeof(length));
	string.bytes = (const char *)*cursor + sizeof(length);
	string.length = (size_t)length;
	*cursor += sizeof(length) + string.length;
	return string;
}

uint64_t hm_gguf_tensor_count(const struct hm_gguf *gguf)
{
	return gguf->tensor_count;
}

const struct hm_gguf_tensor *hm_gguf_tensor_at(const struct hm_gguf *gguf, uint64_t index)
{
	return index < gguf->tensor_count ? &gguf->tensors[index] : NULL;
}

const struct hm_gguf_tensor *hm_gguf_find_tensor(const struct hm_gguf *gguf, const char *name)
{
	struct hm_gguf_tensor key = { .name = { name, strlen(name) } };
	struct hm_gguf_tensor *wanted = &key, **found;

	found = bsearch(&wanted, gguf->by_name, gguf->tensor_count, sizeof(*gguf->by_name),
			compare_tensors);
	return found ? *found : NULL;
}
