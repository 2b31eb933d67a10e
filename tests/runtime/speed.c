// SPDX-License-Identifier: MIT
/*
 * How fast the runtime's operations are, side by side on every device that the loader finds (name drivers in
 * VK_DRIVER_FILES to compare them). Devices take turns, so that a busy machine is unfair to none. Results are not
 * checked here; the tests do that. `make bench` runs it on the project's CPU device and on lavapipe.
 *
 *	usage: runtime_speed [matmul|decode|attention]… [rounds]
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hearth.h"

#define MAX_DEVICES 8
#define MAX_ROUNDS  100
#define WAIT_NS	    (600ull * 1000000000)

struct contender {
	struct hearth_device *device;
	struct hearth_stream *stream;
	struct hearth_device_properties properties;
	struct hearth_recording *recording;
	struct hearth_buffer *buffers[6];
	double seconds[MAX_ROUNDS];
};

static struct contender contenders[MAX_DEVICES];
static uint32_t contender_count;
static int rounds = 5;

static void require(enum hearth_status status, const char *what)
{
	if (status == HEARTH_OK)
		return;
	fprintf(stderr, "%s: %s\n", what, hearth_last_error());
	exit(1);
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* A buffer of small numbers; random bits would hold infinities. */
static struct hearth_view make_buffer(struct contender *c, int slot, uint64_t bytes)
{
	uint32_t *words = malloc(bytes + 4);

	if (!words)
		exit(1);
	for (uint64_t i = 0; i < (bytes + 3) / 4; i++)
		words[i] = 0x2c002c00u +
			   (uint32_t)(i * 2654435761u >> 22); /* halves and floats near 0 */
	require(hearth_buffer_create(c->device, bytes, HEARTH_BUFFER_DEVICE, &c->buffers[slot]),
		"buffer");
	require(hearth_buffer_write(c->buffers[slot], 0, words, bytes), "write");
	free(words);
	return (struct hearth_view){ c->buffers[slot], 0, 0 };
}

static double run(struct contender *c)
{
	double start = now_s();

	require(hearth_stream_submit(c->stream, c->recording), "submit");
	require(hearth_stream_wait(c->stream, WAIT_NS), "wait");
	return now_s() - start;
}

static int compare_seconds(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* All contenders have a recording: runs them in turn, prints, and drops what they hold. */
static void measure(const char *name, double work, const char *unit)
{
	struct contender *first = &contenders[0];

	for (uint32_t i = 0; i < contender_count; i++)
		run(&contenders[i]); /* the first run may compile */
	for (int round = 0; round < rounds; round++)
		for (uint32_t i = 0; i < contender_count; i++)
			contenders[i].seconds[round] = run(&contenders[i]);
	for (uint32_t i = 0; i < contender_count; i++) {
		struct contender *c = &contenders[i];

		qsort(c->seconds, (size_t)rounds, sizeof(*c->seconds), compare_seconds);
		printf("%-30s  %-30.30s  best %9.3f ms  median %9.3f ms  %8.2f %s", name,
		       c->properties.name, 1e3 * c->seconds[0], 1e3 * c->seconds[rounds / 2],
		       work / c->seconds[0] * 1e-9, unit);
		if (i)
			printf("  the first is %.2f times as fast (median %.2f)",
			       c->seconds[0] / first->seconds[0],
			       c->seconds[rounds / 2] / first->seconds[rounds / 2]);
		printf("\n");
		hearth_recording_destroy(c->recording);
		for (int b = 0; b < 6; b++) {
			hearth_buffer_destroy(c->buffers[b]);
			c->buffers[b] = NULL;
		}
	}
	fflush(stdout);
}

static void matmul(const char *type_name, enum hearth_type type, uint32_t rows, uint32_t n,
		   uint32_t k)
{
	uint64_t w_bytes = hearth_row_bytes(type, k) * n;
	char name[64];

	for (uint32_t i = 0; i < contender_count; i++) {
		struct contender *c = &contenders[i];
		struct hearth_matrix w = { make_buffer(c, 0, w_bytes), type, n, k };

		require(hearth_recording_create(c->device, &c->recording), "recording");
		require(hearth_op_matmul(c->recording, &w, make_buffer(c, 1, 4ull * rows * k),
					 (struct hearth_view){ 0 },
					 make_buffer(c, 2, 4ull * rows * n), rows),
			"matmul");
		require(hearth_recording_end(c->recording), "end");
	}
	snprintf(name, sizeof(name), "matmul %s %u × %u × %u", type_name, rows, n, k);
	if (rows == 1)
		measure(name, (double)w_bytes, "GB/s");
	else
		measure(name, 2.0 * rows * n * k, "GFLOP/s");
}

static void attention(uint32_t position, uint32_t rows, uint32_t heads, uint32_t kv_heads,
		      uint32_t head_size, enum hearth_type type)
{
	uint32_t capacity = position + rows;
	uint64_t bytes = hearth_row_bytes(type, (uint64_t)kv_heads * head_size) * capacity;
	char name[64];

	for (uint32_t i = 0; i < contender_count; i++) {
		struct contender *c = &contenders[i];
		struct hearth_kv_cache cache = { make_buffer(c, 0, bytes),
						 make_buffer(c, 1, bytes),
						 type,
						 capacity,
						 kv_heads,
						 head_size };
		struct hearth_step step = { .position = position };
		struct hearth_view step_view = make_buffer(c, 2, sizeof(step));

		require(hearth_buffer_write(step_view.buffer, 0, &step, sizeof(step)), "write");
		require(hearth_recording_create(c->device, &c->recording), "recording");
		require(hearth_op_attention(c->recording,
					    make_buffer(c, 3, 4ull * rows * heads * head_size),
					    &cache, step_view,
					    make_buffer(c, 4, 4ull * rows * heads * head_size),
					    rows, heads, 0.125f),
			"attention");
		require(hearth_recording_end(c->recording), "end");
	}
	snprintf(name, sizeof(name), "attention %s %u+%u %u/%u×%u",
		 type == HEARTH_TYPE_F32    ? "F32"
		 : type == HEARTH_TYPE_F16  ? "F16"
		 : type == HEARTH_TYPE_Q8_0 ? "Q8_0"
					    : "Q4_0",
		 position, rows, heads, kv_heads, head_size);
	if (rows == 1)
		measure(name, 2.0 * (double)bytes, "GB/s");
	else
		measure(name, 4.0 * rows * (position + 0.5 * rows) * heads * head_size, "GFLOP/s");
}

static void open_all(void)
{
	const struct hearth_instance_info info = { .struct_size = sizeof(info) };
	struct hearth_instance *instance;

	require(hearth_instance_create(&info, &instance), "instance");
	for (uint32_t i = 0; i < hearth_device_count(instance) && i < MAX_DEVICES; i++) {
		struct contender *c = &contenders[contender_count++];

		c->properties.struct_size = sizeof(c->properties);
		require(hearth_device_get_properties(instance, i, &c->properties), "properties");
		require(hearth_device_create(instance, i, &c->device), "device");
		require(hearth_stream_create(c->device, &c->stream), "stream");
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		enum hearth_type type;
	} types[] = {
		{ "F32", HEARTH_TYPE_F32 },
		{ "F16", HEARTH_TYPE_F16 },
		{ "Q8_0", HEARTH_TYPE_Q8_0 },
		{ "Q4_0", HEARTH_TYPE_Q4_0 },
	};
	bool all = true, some[3] = { false };

	for (int i = 1; i < argc; i++) {
		static const char *const names[] = { "matmul", "decode", "attention" };

		for (int n = 0; n < 3; n++)
			some[n] |= !strcmp(argv[i], names[n]);
		if (argv[i][0] >= '1' && argv[i][0] <= '9')
			rounds = atoi(argv[i]) < MAX_ROUNDS ? atoi(argv[i]) : MAX_ROUNDS;
		else
			all = false;
	}
	open_all();
	if (all || some[0])
		for (int t = 0; t < 4; t++)
			matmul(types[t].name, types[t].type, 1024, 1024, 1024);
	if (all || some[1]) {
		for (int t = 0; t < 4; t++)
			matmul(types[t].name, types[t].type, 1, 4096, 4096);
		for (int t = 0; t < 4; t++)
			matmul(types[t].name, types[t].type, 8, 1024, 1024);
	}
	if (all || some[2]) {
		for (int t = 0; t < 4; t++)
			attention(2047, 1, 16, 8, 64, types[t].type);
		for (int t = 0; t < 4; t++)
			attention(0, 512, 16, 8, 64, types[t].type);
	}
	return 0;
}
