// SPDX-License-Identifier: GPL-2.0-only
/*
 * What one user may have, at its edges: the accounting is compiled into the test, with a board of
 * a size of its own, for KUnit.
 */
#include <kunit/test.h>

#include "hearth_quota.c"

#define BOARD_BYTES (64ull << 20)

/* Accounts compare boards and ask for their size; nothing looks into one. */
static struct hearth_device *const board = (struct hearth_device *)0x1000;
static struct hearth_device *const other = (struct hearth_device *)0x2000;

u64 hearth_vram_total(struct hearth_device *hdev)
{
	return BOARD_BYTES;
}

static void hearth_quota_test_exit(struct kunit *test)
{
	user_board_mib = 0;
	user_host_mib = 0;
	KUNIT_EXPECT_TRUE(test, list_empty(&hearth_accounts));
}

static void hearth_quota_test_shared(struct kunit *test)
{
	struct hearth_account *first = hearth_account_open(board);
	struct hearth_account *second = hearth_account_open(board);
	struct hearth_account *elsewhere = hearth_account_open(other);
	struct hearth_account *host = hearth_account_open(NULL);

	KUNIT_ASSERT_TRUE(test, first && elsewhere && host);
	KUNIT_EXPECT_PTR_EQ_MSG(test, first, second, "a user has one account of a board");
	KUNIT_EXPECT_PTR_NE_MSG(test, first, elsewhere, "and another of another");
	KUNIT_EXPECT_PTR_NE_MSG(test, first, host, "and another of host memory");
	KUNIT_EXPECT_EQ(test, hearth_account_charge(first, 4096), 0);
	KUNIT_EXPECT_EQ(test, hearth_account_used(second), 4096);
	KUNIT_EXPECT_EQ(test, hearth_account_used(elsewhere), 0);
	hearth_account_uncharge(second, 4096);
	hearth_account_put(first);
	hearth_account_put(second);
	hearth_account_put(elsewhere);
	hearth_account_put(host);
	hearth_account_put(NULL);
}

static void hearth_quota_test_edges(struct kunit *test)
{
	struct hearth_account *account = hearth_account_open(board);

	KUNIT_ASSERT_NOT_NULL(test, account);
	KUNIT_EXPECT_EQ(test, hearth_account_limit(account), BOARD_BYTES);
	KUNIT_EXPECT_EQ(test, hearth_account_charge(account, BOARD_BYTES + 1), -ENOSPC);
	KUNIT_EXPECT_EQ(test, hearth_account_charge(account, U64_MAX), -ENOSPC);
	KUNIT_EXPECT_EQ_MSG(test, hearth_account_used(account), 0, "what is refused is not kept");
	KUNIT_EXPECT_EQ(test, hearth_account_charge(account, BOARD_BYTES), 0);
	KUNIT_EXPECT_EQ(test, hearth_account_charge(account, 1), -ENOSPC);
	KUNIT_EXPECT_EQ(test, hearth_account_charge(account, U64_MAX), -ENOSPC);
	KUNIT_EXPECT_EQ(test, hearth_account_charge(account, 0), 0);
	hearth_account_uncharge(account, 1);
	KUNIT_EXPECT_EQ(test, hearth_account_charge(account, 2), -ENOSPC);
	KUNIT_EXPECT_EQ(test, hearth_account_charge(account, 1), 0);
	hearth_account_uncharge(account, BOARD_BYTES);
	hearth_account_put(account);
}

static void hearth_quota_test_lowered(struct kunit *test)
{
	struct hearth_account *account = hearth_account_open(board);
	struct hearth_account *host = hearth_account_open(NULL);

	KUNIT_ASSERT_TRUE(test, account && host);
	KUNIT_EXPECT_EQ(test, hearth_account_charge(account, 3 << 20), 0);
	user_board_mib = 2;
	KUNIT_EXPECT_EQ(test, hearth_account_limit(account), 2 << 20);
	KUNIT_EXPECT_EQ_MSG(test, hearth_account_charge(account, 0), -ENOSPC,
			    "over the new limit, nothing more is given");
	hearth_account_uncharge(account, 2 << 20);
	KUNIT_EXPECT_EQ(test, hearth_account_charge(account, 1 << 20), 0);
	KUNIT_EXPECT_EQ(test, hearth_account_charge(account, 1), -ENOSPC);
	user_board_mib = UINT_MAX;
	KUNIT_EXPECT_EQ_MSG(test, hearth_account_limit(account), BOARD_BYTES,
			    "no more than the board has");
	hearth_account_uncharge(account, 2 << 20);

	user_host_mib = 1;
	KUNIT_EXPECT_EQ(test, hearth_account_limit(host), 1 << 20);
	user_host_mib = UINT_MAX;
	KUNIT_EXPECT_EQ(test, hearth_account_limit(host), (u64)UINT_MAX << 20);
	user_host_mib = 0;
	KUNIT_EXPECT_EQ(test, hearth_account_limit(host), (u64)(totalram_pages() / 2) * PAGE_SIZE);
	hearth_account_put(account);
	hearth_account_put(host);
}

static struct kunit_case hearth_quota_cases[] = {
	KUNIT_CASE(hearth_quota_test_shared),
	KUNIT_CASE(hearth_quota_test_edges),
	KUNIT_CASE(hearth_quota_test_lowered),
	{},
};

static struct kunit_suite hearth_quota_suite = {
	.name = "hearth_quota",
	.exit = hearth_quota_test_exit,
	.test_cases = hearth_quota_cases,
};

kunit_test_suite(hearth_quota_suite);
