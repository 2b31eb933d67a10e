// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSI-X: vector 0 tells of admin completions and events, the others of queues. One vector is
 * enough; then the queues share it. Handlers look only at memory, never at a register.
 */
#include <linux/interrupt.h>
#include <linux/pci.h>

#include <drm/drm_managed.h>

#include "hearth_admin.h"
#include "hearth_device.h"
#include "hearth_irq.h"
#include "hearth_queue.h"
#include "hearth_trace.h"

/* More vectors than this are of no use: a queue's waiters are woken one queue at a time. */
#define HEARTH_MAX_VECTORS 33

/** struct hearth_irq - the vectors of a board */
struct hearth_irq {
	/** @count: of @vectors, at least 1 */
	unsigned int count;
	/** @requested: of @vectors whose handlers are installed */
	unsigned int requested;
	/** @vectors: by number */
	struct hearth_vector vectors[] __counted_by(count);
};

static irqreturn_t hearth_irq_queues(int irq, void *data)
{
	struct hearth_vector *vector = data;

	trace_hearth_irq(vector->hdev, vector->number);
	hearth_queue_interrupt(vector);
	return IRQ_HANDLED;
}

static irqreturn_t hearth_irq_admin(int irq, void *data)
{
	struct hearth_vector *vector = data;

	trace_hearth_irq(vector->hdev, vector->number);
	hearth_queue_interrupt(vector);
	hearth_admin_interrupt(vector->hdev);
	return IRQ_WAKE_THREAD;
}

static irqreturn_t hearth_irq_events(int irq, void *data)
{
	struct hearth_vector *vector = data;

	hearth_admin_events(vector->hdev);
	return IRQ_HANDLED;
}

struct hearth_vector *hearth_irq_vector(struct hearth_device *hdev, unsigned int queue)
{
	struct hearth_irq *irq = hdev->irq;

	return &irq->vectors[irq->count == 1 ? 0 : 1 + queue % (irq->count - 1)];
}

/* After this no handler runs that began before. */
void hearth_irq_synchronize(struct hearth_device *hdev)
{
	struct hearth_irq *irq = hdev->irq;
	unsigned int i;

	for (i = 0; i < irq->requested; i++)
		synchronize_irq(pci_irq_vector(hdev->pdev, i));
}

/* After this no handler runs. */
void hearth_irq_fini(struct hearth_device *hdev)
{
	struct hearth_irq *irq = hdev->irq;

	while (irq->requested) {
		irq->requested--;
		free_irq(pci_irq_vector(hdev->pdev, irq->requested), &irq->vectors[irq->requested]);
	}
	pci_free_irq_vectors(hdev->pdev);
}

int hearth_irq_init(struct hearth_device *hdev)
{
	struct pci_dev *pdev = hdev->pdev;
	struct hearth_irq *irq;
	unsigned int i;
	int count, ret;

	count = pci_alloc_irq_vectors(pdev, 1, min(HEARTH_MAX_VECTORS, hdev->info.queues + 1),
				      PCI_IRQ_MSIX);
	if (count < 0) {
		drm_err(&hdev->drm, "no MSI-X vector to be had: %d\n", count);
		return count;
	}
	/* Lives as long as the DRM device: queues of open files use the locks in it. */
	irq = drmm_kzalloc(&hdev->drm, struct_size(irq, vectors, count), GFP_KERNEL);
	if (!irq) {
		ret = -ENOMEM;
		goto out_vectors;
	}
	irq->count = count;
	hdev->irq = irq;
	for (i = 0; i < irq->count; i++) {
		struct hearth_vector *vector = &irq->vectors[i];

		vector->hdev = hdev;
		vector->number = i;
		spin_lock_init(&vector->lock);
		INIT_LIST_HEAD(&vector->queues);
	}
	for (i = 0; i < irq->count; i++) {
		if (i == HBI_VECTOR_ADMIN)
			ret = request_threaded_irq(pci_irq_vector(pdev, i), hearth_irq_admin,
						   hearth_irq_events, 0, "hearth-admin",
						   &irq->vectors[i]);
		else
			ret = request_irq(pci_irq_vector(pdev, i), hearth_irq_queues, 0,
					  "hearth-queue", &irq->vectors[i]);
		if (ret) {
			drm_err(&hdev->drm, "interrupt of vector %u: %d\n", i, ret);
			goto out_irqs;
		}
		irq->requested++;
	}
	return 0;

out_irqs:
	hearth_irq_fini(hdev);
	return ret;
out_vectors:
	pci_free_irq_vectors(pdev);
	return ret;
}
