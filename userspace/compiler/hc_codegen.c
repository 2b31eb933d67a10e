// SPDX-License-Identifier: MIT
/*
 * From an LLVM module to a kernel image: attributes, our own short pass pipeline, object code in memory, and
 * the bound on the stack. The linking itself is hc_elf.c's.
 *
 * The module comes with its vectors already made, so no vectoriser runs here: it could only undo them.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <llvm-c/Analysis.h>
#include <llvm-c/Error.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>
#include <llvm-c/Transforms/PassBuilder.h>

#include "hc_codegen.h"

/*
 * Two rounds: the first brings locals into registers and inlines the math, the second cleans up what
 * hoisting and value numbering uncovered. Loops stay rolled: the front unrolled what it wanted unrolled.
 */
static const char pipeline[] =
	"always-inline,globaldce,"
	"function(sroa<modify-cfg>,early-cse<memssa>,instcombine<no-verify-fixpoint>,simplifycfg),"
	"function(loop-mssa(loop-simplifycfg,licm<allowspeculation>),gvn,"
	"instcombine<no-verify-fixpoint>,dse,"
	"loop-mssa(licm<allowspeculation>),loop(loop-deletion),adce,simplifycfg)";

/* Return address, saved registers, and what realigning the frame to a vector register takes, per function. */
#define FRAME_SLACK_BYTES 256u

static pthread_once_t llvm_once = PTHREAD_ONCE_INIT;

static void init_llvm(void)
{
	LLVMInitializeX86TargetInfo();
	LLVMInitializeX86Target();
	LLVMInitializeX86TargetMC();
	LLVMInitializeX86AsmPrinter();
	LLVMInitializeX86Disassembler();
	LLVMInitializeRISCVTargetInfo();
	LLVMInitializeRISCVTarget();
	LLVMInitializeRISCVTargetMC();
	LLVMInitializeRISCVAsmPrinter();
	LLVMInitializeRISCVAsmParser();
	LLVMInitializeRISCVDisassembler();
}

void hc_codegen_init(void)
{
	pthread_once(&llvm_once, init_llvm);
}

uint64_t hc_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

const char *hc_codegen_triple(const struct hc_target *target)
{
	switch (target->arch) {
	case HC_ARCH_X86_64:
		return "x86_64-unknown-linux-gnu";
	case HC_ARCH_RISCV64:
		return "riscv64-unknown-linux-gnu";
	default:
		return NULL;
	}
}

static enum hc_result make_machine(const struct hc_target *target, LLVMTargetMachineRef *machine,
				   char **message)
{
	const char *triple = hc_codegen_triple(target);
	LLVMTargetMachineOptionsRef options;
	LLVMTargetRef llvm_target;
	char *error = NULL;

	if (!triple)
		return hc_fail(HC_ERROR_UNSUPPORTED, message, "target architecture %d",
			       target->arch);
	hc_codegen_init();
	if (LLVMGetTargetFromTriple(triple, &llvm_target, &error)) {
		enum hc_result result =
			hc_fail(HC_ERROR_UNSUPPORTED, message, "LLVM for %s: %s", triple, error);

		LLVMDisposeMessage(error);
		return result;
	}
	options = LLVMCreateTargetMachineOptions();
	LLVMTargetMachineOptionsSetCPU(options, target->cpu);
	LLVMTargetMachineOptionsSetFeatures(options, target->features);
	LLVMTargetMachineOptionsSetCodeGenOptLevel(options, LLVMCodeGenLevelDefault);
	LLVMTargetMachineOptionsSetRelocMode(options, LLVMRelocPIC);
	if (target->arch == HC_ARCH_RISCV64) {
		LLVMTargetMachineOptionsSetABI(options, "lp64d");
		LLVMTargetMachineOptionsSetCodeModel(options, LLVMCodeModelMedium);
	} else {
		LLVMTargetMachineOptionsSetCodeModel(options, LLVMCodeModelSmall);
	}
	*machine = LLVMCreateTargetMachineWithOptions(llvm_target, triple, options);
	LLVMDisposeTargetMachineOptions(options);
	if (!*machine)
		return hc_fail(HC_ERROR_INTERNAL, message, "LLVM has no machine for %s %s", triple,
			       target->cpu);
	return HC_OK;
}

enum hc_result hc_codegen_setup(LLVMModuleRef module, const struct hc_target *target,
				char **message)
{
	LLVMTargetMachineRef machine;
	enum hc_result result = make_machine(target, &machine, message);

	if (result)
		return result;

	LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(machine);

	LLVMSetTarget(module, hc_codegen_triple(target));
	LLVMSetModuleDataLayout(module, layout);
	LLVMDisposeTargetData(layout);
	LLVMDisposeTargetMachine(machine);
	return HC_OK;
}

static void add_string_attribute(LLVMValueRef function, const char *name, const char *value)
{
	LLVMContextRef context = LLVMGetModuleContext(LLVMGetGlobalParent(function));
	LLVMAttributeRef a =
		LLVMCreateStringAttribute(context, name, strlen(name), value, strlen(value));

	LLVMAddAttributeAtIndex(function, LLVMAttributeFunctionIndex, a);
}

static void add_attribute(LLVMValueRef function, const char *name, uint64_t value)
{
	LLVMContextRef context = LLVMGetModuleContext(LLVMGetGlobalParent(function));
	unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));

	LLVMAddAttributeAtIndex(function, LLVMAttributeFunctionIndex,
				LLVMCreateEnumAttribute(context, kind, value));
}

static void set_attributes(LLVMModuleRef module, const struct hc_target *target)
{
	char width[16];

	snprintf(width, sizeof(width), "%u", target->vector_bits);
	for (LLVMValueRef f = LLVMGetFirstFunction(module); f; f = LLVMGetNextFunction(f)) {
		if (LLVMIsDeclaration(f))
			continue;
		add_attribute(f, "nounwind", 0);
		add_string_attribute(f, "target-cpu", target->cpu);
		add_string_attribute(f, "target-features", target->features);
		add_string_attribute(f, "no-builtins", "");
		/* Makes the back end say how large the frame is; see note_frame(). */
		add_string_attribute(f, "warn-stack-size", "0");
		if (target->arch == HC_ARCH_X86_64) {
			add_string_attribute(f, "prefer-vector-width", width);
			add_string_attribute(f, "min-legal-vector-width", width);
		} else if (target->arch == HC_ARCH_RISCV64) {
			uint64_t vscale = target->vector_bits / 64;

			add_attribute(f, "vscale_range", vscale << 32 | vscale);
		}
	}
}

/*
 * void *memset(p, c, n), and memcpy and memmove alike, by bytes: large block intrinsics become calls of
 * these names, which the linker then finds in the object itself. Kernels move blocks with vectors of their own, so
 * these need not be fast.
 */
static void add_block_function(LLVMModuleRef module, const char *name)
{
	LLVMContextRef c = LLVMGetModuleContext(module);
	LLVMTypeRef ptr = LLVMPointerTypeInContext(c, 0);
	LLVMTypeRef i8 = LLVMInt8TypeInContext(c);
	LLVMTypeRef i32 = LLVMInt32TypeInContext(c);
	LLVMTypeRef i64 = LLVMInt64TypeInContext(c);
	bool set = !strcmp(name, "memset");
	bool move = !strcmp(name, "memmove");
	LLVMTypeRef params[] = { ptr, set ? i32 : ptr, i64 };
	LLVMValueRef f = LLVMGetNamedFunction(module, name);

	if (f)
		return;
	f = LLVMAddFunction(module, name, LLVMFunctionType(ptr, params, 3, 0));
	LLVMSetVisibility(f, LLVMHiddenVisibility);

	LLVMBasicBlockRef entry = LLVMAppendBasicBlockInContext(c, f, "entry");
	LLVMBasicBlockRef loop = LLVMAppendBasicBlockInContext(c, f, "loop");
	LLVMBasicBlockRef done = LLVMAppendBasicBlockInContext(c, f, "done");
	LLVMBuilderRef b = LLVMCreateBuilderInContext(c);
	LLVMValueRef to = LLVMGetParam(f, 0), n = LLVMGetParam(f, 2);
	LLVMValueRef zero = LLVMConstInt(i64, 0, 0), one = LLVMConstInt(i64, 1, 0);
	LLVMValueRef backward = NULL;

	LLVMPositionBuilderAtEnd(b, entry);
	if (move)
		backward = LLVMBuildICmp(b, LLVMIntULT, LLVMGetParam(f, 1), to, "");
	LLVMBuildCondBr(b, LLVMBuildICmp(b, LLVMIntEQ, n, zero, ""), done, loop);

	LLVMPositionBuilderAtEnd(b, loop);

	LLVMValueRef i = LLVMBuildPhi(b, i64, "i");
	LLVMValueRef at = i;
	LLVMValueRef byte;

	if (move)
		at = LLVMBuildSelect(b, backward,
				     LLVMBuildSub(b, LLVMBuildSub(b, n, one, ""), i, ""), i, "");
	if (set) {
		byte = LLVMBuildTrunc(b, LLVMGetParam(f, 1), i8, "");
	} else {
		byte = LLVMBuildLoad2(b, i8, LLVMBuildGEP2(b, i8, LLVMGetParam(f, 1), &at, 1, ""),
				      "");
		LLVMSetVolatile(byte, 1);
	}

	LLVMValueRef store = LLVMBuildStore(b, byte, LLVMBuildGEP2(b, i8, to, &at, 1, ""));

	/* Or LLVM would recognise the loop and call the very function it is in. */
	LLVMSetVolatile(store, 1);

	LLVMValueRef next = LLVMBuildAdd(b, i, one, "");
	LLVMValueRef values[] = { zero, next };
	LLVMBasicBlockRef blocks[] = { entry, loop };

	LLVMAddIncoming(i, values, blocks, 2);
	LLVMBuildCondBr(b, LLVMBuildICmp(b, LLVMIntEQ, next, n, ""), done, loop);
	LLVMPositionBuilderAtEnd(b, done);
	LLVMBuildRet(b, to);
	LLVMDisposeBuilder(b);
}

static void add_block_functions(LLVMModuleRef module)
{
	static const char *const names[] = { "memset", "memcpy", "memmove" };
	bool wanted[3] = { false };

	for (LLVMValueRef f = LLVMGetFirstFunction(module); f; f = LLVMGetNextFunction(f)) {
		size_t length;
		const char *name = LLVMGetValueName2(f, &length);

		for (int i = 0; i < 3; i++) {
			if (!strncmp(name, "llvm.", 5) &&
			    !strncmp(name + 5, names[i], strlen(names[i])))
				wanted[i] = true;
		}
	}
	for (int i = 0; i < 3; i++) {
		if (wanted[i])
			add_block_function(module, names[i]);
	}
}

/* What LLVM had to say during one hc_codegen(). */
struct diagnostics {
	uint64_t frames_bytes;
	char *error;
};

static void note_frame(struct diagnostics *d, const char *text)
{
	static const char key[] = "stack frame size (";
	const char *at = strstr(text, key);

	if (at)
		d->frames_bytes += strtoull(at + sizeof(key) - 1, NULL, 10);
}

static void on_diagnostic(LLVMDiagnosticInfoRef info, void *user)
{
	struct diagnostics *d = user;
	char *text = LLVMGetDiagInfoDescription(info);

	if (LLVMGetDiagInfoSeverity(info) == LLVMDSError) {
		free(d->error);
		d->error = strdup(text);
	} else {
		note_frame(d, text);
	}
	LLVMDisposeMessage(text);
}

/*
 * The frame sizes that LLVM tells leave out what RISC-V spills in whole vector registers. Each such
 * slot is written by at least one vs<n>r.v, so their sum is a bound. Data between the code can only raise it.
 */
static uint64_t riscv_spill_bytes(const struct hc_image *image, uint32_t vector_bits)
{
	const uint8_t *code = image->image;
	uint64_t bytes = 0;

	for (size_t at = 0; at + 4 <= image->image_bytes; at += 2) {
		uint32_t insn;

		memcpy(&insn, code + at, sizeof(insn));
		/* STORE-FP, width 0, unit stride, lumop 01000, unmasked, mew 0; nf + 1 registers */
		if ((insn & 0x1ff0707f) == 0x02800027)
			bytes += ((insn >> 29) + 1) * (uint64_t)(vector_bits / 8);
	}
	return bytes;
}

static enum hc_result bound_stack(LLVMModuleRef module, const struct hc_target *target,
				  const struct diagnostics *d, struct hc_image *image,
				  char **message)
{
	uint64_t bytes = d->frames_bytes;

	/* There is no recursion, so the call chain is at most all functions. */
	for (LLVMValueRef f = LLVMGetFirstFunction(module); f; f = LLVMGetNextFunction(f)) {
		if (!LLVMIsDeclaration(f))
			bytes += FRAME_SLACK_BYTES;
	}
	if (target->arch == HC_ARCH_RISCV64)
		bytes += riscv_spill_bytes(image, target->vector_bits);
	if (bytes > UINT32_MAX)
		return hc_fail(HC_ERROR_UNSUPPORTED, message,
			       "the kernel needs %llu bytes of stack", (unsigned long long)bytes);
	image->stack_bytes = bytes;
	return HC_OK;
}

static enum hc_result check_module(LLVMModuleRef module, const char *entry, char **message)
{
	LLVMValueRef f = LLVMGetNamedFunction(module, entry);
	char *error = NULL;

	if (!f || LLVMIsDeclaration(f))
		return hc_fail(HC_ERROR_INTERNAL, message, "no function '%s' in the module", entry);
	LLVMSetVisibility(f, LLVMHiddenVisibility);
	if (LLVMVerifyModule(module, LLVMReturnStatusAction, &error)) {
		enum hc_result result =
			hc_fail(HC_ERROR_INTERNAL, message, "LLVM finds the code wrong: %s", error);

		LLVMDisposeMessage(error);
		return result;
	}
	LLVMDisposeMessage(error);
	return HC_OK;
}

static enum hc_result optimise(LLVMModuleRef module, LLVMTargetMachineRef machine, char **message)
{
	LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();

	LLVMPassBuilderOptionsSetLoopVectorization(options, 0);
	LLVMPassBuilderOptionsSetSLPVectorization(options, 0);
	LLVMPassBuilderOptionsSetLoopUnrolling(options, 0);

	LLVMErrorRef error = LLVMRunPasses(module, pipeline, machine, options);

	LLVMDisposePassBuilderOptions(options);
	if (error) {
		char *text = LLVMGetErrorMessage(error);
		enum hc_result result =
			hc_fail(HC_ERROR_INTERNAL, message, "LLVM passes: %s", text);

		LLVMDisposeErrorMessage(text);
		return result;
	}
	return HC_OK;
}

static enum hc_result emit(LLVMModuleRef module, LLVMTargetMachineRef machine,
			   LLVMCodeGenFileType type, struct diagnostics *d,
			   LLVMMemoryBufferRef *buffer, char **message)
{
	char *error = NULL;
	enum hc_result result = HC_OK;

	if (LLVMTargetMachineEmitToMemoryBuffer(machine, module, type, &error, buffer)) {
		result = hc_fail(HC_ERROR_INTERNAL, message, "LLVM code generation: %s", error);
		LLVMDisposeMessage(error);
	} else if (d->error) {
		LLVMDisposeMemoryBuffer(*buffer);
		result = hc_fail(HC_ERROR_INTERNAL, message, "LLVM code generation: %s", d->error);
	}
	return result;
}

struct dumper {
	const char *passes;
	void (*dump)(void *user, const char *pass, const char *text);
	void *user;
};

static void dump_ir(const struct dumper *dumper, LLVMModuleRef module, const char *pass)
{
	if (!dumper->dump || !hc_dump_wanted(dumper->passes, pass))
		return;

	char *text = LLVMPrintModuleToString(module);

	dumper->dump(dumper->user, pass, text);
	LLVMDisposeMessage(text);
}

/* Code generation changes the module, so the assembly is made from a copy. */
static enum hc_result dump_assembly(const struct dumper *dumper, LLVMModuleRef module,
				    LLVMTargetMachineRef machine, char **message)
{
	LLVMMemoryBufferRef buffer;
	struct diagnostics d = { 0 };
	enum hc_result result;

	if (!dumper->dump || !hc_dump_wanted(dumper->passes, "asm"))
		return HC_OK;

	LLVMModuleRef copy = LLVMCloneModule(module);

	result = emit(copy, machine, LLVMAssemblyFile, &d, &buffer, message);
	LLVMDisposeModule(copy);
	if (result)
		return result;

	char *text = strndup(LLVMGetBufferStart(buffer), LLVMGetBufferSize(buffer));

	LLVMDisposeMemoryBuffer(buffer);
	if (!text)
		return HC_ERROR_OUT_OF_MEMORY;
	dumper->dump(dumper->user, "asm", text);
	free(text);
	return HC_OK;
}

enum hc_result hc_codegen(LLVMModuleRef module, const struct hc_target *target, const char *entry,
			  const char *dump_passes,
			  void (*dump)(void *user, const char *pass, const char *text),
			  void *dump_user, struct hc_image *image, char **message)
{
	const struct dumper dumper = { dump_passes, dump, dump_user };
	LLVMContextRef context = LLVMGetModuleContext(module);
	LLVMDiagnosticHandler old_handler = LLVMContextGetDiagnosticHandler(context);
	void *old_user = LLVMContextGetDiagnosticContext(context);
	struct diagnostics d = { 0 };
	LLVMTargetMachineRef machine;
	LLVMMemoryBufferRef object;
	enum hc_result result;

	memset(image, 0, sizeof(*image));
	result = make_machine(target, &machine, message);
	if (result)
		return result;
	LLVMContextSetDiagnosticHandler(context, on_diagnostic, &d);

	dump_ir(&dumper, module, "llvm");
	result = check_module(module, entry, message);
	if (result)
		goto out;
	set_attributes(module, target);
	result = optimise(module, machine, message);
	if (result)
		goto out;
	add_block_functions(module);
	set_attributes(module, target);
	image->optimized_ns = hc_now_ns();
	dump_ir(&dumper, module, "llvm-opt");
	result = dump_assembly(&dumper, module, machine, message);
	if (result)
		goto out;

	d.frames_bytes = 0;
	result = emit(module, machine, LLVMObjectFile, &d, &object, message);
	if (result)
		goto out;
	result = hc_elf_link(LLVMGetBufferStart(object), LLVMGetBufferSize(object), target->arch,
			     entry, image, message);
	LLVMDisposeMemoryBuffer(object);
	if (!result)
		result = bound_stack(module, target, &d, image, message);
	if (result) {
		free(image->image);
		memset(image, 0, sizeof(*image));
	}
out:
	LLVMContextSetDiagnosticHandler(context, old_handler, old_user);
	LLVMDisposeTargetMachine(machine);
	free(d.error);
	return result;
}
