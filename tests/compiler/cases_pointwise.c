// SPDX-License-Identifier: MIT
/*
 * Control flow and integer arithmetic: the function of each shader is compiled here as C, which
 * says what it must compute.
 */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "harness.h"

typedef uint32_t uint;

#define U8(x)  ((uint8_t)(x))
#define I8(x)  ((int8_t)(x))
#define U16(x) ((uint16_t)(x))
#define I16(x) ((int16_t)(x))
#define U32(x) ((uint32_t)(x))
#define I32(x) ((int32_t)(x))
#define U64(x) ((uint64_t)(x))
#define I64(x) ((int64_t)(x))
#define F32(x) ((float)(x))
#define F64(x) ((double)(x))

static inline int bitCount(uint x)
{
	return __builtin_popcount(x);
}

static inline int msb_unsigned(uint x)
{
	return x ? 31 - __builtin_clz(x) : -1;
}

static inline int msb_signed(int x)
{
	return msb_unsigned(x < 0 ? ~(uint)x : (uint)x);
}
#define findMSB(x) _Generic((x), int: msb_signed, default: msb_unsigned)(x)

static inline int findLSB(uint x)
{
	return x ? __builtin_ctz(x) : -1;
}

static inline uint bitfieldReverse(uint x)
{
	uint r = 0;

	for (int i = 0; i < 32; i++)
		r |= (x >> i & 1) << (31 - i);
	return r;
}

static inline uint extract_unsigned(uint x, int offset, int bits)
{
	return bits ? (uint)(x >> offset) & (uint)((1ull << bits) - 1) : 0;
}

static inline int extract_signed(int x, int offset, int bits)
{
	uint v = extract_unsigned(x, offset, bits);

	return bits ? (int)(v << (32 - bits)) >> (32 - bits) : 0;
}
#define bitfieldExtract(x, o, n) \
	_Generic((x), int: extract_signed, default: extract_unsigned)(x, o, n)

static inline uint bitfieldInsert(uint base, uint insert, int offset, int bits)
{
	uint mask = (uint)((1ull << bits) - 1) << offset;

	return (base & ~mask) | (insert << offset & mask);
}

static inline uint floatBitsToUint(float f)
{
	uint u;

	memcpy(&u, &f, sizeof(u));
	return u;
}

#define max(a, b)	 fmaxf(a, b)
#define min(a, b)	 fminf(a, b)
#define abs(a)		 fabsf(a)
#define clamp(a, lo, hi) fminf(fmaxf(a, lo), hi)
#define floor(a)	 floorf(a)
#define ceil(a)		 ceilf(a)
#define trunc(a)	 truncf(a)
#define roundEven(a)	 rintf(a)
#define sign(a)		 ((a) > 0 ? 1.0f : (a) < 0 ? -1.0f : 0.0f)
#define fract(a)	 ((a) - floorf(a))

#define ALL(X)            \
	X(int32)          \
	X(int64)          \
	X(int16)          \
	X(int8)           \
	X(convert)        \
	X(bits)           \
	X(branch)         \
	X(loop)           \
	X(break_continue) \
	X(switch)         \
	X(switch_loop)    \
	X(early_return)   \
	X(nested_loops)   \
	X(calls)          \
	X(local_array)    \
	X(tables)         \
	X(collatz)        \
	X(fibonacci)      \
	X(uniform_loop)   \
	X(hash)           \
	X(float32)        \
	X(float64)

#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wimplicit-fallthrough"
#pragma GCC diagnostic ignored "-Wsign-compare"
#define compute compute_int32
#include "shaders/int32.h"
#undef compute
#define compute compute_int64
#include "shaders/int64.h"
#undef compute
#define compute compute_int16
#include "shaders/int16.h"
#undef compute
#define compute compute_int8
#include "shaders/int8.h"
#undef compute
#define compute compute_convert
#include "shaders/convert.h"
#undef compute
#define compute compute_bits
#include "shaders/bits.h"
#undef compute
#define compute compute_branch
#include "shaders/branch.h"
#undef compute
#define compute compute_loop
#include "shaders/loop.h"
#undef compute
#define compute compute_break_continue
#include "shaders/break_continue.h"
#undef compute
#define compute compute_switch
#include "shaders/switch.h"
#undef compute
#define compute compute_switch_loop
#include "shaders/switch_loop.h"
#undef compute
#define compute compute_early_return
#include "shaders/early_return.h"
#undef compute
#define compute compute_nested_loops
#include "shaders/nested_loops.h"
#undef compute
#define compute compute_calls
#include "shaders/calls.h"
#undef compute
#define compute compute_local_array
#include "shaders/local_array.h"
#undef compute
#define compute compute_tables
#include "shaders/tables.h"
#undef compute
#define compute compute_collatz
#include "shaders/collatz.h"
#undef compute
#define compute compute_fibonacci
#include "shaders/fibonacci.h"
#undef compute
#define compute compute_uniform_loop
#include "shaders/uniform_loop.h"
#undef compute
#define compute compute_hash
#include "shaders/hash.h"
#undef compute
#define compute compute_float32
#include "shaders/float32.h"
#undef compute
#define compute compute_float64
#include "shaders/float64.h"
#undef compute

#define INVOCATIONS 96u

#define EXPECT(name)                                                                       \
	static void expect_##name(struct run *r)                                           \
	{                                                                                  \
		for (uint32_t i = 0; i < INVOCATIONS; i++)                                 \
			WANT(r, 0)[i] = compute_##name(i, WORDS(r, 1)[i], WORDS(r, 2)[i]); \
	}
ALL(EXPECT)

#define CASE(n)                                                                \
	{ .name = #n,                                                          \
	  .local = { 32, 1, 1 },                                               \
	  .groups = { INVOCATIONS / 32, 1, 1 },                                \
	  .buffers = { { INVOCATIONS * 4, 0, 0, HC_BINDING_STORAGE_BUFFER },   \
		       { INVOCATIONS * 4, 0, 1, HC_BINDING_STORAGE_BUFFER },   \
		       { INVOCATIONS * 4, 0, 2, HC_BINDING_STORAGE_BUFFER } }, \
	  .expect = expect_##n },
static const struct shader_case cases[] = { ALL(CASE) };

const struct case_list pointwise_cases = { cases, sizeof(cases) / sizeof(cases[0]) };
