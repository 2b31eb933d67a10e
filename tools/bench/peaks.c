// SPDX-License-Identifier: MIT
/*
 * What a device can do at most, measured and never taken from a datasheet: multiply-adds, dot products of bytes,
 * reading and copying memory, transfers, and the price of a dispatch. These are the roofline that operations are then
 * compared with, so the best round counts here, where it is the median elsewhere.
 */
#include "bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench_spv_dot_i8.h"
#include "bench_spv_empty.h"
#include "bench_spv_fma_f16.h"
#include "bench_spv_fma_f32.h"
#include "bench_spv_read_16.h"
#include "bench_spv_read_4.h"

#include "sha256.h"

#define GROUP	   64	       /* local_size_x of all kernels here */
#define CHAINS	   8	       /* of an invocation, in fma.comp and dot.comp */
#define STEPS	   4	       /* of a chain in an iteration, there */
#define STARTS	   8	       /* invocations i and i + 8 compute the same, there */
#define READ_BYTES (64u << 10) /* of a work-group, in read.comp */
#define PIECE_BYTES \
	(128u << 20) /* what all devices let a kernel reach: maxStorageBufferRange is no less */
#define VULKAN_1_3	 (1u << 22 | 3u << 12)
#define FMA_SCALE	 (-0.875f) /* results settle, so that no number gets large, small or denormal */
#define FMA_OFFSET	 1.5f
#define DOT_FACTOR	 0x017f81fe /* bytes of both signs */

#define MAX_ITERATIONS	 (1u << 16)
#define CHECK_ITERATIONS 3 /* so few that a step left out shows in the result */

static const struct {
	const char *name;
	const uint32_t *words;
	size_t bytes;
} shaders[] = {
	{ "empty", bench_spv_empty, sizeof(bench_spv_empty) },
	{ "fma_f32", bench_spv_fma_f32, sizeof(bench_spv_fma_f32) },
	{ "fma_f16", bench_spv_fma_f16, sizeof(bench_spv_fma_f16) },
	{ "dot_i8", bench_spv_dot_i8, sizeof(bench_spv_dot_i8) },
	{ "read_4", bench_spv_read_4, sizeof(bench_spv_read_4) },
	{ "read_16", bench_spv_read_16, sizeof(bench_spv_read_16) },
};

enum { SHADER_EMPTY, SHADER_FMA_F32, SHADER_FMA_F16, SHADER_DOT_I8, SHADER_READ_4, SHADER_READ_16 };

void bench_add_shaders(struct json *results)
{
	struct json *list = json_add_array(results, "shaders");

	for (size_t i = 0; i < sizeof(shaders) / sizeof(*shaders); i++) {
		struct json *json = json_add_object(list, NULL);
		char text[SHA256_TEXT];

		sha256_text(shaders[i].words, shaders[i].bytes, text);
		json_add_string(json, "name", shaders[i].name);
		json_add_string(json, "sha256", text);
	}
}

static enum hearth_status make_kernel(struct bench_device *dev, int shader, uint32_t buffers,
				      uint32_t push_bytes, struct hearth_kernel **kernel)
{
	const struct hearth_kernel_info info = {
		.struct_size = sizeof(info),
		.spirv = shaders[shader].words,
		.spirv_bytes = shaders[shader].bytes,
		.buffer_count = buffers,
		.push_bytes = push_bytes,
	};

	return hearth_kernel_create(dev->device, &info, kernel);
}

/* The common end of a peak: its value, if it was measured and right, and a line of the table. */
static void conclude(struct json *peak, enum hearth_status status, const struct bench_check *check,
		     double work, const struct bench_times *times, struct bench_count *count)
{
	bool good = status == HEARTH_OK && (!check || check->pass);

	if (good) {
		json_add_number(peak, "value", work > 0 ? work / times->least : times->least);
		bench_add_times(peak, times);
	} else {
		json_add_null(peak, "value");
		json_add_null(peak, "time");
	}
	if (status == HEARTH_OK && check)
		bench_add_check(peak, check);
	else
		json_add_null(peak, "check");
	bench_conclude(peak, status, check, count);
	bench_print_peak(peak);
}

static struct json *begin(struct json *peaks, const char *name, const char *unit, int shader)
{
	struct json *peak = json_add_object(peaks, NULL);

	json_add_string(peak, "name", name);
	json_add_string(peak, "unit", unit);
	json_add_string(peak, "shader", shader < 0 ? NULL : shaders[shader].name);
	return peak;
}

static void skip(struct json *peak, struct bench_count *count, const char *why)
{
	json_add_null(peak, "value");
	json_add_null(peak, "time");
	json_add_null(peak, "check");
	bench_skip(peak, count, "%s", why);
	bench_print_peak(peak);
}

/* ---- Arithmetic ---- */

struct arithmetic {
	const char *name, *unit;
	int shader;
	double operations; /* of a step */
	double tolerance;  /* of a result, relative to the sum of its parts' absolute values */
	uint32_t groups;
	struct hearth_kernel *kernel;
	struct hearth_buffer *results;
};

union arithmetic_push {
	struct {
		uint32_t iterations;
		float scale, offset;
	} fma;
	struct {
		uint32_t iterations;
		int32_t factor;
	} dot;
};

/* What invocation @start leaves, and the sum of the absolute values of its parts. */
static double expected_fma(uint32_t start, uint32_t iterations, double *magnitude)
{
	double sum = 0;

	*magnitude = 0;
	for (uint32_t c = 0; c < CHAINS; c++) {
		double x = 0.125 * start + c;

		for (uint32_t s = 0; s < STEPS * iterations; s++)
			x = x * (double)FMA_SCALE + (double)FMA_OFFSET;
		sum += x;
		*magnitude += fabs(x);
	}
	return sum;
}

static uint32_t expected_dot(uint32_t start, uint32_t iterations)
{
	uint32_t sum = 0;

	for (uint32_t c = 0; c < CHAINS; c++) {
		uint32_t x = start * 0x01030507u + c;

		for (uint32_t s = 0; s < STEPS * iterations; s++) {
			int32_t dot = 0;

			for (int b = 0; b < 32; b += 8)
				dot += (int8_t)(x >> b) * (int8_t)(DOT_FACTOR >> b);
			x += (uint32_t)dot;
		}
		sum += x;
	}
	return sum;
}

static void check_arithmetic(const struct arithmetic *a, const uint32_t *words, uint32_t iterations,
			     struct bench_check *check)
{
	double expected[STARTS], magnitude[STARTS] = { 0 };

	for (uint32_t i = 0; i < STARTS; i++)
		expected[i] = a->shader == SHADER_DOT_I8
				      ? (double)(int32_t)expected_dot(i, iterations)
				      : expected_fma(i, iterations, &magnitude[i]);
	*check =
		(struct bench_check){ .reference = a->shader == SHADER_DOT_I8 ? "exact" : "float64",
				      .tolerance = a->tolerance,
				      .outputs = a->groups * GROUP };
	for (uint32_t i = 0; i < a->groups * GROUP; i++) {
		double got, error, scaled;
		float f32;

		memcpy(&f32, &words[i], 4);
		got = a->shader == SHADER_DOT_I8 ? (double)(int32_t)words[i] : (double)f32;
		error = fabs(got - expected[i % STARTS]);
		scaled = magnitude[i % STARTS] > 0 ? error / magnitude[i % STARTS] : error;
		check->samples++;
		if (!(scaled <= a->tolerance) && !check->wrong++)
			snprintf(check->message, sizeof(check->message),
				 "invocation %u left %.9g, expected %.9g", i, got,
				 expected[i % STARTS]);
		if (!(error <= check->max_error))
			check->max_error = error;
		if (!(scaled <= check->max_scaled))
			check->max_scaled = scaled;
	}
	check->pass = !check->wrong;
}

static enum hearth_status record_arithmetic(struct bench_device *dev, const struct arithmetic *a,
					    uint32_t iterations,
					    struct hearth_recording **recording)
{
	const struct hearth_view view = { a->results, 0, 0 };
	union arithmetic_push push;
	uint32_t push_bytes;
	enum hearth_status status;

	if (a->shader == SHADER_DOT_I8) {
		push.dot.iterations = iterations;
		push.dot.factor = DOT_FACTOR;
		push_bytes = sizeof(push.dot);
	} else {
		push.fma.iterations = iterations;
		push.fma.scale = FMA_SCALE;
		push.fma.offset = FMA_OFFSET;
		push_bytes = sizeof(push.fma);
	}
	status = hearth_recording_create(dev->device, recording);
	if (status == HEARTH_OK)
		status = hearth_record_dispatch(*recording, a->kernel, &view, 1, &push, push_bytes,
						a->groups, 1, 1);
	if (status == HEARTH_OK)
		status = hearth_recording_end(*recording);
	return status;
}

/* Runs once and checks. */
static enum hearth_status try_arithmetic(struct bench_device *dev, const struct arithmetic *a,
					 uint32_t iterations, struct hearth_recording **recording,
					 double *seconds, struct bench_check *check)
{
	uint64_t bytes = 4ull * a->groups * GROUP;
	uint32_t *words = malloc(bytes);
	enum hearth_status status = record_arithmetic(dev, a, iterations, recording);

	if (status == HEARTH_OK)
		status = bench_run(dev, *recording, NULL); /* the first run may compile */
	if (status == HEARTH_OK)
		status = bench_run(dev, *recording, seconds);
	if (status == HEARTH_OK && words)
		status = hearth_buffer_read(a->results, 0, words, bytes);
	if (status == HEARTH_OK && words)
		check_arithmetic(a, words, iterations, check);
	free(words);
	return words ? status : HEARTH_ERROR_OUT_OF_MEMORY;
}

static double measure_arithmetic(struct bench_device *dev, struct json *peaks, struct arithmetic *a,
				 struct bench_count *count)
{
	struct json *peak = begin(peaks, a->name, a->unit, a->shader);
	double enough = dev->settings->quick ? 0.001 : 0.05, seconds = 0, work;
	struct hearth_recording *recording = NULL;
	struct bench_check check = { 0 };
	struct bench_times times = { 0 };
	uint32_t iterations = CHECK_ITERATIONS;
	enum hearth_status status;

	status = make_kernel(dev, a->shader, 1,
			     a->shader == SHADER_DOT_I8 ? sizeof(int32_t) + sizeof(uint32_t)
							: sizeof(uint32_t) + 2 * sizeof(float),
			     &a->kernel);
	if (status == HEARTH_OK)
		status = bench_buffer(dev, NULL, 4ull * a->groups * GROUP, &a->results);
	while (status == HEARTH_OK) {
		status = try_arithmetic(dev, a, iterations, &recording, &seconds, &check);
		if (status != HEARTH_OK || !check.pass || seconds >= enough ||
		    iterations >= MAX_ITERATIONS)
			break;
		hearth_recording_destroy(recording);
		recording = NULL;
		iterations *= seconds < enough / 8 ? 8 : 2;
	}
	if (status == HEARTH_OK && check.pass)
		status = bench_time(dev, recording, 1, &times);
	work = (double)a->groups * GROUP * CHAINS * STEPS * iterations * a->operations;
	conclude(peak, status, &check, work, &times, count);
	hearth_recording_destroy(recording);
	hearth_buffer_destroy(a->results);
	hearth_kernel_destroy(a->kernel);
	return status == HEARTH_OK && check.pass ? work / times.least : 0;
}

/* ---- Memory ---- */

/* A dispatch for each piece, since a kernel may reach no further than PIECE_BYTES of a buffer. @width: of a load. */
static enum hearth_status record_read(struct bench_device *dev, struct hearth_kernel *kernel,
				      struct hearth_buffer *in, struct hearth_buffer *out,
				      uint64_t bytes, uint32_t width,
				      struct hearth_recording **recording)
{
	uint32_t count = READ_BYTES / width;
	enum hearth_status status = hearth_recording_create(dev->device, recording);

	for (uint64_t at = 0; at < bytes && status == HEARTH_OK; at += PIECE_BYTES) {
		uint64_t piece = bytes - at < PIECE_BYTES ? bytes - at : PIECE_BYTES;
		uint64_t groups = piece / READ_BYTES;
		const struct hearth_view views[] = {
			{ in, at, piece },
			{ out, at / READ_BYTES * GROUP * 4, groups * GROUP * 4 },
		};

		status = hearth_record_dispatch(*recording, kernel, views, 2, &count, sizeof(count),
						(uint32_t)groups, 1, 1);
	}
	if (status == HEARTH_OK)
		status = hearth_recording_end(*recording);
	return status;
}

static void check_words(struct bench_check *check, uint64_t got, uint64_t expected,
			const char *what)
{
	*check = (struct bench_check){
		.reference = "exact", .samples = 1, .outputs = 1, .pass = got == expected
	};
	if (check->pass)
		return;
	check->wrong = 1;
	snprintf(check->message, sizeof(check->message), "%s: 0x%llx, expected 0x%llx", what,
		 (unsigned long long)got, (unsigned long long)expected);
}

/* @in holds @data. @width: bytes that an invocation loads at once, 4 or 16. */
static void measure_read(struct bench_device *dev, struct json *peaks, uint32_t width,
			 struct hearth_buffer *in, const uint32_t *data, uint64_t bytes,
			 struct bench_count *count)
{
	int shader = width == 4 ? SHADER_READ_4 : SHADER_READ_16;
	struct json *peak = begin(peaks, shaders[shader].name, "B/s", shader);
	uint32_t groups = (uint32_t)(bytes / READ_BYTES), expected = 0, got = 0;
	uint32_t *words = malloc(4ull * groups * GROUP);
	struct hearth_recording *recording = NULL;
	struct hearth_kernel *kernel = NULL;
	struct hearth_buffer *out = NULL;
	struct bench_check check = { 0 };
	struct bench_times times = { 0 };
	enum hearth_status status = words ? HEARTH_OK : HEARTH_ERROR_OUT_OF_MEMORY;

	if (status == HEARTH_OK)
		status = make_kernel(dev, shader, 2, 4, &kernel);
	if (status == HEARTH_OK)
		status = bench_buffer(dev, NULL, 4ull * groups * GROUP, &out);
	if (status == HEARTH_OK)
		status = record_read(dev, kernel, in, out, bytes, width, &recording);
	if (status == HEARTH_OK)
		status = bench_run(dev, recording, NULL);
	if (status == HEARTH_OK)
		status = hearth_buffer_read(out, 0, words, 4ull * groups * GROUP);
	if (status == HEARTH_OK) {
		for (uint64_t i = 0; i < bytes / 4; i++)
			expected ^= data[i];
		for (uint64_t i = 0; i < (uint64_t)groups * GROUP; i++)
			got ^= words[i];
		check_words(&check, got, expected, "exclusive or of all that was read");
		if (check.pass)
			status = bench_time(dev, recording, 1, &times);
	}
	conclude(peak, status, &check, (double)bytes, &times, count);
	if (status == HEARTH_OK && check.pass)
		dev->peak_bytes = fmax(dev->peak_bytes, (double)bytes / times.least);
	hearth_recording_destroy(recording);
	hearth_buffer_destroy(out);
	hearth_kernel_destroy(kernel);
	free(words);
}

static void measure_copy(struct bench_device *dev, struct json *peaks, struct hearth_buffer *in,
			 const uint32_t *data, uint64_t bytes, struct bench_count *count)
{
	struct json *peak = begin(peaks, "copy", "B/s", -1);
	struct hearth_recording *recording = NULL;
	struct hearth_buffer *out = NULL;
	struct bench_check check = { 0 };
	struct bench_times times = { 0 };
	uint32_t *words = malloc(bytes);
	enum hearth_status status = words ? HEARTH_OK : HEARTH_ERROR_OUT_OF_MEMORY;

	if (status == HEARTH_OK)
		status = bench_buffer(dev, NULL, bytes, &out);
	if (status == HEARTH_OK)
		status = hearth_recording_create(dev->device, &recording);
	if (status == HEARTH_OK)
		status = hearth_record_copy(recording, (struct hearth_view){ in, 0, bytes },
					    (struct hearth_view){ out, 0, bytes }, bytes);
	if (status == HEARTH_OK)
		status = hearth_recording_end(recording);
	if (status == HEARTH_OK)
		status = bench_run(dev, recording, NULL);
	if (status == HEARTH_OK)
		status = hearth_buffer_read(out, 0, words, bytes);
	if (status == HEARTH_OK) {
		uint64_t same = 0;

		while (same < bytes / 4 && words[same] == data[same])
			same++;
		check_words(&check, same, bytes / 4, "words that are equal after the copy");
		if (check.pass)
			status = bench_time(dev, recording, 1, &times);
	}
	/* Each byte is read and written. */
	conclude(peak, status, &check, 2 * (double)bytes, &times, count);
	if (status == HEARTH_OK && check.pass)
		dev->peak_bytes = fmax(dev->peak_bytes, 2 * (double)bytes / times.least);
	hearth_recording_destroy(recording);
	hearth_buffer_destroy(out);
	free(words);
}

/* From the host's memory to the device's and back, as hearth_buffer_write and _read do it. */
static void measure_transfer(struct json *peaks, struct hearth_buffer *buffer, void *data,
			     uint64_t bytes, bool write, struct bench_count *count)
{
	struct json *peak = begin(peaks, write ? "host_to_device" : "device_to_host", "B/s", -1);
	struct bench_times times = { .rounds = 3, .least = INFINITY };
	double seconds[3] = { 0 };
	enum hearth_status status = HEARTH_OK;

	for (uint32_t i = 0; i < times.rounds && status == HEARTH_OK; i++) {
		double start = bench_now();

		status = write ? hearth_buffer_write(buffer, 0, data, bytes)
			       : hearth_buffer_read(buffer, 0, data, bytes);
		seconds[i] = bench_now() - start;
		times.least = fmin(times.least, seconds[i]);
		times.most = fmax(times.most, seconds[i]);
	}
	times.median = seconds[0] + seconds[1] + seconds[2] - times.least - times.most;
	conclude(peak, status, NULL, (double)bytes, &times, count);
}

static void measure_memory(struct bench_device *dev, struct json *peaks, struct bench_count *count)
{
	uint64_t bytes = dev->settings->quick ? 2u << 20 : 256u << 20;
	struct bench_random random = { 88172645463325252ull };
	struct hearth_buffer *buffer = NULL;
	enum hearth_status status;
	uint64_t *data;

	/* Two buffers at once, in what the device has and what was allowed. */
	while (bytes > READ_BYTES && (bytes > dev->properties.max_buffer_bytes ||
				      bytes > dev->properties.memory_bytes / 4 ||
				      bytes > dev->settings->memory_bytes / 2))
		bytes /= 2;
	data = malloc(bytes);
	if (!data) {
		skip(begin(peaks, "read_16", "B/s", SHADER_READ_16), count, "out of memory");
		return;
	}
	for (uint64_t i = 0; i < bytes / 8; i++)
		data[i] = bench_random(&random);
	status = bench_buffer(dev, data, bytes, &buffer);
	if (status == HEARTH_OK) {
		measure_read(dev, peaks, 4, buffer, (uint32_t *)data, bytes, count);
		measure_read(dev, peaks, 16, buffer, (uint32_t *)data, bytes, count);
		measure_copy(dev, peaks, buffer, (uint32_t *)data, bytes, count);
		measure_transfer(peaks, buffer, data, bytes, true, count);
		measure_transfer(peaks, buffer, data, bytes, false, count);
	} else {
		conclude(begin(peaks, "read_16", "B/s", SHADER_READ_16), status, NULL, 0, NULL,
			 count);
	}
	hearth_buffer_destroy(buffer);
	free(data);
}

/* ---- Dispatches ---- */

static void measure_dispatch(struct bench_device *dev, struct json *peaks, const char *name,
			     uint32_t dispatches, struct bench_count *count)
{
	struct json *peak = begin(peaks, name, "s", SHADER_EMPTY);
	struct hearth_recording *recording = NULL;
	struct hearth_kernel *kernel = NULL;
	struct bench_times times = { 0 };
	enum hearth_status status = make_kernel(dev, SHADER_EMPTY, 0, 0, &kernel);

	if (status == HEARTH_OK)
		status = hearth_recording_create(dev->device, &recording);
	for (uint32_t i = 0; i < dispatches && status == HEARTH_OK; i++)
		status = hearth_record_dispatch(recording, kernel, NULL, 0, NULL, 0, 1, 1, 1);
	if (status == HEARTH_OK)
		status = hearth_recording_end(recording);
	if (status == HEARTH_OK)
		status = bench_run(dev, recording, NULL);
	if (status == HEARTH_OK)
		status = bench_time(dev, recording, dispatches, &times);
	conclude(peak, status, NULL, 0, &times, count);
	hearth_recording_destroy(recording);
	hearth_kernel_destroy(kernel);
}

void bench_peaks(struct bench_device *dev, struct json *results, struct bench_count *count)
{
	struct json *peaks = json_add_array(results, "peaks");
	uint32_t groups = dev->settings->quick ? 64 : 4096;
	struct arithmetic f32 = { "fma_f32", "FLOP/s", SHADER_FMA_F32, 2, 0x1p-20, groups };
	struct arithmetic f16 = { "fma_f16", "FLOP/s", SHADER_FMA_F16, 4, 0x1p-7, groups };
	struct arithmetic dot = { "dot_i8", "OP/s", SHADER_DOT_I8, 8, 0, groups };

	dev->peak_flops = measure_arithmetic(dev, peaks, &f32, count);
	if (dev->properties.float16)
		measure_arithmetic(dev, peaks, &f16, count);
	else
		skip(begin(peaks, f16.name, f16.unit, f16.shader), count,
		     "the device has no f16 arithmetic");
	/* Vulkan 1.3 has it on all devices; before, it is an extension that the runtime does not use. */
	if (dev->properties.vulkan_version >= VULKAN_1_3)
		measure_arithmetic(dev, peaks, &dot, count);
	else
		skip(begin(peaks, dot.name, dot.unit, dot.shader), count,
		     "the device has no Vulkan 1.3");
	measure_memory(dev, peaks, count);
	measure_dispatch(dev, peaks, "dispatch", 1, count);
	measure_dispatch(dev, peaks, "dispatch_of_100", 100, count);
}
