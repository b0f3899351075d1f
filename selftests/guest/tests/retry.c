// SPDX-License-Identifier: GPL-2.0
/*
 * A guest whose host runs out of things now and then: it starts the controller,
 * makes queues, writes, reads back and compares, takes memory away and gives it
 * back, and begins anew, until somebody ends the domain. What fails with a status
 * that says so is tried again; everything else ends the test: wrong data, other
 * statuses, a command that does not complete.
 *
 * Another one whose controller is taken away and given back, always in mid-I/O; and
 * one whose disk fails now and then, which looks at each kind of command.
 */
#include "nvme_io.h"
#include "xen.h"

#define TRIES		20
#define NO_DATA_LBA	16384

SUITE(retry, .setup = nvme_attach, .teardown = nvme_stop, .flags = SUITE_MANUAL);
SUITE(replug, .flags = SUITE_MANUAL);
SUITE(blocks, .setup = nvme_attach, .teardown = nvme_stop, .flags = SUITE_MANUAL);

/* Is that the host's fault? A disk in memory without memory says that it is full. */
static bool excused(u16 status)
{
	if (status == SC_SUCCESS)
		return false;
	EXPECT_STATUS(status, SC_INTERNAL, SC_INTERRUPTED, SC_DATA_TRANSFER,
		      SC_WRITE_FAULT, SC_READ_ERROR, SC_CAP_EXCEEDED);
	if (test_failed())
		test_abort();
	return true;
}

static bool start(void)
{
	void *page = page_alloc(1);
	u32 lbaf;

	ASSERT(nvme_disable());
	nvme_admin_setup(8, 8);
	if (!nvme_enable(CC_DEFAULT)) {
		/* Not silently. */
		ASSERT_EQ(nvme_r32(NVME_CSTS) & CSTS_CFS, CSTS_CFS);
		return false;
	}
	if (excused(nvme_identify(0, nvme.nsid, page)))
		return false;
	memcpy(&lbaf, (u8 *)page + 128 + (((u8 *)page)[26] & 15) * 4, 4);
	nvme.lba_size = 1u << (lbaf >> 16 & 31);
	nvme.max_transfer = 1u << 18;
	if (excused(nvme_set_queues(2)))
		return false;
	nvme_cq_init(&io_cq, 1, IO_DEPTH, 0, false);
	nvme_sq_init(&io_sq, 1, IO_DEPTH, &io_cq);
	if (excused(nvme_create_cq(&io_cq)))
		return false;
	if (excused(nvme_create_sq(&io_sq)))
		return false;
	return !excused(nvme_dbbuf_enable());
}

/* A fatal controller does not complete what it has: then all begins anew. */
static bool lost(void)
{
	return nvme_r32(NVME_CSTS) & CSTS_CFS;
}

static enum { DONE, FAILED, LOST } exec(struct nvme_cmd *c)
{
	struct nvme_cqe e;

	nvme_submit(&io_sq, c);
	if (!wait_for(nvme_cq_ready(&io_cq) || lost(), timeout_ns()))
		test_fatal("no completion of opcode %02x", c->opcode);
	if (lost() || !nvme_reap(&io_cq, &e, 0, true))
		return LOST;
	ASSERT_EQ(e.cid, c->cid);
	return excused(cqe_status(&e)) ? FAILED : DONE;
}

static bool rw(u8 op, u32 lba, struct dbuf *b)
{
	u32 mark = mem_mark(), i;
	bool ok = false;

	for (i = 0; i < TRIES && !ok && !lost(); i++) {
		struct nvme_cmd c = io_cmd(op, lba, b->len / nvme.lba_size);

		mem_release(mark);
		dbuf_prp(b, &c, 0);
		ok = exec(&c) == DONE;
	}
	mem_release(mark);
	return ok;
}

static bool data(enum dbuf_shape shape, u32 off, u32 len, u32 seed)
{
	u32 mark = mem_mark();
	struct dbuf b;
	bool ok;

	dbuf_alloc(&b, shape, off, len);
	dbuf_fill(&b, seed);
	ok = rw(IO_WRITE, seed % 64 * 128, &b);
	if (ok) {
		dbuf_poison(&b);
		ok = rw(IO_READ, seed % 64 * 128, &b);
	}
	if (ok && !dbuf_check(&b, seed))
		test_abort();
	mem_release(mark);
	return ok;
}

/* Where no data is: behind what data() uses. */
static bool no_data(u8 op)
{
	struct nvme_cmd c = { .opcode = op, .nsid = 1 };
	u32 *range;

	if (op == IO_DSM) {
		range = page_alloc(1);
		range[1] = 8;
		range[2] = NO_DATA_LBA;
		c.prp1 = phys(range);
		c.cdw11 = 4;
	} else if (op == IO_WRITE_ZEROES) {
		c.cdw10 = NO_DATA_LBA;
		c.cdw12 = 7;
	}
	return exec(&c) != LOST;
}

/* Everything that was known about this guest's memory is void after this. */
static void change_memory(void *page)
{
	u32 gfn = (u32)phys(page) >> PAGE_SHIFT;

	ASSERT_EQ(xen_balloon_out(gfn), 1);
	ASSERT_EQ(xen_balloon_in(gfn), 1);
}

TEST(retry, for_ever)
{
	void *page = page_alloc(1);
	u32 mark = mem_mark();
	u32 seed;

	SKIP_IF(!xen_present(), "not under Xen");
	nvme.nsid = 1;
	for (seed = 1;; seed++) {
		mem_release(mark);
		change_memory(page);
		if (!start())
			continue;
		if (!data(DBUF_CONTIGUOUS, 0, 4096, seed) ||
		    !data(DBUF_SCATTERED, 0x200, 65536, seed + 1))
			continue;
		change_memory(page);
		if (!data(DBUF_SCATTERED, 4, 8192, seed + 2) ||
		    !data(DBUF_SCATTERED, 0, 1 << 17, seed + 3))
			continue;
		if (!no_data(IO_FLUSH) || !no_data(IO_DSM) || !no_data(IO_WRITE_ZEROES))
			continue;
		ASSERT_STATUS(nvme_delete_sq(1), SC_SUCCESS);
		ASSERT_STATUS(nvme_delete_cq(1), SC_SUCCESS);
	}
}

/* Reads and writes at this depth until the controller is lost. */
#define DEPTH		8

static void load_put(u8 *pages, u16 slot, bool write)
{
	u32 blocks = PAGE_SIZE / nvme.lba_size;
	struct nvme_cmd c = io_cmd(write ? IO_WRITE : IO_READ, slot * blocks, blocks);

	c.cid = slot;
	c.prp1 = phys(pages + slot * PAGE_SIZE);
	nvme_put(&io_sq, &c);
	nvme_ring_sq(&io_sq);
}

static void load(u8 *pages)
{
	struct nvme_cqe e;
	u32 i;

	for (i = 0; i < DEPTH; i++)
		load_put(pages, i, true);
	for (;; i++) {
		if (!wait_for(nvme_cq_ready(&io_cq) || lost(), timeout_ns()))
			test_fatal("no completion");
		if (!nvme_reap(&io_cq, &e, 0, true))
			return;
		ASSERT(e.cid < DEPTH);
		excused(cqe_status(&e));
		load_put(pages, e.cid, i & 1);
	}
}

TEST(replug, for_ever)
{
	const char *where = arg_find("dev");
	u8 *pages = page_alloc(DEPTH);
	u32 mark = mem_mark();
	struct pci_dev d;

	ASSERT(where);
	nvme.nsid = 1;
	for (;;) {
		mem_release(mark);
		if (!wait_for(pci_at(&d, where), NSEC_PER_SEC))
			continue;
		if (nvme.bar)
			nvme_forget(true);
		nvme_attach();
		/*
		 * It is going away, or its registers could not be put there at
		 * first: they may be there by now, but were not when they were read.
		 */
		if (nvme.cap == ~0ull)
			pci_command(&nvme.pci, PCI_COMMAND_MEMORY, 0);
		else if (start())
			load(pages);
	}
}

static const struct {
	const char *name;
	u8 op;
	u32 cdw12;
	u16 status;
} kinds[] = {
	{ "read", IO_READ, 0, SC_READ_ERROR },
	{ "write", IO_WRITE, 0, SC_WRITE_FAULT },
	{ "write with FUA", IO_WRITE, BIT(30), SC_WRITE_FAULT },
	{ "flush", IO_FLUSH, 0, SC_WRITE_FAULT },
	{ "deallocate", IO_DSM, 0, SC_WRITE_FAULT },
	{ "write zeroes", IO_WRITE_ZEROES, 0, SC_WRITE_FAULT },
	{ "write zeroes or deallocate", IO_WRITE_ZEROES, BIT(25), SC_WRITE_FAULT },
	{ "write zeroes with FUA", IO_WRITE_ZEROES, BIT(30), SC_WRITE_FAULT },
};

#define LEAST		4
#define ROUNDS		400

/* Until some have succeeded and some have not, with this status. */
static void expect_some_fail(u32 kind)
{
	u32 done = 0, failed = 0, *page = page_alloc(1);
	struct nvme_cmd c;
	u16 status;

	while ((done < LEAST || failed < LEAST) && done + failed < ROUNDS) {
		c = io_cmd(kinds[kind].op, 0, 8);
		c.cdw12 |= kinds[kind].cdw12;
		c.prp1 = phys(page);
		if (c.opcode == IO_FLUSH || c.opcode == IO_DSM)
			c.cdw10 = c.cdw12 = 0;
		if (c.opcode == IO_DSM) {
			page[1] = 8;
			page[2] = page[3] = 0;
			c.cdw11 = 4;
		}
		status = io_exec(&c);
		EXPECT_STATUS(status, SC_SUCCESS, kinds[kind].status);
		if (status == SC_SUCCESS)
			done++;
		else
			failed++;
	}
	test_note("namespace %u: %s: %u of %u failed", nvme.nsid, kinds[kind].name,
		  failed, done + failed);
	if (done < LEAST || failed < LEAST)
		test_fail("%s: %u of %u failed", kinds[kind].name, failed,
			  done + failed);
}

TEST(blocks, each_kind_fails)
{
	u32 kind;

	for (nvme.nsid = 1; nvme.nsid <= 2; nvme.nsid++) {
		ASSERT(start());
		for (kind = 0; kind < ARRAY_SIZE(kinds); kind++)
			expect_some_fail(kind);
	}
}

/* Nobody is told of a flush that failed then, but neither does anybody wait. */
TEST(blocks, shutdown_ends)
{
	u32 i;

	nvme.nsid = 1;
	for (i = 0; i < 4; i++) {
		ASSERT(start());
		nvme_w32(NVME_CC, nvme_r32(NVME_CC) | CC_SHN(1));
		ASSERT(wait_for(CSTS_SHST(nvme_r32(NVME_CSTS)) == 2, timeout_ns()));
	}
}
