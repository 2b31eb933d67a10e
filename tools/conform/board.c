// SPDX-License-Identifier: MIT
/* What a driver does with a board, as far as the checks need it, and nothing that the text leaves open. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <linux/pci_regs.h>
#include "conform.h"

#define STAGE_OFFSET	0x100000
#define CONTEXT_OFFSET	0x800000 /* of the aperture: memory of context 1 */
#define CONTEXT_BYTES	0x200000
#define CODE_OFFSET	0x80000
#define SCRATCH_OFFSET	0x90000
#define TABLES_OFFSET	0x100000
#define RINGS_OFFSET	0x100000 /* of a context's host memory */
#define APERTURE_NEEDED (CONTEXT_OFFSET + 2 * CONTEXT_BYTES)

/* ---- Registers ---- */

uint64_t reg(struct board *board, uint32_t offset, unsigned int size)
{
	return board->transport->bar_read(board, board->register_bar,
					  board->register_offset + offset, size);
}

void set_reg(struct board *board, uint32_t offset, uint64_t value, unsigned int size)
{
	board->transport->bar_write(board, board->register_bar, board->register_offset + offset,
				    value, size);
}

void rest(struct board *board, int ms)
{
	board->transport->rest(board, ms);
}

uint32_t state_of(struct board *board)
{
	return reg(board, HBI_REG_STATUS, 4) & 0xff;
}

uint32_t boot_error_of(struct board *board)
{
	return reg(board, HBI_REG_STATUS, 4) >> 8 & 0xff;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

uint32_t leave_state(struct board *board, uint32_t state)
{
	int64_t end = now_ms() + board->reset_ms;
	uint32_t now;

	for (;;) {
		bool late = now_ms() > end;

		now = state_of(board);
		if (now != state)
			return now;
		if (late)
			stop("the board is in state %u for longer than the %u ms of TIMEOUTS", now,
			     board->reset_ms);
		rest(board, 2);
	}
}

/* ---- Discovery ---- */

uint32_t find_capability(struct board *board, uint8_t id)
{
	uint32_t at = board->transport->config_read(board, PCI_CAPABILITY_LIST, 1) & 0xfc;
	int steps;

	for (steps = 0; at && steps < 48; steps++) {
		if (board->transport->config_read(board, at, 1) == id)
			return at;
		at = board->transport->config_read(board, at + 1, 1) & 0xfc;
	}
	return 0;
}

uint32_t find_dvsec(struct board *board)
{
	uint32_t at = 0x100;
	int steps;

	for (steps = 0; at >= 0x100 && steps < 100; steps++) {
		uint32_t header = board->transport->config_read(board, at, 4);

		if (!header || header == ~0u)
			return 0;
		if ((header & 0xffff) == 0x23 &&
		    (board->transport->config_read(board, at + 4, 4) & 0xffff) ==
			    HBI_DVSEC_VENDOR &&
		    board->transport->config_read(board, at + 8, 2) == HBI_DVSEC_ID)
			return at;
		at = header >> 20 & 0xffc;
	}
	return 0;
}

static void place(struct board *board, uint32_t at, unsigned int *bar, uint64_t *offset)
{
	uint32_t value = board->transport->config_read(board, at, 4);

	*bar = HBI_DVSEC_BIR(value);
	*offset = HBI_DVSEC_OFFSET(value);
	if (*bar > 5)
		stop("DVSEC at %xh names BAR %u", at, *bar);
}

bool board_discover(struct board *board)
{
	uint32_t dvsec = find_dvsec(board), cores, timeouts;
	uint64_t limits, mapped;

	if (!dvsec)
		return false;
	place(board, dvsec + HBI_DVSEC_REGISTERS, &board->register_bar, &board->register_offset);
	place(board, dvsec + HBI_DVSEC_DOORBELLS, &board->doorbell_bar, &board->doorbell_offset);
	place(board, dvsec + HBI_DVSEC_APERTURE, &board->aperture_bar, &board->aperture_offset);
	if (reg(board, HBI_REG_MAGIC, 4) != HBI_MAGIC)
		return false;
	board->flr = find_capability(board, PCI_CAP_ID_EXP);
	board->caps = reg(board, HBI_REG_CAPS, 8);
	board->dram_base = reg(board, HBI_REG_DRAM_BASE, 8);
	board->dram_bytes = reg(board, HBI_REG_DRAM_SIZE, 8);
	board->aperture_base = reg(board, HBI_REG_APERTURE_BASE, 8);
	board->aperture_bytes = reg(board, HBI_REG_APERTURE_SIZE, 8);
	board->host_window = reg(board, HBI_REG_HOST_WINDOW, 8);
	limits = reg(board, HBI_REG_LIMITS, 8);
	board->queues = HBI_LIMIT_QUEUES(limits);
	board->contexts = HBI_LIMIT_CONTEXTS(limits);
	board->doorbell_log2 = HBI_LIMIT_DOORBELL_LOG2(limits);
	board->host_bits = HBI_LIMIT_HOST_ADDRESS(limits);
	board->ring_log2 = HBI_LIMIT_RING_LOG2(limits);
	cores = reg(board, HBI_REG_CORES, 4);
	board->workers = cores & 0xffff;
	timeouts = reg(board, HBI_REG_TIMEOUTS, 4);
	board->reset_ms = (timeouts & 0xffff) * 100;
	board->admin_ms = (timeouts >> 16) * 100;
	board->locked = reg(board, HBI_REG_SECURITY, 4) & HBI_SECURITY_LOCKED;
	board->aperture = board->transport->map_bar(board, board->aperture_bar, &mapped);
	if (!board->aperture)
		stop("BAR %u cannot be mapped", board->aperture_bar);
	board->aperture += board->aperture_offset;
	if (board->aperture_bytes < APERTURE_NEEDED || mapped < APERTURE_NEEDED)
		stop("an aperture of %llu bytes: the checks need %u",
		     (unsigned long long)board->aperture_bytes, APERTURE_NEEDED);
	return true;
}

/* ---- Life ---- */

void reset_board(struct board *board)
{
	int64_t end = now_ms() + board->reset_ms;

	board->running = false;
	board->contexts_made = board->queues_made = 0;
	set_reg(board, HBI_REG_CONTROL, HBI_CONTROL_RESET, 4);
	while (reg(board, HBI_REG_CONTROL, 4) & HBI_CONTROL_RESET) {
		if (now_ms() > end)
			stop("CONTROL.RESET is 1 for longer than the %u ms of TIMEOUTS",
			     board->reset_ms);
		rest(board, 2);
	}
	if (state_of(board) != HBI_STATE_IDLE)
		stop("state %u after a reset", state_of(board));
}

uint32_t boot(struct board *board, const void *image, size_t bytes)
{
	uint32_t state;

	memcpy(board->aperture + STAGE_OFFSET, image, bytes);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	(void)*(volatile uint32_t *)(board->aperture + STAGE_OFFSET);
	set_reg(board, HBI_REG_FW_ADDRESS, board->aperture_base + STAGE_OFFSET, 8);
	set_reg(board, HBI_REG_FW_SIZE, bytes, 8);
	set_reg(board, HBI_REG_CONTROL, HBI_CONTROL_BOOT, 4);
	state = state_of(board);
	return state == HBI_STATE_BOOTING ? leave_state(board, state) : state;
}

static void drain(struct board *board)
{
	unsigned int i;

	for (i = 0; i < board->vectors; i++)
		while (board->transport->interrupt(board, i, 0))
			;
}

void set_rings(struct board *board)
{
	memset(board->host, 0, HOST_FREE);
	board->admin_tail = 0;
	board->events = 0;
	drain(board);
	set_reg(board, HBI_REG_ADMIN_SQ, board->host_bus + HOST_SQ, 8);
	set_reg(board, HBI_REG_ADMIN_CQ, board->host_bus + HOST_CQ, 8);
	set_reg(board, HBI_REG_EVENT_RING, board->host_bus + HOST_EVENTS, 8);
	set_reg(board, HBI_REG_RING_SIZES, RING_LOG2 | RING_LOG2 << 8 | EVENTS_LOG2 << 16, 4);
}

void start(struct board *board)
{
	uint32_t state = boot(board, board->image, board->image_bytes);

	if (state != HBI_STATE_READY)
		stop("the image does not start: state %u, boot error %u", state,
		     boot_error_of(board));
	set_rings(board);
	set_reg(board, HBI_REG_CONTROL, HBI_CONTROL_ENABLE, 4);
	state = leave_state(board, HBI_STATE_READY);
	if (state != HBI_STATE_RUNNING)
		stop("ENABLE leads to state %u, boot error %u", state, boot_error_of(board));
	board->running = true;
}

/* Takes away what a check has made. */
void board_clean(struct board *board)
{
	uint32_t i;

	for (i = 0; i < 64; i++)
		if (board->queues_made >> i & 1)
			admin_simple(board, HBI_ADMIN_DESTROY_QUEUE, i);
	board->queues_made = 0;
	for (i = 0; i < 64; i++)
		if (board->contexts_made >> i & 1)
			admin_simple(board, HBI_ADMIN_DESTROY_CONTEXT, i);
	board->contexts_made = 0;
	memset(board->standard, 0, sizeof(board->standard));
	while (next_event(board, &(struct hbi_event){ 0 }, 0))
		;
	drain(board);
}

/* ---- Admin queue and events ---- */

uint16_t admin(struct board *board, const void *command)
{
	uint32_t mask = (1u << RING_LOG2) - 1, number = board->admin_tail;
	volatile struct hbi_admin_completion *completion =
		(void *)(board->host + HOST_CQ + (number & mask) * sizeof(*completion));
	struct hbi_admin_header *slot = (void *)(board->host + HOST_SQ + (number & mask) * 64);
	int64_t end = now_ms() + board->admin_ms;

	memcpy(slot, command, 64);
	slot->id = number ^ 0x5aa5;
	board->admin_tail++;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	set_reg(board, HBI_REG_ADMIN_TAIL, board->admin_tail, 4);
	while (completion->sequence != number + 1) {
		if (!board->transport->interrupt(board, HBI_VECTOR_ADMIN, 20) && now_ms() > end) {
			board->running = false;
			stop("command %u is not answered within the %u ms of TIMEOUTS",
			     slot->opcode, board->admin_ms);
		}
	}
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (completion->id != (uint16_t)(number ^ 0x5aa5)) {
		board->running = false;
		stop("the completion of command %u has the id %xh instead of %xh", slot->opcode,
		     completion->id, (uint16_t)(number ^ 0x5aa5));
	}
	return completion->status;
}

uint16_t admin_simple(struct board *board, uint16_t opcode, uint32_t id)
{
	struct hbi_admin_destroy_context command = { .header.opcode = opcode, .context = id };

	return admin(board, &command);
}

uint16_t create_context(struct board *board, uint32_t id, uint64_t root)
{
	struct hbi_admin_create_context command = {
		.header.opcode = HBI_ADMIN_CREATE_CONTEXT,
		.context = id,
		.root = root,
	};
	uint16_t status = admin(board, &command);

	if (!status && id < 64)
		board->contexts_made |= 1ull << id;
	return status;
}

void invalidate(struct board *board, uint32_t id)
{
	EQUAL(admin_simple(board, HBI_ADMIN_INVALIDATE_TLB, id), HBI_OK);
}

bool next_event(struct board *board, struct hbi_event *event, int timeout_ms)
{
	uint32_t slot = board->events & ((1u << EVENTS_LOG2) - 1);
	struct hbi_event *next = (void *)(board->host + HOST_EVENTS + slot * sizeof(*next));
	int64_t end = now_ms() + timeout_ms;

	while (__atomic_load_n(&next->sequence, __ATOMIC_SEQ_CST) != board->events + 1) {
		if (now_ms() >= end)
			return false;
		rest(board, 1);
	}
	*event = *next;
	board->events++;
	set_reg(board, HBI_REG_EVENT_HEAD, board->events, 4);
	return true;
}

/* Nothing but texts for the log. */
void no_event(struct board *board)
{
	struct hbi_event event;

	while (next_event(board, &event, 0))
		if (event.type == HBI_EVENT_QUEUE_ERROR || event.type == HBI_EVENT_FATAL)
			stop("an event of type %u that nothing has caused", event.type);
}

/* ---- Page tables ---- */

static uint64_t new_table(struct context *context)
{
	struct board *board = context->board;
	uint64_t offset = context->next_table;

	if (offset == context->memory + CONTEXT_BYTES)
		stop("the check is out of page tables");
	context->next_table += 4096;
	memset(board->aperture + offset, 0, 4096);
	return board->aperture_base + offset;
}

uint64_t leaf(uint64_t pa, uint64_t flags)
{
	return pa >> 12 << HBI_PTE_PPN_SHIFT | flags | HBI_PTE_V | HBI_PTE_U | HBI_PTE_A |
	       (flags & HBI_PTE_W ? HBI_PTE_D : 0);
}

/* Writes the entry for @va of the table of @level (0: pages). */
void map_raw(struct context *context, uint64_t va, int level, uint64_t pte)
{
	struct board *board = context->board;
	uint64_t table = context->root, *entry;
	int at;

	for (at = HBI_PT_LEVELS - 1;; at--) {
		entry = (uint64_t *)(board->aperture + (table - board->aperture_base)) +
			(va >> (12 + 9 * at) & 511);
		if (at == level)
			break;
		if (!(*entry & HBI_PTE_V))
			*entry = new_table(context) >> 12 << HBI_PTE_PPN_SHIFT | HBI_PTE_V;
		table = *entry >> HBI_PTE_PPN_SHIFT << 12;
	}
	__atomic_store_n(entry, pte, __ATOMIC_SEQ_CST);
}

void map_pages(struct context *context, uint64_t va, uint64_t pa, uint64_t bytes, uint64_t flags)
{
	uint64_t offset;

	for (offset = 0; offset < bytes; offset += 4096)
		map_raw(context, va + offset, 0, leaf(pa + offset, flags));
}

uint8_t *data_of(struct context *context)
{
	return context->board->aperture + context->memory;
}

uint8_t *host_of(struct context *context)
{
	return context->board->host + HOST_SLOT * (uint64_t)context->id;
}

uint64_t data_pa(struct context *context)
{
	return context->board->aperture_base + context->memory;
}

struct context *context_of(struct board *board, uint32_t id)
{
	struct context *context = &board->standard[id];
	uint64_t window = board->host_window + board->host_bus + HOST_SLOT * (uint64_t)id;

	if (context->id)
		return context;
	if (id > board->contexts)
		leave_out("the board has %u context", board->contexts);
	*context = (struct context){ .board = board, .id = id };
	context->memory = CONTEXT_OFFSET + (id - 1) * (uint64_t)CONTEXT_BYTES;
	context->next_table = context->memory + TABLES_OFFSET;
	context->root = new_table(context);
	memset(data_of(context), 0, TABLES_OFFSET);
	memset(host_of(context), 0, HOST_SLOT);
	memcpy(data_of(context) + CODE_OFFSET, kernel_words, sizeof(kernel_words));
	map_pages(context, VA_DATA, data_pa(context), DATA_BYTES, RW);
	map_pages(context, VA_CODE, data_pa(context) + CODE_OFFSET, 0x10000, HBI_PTE_R | HBI_PTE_X);
	map_pages(context, VA_SCRATCH, data_pa(context) + SCRATCH_OFFSET, MAX_WORKERS * STRIDE, RW);
	map_pages(context, VA_HOST, window, DATA_BYTES, RW);
	map_pages(context, VA_RING, window + RINGS_OFFSET, CHECK_QUEUES * 0x10000ull, RW);
	EQUAL(create_context(board, id, context->root), HBI_OK);
	if (board->caps & HBI_CAP_COMPUTE) {
		struct queue queue = make_queue(context, 0, 2, 0);

		/* The code was written by the host. */
		do_packet(&queue, (union hbi_packet){ .sync_code = {
							      .header.type = HBI_PACKET_SYNC_CODE,
							      .address = VA_CODE,
							      .size = sizeof(kernel_words),
						      } });
		drop_queue(&queue);
	}
	return context;
}

/* ---- Queues ---- */

struct queue make_queue(struct context *context, uint32_t id, uint32_t log2, uint32_t timeout_ms)
{
	return make_queue_priority(context, id, log2, timeout_ms, 0);
}

struct queue make_queue_priority(struct context *context, uint32_t id, uint32_t log2,
				 uint32_t timeout_ms, uint32_t priority)
{
	struct board *board = context->board;
	struct queue queue = {
		.context = context,
		.id = id,
		.log2 = log2,
		.ring = (void *)(host_of(context) + RINGS_OFFSET + id % CHECK_QUEUES * 0x10000),
		.status = (void *)(board->host + HOST_STATUS + id * 64),
	};
	struct hbi_admin_create_queue command = {
		.header.opcode = HBI_ADMIN_CREATE_QUEUE,
		.queue = id,
		.context = context->id,
		.ring = VA_RING + id % CHECK_QUEUES * 0x10000,
		.status = board->host_bus + HOST_STATUS + id * 64,
		.ring_log2 = log2,
		.vector = board->vectors > 1 ? 1 + id % (board->vectors - 1) : 0,
		.timeout_ms = timeout_ms,
		.priority = priority,
	};

	if (id >= board->queues)
		leave_out("the board has %u queues", board->queues);
	memset((void *)queue.status, 0xee, sizeof(*queue.status));
	EQUAL(admin(board, &command), HBI_OK);
	board->queues_made |= 1ull << id;
	EQUAL(queue.status->state, HBI_QUEUE_LIVE);
	EQUAL(queue.status->completed, 0);
	EQUAL(queue.status->fetched, 0);
	return queue;
}

void drop_queue(struct queue *queue)
{
	struct board *board = queue->context->board;

	EQUAL(admin_simple(board, HBI_ADMIN_DESTROY_QUEUE, queue->id), HBI_OK);
	board->queues_made &= ~(1ull << queue->id);
}

void put(struct queue *queue, union hbi_packet packet)
{
	queue->ring[queue->tail++ & ((1ull << queue->log2) - 1)] = packet;
}

void doorbell(struct board *board, uint32_t queue, uint64_t value, unsigned int size,
	      unsigned int offset)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	board->transport->bar_write(board, board->doorbell_bar,
				    board->doorbell_offset +
					    ((uint64_t)queue << board->doorbell_log2) + offset,
				    value, size);
}

void ring(struct queue *queue)
{
	doorbell(queue->context->board, queue->id, queue->tail, 8, HBI_DOORBELL_TAIL);
}

/* Sleeps as a driver does: by arming. */
static void sleep_on(struct queue *queue, uint64_t completed)
{
	struct board *board = queue->context->board;
	unsigned int vector = board->vectors > 1 ? 1 + queue->id % (board->vectors - 1) : 0;
	volatile struct hbi_queue_status *status = queue->status;
	int64_t end = now_ms() + patience_ms;

	while (status->completed < completed && status->state == HBI_QUEUE_LIVE) {
		set_reg(board, HBI_REG_QUEUE_ARM(queue->id), completed, 8);
		if (board->transport->interrupt(board, vector, patience_ms))
			continue;
		if (status->completed >= completed || status->state != HBI_QUEUE_LIVE)
			stop("queue %u made progress, but its armed interrupt did not come",
			     queue->id);
		if (now_ms() >= end)
			stop("queue %u stays at %llu of %llu packets", queue->id,
			     (unsigned long long)status->completed, (unsigned long long)completed);
	}
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void wait_for(struct queue *queue, uint64_t completed)
{
	sleep_on(queue, completed);
	if (queue->status->state != HBI_QUEUE_LIVE)
		stop("queue %u failed with error %u at packet %llu, address 0x%llx", queue->id,
		     queue->status->error, (unsigned long long)queue->status->fault_packet,
		     (unsigned long long)queue->status->fault_address);
}

void do_packet(struct queue *queue, union hbi_packet packet)
{
	put(queue, packet);
	ring(queue);
	wait_for(queue, queue->tail);
}

void wait_error(struct queue *queue, enum hbi_error error, uint64_t address)
{
	volatile struct hbi_queue_status *status = queue->status;
	struct hbi_event event;

	sleep_on(queue, ~0ull);
	EQUAL(status->state, HBI_QUEUE_ERROR);
	EQUAL(status->error, error);
	if (address != ~0ull)
		EQUAL(status->fault_address, address);
	EQUAL(status->completed, status->fault_packet);
	do {
		if (!next_event(queue->context->board, &event, 2000))
			stop("no QUEUE_ERROR event came with the error");
	} while (event.type == HBI_EVENT_LOG);
	EQUAL(event.type, HBI_EVENT_QUEUE_ERROR);
	EQUAL(event.error, error);
	EQUAL(event.fault.queue, queue->id);
	EQUAL(event.fault.context, queue->context->id);
	EQUAL(event.fault.packet, status->fault_packet);
	EQUAL(event.fault.address, status->fault_address);
}

void packet_fails(struct context *context, union hbi_packet packet, enum hbi_error error,
		  uint64_t address)
{
	struct queue queue = make_queue(context, 0, 3, 0);

	put(&queue, nop_packet());
	put(&queue, packet);
	put(&queue, nop_packet());
	ring(&queue);
	wait_error(&queue, error, address);
	EQUAL(queue.status->fault_packet, 1);
	drop_queue(&queue);
}

/* ---- Packets ---- */

union hbi_packet nop_packet(void)
{
	return (union hbi_packet){ .header.type = HBI_PACKET_NOP };
}

union hbi_packet copy_packet(uint64_t destination, uint64_t source, uint64_t size)
{
	return (union hbi_packet){ .copy = { .header.type = HBI_PACKET_COPY,
					     .source = source,
					     .destination = destination,
					     .size = size } };
}

union hbi_packet fill_packet(uint64_t destination, uint64_t size, uint32_t value)
{
	return (union hbi_packet){ .fill = { .header.type = HBI_PACKET_FILL,
					     .destination = destination,
					     .size = size,
					     .value = value } };
}

union hbi_packet value_packet(enum hbi_packet_type type, uint64_t address, uint64_t value)
{
	return (union hbi_packet){
		.signal = { .header.type = type, .address = address, .value = value }
	};
}

union hbi_packet dispatch_packet(unsigned int kernel, uint32_t groups)
{
	return (union hbi_packet){ .dispatch = { .header.type = HBI_PACKET_DISPATCH,
						 .groups = { groups, 1, 1 },
						 .scratch_stride = STRIDE,
						 .code = VA_CODE + kernel * KERNEL_SLOT,
						 .args = VA_DATA,
						 .scratch = VA_SCRATCH } };
}

void set_args(struct context *context, uint32_t groups, uint64_t out)
{
	uint32_t grid[4] = { groups, 1, 1, 0 };

	memcpy(data_of(context), grid, sizeof(grid));
	memcpy(data_of(context) + 16, &out, sizeof(out));
}
