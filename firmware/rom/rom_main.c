// SPDX-License-Identifier: MIT
/* The boot ROM from reset to the first instruction of the firmware. Hart 0; others wait. */
#include "rom.h"

uint64_t rom_entry;

uint64_t rom_main(void)
{
	static struct rom_board board;
	static struct rom_image image;
	enum hbi_boot_error error;

	rom_platform_read(&board);
	error = rom_image_load(&board, &image);
	if (error)
		rom_platform_refuse(error);
	rom_platform_accept(&image);
	rom_entry = board.load_address;
	__asm__ volatile("fence rw, rw\n\tfence.i" ::: "memory");
	rom_platform_release();
	return rom_entry;
}

/* The ROM itself went wrong: memory that does not answer, most likely. */
void rom_trap(void)
{
	rom_platform_refuse(HBI_BOOT_FIRMWARE);
}
