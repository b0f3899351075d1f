// SPDX-License-Identifier: GPL-2.0
/*
 * excl DEVICE: succeeds when nobody holds the block device exclusively.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int fd;

	if (argc != 2) {
		fprintf(stderr, "usage: excl DEVICE\n");
		return 2;
	}
	fd = open(argv[1], O_RDWR | O_EXCL);
	if (fd < 0) {
		perror(argv[1]);
		return 1;
	}
	close(fd);
	return 0;
}
