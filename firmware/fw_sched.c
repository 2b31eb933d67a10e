// SPDX-License-Identifier: MIT
/*
 * Hart 0's loop: admin queue first, then user queues, until nothing moves; then sleep until the
 * host, a worker or the clock wakes it. Interrupts stay masked; a pending one only ends the wait, so
 * none is lost between the last look and the sleep.
 *
 * Time is shared among contexts, not queues, so more queues give a process no more of the board:
 * hart 0 and the DMA engine by deficit round robin (a context works for a quantum, its queues in
 * turn, and what it took beyond that is taken off its next turns), the workers by start-time fair
 * queueing (of the contexts that want them, the one that has had least goes next; who comes late
 * gets no credit for the time before).
 *
 * Priority is weight: each step up makes time four times as cheap, so the lowest still gets its
 * part. A dispatch gives way, between two work-groups, to one of higher priority whose turn it is,
 * and after a slice of time to any whose turn it is.
 */
#include "fw.h"

#define QUANTUM_DIV 5000 /* quanta in a second */
#define SLICE_DIV   200	 /* slices in a second, after which a dispatch may have to give way */

/* The queues of one context: @count of order[] from @first on. */
struct group {
	u32 context;
	u32 priority; /* the highest of its queues */
	u32 first;
	u32 count;
};

struct share {
	u64 debt;   /* ticks of hart 0 beyond the context's quanta */
	u64 finish; /* virtual time of the workers when its last job ended */
	u32 next;   /* queue of the group that begins */
};

static struct group groups[FW_MAX_QUEUES];
static u32 group_count;
static u8 order[FW_MAX_QUEUES];
static struct share shares[FW_MAX_CONTEXTS + 1];
static u64 worker_clock; /* virtual time at which the last job started */

void fw_sched_rebuild(void)
{
	u32 context, queue, filled = 0;

	group_count = 0;
	for (context = 1; context <= fw_board.contexts; context++) {
		struct group group = { .context = context, .first = filled };

		for (queue = 0; queue < fw_board.queues; queue++)
			if (fw_queues[queue].status.state != HBI_QUEUE_NONE &&
			    fw_queues[queue].context == context) {
				order[filled++] = queue;
				if (fw_queues[queue].priority > group.priority)
					group.priority = fw_queues[queue].priority;
			}
		group.count = filled - group.first;
		if (group.count)
			groups[group_count++] = group;
	}
}

void fw_sched_forget(u32 context)
{
	shares[context] = (struct share){ 0 };
}

/* ---- Workers ---- */

static u64 weighted(u64 ticks, u32 priority)
{
	return ticks >> 2 * priority;
}

static u64 start_time(u32 context)
{
	u64 finish = shares[context].finish;

	return finish > worker_clock ? finish : worker_clock;
}

static bool wants_workers(const struct fw_queue *queue)
{
	return queue->wants_workers && queue->status.state == HBI_QUEUE_LIVE;
}

/* Whether the running job shall make room for @queue, were it to end now. */
static bool outranks(const struct fw_queue *queue, const struct fw_job *running)
{
	u64 elapsed = fw_worker_elapsed();
	u64 now = worker_clock + weighted(elapsed, running->priority);

	if (queue->priority <= running->priority &&
	    (queue->context == running->context || elapsed < fw_board.timestamp_hz / SLICE_DIV))
		return false;
	/* What the job has had is not charged to its context yet. */
	return queue->context == running->context || start_time(queue->context) <= now;
}

bool fw_sched_take_workers(struct fw_queue *queue)
{
	const struct fw_job *running = fw_worker_job();
	u64 start = start_time(queue->context);
	u32 i;

	queue->wants_workers = true;
	if (running) {
		if (!fw_worker_yielding() && outranks(queue, running))
			fw_worker_yield();
		return false;
	}
	if (!fw_power_allows(false))
		return false;
	for (i = 0; i < fw_board.queues; i++) {
		const struct fw_queue *other = &fw_queues[i];
		u64 others;

		if (!wants_workers(other) || other == queue)
			continue;
		others = start_time(other->context);
		if (others < start || (others == start && other->priority > queue->priority))
			return false;
	}
	queue->wants_workers = false;
	worker_clock = start;
	return true;
}

void fw_sched_charge_workers(u32 context, u32 priority, u64 ticks)
{
	shares[context].finish = worker_clock + weighted(ticks, priority);
}

static bool somebody_waits(void)
{
	u32 i;

	for (i = 0; i < fw_board.queues; i++)
		if (wants_workers(&fw_queues[i]))
			return true;
	return false;
}

/* When the running job has had its slice, if somebody waits for that. */
static u64 slice_end(void)
{
	u64 slice = fw_board.timestamp_hz / SLICE_DIV, elapsed;

	if (!fw_worker_job() || fw_worker_yielding() || !somebody_waits())
		return FW_NEVER;
	elapsed = fw_worker_elapsed();
	return fw_time() + (elapsed < slice ? slice - elapsed : slice);
}

/* When the power limit ends or begins the workers' turn. */
static u64 power_time(void)
{
	if (fw_worker_job())
		return fw_worker_yielding() ? FW_NEVER : fw_power_next_time(true);
	return somebody_waits() ? fw_power_next_time(false) : FW_NEVER;
}

static void check_power(void)
{
	if (fw_worker_job() && !fw_worker_yielding() && !fw_power_allows(true))
		fw_worker_yield();
}

/* ---- Hart 0 ---- */

static u64 next_time(void)
{
	u64 time = fw_min(fw_min(fw_worker_deadline(), slice_end()), power_time());
	u32 i;

	for (i = 0; i < fw_board.queues; i++)
		time = fw_min(time, fw_queue_next_time(&fw_queues[i]));
	return time;
}

/* One packet, or part of one, of each queue of the group. */
static bool step_group(const struct group *group, struct share *share)
{
	bool progress = false;
	u32 i;

	for (i = 0; i < group->count; i++) {
		u32 queue = order[group->first + (share->next + i) % group->count];

		progress |= fw_queue_step(&fw_queues[queue]);
	}
	share->next++;
	return progress;
}

/* A context's turn. @alone: nobody else had work in the last round. */
static bool take_turn(const struct group *group, bool alone)
{
	u64 quantum = fw_board.timestamp_hz / QUANTUM_DIV, start = fw_time(), used;
	struct share *share = &shares[group->context];
	bool progress = false;

	if (alone)
		share->debt = 0;
	if (share->debt >= quantum) {
		share->debt -= quantum;
		return true;
	}
	while (step_group(group, share)) {
		progress = true;
		used = weighted(fw_time() - start, group->priority);
		if (used >= quantum) {
			share->debt += used - quantum;
			return true;
		}
	}
	/* Out of work: what it did not use it does not keep. */
	share->debt = 0;
	return progress;
}

static bool step_contexts(void)
{
	static u32 active = 2; /* contexts with work in the last round */
	bool alone = active < 2;
	u32 i;

	active = 0;
	for (i = 0; i < group_count; i++)
		active += take_turn(&groups[i], alone);
	return active;
}

static bool enable(void)
{
	struct fw_rings rings;

	if (!fw_platform.rings(&rings))
		return false;
	fw_event_init(&rings);
	fw_admin_init(&rings);
	fw_log(HBI_LOG_INFO, "enabled: rings of 2^%u commands, 2^%u completions, 2^%u events",
	       rings.admin_sq_log2, rings.admin_cq_log2, rings.event_log2);
	fw_platform.set_state(FW_PLATFORM_RUNNING);
	return true;
}

void fw_sched_main(void)
{
	bool enabled = false, progress;

	for (;;) {
		fw_platform.ipi(0, false);
		fw_platform.poll();
		progress = false;
		if (enabled) {
			fw_dma_reap();
			progress |= fw_admin_step();
			progress |= step_contexts();
			fw_worker_check_time();
			check_power();
		} else {
			enabled = enable();
			progress = enabled;
		}
		fw_platform.dma_flush();
		if (progress)
			continue;
		fw_platform.timer(next_time());
		fw_csr_write(mie, FW_MIE_SOFTWARE | FW_MIE_TIMER | FW_MIE_EXTERNAL);
		fw_wfi();
	}
}
