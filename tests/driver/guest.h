/* SPDX-License-Identifier: MIT */
/*
 * What the guest's tests share: results as TAP, and a context with a ring that is ready to use. A
 * helper that fails ends the program, which counts as a failed test.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include <hearth_drm.h>

#define GUEST_KERNELS  "/test/board-kernels.bin"
#define GUEST_FIRST_VA 0x10000000ull
#define GUEST_WAIT_NS  60000000000ll

/* A buffer bound at @va and mapped at @map. */
struct buffer {
	uint32_t handle;
	uint64_t size;
	uint64_t va;
	void *map;
};

struct context {
	int fd;
	uint32_t vm;
	uint64_t next_va;
	struct buffer ring;
	struct buffer code;    /* the board's test kernels, if asked for */
	struct buffer args;    /* argument blocks, 4 KiB each */
	struct buffer scratch; /* of all workers */
	struct hearth_drm_queue queue;
	struct drm_hearth_query_device device;
};

void ok(bool pass, const char *format, ...) __attribute__((format(printf, 2, 3)));
void is(int64_t found, int64_t expected, const char *what);
void skip(const char *what, const char *why);
int done(void);
void die(const char *what, int ret) __attribute__((noreturn));

/*
 * If it is not 0, die() says nothing and ends the process with it when what failed was canceled, or
 * the board is gone: for processes whose board is reset or taken away under them.
 */
extern int guest_canceled_status;

int64_t now_ns(void);
const char *guest_node(void); /* $GUEST_NODE, or the first board */
int open_board(void);
int raw_ioctl(int fd, unsigned long request, void *args); /* 0 or a negative errno */

/* ---- The board as the system sees it (guest_board.c) ---- */

int write_text(const char *path, const char *text); /* 0 or a negative errno */
void put_text(const char *path, const char *text);  /* or die() */
const char *pci_of(const char *node);		    /* address of its PCI function, or die() */
/* Whether @node is there, at once or in GUEST_WAIT_NS. NULL: guest_node(). */
bool node_comes(const char *node);
void driver_unbind(const char *pci);
bool driver_bind(const char *pci, const char *node); /* what node_comes() says then */
struct drm_hearth_query_state board_state(int fd);
uint64_t board_free(void); /* bytes of board memory */

/* ---- A context ---- */

/* @timeout_ms: of dispatches. Ring of 2^8 packets in host memory. */
void context_open(struct context *context, uint32_t timeout_ms);
void context_close(struct context *context);
struct buffer context_buffer(struct context *context, uint64_t size, uint32_t placement,
			     uint32_t flags);
void context_load_kernels(struct context *context);

/* Waits for space, then writes; @context_submit() tells the board. */
void context_push(struct context *context, const union hbi_packet *packet);
int context_submit(struct context *context);
void push_nop(struct context *context);
void push_copy(struct context *context, uint64_t source, uint64_t destination, uint64_t size);
void push_fill(struct context *context, uint64_t destination, uint64_t size, uint32_t value);
void push_signal(struct context *context, uint64_t address, uint64_t value);
void push_wait(struct context *context, uint64_t address, uint64_t value);
void push_barrier(struct context *context);
/* @slot: argument block to use; its first word of its own is @out. */
void push_dispatch(struct context *context, unsigned int kernel, unsigned int slot, uint64_t out,
		   uint64_t extra, uint32_t groups);

#endif /* GUEST_H */
