#version 460
// SPDX-License-Identifier: MIT
// REFUSED: AtomicFloat32AddEXT
#extension GL_EXT_shader_atomic_float : require
layout(local_size_x = 8) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(std430, set = 0, binding = 1) buffer In { float v; };

void main()
{
	atomicAdd(v, 1.0);
}
