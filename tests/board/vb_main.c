// SPDX-License-Identifier: MIT
/*
 * hearth-board: a complete board in software. It serves one PCI function to one vfio-user client,
 * runs the board's firmware on an emulated RISC-V SoC over the same memory, and ends when the
 * client goes. This file: options and the poll loop, which sleeps whenever nothing is asked of it.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "vb.h"

struct vb_options vb_options = {
	.qemu = "qemu-system-riscv64",
	.dram = 512ull << 20,
	.workers = 2,
	.vlen = 256,
	.watchdog_ms = VB_WATCHDOG_MS,
};

static bool quit;
static int quit_status;
static uint64_t doorbells;

static const char usage[] =
	"usage: hearth-board --socket PATH [options]\n"
	"  --socket PATH          vfio-user socket to make and serve\n"
	"  --dram SIZE            memory in the aperture, a power of two, 32M to 512M (512M)\n"
	"  --workers N            compute harts, 1 to 15 (2)\n"
	"  --vlen BITS            width of their vector registers, 128 to 1024 (256)\n"
	"  --qemu PATH            emulator of the SoC (qemu-system-riscv64)\n"
	"  --owner-key FILE       fuse: public key of the owner, 64 hexadecimal digits; up to "
	"twice.\n"
	"                         The board then takes only images that are signed with it\n"
	"  --rollback N           fuse: lowest rollback counter of an image that is taken (0)\n"
	"  --watchdog MS          firmware that does not answer for so long is ended; 0: never "
	"(30000)\n"
	"  --misbehave HOW[:N[:once]]\n"
	"                         after N doorbells (default 0), and with :once until the next "
	"reset:\n"
	"                         hang, garbage, allones, vanish, completion, silent, interrupt, "
	"dma,\n"
	"                         corrupt, slow, status, generation or stray\n"
	"  --verbose              tell what happens on standard error\n";

void vb_quit(int status)
{
	quit = true;
	quit_status = status;
}

void vb_log(const char *format, ...)
{
	va_list arguments;

	if (!vb_options.verbose)
		return;
	va_start(arguments, format);
	fputs("hearth-board: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
}

bool vb_misbehaves(enum vb_misbehaviour how)
{
	return vb_options.misbehaviour == how && doorbells >= vb_options.misbehave_after;
}

void vb_misbehaviour_reset(void)
{
	if (vb_options.misbehave_once && doorbells >= vb_options.misbehave_after)
		vb_options.misbehaviour = VB_BEHAVES;
}

void vb_count_doorbell(void)
{
	doorbells++;
	if (vb_misbehaves(VB_HANGS))
		vb_soc_freeze();
	if (vb_misbehaves(VB_VANISHES))
		vb_quit(0);
}

static bool parse_number(const char *text, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 0);
	if (errno || end == text || *text == '-')
		return false;
	if (*end == 'K' || *end == 'M' || *end == 'G') {
		unsigned int shift = *end == 'K' ? 10 : *end == 'M' ? 20 : 30;

		if (*value > UINT64_MAX >> shift)
			return false;
		*value <<= shift;
		end++;
	}
	return !*end;
}

static bool parse_misbehaviour(const char *text)
{
	static const struct {
		const char *name;
		enum vb_misbehaviour how;
	} names[] = {
		{ "hang", VB_HANGS },
		{ "garbage", VB_GARBAGE },
		{ "allones", VB_ALL_ONES },
		{ "vanish", VB_VANISHES },
		{ "completion", VB_WRONG_COMPLETION },
		{ "silent", VB_NO_COMPLETION },
		{ "interrupt", VB_LOSES_INTERRUPTS },
		{ "dma", VB_DMA_ERRORS },
		{ "corrupt", VB_CORRUPTS },
		{ "slow", VB_SLOW },
		{ "status", VB_STUCK_STATUS },
		{ "generation", VB_STUCK_GENERATION },
		{ "stray", VB_STRAYS },
	};
	const char *colon = strchrnul(text, ':');
	char number[24];
	size_t i, length;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strlen(names[i].name) != (size_t)(colon - text) ||
		    memcmp(names[i].name, text, colon - text))
			continue;
		vb_options.misbehaviour = names[i].how;
		if (!*colon)
			return true;
		length = strcspn(colon + 1, ":");
		if (length >= sizeof(number))
			return false;
		memcpy(number, colon + 1, length);
		number[length] = 0;
		vb_options.misbehave_once = !strcmp(colon + 1 + length, ":once");
		return (vb_options.misbehave_once || !colon[1 + length]) &&
		       parse_number(number, &vb_options.misbehave_after);
	}
	return false;
}

static bool is_power_of_two(uint64_t value)
{
	return value && !(value & (value - 1));
}

/* A file of 64 hexadecimal digits and perhaps white space after them. */
static bool parse_key(const char *path)
{
	FILE *file = fopen(path, "r");
	uint8_t *key = vb_options.keys[vb_options.key_count];
	unsigned int i, byte;
	bool good = file && vb_options.key_count < VB_KEYS;

	for (i = 0; good && i < 32; i++) {
		good = fscanf(file, "%2x", &byte) == 1;
		key[i] = byte;
	}
	if (good && fscanf(file, " %*c") != EOF)
		good = false;
	if (file)
		fclose(file);
	vb_options.key_count += good;
	return good;
}

static bool parse_option(int option, const char *text)
{
	uint64_t value;

	switch (option) {
	case 's':
		vb_options.socket = text;
		return strlen(text) < sizeof(((struct sockaddr_un *)0)->sun_path);
	case 'q':
		vb_options.qemu = text;
		return true;
	case 'v':
		vb_options.verbose = true;
		return true;
	case 'm':
		return parse_misbehaviour(text);
	case 'k':
		return parse_key(text);
	}
	if (!parse_number(text, &value))
		return false;
	switch (option) {
	case 'd':
		vb_options.dram = value;
		return is_power_of_two(value) && value >= 32ull << 20 && value <= 512ull << 20;
	case 'r':
		vb_options.rollback = value;
		return value <= UINT32_MAX;
	case 't':
		vb_options.watchdog_ms = value;
		return value <= 3600000;
	case 'w':
		vb_options.workers = value;
		return value >= 1 && value <= VB_MAX_WORKERS;
	case 'l':
		vb_options.vlen = value;
		return is_power_of_two(value) && value >= 128 && value <= 1024;
	}
	return false;
}

static void parse_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "dram", required_argument, NULL, 'd' },
		{ "workers", required_argument, NULL, 'w' },
		{ "vlen", required_argument, NULL, 'l' },
		{ "qemu", required_argument, NULL, 'q' },
		{ "owner-key", required_argument, NULL, 'k' },
		{ "rollback", required_argument, NULL, 'r' },
		{ "watchdog", required_argument, NULL, 't' },
		{ "misbehave", required_argument, NULL, 'm' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int option, index = 0;

	while ((option = getopt_long(argc, argv, "", options, &index)) != -1) {
		if (option == 'h') {
			fputs(usage, stdout);
			exit(0);
		}
		if (option == '?' || !parse_option(option, optarg)) {
			if (option != '?')
				fprintf(stderr, "hearth-board: --%s %s: %s\n", options[index].name,
					optarg,
					option == 'k' ? "not a key of 64 hexadecimal digits, or "
							"one too many"
						      : "out of range");
			fputs(usage, stderr);
			exit(2);
		}
	}
	if (optind != argc || !vb_options.socket) {
		fputs(usage, stderr);
		exit(2);
	}
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 1)) {
		close(fd);
		return -1;
	}
	return fd;
}

static int signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void serve_signals(int fd)
{
	struct signalfd_siginfo info;

	while (read(fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGCHLD)
			vb_quit(0);
		else if (vb_soc_ended())
			vb_regs_soc_state();
	}
}

static void serve(int listener, int signal_fd)
{
	int client = -1;

	while (!quit) {
		struct pollfd fds[] = {
			{ .fd = client >= 0 ? client : listener, .events = POLLIN },
			{ .fd = vb_soc_fd(), .events = POLLIN },
			{ .fd = signal_fd, .events = POLLIN },
			{ .fd = vb_soc_timer_fd(), .events = POLLIN },
			{ .fd = vb_soc_watchdog_fd(), .events = POLLIN },
		};
		uint64_t expirations;

		if (poll(fds, 5, -1) < 0) {
			if (errno == EINTR)
				continue;
			perror("hearth-board: poll");
			quit_status = 1;
			break;
		}
		if (fds[2].revents)
			serve_signals(signal_fd);
		if (fds[3].revents && read(vb_soc_timer_fd(), &expirations, 8) == 8)
			vb_regs_boot_timeout();
		if (fds[4].revents && vb_soc_watchdog_bites())
			vb_regs_watchdog();
		/* A reset below may replace this descriptor, so it comes first. */
		if (fds[1].revents && vb_soc_fd() == fds[1].fd) {
			vb_soc_serve();
			/* It may have served the client, while it waited for a peer's memory. */
			poll(fds, 1, 0);
		}
		if (!fds[0].revents)
			continue;
		if (client < 0) {
			client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
			vb_log("client connected");
		} else if (!vb_vfio_serve(client)) {
			vb_log("client gone");
			vb_quit(0);
		}
	}
	if (client >= 0)
		close(client);
}

int main(int argc, char **argv)
{
	int listener, signal_fd;

	parse_options(argc, argv);
	signal_fd = signals();
	listener = listen_at(vb_options.socket);
	if (listener < 0 || signal_fd < 0) {
		fprintf(stderr, "hearth-board: %s: %s\n", vb_options.socket, strerror(errno));
		return 1;
	}
	if (vb_soc_init()) {
		fprintf(stderr, "hearth-board: cannot get %" PRIu64 " bytes of board memory: %s\n",
			vb_dram_bytes(), strerror(errno));
		unlink(vb_options.socket);
		return 1;
	}
	vb_config_init();
	vb_regs_init();
	serve(listener, signal_fd);
	unlink(vb_options.socket);
	vb_soc_fini();
	return quit_status;
}
