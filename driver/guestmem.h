/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The cache of mapped guest frames of one domain: its generations.
 */
#ifndef _IOEMU_GUESTMEM_CACHE_H
#define _IOEMU_GUESTMEM_CACHE_H

#include <linux/types.h>
#include <xen/interface/xen.h>

#include <ioemu/guestmem.h>

struct ioemu_guestmem;
struct seq_file;

/**
 * typedef ioemu_guestmem_full_t - the current map grew over its limit
 * @owner: as given to ioemu_guestmem_create()
 *
 * The owner should call ioemu_guestmem_replace() soon.
 *
 * Context: process context of whoever looked a frame up; must not sleep long.
 */
typedef void (*ioemu_guestmem_full_t)(void *owner);

/**
 * ioemu_guestmem_create() - make a cache with an empty map
 * @domid: domain
 * @limit: mapped frames after which the map is thought full
 * @full: told about it
 * @owner: argument of @full
 *
 * Context: process context.
 * Return: the cache or an ERR_PTR.
 */
struct ioemu_guestmem *ioemu_guestmem_create(domid_t domid, unsigned long limit,
					     ioemu_guestmem_full_t full,
					     void *owner);

/**
 * ioemu_guestmem_destroy() - drop the current map and wait until all are gone
 * @gm: cache; nobody looks anything up any more
 *
 * Context: process context; waits for the last reference on any map.
 */
void ioemu_guestmem_destroy(struct ioemu_guestmem *gm);

/**
 * ioemu_guestmem_current() - take a reference on the current map
 * @gm: cache
 *
 * Context: any.
 * Return: the map, or NULL when the cache is being destroyed.
 */
struct ioemu_gmap *ioemu_guestmem_current(struct ioemu_guestmem *gm);

/**
 * ioemu_guestmem_replace() - start a new, empty map
 * @gm: cache
 *
 * References on the old map stay good; its frames are unmapped when the last
 * one is gone.
 *
 * Context: process context; calls are serialised by the caller.
 * Return: 0; -EAGAIN while old maps that are still in use hold too much; -ENOMEM.
 */
int ioemu_guestmem_replace(struct ioemu_guestmem *gm);

/**
 * ioemu_guestmem_wait() - wait until another attempt to replace may be worth it
 * @gm: cache
 * @err: what ioemu_guestmem_replace() returned
 *
 * Old maps go when requests of the guest end, and whoever can end these must not
 * wait for the caller: it holds no lock.
 *
 * Context: process context, for as long as the guest's disks take.
 */
void ioemu_guestmem_wait(struct ioemu_guestmem *gm, int err);

/**
 * ioemu_guestmem_set_log_dirty() - report writes to Xen from now on, or not
 * @gm: cache
 * @enabled: live migration is copying the guest's memory
 */
void ioemu_guestmem_set_log_dirty(struct ioemu_guestmem *gm, bool enabled);

/**
 * ioemu_guestmem_show() - print counters
 * @gm: cache
 * @m: where to
 */
void ioemu_guestmem_show(struct ioemu_guestmem *gm, struct seq_file *m);

#endif /* _IOEMU_GUESTMEM_CACHE_H */
