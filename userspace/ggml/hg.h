/* SPDX-License-Identifier: MIT */
/*
 * What the files of the ggml plugin share.
 *
 * A graph becomes a plan: one struct hg_call for each kernel to run, holding all that the kernel needs. A plan
 * is recorded and submitted; a graph whose plan equals the one before is submitted again without recording.
 */
#ifndef HEARTH_GGML_HG_H
#define HEARTH_GGML_HG_H

#include <pthread.h>
#include <string.h>

#include <hearth.h>

#include "ggml_abi_3.h"

#define HG_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define HG_MAX_TENSORS	6 /* of one call */
#define HG_MAX_SPEC	7 /* specialization constants of a kernel */
#define HG_TENSOR_WORDS 9 /* TENSOR_WORDS in shaders/ggml/ggml.glsl */
#define HG_SLOT_BYTES \
	512 /* parameters of a call; a multiple of any device's alignment of bindings */
#define HG_ALIGN_BYTES \
	256 /* of tensors in buffers, and of bindings; Vulkan allows devices no more */
#define HG_LOCAL \
	64 /* invocations of a work-group; shaders/ggml/ggml_matmul.comp wants this number */
#define HG_MAX_GROUPS 65535

void hg_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same with what libhearth said last. */
void hg_hearth_error(const char *what);

/* ---- hg_device.c ---- */

struct hg_kernel;

struct hg_device {
	struct ggml_backend_device ggml;
	struct ggml_backend_buffer_type memory;
	struct hearth_instance *instance;
	uint32_t index;
	struct hearth_device_properties properties;
	char name[32];
	pthread_mutex_t lock;	      /* protects all below */
	struct hearth_device *hearth; /* made on first use */
	struct hg_kernel *kernels;
};

/* NULL, with a message, if the device cannot be had. */
struct hearth_device *hg_device_open(struct hg_device *device);

/* ---- hg_buffer.c ---- */

struct hg_buffer {
	struct hearth_buffer *hearth;
	uint64_t id; /* no two buffers of a process have the same */
};

void hg_memory_init(struct hg_device *device);
/* The buffer of a tensor and where in it the tensor starts; NULL if it is none of this device's. */
const struct hg_buffer *hg_tensor_buffer(const struct hg_device *device,
					 const struct ggml_tensor *tensor, uint64_t *offset);

/* ---- hg_kernel.c ---- */

enum hg_shader {
	HG_SHADER_MAP,
	HG_SHADER_REDUCE,
	HG_SHADER_ROWS,
	HG_SHADER_ROPE,
	HG_SHADER_MATMUL,
	HG_SHADER_MATVEC,
	HG_SHADER_ATTENTION,
	HG_SHADER_ARGSORT,
	HG_SHADER_COUNT,
	HG_RUNTIME_MATMUL = HG_SHADER_COUNT, /* libhearth's own */
	HG_RUNTIME_EXPERTS,
};

struct hg_view {
	struct hearth_view hearth;
	uint64_t buffer_id;
};

/* Compared byte by byte: made by hg_plan_add(), which clears it. */
struct hg_call {
	enum hg_shader shader;
	uint32_t spec_count;
	uint32_t spec[HG_MAX_SPEC + 1]; /* [0] is the local size */
	uint32_t tensor_count;
	struct hg_view views[HG_MAX_TENSORS];
	uint32_t words[HG_SLOT_BYTES / 4];
	uint32_t word_count;
	uint32_t groups[2];
	/* For libhearth's own; views are weights, activations, results, and for experts which of them are chosen. */
	uint32_t type, rows, columns, vectors;
	uint32_t experts, used, chosen_stride, own_vectors;
};

/* The kernel of a call; NULL, with a message, if it cannot be made. */
struct hearth_kernel *hg_kernel_get(struct hg_device *device, const struct hg_call *call);
/* Buffers of a shader, its parameters included. */
uint32_t hg_shader_buffers(enum hg_shader shader);

/* ---- hg_plan.c ---- */

struct hg_plan {
	struct hg_device *device;
	struct hg_call *calls;
	uint32_t count;
	uint32_t capacity;
	bool failed; /* an addition failed, with a message */
};

/* A cleared call; NULL if the plan has failed. */
struct hg_call *hg_plan_add(struct hg_plan *plan, enum hg_shader shader);
/* The next tensor of the call; NULL for one that the call's variant does not look at. */
void hg_call_tensor(struct hg_plan *plan, struct hg_call *call, const struct ggml_tensor *tensor);
/* The next specialization constant, the next word behind the tensors. */
void hg_call_spec(struct hg_call *call, uint32_t value);
void hg_call_word(struct hg_call *call, uint32_t value);
void hg_call_float(struct hg_call *call, float value);
/* The grid; more than a device can have is cut, as kernels take several turns then. */
void hg_call_groups(struct hg_call *call, uint64_t x, uint64_t y);
/* The same for kernels that take rows in stretches; sets the stretch. */
void hg_call_rows(struct hg_call *call, int64_t columns, int64_t rows);

static inline float hg_op_float(const struct ggml_tensor *op, int index)
{
	float value;

	memcpy(&value, &op->op_params[index], sizeof(value));
	return value;
}

/* ---- Operations: what is claimed, and how it is done ---- */

struct hg_op {
	enum ggml_op op;
	const char *
		name; /* as libggml names it: a libggml that numbers operations otherwise is refused */
	bool (*check)(const struct hg_device *device, const struct ggml_tensor *op);
	void (*plan)(struct hg_plan *plan, const struct ggml_tensor *op);
};

/* NULL if the operation is not one of the plugin's. */
const struct hg_op *hg_op_find(enum ggml_op op);
/* That libggml's numbers are those of the headers that the plugin was built with. */
bool hg_ops_verify(void);
bool hg_op_supported(const struct hg_device *device, const struct ggml_tensor *op);

/* Two bytes or four. */
static inline bool hg_is_float(const struct ggml_tensor *tensor)
{
	return tensor->type == GGML_TYPE_F32 || tensor->type == GGML_TYPE_F16;
}

/* What read_name() in shaders/ggml/ggml.glsl decodes. */
static inline bool hg_is_readable(const struct ggml_tensor *tensor)
{
	return hg_is_float(tensor) || tensor->type == GGML_TYPE_Q8_0 ||
	       tensor->type == GGML_TYPE_Q4_0;
}

bool hg_same_shape(const struct ggml_tensor *a, const struct ggml_tensor *b);
/* Whether @a repeated a whole number of times along each dimension has the shape of @b. */
bool hg_repeats_to(const struct ggml_tensor *a, const struct ggml_tensor *b);

/* hg_elementwise.c */
bool hg_check_map(const struct hg_device *device, const struct ggml_tensor *op);
void hg_plan_map(struct hg_plan *plan, const struct ggml_tensor *op);
bool hg_check_concat(const struct hg_device *device, const struct ggml_tensor *op);
void hg_plan_concat(struct hg_plan *plan, const struct ggml_tensor *op);
/* hg_rows.c */
bool hg_check_reduce(const struct hg_device *device, const struct ggml_tensor *op);
void hg_plan_reduce(struct hg_plan *plan, const struct ggml_tensor *op);
bool hg_check_rows(const struct hg_device *device, const struct ggml_tensor *op);
void hg_plan_rows(struct hg_plan *plan, const struct ggml_tensor *op);
bool hg_check_argsort(const struct hg_device *device, const struct ggml_tensor *op);
void hg_plan_argsort(struct hg_plan *plan, const struct ggml_tensor *op);
bool hg_check_rope(const struct hg_device *device, const struct ggml_tensor *op);
void hg_plan_rope(struct hg_plan *plan, const struct ggml_tensor *op);
/* hg_matmul.c */
bool hg_check_matmul(const struct hg_device *device, const struct ggml_tensor *op);
void hg_plan_matmul(struct hg_plan *plan, const struct ggml_tensor *op);
bool hg_check_attention(const struct hg_device *device, const struct ggml_tensor *op);
void hg_plan_attention(struct hg_plan *plan, const struct ggml_tensor *op);

/* The slope of attention's linear bias: three words for the kernels, from the number of heads. */
void hg_call_slopes(struct hg_call *call, float max_bias, int64_t heads);

/* ---- hg_backend.c ---- */

ggml_backend_t hg_backend_create(struct hg_device *device);

#endif /* HEARTH_GGML_HG_H */
