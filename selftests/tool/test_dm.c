// SPDX-License-Identifier: GPL-2.0
/*
 * ioemu-dm: which arguments it takes out, and what it makes of them.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../../userspace/loop.h"
#include "harness.h"

#define QEMU	"-ioemu-dm /bin/true "
#define DISK	"-xen-domid 3 -ioemu nvme,params=/dev/fake0"

int fake_execv(const char *path, char *const *argv);

static char executed[4096];

int fake_execv(const char *path, char *const *argv)
{
	executed[0] = '\0';
	for (; *argv; argv++) {
		strcat(executed, *argv);
		strcat(executed, argv[1] ? " " : "");
	}
	if (strncmp(executed, path, strlen(path)) != 0)
		strcpy(executed, "argv[0] is not the program");
	errno = EINTR;
	return -1;
}

static bool dm_says(const char *args, int status, const char *err)
{
	int got;

	executed[0] = '\0';
	got = dm(args);
	if (ok(got == status && strstr(tool_err, err) && !fake_xs_open_ends(),
	       "ioemu-dm '%.50s': status %d, '%s'", args, status, err))
		return true;
	printf("#   status %d, '%s'\n", got, tool_err);
	return false;
}

static void arguments(void)
{
	fresh_store();
	dm_says(QEMU "-xen-domid 3 -m 64", 1, "Interrupted");
	same(executed, "/bin/true -xen-domid 3 -m 64",
	     "without disks, all goes to the device model");
	dm_says(QEMU "-version", 1, "Interrupted");
	same(executed, "/bin/true -version", "also without a domain");

	fake_xs.on_change = driver_connects;
	dm_says(QEMU "-name x " DISK " -m 64", 1, "Interrupted");
	same(executed, "/bin/true -name x -xen-domid 3 -m 64",
	     "its own arguments are taken out");
	ok(fake_xs_get(BACKEND "/disk/0/params"), "and the disk is there");
}

static void controllers(void)
{
	fresh_store();
	fake_xs.on_change = driver_connects;
	dm_says(QEMU DISK " -ioemu nvme,params=/dev/fake1,mode=r,serial=S,slot=5,controller-serial=C -ioemu nvme,params=/dev/fake2,controller=2,bw-limit=1k",
		1, "Interrupted");
	same(fake_xs_get(BACKEND "/disk/1/params"), "/dev/fake1",
	     "two disks of one controller");
	same(fake_xs_get(BACKEND "/disk/1/serial"), "S", "serial of a disk");
	same(fake_xs_get(BACKEND "/slot"), "5", "its slot");
	same(fake_xs_get(BACKEND "/serial"), "C", "its serial");
	same(fake_xs_get("/local/domain/0/backend/ioemu/3/2/disk/0/params"),
	     "/dev/fake2", "another controller");
	same(fake_xs_get("/local/domain/0/backend/ioemu/3/2/disk/0/bw-limit"),
	     "1024", "a limit");
}

static void files(void)
{
	fresh_store();
	fake_xs.on_change = driver_connects;
	dm_says(QEMU "-xen-domid 3 -ioemu nvme,params=/dev/file", 1,
		"Interrupted");
	same(fake_xs_get(BACKEND "/disk/0/params"), "/dev/loop7",
	     "a file gets a loop device");
	ok(fake_loop_inherited(), "which the device model keeps open");

	fresh_store();
	fake_xs.on_change = driver_refuses;
	dm_says(QEMU "-xen-domid 3 -ioemu nvme,params=/dev/file", 1,
		"the driver refused the device");
	ok(!fake_loops_open(), "it goes when the driver refuses it");
}

static void mistakes(void)
{
	static const struct {
		const char *args;
		const char *err;
	} cases[] = {
		{ "-ioemu", "-ioemu: a value is missing" },
		{ "-xen-domid 3 -ioemu-dm", "-ioemu-dm: a value is missing" },
		{ "-ioemu nvme,params=/dev/fake0", "no -xen-domid" },
		{ "-xen-domid x -ioemu nvme,params=/dev/fake0", "'x' is not a domain number" },
		{ "-xen-domid 3 -ioemu nvme", "'nvme' names no disk" },
		{ "-xen-domid 3 -ioemu ide,params=/dev/fake0", "'ide' is not a model" },
		{ "-xen-domid 3 -ioemu nvme,mode=r", "params= is missing" },
		{ DISK ",slot=2", "'2' is not a PCI device number; accepted: 3 to 31" },
		{ DISK ",controller=16", "accepted: 0 to 15" },
		{ DISK ",slot=4 -ioemu nvme,params=/dev/fake1,slot=5", "in slot 4 already" },
		{ DISK ",controller-serial=a -ioemu nvme,params=/dev/fake1,controller-serial=a", "given twice" },
		{ DISK ",colour=red", "unknown key 'colour'; accepted: params=PATH" },
		{ "-xen-domid 3 -ioemu nvme,params=/dev/none", "No such file" },
		{ "-xen-domid 3 -ioemu-dm /dev/none", "device model /dev/none: No such file" },
	};
	char args[256];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fresh_store();
		snprintf(args, sizeof(args), "%s%s", QEMU, cases[i].args);
		dm_says(args, 2, cases[i].err);
		ok(!executed[0] && !fake_xs_count(BACKEND),
		   "nothing is started and nothing written");
	}
}

static void second_is_refused(void)
{
	if (fake_xs_get("/local/domain/0/backend/ioemu/3/1/state"))
		fake_xs_set("/local/domain/0/backend/ioemu/3/1/state", "6");
	else
		driver_connects();
}

static void refusals(void)
{
	fresh_store();
	fake_xs.on_change = second_is_refused;
	dm_says(QEMU DISK " -ioemu nvme,params=/dev/fake1,controller=1", 1,
		"the driver refused the device");
	ok(!executed[0] && !fake_xs_count("/local/domain/0/backend/ioemu/3"),
	   "the first controller is taken away again");
	ok(strstr(tool_err, "domain 3 does not get its disks") != NULL,
	   "and it says what that means");
}

/* libxl waits for a minute, whatever the disks are. */
static void busy_disks(void)
{
	long long start = now_ms();

	fresh_store();
	fake_xs.on_change = driver_refuses;
	dm_says(QEMU DISK " -ioemu nvme,params=/dev/fake9 -ioemu nvme,params=/dev/fake9,controller=1 -ioemu nvme,params=/dev/fake9,controller=2",
		1, "the driver refused the device");
	ok(now_ms() - start == 15000, "the wait for disks is for all of them");
}

void test_dm(void)
{
	arguments();
	controllers();
	files();
	mistakes();
	refusals();
	busy_disks();
}
