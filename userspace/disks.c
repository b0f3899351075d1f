// SPDX-License-Identifier: GPL-2.0
/*
 * xen-ioemu attach-disk, detach-disk: disks of a controller that runs.
 */
#include <getopt.h>
#include <stdlib.h>

#include "domain.h"
#include "hotplug.h"
#include "target.h"

/**
 * struct disks - one run of either command
 * @target: where
 * @timeout: --timeout
 * @have_index: --index was given
 * @index: --index, later that of the disk
 * @have_disk: --disk was given
 * @disk: --disk
 */
struct disks {
	struct target target;
	unsigned int timeout;
	bool have_index;
	unsigned int index;
	bool have_disk;
	struct disk disk;
};

static bool parse_one(struct disks *disks, int option)
{
	switch (option) {
	case 'd':
		if (disks->have_disk) {
			complain("--disk is given twice; accepted: one disk at a time");
			return false;
		}
		disks->have_disk = disk_parse("--disk", &disks->disk, optarg);
		return disks->have_disk;
	case 'i':
		disks->have_index = true;
		return parse_option("--index", "a disk number", optarg, 0,
				    DISKS_MAX - 1, &disks->index);
	case 't':
		return parse_option("--timeout", "a number of seconds", optarg,
				    1, TOOL_TIMEOUT_MAX, &disks->timeout);
	case 'b':
		return backend_option(optarg, &disks->target.backend_id);
	default:
		return false;	/* getopt_long() has complained */
	}
}

static bool parse(struct disks *disks, const struct option *options, int argc,
		  char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (!parse_one(disks, option))
			return false;
	return true;
}

static bool parse_attach(struct disks *disks, int argc, char **argv)
{
	static const struct option options[] = {
		{ "disk",	required_argument, NULL, 'd' },
		{ "index",	required_argument, NULL, 'i' },
		{ "timeout",	required_argument, NULL, 't' },
		{ "backend",	required_argument, NULL, 'b' },
		{ }
	};

	if (!parse(disks, options, argc, argv) ||
	    !target_parse(&disks->target, "attach-disk", argc, argv, 2, 2))
		return false;
	if (!disks->have_disk)
		complain("--disk is missing: which disk is to be added?");
	return disks->have_disk;
}

static enum tool_status run_attach(int argc, char **argv)
{
	struct disks disks = { .timeout = TOOL_TIMEOUT_DEFAULT };
	struct store store = { };
	enum tool_status status = TOOL_USAGE;
	struct device dev;

	if (!parse_attach(&disks, argc, argv))
		goto out;
	status = TOOL_FAILED;
	if (!store_open(&store))
		goto out;
	status = target_find(&disks.target, &store, &dev);
	if (status == TOOL_OK)
		status = hotplug_add(&store, &dev, &disks.disk,
				     disks.have_index, &disks.index,
				     disks.timeout);
	if (status == TOOL_OK)
		printf("domain %u: device %u has disk %u\n", dev.domid,
		       dev.devid, disks.index);
out:
	store_close(&store);
	disk_free(&disks.disk);
	return status;
}

static enum tool_status run_detach(int argc, char **argv)
{
	static const struct option options[] = {
		{ "timeout",	required_argument, NULL, 't' },
		{ "backend",	required_argument, NULL, 'b' },
		{ }
	};
	struct disks disks = { .timeout = TOOL_TIMEOUT_DEFAULT };
	enum tool_status status;
	struct device dev;
	struct store store;

	if (!parse(&disks, options, argc, argv) ||
	    !target_parse(&disks.target, "detach-disk", argc, argv, 3, 3))
		return TOOL_USAGE;
	if (!store_open(&store))
		return TOOL_FAILED;
	/* The disk may have lost its nodes and still be there. */
	disks.target.have_disk = false;
	status = target_find(&disks.target, &store, &dev);
	if (status == TOOL_OK)
		status = hotplug_remove(&store, &dev, disks.target.disk,
					disks.timeout);
	store_close(&store);
	return status;
}

const struct command attach_disk_command = {
	.name = "attach-disk",
	.summary = "add a disk to a controller that runs",
	.usage =
	"Usage: xen-ioemu attach-disk [OPTIONS] DOMAIN DEVID --disk DISK\n"
	"\n"
	"Adds a disk to the controller DEVID of DOMAIN and waits until the driver serves\n"
	"it. The guest is told. After a reboot it has the disks of its configuration.\n"
	"\n"
	"  --disk DISK     params=PATH[,KEY=VALUE]...; see xen-ioemu attach --help\n"
	"  --index N       number of the disk, 0 to 15; default: the first free one\n"
	"  --timeout S     seconds to wait for the driver, 1 to 3600; default: 10\n"
	"  --backend N     number of the domain where the driver runs; default: 0\n",
	.run = run_attach,
};

const struct command detach_disk_command = {
	.name = "detach-disk",
	.summary = "remove a disk from a controller that runs",
	.usage =
	"Usage: xen-ioemu detach-disk [OPTIONS] DOMAIN DEVID DISK\n"
	"\n"
	"Removes the disk DISK of the controller DEVID of DOMAIN, and waits until the\n"
	"driver has let go of it. The guest is told; what it has not written is lost. A\n"
	"controller keeps at least one disk. After a time-out (exit status 4), the same\n"
	"command waits on.\n"
	"\n"
	"  --timeout S     seconds to wait for the driver, 1 to 3600; default: 10\n"
	"  --backend N     number of the domain where the driver runs; default: 0\n",
	.run = run_detach,
};
