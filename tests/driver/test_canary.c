// SPDX-License-Identifier: MIT
/*
 * Hostile processes and canaries. The hostile ones give the board packets of all types with addresses of
 * others and sizes of any kind, wild tails, rings of noise, code that stores and jumps where it should not
 * or that is noise itself, and map what is not theirs. Meanwhile canaries lie in board memory, in host
 * buffers, in pages lent to the board and in plain memory of this process, and two contexts go on
 * working: one that computes, and one that reads all of its memory through its page tables. At the end
 * every byte is as it was, no result was wrong, and the board serves.
 *
 *   test-driver-canary [ATTACKS [BOARD_MIB [SEED]]]
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../board/kernels.h"
#include "guest.h"

#define MIB	   (1ull << 20)
#define PIECE	   (4 * MIB)
#define HOSTILE	   2   /* processes at once */
#define TIMEOUT_MS 100 /* of one dispatch of theirs */
#define MAX_PIECES 128
#define CODE_BYTES 4096

/* Where a board's memory and its window onto the host may lie, as a process might know or guess. */
#define GUESS_DRAM 0x80000000ull
#define GUESS_HOST (1ull << 40)

struct canary {
	uint64_t *map;
	uint64_t size;
	uint64_t seed;
};

static struct canary canaries[MAX_PIECES];
static unsigned int canary_count;

/* Shared with the hostile processes. */
struct tally {
	volatile long attacks;
	volatile long ended;  /* that ended their context */
	volatile long passed; /* that the board took, being harmless */
	volatile long late;   /* that had not ended in time */
	volatile long opened; /* mappings of what is somebody else's */
	volatile int stop;
	volatile long rounds; /* of those who work */
	volatile long wrong;
};

static struct tally *tally;

/* ---- Canaries ---- */

static void canary_add(void *map, uint64_t size)
{
	struct canary *canary = &canaries[canary_count];
	uint64_t i;

	if (canary_count == MAX_PIECES)
		die("too many canaries", -ENOMEM);
	*canary = (struct canary){ map, size, 0x9e3779b97f4a7c15ull * (canary_count + 1) };
	canary_count++;
	for (i = 0; i < size / 8; i++)
		canary->map[i] = canary->seed + i * 0x100000001b3ull;
}

static uint64_t canaries_dead(void)
{
	uint64_t dead = 0, i;
	unsigned int n;

	for (n = 0; n < canary_count; n++)
		for (i = 0; i < canaries[n].size / 8; i++)
			dead += canaries[n].map[i] != canaries[n].seed + i * 0x100000001b3ull;
	return dead;
}

/* ---- Those who work ---- */

static void work_compute(void)
{
	volatile uint32_t *words;
	struct context context;
	struct buffer out;
	int i;

	context_open(&context, 0);
	context_load_kernels(&context);
	out = context_buffer(&context, 4096, DRM_HEARTH_PLACEMENT_BOARD, 0);
	words = out.map;
	while (!tally->stop) {
		push_fill(&context, out.va, 4096, (uint32_t)tally->rounds);
		push_barrier(&context);
		push_dispatch(&context, KERNEL_MARK, 0, out.va, 0, 512);
		if (context_submit(&context)) {
			tally->wrong++;
			break;
		}
		for (i = 1; i < 512; i++)
			tally->wrong += words[i] != words[0];
		tally->wrong += words[512] != words[0] - 1;
		tally->rounds++;
	}
	context_close(&context);
}

/* Every page of a range that 4 KiB, 2 MiB and scattered leaves map, by way of the board. */
static void work_walk(void)
{
	struct context context;
	struct buffer board, host;
	uint64_t page, pages = PIECE / 4096;

	context_open(&context, 0);
	context.next_va = 0x40000000;
	board = context_buffer(&context, PIECE, DRM_HEARTH_PLACEMENT_BOARD, 0);
	host = context_buffer(&context, PIECE, DRM_HEARTH_PLACEMENT_HOST, 0);
	for (page = 0; page < pages; page++)
		((volatile uint64_t *)board.map)[page * 512] = ~page;
	/* Its second half again, page by page and in reverse. */
	for (page = 0; page < 64; page++)
		hearth_drm_vm_map(context.fd, context.vm, board.handle,
				  board.size - (page + 1) * 4096, 0x7000000000 + page * 4096, 4096,
				  0);
	while (!tally->stop) {
		memset(host.map, 0, host.size);
		push_copy(&context, board.va, host.va, PIECE - 64 * 4096);
		push_copy(&context, 0x7000000000, host.va + PIECE - 64 * 4096, 64 * 4096);
		if (context_submit(&context)) {
			tally->wrong++;
			break;
		}
		for (page = 0; page < pages; page++) {
			uint64_t from =
				page < pages - 64 ? page : pages - 1 - (page - (pages - 64));

			tally->wrong += ((volatile uint64_t *)host.map)[page * 512] != ~from;
		}
		tally->rounds++;
	}
	context_close(&context);
}

/* ---- Those who do harm ---- */

static uint64_t state;

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

/* Of anybody but the hostile process, with a page of its own now and then. */
static uint64_t address(const struct context *context)
{
	uint64_t fine = below(2) ? 8ull * below(512) : 4096ull * below(1 << 17) + 8ull * below(512);

	switch (below(10)) {
	case 0:
		return GUESS_DRAM + fine;
	case 1:
		return GUESS_DRAM + (draw() & 0x3fffffff);
	case 2:
		return GUESS_HOST + (draw() & 0xffffffff);
	case 3:
		return draw() & 0x7ffffffff000ull;
	case 4:
		return 0xffff800000000000ull | draw();
	case 5:
		return HBI_RETURN_ADDRESS - 4096ull * below(3);
	case 6:
		return GUEST_FIRST_VA + fine; /* where others have theirs */
	case 7:
		return draw();
	case 8:
		return context->code.va + fine % 8192;
	default:
		return context->args.va + fine % 65536;
	}
}

static uint64_t extent(void)
{
	switch (below(6)) {
	case 0:
		return draw();
	case 1:
		return ~0ull;
	case 2:
		return 1ull << below(64);
	default:
		return 4 + 4ull * below(4096);
	}
}

static void attack_packets(struct context *context)
{
	unsigned int count = 1 + below(6);

	while (count--) {
		union hbi_packet packet = { .header.type = (uint8_t)below(14) };
		unsigned int i;

		for (i = 1; i < 8; i++)
			packet.words[i] = below(3) ? 0 : draw();
		packet.words[1] = address(context);
		packet.words[2] = address(context);
		packet.words[3] = below(2) ? extent() : address(context);
		packet.words[4] = below(2) ? address(context) : 0;
		if (packet.header.type == HBI_PACKET_FILL)
			packet.words[2] = extent();
		if (packet.header.type == HBI_PACKET_DISPATCH) {
			packet.words[1] = below(64);
			packet.words[2] = (uint64_t)below(1 << 16) << 32 | 1;
			packet.words[5] = below(2) ? context->scratch.va : address(context);
		}
		if (!below(16))
			packet.header.flags = (uint8_t)draw();
		if (!below(16))
			packet.header.reserved1 = (uint32_t)draw();
		context_push(context, &packet);
	}
}

static void attack_ring(struct context *context)
{
	uint64_t *words = context->ring.map;
	unsigned int i;

	for (i = 0; i < context->ring.size / 8; i++)
		words[i] = below(3) ? draw() : address(context);
	*context->queue.doorbell = below(2) ? draw() : context->queue.tail + below(400);
	context->queue.tail += 1 + below(200);
}

static void attack_reach(struct context *context)
{
	static const unsigned int kernels[] = { KERNEL_STORE,  KERNEL_LOAD, KERNEL_JUMP,
						KERNEL_MARK,   KERNEL_CSR,  KERNEL_CALL,
						KERNEL_ILLEGAL };

	push_dispatch(context, kernels[below(sizeof(kernels) / sizeof(kernels[0]))], 0,
		      address(context), address(context), 1 + below(32));
}

/* Instructions that matter, with any registers, and noise. */
static uint32_t instruction(void)
{
	static const uint32_t forms[] = {
		0x00003023, /* sd */
		0x00002023, /* sw */
		0x00000023, /* sb */
		0x00003003, /* ld */
		0x0000202f, /* amoadd.w */
		0x0000302f, /* amoadd.d */
		0x18001073, /* csrw satp */
		0x30001073, /* csrw mstatus */
		0x10001073, /* csrw sstatus */
		0x34001073, /* csrw mscratch */
		0x3a001073, /* csrw pmpcfg0 */
		0x12000073, /* sfence.vma */
		0x10200073, /* sret */
		0x30200073, /* mret */
		0x00000073, /* ecall */
		0x10500073, /* wfi */
		0x0000100f, /* fence.i */
		0x00000067, /* jalr */
		0x00000037, /* lui */
		0x00000013, /* addi */
		0x00001013, /* slli */
		0x00000033, /* add */
		0x02007027, /* vse64.v */
		0x0c007057, /* vsetvli */
	};
	uint32_t registers = (uint32_t)draw() & 0x01ff8f80;

	if (!below(5))
		return (uint32_t)draw();
	return forms[below(sizeof(forms) / sizeof(forms[0]))] | registers;
}

static void attack_code(struct context *context)
{
	union hbi_packet sync = { .sync_code = { .header.type = HBI_PACKET_SYNC_CODE,
						 .address = context->code.va,
						 .size = CODE_BYTES } };
	uint32_t *code = context->code.map;
	unsigned int i;

	for (i = 0; i < CODE_BYTES / 4; i++)
		code[i] = instruction();
	for (i = 0; i < 64; i++)
		((uint64_t *)context->args.map)[i] = address(context);
	context_push(context, &sync);
	push_dispatch(context, below(CODE_BYTES / KERNEL_SLOT), 0, address(context),
		      address(context), 1 + below(8));
}

/* Offsets of others' buffers are numbers that can be guessed. */
static void attack_mappings(struct context *context)
{
	const uint64_t first = 1ull << 32;
	int i;

	for (i = 0; i < 64; i++) {
		uint64_t offset = first + 4096ull * below(1 << 16);
		void *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, context->fd,
				 (off_t)offset);
		struct drm_hearth_bo_info info;
		uint32_t handle;
		bool own = false;

		if (map == MAP_FAILED)
			continue;
		for (handle = 1; handle < 8; handle++)
			own = own ||
			      (!hearth_drm_bo_info(context->fd, handle, &info) &&
			       offset >= info.mmap_offset && offset < info.mmap_offset + info.size);
		tally->opened += !own;
		munmap(map, 4096);
	}
	push_nop(context);
}

static void attack(void)
{
	static void (*const attacks[])(struct context *) = {
		attack_packets, attack_packets, attack_ring,	 attack_reach,
		attack_code,	attack_code,	attack_mappings,
	};
	struct context context;
	int ret;

	context_open(&context, TIMEOUT_MS);
	context_load_kernels(&context);
	attacks[below(sizeof(attacks) / sizeof(attacks[0]))](&context);
	hearth_drm_queue_ring(&context.queue);
	ret = hearth_drm_queue_wait(&context.queue, context.queue.tail, now_ns() + 400000000);
	__atomic_add_fetch(ret == -ECANCELED ? &tally->ended
			   : ret == -ETIME   ? &tally->late
					     : &tally->passed,
			   1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&tally->attacks, 1, __ATOMIC_RELAXED);
	context_close(&context);
}

static pid_t start(void (*run)(void))
{
	pid_t child = fork();

	if (child < 0)
		die("fork", -errno);
	if (!child) {
		run();
		_exit(0);
	}
	return child;
}

static long attacks_each;

static void hostile(void)
{
	long i;

	state = (state ^ (uint64_t)getpid()) * 0x9e3779b97f4a7c15ull | 1;
	for (i = 0; i < attacks_each; i++)
		attack();
}

static int end(pid_t child)
{
	int status;

	waitpid(child, &status, 0);
	return !WIFEXITED(status) || WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	long attacks = argc > 1 ? atol(argv[1]) : 60;
	uint64_t board_bytes = (argc > 2 ? strtoull(argv[2], NULL, 0) : 16) * MIB, done_bytes;
	struct drm_hearth_query_memory memory = { 0 };
	pid_t workers[2], enemies[HOSTILE];
	struct context keeper;
	uint32_t lent;
	void *plain;
	int i, bad = 0;

	state = argc > 3 ? strtoull(argv[3], NULL, 0) : 1;
	attacks_each = attacks / HOSTILE;
	tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	context_open(&keeper, 0);
	hearth_drm_query_memory(keeper.fd, &memory);
	for (done_bytes = 0; done_bytes < board_bytes && done_bytes + 48 * MIB < memory.board_free;
	     done_bytes += PIECE)
		canary_add(context_buffer(&keeper, PIECE, DRM_HEARTH_PLACEMENT_BOARD, 0).map,
			   PIECE);
	for (i = 0; i < 4; i++)
		canary_add(context_buffer(&keeper, PIECE, DRM_HEARTH_PLACEMENT_HOST, 0).map, PIECE);
	plain = mmap(NULL, 8 * PIECE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	canary_add(plain, 8 * PIECE);
	if (hearth_drm_bo_userptr(keeper.fd, plain, 2 * PIECE, 0, &lent) ||
	    hearth_drm_vm_map(keeper.fd, keeper.vm, lent, 0, keeper.next_va, 2 * PIECE, 0))
		die("lend pages", -errno);
	ok(canaries_dead() == 0, "canaries in %llu MiB of board memory and in %llu MiB of the host",
	   (unsigned long long)done_bytes / MIB, (unsigned long long)(12 * PIECE / MIB));

	workers[0] = start(work_compute);
	workers[1] = start(work_walk);
	for (i = 0; i < HOSTILE; i++) {
		enemies[i] = start(hostile);
		state += 2;
	}
	for (i = 0; i < HOSTILE; i++)
		bad += end(enemies[i]);
	tally->stop = 1;
	for (i = 0; i < 2; i++)
		bad += end(workers[i]);
	is(bad, 0, "all processes come to their end");
	is(tally->attacks, attacks_each * HOSTILE, "all attacks were made");
	printf("# %ld ended their context, %ld were harmless, %ld had not ended\n", tally->ended,
	       tally->passed, tally->late);
	ok(tally->ended > tally->attacks / 3, "a third of them at least was caught");
	is(tally->opened, 0, "nobody's mapping was opened by guess");
	is((int64_t)canaries_dead(), 0, "all canaries live");
	ok(tally->rounds > 0, "others have worked %ld rounds meanwhile", tally->rounds);
	is(tally->wrong, 0, "with no wrong result");
	push_nop(&keeper);
	is(context_submit(&keeper), 0, "and the board serves");
	context_close(&keeper);
	return done();
}
