// SPDX-License-Identifier: GPL-2.0
/*
 * What kind of Xen this host has.
 */
#include <stdio.h>
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

bool host_read(const char *path, char *line, size_t size)
{
	FILE *f = fopen(path, "re");
	bool ok;

	if (!f)
		return false;
	ok = fgets(line, (int)size, f);
	fclose(f);
	if (ok)
		line[strcspn(line, "\n")] = '\0';
	return ok;
}

static void xen_version(char *version, size_t size)
{
	char major[16] = "", minor[16] = "";

	host_read("/sys/hypervisor/version/major", major, sizeof(major));
	host_read("/sys/hypervisor/version/minor", minor, sizeof(minor));
	snprintf(version, size, "%s.%s", major, minor);
}

char *host_device_model(void)
{
	const char *rest;
	char version[40];
	char path[128];
	size_t i;

	xen_version(version, sizeof(version));
	for (i = 0; i < ARRAY_SIZE(device_models); i++) {
		rest = strstr(device_models[i], "%s");
		if (rest)
			snprintf(path, sizeof(path), "%.*s%s%s",
				 (int)(rest - device_models[i]),
				 device_models[i], version, rest + 2);
		else
			snprintf(path, sizeof(path), "%s", device_models[i]);
		if (!access(path, X_OK))
			return xstrdup(path);
	}
	return NULL;
}
