// SPDX-License-Identifier: MIT
/*
 * Reads and checks the metadata and the tensor table of a Llama-architecture model.
 */
#include "params.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DIM	    (1u << 20)
#define MAX_CONTEXT (1u << 24)

/* Numbers as GGUF and as hearth.h have them. */
enum { TYPE_F32 = 0, TYPE_F16 = 1, TYPE_Q4_0 = 2, TYPE_Q8_0 = 8 };

struct field {
	const char *key;
	uint32_t *value;
	bool required;
	uint32_t least;
	uint32_t most;
};

static int read_field(const struct hm_gguf *gguf, const struct field *field, struct hm_error *error)
{
	int ret = hm_gguf_u32(gguf, field->key, field->required, field->value, error);

	if (ret == -ENOENT && !field->required)
		return 0;
	if (ret)
		return ret;
	if (*field->value < field->least || *field->value > field->most)
		return hm_fail(error, -EINVAL, "%s: metadata %s: is %u, expected %u to %u",
			       hm_gguf_name(gguf), field->key, *field->value, field->least,
			       field->most);
	return 0;
}

/* What would change the computation and is not known here must be absent or neutral. */
static int refuse_variants(const struct hm_gguf *gguf, struct hm_error *error)
{
	static const char *const scaling = "llama.rope.scaling.type";
	struct hm_string text;
	uint32_t experts = 0;
	int ret;

	ret = hm_gguf_string(gguf, scaling, false, &text, error);
	if (ret && ret != -ENOENT)
		return ret;
	if (!ret && (text.length != 4 || memcmp(text.bytes, "none", 4)))
		return hm_fail(error, -ENOTSUP,
			       "%s: metadata %s: \"%.*s\" is not supported (supported: none)",
			       hm_gguf_name(gguf), scaling,
			       (int)(text.length < 32 ? text.length : 32), text.bytes);
	ret = hm_gguf_u32(gguf, "llama.expert_count", false, &experts, error);
	if (ret && ret != -ENOENT)
		return ret;
	if (experts)
		return hm_fail(
			error, -ENOTSUP,
			"%s: metadata llama.expert_count: mixtures of experts are not supported",
			hm_gguf_name(gguf));
	return 0;
}

int hm_params_read(const struct hm_gguf *gguf, struct hm_params *p, struct hm_error *error)
{
	const struct hm_gguf_tensor *embedding;
	struct hm_string text;
	uint32_t value_length = 0;
	size_t i;
	int ret;

	*p = (struct hm_params){ .rope_base = 10000.0f };
	ret = hm_gguf_string(gguf, "general.architecture", true, &text, error);
	if (ret)
		return ret;
	if (text.length != 5 || memcmp(text.bytes, "llama", 5))
		return hm_fail(error, -ENOTSUP,
			       "%s: metadata general.architecture: \"%.*s\" is not supported "
			       "(supported: llama)",
			       hm_gguf_name(gguf), (int)(text.length < 64 ? text.length : 64),
			       text.bytes);
	if (!hm_gguf_string(gguf, "general.name", false, &text, NULL))
		snprintf(p->name, sizeof(p->name), "%.*s",
			 (int)(text.length < 127 ? text.length : 127), text.bytes);
	const struct field fields[] = {
		{ "llama.context_length", &p->context, true, 1, MAX_CONTEXT },
		{ "llama.embedding_length", &p->dim, true, 1, MAX_DIM },
		{ "llama.block_count", &p->layers, true, 1, HM_MAX_LAYERS },
		{ "llama.feed_forward_length", &p->hidden, true, 1, MAX_DIM },
		{ "llama.attention.head_count", &p->heads, true, 1, 4096 },
		{ "llama.attention.head_count_kv", &p->kv_heads, false, 1, 4096 },
		{ "llama.attention.key_length", &p->head_size, false, 1, 1024 },
		{ "llama.attention.value_length", &value_length, false, 1, 1024 },
		{ "llama.rope.dimension_count", &p->rope_dims, false, 2, 1024 },
	};

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		ret = read_field(gguf, &fields[i], error);
		if (ret)
			return ret;
	}
	if (!p->kv_heads)
		p->kv_heads = p->heads;
	if (!p->head_size && p->dim % p->heads)
		return hm_fail(error, -EINVAL,
			       "%s: metadata llama.embedding_length: is %u, expected a multiple of "
			       "the %u heads",
			       hm_gguf_name(gguf), p->dim, p->heads);
	if (!p->head_size)
		p->head_size = p->dim / p->heads;
	if (!p->rope_dims)
		p->rope_dims = p->head_size;
	if (p->heads % p->kv_heads)
		return hm_fail(error, -EINVAL,
			       "%s: metadata llama.attention.head_count_kv: is %u, expected a "
			       "divisor of the %u heads",
			       hm_gguf_name(gguf), p->kv_heads, p->heads);
	if (p->head_size > 1024 || p->rope_dims % 2 || p->rope_dims > p->head_size ||
	    (value_length && value_length != p->head_size))
		return hm_fail(
			error, -ENOTSUP,
			"%s: metadata llama.attention: heads of %u elements (values %u), %u of "
			"them turned: expected at most 1024, equal, and an even number of those",
			hm_gguf_name(gguf), p->head_size,
			value_length ? value_length : p->head_size, p->rope_dims);
	ret = hm_gguf_f32(gguf, "llama.attention.layer_norm_rms_epsilon", true, &p->epsilon, error);
	if (ret)
		return ret;
	ret = hm_gguf_f32(gguf, "llama.rope.freq_base", false, &p->rope_base, error);
	if (ret && ret != -ENOENT)
		return ret;
	if (!(p->epsilon >= 0) || !(p->rope_base > 0))
		return hm_fail(error, -EINVAL,
			       "%s: metadata llama: norm epsilon %g and rope base %g, expected no "
			       "negative ones",
			       hm_gguf_name(gguf), p->epsilon, p->rope_base);
	embedding = hm_gguf_find_tensor(gguf, "token_embd.weight");
	if (!embedding)
		return hm_fail(error, -ENOENT, "%s: tensor token_embd.weight: missing",
			       hm_gguf_name(gguf));
	p->vocabulary = (uint32_t)embedding->dims[1];
	return refuse_variants(gguf, error);
}

/* Finds a tensor and counts it; @rows 0 means a vector of @columns, which must be F32. */
static int take(const struct hm_gguf *gguf, const char *name, uint32_t rows, uint32_t columns,
		bool required, uint64_t *used, const struct hm_gguf_tensor **out,
		struct hm_error *error)
{
	const struct hm_gguf_tensor *tensor = hm_gguf_find_tensor(gguf, name);
	bool matrix = rows != 0;

	*out = tensor;
	if (!tensor)
		return required ? hm_fail(error, -ENOENT, "%s: tensor %s: missing",
					  hm_gguf_name(gguf), name)
				: 0;
	if (tensor->dims[0] != columns || tensor->dims[1] != (matrix ? rows : 1) ||
	    tensor->dims[2] != 1 || tensor->dims[3] != 1)
		return hm_fail(error, -EINVAL,
			       "%s: tensor %s: shape [%llu, %llu, %llu, %llu], expected [%u, %u]",
			       hm_gguf_name(gguf), name, (unsigned long long)tensor->dims[0],
			       (unsigned long long)tensor->dims[1],
			       (unsigned long long)tensor->dims[2],
			       (unsigned long long)tensor->dims[3], columns, matrix ? rows : 1);
	if (matrix ? tensor->type != TYPE_F32 && tensor->type != TYPE_F16 &&
			     tensor->type != TYPE_Q8_0 && tensor->type != TYPE_Q4_0
		   : tensor->type != TYPE_F32)
		return hm_fail(error, -ENOTSUP,
			       "%s: tensor %s: type %s is not supported (supported: %s)",
			       hm_gguf_name(gguf), name, hm_gguf_type_name(tensor->type),
			       matrix ? "F32 F16 Q8_0 Q4_0" : "F32");
	(*used)++;
	return 0;
}

static int take_layer(const struct hm_gguf *gguf, const struct hm_params *p, uint32_t index,
		      struct hm_layer_tensors *layer, uint64_t *used, struct hm_error *error)
{
	uint32_t q = p->heads * p->head_size, kv = p->kv_heads * p->head_size;
	const struct {
		const char *name;
		const struct hm_gguf_tensor **tensor;
		uint32_t rows;
		uint32_t columns;
	} wanted[] = {
		{ "attn_norm", &layer->attn_norm, 0, p->dim },
		{ "attn_q", &layer->attn_q, q, p->dim },
		{ "attn_k", &layer->attn_k, kv, p->dim },
		{ "attn_v", &layer->attn_v, kv, p->dim },
		{ "attn_output", &layer->attn_output, p->dim, q },
		{ "ffn_norm", &layer->ffn_norm, 0, p->dim },
		{ "ffn_gate", &layer->ffn_gate, p->hidden, p->dim },
		{ "ffn_up", &layer->ffn_up, p->hidden, p->dim },
		{ "ffn_down", &layer->ffn_down, p->dim, p->hidden },
	};
	char name[64];
	size_t i;
	int ret;

	for (i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		snprintf(name, sizeof(name), "blk.%u.%s.weight", index, wanted[i].name);
		ret = take(gguf, name, wanted[i].rows, wanted[i].columns, true, used,
			   wanted[i].tensor, error);
		if (ret)
			return ret;
	}
	return 0;
}

/* Names the first tensor that is not one of those taken. */
static int refuse_unused(const struct hm_gguf *gguf, const struct hm_tensors *t, uint32_t layers,
			 struct hm_error *error)
{
	uint64_t i;
	uint32_t layer;
	size_t j;

	for (i = 0; i < hm_gguf_tensor_count(gguf); i++) {
		const struct hm_gguf_tensor *tensor = hm_gguf_tensor_at(gguf, i);
		bool found =
			tensor == t->embedding || tensor == t->output_norm || tensor == t->output;

		for (layer = 0; layer < layers && !found; layer++) {
			const struct hm_gguf_tensor *const *all = (const void *)&t->layers[layer];

			for (j = 0; j < sizeof(*t->layers) / sizeof(*all); j++)
				found |= all[j] == tensor;
		}
		if (!found)
			return hm_fail(error, -ENOTSUP,
				       "%s: tensor %.*s: is not part of a %u-layer Llama model",
				       hm_gguf_name(gguf), (int)tensor->name.length,
				       tensor->name.bytes, layers);
	}
	return 0;
}

int hm_tensors_read(const struct hm_gguf *gguf, const struct hm_params *p, struct hm_tensors *t,
		    struct hm_error *error)
{
	uint64_t used = 0;
	uint32_t i;
	int ret;

	*t = (struct hm_tensors){ 0 };
	t->layers = calloc(p->layers, sizeof(*t->layers));
	if (!t->layers)
		return hm_fail(error, -ENOMEM, "%s: out of memory", hm_gguf_name(gguf));
	ret = take(gguf, "token_embd.weight", p->vocabulary, p->dim, true, &used, &t->embedding,
		   error);
	if (!ret)
		ret = take(gguf, "output_norm.weight", 0, p->dim, true, &used, &t->output_norm,
			   error);
	if (!ret)
		ret = take(gguf, "output.weight", p->vocabulary, p->dim, false, &used, &t->output,
			   error);
	for (i = 0; i < p->layers && !ret; i++)
		ret = take_layer(gguf, p, i, &t->layers[i], &used, error);
	if (!ret && used != hm_gguf_tensor_count(gguf))
		ret = refuse_unused(gguf, t, p->layers, error);
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
	tensors->layers = NULL;
}
