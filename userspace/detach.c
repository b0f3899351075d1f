// SPDX-License-Identifier: GPL-2.0
/*
 * xen-ioemu detach: take a controller away from a domain.
 */
#include <getopt.h>
#include <stdlib.h>

#include "controller.h"
#include "domain.h"
#include "info.h"
#include "tool.h"

/**
 * struct detach - one run of the command
 * @backend_id: --backend
 * @timeout: --timeout
 * @force: --force
 * @domain: DOMAIN
 * @domid: its number
 * @devid: DEVID
 * @dev: the device
 */
struct detach {
	unsigned int backend_id;
	unsigned int timeout;
	bool force;
	const char *domain;
	unsigned int domid;
	unsigned int devid;
	struct device dev;
};

static bool parse_one(struct detach *detach, int option, const char *text)
{
	switch (option) {
	case 't':
		return parse_option("--timeout", "a number of seconds", text,
				    1, TOOL_TIMEOUT_MAX, &detach->timeout);
	case 'b':
		return backend_option(text, &detach->backend_id);
	case 'f':
		detach->force = true;
		return true;
	default:
		return false;	/* getopt_long() has complained */
	}
}

static bool parse(struct detach *detach, int argc, char **argv)
{
	static const struct option options[] = {
		{ "timeout",	required_argument, NULL, 't' },
		{ "backend",	required_argument, NULL, 'b' },
		{ "force",	no_argument,	   NULL, 'f' },
		{ }
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (!parse_one(detach, option, optarg))
			return false;
	if (optind + 2 != argc) {
		complain("detach takes DOMAIN and DEVID, %d arguments were given; see xen-ioemu detach --help",
			 argc - optind);
		return false;
	}
	detach->domain = argv[optind];
	return parse_option("DEVID", "a device number", argv[optind + 1], 0,
			    DEVID_MAX, &detach->devid);
}

static enum tool_status find_device(struct detach *detach, struct store *store)
{
	enum tool_status status;

	status = domain_find(store, detach->domain, &detach->domid);
	if (status != TOOL_OK)
		return status;
	return device_find_part(store, detach->backend_id, detach->domid,
				detach->devid, &detach->dev);
}

static enum tool_status run(int argc, char **argv)
{
	struct detach detach = { .timeout = TOOL_TIMEOUT_DEFAULT };
	struct store store;
	enum tool_status status;

	if (!parse(&detach, argc, argv))
		return TOOL_USAGE;
	if (!store_open(&store))
		return TOOL_FAILED;
	status = find_device(&detach, &store);
	if (status == TOOL_OK && !detach.force)
		status = controller_close(&detach.dev, &store,
					  detach.timeout);
	if (status == TOOL_OK)
		status = device_remove(&store, &detach.dev);
	store_close(&store);
	return status;
}

const struct command detach_command = {
	.name = "detach",
	.summary = "take a controller away from a domain",
	.usage =
	"Usage: xen-ioemu detach [OPTIONS] DOMAIN DEVID\n"
	"\n"
	"Takes the controller DEVID away from the domain DOMAIN (number or name), waits\n"
	"until the driver has finished with it, and removes its nodes from xenstore. To\n"
	"the guest this is the loss of a device.\n"
	"\n"
	"  --force         remove the nodes at once, without waiting\n"
	"  --timeout S     seconds to wait for the driver, 1 to 3600; default: 10\n"
	"  --backend N     number of the domain where the driver runs; default: 0\n",
	.run = run,
};
