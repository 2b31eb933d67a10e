#version 460
// SPDX-License-Identifier: MIT
// Specialization constants: of all scalar types, as work-group size, as array size, and computed with.
layout(local_size_x_id = 0, local_size_y = 2) in;
layout(constant_id = 1) const uint N = 5u;
layout(constant_id = 2) const float F = 2.0;
layout(constant_id = 3) const bool FLIP = false;
layout(constant_id = 4) const int NEGATIVE = -1;
layout(constant_id = 5) const uint UNSET = 77u;
const uint TWICE = N * 2u + 1u;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
shared uint s[N + 3u];

void main()
{
	uint i = gl_LocalInvocationIndex + gl_WorkGroupID.x * gl_WorkGroupSize.x * gl_WorkGroupSize.y;
	uint r = TWICE * i;
	for (uint k = 0u; k < N; k++)
		r += k * i;
	if (FLIP)
		r = ~r;
	if (gl_LocalInvocationIndex < N + 3u)
		s[gl_LocalInvocationIndex] = gl_LocalInvocationIndex * 3u;
	barrier();
	r += s[i % (N + 3u)] + uint(F * 4.0) + uint(NEGATIVE) + UNSET + gl_WorkGroupSize.x;
	o[i] = r;
}
