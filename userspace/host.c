// SPDX-License-Identifier: GPL-2.0
/*
 * What kind of Xen this host has.
 */
#include <dirent.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"
#include "tool.h"

/* %s stands for the version of the running Xen. */
static const char *const device_models[] = {
	"/usr/lib/xen-%s/bin/qemu-system-i386",
	"/usr/libexec/xen-qemu-system-i386",
	"/usr/libexec/xen/bin/qemu-system-i386",
	"/usr/lib/xen/bin/qemu-system-i386",
	"/usr/lib64/xen/bin/qemu-system-i386",
	"/usr/local/lib/xen/bin/qemu-system-i386",
	"/usr/local/libexec/xen/bin/qemu-system-i386",
	"/usr/bin/qemu-system-i386",
	"/usr/bin/qemu-system-x86_64",
};

const char *host_root = "";

static void make_path(char *path, size_t size, const char *fmt, va_list ap)
{
	size_t n = (size_t)snprintf(path, size, "%s", host_root);

	if (n < size)
		vsnprintf(path + n, size - n, fmt, ap);
}

void host_path(char *path, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	make_path(path, size, fmt, ap);
	va_end(ap);
}

bool host_exists(const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list ap;

	va_start(ap, fmt);
	make_path(path, sizeof(path), fmt, ap);
	va_end(ap);
	return !access(path, F_OK);
}

FILE *host_open(const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list ap;

	va_start(ap, fmt);
	make_path(path, sizeof(path), fmt, ap);
	va_end(ap);
	return fopen(path, "re");
}

bool host_read(char *line, size_t size, const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list ap;
	FILE *f;
	bool ok;

	va_start(ap, fmt);
	make_path(path, sizeof(path), fmt, ap);
	va_end(ap);
	f = fopen(path, "re");
	if (!f)
		return false;
	ok = fgets(line, (int)size, f);
	fclose(f);
	if (ok)
		line[strcspn(line, "\n")] = '\0';
	return ok;
}

static bool process_has(unsigned int pid, const char *path)
{
	char name[PATH_MAX], target[PATH_MAX];
	struct dirent *entry;
	bool has = false;
	ssize_t n;
	DIR *dir;

	host_path(name, sizeof(name), "/proc/%u/fd", pid);
	dir = opendir(name);
	if (!dir)
		return false;
	while (!has && (entry = readdir(dir))) {
		host_path(name, sizeof(name), "/proc/%u/fd/%s", pid,
			  entry->d_name);
		n = readlink(name, target, sizeof(target));
		has = n == (ssize_t)strlen(path) &&
		      !memcmp(target, path, (size_t)n);
	}
	closedir(dir);
	return has;
}

void host_holder(char *text, size_t size, const char *path)
{
	char name[PATH_MAX], comm[32] = "-";
	struct dirent *entry;
	unsigned int pid;
	bool found = false;
	DIR *dir;

	host_path(name, sizeof(name), "/proc");
	dir = opendir(name);
	if (!dir)
		return;
	while (!found && (entry = readdir(dir)))
		found = parse_number(entry->d_name, 1, INT_MAX, &pid) &&
			pid != (unsigned int)getpid() && process_has(pid, path);
	closedir(dir);
	if (!found)
		return;
	host_read(comm, sizeof(comm), "/proc/%u/comm", pid);
	snprintf(text, size, "process %u (%s)", pid, comm);
}

void host_xen_version(char *version, size_t size)
{
	char major[16], minor[16];

	version[0] = '\0';
	if (host_read(major, sizeof(major), "/sys/hypervisor/version/major") &&
	    host_read(minor, sizeof(minor), "/sys/hypervisor/version/minor"))
		snprintf(version, size, "%s.%s", major, minor);
}

/*
 * Whoever starts a device model is part of a Xen, and of several installed ones that
 * is the one to follow: xl lies in its sbin directory, or in bin with all others.
 */
static bool beside_parent(char *path, size_t size)
{
	static const char *const places[] = {
		"/qemu-system-i386",
		"/../lib/xen/bin/qemu-system-i386",
		"/../libexec/xen/bin/qemu-system-i386",
	};
	char link[PATH_MAX], exe[PATH_MAX];
	ssize_t n;
	size_t i;

	host_path(link, sizeof(link), "/proc/%d/exe", (int)getppid());
	n = readlink(link, exe, sizeof(exe) - 1);
	if (n <= 0)
		return false;
	exe[n] = '\0';
	*strrchr(exe, '/') = '\0';
	/* QEMU of the system is not one for Xen just because a shell is there too. */
	for (i = strcmp(exe, "/usr/bin") ? 0 : 1; i < ARRAY_SIZE(places); i++) {
		host_path(path, size, "%s%s", exe, places[i]);
		if (!access(path, X_OK))
			return true;
	}
	return false;
}

char *host_device_model(void)
{
	char version[40], path[PATH_MAX], whole[PATH_MAX];
	const char *rest;
	size_t i;

	if (beside_parent(path, sizeof(path)))
		return copy_text(realpath(path, whole) ? whole : path);

	host_xen_version(version, sizeof(version));
	for (i = 0; i < ARRAY_SIZE(device_models); i++) {
		rest = strstr(device_models[i], "%s");
		if (rest)
			host_path(path, sizeof(path), "%.*s%s%s",
				  (int)(rest - device_models[i]),
				  device_models[i], version, rest + 2);
		else
			host_path(path, sizeof(path), "%s", device_models[i]);
		if (!access(path, X_OK))
			return copy_text(path);
	}
	return NULL;
}
