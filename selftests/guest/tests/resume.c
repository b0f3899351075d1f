// SPDX-License-Identifier: GPL-2.0
/*
 * The domain suspends itself with commands on their way, as often as loops= says
 * (5); whoever started it lets it run on. Each command completes once, and all
 * data is what it should be.
 */
#include "nvme_io.h"
#include "xen.h"

#define HALF	16u	/* reads, and as many writes */

SUITE(resume, .setup = io_setup, .teardown = nvme_stop, .flags = SUITE_MANUAL);

static u8 *pages;

static void put(u8 op, u16 cid, u32 round)
{
	u32 per_page = PAGE_SIZE / nvme.lba_size, i = cid % HALF;
	struct nvme_cmd c = io_cmd(op, ((round & 1) * HALF + i) * per_page, per_page);

	c.cid = cid;
	c.prp1 = phys(pages + cid * PAGE_SIZE);
	if (op == IO_WRITE)
		pattern_fill(pages + cid * PAGE_SIZE, PAGE_SIZE, round * HALF + i, 0);
	else
		memset(pages + cid * PAGE_SIZE, 0, PAGE_SIZE);
	nvme_put(&io_sq, &c);
}

/* Of each completion: is it due, and right? */
static void take(u32 n)
{
	u64 due = (1ull << n) - 1;
	struct nvme_cqe e;

	while (n--) {
		ASSERT(nvme_reap(&io_cq, &e, timeout_ns(), false));
		ASSERT(e.cid < 2 * HALF && (due & 1ull << e.cid));
		due &= ~(1ull << e.cid);
		ASSERT_STATUS(cqe_status(&e), SC_SUCCESS);
	}
	nvme_ring_cq(&io_cq);
}

TEST(resume, data_is_right_after_each)
{
	u32 i, round, rounds = (u32)arg_u64("loops", 5);

	SKIP_IF(!xen_present(), "not under Xen");
	pages = page_alloc(2 * HALF);
	for (i = 0; i < HALF; i++)
		put(IO_WRITE, i, 0);
	nvme_ring_sq(&io_sq);
	take(HALF);
	for (round = 1; round <= rounds; round++) {
		/* What the last round wrote comes back, and this one's is written. */
		for (i = 0; i < HALF; i++) {
			put(IO_READ, i, round - 1);
			put(IO_WRITE, HALF + i, round);
		}
		nvme_ring_sq(&io_sq);
		xen_shutdown(SHUTDOWN_SUSPEND);
		take(2 * HALF);
		for (i = 0; i < HALF; i++)
			ASSERT_EQ(pattern_check(pages + i * PAGE_SIZE, PAGE_SIZE,
						(round - 1) * HALF + i, 0), -1);
	}
	for (i = 0; i < HALF; i++)
		io_expect_pattern(((rounds & 1) * HALF + i) * (PAGE_SIZE / nvme.lba_size),
				  PAGE_SIZE, rounds * HALF + i);
}
