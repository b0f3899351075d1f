// SPDX-License-Identifier: GPL-2.0
/*
 * Reads and writes at depth 32 until somebody ends the domain, for tests of what
 * is left of it then.
 */
#include "nvme_io.h"

#define DEPTH	32

SUITE(load, .setup = io_setup, .teardown = nvme_stop, .flags = SUITE_MANUAL);

TEST(load, for_ever)
{
	u32 per_page = PAGE_SIZE / nvme.lba_size;
	u8 *pages = page_alloc(DEPTH);
	struct nvme_cmd c;
	struct nvme_cqe e;
	u16 i, id;

	memset(pages, 0x5a, DEPTH * PAGE_SIZE);
	for (i = 0; i < DEPTH; i++) {
		c = io_cmd(IO_WRITE, i * per_page, per_page);
		c.cid = i;
		c.prp1 = phys(pages + i * PAGE_SIZE);
		nvme_put(&io_sq, &c);
	}
	for (i = 0;; i++) {
		nvme_ring_sq(&io_sq);
		ASSERT(wait_for(nvme_cq_ready(&io_cq), timeout_ns()));
		while (nvme_cq_ready(&io_cq)) {
			ASSERT(nvme_reap(&io_cq, &e, 0, false));
			ASSERT_STATUS(cqe_status(&e), SC_SUCCESS);
			id = e.cid % DEPTH;
			c = io_cmd(i & 1 ? IO_WRITE : IO_READ, id * per_page, per_page);
			c.cid = id;
			c.prp1 = phys(pages + id * PAGE_SIZE);
			nvme_put(&io_sq, &c);
		}
		nvme_ring_cq(&io_cq);
	}
}
