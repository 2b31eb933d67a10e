// SPDX-License-Identifier: MIT
/*
 * The machines that code is made for. A target is plain data, so it can be part of a cache key as it is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <llvm-c/Core.h>
#include <llvm-c/TargetMachine.h>

#include "hc_codegen.h"
#include "hc_math.h"

#define RISCV_MIN_VLEN	       128
#define RISCV_MAX_VLEN	       1024
#define RISCV_VECTOR_REGISTERS 32

/* Subgroup sizes below 8 buy nothing, above 32 they only spill; kernels hold a value in up to four registers. */
#define MIN_SUBGROUP	       8
#define MAX_SUBGROUP	       32

/*
 * The x86 features that instruction selection for kernels depends on, in the order in which they go into
 * the feature string. @level: the smallest isa that may have it.
 */
enum x86_level { LEVEL_BASE, LEVEL_AVX2, LEVEL_AVX512 };

static const struct {
	const char *name;
	enum x86_level level;
} x86_features[] = {
	{ "cx16", LEVEL_BASE },
	{ "sahf", LEVEL_BASE },
	{ "sse3", LEVEL_BASE },
	{ "ssse3", LEVEL_BASE },
	{ "sse4.1", LEVEL_BASE },
	{ "sse4.2", LEVEL_BASE },
	{ "popcnt", LEVEL_BASE },
	{ "movbe", LEVEL_BASE },
	{ "bmi", LEVEL_AVX2 },
	{ "bmi2", LEVEL_AVX2 },
	{ "lzcnt", LEVEL_AVX2 },
	{ "avx", LEVEL_AVX2 },
	{ "avx2", LEVEL_AVX2 },
	{ "fma", LEVEL_AVX2 },
	{ "f16c", LEVEL_AVX2 },
	{ "avxvnni", LEVEL_AVX2 },
	{ "gfni", LEVEL_AVX2 },
	{ "evex512", LEVEL_AVX512 },
	{ "avx512f", LEVEL_AVX512 },
	{ "avx512bw", LEVEL_AVX512 },
	{ "avx512cd", LEVEL_AVX512 },
	{ "avx512dq", LEVEL_AVX512 },
	{ "avx512vl", LEVEL_AVX512 },
	{ "avx512vbmi", LEVEL_AVX512 },
	{ "avx512vbmi2", LEVEL_AVX512 },
	{ "avx512vnni", LEVEL_AVX512 },
	{ "avx512bitalg", LEVEL_AVX512 },
	{ "avx512ifma", LEVEL_AVX512 },
	{ "avx512vpopcntdq", LEVEL_AVX512 },
	{ "avx512bf16", LEVEL_AVX512 },
	{ "avx512fp16", LEVEL_AVX512 },
	{ "amx-tile", LEVEL_AVX512 },
	{ "amx-bf16", LEVEL_AVX512 },
	{ "amx-int8", LEVEL_AVX512 },
};

/*
 * Sizes whose sums fit into the registers a few rows at a time, on all targets. The first is what programs that want one size
 * take.
 */
static const struct hc_matrix matrices[] = {
	{ 16, 16, 16, HC_COMPONENT_F16, HC_COMPONENT_F16, HC_COMPONENT_F32, 0 },
	{ 16, 16, 16, HC_COMPONENT_F16, HC_COMPONENT_F16, HC_COMPONENT_F16, 0 },
	{ 16, 16, 16, HC_COMPONENT_F32, HC_COMPONENT_F32, HC_COMPONENT_F32, 0 },
	{ 16, 16, 32, HC_COMPONENT_S8, HC_COMPONENT_S8, HC_COMPONENT_S32, 0 },
	{ 16, 16, 32, HC_COMPONENT_U8, HC_COMPONENT_U8, HC_COMPONENT_U32, 0 },
	{ 16, 16, 32, HC_COMPONENT_U8, HC_COMPONENT_U8, HC_COMPONENT_S32, 0 },
};

_Static_assert(sizeof(matrices) / sizeof(matrices[0]) <= HC_MAX_MATRICES, "room in hc_target");

static void list_matrices(struct hc_target *target)
{
	target->matrix_count = sizeof(matrices) / sizeof(matrices[0]);
	memcpy(target->matrices, matrices, sizeof(matrices));
}

/* The sign of feature @name in the string @features ("+a,-b,…"): '+', '-', or 0 if it is not there. */
static char feature_sign(const char *features, const char *name)
{
	size_t length = strlen(name);

	while (*features) {
		size_t n = strcspn(features, ",");

		if (n == length + 1 && !memcmp(features + 1, name, length))
			return features[0];
		features += n;
		features += *features == ',';
	}
	return 0;
}

static bool has_feature(const char *features, const char *name)
{
	return feature_sign(features, name) == '+';
}

static bool has_avx512(const char *f)
{
	return has_feature(f, "avx512f") && has_feature(f, "avx512bw") &&
	       has_feature(f, "avx512cd") && has_feature(f, "avx512dq") &&
	       has_feature(f, "avx512vl");
}

static bool has_avx2(const char *f)
{
	return has_feature(f, "avx2") && has_feature(f, "fma") && has_feature(f, "f16c") &&
	       has_feature(f, "bmi2");
}

/* Writes the features of @host up to @level; what is left out is switched off by name. */
static bool write_features(char *out, size_t size, const char *host, enum x86_level level)
{
	size_t used = 0;

	for (size_t i = 0; i < sizeof(x86_features) / sizeof(x86_features[0]); i++) {
		bool on = x86_features[i].level <= level && has_feature(host, x86_features[i].name);
		int n = snprintf(out + used, size - used, "%s%c%s", used ? "," : "", on ? '+' : '-',
				 x86_features[i].name);

		if (n < 0 || (size_t)n >= size - used)
			return false;
		used += n;
	}
	return true;
}

/* AVX-512 as the first server parts with it had, to compile for on machines without it. */
static const char avx512_baseline[] =
	"+cx16,+sahf,+sse3,+ssse3,+sse4.1,+sse4.2,+popcnt,+movbe,+bmi,+bmi2,+lzcnt,+avx,+avx2,+fma,"
	"+f16c,+evex512,+avx512f,+avx512bw,+avx512cd,+avx512dq,+avx512vl";

enum hc_result hc_target_x86(struct hc_target *target, const char *isa)
{
	memset(target, 0, sizeof(*target));
	if (strcmp(isa, "avx512") && strcmp(isa, "avx2"))
		return HC_ERROR_INVALID_ARGUMENT;

	bool wide = !strcmp(isa, "avx512");

	target->arch = HC_ARCH_X86_64;
	snprintf(target->cpu, sizeof(target->cpu), wide ? "x86-64-v4" : "x86-64-v3");
	if (!write_features(target->features, sizeof(target->features), avx512_baseline,
			    wide ? LEVEL_AVX512 : LEVEL_AVX2))
		return HC_ERROR_INTERNAL;
	target->vector_bits = wide ? 512 : 256;
	target->vector_registers = wide ? 32 : 16;
	target->subgroup_size = wide ? 16 : 8;
	target->min_subgroup_size = MIN_SUBGROUP;
	target->max_subgroup_size = MAX_SUBGROUP;
	list_matrices(target);
	return HC_OK;
}

#ifdef __x86_64__
enum hc_result hc_target_host(struct hc_target *target, const char *isa)
{
	enum x86_level level = LEVEL_AVX512;
	enum hc_result result = HC_OK;

	memset(target, 0, sizeof(*target));
	if (isa && !strcmp(isa, "avx2"))
		level = LEVEL_AVX2;
	else if (isa && strcmp(isa, "avx512"))
		return HC_ERROR_INVALID_ARGUMENT;

	char *cpu = LLVMGetHostCPUName();
	char *host = LLVMGetHostCPUFeatures();

	if (!cpu || !host) {
		result = HC_ERROR_OUT_OF_MEMORY;
		goto out;
	}
	if (!has_avx2(host) || (isa && level == LEVEL_AVX512 && !has_avx512(host))) {
		result = HC_ERROR_UNSUPPORTED;
		goto out;
	}
	if (!has_avx512(host))
		level = LEVEL_AVX2;

	/*
	 * Below its full abilities a machine is only the sum of the features named: its own name would bring
	 * back the others.
	 */
	target->arch = HC_ARCH_X86_64;
	snprintf(target->cpu, sizeof(target->cpu), "%s", level == LEVEL_AVX512 ? cpu : "x86-64-v3");
	if (!write_features(target->features, sizeof(target->features), host, level)) {
		result = HC_ERROR_INTERNAL;
		goto out;
	}
	target->vector_bits = level == LEVEL_AVX512 ? 512 : 256;
	target->vector_registers = level == LEVEL_AVX512 ? 32 : 16;
	target->subgroup_size = target->vector_bits / 32;
	target->min_subgroup_size = MIN_SUBGROUP;
	target->max_subgroup_size = MAX_SUBGROUP;
	list_matrices(target);
out:
	if (cpu)
		LLVMDisposeMessage(cpu);
	if (host)
		LLVMDisposeMessage(host);
	return result;
}
#else
enum hc_result hc_target_host(struct hc_target *target, const char *isa)
{
	(void)isa;
	memset(target, 0, sizeof(*target));
	return HC_ERROR_UNSUPPORTED;
}
#endif

enum hc_result hc_target_riscv64(struct hc_target *target, uint32_t vlen_bits)
{
	memset(target, 0, sizeof(*target));
	if (vlen_bits < RISCV_MIN_VLEN || vlen_bits > RISCV_MAX_VLEN ||
	    (vlen_bits & (vlen_bits - 1)))
		return HC_ERROR_INVALID_ARGUMENT;

	target->arch = HC_ARCH_RISCV64;
	snprintf(target->cpu, sizeof(target->cpu), "generic-rv64");
	/* No relaxation: the object is linked by us, and its local branches shall be final. */
	snprintf(target->features, sizeof(target->features), "+m,+a,+f,+d,+c,+v,+zvl%ub,-relax",
		 vlen_bits);
	target->vector_bits = vlen_bits;
	target->vector_registers = RISCV_VECTOR_REGISTERS;
	target->subgroup_size = vlen_bits / 32 < MIN_SUBGROUP ? MIN_SUBGROUP : vlen_bits / 32;
	target->min_subgroup_size = MIN_SUBGROUP;
	target->max_subgroup_size = MAX_SUBGROUP;
	list_matrices(target);
	return HC_OK;
}

int hc_target_has_f16(const struct hc_target *target)
{
	switch (target->arch) {
	case HC_ARCH_X86_64:
		return has_feature(target->features, "f16c");
	case HC_ARCH_RISCV64:
		return has_feature(target->features, "zvfhmin") ||
		       has_feature(target->features, "zvfh");
	default:
		return 0;
	}
}
