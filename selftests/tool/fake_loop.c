// SPDX-License-Identifier: GPL-2.0
/*
 * Stands in for what makes loop devices: every file becomes /dev/loop7.
 */
#include <fcntl.h>
#include <string.h>

#include "../../userspace/loop.h"
#include "../../userspace/tool.h"
#include "harness.h"

static int open_fd = -1;

int loop_open(const char *file, bool read_only, unsigned int wait,
	      char **device)
{
	(void)file;
	(void)read_only;
	(void)wait;
	*device = xstrdup("/dev/loop7");
	open_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return open_fd;
}

char *loop_file(const char *device)
{
	return strcmp(device, "/dev/loop7") ? NULL : xstrdup("/srv/disk.img");
}

bool loop_resize(const char *device)
{
	return !strcmp(device, "/dev/loop7");
}

bool device_bytes(const char *device, uint64_t *bytes)
{
	if (strncmp(device, "/dev/", 5) != 0)
		return false;
	*bytes = 1048576;
	return true;
}

void device_wait_free(const char *device, unsigned int seconds)
{
	(void)device;
	(void)seconds;
}

unsigned int fake_loops_open(void)
{
	return open_fd >= 0 && fcntl(open_fd, F_GETFD) >= 0;
}
