#version 460
// SPDX-License-Identifier: MIT
// REFUSED: cooperative matrix product of 16 x 16 x 32
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
layout(local_size_x = 8) in;
layout(std430, set = 0, binding = 0) buffer Out { float o[]; };
layout(std430, set = 0, binding = 1) buffer In { float v[]; };

void main()
{
	coopmat<float, gl_ScopeSubgroup, 16, 32, gl_MatrixUseA> a;
	coopmat<float, gl_ScopeSubgroup, 32, 16, gl_MatrixUseB> b;
	coopmat<float, gl_ScopeSubgroup, 16, 16, gl_MatrixUseAccumulator> c;
	coopMatLoad(a, v, 0u, 32u, gl_CooperativeMatrixLayoutRowMajor);
	coopMatLoad(b, v, 0u, 16u, gl_CooperativeMatrixLayoutRowMajor);
	c = coopMatMulAdd(a, b, coopmat<float, gl_ScopeSubgroup, 16, 16, gl_MatrixUseAccumulator>(0.0));
	coopMatStore(c, o, 0u, 16u, gl_CooperativeMatrixLayoutRowMajor);
}
