// SPDX-License-Identifier: MIT
/* States, resets, and images: which are taken, which are refused, and how. */
#include <stdlib.h>
#include <string.h>
#include "conform.h"

static void fresh_registers(struct board *board)
{
	static const uint32_t registers[] = { HBI_REG_FW_ADDRESS, HBI_REG_FW_SIZE, HBI_REG_ADMIN_SQ,
					      HBI_REG_ADMIN_CQ, HBI_REG_EVENT_RING };
	size_t i;

	EQUAL(state_of(board), HBI_STATE_IDLE);
	EQUAL(boot_error_of(board), HBI_BOOT_OK);
	EQUAL(reg(board, HBI_REG_STATUS, 4) >> 16, 0);
	EQUAL(reg(board, HBI_REG_CONTROL, 4), 0);
	EQUAL(reg(board, HBI_REG_RING_SIZES, 4), 0);
	for (i = 0; i < sizeof(registers) / sizeof(registers[0]); i++)
		EQUAL(reg(board, registers[i], 8), 0);
}

static void set_registers(struct board *board)
{
	set_reg(board, HBI_REG_FW_ADDRESS, board->aperture_base, 8);
	set_reg(board, HBI_REG_FW_SIZE, 4096, 8);
	set_rings(board);
}

static void reset(struct board *board)
{
	uint32_t generation = reg(board, HBI_REG_GENERATION, 4);

	set_registers(board);
	reset_board(board);
	fresh_registers(board);
	EXPECT(reg(board, HBI_REG_GENERATION, 4) > generation);
}

static void flr(struct board *board)
{
	uint32_t generation;

	start(board);
	generation = reg(board, HBI_REG_GENERATION, 4);
	set_registers(board);
	board->running = false;
	board->transport->function_reset(board);
	rest(board, 100);
	EXPECT(leave_state(board, HBI_STATE_RESET) == HBI_STATE_IDLE);
	fresh_registers(board);
	EXPECT(reg(board, HBI_REG_GENERATION, 4) > generation);
}

static void idle(struct board *board)
{
	set_rings(board);
	set_reg(board, HBI_REG_CONTROL, HBI_CONTROL_ENABLE, 4);
	EQUAL(state_of(board), HBI_STATE_IDLE);
	set_reg(board, HBI_REG_ADMIN_TAIL, 1, 4);
	set_reg(board, HBI_REG_EVENT_HEAD, 1, 4);
	doorbell(board, 0, 1, 8, 0);
	rest(board, 50);
	EQUAL(state_of(board), HBI_STATE_IDLE);
}

/* ---- Images ---- */

struct image {
	struct hbi_fw_header *header;
	size_t bytes;
};

static struct image copy_of(struct board *board)
{
	struct image image = { malloc(board->image_bytes), board->image_bytes };

	if (!image.header)
		stop("no memory");
	memcpy(image.header, board->image, image.bytes);
	return image;
}

static void fix_checksum(struct image *image)
{
	const uint8_t *bytes = (const uint8_t *)(image->header + 1);
	size_t count = image->bytes - sizeof(*image->header);
	uint32_t crc = ~0u;
	int bit;

	for (; count; count--) {
		crc ^= *bytes++;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	image->header->crc32 = ~crc;
}

/* A locked board may find fault with the signature first, which each change breaks as well. */
static void refused(struct board *board, struct image *image, enum hbi_boot_error error)
{
	uint32_t state = boot(board, image->header, image->bytes), told = boot_error_of(board);

	free(image->header);
	EQUAL(state, HBI_STATE_RESCUE);
	if (!board->locked || told != HBI_BOOT_BAD_SIGNATURE)
		EQUAL(told, error);
}

#define DAMAGE(statement, error)                        \
	do {                                            \
		struct image image = copy_of(board);    \
		struct hbi_fw_header *h = image.header; \
		(void)h;                                \
		statement;                              \
		refused(board, &image, error);          \
	} while (0)

static void bad_header(struct board *board)
{
	DAMAGE(h->magic ^= 1, HBI_BOOT_BAD_HEADER);
	DAMAGE(h->header_bytes = 128, HBI_BOOT_BAD_HEADER);
	DAMAGE(h->image_bytes += 8, HBI_BOOT_BAD_HEADER);
	DAMAGE(h->image_bytes = 0, HBI_BOOT_BAD_HEADER);
	DAMAGE(image.bytes -= 8, HBI_BOOT_BAD_HEADER);
	DAMAGE(image.bytes = 64, HBI_BOOT_BAD_HEADER);
	DAMAGE(h->load_address += 4096, HBI_BOOT_BAD_HEADER);
	DAMAGE(h->load_address = board->aperture_base, HBI_BOOT_BAD_HEADER);
	DAMAGE(h->memory_bytes = ~0ull, HBI_BOOT_BAD_HEADER);
	DAMAGE(h->memory_bytes = h->image_bytes - 1, HBI_BOOT_BAD_HEADER);
	DAMAGE(h->flags |= 1u << 31, HBI_BOOT_BAD_HEADER);
	DAMAGE(h->reserved0 = 1, HBI_BOOT_BAD_HEADER);
	DAMAGE(h->reserved[sizeof(h->reserved) - 1] = 1, HBI_BOOT_BAD_HEADER);
	DAMAGE(memset(h->version, 'x', sizeof(h->version)), HBI_BOOT_BAD_HEADER);
}

static void bad_checksum(struct board *board)
{
	DAMAGE(((uint8_t *)h)[image.bytes - 1] ^= 0x80, HBI_BOOT_BAD_CHECKSUM);
	DAMAGE(h->crc32 ^= 1, HBI_BOOT_BAD_CHECKSUM);
}

static void bad_version(struct board *board)
{
	DAMAGE(h->hbi_version = (HBI_VERSION_MAJOR + 1) << 16, HBI_BOOT_BAD_VERSION);
}

static void wrong_board(struct board *board)
{
	DAMAGE(h->board_id = reg(board, HBI_REG_BOARD_ID, 4) + 1
				     ? reg(board, HBI_REG_BOARD_ID, 4) + 1
				     : 1,
	       HBI_BOOT_WRONG_BOARD);
}

static void bad_address(struct board *board)
{
	const struct {
		uint64_t address, bytes;
	} cases[] = {
		{ 0, 4096 },
		{ board->aperture_base - 4096, 4096 },
		{ board->aperture_base + board->aperture_bytes, 4096 },
		{ board->aperture_base + board->aperture_bytes - 4096, 8192 },
		{ board->aperture_base + 4, 4096 },
		{ board->aperture_base, ~0ull },
		{ ~0ull, 4096 },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		set_reg(board, HBI_REG_FW_ADDRESS, cases[i].address, 8);
		set_reg(board, HBI_REG_FW_SIZE, cases[i].bytes, 8);
		set_reg(board, HBI_REG_CONTROL, HBI_CONTROL_BOOT, 4);
		EQUAL(leave_state(board, HBI_STATE_BOOTING), HBI_STATE_RESCUE);
		EQUAL(boot_error_of(board), HBI_BOOT_BAD_ADDRESS);
	}
}

static void rescue(struct board *board)
{
	DAMAGE(h->magic ^= 1, HBI_BOOT_BAD_HEADER);
	set_reg(board, HBI_REG_CONTROL, HBI_CONTROL_ENABLE, 4);
	EQUAL(state_of(board), HBI_STATE_RESCUE);
	EQUAL(boot(board, board->image, board->image_bytes), HBI_STATE_READY);
	EQUAL(boot_error_of(board), HBI_BOOT_OK);
}

static void owner(struct board *board)
{
	if (!board->locked)
		leave_out("the board is open: it has no owner's key");
	DAMAGE((h->flags = 0, memset(h->key_id, 0, sizeof(h->key_id)),
		memset(h->signature, 0, sizeof(h->signature))),
	       HBI_BOOT_UNSIGNED);
	EQUAL(boot_error_of(board), HBI_BOOT_UNSIGNED);
	DAMAGE(h->key_id[0] ^= 1, HBI_BOOT_UNKNOWN_KEY);
	EQUAL(boot_error_of(board), HBI_BOOT_UNKNOWN_KEY);
	DAMAGE(h->signature[5] ^= 1, HBI_BOOT_BAD_SIGNATURE);
	DAMAGE((((uint8_t *)h)[image.bytes - 1] ^= 1, fix_checksum(&image)),
	       HBI_BOOT_BAD_SIGNATURE);
	DAMAGE(h->rollback++, HBI_BOOT_BAD_SIGNATURE);
}

static void good_image(struct board *board)
{
	EQUAL(boot(board, board->image, board->image_bytes), HBI_STATE_READY);
	EQUAL(boot_error_of(board), HBI_BOOT_OK);
	EQUAL(reg(board, HBI_REG_CONTROL, 4), 0);
	/* BOOT is for IDLE and RESCUE alone. */
	set_reg(board, HBI_REG_CONTROL, HBI_CONTROL_BOOT, 4);
	EQUAL(state_of(board), HBI_STATE_READY);
}

static void staged_anywhere(struct board *board)
{
	uint64_t offset = board->aperture_bytes - ((board->image_bytes + 7) & ~7ull);

	memcpy(board->aperture + 8, board->image, board->image_bytes);
	set_reg(board, HBI_REG_FW_ADDRESS, board->aperture_base + 8, 8);
	set_reg(board, HBI_REG_FW_SIZE, board->image_bytes, 8);
	set_reg(board, HBI_REG_CONTROL, HBI_CONTROL_BOOT, 4);
	EQUAL(leave_state(board, HBI_STATE_BOOTING), HBI_STATE_READY);
	reset_board(board);
	memcpy(board->aperture + offset, board->image, board->image_bytes);
	set_reg(board, HBI_REG_FW_ADDRESS, board->aperture_base + offset, 8);
	set_reg(board, HBI_REG_FW_SIZE, board->image_bytes, 8);
	set_reg(board, HBI_REG_CONTROL, HBI_CONTROL_BOOT, 4);
	EQUAL(leave_state(board, HBI_STATE_BOOTING), HBI_STATE_READY);
}

static void enable(struct board *board)
{
	start(board);
	EQUAL(reg(board, HBI_REG_CONTROL, 4), HBI_CONTROL_ENABLE);
	set_reg(board, HBI_REG_CONTROL, HBI_CONTROL_BOOT | HBI_CONTROL_ENABLE, 4);
	EQUAL(state_of(board), HBI_STATE_RUNNING);
	EQUAL(admin_simple(board, HBI_ADMIN_NOP, 0), HBI_OK);
}

static void bad_rings(struct board *board)
{
	static const struct {
		uint32_t reg;
		uint64_t value;
	} cases[] = {
		{ HBI_REG_RING_SIZES, RING_LOG2 << 8 | EVENTS_LOG2 << 16 },
		{ HBI_REG_RING_SIZES, RING_LOG2 | RING_LOG2 << 8 | 13 << 16 },
		{ HBI_REG_RING_SIZES, RING_LOG2 | 0xff << 8 | EVENTS_LOG2 << 16 },
		{ HBI_REG_RING_SIZES, RING_LOG2 | RING_LOG2 << 8 | EVENTS_LOG2 << 16 | 1 << 24 },
		{ HBI_REG_ADMIN_SQ, 8 },
		{ HBI_REG_ADMIN_CQ, 32 },
		{ HBI_REG_EVENT_RING, ~0ull << 6 },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool sizes = cases[i].reg == HBI_REG_RING_SIZES;

		EQUAL(boot(board, board->image, board->image_bytes), HBI_STATE_READY);
		set_rings(board);
		set_reg(board, cases[i].reg, cases[i].value, sizes ? 4 : 8);
		set_reg(board, HBI_REG_CONTROL, HBI_CONTROL_ENABLE, 4);
		EQUAL(leave_state(board, HBI_STATE_READY), HBI_STATE_FAILED);
		EQUAL(boot_error_of(board), HBI_BOOT_BAD_RINGS);
		/* FAILED obeys nothing but RESET. */
		set_reg(board, HBI_REG_CONTROL, HBI_CONTROL_BOOT, 4);
		set_reg(board, HBI_REG_CONTROL, HBI_CONTROL_ENABLE, 4);
		EQUAL(state_of(board), HBI_STATE_FAILED);
		reset_board(board);
	}
}

static void rings_refused(struct board *board)
{
	if (!board->translated)
		leave_out("without an IOMMU a wild address would reach memory of others");
	EQUAL(boot(board, board->image, board->image_bytes), HBI_STATE_READY);
	set_rings(board);
	set_reg(board, HBI_REG_ADMIN_SQ, UNMAPPED_BUS, 8);
	set_reg(board, HBI_REG_CONTROL, HBI_CONTROL_ENABLE, 4);
	if (leave_state(board, HBI_STATE_READY) == HBI_STATE_RUNNING) {
		set_reg(board, HBI_REG_ADMIN_TAIL, 1, 4);
		EQUAL(leave_state(board, HBI_STATE_RUNNING), HBI_STATE_FAILED);
	}
	EQUAL(state_of(board), HBI_STATE_FAILED);
	EQUAL(boot_error_of(board), HBI_BOOT_FIRMWARE);
}

static void heartbeat(struct board *board)
{
	uint64_t first = reg(board, HBI_REG_HEARTBEAT, 8), now;
	int i;

	/* The text gives it 100 ms; a slow emulator of a board gets more tries. */
	for (i = 0; i < 20; i++) {
		rest(board, 101);
		now = reg(board, HBI_REG_HEARTBEAT, 8);
		EXPECT(now >= first);
		if (now > first)
			return;
	}
	stop("HEARTBEAT stays at %llu", (unsigned long long)first);
}

const struct check checks_boot[] = {
	{ "reset", "STA-1 STA-2 STA-10 REG.GENERATION REG.CONTROL REG.STATUS",
	  "RESET leads to IDLE with registers as new", NEED_IDLE, 0, reset },
	{ "reset-function", "STA-10 DIS-1", "so does a function-level reset while it runs",
	  NEED_IDLE, 0, flr },
	{ "idle-ignores", "STA-2 STA-9", "IDLE ignores ENABLE, tails and doorbells", NEED_IDLE, 0,
	  idle },
	{ "image-address", "BOO.BAD_ADDRESS REG.FW_ADDRESS REG.FW_SIZE FWI-1",
	  "images must lie in the aperture", NEED_IDLE, 0, bad_address },
	{ "image-header", "BOO.BAD_HEADER BOO-1 FWI-1 FWI-2", "each field of the header is checked",
	  NEED_IDLE, 0, bad_header },
	{ "image-checksum", "BOO.BAD_CHECKSUM FWI-1", "and the checksum", NEED_IDLE, 0,
	  bad_checksum },
	{ "image-version", "BOO.BAD_VERSION VER-1", "images of another major version are refused",
	  NEED_IDLE, 0, bad_version },
	{ "image-board", "BOO.WRONG_BOARD REG.BOARD_ID", "images for other boards are refused",
	  NEED_IDLE, 0, wrong_board },
	{ "image-owner", "BOO.UNSIGNED BOO.UNKNOWN_KEY BOO.BAD_SIGNATURE FWI-3 CAP.SIGNED_FIRMWARE",
	  "a locked board takes its owner's images only", NEED_IDLE, HBI_CAP_SIGNED_FIRMWARE,
	  owner },
	{ "rescue", "STA-7 BOO-1", "RESCUE takes a good image without a reset", NEED_IDLE, 0,
	  rescue },
	{ "boot", "STA-3 STA-4 STA-9 REG.TIMEOUTS", "a good image leads to READY in time",
	  NEED_IDLE, 0, good_image },
	{ "boot-anywhere", "FWI-1", "from any place in the aperture", NEED_IDLE, 0,
	  staged_anywhere },
	{ "enable", "STA-5 STA-9 RNG-1", "ENABLE leads to RUNNING", NEED_IDLE, 0, enable },
	{ "rings-checked", "BOO.BAD_RINGS RNG-1 STA-6 REG.RING_SIZES",
	  "rings out of range lead to FAILED, which obeys RESET alone", NEED_IDLE, 0, bad_rings },
	{ "rings-refused", "BOO.FIRMWARE RNG-1", "rings that the host refuses are a fatal error",
	  NEED_IDLE, 0, rings_refused },
	{ "heartbeat", "LIV-1 REG.HEARTBEAT", "HEARTBEAT grows when it is read", NEED_RUNNING, 0,
	  heartbeat },
	{ 0 },
};
