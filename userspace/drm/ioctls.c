// SPDX-License-Identifier: MIT
/*
 * One wrapper for each ioctl that has nothing to do with queues. They add nothing but the shape of
 * a C function: drmIoctl() starts an interrupted call again, and errno becomes the return value.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xf86drm.h>

#include "hearth_drm.h"
#include "ioctl_internal.h"

int hearth_drm_open(const char *node)
{
	char name[16];
	drm_version_t version = { .name = name, .name_len = sizeof(name) - 1 };
	int fd = open(node, O_RDWR | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -errno;
	memset(name, 0, sizeof(name));
	ret = hearth_drm_ioctl(fd, DRM_IOCTL_VERSION, &version);
	if (!ret && (strcmp(name, "hearth") || version.version_major != 1))
		ret = -ENODEV;
	if (ret) {
		close(fd);
		return ret == -ENOTTY ? -ENODEV : ret;
	}
	return fd;
}

static int hearth_drm_query(int fd, uint32_t type, void *out, uint32_t size)
{
	struct drm_hearth_dev_query args = {
		.type = type,
		.size = size,
		.pointer = (uintptr_t)out,
	};

	return hearth_drm_ioctl(fd, DRM_IOCTL_HEARTH_DEV_QUERY, &args);
}

int hearth_drm_query_device(int fd, struct drm_hearth_query_device *out)
{
	return hearth_drm_query(fd, DRM_HEARTH_QUERY_DEVICE, out, sizeof(*out));
}

int hearth_drm_query_firmware(int fd, struct drm_hearth_query_firmware *out)
{
	return hearth_drm_query(fd, DRM_HEARTH_QUERY_FIRMWARE, out, sizeof(*out));
}

int hearth_drm_query_state(int fd, struct drm_hearth_query_state *out)
{
	return hearth_drm_query(fd, DRM_HEARTH_QUERY_STATE, out, sizeof(*out));
}

int hearth_drm_query_telemetry(int fd, struct drm_hearth_query_telemetry *out)
{
	return hearth_drm_query(fd, DRM_HEARTH_QUERY_TELEMETRY, out, sizeof(*out));
}

int hearth_drm_query_memory(int fd, struct drm_hearth_query_memory *out)
{
	return hearth_drm_query(fd, DRM_HEARTH_QUERY_MEMORY, out, sizeof(*out));
}

int hearth_drm_query_quota(int fd, struct drm_hearth_query_quota *out)
{
	return hearth_drm_query(fd, DRM_HEARTH_QUERY_QUOTA, out, sizeof(*out));
}

int hearth_drm_bo_create(int fd, uint64_t size, uint32_t placement, uint32_t *handle)
{
	struct drm_hearth_bo_create args = { .size = size, .placement = placement };
	int ret = hearth_drm_ioctl(fd, DRM_IOCTL_HEARTH_BO_CREATE, &args);

	if (!ret)
		*handle = args.handle;
	return ret;
}

int hearth_drm_bo_userptr(int fd, void *address, uint64_t size, uint32_t flags, uint32_t *handle)
{
	struct drm_hearth_bo_userptr args = {
		.address = (uintptr_t)address,
		.size = size,
		.flags = flags,
	};
	int ret = hearth_drm_ioctl(fd, DRM_IOCTL_HEARTH_BO_USERPTR, &args);

	if (!ret)
		*handle = args.handle;
	return ret;
}

int hearth_drm_bo_info(int fd, uint32_t handle, struct drm_hearth_bo_info *out)
{
	*out = (struct drm_hearth_bo_info){ .handle = handle };
	return hearth_drm_ioctl(fd, DRM_IOCTL_HEARTH_BO_INFO, out);
}

int hearth_drm_bo_map(int fd, uint32_t handle, uint64_t size, void **address)
{
	struct drm_hearth_bo_info info;
	int ret = hearth_drm_bo_info(fd, handle, &info);
	void *map;

	if (ret)
		return ret;
	if (!size || size > info.size)
		return -EINVAL;
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)info.mmap_offset);
	if (map == MAP_FAILED)
		return -errno;
	*address = map;
	return 0;
}

int hearth_drm_bo_close(int fd, uint32_t handle)
{
	struct drm_gem_close args = { .handle = handle };

	return hearth_drm_ioctl(fd, DRM_IOCTL_GEM_CLOSE, &args);
}

int hearth_drm_bo_export(int fd, uint32_t handle, int *dmabuf)
{
	struct drm_prime_handle args = { .handle = handle, .flags = DRM_CLOEXEC | DRM_RDWR };
	int ret = hearth_drm_ioctl(fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &args);

	if (!ret)
		*dmabuf = args.fd;
	return ret;
}

int hearth_drm_bo_import(int fd, int dmabuf, uint32_t *handle)
{
	struct drm_prime_handle args = { .fd = dmabuf };
	int ret = hearth_drm_ioctl(fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &args);

	if (!ret)
		*handle = args.handle;
	return ret;
}

int hearth_drm_vm_create(int fd, uint32_t *vm_id)
{
	struct drm_hearth_vm_create args = { 0 };
	int ret = hearth_drm_ioctl(fd, DRM_IOCTL_HEARTH_VM_CREATE, &args);

	if (!ret)
		*vm_id = args.vm_id;
	return ret;
}

int hearth_drm_vm_destroy(int fd, uint32_t vm_id)
{
	struct drm_hearth_vm_destroy args = { .vm_id = vm_id };

	return hearth_drm_ioctl(fd, DRM_IOCTL_HEARTH_VM_DESTROY, &args);
}

int hearth_drm_vm_map(int fd, uint32_t vm_id, uint32_t handle, uint64_t bo_offset, uint64_t va,
		      uint64_t range, uint32_t flags)
{
	struct drm_hearth_vm_bind args = {
		.vm_id = vm_id,
		.op = DRM_HEARTH_VM_BIND_MAP,
		.flags = flags,
		.handle = handle,
		.bo_offset = bo_offset,
		.va = va,
		.range = range,
	};

	return hearth_drm_ioctl(fd, DRM_IOCTL_HEARTH_VM_BIND, &args);
}

int hearth_drm_vm_unmap(int fd, uint32_t vm_id, uint64_t va, uint64_t range)
{
	struct drm_hearth_vm_bind args = {
		.vm_id = vm_id,
		.op = DRM_HEARTH_VM_BIND_UNMAP,
		.va = va,
		.range = range,
	};

	return hearth_drm_ioctl(fd, DRM_IOCTL_HEARTH_VM_BIND, &args);
}
