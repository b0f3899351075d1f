// SPDX-License-Identifier: GPL-2.0
/*
 * Queues at work: many commands outstanding, wrapping and full queues, doorbells
 * with wrong values, interrupts. NVMe 1.4 sections 4.1 and 7.5.
 */
#include "apic.h"
#include "nvme_io.h"
#include "smp.h"

SUITE(nvme_ioq, .setup = io_setup, .teardown = nvme_stop);

static void new_pair(u16 sq_depth, u16 cq_depth, bool irq)
{
	ASSERT_STATUS(nvme_delete_sq(1), SC_SUCCESS);
	ASSERT_STATUS(nvme_delete_cq(1), SC_SUCCESS);
	nvme_cq_init(&io_cq, 1, cq_depth, nvme.vectors > 1, irq);
	nvme_sq_init(&io_sq, 1, sq_depth, &io_cq);
	ASSERT_STATUS(nvme_create_cq(&io_cq), SC_SUCCESS);
	ASSERT_STATUS(nvme_create_sq(&io_sq), SC_SUCCESS);
}

/* @n commands with identifiers base..base+n-1, on their own blocks and pages. */
static void put_batch(u8 op, u32 n, u16 base, u8 *pages, u32 seed)
{
	u32 i, per_page = PAGE_SIZE / nvme.lba_size;
	struct nvme_cmd c;

	for (i = 0; i < n; i++) {
		c = io_cmd(op, i * per_page, per_page);
		c.cid = base + i;
		c.prp1 = phys(pages + i * PAGE_SIZE);
		if (op == IO_WRITE)
			pattern_fill(pages + i * PAGE_SIZE, PAGE_SIZE, seed + i, 0);
		nvme_put(&io_sq, &c);
	}
}

static void reap_batch(u32 n, u16 base, bool ring_each)
{
	struct nvme_cqe e;
	u64 seen = 0;
	u32 i;

	for (i = 0; i < n; i++) {
		ASSERT(nvme_reap(&io_cq, &e, timeout_ns(), ring_each));
		ASSERT((u16)(e.cid - base) < n);
		EXPECT(!(seen >> (u16)(e.cid - base) & 1));
		seen |= BIT_ULL((u16)(e.cid - base));
		EXPECT_STATUS(cqe_status(&e), SC_SUCCESS);
		EXPECT_EQ(e.sq_id, 1);
	}
	if (!ring_each)
		nvme_ring_cq(&io_cq);
}

TEST(nvme_ioq, depth_32)
{
	u32 round, i;
	u8 *w = page_alloc(32), *r = page_alloc(32);

	for (round = 0; round < 4; round++) {
		put_batch(IO_WRITE, 32, 0x100, w, round * 100);
		nvme_ring_sq(&io_sq);
		reap_batch(32, 0x100, round & 1);
		memset(r, 0xee, 32 * PAGE_SIZE);
		put_batch(IO_READ, 32, 0x200, r, 0);
		nvme_ring_sq(&io_sq);
		reap_batch(32, 0x200, round & 1);
		for (i = 0; i < 32; i++)
			EXPECT_EQ(pattern_check(r + i * PAGE_SIZE, PAGE_SIZE,
						round * 100 + i, 0), -1);
	}
}

/* A doorbell for each command, with others under way */
TEST(nvme_ioq, doorbell_each)
{
	u8 *p = page_alloc(32);
	u32 i;

	for (i = 0; i < 32; i++) {
		put_batch(IO_READ, 1, 0x300 + i, p + i * PAGE_SIZE, 0);
		nvme_ring_sq(&io_sq);
	}
	reap_batch(32, 0x300, true);
}

/* A queue holds one command less than it has entries. */
TEST(nvme_ioq, full_submission_queue)
{
	u8 *p = page_alloc(IO_DEPTH - 1);
	u32 i;

	for (i = 0; i < 5; i++) {
		put_batch(IO_READ, IO_DEPTH - 1, 0x400, p, 0);
		nvme_ring_sq(&io_sq);
		reap_batch(IO_DEPTH - 1, 0x400, false);
		EXPECT(!nvme_cq_ready(&io_cq));
	}
}

TEST(nvme_ioq, small_queues_wrap)
{
	static const u8 depths[][2] = { { 2, 2 }, { 2, 5 }, { 3, 7 }, { 8, 2 }, { 5, 3 } };
	struct nvme_cmd c;
	u8 *p = page_alloc(1);
	u32 d, i;

	for (d = 0; d < ARRAY_SIZE(depths); d++) {
		new_pair(depths[d][0], depths[d][1], false);
		for (i = 0; i < 25; i++) {
			c = io_cmd(IO_READ, i, 1);
			c.prp1 = phys(p);
			ASSERT_STATUS(io_exec(&c), SC_SUCCESS);
		}
	}
}

/*
 * More commands than the completion queue has room: the rest waits until the
 * head doorbell says there is room again, and nothing is overwritten.
 */
TEST(nvme_ioq, full_completion_queue)
{
	u8 *p = page_alloc(8);
	struct nvme_cqe e, copy[4];
	u32 i, seen = 0;

	new_pair(16, 4, false);
	put_batch(IO_READ, 8, 0, p, 0);
	nvme_ring_sq(&io_sq);
	/* Three of four entries are used, the fourth stays free. */
	ASSERT(wait_for((io_cq.ring[2].status & 1) == 1, timeout_ns()));
	delay_ns(quiet_ns());
	EXPECT_EQ(io_cq.ring[3].status & 1, 0);
	memcpy(copy, (void *)io_cq.ring, sizeof(copy));
	delay_ns(quiet_ns());
	EXPECT_EQ(memcmp(copy, (void *)io_cq.ring, sizeof(copy)), 0);

	for (i = 0; i < 8; i++) {
		ASSERT(nvme_reap(&io_cq, &e, timeout_ns(), true));
		EXPECT_STATUS(cqe_status(&e), SC_SUCCESS);
		ASSERT(e.cid < 8);
		EXPECT(!(seen & BIT(e.cid)));
		seen |= BIT(e.cid);
	}
	EXPECT_EQ(seen, 0xff);
	EXPECT(!nvme_cq_ready(&io_cq));
}

/* Reset with a full completion queue and commands waiting for room in it */
TEST(nvme_ioq, reset_while_full)
{
	u8 *p = page_alloc(8);

	new_pair(16, 2, false);
	put_batch(IO_READ, 8, 0, p, 0);
	nvme_ring_sq(&io_sq);
	delay_ns(quiet_ns());
	nvme_start();
	nvme_create_pair(&io_sq, &io_cq, 1, IO_DEPTH, false);
	io_expect_alive();
}

TEST(nvme_ioq, reset_with_commands)
{
	u8 *p = page_alloc(32);
	struct nvme_cq old;
	u32 i, posted;

	for (i = 0; i < 5; i++) {
		put_batch(i & 1 ? IO_READ : IO_WRITE, 32, 0, p, 1);
		nvme_ring_sq(&io_sq);
		ASSERT(nvme_disable());
		/* Nothing is posted any more once the controller is not ready. */
		old = io_cq;
		for (posted = 0; posted < 32 && (old.ring[posted].status & 1); posted++)
			;
		delay_ns(quiet_ns() / 4);
		EXPECT(posted == 32 || !(old.ring[posted].status & 1));
		nvme_start();
		nvme_create_pair(&io_sq, &io_cq, 1, IO_DEPTH, false);
	}
	io_expect_alive();
}

/* Out of the queue's range: whatever is done with the queue, the rest lives. */
static void bad_doorbell(u32 reg, u32 value)
{
	void *page = page_alloc(1);

	nvme_w32(reg, value);
	delay_ns(quiet_ns() / 4);
	if (!(nvme_r32(NVME_CSTS) & CSTS_CFS))
		EXPECT_STATUS(nvme_identify(1, 0, page), SC_SUCCESS);
	nvme_start();
	nvme_create_pair(&io_sq, &io_cq, 1, IO_DEPTH, false);
	if (test_failed())
		test_note("doorbell %x, value %x", reg, value);
}

TEST(nvme_ioq, invalid_doorbells)
{
	bad_doorbell(nvme_sq_db(1), IO_DEPTH);
	bad_doorbell(nvme_sq_db(1), 0xffff);
	bad_doorbell(nvme_sq_db(1), 0xffff0001);
	bad_doorbell(nvme_cq_db(1), IO_DEPTH);
	bad_doorbell(nvme_cq_db(1), 0xffff);
	bad_doorbell(nvme_cq_db(1), 5);		/* more than was posted */
	bad_doorbell(nvme_sq_db(3), 1);		/* no such queue */
	bad_doorbell(nvme_cq_db(3), 1);
	bad_doorbell(nvme_sq_db(0), 0x7fff);
	bad_doorbell(nvme_cq_db(0), 0x7fff);
	io_expect_alive();
}

/* The same identifier twice at a time is the host's fault, and nobody dies. */
TEST(nvme_ioq, identifier_twice)
{
	u8 *p = page_alloc(2);
	struct nvme_cqe e;

	put_batch(IO_READ, 1, 7, p, 0);
	put_batch(IO_READ, 1, 7, p + PAGE_SIZE, 0);
	nvme_ring_sq(&io_sq);
	ASSERT(nvme_reap(&io_cq, &e, timeout_ns(), true));
	EXPECT_EQ(e.cid, 7);
	ASSERT(nvme_reap(&io_cq, &e, timeout_ns(), true));
	EXPECT_EQ(e.cid, 7);
	EXPECT_STATUS(cqe_status(&e), SC_SUCCESS, SC_CID_CONFLICT);
	io_expect_alive();
}

/* Entries beyond the doorbell are not looked at. */
TEST(nvme_ioq, doorbell_is_the_limit)
{
	u8 *p = page_alloc(4);
	struct nvme_cqe e;

	put_batch(IO_READ, 4, 0, p, 0);
	io_sq.tail = 2;
	nvme_ring_sq(&io_sq);
	ASSERT(nvme_reap(&io_cq, &e, timeout_ns(), true));
	ASSERT(nvme_reap(&io_cq, &e, timeout_ns(), true));
	delay_ns(quiet_ns());
	EXPECT(!nvme_cq_ready(&io_cq));
}

TEST(nvme_ioq, interrupt_per_completion)
{
	u32 i, n, vec;
	struct nvme_cqe e;
	u8 *p = page_alloc(1);

	SKIP_IF(!nvme.vectors, "no MSI-X");
	new_pair(IO_DEPTH, IO_DEPTH, true);
	vec = VEC_DEVICE + io_cq.vector;
	irq_settle(quiet_ns());
	n = irq_count(vec);
	for (i = 1; i <= 20; i++) {
		put_batch(IO_READ, 1, i, p, 0);
		nvme_ring_sq(&io_sq);
		ASSERT(irq_wait_count(vec, n + i, timeout_ns()));
		ASSERT(nvme_reap(&io_cq, &e, 0, true));
		EXPECT_STATUS(cqe_status(&e), SC_SUCCESS);
	}
	irq_settle(quiet_ns());
	EXPECT_EQ(irq_count(vec), n + 20);
}

TEST(nvme_ioq, interrupt_for_batch)
{
	u32 n, vec, got;
	u8 *p = page_alloc(32);

	SKIP_IF(!nvme.vectors, "no MSI-X");
	new_pair(IO_DEPTH, IO_DEPTH, true);
	vec = VEC_DEVICE + io_cq.vector;
	irq_settle(quiet_ns());
	n = irq_count(vec);
	put_batch(IO_READ, 32, 0, p, 0);
	nvme_ring_sq(&io_sq);
	ASSERT(irq_wait_count(vec, n + 1, timeout_ns()));
	reap_batch(32, 0, false);
	irq_settle(quiet_ns());
	got = irq_count(vec) - n;
	test_note("%u interrupts for 32 completions", got);
	EXPECT(got >= 1 && got <= 32);
}

TEST(nvme_ioq, interrupts_disabled)
{
	u32 n, vec;
	u8 *p = page_alloc(4);

	SKIP_IF(!nvme.vectors, "no MSI-X");
	new_pair(IO_DEPTH, IO_DEPTH, false);
	vec = VEC_DEVICE + io_cq.vector;
	irq_settle(quiet_ns());
	n = irq_count(vec);
	put_batch(IO_READ, 4, 0, p, 0);
	nvme_ring_sq(&io_sq);
	reap_batch(4, 0, true);
	irq_settle(quiet_ns());
	EXPECT_EQ(irq_count(vec), n);
}

/* Each completion queue has its own vector, also a shared one. */
TEST(nvme_ioq, vectors)
{
	struct nvme_cq cqs[3];
	struct nvme_sq sqs[3];
	struct nvme_cmd c = { .opcode = IO_FLUSH, .nsid = nvme.nsid };
	u32 i, n[3], vec, pairs;

	SKIP_IF(nvme.vectors < 3, "%u vectors", nvme.vectors);
	SKIP_IF(nvme.nr_ioq < 4, "%u queue pairs", nvme.nr_ioq);
	pairs = ARRAY_SIZE(cqs);
	for (i = 0; i < pairs; i++) {
		nvme_cq_init(&cqs[i], i + 2, 4, i == 2 ? 1 : i + 1, true);
		nvme_sq_init(&sqs[i], i + 2, 4, &cqs[i]);
		ASSERT_STATUS(nvme_create_cq(&cqs[i]), SC_SUCCESS);
		ASSERT_STATUS(nvme_create_sq(&sqs[i]), SC_SUCCESS);
	}
	irq_settle(quiet_ns());
	for (i = 0; i < pairs; i++) {
		vec = VEC_DEVICE + cqs[i].vector;
		n[0] = irq_count(VEC_DEVICE + 1);
		n[1] = irq_count(VEC_DEVICE + 2);
		EXPECT_STATUS(nvme_exec(&sqs[i], &c, NULL), SC_SUCCESS);
		ASSERT(irq_wait_count(vec, n[cqs[i].vector - 1] + 1, timeout_ns()));
		irq_settle(quiet_ns() / 4);
		EXPECT_EQ(irq_count(VEC_DEVICE + 1) - n[0], cqs[i].vector == 1);
		EXPECT_EQ(irq_count(VEC_DEVICE + 2) - n[1], cqs[i].vector == 2);
	}
}

/* ---- A queue pair on each CPU, all at once ---- */

struct worker {
	struct nvme_sq sq;
	struct nvme_cq cq;
	u8 *pages;
	u32 loops, done, bad;
};

static void work(void *arg)
{
	struct worker *w = arg;
	u32 i, per_page = PAGE_SIZE / nvme.lba_size;
	struct nvme_cqe e;
	struct nvme_cmd c;

	for (i = 0; i < w->loops; i++) {
		u32 op = i & 1 ? IO_READ : IO_WRITE;
		u64 lba = (u64)(w->sq.id * 64 + i / 2 % 16) * per_page;

		c = io_cmd(op, lba, per_page);
		c.cid = i;
		c.prp1 = phys(w->pages + (i & 1) * PAGE_SIZE);
		if (op == IO_WRITE)
			pattern_fill(w->pages, PAGE_SIZE, w->sq.id * 1000 + i, 0);
		nvme_put(&w->sq, &c);
		nvme_ring_sq(&w->sq);
		if (!nvme_reap(&w->cq, &e, timeout_ns(), true) || e.cid != (u16)i ||
		    cqe_status(&e)) {
			w->bad++;
			break;
		}
		if (op == IO_READ && pattern_check(w->pages + PAGE_SIZE, PAGE_SIZE,
						   w->sq.id * 1000 + i - 1, 0) != -1)
			w->bad++;
		w->done++;
	}
}

TEST(nvme_ioq, all_cpus)
{
	static struct worker w[MAX_CPUS];
	u32 cpu, n = smp_start();

	SKIP_IF(n < 2, "one CPU");
	n = min(n, nvme.nr_ioq - 1);
	for (cpu = 0; cpu < n; cpu++) {
		nvme_create_pair(&w[cpu].sq, &w[cpu].cq, cpu + 2, 8, false);
		w[cpu].pages = page_alloc(2);
		w[cpu].loops = (u32)arg_u64("loops", 100);
		w[cpu].done = 0;
		w[cpu].bad = 0;
	}
	for (cpu = 1; cpu < n; cpu++)
		smp_call(cpu, work, &w[cpu]);
	work(&w[0]);
	for (cpu = 1; cpu < n; cpu++)
		ASSERT(smp_wait(cpu, 4 * timeout_ns()));
	for (cpu = 0; cpu < n; cpu++) {
		EXPECT_EQ(w[cpu].bad, 0);
		EXPECT_EQ(w[cpu].done, w[cpu].loops);
	}
}
