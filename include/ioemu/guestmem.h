/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Guest frames as kernel pages.
 *
 * A struct ioemu_gmap is one generation of the cache of mapped guest frames. It
 * is filled on demand, shared by every queue of the domain, and replaced as a
 * whole when Xen says that guest memory went away. Requests in flight keep the
 * generation that they started with.
 */
#ifndef _IOEMU_GUESTMEM_H
#define _IOEMU_GUESTMEM_H

#include <linux/types.h>

struct ioemu_gmap;
struct page;

/**
 * ioemu_gmap_get() - take one more reference on a map
 * @map: map on which the caller already holds a reference
 *
 * Context: any, hard irq included.
 */
void ioemu_gmap_get(struct ioemu_gmap *map);

/**
 * ioemu_gmap_put() - drop a reference
 * @map: map
 *
 * Context: any, hard irq included. The last reference of a replaced map has its
 * frames unmapped later, from process context.
 */
void ioemu_gmap_put(struct ioemu_gmap *map);

/**
 * ioemu_gmap_pages() - look guest frames up, mapping those that are missing
 * @map: map on which the caller holds a reference
 * @gfns: guest frame numbers (guest physical address >> 12); hostile values are
 *        fine
 * @nr: number of frames
 * @pages: filled with the kernel's pages, usable with page_address() and in a
 *         bio until the caller's reference on @map is dropped
 *
 * All frames that are missing are mapped in one go.
 *
 * Context: process context, may sleep.
 * Return: 0; -EFAULT when one of the frames is not guest memory that can be
 *         mapped writable; -EAGAIN when the map has no room for them and is to be
 *         replaced; -ENOMEM; -ESHUTDOWN when the domain goes away.
 */
int ioemu_gmap_pages(struct ioemu_gmap *map, const u64 *gfns, unsigned int nr,
		     struct page **pages);

/**
 * ioemu_gmap_dirty() - tell Xen that a frame was written on the guest's behalf
 * @map: map through which the page was found
 * @gfn: guest frame number
 * @nr: number of consecutive frames
 *
 * Costs nothing unless the domain's memory writes are being logged (live
 * migration).
 *
 * Context: any, hard irq included.
 */
void ioemu_gmap_dirty(struct ioemu_gmap *map, u64 gfn, unsigned int nr);

#endif /* _IOEMU_GUESTMEM_H */
