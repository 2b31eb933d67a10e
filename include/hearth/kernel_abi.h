/* SPDX-License-Identifier: MIT */
/*
 * How a compiled kernel is called, on a core of a board or on a host thread.
 *
 * A kernel image is a position-independent blob without outside references: it may be copied to any
 * 64-byte aligned address that is readable and executable. At its entry offset lies one function of
 * the standard calling convention of the instruction set (System V AMD64, AAPCS64 or RISC-V LP64D):
 * hearth_kernel_fn. It runs work-groups [first, first + count) of the grid one after another.
 *
 * On a board the firmware makes this call in user mode; see "Dispatch" in
 * Documentation/board-interface.rst for the stack and for how the call ends.
 */
#ifndef HEARTH_KERNEL_ABI_H
#define HEARTH_KERNEL_ABI_H

#include <stddef.h>
#include <stdint.h>

/* Raised whenever anything below changes its meaning; part of every cache key. */
#define HEARTH_KERNEL_ABI_VERSION 1

#define HEARTH_KERNEL_MAX_SETS	  8   /* descriptor sets */
#define HEARTH_KERNEL_PUSH_BYTES  256 /* push constants */
#define HEARTH_KERNEL_MAX_DYNAMIC 32  /* dynamic uniform + storage buffers, all sets */
#define HEARTH_KERNEL_ALIGN	  64  /* of images, argument blocks and scratch memory */

/* One buffer as a kernel sees it. A null descriptor has size 0. */
struct hearth_descriptor {
	uint64_t address;
	uint64_t size_bytes;
};

/*
 * How a component of a texel becomes a number. CONSTANT: @offset, 0 or 1, is the value; FLOAT: of 32 or 16 bits, or of 11 or
 * 10 without a sign.
 */
enum hearth_component_kind {
	HEARTH_COMPONENT_CONSTANT,
	HEARTH_COMPONENT_UINT,
	HEARTH_COMPONENT_SINT,
	HEARTH_COMPONENT_UNORM,
	HEARTH_COMPONENT_SNORM,
	HEARTH_COMPONENT_FLOAT,
};

/* @width bits (1 to 32) of a texel from bit @offset on, which lie in one 32-bit word. */
struct hearth_component {
	uint8_t kind; /* enum hearth_component_kind */
	uint8_t offset;
	uint8_t width;
	uint8_t reserved;
};

/*
 * Where an image view or a texel buffer lies. Texel (x, y, z) of level l is at
 *
 *	@address + z * @slice_bytes + (y + @mip_rows - (@mip_rows >> l) + l) * @row_bytes + (x << @texel_log2),
 *
 * so that all levels lie below each other in rows of one length. z counts slices of 3D images, layers of others. Level
 * l has max(1, n >> l) texels where level 0 has n = @extent[i]; layers are as many in all levels. A null descriptor is all zeros, so that
 * no texel is inside.
 *
 * The last 16 bytes are the sampler of a combined image sampler.
 */
struct hearth_image_descriptor {
	uint64_t address;
	uint64_t slice_bytes;
	uint32_t row_bytes;
	uint32_t mip_rows;
	uint32_t extent[3];
	uint32_t levels;
	uint32_t texel_log2; /* bytes of a texel are 1 << this, 16 at most */
	uint32_t reserved;
	struct hearth_component components[4]; /* red, green, blue, alpha */
	uint64_t sampler[2];		       /* struct hearth_sampler_descriptor */
};

enum hearth_sampler_flags {
	HEARTH_SAMPLER_MAG_LINEAR = 1 << 0,
	HEARTH_SAMPLER_MIN_LINEAR = 1 << 1,
	HEARTH_SAMPLER_MIP_LINEAR = 1 << 2,
	HEARTH_SAMPLER_UNNORMALIZED = 1 << 3,
	HEARTH_SAMPLER_COMPARE = 1 << 4,
	HEARTH_SAMPLER_BORDER_COLOR = 1 << 5, /* red, green and blue are 1 outside, not 0 */
	HEARTH_SAMPLER_BORDER_ALPHA = 1 << 6, /* alpha is */
	/* For x, y, z: two bits of enum hearth_address_mode, and one that says that it mirrors first. */
	HEARTH_SAMPLER_ADDRESS_SHIFT = 8, /* 4 bits each */
	/* When the reference compared with a texel gives 1: if it is less, equal, greater. */
	HEARTH_SAMPLER_LESS = 1 << 20,
	HEARTH_SAMPLER_EQUAL = 1 << 21,
	HEARTH_SAMPLER_GREATER = 1 << 22,
};

enum hearth_address_mode {
	HEARTH_ADDRESS_REPEAT,
	HEARTH_ADDRESS_CLAMP,
	HEARTH_ADDRESS_BORDER,
	HEARTH_ADDRESS_MIRROR = 1 << 2, /* with REPEAT or CLAMP */
};

struct hearth_sampler_descriptor {
	uint32_t flags; /* enum hearth_sampler_flags */
	float lod_bias, min_lod, max_lod;
};

/*
 * The argument block of one dispatch. Read-only while the dispatch runs. All addresses are of the
 * context: on a board, translated by the context's page tables; on the host, plain pointers.
 *
 * @num_workgroups: the grid. The linear number of work-group (x, y, z) is
 *	x + num_workgroups[0] * (y + num_workgroups[1] * z). Must stay the first member: a board reads
 *	it when a packet says that the grid lies in the argument block.
 * @base_workgroup: added to the work-group id that the shader sees (vkCmdDispatchBase).
 * @sets: for each bound descriptor set, the address of its table of struct hearth_descriptor. An image or a combined
 *	image sampler takes the room of five, a sampler that of one.
 * @push: push constants.
 * @dynamic: descriptors of dynamic buffers, offsets already added; as many as the kernel's layout has.
 */
struct hearth_kernel_args {
	uint32_t num_workgroups[3];
	uint32_t reserved0;
	uint32_t base_workgroup[3];
	uint32_t reserved1;
	uint64_t sets[HEARTH_KERNEL_MAX_SETS];
	uint8_t push[HEARTH_KERNEL_PUSH_BYTES];
	struct hearth_descriptor dynamic[];
};

_Static_assert(sizeof(struct hearth_descriptor) == 16, "kernel ABI: descriptor size");
_Static_assert(sizeof(struct hearth_image_descriptor) == 80, "kernel ABI: image descriptor size");
_Static_assert(sizeof(struct hearth_sampler_descriptor) == 16, "kernel ABI: sampler size");
_Static_assert(offsetof(struct hearth_kernel_args, num_workgroups) == 0, "kernel ABI: grid");
_Static_assert(offsetof(struct hearth_kernel_args, base_workgroup) == 16, "kernel ABI: base");
_Static_assert(offsetof(struct hearth_kernel_args, sets) == 32, "kernel ABI: sets");
_Static_assert(offsetof(struct hearth_kernel_args, push) == 96, "kernel ABI: push constants");
_Static_assert(offsetof(struct hearth_kernel_args, dynamic) == 352, "kernel ABI: dynamic");

/*
 * @scratch: HEARTH_KERNEL_ALIGN-aligned memory of the kernel's scratch size (shared variables and
 *	values that live across barriers), private to the caller for the length of the call. Its content
 *	need not be initialised and means nothing afterwards.
 */
typedef void (*hearth_kernel_fn)(const struct hearth_kernel_args *args, uint64_t first,
				 uint64_t count, void *scratch);

#endif /* HEARTH_KERNEL_ABI_H */
