// SPDX-License-Identifier: GPL-2.0
/* MSI-X: driver/pci_msi.c. PCI Local Bus 3.0, 6.8.2. */
#include <pthread.h>
#include <sched.h>

#include "pci_dev.h"

PCI_FIXTURE(VECTORS, ON_ALL)

#define ENTRY(v)	(MMIO0 + TABLE + 16 * (v))

TEST_F(pci, capability)
{
	struct pci_dev *d = &self->d;

	EXPECT_EQ(VECTORS - 1, cfg_rd(d, MSIX + 2, 2));
	EXPECT_EQ(TABLE | 0, cfg_rd(d, MSIX + 4, 4));
	EXPECT_EQ(PBA | 0, cfg_rd(d, MSIX + 8, 4));
	msix_control(d, 0xffff);
	EXPECT_EQ(0xc000 | (VECTORS - 1), cfg_rd(d, MSIX + 2, 2));
	cfg_wr(d, MSIX + 4, 8, ~0ULL);
	EXPECT_EQ(TABLE, cfg_rd(d, MSIX + 4, 4));
	EXPECT_EQ(PBA, cfg_rd(d, MSIX + 8, 4));
}

TEST_F(pci, entries_at_power_on)
{
	struct pci_dev *d = &self->d;
	unsigned int v;

	for (v = 0; v < VECTORS; v++) {
		EXPECT_EQ(0, fake_mmio_read(self->vm, ENTRY(v), 8));
		EXPECT_EQ(0, fake_mmio_read(self->vm, ENTRY(v) + 8, 4));
		EXPECT_EQ(1, fake_mmio_read(self->vm, ENTRY(v) + 12, 4));
	}
	EXPECT_EQ(0, d->reads);
	/* Beyond the last entry, and before the first, is the device. */
	fake_mmio_read(self->vm, ENTRY(VECTORS), 4);
	EXPECT_EQ(1, d->reads);
	fake_mmio_read(self->vm, ENTRY(0) - 4, 4);
	EXPECT_EQ(2, d->reads);
	/* Two words of pending bits, and the device again. */
	fake_mmio_read(self->vm, MMIO0 + PBA + 12, 4);
	EXPECT_EQ(2, d->reads);
	fake_mmio_read(self->vm, MMIO0 + PBA + 16, 4);
	EXPECT_EQ(3, d->reads);
	fake_mmio_read(self->vm, MMIO0 + PBA - 8, 8);
	EXPECT_EQ(4, d->reads);
}

TEST_F(pci, entry_bits)
{
	unsigned int v;

	for (v = 0; v < VECTORS; v++) {
		fake_mmio_write(self->vm, ENTRY(v), 8, ~0ULL);
		fake_mmio_write(self->vm, ENTRY(v) + 8, 8, ~0ULL);
		EXPECT_EQ(~3ULL, fake_mmio_read(self->vm, ENTRY(v), 8));
		EXPECT_EQ(0x1ffffffffULL,
			  fake_mmio_read(self->vm, ENTRY(v) + 8, 8));
		fake_mmio_write(self->vm, ENTRY(v) + 12, 4, ~1U);
		EXPECT_EQ(0, fake_mmio_read(self->vm, ENTRY(v) + 12, 4));
	}
	EXPECT_EQ(0, self->d.writes);
}

/* Any width at any place in the table: bytes, as in memory. */
TEST_F(pci, odd_accesses)
{
	struct pci_dev *d = &self->d;
	u8 want[48], value[8];
	unsigned int at, size, i, n = 0;

	for (i = 0; i < 3; i++)
		set_entry(d, i, true);
	for (i = 0; i < 48; i++)
		want[i] = fake_mmio_read(self->vm, ENTRY(0) + i, 1);
	for (at = 0; at + 8 <= 48; at++) {
		for (size = 1; size <= 8; size *= 2) {
			u64 whole = 0;

			for (i = 0; i < size; i++) {
				value[i] = 17 * ++n;
				whole |= (u64)value[i] << 8 * i;
				if (at % 16 + i < 12 || (at + i) % 16 < 12)
					want[at + i] = value[i];
				else
					want[at + i] = (at + i) % 16 == 12 ?
						       value[i] & 1 : 0;
				if ((at + i) % 16 == 0)
					want[at + i] &= ~3;
			}
			fake_mmio_write(self->vm, ENTRY(0) + at, size, whole);
			for (i = 0; i < 48; i++)
				ASSERT_EQ(want[i], fake_mmio_read(self->vm,
								  ENTRY(0) + i, 1));
			whole = 0;
			for (i = 0; i < size; i++)
				whole |= (u64)want[at + i] << 8 * i;
			ASSERT_EQ(whole, fake_mmio_read(self->vm, ENTRY(0) + at,
							size));
		}
	}
	EXPECT_EQ(0, d->reads + d->writes);
}

/* Half in the table, half outside: what is outside is nobody's. */
TEST_F(pci, accesses_over_the_edge)
{
	struct pci_dev *d = &self->d;
	unsigned int i;

	/* Bytes -4..3 of the first entry, and of the last and beyond. */
	fake_mmio_write(self->vm, ENTRY(0) - 4, 8, 0x1234567887654321ULL);
	EXPECT_EQ(0x12345678, fake_mmio_read(self->vm, ENTRY(0), 4));
	EXPECT_EQ(0x1234567800000000ULL,
		  fake_mmio_read(self->vm, ENTRY(0) - 4, 8));
	fake_mmio_write(self->vm, ENTRY(VECTORS) - 4, 8, ~0ULL << 32);
	EXPECT_EQ(0, fake_mmio_read(self->vm, ENTRY(VECTORS) - 4, 8));
	for (i = 1; i < 8; i++) {
		fake_mmio_write(self->vm, ENTRY(0) - i, 8, ~0ULL);
		fake_mmio_write(self->vm, ENTRY(VECTORS) - i, 8, ~0ULL);
		fake_mmio_read(self->vm, ENTRY(VECTORS) - i, 8);
		fake_mmio_write(self->vm, MMIO0 + PBA - i, 8, ~0ULL);
		EXPECT_EQ(0, fake_mmio_read(self->vm, MMIO0 + PBA - i, 8));
		EXPECT_EQ(0, fake_mmio_read(self->vm, MMIO0 + PBA + 16 - i, 8));
	}
	EXPECT_EQ(0, d->reads + d->writes);
}

TEST_F(pci, sending)
{
	struct pci_dev *d = &self->d;
	unsigned int v;

	for (v = 0; v < VECTORS; v++)
		set_entry(d, v, false);
	/* Not enabled yet. */
	ioemu_pci_notify(&d->pci, 0);
	EXPECT_SILENT(d);
	msix_control(d, MSIX_ON);
	EXPECT_SILENT(d);
	for (v = 0; v < VECTORS; v++) {
		ioemu_pci_notify(&d->pci, v);
		EXPECT_SENT(d, v);
	}
	/* From hard irq context; and no such vectors. */
	standin_irq_enter();
	ioemu_pci_notify(&d->pci, 7);
	standin_irq_exit();
	EXPECT_SENT(d, 7);
	ioemu_pci_notify(&d->pci, VECTORS);
	ioemu_pci_notify(&d->pci, 0x80000000);
	ioemu_pci_notify(&d->pci, UINT_MAX);
	EXPECT_SILENT(d);
}

/* All 64 bits of the address, all 32 of the data. */
TEST_F(pci, message_is_as_programmed)
{
	struct pci_dev *d = &self->d;

	fake_mmio_write(self->vm, ENTRY(9), 8, 0xfedcba98fee01003ULL);
	fake_mmio_write(self->vm, ENTRY(9) + 8, 4, 0x89abcdef);
	fake_mmio_write(self->vm, ENTRY(9) + 12, 4, 0);
	msix_control(d, MSIX_ON);
	ioemu_pci_notify(&d->pci, 9);
	EXPECT_EQ(1, fake_vm_count_msi(self->vm, 0xfedcba98fee01000ULL,
				       0x89abcdef));
	/* A new one, written while it is not masked. */
	fake_mmio_write(self->vm, ENTRY(9) + 8, 4, 1);
	ioemu_pci_notify(&d->pci, 9);
	EXPECT_EQ(1, fake_vm_count_msi(self->vm, 0xfedcba98fee01000ULL, 1));
}

TEST_F(pci, masked_becomes_pending)
{
	struct pci_dev *d = &self->d;
	unsigned int v;

	msix_control(d, MSIX_ON);
	for (v = 0; v < VECTORS; v++) {
		set_entry(d, v, true);
		EXPECT_FALSE(pba_bit(d, v));
		ioemu_pci_notify(&d->pci, v);
		ioemu_pci_notify(&d->pci, v);
		EXPECT_SILENT(d);
		EXPECT_TRUE(pba_bit(d, v));
		/* However often it was asked for, it is one message. */
		fake_mmio_write(self->vm, ENTRY(v) + 12, 4, 0);
		EXPECT_SENT(d, v);
		EXPECT_FALSE(pba_bit(d, v));
		fake_mmio_write(self->vm, ENTRY(v) + 12, 4, 1);
		fake_mmio_write(self->vm, ENTRY(v) + 12, 4, 0);
		EXPECT_SILENT(d);
	}
}

/* Xen's guests mask such a vector at its event channel, and only there. */
TEST_F(pci, message_with_vector_0_is_not_masked)
{
	struct pci_dev *d = &self->d;

	fake_mmio_write(self->vm, ENTRY(3), 4, 0xfee37000);
	fake_mmio_write(self->vm, ENTRY(3) + 4, 4, 0x100);
	fake_mmio_write(self->vm, ENTRY(3) + 8, 4, 0x700);
	msix_control(d, MSIX_ON | MSIX_MASKALL);
	ioemu_pci_notify(&d->pci, 3);
	msix_control(d, MSIX_ON);
	ioemu_pci_notify(&d->pci, 3);
	EXPECT_EQ(2, fake_vm_count_msi(self->vm, 0x100fee37000ULL, 0x700));
	/* An entry that nobody filled in is masked like any other. */
	ioemu_pci_notify(&d->pci, 4);
	EXPECT_EQ(2, fake_vm_nr_msi(self->vm));
	msix_control(d, 0);
	ioemu_pci_notify(&d->pci, 3);
	EXPECT_EQ(2, fake_vm_nr_msi(self->vm));
}

TEST_F(pci, pending_message_is_the_new_one)
{
	struct pci_dev *d = &self->d;

	msix_control(d, MSIX_ON);
	set_entry(d, 2, true);
	ioemu_pci_notify(&d->pci, 2);
	fake_mmio_write(self->vm, ENTRY(2), 4, MSG_ADDR(33));
	fake_mmio_write(self->vm, ENTRY(2) + 8, 4, MSG_DATA(33));
	fake_mmio_write(self->vm, ENTRY(2) + 12, 4, 0);
	EXPECT_SENT(d, 33);
	/* Data and mask in one write: the data is there when it is sent. */
	fake_mmio_write(self->vm, ENTRY(2) + 12, 4, 1);
	ioemu_pci_notify(&d->pci, 2);
	fake_mmio_write(self->vm, ENTRY(2), 8, MSG_ADDR(44));
	fake_mmio_write(self->vm, ENTRY(2) + 8, 8, MSG_DATA(44));
	EXPECT_SENT(d, 44);
}

TEST_F(pci, pending_bits_are_read_only)
{
	struct pci_dev *d = &self->d;
	unsigned int i;

	msix_control(d, MSIX_ON);
	set_entry(d, 0, true);
	set_entry(d, 64, true);
	ioemu_pci_notify(&d->pci, 0);
	ioemu_pci_notify(&d->pci, 64);
	EXPECT_EQ(1, fake_mmio_read(self->vm, MMIO0 + PBA, 8));
	EXPECT_EQ(1, fake_mmio_read(self->vm, MMIO0 + PBA + 8, 8));
	for (i = 0; i < 16; i++)
		fake_mmio_write(self->vm, MMIO0 + PBA + i, 1, 0);
	fake_mmio_write(self->vm, MMIO0 + PBA, 8, ~0ULL);
	EXPECT_EQ(1, fake_mmio_read(self->vm, MMIO0 + PBA, 8));
	EXPECT_EQ(1, fake_mmio_read(self->vm, MMIO0 + PBA + 8, 4));
	EXPECT_EQ(0, fake_mmio_read(self->vm, MMIO0 + PBA + 12, 4));
	EXPECT_EQ(1, fake_mmio_read(self->vm, MMIO0 + PBA + 8, 1));
	EXPECT_EQ(0x100, fake_mmio_read(self->vm, MMIO0 + PBA + 7, 2));
	EXPECT_EQ(0, d->reads + d->writes);
}

TEST_F(pci, function_mask)
{
	struct pci_dev *d = &self->d;
	unsigned int v;

	for (v = 0; v < VECTORS; v++)
		set_entry(d, v, v % 2);
	msix_control(d, MSIX_ON | MSIX_MASKALL);
	for (v = 0; v < VECTORS; v++)
		ioemu_pci_notify(&d->pci, v);
	EXPECT_SILENT(d);
	for (v = 0; v < VECTORS; v++)
		EXPECT_TRUE(pba_bit(d, v));
	/* Unmasking an entry does not send while the function is masked. */
	fake_mmio_write(self->vm, ENTRY(1) + 12, 4, 0);
	EXPECT_SILENT(d);
	EXPECT_TRUE(pba_bit(d, 1));
	msix_control(d, MSIX_ON);
	EXPECT_EQ(VECTORS / 2 + 2, fake_vm_nr_msi(self->vm));
	for (v = 0; v < VECTORS; v++) {
		bool sent = v % 2 == 0 || v == 1;

		EXPECT_EQ(sent, fake_vm_count_msi(self->vm, MSG_ADDR(v),
						  MSG_DATA(v)));
		EXPECT_EQ(!sent, pba_bit(d, v));
	}
}

TEST_F(pci, master_off)
{
	struct pci_dev *d = &self->d;

	msix_control(d, MSIX_ON);
	set_entry(d, 0, false);
	set_entry(d, 1, true);
	ioemu_pci_notify(&d->pci, 1);
	command(d, ON_MEM);
	ioemu_pci_notify(&d->pci, 0);
	EXPECT_SILENT(d);
	EXPECT_FALSE(pba_bit(d, 0));
	/* Unmasked while it cannot be sent: it waits. */
	fake_mmio_write(self->vm, ENTRY(1) + 12, 4, 0);
	EXPECT_SILENT(d);
	EXPECT_TRUE(pba_bit(d, 1));
	command(d, ON_ALL);
	EXPECT_SENT(d, 1);
	ioemu_pci_notify(&d->pci, 0);
	EXPECT_SENT(d, 0);
}

/* A message for one of Xen's event channels is not masked by its entry. */
TEST_F(pci, event_channel_message)
{
	struct pci_dev *d = &self->d;

	msix_control(d, MSIX_ON);
	/* Halfway through, with the data of power-on, it is not one yet. */
	ioemu_pci_notify(&d->pci, 4);
	EXPECT_TRUE(pba_bit(d, 4));
	fake_mmio_write(self->vm, ENTRY(4), 8, 0x1fee17000ULL);
	EXPECT_SILENT(d);
	EXPECT_TRUE(pba_bit(d, 4));
	fake_mmio_write(self->vm, ENTRY(4) + 8, 4, 0x700);
	EXPECT_EQ(1, fake_vm_count_msi(self->vm, 0x1fee17000ULL, 0x700));
	EXPECT_EQ(1, fake_vm_nr_msi(self->vm));
	ioemu_pci_notify(&d->pci, 4);
	EXPECT_EQ(2, fake_vm_nr_msi(self->vm));
	/* The bits of the function count. */
	fake_vm_clear_msi(self->vm);
	msix_control(d, MSIX_ON | MSIX_MASKALL);
	ioemu_pci_notify(&d->pci, 4);
	EXPECT_SILENT(d);
	msix_control(d, MSIX_ON);
	EXPECT_EQ(1, fake_vm_nr_msi(self->vm));
	fake_vm_clear_msi(self->vm);
	command(d, ON_MEM);
	ioemu_pci_notify(&d->pci, 4);
	EXPECT_SILENT(d);
	command(d, ON_ALL);
	/* An ordinary message again: the mask, which was never cleared, counts. */
	fake_mmio_write(self->vm, ENTRY(4) + 8, 4, 0x741);
	ioemu_pci_notify(&d->pci, 4);
	EXPECT_SILENT(d);
	EXPECT_TRUE(pba_bit(d, 4));
}

/* The table can be written before MSI-X is on, as Linux and Windows do. */
TEST_F(pci, table_first)
{
	struct pci_dev *d = &self->d;

	set_entry(d, 5, false);
	command(d, 0);
	command(d, ON_ALL);
	msix_control(d, MSIX_ON);
	ioemu_pci_notify(&d->pci, 5);
	EXPECT_SENT(d, 5);
}

TEST_F(pci, switching_off_forgets)
{
	struct pci_dev *d = &self->d;

	msix_control(d, MSIX_ON);
	set_entry(d, 3, true);
	ioemu_pci_notify(&d->pci, 3);
	EXPECT_TRUE(pba_bit(d, 3));
	msix_control(d, 0);
	EXPECT_FALSE(pba_bit(d, 3));
	fake_mmio_write(self->vm, ENTRY(3) + 12, 4, 0);
	EXPECT_SILENT(d);
	ioemu_pci_notify(&d->pci, 3);
	EXPECT_SILENT(d);
	msix_control(d, MSIX_ON);
	EXPECT_SILENT(d);
	/* The entry itself stays. */
	ioemu_pci_notify(&d->pci, 3);
	EXPECT_SENT(d, 3);
}

/* The device may notify while its own BAR is being written, and the reverse. */
TEST_F(pci, moved_bar_keeps_the_table)
{
	struct pci_dev *d = &self->d;

	msix_control(d, MSIX_ON);
	set_entry(d, 3, true);
	ioemu_pci_notify(&d->pci, 3);
	cfg_wr(d, BAR0, 8, 0xd0000000);
	EXPECT_EQ(1, fake_mmio_read(self->vm, 0xd0000000 + TABLE + 60, 4));
	EXPECT_EQ(8, fake_mmio_read(self->vm, 0xd0000000 + PBA, 4));
	fake_mmio_write(self->vm, 0xd0000000 + TABLE + 60, 4, 0);
	EXPECT_SENT(d, 3);
}

/* ---- shapes ------------------------------------------------------------ */

static void try_vectors(unsigned int nr)
{
	struct ioemu_pci_config config = dev_config(nr);
	struct ioemu_vm *vm = fake_vm_new(1);
	struct pci_dev d = { .vm = vm };
	unsigned int v;

	ASSERT_EQ(0, ioemu_pci_init(&d.pci, vm, SLOT, &config, &dev_ops));
	ASSERT_EQ(0, ioemu_pci_add(&d.pci));
	place_bars(&d, ON_ALL);
	EXPECT_EQ(nr - 1, cfg_rd(&d, MSIX + 2, 2));
	msix_control(&d, MSIX_ON);
	for (v = 0; v < nr; v++) {
		set_entry(&d, v, true);
		ioemu_pci_notify(&d.pci, v);
		EXPECT_TRUE(pba_bit(&d, v));
	}
	/* No bit beyond the last vector. */
	for (v = nr; v < DIV_ROUND_UP(nr, 64) * 64; v++)
		EXPECT_FALSE(pba_bit(&d, v));
	msix_control(&d, MSIX_ON | MSIX_MASKALL);
	for (v = 0; v < nr; v++)
		fake_mmio_write(vm, ENTRY(v) + 12, 4, 0);
	msix_control(&d, MSIX_ON);
	EXPECT_EQ(nr, fake_vm_nr_msi(vm));
	EXPECT_EQ(0, d.reads + d.writes);
	dev_remove(&d);
	fake_vm_free(vm);
}

TEST(numbers_of_vectors)
{
	static const unsigned int t[] = { 1, 2, 3, 31, 32, 33, 63, 64, 65, 127, 128 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(t); i++)
		try_vectors(t[i]);
}

/* The same offsets in another BAR are the device's. */
TEST(other_bar)
{
	struct ioemu_pci_config config = dev_config(VECTORS);
	struct ioemu_vm *vm = fake_vm_new(1);
	struct pci_dev d = { .vm = vm };

	config.bars[3].size = 0x4000;
	ASSERT_EQ(0, ioemu_pci_init(&d.pci, vm, SLOT, &config, &dev_ops));
	ASSERT_EQ(0, ioemu_pci_add(&d.pci));
	place_bars(&d, ON_ALL);
	fake_mmio_read(vm, MMIO3 + TABLE, 8);
	fake_mmio_write(vm, MMIO3 + TABLE + 12, 4, 0);
	fake_mmio_read(vm, MMIO3 + PBA, 8);
	EXPECT_EQ(2, d.reads);
	EXPECT_EQ(1, d.writes);
	EXPECT_EQ(1, fake_mmio_read(vm, ENTRY(0) + 12, 4));
	dev_remove(&d);
	fake_vm_free(vm);
}

/* The table right before the pending bits, and not at a multiple of 16. */
TEST(tight_place)
{
	struct ioemu_pci_config config = dev_config(4);
	struct ioemu_vm *vm = fake_vm_new(1);
	struct pci_dev d = { .vm = vm };

	config.msix_offset = 0x3000 - 0x48;
	ASSERT_EQ(0, ioemu_pci_init(&d.pci, vm, SLOT, &config, &dev_ops));
	ASSERT_EQ(0, ioemu_pci_add(&d.pci));
	place_bars(&d, ON_ALL);
	EXPECT_EQ(0x2fb8, cfg_rd(&d, MSIX + 4, 4));
	EXPECT_EQ(0x3000, cfg_rd(&d, MSIX + 8, 4));
	msix_control(&d, MSIX_ON);
	fake_mmio_write(vm, MMIO0 + 0x2fb8 + 48, 8, MSG_ADDR(3));
	fake_mmio_write(vm, MMIO0 + 0x2fb8 + 56, 8, MSG_DATA(3));
	ioemu_pci_notify(&d.pci, 3);
	EXPECT_SENT(&d, 3);
	/* The eight bytes between are the device's. */
	fake_mmio_read(vm, MMIO0 + 0x2ff8, 8);
	EXPECT_EQ(1, d.reads);
	dev_remove(&d);
	fake_vm_free(vm);
}

/* ---- threads ----------------------------------------------------------- */

#define ROUNDS	500

static struct {
	struct pci_dev *d;
	int stop;
	unsigned long asked, sent, after_mask, torn;
	int masked;
} r;

static void *asker(void *arg)
{
	(void)arg;
	while (!READ_ONCE(r.stop)) {
		__atomic_add_fetch(&r.asked, 1, __ATOMIC_SEQ_CST);
		standin_irq_enter();
		ioemu_pci_notify(&r.d->pci, 0);
		standin_irq_exit();
	}
	return NULL;
}

static void on_msi(void *arg, u64 addr, u32 data)
{
	(void)arg;
	__atomic_add_fetch(&r.sent, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&r.masked, __ATOMIC_SEQ_CST))
		__atomic_add_fetch(&r.after_mask, 1, __ATOMIC_SEQ_CST);
	/* Address and data are always written as a pair. */
	if (addr != MSG_ADDR(data - MSG_DATA(0)))
		__atomic_add_fetch(&r.torn, 1, __ATOMIC_SEQ_CST);
}

/*
 * Queues notify while the guest masks, moves and unmasks their vector: no
 * message leaves while it is masked, none is half of two, and what was asked for
 * meanwhile is sent in the end.
 */
TEST_F(pci, notify_against_mask)
{
	struct pci_dev *d = &self->d;
	pthread_t threads[2];
	unsigned int i;

	r.d = d;
	set_entry(d, 0, false);
	msix_control(d, MSIX_ON);
	fake_vm_on_msi(self->vm, on_msi, NULL);
	for (i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, asker, NULL);
	while (!__atomic_load_n(&r.sent, __ATOMIC_SEQ_CST))
		sched_yield();
	for (i = 0; i < ROUNDS; i++) {
		/* None of them ends in a byte of zero. */
		unsigned int v = i % 100;
		unsigned long before;
		u64 pending;

		if (i % 3)
			fake_mmio_write(self->vm, ENTRY(0) + 12, 4, 1);
		else
			msix_control(d, MSIX_ON | MSIX_MASKALL);
		__atomic_store_n(&r.masked, 1, __ATOMIC_SEQ_CST);
		fake_mmio_write(self->vm, ENTRY(0), 4, MSG_ADDR(v));
		fake_mmio_write(self->vm, ENTRY(0) + 8, 4, MSG_DATA(v));
		sched_yield();
		pending = fake_mmio_read(self->vm, MMIO0 + PBA, 8);
		before = __atomic_load_n(&r.sent, __ATOMIC_SEQ_CST);
		__atomic_store_n(&r.masked, 0, __ATOMIC_SEQ_CST);
		if (i % 3)
			fake_mmio_write(self->vm, ENTRY(0) + 12, 4, 0);
		else
			msix_control(d, MSIX_ON);
		if (pending & 1)
			EXPECT_GT(__atomic_load_n(&r.sent, __ATOMIC_SEQ_CST),
				  before);
		EXPECT_FALSE(pba_bit(d, 0));
	}
	WRITE_ONCE(r.stop, 1);
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, r.after_mask);
	EXPECT_EQ(0, r.torn);
	EXPECT_GT(r.sent, 0);
	EXPECT_LE(r.sent, r.asked);
	fake_vm_on_msi(self->vm, NULL, NULL);
}

static void *toggler(void *arg)
{
	(void)arg;
	while (!READ_ONCE(r.stop)) {
		set_entry(r.d, 0, false);
		set_entry(r.d, 1, true);
	}
	return NULL;
}

/* A table write and a function-wide change at the same time, and removal. */
TEST_F(pci, table_against_control)
{
	struct pci_dev *d = &self->d;
	pthread_t threads[2];
	unsigned int i;

	r.d = d;
	pthread_create(&threads[0], NULL, asker, NULL);
	pthread_create(&threads[1], NULL, toggler, NULL);
	for (i = 0; i < ROUNDS; i++) {
		msix_control(d, i % 3 ? MSIX_ON : 0);
		command(d, i % 5 ? ON_ALL : ON_MEM);
		if (i % 7 == 0)
			cfg_wr(d, MSI + 2, 2, i % 2);
	}
	/* Whoever was last, both agree on the outcome. */
	msix_control(d, MSIX_ON);
	command(d, ON_ALL);
	WRITE_ONCE(r.stop, 1);
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	set_entry(d, 1, true);
	fake_vm_clear_msi(self->vm);
	ioemu_pci_notify(&d->pci, 1);
	EXPECT_SILENT(d);
	EXPECT_TRUE(pba_bit(d, 1));
	set_entry(d, 0, false);
	fake_vm_clear_msi(self->vm);
	ioemu_pci_notify(&d->pci, 0);
	EXPECT_SENT(d, 0);
}
