// SPDX-License-Identifier: MIT
/*
 * Whose firmware a board runs: images signed by its owner, by others and by nobody, rollback, the
 * way out of RESCUE, what the firmware says of itself, and the watchdog.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "client.h"

static struct client board;
static const char *sign_path, *key_path, *public_path;
static char folder[] = "/tmp/hearth-test-XXXXXX";

struct image {
	uint8_t *data;
	size_t size;
};

static struct hbi_fw_header *header(const struct image *image)
{
	return (struct hbi_fw_header *)image->data;
}

static void __attribute__((format(printf, 1, 2))) command(const char *format, ...)
{
	char line[2048];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (system(line))
		die("failed: %s", line);
}

/* The firmware signed anew with @key and other options. */
static struct image sign(const char *key, const char *options)
{
	char path[64];
	struct image image;

	snprintf(path, sizeof(path), "%s/image", folder);
	command("%s sign --key %s %s %s %s", sign_path, key, options, firmware_path, path);
	image.data = read_file(path, &image.size);
	unlink(path);
	return image;
}

static void fix_checksum(const struct image *image)
{
	uint32_t crc = ~0u;
	size_t i;
	int bit;

	for (i = HBI_FW_HEADER_SIZE; i < image->size; i++) {
		crc ^= image->data[i];
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	header(image)->crc32 = ~crc;
}

/* RESCUE is not left between two attempts: no reset is needed. */
static void refused(const struct image *image, enum hbi_boot_error error)
{
	CHECK_EQUAL(boot_image(&board, image->data, image->size), HBI_STATE_RESCUE);
	CHECK_EQUAL(board_error(&board), error);
}

static void taken(const struct image *image)
{
	CHECK_EQUAL(boot_image(&board, image->data, image->size), HBI_STATE_READY);
	CHECK_EQUAL(board_error(&board), HBI_BOOT_OK);
}

static void drop(struct image *image)
{
	free(image->data);
}

static void reset(void)
{
	set_reg32(&board, HBI_REG_CONTROL, HBI_CONTROL_RESET);
	CHECK_EQUAL(board_state(&board), HBI_STATE_IDLE);
}

static void firmware_info(struct hbi_firmware_info *info)
{
	struct hbi_admin_firmware_info command = {
		.header.opcode = HBI_ADMIN_FIRMWARE_INFO,
		.address = HOST_BUS + HOST_FREE,
	};

	CHECK_EQUAL(admin(&board, &command), HBI_OK);
	memcpy(info, board.host + HOST_FREE, sizeof(*info));
	command.address += 4;
	CHECK_EQUAL(admin(&board, &command), HBI_ERROR_FIELD);
	command.address = 0xdead0000;
	CHECK_EQUAL(admin(&board, &command), HBI_ERROR_HOST_DMA);
	command.address = HOST_BUS + HOST_FREE;
	command.reserved[5] = 1;
	CHECK_EQUAL(admin(&board, &command), HBI_ERROR_FIELD);
}

/* A board as it comes from the factory: what is signed makes no difference. */
static void test_open_board(void)
{
	struct hbi_firmware_info info;
	struct image image;

	client_open(&board, NULL);
	CHECK_EQUAL(reg32(&board, HBI_REG_SECURITY), 0);
	CHECK_EQUAL(reg32(&board, HBI_REG_ROLLBACK), 0);
	start_board(&board);
	firmware_info(&info);
	CHECK_EQUAL(info.flags, 0);
	CHECK_EQUAL(info.boots, 1);
	CHECK_EQUAL(info.key_id[0] | info.key_id[15], 0);
	CHECK(!strcmp((const char *)info.version,
		      (const char *)header(
			      &(struct image){ .data = read_file(firmware_path, &image.size) })
			      ->version));
	reset();
	image = sign(key_path, "--rollback 7");
	header(&image)->signature[0] ^= 1;
	taken(&image);
	CHECK_EQUAL(reg32(&board, HBI_REG_ROLLBACK), 0);
	drop(&image);
	CHECK_EQUAL(client_close(&board), 0);
}

static void test_signatures(void)
{
	const char *const locked[] = { "--owner-key", public_path, NULL };
	char other[64];
	struct image good, image;
	struct hbi_firmware_info info;

	snprintf(other, sizeof(other), "%s/other.pem", folder);
	command("%s keygen %s", sign_path, other);
	client_open(&board, locked);
	CHECK_EQUAL(reg32(&board, HBI_REG_SECURITY), HBI_SECURITY_LOCKED | 1 << 8);
	good = sign(key_path, "");

	image = sign(key_path, "");
	header(&image)->flags = 0;
	memset(header(&image)->key_id, 0, sizeof(header(&image)->key_id));
	memset(header(&image)->signature, 0, sizeof(header(&image)->signature));
	refused(&image, HBI_BOOT_UNSIGNED);
	drop(&image);

	image = sign(other, "");
	refused(&image, HBI_BOOT_UNKNOWN_KEY);
	/* Their signature under the owner's name. */
	memcpy(header(&image)->key_id, header(&good)->key_id, sizeof(header(&image)->key_id));
	refused(&image, HBI_BOOT_BAD_SIGNATURE);
	drop(&image);

	image = sign(key_path, "");
	image.data[image.size - 100] ^= 1;
	refused(&image, HBI_BOOT_BAD_CHECKSUM);
	fix_checksum(&image);
	refused(&image, HBI_BOOT_BAD_SIGNATURE);
	drop(&image);

	/* The header is signed too: a counter or a version cannot be lent to another image. */
	image = sign(key_path, "");
	header(&image)->rollback = 1;
	refused(&image, HBI_BOOT_BAD_SIGNATURE);
	header(&image)->rollback = 0;
	header(&image)->version[0] ^= 1;
	refused(&image, HBI_BOOT_BAD_SIGNATURE);
	drop(&image);

	image = sign(key_path, "--board-id 99");
	refused(&image, HBI_BOOT_WRONG_BOARD);
	drop(&image);

	image = sign(key_path, "--board-id 0x4842");
	taken(&image);
	drop(&image);
	reset();
	start_board(&board);
	firmware_info(&info);
	CHECK_EQUAL(info.flags, HBI_FIRMWARE_VERIFIED | HBI_FIRMWARE_LOCKED);
	CHECK(!memcmp(info.key_id, header(&good)->key_id, sizeof(info.key_id)));
	CHECK_EQUAL(info.image_bytes, header(&good)->image_bytes);
	/* BOOT means nothing to a board that runs. */
	set_reg32(&board, HBI_REG_CONTROL, HBI_CONTROL_BOOT);
	CHECK_EQUAL(board_state(&board), HBI_STATE_RUNNING);
	drop(&good);
	CHECK_EQUAL(client_close(&board), 0);
	unlink(other);
}

static void test_rollback(void)
{
	const char *const locked[] = { "--owner-key", public_path, "--rollback", "3", NULL };
	struct image old = sign(key_path, "--rollback 2"), now = sign(key_path, "--rollback 3"),
		     next = sign(key_path, "--rollback 5");

	client_open(&board, locked);
	CHECK_EQUAL(reg32(&board, HBI_REG_ROLLBACK), 3);
	refused(&old, HBI_BOOT_ROLLBACK);
	taken(&now);
	reset();
	taken(&next);
	CHECK_EQUAL(reg32(&board, HBI_REG_ROLLBACK), 5);
	reset();
	refused(&now, HBI_BOOT_ROLLBACK);
	/* A damaged one does not raise the counter. */
	header(&next)->rollback = 9;
	refused(&next, HBI_BOOT_BAD_SIGNATURE);
	CHECK_EQUAL(reg32(&board, HBI_REG_ROLLBACK), 5);
	header(&next)->rollback = 5;
	taken(&next);
	CHECK_EQUAL(client_close(&board), 0);
	drop(&old);
	drop(&now);
	drop(&next);
}

static void test_two_owners(void)
{
	char other[64], other_public[64];
	const char *const locked[] = { "--owner-key", public_path, "--owner-key", other_public,
				       NULL };
	struct image first, second;

	snprintf(other, sizeof(other), "%s/other.pem", folder);
	snprintf(other_public, sizeof(other_public), "%s/other.pub", folder);
	command("%s keygen %s && %s public %s > %s", sign_path, other, sign_path, other,
		other_public);
	first = sign(key_path, "");
	second = sign(other, "");
	client_open(&board, locked);
	CHECK_EQUAL(reg32(&board, HBI_REG_SECURITY), HBI_SECURITY_LOCKED | 2 << 8);
	taken(&first);
	reset();
	taken(&second);
	CHECK_EQUAL(client_close(&board), 0);
	drop(&first);
	drop(&second);
	unlink(other);
	unlink(other_public);
}

static void test_watchdog(void)
{
	const char *const hang[] = { "--watchdog", "1500", "--misbehave", "hang:1", NULL };
	const char *const never[] = { "--watchdog", "0", NULL };
	struct hbi_firmware_info info;
	uint64_t nop[8] = { 0 };

	client_open(&board, hang);
	CHECK(reg64(&board, HBI_REG_CAPS) & HBI_CAP_WATCHDOG);
	start_board(&board);
	firmware_info(&info);
	CHECK_EQUAL(info.watchdog_ms, 1500);
	/* Idle for longer than the watchdog waits: nothing is owed, so nothing happens. */
	usleep(3000000);
	CHECK_EQUAL(board_state(&board), HBI_STATE_RUNNING);
	CHECK_EQUAL(admin(&board, nop), HBI_OK);
	bar_write(&board, 0, 0x10000, 0, 8);
	reg64(&board, HBI_REG_HEARTBEAT);
	CHECK_EQUAL(wait_state_change(&board, HBI_STATE_RUNNING), HBI_STATE_FAILED);
	CHECK_EQUAL(board_error(&board), HBI_BOOT_WATCHDOG);
	reset();
	CHECK_EQUAL(client_close(&board), 0);

	client_open(&board, never);
	CHECK(!(reg64(&board, HBI_REG_CAPS) & HBI_CAP_WATCHDOG));
	CHECK_EQUAL(client_close(&board), 0);
}

int main(int argc, char **argv)
{
	if (argc != 7)
		die("usage: %s BOARD FIRMWARE KERNELS SIGN KEY PUBLIC", argv[0]);
	test_arguments(4, argv);
	sign_path = argv[4];
	key_path = argv[5];
	public_path = argv[6];
	if (!mkdtemp(folder))
		die("%s", folder);
	tap_run("a board without owner takes any whole image", test_open_board);
	tap_run("a board with an owner takes what its owner signed", test_signatures);
	tap_run("no way back below the rollback counter", test_rollback);
	tap_run("an owner can change keys", test_two_owners);
	tap_run("the watchdog ends firmware that does not answer", test_watchdog);
	rmdir(folder);
	return tap_end();
}
