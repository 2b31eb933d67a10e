// SPDX-License-Identifier: MIT
/* power: what each board takes up and may take up, and setting that. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "smi.h"

int smi_power_info(enum smi_format format)
{
	static struct smi_board boards[HEARTH_DRM_MAX_BOARDS];
	struct smi_table table = { .name = "boards", .format = format };
	uint32_t i, count = smi_find_boards(boards);

	smi_table_begin(&table);
	for (i = 0; i < count; i++) {
		const struct smi_metrics *m = &boards[i].metrics;
		const struct smi_value values[] = {
			{ "pci", SMI_TEXT, .text = boards[i].pci, .width = 12 },
			{ "uuid", SMI_TEXT, .text = boards[i].uuid, .width = 36 },
			{ "power_uw", SMI_NUMBER, .number = m->power_uw },
			{ "limit_uw", SMI_NUMBER, .number = m->power_limit_uw },
			{ "min_uw", SMI_NUMBER, .number = m->power_limit_min_uw },
			{ "max_uw", SMI_NUMBER, .number = m->power_limit_max_uw },
			{ "default_uw", SMI_NUMBER, .number = m->power_limit_default_uw },
			{ "clock_hz", SMI_NUMBER, .number = m->clock_hz },
		};

		smi_table_row(&table, values, sizeof(values) / sizeof(values[0]));
	}
	smi_table_end(&table);
	if (!count && format == SMI_PLAIN)
		fprintf(stderr, "hearth-smi: no board with the driver hearth\n");
	return count ? SMI_EXIT_GOOD : SMI_EXIT_NONE;
}

bool smi_parse_watts(const char *text, int64_t *microwatts)
{
	char *end;
	double watts = strtod(text, &end);

	*microwatts = 0;
	if (!strcmp(text, "default"))
		return true;
	if (end == text || *end || !(watts >= 0.001 && watts <= 1e6))
		return false;
	*microwatts = (int64_t)(watts * 1e6 + 0.5);
	return true;
}

static int write_limit(const struct smi_board *board, int64_t microwatts)
{
	char path[600], text[32];
	int length = snprintf(text, sizeof(text), "%" PRId64, microwatts), error = 0, fd;

	snprintf(path, sizeof(path), "%s/power1_cap", board->hwmon);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, (size_t)length) != length)
		error = -errno;
	close(fd);
	return error;
}

static int complain(const struct smi_board *board, int error)
{
	const struct smi_metrics *m = &board->metrics;

	if (error == -EINVAL)
		fprintf(stderr, "hearth-smi: %s takes limits from %.3f to %.3f W\n", board->pci,
			(double)m->power_limit_min_uw / 1e6, (double)m->power_limit_max_uw / 1e6);
	else
		fprintf(stderr, "hearth-smi: %s: the limit was not set: %s\n", board->pci,
			strerror(-error));
	if (error == -EACCES || error == -EPERM)
		return SMI_EXIT_RIGHTS;
	return error == -EINVAL ? SMI_EXIT_BAD : SMI_EXIT_FAILED;
}

int smi_power_set(const char *name, int64_t microwatts)
{
	static struct smi_board boards[HEARTH_DRM_MAX_BOARDS];
	uint32_t count = smi_find_boards(boards);
	const struct smi_board *board = smi_pick_board(boards, count, name);
	int error;

	if (!board)
		return smi_no_board(name);
	if (board->metrics.power_limit_uw == SMI_UNKNOWN) {
		fprintf(stderr, "hearth-smi: %s has no power limit that could be set\n",
			board->pci);
		return SMI_EXIT_BAD;
	}
	error = write_limit(board, microwatts);
	if (error)
		return complain(board, error);
	printf("%s has a power limit of %.3f W\n", board->pci,
	       (double)smi_read_number(board->hwmon, "power1_cap") / 1e6);
	return SMI_EXIT_GOOD;
}
