/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef HEARTH_BO_H
#define HEARTH_BO_H

#include <linux/list.h>
#include <linux/scatterlist.h>
#include <linux/workqueue.h>

#include <drm/drm_gem.h>
#include <uapi/drm/hearth_accel.h>

#include "hearth_device.h"

struct hearth_account;
struct mm_struct;

/**
 * enum hearth_bo_kind - whose memory a buffer is
 * @HEARTH_BO_BOARD: the board's
 * @HEARTH_BO_PAGES: host memory of its own
 * @HEARTH_BO_USERPTR: pages of a process, pinned; see hearth_userptr.c
 * @HEARTH_BO_IMPORT: another device's, come as a dma-buf; see hearth_dmabuf.c
 */
enum hearth_bo_kind {
	HEARTH_BO_BOARD,
	HEARTH_BO_PAGES,
	HEARTH_BO_USERPTR,
	HEARTH_BO_IMPORT,
};

/** struct hearth_bo - a buffer */
struct hearth_bo {
	/** @base: the GEM object */
	struct drm_gem_object base;
	/** @kind: never changes */
	enum hearth_bo_kind kind;
	/** @readonly: the board may only read it; never changes */
	bool readonly;
	/** @account: that it is charged to; holds a reference; NULL for imports */
	struct hearth_account *account;
	/** @blocks: board: its memory */
	struct list_head blocks;
	/**
	 * @dummy: board: what CPU mappings show once the board is gone; made by the first such
	 * fault, under @base's dma_resv
	 */
	struct page *dummy;
	/** @pages: pages, userptr: its memory, one entry for each page */
	struct page **pages;
	/** @mm: userptr: whose pinned pages they are counted as; holds it with mmgrab() */
	struct mm_struct *mm;
	/**
	 * @sgt: not board: its bus addresses
	 *
	 * An import's is the exporter's, and is NULL once it was given back, which is done with
	 * hearth_device.bos.imports_lock and @base's dma_resv held.
	 */
	struct sg_table *sgt;
	/**
	 * @node: not board: in hearth_device.bos.list or bos.imports; protected by bos.lock or
	 * bos.imports_lock
	 */
	struct list_head node;
	/** @revoked: import: its exporter takes it back; only ever set, under @base's dma_resv */
	bool revoked;
	/** @revoke: import: gives it back; see hearth_p2p.c */
	struct work_struct revoke;
	/** @dma_mapped: pages, userptr: @sgt is mapped; protected by hearth_device.bos.lock */
	bool dma_mapped;
};

#define to_hearth_bo(obj) container_of(obj, struct hearth_bo, base)

static inline u32 hearth_bo_placement(const struct hearth_bo *bo)
{
	return bo->kind == HEARTH_BO_BOARD ? DRM_HEARTH_PLACEMENT_BOARD : DRM_HEARTH_PLACEMENT_HOST;
}

struct hearth_bo *hearth_bo_new(struct hearth_device *hdev, enum hearth_bo_kind kind, u64 size);
int hearth_bo_charge(struct hearth_bo *bo, struct hearth_account *account);
int hearth_bo_dma_map(struct hearth_bo *bo);
void hearth_bo_unmap_all(struct hearth_device *hdev);
int hearth_bo_for_each(struct hearth_bo *bo, u64 offset, u64 size,
		       int (*each)(void *data, u64 position, u64 bytes), void *data);

int hearth_ioctl_bo_create(struct drm_device *drm, void *data, struct drm_file *file);
int hearth_ioctl_bo_info(struct drm_device *drm, void *data, struct drm_file *file);

#endif /* HEARTH_BO_H */
