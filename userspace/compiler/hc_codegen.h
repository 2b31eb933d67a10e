/* SPDX-License-Identifier: MIT */
/*
 * From an LLVM module to a kernel image: optimisation, object code, and our own small linker.
 *
 * Everything here works on one LLVMContext that the caller made and that no other thread uses.
 */
#ifndef HEARTH_HC_CODEGEN_H
#define HEARTH_HC_CODEGEN_H

#include <llvm-c/Core.h>

#include "hc.h"

/* @image: from malloc(), for the caller to free. @entry_offset, @stack_bytes: as in hc_kernel. */
struct hc_image {
	void *image;
	size_t image_bytes;
	uint32_t entry_offset;
	uint32_t stack_bytes;
	uint32_t code_bytes;
	uint64_t optimized_ns; /* when the optimizer was done, by hc_now_ns() */
};

/* Monotonic time. */
uint64_t hc_now_ns(void);
/* LLVM's initialisation, done once; the name of a target for it, or NULL. */
void hc_codegen_init(void);
const char *hc_codegen_triple(const struct hc_target *target);

/* Sets triple and data layout. To be called on a new module, before any type is laid out. */
enum hc_result hc_codegen_setup(LLVMModuleRef module, const struct hc_target *target,
				char **message);

/*
 * Optimises @module and turns it into an image whose entry is the function called @entry.
 * The module is changed, and still belongs to the caller. Requirements:
 *  - hc_codegen_setup() was called;
 *  - only @entry has external linkage; other functions are internal, constant tables are internal
 *    (or private) constants without addresses in them; there are no writable globals;
 *  - no calls but to functions with bodies and to intrinsics. llvm.memcpy, memmove and memset are
 *    fine. Arithmetic on half is not: convert with hc_math_half_to_float() and back. No frem, and
 *    none of llvm.sin, exp, log, pow, … : those are hc_math_emit()'s.
 * Functions marked alwaysinline are inlined. Attributes for CPU, features, vector width and unwinding are
 * set here on all functions. @dump (may be NULL) is called with the LLVM IR before ("llvm") and after
 * ("llvm-opt") optimisation and with the assembly ("asm"), for those of them in @dump_passes.
 */
enum hc_result hc_codegen(LLVMModuleRef module, const struct hc_target *target, const char *entry,
			  const char *dump_passes,
			  void (*dump)(void *user, const char *pass, const char *text),
			  void *dump_user, struct hc_image *image, char **message);

/* Whether @pass is named in the comma-separated list @passes ("all" names every pass; NULL none). */
bool hc_dump_wanted(const char *passes, const char *pass);

/*
 * The linker alone: a relocatable ELF64 object in, an image out. @entry names the entry symbol. Every offset in
 * the object is checked; a reference to a symbol that the object does not define is HC_ERROR_INTERNAL and
 * the message names it. @image->stack_bytes is left alone.
 */
enum hc_result hc_elf_link(const void *object, size_t object_bytes, enum hc_arch arch,
			   const char *entry, struct hc_image *image, char **message);

/* *message = an allocated formatted text, if @message is not NULL. Returns @result. */
enum hc_result hc_fail(enum hc_result result, char **message, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif /* HEARTH_HC_CODEGEN_H */
