// SPDX-License-Identifier: GPL-2.0
/*
 * What the host has a line in its log for, as often as it goes: the suite around
 * this counts the lines.
 */
#include "hostile.h"

/* More than the limits on its messages let through in the time that this takes. */
#define STOPS	1000

SUITE(hostile_log, .setup = hostile_setup, .teardown = hostile_teardown,
      .flags = SUITE_MANUAL);

/* A controller that is enabled with what it does not have stops. */
TEST(hostile_log, stops)
{
	u64 start = now_ns();
	u32 i;

	for (i = 0; i < STOPS; i++) {
		nvme_w32(NVME_CC, 0);
		ASSERT(wait_for(!(nvme_r32(NVME_CSTS) & (CSTS_RDY | CSTS_CFS)), timeout_ns()));
		nvme_w32(NVME_CC, CC_DEFAULT | CC_EN | CC_CSS(5));
		ASSERT(wait_for(nvme_r32(NVME_CSTS) & CSTS_CFS, timeout_ns()));
	}
	test_note("%u stops in %llu ms", STOPS, div_u64(now_ns() - start, NSEC_PER_MSEC, NULL));
	hostile_recover();
}
