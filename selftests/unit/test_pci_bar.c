// SPDX-License-Identifier: GPL-2.0
/* Base address registers: driver/pci.c. PCI Local Bus 3.0, 6.2.5.1. */
#include "pci_dev.h"

PCI_FIXTURE(VECTORS, 0)

/* Is this BAR decoded at @start, for the guest and for the hypervisor? */
static bool decoded(struct pci_dev *d, unsigned int bar, u64 start)
{
	u64 end = start + d->pci.config.bars[bar].size - 1;
	unsigned int reads = d->reads;
	bool range = fake_vm_has_range(d->vm, IOEMU_IO_MEMORY, start, end);

	fake_mmio_read(d->vm, start, 4);
	if (range != (d->reads == reads + 1 && d->bar == bar && !d->offset))
		standin_fail("BAR %u at %#llx: the map and the hypervisor differ",
			     bar, start);
	return range;
}

/* One range is configuration space. */
static unsigned int nr_decoded(struct pci_dev *d)
{
	return fake_vm_nr_ranges(d->vm) - 1;
}

TEST_F(pci, values_at_power_on)
{
	struct pci_dev *d = &self->d;

	EXPECT_EQ(4, cfg_rd(d, BAR0, 4));
	EXPECT_EQ(0, cfg_rd(d, BAR0 + 4, 4));
	EXPECT_EQ(0, cfg_rd(d, BAR2, 4));
	EXPECT_EQ(0, cfg_rd(d, BAR3, 4));
	EXPECT_EQ(0, cfg_rd(d, 0x20, 4));
	EXPECT_EQ(0, cfg_rd(d, 0x24, 4));
	EXPECT_EQ(0, nr_decoded(d));
}

TEST_F(pci, sizing)
{
	struct pci_dev *d = &self->d;

	cfg_wr(d, BAR0, 4, ~0U);
	cfg_wr(d, BAR0 + 4, 4, ~0U);
	cfg_wr(d, BAR2, 4, ~0U);
	cfg_wr(d, BAR3, 4, ~0U);
	cfg_wr(d, 0x20, 4, ~0U);
	EXPECT_EQ(0xffffc004, cfg_rd(d, BAR0, 4));
	EXPECT_EQ(0xffffffff, cfg_rd(d, BAR0 + 4, 4));
	EXPECT_EQ(0xffffffc0, cfg_rd(d, BAR2, 4));
	EXPECT_EQ(0xfffff000, cfg_rd(d, BAR3, 4));
	EXPECT_EQ(0, cfg_rd(d, 0x20, 4));
	/* The ROM, which is not there. */
	cfg_wr(d, PCI_ROM_ADDRESS, 4, ~0U);
	EXPECT_EQ(0, cfg_rd(d, PCI_ROM_ADDRESS, 4));
}

/* What firmware does that leaves decoding on: no size is ever claimed. */
TEST_F(pci, sizing_while_decoding)
{
	struct pci_dev *d = &self->d;
	unsigned int reg;

	place_bars(d, ON_ALL);
	EXPECT_EQ(3, nr_decoded(d));
	/* The lower half alone, below a set upper one, is an address. */
	cfg_wr(d, BAR0, 4, ~0U);
	EXPECT_TRUE(decoded(d, 0, MMIO0 + 0xffffc000));
	cfg_wr(d, BAR0, 4, (u32)MMIO0);
	for (reg = BAR0 + 4; reg <= BAR3; reg += 4) {
		u32 old = cfg_rd(d, reg, 4);

		cfg_wr(d, reg, 4, ~0U);
		EXPECT_EQ(2, nr_decoded(d));
		cfg_wr(d, reg, 4, old);
		EXPECT_EQ(3, nr_decoded(d));
	}
	/* Both halves, one after the other; and the lower one with a zero above. */
	cfg_wr(d, BAR0, 4, ~0U);
	cfg_wr(d, BAR0 + 4, 4, ~0U);
	EXPECT_EQ(2, nr_decoded(d));
	cfg_wr(d, BAR0 + 4, 4, 0);
	EXPECT_EQ(2, nr_decoded(d));
	cfg_wr(d, BAR0, 4, 0xf2000000);
	EXPECT_TRUE(decoded(d, 0, 0xf2000000));
	EXPECT_EQ(0, standin_log_warnings);
}

TEST_F(pci, decoding_follows_the_command)
{
	struct pci_dev *d = &self->d;

	place_bars(d, 0);
	EXPECT_EQ(0, nr_decoded(d));
	command(d, ON_MEM);
	EXPECT_EQ(3, nr_decoded(d));
	EXPECT_TRUE(decoded(d, 0, MMIO0));
	EXPECT_TRUE(decoded(d, 2, MMIO2));
	EXPECT_TRUE(decoded(d, 3, MMIO3));
	command(d, PCI_COMMAND_MASTER);
	EXPECT_EQ(0, nr_decoded(d));
	EXPECT_FALSE(decoded(d, 0, MMIO0));
	command(d, ON_ALL);
	EXPECT_EQ(3, nr_decoded(d));
	command(d, 0);
	EXPECT_EQ(0, nr_decoded(d));
	EXPECT_EQ(MMIO3, cfg_rd(d, BAR3, 4));
}

TEST_F(pci, accesses_reach_the_device)
{
	struct pci_dev *d = &self->d;

	place_bars(d, ON_ALL);
	EXPECT_EQ(0x1008, fake_mmio_read(self->vm, MMIO0 + 0x1008, 4));
	EXPECT_EQ(0, d->bar);
	EXPECT_EQ(0xdddddddd00000010ULL,
		  fake_mmio_read(self->vm, MMIO3 + 0x10, 8));
	EXPECT_EQ(3, d->bar);
	fake_mmio_write(self->vm, MMIO2 + 0x3f, 1, 0x123);
	EXPECT_EQ(2, d->bar);
	EXPECT_EQ(0x3f, d->offset);
	EXPECT_EQ(0x23, d->value);
	/* Any alignment within, nothing over the end. */
	fake_mmio_write(self->vm, MMIO3 + 0xff9, 4, 7);
	EXPECT_EQ(0xff9, d->offset);
	fake_mmio_write(self->vm, MMIO3 + 0xffd, 4, 7);
	EXPECT_FALSE(fake_vm_io_claimed(self->vm));
	EXPECT_EQ(2, d->writes);
}

TEST_F(pci, moving)
{
	struct pci_dev *d = &self->d;
	unsigned int i;

	place_bars(d, ON_ALL);
	for (i = 0; i < 20; i++) {
		u32 to = 0xe0000000 + i * 0x1000;

		cfg_wr(d, BAR3, 4, to);
		EXPECT_TRUE(decoded(d, 3, to));
		EXPECT_FALSE(decoded(d, 3, to - 0x1000));
		EXPECT_EQ(3, nr_decoded(d));
	}
	/* Each half of the wide one moves it. */
	cfg_wr(d, BAR0 + 4, 4, 0x81);
	EXPECT_TRUE(decoded(d, 0, 0x8100000000ULL));
	cfg_wr(d, BAR0, 4, 0x4000);
	EXPECT_TRUE(decoded(d, 0, 0x8100004000ULL));
	cfg_wr(d, BAR0, 8, 0x8200008000ULL);
	EXPECT_TRUE(decoded(d, 0, 0x8200008000ULL));
	/* A byte too, and a write of what is there is none. */
	cfg_wr(d, BAR0 + 7, 1, 0);
	cfg_wr(d, BAR0 + 1, 1, 0x40);
	EXPECT_TRUE(decoded(d, 0, 0x8200004000ULL));
	cfg_wr(d, BAR2, 4, 0xd000);
	EXPECT_TRUE(decoded(d, 2, 0xd000));
	EXPECT_EQ(3, nr_decoded(d));
}

/* Written back as it is: nobody waits for anything. */
TEST_F(pci, no_move_costs_nothing)
{
	struct pci_dev *d = &self->d;
	unsigned long before;

	place_bars(d, ON_ALL);
	before = standin_grace_periods;
	cfg_wr(d, BAR0, 4, (u32)MMIO0 | 4);
	cfg_wr(d, BAR2, 4, MMIO2);
	cfg_wr(d, BAR3, 4, MMIO3);
	command(d, ON_ALL | PCI_COMMAND_INTX_DISABLE);
	cfg_wr(d, PCI_INTERRUPT_LINE, 1, 5);
	EXPECT_EQ(before, standin_grace_periods);
	EXPECT_EQ(3, nr_decoded(d));
}

FIXTURE(absurd) {
	struct ioemu_vm *vm;
	struct pci_dev d;
};

FIXTURE_SETUP(absurd)
{
	self->vm = fake_vm_new(1);
	dev_add(&self->d, self->vm, SLOT, VECTORS);
	command(&self->d, ON_ALL);
}

FIXTURE_TEARDOWN(absurd)
{
	dev_remove(&self->d);
	fake_vm_free(self->vm);
}

TEST_F(absurd, memory_64)
{
	static const struct { u64 at; bool ok; } t[] = {
		{ 0, false },
		{ 0x4000, true },
		{ 0xffffc000, false },			/* sizing, low half */
		{ 0xffff8000, true },
		{ 0x100000000, true },
		{ 0xffffffff00000000, false },		/* sizing, high half */
		{ 0xffffffffffffc000, false },		/* sizing, both */
		{ 0x10000000000000, false },		/* 2^52 */
		{ 0xfffffffffc000, true },		/* its last byte is 2^52 - 1 */
		{ 0xfffffffff8000, true },
		{ 0x8000000000000000, false },
	};
	struct pci_dev *d = &self->d;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		cfg_wr(d, BAR0, 8, t[i].at);
		EXPECT_EQ(t[i].ok, decoded(d, 0, t[i].at));
		EXPECT_EQ(t[i].at | 4, cfg_rd(d, BAR0, 8));
		EXPECT_EQ(t[i].ok, nr_decoded(d));
	}
	EXPECT_EQ(0, standin_log_warnings);
}

TEST_F(absurd, memory_32)
{
	static const struct { u32 at; bool ok; } t[] = {
		{ 0, false }, { 0x1000, true }, { 0x80000000, true },
		{ 0xfffff000, false }, { 0xffffe000, true },
		{ 0xfee00000, true },
	};
	struct pci_dev *d = &self->d;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		cfg_wr(d, BAR3, 4, t[i].at);
		EXPECT_EQ(t[i].ok, decoded(d, 3, t[i].at));
		EXPECT_EQ(t[i].ok, nr_decoded(d));
	}
}

/* A BAR with nothing but address bits above 32. */
TEST(huge_bar)
{
	struct ioemu_pci_config config = dev_config(0);
	struct ioemu_vm *vm = fake_vm_new(1);
	struct pci_dev d = { .vm = vm };

	config.bars[0].size = 1ULL << 40;
	ASSERT_EQ(0, ioemu_pci_init(&d.pci, vm, SLOT, &config, &dev_ops));
	ASSERT_EQ(0, ioemu_pci_add(&d.pci));
	cfg_wr(&d, BAR0, 8, ~0ULL);
	EXPECT_EQ(0xffffff0000000004ULL, cfg_rd(&d, BAR0, 8));
	command(&d, ON_MEM);
	EXPECT_EQ(0, nr_decoded(&d));
	cfg_wr(&d, BAR0, 8, 1ULL << 40);
	EXPECT_TRUE(decoded(&d, 0, 1ULL << 40));
	fake_mmio_read(vm, (2ULL << 40) - 8, 8);
	EXPECT_EQ((1ULL << 40) - 8, d.offset);
	cfg_wr(&d, BAR0 + 5, 1, 0xff);
	EXPECT_TRUE(decoded(&d, 0, 0xff0000000000ULL));
	cfg_wr(&d, BAR0 + 6, 1, 0x10);
	EXPECT_EQ(0, nr_decoded(&d));
	dev_remove(&d);
	fake_vm_free(vm);
}

/* ---- conflicts --------------------------------------------------------- */

/* Two of our devices at one place: the first keeps it, the second is told of. */
TEST_F(pci, overlap_with_another_function)
{
	struct pci_dev *d = &self->d, other = { };

	place_bars(d, ON_ALL);
	dev_add(&other, self->vm, 6, 2);
	command(&other, ON_MEM);
	cfg_wr(&other, BAR3, 4, MMIO3);
	EXPECT_EQ(1, standin_log_warnings);
	EXPECT_FALSE(decoded(&other, 3, 0xe0000000));
	fake_mmio_read(self->vm, MMIO3, 4);
	EXPECT_EQ(1, d->reads);
	EXPECT_EQ(0, other.reads);
	/* The register has the value, and the other BAR works, but not over it. */
	EXPECT_EQ(MMIO3, cfg_rd(&other, BAR3, 4));
	cfg_wr(&other, BAR0, 8, MMIO3 - 0x4000);
	EXPECT_TRUE(decoded(&other, 0, MMIO3 - 0x4000));
	cfg_wr(&other, BAR0, 8, MMIO3 & ~0x3fffULL);
	EXPECT_FALSE(decoded(&other, 0, MMIO3 & ~0x3fffULL));
	cfg_wr(&other, BAR0, 8, 0);
	/* Once the first is gone, the same command again is enough. */
	cfg_wr(d, BAR3, 4, 0xe0000000);
	EXPECT_FALSE(decoded(&other, 3, MMIO3));
	command(&other, ON_MEM);
	EXPECT_TRUE(decoded(&other, 3, MMIO3));
	dev_remove(&other);
}

/* Two BARs of one function at one place, and then exchanged. */
TEST_F(pci, overlap_within_a_function)
{
	struct pci_dev *d = &self->d;

	command(d, ON_MEM);
	cfg_wr(d, BAR0, 8, 0xf0000000);
	cfg_wr(d, BAR3, 4, 0xf0001000);
	EXPECT_EQ(1, nr_decoded(d));
	EXPECT_TRUE(decoded(d, 0, 0xf0000000));
	EXPECT_EQ(1, standin_log_warnings);
	/* One write moves the first, and the second has the place. */
	cfg_wr(d, BAR0, 8, 0xe0000000);
	EXPECT_TRUE(decoded(d, 0, 0xe0000000));
	EXPECT_TRUE(decoded(d, 3, 0xf0001000));
	/* It moves away and back. */
	cfg_wr(d, BAR3, 4, 0xf0002000);
	EXPECT_TRUE(decoded(d, 3, 0xf0002000));
	cfg_wr(d, BAR3, 4, 0xf0001000);
	EXPECT_TRUE(decoded(d, 3, 0xf0001000));
}

TEST_F(pci, refusal_of_the_hypervisor)
{
	struct pci_dev *d = &self->d;

	fake_vm_fail_claims(self->vm, IOEMU_IO_MEMORY, -ENOSPC);
	place_bars(d, ON_ALL);
	EXPECT_EQ(3, standin_log_warnings);
	EXPECT_EQ(0, nr_decoded(d));
	fake_mmio_read(self->vm, MMIO3, 4);
	EXPECT_FALSE(fake_vm_io_claimed(self->vm));
	fake_vm_fail_claims(self->vm, IOEMU_IO_MEMORY, 0);
	/* Tried again when the guest does something about its BARs. */
	cfg_wr(d, PCI_INTERRUPT_LINE, 1, 5);
	EXPECT_EQ(0, nr_decoded(d));
	command(d, ON_ALL);
	EXPECT_EQ(3, nr_decoded(d));
	EXPECT_TRUE(decoded(d, 3, MMIO3));
	EXPECT_EQ(3, standin_log_warnings);
}

TEST_F(pci, no_memory_to_decode)
{
	struct pci_dev *d = &self->d;
	unsigned int i;

	/* Whatever fails, the map and the hypervisor agree. */
	for (i = 1; i < 20; i++) {
		standin_fail_alloc(i, false);
		place_bars(d, ON_ALL);
		standin_fail_alloc(0, false);
		EXPECT_LE(nr_decoded(d), 3);
		decoded(d, 0, MMIO0);
		decoded(d, 2, MMIO2);
		decoded(d, 3, MMIO3);
		command(d, 0);
		EXPECT_EQ(0, nr_decoded(d));
	}
}
