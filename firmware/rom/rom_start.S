/* SPDX-License-Identifier: MIT */
/*
 * Reset entry of every hart. Hart 0 runs the ROM. Others sleep until they are interrupted, and leave
 * that interrupt pending, since the firmware waits for one too: none is lost between the two.
 */
	.section .text.start, "ax"
	.globl	rom_start
rom_start:
	csrw	mie, zero
	csrci	mstatus, 8
	la	t0, rom_trap_entry
	csrw	mtvec, t0
	csrr	a0, mhartid
	bnez	a0, 2f
	la	t0, rom_bss_start
	la	t1, rom_bss_end
1:	bgeu	t0, t1, 3f
	sd	zero, 0(t0)
	addi	t0, t0, 8
	j	1b
3:	la	sp, rom_stack_end
	call	rom_main
	jr	a0

2:	li	t0, 8
	csrw	mie, t0
4:	wfi
	csrr	t0, mip
	andi	t0, t0, 8
	beqz	t0, 4b
	fence	rw, rw
	fence.i
	la	t0, rom_entry
	ld	t0, 0(t0)
	jr	t0

	.balign	4
rom_trap_entry:
	la	sp, rom_stack_end
	call	rom_trap
