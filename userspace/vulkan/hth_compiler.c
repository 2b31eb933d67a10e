// SPDX-License-Identifier: MIT
/*
 * The way to the compiler, libhearth_compiler.so, which brings all of LLVM with it: it is loaded when
 * the first kernel is in no cache. What is needed of it before that (targets, build id) is
 * remembered on disk, under a key made of the library file's identity and the machine's.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>

#ifdef __x86_64__
#include <cpuid.h>
#endif

#include "hth_private.h"

#define LIBRARY	     "libhearth_compiler.so"

#define NOTE_VERSION 2

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct hth_compiler compiler;
static void *library;
static char failure[512];

/* Beside this library, where the build tree has it, or where the system looks. */
static bool find_library(char *path, size_t size)
{
	static const char *const places[] = { "%.*s" LIBRARY, "%.*s../compiler/" LIBRARY };
	Dl_info self;
	const char *slash;

	if (!dladdr((void *)find_library, &self) || !self.dli_fname)
		return false;
	slash = strrchr(self.dli_fname, '/');
	for (uint32_t i = 0; slash && i < HTH_COUNT(places); i++) {
		struct stat info;

		snprintf(path, size, places[i], (int)(slash + 1 - self.dli_fname), self.dli_fname);
		if (!stat(path, &info))
			return true;
	}
	return false;
}

static bool load(void)
{
	static const struct {
		const char *name;
		size_t offset;
	} symbols[] = {
		{ "hc_target_host", offsetof(struct hth_compiler, target_host) },
		{ "hc_target_riscv64", offsetof(struct hth_compiler, target_riscv64) },
		{ "hc_compile", offsetof(struct hth_compiler, compile) },
		{ "hc_kernel_free", offsetof(struct hth_compiler, kernel_free) },
		{ "hc_result_string", offsetof(struct hth_compiler, result_string) },
		{ "hc_build_id", offsetof(struct hth_compiler, build_id) },
	};
	char path[4096];

	if (!find_library(path, sizeof(path)))
		snprintf(path, sizeof(path), LIBRARY);
	library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		snprintf(failure, sizeof(failure), "%s", dlerror());
		return false;
	}
	for (uint32_t i = 0; i < HTH_COUNT(symbols); i++) {
		void *symbol = dlsym(library, symbols[i].name);

		if (!symbol) {
			snprintf(failure, sizeof(failure), "%.400s lacks %s", path,
				 symbols[i].name);
			dlclose(library);
			library = NULL;
			return false;
		}
		memcpy((char *)&compiler + symbols[i].offset, &symbol, sizeof(symbol));
	}
	return true;
}

const struct hth_compiler *hth_compiler_get(const char **reason)
{
	bool loaded;

	pthread_mutex_lock(&lock);
	if (!library && !failure[0])
		load();
	loaded = library != NULL;
	pthread_mutex_unlock(&lock);
	if (!loaded && reason)
		*reason = failure;
	return loaded ? &compiler : NULL;
}

/* ---- What is remembered ---- */

struct note {
	uint32_t version;
	uint32_t reserved;
	uint8_t key[32];
	uint8_t build_id[20];
	uint32_t has_target;
	struct hc_target target;
	uint8_t digest[32];
};

static void note_digest(const struct note *note, uint8_t digest[32])
{
	struct hth_sha256 hash;

	hth_sha256_init(&hash);
	hth_sha256_add(&hash, note, offsetof(struct note, digest));
	hth_sha256_finish(&hash, digest);
}

static void add_machine(struct hth_sha256 *hash)
{
#ifdef __x86_64__
	static const uint32_t leaves[][2] = { { 0, 0 },	   { 1, 0 },	     { 7, 0 },
					      { 7, 1 },	   { 0xd, 0 },	     { 0x14, 0 },
					      { 0x19, 0 }, { 0x80000001, 0 } };

	for (uint32_t i = 0; i < HTH_COUNT(leaves); i++) {
		uint32_t r[4] = { 0 };

		__get_cpuid_count(leaves[i][0], leaves[i][1], &r[0], &r[1], &r[2], &r[3]);
		/* The local APIC's number of the core that asks says nothing of the machine. */
		if (leaves[i][0] == 1)
			r[1] &= 0x0000ffff;
		/* OSXSAVE stays; sizes of the enabled state may change with what a process enables. */
		if (leaves[i][0] == 0xd)
			r[1] = 0;
		hth_sha256_add(hash, r, sizeof(r));
	}
#endif
	hth_sha256_add_u64(hash, getauxval(AT_HWCAP));
	hth_sha256_add_u64(hash, getauxval(AT_HWCAP2));
}

/* False if the compiler's file cannot even be found. */
static bool note_key(uint8_t key[32], const char *kind)
{
	struct hth_sha256 hash;
	struct stat info;
	char path[4096];

	if (!find_library(path, sizeof(path)) || stat(path, &info))
		return false;
	hth_sha256_init(&hash);
	hth_sha256_add_u32(&hash, NOTE_VERSION);
	hth_sha256_add_u32(&hash, sizeof(struct note));
	hth_sha256_add(&hash, path, strlen(path) + 1);
	hth_sha256_add_u64(&hash, info.st_ino);
	hth_sha256_add_u64(&hash, info.st_size);
	hth_sha256_add_u64(&hash, info.st_mtim.tv_sec);
	hth_sha256_add_u64(&hash, info.st_mtim.tv_nsec);
	hth_sha256_add(&hash, kind, strlen(kind) + 1);
	add_machine(&hash);
	hth_sha256_finish(&hash, key);
	return true;
}

static bool note_path(const uint8_t key[32], char *path, size_t size)
{
	char name[40];
	int at = snprintf(name, sizeof(name), "target-");

	for (int i = 0; i < 12; i++)
		at += snprintf(name + at, sizeof(name) - at, "%02x", key[i]);
	return hth_disk_cache_path(path, size, name);
}

static bool note_load(const uint8_t key[32], struct note *note)
{
	uint8_t digest[32];
	char path[4096];
	bool good = false;
	size_t size;
	void *data;

	if (!note_path(key, path, sizeof(path)) ||
	    !hth_disk_cache_read(path, &data, &size, sizeof(*note)))
		return false;
	if (size == sizeof(*note)) {
		memcpy(note, data, sizeof(*note));
		note_digest(note, digest);
		good = note->version == NOTE_VERSION && !memcmp(note->key, key, 32) &&
		       !memcmp(note->digest, digest, sizeof(digest));
	}
	free(data);
	return good;
}

enum target_kind {
	TARGET_NONE,
	TARGET_HOST,
	TARGET_BOARD,
};

static bool note_get(struct note *note, enum target_kind kind, const char *isa, uint32_t vlen_bits)
{
	const struct hth_compiler *hc;
	enum hc_result result = HC_OK;
	char name[64], path[4096];
	uint8_t key[32];
	bool keyed;

	snprintf(name, sizeof(name), "%d %s %u", kind, isa ? isa : "", vlen_bits);
	keyed = note_key(key, name);
	if (keyed && note_load(key, note))
		return true;
	hc = hth_compiler_get(NULL);
	if (!hc)
		return false;
	memset(note, 0, sizeof(*note));
	note->version = NOTE_VERSION;
	memcpy(note->key, key, sizeof(key));
	hc->build_id(note->build_id);
	if (kind == TARGET_HOST)
		result = hc->target_host(&note->target, isa);
	else if (kind == TARGET_BOARD)
		result = hc->target_riscv64(&note->target, vlen_bits);
	if (result != HC_OK)
		return false;
	note->has_target = kind != TARGET_NONE;
	note_digest(note, note->digest);
	if (keyed && note_path(key, path, sizeof(path)))
		hth_disk_cache_write(path, note, sizeof(*note));
	return true;
}

bool hth_compiler_host_target(struct hc_target *target, const char *isa)
{
	struct note note;

	if (!note_get(&note, TARGET_HOST, isa, 0))
		return false;
	*target = note.target;
	return true;
}

bool hth_compiler_board_target(struct hc_target *target, uint32_t vlen_bits)
{
	struct note note;

	if (!note_get(&note, TARGET_BOARD, NULL, vlen_bits))
		return false;
	*target = note.target;
	return true;
}

void hth_compiler_build_id(uint8_t id[20])
{
	static pthread_mutex_t known_lock = PTHREAD_MUTEX_INITIALIZER;
	static uint8_t known[20];
	static bool is_known;
	struct note note;

	pthread_mutex_lock(&known_lock);
	if (!is_known && note_get(&note, TARGET_NONE, NULL, 0)) {
		memcpy(known, note.build_id, sizeof(known));
		is_known = true;
	}
	memcpy(id, known, sizeof(known));
	pthread_mutex_unlock(&known_lock);
}
