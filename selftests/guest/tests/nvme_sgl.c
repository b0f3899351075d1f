// SPDX-License-Identifier: GPL-2.0
/* NVM commands with SGLs: NVMe 1.4 section 4.4. */
#include "nvme_io.h"

static u32 sgls(void)
{
	u32 v;

	memcpy(&v, nvme.idctrl + 536, 4);
	return v;
}

static void setup(void)
{
	io_setup();
}

SUITE(nvme_sgl, .setup = setup, .teardown = nvme_stop);

static void need_sgl(void)
{
	SKIP_IF(!(sgls() & 3), "no SGLs");
}

static u16 sgl_rw(u8 op, u64 slba, struct dbuf *b, u32 per_segment)
{
	struct nvme_cmd c = io_cmd(op, slba, b->len / nvme.lba_size);

	dbuf_sgl(b, &c, per_segment);
	return io_exec(&c);
}

/* With no support said, a command with SGLs is an invalid one. */
TEST(nvme_sgl, refused_without_support)
{
	struct nvme_cmd c = io_cmd(IO_READ, 0, 1);

	SKIP_IF(sgls() & 3, "SGLs are supported");
	c.flags = CMD_PSDT_SGL;
	c.sgl.addr = phys(page_alloc(1));
	c.sgl.len = nvme.lba_size;
	EXPECT_STATUS(io_exec(&c), SC_INVALID_FIELD);
	c.flags = 2 * CMD_PSDT_SGL;
	EXPECT_STATUS(io_exec(&c), SC_INVALID_FIELD);
	io_expect_alive();
}

static void shape(enum dbuf_shape s, u32 off, u32 len, u32 per_segment)
{
	u32 mark = mem_mark(), seed = rnd();
	struct dbuf b;

	if (len > nvme.max_transfer)
		return;
	dbuf_alloc(&b, s, off, len);
	dbuf_fill(&b, seed);
	EXPECT_STATUS(sgl_rw(IO_WRITE, 8, &b, per_segment), SC_SUCCESS);
	io_expect_pattern(8, len, seed);
	seed = rnd();
	io_write_pattern(8, len, seed);
	dbuf_poison(&b);
	EXPECT_STATUS(sgl_rw(IO_READ, 8, &b, per_segment), SC_SUCCESS);
	dbuf_check(&b, seed);
	if (test_failed())
		test_note("shape %u, offset %x, length %x, %u descriptors a segment",
			  s, off, len, per_segment);
	mem_release(mark);
}

TEST(nvme_sgl, data_block)
{
	need_sgl();
	shape(DBUF_CONTIGUOUS, 0, 4096, 1);
	shape(DBUF_CONTIGUOUS, 0x204, 4096, 1);
	shape(DBUF_CONTIGUOUS, 0xffc, 65536, 1);
	shape(DBUF_CONTIGUOUS, 0, nvme.max_transfer, 1);
}

TEST(nvme_sgl, segments)
{
	need_sgl();
	shape(DBUF_SCATTERED, 0, 8192, 16);
	shape(DBUF_SCATTERED, 0x804, 65536, 256);
	shape(DBUF_SCATTERED, 0, 65536, 16);
	shape(DBUF_SCATTERED, 0x404, 65536, 5);
	shape(DBUF_SCATTERED, 0, 65536, 2);
	shape(DBUF_SCATTERED, 0x700, nvme.max_transfer, 256);
	shape(DBUF_SCATTERED, 0, nvme.max_transfer, 32);
}

TEST(nvme_sgl, bit_bucket)
{
	struct sgl_desc *seg = page_alloc(1);
	struct nvme_cmd c = io_cmd(IO_READ, 8, 8192 / nvme.lba_size);
	u8 *p = page_alloc(2);

	need_sgl();
	SKIP_IF(!(sgls() & BIT(16)), "no bit buckets");
	io_write_pattern(8, 8192, 12);
	seg[0].len = 4096;
	seg[0].type = SGL_BIT_BUCKET;
	seg[1].addr = phys(p);
	seg[1].len = 4096;
	c.flags = CMD_PSDT_SGL;
	c.sgl.addr = phys(seg);
	c.sgl.len = 32;
	c.sgl.type = SGL_LAST;
	EXPECT_STATUS(io_exec(&c), SC_SUCCESS);
	EXPECT_EQ(pattern_check(p, 4096, 12, 4096), -1);
}

/* A read of 8 KiB with this first descriptor */
static u16 with(u64 addr, u32 len, u8 type)
{
	struct nvme_cmd c = io_cmd(IO_READ, 0, 8192 / nvme.lba_size);

	c.flags = CMD_PSDT_SGL;
	c.sgl.addr = addr;
	c.sgl.len = len;
	c.sgl.type = type;
	return io_exec(&c);
}

TEST(nvme_sgl, length)
{
	u8 *p = page_alloc(4);

	need_sgl();
	EXPECT_STATUS(with(phys(p), 4096, SGL_DATA), SC_SGL_DATA_LENGTH);
	EXPECT_STATUS(with(phys(p), 8188, SGL_DATA), SC_SGL_DATA_LENGTH);
	EXPECT_STATUS(with(phys(p), 0, SGL_DATA), SC_SGL_DATA_LENGTH);
	EXPECT_STATUS(with(phys(p), 8192, SGL_DATA), SC_SUCCESS);
	/* Longer than the command's data: SGLS bit 18 allows it */
	if (sgls() & BIT(18))
		EXPECT_STATUS(with(phys(p), 12288, SGL_DATA), SC_SUCCESS);
	else
		EXPECT_STATUS(with(phys(p), 12288, SGL_DATA), SC_SGL_DATA_LENGTH);
}

TEST(nvme_sgl, descriptor_type)
{
	u8 *p = page_alloc(2);

	need_sgl();
	EXPECT_STATUS(with(phys(p), 8192, 0x50), SC_SGL_TYPE);
	EXPECT_STATUS(with(phys(p), 8192, 0x60), SC_SGL_TYPE);
	EXPECT_STATUS(with(phys(p), 8192, 0xe0), SC_SGL_TYPE);
	/* A subtype that only fabrics have */
	EXPECT_STATUS(with(phys(p), 8192, SGL_DATA | 0x0a), SC_SGL_TYPE);
}

TEST(nvme_sgl, segment_length)
{
	struct sgl_desc *seg = page_alloc(1);
	u8 *p = page_alloc(2);

	need_sgl();
	seg[0].addr = phys(p);
	seg[0].len = 8192;
	EXPECT_STATUS(with(phys(seg), 16, SGL_LAST), SC_SUCCESS);
	EXPECT_STATUS(with(phys(seg), 0, SGL_LAST), SC_SGL_INVALID_SEGMENT,
		      SC_SGL_INVALID_COUNT);
	EXPECT_STATUS(with(phys(seg), 15, SGL_LAST), SC_SGL_INVALID_SEGMENT,
		      SC_SGL_INVALID_COUNT);
	EXPECT_STATUS(with(phys(seg), 24, SGL_LAST), SC_SGL_INVALID_SEGMENT,
		      SC_SGL_INVALID_COUNT);
	EXPECT_STATUS(with(phys(seg), 0, SGL_SEGMENT), SC_SGL_INVALID_SEGMENT,
		      SC_SGL_INVALID_COUNT);
}

TEST(nvme_sgl, segment_order)
{
	struct sgl_desc *seg = page_alloc(1), *next = page_alloc(1);
	u8 *p = page_alloc(4);

	need_sgl();
	/* A last segment which leads on */
	next[0].addr = phys(p);
	next[0].len = 4096;
	seg[0].addr = phys(p) + 4096;
	seg[0].len = 4096;
	seg[1].addr = phys(next);
	seg[1].len = 16;
	seg[1].type = SGL_LAST;
	EXPECT_STATUS(with(phys(seg), 32, SGL_LAST), SC_SGL_INVALID_SEGMENT,
		      SC_SGL_TYPE);
	/* The same as a segment is right. */
	EXPECT_STATUS(with(phys(seg), 32, SGL_SEGMENT), SC_SUCCESS);
	/* A segment descriptor before the end of a segment */
	seg[2] = seg[0];
	EXPECT_STATUS(with(phys(seg), 48, SGL_SEGMENT), SC_SGL_INVALID_COUNT);
}

TEST(nvme_sgl, nowhere)
{
	u64 none = 0x00000fff00000000ull;

	need_sgl();
	EXPECT_STATUS(with(none, 8192, SGL_DATA), SC_DATA_TRANSFER, SC_INVALID_FIELD,
		      SC_INTERNAL);
	EXPECT_STATUS(with(none, 32, SGL_LAST), SC_DATA_TRANSFER, SC_INVALID_FIELD,
		      SC_INTERNAL, SC_SGL_INVALID_SEGMENT, SC_SGL_TYPE,
		      SC_SGL_DATA_LENGTH);
	EXPECT_STATUS(with(~0ull - 4095, 8192, SGL_DATA), SC_DATA_TRANSFER,
		      SC_INVALID_FIELD, SC_INTERNAL, SC_SGL_DATA_LENGTH);
	io_expect_alive();
}

/* Segments which lead to each other end somewhere. */
TEST(nvme_sgl, loop)
{
	struct sgl_desc *seg = page_alloc(1);

	need_sgl();
	seg[0].addr = phys(seg);
	seg[0].len = 16;
	seg[0].type = SGL_SEGMENT;
	EXPECT_STATUS(with(phys(seg), 16, SGL_SEGMENT), SC_SGL_INVALID_COUNT);
	seg[0].type = SGL_DATA;
	seg[0].len = 0;
	seg[1].addr = phys(seg);
	seg[1].len = 32;
	seg[1].type = SGL_SEGMENT;
	EXPECT_STATUS(with(phys(seg), 32, SGL_SEGMENT), SC_SGL_INVALID_COUNT);
	io_expect_alive();
}
