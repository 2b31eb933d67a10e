// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers of memory that a process has already. The pages are pinned for as long as the buffer
 * lives: a long-term pin moves them out of where they could not stay, and later changes of the
 * process's mappings (unmapping, forking, swapping) change the process's view alone. So no notifier
 * of the memory management is needed, and nothing here ever waits for the board.
 */
#include <linux/capability.h>
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include <uapi/drm/hearth_accel.h>

#include "hearth_bo.h"
#include "hearth_device.h"
#include "hearth_quota.h"
#include "hearth_userptr.h"

/* Pages that one call pins, between two looks at the signals. */
#define HEARTH_PIN_STEP 1024ul

/* As mlock() does: up to RLIMIT_MEMLOCK, all processes of one address space together. */
static int hearth_userptr_account(struct hearth_bo *bo, unsigned long pages)
{
	struct mm_struct *mm = current->mm;
	unsigned long limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	u64 pinned = atomic64_add_return(pages, &mm->pinned_vm);

	if (pinned > limit && !capable(CAP_IPC_LOCK)) {
		atomic64_sub(pages, &mm->pinned_vm);
		drm_dbg(bo->base.dev, "%llu pages pinned would exceed RLIMIT_MEMLOCK (%lu)\n",
			pinned, limit);
		return -ENOMEM;
	}
	mmgrab(mm);
	bo->mm = mm;
	return 0;
}

/* Pins what it can. What it did is left in @bo->pages for hearth_userptr_release(). */
static int hearth_userptr_pin(struct hearth_bo *bo, unsigned long address)
{
	unsigned int flags = FOLL_LONGTERM | (bo->readonly ? 0 : FOLL_WRITE);
	unsigned long done = 0, count = bo->base.size >> PAGE_SHIFT;

	bo->pages = kvcalloc(count, sizeof(*bo->pages), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!bo->pages)
		return -ENOMEM;
	while (done < count) {
		int got = pin_user_pages_fast(address + (done << PAGE_SHIFT),
					      min(count - done, HEARTH_PIN_STEP), flags,
					      bo->pages + done);

		if (got < 0)
			return got;
		if (!got)
			return -EFAULT;
		done += got;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

/* The board cannot reach the pages any more. */
void hearth_userptr_release(struct hearth_bo *bo)
{
	unsigned long done = 0, count = bo->base.size >> PAGE_SHIFT;

	if (bo->pages) {
		while (done < count && bo->pages[done])
			done++;
		unpin_user_pages_dirty_lock(bo->pages, done, !bo->readonly);
		kvfree(bo->pages);
	}
	if (bo->mm) {
		atomic64_sub(count, &bo->mm->pinned_vm);
		mmdrop(bo->mm);
	}
}

/*
 * A buffer of pinned pages that the board has no addresses for yet. Not in a hearth_device_enter()
 * section: a page may be long in coming, or never come (userfaultfd, a file system of another
 * process's), and the board's removal must not wait for it.
 */
static struct hearth_bo *hearth_userptr_create(struct hearth_file *hfile,
					       const struct drm_hearth_bo_userptr *args)
{
	struct hearth_bo *bo;
	int ret;

	bo = hearth_bo_new(hfile->hdev, HEARTH_BO_USERPTR, args->size);
	if (!bo)
		return ERR_PTR(-ENOMEM);
	bo->readonly = args->flags & DRM_HEARTH_BO_USERPTR_READONLY;
	ret = hearth_bo_charge(bo, hfile->host_account);
	if (!ret)
		ret = hearth_userptr_account(bo, args->size >> PAGE_SHIFT);
	if (!ret)
		ret = hearth_userptr_pin(bo, args->address);
	if (ret) {
		drm_gem_object_put(&bo->base);
		return ERR_PTR(ret);
	}
	return bo;
}

/**
 * hearth_ioctl_bo_userptr() - DRM_IOCTL_HEARTH_BO_USERPTR
 * @drm: the device
 * @data: struct drm_hearth_bo_userptr
 * @file: the caller's
 *
 * Returns: 0; -EINVAL for an unknown flag, or an address or a size that is not a multiple of the
 * page size, or is 0; -EFAULT for pages that are not there, may not be written or cannot be pinned;
 * -ENOMEM beyond RLIMIT_MEMLOCK; -ENOSPC beyond the user's quota or for more than there could ever
 * be; -EOPNOTSUPP where the board cannot address all of the machine's memory; -EINTR for a process
 * that is being killed; -ENODEV or -EIO when the board is gone or has failed.
 */
int hearth_ioctl_bo_userptr(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct hearth_device *hdev = to_hearth_device(drm);
	struct drm_hearth_bo_userptr *args = data;
	struct hearth_bo *bo;
	int idx, ret;

	if (args->flags & ~DRM_HEARTH_BO_USERPTR_READONLY)
		return -EINVAL;
	if (!args->size || !PAGE_ALIGNED(args->address | args->size))
		return -EINVAL;
	if (args->size > (u64)totalram_pages() << PAGE_SHIFT)
		return -ENOSPC;
	if (!access_ok(u64_to_user_ptr(args->address), args->size))
		return -EFAULT;

	bo = hearth_userptr_create(file->driver_priv, args);
	if (IS_ERR(bo))
		return PTR_ERR(bo);
	ret = hearth_device_enter(hdev, &idx);
	if (ret)
		goto out_bo;
	ret = hearth_device_error(hdev);
	/* A bounce buffer would be another memory than the one that the process goes on to use. */
	if (!ret && dma_addressing_limited(drm->dev))
		ret = -EOPNOTSUPP;
	if (!ret)
		ret = hearth_bo_dma_map(bo);
	if (!ret)
		ret = drm_gem_handle_create(file, &bo->base, &args->handle);
	hearth_device_exit(hdev, idx);
out_bo:
	drm_gem_object_put(&bo->base);
	return ret;
}
