// SPDX-License-Identifier: GPL-2.0
/*
 * Messages of a PCI function: MSI (PCI Local Bus 3.0, 6.8.1) and MSI-X (6.8.2).
 *
 * Each vector has all that is needed to send its message on one cache line of
 * its own: what to send, whether to send, and a lock. What the guest changes
 * for the function as a whole (enable bits, function mask, bus mastering, MSI
 * registers) is brought to every vector, one after the other, before the guest's
 * write is answered. So ioemu_pci_notify() looks at its vector alone.
 *
 * The lock of a vector is held while its message is sent. This is what makes a
 * message whole (never half of the old address and half of the new one), what
 * decides between a notification and an unmasking that race, and what keeps
 * messages from leaving after the write that masks them was answered: a driver
 * that moves a vector to another CPU relies on it. A vector's lock is contended
 * only when queues share the vector, or the guest reprograms it.
 *
 * A change for the function and a write to the MSI-X table that race: the change
 * is stored in msix_state first, then brought to the vectors. If the table write
 * takes the vector's lock first, the change comes after it and sees the new
 * entry; if it comes second, the lock makes the new msix_state visible to it.
 *
 * The vectors' locks are innermost: nothing is taken under them.
 */
#include <linux/cache.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include <ioemu/vm.h>

#include "pci_msi.h"

#define MSI_MAX_VECTORS		32

#define MSIX_DWORDS		(PCI_MSIX_ENTRY_SIZE / 4)
#define MSIX_ADDR_LO		(PCI_MSIX_ENTRY_LOWER_ADDR / 4)
#define MSIX_ADDR_HI		(PCI_MSIX_ENTRY_UPPER_ADDR / 4)
#define MSIX_DATA		(PCI_MSIX_ENTRY_DATA / 4)
#define MSIX_CTRL		(PCI_MSIX_ENTRY_VECTOR_CTRL / 4)

/* What a notification does; the smaller of two limits applies. */
enum vector_state {
	VECTOR_OFF,		/* nothing */
	VECTOR_MASKED,		/* becomes pending */
	VECTOR_ON,		/* sends the message */
};

/**
 * struct ioemu_pci_vector - a message
 * @lock: guards all of it
 * @state: what a notification does
 * @mode: interrupt mode for which @pending, @addr and @data were set up
 * @pending: to be sent once it is unmasked
 * @data: message data
 * @addr: message address
 * @entry: the MSI-X table entry as the guest sees it
 */
struct ioemu_pci_vector {
	raw_spinlock_t lock;
	u8 state;
	u8 mode;
	bool pending;
	u32 data;
	u64 addr;
	u32 entry[MSIX_DWORDS];
} ____cacheline_aligned_in_smp;

/* The bits of an entry that exist (6.8.2.6 to 6.8.2.9). */
static const u32 msix_writable[MSIX_DWORDS] = {
	[MSIX_ADDR_LO]	= ~3U,
	[MSIX_ADDR_HI]	= ~0U,
	[MSIX_DATA]	= ~0U,
	[MSIX_CTRL]	= PCI_MSIX_ENTRY_CTRL_MASKBIT,
};

/* log2 of the number of messages that MSI asks for (6.8.1.3). */
static unsigned int msi_order(const struct ioemu_pci *pci)
{
	return order_base_2(min_t(unsigned int, pci->config.nr_vectors,
				  MSI_MAX_VECTORS));
}

static u32 msix_table_size(const struct ioemu_pci *pci)
{
	return pci->config.nr_vectors * PCI_MSIX_ENTRY_SIZE;
}

static u32 msix_pba_size(const struct ioemu_pci *pci)
{
	return DIV_ROUND_UP(pci->config.nr_vectors, 64) * 8;
}

static int msix_place(struct ioemu_pci *pci)
{
	const struct ioemu_pci_config *config = &pci->config;
	const struct ioemu_pci_bar_config *bar;
	u64 pba;

	if (config->nr_vectors > IOEMU_PCI_MAX_VECTORS ||
	    config->msix_bar >= IOEMU_PCI_BARS || config->msix_offset % 8)
		return -EINVAL;

	bar = &config->bars[config->msix_bar];
	pba = ALIGN((u64)config->msix_offset + msix_table_size(pci), SZ_4K);
	if (pba + msix_pba_size(pci) > bar->size ||
	    pba > PCI_MSIX_PBA_OFFSET)
		return -EINVAL;
	pci->msix_pba = pba;
	return 0;
}

/**
 * ioemu_pci_msi_init() - prepare the vectors of a function
 * @pci: function with @config set
 *
 * Context: process context.
 * Return: 0; -EINVAL when the MSI-X structures have no place; -ENOMEM.
 */
int ioemu_pci_msi_init(struct ioemu_pci *pci)
{
	unsigned int i, nr = pci->config.nr_vectors;
	int ret;

	pci->vectors = NULL;
	if (!nr)
		return 0;

	ret = msix_place(pci);
	if (ret)
		return ret;

	/* Only a power of two is sure to be aligned to cache lines. */
	pci->vectors = kcalloc(roundup_pow_of_two(nr), sizeof(*pci->vectors),
			       GFP_KERNEL);
	if (!pci->vectors)
		return -ENOMEM;
	for (i = 0; i < nr; i++)
		raw_spin_lock_init(&pci->vectors[i].lock);
	return 0;
}

/**
 * ioemu_pci_msi_destroy() - undo ioemu_pci_msi_init()
 * @pci: function
 */
void ioemu_pci_msi_destroy(struct ioemu_pci *pci)
{
	kfree(pci->vectors);
	pci->vectors = NULL;
}

/**
 * ioemu_pci_msi_build() - write both capabilities as they are after power-on
 * @pci: function with vectors
 *
 * The links of the list are the caller's.
 *
 * Context: process context, &ioemu_pci.lock held or nobody sees the function.
 */
void ioemu_pci_msi_build(struct ioemu_pci *pci)
{
	unsigned int order = msi_order(pci);
	u32 bir = pci->config.msix_bar;

	pci->space[CAP_MSI] = PCI_CAP_ID_MSI;
	bytes_set16(pci->space, CAP_MSI + PCI_MSI_FLAGS,
		    PCI_MSI_FLAGS_64BIT | PCI_MSI_FLAGS_MASKBIT | order << 1);
	bytes_set16(pci->writable, CAP_MSI + PCI_MSI_FLAGS,
		    PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE);
	bytes_set32(pci->writable, CAP_MSI + PCI_MSI_ADDRESS_LO, ~3U);
	bytes_set32(pci->writable, CAP_MSI + PCI_MSI_ADDRESS_HI, ~0U);
	bytes_set16(pci->writable, CAP_MSI + PCI_MSI_DATA_64, 0xffff);
	bytes_set32(pci->writable, CAP_MSI + PCI_MSI_MASK_64,
		    ~0U >> (32 - (1U << order)));

	pci->space[CAP_MSIX] = PCI_CAP_ID_MSIX;
	bytes_set16(pci->space, CAP_MSIX + PCI_MSIX_FLAGS,
		    pci->config.nr_vectors - 1);
	bytes_set16(pci->writable, CAP_MSIX + PCI_MSIX_FLAGS,
		    PCI_MSIX_FLAGS_MASKALL | PCI_MSIX_FLAGS_ENABLE);
	bytes_set32(pci->space, CAP_MSIX + PCI_MSIX_TABLE,
		    pci->config.msix_offset | bir);
	bytes_set32(pci->space, CAP_MSIX + PCI_MSIX_PBA, pci->msix_pba | bir);
}

/**
 * ioemu_pci_msi_reset() - bring the MSI-X table to its state after power-on
 * @pci: function whose messages are off
 *
 * Context: process context, &ioemu_pci.lock held or nobody sees the function.
 */
void ioemu_pci_msi_reset(struct ioemu_pci *pci)
{
	unsigned int i;

	for (i = 0; i < pci->config.nr_vectors; i++) {
		struct ioemu_pci_vector *v = &pci->vectors[i];
		unsigned long flags;

		raw_spin_lock_irqsave(&v->lock, flags);
		memset(v->entry, 0, sizeof(v->entry));
		v->entry[MSIX_CTRL] = PCI_MSIX_ENTRY_CTRL_MASKBIT;
		v->pending = false;
		raw_spin_unlock_irqrestore(&v->lock, flags);
	}
}

/* Give a vector its state, and send what waited for it. */
static void vector_set(struct ioemu_pci *pci, struct ioemu_pci_vector *v,
		       enum vector_state state, u64 addr, u32 data)
{
	lockdep_assert_held(&v->lock);

	v->state = state;
	v->addr = addr;
	v->data = data;
	if (state == VECTOR_ON && v->pending) {
		v->pending = false;
		ioemu_vm_inject_msi(pci->vm, addr, data);
	}
}

/*
 * A message with vector 0, which no APIC takes, is Xen's: it names an event
 * channel of the guest's (a "pirq"). Such a guest masks at the event channel,
 * and leaves the mask bits of the vectors as they were after reset. The delivery
 * mode in the data is not zero; data of zero is an entry that was never written.
 */
static bool message_is_pirq(u32 data)
{
	return data && !(data & 0xff);
}

static void vector_set_msix(struct ioemu_pci *pci, struct ioemu_pci_vector *v)
{
	bool masked = v->entry[MSIX_CTRL] & PCI_MSIX_ENTRY_CTRL_MASKBIT;
	unsigned int state = READ_ONCE(pci->msix_state);

	lockdep_assert_held(&v->lock);

	if (masked && !message_is_pirq(v->entry[MSIX_DATA]))
		state = min_t(unsigned int, state, VECTOR_MASKED);
	vector_set(pci, v, state,
		   (u64)v->entry[MSIX_ADDR_HI] << 32 | v->entry[MSIX_ADDR_LO],
		   v->entry[MSIX_DATA]);
}

/* The message of an MSI vector: its number in the low bits (6.8.1.6). */
static void vector_set_msi(struct ioemu_pci *pci, struct ioemu_pci_vector *v,
			   unsigned int index)
{
	u16 flags = space_get16(pci, CAP_MSI + PCI_MSI_FLAGS);
	u32 mask = space_get32(pci, CAP_MSI + PCI_MSI_MASK_64);
	u64 addr = space_get32(pci, CAP_MSI + PCI_MSI_ADDRESS_LO) |
		(u64)space_get32(pci, CAP_MSI + PCI_MSI_ADDRESS_HI) << 32;
	u16 data = space_get16(pci, CAP_MSI + PCI_MSI_DATA_64);
	/* The guest may ask for more than it is offered; it gets no more. */
	unsigned int order = min_t(unsigned int, msi_order(pci),
				   (flags & PCI_MSI_FLAGS_QSIZE) >> 4);
	enum vector_state state = VECTOR_ON;

	lockdep_assert_held(&pci->lock);
	lockdep_assert_held(&v->lock);

	if (!pci->master || index >= 1U << order)
		state = VECTOR_OFF;
	else if (mask & 1U << index && !message_is_pirq(data))
		state = VECTOR_MASKED;
	data = (data & ~((1U << order) - 1)) | index;
	vector_set(pci, v, state, addr, data);
}

static enum ioemu_pci_irq_mode wanted_mode(const struct ioemu_pci *pci)
{
	if (!pci->live || !pci->config.nr_vectors)
		return IOEMU_PCI_IRQ_INTX;
	/* Both at once is undefined (6.8.2); MSI-X is the newer one. */
	if (space_get16(pci, CAP_MSIX + PCI_MSIX_FLAGS) &
	    PCI_MSIX_FLAGS_ENABLE)
		return IOEMU_PCI_IRQ_MSIX;
	if (space_get16(pci, CAP_MSI + PCI_MSI_FLAGS) & PCI_MSI_FLAGS_ENABLE)
		return IOEMU_PCI_IRQ_MSI;
	return IOEMU_PCI_IRQ_INTX;
}

/**
 * ioemu_pci_msi_update() - bring what the guest set to every vector
 * @pci: function with @live, @master and @space as they now are
 *
 * What was pending in another mode is forgotten.
 *
 * Context: process context, &ioemu_pci.lock held.
 */
void ioemu_pci_msi_update(struct ioemu_pci *pci)
{
	enum ioemu_pci_irq_mode mode = wanted_mode(pci);
	unsigned int i, state = VECTOR_OFF;

	lockdep_assert_held(&pci->lock);

	if (mode == IOEMU_PCI_IRQ_MSIX && pci->master) {
		u16 flags = space_get16(pci, CAP_MSIX + PCI_MSIX_FLAGS);

		state = flags & PCI_MSIX_FLAGS_MASKALL ? VECTOR_MASKED :
							 VECTOR_ON;
	}
	WRITE_ONCE(pci->irq_mode, mode);
	/* Before any vector: see the top of this file. */
	WRITE_ONCE(pci->msix_state, state);

	for (i = 0; i < pci->config.nr_vectors; i++) {
		struct ioemu_pci_vector *v = &pci->vectors[i];
		unsigned long flags;

		raw_spin_lock_irqsave(&v->lock, flags);
		if (v->mode != mode) {
			v->mode = mode;
			v->pending = false;
		}
		if (mode == IOEMU_PCI_IRQ_MSIX)
			vector_set_msix(pci, v);
		else if (mode == IOEMU_PCI_IRQ_MSI)
			vector_set_msi(pci, v, i);
		else
			vector_set(pci, v, VECTOR_OFF, 0, 0);
		raw_spin_unlock_irqrestore(&v->lock, flags);
	}
}

static bool vector_pending(const struct ioemu_pci *pci, unsigned int index,
			   enum ioemu_pci_irq_mode mode)
{
	struct ioemu_pci_vector *v = &pci->vectors[index];
	unsigned long flags;
	bool pending;

	raw_spin_lock_irqsave(&v->lock, flags);
	pending = v->mode == mode && v->pending;
	raw_spin_unlock_irqrestore(&v->lock, flags);
	return pending;
}

/**
 * ioemu_pci_msi_pending() - the pending bits of MSI (6.8.1.8)
 * @pci: function
 *
 * Context: any.
 * Return: one bit for each vector; none unless MSI is enabled.
 */
u32 ioemu_pci_msi_pending(const struct ioemu_pci *pci)
{
	unsigned int nr = min_t(unsigned int, pci->config.nr_vectors,
				MSI_MAX_VECTORS);
	unsigned int i;
	u32 bits = 0;

	for (i = 0; i < nr; i++)
		if (vector_pending(pci, i, IOEMU_PCI_IRQ_MSI))
			bits |= 1U << i;
	return bits;
}

bool ioemu_pci_notify(struct ioemu_pci *pci, unsigned int vector)
{
	struct ioemu_pci_vector *v;
	unsigned long flags;
	bool on;

	if (vector >= pci->config.nr_vectors)
		return false;

	v = &pci->vectors[vector];
	raw_spin_lock_irqsave(&v->lock, flags);
	if (v->state == VECTOR_ON)
		ioemu_vm_inject_msi(pci->vm, v->addr, v->data);
	else if (v->state == VECTOR_MASKED)
		v->pending = true;
	on = v->state != VECTOR_OFF;
	raw_spin_unlock_irqrestore(&v->lock, flags);
	return on;
}

static bool overlaps(u64 offset, unsigned int size, u32 start, u32 length)
{
	return offset < (u64)start + length && offset + size > start;
}

/**
 * ioemu_pci_msix_covers() - does an access touch the MSI-X structures?
 * @pci: function
 * @bar: BAR
 * @offset: offset in it
 * @size: bytes
 *
 * Context: any.
 * Return: true if one of its bytes lies in the table or the pending bit array.
 */
bool ioemu_pci_msix_covers(const struct ioemu_pci *pci, unsigned int bar,
			   u64 offset, unsigned int size)
{
	const struct ioemu_pci_config *config = &pci->config;

	if (!config->nr_vectors || bar != config->msix_bar)
		return false;
	return overlaps(offset, size, config->msix_offset,
			msix_table_size(pci)) ||
	       overlaps(offset, size, pci->msix_pba, msix_pba_size(pci));
}

static u32 table_read(struct ioemu_pci *pci, u32 where)
{
	struct ioemu_pci_vector *v = &pci->vectors[where / PCI_MSIX_ENTRY_SIZE];
	unsigned long flags;
	u32 value;

	raw_spin_lock_irqsave(&v->lock, flags);
	value = v->entry[where / 4 % MSIX_DWORDS];
	raw_spin_unlock_irqrestore(&v->lock, flags);
	return value;
}

static void table_write(struct ioemu_pci *pci, u32 where, u32 value, u32 mask)
{
	struct ioemu_pci_vector *v = &pci->vectors[where / PCI_MSIX_ENTRY_SIZE];
	unsigned int dword = where / 4 % MSIX_DWORDS;
	unsigned long flags;

	mask &= msix_writable[dword];
	raw_spin_lock_irqsave(&v->lock, flags);
	v->entry[dword] = (v->entry[dword] & ~mask) | (value & mask);
	/* In another mode the entry waits for ioemu_pci_msi_update(). */
	if (v->mode == IOEMU_PCI_IRQ_MSIX)
		vector_set_msix(pci, v);
	raw_spin_unlock_irqrestore(&v->lock, flags);
}

static u32 pba_read(struct ioemu_pci *pci, u32 where)
{
	unsigned int first = where * 8, i;
	u32 bits = 0;

	for (i = 0; i < 32 && first + i < pci->config.nr_vectors; i++)
		if (vector_pending(pci, first + i, IOEMU_PCI_IRQ_MSIX))
			bits |= 1U << i;
	return bits;
}

/**
 * ioemu_pci_msix_read() - read from the MSI-X table or pending bit array
 * @pci: function
 * @offset: offset in the BAR
 * @size: 1, 2, 4 or 8
 *
 * The specification wants aligned accesses of 4 or 8 bytes (6.8.2); others see
 * the bytes that they ask for. What lies outside of both structures reads zero.
 *
 * Context: any, hard irq included.
 * Return: the value; bits above @size are undefined.
 */
u64 ioemu_pci_msix_read(struct ioemu_pci *pci, u64 offset, unsigned int size)
{
	u64 value = 0, pos;

	for (pos = ALIGN_DOWN(offset, 4); pos < offset + size; pos += 4) {
		u64 dword = 0;

		if (overlaps(pos, 4, pci->config.msix_offset,
			     msix_table_size(pci)))
			dword = table_read(pci, pos - pci->config.msix_offset);
		else if (overlaps(pos, 4, pci->msix_pba, msix_pba_size(pci)))
			dword = pba_read(pci, pos - pci->msix_pba);

		if (pos < offset)
			value |= dword >> 8 * (offset - pos);
		else
			value |= dword << 8 * (pos - offset);
	}
	return value;
}

/**
 * ioemu_pci_msix_write() - write to the MSI-X table or pending bit array
 * @pci: function
 * @offset: offset in the BAR
 * @size: 1, 2, 4 or 8
 * @value: what is written; bits above @size are zero
 *
 * Any access changes the bytes that it names, dword after dword. The pending
 * bit array is read-only, and what lies outside of both structures is lost.
 *
 * Context: any, hard irq included.
 */
void ioemu_pci_msix_write(struct ioemu_pci *pci, u64 offset, unsigned int size,
			  u64 value)
{
	u64 mask = ~0ULL >> (64 - 8 * size), pos;

	for (pos = ALIGN_DOWN(offset, 4); pos < offset + size; pos += 4) {
		if (!overlaps(pos, 4, pci->config.msix_offset,
			      msix_table_size(pci)))
			continue;
		if (pos < offset)
			table_write(pci, pos - pci->config.msix_offset,
				    value << 8 * (offset - pos),
				    mask << 8 * (offset - pos));
		else
			table_write(pci, pos - pci->config.msix_offset,
				    value >> 8 * (pos - offset),
				    mask >> 8 * (pos - offset));
	}
}
