// SPDX-License-Identifier: MIT
/*
 * Running and timing recordings, and the parts that all results have. Times are those of the host, from submission
 * until the wait returns: what a program sees.
 */
#include "bench.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MIN_ROUNDS 3
#define MAX_ROUNDS 1000

double bench_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

enum hearth_status bench_run(struct bench_device *dev, struct hearth_recording *recording,
			     double *seconds)
{
	double start = bench_now();
	enum hearth_status status = hearth_stream_submit(dev->stream, recording);

	if (status == HEARTH_OK)
		status = hearth_stream_wait(dev->stream, dev->settings->timeout_ns);
	if (seconds)
		*seconds = bench_now() - start;
	return status;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

enum hearth_status bench_time(struct bench_device *dev, struct hearth_recording *recording,
			      double parts, struct bench_times *times)
{
	double seconds[MAX_ROUNDS], total = 0;
	uint32_t most = dev->settings->rounds, count = 0;

	if (most > MAX_ROUNDS)
		most = MAX_ROUNDS;
	while (count < most && (count < MIN_ROUNDS || total < dev->settings->seconds)) {
		enum hearth_status status = bench_run(dev, recording, &seconds[count]);

		if (status != HEARTH_OK)
			return status;
		total += seconds[count];
		seconds[count++] /= parts;
	}
	qsort(seconds, count, sizeof(*seconds), compare_doubles);
	*times = (struct bench_times){
		.rounds = count,
		.least = seconds[0],
		.median = 0.5 * (seconds[count / 2] + seconds[(count - 1) / 2]),
		.most = seconds[count - 1],
	};
	return HEARTH_OK;
}

enum hearth_status bench_buffer(struct bench_device *dev, const void *data, uint64_t bytes,
				struct hearth_buffer **buffer)
{
	enum hearth_status status =
		hearth_buffer_create(dev->device, bytes, HEARTH_BUFFER_DEVICE, buffer);
	uint32_t fill[16384];

	if (status != HEARTH_OK)
		return status;
	if (data)
		return hearth_buffer_write(*buffer, 0, data, bytes);
	for (size_t i = 0; i < sizeof(fill) / sizeof(*fill); i++)
		fill[i] = BENCH_UNWRITTEN;
	for (uint64_t at = 0; at < bytes && status == HEARTH_OK; at += sizeof(fill))
		status = hearth_buffer_write(*buffer, at, fill,
					     bytes - at < sizeof(fill) ? bytes - at : sizeof(fill));
	return status;
}

void bench_add_times(struct json *parent, const struct bench_times *times)
{
	struct json *json = json_add_object(parent, "time");

	json_add_number(json, "rounds", times->rounds);
	json_add_number(json, "median_s", times->median);
	json_add_number(json, "min_s", times->least);
	json_add_number(json, "max_s", times->most);
}

void bench_add_check(struct json *parent, const struct bench_check *check)
{
	struct json *json = json_add_object(parent, "check");

	json_add_string(json, "reference", check->reference);
	json_add_number(json, "outputs", (double)check->outputs);
	json_add_number(json, "samples", check->samples);
	json_add_number(json, "wrong", check->wrong);
	json_add_number(json, "max_error", check->max_error);
	json_add_number(json, "max_scaled_error", check->max_scaled);
	json_add_number(json, "tolerance", check->tolerance);
	json_add_bool(json, "pass", check->pass);
}

void bench_conclude(struct json *result, enum hearth_status status, const struct bench_check *check,
		    struct bench_count *count)
{
	if (status != HEARTH_OK) {
		json_add_string(result, "status", "failed");
		/* The tool's own lack of memory has no sentence from the library. */
		json_add_string(result, "message",
				status == HEARTH_ERROR_OUT_OF_MEMORY ? hearth_status_string(status)
								     : hearth_last_error());
		count->failed++;
	} else if (check && !check->pass) {
		json_add_string(result, "status", "wrong");
		json_add_string(result, "message", check->message);
		count->wrong++;
	} else {
		json_add_string(result, "status", "ok");
		json_add_null(result, "message");
		count->ok++;
	}
}

void bench_skip(struct json *result, struct bench_count *count, const char *format, ...)
{
	char message[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	json_add_string(result, "status", "skipped");
	json_add_string(result, "message", message);
	count->skipped++;
}
