#version 460
// SPDX-License-Identifier: MIT
// How many invocations are together: after branches, jumps and loops that they leave apart.
#extension GL_KHR_shader_subgroup_ballot : require
#extension GL_EXT_maximal_reconvergence : require
layout(local_size_x = 64) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(std430, set = 0, binding = 1) readonly buffer In { uint v[]; };

uint together()
{
	return subgroupBallotBitCount(subgroupBallot(true));
}

void main() [[maximally_reconverges]]
{
	uint i = gl_GlobalInvocationID.x, x = v[i], r = 0u;

	for (uint k = 0u; k < 5u; k++) {
		r = r * 3u + together();
		if ((x >> k & 1u) != 0u)
			continue;
		r += together() << 8;
		if ((x >> (8u + k) & 3u) == 0u)
			break;
		if ((x & 64u) != 0u)
			r ^= together() << 16;
		r = r * 5u + together();
	}
	r = r * 7u + together();
	switch (x >> 16 & 3u) {
	case 0u:
		r += together();
		break;
	case 1u:
		if ((x & 128u) != 0u)
			break;
		r = r * 11u + together();
		break;
	case 2u:
		o[i] = r;
		return;
	}
	o[i] = r * 13u + together();
}
