// SPDX-License-Identifier: GPL-2.0
/*
 * xen-ioemu list: show the controllers of domains.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "disk.h"
#include "domain.h"
#include "info.h"
#include "json.h"
#include "target.h"
#include "tool.h"

/**
 * struct list - one run of the command
 * @backend_id: --backend
 * @as_json: --json
 * @domain: DOMAIN or NULL for all
 * @domid: its number
 * @json: the output with --json
 */
struct list {
	unsigned int backend_id;
	bool as_json;
	const char *domain;
	unsigned int domid;
	struct json json;
};

/**
 * struct entry - what is shown of a device
 * @dev: device
 * @name: the domain's name or NULL
 * @model: kind of controller or NULL
 * @slot: PCI device number as text or NULL
 * @serial: the controller's serial number or NULL
 * @error: the driver's message or NULL
 * @state: the driver's state
 */
struct entry {
	struct device dev;
	char *name;
	char *model;
	char *slot;
	char *serial;
	char *error;
	enum device_state state;
};

static bool parse(struct list *list, int argc, char **argv)
{
	static const struct option options[] = {
		{ "json",	no_argument,	   NULL, 'j' },
		{ "backend",	required_argument, NULL, 'b' },
		{ }
	};
	int format = 0;

	if (!reader_options(options, argc, argv, &format, &list->backend_id))
		return false;
	list->as_json = format;
	if (optind + 1 < argc) {
		complain("list takes one DOMAIN at the most, %d were given; see xen-ioemu list --help",
			 argc - optind);
		return false;
	}
	list->domain = optind < argc ? argv[optind] : NULL;
	return true;
}

static void json_disk(struct json *json, unsigned int index,
		      const struct disk *disk, const char *file)
{
	json_open(json, NULL, '{');
	json_number(json, "index", index);
	json_string(json, "params", disk->params);
	json_string(json, "file", file);
	json_string(json, "mode", disk->mode);
	json_string(json, "serial", disk->serial);
	json_close(json, '}');
}

static void text_disk(unsigned int index, const struct disk *disk,
		      const char *file)
{
	printf("      disk %u: ", index);
	print_safe(stdout, disk->params ? disk->params : "-");
	if (file) {
		fputs(" (", stdout);
		print_safe(stdout, file);
		putchar(')');
	}
	fputs(" mode ", stdout);
	print_safe(stdout, disk->mode ? disk->mode : "-");
	if (disk->serial) {
		fputs(" serial ", stdout);
		print_safe(stdout, disk->serial);
	}
	putchar('\n');
}

static void show_disks(struct list *list, struct store *store,
		       const struct device *dev)
{
	struct disk disk;
	unsigned int *indices;
	unsigned int n, i;
	char *file;

	indices = device_disks(store, dev, &n);
	for (i = 0; i < n; i++) {
		disk_read(store, dev, indices[i], &disk);
		file = disk_value(store, dev, indices[i], "file");
		if (list->as_json)
			json_disk(&list->json, indices[i], &disk, file);
		else
			text_disk(indices[i], &disk, file);
		free(file);
		disk_free(&disk);
	}
	free(indices);
}

static void json_entry(struct list *list, struct store *store,
		       const struct entry *entry)
{
	struct json *json = &list->json;
	unsigned int slot;

	json_open(json, NULL, '{');
	json_number(json, "domid", entry->dev.domid);
	json_string(json, "name", entry->name);
	json_number(json, "devid", entry->dev.devid);
	json_number(json, "backend-id", entry->dev.backend_id);
	json_string(json, "model", entry->model);
	if (entry->slot && parse_number(entry->slot, 0, SLOT_MAX, &slot))
		json_number(json, "slot", slot);
	else
		json_string(json, "slot", NULL);
	json_string(json, "serial", entry->serial);
	json_string(json, "state", device_state_name(entry->state));
	json_open(json, "disks", '[');
	show_disks(list, store, &entry->dev);
	json_close(json, ']');
	json_string(json, "error", entry->error);
	json_close(json, '}');
}

/* Prints @text and fills up to @width columns. */
static void column(const char *text, size_t width)
{
	size_t n;

	if (!text)
		text = "-";
	print_safe(stdout, text);
	for (n = strlen(text); n < width; n++)
		putchar(' ');
}

static void text_entry(struct list *list, struct store *store,
		       const struct entry *entry)
{
	printf("%5u ", entry->dev.domid);
	column(entry->name, 20);
	printf(" %5u ", entry->dev.devid);
	column(entry->model, 8);
	putchar(' ');
	column(entry->slot, 4);
	printf(" %s", device_state_name(entry->state));
	if (entry->serial) {
		fputs(" serial ", stdout);
		print_safe(stdout, entry->serial);
	}
	putchar('\n');
	show_disks(list, store, &entry->dev);
	if (entry->error) {
		fputs("      error: ", stdout);
		print_safe(stdout, entry->error);
		putchar('\n');
	}
}

static void show_device(struct list *list, struct store *store,
			unsigned int domid, unsigned int devid)
{
	struct entry entry;

	device_init(&entry.dev, list->backend_id, domid, devid);
	entry.name = controller_value(store, &entry.dev, "name");
	entry.model = controller_value(store, &entry.dev, "model");
	entry.slot = controller_value(store, &entry.dev, "slot");
	entry.serial = controller_value(store, &entry.dev, "serial");
	entry.error = controller_value(store, &entry.dev, "error");
	entry.state = device_state(store, &entry.dev);

	if (list->as_json)
		json_entry(list, store, &entry);
	else
		text_entry(list, store, &entry);

	free(entry.name);
	free(entry.model);
	free(entry.slot);
	free(entry.serial);
	free(entry.error);
}

static void show_domain(struct list *list, struct store *store,
			unsigned int domid)
{
	unsigned int *devids;
	unsigned int n, i;

	devids = device_ids(store, list->backend_id, domid, &n);
	for (i = 0; i < n; i++)
		show_device(list, store, domid, devids[i]);
	free(devids);
}

static void show_domains(struct list *list, struct store *store)
{
	unsigned int *domids;
	unsigned int n, i;

	domids = device_domains(store, list->backend_id, &n);
	for (i = 0; i < n; i++)
		show_domain(list, store, domids[i]);
	free(domids);
}

static void show(struct list *list, struct store *store)
{
	if (list->as_json) {
		json_init(&list->json, stdout);
		json_open(&list->json, NULL, '[');
	} else {
		puts("DOMID NAME                 DEVID MODEL    SLOT STATE");
	}
	if (list->domain)
		show_domain(list, store, list->domid);
	else
		show_domains(list, store);
	if (list->as_json)
		json_close(&list->json, ']');
}

static enum tool_status run(int argc, char **argv)
{
	struct list list = { };
	struct store store;
	enum tool_status status = TOOL_OK;

	if (!parse(&list, argc, argv))
		return TOOL_USAGE;
	if (!store_open(&store))
		return TOOL_FAILED;
	if (list.domain)
		status = domain_find(&store, list.domain, &list.domid);
	if (status == TOOL_OK && list.domain)
		status = domain_look_at(&store, list.backend_id, list.domid);
	if (status == TOOL_OK) {
		show(&list, &store);
		status = store_settle(&store) ? TOOL_OK : TOOL_FAILED;
	}
	store_close(&store);
	return status;
}

const struct command list_command = {
	.name = "list",
	.summary = "show the controllers of domains",
	.usage =
	"Usage: xen-ioemu list [OPTIONS] [DOMAIN]\n"
	"\n"
	"Shows the controllers of all domains, or of the domain DOMAIN (number or name),\n"
	"with their disks and, where there is one, the driver's error message.\n"
	"\n"
	"  --json          print a JSON array of objects\n"
	"  --backend N     number of the domain where the driver runs; default: 0\n",
	.run = run,
};
