// SPDX-License-Identifier: MIT
/*
 * Verdicts: what hearth-bench --qualify found of a device with its driver. A verdict is a small text file, named by the
 * UUIDs of driver and device and the driver's version, that says of each ability whether it computes right results. One that is not whole,
 * or of something else, is told to the log and ignored: it never disables anything.
 */
#include "runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES 4096 /* at most */
#define UUID_TEXT  33

/* The abilities, as lines name them; "plain" is what is computed without any of them. */
static const struct {
	const char *name;
	uint32_t bit;
} abilities[] = {
	{ "plain", 0 },
	{ "subgroup", HRT_SUBGROUP },
	{ "storage16", HRT_STORAGE16 },
	{ "integer_dot", HRT_INTEGER_DOT },
};

static void spell_uuid(const uint8_t uuid[16], char text[UUID_TEXT])
{
	for (int i = 0; i < 16; i++)
		snprintf(text + 2 * i, 3, "%02x", uuid[i]);
}

static bool verdict_path(const struct hearth_device_properties *p, char *path, size_t size)
{
	const char *own = secure_getenv("HEARTH_CACHE_DIR");
	const char *xdg = secure_getenv("XDG_CACHE_HOME");
	const char *home = secure_getenv("HOME");
	char driver[UUID_TEXT], device[UUID_TEXT], file[128];
	int length;

	spell_uuid(p->driver_uuid, driver);
	spell_uuid(p->uuid, device);
	snprintf(file, sizeof(file), "%s-%u-%s", driver, p->driver_version, device);
	if (own && own[0] == '/')
		length = snprintf(path, size, "%s/verdicts/%s", own, file);
	else if (xdg && xdg[0] == '/')
		length = snprintf(path, size, "%s/hearth/verdicts/%s", xdg, file);
	else if (home && home[0] == '/')
		length = snprintf(path, size, "%s/.cache/hearth/verdicts/%s", home, file);
	else
		return false;
	return length > 0 && (size_t)length < size;
}

enum hearth_status hearth_verdict_path(const struct hearth_instance *instance, uint32_t index,
				       char *path, size_t size)
{
	if (!instance || !path)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"hearth_verdict_path: instance or path is NULL");
	if (index >= instance->physical_count)
		return hrt_fail(HEARTH_ERROR_NO_DEVICE, "device %u: there are %u devices", index,
				instance->physical_count);
	if (!verdict_path(&instance->physicals[index].properties, path, size))
		return hrt_fail(
			HEARTH_ERROR_UNSUPPORTED,
			"hearth_verdict_path: HEARTH_CACHE_DIR, XDG_CACHE_HOME and HOME name no "
			"absolute folder, or %zu bytes are too few for a path",
			size);
	return HEARTH_OK;
}

/* The whole file as a text; false, quietly, if there is none. */
static bool read_file(const struct hearth_instance *instance, const char *path,
		      char text[FILE_BYTES + 1])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat info;
	size_t length = 0;
	ssize_t got = 1;

	if (fd < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			hrt_log(instance, "hearth: %s: %s: the verdict is ignored", path,
				strerror(errno));
		return false;
	}
	if (!fstat(fd, &info) && S_ISREG(info.st_mode))
		while (got > 0 && length < FILE_BYTES) {
			got = read(fd, text + length, FILE_BYTES - length);
			if (got < 0 && errno == EINTR)
				got = 1;
			else if (got > 0)
				length += (size_t)got;
		}
	close(fd);
	if (!length || length == FILE_BYTES || memchr(text, 0, length)) {
		hrt_log(instance,
			"hearth: %s: expected a text of 1 to %d bytes: the verdict is ignored",
			path, FILE_BYTES - 1);
		return false;
	}
	text[length] = 0;
	return true;
}

/* The line at *@cursor, which then points behind it; NULL if none ends there. */
static char *next_line(char **cursor)
{
	char *line = *cursor, *end = strchr(line, '\n');

	if (!end)
		return NULL;
	*end = 0;
	*cursor = end + 1;
	return line;
}

/* "NAME right", "NAME wrong" or "NAME absent". */
static bool parse_ability(const char *line, const char *name, bool *wrong)
{
	size_t length = strlen(name);

	if (strncmp(line, name, length) != 0 || line[length] != ' ')
		return false;
	line += length + 1;
	*wrong = !strcmp(line, "wrong");
	return *wrong || !strcmp(line, "right") || !strcmp(line, "absent");
}

/* The line that is not as expected, from 1 on, or 0; *@wrong: bits of abilities, and *@plain. */
static unsigned int parse(char *text, const struct hearth_device_properties *p, uint32_t *wrong,
			  bool *plain)
{
	char driver[UUID_TEXT], device[UUID_TEXT], expected[4][64];
	unsigned int number = 0;
	const char *line;
	bool is_wrong;

	spell_uuid(p->driver_uuid, driver);
	spell_uuid(p->uuid, device);
	snprintf(expected[0], sizeof(expected[0]), "hearth verdict 1");
	snprintf(expected[1], sizeof(expected[1]), "driver %s", driver);
	snprintf(expected[2], sizeof(expected[2]), "version %u", p->driver_version);
	snprintf(expected[3], sizeof(expected[3]), "device %s", device);
	for (size_t i = 0; i < HRT_COUNT(expected); i++) {
		number++;
		line = next_line(&text);
		if (!line || strcmp(line, expected[i]))
			return number;
	}
	for (size_t i = 0; i < HRT_COUNT(abilities); i++) {
		number++;
		line = next_line(&text);
		if (!line || !parse_ability(line, abilities[i].name, &is_wrong))
			return number;
		if (is_wrong)
			*wrong |= abilities[i].bit;
		if (!i)
			*plain = !is_wrong;
	}
	number++;
	line = next_line(&text);
	return line && !strcmp(line, "end") && !*text ? 0 : number;
}

uint32_t hrt_verdict_read(const struct hearth_instance *instance,
			  const struct hearth_device_properties *p)
{
	char path[4096], text[FILE_BYTES + 1];
	unsigned int bad_line;
	uint32_t wrong = 0;
	bool plain = true;

	if (!verdict_path(p, path, sizeof(path)) || !read_file(instance, path, text))
		return 0;
	bad_line = parse(text, p, &wrong, &plain);
	if (bad_line) {
		hrt_log(instance,
			"hearth: %s: line %u is not that of a verdict on %s: the verdict is "
			"ignored",
			path, bad_line, p->name);
		return 0;
	}
	if (!plain)
		hrt_log(instance,
			"hearth: %s: computes wrong results, whatever is left unused (%s): do not "
			"trust it",
			p->name, path);
	for (size_t i = 0; i < HRT_COUNT(abilities); i++)
		if (wrong & abilities[i].bit)
			hrt_log(instance,
				"hearth: %s: %s is unused: hearth-bench --qualify found its "
				"results "
				"wrong (%s)",
				p->name, abilities[i].name, path);
	return wrong;
}
