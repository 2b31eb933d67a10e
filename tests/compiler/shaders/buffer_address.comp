#version 460
// SPDX-License-Identifier: MIT
// Buffers by address: the same for all, chosen by a branch, computed by lane, and through a loop.
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_buffer_reference2 : require
#extension GL_EXT_buffer_reference_uvec2 : require
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
layout(local_size_x = 32) in;
layout(buffer_reference, std430, buffer_reference_align = 4) buffer Words { uint x[]; };
layout(buffer_reference, std430, buffer_reference_align = 8) readonly buffer Pair { uint a; uint b; };
layout(push_constant) uniform Push { Words o; Words v; Words w; };

void main()
{
	uint i = gl_GlobalInvocationID.x, r;
	Words from = v;
	if ((v.x[i] & 1u) != 0u)
		from = w;
	r = from.x[i] + v.x[63u - i];
	Pair p = Pair(uint64_t(w) + uint64_t(i) * 8ul);
	r = r * 3u + p.a - p.b;
	Words at = v;
	for (uint k = 0u; k < 4u; k++) {
		r ^= at.x[k];
		at = Words(uint64_t(at) + uint64_t((r & 3u) * 4u));
	}
	Pair q = Pair(v);
	r += q[i / 2u].b;
	o.x[i] = r;
}
