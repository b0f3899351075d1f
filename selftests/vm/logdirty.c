// SPDX-License-Identifier: GPL-2.0
/*
 * logdirty DOMID SECONDS [GFN]: does Xen learn of every page of a domain that changes?
 * With a third argument, of this one.
 *
 * Pauses the domain, switches log-dirty mode on, copies its memory, lets it run
 * for a while, and compares: a page that differs and is not marked was missed,
 * and live migration would lose what is in it. The domain runs on in the end.
 *
 * Prints "changed N missed M"; exits with 0 unless something cannot be done.
 */
#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xenctrl.h>
#include <xenforeignmemory.h>

#define PAGE		4096u
/* All memory of a small domain lies below. */
#define PAGES		16384u
#define MAX_GFN		0xfffffu
#define BATCH		512u
/* Requests that were under way when the domain was paused end meanwhile. */
#define SETTLE_US	1500000

static xc_interface *xch;
static xenforeignmemory_handle *fmem;
static uint32_t domid;
static uint8_t *copy, *present, *marks;
static unsigned int begin, end = PAGES, changed, missed;

/* Call @page_is for each page of memory that is there. */
static void for_each_page(void (*page_is)(unsigned int gfn, const uint8_t *page))
{
	xen_pfn_t gfns[BATCH];
	int errors[BATCH];
	unsigned int first, nr, i;
	uint8_t *pages;

	for (first = begin; first < end; first += nr) {
		nr = end - first < BATCH ? end - first : BATCH;
		for (i = 0; i < nr; i++)
			gfns[i] = first + i;
		pages = xenforeignmemory_map(fmem, domid, PROT_READ, nr, gfns,
					     errors);
		if (!pages)
			continue;
		for (i = 0; i < nr; i++)
			if (!errors[i])
				page_is(first + i, pages + (size_t)i * PAGE);
		xenforeignmemory_unmap(fmem, pages, nr);
	}
}

static void remember(unsigned int gfn, const uint8_t *page)
{
	memcpy(copy + (size_t)(gfn - begin) * PAGE, page, PAGE);
	present[gfn - begin] = 1;
}

static void compare(unsigned int gfn, const uint8_t *page)
{
	if (!present[gfn - begin] ||
	    !memcmp(copy + (size_t)(gfn - begin) * PAGE, page, PAGE))
		return;
	changed++;
	missed += !(marks[gfn / 8] >> gfn % 8 & 1);
}

static void hold(bool pause)
{
	if (pause ? xc_domain_pause(xch, domid) : xc_domain_unpause(xch, domid))
		err(1, "%s", pause ? "pause" : "unpause");
	if (pause)
		usleep(SETTLE_US);
}

static void log_dirty(unsigned int op)
{
	if (xc_shadow_control(xch, domid, op, NULL, 0))
		err(1, "log-dirty operation %u", op);
}

/* Which pages were marked since the last time? */
static void take_marks(xc_hypercall_buffer_t *bitmap)
{
	if (xc_logdirty_control(xch, domid, XEN_DOMCTL_SHADOW_OP_CLEAN, bitmap,
				end, 0, NULL) < 0)
		err(1, "log-dirty bitmap");
}

int main(int argc, char **argv)
{
	DECLARE_HYPERCALL_BUFFER(uint8_t, bitmap);

	if (argc != 3 && argc != 4)
		errx(2, "usage: logdirty DOMID SECONDS [GFN]");
	domid = strtoul(argv[1], NULL, 10);
	if (argc == 4) {
		begin = strtoul(argv[3], NULL, 0);
		if (begin > MAX_GFN)
			errx(2, "no such frame: %s", argv[3]);
		end = begin + 1;
	}
	xch = xc_interface_open(NULL, NULL, 0);
	fmem = xenforeignmemory_open(NULL, 0);
	if (!xch || !fmem)
		err(1, "open");
	bitmap = xc_hypercall_buffer_alloc_pages(xch, bitmap,
						 end / 8 / PAGE + 1);
	copy = malloc((size_t)(end - begin) * PAGE);
	present = calloc(end - begin, 1);
	if (!bitmap || !copy || !present)
		err(1, "memory");

	hold(true);
	log_dirty(XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY);
	take_marks(HYPERCALL_BUFFER(bitmap));
	for_each_page(remember);
	hold(false);
	sleep(strtoul(argv[2], NULL, 10));
	hold(true);
	memset(bitmap, 0, (end + 7) / 8);
	take_marks(HYPERCALL_BUFFER(bitmap));
	marks = bitmap;
	for_each_page(compare);
	log_dirty(XEN_DOMCTL_SHADOW_OP_OFF);
	hold(false);
	printf("changed %u missed %u\n", changed, missed);
	return 0;
}
