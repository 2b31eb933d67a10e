#version 460
// SPDX-License-Identifier: MIT
// D = A B + C with one cooperative matrix each. TA: components of A and B; TC: of C and D.
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_EXT_shader_explicit_arithmetic_types : require
layout(local_size_x_id = 3) in;
layout(constant_id = 0) const uint M = 16;
layout(constant_id = 1) const uint N = 16;
layout(constant_id = 2) const uint K = 16;
layout(std430, set = 0, binding = 0) readonly buffer A { TA a[]; };
layout(std430, set = 0, binding = 1) readonly buffer B { TA b[]; };
layout(std430, set = 0, binding = 2) buffer D { TC d[]; };

void main()
{
	coopmat<TA, gl_ScopeSubgroup, M, K, gl_MatrixUseA> x;
	coopmat<TA, gl_ScopeSubgroup, K, N, gl_MatrixUseB> y;
	coopmat<TC, gl_ScopeSubgroup, M, N, gl_MatrixUseAccumulator> z;

	coopMatLoad(x, a, 0, K, gl_CooperativeMatrixLayoutRowMajor);
	coopMatLoad(y, b, 0, K, gl_CooperativeMatrixLayoutColumnMajor);
	coopMatLoad(z, d, 0, N, gl_CooperativeMatrixLayoutRowMajor);
	z = coopMatMulAdd(x, y, z);
	coopMatStore(z, d, 0, N, gl_CooperativeMatrixLayoutRowMajor);
}
