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

enum { EXIT_USAGE = 2 };

enum command { LIST, PROCESSES, PROMETHEUS, CDI, RESET };

static const char *const command_names[] = { "list", "processes", "prometheus", "cdi", "reset" };

struct command_line {
	enum command command;
	const char *board; /* of reset */
	bool json;
	unsigned int arguments;
};

static const char doc[] =
	"Tells of the accelerator boards of this machine."
	"\vCommands:\n"
	"  list         the boards, their firmware, memory and sensors (the default)\n"
	"  processes    who has boards open, and what they use of them\n"
	"  prometheus   metrics in the text format that Prometheus scrapes\n"
	"  cdi          a specification for container engines, for /etc/cdi/hearth.json\n"
	"  reset BOARD  resets one, named by PCI address; its users lose it. For root\n"
	"\n"
	"Exit status: 0 if every board that was found can be used, 1 if one cannot, if none was "
	"found or if they could not be looked for, 2 for wrong usage.";

static const struct argp_option options[] = {
	{ "json", 'j', NULL, 0, "Write one JSON object in place of text (list, processes)", 0 },
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

static int reset(const struct smi_report *reports, uint32_t count, const char *pci)
{
	uint32_t i;
	int error;

	for (i = 0; i < count && strcmp(reports[i].board->pci, pci); i++)
		;
	if (i == count) {
		fprintf(stderr, "hearth-smi: no board at \"%s\" (an address as list tells it)\n",
			pci);
		return EXIT_FAILURE;
	}
	if (strcmp(reports[i].board->driver, "hearth")) {
		fprintf(stderr, "hearth-smi: %s is not driven by hearth\n", pci);
		return EXIT_FAILURE;
	}
	error = smi_reset(reports[i].board);
	if (error) {
		fprintf(stderr, "hearth-smi: %s cannot be reset: %s\n", pci, strerror(-error));
		return EXIT_FAILURE;
	}
	printf("%s was reset\n", pci);
	return EXIT_SUCCESS;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct command_line *line = state->input;
	size_t i;

	switch (key) {
	case 'j':
		line->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (line->arguments == 1 && line->command == RESET) {
			line->board = argument;
			line->arguments++;
			return 0;
		}
		for (i = 0;
		     !line->arguments && i < sizeof(command_names) / sizeof(command_names[0]);
		     i++) {
			if (strcmp(argument, command_names[i]))
				continue;
			line->command = (enum command)i;
			line->arguments++;
			return 0;
		}
		argp_error(state, "unexpected argument \"%s\"", argument);
		return EINVAL;
	case ARGP_KEY_END:
		if (line->command == RESET && !line->board)
			argp_error(state, "reset: which board? (a PCI address)");
		if (line->json && line->command > PROCESSES)
			argp_error(state, "--json is for list and processes");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int main(int argc, char **argv)
{
	static const struct argp argp = { options, parse, "[COMMAND]", doc, NULL, NULL, NULL };
	static struct hearth_drm_board boards[HEARTH_DRM_MAX_BOARDS];
	static struct smi_report reports[HEARTH_DRM_MAX_BOARDS];
	struct command_line line = { .command = LIST };
	int i, count, status = EXIT_SUCCESS;

	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &line);
	count = hearth_drm_discover(boards, HEARTH_DRM_MAX_BOARDS);
	if (count < 0) {
		fprintf(stderr, "hearth-smi: boards cannot be looked for: %s\n", strerror(-count));
		return EXIT_FAILURE;
	}
	if (count > HEARTH_DRM_MAX_BOARDS)
		count = HEARTH_DRM_MAX_BOARDS;
	for (i = 0; i < count; i++) {
		reports[i].board = &boards[i];
		smi_ask(&reports[i]);
		if (reports[i].problem[0] && line.command != RESET)
			status = EXIT_FAILURE;
	}
	if (!count)
		status = EXIT_FAILURE;
	switch (line.command) {
	case LIST:
		list(reports, (uint32_t)count, line.json);
		break;
	case PROCESSES:
		smi_show_processes(line.json);
		break;
	case PROMETHEUS:
		smi_show_prometheus(reports, (uint32_t)count);
		break;
	case CDI:
		smi_show_cdi(reports, (uint32_t)count);
		break;
	case RESET:
		status = reset(reports, (uint32_t)count, line.board);
		break;
	}
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "hearth-smi: standard output: %s\n", strerror(errno));
		return EXIT_FAILURE;
	}
	return status;
}
