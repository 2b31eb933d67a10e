/* SPDX-License-Identifier: MIT */
/*
 * Reset entry of every hart, the trap entry, and the way into user mode and back. In M-mode tp is
 * the hart's struct fw_hart and mscratch is 0; in user mode mscratch holds what tp was.
 */
#include "fw_asm.h"

	.section .text.start, "ax"
	.globl fw_start
fw_start:
	csrw	mie, zero
	csrci	mstatus, 8
	csrw	satp, zero
	csrw	mscratch, zero
	la	t0, fw_trap_entry
	csrw	mtvec, t0
	csrr	a0, mhartid
	li	t0, FW_MAX_HARTS
	bgeu	a0, t0, fw_park
	la	tp, fw_harts
	li	t0, FW_HART_BYTES
	mul	t0, t0, a0
	add	tp, tp, t0
	la	sp, fw_stacks
	li	t0, FW_STACK_BYTES
	addi	t1, a0, 1
	mul	t0, t0, t1
	add	sp, sp, t0
	bnez	a0, 2f

	la	t0, fw_bss_start
	la	t1, fw_bss_end
1:	bgeu	t0, t1, 3f
	sd	zero, 0(t0)
	addi	t0, t0, 8
	j	1b
3:	call	fw_main
	j	fw_park

	/* Others wait until hart 0 has set everything up and interrupts them. */
2:	li	t0, 8
	csrw	mie, t0
4:	wfi
	la	t0, fw_go
	lw	t0, 0(t0)
	beqz	t0, 4b
	fence	rw, rw
	fence.i
	call	fw_main_worker
fw_park:
	wfi
	j	fw_park

/* ---- void fw_user_enter(void) ---- */
	.text
	.globl fw_user_enter
fw_user_enter:
	addi	sp, sp, -112
	sd	ra, 0(sp)
	sd	s0, 8(sp)
	sd	s1, 16(sp)
	sd	s2, 24(sp)
	sd	s3, 32(sp)
	sd	s4, 40(sp)
	sd	s5, 48(sp)
	sd	s6, 56(sp)
	sd	s7, 64(sp)
	sd	s8, 72(sp)
	sd	s9, 80(sp)
	sd	s10, 88(sp)
	sd	s11, 96(sp)
	sd	gp, 104(sp)
	sd	sp, FW_HART_MSP(tp)
	csrw	mscratch, tp
	ld	t0, 0(tp)
	csrw	mepc, t0
	li	t0, 3 << 11
	csrc	mstatus, t0
	ld	x1, 8(tp)
	ld	x2, 16(tp)
	ld	x3, 24(tp)
	ld	x5, 40(tp)
	ld	x6, 48(tp)
	ld	x7, 56(tp)
	ld	x8, 64(tp)
	ld	x9, 72(tp)
	ld	x10, 80(tp)
	ld	x11, 88(tp)
	ld	x12, 96(tp)
	ld	x13, 104(tp)
	ld	x14, 112(tp)
	ld	x15, 120(tp)
	ld	x16, 128(tp)
	ld	x17, 136(tp)
	ld	x18, 144(tp)
	ld	x19, 152(tp)
	ld	x20, 160(tp)
	ld	x21, 168(tp)
	ld	x22, 176(tp)
	ld	x23, 184(tp)
	ld	x24, 192(tp)
	ld	x25, 200(tp)
	ld	x26, 208(tp)
	ld	x27, 216(tp)
	ld	x28, 224(tp)
	ld	x29, 232(tp)
	ld	x30, 240(tp)
	ld	x31, 248(tp)
	ld	x4, 32(tp)
	mret

	.balign 4
fw_trap_entry:
	csrrw	tp, mscratch, tp
	beqz	tp, fw_trap_machine
	sd	x1, 8(tp)
	sd	x2, 16(tp)
	sd	x3, 24(tp)
	sd	x5, 40(tp)
	sd	x6, 48(tp)
	sd	x7, 56(tp)
	sd	x8, 64(tp)
	sd	x9, 72(tp)
	sd	x10, 80(tp)
	sd	x11, 88(tp)
	sd	x12, 96(tp)
	sd	x13, 104(tp)
	sd	x14, 112(tp)
	sd	x15, 120(tp)
	sd	x16, 128(tp)
	sd	x17, 136(tp)
	sd	x18, 144(tp)
	sd	x19, 152(tp)
	sd	x20, 160(tp)
	sd	x21, 168(tp)
	sd	x22, 176(tp)
	sd	x23, 184(tp)
	sd	x24, 192(tp)
	sd	x25, 200(tp)
	sd	x26, 208(tp)
	sd	x27, 216(tp)
	sd	x28, 224(tp)
	sd	x29, 232(tp)
	sd	x30, 240(tp)
	sd	x31, 248(tp)
	csrrw	t0, mscratch, zero
	sd	t0, 32(tp)
	csrr	t0, mepc
	sd	t0, 0(tp)
	csrr	t0, mcause
	sd	t0, FW_HART_MCAUSE(tp)
	csrr	t0, mtval
	sd	t0, FW_HART_MTVAL(tp)
	ld	sp, FW_HART_MSP(tp)
	ld	ra, 0(sp)
	ld	s0, 8(sp)
	ld	s1, 16(sp)
	ld	s2, 24(sp)
	ld	s3, 32(sp)
	ld	s4, 40(sp)
	ld	s5, 48(sp)
	ld	s6, 56(sp)
	ld	s7, 64(sp)
	ld	s8, 72(sp)
	ld	s9, 80(sp)
	ld	s10, 88(sp)
	ld	s11, 96(sp)
	ld	gp, 104(sp)
	addi	sp, sp, 112
	ret

fw_trap_machine:
	csrrw	tp, mscratch, tp
	csrr	a0, mcause
	csrr	a1, mepc
	csrr	a2, mtval
	call	fw_trap_fatal
	j	fw_park

/* ---- void fw_user_clear(void) ---- */
	.globl fw_user_clear
	.option push
	.option arch, +f, +d, +v
fw_user_clear:
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	fmv.d.x	f\n, zero
	.endr
	csrr	t0, misa
	srli	t0, t0, 'V' - 'A'
	andi	t0, t0, 1
	beqz	t0, 1f
	vsetvli	t0, zero, e64, m8, ta, ma
	vmv.v.i	v0, 0
	vmv.v.i	v8, 0
	vmv.v.i	v16, 0
	vmv.v.i	v24, 0
	csrw	vcsr, zero
	/* Emulators use the host's arithmetic only while the inexact flag is already set. */
1:	csrwi	fcsr, 1
	ret
	.option pop

	.section .noinit, "aw", @nobits
	.balign 64
	.globl fw_stacks
fw_stacks:
	.space	FW_MAX_HARTS * FW_STACK_BYTES
