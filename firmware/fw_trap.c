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

static void __attribute__((format(printf, 3, 4))) put(char *text, size_t size, const char *format,
						      ...)
{
	va_list arguments;

	va_start(arguments, format);
	fw_text_format(text, size, format, arguments);
	va_end(arguments);
}

void fw_trap_fatal(u64 mcause, u64 mepc, u64 mtval)
{
	char text[104];

	put(text, sizeof(text), "firmware trap: hart %lu cause %lx pc %lx value %lx",
	    fw_csr_read(mhartid), mcause, mepc, mtval);
	fw_log(HBI_LOG_ERROR, "%s", text);
	fw_platform.fatal(text);
}
