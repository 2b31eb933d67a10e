// SPDX-License-Identifier: MIT
/*
 * Memory of a device, as libggml allocates tensors in it. libggml reckons with addresses: a buffer starts at an
 * address that nothing may read, and a tensor's offset is its distance from there.
 */
#include "hg.h"

#include <stdlib.h>

#define BASE ((char *)HG_ALIGN_BYTES)

/* What libggml has no way to be told of. */
static void fail(const char *what)
{
	hg_hearth_error(what);
	abort();
}

static uint64_t offset_of(const struct ggml_tensor *tensor)
{
	return (uint64_t)((char *)tensor->data - BASE);
}

static void buffer_free(ggml_backend_buffer_t ggml)
{
	struct hg_buffer *buffer = ggml->context;

	hearth_buffer_destroy(buffer->hearth);
	free(buffer);
}

static void *buffer_get_base(ggml_backend_buffer_t ggml)
{
	(void)ggml;
	return BASE;
}

static void buffer_set(ggml_backend_buffer_t ggml, struct ggml_tensor *tensor, const void *data,
		       size_t offset, size_t bytes)
{
	struct hg_buffer *buffer = ggml->context;

	if (hearth_buffer_write(buffer->hearth, offset_of(tensor) + offset, data, bytes) !=
	    HEARTH_OK)
		fail(tensor->name);
}

static void buffer_get(ggml_backend_buffer_t ggml, const struct ggml_tensor *tensor, void *data,
		       size_t offset, size_t bytes)
{
	struct hg_buffer *buffer = ggml->context;

	if (hearth_buffer_read(buffer->hearth, offset_of(tensor) + offset, data, bytes) !=
	    HEARTH_OK)
		fail(tensor->name);
}

static void fill(struct hg_buffer *buffer, uint64_t offset, uint8_t value, uint64_t bytes)
{
	char *map = hearth_buffer_map(buffer->hearth);
	char block[4096];

	if (map) {
		memset(map + offset, value, bytes);
		return;
	}
	memset(block, value, sizeof(block));
	while (bytes) {
		uint64_t part = bytes < sizeof(block) ? bytes : sizeof(block);

		if (hearth_buffer_write(buffer->hearth, offset, block, part) != HEARTH_OK)
			fail("filling a buffer");
		offset += part;
		bytes -= part;
	}
}

static void buffer_memset(ggml_backend_buffer_t ggml, struct ggml_tensor *tensor, uint8_t value,
			  size_t offset, size_t bytes)
{
	fill(ggml->context, offset_of(tensor) + offset, value, bytes);
}

static void buffer_clear(ggml_backend_buffer_t ggml, uint8_t value)
{
	fill(ggml->context, 0, value, ggml->size);
}

static const struct ggml_backend_buffer_i buffer_iface = {
	.free_buffer = buffer_free,
	.get_base = buffer_get_base,
	.memset_tensor = buffer_memset,
	.set_tensor = buffer_set,
	.get_tensor = buffer_get,
	.clear = buffer_clear,
};

static const char *memory_get_name(ggml_backend_buffer_type_t type)
{
	return ((struct hg_device *)type->context)->name;
}

static ggml_backend_buffer_t memory_alloc(ggml_backend_buffer_type_t type, size_t bytes)
{
	static uint64_t next_id;
	struct hg_device *device = type->context;
	struct hearth_device *hearth = hg_device_open(device);
	ggml_backend_buffer_t ggml;
	struct hg_buffer *buffer;
	uint64_t whole;

	/* Bindings end on whole units. */
	if (!hearth || __builtin_add_overflow(bytes, (size_t)HG_ALIGN_BYTES, &whole))
		return NULL;
	buffer = calloc(1, sizeof(*buffer));
	if (!buffer)
		return NULL;
	whole -= whole % HG_ALIGN_BYTES;
	if (hearth_buffer_create(hearth, whole, HEARTH_BUFFER_DEVICE, &buffer->hearth) !=
	    HEARTH_OK) {
		hg_hearth_error(device->name);
		free(buffer);
		return NULL;
	}
	buffer->id = __atomic_add_fetch(&next_id, 1, __ATOMIC_RELAXED);
	ggml = ggml_backend_buffer_init(type, buffer_iface, buffer, bytes);
	if (!ggml) {
		hearth_buffer_destroy(buffer->hearth);
		free(buffer);
	}
	return ggml;
}

static size_t memory_get_alignment(ggml_backend_buffer_type_t type)
{
	(void)type;
	return HG_ALIGN_BYTES;
}

static size_t memory_get_max_size(ggml_backend_buffer_type_t type)
{
	const struct hg_device *device = type->context;

	return device->properties.max_buffer_bytes - HG_ALIGN_BYTES;
}

void hg_memory_init(struct hg_device *device)
{
	device->memory = (struct ggml_backend_buffer_type){
		.iface = {
			.get_name = memory_get_name,
			.alloc_buffer = memory_alloc,
			.get_alignment = memory_get_alignment,
			.get_max_size = memory_get_max_size,
		},
		.device = &device->ggml,
		.context = device,
	};
}

const struct hg_buffer *hg_tensor_buffer(const struct hg_device *device,
					 const struct ggml_tensor *tensor, uint64_t *offset)
{
	ggml_backend_buffer_t ggml = tensor->view_src ? tensor->view_src->buffer : tensor->buffer;

	if (!ggml || ggml->buft != &device->memory || !tensor->data)
		return NULL;
	*offset = offset_of(tensor);
	return ggml->context;
}
