// SPDX-License-Identifier: GPL-2.0
/* Registers of the NVMe controller, enable, reset and shutdown. */
#include "nvme_host.h"

FIXTURE(regs) { struct nvme_host h; };

FIXTURE_SETUP(regs)
{
	host_init(&self->h, 1024, 9);
}

FIXTURE_TEARDOWN(regs)
{
	host_exit(&self->h);
}

TEST_F(regs, identity)
{
	struct nvme_host *h = &self->h;

	EXPECT_EQ(0x5853, fake_config_read(h->vm, HOST_SLOT, 0, 2));
	EXPECT_EQ(0x010802, fake_config_read(h->vm, HOST_SLOT, 8, 4) >> 8);
	EXPECT_EQ(0x4, fake_config_read(h->vm, HOST_SLOT, 0x10, 1) & 0xf);
}

TEST_F(regs, initial_values)
{
	struct nvme_host *h = &self->h;
	u64 cap = r64(h, NVME_REG_CAP);

	EXPECT_EQ(1023, cap & 0xffff);
	EXPECT_EQ(1, cap >> 16 & 1);		/* CQR */
	EXPECT_EQ(0, cap >> 17 & 3);		/* AMS */
	EXPECT_EQ(60, cap >> 24 & 0xff);	/* TO */
	EXPECT_EQ(0, cap >> 32 & 0xf);		/* DSTRD */
	EXPECT_EQ(0, cap >> 36 & 1);		/* NSSRS */
	EXPECT_EQ(1, cap >> 37 & 0xff);		/* CSS */
	EXPECT_EQ(0, cap >> 48);
	EXPECT_EQ(0x10400, r32(h, NVME_REG_VS));
	EXPECT_EQ(0, r32(h, NVME_REG_INTMS));
	EXPECT_EQ(0, r32(h, NVME_REG_INTMC));
	EXPECT_EQ(0, r32(h, NVME_REG_CC));
	EXPECT_EQ(0, r32(h, 0x18));
	EXPECT_EQ(0, r32(h, NVME_REG_CSTS));
	EXPECT_EQ(0, r32(h, NVME_REG_NSSR));
	EXPECT_EQ(0, r32(h, NVME_REG_AQA));
	EXPECT_EQ(0, r64(h, NVME_REG_ASQ));
	EXPECT_EQ(0, r64(h, NVME_REG_ACQ));
}

TEST_F(regs, reads_of_any_width)
{
	struct nvme_host *h = &self->h;
	u8 bytes[0x48];
	unsigned int i, size;
	u64 want;

	w32(h, NVME_REG_AQA, 0x00330044);
	w64(h, NVME_REG_ASQ, 0x1122334455667000);
	w64(h, NVME_REG_ACQ, 0x99aabbccddeef000);
	for (i = 0; i < sizeof(bytes); i += 4) {
		u32 v = r32(h, i);

		memcpy(bytes + i, &v, 4);
	}
	for (size = 1; size <= 8; size *= 2) {
		for (i = 0; i + size <= sizeof(bytes); i++) {
			want = 0;
			memcpy(&want, bytes + i, size);
			EXPECT_EQ(want,
				  fake_mmio_read(h->vm, HOST_BAR + i, size));
		}
	}
}

TEST_F(regs, reserved_is_zero)
{
	struct nvme_host *h = &self->h;
	unsigned int i;

	for (i = 0x38; i < 0x2000; i += 4) {
		if (i < NVME_REG_DBS)
			w32(h, i, 0xffffffff);
		EXPECT_EQ(0, r32(h, i));
	}
	run_pending();
	EXPECT_EQ(0, r32(h, NVME_REG_CSTS));
}

TEST_F(regs, read_only)
{
	struct nvme_host *h = &self->h;
	u64 cap = r64(h, NVME_REG_CAP);

	w64(h, NVME_REG_CAP, ~cap);
	w32(h, NVME_REG_VS, 0xffffffff);
	w32(h, NVME_REG_CSTS, 0xffffffff);
	w32(h, NVME_REG_NSSR, 0x4e564d65);
	run_pending();
	EXPECT_EQ(cap, r64(h, NVME_REG_CAP));
	EXPECT_EQ(0x10400, r32(h, NVME_REG_VS));
	EXPECT_EQ(0, r32(h, NVME_REG_CSTS));
}

TEST_F(regs, admin_queue_registers)
{
	struct nvme_host *h = &self->h;

	w32(h, NVME_REG_AQA, 0xffffffff);
	EXPECT_EQ(0x0fff0fff, r32(h, NVME_REG_AQA));
	w64(h, NVME_REG_ASQ, ~0ull);
	EXPECT_EQ(0xfffffffffffff000, r64(h, NVME_REG_ASQ));
	w32(h, NVME_REG_ACQ, 0x12345678);
	w32(h, NVME_REG_ACQ + 4, 0x9abcdef0);
	EXPECT_EQ(0x9abcdef012345000, r64(h, NVME_REG_ACQ));
	/* Odd widths are dropped. */
	fake_mmio_write(h->vm, HOST_BAR + NVME_REG_AQA, 2, 0);
	fake_mmio_write(h->vm, HOST_BAR + NVME_REG_AQA, 1, 0);
	fake_mmio_write(h->vm, HOST_BAR + NVME_REG_AQA + 2, 4, 0);
	EXPECT_EQ(0x0fff0fff, r32(h, NVME_REG_AQA));
}

TEST_F(regs, enable)
{
	struct nvme_host *h = &self->h;

	ASSERT_TRUE(host_enable(h));
	EXPECT_EQ(NVME_CSTS_RDY, r32(h, NVME_REG_CSTS));
	/* Fixed but readable while enabled */
	w32(h, NVME_REG_AQA, 0x00010001);
	w64(h, NVME_REG_ASQ, 0x5000);
	EXPECT_EQ(0x001f001f, r32(h, NVME_REG_AQA));
	EXPECT_EQ(h->sq[0].addr, r64(h, NVME_REG_ASQ));
	EXPECT_EQ(h->cq[0].addr, r64(h, NVME_REG_ACQ));
}

TEST_F(regs, not_ready_before_work)
{
	struct nvme_host *h = &self->h;

	host_queue_init(h, &h->sq[0], 0, 32, 6);
	host_queue_init(h, &h->cq[0], 0, 32, 4);
	w32(h, NVME_REG_AQA, 0x001f001f);
	w64(h, NVME_REG_ASQ, h->sq[0].addr);
	w64(h, NVME_REG_ACQ, h->cq[0].addr);
	w32(h, NVME_REG_CC, HOST_CC);
	EXPECT_EQ(0, r32(h, NVME_REG_CSTS));
	run_pending();
	EXPECT_EQ(NVME_CSTS_RDY, r32(h, NVME_REG_CSTS));
	w32(h, NVME_REG_CC, 0);
	EXPECT_EQ(NVME_CSTS_RDY, r32(h, NVME_REG_CSTS));
	run_pending();
	EXPECT_EQ(0, r32(h, NVME_REG_CSTS));
}

/* Enabling with this configuration fails; reset clears the failure. */
static void expect_fatal(struct nvme_host *h, u32 cc, u32 aqa, u64 asq, u64 acq)
{
	w32(h, NVME_REG_AQA, aqa);
	w64(h, NVME_REG_ASQ, asq);
	w64(h, NVME_REG_ACQ, acq);
	w32(h, NVME_REG_CC, cc);
	run_pending();
	EXPECT_EQ(NVME_CSTS_CFS, r32(h, NVME_REG_CSTS));
	EXPECT_EQ(0, fake_vm_map_refs(h->vm));
	w32(h, NVME_REG_CC, 0);
	run_pending();
	EXPECT_EQ(0, r32(h, NVME_REG_CSTS));
}

TEST_F(regs, bad_configuration)
{
	struct nvme_host *h = &self->h;
	u64 a = host_page(h, 64), c = host_page(h, 64);
	unsigned int i;

	for (i = 1; i < 8; i++) {
		expect_fatal(h, HOST_CC | i << 4, 0x001f001f, a, c);
		expect_fatal(h, HOST_CC | i << 11, 0x001f001f, a, c);
	}
	for (i = 1; i < 16; i++)
		expect_fatal(h, HOST_CC | i << 7, 0x001f001f, a, c);
	expect_fatal(h, HOST_CC, 0x00000001, a, c);
	expect_fatal(h, HOST_CC, 0x00010000, a, c);
	expect_fatal(h, HOST_CC, 0x001f001f, 0xfffffffffffff000, c);
	expect_fatal(h, HOST_CC, 0x001f001f, a, 0xfffffffffffff000);
	expect_fatal(h, HOST_CC, 0x001f001f, (u64)HOST_FRAMES << 12, c);
	/* Only the last page of the queue is missing. */
	expect_fatal(h, HOST_CC, 0x001f0fff, (u64)(HOST_FRAMES - 63) << 12, c);
	EXPECT_TRUE(host_enable(h));
}

TEST_F(regs, smallest_and_largest_admin_queues)
{
	struct nvme_host *h = &self->h;
	u64 page = host_page(h, 1);
	unsigned int i;

	ASSERT_TRUE(host_enable_sized(h, 2, 2));
	for (i = 0; i < 10; i++)
		EXPECT_EQ(0, host_identify(h, NVME_CNS_CTRL, 0, page));
	ASSERT_TRUE(host_disable(h));
	ASSERT_TRUE(host_enable_sized(h, 4096, 4096));
	for (i = 0; i < 5000; i++)
		ASSERT_EQ(0, host_identify(h, NVME_CNS_CTRL, 0, page));
}

TEST_F(regs, reset_keeps_admin_registers)
{
	struct nvme_host *h = &self->h;

	ASSERT_TRUE(host_enable(h));
	w32(h, NVME_REG_INTMS, 0xff);
	ASSERT_TRUE(host_disable(h));
	EXPECT_EQ(0x001f001f, r32(h, NVME_REG_AQA));
	EXPECT_EQ(h->sq[0].addr, r64(h, NVME_REG_ASQ));
	EXPECT_EQ(0, r32(h, NVME_REG_INTMS));
	EXPECT_EQ(0, fake_vm_map_refs(h->vm));
}

TEST_F(regs, quick_toggle)
{
	struct nvme_host *h = &self->h;
	u64 page = host_page(h, 1);

	ASSERT_TRUE(host_enable(h));
	EXPECT_EQ(0, host_identify(h, NVME_CNS_CTRL, 0, page));
	w32(h, NVME_REG_CC, 0);
	w32(h, NVME_REG_CC, HOST_CC);
	ASSERT_TRUE(host_wait_ready(h, 1));
	/* It was reset in between. */
	h->sq[0].tail = 0;
	h->cq[0].head = 0;
	h->cq[0].phase = 1;
	fake_vm_set(h->vm, h->cq[0].addr, 0, 32 * 16);
	EXPECT_EQ(0, host_identify(h, NVME_CNS_CTRL, 0, page));
}

TEST_F(regs, interrupt_masks)
{
	struct nvme_host *h = &self->h;

	w32(h, NVME_REG_INTMS, 0x0000000f);
	w32(h, NVME_REG_INTMS, 0x80000000);
	EXPECT_EQ(0x8000000f, r32(h, NVME_REG_INTMS));
	w32(h, NVME_REG_INTMC, 0x80000005);
	EXPECT_EQ(0x0000000a, r32(h, NVME_REG_INTMS));
	EXPECT_EQ(0x0000000a, r32(h, NVME_REG_INTMC));
}

TEST_F(regs, shutdown)
{
	struct nvme_host *h = &self->h;

	ASSERT_TRUE(host_enable(h));
	w32(h, NVME_REG_CC, HOST_CC | 1 << 14);
	EXPECT_EQ(NVME_CSTS_RDY | NVME_CSTS_SHST_BUSY, r32(h, NVME_REG_CSTS));
	run_pending();
	EXPECT_EQ(NVME_CSTS_RDY | NVME_CSTS_SHST_DONE, r32(h, NVME_REG_CSTS));
	EXPECT_EQ(1, fake_disk_count(h->disks[0], FAKE_DISK_FLUSH));
	/* Abrupt one after it */
	w32(h, NVME_REG_CC, HOST_CC | 2 << 14);
	run_pending();
	EXPECT_EQ(NVME_CSTS_RDY | NVME_CSTS_SHST_DONE, r32(h, NVME_REG_CSTS));
	w32(h, NVME_REG_CC, 0);
	run_pending();
	EXPECT_EQ(0, r32(h, NVME_REG_CSTS));
}

TEST_F(regs, shutdown_while_disabled)
{
	struct nvme_host *h = &self->h;

	w32(h, NVME_REG_CC, 1 << 14);
	run_pending();
	EXPECT_EQ(NVME_CSTS_SHST_DONE, r32(h, NVME_REG_CSTS));
}

TEST_F(regs, shutdown_and_disable_at_once)
{
	struct nvme_host *h = &self->h;

	ASSERT_TRUE(host_enable(h));
	w32(h, NVME_REG_CC, 1 << 14);
	run_pending();
	EXPECT_EQ(NVME_CSTS_SHST_DONE, r32(h, NVME_REG_CSTS));
	EXPECT_EQ(1, fake_disk_count(h->disks[0], FAKE_DISK_FLUSH));
}

TEST_F(regs, shutdown_waits_for_the_disk)
{
	struct nvme_host *h = &self->h;

	standin_idle = fake_disk_idle;
	standin_idle_arg = h->disks[0];
	fake_disk_hold(h->disks[0], true);
	ASSERT_TRUE(host_enable(h));
	w32(h, NVME_REG_CC, HOST_CC | 1 << 14);
	run_pending();
	EXPECT_EQ(NVME_CSTS_RDY | NVME_CSTS_SHST_DONE, r32(h, NVME_REG_CSTS));
	EXPECT_EQ(0, fake_disk_nr_held(h->disks[0]));
}

static void flr(struct nvme_host *h)
{
	unsigned int pos = host_cap(h, PCI_CAP_ID_EXP);

	fake_config_write(h->vm, HOST_SLOT, pos + PCI_EXP_DEVCTL, 2,
			  PCI_EXP_DEVCTL_BCR_FLR);
}

TEST_F(regs, function_level_reset)
{
	struct nvme_host *h = &self->h;

	ASSERT_TRUE(host_enable(h));
	w32(h, NVME_REG_INTMS, 1);
	flr(h);
	EXPECT_EQ(0, fake_vm_map_refs(h->vm));
	host_pci_setup(h);
	EXPECT_EQ(0, r32(h, NVME_REG_CC));
	EXPECT_EQ(0, r32(h, NVME_REG_CSTS));
	EXPECT_EQ(0, r32(h, NVME_REG_AQA));
	EXPECT_EQ(0, r64(h, NVME_REG_ASQ));
	EXPECT_EQ(0, r64(h, NVME_REG_ACQ));
	EXPECT_EQ(0, r32(h, NVME_REG_INTMS));
	host_ready(h, 16);
	EXPECT_EQ(0, host_exec(h, 1, sqe_rw(false, 0, 1, host_page(h, 1), 0)));
}

TEST_F(regs, function_level_reset_with_io)
{
	struct nvme_host *h = &self->h;
	u64 page = host_page(h, 8);
	unsigned int i;

	host_ready(h, 16);
	standin_idle = fake_disk_idle;
	standin_idle_arg = h->disks[0];
	fake_disk_hold(h->disks[0], true);
	for (i = 0; i < 8; i++)
		host_submit(h, 1, sqe_rw(false, i, 1, page + i * 4096, 0));
	run_pending();
	EXPECT_EQ(8, fake_disk_nr_held(h->disks[0]));
	flr(h);
	EXPECT_EQ(0, fake_disk_nr_held(h->disks[0]));
	EXPECT_EQ(0, fake_vm_map_refs(h->vm));
	EXPECT_EQ(0, fake_vm_nr_msi(h->vm));
}

TEST_F(regs, reset_with_io)
{
	struct nvme_host *h = &self->h;
	u64 page = host_page(h, 8);
	struct nvme_cqe cqe;
	unsigned int i;

	host_ready(h, 16);
	standin_idle = fake_disk_idle;
	standin_idle_arg = h->disks[0];
	fake_disk_hold(h->disks[0], true);
	for (i = 0; i < 8; i++)
		host_submit(h, 1, sqe_rw(false, i, 1, page + i * 4096, 0));
	run_pending();
	/* Some that are not even fetched */
	for (i = 0; i < 4; i++)
		host_submit(h, 1, sqe_rw(false, i, 1, page + i * 4096, 0));
	ASSERT_TRUE(host_disable(h));
	EXPECT_EQ(0, fake_disk_nr_held(h->disks[0]));
	EXPECT_EQ(0, fake_vm_map_refs(h->vm));
	EXPECT_FALSE(host_take(h, 1, &cqe));
	fake_disk_hold(h->disks[0], false);
	host_ready(h, 16);
	EXPECT_EQ(0, host_exec(h, 1, sqe_rw(false, 0, 1, page, 0)));
}

TEST_F(regs, removal_with_io)
{
	struct nvme_host *h = &self->h;
	u64 page = host_page(h, 8);
	unsigned int i;

	host_ready(h, 16);
	standin_idle = fake_disk_idle;
	standin_idle_arg = h->disks[0];
	fake_disk_hold(h->disks[0], true);
	for (i = 0; i < 8; i++)
		host_submit(h, 1, sqe_rw(i & 1, i, 1, page + i * 4096, 0));
	run_pending();
	host_submit(h, 1, sqe_rw(false, 0, 1, page, 0));
	/* host_exit() stops the controller. */
}

TEST_F(regs, removal_of_a_dying_domain)
{
	struct nvme_host *h = &self->h;

	host_ready(h, 16);
	fake_vm_shutdown(h->vm);
	ioemu_nvme_model.memory_changed(h->ctrl);
	EXPECT_EQ(NVME_CSTS_RDY | NVME_CSTS_CFS, r32(h, NVME_REG_CSTS));
	host_submit(h, 1, sqe_rw(false, 0, 1, 0x10000, 0));
	run_pending();
}

TEST_F(regs, bus_master_off_stops_everything)
{
	struct nvme_host *h = &self->h;
	u64 page = host_page(h, 8);
	struct nvme_cqe cqe;
	unsigned int i;

	host_ready(h, 16);
	standin_idle = fake_disk_idle;
	standin_idle_arg = h->disks[0];
	fake_disk_hold(h->disks[0], true);
	for (i = 0; i < 8; i++)
		host_submit(h, 1, sqe_rw(false, i, 1, page + i * 4096, 0));
	run_pending();
	host_command(h, PCI_COMMAND_MEMORY);
	EXPECT_EQ(0, fake_disk_nr_held(h->disks[0]));
	fake_disk_hold(h->disks[0], false);
	for (i = 0; i < 8; i++)
		EXPECT_TRUE(host_reap(h, 1, &cqe));
	/* New commands wait. */
	host_submit(h, 1, sqe_rw(false, 0, 1, page, 0));
	host_submit(h, 0, (struct nvme_sqe) {
		    .opcode = NVME_ADMIN_GET_FEATURES, .cdw10 = 7 });
	run_pending();
	EXPECT_FALSE(host_take(h, 1, &cqe));
	EXPECT_FALSE(host_take(h, 0, &cqe));
	host_command(h, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	run_pending();
	EXPECT_TRUE(host_reap(h, 1, &cqe));
	EXPECT_EQ(0, cqe_status(&cqe));
	EXPECT_TRUE(host_reap(h, 0, &cqe));
	EXPECT_EQ(0, cqe_status(&cqe));
}

/* What waits for room in a completion queue is not posted meanwhile. */
TEST_F(regs, bus_master_off_with_a_full_completion_queue)
{
	struct nvme_host *h = &self->h;
	u64 page = host_page(h, 1);
	struct nvme_cqe cqe;
	unsigned int i;

	host_msix(h);
	ASSERT_TRUE(host_enable(h));
	ASSERT_EQ(0, host_create_cq(h, 1, 4));
	ASSERT_EQ(0, host_create_sq(h, 1, 16, 1));
	for (i = 0; i < 6; i++)
		host_submit(h, 1, sqe_rw(false, i, 1, page, 0));
	run_pending();
	host_command(h, PCI_COMMAND_MEMORY);
	for (i = 0; i < 3; i++)
		EXPECT_TRUE(host_reap(h, 1, &cqe));
	EXPECT_FALSE(host_take(h, 1, &cqe));
	fake_vm_clear_msi(h->vm);
	host_command(h, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	run_pending();
	EXPECT_EQ(1, host_irqs(h, 1));
	for (i = 0; i < 3; i++)
		EXPECT_TRUE(host_reap(h, 1, &cqe));
	EXPECT_FALSE(host_take(h, 1, &cqe));
}

TEST_F(regs, enable_without_bus_master)
{
	struct nvme_host *h = &self->h;
	struct nvme_cqe cqe;

	host_command(h, PCI_COMMAND_MEMORY);
	ASSERT_TRUE(host_enable(h));
	host_submit(h, 0, (struct nvme_sqe) {
		    .opcode = NVME_ADMIN_GET_FEATURES, .cdw10 = 7 });
	run_pending();
	EXPECT_FALSE(host_take(h, 0, &cqe));
	host_command(h, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	run_pending();
	EXPECT_TRUE(host_take(h, 0, &cqe));
}

TEST_F(regs, ring_memory_vanishes)
{
	struct nvme_host *h = &self->h;
	struct nvme_cqe cqe;
	u64 page = host_page(h, 1);

	host_ready(h, 16);
	fake_vm_vanish(h->vm, h->sq[1].addr >> 12);
	ioemu_nvme_model.memory_changed(h->ctrl);
	EXPECT_EQ(NVME_CSTS_RDY | NVME_CSTS_CFS, r32(h, NVME_REG_CSTS));
	ring_sq(h, 1, 1);
	run_pending();
	EXPECT_FALSE(host_take(h, 1, &cqe));
	fake_vm_fill(h->vm, h->sq[1].addr >> 12);
	ioemu_nvme_model.memory_changed(h->ctrl);
	ASSERT_TRUE(host_disable(h));
	EXPECT_EQ(0, r32(h, NVME_REG_CSTS));
	host_ready(h, 16);
	EXPECT_EQ(0, host_exec(h, 1, sqe_rw(false, 0, 1, page, 0)));

	fake_vm_vanish(h->vm, h->cq[1].addr >> 12);
	ioemu_nvme_model.memory_changed(h->ctrl);
	EXPECT_EQ(NVME_CSTS_RDY | NVME_CSTS_CFS, r32(h, NVME_REG_CSTS));
	host_submit(h, 1, sqe_rw(false, 0, 1, page, 0));
	run_pending();
	ASSERT_TRUE(host_disable(h));
}

TEST_F(regs, map_is_replaced)
{
	struct nvme_host *h = &self->h;
	u64 page = host_page(h, 8);
	struct nvme_cqe cqe;
	unsigned int i;

	host_ready(h, 16);
	fake_disk_hold(h->disks[0], true);
	for (i = 0; i < 4; i++)
		host_submit(h, 1, sqe_rw(false, i, 1, page + i * 4096, 0));
	run_pending();
	fake_vm_replace_map(h->vm);
	ioemu_nvme_model.memory_changed(h->ctrl);
	fake_disk_release_all(h->disks[0]);
	run_pending();
	for (i = 0; i < 4; i++)
		EXPECT_TRUE(host_reap(h, 1, &cqe));
	fake_disk_hold(h->disks[0], false);
	EXPECT_EQ(0, host_exec(h, 1, sqe_rw(false, 0, 1, page, 0)));
	EXPECT_EQ(NVME_CSTS_RDY, r32(h, NVME_REG_CSTS));
}

/* A controller that is being removed is told until it is gone. */
TEST(memory_changes_after_the_stop)
{
	struct nvme_host h;
	u64 shadow, event;

	host_init(&h, 64, 9);
	host_ready(&h, 16);
	shadow = host_page(&h, 1);
	event = host_page(&h, 1);
	EXPECT_EQ(0, host_admin(&h, (struct nvme_sqe) {
		.opcode = NVME_ADMIN_DBBUF, .prp1 = cpu_to_le64(shadow),
		.prp2 = cpu_to_le64(event) }, NULL));
	ioemu_nvme_model.stop(h.ctrl);
	standin_log_last[0] = '\0';
	fake_vm_vanish(h.vm, shadow >> 12);
	ioemu_nvme_model.memory_changed(h.ctrl);
	fake_vm_shutdown(h.vm);
	ioemu_nvme_model.memory_changed(h.ctrl);
	run_pending();
	EXPECT_EQ(0, fake_vm_map_refs(h.vm));
	EXPECT_EQ('\0', standin_log_last[0]);
	ioemu_nvme_model.destroy(h.ctrl);
	fake_disk_free(h.disks[0]);
	fake_vm_free(h.vm);
}

TEST_F(regs, data_memory_vanishes_in_flight)
{
	struct nvme_host *h = &self->h;
	u64 page = host_page(h, 1);
	struct nvme_cqe cqe;

	host_ready(h, 16);
	fake_disk_hold(h->disks[0], true);
	host_submit(h, 1, sqe_rw(false, 0, 1, page, 0));
	run_pending();
	fake_vm_vanish(h->vm, page >> 12);
	ioemu_nvme_model.memory_changed(h->ctrl);
	fake_disk_release_all(h->disks[0]);
	EXPECT_TRUE(host_reap(h, 1, &cqe));
	fake_disk_hold(h->disks[0], false);
	EXPECT_EQ(DNR(NVME_SC_DATA_TRANSFER),
		  host_exec(h, 1, sqe_rw(false, 0, 1, page, 0)));
}

TEST_F(regs, allocation_failures_of_enable)
{
	struct nvme_host *h = &self->h;
	unsigned int nth;

	for (nth = 1; nth < 40; nth++) {
		standin_fail_alloc(nth, false);
		if (host_enable(h)) {
			standin_fail_alloc(0, false);
			break;
		}
		standin_fail_alloc(0, false);
		EXPECT_EQ(NVME_CSTS_CFS, r32(h, NVME_REG_CSTS));
		EXPECT_EQ(0, fake_vm_map_refs(h->vm));
		ASSERT_TRUE(host_disable(h));
	}
	EXPECT_GT(nth, 5);
	EXPECT_LT(nth, 40);
}

TEST(creation_failures)
{
	struct ioemu_vm *vm = fake_vm_new(64);
	struct ioemu_disk *disk = fake_disk_new(64, 9);
	struct ioemu_exits exits = {};
	struct ioemu_model_config cfg = {
		.vm = vm, .slot = HOST_SLOT, .serial = "S", .exits = &exits,
		.disks = { disk },
	};
	struct ioemu_controller *ctrl;
	unsigned int nth;

	for (nth = 1; nth < 40; nth++) {
		standin_fail_alloc(nth, false);
		ctrl = ioemu_nvme_model.create(&cfg);
		standin_fail_alloc(0, false);
		if (!IS_ERR(ctrl))
			break;
		EXPECT_EQ(-ENOMEM, PTR_ERR(ctrl));
	}
	EXPECT_GT(nth, 3);
	ASSERT_LT(nth, 40);
	ioemu_nvme_model.destroy(ctrl);
	fake_disk_free(disk);
	fake_vm_free(vm);
}
