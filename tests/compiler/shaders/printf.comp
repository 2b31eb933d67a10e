#version 460
#extension GL_EXT_debug_printf : require
// SPDX-License-Identifier: MIT
// What a shader would print is not printed, and changes nothing.
layout(local_size_x = 16) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(std430, set = 0, binding = 1) readonly buffer In { uint v[]; };

void main()
{
	uint i = gl_GlobalInvocationID.x;

	if ((v[i] & 1u) == 0u)
		debugPrintfEXT("invocation %u has %u", i, v[i]);
	o[i] = v[i] + 1u;
}
