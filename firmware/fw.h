/* SPDX-License-Identifier: MIT */
/*
 * What the firmware's files share. Hart 0 does everything but running kernels: it serves the admin
 * queue, walks page tables, executes packets and drives the DMA engine, from one loop that never
 * takes an interrupt (interrupts only end its sleep). The other harts are workers. So there are no
 * locks: what crosses harts is the job of fw_worker.c and the requests of fw_hart.c.
 */
#ifndef FW_H
#define FW_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <hearth/hbi.h>
#include "fw_asm.h"
#include "fw_platform.h"

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t s64;

#define FW_MAX_QUEUES	64
#define FW_MAX_CONTEXTS 64
#define FW_PAGE_BYTES	((u64)1 << HBI_PAGE_SHIFT)
#define FW_VA_END	((u64)1 << HBI_VA_BITS)
#define FW_NEVER	(~(u64)0)

#define fw_csr_read(csr)                                                     \
	({                                                                   \
		u64 value_;                                                  \
		__asm__ volatile("csrr %0, " #csr : "=r"(value_)::"memory"); \
		value_;                                                      \
	})
#define fw_csr_write(csr, value) \
	__asm__ volatile("csrw " #csr ", %0" ::"r"((u64)(value)) : "memory")
#define fw_csr_set(csr, bits) __asm__ volatile("csrs " #csr ", %0" ::"r"((u64)(bits)) : "memory")

#define FW_MIE_SOFTWARE	      (1u << 3)
#define FW_MIE_TIMER	      (1u << 7)
#define FW_MIE_EXTERNAL	      (1u << 11)

static inline void fw_wfi(void)
{
	__asm__ volatile("wfi" ::: "memory");
}

static inline u64 fw_time(void)
{
	return fw_csr_read(time);
}

static inline u64 fw_min(u64 a, u64 b)
{
	return a < b ? a : b;
}

/* ---- fw_string.c ---- */

void *memcpy(void *destination, const void *source, size_t size);
void *memset(void *destination, int value, size_t size);
void fw_text_copy(u8 *destination, const char *source, size_t size);
/* Fills @text with at most @size bytes and zeros. Knows %s, %u, %x, %lu and %lx. */
void fw_text_format(char *text, size_t size, const char *format, va_list arguments);

/* ---- fw_hart.c: per-hart memory, and requests to all workers ---- */

/* Reached through tp while the hart is in M-mode. Offsets of the first fields: fw_asm.h. */
struct fw_hart {
	u64 regs[32]; /* of user mode; regs[0] is the pc */
	u64 mcause;
	u64 mtval;
	u64 msp;
	u32 id;
	u32 request_done; /* last request carried out */
	u32 job_seen;	  /* last job looked at */
	bool in_job;
};

_Static_assert(offsetof(struct fw_hart, mcause) == FW_HART_MCAUSE, "fw_asm.h");
_Static_assert(offsetof(struct fw_hart, mtval) == FW_HART_MTVAL, "fw_asm.h");
_Static_assert(offsetof(struct fw_hart, msp) == FW_HART_MSP, "fw_asm.h");
_Static_assert(sizeof(struct fw_hart) == FW_HART_BYTES, "fw_asm.h");

extern struct fw_hart fw_harts[FW_MAX_HARTS];

static inline struct fw_hart *fw_hart(void)
{
	struct fw_hart *hart;

	__asm__("mv %0, tp" : "=r"(hart));
	return hart;
}

/* Returns once every hart has dropped all translations and all fetched instructions. Hart 0. */
void fw_hart_synchronize(void);
/* Carries out a pending request on this worker. */
void fw_hart_serve(struct fw_hart *hart);

/* ---- fw_trap.c ---- */

void fw_trap_init(void);
/* start.S: runs user mode from hart->regs until the next trap, which it leaves there. */
void fw_user_enter(void);
/* start.S: clears floating-point and vector registers. */
void fw_user_clear(void);
void fw_trap_fatal(u64 mcause, u64 mepc, u64 mtval);

/* ---- fw_context.c: contexts and the walk of their page tables ---- */

enum fw_access { FW_READ, FW_WRITE, FW_CODE };

bool fw_context_live(u32 context);
u64 fw_context_satp(u32 context);
void fw_context_hold(u32 context, int queues);
enum hbi_error fw_context_create(u32 context, u64 root);
enum hbi_error fw_context_destroy(u32 context);
/*
 * Finds the board-physical address of @va and how many bytes from there on are contiguous, at most
 * @size. A refusal is HBI_ERROR_LOAD, HBI_ERROR_STORE or HBI_ERROR_FETCH.
 */
enum hbi_error fw_context_run(u32 context, u64 va, u64 size, enum fw_access access, u64 *pa,
			      u64 *bytes);
bool fw_is_host(u64 pa);

/* ---- fw_dma.c ---- */

/* As an owner: not a user queue, but an admin command that waits and tells the driver. */
#define FW_ADMIN_QUEUE (FW_NO_QUEUE - 1)

/* Whose work an order is, for when it is refused: @va is told to the user. */
struct fw_dma_owner {
	u32 queue; /* or FW_NO_QUEUE: the driver's own rings; refusal is fatal */
	u64 packet;
	u64 va;
};

void fw_dma_move(const struct fw_dma_owner *owner, u64 destination, u64 source, u64 size);
void fw_dma_fill(const struct fw_dma_owner *owner, u64 destination, u64 size, u32 value);
void fw_dma_write(const struct fw_dma_owner *owner, u64 destination, u64 value);
void fw_dma_record(const struct fw_dma_owner *owner, u64 destination, const void *payload,
		   u64 size);
void fw_dma_status(const struct fw_dma_owner *owner, u64 destination,
		   const struct hbi_queue_status *status);
void fw_dma_interrupt(u32 vector);
/* Forgets doorbell and arming of a queue; its armed interrupts raise @vector from now on. */
void fw_dma_queue_reset(u32 queue, u32 vector);
/*
 * Waits for all orders so far. HBI_ERROR_HOST_DMA if one was refused since the last wait whose
 * owner is @queue; *@va is then the owner's.
 */
enum hbi_error fw_dma_wait(u32 queue, u64 *va);
/* Looks for refusals among orders nobody waited for and fails their queues. */
void fw_dma_reap(void);

/* ---- fw_event.c: events, which the host is interrupted for by fw_event_raise() ---- */

void fw_event_init(const struct fw_rings *rings);
void fw_event_queue_error(u32 queue, u32 context, enum hbi_error error, u64 address, u64 pc,
			  u64 packet, u32 hart);
/* Interrupts the host for the events so far. */
void fw_event_raise(void);
const char *fw_event_error_name(enum hbi_error error);
void fw_event_fatal(const char *text);

/* ---- fw_admin.c ---- */

void fw_admin_init(const struct fw_rings *rings);
/* Executes what the host has written; true if there was something. */
bool fw_admin_step(void);

/* ---- fw_queue.c: user queues ---- */

#define FW_BATCH 16 /* packets fetched at a time */

struct fw_fetch {
	union hbi_packet packets[FW_BATCH];
	u32 count;
	u32 next;
};

struct fw_queue {
	u32 id;
	u32 context;
	u32 ring_log2;
	u32 timeout_ms;
	u32 priority;
	u64 ring;
	u64 status_bus;
	u64 tail;
	u64 head; /* packet being executed; all before it are complete */
	u64 fetched;
	struct hbi_queue_status status; /* as last written */
	struct fw_fetch ring_fetch;
	struct fw_fetch indirect_fetch;
	u64 indirect_address;
	u64 indirect_left;
	bool in_indirect;
	bool has_packet;    /* @packet is being executed */
	bool waiting;	    /* in a WAIT that did not hold yet */
	bool dispatched;    /* its DISPATCH is the running job */
	bool begun;	    /* its DISPATCH has run, and gave way */
	bool wants_workers; /* for its DISPATCH */
	u64 groups;	    /* of a DISPATCH that has begun */
	u64 next_group;	    /* of it, that has not run */
	u64 ran;	    /* ticks that it had the workers */
	union hbi_packet packet;
	u64 progress; /* bytes of @packet done */
	u64 wait_epoch;
	u64 wait_time;
	bool refused; /* an order that nobody waited for failed */
	u64 refused_packet;
	u64 refused_va;
};

extern struct fw_queue fw_queues[FW_MAX_QUEUES];

enum hbi_error fw_queue_create(const struct hbi_admin_create_queue *command);
enum hbi_error fw_queue_destroy(u32 queue);
/* Executes a little; true if something was done. */
bool fw_queue_step(struct fw_queue *queue);
void fw_queue_fail(struct fw_queue *queue, enum hbi_error error, u64 address, u64 pc, u32 hart);
u64 fw_queue_next_time(const struct fw_queue *queue);
struct fw_dma_owner fw_queue_owner(const struct fw_queue *queue, u64 va);

/* ---- fw_packet.c: execution of one packet ---- */

enum fw_step {
	FW_STEP_DONE,
	FW_STEP_AGAIN,	 /* did a part, more to do */
	FW_STEP_BLOCKED, /* waits for something */
	FW_STEP_FAILED,	 /* struct fw_fault says why */
};

struct fw_fault {
	enum hbi_error error;
	u64 address;
	u64 pc;
	u32 hart;
};

/* Executes queue->packet, or goes on with it. INDIRECT is fw_queue.c's. */
enum fw_step fw_packet_execute(struct fw_queue *queue, struct fw_fault *fault);
/* Reads @size bytes at @va of the context to firmware memory. */
enum hbi_error fw_packet_read(struct fw_queue *queue, u64 va, void *buffer, u64 size,
			      struct fw_fault *fault);
/* Grows when a SIGNAL or a doorbell may have ended a WAIT. */
extern u64 fw_wait_epoch;

/* ---- fw_worker.c: dispatches ---- */

struct fw_job {
	u32 queue;
	u32 context;
	u32 priority;
	u64 first; /* work-group; those before it have run already */
	u64 groups;
	u64 code;
	u64 args;
	u64 scratch;
	u64 stride;
	u64 deadline;
};

enum fw_job_end {
	FW_JOB_RUNS,
	FW_JOB_DONE,   /* struct fw_fault says how */
	FW_JOB_YIELDED /* some of its work-groups have not run */
};

void fw_worker_start(const struct fw_job *job);
/* The running job, or NULL. */
const struct fw_job *fw_worker_job(void);
/* Ticks since the running job was started. */
u64 fw_worker_elapsed(void);
/* Lets the job give way: what its workers have claimed they still run. */
void fw_worker_yield(void);
bool fw_worker_yielding(void);
/*
 * How the job of @queue stands. If it does not run any more, the workers are free, and next_group
 * and ran of the queue are what they are now.
 */
enum fw_job_end fw_worker_end(struct fw_queue *queue, struct fw_fault *fault);
/* Ends the job of @queue, if it runs; returns when no worker is in user mode any more. */
void fw_worker_cancel(u32 queue);
/* Ends the job if it is over time. */
void fw_worker_check_time(void);
u64 fw_worker_deadline(void);
void __attribute__((noreturn)) fw_worker_main(struct fw_hart *hart);

/* ---- fw_log.c: what the host may read of what happened ---- */

void fw_log_init(void);
/* @format: as of fw_text_format(). Any hart. */
void __attribute__((format(printf, 2, 3))) fw_log(enum hbi_log_level level, const char *format,
						  ...);
/* The entries from number @first on, as many as there are and fit. Hart 0. */
void fw_log_read(u64 first, struct hbi_log *log);

/* ---- fw_telemetry.c: who has kept the workers, and for how long ---- */

/* Around a worker's part of a job; that worker. */
void fw_telemetry_begin(const struct fw_hart *hart, u32 context);
void fw_telemetry_end(const struct fw_hart *hart);
/* A job of the context begins. Hart 0, as are all below. */
void fw_telemetry_job(u32 context);
/* The context is a new one. */
void fw_telemetry_forget(u32 context);
/* @context: live, or 0 for none. */
void fw_telemetry_read(u32 context, struct hbi_telemetry *telemetry);

/* Ticks that workers spent in jobs, summed over them. */
u64 fw_telemetry_busy(void);

/* ---- fw_power.c: the power limit; hart 0 ---- */

/* As of the admin command; 0 at the start of the firmware. */
enum hbi_error fw_power_limit(u32 limit_mw);
/* Whether workers may go on (@running) or begin with a job. */
bool fw_power_allows(bool running);
/* When to ask again, if a job runs or is to. */
u64 fw_power_next_time(bool running);
void fw_power_tell(struct hbi_telemetry *telemetry);
/* The part of @of that workers may be busy for. */
u32 fw_power_part(u32 of);

/* ---- fw_sched.c ---- */

void __attribute__((noreturn)) fw_sched_main(void);
/* To be called whenever a queue was made or has gone, and when a context has. */
void fw_sched_rebuild(void);
void fw_sched_forget(u32 context);
/*
 * Whether the workers are free and it is the turn of this queue's context to have them. If they are
 * not, whoever has them may have to give way.
 */
bool fw_sched_take_workers(struct fw_queue *queue);
/* A job of the context has kept the workers for so long, at this priority. */
void fw_sched_charge_workers(u32 context, u32 priority, u64 ticks);

/* ---- fw_main.c ---- */

extern const char fw_version[];

#endif /* FW_H */
