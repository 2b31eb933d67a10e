/* SPDX-License-Identifier: MIT */
/*
 * What the compiler's passes share: the module as tables over the SPIR-V words, the control structure as a tree, and
 * the shapes of values. Passes run in this order, a file each:
 *
 *	hc_prepare	words → words: specialization, inlining, SSA (SPIRV-Tools)
 *	hc_module	words → struct hc_module: types, constants, decorations, instructions
 *	hc_table	which variables always hold their initializer
 *	hc_image	where images and samplers come from
 *	hc_structure	instructions → tree of struct hc_node, from the merge instructions
 *	hc_shape	which values are uniform, which grow by a constant from lane to lane
 *	hc_adjacent	which loads are of neighbouring elements
 *	hc_partition	which loops compute their sums a part at a time
 *	hc_region	where barriers cut the tree, and which values cross the cuts
 *	hc_share	which of those lie in one place
 *	hc_matrix	which cooperative matrices share memory
 *	hc_emit_*	LLVM IR
 *
 * All memory of a compilation comes from one arena and is freed at its end. Errors leave through hc_abort(), which
 * does not return; hc_compile() is where they arrive.
 */
#ifndef HEARTH_HC_INTERNAL_H
#define HEARTH_HC_INTERNAL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hc.h"

#define HC_MAX_LEAVES 4096 /* scalars of one SSA value */
#define HC_MAX_IDS    (1u << 20)
#define HC_MAX_DEPTH  64 /* of types, of constants and of nested control flow */
#define HC_NONE	      UINT32_MAX

struct hc_chunk;

/* One compilation. */
struct hc {
	const struct hc_compile_info *info;
	const struct hc_target *target;
	jmp_buf failed;
	enum hc_result result;
	char *message;
	struct hc_chunk *chunks;
	struct spv_context_t *tools;	       /* SPIRV-Tools' context */
	struct LLVMOpaqueContext *llvm;	       /* LLVM's */
	struct LLVMOpaqueBuilder *builders[2]; /* its builders, which the context does not free */
	uint32_t lanes;			       /* subgroup size */
	uint32_t subgroups;		       /* of a work-group */
	uint32_t invocations;
	uint32_t local_size[3];
	uint64_t phase_start;
	uint32_t phase_us[HC_PHASE_COUNT];
};

/* Notes how long a phase took that began when the one before it ended. */
void hc_phase_ends(struct hc *hc, enum hc_phase phase);
/* Ends the compilation with a message. */
_Noreturn void hc_abort(struct hc *hc, enum hc_result result, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Zeroed memory of the compilation. */
void *hc_alloc(struct hc *hc, size_t count, size_t size);
#define HC_NEW(hc, type, count) ((type *)hc_alloc(hc, (count), sizeof(type)))
/* Hands @text to the caller's dump function if @pass was asked for. */
bool hc_wants_dump(const struct hc *hc, const char *pass);
void hc_dump(const struct hc *hc, const char *pass, const char *text);

/* ---- Module ---- */

enum hc_type_kind {
	HC_TYPE_VOID,
	HC_TYPE_BOOL,
	HC_TYPE_INT,
	HC_TYPE_FLOAT,
	HC_TYPE_VECTOR,
	HC_TYPE_MATRIX, /* @count columns of type @element */
	HC_TYPE_ARRAY,	/* @count 0: of run-time length */
	HC_TYPE_STRUCT,
	HC_TYPE_POINTER,
	/* cooperative matrix: @count components of type @element in each lane */
	HC_TYPE_COOPERATIVE,
	HC_TYPE_IMAGE, /* also what OpTypeSampledImage makes of one */
	HC_TYPE_SAMPLER,
	HC_TYPE_FUNCTION,
};

/*
 * @leaves: scalars that a value of the type is made of, 0 if it cannot be a value, or @is_empty.
 * @stride: ArrayStride of arrays; 0 if not decorated.
 * @rows, @columns, @use: of cooperative matrices.
 * @dim, @arrayed, @is_storage, @format: of images, whose @element is what their texels are sampled as.
 * @size, @align: bytes in memory that the compiler lays out itself (scalars side by side).
 */
struct hc_type {
	enum hc_type_kind kind;
	uint32_t width;
	bool is_signed;
	uint32_t element;
	uint32_t count;
	const uint32_t *members;
	struct hc_member *layout; /* of structs, one for each member */
	uint32_t storage_class;
	uint32_t rows, columns, use;
	uint32_t dim, format;
	bool arrayed;
	bool is_storage;
	uint32_t stride;
	uint32_t leaves;
	bool is_empty; /* a structure without members, or what is made of such */
	uint64_t size;
	uint32_t align;
};

struct hc_member {
	uint32_t offset;
	uint32_t own_offset; /* in memory that the compiler lays out */
	uint32_t first_leaf;
	uint32_t matrix_stride;
	bool row_major;
	bool has_offset;
	uint32_t builtin; /* HC_NONE if none */
};

enum hc_id_kind {
	HC_ID_NONE,
	HC_ID_TYPE,
	HC_ID_CONSTANT,
	HC_ID_VARIABLE,
	HC_ID_VALUE,
	HC_ID_BLOCK,
	HC_ID_FUNCTION,
	HC_ID_IMPORT,
	HC_ID_OTHER,
};

enum hc_decoration {
	HC_DECORATED_VOLATILE = 1 << 0,
	HC_DECORATED_NO_CONTRACTION = 1 << 1,
	HC_DECORATED_NON_WRITABLE = 1 << 2,
	HC_DECORATED_COHERENT = 1 << 3,
	HC_DECORATED_BLOCK = 1 << 4,
	HC_DECORATED_ROUND_TO_ZERO = 1 << 5,
};

struct hc_id {
	enum hc_id_kind kind;
	uint32_t type;
	uint32_t index; /* instruction of values, block number of blocks */
	uint32_t decorations;
	uint32_t builtin; /* HC_NONE if none */
	uint32_t set;
	uint32_t binding;
	uint32_t array_stride;
	uint32_t storage_class; /* of variables */
	struct hc_type *as_type;
	const uint64_t *constant; /* leaves, zero-extended */
	uint32_t initializer;	  /* of variables; 0 if none */
	bool is_table;		  /* variable that always holds its initializer */
	bool is_ignored;	  /* import whose instructions have no meaning for the result */
};

/* One instruction of the entry point. Operands are those after type and result. */
struct hc_inst {
	uint16_t op;
	uint16_t operands;
	uint32_t type;
	uint32_t result;
	const uint32_t *operand;
	uint32_t block;
};

struct hc_block {
	uint32_t label;
	uint32_t first; /* instructions [first, last]; last is the terminator */
	uint32_t last;
	uint32_t merge;	  /* label, 0 if none */
	uint32_t proceed; /* label of the continue target; 0 if the block is no loop header */
	bool placed;	  /* in the tree */
};

struct hc_module {
	struct hc *hc;
	const uint32_t *words;
	size_t word_count;
	uint32_t bound;
	struct hc_id *ids;
	uint32_t entry;
	struct hc_inst *insts;
	uint32_t inst_count;
	struct hc_block *blocks;
	uint32_t block_count;
	uint32_t glsl; /* id of GLSL.std.450, 0 if not imported */
};

const char *hc_op_name(uint32_t op);
struct hc_module *hc_module_parse(struct hc *hc, const uint32_t *words, size_t word_count);
/* Checked access: fails unless @id is of the kind. */
struct hc_id *hc_id(struct hc_module *m, uint32_t id);
struct hc_type *hc_type(struct hc_module *m, uint32_t id);
struct hc_type *hc_type_of(struct hc_module *m, uint32_t id);
/* The scalar type at a leaf of a composite; @leaf < type->leaves. */
struct hc_type *hc_leaf_type(struct hc_module *m, struct hc_type *type, uint32_t leaf);
/* Member @index of a composite: its type, and its first leaf within the composite. */
struct hc_type *hc_member_type(struct hc_module *m, struct hc_type *type, uint32_t index,
			       uint32_t *first_leaf);
/* Is it a pointer that is a value (PhysicalStorageBuffer)? Its type's element is what it points to. */
bool hc_is_address(struct hc_module *m, uint32_t id);
/* The instruction that makes a pointer from another one, or NULL. */
const struct hc_inst *hc_access_chain(struct hc_module *m, uint32_t pointer);
bool hc_is_atomic(uint32_t op);
/* Is type @id a structure whose layout the shader gives? */
bool hc_is_block(struct hc_module *m, uint32_t id);
/* Bytes of a type that is laid out by decorations. */
uint64_t hc_decorated_bytes(struct hc_module *m, const struct hc_type *type);
/* Is it a value, and no constant, that is a cooperative matrix? */
bool hc_is_matrix(struct hc_module *m, uint32_t id);
/* Value of a 32-bit (or narrower) integer constant; fails if @id is none. */
uint32_t hc_constant_u32(struct hc_module *m, uint32_t id);

/* The leaves of an OpSpecConstantOp: @w, @n: its words but the first. */
void hc_constant_op(struct hc_module *m, const uint32_t *w, uint32_t n, uint64_t *out);

/* Words of the module with specialization applied, functions inlined, variables in SSA. Allocated from the arena. */
uint32_t *hc_prepare(struct hc *hc, size_t *word_count);
/* Frees what outlives hc_prepare(); call it however the compilation ended. */
void hc_prepare_fini(struct hc *hc);

/* Marks variables of invocations that nothing writes to: all invocations share one copy, in the code's constants. */
void hc_find_tables(struct hc_module *m);

/* ---- Structure ---- */

enum hc_node_kind {
	HC_NODE_CODE,	/* instructions [first, end) of a block */
	HC_NODE_IF,	/* body[0] if the condition holds, body[1] if not */
	HC_NODE_SWITCH, /* cases */
	HC_NODE_LOOP,	/* body[0] again and again; body[1] where continue leads */
	HC_NODE_EDGE,	/* control goes from one block to another: sets the latter's phis */
	HC_NODE_JUMP, /* an edge that leaves @target, or goes to its continue part or to another of its cases */
	HC_NODE_BARRIER, /* of the work-group */
	HC_NODE_END,	 /* of the shader */
};

enum hc_jump {
	HC_JUMP_BREAK,
	HC_JUMP_CONTINUE,
	HC_JUMP_FALL, /* from one case of a switch into another, which stands behind it */
};

struct hc_list {
	struct hc_node *first;
	struct hc_node *last;
};

/* @enter: the edge from the switch, which control that falls into the case does not take. @block, @fallen: while it is emitted, where control that falls into it goes, and lanes that did (LLVM values). */
struct hc_case {
	struct hc_list enter;
	struct hc_list body;
	uint32_t label;
	void *block;
	void *fallen;
	const uint32_t *literals; /* words of the values that lead here */
	uint32_t literal_count;
	bool is_default;
};

struct hc_node {
	enum hc_node_kind kind;
	struct hc_node *next;
	struct hc_node *parent;
	uint32_t block; /* of CODE; of the terminator of IF and SWITCH; header of LOOP */
	uint32_t first, end;
	uint32_t condition; /* id, of IF; selector of SWITCH, or 0: the default */
	struct hc_list body[2];
	struct hc_case *cases;
	uint32_t case_count;
	const uint32_t *order;	/* of the cases: each before the one that it falls into */
	uint32_t literal_words; /* of one case value */
	enum hc_jump jump;
	struct hc_node *target;
	uint32_t target_case; /* of HC_JUMP_FALL */
	uint32_t from, to;    /* blocks of EDGE and JUMP */
	bool divergent;	      /* lanes of a subgroup may part here */
	bool splits;	      /* subgroups may part here */
	bool jumps;	  /* something inside leaves it otherwise than at its end, lanes apart */
	bool group_level; /* has a barrier inside, or leaves something that has */
	bool parted; /* of SWITCH and LOOP at group level: invocations leave it each on its own */
	uint32_t region; /* of CODE, EDGE and JUMP, and of all else that is not at group level */
	/* While LOOP and SWITCH are emitted: where jumps go, and the lanes that went there (LLVM values). */
	void *break_block;
	void *continue_block;
	void *broken;
	void *continued;
	/* Of LOOP: how many times it runs, each for a part of its sums (0: once), and the edge into it. */
	uint32_t parts;
	const struct hc_node *enter;
};

/* Do lanes take @jump each on its own, out of something that holds a barrier? */
static inline bool hc_is_apart(const struct hc_node *jump)
{
	return jump->target->parted && jump->jump == HC_JUMP_BREAK;
}

/* Builds the tree of the entry point; refuses what is not structured. */
struct hc_list hc_structure(struct hc_module *m);

/* ---- Shapes ---- */

/*
 * UNIFORM: the same in the whole work-group. AFFINE: lane i of a subgroup has base + i * stride (stride 0: the
 * same in the subgroup). VARYING: anything. @align_log2: what divides the base (and UNIFORM values).
 * @positive: known to be in [0, 2^31) when taken as signed.
 */
enum hc_shape_kind { HC_UNIFORM, HC_AFFINE, HC_VARYING };

struct hc_shape {
	uint8_t kind;
	uint8_t align_log2;
	bool known; /* reached by the analysis */
	bool positive;
	int64_t stride;
};

struct hc_shapes {
	struct hc_module *m;
	struct hc_shape **leaf; /* [id][leaf]; NULL where the id is no value */
	bool *escapes;		/* [id]: used outside a divergent loop that it is computed in */
	bool *phi_masked;	/* [id]: lanes come from different edges */
};

struct hc_shapes *hc_shape(struct hc_module *m, struct hc_list *tree);
struct hc_shape hc_shape_of(struct hc_shapes *shapes, uint32_t id, uint32_t leaf);
static inline bool hc_is_scalar(struct hc_shape shape)
{
	return shape.kind == HC_UNIFORM || (shape.kind == HC_AFFINE && !shape.stride);
}

/* ---- Partition ---- */

#define HC_ALL_PARTS UINT32_MAX
#define HC_NO_PART   (1u << 31) /* a bit that is set in HC_ALL_PARTS and in no part */

/* Sets node->parts of loops. Returns for each id in such a loop the parts that need it, as bits; 0 for all others. */
uint32_t *hc_partition(struct hc_module *m, struct hc_shapes *shapes, struct hc_list *tree);

/* ---- Adjacent loads ---- */

#define HC_MAX_ADJACENT 16

/* Loads of one array whose indices are one value plus @offset. @loaded: while they are emitted, for which part. */
struct hc_adjacent {
	uint32_t count;
	uint32_t inst[HC_MAX_ADJACENT];
	int64_t offset[HC_MAX_ADJACENT];
	uint32_t loaded;
};

/* For each instruction its group, or NULL. */
struct hc_adjacent **hc_adjacent(struct hc_module *m, struct hc_shapes *shapes,
				 struct hc_list *tree);

/* ---- Regions ---- */

/*
 * A region is code between barriers: all its subgroups may run one after another. Region 0 is the group level.
 * @home: region that computes an id. @crosses: it is used in another one.
 * @spills: it is used in another block, so it lives in a variable.
 * @shares: another one that it lies in the place of, while it crosses; 0: none.
 * @image: of cooperative matrices: the one whose memory this one uses, which may be its own.
 */
struct hc_regions {
	uint32_t count;
	uint32_t *home;
	bool *crosses;
	bool *spills;
	uint32_t *shares;
	uint32_t *image;
	/* Per region: ids whose variables it reads or writes and that cross. */
	struct hc_id_list {
		uint32_t *ids;
		uint32_t count;
		uint32_t capacity;
	} *reads, *writes;
};

/* Makes what stands behind the last barrier of a loop's body or a case something that lanes may leave apart. */
void hc_part_tails(struct hc_module *m, struct hc_list *tree);
/* Finds what else invocations leave each on its own, and sets @parted there. */
void hc_part_others(struct hc_module *m, struct hc_list *tree);
struct hc_regions *hc_region(struct hc_module *m, struct hc_shapes *shapes, struct hc_list *tree);

/* Sets regions->shares. */
void hc_share(struct hc_module *m, struct hc_shapes *shapes, struct hc_regions *regions,
	      struct hc_list *tree);
/* Finds which cooperative matrices can share memory, so that products are added up in place. */
void hc_share_matrices(struct hc_module *m, struct hc_regions *regions);

/* ---- Images ---- */

bool hc_is_image_op(uint32_t op);
/* Is the value an image, a sampler or both? Such have no leaves: they are followed back to where they were loaded. */
bool hc_is_opaque(struct hc_module *m, uint32_t id);
/* The pointer that an image (or, with @sampler, the sampler beside it) was loaded from. */
uint32_t hc_image_pointer(struct hc_module *m, uint32_t id, bool sampler);

/* Calls @visit for each id that an instruction reads, through pointers' access chains to their indices. */
void hc_for_each_use(struct hc_module *m, const struct hc_inst *inst,
		     void (*visit)(void *context, uint32_t id), void *context);

/* ---- What passes made, as text for the caller's dump function ---- */

void hc_dump_module(struct hc_module *m);
void hc_dump_tables(struct hc_module *m);
/* The tree, with what is there of shapes and regions (or NULL), under the name @pass. */
void hc_dump_tree(struct hc_module *m, const char *pass, struct hc_list *tree,
		  struct hc_shapes *shapes, struct hc_regions *regions);
void hc_dump_partition(struct hc_module *m, const uint32_t *need);
void hc_dump_sharing(struct hc_module *m, struct hc_regions *regions);
void hc_dump_adjacent(struct hc_module *m, struct hc_adjacent **adjacent);

/* ---- Emission ---- */

struct hc_kernel *hc_emit(struct hc_module *m, struct hc_list *tree, struct hc_shapes *shapes,
			  struct hc_regions *regions, const uint32_t *need,
			  struct hc_adjacent **adjacent);

#endif /* HEARTH_HC_INTERNAL_H */
