#version 460
#extension GL_GOOGLE_include_directive : require
// SPDX-License-Identifier: MIT
#define TA int8_t
#define TC int32_t
#define TD int32_t
#define TILE_K 32
#define A_LAYOUT 0
#define B_LAYOUT 1
#define D_LAYOUT 0
#include "matrix_product.glsl"
