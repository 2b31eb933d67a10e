/* SPDX-License-Identifier: MIT */
/* Entry points of kernels.S: entry k is at k * KERNEL_SLOT of the blob. */
#ifndef KERNELS_H
#define KERNELS_H

#define KERNEL_SLOT	256
#define KERNEL_MARK	0 /* adds 1 to the 32-bit word [group] at args.out */
#define KERNEL_LOAD	1 /* loads from args.out */
#define KERNEL_STORE	2 /* stores to args.out */
#define KERNEL_JUMP	3 /* jumps to args.out */
#define KERNEL_ILLEGAL	4 /* an illegal instruction */
#define KERNEL_SPIN	5 /* an endless loop */
#define KERNEL_REGS	6 /* writes the or of all registers that must be 0 to [group] (64 bits) */
#define KERNEL_STACK	7 /* sums 1..63 through its stack and its scratch, stores it to [group] */
#define KERNEL_VECTOR	8 /* vector sum of 64 floats of args.extra + 256 * group, to float [group] */
#define KERNEL_CALL	9 /* an environment call */
#define KERNEL_CSR	10 /* reads a machine-mode register */
#define KERNEL_POISON	11 /* fills all registers it may, then returns */
#define KERNEL_VALUE	12 /* stores 1 to the 64-bit word [group]; the test rewrites it to store 2 */
#define KERNELS		13

#endif /* KERNELS_H */
