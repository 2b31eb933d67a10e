/* SPDX-License-Identifier: MIT */
/* The host backend's own interfaces: its thread pool and its packet executor. */
#ifndef HTH_HOST_H
#define HTH_HOST_H

#include "hth_private.h"

struct hth_host_pool;

/* One job: @run is called for disjoint ranges that together are [0, total), on several threads. */
struct hth_host_job {
	void (*run)(const struct hth_host_job *job, uint64_t first, uint64_t count, void *scratch);
	const void *data;
	hearth_kernel_fn kernel;
	uint64_t total;
	uint64_t chunk;
	uint32_t scratch_bytes; /* memory that @run is given, HEARTH_KERNEL_ALIGN-aligned */
};

/* @threads: how many run a job, the caller's included. */
struct hth_host_pool *hth_host_pool_create(uint32_t threads);
void hth_host_pool_destroy(struct hth_host_pool *pool);
uint32_t hth_host_pool_threads(const struct hth_host_pool *pool);

/*
 * Runs the job and returns when it is done; the caller's thread takes part. Jobs of several callers
 * run one after another. @arena: the caller's scratch memory. False: out of memory.
 */
struct hth_host_arena {
	void *memory;
	size_t size;
};

bool hth_host_pool_run(struct hth_host_pool *pool, const struct hth_host_job *job,
		       struct hth_host_arena *arena);
void hth_host_arena_free(struct hth_host_arena *arena);

/* CPUs that this process may use, within HEARTH_CPU_THREADS. */
uint32_t hth_host_cpus(void);

struct hth_host_device {
	struct hth_host_pool *pool;
};

/* hth_host_shared.c: memory that has a file descriptor, hth_bo.handle - 1. */
bool hth_host_has_udmabuf(void);
VkResult hth_host_bo_create_shared(struct hth_device *device, enum hth_placement placement,
				   uint64_t size, struct hth_bo *bo);
VkResult hth_host_bo_export(struct hth_device *device, const struct hth_bo *bo,
			    VkExternalMemoryHandleTypeFlagBits type, int *fd);
VkResult hth_host_bo_import_fd(struct hth_device *device, enum hth_placement placement,
			       VkExternalMemoryHandleTypeFlagBits type, int fd, uint64_t size,
			       struct hth_bo *bo);
VkResult hth_host_fd_placement(struct hth_device *device, VkExternalMemoryHandleTypeFlagBits type,
			       int fd, enum hth_placement *placement);
void hth_host_shared_close(struct hth_bo *bo);

VkResult hth_host_queue_init(struct hth_queue *queue);
void hth_host_queue_finish(struct hth_queue *queue);
VkResult hth_host_queue_submit(struct hth_queue *queue, const struct hth_segment *segments,
			       uint32_t count, uint64_t ticket);

#endif /* HTH_HOST_H */
