/* SPDX-License-Identifier: MIT */
/*
 * The Vulkan objects of the ICD, and what its files need of each other.
 *
 * Every object starts with struct hth_object, whose first member the Vulkan loader owns in
 * dispatchable objects. A handle is the address of its object.
 */
#ifndef HTH_PRIVATE_H
#define HTH_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vulkan/vulkan.h>
#include <vulkan/vk_icd.h>

#include <hearth/hbi.h>
#include <hearth/kernel_abi.h>

#include "../compiler/hc.h"
#include "hth_backend.h"
#include "hth_tables.h"

#define HTH_API_VERSION	     VK_MAKE_API_VERSION(0, 1, 3, VK_HEADER_VERSION)
#define HTH_DRIVER_VERSION   VK_MAKE_API_VERSION(0, 0, 1, 0)
#define HTH_MAX_SETS	     HEARTH_KERNEL_MAX_SETS
#define HTH_MAX_PUSH_BYTES   HEARTH_KERNEL_PUSH_BYTES
#define HTH_MAX_DYNAMIC	     HEARTH_KERNEL_MAX_DYNAMIC
#define HTH_MAX_QUEUES	     4
#define HTH_MAX_MEMORY_TYPES 2
#define HTH_MAX_SHARED_BYTES 65536
#define HTH_MAX_INVOCATIONS  1024
#define HTH_MAX_INLINE_BYTES 4096 /* of one inline uniform block */
#define HTH_BUFFER_ALIGNMENT 64
#define HTH_OFFSET_ALIGNMENT 16 /* of bound buffer ranges */
#define HTH_NO_DEADLINE	     INT64_MAX

#define HTH_ALIGN(value, to) (((value) + ((to) - 1)) & ~(__typeof__(value))((to) - 1))
#define HTH_MIN(a, b)	     ((a) < (b) ? (a) : (b))
#define HTH_MAX(a, b)	     ((a) > (b) ? (a) : (b))
#define HTH_COUNT(array)     (sizeof(array) / sizeof((array)[0]))

/* ---- Objects and memory of the process ---- */

struct hth_private_entry {
	uint64_t slot;
	uint64_t data;
};

struct hth_object {
	VK_LOADER_DATA loader_data;
	VkObjectType type;
	uint32_t private_count;
	struct hth_private_entry *private_entries;
};

void hth_object_init(void *object, VkObjectType type);
void hth_object_finish(void *object);

/* Zeroed memory by the callbacks given, or the parent's, or the C library. */
void *hth_alloc(const VkAllocationCallbacks *parent, const VkAllocationCallbacks *callbacks,
		size_t size, VkSystemAllocationScope scope);
void hth_free(const VkAllocationCallbacks *parent, const VkAllocationCallbacks *callbacks,
	      void *memory);
/* An object of a device: allocated and initialised, or freed with what hangs on it. */
void *hth_object_alloc(struct hth_device *device, const VkAllocationCallbacks *callbacks,
		       size_t size, VkObjectType type);
void hth_object_free(struct hth_device *device, const VkAllocationCallbacks *callbacks,
		     void *object);

/* CLOCK_MONOTONIC, and a relative Vulkan timeout as a point of it. */
int64_t hth_now_ns(void);
int64_t hth_deadline(uint64_t timeout_ns);

#define HTH_DEFINE_DISPATCHABLE(name, type)                        \
	static inline struct name *name##_from_handle(type handle) \
	{                                                          \
		return (struct name *)handle;                      \
	}                                                          \
	static inline type name##_to_handle(struct name *object)   \
	{                                                          \
		return (type)object;                               \
	}

#define HTH_DEFINE_HANDLE(name, type)                              \
	static inline struct name *name##_from_handle(type handle) \
	{                                                          \
		return (struct name *)(uintptr_t)handle;           \
	}                                                          \
	static inline type name##_to_handle(struct name *object)   \
	{                                                          \
		return (type)(uintptr_t)object;                    \
	}

/* ---- Instance and physical device ---- */

struct hth_messenger {
	struct hth_object object;
	struct hth_messenger *next;
	VkDebugUtilsMessageSeverityFlagsEXT severity;
	VkDebugUtilsMessageTypeFlagsEXT types;
	PFN_vkDebugUtilsMessengerCallbackEXT callback;
	void *user;
};

struct hth_instance {
	struct hth_object object;
	VkAllocationCallbacks callbacks;
	bool has_callbacks;
	uint32_t api_version;	      /* that the application asked for */
	uint32_t least_subgroup_size; /* that the application is right with; 0: any */
	bool extensions[HTH_EXTENSION_COUNT];
	pthread_mutex_t lock; /* of all below */
	struct hth_messenger *messengers;
	bool enumerated;
	uint32_t physical_device_count;
	struct hth_physical_device **physical_devices;
};

/*
 * What the process's memory objects take of a device's heaps, through whatever instance. One for each device (@uuid), which lasts as
 * long as an instance knows the device.
 */
struct hth_heap_usage {
	uint8_t uuid[VK_UUID_SIZE];
	_Atomic uint64_t used[VK_MAX_MEMORY_HEAPS];
	uint32_t instances;
	struct hth_heap_usage *next;
};

struct hth_physical_device {
	struct hth_object object;
	struct hth_instance *instance;
	const struct hth_backend *backend;
	void *backend_data;
	char name[VK_MAX_PHYSICAL_DEVICE_NAME_SIZE];
	VkPhysicalDeviceType type;
	uint32_t vendor_id;
	uint32_t device_id;
	uint8_t uuid[VK_UUID_SIZE];
	uint32_t queue_count;
	double timestamp_period_ns;
	struct hc_target target;
	bool has_target;
	VkPhysicalDeviceMemoryProperties memory;
	enum hth_placement placements[HTH_MAX_MEMORY_TYPES];
	uint32_t storage_types;	 /* bits of the memory types that kernels reach */
	uint32_t transfer_types; /* bits of those that packets reach */
	uint32_t pointer_types;	 /* bits of those that the application's memory can become */
	VkExternalMemoryHandleTypeFlags pointer_handles; /* as what it is given */
	VkExternalMemoryHandleTypeFlags
		import_handles; /* file descriptors that memory is made of */
	VkExternalMemoryHandleTypeFlags export_handles; /* and those that memory gives */
	struct hth_heap_usage *usage;
	struct hth_features features;
	struct hth_properties properties;
	VkPhysicalDeviceProperties core;
	uint8_t cache_uuid[VK_UUID_SIZE];
};

/*
 * Fills what follows from the members above it: features, properties, limits. The backend has set
 * backend, names, ids, target, memory.
 */
void hth_physical_device_complete(struct hth_physical_device *physical_device);
bool hth_physical_device_has_extension(const struct hth_physical_device *physical_device,
				       enum hth_extension extension);
VkResult hth_instance_add_device(struct hth_instance *instance,
				 struct hth_physical_device *physical_device);

/*
 * Tells the debug messengers of the instance, or, when there are none, standard error if it is a
 * warning or an error. @id names the kind of message.
 */
void hth_log(struct hth_instance *instance, VkDebugUtilsMessageSeverityFlagBitsEXT severity,
	     const char *id, const char *format, ...) __attribute__((format(printf, 4, 5)));

/* ---- Device and queue ---- */

/* Work of a queue in flight: done when the queue has completed @ticket. NULL queue: nothing. */
struct hth_point {
	struct hth_queue *queue;
	uint64_t ticket;
};

struct hth_wait {
	struct hth_semaphore *timeline; /* NULL: @point is all */
	uint64_t value;
	struct hth_point point;
};

struct hth_submission {
	struct hth_submission *next;
	uint64_t ticket;
	uint32_t wait_count;
	uint32_t segment_count;
	struct hth_wait *waits;
	struct hth_segment *segments;
};

struct hth_queue {
	struct hth_object object;
	struct hth_device *device;
	uint32_t index;
	void *backend_data;

	/* Held while submissions are given to the backend or put on the list. */
	pthread_mutex_t lock;
	pthread_cond_t cond; /* the list has grown, or the thread shall end */
	struct hth_submission *first, **last;
	bool thread_running;
	bool stop;
	bool busy; /* the thread holds a submission that it took from the list */
	pthread_t thread;
	struct hearth_queue_statistics statistics;

	_Atomic uint64_t submitted; /* newest ticket given out */
	_Atomic uint64_t pushed;    /* newest ticket that the backend has */
	_Atomic uint64_t completed; /* newest ticket known to be done */
};

struct hth_device {
	struct hth_object object;
	struct hth_physical_device *physical_device;
	struct hth_instance *instance;
	const struct hth_backend *backend;
	void *backend_data;
	VkAllocationCallbacks callbacks;
	bool has_callbacks;
	bool extensions[HTH_EXTENSION_COUNT];
	struct hth_features enabled;
	struct hth_queue queues[HTH_MAX_QUEUES];
	uint32_t queue_count;
	_Atomic bool lost;

	/* Of semaphores, fences and the wake-up of everybody who waits for one. */
	pthread_mutex_t sync_lock;
	pthread_cond_t sync_cond;

	pthread_mutex_t private_lock;
	_Atomic uint64_t next_private_slot;
	_Atomic uint64_t memory_used[HTH_MAX_MEMORY_TYPES];
};

const VkAllocationCallbacks *hth_device_callbacks(const struct hth_device *device);
VkResult hth_device_lost(struct hth_device *device);

/* hearth_vulkan.h */
VKAPI_ATTR void VKAPI_CALL hth_GetQueueStatisticsHEARTH(VkQueue queue,
							struct hearth_queue_statistics *out);
VkResult hth_queue_init(struct hth_device *device, uint32_t index);
void hth_queue_finish(struct hth_queue *queue);
bool hth_point_done(const struct hth_point *point);
VkResult hth_point_wait(const struct hth_point *point, int64_t deadline_ns);
/* Sleeps until something of the device's synchronisation may have changed. Called with sync_lock. */
int hth_sync_sleep(struct hth_device *device, int64_t deadline_ns);
void hth_sync_wake(struct hth_device *device);

/* ---- Memory and buffers ---- */

struct hth_memory {
	struct hth_object object;
	uint32_t type_index;
	uint64_t size;
	struct hth_bo bo;
	VkExternalMemoryHandleTypeFlags export_handles; /* that may be asked for */
};

/* hth_external.c: what the pNext chain of an allocation says of memory from elsewhere, and for others. */
struct hth_external {
	const VkImportMemoryFdInfoKHR *fd;
	const VkImportMemoryHostPointerInfoEXT *pointer;
	VkExternalMemoryHandleTypeFlags export_handles;
};

/* VK_ERROR_INVALID_EXTERNAL_HANDLE if the device does not have it. */
VkResult hth_external_read(const struct hth_physical_device *physical_device, const void *chain,
			   struct hth_external *external);

struct hth_buffer {
	struct hth_object object;
	uint64_t size;
	VkBufferUsageFlags usage;
	uint64_t va; /* 0: not bound */
};

/* Answers a VkMemoryDedicatedRequirements in the chain. */
void hth_dedicated_requirements(void *chain);

/* ---- Images ---- */

enum hth_format_flags {
	HTH_FORMAT_STORAGE = 1 << 0,	  /* kernels write it */
	HTH_FORMAT_ATOMIC = 1 << 1,	  /* and change it in one step */
	HTH_FORMAT_ATTACHMENT = 1 << 2,	  /* demanded as a colour to render to */
	HTH_FORMAT_TEXEL_BUFFER = 1 << 3, /* buffers may hold it */
	HTH_FORMAT_DEPTH = 1 << 4,
};

struct hth_format {
	VkFormat format;
	uint32_t texel_log2; /* bytes are 1 << this */
	uint32_t flags;
	struct hearth_component components[4];
};

/* NULL if the devices do not have it. */
const struct hth_format *hth_format_find(VkFormat format);
/* The bytes of a texel of this colour. */
void hth_format_encode(const struct hth_format *format, const VkClearColorValue *value,
		       uint32_t texel[4]);

struct hth_image {
	struct hth_object object;
	const struct hth_format *format;
	VkImageType type;
	VkExtent3D extent;
	uint32_t levels, layers;
	uint32_t row_bytes;
	uint32_t mip_rows; /* see struct hearth_image_descriptor */
	uint64_t slice_bytes;
	uint64_t size;
	uint64_t va; /* 0: not bound */
};

/* Where a texel lies, from the image's start; @z: slice or layer. */
uint64_t hth_image_offset(const struct hth_image *image, uint32_t level, uint32_t x, uint32_t y,
			  uint32_t z);
VkExtent3D hth_image_extent(const struct hth_image *image, uint32_t level);

/* Of an image or of a buffer. */
struct hth_image_view {
	struct hth_object object;
	struct hearth_image_descriptor descriptor;
};

struct hth_sampler {
	struct hth_object object;
	struct hearth_sampler_descriptor descriptor;
};

/* ---- Descriptors ---- */

struct hth_binding {
	VkDescriptorType type;
	uint32_t count; /* array elements; bytes of an inline uniform block */
	uint32_t slot;	/* first element in the set's table, or in its dynamic descriptors */
	uint32_t data;	/* inline uniform blocks: byte offset of the data in the set's memory */
	struct hearth_sampler_descriptor *samplers; /* immutable ones, or NULL */
	bool used;
};

/* Reference-counted: pipeline layouts and sets outlive the handle. */
struct hth_set_layout {
	struct hth_object object;
	_Atomic uint32_t references;
	uint32_t binding_count; /* highest binding + 1 */
	uint32_t table_count;	/* elements of the table */
	uint32_t dynamic_count;
	uint32_t size_bytes; /* of the table and the inline data after it */
	uint8_t hash[32];
	struct hth_binding bindings[];
};

struct hth_set_layout *hth_set_layout_ref(struct hth_set_layout *layout);
void hth_set_layout_unref(struct hth_device *device, struct hth_set_layout *layout);

struct hth_pipeline_layout {
	struct hth_object object;
	uint32_t set_count;
	struct hth_set_layout *sets[HTH_MAX_SETS];
	uint32_t dynamic_base[HTH_MAX_SETS]; /* first element in hearth_kernel_args.dynamic */
	uint32_t dynamic_count;
	uint32_t push_bytes;
};

struct hth_descriptor_set {
	struct hth_object object;
	struct hth_descriptor_pool *pool;
	struct hth_set_layout *layout;
	struct hth_descriptor_set *next, **link;
	uint32_t offset; /* in the pool's memory */
	uint32_t size_bytes;
	uint64_t va;
	void *table; /* struct hearth_descriptor[], then inline data; maybe write-combined */
	struct hearth_descriptor *dynamic;
};

/* Writes one descriptor write to a table. Used for sets and for push descriptors. */
void hth_descriptor_write(const struct hth_set_layout *layout, void *table,
			  struct hearth_descriptor *dynamic, const VkWriteDescriptorSet *write);
struct hth_update_template;
void hth_descriptor_write_template(const struct hth_set_layout *layout, void *table,
				   struct hearth_descriptor *dynamic,
				   const struct hth_update_template *update, const void *data);
void hth_descriptor_table_init(const struct hth_set_layout *layout, uint64_t va, void *table);

struct hth_descriptor_pool {
	struct hth_object object;
	VkDescriptorPoolCreateFlags flags;
	uint32_t max_sets;
	uint32_t set_count;
	struct hth_bo bo;		 /* size 0: no memory needed */
	struct hth_descriptor_set *sets; /* sorted by offset */
};

struct hth_update_template {
	struct hth_object object;
	uint32_t set; /* push descriptors: the set's number */
	uint32_t entry_count;
	VkDescriptorUpdateTemplateEntry entries[];
};

/* ---- Pipelines ---- */

struct hth_shader_module {
	struct hth_object object;
	size_t words;
	uint32_t code[];
};

/* A compiled kernel as caches keep it. @image follows in memory. */
struct hth_kernel {
	_Atomic uint32_t references;
	uint8_t key[32];
	uint32_t image_bytes;
	uint32_t entry_offset;
	uint32_t scratch_bytes;
	uint32_t stack_bytes;
	uint32_t local_size[3];
	uint32_t subgroup_size;
	uint32_t shared_bytes;
	uint8_t image[];
};

struct hth_pipeline {
	struct hth_object object;
	struct hth_code code;
	struct hth_scratch scratch;
	uint32_t local_size[3];
	uint32_t dynamic_count; /* of its layout */
	uint32_t dynamic_base[HTH_MAX_SETS];
	uint32_t set_dynamic_count[HTH_MAX_SETS];
	uint32_t set_count;
};

/* Kernels in memory and on disk (hth_cache.c). Returned kernels are referenced. */
struct hth_pipeline_cache {
	struct hth_object object;
	pthread_mutex_t lock;
	bool external;
	uint32_t count;
	uint32_t capacity;
	struct hth_kernel **kernels;
};

void hth_kernel_unref(struct hth_kernel *kernel);
struct hth_kernel *hth_kernel_create(const struct hc_kernel *compiled, const uint8_t key[32]);
struct hth_kernel *hth_pipeline_cache_find(struct hth_pipeline_cache *cache, const uint8_t key[32]);
void hth_pipeline_cache_add(struct hth_pipeline_cache *cache, struct hth_kernel *kernel);
struct hth_kernel *hth_disk_cache_load(const uint8_t key[32]);
void hth_disk_cache_store(const struct hth_kernel *kernel);
/* Writes the module to HEARTH_DUMP_DIR, if that is set; @seconds: what compiling took. */
void hth_dump_shader(const struct hc_compile_info *info, const uint8_t key[32], double seconds);
/* Folder of the disk cache with the given file in it; false when there is none. */
bool hth_disk_cache_path(char *path, size_t size, const char *file);
bool hth_disk_cache_read(const char *path, void **data, size_t *size, size_t limit);
void hth_disk_cache_write(const char *path, const void *data, size_t size);

/* The compiler library, loaded when first needed (hth_compiler.c). NULL and a reason otherwise. */
struct hth_compiler {
	enum hc_result (*target_host)(struct hc_target *target, const char *isa);
	enum hc_result (*target_riscv64)(struct hc_target *target, uint32_t vlen_bits);
	enum hc_result (*compile)(const struct hc_compile_info *info, struct hc_kernel **kernel,
				  char **message);
	void (*kernel_free)(struct hc_kernel *kernel);
	const char *(*result_string)(enum hc_result result);
	void (*build_id)(uint8_t id[20]);
};

const struct hth_compiler *hth_compiler_get(const char **reason);
/*
 * Targets and the compiler's build id, remembered on disk so that a program all of whose kernels are
 * cached never loads the compiler. False: there is no compiler, and there never was.
 */
bool hth_compiler_host_target(struct hc_target *target, const char *isa);
bool hth_compiler_board_target(struct hc_target *target, uint32_t vlen_bits);
void hth_compiler_build_id(uint8_t id[20]);

struct hth_sha256 {
	uint32_t state[8];
	uint64_t bytes;
	uint8_t block[64];
};

void hth_sha256_init(struct hth_sha256 *hash);
void hth_sha256_add(struct hth_sha256 *hash, const void *data, size_t size);
void hth_sha256_add_u32(struct hth_sha256 *hash, uint32_t value);
void hth_sha256_add_u64(struct hth_sha256 *hash, uint64_t value);
void hth_sha256_finish(struct hth_sha256 *hash, uint8_t out[32]);

/* ---- Commands ---- */

/* A block of command memory: packets from the start up, argument blocks from the end down. */
struct hth_block {
	struct hth_block *next;
	struct hth_bo bo; /* owner of the bytes, or size 0 when cut from a slab */
	uint64_t va;
	uint8_t *map;
	uint32_t size;
};

struct hth_slab {
	struct hth_slab *next;
	struct hth_bo bo;
};

struct hth_cmd_pool {
	struct hth_object object;
	struct hth_device *device;
	struct hth_block *free_blocks;
	struct hth_slab *slabs;
	struct hth_cmd_buffer *buffers;
};

enum hth_cmd_state {
	HTH_CMD_INITIAL,
	HTH_CMD_RECORDING,
	HTH_CMD_EXECUTABLE,
};

struct hth_push_set {
	struct hth_set_layout *layout; /* NULL: an ordinary set is bound here, or none */
	void *table; /* in the process's own memory; written to command memory when dispatched */
	uint64_t va; /* of the written copy; 0: changed since */
};

struct hth_cmd_buffer {
	struct hth_object object;
	struct hth_device *device;
	struct hth_cmd_pool *pool;
	struct hth_cmd_buffer *next, **link;
	VkCommandBufferLevel level;
	enum hth_cmd_state state;
	VkResult result; /* first failure of recording */

	struct hth_block *blocks;
	struct hth_block *block; /* the one being filled */
	uint32_t head, tail;	 /* bytes used from its start, first byte used at its end */
	struct hth_segment *segments;
	uint32_t segment_count;
	uint32_t segment_capacity;
	bool segment_open;
	bool after_barrier; /* nothing to order since the last packet that orders */

	struct hth_pipeline *pipeline;
	uint64_t set_va[HTH_MAX_SETS];
	struct hearth_descriptor dynamic[HTH_MAX_SETS][HTH_MAX_DYNAMIC];
	struct hth_push_set push_sets[HTH_MAX_SETS];
	uint8_t push[HTH_MAX_PUSH_BYTES];
};

/* A packet that copies; room for data beside the packets, which the device reads at *va (NULL: none, noted in the buffer). */
void hth_cmd_copy(struct hth_cmd_buffer *buffer, uint64_t source, uint64_t destination,
		  uint64_t size);
void *hth_cmd_data(struct hth_cmd_buffer *buffer, uint32_t bytes, uint64_t *va);
/* Gives back all that was recorded. */
void hth_cmd_buffer_reset(struct hth_cmd_buffer *buffer);
VkResult hth_block_get(struct hth_cmd_pool *pool, uint32_t need, struct hth_block **out);
void hth_block_put(struct hth_cmd_pool *pool, struct hth_block *block);

/* ---- Synchronisation ---- */

struct hth_fence {
	struct hth_object object;
	bool signaled;
	bool in_flight;
	struct hth_point point;
};

struct hth_timeline_point {
	uint64_t value;
	struct hth_point point;
};

struct hth_semaphore {
	struct hth_object object;
	bool timeline;
	/* binary: what the next wait has to wait for. */
	struct hth_point point;
	/* timeline: the value reached, and what submissions will make of it. */
	uint64_t value;
	uint32_t pending_count;
	uint32_t pending_capacity;
	struct hth_timeline_point *pending;
};

/* All with sync_lock held. */
VkResult hth_semaphore_signal_later(struct hth_semaphore *semaphore, uint64_t value,
				    const struct hth_point *point);
void hth_semaphore_update(struct hth_semaphore *semaphore);
bool hth_semaphore_find(struct hth_semaphore *semaphore, uint64_t value, struct hth_point *point);
/* Without it. */
VkResult hth_semaphore_wait(struct hth_device *device, struct hth_semaphore *semaphore,
			    uint64_t value, int64_t deadline_ns);

struct hth_event {
	struct hth_object object;
	struct hth_bo bo; /* one u64: 0 or 1 */
};

/* One slot of a query pool. */
struct hth_query {
	uint64_t value;
	uint64_t available;
};

struct hth_query_pool {
	struct hth_object object;
	VkQueryType type;
	uint32_t count;
	struct hth_bo bo; /* struct hth_query[count] */
};

struct hth_private_slot {
	struct hth_object object;
	uint64_t id;
};

HTH_DEFINE_DISPATCHABLE(hth_instance, VkInstance)
HTH_DEFINE_DISPATCHABLE(hth_physical_device, VkPhysicalDevice)
HTH_DEFINE_DISPATCHABLE(hth_device, VkDevice)
HTH_DEFINE_DISPATCHABLE(hth_queue, VkQueue)
HTH_DEFINE_DISPATCHABLE(hth_cmd_buffer, VkCommandBuffer)
HTH_DEFINE_HANDLE(hth_messenger, VkDebugUtilsMessengerEXT)
HTH_DEFINE_HANDLE(hth_memory, VkDeviceMemory)
HTH_DEFINE_HANDLE(hth_buffer, VkBuffer)
HTH_DEFINE_HANDLE(hth_image, VkImage)
HTH_DEFINE_HANDLE(hth_image_view, VkImageView)
HTH_DEFINE_HANDLE(hth_sampler, VkSampler)
HTH_DEFINE_HANDLE(hth_set_layout, VkDescriptorSetLayout)
HTH_DEFINE_HANDLE(hth_pipeline_layout, VkPipelineLayout)
HTH_DEFINE_HANDLE(hth_descriptor_set, VkDescriptorSet)
HTH_DEFINE_HANDLE(hth_descriptor_pool, VkDescriptorPool)
HTH_DEFINE_HANDLE(hth_update_template, VkDescriptorUpdateTemplate)
HTH_DEFINE_HANDLE(hth_shader_module, VkShaderModule)
HTH_DEFINE_HANDLE(hth_pipeline, VkPipeline)
HTH_DEFINE_HANDLE(hth_pipeline_cache, VkPipelineCache)
HTH_DEFINE_HANDLE(hth_cmd_pool, VkCommandPool)
HTH_DEFINE_HANDLE(hth_fence, VkFence)
HTH_DEFINE_HANDLE(hth_semaphore, VkSemaphore)
HTH_DEFINE_HANDLE(hth_event, VkEvent)
HTH_DEFINE_HANDLE(hth_query_pool, VkQueryPool)
HTH_DEFINE_HANDLE(hth_private_slot, VkPrivateDataSlot)

#endif /* HTH_PRIVATE_H */
