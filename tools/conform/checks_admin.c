// SPDX-License-Identifier: MIT
/* The admin queue: completions, each command, each field that must be refused; fatal events. */
#include <string.h>
#include "conform.h"

static void nop(struct board *board)
{
	volatile struct hbi_admin_completion *completion;
	uint32_t number, i;

	for (i = 0; i < 3u << RING_LOG2; i++) {
		number = board->admin_tail;
		completion = (void *)(board->host + HOST_CQ +
				      (number & ((1u << RING_LOG2) - 1)) * sizeof(*completion));
		EQUAL(admin_simple(board, HBI_ADMIN_NOP, 0), HBI_OK);
		EQUAL(completion->sequence, number + 1);
		EQUAL(completion->result, 0);
		EQUAL(completion->reserved[0] | completion->reserved[1], 0);
	}
}

static void interrupts(struct board *board)
{
	struct hbi_admin_header *slot =
		(void *)(board->host + HOST_SQ +
			 (board->admin_tail & ((1u << RING_LOG2) - 1)) * 64);

	memset(slot, 0, 64);
	rest(board, 20);
	while (board->transport->interrupt(board, HBI_VECTOR_ADMIN, 0))
		;
	board->admin_tail++;
	set_reg(board, HBI_REG_ADMIN_TAIL, board->admin_tail, 4);
	EXPECT(board->transport->interrupt(board, HBI_VECTOR_ADMIN, board->admin_ms));
}

static void batch(struct board *board)
{
	uint32_t mask = (1u << RING_LOG2) - 1, first = board->admin_tail, i;
	volatile struct hbi_admin_completion *ring = (void *)(board->host + HOST_CQ);

	/* A whole ring at once; every third command is unknown. */
	for (i = 0; i <= mask; i++) {
		struct hbi_admin_header *slot =
			(void *)(board->host + HOST_SQ + ((first + i) & mask) * 64);

		memset(slot, 0, 64);
		slot->opcode = i % 3 ? HBI_ADMIN_NOP : 0xfff0;
		slot->id = 1000 + i;
	}
	board->admin_tail += mask + 1;
	set_reg(board, HBI_REG_ADMIN_TAIL, board->admin_tail, 4);
	for (i = 0; i < board->admin_ms && ring[(first + mask) & mask].sequence != first + mask + 1;
	     i += 10)
		board->transport->interrupt(board, HBI_VECTOR_ADMIN, 10);
	for (i = 0; i <= mask; i++) {
		EQUAL(ring[(first + i) & mask].sequence, first + i + 1);
		EQUAL(ring[(first + i) & mask].id, 1000 + i);
		EQUAL(ring[(first + i) & mask].status, i % 3 ? HBI_OK : HBI_ERROR_OPCODE);
	}
}

static void unknown(struct board *board)
{
	static const uint16_t opcodes[] = { 100, 0x7fff, 0xffff };
	size_t i;

	for (i = 0; i < sizeof(opcodes) / sizeof(opcodes[0]); i++)
		EQUAL(admin_simple(board, opcodes[i], 0), HBI_ERROR_OPCODE);
}

/* Each reserved word of each command, one at a time. */
static void reserved(struct board *board)
{
	static const struct {
		uint16_t opcode;
		uint8_t first; /* reserved word of 64 bits */
		bool half;     /* bytes 12 to 15 as well */
	} commands[] = {
		{ HBI_ADMIN_NOP, 1, false },	       { HBI_ADMIN_IDENTIFY, 2, false },
		{ HBI_ADMIN_CREATE_CONTEXT, 3, true }, { HBI_ADMIN_DESTROY_CONTEXT, 2, true },
		{ HBI_ADMIN_INVALIDATE_TLB, 4, true }, { HBI_ADMIN_CREATE_QUEUE, 6, false },
		{ HBI_ADMIN_DESTROY_QUEUE, 2, true },  { HBI_ADMIN_FIRMWARE_INFO, 2, false },
	};
	size_t i;
	int word;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		uint64_t words[8] = { commands[i].opcode | 1ull << 32 };

		EQUAL(admin(board, words), HBI_ERROR_FIELD);
		words[0] = commands[i].opcode;
		for (word = commands[i].first; word < 8; word++) {
			words[word] = 1ull << 63;
			EQUAL(admin(board, words), HBI_ERROR_FIELD);
			words[word] = 0;
		}
		words[1] = 1ull << 40;
		if (commands[i].half)
			EQUAL(admin(board, words), HBI_ERROR_FIELD);
	}
}

static bool text_ends(const uint8_t *text, size_t bytes)
{
	return memchr(text, 0, bytes) != NULL;
}

static void identify(struct board *board)
{
	struct hbi_admin_identify command = {
		.header.opcode = HBI_ADMIN_IDENTIFY,
		.address = board->host_bus + HOST_FREE + 8,
	};
	uint8_t *at = board->host + HOST_FREE;
	struct hbi_identity *identity = (void *)(at + 8);

	memset(at, 0xee, 512);
	EQUAL(admin(board, &command), HBI_OK);
	EXPECT(text_ends(identity->board_name, sizeof(identity->board_name)));
	EXPECT(text_ends(identity->serial, sizeof(identity->serial)));
	EXPECT(text_ends(identity->firmware_version, sizeof(identity->firmware_version)));
	EXPECT(text_ends(identity->isa, sizeof(identity->isa)));
	EXPECT(text_ends(identity->vendor, sizeof(identity->vendor)));
	EXPECT(identity->board_name[0]);
	if (board->caps & HBI_CAP_COMPUTE)
		EXPECT(!strncmp((const char *)identity->isa, "rv64", 4));
	EQUAL(at[7], 0xee);
	EQUAL(at[8 + sizeof(*identity)], 0xee);
	command.address += 4;
	EQUAL(admin(board, &command), HBI_ERROR_FIELD);
	command.address = ~7ull;
	EQUAL(admin(board, &command), HBI_ERROR_FIELD);
}

static void identify_refused(struct board *board)
{
	struct hbi_admin_identify command = {
		.header.opcode = HBI_ADMIN_IDENTIFY,
		.address = UNMAPPED_BUS,
	};

	if (!board->translated)
		leave_out("without an IOMMU a wild address would reach memory of others");
	EQUAL(admin(board, &command), HBI_ERROR_HOST_DMA);
	EQUAL(admin_simple(board, HBI_ADMIN_NOP, 0), HBI_OK);
}

static void firmware_info(struct board *board)
{
	struct hbi_admin_firmware_info command = {
		.header.opcode = HBI_ADMIN_FIRMWARE_INFO,
		.address = board->host_bus + HOST_FREE,
	};
	const struct hbi_fw_header *header = (const void *)board->image;
	struct hbi_firmware_info *info = (void *)(board->host + HOST_FREE);
	size_t i;

	memset(info, 0xee, sizeof(*info));
	EQUAL(admin(board, &command), HBI_OK);
	EXPECT(!strncmp((char *)info->version, (const char *)header->version,
			sizeof(info->version)));
	EQUAL(info->flags, board->locked ? HBI_FIRMWARE_VERIFIED | HBI_FIRMWARE_LOCKED : 0);
	EQUAL(info->image_bytes, header->image_bytes);
	EQUAL(info->rollback, header->rollback);
	EXPECT(info->boots >= 1);
	if (board->locked)
		EXPECT(!memcmp(info->key_id, header->key_id, sizeof(info->key_id)));
	EQUAL(info->watchdog_ms > 0, (board->caps & HBI_CAP_WATCHDOG) != 0);
	for (i = 0; i < sizeof(info->reserved); i++)
		EQUAL(info->reserved[i], 0);
	command.address += 4;
	EQUAL(admin(board, &command), HBI_ERROR_FIELD);
}

static void contexts(struct board *board)
{
	uint64_t root = board->aperture_base;

	memset(board->aperture, 0, 4096);
	EQUAL(create_context(board, 0, root), HBI_ERROR_FIELD);
	EQUAL(create_context(board, board->contexts + 1, root), HBI_ERROR_FIELD);
	EQUAL(create_context(board, ~0u, root), HBI_ERROR_FIELD);
	EQUAL(create_context(board, 1, root + 8), HBI_ERROR_FIELD);
	EQUAL(create_context(board, 1, board->aperture_base + board->aperture_bytes),
	      HBI_ERROR_FIELD);
	if (board->dram_base != board->aperture_base)
		EQUAL(create_context(board, 1, board->dram_base & ~4095ull), HBI_ERROR_FIELD);
	EQUAL(create_context(board, 1, board->host_window + board->host_bus), HBI_ERROR_FIELD);
	EQUAL(admin_simple(board, HBI_ADMIN_DESTROY_CONTEXT, 1), HBI_ERROR_NO_ENTRY);
	EQUAL(create_context(board, 1, root), HBI_OK);
	EQUAL(create_context(board, 1, root), HBI_ERROR_EXISTS);
	EQUAL(admin_simple(board, HBI_ADMIN_DESTROY_CONTEXT, 1), HBI_OK);
	EQUAL(admin_simple(board, HBI_ADMIN_DESTROY_CONTEXT, 1), HBI_ERROR_NO_ENTRY);
	board->contexts_made = 0;
}

static void all_contexts(struct board *board)
{
	uint32_t count = board->contexts < 63 ? board->contexts : 63, id;

	memset(board->aperture, 0, 4096);
	for (id = 1; id <= count; id++)
		EQUAL(create_context(board, id, board->aperture_base), HBI_OK);
	for (id = 1; id <= count; id++) {
		EQUAL(admin_simple(board, HBI_ADMIN_DESTROY_CONTEXT, id), HBI_OK);
		board->contexts_made &= ~(1ull << id);
	}
}

static void invalidations(struct board *board)
{
	struct hbi_admin_invalidate_tlb command = { .header.opcode = HBI_ADMIN_INVALIDATE_TLB,
						    .context = 1 };

	EQUAL(admin(board, &command), HBI_ERROR_NO_ENTRY);
	memset(board->aperture, 0, 4096);
	EQUAL(create_context(board, 1, board->aperture_base), HBI_OK);
	EQUAL(admin(board, &command), HBI_OK);
	command.address = 0x1000;
	command.size = 0x2000;
	EQUAL(admin(board, &command), HBI_OK);
	command.address = 0x1008;
	EQUAL(admin(board, &command), HBI_ERROR_FIELD);
	command.address = 0x1000;
	command.size = 0x800;
	EQUAL(admin(board, &command), HBI_ERROR_FIELD);
	command.size = ~0xfffull;
	EQUAL(admin(board, &command), HBI_ERROR_FIELD);
}

static void queues(struct board *board)
{
	struct hbi_admin_create_queue good = {
		.header.opcode = HBI_ADMIN_CREATE_QUEUE,
		.context = 1,
		.ring = 0x1000,
		.status = board->host_bus + HOST_STATUS,
		.ring_log2 = 1,
	};
	struct hbi_admin_create_queue bad;

#define REFUSED(field, value, error)              \
	do {                                      \
		bad = good;                       \
		bad.field = (value);              \
		EQUAL(admin(board, &bad), error); \
	} while (0)

	REFUSED(priority, 0, HBI_ERROR_NO_ENTRY);
	memset(board->aperture, 0, 4096);
	EQUAL(create_context(board, 1, board->aperture_base), HBI_OK);
	REFUSED(queue, board->queues, HBI_ERROR_FIELD);
	REFUSED(queue, ~0u, HBI_ERROR_FIELD);
	REFUSED(context, 0, HBI_ERROR_NO_ENTRY);
	REFUSED(context, ~0u, HBI_ERROR_NO_ENTRY);
	REFUSED(ring, 0x1010, HBI_ERROR_FIELD);
	REFUSED(ring, (1ull << HBI_VA_BITS) - 64, HBI_ERROR_FIELD);
	REFUSED(ring, ~0ull << 6, HBI_ERROR_FIELD);
	REFUSED(status, board->host_bus + HOST_STATUS + 8, HBI_ERROR_FIELD);
	REFUSED(status, 1ull << board->host_bits, HBI_ERROR_FIELD);
	REFUSED(ring_log2, board->ring_log2 + 1, HBI_ERROR_FIELD);
	REFUSED(ring_log2, 0xffff, HBI_ERROR_FIELD);
	REFUSED(vector, 0xffff, HBI_ERROR_FIELD);
	REFUSED(priority, 4, HBI_ERROR_FIELD);
	REFUSED(reserved0, 1, HBI_ERROR_FIELD);
	if (board->translated)
		REFUSED(status, UNMAPPED_BUS, HBI_ERROR_HOST_DMA);
	EQUAL(admin_simple(board, HBI_ADMIN_DESTROY_QUEUE, 0), HBI_ERROR_NO_ENTRY);
	EQUAL(admin_simple(board, HBI_ADMIN_DESTROY_QUEUE, board->queues), HBI_ERROR_FIELD);
	EQUAL(admin(board, &good), HBI_OK);
	board->queues_made |= 1;
	EQUAL(admin(board, &good), HBI_ERROR_EXISTS);
	EQUAL(admin_simple(board, HBI_ADMIN_DESTROY_CONTEXT, 1), HBI_ERROR_BUSY);
}

static void queue_life(struct board *board)
{
	struct queue queue = make_queue(context_of(board, 1), 0, 1, 0);
	uint64_t word;

	/* All of the block was written, over the pattern that was there. */
	EQUAL(queue.status->error, 0);
	EQUAL(queue.status->fault_address, 0);
	EQUAL(queue.status->fault_packet, 0);
	EQUAL(queue.status->reserved[0] | queue.status->reserved[2], 0);
	drop_queue(&queue);
	EQUAL(queue.status->state, HBI_QUEUE_NONE);
	memset((void *)queue.status, 0x77, sizeof(*queue.status));
	doorbell(board, 0, 1, 8, 0);
	set_reg(board, HBI_REG_QUEUE_ARM(0), 0, 8);
	rest(board, 100);
	memcpy(&word, (void *)queue.status, sizeof(word));
	EQUAL(word, 0x7777777777777777);
	EQUAL(queue.status->fetched, 0x7777777777777777);
}

static void all_queues(struct board *board)
{
	uint32_t count = board->queues < 64 ? board->queues : 64, i;
	struct context *context = context_of(board, 1);
	struct queue queue;

	for (i = 0; i < count; i++) {
		queue = make_queue(context, i, 1, 0);
		memset(queue.ring, 0, 2 * HBI_PACKET_SIZE);
		do_packet(&queue, nop_packet());
	}
}

static void tail_too_far(struct board *board)
{
	struct hbi_event event;

	board->running = false;
	set_reg(board, HBI_REG_ADMIN_TAIL, board->admin_tail + (1u << RING_LOG2) + 1, 4);
	EQUAL(leave_state(board, HBI_STATE_RUNNING), HBI_STATE_FAILED);
	EQUAL(boot_error_of(board), HBI_BOOT_FIRMWARE);
	do
		EXPECT(next_event(board, &event, 1000));
	while (event.type == HBI_EVENT_LOG);
	EQUAL(event.type, HBI_EVENT_FATAL);
	EXPECT(text_ends(event.text, sizeof(event.text)));
}

static struct hbi_log *read_log(struct board *board, uint64_t first)
{
	struct hbi_admin_log_read command = {
		.header.opcode = HBI_ADMIN_LOG_READ,
		.address = board->host_bus + HOST_FREE + 8,
		.first = first,
	};
	uint8_t *at = board->host + HOST_FREE;
	struct hbi_log *log = (void *)(at + 8);
	uint32_t i;

	memset(at, 0xee, sizeof(*log) + 16);
	EQUAL(admin(board, &command), HBI_OK);
	EQUAL(at[7], 0xee);
	EQUAL(at[8 + sizeof(*log)], 0xee);
	EXPECT(log->count <= HBI_LOG_ENTRIES);
	EXPECT(log->next <= log->end);
	for (i = 0; i < HBI_LOG_ENTRIES; i++) {
		const struct hbi_log_entry *entry = &log->entries[i];

		if (i >= log->count) {
			EQUAL(entry->number | entry->ticks | entry->boot | entry->text[0], 0);
			continue;
		}
		EXPECT(entry->number >= first && entry->number < log->next);
		EXPECT(!i || entry->number > entry[-1].number);
		EXPECT(entry->level <= HBI_LOG_DEBUG);
		EXPECT(text_ends(entry->text, sizeof(entry->text)));
	}
	return log;
}

static void log_read(struct board *board)
{
	struct hbi_admin_log_read wrong = {
		.header.opcode = HBI_ADMIN_LOG_READ,
		.address = board->host_bus + HOST_FREE + 4,
	};
	uint64_t next = 0, before;
	struct hbi_log *log;
	int rounds = 0;

	/* All of it; then nothing is left, and what comes is there. */
	do {
		log = read_log(board, next);
		EXPECT(log->next > next || log->next == log->end);
		next = log->next;
	} while (log->next != log->end && ++rounds < 100000);
	EXPECT(log->end > 0);
	before = log->end;
	EQUAL(read_log(board, before)->count, 0);
	log = read_log(board, ~0ull);
	EQUAL(log->count, 0);
	EQUAL(log->next, log->end);
	packet_fails(context_of(board, 1), value_packet(HBI_PACKET_SIGNAL, VA_SPARE, 1),
		     HBI_ERROR_STORE, VA_SPARE);
	log = read_log(board, before);
	EXPECT(log->count >= 1);
	EXPECT(log->entries[0].text[0]);
	EQUAL(admin(board, &wrong), HBI_ERROR_FIELD);
	wrong.address += 4;
	wrong.reserved[0] = 1;
	EQUAL(admin(board, &wrong), HBI_ERROR_FIELD);
}

/* The boots have entries, the newest of them this one's. */
static void log_boots(struct board *board)
{
	struct hbi_admin_firmware_info info = {
		.header.opcode = HBI_ADMIN_FIRMWARE_INFO,
		.address = board->host_bus + HOST_FREE + 0x4000,
	};
	uint64_t next = 0, boots;
	struct hbi_log *log;
	bool found = false;
	uint32_t i;

	EQUAL(admin(board, &info), HBI_OK);
	boots = ((struct hbi_firmware_info *)(board->host + HOST_FREE + 0x4000))->boots;
	do {
		log = read_log(board, next);
		next = log->next;
		for (i = 0; i < log->count; i++) {
			EXPECT(log->entries[i].boot <= boots);
			found |= log->entries[i].boot == boots;
		}
	} while (next != log->end);
	EXPECT(found);
}

const struct check checks_admin[] = {
	{ "admin-nop", "ADM.NOP ADM-1 ADM-2 ADM-3 REG.ADMIN_TAIL",
	  "completions carry sequence, id and zeros", NEED_RUNNING, 0, nop },
	{ "admin-interrupt", "ADM-2", "vector 0 is raised after completions", NEED_RUNNING, 0,
	  interrupts },
	{ "admin-batch", "ADM-1 ADM-2", "a ring of commands is executed in order", NEED_RUNNING, 0,
	  batch },
	{ "admin-unknown", "ERR.OPCODE ADM-6", "unknown commands are answered", NEED_RUNNING, 0,
	  unknown },
	{ "admin-reserved", "CON-2 ERR.FIELD ADM-6", "reserved fields must be zero", NEED_RUNNING,
	  0, reserved },
	{ "admin-identify", "ADM.IDENTIFY ADM-4", "IDENTIFY writes its texts and nothing beside",
	  NEED_RUNNING, 0, identify },
	{ "admin-refused", "ERR.HOST_DMA ADM-6", "an address that the host refuses", NEED_RUNNING,
	  0, identify_refused },
	{ "admin-firmware-info", "ADM.FIRMWARE_INFO ADM-5 CAP.WATCHDOG",
	  "FIRMWARE_INFO tells of the image that runs", NEED_RUNNING, 0, firmware_info },
	{ "admin-log", "ADM.LOG_READ LOG-1 LOG-2 LOG-3 CAP.LOG",
	  "LOG_READ gives entries in order, and the one of a fault", NEED_RUNNING, HBI_CAP_LOG,
	  log_read },
	{ "admin-log-boots", "LOG-2 LOG-3", "this boot is in the log", NEED_RUNNING, HBI_CAP_LOG,
	  log_boots },
	{ "admin-contexts", "ADM.CREATE_CONTEXT ADM.DESTROY_CONTEXT ERR.EXISTS ERR.NO_ENTRY ADM-6",
	  "contexts are made, refused and destroyed", NEED_RUNNING, 0, contexts },
	{ "admin-all-contexts", "REG-2 ADM.CREATE_CONTEXT", "as many contexts as LIMITS says",
	  NEED_RUNNING, 0, all_contexts },
	{ "admin-invalidate", "ADM.INVALIDATE_TLB", "ranges of INVALIDATE_TLB are checked",
	  NEED_RUNNING, 0, invalidations },
	{ "admin-queues", "ADM.CREATE_QUEUE ADM.DESTROY_QUEUE ADM-7 ERR.BUSY",
	  "each field of CREATE_QUEUE is checked", NEED_RUNNING, 0, queues },
	{ "admin-queue-life", "ADM-7 ADM-8 STS-1 DBL-1",
	  "the status block is written whole, and never after the end", NEED_RUNNING, 0,
	  queue_life },
	{ "admin-all-queues", "REG-2 ADM.CREATE_QUEUE", "as many queues as LIMITS says",
	  NEED_RUNNING, 0, all_queues },
	{ "admin-tail", "ADM-1 EVT.FATAL BOO.FIRMWARE", "a tail more than a ring ahead is fatal",
	  NEED_RUNNING, 0, tail_too_far },
	{ 0 },
};
