/* SPDX-License-Identifier: MIT */
/*
 * Kernels of the board's tests, one per slot of KERNEL_SLOT bytes in the order of kernels.h. The
 * argument block has two words of their own: out at 16 and extra at 24.
 */
#include "kernels.h"

	.option norvc
	.text

	.org	KERNEL_MARK * KERNEL_SLOT
	ld	t0, 16(a0)
	slli	t1, a1, 2
	add	t0, t0, t1
	li	t2, 1
1:	amoadd.w zero, t2, (t0)
	addi	t0, t0, 4
	addi	a2, a2, -1
	bnez	a2, 1b
	ret

	.org	KERNEL_LOAD * KERNEL_SLOT
	ld	t0, 16(a0)
	ld	t1, 0(t0)
	ret

	.org	KERNEL_STORE * KERNEL_SLOT
	ld	t0, 16(a0)
	sd	t0, 0(t0)
	ret

	.org	KERNEL_JUMP * KERNEL_SLOT
	ld	t0, 16(a0)
	jr	t0

	.org	KERNEL_ILLEGAL * KERNEL_SLOT
	.word	0

	.org	KERNEL_SPIN * KERNEL_SLOT
1:	j	1b

	.org	KERNEL_REGS * KERNEL_SLOT
	or	a4, a4, gp
	or	a4, a4, tp
	or	a4, a4, t0
	or	a4, a4, t1
	or	a4, a4, t2
	or	a4, a4, s0
	or	a4, a4, s1
	or	a4, a4, a5
	or	a4, a4, a6
	or	a4, a4, a7
	or	a4, a4, s2
	or	a4, a4, s3
	or	a4, a4, s11
	or	a4, a4, t3
	or	a4, a4, t6
	fmv.x.d	t0, f0
	or	a4, a4, t0
	fmv.x.d	t0, f31
	or	a4, a4, t0
	vsetvli	t1, zero, e64, m8, ta, ma
	vor.vv	v0, v0, v8
	vor.vv	v0, v0, v16
	vor.vv	v0, v0, v24
	vmv.v.i	v8, 0
	vredor.vs v8, v0, v8
	vmv.x.s	t0, v8
	or	a4, a4, t0
	ld	t0, 16(a0)
	slli	t1, a1, 3
	add	t0, t0, t1
1:	sd	a4, 0(t0)
	addi	t0, t0, 8
	addi	a2, a2, -1
	bnez	a2, 1b
	ret

	.org	KERNEL_STACK * KERNEL_SLOT
	ld	t0, 16(a0)
	slli	t1, a1, 3
	add	t0, t0, t1
1:	addi	sp, sp, -512
	li	t1, 63
	li	t4, 0
2:	slli	t2, t1, 3
	add	t3, sp, t2
	sd	t1, 0(t3)
	add	t3, a3, t2
	sd	t1, 0(t3)
	addi	t1, t1, -1
	bnez	t1, 2b
	li	t1, 63
3:	slli	t2, t1, 3
	add	t3, sp, t2
	ld	t3, 0(t3)
	add	t4, t4, t3
	add	t3, a3, t2
	ld	t3, 0(t3)
	add	t4, t4, t3
	addi	t1, t1, -1
	bnez	t1, 3b
	sd	t4, 0(t0)
	addi	sp, sp, 512
	addi	t0, t0, 8
	addi	a2, a2, -1
	bnez	a2, 1b
	ret

	.org	KERNEL_VECTOR * KERNEL_SLOT
	ld	t0, 16(a0)
	slli	t1, a1, 2
	add	t0, t0, t1
	ld	t2, 24(a0)
	slli	t1, a1, 8
	add	t2, t2, t1
1:	li	t3, 64
	vsetivli zero, 1, e32, m1, ta, ma
	vmv.s.x	v8, zero
2:	vsetvli	t4, t3, e32, m8, ta, ma
	vle32.v	v16, (t2)
	vfredosum.vs v8, v16, v8
	slli	t5, t4, 2
	add	t2, t2, t5
	sub	t3, t3, t4
	bnez	t3, 2b
	vfmv.f.s ft0, v8
	fsw	ft0, 0(t0)
	addi	t0, t0, 4
	addi	a2, a2, -1
	bnez	a2, 1b
	ret

	.org	KERNEL_CALL * KERNEL_SLOT
	ecall

	.org	KERNEL_CSR * KERNEL_SLOT
	csrr	t0, mstatus
	ret

	.org	KERNEL_POISON * KERNEL_SLOT
	mv	s0, ra
	li	ra, -1
	mv	gp, ra
	mv	tp, ra
	mv	s1, ra
	mv	s2, ra
	mv	s3, ra
	mv	s11, ra
	mv	a5, ra
	mv	a7, ra
	mv	t3, ra
	mv	t6, ra
	fmv.d.x	f0, ra
	fmv.d.x	f31, ra
	vsetvli	t0, zero, e64, m8, ta, ma
	vmv.v.i	v0, -1
	vmv.v.i	v8, -1
	vmv.v.i	v16, -1
	vmv.v.i	v24, -1
	jr	s0

	.org	KERNEL_VALUE * KERNEL_SLOT
	li	t1, 1
	ld	t0, 16(a0)
	slli	t2, a1, 3
	add	t0, t0, t2
1:	sd	t1, 0(t0)
	addi	t0, t0, 8
	addi	a2, a2, -1
	bnez	a2, 1b
	ret

	.org	KERNEL_SLOW * KERNEL_SLOT
	ld	t0, 16(a0)
	ld	t3, 24(a0)
	slli	t1, a1, 2
	add	t0, t0, t1
	li	t2, 1
1:	mv	t4, t3
2:	addi	t4, t4, -1
	bnez	t4, 2b
	amoadd.w zero, t2, (t0)
	addi	t0, t0, 4
	addi	a2, a2, -1
	bnez	a2, 1b
	ret

	.org	KERNELS * KERNEL_SLOT
