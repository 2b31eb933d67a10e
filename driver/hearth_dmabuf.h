/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef HEARTH_DMABUF_H
#define HEARTH_DMABUF_H

#include <linux/types.h>

struct dma_buf;
struct dma_buf_attachment;
struct drm_device;
struct drm_gem_object;
struct hearth_bo;
struct hearth_device;
struct sg_table;
struct vm_area_struct;

struct dma_buf *hearth_dmabuf_export(struct drm_gem_object *obj, int flags);
struct drm_gem_object *hearth_dmabuf_import(struct drm_device *drm, struct dma_buf *dma_buf);
struct drm_gem_object *hearth_dmabuf_import_sg_table(struct drm_device *drm,
						     struct dma_buf_attachment *attach,
						     struct sg_table *sgt);
int hearth_dmabuf_mmap(struct hearth_bo *bo, struct vm_area_struct *vma);
int hearth_dmabuf_check(struct drm_device *drm, struct sg_table *sgt, u64 size);
void hearth_dmabuf_unmap(struct hearth_bo *bo);
void hearth_dmabuf_release(struct hearth_bo *bo);
void hearth_dmabuf_unmap_all(struct hearth_device *hdev);

#endif /* HEARTH_DMABUF_H */
