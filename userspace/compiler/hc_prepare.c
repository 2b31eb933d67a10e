// SPDX-License-Identifier: MIT
/*
 * First pass: checks the module with SPIRV-Tools' validator, sets its specialization constants and lets
 * SPIRV-Tools' optimizer inline functions and bring variables into SSA form. Loops are unrolled where the shader asks for it.
 */
/* The header's helpers are C99 `inline` with no definition of their own. */
#define SPV_ENABLE_UTILITY_CODE
#define inline static inline
#include <spirv/unified1/spirv.h>
#undef inline
#include "hc_internal.h"

#include <stdio.h>
#include <string.h>
#include <spirv-tools/libspirv.h>

#define HEADER_WORDS	   5
/* What takes LLVM seconds to compile is better left rolled, from the outermost loops inwards. */
#define MAX_UNROLLED_WORDS 16000
#define MAX_UNROLL_DEPTH   6

/* Of ids with gaps in their numbers. */
static const char *const numbering[] = { "--compact-ids", NULL };

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

/* There are no calls: what asks not to be inlined would stay behind. */
static void allow_inlining(uint32_t *words, size_t count)
{
	size_t i;

	for (i = HEADER_WORDS; i < count; i += words[i] >> 16)
		if ((words[i] & 0xffff) == SpvOpFunction)
			words[i + 3] &= ~(uint32_t)SpvFunctionControlDontInlineMask;
}

/*
 * The optimizer takes a constant's components for 32-bit words when it folds a bit cast, which is wrong for narrower ones. Casts
 * that change the width of such components pass it under the name of an instruction that has one operand too, that it folds not, and
 * that compute shaders cannot have.
 */
#define HIDDEN_CAST SpvOpDPdxFine

static void hide_casts(struct hc *hc, uint32_t *words, size_t count)
{
	uint8_t *width = HC_NEW(hc, uint8_t, words[3]); /* of types' components, and of values' */
	size_t i;

	for (i = HEADER_WORDS; i < count; i += words[i] >> 16) {
		uint32_t op = words[i] & 0xffff, *w = words + i + 1;
		bool has_result, has_type;

		SpvHasResultAndType((SpvOp)op, &has_result, &has_type);
		if (op == SpvOpTypeInt || op == SpvOpTypeFloat)
			width[w[0]] = (uint8_t)w[1];
		else if (op == SpvOpTypeVector)
			width[w[0]] = width[w[1]];
		else if (has_type && has_result)
			width[w[1]] = width[w[0]];
		if (op == SpvOpBitcast && width[w[2]] != width[w[1]] &&
		    (width[w[2]] < 32 || width[w[1]] < 32))
			words[i] = (words[i] & 0xffff0000) | HIDDEN_CAST;
	}
}

static void show_casts(uint32_t *words, size_t count)
{
	size_t i;

	for (i = HEADER_WORDS; i < count; i += words[i] >> 16)
		if ((words[i] & 0xffff) == HIDDEN_CAST)
			words[i] = (words[i] & 0xffff0000) | SpvOpBitcast;
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

/* The words of an optimizer's result, which is freed. */
static uint32_t *take(struct hc *hc, spv_binary binary, size_t *count)
{
	uint32_t *words = HC_NEW(hc, uint32_t, binary->wordCount);

	memcpy(words, binary->code, binary->wordCount * sizeof(*words));
	*count = binary->wordCount;
	spvBinaryDestroy(binary);
	return words;
}

uint32_t *hc_prepare(struct hc *hc, size_t *word_count)
{
	const struct hc_compile_info *info = hc->info;
	spv_context context;
	spv_binary before, optimized;
	uint32_t *words;
	size_t count;

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
	count = info->spirv_words;
	if (words[3] > HC_MAX_IDS)
		words = take(hc, optimize(hc, words, count, numbering), &count);
	specialize(hc, words, count);
	allow_inlining(words, count);
	hide_casts(hc, words, count);

	before = optimize(hc, words, count, before_unrolling);
	optimized = unroll(hc, before);
	spvBinaryDestroy(before);
	words = take(hc, optimized, word_count);
	show_casts(words, *word_count);
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
