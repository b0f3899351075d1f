// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory that goes away and comes back under a controller which has used
 * it before: whatever it keeps of a page must be gone with the page.
 */
#include "nvme_io.h"
#include "xen.h"

#define PAGES_OUT	64

/* What is out at the moment, so that a failed test leaves no holes behind. */
static u32 gone[PAGES_OUT], nr_gone;

static void setup(void)
{
	SKIP_IF(!xen_present(), "not under Xen");
	io_setup();
}

static void teardown(void)
{
	nvme_stop();
	while (nr_gone)
		xen_balloon_in(gone[--nr_gone]);
}

SUITE(nvme_balloon, .setup = setup, .teardown = teardown);

static void out(void *page)
{
	u32 gfn = (u32)phys(page) >> PAGE_SHIFT;

	ASSERT(nr_gone < PAGES_OUT);
	ASSERT_EQ(xen_balloon_out(gfn), 1);
	gone[nr_gone++] = gfn;
}

static void in(void *page)
{
	u32 i, gfn = (u32)phys(page) >> PAGE_SHIFT;

	ASSERT_EQ(xen_balloon_in(gfn), 1);
	for (i = 0; i < nr_gone && gone[i] != gfn; i++)
		;
	if (i < nr_gone)
		gone[i] = gone[--nr_gone];
}

static u16 one_page(u8 op, void *page)
{
	struct nvme_cmd c = io_cmd(op, 0, PAGE_SIZE / nvme.lba_size);

	c.prp1 = phys(page);
	return io_exec(&c);
}

TEST(nvme_balloon, data_page)
{
	u8 *p = page_alloc(1);
	u32 i;

	for (i = 0; i < 3; i++) {
		pattern_fill(p, PAGE_SIZE, 40 + i, 0);
		ASSERT_STATUS(one_page(IO_WRITE, p), SC_SUCCESS);
		out(p);
		EXPECT_STATUS(one_page(IO_READ, p), SC_DATA_TRANSFER, SC_INVALID_FIELD,
			      SC_INTERNAL);
		in(p);
		/* A new page is behind the same address; the old one is not used. */
		memset(p, 0, PAGE_SIZE);
		ASSERT_STATUS(one_page(IO_READ, p), SC_SUCCESS);
		EXPECT_EQ(pattern_check(p, PAGE_SIZE, 40 + i, 0), -1);
	}
}

TEST(nvme_balloon, many_pages)
{
	u32 i, n = min(nvme.max_transfer, 65536u) / PAGE_SIZE;
	struct dbuf b;

	dbuf_alloc(&b, DBUF_SCATTERED, 0, n * PAGE_SIZE);
	dbuf_fill(&b, 50);
	ASSERT_STATUS(io_rw(IO_WRITE, 0, &b, 0), SC_SUCCESS);
	for (i = 0; i < n; i++)
		out(b.page[i]);
	for (i = 0; i < n; i++)
		in(b.page[i]);
	dbuf_poison(&b);
	ASSERT_STATUS(io_rw(IO_READ, 0, &b, 0), SC_SUCCESS);
	dbuf_check(&b, 50);
}

/* Pages go while commands on them are under way: any status, all complete. */
TEST(nvme_balloon, under_load)
{
	struct nvme_cqe e;
	u8 *p = page_alloc(16);
	struct nvme_cmd c;
	u32 i, round;

	for (round = 0; round < 5; round++) {
		for (i = 0; i < 16; i++) {
			c = io_cmd(IO_READ, i * 8, PAGE_SIZE / nvme.lba_size);
			c.cid = i;
			c.prp1 = phys(p + i * PAGE_SIZE);
			nvme_put(&io_sq, &c);
		}
		nvme_ring_sq(&io_sq);
		for (i = 0; i < 16; i += 2)
			out(p + i * PAGE_SIZE);
		for (i = 0; i < 16; i++)
			ASSERT(nvme_reap(&io_cq, &e, timeout_ns(), true));
		for (i = 0; i < 16; i += 2)
			in(p + i * PAGE_SIZE);
	}
	io_expect_alive();
}

/* The queue's own memory goes: that queue is lost, the controller is not. */
TEST(nvme_balloon, queue_page)
{
	io_expect_alive();
	out((void *)io_sq.ring);
	nvme_w32(nvme_sq_db(1), (io_sq.tail + 1) % io_sq.depth);
	delay_ns(quiet_ns());
	in((void *)io_sq.ring);
	nvme_start();
	nvme_create_pair(&io_sq, &io_cq, 1, IO_DEPTH, false);
	io_expect_alive();
	out((void *)io_cq.ring);
	{
		struct nvme_cmd c = { .opcode = IO_FLUSH, .nsid = nvme.nsid };

		nvme_submit(&io_sq, &c);
	}
	delay_ns(quiet_ns());
	in((void *)io_cq.ring);
	nvme_start();
	nvme_create_pair(&io_sq, &io_cq, 1, IO_DEPTH, false);
	io_expect_alive();
}

TEST(nvme_balloon, list_page)
{
	struct dbuf b;
	struct nvme_cmd c;
	void *list;

	dbuf_alloc(&b, DBUF_SCATTERED, 0, 4 * PAGE_SIZE);
	c = io_cmd(IO_READ, 0, b.len / nvme.lba_size);
	dbuf_prp(&b, &c, 0);
	ASSERT_STATUS(io_exec(&c), SC_SUCCESS);
	list = (void *)(uintptr_t)c.prp2;
	out(list);
	EXPECT_STATUS(io_exec(&c), SC_DATA_TRANSFER, SC_INVALID_FIELD, SC_INTERNAL,
		      SC_PRP_OFFSET);
	in(list);
	io_expect_alive();
}
