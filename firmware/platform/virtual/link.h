/* SPDX-License-Identifier: MIT */
/*
 * What the virtual board (tests/board) and the firmware on its SoC share: a mailbox and a ring of
 * DMA descriptors in the part of board memory that the host cannot reach. This is the virtual
 * board's own affair and no part of the Hearth Board Interface; on a real board its place is taken
 * by the registers of the SoC's PCIe endpoint and of its DMA engine.
 *
 * Each side may be woken by one byte on the SoC's UART. A sender makes its change visible, then
 * exchanges the receiver's kick word with 1, and sends the byte only if it was 0. A receiver stores
 * 0 there, then looks at everything. So at most one byte is on the way, and no change is missed.
 */
#ifndef VB_LINK_H
#define VB_LINK_H

#include <hearth/hbi.h>

#define VB_DRAM_BASE	  0x80000000ull
#define VB_FIRMWARE_BYTES (16ull << 20) /* before the aperture */
#define VB_TAIL_BYTES	  (16ull << 20) /* after it: the emulator's device tree lies there */
#define VB_APERTURE_BASE  (VB_DRAM_BASE + VB_FIRMWARE_BYTES)
#define VB_ROM_ADDRESS	  0x20000000ull /* of the boot ROM: the emulator's first flash */
#define VB_ROM_BYTES	  (32ull << 20)
#define VB_ROM_OFFSET	  (14ull << 20) /* of the ROM's stack; firmware ends before it */
#define VB_LINK_OFFSET	  (15ull << 20) /* of struct vb_link in board memory */
#define VB_LOG_OFFSET	  (VB_LINK_OFFSET + (512ull << 10)) /* kept over resets */
#define VB_LOG_BYTES	  (32ull << 10)
#define VB_HOST_WINDOW	  (1ull << 55)
#define VB_HOST_BITS	  48

#define VB_QUEUES	  64
#define VB_CONTEXTS	  64
#define VB_VECTORS	  32
#define VB_MAX_WORKERS	  15
#define VB_RING_LOG2	  16
#define VB_TIMESTAMP_HZ	  10000000ull
#define VB_DESCRIPTORS	  256u

#define VB_LINK_MAGIC	  0x4b4c4256 /* "VBLK" */
#define VB_LINK_VERSION	  3
#define VB_KEYS		  2

/*
 * Descriptors are carried out in order. Addresses are board-physical; those in the host window are
 * DMA to the host.
 */
enum vb_op {
	VB_OP_MOVE = 1,	     /* @size bytes from @source to @destination */
	VB_OP_FILL = 2,	     /* @size bytes at @destination with the 32-bit @value */
	VB_OP_WRITE = 3,     /* 8 bytes of @value to @destination */
	VB_OP_RECORD = 4,    /* @size bytes of @payload to @destination, its first 8 bytes last */
	VB_OP_STATUS = 5,    /* likewise: status of @queue; then its armed interrupt */
	VB_OP_INTERRUPT = 6, /* vector @value */
	VB_OP_QUEUE = 7,     /* forget doorbell and arming of @queue, whose vector is now @value */
};

enum vb_result {
	VB_OK = 0,
	VB_REFUSED = 1, /* the host refused the address */
	VB_BAD = 2,	/* malformed descriptor */
};

#define VB_NO_QUEUE 0xffffffffu

/*
 * @queue: whose work it is. When a descriptor of a queue is refused, later VB_OP_STATUS of that
 *	queue that say HBI_QUEUE_LIVE are dropped: they count work that came to nothing.
 */
struct vb_descriptor {
	hbi_u32 op;
	hbi_u32 queue;
	hbi_u32 result; /* written by the board */
	hbi_u32 reserved0;
	hbi_u64 source;
	hbi_u64 destination;
	hbi_u64 size;
	hbi_u64 value;
	hbi_u64 reserved[2];
	hbi_u64 payload[8];
};

enum vb_soc_state {
	VB_SOC_STARTING = 0,
	VB_SOC_READY = 1,
	VB_SOC_RUNNING = 2,
	VB_SOC_FATAL = 3,
	VB_SOC_REFUSED = 4,  /* by the boot ROM: boot_error says why */
	VB_SOC_ACCEPTED = 5, /* by the boot ROM: image is valid, the firmware starts */
};

struct vb_link {
	/* Written by the board before the SoC starts. */
	hbi_u32 magic;
	hbi_u32 version;
	hbi_u64 dram_bytes;
	hbi_u64 aperture_base;
	hbi_u64 aperture_bytes;
	hbi_u32 workers;
	hbi_u32 watchdog_ms;
	hbi_u64 image_address; /* registers */
	hbi_u64 image_size;
	hbi_u64 boots;
	hbi_u32 board_id;
	hbi_u32 rollback; /* fuses */
	hbi_u32 key_count;
	hbi_u32 ended_by; /* enum hbi_boot_error of the boot before */
	hbi_u8 keys[VB_KEYS][32];
	struct hbi_identity identity; /* without the firmware's version */

	/* Written by the board. */
	hbi_u32 soc_kick __attribute__((aligned(64)));
	hbi_u32 enabled; /* the ring fields below are valid */
	hbi_u64 admin_sq;
	hbi_u64 admin_cq;
	hbi_u64 event_ring;
	hbi_u32 ring_sizes;
	hbi_u32 admin_tail;
	hbi_u32 event_head;
	hbi_u32 dma_done; /* descriptors carried out, free-running */
	hbi_u64 doorbell[VB_QUEUES];

	/* Written by the SoC. */
	hbi_u32 board_kick __attribute__((aligned(64)));
	hbi_u32 state;	     /* enum vb_soc_state */
	hbi_u32 dma_posted;  /* descriptors in the ring, free-running */
	hbi_u32 dma_waiting; /* the SoC wants a kick when the posted ones are done */
	hbi_u32 boot_error;  /* enum hbi_boot_error */
	hbi_u32 reserved1;
	hbi_u64 heartbeat;
	struct hbi_firmware_info image; /* written by the ROM */
	hbi_u8 fatal_text[128];

	struct vb_descriptor ring[VB_DESCRIPTORS] __attribute__((aligned(64)));
};

HBI_CHECK_SIZE(struct vb_descriptor, 128);

#endif /* VB_LINK_H */
