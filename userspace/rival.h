/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Disks that are served to guests in another way.
 */
#ifndef XEN_IOEMU_RIVAL_H
#define XEN_IOEMU_RIVAL_H

#include <stdbool.h>
#include <sys/stat.h>

#include "xs.h"

/**
 * rival_check() - does no other back end have the disk, or complain
 * @store: connection
 * @own: domain whose back ends are looked at
 * @params: path of the disk, for the message
 * @st: what stat() says of it
 * @read_only: it is only to be read; then others may read it too
 *
 * Neither xen-blkback nor QEMU opens a disk exclusively, so nobody else would notice.
 *
 * Return: false also when xenstore cannot be read.
 */
bool rival_check(struct store *store, unsigned int own, const char *params,
		 const struct stat *st, bool read_only);

#endif /* XEN_IOEMU_RIVAL_H */
