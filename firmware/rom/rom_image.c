// SPDX-License-Identifier: MIT
/*
 * The checks of a firmware image, in the order of the boot errors' numbers where it matters. Header
 * and body are copied out of the aperture once and looked at only afterwards, since the host may
 * change the aperture at any time. Without owner keys in the board a signature means nothing.
 */
#include <stddef.h>
#include "rom.h"

void *memcpy(void *destination, const void *source, size_t size);

static uint32_t crc32_of(const uint8_t *data, uint64_t size)
{
	uint32_t crc = ~0u;
	int bit;

	for (; size; size--) {
		crc ^= *data++;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

static bool zeros(const uint8_t *bytes, uint64_t count)
{
	while (count--)
		if (*bytes++)
			return false;
	return true;
}

static bool equal(const uint8_t *a, const uint8_t *b, uint64_t count)
{
	while (count--)
		if (*a++ != *b++)
			return false;
	return true;
}

static enum hbi_boot_error check_place(const struct rom_board *board)
{
	uint64_t offset = board->image_address - board->aperture_base;

	if (board->image_address < board->aperture_base || offset > board->aperture_bytes ||
	    board->image_address % 8 || board->image_size > board->aperture_bytes - offset ||
	    board->image_size > HBI_FW_HEADER_SIZE + board->memory_bytes)
		return HBI_BOOT_BAD_ADDRESS;
	return board->image_size < HBI_FW_HEADER_SIZE ? HBI_BOOT_BAD_HEADER : HBI_BOOT_OK;
}

static enum hbi_boot_error check_header(const struct rom_board *board,
					const struct hbi_fw_header *header)
{
	if (header->magic != HBI_FW_MAGIC)
		return HBI_BOOT_BAD_HEADER;
	if (header->hbi_version >> 16 != HBI_VERSION_MAJOR)
		return HBI_BOOT_BAD_VERSION;
	if (header->header_bytes != HBI_FW_HEADER_SIZE || !header->image_bytes ||
	    header->image_bytes != board->image_size - HBI_FW_HEADER_SIZE ||
	    header->load_address != board->load_address ||
	    header->memory_bytes < header->image_bytes ||
	    header->memory_bytes > board->memory_bytes ||
	    header->version[sizeof(header->version) - 1] || header->flags & ~HBI_FW_SIGNED ||
	    header->reserved0 || !zeros(header->reserved, sizeof(header->reserved)))
		return HBI_BOOT_BAD_HEADER;
	if (!(header->flags & HBI_FW_SIGNED) &&
	    (!zeros(header->key_id, sizeof(header->key_id)) ||
	     !zeros(header->signature, sizeof(header->signature))))
		return HBI_BOOT_BAD_HEADER;
	if (header->board_id && header->board_id != board->board_id)
		return HBI_BOOT_WRONG_BOARD;
	return HBI_BOOT_OK;
}

static enum hbi_boot_error check_owner(const struct rom_board *board,
				       const struct hbi_fw_header *header, const void *body)
{
	uint8_t id[ROM_KEY_ID_BYTES];
	uint32_t i;

	if (!(header->flags & HBI_FW_SIGNED))
		return HBI_BOOT_UNSIGNED;
	for (i = 0; i < board->key_count; i++) {
		rom_key_id(board->keys[i], id);
		if (equal(id, header->key_id, sizeof(id)))
			break;
	}
	if (i == board->key_count)
		return HBI_BOOT_UNKNOWN_KEY;
	if (!rom_ed25519_verify(board->keys[i], header->signature, header,
				HBI_FW_SIGNED_HEADER_BYTES, body, header->image_bytes))
		return HBI_BOOT_BAD_SIGNATURE;
	if (header->rollback < board->rollback)
		return HBI_BOOT_ROLLBACK;
	return HBI_BOOT_OK;
}

enum hbi_boot_error rom_image_load(const struct rom_board *board, struct rom_image *image)
{
	const uint8_t *staged = (const uint8_t *)(uintptr_t)board->image_address;
	uint8_t *body = (uint8_t *)(uintptr_t)board->load_address;
	struct hbi_fw_header header;
	enum hbi_boot_error error;

	error = check_place(board);
	if (error)
		return error;
	memcpy(&header, staged, sizeof(header));
	error = check_header(board, &header);
	if (error)
		return error;
	memcpy(body, staged + sizeof(header), header.image_bytes);
	if (crc32_of(body, header.image_bytes) != header.crc32)
		return HBI_BOOT_BAD_CHECKSUM;
	image->verified = board->key_count > 0;
	if (image->verified) {
		error = check_owner(board, &header, body);
		if (error)
			return error;
		memcpy(image->key_id, header.key_id, sizeof(image->key_id));
	}
	memcpy(image->version, header.version, sizeof(image->version));
	image->image_bytes = header.image_bytes;
	image->rollback = header.rollback;
	return HBI_BOOT_OK;
}
