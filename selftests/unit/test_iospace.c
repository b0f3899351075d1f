// SPDX-License-Identifier: GPL-2.0
/* The I/O address map: driver/iospace.c. */
#include <pthread.h>
#include <unistd.h>

#include <standin/locks.h>
#include <standin/sched.h>

#include <ioemu/iospace.h>

#include "harness.h"

#define MEM	IOEMU_IO_MEMORY
#define PORT	IOEMU_IO_PORT
#define PCI	IOEMU_IO_PCI
#define SBDF(s)	((u64)(s) << 32)

/* A region that remembers its last access. */
struct probe {
	struct ioemu_io_region region;
	u64 answer;
	u64 offset;
	u64 value;
	unsigned int size;
	unsigned int reads;
	unsigned int writes;
	void (*hook)(struct probe *p);
};

static u64 probe_read(struct ioemu_io_region *region, u64 offset,
		      unsigned int size)
{
	struct probe *p = container_of(region, struct probe, region);

	/* Several threads may come here at once. */
	__atomic_add_fetch(&p->reads, 1, __ATOMIC_RELAXED);
	WRITE_ONCE(p->offset, offset);
	WRITE_ONCE(p->size, size);
	if (p->hook)
		p->hook(p);
	return p->answer;
}

static void probe_write(struct ioemu_io_region *region, u64 offset,
			unsigned int size, u64 value)
{
	struct probe *p = container_of(region, struct probe, region);

	p->writes++;
	p->offset = offset;
	p->size = size;
	p->value = value;
	if (p->hook)
		p->hook(p);
}

static const struct ioemu_io_ops probe_ops = {
	.read = probe_read, .write = probe_write,
};

static struct probe probe(enum ioemu_io_type type, u64 start, u64 end)
{
	return (struct probe) {
		.region = { type, start, end, &probe_ops },
		.answer = 0x1122334455667788ULL,
	};
}

FIXTURE(iospace) {
	struct ioemu_iospace space;
	int map_error;
	unsigned int maps, unmaps;
	u64 last_start, last_end;
	enum ioemu_io_type last_type;
	bool look;
	enum ioemu_io_result looked;
};

static enum ioemu_io_result rd(struct ioemu_iospace *s, enum ioemu_io_type t,
			       u64 addr, unsigned int size, u64 *v)
{
	return ioemu_iospace_read(s, t, addr, size, true, v);
}

static enum ioemu_io_result wr(struct ioemu_iospace *s, enum ioemu_io_type t,
			       u64 addr, unsigned int size, u64 v)
{
	return ioemu_iospace_write(s, t, addr, size, true, v);
}

static int count_map(void *owner, enum ioemu_io_type type, u64 start, u64 end)
{
	struct fixture_iospace *f = owner;
	u64 v;

	if (f->look)
		f->looked = rd(&f->space, type, start, 1, &v);
	if (f->map_error)
		return f->map_error;
	f->maps++;
	f->last_type = type;
	f->last_start = start;
	f->last_end = end;
	return 0;
}

static void count_unmap(void *owner, enum ioemu_io_type type, u64 start,
			u64 end)
{
	struct fixture_iospace *f = owner;
	u64 v;

	if (f->look)
		f->looked = rd(&f->space, type, start, 1, &v);
	f->unmaps++;
	f->last_type = type;
	f->last_start = start;
	f->last_end = end;
}

static const struct ioemu_iospace_ops count_ops = { count_map, count_unmap };

FIXTURE_SETUP(iospace)
{
	ASSERT_EQ(0, ioemu_iospace_init(&self->space, &count_ops, self));
}

FIXTURE_TEARDOWN(iospace)
{
	EXPECT_EQ(self->maps, self->unmaps);
	ioemu_iospace_destroy(&self->space);
}

TEST_F(iospace, empty_answers_nothing)
{
	static const u64 ones[9] = {
		[1] = 0xff, [2] = 0xffff, [4] = 0xffffffff, [8] = ~0ULL,
	};
	unsigned int size;
	u64 v;

	for (size = 1; size <= 8; size *= 2) {
		v = 0;
		EXPECT_EQ(IOEMU_IO_UNCLAIMED, rd(&self->space, MEM, 0, size, &v));
		EXPECT_EQ(ones[size], v);
		EXPECT_EQ(IOEMU_IO_UNCLAIMED,
			  rd(&self->space, PORT, 0xcf8, size, &v));
		EXPECT_EQ(ones[size], v);
		EXPECT_EQ(IOEMU_IO_UNCLAIMED, rd(&self->space, PCI, 0, size, &v));
		EXPECT_EQ(ones[size], v);
		EXPECT_EQ(IOEMU_IO_UNCLAIMED, wr(&self->space, MEM, 0, size, 1));
	}
	EXPECT_EQ(IOEMU_IO_UNCLAIMED, rd(&self->space, 3, 0, 4, &v));
	EXPECT_EQ(IOEMU_IO_UNCLAIMED, wr(&self->space, 3, 0, 4, 0));
}

TEST_F(iospace, access_reaches_its_region)
{
	struct probe a = probe(MEM, 0x1000, 0x1fff);
	struct probe b = probe(MEM, 0x3000, 0x3fff);
	struct probe c = probe(PORT, 0x1000, 0x100f);
	u64 v;

	ASSERT_EQ(0, ioemu_iospace_add(&self->space, &b.region));
	ASSERT_EQ(0, ioemu_iospace_add(&self->space, &a.region));
	ASSERT_EQ(0, ioemu_iospace_add(&self->space, &c.region));
	EXPECT_EQ(3, self->maps);
	EXPECT_EQ(PORT, self->last_type);
	EXPECT_EQ(0x1000, self->last_start);
	EXPECT_EQ(0x100f, self->last_end);

	EXPECT_EQ(IOEMU_IO_DONE, rd(&self->space, MEM, 0x1008, 4, &v));
	EXPECT_EQ(0x55667788, v);
	EXPECT_EQ(8, a.offset);
	EXPECT_EQ(4, a.size);
	EXPECT_EQ(IOEMU_IO_DONE, wr(&self->space, MEM, 0x3ffe, 2, 0xabcdef));
	EXPECT_EQ(0xffe, b.offset);
	EXPECT_EQ(0xcdef, b.value);
	EXPECT_EQ(IOEMU_IO_DONE, wr(&self->space, PORT, 0x100f, 1, 0x1ff));
	EXPECT_EQ(15, c.offset);
	EXPECT_EQ(0xff, c.value);
	EXPECT_EQ(IOEMU_IO_DONE, wr(&self->space, MEM, 0x1001, 8, ~1ULL));
	EXPECT_EQ(~1ULL, a.value);

	ioemu_iospace_remove(&self->space, &a.region);
	EXPECT_EQ(IOEMU_IO_UNCLAIMED, rd(&self->space, MEM, 0x1008, 4, &v));
	EXPECT_EQ(IOEMU_IO_DONE, rd(&self->space, MEM, 0x3000, 8, &v));
	EXPECT_EQ(0x1122334455667788ULL, v);
	EXPECT_EQ(IOEMU_IO_DONE, rd(&self->space, PORT, 0x1000, 1, &v));
	EXPECT_EQ(0x88, v);
	ioemu_iospace_remove(&self->space, &b.region);
	ioemu_iospace_remove(&self->space, &c.region);
}

TEST_F(iospace, every_edge)
{
	struct probe p = probe(MEM, 0x1000, 0x100f);
	unsigned int size;
	u64 addr, v;

	ASSERT_EQ(0, ioemu_iospace_add(&self->space, &p.region));
	for (size = 0; size <= 20; size++) {
		bool good = size == 1 || size == 2 || size == 4 || size == 8;

		for (addr = 0xff0; addr <= 0x1020; addr++) {
			bool in = good && addr >= 0x1000 &&
				  addr + size <= 0x1010;

			EXPECT_EQ(in ? IOEMU_IO_DONE : IOEMU_IO_UNCLAIMED,
				  rd(&self->space, MEM, addr, size, &v));
			if (!in)
				EXPECT_EQ(size < 8 ? (1ULL << 8 * size) - 1 :
					  ~0ULL, v);
			EXPECT_EQ(in ? IOEMU_IO_DONE : IOEMU_IO_UNCLAIMED,
				  wr(&self->space, MEM, addr, size, v));
			if (in)
				EXPECT_EQ(addr - 0x1000, p.offset);
		}
	}
	EXPECT_EQ(IOEMU_IO_UNCLAIMED,
		  rd(&self->space, MEM, 0x1000, UINT_MAX, &v));
	ioemu_iospace_remove(&self->space, &p.region);
}

TEST_F(iospace, ends_of_the_address_space)
{
	struct probe low = probe(MEM, 0, 0);
	struct probe high = probe(MEM, ~0ULL - 7, ~0ULL);
	struct probe ports = probe(PORT, 0, 0xffff);
	u64 v;

	ASSERT_EQ(0, ioemu_iospace_add(&self->space, &low.region));
	ASSERT_EQ(0, ioemu_iospace_add(&self->space, &high.region));
	ASSERT_EQ(0, ioemu_iospace_add(&self->space, &ports.region));
	EXPECT_EQ(IOEMU_IO_DONE, rd(&self->space, MEM, 0, 1, &v));
	EXPECT_EQ(IOEMU_IO_UNCLAIMED, rd(&self->space, MEM, 0, 2, &v));
	EXPECT_EQ(IOEMU_IO_DONE, rd(&self->space, MEM, ~0ULL - 7, 8, &v));
	EXPECT_EQ(IOEMU_IO_DONE, rd(&self->space, MEM, ~0ULL, 1, &v));
	EXPECT_EQ(7, high.offset);
	EXPECT_EQ(IOEMU_IO_UNCLAIMED, rd(&self->space, MEM, ~0ULL, 2, &v));
	EXPECT_EQ(IOEMU_IO_UNCLAIMED, rd(&self->space, MEM, ~0ULL - 6, 8, &v));
	EXPECT_EQ(IOEMU_IO_DONE, rd(&self->space, PORT, 0xffff, 1, &v));
	EXPECT_EQ(IOEMU_IO_UNCLAIMED, rd(&self->space, PORT, 0xffff, 2, &v));
	EXPECT_EQ(IOEMU_IO_UNCLAIMED, rd(&self->space, PORT, 0x10000, 1, &v));
	ioemu_iospace_remove(&self->space, &low.region);
	ioemu_iospace_remove(&self->space, &high.region);
	ioemu_iospace_remove(&self->space, &ports.region);
}

TEST_F(iospace, overlaps_are_refused)
{
	static const u64 bad[][2] = {
		{ 0x2000, 0x2fff }, { 0x2000, 0x2000 }, { 0x2fff, 0x2fff },
		{ 0x2800, 0x28ff }, { 0x1000, 0x2000 }, { 0x2fff, 0x4000 },
		{ 0x1000, 0x8000 }, { 0, ~0ULL }, { 0x5fff, 0x6000 },
		{ 0x2ffe, 0x6fff }, { 0x3000, 0x6000 },
	};
	static const u64 good[][2] = {
		{ 0x1fff, 0x1fff }, { 0x3000, 0x3000 }, { 0x3001, 0x5fff },
		{ 0, 0xfff }, { 0x7000, ~0ULL },
	};
	struct probe a = probe(MEM, 0x2000, 0x2fff);
	struct probe b = probe(MEM, 0x6000, 0x6fff);
	struct probe others[ARRAY_SIZE(good)];
	unsigned int i;

	ASSERT_EQ(0, ioemu_iospace_add(&self->space, &a.region));
	ASSERT_EQ(0, ioemu_iospace_add(&self->space, &b.region));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct probe p = probe(MEM, bad[i][0], bad[i][1]);

		EXPECT_EQ(-EBUSY, ioemu_iospace_add(&self->space, &p.region));
	}
	EXPECT_EQ(2, self->maps);
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		others[i] = probe(MEM, good[i][0], good[i][1]);
		EXPECT_EQ(0, ioemu_iospace_add(&self->space, &others[i].region));
	}
	for (i = 0; i < ARRAY_SIZE(good); i++)
		ioemu_iospace_remove(&self->space, &others[i].region);
	ioemu_iospace_remove(&self->space, &b.region);
	ioemu_iospace_remove(&self->space, &a.region);
}

TEST_F(iospace, types_are_apart)
{
	struct probe m = probe(MEM, 0x20, 0x2f);
	struct probe p = probe(PORT, 0x20, 0x2f);
	struct probe c = probe(PCI, 0x20, 0x20);
	u64 v;

	ASSERT_EQ(0, ioemu_iospace_add(&self->space, &c.region));
	ASSERT_EQ(0, ioemu_iospace_add(&self->space, &m.region));
	ASSERT_EQ(0, ioemu_iospace_add(&self->space, &p.region));
	EXPECT_EQ(IOEMU_IO_DONE, rd(&self->space, MEM, 0x20, 4, &v));
	EXPECT_EQ(1, m.reads);
	EXPECT_EQ(IOEMU_IO_DONE, rd(&self->space, PORT, 0x20, 4, &v));
	EXPECT_EQ(1, p.reads);
	EXPECT_EQ(IOEMU_IO_DONE, rd(&self->space, PCI, SBDF(0x20), 4, &v));
	EXPECT_EQ(1, c.reads);
	ioemu_iospace_remove(&self->space, &p.region);
	EXPECT_EQ(IOEMU_IO_DONE, rd(&self->space, MEM, 0x20, 4, &v));
	EXPECT_EQ(IOEMU_IO_UNCLAIMED, rd(&self->space, PORT, 0x20, 4, &v));
	ioemu_iospace_remove(&self->space, &m.region);
	EXPECT_EQ(IOEMU_IO_DONE, rd(&self->space, PCI, SBDF(0x20), 4, &v));
	ioemu_iospace_remove(&self->space, &c.region);
}

TEST_F(iospace, nonsense_is_refused)
{
	struct probe bad[] = {
		probe(MEM, 0x1000, 0xfff),
		probe(PORT, 0xffff, 0x10000),
		probe(PORT, 0x10000, 0x10000),
		probe(PCI, 8, 9),
		probe(PCI, 1ULL << 32, 1ULL << 32),
		probe(3, 0, 0),
		probe(-1, 0, 0),
		probe(MEM, 0, 0),
	};
	unsigned int i;

	bad[ARRAY_SIZE(bad) - 1].region.ops = NULL;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_EQ(-EINVAL,
			  ioemu_iospace_add(&self->space, &bad[i].region));
	EXPECT_EQ(0, self->maps);
}

static void fill(struct fixture_iospace *self, struct probe *p,
		 enum ioemu_io_type type)
{
	unsigned int i;

	for (i = 0; i < IOEMU_IO_MAX_RANGES; i++) {
		/* Neither up nor down: 97 has no factor in common with 256. */
		u64 n = i * 97 % 256;

		p[i] = type == PCI ? probe(PCI, n, n) :
				     probe(type, n * 16, n * 16 + 11);
		ASSERT_EQ(0, ioemu_iospace_add(&self->space, &p[i].region));
	}
}

TEST_F(iospace, as_many_as_the_hypervisor_takes)
{
	static struct probe p[IOEMU_IO_TYPES][IOEMU_IO_MAX_RANGES];
	struct probe more[] = {
		probe(PORT, 0xf000, 0xf000), probe(MEM, 0xf0000, 0xf0000),
		probe(PCI, 0x1000, 0x1000),
	};
	unsigned int i, type;
	u64 v;

	for (type = 0; type < IOEMU_IO_TYPES; type++)
		fill(self, p[type], type);
	for (type = 0; type < IOEMU_IO_TYPES; type++)
		EXPECT_EQ(-ENOSPC,
			  ioemu_iospace_add(&self->space, &more[type].region));
	for (i = 0; i < IOEMU_IO_MAX_RANGES; i++) {
		u64 at = p[MEM][i].region.start;

		EXPECT_EQ(IOEMU_IO_DONE, rd(&self->space, MEM, at + 8, 4, &v));
		EXPECT_EQ(1, p[MEM][i].reads);
		EXPECT_EQ(IOEMU_IO_UNCLAIMED,
			  rd(&self->space, MEM, at + 9, 4, &v));
		EXPECT_EQ(IOEMU_IO_UNCLAIMED,
			  rd(&self->space, MEM, at + 12, 1, &v));
		EXPECT_EQ(IOEMU_IO_DONE, rd(&self->space, PORT, at, 1, &v));
		EXPECT_EQ(1, p[PORT][i].reads);
		EXPECT_EQ(IOEMU_IO_DONE,
			  rd(&self->space, PCI, SBDF(p[PCI][i].region.start) + 4,
			     4, &v));
		EXPECT_EQ(1, p[PCI][i].reads);
	}
	/* Out in another order, with the rest still there. */
	for (i = 0; i < IOEMU_IO_MAX_RANGES; i++) {
		unsigned int j = i * 45 % 256, k = (i + 1) * 45 % 256;

		ioemu_iospace_remove(&self->space, &p[MEM][j].region);
		EXPECT_EQ(IOEMU_IO_UNCLAIMED,
			  rd(&self->space, MEM, p[MEM][j].region.start, 1, &v));
		EXPECT_EQ(i == 255 ? IOEMU_IO_UNCLAIMED : IOEMU_IO_DONE,
			  rd(&self->space, MEM, p[MEM][k].region.start, 1, &v));
		EXPECT_EQ(IOEMU_IO_DONE,
			  rd(&self->space, PORT, p[PORT][j].region.start, 1, &v));
	}
	for (i = 0; i < IOEMU_IO_MAX_RANGES; i++) {
		ioemu_iospace_remove(&self->space, &p[PORT][i].region);
		ioemu_iospace_remove(&self->space, &p[PCI][i].region);
	}
}

TEST_F(iospace, refusal_of_the_hypervisor)
{
	struct probe p = probe(MEM, 0x1000, 0x1fff);
	u64 v;

	self->map_error = -EPERM;
	EXPECT_EQ(-EPERM, ioemu_iospace_add(&self->space, &p.region));
	EXPECT_EQ(IOEMU_IO_UNCLAIMED, rd(&self->space, MEM, 0x1000, 4, &v));
	EXPECT_EQ(0, p.reads);
	EXPECT_EQ(0, self->unmaps);
	self->map_error = 0;
	EXPECT_EQ(0, ioemu_iospace_add(&self->space, &p.region));
	EXPECT_EQ(IOEMU_IO_DONE, rd(&self->space, MEM, 0x1000, 4, &v));
	ioemu_iospace_remove(&self->space, &p.region);
}

/* The guest may touch a range from the moment it is claimed to the last. */
TEST_F(iospace, visible_while_claimed)
{
	struct probe p = probe(MEM, 0x1000, 0x1fff);

	self->look = true;
	self->looked = IOEMU_IO_UNCLAIMED;
	ASSERT_EQ(0, ioemu_iospace_add(&self->space, &p.region));
	EXPECT_EQ(IOEMU_IO_DONE, self->looked);
	self->looked = IOEMU_IO_UNCLAIMED;
	ioemu_iospace_remove(&self->space, &p.region);
	EXPECT_EQ(IOEMU_IO_DONE, self->looked);
}

TEST_F(iospace, config_needs_process_context)
{
	struct probe p = probe(PCI, 0x18, 0x18);
	u64 v = 1;

	ASSERT_EQ(0, ioemu_iospace_add(&self->space, &p.region));
	standin_irq_enter();
	EXPECT_EQ(IOEMU_IO_SLEEPS, ioemu_iospace_read(&self->space, PCI,
						      SBDF(0x18), 4, false, &v));
	EXPECT_EQ(IOEMU_IO_SLEEPS, ioemu_iospace_write(&self->space, PCI,
						       SBDF(0x18), 4, false, 0));
	/* Nobody is there, which is not looked at. */
	EXPECT_EQ(IOEMU_IO_SLEEPS, ioemu_iospace_read(&self->space, PCI,
						      SBDF(0x19), 4, false, &v));
	standin_irq_exit();
	EXPECT_EQ(0, p.reads);
	EXPECT_EQ(IOEMU_IO_DONE, rd(&self->space, PCI, SBDF(0x18), 4, &v));
	EXPECT_EQ(IOEMU_IO_DONE, wr(&self->space, PCI, SBDF(0x18) + 6, 2, 9));
	EXPECT_EQ(6, p.offset);
	EXPECT_EQ(9, p.value);
	ioemu_iospace_remove(&self->space, &p.region);
}

TEST_F(iospace, config_offsets)
{
	struct probe p = probe(PCI, 0x18, 0x18);
	u64 v;

	ASSERT_EQ(0, ioemu_iospace_add(&self->space, &p.region));
	EXPECT_EQ(IOEMU_IO_DONE, rd(&self->space, PCI, SBDF(0x18) + 4092, 4, &v));
	EXPECT_EQ(4092, p.offset);
	EXPECT_EQ(IOEMU_IO_DONE, rd(&self->space, PCI, SBDF(0x18) + 4095, 1, &v));
	EXPECT_EQ(IOEMU_IO_DONE, rd(&self->space, PCI, SBDF(0x18) + 4088, 8, &v));
	EXPECT_EQ(IOEMU_IO_UNCLAIMED,
		  rd(&self->space, PCI, SBDF(0x18) + 4093, 4, &v));
	EXPECT_EQ(IOEMU_IO_UNCLAIMED,
		  rd(&self->space, PCI, SBDF(0x18) + 4096, 1, &v));
	EXPECT_EQ(IOEMU_IO_UNCLAIMED,
		  rd(&self->space, PCI, SBDF(0x18) + 0xfffffffc, 8, &v));
	EXPECT_EQ(IOEMU_IO_UNCLAIMED,
		  rd(&self->space, PCI, SBDF(0x18) + 0xffffffff, 1, &v));
	EXPECT_EQ(IOEMU_IO_UNCLAIMED, rd(&self->space, PCI, SBDF(0x18), 3, &v));
	EXPECT_EQ(IOEMU_IO_UNCLAIMED, rd(&self->space, PCI, SBDF(0x17), 4, &v));
	EXPECT_EQ(IOEMU_IO_UNCLAIMED, rd(&self->space, PCI, SBDF(0x19), 4, &v));
	EXPECT_EQ(IOEMU_IO_UNCLAIMED, rd(&self->space, PCI, 0x18, 4, &v));
	EXPECT_EQ(3, p.reads);
	ioemu_iospace_remove(&self->space, &p.region);
}

/* Each allocation fails in turn, across all growths of the table. */
TEST_F(iospace, no_memory)
{
	static struct probe p[40];
	unsigned int i, failures = 0;
	u64 v;

	for (i = 0; i < ARRAY_SIZE(p); i++) {
		unsigned long nth;
		int ret;

		p[i] = probe(MEM, i * 16, i * 16 + 15);
		for (nth = 1; ; nth++) {
			standin_fail_alloc(nth, false);
			ret = ioemu_iospace_add(&self->space, &p[i].region);
			standin_fail_alloc(0, false);
			if (!ret)
				break;
			EXPECT_EQ(-ENOMEM, ret);
			EXPECT_EQ(IOEMU_IO_UNCLAIMED,
				  rd(&self->space, MEM, i * 16, 1, &v));
			failures++;
		}
	}
	EXPECT_GE(failures, 4);
	for (i = 0; i < ARRAY_SIZE(p); i++) {
		/* Removing needs no memory. */
		standin_fail_alloc(1, true);
		ioemu_iospace_remove(&self->space, &p[i].region);
		standin_fail_alloc(0, false);
	}
}

TEST(no_memory_at_all)
{
	struct ioemu_iospace space;
	unsigned long nth;

	for (nth = 1; nth <= 2; nth++) {
		standin_fail_alloc(nth, false);
		EXPECT_EQ(-ENOMEM, ioemu_iospace_init(&space, &count_ops, NULL));
		standin_fail_alloc(0, false);
	}
}

TEST_F(iospace, removing_a_stranger)
{
	struct probe a = probe(MEM, 0x1000, 0x1fff);
	struct probe b = probe(MEM, 0x1000, 0x1fff);

	standin_warn_expected = true;
	ioemu_iospace_remove(&self->space, &b.region);
	EXPECT_EQ(1, standin_warnings);
	ASSERT_EQ(0, ioemu_iospace_add(&self->space, &a.region));
	ioemu_iospace_remove(&self->space, &b.region);
	EXPECT_EQ(2, standin_warnings);
	EXPECT_EQ(0, self->unmaps);
	ioemu_iospace_remove(&self->space, &a.region);
}

/* A guest that does nothing but move BARs makes the kernel wait, not leak. */
TEST_F(iospace, endless_changes)
{
	struct probe p = probe(MEM, 0, 0xfff);
	unsigned long allocs = standin_live_allocs();
	unsigned int i;

	for (i = 0; i < 1000; i++) {
		p.region.start = i * 0x1000;
		p.region.end = p.region.start + 0xfff;
		ASSERT_EQ(0, ioemu_iospace_add(&self->space, &p.region));
		ioemu_iospace_remove(&self->space, &p.region);
	}
	EXPECT_EQ(allocs, standin_live_allocs());
	EXPECT_GE(standin_grace_periods, 1000);
}

/* ---- threads ----------------------------------------------------------- */

static struct {
	struct ioemu_iospace *space;
	struct probe *mover;
	int inside, release, removed;
} t;

static void stay_inside(struct probe *p)
{
	(void)p;
	smp_store_release(&t.inside, 1);
	while (!smp_load_acquire(&t.release))
		sched_yield();
}

static void *access_memory(void *arg)
{
	u64 v;

	(void)arg;
	standin_irq_enter();
	ioemu_iospace_read(t.space, MEM, 0x1000, 4, false, &v);
	standin_irq_exit();
	return NULL;
}

static void *access_config(void *arg)
{
	(void)arg;
	ioemu_iospace_write(t.space, PCI, SBDF(8), 4, true, 0);
	return NULL;
}

static void *remove_it(void *arg)
{
	ioemu_iospace_remove(t.space, arg);
	smp_store_release(&t.removed, 1);
	return NULL;
}

static void remove_waits(struct fixture_iospace *self, struct probe *p,
			 void *(*access)(void *))
{
	pthread_t user, remover;

	t.space = &self->space;
	p->hook = stay_inside;
	ASSERT_EQ(0, ioemu_iospace_add(&self->space, &p->region));
	/* Nothing else is left to wait for. */
	synchronize_rcu();
	pthread_create(&user, NULL, access, NULL);
	while (!smp_load_acquire(&t.inside))
		sched_yield();
	pthread_create(&remover, NULL, remove_it, &p->region);
	usleep(20000);
	EXPECT_EQ(0, smp_load_acquire(&t.removed));
	smp_store_release(&t.release, 1);
	pthread_join(user, NULL);
	pthread_join(remover, NULL);
	EXPECT_EQ(1, t.removed);
}

TEST_F(iospace, removal_waits_for_memory_access)
{
	struct probe p = probe(MEM, 0x1000, 0x1fff);

	remove_waits(self, &p, access_memory);
	EXPECT_EQ(1, p.reads);
}

TEST_F(iospace, removal_waits_for_config_access)
{
	struct probe p = probe(PCI, 8, 8);

	remove_waits(self, &p, access_config);
	EXPECT_EQ(1, p.writes);
}

static void *add_it(void *arg)
{
	ioemu_iospace_add(t.space, arg);
	smp_store_release(&t.removed, 1);
	return NULL;
}

/* A table that somebody may still be looking at is not written. */
TEST_F(iospace, no_table_is_reused_too_early)
{
	struct probe p = probe(MEM, 0x1000, 0x1fff);
	struct probe a = probe(MEM, 0x2000, 0x2fff);
	struct probe b = probe(MEM, 0x3000, 0x3fff);
	pthread_t user, adder;

	t.space = &self->space;
	p.hook = stay_inside;
	ASSERT_EQ(0, ioemu_iospace_add(&self->space, &p.region));
	pthread_create(&user, NULL, access_memory, NULL);
	while (!smp_load_acquire(&t.inside))
		sched_yield();
	/* Either this one waits, or the next one, which needs the old table. */
	pthread_create(&adder, NULL, add_it, &a.region);
	usleep(20000);
	if (smp_load_acquire(&t.removed)) {
		pthread_join(adder, NULL);
		smp_store_release(&t.removed, 0);
		pthread_create(&adder, NULL, add_it, &b.region);
		usleep(20000);
		EXPECT_EQ(0, smp_load_acquire(&t.removed));
		smp_store_release(&t.release, 1);
		pthread_join(adder, NULL);
		ioemu_iospace_remove(&self->space, &b.region);
	} else {
		smp_store_release(&t.release, 1);
		pthread_join(adder, NULL);
	}
	pthread_join(user, NULL);
	ioemu_iospace_remove(&self->space, &a.region);
	ioemu_iospace_remove(&self->space, &p.region);
}

/* Within an access to configuration space, other regions come and go. */
static void move(struct probe *p)
{
	struct ioemu_io_region *r = &t.mover->region;

	(void)p;
	ioemu_iospace_remove(t.space, r);
	r->start += 0x1000;
	r->end += 0x1000;
	EXPECT_EQ(0, ioemu_iospace_add(t.space, r));
}

TEST_F(iospace, config_access_moves_memory)
{
	struct probe p = probe(PCI, 8, 8);
	struct probe m = probe(MEM, 0x1000, 0x1fff);
	u64 v;

	t.space = &self->space;
	t.mover = &m;
	p.hook = move;
	ASSERT_EQ(0, ioemu_iospace_add(&self->space, &p.region));
	ASSERT_EQ(0, ioemu_iospace_add(&self->space, &m.region));
	EXPECT_EQ(IOEMU_IO_DONE, wr(&self->space, PCI, SBDF(8), 4, 0));
	EXPECT_EQ(IOEMU_IO_UNCLAIMED, rd(&self->space, MEM, 0x1000, 4, &v));
	EXPECT_EQ(IOEMU_IO_DONE, rd(&self->space, MEM, 0x2000, 4, &v));
	ioemu_iospace_remove(&self->space, &m.region);
	ioemu_iospace_remove(&self->space, &p.region);
}

static int stop;

static void *hammer(void *arg)
{
	unsigned long *hits = arg;
	u64 addr, v;

	while (!READ_ONCE(stop)) {
		for (addr = 0; addr < 0x20000; addr += 0x1000) {
			standin_irq_enter();
			if (ioemu_iospace_read(t.space, MEM, addr, 4, false, &v) ==
			    IOEMU_IO_DONE)
				++*hits;
			standin_irq_exit();
		}
	}
	return NULL;
}

/* Lookups while the table changes; a region is freed as soon as it is out. */
TEST_F(iospace, lookups_while_changing)
{
	unsigned long hits[2] = { 0 };
	pthread_t threads[2];
	unsigned int i, j;

	t.space = &self->space;
	for (i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, hammer, &hits[i]);
	for (i = 0; i < 100; i++) {
		struct probe *p[20];

		for (j = 0; j < 20; j++) {
			p[j] = malloc(sizeof(*p[j]));
			*p[j] = probe(MEM, j * 0x1000, j * 0x1000 + 0xfff);
			ASSERT_EQ(0, ioemu_iospace_add(&self->space,
						       &p[j]->region));
		}
		for (j = 0; j < 20; j++) {
			ioemu_iospace_remove(&self->space,
					     &p[j * 7 % 20]->region);
			free(p[j * 7 % 20]);
		}
	}
	WRITE_ONCE(stop, 1);
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
}
