// SPDX-License-Identifier: GPL-2.0
/*
 * xen-ioemu check: can this host do it, and if not, what is missing?
 */
#include <dirent.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "domain.h"
#include "host.h"
#include "info.h"
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

/* The module removes them when it sees a domain end; it may not have been there. */
static void check_nodes(struct report *report, struct xs_handle *xs)
{
	struct store store = { .xs = xs };
	unsigned int *domids, n, i;
	char found[128];
	size_t used;

	used = (size_t)snprintf(found, sizeof(found), "left of domains");
	domids = device_domains(&store, 0, &n);
	for (i = 0; i < n; i++)
		if (!domain_exists(&store, domids[i]) && used < sizeof(found))
			used += (size_t)snprintf(found + used,
						 sizeof(found) - used, " %u",
						 domids[i]);
	free(domids);
	if (strcmp(found, "left of domains") != 0)
		say(report, DOUBTFUL, "devices", found,
		    "see xen-ioemu list; xen-ioemu detach --force DOMAIN DEVID");
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
	if (!xs) {
		say(report, BAD, "xenstore", "does not answer",
		    "start it (systemctl start xenstored, or service xen start)");
		return;
	}
	say(report, GOOD, "xenstore", "answers", NULL);
	check_nodes(report, xs);
	xs_close(xs);
}

/* What the last assignment of a shell's variable in a file says; false without any. */
static bool shell_variable(const char *path, const char *name, char *value,
			   size_t size)
{
	size_t length = strlen(name);
	FILE *f = host_open("%s", path);
	char line[256], *start, *end;
	bool found = false;

	if (!f)
		return false;
	while (fgets(line, sizeof(line), f)) {
		if (strncmp(line, name, length) != 0 || line[length] != '=')
			continue;
		start = line + length + 1;
		start += strspn(start, "\"'");
		end = start + strcspn(start, "\"' \t#\n");
		snprintf(value, size, "%.*s", (int)(end - start), start);
		found = true;
	}
	fclose(f);
	return found;
}

/* Debian's default saves all guests when the host is shut down. */
static void check_shutdown(struct report *report)
{
	static const char file[] = "/etc/default/xendomains";
	char dir[128], found[160];

	if (!shell_variable(file, "XENDOMAINS_SAVE", dir, sizeof(dir)) ||
	    !dir[0])
		return;
	snprintf(found, sizeof(found), "guests are saved to %s", dir);
	say(report, DOUBTFUL, "shutdown", found,
	    "guests with such disks cannot be restored: XENDOMAINS_SAVE=\"\" in /etc/default/xendomains");
}

static bool module_installed(const char *release)
{
	static const char *const dirs[] = { "updates/dkms", "updates", "extra" };
	static const char *const ends[] = { "", ".xz", ".zst", ".gz" };
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(dirs); i++)
		for (j = 0; j < ARRAY_SIZE(ends); j++)
			if (host_exists("/lib/modules/%s/%s/xen-ioemu.ko%s",
					release, dirs[i], ends[j]))
				return true;
	return false;
}

/* An upgrade leaves the module alone that serves guests. */
static void check_loaded(struct report *report)
{
	char version[64], found[128];

	if (!host_read(version, sizeof(version),
		       "/sys/module/xen_ioemu/version") ||
	    !strcmp(version, VERSION)) {
		say(report, GOOD, "module", "loaded", NULL);
		return;
	}
	snprintf(found, sizeof(found), "loaded, version %s; this tool is %s",
		 version, VERSION);
	say(report, DOUBTFUL, "module", found,
	    "when no guest has such a disk: systemctl restart xen-ioemu");
}

static void check_module(struct report *report)
{
	char line[128] = "", found[160];
	struct utsname uts = { };

	uname(&uts);
	if (host_exists("/sys/module/xen_ioemu")) {
		check_loaded(report);
		return;
	}
	if (!module_installed(uts.release)) {
		snprintf(found, sizeof(found), "not installed for kernel %s",
			 uts.release);
		say(report, BAD, "module", found,
		    "install xen-ioemu-dkms and the kernel's headers, or: make && make install");
		return;
	}
	say(report, DOUBTFUL, "module", "installed, but not loaded",
	    "the first disk has it loaded, and so does: modprobe xen-ioemu");
	if (host_read(line, sizeof(line), "/sys/kernel/security/lockdown") &&
	    !strstr(line, "[none]"))
		say(report, DOUBTFUL, "signature", "the kernel is locked down",
		    "the module must be signed with a key that the machine knows: mokutil --import /var/lib/dkms/mok.pub");
}

/* Begins with @intro; what there is no room for is left out. */
static void add_word(char *text, size_t size, const char *intro,
		     const char *word)
{
	size_t used = strlen(text);

	if (!used)
		snprintf(text, size, "%s %s", intro, word);
	else
		snprintf(text + used, size - used, " %s", word);
}

/* Is it a kernel that is installed, and not what one has left? */
static bool kernel_without(const char *release)
{
	return host_exists("/lib/modules/%s/modules.builtin", release) &&
	       !module_installed(release);
}

/* Guests do not get their disks after the host was booted with one of these. */
static void check_kernels(struct report *report)
{
	char path[PATH_MAX], found[256] = "";
	struct utsname uts = { };
	struct dirent *entry;
	DIR *dir;

	uname(&uts);
	host_path(path, sizeof(path), "/lib/modules");
	dir = opendir(path);
	if (!dir)
		return;
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, uts.release) != 0 &&
		    kernel_without(entry->d_name))
			add_word(found, sizeof(found), "no module for",
				 entry->d_name);
	closedir(dir);
	if (found[0])
		say(report, DOUBTFUL, "other kernels", found,
		    "before one of them is booted, install its headers, for DKMS, or remove it");
}

/* The number is perhaps another program's by now. */
static bool traces(unsigned int pid)
{
	char comm[32];

	return host_read(comm, sizeof(comm), "/proc/%u/comm", pid) &&
	       !strcmp(comm, "xen-ioemu");
}

/* Who was killed has not removed its instance, and events are written to it. */
static void check_traces(struct report *report)
{
	static const char prefix[] = "xen-ioemu-";
	char path[PATH_MAX], found[128] = "";
	struct dirent *entry;
	unsigned int pid;
	DIR *dir;

	host_path(path, sizeof(path), TRACE_INSTANCES);
	dir = opendir(path);
	if (!dir)
		return;
	while ((entry = readdir(dir)))
		if (!strncmp(entry->d_name, prefix, strlen(prefix)) &&
		    parse_number(entry->d_name + strlen(prefix), 1, INT_MAX,
				 &pid) &&
		    !traces(pid))
			add_word(found, sizeof(found), "left of processes",
				 entry->d_name + strlen(prefix));
	closedir(dir);
	if (found[0])
		say(report, DOUBTFUL, "tracing", found,
		    "they cost time for every request: rmdir " TRACE_INSTANCE "NUMBER");
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
		check_shutdown(&report);
	}
	check_module(&report);
	check_kernels(&report);
	check_traces(&report);
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
