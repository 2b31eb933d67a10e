/* SPDX-License-Identifier: MIT */
/* The board backend's own interfaces: its device, its address space and its queue. */
#ifndef HTH_BOARD_H
#define HTH_BOARD_H

#include "../drm/hearth_drm.h"
#include "hth_private.h"

#define HTH_BOARD_PAGE 4096ull

struct hth_board_physical {
	int fd; /* for queries */
	char node[64];
	struct drm_hearth_query_device info;
};

/* Free addresses of a context, as ranges in rising order that do not touch. */
struct hth_va_range {
	uint64_t start, end;
};

struct hth_va_space {
	pthread_mutex_t lock;
	uint32_t count, capacity;
	struct hth_va_range *ranges;
};

bool hth_va_init(struct hth_va_space *space, uint64_t start, uint64_t end);
void hth_va_finish(struct hth_va_space *space);
/* 0: there is no room. */
uint64_t hth_va_alloc(struct hth_va_space *space, uint64_t size, uint64_t alignment);
void hth_va_free(struct hth_va_space *space, uint64_t start, uint64_t size);

struct hth_board_scratch {
	struct hth_board_scratch *next;
	struct hth_bo bo;
	uint32_t stride;
};

struct hth_board_shared {
	uint32_t handle, users;
};

struct hth_board_device {
	int fd;
	uint32_t vm_id;
	const struct hth_board_physical *physical;
	struct hth_va_space va;

	/* Handles that several buffers may have: the kernel gives one for each dma-buf and file. */
	pthread_mutex_t shared_lock; /* inside @lock */
	uint32_t shared_count, shared_capacity;
	struct hth_board_shared *shared;

	pthread_mutex_t lock; /* of all below */
	struct hth_board_scratch
		*scratch; /* the largest first; old ones are still named by packets */
	/* Code that was written and that no SYNC_CODE packet has named yet. */
	uint32_t code_count, code_capacity;
	struct hth_va_range *code;
};

VkResult hth_board_bo_create(struct hth_device *device, uint32_t placement, uint32_t bind_flags,
			     uint64_t size, struct hth_bo *bo);
void hth_board_bo_destroy(struct hth_device *device, struct hth_bo *bo);
VkResult hth_board_bo_export(struct hth_device *device, const struct hth_bo *bo,
			     VkExternalMemoryHandleTypeFlagBits type, int *fd);
VkResult hth_board_bo_import_fd(struct hth_device *device, enum hth_placement placement,
				VkExternalMemoryHandleTypeFlagBits type, int fd, uint64_t size,
				struct hth_bo *bo);
VkResult hth_board_fd_placement(struct hth_device *device, VkExternalMemoryHandleTypeFlagBits type,
				int fd, enum hth_placement *placement);
VkResult hth_board_bo_import(struct hth_device *device, void *pointer, uint64_t size,
			     struct hth_bo *bo);

VkResult hth_board_queue_init(struct hth_queue *queue);
void hth_board_queue_finish(struct hth_queue *queue);
VkResult hth_board_queue_submit(struct hth_queue *queue, const struct hth_segment *segments,
				uint32_t count, uint64_t ticket);
uint64_t hth_board_queue_completed(struct hth_queue *queue, bool *lost);
VkResult hth_board_queue_wait(struct hth_queue *queue, uint64_t ticket, int64_t deadline_ns);
void hth_board_queue_statistics(struct hth_queue *queue, struct hearth_queue_statistics *out);

#endif /* HTH_BOARD_H */
