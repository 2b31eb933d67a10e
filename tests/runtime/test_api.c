// SPDX-License-Identifier: MIT
/*
 * The device API itself: misuse gives errors with texts and never crashes; recordings replay; kernels of
 * one's own; several streams; copies.
 */
#include "rt_test.h"

#include <math.h>
#include <pthread.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SECOND	     1000000000ull

/* That a call failed with @wanted and that its text contains @text. */
static void expect(enum hearth_status got, enum hearth_status wanted, const char *text,
		   const char *what)
{
	const char *error = hearth_last_error();

	if (!rt_ok(got == wanted && strstr(error, text), "refused: %s", what))
		rt_note("status %d, expected %d; text \"%s\", expected one with \"%s\"", got,
			wanted, error, text);
}

#define INVALID HEARTH_ERROR_INVALID_ARGUMENT

static void test_instances(void)
{
	const char *no_driver[] = { "/nonexistent/driver.so" };
	const char *not_a_driver[] = { "libm.so.6" };
	struct hearth_instance_info info = { .struct_size = sizeof(info) };
	struct hearth_device_properties properties = { .struct_size = sizeof(properties) };
	struct hearth_instance *instance = NULL;
	struct hearth_device *device = NULL;

	expect(hearth_instance_create(NULL, NULL), INVALID, "NULL", "an instance to nowhere");
	info.struct_size = 4;
	expect(hearth_instance_create(&info, &instance), INVALID, "struct_size", "a short info");
	info.struct_size = sizeof(info);
	info.exclusive = true;
	expect(hearth_instance_create(&info, &instance), INVALID, "exclusive",
	       "exclusively nothing");
	info.extra_driver_count = 1;
	expect(hearth_instance_create(&info, &instance), INVALID, "extra_drivers",
	       "drivers without paths");
	info.extra_drivers = no_driver;
	expect(hearth_instance_create(&info, &instance), HEARTH_ERROR_NO_DEVICE, no_driver[0],
	       "a driver that is not there");
	info.extra_drivers = not_a_driver;
	expect(hearth_instance_create(&info, &instance), HEARTH_ERROR_NO_DEVICE,
	       "vk_icdGetInstanceProcAddr", "a library that is no driver");
	rt_ok(!instance, "no instance came of that");

	expect(hearth_device_create(rt_instance, 1000, &device), HEARTH_ERROR_NO_DEVICE, "1000",
	       "device 1000");
	expect(hearth_device_create(NULL, 0, &device), INVALID, "NULL", "a device of no instance");
	expect(hearth_device_get_properties(rt_instance, 1000, &properties), HEARTH_ERROR_NO_DEVICE,
	       "1000", "properties of device 1000");
	properties.struct_size = 0;
	expect(hearth_device_get_properties(rt_instance, 0, &properties), INVALID, "struct_size",
	       "properties without a size");
	rt_ok(hearth_device_count(NULL) == 0, "no instance has no devices");
	rt_ok(!strcmp(hearth_status_string(HEARTH_OK), "ok") &&
		      hearth_status_string(HEARTH_ERROR_TIMEOUT),
	      "statuses have names");
}

static void test_buffers(void)
{
	const uint8_t bytes[7] = { 1, 2, 3, 4, 5, 6, 7 };
	struct hearth_buffer *buffer = NULL;
	uint8_t back[12];
	void *map;

	expect(hearth_buffer_create(rt_device, 0, HEARTH_BUFFER_DEVICE, &buffer), INVALID,
	       "0 bytes", "an empty buffer");
	expect(hearth_buffer_create(NULL, 4, HEARTH_BUFFER_DEVICE, &buffer), INVALID, "NULL",
	       "a buffer of no device");
	expect(hearth_buffer_create(rt_device, 4, (enum hearth_buffer_kind)9, &buffer), INVALID,
	       "kind", "a buffer of unknown kind");
	expect(hearth_buffer_create(rt_device, UINT64_MAX, HEARTH_BUFFER_DEVICE, &buffer),
	       HEARTH_ERROR_OUT_OF_DEVICE_MEMORY, "largest", "a buffer of 2^64 - 1 bytes");
	rt_require(hearth_buffer_create(rt_device, 10, HEARTH_BUFFER_DEVICE, &buffer), "buffer");
	rt_ok(hearth_buffer_bytes(buffer) == 12, "sizes are rounded up to words");
	memset(back, 1, sizeof(back));
	rt_require(hearth_buffer_read(buffer, 0, back, 12), "read");
	rt_ok(!memcmp(back, (uint8_t[12]){ 0 }, 12), "buffers start as zeros");
	expect(hearth_buffer_write(buffer, 6, bytes, 7), INVALID, "of a buffer of 12",
	       "a write past the end");
	expect(hearth_buffer_read(buffer, UINT64_MAX, back, 2), INVALID, "of a buffer of 12",
	       "a read that wraps around");
	expect(hearth_buffer_write(buffer, 0, NULL, 7), INVALID, "NULL", "a write of nothing");
	expect(hearth_buffer_read(NULL, 0, back, 2), INVALID, "NULL", "a read of no buffer");
	rt_require(hearth_buffer_write(buffer, 3, bytes, 7), "write");
	rt_require(hearth_buffer_read(buffer, 4, back, 5), "read");
	rt_ok(!memcmp(back, bytes + 1, 5), "bytes at odd places come back");
	hearth_buffer_destroy(buffer);
	rt_require(hearth_buffer_create(rt_device, 64, HEARTH_BUFFER_SHARED, &buffer), "buffer");
	map = hearth_buffer_map(buffer);
	rt_ok(map != NULL, "shared buffers are mapped");
	if (map) {
		memcpy(map, bytes, 7);
		rt_require(hearth_buffer_read(buffer, 0, back, 7), "read");
		rt_ok(!memcmp(back, bytes, 7), "what is written to the mapping is in the buffer");
	}
	hearth_buffer_destroy(buffer);
	hearth_buffer_destroy(NULL);
	rt_ok(!hearth_buffer_map(NULL) && !hearth_buffer_bytes(NULL), "no buffer, no bytes");
}

/* Buffers of many sizes, some freed in between, keep their own contents. */
static void test_memory(void)
{
	enum { HOW_MANY = 300 };
	static struct hearth_buffer *kept[HOW_MANY];
	uint32_t state = 5;
	bool good = true;

	for (int round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < HOW_MANY; i++) {
			uint64_t words = 1 + rt_random_u32(&state) % (i % 50 ? 3000 : 600000);

			if (kept[i])
				continue;
			if (rt_small)
				words = 1 + words % 64;
			rt_require(hearth_buffer_create(rt_device, 4 * words, HEARTH_BUFFER_DEVICE,
							&kept[i]),
				   "buffer");
			rt_require(hearth_buffer_write(kept[i], 0, &i, 4), "write");
			rt_require(hearth_buffer_write(kept[i], 4 * (words - 1), &i, 4), "write");
		}
		for (uint32_t i = 0; i < HOW_MANY; i++) {
			uint32_t first, last;

			rt_require(hearth_buffer_read(kept[i], 0, &first, 4), "read");
			rt_require(hearth_buffer_read(kept[i], hearth_buffer_bytes(kept[i]) - 4,
						      &last, 4),
				   "read");
			good &= first == i && last == i;
			if (round == 2 || rt_random_u32(&state) % 2) {
				hearth_buffer_destroy(kept[i]);
				kept[i] = NULL;
			}
		}
	}
	rt_ok(good, "%d buffers at a time keep their contents", HOW_MANY);
}

static void test_views(void)
{
	struct hearth_recording *recording = rt_recording();
	struct hearth_view small = rt_buffer(NULL, 64);
	struct hearth_view large = rt_buffer(NULL, 65536);
	struct hearth_view none = { 0 };
	struct hearth_view odd = { large.buffer, 8, 0 };
	struct hearth_view beyond = { large.buffer, 65536, 0 };
	struct hearth_view long_view = { large.buffer, 16, 65536 };
	struct hearth_view wrapping = { large.buffer, 65520, UINT64_MAX - 15 };
	struct hearth_view part = { large.buffer, 16, 32 };
	struct hearth_matrix w = {
		.view = large, .type = HEARTH_TYPE_F32, .rows = 32, .columns = 32
	};
	struct hearth_matrix bad = w;
	struct hearth_kv_cache cache = {
		.keys = large,
		.values = large,
		.type = HEARTH_TYPE_F32,
		.capacity = 16,
		.kv_heads = 2,
		.head_size = 32,
	};
	struct hearth_kv_cache bad_cache = cache;

	expect(hearth_op_add(recording, none, small, small, 4), INVALID, "a has no buffer",
	       "no buffer");
	expect(hearth_op_add(recording, small, odd, small, 4), INVALID, "multiple of 16",
	       "an odd offset");
	expect(hearth_op_add(recording, small, beyond, small, 4), INVALID, "65536",
	       "a view past the end");
	expect(hearth_op_add(recording, small, small, long_view, 4), INVALID, "y is bytes",
	       "a long view");
	expect(hearth_op_add(recording, small, small, wrapping, 4), INVALID, "y is bytes",
	       "a view that wraps around");
	expect(hearth_op_add(recording, large, large, part, 9), INVALID, "36 are needed",
	       "more elements than the view has");
	expect(hearth_op_add(recording, small, small, small, UINT32_MAX), INVALID, "are needed",
	       "2^32 - 1 elements in a small buffer");
	expect(hearth_op_add(recording, small, small, small, 0), INVALID, "0 elements",
	       "no elements");
	expect(hearth_op_add(NULL, small, small, small, 4), INVALID, "recording is NULL",
	       "no recording");
	rt_ok(hearth_op_add(recording, part, part, part, 8) == HEARTH_OK,
	      "a view that fits is taken");

	expect(hearth_op_matmul(recording, NULL, small, none, small, 1), INVALID, "matrix is NULL",
	       "no matrix");
	bad.type = (enum hearth_type)3;
	expect(hearth_op_matmul(recording, &bad, small, none, small, 1), INVALID, "type 3",
	       "an unknown type");
	bad = w;
	bad.type = HEARTH_TYPE_Q8_0;
	bad.columns = 33;
	expect(hearth_op_matmul(recording, &bad, large, none, large, 1), INVALID, "multiple of 32",
	       "a broken block");
	bad = w;
	bad.rows = UINT32_MAX;
	bad.columns = UINT32_MAX;
	expect(hearth_op_matmul(recording, &bad, large, none, large, UINT32_MAX), INVALID,
	       "too large", "a matrix beyond all memory");
	bad = w;
	bad.rows = 0;
	expect(hearth_op_matmul(recording, &bad, large, none, large, 1), INVALID, "0 × 32",
	       "a matrix without rows");
	expect(hearth_op_matmul(recording, &w, small, none, large, 1), INVALID, "x has 64 bytes",
	       "activations that are too few");
	expect(hearth_op_matmul(recording, &w, large, small, large, 1), INVALID,
	       "residual has 64 bytes", "a residual that is too small");
	expect(hearth_op_matmul(recording, &w, large, none, large, UINT32_MAX), INVALID,
	       "are needed", "2^32 - 1 rows");
	expect(hearth_op_matmul(recording, &w, large, none, large, 0), INVALID, "0 rows",
	       "no rows");
	expect(hearth_op_embedding(recording, &w, small, large, 17), INVALID, "tokens has 64 bytes",
	       "more rows than tokens");
	expect(hearth_op_rms_norm(recording, large, small, large, 2, 32, 1e-5f), INVALID,
	       "weight has 64 bytes", "a norm's weight that is too small");
	expect(hearth_op_rms_norm(recording, large, large, large, 2, 32, NAN), INVALID, "epsilon",
	       "an epsilon that is no number");
	expect(hearth_op_rope(recording, large, small, 1, 1, 8, 10, 10000, HEARTH_ROPE_PAIRS),
	       INVALID, "dims 10", "more dims than the head has");
	expect(hearth_op_rope(recording, large, small, 1, 1, 8, 7, 10000, HEARTH_ROPE_PAIRS),
	       INVALID, "dims 7", "odd dims");
	expect(hearth_op_rope(recording, large, small, 1, 1, 8, 8, 0, HEARTH_ROPE_PAIRS), INVALID,
	       "base", "a base of 0");
	expect(hearth_op_rope(recording, large, small, 1, 1, 8, 8, 10000, (enum hearth_rope)2),
	       INVALID, "mode 2", "an unknown way to turn");
	expect(hearth_op_rope(recording, large, small, 1, UINT32_MAX, UINT32_MAX, 8, 10000,
			      HEARTH_ROPE_PAIRS),
	       INVALID, "expected", "heads beyond counting");
	expect(hearth_op_attention(recording, large, NULL, small, large, 1, 2, 1), INVALID,
	       "cache is NULL", "no cache");
	expect(hearth_op_attention(recording, large, &cache, small, large, 1, 3, 1), INVALID,
	       "3 heads", "heads that the key heads do not divide");
	bad_cache.type = HEARTH_TYPE_Q4_K;
	expect(hearth_op_attention(recording, large, &bad_cache, small, large, 1, 2, 1), INVALID,
	       "Q4_K", "a cache of a type that there is none of");
	bad_cache = cache;
	bad_cache.capacity = 1000;
	expect(hearth_op_kv_store(recording, large, large, &bad_cache, small, 1), INVALID,
	       "the cache's keys has 65536", "a cache that is larger than its buffer");
	bad_cache = cache;
	bad_cache.head_size = 512;
	bad_cache.kv_heads = 1;
	expect(hearth_op_attention(recording, large, &bad_cache, small, large, 1, 1, 1),
	       HEARTH_ERROR_UNSUPPORTED, "head sizes up to", "a head of 512");
	expect(hearth_op_argmax(recording, large, small, 17, 32), INVALID, "index has 64 bytes",
	       "more rows than indices");
	rt_ok(hearth_recording_length(recording) == 1, "what was refused is not recorded");
	rt_ok(hearth_row_bytes(HEARTH_TYPE_Q4_0, 64) == 36 &&
		      hearth_row_bytes(HEARTH_TYPE_Q8_0, 64) == 68 &&
		      hearth_row_bytes(HEARTH_TYPE_F16, 3) == 6 &&
		      !hearth_row_bytes(HEARTH_TYPE_Q4_0, 33) &&
		      !hearth_row_bytes((enum hearth_type)5, 32) &&
		      !hearth_row_bytes(HEARTH_TYPE_F32, UINT64_MAX),
	      "bytes of rows");
	hearth_recording_destroy(recording);
	rt_free_buffers();
}

static void test_recordings(void)
{
	struct hearth_recording *recording = rt_recording();
	struct hearth_view x = rt_buffer(NULL, 64);
	struct hearth_view y = rt_buffer(NULL, 64);
	struct hearth_buffer *shared;
	float *map;
	bool good = true;

	expect(hearth_stream_submit(rt_stream, recording), INVALID, "not ended",
	       "an open recording");
	expect(hearth_stream_submit(rt_stream, NULL), INVALID, "NULL", "a submission of nothing");
	expect(hearth_stream_submit(NULL, recording), INVALID, "NULL", "a submission to nowhere");
	expect(hearth_stream_wait(NULL, 0), INVALID, "NULL", "a wait for nothing");
	expect(hearth_record_copy(recording, x, x, 16), INVALID, "overlap", "a copy onto itself");
	expect(hearth_record_copy(recording, x, y, 65), INVALID, "65 are needed",
	       "a copy past the end");
	expect(hearth_record_copy(recording, x, y, 0), INVALID, "0 bytes", "a copy of nothing");
	expect(hearth_record_dispatch(recording, NULL, &x, 1, NULL, 0, 1, 1, 1), INVALID,
	       "kernel is NULL", "a dispatch of no kernel");

	/* y = y + x, five times in one recording, replayed four times with x changed in between. */
	rt_require(hearth_buffer_create(rt_device, 64, HEARTH_BUFFER_SHARED, &shared), "buffer");
	map = hearth_buffer_map(shared);
	x = (struct hearth_view){ shared, 0, 0 };
	for (int i = 0; i < 5; i++)
		rt_require(hearth_op_add(recording, y, x, y, 16), "add");
	rt_require(hearth_recording_end(recording), "end");
	expect(hearth_recording_end(recording), INVALID, "is ended", "a second end");
	expect(hearth_op_add(recording, x, x, y, 16), INVALID, "is ended",
	       "an operation after the end");
	rt_ok(hearth_recording_length(recording) == 5, "five operations recorded");
	for (int run = 1; run <= 4; run++) {
		float got[16];

		for (int i = 0; i < 16; i++)
			map[i] = (float)(i * run);
		rt_require(hearth_stream_submit(rt_stream, recording), "submit");
		rt_require(hearth_stream_wait(rt_stream, 60 * SECOND), "wait");
		rt_read(y, got, sizeof(got));
		for (int i = 0; i < 16; i++)
			good &= got[i] == (float)(5 * i * run * (run + 1) / 2);
	}
	rt_ok(good, "a recording runs again with what the host changed");
	rt_ok(hearth_stream_wait(rt_stream, 0) == HEARTH_OK, "nothing is left to wait for");
	hearth_recording_destroy(recording);
	hearth_buffer_destroy(shared);
	hearth_recording_destroy(NULL);

	recording = rt_recording();
	rt_ok(rt_run(recording) == HEARTH_OK, "an empty recording runs");
	rt_free_buffers();
}

/* Each operation must see the one before: a chain over many buffers, longer than any list in the runtime. */
static void test_order(void)
{
	enum { BUFFERS = 40, LENGTH = 400, N = 1000 };
	struct hearth_recording *recording = rt_recording();
	struct hearth_view views[BUFFERS];
	float *ones = rt_alloc(4 * N);
	float *got = rt_alloc(4 * N);
	double want[BUFFERS];
	bool good = true;
	uint32_t state = 3;

	for (int i = 0; i < N; i++)
		ones[i] = 1;
	for (int i = 0; i < BUFFERS; i++) {
		views[i] = rt_buffer(ones, 4 * N);
		want[i] = 1;
	}
	for (int i = 0; i < LENGTH; i++) {
		uint32_t a = rt_random_u32(&state) % BUFFERS;
		uint32_t b = rt_random_u32(&state) % BUFFERS;
		uint32_t y = rt_random_u32(&state) % BUFFERS;

		if (i % 5 == 4 && a != y) {
			rt_require(hearth_record_copy(recording, views[a], views[y], 4 * N),
				   "copy");
			want[y] = want[a];
		} else if (want[a] + want[b] < 1 << 22) {
			rt_require(hearth_op_add(recording, views[a], views[b], views[y], N),
				   "add");
			want[y] = want[a] + want[b];
		}
	}
	rt_require(rt_run(recording), "run");
	for (int i = 0; i < BUFFERS; i++) {
		rt_read(views[i], got, 4 * N);
		for (int n = 0; n < N; n++)
			good &= got[n] == want[i];
	}
	rt_ok(good, "%d operations on %d buffers see each other in order", LENGTH, BUFFERS);
	free(ones), free(got);
	rt_free_buffers();
}

static const char scale_glsl[] = "#version 450\n"
				 "layout(local_size_x_id = 0) in;\n"
				 "layout(constant_id = 1) const uint OFFSET = 0;\n"
				 "layout(binding = 0) readonly buffer A { float a[]; };\n"
				 "layout(binding = 1) buffer B { float b[]; };\n"
				 "layout(push_constant) uniform P { float factor; uint count; };\n"
				 "void main() {\n"
				 "	uint i = gl_GlobalInvocationID.x;\n"
				 "	if (i < count)\n"
				 "		b[i] = a[i] * factor + float(OFFSET);\n"
				 "}\n";

static void test_kernels(void)
{
	static const uint32_t not_spirv[5] = { 1, 2, 3, 4, 5 };
	enum { N = 1000 };
	const uint32_t spec[] = { 32, 7 };
	struct hearth_kernel_info info = {
		.struct_size = sizeof(info),
		.glsl = scale_glsl,
		.buffer_count = 2,
		.push_bytes = 8,
		.spec_constants = spec,
		.spec_constant_count = 2,
	};
	struct {
		float factor;
		uint32_t count;
	} push = { 3, N };
	float *x = rt_random(N, 9);
	float *got = rt_alloc(4 * N);
	struct hearth_view views[2] = { rt_buffer(x, 4 * N), rt_buffer(NULL, 4 * N) };
	struct hearth_recording *recording = rt_recording();
	struct hearth_kernel *kernel = NULL;
	bool good = true;

	rt_require(hearth_kernel_create(rt_device, &info, &kernel), "kernel");
	expect(hearth_record_dispatch(recording, kernel, views, 1, &push, 8, 1, 1, 1), INVALID,
	       "1 buffers", "too few buffers");
	expect(hearth_record_dispatch(recording, kernel, views, 2, &push, 4, 1, 1, 1), INVALID,
	       "push constant", "too few push constants");
	expect(hearth_record_dispatch(recording, kernel, NULL, 2, &push, 8, 1, 1, 1), INVALID,
	       "buffers", "no buffers");
	expect(hearth_record_dispatch(recording, kernel, views, 2, &push, 8, 0, 1, 1),
	       HEARTH_ERROR_UNSUPPORTED, "0 × 1 × 1", "an empty grid");
	rt_require(
		hearth_record_dispatch(recording, kernel, views, 2, &push, 8, (N + 31) / 32, 1, 1),
		"dispatch");
	rt_require(rt_run(recording), "run");
	rt_read(views[1], got, 4 * N);
	for (int i = 0; i < N; i++)
		good &= fabsf(got[i] - (x[i] * 3 + 7)) < 1e-5f;
	rt_ok(good, "a kernel from GLSL with specialization and push constants");
	hearth_kernel_destroy(kernel);
	hearth_kernel_destroy(NULL);

	info.glsl = "#version 450\nvoid main() { nonsense; }\n";
	expect(hearth_kernel_create(rt_device, &info, &kernel), HEARTH_ERROR_COMPILE, "nonsense",
	       "GLSL with a mistake");
	info.glsl = NULL;
	expect(hearth_kernel_create(rt_device, &info, &kernel), INVALID, "exactly one",
	       "no source");
	info.spirv = not_spirv;
	info.spirv_bytes = sizeof(not_spirv);
	expect(hearth_kernel_create(rt_device, &info, &kernel), HEARTH_ERROR_COMPILE, "no SPIR-V",
	       "words that are no SPIR-V");
	info.spirv = NULL;
	info.glsl = scale_glsl;
	info.buffer_count = 100;
	expect(hearth_kernel_create(rt_device, &info, &kernel), INVALID, "100 buffers",
	       "100 buffers");
	info.buffer_count = 2;
	info.push_bytes = 100000;
	expect(hearth_kernel_create(rt_device, &info, &kernel), INVALID, "push constant",
	       "too many push constants");
	info.push_bytes = 8;
	info.subgroup_size = 3;
	expect(hearth_kernel_create(rt_device, &info, &kernel), HEARTH_ERROR_UNSUPPORTED,
	       "subgroup size 3", "a subgroup size of 3");
	info.subgroup_size = 0;
	info.struct_size = 8;
	expect(hearth_kernel_create(rt_device, &info, &kernel), INVALID, "struct_size",
	       "a short info");
	rt_ok(!kernel || good, "the device still serves");
	free(x), free(got);
	rt_free_buffers();
}

/* ---- Several threads with a stream each ---- */

enum { THREADS = 4, ROUNDS = 25, WIDTH = 512 };

static void *stream_thread(void *argument)
{
	struct hearth_recording *recording = NULL;
	struct hearth_buffer *sum = NULL, *one = NULL;
	struct hearth_stream *stream = NULL;
	float values[WIDTH];
	bool good = true;

	for (int i = 0; i < WIDTH; i++)
		values[i] = 1;
	good &= !hearth_buffer_create(rt_device, sizeof(values), HEARTH_BUFFER_DEVICE, &sum) &&
		!hearth_buffer_create(rt_device, sizeof(values), HEARTH_BUFFER_DEVICE, &one) &&
		!hearth_stream_create(rt_device, &stream) &&
		!hearth_recording_create(rt_device, &recording) &&
		!hearth_buffer_write(one, 0, values, sizeof(values));
	if (good) {
		struct hearth_view sum_view = { sum, 0, 0 };
		struct hearth_view one_view = { one, 0, 0 };

		good &= !hearth_op_add(recording, sum_view, one_view, sum_view, WIDTH) &&
			!hearth_recording_end(recording);
		for (int i = 0; i < ROUNDS && good; i++)
			good &= !hearth_stream_submit(stream, recording) &&
				!hearth_stream_wait(stream, 60 * SECOND);
		good &= !hearth_buffer_read(sum, 0, values, sizeof(values));
		for (int i = 0; i < WIDTH; i++)
			good &= values[i] == ROUNDS;
	}
	hearth_stream_destroy(stream);
	hearth_recording_destroy(recording);
	hearth_buffer_destroy(one);
	hearth_buffer_destroy(sum);
	*(bool *)argument = good;
	return NULL;
}

static void test_streams(void)
{
	pthread_t threads[THREADS];
	bool results[THREADS] = { 0 };
	bool good = true;

	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, stream_thread, &results[i]))
			rt_require(HEARTH_ERROR_OUT_OF_MEMORY, "thread");
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		good &= results[i];
	}
	rt_ok(good, "%d threads with a stream each, %d submissions each", THREADS, ROUNDS);
}

int main(void)
{
	rt_open();
	test_instances();
	test_buffers();
	test_memory();
	test_views();
	test_recordings();
	test_order();
	test_kernels();
	test_streams();
	rt_close();
	return rt_done();
}
