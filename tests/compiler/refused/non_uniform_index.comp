#version 460
// SPDX-License-Identifier: MIT
// REFUSED: ShaderNonUniform
#extension GL_EXT_nonuniform_qualifier : require
layout(local_size_x = 8) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(std430, set = 0, binding = 1) buffer In { uint v[]; } in_[4];

void main()
{
	o[gl_LocalInvocationIndex] = in_[nonuniformEXT(gl_LocalInvocationIndex & 3u)].v[0];
}
