// SPDX-License-Identifier: MIT
/*
 * Runs a fuzz target without a fuzzer: over files, and over mutations of them that depend on nothing but their
 * number, so that each can be had again. The target runs in a child process; when that dies, the input that killed
 * it is written to a file. Prints TAP.
 *
 *	usage: fuzz-TARGET [--mutations N] [--first N] FILE…
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

#define MAX_FILES   256
#define MAX_SIZE    (1 << 20)
#define SECONDS_MAX 20 /* of computing: one input that takes longer hangs */
/* Most of what a reader decides on stands before this place. */
#define HEAD_BYTES  4096

struct input {
	const char *name;
	uint8_t *bytes;
	size_t size;
};

static struct input files[MAX_FILES];
static unsigned long file_count;
/* The number of the input that is being tried, seen by the parent: files first, then mutations. */
static volatile unsigned long *current;

static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ull; /* splitmix64 */

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static int read_file(const char *name, struct input *input)
{
	FILE *file = fopen(name, "rb");

	if (!file) {
		fprintf(stderr, "%s: %s\n", name, strerror(errno));
		return -1;
	}
	input->name = name;
	input->bytes = malloc(MAX_SIZE);
	if (!input->bytes)
		abort();
	input->size = fread(input->bytes, 1, MAX_SIZE, file);
	fclose(file);
	return 0;
}

/* One change of @size bytes, that have room for MAX_SIZE; returns the new size. */
static size_t mutate(uint8_t *bytes, size_t size, uint64_t *random)
{
	static const uint64_t edges[] = { 0,	      1,	  2,	      0x7f,
					  0xff,	      0x7fff,	  0xffff,     0x7fffffff,
					  0x80000000, 0xffffffff, 1ull << 32, 1ull << 61,
					  1ull << 62, 1ull << 63, UINT64_MAX };
	uint64_t choice = next_random(random);
	size_t range = choice % 8 && size > HEAD_BYTES ? HEAD_BYTES : size;
	size_t at, length, to;
	uint64_t value;

	if (size < 16)
		return size;
	at = next_random(random) % range;
	length = 1 + next_random(random) % 32;
	switch (choice >> 8 & 7) {
	case 0:
	case 1:
		bytes[at] = (uint8_t)next_random(random);
		break;
	case 2:
		bytes[at] ^= 1u << (choice >> 16 & 7);
		break;
	case 3:
	case 4: /* a number */
		value = edges[next_random(random) % (sizeof(edges) / sizeof(*edges))];
		length = choice >> 16 & 1 ? 4 : 8;
		if (at + length <= size)
			memcpy(bytes + at, &value, length);
		break;
	case 5: /* something left out */
		if (at + length < size) {
			memmove(bytes + at, bytes + at + length, size - at - length);
			size -= length;
		}
		break;
	case 6: /* something twice */
		to = next_random(random) % range;
		if (at + length <= size && size + length <= MAX_SIZE) {
			uint8_t copy[32];

			memcpy(copy, bytes + at, length);
			memmove(bytes + to + length, bytes + to, size - to);
			memcpy(bytes + to, copy, length);
			size += length;
		}
		break;
	default: /* an early end */
		if (choice >> 16 & 1)
			size = at;
		break;
	}
	return size;
}

/* Input number @number, in memory of exactly its size, so that a sanitizer sees what is beyond it. */
static struct input make_input(unsigned long number)
{
	static uint8_t scratch[MAX_SIZE];
	const struct input *origin = &files[number % file_count];
	struct input input = { .name = origin->name, .size = origin->size };
	uint64_t random = number;

	memcpy(scratch, origin->bytes, origin->size);
	if (number >= file_count && LLVMFuzzerCustomMutator)
		input.size = LLVMFuzzerCustomMutator(scratch, input.size, MAX_SIZE,
						     (unsigned int)number);
	else if (number >= file_count)
		for (uint64_t left = 1 + next_random(&random) % 4; left; left--)
			input.size = mutate(scratch, input.size, &random);
	input.bytes = malloc(input.size ? input.size : 1);
	if (!input.bytes)
		abort();
	memcpy(input.bytes, scratch, input.size);
	return input;
}

/* Ends this process when it has computed for so long; how busy the machine is does not count. 0: no limit. */
static void limit_time(time_t seconds)
{
	struct itimerval limit = { .it_value.tv_sec = seconds };

	setitimer(ITIMER_PROF, &limit, NULL);
}

/* In a child process: its wait status. */
static int try_inputs(unsigned long first, unsigned long end)
{
	pid_t child;
	int status;

	fflush(NULL);
	child = fork();
	if (child < 0) {
		perror("fork");
		exit(1);
	}
	if (!child) {
		for (unsigned long i = first; i < end; i++) {
			struct input input = make_input(i);

			*current = i;
			limit_time(SECONDS_MAX);
			LLVMFuzzerTestOneInput(input.bytes, input.size);
			free(input.bytes);
		}
		limit_time(0);
		for (unsigned long i = 0; i < file_count; i++)
			free(files[i].bytes);
		exit(0);
	}
	while (waitpid(child, &status, 0) < 0)
		;
	return status;
}

static void result(int number, unsigned long first, unsigned long end, const char *what)
{
	int status = try_inputs(first, end);
	struct input input;
	char name[64];
	FILE *file;

	printf("%sok %d - %lu %s\n", status ? "not " : "", number, end - first, what);
	if (!status)
		return;
	input = make_input(*current);
	snprintf(name, sizeof(name), "crash-%lu", *current);
	file = fopen(name, "wb");
	if (file) {
		fwrite(input.bytes, 1, input.size, file);
		fclose(file);
	}
	printf("# input %lu, made from %s, ends with %s %d; it is in %s\n", *current, input.name,
	       WIFSIGNALED(status) ? "signal" : "status",
	       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), name);
	free(input.bytes);
	exit(1);
}

int main(int argc, char **argv)
{
	unsigned long mutations = 0, first = 0;
	int i;

	for (i = 1; i < argc; i++) {
		if (i + 1 < argc && !strcmp(argv[i], "--mutations"))
			mutations = strtoul(argv[++i], NULL, 10);
		else if (i + 1 < argc && !strcmp(argv[i], "--first"))
			first = strtoul(argv[++i], NULL, 10);
		else if (file_count == MAX_FILES || read_file(argv[i], &files[file_count++]))
			return 2;
	}
	if (!file_count) {
		fprintf(stderr, "usage: %s [--mutations N] [--first N] FILE…\n", argv[0]);
		return 2;
	}
	current = mmap(NULL, sizeof(*current), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	if (current == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	printf("1..%d\n", mutations ? 2 : 1);
	result(1, 0, file_count, "files as they are");
	if (mutations)
		result(2, file_count + first, file_count + first + mutations, "mutations");
	for (unsigned long n = 0; n < file_count; n++)
		free(files[n].bytes);
	return 0;
}
