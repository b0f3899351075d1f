/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An emulated PCI function on bus 0: configuration space, base address
 * registers, capabilities, interrupts.
 */
#ifndef _IOEMU_PCI_H
#define _IOEMU_PCI_H

#include <linux/bitmap.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include <ioemu/iospace.h>

struct ioemu_pci;
struct ioemu_vm;

#define IOEMU_PCI_BARS		6
#define IOEMU_PCI_MAX_VECTORS	128	/* MSI-X vectors of a function */

/**
 * struct ioemu_pci_ops - what the device behind a function does
 * @bar_read: answer a read within a BAR, MSI-X structures excepted. Called only
 *            while the BAR is decoded.
 * @bar_write: likewise for a write
 * @reset: function-level reset, or the return from D3hot to D0: bring the
 *         device to its state after power-on. Configuration space is reset by
 *         the caller. Process context, may sleep.
 * @master: bus mastering was switched on or off: while off, the device must not
 *          touch guest memory nor send messages. Process context, may sleep;
 *          may be NULL.
 *
 * @bar_read and @bar_write are called in any context, hard irq included.
 * @offset + @size lies within the BAR, with any alignment.
 */
struct ioemu_pci_ops {
	u64 (*bar_read)(struct ioemu_pci *pci, unsigned int bar, u64 offset,
			unsigned int size);
	void (*bar_write)(struct ioemu_pci *pci, unsigned int bar, u64 offset,
			  unsigned int size, u64 value);
	void (*reset)(struct ioemu_pci *pci);
	void (*master)(struct ioemu_pci *pci, bool enabled);
};

/**
 * struct ioemu_pci_bar_config - a BAR as the device wants it
 * @size: bytes, a power of two of at least 16 (memory) or 4 (ports); 0 for none
 * @port: I/O port space instead of memory space
 * @is_64bit: memory BAR of 64 bits; takes the next BAR too
 * @prefetchable: memory BAR without read side effects
 */
struct ioemu_pci_bar_config {
	u64 size;
	bool port;
	bool is_64bit;
	bool prefetchable;
};

/**
 * struct ioemu_pci_config - identity and shape of a function
 * @vendor: vendor id
 * @device: device id
 * @subsys_vendor: subsystem vendor id
 * @subsys_device: subsystem id
 * @revision: revision id
 * @class: 24 bits of class code
 * @bars: base address registers
 * @nr_vectors: MSI-X vectors, 0 for no MSI-X; MSI has as many of them as MSI
 *              allows, up to 32
 * @msix_bar: BAR of the MSI-X table and pending bit array
 * @msix_offset: offset of the table in it; the pending bits follow at the next
 *               multiple of 4 KiB after the table
 */
struct ioemu_pci_config {
	u16 vendor;
	u16 device;
	u16 subsys_vendor;
	u16 subsys_device;
	u8 revision;
	u32 class;
	struct ioemu_pci_bar_config bars[IOEMU_PCI_BARS];
	unsigned int nr_vectors;
	unsigned int msix_bar;
	u32 msix_offset;
};

/**
 * enum ioemu_pci_irq_mode - how the guest asked for interrupts
 * @IOEMU_PCI_IRQ_INTX: level on the legacy pin
 * @IOEMU_PCI_IRQ_MSI: messages, vectors 0 to 31 at the most
 * @IOEMU_PCI_IRQ_MSIX: messages from the table in a BAR
 */
enum ioemu_pci_irq_mode {
	IOEMU_PCI_IRQ_INTX,
	IOEMU_PCI_IRQ_MSI,
	IOEMU_PCI_IRQ_MSIX,
};

/* struct ioemu_pci itself: see the end of this file. */

/**
 * ioemu_pci_init() - prepare a function that nobody can see yet
 * @pci: function, embedded in a device
 * @vm: domain
 * @slot: PCI device number on bus 0, function 0
 * @config: identity and shape, copied
 * @ops: the device
 *
 * Context: process context.
 * Return: 0; -EINVAL when @config makes no sense; -ENOMEM.
 */
int ioemu_pci_init(struct ioemu_pci *pci, struct ioemu_vm *vm,
		   unsigned int slot, const struct ioemu_pci_config *config,
		   const struct ioemu_pci_ops *ops);

/**
 * ioemu_pci_destroy() - undo ioemu_pci_init()
 * @pci: function that is not in the address map
 */
void ioemu_pci_destroy(struct ioemu_pci *pci);

/**
 * ioemu_pci_add() - let the guest see the function
 * @pci: function
 *
 * Context: process context; callbacks may come before it returns.
 * Return: 0 or what ioemu_iospace_add() said.
 */
int ioemu_pci_add(struct ioemu_pci *pci);

/**
 * ioemu_pci_remove() - take the function away from the guest
 * @pci: function that was added
 *
 * When it returns, no callback runs nor comes any more, the interrupt pin is
 * deasserted, and ioemu_pci_notify() does nothing.
 *
 * Context: process context, sleeps.
 */
void ioemu_pci_remove(struct ioemu_pci *pci);

/**
 * ioemu_pci_irq_mode() - how the guest wants interrupts now
 * @pci: function
 *
 * Context: any.
 */
enum ioemu_pci_irq_mode ioemu_pci_irq_mode(const struct ioemu_pci *pci);

/**
 * ioemu_pci_master() - may the device touch guest memory?
 * @pci: function
 *
 * Context: any.
 */
bool ioemu_pci_master(const struct ioemu_pci *pci);

/**
 * ioemu_pci_notify() - send the message of a vector
 * @pci: function
 * @vector: vector, below the number of vectors in use; others are dropped
 *
 * A masked vector becomes pending and is sent when it is unmasked (PCI Local Bus
 * 3.0, 6.8.3.5; MSI per-vector masking likewise). Does nothing in INTx mode or
 * while bus mastering is off.
 *
 * Takes no lock that vectors share.
 *
 * Context: any, hard irq included.
 */
void ioemu_pci_notify(struct ioemu_pci *pci, unsigned int vector);

/**
 * ioemu_pci_set_intx() - set the wish for the legacy interrupt
 * @pci: function
 * @level: asserted or not; remembered, and shown on pin A as long as neither
 *         MSI nor MSI-X is enabled and the command register does not disable it
 *
 * Context: any, hard irq included.
 */
void ioemu_pci_set_intx(struct ioemu_pci *pci, bool level);

struct ioemu_pci {
	struct ioemu_vm *vm;
};

#endif /* _IOEMU_PCI_H */
