// SPDX-License-Identifier: MIT
/*
 * Verdicts on devices: abilities that one calls wrong stay unused, and this is said; a verdict that is broken, or of
 * something else, changes nothing, and this is said too. Verdicts here are made up; the device is the first that there is.
 */
#include "rt_test.h"

#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/hearth-verdict-XXXXXX";
static char path[4096];
static char said[8192];

static void on_message(void *user, const char *message)
{
	(void)user;
	if (strncmp(message, "hearth: ", 8) != 0)
		return; /* a driver's */
	snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s\n", message);
}

static struct hearth_instance *open_instance(bool ignore_verdicts, const char *disable)
{
	const struct hearth_instance_info info = {
		.struct_size = sizeof(info),
		.log = on_message,
		.disable = disable,
		.ignore_verdicts = ignore_verdicts,
	};
	struct hearth_instance *instance;

	said[0] = 0;
	rt_require(hearth_instance_create(&info, &instance), "instance");
	return instance;
}

static struct hearth_device_properties properties_of(const struct hearth_instance *instance)
{
	struct hearth_device_properties p = { .struct_size = sizeof(p) };

	rt_require(hearth_device_get_properties(instance, 0, &p), "properties");
	return p;
}

/* Dispatches of a product with rounded activations: making bytes is one of its own, where the device multiplies them. */
static uint32_t count_dispatches(struct hearth_instance *instance)
{
	struct hearth_buffer *buffer;
	struct hearth_recording *recording;
	struct hearth_device *device;
	uint32_t length;

	rt_require(hearth_device_create(instance, 0, &device), "device");
	rt_require(hearth_buffer_create(device, 65536, HEARTH_BUFFER_DEVICE, &buffer), "buffer");
	rt_require(hearth_recording_create(device, &recording), "recording");
	rt_require(hearth_recording_set_precision(recording, HEARTH_PRECISION_FAST), "precision");

	const struct hearth_matrix w = { { buffer, 0, 0 }, HEARTH_TYPE_Q8_0, 16, 64 };
	const struct hearth_view x = { buffer, 16384, 256 }, y = { buffer, 32768, 64 };

	rt_require(hearth_op_matmul(recording, &w, x, (struct hearth_view){ 0 }, y, 1), "matmul");
	length = hearth_recording_length(recording);
	hearth_recording_destroy(recording);
	hearth_buffer_destroy(buffer);
	hearth_device_destroy(device);
	return length;
}

static void hex(const uint8_t uuid[16], char text[33])
{
	for (int i = 0; i < 16; i++)
		snprintf(text + 2 * i, 3, "%02x", uuid[i]);
}

/* A verdict on the device: its head, then what is given. */
static void write_verdict(const struct hearth_device_properties *p, const char *abilities,
			  const char *end)
{
	char driver[33], device[33];
	FILE *file = fopen(path, "w");

	hex(p->driver_uuid, driver);
	hex(p->uuid, device);
	if (!file ||
	    fprintf(file, "hearth verdict 1\ndriver %s\nversion %u\ndevice %s\n%s%s", driver,
		    p->driver_version, device, abilities, end) < 0 ||
	    fclose(file)) {
		printf("Bail out! %s cannot be written\n", path);
		exit(1);
	}
}

static void test_wrong(const struct hearth_device_properties *p, uint32_t dispatches)
{
	struct hearth_instance *instance;
	struct hearth_device_properties q;

	write_verdict(p, "plain right\nsubgroup right\nstorage16 right\ninteger_dot wrong\n",
		      "end\n");
	instance = open_instance(false, NULL);
	q = properties_of(instance);
	rt_ok(!q.integer_dot && q.subgroup_arithmetic == p->subgroup_arithmetic &&
		      q.storage16 == p->storage16,
	      "dot products of bytes that were found wrong are not offered");
	rt_ok(count_dispatches(instance) == 1, "and not used");
	rt_ok(strstr(said, "integer_dot is unused") && strstr(said, path) && strstr(said, p->name),
	      "and this is said");
	hearth_instance_destroy(instance);

	instance = open_instance(true, NULL);
	q = properties_of(instance);
	rt_ok(q.integer_dot == p->integer_dot && count_dispatches(instance) == dispatches && !*said,
	      "a program that ignores verdicts uses them");
	hearth_instance_destroy(instance);

	instance = open_instance(true, "mapping,integer_dot");
	rt_ok(!properties_of(instance).integer_dot && count_dispatches(instance) == 1,
	      "a program can disable an ability");
	hearth_instance_destroy(instance);

	write_verdict(p, "plain right\nsubgroup wrong\nstorage16 wrong\ninteger_dot absent\n",
		      "end\n");
	instance = open_instance(false, NULL);
	q = properties_of(instance);
	rt_ok(!q.subgroup_arithmetic && !q.storage16 && !q.integer_dot &&
		      count_dispatches(instance) == 1 && strstr(said, "subgroup is unused") &&
		      strstr(said, "storage16 is unused"),
	      "subgroups and 16-bit storage are unused, and what needs them");
	hearth_instance_destroy(instance);

	write_verdict(p, "plain wrong\nsubgroup right\nstorage16 right\ninteger_dot right\n",
		      "end\n");
	instance = open_instance(false, NULL);
	rt_ok(strstr(said, "do not trust it") != NULL, "a device that is never right is named");
	hearth_instance_destroy(instance);

	write_verdict(p, "plain right\nsubgroup right\nstorage16 absent\ninteger_dot right\n",
		      "end\n");
	instance = open_instance(false, NULL);
	q = properties_of(instance);
	rt_ok(q.integer_dot == p->integer_dot && q.storage16 == p->storage16 && !*said,
	      "a good verdict changes nothing, and nothing is said");
	hearth_instance_destroy(instance);
}

static void expect_ignored(const struct hearth_device_properties *p, uint32_t dispatches,
			   const char *what)
{
	struct hearth_instance *instance = open_instance(false, NULL);
	struct hearth_device_properties q = properties_of(instance);

	rt_ok(q.integer_dot == p->integer_dot && q.subgroup_arithmetic == p->subgroup_arithmetic &&
		      q.storage16 == p->storage16 && count_dispatches(instance) == dispatches &&
		      strstr(said, "the verdict is ignored") && strstr(said, path),
	      "%s is ignored, and this is said", what);
	hearth_instance_destroy(instance);
}

static void test_broken(const struct hearth_device_properties *p, uint32_t dispatches)
{
	static const char bad[] =
		"plain right\nsubgroup wrong\nstorage16 wrong\ninteger_dot wrong\n";
	static const struct {
		const char *what, *abilities, *end;
	} cases[] = {
		{ "a verdict that is cut off", bad, "" },
		{ "a verdict that is cut off in a line", bad, "en" },
		{ "a verdict with more behind it", bad, "end\nmore\n" },
		{ "a verdict without an ability", "plain right\nsubgroup wrong\n", "end\n" },
		{ "a verdict with another word",
		  "plain right\nsubgroup bad\nstorage16 wrong\ninteger_dot wrong\n", "end\n" },
		{ "a verdict with another ability",
		  "plain right\nsubgroup wrong\nstorage16 wrong\nfloat8 wrong\n", "end\n" },
	};
	struct hearth_device_properties other = *p;
	char noise[8192];
	FILE *file;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		write_verdict(p, cases[i].abilities, cases[i].end);
		expect_ignored(p, dispatches, cases[i].what);
	}
	other.driver_version++;
	write_verdict(&other, bad, "end\n");
	expect_ignored(p, dispatches, "a verdict on another version of the driver");
	other = *p;
	other.uuid[3] ^= 1;
	write_verdict(&other, bad, "end\n");
	expect_ignored(p, dispatches, "a verdict on another device");
	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (char)(i * 167 + i / 3);
	for (size_t size = 0; size <= sizeof(noise); size = size ? 2 * size : 1) {
		file = fopen(path, "w");
		if (file) {
			fwrite(noise, 1, size, file);
			fclose(file);
		}
		if (size % 3 == 2 || size == 0 || size == sizeof(noise))
			expect_ignored(p, dispatches, "noise");
	}
	unlink(path);
	rt_ok(!mkdir(path, 0700), "a folder in its place can be made");
	expect_ignored(p, dispatches, "a folder");
	rmdir(path);
}

int main(void)
{
	struct hearth_device_properties p;
	struct hearth_instance *instance;
	uint32_t dispatches;
	char text[4096];
	char *slash;

	printf("TAP version 13\n");
	if (!mkdtemp(folder))
		return 1;
	setenv("HEARTH_CACHE_DIR", folder, 1);
	instance = open_instance(false, NULL);
	p = properties_of(instance);
	rt_note("%s (%s)", p.name, p.driver);
	rt_require(hearth_verdict_path(instance, 0, path, sizeof(path)), "hearth_verdict_path");
	rt_ok(!strncmp(path, folder, strlen(folder)), "a verdict lies in HEARTH_CACHE_DIR");
	rt_ok(hearth_verdict_path(instance, 0, text, 20) == HEARTH_ERROR_UNSUPPORTED,
	      "a path that is too long is an error");
	rt_ok(hearth_verdict_path(instance, 1000, text, sizeof(text)) == HEARTH_ERROR_NO_DEVICE,
	      "a device that there is not is an error");
	dispatches = count_dispatches(instance);
	rt_ok(dispatches == (p.integer_dot ? 2 : 1), "a product with bytes is %u dispatches",
	      dispatches);
	hearth_instance_destroy(instance);
	slash = strrchr(path, '/');
	*slash = 0;
	rt_ok(!mkdir(path, 0700), "the folder of verdicts");
	*slash = '/';
	test_wrong(&p, dispatches);
	test_broken(&p, dispatches);
	*slash = 0;
	rmdir(path);
	rmdir(folder);
	return rt_done();
}
