// SPDX-License-Identifier: MIT
/*
 * How a hart is set up for user mode, and what happens when the firmware itself goes wrong.
 * User mode reaches the aperture only: whatever a page table says, the firmware's own memory and
 * the devices are out of its reach by physical memory protection. No trap is delegated, counters
 * and cache instructions are off, and the hart never writes accessed or dirty bits.
 */
#include "fw.h"

#define PMP_TOR_NONE 0x08
#define PMP_TOR_RWX  0x0f
#define MSTATUS_FS   (1u << 13)
#define MSTATUS_VS   (1u << 9)

void fw_trap_init(void)
{
	fw_csr_write(pmpaddr0, fw_board.aperture_base >> 2);
	fw_csr_write(pmpaddr1, (fw_board.aperture_base + fw_board.aperture_bytes) >> 2);
	fw_csr_write(pmpcfg0, PMP_TOR_NONE | PMP_TOR_RWX << 8);
	fw_csr_write(medeleg, 0);
	fw_csr_write(mideleg, 0);
	fw_csr_write(mcounteren, 0);
	fw_csr_write(scounteren, 0);
	fw_csr_write(0x30a, 0); /* menvcfg */
	fw_csr_write(0x10a, 0); /* senvcfg */
	fw_csr_set(mstatus, MSTATUS_FS | MSTATUS_VS);
	__asm__ volatile("sfence.vma" ::: "memory");
}

static char *put_text(char *out, const char *text)
{
	while (*text)
		*out++ = *text++;
	return out;
}

static char *put_hex(char *out, u64 value)
{
	int shift = 60;

	while (shift > 0 && !(value >> shift))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		*out++ = "0123456789abcdef"[(value >> shift) & 15];
	return out;
}

void fw_trap_fatal(u64 mcause, u64 mepc, u64 mtval)
{
	char text[128], *out = text;

	out = put_text(out, "firmware trap: hart ");
	out = put_hex(out, fw_csr_read(mhartid));
	out = put_text(out, " cause ");
	out = put_hex(out, mcause);
	out = put_text(out, " pc ");
	out = put_hex(out, mepc);
	out = put_text(out, " value ");
	out = put_hex(out, mtval);
	*out = 0;
	fw_platform.fatal(text);
}
