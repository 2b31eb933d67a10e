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
 * Celsius, power and its limits in microwatts, energy in microjoules; time_ns and busy_ns are of the board's own clock.
 */
struct smi_metrics {
	int64_t time_ns;
	int64_t busy_ns;
	int64_t dispatches;
	int64_t temperature_mc;
	int64_t power_uw;
	int64_t power_limit_uw;
	int64_t power_limit_min_uw;
	int64_t power_limit_max_uw;
	int64_t power_limit_default_uw;
	int64_t clock_hz;
	int64_t energy_uj;
	int64_t numa_node;
	int64_t link_width;
	bool modeled; /* the sensors are a model, not measured */
};

enum smi_exit {
	SMI_EXIT_GOOD = 0,
	SMI_EXIT_BAD = 1, /* a board cannot be used, or wants to be looked at */
	SMI_EXIT_USAGE = 2,
	SMI_EXIT_NONE = 3,   /* no such board */
	SMI_EXIT_RIGHTS = 4, /* the caller may not do that */
	SMI_EXIT_FAILED = 5, /* a board has failed, or did not do what it was asked for */
};

/* A board as sysfs tells of it. Texts are empty, numbers SMI_UNKNOWN, where it does not. */
struct smi_board {
	char pci[16];
	char folder[256];
	char hwmon[512]; /* folder of its sensors */
	char uuid[37];
	char name[64];
	char state[16];
	char firmware_version[32];
	char firmware_image[16]; /* "own" or "common" */
	char speed[32];
	char max_speed[32];
	char iommu_group[16];
	char path[256]; /* from the root complex on, parts parted by slashes */
	int64_t workers;
	int64_t resets;
	int64_t faults;
	int64_t max_width;
	struct smi_metrics metrics;
};

/* ---- tree.c ---- */

extern const char *smi_sysfs; /* "/sys" */
/* The boards that the driver has, by PCI address; how many. */
uint32_t smi_find_boards(struct smi_board boards[HEARTH_DRM_MAX_BOARDS]);
/* @name: a PCI address or a UUID. NULL: there is none of that name. */
const struct smi_board *smi_pick_board(const struct smi_board *boards, uint32_t count,
				       const char *name);
/* Says on standard error that there is none of that name; SMI_EXIT_NONE. */
int smi_no_board(const char *name);
/* The first line of a file; false and "" if it cannot be read. */
bool smi_read_text(const char *folder, const char *name, char *text, size_t size);
int64_t smi_read_number(const char *folder, const char *name);

/* ---- table.c ---- */

#define SMI_SCHEMA "hearth-smi/1"

enum smi_format { SMI_PLAIN, SMI_JSON, SMI_JSON_LINES, SMI_CSV };
enum smi_type { SMI_NUMBER, SMI_TENTHS, SMI_TEXT };

struct smi_value {
	const char *name;
	enum smi_type type;
	const char *text;
	int64_t number;
	int width; /* of the column, at least */
};

/* @name: of the JSON array. @page: rows between two heads of the plain form; 0: one head. */
struct smi_table {
	const char *name;
	enum smi_format format;
	unsigned int page;
	unsigned int rows;
};

void smi_table_begin(struct smi_table *table);
/* The same names and types with each row. */
void smi_table_row(struct smi_table *table, const struct smi_value *values, unsigned int count);
void smi_table_end(struct smi_table *table);

/* ---- The commands; each returns an enum smi_exit ---- */

/* @rounds: 0 for no end but a signal's. */
int smi_watch(enum smi_format format, double seconds, unsigned long rounds);
int smi_topology(enum smi_format format);
int smi_health(enum smi_format format);
int smi_power_info(enum smi_format format);
/* "default" is 0. False: neither that nor a number of watts. */
bool smi_parse_watts(const char *text, int64_t *microwatts);
/* @microwatts: 0 for the board's own limit. */
int smi_power_set(const char *name, int64_t microwatts);
/* @folder: where the kernel looks for firmware. */
int smi_firmware_info(enum smi_format format, const char *folder);
/* @key: file with the owner's public key, or NULL. */
int smi_firmware_update(const char *name, const char *image, const char *key, const char *folder);

/* All that is told of a board. @problem: why it cannot be used, or empty. */
struct smi_report {
	const struct hearth_drm_board *board;
	char problem[256];
	bool answered; /* those below are valid */
	struct drm_hearth_query_device device;
	struct drm_hearth_query_firmware firmware;
	struct drm_hearth_query_memory memory;
	struct smi_metrics metrics;
	int64_t resets;
	int64_t faults;
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

/* A JSON string of at most @size bytes, up to a zero. What is not ASCII is escaped byte by byte. */
void smi_json_text(const void *text, size_t size);
/* A number, or null for SMI_UNKNOWN. */
void smi_json_number(int64_t value);

/* The processes that have boards open, as far as this one may see. */
void smi_show_processes(enum smi_format format);
/* How many open files of the board there are, likewise. */
uint32_t smi_count_clients(const char *pci);

/*
 * Prometheus' text format, in parts, since all samples of a metric come together: @reports of @count
 * boards.
 */
void smi_show_prometheus(const struct smi_report *reports, uint32_t count);

/* A container device interface specification of the usable boards. */
void smi_show_cdi(const struct smi_report *reports, uint32_t count);

/* Resets the board and waits until that is done: 0 or a negative errno. */
int smi_reset(const struct smi_board *board);

#endif /* SMI_H */
