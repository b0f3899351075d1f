// SPDX-License-Identifier: GPL-2.0
/* NVM commands with PRPs: NVMe 1.4 sections 4.3 and 6. */
#include "nvme_io.h"

SUITE(nvme_io, .setup = io_setup, .teardown = nvme_stop);

/* ---- Every legal shape of PRPs ---- */

/* Written in this shape, read in the plainest; and the other way round. */
static void shape(enum dbuf_shape s, u32 off, u32 len, u32 list_off)
{
	u32 mark = mem_mark(), seed = rnd();
	struct dbuf b;

	len = ALIGN_UP(len, nvme.lba_size);
	if (len > nvme.max_transfer)
		return;
	dbuf_alloc(&b, s, off, len);
	dbuf_fill(&b, seed);
	EXPECT_STATUS(io_rw(IO_WRITE, 8, &b, list_off), SC_SUCCESS);
	/* The device reads only */
	dbuf_check(&b, seed);
	io_expect_pattern(8, len, seed);

	seed = rnd();
	io_write_pattern(8, len, seed);
	dbuf_poison(&b);
	EXPECT_STATUS(io_rw(IO_READ, 8, &b, list_off), SC_SUCCESS);
	dbuf_check(&b, seed);
	if (test_failed())
		test_note("shape %u, offset %x, length %x, list at %x", s, off, len,
			  list_off);
	mem_release(mark);
}

TEST(nvme_io, prp_one_page)
{
	shape(DBUF_CONTIGUOUS, 0, 512, 0);
	shape(DBUF_CONTIGUOUS, 0, 4096, 0);
	shape(DBUF_CONTIGUOUS, 0x200, 0x400, 0);
	shape(DBUF_CONTIGUOUS, 0xe00, 0x200, 0);
	/* No block boundary, but a dword's */
	shape(DBUF_CONTIGUOUS, 0x004, 0x200, 0);
	shape(DBUF_CONTIGUOUS, 0xdfc, 0x200, 0);
}

TEST(nvme_io, prp_two_pages)
{
	shape(DBUF_CONTIGUOUS, 0, 8192, 0);
	shape(DBUF_SCATTERED, 0, 8192, 0);
	shape(DBUF_SCATTERED, 0xe00, 0x400, 0);
	shape(DBUF_SCATTERED, 0x800, 4096, 0);
	/* A block that lies in two pages */
	shape(DBUF_SCATTERED, 0xf00, 0x200, 0);
	shape(DBUF_SCATTERED, 0xffc, 0x200, 0);
	shape(DBUF_SCATTERED, 0x004, 4096, 0);
	shape(DBUF_SCATTERED, 0xffc, 4096, 0);
	/* Up to the very end of the second */
	shape(DBUF_SCATTERED, 0x200, 8192 - 0x200, 0);
}

TEST(nvme_io, prp_list)
{
	shape(DBUF_SCATTERED, 0, 3 * 4096, 0);
	shape(DBUF_SCATTERED, 0x800, 8192, 0);
	shape(DBUF_SCATTERED, 0xffc, 8192, 0);
	shape(DBUF_SCATTERED, 0, 16 * 4096, 0);
	shape(DBUF_CONTIGUOUS, 0, 16 * 4096, 0);
	shape(DBUF_SCATTERED, 0xe00, 16 * 4096, 0);
	shape(DBUF_SCATTERED, 0, 5 * 4096 + 0x200, 0);
}

TEST(nvme_io, prp_list_mid_page)
{
	shape(DBUF_SCATTERED, 0, 3 * 4096, 8);
	shape(DBUF_SCATTERED, 0, 8 * 4096, 0x700);
	shape(DBUF_SCATTERED, 0x600, 8 * 4096, 0x708);
	/* Fills its page to the end: the last entry is data, not a list. */
	shape(DBUF_SCATTERED, 0, 3 * 4096, 0xff0);
	shape(DBUF_SCATTERED, 0, 9 * 4096, 0x1000 - 8 * 8);
}

TEST(nvme_io, prp_list_chained)
{
	/* One entry too many for the page: the last one leads on. */
	shape(DBUF_SCATTERED, 0, 10 * 4096, 0x1000 - 8 * 8);
	shape(DBUF_SCATTERED, 0, 4 * 4096, 0xff0);
	/* Nothing but the way on in the first page */
	shape(DBUF_SCATTERED, 0, 3 * 4096, 0xff8);
	shape(DBUF_SCATTERED, 0x800, 16 * 4096, 0xff8);
}

TEST(nvme_io, prp_largest_transfer)
{
	test_note("0x%x bytes", nvme.max_transfer);
	shape(DBUF_CONTIGUOUS, 0, nvme.max_transfer, 0);
	shape(DBUF_SCATTERED, 0, nvme.max_transfer, 0);
	shape(DBUF_SCATTERED, 0xe00, nvme.max_transfer, 0);
	shape(DBUF_SCATTERED, 0xe00, nvme.max_transfer, 0xf00);
}

TEST(nvme_io, prp_random)
{
	u32 i, n = (u32)arg_u64("loops", 40);

	for (i = 0; i < n && !test_failed(); i++)
		shape(rnd() & 1, rnd() & 0xffc,
		      1 + rnd() % (rnd() & 1 ? 0x4000 : nvme.max_transfer),
		      rnd() & 3 ? 0 : rnd() & 0xff8);
}

/* The same page more than once is legal to write from. */
TEST(nvme_io, prp_same_page_repeated)
{
	struct dbuf b;
	u32 i;

	dbuf_alloc(&b, DBUF_CONTIGUOUS, 0, 4 * PAGE_SIZE);
	pattern_fill(b.page[0], PAGE_SIZE, 99, 0);
	for (i = 1; i < 4; i++)
		b.page[i] = b.page[0];
	ASSERT_STATUS(io_rw(IO_WRITE, 0, &b, 0), SC_SUCCESS);
	for (i = 0; i < 4; i++)
		io_expect_pattern(i * PAGE_SIZE / nvme.lba_size, PAGE_SIZE, 99);
}

/* ---- Malformed PRPs ---- */

TEST(nvme_io, prp2_offset)
{
	struct nvme_cmd c = io_cmd(IO_READ, 0, 8192 / nvme.lba_size);
	u8 *p = page_alloc(4);

	c.prp1 = phys(p);
	c.prp2 = phys(p) + PAGE_SIZE + 0x200;
	EXPECT_STATUS(io_exec(&c), SC_PRP_OFFSET, SC_INVALID_FIELD);
	c.prp2 = phys(p) + PAGE_SIZE + 4;
	EXPECT_STATUS(io_exec(&c), SC_PRP_OFFSET, SC_INVALID_FIELD);
	io_expect_alive();
}

TEST(nvme_io, prp_list_entry_offset)
{
	struct nvme_cmd c = io_cmd(IO_READ, 0, 4 * 4096 / nvme.lba_size);
	u64 *list = page_alloc(1);
	u8 *p = page_alloc(8);
	u32 i, bad;

	for (bad = 0; bad < 3; bad++) {
		for (i = 0; i < 3; i++)
			list[i] = phys(p) + (i + 1) * PAGE_SIZE;
		list[bad] += 0x400;
		c.prp1 = phys(p);
		c.prp2 = phys(list);
		EXPECT_STATUS(io_exec(&c), SC_PRP_OFFSET, SC_INVALID_FIELD);
	}
	io_expect_alive();
}

TEST(nvme_io, prp_list_pointer_unaligned)
{
	struct nvme_cmd c = io_cmd(IO_READ, 0, 4 * 4096 / nvme.lba_size);
	u8 *p = page_alloc(8), *list = page_alloc(1);
	u64 e;
	u32 i;

	for (i = 0; i < 3; i++) {
		e = phys(p) + (i + 1) * PAGE_SIZE;
		memcpy(list + i * 8, &e, 8);
	}
	c.prp1 = phys(p);
	/* Refused, or its low bits are ignored */
	c.prp2 = phys(list) + 4;
	EXPECT_STATUS(io_exec(&c), SC_PRP_OFFSET, SC_INVALID_FIELD, SC_SUCCESS);
	io_expect_alive();
}

#define NOWHERE		0x00000fff00000000ull

/* No memory behind it: an error, and nothing worse. */
static void nowhere(u64 prp1, u64 prp2, u32 bytes)
{
	struct nvme_cmd c;
	u32 op;

	for (op = IO_WRITE; op <= IO_READ; op++) {
		c = io_cmd(op, 0, bytes / nvme.lba_size);
		c.prp1 = prp1;
		c.prp2 = prp2;
		if (!EXPECT_STATUS(io_exec(&c), SC_DATA_TRANSFER, SC_INVALID_FIELD,
				   SC_INTERNAL, SC_PRP_OFFSET))
			test_note("opcode %02x, PRP1 %llx, PRP2 %llx", op, prp1, prp2);
	}
}

TEST(nvme_io, prp_nowhere)
{
	u64 *list = page_alloc(1);
	u8 *p = page_alloc(8);

	nowhere(NOWHERE, 0, 4096);
	nowhere(phys(p), NOWHERE, 8192);
	nowhere(phys(p), NOWHERE, 16384);
	nowhere(phys(p) + 0x800, NOWHERE + PAGE_SIZE, 4096);
	/* Only the last entry of a list */
	list[0] = phys(p) + PAGE_SIZE;
	list[1] = phys(p) + 2 * PAGE_SIZE;
	list[2] = NOWHERE;
	nowhere(phys(p), phys(list), 16384);
	nowhere(~0ull & ~(u64)PAGE_MASK, 0, 4096);
	io_expect_alive();
}

/* Device memory is no place for data; what happens is open, survival is not. */
TEST(nvme_io, prp_device_memory)
{
	static const u32 where[] = { 0xfee00000, 0xfec00000, 0xf8000000, 0xffff0000 };
	struct nvme_cmd c;
	u32 i;

	for (i = 0; i <= ARRAY_SIZE(where); i++) {
		c = io_cmd(IO_WRITE, 0, 4096 / nvme.lba_size);
		c.prp1 = i < ARRAY_SIZE(where) ? where[i] : nvme.bar;
		EXPECT_NE(io_exec(&c), SC_NONE);
	}
	/* Its own doorbells: data of zeroes written there by a read */
	c = io_cmd(IO_WRITE_ZEROES, 0, 4096 / nvme.lba_size);
	io_exec(&c);
	c = io_cmd(IO_READ, 0, 4096 / nvme.lba_size);
	c.prp1 = nvme.bar + NVME_DOORBELLS;
	nvme_submit(&io_sq, &c);
	delay_ns(quiet_ns());
	nvme_start();
	nvme_create_pair(&io_sq, &io_cq, 1, IO_DEPTH, false);
	io_expect_alive();
}

/* A list which leads into its own middle */
TEST(nvme_io, prp_list_loops)
{
	struct nvme_cmd c = io_cmd(IO_READ, 0, nvme.max_transfer / nvme.lba_size);
	u64 *list = page_alloc(1);

	list[510] = phys(page_alloc(1));
	list[511] = phys(&list[510]);
	c.prp1 = phys(page_alloc(1));
	c.prp2 = phys(&list[510]);
	/* A chained list begins at offset 0. */
	EXPECT_STATUS(io_exec(&c), SC_PRP_OFFSET);
	list[511] = phys(&list[511]);
	c.prp2 = phys(&list[511]);
	EXPECT_STATUS(io_exec(&c), SC_PRP_OFFSET);
	io_expect_alive();
}

/* ---- Addresses and lengths ---- */

TEST(nvme_io, lba_range)
{
	struct nvme_cmd c;
	u8 *p = page_alloc(2);
	u32 op;

	for (op = IO_WRITE; op <= IO_READ; op++) {
		c = io_cmd(op, nvme.lbas - 1, 1);
		c.prp1 = phys(p);
		EXPECT_STATUS(io_exec(&c), SC_SUCCESS);
		c = io_cmd(op, nvme.lbas, 1);
		c.prp1 = phys(p);
		EXPECT_STATUS(io_exec(&c), SC_LBA_RANGE);
		c = io_cmd(op, nvme.lbas - 1, 2);
		c.prp1 = phys(p);
		c.prp2 = phys(p + PAGE_SIZE);
		EXPECT_STATUS(io_exec(&c), SC_LBA_RANGE);
		/* Sums that overflow */
		c = io_cmd(op, ~0ull, 1);
		c.prp1 = phys(p);
		EXPECT_STATUS(io_exec(&c), SC_LBA_RANGE);
		c = io_cmd(op, ~0ull, 2);
		c.prp1 = phys(p);
		c.prp2 = phys(p + PAGE_SIZE);
		EXPECT_STATUS(io_exec(&c), SC_LBA_RANGE);
		c = io_cmd(op, 1ull << 63, 1);
		c.prp1 = phys(p);
		EXPECT_STATUS(io_exec(&c), SC_LBA_RANGE);
		c = io_cmd(op, 1ull << 55, 1);
		c.prp1 = phys(p);
		EXPECT_STATUS(io_exec(&c), SC_LBA_RANGE);
	}
}

TEST(nvme_io, transfer_limit)
{
	u32 blocks = nvme.max_transfer / nvme.lba_size;
	struct nvme_cmd c;
	struct dbuf b;
	u32 op;

	SKIP_IF(!nvme.idctrl[77], "no limit");
	SKIP_IF(nvme.max_transfer >> PAGE_SHIFT > DBUF_PAGES - 2, "limit too large");
	dbuf_alloc(&b, DBUF_SCATTERED, 0, nvme.max_transfer + PAGE_SIZE);
	for (op = IO_WRITE; op <= IO_READ; op++) {
		c = io_cmd(op, 0, blocks + 1);
		dbuf_prp(&b, &c, 0);
		EXPECT_STATUS(io_exec(&c), SC_INVALID_FIELD);
		c = io_cmd(op, 0, 65536);
		dbuf_prp(&b, &c, 0);
		EXPECT_STATUS(io_exec(&c), SC_INVALID_FIELD);
	}
}

TEST(nvme_io, namespace)
{
	u32 nn, op;
	struct nvme_cmd c;
	u8 *p = page_alloc(1);

	memcpy(&nn, nvme.idctrl + 516, 4);
	for (op = IO_WRITE; op <= IO_READ; op++) {
		c = io_cmd(op, 0, 1);
		c.prp1 = phys(p);
		c.nsid = 0;
		EXPECT_STATUS(io_exec(&c), SC_INVALID_NS);
		c.nsid = 0xffffffff;		/* broadcast: not for these */
		EXPECT_STATUS(io_exec(&c), SC_INVALID_FIELD);
		c.nsid = 0xfffffffe;
		EXPECT_STATUS(io_exec(&c), SC_INVALID_NS);
		c.nsid = nn + 1;
		EXPECT_STATUS(io_exec(&c), SC_INVALID_NS);
		if (nn > nvme.nsid && !(nvme.idctrl[256] & BIT(3))) {
			c.nsid = nn;
			EXPECT_STATUS(io_exec(&c), SC_SUCCESS, SC_INVALID_FIELD,
				      SC_INVALID_NS);
		}
	}
}

/* ---- Commands ---- */

TEST(nvme_io, flush)
{
	struct nvme_cmd c = { .opcode = IO_FLUSH, .nsid = nvme.nsid };

	EXPECT_STATUS(io_exec(&c), SC_SUCCESS);
	c.nsid = 0;
	EXPECT_STATUS(io_exec(&c), SC_INVALID_NS);
	/* To all namespaces: told by Identify's VWC field, bits 2:1 */
	c.nsid = 0xffffffff;
	switch (nvme.idctrl[525] >> 1 & 3) {
	case 2:
		EXPECT_STATUS(io_exec(&c), SC_INVALID_NS);
		break;
	case 3:
		EXPECT_STATUS(io_exec(&c), SC_SUCCESS);
		break;
	default:
		EXPECT_STATUS(io_exec(&c), SC_SUCCESS, SC_INVALID_NS);
	}
}

TEST(nvme_io, force_unit_access)
{
	struct nvme_cmd c;
	struct dbuf b;

	dbuf_alloc(&b, DBUF_SCATTERED, 0, 3 * PAGE_SIZE);
	dbuf_fill(&b, 31);
	c = io_cmd(IO_WRITE, 64, b.len / nvme.lba_size);
	c.cdw12 |= BIT(30);
	dbuf_prp(&b, &c, 0);
	EXPECT_STATUS(io_exec(&c), SC_SUCCESS);
	dbuf_poison(&b);
	c = io_cmd(IO_READ, 64, b.len / nvme.lba_size);
	c.cdw12 |= BIT(30);
	dbuf_prp(&b, &c, 0);
	EXPECT_STATUS(io_exec(&c), SC_SUCCESS);
	dbuf_check(&b, 31);
	/* Limited retry and the access hints are hints */
	c = io_cmd(IO_READ, 64, b.len / nvme.lba_size);
	c.cdw12 |= BIT(31);
	c.cdw13 = 0x55;
	dbuf_prp(&b, &c, 0);
	EXPECT_STATUS(io_exec(&c), SC_SUCCESS);
}

static u16 oncs(void)
{
	return nvme.idctrl[520] | nvme.idctrl[521] << 8;
}

TEST(nvme_io, write_zeroes)
{
	u32 per_page = PAGE_SIZE / nvme.lba_size, i;
	struct nvme_cmd c;

	SKIP_IF(!(oncs() & BIT(3)), "no Write Zeroes");
	for (i = 0; i < 2; i++) {
		io_write_pattern(0, 4 * PAGE_SIZE, 5);
		c = io_cmd(IO_WRITE_ZEROES, per_page, 2 * per_page);
		if (i)
			c.cdw12 |= BIT(25);		/* deallocate */
		EXPECT_STATUS(io_exec(&c), SC_SUCCESS);
		io_expect_bytes(per_page, 2 * PAGE_SIZE, 0);
		io_expect_pattern(0, PAGE_SIZE, 5);
	}
	/* Not a transfer: more than the limit is legal. */
	c = io_cmd(IO_WRITE_ZEROES, 0, min(nvme.max_transfer * 2 / nvme.lba_size, 65536u));
	EXPECT_STATUS(io_exec(&c), SC_SUCCESS);
	io_expect_bytes(0, PAGE_SIZE, 0);
	c = io_cmd(IO_WRITE_ZEROES, nvme.lbas - 1, 2);
	EXPECT_STATUS(io_exec(&c), SC_LBA_RANGE);
	c = io_cmd(IO_WRITE_ZEROES, ~0ull, 2);
	EXPECT_STATUS(io_exec(&c), SC_LBA_RANGE);
}

struct dsm_range {
	u32 attr, blocks;
	u64 slba;
} __packed;

static u16 dsm(struct dsm_range *r, u32 n, u32 attr)
{
	struct nvme_cmd c = { .opcode = IO_DSM, .nsid = nvme.nsid };

	c.cdw10 = n - 1;
	c.cdw11 = attr;
	c.prp1 = phys(r);
	return io_exec(&c);
}

TEST(nvme_io, deallocate)
{
	u32 per_page = PAGE_SIZE / nvme.lba_size;
	struct dsm_range *r = page_alloc(1);
	struct dbuf a, b;

	SKIP_IF(!(oncs() & BIT(2)), "no Dataset Management");
	io_write_pattern(0, 4 * PAGE_SIZE, 6);
	r[0].slba = per_page;
	r[0].blocks = per_page;
	r[1].slba = 3 * per_page;
	r[1].blocks = per_page;
	EXPECT_STATUS(dsm(r, 2, BIT(2)), SC_SUCCESS);
	/*
	 * What was deallocated reads the same each time, the rest is untouched.
	 * The command is advice, so the old data may be there as well.
	 */
	dbuf_alloc(&a, DBUF_CONTIGUOUS, 0, 4 * PAGE_SIZE);
	dbuf_alloc(&b, DBUF_CONTIGUOUS, 0, 4 * PAGE_SIZE);
	ASSERT_STATUS(io_rw(IO_READ, 0, &a, 0), SC_SUCCESS);
	ASSERT_STATUS(io_rw(IO_READ, 0, &b, 0), SC_SUCCESS);
	EXPECT_EQ(memcmp(a.page[0], b.page[0], 4 * PAGE_SIZE), 0);
	dbuf_check_part(&a, 0, PAGE_SIZE, 6, 0);
	dbuf_check_part(&a, 2 * PAGE_SIZE, PAGE_SIZE, 6, 2 * PAGE_SIZE);
	if ((nvme.idns[33] & 7) == 1 && bytes_check(a.page[1], PAGE_SIZE, 0) >= 0)
		dbuf_check_part(&a, PAGE_SIZE, PAGE_SIZE, 6, PAGE_SIZE);
	/* And takes data again. */
	io_write_pattern(0, 4 * PAGE_SIZE, 7);
	io_expect_pattern(0, 4 * PAGE_SIZE, 7);
}

TEST(nvme_io, deallocate_ranges)
{
	struct dsm_range *r = page_alloc(1);
	u32 i;

	SKIP_IF(!(oncs() & BIT(2)), "no Dataset Management");
	for (i = 0; i < 256; i++) {
		r[i].slba = 16 * i;
		r[i].blocks = 8;
	}
	EXPECT_STATUS(dsm(r, 256, BIT(2)), SC_SUCCESS);
	/* Advice without deallocation, empty ranges: nothing to do */
	EXPECT_STATUS(dsm(r, 4, 0), SC_SUCCESS);
	EXPECT_STATUS(dsm(r, 4, 3), SC_SUCCESS);
	r[1].blocks = 0;
	EXPECT_STATUS(dsm(r, 2, BIT(2)), SC_SUCCESS);
}

TEST(nvme_io, deallocate_out_of_range)
{
	struct dsm_range *r = page_alloc(1);

	SKIP_IF(!(oncs() & BIT(2)), "no Dataset Management");
	/* Advice again: it may be passed over, but reaches nothing else. */
	r[0].slba = nvme.lbas;
	r[0].blocks = 1;
	EXPECT_STATUS(dsm(r, 1, BIT(2)), SC_LBA_RANGE, SC_SUCCESS);
	r[0].slba = nvme.lbas - 1;
	r[0].blocks = 2;
	EXPECT_STATUS(dsm(r, 1, BIT(2)), SC_LBA_RANGE, SC_SUCCESS);
	r[0].slba = ~0ull;
	r[0].blocks = 0xffffffff;
	EXPECT_STATUS(dsm(r, 1, BIT(2)), SC_LBA_RANGE, SC_SUCCESS);
	io_expect_alive();
}

TEST(nvme_io, compare)
{
	struct dbuf b;

	SKIP_IF(!(oncs() & BIT(0)), "no Compare");
	io_write_pattern(16, 2 * PAGE_SIZE, 8);
	dbuf_alloc(&b, DBUF_SCATTERED, 0x200, 2 * PAGE_SIZE);
	dbuf_fill(&b, 8);
	EXPECT_STATUS(io_rw(IO_COMPARE, 16, &b, 0), SC_SUCCESS);
	*dbuf_at(&b, 2 * PAGE_SIZE - 1) ^= 1;
	EXPECT_STATUS(io_rw(IO_COMPARE, 16, &b, 0), SC_COMPARE_FAILURE);
}

/* Commands which Identify denies do not exist. */
TEST(nvme_io, optional_commands)
{
	static const struct {
		u32 bit;
		u8 opcode;
	} cmds[] = {
		{ 0, IO_COMPARE }, { 1, IO_WRITE_UNCOR }, { 2, IO_DSM },
		{ 3, IO_WRITE_ZEROES }, { 7, IO_VERIFY },
	};
	struct nvme_cmd c;
	u8 *p = page_alloc(1);
	u32 i;

	test_note("ONCS %x", oncs());
	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		c = io_cmd(cmds[i].opcode, 0, 1);
		c.prp1 = phys(p);
		if (!(oncs() & BIT(cmds[i].bit)))
			EXPECT_STATUS(io_exec(&c), SC_INVALID_OPCODE);
	}
}

TEST(nvme_io, unknown_opcode)
{
	static const u8 unknown[] = { 0x03, 0x06, 0x0a, 0x3f, 0x7f, 0xff };
	struct nvme_cmd c;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(unknown); i++) {
		c = io_cmd(unknown[i], 0, 1);
		if (!EXPECT_STATUS(io_exec(&c), SC_INVALID_OPCODE))
			test_note("opcode %02x", unknown[i]);
	}
}

TEST(nvme_io, reserved_flags)
{
	struct nvme_cmd c = io_cmd(IO_READ, 0, 1);

	c.prp1 = phys(page_alloc(1));
	c.flags = 0xc0;				/* PSDT 11b */
	EXPECT_STATUS(io_exec(&c), SC_INVALID_FIELD);
	if (!(nvme.idctrl[522] & 1)) {		/* FUSES */
		c.flags = 1;
		EXPECT_STATUS(io_exec(&c), SC_INVALID_FIELD);
		c.flags = 2;
		EXPECT_STATUS(io_exec(&c), SC_INVALID_FIELD);
	}
	c.flags = 3;
	EXPECT_STATUS(io_exec(&c), SC_INVALID_FIELD);
}

/* ---- Data ---- */

#define REGION		(256u << 10)

/* Random writes, reads and zeroes over a region, against a copy in memory. */
TEST(nvme_io, random_integrity)
{
	u32 i, loops = (u32)arg_u64("loops", 60), blocks = REGION / nvme.lba_size;
	u32 most = min(nvme.max_transfer, REGION / 4) / nvme.lba_size;
	u8 *model = page_alloc(REGION >> PAGE_SHIFT);
	struct nvme_cmd c;

	for (i = 0; i < REGION; i += min(nvme.max_transfer, REGION)) {
		c = io_cmd(IO_WRITE_ZEROES, i / nvme.lba_size,
			   min(nvme.max_transfer, REGION) / nvme.lba_size);
		SKIP_IF(io_exec(&c) != SC_SUCCESS, "no Write Zeroes");
	}
	for (i = 0; i < loops && !test_failed(); i++) {
		u32 n = 1 + rnd() % most, lba = rnd() % (blocks - n), pos, step;
		u32 mark = mem_mark(), seed = rnd();
		u8 *at = model + lba * nvme.lba_size;
		struct dbuf b;

		dbuf_alloc(&b, rnd() & 1, rnd() & 0xffc, n * nvme.lba_size);
		switch (rnd() % 4) {
		case 0:
			c = io_cmd(IO_WRITE_ZEROES, lba, n);
			ASSERT_STATUS(io_exec(&c), SC_SUCCESS);
			memset(at, 0, b.len);
			break;
		case 1:
			dbuf_fill(&b, seed);
			pattern_fill(at, b.len, seed, 0);
			ASSERT_STATUS(io_rw(IO_WRITE, lba, &b, 0), SC_SUCCESS);
			break;
		default:
			dbuf_poison(&b);
			ASSERT_STATUS(io_rw(IO_READ, lba, &b, 0), SC_SUCCESS);
			for (pos = 0; pos < b.len; pos += step) {
				step = min(b.len - pos,
					   PAGE_SIZE - ((pos + b.off) & PAGE_MASK));
				if (memcmp(dbuf_at(&b, pos), at + pos, step)) {
					test_fail("LBA %u + %u is wrong near byte %u",
						  lba, n, pos);
					break;
				}
			}
		}
		mem_release(mark);
	}
}

/* Both ends and the middle of the disk are different places. */
TEST(nvme_io, whole_disk)
{
	u64 at[] = { 0, nvme.lbas / 2, nvme.lbas - PAGE_SIZE / nvme.lba_size };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(at); i++)
		io_write_pattern(at[i], PAGE_SIZE, 100 + i);
	for (i = 0; i < ARRAY_SIZE(at); i++)
		io_expect_pattern(at[i], PAGE_SIZE, 100 + i);
}

/* What was written is there after a reset and after a shutdown. */
TEST(nvme_io, data_survives_reset)
{
	io_write_pattern(128, 8 * PAGE_SIZE, 77);
	nvme_start();
	nvme_create_pair(&io_sq, &io_cq, 1, IO_DEPTH, false);
	io_expect_pattern(128, 8 * PAGE_SIZE, 77);
	nvme_w32(NVME_CC, (nvme_r32(NVME_CC) & ~CC_SHN_MASK) | CC_SHN(1));
	ASSERT(wait_for(CSTS_SHST(nvme_r32(NVME_CSTS)) == 2, timeout_ns()));
	nvme_start();
	nvme_create_pair(&io_sq, &io_cq, 1, IO_DEPTH, false);
	io_expect_pattern(128, 8 * PAGE_SIZE, 77);
}
