// SPDX-License-Identifier: GPL-2.0
/*
 * xen-ioemu attach: give a controller to a domain.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "disk.h"
#include "domain.h"
#include "tool.h"

#define SLOT_FIRST	16	/* where the search for a free slot starts */

static const char *const models[] = { "nvme" };

/**
 * struct attach - one run of the command
 * @backend_id: --backend
 * @model: --model
 * @serial: --serial or NULL
 * @have_slot: --slot was given
 * @slot: --slot, later the slot that was found
 * @have_devid: --devid was given
 * @devid: --devid
 * @timeout: --timeout
 * @disks: --disk
 * @nr_disks: how many
 * @domain: DOMAIN
 * @domid: its number
 * @dev: the device, once its nodes are written
 */
struct attach {
	unsigned int backend_id;
	const char *model;
	const char *serial;
	bool have_slot;
	unsigned int slot;
	bool have_devid;
	unsigned int devid;
	unsigned int timeout;
	struct disk disks[DISKS_MAX];
	unsigned int nr_disks;
	const char *domain;
	unsigned int domid;
	struct device dev;
};

static bool parse_model(struct attach *attach, const char *text)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(models); i++) {
		if (!strcmp(text, models[i])) {
			attach->model = models[i];
			return true;
		}
	}
	complain("--model: '%s' is not a model; accepted: nvme", text);
	return false;
}

static bool parse_disk(struct attach *attach, const char *text)
{
	if (attach->nr_disks == DISKS_MAX) {
		complain("--disk: too many; accepted: 1 to %d of them",
			 DISKS_MAX);
		return false;
	}
	if (!disk_parse(&attach->disks[attach->nr_disks], text))
		return false;
	attach->nr_disks++;
	return true;
}

static bool parse_one(struct attach *attach, int option, const char *text)
{
	switch (option) {
	case 'm':
		return parse_model(attach, text);
	case 's':
		attach->have_slot = true;
		return parse_option("--slot", "a PCI device number", text,
				    SLOT_MIN, SLOT_MAX, &attach->slot);
	case 'S':
		attach->serial = text;
		return serial_check("--serial", text);
	case 'i':
		attach->have_devid = true;
		return parse_option("--devid", "a device number", text, 0,
				    DEVID_MAX, &attach->devid);
	case 't':
		return parse_option("--timeout", "a number of seconds", text,
				    1, TOOL_TIMEOUT_MAX, &attach->timeout);
	case 'b':
		return parse_option("--backend", "a domain number", text, 0,
				    DOMID_LAST, &attach->backend_id);
	case 'd':
		return parse_disk(attach, text);
	default:
		return false;	/* getopt_long() has complained */
	}
}

static bool parse(struct attach *attach, int argc, char **argv)
{
	static const struct option options[] = {
		{ "model",	required_argument, NULL, 'm' },
		{ "slot",	required_argument, NULL, 's' },
		{ "serial",	required_argument, NULL, 'S' },
		{ "devid",	required_argument, NULL, 'i' },
		{ "timeout",	required_argument, NULL, 't' },
		{ "backend",	required_argument, NULL, 'b' },
		{ "disk",	required_argument, NULL, 'd' },
		{ }
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (!parse_one(attach, option, optarg))
			return false;
	if (optind + 1 != argc) {
		complain("attach takes one DOMAIN, %d were given; see xen-ioemu attach --help",
			 argc - optind);
		return false;
	}
	attach->domain = argv[optind];
	if (!attach->nr_disks) {
		complain("--disk is missing: a controller has 1 to %d disks",
			 DISKS_MAX);
		return false;
	}
	return true;
}

/* The driver in another domain has its own /dev. */
static bool check_disks(struct attach *attach, struct store *store)
{
	unsigned int own = 0, i;

	store_read_number(store, &own, "domid");
	if (attach->backend_id != own)
		return true;
	for (i = 0; i < attach->nr_disks; i++)
		if (!disk_check(&attach->disks[i]))
			return false;
	return true;
}

static enum tool_status check_domain(struct attach *attach, struct store *store)
{
	enum tool_status status;

	status = domain_find(store, attach->domain, &attach->domid);
	if (status != TOOL_OK)
		return status;
	if (attach->domid == attach->backend_id) {
		complain("domain %u is where the driver runs; it cannot have its own devices",
			 attach->domid);
		return TOOL_USAGE;
	}
	if (!domain_exists(store, attach->domid)) {
		complain("there is no domain %u", attach->domid);
		return TOOL_NOT_FOUND;
	}
	return TOOL_OK;
}

static bool devid_taken(struct store *store, const struct device *dev)
{
	return store_exists(store, "%s", dev->backend) ||
	       store_exists(store, "%s", dev->frontend);
}

static enum tool_status choose_devid(struct attach *attach, struct store *store)
{
	unsigned int devid = attach->devid;

	if (attach->have_devid) {
		device_init(&attach->dev, attach->backend_id, attach->domid,
			    devid);
		if (!devid_taken(store, &attach->dev))
			return TOOL_OK;
		complain("--devid: domain %u has a device %u already; see xen-ioemu list",
			 attach->domid, devid);
		return TOOL_FAILED;
	}
	for (devid = 0; devid <= DEVID_MAX; devid++) {
		device_init(&attach->dev, attach->backend_id, attach->domid,
			    devid);
		if (!devid_taken(store, &attach->dev))
			return TOOL_OK;
	}
	complain("domain %u has no free device number", attach->domid);
	return TOOL_FAILED;
}

/* Bitmap of the slots that this domain's other devices have. */
static unsigned int slots_in_use(struct attach *attach, struct store *store)
{
	unsigned int slots = 0, slot, n, i;
	unsigned int *devids;

	devids = store_list_numbers(store, &n,
				    "/local/domain/%u/backend/" DEVICE_TYPE "/%u",
				    attach->backend_id, attach->domid);
	for (i = 0; i < n; i++)
		if (store_read_number(store, &slot,
				      "/local/domain/%u/backend/" DEVICE_TYPE "/%u/%u/slot",
				      attach->backend_id, attach->domid,
				      devids[i]) &&
		    slot <= SLOT_MAX)
			slots |= 1U << slot;
	free(devids);
	return slots;
}

static enum tool_status choose_slot(struct attach *attach, struct store *store)
{
	unsigned int used = slots_in_use(attach, store);
	unsigned int slot;

	if (attach->have_slot) {
		if (!(used & 1U << attach->slot))
			return TOOL_OK;
		complain("--slot: domain %u has a device in slot %u already; see xen-ioemu list",
			 attach->domid, attach->slot);
		return TOOL_FAILED;
	}
	for (slot = SLOT_FIRST; slot <= SLOT_MAX; slot++) {
		if (!(used & 1U << slot)) {
			attach->slot = slot;
			return TOOL_OK;
		}
	}
	complain("domain %u has no free slot from %d to %d; give one with --slot",
		 attach->domid, SLOT_FIRST, SLOT_MAX);
	return TOOL_FAILED;
}

static bool write_number(struct store *store, unsigned int value,
			 const char *dir, const char *node)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	return store_write(store, text, "%s/%s", dir, node);
}

static bool write_disk(struct store *store, const struct device *dev,
		       unsigned int index, const struct disk *disk)
{
	if (!store_write(store, disk->params, "%s/disk/%u/params", dev->backend,
			 index) ||
	    !store_write(store, disk->mode, "%s/disk/%u/mode", dev->backend,
			 index))
		return false;
	return !disk->serial ||
	       store_write(store, disk->serial, "%s/disk/%u/serial",
			   dev->backend, index);
}

static bool write_backend(struct attach *attach, struct store *store)
{
	const struct device *dev = &attach->dev;
	unsigned int i;

	if (!store_mkdir(store, dev->backend_id, dev->domid, dev->backend) ||
	    !store_write(store, dev->frontend, "%s/frontend", dev->backend) ||
	    !write_number(store, dev->domid, dev->backend, "frontend-id") ||
	    !store_write(store, "1", "%s/online", dev->backend) ||
	    !store_write(store, attach->model, "%s/model", dev->backend) ||
	    !write_number(store, attach->slot, dev->backend, "slot"))
		return false;
	if (attach->serial &&
	    !store_write(store, attach->serial, "%s/serial", dev->backend))
		return false;
	for (i = 0; i < attach->nr_disks; i++)
		if (!write_disk(store, dev, i, &attach->disks[i]))
			return false;
	return write_number(store, DEVICE_INITIALISING, dev->backend, "state");
}

static bool write_frontend(struct attach *attach, struct store *store)
{
	const struct device *dev = &attach->dev;

	return store_mkdir(store, dev->backend_id, dev->domid, dev->frontend) &&
	       store_write(store, dev->backend, "%s/backend", dev->frontend) &&
	       write_number(store, dev->backend_id, dev->frontend,
			    "backend-id") &&
	       write_number(store, DEVICE_INITIALISING, dev->frontend, "state");
}

/* Runs within a transaction, perhaps several times. */
static enum tool_status write_nodes(struct store *store, void *arg)
{
	struct attach *attach = arg;
	enum tool_status status;

	status = choose_devid(attach, store);
	if (status != TOOL_OK)
		return status;
	status = choose_slot(attach, store);
	if (status != TOOL_OK)
		return status;
	/* A message that an earlier device left would be taken for this one's. */
	if (!store_remove(store, attach->dev.error) ||
	    !write_frontend(attach, store) || !write_backend(attach, store))
		return TOOL_FAILED;
	return TOOL_OK;
}

static void report_refusal(struct attach *attach, struct store *store)
{
	char *text = device_error(store, &attach->dev);

	if (text)
		complain("the driver refused the device: %s", text);
	else
		complain("the driver refused the device without saying why; see the kernel's log");
	free(text);
}

static enum tool_status report_timeout(struct attach *attach,
				       struct store *store)
{
	enum device_state state = device_state(store, &attach->dev);

	if (device_failed(store, &attach->dev)) {
		report_refusal(attach, store);
		return TOOL_FAILED;
	}
	if (state == DEVICE_INITIALISING)
		complain("no driver took the device within %u s: is the module loaded in domain %u? (lsmod | grep xen_ioemu; insmod xen-ioemu.ko)",
			 attach->timeout, attach->backend_id);
	else
		complain("the device is not connected after %u s, its state is %s; see the kernel's log",
			 attach->timeout, device_state_name(state));
	return TOOL_TIMEOUT;
}

/*
 * Closed is the last that a driver writes of a device that it refuses: before,
 * it could write nodes anew that are being removed.
 */
static enum tool_status wait_connected(struct attach *attach,
				       struct store *store,
				       struct store_wait *wait)
{
	enum device_state state;
	enum tool_status status;

	for (;;) {
		state = device_state(store, &attach->dev);
		if (state == DEVICE_CONNECTED)
			return TOOL_OK;
		if (state == DEVICE_CLOSED) {
			report_refusal(attach, store);
			return TOOL_FAILED;
		}
		if (!store_exists(store, "%s", attach->dev.backend)) {
			complain("somebody removed the device meanwhile");
			return TOOL_FAILED;
		}
		status = store_wait_next(wait);
		if (status == TOOL_TIMEOUT)
			return report_timeout(attach, store);
		if (status != TOOL_OK)
			return status;
	}
}

static enum tool_status attach_device(struct attach *attach,
				      struct store *store)
{
	struct store_wait wait;
	enum tool_status status;
	char watched[80];

	snprintf(watched, sizeof(watched),
		 "/local/domain/%u/backend/" DEVICE_TYPE "/%u",
		 attach->backend_id, attach->domid);
	if (!store_wait_begin(&wait, store, watched, attach->timeout))
		return TOOL_FAILED;
	status = store_transaction(store, write_nodes, attach);
	if (status == TOOL_OK) {
		status = wait_connected(attach, store, &wait);
		if (status != TOOL_OK)
			device_remove(store, &attach->dev);
	}
	store_wait_end(&wait);
	return status;
}

static enum tool_status run(int argc, char **argv)
{
	struct attach attach = {
		.model = models[0],
		.timeout = TOOL_TIMEOUT_DEFAULT,
	};
	struct store store = { };
	enum tool_status status = TOOL_USAGE;
	unsigned int i;

	if (!parse(&attach, argc, argv))
		goto out;
	status = TOOL_FAILED;
	if (!store_open(&store))
		goto out;
	status = check_domain(&attach, &store);
	if (status != TOOL_OK)
		goto out;
	status = TOOL_USAGE;
	if (!check_disks(&attach, &store))
		goto out;
	status = attach_device(&attach, &store);
	if (status == TOOL_OK)
		printf("domain %u: device %u in slot %u\n", attach.domid,
		       attach.dev.devid, attach.slot);
out:
	store_close(&store);
	for (i = 0; i < attach.nr_disks; i++)
		disk_free(&attach.disks[i]);
	return status;
}

const struct command attach_command = {
	.name = "attach",
	.summary = "give a controller to a domain",
	.usage =
	"Usage: xen-ioemu attach [OPTIONS] DOMAIN --disk DISK [--disk DISK]...\n"
	"\n"
	"Gives a controller to the HVM domain DOMAIN (number or name) and waits until the\n"
	"driver serves it. The domain should not have been unpaused yet: firmware and\n"
	"guest look for PCI devices when they start.\n"
	"\n"
	"  --disk DISK     params=PATH[,mode=r|w][,serial=TEXT]; 1 to 16 times\n"
	"                    params  absolute path of a block device\n"
	"                    mode    r (read only) or w (read and write; default)\n"
	"                    serial  1 to 20 printable ASCII characters\n"
	"                  A comma within a value is written twice.\n"
	"  --model MODEL   kind of controller: nvme (default)\n"
	"  --slot N        PCI device number on bus 0, 3 to 31; default: the first from\n"
	"                  16 upwards that no other ioemu device of DOMAIN has\n"
	"  --serial TEXT   serial number of the controller, 1 to 20 printable ASCII\n"
	"                  characters; default: the driver's choice\n"
	"  --devid N       number of the device, 0 to 65535; default: the first free one\n"
	"  --timeout S     seconds to wait for the driver, 1 to 3600; default: 10\n"
	"  --backend N     number of the domain where the driver runs; default: 0\n",
	.run = run,
};
