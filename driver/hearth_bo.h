/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef HEARTH_BO_H
#define HEARTH_BO_H

#include <linux/list.h>
#include <linux/scatterlist.h>

#include <drm/drm_gem.h>

#include "hearth_device.h"

/** struct hearth_bo - a buffer */
struct hearth_bo {
	/** @base: the GEM object */
	struct drm_gem_object base;
	/** @placement: enum drm_hearth_placement; never changes */
	u32 placement;
	/** @blocks: board: its memory */
	struct list_head blocks;
	/**
	 * @dummy: board: what CPU mappings show once the board is gone; made by the first such
	 * fault, under @base's dma_resv
	 */
	struct page *dummy;
	/** @pages: host: its memory, one entry for each page */
	struct page **pages;
	/** @sgt: host: @pages and their bus addresses */
	struct sg_table *sgt;
	/** @node: host: in hearth_device.bos.list */
	struct list_head node;
	/** @dma_mapped: host: bus addresses are valid; protected by hearth_device.bos.lock */
	bool dma_mapped;
};

#define to_hearth_bo(obj) container_of(obj, struct hearth_bo, base)

struct hearth_bo *hearth_bo_create(struct hearth_device *hdev, u64 size, u32 placement);
void hearth_bo_unmap_all(struct hearth_device *hdev);
int hearth_bo_for_each(struct hearth_bo *bo, u64 offset, u64 size,
		       int (*each)(void *data, u64 position, u64 bytes), void *data);

int hearth_ioctl_bo_create(struct drm_device *drm, void *data, struct drm_file *file);
int hearth_ioctl_bo_info(struct drm_device *drm, void *data, struct drm_file *file);

#endif /* HEARTH_BO_H */
