/* SPDX-License-Identifier: MIT */
/*
 * What the files of libhearth share. Nothing here is public.
 */
#ifndef HEARTH_RUNTIME_H
#define HEARTH_RUNTIME_H

#include <pthread.h>
#include <vulkan/vulkan.h>

#include "hearth.h"
#include "shader_table.h"

#define HRT_MAX_BINDINGS   8 /* storage buffers of one kernel */
#define HRT_MAX_PUSH_BYTES 256
#define HRT_MAX_SPEC	   16
#define HRT_MAX_QUEUES	   4
#define HRT_VIEW_ALIGN	   16 /* of view offsets, by hearth.h */

#define HRT_COUNT(array)   (sizeof(array) / sizeof((array)[0]))

static inline uint64_t hrt_round_up(uint64_t value, uint64_t multiple)
{
	return (value + multiple - 1) / multiple * multiple;
}

static inline uint64_t hrt_ceil_div(uint64_t value, uint64_t by)
{
	return value / by + (value % by != 0);
}

/* ---- error.c ---- */

/* Sets the thread's last error and returns @status, so that callers can write "return hrt_fail(…)". */
enum hearth_status hrt_fail(enum hearth_status status, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The same for the result of a Vulkan call named @call; the text says what was attempted. */
enum hearth_status hrt_fail_vk(VkResult result, const char *call, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* ---- instance.c ---- */

struct hrt_physical {
	VkInstance instance;
	VkPhysicalDevice vk;
	VkPhysicalDeviceLimits limits;
	VkPhysicalDeviceMemoryProperties memory;
	struct hearth_device_properties properties;
	uint8_t driver_uuid[VK_UUID_SIZE];
	uint32_t queue_family;
	uint32_t queue_count;
	uint32_t min_subgroup_size; /* 0: the size cannot be asked for */
	uint32_t max_subgroup_size;
	bool no_mapping;	      /* HEARTH_DISABLE=mapping */
	uint32_t asked_subgroup_size; /* HEARTH_SUBGROUP; 0: the device's default */
};

/* One VkInstance for the drivers given by path, one for those that the loader finds. */
struct hearth_instance {
	VkInstance vk[2];
	VkDebugUtilsMessengerEXT messengers[2];
	void **libraries;
	uint32_t library_count;
	void (*log)(void *user, const char *message);
	void *log_user;
	char *disable; /* may be NULL */
	bool ignore_verdicts;
	struct hrt_physical *physicals;
	uint32_t physical_count;
};

void hrt_log(const struct hearth_instance *instance, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* ---- verdict.c ---- */

/* Abilities that may be found wrong, as bits. */
enum hrt_ability {
	HRT_SUBGROUP = 1,
	HRT_STORAGE16 = 2,
	HRT_INTEGER_DOT = 4,
};

/* Those that the verdict on a device with its driver calls wrong, if there is one; what that means is logged. */
uint32_t hrt_verdict_read(const struct hearth_instance *instance,
			  const struct hearth_device_properties *properties);

/* ---- memory.c ---- */

struct hrt_block;

/* A piece of device memory. */
struct hrt_memory {
	struct hrt_block *block;
	uint64_t offset;
	uint64_t bytes;
};

enum hrt_memory_use {
	HRT_MEMORY_DEVICE,  /* device-local, host-visible where that costs nothing */
	HRT_MEMORY_SHARED,  /* host-visible and coherent, device-local where there is such memory */
	HRT_MEMORY_STAGING, /* host-visible and coherent, in host memory */
};

struct hrt_memory_pool {
	pthread_mutex_t lock; /* protects blocks and their free ranges */
	struct hrt_block *blocks;
};

enum hearth_status hrt_memory_alloc(struct hearth_device *device,
				    const VkMemoryRequirements *requirements,
				    enum hrt_memory_use use, struct hrt_memory *memory);
void hrt_memory_free(struct hearth_device *device, struct hrt_memory *memory);
VkDeviceMemory hrt_memory_handle(const struct hrt_memory *memory);
/* NULL if not host-visible. */
void *hrt_memory_map(const struct hrt_memory *memory);
void hrt_memory_pool_finish(struct hearth_device *device);

/* ---- device.c ---- */

struct hrt_queue {
	pthread_mutex_t lock; /* Vulkan wants submissions to one queue one at a time */
	VkQueue vk;
};

/* The way of data into memory that is not mapped. */
struct hrt_transfer {
	pthread_mutex_t lock; /* protects all below */
	VkCommandPool pool;
	VkCommandBuffer commands;
	VkFence fence;
	struct hearth_buffer *staging;
};

/* A table of rotation frequencies, made once for all operations that turn alike. */
struct hrt_rope_table {
	struct hrt_rope_table *next;
	struct hearth_buffer *buffer;
	uint32_t pairs;
	uint64_t turns[]; /* what the buffer holds */
};

struct hrt_pipeline;

struct hearth_device {
	const struct hrt_physical *physical;
	VkDevice vk;
	VkPipelineCache pipeline_cache;
	struct hrt_queue queues[HRT_MAX_QUEUES];
	uint32_t queue_count;
	uint32_t next_queue; /* for the next stream; atomic */
	struct hrt_memory_pool pool;
	struct hrt_transfer transfer;
	pthread_mutex_t cache_lock; /* protects the two lists below */
	struct hrt_pipeline *pipelines;
	struct hrt_rope_table *rope_tables;
};

/* Runs @record(commands) on the device and waits. */
enum hearth_status hrt_transfer_run(struct hearth_device *device,
				    void (*record)(VkCommandBuffer commands, void *data),
				    void *data);
enum hearth_status hrt_queue_submit(struct hrt_queue *queue, const VkSubmitInfo *info,
				    VkFence fence, const char *what);

/* ---- buffer.c ---- */

struct hearth_buffer {
	struct hearth_device *device;
	VkBuffer vk;
	struct hrt_memory memory;
	uint64_t bytes;
	void *map; /* NULL: the host has no access */
};

enum hearth_status hrt_buffer_create(struct hearth_device *device, uint64_t bytes,
				     enum hrt_memory_use use, struct hearth_buffer **buffer);

/* ---- kernel.c ---- */

struct hrt_pipeline {
	struct hrt_pipeline *next; /* in the device's cache */
	enum hrt_shader shader;
	uint32_t spec[HRT_MAX_SPEC];
	uint32_t spec_count;
	VkDescriptorSetLayout set_layout;
	VkPipelineLayout layout;
	VkPipeline vk;
	uint32_t buffer_count;
	uint32_t push_bytes;
};

struct hearth_kernel {
	struct hearth_device *device;
	struct hrt_pipeline pipeline;
};

/* The pipeline of an embedded shader; made on first use, kept with the device. */
enum hearth_status hrt_shader_pipeline(struct hearth_device *device, enum hrt_shader shader,
				       const uint32_t *spec, uint32_t spec_count,
				       const struct hrt_pipeline **pipeline);
void hrt_pipelines_finish(struct hearth_device *device);

/* ---- glsl.c ---- */

/* *words is malloc'ed. */
enum hearth_status hrt_glsl_compile(const char *source, const char *entry_point, uint32_t **words,
				    size_t *bytes);

/* ---- recording.c ---- */

enum hrt_access {
	HRT_READ = 1,
	HRT_WRITE = 2,
};

/* A storage buffer of a dispatch. The range that the kernel may touch is [offset, offset + bytes). */
struct hrt_binding {
	struct hearth_buffer *buffer;
	uint64_t offset;
	uint64_t bytes;
	enum hrt_access access;
};

/* A point on a stream's time line; shared by the stream and the recordings submitted to it. */
struct hrt_timeline {
	struct hearth_device *device;
	VkSemaphore semaphore;
	uint32_t references; /* atomic */
};

void hrt_timeline_put(struct hrt_timeline *timeline);

enum hrt_recording_state {
	HRT_RECORDING_OPEN,
	HRT_RECORDING_ENDED,
	HRT_RECORDING_BROKEN, /* a Vulkan call failed half-way */
};

#define HRT_MAX_PENDING 64

/* What a kernel makes for another: activations as bytes, slots in order of their experts. */
enum hrt_derived_kind {
	HRT_DERIVED_BYTES,
	HRT_DERIVED_GROUPS,
};

/* Kept for as long as the numbers it was made from stay. */
struct hrt_derived {
	struct hrt_derived *next;
	struct hrt_binding from;
	enum hrt_derived_kind kind;
	uint32_t form[3]; /* how it is laid out; the meaning is the kind's */
	bool valid;
	struct hearth_buffer *buffer;
};

struct hearth_recording {
	struct hearth_device *device;
	enum hrt_recording_state state;
	VkCommandPool pool;
	VkCommandBuffer commands;
	VkDescriptorPool *descriptor_pools;
	uint32_t descriptor_pool_count;
	uint32_t sets_left; /* in the last descriptor pool */
	VkPipeline bound;
	uint32_t length;
	enum hearth_precision precision;
	struct hrt_derived *derived;
	/* What was touched since the last barrier. */
	struct hrt_binding pending[HRT_MAX_PENDING];
	uint32_t pending_count;
	/* The last submission. */
	struct hrt_timeline *timeline;
	uint64_t timeline_value;
};

/*
 * Records a dispatch of @pipeline with barriers as needed. Bindings are complete and checked, except
 * that here the device's limits on bindings and on the grid are checked; @op is for error texts.
 */
enum hearth_status hrt_record(struct hearth_recording *recording, const char *op,
			      const struct hrt_pipeline *pipeline,
			      const struct hrt_binding *bindings, const void *push,
			      const uint32_t groups[3]);

/*
 * For the operations: checks that @view is a view of at least @bytes in a buffer of the recording's device
 * and makes a binding of its first @bytes; @first_word is what the kernel must add to its word indices,
 * because a device may want bindings aligned more than views are.
 */
enum hearth_status hrt_bind(const struct hearth_recording *recording, const char *op,
			    const char *name, const struct hearth_view *view, uint64_t bytes,
			    enum hrt_access access, struct hrt_binding *binding,
			    uint32_t *first_word);
/* That a recording is given and takes operations. */
enum hearth_status hrt_recording_check(const struct hearth_recording *recording, const char *op);

/* ---- quantise.c ---- */

/*
 * @x ([rows × columns]) as bytes in the order that products with weights of @type want; records their making unless that
 * was done before and still holds. *@binding: where they are, from word 0 on.
 */
enum hearth_status hrt_quantise(struct hearth_recording *recording, const char *op,
				const struct hrt_binding *x, uint32_t x_first, uint32_t rows,
				uint32_t columns, enum hearth_type type,
				struct hrt_binding *binding);

/* ---- derived.c ---- */

/*
 * What was made from @from in this form, if that still holds (valid); or else room for @bytes of it, which the caller fills and
 * then makes valid.
 */
enum hearth_status hrt_derive(struct hearth_recording *recording, const char *op,
			      const struct hrt_binding *from, enum hrt_derived_kind kind,
			      const uint32_t form[3], uint64_t bytes, struct hrt_derived **derived);
/* Forgets what was made from numbers that an operation with these bindings changes. */
void hrt_derived_invalidate(struct hearth_recording *recording, const struct hrt_binding *bindings,
			    uint32_t count);
void hrt_derived_free(struct hearth_recording *recording);

/* ---- ops ---- */

/* Bytes of [a × b] words; UINT64_MAX if that overflows, which no buffer can hold. */
static inline uint64_t hrt_words_bytes(uint64_t a, uint64_t b)
{
	uint64_t words;

	if (__builtin_mul_overflow(a, b, &words) || words > UINT64_MAX / 4)
		return UINT64_MAX;
	return 4 * words;
}

/* Elements that a kernel decodes from one word of weights (UNIT in shaders/weights.glsl); 0 if unknown. */
uint32_t hrt_type_unit(enum hearth_type type);
const char *hrt_type_name(enum hearth_type type);
/* The variant for @type of a family of shaders that begins with that for F32. */
enum hrt_shader hrt_typed_shader(enum hrt_shader f32, enum hearth_type type);
/* That the matrix is well formed, and its bytes. */
enum hearth_status hrt_matrix_check(const char *op, const struct hearth_matrix *matrix,
				    uint64_t *bytes);
/* Whether rows start on words in a matrix of this shape. */
bool hrt_whole_words(enum hearth_type type, uint32_t columns);
/*
 * A matrix may be larger than a binding can be. Rows that one dispatch can serve; 0 with the last error set
 * if not even one.
 */
uint32_t hrt_rows_per_binding(const struct hearth_device *device, const char *op,
			      const struct hearth_matrix *matrix);
/* Rows [first, first + count) of @matrix as a binding. */
enum hearth_status hrt_bind_rows(const struct hearth_recording *recording, const char *op,
				 const struct hearth_matrix *matrix, uint32_t first, uint32_t count,
				 struct hrt_binding *binding, uint32_t *first_word);

/* ---- tiles.c ---- */

bool hrt_type_tiled(enum hearth_type type);
/* That @device uses tiles and the matrix is whole ones; *@lanes: rows of a tile. */
enum hearth_status hrt_tiles_check(const struct hearth_device *device, const char *op,
				   const struct hearth_matrix *matrix, uint32_t *lanes);

#endif /* HEARTH_RUNTIME_H */
