// SPDX-License-Identifier: MIT
// Reads and writes far outside its buffers, which robust access must hold back.
#version 460
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) buffer Data { uint data[]; };
layout(set = 0, binding = 1) buffer Out { uint seen[]; };
layout(push_constant) uniform Push { uint far; };
void main()
{
	uint i = gl_GlobalInvocationID.x;
	seen[i] = data[i + far];
	data[i + far] = 0xdead;
}
