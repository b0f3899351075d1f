// SPDX-License-Identifier: GPL-2.0
/*
 * Gives a page back and takes it again after each of many reads, which a disk with a
 * limit holds for ever: whoever keeps track of this guest's memory for them has as
 * many states of it to keep. Until somebody ends the domain.
 */
#include "nvme_io.h"
#include "xen.h"

#define HELD	(IO_DEPTH - 1)
#define PROBE	0xffff

SUITE(give_back, .setup = io_setup, .teardown = nvme_stop, .flags = SUITE_MANUAL);

static u32 held;

/* The controller has taken a read when it has refused what is behind it. */
static void hold_read(void *page)
{
	struct nvme_cmd c = io_cmd(IO_READ, 0, PAGE_SIZE / nvme.lba_size);
	struct nvme_cqe e;

	c.prp1 = phys(page);
	nvme_put(&io_sq, &c);
	held++;
	c = io_cmd(0x7f, 0, 1);
	c.cid = PROBE;
	nvme_put(&io_sq, &c);
	nvme_ring_sq(&io_sq);
	do {
		ASSERT(nvme_reap(&io_cq, &e, timeout_ns(), true));
		if (e.cid != PROBE)
			held--;
	} while (e.cid != PROBE);
}

TEST(give_back, for_ever)
{
	void *page, *gone;
	u32 gfn;

	SKIP_IF(!xen_present(), "not under Xen");
	page = page_alloc(1);
	gone = page_alloc(1);
	gfn = (u32)phys(gone) >> PAGE_SHIFT;
	for (;;) {
		if (held < HELD)
			hold_read(page);
		ASSERT_EQ(xen_balloon_out(gfn), 1);
		ASSERT_EQ(xen_balloon_in(gfn), 1);
	}
}
