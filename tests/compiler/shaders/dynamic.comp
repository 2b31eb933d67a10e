#version 460
// SPDX-License-Identifier: MIT
// Dynamic uniform and storage buffers beside a plain one.
layout(local_size_x = 16) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(std140, set = 0, binding = 1) uniform U { uvec4 k; };
layout(std430, set = 0, binding = 2) readonly buffer In { uint v[]; };

void main()
{
	uint i = gl_GlobalInvocationID.x;
	o[i] = v[i] * k.x + k.w;
}
