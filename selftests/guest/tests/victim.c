// SPDX-License-Identifier: GPL-2.0
/*
 * A well-behaved guest whose I/O must not suffer from others: it writes, reads
 * back and compares until somebody ends the domain. All memory that is left holds
 * a pattern, and nobody has any business to write there. It ends by itself only
 * when something is wrong.
 */
#include "nvme_io.h"

#define DEPTH	16
#define BYSTANDERS_PER_ROUND	64

SUITE(victim, .setup = io_setup, .teardown = nvme_stop, .flags = SUITE_MANUAL);

static void batch(u8 op, u8 *pages, u32 seed)
{
	u32 i, per_page = PAGE_SIZE / nvme.lba_size, seen = 0;
	struct nvme_cmd c;
	struct nvme_cqe e;

	for (i = 0; i < DEPTH; i++) {
		c = io_cmd(op, (seed * DEPTH + i) % 256 * per_page, per_page);
		c.cid = i;
		c.prp1 = phys(pages + i * PAGE_SIZE);
		if (op == IO_WRITE)
			pattern_fill(pages + i * PAGE_SIZE, PAGE_SIZE, seed + i, 0);
		else
			memset(pages + i * PAGE_SIZE, 0, PAGE_SIZE);
		nvme_put(&io_sq, &c);
	}
	nvme_ring_sq(&io_sq);
	for (i = 0; i < DEPTH; i++) {
		ASSERT(nvme_reap(&io_cq, &e, timeout_ns(), false));
		ASSERT_STATUS(cqe_status(&e), SC_SUCCESS);
		ASSERT(e.cid < DEPTH && !(seen & BIT(e.cid)));
		seen |= BIT(e.cid);
	}
	nvme_ring_cq(&io_cq);
	for (i = 0; op == IO_READ && i < DEPTH; i++)
		ASSERT_EQ(pattern_check(pages + i * PAGE_SIZE, PAGE_SIZE, seed + i, 0), -1);
}

/* Each page has a pattern of its own: one that is copied to another is found. */
static void bystanders_fill(u8 *pages, u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++)
		pattern_fill(pages + i * PAGE_SIZE, PAGE_SIZE, ~i, 0);
}

static void bystander_check(const u8 *page, u32 i)
{
	int bad = pattern_check(page, PAGE_SIZE, ~i, 0);

	if (bad < 0)
		return;
	test_fail("somebody wrote to %p: byte %d of page %u, now %02x", page, bad, i,
		  page[bad]);
	test_abort();
}

TEST(victim, for_ever)
{
	u8 *pages = page_alloc(DEPTH), *bystanders;
	u32 seed, i, nr = mem_pages_free(), next = 0;

	bystanders = page_alloc(nr);
	bystanders_fill(bystanders, nr);
	for (seed = 1;; seed++) {
		batch(IO_WRITE, pages, seed);
		batch(IO_READ, pages, seed);
		for (i = 0; i < BYSTANDERS_PER_ROUND; i++) {
			bystander_check(bystanders + next * PAGE_SIZE, next);
			if (++next == nr)
				next = 0;
		}
	}
}
