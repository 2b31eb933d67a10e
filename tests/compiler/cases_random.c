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
#define U64(x) ((uint64_t)(x))

static const uint32_t *uniform_words;
static uint32_t group, mine;

#define UNIFORM(k) uniform_words[k]
#define GROUP	   group
#define MINE	   mine
#define BARRIER	   (void)0

#define ALL(X)                                                                                \
	X(0)                                                                                  \
	X(1)                                                                                  \
	X(2)                                                                                  \
	X(3)                                                                                  \
	X(4)                                                                                  \
	X(5)                                                                                  \
	X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16) X(17) X(18) X(19) X(20) \
		X(21) X(22) X(23)

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
#undef compute
#define compute compute_random_1
#include "random_1.h"
#undef compute
#define compute compute_random_2
#include "random_2.h"
#undef compute
#define compute compute_random_3
#include "random_3.h"
#undef compute
#define compute compute_random_4
#include "random_4.h"
#undef compute
#define compute compute_random_5
#include "random_5.h"
#undef compute
#define compute compute_random_6
#include "random_6.h"
#undef compute
#define compute compute_random_7
#include "random_7.h"
#undef compute
#define compute compute_random_8
#include "random_8.h"
#undef compute
#define compute compute_random_9
#include "random_9.h"
#undef compute
#define compute compute_random_10
#include "random_10.h"
#undef compute
#define compute compute_random_11
#include "random_11.h"
#undef compute
#define compute compute_random_12
#include "random_12.h"
#undef compute
#define compute compute_random_13
#include "random_13.h"
#undef compute
#define compute compute_random_14
#include "random_14.h"
#undef compute
#define compute compute_random_15
#include "random_15.h"
#undef compute
#define compute compute_random_16
#include "random_16.h"
#undef compute
#define compute compute_random_17
#include "random_17.h"
#undef compute
#define compute compute_random_18
#include "random_18.h"
#undef compute
#define compute compute_random_19
#include "random_19.h"
#undef compute
#define compute compute_random_20
#include "random_20.h"
#undef compute
#define compute compute_random_21
#include "random_21.h"
#undef compute
#define compute compute_random_22
#include "random_22.h"
#undef compute
#define compute compute_random_23
#include "random_23.h"
#undef compute

#define LOCAL	    32u
#define INVOCATIONS (3 * LOCAL)

#define EXPECT(k)                                                                              \
	static void expect_##k(struct run *r)                                                  \
	{                                                                                      \
		uniform_words = WORDS(r, 2);                                                   \
		for (uint32_t i = 0; i < INVOCATIONS; i++) {                                   \
			group = i / LOCAL;                                                     \
			WANT(r, 0)[i] = compute_random_##k(i, WORDS(r, 1)[i], WORDS(r, 2)[i]); \
		}                                                                              \
	}
ALL(EXPECT)

#define CASE(k)                                                                \
	{ .name = "random_" #k,                                                \
	  .local = { LOCAL, 1, 1 },                                            \
	  .groups = { INVOCATIONS / LOCAL, 1, 1 },                             \
	  .buffers = { { INVOCATIONS * 4, 0, 0, HC_BINDING_STORAGE_BUFFER },   \
		       { INVOCATIONS * 4, 0, 1, HC_BINDING_STORAGE_BUFFER },   \
		       { INVOCATIONS * 4, 0, 2, HC_BINDING_STORAGE_BUFFER } }, \
	  .expect = expect_##k },
static const struct shader_case cases[] = { ALL(CASE) };

const struct case_list random_cases = { cases, sizeof(cases) / sizeof(cases[0]) };
