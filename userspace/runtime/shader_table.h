/* SPDX-License-Identifier: MIT */
/*
 * The embedded shaders: one line a variant, as shaders/meson.build makes them. The numbers are storage
 * buffers and push constant bytes.
 */
#ifndef HEARTH_SHADER_TABLE_H
#define HEARTH_SHADER_TABLE_H

#include <stddef.h>
#include <stdint.h>

#define HRT_SHADERS(X)                           \
	X(matmul_f32, 4, 44)                     \
	X(matmul_f16, 4, 44)                     \
	X(matmul_q8_0, 4, 44)                    \
	X(matmul_q4_0, 4, 44)                    \
	X(matmul_bf16, 4, 44)                    \
	X(matmul_q4_k, 4, 44)                    \
	X(matmul_q5_k, 4, 44)                    \
	X(matmul_q6_k, 4, 44)                    \
	X(matmul_iq4_nl, 4, 44)                  \
	X(matmul_mxfp4, 4, 44)                   \
	X(matvec_f32, 4, 32)                     \
	X(matvec_f16, 4, 32)                     \
	X(matvec_q8_0, 4, 32)                    \
	X(matvec_q4_0, 4, 32)                    \
	X(matvec_bf16, 4, 32)                    \
	X(matvec_q4_k, 4, 32)                    \
	X(matvec_q5_k, 4, 32)                    \
	X(matvec_q6_k, 4, 32)                    \
	X(matvec_iq4_nl, 4, 32)                  \
	X(matvec_mxfp4, 4, 32)                   \
	X(matvec_subgroup_f32, 4, 32)            \
	X(matvec_subgroup_f16, 4, 32)            \
	X(matvec_subgroup_q8_0, 4, 32)           \
	X(matvec_subgroup_q4_0, 4, 32)           \
	X(matvec_subgroup_bf16, 4, 32)           \
	X(matvec_subgroup_q4_k, 4, 32)           \
	X(matvec_subgroup_q5_k, 4, 32)           \
	X(matvec_subgroup_q6_k, 4, 32)           \
	X(matvec_subgroup_iq4_nl, 4, 32)         \
	X(matvec_subgroup_mxfp4, 4, 32)          \
	X(matmul_dot_q8_0, 4, 44)                \
	X(matmul_dot_q4_0, 4, 44)                \
	X(matmul_tiles_q8_0, 4, 44)              \
	X(matmul_tiles_q4_0, 4, 44)              \
	X(matmul_tiles_experts_q8_0, 4, 52)      \
	X(matmul_tiles_experts_q4_0, 4, 52)      \
	X(embedding_tiles_q8_0, 3, 32)           \
	X(embedding_tiles_q4_0, 3, 32)           \
	X(matvec_half, 4, 32)                    \
	X(matvec_dot_q8_0, 4, 32)                \
	X(matvec_dot_q4_0, 4, 32)                \
	X(embedding_f32, 3, 32)                  \
	X(embedding_f16, 3, 32)                  \
	X(embedding_q8_0, 3, 32)                 \
	X(embedding_q4_0, 3, 32)                 \
	X(embedding_bf16, 3, 32)                 \
	X(embedding_q4_k, 3, 32)                 \
	X(embedding_q5_k, 3, 32)                 \
	X(embedding_q6_k, 3, 32)                 \
	X(embedding_iq4_nl, 3, 32)               \
	X(embedding_mxfp4, 3, 32)                \
	X(kv_store_f32, 5, 28)                   \
	X(kv_store_f16, 5, 28)                   \
	X(kv_store_q8_0, 5, 28)                  \
	X(kv_store_q4_0, 5, 28)                  \
	X(attention_many_f32, 6, 60)             \
	X(attention_many_f16, 6, 60)             \
	X(attention_many_q8_0, 6, 60)            \
	X(attention_many_q4_0, 6, 60)            \
	X(attention_few1_f32, 6, 60)             \
	X(attention_few1_f16, 6, 60)             \
	X(attention_few1_q8_0, 6, 60)            \
	X(attention_few1_q4_0, 6, 60)            \
	X(attention_few4_f32, 6, 60)             \
	X(attention_few4_f16, 6, 60)             \
	X(attention_few4_q8_0, 6, 60)            \
	X(attention_few4_q4_0, 6, 60)            \
	X(attention_few1_subgroup_f32, 6, 60)    \
	X(attention_few1_subgroup_f16, 6, 60)    \
	X(attention_few1_subgroup_q8_0, 6, 60)   \
	X(attention_few1_subgroup_q4_0, 6, 60)   \
	X(attention_few4_subgroup_f32, 6, 60)    \
	X(attention_few4_subgroup_f16, 6, 60)    \
	X(attention_few4_subgroup_q8_0, 6, 60)   \
	X(attention_few4_subgroup_q4_0, 6, 60)   \
	X(rms_norm, 3, 20)                       \
	X(rms_norm_subgroup, 3, 20)              \
	X(quantise, 2, 20)                       \
	X(rope, 3, 28)                           \
	X(add, 3, 16)                            \
	X(silu_mul, 3, 16)                       \
	X(gelu_mul, 3, 16)                       \
	X(scale, 2, 20)                          \
	X(argmax, 2, 12)                         \
	X(matmul_experts_f32, 4, 52)             \
	X(matmul_experts_f16, 4, 52)             \
	X(matmul_experts_q8_0, 4, 52)            \
	X(matmul_experts_q4_0, 4, 52)            \
	X(matmul_experts_bf16, 4, 52)            \
	X(matmul_experts_q4_k, 4, 52)            \
	X(matmul_experts_q5_k, 4, 52)            \
	X(matmul_experts_q6_k, 4, 52)            \
	X(matmul_experts_iq4_nl, 4, 52)          \
	X(matmul_experts_mxfp4, 4, 52)           \
	X(matvec_experts_f32, 4, 48)             \
	X(matvec_experts_f16, 4, 48)             \
	X(matvec_experts_q8_0, 4, 48)            \
	X(matvec_experts_q4_0, 4, 48)            \
	X(matvec_experts_bf16, 4, 48)            \
	X(matvec_experts_q4_k, 4, 48)            \
	X(matvec_experts_q5_k, 4, 48)            \
	X(matvec_experts_q6_k, 4, 48)            \
	X(matvec_experts_iq4_nl, 4, 48)          \
	X(matvec_experts_mxfp4, 4, 48)           \
	X(matvec_experts_subgroup_f32, 4, 48)    \
	X(matvec_experts_subgroup_f16, 4, 48)    \
	X(matvec_experts_subgroup_q8_0, 4, 48)   \
	X(matvec_experts_subgroup_q4_0, 4, 48)   \
	X(matvec_experts_subgroup_bf16, 4, 48)   \
	X(matvec_experts_subgroup_q4_k, 4, 48)   \
	X(matvec_experts_subgroup_q5_k, 4, 48)   \
	X(matvec_experts_subgroup_q6_k, 4, 48)   \
	X(matvec_experts_subgroup_iq4_nl, 4, 48) \
	X(matvec_experts_subgroup_mxfp4, 4, 48)  \
	X(experts_select, 3, 16)                 \
	X(experts_group, 2, 28)                  \
	X(experts_sum, 4, 28)

enum hrt_shader {
#define X(name, buffers, push) HRT_SHADER_##name,
	HRT_SHADERS(X)
#undef X
		HRT_SHADER_COUNT,
};

struct hrt_shader_entry {
	const char *name;
	const uint32_t *words;
	size_t bytes;
	uint32_t buffer_count;
	uint32_t push_bytes;
};

extern const struct hrt_shader_entry hrt_shaders[HRT_SHADER_COUNT];

#endif /* HEARTH_SHADER_TABLE_H */
