/* SPDX-License-Identifier: MIT */
/*
 * The table of what the fuzzer calls: each ioctl's structure as fields of known kinds, so that values are right
 * often enough to get deep. An ioctl that is not in the table is still called, with words of nothing known.
 */
#ifndef FUZZ_OPS_H
#define FUZZ_OPS_H

#include <stddef.h>

#include <hearth_drm.h>

enum field_kind {
	FIELD_END,
	FIELD_ZERO,   /* must be zero: it rarely is not */
	FIELD_ID,     /* of a file: the first ones most often */
	FIELD_LOG2,   /* of a ring */
	FIELD_RANK,   /* a priority */
	FIELD_SMALL,  /* a type, an operation, flags: a small number */
	FIELD_SIZE,   /* bytes, mostly whole pages */
	FIELD_VA,     /* context address */
	FIELD_MEMORY, /* address of the fuzzer's own memory, or one that no process has */
	FIELD_TIME,   /* absolute, near */
	FIELD_ANY,
};

struct field {
	uint16_t offset;
	uint8_t bytes;
	uint8_t kind;
};

#define FUZZ_FIELDS 10

struct call {
	unsigned long request;
	struct field fields[FUZZ_FIELDS];
};

#define F(type, name, kind) \
	{ offsetof(struct type, name), sizeof(((struct type *)0)->name), FIELD_##kind }

static const struct call fuzz_calls[] = {
	{ DRM_IOCTL_HEARTH_DEV_QUERY,
	  { F(drm_hearth_dev_query, type, SMALL), F(drm_hearth_dev_query, size, SIZE),
	    F(drm_hearth_dev_query, pointer, MEMORY) } },
	{ DRM_IOCTL_HEARTH_BO_CREATE,
	  { F(drm_hearth_bo_create, size, SIZE), F(drm_hearth_bo_create, placement, SMALL),
	    F(drm_hearth_bo_create, flags, ZERO), F(drm_hearth_bo_create, pad, ZERO) } },
	{ DRM_IOCTL_HEARTH_BO_INFO, { F(drm_hearth_bo_info, handle, ID) } },
	{ DRM_IOCTL_HEARTH_VM_CREATE, { F(drm_hearth_vm_create, flags, ZERO) } },
	{ DRM_IOCTL_HEARTH_VM_DESTROY,
	  { F(drm_hearth_vm_destroy, vm_id, ID), F(drm_hearth_vm_destroy, pad, ZERO) } },
	{ DRM_IOCTL_HEARTH_VM_BIND,
	  { F(drm_hearth_vm_bind, vm_id, ID), F(drm_hearth_vm_bind, flags, SMALL),
	    F(drm_hearth_vm_bind, handle, ID), F(drm_hearth_vm_bind, bo_offset, SIZE),
	    F(drm_hearth_vm_bind, va, VA), F(drm_hearth_vm_bind, range, SIZE) } },
	{ DRM_IOCTL_HEARTH_VM_BIND,
	  { F(drm_hearth_vm_bind, vm_id, ID), F(drm_hearth_vm_bind, op, SMALL),
	    F(drm_hearth_vm_bind, va, VA), F(drm_hearth_vm_bind, range, SIZE) } },
	{ DRM_IOCTL_HEARTH_QUEUE_CREATE,
	  { F(drm_hearth_queue_create, vm_id, ID), F(drm_hearth_queue_create, ring_log2, LOG2),
	    F(drm_hearth_queue_create, ring_va, VA), F(drm_hearth_queue_create, timeout_ms, SMALL),
	    F(drm_hearth_queue_create, priority, RANK), F(drm_hearth_queue_create, flags, ZERO) } },
	{ DRM_IOCTL_HEARTH_QUEUE_DESTROY,
	  { F(drm_hearth_queue_destroy, queue_id, ID), F(drm_hearth_queue_destroy, pad, ZERO) } },
	{ DRM_IOCTL_HEARTH_QUEUE_WAIT,
	  { F(drm_hearth_queue_wait, queue_id, ID), F(drm_hearth_queue_wait, pad, ZERO),
	    F(drm_hearth_queue_wait, completed, SMALL),
	    F(drm_hearth_queue_wait, timeout_ns, TIME) } },
	{ DRM_IOCTL_HEARTH_QUEUE_STATE, { F(drm_hearth_queue_state, queue_id, ID) } },
	{ DRM_IOCTL_HEARTH_BO_USERPTR,
	  { F(drm_hearth_bo_userptr, address, MEMORY), F(drm_hearth_bo_userptr, size, SIZE),
	    F(drm_hearth_bo_userptr, flags, SMALL) } },
	{ DRM_IOCTL_HEARTH_QUEUE_WAIT_MANY,
	  { F(drm_hearth_queue_wait_many, points, MEMORY),
	    F(drm_hearth_queue_wait_many, count, SMALL),
	    F(drm_hearth_queue_wait_many, flags, SMALL),
	    F(drm_hearth_queue_wait_many, timeout_ns, TIME),
	    F(drm_hearth_queue_wait_many, pad, ZERO) } },
	{ DRM_IOCTL_HEARTH_QUEUE_CREATE,
	  { F(drm_hearth_queue_create, vm_id, ID), F(drm_hearth_queue_create, ring_log2, LOG2),
	    F(drm_hearth_queue_create, ring_va, VA), F(drm_hearth_queue_create, timeout_ms, SMALL),
	    F(drm_hearth_queue_create, priority, RANK),
	    F(drm_hearth_queue_create, flags, SMALL) } },
	{ DRM_IOCTL_SYNCOBJ_CREATE, { F(drm_syncobj_create, flags, ZERO) } },
	{ DRM_IOCTL_HEARTH_QUEUE_FENCE,
	  { F(drm_hearth_queue_fence, queue_id, ID), F(drm_hearth_queue_fence, syncobj, ID),
	    F(drm_hearth_queue_fence, completed, SMALL), F(drm_hearth_queue_fence, point, SMALL),
	    F(drm_hearth_queue_fence, deadline_ns, TIME), F(drm_hearth_queue_fence, flags, ZERO),
	    F(drm_hearth_queue_fence, pad, ZERO) } },
};

#undef F

#define FUZZ_CALLS (sizeof(fuzz_calls) / sizeof(fuzz_calls[0]))

#endif /* FUZZ_OPS_H */
