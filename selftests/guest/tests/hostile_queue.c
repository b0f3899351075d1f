// SPDX-License-Identifier: GPL-2.0
/*
 * Queues, lists and data where they should not be: on top of each other, in the
 * queue that is being read, in registers, in no memory at all. What becomes of
 * such a queue is the guest's own loss. Another CPU keeps a queue pair busy
 * meanwhile.
 */
#include "hostile.h"
#include "io.h"
#include "smp.h"
#include "xen.h"

SUITE(hostile_queue, .setup = hostile_noisy_setup, .teardown = hostile_teardown,
      .flags = SUITE_MANUAL);

#define QID	3

static u16 create_cq_at(u64 addr, u16 id, u16 depth)
{
	struct nvme_cmd c = {
		.opcode = ADMIN_CREATE_CQ,
		.prp1 = addr,
		.cdw10 = (u32)(depth - 1) << 16 | id,
		.cdw11 = 1,
	};

	return nvme_exec(&nvme.asq, &c, NULL);
}

static u16 create_sq_at(u64 addr, u16 id, u16 depth, u16 cqid)
{
	struct nvme_cmd c = {
		.opcode = ADMIN_CREATE_SQ,
		.prp1 = addr,
		.cdw10 = (u32)(depth - 1) << 16 | id,
		.cdw11 = (u32)cqid << 16 | 1,
	};

	return nvme_exec(&nvme.asq, &c, NULL);
}

/* Doorbells of a queue pair of which nothing is known. */
static void ring_blindly(u16 id, u32 depth)
{
	u32 i;

	for (i = 0; i < 2 * depth; i++) {
		nvme_w32(nvme_sq_db(id), i % depth);
		nvme_w32(nvme_cq_db(id), rnd() % depth);
	}
	delay_ns(quiet_ns() / 10);
}

/* A page full of reads into @data, as a queue. */
static void fill_with_reads(u8 *ring, u8 *data)
{
	struct nvme_cmd c = io_cmd(IO_READ, 0, PAGE_SIZE / nvme.lba_size);
	u32 i;

	for (i = 0; i < PAGE_SIZE / sizeof(c); i++) {
		c.cid = i;
		c.prp1 = phys(data);
		memcpy(ring + i * sizeof(c), &c, sizeof(c));
	}
}

TEST(hostile_queue, both_rings_in_one_page)
{
	u8 *p = page_alloc(2);

	fill_with_reads(p, p + PAGE_SIZE);
	ASSERT_STATUS(create_cq_at(phys(p), QID, 64), SC_SUCCESS);
	ASSERT_STATUS(create_sq_at(phys(p), QID, 64, QID), SC_SUCCESS);
	ring_blindly(QID, 64);
	hostile_recover();
}

TEST(hostile_queue, two_queues_on_the_same_rings)
{
	u8 *p = page_alloc(3);

	fill_with_reads(p, p + PAGE_SIZE);
	ASSERT_STATUS(create_cq_at(phys(p) + 2 * PAGE_SIZE, QID, 64), SC_SUCCESS);
	ASSERT_STATUS(create_sq_at(phys(p), QID, 64, QID), SC_SUCCESS);
	ASSERT_STATUS(create_cq_at(phys(p) + 2 * PAGE_SIZE, QID + 1, 32), SC_SUCCESS);
	ASSERT_STATUS(create_sq_at(phys(p), QID + 1, 32, QID + 1), SC_SUCCESS);
	ring_blindly(QID, 64);
	ring_blindly(QID + 1, 32);
	hostile_recover();
}

TEST(hostile_queue, io_queues_on_the_admin_rings)
{
	u64 sq = phys(nvme.asq.ring), cq = phys(nvme.acq.ring);

	ASSERT_STATUS(create_cq_at(cq, QID, 16), SC_SUCCESS);
	ASSERT_STATUS(create_sq_at(sq, QID, 16, QID), SC_SUCCESS);
	ring_blindly(QID, 16);
	hostile_recover();
}

TEST(hostile_queue, admin_rings_on_each_other)
{
	u8 *p = page_alloc(1);
	u32 i;

	ASSERT(nvme_disable());
	nvme_w32(NVME_AQA, 63u << 16 | 63);
	nvme_w64(NVME_ASQ, phys(p));
	nvme_w64(NVME_ACQ, phys(p));
	nvme_enable(CC_DEFAULT);
	for (i = 0; i < 128; i++)
		nvme_w32(nvme_sq_db(0), i % 64);
	delay_ns(quiet_ns() / 10);
	hostile_recover();
}

/* What is read from the disk becomes the commands that come next. */
TEST(hostile_queue, data_into_the_queue_being_read)
{
	u8 *p = page_alloc(2), *data = p + PAGE_SIZE;
	struct nvme_cmd c;
	u32 i;

	fill_with_reads(data, (u8 *)io_sq.ring);
	c = io_cmd(IO_WRITE, 0, PAGE_SIZE / nvme.lba_size);
	c.prp1 = phys(data);
	ASSERT_STATUS(io_exec(&c), SC_SUCCESS);
	fill_with_reads((u8 *)io_sq.ring, (u8 *)io_sq.ring);
	for (i = 0; i < 200; i++) {
		nvme_w32(nvme_sq_db(1), rnd() % IO_DEPTH);
		nvme_w32(nvme_cq_db(1), rnd() % IO_DEPTH);
	}
	delay_ns(quiet_ns() / 10);
	hostile_recover();
}

TEST(hostile_queue, data_into_the_completion_queue)
{
	u32 i;

	fill_with_reads((u8 *)io_sq.ring, (u8 *)io_cq.ring);
	for (i = 0; i < 200; i++) {
		nvme_w32(nvme_sq_db(1), rnd() % IO_DEPTH);
		nvme_w32(nvme_cq_db(1), rnd() % IO_DEPTH);
	}
	delay_ns(quiet_ns() / 10);
	hostile_recover();
}

/* Lists of PRPs and SGLs in the rings, and in the data that is being read. */
TEST(hostile_queue, lists_where_the_controller_writes)
{
	u32 i, k, pages = min(nvme.max_transfer / PAGE_SIZE, 32u);
	u8 *data = page_alloc(pages + 1);
	const u64 where[] = {
		phys(io_sq.ring), phys(io_cq.ring), phys(nvme.acq.ring), phys(data),
		phys(data) + PAGE_SIZE - 8,
	};
	struct nvme_cmd c;
	u64 *list;

	for (k = 0; k < ARRAY_SIZE(where); k++) {
		list = (u64 *)(uintptr_t)where[k];
		for (i = 0; i < 20; i++) {
			c = io_cmd(IO_READ, rnd() % 64, pages * PAGE_SIZE / nvme.lba_size);
			c.cid = i;
			c.prp1 = phys(data);
			c.prp2 = where[k];
			if (i & 1) {
				c.flags = CMD_PSDT_SGL;
				c.sgl.addr = where[k];
				c.sgl.len = 64 * sizeof(struct sgl_desc);
				c.sgl.type = SGL_SEGMENT;
			}
			memcpy((void *)&io_sq.ring[i], &c, sizeof(c));
			if (where[k] == phys(data))
				list[i] = phys(data) + i * PAGE_SIZE;
		}
		nvme_w32(nvme_sq_db(1), 20);
		delay_ns(quiet_ns() / 10);
		hostile_recover();
	}
}

/*
 * Each list in itself: forwards, backwards, crosswise, for the longest transfer. PRPs
 * end with its length; segments without data never do.
 */
TEST(hostile_queue, lists_that_lead_in_circles)
{
	u64 *a = page_alloc(1), *b = page_alloc(1);
	u32 round, i, last = PAGE_SIZE / 8 - 1;
	struct nvme_cmd c;

	for (round = 0; round < 4; round++) {
		for (i = 0; i <= last; i++) {
			a[i] = round & 1 ? phys(a) : phys(b);
			b[i] = round & 1 ? phys(b) : phys(a);
		}
		c = io_cmd(IO_READ, 0, nvme.max_transfer / nvme.lba_size);
		c.prp1 = phys(a);
		c.prp2 = round & 2 ? phys(a) : phys(&a[last]);
		EXPECT_STATUS(nvme_exec(&io_sq, &c, NULL), SC_SUCCESS);
		/* An SGL of segments that point to themselves, then to each other */
		for (i = 0; i < PAGE_SIZE / sizeof(struct sgl_desc); i++) {
			struct sgl_desc *s = (struct sgl_desc *)a;

			s[i] = (struct sgl_desc) {
				.addr = round & 1 ? phys(a) : phys(b),
				.len = PAGE_SIZE, .type = SGL_SEGMENT,
			};
		}
		memcpy(b, a, PAGE_SIZE);
		c = io_cmd(IO_READ, 0, nvme.max_transfer / nvme.lba_size);
		c.flags = CMD_PSDT_SGL;
		c.sgl.addr = phys(a);
		c.sgl.len = PAGE_SIZE;
		c.sgl.type = SGL_SEGMENT;
		EXPECT_NE(nvme_exec(&io_sq, &c, NULL), SC_SUCCESS);
	}
	hostile_recover();
}

static u16 admin_exec(u8 opcode, u32 cdw10, u64 prp1, u64 prp2)
{
	struct nvme_cmd c = {
		.opcode = opcode, .cdw10 = cdw10, .prp1 = prp1, .prp2 = prp2,
	};

	return nvme_exec(&nvme.asq, &c, NULL);
}

static u16 prp_exec(u8 opcode, u32 pages, u64 prp1, u64 prp2)
{
	struct nvme_cmd c = io_cmd(opcode, 0, pages * PAGE_SIZE / nvme.lba_size);

	c.prp1 = prp1;
	c.prp2 = prp2;
	return io_exec(&c);
}

static u16 sgl_exec(u8 opcode, u64 addr, u8 type)
{
	struct nvme_cmd c = io_cmd(opcode, 0, PAGE_SIZE / nvme.lba_size);

	c.flags = CMD_PSDT_SGL;
	c.sgl = (struct sgl_desc) { addr, PAGE_SIZE, {}, type };
	return io_exec(&c);
}

/* One page of each command is nowhere, all others are good. */
static void nowhere(u64 a)
{
	u8 *good = page_alloc(4);
	u64 *list = page_alloc(1);
	struct sgl_desc *seg = page_alloc(1);
	struct nvme_cmd c;
	u32 op;

	for (op = IO_WRITE; op <= IO_READ; op++) {
		EXPECT_STATUS(prp_exec(op, 1, a, 0), SC_DATA_TRANSFER);
		EXPECT_STATUS(prp_exec(op, 2, a, phys(good)), SC_DATA_TRANSFER);
		EXPECT_STATUS(prp_exec(op, 2, phys(good), a), SC_DATA_TRANSFER);
		/* A list there, then in a good one the last entry */
		EXPECT_STATUS(prp_exec(op, 4, phys(good), a), SC_DATA_TRANSFER);
		list[0] = phys(good) + PAGE_SIZE;
		list[1] = phys(good) + 2 * PAGE_SIZE;
		list[2] = a;
		EXPECT_STATUS(prp_exec(op, 4, phys(good), phys(list)), SC_DATA_TRANSFER);
		EXPECT_STATUS(sgl_exec(op, a, SGL_DATA), SC_DATA_TRANSFER);
		EXPECT_STATUS(sgl_exec(op, a, SGL_SEGMENT), SC_DATA_TRANSFER);
		EXPECT_STATUS(sgl_exec(op, a, SGL_LAST), SC_DATA_TRANSFER);
		seg[0] = (struct sgl_desc) { phys(good), PAGE_SIZE / 2, {}, SGL_DATA };
		seg[1] = (struct sgl_desc) { a, PAGE_SIZE / 2, {}, SGL_DATA };
		EXPECT_STATUS(sgl_exec(op, phys(seg), SGL_LAST), SC_DATA_TRANSFER);
	}
	c = (struct nvme_cmd) { .opcode = IO_DSM, .nsid = nvme.nsid, .prp1 = a, .cdw11 = 4 };
	EXPECT_STATUS(io_exec(&c), SC_DATA_TRANSFER);

	EXPECT_STATUS(admin_exec(ADMIN_IDENTIFY, 1, a, 0), SC_DATA_TRANSFER);
	EXPECT_STATUS(admin_exec(ADMIN_GET_LOG, 0x007f0000 | LOG_SMART, a, 0),
		      SC_DATA_TRANSFER);
	EXPECT_STATUS(admin_exec(ADMIN_DBBUF, 0, a, phys(good)), SC_DATA_TRANSFER);
	EXPECT_STATUS(admin_exec(ADMIN_DBBUF, 0, phys(good), a), SC_DATA_TRANSFER);
	EXPECT_STATUS(create_cq_at(a, QID, 64), SC_DATA_TRANSFER);
	ASSERT_STATUS(create_cq_at(phys(good), QID, 64), SC_SUCCESS);
	EXPECT_STATUS(create_sq_at(a, QID, 64, QID), SC_DATA_TRANSFER);
	ASSERT_STATUS(nvme_delete_cq(QID), SC_SUCCESS);
}

/* The controller does not become ready with these, and says so. */
static void no_admin_queues(u64 asq, u64 acq)
{
	ASSERT(nvme_disable());
	nvme_w32(NVME_AQA, 63u << 16 | 63);
	nvme_w64(NVME_ASQ, asq);
	nvme_w64(NVME_ACQ, acq);
	EXPECT(!nvme_enable(CC_DEFAULT));
	EXPECT_EQ(nvme_r32(NVME_CSTS) & (CSTS_RDY | CSTS_CFS), CSTS_CFS);
	nvme_w32(nvme_sq_db(0), 8);
}

/* Every kind of queue, list and data at every address that is not memory. */
TEST(hostile_queue, nothing_is_at_nasty_addresses)
{
	u64 good, a;
	u32 n, mark;

	for (n = 0; n < HOSTILE_ADDRS; n++) {
		mark = mem_mark();
		nowhere(hostile_addr(n));
		mem_release(mark);
		if (test_failed()) {
			test_note("address %llx", hostile_addr(n));
			break;
		}
	}
	/* None of the shadow doorbells was taken: the registers still count. */
	io_expect_alive();
	noise_stop();
	good = phys(page_alloc(1));
	for (n = 0; n < HOSTILE_ADDRS; n++) {
		a = hostile_addr(n);
		no_admin_queues(a, good);
		no_admin_queues(good, a);
		if (test_failed()) {
			test_note("admin queue at %llx", a);
			break;
		}
	}
	hostile_recover();
}

/* Where the specification leaves a controller the choice, this one refuses. */
TEST(hostile_queue, unaligned)
{
	u8 *good = page_alloc(4);
	u64 *list = page_alloc(1);
	u32 by, i;

	for (i = 0; i < PAGE_SIZE / 8; i++)
		list[i] = phys(good) + PAGE_SIZE;
	for (by = 1; by < PAGE_SIZE; by *= 2) {
		u16 dword = by & 3 ? SC_PRP_OFFSET : SC_SUCCESS;
		u16 qword = by & 7 ? SC_PRP_OFFSET : SC_SUCCESS;

		EXPECT_STATUS(prp_exec(IO_WRITE, 2, phys(good) + by, phys(list)), dword);
		EXPECT_STATUS(prp_exec(IO_WRITE, 2, phys(good), phys(good) + by),
			      SC_PRP_OFFSET);
		EXPECT_STATUS(prp_exec(IO_WRITE, 4, phys(good), phys(list) + by), qword);
		list[1] += by;
		EXPECT_STATUS(prp_exec(IO_WRITE, 4, phys(good), phys(list)), SC_PRP_OFFSET);
		list[1] -= by;
		EXPECT_STATUS(create_cq_at(phys(good) + by, QID, 64), SC_PRP_OFFSET);
		EXPECT_STATUS(create_sq_at(phys(good) + by, QID, 64, 1), SC_PRP_OFFSET);
		EXPECT_STATUS(admin_exec(ADMIN_DBBUF, 0, phys(good) + by, phys(list)),
			      SC_PRP_OFFSET);
		EXPECT_STATUS(admin_exec(ADMIN_DBBUF, 0, phys(list), phys(good) + by),
			      SC_PRP_OFFSET);
		if (test_failed()) {
			test_note("by %x", by);
			break;
		}
	}
	/* The same page for both kinds of shadow doorbells */
	EXPECT_STATUS(admin_exec(ADMIN_DBBUF, 0, phys(good), phys(good)), SC_INVALID_FIELD);
	hostile_recover();
}

/* Wholly or by half where memory was, and again when it is back. */
TEST(hostile_queue, in_memory_that_is_ballooned_out)
{
	u8 *p = page_alloc(4), *hole = p + PAGE_SIZE;
	u32 gfn = (u32)phys(hole) >> PAGE_SHIFT;
	struct nvme_cmd c;

	SKIP_IF(!xen_present(), "not under Xen");
	ASSERT_STATUS(create_cq_at(phys(p) + 3 * PAGE_SIZE, QID, 64), SC_SUCCESS);
	ASSERT_EQ(xen_balloon_out(gfn), 1);
	EXPECT_STATUS(create_cq_at(phys(hole), QID + 1, 64), SC_DATA_TRANSFER);
	EXPECT_STATUS(create_sq_at(phys(hole), QID, 64, QID), SC_DATA_TRANSFER);
	EXPECT_STATUS(create_sq_at(phys(p), QID, 128, QID), SC_DATA_TRANSFER);
	EXPECT_STATUS(create_sq_at(phys(hole), QID, 128, QID), SC_DATA_TRANSFER);
	c = io_cmd(IO_READ, 0, 2 * PAGE_SIZE / nvme.lba_size);
	c.prp1 = phys(p);
	c.prp2 = phys(hole);
	EXPECT_STATUS(io_exec(&c), SC_DATA_TRANSFER);
	EXPECT_STATUS(admin_exec(ADMIN_DBBUF, 0, phys(p), phys(hole)), SC_DATA_TRANSFER);
	EXPECT_STATUS(admin_exec(ADMIN_DBBUF, 0, phys(hole), phys(p)), SC_DATA_TRANSFER);
	ASSERT_EQ(xen_balloon_in(gfn), 1);
	EXPECT_STATUS(create_sq_at(phys(p), QID, 128, QID), SC_SUCCESS);
	hostile_recover();
}

/*
 * Frames of Xen's that are a guest's memory if it wants: they are its own, and
 * take whatever it has the controller put there.
 */
static void special(u32 space)
{
	u32 gfn = 0xfc000000 >> PAGE_SHIFT, off = 0xf00;
	u64 at = (u64)gfn << PAGE_SHIFT;
	u8 *p = page_alloc(2), *data = page_alloc(1);

	fill_with_reads(p, p + PAGE_SIZE);
	EXPECT_STATUS(create_cq_at(at, QID, 64), SC_DATA_TRANSFER);
	ASSERT_EQ(xen_map_special(space, 0, gfn), 0);
	/* Data from a part that Xen does not use, and to it */
	pattern_fill((u8 *)(uintptr_t)at + off, 0x100, 6, 0);
	EXPECT_STATUS(prp_exec(IO_WRITE, 1, at, 0), SC_SUCCESS);
	EXPECT_STATUS(prp_exec(IO_READ, 1, phys(data), 0), SC_SUCCESS);
	EXPECT_EQ(pattern_check(data + off, 0x100, 6, 0), -1);
	pattern_fill(data + off, 0x100, 7, 0);
	EXPECT_STATUS(prp_exec(IO_WRITE, 1, phys(data), 0), SC_SUCCESS);
	EXPECT_STATUS(prp_exec(IO_READ, 1, at, 0), SC_SUCCESS);
	EXPECT_EQ(pattern_check((u8 *)(uintptr_t)at + off, 0x100, 7, 0), -1);
	/* Completions, commands, doorbells */
	EXPECT_STATUS(create_cq_at(at, QID, 64), SC_SUCCESS);
	EXPECT_STATUS(create_sq_at(phys(p), QID, 64, QID), SC_SUCCESS);
	ring_blindly(QID, 64);
	EXPECT_STATUS(create_cq_at(phys(data), QID + 1, 64), SC_SUCCESS);
	EXPECT_STATUS(create_sq_at(at, QID + 1, 64, QID + 1), SC_SUCCESS);
	ring_blindly(QID + 1, 64);
	EXPECT_STATUS(admin_exec(ADMIN_DBBUF, 0, at, phys(p)), SC_SUCCESS);
	EXPECT_STATUS(admin_exec(ADMIN_DBBUF, 0, phys(p), at), SC_SUCCESS);
	ring_blindly(QID, 64);
	/* And away, with all of that on it */
	EXPECT_EQ(xen_unmap(gfn), 0);
	ring_blindly(QID, 64);
	ring_blindly(QID + 1, 64);
	hostile_recover();
	/* Xen tells nobody until memory goes as well. */
	ASSERT_EQ(xen_balloon_out((u32)phys(p) >> PAGE_SHIFT), 1);
	ASSERT_EQ(xen_balloon_in((u32)phys(p) >> PAGE_SHIFT), 1);
	EXPECT_STATUS(create_cq_at(at, QID, 64), SC_DATA_TRANSFER);
	hostile_recover();
}

TEST(hostile_queue, in_the_shared_info_page)
{
	SKIP_IF(!xen_present(), "not under Xen");
	special(XEN_SHARED_INFO);
}

TEST(hostile_queue, in_the_grant_table)
{
	SKIP_IF(!xen_present(), "not under Xen");
	special(XEN_GRANT_TABLE);
}

#define RUNG	8	/* queues 1 to this one, whether they are there or not */

static volatile bool ringing;

/* Another CPU: all doorbells but those of the admin queue, which has to be right. */
static void ring_all(void *arg)
{
	u32 x = 1, qid;

	(void)arg;
	while (ringing) {
		x = x * 1664525 + 1013904223;
		qid = 1 + (x >> 28) % RUNG;
		/* Also beyond the end */
		nvme_w32(x >> 24 & 1 ? nvme_sq_db(qid) : nvme_cq_db(qid), x >> 8 & 0x7f);
	}
}

/* All that queues here lead to is reads of one page. */
static void ringing_start(u8 *ring, u8 *data)
{
	noise_stop();
	fill_with_reads(ring, data);
	fill_with_reads((u8 *)io_sq.ring, data);
	ringing = smp_start() > 1;
	if (ringing)
		smp_call(1, ring_all, NULL);
	else
		test_note("one CPU");
}

static void ringing_stop(void)
{
	if (!ringing)
		return;
	ringing = false;
	ASSERT(smp_wait(1, timeout_ns()));
}

/* Queues come and go while another CPU rings for them and for all others. */
TEST(hostile_queue, created_and_deleted_at_work)
{
	u64 start, ns = hostile_ns(500);
	u8 *p = page_alloc(3);
	u32 i, rounds = 0;

	ringing_start(p, p + 2 * PAGE_SIZE);
	start = now_ns();
	while (rounds < 5 || now_ns() - start < ns) {
		EXPECT_STATUS(create_cq_at(phys(p) + PAGE_SIZE, QID, 64), SC_SUCCESS);
		EXPECT_STATUS(create_sq_at(phys(p), QID, 64, QID), SC_SUCCESS);
		for (i = 0; i < 8; i++)
			nvme_w32(nvme_sq_db(QID), rnd() % 64);
		/* In the wrong order first. */
		EXPECT_STATUS(nvme_delete_cq(QID), SC_QUEUE_DELETION);
		EXPECT_STATUS(nvme_delete_sq(QID), SC_SUCCESS);
		EXPECT_STATUS(nvme_delete_cq(QID), SC_SUCCESS);
		rounds++;
		if (test_failed())
			break;
	}
	test_note("%u times", rounds);
	ringing_stop();
	hostile_recover();
}

/* What one queue pair goes through; admin commands are executed in their order. */
static const struct {
	u8 opcode;
	u16 status;
} life[] = {
	{ ADMIN_CREATE_SQ, SC_CQ_INVALID },
	{ ADMIN_CREATE_CQ, SC_SUCCESS },
	{ ADMIN_CREATE_CQ, SC_QID_INVALID },
	{ ADMIN_CREATE_SQ, SC_SUCCESS },
	{ ADMIN_CREATE_SQ, SC_QID_INVALID },
	{ ADMIN_DELETE_CQ, SC_QUEUE_DELETION },
	{ ADMIN_DELETE_SQ, SC_SUCCESS },
	{ ADMIN_DELETE_SQ, SC_QID_INVALID },
	{ ADMIN_DELETE_CQ, SC_SUCCESS },
	{ ADMIN_DELETE_CQ, SC_QID_INVALID },
};

#define LIVES	3	/* pairs in a batch, QID and on */

static void put_batch(u8 *p)
{
	u32 i;

	for (i = 0; i < LIVES * ARRAY_SIZE(life); i++) {
		u8 opcode = life[i / LIVES].opcode;
		bool sq = opcode == ADMIN_CREATE_SQ || opcode == ADMIN_DELETE_SQ;
		u16 qid = QID + i % LIVES;
		struct nvme_cmd c = {
			.opcode = opcode, .cid = i,
			.prp1 = phys(p) + (sq ? 0 : PAGE_SIZE),
			.cdw10 = 63u << 16 | qid,
			.cdw11 = (sq ? (u32)qid << 16 : 0) | 1,
		};

		if (opcode == ADMIN_DELETE_SQ || opcode == ADMIN_DELETE_CQ)
			c.cdw10 = qid;
		nvme_put(&nvme.asq, &c);
	}
	nvme_ring_sq(&nvme.asq);
}

/* Many of these commands on their way at once, and doorbells for all queues. */
TEST(hostile_queue, batches_of_creations_and_deletions)
{
	u64 start, ns = hostile_ns(500);
	u8 *p = page_alloc(3);
	struct nvme_cqe e;
	u32 i, rounds = 0;

	ringing_start(p, p + 2 * PAGE_SIZE);
	start = now_ns();
	while ((rounds < 2 || now_ns() - start < ns) && !test_failed()) {
		put_batch(p);
		for (i = 0; i < LIVES * ARRAY_SIZE(life); i++) {
			ASSERT(nvme_reap(&nvme.acq, &e, timeout_ns(), true));
			EXPECT_EQ(e.cid, i);
			EXPECT_STATUS(cqe_status(&e), life[i / LIVES].status);
		}
		rounds++;
	}
	test_note("%u batches of %u", rounds, LIVES * (u32)ARRAY_SIZE(life));
	ringing_stop();
	hostile_recover();
}
