#version 460
// SPDX-License-Identifier: MIT
// Reductions and scans over the subgroup, of unsigned and signed numbers; the last subgroup is not full.
#extension GL_KHR_shader_subgroup_arithmetic : require
layout(local_size_x = 44) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(std430, set = 0, binding = 1) readonly buffer In { uint v[]; };

void main()
{
	uint i = gl_LocalInvocationIndex + gl_WorkGroupID.x * 44u;
	uint a = v[i];
	int s = int(a);
	uint at = i * 24u;
	o[at + 0u] = subgroupAdd(a);
	o[at + 1u] = subgroupMul(a | 1u);
	o[at + 2u] = subgroupMin(a);
	o[at + 3u] = subgroupMax(a);
	o[at + 4u] = subgroupAnd(a | 0xf0f0u);
	o[at + 5u] = subgroupOr(a & 0xff0u);
	o[at + 6u] = subgroupXor(a);
	o[at + 7u] = uint(subgroupMin(s));
	o[at + 8u] = uint(subgroupMax(s));
	o[at + 9u] = subgroupInclusiveAdd(a);
	o[at + 10u] = subgroupInclusiveMul(a | 1u);
	o[at + 11u] = subgroupInclusiveMin(a);
	o[at + 12u] = subgroupInclusiveMax(a);
	o[at + 13u] = subgroupInclusiveXor(a);
	o[at + 14u] = subgroupExclusiveAdd(a);
	o[at + 15u] = subgroupExclusiveMul(a | 1u);
	o[at + 16u] = subgroupExclusiveMin(a);
	o[at + 17u] = subgroupExclusiveMax(a);
	o[at + 18u] = subgroupExclusiveAnd(a);
	o[at + 19u] = subgroupExclusiveOr(a);
	o[at + 20u] = uint(subgroupInclusiveMin(s));
	o[at + 21u] = uint(subgroupExclusiveMax(s));
	o[at + 22u] = floatBitsToUint(subgroupAdd(float(a & 255u)));
	o[at + 23u] = floatBitsToUint(subgroupExclusiveMax(float(s >> 20)));
}
