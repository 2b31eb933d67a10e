// SPDX-License-Identifier: MIT
/*
 * The virtual board: QEMU's RISC-V "virt" machine, of which it uses the interrupt controllers and
 * the UART (one byte each way is a doorbell), and the mailbox of link.h in its memory.
 */
#include "../../fw.h"
#include "link.h"

#define CLINT		0x02000000ull
#define CLINT_MTIMECMP	(CLINT + 0x4000)
#define PLIC		0x0c000000ull
#define PLIC_ENABLE	(PLIC + 0x2000)	  /* of hart 0's M-mode context */
#define PLIC_THRESHOLD	(PLIC + 0x200000) /* likewise */
#define PLIC_CLAIM	(PLIC + 0x200004)
#define UART		0x10000000ull
#define UART_IRQ	10
#define UART_DATA	(UART + 0)
#define UART_IER	(UART + 1)
#define UART_FCR	(UART + 2)
#define UART_MCR	(UART + 4)
#define UART_LSR	(UART + 5)
#define UART_IER_RX	0x01
#define UART_FCR_ENABLE 0x01
#define UART_MCR_OUT2	0x08
#define UART_LSR_READY	0x01

/*
 * A virtual board has no sensors. What it tells is a model of a small card, driven by the measured
 * busy times, so that what reads sensors has something consistent to read: energy is exact for
 * MODEL_IDLE_MW at all times and MODEL_WORK_MW more when all workers are busy; power is its mean
 * since the last look (at least MODEL_STEP_DIV parts of a second ago); temperature follows power
 * with a lag of MODEL_LAG_S; the clock is the part of MODEL_CLOCK_KHZ that the power limit leaves.
 */
#define MODEL_IDLE_MW	6000
#define MODEL_WORK_MW	24000
#define MODEL_AIR_MK	303150 /* 30 degrees Celsius */
#define MODEL_MK_PER_W	1500
#define MODEL_LAG_S	4
#define MODEL_STEP_DIV	20
#define MODEL_CLOCK_KHZ 1000000

static struct vb_link *const vb = (struct vb_link *)(VB_DRAM_BASE + VB_LINK_OFFSET);
static u32 posted;
static u32 flushed;

static void write8(u64 address, u8 value)
{
	*(volatile u8 *)address = value;
}

static u8 read8(u64 address)
{
	return *(volatile u8 *)address;
}

static void write32(u64 address, u32 value)
{
	*(volatile u32 *)address = value;
}

static u32 read32(u64 address)
{
	return *(volatile u32 *)address;
}

static void kick(void)
{
	if (!__atomic_exchange_n(&vb->board_kick, 1, __ATOMIC_SEQ_CST))
		write8(UART_DATA, 0x4b);
}

static bool vb_init(struct fw_board *board)
{
	if (vb->magic != VB_LINK_MAGIC || vb->version != VB_LINK_VERSION)
		return false;
	board->aperture_base = vb->aperture_base;
	board->aperture_bytes = vb->aperture_bytes;
	board->host_window = VB_HOST_WINDOW;
	board->host_bytes = 1ull << VB_HOST_BITS;
	board->workers = vb->workers;
	board->queues = VB_QUEUES;
	board->contexts = VB_CONTEXTS;
	board->vectors = VB_VECTORS;
	board->ring_log2 = VB_RING_LOG2;
	board->timestamp_hz = VB_TIMESTAMP_HZ;
	board->idle_mw = MODEL_IDLE_MW;
	board->busy_mw = MODEL_IDLE_MW + MODEL_WORK_MW;
	board->identity = vb->identity;
	board->firmware = vb->image;
	board->log_memory = (void *)(VB_DRAM_BASE + VB_LOG_OFFSET);
	board->log_bytes = VB_LOG_BYTES;
	board->ended_by = vb->ended_by;
	return true;
}

static void vb_init_hart(u32 hart)
{
	if (hart)
		return;
	write8(UART_FCR, UART_FCR_ENABLE);
	write8(UART_MCR, UART_MCR_OUT2);
	write8(UART_IER, UART_IER_RX);
	write32(PLIC + 4 * UART_IRQ, 1);
	write32(PLIC_THRESHOLD, 0);
	write32(PLIC_ENABLE, 1u << UART_IRQ);
}

static void vb_ipi(u32 hart, bool set)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	write32(CLINT + 4 * hart, set);
}

static void vb_timer(u64 time)
{
	static u64 current;

	if (time == current)
		return;
	current = time;
	*(volatile u64 *)CLINT_MTIMECMP = time;
}

static void vb_poll(void)
{
	u32 irq;

	if (fw_csr_read(mip) & FW_MIE_EXTERNAL) {
		while (read8(UART_LSR) & UART_LSR_READY)
			read8(UART_DATA);
		irq = read32(PLIC_CLAIM);
		while (read8(UART_LSR) & UART_LSR_READY)
			read8(UART_DATA);
		if (irq)
			write32(PLIC_CLAIM, irq);
		__atomic_store_n(&vb->soc_kick, 0, __ATOMIC_SEQ_CST);
	}
	__atomic_store_n(&vb->heartbeat, vb->heartbeat + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static bool vb_rings(struct fw_rings *rings)
{
	if (!__atomic_load_n(&vb->enabled, __ATOMIC_SEQ_CST))
		return false;
	rings->admin_sq = vb->admin_sq;
	rings->admin_cq = vb->admin_cq;
	rings->event_ring = vb->event_ring;
	rings->admin_sq_log2 = vb->ring_sizes & 0xff;
	rings->admin_cq_log2 = vb->ring_sizes >> 8 & 0xff;
	rings->event_log2 = vb->ring_sizes >> 16 & 0xff;
	return true;
}

static u32 vb_admin_tail(void)
{
	return __atomic_load_n(&vb->admin_tail, __ATOMIC_SEQ_CST);
}

static u32 vb_event_head(void)
{
	return __atomic_load_n(&vb->event_head, __ATOMIC_SEQ_CST);
}

static u64 vb_doorbell(u32 queue)
{
	return __atomic_load_n(&vb->doorbell[queue], __ATOMIC_SEQ_CST);
}

static void vb_set_state(enum fw_platform_state state)
{
	u32 soc = state == FW_PLATFORM_READY ? VB_SOC_READY : VB_SOC_RUNNING;

	__atomic_store_n(&vb->state, soc, __ATOMIC_SEQ_CST);
	kick();
}

static u32 vb_dma_done(void)
{
	return __atomic_load_n(&vb->dma_done, __ATOMIC_SEQ_CST);
}

static bool vb_dma_result(u32 slot)
{
	return vb->ring[slot % VB_DESCRIPTORS].result == VB_OK;
}

static void vb_flush(void)
{
	if (flushed == posted)
		return;
	flushed = posted;
	__atomic_store_n(&vb->dma_posted, posted, __ATOMIC_SEQ_CST);
	kick();
}

/*
 * The byte that ends this wait may have been sent for something else, such as an admin command that
 * came meanwhile. So hart 0 interrupts itself: the main loop looks at everything before it sleeps.
 */
static void vb_dma_wait(void)
{
	bool woken = false;

	vb_flush();
	fw_csr_write(mie, FW_MIE_EXTERNAL);
	for (;;) {
		__atomic_store_n(&vb->dma_waiting, 1, __ATOMIC_SEQ_CST);
		if (vb_dma_done() == posted)
			break;
		fw_wfi();
		vb_poll();
		woken = true;
	}
	__atomic_store_n(&vb->dma_waiting, 0, __ATOMIC_SEQ_CST);
	if (woken)
		vb_ipi(0, true);
}

static struct vb_descriptor *next_slot(void)
{
	struct vb_descriptor *slot;

	if (posted - vb_dma_done() == VB_DESCRIPTORS)
		vb_dma_wait();
	slot = &vb->ring[posted++ % VB_DESCRIPTORS];
	memset(slot, 0, sizeof(*slot));
	slot->queue = VB_NO_QUEUE;
	return slot;
}

static void vb_dma_post(const struct fw_dma_order *order)
{
	static const u32 ops[] = {
		[FW_DMA_MOVE] = VB_OP_MOVE,	[FW_DMA_FILL] = VB_OP_FILL,
		[FW_DMA_WRITE] = VB_OP_WRITE,	[FW_DMA_RECORD] = VB_OP_RECORD,
		[FW_DMA_STATUS] = VB_OP_STATUS,
	};
	struct vb_descriptor *slot = next_slot();

	slot->op = ops[order->op];
	slot->queue = order->queue;
	slot->source = order->source;
	slot->destination = order->destination;
	slot->size = order->size;
	slot->value = order->value;
	if (order->payload)
		memcpy(slot->payload, order->payload, order->size);
}

static void vb_interrupt(u32 vector)
{
	struct vb_descriptor *slot = next_slot();

	slot->op = VB_OP_INTERRUPT;
	slot->value = vector;
}

static void vb_queue_reset(u32 queue, u32 vector)
{
	struct vb_descriptor *slot = next_slot();

	slot->op = VB_OP_QUEUE;
	slot->queue = queue;
	slot->value = vector;
}

static void vb_fatal(const char *text)
{
	fw_text_copy(vb->fatal_text, text, sizeof(vb->fatal_text));
	__atomic_store_n(&vb->state, VB_SOC_FATAL, __ATOMIC_SEQ_CST);
	kick();
	fw_csr_write(mie, 0);
	for (;;)
		fw_wfi();
}

static u64 model_energy(const struct hbi_telemetry *telemetry)
{
	/* Ticks to microseconds; milliwatts times microseconds are nanojoules. */
	u64 scale = VB_TIMESTAMP_HZ / 1000000, up = telemetry->ticks / scale;
	u64 work = telemetry->busy / scale / vb->workers;

	return (up * MODEL_IDLE_MW + work * MODEL_WORK_MW) / 1000;
}

static void vb_sensors(struct hbi_telemetry *telemetry)
{
	static u64 ticks, energy, temperature_mk;
	static u32 power_mw = MODEL_IDLE_MW;
	u64 now = model_energy(telemetry), lag = (u64)MODEL_LAG_S * VB_TIMESTAMP_HZ;
	u64 passed = telemetry->ticks - ticks, target;

	if (!temperature_mk)
		temperature_mk = MODEL_AIR_MK + MODEL_IDLE_MW / 1000 * MODEL_MK_PER_W;
	if (passed >= VB_TIMESTAMP_HZ / MODEL_STEP_DIV) {
		u64 passed_us = passed / (VB_TIMESTAMP_HZ / 1000000);

		power_mw = (u32)((now - energy) * 1000 / passed_us);
		target = MODEL_AIR_MK + (u64)power_mw * MODEL_MK_PER_W / 1000;
		temperature_mk = (temperature_mk * lag + target * passed) / (lag + passed);
		ticks = telemetry->ticks;
		energy = now;
	}
	telemetry->valid |= HBI_TELEMETRY_ENERGY | HBI_TELEMETRY_POWER | HBI_TELEMETRY_TEMPERATURE |
			    HBI_TELEMETRY_CLOCK | HBI_TELEMETRY_MODEL;
	telemetry->clock_khz = fw_power_part(MODEL_CLOCK_KHZ);
	telemetry->energy_uj = now;
	telemetry->power_mw = power_mw;
	telemetry->temperature_mk = (u32)temperature_mk;
}

const struct fw_platform fw_platform = {
	.init = vb_init,
	.init_hart = vb_init_hart,
	.ipi = vb_ipi,
	.timer = vb_timer,
	.poll = vb_poll,
	.rings = vb_rings,
	.admin_tail = vb_admin_tail,
	.event_head = vb_event_head,
	.doorbell = vb_doorbell,
	.set_state = vb_set_state,
	.queue_reset = vb_queue_reset,
	.dma_slots = VB_DESCRIPTORS,
	.dma_post = vb_dma_post,
	.interrupt = vb_interrupt,
	.dma_done = vb_dma_done,
	.dma_result = vb_dma_result,
	.dma_flush = vb_flush,
	.dma_wait = vb_dma_wait,
	.sensors = vb_sensors,
	.fatal = vb_fatal,
};
