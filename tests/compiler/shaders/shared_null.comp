// SPDX-License-Identifier: MIT
#version 460
#extension GL_EXT_null_initializer : require
// Shared memory that begins as zeros in every work-group.
layout(local_size_x = 64) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(std430, set = 0, binding = 1) readonly buffer In { uint v[]; };
shared uint s[5000] = {};

void main()
{
	uint i = gl_GlobalInvocationID.x;
	o[i] = s[4999u - gl_LocalInvocationIndex] + v[i];
	barrier();
	s[4999u - gl_LocalInvocationIndex] = 1u + i;
}
