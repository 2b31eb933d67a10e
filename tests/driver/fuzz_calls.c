// SPDX-License-Identifier: MIT
/*
 * Fuzzes the module: fuzz_calls OPERATIONS [SEED [PROCESSES [CORPUS [SECONDS]]]]. A program (fuzz_program.h) is some operations
 * on one open file: ioctls, mappings and what is written to them, packets in a ring, doorbells, dma-bufs. With a
 * kernel that has KCOV, a program that reaches a place of the module that none has reached before is kept, and most
 * programs are mutations of kept ones; without, all are random. Processes share what they keep. No result is
 * foretold: the kernel must stay silent and whole, the board must serve afterwards, and have all its memory back.
 *
 * It ends after SECONDS with what was done until then, if they are given and not 0. CORPUS has programs to begin with. Those that together reach all that was reached are printed at the end, after
 * "# keep: ", in the form that CORPUS has.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz_ops.h"
#include "fuzz_program.h"
#include "guest.h"

/* The kernel's Documentation/dev-tools/kcov.rst; in no header of user space. */
#define KCOV_INIT_TRACE	 _IOR('c', 1, unsigned long)
#define KCOV_ENABLE	 _IO('c', 100)
#define KCOV_WORDS	 (256 << 10)

#define CORPUS		 2048
#define PLACES		 (1 << 18)
#define MOST_PROCESSES	 16
#define SESSION_PROGRAMS 16
#define SECONDS_QUIET	 5
/* Sleeps that a program asks for end after so long, by a signal. */
#define ALARM_US	 20000
/* Where calls find memory: always there, so that kept programs do. */
#define MEMORY_AT	 ((void *)0x7e0000000000ull)

/* What all processes know. */
struct shared {
	unsigned long operations, right, programs, reached;
	unsigned int lock;
	unsigned int corpus_count;
	uint8_t places[PLACES];
	struct program corpus[CORPUS];
};

/* What programs have while they run. */
struct run {
	int fd;
	unsigned int programs; /* that it has had */
	uint64_t offset;       /* of a mapping, as last told */
	struct hearth_drm_queue queue;
	bool has_queue;
	union hbi_packet *ring;
	uint64_t pushed; /* packets that no doorbell has told of */
	int dmabuf;
};

static struct shared *shared;
static uint64_t *cover;

static void add(unsigned long *counter, unsigned long n)
{
	__atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

/* ---- Operations ---- */

static void begin_whole(struct run *run)
{
	uint64_t bytes = 4096 * FUZZ_PAGES;
	uint32_t vm, handle;
	void *map;

	if (hearth_drm_vm_create(run->fd, &vm) ||
	    hearth_drm_bo_create(run->fd, bytes, DRM_HEARTH_PLACEMENT_HOST, &handle) ||
	    hearth_drm_bo_map(run->fd, handle, bytes, &map))
		return;
	run->ring = map;
	if (hearth_drm_vm_map(run->fd, vm, handle, 0, FUZZ_VA, bytes, 0))
		return;
	run->has_queue = !hearth_drm_queue_create(run->fd, vm, FUZZ_VA, map, FUZZ_RING_LOG2, 50, 0,
						  &run->queue);
}

/* Times are counted from now: a program does not live in the hour it was made. */
static void set_times(const struct call *call, uint8_t *args)
{
	const struct field *field;
	uint64_t word;

	for (field = call->fields; field->kind; field++) {
		if (field->kind != FIELD_TIME)
			continue;
		memcpy(&word, args + field->offset, sizeof(word));
		if (word && word <= NEAR_NS)
			word += now_ns();
		memcpy(args + field->offset, &word, sizeof(word));
	}
}

static void do_call(struct run *run, const struct op *op)
{
	const struct call *call = &fuzz_calls[op->which % FUZZ_CALLS];
	union {
		uint64_t words[64];
		struct drm_hearth_bo_info info;
		struct drm_hearth_queue_create queue;
	} args = { 0 };

	memcpy(args.words, op->words, sizeof(op->words));
	set_times(call, (uint8_t *)args.words);
	if (raw_ioctl(run->fd, call->request, &args))
		return;
	add(&shared->right, 1);
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

/* In its place, or anywhere in the ring. */
static void do_packet(struct run *run, const struct op *op)
{
	uint64_t at = op->which < 16 ? op->which : run->queue.tail + run->pushed++;

	if (run->has_queue)
		memcpy(&run->ring[at & run->queue.ring_mask], op->words, HBI_PACKET_SIZE);
}

static void do_doorbell(struct run *run, const struct op *op)
{
	if (!run->has_queue)
		return;
	run->queue.tail += op->words[0] ? op->words[0] : run->pushed;
	run->pushed = 0;
	hearth_drm_queue_ring(&run->queue);
	if (op->which & 1)
		hearth_drm_queue_wait(&run->queue, run->queue.tail, now_ns() + NEAR_NS);
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
		do_packet(run, op);
		break;
	case OP_DOORBELL:
		do_doorbell(run, op);
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
}

/* ---- Programs ---- */

/* Marks what was reached since the last program; true if a place is new. */
static bool look_at_cover(void)
{
	uint64_t i, count = cover ? __atomic_load_n(&cover[0], __ATOMIC_RELAXED) : 0;
	bool new = false;

	for (i = 0; i < count && i < KCOV_WORDS - 1; i++) {
		uint64_t hash = cover[i + 1] * 0x9e3779b97f4a7c15ull >> 46;

		if (!shared->places[hash] &&
		    !__atomic_exchange_n(&shared->places[hash], 1, __ATOMIC_RELAXED)) {
			add(&shared->reached, 1);
			new = true;
		}
	}
	return new;
}

static void session_end(struct run *run)
{
	if (run->has_queue)
		hearth_drm_queue_destroy(&run->queue);
	if (run->ring)
		munmap(run->ring, 4096 * FUZZ_PAGES);
	if (run->dmabuf >= 0)
		close(run->dmabuf);
	if (run->fd >= 0)
		close(run->fd);
	*run = (struct run){ .fd = -1, .dmabuf = -1 };
}

/* A file lives for some programs, or until its context has failed: to make one takes longer than a program. */
static void session(struct run *run)
{
	if (run->fd >= 0 && run->programs++ < SESSION_PROGRAMS &&
	    (!run->has_queue || run->queue.status->state != HBI_QUEUE_ERROR))
		return;
	session_end(run);
	run->fd = open_board();
	if (fuzz_below(8))
		begin_whole(run);
}

/* True if it reached a place that is new. */
static bool run_program(struct run *run, const struct program *program)
{
	unsigned int i;

	if (cover)
		__atomic_store_n(&cover[0], 0, __ATOMIC_RELAXED);
	session(run);
	for (i = 0; i < program->count; i++)
		do_op(run, &program->ops[i]);
	add(&shared->operations, program->count);
	add(&shared->programs, 1);
	return look_at_cover();
}

static void keep(const struct program *program)
{
	while (__atomic_exchange_n(&shared->lock, 1, __ATOMIC_ACQUIRE))
		usleep(1);
	if (shared->corpus_count < CORPUS) {
		shared->corpus[shared->corpus_count] = *program;
		__atomic_store_n(&shared->corpus_count, shared->corpus_count + 1, __ATOMIC_RELEASE);
	}
	__atomic_store_n(&shared->lock, 0, __ATOMIC_RELEASE);
}

/* Of this process alone: KCOV follows one task. */
static void coverage_begin(void)
{
	int fd = open("/sys/kernel/debug/kcov", O_RDWR);
	void *map;

	cover = NULL;
	if (fd < 0 || ioctl(fd, KCOV_INIT_TRACE, KCOV_WORDS))
		return;
	map = mmap(NULL, KCOV_WORDS * sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map != MAP_FAILED && !ioctl(fd, KCOV_ENABLE, 0))
		cover = map;
}

static void wake(int signal)
{
	(void)signal;
}

/* No SA_RESTART: what sleeps comes back with EINTR. 0: no more of them. */
static void alarms(long us)
{
	const struct itimerval every = { { 0, us }, { 0, us } };
	const struct sigaction action = { .sa_handler = wake };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
}

/* ---- The search ---- */

static void search(unsigned long limit, int64_t end, uint64_t seed, uint8_t *memory)
{
	struct run run = { .fd = -1, .dmabuf = -1 };
	struct program program;

	fuzz_seed(seed, memory);
	coverage_begin();
	alarms(ALARM_US);
	while (__atomic_load_n(&shared->operations, __ATOMIC_RELAXED) < limit && now_ns() < end) {
		unsigned int count = __atomic_load_n(&shared->corpus_count, __ATOMIC_ACQUIRE);

		if (count && fuzz_below(4)) {
			program = shared->corpus[fuzz_below(count)];
			fuzz_mutate(&program, &shared->corpus[fuzz_below(count)]);
		} else {
			fuzz_new(&program);
		}
		if (run_program(&run, &program))
			keep(&program);
	}
	session_end(&run);
}

static unsigned int load_corpus(const char *path)
{
	struct run run = { .fd = -1, .dmabuf = -1 };
	FILE *file = fopen(path, "r");
	struct program program;
	unsigned int count = 0;
	char *line = NULL;
	size_t room = 0;

	if (!file)
		die(path, -errno);
	while (getline(&line, &room, file) > 0) {
		if (*line == '#')
			continue;
		if (!fuzz_parse(&program, line))
			die("a line of the corpus is no program", -EINVAL);
		run_program(&run, &program);
		keep(&program);
		count++;
	}
	session_end(&run);
	free(line);
	fclose(file);
	return count;
}

/* The last first: they are what mutations made of the first. */
static unsigned int print_corpus(void)
{
	struct run run = { .fd = -1, .dmabuf = -1 };
	unsigned int i, kept = 0;

	memset(shared->places, 0, sizeof(shared->places));
	for (i = shared->corpus_count; i-- > 0;) {
		bool needed = run_program(&run, &shared->corpus[i]);

		session_end(&run);
		if (!needed)
			continue;
		fuzz_print(&shared->corpus[i], "# keep: ");
		kept++;
	}
	return kept;
}

static void tell(int64_t start)
{
	printf("# %lld s: %lu operations in %lu programs, %lu calls succeeded, %lu places reached, "
	       "%u programs kept\n",
	       (long long)(now_ns() - start) / 1000000000, shared->operations, shared->programs,
	       shared->right, shared->reached, shared->corpus_count);
	fflush(stdout);
}

static unsigned long number(int argc, char **argv, int at, unsigned long otherwise)
{
	return argc > at ? strtoul(argv[at], NULL, 0) : otherwise;
}

int main(int argc, char **argv)
{
	unsigned long limit = number(argc, argv, 1, 20000);
	uint64_t seed = number(argc, argv, 2, 0x2545f491);
	unsigned long processes = number(argc, argv, 3, 2), i, ended = 0, well = 0;
	unsigned long seconds = number(argc, argv, 5, 0);
	int64_t start = now_ns(), spoke = start;
	int64_t end = seconds ? start + (int64_t)seconds * 1000000000 : INT64_MAX;
	uint64_t before = board_free();
	struct context context;
	uint8_t *memory;
	int status;

	memory = mmap(MEMORY_AT, 4096 * MEMORY_PAGES, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (memory == MAP_FAILED || shared == MAP_FAILED)
		die("mmap", -errno);
	if (processes > MOST_PROCESSES)
		die("16 processes at most", -EINVAL);
	coverage_begin();
	alarms(ALARM_US);
	if (argc > 4)
		printf("# %u programs of %s\n", load_corpus(argv[4]), argv[4]);
	for (i = 0; i < processes; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork", -errno);
		if (!pid) {
			search(limit, end, seed + i * 0x9e3779b97f4a7c15ull, memory);
			_exit(0);
		}
	}
	while (ended < processes) {
		pid_t pid = waitpid(-1, &status, 0);

		if (pid > 0) {
			ended++;
			well += WIFEXITED(status) && !WEXITSTATUS(status);
		}
		if (now_ns() - spoke > SECONDS_QUIET * 1000000000ll) {
			spoke = now_ns();
			tell(start);
		}
	}
	tell(start);
	ok(well == processes && (shared->operations >= limit || now_ns() >= end),
	   "%lu operations came back", shared->operations);
	ok(shared->right > limit / 50, "calls among them succeeded");
	if (cover) {
		ok(shared->reached > 500 && shared->corpus_count > 20, "coverage led the search");
		printf("# %u programs reach it all\n", print_corpus());
	} else {
		skip("coverage led the search", "this kernel has no KCOV");
	}
	alarms(0);
	is(board_free(), before, "no board memory is lost");
	context_open(&context, 0);
	push_nop(&context);
	is(context_submit(&context), 0, "and the board serves");
	context_close(&context);
	return done();
}
