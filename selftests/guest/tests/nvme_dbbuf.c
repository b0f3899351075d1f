// SPDX-License-Identifier: GPL-2.0
/* Shadow doorbells: Doorbell Buffer Config, NVMe 1.4 sections 5.7 and 7.13. */
#include "nvme_io.h"

static void setup(void)
{
	nvme_start();
	SKIP_IF(!(nvme.idctrl[257] & 1), "no Doorbell Buffer Config");
	SKIP_IF(!nvme.nsid, "no active namespace");
}

SUITE(nvme_dbbuf, .setup = setup, .teardown = nvme_stop);

static void reads(u32 n, bool batch)
{
	u8 *p = page_alloc(1);
	struct nvme_cmd c;
	struct nvme_cqe e;
	u32 i;

	for (i = 0; i < n; i++) {
		c = io_cmd(IO_READ, i % 1024, 1);
		c.prp1 = phys(p);
		if (!batch) {
			ASSERT_STATUS(io_exec(&c), SC_SUCCESS);
			continue;
		}
		c.cid = i;
		nvme_put(&io_sq, &c);
	}
	if (!batch)
		return;
	nvme_ring_sq(&io_sq);
	for (i = 0; i < n; i++) {
		ASSERT(nvme_reap(&io_cq, &e, timeout_ns(), true));
		EXPECT_STATUS(cqe_status(&e), SC_SUCCESS);
	}
}

TEST(nvme_dbbuf, after_queues)
{
	u32 n;

	nvme_create_pair(&io_sq, &io_cq, 1, IO_DEPTH, false);
	ASSERT_STATUS(nvme_dbbuf_enable(), SC_SUCCESS);
	n = nvme.doorbell_writes;
	reads(300, false);
	reads(IO_DEPTH - 1, true);
	reads(IO_DEPTH - 1, true);
	test_note("%u doorbell writes for %u commands", nvme.doorbell_writes - n,
		  300 + 2 * (IO_DEPTH - 1));
}

TEST(nvme_dbbuf, before_queues)
{
	ASSERT_STATUS(nvme_dbbuf_enable(), SC_SUCCESS);
	nvme_create_pair(&io_sq, &io_cq, 1, IO_DEPTH, false);
	reads(200, false);
	reads(IO_DEPTH - 1, true);
}

/* Enabled while the queues stand somewhere else than at 0: copied in. */
TEST(nvme_dbbuf, after_commands)
{
	nvme_create_pair(&io_sq, &io_cq, 1, IO_DEPTH, false);
	reads(37, false);
	{
		u8 *pages = page_alloc(2);
		volatile u32 *shadow = (void *)pages;
		struct nvme_cmd c = {
			.opcode = ADMIN_DBBUF,
			.prp1 = phys(pages),
			.prp2 = phys(pages + PAGE_SIZE),
		};

		shadow[2 * nvme.stride / 4] = io_sq.tail;
		shadow[3 * nvme.stride / 4] = io_cq.head;
		ASSERT_STATUS(nvme_exec(&nvme.asq, &c, NULL), SC_SUCCESS);
		nvme.dbbuf = shadow;
		nvme.eventidx = (void *)(pages + PAGE_SIZE);
	}
	reads(100, false);
}

/* A full completion queue drains though the host tells its head in the shadow. */
TEST(nvme_dbbuf, full_completion_queue)
{
	u8 *p = page_alloc(1);
	struct nvme_cmd c;
	struct nvme_cqe e;
	u32 i, round;

	ASSERT_STATUS(nvme_set_queues(1), SC_SUCCESS);
	nvme_cq_init(&io_cq, 1, 4, 0, false);
	nvme_sq_init(&io_sq, 1, 32, &io_cq);
	ASSERT_STATUS(nvme_create_cq(&io_cq), SC_SUCCESS);
	ASSERT_STATUS(nvme_create_sq(&io_sq), SC_SUCCESS);
	ASSERT_STATUS(nvme_dbbuf_enable(), SC_SUCCESS);
	for (round = 0; round < 5; round++) {
		for (i = 0; i < 20; i++) {
			c = io_cmd(IO_READ, i, 1);
			c.cid = i;
			c.prp1 = phys(p);
			nvme_put(&io_sq, &c);
		}
		nvme_ring_sq(&io_sq);
		delay_ns(quiet_ns() / 10);
		for (i = 0; i < 20; i++) {
			ASSERT(nvme_reap(&io_cq, &e, timeout_ns(), true));
			EXPECT_STATUS(cqe_status(&e), SC_SUCCESS);
		}
	}
}

/* The admin queue stays on its registers. */
TEST(nvme_dbbuf, admin_queue)
{
	void *page = page_alloc(1);
	u32 i;

	ASSERT_STATUS(nvme_dbbuf_enable(), SC_SUCCESS);
	for (i = 0; i < 100; i++)
		ASSERT_STATUS(nvme_identify(1, 0, page), SC_SUCCESS);
}

/* A reset turns it off; the old pages are no doorbells any more. */
TEST(nvme_dbbuf, reset_disables)
{
	volatile u32 *old;

	nvme_create_pair(&io_sq, &io_cq, 1, IO_DEPTH, false);
	ASSERT_STATUS(nvme_dbbuf_enable(), SC_SUCCESS);
	reads(10, false);
	old = nvme.dbbuf;
	nvme_start();
	nvme_create_pair(&io_sq, &io_cq, 1, IO_DEPTH, false);
	old[2 * nvme.stride / 4] = 5;
	delay_ns(quiet_ns());
	EXPECT(!nvme_cq_ready(&io_cq));
	reads(IO_DEPTH + 5, false);
}

#define NOWHERE		0x00000fff00000000ull

TEST(nvme_dbbuf, invalid_pages)
{
	u8 *pages = page_alloc(3);
	struct nvme_cmd c = { .opcode = ADMIN_DBBUF };

	c.prp1 = phys(pages) + 0x10;
	c.prp2 = phys(pages) + PAGE_SIZE;
	EXPECT_STATUS(nvme_exec(&nvme.asq, &c, NULL), SC_INVALID_FIELD, SC_PRP_OFFSET);
	c.prp1 = phys(pages);
	c.prp2 = phys(pages) + PAGE_SIZE + 0x800;
	EXPECT_STATUS(nvme_exec(&nvme.asq, &c, NULL), SC_INVALID_FIELD, SC_PRP_OFFSET);
	c.prp2 = NOWHERE;
	EXPECT_STATUS(nvme_exec(&nvme.asq, &c, NULL), SC_DATA_TRANSFER);
	c.prp1 = NOWHERE;
	c.prp2 = phys(pages);
	EXPECT_STATUS(nvme_exec(&nvme.asq, &c, NULL), SC_DATA_TRANSFER);
	nvme_start();
	nvme_create_pair(&io_sq, &io_cq, 1, IO_DEPTH, false);
	reads(10, false);
}

/* Shadow values that no host in its right mind writes */
TEST(nvme_dbbuf, invalid_values)
{
	static const u32 bad[] = { IO_DEPTH, 0xffff, 0xffffffff, 0x80000001 };
	void *page = page_alloc(1);
	u32 i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		nvme_create_pair(&io_sq, &io_cq, 1, IO_DEPTH, false);
		ASSERT_STATUS(nvme_dbbuf_enable(), SC_SUCCESS);
		nvme.dbbuf[2 * nvme.stride / 4] = bad[i];
		nvme.dbbuf[3 * nvme.stride / 4] = bad[i];
		mb();		/* the shadows before the doorbell */
		nvme_w32(nvme_sq_db(1), 1);
		delay_ns(quiet_ns() / 4);
		if (!(nvme_r32(NVME_CSTS) & CSTS_CFS))
			EXPECT_STATUS(nvme_identify(1, 0, page), SC_SUCCESS);
		nvme_start();
	}
}
