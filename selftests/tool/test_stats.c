// SPDX-License-Identifier: GPL-2.0
/*
 * What the driver counts, in all forms: stats, top, histogram, show; and check.
 */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../../userspace/host.h"
#include "harness.h"

#define SYSFS	"/sys/bus/xen-backend/devices/ioemu-3-0/disk0/"
#define EXITS	"/sys/bus/xen-backend/devices/ioemu-3-0/controller/stat"

static void no_time(void)
{
}

/*
 * Of a fetch nine took 1 us and one a while; of the disk four took @disk, in all twice
 * as long.
 */
static void fake_latency(unsigned int disk)
{
	char text[1024] = "fetch";
	unsigned int i;

	for (i = 0; i < 36; i++)
		strcat(text, i == 10 ? " 9" : i == 20 ? " 1" : " 0");
	strcat(text, "\ndisk");
	for (i = 0; i < 36; i++)
		strcat(text, i == disk ? " 4" : " 0");
	strcat(text, "\ntotal");
	for (i = 0; i < 36; i++)
		strcat(text, i == disk + 1 ? " 4" : " 0");
	strcat(text, "\n");
	fake_file(SYSFS "latency", text);
}

static void prepare(void)
{
	fresh_store();
	fake_xs.on_change = driver_connects;
	tool("attach guest --disk params=/dev/file,serial=S");
	fake_xs.on_change = NULL;
	fake_file(SYSFS "stat",
		  "reads 10\nread_bytes 40960\nwrites 2\nwrite_bytes 8192\nflushes 1\nin_flight 3\nnew_thing 7\n");
	fake_latency(35);
}

static void numbers(void)
{
	prepare();
	tool_says("stats", 0, "");
	same(tool_out,
	     "domain 3 (guest) device 0 disk 0\n"
	     "  reads                10\n"
	     "  read_bytes           40960\n"
	     "  writes               2\n"
	     "  write_bytes          8192\n"
	     "  flushes              1\n"
	     "  in_flight            3\n", "counters that there are");
	tool_says("stats --json guest 0 0", 0, "");
	out_has("\"read_bytes\": 40960,", "counters as JSON");
	out_has("\"fetch\": [", "histograms as JSON");
	tool_says("stats 3 0 1", 3, "has no disk 1");
	tool_says("stats 99", 3, "there is no domain 99");
	tool_says("top --interval 1 --count 1 99", 3, "there is no domain 99");
	tool_says("stats 3 0 0 1", 2, "one argument too many");
	fake_xs_set("/local/domain/0/backend/ioemu/3/1/disk/0/params", "/dev/x");
	tool_says("stats 3 1 0", 1, "has no statistics");
	tool_says("stats", 0, "");
}

static void openmetrics(void)
{
	prepare();
	fake_xs_set("/local/domain/3/name", "a\"b\\c\nd");
	tool_says("stats --openmetrics", 0, "");
	out_has("# TYPE xen_ioemu_reads counter\n# HELP xen_ioemu_reads Reads",
		"type and help");
	out_has("\nxen_ioemu_reads_total{domid=\"3\",domain=\"a\\\"b\\\\c?d\",devid=\"0\",disk=\"0\"} 10\n",
		"a counter, with a strange name of a domain");
	out_has("# TYPE xen_ioemu_in_flight gauge\n", "a gauge");
	out_has("# UNIT xen_ioemu_read_bytes bytes\n", "a unit");
	out_has("stage=\"fetch\",le=\"1.024e-06\"} 0\n", "an empty bucket");
	out_has("stage=\"fetch\",le=\"2.048e-06\"} 9\n", "a bucket");
	out_has("stage=\"fetch\",le=\"+Inf\"} 10\n", "all of a stage");
	out_has("stage=\"disk\",le=\"34.359738368\"} 0\n", "a long bucket");
	out_has("stage=\"disk\",le=\"+Inf\"} 4\n", "what took longest");
	ok(!strcmp(tool_out + strlen(tool_out) - 6, "# EOF\n"), "the end");
	ok(!strstr(tool_out, "seconds_count") && !strstr(tool_out, "seconds_sum"),
	   "no sums of a driver that has none");

	fake_file(SYSFS "latency_sum",
		  "fetch 1058576\nnew 2\ndisk 137438953472000000\ntotal 7\n");
	tool_says("stats --openmetrics", 0, "");
	out_has("stage=\"fetch\",le=\"+Inf\"} 10\n"
		"xen_ioemu_latency_seconds_count{domid=\"3\",domain=\"a\\\"b\\\\c?d\",devid=\"0\",disk=\"0\",stage=\"fetch\"} 10\n"
		"xen_ioemu_latency_seconds_sum{domid=\"3\",domain=\"a\\\"b\\\\c?d\",devid=\"0\",disk=\"0\",stage=\"fetch\"} 0.001058576\n",
		"count and sum");
	out_has("stage=\"disk\"} 137438953.472000000\n", "a large sum, to the nanosecond");
	tool_says("stats --json", 0, "");
	out_has("\"latency-sum-ns\": {\n      \"fetch\": 1058576,\n", "sums as JSON");
	tool_says("histogram --json 3 0 0", 0, "");
	out_has("\"sum-ns\": 137438953472000000,\n", "a sum as JSON");
	fake_file(SYSFS "latency_sum", "fetch 1058576\n");
	tool_says("stats --openmetrics", 0, "");
	ok(!strstr(tool_out, "seconds_sum"), "sums of all stages or none");
	fake_file(SYSFS "latency_sum", "");
}

static void drawings(void)
{
	prepare();
	tool_says("histogram guest 0 0", 0, "");
	out_has("fetch: 50% within 2.0us, 99% within 2.1ms\n", "percentiles");
	out_has("      1.0us          9 ##################################################\n",
		"a bar");
	tool_says("histogram --svg guest 0 0", 0, "");
	ok(!strncmp(tool_out, "<svg ", 5) && strstr(tool_out, "</svg>\n") &&
	   strstr(tool_out, ">disk</text>"), "a drawing");
	tool_says("histogram --json guest 0 0", 0, "");
	out_has("\"p50-ns\": 2048,", "percentiles as JSON");
	tool_says("histogram guest 0", 2, "DISK is missing");
	fake_xs_set("/local/domain/0/backend/ioemu/3/1/disk/0/params", "/dev/x");
	tool_says("histogram guest 1 0", 1, "has no statistics");
}

static void others(void)
{
	prepare();
	tool_says("show guest 0", 0, "");
	same(tool_out,
	     "domain 3 device 0\n"
	     "  name: guest\n"
	     "  model: nvme\n"
	     "  slot: 16\n"
	     "  state: Connected\n"
	     "disk 0\n"
	     "  params: /dev/loop7\n"
	     "  file: /srv/disk.img\n"
	     "  mode: w\n"
	     "  serial: S\n"
	     "  bytes: 1048576\n"
	     "  reads: 10\n"
	     "  read_bytes: 40960\n"
	     "  writes: 2\n"
	     "  write_bytes: 8192\n"
	     "  flushes: 1\n"
	     "  in_flight: 3\n", "show");
	tool_says("show --json guest 0", 0, "");
	out_has("\"file\": \"/srv/disk.img\",", "show as JSON");
	out_has("\"slot\": 16,", "a slot");
	fake_xs_remove(BACKEND "/slot");
	tool("show --json guest 0");
	out_has("\"slot\": null,", "no slot, as list has it");
	out_has("\"iops-limit\": 0,", "no limit");
	out_has("\"bytes\": 1048576,", "its size");
	fake_xs_set(BACKEND "/disk/0/params", "nothing");
	tool("show --json guest 0");
	out_has("\"bytes\": null,", "a size that nobody knows");
	tool_says("show guest 4", 3, "no device 4");
	tool_says("top --interval 1 --count 1", 0, "");
	out_has("    3 guest                    0    0         0         0", "top");
	tool_says("top --interval 1 --count 1 --json", 0, "");
	out_has("\"in-flight\": 3,", "top as JSON");
	fake_xs_set("/local/domain/3/name", "a-name-of-more-than-24-characters");
	tool("top --interval 1 --count 1 --json");
	out_has("\"name\": \"a-name-of-more-than-24-characters\",",
		"a long name, as list has it");
	tool("top --interval 1 --count 1");
	out_has("    3 a-name-of-more-than-24-characters     0    0 ",
		"all of it for people, too");
	fake_xs_remove("/local/domain/3/name");
	tool("top --interval 1 --count 1 --json");
	out_has("\"name\": null,", "no name, as list has it");
	tool("top --interval 1 --count 1");
	out_has("    3 -                        0    0 ", "which is a dash");
	tool_says("top --count 0", 2, "accepted: 1 to");
	tool_says("trace", 1, "the module is not loaded (modprobe xen-ioemu)");
	tool_says("trace a b", 2, "one argument too many");
}

/* What another domain's driver counts is not what the one here does. */
static void other_backends(void)
{
	prepare();
	fake_file(EXITS, "commands 100\ndoorbells 20\ninterrupts 70\n");
	fake_xs_set("/local/domain/5/backend/ioemu/3/0/disk/0/params", "/dev/x");
	tool_says("show --backend 5 guest 0", 0, "");
	same(tool_out,
	     "domain 3 device 0\n"
	     "  name: guest\n"
	     "  state: Unknown\n"
	     "disk 0\n"
	     "  params: /dev/x\n", "nothing is counted here");
	tool_says("stats --backend 5", 0, "");
	same(tool_out, "", "no counters");
	tool_says("stats --backend 5 guest 0 0", 1, "does the driver run in this domain");
	fake_sleep = no_time;
	tool_says("top --backend 5 --interval 1 --count 1 --json", 0, "");
	same(tool_out, "[]\n", "no rates");
	fake_sleep = NULL;
	tool_says("histogram --backend 5 guest 0 0", 1,
		  "does the driver run in this domain");
	fake_xs_set("domid", "5");
	tool_says("stats --backend 5 guest 0 0", 0, "");
	out_has("  reads                10\n", "in the domain of the driver");
}

/* Another disk gets the number: all that it has done, it has done since. */
static void disk_is_replaced(void)
{
	fake_file(SYSFS "stat",
		  "reads 6\nread_bytes 3145728\nwrites 4\nwrite_bytes 1048576\nflushes 0\nin_flight 1\n");
	fake_latency(12);
}

static unsigned int looks;

static void guest_reboots(void)
{
	if (++looks != 2)
		return;
	fake_xs_remove("/local/domain/3");
	fake_xs_remove("/local/domain/0/backend/ioemu/3");
	fake_xs_set("/local/domain/4/name", "guest");
}

/* The domain has another number then. */
static void reboot(void)
{
	prepare();
	looks = 0;
	fake_sleep = guest_reboots;
	tool_says("top --interval 1 --count 4 guest", 3, "there is no domain 3");
	ok(looks == 2 && strstr(tool_out, "guest"),
	   "it ends at once, after what it has shown");
	prepare();
	looks = 0;
	tool_says("top --interval 1 --count 4", 0, "");
	ok(looks == 4, "all disks are shown for as long as is wanted");
	fake_sleep = NULL;
}

static void replacement(void)
{
	prepare();
	fake_sleep = disk_is_replaced;
	tool_says("top --interval 2 --count 1", 0, "");
	out_has("  RD MiB/S  WR MiB/S ", "units");
	out_has("         3         2       1.5       0.5      1    8.2us    8.2us ",
		"rates and percentiles of a disk that came in between");
	prepare();
	tool_says("top --interval 2 --count 1 --json", 0, "");
	out_has("\"disk-p50-ns\": 8192,\n    \"disk-p99-ns\": 8192,\n"
		"    \"total-p50-ns\": 16384,\n    \"total-p99-ns\": 16384,\n",
		"percentiles of the disk and of all");
	disk_is_replaced();
	tool_says("top --interval 1 --count 1", 0, "");
	out_has("         0         0       0.0       0.0      1        -        - ",
		"of one that does nothing");
	fake_sleep = NULL;
}

/* Each call to xenstore fails in turn: nothing is shown as if that were all. */
static void failing_store(const char *args)
{
	unsigned int call;
	bool good = true, done = false;
	int status;

	prepare();
	fake_file(EXITS, "commands 100\ndoorbells 20\ninterrupts 70\n");
	fake_sleep = no_time;
	for (call = 1; !done; call++) {
		fake_xs.calls = 0;
		fake_xs.fail_call = call;
		status = tool(args);
		done = fake_xs.calls < call;
		if (status == (done ? 0 : 1) && !fake_xs_open_ends() &&
		    (done || strstr(tool_err, "cannot read from xenstore")))
			continue;
		printf("# '%s': failure %u: status %d, '%s'\n", args, call,
		       status, tool_err);
		good = false;
	}
	fake_sleep = NULL;
	fake_xs.fail_call = 0;
	ok(good, "'%s': each of %u calls to xenstore fails in turn", args,
	   call - 2);
}

static void failures(void)
{
	failing_store("list guest");
	failing_store("list --json");
	failing_store("show guest 0");
	failing_store("stats");
	failing_store("stats --openmetrics guest 0 0");
	failing_store("top --interval 1 --count 2 guest");
	failing_store("histogram guest 0 0");
	failing_store("limit guest 0 0");
}

static unsigned int calls_until_gone;

/* The domain goes after so many calls to xenstore. */
static void domain_goes(void)
{
	if (fake_xs.calls != calls_until_gone)
		return;
	fake_xs_remove("/local/domain/3");
	fake_xs_remove("/local/domain/0/backend/ioemu/3");
}

static void gone_at_any_moment(const char *args)
{
	bool good = true, done = false;
	int status;

	for (calls_until_gone = 1; !done; calls_until_gone++) {
		prepare();
		fake_xs.calls = 0;
		fake_xs.on_call = domain_goes;
		fake_sleep = no_time;
		status = tool(args);
		fake_sleep = NULL;
		done = fake_xs.calls < calls_until_gone;
		good = (done ? !status :
			!status || *tool_err) && good;
	}
	ok(good, "'%s': the domain goes at each of %u moments", args,
	   calls_until_gone - 2);
}

static void departures(void)
{
	gone_at_any_moment("stats guest 0 0");
	gone_at_any_moment("stats --json");
	gone_at_any_moment("top --interval 1 --count 2 guest 0 0");
	gone_at_any_moment("show guest 0");
	gone_at_any_moment("list guest");
}

static void fake_module(const char *end)
{
	struct utsname uts;
	char path[256];

	uname(&uts);
	snprintf(path, sizeof(path), "/lib/modules/%s/updates/dkms/xen-ioemu.ko%s",
		 uts.release, end);
	fake_file(path, "");
	tool("check");
	out_has("warning  module         installed, but not loaded\n", end);
	snprintf(path, sizeof(path), "%s/lib/modules/%s/updates/dkms/xen-ioemu.ko%s",
		 host_root, uts.release, end);
	unlink(path);
}

/* What goes wrong later. */
static void surroundings(void)
{
	fake_file("/etc/default/xendomains",
		  "# XENDOMAINS_SAVE=no\nXENDOMAINS_SAVE=/var/lib/xen/save\n");
	fake_xs_set("/local/domain/0/backend/ioemu/12/2/state", "6");
	fake_xs_set("/local/domain/0/backend/ioemu/14/0/state", "4");
	tool("check");
	out_has("warning  shutdown       guests are saved to /var/lib/xen/save\n",
		"guests that are saved");
	out_has("warning  devices        left of domains 12 14\n",
		"devices of domains that are gone");
	fake_file("/etc/default/xendomains",
		  "XENDOMAINS_SAVE=/var/lib/xen/save\nXENDOMAINS_SAVE=\"\"\n");
	tool("check");
	ok(!strstr(tool_out, "guests are saved"), "guests that are not saved");

	fake_module("");
	fake_module(".xz");
	fake_module(".zst");
	fake_module(".gz");
	fake_file("/sys/module/xen_ioemu/version", "0.0.9\n");
	tool("check");
	out_has("warning  module         loaded, version 0.0.9; this tool is test\n",
		"a module of another version");
	fake_file("/sys/module/xen_ioemu/version", "test\n");
}

/* One whose process is there, one whose number another has, a stranger's. */
static void trace_instances(void)
{
	fake_file("/sys/kernel/tracing/instances/xen-ioemu-812/trace", "");
	fake_file("/sys/kernel/tracing/instances/mine/trace", "");
	fake_file("/proc/812/comm", "xen-ioemu\n");
	tool("check");
	ok(!strstr(tool_out, "tracing"), "a trace that goes on");
	fake_file("/sys/kernel/tracing/instances/xen-ioemu-813/trace", "");
	tool("check");
	out_has("warning  tracing        left of processes 813\n",
		"a trace that was killed");
	out_has(": rmdir /sys/kernel/tracing/instances/xen-ioemu-NUMBER\n",
		"what to do about it");
	fake_file("/proc/812/comm", "bash\n");
	fake_file("/proc/813/comm", "xen-ioemu\n");
	tool("check --json");
	out_has("\"check\": \"tracing\",\n    \"result\": \"warning\",\n    \"found\": \"left of processes 812\",\n",
		"the same as JSON");
	fake_file("/proc/812/comm", "xen-ioemu\n");
}

static void work_goes_on(void)
{
	fake_file(EXITS, "commands 1100\ndoorbells 40\ninterrupts 120\n");
}

static void controller_begins_anew(void)
{
	fake_file(EXITS, "commands 5\ndoorbells 9\ninterrupts 4\n");
}

static void exits(void)
{
	prepare();
	fake_file(EXITS, "commands 100\ndoorbells 20\ninterrupts 70\nnew 3\n");
	tool_says("stats guest", 0, "");
	out_has("domain 3 (guest) device 0\n"
		"  commands             100\n"
		"  doorbells            20\n"
		"  interrupts           70\n"
		"  exits_saved          210\n"
		"domain 3 (guest) device 0 disk 0\n", "exits");
	tool_says("stats --json guest", 0, "");
	out_has("\"controller\": {", "exits as JSON");
	out_has("\"exits_saved\": 210", "saved ones as JSON");
	tool_says("show guest 0", 0, "");
	out_has("  exits_saved: 210\ndisk 0\n", "exits of a controller");
	tool_says("show --json guest 0", 0, "");
	out_has("\"stats\": {\n    \"commands\": 100,", "the same as JSON");
	tool_says("stats --openmetrics", 0, "");
	out_has("\nxen_ioemu_doorbells_total{domid=\"3\",domain=\"guest\",devid=\"0\"} 20\n",
		"a metric of a controller");
	out_has("# TYPE xen_ioemu_exits_saved gauge\n", "what may go down");
	out_has("\nxen_ioemu_exits_saved{domid=\"3\",domain=\"guest\",devid=\"0\"} 210\n",
		"saved ones as a metric");

	fake_file(EXITS, "commands 1\ndoorbells 5\ninterrupts 0\n");
	tool_says("stats guest", 0, "");
	out_has("  exits_saved          0\n", "not below 0");
	fake_file(EXITS, "commands 1\n");
	tool_says("stats guest", 0, "");
	ok(!strstr(tool_out, "exits_saved"), "not without all counters");

	fake_file(EXITS, "commands 100\ndoorbells 20\ninterrupts 70\n");
	fake_sleep = work_goes_on;
	tool_says("top --interval 1 --count 1 --json", 0, "");
	out_has("\"exits-per-second\": 70,\n", "exits of a second");
	out_has("\"exits-saved-per-second\": 2930\n", "saved ones of a second");
	fake_sleep = controller_begins_anew;
	tool_says("top --interval 1 --count 1 --json", 0, "");
	out_has("\"exits-saved-per-second\": 0\n", "of a new controller");
	fake_sleep = NULL;
}

/* The host may be booted with another one next time. */
static void kernels(void)
{
	struct utsname uts;
	char path[256];

	uname(&uts);
	snprintf(path, sizeof(path), "/lib/modules/%s/modules.builtin",
		 uts.release);
	fake_file(path, "");
	fake_file("/lib/modules/1.2-left/modules.dep", "");
	fake_file("/lib/modules/1.2-with/modules.builtin", "");
	fake_file("/lib/modules/1.2-with/updates/dkms/xen-ioemu.ko.xz", "");
	tool("check");
	ok(!strstr(tool_out, "other kernels"),
	   "nothing is said of this kernel, one with the module and what one has left");
	fake_file("/lib/modules/1.2-without/modules.builtin", "");
	tool("check");
	out_has("warning  other kernels  no module for 1.2-without\n",
		"another kernel without the module");
}

/* One thing is missing at a time; the rest of the host is well. */
static void missing(void)
{
	static const char control[] = "control_d\n";
	struct utsname uts;
	char module[256];

	uname(&uts);
	fresh_store();
	forget_fake_files();
	snprintf(module, sizeof(module), "/lib/modules/%s/extra/xen-ioemu.ko",
		 uts.release);
	fake_file(module, "");
	fake_file("/sys/hypervisor/type", "xen\n");
	fake_file("/sys/hypervisor/version/major", "4\n");
	fake_file("/sys/hypervisor/version/minor", "17\n");
	fake_file("/proc/xen/capabilities", control);
	tool_says("check", 1, "");
	out_has("error    device model   none found\n", "no device model");
	fake_program("/usr/bin/qemu-system-i386");
	tool_says("check", 0, "");
	out_has("/usr/bin/qemu-system-i386\n", "a device model");
	out_has("warning  ioemu-dm       not installed\n", "no ioemu-dm");
	out_has("warning  loop devices   files cannot be disks\n",
		"no loop devices");
	fake_file("/usr/local/sbin/ioemu-dm", "");
	fake_file("/dev/loop-control", "");
	tool_says("check", 0, "");
	out_has("ok       ioemu-dm       /usr/local/sbin/ioemu-dm\n",
		"one that make install has installed");
	out_has("ok       loop devices   there\n", "loop devices");
	fake_file("/usr/sbin/ioemu-dm", "");
	tool("check");
	out_has("ok       ioemu-dm       /usr/sbin/ioemu-dm\n",
		"one of the package");

	fake_file("/sys/hypervisor/version/minor", "16\n");
	tool_says("check", 0, "");
	out_has("warning  xen            4.16\n", "a Xen that is too old");
	fake_file("/sys/hypervisor/version/minor", "18\n");
	tool("check");
	out_has("ok       xen            4.18\n", "one that is newer");
	fake_file("/proc/xen/capabilities", "\n");
	tool_says("check", 1, "");
	out_has("error    privileges     this is not the control domain\n",
		"not the control domain");
	fake_file("/proc/xen/capabilities", control);
	fake_xs.refuse_open = true;
	tool_says("check", 1, "");
	out_has("error    xenstore       does not answer\n", "no xenstore");
	fake_xs.refuse_open = false;
	fake_file("/sys/kernel/security/lockdown",
		  "none [integrity] confidentiality\n");
	tool_says("check", 0, "");
	out_has("warning  signature      the kernel is locked down\n",
		"a kernel that wants signatures");
	forget_fake_files();
}

static void hosts(void)
{
	prepare();
	tool_says("check", 1, "");
	out_has("error    xen            this machine does not run on Xen\n",
		"no Xen");
	fake_file("/sys/hypervisor/type", "xen\n");
	fake_file("/sys/hypervisor/version/major", "4\n");
	fake_file("/sys/hypervisor/version/minor", "17\n");
	fake_file("/sys/hypervisor/guest_type", "PV\n");
	fake_file("/proc/xen/capabilities", "control_d\n");
	tool_says("check", 1, "");
	out_has("ok       xen            4.17\n", "its version");
	out_has("ok       privileges     control domain\n", "privileges");
	out_has("make && make install\n", "a remedy");
	ok(!strstr(tool_out, "shutdown") && !strstr(tool_out, "g  devices"),
	   "nothing is said of what is as it should be");
	surroundings();
	trace_instances();
	fake_file("/sys/hypervisor/guest_type", "PVH\n");
	fake_file("/sys/module/xen_ioemu/refcnt", "0\n");
	tool_says("check --json", 1, "");
	out_has("\"found\": \"PVH\",\n    \"remedy\": \"the module needs",
		"a remedy as JSON");
	out_has("\"found\": \"loaded\",\n    \"remedy\": null", "nothing to mend");
	tool_says("check now", 2, "takes no argument");
	kernels();
	missing();
}

void test_stats(void)
{
	numbers();
	openmetrics();
	drawings();
	others();
	exits();
	replacement();
	reboot();
	other_backends();
	failures();
	departures();
	hosts();
}
