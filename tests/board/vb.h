/* SPDX-License-Identifier: MIT */
/*
 * What the files of the virtual board share. It is one thread with one poll loop, so there are no
 * locks; the only concurrency is with the SoC, through struct vb_link (link.h).
 */
#ifndef VB_H
#define VB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <hearth/hbi.h>
#include "../../firmware/platform/virtual/link.h"

#define VB_BAR0_BYTES	 0x80000u
#define VB_BAR4_BYTES	 0x4000u
#define VB_DOORBELLS	 0x10000u /* in BAR0 */
#define VB_DOORBELL_LOG2 12
#define VB_MSIX_PBA	 0x2000u /* in BAR4, whose table is at 0 */
#define VB_CONFIG_BYTES	 4096u
/* Vendor-specific capability with what the PC did to BAR0; see struct vb_counters. */
#define VB_COUNTERS	 0x140u
#define VB_COUNTERS_ID	 1
/* Likewise, of a board that strays; see struct vb_stray. */
#define VB_STRAY	 0x1d0u
#define VB_STRAY_ID	 2
#define VB_RESET_TIMEOUT 200   /* of 100 ms: reset and boot */
#define VB_ADMIN_TIMEOUT 100   /* of 100 ms */
#define VB_WATCHDOG_MS	 30000 /* long: an emulated SoC may have to wait for a busy host */

enum vb_misbehaviour {
	VB_BEHAVES,
	VB_HANGS,	     /* the SoC stops */
	VB_GARBAGE,	     /* registers read as noise */
	VB_ALL_ONES,	     /* registers read as all ones */
	VB_VANISHES,	     /* the process ends */
	VB_WRONG_COMPLETION, /* admin completions carry the id of another command */
	VB_NO_COMPLETION,    /* admin completions are not written */
	VB_LOSES_INTERRUPTS, /* vectors are not raised */
	VB_DMA_ERRORS,	     /* every copy to or from the host is refused */
	VB_CORRUPTS,	     /* the first byte of copies for queues is wrong */
	VB_SLOW,	     /* every order of the DMA engine takes 50 ms */
	VB_STUCK_STATUS,     /* status blocks of queues are not written */
	VB_STUCK_GENERATION, /* a reset does not show */
	VB_STRAYS,	     /* copies of pages go to where configuration space says */
};

struct vb_options {
	const char *socket;
	const char *qemu;
	uint64_t dram; /* bytes of the aperture */
	unsigned int workers;
	unsigned int vlen;
	bool verbose;
	enum vb_misbehaviour misbehaviour;
	uint64_t misbehave_after; /* doorbells */
	bool misbehave_once;	  /* a reset after that ends it */
	unsigned int watchdog_ms;
	/* Fuses: raw public keys of the owner, and the rollback counter. */
	unsigned int key_count;
	uint8_t keys[VB_KEYS][32];
	uint32_t rollback;
};

extern struct vb_options vb_options;

/* ---- vb_main.c ---- */

/* Ends the poll loop. */
void vb_quit(int status);
void __attribute__((format(printf, 1, 2))) vb_log(const char *format, ...);
/* True once the misbehaviour that was asked for has begun. */
bool vb_misbehaves(enum vb_misbehaviour how);
void vb_count_doorbell(void);
void vb_misbehaviour_reset(void);

/* ---- vb_vfio.c: the protocol ---- */

/* Serves one message of the client. False when the client is gone or talks nonsense. */
bool vb_vfio_serve(int client);
void vb_interrupt(unsigned int vector);
/*
 * Tells the client of an access to a bus address that it has not mapped: its IOMMU notes it.
 * @data: what would have been written (at most 8 bytes), NULL for a read.
 */
void vb_vfio_report_dma(uint64_t bus, const void *data, uint64_t size);
/* Memory that only the client can reach, such as a peer's. False if it could not, either. */
bool vb_vfio_dma(uint64_t bus, void *data, uint32_t size, bool write);

/* ---- vb_config.c: PCI configuration space ---- */

void vb_config_init(void);
void vb_config_reset(void);
void vb_config_read(uint32_t offset, void *data, uint32_t size);
void vb_config_write(uint32_t offset, const void *data, uint32_t size);

/* Of a board that strays, in configuration space; a reset clears both. */
struct vb_stray {
	uint64_t copied;  /* bus address of the page that a queue copied last, as it was told */
	uint64_t instead; /* written by the PC: 0, or a page's address | 1, which is used for it */
};

extern struct vb_stray vb_stray;

/* ---- vb_regs.c: BAR0 ---- */

/* Accesses of the PC since the start, free-running; read in configuration space. */
struct vb_counters {
	uint32_t loads;	    /* of registers and doorbell pages */
	uint32_t stores;    /* to registers */
	uint32_t doorbells; /* stores to doorbell pages */
};

extern struct vb_counters vb_counters;

void vb_regs_init(void);
void vb_regs_read(uint32_t offset, void *data, uint32_t size);
void vb_regs_write(uint32_t offset, const void *data, uint32_t size);
/* Reset of the whole board: by register, function-level reset, or the client's reset. */
void vb_regs_reset(void);
/* The SoC has changed its state, or has ended. */
void vb_regs_soc_state(void);
void vb_regs_boot_timeout(void);
void vb_regs_watchdog(void);
void vb_regs_fail(enum hbi_boot_error error);
/* Queue status written by the DMA engine: what an armed queue waits for. */
void vb_regs_queue_status(uint32_t queue, const struct hbi_queue_status *status);
void vb_regs_queue_reset(uint32_t queue, uint32_t vector);

/* ---- vb_soc.c: board memory and the SoC that runs in it ---- */

extern uint8_t *vb_dram;
extern int vb_dram_fd;
extern struct vb_link *vb_link;

uint64_t vb_dram_bytes(void);
int vb_soc_init(void);
void vb_soc_fini(void);
/* Starts the SoC at its boot ROM, which takes the image staged at @address. */
int vb_soc_start(uint64_t address, uint64_t size);
/* Why the firmware ended, for the next one to tell. */
void vb_soc_note_end(enum hbi_boot_error error);
/* Ends the SoC at once and waits for it. */
void vb_soc_kill(void);
void vb_soc_freeze(void);
/* The SoC's process has ended by itself. */
bool vb_soc_ended(void);
int vb_soc_fd(void);
/* Takes a kick of the SoC: new state, new DMA descriptors. */
void vb_soc_serve(void);
void vb_soc_kick(void);
/* (Re)starts or stops the boot timer. */
int vb_soc_timer_fd(void);
void vb_soc_timer(unsigned int milliseconds);
/* Fires when the watchdog has something to look at. */
int vb_soc_watchdog_fd(void);
/* True if the firmware has left a signal of the board unanswered for too long. */
bool vb_soc_watchdog_bites(void);

/* ---- vb_dma.c: host memory and the DMA engine ---- */

/* 0, or a positive errno for the reply. Takes over @fd (-1: not mappable). */
int vb_dma_map(uint64_t bus, uint64_t size, int fd, uint64_t offset, bool read, bool write);
int vb_dma_unmap(uint64_t bus, uint64_t size);
void vb_dma_unmap_all(void);
/* Carries out one descriptor. */
void vb_dma_execute(struct vb_descriptor *descriptor);

#endif /* VB_H */
