// SPDX-License-Identifier: MIT
/*
 * Dispatches. Hart 0 posts one job at a time; each worker that takes part claims chunks of
 * work-groups from one counter and calls the kernel in user mode for each chunk. A fault of one
 * worker, a timeout or a cancel sets job.stop and interrupts the others out of user mode, which
 * they cannot prevent: machine interrupts are always taken there.
 */
#include "fw.h"

#define CHUNKS_PER_WORKER 8
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
	u64 chunk;
	u64 next;     /* first work-group not claimed yet; atomic */
	u32 number;   /* of the job */
	u32 running;  /* workers not finished; atomic */
	u32 stop;     /* enum hbi_error that ends the job; atomic */
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
	u64 chunk = order->groups / (fw_board.workers * CHUNKS_PER_WORKER);
	u32 hart, workers;

	job.order = *order;
	job.chunk = chunk ? chunk : 1;
	job.next = 0;
	job.stop = HBI_OK;
	job.reported = 0;
	job.fault = (struct fw_fault){ 0 };
	job.number++;
	job.active = true;
	job.started = fw_time();
	fw_telemetry_job(order->context);
	workers = fw_min(fw_board.workers, order->groups);
	__atomic_store_n(&job.running, workers, __ATOMIC_SEQ_CST);
	for (hart = 1; hart <= workers; hart++) {
		__atomic_store_n(&assigned[hart], job.number, __ATOMIC_SEQ_CST);
		fw_platform.ipi(hart, true);
	}
}

bool fw_worker_busy(void)
{
	return job.active;
}

static void release(void)
{
	job.active = false;
	fw_sched_charge_workers(job.order.context, fw_time() - job.started);
}

bool fw_worker_finished(struct fw_fault *fault)
{
	if (__atomic_load_n(&job.running, __ATOMIC_SEQ_CST))
		return false;
	release();
	*fault = job.fault;
	fault->error = job.stop;
	return true;
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
	u64 groups = job.order.groups, chunk = job.chunk, first;
	u64 satp = fw_context_satp(job.order.context);

	hart->in_job = true;
	fw_telemetry_begin(hart, job.order.context);
	if (fw_csr_read(satp) != satp)
		fw_csr_write(satp, satp);
	do {
		if (__atomic_load_n(&job.stop, __ATOMIC_SEQ_CST))
			break;
		first = __atomic_fetch_add(&job.next, chunk, __ATOMIC_SEQ_CST);
	} while (first < groups && call_kernel(hart, first, fw_min(chunk, groups - first)));
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
