/* SPDX-License-Identifier: MIT */
/*
 * The host's side of a virtual board, for tests: starts hearth-board, speaks vfio-user with it as
 * an emulator of a PC would, and does with it what a driver would. Every call ends the test program
 * with a message when the board does not answer.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <hearth/hbi.h>
#include <hearth/kernel_abi.h>

/* ---- TAP ---- */

#define CHECK(condition) tap_check((condition), #condition, __FILE__, __LINE__)
#define CHECK_EQUAL(value, expected) \
	tap_equal((uint64_t)(value), (uint64_t)(expected), #value, __FILE__, __LINE__)

bool tap_check(bool condition, const char *text, const char *file, int line);
bool tap_equal(uint64_t value, uint64_t expected, const char *text, const char *file, int line);
/* Runs one test: it passes if no check in it failed. */
void tap_run(const char *name, void (*test)(void));
/* Prints the plan; the exit status. */
int tap_end(void);
void __attribute__((noreturn, format(printf, 1, 2))) die(const char *format, ...);
/* Takes the paths of board, firmware and kernels from the command line. */
void test_arguments(int argc, char **argv);

/* ---- The board as a PCI function ---- */

#define VECTORS	    32
#define HOST_BUS    0x100000000ull /* bus address of host memory's first byte */
#define HOST_BYTES  (64ull << 20)
#define PATIENCE_MS 60000 /* for anything that must come */

struct client {
	int socket;
	pid_t board;
	char path[108];
	uint8_t *host; /* memory that the board may reach at HOST_BUS */
	int host_fd;
	uint8_t *aperture;
	uint64_t aperture_base;
	uint64_t aperture_bytes;
	uint64_t host_window;
	uint32_t workers;
	int irq[VECTORS];
	unsigned int refused_reads; /* DMA_READ messages of the board */
	unsigned int refused_writes;
	uint64_t refused_address;
	/* admin queue */
	uint32_t admin_tail;
	uint32_t admin_done;
	uint32_t events_taken;
};

/* Starts a board with extra arguments (NULL-terminated list, or NULL) and connects. */
void client_open(struct client *c, const char *const *arguments);
/* Disconnects; returns the board's exit status. */
int client_close(struct client *c);
/* Serves what the board sends by itself; to be called while waiting for memory to change. */
void client_pump(struct client *c, int timeout_ms);

uint64_t bar_read(struct client *c, unsigned int bar, uint64_t offset, unsigned int size);
void bar_write(struct client *c, unsigned int bar, uint64_t offset, uint64_t value,
	       unsigned int size);
uint32_t config_read(struct client *c, uint32_t offset, unsigned int size);
void config_write(struct client *c, uint32_t offset, uint32_t value, unsigned int size);
void client_reset(struct client *c);
/* Maps more memory of the host's file for DMA; a positive errno if the board refuses. */
int client_dma_map(struct client *c, uint64_t bus, uint64_t offset, uint64_t size, bool write);
int client_dma_unmap(struct client *c, uint64_t bus, uint64_t size);
/* Sends one request with any body; the errno of the reply. */
int client_request(struct client *c, uint16_t command, const void *body, size_t size);
/* Sends raw bytes and nothing else. */
void client_send_raw(struct client *c, const void *data, size_t size);
bool irq_wait(struct client *c, unsigned int vector, int timeout_ms);
void irq_drain(struct client *c);

uint32_t reg32(struct client *c, uint32_t offset);
uint64_t reg64(struct client *c, uint32_t offset);
void set_reg32(struct client *c, uint32_t offset, uint32_t value);
void set_reg64(struct client *c, uint32_t offset, uint64_t value);
enum hbi_state board_state(struct client *c);
enum hbi_boot_error board_error(struct client *c);
/* Waits until the board leaves @state. */
enum hbi_state wait_state_change(struct client *c, enum hbi_state state);

/* ---- Firmware and admin queue ---- */

extern const char *firmware_path;
extern const char *kernels_path;
extern const char *board_path;

uint8_t *read_file(const char *path, size_t *size);
/* Stages @image at the aperture's offset 0x100000 and boots; the state it ends in. */
enum hbi_state boot_image(struct client *c, const void *image, size_t size);
/* From IDLE to RUNNING with the standard rings. */
void start_board(struct client *c);

#define RING_LOG2   4
#define EVENTS_LOG2 6
#define HOST_SQ	    0x0000
#define HOST_CQ	    0x10000
#define HOST_EVENTS 0x20000
#define HOST_STATUS 0x30000 /* 64 bytes a queue */
#define HOST_FREE   0x100000

/* Sends one command and waits; its status. Commands carry what @words say but for the id. */
enum hbi_error admin(struct client *c, const void *command);
enum hbi_error admin_create_context(struct client *c, uint32_t context, uint64_t root);
enum hbi_error admin_destroy_context(struct client *c, uint32_t context);
enum hbi_error admin_destroy_queue(struct client *c, uint32_t queue);
enum hbi_error admin_invalidate(struct client *c, uint32_t context);
/* Takes the next event if there is one within the time. */
bool take_event(struct client *c, struct hbi_event *event, int timeout_ms);

/* ---- Contexts and queues ---- */

#define PTE_RW (HBI_PTE_R | HBI_PTE_W)
#define PTE_RX (HBI_PTE_R | HBI_PTE_X)

struct context {
	struct client *client;
	uint32_t id;
	uint64_t root;
	uint64_t table_next; /* bump allocation of tables, board-physical */
	uint64_t table_end;
};

/* Makes context @id, whose tables and memory come from slot @id of 4 MiB of the aperture. */
void context_init(struct context *context, struct client *c, uint32_t id);
/* The physical address of board memory that is this context's own: 2 MiB from @offset 0 on. */
uint64_t context_memory(const struct context *context, uint64_t offset);
uint8_t *context_bytes(const struct context *context, uint64_t offset);
/* Maps whole pages; @flags are R, W, X. */
void map_pages(struct context *context, uint64_t va, uint64_t pa, uint64_t size, uint64_t flags);
void map_raw(struct context *context, uint64_t va, uint64_t pte);
uint64_t host_pa(struct client *c, uint64_t offset);

/* The standard address space of a test context. */
#define VA_CODE	   0x10000000ull /* kernels, RX */
#define VA_DATA	   0x20000000ull /* 1 MiB of board memory, RW */
#define VA_SCRATCH 0x30000000ull /* 256 KiB, RW */
#define VA_HOST	   0x40000000ull /* 1 MiB of host memory, RW */
#define VA_RING	   0x50000000ull /* ring in host memory, 64 KiB */
#define STRIDE	   16384
#define DATA_BYTES 0x100000ull

struct queue {
	struct context *context;
	uint32_t id;
	uint32_t ring_log2;
	union hbi_packet *ring;
	volatile struct hbi_queue_status *status;
	uint64_t tail;
};

/* Maps the standard address space and loads the kernels. */
void context_standard(struct context *context, struct client *c, uint32_t id);
uint8_t *context_host(const struct context *context); /* what VA_HOST shows */
uint8_t *context_data(const struct context *context); /* what VA_DATA shows */
enum hbi_error queue_init(struct queue *queue, struct context *context, uint32_t id,
			  uint32_t ring_log2, uint32_t timeout_ms);
enum hbi_error queue_init_priority(struct queue *queue, struct context *context, uint32_t id,
				   uint32_t ring_log2, uint32_t timeout_ms, uint32_t priority);
void queue_put(struct queue *queue, const union hbi_packet *packet);
void queue_ring(struct queue *queue);
/* Sleeps on the queue's interrupt until @completed packets are, or the queue fails. */
bool queue_wait(struct queue *queue, uint64_t completed);
/* Puts, rings and waits for one packet. */
bool queue_do(struct queue *queue, const union hbi_packet *packet);
/* Waits until the queue is in error; which. */
enum hbi_error queue_wait_error(struct queue *queue);

union hbi_packet packet_nop(void);
union hbi_packet packet_copy(uint64_t destination, uint64_t source, uint64_t size);
union hbi_packet packet_fill(uint64_t destination, uint64_t size, uint32_t value);
union hbi_packet packet_signal(uint64_t address, uint64_t value);
union hbi_packet packet_wait(uint64_t address, uint64_t value);
union hbi_packet packet_timestamp(uint64_t address);
union hbi_packet packet_barrier(void);
union hbi_packet packet_indirect(uint64_t address, uint64_t count);
union hbi_packet packet_sync_code(uint64_t address, uint64_t size);
union hbi_packet packet_dispatch(unsigned int kernel, uint32_t groups, uint64_t args);
/* Writes an argument block at @offset of VA_DATA; its address. */
uint64_t put_args(struct context *context, uint64_t offset, uint32_t groups, uint64_t out,
		  uint64_t extra);

#endif /* CLIENT_H */
