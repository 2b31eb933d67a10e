// SPDX-License-Identifier: MIT
/*
 * hearth-smi, on a machine with or without boards: the JSON is well-formed and says what the driver
 * says, the exit status is as promised, and wrong usage is refused. The command is the first
 * argument, how many boards it must find the second.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

static const char *command;
static char output[1 << 16];

/*
 * Runs the command with one option, or none if NULL. What it writes becomes @output, or goes to the
 * file @to. Returns its exit status. There may be no shell here.
 */
static int run_to(const char *option, const char *to)
{
	size_t length = 0;
	ssize_t got;
	int ends[2], status;
	pid_t child;

	if (pipe(ends))
		die("a pipe", -errno);
	child = fork();
	if (!child) {
		int out = to ? open(to, O_WRONLY) : ends[1], null = open("/dev/null", O_WRONLY);

		dup2(out, 1);
		dup2(null, 2);
		close(ends[0]);
		close(ends[1]);
		execlp(command, command, option, NULL);
		_exit(127);
	}
	close(ends[1]);
	while ((got = read(ends[0], output + length, sizeof(output) - 1 - length)) > 0)
		length += got;
	output[length] = 0;
	close(ends[0]);
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int run(const char *option)
{
	return run_to(option, NULL);
}

/* ---- JSON: each function returns what follows a value, or NULL if it is none ---- */

static const char *json_value(const char *at);

static const char *space(const char *at)
{
	while (at && isspace((unsigned char)*at))
		at++;
	return at;
}

static const char *json_string(const char *at)
{
	if (*at++ != '"')
		return NULL;
	for (; *at != '"'; at++) {
		if ((unsigned char)*at < ' ')
			return NULL;
		if (*at == '\\' && !*++at)
			return NULL;
	}
	return at + 1;
}

static const char *json_list(const char *at, char end, bool members)
{
	at = space(at + 1);
	if (*at == end)
		return at + 1;
	for (;;) {
		if (members) {
			at = space(json_string(at));
			if (!at || *at++ != ':')
				return NULL;
		}
		at = space(json_value(space(at)));
		if (!at || (*at != ',' && *at != end))
			return NULL;
		if (*at++ == end)
			return at;
		at = space(at);
	}
}

static const char *json_value(const char *at)
{
	char *end;

	if (*at == '{')
		return json_list(at, '}', true);
	if (*at == '[')
		return json_list(at, ']', false);
	if (*at == '"')
		return json_string(at);
	if (!strncmp(at, "true", 4))
		return at + 4;
	if (!strncmp(at, "false", 5))
		return at + 5;
	strtod(at, &end);
	return end == at ? NULL : end;
}

static bool json_valid(const char *text)
{
	const char *end = space(json_value(space(text)));

	return end && !*end;
}

static bool says(const char *member, const char *value)
{
	char text[256];

	snprintf(text, sizeof(text), "\"%s\": %s", member, value);
	return strstr(output, text);
}

static bool says_number(const char *member, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	return says(member, text);
}

static int count(const char *text)
{
	const char *at = output;
	int found = 0;

	while ((at = strstr(at, text))) {
		found++;
		at += strlen(text);
	}
	return found;
}

static void test_boards(int boards)
{
	struct drm_hearth_query_device device;
	struct drm_hearth_query_memory memory;
	int fd = open_board();

	is(run("--json"), 0, "exit status 0");
	ok(json_valid(output), "well-formed JSON");
	is(count("\"index\""), boards, "all boards");
	is(count("\"usable\": true"), boards, "all of them usable");
	hearth_drm_query_device(fd, &device);
	hearth_drm_query_memory(fd, &memory);
	ok(says_number("workers", device.workers), "workers as the driver says");
	ok(says_number("memory_bytes", memory.board_total), "memory as the driver says");
	ok(says("firmware_state", "\"running\""), "the firmware runs");
	close(fd);
	is(run(NULL), 0, "exit status 0 for text");
	ok(strstr(output, (const char *)device.board_name), "with the board's name");
}

static void test_none(void)
{
	if (run("--json") != 1 || count("\"index\"")) {
		skip("a machine without boards", "this machine has some");
		return;
	}
	is(run("--json"), 1, "exit status 1 without boards");
	ok(json_valid(output), "well-formed JSON");
	is(count("\"index\""), 0, "of no board");
	is(run(NULL), 1, "exit status 1 for text");
	ok(strstr(output, "no board"), "that says so");
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	command = argv[1];
	if (atoi(argv[2]))
		test_boards(atoi(argv[2]));
	else
		test_none();
	is(run("--help"), 0, "--help");
	ok(strstr(output, "--json"), "names the options");
	is(run("--version"), 0, "--version");
	is(run("--nonsense"), 2, "an unknown option is refused");
	is(run("nonsense"), 2, "so is an argument");
	is(run_to("--json", "/dev/full"), 1, "output that cannot be written is an error");
	return done();
}
