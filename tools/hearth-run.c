// SPDX-License-Identifier: MIT
/*
 * hearth-run: loads a GGUF model and writes text, or answers, on any Vulkan device. What it writes, and nothing else, goes to
 * standard output; progress and the report at the end go to standard error.
 */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <hearth.h>

#include "chat.h"
#include "driver_path.h"
#include "gguf.h"
#include "llama.h"
#include "sampler.h"
#include "tokenizer.h"

const char *argp_program_version = "hearth-run " HEARTH_VERSION;

enum { EXIT_USAGE = 2 };

#define ANSWER_BYTES (1u << 20) /* what is kept of an answer for later turns */

struct options {
	const char *model;
	const char *prompt; /* NULL: the default, or in a conversation lines of standard input */
	const char *system; /* NULL: as the template has it */
	const char *device;
	struct hm_sampler_options sampler;
	uint32_t tokens;
	uint32_t context;
	uint32_t batch;
	enum hearth_type kv_type;
	bool list;
	bool quiet;
	bool ids;
	bool fast;
	bool chat;
};

enum {
	OPTION_LIST = 256,
	OPTION_TOP_K,
	OPTION_TOP_P,
	OPTION_MIN_P,
	OPTION_TYPICAL,
	OPTION_REPEAT,
	OPTION_FREQUENCY,
	OPTION_PRESENCE,
	OPTION_LAST,
	OPTION_KV,
	OPTION_BATCH,
	OPTION_IDS,
	OPTION_FAST,
	OPTION_CHAT,
	OPTION_SYSTEM,
};

static const struct argp_option argp_options[] = {
	{ "model", 'm', "FILE", 0, "GGUF model of an architecture that hearth-run(1) names", 0 },
	{ "prompt", 'p', "TEXT", 0, "text to continue (default: \"Once upon a time\")", 0 },
	{ "chat", OPTION_CHAT, NULL, 0,
	  "TEXT is a message, and the model's answer is written; without --prompt each line of "
	  "standard input is one",
	  0 },
	{ "system", OPTION_SYSTEM, "TEXT", 0, "with --chat: what the model is told first", 0 },
	{ "tokens", 'n', "N", 0, "write at most N tokens (default: as many as the context holds)",
	  0 },
	{ "device", 'd', "N|NAME", 0, "number from --list, or part of a device's name (default: 0)",
	  0 },
	{ "list", OPTION_LIST, NULL, 0, "list the devices", 0 },
	{ "context", 'c', "N", 0,
	  "longest text in tokens (default: what the model was trained for)", 0 },
	{ "temperature", 't', "T", 0, "0 always takes the most likely token (default: 0)", 1 },
	{ "top-k", OPTION_TOP_K, "K", 0,
	  "choose among the K most likely tokens (default: 40, 0: all)", 1 },
	{ "top-p", OPTION_TOP_P, "P", 0, "and among those that reach probability P (default: 0.95)",
	  1 },
	{ "min-p", OPTION_MIN_P, "P", 0,
	  "and among those at least P times as likely as the most likely (default: 0.05)", 1 },
	{ "typical", OPTION_TYPICAL, "P", 0,
	  "before these, those of typical probability that reach P (default: 1, all)", 1 },
	{ "repeat-penalty", OPTION_REPEAT, "X", 0,
	  "divide the logits of tokens said lately by X (default: 1)", 1 },
	{ "frequency-penalty", OPTION_FREQUENCY, "X", 0,
	  "subtract X from them for each time said (default: 0)", 1 },
	{ "presence-penalty", OPTION_PRESENCE, "X", 0, "subtract X from them once (default: 0)",
	  1 },
	{ "repeat-last", OPTION_LAST, "N", 0, "lately means the last N tokens (default: 64)", 1 },
	{ "seed", 's', "N", 0, "of the random choice (default: 1)", 1 },
	{ "kv-type", OPTION_KV, "TYPE", 0,
	  "of the key and value cache: f32 (default), f16, q8_0 or q4_0", 2 },
	{ "batch", OPTION_BATCH, "N", 0, "prompt tokens computed together (default: 256)", 2 },
	{ "fast", OPTION_FAST, NULL, 0,
	  "round activations to 8 bits for Q8_0 and Q4_0 weights, on devices that multiply "
	  "bytes fast (default: float32 throughout, the same text on every device)",
	  2 },
	{ "ids", OPTION_IDS, NULL, 0, "write token ids, one a line, in place of text", 2 },
	{ "quiet", 'q', NULL, 0, "no progress and no report", 2 },
	{ 0 },
};

static const char doc[] =
	"Continues a text, or answers, with a language model, on any Vulkan device."
	"\vThe devices of Hearth's own driver come first, boards before the "
	"host's CPU; those of other installed drivers "
	"follow. Exit status: 0 when the text was written, 1 when something "
	"failed, 2 for wrong usage.";

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

static float fraction(struct argp_state *state, const char *name, const char *text, float most)
{
	char *end;
	float value;

	value = strtof(text, &end);
	if (end == text || *end || !(value >= 0 && value <= most))
		argp_failure(state, EXIT_USAGE, 0, "%s: \"%s\", expected a number from 0 to %g",
			     name, text, (double)most);
	return value;
}

static enum hearth_type kv_type(struct argp_state *state, const char *text)
{
	static const struct {
		const char *name;
		enum hearth_type type;
	} types[] = {
		{ "f32", HEARTH_TYPE_F32 },
		{ "f16", HEARTH_TYPE_F16 },
		{ "q8_0", HEARTH_TYPE_Q8_0 },
		{ "q4_0", HEARTH_TYPE_Q4_0 },
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(text, types[i].name))
			return types[i].type;
	argp_failure(state, EXIT_USAGE, 0, "--kv-type: \"%s\", expected f32, f16, q8_0 or q4_0",
		     text);
	return HEARTH_TYPE_F32;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'm':
		o->model = arg;
		return 0;
	case 'p':
		o->prompt = arg;
		return 0;
	case 'd':
		o->device = arg;
		return 0;
	case 'n':
		o->tokens = (uint32_t)number(state, "--tokens", arg, 1, UINT32_MAX);
		return 0;
	case 'c':
		o->context = (uint32_t)number(state, "--context", arg, 1, UINT32_MAX);
		return 0;
	case 't':
		o->sampler.temperature = fraction(state, "--temperature", arg, 100);
		return 0;
	case OPTION_TOP_K:
		o->sampler.top_k = (uint32_t)number(state, "--top-k", arg, 0, UINT32_MAX);
		return 0;
	case OPTION_MIN_P:
		o->sampler.min_p = fraction(state, "--min-p", arg, 1);
		return 0;
	case OPTION_TYPICAL:
		o->sampler.typical = fraction(state, "--typical", arg, 1);
		return 0;
	case OPTION_REPEAT:
		o->sampler.repeat_penalty = fraction(state, "--repeat-penalty", arg, 100);
		if (!(o->sampler.repeat_penalty > 0))
			argp_failure(state, EXIT_USAGE, 0, "--repeat-penalty: 0, expected more");
		return 0;
	case OPTION_FREQUENCY:
		o->sampler.frequency_penalty = fraction(state, "--frequency-penalty", arg, 100);
		return 0;
	case OPTION_PRESENCE:
		o->sampler.presence_penalty = fraction(state, "--presence-penalty", arg, 100);
		return 0;
	case OPTION_LAST:
		o->sampler.last_tokens = (uint32_t)number(state, "--repeat-last", arg, 0, 1u << 20);
		return 0;
	case OPTION_TOP_P:
		o->sampler.top_p = fraction(state, "--top-p", arg, 1);
		return 0;
	case 's':
		o->sampler.seed = number(state, "--seed", arg, 0, UINT64_MAX);
		return 0;
	case OPTION_KV:
		o->kv_type = kv_type(state, arg);
		return 0;
	case OPTION_BATCH:
		o->batch = (uint32_t)number(state, "--batch", arg, 1, 512);
		return 0;
	case OPTION_LIST:
		o->list = true;
		return 0;
	case OPTION_FAST:
		o->fast = true;
		return 0;
	case OPTION_CHAT:
		o->chat = true;
		return 0;
	case OPTION_SYSTEM:
		o->system = arg;
		return 0;
	case OPTION_IDS:
		o->ids = true;
		return 0;
	case 'q':
		o->quiet = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_failure(state, EXIT_USAGE, 0, "unexpected argument \"%s\"", arg);
		return 0;
	case ARGP_KEY_END:
		if (!o->list && !o->model)
			argp_failure(state, EXIT_USAGE, 0,
				     "a model is needed: -m FILE (see --help)");
		if (o->system && !o->chat)
			argp_failure(state, EXIT_USAGE, 0, "--system: expected --chat too");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static double read_clock(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec + ts.tv_nsec * 1e-9;
}

static double now(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

/* What all threads used so far. */
static double cpu_time(void)
{
	return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

/* What the progress line shows: rewritten in place on a terminal, a line now and then elsewhere. */
struct monitor {
	bool quiet;
	bool terminal;
	bool open;    /* a line on the terminal that must be ended */
	bool writing; /* the text itself shows that things go on */
	double last;
	const char *stage;
};

#define TERMINAL_INTERVAL 0.1
#define LINE_INTERVAL	  2.0

static void show_progress(void *user, const char *stage, uint64_t done, uint64_t total)
{
	struct monitor *monitor = user;
	double time = now();

	if (monitor->quiet || monitor->writing)
		return;
	if (stage == monitor->stage && done != total &&
	    time - monitor->last < (monitor->terminal ? TERMINAL_INTERVAL : LINE_INTERVAL))
		return;
	/* The end of a stage is news only on a terminal, where it replaces the line. */
	if (stage == monitor->stage && !monitor->terminal && time - monitor->last < LINE_INTERVAL)
		return;
	monitor->stage = stage;
	monitor->last = time;
	fprintf(stderr, "%s%s", monitor->terminal ? "\r\033[K" : "", stage);
	if (total)
		fprintf(stderr, ": %3.0f %%", 100.0 * (double)done / (double)total);
	fputs(monitor->terminal ? "" : "\n", stderr);
	monitor->open = monitor->terminal;
}

static void end_progress(struct monitor *monitor)
{
	if (monitor->open)
		fputs("\r\033[K", stderr);
	monitor->open = false;
	monitor->stage = NULL;
}

static void log_message(void *user, const char *message)
{
	struct monitor *monitor = user;

	if (monitor->quiet)
		return;
	end_progress(monitor);
	fprintf(stderr, "%s\n", message);
}

static int fail_device(const char *what, enum hearth_status status)
{
	fprintf(stderr, "hearth-run: %s: %s: %s\n", what, hearth_status_string(status),
		hearth_last_error());
	return EXIT_FAILURE;
}

static const char *const type_names[] = {
	[HEARTH_DEVICE_OTHER] = "other",
	[HEARTH_DEVICE_INTEGRATED_GPU] = "integrated GPU",
	[HEARTH_DEVICE_DISCRETE_GPU] = "accelerator",
	[HEARTH_DEVICE_VIRTUAL_GPU] = "virtual GPU",
	[HEARTH_DEVICE_CPU] = "CPU",
};

static int list_devices(const struct hearth_instance *instance)
{
	struct hearth_device_properties p = { .struct_size = sizeof(p) };
	uint32_t i, count = hearth_device_count(instance);
	enum hearth_status status;

	for (i = 0; i < count; i++) {
		status = hearth_device_get_properties(instance, i, &p);
		if (status)
			return fail_device("--list", status);
		printf("%u: %s (%s, %.1f GiB, %s)\n", i, p.name, type_names[p.type],
		       (double)p.memory_bytes / (1 << 30), p.driver);
	}
	if (!count) {
		fprintf(stderr, "hearth-run: no Vulkan device was found\n");
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

/* The device that --device means, or a message and UINT32_MAX. */
static uint32_t choose_device(const struct hearth_instance *instance, const char *wanted,
			      struct hearth_device_properties *p)
{
	uint32_t i, found = UINT32_MAX, count = hearth_device_count(instance);
	char *end = NULL;
	unsigned long index = wanted ? strtoul(wanted, &end, 10) : 0;
	bool by_index = !wanted || (*wanted && !*end);

	p->struct_size = sizeof(*p);
	for (i = 0; i < count; i++) {
		if (hearth_device_get_properties(instance, i, p))
			continue;
		if (by_index ? i == index : strcasestr(p->name, wanted) != NULL) {
			if (found != UINT32_MAX) {
				fprintf(stderr,
					"hearth-run: --device: \"%s\" fits more than one device "
					"(see --list)\n",
					wanted);
				return UINT32_MAX;
			}
			found = i;
		}
	}
	if (found == UINT32_MAX)
		fprintf(stderr, "hearth-run: --device: no device \"%s\" among %u (see --list)\n",
			wanted ? wanted : "0", count);
	else
		hearth_device_get_properties(instance, found, p);
	return found;
}

/* Everything that one run holds. */
struct run {
	struct options options;
	struct monitor monitor;
	struct hearth_instance *instance;
	struct hearth_device *device;
	struct hearth_device_properties properties;
	struct hm_gguf *gguf;
	struct hm_tokenizer *tokenizer;
	struct hm_llama *model;
	struct hm_sampler *sampler;
	float *logits;
	/* The tokens that the cache holds, [context]. */
	uint32_t *held;
	size_t held_count;
	/* A conversation. */
	struct hm_chat chat;
	uint32_t chat_end;
	struct hm_chat_message *messages;
	size_t message_count;
	char *answer; /* so far; zero-terminated */
	size_t answer_bytes;
	size_t prompt_tokens; /* computed, of all prompts */
	uint64_t steps;
	double prompt_seconds;
	double prompt_cpu_seconds; /* of processor time */
	double decode_seconds;
	double decode_cpu_seconds;
	uint64_t decoded;
	struct hm_error error;
};

static int fail(struct run *run)
{
	end_progress(&run->monitor);
	fprintf(stderr, "hearth-run: %s\n", run->error.text);
	return EXIT_FAILURE;
}

static void write_token(struct run *run, uint32_t token, bool first)
{
	char bytes[65536];
	size_t length = hm_token_bytes(run->tokenizer, token, first, bytes, sizeof(bytes));

	if (length > sizeof(bytes))
		length = sizeof(bytes);
	if (run->options.ids)
		printf("%u\n", token);
	else
		fwrite(bytes, 1, length, stdout);
	fflush(stdout);
	if (run->answer && run->answer_bytes + length < ANSWER_BYTES) {
		memcpy(run->answer + run->answer_bytes, bytes, length);
		run->answer_bytes += length;
		run->answer[run->answer_bytes] = 0;
	}
}

static int next_token(struct run *run, uint32_t *token)
{
	if (!run->sampler) {
		*token = hm_llama_argmax(run->model);
		return 0;
	}
	if (hm_llama_logits(run->model, run->logits, &run->error))
		return -EIO;
	*token = hm_sampler_next(run->sampler, run->logits);
	hm_sampler_accept(run->sampler, *token);
	return 0;
}

static int load(struct run *run)
{
	const struct options *o = &run->options;
	struct hm_llama_options options = {
		.context = o->context,
		.kv_type = o->kv_type,
		.max_rows = o->batch,
		.precision = o->fast ? HEARTH_PRECISION_FAST : HEARTH_PRECISION_EXACT,
		.progress = show_progress,
		.progress_user = &run->monitor,
	};

	if (hm_gguf_open(o->model, &run->gguf, &run->error) ||
	    hm_tokenizer_create(run->gguf, &run->tokenizer, &run->error) ||
	    hm_llama_create(run->gguf, run->device, &options, &run->model, &run->error))
		return fail(run);
	if (hm_tokenizer_size(run->tokenizer) != hm_llama_params(run->model)->vocabulary) {
		hm_fail(&run->error, 0,
			"%s: tokenizer.ggml.tokens has %u tokens, token_embd.weight %u rows",
			o->model, hm_tokenizer_size(run->tokenizer),
			hm_llama_params(run->model)->vocabulary);
		return fail(run);
	}
	run->held = calloc(hm_llama_context(run->model), sizeof(*run->held));
	if (!run->held) {
		hm_fail(&run->error, 0, "out of memory");
		return fail(run);
	}
	if (hm_sampler_is_needed(&o->sampler)) {
		run->sampler = hm_sampler_create(&o->sampler, hm_tokenizer_size(run->tokenizer));
		run->logits = malloc(sizeof(float) * hm_tokenizer_size(run->tokenizer));
		if (!run->sampler || !run->logits) {
			hm_fail(&run->error, 0, "out of memory");
			return fail(run);
		}
	}
	return EXIT_SUCCESS;
}

/* Rows of a batch with @left tokens to go. */
static uint32_t batch_rows(const struct run *run, size_t left)
{
	return left < run->options.batch ? (uint32_t)left : run->options.batch;
}

/* Runs what the cache does not hold yet of @tokens, in batches; the logits of the last are then on the device. */
static int run_prompt(struct run *run, const uint32_t *tokens, size_t count)
{
	uint32_t context = hm_llama_context(run->model), rows;
	double start, start_cpu;
	size_t first = 0, done;

	if (!count) {
		hm_fail(&run->error, 0,
			"the prompt has no tokens, and the model no token to start with");
		return fail(run);
	}
	if (count >= context) {
		hm_fail(&run->error, 0,
			"the prompt has %zu tokens, a context of %u has room for %u", count,
			context, context - 1);
		return fail(run);
	}
	while (first < count - 1 && first < run->held_count && run->held[first] == tokens[first])
		first++;
	/* Kernels first, so that the times measured are those of computing. */
	for (done = first; done < count; done += rows) {
		rows = batch_rows(run, count - done);
		if (hm_llama_prepare(run->model, rows, &run->error))
			return fail(run);
	}
	if (hm_llama_prepare(run->model, 1, &run->error))
		return fail(run);
	start = now();
	start_cpu = cpu_time();
	for (done = first; done < count; done += rows) {
		rows = batch_rows(run, count - done);
		if (hm_llama_step(run->model, tokens + done, rows, (uint32_t)done, &run->error))
			return fail(run);
		run->steps++;
	}
	run->prompt_seconds += now() - start;
	run->prompt_cpu_seconds += cpu_time() - start_cpu;
	run->prompt_tokens += count - first;
	memcpy(run->held, tokens, sizeof(*tokens) * count);
	run->held_count = count;
	for (done = first; run->sampler && done < count; done++)
		hm_sampler_accept(run->sampler, tokens[done]);
	return EXIT_SUCCESS;
}

static bool is_end(const struct run *run, uint32_t token)
{
	return hm_tokenizer_is_end(run->tokenizer, token) ||
	       (run->options.chat && token == run->chat_end);
}

/* Writes tokens until the model, the options or the context end the text. */
static int generate(struct run *run)
{
	uint32_t context = hm_llama_context(run->model), token, written = 0;
	double start, start_cpu;

	end_progress(&run->monitor);
	run->monitor.writing = true;
	start = now();
	start_cpu = cpu_time();
	while (!next_token(run, &token)) {
		if (is_end(run, token))
			goto out;
		write_token(run, token, run->options.chat && !written);
		if (++written == run->options.tokens || run->held_count == context)
			goto out;
		if (hm_llama_step(run->model, &token, 1, (uint32_t)run->held_count, &run->error))
			break;
		run->held[run->held_count++] = token;
		run->steps++;
		run->decoded++;
	}
	fputs("\n", stdout);
	return fail(run);
out:
	run->decode_seconds += now() - start;
	run->decode_cpu_seconds += cpu_time() - start_cpu;
	run->monitor.writing = false;
	if (!run->options.ids)
		fputs("\n", stdout);
	if (run->held_count == context && !run->options.quiet)
		fprintf(stderr, "hearth-run: the context of %u tokens is full\n", context);
	if (fflush(stdout) || ferror(stdout)) {
		hm_fail(&run->error, 0, "standard output: %s", strerror(errno));
		return fail(run);
	}
	return EXIT_SUCCESS;
}

static int continue_text(struct run *run)
{
	const char *text = run->options.prompt ? run->options.prompt : "Once upon a time";
	uint32_t *tokens;
	size_t count, i;
	int ret;

	if (hm_tokenize(run->tokenizer, text, strlen(text), &tokens, &count, &run->error))
		return fail(run);
	ret = run_prompt(run, tokens, count);
	end_progress(&run->monitor);
	for (i = 0; !ret && i < count; i++)
		write_token(run, tokens[i], i == (tokens[0] == hm_tokenizer_bos(run->tokenizer)));
	free(tokens);
	return ret ? ret : generate(run);
}

/* ---- Conversations ---- */

static int add_message(struct run *run, enum hm_chat_role role, const char *text)
{
	struct hm_chat_message *longer =
		reallocarray(run->messages, run->message_count + 1, sizeof(*longer));
	char *copy = longer ? strdup(text) : NULL;

	if (longer)
		run->messages = longer;
	if (!copy) {
		hm_fail(&run->error, -ENOMEM, "out of memory");
		return fail(run);
	}
	longer[run->message_count++] = (struct hm_chat_message){ role, copy };
	return EXIT_SUCCESS;
}

static int answer(struct run *run, const char *text)
{
	uint32_t *tokens;
	size_t count, i;
	int ret = add_message(run, HM_CHAT_USER, text);

	if (ret)
		return ret;
	if (hm_chat_tokens(&run->chat, run->tokenizer, run->messages, run->message_count, &tokens,
			   &count, &run->error))
		return fail(run);
	ret = run_prompt(run, tokens, count);
	end_progress(&run->monitor);
	for (i = 0; !ret && run->options.ids && i < count; i++)
		printf("%u\n", tokens[i]);
	free(tokens);
	run->answer_bytes = 0;
	run->answer[0] = 0;
	if (!ret)
		ret = generate(run);
	return ret ? ret : add_message(run, HM_CHAT_ANSWER, run->answer);
}

static int start_talk(struct run *run)
{
	if (hm_chat_read(run->gguf, &run->chat, &run->error))
		return fail(run);
	run->chat_end = hm_chat_end(&run->chat, run->tokenizer);
	run->answer = malloc(ANSWER_BYTES);
	if (!run->answer) {
		hm_fail(&run->error, -ENOMEM, "out of memory");
		return fail(run);
	}
	return run->options.system ? add_message(run, HM_CHAT_SYSTEM, run->options.system)
				   : EXIT_SUCCESS;
}

/* Each line of standard input is a message, until there are no more, or the context is full. */
static int talk(struct run *run)
{
	bool terminal = isatty(STDIN_FILENO) && run->monitor.terminal;
	int ret = start_talk(run);
	char *line = NULL;
	size_t room = 0;
	ssize_t length;

	if (!ret && run->options.prompt)
		return answer(run, run->options.prompt);
	while (!ret && run->held_count < hm_llama_context(run->model)) {
		if (terminal)
			fputs("> ", stderr);
		length = getline(&line, &room, stdin);
		if (length < 0)
			break;
		if (length && line[length - 1] == '\n')
			line[length - 1] = 0;
		if (*line)
			ret = answer(run, line);
	}
	free(line);
	return ret;
}

static void report(const struct run *run)
{
	const struct hm_params *p = hm_llama_params(run->model);

	fprintf(stderr, "device: %s (%s)\n", run->properties.name, run->properties.driver);
	fprintf(stderr, "model: %s, %.1f MB of weights, %.1f MB of cache for %u tokens\n",
		*p->name ? p->name : run->options.model,
		(double)hm_llama_weight_bytes(run->model) / 1e6,
		(double)hm_llama_cache_bytes(run->model) / 1e6, hm_llama_context(run->model));
	fprintf(stderr, "prompt: %zu tokens, %.1f tokens/s, %.3f s of processor time\n",
		run->prompt_tokens, (double)run->prompt_tokens / run->prompt_seconds,
		run->prompt_cpu_seconds);
	if (run->decoded)
		fprintf(stderr,
			"text: %" PRIu64 " tokens, %.1f tokens/s, %.3f s of processor time\n",
			run->decoded, (double)run->decoded / run->decode_seconds,
			run->decode_cpu_seconds);
	fprintf(stderr, "submissions: %" PRIu64 ", operations of a token: %u\n", run->steps,
		hm_llama_operations(run->model, 1));
}

static int start(struct run *run)
{
	char path[PATH_MAX];
	const char *driver = path;
	struct hearth_instance_info info = {
		.struct_size = sizeof(info),
		.extra_drivers = &driver,
		.log = log_message,
		.log_user = &run->monitor,
	};
	int error = hearth_driver_path(path, sizeof(path));
	enum hearth_status status;
	uint32_t index;

	if (error && path[0]) {
		fprintf(stderr,
			"hearth-run: HEARTH_DRIVER: %s: %s, expected a Vulkan driver's library\n",
			path, strerror(-error));
		return EXIT_FAILURE;
	}
	info.extra_driver_count = error ? 0 : 1;
	status = hearth_instance_create(&info, &run->instance);
	if (status)
		return fail_device("Vulkan", status);
	if (run->options.list)
		return EXIT_SUCCESS;
	index = choose_device(run->instance, run->options.device, &run->properties);
	if (index == UINT32_MAX)
		return EXIT_FAILURE;
	if (!run->options.quiet)
		fprintf(stderr, "device %u: %s\n", index, run->properties.name);
	status = hearth_device_create(run->instance, index, &run->device);
	return status ? fail_device(run->properties.name, status) : EXIT_SUCCESS;
}

static const struct argp argp = { argp_options, parse_option, NULL, doc, NULL, NULL, NULL };

int main(int argc, char **argv)
{
	struct run run = {
		.options = {
			.sampler = {
				.top_k = 40,
				.typical = 1,
				.top_p = 0.95f,
				.min_p = 0.05f,
				.repeat_penalty = 1,
				.last_tokens = 64,
				.seed = 1,
			},
			.batch = 256,
			.kv_type = HEARTH_TYPE_F32,
		},
		.monitor = { .terminal = isatty(STDERR_FILENO) },
	};
	int ret;

	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &run.options);
	run.monitor.quiet = run.options.quiet;
	ret = start(&run);
	if (!ret && run.options.list) {
		ret = list_devices(run.instance);
	} else {
		if (!ret)
			ret = load(&run);
		if (!ret)
			ret = run.options.chat ? talk(&run) : continue_text(&run);
		if (!ret && !run.options.quiet)
			report(&run);
	}
	while (run.message_count)
		free((char *)run.messages[--run.message_count].text);
	free(run.messages);
	free(run.answer);
	free(run.held);
	free(run.logits);
	hm_sampler_destroy(run.sampler);
	hm_llama_destroy(run.model);
	hm_tokenizer_destroy(run.tokenizer);
	hm_gguf_close(run.gguf);
	hearth_device_destroy(run.device);
	hearth_instance_destroy(run.instance);
	return ret;
}
