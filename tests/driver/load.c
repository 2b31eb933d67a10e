// SPDX-License-Identifier: MIT
/* See load.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../board/kernels.h"
#include "guest.h"
#include "load.h"

#define KINDS 4

static struct load *load;
static pid_t keeper;

static void wrong(const char *what, long number)
{
	snprintf(load->what, sizeof(load->what), "%s (%ld)", what, number);
	load->wrong++;
}

/* Whether a call may end so, at any time, because of what is done to the board. */
static bool is_end(int ret)
{
	return ret == -ECANCELED || (load->removal && ret == -ENODEV);
}

/* The queue ended: by what is done to the board, or by @own, an error of its own. */
static void check_told(struct context *context, uint32_t own)
{
	struct drm_hearth_query_state board;
	struct drm_hearth_queue_state state;
	int ret = hearth_drm_queue_state(&context->queue, &state);

	if (ret == -ENODEV && load->removal) {
		load->ended++;
		return;
	}
	if (ret || hearth_drm_query_state(context->fd, &board)) {
		if (!load->removal)
			wrong("the state of a queue is not told", ret);
		return;
	}
	if (state.reset == DRM_HEARTH_RESET_NONE && own && state.error == own) {
		load->faults++;
		return;
	}
	load->ended++;
	if (load->removal)
		return;
	if (state.reset != DRM_HEARTH_RESET_INNOCENT)
		wrong("a context is not told that it is innocent", state.reset);
	if (state.epoch >= board.epoch)
		wrong("a dead context is of this epoch", state.epoch);
}

static void compute(void)
{
	struct context context;
	struct buffer out;
	volatile uint32_t *marks;
	long bad;
	int i, ret;

	context_open(&context, 0);
	context_load_kernels(&context);
	out = context_buffer(&context, 4096, DRM_HEARTH_PLACEMENT_BOARD, 0);
	marks = out.map;
	while (!load->stop) {
		push_fill(&context, out.va, 4096, 0);
		push_barrier(&context);
		push_dispatch(&context, KERNEL_MARK, 0, out.va, 0, 512);
		ret = context_submit(&context);
		if (ret) {
			if (!is_end(ret))
				wrong("a computation ended", ret);
			check_told(&context, 0);
			return;
		}
		for (i = 0, bad = 0; i < 1024; i++)
			bad += marks[i] != (i < 512);
		/* What was computed may be gone with the board when it is looked at. */
		if (bad && !load->removal)
			wrong("results", bad);
		load->rounds++;
	}
}

static void fault(void)
{
	struct context context;
	int ret;

	context_open(&context, 0);
	context_load_kernels(&context);
	push_dispatch(&context, KERNEL_LOAD, 0, 0x123456000, 0, 1);
	ret = context_submit(&context);
	if (!is_end(ret))
		wrong("a fault ended", ret);
	check_told(&context, HBI_ERROR_LOAD);
}

static void sleep_long(void)
{
	struct buffer board, host;
	struct context context;
	int ret, exported[2];

	context_open(&context, 0);
	board = context_buffer(&context, 1 << 20, DRM_HEARTH_PLACEMENT_BOARD, 0);
	host = context_buffer(&context, 1 << 20, DRM_HEARTH_PLACEMENT_HOST, 0);
	memset(board.map, 3, board.size);
	memset(host.map, 4, host.size);
	ret = hearth_drm_bo_export(context.fd, board.handle, &exported[0]);
	if (!ret)
		ret = hearth_drm_bo_export(context.fd, host.handle, &exported[1]);
	if (ret)
		die("export", ret);
	push_wait(&context, host.va, ~0ull);
	hearth_drm_queue_ring(&context.queue);
	/* Looks up now and then, so that the load can be ended. */
	do
		ret = hearth_drm_queue_wait(&context.queue, context.queue.tail,
					    now_ns() + 300000000);
	while (ret == -ETIME && !load->stop);
	if (ret == -ETIME)
		return;
	if (!is_end(ret))
		wrong("a sleep ended", ret);
	load->sleeps++;
	check_told(&context, 0);
	if (((volatile uint8_t *)host.map)[99999] != 4)
		wrong("host memory", ((volatile uint8_t *)host.map)[99999]);
	if (!load->removal && ((volatile uint8_t *)board.map)[99999] != 3)
		wrong("board memory", ((volatile uint8_t *)board.map)[99999]);
	*context.queue.doorbell = 12345;
}

/* Lives through resets. */
static void look(void)
{
	struct buffer board;
	struct context context;
	struct drm_hearth_query_state state;
	uint32_t value = 0, i;

	context_open(&context, 0);
	board = context_buffer(&context, 1 << 20, DRM_HEARTH_PLACEMENT_BOARD, 0);
	while (!load->stop) {
		volatile uint32_t *words = board.map;

		value++;
		for (i = 0; i < board.size / 4; i += 1024)
			words[i] = value + i;
		for (i = 0; i < board.size / 4; i += 1024)
			if (words[i] != value + i && !load->removal)
				wrong("board memory as the CPU sees it", words[i]);
		load->looks++;
		usleep(1000);
		if (load->removal && hearth_drm_query_state(context.fd, &state) == -ENODEV) {
			load->ended++;
			return;
		}
	}
}

static pid_t begin(int kind)
{
	static void (*const kinds[KINDS])(void) = { compute, fault, sleep_long, look };
	pid_t pid = fork();

	if (pid)
		return pid;
	/* What fails only because of what is done to the board ends the life, silently. */
	guest_canceled_status = 77;
	kinds[kind]();
	_exit(0);
}

/* Keeps one process of each kind alive until the end. */
static void keep(void)
{
	pid_t pids[KINDS];
	int status, i, alive = KINDS;

	for (i = 0; i < KINDS; i++)
		pids[i] = begin(i);
	while (alive) {
		pid_t pid = wait(&status);

		if (pid < 0)
			break;
		if (!WIFEXITED(status) || (WEXITSTATUS(status) && WEXITSTATUS(status) != 77))
			wrong("a process ended with status", status);
		for (i = 0; i < KINDS; i++) {
			if (pids[i] != pid)
				continue;
			pids[i] = -1;
			if (load->stop) {
				alive--;
				continue;
			}
			/* A board that is away is not asked too often. */
			if (WIFEXITED(status) && WEXITSTATUS(status))
				usleep(20000);
			pids[i] = begin(i);
		}
	}
	_exit(0);
}

static bool wait_until_more(volatile long *count, long than)
{
	int64_t limit = now_ns() + GUEST_WAIT_NS;

	while (*count <= than && now_ns() < limit)
		usleep(2000);
	return *count > than;
}

struct load *load_start(bool removal)
{
	load = mmap(NULL, sizeof(*load), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	load->removal = removal;
	fflush(stdout);
	keeper = fork();
	if (!keeper)
		keep();
	if (!wait_until_more(&load->rounds, 0) || !wait_until_more(&load->faults, 0) ||
	    !wait_until_more(&load->looks, 0))
		die("the load does not start", -ETIME);
	return load;
}

bool load_goes_on(struct load *load)
{
	return wait_until_more(&load->rounds, load->rounds + 1);
}

bool load_end(struct load *load)
{
	int status = -1;
	bool good;

	load->stop = 1;
	waitpid(keeper, &status, 0);
	good = !status && !load->wrong;
	printf("# load: %ld rounds computed, %ld faults, %ld sleeps ended, %ld looks at memory, "
	       "%ld contexts ended from outside\n",
	       load->rounds, load->faults, load->sleeps, load->looks, load->ended);
	if (!good)
		printf("# load: status %d, %ld times wrong, last: %s\n", status, load->wrong,
		       load->what);
	munmap(load, sizeof(*load));
	return good;
}
