#version 460
// SPDX-License-Identifier: MIT
// Matrices: products, transposition, determinant, inverse, columns by index.
layout(local_size_x = 8) in;
layout(std430, set = 0, binding = 0) buffer Out { float o[]; };
layout(std430, set = 0, binding = 1) readonly buffer In { float v[]; };

void main()
{
	uint i = gl_GlobalInvocationID.x;
	mat3 m;
	for (uint c = 0u; c < 3u; c++)
		for (uint r = 0u; r < 3u; r++)
			m[c][r] = v[i * 9u + c * 3u + r];
	vec3 x = m * vec3(1.0, 2.0, 3.0);
	vec3 y = vec3(1.0, -1.0, 0.5) * m;
	mat3 p = m * transpose(m);
	mat3 q = inverse(m) * m;
	o[i * 8u + 0u] = x.x + x.y * 2.0 + x.z * 4.0;
	o[i * 8u + 1u] = y.x + y.y * 2.0 + y.z * 4.0;
	o[i * 8u + 2u] = p[0][1] + p[2][2];
	o[i * 8u + 3u] = determinant(m);
	o[i * 8u + 4u] = q[0][0] + q[1][1] + q[2][2];
	o[i * 8u + 5u] = q[0][1] + q[1][2];
	o[i * 8u + 6u] = m[i % 3u].y;
	o[i * 8u + 7u] = (2.0 * m)[1][2] + outerProduct(x, y)[1][0];
}
