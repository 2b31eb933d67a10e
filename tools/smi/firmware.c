// SPDX-License-Identifier: MIT
/*
 * Firmware: what runs and what is installed, and an update that leaves the board as it was if the new
 * image does not start. The image of one board is a file named by its UUID, which the driver prefers
 * to the one for all; it is put in place by a rename, so a board never meets half of one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sign_verify.h"
#include "smi.h"

void sign_fail(const char *format, ...)
{
	va_list arguments;

	fputs("hearth-smi: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(SMI_EXIT_BAD);
}

static bool read_header(const char *path, struct hbi_fw_header *header)
{
	FILE *file = fopen(path, "re");
	bool whole = file && fread(header, sizeof(*header), 1, file) == 1 &&
		     header->magic == HBI_FW_MAGIC;

	if (file)
		fclose(file);
	header->version[sizeof(header->version) - 1] = 0;
	return whole;
}

int smi_firmware_info(enum smi_format format, const char *folder)
{
	static struct smi_board boards[HEARTH_DRM_MAX_BOARDS];
	struct smi_table table = { .name = "boards", .format = format };
	uint32_t i, count = smi_find_boards(boards);

	smi_table_begin(&table);
	for (i = 0; i < count; i++) {
		const struct smi_board *board = &boards[i];
		struct hbi_fw_header header;
		char path[512];
		bool there;

		snprintf(path, sizeof(path), "%s/hearth/%s.bin", folder, board->uuid);
		there = read_header(path, &header);
		const struct smi_value values[] = {
			{ "pci", SMI_TEXT, .text = board->pci, .width = 12 },
			{ "uuid", SMI_TEXT, .text = board->uuid, .width = 36 },
			{ "version", SMI_TEXT, .text = board->firmware_version, .width = 12 },
			{ "image", SMI_TEXT, .text = board->firmware_image, .width = 6 },
			{ "own_version", SMI_TEXT,
			  .text = there ? (const char *)header.version : "", .width = 12 },
			{ "own_rollback", SMI_NUMBER,
			  .number = there ? header.rollback : SMI_UNKNOWN },
			{ "own_signed", SMI_TEXT,
			  .text = !there			 ? ""
				  : header.flags & HBI_FW_SIGNED ? "yes"
								 : "no" },
		};

		smi_table_row(&table, values, sizeof(values) / sizeof(values[0]));
	}
	smi_table_end(&table);
	return count ? SMI_EXIT_GOOD : SMI_EXIT_NONE;
}

static uint32_t checksum(const uint8_t *bytes, size_t size)
{
	uint32_t crc = ~0u;
	int bit;

	while (size--) {
		crc ^= *bytes++;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

/* A file beside @path that is on the disk as a whole; 0 or a negative errno. */
static int write_beside(const char *path, const void *data, size_t size, char *beside, size_t room)
{
	const char *at = data;
	int fd, error = 0;

	snprintf(beside, room, "%s.XXXXXX", path);
	fd = mkstemp(beside);
	if (fd < 0)
		return -errno;
	while (size && !error) {
		ssize_t done = write(fd, at, size);

		if (done < 0) {
			error = -errno;
		} else {
			at += done;
			size -= (size_t)done;
		}
	}
	if (!error && (fchmod(fd, 0644) || fsync(fd)))
		error = -errno;
	close(fd);
	if (error)
		unlink(beside);
	return error;
}

/* Whether the board, after a reset, runs its own image. @board is read anew. */
static bool starts(struct smi_board *board)
{
	static struct smi_board boards[HEARTH_DRM_MAX_BOARDS];
	const struct smi_board *now;
	int error = smi_reset(board);

	if (error)
		fprintf(stderr, "hearth-smi: %s: reset: %s\n", board->pci, strerror(-error));
	now = smi_pick_board(boards, smi_find_boards(boards), board->uuid);
	return now && !error && !strcmp(now->state, "live") && !strcmp(now->firmware_image, "own");
}

static int install(struct smi_board *board, const char *folder, const void *data, size_t size)
{
	char path[512], old[520], fresh[528];
	bool had;
	int error;

	snprintf(path, sizeof(path), "%s/hearth", folder);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/hearth/%s.bin", folder, board->uuid);
	snprintf(old, sizeof(old), "%s.old", path);
	error = write_beside(path, data, size, fresh, sizeof(fresh));
	if (error) {
		fprintf(stderr, "hearth-smi: %s: %s\n", path, strerror(-error));
		return error == -EACCES || error == -EROFS || error == -EPERM ? SMI_EXIT_RIGHTS
									      : SMI_EXIT_BAD;
	}
	had = !access(path, F_OK);
	if (had) {
		unlink(old);
		if (link(path, old)) {
			fprintf(stderr, "hearth-smi: %s: %s\n", old, strerror(errno));
			unlink(fresh);
			return SMI_EXIT_BAD;
		}
	}
	if (rename(fresh, path)) {
		fprintf(stderr, "hearth-smi: %s: %s\n", path, strerror(errno));
		unlink(fresh);
		return SMI_EXIT_BAD;
	}
	if (starts(board)) {
		printf("%s runs the new image, %s\n", board->pci, path);
		return SMI_EXIT_GOOD;
	}
	if (had ? rename(old, path) : unlink(path))
		fprintf(stderr, "hearth-smi: %s: %s\n", path, strerror(errno));
	error = smi_reset(board);
	fprintf(stderr,
		"hearth-smi: %s did not start the new image (the kernel log says why); %s\n",
		board->pci,
		error ? "nor does it start again" : "it is back with what it had before");
	return SMI_EXIT_FAILED;
}

int smi_firmware_update(const char *name, const char *image, const char *key, const char *folder)
{
	static struct smi_board boards[HEARTH_DRM_MAX_BOARDS];
	uint32_t users, count = smi_find_boards(boards);
	struct smi_board *board = (struct smi_board *)smi_pick_board(boards, count, name);
	uint8_t public[SIGN_KEY_BYTES];
	struct hbi_fw_header *header;
	const char *wrong = NULL;
	size_t size;
	int status;

	header = sign_read_image(image, &size);
	if (header->crc32 != checksum((const uint8_t *)(header + 1), size - sizeof(*header)))
		wrong = "its checksum is wrong";
	if (!wrong && header->hbi_version >> 16 != HBI_VERSION_MAJOR)
		wrong = "it is for another version of the board interface";
	if (!wrong && key) {
		sign_read_public(key, public);
		wrong = sign_check(header, size, public);
	}
	if (wrong) {
		fprintf(stderr, "hearth-smi: %s: %s\n", image, wrong);
		free(header);
		return SMI_EXIT_BAD;
	}
	if (!board) {
		smi_no_board(name);
		free(header);
		return SMI_EXIT_NONE;
	}
	users = smi_count_clients(board->pci);
	if (users) {
		fprintf(stderr,
			"hearth-smi: %s is in use (%u open files; see hearth-smi processes)\n",
			board->pci, users);
		free(header);
		return SMI_EXIT_BAD;
	}
	status = install(board, folder, header, size);
	free(header);
	return status;
}
