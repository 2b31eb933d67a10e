/* SPDX-License-Identifier: MIT */
/*
 * What the runtime's tests share: TAP, a device, data, and comparison with the float64 reference.
 *
 * HEARTH_TEST_DEVICE: the device's number or a part of its name; default 0.
 * HEARTH_TEST_DRIVER: path of a Vulkan driver library to load instead of those that the loader finds.
 * HEARTH_TEST_SMALL: if set, small shapes only, for devices in emulation.
 */
#ifndef RT_TEST_H
#define RT_TEST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hearth.h"
#include "ref_ops.h"

/* ---- TAP ---- */

/* One result; the text says what was tested. Returns @passed. */
bool rt_ok(bool passed, const char *format, ...) __attribute__((format(printf, 2, 3)));
void rt_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Ends the test now, with a failure, for things that nothing can go on without. */
void rt_require(enum hearth_status status, const char *what);
/* Prints the plan; to be returned from main(). Messages of the driver and of layers count as a failure. */
int rt_done(void);

/* ---- The device ---- */

extern struct hearth_instance *rt_instance;
extern struct hearth_device *rt_device;
extern struct hearth_stream *rt_stream;
extern struct hearth_device_properties rt_properties;
extern bool rt_small;

void rt_open(void);
void rt_close(void);

/* ---- Buffers ---- */

/* A new buffer with a copy of @data (NULL: zeros); freed by rt_free_buffers(). */
struct hearth_view rt_buffer(const void *data, uint64_t bytes);
void rt_free_buffers(void);
void rt_read(struct hearth_view view, void *data, uint64_t bytes);
/* A buffer that holds the step. */
struct hearth_view rt_step(uint32_t position);

/* Ends, runs, waits for and destroys a recording. */
enum hearth_status rt_run(struct hearth_recording *recording);
struct hearth_recording *rt_recording(void);

/* ---- Data ---- */

void *rt_alloc(uint64_t bytes);
/* The same numbers on every machine. In [-1, 1). */
float *rt_random(uint64_t count, uint32_t seed);
uint32_t rt_random_u32(uint32_t *state);
double *rt_doubles(const float *values, uint64_t count);
/* Weights of @type from random numbers. */
void *rt_weights(enum hearth_type type, uint32_t rows, uint32_t columns, uint32_t seed);
const char *rt_type_name(enum hearth_type type);

/*
 * Whether every |got - want| ≤ tolerance · (magnitude + floor); says which is worst. @magnitude NULL: |want|.
 */
bool rt_close_enough(const float *got, const double *want, const double *magnitude, uint64_t count,
		     double tolerance, double floor_magnitude);

#endif /* RT_TEST_H */
