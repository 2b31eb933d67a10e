#version 460
#extension GL_GOOGLE_include_directive : require
// SPDX-License-Identifier: MIT
#include "pointwise.glsl"
#include "hash.h"
