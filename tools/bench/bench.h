/* SPDX-License-Identifier: MIT */
/*
 * What the parts of hearth-bench share: the settings of a run, a device under measurement, and the functions that
 * fill a device's part of the result. The result is a JSON tree, described in Documentation/bench.rst.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include <hearth.h>

#include "check.h"
#include "json.h"

#define BENCH_SCHEMA "hearth-bench/1"

struct bench_settings {
	bool quick;	       /* small shapes and short runs: for tests of the tool itself */
	bool peaks_only;       /* no models */
	bool all;	       /* every model */
	const char *model;     /* only models with this in their name; or NULL */
	uint32_t rounds;       /* timed, at most */
	double seconds;	       /* of timed rounds, at most, but for the first MIN_ROUNDS */
	uint64_t memory_bytes; /* for one case */
	uint64_t timeout_ns;   /* of one submission */
	uint32_t prefill_rows;
};

struct bench_device {
	const struct bench_settings *settings;
	struct hearth_device_properties properties;
	struct hearth_device *device;
	struct hearth_stream *stream;
	/* What was measured, or 0: of float32, and the best of all ways to move memory. */
	double peak_flops;
	double peak_bytes;
};

/* Outcomes, kept as they go. */
struct bench_count {
	uint32_t ok, wrong, failed, skipped;
};

struct bench_times {
	uint32_t rounds;
	double median, least, most; /* seconds */
};

/* ---- measure.c ---- */

double bench_now(void);
enum hearth_status bench_run(struct bench_device *dev, struct hearth_recording *recording,
			     double *seconds);
/* After a run to warm up, which is the caller's. Each time is divided by @parts. */
enum hearth_status bench_time(struct bench_device *dev, struct hearth_recording *recording,
			      double parts, struct bench_times *times);
/* A buffer that holds @data, or that is filled with BENCH_UNWRITTEN if it is NULL. */
enum hearth_status bench_buffer(struct bench_device *dev, const void *data, uint64_t bytes,
				struct hearth_buffer **buffer);
void bench_add_times(struct json *parent, const struct bench_times *times);
void bench_add_check(struct json *parent, const struct bench_check *check);
/* Sets "status" and "message" of a result and counts it; @status and the check decide. */
void bench_conclude(struct json *result, enum hearth_status status, const struct bench_check *check,
		    struct bench_count *count);
void bench_skip(struct json *result, struct bench_count *count, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* ---- peaks.c, cases.c: add to @results and print a line each ---- */

void bench_peaks(struct bench_device *dev, struct json *results, struct bench_count *count);
/* [{name, sha256}] of the kernels that measure peaks. */
void bench_add_shaders(struct json *results);
void bench_cases(struct bench_device *dev, struct json *results, struct bench_count *count);
void bench_print_models(void);
/* Whether a model has @name in its name. */
bool bench_has_model(const char *name);

/* ---- qualify.c ---- */

/*
 * Finds which abilities of the device compute right results, each in a process of its own (this program again, with --qualify-one), and writes the verdict for the runtime. 0: all that there is is right; 1: not, or failed.
 */
int bench_qualify(struct hearth_instance *instance, uint32_t index,
		  const struct hearth_device_properties *properties, bool quick);
/* In such a process: computes what uses @ability, or with "plain" all. 0: all was right. */
int bench_qualify_one(struct bench_device *dev, const char *ability);
/* What is to be disabled there; NULL: there is no such ability. */
const char *bench_qualify_disables(const char *ability);

/* ---- system.c ---- */

void bench_add_system(struct json *results);
void bench_add_tool(struct json *results);

/* ---- print.c, html.c, compare.c: from a result, measured or read ---- */

/* Where the table goes. */
extern FILE *bench_table;
/* "12.3 GFLOP/s": @unit is FLOP/s, OP/s, B/s or s. */
const char *bench_quantity(double value, const char *unit, char *text, size_t size);
void bench_print_heading(const char *title);
/* To bench_table, with spaces before it up to @width characters. */
void bench_print_right(const char *text, int width);
void bench_print_peak(const struct json *peak);
void bench_print_case(const struct json *result);
void bench_write_html(FILE *file, const struct json *result);
/* 0, or 1 if there is nothing to compare. */
int bench_compare(const struct json *a, const char *a_name, const struct json *b,
		  const char *b_name);
/* False with a sentence in @error unless @json has the parts that the readers here need. */
bool bench_is_result(const struct json *json, char *error, size_t error_size);

#endif /* BENCH_H */
