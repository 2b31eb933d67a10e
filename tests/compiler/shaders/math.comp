#version 460
// SPDX-License-Identifier: MIT
// The transcendental functions.
layout(local_size_x = 32) in;
layout(std430, set = 0, binding = 0) buffer Out { float o[]; };
layout(std430, set = 0, binding = 1) readonly buffer In { float v[]; };

void main()
{
	uint i = gl_GlobalInvocationID.x;
	float x = v[i * 2u], y = v[i * 2u + 1u], u = fract(abs(x)), p = abs(y) + 0.01;
	uint at = i * 20u;
	o[at + 0u] = sin(x);
	o[at + 1u] = cos(x);
	o[at + 2u] = tan(u);
	o[at + 3u] = asin(u);
	o[at + 4u] = acos(u);
	o[at + 5u] = atan(x);
	o[at + 6u] = atan(x, y);
	o[at + 7u] = sinh(u * 4.0);
	o[at + 8u] = cosh(u * 4.0);
	o[at + 9u] = tanh(x);
	o[at + 10u] = asinh(x);
	o[at + 11u] = acosh(p + 1.0);
	o[at + 12u] = atanh(u * 0.9);
	o[at + 13u] = exp(u * 9.0);
	o[at + 14u] = exp2(x);
	o[at + 15u] = log(p);
	o[at + 16u] = log2(p);
	o[at + 17u] = pow(p, u * 3.0);
	o[at + 18u] = sqrt(p);
	o[at + 19u] = inversesqrt(p);
}
