// SPDX-License-Identifier: MIT
/*
 * First pass: checks the module with SPIRV-Tools' validator, sets its specialization constants and lets
 * SPIRV-Tools' optimizer inline functions and bring variables into SSA form. Loops are unrolled where the shader asks for it.
 */
#include "hc_internal.h"

#include <stdio.h>
#include <string.h>
#include <spirv-tools/libspirv.h>
#include <spirv/unified1/spirv.h>

#define HEADER_WORDS	   5
/* What takes LLVM seconds to compile is better left rolled, from the outermost loops inwards. */
#define MAX_UNROLLED_WORDS 16000
#define MAX_UNROLL_DEPTH   6

static const char *const before_unrolling[] = {
	"--freeze-spec-const",
	"--fold-spec-const-op-composite",
	"--ccp",
	"--eliminate-dead-branches",
	"--merge-return",
	"--inline-entry-points-exhaustive",
	"--eliminate-dead-functions",
	"--private-to-local",
	"--scalar-replacement=0",
	"--convert-local-access-chains",
	"--eliminate-local-single-block",
	"--eliminate-local-single-store",
	"--eliminate-dead-code-aggressive",
	"--ssa-rewrite",
	"--ccp",
	"--eliminate-dead-branches",
	NULL,
};

static const char *const unrolling[] = {
	/* Loops that ask for it; then their arrays, now indexed by constants, become values too. */
	"--loop-unroll",
	"--simplify-instructions",
	"--ccp",
	"--eliminate-dead-branches",
	"--merge-blocks",
	"--scalar-replacement=0",
	"--convert-local-access-chains",
	"--eliminate-local-single-block",
	"--eliminate-local-single-store",
	"--ssa-rewrite",
	"--ccp",
	"--eliminate-dead-code-aggressive",
	"--combine-access-chains",
	"--redundancy-elimination",
	"--vector-dce",
	"--simplify-instructions",
	"--merge-blocks",
	"--eliminate-dead-code-aggressive",
	NULL,
};

/* What the optimizer has to say of a module that the validator accepted is not for users. */
static void note(spv_message_level_t level, const char *source, const spv_position_t *position,
		 const char *message)
{
	(void)source;
	(void)position;
	(void)level;
	(void)message;
}

static void check(struct hc *hc, spv_context context, const uint32_t *words, size_t count)
{
	spv_validator_options options = spvValidatorOptionsCreate();
	spv_const_binary_t binary = { words, count };
	spv_diagnostic diagnostic = NULL;
	char text[512] = "no reason given";
	spv_result_t result;

	spvValidatorOptionsSetScalarBlockLayout(options, true);
	spvValidatorOptionsSetWorkgroupScalarBlockLayout(options, true);
	result = spvValidateWithOptions(context, options, &binary, &diagnostic);
	if (diagnostic)
		snprintf(text, sizeof(text), "%s (word %zu)", diagnostic->error,
			 diagnostic->position.index);
	spvDiagnosticDestroy(diagnostic);
	spvValidatorOptionsDestroy(options);
	if (result == SPV_ERROR_OUT_OF_MEMORY)
		hc_abort(hc, HC_ERROR_OUT_OF_MEMORY, "out of memory");
	if (result != SPV_SUCCESS)
		hc_abort(hc, HC_ERROR_INVALID_SPIRV, "%s", text);
}

/* The literal words of specialization constant @id. */
static const struct hc_spec_constant *value_of(const struct hc_compile_info *info, uint32_t id)
{
	uint32_t i;

	for (i = 0; i < info->spec_constant_count; i++)
		if (info->spec_constants[i].id == id)
			return &info->spec_constants[i];
	return NULL;
}

/* Writes the caller's values into the defaults of the constants that carry a SpecId. */
static void specialize(struct hc *hc, uint32_t *words, size_t count)
{
	uint32_t bound = words[3];
	uint32_t *spec_id;
	size_t i, length;

	if (!hc->info->spec_constant_count)
		return;
	if (bound > HC_MAX_IDS)
		hc_abort(hc, HC_ERROR_UNSUPPORTED, "id bound %u, at most %u are handled", bound,
			 HC_MAX_IDS);
	spec_id = HC_NEW(hc, uint32_t, bound);
	/* The module is valid, so every instruction lies inside and has its operands. */
	for (i = HEADER_WORDS; i < count; i += length) {
		const struct hc_spec_constant *value;
		uint32_t op = words[i] & 0xffff;

		length = words[i] >> 16;
		if (op == SpvOpDecorate && words[i + 2] == SpvDecorationSpecId)
			spec_id[words[i + 1]] = words[i + 3] + 1;
		if (op != SpvOpSpecConstant && op != SpvOpSpecConstantTrue &&
		    op != SpvOpSpecConstantFalse)
			continue;
		if (!spec_id[words[i + 2]])
			continue;
		value = value_of(hc->info, spec_id[words[i + 2]] - 1);
		if (!value)
			continue;
		if (op == SpvOpSpecConstant) {
			words[i + 3] = (uint32_t)value->value;
			if (length > 4)
				words[i + 4] = (uint32_t)(value->value >> 32);
		} else {
			words[i] = (words[i] & 0xffff0000) |
				   (value->value ? SpvOpSpecConstantTrue : SpvOpSpecConstantFalse);
		}
	}
}

static spv_binary optimize(struct hc *hc, const uint32_t *words, size_t count,
			   const char *const *passes)
{
	spv_optimizer_t *optimizer = spvOptimizerCreate(SPV_ENV_VULKAN_1_3);
	spv_optimizer_options options = spvOptimizerOptionsCreate();
	spv_binary optimized = NULL;
	spv_result_t result;

	spvOptimizerOptionsSetRunValidator(options, false);
	spvOptimizerSetMessageConsumer(optimizer, note);
	for (; *passes; passes++)
		spvOptimizerRegisterPassFromFlag(optimizer, *passes);
	result = spvOptimizerRun(optimizer, words, count, &optimized, options);
	spvOptimizerOptionsDestroy(options);
	spvOptimizerDestroy(optimizer);
	if (result != SPV_SUCCESS || !optimized)
		hc_abort(hc, HC_ERROR_INTERNAL, "SPIRV-Tools' optimizer failed with %d", result);
	return optimized;
}

/*
 * Takes back the wish to be unrolled from loops that lie in no other such loop. A loop's blocks stand between its header and
 * its merge block. Returns false if there was none.
 */
static bool keep_rolled(uint32_t *words, size_t count)
{
	uint32_t merge = 0, length;
	bool found = false;
	size_t i;

	for (i = HEADER_WORDS; i < count; i += length) {
		uint32_t op = words[i] & 0xffff;

		length = words[i] >> 16;
		if (op == SpvOpLabel && merge == words[i + 1])
			merge = 0;
		if (op != SpvOpLoopMerge || merge || !(words[i + 3] & SpvLoopControlUnrollMask))
			continue;
		merge = words[i + 1];
		words[i + 3] &= ~(uint32_t)SpvLoopControlUnrollMask;
		words[i + 3] |= SpvLoopControlDontUnrollMask;
		found = true;
	}
	return found;
}

static spv_binary unroll(struct hc *hc, spv_binary before)
{
	spv_binary optimized = optimize(hc, before->code, before->wordCount, unrolling);
	uint32_t depth;

	for (depth = 1; optimized->wordCount > MAX_UNROLLED_WORDS && depth <= MAX_UNROLL_DEPTH;
	     depth++) {
		if (!keep_rolled(before->code, before->wordCount))
			break;
		spvBinaryDestroy(optimized);
		optimized = optimize(hc, before->code, before->wordCount, unrolling);
	}
	return optimized;
}

uint32_t *hc_prepare(struct hc *hc, size_t *word_count)
{
	const struct hc_compile_info *info = hc->info;
	spv_context context;
	spv_binary before, optimized;
	uint32_t *words;

	if (info->spirv_words < HEADER_WORDS || info->spirv[0] != SpvMagicNumber)
		hc_abort(hc, HC_ERROR_INVALID_SPIRV,
			 "%zu words starting with 0x%08x, expected a SPIR-V module",
			 info->spirv_words, info->spirv_words ? info->spirv[0] : 0);
	words = HC_NEW(hc, uint32_t, info->spirv_words);
	memcpy(words, info->spirv, info->spirv_words * sizeof(*words));
	context = spvContextCreate(SPV_ENV_VULKAN_1_3);
	if (!context)
		hc_abort(hc, HC_ERROR_OUT_OF_MEMORY, "out of memory");
	/* Destroyed with the compilation, since what follows may leave through hc_abort(). */
	hc->tools = context;
	check(hc, context, words, info->spirv_words);
	specialize(hc, words, info->spirv_words);

	before = optimize(hc, words, info->spirv_words, before_unrolling);
	optimized = unroll(hc, before);
	spvBinaryDestroy(before);
	words = HC_NEW(hc, uint32_t, optimized->wordCount);
	memcpy(words, optimized->code, optimized->wordCount * sizeof(*words));
	*word_count = optimized->wordCount;
	spvBinaryDestroy(optimized);
	if (hc_wants_dump(hc, "prepare")) {
		spv_text text = NULL;

		if (spvBinaryToText(context, words, *word_count,
				    SPV_BINARY_TO_TEXT_OPTION_INDENT |
					    SPV_BINARY_TO_TEXT_OPTION_FRIENDLY_NAMES,
				    &text, NULL) == SPV_SUCCESS)
			hc_dump(hc, "prepare", text->str);
		spvTextDestroy(text);
	}
	return words;
}

void hc_prepare_fini(struct hc *hc)
{
	if (hc->tools)
		spvContextDestroy(hc->tools);
}
