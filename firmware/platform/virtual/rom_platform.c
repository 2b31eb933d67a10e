// SPDX-License-Identifier: MIT
/*
 * The virtual board's side of the boot ROM. Registers and fuses are words of the mailbox (link.h),
 * which the board writes before it starts the SoC; a reset of the SoC writes them anew, so firmware
 * that changed them has changed nothing.
 */
#include "../../fw.h"
#include "../../rom/rom.h"
#include "link.h"

#define CLINT	  0x02000000ull
#define UART_DATA 0x10000000ull

static struct vb_link *const vb = (struct vb_link *)(VB_DRAM_BASE + VB_LINK_OFFSET);

static void kick(void)
{
	if (!__atomic_exchange_n(&vb->board_kick, 1, __ATOMIC_SEQ_CST))
		*(volatile u8 *)UART_DATA = 0x4b;
}

void rom_platform_read(struct rom_board *board)
{
	u32 i;

	if (vb->magic != VB_LINK_MAGIC || vb->version != VB_LINK_VERSION)
		for (;;)
			fw_wfi();
	board->image_address = vb->image_address;
	board->image_size = vb->image_size;
	board->aperture_base = vb->aperture_base;
	board->aperture_bytes = vb->aperture_bytes;
	board->load_address = VB_DRAM_BASE;
	board->memory_bytes = VB_ROM_OFFSET;
	board->board_id = vb->board_id;
	board->rollback = vb->rollback;
	board->key_count = fw_min(vb->key_count, ROM_MAX_KEYS);
	for (i = 0; i < board->key_count; i++)
		memcpy(board->keys[i], vb->keys[i], sizeof(board->keys[i]));
}

void rom_platform_accept(const struct rom_image *image)
{
	memcpy(vb->image.version, image->version, sizeof(vb->image.version));
	memcpy(vb->image.key_id, image->key_id, sizeof(vb->image.key_id));
	vb->image.flags = image->verified ? HBI_FIRMWARE_VERIFIED | HBI_FIRMWARE_LOCKED : 0;
	vb->image.rollback = image->rollback;
	vb->image.minimum = vb->rollback;
	vb->image.watchdog_ms = vb->watchdog_ms;
	vb->image.image_bytes = image->image_bytes;
	vb->image.boots = vb->boots;
	__atomic_store_n(&vb->state, VB_SOC_ACCEPTED, __ATOMIC_SEQ_CST);
	kick();
}

void rom_platform_release(void)
{
	u32 hart;

	for (hart = 1; hart <= vb->workers; hart++)
		*(volatile u32 *)(CLINT + 4 * hart) = 1;
}

void rom_platform_refuse(enum hbi_boot_error error)
{
	vb->boot_error = error;
	__atomic_store_n(&vb->state, VB_SOC_REFUSED, __ATOMIC_SEQ_CST);
	kick();
	for (;;)
		fw_wfi();
}
