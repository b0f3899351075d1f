// SPDX-License-Identifier: GPL-2.0
/*
 * ioemu-dm: which arguments it takes out, and what it makes of them.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../userspace/host.h"
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

	fresh_store();
	fake_xs.on_change = driver_connects;
	dm_says(QEMU DISK " -ioemu nvme,params=/dev/fake1,controller=1,slot=16 -ioemu nvme,params=/dev/fake2,controller=2",
		1, "Interrupted");
	same(fake_xs_get(BACKEND "/slot") ?: "", "17",
	     "a slot that is named for another controller is not chosen");
	same(fake_xs_get("/local/domain/0/backend/ioemu/3/1/slot") ?: "", "16",
	     "which gets it");
	same(fake_xs_get("/local/domain/0/backend/ioemu/3/2/slot") ?: "", "18",
	     "the next one that is free");
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

	fresh_store();
	fake_xs.on_change = driver_connects;
	fake_file("/dev/file", "QFI\xfb");
	dm_says(QEMU "-xen-domid 3 -ioemu nvme,params=/dev/file", 2,
		"params='/dev/file' is a qcow2 image");
	ok(!executed[0] && !fake_xs_count(BACKEND), "which no guest gets");
	dm_says(QEMU "-xen-domid 3 -ioemu nvme,params=/dev/file,format=raw", 1,
		"Interrupted");
	ok(fake_loop_inherited(), "unless it is said to be raw");
	forget_fake_files();
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

#define SECOND	"/local/domain/0/backend/ioemu/3/1"

/* Somebody has given the domain devices already. */
static void in_the_way(void)
{
	fresh_store();
	fake_xs.on_change = driver_connects;
	tool("attach guest --devid 1 --disk params=/dev/fake5");
	dm_says(QEMU DISK ",controller=1", 1, "has a device 1 already");
	same(fake_xs_get(SECOND "/disk/0/params") ?: "", "/dev/fake5",
	     "a device that it did not write stays");
	dm_says(QEMU DISK " -ioemu nvme,params=/dev/fake1,controller=1", 1,
		"has a device 1 already");
	ok(!executed[0] && !fake_xs_count(BACKEND) &&
	   fake_xs_get(SECOND "/state") &&
	   fake_xs_get("/local/domain/3/ioemu/1/state"),
	   "only what it wrote is taken away");
}

static void ruin_goes(void)
{
	fake_xs.on_watch = NULL;
	fake_xs_remove(SECOND);
}

static void time_passes(void)
{
	sleep(40);
}

static void no_time(void)
{
}

/* The toolstack has reset the domain; its number is still the same. */
static void ruins(void)
{
	fresh_store();
	fake_xs.on_change = driver_connects;
	fake_xs_set(SECOND "/state", "6");
	fake_xs_set(SECOND "/slot", "16");
	fake_xs.on_watch = ruin_goes;
	dm_says(QEMU DISK ",controller=1", 1, "Interrupted");
	same(fake_xs_get(SECOND "/slot") ?: "", "16",
	     "it waits until the driver has removed the devices of before");
	same(fake_xs_get(SECOND "/state") ?: "", "4", "and has its own then");

	fresh_store();
	fake_xs.on_change = driver_connects;
	fake_xs_set(SECOND "/state", "6");
	fake_xs.on_watch = time_passes;
	fake_sleep = no_time;
	dm_says(QEMU DISK, 4,
		"device 1 is left of what domain 3 was before, and the driver has not removed it within 30 s");
	fake_sleep = NULL;
	ok(!executed[0] && !fake_xs_count(BACKEND) &&
	   fake_xs_get(SECOND "/state"), "but not for ever");
}

static bool went_on;

/* The signal is held back, and the wait ends before it is looked for. */
static void sighup_and_connects(void)
{
	const char *state = fake_xs_get(BACKEND "/state");

	if (fake_xs_count("/local/domain/0/backend/ioemu/3/1"))
		went_on = true;

	if (state && !strcmp(state, "1"))
		raise(SIGHUP);
	driver_connects();
}

static void sigterm(void)
{
	if (fake_xs_get(BACKEND "/state"))
		raise(SIGTERM);
}

static void domain_goes(void)
{
	if (!fake_xs_get(BACKEND "/state"))
		return;
	fake_xs_remove("/local/domain/3");
	fake_xs_remove(BACKEND);
}

static void nothing_comes_of_it(const char *what)
{
	ok(!executed[0] && !fake_xs_count("/local/domain/0/backend/ioemu/3") &&
	   !fake_xs_count("/local/domain/3/ioemu"),
	   "%s: nothing is started, and nothing left", what);
}

static void interruptions(void)
{
	struct sigaction action;

	fresh_store();
	fake_xs.on_change = sighup_and_connects;
	dm_says(QEMU DISK " -ioemu nvme,params=/dev/fake1,controller=1", 1,
		"interrupted by a signal (Hangup)");
	nothing_comes_of_it("a signal between two controllers");
	ok(!went_on, "the second one is not tried");
	fresh_store();
	fake_xs.on_change = sighup_and_connects;
	dm_says(QEMU DISK, 1, "interrupted by a signal (Hangup)");
	nothing_comes_of_it("a signal after the last controller");
	sigaction(SIGHUP, NULL, &action);
	ok(action.sa_handler == SIG_DFL, "signals do then what they did before");

	fresh_store();
	fake_xs.on_change = sighup_and_connects;
	signal(SIGHUP, SIG_IGN);
	dm_says(QEMU DISK, 1, "cannot start the device model");
	ok(executed[0] && signal(SIGHUP, SIG_DFL) == SIG_IGN,
	   "one that nohup ignores is ignored");

	fresh_store();
	fake_xs.on_change = sigterm;
	dm_says(QEMU "-xen-domid 3 -ioemu nvme,params=/dev/file", 1,
		"interrupted by a signal (Terminated)");
	nothing_comes_of_it("a signal while it waits");
	ok(!fake_loops_open(), "no loop device either");

	fresh_store();
	fake_xs.on_change = domain_goes;
	dm_says(QEMU "-xen-domid 3 -ioemu nvme,params=/dev/file", 1,
		"somebody removed the device");
	nothing_comes_of_it("the domain is destroyed while it waits");
	ok(!fake_xs_count("/local/domain/3") && !fake_loops_open(),
	   "the domain does not come back");
}

/* The program is there, but the kernel does not start it. */
static void exec_fails(void)
{
	fresh_store();
	fake_xs.on_change = driver_connects;
	dm_says(QEMU DISK, 1,
		"cannot start the device model /bin/true: Interrupted");
	ok(executed[0] && !fake_xs_open_ends(),
	   "whoever takes the domain down takes the disks away");
}

static void started_by(const char *exe)
{
	char path[128], link[512];

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)getppid());
	fake_file(path, "xl\n");
	snprintf(link, sizeof(link), "%s/proc/%d/exe", host_root,
		 (int)getppid());
	unlink(link);
	if (symlink(exe, link))
		abort();
}

static void expect_program(const char *wanted)
{
	char *found = host_device_model();
	const char *got = found ? found : "";

	if (found && !strncmp(found, host_root, strlen(host_root)))
		got += strlen(host_root);
	same(got, wanted, "the device model");
	free(found);
}

static void programs(void)
{
	fake_file("/tmp/x", "");
	expect_program("");
	fake_program("/usr/bin/qemu-system-i386");
	expect_program("/usr/bin/qemu-system-i386");
	fake_program("/usr/libexec/xen-qemu-system-i386");
	expect_program("/usr/libexec/xen-qemu-system-i386");
	fake_file("/sys/hypervisor/version/major", "4\n");
	fake_file("/sys/hypervisor/version/minor", "17\n");
	fake_program("/usr/lib/xen-4.17/bin/qemu-system-i386");
	expect_program("/usr/lib/xen-4.17/bin/qemu-system-i386");
	fake_program("/usr/local/lib/xen/bin/qemu-system-i386");
	expect_program("/usr/lib/xen-4.17/bin/qemu-system-i386");

	fake_program("/usr/local/sbin/xl");
	started_by("/usr/local/sbin/xl");
	expect_program("/usr/local/lib/xen/bin/qemu-system-i386");
	fake_program("/usr/lib/xen-4.18/bin/qemu-system-i386");
	started_by("/usr/lib/xen-4.18/bin/xl");
	expect_program("/usr/lib/xen-4.18/bin/qemu-system-i386");
	started_by("/usr/bin/bash");
	expect_program("/usr/lib/xen-4.17/bin/qemu-system-i386");
	started_by("/nowhere/bin/xl");
	expect_program("/usr/lib/xen-4.17/bin/qemu-system-i386");
	forget_fake_files();
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
	in_the_way();
	ruins();
	busy_disks();
	interruptions();
	exec_fails();
	programs();
}
