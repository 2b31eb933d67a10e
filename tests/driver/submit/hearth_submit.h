/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/* The calls of hearth_submit.ko. */
#ifndef HEARTH_SUBMIT_H
#define HEARTH_SUBMIT_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct hearth_submit_setup - the queue that is submitted to, as the process has mapped it
 */
struct hearth_submit_setup {
	/** @ring: address of the ring, in host memory */
	__u64 ring;
	/** @doorbell: address of the doorbell page */
	__u64 doorbell;
	/** @ring_log2: log2 of the ring's packets, 6 to 12 */
	__u32 ring_log2;
	/** @pad: not looked at */
	__u32 pad;
};

/**
 * struct hearth_submit_packets - packets to execute
 */
struct hearth_submit_packets {
	/** @packets: address of @count packets of 64 bytes */
	__u64 packets;
	/** @tail: in, the free-running number of the first one; out, of the next */
	__u64 tail;
	/** @count: of packets, no more than the ring has */
	__u32 count;
	/** @pad: not looked at */
	__u32 pad;
};

#define HEARTH_SUBMIT_SETUP   _IOW('H', 1, struct hearth_submit_setup)
#define HEARTH_SUBMIT_PACKETS _IOWR('H', 2, struct hearth_submit_packets)

#endif /* HEARTH_SUBMIT_H */
