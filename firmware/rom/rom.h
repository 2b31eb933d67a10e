/* SPDX-License-Identifier: MIT */
/*
 * The boot ROM: the first and only code that a board trusts by itself. At each BOOT it takes the
 * staged image out of the host's reach, checks it (rom_image.c), and starts it, or says why not. It
 * is generic but for the four functions at the end, which a board writes for its own registers.
 */
#ifndef ROM_H
#define ROM_H

#include <stdbool.h>
#include <stdint.h>
#include <hearth/hbi.h>
#include "rom_crypto.h"

#define ROM_MAX_KEYS 2 /* so that an owner can change from one to another */

/*
 * What the ROM reads from the board. Addresses are board-physical.
 * @memory_bytes: that firmware may use from @load_address on.
 * @rollback, @keys: from fuses, or from memory that only the ROM and the fuse programmer write.
 * Without keys the board is open: it takes any image that is whole.
 */
struct rom_board {
	uint64_t image_address; /* registers FW_ADDRESS and FW_SIZE */
	uint64_t image_size;
	uint64_t aperture_base;
	uint64_t aperture_bytes;
	uint64_t load_address;
	uint64_t memory_bytes;
	uint32_t board_id;
	uint32_t rollback;
	uint32_t key_count;
	uint8_t keys[ROM_MAX_KEYS][ROM_KEY_BYTES];
};

/* What the ROM found out about an image that it takes. */
struct rom_image {
	uint8_t version[32];
	uint8_t key_id[ROM_KEY_ID_BYTES]; /* zeros if not @verified */
	uint64_t image_bytes;
	uint32_t rollback;
	bool verified;
};

/* Checks the staged image and copies it to its place. Nothing of @image is valid after an error. */
enum hbi_boot_error rom_image_load(const struct rom_board *board, struct rom_image *image);

/* rom_main.c: the entry of the firmware, once it may run. */
uint64_t rom_main(void);
void __attribute__((noreturn)) rom_trap(void);

/* ---- The board's own ---- */

void rom_platform_read(struct rom_board *board);
/* Notes what is about to run where the firmware and the board's registers find it. */
void rom_platform_accept(const struct rom_image *image);
/* Sends all other harts to where rom_entry points. */
void rom_platform_release(void);
/* Makes the board go to RESCUE, or to FAILED for HBI_BOOT_FIRMWARE. */
void __attribute__((noreturn)) rom_platform_refuse(enum hbi_boot_error error);

extern uint64_t rom_entry;

#endif /* ROM_H */
