// SPDX-License-Identifier: GPL-2.0-only
/*
 * Board memory: a buddy allocator over the aperture. Positions are offsets in the aperture. The
 * allocator outlives the board, for the buffers of files that are still open.
 */
#include <linux/io.h>
#include <linux/sched.h>
#include <linux/sizes.h>

#include <drm/drm_managed.h>

#include "hearth_device.h"
#include "hearth_vram.h"

/* Zeroed between two looks at the scheduler. */
#define HEARTH_ZERO_STEP SZ_1M

/** struct hearth_vram - the allocator */
struct hearth_vram {
	/** @lock: protects @mm */
	struct mutex lock;
	/** @mm: pages of the aperture */
	struct gpu_buddy mm;
	/** @staging: the first bytes of the aperture, kept for firmware images */
	struct list_head staging;
	/** @staged: their number */
	u64 staged;
};

int hearth_vram_alloc(struct hearth_device *hdev, u64 size, struct list_head *blocks)
{
	struct hearth_vram *vram = hdev->vram;
	int ret;

	mutex_lock(&vram->lock);
	ret = gpu_buddy_alloc_blocks(&vram->mm, 0, vram->mm.size, size, PAGE_SIZE, blocks, 0);
	mutex_unlock(&vram->lock);
	return ret;
}

void hearth_vram_free(struct hearth_device *hdev, struct list_head *blocks)
{
	struct hearth_vram *vram = hdev->vram;

	mutex_lock(&vram->lock);
	gpu_buddy_free_list(&vram->mm, blocks, 0);
	mutex_unlock(&vram->lock);
}

/* What buffers can have. */
u64 hearth_vram_total(struct hearth_device *hdev)
{
	return hdev->vram->mm.size - hdev->vram->staged;
}

/*
 * Keeps the first @bytes of the aperture for firmware images, for good: a reset stages one while
 * buffers live, and no process may ever write to where the board takes its firmware from.
 */
int hearth_vram_stage(struct hearth_device *hdev, u64 bytes)
{
	struct hearth_vram *vram = hdev->vram;
	int ret = 0;

	bytes = PAGE_ALIGN(bytes);
	mutex_lock(&vram->lock);
	if (bytes > vram->staged) {
		ret = gpu_buddy_alloc_blocks(&vram->mm, vram->staged, bytes, bytes - vram->staged,
					     PAGE_SIZE, &vram->staging, 0);
		if (!ret)
			vram->staged = bytes;
	}
	mutex_unlock(&vram->lock);
	return ret;
}

u64 hearth_vram_available(struct hearth_device *hdev)
{
	u64 avail;

	mutex_lock(&hdev->vram->lock);
	avail = hdev->vram->mm.avail;
	mutex_unlock(&hdev->vram->lock);
	return avail;
}

/*
 * Calls @each for every contiguous piece of [@offset, @offset + @size) of an allocation, in order.
 */
int hearth_vram_for_each(struct hearth_device *hdev, struct list_head *blocks, u64 offset, u64 size,
			 int (*each)(void *data, u64 position, u64 bytes), void *data)
{
	struct gpu_buddy_block *block;
	int ret = 0;

	list_for_each_entry (block, blocks, link) {
		u64 bytes = gpu_buddy_block_size(&hdev->vram->mm, block);
		u64 take;

		if (!size)
			break;
		if (offset >= bytes) {
			offset -= bytes;
			continue;
		}
		take = min(size, bytes - offset);
		ret = each(data, gpu_buddy_block_offset(block) + offset, take);
		if (ret)
			break;
		size -= take;
		offset = 0;
	}
	return ret;
}

static int hearth_vram_zero_piece(void *data, u64 position, u64 bytes)
{
	struct hearth_device *hdev = data;

	while (bytes) {
		u64 step = min_t(u64, bytes, HEARTH_ZERO_STEP);

		memset_io(hdev->aperture.io + position, 0, step);
		position += step;
		bytes -= step;
		cond_resched();
	}
	/* Zeros get there before anybody else's writes: a read flushes the writes before it. */
	wmb();
	(void)readl(hdev->aperture.io + position - 4);
	return 0;
}

/* Inside a hearth_device_enter() section. */
void hearth_vram_zero(struct hearth_device *hdev, struct list_head *blocks)
{
	hearth_vram_for_each(hdev, blocks, 0, hdev->vram->mm.size, hearth_vram_zero_piece, hdev);
}

static void hearth_vram_release(struct drm_device *drm, void *data)
{
	struct hearth_vram *vram = data;

	gpu_buddy_free_list(&vram->mm, &vram->staging, 0);
	gpu_buddy_fini(&vram->mm);
	mutex_destroy(&vram->lock);
	kfree(vram);
}

int hearth_vram_init(struct hearth_device *hdev)
{
	struct hearth_vram *vram;
	int ret;

	vram = kzalloc_obj(struct hearth_vram, GFP_KERNEL);
	if (!vram)
		return -ENOMEM;
	mutex_init(&vram->lock);
	INIT_LIST_HEAD(&vram->staging);
	ret = gpu_buddy_init(&vram->mm, hdev->aperture.size, PAGE_SIZE);
	if (ret) {
		mutex_destroy(&vram->lock);
		kfree(vram);
		return ret;
	}
	hdev->vram = vram;
	return drmm_add_action_or_reset(&hdev->drm, hearth_vram_release, vram);
}
