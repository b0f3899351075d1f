/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An emulated PCI function on bus 0: configuration space, base address
 * registers, capabilities, interrupts.
 */
#ifndef _IOEMU_PCI_H
#define _IOEMU_PCI_H

#include <linux/mutex.h>
#include <linux/pci_regs.h>
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
 *         device to its state after power-on. Configuration space was reset by
 *         the caller: BARs are not decoded, bus mastering is off (@master was
 *         told), and the wish for the legacy interrupt is dropped afterwards.
 *         Process context, may sleep; may be NULL.
 * @master: bus mastering was switched on or off: while off, the device must not
 *          touch guest memory nor send messages. It is off in D3hot too. Not
 *          called when the function is removed. Process context, may sleep;
 *          may be NULL.
 * @irq_mode: the guest chose another kind of interrupt, as ioemu_pci_irq_mode()
 *            says: one that the device wishes all the time may now be due on the
 *            legacy pin. Process context; may be NULL.
 *
 * @bar_read and @bar_write are called in any context, hard irq included.
 * @offset + @size lies within the BAR, with any alignment.
 *
 * @reset, @master and @irq_mode are called with &ioemu_pci.lock held, one at a time.
 */
struct ioemu_pci_ops {
	u64 (*bar_read)(struct ioemu_pci *pci, unsigned int bar, u64 offset,
			unsigned int size);
	void (*bar_write)(struct ioemu_pci *pci, unsigned int bar, u64 offset,
			  unsigned int size, u64 value);
	void (*reset)(struct ioemu_pci *pci);
	void (*master)(struct ioemu_pci *pci, bool enabled);
	void (*irq_mode)(struct ioemu_pci *pci);
};

/**
 * struct ioemu_pci_bar_config - a memory BAR as the device wants it
 * @size: bytes, a power of two of at least 16; 0 for none
 * @is_64bit: it has 64 bits, and takes the next BAR too
 */
struct ioemu_pci_bar_config {
	u64 size;
	bool is_64bit;
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
 * @nr_vectors: MSI-X vectors, 0 for neither MSI-X nor MSI; MSI has as many of
 *              them as MSI allows, up to 32
 * @msix_bar: BAR of the MSI-X table and pending bit array
 * @msix_offset: offset of the table in it, a multiple of 8; the pending bits
 *               follow at the next multiple of 4 KiB after the table
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

struct ioemu_pci_vector;

/**
 * struct ioemu_pci_bar - a base address register
 * @region: what it decodes; fixed while @claimed
 * @pci: function
 * @index: its number
 * @claimed: @region is in the address map; under &ioemu_pci.lock
 */
struct ioemu_pci_bar {
	struct ioemu_io_region region;
	struct ioemu_pci *pci;
	unsigned int index;
	bool claimed;
};

/**
 * struct ioemu_pci - a PCI function; the fields are private to it
 * @vm: domain
 * @slot: PCI device number on bus 0
 * @ops: the device
 * @config: identity and shape
 * @msix_pba: offset of the pending bit array in the BAR of @config.msix_bar
 * @lock: serialises accesses to configuration space with all that follows from
 *        them. After config_sem, before &ioemu_iospace.lock in the lock order
 * @space: configuration space as the guest reads it, but for the bits that
 *         change by themselves; under @lock
 * @writable: the bits of @space that the guest may change; fixed
 * @config_region: its place in the address map; fixed while @live
 * @bars: base address registers
 * @live: the guest may see the function, and it is not in reset; under @lock
 * @master: bus mastering is on; written under @lock, read anywhere
 * @irq_mode: how the guest wants interrupts; written under @lock, read anywhere
 * @msix_state: the most that the function lets an MSI-X vector do, an enum
 *              vector_state; written under @lock, read under a vector's lock
 * @intx_lock: orders the levels of the legacy pin; innermost
 * @intx_wish: what the device asked for; under @intx_lock
 * @intx_allowed: the guest wants to see it; under @intx_lock
 * @intx_shown: level of the pin; under @intx_lock
 * @vectors: @config.nr_vectors of them, each on its own cache line with its own
 *           lock
 */
struct ioemu_pci {
	struct ioemu_vm *vm;
	unsigned int slot;
	const struct ioemu_pci_ops *ops;
	struct ioemu_pci_config config;
	u32 msix_pba;

	struct mutex lock;
	u8 space[PCI_CFG_SPACE_SIZE];
	u8 writable[PCI_CFG_SPACE_SIZE];
	struct ioemu_io_region config_region;
	struct ioemu_pci_bar bars[IOEMU_PCI_BARS];
	bool live;

	bool master;
	enum ioemu_pci_irq_mode irq_mode;
	unsigned int msix_state;

	raw_spinlock_t intx_lock;
	bool intx_wish;
	bool intx_allowed;
	bool intx_shown;

	struct ioemu_pci_vector *vectors;
};

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
 * When it returns, no callback runs nor comes any more, bus mastering is off,
 * the interrupt pin is deasserted, and ioemu_pci_notify() does nothing. It waits
 * for callbacks: the caller holds no lock that they take.
 *
 * Context: process context, sleeps.
 */
void ioemu_pci_remove(struct ioemu_pci *pci);

/**
 * ioemu_pci_irq_mode() - how the guest wants interrupts now
 * @pci: function
 *
 * Context: any.
 * Return: the mode; INTx while the guest enabled no other.
 */
enum ioemu_pci_irq_mode ioemu_pci_irq_mode(const struct ioemu_pci *pci);

/**
 * ioemu_pci_master() - may the device touch guest memory?
 * @pci: function
 *
 * Context: any.
 * Return: true while bus mastering is on and the function is in D0.
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
 * Takes no lock that vectors share, and writes no cache line that they share.
 * Once a guest's write that masks a vector or switches messages off is answered,
 * no message leaves any more.
 *
 * Context: any, hard irq included.
 * Return: false when it did nothing; true when the message was sent or is pending.
 */
bool ioemu_pci_notify(struct ioemu_pci *pci, unsigned int vector);

/**
 * ioemu_pci_set_intx() - set the wish for the legacy interrupt
 * @pci: function
 * @level: asserted or not; remembered, and shown on pin A as long as neither
 *         MSI nor MSI-X is enabled and the command register does not disable it
 *
 * Context: any, hard irq included.
 */
void ioemu_pci_set_intx(struct ioemu_pci *pci, bool level);

#endif /* _IOEMU_PCI_H */
