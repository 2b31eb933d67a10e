#version 460
#extension GL_GOOGLE_include_directive : require
// SPDX-License-Identifier: MIT
#define TA uint8_t
#define TC uint32_t
#define TD uint32_t
#define TILE_K 32
#define A_LAYOUT 1
#define B_LAYOUT 0
#define D_LAYOUT 1
#include "matrix_product.glsl"
