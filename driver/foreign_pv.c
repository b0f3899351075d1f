// SPDX-License-Identifier: GPL-2.0
/*
 * Foreign frames in a PV host.
 *
 * A page without memory behind it is taken from the kernel's pool of
 * unpopulated pages, and Xen is asked to put the foreign frame into its
 * page-table entry in the direct map. The p2m entry of the page is set to the
 * frame too, marked foreign, so that DMA addresses are right: a bio on the page
 * reads and writes guest memory.
 *
 * A page belongs to whoever it was returned to until ioemu_foreign_unmap();
 * page-table and p2m entries of different pages are independent, so there is no
 * lock for them.
 */

#include <linux/delay.h>
#include <linux/error-injection.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <xen/features.h>
#include <xen/page.h>
#include <xen/xen.h>
#include <xen/xen-ops.h>
#include <asm/pgtable.h>
#include <asm/xen/hypercall.h>
#include <asm/xen/hypervisor.h>
#include <asm/xen/page.h>

#include "foreign.h"

int ioemu_foreign_supported(void)
{
	if (xen_pv_domain())
		return 0;
	pr_err("this domain is not PV; only a PV domain can serve disks yet\n");
	return -EOPNOTSUPP;
}

static pte_t *foreign_pte(struct page *page)
{
	unsigned int level;
	pte_t *ptep;

	ptep = lookup_address((unsigned long)page_address(page), &level);
	return ptep && level == PG_LEVEL_4K ? ptep : NULL;
}

static void foreign_prepare(struct mmu_update *req, pte_t *ptep, u64 frame,
			    unsigned int command)
{
	req->ptr = arbitrary_virt_to_machine(ptep).maddr | command;
	req->val = pte_val_ma(mfn_pte(frame, PAGE_KERNEL));
}

/*
 * Frame numbers that do not fit a page-table entry would spill into its other
 * bits; no guest has memory there.
 */
static bool foreign_gfn_valid(u64 gfn)
{
	return gfn < (1ULL << (MAX_PHYSMEM_BITS - PAGE_SHIFT));
}

static void foreign_set_p2m(struct page *page, pte_t *ptep)
{
	WRITE_ONCE(xen_p2m_addr[page_to_pfn(page)],
		   FOREIGN_FRAME(pte_mfn(*ptep)));
}

static noinline int foreign_map(domid_t domid, const u64 *frames,
				unsigned int nr, struct page **pages,
				unsigned int command)
{
	struct mmu_update *reqs;
	unsigned int *index;
	struct page **spare;
	unsigned int i, queued = 0, start = 0, mapped = 0, nr_spare = 0;
	int ret;

	if (WARN_ON_ONCE(!nr || nr > IOEMU_FOREIGN_BATCH))
		return -EINVAL;

	reqs = kmalloc_array(nr, sizeof(*reqs) + sizeof(*index) +
			     sizeof(*spare), GFP_KERNEL);
	if (!reqs)
		return -ENOMEM;
	spare = (struct page **)(reqs + nr);
	index = (unsigned int *)(spare + nr);

	ret = xen_alloc_unpopulated_pages(nr, pages);
	if (ret)
		goto out_free;

	for (i = 0; i < nr; i++) {
		pte_t *ptep = foreign_pte(pages[i]);

		if (!ptep || !foreign_gfn_valid(frames[i]))
			continue;
		foreign_prepare(&reqs[queued], ptep, frames[i], command);
		index[queued++] = i;
	}

	/* Xen stops at the first update that fails: skip it and go on. */
	while (start < queued) {
		int done = 0;

		ret = HYPERVISOR_mmu_update(reqs + start, queued - start, &done,
					    domid);
		for (i = start; i < start + done; i++) {
			struct page *page = pages[index[i]];

			foreign_set_p2m(page, foreign_pte(page));
			mapped++;
		}
		start += done;
		if (!ret)
			break;
		start++;
		cond_resched();
	}

	/* Entries without a valid frame go back to the pool. */
	for (i = 0; i < nr; i++) {
		pte_t *ptep = foreign_pte(pages[i]);

		if (ptep && pte_present(*ptep))
			continue;
		spare[nr_spare++] = pages[i];
		pages[i] = NULL;
	}
	if (nr_spare)
		xen_free_unpopulated_pages(nr_spare, spare);
	ret = mapped;
out_free:
	kfree(reqs);
	return ret;
}
ALLOW_ERROR_INJECTION(foreign_map, ERRNO);

int ioemu_foreign_map_gfns(domid_t domid, const u64 *gfns, unsigned int nr,
			   struct page **pages)
{
	return foreign_map(domid, gfns, nr, pages, MMU_NORMAL_PT_UPDATE);
}

struct page *ioemu_foreign_map_mfn(domid_t domid, xen_pfn_t mfn)
{
	struct page *page;
	u64 frame = mfn;
	int ret;

	ret = foreign_map(domid, &frame, 1, &page, MMU_PT_UPDATE_NO_TRANSLATE);
	if (ret < 0)
		return ERR_PTR(ret);
	return ret ? page : ERR_PTR(-EFAULT);
}

/*
 * Whoever was given a page in a bio may have passed it on. Network storage does: a
 * packet holds references on pages, and a copy of it may wait to be sent again, or
 * to be read by somebody who watches, long after the server has said that the data
 * are written. Such a page stays what it is until nobody else refers to it.
 *
 * They wait in a list through page_private(), which is ours to use. They are not
 * waited for, since this may last for ever, and callers hold locks.
 */
#define FOREIGN_BUSY_MS		100

static void foreign_retry(struct work_struct *work);

static DEFINE_SPINLOCK(busy_lock);
static struct page *busy_pages;	/* under busy_lock */
static atomic_t nr_busy;	/* in the list, or being looked at */
static DECLARE_DELAYED_WORK(busy_work, foreign_retry);

static void foreign_postpone(struct page *page)
{
	spin_lock(&busy_lock);
	set_page_private(page, (unsigned long)busy_pages);
	busy_pages = page;
	spin_unlock(&busy_lock);
	atomic_inc(&nr_busy);
	schedule_delayed_work(&busy_work, msecs_to_jiffies(FOREIGN_BUSY_MS));
}

static noinline int foreign_flush(void)
{
	struct mmuext_op flush = { .cmd = MMUEXT_TLB_FLUSH_ALL };

	return HYPERVISOR_mmuext_op(&flush, 1, NULL, DOMID_SELF);
}
ALLOW_ERROR_INJECTION(foreign_flush, ERRNO);

/*
 * Xen has no reason to refuse any of this. If it does, the pages are nobody's from
 * then on: whoever got them from the pool would write to another domain.
 */
static void foreign_unmap_idle(struct page **pages, unsigned int nr)
{
	struct mmu_update reqs[IOEMU_FOREIGN_BATCH];
	unsigned int i;

	for (i = 0; i < nr; i++) {
		WRITE_ONCE(xen_p2m_addr[page_to_pfn(pages[i])],
			   INVALID_P2M_ENTRY);
		reqs[i].ptr = arbitrary_virt_to_machine(foreign_pte(pages[i])).maddr |
			      MMU_NORMAL_PT_UPDATE;
		reqs[i].val = 0;
	}
	if (HYPERVISOR_mmu_update(reqs, nr, NULL, DOMID_SELF)) {
		pr_err_ratelimited("cannot unmap foreign frames: %u pages are lost\n",
				   nr);
		return;
	}
	/* No CPU may keep a translation into what is now somebody else's. */
	if (foreign_flush()) {
		pr_err_ratelimited("cannot flush TLBs: %u pages are lost\n", nr);
		return;
	}
	xen_free_unpopulated_pages(nr, pages);
}

void ioemu_foreign_unmap(struct page **pages, unsigned int nr)
{
	unsigned int i, nr_idle = 0;

	for (i = 0; i < nr; i++) {
		if (page_count(pages[i]) > 1)
			foreign_postpone(pages[i]);
		else
			pages[nr_idle++] = pages[i];
	}
	if (nr_idle)
		foreign_unmap_idle(pages, nr_idle);
}

static void foreign_retry(struct work_struct *work)
{
	struct page *batch[IOEMU_FOREIGN_BATCH];
	unsigned int nr = 0, total = 0;
	struct page *page;

	spin_lock(&busy_lock);
	page = busy_pages;
	busy_pages = NULL;
	spin_unlock(&busy_lock);

	while (page) {
		struct page *next = (struct page *)page_private(page);

		set_page_private(page, 0);
		batch[nr++] = page;
		total++;
		if (nr == ARRAY_SIZE(batch) || !next) {
			ioemu_foreign_unmap(batch, nr);
			nr = 0;
			cond_resched();
		}
		page = next;
	}
	/* What waits again was counted again. */
	atomic_sub(total, &nr_busy);
}

void ioemu_foreign_exit(void)
{
	while (atomic_read(&nr_busy))
		msleep(FOREIGN_BUSY_MS);
	cancel_delayed_work_sync(&busy_work);
}
