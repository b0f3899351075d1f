// SPDX-License-Identifier: GPL-2.0
/*
 * xen-ioemu show: all that is known of one controller.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>

#include "counters.h"
#include "domain.h"
#include "info.h"
#include "json.h"
#include "target.h"

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

/* What may be absent is left out of the text, and null or 0 in JSON. */
static void show_value(struct json *json, const char *indent,
		       const struct info_key *key, const char *value)
{
	uint64_t number = 0;

	if (json && key->number) {
		if ((value && parse_size(value, &number)) || !key->nullable)
			json_number(json, key->name, number);
		else
			json_string(json, key->name, NULL);
	} else if (json) {
		json_string(json, key->name, value);
	} else if (value) {
		printf("%s%s: ", indent, key->name);
		print_safe(stdout, value);
		putchar('\n');
	}
}

static void show_counters(const struct device *dev, unsigned int index,
			  struct json *json)
{
	struct counters counters;
	unsigned int i;

	if (!counters_read(dev, index, &counters))
		return;
	for (i = 0; i < COUNTERS; i++) {
		if (!(counters.have & 1U << i))
			continue;
		if (json)
			json_number(json, counter_info[i].name,
				    counters.value[i]);
		else
			printf("  %s: %" PRIu64 "\n", counter_info[i].name,
			       counters.value[i]);
	}
}

static void show_exits(const struct device *dev, struct json *json)
{
	struct exits exits;
	unsigned int i;

	if (!exits_read(dev, &exits))
		return;
	for (i = 0; i < EXITS; i++) {
		if (json)
			json_number(json, exit_info[i].name, exits.value[i]);
		else
			printf("  %s: %" PRIu64 "\n", exit_info[i].name,
			       exits.value[i]);
	}
}

static void show_disk(struct store *store, const struct device *dev,
		      unsigned int index, bool local, struct json *json)
{
	const struct info_key *key;
	char *value;

	if (json) {
		json_open(json, NULL, '{');
		json_number(json, "index", index);
	} else {
		printf("disk %u\n", index);
	}
	for (key = disk_keys; key->name; key++) {
		value = disk_value(store, dev, index, key->name);
		show_value(json, "  ", key, value);
		free(value);
	}
	if (json)
		json_open(json, "stats", '{');
	if (local)
		show_counters(dev, index, json);
	if (json) {
		json_close(json, '}');
		json_close(json, '}');
	}
}

/* A driver in another domain counts there. */
static void show(struct store *store, const struct device *dev,
		 struct json *json)
{
	bool local = device_is_local(store, dev);
	const struct info_key *key;
	unsigned int *indices, n, i;
	char *value;

	if (json) {
		json_open(json, NULL, '{');
		json_number(json, "domid", dev->domid);
		json_number(json, "devid", dev->devid);
		json_number(json, "backend-id", dev->backend_id);
	} else {
		printf("domain %u device %u\n", dev->domid, dev->devid);
	}
	for (key = controller_keys; key->name; key++) {
		value = controller_value(store, dev, key->name);
		show_value(json, "  ", key, value);
		free(value);
	}
	if (json)
		json_open(json, "stats", '{');
	if (local)
		show_exits(dev, json);
	if (json) {
		json_close(json, '}');
		json_open(json, "disks", '[');
	}
	indices = device_disks(store, dev, &n);
	for (i = 0; i < n; i++)
		show_disk(store, dev, indices[i], local, json);
	free(indices);
	if (json) {
		json_close(json, ']');
		json_close(json, '}');
	}
}

static enum tool_status run(int argc, char **argv)
{
	struct target target = { };
	enum tool_status status;
	int format = 0;
	struct device dev;
	struct store store;
	struct json json;

	if (!parse(&target, &format, argc, argv))
		return TOOL_USAGE;
	if (!store_open(&store))
		return TOOL_FAILED;
	status = target_find(&target, &store, &dev);
	if (status == TOOL_OK) {
		json_init(&json, stdout);
		show(&store, &dev, format ? &json : NULL);
		status = store_settle(&store) ? TOOL_OK : TOOL_FAILED;
	}
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
