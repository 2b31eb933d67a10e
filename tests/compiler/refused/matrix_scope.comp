#version 460
// SPDX-License-Identifier: MIT
// REFUSED: cooperative matrix of scope 2
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
layout(local_size_x = 8) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(std430, set = 0, binding = 1) buffer In { float v[]; };

void main()
{
	coopmat<float, gl_ScopeWorkgroup, 16, 16, gl_MatrixUseA> m;
	coopMatLoad(m, v, 0u, 16u, gl_CooperativeMatrixLayoutRowMajor);
	o[0] = uint(m[0]);
}
