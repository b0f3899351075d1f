// SPDX-License-Identifier: GPL-2.0
/*
 * A well-behaved guest whose I/O must not suffer from others: it writes, reads
 * back and compares until somebody ends the domain. It ends by itself only when
 * something is wrong.
 */
#include "nvme_io.h"

#define DEPTH	16

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

TEST(victim, for_ever)
{
	u8 *pages = page_alloc(DEPTH);
	u32 seed;

	for (seed = 1;; seed++) {
		batch(IO_WRITE, pages, seed);
		batch(IO_READ, pages, seed);
	}
}
