// SPDX-License-Identifier: MIT
/*
 * What a kernel's machine code is made of: LLVM's disassembler reads it back, and each instruction is counted in one class, by its
 * name and operands as LLVM writes them (AT&T's order on x86: what is written stands last).
 */
#include <stdio.h>
#include <string.h>

#include <llvm-c/Disassembler.h>

#include "hc_codegen.h"

#define MAX_TEXT 256

struct rule {
	const char *prefix;
	enum hc_mix_class class;
};

/* The first that fits counts. */
static const struct rule x86_rules[] = {
	{ "vfmadd", HC_MIX_MULTIPLY_ADD },
	{ "vfmsub", HC_MIX_MULTIPLY_ADD },
	{ "vfnmadd", HC_MIX_MULTIPLY_ADD },
	{ "vfnmsub", HC_MIX_MULTIPLY_ADD },
	{ "vpmadd", HC_MIX_MULTIPLY_ADD },
	{ "vpdp", HC_MIX_MULTIPLY_ADD },
	{ "vpgather", HC_MIX_GATHER },
	{ "vgather", HC_MIX_GATHER },
	{ "vpscatter", HC_MIX_GATHER },
	{ "vscatter", HC_MIX_GATHER },
	{ "vbroadcast", HC_MIX_SHUFFLE },
	{ "vpbroadcast", HC_MIX_SHUFFLE },
	{ "vperm", HC_MIX_SHUFFLE },
	{ "vpshuf", HC_MIX_SHUFFLE },
	{ "vshuf", HC_MIX_SHUFFLE },
	{ "vpunpck", HC_MIX_SHUFFLE },
	{ "vunpck", HC_MIX_SHUFFLE },
	{ "vinsert", HC_MIX_SHUFFLE },
	{ "vextract", HC_MIX_SHUFFLE },
	{ "vpinsr", HC_MIX_SHUFFLE },
	{ "vpextr", HC_MIX_SHUFFLE },
	{ "vpalign", HC_MIX_SHUFFLE },
	{ "vpack", HC_MIX_SHUFFLE },
	{ "vmovd", HC_MIX_SHUFFLE },
	{ "vmovq", HC_MIX_SHUFFLE },
	{ "vzero", HC_MIX_OTHER },
	{ "v", HC_MIX_VECTOR },
	{ "j", HC_MIX_BRANCH },
	{ "call", HC_MIX_BRANCH },
	{ "ret", HC_MIX_BRANCH },
	{ "nop", HC_MIX_OTHER },
	{ "", HC_MIX_SCALAR },
};

static const struct rule riscv_rules[] = {
	{ "vfmacc", HC_MIX_MULTIPLY_ADD },
	{ "vfmadd", HC_MIX_MULTIPLY_ADD },
	{ "vfnm", HC_MIX_MULTIPLY_ADD },
	{ "vfmsac", HC_MIX_MULTIPLY_ADD },
	{ "vfmsub", HC_MIX_MULTIPLY_ADD },
	{ "vfwmacc", HC_MIX_MULTIPLY_ADD },
	{ "vmacc", HC_MIX_MULTIPLY_ADD },
	{ "vmadd", HC_MIX_MULTIPLY_ADD },
	{ "vnms", HC_MIX_MULTIPLY_ADD },
	{ "vwmacc", HC_MIX_MULTIPLY_ADD },
	{ "vset", HC_MIX_OTHER },
	{ "vluxei", HC_MIX_GATHER },
	{ "vloxei", HC_MIX_GATHER },
	{ "vsuxei", HC_MIX_GATHER },
	{ "vsoxei", HC_MIX_GATHER },
	{ "vlse", HC_MIX_GATHER },
	{ "vsse", HC_MIX_GATHER },
	{ "vle", HC_MIX_LOAD },
	{ "vlm", HC_MIX_LOAD },
	{ "vl1r", HC_MIX_LOAD },
	{ "vl2r", HC_MIX_LOAD },
	{ "vl4r", HC_MIX_LOAD },
	{ "vl8r", HC_MIX_LOAD },
	{ "vse8", HC_MIX_STORE },
	{ "vse16", HC_MIX_STORE },
	{ "vse32", HC_MIX_STORE },
	{ "vse64", HC_MIX_STORE },
	{ "vsm", HC_MIX_STORE },
	{ "vs1r", HC_MIX_STORE },
	{ "vs2r", HC_MIX_STORE },
	{ "vs4r", HC_MIX_STORE },
	{ "vs8r", HC_MIX_STORE },
	{ "vrgather", HC_MIX_SHUFFLE },
	{ "vslide", HC_MIX_SHUFFLE },
	{ "vmv", HC_MIX_SHUFFLE },
	{ "vfmv", HC_MIX_SHUFFLE },
	{ "vmerge", HC_MIX_SHUFFLE },
	{ "vfmerge", HC_MIX_SHUFFLE },
	{ "vcompress", HC_MIX_SHUFFLE },
	{ "v", HC_MIX_VECTOR },
	{ "b", HC_MIX_BRANCH },
	{ "j", HC_MIX_BRANCH },
	{ "ret", HC_MIX_BRANCH },
	{ "ld\t", HC_MIX_LOAD },
	{ "lw", HC_MIX_LOAD },
	{ "lh", HC_MIX_LOAD },
	{ "lb", HC_MIX_LOAD },
	{ "flw", HC_MIX_LOAD },
	{ "fld", HC_MIX_LOAD },
	{ "sd\t", HC_MIX_STORE },
	{ "sw\t", HC_MIX_STORE },
	{ "sh\t", HC_MIX_STORE },
	{ "sb\t", HC_MIX_STORE },
	{ "fsw", HC_MIX_STORE },
	{ "fsd", HC_MIX_STORE },
	{ "nop", HC_MIX_OTHER },
	{ "", HC_MIX_SCALAR },
};

const char *hc_mix_name(enum hc_mix_class class)
{
	static const char *const names[HC_MIX_COUNT] = {
		[HC_MIX_MULTIPLY_ADD] = "vector multiply-add",
		[HC_MIX_VECTOR] = "other vector",
		[HC_MIX_SHUFFLE] = "broadcasts, shuffles",
		[HC_MIX_LOAD] = "loads",
		[HC_MIX_STORE] = "stores",
		[HC_MIX_GATHER] = "gathers, scatters, strided",
		[HC_MIX_STACK] = "moves to and from the stack",
		[HC_MIX_BRANCH] = "branches",
		[HC_MIX_SCALAR] = "scalar",
		[HC_MIX_OTHER] = "other",
	};

	return names[class];
}

static bool is_move(const char *text)
{
	return !strncmp(text, "mov", 3) || !strncmp(text, "vmov", 4) ||
	       !strncmp(text, "vpmaskmov", 9) || !strncmp(text, "vmaskmov", 8) ||
	       !strncmp(text, "vpmovsx", 7) || !strncmp(text, "vpmovzx", 7) ||
	       !strncmp(text, "vbroadcast", 10) || !strncmp(text, "vpbroadcast", 11);
}

/* On x86 a move with an address is a load, or a store where the address stands last. */
static enum hc_mix_class class_of_x86(const char *text)
{
	const char *address = strchr(text, '('), *end;
	const struct rule *rule;

	if (address && is_move(text)) {
		if (strstr(text, "(%rsp") || strstr(text, "(%rbp"))
			return HC_MIX_STACK;
		end = strrchr(text, ')');
		return end && strchr(end, ',') ? HC_MIX_LOAD : HC_MIX_STORE;
	}
	for (rule = x86_rules; strncmp(text, rule->prefix, strlen(rule->prefix)); rule++)
		;
	return rule->class;
}

static enum hc_mix_class class_of_riscv(const char *text)
{
	const struct rule *rule;

	for (rule = riscv_rules; strncmp(text, rule->prefix, strlen(rule->prefix)); rule++)
		;
	if ((rule->class == HC_MIX_LOAD || rule->class == HC_MIX_STORE) && strstr(text, "(sp)"))
		return HC_MIX_STACK;
	return rule->class;
}

enum hc_result hc_instruction_mix(const struct hc_target *target, const struct hc_kernel *kernel,
				  struct hc_mix *mix)
{
	bool x86 = target->arch == HC_ARCH_X86_64;
	uint8_t *code = kernel->image;
	LLVMDisasmContextRef disassembler;
	size_t at, length;

	memset(mix, 0, sizeof(*mix));
	if (!hc_codegen_triple(target) || kernel->code_bytes > kernel->image_bytes)
		return HC_ERROR_INVALID_ARGUMENT;
	hc_codegen_init();
	disassembler = LLVMCreateDisasmCPUFeatures(hc_codegen_triple(target), target->cpu,
						   target->features, NULL, 0, NULL, NULL);
	if (!disassembler)
		return HC_ERROR_INTERNAL;
	for (at = 0; at < kernel->code_bytes; at += length) {
		char text[MAX_TEXT] = "";
		const char *start;

		length = LLVMDisasmInstruction(disassembler, code + at, kernel->code_bytes - at, at,
					       text, sizeof(text));
		if (!length) {
			/* Padding. */
			length = x86 ? 1 : 2;
			continue;
		}
		start = text + strspn(text, " \t");
		mix->count[x86 ? class_of_x86(start) : class_of_riscv(start)]++;
		mix->total++;
	}
	LLVMDisasmDispose(disassembler);
	return HC_OK;
}
