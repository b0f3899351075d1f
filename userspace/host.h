/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What kind of Xen this host has.
 */
#ifndef XEN_IOEMU_HOST_H
#define XEN_IOEMU_HOST_H

#include <stdbool.h>
#include <stddef.h>

/**
 * host_device_model() - the device model that the installed Xen uses
 *
 * Distributions have it in many places; of several Xens, the one that runs wins.
 *
 * Return: path to be freed by the caller; NULL when none is found.
 */
char *host_device_model(void);

/**
 * host_read() - first line of a file
 * @path: the file
 * @line: its first line without the newline
 * @size: size of @line
 *
 * Return: true when there is one.
 */
bool host_read(const char *path, char *line, size_t size);

#endif /* XEN_IOEMU_HOST_H */
