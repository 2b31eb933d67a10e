#version 460
// SPDX-License-Identifier: MIT
// The common and the geometric functions.
layout(local_size_x = 32) in;
layout(std430, set = 0, binding = 0) buffer Out { float o[]; };
layout(std430, set = 0, binding = 1) readonly buffer In { float v[]; };

void main()
{
	uint i = gl_GlobalInvocationID.x;
	float x = v[i * 2u], y = v[i * 2u + 1u];
	vec3 a = vec3(x, y, x - y), b = vec3(y, 1.0, x);
	uint at = i * 24u;
	float whole;
	int e;
	o[at + 0u] = mod(x, 3.0);
	o[at + 1u] = mix(x, y, 0.25);
	o[at + 2u] = step(x, y);
	o[at + 3u] = smoothstep(-4.0, 4.0, x);
	o[at + 4u] = length(a);
	o[at + 5u] = dot(a, b);
	o[at + 6u] = cross(a, b).y;
	o[at + 7u] = normalize(a).z;
	o[at + 8u] = reflect(a, normalize(b)).x;
	o[at + 9u] = refract(normalize(a), normalize(b), 0.7).y;
	o[at + 10u] = faceforward(a, b, a).x;
	o[at + 11u] = modf(x, whole);
	o[at + 12u] = whole;
	o[at + 13u] = frexp(x, e);
	o[at + 14u] = float(e);
	o[at + 15u] = ldexp(y, 3);
	o[at + 16u] = fma(x, y, 1.0);
	o[at + 17u] = degrees(x) + radians(y);
	o[at + 18u] = distance(a, b);
	o[at + 19u] = round(x) + roundEven(y * 0.5);
	o[at + 20u] = float(isnan(uintBitsToFloat(0x7fc00000u + i))) + float(isinf(y / 0.0)) * 2.0;
	o[at + 21u] = min(max(x, y), 2.0) + sign(x) + abs(y);
	o[at + 22u] = clamp(x, -1.0, 1.0) + floor(x) + ceil(y) + trunc(x);
	o[at + 23u] = fract(x);
}
