// SPDX-License-Identifier: MIT
/*
 * The common part of the runtime's tests.
 */
#include "rt_test.h"

#include <math.h>
#include <stdarg.h>

struct hearth_instance *rt_instance;
struct hearth_device *rt_device;
struct hearth_stream *rt_stream;
struct hearth_device_properties rt_properties;
bool rt_small;

static int test_count;
static int fail_count;
static int message_count;
static struct hearth_buffer *buffers[64];
static int buffer_count;

/* ---- TAP ---- */

bool rt_ok(bool passed, const char *format, ...)
{
	va_list arguments;

	test_count++;
	fail_count += !passed;
	printf("%sok %d - ", passed ? "" : "not ", test_count);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
	fflush(stdout);
	return passed;
}

void rt_note(const char *format, ...)
{
	va_list arguments;

	printf("# ");
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
}

void rt_require(enum hearth_status status, const char *what)
{
	if (status == HEARTH_OK)
		return;
	printf("Bail out! %s: %s: %s\n", what, hearth_status_string(status), hearth_last_error());
	exit(1);
}

int rt_done(void)
{
	rt_ok(message_count == 0, "no messages of the driver or of layers (%d)", message_count);
	printf("1..%d\n", test_count);
	return fail_count != 0;
}

/* ---- The device ---- */

static void on_message(void *user, const char *message)
{
	(void)user;
	/* What Mesa says of lavapipe, and the loader of its environment, on every start is no finding. */
	if (strstr(message, "not a conformant") || strstr(message, "testing use only") ||
	    strstr(message, "env var"))
		return;
	message_count++;
	rt_note("message: %.600s", message);
}

static uint32_t choose_device(void)
{
	const char *wanted = getenv("HEARTH_TEST_DEVICE");
	uint32_t count = hearth_device_count(rt_instance);
	char *end;
	uint32_t number;

	if (!wanted || !*wanted)
		return 0;
	number = (uint32_t)strtoul(wanted, &end, 10);
	if (!*end)
		return number;
	for (uint32_t i = 0; i < count; i++) {
		struct hearth_device_properties p = { .struct_size = sizeof(p) };

		if (hearth_device_get_properties(rt_instance, i, &p) == HEARTH_OK &&
		    strstr(p.name, wanted))
			return i;
	}
	printf("Bail out! none of %u devices is called %s\n", count, wanted);
	exit(1);
}

void rt_open(void)
{
	const char *driver = getenv("HEARTH_TEST_DRIVER");
	const struct hearth_instance_info info = {
		.struct_size = sizeof(info),
		.extra_driver_count = driver && *driver ? 1 : 0,
		.extra_drivers = &driver,
		.exclusive = driver && *driver,
		.log = on_message,
	};
	uint32_t index;

	printf("TAP version 13\n");
	rt_small = getenv("HEARTH_TEST_SMALL") != NULL;
	rt_require(hearth_instance_create(&info, &rt_instance), "instance");
	index = choose_device();
	rt_properties.struct_size = sizeof(rt_properties);
	rt_require(hearth_device_get_properties(rt_instance, index, &rt_properties), "properties");
	rt_note("device %u: %s (%s), subgroups of %u, %u KiB of shared memory", index,
		rt_properties.name, rt_properties.driver, rt_properties.subgroup_size,
		rt_properties.shared_memory_bytes / 1024);
	rt_require(hearth_device_create(rt_instance, index, &rt_device), "device");
	rt_require(hearth_stream_create(rt_device, &rt_stream), "stream");
}

void rt_close(void)
{
	rt_free_buffers();
	hearth_stream_destroy(rt_stream);
	hearth_device_destroy(rt_device);
	hearth_instance_destroy(rt_instance);
}

/* ---- Buffers ---- */

struct hearth_view rt_buffer(const void *data, uint64_t bytes)
{
	struct hearth_buffer *buffer;

	if (buffer_count == (int)(sizeof(buffers) / sizeof(buffers[0]))) {
		printf("Bail out! too many buffers in one test\n");
		exit(1);
	}
	rt_require(hearth_buffer_create(rt_device, bytes, HEARTH_BUFFER_DEVICE, &buffer), "buffer");
	buffers[buffer_count++] = buffer;
	if (data)
		rt_require(hearth_buffer_write(buffer, 0, data, bytes), "write");
	return (struct hearth_view){ buffer, 0, 0 };
}

void rt_free_buffers(void)
{
	while (buffer_count)
		hearth_buffer_destroy(buffers[--buffer_count]);
}

void rt_read(struct hearth_view view, void *data, uint64_t bytes)
{
	rt_require(hearth_buffer_read(view.buffer, view.offset, data, bytes), "read");
}

struct hearth_view rt_step(uint32_t position)
{
	const struct hearth_step step = { .position = position };

	return rt_buffer(&step, sizeof(step));
}

struct hearth_recording *rt_recording(void)
{
	struct hearth_recording *recording;

	rt_require(hearth_recording_create(rt_device, &recording), "recording");
	return recording;
}

enum hearth_status rt_run(struct hearth_recording *recording)
{
	enum hearth_status status = hearth_recording_end(recording);

	if (status == HEARTH_OK)
		status = hearth_stream_submit(rt_stream, recording);
	if (status == HEARTH_OK)
		status = hearth_stream_wait(rt_stream, 600ull * 1000000000);
	hearth_recording_destroy(recording);
	return status;
}

/* ---- Data ---- */

void *rt_alloc(uint64_t bytes)
{
	void *memory = calloc(1, bytes ? bytes : 1);

	if (!memory) {
		printf("Bail out! out of memory\n");
		exit(1);
	}
	return memory;
}

uint32_t rt_random_u32(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state ^ (*state >> 16);
}

float *rt_random(uint64_t count, uint32_t seed)
{
	float *values = rt_alloc(4 * count);
	uint32_t state = seed * 2654435761u + 1;

	for (uint64_t i = 0; i < count; i++)
		values[i] = (float)(int32_t)rt_random_u32(&state) / 2147483648.0f;
	return values;
}

double *rt_doubles(const float *values, uint64_t count)
{
	double *out = rt_alloc(8 * count);

	for (uint64_t i = 0; i < count; i++)
		out[i] = values[i];
	return out;
}

void *rt_weights(enum hearth_type type, uint32_t rows, uint32_t columns, uint32_t seed)
{
	uint64_t row_bytes = ref_row_bytes(type, columns);
	float *values = rt_random((uint64_t)rows * columns, seed);
	uint8_t *out = rt_alloc(row_bytes * rows);

	for (uint32_t r = 0; r < rows; r++)
		ref_quantise_row(values + (uint64_t)r * columns, type, columns,
				 out + r * row_bytes);
	free(values);
	return out;
}

const char *rt_type_name(enum hearth_type type)
{
	switch (type) {
	case HEARTH_TYPE_F32:
		return "F32";
	case HEARTH_TYPE_F16:
		return "F16";
	case HEARTH_TYPE_Q8_0:
		return "Q8_0";
	case HEARTH_TYPE_Q4_0:
		return "Q4_0";
	case HEARTH_TYPE_BF16:
		return "BF16";
	case HEARTH_TYPE_Q4_K:
		return "Q4_K";
	case HEARTH_TYPE_Q5_K:
		return "Q5_K";
	case HEARTH_TYPE_Q6_K:
		return "Q6_K";
	case HEARTH_TYPE_IQ4_NL:
		return "IQ4_NL";
	case HEARTH_TYPE_MXFP4:
		return "MXFP4";
	case HEARTH_TYPE_Q4_0_TILES:
		return "Q4_0 in tiles";
	case HEARTH_TYPE_Q8_0_TILES:
		return "Q8_0 in tiles";
	}
	return "?";
}

bool rt_close_enough(const float *got, const double *want, const double *magnitude, uint64_t count,
		     double tolerance, double floor_magnitude)
{
	double worst = 0;
	uint64_t at = 0;

	for (uint64_t i = 0; i < count; i++) {
		double scale = fabs(magnitude ? magnitude[i] : want[i]) + floor_magnitude;
		double error = fabs(got[i] - want[i]) / (scale > 0 ? scale : 1e-300);

		if (got[i] == want[i])
			error = 0;
		if (!(error <= worst)) { /* NaN is the worst */
			worst = error;
			at = i;
			if (isnan(error))
				break;
		}
	}
	if (worst <= tolerance)
		return true;
	rt_note("element %llu of %llu: got %.9g, expected %.9g: error %.3g of the scale, allowed "
		"%.3g",
		(unsigned long long)at, (unsigned long long)count, (double)got[at], want[at], worst,
		tolerance);
	return false;
}
