#version 460
// SPDX-License-Identifier: MIT
// Matrices that hang over the ends of their buffers, by rows and by columns.
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_shader_subgroup_basic : require
layout(local_size_x = 32) in;
layout(std430, set = 0, binding = 0) buffer Out { float o[]; };
layout(std430, set = 0, binding = 1) readonly buffer In { float v[]; };
layout(std430, set = 0, binding = 2) buffer Small { float small[]; };

void main()
{
	coopmat<float, gl_ScopeSubgroup, 16, 16, gl_MatrixUseAccumulator> x;

	if (gl_SubgroupID != 0)
		return;
	coopMatLoad(x, v, 100, 20, gl_CooperativeMatrixLayoutRowMajor);
	coopMatStore(x, o, 0, 16, gl_CooperativeMatrixLayoutRowMajor);
	coopMatLoad(x, v, 100, 20, gl_CooperativeMatrixLayoutColumnMajor);
	coopMatStore(x, o, 256, 16, gl_CooperativeMatrixLayoutRowMajor);
	coopMatLoad(x, v, 0xfffffff0u, 1u << 20, gl_CooperativeMatrixLayoutRowMajor);
	coopMatStore(x, o, 512, 16, gl_CooperativeMatrixLayoutRowMajor);
	coopMatLoad(x, v, 0, 16, gl_CooperativeMatrixLayoutRowMajor);
	coopMatStore(x, small, 3, 18, gl_CooperativeMatrixLayoutColumnMajor);
}
