// SPDX-License-Identifier: GPL-2.0
/*
 * libxenioemu: what a toolstack does with it.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "../../userspace/host.h"
#include "../../userspace/xenioemu.h"
#include "fake_mem.h"
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

#define SYSFS_DISK	"/sys/bus/xen-backend/devices/ioemu-3-0/disk1"

static char in_use[256];

static void let_go(int sig)
{
	(void)sig;
	unlink(in_use);
}

/* As many looks as an unsigned int cannot count. */
static void long_timeout(struct xenioemu *handle)
{
	struct itimerval timer = { .it_value.tv_usec = 400000 };

	fake_file(SYSFS_DISK, "");
	snprintf(in_use, sizeof(in_use), "%s%s", host_root, SYSFS_DISK);
	signal(SIGALRM, let_go);
	setitimer(ITIMER_REAL, &timer, NULL);
	ok(!xenioemu_detach_disk(handle, 3, 0, 1, UINT32_MAX / 20 + 1),
	   "a disk is waited for as long as is said");
	setitimer(ITIMER_REAL, &(struct itimerval){ }, NULL);
	unlink(in_use);
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
	long_timeout(handle);
	ok(xenioemu_counter(handle, 3, 0, 0, "colour", &value) != XENIOEMU_OK,
	   "no such counter");
}

static void takes_disk_5(void)
{
	driver_connects();
	if (fake_xs_get(BACKEND "/disk/5/params"))
		fake_xs_set(BACKEND "/disk/5/hotplug-status", "connected");
}

static void numbered(struct xenioemu *handle)
{
	fake_xs.on_change = takes_disk_5;
	ok(!xenioemu_attach_disk_at(handle, 3, 0, 5, "params=/dev/fake3", 1),
	   "a disk of a certain number");
	same(fake_xs_get(BACKEND "/disk/5/params"), "/dev/fake3", "its node");
	ok(xenioemu_attach_disk_at(handle, 3, 0, 5, "params=/dev/fake2", 1) ==
	   XENIOEMU_FAILED && strstr(xenioemu_error(handle), "a disk 5 already"),
	   "one that is there");
	ok(xenioemu_attach_disk_at(handle, 3, 0, 16, "params=/dev/fake2", 1) ==
	   XENIOEMU_INVALID, "a number that no disk can have");
	fake_xs.on_change = driver_connects;
}

#define SYSFS		"/sys/bus/xen-backend/devices/ioemu-3-0/"

static void numbers(struct xenioemu *handle)
{
	uint64_t counts[XENIOEMU_BUCKETS], sum, value;
	unsigned int i;
	char text[256];

	ok(xenioemu_controller_counter(handle, 3, 0, "commands", &value) ==
	   XENIOEMU_FAILED, "no counters of a controller");
	fake_file(SYSFS "disk0/stat", "reads 10\n");
	fake_file(SYSFS "controller/stat",
		  "commands 100\ndoorbells 20\ninterrupts 70\n");
	strcpy(text, "disk");
	for (i = 0; i < XENIOEMU_BUCKETS; i++)
		strcat(text, i == 35 ? " 4" : " 0");
	fake_file(SYSFS "disk0/latency", text);
	ok(!xenioemu_counter(handle, 3, 0, 0, "reads", &value) && value == 10,
	   "a counter of a disk");
	ok(!xenioemu_controller_counter(handle, 3, 0, "exits_saved", &value) &&
	   value == 210, "a counter of a controller");
	ok(xenioemu_controller_counter(handle, 3, 0, "reads", &value) ==
	   XENIOEMU_NOT_FOUND, "which is not one of a disk");
	ok(!xenioemu_histogram(handle, 3, 0, 0, "disk", counts, &sum) &&
	   counts[35] == 4 && !counts[34] && sum == UINT64_MAX, "a histogram");
	fake_file(SYSFS "disk0/latency_sum", "disk 77\n");
	ok(!xenioemu_histogram(handle, 3, 0, 0, "disk", counts, &sum) &&
	   sum == 77, "with its sum");
	ok(xenioemu_histogram(handle, 3, 0, 0, "lunch", counts, &sum) ==
	   XENIOEMU_NOT_FOUND, "no such stage");
	fake_xs_set("domid", "5");
	ok(xenioemu_counter(handle, 3, 0, 0, "reads", &value) ==
	   XENIOEMU_FAILED &&
	   xenioemu_controller_counter(handle, 3, 0, "commands", &value) ==
	   XENIOEMU_FAILED &&
	   xenioemu_histogram(handle, 3, 0, 0, "disk", counts, &sum) ==
	   XENIOEMU_FAILED, "what another domain's driver counts is not here");
	fake_xs_set("domid", "0");
}

static bool value_is(struct xenioemu *handle, const char *key,
		     const char *wanted)
{
	char *value = NULL;
	bool good;

	good = !xenioemu_disk_value(handle, 3, 0, 0, key, &value) &&
	       (wanted ? value && !strcmp(value, wanted) : !value);
	xenioemu_free(value);
	return ok(good, "disk 0: %s", key);
}

static void lists(struct xenioemu *handle)
{
	struct xenioemu_controller *list;
	unsigned int *indices, n;
	uint64_t iops, bw;
	char *value;

	fake_xs_set("/local/domain/0/backend/ioemu/12/2/state", "6");
	ok(!xenioemu_list(handle, XENIOEMU_ALL, &list, &n) && n == 2 &&
	   list[0].domid == 3 && !list[0].devid && list[1].domid == 12 &&
	   list[1].devid == 2, "all controllers");
	xenioemu_free(list);
	ok(!xenioemu_list(handle, 12, &list, &n) && n == 1, "of one domain");
	xenioemu_free(list);
	ok(!xenioemu_list(handle, 4, &list, &n) && !n && !list,
	   "of a domain that has none");
	fake_xs_remove("/local/domain/0/backend/ioemu/12");

	ok(!xenioemu_list_disks(handle, 3, 0, &indices, &n) && n == 2 &&
	   indices[1] == 1, "all disks");
	xenioemu_free(indices);
	ok(xenioemu_list_disks(handle, 3, 9, &indices, &n) ==
	   XENIOEMU_NOT_FOUND && !indices, "of no controller");

	ok(!xenioemu_controller_value(handle, 3, 0, "state", &value) &&
	   !strcmp(value, "Connected"), "state of a controller");
	xenioemu_free(value);
	ok(xenioemu_controller_value(handle, 3, 0, "colour", &value) ==
	   XENIOEMU_INVALID && !value, "no such key");
	value_is(handle, "params", "/dev/fake0");
	value_is(handle, "file", NULL);
	value_is(handle, "iops-limit", NULL);
	value_is(handle, "bytes", "1048576");
	ok(!xenioemu_limits(handle, 3, 0, 0, &iops, &bw) && !iops && !bw,
	   "no limits");
}

static void sizes(struct xenioemu *handle)
{
	static const char *const file[] = { "params=/dev/file", NULL };
	unsigned int devid;
	uint64_t bytes;

	ok(!xenioemu_attach(handle, 3, NULL, file, 1, &devid), "a file");
	truncated_to = 0;
	ok(!xenioemu_resize(handle, 3, devid, 0, XENIOEMU_KEEP, 0, &bytes) &&
	   bytes == 1048576 && !truncated_to, "its own size");
	ok(!xenioemu_resize(handle, 3, devid, 0, 2097152, 0, &bytes) &&
	   truncated_to == 2097152, "another size");
	ok(xenioemu_resize(handle, 3, devid, 0, 512, 0, &bytes) ==
	   XENIOEMU_INVALID, "shrinking is asked for");
	ok(!xenioemu_resize(handle, 3, devid, 0, 512, 1, &bytes), "it shrinks");
	ok(xenioemu_resize(handle, 3, 0, 0, 512, 1, &bytes) ==
	   XENIOEMU_INVALID, "a device keeps its size");
	fake_xs.on_change = driver_closes;
	xenioemu_detach(handle, 3, devid, 1, 1);
	fake_xs.on_change = driver_connects;
}

/* ---- memory and xenstore that fail -------------------------------------- */

static void takes_disk_2(void)
{
	if (fake_xs_get(BACKEND "/disk/2/params") &&
	    !fake_xs_get(BACKEND "/disk/2/hotplug-status"))
		fake_xs_set(BACKEND "/disk/2/hotplug-status", "connected");
}

static void driver_obeys(void)
{
	driver_connects();
	driver_closes();
	takes_disk_2();
}

static int call_attach(struct xenioemu *handle)
{
	unsigned int devid;

	return xenioemu_attach(handle, 3, "slot=9,serial=C,devid=4", two_disks,
			       1, &devid);
}

static int call_attach_file(struct xenioemu *handle)
{
	static const char *const file[] = {
		"params=/dev/file,iops-limit=4", NULL
	};
	unsigned int devid;

	return xenioemu_attach(handle, 3, NULL, file, 1, &devid);
}

static int call_attach_disk(struct xenioemu *handle)
{
	unsigned int index;

	return xenioemu_attach_disk(handle, 3, 0,
				    "params=/dev/fake2,mode=r,bw-limit=1k", 1,
				    &index);
}

static int call_attach_disk_at(struct xenioemu *handle)
{
	return xenioemu_attach_disk_at(handle, 3, 0, 2, "params=/dev/fake2", 1);
}

static int call_counters(struct xenioemu *handle)
{
	uint64_t counts[XENIOEMU_BUCKETS], value;
	int status = xenioemu_counter(handle, 3, 0, 0, "reads", &value);

	if (!status)
		status = xenioemu_controller_counter(handle, 3, 0, "commands",
						     &value);
	return status ? status : xenioemu_histogram(handle, 3, 0, 0, "disk",
						    counts, &value);
}

static int call_detach_disk(struct xenioemu *handle)
{
	return xenioemu_detach_disk(handle, 3, 0, 1, 1);
}

static int call_detach(struct xenioemu *handle)
{
	return xenioemu_detach(handle, 3, 0, 0, 1);
}

static int call_find(struct xenioemu *handle)
{
	unsigned int domid;

	return xenioemu_find_domain(handle, "guest", &domid);
}

static int call_list(struct xenioemu *handle)
{
	struct xenioemu_controller *list;
	unsigned int n;
	int status = xenioemu_list(handle, XENIOEMU_ALL, &list, &n);

	xenioemu_free(list);
	return status;
}

static int call_list_disks(struct xenioemu *handle)
{
	unsigned int *indices, n;
	int status = xenioemu_list_disks(handle, 3, 0, &indices, &n);

	xenioemu_free(indices);
	return status;
}

static int call_value(struct xenioemu *handle)
{
	char *value;
	int status = xenioemu_disk_value(handle, 3, 0, 0, "bytes", &value);

	xenioemu_free(value);
	return status;
}

static int call_state(struct xenioemu *handle)
{
	char *value;
	int status = xenioemu_controller_value(handle, 3, 0, "state", &value);

	xenioemu_free(value);
	return status;
}

static int call_resize(struct xenioemu *handle)
{
	uint64_t bytes;

	return xenioemu_resize(handle, 3, 1, 0, 2097152, 0, &bytes);
}

static int call_limits(struct xenioemu *handle)
{
	uint64_t iops, bw;
	int status = xenioemu_limit(handle, 3, 0, 0, 7, 7);

	return status ? status : xenioemu_limits(handle, 3, 0, 0, &iops, &bw);
}

/* @undone: nothing may be left below @path when the call fails. */
static const struct {
	const char *name;
	int (*call)(struct xenioemu *handle);
	const char *undone;
} calls[] = {
	{ "attach", call_attach, "/local/domain/0/backend/ioemu/3/4" },
	{ "attach of a file", call_attach_file,
	  "/local/domain/0/backend/ioemu/3/2" },
	{ "attach_disk", call_attach_disk, BACKEND "/disk/2" },
	{ "attach_disk_at", call_attach_disk_at, BACKEND "/disk/2" },
	{ "counters and histogram", call_counters, NULL },
	{ "detach_disk", call_detach_disk, NULL },
	{ "detach", call_detach, NULL },
	{ "find_domain", call_find, NULL },
	{ "list", call_list, NULL },
	{ "list_disks", call_list_disks, NULL },
	{ "disk_value", call_value, NULL },
	{ "controller_value", call_state, NULL },
	{ "resize", call_resize, NULL },
	{ "limit and limits", call_limits, NULL },
};

/* A store with a controller of two disks and one of a file. */
static struct xenioemu *sweep_open(void)
{
	struct xenioemu *handle;
	unsigned int devid;

	fake_mem.fail = 0;
	fresh_store();
	fake_xs.on_change = driver_obeys;
	handle = xenioemu_open();
	xenioemu_attach(handle, 3, NULL, two_disks, 1, &devid);
	call_attach_file(handle);
	fake_mem.calls = 0;
	fake_xs.calls = 0;
	return handle;
}

static bool failed_well(unsigned int i, unsigned int call, int status,
			const char *error, const char *wanted)
{
	bool left = calls[i].undone && fake_xs_count(calls[i].undone);

	if (status == XENIOEMU_FAILED && strstr(error, wanted) && !left)
		return true;
	printf("# %s: failure %u: status %d, '%s'%s\n", calls[i].name, call,
	       status, error, left ? ", nodes are left" : "");
	return false;
}

static void failing_memory(unsigned int i)
{
	struct xenioemu *handle;
	unsigned int call;
	bool good = true, done = false;
	int status;

	for (call = 1; !done; call++) {
		handle = sweep_open();
		fake_mem.fail = call;
		status = calls[i].call(handle);
		done = fake_mem.calls < call;
		fake_mem.fail = 0;
		good = (done ? !status :
			failed_well(i, call, status, xenioemu_error(handle),
				    "memory")) && good;
		xenioemu_close(handle);
	}
	ok(good && !fake_xs_open_ends() && !fake_loops_open(),
	   "%s: each of %u allocations fails in turn", calls[i].name,
	   call - 2);
}

static void failing_store(unsigned int i)
{
	struct xenioemu *handle;
	bool good = true, done = false;
	unsigned int call;
	int status;

	for (call = 1; !done; call++) {
		handle = sweep_open();
		fake_xs.fail_call = call;
		fake_xs.fail_error = ENOMEM;
		status = calls[i].call(handle);
		done = fake_xs.calls < call;
		good = (done ? !status :
			failed_well(i, call, status, xenioemu_error(handle),
				    "xenstore")) && good;
		fake_xs.fail_call = 0;
		xenioemu_close(handle);
	}
	ok(good && !fake_xs_open_ends() && !fake_loops_open(),
	   "%s: each of %u calls to xenstore fails in turn", calls[i].name,
	   call - 2);
}

static void failures(void)
{
	unsigned int i;

	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		failing_memory(i);
		failing_store(i);
	}
	fresh_store();
	fake_mem = (struct fake_mem) { .fail = 1 };
	ok(!xenioemu_open() && !fake_xs_open_ends(), "no memory, no handle");
	fake_mem.fail = 0;
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
	lists(handle);
	sizes(handle);
	disks(handle);
	numbered(handle);
	numbers(handle);
	fake_xs.on_change = driver_closes;
	ok(!xenioemu_detach(handle, 3, 0, 0, 1), "detach");
	ok(xenioemu_detach(handle, 3, 0, 0, 1) == XENIOEMU_NOT_FOUND,
	   "nothing is left to detach");
	fake_xs_set(FRONTEND "/state", "1");
	ok(!xenioemu_detach(handle, 3, 0, 0, 1) && !fake_xs_count(FRONTEND),
	   "a front-end directory is");
	fake_xs_set(BACKEND "/state", "6");
	ok(!xenioemu_detach(handle, 3, 0, 0, 1) && !fake_xs_count(BACKEND),
	   "and so is one of the back end");
	xenioemu_close(handle);
	ok(!fake_xs_open_ends(), "nothing stays open");

	fake_xs.refuse_open = true;
	ok(!xenioemu_open(), "no xenstore, no handle");
	failures();
	forget_fake_files();
}
