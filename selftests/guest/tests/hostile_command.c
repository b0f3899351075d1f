// SPDX-License-Identifier: GPL-2.0
/*
 * Commands of every kind there can be: each opcode, bit, structure, feature and
 * log page, while another CPU keeps a queue busy. Each completes once, with the
 * error that its specification names; which ones there are is what xen-ioemu's
 * controller says that it has. And as much as a guest may have of each thing,
 * and more.
 */
#include "hostile.h"

SUITE(hostile_command, .setup = hostile_setup, .teardown = hostile_teardown,
      .flags = SUITE_MANUAL);

/* ---- many commands at once ---- */

struct sweep {
	struct nvme_sq *sq;
	/* The @i-th command; false to leave it out. */
	bool (*build)(u32 i, struct nvme_cmd *c);
	/* Is this status right for it? */
	bool (*right)(u32 i, u16 status);
};

static void *page;		/* for the data that commands bring */
static u64 *list;		/* PRPs that all lead to it */
static void *ranges;		/* zeros, for what is not data */

static void sweep_take(const struct sweep *s, u32 first, u32 count, bool *seen)
{
	struct nvme_cqe e;
	u16 status;

	ASSERT(nvme_reap(s->sq->cq, &e, timeout_ns(), true));
	s->sq->head = e.sq_head;
	if (e.cid >= count || !seen[e.cid])
		test_fatal("completion of %x, a stranger or twice", e.cid);
	seen[e.cid] = false;
	status = cqe_status(&e);
	if (!s->right(first + e.cid, status))
		test_fail("number %x: status %03x (%s)", first + e.cid, status,
			  nvme_status_name(status));
}

/* Numbers 0 to @n - 1, a queue full at a time, each looked at on its own. */
static void sweep(const struct sweep *s, u32 n)
{
	u32 i, k, out, count = s->sq->depth - 1;
	struct nvme_cmd c;
	bool seen[IO_DEPTH];

	for (i = 0; i < n; i += count) {
		out = 0;
		for (k = 0; k < count; k++) {
			seen[k] = i + k < n && s->build(i + k, &c);
			if (!seen[k])
				continue;
			c.cid = k;
			nvme_put(s->sq, &c);
			out++;
		}
		if (!out)
			continue;
		nvme_ring_sq(s->sq);
		while (out--)
			sweep_take(s, i, count, seen);
	}
}

static void begin(void)
{
	u32 i;

	page = page_alloc(1);
	list = page_alloc(1);
	ranges = page_alloc(1);
	for (i = 0; i < PAGE_SIZE / 8; i++)
		list[i] = phys(page);
	noise_start();
}

static void sweep_all(const struct sweep *s, u32 n)
{
	sweep(s, n);
	hostile_recover();
}

static bool is_one_of(u32 v, const u8 *of, u32 n)
{
	while (n--)
		if (of[n] == v)
			return true;
	return false;
}

#define ONE_OF(v, ...)							\
	is_one_of(v, (const u8[]){ __VA_ARGS__ }, sizeof((const u8[]){ __VA_ARGS__ }))

/* ---- opcodes ---- */

/* Event requests stay; shadow doorbells would be at address 0. */
static bool build_admin_opcode(u32 i, struct nvme_cmd *c)
{
	*c = (struct nvme_cmd) { .opcode = (u8)i };
	return i != ADMIN_ASYNC_EVENT && i != ADMIN_DBBUF;
}

static bool right_admin_opcode(u32 i, u16 status)
{
	switch (i) {
	case ADMIN_DELETE_SQ: case ADMIN_CREATE_SQ:
	case ADMIN_DELETE_CQ: case ADMIN_CREATE_CQ:
		return status == SC_QID_INVALID;
	case ADMIN_GET_LOG:
		return status == SC_INVALID_LOG_PAGE;
	case ADMIN_IDENTIFY:
		return status == SC_INVALID_NS;
	case ADMIN_ABORT:
		return status == SC_SUCCESS;
	case ADMIN_SET_FEATURES: case ADMIN_GET_FEATURES:
		return status == SC_INVALID_FIELD;
	}
	return status == SC_INVALID_OPCODE;
}

TEST(hostile_command, every_admin_opcode)
{
	static const struct sweep s = { &nvme.asq, build_admin_opcode, right_admin_opcode };

	begin();
	sweep_all(&s, 256);
}

static bool build_io_opcode(u32 i, struct nvme_cmd *c)
{
	*c = io_cmd((u8)i, 0, 1);
	c->prp1 = phys(i == IO_DSM ? ranges : page);
	return true;
}

static bool right_io_opcode(u32 i, u16 status)
{
	if (ONE_OF(i, IO_FLUSH, IO_WRITE, IO_READ, IO_WRITE_ZEROES, IO_DSM))
		return status == SC_SUCCESS;
	return status == SC_INVALID_OPCODE;
}

TEST(hostile_command, every_io_opcode)
{
	static const struct sweep s = { &io_sq, build_io_opcode, right_io_opcode };

	begin();
	sweep_all(&s, 256);
}

/* ---- bits ---- */

#define CMD_BITS	(8 * sizeof(struct nvme_cmd))

/* All but the identifier's, by which completions are told apart. */
static bool flip_bit(u32 bit, struct nvme_cmd *c)
{
	((u8 *)c)[bit / 8] ^= 1 << bit % 8;
	return bit < 16 || bit >= 32;
}

/* A Write, since the guest's own memory is what it would harm with a Read. */
static bool build_io_bit(u32 i, struct nvme_cmd *c)
{
	*c = io_cmd(IO_WRITE, 8, 2 * PAGE_SIZE / nvme.lba_size);
	c->prp1 = phys(page);
	c->prp2 = phys(list);
	if (i >= CMD_BITS) {
		c->flags = CMD_PSDT_SGL;
		c->sgl = (struct sgl_desc) { phys(list), 2 * PAGE_SIZE, {}, SGL_DATA };
	}
	return flip_bit(i % CMD_BITS, c);
}

/* Whatever it comes to, it is the command's fault or nobody's. */
static bool right_bit(u32 i, u16 status)
{
	(void)i;
	return status != SC_INTERNAL;
}

TEST(hostile_command, every_bit_of_a_write)
{
	static const struct sweep s = { &io_sq, build_io_bit, right_bit };

	begin();
	sweep_all(&s, 2 * CMD_BITS);
}

static bool build_admin_bit(u32 i, struct nvme_cmd *c)
{
	static const struct nvme_cmd base[] = {
		{ .opcode = ADMIN_SET_FEATURES, .cdw10 = FEAT_ARBITRATION },
		{ .opcode = ADMIN_GET_FEATURES, .cdw10 = FEAT_ARBITRATION },
		{ .opcode = ADMIN_ABORT, .cdw10 = 1 },
		{ .opcode = ADMIN_DELETE_SQ, .cdw10 = 0x40 },
		{ .opcode = ADMIN_CREATE_CQ, .cdw10 = 0x00030040, .cdw11 = 1 },
	};
	u32 bit = i % CMD_BITS;

	*c = base[i / CMD_BITS];
	if (c->opcode == ADMIN_CREATE_CQ)
		c->prp1 = phys(list) + 8;	/* never right, whatever else is */
	if (!flip_bit(bit, c))
		return false;
	/* What would write to low memory, stay, or take away what is in use */
	return !ONE_OF(c->opcode, ADMIN_IDENTIFY, ADMIN_GET_LOG, ADMIN_ASYNC_EVENT,
		       ADMIN_DBBUF) && !(c->opcode == ADMIN_DELETE_SQ && c->cdw10 < 3);
}

static bool right_admin_bit(u32 i, u16 status)
{
	/* One flipped bit of the address is the one that was wrong. */
	if (i / CMD_BITS == 4 && i % CMD_BITS == 6 * 32 + 3)
		return status == SC_SUCCESS;
	return status != SC_INTERNAL && (i / CMD_BITS != 4 || status != SC_SUCCESS);
}

TEST(hostile_command, every_bit_of_admin_commands)
{
	static const struct sweep s = { &nvme.asq, build_admin_bit, right_admin_bit };

	begin();
	sweep_all(&s, 5 * CMD_BITS);
}

/* ---- identify, features, log pages ---- */

static bool build_identify(u32 i, struct nvme_cmd *c)
{
	const u32 nsids[] = { nvme.nsid, 0, 17, ~0u };

	*c = (struct nvme_cmd) {
		.opcode = ADMIN_IDENTIFY, .nsid = nsids[i >> 8], .cdw10 = i & 0xff,
		.prp1 = phys(page),
	};
	return true;
}

static bool right_identify(u32 i, u16 status)
{
	/* Namespace, its descriptors, its part for a command set */
	if (ONE_OF(i & 0xff, 0, 3, 5))
		return status == (i >> 8 ? SC_INVALID_NS : SC_SUCCESS);
	if (ONE_OF(i & 0xff, 1, 6))
		return status == SC_SUCCESS;
	if ((i & 0xff) == 2)
		return status == (i >> 8 == 3 ? SC_INVALID_NS : SC_SUCCESS);
	return status == SC_INVALID_FIELD;
}

TEST(hostile_command, every_identify_structure)
{
	static const struct sweep s = { &nvme.asq, build_identify, right_identify };

	begin();
	sweep_all(&s, 4 * 256);
}

static bool known_feature(u32 fid)
{
	return (fid >= 1 && fid <= 0xb && fid != 3);
}

/* Selections 0 to 7 of Get Features, then Set Features with and without saving */
static bool build_feature(u32 i, struct nvme_cmd *c)
{
	u32 fid = i & 0xff, what = i >> 8;

	*c = (struct nvme_cmd) {
		.opcode = what < 8 ? ADMIN_GET_FEATURES : ADMIN_SET_FEATURES,
		.nsid = fid == FEAT_ERROR_RECOVERY ? nvme.nsid : 0,
		.cdw10 = fid | (what < 8 ? what << 8 : what == 9 ? 1u << 31 : 0),
	};
	return true;
}

static bool right_feature(u32 i, u16 status)
{
	u32 fid = i & 0xff, what = i >> 8;

	if (!known_feature(fid) || (what < 8 && what > 3))
		return status == SC_INVALID_FIELD;
	if (what == 9)
		return status == SC_FEAT_NOT_SAVEABLE;
	if (what == 8 && fid == FEAT_NUM_QUEUES)
		return status == SC_CMD_SEQUENCE;
	/* A disk without a cache has no feature for it. */
	if (fid == FEAT_VWC && what != 3 && !(nvme.idctrl[525] & 1))
		return status == SC_INVALID_FIELD;
	return status == SC_SUCCESS;
}

TEST(hostile_command, every_feature)
{
	static const struct sweep s = { &nvme.asq, build_feature, right_feature };

	begin();
	sweep_all(&s, 10 * 256);
}

/* Whole pages, then from an offset far beyond the end of any. */
static bool build_log(u32 i, struct nvme_cmd *c)
{
	*c = (struct nvme_cmd) {
		.opcode = ADMIN_GET_LOG, .nsid = ~0u, .prp1 = phys(page),
		.cdw10 = (i & 0xff) | 0x03ff0000,
		.cdw12 = i >> 8 ? 0x10000000 : 0,
	};
	return true;
}

static bool right_log(u32 i, u16 status)
{
	if (!ONE_OF(i & 0xff, 1, 2, 3, 4, 5))
		return status == SC_INVALID_LOG_PAGE;
	return status == (i >> 8 ? SC_INVALID_FIELD : SC_SUCCESS);
}

TEST(hostile_command, every_log_page)
{
	static const struct sweep s = { &nvme.asq, build_log, right_log };

	begin();
	sweep_all(&s, 2 * 256);
}

/* ---- doorbells ---- */

/* Those @n from @first on, around the end of the ring, each once and no other. */
static void expect_completions(u32 first, u32 n)
{
	bool due[IO_DEPTH] = {};
	struct nvme_cqe e;
	u32 i;

	for (i = 0; i < n; i++)
		due[(first + i) % IO_DEPTH] = true;
	for (i = 0; i < n; i++) {
		ASSERT(nvme_reap(&io_cq, &e, timeout_ns(), true));
		if (e.cid >= IO_DEPTH || !due[e.cid])
			test_fatal("completion of %x, a stranger or twice", e.cid);
		due[e.cid] = false;
		EXPECT_STATUS(cqe_status(&e), SC_SUCCESS);
		EXPECT_EQ(e.sq_id, 1);
	}
	EXPECT(!nvme_reap(&io_cq, &e, quiet_ns() / 10, true));
}

/*
 * A tail that goes back by one is a queue that goes forward by all but one, since
 * it is a ring; the same value again is nothing new; one that is beyond the end
 * changes nothing.
 */
TEST(hostile_command, tail_goes_backwards)
{
	struct nvme_cmd c = { .opcode = IO_FLUSH, .nsid = nvme.nsid };
	u32 i;

	for (i = 0; i < IO_DEPTH; i++) {
		c.cid = i;
		memcpy((void *)&io_sq.ring[i], &c, sizeof(c));
	}
	nvme_w32(nvme_sq_db(1), 8);
	expect_completions(0, 8);
	nvme_w32(nvme_sq_db(1), 7);
	expect_completions(8, IO_DEPTH - 1);
	nvme_w32(nvme_sq_db(1), 7);
	nvme_w32(nvme_sq_db(1), IO_DEPTH);
	nvme_w32(nvme_sq_db(1), 0xffff);
	nvme_w32(nvme_sq_db(1), 0x10008);
	expect_completions(0, 0);
	hostile_recover();
}

/* A head that goes back, or further than there are entries, is refused. */
TEST(hostile_command, head_goes_where_nothing_is)
{
	struct nvme_cmd c = { .opcode = IO_FLUSH, .nsid = nvme.nsid };

	ASSERT_STATUS(io_exec(&c), SC_SUCCESS);
	ASSERT_STATUS(io_exec(&c), SC_SUCCESS);
	nvme_w32(nvme_cq_db(1), 1);
	nvme_w32(nvme_cq_db(1), IO_DEPTH - 1);
	nvme_w32(nvme_cq_db(1), IO_DEPTH);
	nvme_w32(nvme_cq_db(1), ~0u);
	/* It goes on as if nothing had been said. */
	io_expect_alive();
	hostile_recover();
}

/* ---- more than there is ---- */

static u16 create_cq(u64 addr, u32 id, u32 entries)
{
	struct nvme_cmd c = {
		.opcode = ADMIN_CREATE_CQ, .prp1 = addr,
		.cdw10 = (entries - 1) << 16 | id, .cdw11 = 1,
	};

	return nvme_exec(&nvme.asq, &c, NULL);
}

static u16 create_sq(u64 addr, u32 id, u32 entries)
{
	struct nvme_cmd c = {
		.opcode = ADMIN_CREATE_SQ, .prp1 = addr,
		.cdw10 = (entries - 1) << 16 | id, .cdw11 = id << 16 | 1,
	};

	return nvme_exec(&nvme.asq, &c, NULL);
}

/* Every queue, each of the largest size; then one more of each. */
TEST(hostile_command, more_queues_than_there_are)
{
	u32 id, n = nvme.nr_ioq, entries = CAP_MQES(nvme.cap) + 1;
	u64 cq = phys(page_alloc(entries * 16 / PAGE_SIZE));
	u64 sq = phys(page_alloc(entries * 64 / PAGE_SIZE));

	for (id = 2; id <= n; id++) {
		ASSERT_STATUS(create_cq(cq, id, entries), SC_SUCCESS);
		ASSERT_STATUS(create_sq(sq, id, entries), SC_SUCCESS);
	}
	test_note("%u queue pairs of %u entries", n, entries);
	EXPECT_STATUS(create_cq(cq, n + 1, 2), SC_QID_INVALID);
	EXPECT_STATUS(create_sq(sq, n + 1, 2), SC_QID_INVALID, SC_CQ_INVALID);
	EXPECT_STATUS(create_cq(cq, 0xffff, 2), SC_QID_INVALID);
	ASSERT_STATUS(nvme_delete_sq(n), SC_SUCCESS);
	ASSERT_STATUS(nvme_delete_cq(n), SC_SUCCESS);
	EXPECT_STATUS(create_cq(cq, n, entries + 1), SC_QUEUE_SIZE);
	EXPECT_STATUS(create_cq(cq, n, 0x10000), SC_QUEUE_SIZE);
	EXPECT_STATUS(create_cq(cq, n, entries), SC_SUCCESS);
	EXPECT_STATUS(create_sq(sq, n, entries + 1), SC_QUEUE_SIZE);
	hostile_recover();
}

/* Transfers over the limit, and event requests without end. */
TEST(hostile_command, more_data_and_requests_than_allowed)
{
	struct nvme_cmd c = io_cmd(IO_WRITE, 0, nvme.max_transfer / nvme.lba_size);
	u32 i, aerl = nvme.idctrl[259] + 1;
	struct nvme_cqe e;

	begin();
	c.prp1 = phys(page);
	c.prp2 = phys(list);
	EXPECT_STATUS(io_exec(&c), SC_SUCCESS);
	c.cdw12++;
	EXPECT_STATUS(io_exec(&c), SC_INVALID_FIELD);
	c.cdw12 |= 0xffff;
	EXPECT_STATUS(io_exec(&c), SC_INVALID_FIELD, SC_LBA_RANGE);

	for (i = 0; i < aerl + 4; i++) {
		c = (struct nvme_cmd) { .opcode = ADMIN_ASYNC_EVENT, .cid = i };
		nvme_put(&nvme.asq, &c);
	}
	nvme_ring_sq(&nvme.asq);
	for (i = 0; i < 4; i++) {
		ASSERT(nvme_reap(&nvme.acq, &e, timeout_ns(), true));
		EXPECT_STATUS(cqe_status(&e), SC_AER_LIMIT);
	}
	hostile_recover();
}

/*
 * All of the guest's memory as data, one page after the other: dom0 maps no more
 * of it at a time than map_limit says, and the data is right all the same.
 */
TEST(hostile_command, all_memory_is_data)
{
	u32 i, k, at, n = min(nvme.max_transfer / PAGE_SIZE, 128u);
	u32 pages = mem_pages_free() - 64, per_page = PAGE_SIZE / nvme.lba_size;
	u8 *all = page_alloc(pages);
	u64 *prps = page_alloc(1);
	struct nvme_cmd c;

	SKIP_IF((u64)n * per_page > nvme.lbas, "a small disk");
	for (at = 0; at + n <= pages; at += n) {
		for (i = 1; i < n; i++)
			prps[i - 1] = phys(all + (at + i) * PAGE_SIZE);
		/* There and back, to the same pages */
		for (k = 0; k < 2; k++) {
			c = io_cmd(k ? IO_READ : IO_WRITE, 0, n * per_page);
			c.prp1 = phys(all + at * PAGE_SIZE);
			c.prp2 = phys(prps);
			for (i = 0; i < n; i++)
				*(u32 *)(all + (at + i) * PAGE_SIZE) = k ? 0 : at + i;
			ASSERT_STATUS(io_exec(&c), SC_SUCCESS);
		}
		for (i = 0; i < n; i++)
			ASSERT_EQ(*(u32 *)(all + (at + i) * PAGE_SIZE), at + i);
	}
	test_note("%u MiB", pages >> 8);
	hostile_recover();
}
