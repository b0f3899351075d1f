// SPDX-License-Identifier: GPL-2.0
/*
 * Changing the disks of a controller: attach-disk, detach-disk, limit, resize.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../../userspace/host.h"
#include "harness.h"

static void connected(void)
{
	fresh_store();
	fake_xs.on_change = driver_connects;
	tool("attach guest --disk params=/dev/fake0 --disk params=/dev/file");
	fake_xs.on_change = NULL;
}

static void answer_disk(unsigned int index, const char *status,
			const char *error)
{
	char path[128];

	snprintf(path, sizeof(path), BACKEND "/disk/%u/params", index);
	if (!fake_xs_get(path))
		return;
	snprintf(path, sizeof(path), BACKEND "/disk/%u/hotplug-error", index);
	if (error && !fake_xs_get(path))
		fake_xs_set(path, error);
	snprintf(path, sizeof(path), BACKEND "/disk/%u/hotplug-status", index);
	if (!fake_xs_get(path))
		fake_xs_set(path, status);
}

static void takes_disk_2(void)
{
	answer_disk(2, "connected", NULL);
}

static void takes_disk_9(void)
{
	answer_disk(9, "connected", NULL);
}

static void refuses_disk_2(void)
{
	answer_disk(2, "error", "disk/2/params: it is in use");
}

static void adding(void)
{
	connected();
	fake_xs.on_change = takes_disk_2;
	tool_says("attach-disk guest 0 --disk params=/dev/fake2,mode=r,iops-limit=5",
		  0, "");
	same(tool_out, "domain 3: device 0 has disk 2\n", "first free number");
	same(fake_xs_get(BACKEND "/disk/2/mode"), "r", "its mode");
	same(fake_xs_get(BACKEND "/disk/2/iops-limit"), "5", "its limit");
	fake_xs.on_change = takes_disk_9;
	tool_says("attach-disk guest 0 --index 9 --disk params=/dev/fake2", 0,
		  "");
	tool_says("attach-disk guest 0 --index 9 --disk params=/dev/fake2", 1,
		  "has a disk 9 already");

	connected();
	fake_xs.on_change = refuses_disk_2;
	tool_says("attach-disk guest 0 --disk params=/dev/fake2", 1,
		  "the driver refused the disk: disk/2/params: it is in use");
	ok(!fake_xs_count(BACKEND "/disk/2"), "a refused disk is removed");

	connected();
	tool_says("attach-disk --timeout 1 guest 0 --disk params=/dev/fake2",
		  4, "did not take the disk within 1 s");
	ok(!fake_xs_count(BACKEND "/disk/2"), "so is one that is not taken");

	fake_xs_set(BACKEND "/state", "6");
	tool_says("attach-disk guest 0 --disk params=/dev/fake2", 1,
		  "is not connected, its state is Closed");
	tool_says("attach-disk guest 0", 2, "--disk is missing");
	tool_says("attach-disk guest --disk params=/dev/fake2", 2,
		  "DEVID is missing");
	tool_says("attach-disk guest 7 --disk params=/dev/fake2", 3,
		  "no device 7");
	tool_says("attach-disk guest 0 --disk params=/dev/fake2 --disk params=/dev/fake3",
		  2, "--disk is given twice");
	tool_says("attach-disk guest 0 --index 16 --disk params=/dev/fake2",
		  2, "accepted: 0 to 15");
}

static void removing(void)
{
	connected();
	tool_says("detach-disk guest 0 1", 0, "");
	ok(!fake_xs_count(BACKEND "/disk/1"), "the disk is removed");
	tool_says("detach-disk guest 0 0", 1, "is the last of device 0");
	tool_says("detach-disk guest 0 5", 3, "has no disk 5");
	tool_says("detach-disk guest 0 16", 2, "'16' is not a disk number");
	tool_says("detach-disk guest 0", 2, "DISK is missing");
	tool_says("detach-disk guest 0 1 2", 2, "'2' is one argument too many");
}

#define DISK_1	"/sys/bus/xen-backend/devices/ioemu-3-0/disk1"

static void lets_go_of_disk_1(int sig)
{
	char path[128];

	(void)sig;
	snprintf(path, sizeof(path), "%s" DISK_1, host_root);
	unlink(path);
}

/* Its nodes have gone, but requests of it have not ended. */
static void waiting_again(void)
{
	connected();
	fake_file(DISK_1, "");
	tool_says("detach-disk --timeout 1 guest 0 1", 4,
		  "the driver still has the disk after 1 s: requests in the block layer have not ended; the same command waits on");
	ok(!fake_xs_count(BACKEND "/disk/1"), "the disk is removed");
	tool_says("detach-disk --timeout 1 guest 0 1", 4,
		  "the driver still has the disk after 1 s");
	signal(SIGALRM, lets_go_of_disk_1);
	alarm(1);
	tool_says("detach-disk --timeout 30 guest 0 1", 0, "");
	alarm(0);
	ok(!host_exists(DISK_1), "the driver has let go of it then");
	signal(SIGALRM, SIG_DFL);
	tool_says("detach-disk guest 0 1", 3, "has no disk 1");
	forget_fake_files();
}

static void limits(void)
{
	connected();
	tool_says("limit guest 0 0 --iops 2k --bw 1G", 0, "");
	same(fake_xs_get(BACKEND "/disk/0/iops-limit"), "2048", "--iops");
	same(fake_xs_get(BACKEND "/disk/0/bw-limit"), "1073741824", "--bw");
	tool_says("limit guest 0 0 --iops 0", 0, "");
	tool("limit guest 0 0");
	same(tool_out, "iops-limit 0\nbw-limit 1073741824\n", "limits shown");
	tool("limit --json guest 0 0");
	same(tool_out,
	     "{\n  \"iops-limit\": 0,\n  \"bw-limit\": 1073741824\n}\n",
	     "limits as JSON");
	tool_says("limit guest 0 0 --iops some", 2, "--iops: 'some'; accepted:");
	tool_says("limit guest 0 3 --iops 1", 3, "has no disk 3");
	fake_xs_set(BACKEND "/state", "6");
	tool_says("limit guest 0 0 --iops 7", 1,
		  "device 0 of domain 3 is not connected, its state is Closed");
	same(fake_xs_get(BACKEND "/disk/0/iops-limit"), "0",
	     "nobody would see the limit");
	tool_says("limit guest 0 0", 0, "");
}

static void sizes(void)
{
	connected();
	truncated_to = 0;
	tool_says("resize guest 0 1 2M", 0, "");
	ok(truncated_to == 2097152, "the file grows");
	same(tool_out, "domain 3: device 0 disk 1 has 1048576 bytes\n",
	     "the new size is shown");
	truncated_to = 0;
	tool_says("resize guest 0 1", 0, "");
	ok(!truncated_to, "without SIZE, the file stays");
	tool_says("resize guest 0 1 512k", 2, "--shrink allows it");
	tool_says("resize guest 0 1 1000001", 2, "not a multiple of 512");
	ok(!truncated_to, "nothing is done by mistake");
	tool_says("resize --shrink guest 0 1 512k", 0, "");
	ok(truncated_to == 524288, "--shrink");
	truncated_to = 0;
	fake_other_file = true;
	tool_says("resize guest 0 1 2M", 1, "is not the file of /dev/loop7");
	fake_other_file = false;
	ok(!truncated_to, "a stranger's file keeps its size");
	tool_says("resize guest 0 0 2M", 2, "change it with its own tool");
	tool_says("resize guest 0 0", 0, "");
	tool_says("resize guest 0 1 2M more", 2, "one argument too many");
}

static void device_goes(void)
{
	fake_xs_remove(BACKEND);
}

static void disk_goes(void)
{
	fake_xs_remove(BACKEND "/disk/1");
}

/* What others do between the tool's look and its change. */
static void races(void)
{
	connected();
	fake_xs.on_transaction = disk_goes;
	tool_says("detach-disk guest 0 0", 1, "is the last of device 0");
	ok(fake_xs_get(BACKEND "/disk/0/params"),
	   "two who remove a disk leave one");

	connected();
	fake_xs.on_transaction = disk_goes;
	tool_says("detach-disk guest 0 1", 3, "has no disk 1");

	connected();
	fake_xs.on_transaction = disk_goes;
	tool_says("limit guest 0 1 --iops 5", 3, "has no disk 1");
	ok(!fake_xs_count(BACKEND "/disk/1"), "it does not come back");

	connected();
	fake_xs.on_transaction = device_goes;
	tool_says("limit guest 0 1 --iops 5", 3, "has no device 0");
	tool_says("attach-disk guest 0 --disk params=/dev/fake2", 3, "");
	ok(!fake_xs_count(BACKEND), "nor does a device");
}

static void disk_2_goes(void)
{
	if (fake_xs_get(BACKEND "/disk/2/params"))
		fake_xs_remove(BACKEND "/disk/2");
}

static void device_goes_later(void)
{
	if (fake_xs_get(BACKEND "/disk/2/params"))
		fake_xs_remove(BACKEND);
}

static void device_closes(void)
{
	const char *state = fake_xs_get(BACKEND "/state");

	if (fake_xs_get(BACKEND "/disk/2/params") && strcmp(state, "6"))
		fake_xs_set(BACKEND "/state", "6");
}

/* Nobody is left who could answer: with the whole time to wait, it ends at once. */
static void no_answer_comes(void)
{
	static const struct {
		void (*on_watch)(void);
		const char *err;
	} cases[] = {
		{ disk_2_goes, "somebody removed the disk meanwhile" },
		{ device_goes_later, "somebody removed the device meanwhile" },
		{ device_closes, "device 0 of domain 3 is not connected, its state is Closed" },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		connected();
		fake_xs.on_watch = cases[i].on_watch;
		tool_says("attach-disk --timeout 3 guest 0 --disk params=/dev/fake2",
			  1, cases[i].err);
		ok(!fake_xs_count(BACKEND "/disk/2"), "nothing is left of it");
	}
}

void test_disks(void)
{
	races();
	no_answer_comes();
	adding();
	removing();
	waiting_again();
	limits();
	sizes();
}
