/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef HEARTH_VM_H
#define HEARTH_VM_H

#include <linux/mutex.h>

#include <drm/drm_gpuvm.h>

#include "hearth_device.h"
#include "hearth_pt.h"

/* Addresses that a process may bind: not the first 64 KiB, nor the page that ends a dispatch. */
#define HEARTH_VA_START 0x10000ull
#define HEARTH_VA_END	HBI_RETURN_ADDRESS

/** struct hearth_vm - an address space: one context of the board */
struct hearth_vm {
	/** @base: the mappings; its reference count is the address space's */
	struct drm_gpuvm base;
	/** @hdev: the board */
	struct hearth_device *hdev;
	/**
	 * @lock: protects @base's tree, @pt, @queues and @destroyed
	 *
	 * Held over the admin commands that belong to a change, so that changes and what the board
	 * knows of them have one order.
	 */
	struct mutex lock;
	/** @pt: the page tables */
	struct hearth_pt pt;
	/** @account: that the tables are charged to; holds a reference */
	struct hearth_account *account;
	/** @context: the board's id of it */
	u32 context;
	/** @epoch: hearth_device.epoch when it was made; never changes */
	u32 epoch;
	/** @queues: that use it */
	u32 queues;
	/** @destroyed: no id leads to it any more */
	bool destroyed;
	/** @dead: a queue of it failed; only ever set; read and written atomically */
	bool dead;
	/**
	 * @guilty: the board could not end what it ran, and was reset for that; only ever set; read
	 * and written atomically
	 */
	bool guilty;
};

#define to_hearth_vm(vm) container_of(vm, struct hearth_vm, base)

static inline void hearth_vm_put(struct hearth_vm *vm)
{
	drm_gpuvm_put(&vm->base);
}

/* Whether the board has been reset since, and has forgotten it. */
static inline bool hearth_vm_stale(struct hearth_vm *vm)
{
	return vm->epoch != hearth_device_epoch(vm->hdev);
}

/* @ret: what a command that names @vm or a queue of it ended with. */
static inline void hearth_vm_blame(struct hearth_vm *vm, int ret)
{
	if (ret == -ETIMEDOUT)
		WRITE_ONCE(vm->guilty, true);
}

struct hearth_vm *hearth_vm_lookup(struct hearth_file *hfile, u32 id);
bool hearth_vm_reaches(struct drm_gpuvm_bo *vm_bo);
void hearth_vm_cut(struct hearth_vm *vm, struct drm_gem_object *obj);
bool hearth_vm_mapped(struct hearth_vm *vm, u64 va, u64 range);
void hearth_vm_close_all(struct hearth_file *hfile);

int hearth_ioctl_vm_create(struct drm_device *drm, void *data, struct drm_file *file);
int hearth_ioctl_vm_destroy(struct drm_device *drm, void *data, struct drm_file *file);
int hearth_ioctl_vm_bind(struct drm_device *drm, void *data, struct drm_file *file);

#endif /* HEARTH_VM_H */
