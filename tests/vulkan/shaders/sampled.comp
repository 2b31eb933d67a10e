// SPDX-License-Identifier: MIT
// Samples at the places that a buffer names: a combined image sampler, and an image and a sampler apart.
#version 460
layout(local_size_x = 8) in;
layout(set = 0, binding = 0) uniform sampler2D both;
layout(set = 0, binding = 1) uniform texture2D images[2];
layout(set = 0, binding = 2) uniform sampler apart;
layout(std430, set = 0, binding = 3) buffer Places { vec4 places[]; }; // x, y, level
layout(std430, set = 0, binding = 4) buffer Out { vec4 texels[]; };

void main()
{
	uint i = gl_GlobalInvocationID.x;
	vec4 p = places[i];
	texels[4 * i] = textureLod(both, p.xy, p.z);
	texels[4 * i + 1] = textureLod(sampler2D(images[1], apart), p.xy, p.z);
	texels[4 * i + 2] = texelFetch(both, ivec2(p.xy * 4.0), int(p.z));
	texels[4 * i + 3] = vec4(textureSize(both, int(p.z)), textureQueryLevels(both),
				 textureGather(both, p.xy, 0).w);
}
