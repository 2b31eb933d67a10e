/* SPDX-License-Identifier: MIT */
/* What a SPIR-V module asks of those who run it, as far as hearth-cc must know: its buffers and specialization constants. */
#ifndef HEARTH_TOOLS_SPIRV_INTERFACE_H
#define HEARTH_TOOLS_SPIRV_INTERFACE_H

#include "hc.h"

/* @bits: of the constant; booleans 1. */
struct spirv_constant {
	uint32_t id; /* SpecId */
	uint32_t bits;
	bool is_float;
	bool is_bool;
};

struct spirv_interface {
	struct hc_binding *bindings;
	uint32_t binding_count;
	struct spirv_constant *constants;
	uint32_t constant_count;
};

/*
 * Reads the @words of a module into @out; spirv_interface_free() frees what it holds. Slots are given in the order of binding
 * numbers, in each set from 0. What is malformed is passed over, for the compiler to name. Returns false if memory ran out.
 */
bool spirv_interface_read(struct spirv_interface *out, const uint32_t *words, size_t count);
void spirv_interface_free(struct spirv_interface *interface);

#endif /* HEARTH_TOOLS_SPIRV_INTERFACE_H */
