/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What an HVM domain offers to the device models that serve it.
 *
 * A device model sees a domain through this header, <ioemu/guestmem.h>,
 * <ioemu/iospace.h> and <ioemu/pci.h> only. Nothing here names a hypercall, so
 * that the models compile and run in userspace against a fake domain.
 */
#ifndef _IOEMU_VM_H
#define _IOEMU_VM_H

#include <linux/types.h>

struct ioemu_gmap;
struct ioemu_iospace;
struct ioemu_vm;

/**
 * ioemu_vm_domid() - the domain's identifier
 * @vm: domain
 *
 * Context: any.
 */
u16 ioemu_vm_domid(const struct ioemu_vm *vm);

/**
 * ioemu_vm_iospace() - the I/O address map of a domain
 * @vm: domain
 *
 * Context: any.
 */
struct ioemu_iospace *ioemu_vm_iospace(struct ioemu_vm *vm);

/**
 * ioemu_vm_gmap_get() - take a reference on the current guest memory map
 * @vm: domain
 *
 * The map stays usable, and every page looked up through it stays mapped,
 * until the reference is dropped with ioemu_gmap_put(). A map that was replaced
 * meanwhile (the guest gave memory back) is not stale in a dangerous way: its
 * pages still belong to the domain, they are merely no longer what the guest
 * has at that address.
 *
 * Context: any, hard irq included.
 * Return: the map, or NULL when the domain is being torn down.
 */
struct ioemu_gmap *ioemu_vm_gmap_get(struct ioemu_vm *vm);

/**
 * ioemu_vm_inject_msi() - deliver a message signalled interrupt
 * @vm: domain
 * @addr: message address, all 64 bits, as the guest programmed it
 * @data: message data
 *
 * Errors (an address outside of the APIC window, a dying domain) are dropped as
 * hardware would drop them.
 *
 * Context: any, hard irq included.
 */
void ioemu_vm_inject_msi(struct ioemu_vm *vm, u64 addr, u32 data);

/**
 * ioemu_vm_set_intx() - set the level of a legacy PCI interrupt pin on bus 0
 * @vm: domain
 * @slot: PCI device number
 * @pin: 0 for INTA to 3 for INTD
 * @level: asserted or not
 *
 * Context: any, hard irq included. The caller orders its own calls.
 */
void ioemu_vm_set_intx(struct ioemu_vm *vm, unsigned int slot,
		       unsigned int pin, bool level);

#endif /* _IOEMU_VM_H */
