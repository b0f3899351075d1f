// SPDX-License-Identifier: GPL-2.0
/*
 * Random accesses of all kinds, mostly near to what makes sense. Arguments seed=
 * (printed; the time stamp counter if missing) and seconds= (default 5), half of
 * them by one CPU, which a seed repeats, half with another one at work, which
 * comes at its own times.
 *
 * The guest harms itself as well if it is let: what the controller may write to
 * is taken from an arena, and messages carry vectors that are harmless here.
 */
#include "hostile.h"
#include "smp.h"
#include "xen.h"

#define ARENA	64

static u32 seed;
static u32 other_seed;	/* of the second CPU */
static u8 *arena;
static u64 out;		/* pages of the arena that are ballooned out */

static void setup(void)
{
	seed = (u32)arg_u64("seed", 0);
	if (!seed)
		seed = (u32)rdtsc() | 1;
	hostile_setup();
}

SUITE(hostile_fuzz, .setup = setup, .teardown = hostile_teardown,
      .flags = SUITE_MANUAL);

static u32 next_of(u32 *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 17;
	*s ^= *s << 5;
	return *s;
}

static u32 next(void)
{
	return next_of(&seed);
}

static u32 below(u32 n)
{
	return (next() >> 8) % n;
}

static u64 any_page(void)
{
	return below(8) ? phys(arena) + below(ARENA) * PAGE_SIZE :
	       hostile_addr(below(HOSTILE_ADDRS));
}

static u64 any_addr(void)
{
	u64 a = any_page();

	return below(4) ? a : a + below(PAGE_SIZE);
}

static bool is_out(u32 page)
{
	return out >> page & 1;
}

/* Lists of PRPs, SGLs or ranges in a page of the arena. */
static void scribble(void)
{
	u32 page = below(ARENA), i, how = below(3);
	u64 *p = (u64 *)(arena + page * PAGE_SIZE);

	if (is_out(page))
		return;
	for (i = 0; i < PAGE_SIZE / 16; i++) {
		switch (how) {
		case 0:
			p[2 * i] = any_addr();
			p[2 * i + 1] = any_page();
			break;
		case 1:
			p[2 * i] = any_addr();
			p[2 * i + 1] = (below(3) ? PAGE_SIZE : next()) |
				       (u64)(below(3) ? 0 : next()) << 56;
			break;
		case 2:
			p[2 * i] = (u64)(below(4) ? 8 : next()) << 32 | next();
			p[2 * i + 1] = below(4) ? below(4096) : ~0ull >> below(64);
			break;
		}
	}
}

static struct nvme_cmd any_command(bool admin)
{
	static const u8 admins[] = {
		ADMIN_DELETE_SQ, ADMIN_CREATE_SQ, ADMIN_GET_LOG, ADMIN_DELETE_CQ,
		ADMIN_CREATE_CQ, ADMIN_IDENTIFY, ADMIN_ABORT, ADMIN_SET_FEATURES,
		ADMIN_GET_FEATURES, ADMIN_ASYNC_EVENT, ADMIN_DBBUF, ADMIN_CREATE_SQ,
		ADMIN_CREATE_CQ,
	};
	static const u8 ios[] = {
		IO_FLUSH, IO_WRITE, IO_READ, IO_WRITE, IO_READ, IO_COMPARE,
		IO_WRITE_ZEROES, IO_DSM,
	};
	struct nvme_cmd c = {
		.opcode = admin ? admins[below(ARRAY_SIZE(admins))] :
				  ios[below(ARRAY_SIZE(ios))],
		.cid = next(),
		.nsid = below(8) ? nvme.nsid : next(),
		.prp1 = any_addr(),
		.prp2 = any_addr(),
		.cdw10 = below(256),
		.cdw12 = below(4) ? below(300) : next(),
	};

	if (admin) {
		/* Queue identifiers and sizes, features, log pages, all small */
		c.cdw10 = below(6) | below(128) << 16;
		c.cdw11 = 1 | below(4) << 1 | below(8) << 16;
		if (c.opcode == ADMIN_CREATE_CQ || c.opcode == ADMIN_CREATE_SQ)
			c.prp1 = any_page();
	}
	if (!below(4)) {
		c.flags = CMD_PSDT_SGL;
		c.sgl.addr = any_addr();
		c.sgl.len = below(2) ? below(PAGE_SIZE) : next();
		c.sgl.type = below(4) << 4;
	}
	switch (below(16)) {
	case 0: c.opcode = next(); break;
	case 1: c.flags = next(); break;
	case 2: c.cdw10 = next(); break;
	case 3: c.cdw11 = next(); break;
	case 4: c.cdw13 = next(); break;
	}
	return c;
}

static void commands(bool admin)
{
	struct nvme_sq *sq = admin ? &nvme.asq : &io_sq;
	u32 n = 1 + below(admin ? 4 : 40);
	struct nvme_cmd c;

	while (n--) {
		c = any_command(admin);
		nvme_put(sq, &c);
	}
	nvme_ring_sq(sq);
}

/* Entries that came, or the doorbell without them. */
static void completions(struct nvme_cq *cq)
{
	struct nvme_cqe e;
	u32 n = below(64);

	while (n-- && nvme_cq_ready(cq))
		nvme_reap(cq, &e, 0, false);
	nvme_ring_cq(cq);
}

static void any_register(void)
{
	static const u8 regs[] = {
		NVME_INTMS, NVME_INTMC, NVME_CC, NVME_CSTS, NVME_NSSR, NVME_AQA,
	};
	u32 a = below(0x4000 - 8), v = next();

	switch (below(8)) {
	case 0: mmio_read8(nvme.bar + a); break;
	case 1: mmio_read16(nvme.bar + a); break;
	case 2: mmio_read32(nvme.bar + a); break;
	case 3: nvme_w32(regs[below(ARRAY_SIZE(regs))], v); break;
	case 4: nvme_w32(NVME_CC, CC_DEFAULT | below(2) | (below(4) ? 0 : v)); break;
	case 5: mmio_write8(nvme.bar + below(0x1400), v); break;
	case 6: mmio_write16(nvme.bar + below(0x1400), v); break;
	case 7: nvme_w32(NVME_DOORBELLS + below(12) * 4, below(4) ? below(64) : v); break;
	}
}

static void any_message(void)
{
	uintptr_t entry = nvme.pci.msix_table + below(8) * 16;

	if (!nvme.pci.msix_cap)
		return;
	mmio_write32(entry + MSIX_ENTRY_CTRL, 1);
	mmio_write32(entry + MSIX_ENTRY_ADDR, below(2) ? next() : 0xfee00000 | (next() & 0xfffff));
	mmio_write32(entry + MSIX_ENTRY_UPPER, below(4) ? 0 : next());
	mmio_write32(entry + MSIX_ENTRY_DATA, 0x40 + below(8));
	mmio_write32(entry + MSIX_ENTRY_CTRL, below(2));
}

static void any_config(void)
{
	u32 off = below(0x100), v = next();

	switch (below(6)) {
	case 0: pci_read8(&nvme.pci, off); break;
	case 1: pci_read16(&nvme.pci, off); break;
	case 2: pci_read32(&nvme.pci, off); break;
	case 3: pci_write8(&nvme.pci, off, v); break;
	case 4: pci_write16(&nvme.pci, off, v); break;
	case 5: pci_write32(&nvme.pci, off, v); break;
	}
}

/* Give a page away, or take it back. */
static void toggle_memory(u32 page)
{
	u32 gfn = (u32)phys(arena + page * PAGE_SIZE) >> PAGE_SHIFT;

	if ((is_out(page) ? xen_balloon_in(gfn) : xen_balloon_out(gfn)) == 1)
		out ^= BIT_ULL(page);
}

static void all_in(void)
{
	u32 page;

	for (page = 0; page < ARENA; page++)
		if (is_out(page))
			toggle_memory(page);
	EXPECT_EQ(out, 0);
}

static void step(void)
{
	u32 what = below(100);

	if (what < 30)
		commands(false);
	else if (what < 40)
		commands(true);
	else if (what < 55)
		completions(below(3) ? &io_cq : &nvme.acq);
	else if (what < 70)
		any_register();
	else if (what < 80)
		scribble();
	else if (what < 86)
		any_config();
	else if (what < 92)
		any_message();
	else if (what < 96 && xen_present())
		toggle_memory(below(ARENA));
	else if (what < 97)
		hostile_flr();
	else
		pci_command(&nvme.pci, 0, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

/* The controller back at work, with rings in the arena's reach or not. */
static void revive(void)
{
	hostile_power(0);
	nvme_forget(true);
	nvme_start();
	nvme_create_pair(&io_sq, &io_cq, 1, IO_DEPTH, below(2));
	if (below(2))
		nvme_dbbuf_enable();
}

/*
 * The second CPU rewrites commands, lists and shadow doorbells that the first
 * one has made, and rings for them, in between of all that.
 */
static volatile bool stop;

static u32 other_below(u32 n)
{
	return (next_of(&other_seed) >> 8) % n;
}

static void disturb(void *arg)
{
	volatile u32 *words = (volatile u32 *)io_sq.ring;
	u32 v;

	(void)arg;
	while (!stop) {
		v = next_of(&other_seed);
		switch (other_below(8)) {
		case 0: case 1:
			/* Blocks and flags: not where data goes, nor how much */
			words[other_below(IO_DEPTH) * 16 + 10 + other_below(6)] =
				v & ~0xff80u;
			break;
		case 2:
			/* Opcode, fused operations */
			words[other_below(IO_DEPTH) * 16] ^= 1u << other_below(10);
			break;
		case 3:
			if (nvme.dbbuf)
				nvme.dbbuf[other_below(8)] = v >> (v & 31);
			break;
		case 4:
			if (nvme.eventidx)
				nvme.eventidx[other_below(8)] = v;
			break;
		case 5:
			nvme_w32(NVME_DOORBELLS + other_below(12) * 4, other_below(2 * IO_DEPTH));
			break;
		case 6:
			nvme_r32(other_below(0x40) * 4);
			break;
		case 7:
			nvme_w32(v & 1 ? NVME_INTMS : NVME_INTMC, v);
			break;
		}
	}
}

static void run(bool both)
{
	u64 start = now_ns(), ns = arg_u64("seconds", 5) * NSEC_PER_SEC / 2;
	u32 lives = 0, steps = 0, mark, i;

	test_note("seed %u", seed);
	other_seed = seed ^ 0x5a5a5a5a;
	arena = page_alloc(ARENA);
	while (now_ns() - start < ns) {
		mark = mem_mark();
		revive();
		if (both) {
			stop = false;
			smp_call(1, disturb, NULL);
		}
		lives++;
		for (i = 0; i < 300 && now_ns() - start < ns; i++, steps++)
			step();
		stop = true;
		if (both)
			ASSERT(smp_wait(1, timeout_ns()));
		all_in();
		mem_release(mark);
		if (test_failed())
			break;
	}
	test_note("%u steps in %u lives; seed %u next", steps, lives, seed);
	hostile_recover();
}

TEST(hostile_fuzz, random)
{
	run(false);
}

TEST(hostile_fuzz, random_beside_another_cpu)
{
	SKIP_IF(smp_start() < 2, "one CPU");
	run(true);
}
