// SPDX-License-Identifier: MIT
/*
 * A board's memory: buffers of the board's memory and of the host's, dma-bufs in and out, and the
 * application's own pages, each bound at an address of the device's context and mapped for the CPU.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hth_board.h"

#define HUGE_BYTES (2ull << 20) /* what one entry of an upper page table maps */

static VkResult error_of(int error)
{
	switch (-error) {
	case ENOSPC:
	case ENOMEM:
		return VK_ERROR_OUT_OF_DEVICE_MEMORY;
	case EINVAL:
	case EFAULT:
	case EBADF:
	case ENOTTY:
	case EOPNOTSUPP:
		return VK_ERROR_INVALID_EXTERNAL_HANDLE;
	}
	return VK_ERROR_INITIALIZATION_FAILED;
}

static VkResult refuse(struct hth_device *device, const char *step, uint64_t bytes, int error,
		       VkResult result)
{
	hth_log(device->instance, VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT,
		"hearth-board-memory", "%s: cannot %s a buffer of %llu bytes: %s",
		device->physical_device->name, step, (unsigned long long)bytes, strerror(-error));
	return result;
}

/* ---- Handles that several buffers share ---- */

static struct hth_board_shared *shared_find(struct hth_board_device *board, uint32_t handle)
{
	for (uint32_t i = 0; i < board->shared_count; i++)
		if (board->shared[i].handle == handle)
			return &board->shared[i];
	return NULL;
}

/* One more user of a handle that a dma-buf leads to, or may from now on. */
static bool shared_add(struct hth_board_device *board, uint32_t handle)
{
	struct hth_board_shared *shared = shared_find(board, handle);

	if (shared) {
		shared->users++;
		return true;
	}
	if (board->shared_count == board->shared_capacity) {
		uint32_t capacity = board->shared_capacity ? 2 * board->shared_capacity : 8;
		struct hth_board_shared *grown = realloc(board->shared, capacity * sizeof(*grown));

		if (!grown)
			return false;
		board->shared = grown;
		board->shared_capacity = capacity;
	}
	board->shared[board->shared_count++] = (struct hth_board_shared){ handle, 1 };
	return true;
}

static void handle_close(struct hth_board_device *board, uint32_t handle)
{
	struct hth_board_shared *shared;

	pthread_mutex_lock(&board->shared_lock);
	shared = shared_find(board, handle);
	if (!shared || !--shared->users) {
		if (shared)
			*shared = board->shared[--board->shared_count];
		hearth_drm_bo_close(board->fd, handle);
	}
	pthread_mutex_unlock(&board->shared_lock);
}

/* ---- Buffers ---- */

/*
 * Binds @bytes of a buffer at addresses of its own, and maps them, unless @map says where they are.
 * Takes the handle, also when it fails.
 */
static VkResult place(struct hth_device *device, uint32_t handle, uint64_t bytes, uint32_t flags,
		      void *map, struct hth_bo *bo)
{
	struct hth_board_device *board = device->backend_data;
	const char *step = "find addresses for";
	int error;

	*bo = (struct hth_bo){ .size = bytes, .handle = handle, .owned = !map, .map = map };
	bo->va = hth_va_alloc(&board->va, bytes, bytes >= HUGE_BYTES ? HUGE_BYTES : HTH_BOARD_PAGE);
	error = bo->va ? 0 : -ENOSPC;
	if (error)
		goto out_close;
	step = "bind";
	error = hearth_drm_vm_map(board->fd, board->vm_id, handle, 0, bo->va, bytes, flags);
	if (error)
		goto out_va;
	step = "map";
	error = map ? 0 : hearth_drm_bo_map(board->fd, handle, bytes, &bo->map);
	if (error)
		goto out_unmap;
	return VK_SUCCESS;

out_unmap:
	hearth_drm_vm_unmap(board->fd, board->vm_id, bo->va, bytes);
out_va:
	hth_va_free(&board->va, bo->va, bytes);
out_close:
	handle_close(board, handle);
	bo->size = 0;
	return refuse(device, step, bytes, error, error_of(error));
}

VkResult hth_board_bo_create(struct hth_device *device, uint32_t placement, uint32_t bind_flags,
			     uint64_t size, struct hth_bo *bo)
{
	struct hth_board_device *board = device->backend_data;
	uint64_t bytes = HTH_ALIGN(HTH_MAX(size, 1u), HTH_BOARD_PAGE);
	uint32_t handle;
	int error;

	if (bytes < size)
		return VK_ERROR_OUT_OF_DEVICE_MEMORY;
	error = hearth_drm_bo_create(board->fd, bytes, placement, &handle);
	if (error)
		return refuse(device, "create", bytes, error, error_of(error));
	return place(device, handle, bytes, bind_flags, NULL, bo);
}

void hth_board_bo_destroy(struct hth_device *device, struct hth_bo *bo)
{
	struct hth_board_device *board = device->backend_data;

	if (bo->owned)
		munmap(bo->map, bo->size);
	hearth_drm_vm_unmap(board->fd, board->vm_id, bo->va, bo->size);
	handle_close(board, (uint32_t)bo->handle);
	hth_va_free(&board->va, bo->va, bo->size);
	bo->size = 0;
}

/* ---- Shared ---- */

/* Both types of file descriptors are dma-bufs. */
VkResult hth_board_bo_export(struct hth_device *device, const struct hth_bo *bo,
			     VkExternalMemoryHandleTypeFlagBits type, int *fd)
{
	struct hth_board_device *board = device->backend_data;
	bool noted = true;
	int error;

	(void)type;
	/* Should it come back, it has this handle. */
	pthread_mutex_lock(&board->shared_lock);
	if (!shared_find(board, (uint32_t)bo->handle))
		noted = shared_add(board, (uint32_t)bo->handle);
	pthread_mutex_unlock(&board->shared_lock);
	if (!noted)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	error = hearth_drm_bo_export(board->fd, (uint32_t)bo->handle, fd);
	if (error)
		return refuse(device, "export", bo->size, error,
			      error == -EMFILE ? VK_ERROR_TOO_MANY_OBJECTS
					       : VK_ERROR_OUT_OF_HOST_MEMORY);
	return VK_SUCCESS;
}

static VkResult take(struct hth_device *device, int fd, uint32_t *handle,
		     struct drm_hearth_bo_info *info)
{
	struct hth_board_device *board = device->backend_data;
	bool noted = true;
	int error;

	pthread_mutex_lock(&board->shared_lock);
	error = hearth_drm_bo_import(board->fd, fd, handle);
	if (!error) {
		noted = shared_add(board, *handle);
		if (!noted)
			hearth_drm_bo_close(board->fd, *handle);
	}
	pthread_mutex_unlock(&board->shared_lock);
	if (!noted)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	if (error)
		return refuse(device, "import", 0, error, error_of(error));
	error = hearth_drm_bo_info(board->fd, *handle, info);
	if (error) {
		handle_close(board, *handle);
		return refuse(device, "ask about", 0, error, error_of(error));
	}
	return VK_SUCCESS;
}

static enum hth_placement placement_of(const struct drm_hearth_bo_info *info)
{
	return info->placement == DRM_HEARTH_PLACEMENT_BOARD ? HTH_PLACEMENT_DEVICE
							     : HTH_PLACEMENT_HOST;
}

VkResult hth_board_bo_import_fd(struct hth_device *device, enum hth_placement placement,
				VkExternalMemoryHandleTypeFlagBits type, int fd, uint64_t size,
				struct hth_bo *bo)
{
	struct drm_hearth_bo_info info;
	uint32_t handle;
	VkResult result = take(device, fd, &handle, &info);

	(void)type;
	if (result != VK_SUCCESS)
		return result;
	if (info.size < size || placement_of(&info) != placement) {
		handle_close(device->backend_data, handle);
		return refuse(device, "import with these bytes and of this memory type", size,
			      -EINVAL, VK_ERROR_INVALID_EXTERNAL_HANDLE);
	}
	return place(device, handle, HTH_ALIGN(HTH_MAX(size, 1u), HTH_BOARD_PAGE), 0, NULL, bo);
}

VkResult hth_board_fd_placement(struct hth_device *device, VkExternalMemoryHandleTypeFlagBits type,
				int fd, enum hth_placement *placement)
{
	struct drm_hearth_bo_info info;
	uint32_t handle;
	VkResult result;

	/* What only this driver gives is not asked about. */
	if (type != VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT)
		return VK_ERROR_INVALID_EXTERNAL_HANDLE;
	result = take(device, fd, &handle, &info);
	if (result != VK_SUCCESS)
		return result;
	handle_close(device->backend_data, handle);
	*placement = placement_of(&info);
	return VK_SUCCESS;
}

VkResult hth_board_bo_import(struct hth_device *device, void *pointer, uint64_t size,
			     struct hth_bo *bo)
{
	struct hth_board_device *board = device->backend_data;
	uint32_t handle;
	int error;

	error = hearth_drm_bo_userptr(board->fd, pointer, size, 0, &handle);
	if (error)
		return refuse(device, "pin (see RLIMIT_MEMLOCK)", size, error, error_of(error));
	return place(device, handle, size, 0, pointer, bo);
}
