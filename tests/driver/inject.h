/* SPDX-License-Identifier: MIT */
/*
 * Failing allocations and copies, of this thread's own system calls, one at a time: the kernel's
 * /proc/thread-self/fail-nth, which needs CONFIG_FAULT_INJECTION. A kernel's trouble with it ends the program.
 */
#ifndef INJECT_H
#define INJECT_H

#include <stdbool.h>

/* False: this kernel injects no faults. Descriptors opened after it may be closed together. */
bool inject_open(void);
int inject_fd(void);
/*
 * From now on only what functions of the module @inside (NULL: of anything) lead to, at most 32 calls deep, and no function
 * that lies in memory from the function @not_from up to @not_to. False: the kernel does not say where these are.
 */
bool inject_only(const char *inside, const char *not_from, const char *not_to);
/* The @nth allocation or copy from now on fails. */
void inject_arm(unsigned int nth);
/* Whether the fault was met; it is disarmed. @left: what was left of @nth if not, may be NULL. */
bool inject_met(unsigned int *left);

#endif /* INJECT_H */
