/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One source for kernels 6.12 to 7.3: what differs is named here as the newer kernels name it. All
 * conditions of the driver on the kernel are in this file; config.h is made by probe.sh.
 */
#ifndef HEARTH_COMPAT_H
#define HEARTH_COMPAT_H

#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_gpuvm.h>

#include "config.h"

#ifdef HEARTH_HAVE_GPU_BUDDY
#include <linux/gpu_buddy.h>
#else
#include <drm/drm_buddy.h>
#define gpu_buddy	       drm_buddy
#define gpu_buddy_block	       drm_buddy_block
#define gpu_buddy_init	       drm_buddy_init
#define gpu_buddy_fini	       drm_buddy_fini
#define gpu_buddy_alloc_blocks drm_buddy_alloc_blocks
#define gpu_buddy_free_list    drm_buddy_free_list
#define gpu_buddy_block_offset drm_buddy_block_offset
#define gpu_buddy_block_size   drm_buddy_block_size
#endif

#ifndef HEARTH_HAVE_KZALLOC_OBJ
#define kzalloc_obj(type, gfp) kzalloc(sizeof(type), gfp)
#endif

#ifdef HEARTH_HAVE_DRIVER_GEM_GPUVA
#define HEARTH_DRIVER_GPUVA DRIVER_GEM_GPUVA
#else
#define HEARTH_DRIVER_GPUVA 0
#endif

#ifdef HEARTH_HAVE_DRM_DRIVER_DATE
#define HEARTH_DRIVER_DATE(text) .date = text,
#else
#define HEARTH_DRIVER_DATE(text)
#endif

#ifdef HEARTH_HAVE_BARE_IMPORT_NS
#define HEARTH_IMPORT_DMA_BUF MODULE_IMPORT_NS(DMA_BUF)
#else
#define HEARTH_IMPORT_DMA_BUF MODULE_IMPORT_NS("DMA_BUF")
#endif

#ifndef HEARTH_HAVE_GPUVM_BO_OBTAIN_LOCKED
#define drm_gpuvm_bo_obtain_locked drm_gpuvm_bo_obtain
#endif

static inline int hearth_gpuvm_sm_map(struct drm_gpuvm *vm, void *priv, u64 va, u64 range,
				      struct drm_gem_object *obj, u64 offset)
{
#ifdef HEARTH_HAVE_GPUVM_MAP_REQ
	const struct drm_gpuvm_map_req req = {
		.map.va.addr = va,
		.map.va.range = range,
		.map.gem.obj = obj,
		.map.gem.offset = offset,
	};

	return drm_gpuvm_sm_map(vm, priv, &req);
#else
	return drm_gpuvm_sm_map(vm, priv, va, range, obj, offset);
#endif
}

#endif /* HEARTH_COMPAT_H */
