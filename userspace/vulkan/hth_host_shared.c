// SPDX-License-Identifier: MIT
/*
 * The CPU device's memory that others get or give: a sealed memfd of this driver's (OPAQUE_FD), which can
 * become a dma-buf through the kernel's udmabuf device, and dma-bufs of others that let themselves be
 * mapped. The seals see to it that no one who has the file can take pages from under a kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/udmabuf.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hth_host.h"

#define UDMABUF "/dev/udmabuf"
#define SEALS	(F_SEAL_SHRINK | F_SEAL_GROW)

static VkResult refuse(struct hth_device *device, const char *what)
{
	hth_log(device->instance, VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT,
		"hearth-shared-memory", "%s: %s: %m", device->physical_device->name, what);
	return VK_ERROR_INVALID_EXTERNAL_HANDLE;
}

bool hth_host_has_udmabuf(void)
{
	int fd = open(UDMABUF, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static bool map_file(int fd, uint64_t size, struct hth_bo *bo)
{
	uint64_t bytes = HTH_ALIGN(HTH_MAX(size, 1u), (uint64_t)sysconf(_SC_PAGESIZE));
	void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		return false;
	*bo = (struct hth_bo){
		.va = (uintptr_t)map,
		.map = map,
		.size = bytes,
		.handle = (uint64_t)fd + 1,
		.owned = true,
	};
	return true;
}

VkResult hth_host_bo_create_shared(struct hth_device *device, enum hth_placement placement,
				   uint64_t size, struct hth_bo *bo)
{
	uint64_t bytes = HTH_ALIGN(HTH_MAX(size, 1u), (uint64_t)sysconf(_SC_PAGESIZE));
	int fd;

	(void)device;
	(void)placement;
	if (bytes < size || bytes > INT64_MAX)
		return VK_ERROR_OUT_OF_DEVICE_MEMORY;
	fd = memfd_create("hearth-memory", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return VK_ERROR_OUT_OF_DEVICE_MEMORY;
	if (ftruncate(fd, (off_t)bytes) || fcntl(fd, F_ADD_SEALS, SEALS) ||
	    !map_file(fd, size, bo)) {
		close(fd);
		return VK_ERROR_OUT_OF_DEVICE_MEMORY;
	}
	return VK_SUCCESS;
}

/* A dma-buf, or not: only those know of synchronisation with the CPU. */
static bool dmabuf_sync(int fd, uint64_t flags)
{
	struct dma_buf_sync sync = { .flags = flags | DMA_BUF_SYNC_RW };
	int ret;

	do
		ret = ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync);
	while (ret && (errno == EINTR || errno == EAGAIN));
	return !ret;
}

static VkResult make_dmabuf(struct hth_device *device, const struct hth_bo *bo, int *fd)
{
	struct udmabuf_create create = {
		.memfd = (uint32_t)(bo->handle - 1),
		.flags = UDMABUF_FLAGS_CLOEXEC,
		.size = bo->size,
	};
	int udmabuf = open(UDMABUF, O_RDWR | O_CLOEXEC);

	*fd = udmabuf < 0 ? -1 : ioctl(udmabuf, UDMABUF_CREATE, &create);
	if (*fd < 0)
		refuse(device, "no dma-buf of this memory (see udmabuf.size_limit_mb)");
	if (udmabuf >= 0)
		close(udmabuf);
	return *fd < 0 ? VK_ERROR_OUT_OF_HOST_MEMORY : VK_SUCCESS;
}

/* A dma-buf that was imported goes out as it came. */
VkResult hth_host_bo_export(struct hth_device *device, const struct hth_bo *bo,
			    VkExternalMemoryHandleTypeFlagBits type, int *fd)
{
	int own = (int)(bo->handle - 1);

	if (type == VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT && fcntl(own, F_GET_SEALS) >= 0)
		return make_dmabuf(device, bo, fd);
	*fd = fcntl(own, F_DUPFD_CLOEXEC, 0);
	return *fd < 0 ? VK_ERROR_TOO_MANY_OBJECTS : VK_SUCCESS;
}

/* Whether the file is of the type that it is said to be, and cannot become smaller. */
static VkResult check(struct hth_device *device, VkExternalMemoryHandleTypeFlagBits type, int fd,
		      uint64_t size)
{
	off_t bytes = lseek(fd, 0, SEEK_END);

	if (type == VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT) {
		if (!dmabuf_sync(fd, DMA_BUF_SYNC_START))
			return refuse(device, "the file is no dma-buf");
		dmabuf_sync(fd, DMA_BUF_SYNC_END);
	} else if ((fcntl(fd, F_GET_SEALS) & SEALS) != SEALS || fcntl(fd, F_GET_SEALS) < 0) {
		return refuse(device, "the file is not of this driver");
	}
	if (bytes < 0 || (uint64_t)bytes < size) {
		errno = EINVAL;
		return refuse(device, "the file has less bytes than the allocation");
	}
	return VK_SUCCESS;
}

VkResult hth_host_bo_import_fd(struct hth_device *device, enum hth_placement placement,
			       VkExternalMemoryHandleTypeFlagBits type, int fd, uint64_t size,
			       struct hth_bo *bo)
{
	VkResult result = check(device, type, fd, size);
	int own;

	(void)placement;
	if (result != VK_SUCCESS)
		return result;
	own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (own < 0)
		return VK_ERROR_TOO_MANY_OBJECTS;
	if (!map_file(own, size, bo)) {
		result = refuse(device, "the file cannot be mapped");
		close(own);
		return result;
	}
	/* The CPU uses it from now on until it is freed. */
	if (type == VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT)
		dmabuf_sync(own, DMA_BUF_SYNC_START);
	return VK_SUCCESS;
}

VkResult hth_host_fd_placement(struct hth_device *device, VkExternalMemoryHandleTypeFlagBits type,
			       int fd, enum hth_placement *placement)
{
	if (type != VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT)
		return VK_ERROR_INVALID_EXTERNAL_HANDLE;
	*placement = HTH_PLACEMENT_DEVICE;
	return check(device, type, fd, 0);
}

void hth_host_shared_close(struct hth_bo *bo)
{
	int fd = (int)(bo->handle - 1);

	if (fcntl(fd, F_GET_SEALS) < 0)
		dmabuf_sync(fd, DMA_BUF_SYNC_END);
	close(fd);
	bo->handle = 0;
}
