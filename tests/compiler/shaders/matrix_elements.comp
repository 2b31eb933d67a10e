#version 460
// SPDX-License-Identifier: MIT
// What is done to each component of a cooperative matrix, one 16 × 16 matrix a subgroup, 13 results of it.
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_arithmetic : require
#extension GL_EXT_shader_explicit_arithmetic_types : require
layout(local_size_x = 32) in;
layout(std430, set = 0, binding = 0) buffer Out { float o[]; };
layout(std430, set = 0, binding = 1) readonly buffer In { float v[]; };
layout(push_constant) uniform P { uint one; } p;

#define MATRIX(type, use) coopmat<type, gl_ScopeSubgroup, 16, 16, gl_MatrixUse##use>
#define SUMS(type)	  MATRIX(type, Accumulator)

uint place = 0;

void put(SUMS(float) m)
{
	coopMatStore(m, o, place, 16, gl_CooperativeMatrixLayoutRowMajor);
	place += 256;
}

SUMS(float) twice(SUMS(float) m)
{
	return m + m;
}

void main()
{
	const SUMS(float) ones = SUMS(float)(1.0);
	SUMS(float) x, y, all[3];
	float sum = 0;

	if (gl_SubgroupID != 0)
		return;
	coopMatLoad(x, v, 0, 16, gl_CooperativeMatrixLayoutRowMajor);
	coopMatLoad(y, v, 256, 16, gl_CooperativeMatrixLayoutColumnMajor);
	put(x + y);
	put(x - y);
	put(x * y);
	put(x / (y * y + ones));
	put(-x * 3.0);
	put(twice(x));
	put(SUMS(float)(SUMS(float16_t)(x)));
	put(SUMS(float)(SUMS(int)(x * 100.0)));
	put(SUMS(float)(SUMS(int8_t)(SUMS(int)(x * 5.0)) + SUMS(int8_t)(SUMS(int)(y * 5.0))));

	/* Each lane its components. */
	SUMS(float) z = x;
	for (int i = 0; i < z.length(); i++)
		z[i] = z[i] > 0.0 ? z[i] : z[i] * 0.25 + float(p.one);
	put(z);
	for (int i = 0; i < x.length(); i++)
		sum += x[i];
	put(SUMS(float)(subgroupAdd(sum)));

	/* An array of matrices, indexed by what is not known. */
	for (uint i = 0; i < 3 * p.one; i++)
		all[i] = x * float(i + 1);
	for (uint i = 0; i < 5 * p.one; i++)
		all[i % 3] += y;
	put(all[p.one] - all[2 * p.one]);

	/* Values that go round in a circle. */
	for (uint i = 0; i < 3 * p.one; i++) {
		SUMS(float) t = x;

		x = y * 2.0;
		y = t;
	}
	put(x + y * 10.0);
	if (subgroupElect())
		o[place] = float(x.length() * gl_SubgroupSize);
}
