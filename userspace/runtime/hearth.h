/* SPDX-License-Identifier: MIT */
/*
 * libhearth: the device API. Buffers, kernels, recordings and the operations of a transformer on
 * any Vulkan device.
 *
 * Model: work is recorded once into a hearth_recording and submitted to a hearth_stream as often as
 * wanted; what changes from one run to the next (token ids, positions) lies in buffers that the
 * kernels read. Operations in a recording run in order: each sees the results of those before it.
 *
 * Objects are opaque and belong to the caller, who destroys them in the reverse order of creation; a
 * device must outlive all that was made from it, and a recording its buffers and kernels.
 *
 * Threads: functions on different objects may run at the same time. A recording, and a stream, is
 * used by one thread at a time. hearth_device functions are safe from all threads.
 *
 * Errors: every function that can fail returns enum hearth_status; hearth_last_error() then gives,
 * for the calling thread, a sentence that says what was wrong and what was expected.
 */
#ifndef HEARTH_H
#define HEARTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HEARTH_API_VERSION 1

enum hearth_status {
	HEARTH_OK = 0,
	HEARTH_ERROR_INVALID_ARGUMENT = -1,
	HEARTH_ERROR_OUT_OF_MEMORY = -2, /* of the host */
	HEARTH_ERROR_OUT_OF_DEVICE_MEMORY = -3,
	HEARTH_ERROR_NO_DEVICE = -4,   /* no such device, or no Vulkan driver at all */
	HEARTH_ERROR_UNSUPPORTED = -5, /* the device lacks what is needed; the text names it */
	HEARTH_ERROR_COMPILE = -6,     /* GLSL or SPIR-V was refused */
	HEARTH_ERROR_DEVICE_LOST = -7,
	HEARTH_ERROR_TIMEOUT = -8,
	HEARTH_ERROR_DRIVER = -9, /* any other error of the Vulkan driver */
};

const char *hearth_status_string(enum hearth_status status);
const char *hearth_last_error(void);

struct hearth_instance;
struct hearth_device;
struct hearth_buffer;
struct hearth_kernel;
struct hearth_recording;
struct hearth_stream;

/* ---- Instance and devices ---- */

/*
 * @struct_size: sizeof(struct hearth_instance_info), for all structures of this name form.
 * @extra_drivers: paths of Vulkan driver libraries to use besides those that the loader finds
 *	(through VK_LUNARG_direct_driver_loading); their devices come first. May be NULL.
 * @exclusive: only the devices of @extra_drivers.
 * @log: called with messages of the Vulkan driver and of the layers, from any thread, and with what the runtime leaves unused
 *	and why; may be NULL.
 * Structures that end before @disable are taken too.
 */
struct hearth_instance_info {
	uint32_t struct_size;
	uint32_t extra_driver_count;
	const char *const *extra_drivers;
	bool exclusive;
	void (*log)(void *user, const char *message);
	void *log_user;
	const char *disable; /* as HEARTH_DISABLE in the environment, and besides it; may be NULL */
	bool ignore_verdicts; /* use abilities that were found wrong, too: to find that out */
};

enum hearth_status hearth_instance_create(const struct hearth_instance_info *info,
					  struct hearth_instance **instance);
void hearth_instance_destroy(struct hearth_instance *instance);

enum hearth_device_type {
	HEARTH_DEVICE_OTHER = 0,
	HEARTH_DEVICE_INTEGRATED_GPU = 1,
	HEARTH_DEVICE_DISCRETE_GPU = 2,
	HEARTH_DEVICE_VIRTUAL_GPU = 3,
	HEARTH_DEVICE_CPU = 4,
};

/* What a device is; texts are zero-terminated UTF-8. */
struct hearth_device_properties {
	uint32_t struct_size;
	enum hearth_device_type type;
	char name[256];
	char driver[256]; /* name and version */
	uint8_t uuid[16];
	uint32_t vulkan_version;
	uint32_t vendor_id;
	uint32_t device_id;
	uint64_t memory_bytes; /* of the largest device-local heap */
	uint64_t max_buffer_bytes;
	uint32_t subgroup_size;
	uint32_t max_workgroup_invocations;
	uint32_t shared_memory_bytes; /* of a work-group */
	bool unified_memory;	      /* all device memory is host-visible */
	bool float16;		      /* f16 arithmetic in shaders */
	bool storage16;		      /* 16-bit storage */
	bool storage8;		      /* 8-bit storage */
	bool subgroup_arithmetic;
	uint64_t max_binding_bytes; /* of a buffer, what a kernel can see at once */
	uint8_t driver_uuid[16];
	uint32_t driver_version; /* the driver's own number */
	bool integer_dot;	 /* fast dot products of bytes, for HEARTH_PRECISION_FAST */
};

uint32_t hearth_device_count(const struct hearth_instance *instance);
enum hearth_status hearth_device_get_properties(const struct hearth_instance *instance,
						uint32_t index,
						struct hearth_device_properties *properties);
/*
 * The file that holds what hearth-bench --qualify found of a device with its driver: which abilities compute wrong results, and
 * are left unused. HEARTH_ERROR_UNSUPPORTED if there is no folder for it (HEARTH_CACHE_DIR, XDG_CACHE_HOME or HOME), or if @size
 * bytes are too few.
 */
enum hearth_status hearth_verdict_path(const struct hearth_instance *instance, uint32_t index,
				       char *path, size_t size);
enum hearth_status hearth_device_create(struct hearth_instance *instance, uint32_t index,
					struct hearth_device **device);
void hearth_device_destroy(struct hearth_device *device);

/* ---- Buffers ---- */

enum hearth_buffer_kind {
	HEARTH_BUFFER_DEVICE = 0, /* memory the device computes in */
	HEARTH_BUFFER_SHARED =
		1, /* the same, and always mapped: for small things that change each step */
};

/* Zero-filled. @bytes is rounded up to a multiple of 4. */
enum hearth_status hearth_buffer_create(struct hearth_device *device, uint64_t bytes,
					enum hearth_buffer_kind kind,
					struct hearth_buffer **buffer);
void hearth_buffer_destroy(struct hearth_buffer *buffer);
uint64_t hearth_buffer_bytes(const struct hearth_buffer *buffer);
/* The mapping, or NULL if the buffer is not host-visible; valid while the buffer lives. */
void *hearth_buffer_map(struct hearth_buffer *buffer);

/* Copy and wait; no stream may be using the range. */
enum hearth_status hearth_buffer_write(struct hearth_buffer *buffer, uint64_t offset,
				       const void *data, uint64_t bytes);
enum hearth_status hearth_buffer_read(struct hearth_buffer *buffer, uint64_t offset, void *data,
				      uint64_t bytes);

/* Part of a buffer: @offset a multiple of 16. @bytes 0 means up to the end. */
struct hearth_view {
	struct hearth_buffer *buffer;
	uint64_t offset;
	uint64_t bytes;
};

/* ---- Kernels of one's own ---- */

struct hearth_kernel_info {
	uint32_t struct_size;
	const uint32_t *spirv; /* one of the two */
	size_t spirv_bytes;
	const char *glsl;	 /* a compute shader, compiled with glslang */
	const char *entry_point; /* NULL: "main" */
	uint32_t buffer_count;	 /* storage buffers at set 0, bindings 0 … count - 1 */
	uint32_t push_bytes;
	const uint32_t *spec_constants; /* 32-bit values of constant_id 0 … count - 1 */
	uint32_t spec_constant_count;
	uint32_t subgroup_size; /* 0: the device's default */
};

enum hearth_status hearth_kernel_create(struct hearth_device *device,
					const struct hearth_kernel_info *info,
					struct hearth_kernel **kernel);
void hearth_kernel_destroy(struct hearth_kernel *kernel);

/* ---- Recordings and streams ---- */

enum hearth_status hearth_recording_create(struct hearth_device *device,
					   struct hearth_recording **recording);
void hearth_recording_destroy(struct hearth_recording *recording);
enum hearth_precision {
	HEARTH_PRECISION_EXACT = 0, /* products in float32 */
	/*
	 * Where a device multiplies bytes fast, activations may be rounded to 8 bits, in blocks of 32 with a scale, for
	 * products with weights of block types. An activation errs by up to 1/254 of its block's largest.
	 */
	HEARTH_PRECISION_FAST = 1,
};

/* Of the operations recorded from here on. A new recording is exact. */
enum hearth_status hearth_recording_set_precision(struct hearth_recording *recording,
						  enum hearth_precision precision);
/* After the last operation and before the first submission. */
enum hearth_status hearth_recording_end(struct hearth_recording *recording);
/* Dispatches and copies recorded so far. */
uint32_t hearth_recording_length(const struct hearth_recording *recording);

enum hearth_status hearth_record_dispatch(struct hearth_recording *recording,
					  struct hearth_kernel *kernel,
					  const struct hearth_view *buffers, uint32_t buffer_count,
					  const void *push, uint32_t push_bytes, uint32_t groups_x,
					  uint32_t groups_y, uint32_t groups_z);
enum hearth_status hearth_record_copy(struct hearth_recording *recording, struct hearth_view source,
				      struct hearth_view destination, uint64_t bytes);

enum hearth_status hearth_stream_create(struct hearth_device *device,
					struct hearth_stream **stream);
void hearth_stream_destroy(struct hearth_stream *stream);
/* Starts an ended recording. The same recording may be submitted again after a wait. */
enum hearth_status hearth_stream_submit(struct hearth_stream *stream,
					struct hearth_recording *recording);
/* Until all that was submitted is done and visible to the host. @timeout_ns: relative. */
enum hearth_status hearth_stream_wait(struct hearth_stream *stream, uint64_t timeout_ns);

/* ---- Operations of a transformer ---- */

/*
 * Types of weights, numbered as GGUF numbers them. Activations are F32. Block types have 32 elements
 * a block along the row: Q8_0 is { f16 scale; int8 q[32] }, Q4_0 { f16 scale; uint8 q[16] } where the low
 * nibble of q[i] is element i and the high nibble element i + 16, both minus 8; IQ4_NL has indices into a table there, and
 * MXFP4 numbers of 4 bits with a power of two. Q4_K, Q5_K and Q6_K have blocks of 256, laid out as in GGUF.
 */
enum hearth_type {
	HEARTH_TYPE_F32 = 0,
	HEARTH_TYPE_F16 = 1,
	HEARTH_TYPE_Q4_0 = 2,
	HEARTH_TYPE_Q8_0 = 8,
	HEARTH_TYPE_Q4_K = 12,
	HEARTH_TYPE_Q5_K = 13,
	HEARTH_TYPE_Q6_K = 14,
	HEARTH_TYPE_IQ4_NL = 20,
	HEARTH_TYPE_BF16 = 30,
	HEARTH_TYPE_MXFP4 = 39,
	/* Orders of a device's own; see hearth_matrix_best_type(). */
	HEARTH_TYPE_Q4_0_TILES = 0x102,
	HEARTH_TYPE_Q8_0_TILES = 0x108,
};

/* Bytes of a row of @elements; 0 if the type is unknown or @elements is no multiple of its block. */
uint64_t hearth_row_bytes(enum hearth_type type, uint64_t elements);

/* A weight matrix [rows × columns], row-major as in GGUF; its bytes lie in @view as in the file. */
struct hearth_matrix {
	struct hearth_view view;
	enum hearth_type type;
	uint32_t rows;
	uint32_t columns;
};

/*
 * What a matrix of @type and this shape is best held as on @device where precision is HEARTH_PRECISION_FAST: @type, or the
 * same numbers in an order in which the device multiplies them faster. Such a matrix has as many bytes, is written with
 * hearth_matrix_write(), serves hearth_op_matmul(), hearth_op_matmul_bias() with that precision, and hearth_op_embedding(), and
 * is of no use to another device.
 */
enum hearth_type hearth_matrix_best_type(const struct hearth_device *device, enum hearth_type type,
					 uint32_t rows, uint32_t columns);

/*
 * Writes rows [first_row, first_row + rows) of @matrix from @data, where they lie as in GGUF, and waits; no stream may be
 * using them. For a type of a device's own both are multiples of 16, or the end of the matrix.
 */
enum hearth_status hearth_matrix_write(const struct hearth_matrix *matrix, uint32_t first_row,
				       uint32_t rows, const void *data);

/*
 * What changes from step to step, read by the kernels from a buffer of this layout.
 * @position: of row 0 of the step in the sequence; row r is at @position + r.
 */
struct hearth_step {
	uint32_t position;
	uint32_t reserved[3];
};

/* y[r][:] = table[tokens[r]][:]; tokens: [rows] u32, each < table.rows (others give zeros). */
enum hearth_status hearth_op_embedding(struct hearth_recording *recording,
				       const struct hearth_matrix *table, struct hearth_view tokens,
				       struct hearth_view y, uint32_t rows);

/* y[r][i] = x[r][i] / sqrt(mean(x[r]²) + epsilon) * weight[i]; x, y: [rows × columns]. */
enum hearth_status hearth_op_rms_norm(struct hearth_recording *recording, struct hearth_view x,
				      struct hearth_view weight, struct hearth_view y,
				      uint32_t rows, uint32_t columns, float epsilon);

/* y[r][n] = Σk x[r][k] · w[n][k] (+ residual[r][n] if its buffer is set; it may be y). x: [rows × w.columns],
 * y: [rows × w.rows]. One row and many rows run different kernels. */
enum hearth_status hearth_op_matmul(struct hearth_recording *recording,
				    const struct hearth_matrix *w, struct hearth_view x,
				    struct hearth_view residual, struct hearth_view y,
				    uint32_t rows);

/* The same with bias[n] in place of the residual. bias: [w.rows]. */
enum hearth_status hearth_op_matmul_bias(struct hearth_recording *recording,
					 const struct hearth_matrix *w, struct hearth_view x,
					 struct hearth_view bias, struct hearth_view y,
					 uint32_t rows);

/* ---- A mixture of experts ---- */

enum hearth_gating {
	HEARTH_GATING_SOFTMAX = 0, /* weights are the softmax of all logits */
	HEARTH_GATING_SIGMOID = 1, /* weights are 1 / (1 + exp(-logit)) */
};

/*
 * @experts: that there are, up to 1024.
 * @used: of them, by a row; up to 64 and to @experts.
 * @normalise: the weights of a row are divided by their sum, before they are scaled.
 * @scale: multiplies them; 0 means 1.
 */
struct hearth_experts_info {
	uint32_t struct_size;
	uint32_t experts;
	uint32_t used;
	enum hearth_gating gating;
	bool normalise;
	float scale;
};

/*
 * For each row the experts with the largest logits, largest first, of equal ones the first; NaN counts as least. logits:
 * [rows × experts]; selected: [rows × used] u32; weights: [rows × used].
 */
enum hearth_status hearth_op_experts_select(struct hearth_recording *recording,
					    struct hearth_view logits, struct hearth_view selected,
					    struct hearth_view weights, uint32_t rows,
					    const struct hearth_experts_info *info);

/*
 * y[r][s][n] = Σk x[r][k] · w[selected[r][s]][n][k]: each row with the matrices of its experts. @w has those of all experts one
 * after the other, [experts × n] rows. With HEARTH_PRECISION_FAST activations are rounded where these are in a device's own order, which
 * hearth_matrix_best_type() finds for the matrix of one expert; all others are multiplied in float32. selected:
 * [rows × used] u32, rows @selected_stride apart (0: used), each < experts (for others y stays as it was). x: [rows × w.columns], or with @own_x a row for each slot,
 * [rows × used × w.columns]. y: [rows × used × n].
 */
enum hearth_status hearth_op_experts_matmul(struct hearth_recording *recording,
					    const struct hearth_matrix *w, uint32_t experts,
					    struct hearth_view x, bool own_x,
					    struct hearth_view selected, uint32_t selected_stride,
					    struct hearth_view y, uint32_t rows, uint32_t used);

/*
 * y[r][i] = Σs weights[r][s] · x[r][s][i] (+ residual[r][i] if its buffer is set; it may be y). x: [rows × used × columns],
 * weights: [rows × used], y: [rows × columns].
 */
enum hearth_status hearth_op_experts_sum(struct hearth_recording *recording, struct hearth_view x,
					 struct hearth_view weights, struct hearth_view residual,
					 struct hearth_view y, uint32_t rows, uint32_t used,
					 uint32_t columns);

/* ---- Positions and attention ---- */

enum hearth_rope {
	HEARTH_ROPE_PAIRS = 0,	/* turns elements (2i, 2i + 1): GGUF's "llama" */
	HEARTH_ROPE_HALVES = 1, /* turns elements (i, i + dims/2): "neox" */
};

/* In place on x: [rows × heads × head_size]; the first @dims of each head turn by position · base^(-2i/dims). */
enum hearth_status hearth_op_rope(struct hearth_recording *recording, struct hearth_view x,
				  struct hearth_view step, uint32_t rows, uint32_t heads,
				  uint32_t head_size, uint32_t dims, float base,
				  enum hearth_rope mode);

/*
 * Frequencies of long contexts: pair i turns by position · scale · base^(-2i/dims) / factors[i], which must be less
 * than half a circle a position.
 * @scale: 0 means 1.
 * @factors: [dims / 2], read during the call; NULL: 1.
 * @magnitude: what turns is multiplied with it; 0 means 1. Structures that end before it are taken too.
 */
struct hearth_rope_info {
	uint32_t struct_size;
	uint32_t dims;
	float base;
	enum hearth_rope mode;
	float scale;
	const float *factors;
	float magnitude;
};

enum hearth_status hearth_op_rope_scaled(struct hearth_recording *recording, struct hearth_view x,
					 struct hearth_view step, uint32_t rows, uint32_t heads,
					 uint32_t head_size, const struct hearth_rope_info *info);

/*
 * The key and value cache of one layer: keys and values each [capacity × kv_heads × head_size], of type F32, F16, Q8_0 or Q4_0. A
 * position is a row of its type, of hearth_row_bytes(type, kv_heads × head_size) bytes. F16 wants even head sizes; Q8_0 and Q4_0 want head
 * sizes that are multiples of 4, and kv_heads × head_size a multiple of 64.
 *
 * What is stored is rounded to the nearest number that the type has. In Q8_0 the scale of a block is its largest magnitude / 127, and an
 * element errs by up to half of that; in Q4_0 the scale maps the element of largest magnitude to -8, elements err by up to half
 * of it, and those near the other end of the range by up to all of it. Scales are rounded to f16, and to its largest finite number.
 */
struct hearth_kv_cache {
	struct hearth_view keys;
	struct hearth_view values;
	enum hearth_type type;
	uint32_t capacity;
	uint32_t kv_heads;
	uint32_t head_size;
};

/* Appends k, v: [rows × kv_heads × head_size] at the step's position; rows beyond the capacity are dropped. */
enum hearth_status hearth_op_kv_store(struct hearth_recording *recording, struct hearth_view k,
				      struct hearth_view v, const struct hearth_kv_cache *cache,
				      struct hearth_view step, uint32_t rows);

/*
 * Causal grouped-query attention with online softmax: y[r][h] = Σj softmax_j(scale · q[r][h] · keys[j][h'])
 * values[j][h'], j ≤ position + r, h' = h / (heads / kv_heads). q, y: [rows × heads × head_size].
 */
enum hearth_status hearth_op_attention(struct hearth_recording *recording, struct hearth_view q,
				       const struct hearth_kv_cache *cache, struct hearth_view step,
				       struct hearth_view y, uint32_t rows, uint32_t heads,
				       float scale);

/*
 * What some models make of scores, in this order; 0 stands for nothing of the kind.
 * @scale: multiplies them.
 * @soft_cap: score becomes soft_cap · tanh(score / soft_cap).
 * @alibi: the largest slope's exponent (ALiBi's "max bias", 8 in most models): a key that lies n positions back loses
 *	n · 2^(-alibi · (h + 1) / heads) for head h; where heads are no power of two, as in ALiBi's paper.
 * @window: a row sees no more than so many keys, its own included.
 * @sinks: [heads], each the score of one more key that has no value.
 */
struct hearth_attention_info {
	uint32_t struct_size;
	float scale;
	float soft_cap;
	float alibi;
	uint32_t window;
	struct hearth_view sinks;
};

enum hearth_status hearth_op_attention_shaped(struct hearth_recording *recording,
					      struct hearth_view q,
					      const struct hearth_kv_cache *cache,
					      struct hearth_view step, struct hearth_view y,
					      uint32_t rows, uint32_t heads,
					      const struct hearth_attention_info *info);

/* y[i] = a[i] / (1 + exp(-a[i])) · b[i]; y may be a or b. */
enum hearth_status hearth_op_silu_mul(struct hearth_recording *recording, struct hearth_view a,
				      struct hearth_view b, struct hearth_view y, uint32_t count);

/* The same with GELU in its approximation by tanh: y[i] = a[i] · (1 + tanh(√(2/π) · (a[i] + 0.044715 · a[i]³))) / 2 · b[i]. */
enum hearth_status hearth_op_gelu_mul(struct hearth_recording *recording, struct hearth_view a,
				      struct hearth_view b, struct hearth_view y, uint32_t count);

/* y[i] = scale · x[i], or if @soft_cap is not 0 soft_cap · tanh(scale · x[i] / soft_cap); y may be x. */
enum hearth_status hearth_op_scale(struct hearth_recording *recording, struct hearth_view x,
				   struct hearth_view y, uint32_t count, float scale,
				   float soft_cap);

/* y[i] = a[i] + b[i]; y may be a or b. */
enum hearth_status hearth_op_add(struct hearth_recording *recording, struct hearth_view a,
				 struct hearth_view b, struct hearth_view y, uint32_t count);

/* index[r] = the smallest i with x[r][i] maximal; NaN counts as least. x: [rows × columns], index: [rows] u32. */
enum hearth_status hearth_op_argmax(struct hearth_recording *recording, struct hearth_view x,
				    struct hearth_view index, uint32_t rows, uint32_t columns);

#ifdef __cplusplus
}
#endif

#endif /* HEARTH_H */
