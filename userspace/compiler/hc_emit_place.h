/* SPDX-License-Identifier: MIT */
/* Places in memory, which loads, stores and atomics share. */
#ifndef HEARTH_HC_EMIT_PLACE_H
#define HEARTH_HC_EMIT_PLACE_H

#include "hc_emit.h"

/*
 * A place in memory, for all lanes. Lane i is at base + constant + uniform + i * stride + varying[i]; for @local memory the
 * whole offset is multiplied by the number of lanes and lane i's element is the i-th of a vector there.
 * @limit: bytes behind @base that belong to the buffer, where they are to be checked.
 */
struct hc_place {
	LLVMValueRef base;
	LLVMValueRef limit; /* a vector where bases are */
	LLVMValueRef
		bases; /* vector of i64 in place of a base, where lanes use different buffers; or NULL */
	uint64_t constant;
	LLVMValueRef uniform; /* i64 or NULL */
	int64_t stride;
	LLVMValueRef varying; /* vector of i64 or NULL */
	bool local;
	bool decorated; /* laid out by decorations */
	bool is_volatile;
	bool far; /* offsets may take more than 32 bits */
	struct hc_type *type;
	/* Of a matrix on the way down, and of a vector that is a row-major matrix's column. */
	uint32_t matrix_stride;
	bool row_major;
	uint32_t component_stride; /* 0: side by side */
};

/* The chain's instructions from the variable or address, which it returns, to the pointer. */
uint32_t hc_chain_of(struct hc_emit *e, uint32_t pointer, const struct hc_inst *chain[HC_MAX_DEPTH],
		     uint32_t *length);
struct hc_place hc_find_place(struct hc_emit *e, uint32_t pointer, uint32_t *root_id);

#define HC_BUFFERS (1u << HC_BINDING_UNIFORM_BUFFER | 1u << HC_BINDING_STORAGE_BUFFER)

/* An index into an array of bindings as i64: of lane 0 if it is the same in the subgroup. */
LLVMValueRef hc_array_index(struct hc_emit *e, uint32_t index);
const struct hc_binding *hc_find_binding(struct hc_emit *e, const struct hc_id *variable);
/*
 * Where the descriptor of a binding lies, which is of one of @kinds (bits); @index or NULL as above. A vector of pointers where the
 * index is a vector.
 */
LLVMValueRef hc_descriptor(struct hc_emit *e, const struct hc_id *variable, LLVMValueRef index,
			   uint32_t kinds);
/* A load that gives the same value wherever it stands. */
LLVMValueRef hc_load_invariant(struct hc_emit *e, LLVMTypeRef type, LLVMValueRef pointer);

/* Offsets from the base, @extra bytes behind the place: of all lanes; of lane 0. */
LLVMValueRef hc_lane_offsets(struct hc_emit *e, const struct hc_place *p, uint64_t extra);
LLVMValueRef hc_uniform_offset(struct hc_emit *e, const struct hc_place *p, uint64_t extra);
/* Which of @bytes at @offsets lie inside the buffer. */
LLVMValueRef hc_inside(struct hc_emit *e, const struct hc_place *p, LLVMValueRef offsets,
		       uint64_t bytes);
/* Addresses of all lanes; of the whole vector. */
LLVMValueRef hc_lane_pointers(struct hc_emit *e, const struct hc_place *p, uint64_t extra,
			      uint64_t bytes);
LLVMValueRef hc_vector_pointer(struct hc_emit *e, const struct hc_place *p, uint64_t extra);
/* Running lanes whose @bytes lie inside the buffer, where that is to be checked. */
LLVMValueRef hc_allowed(struct hc_emit *e, const struct hc_place *p, uint64_t extra,
			uint64_t bytes);

/* hc_emit_memory.c */
LLVMValueRef hc_masked_load(struct hc_emit *e, LLVMTypeRef type, LLVMValueRef pointer,
			    uint64_t align, LLVMValueRef mask);
void hc_masked_store(struct hc_emit *e, LLVMValueRef value, LLVMValueRef pointer, uint64_t align,
		     LLVMValueRef mask);
LLVMValueRef hc_zeros(struct hc_emit *e); /* 16 zero bytes, to be read in vain */
LLVMValueRef hc_load_scalar(struct hc_emit *e, const struct hc_place *p, uint64_t extra,
			    struct hc_type *type);
void hc_store_value(struct hc_emit *e, const struct hc_place *p, uint64_t extra,
		    struct hc_type *type, LLVMValueRef value);
/* @count elements of each lane, right behind those of the lane before, to a vector for each element. */
void hc_load_interleaved(struct hc_emit *e, const struct hc_place *p, uint64_t extra,
			 struct hc_type *element, uint32_t count, LLVMValueRef *out);

/* hc_emit_rows.c: the same where the lanes lie anywhere. Is it worth while, for @bytes a lane? */
bool hc_has_rows(const struct hc_emit *e, const struct hc_place *p, uint64_t bytes);
void hc_load_rows(struct hc_emit *e, const struct hc_place *p, uint64_t extra,
		  struct hc_type *element, uint32_t count, LLVMValueRef mask, LLVMValueRef *out);
/* A load of a group; false if it is to be emitted alone. */
bool hc_emit_adjacent(struct hc_emit *e, const struct hc_inst *inst);

/* hc_emit_input.c */
void hc_load_input(struct hc_emit *e, const struct hc_inst *inst, uint32_t root,
		   uint32_t component);

#endif /* HEARTH_HC_EMIT_PLACE_H */
