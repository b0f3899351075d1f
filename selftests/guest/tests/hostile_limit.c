// SPDX-License-Identifier: GPL-2.0
/*
 * Commands for a disk whose use is limited, given up as soon as the controller has
 * them, in each way there is, again and again. Whoever runs this counts how many of
 * them the disk has seen.
 */
#include "hostile.h"

SUITE(hostile_limit, .setup = hostile_setup, .teardown = hostile_teardown,
      .flags = SUITE_MANUAL);

#define READS	(IO_DEPTH - 2)
#define MIN_ROUNDS	5	/* each has the disk do one at least */

static u32 done;	/* reads that were, of those whose end was told */

static void count(const struct nvme_cqe *e)
{
	if (e->cid >= READS)
		test_fatal("completion of %x, a stranger", e->cid);
	if (cqe_status(e) == SC_SUCCESS)
		done++;
	else
		EXPECT_STATUS(cqe_status(e), SC_INTERRUPTED, SC_ABORT_SQ_DELETED);
}

/* The controller has taken all of them when it has refused what is behind them. */
static void begin(void)
{
	u32 i, per_page = PAGE_SIZE / nvme.lba_size;
	u8 *page = page_alloc(1);
	struct nvme_cqe e;
	struct nvme_cmd c;

	for (i = 0; i <= READS; i++) {
		c = io_cmd(i < READS ? IO_READ : 0x7f, i * per_page, per_page);
		c.cid = i;
		c.prp1 = phys(page);
		nvme_put(&io_sq, &c);
	}
	nvme_ring_sq(&io_sq);
	do {
		ASSERT(nvme_reap(&io_cq, &e, timeout_ns(), true));
		if (e.cid != READS)
			count(&e);
	} while (e.cid != READS);
}

static void again_and_again(void (*give_up)(void))
{
	u64 start = now_ns(), ns = hostile_ns(400);
	u32 rounds = 0, mark = mem_mark();
	struct nvme_cqe e;

	done = 0;
	while (rounds < MIN_ROUNDS || now_ns() - start < ns) {
		begin();
		give_up();
		while (nvme_reap(&io_cq, &e, 0, true))
			count(&e);
		nvme_forget(true);
		nvme_stop();
		mem_release(mark);
		nvme_start();
		nvme_create_pair(&io_sq, &io_cq, 1, IO_DEPTH, false);
		rounds++;
	}
	test_note("%u times %u reads, %u done", rounds, READS, done);
	hostile_recover();
}

static void delete_queue(void)
{
	EXPECT_STATUS(nvme_delete_sq(1), SC_SUCCESS);
}

static void switch_bus_mastering(void)
{
	pci_command(&nvme.pci, PCI_COMMAND_MASTER, 0);
	pci_command(&nvme.pci, 0, PCI_COMMAND_MASTER);
}

static void reset(void)
{
	EXPECT(nvme_disable());
}

static void reset_function(void)
{
	EXPECT(hostile_flr());
}

TEST(hostile_limit, queue_deleted)
{
	again_and_again(delete_queue);
}

TEST(hostile_limit, bus_mastering_off)
{
	again_and_again(switch_bus_mastering);
}

TEST(hostile_limit, reset)
{
	again_and_again(reset);
}

TEST(hostile_limit, function_level_reset)
{
	again_and_again(reset_function);
}
