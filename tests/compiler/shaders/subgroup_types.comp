#version 460
// SPDX-License-Identifier: MIT
// Subgroup operations on wide, narrow and floating types.
#extension GL_KHR_shader_subgroup_arithmetic : require
#extension GL_KHR_shader_subgroup_shuffle : require
#extension GL_EXT_shader_explicit_arithmetic_types : require
#extension GL_EXT_shader_subgroup_extended_types_int8 : require
#extension GL_EXT_shader_subgroup_extended_types_int16 : require
#extension GL_EXT_shader_subgroup_extended_types_int64 : require
layout(local_size_x = 64) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(std430, set = 0, binding = 1) readonly buffer In { uint v[]; };

void main()
{
	uint i = gl_LocalInvocationIndex + gl_WorkGroupID.x * 64u;
	uint a = v[i], at = i * 4u;
	uint64_t w = subgroupAdd(uint64_t(a) << 20);
	o[at + 0u] = uint(w) ^ uint(w >> 32);
	o[at + 1u] = uint(subgroupMax(uint8_t(a))) + (uint(subgroupAdd(uint16_t(a))) << 8);
	double d = subgroupMax(double(int(a)));
	o[at + 2u] = uint(int(d));
	uvec3 t = subgroupAdd(uvec3(a, a >> 8, 1u));
	o[at + 3u] = t.x + t.y * 3u + t.z * 5u;
}
