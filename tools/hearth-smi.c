// SPDX-License-Identifier: MIT
/*
 * hearth-smi: lists the boards of this machine, what runs on them, how much of their memory is free and
 * what their sensors say; the command line.
 * A board without a driver, or one that may not be opened, is listed with the reason.
 */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "smi/smi.h"

const char *argp_program_version = "hearth-smi " HEARTH_VERSION;

enum command { LIST, WATCH, PROCESSES, TOPOLOGY, HEALTH, POWER, FIRMWARE, PROMETHEUS, CDI, RESET };

/* @words: that may follow the command, none of which may be an option. */
static const struct {
	const char *name;
	unsigned int words;
	bool json;
	bool csv;
} commands[] = {
	[LIST] = { "list", 0, true, true },
	[WATCH] = { "watch", 0, true, true },
	[PROCESSES] = { "processes", 0, true, true },
	[TOPOLOGY] = { "topology", 0, true, true },
	[HEALTH] = { "health", 0, true, true },
	[POWER] = { "power", 3, true, true },
	[FIRMWARE] = { "firmware", 3, true, true },
	[PROMETHEUS] = { "prometheus", 0, false, false },
	[CDI] = { "cdi", 0, false, false },
	[RESET] = { "reset", 1, false, false },
};

#define COMMANDS  (sizeof(commands) / sizeof(commands[0]))
#define MAX_WORDS 3

enum { SYSFS = 256, FIRMWARE_FOLDER, KEY };

struct command_line {
	enum command command;
	bool named; /* a command was */
	const char *words[MAX_WORDS];
	unsigned int count; /* of @words */
	enum smi_format format;
	double interval;
	unsigned long rounds;
	bool paced; /* @interval or @rounds was given */
	const char *firmware;
	const char *key;
	int64_t microwatts; /* power set */
};

static const char doc[] =
	"Tells of the accelerator boards of this machine."
	"\vCommands:\n"
	"  list                          the boards, their firmware, memory and sensors (the "
	"default)\n"
	"  watch                         state, work and sensors of each board, again and again\n"
	"  processes                     who has boards open, and what they use of them\n"
	"  topology                      where boards are, their links, and how near to each "
	"other\n"
	"  health                        whether anything is wrong, for scripts by the exit "
	"status\n"
	"  power [info]                  what boards take up and may take up, and their clocks\n"
	"  power set BOARD WATTS         limits what one takes up, until it is bound anew;\n"
	"                                \"default\" ends that. For root\n"
	"  firmware [info]               what runs, and what is installed for each board\n"
	"  firmware update BOARD IMAGE   installs an image for one board and starts it; the board "
	"is\n"
	"                                left as it was if it does not start. For root\n"
	"  prometheus                    metrics in the text format that Prometheus scrapes\n"
	"  cdi                           a specification for container engines, for\n"
	"                                /etc/cdi/hearth.json\n"
	"  reset BOARD                   resets one; its users' address spaces end. For root\n"
	"A BOARD is named by its PCI address or its UUID.\n"
	"\n"
	"Exit status: 0 done, and all is well; 1 a board cannot be used or wants to be looked at, "
	"an "
	"image was refused, list found no board, or output could not be written; 2 wrong usage; 3 "
	"there is no such board; 4 not permitted; 5 a board has failed, or did not do what was "
	"asked.";

static const struct argp_option options[] = {
	{ "json", 'j', NULL, 0, "Write one JSON object in place of text; watch: one in each line",
	  0 },
	{ "csv", 'c', NULL, 0, "Write CSV in place of text", 0 },
	{ "interval", 'i', "SECONDS", 0, "watch: between two looks (1)", 0 },
	{ "count", 'n', "N", 0, "watch: looks at most (until interrupted)", 0 },
	{ "key", KEY, "FILE", 0,
	  "firmware update: refuse an image that this key did not sign (as hearth-sign public "
	  "prints "
	  "it)",
	  0 },
	{ "firmware-folder", FIRMWARE_FOLDER, "FOLDER", 0,
	  "firmware: where the kernel looks for it (/lib/firmware)", 0 },
	{ "sysfs", SYSFS, "FOLDER", 0,
	  "Read this in place of /sys (watch, topology, health, power, firmware)", 0 },
	{ 0 },
};

/* ---- Text ---- */

static void show_device(const struct drm_hearth_query_device *d)
{
	const char *separator = "";
	char uuid[37];
	size_t i;

	smi_format_uuid(d, uuid);
	printf("    identity:  board %04x revision %u, %s\n", d->board_id, d->board_revision, uuid);
	printf("    interface: %u.%u (", d->hbi_version >> 16, d->hbi_version & 0xffff);
	for (i = 0; smi_abilities[i].name; i++) {
		if (!(d->caps & smi_abilities[i].bit))
			continue;
		printf("%s%s", separator, smi_abilities[i].name);
		separator = ", ";
	}
	printf(")\n    compute:   %u workers, vectors of %u bits, %u queues\n", d->workers,
	       d->vlen_bits, d->max_queues);
}

static void show_metrics(const struct smi_metrics *m)
{
	if (m->busy_ns != SMI_UNKNOWN)
		printf("    work:      %" PRId64 " dispatches, workers busy for %.3f s\n",
		       m->dispatches, (double)m->busy_ns / 1e9);
	if (m->temperature_mc == SMI_UNKNOWN || m->power_uw == SMI_UNKNOWN)
		return;
	printf("    sensors:   %.1f degrees Celsius, %.1f W", (double)m->temperature_mc / 1e3,
	       (double)m->power_uw / 1e6);
	if (m->energy_uj != SMI_UNKNOWN)
		printf(", %.3f J", (double)m->energy_uj / 1e6);
	printf("%s\n", m->modeled ? " (a model, not measured)" : "");
}

static void show_text(uint32_t index, const struct smi_report *report)
{
	const struct hearth_drm_board *board = report->board;

	if (!report->answered) {
		printf("%u: board %04x:%04x at %s: not usable: %s\n", index, board->vendor_id,
		       board->device_id, board->pci, report->problem);
		return;
	}
	printf("%u: %.*s at %s, %s\n", index, (int)sizeof(report->device.board_name),
	       (const char *)report->device.board_name, board->pci, board->node);
	show_device(&report->device);
	printf("    firmware:  %.*s, %s, generation %u\n", (int)sizeof(report->firmware.version),
	       (const char *)report->firmware.version, smi_state_name(report->firmware.state),
	       report->device.generation);
	printf("    memory:    %" PRIu64 " MiB, %" PRIu64 " MiB free\n",
	       (uint64_t)report->memory.board_total >> 20,
	       (uint64_t)report->memory.board_free >> 20);
	show_metrics(&report->metrics);
	if (report->problem[0])
		printf("    not usable: %s\n", report->problem);
}

/* ---- JSON ---- */

static void json_member(const char *name, const void *text, size_t size)
{
	printf(",\n      \"%s\": ", name);
	smi_json_text(text, size);
}

static void json_device(const struct drm_hearth_query_device *d)
{
	const char *separator = "";
	char uuid[37];
	size_t i;

	smi_format_uuid(d, uuid);
	json_member("name", d->board_name, sizeof(d->board_name));
	json_member("vendor", d->vendor, sizeof(d->vendor));
	json_member("serial", d->serial, sizeof(d->serial));
	json_member("uuid", uuid, sizeof(uuid));
	json_member("isa", d->isa, sizeof(d->isa));
	printf(",\n      \"board_id\": %u,\n      \"board_revision\": %u", d->board_id,
	       d->board_revision);
	printf(",\n      \"interface\": \"%u.%u\",\n      \"abilities\": [", d->hbi_version >> 16,
	       d->hbi_version & 0xffff);
	for (i = 0; smi_abilities[i].name; i++) {
		if (!(d->caps & smi_abilities[i].bit))
			continue;
		printf("%s\"%s\"", separator, smi_abilities[i].name);
		separator = ", ";
	}
	printf("],\n      \"workers\": %u,\n      \"vector_bits\": %u,\n      \"queues\": %u",
	       d->workers, d->vlen_bits, d->max_queues);
	printf(",\n      \"generation\": %u", d->generation);
}

static void json_metric(const char *name, int64_t value)
{
	printf(",\n      \"%s\": ", name);
	smi_json_number(value);
}

static void json_metrics(const struct smi_metrics *m)
{
	json_metric("time_ns", m->time_ns);
	json_metric("busy_ns", m->busy_ns);
	json_metric("dispatches", m->dispatches);
	json_metric("temperature_mc", m->temperature_mc);
	json_metric("power_uw", m->power_uw);
	json_metric("power_limit_uw", m->power_limit_uw);
	json_metric("clock_hz", m->clock_hz);
	json_metric("energy_uj", m->energy_uj);
	json_metric("numa_node", m->numa_node);
	json_metric("link_width", m->link_width);
	printf(",\n      \"sensors_are_a_model\": %s", m->modeled ? "true" : "false");
}

static void show_json(uint32_t index, const struct smi_report *report)
{
	const struct hearth_drm_board *board = report->board;

	printf("%s\n    {\n      \"index\": %u", index ? "," : "", index);
	json_member("pci", board->pci, sizeof(board->pci));
	printf(",\n      \"vendor_id\": %u,\n      \"device_id\": %u", board->vendor_id,
	       board->device_id);
	json_member("driver", board->driver, sizeof(board->driver));
	json_member("node", board->node, sizeof(board->node));
	printf(",\n      \"usable\": %s", report->problem[0] ? "false" : "true");
	json_member("problem", report->problem, sizeof(report->problem));
	if (report->answered) {
		const char *state = smi_state_name(report->firmware.state);

		json_device(&report->device);
		json_member("firmware_version", report->firmware.version,
			    sizeof(report->firmware.version));
		json_member("firmware_state", state, strlen(state));
		printf(",\n      \"memory_bytes\": %" PRIu64
		       ",\n      \"memory_free_bytes\": %" PRIu64,
		       (uint64_t)report->memory.board_total, (uint64_t)report->memory.board_free);
		json_metrics(&report->metrics);
	}
	printf("\n    }");
}

/* ---- Command line ---- */

static void list(const struct smi_report *reports, uint32_t count, bool json)
{
	uint32_t i;

	if (json)
		printf("{\n  \"schema\": \"hearth-smi/1\",\n  \"boards\": [");
	else if (!count)
		printf("no board: no PCI function here has the board interface\n");
	for (i = 0; i < count; i++) {
		if (json)
			show_json(i, &reports[i]);
		else
			show_text(i, &reports[i]);
	}
	if (json)
		printf("%s]\n}\n", count ? "\n  " : "");
}

static void list_csv(const struct smi_report *reports, uint32_t count)
{
	struct smi_table table = { .format = SMI_CSV };
	uint32_t i;

	for (i = 0; i < count; i++) {
		const struct smi_report *r = &reports[i];
		const bool known = r->answered;
		char uuid[37] = "";

		if (known)
			smi_format_uuid(&r->device, uuid);
		const struct smi_value values[] = {
			{ "index", SMI_NUMBER, .number = i },
			{ "pci", SMI_TEXT, .text = r->board->pci },
			{ "node", SMI_TEXT, .text = r->board->node },
			{ "problem", SMI_TEXT, .text = r->problem },
			{ "uuid", SMI_TEXT, .text = uuid },
			{ "name", SMI_TEXT,
			  .text = known ? (const char *)r->device.board_name : "" },
			{ "firmware_version", SMI_TEXT,
			  .text = known ? (const char *)r->firmware.version : "" },
			{ "workers", SMI_NUMBER,
			  .number = known ? (int64_t)r->device.workers : SMI_UNKNOWN },
			{ "memory_bytes", SMI_NUMBER,
			  .number = known ? (int64_t)r->memory.board_total : SMI_UNKNOWN },
			{ "memory_free_bytes", SMI_NUMBER,
			  .number = known ? (int64_t)r->memory.board_free : SMI_UNKNOWN },
			{ "dispatches", SMI_NUMBER,
			  .number = known ? r->metrics.dispatches : SMI_UNKNOWN },
			{ "temperature_mc", SMI_NUMBER,
			  .number = known ? r->metrics.temperature_mc : SMI_UNKNOWN },
			{ "power_uw", SMI_NUMBER,
			  .number = known ? r->metrics.power_uw : SMI_UNKNOWN },
			{ "energy_uj", SMI_NUMBER,
			  .number = known ? r->metrics.energy_uj : SMI_UNKNOWN },
		};

		smi_table_row(&table, values, sizeof(values) / sizeof(values[0]));
	}
}

static int reset(const char *name)
{
	static struct smi_board boards[HEARTH_DRM_MAX_BOARDS];
	uint32_t count = smi_find_boards(boards);
	const struct smi_board *board = smi_pick_board(boards, count, name);
	int error;

	if (!board)
		return smi_no_board(name);
	error = smi_reset(board);
	if (error) {
		fprintf(stderr, "hearth-smi: %s was not reset: %s\n", board->pci, strerror(-error));
		return error == -EACCES || error == -EPERM ? SMI_EXIT_RIGHTS : SMI_EXIT_FAILED;
	}
	printf("%s was reset\n", board->pci);
	return SMI_EXIT_GOOD;
}

static int firmware(const struct command_line *line)
{
#ifdef SMI_FIRMWARE
	if (line->count == 3)
		return smi_firmware_update(line->words[1], line->words[2], line->key,
					   line->firmware);
	return smi_firmware_info(line->format, line->firmware);
#else
	(void)line;
	fprintf(stderr, "hearth-smi: built without libcrypto: no command firmware\n");
	return SMI_EXIT_BAD;
#endif
}

static double positive(const char *text, struct argp_state *state, const char *what)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value >= 0.01 && value <= 1e9))
		argp_error(state, "%s: \"%s\" is no number from 0.01 to 1e9", what, text);
	return value;
}

/* Whether the words are such as the command takes. */
static void check(struct command_line *line, struct argp_state *state)
{
	bool changes = line->count == 3;

	if (line->command == RESET && !line->count)
		argp_error(state, "reset: which board? (a PCI address or a UUID)");
	if (line->command == FIRMWARE && line->count &&
	    !(line->count == 1 && !strcmp(line->words[0], "info")) &&
	    !(changes && !strcmp(line->words[0], "update")))
		argp_error(state, "firmware: \"info\", or \"update\" with a board and an image");
	if (line->command == POWER && line->count &&
	    !(line->count == 1 && !strcmp(line->words[0], "info")) &&
	    !(changes && !strcmp(line->words[0], "set")))
		argp_error(state, "power: \"info\", or \"set\" with a board and watts");
	if (line->command == POWER && changes &&
	    !smi_parse_watts(line->words[2], &line->microwatts))
		argp_error(state, "power set: \"%s\" is no number of watts, nor \"default\"",
			   line->words[2]);
	if ((line->format == SMI_JSON && !commands[line->command].json) ||
	    (line->format == SMI_CSV && !commands[line->command].csv) ||
	    (line->format != SMI_PLAIN && changes))
		argp_error(state, "%s has neither --json nor --csv", commands[line->command].name);
	if (line->paced && line->command != WATCH)
		argp_error(state, "--interval and --count are for watch");
	if (line->key && !(line->command == FIRMWARE && changes))
		argp_error(state, "--key is for firmware update");
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct command_line *line = state->input;
	size_t i;

	switch (key) {
	case 'j':
	case 'c':
		if (line->format != SMI_PLAIN)
			argp_error(state, "--json and --csv exclude each other");
		line->format = key == 'j' ? SMI_JSON : SMI_CSV;
		return 0;
	case 'i':
		line->interval = positive(argument, state, "--interval");
		line->paced = true;
		return 0;
	case 'n':
		line->rounds = (unsigned long)positive(argument, state, "--count");
		if (!line->rounds)
			argp_error(state, "--count: at least 1");
		line->paced = true;
		return 0;
	case SYSFS:
		smi_sysfs = argument;
		return 0;
	case FIRMWARE_FOLDER:
		line->firmware = argument;
		return 0;
	case KEY:
		line->key = argument;
		return 0;
	case ARGP_KEY_ARG:
		if (line->named) {
			if (line->count == commands[line->command].words)
				argp_error(state, "unexpected argument \"%s\"", argument);
			line->words[line->count++] = argument;
			return 0;
		}
		for (i = 0; i < COMMANDS && strcmp(argument, commands[i].name); i++)
			;
		if (i == COMMANDS)
			argp_error(state, "there is no command \"%s\"", argument);
		line->command = (enum command)i;
		line->named = true;
		return 0;
	case ARGP_KEY_END:
		check(line, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* The commands that open boards, to ask them. */
static int ask(const struct command_line *line)
{
	static struct hearth_drm_board boards[HEARTH_DRM_MAX_BOARDS];
	static struct smi_report reports[HEARTH_DRM_MAX_BOARDS];
	int count = hearth_drm_discover(boards, HEARTH_DRM_MAX_BOARDS), i, status;

	if (count < 0) {
		fprintf(stderr, "hearth-smi: boards cannot be looked for: %s\n", strerror(-count));
		return SMI_EXIT_BAD;
	}
	if (count > HEARTH_DRM_MAX_BOARDS)
		count = HEARTH_DRM_MAX_BOARDS;
	status = count ? SMI_EXIT_GOOD : SMI_EXIT_BAD;
	for (i = 0; i < count; i++) {
		reports[i].board = &boards[i];
		smi_ask(&reports[i]);
		if (reports[i].problem[0])
			status = SMI_EXIT_BAD;
	}
	if (line->command == PROMETHEUS)
		smi_show_prometheus(reports, (uint32_t)count);
	else if (line->command == CDI)
		smi_show_cdi(reports, (uint32_t)count);
	else if (line->format == SMI_CSV)
		list_csv(reports, (uint32_t)count);
	else
		list(reports, (uint32_t)count, line->format == SMI_JSON);
	return status;
}

static int run(const struct command_line *line)
{
	switch (line->command) {
	case WATCH:
		return smi_watch(line->format, line->interval, line->rounds);
	case PROCESSES:
		smi_show_processes(line->format);
		return SMI_EXIT_GOOD;
	case TOPOLOGY:
		return smi_topology(line->format);
	case HEALTH:
		return smi_health(line->format);
	case POWER:
		return line->count == 3 ? smi_power_set(line->words[1], line->microwatts)
					: smi_power_info(line->format);
	case FIRMWARE:
		return firmware(line);
	case RESET:
		return reset(line->words[0]);
	default:
		return ask(line);
	}
}

int main(int argc, char **argv)
{
	static const struct argp argp = { options, parse, "[COMMAND]", doc, NULL, NULL, NULL };
	struct command_line line = {
		.command = LIST,
		.interval = 1,
		.firmware = "/lib/firmware",
	};
	int status;

	argp_err_exit_status = SMI_EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &line);
	status = run(&line);
	if ((fflush(stdout) || ferror(stdout)) && errno != EPIPE) {
		fprintf(stderr, "hearth-smi: standard output: %s\n", strerror(errno));
		return SMI_EXIT_BAD;
	}
	return status;
}
