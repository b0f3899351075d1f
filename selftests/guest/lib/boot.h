/* SPDX-License-Identifier: GPL-2.0 */
/* What the guest was started by and with. */
#ifndef TINY_BOOT_H
#define TINY_BOOT_H

#include "types.h"

enum boot_kind {
	BOOT_UNKNOWN,
	BOOT_XEN_HVM,		/* loaded by Xen's domain builder as HVM firmware */
	BOOT_MULTIBOOT,		/* loaded by a multiboot loader, QEMU's -kernel for one */
};

#define BOOT_ARGS_MAX	4096

struct boot_info {
	enum boot_kind kind;
	u32 mem_start;		/* free RAM below 4 GiB: first byte */
	u32 mem_end;		/* and the byte after the last one */
	u32 nr_cpus;		/* 0: not known */
	char args[BOOT_ARGS_MAX];
};

extern struct boot_info boot;
extern bool cpu_has_sse2;

/*
 * The value of the last word "key=value" in the arguments, or NULL. The value
 * ends at a blank: use arg_u64() for numbers, arg_is() to compare.
 */
const char *arg_find(const char *key);
u64 arg_u64(const char *key, u64 dflt);
bool arg_is(const char *key, const char *value);

/* Say how it ended on all consoles, then end the machine or the domain. */
void __noreturn guest_exit(int status);

#endif
