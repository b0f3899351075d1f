// SPDX-License-Identifier: GPL-2.0
/* The library itself: what every other suite takes for granted. */
#include "apic.h"
#include "harness.h"
#include "io.h"
#include "mem.h"
#include "smp.h"
#include "string.h"
#include "time.h"

TEST(self, format)
{
	char b[80];

	snprintf(b, sizeof(b), "%d %5u|%-4x|%04x %s %c %%", -5, 42u, 0xabu, 0x1fu, "str", 'z');
	EXPECT(!strcmp(b, "-5    42|ab  |001f str z %"));
	snprintf(b, sizeof(b), "%llu %llx %lld", 12345678901234567890ull,
		 0x123456789abcdefull, -9000000000ll);
	EXPECT(!strcmp(b, "12345678901234567890 123456789abcdef -9000000000"));
	EXPECT_EQ(snprintf(b, 4, "abcdef"), 6);
	EXPECT(!strcmp(b, "abc"));
}

TEST(self, strings)
{
	u32 rem;

	EXPECT(glob_match("nvme*", "nvme_io"));
	EXPECT(glob_match("*.read?", "nvme_io.read1"));
	EXPECT(!glob_match("nvme", "nvme_io"));
	EXPECT_EQ(str_to_u64("0x1fG", NULL), 0x1f);
	EXPECT_EQ(str_to_u64("120,", NULL), 120);
	EXPECT_EQ(div_u64(0xfffffffffffffffull, 1000, &rem), 1152921504606846ull);
	EXPECT_EQ(rem, 975);
}

TEST(self, memory)
{
	u32 mark = mem_mark();
	u8 *p = page_alloc(3);

	EXPECT_EQ(phys(p) & PAGE_MASK, 0);
	EXPECT_EQ(bytes_check(p, 3 * PAGE_SIZE, 0), -1);
	pattern_fill(p, 2 * PAGE_SIZE, 7, 0);
	EXPECT_EQ(pattern_check(p + 512, 512, 7, 512), -1);
	EXPECT_EQ(pattern_check(p + 512, 512, 7, 0), 0);
	p[1000] ^= 1;
	EXPECT_EQ(pattern_check(p, 2 * PAGE_SIZE, 7, 0), 1000);
	mem_release(mark);
	EXPECT_EQ(phys(page_alloc(1)), phys(p));
	EXPECT(mem_pages_free() > 1024);
}

TEST(self, time_goes_on)
{
	u64 t0 = now_ns(), t1;

	delay_ns(20 * NSEC_PER_MSEC);
	t1 = now_ns();
	EXPECT(t1 - t0 >= 20 * NSEC_PER_MSEC);
	EXPECT(t1 - t0 < 2 * NSEC_PER_SEC);
	EXPECT(tsc_khz() > 10000);
}

TEST(self, interrupt_to_self)
{
	u32 n = irq_count(VEC_DEVICE);

	apic_icr(apic_id(), 0x4000 | VEC_DEVICE);
	EXPECT(irq_wait_count(VEC_DEVICE, n + 1, NSEC_PER_SEC));
	irq_settle(NSEC_PER_MSEC);
	EXPECT_EQ(irq_count(VEC_DEVICE), n + 1);
}

static volatile u32 sum;

static void add_up(void *arg)
{
	u32 i;

	for (i = 0; i < 10000; i++)
		__sync_fetch_and_add(&sum, *(u32 *)arg);
}

TEST(self, all_cpus)
{
	u32 n = smp_start(), cpu, round, one = 1;

	ASSERT(n >= 1);
	test_note("%u CPUs", n);
	SKIP_IF(n == 1, "one CPU");
	sum = 0;
	for (round = 0; round < 3; round++) {
		for (cpu = 1; cpu < n; cpu++)
			smp_call(cpu, add_up, &one);
		add_up(&one);
		for (cpu = 1; cpu < n; cpu++)
			ASSERT(smp_wait(cpu, timeout_ns()));
	}
	EXPECT_EQ(sum, 30000 * n);
}
