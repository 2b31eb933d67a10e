// SPDX-License-Identifier: MIT
/*
 * Runs every shader of the corpus through the compiler and the code that it makes: on this machine directly, for RISC-V
 * through an emulator. TARGET is avx512, avx2 or riscv64:vlen=N; one of x86 that this machine lacks is compiled for and not
 * run. Compilation and execution happen in a child, so that a crash fails one case.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "job.h"

#define CANARY_BYTES  64u
#define CANARY	      0xa5
#define TIMEOUT_S     300
#define MAX_SPIRV     (1u << 20)
#define MAX_JOB_BYTES (64u << 20)

static const char *shader_folder, *emulator, *run_job_path;
static char emulator_cpu[64];
static struct hc_target target;
static bool compile_only;
static uint32_t all_subgroup_size, all_flags;

static uint32_t random_state;

uint32_t test_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state;
}

uint32_t run_invocations(const struct run *r)
{
	uint32_t n = 1;

	for (int i = 0; i < 3; i++)
		n *= r->c->local[i] * r->c->groups[i];
	return n;
}

static uint32_t *read_spirv(const char *name, size_t *words)
{
	char path[512];
	uint32_t *spirv = malloc(MAX_SPIRV);
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.spv", shader_folder, name);
	f = fopen(path, "rb");
	if (!f || !spirv) {
		printf("# %s: %s\n", path, strerror(errno));
		exit(2);
	}
	*words = fread(spirv, 4, MAX_SPIRV / 4, f);
	fclose(f);
	return spirv;
}

/* Slots as Vulkan would give them: in order within each set, dynamic ones in order of all. */
static uint32_t make_bindings(const struct shader_case *c, struct hc_binding *bindings)
{
	uint32_t n = 0, slots[HEARTH_KERNEL_MAX_SETS] = { 0 }, dynamic = 0;

	for (int i = 0; i < MAX_BUFFERS && c->buffers[i].bytes; i++) {
		const struct buffer *b = &c->buffers[i];

		if (b->array_next) {
			bindings[n - 1].count++;
		} else {
			bindings[n++] = (struct hc_binding){
				.set = b->set,
				.binding = b->binding,
				.kind = b->kind,
				.dynamic = b->dynamic,
				.slot = b->dynamic ? dynamic : slots[b->set],
				.count = 1,
			};
		}
		if (b->dynamic)
			dynamic++;
		else
			slots[b->set]++;
	}
	return n;
}

static struct hc_kernel *compile(const struct shader_case *c)
{
	struct hc_binding bindings[MAX_BUFFERS];
	size_t words;
	uint32_t *spirv = read_spirv(c->name, &words);
	struct hc_kernel *kernel = NULL;
	char *message = NULL;
	struct hc_compile_info info = {
		.target = &target,
		.spirv = spirv,
		.spirv_words = words,
		.entry_point = "main",
		.spec_constants = c->spec,
		.spec_constant_count = c->spec_count,
		.bindings = bindings,
		.binding_count = make_bindings(c, bindings),
		.subgroup_size = c->subgroup_size ? c->subgroup_size : all_subgroup_size,
		.flags = c->flags | all_flags,
	};
	enum hc_result result = hc_compile(&info, &kernel, &message);

	if (result) {
		printf("# %s: %s: %s\n", c->name, hc_result_string(result),
		       message ? message : "(no message)");
		fflush(stdout);
	} else if (memcmp(kernel->local_size, c->local, sizeof(c->local))) {
		printf("# %s: local size %u %u %u, expected %u %u %u\n", c->name,
		       kernel->local_size[0], kernel->local_size[1], kernel->local_size[2],
		       c->local[0], c->local[1], c->local[2]);
		hc_kernel_free(kernel);
		kernel = NULL;
	}
	free(message);
	free(spirv);
	return kernel;
}

static void fill(struct run *r)
{
	random_state = 2463534242u;
	for (int i = 0; i < MAX_BUFFERS && r->c->buffers[i].bytes; i++) {
		uint32_t bytes = r->c->buffers[i].bytes;

		r->data[i] = calloc(1, bytes + 4);
		r->want[i] = calloc(1, bytes + 4);
		for (uint32_t k = 0; i && k < bytes / 4; k++)
			WORDS(r, i)[k] = test_random();
	}
	if (r->c->prepare)
		r->c->prepare(r);
	for (int i = 0; i < MAX_BUFFERS && r->c->buffers[i].bytes; i++)
		memcpy(r->want[i], r->data[i], r->c->buffers[i].bytes);
	r->c->expect(r);
}

/* Where things lie in a job block. */
struct layout {
	uint64_t at;
	uint64_t buffers[MAX_BUFFERS];
};

static uint64_t place(struct layout *l, uint64_t bytes, uint64_t align)
{
	l->at = (l->at + align - 1) & ~(align - 1);

	uint64_t at = l->at;

	l->at += bytes;
	return at;
}

static void lay_out(struct run *r, const struct hc_kernel *kernel, struct job *job,
		    struct layout *l)
{
	l->at = sizeof(*job);
	job->magic = JOB_MAGIC;
	job->image = place(l, kernel->image_bytes, HEARTH_KERNEL_ALIGN);
	job->image_bytes = kernel->image_bytes;
	job->entry = kernel->entry_offset;
	job->args =
		place(l, sizeof(struct hearth_kernel_args) + MAX_BUFFERS * 16, HEARTH_KERNEL_ALIGN);
	job->pieces = 2;
	job->push_addresses = r->c->push_addresses;
	for (int i = 0; i < MAX_BUFFERS && r->c->buffers[i].bytes; i++) {
		const struct buffer *b = &r->c->buffers[i];

		if (b->dynamic)
			job->dynamic_count++;
		else
			job->table_count[b->set]++;
	}
	for (int s = 0; s < HEARTH_KERNEL_MAX_SETS; s++) {
		if (job->table_count[s])
			job->tables[s] = place(l, job->table_count[s] * 16, 16);
	}
	for (int i = 0; i < MAX_BUFFERS && r->c->buffers[i].bytes; i++)
		l->buffers[i] = place(l, r->c->buffers[i].bytes + CANARY_BYTES, 256);
	job->scratch_bytes = kernel->scratch_bytes;
	job->scratch = place(l, kernel->scratch_bytes + CANARY_BYTES, JOB_PAGE);
	job->bytes = place(l, 0, JOB_PAGE);
}

static void write_block(struct run *r, const struct hc_kernel *kernel, const struct job *job,
			const struct layout *l, uint8_t *block)
{
	struct hearth_kernel_args *args = (void *)(block + job->args);
	uint32_t next[HEARTH_KERNEL_MAX_SETS] = { 0 }, dynamic = 0;

	memcpy(block, job, sizeof(*job));
	memcpy(block + job->image, kernel->image, kernel->image_bytes);
	memcpy(args->num_workgroups, r->c->groups, sizeof(args->num_workgroups));
	memcpy(args->base_workgroup, r->c->base, sizeof(args->base_workgroup));
	memcpy(args->push, r->push, sizeof(args->push));
	memcpy(args->push, l->buffers, r->c->push_addresses * sizeof(l->buffers[0]));
	for (int i = 0; i < MAX_BUFFERS && r->c->buffers[i].bytes; i++) {
		const struct buffer *b = &r->c->buffers[i];
		struct hearth_descriptor *d =
			b->dynamic ? &args->dynamic[dynamic++]
				   : (struct hearth_descriptor *)(block + job->tables[b->set]) +
					     next[b->set]++;

		d->address = l->buffers[i];
		d->size_bytes = b->bytes;
		memcpy(block + l->buffers[i], r->data[i], b->bytes);
		memset(block + l->buffers[i] + b->bytes, CANARY, CANARY_BYTES);
	}
	/* What a kernel finds there means nothing: make it visible. */
	memset(block + job->scratch, CANARY, kernel->scratch_bytes + CANARY_BYTES);
}

static bool check_canary(const uint8_t *at, const char *name, const char *what, int index)
{
	for (uint32_t i = 0; i < CANARY_BYTES; i++) {
		if (at[i] != CANARY) {
			printf("# %s: wrote %u bytes behind %s %d\n", name, i, what, index);
			return false;
		}
	}
	return true;
}

static bool check_float(const struct run *r, uint32_t k)
{
	float got, want;

	memcpy(&got, r->data[0] + 4 * k, 4);
	want = WANTF(r, 0)[k];
	if (isnan(want) || isnan(got))
		return isnan(want) && isnan(got);
	if (isinf(want) || isinf(got))
		return want == got;
	return fabs((double)got - want) <= r->c->relative * fabs(want) + r->c->absolute;
}

static bool compare(struct run *r, const struct job *job, const struct layout *l,
		    const uint8_t *block)
{
	bool ok = check_canary(block + job->scratch + job->scratch_bytes, r->c->name, "scratch", 0);

	for (int i = 0; i < MAX_BUFFERS && r->c->buffers[i].bytes; i++) {
		uint32_t bytes = r->c->buffers[i].bytes, wrong = 0;

		memcpy(r->data[i], block + l->buffers[i], bytes);
		ok &= check_canary(block + l->buffers[i] + bytes, r->c->name, "buffer", i);
		for (uint32_t k = 0; k < bytes / 4; k++) {
			if (WORDS(r, i)[k] == WANT(r, i)[k])
				continue;
			if (!i && r->c->close && check_float(r, k))
				continue;
			if (wrong++ < 4) {
				if (r->c->close && !i)
					printf("# %s: buffer %d[%u]: %g, expected %g\n", r->c->name,
					       i, k, FLOATS(r, i)[k], WANTF(r, i)[k]);
				else
					printf("# %s: buffer %d[%u]: %08x, expected %08x\n",
					       r->c->name, i, k, WORDS(r, i)[k], WANT(r, i)[k]);
			}
		}
		if (wrong) {
			printf("# %s: buffer %d: %u of %u words wrong\n", r->c->name, i, wrong,
			       bytes / 4);
			ok = false;
		}
		ok &= memcmp(r->data[i] + bytes / 4 * 4, r->want[i] + bytes / 4 * 4, bytes % 4) ==
		      0;
	}
	return ok;
}

static int emulate(const char *path)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		execlp(emulator, emulator, "-cpu", emulator_cpu, run_job_path, path, (char *)NULL);
		perror(emulator);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) < 0)
		return 1;
	if (WIFSIGNALED(status))
		printf("# emulator: %s\n", strsignal(WTERMSIG(status)));
	return !WIFEXITED(status) || WEXITSTATUS(status);
}

static bool run_case(const struct shader_case *c)
{
	struct run r = { .c = c };
	struct job job = { 0 };
	struct layout l = { 0 };
	struct hc_kernel *kernel = compile(c);
	char path[] = "/tmp/hearth-job-XXXXXX";
	bool ok = false;
	int fd;

	if (!kernel)
		return false;
	if (compile_only)
		return true;
	r.subgroup = kernel->subgroup_size;
	fill(&r);
	lay_out(&r, kernel, &job, &l);

	fd = mkstemp(path);
	if (fd < 0 || job.bytes > MAX_JOB_BYTES || ftruncate(fd, job.bytes)) {
		perror("# job");
		return false;
	}

	uint8_t *block = mmap(NULL, job.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	write_block(&r, kernel, &job, &l, block);
	if (emulator ? emulate(path) : job_run(block))
		printf("# %s: the kernel did not come back\n", c->name);
	else
		ok = compare(&r, &job, &l, block);
	unlink(path);
	return ok;
}

/* In a child with a time limit. */
static bool run_guarded(const struct shader_case *c)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		bool ok;

		alarm(TIMEOUT_S);
		ok = run_case(c);
		fflush(stdout);
		_exit(!ok);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return false;
	if (WIFSIGNALED(status))
		printf("# %s: %s\n", c->name, strsignal(WTERMSIG(status)));
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

static bool choose_target(const char *name)
{
	if (!strncmp(name, "riscv64:vlen=", 13)) {
		unsigned vlen = strtoul(name + 13, NULL, 10);

		snprintf(emulator_cpu, sizeof(emulator_cpu), "rv64,v=true,vlen=%u", vlen);
		return hc_target_riscv64(&target, vlen) == HC_OK;
	}
	if (hc_target_host(&target, name) == HC_OK)
		return true;
	compile_only = true;
	return hc_target_x86(&target, name) == HC_OK;
}

int main(int argc, char **argv)
{
	const struct case_list *lists[] = { &pointwise_cases, &memory_cases, &group_cases,
					    &subgroup_cases,  &math_cases,   &matrix_cases,
					    &random_cases };
	const char *only = NULL;
	unsigned n = 0, failed = 0;
	int option;

	while ((option = getopt(argc, argv, "c:rs:")) != -1) {
		if (option == 'c')
			only = optarg;
		else if (option == 'r')
			all_flags = HC_COMPILE_ROBUST;
		else if (option == 's')
			all_subgroup_size = strtoul(optarg, NULL, 10);
		else
			return 2;
	}
	argv += optind;
	argc -= optind;
	if (argc != 2 && argc != 4) {
		fputs("usage: test_shaders [-c CASE] [-r] [-s SUBGROUP-SIZE] TARGET SHADER-FOLDER "
		      "[EMULATOR RUN-JOB]\n"
		      "  -r: all with checked accesses\n",
		      stderr);
		return 2;
	}
	shader_folder = argv[1];
	if (argc == 4) {
		emulator = argv[2];
		run_job_path = argv[3];
	}
	if (!choose_target(argv[0])) {
		printf("Bail out! no target %s\n", argv[0]);
		return 2;
	}
	for (size_t l = 0; l < sizeof(lists) / sizeof(lists[0]); l++) {
		for (size_t i = 0; i < lists[l]->count; i++) {
			const struct shader_case *c = &lists[l]->cases[i];
			bool ok;

			if (only && strcmp(only, c->name))
				continue;
			ok = run_guarded(c);
			printf("%sok %u - %s%s\n", ok ? "" : "not ", ++n, c->name,
			       ok && compile_only
				       ? " # SKIP compiled, but this machine cannot run it"
				       : "");
			failed += !ok;
		}
	}
	printf("1..%u\n", n);
	return failed || !n;
}
