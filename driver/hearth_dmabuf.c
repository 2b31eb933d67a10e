// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers shared as dma-bufs. Out go host memory, to any device, and board memory, to files of the
 * same board and to peers (hearth_p2p.c); memory that a process has lent does not. In come other
 * devices' buffers, which the board then reaches by DMA until the buffer goes, or the board: a
 * board that is removed gives back every mapping of other devices' memory before the removal
 * returns.
 */
#include <linux/dma-buf.h>
#include <linux/mm.h>
#include <linux/module.h>

#include <drm/drm_prime.h>

#include "hearth_bo.h"
#include "hearth_device.h"
#include "hearth_dmabuf.h"
#include "hearth_p2p.h"

/* ---- Out ---- */

static int hearth_dmabuf_attach(struct dma_buf *dma_buf, struct dma_buf_attachment *attach)
{
	return hearth_p2p_attach(to_hearth_bo((struct drm_gem_object *)dma_buf->priv), attach);
}

static struct sg_table *hearth_dmabuf_map(struct dma_buf_attachment *attach,
					  enum dma_data_direction direction)
{
	struct drm_gem_object *obj = attach->dmabuf->priv;

	return hearth_p2p_map(to_hearth_bo(obj), attach, direction);
}

static void hearth_dmabuf_unmap_peer(struct dma_buf_attachment *attach, struct sg_table *sgt,
				     enum dma_data_direction direction)
{
	struct drm_gem_object *obj = attach->dmabuf->priv;

	hearth_p2p_unmap(to_hearth_bo(obj), attach, sgt, direction);
}

static const struct dma_buf_ops hearth_board_dmabuf_ops = {
	.attach = hearth_dmabuf_attach,
	.map_dma_buf = hearth_dmabuf_map,
	.unmap_dma_buf = hearth_dmabuf_unmap_peer,
	.release = drm_gem_dmabuf_release,
	.mmap = drm_gem_dmabuf_mmap,
};

static struct dma_buf *hearth_dmabuf_export_board(struct drm_gem_object *obj, int flags)
{
	struct dma_buf_export_info info = {
		.exp_name = KBUILD_MODNAME,
		.owner = THIS_MODULE,
		.ops = &hearth_board_dmabuf_ops,
		.size = obj->size,
		.flags = flags,
		.priv = obj,
		.resv = obj->resv,
	};

	return drm_gem_dmabuf_export(obj->dev, &info);
}

struct dma_buf *hearth_dmabuf_export(struct drm_gem_object *obj, int flags)
{
	struct hearth_bo *bo = to_hearth_bo(obj);

	/* What a process has pinned stays within its files, and with its limits. */
	if (bo->kind == HEARTH_BO_USERPTR)
		return ERR_PTR(-EPERM);
	if (bo->kind == HEARTH_BO_BOARD)
		return hearth_dmabuf_export_board(obj, flags);
	return drm_gem_prime_export(obj, flags);
}

/* ---- In ---- */

/* Whether page tables can lead there: whole pages, and as many of them as the buffer has. */
int hearth_dmabuf_check(struct drm_device *drm, struct sg_table *sgt, u64 size)
{
	struct scatterlist *sg;
	unsigned int i;
	u64 bytes = 0;

	for_each_sgtable_dma_sg (sgt, sg, i) {
		if ((sg_dma_address(sg) | sg_dma_len(sg)) & (SZ_4K - 1)) {
			drm_dbg(drm, "import: a piece of %#x bytes is not of whole pages\n",
				sg_dma_len(sg));
			return -EINVAL;
		}
		bytes += sg_dma_len(sg);
	}
	if (bytes < size || !PAGE_ALIGNED(size)) {
		drm_dbg(drm, "import: %#llx bytes are mapped of %#llx\n", bytes, size);
		return -EINVAL;
	}
	return 0;
}

/* Called by drm_gem_prime_import(), with a mapping that is the buffer's from now on. */
struct drm_gem_object *hearth_dmabuf_import_sg_table(struct drm_device *drm,
						     struct dma_buf_attachment *attach,
						     struct sg_table *sgt)
{
	struct hearth_device *hdev = to_hearth_device(drm);
	u64 size = attach->dmabuf->size;
	struct hearth_bo *bo;
	int ret;

	ret = hearth_dmabuf_check(drm, sgt, size);
	if (ret)
		return ERR_PTR(ret);
	bo = hearth_bo_new(hdev, HEARTH_BO_IMPORT, size);
	if (!bo)
		return ERR_PTR(-ENOMEM);
	ret = drm_gem_create_mmap_offset(&bo->base);
	if (ret) {
		/* The attachment stays the caller's. */
		drm_gem_object_put(&bo->base);
		return ERR_PTR(ret);
	}
	bo->sgt = sgt;
	return &bo->base;
}

struct drm_gem_object *hearth_dmabuf_import(struct drm_device *drm, struct dma_buf *dma_buf)
{
	struct hearth_device *hdev = to_hearth_device(drm);
	struct drm_gem_object *obj;
	struct hearth_bo *bo;
	int idx, ret;

	/* A buffer of this board comes back as itself. */
	if (dma_buf->ops == &hearth_board_dmabuf_ops) {
		struct drm_gem_object *own = dma_buf->priv;

		if (own->dev == drm) {
			drm_gem_object_get(own);
			return own;
		}
	}
	ret = hearth_device_enter(hdev, &idx);
	if (ret)
		return ERR_PTR(ret);
	ret = hearth_device_error(hdev);
	obj = ret ? ERR_PTR(ret) : drm_gem_prime_import(drm, dma_buf);
	/* What an exporter does not give for good, it may give until it takes it back. */
	if (obj == ERR_PTR(-EOPNOTSUPP)) {
		bo = hearth_p2p_import(hdev, dma_buf);
		obj = IS_ERR(bo) ? ERR_CAST(bo) : &bo->base;
	}
	if (IS_ERR(obj))
		goto out_exit;

	/* Host memory of this board's comes back as itself, too. */
	bo = to_hearth_bo(obj);
	if (bo->kind == HEARTH_BO_IMPORT) {
		mutex_lock(&hdev->bos.imports_lock);
		if (list_empty(&bo->node))
			list_add(&bo->node, &hdev->bos.imports);
		mutex_unlock(&hdev->bos.imports_lock);
	}
out_exit:
	hearth_device_exit(hdev, idx);
	return obj;
}

/* The exporter maps its own memory; the mapping holds the dma-buf, and no reference to @bo. */
int hearth_dmabuf_mmap(struct hearth_bo *bo, struct vm_area_struct *vma)
{
	int ret;

	vma->vm_private_data = NULL;
	vma->vm_ops = NULL;
	ret = dma_buf_mmap(bo->base.import_attach->dmabuf, vma, 0);
	/* The reference that was taken for the mapping. */
	if (!ret)
		drm_gem_object_put(&bo->base);
	return ret;
}

static void hearth_dmabuf_unmap_locked(struct hearth_bo *bo)
{
	lockdep_assert_held(&to_hearth_device(bo->base.dev)->bos.imports_lock);

	if (!bo->sgt)
		return;
	dma_resv_lock(bo->base.resv, NULL);
	dma_buf_unmap_attachment(bo->base.import_attach, bo->sgt, DMA_BIDIRECTIONAL);
	bo->sgt = NULL;
	dma_resv_unlock(bo->base.resv);
}

/* The board does not reach it any more. */
void hearth_dmabuf_unmap(struct hearth_bo *bo)
{
	struct hearth_device *hdev = to_hearth_device(bo->base.dev);

	mutex_lock(&hdev->bos.imports_lock);
	hearth_dmabuf_unmap_locked(bo);
	mutex_unlock(&hdev->bos.imports_lock);
}

void hearth_dmabuf_release(struct hearth_bo *bo)
{
	struct hearth_device *hdev = to_hearth_device(bo->base.dev);

	/* Not fully made. */
	if (!bo->base.import_attach)
		return;
	mutex_lock(&hdev->bos.imports_lock);
	list_del_init(&bo->node);
	hearth_dmabuf_unmap_locked(bo);
	mutex_unlock(&hdev->bos.imports_lock);
	drm_prime_gem_destroy(&bo->base, NULL);
}

/* The board has stopped and will not touch others' memory any more. */
void hearth_dmabuf_unmap_all(struct hearth_device *hdev)
{
	struct hearth_bo *bo;

	mutex_lock(&hdev->bos.imports_lock);
	list_for_each_entry (bo, &hdev->bos.imports, node)
		hearth_dmabuf_unmap_locked(bo);
	mutex_unlock(&hdev->bos.imports_lock);
}
