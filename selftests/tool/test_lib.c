// SPDX-License-Identifier: GPL-2.0
/*
 * libxenioemu: what a toolstack does with it.
 */
#include <string.h>

#include "../../userspace/xenioemu.h"
#include "harness.h"

static const char *const two_disks[] = {
	"params=/dev/fake0,serial=A", "params=/dev/fake1,mode=r", NULL
};

static void controllers(struct xenioemu *handle)
{
	static const char *const bad[] = { "params=/dev/fake0,size=1", NULL };
	static const char *const none[] = { NULL };
	unsigned int domid, devid = 77;

	ok(!xenioemu_find_domain(handle, "guest", &domid) && domid == 3,
	   "a domain by its name");
	ok(xenioemu_find_domain(handle, "nobody", &domid) ==
	   XENIOEMU_NOT_FOUND &&
	   strstr(xenioemu_error(handle), "no domain 'nobody'"),
	   "no such domain");
	ok(!xenioemu_attach(handle, 3, "slot=9,serial=C", two_disks, 1,
			    &devid) && !devid && !*xenioemu_error(handle),
	   "attach");
	same(fake_xs_get(BACKEND "/slot"), "9", "its slot");
	same(fake_xs_get(BACKEND "/disk/1/mode"), "r", "its second disk");
	ok(xenioemu_attach(handle, 3, "colour=red", two_disks, 1, &devid) ==
	   XENIOEMU_INVALID &&
	   strstr(xenioemu_error(handle), "unknown key 'colour'"),
	   "unknown key of a controller");
	ok(xenioemu_attach(handle, 3, NULL, bad, 1, &devid) ==
	   XENIOEMU_INVALID, "unknown key of a disk");
	ok(xenioemu_attach(handle, 3, NULL, none, 1, &devid) ==
	   XENIOEMU_INVALID, "no disk");
	ok(xenioemu_attach(handle, 9, NULL, two_disks, 1, &devid) ==
	   XENIOEMU_NOT_FOUND, "no domain");
}

static void disks(struct xenioemu *handle)
{
	unsigned int index;
	uint64_t value;

	ok(!xenioemu_limit(handle, 3, 0, 0, 100, XENIOEMU_KEEP), "limit");
	same(fake_xs_get(BACKEND "/disk/0/iops-limit"), "100", "the limit");
	ok(!fake_xs_get(BACKEND "/disk/0/bw-limit"), "the other one is kept");
	ok(xenioemu_limit(handle, 3, 0, 5, 1, 1) == XENIOEMU_NOT_FOUND,
	   "no such disk");
	ok(xenioemu_attach_disk(handle, 3, 0, "params=/dev/fake2", 1,
				&index) == XENIOEMU_TIMEOUT,
	   "a driver that does not answer");
	ok(!xenioemu_detach_disk(handle, 3, 0, 1, 1), "a disk is removed");
	ok(xenioemu_counter(handle, 3, 0, 0, "colour", &value) != XENIOEMU_OK,
	   "no such counter");
}

void test_lib(void)
{
	struct xenioemu *handle;

	fresh_store();
	fake_xs.on_change = driver_connects;
	handle = xenioemu_open();
	if (!ok(handle != NULL, "the library opens xenstore"))
		return;
	controllers(handle);
	disks(handle);
	fake_xs.on_change = driver_closes;
	ok(!xenioemu_detach(handle, 3, 0, 0, 1), "detach");
	ok(xenioemu_detach(handle, 3, 0, 0, 1) == XENIOEMU_NOT_FOUND,
	   "nothing is left to detach");
	xenioemu_close(handle);
	ok(!fake_xs_open_ends(), "nothing stays open");

	fake_xs.refuse_open = true;
	ok(!xenioemu_open(), "no xenstore, no handle");
}
