// SPDX-License-Identifier: MIT
/*
 * Every allocation and copy that the driver's functions make or lead to while a board is bound fails once (inject.h), and of
 * all those that binding makes, the driver's core and the bus included, some: test-driver-failbind [STEP [ALL_STEP]] takes
 * each STEPth (1) of the former and each ALL_STEPth (150) of the latter. A board that is not bound then must be as before: no node, no interrupt, no region, no file in
 * sysfs, and the next try finds it so. A board that is bound although something failed must serve. The kernel's own
 * log and kmemleak look for the rest. The PCI core probes in the thread that writes to "bind" where there is one NUMA
 * node or none; elsewhere no fault would be met, which fails.
 *
 * Left out are files in /proc/irq, of which the kernel does not look whether it could make them and then warns when
 * it cannot remove them, and in the first sweep all of what makes interrupts, for each vector the same.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"
#include "inject.h"

#define DRIVER	    "/sys/bus/pci/drivers/hearth"
#define MOST_POINTS 100000u
#define SERVE_EVERY \
	16 /* boards that are looked at closely: at work, or bound again without a fault */

static const char *pci;

static bool has_line(const char *path, const char *text)
{
	FILE *file = fopen(path, "r");
	bool found = false;
	char line[1024];

	while (file && !found && fgets(line, sizeof(line), file))
		found = strstr(line, text);
	if (file)
		fclose(file);
	return found;
}

static bool exists(const char *format)
{
	char path[128];

	snprintf(path, sizeof(path), format, pci);
	return !access(path, F_OK);
}

/* What is left of a board that nothing is bound to; NULL: nothing. */
static const char *left_over(void)
{
	if (exists("/sys/bus/pci/devices/%s/driver"))
		return "it has a driver";
	if (exists("/sys/bus/pci/devices/%s/hearth"))
		return "its folder in sysfs is there";
	if (exists("/sys/bus/pci/devices/%s/accel") || !access("/dev/accel/accel0", F_OK))
		return "its node is there";
	if (exists("/sys/bus/pci/devices/%s/hwmon"))
		return "its sensors are there";
	if (has_line("/proc/interrupts", "hearth"))
		return "it has interrupts";
	if (has_line("/proc/iomem", "hearth"))
		return "it has regions";
	return NULL;
}

static bool serves(void)
{
	struct context context;
	bool good;

	if (!node_comes(NULL))
		return false;
	context_open(&context, 0);
	push_nop(&context);
	good = !context_submit(&context);
	context_close(&context);
	return good;
}

static int try_bind(unsigned int nth, bool *hit, unsigned int *left)
{
	int ret;

	inject_arm(nth);
	ret = write_text(DRIVER "/bind", pci);
	*hit = inject_met(left);
	return ret;
}

/* How many points there are, when none fails. */
static unsigned int count_points(void)
{
	unsigned int left;
	bool hit;
	int ret = try_bind(MOST_POINTS, &hit, &left);

	if (ret || hit)
		die("bind", ret);
	is(serves(), true, "the board is bound and serves");
	driver_unbind(pci);
	return MOST_POINTS - left;
}

/* Bound, perhaps with less than it could have. */
static const char *judge_bound(void)
{
	static unsigned int bound;

	if (bound++ % SERVE_EVERY ? !node_comes(NULL) : !serves())
		return "it is bound and does not serve";
	driver_unbind(pci);
	return left_over();
}

static const char *judge(bool hit, int ret)
{
	static unsigned int refused;

	if (!ret)
		return judge_bound();
	if (!hit)
		return "an error although nothing failed";
	if (left_over())
		return left_over();
	if (refused++ % SERVE_EVERY)
		return NULL;
	if (!driver_bind(pci, NULL) || !serves())
		return "it cannot be bound afterwards";
	driver_unbind(pci);
	return left_over();
}

static void sweep(const char *what, unsigned int step)
{
	unsigned int nth, points = count_points(), met = 0, bound = 0, bad = 0;
	int64_t start = now_ns(), spoke = start;

	for (nth = 1; nth <= points && bad < 5; nth += step) {
		const char *why;
		bool hit;
		int ret = try_bind(nth, &hit, NULL);

		why = judge(hit, ret);
		if (why) {
			bad++;
			printf("#   point %u: %s: %s\n", nth, why, strerror(-ret));
		}
		met += hit;
		bound += hit && !ret;
		if (now_ns() - spoke > 5000000000ll) {
			spoke = now_ns();
			printf("# %lld s: point %u of %u\n",
			       (long long)(spoke - start) / 1000000000, nth, points);
			fflush(stdout);
		}
	}
	ok(!bad, "%s: %u of %u points failed once, and with %u of them the board was bound", what,
	   met, points, bound);
	/* How many points there are differs a little from time to time. */
	ok(met * step > points / 2, "%s: faults were met", what);
}

int main(int argc, char **argv)
{
	unsigned int step = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
	unsigned int all_step = argc > 2 ? strtoul(argv[2], NULL, 10) : 150;

	if (!inject_open()) {
		printf("1..0 # SKIP this kernel injects no faults (CONFIG_FAULT_INJECTION)\n");
		return 0;
	}
	if (!step || !all_step)
		die("a step of 0", -EINVAL);
	pci = pci_of(guest_node());
	driver_unbind(pci);
	ok(!left_over(), "the driver is unbound, and nothing is left of it");
	/* Of the kernel's files of interrupts: its proc.c, and all from irqdomain.c to matrix.c. */
	is(inject_only(NULL, "register_handler_proc", "init_irq_proc"), true, "all but /proc/irq");
	sweep("binding", all_step);
	is(inject_only("hearth", "irq_domain_alloc_descs", "irq_matrix_alloc"), true,
	   "what the driver leads to");
	sweep("the driver", step);
	ok(driver_bind(pci, NULL) && serves(), "the board is bound again and serves");
	return done();
}
