// SPDX-License-Identifier: MIT
// D = A B + C with cooperative matrices, of 48 × 64 and 64 × 32, each subgroup some of the 16 × 16 tiles. TA: components of
// A and B; TC: of the sums; TD: of C and D in memory; TILE_K; A_LAYOUT, B_LAYOUT, D_LAYOUT: 0 by rows, 1 by columns.
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_EXT_shader_explicit_arithmetic_types : require
layout(local_size_x = 32) in;
layout(std430, set = 0, binding = 0) buffer D { TD d[]; };
layout(std430, set = 0, binding = 1) readonly buffer A { TA a[]; };
layout(std430, set = 0, binding = 2) readonly buffer B { TA b[]; };
layout(std430, set = 0, binding = 3) readonly buffer C { TD c[]; };

const uint M = 48, N = 32, K = 64;

void main()
{
	for (uint t = gl_SubgroupID; t < M / 16 * (N / 16); t += gl_NumSubgroups) {
		uint row = t / (N / 16) * 16, column = t % (N / 16) * 16;
		coopmat<TA, gl_ScopeSubgroup, 16, TILE_K, gl_MatrixUseA> x;
		coopmat<TA, gl_ScopeSubgroup, TILE_K, 16, gl_MatrixUseB> y;
		coopmat<TD, gl_ScopeSubgroup, 16, 16, gl_MatrixUseAccumulator> z;

		coopMatLoad(z, c, row * N + column, N, gl_CooperativeMatrixLayoutRowMajor);
		coopmat<TC, gl_ScopeSubgroup, 16, 16, gl_MatrixUseAccumulator> sum =
			coopmat<TC, gl_ScopeSubgroup, 16, 16, gl_MatrixUseAccumulator>(z);
		for (uint k = 0; k < K; k += TILE_K) {
#if A_LAYOUT
			coopMatLoad(x, a, k * M + row, M, gl_CooperativeMatrixLayoutColumnMajor);
#else
			coopMatLoad(x, a, row * K + k, K, gl_CooperativeMatrixLayoutRowMajor);
#endif
#if B_LAYOUT
			coopMatLoad(y, b, column * K + k, K, gl_CooperativeMatrixLayoutColumnMajor);
#else
			coopMatLoad(y, b, k * N + column, N, gl_CooperativeMatrixLayoutRowMajor);
#endif
			sum = coopMatMulAdd(x, y, sum);
		}
		z = coopmat<TD, gl_ScopeSubgroup, 16, 16, gl_MatrixUseAccumulator>(sum);
#if D_LAYOUT
		coopMatStore(z, d, column * M + row, M, gl_CooperativeMatrixLayoutColumnMajor);
#else
		coopMatStore(z, d, row * N + column, N, gl_CooperativeMatrixLayoutRowMajor);
#endif
	}
}
