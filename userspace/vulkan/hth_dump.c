// SPDX-License-Identifier: MIT
/*
 * For reports of faults and for measuring: with HEARTH_DUMP_DIR set, every module that is compiled is written to that
 * folder, NAME.spv, beside NAME.cmd, the hearth-cc command line that compiles it the same way, with the time that it took.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hth_private.h"

static char *command_line(const struct hc_compile_info *info, const char *name, double seconds,
			  size_t *size)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, size);

	if (!out)
		return NULL;
	fprintf(out, "hearth-cc --entry='%s'", info->entry_point);
	if (info->flags & HC_COMPILE_ROBUST)
		fprintf(out, " --robust");
	if (info->flags & HC_COMPILE_FULL_SUBGROUPS)
		fprintf(out, " --full-subgroups");
	if (info->subgroup_size)
		fprintf(out, " --subgroup-size=%u", info->subgroup_size);
	for (uint32_t i = 0; i < info->spec_constant_count; i++) {
		const struct hc_spec_constant *constant = &info->spec_constants[i];

		fprintf(out, " --spec=%u=%llu", constant->id, (unsigned long long)constant->value);
	}
	fprintf(out, " %s.spv # %.1f ms\n", name, seconds * 1e3);
	if (!fclose(out))
		return text;
	free(text);
	return NULL;
}

void hth_dump_shader(const struct hc_compile_info *info, const uint8_t key[32], double seconds)
{
	const char *folder = secure_getenv("HEARTH_DUMP_DIR");
	char name[17], path[4096];
	size_t size;
	char *text;

	if (!folder || !folder[0])
		return;
	for (int i = 0; i < 8; i++)
		snprintf(name + 2 * i, 3, "%02x", key[i]);
	if (snprintf(path, sizeof(path), "%s/%s.spv", folder, name) >= (int)sizeof(path))
		return;
	hth_disk_cache_write(path, info->spirv, info->spirv_words * sizeof(uint32_t));
	text = command_line(info, name, seconds, &size);
	if (!text)
		return;
	memcpy(strrchr(path, '.'), ".cmd", 4);
	hth_disk_cache_write(path, text, size);
	free(text);
}
