// SPDX-License-Identifier: GPL-2.0
/*
 * xen-ioemu check: can this host do it, and if not, what is missing?
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "host.h"
#include "json.h"
#include "xs.h"

/**
 * struct report - what was found
 * @as_json: --json
 * @json: the output with --json
 * @failed: something that is needed is missing
 */
struct report {
	bool as_json;
	struct json json;
	bool failed;
};

enum result { GOOD, DOUBTFUL, BAD };

/* @remedy: what to do about it; not shown when all is well. */
static void say(struct report *report, enum result result, const char *what,
		const char *found, const char *remedy)
{
	static const char *const words[] = { "ok", "warning", "error" };

	report->failed |= result == BAD;
	if (result == GOOD)
		remedy = NULL;
	if (report->as_json) {
		json_open(&report->json, NULL, '{');
		json_string(&report->json, "check", what);
		json_string(&report->json, "result", words[result]);
		json_string(&report->json, "found", found);
		json_string(&report->json, "remedy", remedy);
		json_close(&report->json, '}');
		return;
	}
	printf("%-8s %-14s %s\n", words[result], what, found);
	if (remedy)
		printf("%24s%s\n", "", remedy);
}

static bool check_xen(struct report *report)
{
	unsigned int major, minor;
	char type[32], version[40];

	if (!host_read(type, sizeof(type), "/sys/hypervisor/type") ||
	    strcmp(type, "xen") != 0) {
		say(report, BAD, "xen", "this machine does not run on Xen",
		    "install Xen (Debian: xen-system-amd64) and boot it");
		return false;
	}
	host_xen_version(version, sizeof(version));
	if (sscanf(version, "%u.%u", &major, &minor) == 2 &&
	    (major > 4 || (major == 4 && minor >= 17)))
		say(report, GOOD, "xen", version, NULL);
	else
		say(report, DOUBTFUL, "xen", version,
		    "tested with 4.17; older ones may lack what the module needs");
	return true;
}

static void check_domain(struct report *report)
{
	char line[64] = "", type[32] = "PV";

	host_read(line, sizeof(line), "/proc/xen/capabilities");
	if (strstr(line, "control_d"))
		say(report, GOOD, "privileges", "control domain", NULL);
	else
		say(report, BAD, "privileges", "this is not the control domain",
		    "run it in domain 0; if this is domain 0, mount -t xenfs none /proc/xen");
	host_read(type, sizeof(type), "/sys/hypervisor/guest_type");
	if (strcmp(type, "PV") != 0)
		say(report, BAD, "kind of host", type,
		    "the module needs a PV domain 0: remove dom0=pvh from Xen's command line");
	else
		say(report, GOOD, "kind of host", "PV", NULL);
}

static void check_user(struct report *report)
{
	struct xs_handle *xs;

	if (geteuid())
		say(report, DOUBTFUL, "user", "not root",
		    "call it as root (sudo)");
	else
		say(report, GOOD, "user", "root", NULL);
	xs = xs_open(0);
	if (xs)
		xs_close(xs);
	if (xs)
		say(report, GOOD, "xenstore", "answers", NULL);
	else
		say(report, BAD, "xenstore", "does not answer",
		    "start it (systemctl start xenstored, or service xen start)");
}

static bool module_installed(const char *release)
{
	static const char *const dirs[] = { "updates/dkms", "updates", "extra" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(dirs); i++)
		if (host_exists("/lib/modules/%s/%s/xen-ioemu.ko", release,
				dirs[i]) ||
		    host_exists("/lib/modules/%s/%s/xen-ioemu.ko.xz", release,
				dirs[i]))
			return true;
	return false;
}

static void check_module(struct report *report)
{
	char line[128] = "", found[160];
	struct utsname uts = { };

	uname(&uts);
	if (host_exists("/sys/module/xen_ioemu")) {
		say(report, GOOD, "module", "loaded", NULL);
		return;
	}
	if (!module_installed(uts.release)) {
		snprintf(found, sizeof(found), "not installed for kernel %s",
			 uts.release);
		say(report, BAD, "module", found,
		    "install xen-ioemu-dkms and the kernel's headers, or: make && make install");
		return;
	}
	say(report, BAD, "module", "installed, but not loaded",
	    "modprobe xen-ioemu");
	if (host_read(line, sizeof(line), "/sys/kernel/security/lockdown") &&
	    !strstr(line, "[none]"))
		say(report, DOUBTFUL, "signature", "the kernel is locked down",
		    "the module must be signed with a key that the machine knows: mokutil --import /var/lib/dkms/mok.pub");
}

static void check_programs(struct report *report)
{
	char *dm = host_device_model();

	if (dm)
		say(report, GOOD, "device model", dm, NULL);
	else
		say(report, BAD, "device model", "none found",
		    "install it (Debian: qemu-system-xen), or name it with -ioemu-dm in device_model_args");
	free(dm);
	if (host_exists("/usr/sbin/ioemu-dm"))
		say(report, GOOD, "ioemu-dm", "/usr/sbin/ioemu-dm", NULL);
	else if (host_exists("/usr/local/sbin/ioemu-dm"))
		say(report, GOOD, "ioemu-dm", "/usr/local/sbin/ioemu-dm", NULL);
	else
		say(report, DOUBTFUL, "ioemu-dm", "not installed",
		    "install xen-ioemu-utils, or: make install");
	if (host_exists("/dev/loop-control"))
		say(report, GOOD, "loop devices", "there", NULL);
	else
		say(report, DOUBTFUL, "loop devices",
		    "files cannot be disks", "modprobe loop");
}

static enum tool_status run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json",	no_argument, NULL, 'j' },
		{ }
	};
	struct report report = { };
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'j')
			return TOOL_USAGE;
		report.as_json = true;
	}
	if (optind < argc) {
		complain("check takes no argument, '%s' was given",
			 argv[optind]);
		return TOOL_USAGE;
	}
	json_init(&report.json, stdout);
	if (report.as_json)
		json_open(&report.json, NULL, '[');
	if (check_xen(&report)) {
		check_domain(&report);
		check_user(&report);
	}
	check_module(&report);
	check_programs(&report);
	if (report.as_json)
		json_close(&report.json, ']');
	return report.failed ? TOOL_FAILED : TOOL_OK;
}

const struct command check_command = {
	.name = "check",
	.summary = "look whether this host is able",
	.usage =
	"Usage: xen-ioemu check [OPTIONS]\n"
	"\n"
	"Looks whether this host has all that is needed, and says what is missing and how\n"
	"to mend it. The exit status is 1 when something is.\n"
	"\n"
	"  --json          print a JSON array of objects\n",
	.run = run,
};
