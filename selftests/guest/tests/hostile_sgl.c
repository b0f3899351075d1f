// SPDX-License-Identifier: GPL-2.0
/*
 * Malformed SGLs of every kind, section 4.4, each with the one status that is
 * its: every type in every place, addresses and lengths that are not aligned,
 * segments that end wrongly or never. The controller is one that wants dwords
 * aligned, takes lists longer than the data, 512 pieces of data and 1024
 * descriptors.
 */
#include "hostile.h"

#define PIECES		512u
#define DESCS		1024u

static u8 *data;	/* four pages */
static struct sgl_desc *list;	/* as many as hold DESCS + 1 */
static u32 bytes;	/* of one command */

static void setup(void)
{
	hostile_setup();
	data = page_alloc(4);
	list = page_alloc(ALIGN_UP((DESCS + 1) * sizeof(*list), PAGE_SIZE) >> PAGE_SHIFT);
	bytes = PAGE_SIZE;
}

SUITE(hostile_sgl, .setup = setup, .teardown = hostile_teardown,
      .flags = SUITE_MANUAL);

static struct sgl_desc desc(u64 addr, u32 len, u8 type)
{
	return (struct sgl_desc) { addr, len, {}, type };
}

/* A Write of that many bytes, a page, with this first descriptor */
static u16 first(struct sgl_desc d)
{
	struct nvme_cmd c = io_cmd(IO_WRITE, 0, bytes / nvme.lba_size);

	c.flags = CMD_PSDT_SGL;
	c.sgl = d;
	return io_exec(&c);
}

/* With the first @n descriptors of the list as its only segment, of that type */
static u16 listed(u32 n, u8 type)
{
	return first(desc(phys(list), n * sizeof(*list), type));
}

TEST(hostile_sgl, every_type_as_first_descriptor)
{
	u32 type;
	u16 want;

	list[0] = desc(phys(data), bytes, SGL_DATA);
	for (type = 0; type < 256; type++) {
		want = type == SGL_DATA || type == SGL_SEGMENT || type == SGL_LAST ?
		       SC_SUCCESS : SC_SGL_TYPE;
		if (!EXPECT_STATUS(first(desc(phys(list), PAGE_SIZE, type)), want))
			test_note("type %02x", type);
	}
	hostile_recover();
}

/* In the middle of a segment, at its end, at the end of the last one */
TEST(hostile_sgl, every_type_in_a_list)
{
	struct sgl_desc *next = list + 64, good = desc(phys(data), bytes / 2, SGL_DATA);
	u16 middle, end, last;
	u32 type;

	next[0] = good;
	for (type = 0; type < 256; type++) {
		middle = end = last = SC_SGL_TYPE;
		if (type == SGL_DATA)
			middle = end = last = SC_SUCCESS;
		if (type == SGL_SEGMENT || type == SGL_LAST) {
			middle = SC_SGL_INVALID_COUNT;
			end = SC_SUCCESS;
			last = SC_SGL_INVALID_SEGMENT;
		}
		list[0] = good;
		list[1] = desc(phys(next), bytes / 2, type);
		list[2] = good;
		EXPECT_STATUS(listed(3, SGL_SEGMENT), middle);
		EXPECT_STATUS(listed(2, SGL_SEGMENT), end);
		EXPECT_STATUS(listed(2, SGL_LAST), last);
		if (test_failed()) {
			test_note("type %02x", type);
			break;
		}
	}
	hostile_recover();
}

TEST(hostile_sgl, unaligned_data)
{
	u32 by;

	for (by = 1; by < 8; by++) {
		u16 want = by & 3 ? SC_SGL_GRANULARITY : SC_SUCCESS;

		EXPECT_STATUS(first(desc(phys(data) + by, bytes, SGL_DATA)), want);
		EXPECT_STATUS(first(desc(phys(data), bytes + by, SGL_DATA)), want);
		list[0] = desc(phys(data), bytes / 2, SGL_DATA);
		list[1] = desc(phys(data) + by, bytes / 2, SGL_DATA);
		EXPECT_STATUS(listed(2, SGL_LAST), want);
		list[1] = desc(phys(data), bytes / 2 + by, SGL_DATA);
		EXPECT_STATUS(listed(2, SGL_LAST), want);
		/* Segments consist of descriptors, which begin at multiples of 8. */
		EXPECT_STATUS(first(desc(phys(list) + by, 32, SGL_LAST)),
			      SC_SGL_INVALID_SEGMENT);
		EXPECT_STATUS(first(desc(phys(list) + by, 32, SGL_SEGMENT)),
			      SC_SGL_INVALID_SEGMENT);
	}
	hostile_recover();
}

TEST(hostile_sgl, segment_lengths)
{
	static const u32 wrong[] = { 0, 1, 8, 15, 17, 24, 31, 4095, 4104, ~0u, 1u << 31 | 1 };
	u32 i, place;

	list[0] = desc(phys(data), bytes, SGL_DATA);
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		EXPECT_STATUS(first(desc(phys(list), wrong[i], SGL_LAST)),
			      SC_SGL_INVALID_SEGMENT);
		EXPECT_STATUS(first(desc(phys(list), wrong[i], SGL_SEGMENT)),
			      SC_SGL_INVALID_SEGMENT);
	}
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		for (place = 0; place < 2; place++) {
			list[0] = desc(phys(data), bytes / 2, SGL_DATA);
			list[1] = desc(phys(list), wrong[i], place ? SGL_LAST : SGL_SEGMENT);
			EXPECT_STATUS(listed(2, SGL_SEGMENT), SC_SGL_INVALID_SEGMENT);
		}
	}
	hostile_recover();
}

TEST(hostile_sgl, too_little_data)
{
	static const u32 less[] = { 0, 4, 512, PAGE_SIZE - 4 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(less); i++) {
		EXPECT_STATUS(first(desc(phys(data), less[i], SGL_DATA)),
			      SC_SGL_DATA_LENGTH);
		list[0] = desc(phys(data), less[i], SGL_DATA);
		EXPECT_STATUS(listed(1, SGL_LAST), SC_SGL_DATA_LENGTH);
		/* What is not the last segment has to lead on. */
		EXPECT_STATUS(listed(1, SGL_SEGMENT), SC_SGL_INVALID_SEGMENT);
	}
	hostile_recover();
}

/* A list may be longer than the data (SGLS bit 18): the rest is left alone. */
TEST(hostile_sgl, too_much_data)
{
	struct nvme_cmd c = io_cmd(IO_READ, 0, bytes / nvme.lba_size);

	ASSERT(nvme.idctrl[538] & BIT(2));
	io_write_pattern(0, bytes, 12);
	memset(data, 0x5c, 4 * PAGE_SIZE);
	c.flags = CMD_PSDT_SGL;
	c.sgl = desc(phys(data), 4 * PAGE_SIZE, SGL_DATA);
	EXPECT_STATUS(io_exec(&c), SC_SUCCESS);
	EXPECT_EQ(pattern_check(data, bytes, 12, 0), -1);
	EXPECT_EQ(bytes_check(data + bytes, 4 * PAGE_SIZE - bytes, 0x5c), -1);

	memset(data, 0x5c, 4 * PAGE_SIZE);
	list[0] = desc(phys(data), bytes, SGL_DATA);
	list[1] = desc(phys(data) + PAGE_SIZE, 3 * PAGE_SIZE, SGL_DATA);
	/* Not looked at any more */
	list[2] = desc(~0ull, ~0u, 0xff);
	c.sgl = desc(phys(list), 3 * sizeof(*list), SGL_LAST);
	EXPECT_STATUS(io_exec(&c), SC_SUCCESS);
	EXPECT_EQ(pattern_check(data, bytes, 12, 0), -1);
	EXPECT_EQ(bytes_check(data + bytes, 4 * PAGE_SIZE - bytes, 0x5c), -1);
	/* Lengths which overflow what they are added to */
	EXPECT_STATUS(first(desc(phys(data), ~3u, SGL_DATA)), SC_SUCCESS);
	EXPECT_STATUS(first(desc(~0ull & ~(u64)PAGE_MASK, ~3u, SGL_DATA)), SC_DATA_TRANSFER);
	hostile_recover();
}

TEST(hostile_sgl, as_many_pieces_as_there_may_be)
{
	u32 i;

	for (i = 0; i < PIECES; i++)
		list[i] = desc(phys(data), bytes / PIECES, SGL_DATA);
	EXPECT_STATUS(listed(PIECES, SGL_LAST), SC_SUCCESS);
	/* The last one in two halves */
	list[PIECES - 1].len /= 2;
	list[PIECES] = list[PIECES - 1];
	EXPECT_STATUS(listed(PIECES + 1, SGL_LAST), SC_SGL_INVALID_COUNT);
	/* Many segments, of one piece each */
	for (i = 0; i < PIECES; i++) {
		list[2 * i] = desc(phys(data), bytes / PIECES, SGL_DATA);
		list[2 * i + 1] = desc(phys(&list[2 * i + 2]),
				       i + 2 < PIECES ? 32 : 16,
				       i + 2 < PIECES ? SGL_SEGMENT : SGL_LAST);
	}
	EXPECT_STATUS(listed(2, SGL_SEGMENT), SC_SUCCESS);
	hostile_recover();
}

/* Empty pieces count as descriptors. */
TEST(hostile_sgl, as_many_descriptors_as_there_may_be)
{
	u32 i;

	for (i = 0; i < DESCS; i++)
		list[i] = desc(phys(data), 0, SGL_DATA);
	list[DESCS - 1].len = bytes;
	EXPECT_STATUS(listed(DESCS, SGL_LAST), SC_SUCCESS);
	list[DESCS] = list[DESCS - 1];
	list[DESCS - 1].len = 0;
	EXPECT_STATUS(listed(DESCS + 1, SGL_LAST), SC_SGL_INVALID_COUNT);
	hostile_recover();
}

/* Segments that lead to themselves and to each other, with and without data */
TEST(hostile_sgl, segments_without_end)
{
	struct sgl_desc *other = list + 64;
	u32 len;

	list[0] = desc(phys(list), 16, SGL_SEGMENT);
	EXPECT_STATUS(listed(1, SGL_SEGMENT), SC_SGL_INVALID_COUNT);
	list[0] = desc(phys(other), 16, SGL_SEGMENT);
	other[0] = desc(phys(list), 16, SGL_SEGMENT);
	EXPECT_STATUS(listed(1, SGL_SEGMENT), SC_SGL_INVALID_COUNT);
	list[0] = desc(phys(data), 0, SGL_DATA);
	list[1] = desc(phys(list), 32, SGL_SEGMENT);
	EXPECT_STATUS(listed(2, SGL_SEGMENT), SC_SGL_INVALID_COUNT);
	/* The same with data ends with the data, or with the pieces. */
	for (len = bytes / PIECES; len <= bytes; len *= 4) {
		list[0] = desc(phys(data), len, SGL_DATA);
		EXPECT_STATUS(listed(2, SGL_SEGMENT), SC_SUCCESS);
	}
	list[0].len = bytes / PIECES / 2;
	EXPECT_STATUS(listed(2, SGL_SEGMENT), SC_SGL_INVALID_COUNT);
	hostile_recover();
}

TEST(hostile_sgl, reserved_bytes_are_ignored)
{
	struct sgl_desc d;
	u32 bit;

	for (bit = 0; bit < 24; bit++) {
		d = desc(phys(data), bytes, SGL_DATA);
		d.rsvd[bit / 8] = 1 << bit % 8;
		EXPECT_STATUS(first(d), SC_SUCCESS);
		list[0] = d;
		EXPECT_STATUS(listed(1, SGL_LAST), SC_SUCCESS);
		d = desc(phys(list), 16, SGL_LAST);
		d.rsvd[bit / 8] = 1 << bit % 8;
		EXPECT_STATUS(first(d), SC_SUCCESS);
	}
	hostile_recover();
}

/* Which of the two a command has; admin commands have PRPs. */
TEST(hostile_sgl, where_there_may_be_none)
{
	struct nvme_cmd c;
	u32 psdt;

	for (psdt = 0; psdt < 4; psdt++) {
		c = io_cmd(IO_WRITE, 0, bytes / nvme.lba_size);
		c.sgl = desc(phys(data), bytes, SGL_DATA);
		c.flags = psdt << 6;
		EXPECT_STATUS(io_exec(&c), psdt == 3 ? SC_INVALID_FIELD : SC_SUCCESS);
		c = (struct nvme_cmd) { .opcode = ADMIN_IDENTIFY, .cdw10 = 1 };
		c.sgl = desc(phys(data), PAGE_SIZE, SGL_DATA);
		c.flags = psdt << 6;
		EXPECT_STATUS(nvme_exec(&nvme.asq, &c, NULL),
			      psdt ? SC_INVALID_FIELD : SC_SUCCESS);
	}
	hostile_recover();
}
