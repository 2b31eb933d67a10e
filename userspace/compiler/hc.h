/* SPDX-License-Identifier: MIT */
/*
 * The compiler: SPIR-V compute shaders in, kernel images (include/hearth/kernel_abi.h) out.
 *
 * It knows nothing of Vulkan objects, of devices or of files. All functions are thread-safe; no
 * state is shared between calls except LLVM's own one-time initialisation. LLVM is linked by
 * libhearth_compiler only, so that a program that never misses its cache never loads it.
 */
#ifndef HEARTH_HC_H
#define HEARTH_HC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum hc_result {
	HC_OK = 0,
	HC_ERROR_OUT_OF_MEMORY = -1,
	HC_ERROR_INVALID_SPIRV = -2,	/* malformed: the message names the word or the id */
	HC_ERROR_UNSUPPORTED = -3,	/* valid, but not known here: the message names the opcode,
					 capability, built-in or type */
	HC_ERROR_INVALID_ARGUMENT = -4, /* entry point, binding or target does not fit */
	HC_ERROR_INTERNAL = -5, /* LLVM refused what we made: always a bug of the compiler */
};

enum hc_arch {
	HC_ARCH_X86_64,
	HC_ARCH_RISCV64,
	HC_ARCH_AARCH64,
};

/* Components of cooperative matrices. */
enum hc_component {
	HC_COMPONENT_F16,
	HC_COMPONENT_F32,
	HC_COMPONENT_S8,
	HC_COMPONENT_U8,
	HC_COMPONENT_S32,
	HC_COMPONENT_U32,
};

/* A product of cooperative matrices, [m × k] × [k × n] + [m × n], of a subgroup. The result is of @c's type. */
struct hc_matrix {
	uint16_t m, n, k;
	uint8_t a, b, c; /* enum hc_component */
	uint8_t reserved;
};

#define HC_MAX_MATRICES 8

/*
 * What a pass needs to know of a machine.
 * @cpu, @features: as LLVM spells them.
 * @vector_bits: width of one vector register.
 * @vector_registers: architectural vector registers of that width.
 * @subgroup_size: lanes = width in 32-bit elements of the values a varying id becomes.
 * @matrices: products of cooperative matrices that it has, best first.
 * @min_subgroup_size, @max_subgroup_size: what hc_compile_info.subgroup_size may ask for.
 */
struct hc_target {
	enum hc_arch arch;
	char cpu[64];
	char features[1024];
	uint32_t vector_bits;
	uint32_t vector_registers;
	uint32_t subgroup_size;
	uint32_t min_subgroup_size;
	uint32_t max_subgroup_size;
	uint32_t matrix_count;
	struct hc_matrix matrices[HC_MAX_MATRICES];
};

/* The machine this runs on. @isa: NULL for all it has, or "avx512", "avx2" to stay below that. */
enum hc_result hc_target_host(struct hc_target *target, const char *isa);

/*
 * x86-64 with @isa "avx512" (F, BW, CD, DQ, VL) or "avx2" (with FMA, F16C, BMI2), whatever the machine that compiles
 * has.
 */
enum hc_result hc_target_x86(struct hc_target *target, const char *isa);

/* RV64GCV with registers of @vlen_bits (a power of two, 128 to 1024). */
enum hc_result hc_target_riscv64(struct hc_target *target, uint32_t vlen_bits);

enum hc_binding_kind {
	HC_BINDING_UNIFORM_BUFFER,
	HC_BINDING_STORAGE_BUFFER,
	HC_BINDING_IMAGE, /* struct hearth_image_descriptor, with a sampler or not; texel buffers too */
	HC_BINDING_SAMPLER,
};

/*
 * Where the descriptor of (set, binding) lies.
 * @dynamic: false: element @slot of the table hearth_kernel_args.sets[set];
 *	     true: element @slot of hearth_kernel_args.dynamic.
 *	Slots are of 16 bytes; images take five, all others one.
 * @count: array length; the elements follow each other.
 */
struct hc_binding {
	uint32_t set;
	uint32_t binding;
	enum hc_binding_kind kind;
	bool dynamic;
	uint32_t slot;
	uint32_t count;
};

/* Value of one specialization constant: @size_bytes (1, 2, 4, 8; booleans 4) low bytes of @value. */
struct hc_spec_constant {
	uint32_t id;
	uint32_t size_bytes;
	uint64_t value;
};

enum hc_compile_flags {
	/* An access outside a buffer's range reads zero and writes nothing. */
	HC_COMPILE_ROBUST = 1u << 0,
	/* Local invocations must fill every subgroup (VK ..._REQUIRE_FULL_SUBGROUPS). */
	HC_COMPILE_FULL_SUBGROUPS = 1u << 1,
};

/*
 * @dump: if set, called with the text of the form after each pass whose name is in @dump_passes
 *	(comma-separated; "all"); the text is valid during the call only.
 */
struct hc_compile_info {
	const struct hc_target *target;
	const uint32_t *spirv;
	size_t spirv_words;
	const char *entry_point;
	const struct hc_spec_constant *spec_constants;
	uint32_t spec_constant_count;
	const struct hc_binding *bindings;
	uint32_t binding_count;
	uint32_t subgroup_size; /* 0: the target's */
	uint32_t flags;
	const char *dump_passes;
	void (*dump)(void *user, const char *pass, const char *text);
	void *dump_user;
};

/* Where the time of a compilation goes. */
enum hc_phase {
	HC_PHASE_PREPARE,  /* validation, SPIR-V's optimizer */
	HC_PHASE_ANALYSE,  /* the compiler's own passes */
	HC_PHASE_EMIT,	   /* LLVM's intermediate code */
	HC_PHASE_OPTIMIZE, /* LLVM's optimizer */
	HC_PHASE_CODEGEN,  /* machine code, the image */
	HC_PHASE_COUNT,
};

/*
 * A compiled kernel. Owned by the caller, freed with hc_kernel_free().
 * @image: @image_bytes of code and constants; position-independent (see kernel_abi.h).
 * @code_bytes: of code, at the start of the image.
 * @entry_offset: of the hearth_kernel_fn in the image.
 * @scratch_bytes: the kernel's scratch memory, a multiple of HEARTH_KERNEL_ALIGN; may be 0.
 * @stack_bytes: the most stack that one call uses, for those who provide the stack.
 */
struct hc_kernel {
	void *image;
	size_t image_bytes;
	uint32_t entry_offset;
	uint32_t scratch_bytes;
	uint32_t stack_bytes;
	uint32_t local_size[3];
	uint32_t subgroup_size;
	uint32_t shared_bytes; /* of the shader's own workgroup memory, for statistics */
	uint32_t code_bytes;
	uint32_t phase_us[HC_PHASE_COUNT];
};

/*
 * Compiles one entry point. On failure *@kernel is NULL and, if @message is not NULL, *@message is
 * an allocated text for free() that says what was wrong (NULL when memory ran out).
 */
enum hc_result hc_compile(const struct hc_compile_info *info, struct hc_kernel **kernel,
			  char **message);
void hc_kernel_free(struct hc_kernel *kernel);

/* Classes of machine instructions. */
enum hc_mix_class {
	HC_MIX_MULTIPLY_ADD,
	HC_MIX_VECTOR,
	HC_MIX_SHUFFLE,
	HC_MIX_LOAD,
	HC_MIX_STORE,
	HC_MIX_GATHER,
	HC_MIX_STACK,
	HC_MIX_BRANCH,
	HC_MIX_SCALAR,
	HC_MIX_OTHER,
	HC_MIX_COUNT,
};

struct hc_mix {
	uint32_t total;
	uint32_t count[HC_MIX_COUNT];
};

/* Counts the instructions of a kernel that was just compiled for @target. */
enum hc_result hc_instruction_mix(const struct hc_target *target, const struct hc_kernel *kernel,
				  struct hc_mix *mix);
const char *hc_mix_name(enum hc_mix_class class);

const char *hc_result_string(enum hc_result result);

/* 20 bytes that change whenever the same input could give another image; for cache keys. */
void hc_build_id(uint8_t id[20]);

#ifdef __cplusplus
}
#endif

#endif /* HEARTH_HC_H */
