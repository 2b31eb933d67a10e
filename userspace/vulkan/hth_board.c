// SPDX-License-Identifier: MIT
/*
 * The board backend: discovery, devices and code of Hearth boards through libhearth_drm. Each VkDevice
 * is one open file with one address space.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hth_board.h"

#define MIN_STRIDE  (64u << 10)
#define STACK_SPARE 4096u /* beside what the compiler says: alignment and what it cannot know */

#define CAPS_NEEDED (HBI_CAP_COMPUTE | HBI_CAP_RVV)

static VkResult bo_create(struct hth_device *device, enum hth_placement placement, uint64_t size,
			  struct hth_bo *bo)
{
	return hth_board_bo_create(device,
				   placement == HTH_PLACEMENT_DEVICE ? DRM_HEARTH_PLACEMENT_BOARD
								     : DRM_HEARTH_PLACEMENT_HOST,
				   0, size, bo);
}

/* ---- Code and scratch ---- */

static VkResult code_create(struct hth_device *device, const void *image, uint64_t size,
			    uint32_t entry_offset, struct hth_code *code)
{
	struct hth_board_device *board = device->backend_data;
	VkResult result = hth_board_bo_create(device, DRM_HEARTH_PLACEMENT_BOARD,
					      DRM_HEARTH_VM_BIND_EXEC, size, &code->bo);

	if (result != VK_SUCCESS)
		return result;
	memcpy(code->bo.map, image, size);
	code->entry = code->bo.va + entry_offset;
	pthread_mutex_lock(&board->lock);
	if (board->code_count == board->code_capacity) {
		uint32_t capacity = board->code_capacity ? 2 * board->code_capacity : 16;
		struct hth_va_range *grown = realloc(board->code, capacity * sizeof(*grown));

		if (grown) {
			board->code = grown;
			board->code_capacity = capacity;
		} else {
			result = VK_ERROR_OUT_OF_HOST_MEMORY;
		}
	}
	if (result == VK_SUCCESS)
		board->code[board->code_count++] =
			(struct hth_va_range){ code->bo.va, code->bo.va + size };
	pthread_mutex_unlock(&board->lock);
	if (result != VK_SUCCESS)
		hth_board_bo_destroy(device, &code->bo);
	return result;
}

static void code_destroy(struct hth_device *device, struct hth_code *code)
{
	struct hth_board_device *board = device->backend_data;

	pthread_mutex_lock(&board->lock);
	for (uint32_t i = 0; i < board->code_count; i++) {
		if (board->code[i].start == code->bo.va) {
			board->code[i] = board->code[--board->code_count];
			break;
		}
	}
	pthread_mutex_unlock(&board->lock);
	hth_board_bo_destroy(device, &code->bo);
}

static VkResult scratch(struct hth_device *device, uint32_t scratch_bytes, uint32_t stack_bytes,
			struct hth_scratch *out)
{
	struct hth_board_device *board = device->backend_data;
	uint64_t need = HTH_ALIGN((uint64_t)scratch_bytes, 64u) + stack_bytes + STACK_SPARE;
	uint64_t stride = MIN_STRIDE;
	VkResult result = VK_SUCCESS;

	while (stride < need)
		stride *= 2;
	if (stride > 1u << 31)
		return VK_ERROR_OUT_OF_DEVICE_MEMORY;
	pthread_mutex_lock(&board->lock);
	if (!board->scratch || board->scratch->stride < need) {
		struct hth_board_scratch *larger = calloc(1, sizeof(*larger));

		result = VK_ERROR_OUT_OF_HOST_MEMORY;
		if (larger) {
			result = hth_board_bo_create(device, DRM_HEARTH_PLACEMENT_BOARD, 0,
						     stride * board->physical->info.workers,
						     &larger->bo);
			larger->stride = (uint32_t)stride;
			larger->next = board->scratch;
			if (result == VK_SUCCESS)
				board->scratch = larger;
			else
				free(larger);
		}
	}
	if (result == VK_SUCCESS) {
		out->va = board->scratch->bo.va;
		out->stride = board->scratch->stride;
	}
	pthread_mutex_unlock(&board->lock);
	return result;
}

/* ---- Device ---- */

static VkResult device_init(struct hth_device *device)
{
	const struct hth_board_physical *physical = device->physical_device->backend_data;
	struct hth_board_device *board = calloc(1, sizeof(*board));
	VkResult result = VK_ERROR_INITIALIZATION_FAILED;
	int error;

	if (!board)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	board->physical = physical;
	board->fd = hearth_drm_open(physical->node);
	error = board->fd;
	if (error < 0)
		goto out_free;
	error = hearth_drm_vm_create(board->fd, &board->vm_id);
	if (error)
		goto out_close;
	/* Address 0 stays free, so that a null address is never valid. */
	if (!hth_va_init(&board->va, HTH_MAX(physical->info.va_start, HTH_BOARD_PAGE),
			 physical->info.va_end)) {
		result = VK_ERROR_OUT_OF_HOST_MEMORY;
		goto out_vm;
	}
	pthread_mutex_init(&board->lock, NULL);
	pthread_mutex_init(&board->shared_lock, NULL);
	device->backend_data = board;
	return VK_SUCCESS;

out_vm:
	hearth_drm_vm_destroy(board->fd, board->vm_id);
out_close:
	close(board->fd);
out_free:
	free(board);
	if (error)
		hth_log(device->instance, VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
			"hearth-board", "%s: %s", physical->node, strerror(-error));
	return result;
}

static void device_finish(struct hth_device *device)
{
	struct hth_board_device *board = device->backend_data;

	while (board->scratch) {
		struct hth_board_scratch *next = board->scratch->next;

		hth_board_bo_destroy(device, &board->scratch->bo);
		free(board->scratch);
		board->scratch = next;
	}
	hearth_drm_vm_destroy(board->fd, board->vm_id);
	close(board->fd);
	free(board->code);
	free(board->shared);
	hth_va_finish(&board->va);
	pthread_mutex_destroy(&board->lock);
	pthread_mutex_destroy(&board->shared_lock);
	free(board);
}

static void physical_device_finish(struct hth_physical_device *pd)
{
	struct hth_board_physical *physical = pd->backend_data;

	close(physical->fd);
	free(physical);
}

static void memory_budget(struct hth_physical_device *pd, uint32_t heap, uint64_t *used,
			  uint64_t *budget)
{
	struct hth_board_physical *physical = pd->backend_data;
	struct drm_hearth_query_memory memory = { 0 };
	struct drm_hearth_query_quota quota;
	uint64_t left;

	*budget = pd->memory.memoryHeaps[heap].size;
	if (hearth_drm_query_memory(physical->fd, &memory) ||
	    hearth_drm_query_quota(physical->fd, &quota))
		return;
	if (heap)
		left = quota.host_limit - HTH_MIN(quota.host_used, quota.host_limit);
	else
		left = HTH_MIN(memory.board_free,
			       quota.board_limit - HTH_MIN(quota.board_used, quota.board_limit));
	*budget = HTH_MIN(*used + left, *budget);
}

static const struct hth_backend board_backend = {
	.name = "board",
	.asynchronous = true,
	.device_init = device_init,
	.device_finish = device_finish,
	.physical_device_finish = physical_device_finish,
	.memory_budget = memory_budget,
	.bo_create = bo_create,
	.bo_create_shared = bo_create,
	.bo_export = hth_board_bo_export,
	.bo_import_fd = hth_board_bo_import_fd,
	.fd_placement = hth_board_fd_placement,
	.bo_import = hth_board_bo_import,
	.bo_destroy = hth_board_bo_destroy,
	.code_create = code_create,
	.code_destroy = code_destroy,
	.scratch = scratch,
	.queue_init = hth_board_queue_init,
	.queue_finish = hth_board_queue_finish,
	.queue_submit = hth_board_queue_submit,
	.queue_completed = hth_board_queue_completed,
	.queue_wait = hth_board_queue_wait,
	.queue_statistics = hth_board_queue_statistics,
};

/* ---- Discovery ---- */

static void set_memory(struct hth_physical_device *pd, uint64_t board_bytes, bool host_access)
{
	VkPhysicalDeviceMemoryProperties *memory = &pd->memory;
	uint64_t host_bytes =
		(uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) / 2;

	memory->memoryHeapCount = 2;
	memory->memoryHeaps[0].size = board_bytes;
	memory->memoryHeaps[0].flags = VK_MEMORY_HEAP_DEVICE_LOCAL_BIT;
	memory->memoryHeaps[1].size = host_bytes;
	memory->memoryTypeCount = 2;
	memory->memoryTypes[0].heapIndex = 0;
	memory->memoryTypes[0].propertyFlags = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT |
					       VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
					       VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
	memory->memoryTypes[1].heapIndex = 1;
	memory->memoryTypes[1].propertyFlags = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
					       VK_MEMORY_PROPERTY_HOST_COHERENT_BIT |
					       VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
	pd->placements[0] = HTH_PLACEMENT_DEVICE;
	pd->placements[1] = HTH_PLACEMENT_HOST;
	pd->storage_types = host_access ? 3 : 1;
	pd->transfer_types = 3;
	pd->pointer_types = 2;
	pd->pointer_handles = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT;
	pd->import_handles = VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT |
			     VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT;
	pd->export_handles = pd->import_handles;
}

/* A board that cannot be used is passed over with a word on why; it is no error of the instance. */
static struct hth_physical_device *probe(struct hth_instance *instance,
					 const struct hearth_drm_board *found)
{
	struct hth_board_physical *physical = calloc(1, sizeof(*physical));
	struct hth_physical_device *pd = calloc(1, sizeof(*pd));
	struct drm_hearth_query_memory memory = { 0 };
	const struct drm_hearth_query_device *info;
	int error;

	if (!physical || !pd)
		goto out_free;
	memcpy(physical->node, found->node, sizeof(physical->node));
	physical->node[sizeof(physical->node) - 1] = '\0';
	physical->fd = hearth_drm_open(found->node);
	error = physical->fd;
	if (error < 0)
		goto out_log;
	error = hearth_drm_query_device(physical->fd, &physical->info);
	if (!error)
		error = hearth_drm_query_memory(physical->fd, &memory);
	info = &physical->info;
	if (!error && (!info->workers || (info->caps & CAPS_NEEDED) != CAPS_NEEDED))
		error = -ENODEV;
	if (error) {
		close(physical->fd);
		goto out_log;
	}
	pd->backend = &board_backend;
	pd->backend_data = physical;
	pd->type = VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU;
	pd->has_target = hth_compiler_board_target(&pd->target, info->vlen_bits);
	if (!pd->has_target) {
		pd->target.subgroup_size = HTH_MAX(info->vlen_bits / 32, 4u);
		pd->target.min_subgroup_size = pd->target.subgroup_size;
		pd->target.max_subgroup_size = pd->target.subgroup_size;
	}
	snprintf(pd->name, sizeof(pd->name), "Hearth board (%.63s, %u %s, VLEN %u)",
		 (const char *)info->board_name, info->workers,
		 info->workers == 1 ? "hart" : "harts", info->vlen_bits);
	pd->vendor_id = found->vendor_id ? found->vendor_id : HBI_VIRTUAL_VENDOR;
	pd->device_id = found->device_id ? found->device_id : info->board_id;
	memcpy(pd->uuid, info->uuid, VK_UUID_SIZE);
	pd->queue_count = 1;
	pd->timestamp_period_ns = info->timestamp_hz ? 1e9 / (double)info->timestamp_hz : 1.0;
	set_memory(pd, memory.board_total, info->caps & HBI_CAP_HOST_ACCESS);
	return pd;

out_log:
	hth_log(instance, VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT, "hearth-board",
		"%s: the board cannot be used: %s", found->node, strerror(-error));
out_free:
	free(physical);
	free(pd);
	return NULL;
}

VkResult hth_board_enumerate(struct hth_instance *instance)
{
	struct hearth_drm_board boards[HEARTH_DRM_MAX_BOARDS];
	int count = hearth_drm_discover(boards, HEARTH_DRM_MAX_BOARDS);

	for (int i = 0; i < HTH_MIN(count, HEARTH_DRM_MAX_BOARDS); i++) {
		struct hth_physical_device *pd;
		VkResult result;

		if (!boards[i].node[0])
			continue;
		pd = probe(instance, &boards[i]);
		if (!pd)
			continue;
		result = hth_instance_add_device(instance, pd);
		if (result != VK_SUCCESS) {
			physical_device_finish(pd);
			free(pd);
			return result;
		}
	}
	return VK_SUCCESS;
}
