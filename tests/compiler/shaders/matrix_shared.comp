#version 460
// SPDX-License-Identifier: MIT
// D = A B, 64 × 64 × 64, of halves that go through shared memory as vectors: sums live across barriers.
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_EXT_shader_explicit_arithmetic_types : require
#extension GL_EXT_control_flow_attributes : require
layout(local_size_x = 64) in;
layout(std430, set = 0, binding = 0) buffer D { float d[]; };
layout(std430, set = 0, binding = 1) readonly buffer A { f16vec2 a[]; };
layout(std430, set = 0, binding = 2) readonly buffer B { f16vec2 b[]; };

const uint N = 64, STRIDE = 20;
shared f16vec2 sa[32 * STRIDE], sb[32 * STRIDE];

void main()
{
	uint t = gl_LocalInvocationIndex;
	uint row = gl_WorkGroupID.y * 32, column = gl_WorkGroupID.x * 32;
	coopmat<float, gl_ScopeSubgroup, 16, 16, gl_MatrixUseAccumulator> sums[4];

	[[unroll]] for (uint i = 0; i < 4; i++)
		sums[i] = coopmat<float, gl_ScopeSubgroup, 16, 16, gl_MatrixUseAccumulator>(0.0);
	for (uint k0 = 0; k0 < N; k0 += 32) {
		for (uint i = t; i < 512; i += 64) {
			sa[i / 16 * STRIDE + i % 16] = a[((row + i / 16) * N + k0) / 2 + i % 16];
			sb[i / 16 * STRIDE + i % 16] = b[((column + i / 16) * N + k0) / 2 + i % 16];
		}
		barrier();
		[[unroll]] for (uint k = 0; k < 32; k += 16) {
			[[unroll]] for (uint i = 0; i < 4; i++) {
				uint tile = gl_SubgroupID + i * gl_NumSubgroups;
				coopmat<float16_t, gl_ScopeSubgroup, 16, 16, gl_MatrixUseA> x;
				coopmat<float16_t, gl_ScopeSubgroup, 16, 16, gl_MatrixUseB> y;

				if (tile < 4) {
					coopMatLoad(x, sa, tile / 2 * 16 * STRIDE + k / 2, STRIDE,
						    gl_CooperativeMatrixLayoutRowMajor);
					coopMatLoad(y, sb, tile % 2 * 16 * STRIDE + k / 2, STRIDE,
						    gl_CooperativeMatrixLayoutColumnMajor);
					sums[i] = coopMatMulAdd(x, y, sums[i]);
				}
			}
		}
		barrier();
	}
	[[unroll]] for (uint i = 0; i < 4; i++) {
		uint tile = gl_SubgroupID + i * gl_NumSubgroups;

		if (tile < 4)
			coopMatStore(sums[i], d, (row + tile / 2 * 16) * N + column + tile % 2 * 16, N,
				     gl_CooperativeMatrixLayoutRowMajor);
	}
}
