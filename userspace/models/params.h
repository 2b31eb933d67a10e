/* SPDX-License-Identifier: MIT */
/*
 * What a GGUF file says of its model: architecture, sizes, and where each weight lies. Checked once here, so that those
 * who compute (on a device, or in the float64 reference) only compute.
 */
#ifndef HEARTH_HM_PARAMS_H
#define HEARTH_HM_PARAMS_H

#include "gguf.h"

#define HM_MAX_LAYERS 1024

/*
 * Architectures, as general.architecture names them: "llama" (Llama 1 to 3, Mistral, SmolLM), "qwen2" (2 and 2.5; biases on
 * q, k and v), "qwen3" (norms on each head of q and k), "gemma2" (soft caps, norms after each part too, windows in every
 * other layer), "gemma3" (norms on heads and after each part, windows in most layers, whose rotations have a base of their own), "qwen2moe" and
 * "qwen3moe" (a mixture of experts in each layer; in the former also an expert that all rows go to). Files of "llama" may have
 * a mixture of experts too (Mixtral). "phi3": matrices that are joined (q, k and v; the feed-forward part's two), windows in all layers,
 * and factors of rotations for short and for long contexts.
 */
enum hm_arch {
	HM_ARCH_LLAMA,
	HM_ARCH_QWEN2,
	HM_ARCH_QWEN3,
	HM_ARCH_GEMMA2,
	HM_ARCH_GEMMA3,
	HM_ARCH_QWEN2MOE,
	HM_ARCH_QWEN3MOE,
	HM_ARCH_PHI3,
};

/*
 * @rope_halves: rotations are of elements (i, i + rope_dims/2), not (2i, 2i + 1).
 * @rope_scale: positions are multiplied with it (linear scaling).
 * @rope_magnitude: what turns is multiplied with it.
 * @rope_context: contexts longer than it turn by the factors for long ones.
 * @rope_base_window: of layers with a window, whose positions are not scaled; 0: they are like the others.
 * @window: keys that a row sees in layers with a window; 0: there are none.
 * @window_period: every so many layers the last has no window; 0: all have one.
 * @embedding_scale: embeddings are multiplied with it.
 * @attention_cap, @logit_cap: soft caps of attention's scores and of logits; 0: none.
 * @gelu: the feed-forward part has GELU where others have SiLU.
 * @experts: the feed-forward part is a mixture of so many; 0: it is none.
 * @experts_used: of them by each row; their weights are the softmax of all, and with @experts_normalise have a sum of 1.
 * @expert_hidden: size of an expert. @shared_hidden: of the one that all rows go to; 0: there is none.
 */
struct hm_params {
	char name[128];
	enum hm_arch arch;
	uint32_t context; /* trained length */
	uint32_t dim;
	uint32_t layers;
	uint32_t heads;
	uint32_t kv_heads;
	uint32_t head_size;
	uint32_t rope_dims;
	uint32_t hidden; /* of the feed-forward part */
	uint32_t vocabulary;
	float epsilon;
	float rope_base;
	float rope_scale;
	float rope_magnitude;
	uint32_t rope_context;
	float rope_base_window;
	bool rope_halves;
	uint32_t window;
	uint32_t window_period;
	float embedding_scale;
	float attention_scale;
	float attention_cap;
	float logit_cap;
	bool gelu;
	uint32_t experts;
	uint32_t experts_used;
	bool experts_normalise;
	uint32_t expert_hidden;
	uint32_t shared_hidden;
};

/* Whether a layer sees no more than hm_params.window keys. */
static inline bool hm_layer_has_window(const struct hm_params *params, uint32_t layer)
{
	return params->window &&
	       (!params->window_period || (layer + 1) % params->window_period != 0);
}

/*
 * Weights of one layer; matrices are [rows × columns] with rows = dims[1], columns = dims[0]; those of experts are dims[2] such one
 * after the other. Biases and the norms of q and k are NULL where the model has none; so are the ordinary matrices of the
 * feed-forward part where it is a mixture of experts, and those of experts elsewhere.
 */
struct hm_layer_tensors {
	const struct hm_gguf_tensor *attn_norm;
	const struct hm_gguf_tensor *attn_q;
	const struct hm_gguf_tensor *attn_k;
	const struct hm_gguf_tensor *attn_v;
	const struct hm_gguf_tensor *attn_q_bias;
	const struct hm_gguf_tensor *attn_k_bias;
	const struct hm_gguf_tensor *attn_v_bias;
	const struct hm_gguf_tensor *attn_q_norm; /* [head_size], over each head */
	const struct hm_gguf_tensor *attn_k_norm;
	const struct hm_gguf_tensor *attn_output;
	const struct hm_gguf_tensor *attn_post_norm; /* of what attention adds; NULL: none */
	const struct hm_gguf_tensor *ffn_post_norm;
	const struct hm_gguf_tensor *ffn_norm;
	const struct hm_gguf_tensor *ffn_gate;
	const struct hm_gguf_tensor *ffn_up;
	const struct hm_gguf_tensor *ffn_down;
	/* Rows of these are attn_q, attn_k and attn_v, or ffn_gate and ffn_up, one after the other; NULL: they are apart. */
	const struct hm_gguf_tensor *attn_qkv;
	const struct hm_gguf_tensor *ffn_gate_up;
	const struct hm_gguf_tensor *router; /* [experts × dim] */
	const struct hm_gguf_tensor *experts_gate;
	const struct hm_gguf_tensor *experts_up;
	const struct hm_gguf_tensor *experts_down;
	const struct hm_gguf_tensor *shared_router; /* [dim] */
	const struct hm_gguf_tensor *shared_gate;
	const struct hm_gguf_tensor *shared_up;
	const struct hm_gguf_tensor *shared_down;
};

struct hm_tensors {
	const struct hm_gguf_tensor *embedding;
	const struct hm_gguf_tensor *output_norm;
	const struct hm_gguf_tensor *output; /* the embedding again, when the file has none */
	/* [rope_dims / 2] what the rotations' frequencies are divided by; NULL: nothing */
	const struct hm_gguf_tensor *rope_factors;
	const struct hm_gguf_tensor
		*rope_factors_long;	 /* the same for contexts beyond hm_params.rope_context */
	struct hm_layer_tensors *layers; /* [hm_params.layers] */
	struct hm_gguf_tensor *parts; /* of joined matrices: what the layers' pointers point to */
};

/* The factors that rotations of contexts of @context tokens are made with. */
static inline const struct hm_gguf_tensor *
hm_rope_factors(const struct hm_params *params, const struct hm_tensors *tensors, uint32_t context)
{
	return tensors->rope_factors_long && context > params->rope_context
		       ? tensors->rope_factors_long
		       : tensors->rope_factors;
}

/* Errors: -ENOENT for a missing key or tensor, -EINVAL, -ENOTSUP, -ENOMEM; the message names it. */
int hm_params_read(const struct hm_gguf *gguf, struct hm_params *params, struct hm_error *error);

/*
 * Finds all tensors, and checks shapes and types. A tensor in the file that the architecture does not use is an error:
 * the model would compute something else than what was trained. Freed with hm_tensors_free().
 */
int hm_tensors_read(const struct hm_gguf *gguf, const struct hm_params *params,
		    struct hm_tensors *tensors, struct hm_error *error);
void hm_tensors_free(struct hm_tensors *tensors);

#endif /* HEARTH_HM_PARAMS_H */
