#version 460
// SPDX-License-Identifier: MIT
// Vectors: swizzles, components by index, comparisons, any, all, mix by booleans.
layout(local_size_x = 16) in;
layout(std430, set = 0, binding = 0) buffer Out { uvec4 o[]; };
layout(std430, set = 0, binding = 1) readonly buffer In { uvec4 v[]; };

void main()
{
	uint i = gl_GlobalInvocationID.x;
	uvec4 a = v[i], b = a.wzyx;
	bvec4 less = lessThan(a, b);
	uvec4 r = mix(a, b, less);
	r[i & 3u] += 5u;
	r.xy = r.yx + uvec2(a[(i + 1u) & 3u], 1u);
	if (any(less))
		r.z ^= 1u;
	if (all(equal(a.xy, a.xy)))
		r.w += b[i & 3u];
	o[i] = r;
}
