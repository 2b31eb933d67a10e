/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef HEARTH_QUOTA_H
#define HEARTH_QUOTA_H

#include <linux/types.h>

struct hearth_account;
struct hearth_device;

struct hearth_account *hearth_account_open(struct hearth_device *hdev);
struct hearth_account *hearth_account_get(struct hearth_account *account);
void hearth_account_put(struct hearth_account *account);
int hearth_account_charge(struct hearth_account *account, u64 bytes);
void hearth_account_uncharge(struct hearth_account *account, u64 bytes);
u64 hearth_account_limit(struct hearth_account *account);
u64 hearth_account_used(struct hearth_account *account);

#endif /* HEARTH_QUOTA_H */
