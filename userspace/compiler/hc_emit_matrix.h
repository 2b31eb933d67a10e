/* SPDX-License-Identifier: MIT */
/* What loads, stores and products of cooperative matrices share. */
#ifndef HEARTH_HC_EMIT_MATRIX_H
#define HEARTH_HC_EMIT_MATRIX_H

#include "hc_emit_place.h"

/* @offset bytes behind @base; without a base the offset is an address. */
LLVMValueRef hc_matrix_at(struct hc_emit *e, LLVMValueRef base, LLVMValueRef offset);
/* A vector of @count scalars (1: a scalar), of which each is aligned to its @size. */
LLVMValueRef hc_matrix_load(struct hc_emit *e, LLVMTypeRef scalar, uint32_t count, uint32_t size,
			    LLVMValueRef pointer);
void hc_matrix_store(struct hc_emit *e, LLVMValueRef value, uint32_t size, LLVMValueRef pointer);
LLVMBasicBlockRef hc_matrix_block(struct hc_emit *e, const char *name);

/* A loop of the machine's, @at = 0, @step, … below @count; phis besides go to the start of @body. */
struct hc_matrix_loop {
	LLVMBasicBlockRef before, body, after;
	LLVMValueRef at;
	uint64_t count, step;
};

struct hc_matrix_loop hc_matrix_loop(struct hc_emit *e, uint64_t count, uint64_t step);
void hc_matrix_loop_end(struct hc_emit *e, struct hc_matrix_loop *loop);

/* hc_emit_product.c: A × B + C */
void hc_emit_product(struct hc_emit *e, const struct hc_inst *inst);

#endif /* HEARTH_HC_EMIT_MATRIX_H */
