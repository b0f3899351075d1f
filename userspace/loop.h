/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Loop devices, and waiting for block devices that are in use.
 */
#ifndef XEN_IOEMU_LOOP_H
#define XEN_IOEMU_LOOP_H

#include <stdbool.h>
#include <stdint.h>

/**
 * loop_open() - make a loop device of a file, or complain
 * @file: path
 * @read_only: nobody is to write
 * @until: time of now_ms() up to which to wait when another loop device has the
 *         file; 0 for not at all
 * @device: path of the loop device, to be freed by the caller
 *
 * Direct I/O is used where the file's file system can do it. The device detaches
 * itself after its last user closes it, so nothing is left behind however the
 * users end. A file that may be written has one loop device only; one that was made
 * here, and that no driver uses any more, is used again, also to read what it could
 * write.
 *
 * Return: a descriptor of the device; -1 on failure.
 */
int loop_open(const char *file, bool read_only, long long until,
	      char **device);

/**
 * loop_file() - file behind a loop device
 * @device: path of a block device
 *
 * Return: path to be freed by the caller; NULL when @device is no loop device.
 */
char *loop_file(const char *device);

/**
 * loop_open_file() - open the file behind a loop device, for writing, or complain
 * @device: path
 * @file: what loop_file() said
 *
 * Return: a descriptor; -1 on failure, also when this is another file by now.
 */
int loop_open_file(const char *device, const char *file);

/**
 * loop_resize() - have a loop device take over the size of its file, or complain
 * @device: path
 */
bool loop_resize(const char *device);

/**
 * device_bytes() - capacity of a block device
 * @device: path
 * @bytes: the capacity; untouched on failure
 *
 * Return: true when it could be found out.
 */
bool device_bytes(const char *device, uint64_t *bytes);

/**
 * device_wait_free() - wait until nobody has a block device for himself
 * @device: path
 * @until: time of now_ms() up to which to wait
 */
void device_wait_free(const char *device, long long until);

/**
 * now_ms() - milliseconds, by a clock that nobody sets
 */
long long now_ms(void);

#endif /* XEN_IOEMU_LOOP_H */
