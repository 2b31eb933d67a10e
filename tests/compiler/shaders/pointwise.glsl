// SPDX-License-Identifier: MIT
// Shaders that compute one number from three, an invocation each. Their function is in a header
// that the test also compiles as C: that is where the expected values come from.
#extension GL_EXT_shader_explicit_arithmetic_types : require
layout(local_size_x = 32) in;
layout(std430, set = 0, binding = 0) writeonly buffer Out { uint data_out[]; };
layout(std430, set = 0, binding = 1) readonly buffer A { uint data_a[]; };
layout(std430, set = 0, binding = 2) readonly buffer B { uint data_b[]; };

#define U8(x) uint8_t(x)
#define I8(x) int8_t(x)
#define U16(x) uint16_t(x)
#define I16(x) int16_t(x)
#define U32(x) uint(x)
#define I32(x) int(x)
#define U64(x) uint64_t(x)
#define I64(x) int64_t(x)
#define F32(x) float(x)
#define F64(x) double(x)

uint compute(uint i, uint a, uint b);

void main()
{
	uint i = gl_GlobalInvocationID.x;
	data_out[i] = compute(i, data_a[i], data_b[i]);
}
