// SPDX-License-Identifier: MIT
/*
 * Reads and checks the metadata and the tensor table of a model.
 */
#include "params.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DIM	    (1u << 20)
#define MAX_CONTEXT (1u << 24)

/* Numbers as GGUF and as hearth.h have them. */
#define TYPE_F32    0
static const uint32_t matrix_types[] = { 0, 1, 30, 8, 2, 12, 13, 14, 20, 39 };

#define MATRIX_TYPES "F32 F16 BF16 Q8_0 Q4_0 Q4_K Q5_K Q6_K IQ4_NL MXFP4"

static bool is_matrix_type(uint32_t type)
{
	size_t i;

	for (i = 0; i < sizeof(matrix_types) / sizeof(matrix_types[0]); i++)
		if (matrix_types[i] == type)
			return true;
	return false;
}

struct field {
	const char *key;
	uint32_t *value;
	bool required;
	uint32_t least;
	uint32_t most;
};

static int read_field(const struct hm_gguf *gguf, const char *key, const struct field *field,
		      struct hm_error *error)
{
	int ret = hm_gguf_u32(gguf, key, field->required, field->value, error);

	if (ret == -ENOENT && !field->required)
		return 0;
	if (ret)
		return ret;
	if (*field->value < field->least || *field->value > field->most)
		return hm_fail(error, -EINVAL, "%s: metadata %s: is %u, expected %u to %u",
			       hm_gguf_name(gguf), key, *field->value, field->least, field->most);
	return 0;
}

static const struct {
	const char *name;
	bool rope_halves;
} archs[] = {
	[HM_ARCH_LLAMA] = { "llama", false },	   [HM_ARCH_QWEN2] = { "qwen2", true },
	[HM_ARCH_QWEN3] = { "qwen3", true },	   [HM_ARCH_GEMMA2] = { "gemma2", true },
	[HM_ARCH_GEMMA3] = { "gemma3", true },	   [HM_ARCH_QWEN2MOE] = { "qwen2moe", true },
	[HM_ARCH_QWEN3MOE] = { "qwen3moe", true }, [HM_ARCH_PHI3] = { "phi3", true },
};

#define ARCH_NAMES "llama qwen2 qwen3 gemma2 gemma3 qwen2moe qwen3moe phi3"
#define ARCH_COUNT (sizeof(archs) / sizeof(archs[0]))
#define KEY_BYTES  96

static bool is(struct hm_string string, const char *text)
{
	return string.length == strlen(text) && !memcmp(string.bytes, text, string.length);
}

/* The key of this architecture: "qwen2.block_count". */
static const char *arch_key(const struct hm_params *p, const char *name, char key[KEY_BYTES])
{
	snprintf(key, KEY_BYTES, "%s.%s", archs[p->arch].name, name);
	return key;
}

static int read_long_rope(const struct hm_gguf *gguf, struct hm_params *p, struct hm_error *error)
{
	const struct field context = { "rope.scaling.original_context_length", &p->rope_context,
				       false, 1, MAX_CONTEXT };
	char key[KEY_BYTES];
	int ret;

	p->rope_context = p->context;
	ret = read_field(gguf, arch_key(p, context.key, key), &context, error);
	if (ret)
		return ret;
	ret = hm_gguf_f32(gguf, arch_key(p, "rope.scaling.attn_factor", key), false,
			  &p->rope_magnitude, error);
	if (ret && ret != -ENOENT)
		return ret;
	if (!(p->rope_magnitude > 0) || p->rope_magnitude > 1000)
		return hm_fail(error, -EINVAL,
			       "%s: metadata %s: is %g, expected more than 0, to 1000",
			       hm_gguf_name(gguf), key, (double)p->rope_magnitude);
	return 0;
}

/* Linear scaling is a factor on positions; other kinds would compute something else than is computed here. */
static int read_scaling(const struct hm_gguf *gguf, struct hm_params *p, struct hm_error *error)
{
	struct hm_string text;
	float factor = 1.0f;
	char key[KEY_BYTES];
	int ret;

	p->rope_scale = 1.0f;
	p->rope_magnitude = 1.0f;
	if (p->arch == HM_ARCH_PHI3) {
		ret = read_long_rope(gguf, p, error);
		if (ret)
			return ret;
	}
	ret = hm_gguf_string(gguf, arch_key(p, "rope.scaling.type", key), false, &text, error);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	if (is(text, "none") || (p->arch == HM_ARCH_PHI3 && is(text, "longrope")))
		return 0;
	if (!is(text, "linear"))
		return hm_fail(
			error, -ENOTSUP,
			"%s: metadata %s: \"%.*s\" is not supported (supported: none linear)",
			hm_gguf_name(gguf), key, (int)(text.length < 32 ? text.length : 32),
			text.bytes);
	ret = hm_gguf_f32(gguf, arch_key(p, "rope.scaling.factor", key), true, &factor, error);
	if (ret)
		return ret;
	if (!(factor >= 1) || factor > 1e6f)
		return hm_fail(error, -EINVAL, "%s: metadata %s: is %g, expected 1 to 1000000",
			       hm_gguf_name(gguf), key, (double)factor);
	p->rope_scale = 1.0f / factor;
	return 0;
}

static bool is_gemma(const struct hm_params *p)
{
	return p->arch == HM_ARCH_GEMMA2 || p->arch == HM_ARCH_GEMMA3;
}

static bool may_have_window(const struct hm_params *p)
{
	return is_gemma(p) || p->arch == HM_ARCH_LLAMA || p->arch == HM_ARCH_PHI3;
}

static int read_cap(const struct hm_gguf *gguf, const struct hm_params *p, const char *name,
		    float *cap, struct hm_error *error)
{
	char key[KEY_BYTES];
	int ret = hm_gguf_f32(gguf, arch_key(p, name, key), false, cap, error);

	if (ret && ret != -ENOENT)
		return ret;
	if (!(*cap >= 0) || *cap > 1e6f)
		return hm_fail(error, -EINVAL, "%s: metadata %s: is %g, expected 0 to 1000000",
			       hm_gguf_name(gguf), key, (double)*cap);
	return 0;
}

/* Numbers that Gemma's files leave out are those of its first models. */
static int read_shape(const struct hm_gguf *gguf, struct hm_params *p, struct hm_error *error)
{
	bool two = p->arch == HM_ARCH_GEMMA2, three = p->arch == HM_ARCH_GEMMA3;
	uint32_t head = p->head_size;
	const struct field fields[] = {
		{ "attention.sliding_window", &p->window, false, 1, UINT32_MAX },
		{ "attention.sliding_window_pattern", &p->window_period, false, 2, HM_MAX_LAYERS },
	};
	char key[KEY_BYTES];
	int ret;

	p->embedding_scale = 1;
	p->attention_scale = 1 / sqrtf((float)head);
	if (two)
		p->window = 4096;
	if (may_have_window(p)) {
		ret = read_field(gguf, arch_key(p, fields[0].key, key), &fields[0], error);
		if (ret)
			return ret;
	}
	if (p->window >= p->context)
		p->window = 0;
	if (!is_gemma(p))
		return 0;
	p->window_period = two ? 2 : 6;
	ret = read_field(gguf, arch_key(p, fields[1].key, key), &fields[1], error);
	if (ret)
		return ret;
	p->gelu = true;
	p->embedding_scale = sqrtf((float)p->dim);
	p->rope_base_window = three ? 10000 : 0;
	/* The largest of either generation divide by the share of a head in the embedding. */
	if (p->layers == (two ? 46 : 62))
		p->attention_scale = 1 / sqrtf((float)(p->dim / p->heads));
	p->attention_cap = two ? 50 : 0;
	p->logit_cap = two ? 30 : 0;
	ret = read_cap(gguf, p, "attn_logit_softcapping", &p->attention_cap, error);
	return ret ? ret : read_cap(gguf, p, "final_logit_softcapping", &p->logit_cap, error);
}

/* Sizes that files leave out follow from the feed-forward part's, as the first such files had it. */
static int read_experts(const struct hm_gguf *gguf, struct hm_params *p, struct hm_error *error)
{
	bool own = p->arch == HM_ARCH_QWEN2MOE || p->arch == HM_ARCH_QWEN3MOE;
	bool shared = p->arch == HM_ARCH_QWEN2MOE;
	uint32_t gating = 1;
	const struct field fields[] = {
		{ "expert_count", &p->experts, own, own,
		  own || p->arch == HM_ARCH_LLAMA ? 1024 : 0 },
		{ "expert_used_count", &p->experts_used, false, 0, 64 },
		{ "expert_feed_forward_length", &p->expert_hidden, false, 1, MAX_DIM },
		{ "expert_shared_feed_forward_length", &p->shared_hidden, false, 1, MAX_DIM },
		{ "expert_gating_func", &gating, false, 1, 1 }, /* softmax */
	};
	char key[KEY_BYTES];
	size_t i;
	int ret;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (i && !p->experts)
			return 0;
		if ((i == 2 && !own) || (i == 3 && !shared))
			continue; /* means nothing there */
		ret = read_field(gguf, arch_key(p, fields[i].key, key), &fields[i], error);
		if (ret)
			return ret;
	}
	if (!p->experts_used || p->experts_used > p->experts)
		return hm_fail(error, -EINVAL,
			       "%s: metadata %s: is %u, expected 1 to the %u experts",
			       hm_gguf_name(gguf), arch_key(p, fields[1].key, key), p->experts_used,
			       p->experts);
	p->experts_normalise = p->arch != HM_ARCH_QWEN2MOE;
	if (!p->expert_hidden)
		p->expert_hidden = own ? p->hidden / p->experts_used : p->hidden;
	if (shared && !p->shared_hidden)
		p->shared_hidden = p->hidden;
	return p->expert_hidden
		       ? 0
		       : hm_fail(error, -EINVAL, "%s: metadata %s: is %u, too few for %u experts",
				 hm_gguf_name(gguf), arch_key(p, "feed_forward_length", key),
				 p->hidden, p->experts_used);
}

/* What would change the computation and is not known here must be absent or neutral. */
static int refuse_variants(const struct hm_gguf *gguf, const struct hm_params *p,
			   struct hm_error *error)
{
	static const char *const floats[] = {
		"attention.max_alibi_bias",
		"attention.clamp_kqv",
		"embedding_scale",
		"residual_scale",
		"logit_scale",
		"attention.scale",
		"expert_weights_scale",
		/* What only Gemma has comes last. */
		"attn_logit_softcapping",
		"final_logit_softcapping",
	};
	size_t float_count = sizeof(floats) / sizeof(floats[0]) - (is_gemma(p) ? 2 : 0);
	uint32_t window = 0, groups = 0;
	/* Others mean some layers by it; a window as long as the context leaves nothing out. */
	uint32_t least = may_have_window(p) ? 1 : p->context;
	const struct field fields[] = {
		{ "expert_group_count", &groups, false, 0, 1 },
		{ "attention.sliding_window", &window, false, least, UINT32_MAX },
	};
	char key[KEY_BYTES];
	float value;
	size_t i;
	int ret;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		ret = read_field(gguf, arch_key(p, fields[i].key, key), &fields[i], error);
		if (ret)
			return ret;
	}
	for (i = 0; i < float_count; i++) {
		value = 0;
		ret = hm_gguf_f32(gguf, arch_key(p, floats[i], key), false, &value, error);
		if (ret && ret != -ENOENT)
			return ret;
		if (value != 0)
			return hm_fail(error, -ENOTSUP,
				       "%s: metadata %s: is %g; what it asks for is not supported",
				       hm_gguf_name(gguf), key, (double)value);
	}
	return 0;
}

static int read_arch(const struct hm_gguf *gguf, struct hm_params *p, struct hm_error *error)
{
	struct hm_string text;
	size_t i;
	int ret;

	ret = hm_gguf_string(gguf, "general.architecture", true, &text, error);
	if (ret)
		return ret;
	for (i = 0; i < ARCH_COUNT; i++) {
		if (is(text, archs[i].name)) {
			p->arch = (enum hm_arch)i;
			p->rope_halves = archs[i].rope_halves;
			return 0;
		}
	}
	return hm_fail(error, -ENOTSUP,
		       "%s: metadata general.architecture: \"%.*s\" is not supported "
		       "(supported: " ARCH_NAMES ")",
		       hm_gguf_name(gguf), (int)(text.length < 64 ? text.length : 64), text.bytes);
}

int hm_params_read(const struct hm_gguf *gguf, struct hm_params *p, struct hm_error *error)
{
	const struct hm_gguf_tensor *embedding;
	const char *arch;
	struct hm_string text;
	uint32_t value_length = 0;
	char key[KEY_BYTES];
	size_t i;
	int ret;

	*p = (struct hm_params){ .rope_base = 10000.0f };
	ret = read_arch(gguf, p, error);
	if (ret)
		return ret;
	arch = archs[p->arch].name;
	if (!hm_gguf_string(gguf, "general.name", false, &text, NULL))
		snprintf(p->name, sizeof(p->name), "%.*s",
			 (int)(text.length < 127 ? text.length : 127), text.bytes);
	const struct field fields[] = {
		{ "context_length", &p->context, true, 1, MAX_CONTEXT },
		{ "embedding_length", &p->dim, true, 1, MAX_DIM },
		{ "block_count", &p->layers, true, 1, HM_MAX_LAYERS },
		{ "feed_forward_length", &p->hidden, true, 1, MAX_DIM },
		{ "attention.head_count", &p->heads, true, 1, 4096 },
		{ "attention.head_count_kv", &p->kv_heads, false, 1, 4096 },
		{ "attention.key_length", &p->head_size, false, 1, 1024 },
		{ "attention.value_length", &value_length, false, 1, 1024 },
		{ "rope.dimension_count", &p->rope_dims, false, 2, 1024 },
	};

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		ret = read_field(gguf, arch_key(p, fields[i].key, key), &fields[i], error);
		if (ret)
			return ret;
	}
	if (!p->kv_heads)
		p->kv_heads = p->heads;
	if (!p->head_size && p->dim % p->heads)
		return hm_fail(error, -EINVAL,
			       "%s: metadata %s.embedding_length: is %u, expected a multiple of "
			       "the %u heads",
			       hm_gguf_name(gguf), arch, p->dim, p->heads);
	if (!p->head_size)
		p->head_size = p->dim / p->heads;
	if (!p->rope_dims)
		p->rope_dims = p->head_size;
	if (p->heads % p->kv_heads)
		return hm_fail(error, -EINVAL,
			       "%s: metadata %s.attention.head_count_kv: is %u, expected a "
			       "divisor of the %u heads",
			       hm_gguf_name(gguf), arch, p->kv_heads, p->heads);
	if (p->head_size > 1024 || p->rope_dims % 2 || p->rope_dims > p->head_size ||
	    (value_length && value_length != p->head_size))
		return hm_fail(
			error, -ENOTSUP,
			"%s: metadata %s.attention: heads of %u elements (values %u), %u of "
			"them turned: expected at most 1024, equal, and an even number of those",
			hm_gguf_name(gguf), arch, p->head_size,
			value_length ? value_length : p->head_size, p->rope_dims);
	ret = hm_gguf_f32(gguf, arch_key(p, "attention.layer_norm_rms_epsilon", key), true,
			  &p->epsilon, error);
	if (ret)
		return ret;
	ret = hm_gguf_f32(gguf, arch_key(p, "rope.freq_base", key), false, &p->rope_base, error);
	if (ret && ret != -ENOENT)
		return ret;
	if (!(p->epsilon >= 0) || !(p->rope_base > 0))
		return hm_fail(error, -EINVAL,
			       "%s: metadata %s: norm epsilon %g and rope base %g, expected no "
			       "negative ones",
			       hm_gguf_name(gguf), arch, p->epsilon, p->rope_base);
	embedding = hm_gguf_find_tensor(gguf, "token_embd.weight");
	if (!embedding)
		return hm_fail(error, -ENOENT, "%s: tensor token_embd.weight: missing",
			       hm_gguf_name(gguf));
	p->vocabulary = (uint32_t)embedding->dims[1];
	ret = read_scaling(gguf, p, error);
	if (!ret)
		ret = refuse_variants(gguf, p, error);
	if (!ret)
		ret = read_experts(gguf, p, error);
	return ret ? ret : read_shape(gguf, p, error);
}

/*
 * Finds a tensor and counts it; @rows 0 means a vector of @columns, which must be F32. @stack: of so many matrices.
 */
static int take_stack(const struct hm_gguf *gguf, const char *name, uint32_t rows, uint32_t columns,
		      uint32_t stack, bool required, uint64_t *used,
		      const struct hm_gguf_tensor **out, struct hm_error *error)
{
	const struct hm_gguf_tensor *tensor = hm_gguf_find_tensor(gguf, name);
	bool matrix = rows != 0;

	*out = tensor;
	if (!tensor)
		return required ? hm_fail(error, -ENOENT, "%s: tensor %s: missing",
					  hm_gguf_name(gguf), name)
				: 0;
	if (tensor->dims[0] != columns || tensor->dims[1] != (matrix ? rows : 1) ||
	    tensor->dims[2] != stack || tensor->dims[3] != 1)
		return hm_fail(error, -EINVAL,
			       "%s: tensor %s: shape [%llu, %llu, %llu, %llu], expected [%u, %u]%s",
			       hm_gguf_name(gguf), name, (unsigned long long)tensor->dims[0],
			       (unsigned long long)tensor->dims[1],
			       (unsigned long long)tensor->dims[2],
			       (unsigned long long)tensor->dims[3], columns, matrix ? rows : 1,
			       stack > 1 ? " for each expert" : "");
	if (matrix ? !is_matrix_type(tensor->type) : tensor->type != TYPE_F32)
		return hm_fail(error, -ENOTSUP,
			       "%s: tensor %s: type %s is not supported (supported: %s)",
			       hm_gguf_name(gguf), name, hm_gguf_type_name(tensor->type),
			       matrix ? MATRIX_TYPES : "F32");
	(*used)++;
	return 0;
}

static int take(const struct hm_gguf *gguf, const char *name, uint32_t rows, uint32_t columns,
		bool required, uint64_t *used, const struct hm_gguf_tensor **out,
		struct hm_error *error)
{
	return take_stack(gguf, name, rows, columns, 1, required, used, out, error);
}

static int take_layer(const struct hm_gguf *gguf, const struct hm_params *p, uint32_t index,
		      struct hm_layer_tensors *layer, uint64_t *used, struct hm_error *error)
{
	uint32_t q = p->heads * p->head_size, kv = p->kv_heads * p->head_size;
	bool qwen2 = p->arch == HM_ARCH_QWEN2 || p->arch == HM_ARCH_QWEN2MOE, gemma = is_gemma(p);
	bool qwen3 = p->arch == HM_ARCH_QWEN3 || p->arch == HM_ARCH_QWEN3MOE;
	bool head_norms = qwen3 || p->arch == HM_ARCH_GEMMA3,
	     no_bias = qwen3 || gemma || p->arch == HM_ARCH_PHI3;
	bool dense = !p->experts, shared = p->shared_hidden != 0;
	bool joined = p->arch == HM_ARCH_PHI3, apart = !joined;
	uint32_t stack = p->experts, expert = p->expert_hidden;
	/* Tensors that are not required are taken where they are, if the architecture knows them. */
	const struct {
		const char *name;
		const struct hm_gguf_tensor **tensor;
		uint32_t rows;
		uint32_t columns;
		bool required;
		bool unknown;
		uint32_t stack; /* 0: no stack */
	} wanted[] = {
		{ "attn_norm.weight", &layer->attn_norm, 0, p->dim, true, false, 0 },
		{ "attn_q.weight", &layer->attn_q, q, p->dim, apart, joined, 0 },
		{ "attn_k.weight", &layer->attn_k, kv, p->dim, apart, joined, 0 },
		{ "attn_v.weight", &layer->attn_v, kv, p->dim, apart, joined, 0 },
		{ "attn_qkv.weight", &layer->attn_qkv, q + 2 * kv, p->dim, joined, apart, 0 },
		{ "attn_q.bias", &layer->attn_q_bias, 0, q, qwen2, no_bias, 0 },
		{ "attn_k.bias", &layer->attn_k_bias, 0, kv, qwen2, no_bias, 0 },
		{ "attn_v.bias", &layer->attn_v_bias, 0, kv, qwen2, no_bias, 0 },
		{ "attn_q_norm.weight", &layer->attn_q_norm, 0, p->head_size, head_norms,
		  !head_norms, 0 },
		{ "attn_k_norm.weight", &layer->attn_k_norm, 0, p->head_size, head_norms,
		  !head_norms, 0 },
		{ "attn_output.weight", &layer->attn_output, p->dim, q, true, false, 0 },
		{ "post_attention_norm.weight", &layer->attn_post_norm, 0, p->dim, gemma, !gemma,
		  0 },
		{ "post_ffw_norm.weight", &layer->ffn_post_norm, 0, p->dim, gemma, !gemma, 0 },
		{ "ffn_norm.weight", &layer->ffn_norm, 0, p->dim, true, false, 0 },
		{ "ffn_gate.weight", &layer->ffn_gate, p->hidden, p->dim, dense, !dense || joined,
		  0 },
		{ "ffn_up.weight", &layer->ffn_up, p->hidden, p->dim, dense, !dense || joined, 0 },
		{ "ffn_up.weight", &layer->ffn_gate_up, 2 * p->hidden, p->dim, joined, apart, 0 },
		{ "ffn_down.weight", &layer->ffn_down, p->dim, p->hidden, dense, !dense, 0 },
		{ "ffn_gate_inp.weight", &layer->router, stack, p->dim, !dense, dense, 0 },
		{ "ffn_gate_exps.weight", &layer->experts_gate, expert, p->dim, !dense, dense,
		  stack },
		{ "ffn_up_exps.weight", &layer->experts_up, expert, p->dim, !dense, dense, stack },
		{ "ffn_down_exps.weight", &layer->experts_down, p->dim, expert, !dense, dense,
		  stack },
		{ "ffn_gate_inp_shexp.weight", &layer->shared_router, 0, p->dim, shared, !shared,
		  0 },
		{ "ffn_gate_shexp.weight", &layer->shared_gate, p->shared_hidden, p->dim, shared,
		  !shared, 0 },
		{ "ffn_up_shexp.weight", &layer->shared_up, p->shared_hidden, p->dim, shared,
		  !shared, 0 },
		{ "ffn_down_shexp.weight", &layer->shared_down, p->dim, p->shared_hidden, shared,
		  !shared, 0 },
	};
	char name[64];
	size_t i;
	int ret;

	for (i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (wanted[i].unknown)
			continue;
		snprintf(name, sizeof(name), "blk.%u.%s", index, wanted[i].name);
		ret = take_stack(gguf, name, wanted[i].rows, wanted[i].columns,
				 wanted[i].stack ? wanted[i].stack : 1, wanted[i].required, used,
				 wanted[i].tensor, error);
		if (ret)
			return ret;
	}
	return 0;
}

#define LAYER_PARTS 5

/* Rows [first, first + rows) of a matrix. */
static const struct hm_gguf_tensor *cut(const struct hm_gguf_tensor *whole, uint64_t first,
					uint64_t rows, struct hm_gguf_tensor *part)
{
	uint64_t row_bytes = whole->bytes / whole->dims[1];

	*part = *whole;
	part->dims[1] = rows;
	part->bytes = rows * row_bytes;
	part->data += first * row_bytes;
	return part;
}

static void cut_joined(const struct hm_params *p, struct hm_layer_tensors *layer,
		       struct hm_gguf_tensor parts[LAYER_PARTS])
{
	uint32_t q = p->heads * p->head_size, kv = p->kv_heads * p->head_size;

	if (layer->attn_qkv) {
		layer->attn_q = cut(layer->attn_qkv, 0, q, &parts[0]);
		layer->attn_k = cut(layer->attn_qkv, q, kv, &parts[1]);
		layer->attn_v = cut(layer->attn_qkv, q + kv, kv, &parts[2]);
	}
	if (layer->ffn_gate_up) {
		layer->ffn_gate = cut(layer->ffn_gate_up, 0, p->hidden, &parts[3]);
		layer->ffn_up = cut(layer->ffn_gate_up, p->hidden, p->hidden, &parts[4]);
	}
}

/* Names the first tensor that is not one of those taken. */
static int refuse_unused(const struct hm_gguf *gguf, const struct hm_params *p,
			 const struct hm_tensors *t, struct hm_error *error)
{
	uint64_t i;
	uint32_t layer;
	size_t j;

	for (i = 0; i < hm_gguf_tensor_count(gguf); i++) {
		const struct hm_gguf_tensor *tensor = hm_gguf_tensor_at(gguf, i);
		bool found = tensor == t->embedding || tensor == t->output_norm ||
			     tensor == t->output || tensor == t->rope_factors ||
			     tensor == t->rope_factors_long;

		for (layer = 0; layer < p->layers && !found; layer++) {
			const struct hm_gguf_tensor *const *all = (const void *)&t->layers[layer];

			for (j = 0; j < sizeof(*t->layers) / sizeof(*all); j++)
				found |= all[j] == tensor;
		}
		if (!found)
			return hm_fail(error, -ENOTSUP,
				       "%s: tensor %.*s: is not part of a %u-layer %s model",
				       hm_gguf_name(gguf), (int)tensor->name.length,
				       tensor->name.bytes, p->layers, archs[p->arch].name);
	}
	return 0;
}

int hm_tensors_read(const struct hm_gguf *gguf, const struct hm_params *p, struct hm_tensors *t,
		    struct hm_error *error)
{
	bool long_rope = p->arch == HM_ARCH_PHI3;
	uint64_t used = 0;
	uint32_t i;
	int ret;

	*t = (struct hm_tensors){ 0 };
	t->layers = calloc(p->layers, sizeof(*t->layers));
	t->parts = calloc((size_t)p->layers * LAYER_PARTS, sizeof(*t->parts));
	if (!t->layers || !t->parts) {
		hm_tensors_free(t);
		return hm_fail(error, -ENOMEM, "%s: out of memory", hm_gguf_name(gguf));
	}
	ret = take(gguf, "token_embd.weight", p->vocabulary, p->dim, true, &used, &t->embedding,
		   error);
	if (!ret)
		ret = take(gguf, "output_norm.weight", 0, p->dim, true, &used, &t->output_norm,
			   error);
	if (!ret)
		ret = take(gguf, "output.weight", p->vocabulary, p->dim, false, &used, &t->output,
			   error);
	if (!ret)
		ret = take(gguf, long_rope ? "rope_factors_short.weight" : "rope_freqs.weight", 0,
			   p->rope_dims / 2, false, &used, &t->rope_factors, error);
	if (!ret && long_rope)
		ret = take(gguf, "rope_factors_long.weight", 0, p->rope_dims / 2,
			   t->rope_factors != NULL, &used, &t->rope_factors_long, error);
	for (i = 0; i < p->layers && !ret; i++) {
		ret = take_layer(gguf, p, i, &t->layers[i], &used, error);
		if (!ret)
			cut_joined(p, &t->layers[i], &t->parts[i * LAYER_PARTS]);
	}
	if (!ret && used != hm_gguf_tensor_count(gguf))
		ret = refuse_unused(gguf, p, t, error);
	if (ret) {
		hm_tensors_free(t);
		return ret;
	}
	if (!t->output)
		t->output = t->embedding;
	return 0;
}

void hm_tensors_free(struct hm_tensors *tensors)
{
	free(tensors->layers);
	free(tensors->parts);
	tensors->layers = NULL;
	tensors->parts = NULL;
}
