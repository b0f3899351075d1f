// SPDX-License-Identifier: GPL-2.0
/* Queues of the NVMe controller: rings, doorbells, interrupts, fairness. */
#include <standin/sched.h>

#include "nvme_host.h"

FIXTURE(queue) {
	struct nvme_host h;
	struct ioemu_disk *disk;
	u64 data;
};

FIXTURE_SETUP(queue)
{
	host_init(&self->h, 4096, 9);
	self->disk = self->h.disks[0];
	self->data = host_page(&self->h, 130);
	standin_idle = fake_disk_idle;
	standin_idle_arg = self->disk;
}

FIXTURE_TEARDOWN(queue)
{
	fake_disk_hold(self->disk, false);
	host_exit(&self->h);
}

static struct nvme_sqe rd(struct fixture_queue *self)
{
	return sqe_rw(false, 0, 1, self->data, 0);
}

TEST_F(queue, wraps_many_times)
{
	struct nvme_host *h = &self->h;
	u32 sizes[] = { 2, 3, 5, 64, 1000 };
	unsigned int s, i;

	host_msix(h);
	for (s = 0; s < ARRAY_SIZE(sizes); s++) {
		ASSERT_TRUE(host_enable(h));
		ASSERT_EQ(0, host_create_cq(h, 1, sizes[s]));
		ASSERT_EQ(0, host_create_sq(h, 1, sizes[s], 1));
		for (i = 0; i < 2100; i++)
			ASSERT_EQ(0, host_exec(h, 1, rd(self)));
		ASSERT_TRUE(host_disable(h));
	}
}

TEST_F(queue, largest)
{
	struct nvme_host *h = &self->h;
	struct nvme_cqe cqe;
	unsigned int i;

	host_ready(h, 1024);
	/* As many as fit, at once */
	for (i = 0; i < 1023; i++)
		host_queue_cmd(h, 1, rd(self));
	ring_sq(h, 1, h->sq[1].tail);
	run_pending();
	for (i = 0; i < 1023; i++) {
		ASSERT_TRUE(host_take(h, 1, &cqe));
		EXPECT_EQ(0, cqe_status(&cqe));
	}
	EXPECT_FALSE(host_take(h, 1, &cqe));
	ring_cq(h, 1, h->cq[1].head);
	EXPECT_EQ(0, host_exec(h, 1, rd(self)));
}

/* @nr reads, which the thread executes. */
static void give(struct fixture_queue *self, unsigned int nr)
{
	struct nvme_host *h = &self->h;
	unsigned int i;

	for (i = 0; i < nr; i++)
		host_queue_cmd(h, 1, rd(self));
	ring_sq(h, 1, h->sq[1].tail);
	run_pending();
}

TEST_F(queue, one_interrupt_for_a_batch)
{
	struct nvme_host *h = &self->h;
	struct nvme_cqe cqe;
	unsigned int i;

	host_ready(h, 64);
	fake_disk_complete_in_irq(self->disk, false);
	give(self, 32);
	EXPECT_EQ(1, host_irqs(h, 1));
	for (i = 0; i < 32; i++)
		EXPECT_TRUE(host_take(h, 1, &cqe));
	EXPECT_EQ(32, le16_to_cpu(cqe.sq_head));
	ring_cq(h, 1, h->cq[1].head);

	/* From hard irq each one is told at once, to a guest that keeps up. */
	fake_vm_clear_msi(h->vm);
	fake_disk_hold(self->disk, true);
	give(self, 8);
	EXPECT_EQ(0, host_irqs(h, 1));
	fake_disk_complete_in_irq(self->disk, true);
	for (i = 0; i < 8; i++) {
		fake_disk_release(self->disk, 0);
		EXPECT_EQ(i + 1, host_irqs(h, 1));
		EXPECT_TRUE(host_take(h, 1, &cqe));
		ring_cq(h, 1, h->cq[1].head);
	}
}

/* @nr reads are with the disk, and will end from hard irq. */
static void hold(struct fixture_queue *self, unsigned int nr)
{
	fake_disk_hold(self->disk, true);
	fake_disk_complete_in_irq(self->disk, true);
	give(self, nr);
	fake_vm_clear_msi(self->h.vm);
}

static void take(struct fixture_queue *self, unsigned int nr)
{
	struct nvme_cqe cqe;

	while (nr--)
		EXPECT_TRUE(host_take(&self->h, 1, &cqe));
}

static void consume(struct fixture_queue *self, unsigned int nr)
{
	take(self, nr);
	ring_cq(&self->h, 1, self->h.cq[1].head);
}

TEST_F(queue, busy_guest_is_not_interrupted_again)
{
	struct nvme_host *h = &self->h;

	host_ready(h, 64);
	hold(self, 8);
	fake_disk_release(self->disk, 0);
	EXPECT_EQ(1, host_irqs(h, 1));
	/* It has not consumed that yet. */
	fake_disk_release(self->disk, 0);
	fake_disk_release(self->disk, 0);
	EXPECT_EQ(1, host_irqs(h, 1));
	/* Its handler found all of them. */
	consume(self, 3);
	standin_advance_ns(NSEC_PER_SEC);
	EXPECT_EQ(1, host_irqs(h, 1));

	/* Its handler has ended before it found the second one. */
	fake_disk_release(self->disk, 0);
	EXPECT_EQ(2, host_irqs(h, 1));
	take(self, 1);
	fake_disk_release(self->disk, 0);
	EXPECT_EQ(2, host_irqs(h, 1));
	ring_cq(h, 1, h->cq[1].head);
	EXPECT_EQ(3, host_irqs(h, 1));
	consume(self, 1);

	/* It consumes, but does not say so for long. */
	fake_disk_release(self->disk, 0);
	take(self, 1);
	fake_disk_release(self->disk, 0);
	EXPECT_EQ(4, host_irqs(h, 1));
	standin_advance_ns(150 * NSEC_PER_USEC);
	EXPECT_EQ(5, host_irqs(h, 1));
	fake_disk_release(self->disk, 0);
	EXPECT_EQ(5, host_irqs(h, 1));
	standin_advance_ns(150 * NSEC_PER_USEC);
	EXPECT_EQ(6, host_irqs(h, 1));
	consume(self, 2);
	standin_advance_ns(NSEC_PER_SEC);
	EXPECT_EQ(6, host_irqs(h, 1));
}

/* The thread looks after what is with the disk, and sleeps when nothing is. */
TEST_F(queue, disk_that_has_to_be_polled)
{
	struct nvme_host *h = &self->h;

	fake_disk_poll(self->disk, 3);
	host_ready(h, 64);
	fake_vm_clear_msi(h->vm);
	give(self, 20);
	EXPECT_EQ(0, fake_disk_nr_held(self->disk));
	EXPECT_EQ(1, host_irqs(h, 1));
	consume(self, 20);

	/* One that takes long does not keep the thread from other commands. */
	fake_disk_poll(self->disk, 100 * 1000);
	host_queue_cmd(h, 1, rd(self));
	host_queue_cmd(h, 1, (struct nvme_sqe) {
		.opcode = NVME_CMD_FLUSH, .nsid = cpu_to_le32(1) });
	ring_sq(h, 1, h->sq[1].tail);
	run_pending();
	consume(self, 2);
	EXPECT_EQ(0, fake_disk_nr_held(self->disk));

	/* Nor from being taken away. */
	fake_disk_poll(self->disk, 1000);
	host_queue_cmd(h, 1, rd(self));
	ring_sq(h, 1, h->sq[1].tail);
	ASSERT_TRUE(host_disable(h));
	EXPECT_EQ(0, fake_disk_nr_held(self->disk));
}

/* A part of what it was told of is not all. */
TEST_F(queue, guest_that_consumes_a_part_is_busy)
{
	struct nvme_host *h = &self->h;

	host_ready(h, 64);
	fake_disk_complete_in_irq(self->disk, false);
	give(self, 4);
	EXPECT_EQ(1, host_irqs(h, 1));
	hold(self, 1);
	fake_disk_release(self->disk, 0);
	consume(self, 2);
	EXPECT_EQ(0, host_irqs(h, 1));
	consume(self, 2);
	EXPECT_EQ(1, host_irqs(h, 1));
	take(self, 1);
}

/* @nr reads end one by one, each from hard irq. */
static void end_one_by_one(struct fixture_queue *self, unsigned int nr,
			   bool keep_up)
{
	hold(self, nr);
	while (nr--) {
		fake_disk_release(self->disk, 0);
		if (keep_up)
			consume(self, 1);
	}
	fake_disk_hold(self->disk, false);
}

TEST_F(queue, interrupts_are_coalesced_as_asked)
{
	struct nvme_host *h = &self->h;

	host_ready(h, 64);
	/* Up to 4 entries, up to 300 us */
	ASSERT_EQ(0, host_set_feature(h, NVME_FEAT_IRQ_COALESCING,
				      3 << 8 | 3, 0));
	end_one_by_one(self, 8, false);
	EXPECT_EQ(2, host_irqs(h, 1));
	consume(self, 8);
	end_one_by_one(self, 8, true);
	EXPECT_EQ(2, host_irqs(h, 1));

	end_one_by_one(self, 3, false);
	EXPECT_EQ(0, host_irqs(h, 1));
	standin_advance_ns(299 * NSEC_PER_USEC);
	EXPECT_EQ(0, host_irqs(h, 1));
	standin_advance_ns(2 * NSEC_PER_USEC);
	EXPECT_EQ(1, host_irqs(h, 1));
	standin_advance_ns(NSEC_PER_MSEC);
	EXPECT_EQ(1, host_irqs(h, 1));
	consume(self, 3);

	/* The time runs from the first entry, and ends with the threshold. */
	end_one_by_one(self, 1, false);
	standin_advance_ns(200 * NSEC_PER_USEC);
	end_one_by_one(self, 1, false);
	standin_advance_ns(101 * NSEC_PER_USEC);
	EXPECT_EQ(1, host_irqs(h, 1));
	consume(self, 2);

	/* What the guest found by itself it is not told of. */
	end_one_by_one(self, 3, true);
	standin_advance_ns(NSEC_PER_MSEC);
	EXPECT_EQ(0, host_irqs(h, 1));
}

/* While the timer tells of one entry, another one is posted. */
static void post_another(void *arg, u64 addr, u32 data)
{
	struct fixture_queue *self = arg;

	fake_vm_on_msi(self->h.vm, NULL, NULL);
	fake_disk_release(self->disk, 0);
}

TEST_F(queue, entry_posted_while_the_timer_runs_is_told_of)
{
	struct nvme_host *h = &self->h;

	host_ready(h, 64);
	ASSERT_EQ(0, host_set_feature(h, NVME_FEAT_IRQ_COALESCING,
				      3 << 8 | 3, 0));
	hold(self, 2);
	fake_disk_release(self->disk, 0);
	EXPECT_EQ(0, host_irqs(h, 1));
	fake_vm_on_msi(h->vm, post_another, self);
	standin_advance_ns(301 * NSEC_PER_USEC);
	EXPECT_EQ(0, fake_disk_nr_held(self->disk));
	EXPECT_EQ(1, host_irqs(h, 1));
	standin_advance_ns(301 * NSEC_PER_USEC);
	EXPECT_EQ(2, host_irqs(h, 1));
	fake_disk_hold(self->disk, false);
	consume(self, 2);
}

TEST_F(queue, coalescing_leaves_out_what_it_should)
{
	struct nvme_host *h = &self->h;

	host_ready(h, 64);
	/* No time: no delay, whatever the threshold */
	ASSERT_EQ(0, host_set_feature(h, NVME_FEAT_IRQ_COALESCING, 255, 0));
	end_one_by_one(self, 5, true);
	EXPECT_EQ(5, host_irqs(h, 1));
	/* A vector that is excepted */
	ASSERT_EQ(0, host_set_feature(h, NVME_FEAT_IRQ_COALESCING,
				      255 << 8 | 255, 0));
	ASSERT_EQ(0, host_set_feature(h, NVME_FEAT_IRQ_CONFIG,
				      NVME_IRQ_CONFIG_CD | 1, 0));
	end_one_by_one(self, 5, true);
	EXPECT_EQ(5, host_irqs(h, 1));
	/* The admin queue: each of the commands here was told of at once. */
	fake_vm_clear_msi(h->vm);
	ASSERT_EQ(0, host_set_feature(h, NVME_FEAT_IRQ_CONFIG, 1, 0));
	EXPECT_EQ(1, host_irqs(h, 0));
}

TEST_F(queue, deleted_while_an_interrupt_is_held_back)
{
	struct nvme_host *h = &self->h;

	host_ready(h, 64);
	ASSERT_EQ(0, host_set_feature(h, NVME_FEAT_IRQ_COALESCING,
				      255 << 8 | 255, 0));
	end_one_by_one(self, 3, false);
	ASSERT_TRUE(host_disable(h));
	fake_vm_clear_msi(h->vm);
	standin_advance_ns(NSEC_PER_SEC);
	EXPECT_EQ(0, host_irqs(h, 1));
}

TEST_F(queue, out_of_order)
{
	struct nvme_host *h = &self->h;
	struct nvme_cqe cqe;
	u16 cids[8];
	int i;

	host_ready(h, 64);
	fake_disk_hold(self->disk, true);
	for (i = 0; i < 8; i++)
		cids[i] = host_submit(h, 1, rd(self));
	run_pending();
	for (i = 7; i >= 0; i--) {
		fake_disk_release(self->disk, i);
		ASSERT_TRUE(host_reap(h, 1, &cqe));
		EXPECT_EQ(cids[i], le16_to_cpu(cqe.cid));
	}
}

TEST_F(queue, full_completion_queue)
{
	struct nvme_host *h = &self->h;
	bool seen[64] = {};
	struct nvme_cqe cqe;
	unsigned int i;
	u16 first;

	host_msix(h);
	ASSERT_TRUE(host_enable(h));
	ASSERT_EQ(0, host_create_cq(h, 1, 4));
	ASSERT_EQ(0, host_create_sq(h, 1, 64, 1));
	first = h->next_cid;
	for (i = 0; i < 40; i++)
		host_queue_cmd(h, 1, rd(self));
	ring_sq(h, 1, h->sq[1].tail);
	run_pending();
	EXPECT_EQ(40, fake_disk_count(self->disk, FAKE_DISK_READ));
	/* Three fit. The others come as these are consumed; none is lost. */
	for (i = 0; i < 40; i++) {
		if (i && i % 3 == 0) {
			EXPECT_FALSE(host_take(h, 1, &cqe));
			fake_vm_clear_msi(h->vm);
			fake_vm_clear_dirty(h->vm);
			ring_cq(h, 1, h->cq[1].head);
			EXPECT_EQ(1, host_irqs(h, 1));
			EXPECT_TRUE(fake_vm_dirty(h->vm, h->cq[1].addr >> 12));
		}
		ASSERT_TRUE(host_take(h, 1, &cqe));
		EXPECT_FALSE(seen[le16_to_cpu(cqe.cid) - first]);
		seen[le16_to_cpu(cqe.cid) - first] = true;
	}
	EXPECT_FALSE(host_take(h, 1, &cqe));
}

/* The queue goes on when requests were all taken and come back. */
TEST_F(queue, requests_run_out)
{
	struct nvme_host *h = &self->h;
	struct nvme_cqe cqe;
	unsigned int i, n = 0;

	host_ready(h, 1024);
	fake_disk_hold(self->disk, true);
	for (i = 0; i < 1000; i++)
		host_queue_cmd(h, 1, rd(self));
	ring_sq(h, 1, h->sq[1].tail);
	run_pending();
	EXPECT_EQ(256, fake_disk_nr_held(self->disk));
	while (fake_disk_nr_held(self->disk)) {
		fake_disk_release(self->disk, 0);
		run_pending();
		while (host_reap(h, 1, &cqe))
			n++;
	}
	EXPECT_EQ(1000, n);
}

/* What comes of @nr completions in queue @qid */
static void expect_all(struct fixture_queue *self, unsigned int qid,
		       unsigned int nr, u16 status)
{
	struct nvme_cqe cqe;

	while (nr--) {
		ASSERT_TRUE(host_reap(&self->h, qid, &cqe));
		EXPECT_EQ(status, cqe_status(&cqe));
	}
	EXPECT_FALSE(host_reap(&self->h, qid, &cqe));
}

/* Nothing is let go faster than the limit says, and nobody waits for it. */
TEST_F(queue, deletion_gives_up_what_a_limit_holds_back)
{
	struct nvme_host *h = &self->h;

	standin_idle = NULL;
	host_ready(h, 64);
	ASSERT_EQ(0, host_create_cq(h, 2, 64));
	ASSERT_EQ(0, host_create_sq(h, 2, 64, 2));
	fake_disk_limit(self->disk, true);
	give(self, 5);
	host_submit(h, 2, rd(self));
	host_submit(h, 2, rd(self));
	run_pending();
	EXPECT_EQ(7, fake_disk_nr_held(self->disk));
	EXPECT_EQ(0, host_delete(h, NVME_ADMIN_DELETE_SQ, 1));
	EXPECT_EQ(2, fake_disk_nr_held(self->disk));
	expect_all(self, 1, 5, ERR(NVME_SC_ABORT_SQ_DELETED));
	fake_disk_release_all(self->disk);
	expect_all(self, 2, 2, 0);
}

TEST_F(queue, bus_mastering_off_gives_up_what_a_limit_holds_back)
{
	struct nvme_host *h = &self->h;

	standin_idle = NULL;
	host_ready(h, 64);
	fake_disk_limit(self->disk, true);
	give(self, 5);
	host_command(h, PCI_COMMAND_MEMORY);
	EXPECT_EQ(0, fake_disk_nr_held(self->disk));
	host_command(h, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	run_pending();
	expect_all(self, 1, 5, ERR(NVME_SC_INTERRUPTED));
}

TEST_F(queue, reset_gives_up_what_a_limit_holds_back)
{
	struct nvme_host *h = &self->h;

	standin_idle = NULL;
	host_ready(h, 64);
	fake_disk_limit(self->disk, true);
	give(self, 5);
	ASSERT_TRUE(host_disable(h));
	EXPECT_EQ(0, fake_disk_nr_held(self->disk));
	fake_disk_limit(self->disk, false);
	host_ready(h, 64);
	EXPECT_EQ(0, host_exec(h, 1, rd(self)));
}

/* Command and queue wait for another map, and do nothing meanwhile. */
TEST_F(queue, a_full_map_is_waited_for)
{
	struct nvme_host *h = &self->h;
	struct nvme_cqe cqe;

	standin_idle = NULL;
	host_ready(h, 64);
	fake_vm_fail_pages(h->vm, 1, -EAGAIN);
	give(self, 3);
	EXPECT_FALSE(host_reap(h, 1, &cqe));
	EXPECT_EQ(0, fake_disk_count(self->disk, FAKE_DISK_READ));
	fake_vm_replace_map(h->vm);
	ioemu_nvme_model.memory_changed(h->ctrl);
	run_pending();
	expect_all(self, 1, 3, 0);

	/* Likewise of an admin command, and of one that makes a queue */
	fake_vm_fail_pages(h->vm, 1, -EAGAIN);
	host_submit(h, 0, (struct nvme_sqe) {
		.opcode = NVME_ADMIN_IDENTIFY, .cdw10 = cpu_to_le32(1),
		.prp1 = cpu_to_le64(self->data) });
	run_pending();
	EXPECT_FALSE(host_reap(h, 0, &cqe));
	ioemu_nvme_model.memory_changed(h->ctrl);
	run_pending();
	expect_all(self, 0, 1, 0);
	fake_vm_fail_pages(h->vm, 1, -EAGAIN);
	host_queue_init(h, &h->cq[2], 2, 64, 4);
	host_submit(h, 0, sqe_create_cq(2, 64, h->cq[2].addr, 2, NVME_QUEUE_PC));
	run_pending();
	EXPECT_FALSE(host_reap(h, 0, &cqe));
	ioemu_nvme_model.memory_changed(h->ctrl);
	run_pending();
	expect_all(self, 0, 1, 0);
}

TEST_F(queue, large_rooms_run_out)
{
	struct nvme_host *h = &self->h;
	u64 list = host_page(h, 1), entry = cpu_to_le64(self->data);
	struct nvme_cqe cqe;
	unsigned int i, n = 0;

	for (i = 0; i < 128; i++)
		fake_vm_write(h->vm, list + i * 8, &entry, 8);
	host_ready(h, 128);
	fake_disk_hold(self->disk, true);
	for (i = 0; i < 100; i++)
		host_queue_cmd(h, 1, sqe_rw(false, 0, 1024, self->data, list));
	ring_sq(h, 1, h->sq[1].tail);
	run_pending();
	EXPECT_EQ(32, fake_disk_nr_held(self->disk));
	while (fake_disk_nr_held(self->disk)) {
		fake_disk_release(self->disk, 0);
		run_pending();
		while (host_reap(h, 1, &cqe)) {
			EXPECT_EQ(0, cqe_status(&cqe));
			n++;
		}
	}
	EXPECT_EQ(100, n);
	/* Removal with one parked */
	for (i = 0; i < 40; i++)
		host_queue_cmd(h, 1, sqe_rw(false, 0, 1024, self->data, list));
	ring_sq(h, 1, h->sq[1].tail);
	run_pending();
	EXPECT_EQ(32, fake_disk_nr_held(self->disk));
	EXPECT_EQ(0, host_delete(h, NVME_ADMIN_DELETE_SQ, 1));
}

TEST_F(queue, large_rooms_inline)
{
	struct nvme_host *h = &self->h;
	u64 list = host_page(h, 1), entry = cpu_to_le64(self->data);
	struct nvme_cqe cqe;
	unsigned int i, n = 0;

	for (i = 0; i < 128; i++)
		fake_vm_write(h->vm, list + i * 8, &entry, 8);
	host_ready(h, 128);
	fake_disk_complete_in_irq(self->disk, false);
	for (i = 0; i < 100; i++)
		host_queue_cmd(h, 1, sqe_rw(false, 0, 128, self->data, list));
	ring_sq(h, 1, h->sq[1].tail);
	run_pending();
	while (host_reap(h, 1, &cqe))
		n++;
	EXPECT_EQ(100, n);
}

TEST_F(queue, delete_with_io)
{
	struct nvme_host *h = &self->h;
	struct nvme_cqe cqe;
	unsigned int i;

	host_ready(h, 64);
	fake_disk_hold(self->disk, true);
	for (i = 0; i < 8; i++)
		host_submit(h, 1, rd(self));
	run_pending();
	EXPECT_EQ(DNR(NVME_SC_QUEUE_DELETION),
		  host_delete(h, NVME_ADMIN_DELETE_CQ, 1));
	EXPECT_EQ(0, host_delete(h, NVME_ADMIN_DELETE_SQ, 1));
	EXPECT_EQ(0, fake_disk_nr_held(self->disk));
	for (i = 0; i < 8; i++)
		EXPECT_TRUE(host_reap(h, 1, &cqe));
	EXPECT_EQ(0, host_delete(h, NVME_ADMIN_DELETE_CQ, 1));
	EXPECT_EQ(2, fake_vm_map_refs(h->vm));
	fake_disk_hold(self->disk, false);
	ASSERT_EQ(0, host_create_cq(h, 1, 16));
	ASSERT_EQ(0, host_create_sq(h, 1, 16, 1));
	EXPECT_EQ(0, host_exec(h, 1, rd(self)));
}

/* Its completions wait for room that nobody makes. */
TEST_F(queue, delete_with_full_completion_queue)
{
	struct nvme_host *h = &self->h;
	struct nvme_cqe cqe;
	unsigned int i;

	host_msix(h);
	ASSERT_TRUE(host_enable(h));
	ASSERT_EQ(0, host_create_cq(h, 1, 4));
	ASSERT_EQ(0, host_create_sq(h, 1, 64, 1));
	ASSERT_EQ(0, host_create_sq(h, 2, 64, 1));
	for (i = 0; i < 10; i++) {
		host_queue_cmd(h, 1, rd(self));
		host_queue_cmd(h, 2, rd(self));
	}
	ring_sq(h, 1, h->sq[1].tail);
	ring_sq(h, 2, h->sq[2].tail);
	run_pending();
	EXPECT_EQ(0, host_delete(h, NVME_ADMIN_DELETE_SQ, 1));
	/* The other queue's are all there. */
	for (i = 0; i < 13; i++) {
		ASSERT_TRUE(host_reap(h, 1, &cqe));
		if (i >= 3)
			EXPECT_EQ(2, le16_to_cpu(cqe.sq_id));
	}
	EXPECT_FALSE(host_take(h, 1, &cqe));
}

/* The same with completions that come while it is removed. */
TEST_F(queue, delete_with_io_and_full_completion_queue)
{
	struct nvme_host *h = &self->h;
	struct nvme_cqe cqe;
	unsigned int i;

	host_msix(h);
	ASSERT_TRUE(host_enable(h));
	ASSERT_EQ(0, host_create_cq(h, 1, 4));
	ASSERT_EQ(0, host_create_sq(h, 1, 64, 1));
	fake_disk_hold(self->disk, true);
	for (i = 0; i < 10; i++)
		host_submit(h, 1, rd(self));
	run_pending();
	for (i = 0; i < 5; i++)
		fake_disk_release(self->disk, 0);
	EXPECT_EQ(0, host_delete(h, NVME_ADMIN_DELETE_SQ, 1));
	EXPECT_EQ(0, fake_disk_nr_held(self->disk));
	for (i = 0; i < 3; i++)
		ASSERT_TRUE(host_reap(h, 1, &cqe));
	EXPECT_FALSE(host_take(h, 1, &cqe));
	EXPECT_EQ(0, host_delete(h, NVME_ADMIN_DELETE_CQ, 1));
}

TEST_F(queue, shared_completion_queue)
{
	struct nvme_host *h = &self->h;
	unsigned int i;

	host_msix(h);
	ASSERT_TRUE(host_enable(h));
	ASSERT_EQ(0, host_create_cq(h, 3, 16));
	for (i = 1; i <= 4; i++)
		ASSERT_EQ(0, host_create_sq(h, i, 8, 3));
	for (i = 0; i < 100; i++)
		EXPECT_EQ(0, host_exec_on(h, 1 + i % 4, 3, rd(self), NULL));
	for (i = 1; i <= 4; i++) {
		EXPECT_EQ(DNR(NVME_SC_QUEUE_DELETION),
			  host_delete(h, NVME_ADMIN_DELETE_CQ, 3));
		EXPECT_EQ(0, host_delete(h, NVME_ADMIN_DELETE_SQ, i));
	}
	EXPECT_EQ(0, host_delete(h, NVME_ADMIN_DELETE_CQ, 3));
}

TEST_F(queue, all_pairs)
{
	struct nvme_host *h = &self->h;
	unsigned int i;

	host_msix(h);
	ASSERT_TRUE(host_enable(h));
	for (i = 1; i <= 64; i++) {
		ASSERT_EQ(0, host_create_cq(h, i, 8));
		ASSERT_EQ(0, host_create_sq(h, i, 8, i));
	}
	fake_vm_clear_msi(h->vm);
	for (i = 1; i <= 64; i++) {
		EXPECT_EQ(0, host_exec(h, i, rd(self)));
		EXPECT_EQ(1, host_irqs(h, i));
	}
}

static u16 create_sq(struct fixture_queue *self, u16 qid, u32 size, u64 addr,
		     u16 cqid, u16 flags)
{
	return host_admin(&self->h, sqe_create_sq(qid, size, addr, cqid, flags),
			  NULL);
}

static u16 create_cq(struct fixture_queue *self, u16 qid, u32 size, u64 addr,
		     u16 vector, u16 flags)
{
	return host_admin(&self->h, sqe_create_cq(qid, size, addr, vector,
						  flags), NULL);
}

TEST_F(queue, creation_is_checked)
{
	struct nvme_host *h = &self->h;
	u64 a = host_page(h, 16), hole = (u64)HOST_FRAMES << 12;

	ASSERT_TRUE(host_enable(h));
	EXPECT_EQ(DNR(NVME_SC_QID_INVALID), create_cq(self, 0, 8, a, 0, 1));
	EXPECT_EQ(DNR(NVME_SC_QID_INVALID), create_cq(self, 65, 8, a, 0, 1));
	EXPECT_EQ(DNR(NVME_SC_QID_INVALID), create_cq(self, 0xffff, 8, a, 0, 1));
	EXPECT_EQ(DNR(NVME_SC_QUEUE_SIZE), create_cq(self, 1, 1, a, 0, 1));
	EXPECT_EQ(DNR(NVME_SC_QUEUE_SIZE), create_cq(self, 1, 1025, a, 0, 1));
	EXPECT_EQ(DNR(NVME_SC_QUEUE_SIZE), create_cq(self, 1, 65536, a, 0, 1));
	EXPECT_EQ(DNR(NVME_SC_INVALID_FIELD), create_cq(self, 1, 8, a, 0, 0));
	EXPECT_EQ(DNR(NVME_SC_VECTOR), create_cq(self, 1, 8, a, 65, 3));
	EXPECT_EQ(DNR(NVME_SC_VECTOR), create_cq(self, 1, 8, a, 0xffff, 3));
	EXPECT_EQ(DNR(NVME_SC_PRP_OFFSET), create_cq(self, 1, 8, a + 8, 0, 1));
	EXPECT_EQ(DNR(NVME_SC_DATA_TRANSFER), create_cq(self, 1, 8, hole, 0, 1));
	EXPECT_EQ(DNR(NVME_SC_DATA_TRANSFER),
		  create_cq(self, 1, 1024, hole - 3 * 4096, 0, 1));
	EXPECT_EQ(0, create_cq(self, 1, 1024, a, 64, 3));
	EXPECT_EQ(DNR(NVME_SC_QID_INVALID), create_cq(self, 1, 8, a, 0, 1));

	EXPECT_EQ(DNR(NVME_SC_CQ_INVALID), create_sq(self, 1, 8, a, 2, 1));
	EXPECT_EQ(DNR(NVME_SC_QID_INVALID), create_sq(self, 1, 8, a, 0, 1));
	EXPECT_EQ(DNR(NVME_SC_QID_INVALID), create_sq(self, 1, 8, a, 65, 1));
	EXPECT_EQ(DNR(NVME_SC_QID_INVALID), create_sq(self, 0, 8, a, 1, 1));
	EXPECT_EQ(DNR(NVME_SC_QID_INVALID), create_sq(self, 65, 8, a, 1, 1));
	EXPECT_EQ(DNR(NVME_SC_QUEUE_SIZE), create_sq(self, 1, 1, a, 1, 1));
	EXPECT_EQ(DNR(NVME_SC_QUEUE_SIZE), create_sq(self, 1, 1025, a, 1, 1));
	EXPECT_EQ(DNR(NVME_SC_INVALID_FIELD), create_sq(self, 1, 8, a, 1, 0));
	EXPECT_EQ(DNR(NVME_SC_PRP_OFFSET), create_sq(self, 1, 8, a + 8, 1, 1));
	EXPECT_EQ(DNR(NVME_SC_DATA_TRANSFER), create_sq(self, 1, 8, hole, 1, 1));
	/* Priorities are ignored with round robin arbitration. */
	EXPECT_EQ(0, create_sq(self, 1, 1024, a, 1, 7));
	EXPECT_EQ(DNR(NVME_SC_QID_INVALID), create_sq(self, 1, 8, a, 1, 1));

	EXPECT_EQ(DNR(NVME_SC_QID_INVALID),
		  host_delete(h, NVME_ADMIN_DELETE_SQ, 0));
	EXPECT_EQ(DNR(NVME_SC_QID_INVALID),
		  host_delete(h, NVME_ADMIN_DELETE_SQ, 2));
	EXPECT_EQ(DNR(NVME_SC_QID_INVALID),
		  host_delete(h, NVME_ADMIN_DELETE_SQ, 0xffff));
	EXPECT_EQ(DNR(NVME_SC_QID_INVALID),
		  host_delete(h, NVME_ADMIN_DELETE_CQ, 0));
	EXPECT_EQ(DNR(NVME_SC_QID_INVALID),
		  host_delete(h, NVME_ADMIN_DELETE_CQ, 65));
}

TEST_F(queue, entry_sizes)
{
	struct nvme_host *h = &self->h;
	u64 a = host_page(h, 2);

	ASSERT_TRUE(host_enable(h));
	/* They may be set after the controller was enabled. */
	w32(h, NVME_REG_CC, NVME_CC_EN);
	EXPECT_EQ(DNR(NVME_SC_QUEUE_SIZE), create_cq(self, 1, 8, a, 0, 1));
	w32(h, NVME_REG_CC, HOST_CC);
	EXPECT_EQ(0, create_cq(self, 1, 8, a, 0, 1));
	w32(h, NVME_REG_CC, NVME_CC_EN | 7u << 16 | 4u << 20);
	EXPECT_EQ(DNR(NVME_SC_QUEUE_SIZE), create_sq(self, 1, 8, a, 1, 1));
	w32(h, NVME_REG_CC, HOST_CC);
	EXPECT_EQ(0, create_sq(self, 1, 8, a, 1, 1));
	EXPECT_EQ(NVME_CSTS_RDY, r32(h, NVME_REG_CSTS));
}

TEST_F(queue, creation_without_memory)
{
	struct nvme_host *h = &self->h;
	unsigned int nth;
	long refs;

	ASSERT_TRUE(host_enable(h));
	refs = fake_vm_map_refs(h->vm);
	for (nth = 1; nth < 20; nth++) {
		standin_fail_alloc(nth, false);
		if (!host_create_cq(h, 1, 8))
			break;
		EXPECT_EQ(refs, fake_vm_map_refs(h->vm));
	}
	standin_fail_alloc(0, false);
	EXPECT_EQ(3, nth);
	refs = fake_vm_map_refs(h->vm);
	for (nth = 1; nth < 20; nth++) {
		standin_fail_alloc(nth, false);
		if (!host_create_sq(h, 1, 8, 1))
			break;
		EXPECT_EQ(refs, fake_vm_map_refs(h->vm));
	}
	standin_fail_alloc(0, false);
	EXPECT_GT(nth, 5);
	ASSERT_LT(nth, 20);
	EXPECT_EQ(0, host_exec(h, 1, rd(self)));
}

/* A parked event request, so that bad doorbells become visible */
static void park_aer(struct nvme_host *h)
{
	host_submit(h, 0, (struct nvme_sqe) {
		    .opcode = NVME_ADMIN_ASYNC_EVENT });
	run_pending();
}

static u32 expect_event(struct nvme_host *h)
{
	struct nvme_cqe cqe;
	u64 page = host_page(h, 1);

	run_pending();
	if (!host_reap(h, 0, &cqe))
		return ~0u;
	EXPECT_EQ(0, cqe_status(&cqe));
	EXPECT_EQ(0, host_log_page(h, NVME_LOG_ERROR, 64, 0, page));
	park_aer(h);
	return le32_to_cpu(cqe.result);
}

TEST_F(queue, bad_doorbells)
{
	struct nvme_host *h = &self->h;
	u32 reg = NVME_LOG_ERROR << 16 | NVME_AER_ERR_DB_REGISTER << 8;
	u32 value = NVME_LOG_ERROR << 16 | NVME_AER_ERR_DB_VALUE << 8;

	host_ready(h, 16);
	park_aer(h);
	ring_sq(h, 2, 0);
	EXPECT_EQ(reg, expect_event(h));
	ring_cq(h, 2, 0);
	EXPECT_EQ(reg, expect_event(h));
	ring_sq(h, 65, 0);
	EXPECT_EQ(reg, expect_event(h));
	ring_sq(h, 0x1ff, 0);
	EXPECT_EQ(reg, expect_event(h));
	ring_sq(h, 1, 16);
	EXPECT_EQ(value, expect_event(h));
	ring_sq(h, 1, 0xffffffff);
	EXPECT_EQ(value, expect_event(h));
	ring_cq(h, 1, 16);
	EXPECT_EQ(value, expect_event(h));
	/* More than was posted */
	ring_cq(h, 1, 1);
	EXPECT_EQ(value, expect_event(h));
	ring_cq(h, 1, 15);
	EXPECT_EQ(value, expect_event(h));
	/* The same value again is harmless. */
	ring_cq(h, 1, 0);
	ring_sq(h, 1, 0);
	EXPECT_EQ(~0u, expect_event(h));
	EXPECT_EQ(0, host_exec(h, 1, rd(self)));
	ring_cq(h, 1, 0);
	EXPECT_EQ(value, expect_event(h));
	EXPECT_EQ(0, host_exec(h, 1, rd(self)));
}

TEST_F(queue, doorbells_of_a_disabled_controller)
{
	struct nvme_host *h = &self->h;
	unsigned int i;

	for (i = 0; i < 66; i++) {
		ring_sq(h, i, 1);
		ring_cq(h, i, 1);
	}
	run_pending();
	EXPECT_EQ(0, r32(h, NVME_REG_CSTS));
}

TEST_F(queue, doorbell_widths)
{
	struct nvme_host *h = &self->h;
	struct nvme_cqe cqe;

	host_ready(h, 16);
	host_queue_cmd(h, 1, rd(self));
	fake_mmio_write(h->vm, HOST_BAR + 0x1008, 2, 1);
	fake_mmio_write(h->vm, HOST_BAR + 0x1008, 1, 1);
	fake_mmio_write(h->vm, HOST_BAR + 0x1009, 4, 1);
	run_pending();
	EXPECT_FALSE(host_take(h, 1, &cqe));
	/* Eight bytes are two doorbells: tail 1 and head 0. */
	fake_mmio_write(h->vm, HOST_BAR + 0x1008, 8, 1);
	run_pending();
	EXPECT_TRUE(host_take(h, 1, &cqe));
}

TEST_F(queue, budget)
{
	struct nvme_host *h = &self->h;
	unsigned int runs = 0;

	host_ready(h, 1024);
	fake_disk_hold(self->disk, true);
	while (h->sq[1].tail < 200)
		host_queue_cmd(h, 1, rd(self));
	ring_sq(h, 1, h->sq[1].tail);
	while (run_pending_one()) {
		runs++;
		EXPECT_EQ(min(runs * 64, 200u), fake_disk_nr_held(self->disk));
	}
	EXPECT_EQ(4, runs);
}

/* ---- interrupts -------------------------------------------------------- */

TEST_F(queue, without_interrupts)
{
	struct nvme_host *h = &self->h;

	host_msix(h);
	ASSERT_TRUE(host_enable(h));
	host_queue_init(h, &h->cq[1], 1, 8, 4);
	EXPECT_EQ(0, create_cq(self, 1, 8, h->cq[1].addr, 1, NVME_QUEUE_PC));
	ASSERT_EQ(0, host_create_sq(h, 1, 8, 1));
	fake_vm_clear_msi(h->vm);
	EXPECT_EQ(0, host_exec(h, 1, rd(self)));
	EXPECT_EQ(0, fake_vm_nr_msi(h->vm));
}

TEST_F(queue, legacy_pin)
{
	struct nvme_host *h = &self->h;
	struct nvme_cqe cqe;

	ASSERT_TRUE(host_enable(h));
	EXPECT_FALSE(fake_vm_intx(h->vm, HOST_SLOT, 0));
	host_submit(h, 0, (struct nvme_sqe) {
		    .opcode = NVME_ADMIN_GET_FEATURES, .cdw10 = 7 });
	run_pending();
	EXPECT_TRUE(fake_vm_intx(h->vm, HOST_SLOT, 0));
	w32(h, NVME_REG_INTMS, 1);
	EXPECT_FALSE(fake_vm_intx(h->vm, HOST_SLOT, 0));
	w32(h, NVME_REG_INTMC, 1);
	EXPECT_TRUE(fake_vm_intx(h->vm, HOST_SLOT, 0));
	EXPECT_TRUE(host_take(h, 0, &cqe));
	EXPECT_TRUE(fake_vm_intx(h->vm, HOST_SLOT, 0));
	ring_cq(h, 0, h->cq[0].head);
	EXPECT_FALSE(fake_vm_intx(h->vm, HOST_SLOT, 0));
	EXPECT_EQ(0, fake_vm_nr_msi(h->vm));
	/* It falls with a reset too. */
	host_submit(h, 0, (struct nvme_sqe) {
		    .opcode = NVME_ADMIN_GET_FEATURES, .cdw10 = 7 });
	run_pending();
	EXPECT_TRUE(fake_vm_intx(h->vm, HOST_SLOT, 0));
	ASSERT_TRUE(host_disable(h));
	EXPECT_FALSE(fake_vm_intx(h->vm, HOST_SLOT, 0));
}

TEST_F(queue, legacy_pin_gives_way_to_messages)
{
	struct nvme_host *h = &self->h;
	struct nvme_cqe cqe;

	ASSERT_TRUE(host_enable(h));
	host_submit(h, 0, (struct nvme_sqe) {
		    .opcode = NVME_ADMIN_GET_FEATURES, .cdw10 = 7 });
	run_pending();
	EXPECT_TRUE(fake_vm_intx(h->vm, HOST_SLOT, 0));
	host_msix(h);
	EXPECT_FALSE(fake_vm_intx(h->vm, HOST_SLOT, 0));
	EXPECT_TRUE(host_reap(h, 0, &cqe));
	fake_config_write(h->vm, HOST_SLOT,
			  host_cap(h, PCI_CAP_ID_MSIX) + PCI_MSIX_FLAGS, 2, 0);
	EXPECT_FALSE(fake_vm_intx(h->vm, HOST_SLOT, 0));
}

/* What came while there were messages and was not consumed is on the pin. */
TEST_F(queue, legacy_pin_takes_over_from_messages)
{
	struct nvme_host *h = &self->h;
	unsigned int flags = host_cap(h, PCI_CAP_ID_MSIX) + PCI_MSIX_FLAGS;
	struct nvme_cqe cqe;

	host_msix(h);
	ASSERT_TRUE(host_enable(h));
	host_submit(h, 0, (struct nvme_sqe) {
		    .opcode = NVME_ADMIN_GET_FEATURES, .cdw10 = 7 });
	run_pending();
	EXPECT_FALSE(fake_vm_intx(h->vm, HOST_SLOT, 0));
	fake_config_write(h->vm, HOST_SLOT, flags, 2, 0);
	EXPECT_TRUE(fake_vm_intx(h->vm, HOST_SLOT, 0));
	EXPECT_TRUE(host_reap(h, 0, &cqe));
	EXPECT_FALSE(fake_vm_intx(h->vm, HOST_SLOT, 0));
}

TEST_F(queue, message_masks)
{
	struct nvme_host *h = &self->h;
	unsigned int pos = host_cap(h, PCI_CAP_ID_MSI);
	struct nvme_cqe cqe;

	ASSERT_NE(0, pos);
	fake_config_write(h->vm, HOST_SLOT, pos + 4, 4, (u32)HOST_MSI_ADDR);
	fake_config_write(h->vm, HOST_SLOT, pos + 8, 4, 0);
	fake_config_write(h->vm, HOST_SLOT, pos + 12, 2, 0x4000);
	fake_config_write(h->vm, HOST_SLOT, pos + 2, 2, 1 | 3 << 4);
	ASSERT_TRUE(host_enable(h));
	ASSERT_EQ(0, host_create_cq(h, 1, 16));
	ASSERT_EQ(0, host_create_sq(h, 1, 16, 1));
	fake_vm_clear_msi(h->vm);
	EXPECT_EQ(0, host_exec(h, 1, rd(self)));
	EXPECT_EQ(1, host_irqs(h, 1));
	w32(h, NVME_REG_INTMS, 2);
	host_submit(h, 1, rd(self));
	run_pending();
	EXPECT_EQ(1, host_irqs(h, 1));
	w32(h, NVME_REG_INTMC, 4);
	EXPECT_EQ(1, host_irqs(h, 1));
	w32(h, NVME_REG_INTMC, 2);
	EXPECT_EQ(2, host_irqs(h, 1));
	EXPECT_TRUE(host_reap(h, 1, &cqe));
	w32(h, NVME_REG_INTMS, 2);
	w32(h, NVME_REG_INTMC, 2);
	EXPECT_EQ(2, host_irqs(h, 1));
	EXPECT_FALSE(fake_vm_intx(h->vm, HOST_SLOT, 0));
}

/* The registers' masks are not for MSI-X. */
TEST_F(queue, msix_ignores_masks)
{
	struct nvme_host *h = &self->h;

	host_ready(h, 8);
	w32(h, NVME_REG_INTMS, 0xffffffff);
	EXPECT_EQ(0, host_exec(h, 1, rd(self)));
	EXPECT_EQ(1, host_irqs(h, 1));
}

/* Guests change what they submitted: the copy counts, nothing breaks. */
static void mutate(void *arg, u64 addr, u32 data)
{
	struct nvme_host *h = arg;

	fake_vm_set(h->vm, h->sq[1].addr, 0xff, 4096);
}

TEST_F(queue, commands_change_after_the_doorbell)
{
	struct nvme_host *h = &self->h;
	struct nvme_cqe cqe;
	unsigned int i;

	host_ready(h, 64);
	fake_disk_hold(self->disk, true);
	fake_vm_on_msi(h->vm, mutate, h);
	for (i = 0; i < 16; i++)
		host_queue_cmd(h, 1, rd(self));
	ring_sq(h, 1, h->sq[1].tail);
	run_pending();
	fake_vm_set(h->vm, h->sq[1].addr, 0xff, 4096);
	fake_disk_release_all(self->disk);
	for (i = 0; i < 16; i++) {
		EXPECT_TRUE(host_reap(h, 1, &cqe));
		EXPECT_EQ(0, cqe_status(&cqe));
	}
	fake_vm_on_msi(h->vm, NULL, NULL);
}
