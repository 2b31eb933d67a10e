#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Writes a header of HEARTH_HAVE_* by compiling one snippet for each: probe.sh OUT CC FLAGS…
# A snippet that compiles defines its name. Distribution kernels carry back what later versions
# introduced, so a version number would tell too little.
set -eu
out=$1
shift
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

printf '/* SPDX-License-Identifier: GPL-2.0-only */\n/* Made by probe.sh. */\n' >"$scratch/config.h"

probe() {
	cat >"$scratch/snippet.c"
	if "$cc" "$@" -Werror -Wno-error=unused -o "$scratch/snippet.o" -c "$scratch/snippet.c" \
		>/dev/null 2>&1; then
		echo "#define $name 1" >>"$scratch/config.h"
	fi
}
cc=$1
shift

# The flags must compile an empty file at all, or every answer would be no.
echo '#include <linux/module.h>' >"$scratch/snippet.c"
"$cc" "$@" -o "$scratch/snippet.o" -c "$scratch/snippet.c" || {
	echo "hearth: the compiler refuses the kernel's own flags" >&2
	exit 1
}

name=HEARTH_HAVE_GPU_BUDDY
probe "$@" <<'END'
#include <linux/gpu_buddy.h>
int probe(struct gpu_buddy *mm);
int probe(struct gpu_buddy *mm) { return gpu_buddy_init(mm, 4096, 4096); }
END

name=HEARTH_HAVE_KZALLOC_OBJ
probe "$@" <<'END'
#include <linux/slab.h>
struct probe { int x; };
struct probe *probe(void);
struct probe *probe(void) { return kzalloc_obj(struct probe, GFP_KERNEL); }
END

name=HEARTH_HAVE_DRIVER_GEM_GPUVA
probe "$@" <<'END'
#include <drm/drm_drv.h>
int probe(void);
int probe(void) { return DRIVER_GEM_GPUVA; }
END

name=HEARTH_HAVE_DRM_DRIVER_DATE
probe "$@" <<'END'
#include <drm/drm_drv.h>
extern const struct drm_driver probe;
const struct drm_driver probe = { .date = "0" };
END

name=HEARTH_HAVE_GPUVM_MAP_REQ
probe "$@" <<'END'
#include <drm/drm_gpuvm.h>
int probe(struct drm_gpuvm *vm, const struct drm_gpuvm_map_req *req);
int probe(struct drm_gpuvm *vm, const struct drm_gpuvm_map_req *req)
{ return drm_gpuvm_sm_map(vm, NULL, req); }
END

name=HEARTH_HAVE_GPUVM_BO_OBTAIN_LOCKED
probe "$@" <<'END'
#include <drm/drm_gpuvm.h>
void *probe(struct drm_gpuvm *vm, struct drm_gem_object *obj);
void *probe(struct drm_gpuvm *vm, struct drm_gem_object *obj)
{ return drm_gpuvm_bo_obtain_locked(vm, obj); }
END

name=HEARTH_HAVE_DMA_BUF_PHYS_VEC
probe "$@" <<'END'
#include <linux/dma-buf-mapping.h>
#include <linux/pci-p2pdma.h>
void *probe(struct pci_dev *pdev, struct dma_buf_attachment *attach);
void *probe(struct pci_dev *pdev, struct dma_buf_attachment *attach)
{ return dma_buf_attach_revocable(attach) ? pcim_p2pdma_provider(pdev, 0) : 0; }
END

name=HEARTH_HAVE_BARE_IMPORT_NS
probe "$@" <<'END'
#include <linux/module.h>
MODULE_IMPORT_NS(DMA_BUF);
END

cmp -s "$scratch/config.h" "$out" || cp "$scratch/config.h" "$out"
