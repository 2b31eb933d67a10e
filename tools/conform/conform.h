/* SPDX-License-Identifier: MIT */
/*
 * What the files of hearth-conform share. A check is a function that returns if the board does what
 * the text says, and otherwise leaves by EXPECT, differ() or stop(). The runner brings the board to
 * the state that a check needs, and takes away afterwards what it made. One thread.
 */
#ifndef CONFORM_H
#define CONFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <hearth/hbi.h>

/* ---- The board as a PCI function: transports ---- */

struct board;

/* Accesses are of 1, 2, 4 or 8 bytes. Errors end the check. */
struct transport {
	const char *name;
	uint64_t (*config_read)(struct board *board, uint32_t offset, unsigned int size);
	void (*config_write)(struct board *board, uint32_t offset, uint64_t value,
			     unsigned int size);
	uint64_t (*bar_read)(struct board *board, unsigned int bar, uint64_t offset,
			     unsigned int size);
	void (*bar_write)(struct board *board, unsigned int bar, uint64_t offset, uint64_t value,
			  unsigned int size);
	/* The whole BAR in memory, or NULL; *@bytes is its size. */
	void *(*map_bar)(struct board *board, unsigned int bar, uint64_t *bytes);
	uint64_t (*bar_bytes)(struct board *board, unsigned int bar);
	/* Waits for @vector; false after @timeout_ms. */
	bool (*interrupt)(struct board *board, unsigned int vector, int timeout_ms);
	void (*function_reset)(struct board *board);
	/* Lets the transport work for so long. */
	void (*rest)(struct board *board, int ms);
	void (*close)(struct board *board);
};

#define MAX_VECTORS  8 /* that the checks use */
#define MAX_WORKERS  64
#define HOST_BYTES   (8ull << 20)
#define UNMAPPED_BUS 0x70000000ull /* nothing of ours lies there; all is below 2^32 */
#define CHECK_QUEUES 4

struct queue {
	struct context *context;
	uint32_t id;
	uint32_t log2;
	union hbi_packet *ring;
	volatile struct hbi_queue_status *status;
	uint64_t tail;
};

struct context {
	struct board *board;
	uint32_t id;	 /* 0: not made */
	uint64_t memory; /* aperture offset of its 2 MiB */
	uint64_t root;
	uint64_t next_table;
};

struct board {
	const struct transport *transport;
	void *private;
	uint8_t *host; /* HOST_BYTES of memory that the board reaches at host_bus */
	uint64_t host_bus;
	bool translated; /* the host refuses what was not mapped */
	unsigned int vectors;

	/* Filled in by board_discover(). */
	unsigned int register_bar, doorbell_bar, aperture_bar;
	uint64_t register_offset, doorbell_offset, aperture_offset;
	uint32_t flr; /* configuration offset of the PCI Express capability, or 0 */
	uint8_t *aperture;
	uint64_t aperture_base, aperture_bytes, dram_base, dram_bytes, host_window;
	uint64_t caps;
	uint32_t queues, contexts, doorbell_log2, host_bits, ring_log2, workers;
	uint32_t reset_ms, admin_ms;
	bool locked;

	uint8_t *image;
	size_t image_bytes;

	/* What is made. */
	bool running;
	uint32_t admin_tail, events;
	uint64_t contexts_made, queues_made; /* bits */
	struct context standard[3];	     /* by id; 0 is not used */
};

/* ---- Results (report.c) ---- */

enum need {
	NEED_NOTHING, /* whatever state */
	NEED_IDLE,    /* after a reset */
	NEED_RUNNING, /* admin queue and events are served */
};

struct check {
	const char *name;
	const char *cites; /* paragraphs and rows of board-interface.rst */
	const char *what;
	enum need need;
	uint64_t caps; /* without these it is left out */
	void (*run)(struct board *board);
};

/* For anything that must come and has no time of its own. */
extern int patience_ms;

extern const struct check checks_pci[], checks_boot[], checks_admin[], checks_queue[],
	checks_packet[], checks_compute[], checks_isolation[], checks_robust[];

void __attribute__((noreturn, format(printf, 1, 2))) stop(const char *format, ...);
/* The check does not apply to this board; why. */
void __attribute__((noreturn, format(printf, 1, 2))) leave_out(const char *format, ...);
void differ(uint64_t value, uint64_t expected, const char *text);

#define EXPECT(condition)                                 \
	do {                                              \
		if (!(condition))                         \
			stop("not true: %s", #condition); \
	} while (0)
#define EQUAL(value, expected) differ((uint64_t)(value), (uint64_t)(expected), #value)

/* ---- Transports ---- */

bool open_vfio_user(struct board *board, const char *path);
bool open_vfio_pci(struct board *board, const char *address);

/* ---- board.c: what a driver does ---- */

/* Reads what the board says of itself. False if the checks cannot use it at all. */
bool board_discover(struct board *board);
uint32_t find_capability(struct board *board, uint8_t id);
uint32_t find_dvsec(struct board *board);
uint64_t reg(struct board *board, uint32_t offset, unsigned int size);
void set_reg(struct board *board, uint32_t offset, uint64_t value, unsigned int size);
uint32_t state_of(struct board *board);
uint32_t boot_error_of(struct board *board);
/* Waits for the end of @state, at most the board's own time for it. */
uint32_t leave_state(struct board *board, uint32_t state);
void reset_board(struct board *board);
/* Stages and boots @image; the state it leads to. */
uint32_t boot(struct board *board, const void *image, size_t bytes);
void set_rings(struct board *board);
void start(struct board *board);
void board_clean(struct board *board);
void rest(struct board *board, int ms);

#define RING_LOG2   4
#define EVENTS_LOG2 6
#define HOST_SQ	    0x0000
#define HOST_CQ	    0x4000
#define HOST_EVENTS 0x8000
#define HOST_STATUS 0x10000  /* 64 bytes for each queue */
#define HOST_FREE   0x20000  /* for checks of the admin queue */
#define HOST_SLOT   0x200000 /* times the id of a context */

uint16_t admin(struct board *board, const void *command);
uint16_t admin_simple(struct board *board, uint16_t opcode, uint32_t id);
uint16_t create_context(struct board *board, uint32_t id, uint64_t root);
void invalidate(struct board *board, uint32_t id);
bool next_event(struct board *board, struct hbi_event *event, int timeout_ms);
void no_event(struct board *board);

#define VA_CODE	   0x10000000ull /* kernels, RX */
#define VA_DATA	   0x20000000ull /* 512 KiB of board memory, RW */
#define VA_SCRATCH 0x30000000ull /* RW */
#define VA_HOST	   0x40000000ull /* 512 KiB of host memory, RW */
#define VA_RING	   0x50000000ull /* rings of 64 KiB, host memory */
#define VA_SPARE   0x60000000ull /* not mapped */
#define DATA_BYTES 0x80000ull
#define STRIDE	   4096
#define RW	   (HBI_PTE_R | HBI_PTE_W)

/* Context 1 or 2 with the memory above; made on first use in a check. */
struct context *context_of(struct board *board, uint32_t id);
uint8_t *data_of(struct context *context);
uint8_t *host_of(struct context *context);
uint64_t data_pa(struct context *context);
void map_pages(struct context *context, uint64_t va, uint64_t pa, uint64_t bytes, uint64_t flags);
void map_raw(struct context *context, uint64_t va, int level, uint64_t pte);
uint64_t leaf(uint64_t pa, uint64_t flags);

struct queue make_queue(struct context *context, uint32_t id, uint32_t log2, uint32_t timeout_ms);
struct queue make_queue_priority(struct context *context, uint32_t id, uint32_t log2,
				 uint32_t timeout_ms, uint32_t priority);
void drop_queue(struct queue *queue);
void put(struct queue *queue, union hbi_packet packet);
void ring(struct queue *queue);
void doorbell(struct board *board, uint32_t queue, uint64_t tail, unsigned int size,
	      unsigned int offset);
/* Until so many are complete; the check fails if the queue does. */
void wait_for(struct queue *queue, uint64_t completed);
void do_packet(struct queue *queue, union hbi_packet packet);
/* Until the queue fails; checks error, packet, event. @address: expected, or ~0 for any. */
void wait_error(struct queue *queue, enum hbi_error error, uint64_t address);
/* Makes a queue, has it fail at @packet with @error, and drops it. */
void packet_fails(struct context *context, union hbi_packet packet, enum hbi_error error,
		  uint64_t address);

union hbi_packet nop_packet(void);
union hbi_packet copy_packet(uint64_t destination, uint64_t source, uint64_t size);
union hbi_packet fill_packet(uint64_t destination, uint64_t size, uint32_t value);
union hbi_packet value_packet(enum hbi_packet_type type, uint64_t address, uint64_t value);
union hbi_packet dispatch_packet(unsigned int kernel, uint32_t groups);

/* Kernels of kernels.c, in the order of its table; each takes two words at VA_DATA + 16. */
enum kernel {
	KERNEL_MARK,	/* adds 1 to the 32-bit word [group] at out */
	KERNEL_LOAD,	/* loads from out */
	KERNEL_STORE,	/* stores to out */
	KERNEL_JUMP,	/* jumps to out */
	KERNEL_ILLEGAL, /* an illegal instruction */
	KERNEL_SPIN,	/* an endless loop */
	KERNEL_CALL,	/* an environment call */
	KERNEL_CSR,	/* reads a machine-mode register */
	KERNEL_REGS,	/* the or of integer registers that must be 0, to 64 bits [group] */
	KERNEL_POISON,	/* fills registers, then returns */
	KERNEL_STACK,	/* sum of 1..63 by way of stack and scratch, to 64 bits [group] */
	KERNEL_VECTORS, /* the or of all vector registers, to 64 bits [group] */
	KERNEL_VPOISON, /* fills the vector registers */
	KERNEL_SLOW,	/* as KERNEL_MARK, after so many turns of a loop as the second word says */
	KERNELS
};

#define KERNEL_SLOT 256

extern const uint32_t kernel_words[KERNELS][KERNEL_SLOT / 4];
/* Writes the argument block of the context's dispatches. */
void set_args(struct context *context, uint32_t groups, uint64_t out);

#endif /* CONFORM_H */
