// SPDX-License-Identifier: MIT
/*
 * Qualification: operations, types and shapes on a device against float64, first without any of the abilities that the runtime can
 * do without, then with each; and the verdict on them, which the runtime reads.
 *
 * Each ability is tried by a process of its own: a driver that ends the process, or never returns, has not passed.
 */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SAMPLES		256  /* of a product */
#define HEAD_SAMPLES	32   /* of attention: rows of heads */
#define BYTES_TOLERANCE 4e-3 /* activations rounded to 1/254 of a block's largest */
#define MOST_SECONDS	1800 /* of one process */
#define POLL_NS		20000000

enum ability {
	PLAIN,
	SUBGROUP,
	STORAGE16,
	INTEGER_DOT,
	ABILITIES,
};

/* @disables: for a trial of it; what it needs stays. */
static const struct {
	const char *name;
	const char *disables;
	enum ability needs;
} abilities[ABILITIES] = {
	[PLAIN] = { "plain", "subgroup,storage16,integer_dot", PLAIN },
	[SUBGROUP] = { "subgroup", "storage16,integer_dot", PLAIN },
	[STORAGE16] = { "storage16", "integer_dot", SUBGROUP },
	[INTEGER_DOT] = { "integer_dot", "storage16", SUBGROUP },
};

static enum ability find_ability(const char *name)
{
	enum ability a = PLAIN;

	while (a < ABILITIES && strcmp(abilities[a].name, name) != 0)
		a++;
	return a;
}

const char *bench_qualify_disables(const char *ability)
{
	enum ability a = find_ability(ability);

	return a < ABILITIES ? abilities[a].disables : NULL;
}

/* ---- In a process of its own: the cases ---- */

struct trial {
	struct bench_device *dev;
	enum ability ability;
	uint32_t right, wrong;
	struct hearth_recording *recording;
	struct hearth_buffer *buffers[8];
	uint32_t buffer_count;
	enum hearth_status status;
};

static void start(struct trial *t)
{
	t->buffer_count = 0;
	t->recording = NULL;
	t->status = hearth_recording_create(t->dev->device, &t->recording);
}

static struct hearth_view buffer(struct trial *t, const void *data, uint64_t bytes)
{
	struct hearth_view view = { 0 };

	if (t->status == HEARTH_OK)
		t->status = bench_buffer(t->dev, data, bytes, &view.buffer);
	if (t->status == HEARTH_OK)
		t->buffers[t->buffer_count++] = view.buffer;
	return view;
}

/* Runs what was recorded and reads @y. */
static void finish(struct trial *t, struct hearth_view y, float *out, uint64_t count)
{
	if (t->status == HEARTH_OK)
		t->status = hearth_recording_end(t->recording);
	if (t->status == HEARTH_OK)
		t->status = bench_run(t->dev, t->recording, NULL);
	if (t->status == HEARTH_OK)
		t->status = hearth_buffer_read(y.buffer, 0, out, 4 * count);
}

/* Counts the case, and says what was wrong with it. */
static void conclude(struct trial *t, const struct bench_check *check, const char *what)
{
	bool right = t->status == HEARTH_OK && check->pass;

	t->right += right;
	t->wrong += !right;
	if (!right)
		printf("  %s, %s: %s\n", abilities[t->ability].name, what,
		       t->status == HEARTH_OK ? check->message : hearth_last_error());
	hearth_recording_destroy(t->recording);
	while (t->buffer_count)
		hearth_buffer_destroy(t->buffers[--t->buffer_count]);
}

static void *need(uint64_t bytes)
{
	void *memory = malloc(bytes ? bytes : 1);

	if (!memory) {
		fprintf(stderr, "hearth-bench: out of memory\n");
		exit(1);
	}
	return memory;
}

static const char *type_name(enum hearth_type type)
{
	return type == HEARTH_TYPE_F32	  ? "F32"
	       : type == HEARTH_TYPE_F16  ? "F16"
	       : type == HEARTH_TYPE_Q8_0 ? "Q8_0"
					  : "Q4_0";
}

static void try_matmul(struct trial *t, enum hearth_type type, uint32_t rows, uint32_t n,
		       uint32_t k, bool fast, bool best)
{
	uint64_t w_bytes = hearth_row_bytes(type, k) * n;
	struct bench_random random = { 0x853c49e6748fea9bull };
	float *x = need(4ull * rows * k), *y = need(4ull * rows * n);
	void *w = need(w_bytes);
	struct bench_check check = { 0 };
	struct hearth_view x_view, y_view;
	struct hearth_matrix matrix = { .type = type, .rows = n, .columns = k };
	char what[96];

	bench_fill(x, HEARTH_TYPE_F32, (uint64_t)rows * k, &random);
	bench_fill(w, type, (uint64_t)n * k, &random);
	start(t);
	if (best)
		matrix.type = hearth_matrix_best_type(t->dev->device, type, n, k);
	matrix.view = buffer(t, NULL, w_bytes);
	x_view = buffer(t, x, 4ull * rows * k);
	y_view = buffer(t, NULL, 4ull * rows * n);
	if (t->status == HEARTH_OK)
		t->status = hearth_matrix_write(&matrix, 0, n, w);
	if (t->status == HEARTH_OK && fast)
		t->status = hearth_recording_set_precision(t->recording, HEARTH_PRECISION_FAST);
	if (t->status == HEARTH_OK)
		t->status = hearth_op_matmul(t->recording, &matrix, x_view,
					     (struct hearth_view){ 0 }, y_view, rows);
	finish(t, y_view, y, (uint64_t)rows * n);
	if (t->status == HEARTH_OK)
		bench_check_matmul_within(w, type, n, k, x, y, rows, SAMPLES,
					  fast ? BYTES_TOLERANCE : bench_tolerance_matmul(k),
					  &check);
	snprintf(what, sizeof(what), "matmul %s%s, %u × %u × %u", type_name(type),
		 best ? " in the device's order" : "", rows, n, k);
	conclude(t, &check, what);
	free(x);
	free(y);
	free(w);
}

static void try_attention(struct trial *t, enum hearth_type type, uint32_t position, uint32_t rows,
			  uint32_t head_size)
{
	const struct bench_attention a = { position,	       rows, 6, 2, head_size, type,
					   1 / sqrt(head_size) };
	const struct hearth_step step = { .position = position };
	uint64_t count = (uint64_t)rows * a.heads * head_size;
	uint64_t elements = (uint64_t)(position + rows) * a.kv_heads * head_size;
	uint64_t bytes = hearth_row_bytes(type, elements);
	struct bench_random random = { 0xda3e39cb94b95bdbull };
	float *q = need(4 * count), *y = need(4 * count);
	void *keys = need(bytes), *values = need(bytes);
	struct bench_check check = { 0 };
	struct hearth_kv_cache cache = { .type = type,
					 .capacity = position + rows,
					 .kv_heads = a.kv_heads,
					 .head_size = head_size };
	struct hearth_view q_view, y_view, step_view;
	char what[96];

	bench_fill(q, HEARTH_TYPE_F32, count, &random);
	bench_fill(keys, type, elements, &random);
	bench_fill(values, type, elements, &random);
	start(t);
	cache.keys = buffer(t, keys, bytes);
	cache.values = buffer(t, values, bytes);
	q_view = buffer(t, q, 4 * count);
	y_view = buffer(t, NULL, 4 * count);
	step_view = buffer(t, &step, sizeof(step));
	if (t->status == HEARTH_OK)
		t->status = hearth_op_attention(t->recording, q_view, &cache, step_view, y_view,
						rows, a.heads, (float)a.scale);
	finish(t, y_view, y, count);
	if (t->status == HEARTH_OK)
		bench_check_attention(&a, q, keys, values, y, HEAD_SAMPLES, &check);
	snprintf(what, sizeof(what), "attention %s, %u rows at %u, heads of %u", type_name(type),
		 rows, position, head_size);
	conclude(t, &check, what);
	free(q);
	free(y);
	free(keys);
	free(values);
}

/* rms_norm, or silu_mul. */
static void try_rows(struct trial *t, bool norm, uint32_t rows, uint32_t columns)
{
	uint64_t count = (uint64_t)rows * columns;
	struct bench_random random = { 0xcafef00dd15ea5e5ull };
	float *x = need(4 * count), *weight = need(4 * count);
	double *expected = need(8 * count);
	struct bench_check check = { 0 };
	struct hearth_view x_view, w_view, y_view;
	char what[96];

	bench_fill(x, HEARTH_TYPE_F32, count, &random);
	bench_fill(weight, HEARTH_TYPE_F32, count, &random);
	for (uint32_t r = 0; r < rows; r++) {
		const float *row = x + (uint64_t)r * columns;
		double sum = 0;

		for (uint32_t i = 0; i < columns; i++)
			sum += (double)row[i] * row[i];
		for (uint32_t i = 0; i < columns; i++)
			expected[(uint64_t)r * columns + i] =
				norm ? row[i] / sqrt(sum / columns + 1e-5) * weight[i]
				     : row[i] / (1 + exp(-(double)row[i])) *
						weight[(uint64_t)r * columns + i];
	}
	start(t);
	x_view = buffer(t, x, 4 * count);
	w_view = buffer(t, weight, 4 * count);
	y_view = buffer(t, NULL, 4 * count);
	if (t->status == HEARTH_OK && norm)
		t->status = hearth_op_rms_norm(t->recording, x_view, w_view, y_view, rows, columns,
					       1e-5f);
	else if (t->status == HEARTH_OK)
		t->status =
			hearth_op_silu_mul(t->recording, x_view, w_view, y_view, (uint32_t)count);
	finish(t, y_view, x, count);
	if (t->status == HEARTH_OK)
		bench_check_rows(x, expected, NULL, rows, columns, norm ? 4e-6 : 2e-5, &check);
	snprintf(what, sizeof(what), "%s, %u × %u", norm ? "rms_norm" : "silu_mul", rows, columns);
	conclude(t, &check, what);
	free(x);
	free(weight);
	free(expected);
}

static void try_matmuls(struct trial *t, bool quick)
{
	static const enum hearth_type types[] = { HEARTH_TYPE_F32, HEARTH_TYPE_F16,
						  HEARTH_TYPE_Q8_0, HEARTH_TYPE_Q4_0 };
	static const uint32_t row_counts[] = { 1, 40, 2, 9, 130 };
	static const struct {
		uint32_t n, k;
	} shapes[] = { { 67, 192 }, { 331, 1024 }, { 1, 32 }, { 33, 96 }, { 64, 4096 } };
	bool fast = t->ability == INTEGER_DOT;

	for (size_t type = 0; type < 4; type++)
		for (size_t s = 0; s < (quick ? 2 : 5); s++)
			for (size_t r = 0; r < (quick ? 2 : 5); r++) {
				if (fast ? type < 2
					 : t->ability == STORAGE16 &&
						    (type != 1 || row_counts[r] > 1))
					continue;
				try_matmul(t, types[type], row_counts[r], shapes[s].n, shapes[s].k,
					   fast, false);
				if (fast)
					try_matmul(t, types[type], row_counts[r],
						   (shapes[s].n + 15) / 16 * 16,
						   (shapes[s].k + 63) / 64 * 64, true, true);
			}
}

static void try_others(struct trial *t, bool quick)
{
	static const enum hearth_type types[] = { HEARTH_TYPE_F16, HEARTH_TYPE_F32,
						  HEARTH_TYPE_Q8_0, HEARTH_TYPE_Q4_0 };
	static const struct {
		uint32_t position, rows, head_size;
	} cases[] = {
		{ 100, 1, 64 }, { 5, 40, 64 }, { 0, 1, 128 }, { 70, 4, 128 }, { 0, 70, 128 }
	};
	static const uint32_t columns[] = { 100, 4097, 1, 64, 896 };

	for (size_t type = 0; type < (quick ? 1 : 4); type++)
		for (size_t c = 0; c < (quick ? 2 : 5); c++)
			try_attention(t, types[type], cases[c].position, cases[c].rows,
				      cases[c].head_size);
	for (size_t c = 0; c < (quick ? 2 : 5); c++) {
		try_rows(t, true, 1, columns[c]);
		try_rows(t, true, 7, columns[c]);
		try_rows(t, false, 7, columns[c]);
	}
}

int bench_qualify_one(struct bench_device *dev, const char *ability)
{
	struct trial t = { .dev = dev, .ability = find_ability(ability) };

	try_matmuls(&t, dev->settings->quick);
	if (t.ability == PLAIN || t.ability == SUBGROUP)
		try_others(&t, dev->settings->quick);
	printf("  %-12s %u right, %u wrong\n", ability, t.right, t.wrong);
	return t.wrong || !t.right;
}

/* ---- The verdict ---- */

/* Runs this program for one ability; whether it passed. */
static bool run_trial(uint32_t index, enum ability ability, bool quick)
{
	const struct timespec poll = { .tv_nsec = POLL_NS };
	double end = bench_now() + MOST_SECONDS;
	char one[64], device[32];
	int status = 0;
	pid_t child;

	snprintf(one, sizeof(one), "--qualify-one=%s", abilities[ability].name);
	snprintf(device, sizeof(device), "--device=%u", index);
	fflush(stdout);
	child = fork();
	if (child < 0) {
		fprintf(stderr, "hearth-bench: fork: %s\n", strerror(errno));
		exit(1);
	}
	if (!child) {
		execl("/proc/self/exe", "hearth-bench", one, device, quick ? "--quick" : NULL,
		      (char *)NULL);
		_exit(127);
	}
	while (!waitpid(child, &status, WNOHANG)) {
		nanosleep(&poll, NULL);
		if (bench_now() > end)
			kill(child, SIGKILL);
	}
	if (WIFSIGNALED(status))
		printf("  %-12s ended by signal %d (%s)\n", abilities[ability].name,
		       WTERMSIG(status), strsignal(WTERMSIG(status)));
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

static bool make_folders(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		int bad;

		*slash = 0;
		bad = mkdir(path, 0700) && errno != EEXIST;
		*slash = '/';
		if (bad)
			return false;
	}
	return true;
}

static void put_uuid(FILE *file, const char *name, const uint8_t uuid[16])
{
	fprintf(file, "%s ", name);
	for (int i = 0; i < 16; i++)
		fprintf(file, "%02x", uuid[i]);
	fputc('\n', file);
}

/* Whole or not at all: into another file first. */
static bool write_verdict(char *path, const struct hearth_device_properties *p,
			  const char *const results[ABILITIES])
{
	char other[4096 + 8];
	FILE *file;
	bool good;

	snprintf(other, sizeof(other), "%s.new", path);
	file = make_folders(path) ? fopen(other, "w") : NULL;
	if (!file) {
		fprintf(stderr, "hearth-bench: %s: %s\n", other, strerror(errno));
		return false;
	}
	fprintf(file, "hearth verdict 1\n");
	put_uuid(file, "driver", p->driver_uuid);
	fprintf(file, "version %u\n", p->driver_version);
	put_uuid(file, "device", p->uuid);
	for (int a = 0; a < ABILITIES; a++)
		fprintf(file, "%s %s\n", abilities[a].name, results[a]);
	fprintf(file, "end\n");
	good = !ferror(file);
	good &= !fclose(file);
	good = good && !rename(other, path);
	if (!good) {
		fprintf(stderr, "hearth-bench: %s: %s\n", path, strerror(errno));
		unlink(other);
	}
	return good;
}

int bench_qualify(struct hearth_instance *instance, uint32_t index,
		  const struct hearth_device_properties *p, bool quick)
{
	const bool has[ABILITIES] = { true, p->subgroup_arithmetic, p->storage16, p->integer_dot };
	const char *results[ABILITIES];
	char path[4096];
	int bad = 0;

	printf("%u: %s (%s)\n", index, p->name, p->driver);
	if (hearth_verdict_path(instance, index, path, sizeof(path)) != HEARTH_OK) {
		fprintf(stderr, "hearth-bench: %s\n", hearth_last_error());
		return 1;
	}
	for (int a = 0; a < ABILITIES; a++) {
		/* Without what it needs it would not be used. */
		if (!has[a] || (a && strcmp(results[abilities[a].needs], "right") != 0)) {
			results[a] = "absent";
			printf("  %-12s %s\n", abilities[a].name,
			       has[a] ? "is not tried, as what it needs is wrong" : "is not there");
			continue;
		}
		results[a] = run_trial(index, (enum ability)a, quick) ? "right" : "wrong";
		bad |= strcmp(results[a], "right") != 0;
	}
	if (!write_verdict(path, p, results))
		return 1;
	printf("  verdict: %s\n", path);
	return bad;
}
