/* SPDX-License-Identifier: GPL-2.0 */
#ifndef STANDIN_SYSFS_H
#define STANDIN_SYSFS_H

#include <stdarg.h>
#include <stdio.h>
#include <standin/mem.h>

struct attribute {
	const char *name;
	unsigned short mode;
};

struct attribute_group {
	struct attribute **attrs;
};

#define __ATTR_RO(n)	{ .attr = { .name = #n, .mode = 0444 }, .show = n##_show }
#define __ATTR(n, m, s, st)						\
	{ .attr = { .name = #n, .mode = m }, .show = s, .store = st }
#define ATTRIBUTE_GROUPS(n)						\
	static const struct attribute_group n##_group = { .attrs = n##_attrs };	\
	static const struct attribute_group *n##_groups[] = { &n##_group, NULL }

/* At most a page in all, as sysfs has it. */
__printf(3, 4)
static inline int sysfs_emit_at(char *buf, int at, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(buf + at, PAGE_SIZE - at, fmt, args);
	va_end(args);
	return n < (int)PAGE_SIZE - at ? n : (int)PAGE_SIZE - at - 1;
}

#endif /* STANDIN_SYSFS_H */
