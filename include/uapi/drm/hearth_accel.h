/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR MIT */
#ifndef _UAPI_HEARTH_ACCEL_H_
#define _UAPI_HEARTH_ACCEL_H_

/*
 * The interface of hearth.ko, on /dev/accel/accelN.
 *
 * Rules:
 * - Structures are multiples of 8 bytes, every field at its natural alignment, padding named.
 * - Padding and reserved fields must be zero; unknown flag bits are refused (-EINVAL).
 * - Structures only grow at their end; zero in a new field means the old behaviour.
 * - Handles and ids belong to the open file and are never 0.
 * - Timeouts are absolute CLOCK_MONOTONIC nanoseconds; waits can be restarted after a signal.
 * - -ENOENT: no such handle or id. -ENOSPC: no board memory, or the user's quota is used up.
 *   -ENODEV: the board is gone. -ECANCELED: the queue's context failed or the board was reset.
 *   -ETIME: the time is over.
 * - No call waits for work of the board, but HEARTH_QUEUE_WAIT and HEARTH_QUEUE_WAIT_MANY. Calls
 *   that need the board wait for the end of a reset that is under way, which is bounded.
 *
 * Work is not submitted here: a process writes packets (hbi.h) to a ring in its own buffer and the
 * ring's new tail to the queue's doorbell, which it has mapped.
 */

#include "drm.h"

#if defined(__cplusplus)
extern "C" {
#endif

#define DRM_HEARTH_DEV_QUERY	   0x00
#define DRM_HEARTH_BO_CREATE	   0x01
#define DRM_HEARTH_BO_INFO	   0x02
#define DRM_HEARTH_VM_CREATE	   0x03
#define DRM_HEARTH_VM_DESTROY	   0x04
#define DRM_HEARTH_VM_BIND	   0x05
#define DRM_HEARTH_QUEUE_CREATE	   0x06
#define DRM_HEARTH_QUEUE_DESTROY   0x07
#define DRM_HEARTH_QUEUE_WAIT	   0x08
#define DRM_HEARTH_QUEUE_STATE	   0x09
#define DRM_HEARTH_QUEUE_WAIT_MANY 0x0a
#define DRM_HEARTH_BO_USERPTR	   0x0b
#define DRM_HEARTH_QUEUE_FENCE	   0x0c

#define DRM_IOCTL_HEARTH_DEV_QUERY \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_HEARTH_DEV_QUERY, struct drm_hearth_dev_query)
#define DRM_IOCTL_HEARTH_BO_CREATE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_HEARTH_BO_CREATE, struct drm_hearth_bo_create)
#define DRM_IOCTL_HEARTH_BO_INFO \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_HEARTH_BO_INFO, struct drm_hearth_bo_info)
#define DRM_IOCTL_HEARTH_VM_CREATE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_HEARTH_VM_CREATE, struct drm_hearth_vm_create)
#define DRM_IOCTL_HEARTH_VM_DESTROY \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_HEARTH_VM_DESTROY, struct drm_hearth_vm_destroy)
#define DRM_IOCTL_HEARTH_VM_BIND \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_HEARTH_VM_BIND, struct drm_hearth_vm_bind)
#define DRM_IOCTL_HEARTH_QUEUE_CREATE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_HEARTH_QUEUE_CREATE, struct drm_hearth_queue_create)
#define DRM_IOCTL_HEARTH_QUEUE_DESTROY \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_HEARTH_QUEUE_DESTROY, struct drm_hearth_queue_destroy)
#define DRM_IOCTL_HEARTH_QUEUE_WAIT \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_HEARTH_QUEUE_WAIT, struct drm_hearth_queue_wait)
#define DRM_IOCTL_HEARTH_QUEUE_STATE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_HEARTH_QUEUE_STATE, struct drm_hearth_queue_state)
#define DRM_IOCTL_HEARTH_QUEUE_WAIT_MANY \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_HEARTH_QUEUE_WAIT_MANY, struct drm_hearth_queue_wait_many)
#define DRM_IOCTL_HEARTH_BO_USERPTR \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_HEARTH_BO_USERPTR, struct drm_hearth_bo_userptr)
#define DRM_IOCTL_HEARTH_QUEUE_FENCE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_HEARTH_QUEUE_FENCE, struct drm_hearth_queue_fence)

/**
 * enum drm_hearth_query - what DEV_QUERY tells
 */
enum drm_hearth_query {
	/** @DRM_HEARTH_QUERY_DEVICE: struct drm_hearth_query_device */
	DRM_HEARTH_QUERY_DEVICE = 0,
	/** @DRM_HEARTH_QUERY_FIRMWARE: struct drm_hearth_query_firmware */
	DRM_HEARTH_QUERY_FIRMWARE = 1,
	/** @DRM_HEARTH_QUERY_MEMORY: struct drm_hearth_query_memory */
	DRM_HEARTH_QUERY_MEMORY = 2,
	/** @DRM_HEARTH_QUERY_STATE: struct drm_hearth_query_state */
	DRM_HEARTH_QUERY_STATE = 3,
	/** @DRM_HEARTH_QUERY_TELEMETRY: struct drm_hearth_query_telemetry */
	DRM_HEARTH_QUERY_TELEMETRY = 4,
	/** @DRM_HEARTH_QUERY_QUOTA: struct drm_hearth_query_quota */
	DRM_HEARTH_QUERY_QUOTA = 5,
};

/**
 * struct drm_hearth_dev_query - read one property structure
 *
 * With @pointer 0, only @size is written. Otherwise min(@size, the kernel's size) bytes are written
 * to @pointer, the rest of the caller's structure is zeroed, and @size is the kernel's size.
 */
struct drm_hearth_dev_query {
	/** @type: enum drm_hearth_query */
	__u32 type;
	/** @size: bytes, in and out */
	__u32 size;
	/** @pointer: of the caller's structure */
	__u64 pointer;
};

/**
 * struct drm_hearth_query_device - what the board is
 */
struct drm_hearth_query_device {
	/** @uuid: the board's */
	__u8 uuid[16];
	/** @hbi_version: major << 16 | minor of the board interface */
	__u32 hbi_version;
	/** @board_id: the maker's */
	__u32 board_id;
	/** @board_revision: the maker's */
	__u32 board_revision;
	/** @workers: compute harts */
	__u32 workers;
	/** @vlen_bits: width of their vector registers */
	__u32 vlen_bits;
	/** @max_queues: of the board, for all processes */
	__u32 max_queues;
	/** @caps: HBI_CAP_* */
	__u64 caps;
	/** @timestamp_hz: ticks a second of TIMESTAMP packets */
	__u64 timestamp_hz;
	/** @va_start: first address that may be bound */
	__u64 va_start;
	/** @va_end: end of the addresses that may be bound */
	__u64 va_end;
	/** @ring_log2_max: log2 of the most packets of a ring */
	__u32 ring_log2_max;
	/** @pci_bdf: domain << 16 | bus << 8 | devfn */
	__u32 pci_bdf;
	/** @generation: resets of the board that this driver has seen */
	__u32 generation;
	/** @pad: zero */
	__u32 pad;
	/** @board_name: text */
	__u8 board_name[64];
	/** @serial: text */
	__u8 serial[32];
	/** @vendor: text */
	__u8 vendor[64];
	/** @isa: RISC-V ISA string of the compute harts */
	__u8 isa[64];
};

/**
 * struct drm_hearth_query_firmware - what runs on it
 */
struct drm_hearth_query_firmware {
	/** @version: text */
	__u8 version[32];
	/** @state: enum hbi_state */
	__u32 state;
	/** @pad: zero */
	__u32 pad;
};

/**
 * struct drm_hearth_query_memory - board memory, in bytes
 */
struct drm_hearth_query_memory {
	/** @board_total: that buffers may use */
	__u64 board_total;
	/** @board_free: now */
	__u64 board_free;
};

/**
 * enum drm_hearth_state - how a board is
 */
enum drm_hearth_state {
	/** @DRM_HEARTH_STATE_STARTING: it is being brought up for the first time */
	DRM_HEARTH_STATE_STARTING = 0,
	/** @DRM_HEARTH_STATE_LIVE: it serves */
	DRM_HEARTH_STATE_LIVE = 1,
	/** @DRM_HEARTH_STATE_RESETTING: it will serve soon; calls that need it wait */
	DRM_HEARTH_STATE_RESETTING = 2,
	/** @DRM_HEARTH_STATE_SUSPENDED: likewise */
	DRM_HEARTH_STATE_SUSPENDED = 3,
	/** @DRM_HEARTH_STATE_FAILED: it serves nobody until it is reset by hand or bound again */
	DRM_HEARTH_STATE_FAILED = 4,
	/** @DRM_HEARTH_STATE_GONE: nothing answers */
	DRM_HEARTH_STATE_GONE = 5,
};

/**
 * struct drm_hearth_query_state - how the board is; answered in any state, without waiting
 */
struct drm_hearth_query_state {
	/** @state: enum drm_hearth_state */
	__u32 state;
	/**
	 * @epoch: from 1, one more with every reset
	 *
	 * Address spaces and queues made in an older one are dead; buffers are not.
	 */
	__u32 epoch;
	/** @resets: that were done since the driver has the board */
	__u32 resets;
	/** @pad: zero */
	__u32 pad;
};

/**
 * struct drm_hearth_query_telemetry - what the board tells of itself
 *
 * Counters begin at 0 when the firmware boots. -EOPNOTSUPP if the board tells nothing, -EAGAIN
 * while it is reset or asleep: it is not woken for this.
 */
struct drm_hearth_query_telemetry {
	/** @valid: HBI_TELEMETRY_*: which sensors there are, and whether they are a model */
	__u32 valid;
	/** @workers: compute harts */
	__u32 workers;
	/** @time_ns: of the board's clock */
	__u64 time_ns;
	/** @busy_ns: of workers in dispatches, summed over them */
	__u64 busy_ns;
	/** @dispatches: begun */
	__u64 dispatches;
	/** @energy_uj: taken up, in microjoules */
	__u64 energy_uj;
	/** @power_mw: mean power of the last moment */
	__u32 power_mw;
	/** @temperature_mk: of the hottest place, in thousandths of a kelvin */
	__u32 temperature_mk;
	/** @clock_khz: of the workers */
	__u32 clock_khz;
	/** @pad: zero */
	__u32 pad;
};

/**
 * struct drm_hearth_query_quota - what the user who opened the file may have, in bytes
 *
 * The use is of all files that this user has opened: of this board for board memory, of all boards
 * for host memory. What would exceed a limit is refused with -ENOSPC.
 */
struct drm_hearth_query_quota {
	/** @board_limit: board memory, page tables included; all of it if there is no limit */
	__u64 board_limit;
	/** @board_used: now */
	__u64 board_used;
	/** @host_limit: host memory, that of user pointers included */
	__u64 host_limit;
	/** @host_used: now */
	__u64 host_used;
};

/**
 * enum drm_hearth_placement - where a buffer lies
 */
enum drm_hearth_placement {
	/** @DRM_HEARTH_PLACEMENT_BOARD: board memory; CPU mappings are write-combined */
	DRM_HEARTH_PLACEMENT_BOARD = 1,
	/**
	 * @DRM_HEARTH_PLACEMENT_HOST: host memory; CPU mappings are cached and coherent. Without
	 * HBI_CAP_HOST_ACCESS only the DMA engine (rings, COPY, FILL, SIGNAL, …) reaches it.
	 */
	DRM_HEARTH_PLACEMENT_HOST = 2,
};

/**
 * struct drm_hearth_bo_create - make a buffer, filled with zeros
 */
struct drm_hearth_bo_create {
	/** @size: bytes, in; rounded up to pages, out */
	__u64 size;
	/** @placement: enum drm_hearth_placement */
	__u32 placement;
	/** @flags: none yet */
	__u32 flags;
	/** @handle: out; closed with DRM_IOCTL_GEM_CLOSE */
	__u32 handle;
	/** @pad: zero */
	__u32 pad;
};

/** DRM_HEARTH_BO_USERPTR_READONLY - the board may not write; the pages need not be writable */
#define DRM_HEARTH_BO_USERPTR_READONLY (1 << 0)

/**
 * struct drm_hearth_bo_userptr - make a buffer of memory that the process has already
 *
 * The pages under [@address, @address + @size) now are the buffer until it goes, whatever is mapped
 * there later. They are pinned: they count against RLIMIT_MEMLOCK. The board and the process see
 * one memory. The buffer cannot be mapped by the device file, nor exported. -EFAULT: pages that are
 * not there, may not be written, or cannot be pinned (device memory, shared mappings of most file
 * systems).
 */
struct drm_hearth_bo_userptr {
	/** @address: in, a multiple of the page size */
	__u64 address;
	/** @size: in, bytes, a multiple of the page size */
	__u64 size;
	/** @flags: DRM_HEARTH_BO_USERPTR_READONLY */
	__u32 flags;
	/** @handle: out; closed with DRM_IOCTL_GEM_CLOSE */
	__u32 handle;
};

/** DRM_HEARTH_BO_IS_USERPTR - made by BO_USERPTR */
#define DRM_HEARTH_BO_IS_USERPTR  (1 << 0)
/** DRM_HEARTH_BO_IS_IMPORTED - another device's memory, come as a dma-buf */
#define DRM_HEARTH_BO_IS_IMPORTED (1 << 1)
/** DRM_HEARTH_BO_IS_READONLY - can be bound with DRM_HEARTH_VM_BIND_READONLY only */
#define DRM_HEARTH_BO_IS_READONLY (1 << 2)

/**
 * struct drm_hearth_bo_info - ask about a buffer
 */
struct drm_hearth_bo_info {
	/** @handle: in */
	__u32 handle;
	/** @placement: out */
	__u32 placement;
	/** @size: out, bytes */
	__u64 size;
	/** @mmap_offset: out, for mmap() of the device file; 0: it cannot be mapped so */
	__u64 mmap_offset;
	/** @flags: out, DRM_HEARTH_BO_IS_* */
	__u32 flags;
	/** @pad: zero */
	__u32 pad;
};

/**
 * struct drm_hearth_vm_create - make an address space
 */
struct drm_hearth_vm_create {
	/** @flags: none yet */
	__u32 flags;
	/** @vm_id: out */
	__u32 vm_id;
};

/**
 * struct drm_hearth_vm_destroy - take an address space down
 *
 * -EBUSY while it has queues.
 */
struct drm_hearth_vm_destroy {
	/** @vm_id: in */
	__u32 vm_id;
	/** @pad: zero */
	__u32 pad;
};

#define DRM_HEARTH_VM_BIND_MAP	    0
#define DRM_HEARTH_VM_BIND_UNMAP    1

/** DRM_HEARTH_VM_BIND_READONLY - the board may not write */
#define DRM_HEARTH_VM_BIND_READONLY (1 << 0)
/**
 * DRM_HEARTH_VM_BIND_EXEC - the board may fetch instructions; only of board memory, and then no
 * writes by compute harts
 */
#define DRM_HEARTH_VM_BIND_EXEC	    (1 << 1)

/**
 * struct drm_hearth_vm_bind - map part of a buffer, or unmap
 *
 * MAP replaces what was mapped in the range. Returns when the board uses the new tables. All of
 * @va, @range and @bo_offset are multiples of 4096.
 */
struct drm_hearth_vm_bind {
	/** @vm_id: in */
	__u32 vm_id;
	/** @op: DRM_HEARTH_VM_BIND_MAP or DRM_HEARTH_VM_BIND_UNMAP */
	__u32 op;
	/** @flags: DRM_HEARTH_VM_BIND_READONLY, DRM_HEARTH_VM_BIND_EXEC; 0 for UNMAP */
	__u32 flags;
	/** @handle: of the buffer; 0 for UNMAP */
	__u32 handle;
	/** @bo_offset: bytes; 0 for UNMAP */
	__u64 bo_offset;
	/** @va: address of the context */
	__u64 va;
	/** @range: bytes */
	__u64 range;
};

/** DRM_HEARTH_QUEUE_FENCES - HEARTH_QUEUE_FENCE may be used; what is late for its fence ends it */
#define DRM_HEARTH_QUEUE_FENCES (1 << 0)

/**
 * struct drm_hearth_queue_create - make a user queue
 *
 * The ring must be bound and its first use follows this call. Its slots, the doorbell page and the
 * status page are all that submission needs.
 */
struct drm_hearth_queue_create {
	/** @vm_id: in */
	__u32 vm_id;
	/** @ring_log2: in, log2 of the ring's packets */
	__u32 ring_log2;
	/** @ring_va: in, 64-byte aligned */
	__u64 ring_va;
	/** @timeout_ms: in, longest run of one dispatch; 0: the driver's default */
	__u32 timeout_ms;
	/** @priority: in, 0 to 3; 3 needs CAP_SYS_NICE */
	__u32 priority;
	/** @flags: in, DRM_HEARTH_QUEUE_FENCES or 0 */
	__u32 flags;
	/** @queue_id: out */
	__u32 queue_id;
	/** @doorbell_offset: out, for mmap() of one page, write-only */
	__u64 doorbell_offset;
	/** @status_offset: out, for mmap() of one page, read-only: struct hbi_queue_status */
	__u64 status_offset;
};

/**
 * struct drm_hearth_queue_destroy - end a queue and what it runs
 */
struct drm_hearth_queue_destroy {
	/** @queue_id: in */
	__u32 queue_id;
	/** @pad: zero */
	__u32 pad;
};

/**
 * struct drm_hearth_queue_wait - sleep until a queue has completed packets
 *
 * Returns 0 when hbi_queue_status.completed >= @completed, -ETIME, or -ECANCELED when the queue
 * failed before.
 */
struct drm_hearth_queue_wait {
	/** @queue_id: in */
	__u32 queue_id;
	/** @pad: zero */
	__u32 pad;
	/** @completed: in, free-running count of packets */
	__u64 completed;
	/** @timeout_ns: in, absolute CLOCK_MONOTONIC; 0 asks without sleeping */
	__s64 timeout_ns;
};

/**
 * struct drm_hearth_queue_point - so many packets of a queue
 */
struct drm_hearth_queue_point {
	/** @queue_id: of the queue */
	__u32 queue_id;
	/** @pad: zero */
	__u32 pad;
	/** @completed: free-running count of packets */
	__u64 completed;
};

/** DRM_HEARTH_QUEUE_WAIT_MAX - most points of one wait */
#define DRM_HEARTH_QUEUE_WAIT_MAX 64
/** DRM_HEARTH_QUEUE_WAIT_ALL - wait for each of the points, not for one of them */
#define DRM_HEARTH_QUEUE_WAIT_ALL (1 << 0)

/**
 * struct drm_hearth_queue_wait_many - sleep until one or all of several queues are so far
 *
 * As HEARTH_QUEUE_WAIT. For one of them, a point that is reached counts more than a queue that
 * failed; for all, a queue that failed ends the wait at once.
 */
struct drm_hearth_queue_wait_many {
	/** @points: in, address of @count struct drm_hearth_queue_point */
	__u64 points;
	/** @count: in, 1 to DRM_HEARTH_QUEUE_WAIT_MAX */
	__u32 count;
	/** @flags: in, DRM_HEARTH_QUEUE_WAIT_ALL or 0 */
	__u32 flags;
	/** @timeout_ns: in, absolute CLOCK_MONOTONIC; 0 asks without sleeping */
	__s64 timeout_ns;
	/**
	 * @index: out: the point that was reached, without DRM_HEARTH_QUEUE_WAIT_ALL; after
	 * -ENOENT, -ECANCELED or -ENODEV the point at fault
	 */
	__u32 index;
	/** @pad: zero */
	__u32 pad;
};

/**
 * struct drm_hearth_queue_fence - put the completion of packets into a syncobj
 *
 * For a queue made with DRM_HEARTH_QUEUE_FENCES, and for packets that the board has taken from its
 * ring (hbi_queue_status.fetched >= @completed); -EAGAIN before. The fence signals when
 * hbi_queue_status.completed >= @completed, and not before an earlier fence of the queue. It
 * signals with an error when that cannot be any more: -ECANCELED, -ENODEV, or -ETIMEDOUT when
 * @deadline_ns is over. In that case all fences of the queue do, and the queue is ended as if it
 * had been destroyed; its id stays.
 */
struct drm_hearth_queue_fence {
	/** @queue_id: in */
	__u32 queue_id;
	/** @syncobj: in, handle of this file; its fence is replaced, or @point added */
	__u32 syncobj;
	/** @completed: in, free-running count of packets */
	__u64 completed;
	/** @point: in, of a timeline; 0 for a binary syncobj */
	__u64 point;
	/**
	 * @deadline_ns: in, absolute CLOCK_MONOTONIC; 0, or what is later: the longest that the
	 * driver allows (its parameter fence_ms)
	 */
	__s64 deadline_ns;
	/** @flags: zero */
	__u32 flags;
	/** @pad: zero */
	__u32 pad;
};

/**
 * enum drm_hearth_reset - what a reset of the board was for a context
 */
enum drm_hearth_reset {
	/** @DRM_HEARTH_RESET_NONE: there was none since it was made */
	DRM_HEARTH_RESET_NONE = 0,
	/** @DRM_HEARTH_RESET_INNOCENT: it is dead, and nothing says that it had a part in it */
	DRM_HEARTH_RESET_INNOCENT = 1,
	/** @DRM_HEARTH_RESET_GUILTY: it is dead, and the board could not end what it ran */
	DRM_HEARTH_RESET_GUILTY = 2,
};

/**
 * struct drm_hearth_queue_state - how a queue is, and why
 */
struct drm_hearth_queue_state {
	/** @queue_id: in */
	__u32 queue_id;
	/** @state: out, enum hbi_queue_state */
	__u32 state;
	/** @error: out, enum hbi_error of the first failure */
	__u32 error;
	/** @hart: out, that ran into it */
	__u32 hart;
	/** @fault_address: out, context address, 0 if none */
	__u64 fault_address;
	/** @fault_pc: out, context address of the instruction, 0 if none */
	__u64 fault_pc;
	/** @fault_packet: out, ring index */
	__u64 fault_packet;
	/** @interrupts: out, that this queue has raised */
	__u64 interrupts;
	/** @reset: out, enum drm_hearth_reset */
	__u32 reset;
	/** @epoch: out, of its address space: drm_hearth_query_state.epoch when that was made */
	__u32 epoch;
};

#if defined(__cplusplus)
}
#endif

#endif /* _UAPI_HEARTH_ACCEL_H_ */
