// SPDX-License-Identifier: MIT
/*
 * The admin queue. Its commands come from the host's kernel, which is trusted to choose page tables
 * and bus addresses but not to be free of mistakes: every field is checked, and an unknown or
 * malformed command is answered, not obeyed.
 */
#include "fw.h"

union admin_command {
	struct hbi_admin_header header;
	struct hbi_admin_identify identify;
	struct hbi_admin_telemetry telemetry;
	struct hbi_admin_log_read log_read;
	struct hbi_admin_power_limit power_limit;
	struct hbi_admin_firmware_info firmware_info;
	struct hbi_admin_create_context create_context;
	struct hbi_admin_destroy_context destroy_context;
	struct hbi_admin_invalidate_tlb invalidate_tlb;
	struct hbi_admin_create_queue create_queue;
	struct hbi_admin_destroy_queue destroy_queue;
	u64 words[8];
};

#define BATCH 16

static struct fw_rings rings;
static u32 taken;
static u32 completed;
static union admin_command commands[BATCH] __attribute__((aligned(64)));
static struct hbi_identity identity __attribute__((aligned(64)));

void fw_admin_init(const struct fw_rings *from)
{
	rings = *from;
	identity = fw_board.identity;
	fw_text_copy(identity.firmware_version, fw_version, sizeof(identity.firmware_version));
}

static bool words_zero(const union admin_command *command, u32 first)
{
	for (; first < 8; first++)
		if (command->words[first])
			return false;
	return true;
}

static enum hbi_error admin_nop(const union admin_command *command)
{
	return words_zero(command, 1) ? HBI_OK : HBI_ERROR_FIELD;
}

/* Answers a command with @size bytes of the firmware's memory. */
static enum hbi_error give(u64 address, const void *data, u64 size)
{
	const struct fw_dma_owner owner = { .queue = FW_ADMIN_QUEUE };
	u64 va;

	if (address & 7 || address > fw_board.host_bytes - size)
		return HBI_ERROR_FIELD;
	fw_dma_move(&owner, fw_board.host_window + address, (u64)data, size);
	return fw_dma_wait(FW_ADMIN_QUEUE, &va);
}

static enum hbi_error admin_identify(const union admin_command *command)
{
	if (!words_zero(command, 2))
		return HBI_ERROR_FIELD;
	return give(command->identify.address, &identity, sizeof(identity));
}

static enum hbi_error admin_firmware_info(const union admin_command *command)
{
	if (!words_zero(command, 2))
		return HBI_ERROR_FIELD;
	return give(command->firmware_info.address, &fw_board.firmware, sizeof(fw_board.firmware));
}

static enum hbi_error admin_telemetry(const union admin_command *command)
{
	static struct hbi_telemetry telemetry __attribute__((aligned(64)));
	u32 context = command->telemetry.context;

	if (!words_zero(command, 3) || command->telemetry.reserved0)
		return HBI_ERROR_FIELD;
	if (context && !fw_context_live(context))
		return HBI_ERROR_NO_ENTRY;
	fw_telemetry_read(context, &telemetry);
	return give(command->telemetry.address, &telemetry, sizeof(telemetry));
}

static enum hbi_error admin_log_read(const union admin_command *command)
{
	static struct hbi_log log __attribute__((aligned(64)));

	if (!words_zero(command, 3))
		return HBI_ERROR_FIELD;
	fw_log_read(command->log_read.first, &log);
	return give(command->log_read.address, &log, sizeof(log));
}

static enum hbi_error admin_power_limit(const union admin_command *command)
{
	if (!words_zero(command, 2) || command->power_limit.reserved0)
		return HBI_ERROR_FIELD;
	return fw_power_limit(command->power_limit.limit_mw);
}

static enum hbi_error admin_create_context(const union admin_command *command)
{
	if (!words_zero(command, 3) || command->create_context.reserved0)
		return HBI_ERROR_FIELD;
	return fw_context_create(command->create_context.context, command->create_context.root);
}

static enum hbi_error admin_destroy_context(const union admin_command *command)
{
	if (!words_zero(command, 2) || command->destroy_context.reserved0)
		return HBI_ERROR_FIELD;
	return fw_context_destroy(command->destroy_context.context);
}

static enum hbi_error admin_invalidate_tlb(const union admin_command *command)
{
	const struct hbi_admin_invalidate_tlb *c = &command->invalidate_tlb;
	u64 end;

	if (!words_zero(command, 4) || c->reserved0 || c->address & (FW_PAGE_BYTES - 1) ||
	    c->size & (FW_PAGE_BYTES - 1))
		return HBI_ERROR_FIELD;
	if (__builtin_add_overflow(c->address, c->size, &end) || end > FW_VA_END)
		return HBI_ERROR_FIELD;
	if (!fw_context_live(c->context))
		return HBI_ERROR_NO_ENTRY;
	fw_hart_synchronize();
	return HBI_OK;
}

static enum hbi_error admin_create_queue(const union admin_command *command)
{
	if (!words_zero(command, 6) || command->create_queue.reserved0)
		return HBI_ERROR_FIELD;
	return fw_queue_create(&command->create_queue);
}

static enum hbi_error admin_destroy_queue(const union admin_command *command)
{
	if (!words_zero(command, 2) || command->destroy_queue.reserved0)
		return HBI_ERROR_FIELD;
	return fw_queue_destroy(command->destroy_queue.queue);
}

static enum hbi_error (*const handlers[])(const union admin_command *command) = {
	[HBI_ADMIN_NOP] = admin_nop,
	[HBI_ADMIN_IDENTIFY] = admin_identify,
	[HBI_ADMIN_CREATE_CONTEXT] = admin_create_context,
	[HBI_ADMIN_DESTROY_CONTEXT] = admin_destroy_context,
	[HBI_ADMIN_INVALIDATE_TLB] = admin_invalidate_tlb,
	[HBI_ADMIN_CREATE_QUEUE] = admin_create_queue,
	[HBI_ADMIN_DESTROY_QUEUE] = admin_destroy_queue,
	[HBI_ADMIN_TELEMETRY] = admin_telemetry,
	[HBI_ADMIN_LOG_READ] = admin_log_read,
	[HBI_ADMIN_POWER_LIMIT] = admin_power_limit,
	[HBI_ADMIN_FIRMWARE_INFO] = admin_firmware_info,
};

static enum hbi_error execute(const union admin_command *command)
{
	u32 opcode = command->header.opcode;

	if (opcode >= sizeof(handlers) / sizeof(handlers[0]) || !handlers[opcode])
		return HBI_ERROR_OPCODE;
	if (command->header.reserved)
		return HBI_ERROR_FIELD;
	return handlers[opcode](command);
}

static void complete(const union admin_command *command, enum hbi_error status)
{
	const struct fw_dma_owner driver = { .queue = FW_NO_QUEUE };
	u32 slot = completed & ((1u << rings.admin_cq_log2) - 1);
	struct hbi_admin_completion completion = {
		.sequence = completed + 1,
		.id = command->header.id,
		.status = status,
	};

	fw_dma_record(&driver, fw_board.host_window + rings.admin_cq + slot * sizeof(completion),
		      &completion, sizeof(completion));
	completed++;
}

bool fw_admin_step(void)
{
	const struct fw_dma_owner driver = { .queue = FW_NO_QUEUE };
	u32 entries = 1u << rings.admin_sq_log2;
	u32 waiting = fw_platform.admin_tail() - taken;
	u32 slot = taken & (entries - 1);
	u32 count, i;
	u64 va;

	if (!waiting)
		return false;
	if (waiting > entries)
		fw_event_fatal("admin tail is more than a ring ahead");
	count = fw_min(fw_min(waiting, BATCH), entries - slot);
	fw_dma_move(&driver, (u64)commands,
		    fw_board.host_window + rings.admin_sq + slot * sizeof(commands[0]),
		    count * sizeof(commands[0]));
	fw_dma_wait(FW_NO_QUEUE, &va);
	taken += count;
	for (i = 0; i < count; i++)
		complete(&commands[i], execute(&commands[i]));
	fw_dma_interrupt(HBI_VECTOR_ADMIN);
	return true;
}
