// SPDX-License-Identifier: GPL-2.0
/*
 * Loop devices, and waiting for block devices that are in use.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "host.h"
#include "loop.h"
#include "tool.h"

#define PAUSE_NS	50000000	/* between two looks */
#define PATIENCE_MS	2000		/* others are in the way for moments */
#define MARK		"xen-ioemu "	/* of devices that are made here */

long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static void pause_a_little(void)
{
	struct timespec ts = { .tv_nsec = PAUSE_NS };

	nanosleep(&ts, NULL);
}

/* Does the open loop device have the file? */
static bool has_file(int fd, const struct stat *st, struct loop_info64 *info)
{
	return !ioctl(fd, LOOP_GET_STATUS64, info) &&
	       info->lo_inode == st->st_ino && info->lo_device == st->st_dev;
}

/* Does the loop device of this name, in /dev, have the file? */
static bool named_has_file(const char *name, const struct stat *st,
			   bool *read_only)
{
	struct loop_info64 info;
	char path[300];
	bool has;
	int fd;

	snprintf(path, sizeof(path), "/dev/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return false;
	has = has_file(fd, st, &info);
	*read_only = has && info.lo_flags & LO_FLAGS_READ_ONLY;
	close(fd);
	return has;
}

/*
 * Name of a loop device that must not exist beside a new one of this file. Returns
 * 1 if there is one, 0 if not, -1 when that cannot be found out.
 */
static int find_rival(const struct stat *st, bool read_only, char *name,
		      size_t size)
{
	struct dirent *entry;
	bool found = false;
	bool rival_reads;
	char path[300];
	DIR *dir;

	host_path(path, sizeof(path), "/sys/block");
	dir = opendir(path);
	if (!dir)
		return -1;
	while (!found && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "loop", 4) != 0 ||
		    !host_exists("/sys/block/%s/loop", entry->d_name) ||
		    !named_has_file(entry->d_name, st, &rival_reads))
			continue;
		found = !read_only || !rival_reads;
		snprintf(name, size, "%.15s", entry->d_name);
	}
	closedir(dir);
	return found;
}

/* Of two who want the same file, the second sees the first's device. */
static bool wait_lock(int file, const char *path, long long until)
{
	while (flock(file, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK) {
			complain("params='%s': %s", path, strerror(errno));
			return false;
		}
		if (now_ms() >= until) {
			complain("params='%s' is locked by somebody (see lslocks)",
				 path);
			return false;
		}
		pause_a_little();
	}
	return true;
}

/*
 * A device that was made here and that no driver has any more: the device model of a
 * domain keeps those of disks that were removed. Others are not touched, since not
 * all users of a device have it for themselves. While it is open here it does not go.
 */
static int open_left(const char *name, const struct stat *st, bool *read_only)
{
	struct loop_info64 info;
	int fd, alone, left;
	char path[80];

	snprintf(path, sizeof(path), "/dev/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	alone = open(path, O_RDONLY | O_EXCL | O_CLOEXEC);
	left = alone >= 0 && has_file(fd, st, &info) &&
	       !strncmp((char *)info.lo_file_name, MARK, strlen(MARK));
	if (alone >= 0)
		close(alone);
	if (!left) {
		close(fd);
		return -1;
	}
	*read_only = info.lo_flags & LO_FLAGS_READ_ONLY;
	return fd;
}

/* Use such a device again: who only reads can have one that may be written. */
static int reuse(const char *name, const struct stat *st, bool read_only,
		 char **device)
{
	bool left_reads = false;
	int fd = open_left(name, st, &left_reads);
	char path[80];

	if (fd < 0)
		return -1;
	snprintf(path, sizeof(path), "/dev/%s", name);
	if ((read_only || !left_reads) && !ioctl(fd, LOOP_SET_CAPACITY)) {
		*device = copy_text(path);
		if (*device)
			return fd;
	}
	close(fd);
	return -1;
}

static void complain_rival(const char *path, const char *name,
			   const struct stat *st)
{
	char device[80], holder[64] = "somebody";
	bool left_reads = false;
	int fd = open_left(name, st, &left_reads);

	if (fd >= 0)
		close(fd);
	if (!left_reads) {
		complain("params='%s' is in use as /dev/%s; a file must not be used by two",
			 path, name);
		return;
	}
	snprintf(device, sizeof(device), "/dev/%s", name);
	host_holder(holder, sizeof(holder), device);
	complain("params='%s' was a disk with mode=r, and %s keeps its read-only %s; until that ends, which a device model does with its domain, it can be had with mode=r only",
		 path, holder, device);
}

/* What is there already: 0 and no device, a device's descriptor, or -1. */
static int wait_no_rival(int file, const char *path, bool read_only,
			 long long until, char **device)
{
	int found, fd;
	char name[64];
	struct stat st;

	found = fstat(file, &st);
	while (!found && (found = find_rival(&st, read_only, name,
					     sizeof(name))) > 0) {
		fd = reuse(name, &st, read_only, device);
		if (fd >= 0)
			return fd;
		if (now_ms() >= until) {
			complain_rival(path, name, &st);
			return -1;
		}
		pause_a_little();
		found = 0;
	}
	if (found)
		complain("params='%s': %s", path, strerror(errno));
	return found;
}

static int configure(int device, int file, const char *path, bool read_only)
{
	struct loop_config config = {
		.fd = (unsigned int)file,
		.info.lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO |
				 (read_only ? LO_FLAGS_READ_ONLY : 0),
	};

	/* Who looks for the file's name finds the whole of it in sysfs. */
	snprintf((char *)config.info.lo_file_name, LO_NAME_SIZE, MARK "%s",
		 path);
	return ioctl(device, LOOP_CONFIGURE, &config);
}

/* Others may take the free device that the kernel names. */
static int take_device(int file, const char *path, bool read_only,
		       long long until, char **device)
{
	int flags = (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC;
	int control, number, fd;
	char name[32];

	control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	if (control < 0)
		return -1;
	do {
		number = ioctl(control, LOOP_CTL_GET_FREE);
		if (number < 0)
			break;
		snprintf(name, sizeof(name), "/dev/loop%d", number);
		fd = open(name, flags);
		if (fd >= 0 && !configure(fd, file, path, read_only)) {
			close(control);
			*device = copy_text(name);
			if (*device)
				return fd;
			close(fd);
			return -1;
		}
		if (fd >= 0) {
			close(fd);
			if (errno != EBUSY)
				break;
		}
		pause_a_little();
	} while (now_ms() < until);
	close(control);
	return -1;
}

int loop_open(const char *file, bool read_only, long long until,
	      char **device)
{
	long long moments = until ?: now_ms() + PATIENCE_MS;
	int fd, loop = -1;

	fd = open(file, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	if (fd < 0) {
		complain("params='%s': %s", file, strerror(errno));
		return -1;
	}
	if (!wait_lock(fd, file, moments)) {
		close(fd);
		return -1;
	}
	*device = NULL;
	loop = wait_no_rival(fd, file, read_only, until, device);
	if (loop >= 0 && !*device) {
		loop = take_device(fd, file, read_only, moments, device);
		if (loop < 0)
			complain("params='%s': cannot make a loop device of it: %s; is the module 'loop' loaded?",
				 file, strerror(errno));
	}
	/* The loop device keeps the open file, and with it the lock. */
	flock(fd, LOCK_UN);
	close(fd);
	return loop;
}

char *loop_file(const char *device)
{
	char path[128], file[4096];
	struct stat st;
	FILE *f;

	if (stat(device, &st) || !S_ISBLK(st.st_mode))
		return NULL;
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/loop/backing_file",
		 major(st.st_rdev), minor(st.st_rdev));
	f = fopen(path, "re");
	if (!f)
		return NULL;
	if (!fgets(file, sizeof(file), f))
		file[0] = '\0';
	fclose(f);
	file[strcspn(file, "\n")] = '\0';
	return file[0] ? copy_text(file) : NULL;
}

int loop_open_file(const char *device, const char *file)
{
	int loop = open(device, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int fd = open(file, O_RDWR | O_CLOEXEC);
	struct loop_info64 info;
	struct stat st;

	if (loop < 0 || fd < 0 || fstat(fd, &st)) {
		complain("%s: %s", loop < 0 ? device : file, strerror(errno));
	} else if (!has_file(loop, &st, &info)) {
		complain("%s is not the file of %s any more", file, device);
	} else {
		close(loop);
		return fd;
	}
	if (fd >= 0)
		close(fd);
	if (loop >= 0)
		close(loop);
	return -1;
}

bool loop_resize(const char *device)
{
	int fd = open(device, O_RDONLY | O_CLOEXEC);
	bool ok = fd >= 0 && !ioctl(fd, LOOP_SET_CAPACITY);

	if (!ok)
		complain("%s: %s", device, strerror(errno));
	if (fd >= 0)
		close(fd);
	return ok;
}

bool device_bytes(const char *device, uint64_t *bytes)
{
	int fd = open(device, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool ok = fd >= 0 && !ioctl(fd, BLKGETSIZE64, bytes);

	if (fd >= 0)
		close(fd);
	return ok;
}

void device_wait_free(const char *device, long long until)
{
	int fd;

	for (;;) {
		fd = open(device, O_RDONLY | O_EXCL | O_CLOEXEC);
		if (fd >= 0) {
			close(fd);
			return;
		}
		if (errno != EBUSY || now_ms() >= until)
			return;
		pause_a_little();
	}
}
