// SPDX-License-Identifier: MIT
/*
 * The kernels that the checks run on a board's cores, as RISC-V machine code, so that the tool needs
 * no compiler for the board. What each does: enum kernel. Branches are relative to themselves.
 */
#include "conform.h"

/* clang-format off */
const uint32_t kernel_words[KERNELS][KERNEL_SLOT / 4] = {
	[KERNEL_MARK] = {
		0x01053283, /* ld t0,16(a0) */
		0x00259313, /* slli t1,a1,0x2 */
		0x006282b3, /* add t0,t0,t1 */
		0x00100393, /* li t2,1 */
		0x0072a02f, /* amoadd.w zero,t2,(t0) */
		0x00428293, /* addi t0,t0,4 */
		0xfff60613, /* addi a2,a2,-1 */
		0xfe061ae3, /* bnez a2,-12 */
		0x00008067, /* ret */
	},
	[KERNEL_LOAD] = {
		0x01053283, /* ld t0,16(a0) */
		0x0002b303, /* ld t1,0(t0) */
		0x00008067, /* ret */
	},
	[KERNEL_STORE] = {
		0x01053283, /* ld t0,16(a0) */
		0x0052b023, /* sd t0,0(t0) */
		0x00008067, /* ret */
	},
	[KERNEL_JUMP] = {
		0x01053283, /* ld t0,16(a0) */
		0x00028067, /* jr t0 */
	},
	[KERNEL_ILLEGAL] = {
		0x00000000,
	},
	[KERNEL_SPIN] = {
		0x0000006f, /* j +0 */
	},
	[KERNEL_CALL] = {
		0x00000073, /* ecall */
	},
	[KERNEL_CSR] = {
		0x300022f3, /* csrr t0,mstatus */
		0x00008067, /* ret */
	},
	[KERNEL_REGS] = {
		0x00376733, /* or a4,a4,gp */
		0x00476733, /* or a4,a4,tp */
		0x00576733, /* or a4,a4,t0 */
		0x00676733, /* or a4,a4,t1 */
		0x00776733, /* or a4,a4,t2 */
		0x00876733, /* or a4,a4,s0 */
		0x00976733, /* or a4,a4,s1 */
		0x00f76733, /* or a4,a4,a5 */
		0x01076733, /* or a4,a4,a6 */
		0x01176733, /* or a4,a4,a7 */
		0x01276733, /* or a4,a4,s2 */
		0x01376733, /* or a4,a4,s3 */
		0x01476733, /* or a4,a4,s4 */
		0x01576733, /* or a4,a4,s5 */
		0x01676733, /* or a4,a4,s6 */
		0x01776733, /* or a4,a4,s7 */
		0x01876733, /* or a4,a4,s8 */
		0x01976733, /* or a4,a4,s9 */
		0x01a76733, /* or a4,a4,s10 */
		0x01b76733, /* or a4,a4,s11 */
		0x01c76733, /* or a4,a4,t3 */
		0x01d76733, /* or a4,a4,t4 */
		0x01e76733, /* or a4,a4,t5 */
		0x01f76733, /* or a4,a4,t6 */
		0x01053283, /* ld t0,16(a0) */
		0x00359313, /* slli t1,a1,0x3 */
		0x006282b3, /* add t0,t0,t1 */
		0x00e2b023, /* sd a4,0(t0) */
		0x00828293, /* addi t0,t0,8 */
		0xfff60613, /* addi a2,a2,-1 */
		0xfe061ae3, /* bnez a2,-12 */
		0x00008067, /* ret */
	},
	[KERNEL_POISON] = {
		0x00008413, /* mv s0,ra */
		0xfff00093, /* li ra,-1 */
		0x00008193, /* mv gp,ra */
		0x00008213, /* mv tp,ra */
		0x00008493, /* mv s1,ra */
		0x00008913, /* mv s2,ra */
		0x00008993, /* mv s3,ra */
		0x00008a13, /* mv s4,ra */
		0x00008d93, /* mv s11,ra */
		0x00008713, /* mv a4,ra */
		0x00008793, /* mv a5,ra */
		0x00008893, /* mv a7,ra */
		0x00008e13, /* mv t3,ra */
		0x00008f93, /* mv t6,ra */
		0x00040067, /* jr s0 */
	},
	[KERNEL_STACK] = {
		0x01053283, /* ld t0,16(a0) */
		0x00359313, /* slli t1,a1,0x3 */
		0x006282b3, /* add t0,t0,t1 */
		0xe0010113, /* addi sp,sp,-512 */
		0x03f00313, /* li t1,63 */
		0x00000e93, /* li t4,0 */
		0x00331393, /* slli t2,t1,0x3 */
		0x00710e33, /* add t3,sp,t2 */
		0x006e3023, /* sd t1,0(t3) */
		0x00768e33, /* add t3,a3,t2 */
		0x006e3023, /* sd t1,0(t3) */
		0xfff30313, /* addi t1,t1,-1 */
		0xfe0314e3, /* bnez t1,-24 */
		0x03f00313, /* li t1,63 */
		0x00331393, /* slli t2,t1,0x3 */
		0x00710e33, /* add t3,sp,t2 */
		0x000e3e03, /* ld t3,0(t3) */
		0x01ce8eb3, /* add t4,t4,t3 */
		0x00768e33, /* add t3,a3,t2 */
		0x000e3e03, /* ld t3,0(t3) */
		0x01ce8eb3, /* add t4,t4,t3 */
		0xfff30313, /* addi t1,t1,-1 */
		0xfe0310e3, /* bnez t1,-32 */
		0x01d2b023, /* sd t4,0(t0) */
		0x20010113, /* addi sp,sp,512 */
		0x00828293, /* addi t0,t0,8 */
		0xfff60613, /* addi a2,a2,-1 */
		0xfa0610e3, /* bnez a2,-96 */
		0x00008067, /* ret */
	},
	[KERNEL_VECTORS] = {
		0x0db07357, /* vsetvli t1,zero,e64,m8,ta,ma */
		0x2a040057, /* vor.vv v0,v0,v8 */
		0x2a080057, /* vor.vv v0,v0,v16 */
		0x2a0c0057, /* vor.vv v0,v0,v24 */
		0x5e003457, /* vmv.v.i v8,0 */
		0x0a042457, /* vredor.vs v8,v0,v8 */
		0x42802757, /* vmv.x.s a4,v8 */
		0x01053283, /* ld t0,16(a0) */
		0x00359313, /* slli t1,a1,0x3 */
		0x006282b3, /* add t0,t0,t1 */
		0x00e2b023, /* sd a4,0(t0) */
		0x00828293, /* addi t0,t0,8 */
		0xfff60613, /* addi a2,a2,-1 */
		0xfe061ae3, /* bnez a2,-12 */
		0x00008067, /* ret */
	},
	[KERNEL_VPOISON] = {
		0x0db072d7, /* vsetvli t0,zero,e64,m8,ta,ma */
		0x5e0fb057, /* vmv.v.i v0,-1 */
		0x5e0fb457, /* vmv.v.i v8,-1 */
		0x5e0fb857, /* vmv.v.i v16,-1 */
		0x5e0fbc57, /* vmv.v.i v24,-1 */
		0x00008067, /* ret */
	},
	[KERNEL_SLOW] = {
		0x01053283, /* ld t0,16(a0) */
		0x01853e03, /* ld t3,24(a0) */
		0x00259313, /* slli t1,a1,0x2 */
		0x006282b3, /* add t0,t0,t1 */
		0x00100393, /* li t2,1 */
		0x000e0e93, /* mv t4,t3 */
		0xfffe8e93, /* addi t4,t4,-1 */
		0xfe0e9ee3, /* bnez t4,-4 */
		0x0072a02f, /* amoadd.w zero,t2,(t0) */
		0x00428293, /* addi t0,t0,4 */
		0xfff60613, /* addi a2,a2,-1 */
		0xfe0614e3, /* bnez a2,-24 */
		0x00008067, /* ret */
	},
};
/* clang-format on */
