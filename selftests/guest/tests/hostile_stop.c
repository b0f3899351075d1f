// SPDX-License-Identifier: GPL-2.0
/*
 * Once a stop of the controller is complete, it writes nothing to the guest's
 * memory any more, whatever was on its way: neither data nor completions. For a
 * disk whose reads take long in the middle, late= milliseconds (250).
 */
#include "hostile.h"

SUITE(hostile_stop, .setup = hostile_setup, .teardown = hostile_teardown,
      .flags = SUITE_MANUAL);

#define READS	32
#define BEFORE	0x11
#define AFTER	0xee	/* as completions, it has the phase of old ones */

static u8 *pages;
static u32 due;		/* reads not completed yet, by identifiers */

static void put_read(u16 cid)
{
	u32 per_page = PAGE_SIZE / nvme.lba_size;
	struct nvme_cmd c = io_cmd(IO_READ, nvme.lbas / 2 + cid * per_page, per_page);

	c.cid = cid;
	c.prp1 = phys(pages + cid * PAGE_SIZE);
	nvme_put(&io_sq, &c);
	due |= BIT(cid);
}

/*
 * Reads, all of which the disk has got and none is back from: the controller has
 * taken them when it has refused what was behind them.
 */
static void begin(void)
{
	struct nvme_cmd c = { .opcode = ADMIN_ASYNC_EVENT };
	struct nvme_cqe e;
	u32 i;

	due = 0;
	io_write_pattern(nvme.lbas / 2, READS * PAGE_SIZE, 77);
	pages = page_alloc(READS);
	memset(pages, BEFORE, READS * PAGE_SIZE);
	/* To be told of a wrong doorbell, see nothing_comes() */
	nvme_submit(&nvme.asq, &c);
	for (i = 0; i < READS - 1; i++)
		put_read(i);
	c = io_cmd(0x7f, 0, 1);
	c.cid = READS;
	nvme_put(&io_sq, &c);
	nvme_ring_sq(&io_sq);
	ASSERT(nvme_reap(&io_cq, &e, timeout_ns(), true));
	ASSERT_EQ(e.cid, READS);
	ASSERT(!nvme_cq_ready(&io_cq));
	ASSERT_EQ(bytes_check(pages, READS * PAGE_SIZE, BEFORE), -1);
}

/* Those that have come, or within that time the rest: each once */
static void take(u64 ns)
{
	struct nvme_cqe e;

	while (due && nvme_reap(&io_cq, &e, ns, true)) {
		if (e.cid >= READS || !(due & BIT(e.cid)))
			test_fatal("completion of %x, a stranger or twice", e.cid);
		due &= ~BIT(e.cid);
		EXPECT_STATUS(cqe_status(&e), SC_SUCCESS);
	}
}

/* The stop is complete: from now on memory is the guest's. */
static void nothing_comes(void)
{
	struct {
		const char *name;
		u8 *at;
		u32 bytes;
	} area[] = {
		{ "data", pages, READS * PAGE_SIZE },
		{ "completion queue", (u8 *)io_cq.ring, IO_DEPTH * sizeof(struct nvme_cqe) },
		{ "admin completion queue", (u8 *)nvme.acq.ring,
		  nvme.acq.depth * sizeof(struct nvme_cqe) },
	};
	u32 i;
	int bad;

	for (i = 0; i < ARRAY_SIZE(area); i++)
		memset(area[i].at, AFTER, area[i].bytes);
	/* One more command, and a doorbell of no queue, which is an event */
	put_read(READS - 1);
	nvme_ring_sq(&io_sq);
	nvme_w32(nvme_sq_db(9), 1);
	delay_ns(2 * arg_u64("late", 250) * NSEC_PER_MSEC);
	for (i = 0; i < ARRAY_SIZE(area); i++) {
		bad = bytes_check(area[i].at, area[i].bytes, AFTER);
		if (bad >= 0)
			test_fail("%s: byte %d was written", area[i].name, bad);
	}
}

TEST(hostile_stop, nothing_is_written_when_disabled)
{
	begin();
	ASSERT(nvme_disable());
	nothing_comes();
	hostile_recover();
}

TEST(hostile_stop, nothing_is_written_after_function_level_reset)
{
	begin();
	ASSERT(hostile_flr());
	nothing_comes();
	hostile_recover();
}

TEST(hostile_stop, nothing_is_written_in_power_state_3)
{
	begin();
	ASSERT(hostile_power(3));
	nothing_comes();
	hostile_recover();
}

/* Completions come until the stop is complete, and the rest when they may again. */
TEST(hostile_stop, nothing_is_written_without_bus_mastering)
{
	begin();
	pci_command(&nvme.pci, PCI_COMMAND_MASTER, 0);
	take(0);
	nothing_comes();
	EXPECT(due & BIT(READS - 1));
	pci_command(&nvme.pci, 0, PCI_COMMAND_MASTER);
	take(timeout_ns());
	EXPECT_EQ(due, 0);
	EXPECT_EQ(pattern_check(pages + (READS - 1) * PAGE_SIZE, PAGE_SIZE, 77,
				(READS - 1) * PAGE_SIZE), -1);
	hostile_recover();
}
