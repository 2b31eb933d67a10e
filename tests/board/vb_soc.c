// SPDX-License-Identifier: MIT
/*
 * Board memory and the SoC. Memory is a memfd that the aperture, the DMA engine and the emulator
 * share. A boot starts a new emulator process at the boot ROM, which is flash that it cannot write; a
 * reset kills it: an emulator that lives on would go on executing translations of the old firmware.
 * The emulator inherits memory, ROM and UART as descriptors and dies with the board.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include "vb.h"
#include "vb_rom.h"

uint8_t *vb_dram;
int vb_dram_fd = -1;
struct vb_link *vb_link;

static pid_t soc = -1;
static int uart = -1;
static int timer = -1;
static int watchdog = -1;
static int rom_fd = -1;
static uint64_t boots;
static enum hbi_boot_error ended_by;
static uint64_t kicked_ns; /* when the last kick was sent */

_Static_assert(VB_LINK_OFFSET + sizeof(struct vb_link) <= VB_LOG_OFFSET, "link");
_Static_assert(VB_LOG_OFFSET + VB_LOG_BYTES <= VB_FIRMWARE_BYTES, "log");

uint64_t vb_dram_bytes(void)
{
	return VB_FIRMWARE_BYTES + vb_options.dram + VB_TAIL_BYTES;
}

int vb_soc_init(void)
{
	vb_dram_fd = memfd_create("hearth-board-dram", MFD_CLOEXEC);
	rom_fd = memfd_create("hearth-board-rom", MFD_CLOEXEC);
	timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	watchdog = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (vb_dram_fd < 0 || rom_fd < 0 || timer < 0 || watchdog < 0 ||
	    ftruncate(vb_dram_fd, vb_dram_bytes()) || ftruncate(rom_fd, VB_ROM_BYTES) ||
	    pwrite(rom_fd, vb_rom, sizeof(vb_rom), 0) != sizeof(vb_rom))
		return -1;
	vb_dram = mmap(NULL, vb_dram_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, vb_dram_fd, 0);
	if (vb_dram == MAP_FAILED)
		return -1;
	vb_link = (struct vb_link *)(vb_dram + VB_LINK_OFFSET);
	return 0;
}

void vb_soc_fini(void)
{
	vb_soc_kill();
	vb_dma_unmap_all();
	munmap(vb_dram, vb_dram_bytes());
	close(vb_dram_fd);
	close(rom_fd);
	close(timer);
	close(watchdog);
}

/* ---- The process ---- */

void vb_soc_note_end(enum hbi_boot_error error)
{
	ended_by = error;
}

/*
 * As after a reset of the SoC: memory that the host cannot reach is empty but for the log's, which
 * stands for memory that is kept powered and not cleared; the fuses can be read.
 */
static void init_link(uint64_t image_address, uint64_t image_size)
{
	memset(vb_dram, 0, VB_LOG_OFFSET);
	vb_link->magic = VB_LINK_MAGIC;
	vb_link->version = VB_LINK_VERSION;
	vb_link->dram_bytes = vb_dram_bytes();
	vb_link->aperture_base = VB_APERTURE_BASE;
	vb_link->aperture_bytes = vb_options.dram;
	vb_link->workers = vb_options.workers;
	vb_link->watchdog_ms = vb_options.watchdog_ms;
	vb_link->image_address = image_address;
	vb_link->image_size = image_size;
	vb_link->boots = ++boots;
	vb_link->board_id = HBI_VIRTUAL_DEVICE;
	vb_link->rollback = vb_options.rollback;
	vb_link->key_count = vb_options.key_count;
	vb_link->ended_by = ended_by;
	ended_by = HBI_BOOT_OK;
	memcpy(vb_link->keys, vb_options.keys, sizeof(vb_link->keys));
	strcpy((char *)vb_link->identity.board_name, "Hearth virtual board");
	strcpy((char *)vb_link->identity.serial, "0001");
	strcpy((char *)vb_link->identity.isa, "rv64gcv_zba_zbb_zbs_zfh_zvfh");
	strcpy((char *)vb_link->identity.vendor, "Hearth");
}

/* In the child: never returns. */
static void run_emulator(int memory, int serial, pid_t parent)
{
	char machine[64], object[128], size[32], cpu[96], harts[32], chardev[64], flash[96];
	char *arguments[] = {
		(char *)vb_options.qemu,
		"-M",
		machine,
		"-object",
		object,
		"-m",
		size,
		"-cpu",
		cpu,
		"-smp",
		harts,
		"-bios",
		"none",
		"-drive",
		flash,
		"-nodefaults",
		"-nographic",
		"-accel",
		"tcg,thread=multi",
		"-chardev",
		chardev,
		"-serial",
		"chardev:u",
		"-monitor",
		"none",
		NULL,
	};
	unsigned long long bytes = vb_dram_bytes();
	sigset_t none;
	int null;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	snprintf(machine, sizeof(machine), "virt,memory-backend=ram");
	snprintf(object, sizeof(object),
		 "memory-backend-file,id=ram,mem-path=/proc/self/fd/%d,size=%llu,share=on", memory,
		 bytes);
	snprintf(size, sizeof(size), "%lluK", bytes >> 10);
	snprintf(cpu, sizeof(cpu), "rv64,v=true,vlen=%u,zfh=true,zvfh=true", vb_options.vlen);
	snprintf(harts, sizeof(harts), "%u", vb_options.workers + 1);
	snprintf(chardev, sizeof(chardev), "socket,id=u,fd=%d", serial);
	snprintf(flash, sizeof(flash),
		 "if=pflash,unit=0,format=raw,readonly=on,file=/proc/self/fd/%d", rom_fd);
	fcntl(memory, F_SETFD, 0);
	fcntl(rom_fd, F_SETFD, 0);
	fcntl(serial, F_SETFD, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	null = open("/dev/null", O_RDWR);
	if (null >= 0) {
		dup2(null, 0);
		dup2(null, 1);
		if (!vb_options.verbose)
			dup2(null, 2);
	}
	execvp(vb_options.qemu, arguments);
	fprintf(stderr, "hearth-board: %s: %s\n", vb_options.qemu, strerror(errno));
	_exit(127);
}

int vb_soc_start(uint64_t address, uint64_t size)
{
	pid_t parent = getpid();
	int pair[2];

	init_link(address, size);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -1;
	soc = fork();
	if (soc < 0) {
		close(pair[0]);
		close(pair[1]);
		return -1;
	}
	if (!soc)
		run_emulator(vb_dram_fd, pair[1], parent);
	close(pair[1]);
	uart = pair[0];
	fcntl(uart, F_SETFL, O_NONBLOCK);
	return 0;
}

static void forget(void)
{
	if (uart >= 0)
		close(uart);
	uart = -1;
	soc = -1;
}

void vb_soc_kill(void)
{
	if (soc < 0)
		return;
	kill(soc, SIGKILL);
	while (waitpid(soc, NULL, 0) < 0 && errno == EINTR)
		;
	forget();
}

void vb_soc_freeze(void)
{
	if (soc >= 0)
		kill(soc, SIGSTOP);
}

bool vb_soc_ended(void)
{
	if (soc < 0 || waitpid(soc, NULL, WNOHANG) != soc)
		return false;
	forget();
	return true;
}

int vb_soc_timer_fd(void)
{
	return timer;
}

void vb_soc_timer(unsigned int milliseconds)
{
	struct itimerspec when = {
		.it_value = { milliseconds / 1000, milliseconds % 1000 * 1000000 },
	};

	timerfd_settime(timer, 0, &when, NULL);
}

/* ---- The watchdog ---- */

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

int vb_soc_watchdog_fd(void)
{
	return watchdog;
}

static void watch(uint64_t ns)
{
	struct itimerspec when = { .it_value = { ns / 1000000000, ns % 1000000000 + 1 } };

	timerfd_settime(watchdog, 0, &when, NULL);
}

bool vb_soc_watchdog_bites(void)
{
	uint64_t limit = vb_options.watchdog_ms * 1000000ull, waited, expirations;

	if (read(watchdog, &expirations, sizeof(expirations)) != sizeof(expirations) || soc < 0 ||
	    !__atomic_load_n(&vb_link->soc_kick, __ATOMIC_SEQ_CST))
		return false;
	waited = now_ns() - kicked_ns;
	if (waited >= limit)
		return true;
	watch(limit - waited);
	return false;
}

/* ---- The link ---- */

int vb_soc_fd(void)
{
	return uart;
}

void vb_soc_kick(void)
{
	if (uart < 0 || __atomic_exchange_n(&vb_link->soc_kick, 1, __ATOMIC_SEQ_CST))
		return;
	/* At most one byte is on the way, so this cannot be short of room. */
	if (send(uart, "k", 1, MSG_NOSIGNAL | MSG_DONTWAIT) != 1)
		vb_log("the SoC's UART does not take a byte: %s", strerror(errno));
	if (!vb_options.watchdog_ms)
		return;
	kicked_ns = now_ns();
	watch(vb_options.watchdog_ms * 1000000ull);
}

static void serve_descriptors(void)
{
	uint32_t done = vb_link->dma_done;
	uint32_t posted = __atomic_load_n(&vb_link->dma_posted, __ATOMIC_SEQ_CST);
	uint64_t boot = boots;
	bool failed = false;

	if (posted - done > VB_DESCRIPTORS) {
		vb_log("the SoC posted more descriptors than the ring holds");
		vb_regs_fail(HBI_BOOT_FIRMWARE);
		return;
	}
	while (done != posted) {
		struct vb_descriptor *descriptor = &vb_link->ring[done % VB_DESCRIPTORS];

		vb_dma_execute(descriptor);
		/* A reset came while it waited for a peer: the ring is another's. */
		if (boot != boots || soc < 0)
			return;
		failed |= descriptor->result != VB_OK;
		done++;
		__atomic_store_n(&vb_link->dma_done, done, __ATOMIC_SEQ_CST);
		if (done == posted)
			posted = __atomic_load_n(&vb_link->dma_posted, __ATOMIC_SEQ_CST);
		if (posted - done > VB_DESCRIPTORS)
			break;
	}
	if (failed || __atomic_load_n(&vb_link->dma_waiting, __ATOMIC_SEQ_CST))
		vb_soc_kick();
}

void vb_soc_serve(void)
{
	char bytes[64];
	ssize_t count;

	do
		count = recv(uart, bytes, sizeof(bytes), MSG_DONTWAIT);
	while (count == sizeof(bytes));
	if (!count || (count < 0 && errno != EAGAIN && errno != EINTR)) {
		/* The emulator is about to end; its exit is what counts. */
		close(uart);
		uart = -1;
		return;
	}
	__atomic_store_n(&vb_link->board_kick, 0, __ATOMIC_SEQ_CST);
	vb_regs_soc_state();
	serve_descriptors();
}
