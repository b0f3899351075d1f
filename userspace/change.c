// SPDX-License-Identifier: GPL-2.0
/*
 * xen-ioemu limit, resize: change a disk while its guest runs.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>

#include "domain.h"
#include "hotplug.h"
#include "json.h"
#include "target.h"

/**
 * struct change - one run of either command
 * @target: which disk
 * @iops: --iops
 * @bw: --bw
 * @have_iops: --iops was given
 * @have_bw: --bw was given
 * @shrink: --shrink
 * @as_json: --json
 */
struct change {
	struct target target;
	uint64_t iops;
	uint64_t bw;
	bool have_iops;
	bool have_bw;
	bool shrink;
	bool as_json;
};

static bool parse_amount(const char *option, const char *text, uint64_t *value)
{
	if (parse_size(text, value))
		return true;
	complain("%s: '%s'; accepted: a number, also with k, M or G (1024 each)",
		 option, text);
	return false;
}

static bool parse_one(struct change *change, int option)
{
	switch (option) {
	case 'i':
		change->have_iops = true;
		return parse_amount("--iops", optarg, &change->iops);
	case 'w':
		change->have_bw = true;
		return parse_amount("--bw", optarg, &change->bw);
	case 's':
		change->shrink = true;
		return true;
	case 'j':
		change->as_json = true;
		return true;
	case 'b':
		return backend_option(optarg, &change->target.backend_id);
	default:
		return false;	/* getopt_long() has complained */
	}
}

static bool parse(struct change *change, const struct option *options,
		  int argc, char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (!parse_one(change, option))
			return false;
	return true;
}

static enum tool_status show_limits(struct change *change, struct store *store,
				    const struct device *dev)
{
	enum tool_status status;
	struct json json;
	uint64_t iops, bw;

	status = hotplug_limits(store, dev, change->target.disk, &iops, &bw);
	if (status != TOOL_OK)
		return status;
	if (!change->as_json) {
		printf("iops-limit %" PRIu64 "\nbw-limit %" PRIu64 "\n", iops,
		       bw);
		return TOOL_OK;
	}
	json_init(&json, stdout);
	json_open(&json, NULL, '{');
	json_number(&json, "iops-limit", iops);
	json_number(&json, "bw-limit", bw);
	json_close(&json, '}');
	return TOOL_OK;
}

static enum tool_status limit(struct change *change, struct store *store,
			      const struct device *dev)
{
	if (!change->have_iops && !change->have_bw)
		return show_limits(change, store, dev);
	return hotplug_limit(store, dev, change->target.disk,
			     change->have_iops ? &change->iops : NULL,
			     change->have_bw ? &change->bw : NULL);
}

static enum tool_status run_limit(int argc, char **argv)
{
	static const struct option options[] = {
		{ "iops",	required_argument, NULL, 'i' },
		{ "bw",		required_argument, NULL, 'w' },
		{ "json",	no_argument,	   NULL, 'j' },
		{ "backend",	required_argument, NULL, 'b' },
		{ }
	};
	struct change change = { };
	enum tool_status status;
	struct device dev;
	struct store store;

	if (!parse(&change, options, argc, argv) ||
	    !target_parse(&change.target, "limit", argc, argv, 3, 3))
		return TOOL_USAGE;
	if (!store_open(&store))
		return TOOL_FAILED;
	status = target_find(&change.target, &store, &dev);
	if (status == TOOL_OK)
		status = limit(&change, &store, &dev);
	store_close(&store);
	return status;
}

/* SIZE comes after DISK: it is taken off before the rest is looked at. */
static bool parse_resize(struct change *change, int *argc, char **argv,
			 bool *have_size, uint64_t *size)
{
	static const struct option options[] = {
		{ "shrink",	no_argument,	   NULL, 's' },
		{ "backend",	required_argument, NULL, 'b' },
		{ }
	};

	if (!parse(change, options, *argc, argv))
		return false;
	if (*argc - optind == 4) {
		*have_size = true;
		if (!parse_amount("SIZE", argv[--*argc], size))
			return false;
	}
	return target_parse(&change->target, "resize", *argc, argv, 3, 3);
}

static enum tool_status run_resize(int argc, char **argv)
{
	struct change change = { };
	bool have_size = false;
	enum tool_status status;
	uint64_t size, bytes;
	struct device dev;
	struct store store;

	if (!parse_resize(&change, &argc, argv, &have_size, &size))
		return TOOL_USAGE;
	if (!store_open(&store))
		return TOOL_FAILED;
	status = target_find(&change.target, &store, &dev);
	if (status == TOOL_OK)
		status = hotplug_resize(&store, &dev, change.target.disk,
					have_size ? &size : NULL,
					change.shrink, &bytes);
	if (status == TOOL_OK)
		printf("domain %u: device %u disk %u has %" PRIu64 " bytes\n",
		       dev.domid, dev.devid, change.target.disk, bytes);
	store_close(&store);
	return status;
}

const struct command limit_command = {
	.name = "limit",
	.summary = "limit the rate of a disk",
	.usage =
	"Usage: xen-ioemu limit [OPTIONS] DOMAIN DEVID DISK\n"
	"\n"
	"Limits what the guest can do with a disk, at once, until it is changed again or\n"
	"the domain ends or reboots. Without --iops and --bw, shows the limits.\n"
	"\n"
	"  --iops N        I/Os per second; 0: no limit\n"
	"  --bw BYTES      bytes per second, also with k, M or G; 0: no limit\n"
	"  --json          print the limits as a JSON object\n"
	"  --backend N     number of the domain where the driver runs; default: 0\n",
	.run = run_limit,
};

const struct command resize_command = {
	.name = "resize",
	.summary = "let a disk have another size",
	.usage =
	"Usage: xen-ioemu resize [OPTIONS] DOMAIN DEVID DISK [SIZE]\n"
	"\n"
	"Gives the file behind a disk the size SIZE (bytes, also with k, M or G), and has\n"
	"its loop device take it over. Without SIZE, takes over the size that the file\n"
	"has. Other devices are resized with their own tools. The guest is told within\n"
	"some seconds.\n"
	"\n"
	"  --shrink        allow a smaller size: what lies beyond is lost\n"
	"  --backend N     number of the domain where the driver runs; default: 0\n",
	.run = run_resize,
};
