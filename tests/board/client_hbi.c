// SPDX-License-Identifier: MIT
/* What a driver and its programs do with a board: boot, admin commands, page tables, queues. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "client.h"
#include "kernels.h"

#define STAGE_OFFSET   0x100000
#define SLOT_BYTES     (4ull << 20)
#define MEMORY_BYTES   (2ull << 20) /* of a slot; the rest is for tables */
#define CODE_OFFSET    0x140000
#define SCRATCH_OFFSET 0x100000

uint8_t *read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data;
	long length;

	if (!file || fseek(file, 0, SEEK_END) || (length = ftell(file)) < 0)
		die("%s: %s", path, strerror(errno));
	rewind(file);
	data = malloc(length + 1);
	if (!data || fread(data, 1, length, file) != (size_t)length)
		die("%s: cannot read", path);
	fclose(file);
	*size = length;
	return data;
}

enum hbi_state boot_image(struct client *c, const void *image, size_t size)
{
	enum hbi_state state;

	memcpy(c->aperture + STAGE_OFFSET, image, size);
	set_reg64(c, HBI_REG_FW_ADDRESS, c->aperture_base + STAGE_OFFSET);
	set_reg64(c, HBI_REG_FW_SIZE, size);
	set_reg32(c, HBI_REG_CONTROL, HBI_CONTROL_BOOT);
	state = board_state(c);
	return state == HBI_STATE_BOOTING ? wait_state_change(c, state) : state;
}

void start_board(struct client *c)
{
	size_t size;
	uint8_t *image = read_file(firmware_path, &size);

	if (boot_image(c, image, size) != HBI_STATE_READY)
		die("boot ended in state %d, error %d", board_state(c), board_error(c));
	free(image);
	memset(c->host, 0, HOST_FREE);
	c->admin_tail = 0;
	c->admin_done = 0;
	c->events_taken = 0;
	irq_drain(c);
	set_reg64(c, HBI_REG_ADMIN_SQ, HOST_BUS + HOST_SQ);
	set_reg64(c, HBI_REG_ADMIN_CQ, HOST_BUS + HOST_CQ);
	set_reg64(c, HBI_REG_EVENT_RING, HOST_BUS + HOST_EVENTS);
	set_reg32(c, HBI_REG_RING_SIZES, RING_LOG2 | RING_LOG2 << 8 | EVENTS_LOG2 << 16);
	set_reg32(c, HBI_REG_CONTROL, HBI_CONTROL_ENABLE);
	if (wait_state_change(c, HBI_STATE_READY) != HBI_STATE_RUNNING)
		die("enable ended in state %d, error %d", board_state(c), board_error(c));
}

/* ---- Admin ---- */

enum hbi_error admin(struct client *c, const void *command)
{
	uint32_t mask = (1u << RING_LOG2) - 1;
	volatile struct hbi_admin_completion *completion =
		(void *)(c->host + HOST_CQ + (c->admin_done & mask) * 32);
	struct hbi_admin_header *slot = (void *)(c->host + HOST_SQ + (c->admin_tail & mask) * 64);

	memcpy(slot, command, 64);
	slot->id = c->admin_tail ^ 0x5aa5;
	c->admin_tail++;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	set_reg32(c, HBI_REG_ADMIN_TAIL, c->admin_tail);
	while (completion->sequence != c->admin_done + 1)
		if (!irq_wait(c, HBI_VECTOR_ADMIN, PATIENCE_MS))
			die("admin command %u is not answered", slot->opcode);
	CHECK_EQUAL(completion->id, (uint16_t)((c->admin_tail - 1) ^ 0x5aa5));
	c->admin_done++;
	return completion->status;
}

enum hbi_error admin_create_context(struct client *c, uint32_t context, uint64_t root)
{
	struct hbi_admin_create_context command = {
		.header.opcode = HBI_ADMIN_CREATE_CONTEXT,
		.context = context,
		.root = root,
	};

	return admin(c, &command);
}

enum hbi_error admin_destroy_context(struct client *c, uint32_t context)
{
	struct hbi_admin_destroy_context command = {
		.header.opcode = HBI_ADMIN_DESTROY_CONTEXT,
		.context = context,
	};

	return admin(c, &command);
}

enum hbi_error admin_destroy_queue(struct client *c, uint32_t queue)
{
	struct hbi_admin_destroy_queue command = {
		.header.opcode = HBI_ADMIN_DESTROY_QUEUE,
		.queue = queue,
	};

	return admin(c, &command);
}

enum hbi_error admin_invalidate(struct client *c, uint32_t context)
{
	struct hbi_admin_invalidate_tlb command = {
		.header.opcode = HBI_ADMIN_INVALIDATE_TLB,
		.context = context,
	};

	return admin(c, &command);
}

bool take_event(struct client *c, struct hbi_event *event, int timeout_ms)
{
	uint32_t slot = c->events_taken & ((1u << EVENTS_LOG2) - 1);
	struct hbi_event *next = (void *)(c->host + HOST_EVENTS + slot * sizeof(*next));
	int i;

	for (i = 0;; i++) {
		if (__atomic_load_n(&next->sequence, __ATOMIC_SEQ_CST) == c->events_taken + 1)
			break;
		if (i >= timeout_ms)
			return false;
		client_pump(c, 1);
	}
	*event = *next;
	c->events_taken++;
	set_reg32(c, HBI_REG_EVENT_HEAD, c->events_taken);
	return true;
}

/* ---- Page tables ---- */

static uint64_t slot_base(const struct context *context)
{
	return (4 + context->id) * SLOT_BYTES;
}

uint64_t context_memory(const struct context *context, uint64_t offset)
{
	return context->client->aperture_base + slot_base(context) + offset;
}

uint8_t *context_bytes(const struct context *context, uint64_t offset)
{
	return context->client->aperture + slot_base(context) + offset;
}

static uint64_t new_table(struct context *context)
{
	uint64_t pa = context->table_next;

	if (pa == context->table_end)
		die("out of page tables");
	context->table_next += 4096;
	memset(context->client->aperture + (pa - context->client->aperture_base), 0, 4096);
	return pa;
}

void context_init(struct context *context, struct client *c, uint32_t id)
{
	context->client = c;
	context->id = id;
	context->table_next = context_memory(context, MEMORY_BYTES);
	context->table_end = context_memory(context, SLOT_BYTES);
	context->root = new_table(context);
}

void map_raw(struct context *context, uint64_t va, uint64_t pte)
{
	struct client *c = context->client;
	uint64_t table = context->root, *entry;
	int level;

	for (level = HBI_PT_LEVELS - 1;; level--) {
		entry = (uint64_t *)(c->aperture + (table - c->aperture_base)) +
			(va >> (12 + 9 * level) & 511);
		if (!level)
			break;
		if (!(*entry & HBI_PTE_V))
			*entry = new_table(context) >> 12 << HBI_PTE_PPN_SHIFT | HBI_PTE_V;
		table = *entry >> HBI_PTE_PPN_SHIFT << 12;
	}
	__atomic_store_n(entry, pte, __ATOMIC_SEQ_CST);
}

void map_pages(struct context *context, uint64_t va, uint64_t pa, uint64_t size, uint64_t flags)
{
	uint64_t offset, pte = flags | HBI_PTE_V | HBI_PTE_U | HBI_PTE_A;

	if (flags & HBI_PTE_W)
		pte |= HBI_PTE_D;
	for (offset = 0; offset < size; offset += 4096)
		map_raw(context, va + offset, (pa + offset) >> 12 << HBI_PTE_PPN_SHIFT | pte);
}

uint64_t host_pa(struct client *c, uint64_t offset)
{
	return c->host_window + HOST_BUS + offset;
}

/* ---- The standard address space ---- */

static uint64_t host_offset(const struct context *context)
{
	return HOST_FREE + context->id * 0x200000;
}

uint8_t *context_host(const struct context *context)
{
	return context->client->host + host_offset(context);
}

uint8_t *context_data(const struct context *context)
{
	return context_bytes(context, 0);
}

void context_standard(struct context *context, struct client *c, uint32_t id)
{
	size_t size;
	uint8_t *kernels = read_file(kernels_path, &size);

	context_init(context, c, id);
	memset(context_bytes(context, 0), 0, MEMORY_BYTES);
	memset(context_host(context), 0, 0x200000);
	memcpy(context_bytes(context, CODE_OFFSET), kernels, size);
	free(kernels);
	map_pages(context, VA_DATA, context_memory(context, 0), DATA_BYTES, PTE_RW);
	map_pages(context, VA_SCRATCH, context_memory(context, SCRATCH_OFFSET), 0x40000, PTE_RW);
	map_pages(context, VA_CODE, context_memory(context, CODE_OFFSET), 0x10000, PTE_RX);
	map_pages(context, VA_HOST, host_pa(c, host_offset(context)), 0x100000, PTE_RW);
	map_pages(context, VA_RING, host_pa(c, host_offset(context) + 0x100000), 0x100000, PTE_RW);
	CHECK_EQUAL(admin_create_context(c, id, context->root), HBI_OK);
}

/* ---- Queues ---- */

enum hbi_error queue_init(struct queue *queue, struct context *context, uint32_t id,
			  uint32_t ring_log2, uint32_t timeout_ms)
{
	return queue_init_priority(queue, context, id, ring_log2, timeout_ms, 0);
}

enum hbi_error queue_init_priority(struct queue *queue, struct context *context, uint32_t id,
				   uint32_t ring_log2, uint32_t timeout_ms, uint32_t priority)
{
	struct client *c = context->client;
	uint64_t ring = (id % 16) * 0x10000;
	struct hbi_admin_create_queue command = {
		.header.opcode = HBI_ADMIN_CREATE_QUEUE,
		.queue = id,
		.context = context->id,
		.ring = VA_RING + ring,
		.status = HOST_BUS + HOST_STATUS + id * 64,
		.ring_log2 = ring_log2,
		.vector = 1 + id % (VECTORS - 1),
		.timeout_ms = timeout_ms,
		.priority = priority,
	};

	queue->context = context;
	queue->id = id;
	queue->ring_log2 = ring_log2;
	queue->ring = (void *)(c->host + host_offset(context) + 0x100000 + ring);
	queue->status = (void *)(c->host + HOST_STATUS + id * 64);
	queue->tail = 0;
	return admin(c, &command);
}

void queue_put(struct queue *queue, const union hbi_packet *packet)
{
	queue->ring[queue->tail & ((1ull << queue->ring_log2) - 1)] = *packet;
	queue->tail++;
}

void queue_ring(struct queue *queue)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	bar_write(queue->context->client, 0, 0x10000 + queue->id * 4096, queue->tail, 8);
}

bool queue_wait(struct queue *queue, uint64_t completed)
{
	struct client *c = queue->context->client;
	unsigned int vector = 1 + queue->id % (VECTORS - 1);

	while (queue->status->completed < completed && queue->status->state == HBI_QUEUE_LIVE) {
		set_reg64(c, HBI_REG_QUEUE_ARM(queue->id), completed);
		if (!irq_wait(c, vector, PATIENCE_MS))
			die("queue %u stays at %llu of %llu packets", queue->id,
			    (unsigned long long)queue->status->completed,
			    (unsigned long long)completed);
	}
	return queue->status->state == HBI_QUEUE_LIVE;
}

bool queue_do(struct queue *queue, const union hbi_packet *packet)
{
	queue_put(queue, packet);
	queue_ring(queue);
	return queue_wait(queue, queue->tail);
}

enum hbi_error queue_wait_error(struct queue *queue)
{
	if (queue_wait(queue, ~0ull))
		die("queue %u has completed everything", queue->id);
	return queue->status->error;
}

union hbi_packet packet_nop(void)
{
	return (union hbi_packet){ .header.type = HBI_PACKET_NOP };
}

union hbi_packet packet_copy(uint64_t destination, uint64_t source, uint64_t size)
{
	return (union hbi_packet){ .copy = { .header.type = HBI_PACKET_COPY,
					     .source = source,
					     .destination = destination,
					     .size = size } };
}

union hbi_packet packet_fill(uint64_t destination, uint64_t size, uint32_t value)
{
	return (union hbi_packet){ .fill = { .header.type = HBI_PACKET_FILL,
					     .destination = destination,
					     .size = size,
					     .value = value } };
}

union hbi_packet packet_signal(uint64_t address, uint64_t value)
{
	return (union hbi_packet){
		.signal = { .header.type = HBI_PACKET_SIGNAL, .address = address, .value = value }
	};
}

union hbi_packet packet_wait(uint64_t address, uint64_t value)
{
	return (union hbi_packet){
		.signal = { .header.type = HBI_PACKET_WAIT, .address = address, .value = value }
	};
}

union hbi_packet packet_timestamp(uint64_t address)
{
	return (union hbi_packet){ .timestamp = { .header.type = HBI_PACKET_TIMESTAMP,
						  .address = address } };
}

union hbi_packet packet_barrier(void)
{
	return (union hbi_packet){ .header.type = HBI_PACKET_BARRIER };
}

union hbi_packet packet_indirect(uint64_t address, uint64_t count)
{
	return (union hbi_packet){ .indirect = { .header.type = HBI_PACKET_INDIRECT,
						 .address = address,
						 .count = count } };
}

union hbi_packet packet_sync_code(uint64_t address, uint64_t size)
{
	return (union hbi_packet){ .sync_code = { .header.type = HBI_PACKET_SYNC_CODE,
						  .address = address,
						  .size = size } };
}

union hbi_packet packet_dispatch(unsigned int kernel, uint32_t groups, uint64_t args)
{
	return (union hbi_packet){ .dispatch = { .header.type = HBI_PACKET_DISPATCH,
						 .groups = { groups, 1, 1 },
						 .scratch_stride = STRIDE,
						 .code = VA_CODE + kernel * KERNEL_SLOT,
						 .args = args,
						 .scratch = VA_SCRATCH } };
}

uint64_t put_args(struct context *context, uint64_t offset, uint32_t groups, uint64_t out,
		  uint64_t extra)
{
	uint8_t *block = context_data(context) + offset;
	uint32_t grid[4] = { groups, 1, 1, 0 };

	memcpy(block, grid, sizeof(grid));
	memcpy(block + 16, &out, 8);
	memcpy(block + 24, &extra, 8);
	return VA_DATA + offset;
}
