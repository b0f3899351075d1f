// SPDX-License-Identifier: GPL-2.0
/* MSI: driver/pci_msi.c. PCI Local Bus 3.0, 6.8.1. */
#include "pci_dev.h"

PCI_FIXTURE(VECTORS, ON_ALL)

#define ADDR	0x1fee00000ULL
#define DATA	0x41e0u

static void program(struct pci_dev *d, u16 control)
{
	cfg_wr(d, MSI + 4, 4, (u32)ADDR);
	cfg_wr(d, MSI + 8, 4, ADDR >> 32);
	cfg_wr(d, MSI + 12, 2, DATA);
	cfg_wr(d, MSI + 2, 2, control);
}

#define EXPECT_MSG(d, data) do {					\
	EXPECT_EQ(1, fake_vm_nr_msi((d)->vm));				\
	EXPECT_EQ(1, fake_vm_count_msi((d)->vm, ADDR, data));		\
	fake_vm_clear_msi((d)->vm); } while (0)

TEST_F(pci, capability)
{
	struct pci_dev *d = &self->d;

	/* 32 messages, 64 bits, masks. */
	EXPECT_EQ(0x018a, cfg_rd(d, MSI + 2, 2));
	program(d, 0xffff);
	EXPECT_EQ(0x01fb, cfg_rd(d, MSI + 2, 2));
	EXPECT_EQ(ADDR, cfg_rd(d, MSI + 4, 8));
	EXPECT_EQ(DATA, cfg_rd(d, MSI + 12, 4));
	EXPECT_EQ(0, cfg_rd(d, MSI + 16, 4));
	EXPECT_EQ(0, cfg_rd(d, MSI + 20, 4));
}

TEST_F(pci, one_message)
{
	struct pci_dev *d = &self->d;

	program(d, 0);
	ioemu_pci_notify(&d->pci, 0);
	EXPECT_SILENT(d);
	program(d, 1);
	ioemu_pci_notify(&d->pci, 0);
	EXPECT_MSG(d, DATA);
	/* One was given; the others are dropped. */
	ioemu_pci_notify(&d->pci, 1);
	ioemu_pci_notify(&d->pci, 64);
	EXPECT_SILENT(d);
	command(d, ON_MEM);
	ioemu_pci_notify(&d->pci, 0);
	EXPECT_SILENT(d);
}

/* The low bits of the data are the vector's, as many as were given. */
TEST_F(pci, many_messages)
{
	struct pci_dev *d = &self->d;
	unsigned int order, v;

	for (order = 0; order < 8; order++) {
		unsigned int given = order > 5 ? 32 : 1U << order;

		cfg_wr(d, MSI + 12, 2, 0xffff);
		program(d, 1 | order << 4);
		cfg_wr(d, MSI + 12, 2, 0xabff);
		for (v = 0; v < VECTORS; v++) {
			ioemu_pci_notify(&d->pci, v);
			if (v < given)
				EXPECT_MSG(d, (0xabff & ~(given - 1)) | v);
			else
				EXPECT_SILENT(d);
		}
		cfg_wr(d, MSI + 2, 2, 0);
	}
}

static void try_vectors(unsigned int nr, unsigned int order)
{
	struct ioemu_pci_config config = dev_config(nr);
	struct ioemu_vm *vm = fake_vm_new(1);
	struct pci_dev d = { .vm = vm };
	unsigned int v;

	ASSERT_EQ(0, ioemu_pci_init(&d.pci, vm, SLOT, &config, &dev_ops));
	ASSERT_EQ(0, ioemu_pci_add(&d.pci));
	place_bars(&d, ON_ALL);
	EXPECT_EQ(0x180 | order << 1, cfg_rd(&d, MSI + 2, 2));
	cfg_wr(&d, MSI + 16, 4, ~0U);
	EXPECT_EQ(~0U >> (32 - (1 << order)), cfg_rd(&d, MSI + 16, 4));
	program(&d, 1 | 7 << 4);
	for (v = 0; v < 40; v++)
		ioemu_pci_notify(&d.pci, v);
	EXPECT_EQ(0, fake_vm_nr_msi(vm));
	EXPECT_EQ(nr >= 32 ? ~0U : (1U << nr) - 1, cfg_rd(&d, MSI + 20, 4));
	cfg_wr(&d, MSI + 16, 4, 0);
	EXPECT_EQ(min(nr, 32u), fake_vm_nr_msi(vm));
	EXPECT_EQ(0, cfg_rd(&d, MSI + 20, 4));
	dev_remove(&d);
	fake_vm_free(vm);
}

TEST(numbers_of_vectors)
{
	try_vectors(1, 0);
	try_vectors(2, 1);
	try_vectors(3, 2);
	try_vectors(4, 2);
	try_vectors(5, 3);
	try_vectors(16, 4);
	try_vectors(17, 5);
	try_vectors(31, 5);
	try_vectors(32, 5);
	try_vectors(33, 5);
	try_vectors(128, 5);
}

TEST_F(pci, masks)
{
	struct pci_dev *d = &self->d;
	unsigned int v;

	program(d, 1 | 5 << 4);
	cfg_wr(d, MSI + 16, 4, 0xaaaaaaaa);
	for (v = 0; v < 32; v++)
		ioemu_pci_notify(&d->pci, v);
	EXPECT_EQ(16, fake_vm_nr_msi(self->vm));
	EXPECT_EQ(0xaaaaaaaa, cfg_rd(d, MSI + 20, 4));
	/* By bytes as well. */
	EXPECT_EQ(0xaa, cfg_rd(d, MSI + 21, 1));
	EXPECT_EQ(0xaaaa, cfg_rd(d, MSI + 22, 2));
	fake_vm_clear_msi(self->vm);
	/* Pending bits are read-only. */
	cfg_wr(d, MSI + 20, 4, 0);
	EXPECT_EQ(0xaaaaaaaa, cfg_rd(d, MSI + 20, 4));
	EXPECT_SILENT(d);
	/* One is unmasked and sent. */
	cfg_wr(d, MSI + 16, 1, 0xa8);
	EXPECT_MSG(d, DATA | 1);
	EXPECT_EQ(0xaaaaaaa8, cfg_rd(d, MSI + 20, 4));
	cfg_wr(d, MSI + 16, 4, 0);
	EXPECT_EQ(15, fake_vm_nr_msi(self->vm));
	EXPECT_EQ(0, cfg_rd(d, MSI + 20, 4));
}

/* See test_pci_msix.c. */
TEST_F(pci, event_channel_message)
{
	struct pci_dev *d = &self->d;

	cfg_wr(d, MSI + 16, 4, ~0U);
	program(d, 1);
	cfg_wr(d, MSI + 12, 2, 0x700);
	ioemu_pci_notify(&d->pci, 0);
	EXPECT_MSG(d, 0x700);
	cfg_wr(d, MSI + 12, 2, 0);
	ioemu_pci_notify(&d->pci, 0);
	EXPECT_SILENT(d);
	EXPECT_EQ(1, cfg_rd(d, MSI + 20, 4));
}

TEST_F(pci, masked_without_use)
{
	struct pci_dev *d = &self->d;

	/* Beyond what was given, nothing becomes pending. */
	program(d, 1 | 1 << 4);
	cfg_wr(d, MSI + 16, 4, ~0U);
	ioemu_pci_notify(&d->pci, 1);
	ioemu_pci_notify(&d->pci, 2);
	EXPECT_EQ(2, cfg_rd(d, MSI + 20, 4));
	/* Given fewer, then more: the message is the new one. */
	cfg_wr(d, MSI + 2, 2, 1 | 2 << 4);
	cfg_wr(d, MSI + 4, 4, (u32)ADDR | 0x1000);
	cfg_wr(d, MSI + 16, 4, 0);
	EXPECT_EQ(1, fake_vm_count_msi(self->vm, ADDR | 0x1000, DATA | 1));
	EXPECT_EQ(1, fake_vm_nr_msi(self->vm));
}

TEST_F(pci, switching_off_forgets)
{
	struct pci_dev *d = &self->d;

	program(d, 1);
	cfg_wr(d, MSI + 16, 4, 1);
	ioemu_pci_notify(&d->pci, 0);
	EXPECT_EQ(1, cfg_rd(d, MSI + 20, 4));
	cfg_wr(d, MSI + 2, 2, 0);
	EXPECT_EQ(0, cfg_rd(d, MSI + 20, 4));
	cfg_wr(d, MSI + 2, 2, 1);
	cfg_wr(d, MSI + 16, 4, 0);
	EXPECT_SILENT(d);
}

/* What is pending in one mode means nothing in the other. */
TEST_F(pci, from_msi_to_msix)
{
	struct pci_dev *d = &self->d;

	set_entry(d, 0, true);
	program(d, 1);
	cfg_wr(d, MSI + 16, 4, 1);
	ioemu_pci_notify(&d->pci, 0);
	EXPECT_FALSE(pba_bit(d, 0));
	msix_control(d, MSIX_ON);
	EXPECT_EQ(0, cfg_rd(d, MSI + 20, 4));
	EXPECT_FALSE(pba_bit(d, 0));
	ioemu_pci_notify(&d->pci, 0);
	EXPECT_TRUE(pba_bit(d, 0));
	EXPECT_EQ(0, cfg_rd(d, MSI + 20, 4));
	/* Writes to the table while MSI is on wait. */
	msix_control(d, 0);
	EXPECT_FALSE(pba_bit(d, 0));
	set_entry(d, 0, false);
	ioemu_pci_notify(&d->pci, 0);
	EXPECT_SILENT(d);
	cfg_wr(d, MSI + 16, 4, 0);
	EXPECT_MSG(d, DATA);
	ioemu_pci_notify(&d->pci, 0);
	EXPECT_MSG(d, DATA);
	msix_control(d, MSIX_ON);
	EXPECT_SILENT(d);
	ioemu_pci_notify(&d->pci, 0);
	EXPECT_SENT(d, 0);
}
