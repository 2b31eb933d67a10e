/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef HEARTH_USERPTR_H
#define HEARTH_USERPTR_H

struct drm_device;
struct drm_file;
struct hearth_bo;

void hearth_userptr_release(struct hearth_bo *bo);
int hearth_ioctl_bo_userptr(struct drm_device *drm, void *data, struct drm_file *file);

#endif /* HEARTH_USERPTR_H */
