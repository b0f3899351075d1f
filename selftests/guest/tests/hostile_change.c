// SPDX-License-Identifier: GPL-2.0
/*
 * The controller is reset, moved, switched off and starved of memory, while
 * another CPU keeps its disk busy.
 */
#include "hostile.h"
#include "io.h"
#include "smp.h"
#include "xen.h"

static u32 home;

static void set_bar(u64 addr)
{
	pci_set_bar(&nvme.pci, 0, addr);
}

/* What cannot be waited for must not be: the other CPU may undo it. */
static void change(u32 what)
{
	switch (what) {
	case 0: hostile_flr(); break;
	case 1: hostile_power(3); break;
	case 2: hostile_power(0); break;
	case 3: pci_command(&nvme.pci, PCI_COMMAND_MASTER, 0); break;
	case 4: pci_command(&nvme.pci, PCI_COMMAND_MEMORY, 0); break;
	case 5: pci_command(&nvme.pci, 0, PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY); break;
	case 6: set_bar(0xf9000000); break;
	case 7: set_bar(0); break;			/* over RAM */
	case 8: set_bar(0xfee00000); break;		/* over the local APIC */
	case 9: set_bar(0xffffffffffffc000ull); break;
	case 10: set_bar(home); break;
	case 11: nvme_w32(NVME_CC, CC_DEFAULT); break;
	case 12: nvme_w32(NVME_CC, CC_DEFAULT | CC_EN); break;
	case 13: nvme_w32(NVME_CC, nvme_r32(NVME_CC) | CC_SHN(1)); break;
	case 14: msix_control(&nvme.pci, MSIX_CONTROL_ENABLE, 0); break;
	case 15: msix_control(&nvme.pci, 0, MSIX_CONTROL_ENABLE); break;
	}
}

#define CHANGES	16

/* One change at a time, each on a controller in full work. */
static void during_io(const u32 *changes, u32 n, u32 times)
{
	u32 i, k;

	home = (u32)nvme.pci.bar[0].addr;
	for (i = 0; i < times; i++) {
		SKIP_IF(!noise_start(), "one CPU");
		delay_ns(5 * NSEC_PER_MSEC);
		for (k = 0; k < n; k++) {
			change(changes[k]);
			delay_ns(2 * NSEC_PER_MSEC);
		}
		hostile_recover();
	}
}

#define CHANGE_TEST(name, ...)						\
TEST(hostile_change, name)						\
{									\
	static const u32 changes[] = { __VA_ARGS__ };			\
									\
	during_io(changes, ARRAY_SIZE(changes), 2);			\
}

CHANGE_TEST(function_level_reset, 0)
CHANGE_TEST(power_states, 1, 2)
CHANGE_TEST(bus_master_off, 3, 5)
CHANGE_TEST(memory_decoding_off, 4, 5)
CHANGE_TEST(bar_moves, 6, 7, 8, 9, 10)
CHANGE_TEST(disable_and_enable, 11, 12, 11, 12)
CHANGE_TEST(shutdown_with_commands, 13)
CHANGE_TEST(msix_off_and_on, 14, 15)
CHANGE_TEST(reset_within_reset, 11, 0, 5, 12, 0)
CHANGE_TEST(master_off_then_reset, 3, 11, 5)

TEST(hostile_change, all_in_any_order)
{
	u64 start = now_ns(), ns = hostile_ns(1000);
	u32 i, rounds = 0;

	home = (u32)nvme.pci.bar[0].addr;
	while (now_ns() - start < ns) {
		SKIP_IF(!noise_start(), "one CPU");
		for (i = 0; i < 12; i++)
			change(rnd() % CHANGES);
		hostile_recover();
		rounds++;
	}
	test_note("%u rounds", rounds);
}

static volatile bool resetting;
static u32 reset_how;

static void reset_once(void)
{
	if (reset_how != 1)
		hostile_flr();
	if (reset_how) {
		hostile_power(3);
		hostile_power(0);
	}
}

static void reset_always(void *arg)
{
	(void)arg;
	while (resetting)
		reset_once();
}

/*
 * Function-level resets, ways to D3 and back, and both, by two CPUs at the same
 * time, each time with commands on their way.
 */
TEST(hostile_change, reset_by_two_cpus)
{
	u32 i, k, per_page = PAGE_SIZE / nvme.lba_size;
	u8 *p = page_alloc(IO_DEPTH);
	struct nvme_cmd c;

	SKIP_IF(smp_start() < 2, "one CPU");
	ASSERT(hostile_flr());
	hostile_recover();
	for (k = 0; k < 6; k++) {
		for (i = 0; i < IO_DEPTH - 1; i++) {
			c = io_cmd(i & 1 ? IO_READ : IO_WRITE, i * per_page, per_page);
			c.cid = i;
			c.prp1 = phys(p + i * PAGE_SIZE);
			nvme_put(&io_sq, &c);
		}
		nvme_ring_sq(&io_sq);
		delay_ns(NSEC_PER_MSEC);
		reset_how = k % 3;
		resetting = true;
		smp_call(1, reset_always, NULL);
		for (i = 0; i < 10; i++)
			reset_once();
		resetting = false;
		ASSERT(smp_wait(1, timeout_ns()));
		hostile_recover();
	}
}

/* ---- memory that goes away ---- */

#define PAGES_OUT	40

static u32 gone[PAGES_OUT], nr_gone;

static void out(const volatile void *page)
{
	u32 gfn = (u32)phys(page) >> PAGE_SHIFT;

	ASSERT(nr_gone < PAGES_OUT);
	ASSERT_EQ(xen_balloon_out(gfn), 1);
	gone[nr_gone++] = gfn;
}

static void all_in(void)
{
	while (nr_gone)
		EXPECT_EQ(xen_balloon_in(gone[--nr_gone]), 1);
}

/* A test that failed leaves no holes behind. */
static void teardown(void)
{
	hostile_teardown();
	all_in();
}

SUITE(hostile_change, .setup = hostile_setup, .teardown = teardown,
      .flags = SUITE_MANUAL);

/* Data, queue and list go while all commands are on their way. */
static void balloon(bool data, bool sq, bool cq, bool list)
{
	u32 i, k;
	u64 *lists = page_alloc(1);
	u8 *p = page_alloc(32);
	struct nvme_cmd c;

	SKIP_IF(!xen_present(), "not under Xen");
	for (k = 0; k < 2; k++) {
		for (i = 0; i < 32; i++)
			lists[i] = phys(p + i * PAGE_SIZE);
		for (i = 0; i < 32; i++) {
			c = io_cmd(i & 1 ? IO_READ : IO_WRITE, i * 8, PAGE_SIZE / nvme.lba_size);
			if (i & 2)
				c.cdw12 = 4 * PAGE_SIZE / nvme.lba_size - 1;
			c.cid = i;
			c.prp1 = phys(p + i * PAGE_SIZE);
			c.prp2 = phys(lists);
			nvme_put(&io_sq, &c);
		}
		nvme_ring_sq(&io_sq);
		delay_ns(k * NSEC_PER_MSEC);
		if (list)
			out(lists);
		for (i = 0; data && i < 32; i++)
			out(p + i * PAGE_SIZE);
		if (sq)
			out(io_sq.ring);
		if (cq)
			out(io_cq.ring);
		/* Some come back while requests are still out with the old ones. */
		if (k & 1)
			all_in();
		nvme_w32(nvme_sq_db(1), io_sq.tail);
		delay_ns(20 * NSEC_PER_MSEC);
		all_in();
		hostile_recover();
	}
}

TEST(hostile_change, data_ballooned_out)
{
	balloon(true, false, false, false);
}

TEST(hostile_change, submission_queue_ballooned_out)
{
	balloon(false, true, false, false);
}

TEST(hostile_change, completion_queue_ballooned_out)
{
	balloon(false, false, true, false);
}

TEST(hostile_change, everything_ballooned_out)
{
	balloon(true, true, true, true);
}

TEST(hostile_change, shadow_doorbells_ballooned_out)
{
	SKIP_IF(!xen_present(), "not under Xen");
	SKIP_IF(nvme_dbbuf_enable() != SC_SUCCESS, "no shadow doorbells");
	SKIP_IF(!noise_start(), "one CPU");
	delay_ns(5 * NSEC_PER_MSEC);
	out(nvme.dbbuf);
	out(nvme.eventidx);
	delay_ns(20 * NSEC_PER_MSEC);
	all_in();
	noise_stop();
	hostile_recover();
}
