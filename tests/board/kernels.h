/* SPDX-License-Identifier: MIT */
/* Entry points of kernels.S: entry k is at k * KERNEL_SLOT of the blob. */
#ifndef KERNELS_H
#define KERNELS_H

#define KERNEL_SLOT    256
#define KERNEL_MARK    0  /* adds 1 to the 32-bit word [group] at args.out */
#define KERNEL_LOAD    1  /* loads from args.out */
#define KERNEL_STORE   2  /* stores to args.out */
#define KERNEL_JUMP    3  /* jumps to args.out */
#define KERNEL_ILLEGAL 4  /* an illegal instruction */
#define KERNEL_SPIN    5  /* an endless loop */
#define KERNEL_REGS    6  /* the or of all registers that must be 0, to 64 bits [group] */
#define KERNEL_STACK   7  /* sum of 1..63 by way of its stack and scratch, to [group] */
#define KERNEL_VECTOR  8  /* sum of 64 floats at args.extra + 256 * group, to [group] */
#define KERNEL_CALL    9  /* an environment call */
#define KERNEL_CSR     10 /* reads a machine-mode register */
#define KERNEL_POISON  11 /* fills all registers it may, then returns */
#define KERNEL_VALUE   12 /* stores 1 to [group]; the test rewrites the value */
#define KERNEL_SLOW    13 /* as KERNEL_MARK, with args.extra turns of a loop before each */
#define KERNELS	       14

#endif /* KERNELS_H */
