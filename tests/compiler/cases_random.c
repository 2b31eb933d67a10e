// SPDX-License-Identifier: MIT
/* Random control flow: what random_shader.py wrote, compiled here as C, says what the shaders must compute. */
#include <stdbool.h>
#include <stdint.h>

#include "harness.h"

typedef uint32_t uint;

#define U8(x)  ((uint8_t)(x))
#define I8(x)  ((int8_t)(x))
#define U16(x) ((uint16_t)(x))
#define I16(x) ((int16_t)(x))
#define U32(x) ((uint32_t)(x))
#define I32(x) ((int32_t)(x))
#define I64(x) ((int64_t)(x))
#define U64(x) ((uint64_t)(x))

static const uint32_t *uniform_words, *words;
static uint32_t group, number, mine;

#define UNIFORM(k) uniform_words[k]
#define A(k)	   words[k]
#define GROUP	   group
#define I	   (group * (LOCAL_X * LOCAL_Y) + number)
#define LID	   number
#define LX	   (number % LOCAL_X)
#define LY	   (number / LOCAL_X)
#define MINE	   mine
#define BARRIER	   (void)0

#define LOW(X)	   X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#define HIGH(X)	   X(12) X(13) X(14) X(15) X(16) X(17) X(18) X(19) X(20) X(21) X(22) X(23)
#define ALL(X)	   LOW(X) HIGH(X)

#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wimplicit-fallthrough"
#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wunused-but-set-variable"
#pragma GCC diagnostic ignored "-Wswitch-unreachable"
#pragma GCC diagnostic ignored "-Wtype-limits"
#pragma GCC diagnostic ignored "-Wtautological-compare"
#pragma GCC diagnostic ignored "-Wdiv-by-zero"
#define compute compute_random_0
#include "random_0.h"
enum { x_0 = LOCAL_X, y_0 = LOCAL_Y };
#undef compute
#undef LOCAL_X
#undef LOCAL_Y
#define compute compute_random_1
#include "random_1.h"
enum { x_1 = LOCAL_X, y_1 = LOCAL_Y };
#undef compute
#undef LOCAL_X
#undef LOCAL_Y
#define compute compute_random_2
#include "random_2.h"
enum { x_2 = LOCAL_X, y_2 = LOCAL_Y };
#undef compute
#undef LOCAL_X
#undef LOCAL_Y
#define compute compute_random_3
#include "random_3.h"
enum { x_3 = LOCAL_X, y_3 = LOCAL_Y };
#undef compute
#undef LOCAL_X
#undef LOCAL_Y
#define compute compute_random_4
#include "random_4.h"
enum { x_4 = LOCAL_X, y_4 = LOCAL_Y };
#undef compute
#undef LOCAL_X
#undef LOCAL_Y
#define compute compute_random_5
#include "random_5.h"
enum { x_5 = LOCAL_X, y_5 = LOCAL_Y };
#undef compute
#undef LOCAL_X
#undef LOCAL_Y
#define compute compute_random_6
#include "random_6.h"
enum { x_6 = LOCAL_X, y_6 = LOCAL_Y };
#undef compute
#undef LOCAL_X
#undef LOCAL_Y
#define compute compute_random_7
#include "random_7.h"
enum { x_7 = LOCAL_X, y_7 = LOCAL_Y };
#undef compute
#undef LOCAL_X
#undef LOCAL_Y
#define compute compute_random_8
#include "random_8.h"
enum { x_8 = LOCAL_X, y_8 = LOCAL_Y };
#undef compute
#undef LOCAL_X
#undef LOCAL_Y
#define compute compute_random_9
#include "random_9.h"
enum { x_9 = LOCAL_X, y_9 = LOCAL_Y };
#undef compute
#undef LOCAL_X
#undef LOCAL_Y
#define compute compute_random_10
#include "random_10.h"
enum { x_10 = LOCAL_X, y_10 = LOCAL_Y };
#undef compute
#undef LOCAL_X
#undef LOCAL_Y
#define compute compute_random_11
#include "random_11.h"
enum { x_11 = LOCAL_X, y_11 = LOCAL_Y };
#undef compute
#undef LOCAL_X
#undef LOCAL_Y
#define compute compute_random_12
#include "random_12.h"
enum { x_12 = LOCAL_X, y_12 = LOCAL_Y };
#undef compute
#undef LOCAL_X
#undef LOCAL_Y
#define compute compute_random_13
#include "random_13.h"
enum { x_13 = LOCAL_X, y_13 = LOCAL_Y };
#undef compute
#undef LOCAL_X
#undef LOCAL_Y
#define compute compute_random_14
#include "random_14.h"
enum { x_14 = LOCAL_X, y_14 = LOCAL_Y };
#undef compute
#undef LOCAL_X
#undef LOCAL_Y
#define compute compute_random_15
#include "random_15.h"
enum { x_15 = LOCAL_X, y_15 = LOCAL_Y };
#undef compute
#undef LOCAL_X
#undef LOCAL_Y
#define compute compute_random_16
#include "random_16.h"
enum { x_16 = LOCAL_X, y_16 = LOCAL_Y };
#undef compute
#undef LOCAL_X
#undef LOCAL_Y
#define compute compute_random_17
#include "random_17.h"
enum { x_17 = LOCAL_X, y_17 = LOCAL_Y };
#undef compute
#undef LOCAL_X
#undef LOCAL_Y
#define compute compute_random_18
#include "random_18.h"
enum { x_18 = LOCAL_X, y_18 = LOCAL_Y };
#undef compute
#undef LOCAL_X
#undef LOCAL_Y
#define compute compute_random_19
#include "random_19.h"
enum { x_19 = LOCAL_X, y_19 = LOCAL_Y };
#undef compute
#undef LOCAL_X
#undef LOCAL_Y
#define compute compute_random_20
#include "random_20.h"
enum { x_20 = LOCAL_X, y_20 = LOCAL_Y };
#undef compute
#undef LOCAL_X
#undef LOCAL_Y
#define compute compute_random_21
#include "random_21.h"
enum { x_21 = LOCAL_X, y_21 = LOCAL_Y };
#undef compute
#undef LOCAL_X
#undef LOCAL_Y
#define compute compute_random_22
#include "random_22.h"
enum { x_22 = LOCAL_X, y_22 = LOCAL_Y };
#undef compute
#undef LOCAL_X
#undef LOCAL_Y
#define compute compute_random_23
#include "random_23.h"
enum { x_23 = LOCAL_X, y_23 = LOCAL_Y };
#undef compute
#undef LOCAL_X
#undef LOCAL_Y

#define MAX_LOCAL 64
#define GROUPS	  3

static void expect(struct run *r, uint32_t local, uint (*compute)(uint i, uint a, uint b))
{
	uniform_words = WORDS(r, 2);
	words = WORDS(r, 1);
	for (uint32_t i = 0; i < GROUPS * local; i++) {
		group = i / local;
		number = i % local;
		WANT(r, 0)[i] = compute(i, WORDS(r, 1)[i], WORDS(r, 2)[i]);
	}
}

#define EXPECT(k)                                            \
	static void expect_##k(struct run *r)                \
	{                                                    \
		expect(r, x_##k *y_##k, compute_random_##k); \
	}
ALL(EXPECT)

#define CASE(k)                                                                         \
	{ .name = "random_" #k,                                                         \
	  .local = { x_##k, y_##k, 1 },                                                 \
	  .groups = { GROUPS, 1, 1 },                                                   \
	  .buffers = { { GROUPS * x_##k * y_##k * 4, 0, 0, HC_BINDING_STORAGE_BUFFER }, \
		       { GROUPS * MAX_LOCAL * 4, 0, 1, HC_BINDING_STORAGE_BUFFER },     \
		       { GROUPS * MAX_LOCAL * 4, 0, 2, HC_BINDING_STORAGE_BUFFER } },   \
	  .expect = expect_##k },
static const struct shader_case cases[] = { ALL(CASE) };

const struct case_list random_cases = { cases, sizeof(cases) / sizeof(cases[0]) };
