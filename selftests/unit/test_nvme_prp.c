// SPDX-License-Identifier: GPL-2.0
/* Where the data of NVMe commands is: PRPs and SGLs, legal and not. */
#include "nvme_host.h"

#define BLOCKS		4096u
#define MAX_BYTES	(512u << 10)
#define PAGE		4096u

FIXTURE(prp) {
	struct nvme_host h;
	u64 data;	/* 130 pages */
	u64 list;	/* 4 pages */
	u8 want[MAX_BYTES];
	u8 got[MAX_BYTES];
};

FIXTURE_SETUP(prp)
{
	host_init(&self->h, BLOCKS, 9);
	host_ready(&self->h, 64);
	self->data = host_page(&self->h, 130);
	self->list = host_page(&self->h, 4);
	host_pattern(fake_disk_data(self->h.disks[0]), BLOCKS << 9, 7);
}

FIXTURE_TEARDOWN(prp)
{
	EXPECT_EQ(0, r32(&self->h, NVME_REG_CSTS) & NVME_CSTS_CFS);
	host_exit(&self->h);
}

static void put64(struct nvme_host *h, u64 addr, u64 value)
{
	value = cpu_to_le64(value);
	fake_vm_write(h->vm, addr, &value, 8);
}

/* The @i-th page of data; in reverse order, so that contiguity does not help. */
static u64 data_page(struct fixture_prp *self, unsigned int i)
{
	return self->data + (129 - i) * (u64)PAGE;
}

/* Guest memory of a transfer with this offset into its first page */
static void gather(struct fixture_prp *self, u32 offset, u32 bytes, u8 *to)
{
	unsigned int i;
	u32 n;

	for (i = 0; bytes; i++, bytes -= n, to += n) {
		n = min(bytes, PAGE - offset);
		fake_vm_read(self->h.vm, data_page(self, i) + offset, to, n);
		offset = 0;
	}
}

/*
 * Read @nlb blocks with a list that starts at @at (if one is needed), and write
 * them back somewhere else. Everything around stays as it was.
 */
static void transfer(struct fixture_prp *self, u32 offset, u32 nlb, u64 at)
{
	struct nvme_host *h = &self->h;
	u32 bytes = nlb << 9, i;
	u32 nr = DIV_ROUND_UP(offset + bytes, PAGE);
	u8 *disk = fake_disk_data(h->disks[0]);
	u64 prp2 = 0, link = self->list + 2 * PAGE;

	if (nr == 2) {
		prp2 = data_page(self, 1);
	} else if (nr > 2) {
		prp2 = at;
		for (i = 1; i < nr; i++) {
			if ((at & 0xfff) == 0xff8 && i + 1 < nr) {
				put64(h, at, link);
				at = link;
			}
			put64(h, at, data_page(self, i));
			at += 8;
		}
	}
	fake_vm_set(h->vm, self->data, 0xee, 130 * PAGE);
	fake_vm_clear_dirty(h->vm);
	ASSERT_EQ(0, host_exec(h, 1, sqe_rw(false, 3, nlb,
					    data_page(self, 0) + offset,
					    prp2)));
	gather(self, offset, bytes, self->got);
	EXPECT_MEMEQ(disk + 3 * 512, self->got, bytes);
	for (i = 0; i < 130; i++)
		EXPECT_EQ(i < nr, fake_vm_dirty(h->vm,
						data_page(self, i) >> 12));
	if (offset) {
		fake_vm_read(h->vm, data_page(self, 0), self->got, offset);
		for (i = 0; i < offset; i++)
			EXPECT_EQ(0xee, self->got[i]);
	}

	memcpy(self->want, disk + 3 * 512, bytes);
	fake_vm_clear_dirty(h->vm);
	ASSERT_EQ(0, host_exec(h, 1, sqe_rw(true, 2048, nlb,
					    data_page(self, 0) + offset,
					    prp2)));
	EXPECT_MEMEQ(self->want, disk + 2048 * 512, bytes);
	for (i = 0; i < nr; i++)
		EXPECT_FALSE(fake_vm_dirty(h->vm, data_page(self, i) >> 12));
	memset(disk + 2048 * 512, 0, bytes);
}

TEST_F(prp, one_entry)
{
	transfer(self, 0, 1, 0);
	transfer(self, 0, 8, 0);
	transfer(self, 512, 7, 0);
	transfer(self, 4, 1, 0);
	transfer(self, 3584, 1, 0);
}

TEST_F(prp, two_entries)
{
	transfer(self, 0, 9, 0);
	transfer(self, 0, 16, 0);
	transfer(self, 4, 8, 0);
	transfer(self, 3588, 1, 0);
	transfer(self, 4092, 8, 0);
}

TEST_F(prp, lists)
{
	u32 offset, nlb;

	for (nlb = 17; nlb <= 1024; nlb += 7)
		transfer(self, 0, nlb, self->list);
	transfer(self, 0, 1024, self->list);
	for (offset = 4; offset < PAGE; offset += 404) {
		transfer(self, offset, 17, self->list);
		transfer(self, offset, 64, self->list);
		transfer(self, offset, 1024, self->list);
	}
	transfer(self, 4092, 1024, self->list);
}

/* 8 and 9 pieces are inside of the request, 10 are not. */
TEST_F(prp, around_the_inline_size)
{
	transfer(self, 0, 64, self->list);
	transfer(self, 0, 65, self->list);
	transfer(self, 4, 64, self->list);
	transfer(self, 0, 72, self->list);
	transfer(self, 0, 73, self->list);
	transfer(self, 4, 72, self->list);
}

TEST_F(prp, list_in_the_middle_of_a_page)
{
	u32 room;

	/* It ends at the end of the page, or is chained right before. */
	for (room = 1; room <= 20; room++) {
		transfer(self, 0, 17, self->list + PAGE - room * 8);
		transfer(self, 0, 128, self->list + PAGE - room * 8);
		transfer(self, 4, 1024, self->list + PAGE - room * 8);
	}
	transfer(self, 4, 1024, self->list + 8);
	/* 128 entries fit exactly. */
	transfer(self, 4, 1024, self->list + PAGE - 128 * 8);
	transfer(self, 4, 1024, self->list + PAGE - 127 * 8);
	transfer(self, 4, 1024, self->list + PAGE - 129 * 8);
}

static u16 try_prp(struct fixture_prp *self, u32 nlb, u64 prp1, u64 prp2)
{
	u16 status = host_exec(&self->h, 1, sqe_rw(false, 0, nlb, prp1, prp2));

	/* Two queue pairs hold the map, and nothing else. */
	EXPECT_EQ(4, fake_vm_map_refs(self->h.vm));
	return status;
}

TEST_F(prp, offsets)
{
	u64 d = self->data, l = self->list;

	EXPECT_EQ(DNR(NVME_SC_PRP_OFFSET), try_prp(self, 1, d + 1, 0));
	EXPECT_EQ(DNR(NVME_SC_PRP_OFFSET), try_prp(self, 1, d + 2, 0));
	EXPECT_EQ(DNR(NVME_SC_PRP_OFFSET), try_prp(self, 16, d, d + 4));
	EXPECT_EQ(DNR(NVME_SC_PRP_OFFSET), try_prp(self, 16, d, d + 512));
	EXPECT_EQ(DNR(NVME_SC_PRP_OFFSET), try_prp(self, 17, d, l + 4));
	EXPECT_EQ(DNR(NVME_SC_PRP_OFFSET), try_prp(self, 17, d, l + 1));
	put64(&self->h, l, d);
	put64(&self->h, l + 8, d + 8);
	EXPECT_EQ(DNR(NVME_SC_PRP_OFFSET), try_prp(self, 24, d, l));
	/* An offset in the pointer to the next list page */
	put64(&self->h, l + PAGE - 8, l + 8);
	EXPECT_EQ(DNR(NVME_SC_PRP_OFFSET), try_prp(self, 24, d, l + PAGE - 8));
	/* PRP2 means nothing if one entry is enough. */
	EXPECT_EQ(0, try_prp(self, 8, d, 0xfffffffffffffff1));
}

TEST_F(prp, no_memory_there)
{
	u64 d = self->data, l = self->list, hole = (u64)HOST_FRAMES << 12;
	u16 bad = DNR(NVME_SC_DATA_TRANSFER);
	unsigned int i;

	EXPECT_EQ(bad, try_prp(self, 1, hole, 0));
	EXPECT_EQ(bad, try_prp(self, 1, 0xfffffffffffff000, 0));
	EXPECT_EQ(bad, try_prp(self, 9, d, hole));
	EXPECT_EQ(bad, try_prp(self, 17, d, hole));
	EXPECT_EQ(bad, try_prp(self, 17, d, 0xfffffffffffffff8));
	for (i = 0; i < 127; i++)
		put64(&self->h, l + i * 8, d);
	EXPECT_EQ(0, try_prp(self, 1024, d, l));
	put64(&self->h, l + 126 * 8, hole);
	EXPECT_EQ(bad, try_prp(self, 1024, d, l));
	put64(&self->h, l + PAGE - 8, hole);
	EXPECT_EQ(bad, try_prp(self, 24, d, l + PAGE - 8));
}

TEST_F(prp, lookup_fails_otherwise)
{
	u64 d = self->data;

	fake_vm_fail_pages(self->h.vm, 1, -ENOMEM);
	EXPECT_EQ(ERR(NVME_SC_INTERNAL), try_prp(self, 1, d, 0));
	fake_vm_fail_pages(self->h.vm, 2, -ESHUTDOWN);
	EXPECT_EQ(ERR(NVME_SC_INTERNAL), try_prp(self, 24, d, self->list));
	EXPECT_EQ(0, try_prp(self, 1, d, 0));
}

/* A list page that is its own successor ends with the data. */
TEST_F(prp, list_that_points_to_itself)
{
	u64 d = self->data, l = self->list;
	unsigned int i;

	for (i = 0; i < 512; i++)
		put64(&self->h, l + i * 8, l);
	EXPECT_EQ(0, try_prp(self, 1024, d, l + PAGE - 8));
	/* The data went into the list, which is the guest's own matter. */
	for (i = 0; i < 512; i++)
		put64(&self->h, l + i * 8, l);
	EXPECT_EQ(0, try_prp(self, 1024, d, l));
}

/* ---- SGLs -------------------------------------------------------------- */

static struct nvme_sgl desc(u8 type, u64 addr, u32 length)
{
	return (struct nvme_sgl) {
		.addr = cpu_to_le64(addr), .length = cpu_to_le32(length),
		.type = type };
}

#define DATA	0x00
#define BUCKET	0x10
#define SEG	0x20
#define LAST	0x30
#define KEYED	0x40

static void put_desc(struct nvme_host *h, u64 addr, struct nvme_sgl d)
{
	fake_vm_write(h->vm, addr, &d, sizeof(d));
}

static u16 try_sgl(struct fixture_prp *self, u32 nlb, struct nvme_sgl sgl)
{
	struct nvme_sqe sqe = sqe_rw(false, 3, nlb, 0, 0);

	sqe.flags = NVME_CMD_PSDT_SGL;
	sqe.sgl = sgl;
	return host_exec(&self->h, 1, sqe);
}

TEST_F(prp, sgl_one_block)
{
	struct nvme_host *h = &self->h;
	u8 *disk = fake_disk_data(h->disks[0]);
	unsigned int i;

	EXPECT_EQ(0, try_sgl(self, 8, desc(DATA, self->data + 100, 4096)));
	fake_vm_read(h->vm, self->data + 100, self->got, 4096);
	EXPECT_MEMEQ(disk + 3 * 512, self->got, 4096);
	EXPECT_EQ(0, try_sgl(self, 1024, desc(DATA, self->data + 4, MAX_BYTES)));
	fake_vm_read(h->vm, self->data + 4, self->got, MAX_BYTES);
	EXPECT_MEMEQ(disk + 3 * 512, self->got, MAX_BYTES);
	for (i = 0; i < 129; i++)
		EXPECT_TRUE(fake_vm_dirty(h->vm, (self->data >> 12) + i));
	EXPECT_FALSE(fake_vm_dirty(h->vm, (self->data >> 12) + 129));
	/* More than is needed is fine, SGLS says so. */
	EXPECT_EQ(0, try_sgl(self, 8, desc(DATA, self->data, 0xfffffffc)));
	EXPECT_EQ(DNR(NVME_SC_SGL_DATA_LENGTH),
		  try_sgl(self, 8, desc(DATA, self->data, 4092)));
	EXPECT_EQ(DNR(NVME_SC_SGL_DATA_LENGTH),
		  try_sgl(self, 8, desc(DATA, self->data, 0)));
	EXPECT_EQ(DNR(NVME_SC_SGL_GRANULARITY),
		  try_sgl(self, 8, desc(DATA, self->data + 2, 4096)));
	EXPECT_EQ(DNR(NVME_SC_SGL_GRANULARITY),
		  try_sgl(self, 8, desc(DATA, self->data, 4098)));
	EXPECT_EQ(DNR(NVME_SC_DATA_TRANSFER),
		  try_sgl(self, 8, desc(DATA, 0xfffffffffffffffc, 4096)));
}

TEST_F(prp, sgl_types)
{
	unsigned int type;

	for (type = 0; type < 256; type++) {
		if (type == DATA || type == SEG || type == LAST)
			continue;
		EXPECT_EQ(DNR(NVME_SC_SGL_TYPE),
			  try_sgl(self, 8, desc(type, self->data, 4096)));
		put_desc(&self->h, self->list, desc(type, self->data, 4096));
		EXPECT_EQ(DNR(NVME_SC_SGL_TYPE),
			  try_sgl(self, 8, desc(LAST, self->list, 16)));
	}
}

TEST_F(prp, sgl_segments)
{
	struct nvme_host *h = &self->h;
	u8 *disk = fake_disk_data(h->disks[0]), *to = self->got;
	u64 l = self->list;
	unsigned int i;

	/* 4 bytes, a segment across a page's end, blocks across page ends */
	put_desc(h, l, desc(DATA, self->data, 4));
	put_desc(h, l + 16, desc(DATA, self->data + 8, 0));
	put_desc(h, l + 32, desc(SEG, l + PAGE - 24, 64));
	put_desc(h, l + PAGE - 24, desc(DATA, self->data + 4092, 8));
	put_desc(h, l + PAGE - 8, desc(DATA, self->data + 8192, 4084));
	put_desc(h, l + PAGE + 8, desc(DATA, self->data + 20000, 512));
	put_desc(h, l + PAGE + 24, desc(LAST, l + 256, 160));
	for (i = 0; i < 10; i++)
		put_desc(h, l + 256 + i * 16,
			 desc(DATA, self->data + 30000 + i * 600, 512));
	EXPECT_EQ(0, try_sgl(self, 8 + 1 + 10, desc(SEG, l, 48)));
	fake_vm_read(h->vm, self->data, to, 4);
	fake_vm_read(h->vm, self->data + 4092, to + 4, 8);
	fake_vm_read(h->vm, self->data + 8192, to + 12, 4084);
	fake_vm_read(h->vm, self->data + 20000, to + 4096, 512);
	for (i = 0; i < 10; i++)
		fake_vm_read(h->vm, self->data + 30000 + i * 600,
			     to + 4608 + i * 512, 512);
	EXPECT_MEMEQ(disk + 3 * 512, to, 19 * 512);
	/* What lies behind the data is not looked at. */
	put_desc(h, l + 256 + 9 * 16, desc(0xff, 1, 1));
	EXPECT_EQ(0, try_sgl(self, 8 + 1 + 9, desc(SEG, l, 48)));
}

TEST_F(prp, sgl_bad_segments)
{
	struct nvme_host *h = &self->h;
	u64 l = self->list;

	put_desc(h, l, desc(DATA, self->data, 4096));
	put_desc(h, l + 16, desc(DATA, self->data, 4096));
	EXPECT_EQ(DNR(NVME_SC_SGL_SEGMENT), try_sgl(self, 8, desc(SEG, l, 0)));
	EXPECT_EQ(DNR(NVME_SC_SGL_SEGMENT), try_sgl(self, 8, desc(LAST, l, 8)));
	EXPECT_EQ(DNR(NVME_SC_SGL_SEGMENT), try_sgl(self, 8, desc(LAST, l, 24)));
	EXPECT_EQ(DNR(NVME_SC_SGL_SEGMENT),
		  try_sgl(self, 8, desc(LAST, l + 4, 32)));
	/* Too short, and then: not the last segment, but no next one */
	EXPECT_EQ(DNR(NVME_SC_SGL_DATA_LENGTH),
		  try_sgl(self, 17, desc(LAST, l, 32)));
	EXPECT_EQ(DNR(NVME_SC_SGL_SEGMENT), try_sgl(self, 17, desc(SEG, l, 32)));
	/* A segment descriptor in the middle, or in a last segment */
	put_desc(h, l + 16, desc(SEG, l, 32));
	put_desc(h, l + 32, desc(DATA, self->data, 4096));
	EXPECT_EQ(DNR(NVME_SC_SGL_COUNT), try_sgl(self, 17, desc(SEG, l, 48)));
	EXPECT_EQ(DNR(NVME_SC_SGL_SEGMENT), try_sgl(self, 17, desc(LAST, l, 32)));
	EXPECT_EQ(DNR(NVME_SC_DATA_TRANSFER),
		  try_sgl(self, 8, desc(LAST, (u64)HOST_FRAMES << 12, 16)));
	/* Metadata pointers of both kinds, and the reserved one */
	put_desc(h, l, desc(DATA, self->data, 4096));
}

TEST_F(prp, sgl_without_end)
{
	struct nvme_host *h = &self->h;
	u64 l = self->list;
	unsigned int i;

	/* A segment that leads to itself and has no data */
	put_desc(h, l, desc(DATA, self->data, 0));
	put_desc(h, l + 16, desc(SEG, l, 32));
	EXPECT_EQ(DNR(NVME_SC_SGL_COUNT), try_sgl(self, 8, desc(SEG, l, 32)));
	put_desc(h, l, desc(SEG, l, 16));
	EXPECT_EQ(DNR(NVME_SC_SGL_COUNT), try_sgl(self, 8, desc(SEG, l, 16)));
	/* A huge one of empty descriptors */
	fake_vm_set(h->vm, l, 0, 4 * PAGE);
	EXPECT_EQ(DNR(NVME_SC_SGL_COUNT),
		  try_sgl(self, 8, desc(LAST, l, 0xfffffff0)));
	/* More pieces than fit: 512 do. */
	for (i = 0; i < 1024; i++)
		put_desc(h, l + i * 16, desc(DATA, self->data + i * 8, 4));
	EXPECT_EQ(0, try_sgl(self, 4, desc(LAST, l, 1024 * 16)));
	EXPECT_EQ(DNR(NVME_SC_SGL_COUNT),
		  try_sgl(self, 5, desc(LAST, l, 1024 * 16)));
}

TEST_F(prp, psdt)
{
	struct nvme_host *h = &self->h;
	struct nvme_sqe sqe = sqe_rw(false, 0, 8, 0, 0);

	sqe.sgl = desc(DATA, self->data, 4096);
	sqe.flags = NVME_CMD_PSDT_SGL_META;
	EXPECT_EQ(0, host_exec(h, 1, sqe));
	sqe.flags = 0xc0;
	EXPECT_EQ(DNR(NVME_SC_INVALID_FIELD), host_exec(h, 1, sqe));
	/* No SGLs for admin commands */
	sqe = (struct nvme_sqe) { .opcode = NVME_ADMIN_IDENTIFY,
		.flags = NVME_CMD_PSDT_SGL, .cdw10 = cpu_to_le32(1) };
	sqe.sgl = desc(DATA, self->data, 4096);
	EXPECT_EQ(DNR(NVME_SC_INVALID_FIELD), host_admin(h, sqe, NULL));
}

/* Admin data in two pages, one of which is not there */
TEST_F(prp, admin_data)
{
	struct nvme_host *h = &self->h;
	struct nvme_sqe sqe = {
		.opcode = NVME_ADMIN_IDENTIFY, .cdw10 = cpu_to_le32(1),
		.prp1 = cpu_to_le64(self->data + 512),
		.prp2 = cpu_to_le64(self->data + 8192),
	};
	struct nvme_id_ctrl one, two;

	EXPECT_EQ(0, host_admin(h, sqe, NULL));
	EXPECT_EQ(0, host_identify(h, 1, 0, self->list));
	fake_vm_read(h->vm, self->list, &one, sizeof(one));
	fake_vm_read(h->vm, self->data + 512, &two, 3584);
	fake_vm_read(h->vm, self->data + 8192, (u8 *)&two + 3584, 512);
	EXPECT_MEMEQ(&one, &two, sizeof(one));
	EXPECT_TRUE(fake_vm_dirty(h->vm, self->data >> 12));
	EXPECT_TRUE(fake_vm_dirty(h->vm, (self->data >> 12) + 2));
	sqe.prp2 = cpu_to_le64((u64)HOST_FRAMES << 12);
	EXPECT_EQ(DNR(NVME_SC_DATA_TRANSFER), host_admin(h, sqe, NULL));
	sqe.prp2 = cpu_to_le64(self->data + 8);
	EXPECT_EQ(DNR(NVME_SC_PRP_OFFSET), host_admin(h, sqe, NULL));
}
