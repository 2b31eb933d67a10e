// SPDX-License-Identifier: MIT
/*
 * Unit tests that run on the board: the firmware's own files, linked as ever, but for the main loop,
 * in whose place these tests stand. The scheduler is included to reach what is its own. Results are
 * TAP text in the aperture, where the host reads it; the word before it is its length, when done.
 */
#define fw_sched_main fw_sched_main_unused
#include "../../firmware/fw_sched.c"
#undef fw_sched_main
#include "../../firmware/rom/rom.h"
#include "fw_test.h"

void __attribute__((noreturn)) fw_sched_main(void);

static char *out;
static u32 tests;
static bool failed;

static void put_text(const char *text)
{
	while (*text)
		*out++ = *text++;
}

static void put_number(u64 value)
{
	char digits[20];
	int count = 0;

	do
		digits[count++] = '0' + value % 10;
	while (value /= 10);
	while (count)
		*out++ = digits[--count];
}

static void check(bool good, const char *text, int line)
{
	if (good)
		return;
	put_text("# line ");
	put_number(line);
	put_text(": not true: ");
	put_text(text);
	put_text("\n");
	failed = true;
}

#define CHECK(condition) check((condition), #condition, __LINE__)

static void run(const char *name, void (*test)(void))
{
	failed = false;
	test();
	tests++;
	put_text(failed ? "not ok " : "ok ");
	put_number(tests);
	put_text(" - ");
	put_text(name);
	put_text("\n");
}

static u8 *scratch(void)
{
	return (u8 *)(fw_board.aperture_base + FW_TEST_SCRATCH);
}

/* ---- fw_string.c ---- */

static void test_memory(void)
{
	u8 *a = scratch(), *b = scratch() + 4096;
	u32 to, from, size, i;
	bool good = true;

	for (to = 0; to < 9; to++)
		for (from = 0; from < 9; from++)
			for (size = 0; size < 80; size += 1 + size / 16) {
				for (i = 0; i < 128; i++) {
					a[i] = i;
					b[i] = 0xee;
				}
				memcpy(b + 8 + to, a + from, size);
				for (i = 0; i < 128; i++) {
					bool inside = i >= 8 + to && i < 8 + to + size;

					good &= b[i] == (inside ? (u8)(i - 8 - to + from) : 0xee);
				}
				memset(b + 8 + to, 0x5a, size);
				for (i = 0; i < size; i++)
					good &= b[8 + to + i] == 0x5a;
				good &= b[7 + to] == 0xee && b[8 + to + size] == 0xee;
			}
	CHECK(good);
}

static void test_text(void)
{
	u8 text[8];

	fw_text_copy(text, "0123456789", sizeof(text));
	CHECK(text[6] == '6' && text[7] == 0);
	fw_text_copy(text, "ab", sizeof(text));
	CHECK(text[1] == 'b' && text[2] == 0 && text[7] == 0);
}

static void format(char *text, size_t size, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fw_text_format(text, size, format, arguments);
	va_end(arguments);
}

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static void test_format(void)
{
	char text[24];

	format(text, sizeof(text), "%s %u %x %lu %lx.", "a", 0u, 0xdead0u, ~(u64)0 / 10,
	       (u64)1 << 40);
	CHECK(same(text, "a 0 dead0 1844674407370"));
	format(text, sizeof(text), "%u|%lx|", 4294967295u, ~(u64)0);
	CHECK(same(text, "4294967295|ffffffffffff"));
	format(text, 1, "x");
	CHECK(!text[0]);
	format(text, sizeof(text), "ab");
	CHECK(text[2] == 0 && text[23] == 0);
}

/* ---- fw_log.c ---- */

static void test_log(void)
{
	static struct hbi_log log;
	u64 start, entries, i;

	fw_log_read(~(u64)0, &log);
	CHECK(log.count == 0 && log.next == log.end);
	start = log.end;
	CHECK(start >= 1);
	fw_log(HBI_LOG_DEBUG, "one %u", 1u);
	fw_log(HBI_LOG_ERROR, "two %s",
	       "long, longer, longest, longest, longest, longest, longest, "
	       "longest, longest, longest, longest, longest, longest");
	fw_log_read(start, &log);
	CHECK(log.count == 2 && log.next == start + 2 && log.end == start + 2);
	CHECK(log.entries[0].number == start && log.entries[0].level == HBI_LOG_DEBUG);
	CHECK(same((char *)log.entries[0].text, "one 1"));
	CHECK(log.entries[1].text[102] != 0 && log.entries[1].text[103] == 0);
	CHECK(log.entries[1].ticks >= log.entries[0].ticks);
	/* Round the ring: only the newest are left, and they come in pieces. */
	for (i = 0; i < 1000; i++)
		fw_log(HBI_LOG_INFO, "%lu", i);
	fw_log_read(0, &log);
	CHECK(log.count == HBI_LOG_ENTRIES && log.end == start + 1002);
	CHECK(log.entries[0].number > start + 2);
	entries = log.end - log.entries[0].number;
	CHECK(entries >= 64 && log.next == log.entries[0].number + HBI_LOG_ENTRIES);
	fw_log_read(log.end - 1, &log);
	CHECK(log.count == 1 && same((char *)log.entries[0].text, "999"));
	/* Memory that was kept goes on; memory that was not begins anew. */
	fw_log_init();
	fw_log_read(0, &log);
	CHECK(log.end == start + 1002);
	*(u32 *)fw_board.log_memory ^= 1;
	fw_log_init();
	fw_log_read(0, &log);
	CHECK(log.end == 0 && log.count == 0);
}

/* ---- fw_context.c ---- */

#define FLAGS (HBI_PTE_V | HBI_PTE_R | HBI_PTE_W | HBI_PTE_U | HBI_PTE_A | HBI_PTE_D)

static u64 entry(u64 pa, u64 flags)
{
	return pa >> HBI_PAGE_SHIFT << HBI_PTE_PPN_SHIFT | flags;
}

static enum hbi_error look(u64 va, u64 size, enum fw_access access, u64 *pa, u64 *bytes)
{
	return fw_context_run(1, va, size, access, pa, bytes);
}

static void test_walk(void)
{
	u64 base = (u64)scratch() + 0x10000, pa, bytes;
	u64 *root = (u64 *)base, *l2 = (u64 *)(base + 0x1000), *l1 = (u64 *)(base + 0x2000);
	u64 *l0 = (u64 *)(base + 0x3000), page = base + 0x4000;
	static const u64 wrong[] = { HBI_PTE_V, HBI_PTE_U, HBI_PTE_A };
	u32 i;

	memset(root, 0, 0x4000);
	CHECK(fw_context_create(1, base + 8) == HBI_ERROR_FIELD);
	CHECK(fw_context_create(1, VB_FIRMWARE_PAGE) == HBI_ERROR_FIELD);
	CHECK(fw_context_create(0, base) == HBI_ERROR_FIELD);
	CHECK(fw_context_create(1, base) == HBI_OK);
	CHECK(fw_context_create(1, base) == HBI_ERROR_EXISTS);
	CHECK(look(0, 8, FW_READ, &pa, &bytes) == HBI_ERROR_LOAD);
	CHECK(look(0, 8, FW_WRITE, &pa, &bytes) == HBI_ERROR_STORE);
	CHECK(look(0, 8, FW_CODE, &pa, &bytes) == HBI_ERROR_FETCH);

	root[0] = entry((u64)l2, HBI_PTE_V);
	l2[0] = entry((u64)l1, HBI_PTE_V);
	l1[0] = entry((u64)l0, HBI_PTE_V);
	l0[1] = entry(page, FLAGS);
	l0[2] = entry(page + 0x1000, FLAGS);
	l0[3] = entry(page + 0x8000, FLAGS);
	CHECK(look(0x1010, 8, FW_READ, &pa, &bytes) == HBI_OK && pa == page + 0x10 && bytes == 8);
	/* Neighbours are joined, as far as they are. */
	CHECK(look(0x1010, 0x5000, FW_WRITE, &pa, &bytes) == HBI_OK && bytes == 0x1ff0);
	CHECK(look(0x3000, 0x5000, FW_READ, &pa, &bytes) == HBI_OK && bytes == 0x1000);
	CHECK(look(0x4000, 8, FW_READ, &pa, &bytes) == HBI_ERROR_LOAD);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		l0[1] = entry(page, FLAGS & ~wrong[i]);
		CHECK(look(0x1000, 8, FW_READ, &pa, &bytes) == HBI_ERROR_LOAD);
	}
	l0[1] = entry(page, FLAGS & ~HBI_PTE_D);
	CHECK(look(0x1000, 8, FW_WRITE, &pa, &bytes) == HBI_ERROR_STORE);
	CHECK(look(0x1000, 8, FW_READ, &pa, &bytes) == HBI_OK);
	l0[1] = entry(page, FLAGS & ~HBI_PTE_R);
	CHECK(look(0x1000, 8, FW_WRITE, &pa, &bytes) == HBI_ERROR_STORE);
	l0[1] = entry(page, FLAGS) | (u64)1 << 54;
	CHECK(look(0x1000, 8, FW_READ, &pa, &bytes) == HBI_ERROR_LOAD);
	l0[1] = entry(VB_FIRMWARE_PAGE, FLAGS);
	CHECK(look(0x1000, 8, FW_READ, &pa, &bytes) == HBI_ERROR_LOAD);
	l0[1] = entry(fw_board.host_window + 0x5000, FLAGS);
	CHECK(look(0x1008, 8, FW_READ, &pa, &bytes) == HBI_OK && fw_is_host(pa));

	/* 2 MiB at once, aligned or not at all. */
	l1[1] = entry(page & ~(u64)0x1fffff, FLAGS);
	CHECK(look(0x200000 + 0x123, 0x100, FW_READ, &pa, &bytes) == HBI_OK &&
	      pa == (page & ~(u64)0x1fffff) + 0x123);
	l1[1] = entry((page & ~(u64)0x1fffff) + 0x1000, FLAGS);
	CHECK(look(0x200000, 8, FW_READ, &pa, &bytes) == HBI_ERROR_LOAD);
	/* Tables elsewhere, or with bits of leaves. */
	l1[1] = entry(VB_FIRMWARE_PAGE, HBI_PTE_V);
	CHECK(look(0x200000, 8, FW_READ, &pa, &bytes) == HBI_ERROR_LOAD);
	l1[1] = entry((u64)l0, HBI_PTE_V | HBI_PTE_U);
	CHECK(look(0x203000, 8, FW_READ, &pa, &bytes) == HBI_ERROR_LOAD);
	CHECK(look(FW_VA_END, 8, FW_READ, &pa, &bytes) == HBI_ERROR_LOAD);
	CHECK(look(~(u64)0, 8, FW_READ, &pa, &bytes) == HBI_ERROR_LOAD);

	fw_context_hold(1, 1);
	CHECK(fw_context_destroy(1) == HBI_ERROR_BUSY);
	fw_context_hold(1, -1);
	CHECK(fw_context_destroy(1) == HBI_OK);
	CHECK(fw_context_destroy(1) == HBI_ERROR_NO_ENTRY);
}

/* ---- fw_sched.c ---- */

static void fake_queue(u32 id, u32 context)
{
	memset(&fw_queues[id], 0, sizeof(fw_queues[id]));
	fw_queues[id].id = id;
	fw_queues[id].context = context;
	fw_queues[id].status.state = HBI_QUEUE_LIVE;
}

static void test_groups(void)
{
	fake_queue(3, 2);
	fake_queue(5, 1);
	fake_queue(9, 2);
	fw_sched_rebuild();
	CHECK(group_count == 2);
	CHECK(groups[0].context == 1 && groups[0].count == 1 && order[groups[0].first] == 5);
	CHECK(groups[1].context == 2 && groups[1].count == 2);
	CHECK(order[groups[1].first] == 3 && order[groups[1].first + 1] == 9);
	memset(fw_queues, 0, sizeof(fw_queues));
	fw_sched_rebuild();
	CHECK(group_count == 0);
}

/* Two queues of one context and one of another want the workers all the time, for as long each. */
static void test_worker_turns(void)
{
	struct fw_queue *wants[3] = { &fw_queues[0], &fw_queues[1], &fw_queues[2] };
	u32 had[3] = { 0 }, round, i;

	fake_queue(0, 1);
	fake_queue(1, 1);
	fake_queue(2, 2);
	for (i = 0; i < 3; i++)
		wants[i]->wants_workers = true;
	for (round = 0; round < 40; round++)
		for (i = 0; i < 3; i++) {
			u32 one = (i + round) % 3;

			if (!fw_sched_take_workers(wants[one]))
				continue;
			had[one]++;
			fw_sched_charge_workers(wants[one]->context, 0, 1000);
			wants[one]->wants_workers = true;
			break;
		}
	CHECK(had[0] + had[1] + had[2] == 40);
	CHECK(had[2] >= 19 && had[2] <= 21);
	/* Who comes late has no credit for the time before. */
	fake_queue(3, 3);
	CHECK(start_time(3) == worker_clock);
	/* One that takes ten times as long gets a tenth of the turns. */
	memset(had, 0, sizeof(had));
	wants[1]->wants_workers = false;
	for (round = 0; round < 44; round++)
		for (i = 0; i < 3; i += 2) {
			if (!fw_sched_take_workers(wants[i]))
				continue;
			had[i]++;
			fw_sched_charge_workers(wants[i]->context, 0, i ? 1000 : 10000);
			wants[i]->wants_workers = true;
			break;
		}
	CHECK(had[0] >= 3 && had[0] <= 6);
	memset(fw_queues, 0, sizeof(fw_queues));
	fw_sched_forget(1);
	fw_sched_forget(2);
}

/* Two contexts want the workers all the time, one of them two steps of priority higher. */
static void test_weights(void)
{
	struct fw_queue *wants[2] = { &fw_queues[0], &fw_queues[1] };
	u32 had[2] = { 0 }, round, i;

	fake_queue(0, 1);
	fake_queue(1, 2);
	fw_queues[1].priority = 2;
	wants[0]->wants_workers = true;
	wants[1]->wants_workers = true;
	for (round = 0; round < 170; round++)
		for (i = 0; i < 2; i++) {
			if (!fw_sched_take_workers(wants[i]))
				continue;
			had[i]++;
			fw_sched_charge_workers(wants[i]->context, wants[i]->priority, 1600);
			wants[i]->wants_workers = true;
			break;
		}
	CHECK(had[0] + had[1] == 170);
	CHECK(had[0] >= 9 && had[0] <= 11);
	memset(fw_queues, 0, sizeof(fw_queues));
	fw_sched_forget(1);
	fw_sched_forget(2);
}

/* ---- The boot ROM's files, on the kind of core that runs them ---- */

static const u8 rfc_key[32] = { 0x3d, 0x40, 0x17, 0xc3, 0xe8, 0x43, 0x89, 0x5a, 0x92, 0xb7, 0x0a,
				0xa7, 0x4d, 0x1b, 0x7e, 0xbc, 0x9c, 0x98, 0x2c, 0xcf, 0x2e, 0xc4,
				0x96, 0x8c, 0xc0, 0xcd, 0x55, 0xf1, 0x2a, 0xf4, 0x66, 0x0c };
static const u8 rfc_signature[64] = { 0x92, 0xa0, 0x09, 0xa9, 0xf0, 0xd4, 0xca, 0xb8, 0x72, 0x0e,
				      0x82, 0x0b, 0x5f, 0x64, 0x25, 0x40, 0xa2, 0xb2, 0x7b, 0x54,
				      0x16, 0x50, 0x3f, 0x8f, 0xb3, 0x76, 0x22, 0x23, 0xeb, 0xdb,
				      0x69, 0xda, 0x08, 0x5a, 0xc1, 0xe4, 0x3e, 0x15, 0x99, 0x6e,
				      0x45, 0x8f, 0x36, 0x13, 0xd0, 0xf1, 0x1d, 0x8c, 0x38, 0x7b,
				      0x2e, 0xae, 0xb4, 0x30, 0x2a, 0xee, 0xb0, 0x0d, 0x29, 0x16,
				      0x12, 0xbb, 0x0c, 0x00 };

static void test_signature(void)
{
	u8 signature[64], message = 0x72;
	u32 bit;

	memcpy(signature, rfc_signature, sizeof(signature));
	CHECK(rom_ed25519_verify(rfc_key, signature, &message, 1, NULL, 0));
	CHECK(rom_ed25519_verify(rfc_key, signature, NULL, 0, &message, 1));
	message ^= 1;
	CHECK(!rom_ed25519_verify(rfc_key, signature, &message, 1, NULL, 0));
	message ^= 1;
	for (bit = 0; bit < 512; bit += 37) {
		signature[bit / 8] ^= 1 << bit % 8;
		CHECK(!rom_ed25519_verify(rfc_key, signature, &message, 1, NULL, 0));
		signature[bit / 8] ^= 1 << bit % 8;
	}
}

static struct rom_board rom_board(void)
{
	return (struct rom_board){
		.image_address = (u64)scratch(),
		.image_size = sizeof(struct hbi_fw_header) + 64,
		.aperture_base = fw_board.aperture_base,
		.aperture_bytes = fw_board.aperture_bytes,
		.load_address = (u64)scratch() + 0x8000,
		.memory_bytes = 0x8000,
		.board_id = 7,
		.rollback = 3,
	};
}

/* A small whole image, unsigned; the CRC-32 of 64 zeros is 758D6336h. */
static struct hbi_fw_header *image(void)
{
	struct hbi_fw_header *header = (struct hbi_fw_header *)scratch();

	memset(header, 0, sizeof(*header) + 64);
	header->magic = HBI_FW_MAGIC;
	header->header_bytes = HBI_FW_HEADER_SIZE;
	header->hbi_version = HBI_VERSION_MAJOR << 16;
	header->crc32 = 0x758d6336;
	header->image_bytes = 64;
	header->load_address = (u64)scratch() + 0x8000;
	header->memory_bytes = 64;
	return header;
}

static void test_image(void)
{
	struct rom_board board = rom_board(), other;
	struct rom_image found;

#define TRY(change, expected)                                      \
	do {                                                       \
		struct hbi_fw_header *h = image();                 \
                                                                   \
		other = board;                                     \
		change;                                            \
		(void)h;                                           \
		CHECK(rom_image_load(&other, &found) == expected); \
	} while (0)

	TRY(, HBI_BOOT_OK);
	CHECK(!found.verified && found.image_bytes == 64);
	TRY(other.image_address += 4, HBI_BOOT_BAD_ADDRESS);
	TRY(other.image_address = other.aperture_base - 8, HBI_BOOT_BAD_ADDRESS);
	TRY(other.image_size = ~(u64)0, HBI_BOOT_BAD_ADDRESS);
	TRY(other.image_size = 8, HBI_BOOT_BAD_HEADER);
	TRY(h->magic++, HBI_BOOT_BAD_HEADER);
	TRY(h->image_bytes++, HBI_BOOT_BAD_HEADER);
	TRY(h->load_address += 8, HBI_BOOT_BAD_HEADER);
	TRY(h->memory_bytes = 63, HBI_BOOT_BAD_HEADER);
	TRY(h->memory_bytes = 0x8001, HBI_BOOT_BAD_HEADER);
	TRY(h->reserved[87] = 1, HBI_BOOT_BAD_HEADER);
	TRY(h->signature[63] = 1, HBI_BOOT_BAD_HEADER);
	TRY(h->version[31] = 'x', HBI_BOOT_BAD_HEADER);
	TRY(h->hbi_version = 2 << 16, HBI_BOOT_BAD_VERSION);
	TRY(h->board_id = 8, HBI_BOOT_WRONG_BOARD);
	TRY(h->board_id = 7, HBI_BOOT_OK);
	TRY(h->crc32++, HBI_BOOT_BAD_CHECKSUM);
	/* With an owner. */
	board.key_count = 1;
	memcpy(board.keys[0], rfc_key, sizeof(rfc_key));
	TRY(, HBI_BOOT_UNSIGNED);
	TRY(h->flags = HBI_FW_SIGNED, HBI_BOOT_UNKNOWN_KEY);
	TRY((h->flags = HBI_FW_SIGNED, rom_key_id(rfc_key, h->key_id)), HBI_BOOT_BAD_SIGNATURE);
}

void fw_sched_main(void)
{
	u64 *length = (u64 *)(fw_board.aperture_base + FW_TEST_LENGTH);
	char *start = (char *)(length + 1);

	out = start;
	run("memory is copied and filled to the byte", test_memory);
	run("texts end", test_text);
	run("texts are put together", test_format);
	run("the log keeps the newest entries", test_log);
	run("tables are walked as a core walks them", test_walk);
	run("queues are grouped by context", test_groups);
	run("contexts have the workers in turns", test_worker_turns);
	run("of two that want the workers, priority gets its weight", test_weights);
	run("signatures are verified on this core", test_signature);
	run("images are refused for each fault", test_image);
	put_text("1..");
	put_number(tests);
	put_text("\n");
	__atomic_store_n(length, (u64)(out - start), __ATOMIC_SEQ_CST);
	for (;;)
		fw_wfi();
}
