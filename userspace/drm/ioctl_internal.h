/* SPDX-License-Identifier: MIT */
#ifndef HEARTH_DRM_IOCTL_INTERNAL_H
#define HEARTH_DRM_IOCTL_INTERNAL_H

#include <errno.h>

#include <xf86drm.h>

static inline int hearth_drm_ioctl(int fd, unsigned long request, void *args)
{
	return drmIoctl(fd, request, args) ? -errno : 0;
}

#endif /* HEARTH_DRM_IOCTL_INTERNAL_H */
