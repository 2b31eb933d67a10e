// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address spaces. drm_gpuvm knows what is mapped where and splits mappings; hearth_pt writes the
 * tables; the board is told to forget translations before anything that they led to is freed.
 * Everything that may be wanting is allocated before the first change, so that a change is made
 * whole or not at all.
 */
#include <linux/io.h>

#include <drm/drm_gem.h>
#include <uapi/drm/hearth_accel.h>

#include "hearth_admin.h"
#include "hearth_bo.h"
#include "hearth_quota.h"
#include "hearth_reset.h"
#include "hearth_show.h"
#include "hearth_telemetry.h"
#include "hearth_trace.h"
#include "hearth_vm.h"
#include "hearth_vram.h"

/** struct hearth_mapping - one range of an address space */
struct hearth_mapping {
	/** @base: the range */
	struct drm_gpuva base;
	/** @flags: of its leaves */
	u64 flags;
	/** @dead: in hearth_vm_change.dead */
	struct list_head dead;
	/** @cut: it leads nowhere, its memory was revoked; protected by the buffer's dma_resv */
	bool cut;
};

#define to_hearth_mapping(va) container_of(va, struct hearth_mapping, base)

/** struct hearth_vm_change - one map or unmap under way */
struct hearth_vm_change {
	/** @vm: the address space */
	struct hearth_vm *vm;
	/** @bo: to map */
	struct hearth_bo *bo;
	/** @vm_bo: of @bo */
	struct drm_gpuvm_bo *vm_bo;
	/** @flags: of the new leaves */
	u64 flags;
	/** @spare: for the new mapping and the two ends of a split one */
	struct hearth_mapping *spare[3];
	/** @dead: mappings that are gone but whose buffers the board may still reach */
	struct list_head dead;
};

/* ---- Tables in board memory ---- */

static int hearth_table_first(void *data, u64 position, u64 bytes)
{
	u64 *first = data;

	*first = position;
	return 1;
}

/** struct hearth_table - the memory of one table */
struct hearth_table {
	/** @blocks: of one page */
	struct list_head blocks;
	/** @io: its first 4 KiB */
	u64 __iomem *io;
};

static int hearth_table_alloc(void *owner, u64 *address, void **backing)
{
	struct hearth_vm *vm = owner;
	struct hearth_device *hdev = vm->hdev;
	struct hearth_table *table;
	u64 position = 0;
	int ret;

	table = kzalloc_obj(struct hearth_table, GFP_KERNEL_ACCOUNT);
	if (!table)
		return -ENOMEM;
	INIT_LIST_HEAD(&table->blocks);
	ret = hearth_account_charge(vm->account, PAGE_SIZE);
	if (ret)
		goto out_table;
	ret = hearth_vram_alloc(hdev, PAGE_SIZE, &table->blocks);
	if (ret)
		goto out_account;
	hearth_vram_zero(hdev, &table->blocks);
	hearth_vram_for_each(hdev, &table->blocks, 0, PAGE_SIZE, hearth_table_first, &position);
	table->io = (u64 __iomem *)(hdev->aperture.io + position);
	*address = hdev->aperture.base + position;
	*backing = table;
	return 0;

out_account:
	hearth_account_uncharge(vm->account, PAGE_SIZE);
out_table:
	kfree(table);
	return ret;
}

static void hearth_table_free(void *owner, void *backing)
{
	struct hearth_vm *vm = owner;
	struct hearth_table *table = backing;

	hearth_vram_free(vm->hdev, &table->blocks);
	hearth_account_uncharge(vm->account, PAGE_SIZE);
	kfree(table);
}

static void hearth_table_write(void *owner, void *backing, u32 index, u64 entry)
{
	struct hearth_table *table = backing;

	if (entry && !(entry & (HBI_PTE_R | HBI_PTE_W | HBI_PTE_X)))
		wmb(); /* a pointer to a table must not overtake the table's entries */
	writeq(entry, &table->io[index]);
}

static const struct hearth_pt_ops hearth_table_ops = {
	.alloc = hearth_table_alloc,
	.free = hearth_table_free,
	.write = hearth_table_write,
};

/* ---- The steps of a change; nothing here can fail ---- */

static struct hearth_mapping *hearth_change_take(struct hearth_vm_change *change)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(change->spare); i++) {
		struct hearth_mapping *mapping = change->spare[i];

		if (mapping) {
			change->spare[i] = NULL;
			return mapping;
		}
	}
	return NULL;
}

/*
 * @old: that it is the rest of, or NULL. A mapping that is not cut from the start is found by a
 * later revocation, which then waits for the address space's lock.
 */
static void hearth_mapping_link(struct hearth_mapping *mapping, struct drm_gpuvm_bo *vm_bo,
				const struct hearth_mapping *old)
{
	struct drm_gem_object *obj = mapping->base.gem.obj;

	dma_resv_lock(obj->resv, NULL);
	drm_gpuva_link(&mapping->base, vm_bo);
	mapping->cut = old ? old->cut : to_hearth_bo(obj)->revoked;
	dma_resv_unlock(obj->resv);
}

/** struct hearth_map_step - where the next contiguous piece goes */
struct hearth_map_step {
	/** @vm: the address space */
	struct hearth_vm *vm;
	/** @va: of the next piece */
	u64 va;
	/** @flags: of the leaves */
	u64 flags;
};

static int hearth_step_map_piece(void *data, u64 address, u64 bytes)
{
	struct hearth_map_step *step = data;
	int ret = hearth_pt_map(&step->vm->pt, step->va, address, bytes, step->flags);

	step->va += bytes;
	return ret;
}

static int hearth_step_map(struct drm_gpuva_op *op, void *data)
{
	struct hearth_vm_change *change = data;
	struct hearth_mapping *mapping = hearth_change_take(change);
	struct hearth_map_step step = {
		.vm = change->vm,
		.va = op->map.va.addr,
		.flags = change->flags,
	};

	if (WARN_ON_ONCE(!mapping))
		return -ENOMEM;
	mapping->flags = change->flags;
	drm_gpuva_map(&change->vm->base, &mapping->base, &op->map);
	hearth_mapping_link(mapping, change->vm_bo, NULL);
	if (mapping->cut)
		return 0;
	return hearth_bo_for_each(change->bo, op->map.gem.offset, op->map.va.range,
				  hearth_step_map_piece, &step);
}

static int hearth_step_unmap(struct drm_gpuva_op *op, void *data)
{
	struct hearth_vm_change *change = data;
	struct drm_gpuva *va = op->unmap.va;
	struct hearth_mapping *mapping = to_hearth_mapping(va);

	drm_gpuva_unmap(&op->unmap);
	list_add_tail(&mapping->dead, &change->dead);
	return hearth_pt_unmap(&change->vm->pt, va->va.addr, va->va.range);
}

static int hearth_step_remap(struct drm_gpuva_op *op, void *data)
{
	struct hearth_vm_change *change = data;
	struct drm_gpuva *old = op->remap.unmap->va;
	struct hearth_mapping *mapping = to_hearth_mapping(old);
	struct hearth_mapping *prev = NULL, *next = NULL;
	u64 start, range;

	if (op->remap.prev)
		prev = hearth_change_take(change);
	if (op->remap.next)
		next = hearth_change_take(change);
	if (WARN_ON_ONCE((op->remap.prev && !prev) || (op->remap.next && !next))) {
		kfree(prev);
		kfree(next);
		return -ENOMEM;
	}
	drm_gpuva_op_remap_to_unmap_range(&op->remap, &start, &range);
	drm_gpuva_remap(prev ? &prev->base : NULL, next ? &next->base : NULL, &op->remap);
	if (prev) {
		prev->flags = mapping->flags;
		hearth_mapping_link(prev, old->vm_bo, mapping);
	}
	if (next) {
		next->flags = mapping->flags;
		hearth_mapping_link(next, old->vm_bo, mapping);
	}
	list_add_tail(&mapping->dead, &change->dead);
	return hearth_pt_unmap(&change->vm->pt, start, range);
}

static void hearth_mapping_free(struct hearth_mapping *mapping)
{
	struct drm_gem_object *obj = mapping->base.gem.obj;

	/* Unlinking may drop the last reference but this one, and the lock lies in the object. */
	drm_gem_object_get(obj);
	dma_resv_lock(obj->resv, NULL);
	drm_gpuva_unlink(&mapping->base);
	dma_resv_unlock(obj->resv);
	drm_gem_object_put(obj);
	kfree(mapping);
}

static void hearth_mappings_free(struct list_head *dead)
{
	struct hearth_mapping *mapping, *next;

	list_for_each_entry_safe (mapping, next, dead, dead) {
		list_del(&mapping->dead);
		hearth_mapping_free(mapping);
	}
}

/* ---- Address spaces ---- */

static void hearth_vm_free(struct drm_gpuvm *base)
{
	struct hearth_vm *vm = to_hearth_vm(base);

	mutex_destroy(&vm->lock);
	hearth_account_put(vm->account);
	kfree(vm);
}

static const struct drm_gpuvm_ops hearth_vm_ops = {
	.vm_free = hearth_vm_free,
	.sm_step_map = hearth_step_map,
	.sm_step_unmap = hearth_step_unmap,
	.sm_step_remap = hearth_step_remap,
};

static int hearth_vm_error(struct hearth_vm *vm)
{
	int ret;

	lockdep_assert_held(&vm->lock);
	if (vm->destroyed)
		return -ENOENT;
	ret = hearth_device_error(vm->hdev);
	if (ret)
		return ret;
	return hearth_vm_stale(vm) ? -ECANCELED : 0;
}

/*
 * Puts what was changed before the board's eyes. A board that does not acknowledge is failed and
 * stopped, so in either case it will not use the old translations after this.
 */
static int hearth_vm_commit(struct hearth_vm *vm, u64 va, u64 range)
{
	struct hearth_table *root = vm->pt.root->backing;
	int ret;

	/*
	 * The tables are in board memory before the command: a read flushes the writes before it.
	 */
	wmb();
	(void)readq(root->io);
	ret = hearth_admin_invalidate(vm->hdev, vm->context, va, range);
	if (!ret)
		return 0;
	hearth_vm_blame(vm, ret);
	if (!hearth_vm_stale(vm))
		hearth_device_fail(vm->hdev, "translations could not be invalidated");
	return hearth_device_error(vm->hdev) ?: -ECANCELED;
}

static int hearth_change_prepare(struct hearth_vm_change *change, u32 tables)
{
	struct hearth_vm *vm = change->vm;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(change->spare); i++) {
		change->spare[i] = kzalloc_obj(struct hearth_mapping, GFP_KERNEL_ACCOUNT);
		if (!change->spare[i])
			return -ENOMEM;
	}
	if (change->bo) {
		struct drm_gem_object *obj = &change->bo->base;

		dma_resv_lock(obj->resv, NULL);
		change->vm_bo = drm_gpuvm_bo_obtain_locked(&vm->base, obj);
		dma_resv_unlock(obj->resv);
		if (IS_ERR(change->vm_bo)) {
			int ret = PTR_ERR(change->vm_bo);

			change->vm_bo = NULL;
			return ret;
		}
	}
	return hearth_pt_reserve(&vm->pt, tables) ? -ENOSPC : 0;
}

static void hearth_change_finish(struct hearth_vm_change *change)
{
	unsigned int i;

	hearth_mappings_free(&change->dead);
	hearth_pt_reap(&change->vm->pt);
	if (change->vm_bo) {
		struct drm_gem_object *obj = &change->bo->base;

		dma_resv_lock(obj->resv, NULL);
		drm_gpuvm_bo_put(change->vm_bo);
		dma_resv_unlock(obj->resv);
	}
	for (i = 0; i < ARRAY_SIZE(change->spare); i++)
		kfree(change->spare[i]);
}

/* Maps [@offset, @offset + @range) of @bo at @va, or unmaps if @bo is NULL. */
static int hearth_vm_change(struct hearth_vm *vm, struct hearth_bo *bo, u64 offset, u64 va,
			    u64 range, u64 flags)
{
	struct hearth_vm_change change = { .vm = vm, .bo = bo, .flags = flags };
	int ret;

	INIT_LIST_HEAD(&change.dead);
	mutex_lock(&vm->lock);
	ret = hearth_vm_error(vm);
	if (ret)
		goto out_unlock;
	ret = hearth_change_prepare(&change, bo ? hearth_pt_map_tables(va, range)
						: hearth_pt_unmap_tables(&vm->pt, va, range));
	if (!ret) {
		if (bo)
			ret = hearth_gpuvm_sm_map(&vm->base, &change, va, range, &bo->base, offset);
		else
			ret = drm_gpuvm_sm_unmap(&vm->base, &change, va, range);
		WARN_ON_ONCE(ret);
		ret = hearth_vm_commit(vm, va, range) ?: ret;
	}
	hearth_change_finish(&change);
out_unlock:
	mutex_unlock(&vm->lock);
	return ret;
}

/* With the dma_resv of @vm_bo's buffer. */
bool hearth_vm_reaches(struct drm_gpuvm_bo *vm_bo)
{
	struct drm_gpuva *va;

	drm_gpuvm_bo_for_each_va (va, vm_bo)
		if (!to_hearth_mapping(va)->cut)
			return true;
	return false;
}

/*
 * Lets no mapping of @obj lead anywhere any more. The ranges stay bound: what the board does there
 * is a fault. Inside a hearth_device_lock() section; needs no memory.
 */
void hearth_vm_cut(struct hearth_vm *vm, struct drm_gem_object *obj)
{
	struct drm_gpuva *va;
	int ret = 0;

	mutex_lock(&vm->lock);
	drm_gpuvm_for_each_va (va, &vm->base) {
		if (va->gem.obj != obj)
			continue;
		ret = hearth_pt_unmap(&vm->pt, va->va.addr, va->va.range) ?: ret;
		dma_resv_lock(obj->resv, NULL);
		to_hearth_mapping(va)->cut = true;
		dma_resv_unlock(obj->resv);
	}
	WARN_ON_ONCE(ret);
	if (!hearth_vm_error(vm))
		hearth_vm_commit(vm, 0, 0);
	/* Nothing leads to the tables that got empty. */
	hearth_pt_reap(&vm->pt);
	mutex_unlock(&vm->lock);
}

void hearth_vm_show(struct hearth_vm *vm, struct drm_printer *p, unsigned int most)
{
	static const char *const kinds[] = {
		[HEARTH_BO_BOARD] = "board",
		[HEARTH_BO_PAGES] = "host",
		[HEARTH_BO_USERPTR] = "user pointer",
		[HEARTH_BO_IMPORT] = "import",
	};
	struct drm_gpuva *va;
	unsigned int count = 0;
	u64 bytes = 0;

	mutex_lock(&vm->lock);
	drm_gpuvm_for_each_va (va, &vm->base) {
		bytes += va->va.range;
		count++;
	}
	drm_printf(p, "context %u, epoch %u, %u queues, %u mappings of %llu bytes%s%s\n",
		   vm->context, vm->epoch, vm->queues, count, bytes,
		   READ_ONCE(vm->dead) ? ", dead" : "", READ_ONCE(vm->guilty) ? ", guilty" : "");
	drm_gpuvm_for_each_va (va, &vm->base) {
		const struct hearth_mapping *mapping = to_hearth_mapping(va);

		if (!most--) {
			drm_puts(p, "  ...\n");
			break;
		}
		drm_printf(p, "  %#llx to %#llx: %s%s%s%s%s\n", va->va.addr,
			   va->va.addr + va->va.range, mapping->flags & HBI_PTE_R ? "r" : "-",
			   mapping->flags & HBI_PTE_W ? "w" : "-",
			   mapping->flags & HBI_PTE_X ? "x " : "- ",
			   kinds[to_hearth_bo(va->gem.obj)->kind],
			   mapping->cut ? ", taken back" : "");
	}
	mutex_unlock(&vm->lock);
}

/* Whether every page of the range is mapped. Takes the lock's protection from the caller. */
bool hearth_vm_mapped(struct hearth_vm *vm, u64 va, u64 range)
{
	struct drm_gpuva *mapping;
	u64 next = va;

	lockdep_assert_held(&vm->lock);
	drm_gpuvm_for_each_va_range (mapping, &vm->base, va, va + range) {
		if (mapping->va.addr > next)
			return false;
		next = mapping->va.addr + mapping->va.range;
	}
	return next >= va + range;
}

struct hearth_vm *hearth_vm_lookup(struct hearth_file *hfile, u32 id)
{
	struct hearth_vm *vm;

	xa_lock(&hfile->vms);
	vm = xa_load(&hfile->vms, id);
	if (vm)
		drm_gpuvm_get(&vm->base);
	xa_unlock(&hfile->vms);
	return vm;
}

/*
 * Takes down an address space that no id leads to and no queue uses: first from the board, then the
 * mappings and the tables. @board: in a hearth_device_lock() section; without a board, or one that
 * has forgotten it, there is nothing to tell.
 */
static void hearth_vm_teardown(struct hearth_vm *vm, bool board)
{
	struct hearth_device *hdev = vm->hdev;
	struct drm_gpuva *va, *next;
	LIST_HEAD(dead);

	lockdep_assert_held(&vm->lock);
	if (board && hearth_device_state(hdev) == HEARTH_LIVE && !hearth_vm_stale(vm)) {
		hearth_vm_blame(vm, hearth_admin_invalidate(hdev, vm->context, 0, 0));
		if (hearth_admin_destroy_context(hdev, vm->context) && !hearth_vm_stale(vm))
			hearth_device_fail(hdev, "a context could not be destroyed");
	}
	drm_gpuvm_for_each_va_safe (va, next, &vm->base) {
		drm_gpuva_remove(va);
		list_add_tail(&to_hearth_mapping(va)->dead, &dead);
	}
	hearth_mappings_free(&dead);
	hearth_pt_fini(&vm->pt);
	ida_free(&hdev->contexts, vm->context);
}

/* File close, after its queues. */
void hearth_vm_close_all(struct hearth_file *hfile)
{
	struct hearth_vm *vm;
	unsigned long id;

	xa_for_each (&hfile->vms, id, vm) {
		int idx;
		bool board = hearth_device_lock(hfile->hdev, &idx);

		xa_erase(&hfile->vms, id);
		mutex_lock(&vm->lock);
		vm->destroyed = true;
		hearth_vm_teardown(vm, board);
		mutex_unlock(&vm->lock);
		if (board)
			hearth_device_exit(hfile->hdev, idx);
		hearth_vm_put(vm);
	}
}

static struct hearth_vm *hearth_vm_create(struct hearth_file *hfile)
{
	struct hearth_device *hdev = hfile->hdev;
	struct drm_gem_object *resv;
	struct hearth_vm *vm;
	int context, ret;

	vm = kzalloc_obj(struct hearth_vm, GFP_KERNEL_ACCOUNT);
	if (!vm)
		return ERR_PTR(-ENOMEM);
	vm->hdev = hdev;
	vm->epoch = hearth_device_epoch(hdev);
	vm->account = hearth_account_get(hfile->board_account);
	context = ida_alloc_range(&hdev->contexts, 1, hdev->info.contexts, GFP_KERNEL);
	if (context < 0) {
		ret = context == -ENOSPC ? -EBUSY : context;
		goto out_vm;
	}
	vm->context = context;
	resv = drm_gpuvm_resv_object_alloc(&hdev->drm);
	if (!resv) {
		ret = -ENOMEM;
		goto out_context;
	}
	ret = hearth_pt_init(&vm->pt, &hearth_table_ops, vm);
	if (ret) {
		ret = -ENOSPC;
		goto out_resv;
	}
	ret = hearth_admin_create_context(hdev, vm->context, vm->pt.root->address);
	if (ret)
		goto out_pt;
	mutex_init(&vm->lock);
	drm_gpuvm_init(&vm->base, "hearth", 0, &hdev->drm, resv, HEARTH_VA_START,
		       HEARTH_VA_END - HEARTH_VA_START, 0, 0, &hearth_vm_ops);
	drm_gem_object_put(resv);
	return vm;

out_pt:
	hearth_pt_fini(&vm->pt);
out_resv:
	drm_gem_object_put(resv);
out_context:
	ida_free(&hdev->contexts, vm->context);
out_vm:
	hearth_account_put(vm->account);
	kfree(vm);
	return ERR_PTR(ret);
}

/**
 * hearth_ioctl_vm_create() - DRM_IOCTL_HEARTH_VM_CREATE
 * @drm: the device
 * @data: struct drm_hearth_vm_create
 * @file: the caller's
 *
 * Returns: 0; -EINVAL for unknown flags; -EBUSY when the file or the board has no more; -ENOSPC or
 * -ENOMEM; -ENODEV or -EIO when the board is gone or has failed; -ECANCELED when it was reset
 * meanwhile.
 */
int hearth_ioctl_vm_create(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct hearth_device *hdev = to_hearth_device(drm);
	struct hearth_file *hfile = file->driver_priv;
	struct drm_hearth_vm_create *args = data;
	struct hearth_vm *vm;
	int idx, ret;
	u32 id;

	if (args->flags)
		return -EINVAL;
	ret = hearth_device_enter(hdev, &idx);
	if (ret)
		return ret;
	/* The entry is kept empty until the address space can be used. */
	ret = xa_alloc(&hfile->vms, &id, NULL, XA_LIMIT(1, HEARTH_MAX_VMS), GFP_KERNEL);
	if (ret) {
		ret = ret == -EBUSY ? -EBUSY : -ENOMEM;
		goto out_exit;
	}
	vm = hearth_vm_create(hfile);
	if (IS_ERR(vm)) {
		ret = PTR_ERR(vm);
		xa_erase(&hfile->vms, id);
		goto out_exit;
	}
	xa_store(&hfile->vms, id, vm, GFP_KERNEL);
	args->vm_id = id;
out_exit:
	hearth_device_exit(hdev, idx);
	return ret;
}

/**
 * hearth_ioctl_vm_destroy() - DRM_IOCTL_HEARTH_VM_DESTROY
 * @drm: the device
 * @data: struct drm_hearth_vm_destroy
 * @file: the caller's
 *
 * Returns: 0; -EINVAL for padding that is not zero; -ENOENT for an unknown id; -EBUSY while queues
 * use it.
 */
int hearth_ioctl_vm_destroy(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct hearth_device *hdev = to_hearth_device(drm);
	struct hearth_file *hfile = file->driver_priv;
	struct drm_hearth_vm_destroy *args = data;
	struct hearth_vm *vm;
	int idx, ret = 0;
	bool board;

	if (args->pad)
		return -EINVAL;
	vm = hearth_vm_lookup(hfile, args->vm_id);
	if (!vm)
		return -ENOENT;
	board = hearth_device_lock(hdev, &idx);
	mutex_lock(&vm->lock);
	if (vm->destroyed)
		ret = -ENOENT;
	else if (vm->queues)
		ret = -EBUSY;
	if (!ret) {
		if (board)
			hearth_fdinfo_retire(hfile, vm);
		vm->destroyed = true;
		xa_erase(&hfile->vms, args->vm_id);
		hearth_vm_teardown(vm, board);
	}
	mutex_unlock(&vm->lock);
	if (board)
		hearth_device_exit(hdev, idx);
	if (!ret)
		hearth_vm_put(vm);
	hearth_vm_put(vm);
	return ret;
}

static int hearth_bind_flags(u32 flags, struct hearth_bo *bo, u64 *leaf)
{
	*leaf = HBI_PTE_V | HBI_PTE_R | HBI_PTE_U | HBI_PTE_A;
	if (flags & DRM_HEARTH_VM_BIND_EXEC) {
		if (bo->kind != HEARTH_BO_BOARD)
			return -EINVAL;
		*leaf |= HBI_PTE_X;
	} else if (!(flags & DRM_HEARTH_VM_BIND_READONLY)) {
		if (bo->readonly)
			return -EACCES;
		*leaf |= HBI_PTE_W | HBI_PTE_D;
	}
	return 0;
}

static int hearth_bind_map(struct hearth_vm *vm, struct drm_hearth_vm_bind *args,
			   struct drm_file *file)
{
	struct drm_gem_object *obj;
	u64 leaf;
	int ret;

	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;
	if (args->bo_offset > obj->size || args->range > obj->size - args->bo_offset)
		ret = -EINVAL;
	else if (READ_ONCE(to_hearth_bo(obj)->revoked))
		ret = -ENODEV;
	else
		ret = hearth_bind_flags(args->flags, to_hearth_bo(obj), &leaf);
	if (!ret)
		ret = hearth_vm_change(vm, to_hearth_bo(obj), args->bo_offset, args->va,
				       args->range, leaf);
	drm_gem_object_put(obj);
	return ret;
}

/**
 * hearth_ioctl_vm_bind() - DRM_IOCTL_HEARTH_VM_BIND
 * @drm: the device
 * @data: struct drm_hearth_vm_bind
 * @file: the caller's
 *
 * Returns: 0; -EINVAL for an unknown operation or flag, for numbers that are not multiples of 4096,
 * for a range that is empty, outside the buffer or outside the addresses that may be bound, for
 * EXEC of host memory, and for fields that UNMAP has not; -EACCES to write what the board may only
 * read; -ENOENT for an unknown id or handle; -ENOSPC or -ENOMEM without memory for tables;
 * -ECANCELED when the board was reset since the address space was made; -ENODEV or -EIO when the
 * board is gone or has failed, -ENODEV also when the board whose memory is to be bound is gone.
 */
int hearth_ioctl_vm_bind(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct hearth_device *hdev = to_hearth_device(drm);
	const u32 known = DRM_HEARTH_VM_BIND_READONLY | DRM_HEARTH_VM_BIND_EXEC;
	struct drm_hearth_vm_bind *args = data;
	struct hearth_vm *vm;
	int idx, ret;

	if (args->op > DRM_HEARTH_VM_BIND_UNMAP || args->flags & ~known)
		return -EINVAL;
	if ((args->va | args->range | args->bo_offset) & (SZ_4K - 1))
		return -EINVAL;
	if (!args->range || args->va < HEARTH_VA_START || args->va >= HEARTH_VA_END ||
	    args->range > HEARTH_VA_END - args->va)
		return -EINVAL;
	if (args->op == DRM_HEARTH_VM_BIND_UNMAP &&
	    (args->flags || args->handle || args->bo_offset))
		return -EINVAL;

	vm = hearth_vm_lookup(file->driver_priv, args->vm_id);
	if (!vm)
		return -ENOENT;
	ret = hearth_device_enter(hdev, &idx);
	if (!ret) {
		if (args->op == DRM_HEARTH_VM_BIND_MAP) {
			ret = hearth_bind_map(vm, args, file);
			trace_hearth_vm_bind(hdev, vm->context, args->va, args->range, ret);
		} else {
			ret = hearth_vm_change(vm, NULL, 0, args->va, args->range, 0);
			trace_hearth_vm_unbind(hdev, vm->context, args->va, args->range, ret);
		}
		hearth_device_exit(hdev, idx);
	}
	hearth_vm_put(vm);
	return ret;
}
