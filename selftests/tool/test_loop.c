// SPDX-License-Identifier: GPL-2.0
/*
 * Which loop device a file gets, against a made-up kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../userspace/host.h"
#include "../../userspace/tool.h"
#include "harness.h"

#define FILE_PATH	"/srv/disk.img"
#define DEVICES		4
#define FDS		64

int real_loop_open(const char *file, bool read_only, long long until,
		   char **device);
int fake_open(const char *path, int flags, ...);
int fake_ioctl(int fd, unsigned long request, ...);

/* Of FILE_PATH if @used; @claimed by a driver, or by a mount. */
struct fake_device {
	bool used;
	bool claimed;
	bool read_only;
	const char *name;
};

static struct fake_device devices[DEVICES];

/* By descriptor. */
static struct fake_device *opened[FDS];

static struct fake_device *find(const char *path)
{
	int n;

	if (sscanf(path, "/dev/loop%d", &n) != 1 || n >= DEVICES)
		return NULL;
	return &devices[n];
}

int fake_open(const char *path, int flags, ...)
{
	struct fake_device *device = find(path);
	char whole[128];
	int fd;

	if (device && device->claimed && flags & O_EXCL) {
		errno = EBUSY;
		return -1;
	}
	if (device && device->read_only && (flags & O_ACCMODE) != O_RDONLY) {
		errno = EACCES;
		return -1;
	}
	host_path(whole, sizeof(whole), FILE_PATH);
	fd = open(whole, flags & ~O_EXCL);
	if (fd < 0 || fd >= FDS)
		abort();
	opened[fd] = device;
	return fd;
}

static int configure(struct fake_device *device,
		     const struct loop_config *config)
{
	if (device->used) {
		errno = EBUSY;
		return -1;
	}
	device->used = true;
	device->read_only = config->info.lo_flags & LO_FLAGS_READ_ONLY;
	device->name = "xen-ioemu " FILE_PATH;
	return strcmp((const char *)config->info.lo_file_name, device->name);
}

static int status(const struct fake_device *device, struct loop_info64 *info)
{
	struct stat st;

	if (!device->used) {
		errno = ENXIO;
		return -1;
	}
	stat(FILE_PATH, &st);
	memset(info, 0, sizeof(*info));
	info->lo_inode = st.st_ino;
	info->lo_device = st.st_dev;
	info->lo_flags = device->read_only ? LO_FLAGS_READ_ONLY : 0;
	strcpy((char *)info->lo_file_name, device->name);
	return 0;
}

int fake_ioctl(int fd, unsigned long request, ...)
{
	void *arg = NULL;
	va_list ap;
	int i;

	if (request == LOOP_CTL_GET_FREE) {
		for (i = 0; devices[i].used; i++)
			;
		return i;
	}
	if (request == LOOP_SET_CAPACITY)
		return 0;
	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	switch (request) {
	case LOOP_CONFIGURE:
		return configure(opened[fd], arg);
	case LOOP_GET_STATUS64:
		return status(opened[fd], arg);
	default:
		abort();
	}
}

static void fresh_devices(void)
{
	char path[64];
	int i;

	memset(devices, 0, sizeof(devices));
	fake_file(FILE_PATH, "");
	for (i = 0; i < DEVICES; i++) {
		snprintf(path, sizeof(path), "/sys/block/loop%d/loop/offset", i);
		fake_file(path, "0\n");
	}
	fake_file("/sys/block/sda/size", "1\n");
}

static char said[1024];

static void note(const char *line)
{
	snprintf(said, sizeof(said), "%s", line);
}

static void same_or_part(const char *got, const char *wanted, const char *name)
{
	if (*wanted == '/')
		same(got, wanted, name);
	else if (!ok(strstr(got, wanted) != NULL, "%s", name))
		printf("#   got '%s'\n#   wanted '%s'\n", got, wanted);
}

/* @wanted: the device, or part of what is said when there is none. */
static void gives(bool read_only, const char *wanted, const char *name)
{
	char *device = NULL;
	int fd;

	said[0] = '\0';
	complain_to(note);
	fd = real_loop_open(FILE_PATH, read_only, 0, &device);
	complain_to(NULL);
	if (fd >= 0)
		close(fd);
	same_or_part(fd < 0 ? said : device, wanted, name);
	free(device);
}

static void one_device(void)
{
	fresh_devices();
	gives(false, "/dev/loop0", "a file gets a device");
	ok(devices[0].used && !devices[0].read_only, "which may be written");
	devices[0].claimed = true;
	gives(false, "'" FILE_PATH "' is in use as /dev/loop0; a file must not be used by two",
	      "nobody else may write");
	gives(true, "is in use as /dev/loop0", "or read");

	fresh_devices();
	gives(true, "/dev/loop0", "a file that is only read");
	ok(devices[0].read_only, "cannot be written");
	devices[0].claimed = true;
	gives(true, "/dev/loop1", "a second reader has its own device");
	devices[1].claimed = true;
	gives(false, "is in use as /dev/loop", "nobody may write it then");
}

static void held_by(const char *pid, const char *comm, const char *target)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	fake_file(path, comm);
	snprintf(path, sizeof(path), "/proc/%s/fd/3", pid);
	fake_file(path, "");
	snprintf(path, sizeof(path), "%s/proc/%s/fd/4", host_root, pid);
	if (symlink(target, path))
		abort();
}

/* What a device model keeps of a disk that was removed. */
static void left_devices(void)
{
	fresh_devices();
	gives(false, "/dev/loop0", "a disk that is written");
	gives(false, "/dev/loop0", "it comes back with the device that is left");
	gives(true, "/dev/loop0", "also when it is only to be read");
	ok(!devices[1].used, "there is no second device");
	devices[0].name = FILE_PATH;
	gives(true, "is in use as /dev/loop0", "a stranger's device is not taken");

	fresh_devices();
	gives(true, "/dev/loop0", "a disk that is only read");
	gives(false, "was a disk with mode=r, and somebody keeps its read-only /dev/loop0;",
	      "it does not come back to be written");
	held_by("811", "bash\n", "/dev/loop01");
	held_by("812", "qemu-system-i38\n", "/dev/loop0");
	gives(false, "and process 812 (qemu-system-i38) keeps its read-only /dev/loop0; until that ends, which a device model does with its domain, it can be had with mode=r only",
	      "it says who keeps it, and until when");
	devices[0].name = FILE_PATH;
	gives(false, "is in use as /dev/loop0", "a stranger's is only in use");
}

void test_loop(void)
{
	one_device();
	left_devices();
	forget_fake_files();
}
