/* SPDX-License-Identifier: MIT */
/*
 * Processes that use a board in all ways at once, while somebody resets it or takes it away: one
 * computes and checks its results, one runs into faults, one sleeps for work that never ends and
 * holds dma-bufs, one touches board memory that it has mapped. Each lives until its context ends, is
 * asked whether it was told so rightly, and is then followed by a new one.
 */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>

/* What they have done, in memory that they share; @wrong: whatever was not as it has to be. */
struct load {
	volatile int stop;
	volatile bool removal; /* the board is taken away, not reset */
	volatile long rounds;  /* computed, with right results */
	volatile long faults;
	volatile long sleeps; /* that ended by a reset or a removal */
	volatile long looks;  /* at board memory by the CPU */
	volatile long ended;  /* contexts, by a reset or a removal */
	volatile long wrong;
	char what[200]; /* the last that was wrong */
};

/* Starts them; returns when each has done something. */
struct load *load_start(bool removal);
/* Waits until results were computed that were begun after the call; false after a minute. */
bool load_goes_on(struct load *load);
/* Ends them; true if all ended in order and nothing was wrong. Says what they did. */
bool load_end(struct load *load);

#endif /* LOAD_H */
