/* SPDX-License-Identifier: GPL-2.0 */
/* Text output, by whole lines. */
#ifndef TINY_CONSOLE_H
#define TINY_CONSOLE_H

#include "types.h"

/**
 * console_init() - choose where text goes
 * @how: "serial", "xen" (port 0xe9), "both", or anything else for the default:
 *       all of it to COM1 if that answers, then only failures and markers to
 *       port 0xe9; else all of it to port 0xe9.
 */
void console_init(const char *how);

/*
 * The subset of printf: %d %u %x %c %s %p %%, with l, ll, a width, 0 and -.
 * Lines may be written in pieces; each CPU must end what it begins before
 * another one prints, or they mix.
 */
void printf(const char *fmt, ...) __printf(1, 2);
void vprintf(const char *fmt, va_list ap);
int snprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);
int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap);

/* Send what there is of a line. */
void console_flush(void);

#endif
