// SPDX-License-Identifier: GPL-2.0
/*
 * What a toolstack does with libxenioemu: a controller for a domain, one disk more, a
 * look at the driver's counters, and all away again.
 *
 *   library DOMAIN PARAMS PARAMS: prints the reads of disk 0 of the domain's controller 0
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../userspace/xenioemu.h"

#define TIMEOUT	60

static struct xenioemu *handle;

static void expect(int status, int wanted, const char *what)
{
	if (status == wanted)
		return;
	fprintf(stderr, "%s: status %d, not %d: %s\n", what, status, wanted,
		handle ? xenioemu_error(handle) : "no handle");
	exit(1);
}

int main(int argc, char **argv)
{
	const char *disks[] = { argc == 4 ? argv[2] : NULL, NULL };
	unsigned int domid, devid, index;
	uint64_t reads, none;

	if (argc != 4)
		return 2;
	handle = xenioemu_open();
	expect(!handle, 0, "open");
	expect(xenioemu_find_domain(handle, argv[1], &domid), XENIOEMU_OK, "find");
	expect(xenioemu_counter(handle, domid, 0, 0, "reads", &reads), XENIOEMU_OK, "reads");
	expect(xenioemu_attach(handle, domid, "serial=LIBRARY", disks, TIMEOUT, &devid),
	       XENIOEMU_OK, "attach");
	expect(xenioemu_attach_disk(handle, domid, devid, argv[3], TIMEOUT, &index),
	       XENIOEMU_OK, "attach a disk");
	expect(xenioemu_counter(handle, domid, devid, index, "reads", &none), XENIOEMU_OK,
	       "reads of that disk");
	expect(none != 0 || index != 1 || devid != 1, 0, "a second disk of a second controller");
	expect(xenioemu_detach(handle, domid, devid, 0, TIMEOUT), XENIOEMU_OK, "detach");
	expect(xenioemu_detach(handle, domid, devid, 0, TIMEOUT), XENIOEMU_NOT_FOUND,
	       "detach again");
	xenioemu_close(handle);
	printf("%" PRIu64 "\n", reads);
	return 0;
}
