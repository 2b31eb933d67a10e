/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the emission to LLVM IR share.
 *
 * A scalar leaf of a value is held as its shape says: the one value of a uniform leaf; the value of lane 0 of an affine
 * one; a vector of all lanes of a varying one. Lanes that are off may hold anything. Half-precision numbers are held
 * as the 16 bits that they are in memory, booleans as i1.
 *
 * @exec holds the mask of running lanes, in a variable that LLVM turns into values. Values that are used in another block
 * than that which computes them, and phis, are variables as well; those that cross regions are copied from and to
 * the scratch memory at the ends of a region.
 */
#ifndef HEARTH_HC_EMIT_H
#define HEARTH_HC_EMIT_H

#include <llvm-c/Core.h>

#include "hc_internal.h"

/*
 * Which lanes of each subgroup are there, where lanes went apart around a barrier: on one way of a branch, or in what they leave each on
 * its own (@owner). @lanes: an array of u64 on the stack, a bit for each lane. @lead_*: a subgroup and a lane of it that are there
 * (i32 variables). @end: where control goes once none is. @left: lanes have left since the lead was chosen.
 */
struct hc_presence {
	struct hc_presence *outer;
	const struct hc_node *owner;
	LLVMValueRef lanes, lead_subgroup, lead_lane;
	LLVMBasicBlockRef end;
	bool left;
};

struct hc_emit {
	struct hc *hc;
	struct hc_module *m;
	struct hc_shapes *shapes;
	struct hc_regions *regions;
	uint32_t lanes;
	int has_f16;

	LLVMContextRef context;
	LLVMModuleRef module;
	LLVMBuilderRef b;
	LLVMBuilderRef entry; /* stays at the end of the entry block, for variables */
	LLVMValueRef function;
	LLVMTypeRef i1, i8, i16, i32, i64, f32, f64, ptr, mask;

	LLVMValueRef args, scratch;	     /* parameters */
	LLVMValueRef group_id[3], groups[3]; /* i32, of the work-group under way */
	LLVMValueRef subgroup;		     /* i32, of the region's turn */
	LLVMValueRef exec;
	LLVMValueRef nowhere; /* 16 bytes of the stack, to be written in vain */
	LLVMValueRef iota;    /* <0, 1, …> of i32 */

	struct hc_adjacent **adjacent; /* [instruction], of hc_adjacent() */
	const uint32_t *need;	       /* [id], of hc_partition() */
	uint32_t part;		       /* bit of the part under way, or 0 */
	LLVMValueRef **parked;	       /* [id][leaf], memory of sums whose part is not under way */

	struct hc_presence *presence; /* the innermost, or NULL: all lanes are there */

	uint32_t region; /* open one, or 0 */
	LLVMValueRef turn;
	LLVMBasicBlockRef turn_block, turn_end;
	LLVMBasicBlockRef
		region_out; /* the end of the open region, for subgroups that leave it; NULL if none does */

	LLVMValueRef **values;	  /* [id][leaf], of the block under way */
	LLVMValueRef **variables; /* [id][leaf], made on first use */
	LLVMValueRef **later;	  /* [id][leaf], of phis to change when the region is over */
	bool has_later;
	LLVMValueRef *memory; /* [id], of variables in memory of the kernel */
	uint64_t *
		slot; /* [id], of what crosses regions, in its subgroup's frame; of shared variables: offset + 1 */
	uint64_t frames; /* offset of the first subgroup's frame in the scratch memory */
	uint64_t frame_bytes;
	LLVMValueRef *staged; /* [id], of matrices: a copy in the form that products read */
	uint32_t *staged_at;  /* [id], @serial when it was made */
	uint32_t serial;      /* of pieces of code */
	uint64_t scratch_bytes;
	uint64_t shared_bytes;
};

/* ---- hc_emit_value.c ---- */

LLVMTypeRef hc_scalar_type(struct hc_emit *e, const struct hc_type *type);
LLVMTypeRef hc_vector_of(struct hc_emit *e, LLVMTypeRef scalar);
LLVMValueRef hc_int(struct hc_emit *e, LLVMTypeRef type, uint64_t value); /* scalar or splat */
LLVMValueRef hc_splat(struct hc_emit *e, LLVMValueRef scalar);
bool hc_is_vector(LLVMValueRef value);
/* Calls intrinsic @name, overloaded on @types. */
LLVMValueRef hc_intrinsic(struct hc_emit *e, const char *name, LLVMTypeRef *types,
			  unsigned int type_count, LLVMValueRef *args, unsigned int arg_count);
/* Unary or binary or ternary intrinsic, overloaded on the type of its first argument. */
LLVMValueRef hc_call1(struct hc_emit *e, const char *name, LLVMValueRef x);
LLVMValueRef hc_call2(struct hc_emit *e, const char *name, LLVMValueRef x, LLVMValueRef y);
LLVMValueRef hc_call3(struct hc_emit *e, const char *name, LLVMValueRef x, LLVMValueRef y,
		      LLVMValueRef z);
LLVMValueRef hc_shuffle(struct hc_emit *e, LLVMValueRef x, LLVMValueRef y, const uint32_t *lanes,
			uint32_t count);

struct hc_shape hc_leaf_shape(struct hc_emit *e, uint32_t id, uint32_t leaf);
/* All lanes of a leaf. */
LLVMValueRef hc_lanes(struct hc_emit *e, uint32_t id, uint32_t leaf);
/* Lane 0 of a leaf that is not varying. */
LLVMValueRef hc_lane0(struct hc_emit *e, uint32_t id, uint32_t leaf);
/* Was @id computed in the block under way, so that what it is computed from can be read as well? */
bool hc_is_new(struct hc_emit *e, uint32_t id);
/* Sets a leaf from all lanes, or from lane 0; brings it into the form of its shape. */
void hc_put(struct hc_emit *e, uint32_t id, uint32_t leaf, LLVMValueRef value);
/*
 * A phi's leaf, on an edge in @region. One that is the same in the whole work-group is one variable for all subgroups,
 * which take their turns: where a loop at group level sets it for its next round, it changes after the last turn.
 */
void hc_put_phi(struct hc_emit *e, uint32_t id, uint32_t leaf, LLVMValueRef value, uint32_t region);
void hc_settle_phis(struct hc_emit *e);
/*
 * Where a phi's lanes are about to be set from several edges, what they held before is of no use to anyone: without this
 * it would have to be kept, from one subgroup's turn to the next.
 */
void hc_forget_phi(struct hc_emit *e, uint32_t id);
/* Takes the variables of @id away from LLVM's optimization, or back. */
void hc_park(struct hc_emit *e, uint32_t id, bool away);
/* In the form of @id's shape, a value of @from's. */
LLVMValueRef hc_as_shape(struct hc_emit *e, uint32_t id, uint32_t leaf, uint32_t from,
			 uint32_t from_leaf);
/* Does the result of @inst need all lanes computed? */
bool hc_is_varying(struct hc_emit *e, uint32_t id, uint32_t leaf);
/* Where the components of a matrix lie, row by row. */
LLVMValueRef hc_matrix_image(struct hc_emit *e, uint32_t id);
/* Are both matrices, in one place? */
bool hc_matrix_in_place(struct hc_emit *e, uint32_t id, uint32_t other);
/* Values at the group level, where no subgroup runs: those of a lane that is there; of all lanes of @subgroup. */
LLVMValueRef hc_group_value(struct hc_emit *e, uint32_t id);
LLVMValueRef hc_group_lanes(struct hc_emit *e, uint32_t id, LLVMValueRef subgroup);
/* Lays out the frames of what crosses regions, behind all else in the scratch memory. */
void hc_place_slots(struct hc_emit *e);
/* What crosses into and out of a region. */
void hc_copy_in(struct hc_emit *e, uint32_t region);
void hc_copy_out(struct hc_emit *e, uint32_t region);

LLVMValueRef hc_exec(struct hc_emit *e);
LLVMValueRef hc_any(struct hc_emit *e, LLVMValueRef mask);
/* Bits of a mask as an integer of as many bits as there are lanes. */
LLVMValueRef hc_mask_bits(struct hc_emit *e, LLVMValueRef mask);
LLVMValueRef hc_local(struct hc_emit *e, LLVMTypeRef type, const char *name);
/* Number of the first running lane, i32. */
LLVMValueRef hc_first_lane(struct hc_emit *e);

uint64_t hc_align_up(uint64_t value, uint64_t align);

/* ---- hc_emit.c, hc_emit_apart.c ---- */

/* Lanes of the subgroup that are invocations: all, but in the last one. */
LLVMValueRef hc_full_mask(struct hc_emit *e);
/* Those that are there, where lanes went apart around a barrier; a subgroup without any ends its turn. */
LLVMValueRef hc_present_lanes(struct hc_emit *e);
/* May the lanes of a work-group take different ways at @node, which is at group level? */
bool hc_goes_apart(struct hc_emit *e, const struct hc_node *node);
void hc_emit_apart(struct hc_emit *e, struct hc_node *node,
		   void (*emit_body)(struct hc_emit *e, struct hc_list *body));
/* Around something that lanes leave each on its own. */
void hc_enter_parted(struct hc_emit *e, const struct hc_node *node, struct hc_presence *presence);
void hc_end_parted(struct hc_emit *e);
/* The running lanes leave @target, which is parted. */
void hc_leave_parted(struct hc_emit *e, const struct hc_node *target);
/* At the group level, where lanes may have left: goes to the end if none is left, and finds a lead among those that are. */
void hc_lead_again(struct hc_emit *e);
/* Where a region's turn ends. */
LLVMBasicBlockRef hc_region_out(struct hc_emit *e);

/* ---- hc_emit_memory.c, hc_emit_place.c, hc_emit_atomic.c ---- */

void hc_emit_load(struct hc_emit *e, const struct hc_inst *inst);
void hc_emit_store(struct hc_emit *e, const struct hc_inst *inst);
void hc_emit_copy(struct hc_emit *e, const struct hc_inst *inst);
void hc_emit_atomic(struct hc_emit *e, const struct hc_inst *inst);
void hc_emit_address(struct hc_emit *e, const struct hc_inst *inst);
void hc_emit_array_length(struct hc_emit *e, const struct hc_inst *inst);
/* Bytes that a value of local memory takes for one subgroup. */
uint64_t hc_local_bytes(struct hc_emit *e, uint32_t id);
LLVMValueRef hc_local_memory(struct hc_emit *e, uint32_t id);

/* ---- hc_emit_alu.c, hc_emit_dot.c, hc_emit_glsl.c, hc_emit_geometry.c, hc_emit_image.c, hc_emit_matrix.c, hc_emit_subgroup.c ---- */

/* Returns false if the instruction is none of theirs. */
bool hc_emit_image(struct hc_emit *e, const struct hc_inst *inst);
bool hc_emit_matrix(struct hc_emit *e, const struct hc_inst *inst);
bool hc_emit_alu(struct hc_emit *e, const struct hc_inst *inst);
bool hc_emit_integer_dot(struct hc_emit *e, const struct hc_inst *inst);
/* @x + @y in fewer instructions, if both are dot products of bytes; else NULL. */
LLVMValueRef hc_emit_dot_sum(struct hc_emit *e, LLVMValueRef x, LLVMValueRef y);
bool hc_emit_composite(struct hc_emit *e, const struct hc_inst *inst);
void hc_emit_glsl(struct hc_emit *e, const struct hc_inst *inst);
bool hc_emit_geometry(struct hc_emit *e, const struct hc_inst *inst);
bool hc_emit_subgroup(struct hc_emit *e, const struct hc_inst *inst);

/*
 * The lesser (or the greater) of two halves that were widened; the other one, if one is no number. Without fences LLVM would see that
 * halves suffice, and call a library where the target has no minimum of halves.
 */
LLVMValueRef hc_least_half(struct hc_emit *e, LLVMValueRef x, LLVMValueRef y, bool greatest);
/* Half to float and back, for scalars and vectors. */
LLVMValueRef hc_widen(struct hc_emit *e, const struct hc_type *type, LLVMValueRef value);
LLVMValueRef hc_narrow(struct hc_emit *e, const struct hc_type *type, LLVMValueRef value);

#endif /* HEARTH_HC_EMIT_H */
