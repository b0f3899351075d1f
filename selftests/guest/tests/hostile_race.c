// SPDX-License-Identifier: GPL-2.0
/*
 * Double fetch: what the controller is reading changes under its hands, between
 * two forms of which one is wrong. Whichever it sees, it must have looked once:
 * every command completes, once, and nothing else happens.
 */
#include "hostile.h"
#include "smp.h"

#define BATCH	(IO_DEPTH - 1)

SUITE(hostile_race, .setup = hostile_setup, .teardown = hostile_teardown,
      .flags = SUITE_MANUAL);

/* Memory that flips between two contents, by words. */
#define FLIP_WORDS	(IO_DEPTH * 16)

static struct flip {
	volatile u32 *at;
	u32 words;
	u32 a[FLIP_WORDS], b[FLIP_WORDS];
	volatile bool stop;
} flip;

static void flip_once(void)
{
	u32 i;

	for (i = 0; i < flip.words; i++)
		flip.at[i] = flip.b[i];
	for (i = 0; i < flip.words; i++)
		flip.at[i] = flip.a[i];
}

static void flip_always(void *arg)
{
	(void)arg;
	while (!flip.stop)
		flip_once();
}

/*
 * What is raced: how a batch is put on the ring, with what flips, and whether that
 * status is one of the two that the forms of a command have.
 */
struct race {
	void (*build)(u8 *arena, u32 round);
	bool (*right)(u32 cid, u32 round, u16 status);
	u32 per_batch;
};

/* The guest's own doing, never the controller's trouble */
static bool any_right(u32 cid, u32 round, u16 status)
{
	(void)cid;
	(void)round;
	return status != SC_INTERNAL;
}

/* As many commands were seen in their right form, and in another. */
static u32 good_seen, bad_seen;

/* Ring for the commands, flip until all are done; each identifier comes once. */
static void race_batch(const struct race *r, u32 round)
{
	static u8 seen[IO_DEPTH];
	u64 start = now_ns();
	u32 got = 0, n = r->per_batch;
	struct nvme_cqe e;
	u16 status;

	memset(seen, 0, sizeof(seen));
	nvme_ring_sq(&io_sq);
	while (got < n) {
		flip_once();
		if (now_ns() - start > timeout_ns())
			test_fatal("%u of %u commands completed", got, n);
		while (nvme_cq_ready(&io_cq)) {
			nvme_reap(&io_cq, &e, 0, false);
			if (e.cid >= n || seen[e.cid]++)
				test_fatal("completion of %x, a stranger or twice", e.cid);
			status = cqe_status(&e);
			if (!r->right(e.cid, round, status))
				test_fail("command %u of round %u: status %03x (%s)", e.cid,
					  round, status, nvme_status_name(status));
			if (status == SC_SUCCESS)
				good_seen++;
			else
				bad_seen++;
			got++;
		}
	}
	nvme_ring_cq(&io_cq);
}

/* Both forms are still to be seen, and there is time for it. */
static bool race_is_on(u64 ns)
{
	return ns < timeout_ns() && (!good_seen || !bad_seen);
}

/*
 * The other CPU flips as well. If there is one, it goes on until both forms were seen:
 * alone, this one waits for each access, and what flips is at rest.
 */
static void race(const struct race *r)
{
	u64 start = now_ns(), ns = hostile_ns(400);
	u8 *arena = page_alloc(80);
	bool other = smp_start() > 1;
	u32 rounds = 0;

	good_seen = 0;
	bad_seen = 0;
	while (now_ns() - start < ns || (other && race_is_on(now_ns() - start))) {
		r->build(arena, rounds);
		if (other) {
			flip.stop = false;
			smp_call(1, flip_always, NULL);
		}
		race_batch(r, rounds++);
		flip.stop = true;
		if (other)
			ASSERT(smp_wait(1, timeout_ns()));
	}
	test_note("%u batches of %u: %u good, %u not", rounds, r->per_batch, good_seen,
		  bad_seen);
	if (other) {
		EXPECT_NE(good_seen, 0);
		EXPECT_NE(bad_seen, 0);
	}
	nvme_start();
	nvme_create_pair(&io_sq, &io_cq, 1, IO_DEPTH, false);
	io_expect_alive();
}

#define KINDS	9

/* The commands themselves: each field of them, and all at once. */
static void build_commands(u8 *arena, u32 round)
{
	struct nvme_cmd good, bad;
	u32 i;

	flip.at = (volatile u32 *)io_sq.ring;
	flip.words = FLIP_WORDS;
	memset(flip.a, 0, sizeof(flip.a));
	memset(flip.b, 0, sizeof(flip.b));
	for (i = 0; i < BATCH; i++) {
		u32 slot = io_sq.tail, kind = (i + round) % KINDS;

		good = io_cmd(IO_READ, i * 8, PAGE_SIZE / nvme.lba_size);
		good.cid = i;
		good.prp1 = phys(arena + i * PAGE_SIZE);
		/* For the kinds that have two pages then, or a list, which is zeros */
		if (kind == 2 || kind == 6)
			good.prp2 = phys(arena + (BATCH + kind) * PAGE_SIZE);
		bad = good;
		switch (kind) {
		case 0: bad.opcode = 0x7f; break;
		case 1: bad.nsid = 0xffffffff; break;
		case 2: bad.cdw12 = 0xffff; break;
		case 3: bad.prp1 = hostile_addr(i % HOSTILE_ADDRS); break;
		case 4: bad.cdw11 = 0xffffffff; break;
		case 5: bad.flags = CMD_PSDT_SGL; break;
		case 6: bad.prp1 |= 0x800; break;
		case 7: bad.opcode = IO_WRITE; break;
		case 8:
			memset(&bad, 0xff, sizeof(bad));
			bad.cid = i;
			break;
		}
		nvme_put(&io_sq, &good);
		memcpy(&flip.a[slot * 16], &good, sizeof(good));
		memcpy(&flip.b[slot * 16], &bad, sizeof(bad));
	}
}

/* A field may be seen while it changes, too: each byte of it is of one of the two. */
static bool right_command(u32 cid, u32 round, u16 status)
{
	if (status == SC_SUCCESS)
		return true;
	switch ((cid + round) % KINDS) {
	case 0: return status == SC_INVALID_OPCODE;
	case 1: return status == SC_INVALID_FIELD || status == SC_INVALID_NS;
	case 2: return status == SC_INVALID_FIELD || status == SC_LBA_RANGE;
	case 3: return status == SC_DATA_TRANSFER;
	case 4: return status == SC_LBA_RANGE;
	case 5: return status == SC_SGL_DATA_LENGTH;
	case 6: case 7: return false;
	}
	return any_right(cid, round, status);
}

TEST(hostile_race, commands)
{
	static const struct race r = { build_commands, right_command, BATCH };

	race(&r);
}

/* One list for all commands: its entries go astray while it is walked. */
#define LIST_PAGES	16

static void build_prp_lists(u8 *arena, u32 round)
{
	u64 *list = (u64 *)arena, *a = (u64 *)flip.a, *b = (u64 *)flip.b;
	struct nvme_cmd c;
	u32 i;

	flip.at = (volatile u32 *)list;
	flip.words = LIST_PAGES * 2;
	for (i = 0; i < LIST_PAGES; i++) {
		a[i] = phys(arena + (2 + i) * PAGE_SIZE);
		b[i] = (i + round) & 1 ? hostile_addr((i + round) % HOSTILE_ADDRS) :
		       a[i] + 0x10;
		list[i] = a[i];
	}
	for (i = 0; i < BATCH; i++) {
		c = io_cmd(IO_READ, 0, LIST_PAGES * PAGE_SIZE / nvme.lba_size);
		c.cid = i;
		c.prp1 = phys(arena + PAGE_SIZE);
		c.prp2 = phys(list);
		nvme_put(&io_sq, &c);
	}
}

TEST(hostile_race, prp_lists)
{
	static const struct race r = { build_prp_lists, any_right, BATCH };

	race(&r);
}

/* The pointer from one page of the list to the next; the list ends in its page. */
static void build_prp_chains(u8 *arena, u32 round)
{
	u64 *list = (u64 *)(arena + PAGE_SIZE) - 2, *next = (u64 *)(arena + PAGE_SIZE);
	u64 *a = (u64 *)flip.a, *b = (u64 *)flip.b;
	struct nvme_cmd c;
	u32 i;

	list[0] = phys(arena + 3 * PAGE_SIZE);
	list[1] = phys(next);
	for (i = 0; i < 8; i++)
		next[i] = phys(arena + (4 + i) * PAGE_SIZE);
	flip.at = (volatile u32 *)&list[1];
	flip.words = 2;
	a[0] = list[1];
	b[0] = round % 3 == 0 ? hostile_addr(round / 3 % HOSTILE_ADDRS) :
	       round % 3 == 1 ? phys(list) : phys(arena) + 8;
	for (i = 0; i < BATCH; i++) {
		c = io_cmd(IO_READ, 0, 9 * PAGE_SIZE / nvme.lba_size);
		c.cid = i;
		c.prp1 = phys(arena + 2 * PAGE_SIZE);
		c.prp2 = phys(list);
		nvme_put(&io_sq, &c);
	}
}

TEST(hostile_race, prp_chains)
{
	static const struct race r = { build_prp_chains, any_right, BATCH };

	race(&r);
}

static void build_sgl(u8 *arena, u32 round)
{
	struct sgl_desc *seg = (struct sgl_desc *)arena;
	struct nvme_cmd c;
	u32 i;

	flip.at = (volatile u32 *)arena;
	flip.words = 8 * sizeof(*seg) / 4;
	for (i = 0; i < 8; i++) {
		struct sgl_desc good = {
			.addr = phys(arena + (1 + i) * PAGE_SIZE),
			.len = PAGE_SIZE,
		}, bad = good;

		switch ((i + round) % 6) {
		case 0: bad.len = 0xffffffff; break;
		case 1: bad.len = 0; break;
		case 2: bad.addr = hostile_addr((i + round) % HOSTILE_ADDRS); break;
		case 3: bad.type = SGL_LAST; break;
		case 4: bad.type = 0xff; break;
		case 5: bad.type = SGL_BIT_BUCKET; break;
		}
		memcpy(&flip.a[i * 4], &good, sizeof(good));
		memcpy(&flip.b[i * 4], &bad, sizeof(bad));
		seg[i] = good;
	}
	for (i = 0; i < BATCH; i++) {
		c = io_cmd(IO_READ, 0, 8 * PAGE_SIZE / nvme.lba_size);
		c.cid = i;
		c.flags = CMD_PSDT_SGL;
		c.sgl.addr = phys(seg);
		c.sgl.len = 8 * sizeof(*seg);
		c.sgl.type = SGL_LAST;
		nvme_put(&io_sq, &c);
	}
}

TEST(hostile_race, sgl)
{
	static const struct race r = { build_sgl, any_right, BATCH };

	race(&r);
}

static void build_ranges(u8 *arena, u32 round)
{
	struct range {
		u32 attributes, blocks;
		u64 slba;
	} good = { 0, 8, 0 }, bad = { ~0u, ~0u, ~0ull };
	struct nvme_cmd c;
	u32 i;

	flip.at = (volatile u32 *)arena;
	flip.words = 64 * sizeof(good) / 4;
	for (i = 0; i < 64; i++) {
		good.slba = i * 8;
		bad.slba = (i + round) & 1 ? ~0ull : nvme.lbas - 1;
		memcpy(&flip.a[i * 4], &good, sizeof(good));
		memcpy(&flip.b[i * 4], &bad, sizeof(bad));
		memcpy(arena + i * sizeof(good), &good, sizeof(good));
	}
	for (i = 0; i < 16; i++) {
		c = io_cmd(IO_DSM, 63, 1);
		c.cid = i;
		c.cdw10 = 63;
		c.cdw11 = 4;
		c.cdw12 = 0;
		c.prp1 = phys(arena);
		nvme_put(&io_sq, &c);
	}
}

TEST(hostile_race, deallocate_ranges)
{
	static const struct race r = { build_ranges, any_right, 16 };

	race(&r);
}

/* Shadow doorbells with any value at any moment; the queue itself is sane. */
TEST(hostile_race, shadow_doorbells)
{
	u64 start = now_ns(), ns = hostile_ns(400);
	u8 *arena = page_alloc(IO_DEPTH);
	struct nvme_cmd c;
	u32 i;

	if (nvme_dbbuf_enable() != SC_SUCCESS)
		SKIP("no shadow doorbells");
	for (i = 0; i < IO_DEPTH; i++) {
		c = io_cmd(IO_READ, i * 8, PAGE_SIZE / nvme.lba_size);
		c.cid = i;
		c.prp1 = phys(arena + i * PAGE_SIZE);
		memcpy((void *)&io_sq.ring[i], &c, sizeof(c));
	}
	for (i = 0; now_ns() - start < ns; i++) {
		nvme.dbbuf[2] = i & 7 ? rnd() % IO_DEPTH : rnd();
		nvme.dbbuf[3] = i & 3 ? rnd() % IO_DEPTH : rnd();
		nvme.eventidx[2] = rnd();
		nvme.eventidx[3] = rnd();
		if (!(i & 15)) {
			nvme_w32(nvme_sq_db(1), nvme.dbbuf[2] % IO_DEPTH);
			nvme_w32(nvme_cq_db(1), rnd() % IO_DEPTH);
		}
	}
	hostile_recover();
}
