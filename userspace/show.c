// SPDX-License-Identifier: GPL-2.0
/*
 * xen-ioemu show: all that is known of one controller.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>

#include "counters.h"
#include "disk.h"
#include "domain.h"
#include "json.h"
#include "loop.h"
#include "target.h"

/**
 * struct shown - what is shown of a disk
 * @disk: from xenstore
 * @file: file behind it or NULL
 * @status: hotplug-status or NULL
 * @error: hotplug-error or NULL
 * @bytes: capacity, 0 if unknown
 * @have_counters: there are @counters
 * @counters: statistics
 */
struct shown {
	struct disk disk;
	char *file;
	char *status;
	char *error;
	uint64_t bytes;
	bool have_counters;
	struct counters counters;
};

static bool parse(struct target *target, int *format, int argc, char **argv)
{
	static const struct option options[] = {
		{ "json",	no_argument,	   NULL, 'j' },
		{ "backend",	required_argument, NULL, 'b' },
		{ }
	};

	return reader_options(options, argc, argv, format,
			      &target->backend_id) &&
	       target_parse(target, "show", argc, argv, 2, 2);
}

static void look(struct store *store, const struct device *dev,
		 unsigned int index, struct shown *shown)
{
	disk_read(store, dev, index, &shown->disk);
	shown->status = store_read(store, "%s/disk/%u/hotplug-status",
				   dev->backend, index);
	shown->error = store_read(store, "%s/disk/%u/hotplug-error",
				  dev->backend, index);
	shown->file = NULL;
	shown->bytes = 0;
	if (shown->disk.params) {
		shown->file = loop_file(shown->disk.params);
		device_bytes(shown->disk.params, &shown->bytes);
	}
	shown->have_counters = counters_read(dev, index, &shown->counters);
}

static void unlook(struct shown *shown)
{
	disk_free(&shown->disk);
	free(shown->file);
	free(shown->status);
	free(shown->error);
}

static void line(const char *indent, const char *name, const char *value)
{
	if (!value)
		return;
	printf("%s%s: ", indent, name);
	print_safe(stdout, value);
	putchar('\n');
}

static void text_disk(unsigned int index, const struct shown *shown)
{
	unsigned int i;

	printf("disk %u\n", index);
	line("  ", "params", shown->disk.params);
	line("  ", "file", shown->file);
	line("  ", "mode", shown->disk.mode);
	line("  ", "serial", shown->disk.serial);
	line("  ", "iops-limit", shown->disk.iops_limit);
	line("  ", "bw-limit", shown->disk.bw_limit);
	line("  ", "status", shown->status);
	line("  ", "error", shown->error);
	if (shown->bytes)
		printf("  bytes: %" PRIu64 "\n", shown->bytes);
	for (i = 0; shown->have_counters && i < COUNTERS; i++)
		if (shown->counters.have & 1U << i)
			printf("  %s: %" PRIu64 "\n", counter_info[i].name,
			       shown->counters.value[i]);
}

static void json_limit(struct json *json, const char *key, const char *text)
{
	uint64_t value = 0;

	if (text)
		parse_size(text, &value);
	json_number(json, key, value);
}

static void json_disk(struct json *json, unsigned int index,
		      const struct shown *shown)
{
	unsigned int i;

	json_open(json, NULL, '{');
	json_number(json, "index", index);
	json_string(json, "params", shown->disk.params);
	json_string(json, "file", shown->file);
	json_string(json, "mode", shown->disk.mode);
	json_string(json, "serial", shown->disk.serial);
	json_limit(json, "iops-limit", shown->disk.iops_limit);
	json_limit(json, "bw-limit", shown->disk.bw_limit);
	json_string(json, "status", shown->status);
	json_string(json, "error", shown->error);
	json_number(json, "bytes", shown->bytes);
	json_open(json, "stats", '{');
	for (i = 0; shown->have_counters && i < COUNTERS; i++)
		if (shown->counters.have & 1U << i)
			json_number(json, counter_info[i].name,
				    shown->counters.value[i]);
	json_close(json, '}');
	json_close(json, '}');
}

static void show_disks(struct store *store, const struct device *dev,
		       struct json *json)
{
	unsigned int *indices, n, i;
	struct shown shown;

	indices = store_list_numbers(store, &n, "%s/disk", dev->backend);
	for (i = 0; i < n; i++) {
		look(store, dev, indices[i], &shown);
		if (json)
			json_disk(json, indices[i], &shown);
		else
			text_disk(indices[i], &shown);
		unlook(&shown);
	}
	free(indices);
}

static void show(struct store *store, const struct device *dev, bool as_json)
{
	char *name = domain_name(store, dev->domid);
	char *model = store_read(store, "%s/model", dev->backend);
	char *slot = store_read(store, "%s/slot", dev->backend);
	char *serial = store_read(store, "%s/serial", dev->backend);
	char *error = device_error(store, dev);
	const char *state = device_state_name(device_state(store, dev));
	struct json json;

	if (as_json) {
		json_init(&json, stdout);
		json_open(&json, NULL, '{');
		json_number(&json, "domid", dev->domid);
		json_string(&json, "name", name);
		json_number(&json, "devid", dev->devid);
		json_number(&json, "backend-id", dev->backend_id);
		json_string(&json, "model", model);
		json_string(&json, "slot", slot);
		json_string(&json, "serial", serial);
		json_string(&json, "state", state);
		json_string(&json, "error", error);
		json_open(&json, "disks", '[');
		show_disks(store, dev, &json);
		json_close(&json, ']');
		json_close(&json, '}');
	} else {
		printf("domain %u device %u\n", dev->domid, dev->devid);
		line("  ", "name", name);
		line("  ", "model", model);
		line("  ", "slot", slot);
		line("  ", "serial", serial);
		line("  ", "state", state);
		line("  ", "error", error);
		show_disks(store, dev, NULL);
	}
	free(name);
	free(model);
	free(slot);
	free(serial);
	free(error);
}

static enum tool_status run(int argc, char **argv)
{
	struct target target = { };
	enum tool_status status;
	int format = 0;
	struct device dev;
	struct store store;

	if (!parse(&target, &format, argc, argv))
		return TOOL_USAGE;
	if (!store_open(&store))
		return TOOL_FAILED;
	status = target_find(&target, &store, &dev);
	if (status == TOOL_OK)
		show(&store, &dev, format);
	store_close(&store);
	return status;
}

const struct command show_command = {
	.name = "show",
	.summary = "show all that is known of a controller",
	.usage =
	"Usage: xen-ioemu show [OPTIONS] DOMAIN DEVID\n"
	"\n"
	"Shows a controller and its disks: what they are made of, their limits, their\n"
	"size, and what the driver has counted.\n"
	"\n"
	"  --json          print a JSON object\n"
	"  --backend N     number of the domain where the driver runs; default: 0\n",
	.run = run,
};
