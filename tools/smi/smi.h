/* SPDX-License-Identifier: MIT */
/* What the files of hearth-smi share. All of it is for one thread; text goes to standard output. */
#ifndef SMI_H
#define SMI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hearth_drm.h"

#define SMI_UNKNOWN INT64_MIN

/*
 * What sysfs tells of a board; SMI_UNKNOWN for what it does not. Temperature in thousandths of a degree
 * Celsius, power in microwatts, energy in microjoules; time_ns and busy_ns are of the board's own clock.
 */
struct smi_metrics {
	int64_t time_ns;
	int64_t busy_ns;
	int64_t dispatches;
	int64_t temperature_mc;
	int64_t power_uw;
	int64_t energy_uj;
	int64_t numa_node;
	int64_t link_width;
	bool modeled; /* the sensors are a model, not measured */
};

/* All that is told of a board. @problem: why it cannot be used, or empty. */
struct smi_report {
	const struct hearth_drm_board *board;
	char problem[256];
	bool answered; /* those below are valid */
	struct drm_hearth_query_device device;
	struct drm_hearth_query_firmware firmware;
	struct drm_hearth_query_memory memory;
	struct smi_metrics metrics;
};

/* Ends with a name that is NULL. */
struct smi_ability {
	uint64_t bit;
	const char *name;
};
extern const struct smi_ability smi_abilities[];

const char *smi_state_name(uint32_t state);
void smi_ask(struct smi_report *report);
void smi_format_uuid(const struct drm_hearth_query_device *device, char text[37]);

/* @pci: "dddd:bb:dd.f". */
void smi_read_metrics(const char *pci, struct smi_metrics *metrics);

/* A JSON string of at most @size bytes, up to a zero. What is not ASCII is escaped byte by byte. */
void smi_json_text(const void *text, size_t size);
/* A number, or null for SMI_UNKNOWN. */
void smi_json_number(int64_t value);

/* The processes that have boards open, as far as this one may see. @json: as JSON. */
void smi_show_processes(bool json);

/*
 * Prometheus' text format, in parts, since all samples of a metric come together: @reports of @count
 * boards.
 */
void smi_show_prometheus(const struct smi_report *reports, uint32_t count);

/* A container device interface specification of the usable boards. */
void smi_show_cdi(const struct smi_report *reports, uint32_t count);

/* Takes the driver off the board and binds it again, which resets it: 0 or a negative errno. */
int smi_reset(const struct hearth_drm_board *board);

#endif /* SMI_H */
