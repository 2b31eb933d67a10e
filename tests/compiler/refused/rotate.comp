#version 460
// SPDX-License-Identifier: MIT
// REFUSED: GroupNonUniformRotateKHR
#extension GL_KHR_shader_subgroup_rotate : require
layout(local_size_x = 8) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };

void main()
{
	o[gl_LocalInvocationIndex] = subgroupRotate(o[0], 1u);
}
