// SPDX-License-Identifier: GPL-2.0-only
/*
 * What one user may have: board memory of each board, and pinned host memory of all boards
 * together. An account belongs to the user who opened the file, whoever uses the file later;
 * buffers and page tables are charged to it before they are allocated, and keep it until they are
 * gone.
 */
#include <linux/cred.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uidgid.h>

#include "hearth_device.h"
#include "hearth_quota.h"
#include "hearth_vram.h"

static unsigned int user_board_mib;
module_param(user_board_mib, uint, 0644);
MODULE_PARM_DESC(user_board_mib, "MiB of each board's memory that one user may have (0: all)");

static unsigned int user_host_mib;
module_param(user_host_mib, uint, 0644);
MODULE_PARM_DESC(user_host_mib,
		 "MiB of host memory that one user's buffers may pin (0: half of the machine's)");

/** struct hearth_account - one user's use of one kind of memory */
struct hearth_account {
	/** @node: in hearth_accounts */
	struct list_head node;
	/** @ref: of files, buffers and address spaces */
	struct kref ref;
	/** @hdev: the board whose memory it is, or NULL for host memory; only compared */
	struct hearth_device *hdev;
	/** @total: bytes of board memory */
	u64 total;
	/** @uid: the user */
	kuid_t uid;
	/** @used: bytes; protected by hearth_accounts_lock */
	u64 used;
};

/* Protects hearth_accounts and what the accounts say. Innermost: nothing is locked inside it. */
static DEFINE_MUTEX(hearth_accounts_lock);
static LIST_HEAD(hearth_accounts);

/*
 * The current user's account for board memory of @hdev, or for host memory if that is NULL. NULL
 * without memory. The caller puts it, at the latest before the device is freed.
 */
struct hearth_account *hearth_account_open(struct hearth_device *hdev)
{
	kuid_t uid = current_uid();
	struct hearth_account *account;

	mutex_lock(&hearth_accounts_lock);
	list_for_each_entry (account, &hearth_accounts, node) {
		if (account->hdev == hdev && uid_eq(account->uid, uid)) {
			kref_get(&account->ref);
			goto out_unlock;
		}
	}
	account = kzalloc_obj(struct hearth_account, GFP_KERNEL_ACCOUNT);
	if (account) {
		kref_init(&account->ref);
		account->hdev = hdev;
		account->total = hdev ? hearth_vram_total(hdev) : 0;
		account->uid = uid;
		list_add(&account->node, &hearth_accounts);
	}
out_unlock:
	mutex_unlock(&hearth_accounts_lock);
	return account;
}

struct hearth_account *hearth_account_get(struct hearth_account *account)
{
	kref_get(&account->ref);
	return account;
}

static void hearth_account_release(struct kref *ref)
{
	struct hearth_account *account = container_of(ref, struct hearth_account, ref);

	WARN_ON_ONCE(account->used);
	list_del(&account->node);
	mutex_unlock(&hearth_accounts_lock);
	kfree(account);
}

/* NULL is allowed. */
void hearth_account_put(struct hearth_account *account)
{
	if (account)
		kref_put_mutex(&account->ref, hearth_account_release, &hearth_accounts_lock);
}

u64 hearth_account_limit(struct hearth_account *account)
{
	u64 mib;

	if (!account->hdev) {
		mib = READ_ONCE(user_host_mib);
		return mib ? mib << 20 : (u64)(totalram_pages() / 2) << PAGE_SHIFT;
	}
	mib = READ_ONCE(user_board_mib);
	return mib ? min(mib << 20, account->total) : account->total;
}

u64 hearth_account_used(struct hearth_account *account)
{
	u64 used;

	mutex_lock(&hearth_accounts_lock);
	used = account->used;
	mutex_unlock(&hearth_accounts_lock);
	return used;
}

/* 0, or -ENOSPC if @bytes more would exceed the limit, as it may have been lowered to. */
int hearth_account_charge(struct hearth_account *account, u64 bytes)
{
	u64 limit = hearth_account_limit(account);
	int ret = 0;

	mutex_lock(&hearth_accounts_lock);
	if (account->used > limit || bytes > limit - account->used)
		ret = -ENOSPC;
	else
		account->used += bytes;
	mutex_unlock(&hearth_accounts_lock);
	return ret;
}

void hearth_account_uncharge(struct hearth_account *account, u64 bytes)
{
	mutex_lock(&hearth_accounts_lock);
	account->used -= bytes;
	mutex_unlock(&hearth_accounts_lock);
}
