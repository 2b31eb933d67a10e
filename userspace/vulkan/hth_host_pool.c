// SPDX-License-Identifier: MIT
/*
 * The threads of the host backend. A job is a range that they eat in chunks from one counter.
 *
 * The thread that brings a job never waits for another to wake up: it works through the range by
 * itself, and those who are awake help. So a small job costs a few atomic operations, and a
 * machine that is busy with something else loses nothing but the help. Helpers look for the next job
 * for a short while before they sleep, for dispatches come in rows.
 */
#include <fenv.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hth_host.h"

#define MAX_THREADS 256

/* How long a helper stays awake without work. */
#define LINGER_NS   50000

#define LINE	    64

struct helper {
	struct hth_host_pool *pool;
	pthread_t thread;
	struct hth_host_arena arena;
};

/*
 * @round: odd while a job is open, grows by one when a job is opened and when it is closed. A helper
 * first counts itself in @inside and then looks at @round again; the owner first closes @round and then
 * waits for @inside to be 0. Whatever the order, either the helper sees that the job is closed or
 * the owner sees the helper.
 */
struct hth_host_pool {
	uint32_t helper_count;
	struct helper *helpers;
	pthread_mutex_t owner; /* held by the thread whose job is open */
	struct hth_host_job job;
	_Alignas(LINE) _Atomic uint64_t round;
	_Alignas(LINE) _Atomic uint64_t next;
	_Alignas(LINE) _Atomic uint32_t inside;
	_Alignas(LINE) _Atomic uint32_t wake; /* futex: grows to wake sleepers */
	_Atomic uint32_t sleepers;
	_Atomic bool stop;
};

static void pause_cpu(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__riscv)
	__asm__ volatile(".insn i 0x0f, 0, x0, x0, 0x010");
#else
	__asm__ volatile("" ::: "memory");
#endif
}

static void futex_wait(_Atomic uint32_t *word, uint32_t value)
{
	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void futex_wake_all(_Atomic uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

static bool arena_reserve(struct hth_host_arena *arena, size_t bytes)
{
	size_t size = HTH_ALIGN(HTH_MAX(bytes, (size_t)1), (size_t)2 << 20);
	void *memory;

	if (bytes <= arena->size)
		return true;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return false;
	madvise(memory, size, MADV_HUGEPAGE);
	hth_host_arena_free(arena);
	arena->memory = memory;
	arena->size = size;
	return true;
}

void hth_host_arena_free(struct hth_host_arena *arena)
{
	if (arena->size)
		munmap(arena->memory, arena->size);
	arena->memory = NULL;
	arena->size = 0;
}

/* Relaxed: chunks are independent; opening and closing of the job order everything else. */
static void eat(struct hth_host_pool *pool, const struct hth_host_job *job, void *scratch)
{
	for (;;) {
		uint64_t first =
			atomic_fetch_add_explicit(&pool->next, job->chunk, memory_order_relaxed);

		if (first >= job->total)
			return;
		job->run(job, first, HTH_MIN(job->chunk, job->total - first), scratch);
	}
}

static void help(struct hth_host_pool *pool, struct helper *helper, uint64_t round)
{
	atomic_fetch_add(&pool->inside, 1);
	if (atomic_load(&pool->round) == round &&
	    arena_reserve(&helper->arena, pool->job.scratch_bytes))
		eat(pool, &pool->job, helper->arena.memory);
	atomic_fetch_sub(&pool->inside, 1);
}

static void *helper_thread(void *argument)
{
	struct helper *helper = argument;
	struct hth_host_pool *pool = helper->pool;
	uint64_t done = 0;

	/* Kernels expect the standard modes, whatever the creating thread had chosen. */
	fesetenv(FE_DFL_ENV);
	while (!atomic_load(&pool->stop)) {
		int64_t linger = hth_now_ns() + LINGER_NS;
		uint64_t round;

		do {
			round = atomic_load(&pool->round);
			if ((round & 1) && round != done)
				break;
			for (int i = 0; i < 32; i++)
				pause_cpu();
		} while (!atomic_load(&pool->stop) && hth_now_ns() < linger);
		if ((round & 1) && round != done) {
			help(pool, helper, round);
			done = round;
			continue;
		}
		/* The owner looks at sleepers after it has opened a job: one of us sees the other. */
		{
			uint32_t ticket = atomic_load(&pool->wake);

			atomic_fetch_add(&pool->sleepers, 1);
			round = atomic_load(&pool->round);
			if ((!(round & 1) || round == done) && !atomic_load(&pool->stop))
				futex_wait(&pool->wake, ticket);
			atomic_fetch_sub(&pool->sleepers, 1);
		}
	}
	hth_host_arena_free(&helper->arena);
	return NULL;
}

static void wake_helpers(struct hth_host_pool *pool)
{
	if (!atomic_load(&pool->sleepers))
		return;
	atomic_fetch_add(&pool->wake, 1);
	futex_wake_all(&pool->wake);
}

bool hth_host_pool_run(struct hth_host_pool *pool, const struct hth_host_job *job,
		       struct hth_host_arena *arena)
{
	if (!job->total)
		return true;
	if (!arena_reserve(arena, job->scratch_bytes))
		return false;
	if (job->total <= job->chunk || !pool->helper_count) {
		job->run(job, 0, job->total, arena->memory);
		return true;
	}
	pthread_mutex_lock(&pool->owner);
	pool->job = *job;
	atomic_store(&pool->next, 0);
	atomic_fetch_add(&pool->round, 1);
	wake_helpers(pool);
	eat(pool, job, arena->memory);
	atomic_fetch_add(&pool->round, 1);
	for (uint32_t spins = 0; atomic_load(&pool->inside); spins++) {
		/* A helper that has been put off its CPU needs one. */
		if (spins < 1024)
			pause_cpu();
		else
			sched_yield();
	}
	pthread_mutex_unlock(&pool->owner);
	return true;
}

uint32_t hth_host_pool_threads(const struct hth_host_pool *pool)
{
	return pool->helper_count + 1;
}

uint32_t hth_host_cpus(void)
{
	const char *wanted = getenv("HEARTH_CPU_THREADS");
	uint32_t count = 1;
	cpu_set_t *set;
	size_t bytes;

	set = CPU_ALLOC(4096);
	if (set) {
		bytes = CPU_ALLOC_SIZE(4096);
		if (!sched_getaffinity(0, bytes, set))
			count = HTH_MAX(CPU_COUNT_S(bytes, set), 1);
		CPU_FREE(set);
	}
	if (wanted && atoi(wanted) > 0)
		count = atoi(wanted);
	return HTH_MIN(count, MAX_THREADS);
}

struct hth_host_pool *hth_host_pool_create(uint32_t threads)
{
	struct hth_host_pool *pool = aligned_alloc(LINE, HTH_ALIGN(sizeof(*pool), (size_t)LINE));
	pthread_attr_t attributes;

	if (!pool)
		return NULL;
	memset(pool, 0, sizeof(*pool));
	pool->helpers = calloc(HTH_MAX(threads, 2u) - 1, sizeof(*pool->helpers));
	if (!pool->helpers) {
		free(pool);
		return NULL;
	}
	pthread_mutex_init(&pool->owner, NULL);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 8u << 20);
	while (pool->helper_count + 1 < threads) {
		struct helper *helper = &pool->helpers[pool->helper_count];

		helper->pool = pool;
		/* Fewer threads than wished for are no failure. */
		if (pthread_create(&helper->thread, &attributes, helper_thread, helper))
			break;
		pool->helper_count++;
	}
	pthread_attr_destroy(&attributes);
	return pool;
}

void hth_host_pool_destroy(struct hth_host_pool *pool)
{
	if (!pool)
		return;
	atomic_store(&pool->stop, true);
	atomic_fetch_add(&pool->wake, 1);
	futex_wake_all(&pool->wake);
	for (uint32_t i = 0; i < pool->helper_count; i++)
		pthread_join(pool->helpers[i].thread, NULL);
	pthread_mutex_destroy(&pool->owner);
	free(pool->helpers);
	free(pool);
}
