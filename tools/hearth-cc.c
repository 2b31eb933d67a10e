// SPDX-License-Identifier: MIT
/*
 * hearth-cc: the shader compiler as a command. Compiles one entry point of a SPIR-V module for a machine, shows what each
 * pass made of it, and writes the kernel image. The layout of buffers is taken from the module itself.
 */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hc.h"
#include "spirv_interface.h"

#define MAX_SPIRV_BYTES (256u << 20)
#define MAX_SPECS	256
#define DEFAULT_VLEN	256

enum {
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_INVALID = 3,
	EXIT_UNSUPPORTED = 4,
};

enum {
	OPTION_VLEN = 256,
	OPTION_SPEC,
	OPTION_SUBGROUP,
	OPTION_ROBUST,
	OPTION_FULL,
	OPTION_DUMP,
	OPTION_STATS,
};

/* --spec ID=VALUE, until the module says what type the constant has. */
struct spec {
	uint32_t id;
	const char *value;
};

struct options {
	const char *target;
	uint32_t vlen;
	const char *entry;
	const char *output;
	const char *file;
	char *dump;
	struct spec specs[MAX_SPECS];
	uint32_t spec_count;
	uint32_t subgroup_size;
	uint32_t flags;
	bool stats;
};

const char *argp_program_version = "hearth-cc " HEARTH_VERSION;

static const struct argp_option argp_options[] = {
	{ "output", 'o', "OUT", 0, "write the kernel image here (default: nowhere)", 0 },
	{ "target", 't', "TARGET", 0, "host (default), avx2, avx512 or riscv64", 0 },
	{ "vlen", OPTION_VLEN, "N", 0,
	  "bits of riscv64's vector registers, 128 to 1024 (default: 256)", 0 },
	{ "entry", 'e', "NAME", 0, "entry point (default: main)", 0 },
	{ "spec", OPTION_SPEC, "ID=VALUE", 0,
	  "value of a specialization constant: a number, true or false", 0 },
	{ "subgroup-size", OPTION_SUBGROUP, "N", 0,
	  "invocations of a subgroup (default: the target's)", 0 },
	{ "robust", OPTION_ROBUST, NULL, 0, "check accesses against the sizes of buffers", 0 },
	{ "full-subgroups", OPTION_FULL, NULL, 0,
	  "refuse work-groups that do not fill their subgroups", 0 },
	{ "dump", OPTION_DUMP, "PASS[,PASS...]", 0,
	  "print what a pass made: prepare, module, table, structure, shape, partition, region, "
	  "share, "
	  "matrix, adjacent, llvm, llvm-opt, asm or all",
	  1 },
	{ "stats", OPTION_STATS, NULL, 0,
	  "print sizes, the mix of instructions, and the time that it took", 1 },
	{ 0 },
};

static const char doc[] =
	"Compiles a compute shader in SPIR-V into a kernel image of Hearth."
	"\vFILE may be - for standard input. Exit status: 0 when it compiled, 1 when something "
	"failed, 2 for wrong usage, 3 when the module is not valid, 4 when it is valid and asks "
	"for something that is not supported.";

/* ---- Options ---- */

static uint32_t number(struct argp_state *state, const char *name, const char *text, uint32_t most)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || value > most)
		argp_failure(state, EXIT_USAGE, 0, "%s: \"%s\", expected a number up to %" PRIu32,
			     name, text, most);
	return (uint32_t)value;
}

static void add_spec(struct argp_state *state, struct options *o, char *text)
{
	char *equals = strchr(text, '=');

	if (!equals || !equals[1])
		argp_failure(state, EXIT_USAGE, 0, "--spec: \"%s\", expected ID=VALUE", text);
	if (o->spec_count == MAX_SPECS)
		argp_failure(state, EXIT_USAGE, 0, "--spec: at most %d are handled", MAX_SPECS);
	*equals = 0;
	o->specs[o->spec_count].id = number(state, "--spec", text, UINT32_MAX);
	o->specs[o->spec_count++].value = equals + 1;
}

static void check_passes(struct argp_state *state, const char *list)
{
	static const char *const passes[] = { "prepare", "module",    "table",	"structure",
					      "shape",	 "partition", "region", "share",
					      "matrix",	 "adjacent",  "llvm",	"llvm-opt",
					      "asm",	 "all" };
	size_t i, length;

	for (; *list; list += length + (list[length] == ',')) {
		length = strcspn(list, ",");
		for (i = 0; i < sizeof(passes) / sizeof(passes[0]); i++)
			if (strlen(passes[i]) == length && !strncmp(passes[i], list, length))
				break;
		if (i == sizeof(passes) / sizeof(passes[0]))
			argp_failure(
				state, EXIT_USAGE, 0,
				"--dump: \"%.*s\", expected prepare, module, table, structure, "
				"shape, partition, region, share, matrix, adjacent, llvm, "
				"llvm-opt, asm or all",
				(int)length, list);
	}
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'o':
		o->output = arg;
		break;
	case 't':
		o->target = arg;
		break;
	case 'e':
		o->entry = arg;
		break;
	case OPTION_VLEN:
		o->vlen = number(state, "--vlen", arg, 1024);
		break;
	case OPTION_SPEC:
		add_spec(state, o, arg);
		break;
	case OPTION_SUBGROUP:
		o->subgroup_size = number(state, "--subgroup-size", arg, 64);
		break;
	case OPTION_ROBUST:
		o->flags |= HC_COMPILE_ROBUST;
		break;
	case OPTION_FULL:
		o->flags |= HC_COMPILE_FULL_SUBGROUPS;
		break;
	case OPTION_DUMP:
		check_passes(state, arg);
		o->dump = arg;
		break;
	case OPTION_STATS:
		o->stats = true;
		break;
	case ARGP_KEY_ARG:
		if (o->file)
			argp_failure(state, EXIT_USAGE, 0, "unexpected argument \"%s\"", arg);
		o->file = arg;
		break;
	case ARGP_KEY_END:
		if (!o->file)
			argp_failure(state, EXIT_USAGE, 0, "no FILE given; see hearth-cc --help");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = { argp_options, parse_option, "FILE", doc, NULL, NULL, NULL };

/* Returns an exit status. */
static int choose_target(const struct options *o, struct hc_target *target)
{
	enum hc_result result;

	if (!strcmp(o->target, "host")) {
		result = hc_target_host(target, NULL);
		if (result)
			fprintf(stderr,
				"hearth-cc: this machine: %s (AVX2, FMA, F16C and BMI2 are "
				"needed)\n",
				hc_result_string(result));
		return result ? EXIT_FAILED : 0;
	}
	if (!strcmp(o->target, "avx2") || !strcmp(o->target, "avx512"))
		return hc_target_x86(target, o->target) ? EXIT_FAILED : 0;
	if (!strcmp(o->target, "riscv64")) {
		if (!hc_target_riscv64(target, o->vlen))
			return 0;
		fprintf(stderr,
			"hearth-cc: --vlen %" PRIu32 ", expected a power of two from 128 to 1024\n",
			o->vlen);
		return EXIT_USAGE;
	}
	fprintf(stderr, "hearth-cc: target \"%s\", expected host, avx2, avx512 or riscv64\n",
		o->target);
	return EXIT_USAGE;
}

/* ---- Specialization ---- */

static bool parse_float(const char *text, uint32_t bits, uint64_t *value)
{
	double wide;
	float narrow;
	_Float16 half;
	char *end;

	wide = strtod(text, &end);
	if (*end)
		return false;
	narrow = (float)wide;
	half = (_Float16)narrow;
	if (bits == 64)
		memcpy(value, &wide, 8);
	else if (bits == 32)
		memcpy(value, &narrow, 4);
	else
		memcpy(value, &half, 2);
	return true;
}

/* Whole numbers that @bits hold, with or without a sign. */
static bool parse_integer(const char *text, uint32_t bits, uint64_t *value)
{
	char *end;

	errno = 0;
	if (*text == '-') {
		int64_t negative = strtoll(text, &end, 0);

		*value = (uint64_t)negative;
		return !errno && !*end && negative >= INT64_MIN >> (64 - bits);
	}
	*value = strtoull(text, &end, 0);
	return !errno && !*end && *value <= UINT64_MAX >> (64 - bits);
}

static bool specialize(const struct spec *spec, const struct spirv_interface *interface,
		       struct hc_spec_constant *out)
{
	const struct spirv_constant *constant = NULL;
	uint32_t i;
	bool ok;

	for (i = 0; i < interface->constant_count; i++)
		if (interface->constants[i].id == spec->id)
			constant = &interface->constants[i];
	if (!constant) {
		fprintf(stderr, "hearth-cc: --spec: the module has no constant %" PRIu32 "\n",
			spec->id);
		return false;
	}
	*out = (struct hc_spec_constant){ .id = spec->id, .size_bytes = constant->bits / 8 };
	if (constant->is_bool) {
		out->size_bytes = 4;
		out->value = !strcmp(spec->value, "true") || !strcmp(spec->value, "1");
		ok = out->value || !strcmp(spec->value, "false") || !strcmp(spec->value, "0");
	} else if (constant->bits != 8 && constant->bits != 16 && constant->bits != 32 &&
		   constant->bits != 64) {
		ok = false;
	} else if (constant->is_float) {
		ok = parse_float(spec->value, constant->bits, &out->value);
	} else {
		ok = parse_integer(spec->value, constant->bits, &out->value);
	}
	if (!ok)
		fprintf(stderr,
			"hearth-cc: --spec %" PRIu32 ": \"%s\", expected %s of %" PRIu32 " bits\n",
			spec->id, spec->value,
			constant->is_bool    ? "true or false"
			: constant->is_float ? "a number"
					     : "a whole number",
			constant->bits);
	return ok;
}

/* ---- Files ---- */

static uint32_t *read_words(const char *path, size_t *count)
{
	FILE *file = strcmp(path, "-") ? fopen(path, "rb") : stdin;
	size_t room = 1 << 16, used = 0, n;
	char *bytes = NULL, *more;

	if (!file)
		goto out_error;
	do {
		room *= 2;
		more = realloc(bytes, room);
		if (!more)
			goto out_error;
		bytes = more;
		n = fread(bytes + used, 1, room - used, file);
		used += n;
	} while (n && used <= MAX_SPIRV_BYTES);
	if (ferror(file))
		goto out_error;
	if (file != stdin)
		fclose(file);
	if (used > MAX_SPIRV_BYTES || used % 4) {
		fprintf(stderr,
			"hearth-cc: %s: %zu bytes, expected whole words, %u bytes at most\n", path,
			used, MAX_SPIRV_BYTES);
		free(bytes);
		return NULL;
	}
	*count = used / 4;
	return (uint32_t *)bytes;

out_error:
	fprintf(stderr, "hearth-cc: %s: %s\n", path, strerror(errno));
	if (file && file != stdin)
		fclose(file);
	free(bytes);
	return NULL;
}

static bool write_image(const char *path, const struct hc_kernel *kernel)
{
	FILE *file = fopen(path, "wb");
	bool ok;

	if (!file) {
		fprintf(stderr, "hearth-cc: %s: %s\n", path, strerror(errno));
		return false;
	}
	ok = fwrite(kernel->image, 1, kernel->image_bytes, file) == kernel->image_bytes;
	ok &= !fclose(file);
	if (!ok)
		fprintf(stderr, "hearth-cc: %s: %s\n", path, strerror(errno));
	return ok;
}

/* ---- The compilation ---- */

static void print_dump(void *user, const char *pass, const char *text)
{
	(void)user;
	printf("; ---- %s ----\n%s\n", pass, text);
}

static void print_stats(const struct hc_target *target, const struct hc_kernel *kernel, double ms)
{
	static const char *const phases[HC_PHASE_COUNT] = {
		[HC_PHASE_PREPARE] = "prepare", [HC_PHASE_ANALYSE] = "analyse",
		[HC_PHASE_EMIT] = "emit",	[HC_PHASE_OPTIMIZE] = "optimize",
		[HC_PHASE_CODEGEN] = "codegen",
	};
	struct hc_mix mix;

	printf("image           %zu bytes, entry at %" PRIu32 "\n", kernel->image_bytes,
	       kernel->entry_offset);
	printf("work-group      %" PRIu32 " x %" PRIu32 " x %" PRIu32 ", subgroups of %" PRIu32
	       "\n",
	       kernel->local_size[0], kernel->local_size[1], kernel->local_size[2],
	       kernel->subgroup_size);
	printf("shared memory   %" PRIu32 " bytes\n", kernel->shared_bytes);
	printf("scratch memory  %" PRIu32 " bytes\n", kernel->scratch_bytes);
	printf("stack           %" PRIu32 " bytes\n", kernel->stack_bytes);
	printf("time            %.1f ms\n", ms);
	for (uint32_t i = 0; i < HC_PHASE_COUNT; i++)
		printf("  %-13s %.1f ms\n", phases[i], kernel->phase_us[i] / 1e3);
	if (hc_instruction_mix(target, kernel, &mix))
		return;
	printf("instructions    %" PRIu32 ", %" PRIu32 " bytes\n", mix.total, kernel->code_bytes);
	for (uint32_t i = 0; i < HC_MIX_COUNT; i++)
		if (mix.count[i])
			printf("  %-28s %6" PRIu32 "  %4.1f %%\n", hc_mix_name(i), mix.count[i],
			       100.0 * mix.count[i] / mix.total);
}

static int exit_status(enum hc_result result)
{
	switch (result) {
	case HC_OK:
		return 0;
	case HC_ERROR_INVALID_SPIRV:
		return EXIT_INVALID;
	case HC_ERROR_UNSUPPORTED:
		return EXIT_UNSUPPORTED;
	case HC_ERROR_INVALID_ARGUMENT:
		return EXIT_USAGE;
	default:
		return EXIT_FAILED;
	}
}

static double milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

static int compile(const struct options *o, const struct hc_target *target, const uint32_t *words,
		   size_t count)
{
	struct hc_spec_constant constants[MAX_SPECS];
	struct spirv_interface interface;
	struct hc_kernel *kernel = NULL;
	char *message = NULL;
	enum hc_result result;
	double start;
	uint32_t i;
	int status;

	if (!spirv_interface_read(&interface, words, count)) {
		fprintf(stderr, "hearth-cc: %s\n", strerror(ENOMEM));
		return EXIT_FAILED;
	}
	for (i = 0; i < o->spec_count; i++) {
		if (!specialize(&o->specs[i], &interface, &constants[i])) {
			status = EXIT_USAGE;
			goto out_interface;
		}
	}

	struct hc_compile_info info = {
		.target = target,
		.spirv = words,
		.spirv_words = count,
		.entry_point = o->entry,
		.spec_constants = constants,
		.spec_constant_count = o->spec_count,
		.bindings = interface.bindings,
		.binding_count = interface.binding_count,
		.subgroup_size = o->subgroup_size,
		.flags = o->flags,
		.dump_passes = o->dump,
		.dump = o->dump ? print_dump : NULL,
	};

	start = milliseconds();
	result = hc_compile(&info, &kernel, &message);
	status = exit_status(result);
	if (result) {
		fprintf(stderr, "hearth-cc: %s: %s: %s\n", o->file, hc_result_string(result),
			message ? message : "no more is known");
		goto out_message;
	}
	if (o->stats)
		print_stats(target, kernel, milliseconds() - start);
	if (o->output && !write_image(o->output, kernel))
		status = EXIT_FAILED;
	hc_kernel_free(kernel);
out_message:
	free(message);
out_interface:
	spirv_interface_free(&interface);
	return status;
}

int main(int argc, char **argv)
{
	struct options o = { .target = "host", .vlen = DEFAULT_VLEN, .entry = "main" };
	struct hc_target target;
	uint32_t *words;
	size_t count;
	int status;

	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &o);
	status = choose_target(&o, &target);
	if (status)
		return status;
	words = read_words(o.file, &count);
	if (!words)
		return EXIT_FAILED;
	status = compile(&o, &target, words, count);
	free(words);
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "hearth-cc: standard output: %s\n", strerror(errno));
		return EXIT_FAILED;
	}
	return status;
}
