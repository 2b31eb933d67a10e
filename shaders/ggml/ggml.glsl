// SPDX-License-Identifier: MIT
/*
 * What all kernels of the ggml plugin share: tensors of up to four dimensions with any strides, and reading and
 * writing their elements whatever their type.
 *
 * A dispatch's parameters are words in a buffer: TENSOR_WORDS for each tensor of the kernel, in the order of
 * bindings, then what the operation needs. Shapes and strides are those of ggml_tensor: ne in elements, nb in
 * bytes, dimension 0 innermost. Types are numbered as ggml does.
 */
#extension GL_EXT_control_flow_attributes : require
#extension GL_EXT_shader_16bit_storage : require

#define TYPE_F32  0
#define TYPE_F16  1
#define TYPE_Q4_0 2
#define TYPE_Q8_0 8

#define TENSOR_WORDS 9

layout(local_size_x_id = 0) in;

layout(set = 0, binding = 0, std430) readonly buffer Parameters { uint parameters[]; };

struct tensor {
	uint at; /* byte of element 0 in its binding */
	uvec4 ne;
	uvec4 nb;
};

tensor get_tensor(uint index)
{
	uint p = index * TENSOR_WORDS;

	return tensor(parameters[p],
		      uvec4(parameters[p + 1], parameters[p + 2], parameters[p + 3], parameters[p + 4]),
		      uvec4(parameters[p + 5], parameters[p + 6], parameters[p + 7], parameters[p + 8]));
}

float float_parameter(uint index)
{
	return uintBitsToFloat(parameters[index]);
}

/* The byte where row (1, 2, 3) of a tensor starts. */
uint row_at(tensor t, uvec3 row)
{
	return t.at + row.x * t.nb.y + row.y * t.nb.z + row.z * t.nb.w;
}

uvec3 unravel_row(uint row, tensor t)
{
	return uvec3(row % t.ne.y, row / t.ne.y % t.ne.z, row / (t.ne.y * t.ne.z));
}

/*
 * TENSOR(binding, name) declares a tensor's buffer in the two ways it is looked at; READER(name) and WRITER(name)
 * make read_name(type, row, nb0, i), element i of the row that starts at byte "row", and write_name().
 */
#define TENSOR(BINDING, NAME)                                                             \
	layout(set = 0, binding = BINDING, std430) buffer NAME##Words { uint NAME##_words[]; }; \
	layout(set = 0, binding = BINDING, std430) buffer NAME##Halves { float16_t NAME##_halves[]; };

#define READER(NAME)                                                                         \
	uint half_bits_##NAME(uint at)                                                       \
	{                                                                                    \
		return (NAME##_words[at >> 2] >> (8 * (at & 2))) & 0xffffu;                  \
	}                                                                                    \
                                                                                             \
	float read_##NAME(uint type, uint row, uint nb0, uint i)                             \
	{                                                                                    \
		if (type == TYPE_F32)                                                        \
			return uintBitsToFloat(NAME##_words[(row + i * nb0) >> 2]);          \
		if (type == TYPE_F16)                                                        \
			return float(NAME##_halves[(row + i * nb0) >> 1]);                   \
		if (type == TYPE_Q8_0) {                                                     \
			uint block = row + (i >> 5) * 34;                                    \
			uint pair = half_bits_##NAME(block + 2 + (i & 30));                  \
			int q = int(pair << (24 - 8 * (i & 1))) >> 24;                       \
                                                                                             \
			return float(q) * float(NAME##_halves[block >> 1]);                  \
		}                                                                            \
                                                                                             \
		uint block = row + (i >> 5) * 18;                                            \
		uint pair = half_bits_##NAME(block + 2 + (i & 14));                          \
		int q = int((pair >> (8 * (i & 1) + ((i & 16) >> 2))) & 15u) - 8;            \
                                                                                             \
		return float(q) * float(NAME##_halves[block >> 1]);                          \
	}

#define WRITER(NAME)                                                                   \
	void write_##NAME(uint type, uint row, uint nb0, uint i, float value)          \
	{                                                                              \
		if (type == TYPE_F16)                                                  \
			NAME##_halves[(row + i * nb0) >> 1] = float16_t(value);        \
		else                                                                   \
			NAME##_words[(row + i * nb0) >> 2] = floatBitsToUint(value);   \
	}
