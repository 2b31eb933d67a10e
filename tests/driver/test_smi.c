// SPDX-License-Identifier: MIT
/*
 * hearth-smi, on a machine with or without boards: the JSON is well-formed and says what the driver
 * says, the exit status is as promised, and wrong usage is refused. The command is the first
 * argument, how many boards it must find the second.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../board/kernels.h"
#include "guest.h"

static const char *command;
static char output[1 << 16];

/*
 * Runs the command with up to four arguments, parted by spaces, or none if NULL. What it writes becomes @output, or goes to the
 * file @to. Returns its exit status. There may be no shell here.
 */
static int run_to(const char *option, const char *to)
{
	size_t length = 0;
	ssize_t got;
	int ends[2], status;
	pid_t child;
	char *words[6] = { (char *)command }, copy[64], *rest = copy;
	unsigned int i = 1;

	snprintf(copy, sizeof(copy), "%s", option ? option : "");
	while (i < 5 && (words[i] = strsep(&rest, " ")) && words[i][0])
		i++;
	words[i] = NULL;
	if (pipe(ends))
		die("a pipe", -errno);
	child = fork();
	if (!child) {
		int out = to ? open(to, O_WRONLY) : ends[1], null = open("/dev/null", O_WRONLY);

		dup2(out, 1);
		dup2(null, 2);
		close(ends[0]);
		close(ends[1]);
		execvp(command, words);
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
	if (!strncmp(at, "null", 4))
		return at + 4;
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

/* Every line is a comment or a sample with a number, and each sample follows its metric's TYPE line. */
static bool prometheus_valid(int *samples)
{
	char copy[sizeof(output)], metric[128] = "", *rest = copy, *line, *end;

	*samples = 0;
	memcpy(copy, output, sizeof(copy));
	while ((line = strsep(&rest, "\n")) && rest) {
		if (!strncmp(line, "# HELP ", 7))
			continue;
		if (!strncmp(line, "# TYPE ", 7)) {
			line += 7;
			snprintf(metric, sizeof(metric), "%.*s", (int)strcspn(line, " "), line);
			line += strcspn(line, " ");
			if (strcmp(line, " gauge") && strcmp(line, " counter"))
				return false;
			continue;
		}
		if (strncmp(line, metric, strlen(metric)) || line[strlen(metric)] != '{')
			return false;
		line = strstr(line, "\"} ");
		if (!line)
			return false;
		strtod(line + 3, &end);
		if (end == line + 3 || *end)
			return false;
		(*samples)++;
	}
	return line && !*line;
}

static void test_exports(int boards)
{
	struct hearth_drm_board found[HEARTH_DRM_MAX_BOARDS];
	struct context context;
	int samples;

	context_open(&context, 0);
	context_load_kernels(&context);
	push_dispatch(&context, KERNEL_MARK, 0, context.scratch.va, 0, 64);
	is(context_submit(&context), 0, "a dispatch");
	is(run("processes --json"), 0, "processes: exit status 0");
	ok(json_valid(output), "processes: well-formed JSON");
	ok(says_number("pid", (uint64_t)getpid()), "processes: this one");
	ok(says("command", "\"test-driver-smi\""), "processes: its name");
	ok(!strstr(output, "\"busy_ns\": 0,") && !strstr(output, "\"busy_ns\": null"),
	   "processes: it has used the board");
	is(run("processes"), 0, "processes: as text");
	ok(strstr(output, "test-driver-smi"), "processes: with its name");
	is(run("prometheus"), 0, "prometheus: exit status 0");
	ok(prometheus_valid(&samples), "prometheus: well-formed");
	is(samples, 13 * boards, "prometheus: 13 metrics of each board");
	ok(strstr(output, "\nhearth_busy_seconds_total{uuid="), "prometheus: busy time");
	is(run("cdi"), 0, "cdi: exit status 0");
	ok(json_valid(output), "cdi: well-formed JSON");
	is(hearth_drm_discover(found, HEARTH_DRM_MAX_BOARDS), boards, "boards as before");
	ok(strstr(output, found[0].node), "cdi: the device node");
	is(count("\"name\""), boards + 1, "cdi: each board, and all of them");
	context_close(&context);
}

static void test_reset(void)
{
	struct hearth_drm_board found[HEARTH_DRM_MAX_BOARDS];
	struct drm_hearth_query_state before, after;
	int fd = open_board();
	char arguments[64];

	hearth_drm_discover(found, HEARTH_DRM_MAX_BOARDS);
	snprintf(arguments, sizeof(arguments), "reset %s", found[0].pci);
	is(hearth_drm_query_state(fd, &before), 0, "the state before");
	is(run(arguments), 0, "reset: exit status 0");
	is(hearth_drm_query_state(fd, &after), 0, "who has it open keeps it");
	is(after.resets - before.resets, 1, "reset: one more");
	is(run("--json"), 0, "and the board is usable");
	is(run("reset 0000:00:00.0"), 3, "reset: of a place without a board");
	close(fd);
	is(run("reset"), 2, "reset: of none");
}

/* What other tests did to the board waits to be read. */
static void forget_dumps(void)
{
	glob_t found;
	size_t i;

	if (glob("/sys/class/devcoredump/devcd*/data", 0, NULL, &found))
		return;
	for (i = 0; i < found.gl_pathc; i++) {
		FILE *file = fopen(found.gl_pathv[i], "w");

		if (file) {
			fputc('0', file);
			fclose(file);
		}
	}
	globfree(&found);
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
	ok(says("schema", "\"hearth-smi/1\""), "the schema is named");
	ok(count("\"power_uw\": null") == 0 && count("\"power_uw\": ") == boards, "power");
	is(count("\"sensors_are_a_model\": true"), boards, "a model says that it is one");
	close(fd);
	is(run(NULL), 0, "exit status 0 for text");
	ok(strstr(output, (const char *)device.board_name), "with the board's name");
	forget_dumps();
	is(run("health --json"), 0, "health: exit status 0");
	ok(json_valid(output), "health: well-formed JSON");
	is(count("\"health\": \"good\""), boards, "health: good");
	ok(says("state", "\"live\""), "health: live");
	is(run("topology --json"), 0, "topology: exit status 0");
	ok(json_valid(output) && !strstr(output, "\"path\": \"\""), "topology: with paths");
	is(run("watch --csv --count=2 --interval=0.2"), 0, "watch: exit status 0");
	is(count("\r\n"), 2 * boards + 1, "watch: a head and two rows of each board");
	is(run("firmware --json"), 0, "firmware: exit status 0");
	ok(says("image", "\"common\""), "firmware: the image for all boards");
	test_exports(boards);
	test_reset();
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
	is(run("cdi --json"), 2, "so is JSON where there is none");
	is(run_to("--json", "/dev/full"), 1, "output that cannot be written is an error");
	return done();
}
