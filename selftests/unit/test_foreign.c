// SPDX-License-Identifier: GPL-2.0
/*
 * Foreign frames in a PV host, driver/foreign_pv.c, on a Xen that is here and
 * refuses what it is told to.
 */
#include <linux/err.h>
#include <standin/xen_pv.h>

#include "foreign.h"
#include "harness.h"

#define NR_PAGES	8
#define NR_MAPPED	4
#define DOMID		5
#define BAD_GFN		666

static struct page pages[NR_PAGES];
static bool in_pool[NR_PAGES];
static pte_t ptes[NR_PAGES];
unsigned long xen_p2m_addr[NR_PAGES];
static bool refuse_clear, refuse_flush;
/* Entries of the page tables that were cleared since all TLBs were flushed */
static unsigned int stale;

pte_t *lookup_address(unsigned long address, unsigned int *level)
{
	*level = PG_LEVEL_4K;
	return &ptes[address >> PAGE_SHIFT];
}

int HYPERVISOR_mmu_update(struct mmu_update *req, int count, int *done,
			  domid_t domid)
{
	int i;

	if (domid == DOMID_SELF && refuse_clear)
		return -EPERM;
	for (i = 0; i < count; i++) {
		pte_t *pte = (pte_t *)(uintptr_t)(req[i].ptr & ~3ull);

		if (req[i].val >> PAGE_SHIFT == BAD_GFN)
			break;
		stale += pte_present(*pte);
		pte->pte = req[i].val;
	}
	if (done)
		*done = i;
	return i < count ? -EINVAL : 0;
}

int HYPERVISOR_mmuext_op(struct mmuext_op *op, int count, int *done,
			 domid_t domid)
{
	if (refuse_flush)
		return -EPERM;
	stale = 0;
	return 0;
}

int xen_alloc_unpopulated_pages(unsigned int nr, struct page **out)
{
	unsigned int i;

	for (i = 0; i < NR_PAGES && nr; i++)
		if (in_pool[i]) {
			in_pool[i] = false;
			*out++ = &pages[i];
			nr--;
		}
	return nr ? -ENOMEM : 0;
}

/* Nobody may get a page that still shows another domain's memory. */
void xen_free_unpopulated_pages(unsigned int nr, struct page **freed)
{
	while (nr--) {
		unsigned int i = *freed++ - pages;

		if (in_pool[i] || pte_present(ptes[i]) || stale ||
		    xen_p2m_addr[i] != INVALID_P2M_ENTRY)
			standin_fail("page %u is not free", i);
		in_pool[i] = true;
	}
}

static unsigned int nr_free(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < NR_PAGES; i++)
		n += in_pool[i];
	return n;
}

FIXTURE(foreign)
{
	u64 gfns[NR_MAPPED];
	struct page *mapped[NR_MAPPED];
};

FIXTURE_SETUP(foreign)
{
	unsigned int i;

	for (i = 0; i < NR_PAGES; i++) {
		pages[i] = (struct page) {
			.virtual = (void *)(i * PAGE_SIZE), .index = i,
		};
		atomic_set(&pages[i].refs, 1);
		in_pool[i] = true;
		xen_p2m_addr[i] = INVALID_P2M_ENTRY;
	}
	for (i = 0; i < NR_MAPPED; i++)
		self->gfns[i] = 100 + i;
}

FIXTURE_TEARDOWN(foreign)
{
}

static int map(struct fixture_foreign *self)
{
	return ioemu_foreign_map_gfns(DOMID, self->gfns, NR_MAPPED, self->mapped);
}

TEST_F(foreign, pages_come_from_the_pool_and_go_back)
{
	unsigned int i;

	ASSERT_EQ(NR_MAPPED, map(self));
	EXPECT_EQ(NR_PAGES - NR_MAPPED, nr_free());
	for (i = 0; i < NR_MAPPED; i++) {
		u64 pfn = page_to_pfn(self->mapped[i]);

		EXPECT_EQ(100 + i, pte_mfn(ptes[pfn]));
		EXPECT_EQ(FOREIGN_FRAME(100ul + i), xen_p2m_addr[pfn]);
	}
	ioemu_foreign_unmap(self->mapped, NR_MAPPED);
	EXPECT_EQ(NR_PAGES, nr_free());
}

TEST_F(foreign, frames_that_are_none_are_left_out)
{
	self->gfns[1] = BAD_GFN;
	self->gfns[3] = ~0ull;
	EXPECT_EQ(2, map(self));
	EXPECT_TRUE(self->mapped[0] && !self->mapped[1]);
	EXPECT_TRUE(self->mapped[2]);
	EXPECT_FALSE(self->mapped[3]);
	EXPECT_EQ(NR_PAGES - 2, nr_free());
	self->mapped[1] = self->mapped[2];
	ioemu_foreign_unmap(self->mapped, 2);
	EXPECT_EQ(NR_PAGES, nr_free());
}

/* They still show the guest's memory, or a CPU believes so: nobody may have them. */
static void lost(struct fixture_foreign *self, const char *why)
{
	unsigned int i;
	u64 pfns[NR_MAPPED];

	ASSERT_EQ(NR_MAPPED, map(self));
	for (i = 0; i < NR_MAPPED; i++)
		pfns[i] = page_to_pfn(self->mapped[i]);
	ioemu_foreign_unmap(self->mapped, NR_MAPPED);
	EXPECT_EQ(1, standin_log_warnings);
	EXPECT_EQ(0, strcmp(standin_log_last, why));
	refuse_clear = false;
	refuse_flush = false;
	EXPECT_EQ(NR_PAGES - NR_MAPPED, nr_free());
	/* Not even later, when Xen would not refuse. */
	ASSERT_EQ(NR_MAPPED, map(self));
	EXPECT_EQ(-ENOMEM, map(self));
	ioemu_foreign_exit();
	for (i = 0; i < NR_MAPPED; i++)
		EXPECT_FALSE(in_pool[pfns[i]]);
}

TEST_F(foreign, pages_that_xen_does_not_unmap_are_lost)
{
	refuse_clear = true;
	lost(self, "xen-ioemu: cannot unmap foreign frames: 4 pages are lost\n");
}

TEST_F(foreign, pages_that_a_tlb_may_have_are_lost)
{
	refuse_flush = true;
	lost(self, "xen-ioemu: cannot flush TLBs: 4 pages are lost\n");
}

TEST_F(foreign, pages_that_somebody_refers_to_stay_mapped)
{
	struct page *busy;

	ASSERT_EQ(NR_MAPPED, map(self));
	busy = self->mapped[2];
	atomic_inc(&busy->refs);
	ioemu_foreign_unmap(self->mapped, NR_MAPPED);
	EXPECT_EQ(NR_PAGES - 1, nr_free());
	standin_advance_ms(1000);
	run_pending();
	EXPECT_TRUE(pte_present(ptes[page_to_pfn(busy)]));
	EXPECT_EQ(NR_PAGES - 1, nr_free());
	atomic_dec(&busy->refs);
	ioemu_foreign_exit();
	EXPECT_EQ(NR_PAGES, nr_free());
}
