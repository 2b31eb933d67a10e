/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef HEARTH_IRQ_H
#define HEARTH_IRQ_H

#include <linux/list.h>
#include <linux/spinlock.h>

struct hearth_device;

/** struct hearth_vector - one MSI-X vector and the queues that use it */
struct hearth_vector {
	/** @hdev: the board */
	struct hearth_device *hdev;
	/** @lock: protects @queues and the wait state of the queues on it; taken in interrupts */
	spinlock_t lock;
	/** @queues: of hearth_queue.vector_node */
	struct list_head queues;
	/** @number: the vector's */
	unsigned int number;
};

int hearth_irq_init(struct hearth_device *hdev);
void hearth_irq_fini(struct hearth_device *hdev);
void hearth_irq_synchronize(struct hearth_device *hdev);
struct hearth_vector *hearth_irq_vector(struct hearth_device *hdev, unsigned int queue);

#endif /* HEARTH_IRQ_H */
