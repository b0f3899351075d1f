// SPDX-License-Identifier: GPL-2.0
/*
 * All CPUs take memory away and give it back, each a page of its own, until
 * somebody ends the domain: each time everybody who may have mapped it is asked to
 * let go of it, and the CPU waits. Prints how often it did, now and then.
 */
#include "harness.h"
#include "mem.h"
#include "smp.h"
#include "xen.h"

#define STEP	8

SUITE(invalidate, .flags = SUITE_MANUAL);

static void change(void *page)
{
	u32 gfn = (u32)phys(page) >> PAGE_SHIFT, i;

	for (i = 0;; i++) {
		if (!EXPECT_EQ(xen_balloon_out(gfn), 1) || !EXPECT_EQ(xen_balloon_in(gfn), 1))
			return;
		if (i % STEP == STEP - 1)
			test_note("CPU %u: %u times", smp_cpu(), i + 1);
	}
}

TEST(invalidate, for_ever)
{
	u32 cpu, n;

	SKIP_IF(!xen_present(), "not under Xen");
	n = smp_start();
	for (cpu = 1; cpu < n; cpu++)
		smp_call(cpu, change, page_alloc(1));
	change(page_alloc(1));
}
