/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Frames of another domain as kernel pages: the host-specific part below the
 * guest memory cache and the ioreq transport.
 */
#ifndef _IOEMU_FOREIGN_H
#define _IOEMU_FOREIGN_H

#include <linux/types.h>
#include <xen/interface/xen.h>

struct page;

/* Frames handled by one hypercall. */
#define IOEMU_FOREIGN_BATCH	64

/**
 * ioemu_foreign_supported() - can this host map foreign frames this way?
 *
 * Return: 0, or -EOPNOTSUPP with a line in the log that says why not.
 */
int ioemu_foreign_supported(void);

/**
 * ioemu_foreign_map_gfns() - map guest frames writable
 * @domid: domain that owns the frames
 * @gfns: guest frame numbers, any value
 * @nr: how many, at most %IOEMU_FOREIGN_BATCH
 * @pages: filled with pages whose page_address() is the frame and which can be
 *         in a bio; NULL where mapping failed
 *
 * Context: process context, may sleep.
 * Return: number of frames mapped, or a negative errno when no page could be
 *         had (nothing is mapped then).
 */
int ioemu_foreign_map_gfns(domid_t domid, const u64 *gfns, unsigned int nr,
			   struct page **pages);

/**
 * ioemu_foreign_map_mfn() - map one frame that Xen named
 * @domid: domain that owns the frame
 * @mfn: machine frame, from XENMEM_acquire_resource
 *
 * Context: process context, may sleep.
 * Return: the page or an ERR_PTR.
 */
struct page *ioemu_foreign_map_mfn(domid_t domid, xen_pfn_t mfn);

/**
 * ioemu_foreign_unmap() - unmap and free pages
 * @pages: pages from the functions above; the array is used up
 * @nr: how many, at most %IOEMU_FOREIGN_BATCH
 *
 * When it returns no CPU can reach the frames through the pages any more; but
 * for pages that somebody else refers to, which are unmapped when nobody does.
 *
 * Context: process context, may sleep.
 */
void ioemu_foreign_unmap(struct page **pages, unsigned int nr);

/**
 * ioemu_foreign_exit() - wait until all pages are unmapped
 *
 * Context: process context, when nothing is mapped any more; waits for everybody
 * who refers to a page.
 */
void ioemu_foreign_exit(void);

#endif /* _IOEMU_FOREIGN_H */
