#version 460
#extension GL_GOOGLE_include_directive : require
// SPDX-License-Identifier: MIT
#define TA float
#define TC float
#define TD float
#define TILE_K 16
#define A_LAYOUT 1
#define B_LAYOUT 1
#define D_LAYOUT 0
#include "matrix_product.glsl"
