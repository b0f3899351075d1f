// SPDX-License-Identifier: GPL-2.0
/*
 * What a command is about: [DOMAIN [DEVID [DISK]]].
 */
#include <getopt.h>
#include <stdlib.h>

#include "disk.h"
#include "domain.h"
#include "info.h"
#include "target.h"

static const char *option_name(const struct option *options, int value)
{
	while (options->val != value)
		options++;
	return options->name;
}

bool reader_options(const struct option *options, int argc, char **argv,
		    int *format, unsigned int *backend_id)
{
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == '?')
			return false;	/* getopt_long() has complained */
		if (option == 'b') {
			if (!backend_option(optarg, backend_id))
				return false;
			continue;
		}
		if (*format && *format != option) {
			complain("--%s and --%s: one of them at a time",
				 option_name(options, *format),
				 option_name(options, option));
			return false;
		}
		*format = option;
	}
	return true;
}

bool target_parse(struct target *target, const char *command, int argc,
		  char **argv, int min, int max)
{
	static const char *const words[] = { "DOMAIN", "DEVID", "DISK" };
	int n = argc - optind;

	if (n < min) {
		complain("%s: %s is missing; see xen-ioemu %s --help", command,
			 words[n], command);
		return false;
	}
	if (n > max) {
		complain("%s: '%s' is one argument too many; see xen-ioemu %s --help",
			 command, argv[optind + max], command);
		return false;
	}
	argv += optind;
	if (n > 0)
		target->domain = argv[0];
	target->have_devid = n > 1;
	target->have_disk = n > 2;
	return (n < 2 || parse_option("DEVID", "a device number", argv[1], 0,
				      DEVID_MAX, &target->devid)) &&
	       (n < 3 || parse_option("DISK", "a disk number", argv[2], 0,
				      DISKS_MAX - 1, &target->disk));
}

enum tool_status target_find(struct target *target, struct store *store,
			     struct device *dev)
{
	enum tool_status status;

	if (!target->domain)
		return TOOL_OK;
	status = domain_find(store, target->domain, &target->domid);
	if (status != TOOL_OK)
		return status;
	if (!target->have_devid)
		return domain_look_at(store, target->backend_id, target->domid);
	return device_find(store, target->backend_id, target->domid,
			   target->devid,
			   target->have_disk ? &target->disk : NULL, dev);
}

enum tool_status target_known(const struct target *target, struct store *store)
{
	if (!target->domain)
		return TOOL_OK;
	return domain_known(store, target->backend_id, target->domid);
}

/* A list that grows. */
struct finder {
	const struct target *target;
	struct store *store;
	struct found_disk *disks;
	unsigned int n;
};

static void add_disk(struct finder *finder, const struct device *dev,
		     unsigned int index)
{
	struct found_disk *disks;
	unsigned int i;

	disks = xcalloc(finder->n + 1, sizeof(*disks));
	for (i = 0; i < finder->n; i++)
		disks[i] = finder->disks[i];
	disks[i].dev = *dev;
	disks[i].name = domain_name(finder->store, dev->domid);
	disks[i].index = index;
	disks[i].local = device_is_local(finder->store, dev);
	free(finder->disks);
	finder->disks = disks;
	finder->n++;
}

static void find_in_device(struct finder *finder, unsigned int domid,
			   unsigned int devid)
{
	const struct target *target = finder->target;
	unsigned int *numbers, n, i;
	struct device dev;

	device_init(&dev, target->backend_id, domid, devid);
	numbers = device_disks(finder->store, &dev, &n);
	for (i = 0; i < n; i++)
		if (!target->have_disk || numbers[i] == target->disk)
			add_disk(finder, &dev, numbers[i]);
	free(numbers);
}

static void find_in_domain(struct finder *finder, unsigned int domid)
{
	const struct target *target = finder->target;
	unsigned int *numbers, n, i;

	numbers = device_ids(finder->store, target->backend_id, domid, &n);
	for (i = 0; i < n; i++)
		if (!target->have_devid || numbers[i] == target->devid)
			find_in_device(finder, domid, numbers[i]);
	free(numbers);
}

struct found_disk *target_disks(const struct target *target,
				struct store *store, unsigned int *n)
{
	struct finder finder = { .target = target, .store = store };
	unsigned int *numbers, count, i;

	if (target->domain) {
		find_in_domain(&finder, target->domid);
	} else {
		numbers = device_domains(store, target->backend_id, &count);
		for (i = 0; i < count; i++)
			find_in_domain(&finder, numbers[i]);
		free(numbers);
	}
	*n = finder.n;
	return finder.disks;
}

void free_disks(struct found_disk *disks, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		free(disks[i].name);
	free(disks);
}
