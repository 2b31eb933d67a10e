// SPDX-License-Identifier: MIT
/*
 * hearth-bench: what Vulkan devices can do at most, and how much of that the operations of a language model get,
 * each checked against float64. Works through libhearth's public interface alone, so any vendor's device is
 * measured by the same code.
 */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/bench.h"
#include "driver_path.h"

const char *argp_program_version = "hearth-bench " HEARTH_VERSION;

enum { EXIT_USAGE = 2 };

struct options {
	struct bench_settings settings;
	const char *device;
	const char *json, *html, *from;
	const char *files[2]; /* to compare */
	int file_count;
	bool list, models, compare, own, qualify;
	const char *qualify_one; /* in a process of its own: the ability */
};

enum {
	OPTION_LIST = 256,
	OPTION_QUICK,
	OPTION_PEAKS,
	OPTION_ALL,
	OPTION_MODELS,
	OPTION_JSON,
	OPTION_HTML,
	OPTION_FROM,
	OPTION_COMPARE,
	OPTION_ROUNDS,
	OPTION_SECONDS,
	OPTION_MEMORY,
	OPTION_PREFILL,
	OPTION_TIMEOUT,
	OPTION_OWN,
	OPTION_QUALIFY,
	OPTION_QUALIFY_ONE,
};

static const struct argp_option argp_options[] = {
	{ "list", OPTION_LIST, NULL, 0, "list the devices", 0 },
	{ "device", 'd', "N|NAME", 0,
	  "number from --list, or part of a device's name (default: all devices)", 0 },
	{ "own", OPTION_OWN, NULL, 0, "only devices of Hearth's own driver", 0 },
	{ "models", OPTION_MODELS, NULL, 0, "list the models whose shapes are known", 1 },
	{ "model", 'm', "NAME", 0, "the models with NAME in their names", 1 },
	{ "all", OPTION_ALL, NULL, 0, "all models, and long contexts", 1 },
	{ "prefill", OPTION_PREFILL, "N", 0, "rows of a prompt (default: 512)", 1 },
	{ "quick", OPTION_QUICK, NULL, 0, "tiny shapes: whether all works, not how fast", 1 },
	{ "peaks", OPTION_PEAKS, NULL, 0, "only what the device can do at most, no models", 1 },
	{ "qualify", OPTION_QUALIFY, NULL, 0,
	  "find which abilities of the devices compute right results, and leave a verdict that "
	  "makes the runtime do without the others",
	  1 },
	{ "qualify-one", OPTION_QUALIFY_ONE, "ABILITY", OPTION_HIDDEN, NULL, 1 },
	{ "rounds", OPTION_ROUNDS, "N", 0, "timed runs of a case, at most (default: 10)", 2 },
	{ "seconds", OPTION_SECONDS, "N", 0,
	  "time for the runs of a case; three are made in any case (default: 2)", 2 },
	{ "memory", OPTION_MEMORY, "MIB", 0,
	  "leave out cases that need a larger buffer (default: 1024)", 2 },
	{ "timeout", OPTION_TIMEOUT, "SECONDS", 0, "for one run (default: 300)", 2 },
	{ "json", OPTION_JSON, "FILE", 0, "write the result, - for standard output", 3 },
	{ "html", OPTION_HTML, "FILE", 0, "write a report to be read in a browser", 3 },
	{ "from", OPTION_FROM, "FILE", 0, "measure nothing: take the result from this file", 3 },
	{ "compare", OPTION_COMPARE, NULL, 0, "compare two results: --compare A.json B.json", 3 },
	{ 0 },
};

static const char doc[] =
	"Measures Vulkan devices: their peaks, then matrix products and attention of language "
	"models, with the share of the measured roofline that they reach and a check of each "
	"result against float64.\vExit status: 0 when all was measured and right, 1 when something "
	"failed or a device computed a wrong result, 2 for wrong usage.";

/* A whole number in [least, most]; anything else ends the program. */
static uint64_t number(struct argp_state *state, const char *name, const char *text, uint64_t least,
		       uint64_t most)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || value < least || value > most)
		argp_failure(state, EXIT_USAGE, 0,
			     "%s: \"%s\", expected a number from %" PRIu64 " to %" PRIu64, name,
			     text, least, most);
	return value;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	struct bench_settings *s = &o->settings;

	switch (key) {
	case OPTION_LIST:
		o->list = true;
		return 0;
	case 'd':
		o->device = arg;
		return 0;
	case OPTION_OWN:
		o->own = true;
		return 0;
	case OPTION_MODELS:
		o->models = true;
		return 0;
	case 'm':
		s->model = arg;
		return 0;
	case OPTION_ALL:
		s->all = true;
		return 0;
	case OPTION_PREFILL:
		s->prefill_rows = (uint32_t)number(state, "--prefill", arg, 9, 65536);
		return 0;
	case OPTION_QUICK:
		s->quick = true;
		s->rounds = 3;
		return 0;
	case OPTION_PEAKS:
		s->peaks_only = true;
		return 0;
	case OPTION_ROUNDS:
		s->rounds = (uint32_t)number(state, "--rounds", arg, 1, 1000);
		return 0;
	case OPTION_SECONDS:
		s->seconds = (double)number(state, "--seconds", arg, 0, 86400);
		return 0;
	case OPTION_MEMORY:
		s->memory_bytes = number(state, "--memory", arg, 1, 1u << 24) << 20;
		return 0;
	case OPTION_TIMEOUT:
		s->timeout_ns = number(state, "--timeout", arg, 1, 86400) * 1000000000;
		return 0;
	case OPTION_QUALIFY:
		o->qualify = true;
		return 0;
	case OPTION_QUALIFY_ONE:
		o->qualify_one = arg;
		if (!bench_qualify_disables(arg))
			argp_failure(state, EXIT_USAGE, 0, "--qualify-one: no ability \"%s\"", arg);
		return 0;
	case OPTION_JSON:
		o->json = arg;
		return 0;
	case OPTION_HTML:
		o->html = arg;
		return 0;
	case OPTION_FROM:
		o->from = arg;
		return 0;
	case OPTION_COMPARE:
		o->compare = true;
		return 0;
	case ARGP_KEY_ARG:
		if (o->file_count == 2)
			argp_failure(state, EXIT_USAGE, 0, "unexpected argument \"%s\"", arg);
		o->files[o->file_count++] = arg;
		return 0;
	case ARGP_KEY_END:
		if (o->compare && o->file_count != 2)
			argp_failure(state, EXIT_USAGE, 0,
				     "--compare needs two files, there are %d", o->file_count);
		if (!o->compare && o->file_count)
			argp_failure(state, EXIT_USAGE, 0, "unexpected argument \"%s\"",
				     o->files[0]);
		if (s->model && !bench_has_model(s->model))
			argp_failure(state, EXIT_USAGE, 0,
				     "--model: no model has \"%s\" in its name (see --models)",
				     s->model);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int fail(const char *what, enum hearth_status status)
{
	fprintf(stderr, "hearth-bench: %s: %s: %s\n", what, hearth_status_string(status),
		hearth_last_error());
	return EXIT_FAILURE;
}

/* Of drivers and validation layers. */
static void log_message(void *user, const char *message)
{
	(void)user;
	fprintf(stderr, "%s\n", message);
}

static const char *const type_names[] = {
	[HEARTH_DEVICE_OTHER] = "other",
	[HEARTH_DEVICE_INTEGRATED_GPU] = "integrated GPU",
	[HEARTH_DEVICE_DISCRETE_GPU] = "accelerator",
	[HEARTH_DEVICE_VIRTUAL_GPU] = "virtual GPU",
	[HEARTH_DEVICE_CPU] = "CPU",
};

/* ---- Results in and out ---- */

static struct json *read_result(const char *path)
{
	char error[256];
	struct json *json = json_read_file(path, error, sizeof(error));

	if (json && !bench_is_result(json, error, sizeof(error))) {
		json_free(json);
		json = NULL;
	}
	if (!json)
		fprintf(stderr, "hearth-bench: %s: %s\n", path, error);
	return json;
}

static int write_to(const char *path, void (*write)(FILE *file, const struct json *json),
		    const struct json *json)
{
	FILE *file = strcmp(path, "-") ? fopen(path, "w") : stdout;
	bool bad;

	if (!file) {
		fprintf(stderr, "hearth-bench: %s: %s\n", path, strerror(errno));
		return EXIT_FAILURE;
	}
	write(file, json);
	bad = fflush(file) || ferror(file);
	if (file != stdout)
		bad |= fclose(file) != 0;
	if (bad)
		fprintf(stderr, "hearth-bench: %s: not all could be written\n", path);
	return bad ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int write_files(const struct options *o, const struct json *result)
{
	int status = o->json ? write_to(o->json, json_write, result) : EXIT_SUCCESS;

	if (o->html && write_to(o->html, bench_write_html, result))
		status = EXIT_FAILURE;
	return status;
}

static int compare_files(const struct options *o)
{
	struct json *a = read_result(o->files[0]), *b = a ? read_result(o->files[1]) : NULL;
	int status = b ? bench_compare(a, o->files[0], b, o->files[1]) : EXIT_FAILURE;

	json_free(a);
	json_free(b);
	return status;
}

static int convert(const struct options *o)
{
	struct json *result = read_result(o->from);
	int status = result ? write_files(o, result) : EXIT_FAILURE;

	json_free(result);
	return status;
}

/* ---- Measuring ---- */

static void add_properties(struct json *json, uint32_t index,
			   const struct hearth_device_properties *p)
{
	char uuid[37], version[32];

	snprintf(uuid, sizeof(uuid),
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", p->uuid[0],
		 p->uuid[1], p->uuid[2], p->uuid[3], p->uuid[4], p->uuid[5], p->uuid[6], p->uuid[7],
		 p->uuid[8], p->uuid[9], p->uuid[10], p->uuid[11], p->uuid[12], p->uuid[13],
		 p->uuid[14], p->uuid[15]);
	snprintf(version, sizeof(version), "%u.%u.%u", p->vulkan_version >> 22 & 0x7f,
		 p->vulkan_version >> 12 & 0x3ff, p->vulkan_version & 0xfff);
	json_add_number(json, "index", index);
	json_add_string(json, "name", p->name);
	json_add_string(json, "type", type_names[p->type]);
	json_add_string(json, "driver", p->driver);
	json_add_string(json, "uuid", uuid);
	json_add_string(json, "vulkan_version", version);
	json_add_number(json, "vendor_id", p->vendor_id);
	json_add_number(json, "device_id", p->device_id);
	json_add_number(json, "memory_bytes", (double)p->memory_bytes);
	json_add_number(json, "max_buffer_bytes", (double)p->max_buffer_bytes);
	json_add_number(json, "subgroup_size", p->subgroup_size);
	json_add_bool(json, "unified_memory", p->unified_memory);
	json_add_bool(json, "float16", p->float16);
	json_add_bool(json, "storage16", p->storage16);
	json_add_bool(json, "storage8", p->storage8);
	json_add_bool(json, "subgroup_arithmetic", p->subgroup_arithmetic);
}

static void measure_device(struct hearth_instance *instance, uint32_t index,
			   const struct bench_settings *settings, struct json *devices,
			   struct bench_count *count)
{
	struct bench_device dev = { .settings = settings };
	struct json *json = json_add_object(devices, NULL);
	enum hearth_status status;
	char title[640];

	dev.properties.struct_size = sizeof(dev.properties);
	status = hearth_device_get_properties(instance, index, &dev.properties);
	add_properties(json, index, &dev.properties);
	snprintf(title, sizeof(title), "%u: %s (%s, %s)", index, dev.properties.name,
		 type_names[dev.properties.type], dev.properties.driver);
	bench_print_heading(title);
	if (status == HEARTH_OK)
		status = hearth_device_create(instance, index, &dev.device);
	if (status == HEARTH_OK)
		status = hearth_stream_create(dev.device, &dev.stream);
	if (status == HEARTH_OK) {
		json_add_null(json, "error");
		bench_peaks(&dev, json, count);
		bench_cases(&dev, json, count);
	} else {
		fail(dev.properties.name, status);
		json_add_string(json, "error", hearth_last_error());
		json_add_array(json, "peaks");
		json_add_array(json, "cases");
		count->failed++;
	}
	hearth_stream_destroy(dev.stream);
	hearth_device_destroy(dev.device);
}

/* Whether @device, as given with --device, means this one. */
static bool chosen(const char *device, uint32_t index, const char *name)
{
	char *end;
	unsigned long value;

	if (!device)
		return true;
	value = strtoul(device, &end, 10);
	if (*device >= '0' && *device <= '9' && !*end)
		return value == index;
	return strcasestr(name, device) != NULL;
}

static void begin_result(struct json *result, int argc, char **argv,
			 const struct bench_settings *settings)
{
	struct json *list;
	time_t now = time(NULL);
	struct tm utc;
	char date[32];

	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
	json_add_string(result, "schema", BENCH_SCHEMA);
	bench_add_tool(result);
	json_add_string(result, "date", date);
	list = json_add_array(result, "command");
	for (int i = 0; i < argc; i++)
		json_add_string(list, NULL, argv[i]);
	list = json_add_object(result, "settings");
	json_add_bool(list, "quick", settings->quick);
	json_add_bool(list, "peaks_only", settings->peaks_only);
	json_add_bool(list, "all", settings->all);
	json_add_string(list, "model", settings->model);
	json_add_number(list, "rounds", settings->rounds);
	json_add_number(list, "seconds", settings->seconds);
	json_add_number(list, "memory_bytes", (double)settings->memory_bytes);
	json_add_number(list, "prefill_rows", settings->prefill_rows);
	bench_add_system(result);
	bench_add_shaders(result);
}

static void end_result(struct json *result, const struct bench_count *count)
{
	struct json *summary = json_add_object(result, "summary");
	double load[1];

	json_add_number(summary, "ok", count->ok);
	json_add_number(summary, "wrong", count->wrong);
	json_add_number(summary, "failed", count->failed);
	json_add_number(summary, "skipped", count->skipped);
	if (getloadavg(load, 1) == 1)
		json_add_number(summary, "load", load[0]);
	else
		json_add_null(summary, "load");
	fprintf(bench_table, "\n%u right, %u wrong, %u failed, %u left out\n", count->ok,
		count->wrong, count->failed, count->skipped);
}

static int list_devices(const struct hearth_instance *instance)
{
	struct hearth_device_properties p = { .struct_size = sizeof(p) };

	for (uint32_t i = 0; i < hearth_device_count(instance); i++) {
		enum hearth_status status = hearth_device_get_properties(instance, i, &p);

		if (status)
			return fail("--list", status);
		printf("%u: %s (%s, %.1f GiB, %s)\n", i, p.name, type_names[p.type],
		       (double)p.memory_bytes / (1 << 30), p.driver);
	}
	return EXIT_SUCCESS;
}

static int measure(struct hearth_instance *instance, const struct options *o, int argc, char **argv)
{
	struct hearth_device_properties p = { .struct_size = sizeof(p) };
	struct json *result = json_new(JSON_OBJECT), *devices;
	struct bench_count count = { 0 };
	uint32_t measured = 0;
	int status;

	begin_result(result, argc, argv, &o->settings);
	devices = json_add_array(result, "devices");
	for (uint32_t i = 0; i < hearth_device_count(instance); i++) {
		if (hearth_device_get_properties(instance, i, &p) != HEARTH_OK ||
		    !chosen(o->device, i, p.name))
			continue;
		measure_device(instance, i, &o->settings, devices, &count);
		measured++;
	}
	if (!measured) {
		fprintf(stderr, "hearth-bench: --device %s: no such device (see --list)\n",
			o->device ? o->device : "(all)");
		json_free(result);
		return o->device ? EXIT_USAGE : EXIT_FAILURE;
	}
	end_result(result, &count);
	status = write_files(o, result);
	json_free(result);
	return count.wrong || count.failed ? EXIT_FAILURE : status;
}

/* ---- Qualifying ---- */

static int qualify(struct hearth_instance *instance, const struct options *o)
{
	struct hearth_device_properties p = { .struct_size = sizeof(p) };
	int status = EXIT_SUCCESS;
	bool found = false;

	for (uint32_t i = 0; i < hearth_device_count(instance); i++) {
		if (hearth_device_get_properties(instance, i, &p) != HEARTH_OK ||
		    !chosen(o->device, i, p.name))
			continue;
		if (bench_qualify(instance, i, &p, o->settings.quick))
			status = EXIT_FAILURE;
		found = true;
	}
	if (!found)
		fprintf(stderr, "hearth-bench: --device %s: no such device (see --list)\n",
			o->device ? o->device : "(all)");
	return found ? status : EXIT_USAGE;
}

static int qualify_one(struct hearth_instance *instance, const struct options *o)
{
	struct bench_device dev = { .settings = &o->settings };
	uint32_t index = o->device ? (uint32_t)strtoul(o->device, NULL, 10) : 0;
	enum hearth_status status = hearth_device_create(instance, index, &dev.device);
	int result = EXIT_FAILURE;

	if (status == HEARTH_OK)
		status = hearth_stream_create(dev.device, &dev.stream);
	if (status == HEARTH_OK)
		result = bench_qualify_one(&dev, o->qualify_one);
	else
		fail(o->qualify_one, status);
	hearth_stream_destroy(dev.stream);
	hearth_device_destroy(dev.device);
	return result;
}

int main(int argc, char **argv)
{
	static const struct argp argp = { argp_options, parse_option, "[--compare A.json B.json]",
					  doc,		NULL,	      NULL,
					  NULL };
	struct options o = { .settings = { .rounds = 10,
					   .seconds = 2,
					   .memory_bytes = 1ull << 30,
					   .timeout_ns = 300ull * 1000000000,
					   .prefill_rows = 512 } };
	struct hearth_instance_info info = { .struct_size = sizeof(info), .log = log_message };
	struct hearth_instance *instance;
	enum hearth_status status;
	char driver[4096];
	const char *drivers[] = { driver };
	int result;

	argp_err_exit_status = EXIT_USAGE;
	bench_table = stdout;
	argp_parse(&argp, argc, argv, 0, NULL, &o);
	if (o.models) {
		bench_print_models();
		return EXIT_SUCCESS;
	}
	if (o.compare)
		return compare_files(&o);
	if (o.from)
		return convert(&o);
	if (o.json && !strcmp(o.json, "-"))
		bench_table = stderr;
	result = hearth_driver_path(driver, sizeof(driver));
	if (!result) {
		info.extra_drivers = drivers;
		info.extra_driver_count = 1;
		info.exclusive = o.own;
	} else if (o.own || *driver) {
		fprintf(stderr, "hearth-bench: Hearth's driver: %s: %s\n",
			*driver ? driver : "not found", strerror(-result));
		return EXIT_FAILURE;
	}
	info.ignore_verdicts = o.qualify || o.qualify_one;
	info.disable = o.qualify_one ? bench_qualify_disables(o.qualify_one) : NULL;
	status = hearth_instance_create(&info, &instance);
	if (status != HEARTH_OK)
		return fail("Vulkan", status);
	if (!hearth_device_count(instance)) {
		fprintf(stderr, "hearth-bench: there is no Vulkan device\n");
		result = EXIT_FAILURE;
	} else {
		result = o.list		 ? list_devices(instance)
			 : o.qualify	 ? qualify(instance, &o)
			 : o.qualify_one ? qualify_one(instance, &o)
					 : measure(instance, &o, argc, argv);
	}
	hearth_instance_destroy(instance);
	return result;
}
