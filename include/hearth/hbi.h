/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR MIT */
/*
 * The Hearth Board Interface (HBI): registers, rings, packets and error codes that a host and an
 * accelerator board share. The normative text is Documentation/board-interface.rst; where the two
 * disagree, the text is right.
 *
 * Everything is little-endian and naturally aligned. Reserved fields are written as zero; a reader
 * of a known version checks that they are. This header is used by the kernel module, by user space
 * and by bare-metal firmware, so it depends on nothing but fixed-width types.
 */
#ifndef HEARTH_HBI_H
#define HEARTH_HBI_H

#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>
typedef __u8 hbi_u8;
typedef __u16 hbi_u16;
typedef __u32 hbi_u32;
typedef __u64 hbi_u64;
#else
#include <stddef.h>
#include <stdint.h>
typedef uint8_t hbi_u8;
typedef uint16_t hbi_u16;
typedef uint32_t hbi_u32;
typedef uint64_t hbi_u64;
#endif

#define HBI_VERSION_MAJOR	   1
#define HBI_VERSION_MINOR	   0

/* ---- Discovery: class code and designated vendor-specific extended capability (DVSEC) ---- */

#define HBI_PCI_CLASS		   0x120000 /* processing accelerator */
#define HBI_DVSEC_VENDOR	   0x1234   /* until a registered id takes its place */
#define HBI_DVSEC_ID		   0x4842
#define HBI_DVSEC_LENGTH	   0x20
#define HBI_DVSEC_VERSION	   0x0a /* u16: major << 8 | minor */
#define HBI_DVSEC_SIGNATURE	   0x0c /* u32: HBI_SIGNATURE */
/*
 * Each a u32: bits 2:0 name the BAR by its first BAR register (0 to 5; a 64-bit BAR is named by the
 * lower of its two), bits 31:3 are bits 31:3 of the offset in that BAR, whose bits 2:0 are 0.
 */
#define HBI_DVSEC_REGISTERS	   0x10
#define HBI_DVSEC_DOORBELLS	   0x14
#define HBI_DVSEC_APERTURE	   0x18
#define HBI_SIGNATURE		   0x48545248 /* "HRTH" */
#define HBI_DVSEC_BIR(v)	   ((v) & 7u)
#define HBI_DVSEC_OFFSET(v)	   ((v) & ~7u)

/* Ids of the virtual board. A driver binds by class and DVSEC, never by these. */
#define HBI_VIRTUAL_VENDOR	   0x1234
#define HBI_VIRTUAL_DEVICE	   0x4842

/* ---- Registers, offsets from the register block; 32-bit accesses, 64-bit ones low word first ---- */

#define HBI_REG_MAGIC		   0x000 /* RO u32: HBI_MAGIC */
#define HBI_REG_VERSION		   0x004 /* RO u32: major << 16 | minor */
#define HBI_REG_CAPS		   0x008 /* RO u64: HBI_CAP_* */
#define HBI_REG_BOARD_ID	   0x010 /* RO u32: the maker's */
#define HBI_REG_BOARD_REVISION	   0x014 /* RO u32 */
#define HBI_REG_UUID		   0x018 /* RO 16 bytes, never the same on two boards */
#define HBI_REG_DRAM_BASE	   0x028 /* RO u64: first board-physical address of board memory */
#define HBI_REG_DRAM_SIZE	   0x030 /* RO u64: bytes */
#define HBI_REG_APERTURE_BASE	   0x038 /* RO u64: board-physical, of the aperture's first byte */
#define HBI_REG_APERTURE_SIZE	   0x040 /* RO u64: bytes; the rest of board memory is the firmware's */
#define HBI_REG_HOST_WINDOW	   0x048 /* RO u64: board-physical address of host bus address 0 */
#define HBI_REG_LIMITS		   0x050 /* RO u64: HBI_LIMIT_* */
#define HBI_REG_CORES		   0x058 /* RO u32: bits 15:0 worker harts, 31:16 VLEN in bits */
#define HBI_REG_TIMEOUTS	   0x05c /* RO u32: 15:0 reset and boot, 31:16 admin; 100 ms units */
#define HBI_REG_TIMESTAMP_HZ	   0x060 /* RO u64: ticks a second of TIMESTAMP packets */
#define HBI_REG_SECURITY	   0x068 /* RO u32: HBI_SECURITY_*; see HBI_CAP_SIGNED_FIRMWARE */
#define HBI_REG_ROLLBACK	   0x06c /* RO u32: lowest rollback counter of an image that is taken */
#define HBI_REG_HEARTBEAT	   0x080 /* RO u64: grows while the board lives */
#define HBI_REG_GENERATION	   0x088 /* RO u32: grows with every reset of the board */
#define HBI_REG_CONTROL		   0x100 /* RW u32: HBI_CONTROL_* */
#define HBI_REG_STATUS		   0x104 /* RO u32: 7:0 enum hbi_state, 15:8 enum hbi_boot_error */
#define HBI_REG_FW_ADDRESS	   0x108 /* RW u64: board-physical address of the staged image */
#define HBI_REG_FW_SIZE		   0x110 /* RW u64: its bytes */
#define HBI_REG_ADMIN_SQ	   0x120 /* RW u64: bus address of the admin submission ring */
#define HBI_REG_ADMIN_CQ	   0x128 /* RW u64: bus address of the admin completion ring */
#define HBI_REG_EVENT_RING	   0x130 /* RW u64: bus address of the event ring */
#define HBI_REG_RING_SIZES	   0x138 /* RW u32: log2 entries; 7:0 SQ, 15:8 CQ, 23:16 events */
#define HBI_REG_ADMIN_TAIL	   0x140 /* WO u32: free-running count of admin commands written */
#define HBI_REG_EVENT_HEAD	   0x144 /* WO u32: free-running count of events taken by the host */
#define HBI_REG_ARM		   0x1000 /* WO u64 for each queue: see HBI_REG_QUEUE_ARM */
#define HBI_REG_BLOCK_SIZE	   0x2000

/*
 * Asks for one interrupt of queue @q as soon as its completed count is >= the value written; at once
 * if it already is, or if the queue is or gets into HBI_QUEUE_ERROR. One interrupt for each write;
 * a later write replaces an earlier one.
 */
#define HBI_REG_QUEUE_ARM(q)	   (HBI_REG_ARM + 8u * (q))
#define HBI_MAX_QUEUES		   512

/* MSI-X vector raised after each batch of admin completions and of events. Queues may use it too. */
#define HBI_VECTOR_ADMIN	   0

#define HBI_MAGIC		   0x31494248 /* "HBI1" */

#define HBI_CAP_COMPUTE		   (1ull << 0) /* DISPATCH packets */
#define HBI_CAP_RVV		   (1ull << 1) /* compute cores have the RISC-V vector extension 1.0 */
#define HBI_CAP_HOST_ACCESS	   (1ull << 2) /* compute cores may load and store host memory directly */
#define HBI_CAP_PRIORITY	   (1ull << 3) /* hbi_admin_create_queue.priority has an effect */
#define HBI_CAP_TIMEOUT		   (1ull << 4) /* the board itself ends a dispatch that runs too long */
#define HBI_CAP_TELEMETRY	   (1ull << 5)	/* HBI_ADMIN_TELEMETRY */
#define HBI_CAP_POWER_LIMIT	   (1ull << 6)	/* HBI_ADMIN_POWER_LIMIT */
#define HBI_CAP_LOG		   (1ull << 7)	/* HBI_ADMIN_LOG_READ */
#define HBI_CAP_SIGNED_FIRMWARE	   (1ull << 8)	/* owner keys, HBI_REG_SECURITY, HBI_REG_ROLLBACK */
#define HBI_CAP_WATCHDOG	   (1ull << 9)	/* firmware that no longer serves ends in FAILED */
#define HBI_CAP_PREEMPT		   (1ull << 12) /* a dispatch gives way between work-groups */
#define HBI_CAP_MASK		   (((1ull << 10) - 1) | 1ull << 12)

#define HBI_LIMIT_QUEUES(v)	   ((hbi_u32)((v) & 0xffff))
#define HBI_LIMIT_CONTEXTS(v)	   ((hbi_u32)(((v) >> 16) & 0xffff))
#define HBI_LIMIT_DOORBELL_LOG2(v) ((hbi_u32)(((v) >> 32) & 0xff)) /* bytes from page to page */
#define HBI_LIMIT_HOST_ADDRESS(v)  ((hbi_u32)(((v) >> 40) & 0xff)) /* bits of a bus address */
#define HBI_LIMIT_RING_LOG2(v)	   ((hbi_u32)(((v) >> 48) & 0xff)) /* most packets of a ring */

#define HBI_CONTROL_RESET	   (1u << 0) /* reset the board; reads 0 when done */
#define HBI_CONTROL_BOOT	   (1u << 1) /* start the staged image; only in IDLE and RESCUE */
#define HBI_CONTROL_ENABLE	   (1u << 2) /* take the rings and serve; only in READY */

#define HBI_SECURITY_LOCKED	   (1u << 0) /* only images that an owner of the board signed */
#define HBI_SECURITY_KEYS(v)	   ((hbi_u32)(((v) >> 8) & 0xff)) /* owner keys in the board */

/* Never 0xff, so that all ones (a board that is gone) is never a state. */
enum hbi_state {
	HBI_STATE_RESET = 0,   /* reset in progress */
	HBI_STATE_IDLE = 1,    /* waits for an image */
	HBI_STATE_BOOTING = 2, /* checks and starts the image */
	HBI_STATE_READY = 3,   /* firmware runs, no rings yet */
	HBI_STATE_RUNNING = 4, /* admin queue is served */
	HBI_STATE_FAILED = 5,  /* see the boot error; only RESET is obeyed */
	HBI_STATE_RESCUE = 6,  /* image refused, see the boot error; waits for another */
};

enum hbi_boot_error {
	HBI_BOOT_OK = 0,
	HBI_BOOT_BAD_ADDRESS = 1, /* image not inside the aperture or too large */
	HBI_BOOT_BAD_HEADER = 2,  /* magic, sizes or load address */
	HBI_BOOT_BAD_CHECKSUM = 3,
	HBI_BOOT_BAD_VERSION = 4, /* image is for another major version of this interface */
	HBI_BOOT_BAD_RINGS = 5,	  /* ENABLE with ring addresses or sizes out of range */
	HBI_BOOT_FIRMWARE = 6,	  /* firmware stopped with a fatal error */
	HBI_BOOT_TIMEOUT = 7,	  /* firmware did not report in time */
	HBI_BOOT_UNSIGNED = 8,	  /* the board is locked and the image is not signed */
	HBI_BOOT_UNKNOWN_KEY = 9, /* signed, but with none of the owner's keys */
	HBI_BOOT_BAD_SIGNATURE = 10,
	HBI_BOOT_ROLLBACK = 11,	   /* rollback counter of the image is lower than the board's */
	HBI_BOOT_WRONG_BOARD = 12, /* image is for boards of another id */
	HBI_BOOT_WATCHDOG = 13,	   /* firmware no longer served; see HBI_CAP_WATCHDOG */
};

/* ---- Firmware image ---- */

#define HBI_FW_MAGIC	   0x57464248 /* "HBFW" */
#define HBI_FW_HEADER_SIZE 256
#define HBI_FW_SIGNED	   (1u << 0) /* @key_id and @signature are there */

/*
 * @image_bytes: bytes that follow the header.
 * @crc32: of those bytes (IEEE 802.3 polynomial, reflected, initial value and final xor all ones).
 * @load_address: board-physical address that the bytes are copied to; also the entry point.
 * @memory_bytes: of board memory from @load_address on that the firmware uses, image included.
 * @version: text, zero-terminated.
 * @rollback: grows with every release that mends something that must not come back.
 * @flags: HBI_FW_SIGNED.
 * @board_id: HBI_REG_BOARD_ID of the boards that it is for; 0: any.
 * @key_id: the first 16 bytes of the SHA-512 of the 32-byte public key.
 * @signature: Ed25519 (RFC 8032) of the header up to here followed by the image bytes.
 */
struct hbi_fw_header {
	hbi_u32 magic;
	hbi_u32 header_bytes;
	hbi_u32 hbi_version; /* major << 16 | minor */
	hbi_u32 crc32;
	hbi_u64 image_bytes;
	hbi_u64 load_address;
	hbi_u64 memory_bytes;
	hbi_u8 version[32];
	hbi_u32 rollback;
	hbi_u32 flags;
	hbi_u32 board_id;
	hbi_u32 reserved0;
	hbi_u8 key_id[16];
	hbi_u8 reserved[88];
	hbi_u8 signature[64];
};
#define HBI_FW_SIGNED_HEADER_BYTES 192

/* ---- Doorbells and queue status ---- */

/*
 * A queue's doorbell page is HBI_DVSEC_DOORBELLS + (queue << HBI_LIMIT_DOORBELL_LOG2). Its first
 * eight bytes, written in one 64-bit store (or low word, then high word), are the queue's tail: the
 * free-running count of packets written to the ring. All else in the page is reserved.
 */
#define HBI_DOORBELL_TAIL	   0x0

/*
 * Written by the board into host memory that only the kernel may choose and that the process may
 * only read. @completed is written last of an update.
 * @completed: packets of the ring whose effects are visible to the host.
 * @fetched: packets whose ring slots may be written again.
 * @fault_address, @fault_packet: of the first error: context address (or 0), and the packet's
 *	free-running number in the ring (its slot is that modulo the ring's packets).
 */
struct hbi_queue_status {
	hbi_u64 completed;
	hbi_u64 fetched;
	hbi_u32 state; /* enum hbi_queue_state */
	hbi_u32 error; /* enum hbi_error */
	hbi_u64 fault_address;
	hbi_u64 fault_packet;
	hbi_u64 reserved[3];
};

enum hbi_queue_state {
	HBI_QUEUE_NONE = 0,
	HBI_QUEUE_LIVE = 1,
	HBI_QUEUE_ERROR = 2, /* executes nothing more; destroy it */
};

/* Errors of queues, events and admin completions. */
enum hbi_error {
	HBI_OK = 0,
	HBI_ERROR_OPCODE = 1,	   /* unknown packet type or admin command */
	HBI_ERROR_FIELD = 2,	   /* a field out of range, or reserved and not zero */
	HBI_ERROR_RING = 3,	   /* tail went back or more than a ring ahead */
	HBI_ERROR_NESTING = 4,	   /* INDIRECT within INDIRECT */
	HBI_ERROR_LOAD = 5,	   /* load, or read by the DMA engine, not allowed or not mapped */
	HBI_ERROR_STORE = 6,	   /* store, or write by the DMA engine, likewise */
	HBI_ERROR_FETCH = 7,	   /* instruction fetch likewise */
	HBI_ERROR_INSTRUCTION = 8, /* illegal instruction, breakpoint or environment call */
	HBI_ERROR_MISALIGNED = 9,
	HBI_ERROR_TIMEOUT = 10,	 /* a dispatch ran longer than its queue allows */
	HBI_ERROR_HOST_DMA = 11, /* the host refused a bus address */
	HBI_ERROR_CANCELED = 12, /* another queue of the context failed, or it was destroyed */
	HBI_ERROR_EXISTS = 13,	 /* id in use */
	HBI_ERROR_NO_ENTRY = 14, /* no such id */
	HBI_ERROR_BUSY = 15,	 /* context still has queues */
	HBI_ERROR_NO_RESOURCES = 16,
	HBI_ERROR_INTERNAL = 17,
};

/* ---- Admin queue: 64-byte commands, 32-byte completions, both in host memory ---- */

enum hbi_admin_opcode {
	HBI_ADMIN_NOP = 0,
	HBI_ADMIN_IDENTIFY = 1,
	HBI_ADMIN_CREATE_CONTEXT = 2,
	HBI_ADMIN_DESTROY_CONTEXT = 3,
	HBI_ADMIN_INVALIDATE_TLB = 4,
	HBI_ADMIN_CREATE_QUEUE = 5,
	HBI_ADMIN_DESTROY_QUEUE = 6,
	HBI_ADMIN_TELEMETRY = 7,
	HBI_ADMIN_LOG_READ = 8,
	HBI_ADMIN_POWER_LIMIT = 9,
	HBI_ADMIN_FIRMWARE_INFO = 10,
};

/* @id comes back in the completion. */
struct hbi_admin_header {
	hbi_u16 opcode;
	hbi_u16 id;
	hbi_u32 reserved;
};

/* Writes a struct hbi_identity to @address (bus address, 8-byte aligned). */
struct hbi_admin_identify {
	struct hbi_admin_header header;
	hbi_u64 address;
	hbi_u64 reserved[6];
};

/*
 * @root: board-physical address of the context's Sv48 root table, 4 KiB aligned, in board memory.
 * @context: 1 to HBI_LIMIT_CONTEXTS; also the address-space id where the cores have them.
 */
struct hbi_admin_create_context {
	struct hbi_admin_header header;
	hbi_u32 context;
	hbi_u32 reserved0;
	hbi_u64 root;
	hbi_u64 reserved[5];
};

struct hbi_admin_destroy_context {
	struct hbi_admin_header header;
	hbi_u32 context;
	hbi_u32 reserved0;
	hbi_u64 reserved[6];
};

/*
 * On completion no core and no DMA of the board uses a translation of [address, address + size)
 * that was read from the tables before the command. Size 0: the whole context.
 */
struct hbi_admin_invalidate_tlb {
	struct hbi_admin_header header;
	hbi_u32 context;
	hbi_u32 reserved0;
	hbi_u64 address;
	hbi_u64 size;
	hbi_u64 reserved[4];
};

/*
 * @queue: doorbell page number, 0 to HBI_LIMIT_QUEUES - 1.
 * @ring: context address of the ring, 64-byte aligned; 2^@ring_log2 packets.
 * @status: bus address of the queue's struct hbi_queue_status, 64-byte aligned. The board writes
 *	all of it before this command completes.
 * @vector: MSI-X vector of armed interrupts.
 * @timeout_ms: longest run of one dispatch, 0 for no limit; see HBI_CAP_TIMEOUT.
 * @priority: 0 (lowest) to 3; see HBI_CAP_PRIORITY.
 */
struct hbi_admin_create_queue {
	struct hbi_admin_header header;
	hbi_u32 queue;
	hbi_u32 context;
	hbi_u64 ring;
	hbi_u64 status;
	hbi_u16 ring_log2;
	hbi_u16 vector;
	hbi_u32 timeout_ms;
	hbi_u32 priority;
	hbi_u32 reserved0;
	hbi_u64 reserved[2];
};

/* Ends what the queue runs, without waiting for it to finish by itself. */
struct hbi_admin_destroy_queue {
	struct hbi_admin_header header;
	hbi_u32 queue;
	hbi_u32 reserved0;
	hbi_u64 reserved[6];
};

/*
 * Writes a struct hbi_telemetry to @address (bus address, 8-byte aligned).
 * @context: whose share is told as well; 0: of none.
 */
struct hbi_admin_telemetry {
	struct hbi_admin_header header;
	hbi_u64 address;
	hbi_u32 context;
	hbi_u32 reserved0;
	hbi_u64 reserved[5];
};

/*
 * How the board is. Counters begin at 0 with each boot and never go back.
 * @valid: HBI_TELEMETRY_*: which of the sensors' fields mean something; the others are 0.
 * @ticks: when, as of TIMESTAMP packets.
 * @busy: ticks that workers spent in dispatches, summed over the workers.
 * @dispatches: begun.
 * @context_busy, @context_dispatches: likewise, of the context asked for, since it was created.
 * @energy_uj: microjoules taken up since the boot.
 * @power_mw: mean over a time of the board's choice, up to a second.
 * @temperature_mk: of the hottest place, in thousandths of a kelvin.
 * @clock_khz: of the workers.
 * @power_limit_mw: what @power_mw is kept under, @power_limit_min_mw to @power_limit_max_mw; with each
 *	reset it is @power_limit_default_mw.
 * @workers: entries of @worker_busy that mean something.
 * @worker_busy: ticks that worker hart i + 1 spent in dispatches.
 */
#define HBI_TELEMETRY_WORKERS 16
struct hbi_telemetry {
	hbi_u32 valid;
	hbi_u32 workers;
	hbi_u64 ticks;
	hbi_u64 busy;
	hbi_u64 dispatches;
	hbi_u64 context_busy;
	hbi_u64 context_dispatches;
	hbi_u64 energy_uj;
	hbi_u32 power_mw;
	hbi_u32 temperature_mk;
	hbi_u32 clock_khz;
	hbi_u32 power_limit_mw;
	hbi_u32 power_limit_min_mw;
	hbi_u32 power_limit_max_mw;
	hbi_u32 power_limit_default_mw;
	hbi_u32 reserved0;
	hbi_u64 reserved[5];
	hbi_u64 worker_busy[HBI_TELEMETRY_WORKERS];
};
#define HBI_TELEMETRY_ENERGY	  (1u << 0)
#define HBI_TELEMETRY_POWER	  (1u << 1)
#define HBI_TELEMETRY_TEMPERATURE (1u << 2)
#define HBI_TELEMETRY_CLOCK	  (1u << 3)
#define HBI_TELEMETRY_POWER_LIMIT (1u << 4)  /* with HBI_CAP_POWER_LIMIT */
#define HBI_TELEMETRY_MODEL	  (1u << 31) /* sensors are computed from busy times, not measured */

/* @limit_mw: 0 for the default; struct hbi_telemetry tells of the others that the board takes. */
struct hbi_admin_power_limit {
	struct hbi_admin_header header;
	hbi_u32 limit_mw;
	hbi_u32 reserved0;
	hbi_u64 reserved[6];
};

/*
 * Writes a struct hbi_log to @address (bus address, 8-byte aligned): entries from number @first on,
 * or from the oldest that the board has kept.
 */
struct hbi_admin_log_read {
	struct hbi_admin_header header;
	hbi_u64 address;
	hbi_u64 first;
	hbi_u64 reserved[5];
};

enum hbi_log_level {
	HBI_LOG_ERROR = 0, /* the board, or the firmware, can go no further */
	HBI_LOG_WARNING = 1,
	HBI_LOG_INFO = 2,
	HBI_LOG_DEBUG = 3,
};

/*
 * @number: free-running, over resets too where the board keeps its log.
 * @ticks: when, as of TIMESTAMP packets of that boot. @boot: as hbi_firmware_info.boots.
 * @level: enum hbi_log_level. @hart: that wrote it.
 * @text: zero-terminated.
 */
struct hbi_log_entry {
	hbi_u64 number;
	hbi_u64 ticks;
	hbi_u32 boot;
	hbi_u16 level;
	hbi_u16 hart;
	hbi_u8 text[104];
};

/*
 * @end: number that the next entry of the board will have. @next: @first of the command that goes on
 * where this one ended, @end if there is no more. @count: of @entries, by rising number.
 */
#define HBI_LOG_ENTRIES 31
struct hbi_log {
	hbi_u64 end;
	hbi_u64 next;
	hbi_u32 count;
	hbi_u32 reserved0;
	hbi_u64 reserved[13];
	struct hbi_log_entry entries[HBI_LOG_ENTRIES];
};

/* Writes a struct hbi_firmware_info to @address (bus address, 8-byte aligned). */
struct hbi_admin_firmware_info {
	struct hbi_admin_header header;
	hbi_u64 address;
	hbi_u64 reserved[6];
};

/*
 * What runs, as the boot ROM saw it.
 * @flags: HBI_FIRMWARE_*.
 * @rollback: of the running image. @minimum: the board's counter.
 * @watchdog_ms: see HBI_CAP_WATCHDOG; 0: none.
 * @key_id: that the image was verified with, or zeros.
 */
struct hbi_firmware_info {
	hbi_u8 version[32]; /* of the image's header */
	hbi_u32 flags;
	hbi_u32 rollback;
	hbi_u32 minimum;
	hbi_u32 watchdog_ms;
	hbi_u8 key_id[16];
	hbi_u64 image_bytes;
	hbi_u64 boots; /* since the board has power, this one included */
	hbi_u8 reserved[48];
};
#define HBI_FIRMWARE_VERIFIED (1u << 0) /* its signature was verified with an owner key */
#define HBI_FIRMWARE_LOCKED   (1u << 1) /* the board takes no other images than such */

struct hbi_identity {
	hbi_u8 board_name[64]; /* text, zero-terminated, as all here */
	hbi_u8 serial[32];
	hbi_u8 firmware_version[32];
	hbi_u8 isa[64]; /* RISC-V ISA string of the compute cores */
	hbi_u8 vendor[64];
};

/*
 * Entry i of the completion ring is new when @sequence is i + 1 for a free-running i (it is never
 * 0 for the first turn of the ring; the host clears the ring before ENABLE).
 */
struct hbi_admin_completion {
	hbi_u32 sequence;
	hbi_u16 id;
	hbi_u16 status; /* enum hbi_error */
	hbi_u64 result;
	hbi_u64 reserved[2];
};

/* ---- Events ---- */

enum hbi_event_type {
	HBI_EVENT_QUEUE_ERROR = 1, /* the queue's status block says the same */
	HBI_EVENT_FATAL = 2,	   /* the board needs a reset */
	HBI_EVENT_LOG = 3,	   /* @text */
};

/* @sequence as in the completion ring. An event that finds the ring full is lost and counted. */
struct hbi_event {
	hbi_u32 sequence;
	hbi_u16 type;
	hbi_u16 error; /* enum hbi_error */
	union {
		struct {
			hbi_u32 queue;
			hbi_u32 context;
			hbi_u64 address; /* context address that was refused */
			hbi_u64 pc;	 /* context address of the instruction, 0 if none */
			hbi_u64 packet;	 /* free-running number in the ring */
			hbi_u32 hart;
			hbi_u32 lost; /* events lost before this one */
			hbi_u64 reserved[2];
		} fault;
		hbi_u8 text[56]; /* zero-terminated */
	};
};

/* ---- Packets of user queues: 64 bytes, 64-byte aligned ---- */

enum hbi_packet_type {
	HBI_PACKET_NOP = 0,
	HBI_PACKET_DISPATCH = 1,
	HBI_PACKET_COPY = 2,
	HBI_PACKET_FILL = 3,
	HBI_PACKET_SIGNAL = 4,
	HBI_PACKET_WAIT = 5,
	HBI_PACKET_TIMESTAMP = 6,
	HBI_PACKET_BARRIER = 7,
	HBI_PACKET_INDIRECT = 8,
	HBI_PACKET_SYNC_CODE = 9,
};

/*
 * Packets of a queue start in order. SIGNAL, TIMESTAMP and BARRIER take effect after all earlier
 * packets of the queue have completed. DISPATCH, COPY and FILL between two of those may overlap.
 */
struct hbi_packet_header {
	hbi_u8 type;
	hbi_u8 flags;
	hbi_u16 reserved0;
	hbi_u32 reserved1;
};

/* Take the grid from the first 12 bytes of the argument block instead of @groups. */
#define HBI_DISPATCH_GRID_IN_ARGS 0x01

/*
 * Runs groups[0] * groups[1] * groups[2] work-groups (fewer than 2^63; none is allowed) of the kernel at @code.
 * @args: of the argument block (kernel_abi.h).
 * @scratch: worker hart w (0-based) uses [@scratch + w * @scratch_stride, + @scratch_stride): its
 *	scratch memory from the start up, its stack from the end down. Both multiples of 64.
 */
struct hbi_packet_dispatch {
	struct hbi_packet_header header;
	hbi_u32 groups[3];
	hbi_u32 scratch_stride;
	hbi_u64 code;
	hbi_u64 args;
	hbi_u64 scratch;
	hbi_u64 reserved[2];
};

/* Regions must not overlap. No alignment is asked for. */
struct hbi_packet_copy {
	struct hbi_packet_header header;
	hbi_u64 source;
	hbi_u64 destination;
	hbi_u64 size;
	hbi_u64 reserved[4];
};

/* @destination and @size: multiples of 4. */
struct hbi_packet_fill {
	struct hbi_packet_header header;
	hbi_u64 destination;
	hbi_u64 size;
	hbi_u32 value;
	hbi_u32 reserved0;
	hbi_u64 reserved[4];
};

/* SIGNAL: stores @value. WAIT: goes on when the 64 bits at @address are >= @value. 8-byte aligned. */
struct hbi_packet_signal {
	struct hbi_packet_header header;
	hbi_u64 address;
	hbi_u64 value;
	hbi_u64 reserved[5];
};

/* Stores the board's tick counter (HBI_REG_TIMESTAMP_HZ). */
struct hbi_packet_timestamp {
	struct hbi_packet_header header;
	hbi_u64 address;
	hbi_u64 reserved[6];
};

/* Executes @count packets at @address (64-byte aligned), then goes on with the ring. One level only. */
struct hbi_packet_indirect {
	struct hbi_packet_header header;
	hbi_u64 address;
	hbi_u64 count;
	hbi_u64 reserved[5];
};
#define HBI_INDIRECT_MAX_PACKETS (1u << 24)

/* Makes bytes written to [@address, @address + @size) visible to instruction fetch of all harts. */
struct hbi_packet_sync_code {
	struct hbi_packet_header header;
	hbi_u64 address;
	hbi_u64 size;
	hbi_u64 reserved[5];
};

union hbi_packet {
	struct hbi_packet_header header;
	struct hbi_packet_dispatch dispatch;
	struct hbi_packet_copy copy;
	struct hbi_packet_fill fill;
	struct hbi_packet_signal signal; /* and wait */
	struct hbi_packet_timestamp timestamp;
	struct hbi_packet_indirect indirect;
	struct hbi_packet_sync_code sync_code;
	hbi_u64 words[8];
};
#define HBI_PACKET_SIZE		    64

/* ---- Calls of a kernel on a core ---- */

/*
 * The firmware calls in user mode with a0 = args, a1 = first, a2 = count, a3 = scratch, sp = end of the
 * slice, ra = HBI_RETURN_ADDRESS, and nothing of another context in any register. The call ends when
 * the core fetches from HBI_RETURN_ADDRESS, whose page the kernel never maps.
 */
#define HBI_RETURN_ADDRESS	    0x00007ffffffff000ull

/* ---- Context page tables: RISC-V Sv48, only the lower half is used ---- */

#define HBI_VA_BITS		    47 /* user addresses are below 2^47 */
#define HBI_PTE_V		    (1ull << 0)
#define HBI_PTE_R		    (1ull << 1)
#define HBI_PTE_W		    (1ull << 2)
#define HBI_PTE_X		    (1ull << 3)
#define HBI_PTE_U		    (1ull << 4)
#define HBI_PTE_G		    (1ull << 5)
#define HBI_PTE_A		    (1ull << 6) /* always set in leaves: the board never writes tables */
#define HBI_PTE_D		    (1ull << 7) /* always set in writable leaves */
#define HBI_PTE_PPN_SHIFT	    10
#define HBI_PTE_PPN_MASK	    (((1ull << 44) - 1) << HBI_PTE_PPN_SHIFT)
#define HBI_PAGE_SHIFT		    12
#define HBI_PT_LEVELS		    4
#define HBI_PT_ENTRIES		    512

/* ---- Layout ---- */

#define HBI_CHECK_SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), "HBI: size of " #type)
#define HBI_CHECK_OFFSET(type, member, bytes) \
	_Static_assert(offsetof(type, member) == (bytes), "HBI: offset of " #type "." #member)

HBI_CHECK_SIZE(struct hbi_fw_header, HBI_FW_HEADER_SIZE);
HBI_CHECK_OFFSET(struct hbi_fw_header, image_bytes, 16);
HBI_CHECK_OFFSET(struct hbi_fw_header, load_address, 24);
HBI_CHECK_OFFSET(struct hbi_fw_header, memory_bytes, 32);
HBI_CHECK_OFFSET(struct hbi_fw_header, version, 40);
HBI_CHECK_OFFSET(struct hbi_fw_header, rollback, 72);
HBI_CHECK_OFFSET(struct hbi_fw_header, board_id, 80);
HBI_CHECK_OFFSET(struct hbi_fw_header, key_id, 88);
HBI_CHECK_OFFSET(struct hbi_fw_header, signature, HBI_FW_SIGNED_HEADER_BYTES);
HBI_CHECK_SIZE(struct hbi_queue_status, 64);
HBI_CHECK_OFFSET(struct hbi_queue_status, fetched, 8);
HBI_CHECK_OFFSET(struct hbi_queue_status, state, 16);
HBI_CHECK_OFFSET(struct hbi_queue_status, error, 20);
HBI_CHECK_OFFSET(struct hbi_queue_status, fault_address, 24);
HBI_CHECK_OFFSET(struct hbi_queue_status, fault_packet, 32);
HBI_CHECK_SIZE(struct hbi_admin_header, 8);
HBI_CHECK_SIZE(struct hbi_admin_identify, 64);
HBI_CHECK_SIZE(struct hbi_admin_create_context, 64);
HBI_CHECK_OFFSET(struct hbi_admin_create_context, root, 16);
HBI_CHECK_SIZE(struct hbi_admin_destroy_context, 64);
HBI_CHECK_SIZE(struct hbi_admin_invalidate_tlb, 64);
HBI_CHECK_OFFSET(struct hbi_admin_invalidate_tlb, address, 16);
HBI_CHECK_OFFSET(struct hbi_admin_invalidate_tlb, size, 24);
HBI_CHECK_SIZE(struct hbi_admin_create_queue, 64);
HBI_CHECK_OFFSET(struct hbi_admin_create_queue, ring, 16);
HBI_CHECK_OFFSET(struct hbi_admin_create_queue, status, 24);
HBI_CHECK_OFFSET(struct hbi_admin_create_queue, ring_log2, 32);
HBI_CHECK_OFFSET(struct hbi_admin_create_queue, vector, 34);
HBI_CHECK_OFFSET(struct hbi_admin_create_queue, timeout_ms, 36);
HBI_CHECK_OFFSET(struct hbi_admin_create_queue, priority, 40);
HBI_CHECK_SIZE(struct hbi_admin_destroy_queue, 64);
HBI_CHECK_SIZE(struct hbi_admin_telemetry, 64);
HBI_CHECK_OFFSET(struct hbi_admin_telemetry, context, 16);
HBI_CHECK_SIZE(struct hbi_telemetry, 256);
HBI_CHECK_OFFSET(struct hbi_telemetry, ticks, 8);
HBI_CHECK_OFFSET(struct hbi_telemetry, context_busy, 32);
HBI_CHECK_OFFSET(struct hbi_telemetry, energy_uj, 48);
HBI_CHECK_OFFSET(struct hbi_telemetry, power_mw, 56);
HBI_CHECK_OFFSET(struct hbi_telemetry, clock_khz, 64);
HBI_CHECK_OFFSET(struct hbi_telemetry, power_limit_mw, 68);
HBI_CHECK_OFFSET(struct hbi_telemetry, worker_busy, 128);
HBI_CHECK_SIZE(struct hbi_admin_power_limit, 64);
HBI_CHECK_SIZE(struct hbi_admin_log_read, 64);
HBI_CHECK_OFFSET(struct hbi_admin_log_read, first, 16);
HBI_CHECK_SIZE(struct hbi_log_entry, 128);
HBI_CHECK_OFFSET(struct hbi_log_entry, level, 20);
HBI_CHECK_OFFSET(struct hbi_log_entry, text, 24);
HBI_CHECK_SIZE(struct hbi_log, 4096);
HBI_CHECK_OFFSET(struct hbi_log, count, 16);
HBI_CHECK_OFFSET(struct hbi_log, entries, 128);
HBI_CHECK_SIZE(struct hbi_admin_firmware_info, 64);
HBI_CHECK_SIZE(struct hbi_firmware_info, 128);
HBI_CHECK_OFFSET(struct hbi_firmware_info, key_id, 48);
HBI_CHECK_OFFSET(struct hbi_firmware_info, boots, 72);
HBI_CHECK_SIZE(struct hbi_identity, 256);
HBI_CHECK_SIZE(struct hbi_admin_completion, 32);
HBI_CHECK_OFFSET(struct hbi_admin_completion, id, 4);
HBI_CHECK_OFFSET(struct hbi_admin_completion, status, 6);
HBI_CHECK_OFFSET(struct hbi_admin_completion, result, 8);
HBI_CHECK_SIZE(struct hbi_event, 64);
HBI_CHECK_OFFSET(struct hbi_event, type, 4);
HBI_CHECK_OFFSET(struct hbi_event, error, 6);
HBI_CHECK_OFFSET(struct hbi_event, fault.queue, 8);
HBI_CHECK_OFFSET(struct hbi_event, fault.address, 16);
HBI_CHECK_OFFSET(struct hbi_event, fault.pc, 24);
HBI_CHECK_OFFSET(struct hbi_event, fault.packet, 32);
HBI_CHECK_OFFSET(struct hbi_event, fault.hart, 40);
HBI_CHECK_OFFSET(struct hbi_event, fault.lost, 44);
HBI_CHECK_OFFSET(struct hbi_event, text, 8);
HBI_CHECK_SIZE(struct hbi_packet_header, 8);
HBI_CHECK_SIZE(struct hbi_packet_dispatch, 64);
HBI_CHECK_OFFSET(struct hbi_packet_dispatch, groups, 8);
HBI_CHECK_OFFSET(struct hbi_packet_dispatch, scratch_stride, 20);
HBI_CHECK_OFFSET(struct hbi_packet_dispatch, code, 24);
HBI_CHECK_OFFSET(struct hbi_packet_dispatch, args, 32);
HBI_CHECK_OFFSET(struct hbi_packet_dispatch, scratch, 40);
HBI_CHECK_SIZE(struct hbi_packet_copy, 64);
HBI_CHECK_OFFSET(struct hbi_packet_copy, destination, 16);
HBI_CHECK_OFFSET(struct hbi_packet_copy, size, 24);
HBI_CHECK_SIZE(struct hbi_packet_fill, 64);
HBI_CHECK_OFFSET(struct hbi_packet_fill, size, 16);
HBI_CHECK_OFFSET(struct hbi_packet_fill, value, 24);
HBI_CHECK_SIZE(struct hbi_packet_signal, 64);
HBI_CHECK_OFFSET(struct hbi_packet_signal, value, 16);
HBI_CHECK_SIZE(struct hbi_packet_timestamp, 64);
HBI_CHECK_SIZE(struct hbi_packet_indirect, 64);
HBI_CHECK_OFFSET(struct hbi_packet_indirect, count, 16);
HBI_CHECK_SIZE(struct hbi_packet_sync_code, 64);
HBI_CHECK_SIZE(union hbi_packet, HBI_PACKET_SIZE);

#endif /* HEARTH_HBI_H */
