// SPDX-License-Identifier: GPL-2.0
/*
 * xen-ioemu attach: give a controller to a domain.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "controller.h"
#include "domain.h"
#include "tool.h"

/**
 * struct attach - one run of the command
 * @timeout: --timeout
 * @domain: DOMAIN
 * @ctrl: all other options
 */
struct attach {
	unsigned int timeout;
	const char *domain;
	struct controller ctrl;
};

static bool parse_one(struct attach *attach, int option, const char *text)
{
	switch (option) {
	case 'm':
		attach->ctrl.model = controller_model("--model", text);
		return attach->ctrl.model;
	case 's':
		attach->ctrl.have_slot = true;
		return parse_option("--slot", "a PCI device number", text,
				    SLOT_MIN, SLOT_MAX, &attach->ctrl.slot);
	case 'S':
		attach->ctrl.serial = text;
		return serial_check("--serial", text);
	case 'i':
		attach->ctrl.have_devid = true;
		return parse_option("--devid", "a device number", text, 0,
				    DEVID_MAX, &attach->ctrl.devid);
	case 't':
		return parse_option("--timeout", "a number of seconds", text,
				    1, TOOL_TIMEOUT_MAX, &attach->timeout);
	case 'b':
		return backend_option(text, &attach->ctrl.backend_id);
	case 'd':
		return controller_add_disk(&attach->ctrl, "--disk", text);
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
	if (!attach->ctrl.nr_disks) {
		complain("--disk is missing: a controller has 1 to %d disks",
			 DISKS_MAX);
		return false;
	}
	return true;
}

static enum tool_status run(int argc, char **argv)
{
	struct attach attach = { .timeout = TOOL_TIMEOUT_DEFAULT };
	struct controller *ctrl = &attach.ctrl;
	struct store store = { };
	enum tool_status status = TOOL_USAGE;
	unsigned int i;

	ctrl->model = controller_model("--model", "nvme");
	if (!parse(&attach, argc, argv))
		goto out;
	status = TOOL_FAILED;
	if (!store_open(&store))
		goto out;
	status = domain_find(&store, attach.domain, &ctrl->domid);
	if (status == TOOL_OK)
		status = controller_check_domain(ctrl, &store);
	if (status == TOOL_OK)
		status = controller_prepare(ctrl, &store, 0);
	if (status == TOOL_OK)
		status = controller_attach(ctrl, &store, attach.timeout);
	if (status == TOOL_OK)
		printf("domain %u: device %u in slot %u\n", ctrl->domid,
		       ctrl->dev.devid, ctrl->slot);
out:
	store_close(&store);
	for (i = 0; i < ctrl->nr_disks; i++)
		disk_free(&ctrl->disks[i]);
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
	"  --disk DISK     params=PATH[,KEY=VALUE]...; 1 to 16 times\n"
	"                    params  absolute path of a block device or file\n"
	"                    mode    r (read only) or w (read and write; default)\n"
	"                    format  raw, for a raw file that looks like another format\n"
	"                    serial  1 to 20 printable ASCII characters\n"
	"                    iops-limit  I/Os per second; default: no limit\n"
	"                    bw-limit    bytes per second; k, M and G are understood\n"
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
