// SPDX-License-Identifier: MIT
/*
 * Boards for other programs: metrics as Prometheus scrapes them, and the specification by which
 * container engines hand boards to containers (CDI). Boards are named by UUID, which stays the same
 * whatever slot they are in.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "smi.h"

/* One metric: where it lies in a report, and what one unit of it there is in the unit told. */
struct metric {
	const char *name;
	const char *type;
	const char *help;
	size_t offset;
	double scale;
};

#define METRIC(field) offsetof(struct smi_report, metrics.field)

static const struct metric metrics[] = {
	{ "hearth_busy_seconds_total", "counter", "Time of workers in dispatches, summed over them",
	  METRIC(busy_ns), 1e-9 },
	{ "hearth_time_seconds_total", "counter", "Time of the board's own clock", METRIC(time_ns),
	  1e-9 },
	{ "hearth_dispatches_total", "counter", "Dispatches begun", METRIC(dispatches), 1 },
	{ "hearth_temperature_celsius", "gauge", "Temperature of the hottest place",
	  METRIC(temperature_mc), 1e-3 },
	{ "hearth_power_watts", "gauge", "Mean power", METRIC(power_uw), 1e-6 },
	{ "hearth_power_limit_watts", "gauge", "What the power is kept under",
	  METRIC(power_limit_uw), 1e-6 },
	{ "hearth_clock_hertz", "gauge", "Clock of the workers", METRIC(clock_hz), 1 },
	{ "hearth_resets_total", "counter", "Resets since the driver has the board",
	  offsetof(struct smi_report, resets), 1 },
	{ "hearth_faults_total", "counter", "Address spaces that failed by their own fault",
	  offsetof(struct smi_report, faults), 1 },
	{ "hearth_energy_joules_total", "counter", "Energy taken up", METRIC(energy_uj), 1e-6 },
};

static void labels(const struct smi_report *report)
{
	char uuid[37];

	smi_format_uuid(&report->device, uuid);
	printf("{uuid=\"%s\",pci=\"%s\"}", uuid, report->board->pci);
}

static void head(const char *name, const char *type, const char *help)
{
	printf("# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void show_metric(const struct metric *metric, const struct smi_report *reports,
			uint32_t count)
{
	uint32_t i;

	head(metric->name, metric->type, metric->help);
	for (i = 0; i < count; i++) {
		int64_t value;

		memcpy(&value, (const char *)&reports[i] + metric->offset, sizeof(value));
		if (!reports[i].answered || value == SMI_UNKNOWN)
			continue;
		fputs(metric->name, stdout);
		labels(&reports[i]);
		printf(" %.9g\n", (double)value * metric->scale);
	}
}

void smi_show_prometheus(const struct smi_report *reports, uint32_t count)
{
	size_t m;
	uint32_t i;

	head("hearth_usable", "gauge", "1 if the board can be used");
	for (i = 0; i < count; i++)
		printf("hearth_usable{pci=\"%s\"} %d\n", reports[i].board->pci,
		       !reports[i].problem[0]);
	head("hearth_memory_bytes", "gauge", "Board memory for buffers");
	for (i = 0; i < count; i++) {
		if (!reports[i].answered)
			continue;
		fputs("hearth_memory_bytes", stdout);
		labels(&reports[i]);
		printf(" %" PRIu64 "\n", (uint64_t)reports[i].memory.board_total);
	}
	head("hearth_memory_free_bytes", "gauge", "Board memory that is free");
	for (i = 0; i < count; i++) {
		if (!reports[i].answered)
			continue;
		fputs("hearth_memory_free_bytes", stdout);
		labels(&reports[i]);
		printf(" %" PRIu64 "\n", (uint64_t)reports[i].memory.board_free);
	}
	for (m = 0; m < sizeof(metrics) / sizeof(metrics[0]); m++)
		show_metric(&metrics[m], reports, count);
}

static void cdi_node(const char *node)
{
	printf("{ \"path\": ");
	smi_json_text(node, strlen(node));
	printf(", \"permissions\": \"rw\" }");
}

void smi_show_cdi(const struct smi_report *reports, uint32_t count)
{
	const char *separator = "";
	uint32_t i;

	printf("{\n  \"cdiVersion\": \"0.6.0\",\n  \"kind\": \"hearth/board\",\n"
	       "  \"devices\": [");
	for (i = 0; i < count; i++) {
		char uuid[37];

		if (reports[i].problem[0])
			continue;
		smi_format_uuid(&reports[i].device, uuid);
		printf("%s\n    { \"name\": \"%s\", \"containerEdits\": { \"deviceNodes\": [ ",
		       separator, uuid);
		cdi_node(reports[i].board->node);
		printf(" ] } }");
		separator = ",";
	}
	/* A device must edit something: without a board there is no "all" either. */
	if (*separator) {
		printf(",\n    { \"name\": \"all\", \"containerEdits\": { \"deviceNodes\": [ ");
		for (separator = "", i = 0; i < count; i++) {
			if (reports[i].problem[0])
				continue;
			fputs(separator, stdout);
			cdi_node(reports[i].board->node);
			separator = ", ";
		}
		printf(" ] } }\n  ");
	}
	printf("]\n}\n");
}
