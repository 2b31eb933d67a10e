// SPDX-License-Identifier: MIT
/* Multiplies on the first device: work is recorded once, and run three times with other numbers. C and C++. */
#include <hearth.h>
#include <stdio.h>

#define CHECK(call)                                                   \
	do {                                                          \
		if ((call) != HEARTH_OK) {                            \
			fprintf(stderr, "%s\n", hearth_last_error()); \
			return 1;                                     \
		}                                                     \
	} while (0)

enum { ROWS = 8, N = 64, K = 32 };

int main(void)
{
	static float weights[N * K], x[ROWS * K], y[ROWS * N];
	struct hearth_instance *instance;
	struct hearth_device *device;
	struct hearth_buffer *w_buffer, *x_buffer, *y_buffer;
	struct hearth_recording *recording;
	struct hearth_stream *stream;

	for (int i = 0; i < N * K; i++)
		weights[i] = (float)(i % 7);
	for (int i = 0; i < ROWS * K; i++)
		x[i] = (float)(i % 5);

	CHECK(hearth_instance_create(NULL, &instance));
	CHECK(hearth_device_create(instance, 0, &device));
	CHECK(hearth_buffer_create(device, sizeof(weights), HEARTH_BUFFER_DEVICE, &w_buffer));
	CHECK(hearth_buffer_create(device, sizeof(x), HEARTH_BUFFER_SHARED, &x_buffer));
	CHECK(hearth_buffer_create(device, sizeof(y), HEARTH_BUFFER_DEVICE, &y_buffer));
	CHECK(hearth_buffer_write(w_buffer, 0, weights, sizeof(weights)));

	const struct hearth_view w_view = { w_buffer, 0, 0 }, x_view = { x_buffer, 0, 0 };
	const struct hearth_view y_view = { y_buffer, 0, 0 }, none = { NULL, 0, 0 };
	const struct hearth_matrix w = { w_view, HEARTH_TYPE_F32, N, K };

	CHECK(hearth_recording_create(device, &recording));
	CHECK(hearth_op_matmul(recording, &w, x_view, none, y_view, ROWS));
	CHECK(hearth_recording_end(recording));

	CHECK(hearth_stream_create(device, &stream));
	for (int step = 0; step < 3; step++) {
		x[0] = (float)step;
		CHECK(hearth_buffer_write(x_buffer, 0, x, sizeof(x)));
		CHECK(hearth_stream_submit(stream, recording));
		CHECK(hearth_stream_wait(stream, UINT64_MAX));
		CHECK(hearth_buffer_read(y_buffer, 0, y, sizeof(y)));
		printf("%g\n", (double)y[1]);
	}

	hearth_stream_destroy(stream);
	hearth_recording_destroy(recording);
	hearth_buffer_destroy(y_buffer);
	hearth_buffer_destroy(x_buffer);
	hearth_buffer_destroy(w_buffer);
	hearth_device_destroy(device);
	hearth_instance_destroy(instance);
	return 0;
}
