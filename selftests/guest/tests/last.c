// SPDX-License-Identifier: GPL-2.0
/*
 * Reads into the domain's last two frames until somebody ends it, for tests of
 * whether others learn of what is written there. No program uses them: they are
 * the pages that Xen has for special purposes.
 */
#include "nvme_io.h"

#define LAST_FRAME	0xfefffu

SUITE(last, .setup = io_setup, .teardown = nvme_stop, .flags = SUITE_MANUAL);

TEST(last, for_ever)
{
	struct nvme_cmd c;

	do {
		c = io_cmd(IO_READ, 0, 2 * PAGE_SIZE / nvme.lba_size);
		c.prp1 = (u64)(LAST_FRAME - 1) << PAGE_SHIFT;
		c.prp2 = (u64)LAST_FRAME << PAGE_SHIFT;
	} while (EXPECT_STATUS(io_exec(&c), SC_SUCCESS));
}
