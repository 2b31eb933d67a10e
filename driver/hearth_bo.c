// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers: board memory seen through the aperture, or host memory that the board reaches by DMA:
 * its own pages, a process's (hearth_userptr.c) or another device's (hearth_dmabuf.c). What is
 * allocated here is zeroed before anybody sees it and charged to a user; none of it ever moves. CPU
 * mappings are filled by page faults, so that they can be taken away when the board goes.
 */
#include <linux/dma-mapping.h>
#include <linux/mm.h>

#include <drm/drm_prime.h>
#include <drm/drm_vma_manager.h>
#include <uapi/drm/hearth_accel.h>

#include "hearth_bo.h"
#include "hearth_dmabuf.h"
#include "hearth_pci.h"
#include "hearth_quota.h"
#include "hearth_userptr.h"
#include "hearth_vram.h"

/* Pages that one fault maps, if the buffer and the mapping have them. */
#define HEARTH_FAULT_AROUND 64ul

struct hearth_bo_span {
	u64 position;
};

static int hearth_bo_first(void *data, u64 position, u64 bytes)
{
	struct hearth_bo_span *span = data;

	span->position = position;
	return 1;
}

static unsigned long hearth_bo_pfn(struct hearth_bo *bo, unsigned long page)
{
	struct hearth_device *hdev = to_hearth_device(bo->base.dev);
	struct hearth_bo_span span = {};

	if (bo->kind == HEARTH_BO_PAGES)
		return page_to_pfn(bo->pages[page]);
	hearth_vram_for_each(hdev, &bo->blocks, (u64)page << PAGE_SHIFT, PAGE_SIZE, hearth_bo_first,
			     &span);
	return PHYS_PFN(hdev->aperture.phys + span.position);
}

/* The board is gone: the process goes on with memory of its own. */
static vm_fault_t hearth_bo_fault_dummy(struct hearth_bo *bo, struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	vm_fault_t ret = VM_FAULT_OOM;

	if (dma_resv_lock_interruptible(bo->base.resv, NULL))
		return VM_FAULT_NOPAGE;
	if (!bo->dummy)
		bo->dummy = alloc_page(GFP_HIGHUSER | __GFP_ZERO);
	if (bo->dummy)
		ret = vmf_insert_pfn_prot(vma, vmf->address, page_to_pfn(bo->dummy),
					  vm_get_page_prot(vma->vm_flags));
	dma_resv_unlock(bo->base.resv);
	return ret;
}

/* The board is being reset, and the process waits for its memory; without its locks, if it may. */
static vm_fault_t hearth_bo_fault_wait(struct hearth_device *hdev, struct vm_fault *vmf)
{
	struct mm_struct *mm = vmf->vma->vm_mm;

	if (!fault_flag_allow_retry_first(vmf->flags)) {
		wait_event_killable(hdev->state_wait, !hearth_device_away(hdev));
		return VM_FAULT_NOPAGE;
	}
	if (!(vmf->flags & FAULT_FLAG_RETRY_NOWAIT)) {
		/* Once the lock is dropped, the mapping may go, and with it the file. */
		drm_dev_get(&hdev->drm);
		mmap_read_unlock(mm);
		wait_event_killable(hdev->state_wait, !hearth_device_away(hdev));
		drm_dev_put(&hdev->drm);
	}
	return VM_FAULT_RETRY;
}

static vm_fault_t hearth_bo_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct drm_gem_object *obj = vma->vm_private_data;
	struct hearth_bo *bo = to_hearth_bo(obj);
	struct hearth_device *hdev = to_hearth_device(obj->dev);
	unsigned long pages = obj->size >> PAGE_SHIFT;
	unsigned long page = vmf->pgoff - drm_vma_node_start(&obj->vma_node);
	unsigned long address = vmf->address & PAGE_MASK, i, count;
	vm_fault_t ret = VM_FAULT_SIGBUS;
	int idx;

	if (page >= pages)
		return VM_FAULT_SIGBUS;
	if (bo->kind == HEARTH_BO_BOARD) {
		if (!drm_dev_enter(obj->dev, &idx))
			return hearth_bo_fault_dummy(bo, vmf);
		down_read(&hdev->fault_lock);
		if (hearth_device_away(hdev)) {
			up_read(&hdev->fault_lock);
			drm_dev_exit(idx);
			return hearth_bo_fault_wait(hdev, vmf);
		}
	}

	count = min3(HEARTH_FAULT_AROUND, pages - page, (vma->vm_end - address) >> PAGE_SHIFT);
	for (i = 0; i < count; i++) {
		vm_fault_t one =
			vmf_insert_pfn(vma, address + i * PAGE_SIZE, hearth_bo_pfn(bo, page + i));

		if (i == 0)
			ret = one;
		if (one != VM_FAULT_NOPAGE)
			break;
	}

	if (bo->kind == HEARTH_BO_BOARD) {
		up_read(&hdev->fault_lock);
		drm_dev_exit(idx);
	}
	return ret;
}

static const struct vm_operations_struct hearth_bo_vm_ops = {
	.fault = hearth_bo_fault,
	.open = drm_gem_vm_open,
	.close = drm_gem_vm_close,
};

static int hearth_bo_mmap(struct drm_gem_object *obj, struct vm_area_struct *vma)
{
	struct hearth_bo *bo = to_hearth_bo(obj);

	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (bo->kind == HEARTH_BO_IMPORT)
		return hearth_dmabuf_mmap(bo, vma);
	if (bo->kind == HEARTH_BO_USERPTR)
		return -EINVAL;
	if (bo->kind == HEARTH_BO_BOARD) {
		/* What could not be taken away with the board; a dma-buf's mappings can. */
		if (vma->vm_file->f_mapping != obj->dev->anon_inode->i_mapping)
			return -EOPNOTSUPP;
		vma->vm_page_prot = pgprot_writecombine(vm_get_page_prot(vma->vm_flags));
	}
	vm_flags_set(vma, VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_ops = &hearth_bo_vm_ops;
	return 0;
}

static void hearth_bo_free_pages(struct hearth_bo *bo)
{
	unsigned long i, count = bo->base.size >> PAGE_SHIFT;

	for (i = 0; i < count && bo->pages[i]; i++)
		__free_page(bo->pages[i]);
	kvfree(bo->pages);
}

static enum dma_data_direction hearth_bo_direction(const struct hearth_bo *bo)
{
	return bo->readonly ? DMA_TO_DEVICE : DMA_BIDIRECTIONAL;
}

static void hearth_bo_dma_unmap(struct hearth_bo *bo)
{
	lockdep_assert_held(&to_hearth_device(bo->base.dev)->bos.lock);

	if (!bo->dma_mapped)
		return;
	dma_unmap_sgtable(bo->base.dev->dev, bo->sgt, hearth_bo_direction(bo), 0);
	bo->dma_mapped = false;
}

/*
 * Gives the pages bus addresses, until the buffer or the board goes. Inside a
 * hearth_device_enter() section.
 */
int hearth_bo_dma_map(struct hearth_bo *bo)
{
	struct hearth_device *hdev = to_hearth_device(bo->base.dev);
	struct sg_table *sgt;
	int ret;

	sgt = drm_prime_pages_to_sg(&hdev->drm, bo->pages, bo->base.size >> PAGE_SHIFT);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	bo->sgt = sgt;
	mutex_lock(&hdev->bos.lock);
	ret = dma_map_sgtable(hdev->drm.dev, sgt, hearth_bo_direction(bo), 0);
	if (!ret) {
		bo->dma_mapped = true;
		list_add(&bo->node, &hdev->bos.list);
	}
	mutex_unlock(&hdev->bos.lock);
	return ret;
}

static void hearth_bo_dma_release(struct hearth_bo *bo)
{
	struct hearth_device *hdev = to_hearth_device(bo->base.dev);

	mutex_lock(&hdev->bos.lock);
	list_del_init(&bo->node);
	hearth_bo_dma_unmap(bo);
	mutex_unlock(&hdev->bos.lock);
	if (bo->sgt) {
		sg_free_table(bo->sgt);
		kfree(bo->sgt);
	}
}

static void hearth_bo_free(struct drm_gem_object *obj)
{
	struct hearth_bo *bo = to_hearth_bo(obj);

	switch (bo->kind) {
	case HEARTH_BO_BOARD:
		if (!list_empty(&bo->blocks))
			hearth_pm_put(to_hearth_device(obj->dev));
		hearth_vram_free(to_hearth_device(obj->dev), &bo->blocks);
		if (bo->dummy)
			__free_page(bo->dummy);
		break;
	case HEARTH_BO_PAGES:
		hearth_bo_dma_release(bo);
		if (bo->pages)
			hearth_bo_free_pages(bo);
		break;
	case HEARTH_BO_USERPTR:
		hearth_bo_dma_release(bo);
		hearth_userptr_release(bo);
		break;
	case HEARTH_BO_IMPORT:
		hearth_dmabuf_release(bo);
		break;
	}
	if (bo->account) {
		hearth_account_uncharge(bo->account, obj->size);
		hearth_account_put(bo->account);
	}
	drm_gem_object_release(obj);
	kfree(bo);
}

/* For another device that a buffer was exported to. */
static struct sg_table *hearth_bo_get_sg_table(struct drm_gem_object *obj)
{
	struct hearth_bo *bo = to_hearth_bo(obj);

	if (bo->kind != HEARTH_BO_PAGES)
		return ERR_PTR(-EOPNOTSUPP);
	return drm_prime_pages_to_sg(obj->dev, bo->pages, obj->size >> PAGE_SHIFT);
}

static const struct drm_gem_object_funcs hearth_bo_funcs = {
	.free = hearth_bo_free,
	.export = hearth_dmabuf_export,
	.get_sg_table = hearth_bo_get_sg_table,
	.mmap = hearth_bo_mmap,
	.vm_ops = &hearth_bo_vm_ops,
};

/* A buffer without memory, which drm_gem_object_put() frees at any stage of what follows. */
struct hearth_bo *hearth_bo_new(struct hearth_device *hdev, enum hearth_bo_kind kind, u64 size)
{
	struct hearth_bo *bo = kzalloc_obj(struct hearth_bo, GFP_KERNEL_ACCOUNT);

	if (!bo)
		return NULL;
	bo->kind = kind;
	bo->base.funcs = &hearth_bo_funcs;
	INIT_LIST_HEAD(&bo->blocks);
	INIT_LIST_HEAD(&bo->node);
	drm_gem_private_object_init(&hdev->drm, &bo->base, size);
	return bo;
}

/* -ENOSPC if it is more than the user may have. */
int hearth_bo_charge(struct hearth_bo *bo, struct hearth_account *account)
{
	int ret = hearth_account_charge(account, bo->base.size);

	if (!ret)
		bo->account = hearth_account_get(account);
	return ret;
}

static int hearth_bo_alloc_pages(struct hearth_device *hdev, struct hearth_bo *bo)
{
	unsigned long i, count = bo->base.size >> PAGE_SHIFT;
	/* Rather no memory than somebody else's killed for it. */
	gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN | __GFP_RETRY_MAYFAIL;

	if (dma_addressing_limited(&hdev->pdev->dev))
		gfp |= GFP_DMA32;
	bo->pages = kvcalloc(count, sizeof(*bo->pages), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!bo->pages)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		bo->pages[i] = alloc_page(gfp);
		if (!bo->pages[i])
			return -ENOMEM;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return hearth_bo_dma_map(bo);
}

static int hearth_bo_alloc_board(struct hearth_device *hdev, struct hearth_bo *bo)
{
	int ret;

	ret = hearth_vram_alloc(hdev, bo->base.size, &bo->blocks);
	if (ret)
		return ret;
	hearth_vram_zero(hdev, &bo->blocks);
	/* As long as it lives, what is in it does. */
	hearth_pm_get_again(hdev);
	return 0;
}

/* Inside a hearth_device_enter() section. @size: a multiple of the page size, not 0. */
static struct hearth_bo *hearth_bo_create(struct hearth_file *hfile, u64 size, u32 placement)
{
	bool board = placement == DRM_HEARTH_PLACEMENT_BOARD;
	struct hearth_device *hdev = hfile->hdev;
	struct hearth_bo *bo;
	int ret;

	bo = hearth_bo_new(hdev, board ? HEARTH_BO_BOARD : HEARTH_BO_PAGES, size);
	if (!bo)
		return ERR_PTR(-ENOMEM);
	ret = hearth_bo_charge(bo, board ? hfile->board_account : hfile->host_account);
	if (!ret)
		ret = board ? hearth_bo_alloc_board(hdev, bo) : hearth_bo_alloc_pages(hdev, bo);
	if (!ret)
		ret = drm_gem_create_mmap_offset(&bo->base);
	if (ret) {
		drm_gem_object_put(&bo->base);
		return ERR_PTR(ret);
	}
	return bo;
}

/* The board has stopped and will not touch host memory any more. */
void hearth_bo_unmap_all(struct hearth_device *hdev)
{
	struct hearth_bo *bo;

	mutex_lock(&hdev->bos.lock);
	list_for_each_entry (bo, &hdev->bos.list, node)
		hearth_bo_dma_unmap(bo);
	mutex_unlock(&hdev->bos.lock);
	hearth_dmabuf_unmap_all(hdev);
}

/** struct hearth_bo_walk - turns positions in the aperture into board-physical addresses */
struct hearth_bo_walk {
	/** @hdev: the board */
	struct hearth_device *hdev;
	/** @each: the caller's */
	int (*each)(void *data, u64 position, u64 bytes);
	/** @data: the caller's */
	void *data;
};

static int hearth_bo_walk_board(void *data, u64 position, u64 bytes)
{
	struct hearth_bo_walk *walk = data;

	return walk->each(walk->data, walk->hdev->aperture.base + position, bytes);
}

/*
 * Calls @each with every contiguous piece of [@offset, @offset + @size), in order, by its
 * board-physical address. Inside a hearth_device_enter() section, which keeps bus addresses valid.
 */
int hearth_bo_for_each(struct hearth_bo *bo, u64 offset, u64 size,
		       int (*each)(void *data, u64 position, u64 bytes), void *data)
{
	struct hearth_device *hdev = to_hearth_device(bo->base.dev);
	struct scatterlist *sg;
	unsigned int i;
	int ret;

	if (bo->kind == HEARTH_BO_BOARD) {
		struct hearth_bo_walk walk = { hdev, each, data };

		return hearth_vram_for_each(hdev, &bo->blocks, offset, size, hearth_bo_walk_board,
					    &walk);
	}
	for_each_sgtable_dma_sg (bo->sgt, sg, i) {
		u64 bytes = sg_dma_len(sg);
		u64 take;

		if (!size)
			break;
		if (offset >= bytes) {
			offset -= bytes;
			continue;
		}
		take = min(size, bytes - offset);
		ret = each(data, hdev->info.host_window + sg_dma_address(sg) + offset, take);
		if (ret)
			return ret;
		size -= take;
		offset = 0;
	}
	return 0;
}

/**
 * hearth_ioctl_bo_create() - DRM_IOCTL_HEARTH_BO_CREATE
 * @drm: the device
 * @data: struct drm_hearth_bo_create
 * @file: the caller's
 *
 * Returns: 0; -EINVAL for an unknown placement or flag, padding that is not zero, or a size of
 * 0; -ENOSPC without board memory, for more than there could ever be, or beyond the user's quota;
 * -ENOMEM without host memory; -EINTR for a process that is being killed; -ENODEV or -EIO when the
 * board is gone or has failed.
 */
int hearth_ioctl_bo_create(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct hearth_device *hdev = to_hearth_device(drm);
	struct drm_hearth_bo_create *args = data;
	struct hearth_bo *bo;
	u64 limit, size;
	int idx, ret;

	if (args->flags || args->pad)
		return -EINVAL;
	switch (args->placement) {
	case DRM_HEARTH_PLACEMENT_BOARD:
		limit = hearth_vram_total(hdev);
		break;
	case DRM_HEARTH_PLACEMENT_HOST:
		limit = (u64)totalram_pages() << PAGE_SHIFT;
		break;
	default:
		return -EINVAL;
	}
	if (!args->size || args->size > limit)
		return args->size ? -ENOSPC : -EINVAL;
	size = PAGE_ALIGN(args->size);

	ret = hearth_device_enter(hdev, &idx);
	if (ret)
		return ret;
	ret = hearth_device_error(hdev);
	if (ret)
		goto out_exit;
	bo = hearth_bo_create(file->driver_priv, size, args->placement);
	if (IS_ERR(bo)) {
		ret = PTR_ERR(bo);
		goto out_exit;
	}
	ret = drm_gem_handle_create(file, &bo->base, &args->handle);
	drm_gem_object_put(&bo->base);
	args->size = size;
out_exit:
	hearth_device_exit(hdev, idx);
	return ret;
}

/**
 * hearth_ioctl_bo_info() - DRM_IOCTL_HEARTH_BO_INFO
 * @drm: the device
 * @data: struct drm_hearth_bo_info
 * @file: the caller's
 *
 * Returns: 0; -EINVAL for padding that is not zero; -ENOENT for an unknown handle.
 */
int hearth_ioctl_bo_info(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_hearth_bo_info *args = data;
	struct drm_gem_object *obj;
	struct hearth_bo *bo;

	if (args->pad)
		return -EINVAL;

	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;
	bo = to_hearth_bo(obj);
	args->placement = hearth_bo_placement(bo);
	args->size = obj->size;
	args->mmap_offset = drm_vma_node_offset_addr(&obj->vma_node);
	args->flags = bo->readonly ? DRM_HEARTH_BO_IS_READONLY : 0;
	if (bo->kind == HEARTH_BO_USERPTR)
		args->flags |= DRM_HEARTH_BO_IS_USERPTR;
	if (bo->kind == HEARTH_BO_IMPORT)
		args->flags |= DRM_HEARTH_BO_IS_IMPORTED;
	drm_gem_object_put(obj);
	return 0;
}
