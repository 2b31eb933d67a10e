/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The board as the driver sees it. Each part's own state is private to its .c file; here is what
 * all share.
 *
 * Lock order, outermost first: drm_dev_enter() section; hearth_device.reset_lock; hearth_vm.lock;
 * hearth_device.bos.imports_lock; dma_resv of a buffer; hearth_device.bos.lock, hearth_vram.lock,
 * hearth_p2p.lock or hearth_admin.lock; hearth_reset.lock; hearth_device.queues.lock;
 * hearth_vector.lock (interrupts off). mmap_lock is taken by page faults before any of them but
 * hearth_device.reset_lock, hearth_vm.lock and hearth_admin.lock, which page faults never take;
 * inside it, and inside of all others that sleep, is hearth_device.fault_lock. Fences are never
 * signalled inside of hearth_vector.lock, and their timers need no lock but that one.
 */
#ifndef HEARTH_DEVICE_H
#define HEARTH_DEVICE_H

#include <linux/idr.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/rwsem.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include <drm/drm_device.h>
#include <drm/drm_file.h>
#include <drm/drm_print.h>

#include <hearth/hbi.h>

#include "compat.h"

struct hearth_account;
struct hearth_admin;
struct hearth_coredump;
struct hearth_irq;
struct hearth_p2p;
struct hearth_reset;
struct hearth_vram;

/**
 * enum hearth_state - what the driver may ask of the board
 * @HEARTH_STARTING: probe is bringing it up
 * @HEARTH_LIVE: it serves
 * @HEARTH_RESETTING: it is cut off from host memory and is being brought up again
 * @HEARTH_SUSPENDED: it sleeps, alone while nobody uses it, or with the system; then it is reset
 *	when that wakes
 * @HEARTH_FAILED: it broke its contract (a late answer, a fatal event) too often, or a reset did
 *	not help, and was stopped
 * @HEARTH_GONE: the driver has let go of it, or it answers all ones
 *
 * The values are those of enum drm_hearth_state. hearth_device_change() has the table of what may
 * follow on what.
 */
enum hearth_state {
	HEARTH_STARTING,
	HEARTH_LIVE,
	HEARTH_RESETTING,
	HEARTH_SUSPENDED,
	HEARTH_FAILED,
	HEARTH_GONE,
};

/** struct hearth_device - one board */
struct hearth_device {
	/** @drm: the DRM device; outlives the board while files are open */
	struct drm_device drm;
	/** @pdev: the PCI function */
	struct pci_dev *pdev;
	/** @state: enum hearth_state; changed by hearth_device_change() alone, read atomically */
	atomic_t state;
	/** @state_wait: woken by each change of @state */
	wait_queue_head_t state_wait;
	/**
	 * @epoch: from 1, one more whenever the board forgets its contexts
	 *
	 * A hearth_vm of an older one is dead. Changed under hearth_reset.lock, read atomically.
	 */
	u32 epoch;
	/**
	 * @reset_lock: read-held by all that speak with the board in process context, write-held
	 * by its reset
	 *
	 * Taken by hearth_device_enter() and hearth_device_lock(). Waits for work never hold it.
	 */
	struct rw_semaphore reset_lock;
	/**
	 * @fault_lock: read-held by page faults from their look at @state and @epoch until they
	 * have mapped the doorbell or board memory
	 *
	 * Who has changed those takes it for writing, and takes the mappings away afterwards.
	 */
	struct rw_semaphore fault_lock;
	/** @reset: see hearth_reset.c */
	struct hearth_reset *reset;

	/** @regs: the register block, set by hearth_mmio_init() */
	struct {
		/** @regs.base: mapped, HBI_REG_BLOCK_SIZE bytes */
		void __iomem *base;
		/** @regs.doorbells: CPU-physical address of queue 0's doorbell page */
		phys_addr_t doorbells;
	} regs;

	/** @aperture: the window onto board memory, set by hearth_mmio_init() */
	struct {
		/** @aperture.io: mapped write-combined */
		void __iomem *io;
		/** @aperture.phys: CPU-physical address */
		phys_addr_t phys;
		/** @aperture.base: board-physical address of its first byte */
		u64 base;
		/** @aperture.size: bytes, as the registers say and the BAR allows */
		u64 size;
	} aperture;

	/** @info: constant registers, read once by hearth_mmio_init() and checked */
	struct {
		/** @info.version: of the board interface */
		u32 version;
		/** @info.board_id: the maker's */
		u32 board_id;
		/** @info.board_revision: the maker's */
		u32 board_revision;
		/** @info.uuid: the board's */
		u8 uuid[16];
		/** @info.caps: HBI_CAP_* */
		u64 caps;
		/** @info.dram_base: first board-physical address of its memory */
		u64 dram_base;
		/** @info.dram_size: bytes of its memory */
		u64 dram_size;
		/** @info.host_window: board-physical address of bus address 0 */
		u64 host_window;
		/** @info.timestamp_hz: ticks a second */
		u64 timestamp_hz;
		/** @info.generation: resets of the board before it was bound */
		u32 generation;
		/** @info.queues: hardware queues */
		u32 queues;
		/** @info.contexts: hardware contexts */
		u32 contexts;
		/** @info.doorbell_log2: log2 of the bytes from one doorbell page to the next */
		u32 doorbell_log2;
		/** @info.host_bits: of a bus address */
		u32 host_bits;
		/** @info.ring_log2: log2 of the most packets of a ring */
		u32 ring_log2;
		/** @info.workers: compute harts */
		u32 workers;
		/** @info.vlen_bits: of their vector registers */
		u32 vlen_bits;
		/** @info.boot_ms: longest reset or boot */
		u32 boot_ms;
		/** @info.admin_ms: longest admin command */
		u32 admin_ms;
	} info;
	/** @identity: the board's answer to IDENTIFY, texts made printable */
	struct hbi_identity identity;

	/** @firmware_own: the image that runs is the one for this board alone; set by each boot */
	bool firmware_own;
	/** @faults: of contexts, since the board was bound */
	atomic_t faults;

	/** @coredump: what is kept of a failure */
	struct hearth_coredump *coredump;
	/**
	 * @power_limit_mw: that was asked for, and outlives resets; 0: the board's own. Read and
	 * written at any time
	 */
	u32 power_limit_mw;
	/** @sensors: HBI_TELEMETRY_* that the board has; set by hearth_hwmon_init() */
	u32 sensors;

	/** @vram: the allocator of board memory */
	struct hearth_vram *vram;
	/** @p2p: board memory of peers; NULL where the kernel has no such thing */
	struct hearth_p2p *p2p;
	/** @irq: the vectors */
	struct hearth_irq *irq;
	/** @admin: the admin queue and the event ring */
	struct hearth_admin *admin;

	/** @bos: host buffers, for taking their DMA mappings down with the board */
	struct {
		/**
		 * @bos.lock: protects @bos.list and the dma_mapped of every hearth_bo and
		 * hearth_queue
		 */
		struct mutex lock;
		/** @bos.list: of hearth_bo.node, of pages and user pointers */
		struct list_head list;
		/**
		 * @bos.imports_lock: protects @bos.imports and the sgt of each; outside of the
		 * dma_resv of an import, which is its exporter's
		 */
		struct mutex imports_lock;
		/** @bos.imports: of hearth_bo.node, of imports */
		struct list_head imports;
	} bos;

	/** @contexts: ids in use, 1 to info.contexts */
	struct ida contexts;

	/** @queues: hardware queue numbers in use */
	struct {
		/**
		 * @queues.lock: protects @queues.table; taken in the interrupt thread, and held
		 * only to look up or change an entry
		 */
		spinlock_t lock;
		/** @queues.table: by hardware number; an entry holds no reference */
		struct hearth_queue *table[HBI_MAX_QUEUES];
	} queues;
};

/** struct hearth_file - one open of the device */
struct hearth_file {
	/** @hdev: the board */
	struct hearth_device *hdev;
	/** @vms: struct hearth_vm by id; each entry holds a reference */
	struct xarray vms;
	/** @queues: struct hearth_queue by id; each entry holds a reference */
	struct xarray queues;
	/** @board_account: the opener's, for board memory; holds a reference */
	struct hearth_account *board_account;
	/** @host_account: the opener's, for host memory; holds a reference */
	struct hearth_account *host_account;
	/** @busy_retired_ns: worker time of address spaces that it has no more */
	atomic64_t busy_retired_ns;
	/** @busy_shown_ns: most worker time that was told of it */
	atomic64_t busy_shown_ns;
};

/** HEARTH_MAX_VMS - address spaces of one open file */
#define HEARTH_MAX_VMS	       64
/** HEARTH_MAX_FILE_QUEUES - queues of one open file */
#define HEARTH_MAX_FILE_QUEUES 128

#define to_hearth_device(d)    container_of(d, struct hearth_device, drm)

static inline enum hearth_state hearth_device_state(struct hearth_device *hdev)
{
	return atomic_read(&hdev->state);
}

/* Whether the board is away for a while, so that what is asked of it can wait. */
static inline bool hearth_device_away(struct hearth_device *hdev)
{
	enum hearth_state state = hearth_device_state(hdev);

	return state == HEARTH_RESETTING || state == HEARTH_SUSPENDED;
}

static inline u32 hearth_device_epoch(struct hearth_device *hdev)
{
	/* Acquire: the admin queue was closed before the epoch changed, and is looked at after. */
	return smp_load_acquire(&hdev->epoch);
}

int hearth_device_init(struct hearth_device *hdev);
int hearth_device_boot(struct hearth_device *hdev);
void hearth_device_unplug(struct hearth_device *hdev);
bool hearth_device_change(struct hearth_device *hdev, enum hearth_state state);
const char *hearth_device_state_name(struct hearth_device *hdev);
int hearth_device_error(struct hearth_device *hdev);
int hearth_device_enter(struct hearth_device *hdev, int *idx);
int hearth_device_peek(struct hearth_device *hdev, int *idx);
bool hearth_device_lock(struct hearth_device *hdev, int *idx);
void hearth_device_exit(struct hearth_device *hdev, int idx);

#endif /* HEARTH_DEVICE_H */
