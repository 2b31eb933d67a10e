/* SPDX-License-Identifier: MIT */
/*
 * The one thing that a program may ask this Vulkan driver beyond Vulkan: counters of a queue. They
 * show how work reached the device. The function is found with
 * vkGetDeviceProcAddr(device, HEARTH_GET_QUEUE_STATISTICS); other drivers return NULL.
 */
#ifndef HEARTH_VULKAN_H
#define HEARTH_VULKAN_H

#include <stdint.h>
#include <vulkan/vulkan_core.h>

#define HEARTH_GET_QUEUE_STATISTICS "vkGetQueueStatisticsHEARTH"

/*
 * @submissions: batches given to the queue (one for each VkSubmitInfo).
 * @packets: recorded packets that they held.
 * @doorbells: stores to the board's doorbell register; 0 on the CPU device.
 * @sleeps: waits that went into the kernel because the work was not done yet.
 * @submit_system_calls: system calls made to hand over work; 0 on a board, which needs none.
 * @interrupts: raised by the board for this queue.
 */
struct hearth_queue_statistics {
	uint64_t submissions;
	uint64_t packets;
	uint64_t doorbells;
	uint64_t sleeps;
	uint64_t submit_system_calls;
	uint64_t interrupts;
};

typedef void(VKAPI_PTR *PFN_vkGetQueueStatisticsHEARTH)(VkQueue queue,
							struct hearth_queue_statistics *out);

#endif /* HEARTH_VULKAN_H */
