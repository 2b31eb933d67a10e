// SPDX-License-Identifier: MIT
/*
 * Fuzzes the module: fuzz_calls OPERATIONS [SEED]. A program is a few operations on one open file: ioctls, mappings
 * and what is written to them, packets in a ring, doorbells, dma-bufs. With a kernel that has KCOV, a program that
 * reaches a place of the kernel that none has reached before is kept, and most programs are mutations of kept ones;
 * without, all are random. No result is foretold: the kernel must stay silent and whole, the board must serve
 * afterwards, and have all its memory back.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz_ops.h"
#include "guest.h"

/* The kernel's Documentation/dev-tools/kcov.rst; in no header of user space. */
#define KCOV_INIT_TRACE _IOR('c', 1, unsigned long)
#define KCOV_ENABLE	_IO('c', 100)
#define KCOV_DISABLE	_IO('c', 101)
#define KCOV_WORDS	(64 << 10)

#define PROGRAM_OPS	12
#define OP_WORDS	12
#define CORPUS		1024
#define PLACES		(1 << 18)
#define MEMORY_PAGES	16
#define RING_LOG2	6
#define FIRST_VA	0x10000ull
#define SECONDS_QUIET	5

enum op_kind {
	OP_CALL,
	OP_MAP,
	OP_PACKET,
	OP_DOORBELL,
	OP_EXPORT,
	OP_CLOSE_HANDLE,
	OP_OTHER,
	OP_KINDS
};

struct op {
	uint8_t kind;
	uint8_t which;
	uint64_t words[OP_WORDS];
};

struct program {
	bool whole; /* begins with an address space, a ring and a queue that are right */
	unsigned int count;
	struct op ops[PROGRAM_OPS];
};

/* What a program has while it runs. */
struct run {
	int fd;
	uint64_t offset; /* of a mapping, as last told */
	struct hearth_drm_queue queue;
	bool has_queue;
	void *ring;
	int dmabuf;
};

static uint64_t state;
static uint8_t *memory; /* that calls may name and the kernel may write */
static struct program corpus[CORPUS];
static unsigned int corpus_count;
static uint8_t places[PLACES];
static unsigned long reached, operations, calls_right;
static uint64_t *cover;

static uint64_t draw(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static uint32_t below(uint32_t limit)
{
	return (uint32_t)(draw() >> 32) % limit;
}

/* ---- Values ---- */

static uint64_t any(void)
{
	static const uint64_t odd[] = {
		0,
		1,
		63,
		4095,
		4096,
		65536,
		1ull << 31,
		1ull << 32,
		1ull << 47,
		1ull << 63,
		~0ull,
		~0xfffull,
		HBI_RETURN_ADDRESS,
	};

	return below(4) ? odd[below(sizeof(odd) / sizeof(odd[0]))] : draw();
}

static uint64_t value(enum field_kind kind)
{
	switch (kind) {
	case FIELD_ZERO:
		return below(24) ? 0 : any();
	case FIELD_SMALL:
		return below(16) ? below(7) : any();
	case FIELD_SIZE:
		return below(12) ? 4096ull * below(33) : below(3) ? below(8192) : any();
	case FIELD_VA:
		return below(12) ? FIRST_VA + 4096ull * below(64) : any();
	case FIELD_MEMORY:
		/* Memory of this program's own, or none at all: the kernel may write there. */
		if (below(8))
			return (uintptr_t)memory + 4096ull * below(MEMORY_PAGES) +
			       (below(4) ? 0 : below(4096));
		return below(2) ? below(4096) : draw() | 1ull << 63;
	case FIELD_TIME:
		return below(2) ? 0 : now_ns() + 1000 * below(500);
	default:
		return any();
	}
}

static void new_op(struct op *op)
{
	const struct field *field;
	unsigned int i;

	memset(op, 0, sizeof(*op));
	op->kind = below(3) ? OP_CALL : below(OP_KINDS);
	switch (op->kind) {
	case OP_CALL:
		op->which = below(FUZZ_CALLS);
		for (field = fuzz_calls[op->which].fields; field->kind; field++) {
			uint64_t word = value(field->kind);

			memcpy((uint8_t *)op->words + field->offset, &word, field->bytes);
		}
		break;
	case OP_PACKET:
		op->words[0] = below(16) ? below(11) : draw();
		for (i = 1; i < 8; i++)
			op->words[i] = value(below(2)	? FIELD_VA
					     : below(2) ? FIELD_SIZE
							: FIELD_ZERO);
		op->which = below(1 << RING_LOG2);
		break;
	case OP_DOORBELL:
		op->words[0] = below(8) ? below(3) : any();
		break;
	default:
		op->which = draw();
		for (i = 0; i < 4; i++)
			op->words[i] = value(i ? FIELD_SIZE : FIELD_SMALL);
	}
}

static void new_program(struct program *program)
{
	unsigned int i;

	program->whole = below(5);
	program->count = 1 + below(PROGRAM_OPS);
	for (i = 0; i < program->count; i++)
		new_op(&program->ops[i]);
}

/* One to three changes: an operation new, gone, twice, from another program, or with another field. */
static void mutate(struct program *program)
{
	unsigned int changes = 1 + below(3);

	while (changes--) {
		unsigned int at = below(program->count);
		struct op *op = &program->ops[at];
		const struct program *other = &corpus[below(corpus_count)];

		switch (below(5)) {
		case 0:
			new_op(op);
			break;
		case 1:
			if (program->count > 1)
				*op = program->ops[--program->count];
			break;
		case 2:
			if (program->count < PROGRAM_OPS)
				program->ops[program->count++] = *op;
			break;
		case 3:
			*op = other->ops[below(other->count)];
			break;
		default:
			if (op->kind == OP_CALL && fuzz_calls[op->which].fields[0].kind) {
				const struct field *field = fuzz_calls[op->which].fields;
				uint64_t word;

				while (field[1].kind && below(3))
					field++;
				word = value(field->kind);
				memcpy((uint8_t *)op->words + field->offset, &word, field->bytes);
			} else {
				op->words[below(8)] = value(FIELD_VA);
			}
		}
	}
}

/* ---- Running ---- */

static void begin_whole(struct run *run)
{
	uint32_t vm, handle;

	if (hearth_drm_vm_create(run->fd, &vm) ||
	    hearth_drm_bo_create(run->fd, HBI_PACKET_SIZE << RING_LOG2, DRM_HEARTH_PLACEMENT_HOST,
				 &handle) ||
	    hearth_drm_bo_map(run->fd, handle, HBI_PACKET_SIZE << RING_LOG2, &run->ring))
		return;
	if (hearth_drm_vm_map(run->fd, vm, handle, 0, FIRST_VA, 4096, 0))
		return;
	run->has_queue = !hearth_drm_queue_create(run->fd, vm, FIRST_VA, run->ring, RING_LOG2, 50,
						  0, &run->queue);
}

static void do_call(struct run *run, const struct op *op)
{
	const struct call *call = &fuzz_calls[op->which];
	union {
		uint64_t words[64];
		struct drm_hearth_bo_info info;
		struct drm_hearth_queue_create queue;
	} args = { 0 };

	memcpy(args.words, op->words, sizeof(op->words));
	if (raw_ioctl(run->fd, call->request, &args))
		return;
	calls_right++;
	if (call->request == DRM_IOCTL_HEARTH_BO_INFO)
		run->offset = args.info.mmap_offset;
	else if (call->request == DRM_IOCTL_HEARTH_QUEUE_CREATE)
		run->offset =
			op->words[0] & 1 ? args.queue.doorbell_offset : args.queue.status_offset;
}

static void do_map(struct run *run, const struct op *op)
{
	int rights = op->which & 1 ? PROT_READ : PROT_READ | PROT_WRITE;
	size_t size = 4096 * (1 + (op->which >> 1) % 3);
	volatile uint64_t *map;

	map = mmap(NULL, size, rights, op->which & 16 ? MAP_PRIVATE : MAP_SHARED, run->fd,
		   (off_t)(op->which & 224 ? run->offset : op->words[1] & ~0xfffull));
	if (map == MAP_FAILED)
		return;
	/* Only its first page is surely there. */
	if (rights & PROT_WRITE)
		map[op->words[2] & 511] = op->words[0];
	else
		(void)map[op->words[2] & 511];
	munmap((void *)map, size);
}

static void do_other(struct run *run, const struct op *op)
{
	uint64_t words[64] = { 0 };
	uint32_t handle;

	switch (op->which % 4) {
	case 0:
		/* A number that may be no ioctl at all, of any size. */
		memcpy(words, op->words, sizeof(op->words));
		raw_ioctl(run->fd,
			  _IOC(_IOC_READ | _IOC_WRITE, DRM_IOCTL_BASE,
			       DRM_COMMAND_BASE + ((op->which >> 2) % 32),
			       op->words[3] % sizeof(words)),
			  words);
		break;
	case 1:
		if (run->dmabuf >= 0)
			hearth_drm_bo_import(run->fd, run->dmabuf, &handle);
		break;
	case 2:
		if (run->dmabuf >= 0) {
			void *map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, run->dmabuf, 0);

			if (map != MAP_FAILED) {
				(void)*(volatile uint8_t *)map;
				munmap(map, 4096);
			}
		}
		break;
	default:
		raw_ioctl(run->fd, op->words[1], words);
	}
}

static void do_op(struct run *run, const struct op *op)
{
	switch (op->kind) {
	case OP_CALL:
		do_call(run, op);
		break;
	case OP_MAP:
		do_map(run, op);
		break;
	case OP_PACKET:
		if (run->has_queue)
			memcpy(&run->queue.ring[op->which], op->words, HBI_PACKET_SIZE);
		break;
	case OP_DOORBELL:
		if (run->has_queue) {
			run->queue.tail += op->words[0];
			hearth_drm_queue_ring(&run->queue);
		}
		break;
	case OP_EXPORT:
		if (run->dmabuf >= 0)
			close(run->dmabuf);
		if (hearth_drm_bo_export(run->fd, (uint32_t)op->words[0], &run->dmabuf))
			run->dmabuf = -1;
		break;
	case OP_CLOSE_HANDLE:
		hearth_drm_bo_close(run->fd, (uint32_t)op->words[0]);
		break;
	default:
		do_other(run, op);
	}
	operations++;
}

/* Runs it on a file of its own; true if it reached a place that is new. */
static bool run_program(const struct program *program)
{
	struct run run = { .fd = open_board(), .dmabuf = -1 };
	bool new = false;
	uint64_t i, count;

	if (cover)
		__atomic_store_n(&cover[0], 0, __ATOMIC_RELAXED);
	if (program->whole)
		begin_whole(&run);
	for (i = 0; i < program->count; i++)
		do_op(&run, &program->ops[i]);
	if (run.has_queue)
		hearth_drm_queue_destroy(&run.queue);
	if (run.ring)
		munmap(run.ring, HBI_PACKET_SIZE << RING_LOG2);
	if (run.dmabuf >= 0)
		close(run.dmabuf);
	close(run.fd);
	if (!cover)
		return false;
	count = __atomic_load_n(&cover[0], __ATOMIC_RELAXED);
	for (i = 0; i < count && i < KCOV_WORDS - 1; i++) {
		uint64_t hash = cover[i + 1] * 0x9e3779b97f4a7c15ull >> 46;

		if (!places[hash]) {
			places[hash] = 1;
			reached++;
			new = true;
		}
	}
	return new;
}

static void coverage_begin(void)
{
	int fd = open("/sys/kernel/debug/kcov", O_RDWR);
	void *map;

	if (fd < 0 || ioctl(fd, KCOV_INIT_TRACE, KCOV_WORDS))
		return;
	map = mmap(NULL, KCOV_WORDS * sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map != MAP_FAILED && !ioctl(fd, KCOV_ENABLE, 0))
		cover = map;
}

static uint64_t board_free(void)
{
	struct drm_hearth_query_memory query = { 0 };
	int fd = open_board();

	hearth_drm_query_memory(fd, &query);
	close(fd);
	return query.board_free;
}

int main(int argc, char **argv)
{
	unsigned long limit = argc > 1 ? strtoul(argv[1], NULL, 0) : 20000;
	uint64_t before = board_free();
	int64_t spoke = now_ns();
	struct context context;
	struct program program;

	state = argc > 2 ? strtoull(argv[2], NULL, 0) | 1 : 0x2545f4914f6cdd1dull;
	memory = mmap(NULL, 4096 * MEMORY_PAGES, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		die("mmap", -errno);
	coverage_begin();
	while (operations < limit) {
		if (corpus_count && below(4)) {
			program = corpus[below(corpus_count)];
			mutate(&program);
		} else {
			new_program(&program);
		}
		if (run_program(&program))
			corpus[corpus_count < CORPUS ? corpus_count++ : below(CORPUS)] = program;
		if (now_ns() - spoke > SECONDS_QUIET * 1000000000ll) {
			spoke = now_ns();
			printf("# %lu operations, %lu places, %u programs\n", operations, reached,
			       corpus_count);
			fflush(stdout);
		}
	}
	printf("# %lu operations, %lu calls succeeded, %lu places reached, %u programs kept\n",
	       operations, calls_right, reached, corpus_count);
	ok(operations >= limit, "%lu operations came back", limit);
	ok(calls_right > limit / 50, "calls among them succeeded");
	if (cover)
		ok(reached > 500 && corpus_count > 20, "coverage led the search");
	else
		skip("coverage led the search", "this kernel has no KCOV");
	is(board_free(), before, "no board memory is lost");
	context_open(&context, 0);
	push_nop(&context);
	is(context_submit(&context), 0, "and the board serves");
	context_close(&context);
	return done();
}
