/* SPDX-License-Identifier: MIT */
/*
 * All that the firmware asks of a board, as one table of operations. The generic code knows no
 * device address and no interrupt controller. Only hart 0 calls these, but for the two that say
 * otherwise.
 */
#ifndef FW_PLATFORM_H
#define FW_PLATFORM_H

#include <hearth/hbi.h>

#define FW_NO_QUEUE 0xffffffffu

/* Fixed properties, filled in by fw_platform.init(). Sizes in bytes, addresses board-physical. */
struct fw_board {
	hbi_u64 aperture_base;
	hbi_u64 aperture_bytes;
	hbi_u64 host_window;
	hbi_u64 host_bytes;
	hbi_u32 workers;
	hbi_u32 queues;
	hbi_u32 contexts;
	hbi_u32 vectors;
	hbi_u32 ring_log2;
	hbi_u64 timestamp_hz;
	/* Taken up when no worker and when all work; 0 and 0: the board has no power limit. */
	hbi_u32 idle_mw;
	hbi_u32 busy_mw;
	struct hbi_identity identity;
	struct hbi_firmware_info firmware; /* from the boot ROM */
	void *log_memory;		   /* that keeps what it holds over a reset, or NULL */
	hbi_u64 log_bytes;
	enum hbi_boot_error
		ended_by; /* why the boot before ended; HBI_BOOT_OK: a reset, or none was */
};

/* The host's rings, as of ENABLE. Sizes are log2 of entries. */
struct fw_rings {
	hbi_u64 admin_sq;
	hbi_u64 admin_cq;
	hbi_u64 event_ring;
	hbi_u32 admin_sq_log2;
	hbi_u32 admin_cq_log2;
	hbi_u32 event_log2;
};

enum fw_platform_state { FW_PLATFORM_READY, FW_PLATFORM_RUNNING };

enum fw_dma_op { FW_DMA_MOVE, FW_DMA_FILL, FW_DMA_WRITE, FW_DMA_RECORD, FW_DMA_STATUS };

/* One order to the DMA engine; see fw_dma.c for how each field is used. */
struct fw_dma_order {
	enum fw_dma_op op;
	hbi_u32 queue;
	hbi_u64 source;
	hbi_u64 destination;
	hbi_u64 size;
	hbi_u64 value;
	const void *payload;
};

struct fw_platform {
	/* First call, hart 0, before other harts run. Returns false if this is not the board. */
	bool (*init)(struct fw_board *board);
	/* On every hart, once. */
	void (*init_hart)(hbi_u32 hart);
	/* Sets or clears the software interrupt of a hart; any hart. */
	void (*ipi)(hbi_u32 hart, bool set);
	/* Raises the timer interrupt of hart 0 at @time (ticks), never for all ones. */
	void (*timer)(hbi_u64 time);
	/* Takes in what the host signalled; after it the next three are up to date. */
	void (*poll)(void);
	/* True once the host has enabled the rings. */
	bool (*rings)(struct fw_rings *rings);
	hbi_u32 (*admin_tail)(void);
	hbi_u32 (*event_head)(void);
	hbi_u64 (*doorbell)(hbi_u32 queue);
	void (*set_state)(enum fw_platform_state state);
	/*
	 * The DMA engine carries out in order what the next three post. It has @dma_slots slots;
	 * each call takes one. dma_done() counts those finished. dma_result() is valid for the last
	 * @dma_slots of them and says whether one worked. Only fw_dma.c calls these.
	 */
	hbi_u32 dma_slots;
	void (*dma_post)(const struct fw_dma_order *order);
	void (*interrupt)(hbi_u32 vector);
	/* Forgets a queue's doorbell and arming; its armed interrupts raise @vector from now on. */
	void (*queue_reset)(hbi_u32 queue, hbi_u32 vector);
	hbi_u32 (*dma_done)(void);
	bool (*dma_result)(hbi_u32 slot);
	/* Starts what was posted. */
	void (*dma_flush)(void);
	/* Flushes, then sleeps until all that was posted is done. */
	void (*dma_wait)(void);
	/*
	 * Fills in the fields of the board's sensors and their bits of @valid; @ticks and the busy
	 * times are there already. NULL: the board has none.
	 */
	void (*sensors)(struct hbi_telemetry *telemetry);
	/* Reports a fatal error to the host and never returns; any hart. */
	void (*fatal)(const char *text);
};

extern const struct fw_platform fw_platform;
extern struct fw_board fw_board;

#endif /* FW_PLATFORM_H */
