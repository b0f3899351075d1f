/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What kind of Xen this host has.
 */
#ifndef XEN_IOEMU_HOST_H
#define XEN_IOEMU_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "tool.h"

#define TRACEFS		"/sys/kernel/tracing"
#define TRACE_INSTANCES	TRACEFS "/instances"
/* Of the process whose number follows. */
#define TRACE_INSTANCE	TRACE_INSTANCES "/xen-ioemu-"

/**
 * host_device_model() - the device model that the installed Xen uses
 *
 * Distributions have it in many places; of several Xens, that of the program which
 * started this one wins, then the one that runs.
 *
 * Return: path to be freed by the caller; NULL when none is found.
 */
char *host_device_model(void);

/* Put before the paths of the kernel's and the system's files; for tests. */
extern const char *host_root;

/**
 * host_path() - path of a file of the system
 * @path: filled
 * @size: size of @path
 * @fmt: path without host_root
 */
void host_path(char *path, size_t size, const char *fmt, ...) __printf(3, 4);

/**
 * host_exists() - is there a file?
 * @fmt: path without host_root
 */
bool host_exists(const char *fmt, ...) __printf(1, 2);

/**
 * host_open() - open a file for reading
 * @fmt: path without host_root
 *
 * Return: NULL, with errno, on failure.
 */
FILE *host_open(const char *fmt, ...) __printf(1, 2);

/**
 * host_read() - first line of a file
 * @line: its first line without the newline
 * @size: size of @line
 * @fmt: path without host_root
 *
 * Return: true when there is one.
 */
bool host_read(char *line, size_t size, const char *fmt, ...) __printf(3, 4);

/**
 * host_holder() - who has a file open?
 * @text: filled with "process 812 (qemu-system-i38)"; untouched when nobody is found
 * @size: size of @text
 * @path: the file, as it was opened
 *
 * This process does not count.
 */
void host_holder(char *text, size_t size, const char *path);

/**
 * host_xen_version() - version of the running Xen
 * @version: filled with "4.17" or the like; empty without Xen
 * @size: size of @version
 */
void host_xen_version(char *version, size_t size);

#endif /* XEN_IOEMU_HOST_H */
