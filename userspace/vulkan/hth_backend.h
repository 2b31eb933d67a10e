/* SPDX-License-Identifier: MIT */
/*
 * What the Vulkan objects (the front) need of a machine, and all that they know of it.
 *
 * Two backends exist: "host" runs packets on the threads of this machine's CPU, "board" gives them
 * to a board through hearth.ko. Both execute the same thing: arrays of HBI packets (hearth/hbi.h)
 * whose addresses are of the device's context. On the host an address is a pointer.
 *
 * Threading: bo_*, code_* and scratch calls may come from any thread at once. The calls of one queue
 * are serialised by the front, except queue_completed and queue_wait, which may come at any time.
 */
#ifndef HTH_BACKEND_H
#define HTH_BACKEND_H

#include <stdbool.h>
#include <stdint.h>
#include <vulkan/vulkan_core.h>
#include <hearth/hbi.h>

#include "hearth_vulkan.h"

struct hth_instance;
struct hth_physical_device;
struct hth_device;
struct hth_queue;

enum hth_placement {
	HTH_PLACEMENT_DEVICE, /* kernels reach it */
	HTH_PLACEMENT_HOST,   /* cached for the CPU; kernels may not reach it, packets always do */
};

/*
 * A piece of memory that packets can name.
 * @va: address of the context. @map: CPU address of the same bytes (never NULL, possibly
 * write-combined). @handle, @owned: the backend's own.
 */
struct hth_bo {
	uint64_t va;
	void *map;
	uint64_t size;
	uint64_t handle;
	bool owned;
};

/* Executable code. @entry: context address of the kernel's function. */
struct hth_code {
	struct hth_bo bo;
	uint64_t entry;
};

/* Recorded packets: @count of them at @va; the CPU sees them at @packets. */
struct hth_segment {
	uint64_t va;
	const union hbi_packet *packets;
	uint32_t count;
};

/* Scratch memory of one dispatch, as a DISPATCH packet names it. */
struct hth_scratch {
	uint64_t va;
	uint32_t stride;
};

struct hth_backend {
	const char *name;
	/*
	 * queue_submit returns while the work runs. Otherwise it returns when the work is done, and
	 * the front calls it from a thread of its own.
	 */
	bool asynchronous;

	VkResult (*device_init)(struct hth_device *device);
	void (*device_finish)(struct hth_device *device);
	void (*physical_device_finish)(struct hth_physical_device *physical_device);
	/*
	 * For VK_EXT_memory_budget: the process's memory objects in a heap have @used bytes; sets
	 * @used to what the process has there and @budget to what it could have.
	 */
	void (*memory_budget)(struct hth_physical_device *physical_device, uint32_t heap,
			      uint64_t *used, uint64_t *budget);

	VkResult (*bo_create)(struct hth_device *device, enum hth_placement placement,
			      uint64_t size, struct hth_bo *bo);
	/*
	 * Memory that others may get: made so that bo_export can give it as all of the device's
	 * export_handles.
	 */
	VkResult (*bo_create_shared)(struct hth_device *device, enum hth_placement placement,
				     uint64_t size, struct hth_bo *bo);
	/* A new file descriptor of one of the export_handles. */
	VkResult (*bo_export)(struct hth_device *device, const struct hth_bo *bo,
			      VkExternalMemoryHandleTypeFlagBits type, int *fd);
	/*
	 * Memory of one of the import_handles; @fd stays the caller's. Refuses what lies elsewhere
	 * than in @placement, and what has less than @size bytes.
	 */
	VkResult (*bo_import_fd)(struct hth_device *device, enum hth_placement placement,
				 VkExternalMemoryHandleTypeFlagBits type, int fd, uint64_t size,
				 struct hth_bo *bo);
	/* Where such memory lies. */
	VkResult (*fd_placement)(struct hth_device *device, VkExternalMemoryHandleTypeFlagBits type,
				 int fd, enum hth_placement *placement);
	/* Takes memory of the application, which stays its own. */
	VkResult (*bo_import)(struct hth_device *device, void *pointer, uint64_t size,
			      struct hth_bo *bo);
	void (*bo_destroy)(struct hth_device *device, struct hth_bo *bo);

	VkResult (*code_create)(struct hth_device *device, const void *image, uint64_t size,
				uint32_t entry_offset, struct hth_code *code);
	void (*code_destroy)(struct hth_device *device, struct hth_code *code);

	/* Scratch memory for kernels of these needs; stays valid until the device ends. */
	VkResult (*scratch)(struct hth_device *device, uint32_t scratch_bytes, uint32_t stack_bytes,
			    struct hth_scratch *scratch);

	VkResult (*queue_init)(struct hth_queue *queue);
	void (*queue_finish)(struct hth_queue *queue);
	/* Runs the segments one after another, after everything that the queue was given before. */
	VkResult (*queue_submit)(struct hth_queue *queue, const struct hth_segment *segments,
				 uint32_t count, uint64_t ticket);
	/* Asynchronous backends: the newest ticket that is done; sets @lost if the queue failed. */
	uint64_t (*queue_completed)(struct hth_queue *queue, bool *lost);
	/* Asynchronous backends: sleeps until the ticket is done; VK_TIMEOUT, VK_ERROR_DEVICE_LOST. */
	VkResult (*queue_wait)(struct hth_queue *queue, uint64_t ticket, int64_t deadline_ns);
	void (*queue_statistics)(struct hth_queue *queue, struct hearth_queue_statistics *out);
};

/* Add the devices that they find to the instance. */
VkResult hth_board_enumerate(struct hth_instance *instance);
VkResult hth_host_enumerate(struct hth_instance *instance);

#endif /* HTH_BACKEND_H */
