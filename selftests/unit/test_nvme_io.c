// SPDX-License-Identifier: GPL-2.0
/* I/O commands of the NVMe controller. */
#include <standin/sched.h>

#include "nvme_host.h"

FIXTURE(io) {
	struct nvme_host h;
	struct ioemu_disk *disk;
	u64 data;
	u64 blocks;
};
FIXTURE_VARIANT(io) { unsigned int shift; };
FIXTURE_VARIANT_ADD(io, b512) { .shift = 9 };
FIXTURE_VARIANT_ADD(io, b4096) { .shift = 12 };

FIXTURE_SETUP(io)
{
	struct nvme_host *h = &self->h;

	host_init(h, 2048, variant->shift);
	host_ready(h, 64);
	self->disk = h->disks[0];
	self->blocks = 2048;
	self->data = host_page(h, 130);
	host_pattern(fake_disk_data(self->disk), 2048ul << variant->shift, 3);
}

FIXTURE_TEARDOWN(io)
{
	host_exit(&self->h);
}

TEST_FV(io, read_and_write)
{
	struct nvme_host *h = &self->h;
	u32 bs = 1u << variant->shift;
	u8 want[4096], got[4096];

	host_pattern(want, bs, 99);
	fake_vm_write(h->vm, self->data, want, bs);
	ASSERT_EQ(0, host_exec(h, 1, sqe_rw(true, 17, 1, self->data, 0)));
	EXPECT_MEMEQ(want, fake_disk_data(self->disk) + 17 * bs, bs);
	ASSERT_EQ(0, host_exec(h, 1, sqe_rw(false, 17, 1, self->data + 4096,
					    0)));
	fake_vm_read(h->vm, self->data + 4096, got, bs);
	EXPECT_MEMEQ(want, got, bs);
	EXPECT_EQ(17, fake_disk_log(self->disk, 0).block);
	EXPECT_EQ(FAKE_DISK_WRITE, fake_disk_log(self->disk, 0).op);
	EXPECT_FALSE(fake_disk_log(self->disk, 0).fua);
	EXPECT_EQ(FAKE_DISK_READ, fake_disk_log(self->disk, 1).op);
	/* The completion queue's page was written. */
	EXPECT_TRUE(fake_vm_dirty(h->vm, h->cq[1].addr >> 12));
	EXPECT_EQ(2, host_irqs(h, 1));
}

TEST_FV(io, range)
{
	struct nvme_host *h = &self->h;
	u64 n = self->blocks, d = self->data;
	u16 bad = DNR(NVME_SC_LBA_RANGE);

	EXPECT_EQ(0, host_exec(h, 1, sqe_rw(false, n - 1, 1, d, 0)));
	EXPECT_EQ(bad, host_exec(h, 1, sqe_rw(false, n, 1, d, 0)));
	EXPECT_EQ(bad, host_exec(h, 1, sqe_rw(false, n - 1, 2, d, d)));
	EXPECT_EQ(bad, host_exec(h, 1, sqe_rw(true, ~0ull, 1, d, 0)));
	EXPECT_EQ(bad, host_exec(h, 1, sqe_rw(true, ~0ull, 2, d, 0)));
	EXPECT_EQ(bad, host_exec(h, 1, sqe_rw(false, 0, 65536, d, 0)));
	EXPECT_EQ(bad, host_exec(h, 1, sqe_rw(false, 1ull << 32, 1, d, 0)));
	EXPECT_EQ(1, fake_disk_nr_log(self->disk));
}

TEST_FV(io, transfer_size)
{
	struct nvme_host *h = &self->h;
	u32 max = (512u << 10) >> variant->shift;
	u64 list = host_page(h, 1), entry;
	unsigned int i;

	for (i = 0; i < 127; i++) {
		entry = cpu_to_le64(self->data + (i + 1) * 4096ull);
		fake_vm_write(h->vm, list + i * 8, &entry, 8);
	}
	EXPECT_EQ(0, host_exec(h, 1, sqe_rw(false, 0, max, self->data, list)));
	EXPECT_EQ(DNR(NVME_SC_INVALID_FIELD),
		  host_exec(h, 1, sqe_rw(false, 0, max + 1, self->data, list)));
}

TEST_FV(io, fua)
{
	struct nvme_host *h = &self->h;
	struct nvme_sqe sqe = sqe_rw(true, 0, 1, self->data, 0);

	fake_disk_clear_log(self->disk);
	sqe.cdw12 |= cpu_to_le32(NVME_RW_FUA);
	EXPECT_EQ(0, host_exec(h, 1, sqe));
	EXPECT_TRUE(fake_disk_log(self->disk, 0).fua);
	sqe.opcode = NVME_CMD_WRITE_ZEROES;
	EXPECT_EQ(0, host_exec(h, 1, sqe));
	EXPECT_TRUE(fake_disk_log(self->disk, 1).fua);
}

TEST_FV(io, what_a_read_with_fua_returns_is_on_the_medium)
{
	struct nvme_host *h = &self->h;
	struct nvme_sqe sqe = sqe_rw(false, 5, 1, self->data, 0);
	u32 bs = 1u << variant->shift;
	u8 got[4096];

	fake_disk_clear_log(self->disk);
	sqe.cdw12 |= cpu_to_le32(NVME_RW_FUA);
	EXPECT_EQ(0, host_exec(h, 1, sqe));
	EXPECT_EQ(2, fake_disk_nr_log(self->disk));
	EXPECT_EQ(FAKE_DISK_FLUSH, fake_disk_log(self->disk, 0).op);
	EXPECT_EQ(FAKE_DISK_READ, fake_disk_log(self->disk, 1).op);
	fake_vm_read(h->vm, self->data, got, bs);
	EXPECT_MEMEQ(fake_disk_data(self->disk) + 5 * bs, got, bs);
	fake_disk_fail(self->disk, 1, BLK_STS_MEDIUM, false);
	EXPECT_EQ(DNR(NVME_SC_READ_ERROR), host_exec(h, 1, sqe));
	EXPECT_EQ(3, fake_disk_nr_log(self->disk));
}

TEST_FV(io, ignored_fields)
{
	struct nvme_host *h = &self->h;
	struct nvme_sqe sqe = sqe_rw(false, 0, 1, self->data, 0);

	sqe.cdw12 |= cpu_to_le32(1u << 31 | 0xfu << 26);	/* LR, PRINFO */
	sqe.cdw13 = 0xffffffff;
	sqe.cdw14 = 0xffffffff;
	sqe.cdw15 = 0xffffffff;
	sqe.cdw2 = 0xffffffff;
	sqe.cdw3 = 0xffffffff;
	sqe.mptr = ~0ull;
	EXPECT_EQ(0, host_exec(h, 1, sqe));
}

TEST_FV(io, opcodes)
{
	struct nvme_host *h = &self->h;
	unsigned int opcode;
	u16 status;

	for (opcode = 0; opcode < 256; opcode++) {
		struct nvme_sqe sqe = sqe_rw(false, 0, 1, self->data, 0);

		sqe.opcode = opcode;
		status = host_exec(h, 1, sqe);
		if (opcode <= 2 || opcode == 8 || opcode == 9)
			EXPECT_EQ(0, status);
		else
			EXPECT_EQ(DNR(NVME_SC_INVALID_OPCODE), status);
		/* The opcode is judged before the namespace. */
		sqe.nsid = cpu_to_le32(77);
		status = host_exec(h, 1, sqe);
		if (opcode <= 2 || opcode == 8 || opcode == 9)
			EXPECT_EQ(DNR(NVME_SC_INVALID_NS), status);
		else
			EXPECT_EQ(DNR(NVME_SC_INVALID_OPCODE), status);
	}
}

TEST_FV(io, fused)
{
	struct nvme_host *h = &self->h;
	struct nvme_sqe sqe = sqe_rw(false, 0, 1, self->data, 0);
	unsigned int i;

	for (i = 1; i < 4; i++) {
		sqe.flags = i;
		EXPECT_EQ(DNR(NVME_SC_INVALID_FIELD), host_exec(h, 1, sqe));
	}
}

TEST_FV(io, namespaces)
{
	struct nvme_host *h = &self->h;
	static const u8 opcodes[] = { 0, 1, 2, 8, 9 };
	struct nvme_sqe sqe = sqe_rw(false, 0, 1, self->data, 0);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(opcodes); i++) {
		sqe.opcode = opcodes[i];
		sqe.nsid = 0;
		EXPECT_EQ(DNR(NVME_SC_INVALID_NS), host_exec(h, 1, sqe));
		sqe.nsid = cpu_to_le32(2);
		EXPECT_EQ(DNR(NVME_SC_INVALID_NS), host_exec(h, 1, sqe));
		sqe.nsid = cpu_to_le32(0xfffffffe);
		EXPECT_EQ(DNR(NVME_SC_INVALID_NS), host_exec(h, 1, sqe));
		sqe.nsid = cpu_to_le32(NVME_NSID_ALL);
		EXPECT_EQ(opcodes[i] ? DNR(NVME_SC_INVALID_FIELD) : 0,
			  host_exec(h, 1, sqe));
	}
}

TEST_FV(io, flush)
{
	struct nvme_host *h = &self->h;
	struct nvme_sqe sqe = { .nsid = cpu_to_le32(1) };

	EXPECT_EQ(0, host_exec(h, 1, sqe));
	EXPECT_EQ(1, fake_disk_count(self->disk, FAKE_DISK_FLUSH));
	fake_disk_fail(self->disk, 1, BLK_STS_IOERR, false);
	EXPECT_EQ(ERR(NVME_SC_WRITE_FAULT), host_exec(h, 1, sqe));
}

/*
 * A command that makes data durable, beside a read of a disk that answers that one
 * first: no completion entry and no interrupt before the disk has done it.
 */
static void expect_waits(struct fixture_io *self, struct nvme_sqe sqe,
			 enum fake_disk_op op)
{
	struct nvme_host *h = &self->h;
	struct nvme_cqe cqe;
	u16 cid, read;

	fake_disk_clear_log(self->disk);
	fake_vm_clear_msi(h->vm);
	cid = host_submit(h, 1, sqe);
	read = host_submit(h, 1, sqe_rw(false, 0, 1, self->data, 0));
	run_pending();
	ASSERT_EQ(2, fake_disk_nr_held(self->disk));
	EXPECT_EQ(op, fake_disk_log(self->disk, 0).op);
	EXPECT_EQ(op != FAKE_DISK_FLUSH, fake_disk_log(self->disk, 0).fua);
	EXPECT_FALSE(host_take(h, 1, &cqe));
	EXPECT_EQ(0, host_irqs(h, 1));

	fake_disk_release(self->disk, 1);
	run_pending();
	ASSERT_TRUE(host_reap(h, 1, &cqe));
	EXPECT_EQ(read, le16_to_cpu(cqe.cid));
	EXPECT_FALSE(host_take(h, 1, &cqe));
	EXPECT_EQ(1, host_irqs(h, 1));

	fake_disk_release(self->disk, 0);
	run_pending();
	ASSERT_TRUE(host_reap(h, 1, &cqe));
	EXPECT_EQ(cid, le16_to_cpu(cqe.cid));
	EXPECT_EQ(0, cqe_status(&cqe));
	EXPECT_EQ(2, host_irqs(h, 1));
}

TEST_FV(io, durability_is_waited_for)
{
	struct nvme_sqe sqe = { .nsid = cpu_to_le32(1) };
	struct nvme_host *h = &self->h;

	fake_disk_hold(self->disk, true);
	expect_waits(self, sqe, FAKE_DISK_FLUSH);
	sqe.nsid = cpu_to_le32(NVME_NSID_ALL);
	expect_waits(self, sqe, FAKE_DISK_FLUSH);
	sqe = sqe_rw(true, 0, 1, self->data, 0);
	sqe.cdw12 |= cpu_to_le32(NVME_RW_FUA);
	expect_waits(self, sqe, FAKE_DISK_WRITE);
	sqe.opcode = NVME_CMD_WRITE_ZEROES;
	expect_waits(self, sqe, FAKE_DISK_ZEROES);
	/* Without a write cache, all of them are forced. */
	fake_disk_hold(self->disk, false);
	EXPECT_EQ(0, host_set_feature(h, NVME_FEAT_WRITE_CACHE, 0, NULL));
	fake_disk_hold(self->disk, true);
	expect_waits(self, sqe_rw(true, 0, 1, self->data, 0), FAKE_DISK_WRITE);
	sqe.cdw12 &= cpu_to_le32(~NVME_RW_FUA);
	expect_waits(self, sqe, FAKE_DISK_ZEROES);
}

TEST_FV(io, write_zeroes)
{
	struct nvme_host *h = &self->h;
	struct nvme_sqe sqe = sqe_rw(false, 5, 9, 0, 0);
	struct fake_disk_entry e;

	sqe.opcode = NVME_CMD_WRITE_ZEROES;
	EXPECT_EQ(0, host_exec(h, 1, sqe));
	e = fake_disk_log(self->disk, 0);
	EXPECT_EQ(FAKE_DISK_ZEROES, e.op);
	EXPECT_EQ(5, e.block);
	EXPECT_EQ(9, e.nr_blocks);
	EXPECT_FALSE(e.unmap);
	EXPECT_FALSE(e.fua);
	sqe.cdw12 |= cpu_to_le32(NVME_RW_DEAC);
	EXPECT_EQ(0, host_exec(h, 1, sqe));
	EXPECT_TRUE(fake_disk_log(self->disk, 1).unmap);
	/* Not bounded by MDTS, but by the capacity */
	sqe.cdw10 = 0;
	sqe.cdw12 = cpu_to_le32(2047);
	EXPECT_EQ(0, host_exec(h, 1, sqe));
	sqe.cdw12 = cpu_to_le32(2048);
	EXPECT_EQ(DNR(NVME_SC_LBA_RANGE), host_exec(h, 1, sqe));
}

static u16 dsm(struct fixture_io *self, const struct nvme_dsm_range *ranges,
	       unsigned int nr, u32 attributes, u64 at)
{
	struct nvme_host *h = &self->h;

	fake_vm_write(h->vm, at, ranges, nr * sizeof(*ranges));
	return host_exec(h, 1, (struct nvme_sqe) {
		.opcode = NVME_CMD_DSM, .nsid = cpu_to_le32(1),
		.prp1 = cpu_to_le64(at),
		.prp2 = cpu_to_le64((at & ~0xfffull) + 4096),
		.cdw10 = cpu_to_le32(nr - 1),
		.cdw11 = cpu_to_le32(attributes) });
}

TEST_FV(io, deallocate)
{
	struct nvme_dsm_range r[256] = {};
	struct fake_disk_entry e;
	unsigned int i;

	fake_disk_info(self->disk)->max_discard_blocks = 1000;
	for (i = 0; i < 256; i++) {
		r[i].slba = cpu_to_le64(i * 8);
		r[i].nlb = cpu_to_le32(i % 4);
	}
	EXPECT_EQ(0, dsm(self, r, 256, NVME_DSM_AD, self->data + 1024));
	EXPECT_EQ(192, fake_disk_count(self->disk, FAKE_DISK_DISCARD));
	e = fake_disk_log(self->disk, 1);
	EXPECT_EQ(16, e.block);
	EXPECT_EQ(2, e.nr_blocks);

	/* Cut to what the disk takes at once */
	fake_disk_clear_log(self->disk);
	r[0].slba = cpu_to_le64(48);
	r[0].nlb = cpu_to_le32(2000);
	EXPECT_EQ(0, dsm(self, r, 1, NVME_DSM_AD, self->data));
	EXPECT_EQ(2, fake_disk_nr_log(self->disk));
	EXPECT_EQ(48, fake_disk_log(self->disk, 0).block);
	EXPECT_EQ(1000, fake_disk_log(self->disk, 0).nr_blocks);
	EXPECT_EQ(1048, fake_disk_log(self->disk, 1).block);
	EXPECT_EQ(1000, fake_disk_log(self->disk, 1).nr_blocks);
}

TEST_FV(io, deallocate_limits)
{
	struct nvme_dsm_range r[3] = {};
	u64 n = self->blocks;

	fake_disk_info(self->disk)->max_discard_blocks = 1 << 20;
	r[2].slba = cpu_to_le64(n - 1);
	r[2].nlb = cpu_to_le32(1);
	EXPECT_EQ(0, dsm(self, r, 3, NVME_DSM_AD, self->data));
	r[2].nlb = cpu_to_le32(2);
	EXPECT_EQ(DNR(NVME_SC_LBA_RANGE),
		  dsm(self, r, 3, NVME_DSM_AD, self->data));
	r[2].slba = cpu_to_le64(n);
	r[2].nlb = 0;
	EXPECT_EQ(0, dsm(self, r, 3, NVME_DSM_AD, self->data));
	r[2].slba = cpu_to_le64(~0ull);
	r[2].nlb = 0xffffffff;
	EXPECT_EQ(DNR(NVME_SC_LBA_RANGE),
		  dsm(self, r, 3, NVME_DSM_AD, self->data));
	r[2].nlb = cpu_to_le32(1);
	EXPECT_EQ(DNR(NVME_SC_LBA_RANGE),
		  dsm(self, r, 3, NVME_DSM_AD, self->data));
	/* Nothing was done of a command that is refused. */
	EXPECT_EQ(1, fake_disk_count(self->disk, FAKE_DISK_DISCARD));
	EXPECT_EQ(DNR(NVME_SC_DATA_TRANSFER),
		  host_exec(&self->h, 1, (struct nvme_sqe) {
			.opcode = NVME_CMD_DSM, .nsid = cpu_to_le32(1),
			.prp1 = cpu_to_le64((u64)HOST_FRAMES << 12) }));
	/* Other attributes are hints. */
	r[2].slba = 0;
	r[2].nlb = 0;
	EXPECT_EQ(0, dsm(self, r, 3, 0x3, self->data));
	/* A disk that cannot discard ignores the hint. */
	fake_disk_info(self->disk)->max_discard_blocks = 0;
	r[0].nlb = cpu_to_le32(8);
	EXPECT_EQ(0, dsm(self, r, 3, NVME_DSM_AD, self->data));
	EXPECT_EQ(1, fake_disk_count(self->disk, FAKE_DISK_DISCARD));
}

TEST_FV(io, deallocate_held)
{
	struct nvme_dsm_range r[3] = {};
	struct nvme_host *h = &self->h;
	struct nvme_cqe cqe;
	unsigned int i;

	fake_disk_info(self->disk)->max_discard_blocks = 8;
	for (i = 0; i < 3; i++)
		r[i].nlb = cpu_to_le32(8);
	fake_vm_write(h->vm, self->data, r, sizeof(r));
	fake_disk_hold(self->disk, true);
	host_submit(h, 1, (struct nvme_sqe) {
		.opcode = NVME_CMD_DSM, .nsid = cpu_to_le32(1),
		.prp1 = cpu_to_le64(self->data), .cdw10 = cpu_to_le32(2),
		.cdw11 = cpu_to_le32(NVME_DSM_AD) });
	for (i = 0; i < 3; i++) {
		run_pending();
		EXPECT_EQ(1, fake_disk_nr_held(self->disk));
		EXPECT_FALSE(host_take(h, 1, &cqe));
		if (i == 1)
			fake_disk_fail(self->disk, 1, BLK_STS_OK, false);
		fake_disk_release(self->disk, 0);
	}
	run_pending();
	EXPECT_TRUE(host_reap(h, 1, &cqe));
	EXPECT_EQ(0, cqe_status(&cqe));
	/* An error ends it. */
	fake_disk_hold(self->disk, false);
	fake_disk_fail(self->disk, 2, BLK_STS_MEDIUM, false);
	EXPECT_EQ(DNR(NVME_SC_WRITE_FAULT),
		  dsm(self, r, 3, NVME_DSM_AD, self->data));
	EXPECT_EQ(5, fake_disk_count(self->disk, FAKE_DISK_DISCARD));
}

/* A command of many steps takes none any more once bus mastering goes off. */
static void expect_no_next_step(struct fixture_io *self, struct nvme_sqe sqe)
{
	struct nvme_host *h = &self->h;
	struct nvme_cqe cqe;

	fake_disk_clear_log(self->disk);
	fake_disk_hold(self->disk, true);
	host_submit(h, 1, sqe);
	run_pending();
	EXPECT_EQ(1, fake_disk_nr_held(self->disk));
	standin_idle = fake_disk_idle;
	standin_idle_arg = self->disk;
	host_command(h, PCI_COMMAND_MEMORY);
	EXPECT_EQ(1, fake_disk_nr_log(self->disk));
	fake_disk_hold(self->disk, false);
	host_command(h, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	run_pending();
	EXPECT_TRUE(host_reap(h, 1, &cqe));
	EXPECT_EQ(ERR(NVME_SC_INTERRUPTED), cqe_status(&cqe));
	standin_idle = NULL;
}

TEST_FV(io, deallocation_does_not_hold_up_bus_mastering)
{
	struct nvme_dsm_range r = { .nlb = cpu_to_le32(1024) };

	fake_disk_info(self->disk)->max_discard_blocks = 1;
	fake_vm_write(self->h.vm, self->data, &r, sizeof(r));
	expect_no_next_step(self, (struct nvme_sqe) {
		.opcode = NVME_CMD_DSM, .nsid = cpu_to_le32(1),
		.prp1 = cpu_to_le64(self->data),
		.cdw11 = cpu_to_le32(NVME_DSM_AD) });
}

TEST_FV(io, read_with_fua_does_not_hold_up_bus_mastering)
{
	struct nvme_sqe sqe = sqe_rw(false, 5, 1, self->data, 0);

	sqe.cdw12 |= cpu_to_le32(NVME_RW_FUA);
	expect_no_next_step(self, sqe);
}

static struct nvme_sqe sqe_zeroes(u64 slba, u32 nlb, u32 flags)
{
	return (struct nvme_sqe) {
		.opcode = NVME_CMD_WRITE_ZEROES, .nsid = cpu_to_le32(1),
		.cdw10 = cpu_to_le32(slba), .cdw12 = cpu_to_le32(flags | (nlb - 1)),
	};
}

/* Pieces, of which the last is as durable as the command is to be. */
TEST_FV(io, long_zeroes_are_done_in_pieces)
{
	u32 piece = (512u << 10) >> variant->shift, i;
	struct fake_disk_entry e;

	fake_disk_clear_log(self->disk);
	EXPECT_EQ(0, host_exec(&self->h, 1,
			       sqe_zeroes(3, piece + 1,
					  NVME_RW_FUA | NVME_RW_DEAC)));
	ASSERT_EQ(2, fake_disk_nr_log(self->disk));
	for (i = 0; i < 2; i++) {
		e = fake_disk_log(self->disk, i);
		EXPECT_EQ(FAKE_DISK_ZEROES, e.op);
		EXPECT_EQ(3 + i * piece, e.block);
		EXPECT_EQ(i ? 1 : piece, e.nr_blocks);
		EXPECT_EQ(i == 1, e.fua);
		EXPECT_TRUE(e.unmap);
	}
	/* An error ends it. */
	fake_disk_fail(self->disk, 1, BLK_STS_MEDIUM, false);
	EXPECT_EQ(DNR(NVME_SC_WRITE_FAULT),
		  host_exec(&self->h, 1, sqe_zeroes(3, piece + 1, 0)));
	EXPECT_EQ(3, fake_disk_nr_log(self->disk));
	expect_no_next_step(self, sqe_zeroes(0, piece + 1, 0));
}

static void count_reports(void *arg, u64 gfn)
{
	++*(unsigned int *)arg;
}

/* The disk may have had to be waited for. */
TEST_FV(io, zeroes_do_not_wait_for_each_other)
{
	struct nvme_host *h = &self->h;
	unsigned int i, reports = 0;

	fake_disk_complete_in_irq(self->disk, false);
	for (i = 0; i < 5; i++)
		host_queue_cmd(h, 1, sqe_zeroes(i, 1, 0));
	fake_vm_on_dirty(h->vm, count_reports, &reports);
	ring_sq(h, 1, h->sq[1].tail);
	run_pending();
	EXPECT_EQ(5, reports);
}

TEST_FV(io, errors)
{
	static const struct {
		blk_status_t from;
		u16 read;
		u16 write;
	} table[] = {
		{ BLK_STS_NOTSUPP, DNR(NVME_SC_INVALID_FIELD),
		  DNR(NVME_SC_INVALID_FIELD) },
		{ BLK_STS_TIMEOUT, ERR(NVME_SC_INTERRUPTED),
		  ERR(NVME_SC_INTERRUPTED) },
		{ BLK_STS_NOSPC, ERR(NVME_SC_READ_ERROR),
		  DNR(NVME_SC_CAPACITY) },
		{ BLK_STS_TRANSPORT, ERR(NVME_SC_TRANSIENT_TRANSPORT),
		  ERR(NVME_SC_TRANSIENT_TRANSPORT) },
		{ BLK_STS_MEDIUM, DNR(NVME_SC_READ_ERROR),
		  DNR(NVME_SC_WRITE_FAULT) },
		{ BLK_STS_RESOURCE, ERR(NVME_SC_INTERRUPTED),
		  ERR(NVME_SC_INTERRUPTED) },
		{ BLK_STS_IOERR, ERR(NVME_SC_READ_ERROR),
		  ERR(NVME_SC_WRITE_FAULT) },
		{ BLK_STS_OFFLINE, DNR(NVME_SC_NS_NOT_READY),
		  DNR(NVME_SC_NS_NOT_READY) },
	};
	struct nvme_host *h = &self->h;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		fake_disk_fail(self->disk, 1, table[i].from, false);
		EXPECT_EQ(table[i].read,
			  host_exec(h, 1, sqe_rw(false, 0, 1, self->data, 0)));
		fake_disk_fail(self->disk, 1, table[i].from, false);
		EXPECT_EQ(table[i].write,
			  host_exec(h, 1, sqe_rw(true, 0, 1, self->data, 0)));
	}
}

TEST_FV(io, capacity_changes)
{
	struct nvme_host *h = &self->h;
	u64 page = host_page(h, 1), nsze;

	fake_disk_info(self->disk)->nr_blocks = 100;
	ioemu_nvme_model.disk_changed(h->ctrl, 0);
	EXPECT_EQ(DNR(NVME_SC_LBA_RANGE),
		  host_exec(h, 1, sqe_rw(false, 100, 1, self->data, 0)));
	EXPECT_EQ(0, host_exec(h, 1, sqe_rw(false, 99, 1, self->data, 0)));
	EXPECT_EQ(0, host_identify(h, NVME_CNS_NS, 1, page));
	fake_vm_read(h->vm, page, &nsze, 8);
	EXPECT_EQ(100, le64_to_cpu(nsze));
}

TEST(read_only_namespace)
{
	static const u8 opcodes[] = { NVME_CMD_WRITE, NVME_CMD_WRITE_ZEROES };
	struct nvme_host host, *h = &host;
	struct nvme_id_ns id;
	unsigned int i;
	u64 page;

	memset(h, 0, sizeof(*h));
	h->next_page = 16;
	h->vm = fake_vm_new(HOST_FRAMES);
	h->disks[0] = fake_disk_new(64, 9);
	fake_disk_info(h->disks[0])->read_only = true;
	host_create(h);
	host_ready(h, 8);
	page = host_page(h, 1);
	for (i = 0; i < ARRAY_SIZE(opcodes); i++) {
		struct nvme_sqe sqe = sqe_rw(true, 0, 1, page, 0);

		sqe.opcode = opcodes[i];
		EXPECT_EQ(DNR(NVME_SC_WRITE_PROTECTED), host_exec(h, 1, sqe));
	}
	EXPECT_EQ(DNR(NVME_SC_WRITE_PROTECTED),
		  host_exec(h, 1, (struct nvme_sqe) {
			.opcode = NVME_CMD_DSM, .nsid = cpu_to_le32(1),
			.prp1 = cpu_to_le64(page),
			.cdw11 = cpu_to_le32(NVME_DSM_AD) }));
	EXPECT_EQ(0, host_exec(h, 1, sqe_rw(false, 0, 1, page, 0)));
	EXPECT_EQ(0, fake_disk_count(h->disks[0], FAKE_DISK_WRITE));
	EXPECT_EQ(0, host_identify(h, NVME_CNS_NS, 1, page));
	fake_vm_read(h->vm, page, &id, sizeof(id));
	EXPECT_EQ(1, id.nsattr);
	host_exit(h);
}

TEST(many_namespaces)
{
	struct nvme_host host, *h = &host;
	struct nvme_sqe sqe;
	unsigned int i;
	u64 page;

	memset(h, 0, sizeof(*h));
	h->next_page = 16;
	h->vm = fake_vm_new(HOST_FRAMES);
	h->disks[0] = fake_disk_new(64, 9);
	h->disks[2] = fake_disk_new(64, 12);
	h->disks[15] = fake_disk_new(64, 10);
	host_create(h);
	host_ready(h, 8);
	page = host_page(h, 2);
	for (i = 1; i <= 17; i++) {
		u16 want = i == 1 || i == 3 || i == 16 ? 0 :
			   i <= 16 ? DNR(NVME_SC_INVALID_FIELD) :
			   DNR(NVME_SC_INVALID_NS);

		sqe = sqe_rw(false, 0, 1, page, 0);
		sqe.nsid = cpu_to_le32(i);
		EXPECT_EQ(want, host_exec(h, 1, sqe));
	}
	/* Flush of all, with disks that take their time */
	for (i = 0; i < 16; i++)
		if (h->disks[i])
			fake_disk_hold(h->disks[i], true);
	host_submit(h, 1, (struct nvme_sqe) {
		    .opcode = NVME_CMD_FLUSH, .nsid = 0xffffffff });
	run_pending();
	EXPECT_EQ(1, fake_disk_nr_held(h->disks[0]));
	EXPECT_EQ(0, fake_disk_nr_held(h->disks[2]));
	fake_disk_release(h->disks[0], 0);
	run_pending();
	EXPECT_EQ(1, fake_disk_nr_held(h->disks[2]));
	fake_disk_release(h->disks[2], 0);
	run_pending();
	fake_disk_release(h->disks[15], 0);
	{
		struct nvme_cqe cqe;

		EXPECT_FALSE(host_take(h, 1, &cqe));
		run_pending();
		EXPECT_TRUE(host_reap(h, 1, &cqe));
		EXPECT_EQ(0, cqe_status(&cqe));
	}
	host_exit(h);
}
