/* SPDX-License-Identifier: MIT */
/*
 * What a backend plugin and libggml agree on beyond ggml's public headers, for version 3 of that agreement: the
 * tables that a plugin fills. The loader refuses a plugin of another version.
 *
 * Functions that this plugin leaves out are declared as hg_unused_fn: they are optional, and NULL.
 */
#ifndef HEARTH_GGML_ABI_3_H
#define HEARTH_GGML_ABI_3_H

#include <ggml-backend.h>
#include <ggml.h>

#define HG_ABI_VERSION 3

typedef void (*hg_unused_fn)(void);

/* ---- Kinds of memory ---- */

struct ggml_backend_buffer_type_i {
	const char *(*get_name)(ggml_backend_buffer_type_t type);
	ggml_backend_buffer_t (*alloc_buffer)(ggml_backend_buffer_type_t type, size_t bytes);
	hg_unused_fn alloc_buffer_n;
	size_t (*get_alignment)(ggml_backend_buffer_type_t type);
	size_t (*get_max_size)(ggml_backend_buffer_type_t type);
	hg_unused_fn get_alloc_size;
	hg_unused_fn get_alloc_size_n;
	hg_unused_fn is_host;
};

struct ggml_backend_buffer_type {
	struct ggml_backend_buffer_type_i iface;
	ggml_backend_dev_t device;
	void *context;
};

/* ---- Buffers; offsets are from the tensor's start ---- */

struct ggml_backend_buffer_i {
	void (*free_buffer)(ggml_backend_buffer_t buffer);
	void *(*get_base)(ggml_backend_buffer_t buffer);
	hg_unused_fn init_tensor;
	void (*memset_tensor)(ggml_backend_buffer_t buffer, struct ggml_tensor *tensor,
			      uint8_t value, size_t offset, size_t bytes);
	void (*set_tensor)(ggml_backend_buffer_t buffer, struct ggml_tensor *tensor,
			   const void *data, size_t offset, size_t bytes);
	void (*get_tensor)(ggml_backend_buffer_t buffer, const struct ggml_tensor *tensor,
			   void *data, size_t offset, size_t bytes);
	hg_unused_fn set_tensor_2d;
	hg_unused_fn get_tensor_2d;
	hg_unused_fn cpy_tensor;
	void (*clear)(ggml_backend_buffer_t buffer, uint8_t value);
	hg_unused_fn reset;
};

/* Made by libggml with this function, freed by it after free_buffer(). */
GGML_API ggml_backend_buffer_t ggml_backend_buffer_init(ggml_backend_buffer_type_t type,
							struct ggml_backend_buffer_i iface,
							void *context, size_t bytes);

struct ggml_backend_buffer {
	struct ggml_backend_buffer_i iface;
	ggml_backend_buffer_type_t buft;
	void *context;
	size_t size;
	enum ggml_backend_buffer_usage usage;
};

/* ---- Backends: a device as one caller uses it ---- */

struct ggml_backend_i {
	const char *(*get_name)(ggml_backend_t backend);
	void (*free)(ggml_backend_t backend);
	hg_unused_fn set_tensor_async;
	hg_unused_fn get_tensor_async;
	hg_unused_fn set_tensor_2d_async;
	hg_unused_fn get_tensor_2d_async;
	hg_unused_fn cpy_tensor_async;
	hg_unused_fn synchronize;
	hg_unused_fn graph_plan_create;
	hg_unused_fn graph_plan_free;
	hg_unused_fn graph_plan_update;
	hg_unused_fn graph_plan_compute;
	enum ggml_status (*graph_compute)(ggml_backend_t backend, struct ggml_cgraph *graph);
	hg_unused_fn event_record;
	hg_unused_fn event_wait;
	hg_unused_fn graph_optimize;
};

struct ggml_backend {
	ggml_guid_t guid;
	struct ggml_backend_i iface;
	ggml_backend_dev_t device;
	void *context;
};

/* ---- Devices ---- */

struct ggml_backend_device_i {
	const char *(*get_name)(ggml_backend_dev_t device);
	const char *(*get_description)(ggml_backend_dev_t device);
	void (*get_memory)(ggml_backend_dev_t device, size_t *free, size_t *total);
	enum ggml_backend_dev_type (*get_type)(ggml_backend_dev_t device);
	void (*get_props)(ggml_backend_dev_t device, struct ggml_backend_dev_props *props);
	ggml_backend_t (*init_backend)(ggml_backend_dev_t device, const char *parameters);
	ggml_backend_buffer_type_t (*get_buffer_type)(ggml_backend_dev_t device);
	hg_unused_fn get_host_buffer_type;
	hg_unused_fn buffer_from_host_ptr;
	bool (*supports_op)(ggml_backend_dev_t device, const struct ggml_tensor *op);
	bool (*supports_buft)(ggml_backend_dev_t device, ggml_backend_buffer_type_t type);
	hg_unused_fn offload_op;
	hg_unused_fn event_new;
	hg_unused_fn event_free;
	hg_unused_fn event_synchronize;
};

struct ggml_backend_device {
	struct ggml_backend_device_i iface;
	ggml_backend_reg_t reg;
	void *context;
};

/* ---- The plugin ---- */

struct ggml_backend_reg_i {
	const char *(*get_name)(ggml_backend_reg_t reg);
	size_t (*get_device_count)(ggml_backend_reg_t reg);
	ggml_backend_dev_t (*get_device)(ggml_backend_reg_t reg, size_t index);
	void *(*get_proc_address)(ggml_backend_reg_t reg, const char *name);
};

struct ggml_backend_reg {
	int api_version;
	struct ggml_backend_reg_i iface;
	void *context;
};

/* What the loader looks up. */
ggml_backend_reg_t ggml_backend_init(void) __attribute__((visibility("default")));
int ggml_backend_score(void) __attribute__((visibility("default")));

#endif /* HEARTH_GGML_ABI_3_H */
