// SPDX-License-Identifier: MIT
/*
 * The SPIR-V of the shaders, embedded at build time, with what a pipeline layout needs to know of each.
 */
#include "shader_table.h"

#include "spv_matmul_f32.h"
#include "spv_matmul_f16.h"
#include "spv_matmul_q8_0.h"
#include "spv_matmul_q4_0.h"
#include "spv_matvec_f32.h"
#include "spv_matvec_f16.h"
#include "spv_matvec_q8_0.h"
#include "spv_matvec_q4_0.h"
#include "spv_matvec_subgroup_f32.h"
#include "spv_matvec_subgroup_f16.h"
#include "spv_matvec_subgroup_q8_0.h"
#include "spv_matvec_subgroup_q4_0.h"
#include "spv_matmul_dot_q8_0.h"
#include "spv_matmul_dot_q4_0.h"
#include "spv_matvec_half.h"
#include "spv_matvec_dot_q8_0.h"
#include "spv_matvec_dot_q4_0.h"
#include "spv_embedding_f32.h"
#include "spv_embedding_f16.h"
#include "spv_embedding_q8_0.h"
#include "spv_embedding_q4_0.h"
#include "spv_kv_store_f32.h"
#include "spv_kv_store_f16.h"
#include "spv_attention_many_f32.h"
#include "spv_attention_many_f16.h"
#include "spv_attention_few1_f32.h"
#include "spv_attention_few1_f16.h"
#include "spv_attention_few4_f32.h"
#include "spv_attention_few4_f16.h"
#include "spv_attention_few1_subgroup_f32.h"
#include "spv_attention_few1_subgroup_f16.h"
#include "spv_attention_few4_subgroup_f32.h"
#include "spv_attention_few4_subgroup_f16.h"
#include "spv_rms_norm.h"
#include "spv_rms_norm_subgroup.h"
#include "spv_quantise.h"
#include "spv_rope.h"
#include "spv_add.h"
#include "spv_silu_mul.h"
#include "spv_argmax.h"

const struct hrt_shader_entry hrt_shaders[HRT_SHADER_COUNT] = {
#define X(name, buffers, push) \
	[HRT_SHADER_##name] = { #name, spv_##name, sizeof(spv_##name), buffers, push },
	HRT_SHADERS(X)
#undef X
};
