// SPDX-License-Identifier: GPL-2.0-only
/*
 * Board memory in the hands of a peer: another device, a second board among them, that reads and
 * writes it through the aperture, over PCI, with no copy in between.
 *
 * The memory ends with its board, so a peer gets it only if it gives it back when it is told to.
 * This driver is on both sides. As exporter, a board that goes tells every peer and waits until the
 * last has unmapped. As importer, it is told under the exporter's dma_resv, where its own locks may
 * not be taken; a work then takes the memory out of every address space (a later access of the
 * board is a fault of its context) and unmaps.
 */
#include "hearth_device.h"

#ifdef HEARTH_HAVE_DMA_BUF_PHYS_VEC
#include <linux/dma-buf-mapping.h>
#include <linux/dma-resv.h>
#include <linux/pci-p2pdma.h>

#include <drm/drm_managed.h>

#include "hearth_bo.h"
#include "hearth_dmabuf.h"
#include "hearth_p2p.h"
#include "hearth_vm.h"
#include "hearth_vram.h"

/** struct hearth_p2p - what peers have of a board, and what it has of theirs */
struct hearth_p2p {
	/** @provider: of the aperture; NULL where the kernel or the machine has no peer-to-peer */
	struct p2pdma_provider *provider;
	/** @lock: protects @maps; inside the dma_resv of a dma-buf */
	struct mutex lock;
	/** @maps: of hearth_p2p_map.node */
	struct list_head maps;
	/** @unmapped: woken when @maps gets empty */
	wait_queue_head_t unmapped;
	/** @revoker: runs hearth_bo.revoke of what this board has imported */
	struct workqueue_struct *revoker;
};

/** struct hearth_p2p_map - one mapping of board memory by a peer */
struct hearth_p2p_map {
	/** @node: in hearth_p2p.maps */
	struct list_head node;
	/** @dma_buf: what is mapped; the peer holds it as long as it is */
	struct dma_buf *dma_buf;
	/** @sgt: the peer's bus addresses */
	struct sg_table *sgt;
	/** @told: to give it back; protected by hearth_p2p.lock */
	bool told;
};

/* ---- Out ---- */

int hearth_p2p_attach(struct hearth_bo *bo, struct dma_buf_attachment *attach)
{
	struct hearth_device *hdev = to_hearth_device(bo->base.dev);
	int idx, ret = 0;

	if (!attach->peer2peer || !dma_buf_attach_revocable(attach))
		return -EOPNOTSUPP;
	if (!drm_dev_enter(&hdev->drm, &idx))
		return -ENODEV;
	/* A way between the two that the machine is not known to carry is none. */
	if (!hdev->p2p->provider || pci_p2pdma_distance(hdev->pdev, attach->dev, false) < 0) {
		drm_dbg(&hdev->drm, "export: no way over PCI from %s to this board's memory\n",
			dev_name(attach->dev));
		ret = -EOPNOTSUPP;
	}
	drm_dev_exit(idx);
	return ret;
}

/** struct hearth_p2p_walk - collects the pieces of a buffer */
struct hearth_p2p_walk {
	/** @hdev: the board */
	struct hearth_device *hdev;
	/** @pieces: filled if not NULL */
	struct phys_vec *pieces;
	/** @count: of them */
	size_t count;
};

static int hearth_p2p_piece(void *data, u64 position, u64 bytes)
{
	struct hearth_p2p_walk *walk = data;

	if (walk->pieces)
		walk->pieces[walk->count] = (struct phys_vec){
			.paddr = walk->hdev->aperture.phys + position,
			.len = bytes,
		};
	walk->count++;
	return 0;
}

/* With the dma-buf's dma_resv. What is mapped here is on the list before the board can go. */
struct sg_table *hearth_p2p_map(struct hearth_bo *bo, struct dma_buf_attachment *attach,
				enum dma_data_direction direction)
{
	struct hearth_device *hdev = to_hearth_device(bo->base.dev);
	struct hearth_p2p_walk walk = { .hdev = hdev };
	struct hearth_p2p *p2p = hdev->p2p;
	struct hearth_p2p_map *map;
	struct sg_table *sgt;
	int idx;

	if (!drm_dev_enter(&hdev->drm, &idx))
		return ERR_PTR(-ENODEV);
	sgt = ERR_PTR(-ENOMEM);
	map = kzalloc_obj(*map, GFP_KERNEL);
	hearth_vram_for_each(hdev, &bo->blocks, 0, bo->base.size, hearth_p2p_piece, &walk);
	walk.pieces = kvcalloc(walk.count, sizeof(*walk.pieces), GFP_KERNEL);
	if (!map || !walk.pieces)
		goto out_free;
	walk.count = 0;
	hearth_vram_for_each(hdev, &bo->blocks, 0, bo->base.size, hearth_p2p_piece, &walk);
	sgt = dma_buf_phys_vec_to_sgt(attach, p2p->provider, walk.pieces, walk.count, bo->base.size,
				      direction);
	if (IS_ERR(sgt))
		goto out_free;
	map->dma_buf = attach->dmabuf;
	map->sgt = sgt;
	mutex_lock(&p2p->lock);
	list_add(&map->node, &p2p->maps);
	mutex_unlock(&p2p->lock);
	map = NULL;
out_free:
	kvfree(walk.pieces);
	kfree(map);
	drm_dev_exit(idx);
	return sgt;
}

/* With the dma-buf's dma_resv. */
void hearth_p2p_unmap(struct hearth_bo *bo, struct dma_buf_attachment *attach, struct sg_table *sgt,
		      enum dma_data_direction direction)
{
	struct hearth_p2p *p2p = to_hearth_device(bo->base.dev)->p2p;
	struct hearth_p2p_map *map;

	dma_buf_free_sgt(attach, sgt, direction);
	mutex_lock(&p2p->lock);
	list_for_each_entry (map, &p2p->maps, node) {
		if (map->sgt == sgt) {
			list_del(&map->node);
			kfree(map);
			break;
		}
	}
	if (list_empty(&p2p->maps))
		wake_up_all(&p2p->unmapped);
	mutex_unlock(&p2p->lock);
}

/* The dma-buf of a mapping that is not told yet, with a reference; NULL if all are. */
static struct dma_buf *hearth_p2p_next(struct hearth_p2p *p2p)
{
	struct dma_buf *dma_buf = NULL;
	struct hearth_p2p_map *map;

	mutex_lock(&p2p->lock);
	list_for_each_entry (map, &p2p->maps, node) {
		if (!map->told) {
			dma_buf = map->dma_buf;
			get_dma_buf(dma_buf);
			break;
		}
	}
	/* All mappings of it are told at once. */
	list_for_each_entry (map, &p2p->maps, node)
		if (map->dma_buf == dma_buf)
			map->told = true;
	mutex_unlock(&p2p->lock);
	return dma_buf;
}

/*
 * The board goes: no peer reads or writes its memory after this. Follows drm_dev_unplug(), so that
 * nothing is mapped anew. A peer that was let in has promised to unmap in bounded time.
 */
void hearth_p2p_revoke_all(struct hearth_device *hdev)
{
	struct hearth_p2p *p2p = hdev->p2p;
	struct dma_buf *dma_buf;

	while ((dma_buf = hearth_p2p_next(p2p))) {
		dma_resv_lock(dma_buf->resv, NULL);
		dma_buf_invalidate_mappings(dma_buf);
		dma_resv_unlock(dma_buf->resv);
		dma_buf_put(dma_buf);
	}
	wait_event(p2p->unmapped, list_empty_careful(&p2p->maps));
}

/* ---- In ---- */

/* An address space that still leads to what was revoked, with a reference; NULL if none does. */
static struct hearth_vm *hearth_p2p_user(struct hearth_bo *bo)
{
	struct drm_gem_object *obj = &bo->base;
	struct hearth_vm *vm = NULL;
	struct drm_gpuvm_bo *vm_bo;

	dma_resv_lock(obj->resv, NULL);
	drm_gem_for_each_gpuvm_bo (vm_bo, obj) {
		if (hearth_vm_reaches(vm_bo)) {
			vm = to_hearth_vm(drm_gpuvm_get(vm_bo->vm));
			break;
		}
	}
	dma_resv_unlock(obj->resv);
	return vm;
}

static void hearth_p2p_revoke(struct work_struct *work)
{
	struct hearth_bo *bo = container_of(work, struct hearth_bo, revoke);
	struct hearth_device *hdev = to_hearth_device(bo->base.dev);
	struct hearth_vm *vm;
	int idx;

	/* If this board goes, too, it gives everything back once it has stopped. */
	if (hearth_device_lock(hdev, &idx)) {
		while ((vm = hearth_p2p_user(bo))) {
			hearth_vm_cut(vm, &bo->base);
			hearth_vm_put(vm);
		}
		hearth_dmabuf_unmap(bo);
		hearth_device_exit(hdev, idx);
	}
	drm_gem_object_put(&bo->base);
}

/* From the exporter, under its dma_resv, which @bo's sgt is set and cleared under as well. */
static void hearth_p2p_invalidate(struct dma_buf_attachment *attach)
{
	struct hearth_bo *bo = attach->importer_priv;

	WRITE_ONCE(bo->revoked, true);
	/* One that is being freed unmaps by itself. */
	if (bo->sgt && kref_get_unless_zero(&bo->base.refcount) &&
	    !queue_work(to_hearth_device(bo->base.dev)->p2p->revoker, &bo->revoke))
		drm_gem_object_put(&bo->base);
}

static const struct dma_buf_attach_ops hearth_p2p_attach_ops = {
	.allow_peer2peer = true,
	.invalidate_mappings = hearth_p2p_invalidate,
};

/* A buffer that is @dma_buf's memory for as long as its exporter lets it. */
struct hearth_bo *hearth_p2p_import(struct hearth_device *hdev, struct dma_buf *dma_buf)
{
	struct dma_buf_attachment *attach;
	struct hearth_bo *bo;
	struct sg_table *sgt;
	int ret;

	bo = hearth_bo_new(hdev, HEARTH_BO_IMPORT, dma_buf->size);
	if (!bo)
		return ERR_PTR(-ENOMEM);
	INIT_WORK(&bo->revoke, hearth_p2p_revoke);
	ret = drm_gem_create_mmap_offset(&bo->base);
	if (ret)
		goto out_bo;
	attach = dma_buf_dynamic_attach(dma_buf, hdev->drm.dev, &hearth_p2p_attach_ops, bo);
	if (IS_ERR(attach)) {
		ret = PTR_ERR(attach);
		goto out_bo;
	}
	get_dma_buf(dma_buf);
	bo->base.import_attach = attach;
	bo->base.resv = dma_buf->resv;

	dma_resv_lock(dma_buf->resv, NULL);
	sgt = dma_buf_map_attachment(attach, DMA_BIDIRECTIONAL);
	ret = PTR_ERR_OR_ZERO(sgt);
	if (!ret)
		bo->sgt = sgt;
	dma_resv_unlock(dma_buf->resv);
	if (!ret)
		ret = hearth_dmabuf_check(&hdev->drm, sgt, dma_buf->size);
	if (ret)
		goto out_bo;
	return bo;

out_bo:
	drm_gem_object_put(&bo->base);
	return ERR_PTR(ret);
}

/* The board has given back all that it had imported: nothing is queued any more. */
void hearth_p2p_flush(struct hearth_device *hdev)
{
	flush_workqueue(hdev->p2p->revoker);
}

int hearth_p2p_init(struct hearth_device *hdev)
{
	struct pci_dev *pdev = hdev->pdev;
	struct hearth_p2p *p2p;
	int bar, ret;

	p2p = drmm_kzalloc(&hdev->drm, sizeof(*p2p), GFP_KERNEL);
	if (!p2p)
		return -ENOMEM;
	ret = drmm_mutex_init(&hdev->drm, &p2p->lock);
	if (ret)
		return ret;
	INIT_LIST_HEAD(&p2p->maps);
	init_waitqueue_head(&p2p->unmapped);
	p2p->revoker = drmm_alloc_ordered_workqueue(&hdev->drm, "hearth-revoke", 0);
	if (IS_ERR(p2p->revoker))
		return PTR_ERR(p2p->revoker);
	hdev->p2p = p2p;

	/* Without it the board does all but this. */
	if (pcim_p2pdma_init(pdev))
		return 0;
	for (bar = 0; bar < PCI_STD_NUM_BARS; bar++)
		if (hdev->aperture.phys >= pci_resource_start(pdev, bar) &&
		    hdev->aperture.phys <= pci_resource_end(pdev, bar) &&
		    pci_resource_len(pdev, bar))
			p2p->provider = pcim_p2pdma_provider(pdev, bar);
	return 0;
}
#endif /* HEARTH_HAVE_DMA_BUF_PHYS_VEC */
