// SPDX-License-Identifier: GPL-2.0
#include "nvme_io.h"

struct nvme_sq io_sq;
struct nvme_cq io_cq;

void io_setup(void)
{
	nvme_start();
	SKIP_IF(!nvme.nsid, "no active namespace");
	SKIP_IF(nvme.lbas * nvme.lba_size < 8u << 20, "namespace below 8 MiB");
	nvme_create_pair(&io_sq, &io_cq, 1, IO_DEPTH, false);
}

struct nvme_cmd io_cmd(u8 opcode, u64 slba, u32 blocks)
{
	struct nvme_cmd c = {
		.opcode = opcode,
		.nsid = nvme.nsid,
		.cdw10 = (u32)slba,
		.cdw11 = slba >> 32,
		.cdw12 = blocks - 1,
	};

	return c;
}

u16 io_exec(struct nvme_cmd *c)
{
	return nvme_exec(&io_sq, c, NULL);
}

u16 io_rw(u8 opcode, u64 slba, struct dbuf *b, u32 list_off)
{
	struct nvme_cmd c = io_cmd(opcode, slba, b->len / nvme.lba_size);

	dbuf_prp(b, &c, list_off);
	return io_exec(&c);
}

void io_write_pattern(u64 slba, u32 bytes, u32 seed)
{
	u32 mark = mem_mark();
	struct dbuf b;

	dbuf_alloc(&b, DBUF_CONTIGUOUS, 0, bytes);
	dbuf_fill(&b, seed);
	ASSERT_STATUS(io_rw(IO_WRITE, slba, &b, 0), SC_SUCCESS);
	mem_release(mark);
}

void io_expect_pattern(u64 slba, u32 bytes, u32 seed)
{
	u32 mark = mem_mark();
	struct dbuf b;

	dbuf_alloc(&b, DBUF_CONTIGUOUS, 0, bytes);
	dbuf_poison(&b);
	ASSERT_STATUS(io_rw(IO_READ, slba, &b, 0), SC_SUCCESS);
	dbuf_check(&b, seed);
	mem_release(mark);
}

void io_expect_bytes(u64 slba, u32 bytes, u8 value)
{
	u32 mark = mem_mark();
	struct dbuf b;
	int bad;

	dbuf_alloc(&b, DBUF_CONTIGUOUS, 0, bytes);
	dbuf_poison(&b);
	ASSERT_STATUS(io_rw(IO_READ, slba, &b, 0), SC_SUCCESS);
	bad = bytes_check(b.page[0], bytes, value);
	if (bad >= 0)
		test_fail("byte %d from LBA %llu on is %02x, expected %02x", bad, slba,
			  b.page[0][bad], value);
	mem_release(mark);
}

void io_expect_alive(void)
{
	EXPECT_EQ(nvme_r32(NVME_CSTS) & (CSTS_RDY | CSTS_CFS), CSTS_RDY);
	io_write_pattern(0, PAGE_SIZE, 0xa11fe);
	io_expect_pattern(0, PAGE_SIZE, 0xa11fe);
}

u32 rnd(void)
{
	static u32 x;

	if (!x)
		x = (u32)arg_u64("seed", 2463534242u);
	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return x;
}
