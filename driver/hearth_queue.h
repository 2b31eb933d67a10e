/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef HEARTH_QUEUE_H
#define HEARTH_QUEUE_H

#include <linux/types.h>

struct drm_device;
struct drm_file;
struct hbi_event;
struct hearth_device;
struct hearth_file;
struct hearth_vector;

void hearth_queue_interrupt(struct hearth_vector *vector);
void hearth_queue_event(struct hearth_device *hdev, const struct hbi_event *event,
			const char *what);
void hearth_queue_cancel_all(struct hearth_device *hdev);
void hearth_queue_unmap_all(struct hearth_device *hdev);
void hearth_queue_close_all(struct hearth_file *hfile, struct drm_file *file);

int hearth_ioctl_queue_create(struct drm_device *drm, void *data, struct drm_file *file);
int hearth_ioctl_queue_destroy(struct drm_device *drm, void *data, struct drm_file *file);
int hearth_ioctl_queue_wait(struct drm_device *drm, void *data, struct drm_file *file);
int hearth_ioctl_queue_wait_many(struct drm_device *drm, void *data, struct drm_file *file);
int hearth_ioctl_queue_fence(struct drm_device *drm, void *data, struct drm_file *file);
int hearth_ioctl_queue_state(struct drm_device *drm, void *data, struct drm_file *file);

#endif /* HEARTH_QUEUE_H */
