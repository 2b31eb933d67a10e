// SPDX-License-Identifier: MIT
/*
 * Who uses boards: the open files of all processes that this one may look at, by the standard keys
 * of fdinfo. A file that several descriptors or processes share is told once, by its client id.
 */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "smi.h"

#define MAX_CLIENTS 1024

struct client {
	uint64_t pid;
	uint64_t id;
	char pci[16];
	char command[32];
	int64_t busy_ns;
	int64_t board_bytes;
	int64_t host_bytes;
};

/* "123 KiB" and so on; without a unit, bytes. */
static int64_t size_value(const char *text)
{
	char *end;
	uint64_t value = strtoull(text, &end, 10);

	if (end == text)
		return SMI_UNKNOWN;
	while (*end == ' ')
		end++;
	return (int64_t)(value << (*end == 'K' ? 10 : *end == 'M' ? 20 : *end == 'G' ? 30 : 0));
}

/* Reads one fdinfo file; false if it is none of a board. */
static bool read_client(const char *path, struct client *client)
{
	bool hearth = false, numbered = false;
	char line[256];
	FILE *file = fopen(path, "re");

	if (!file)
		return false;
	client->busy_ns = client->board_bytes = client->host_bytes = SMI_UNKNOWN;
	client->pci[0] = 0;
	while (fgets(line, sizeof(line), file)) {
		char *value = strchr(line, ':');

		if (!value)
			continue;
		*value++ = 0;
		value += strspn(value, " \t");
		value[strcspn(value, "\n")] = 0;
		if (!strcmp(line, "drm-driver")) {
			hearth = !strcmp(value, "hearth");
		} else if (!strcmp(line, "drm-client-id")) {
			client->id = strtoull(value, NULL, 10);
			numbered = true;
		} else if (!strcmp(line, "drm-pdev")) {
			snprintf(client->pci, sizeof(client->pci), "%.15s", value);
		} else if (!strcmp(line, "drm-engine-compute")) {
			client->busy_ns = (int64_t)strtoull(value, NULL, 10);
		} else if (!strcmp(line, "drm-total-board")) {
			client->board_bytes = size_value(value);
		} else if (!strcmp(line, "drm-total-host")) {
			client->host_bytes = size_value(value);
		}
	}
	fclose(file);
	return hearth && numbered;
}

static void read_command(const char *pid, struct client *client)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%.20s/comm", pid);
	file = fopen(path, "re");
	if (!file || !fgets(client->command, sizeof(client->command), file))
		client->command[0] = 0;
	client->command[strcspn(client->command, "\n")] = 0;
	if (file)
		fclose(file);
}

static bool known(const struct client *clients, uint32_t count, const struct client *client)
{
	while (count--)
		if (clients[count].id == client->id && !strcmp(clients[count].pci, client->pci))
			return true;
	return false;
}

static uint32_t process_clients(const char *pid, struct client *clients, uint32_t count)
{
	struct dirent *entry;
	char path[320];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%.20s/fdinfo", pid);
	dir = opendir(path);
	if (!dir)
		return count;
	while (count < MAX_CLIENTS && (entry = readdir(dir))) {
		struct client *client = &clients[count];

		snprintf(path, sizeof(path), "/proc/%.20s/fdinfo/%.20s", pid, entry->d_name);
		if (!isdigit((unsigned char)entry->d_name[0]) || !read_client(path, client) ||
		    known(clients, count, client))
			continue;
		client->pid = strtoull(pid, NULL, 10);
		read_command(pid, client);
		count++;
	}
	closedir(dir);
	return count;
}

static uint32_t find_clients(struct client *clients)
{
	struct dirent *entry;
	uint32_t count = 0;
	DIR *dir = opendir("/proc");

	if (!dir)
		return 0;
	while ((entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]))
			count = process_clients(entry->d_name, clients, count);
	closedir(dir);
	return count;
}

uint32_t smi_count_clients(const char *pci)
{
	static struct client clients[MAX_CLIENTS];
	uint32_t i, of = 0, count = find_clients(clients);

	for (i = 0; i < count; i++)
		of += !strcmp(clients[i].pci, pci);
	return of;
}

void smi_show_processes(enum smi_format format)
{
	static struct client clients[MAX_CLIENTS];
	struct smi_table table = { .name = "processes", .format = format };
	uint32_t i, count = find_clients(clients);

	smi_table_begin(&table);
	for (i = 0; i < count; i++) {
		const struct client *c = &clients[i];
		const struct smi_value values[] = {
			{ "pid", SMI_NUMBER, .number = (int64_t)c->pid, .width = 8 },
			{ "client", SMI_NUMBER, .number = (int64_t)c->id },
			{ "command", SMI_TEXT, .text = c->command, .width = 16 },
			{ "pci", SMI_TEXT, .text = c->pci, .width = 12 },
			{ "busy_ns", SMI_NUMBER, .number = c->busy_ns, .width = 12 },
			{ "board_bytes", SMI_NUMBER, .number = c->board_bytes, .width = 12 },
			{ "host_bytes", SMI_NUMBER, .number = c->host_bytes, .width = 12 },
		};

		smi_table_row(&table, values, sizeof(values) / sizeof(values[0]));
	}
	smi_table_end(&table);
}
