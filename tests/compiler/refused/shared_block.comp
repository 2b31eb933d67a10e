#version 460
// SPDX-License-Identifier: MIT
// REFUSED: WorkgroupMemoryExplicitLayout
#extension GL_EXT_shared_memory_block : require
layout(local_size_x = 8) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
shared Block { uint x[8]; };

void main()
{
	x[gl_LocalInvocationIndex] = 1u;
	o[0] = x[0];
}
