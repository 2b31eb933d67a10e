// SPDX-License-Identifier: MIT
/*
 * On what, and with what, a result was measured. What the system does not tell is null.
 */
#include "bench.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "modules.h"
#include "sha256.h"

/* The first line of a file, without its end; false if there is none. */
static bool first_line(const char *path, char *line, size_t size)
{
	FILE *file = fopen(path, "r");
	bool got = file && fgets(line, (int)size, file);

	if (file)
		fclose(file);
	if (got)
		line[strcspn(line, "\n")] = '\0';
	return got;
}

static void add_line(struct json *parent, const char *key, const char *path)
{
	char line[4096];

	json_add_string(parent, key, first_line(path, line, sizeof(line)) ? line : NULL);
}

/* The value of "@name : value", or "@name=value", in a file of such lines. */
static bool field(const char *path, const char *name, char *value, size_t size)
{
	FILE *file = fopen(path, "r");
	size_t length = strlen(name);
	char line[1024];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file)) {
		char *at = line + length;

		if (strncmp(line, name, length))
			continue;
		at += strspn(at, " \t");
		if (*at != ':' && *at != '=')
			continue;
		at++;
		at += strspn(at, " \t\"");
		at[strcspn(at, "\"\n")] = '\0';
		snprintf(value, size, "%s", at);
		found = true;
	}
	if (file)
		fclose(file);
	return found;
}

/*
 * Of the kernel's command line, what makes a machine faster or slower. The rest says where the machine is and how it
 * boots, which is nobody's business who reads a result.
 */
static void add_kernel_parameters(struct json *parent)
{
	static const char *const names[] = { "amd_iommu",   "amd_pstate",
					     "idle",	    "intel_idle",
					     "intel_iommu", "intel_pstate",
					     "iommu",	    "isolcpus",
					     "mitigations", "nohz_full",
					     "nosmt",	    "pcie_aspm",
					     "processor",   "spec_store_bypass_disable",
					     "spectre_v2",  "transparent_hugepage" };
	struct json *list = json_add_array(parent, "kernel_parameters");
	char line[4096], *at, *word;

	if (!first_line("/proc/cmdline", line, sizeof(line)))
		return;
	for (word = strtok_r(line, " ", &at); word; word = strtok_r(NULL, " ", &at))
		for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
			size_t length = strlen(names[i]);

			if (!strncmp(word, names[i], length) && strchr("=.", word[length]))
				json_add_string(list, NULL, word);
		}
}

void bench_add_system(struct json *results)
{
	struct json *system = json_add_object(results, "system");
	/* The processor's name, under the names that architectures have for it. */
	static const char *const cpu_fields[] = { "model name", "Hardware", "uarch", "isa" };
	struct utsname names;
	char value[512];
	double load[1];
	bool found = false;

	for (size_t i = 0; i < sizeof(cpu_fields) / sizeof(*cpu_fields) && !found; i++)
		found = field("/proc/cpuinfo", cpu_fields[i], value, sizeof(value));
	json_add_string(system, "cpu", found ? value : NULL);
	json_add_number(system, "processors", (double)sysconf(_SC_NPROCESSORS_ONLN));
	json_add_number(system, "memory_bytes",
			(double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE));
	if (uname(&names)) {
		json_add_null(system, "kernel");
		json_add_null(system, "architecture");
	} else {
		snprintf(value, sizeof(value), "%s %s", names.sysname, names.release);
		json_add_string(system, "kernel", value);
		json_add_string(system, "architecture", names.machine);
	}
	found = field("/etc/os-release", "PRETTY_NAME", value, sizeof(value));
	json_add_string(system, "os", found ? value : NULL);
	add_line(system, "governor", "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
	add_kernel_parameters(system);
	json_add_bool(system, "iommu", !access("/sys/kernel/iommu_groups/0", F_OK));
	if (getloadavg(load, 1) == 1)
		json_add_number(system, "load", load[0]);
	else
		json_add_null(system, "load");
}

/* The hashes of the SPIR-V modules in a file, in the order in which they lie there. */
static void add_modules(struct json *parent, const char *path)
{
	struct json *list = json_add_array(parent, "shaders");
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	const uint32_t *words, *module;
	size_t at = 0, count;
	struct stat st;

	if (fd < 0)
		return;
	if (fstat(fd, &st) || st.st_size <= 0)
		goto out_close;
	words = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (words == MAP_FAILED)
		goto out_close;
	while ((module = bench_next_module(words, (size_t)st.st_size / 4, &at, &count))) {
		char text[SHA256_TEXT];

		sha256_text(module, 4 * count, text);
		json_add_string(list, NULL, text);
	}
	munmap((void *)words, (size_t)st.st_size);
out_close:
	close(fd);
}

static struct json *add_file(struct json *parent, const char *key, const char *path)
{
	struct json *json = json_add_object(parent, key);
	char text[SHA256_TEXT];
	const char *slash = strrchr(path, '/');

	json_add_string(json, "file", slash ? slash + 1 : path);
	json_add_string(json, "sha256", sha256_file(path, text) ? text : NULL);
	return json;
}

void bench_add_tool(struct json *results)
{
	struct json *tool = json_add_object(results, "tool");
	char program[4096];
	ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
	Dl_info library;

	json_add_string(tool, "name", "hearth-bench");
	json_add_string(tool, "version", HEARTH_VERSION);
	program[length > 0 ? length : 0] = '\0';
	add_file(tool, "program", program);
	/* Through the symbol table: the address of the function itself may be that of a stub in the program. */
	if (dladdr(dlsym(RTLD_DEFAULT, "hearth_op_matmul"), &library) && library.dli_fname)
		add_modules(add_file(tool, "library", library.dli_fname), library.dli_fname);
	else
		json_add_null(tool, "library");
}
