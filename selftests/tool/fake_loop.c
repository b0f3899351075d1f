// SPDX-License-Identifier: GPL-2.0
/*
 * Stands in for what makes loop devices: every file becomes /dev/loop7.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../../userspace/loop.h"
#include "../../userspace/tool.h"
#include "harness.h"

static int open_fd = -1;

bool fake_other_file;

/* Only waiting takes time. */
static long long fake_time = 1000000;

long long now_ms(void)
{
	return fake_time;
}

int loop_open(const char *file, bool read_only, long long until,
	      char **device)
{
	(void)file;
	(void)read_only;
	(void)until;
	*device = copy_text("/dev/loop7");
	if (!*device)
		return -1;
	open_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return open_fd;
}

char *loop_file(const char *device)
{
	return strcmp(device, "/dev/loop7") ? NULL : copy_text("/srv/disk.img");
}

int loop_open_file(const char *device, const char *file)
{
	if (fake_other_file || strcmp(device, "/dev/loop7") ||
	    strcmp(file, "/srv/disk.img")) {
		complain("%s is not the file of %s any more", file, device);
		return -1;
	}
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
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

/* One that nobody lets go of. */
void device_wait_free(const char *device, long long until)
{
	if (!strcmp(device, "/dev/fake9") && until > fake_time)
		fake_time = until;
}

unsigned int fake_loops_open(void)
{
	return open_fd >= 0 && fcntl(open_fd, F_GETFD) >= 0;
}

bool fake_loop_inherited(void)
{
	bool inherited = open_fd >= 0 && !fcntl(open_fd, F_GETFD);

	if (inherited)
		close(open_fd);
	open_fd = -1;
	return inherited;
}
