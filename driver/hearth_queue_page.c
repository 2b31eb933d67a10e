// SPDX-License-Identifier: GPL-2.0-only
/*
 * The two pages of a user queue that a process maps: its doorbell, and its status. Both are GEM
 * objects without a handle. A doorbell that must not be rung shows a spare page instead, for as
 * long as anybody has it mapped.
 */
#include <linux/mm.h>

#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/drm_vma_manager.h>

#include "hearth_queue_private.h"

/** struct hearth_queue_page - a page that a process maps: the doorbell or the status page */
struct hearth_queue_page {
	/** @base: a GEM object without a handle, for its mmap offset and the vmas' references */
	struct drm_gem_object base;
	/** @queue: holds a reference */
	struct hearth_queue *queue;
	/** @doorbell: or the status page */
	bool doorbell;
};

#define to_hearth_queue_page(obj) container_of(obj, struct hearth_queue_page, base)

/* ---- The two pages ---- */

static void hearth_queue_page_free(struct drm_gem_object *obj)
{
	struct hearth_queue_page *page = to_hearth_queue_page(obj);

	drm_gem_object_release(obj);
	hearth_queue_put(page->queue);
	kfree(page);
}

static vm_fault_t hearth_queue_page_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct hearth_queue_page *page =
		to_hearth_queue_page((struct drm_gem_object *)vma->vm_private_data);
	struct hearth_queue *queue = page->queue;
	struct hearth_device *hdev = queue->hdev;
	vm_fault_t ret;
	int idx;

	if (!page->doorbell)
		return vmf_insert_pfn(vma, vmf->address, page_to_pfn(queue->page));

	/*
	 * What is mapped before @ended is set, hearth_queue_end() takes away after it has set it; a
	 * reset does likewise with the epoch.
	 */
	mutex_lock(&queue->fault_lock);
	down_read(&hdev->fault_lock);
	if (!queue->ended && !hearth_vm_stale(queue->vm) && drm_dev_enter(&hdev->drm, &idx)) {
		phys_addr_t doorbell =
			hdev->regs.doorbells + ((u64)queue->number << hdev->info.doorbell_log2);

		ret = vmf_insert_pfn_prot(vma, vmf->address, PHYS_PFN(doorbell),
					  pgprot_noncached(vma->vm_page_prot));
		drm_dev_exit(idx);
	} else {
		ret = vmf_insert_pfn(vma, vmf->address, page_to_pfn(queue->spare));
	}
	up_read(&hdev->fault_lock);
	mutex_unlock(&queue->fault_lock);
	return ret;
}

static const struct vm_operations_struct hearth_queue_page_vm_ops = {
	.fault = hearth_queue_page_fault,
	.open = drm_gem_vm_open,
	.close = drm_gem_vm_close,
};

static int hearth_queue_page_mmap(struct drm_gem_object *obj, struct vm_area_struct *vma)
{
	struct hearth_queue_page *page = to_hearth_queue_page(obj);

	if (!(vma->vm_flags & VM_SHARED) || vma->vm_end - vma->vm_start != PAGE_SIZE)
		return -EINVAL;
	if (!page->doorbell) {
		if (vma->vm_flags & VM_WRITE)
			return -EACCES;
		vm_flags_clear(vma, VM_MAYWRITE);
	}
	if (vma->vm_flags & VM_EXEC)
		return -EACCES;
	vm_flags_mod(vma, VM_PFNMAP | VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP, VM_MAYEXEC);
	vma->vm_ops = &hearth_queue_page_vm_ops;
	return 0;
}

static const struct drm_gem_object_funcs hearth_queue_page_funcs = {
	.free = hearth_queue_page_free,
	.mmap = hearth_queue_page_mmap,
	.vm_ops = &hearth_queue_page_vm_ops,
};

struct hearth_queue_page *hearth_queue_page_create(struct hearth_queue *queue,
						   struct drm_file *file, bool doorbell)
{
	struct hearth_queue_page *page;
	int ret;

	page = kzalloc_obj(struct hearth_queue_page, GFP_KERNEL_ACCOUNT);
	if (!page)
		return ERR_PTR(-ENOMEM);
	page->doorbell = doorbell;
	page->queue = queue;
	kref_get(&queue->ref);
	page->base.funcs = &hearth_queue_page_funcs;
	drm_gem_private_object_init(&queue->hdev->drm, &page->base, PAGE_SIZE);
	ret = drm_gem_create_mmap_offset(&page->base);
	if (!ret)
		ret = drm_vma_node_allow(&page->base.vma_node, file);
	if (ret) {
		drm_gem_object_put(&page->base);
		return ERR_PTR(ret);
	}
	return page;
}

void hearth_queue_page_drop(struct hearth_queue_page **page, struct drm_file *file)
{
	if (!*page)
		return;
	drm_vma_node_revoke(&(*page)->base.vma_node, file);
	drm_gem_object_put(&(*page)->base);
	*page = NULL;
}

/* For mmap() of the device file. */
u64 hearth_queue_page_offset(struct hearth_queue_page *page)
{
	return drm_vma_node_offset_addr(&page->base.vma_node);
}

/* Nobody has it mapped any more, until a page fault. */
void hearth_queue_page_revoke(struct hearth_queue_page *page)
{
	drm_vma_node_unmap(&page->base.vma_node, page->queue->hdev->drm.anon_inode->i_mapping);
}
