// SPDX-License-Identifier: GPL-2.0
/*
 * xen-ioemu attach against a made-up driver.
 */
#include <signal.h>
#include <string.h>

#include "harness.h"

#define ONE	"attach --timeout 1 guest --disk params=/dev/fake0"

static char dump[65536];

static const char *nodes(const char *path)
{
	FILE *out = fmemopen(dump, sizeof(dump), "w");

	dump[0] = '\0';
	fake_xs_dump(out, path);
	fclose(out);
	return dump;
}

/* Neither directories nor their empty parents stay behind. */
static bool nothing_left(void)
{
	return !fake_xs_count("/local/domain/0/backend/ioemu/3") &&
	       !fake_xs_count("/local/domain/3/ioemu") &&
	       !fake_xs_count("/local/domain/0/error/backend/ioemu/3");
}

static void all_nodes(void)
{
	fresh_store();
	fake_xs.on_change = driver_connects;
	tool_says("attach guest --slot 7 --serial CTRL%1 --disk params=/dev/fake0,serial=A%1 --disk params=/dev/fake,,1,mode=r",
		  0, "");
	same(tool_out, "domain 3: device 0 in slot 7\n", "it prints the device");
	same(nodes(BACKEND),
	     "disk/0/mode = w\n"
	     "disk/0/params = /dev/fake0\n"
	     "disk/0/serial = A 1\n"
	     "disk/1/mode = r\n"
	     "disk/1/params = /dev/fake,1\n"
	     "frontend = /local/domain/3/ioemu/0\n"
	     "frontend-id = 3\n"
	     "hotplug-status = connected\n"
	     "model = nvme\n"
	     "online = 1\n"
	     "serial = CTRL 1\n"
	     "slot = 7\n"
	     "state = 4\n", "backend directory");
	same(nodes(FRONTEND),
	     "backend = /local/domain/0/backend/ioemu/3/0\n"
	     "backend-id = 0\n"
	     "state = 1\n", "frontend directory");
	same(fake_xs_rights(BACKEND), "n0,r3", "rights of the backend directory");
	same(fake_xs_rights(BACKEND "/disk/0/params"), "n0,r3",
	     "rights of what is below it");
	same(fake_xs_rights(FRONTEND), "n0,r3",
	     "rights of the frontend directory");
	same(fake_xs_rights(FRONTEND "/state"), "n0,r3",
	     "rights of what is below it");
}

static void files_and_limits(void)
{
	fresh_store();
	fake_xs.on_change = driver_connects;
	tool_says("attach guest --disk params=/dev/file,iops-limit=2k,bw-limit=10M",
		  0, "");
	same(nodes(BACKEND "/disk"),
	     "0/bw-limit = 10485760\n"
	     "0/iops-limit = 2048\n"
	     "0/mode = w\n"
	     "0/params = /dev/loop7\n", "a file becomes a loop device");
	ok(!fake_loops_open(), "which the tool does not keep");

	fresh_store();
	fake_xs.on_change = driver_refuses;
	tool_says("attach guest --disk params=/dev/file", 1, "refused");
	ok(!fake_loops_open(), "nor after a refusal");
}

/* What a guest would see as it is, and destroy. */
static void formats(void)
{
	static const struct {
		const char *format;
		const char *file;	/* for snprintf, with an empty string */
	} cases[] = {
		{ "qcow2", "QFI\xfb%512s" },
		{ "VHDX", "vhdxfile%512s" },
		{ "VHD", "%4096sconectix%504s" },	/* of fixed size */
		{ "VHD", "conectix%512s" },
		{ "VMDK", "KDMV%512s" },
		{ "VMDK", "COWD%512s" },
		{ "VMDK", "# Disk DescriptorFile\n%s" },
		{ "VDI", "%-64s\x7f\x10\xda\xbe" },
		{ NULL, "%512s" },
		{ NULL, "%s" },
		{ NULL, "QFI" },
		{ NULL, "%1sQFI\xfb%512s" },
		{ NULL, "%512sconectix%505s" },
	};
	char text[8192], error[256];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), cases[i].file, "", "");
		fake_file("/dev/file", text);
		fresh_store();
		fake_xs.on_change = driver_connects;
		if (!cases[i].format) {
			tool_says("attach guest --disk params=/dev/file", 0, "");
			continue;
		}
		snprintf(error, sizeof(error),
			 "params='/dev/file' is a %s image, which the guest would see as it is; convert it (qemu-img convert -O raw OLD NEW), or say format=raw",
			 cases[i].format);
		tool_says("attach guest --disk params=/dev/file", 2, error);
		ok(nothing_left() && !fake_loops_open(), "nothing is left");
		tool_says("attach guest --disk params=/dev/file,format=raw", 0,
			  "");
		tool_says("attach-disk guest 0 --disk params=/dev/file", 2,
			  error);
	}
	fake_file("/dev/fake0", "QFI\xfb");
	tool_says(ONE, 0, "");
	forget_fake_files();
}

static void many_disks(void)
{
	char args[2048] = "attach guest";
	unsigned int i;

	for (i = 0; i < 16; i++)
		strcat(args, " --disk params=/dev/fake");
	fresh_store();
	fake_xs.on_change = driver_connects;
	ok(!tool(args) && fake_xs_get(BACKEND "/disk/15/params"), "16 disks");
	fresh_store();
	strcat(args, " --disk params=/dev/fake");
	ok(tool(args) == 2 && strstr(tool_err, "too many; accepted: 1 to 16"),
	   "not 17 disks");
}

static void other_backend(void)
{
	fresh_store();
	fake_xs_set("/local/domain/5/name", "storage");
	tool_says("attach --timeout 1 --backend 5 3 --disk params=/dev/there",
		  4, "loaded in domain 5?");
	ok(!fake_xs_count("/local/domain/5/backend/ioemu/3"),
	   "the other domain's directory is removed");
	tool_says("attach --backend 3 3 --disk params=/dev/there", 2,
		  "domain 3 is where the driver runs");
}

static void domains(void)
{
	fresh_store();
	tool_says("attach nobody --disk params=/dev/fake0", 3,
		  "no domain 'nobody'");
	tool_says("attach 4 --disk params=/dev/fake0", 3, "no domain 4");
	tool_says("attach 32752 --disk params=/dev/fake0", 3,
		  "no domain '32752'");
	fake_xs_set("/local/domain/4/name", "guest");
	tool_says(ONE, 2, "2 domains have the name 'guest'");
	fake_xs.on_change = driver_connects;
	tool_says("attach 3 --disk params=/dev/fake0", 0, "");
}

static void numbers(void)
{
	unsigned int i;

	fresh_store();
	fake_xs.on_change = driver_connects;
	tool(ONE);
	same(tool_out, "domain 3: device 0 in slot 16\n", "first device");
	tool(ONE);
	same(tool_out, "domain 3: device 1 in slot 17\n", "second device");
	tool(ONE " --devid 9 --slot 5");
	same(tool_out, "domain 3: device 9 in slot 5\n", "chosen numbers");
	tool_says(ONE " --devid 9", 1, "has a device 9 already");
	tool_says(ONE " --slot 16", 1, "has a device in slot 16 already");
	fake_xs_set("/local/domain/3/ioemu/2/state", "1");
	tool(ONE);
	same(tool_out, "domain 3: device 3 in slot 18\n",
	     "a frontend of another backend takes a number too");

	fresh_store();
	fake_xs.on_change = driver_connects;
	for (i = 16; i < 32; i++)
		tool(ONE);
	same(tool_out, "domain 3: device 15 in slot 31\n", "last slot");
	tool_says(ONE, 1, "no free slot from 16 to 31");
	tool(ONE " --slot 15");
	same(tool_out, "domain 3: device 16 in slot 15\n", "a lower slot");

	fresh_store();
	fake_xs_set("/local/domain/0/backend/ioemu/3/8/slot", "junk");
	fake_xs_set("/local/domain/0/backend/ioemu/3/7/slot", "77");
	fake_xs.on_change = driver_connects;
	tool(ONE);
	same(tool_out, "domain 3: device 0 in slot 16\n",
	     "nonsense in others' nodes does not matter");
}

static void gives_error_only(void)
{
	const char *state = fake_xs_get(BACKEND "/state");

	if (!state || strcmp(state, "1"))
		return;
	fake_xs_set(DRIVER_ERROR "/error", "-22 slot: 77; accepted: 0 to 31");
	fake_xs_set(BACKEND "/state", "5");
}

/* The last words come between Closing and Closed. */
static void says_more(void)
{
	const char *state = fake_xs_get(BACKEND "/state");

	if (!state || strcmp(state, "5"))
		return;
	fake_xs_set(DRIVER_ERROR "/error", "-22 the whole story");
	fake_xs_set(BACKEND "/state", "6");
}

static void closes_silently(void)
{
	if (fake_xs_get(BACKEND "/state"))
		fake_xs_set(BACKEND "/state", "6");
}

static void says_error_in_init_wait(void)
{
	if (!fake_xs_get(BACKEND "/state"))
		return;
	fake_xs_set(BACKEND "/state", "2");
	fake_xs_set(BACKEND "/hotplug-error", "not today");
	fake_xs_set(BACKEND "/hotplug-status", "error");
}

static void refusals(void)
{
	fresh_store();
	fake_xs.on_change = driver_refuses;
	tool_says(ONE, 1,
		  "refused the device: disk/0/params: /dev/fake0: device or resource busy\n");
	ok(nothing_left() && !tool_out[0], "hotplug-error: nothing is left");

	fresh_store();
	fake_xs.on_change = gives_error_only;
	tool_says(ONE, 1,
		  "refused the device: slot: 77; accepted: 0 to 31\n");
	ok(nothing_left(), "error node and Closing: nothing is left");

	fresh_store();
	fake_xs.on_change = gives_error_only;
	fake_xs.on_watch = says_more;
	tool_says(ONE, 1, "refused the device: the whole story\n");
	ok(nothing_left(), "Closing, then Closed: nothing is left");

	fresh_store();
	fake_xs.on_change = closes_silently;
	tool_says(ONE, 1, "without saying why");
	ok(nothing_left(), "no reason: nothing is left");

	fresh_store();
	fake_xs.on_change = says_error_in_init_wait;
	tool_says(ONE, 1, "refused the device: not today\n");
	ok(nothing_left(), "error in InitWait: nothing is left");

	fresh_store();
	fake_xs_set(DRIVER_ERROR "/error", "22 an old story");
	fake_xs.on_change = driver_connects;
	tool_says(ONE, 0, "");
	ok(!fake_xs_count(DRIVER_ERROR), "a message of before is removed");
}

static void stays_in_init_wait(void)
{
	if (fake_xs_get(BACKEND "/state"))
		fake_xs_set(BACKEND "/state", "2");
}

static void connects_later(void)
{
	const char *state = fake_xs_get(BACKEND "/state");

	if (state && !strcmp(state, "2"))
		fake_xs_set(BACKEND "/state", "4");
}

static void slow_drivers(void)
{
	fresh_store();
	tool_says(ONE, 4,
		  "no driver took the device within 1 s: is the module loaded in domain 0? (lsmod");
	ok(nothing_left(), "no driver: nothing is left");

	fresh_store();
	fake_xs.on_change = stays_in_init_wait;
	tool_says(ONE, 4, "not connected after 1 s, its state is InitWait");
	ok(nothing_left(), "hanging driver: nothing is left");

	fresh_store();
	fake_xs.on_change = stays_in_init_wait;
	fake_xs.on_watch = connects_later;
	tool_says(ONE, 0, "");
	same(fake_xs_get(BACKEND "/state"), "4", "a driver that takes its time");
}

static void removes_device(void)
{
	if (fake_xs_get(BACKEND "/state"))
		fake_xs_remove(BACKEND);
}

static void raises_sigterm(void)
{
	if (fake_xs_get(BACKEND "/state"))
		raise(SIGTERM);
}

static void domain_goes(void)
{
	fake_xs_remove("/local/domain/3");
}

static void disturbances(void)
{
	fresh_store();
	fake_xs.on_change = driver_connects;
	fake_xs.on_transaction = domain_goes;
	tool_says(ONE, 3, "there is no domain 3");
	ok(nothing_left() && !fake_xs_count("/local/domain/3"),
	   "a domain that has just gone: nothing of it comes back");

	fresh_store();
	fake_xs.conflicts = 3;
	fake_xs.on_change = driver_connects;
	tool_says(ONE, 0, "");
	same(fake_xs_get(BACKEND "/slot"), "16",
	     "a transaction with conflicts is repeated");

	fresh_store();
	fake_xs.on_change = removes_device;
	tool_says(ONE, 1, "somebody removed the device");
	ok(nothing_left(), "removed by somebody: nothing is left");

	fresh_store();
	fake_xs.on_change = raises_sigterm;
	tool_says(ONE, 1, "interrupted by a signal");
	ok(nothing_left(), "a signal: nothing is left");

	fresh_store();
	fake_xs.refuse_open = true;
	tool_says(ONE, 1, "cannot connect to xenstore");
}

/* Every call to xenstore fails in turn: all is there, or nothing is. */
static void failing_calls(void)
{
	unsigned int call, bad = 0;
	bool complete;
	int status;

	for (call = 1; ; call++) {
		fresh_store();
		fake_xs.on_change = driver_connects;
		fake_xs.fail_call = call;
		status = tool(ONE ",serial=S --serial C --slot 4 --devid 0");
		if (fake_xs.calls < call)
			break;
		complete = fake_xs_get(BACKEND "/hotplug-status") &&
			   fake_xs_get(BACKEND "/disk/0/serial") &&
			   fake_xs_get(FRONTEND "/backend");
		if (fake_xs_open_ends() ||
		    (status ? !nothing_left() || !tool_err[0] : !complete)) {
			printf("# call %u: status %d, %s\n", call, status,
			       tool_err);
			bad++;
		}
	}
	ok(!bad && call > 30, "each of %u calls to xenstore fails in turn",
	   call - 1);
}

#define VBD	"/local/domain/0/backend/vbd/7/51712"
#define QDISK	"/local/domain/0/backend/qdisk/8/5632"
#define READS	"attach --timeout 1 guest --disk params=/dev/fake10,mode=r"

/* Neither xen-blkback nor QEMU says that it has a disk. */
static void served_otherwise(void)
{
	fresh_store();
	fake_xs.on_change = driver_connects;
	fake_xs_set("/local/domain/7/name", "other");
	fake_xs_set(VBD "/physical-device", "fc:a");
	fake_xs_set(VBD "/params", "/dev/none");
	fake_xs_set(VBD "/mode", "w");
	tool_says("attach guest --disk params=/dev/fake10", 1,
		  "params='/dev/fake10' is a disk of domain 7 (other) already, which writes it (" VBD ")");
	ok(nothing_left(), "a disk of xen-blkback: nothing is left");
	tool_says(READS, 1, "which writes it");
	fake_xs_set(VBD "/mode", "r");
	tool_says("attach guest --disk params=/dev/fake10", 1, "which reads it");
	tool_says(READS, 0, "");
	tool_says(ONE, 0, "");

	fresh_store();
	fake_xs.on_change = driver_connects;
	fake_xs_set(VBD "/params", "/dev/fake0");
	fake_xs_set(VBD "/mode", "w");
	tool_says("attach guest --disk params=/dev/alias0", 1,
		  "domain 7 (-)");
	tool_says("attach guest --disk params=/dev/fake1", 0, "");
	tool_says("attach-disk guest 0 --disk params=/dev/alias0", 1,
		  "domain 7 (-)");
	tool_says("attach guest --backend 5 --timeout 1 --disk params=/dev/fake0",
		  4, "");

	fresh_store();
	fake_xs.on_change = driver_connects;
	fake_xs_set(QDISK "/params", "qcow2:/dev/file");
	fake_xs_set(QDISK "/mode", "w");
	tool_says("attach guest --disk params=/dev/file", 1,
		  "params='/dev/file' is a disk of domain 8");
	ok(nothing_left() && !fake_loops_open(),
	   "a file of QEMU's: nothing is left");
	tool_says("attach guest --disk params=/srv/disk.img", 0, "");
	fake_xs_set(QDISK "/params", "aio:");
	tool_says("attach guest --disk params=/dev/file", 0, "");
}

void test_attach(void)
{
	all_nodes();
	files_and_limits();
	formats();
	many_disks();
	other_backend();
	domains();
	numbers();
	refusals();
	slow_drivers();
	disturbances();
	served_otherwise();
	failing_calls();
}
