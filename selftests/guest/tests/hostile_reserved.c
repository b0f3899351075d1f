// SPDX-License-Identifier: GPL-2.0
/*
 * Bits that NVMe 1.4 gives no meaning, in every command and in CC: a host sets
 * them to 0, and a controller does not look at them. Each command is right but
 * for them, and does what it would do without them.
 */
#include "hostile.h"

SUITE(hostile_reserved, .setup = hostile_setup, .teardown = hostile_teardown,
      .flags = SUITE_MANUAL);

#define QID	3

static u8 *page;
static u8 *ranges;	/* of Dataset Management, all empty */

struct reserved {
	const char *name;
	u8 opcode;
	u32 cdw10, cdw11, cdw12;
	/* Of command dwords 0 to 15 */
	u32 bits[16];
	u16 status;
	bool no_nsid, ranges;
};

/* Of all commands: bits 13:10; dwords 2 and 3; metadata, which no disk here has */
#define COMMON	[0] = 0x3c00, [2] = ~0u, [3] = ~0u, [4] = ~0u, [5] = ~0u
#define PRP2	[8] = ~0u, [9] = ~0u
#define NO_DATA	[6] = ~0u, [7] = ~0u, PRP2
#define FROM_11	[11] = ~0u, [12] = ~0u, [13] = ~0u, [14] = ~0u, [15] = ~0u

static const struct reserved nvm[] = {
	/* Protection information (12, 14, 15) is of formats that have it. */
	{ "Read", IO_READ,
	  .bits = { COMMON, PRP2, [12] = 0x3fff0000, [13] = ~0u, [14] = ~0u, [15] = ~0u } },
	{ "Write", IO_WRITE,
	  .bits = { COMMON, PRP2, [12] = 0x3fff0000, [13] = ~0u, [14] = ~0u, [15] = ~0u } },
	{ "Write Zeroes", IO_WRITE_ZEROES,
	  .bits = { COMMON, NO_DATA, [12] = 0x3dff0000, [13] = ~0u, [14] = ~0u, [15] = ~0u } },
	{ "Flush", IO_FLUSH,
	  .bits = { COMMON, NO_DATA, [10] = ~0u, FROM_11 } },
	{ "Dataset Management", IO_DSM, .cdw11 = 4, .ranges = true,
	  .bits = { COMMON, PRP2, [10] = 0xffffff00, [11] = 0xfffffff8, [12] = ~0u,
		    [13] = ~0u, [14] = ~0u, [15] = ~0u } },
	/* Is not there, whatever its bits are */
	{ "Compare", IO_COMPARE, .status = SC_INVALID_OPCODE,
	  .bits = { COMMON, NO_DATA, [10] = ~0u, FROM_11 } },
};

/* Dword 11 of one feature */
#define SET_FEATURE(fid, value, mask)						\
	{ "Set Features, " #fid, ADMIN_SET_FEATURES, .cdw10 = fid, .cdw11 = value, \
	  .no_nsid = true, .bits = { [11] = mask } }

static const struct reserved admin[] = {
	{ "Identify", ADMIN_IDENTIFY, .cdw10 = 1,
	  .bits = { COMMON, PRP2, [10] = 0xffffff00, FROM_11 } },
	/* Half a page of health */
	{ "Get Log Page", ADMIN_GET_LOG, .cdw10 = 0x007f0000 | LOG_SMART, .no_nsid = true,
	  .bits = { COMMON, PRP2, [10] = 0x7f00, [11] = 0xffff0000, [14] = ~0u, [15] = ~0u } },
	{ "Set Features", ADMIN_SET_FEATURES, .cdw10 = FEAT_ARBITRATION, .no_nsid = true,
	  .bits = { COMMON, NO_DATA, [10] = 0x7fffff00, [12] = ~0u, [13] = ~0u, [14] = ~0u,
		    [15] = ~0u } },
	SET_FEATURE(FEAT_ARBITRATION, 0, 0xf8),
	SET_FEATURE(FEAT_POWER_MGMT, 0, 0xffffff00),
	/* Far above all temperatures */
	SET_FEATURE(FEAT_TEMP_THRESH, 0xffff, 0xffc00000),
	SET_FEATURE(FEAT_VWC, 1, 0xfffffffe),
	SET_FEATURE(FEAT_IRQ_COALESCE, 0, 0xffff0000),
	SET_FEATURE(FEAT_IRQ_CONFIG, 0, 0xfffe0000),
	SET_FEATURE(FEAT_WRITE_ATOMICITY, 0, 0xfffffffe),
	SET_FEATURE(FEAT_ASYNC_EVENT, 0, 0x7fff8000),
	{ "Set Features 5", ADMIN_SET_FEATURES, .cdw10 = FEAT_ERROR_RECOVERY,
	  .bits = { [11] = 0xfffe0000 } },
	{ "Get Features", ADMIN_GET_FEATURES, .cdw10 = FEAT_ARBITRATION, .no_nsid = true,
	  .bits = { COMMON, NO_DATA, [10] = 0xfffff800, FROM_11 } },
	{ "Get Features 4", ADMIN_GET_FEATURES, .cdw10 = FEAT_TEMP_THRESH, .no_nsid = true,
	  .bits = { [11] = 0xffc00000 } },
	{ "Get Features 9", ADMIN_GET_FEATURES, .cdw10 = FEAT_IRQ_CONFIG, .no_nsid = true,
	  .bits = { [11] = 0xfffe0000 } },
	{ "Abort", ADMIN_ABORT, .cdw10 = 1,
	  .bits = { COMMON, NO_DATA, FROM_11 } },
};

static void begin(void)
{
	page = page_alloc(1);
	ranges = page_alloc(1);
	noise_start();
}

static struct nvme_cmd command(const struct reserved *r)
{
	return (struct nvme_cmd) {
		.opcode = r->opcode, .nsid = r->no_nsid ? 0 : nvme.nsid,
		.prp1 = phys(r->ranges ? ranges : page), .cdw10 = r->cdw10, .cdw11 = r->cdw11,
		.cdw12 = r->cdw12,
	};
}

static u32 *dword(struct nvme_cmd *c, u32 n)
{
	return (u32 *)(void *)c + n;
}

/* Each bit alone, a queue full of them at a time, then all of them at once */
static void each_bit(struct nvme_sq *sq, const struct reserved *r)
{
	u32 n = 0, i, out, due, bit, dw[512], mask[512];
	struct nvme_cmd all = command(r), c;
	struct nvme_cqe e;

	for (i = 0; i < 16; i++) {
		for (bit = 0; bit < 32; bit++) {
			if (!(r->bits[i] & BIT(bit)))
				continue;
			dw[n] = i;
			mask[n++] = BIT(bit);
		}
		*dword(&all, i) ^= r->bits[i];
	}
	for (i = 0; i < n; i += due) {
		due = min(n - i, sq->depth - 1u);
		for (out = 0; out < due; out++) {
			c = command(r);
			*dword(&c, dw[i + out]) ^= mask[i + out];
			c.cid = out;
			nvme_put(sq, &c);
		}
		nvme_ring_sq(sq);
		for (out = 0; out < due; out++) {
			ASSERT(nvme_reap(sq->cq, &e, timeout_ns(), false));
			sq->head = e.sq_head;
			ASSERT(e.cid < due);
			if (!EXPECT_STATUS(cqe_status(&e), r->status))
				test_fatal("%s: dword %u, bits %x", r->name, dw[i + e.cid],
					   mask[i + e.cid]);
		}
		nvme_ring_cq(sq->cq);
	}
	if (!EXPECT_STATUS(nvme_exec(sq, &all, NULL), r->status))
		test_note("%s: all %u bits", r->name, n);
}

TEST(hostile_reserved, nvm_commands)
{
	u32 i;

	begin();
	/* A bit that means another block would show here. */
	io_write_pattern(8, PAGE_SIZE, 9);
	for (i = 0; i < ARRAY_SIZE(nvm); i++)
		each_bit(&io_sq, &nvm[i]);
	io_expect_pattern(8, PAGE_SIZE, 9);
	hostile_recover();
}

TEST(hostile_reserved, admin_commands)
{
	u32 i;

	begin();
	for (i = 0; i < ARRAY_SIZE(admin); i++)
		each_bit(&nvme.asq, &admin[i]);
	hostile_recover();
}

/* What a range is for are hints (6.7.1.1): any of them may be, and what is left of it. */
TEST(hostile_reserved, range_attributes)
{
	struct nvme_cmd c = {
		.opcode = IO_DSM, .nsid = nvme.nsid, .cdw11 = 7,
	};
	u32 bit, blocks = PAGE_SIZE / nvme.lba_size;
	struct {
		u32 attributes, blocks;
		u64 slba;
	} *range;

	begin();
	range = (void *)ranges;
	c.prp1 = phys(range);
	io_write_pattern(0, PAGE_SIZE, 10);
	io_write_pattern(2 * blocks, PAGE_SIZE, 11);
	for (bit = 0; bit <= 32; bit++) {
		range->attributes = bit < 32 ? BIT(bit) : ~0u;
		range->blocks = blocks;
		range->slba = blocks;
		if (!EXPECT_STATUS(io_exec(&c), SC_SUCCESS))
			test_note("attributes %x", range->attributes);
	}
	io_expect_pattern(0, PAGE_SIZE, 10);
	io_expect_pattern(2 * blocks, PAGE_SIZE, 11);
	hostile_recover();
}

/* Queues take their time: all bits of a dword at once. */
TEST(hostile_reserved, creation_and_deletion_of_queues)
{
	static const u32 create_cq[16] = {
		COMMON, PRP2, [1] = ~0u, [11] = 0xfffc, [12] = ~0u, [13] = ~0u,
		[14] = ~0u, [15] = ~0u,
	};
	/* Priorities are of an arbitration that there is not, sets likewise. */
	static const u32 create_sq[16] = {
		COMMON, PRP2, [1] = ~0u, [11] = 0xfffe, [12] = ~0u, [13] = ~0u,
		[14] = ~0u, [15] = ~0u,
	};
	static const u32 delete[16] = {
		COMMON, NO_DATA, [1] = ~0u, [10] = 0xffff0000, FROM_11,
	};
	static const struct {
		u8 opcode;
		const u32 *bits;
		u32 cdw10, cdw11;
	} life[] = {
		{ ADMIN_CREATE_CQ, create_cq, 63u << 16 | QID, 1 },
		{ ADMIN_CREATE_SQ, create_sq, 63u << 16 | QID, QID << 16 | 1 },
		{ ADMIN_DELETE_SQ, delete, QID, 0 },
		{ ADMIN_DELETE_CQ, delete, QID, 0 },
	};
	u32 i, k;

	begin();
	for (i = 0; i < 16; i++) {
		for (k = 0; k < ARRAY_SIZE(life); k++) {
			struct nvme_cmd c = {
				.opcode = life[k].opcode, .prp1 = phys(page),
				.cdw10 = life[k].cdw10, .cdw11 = life[k].cdw11,
			};

			*dword(&c, i) ^= life[k].bits[i];
			if (!EXPECT_STATUS(nvme_exec(&nvme.asq, &c, NULL), SC_SUCCESS))
				test_note("opcode %02x, dword %u", life[k].opcode, i);
		}
	}
	hostile_recover();
}

/* Doorbell Buffer Config, to pages that are there */
TEST(hostile_reserved, doorbell_buffer_config)
{
	static const u32 bits[16] = {
		COMMON, [1] = ~0u, [10] = ~0u, FROM_11,
	};
	u32 i;

	for (i = 0; i < 16; i++) {
		u8 *pages = page_alloc(2);
		struct nvme_cmd c = {
			.opcode = ADMIN_DBBUF, .prp1 = phys(pages),
			.prp2 = phys(pages) + PAGE_SIZE,
		};

		*dword(&c, i) ^= bits[i];
		if (!EXPECT_STATUS(nvme_exec(&nvme.asq, &c, NULL), SC_SUCCESS))
			test_note("dword %u", i);
		nvme.dbbuf = (void *)pages;
		nvme.eventidx = (void *)(pages + PAGE_SIZE);
		io_expect_alive();
	}
	hostile_recover();
}

/* An Asynchronous Event Request stays until it is aborted. */
TEST(hostile_reserved, event_request)
{
	static const u32 bits[16] = {
		COMMON, NO_DATA, [1] = ~0u, [10] = ~0u, FROM_11,
	};
	struct nvme_cqe e;
	struct nvme_cmd c;
	u32 i, k;

	begin();
	for (i = 0; i < 16; i++) {
		c = (struct nvme_cmd) { .opcode = ADMIN_ASYNC_EVENT, .cid = 0x100 };
		*dword(&c, i) ^= bits[i];
		nvme_put(&nvme.asq, &c);
		c = (struct nvme_cmd) { .opcode = ADMIN_ABORT, .cid = 0x200,
					.cdw10 = 0x100u << 16 };
		nvme_put(&nvme.asq, &c);
		nvme_ring_sq(&nvme.asq);
		for (k = 0; k < 2; k++) {
			ASSERT(nvme_reap(&nvme.acq, &e, timeout_ns(), true));
			if (e.cid == 0x100) {
				EXPECT_STATUS(cqe_status(&e), SC_ABORT_REQUESTED);
			} else {
				EXPECT_EQ(e.cid, 0x200);
				EXPECT_STATUS(cqe_status(&e), SC_SUCCESS);
				EXPECT_EQ(e.result & 1, 0);
			}
		}
		if (test_failed()) {
			test_note("dword %u", i);
			break;
		}
	}
	hostile_recover();
}

/* CC's read as 0, with the controller enabled or not, and change nothing. */
TEST(hostile_reserved, controller_configuration)
{
	u32 bit, cc = CC_DEFAULT | CC_EN;

	for (bit = 0; bit < 32; bit++) {
		if (!(0xff00000e & BIT(bit)))
			continue;
		nvme_w32(NVME_CC, cc | BIT(bit));
		EXPECT_EQ(nvme_r32(NVME_CC), cc);
		io_expect_alive();
		nvme_w32(NVME_CC, cc);
	}
	for (bit = 0; bit < 32; bit++) {
		if (!(0xff00000e & BIT(bit)))
			continue;
		ASSERT(nvme_disable());
		nvme_admin_setup(16, 16);
		EXPECT(nvme_enable(CC_DEFAULT | BIT(bit)));
		EXPECT_EQ(nvme_r32(NVME_CC), cc);
		EXPECT_STATUS(nvme_identify(1, 0, page_alloc(1)), SC_SUCCESS);
	}
	hostile_recover();
}
