// SPDX-License-Identifier: GPL-2.0
/* Shadow doorbells of the NVMe controller. */
#include <standin/sched.h>

#include "nvme_host.h"

extern const void *const standin_param_nvme_poll_us[2];

FIXTURE(dbbuf) {
	struct nvme_host h;
	struct ioemu_disk *disk;
	u64 data;
	u64 shadow;
	u64 event;
	unsigned int rings;	/* real doorbells since the last look */
	unsigned int late;	/* commands added by interrupts */
};

static u32 get(struct nvme_host *h, u64 page, unsigned int index)
{
	u32 v;

	fake_vm_read(h->vm, page + index * 4, &v, 4);
	return le32_to_cpu(v);
}

static void put(struct nvme_host *h, u64 page, unsigned int index, u32 v)
{
	v = cpu_to_le32(v);
	fake_vm_write(h->vm, page + index * 4, &v, 4);
}

static u16 config(struct fixture_dbbuf *self)
{
	return host_admin(&self->h, (struct nvme_sqe) {
		.opcode = NVME_ADMIN_DBBUF,
		.prp1 = cpu_to_le64(self->shadow),
		.prp2 = cpu_to_le64(self->event) }, NULL);
}

FIXTURE_SETUP(dbbuf)
{
	struct nvme_host *h = &self->h;

	host_init(h, 4096, 9);
	self->disk = h->disks[0];
	self->data = host_page(h, 1);
	self->shadow = host_page(h, 1);
	self->event = host_page(h, 1);
	host_ready(h, 16);
	standin_idle = fake_disk_idle;
	standin_idle_arg = self->disk;
}

FIXTURE_TEARDOWN(dbbuf)
{
	fake_disk_hold(self->disk, false);
	host_exit(&self->h);
}

/* Write a doorbell as a guest does: real one only if the index is crossed. */
static bool update(struct fixture_dbbuf *self, unsigned int index, u32 value)
{
	struct nvme_host *h = &self->h;
	u16 old = get(h, self->shadow, index), event;

	put(h, self->shadow, index, value);
	event = get(h, self->event, index);
	if ((u16)(value - event - 1) >= (u16)(value - old))
		return false;
	self->rings++;
	w32(h, NVME_REG_DBS + index * 4, value);
	return true;
}

static struct nvme_sqe rd(struct fixture_dbbuf *self)
{
	return sqe_rw(false, 0, 1, self->data, 0);
}

static bool submit(struct fixture_dbbuf *self, unsigned int qid)
{
	host_queue_cmd(&self->h, qid, rd(self));
	return update(self, qid * 2, self->h.sq[qid].tail);
}

/* The thread will see it by itself. */
static void submit_unrung(struct fixture_dbbuf *self)
{
	host_queue_cmd(&self->h, 1, rd(self));
	put(&self->h, self->shadow, 2, self->h.sq[1].tail);
}

static bool reap(struct fixture_dbbuf *self, unsigned int qid)
{
	struct nvme_cqe cqe;

	if (!host_take(&self->h, qid, &cqe))
		return false;
	EXPECT_EQ(0, cqe_status(&cqe));
	update(self, qid * 2 + 1, self->h.cq[qid].head);
	return true;
}

TEST_F(dbbuf, arguments)
{
	struct nvme_host *h = &self->h;
	u64 s = self->shadow, e = self->event;

	self->shadow = s + 8;
	EXPECT_EQ(DNR(NVME_SC_PRP_OFFSET), config(self));
	self->shadow = s;
	self->event = e + 4;
	EXPECT_EQ(DNR(NVME_SC_PRP_OFFSET), config(self));
	self->event = s;
	EXPECT_EQ(DNR(NVME_SC_INVALID_FIELD), config(self));
	self->event = (u64)HOST_FRAMES << 12;
	EXPECT_EQ(DNR(NVME_SC_DATA_TRANSFER), config(self));
	self->event = e;
	self->shadow = (u64)HOST_FRAMES << 12;
	EXPECT_EQ(DNR(NVME_SC_DATA_TRANSFER), config(self));
	EXPECT_EQ(4, fake_vm_map_refs(h->vm));
	self->shadow = s;
	EXPECT_EQ(0, config(self));
	EXPECT_EQ(6, fake_vm_map_refs(h->vm));
	EXPECT_EQ(0, config(self));
	EXPECT_EQ(6, fake_vm_map_refs(h->vm));
}

TEST_F(dbbuf, legacy_pin)
{
	struct nvme_host *h = &self->h;
	unsigned int i, j;

	fake_config_write(h->vm, HOST_SLOT,
			  host_cap(h, PCI_CAP_ID_MSIX) + PCI_MSIX_FLAGS, 2, 0);
	EXPECT_EQ(0, config(self));
	EXPECT_FALSE(fake_vm_intx(h->vm, HOST_SLOT, 0));
	for (i = 0; i < 40; i++) {
		for (j = 0; j < 3; j++)
			submit(self, 1);
		run_pending();
		for (j = 0; j < 3; j++) {
			EXPECT_TRUE(fake_vm_intx(h->vm, HOST_SLOT, 0));
			ASSERT_TRUE(reap(self, 1));
		}
		EXPECT_FALSE(fake_vm_intx(h->vm, HOST_SLOT, 0));
	}
}

/* Whatever has the pin looked at, nothing is written without bus mastering. */
TEST_F(dbbuf, legacy_pin_without_bus_mastering)
{
	struct nvme_host *h = &self->h;
	struct nvme_cqe cqe;

	fake_config_write(h->vm, HOST_SLOT,
			  host_cap(h, PCI_CAP_ID_MSIX) + PCI_MSIX_FLAGS, 2, 0);
	EXPECT_EQ(0, config(self));
	submit(self, 1);
	submit(self, 1);
	run_pending();
	ASSERT_TRUE(host_take(h, 1, &cqe));
	host_command(h, PCI_COMMAND_MEMORY);
	put(h, self->shadow, 3, h->cq[1].head);
	put(h, self->event, 3, 0x5a5a);
	fake_vm_clear_dirty(h->vm);
	w32(h, NVME_REG_INTMC, 1);
	EXPECT_EQ(0x5a5a, get(h, self->event, 3));
	EXPECT_FALSE(fake_vm_dirty(h->vm, self->event >> 12));
	host_command(h, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	EXPECT_EQ(h->cq[1].head, get(h, self->event, 3));
	EXPECT_TRUE(fake_vm_intx(h->vm, HOST_SLOT, 0));
}

TEST_F(dbbuf, stale_shadows)
{
	struct nvme_host *h = &self->h;
	unsigned int i;

	for (i = 0; i < 5; i++)
		EXPECT_EQ(0, host_exec(h, 1, rd(self)));
	fake_vm_set(h->vm, self->shadow, 0xff, 4096);
	fake_vm_set(h->vm, self->event, 0xff, 4096);
	fake_vm_clear_dirty(h->vm);
	EXPECT_EQ(0, config(self));
	run_pending();
	EXPECT_EQ(5, get(h, self->shadow, 2));
	EXPECT_EQ(5, get(h, self->shadow, 3));
	EXPECT_EQ(5, get(h, self->event, 2));
	EXPECT_EQ(5, get(h, self->event, 3));
	/* Only entries of queues are touched. */
	EXPECT_EQ(~0u, get(h, self->shadow, 0));
	EXPECT_EQ(~0u, get(h, self->shadow, 1));
	EXPECT_EQ(~0u, get(h, self->shadow, 4));
	EXPECT_TRUE(fake_vm_dirty(h->vm, self->shadow >> 12));
	EXPECT_TRUE(fake_vm_dirty(h->vm, self->event >> 12));
	/* Queues made later start at 0. */
	ASSERT_EQ(0, host_create_cq(h, 2, 8));
	ASSERT_EQ(0, host_create_sq(h, 2, 8, 2));
	for (i = 4; i < 6; i++) {
		EXPECT_EQ(0, get(h, self->shadow, i));
		EXPECT_EQ(0, get(h, self->event, i));
	}
	for (i = 0; i < 20; i++) {
		submit(self, 2);
		run_pending();
		EXPECT_TRUE(reap(self, 2));
	}
}

TEST_F(dbbuf, sleeping_thread_is_woken)
{
	unsigned int i;

	EXPECT_EQ(0, config(self));
	run_pending();
	for (i = 0; i < 100; i++) {
		EXPECT_TRUE(submit(self, 1));
		run_pending();
		ASSERT_TRUE(reap(self, 1));
	}
}

/*
 * While the thread has not slept, the real doorbell is not rung again: the shadow
 * doorbell is ten commands ahead of it.
 */
static void run_ahead(struct fixture_dbbuf *self)
{
	unsigned int i;

	EXPECT_EQ(0, config(self));
	run_pending();
	EXPECT_TRUE(submit(self, 1));
	for (i = 0; i < 10; i++)
		EXPECT_FALSE(submit(self, 1));
	run_pending();
	for (i = 0; i < 11; i++)
		ASSERT_TRUE(reap(self, 1));
	fake_disk_clear_log(self->disk);
}

TEST_F(dbbuf, busy_thread_needs_no_doorbell)
{
	run_ahead(self);
	/* Asked for again */
	EXPECT_TRUE(submit(self, 1));
	run_pending();
	ASSERT_TRUE(reap(self, 1));
}

/* Commands that come while the thread is about to sleep: an interrupt's time. */
static void late(void *arg, u64 addr, u32 data)
{
	struct fixture_dbbuf *self = arg;

	EXPECT_TRUE(reap(self, 1));
	if (self->late++ < 5)
		submit_unrung(self);
}

/* One command, with @hook called for each interrupt while the thread runs. */
static void submit_with(struct fixture_dbbuf *self,
			void (*hook)(void *arg, u64 addr, u32 data))
{
	struct nvme_host *h = &self->h;

	EXPECT_EQ(0, config(self));
	run_pending();
	EXPECT_TRUE(submit(self, 1));
	fake_disk_complete_in_irq(self->disk, false);
	fake_vm_clear_msi(h->vm);
	fake_vm_on_msi(h->vm, hook, self);
	run_pending();
	fake_vm_on_msi(h->vm, NULL, NULL);
}

TEST_F(dbbuf, no_wakeup_is_lost)
{
	struct nvme_host *h = &self->h;

	submit_with(self, late);
	EXPECT_EQ(6, self->late);
	EXPECT_FALSE(reap(self, 1));
	EXPECT_EQ(h->sq[1].tail, get(h, self->event, 2));
}

/* The guest does not come to look at the queue before it gives more commands. */
static void late_and_busy(void *arg, u64 addr, u32 data)
{
	struct fixture_dbbuf *self = arg;

	if (self->late == 0) {
		self->late = 1;
		submit_unrung(self);
	}
}

TEST_F(dbbuf, thread_that_sleeps_holds_no_interrupt_back)
{
	struct nvme_host *h = &self->h;

	submit_with(self, late_and_busy);
	EXPECT_EQ(2, host_irqs(h, 1));
	ASSERT_TRUE(reap(self, 1));
	ASSERT_TRUE(reap(self, 1));
	EXPECT_FALSE(reap(self, 1));
	standin_advance_ns(NSEC_PER_SEC);
	EXPECT_EQ(2, host_irqs(h, 1));

	/* While it sleeps nobody looks at the shadow doorbell. */
	fake_vm_clear_msi(h->vm);
	fake_disk_hold(self->disk, true);
	fake_disk_complete_in_irq(self->disk, true);
	submit(self, 1);
	submit(self, 1);
	run_pending();
	fake_disk_release(self->disk, 0);
	fake_disk_release(self->disk, 0);
	EXPECT_EQ(2, host_irqs(h, 1));
	ASSERT_TRUE(reap(self, 1));
	ASSERT_TRUE(reap(self, 1));
}

/* It finds what was posted meanwhile before it says what it consumed. */
static void late_and_found(void *arg, u64 gfn)
{
	struct fixture_dbbuf *self = arg;
	struct nvme_host *h = &self->h;
	struct nvme_cqe cqe;

	if (self->late == 1 && gfn == self->event >> 12) {
		self->late++;
		EXPECT_TRUE(host_take(h, 1, &cqe));
		EXPECT_TRUE(host_take(h, 1, &cqe));
		update(self, 3, h->cq[1].head);
	}
}

TEST_F(dbbuf, what_a_busy_guest_finds_it_is_not_told_of)
{
	struct nvme_host *h = &self->h;

	fake_vm_on_dirty(h->vm, late_and_found, self);
	submit_with(self, late_and_busy);
	fake_vm_on_dirty(h->vm, NULL, NULL);
	EXPECT_EQ(2, self->late);
	EXPECT_EQ(1, host_irqs(h, 1));
	standin_advance_ns(NSEC_PER_SEC);
	EXPECT_EQ(1, host_irqs(h, 1));
	EXPECT_TRUE(submit(self, 1));
	run_pending();
	EXPECT_EQ(2, host_irqs(h, 1));
	ASSERT_TRUE(reap(self, 1));
}

/*
 * The event index was just written: a guest that wrote its doorbell before that
 * has seen the old one and does not ring.
 */
static void just_in_time(void *arg, u64 gfn)
{
	struct fixture_dbbuf *self = arg;

	if (gfn == self->event >> 12 && self->rings++ == 0)
		submit_unrung(self);
}

TEST_F(dbbuf, look_again_before_sleeping)
{
	EXPECT_EQ(0, config(self));
	run_pending();
	EXPECT_TRUE(submit(self, 1));
	self->rings = 0;
	fake_vm_on_dirty(self->h.vm, just_in_time, self);
	run_pending();
	fake_vm_on_dirty(self->h.vm, NULL, NULL);
	EXPECT_NE(0, self->rings);
	ASSERT_TRUE(reap(self, 1));
	ASSERT_TRUE(reap(self, 1));
}

/* The same for a completion queue that is full. */
static void consume_in_time(void *arg, u64 gfn)
{
	struct fixture_dbbuf *self = arg;
	struct nvme_cqe cqe;

	if (gfn == self->event >> 12 && self->rings++ == 0) {
		EXPECT_TRUE(host_take(&self->h, 2, &cqe));
		put(&self->h, self->shadow, 5, self->h.cq[2].head);
	}
}

TEST_F(dbbuf, look_again_before_waiting)
{
	struct nvme_host *h = &self->h;
	unsigned int i;

	ASSERT_EQ(0, host_create_cq(h, 2, 4));
	ASSERT_EQ(0, host_create_sq(h, 2, 16, 2));
	EXPECT_EQ(0, config(self));
	run_pending();
	for (i = 0; i < 3; i++) {
		submit(self, 2);
		run_pending();
	}
	fake_disk_hold(self->disk, true);
	submit(self, 2);
	run_pending();
	self->rings = 0;
	fake_vm_on_dirty(h->vm, consume_in_time, self);
	fake_disk_release(self->disk, 0);
	fake_vm_on_dirty(h->vm, NULL, NULL);
	EXPECT_NE(0, self->rings);
	for (i = 0; i < 3; i++)
		ASSERT_TRUE(reap(self, 2));
	EXPECT_FALSE(reap(self, 2));
}

TEST_F(dbbuf, completion_doorbells_are_rare)
{
	unsigned int i, j;

	EXPECT_EQ(0, config(self));
	run_pending();
	self->rings = 0;
	for (i = 0; i < 100; i++) {
		for (j = 0; j < 8; j++)
			submit(self, 1);
		run_pending();
		for (j = 0; j < 8; j++)
			ASSERT_TRUE(reap(self, 1));
	}
	/* 100 for the submissions, and about one for each time round */
	EXPECT_LE(self->rings, 100 + 800 / 8);
}

/* A guest that gives one more command during each sleep of the thread */
static struct fixture_dbbuf *feeding;

static void feed(void)
{
	if (feeding->late && feeding->late--)
		submit_unrung(feeding);
}

TEST_F(dbbuf, company_is_not_waited_for_for_long)
{
	unsigned int *poll_us = (unsigned int *)standin_param_nvme_poll_us[1];
	unsigned int was = *poll_us;
	u64 start;

	*poll_us = 0;
	EXPECT_EQ(0, config(self));
	run_pending();
	EXPECT_TRUE(submit(self, 1));
	/* What a wake-up takes bounds the first sleep. */
	standin_advance_ns(NSEC_PER_MSEC);
	feeding = self;
	self->late = 13;
	standin_relax = feed;
	start = standin_clock_quiet();
	run_pending();
	standin_relax = NULL;
	EXPECT_EQ(0, self->late);
	EXPECT_LE(standin_clock_quiet() - start, 20 * NSEC_PER_MSEC);
	*poll_us = was;
}

/* What the controller counts is what it did, also of queues that are gone. */
TEST_F(dbbuf, exits_are_counted)
{
	struct nvme_host *h = &self->h;
	struct ioemu_exits before;
	unsigned int i, j;

	EXPECT_EQ(0, config(self));
	run_pending();
	self->rings = 0;
	fake_vm_clear_msi(h->vm);
	before = h->exits;
	for (i = 0; i < 100; i++) {
		for (j = 0; j < 8; j++)
			submit(self, 1);
		run_pending();
		for (j = 0; j < 8; j++)
			ASSERT_TRUE(reap(self, 1));
	}
	EXPECT_EQ(800, h->exits.commands - before.commands);
	EXPECT_EQ(self->rings, h->exits.doorbells - before.doorbells);
	EXPECT_EQ(host_irqs(h, 1), h->exits.interrupts - before.interrupts);
	before = h->exits;
	w32(h, NVME_REG_CC, 0);
	run_pending();
	EXPECT_EQ(before.commands, h->exits.commands);
	/* A doorbell that means nothing was trapped all the same. */
	ring_sq(h, 1, 1);
	EXPECT_EQ(before.doorbells + 1, h->exits.doorbells);
}

TEST_F(dbbuf, full_completion_queue)
{
	struct nvme_host *h = &self->h;
	unsigned int i;

	ASSERT_EQ(0, host_create_cq(h, 2, 4));
	ASSERT_EQ(0, host_create_sq(h, 2, 16, 2));
	EXPECT_EQ(0, config(self));
	run_pending();
	for (i = 0; i < 12; i++)
		submit(self, 2);
	run_pending();
	/* Three fit; each one consumed makes room for another. */
	for (i = 0; i < 12; i++) {
		ASSERT_TRUE(reap(self, 2));
		run_pending();
	}
	EXPECT_FALSE(reap(self, 2));
	/* Consumed without a doorbell: the shadow is looked at. */
	for (i = 0; i < 3; i++) {
		submit(self, 2);
		run_pending();
	}
	for (i = 0; i < 3; i++) {
		struct nvme_cqe cqe;

		ASSERT_TRUE(host_take(h, 2, &cqe));
	}
	put(h, self->shadow, 5, h->cq[2].head);
	for (i = 0; i < 3; i++) {
		submit(self, 2);
		run_pending();
		ASSERT_TRUE(reap(self, 2));
	}
}

TEST_F(dbbuf, values_out_of_range)
{
	struct nvme_host *h = &self->h;
	struct nvme_cqe cqe;
	unsigned int i;

	EXPECT_EQ(0, config(self));
	run_pending();
	put(h, self->shadow, 2, 16);
	put(h, self->shadow, 3, 0xffffffff);
	ring_sq(h, 1, 1);
	host_queue_cmd(h, 1, rd(self));
	run_pending();
	EXPECT_TRUE(host_take(h, 1, &cqe));
	/* A head that was never posted does not let entries be overwritten. */
	for (i = 0; i < 14; i++)
		host_queue_cmd(h, 1, rd(self));
	put(h, self->shadow, 2, 15);
	put(h, self->shadow, 3, 9);
	ring_sq(h, 1, 15);
	run_pending();
	for (i = 0; i < 14; i++)
		EXPECT_TRUE(host_take(h, 1, &cqe));
	EXPECT_FALSE(host_take(h, 1, &cqe));
	EXPECT_EQ(NVME_CSTS_RDY, r32(h, NVME_REG_CSTS));
}

TEST_F(dbbuf, memory_changes)
{
	struct nvme_host *h = &self->h;

	EXPECT_EQ(0, config(self));
	run_pending();
	fake_vm_replace_map(h->vm);
	ioemu_nvme_model.memory_changed(h->ctrl);
	run_pending();
	EXPECT_EQ(6, fake_vm_map_refs(h->vm));
	EXPECT_TRUE(submit(self, 1));
	run_pending();
	ASSERT_TRUE(reap(self, 1));
	fake_vm_vanish(h->vm, self->event >> 12);
	ioemu_nvme_model.memory_changed(h->ctrl);
	EXPECT_EQ(4, fake_vm_map_refs(h->vm));
	EXPECT_EQ(NVME_CSTS_RDY | NVME_CSTS_CFS, r32(h, NVME_REG_CSTS));
	ring_sq(h, 1, 3);
	run_pending();
	ioemu_nvme_model.memory_changed(h->ctrl);
	ASSERT_TRUE(host_disable(h));
}

TEST_F(dbbuf, memory_that_goes_away_brings_no_old_command_back)
{
	struct nvme_host *h = &self->h;

	run_ahead(self);
	fake_vm_vanish(h->vm, self->event >> 12);
	ioemu_nvme_model.memory_changed(h->ctrl);
	run_pending();
	EXPECT_EQ(0, fake_disk_nr_log(self->disk));
	EXPECT_EQ(NVME_CSTS_RDY | NVME_CSTS_CFS, r32(h, NVME_REG_CSTS));
	ASSERT_TRUE(host_disable(h));
}

TEST_F(dbbuf, other_pages_bring_no_old_command_back)
{
	run_ahead(self);
	self->shadow = host_page(&self->h, 1);
	self->event = host_page(&self->h, 1);
	EXPECT_EQ(0, config(self));
	run_pending();
	EXPECT_EQ(0, fake_disk_nr_log(self->disk));
	EXPECT_EQ(11, get(&self->h, self->shadow, 2));
	EXPECT_EQ(11, get(&self->h, self->shadow, 3));
	EXPECT_EQ(11, get(&self->h, self->event, 3));
	EXPECT_TRUE(submit(self, 1));
	run_pending();
	ASSERT_TRUE(reap(self, 1));
	EXPECT_FALSE(reap(self, 1));
}

TEST_F(dbbuf, reset_ends_it)
{
	struct nvme_host *h = &self->h;

	EXPECT_EQ(0, config(self));
	run_pending();
	ASSERT_TRUE(host_disable(h));
	EXPECT_EQ(0, fake_vm_map_refs(h->vm));
	host_ready(h, 16);
	fake_vm_set(h->vm, self->shadow, 0xff, 4096);
	EXPECT_EQ(0, host_exec(h, 1, rd(self)));
	EXPECT_EQ(0xffffffff, get(h, self->shadow, 2));
	EXPECT_FALSE(fake_vm_dirty(h->vm, self->event >> 12));
}

TEST_F(dbbuf, dirty_event_indexes)
{
	struct nvme_host *h = &self->h;

	EXPECT_EQ(0, config(self));
	run_pending();
	fake_vm_clear_dirty(h->vm);
	EXPECT_TRUE(submit(self, 1));
	run_pending();
	EXPECT_TRUE(fake_vm_dirty(h->vm, self->event >> 12));
	ASSERT_TRUE(reap(self, 1));
}
