// SPDX-License-Identifier: MIT
/*
 * From discovery to a running board: configuration space, each way a boot can fail, admin commands
 * and their errors, resets, and what happens to a board that misbehaves or whose client does.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/pci_regs.h>
#include "client.h"
#include "../../tools/conform/vfio_user.h"

static struct client board;

static uint32_t find_capability(uint8_t id)
{
	uint32_t at = config_read(&board, PCI_CAPABILITY_LIST, 1);
	int steps;

	for (steps = 0; at && steps < 48; steps++) {
		if (config_read(&board, at, 1) == id)
			return at;
		at = config_read(&board, at + 1, 1);
	}
	return 0;
}

static uint32_t find_dvsec(void)
{
	uint32_t at = 0x100;
	int steps;

	for (steps = 0; at && steps < 100; steps++) {
		uint32_t header = config_read(&board, at, 4);

		if ((header & 0xffff) == 0x23 &&
		    (config_read(&board, at + 4, 4) & 0xffff) == HBI_DVSEC_VENDOR &&
		    config_read(&board, at + 8, 2) == HBI_DVSEC_ID)
			return at;
		at = header >> 20;
	}
	return 0;
}

static void test_discovery(void)
{
	uint32_t msix, pcie, dvsec;

	CHECK_EQUAL(config_read(&board, PCI_CLASS_REVISION, 4) >> 8, HBI_PCI_CLASS);
	msix = find_capability(PCI_CAP_ID_MSIX);
	CHECK(msix);
	CHECK_EQUAL(config_read(&board, msix + PCI_MSIX_FLAGS, 2) & PCI_MSIX_FLAGS_QSIZE, 31);
	CHECK_EQUAL(config_read(&board, msix + PCI_MSIX_TABLE, 4), 4);
	CHECK(find_capability(PCI_CAP_ID_PM));
	pcie = find_capability(PCI_CAP_ID_EXP);
	CHECK(pcie);
	CHECK(config_read(&board, pcie + PCI_EXP_DEVCAP, 4) & PCI_EXP_DEVCAP_FLR);
	dvsec = find_dvsec();
	CHECK(dvsec);
	CHECK_EQUAL(config_read(&board, dvsec + 4, 4) >> 20, HBI_DVSEC_LENGTH);
	CHECK_EQUAL(config_read(&board, dvsec + HBI_DVSEC_VERSION, 2), 0x100);
	CHECK_EQUAL(config_read(&board, dvsec + HBI_DVSEC_SIGNATURE, 4), HBI_SIGNATURE);
	CHECK_EQUAL(HBI_DVSEC_BIR(config_read(&board, dvsec + HBI_DVSEC_REGISTERS, 4)), 0);
	CHECK_EQUAL(HBI_DVSEC_OFFSET(config_read(&board, dvsec + HBI_DVSEC_DOORBELLS, 4)), 0x10000);
	CHECK_EQUAL(HBI_DVSEC_BIR(config_read(&board, dvsec + HBI_DVSEC_APERTURE, 4)), 2);
}

static void test_registers(void)
{
	uint64_t limits = reg64(&board, HBI_REG_LIMITS);

	CHECK_EQUAL(reg32(&board, HBI_REG_MAGIC), HBI_MAGIC);
	CHECK_EQUAL(reg32(&board, HBI_REG_VERSION), 1 << 16);
	CHECK_EQUAL(reg64(&board, HBI_REG_CAPS) &
			    (HBI_CAP_COMPUTE | HBI_CAP_RVV | HBI_CAP_TIMEOUT |
			     HBI_CAP_SIGNED_FIRMWARE | HBI_CAP_WATCHDOG | HBI_CAP_HOST_ACCESS),
		    HBI_CAP_COMPUTE | HBI_CAP_RVV | HBI_CAP_TIMEOUT | HBI_CAP_SIGNED_FIRMWARE |
			    HBI_CAP_WATCHDOG);
	CHECK_EQUAL(HBI_LIMIT_QUEUES(limits), 64);
	CHECK_EQUAL(HBI_LIMIT_CONTEXTS(limits), 64);
	CHECK_EQUAL(HBI_LIMIT_DOORBELL_LOG2(limits), 12);
	CHECK_EQUAL(HBI_LIMIT_HOST_ADDRESS(limits), 48);
	CHECK_EQUAL(HBI_LIMIT_RING_LOG2(limits), 16);
	CHECK_EQUAL(reg32(&board, HBI_REG_CORES), 2 | 256 << 16);
	CHECK_EQUAL(reg64(&board, HBI_REG_APERTURE_SIZE), board.aperture_bytes);
	CHECK(reg64(&board, HBI_REG_DRAM_BASE) < board.aperture_base);
	CHECK(reg32(&board, HBI_REG_TIMEOUTS) & 0xffff);
	CHECK_EQUAL(board_state(&board), HBI_STATE_IDLE);
	CHECK_EQUAL(reg32(&board, HBI_REG_UUID), reg64(&board, HBI_REG_UUID) & 0xffffffff);
	/* 64-bit registers may be written in halves. */
	set_reg32(&board, HBI_REG_FW_ADDRESS, 0x11223344);
	set_reg32(&board, HBI_REG_FW_ADDRESS + 4, 0x55667788);
	CHECK_EQUAL(reg64(&board, HBI_REG_FW_ADDRESS), 0x5566778811223344);
}

/* Boots a damaged image and expects @state with @error; leaves the board IDLE. */
static void boot_fails(void (*damage)(uint8_t *image, size_t *size), enum hbi_state state,
		       enum hbi_boot_error error)
{
	uint32_t generation = reg32(&board, HBI_REG_GENERATION);
	size_t size;
	uint8_t *image = read_file(firmware_path, &size);

	damage(image, &size);
	CHECK_EQUAL(boot_image(&board, image, size), state);
	CHECK_EQUAL(board_error(&board), error);
	free(image);
	/* FAILED obeys nothing but RESET; RESCUE has no rings to enable. */
	set_reg32(&board, HBI_REG_CONTROL,
		  state == HBI_STATE_FAILED ? HBI_CONTROL_BOOT : HBI_CONTROL_ENABLE);
	CHECK_EQUAL(board_state(&board), state);
	set_reg32(&board, HBI_REG_CONTROL, HBI_CONTROL_RESET);
	CHECK_EQUAL(board_state(&board), HBI_STATE_IDLE);
	CHECK_EQUAL(board_error(&board), HBI_BOOT_OK);
	CHECK_EQUAL(reg32(&board, HBI_REG_GENERATION), generation + 1);
	CHECK_EQUAL(reg32(&board, HBI_REG_CONTROL), 0);
}

#define HEADER(image) ((struct hbi_fw_header *)(image))

static void damage_magic(uint8_t *image, size_t *size)
{
	(void)size;
	HEADER(image)->magic ^= 1;
}

static void damage_version(uint8_t *image, size_t *size)
{
	(void)size;
	HEADER(image)->hbi_version = 2 << 16;
}

static void damage_load(uint8_t *image, size_t *size)
{
	(void)size;
	HEADER(image)->load_address += 4096;
}

static void damage_size(uint8_t *image, size_t *size)
{
	(void)image;
	*size -= 8;
}

static void damage_memory(uint8_t *image, size_t *size)
{
	(void)size;
	HEADER(image)->memory_bytes = ~0ull;
}

static void damage_reserved(uint8_t *image, size_t *size)
{
	(void)size;
	HEADER(image)->reserved[sizeof(HEADER(image)->reserved) - 1] = 1;
}

static void damage_short(uint8_t *image, size_t *size)
{
	(void)image;
	*size = 64;
}

static void damage_body(uint8_t *image, size_t *size)
{
	image[*size - 1] ^= 0x80;
}

/* A right image of a program that never reports. */
static void damage_program(uint8_t *image, size_t *size)
{
	static const uint32_t loop[] = { 0x10500073, 0xffdff06f }; /* wfi; j .-4 */
	uint32_t crc = ~0u;
	size_t i;
	int bit;

	memcpy(image + HBI_FW_HEADER_SIZE, loop, sizeof(loop));
	for (i = HBI_FW_HEADER_SIZE; i < *size; i++) {
		crc ^= image[i];
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	HEADER(image)->crc32 = ~crc;
}

static void test_bad_images(void)
{
	boot_fails(damage_magic, HBI_STATE_RESCUE, HBI_BOOT_BAD_HEADER);
	boot_fails(damage_version, HBI_STATE_RESCUE, HBI_BOOT_BAD_VERSION);
	boot_fails(damage_load, HBI_STATE_RESCUE, HBI_BOOT_BAD_HEADER);
	boot_fails(damage_size, HBI_STATE_RESCUE, HBI_BOOT_BAD_HEADER);
	boot_fails(damage_memory, HBI_STATE_RESCUE, HBI_BOOT_BAD_HEADER);
	boot_fails(damage_reserved, HBI_STATE_RESCUE, HBI_BOOT_BAD_HEADER);
	boot_fails(damage_short, HBI_STATE_RESCUE, HBI_BOOT_BAD_HEADER);
	boot_fails(damage_body, HBI_STATE_RESCUE, HBI_BOOT_BAD_CHECKSUM);
}

static void test_bad_address(void)
{
	static const struct {
		uint64_t address;
		uint64_t size;
	} cases[] = {
		{ 0, 4096 },
		{ 0x80000000, 4096 }, /* the firmware's own memory */
		{ 0x81000000, 1ull << 40 },
		{ 0x81000000 + (512ull << 20), 4096 },
		{ 0x81000004, 4096 },
		{ ~0ull, 4096 },
		{ 0x81000000, ~0ull },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		set_reg64(&board, HBI_REG_FW_ADDRESS, cases[i].address);
		set_reg64(&board, HBI_REG_FW_SIZE, cases[i].size);
		set_reg32(&board, HBI_REG_CONTROL, HBI_CONTROL_BOOT);
		CHECK_EQUAL(wait_state_change(&board, HBI_STATE_BOOTING), HBI_STATE_RESCUE);
		CHECK_EQUAL(board_error(&board), HBI_BOOT_BAD_ADDRESS);
		set_reg32(&board, HBI_REG_CONTROL, HBI_CONTROL_RESET);
	}
}

static void test_silent_firmware(void)
{
	boot_fails(damage_program, HBI_STATE_FAILED, HBI_BOOT_TIMEOUT);
}

static void test_bad_rings(void)
{
	static const struct {
		uint64_t sq;
		uint32_t sizes;
	} cases[] = {
		{ HOST_BUS, 0 },
		{ HOST_BUS, 4 | 4 << 8 | 13 << 16 },
		{ HOST_BUS, 4 | 4 << 8 | 6 << 16 | 1 << 24 },
		{ HOST_BUS + 8, 4 | 4 << 8 | 6 << 16 },
		{ (1ull << 48) - 512, 4 | 4 << 8 | 6 << 16 },
	};
	size_t i, size;
	uint8_t *image = read_file(firmware_path, &size);

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CHECK_EQUAL(boot_image(&board, image, size), HBI_STATE_READY);
		set_reg64(&board, HBI_REG_ADMIN_SQ, cases[i].sq);
		set_reg64(&board, HBI_REG_ADMIN_CQ, HOST_BUS + HOST_CQ);
		set_reg64(&board, HBI_REG_EVENT_RING, HOST_BUS + HOST_EVENTS);
		set_reg32(&board, HBI_REG_RING_SIZES, cases[i].sizes);
		set_reg32(&board, HBI_REG_CONTROL, HBI_CONTROL_ENABLE);
		CHECK_EQUAL(board_state(&board), HBI_STATE_FAILED);
		CHECK_EQUAL(board_error(&board), HBI_BOOT_BAD_RINGS);
		set_reg32(&board, HBI_REG_CONTROL, HBI_CONTROL_RESET);
	}
	free(image);
}

static void test_rings_out_of_reach(void)
{
	size_t size;
	uint8_t *image = read_file(firmware_path, &size);

	CHECK_EQUAL(boot_image(&board, image, size), HBI_STATE_READY);
	free(image);
	set_reg64(&board, HBI_REG_ADMIN_SQ, 0xdead0000);
	set_reg64(&board, HBI_REG_ADMIN_CQ, HOST_BUS + HOST_CQ);
	set_reg64(&board, HBI_REG_EVENT_RING, HOST_BUS + HOST_EVENTS);
	set_reg32(&board, HBI_REG_RING_SIZES, 4 | 4 << 8 | 6 << 16);
	set_reg32(&board, HBI_REG_CONTROL, HBI_CONTROL_ENABLE);
	CHECK_EQUAL(wait_state_change(&board, HBI_STATE_READY), HBI_STATE_RUNNING);
	set_reg32(&board, HBI_REG_ADMIN_TAIL, 1);
	CHECK_EQUAL(wait_state_change(&board, HBI_STATE_RUNNING), HBI_STATE_FAILED);
	CHECK_EQUAL(board_error(&board), HBI_BOOT_FIRMWARE);
	CHECK_EQUAL(board.refused_reads, 1);
	CHECK_EQUAL(board.refused_address, 0xdead0000);
	set_reg32(&board, HBI_REG_CONTROL, HBI_CONTROL_RESET);
}

static void test_identify(void)
{
	struct hbi_admin_identify identify = {
		.header.opcode = HBI_ADMIN_IDENTIFY,
		.address = HOST_BUS + HOST_FREE + 8,
	};
	const struct hbi_identity *identity = (void *)(board.host + HOST_FREE + 8);

	start_board(&board);
	CHECK_EQUAL(admin(&board, &identify), HBI_OK);
	CHECK(!strcmp((const char *)identity->board_name, "Hearth virtual board"));
	CHECK(identity->firmware_version[0]);
	CHECK(!strncmp((const char *)identity->isa, "rv64gcv", 7));
	identify.address = 0xdead0000;
	CHECK_EQUAL(admin(&board, &identify), HBI_ERROR_HOST_DMA);
	/* The completion may have been seen before the message on the socket was read. */
	if (!board.refused_writes)
		client_pump(&board, 5000);
	CHECK_EQUAL(board.refused_writes, 1);
	identify.address = HOST_BUS + 4;
	CHECK_EQUAL(admin(&board, &identify), HBI_ERROR_FIELD);
}

static void test_admin_errors(void)
{
	uint64_t root = board.aperture_base;
	struct hbi_admin_create_queue queue = {
		.header.opcode = HBI_ADMIN_CREATE_QUEUE,
		.queue = 3,
		.context = 5,
		.ring = 0x1000,
		.status = HOST_BUS + HOST_STATUS,
		.ring_log2 = 4,
	};
	struct hbi_admin_create_queue bad;
	uint64_t words[8] = { 0 };

	CHECK_EQUAL(admin(&board, words), HBI_OK);
	words[0] = 99;
	CHECK_EQUAL(admin(&board, words), HBI_ERROR_OPCODE);
	words[0] = 1ull << 40;
	CHECK_EQUAL(admin(&board, words), HBI_ERROR_FIELD);
	words[0] = 0;
	words[7] = 1;
	CHECK_EQUAL(admin(&board, words), HBI_ERROR_FIELD);

	CHECK_EQUAL(admin_create_context(&board, 0, root), HBI_ERROR_FIELD);
	CHECK_EQUAL(admin_create_context(&board, 65, root), HBI_ERROR_FIELD);
	CHECK_EQUAL(admin_create_context(&board, 5, root + 8), HBI_ERROR_FIELD);
	CHECK_EQUAL(admin_create_context(&board, 5, 0x80000000), HBI_ERROR_FIELD);
	CHECK_EQUAL(admin_create_context(&board, 5, root + board.aperture_bytes), HBI_ERROR_FIELD);
	CHECK_EQUAL(admin_create_context(&board, 5, root), HBI_OK);
	CHECK_EQUAL(admin_create_context(&board, 5, root), HBI_ERROR_EXISTS);
	CHECK_EQUAL(admin_invalidate(&board, 6), HBI_ERROR_NO_ENTRY);
	CHECK_EQUAL(admin_invalidate(&board, 5), HBI_OK);

#define QUEUE_FAILS(field, value, error)                 \
	do {                                             \
		bad = queue;                             \
		bad.field = (value);                     \
		CHECK_EQUAL(admin(&board, &bad), error); \
	} while (0)
	QUEUE_FAILS(queue, 64, HBI_ERROR_FIELD);
	QUEUE_FAILS(context, 7, HBI_ERROR_NO_ENTRY);
	QUEUE_FAILS(context, 0, HBI_ERROR_NO_ENTRY);
	QUEUE_FAILS(ring, 0x1001, HBI_ERROR_FIELD);
	QUEUE_FAILS(ring, (1ull << 47) - 64, HBI_ERROR_FIELD);
	QUEUE_FAILS(status, HOST_BUS + 8, HBI_ERROR_FIELD);
	QUEUE_FAILS(status, 1ull << 48, HBI_ERROR_FIELD);
	QUEUE_FAILS(status, 0xdead0000, HBI_ERROR_HOST_DMA);
	QUEUE_FAILS(ring_log2, 17, HBI_ERROR_FIELD);
	QUEUE_FAILS(ring_log2, 0xffff, HBI_ERROR_FIELD);
	QUEUE_FAILS(vector, 32, HBI_ERROR_FIELD);
	QUEUE_FAILS(priority, 4, HBI_ERROR_FIELD);
	QUEUE_FAILS(reserved0, 1, HBI_ERROR_FIELD);
	QUEUE_FAILS(reserved[1], 1, HBI_ERROR_FIELD);
	CHECK_EQUAL(admin(&board, &queue), HBI_OK);
	CHECK_EQUAL(((struct hbi_queue_status *)(board.host + HOST_STATUS))->state, HBI_QUEUE_LIVE);
	CHECK_EQUAL(admin(&board, &queue), HBI_ERROR_EXISTS);
	CHECK_EQUAL(admin_destroy_context(&board, 5), HBI_ERROR_BUSY);
	CHECK_EQUAL(admin_destroy_queue(&board, 64), HBI_ERROR_FIELD);
	CHECK_EQUAL(admin_destroy_queue(&board, 4), HBI_ERROR_NO_ENTRY);
	CHECK_EQUAL(admin_destroy_queue(&board, 3), HBI_OK);
	CHECK_EQUAL(admin_destroy_queue(&board, 3), HBI_ERROR_NO_ENTRY);
	CHECK_EQUAL(admin_destroy_context(&board, 5), HBI_OK);
	CHECK_EQUAL(admin_destroy_context(&board, 5), HBI_ERROR_NO_ENTRY);
}

static void test_heartbeat(void)
{
	uint64_t first = reg64(&board, HBI_REG_HEARTBEAT), now = first;
	int i;

	for (i = 0; i < 1000 && now == first; i++) {
		usleep(10000);
		now = reg64(&board, HBI_REG_HEARTBEAT);
	}
	CHECK(now > first);
}

/* Clock ticks that a process has used. */
static long process_ticks(pid_t pid)
{
	char path[64], text[1024], *at;
	unsigned long user = 0, system = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "r");
	if (!file || !fgets(text, sizeof(text), file))
		die("%s", path);
	fclose(file);
	at = strrchr(text, ')');
	if (!at || sscanf(at + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
			  &system) != 2)
		die("%s: %s", path, text);
	return user + system;
}

/* The child processes of the board. */
static unsigned int children(pid_t *list, unsigned int room)
{
	char path[64];
	unsigned int count = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", board.board, board.board);
	file = fopen(path, "r");
	while (file && count < room && fscanf(file, "%d", &list[count]) == 1)
		count++;
	if (file)
		fclose(file);
	return count;
}

static void test_idle(void)
{
	pid_t soc;
	long before, used;

	if (children(&soc, 1) != 1) {
		printf("# no list of children in /proc: only the board itself is looked at\n");
		soc = board.board;
	}
	before = process_ticks(board.board) + process_ticks(soc);
	sleep(2);
	used = process_ticks(board.board) + process_ticks(soc) - before;
	printf("# %ld ticks of processor time in two idle seconds\n", used);
	CHECK(used <= 10);
}

static void test_reset_and_boot_again(void)
{
	uint32_t generation = reg32(&board, HBI_REG_GENERATION);
	uint64_t uuid = reg64(&board, HBI_REG_UUID);
	uint32_t devctl = find_capability(PCI_CAP_ID_EXP) + PCI_EXP_DEVCTL;
	uint64_t nop[8] = { 0 };
	pid_t soc;

	set_reg32(&board, HBI_REG_CONTROL, HBI_CONTROL_RESET);
	CHECK_EQUAL(board_state(&board), HBI_STATE_IDLE);
	CHECK_EQUAL(reg32(&board, HBI_REG_GENERATION), generation + 1);
	CHECK_EQUAL(reg64(&board, HBI_REG_ADMIN_SQ), 0);
	CHECK_EQUAL(children(&soc, 1), 0);
	start_board(&board);
	CHECK_EQUAL(admin(&board, nop), HBI_OK);

	config_write(&board, devctl, config_read(&board, devctl, 2) | PCI_EXP_DEVCTL_BCR_FLR, 2);
	CHECK_EQUAL(board_state(&board), HBI_STATE_IDLE);
	CHECK_EQUAL(reg32(&board, HBI_REG_GENERATION), generation + 2);
	CHECK_EQUAL(config_read(&board, devctl, 2) & PCI_EXP_DEVCTL_BCR_FLR, 0);
	start_board(&board);
	CHECK_EQUAL(admin(&board, nop), HBI_OK);

	client_reset(&board);
	CHECK_EQUAL(board_state(&board), HBI_STATE_IDLE);
	CHECK_EQUAL(reg64(&board, HBI_REG_UUID), uuid);
}

/* Requests of a client that has lost its mind. */
static void test_wild_messages(void)
{
	struct vu_region_access wild[] = {
		{ 0, 9, 4 },	 { 0, ~0u, 4 }, { 0x80000, 0, 4 },
		{ ~0ull, 0, 8 }, { 0, 0, ~0u }, { 0x7fffc, 0, 8 },
		{ 4095, 7, 4 },	 { 0, 1, 4 },	{ 1ull << 63, 2, 8 },
	};
	struct vu_irq_set irqs[] = {
		{ sizeof(irqs[0]), 0x24, 2, 31, 2 },
		{ sizeof(irqs[0]), 0x24, 2, ~0u, 2 },
		{ sizeof(irqs[0]), 0x24, 1, 0, 1 },
		{ sizeof(irqs[0]), 0x24, 7, 0, 1 },
	};
	struct vu_region_info region = { .argsz = sizeof(region), .index = 9 };
	uint8_t nothing[4] = { 0 };
	size_t i;

	for (i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
		CHECK_EQUAL(client_request(&board, VU_REGION_READ, &wild[i], 16), EINVAL);
		CHECK_EQUAL(client_request(&board, VU_REGION_WRITE, &wild[i], 16), EINVAL);
	}
	for (i = 0; i < sizeof(irqs) / sizeof(irqs[0]); i++)
		CHECK_EQUAL(client_request(&board, VU_DEVICE_SET_IRQS, &irqs[i], 20), EINVAL);
	CHECK_EQUAL(client_request(&board, VU_DEVICE_GET_REGION_INFO, &region, sizeof(region)),
		    EINVAL);
	for (i = VU_DMA_MAP; i <= VU_REGION_WRITE; i++)
		if (i != VU_DEVICE_GET_INFO)
			CHECK(client_request(&board, i, nothing, sizeof(nothing)) > 0);
	CHECK_EQUAL(client_request(&board, 77, nothing, 4), ENOSYS);
	CHECK_EQUAL(client_dma_map(&board, HOST_BUS + 4096, 0, 4096, true), EEXIST);
	CHECK_EQUAL(client_dma_map(&board, ~0ull - 4095, 0, 8192, true), EINVAL);
	CHECK_EQUAL(client_dma_map(&board, 0x5000, HOST_BYTES, 4096, true), EINVAL);
	CHECK_EQUAL(client_dma_map(&board, 0x5000, ~0ull, 4096, true), EINVAL);
	CHECK_EQUAL(client_dma_map(&board, 0x5000, 0, 4096, false), 0);
	CHECK_EQUAL(client_dma_unmap(&board, 0x5000, 2048), EINVAL);
	CHECK_EQUAL(client_dma_unmap(&board, 0x5000, 4096), 0);
	CHECK_EQUAL(reg32(&board, HBI_REG_MAGIC), HBI_MAGIC);
	/* Odd accesses to BAR 0 read right and write nothing. */
	CHECK_EQUAL(bar_read(&board, 0, HBI_REG_MAGIC + 1, 1), HBI_MAGIC >> 8 & 0xff);
	bar_write(&board, 0, HBI_REG_FW_SIZE, 0, 8);
	bar_write(&board, 0, HBI_REG_FW_SIZE + 2, 0xffff, 2);
	CHECK_EQUAL(reg64(&board, HBI_REG_FW_SIZE), 0);
}

static void test_end(void)
{
	pid_t soc = -1;
	int status;

	start_board(&board);
	children(&soc, 1);
	status = client_close(&board);
	CHECK_EQUAL(status, 0);
	CHECK(access(board.path, F_OK));
	if (soc > 0) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/%d", soc);
		CHECK(access(path, F_OK));
	}
}

static void test_misbehaviour(void)
{
	const char *const hang[] = { "--misbehave", "hang:1", NULL };
	const char *const ones[] = { "--misbehave", "allones:1", NULL };
	const char *const garbage[] = { "--misbehave", "garbage:1", NULL };
	uint64_t first;

	client_open(&board, hang);
	start_board(&board);
	bar_write(&board, 0, 0x10000, 0, 8);
	usleep(100000);
	first = reg64(&board, HBI_REG_HEARTBEAT);
	usleep(300000);
	CHECK_EQUAL(reg64(&board, HBI_REG_HEARTBEAT), first);
	set_reg32(&board, HBI_REG_CONTROL, HBI_CONTROL_RESET);
	CHECK_EQUAL(board_state(&board), HBI_STATE_IDLE);
	CHECK_EQUAL(client_close(&board), 0);

	client_open(&board, ones);
	CHECK_EQUAL(reg32(&board, HBI_REG_MAGIC), HBI_MAGIC);
	bar_write(&board, 0, 0x10000, 0, 8);
	CHECK_EQUAL(reg32(&board, HBI_REG_MAGIC), 0xffffffff);
	CHECK_EQUAL(client_close(&board), 0);

	client_open(&board, garbage);
	bar_write(&board, 0, 0x10000, 0, 8);
	CHECK(reg64(&board, HBI_REG_MAGIC) != reg64(&board, HBI_REG_MAGIC));
	CHECK_EQUAL(client_close(&board), 0);
}

/* A board that vanishes closes the connection and leaves nothing. */
static void test_vanish(void)
{
	const char *const vanish[] = { "--misbehave", "vanish:2", NULL };
	struct {
		struct vu_header header;
		struct vu_region_access access;
		uint64_t tail;
	} doorbell = {
		.header = { .id = 1, .command = VU_REGION_WRITE, .size = sizeof(doorbell) },
		.access = { .offset = 0x10000, .count = 8 },
	};
	char byte;

	client_open(&board, vanish);
	start_board(&board);
	bar_write(&board, 0, 0x10000, 0, 8);
	CHECK_EQUAL(board_state(&board), HBI_STATE_RUNNING);
	client_send_raw(&board, &doorbell, sizeof(doorbell));
	while (recv(board.socket, &byte, 1, 0) > 0)
		;
	CHECK_EQUAL(client_close(&board), 0);
	CHECK(access(board.path, F_OK));
}

/* The SoC's death is a fatal error, and a reset mends it. */
static void test_soc_death(void)
{
	uint64_t nop[8] = { 0 };
	pid_t soc;

	client_open(&board, NULL);
	start_board(&board);
	if (children(&soc, 1) == 1) {
		kill(soc, SIGKILL);
		CHECK_EQUAL(wait_state_change(&board, HBI_STATE_RUNNING), HBI_STATE_FAILED);
		CHECK_EQUAL(board_error(&board), HBI_BOOT_FIRMWARE);
		CHECK_EQUAL(reg64(&board, HBI_REG_HEARTBEAT), 0);
		set_reg32(&board, HBI_REG_CONTROL, HBI_CONTROL_RESET);
		start_board(&board);
	}
	CHECK_EQUAL(admin(&board, nop), HBI_OK);
	CHECK_EQUAL(client_close(&board), 0);
}

static void test_cut_message(void)
{
	struct vu_header header = { .id = 1, .command = VU_REGION_READ, .size = 3 };

	client_open(&board, NULL);
	client_send_raw(&board, &header, sizeof(header));
	CHECK_EQUAL(client_close(&board), 0);
	client_open(&board, NULL);
	header.size = ~0u;
	client_send_raw(&board, &header, sizeof(header));
	CHECK_EQUAL(client_close(&board), 0);
	client_open(&board, NULL);
	client_send_raw(&board, &header, 7);
	CHECK_EQUAL(client_close(&board), 0);
}

int main(int argc, char **argv)
{
	test_arguments(argc, argv);
	client_open(&board, NULL);
	tap_run("class, capabilities and DVSEC", test_discovery);
	tap_run("registers of a fresh board", test_registers);
	tap_run("damaged images are refused", test_bad_images);
	tap_run("images outside the aperture are refused", test_bad_address);
	tap_run("rings out of range are refused", test_bad_rings);
	tap_run("rings that the host did not map end in FAILED", test_rings_out_of_reach);
	board.refused_reads = board.refused_writes = 0;
	tap_run("identify", test_identify);
	tap_run("malformed admin commands", test_admin_errors);
	tap_run("heartbeat", test_heartbeat);
	tap_run("an idle board uses no processor time", test_idle);
	tap_run("reset, function-level reset, device reset, boot again", test_reset_and_boot_again);
	tap_run("wild messages", test_wild_messages);
	tap_run("firmware that never reports", test_silent_firmware);
	tap_run("nothing is left of an ended board", test_end);
	tap_run("misbehaviour on demand", test_misbehaviour);
	tap_run("a board that vanishes", test_vanish);
	tap_run("death of the SoC", test_soc_death);
	tap_run("cut messages end the board", test_cut_message);
	return tap_end();
}
