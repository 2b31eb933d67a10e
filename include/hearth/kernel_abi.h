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
 * The argument block of one dispatch. Read-only while the dispatch runs. All addresses are of the
 * context: on a board, translated by the context's page tables; on the host, plain pointers.
 *
 * @num_workgroups: the grid. The linear number of work-group (x, y, z) is
 *	x + num_workgroups[0] * (y + num_workgroups[1] * z). Must stay the first member: a board reads
 *	it when a packet says that the grid lies in the argument block.
 * @base_workgroup: added to the work-group id that the shader sees (vkCmdDispatchBase).
 * @sets: for each bound descriptor set, the address of its table of struct hearth_descriptor.
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
