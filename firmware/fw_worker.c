// SPDX-License-Identifier: MIT
/*
 * Dispatches. Hart 0 posts one job at a time; each worker that takes part claims chunks of
 * work-groups from one counter and calls the kernel in user mode for each chunk. A fault of one
 * worker, a timeout or a cancel sets job.stop and interrupts the others out of user mode, which
 * they cannot prevent: machine interrupts are always taken there. A job that has to give way sets
 * job.yield, which workers look at between chunks: every work-group runs whole, and once. Chunks
 * begin small and grow while they are quick, so that this is soon.
 */
#include "fw.h"

#define CHUNKS_PER_WORKER 8    /* at least, if there are as many work-groups */
#define FIRST_CHUNKS	  32   /* as the first ones are cut */
#define QUICK_DIV	  4000 /* chunks of less than that part of a second are quick */
#define CAUSE_INTERRUPT	  ((u64)1 << 63)

enum cause {
	CAUSE_FETCH_MISALIGNED = 0,
	CAUSE_FETCH_ACCESS = 1,
	CAUSE_LOAD_MISALIGNED = 4,
	CAUSE_LOAD_ACCESS = 5,
	CAUSE_STORE_MISALIGNED = 6,
	CAUSE_STORE_ACCESS = 7,
	CAUSE_FETCH_PAGE = 12,
	CAUSE_LOAD_PAGE = 13,
	CAUSE_STORE_PAGE = 15,
};

enum reg { RA = 1, SP = 2, A0 = 10, A1 = 11, A2 = 12, A3 = 13 };

static struct {
	struct fw_job order;
	u64 chunk; /* work-groups to claim at once; atomic */
	u64 largest_chunk;
	u64 next;     /* first work-group not claimed yet; atomic */
	u32 number;   /* of the job */
	u32 running;  /* workers not finished; atomic */
	u32 stop;     /* enum hbi_error that ends the job; atomic */
	u32 yield;    /* it is to give way; atomic */
	u32 reported; /* @fault is taken; atomic */
	struct fw_fault fault;
	bool active; /* hart 0's own, as is: */
	u64 started;
} job;

/* Job that a worker shall take part in; written by hart 0. */
static u32 assigned[FW_MAX_HARTS];

static void interrupt_workers(void)
{
	u32 hart;

	for (hart = 1; hart <= fw_board.workers; hart++)
		fw_platform.ipi(hart, true);
}

/* The first to stop the job decides its error. */
static void stop_job(enum hbi_error error)
{
	u32 none = 0;

	if (__atomic_compare_exchange_n(&job.stop, &none, error, false, __ATOMIC_SEQ_CST,
					__ATOMIC_SEQ_CST))
		interrupt_workers();
}

void fw_worker_start(const struct fw_job *order)
{
	u64 left = order->groups - order->first;
	u64 first = left / (fw_board.workers * FIRST_CHUNKS);
	u64 largest = left / (fw_board.workers * CHUNKS_PER_WORKER);
	u32 hart, workers;

	job.order = *order;
	job.chunk = first ? first : 1;
	job.largest_chunk = largest ? largest : 1;
	job.next = order->first;
	job.stop = HBI_OK;
	job.yield = 0;
	job.reported = 0;
	job.fault = (struct fw_fault){ 0 };
	job.number++;
	job.active = true;
	job.started = fw_time();
	if (!order->first)
		fw_telemetry_job(order->context);
	workers = fw_min(fw_board.workers, left);
	__atomic_store_n(&job.running, workers, __ATOMIC_SEQ_CST);
	for (hart = 1; hart <= workers; hart++) {
		__atomic_store_n(&assigned[hart], job.number, __ATOMIC_SEQ_CST);
		fw_platform.ipi(hart, true);
	}
}

const struct fw_job *fw_worker_job(void)
{
	return job.active ? &job.order : NULL;
}

u64 fw_worker_elapsed(void)
{
	return fw_time() - job.started;
}

void fw_worker_yield(void)
{
	__atomic_store_n(&job.yield, 1, __ATOMIC_SEQ_CST);
}

bool fw_worker_yielding(void)
{
	return job.active && job.yield;
}

static void release(void)
{
	job.active = false;
	fw_sched_charge_workers(job.order.context, job.order.priority, fw_worker_elapsed());
}

enum fw_job_end fw_worker_end(struct fw_queue *queue, struct fw_fault *fault)
{
	if (__atomic_load_n(&job.running, __ATOMIC_SEQ_CST))
		return FW_JOB_RUNS;
	release();
	queue->next_group = job.next;
	queue->ran += fw_worker_elapsed();
	*fault = job.fault;
	fault->error = job.stop;
	return job.stop || job.next >= job.order.groups ? FW_JOB_DONE : FW_JOB_YIELDED;
}

void fw_worker_cancel(u32 queue)
{
	if (!job.active || job.order.queue != queue)
		return;
	stop_job(HBI_ERROR_CANCELED);
	fw_csr_write(mie, FW_MIE_SOFTWARE);
	while (__atomic_load_n(&job.running, __ATOMIC_SEQ_CST)) {
		fw_wfi();
		fw_platform.ipi(0, false);
	}
	release();
}

u64 fw_worker_deadline(void)
{
	if (!job.active || __atomic_load_n(&job.stop, __ATOMIC_SEQ_CST))
		return FW_NEVER;
	return job.order.deadline;
}

void fw_worker_check_time(void)
{
	if (fw_time() >= fw_worker_deadline())
		stop_job(HBI_ERROR_TIMEOUT);
}

static enum hbi_error cause_error(u64 cause, u64 *address)
{
	switch (cause) {
	case CAUSE_FETCH_ACCESS:
	case CAUSE_FETCH_PAGE:
		return HBI_ERROR_FETCH;
	case CAUSE_LOAD_ACCESS:
	case CAUSE_LOAD_PAGE:
		return HBI_ERROR_LOAD;
	case CAUSE_STORE_ACCESS:
	case CAUSE_STORE_PAGE:
		return HBI_ERROR_STORE;
	case CAUSE_FETCH_MISALIGNED:
	case CAUSE_LOAD_MISALIGNED:
	case CAUSE_STORE_MISALIGNED:
		return HBI_ERROR_MISALIGNED;
	default:
		*address = 0;
		return HBI_ERROR_INSTRUCTION;
	}
}

/* Notes where this worker was; only the first one counts. */
static void note_fault(const struct fw_hart *hart, u64 address)
{
	if (__atomic_exchange_n(&job.reported, 1, __ATOMIC_SEQ_CST))
		return;
	job.fault.address = address;
	job.fault.pc = hart->regs[0];
	job.fault.hart = hart->id;
}

/* Runs [first, first + count) in user mode. False if the job is to stop. */
static bool call_kernel(struct fw_hart *hart, u64 first, u64 count)
{
	u64 slice = job.order.scratch + (hart->id - 1) * job.order.stride;
	u64 address;
	enum hbi_error error;

	memset(hart->regs, 0, sizeof(hart->regs));
	hart->regs[0] = job.order.code;
	hart->regs[RA] = HBI_RETURN_ADDRESS;
	hart->regs[SP] = slice + job.order.stride;
	hart->regs[A0] = job.order.args;
	hart->regs[A1] = first;
	hart->regs[A2] = count;
	hart->regs[A3] = slice;
	fw_user_clear();
	for (;;) {
		fw_user_enter();
		if (hart->mcause & CAUSE_INTERRUPT) {
			fw_platform.ipi(hart->id, false);
			__atomic_thread_fence(__ATOMIC_SEQ_CST);
			fw_hart_serve(hart);
			if (!__atomic_load_n(&job.stop, __ATOMIC_SEQ_CST))
				continue;
			note_fault(hart, 0);
			return false;
		}
		if ((hart->mcause == CAUSE_FETCH_PAGE || hart->mcause == CAUSE_FETCH_ACCESS) &&
		    hart->regs[0] == HBI_RETURN_ADDRESS)
			return true;
		address = hart->mtval;
		error = cause_error(hart->mcause, &address);
		note_fault(hart, address);
		stop_job(error);
		return false;
	}
}

static void take_part(struct fw_hart *hart)
{
	u64 quick = fw_board.timestamp_hz / QUICK_DIV, begin;
	u64 groups = job.order.groups, chunk, first;
	u64 satp = fw_context_satp(job.order.context);

	hart->in_job = true;
	fw_telemetry_begin(hart, job.order.context);
	if (fw_csr_read(satp) != satp)
		fw_csr_write(satp, satp);
	while (!__atomic_load_n(&job.stop, __ATOMIC_SEQ_CST) &&
	       !__atomic_load_n(&job.yield, __ATOMIC_SEQ_CST)) {
		chunk = __atomic_load_n(&job.chunk, __ATOMIC_SEQ_CST);
		first = __atomic_fetch_add(&job.next, chunk, __ATOMIC_SEQ_CST);
		if (first >= groups)
			break;
		begin = fw_time();
		if (!call_kernel(hart, first, fw_min(chunk, groups - first)))
			break;
		if (fw_time() - begin < quick && chunk < job.largest_chunk)
			__atomic_store_n(&job.chunk, fw_min(2 * chunk, job.largest_chunk),
					 __ATOMIC_SEQ_CST);
	}
	fw_telemetry_end(hart);
	hart->in_job = false;
	if (!__atomic_sub_fetch(&job.running, 1, __ATOMIC_SEQ_CST))
		fw_platform.ipi(0, true);
}

/* True if there is a job for this worker that it has not looked at. */
static bool has_job(const struct fw_hart *hart)
{
	return __atomic_load_n(&assigned[hart->id], __ATOMIC_SEQ_CST) != hart->job_seen;
}

void fw_worker_main(struct fw_hart *hart)
{
	for (;;) {
		fw_platform.ipi(hart->id, false);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		fw_hart_serve(hart);
		if (!has_job(hart)) {
			fw_wfi();
			continue;
		}
		hart->job_seen = assigned[hart->id];
		take_part(hart);
	}
}
