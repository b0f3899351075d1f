/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One object per HVM domain, shared by its controllers.
 */
#ifndef _IOEMU_VM_CORE_H
#define _IOEMU_VM_CORE_H

#include <linux/types.h>
#include <xen/interface/xen.h>

#include <ioemu/vm.h>

struct ioemu_controller;
struct seq_file;

/**
 * ioemu_vm_get() - find a domain's object, or become its device model
 * @domid: domain
 *
 * Context: process context.
 * Return: the object with a reference, or an ERR_PTR as ioemu_ioreq_create().
 */
struct ioemu_vm *ioemu_vm_get(domid_t domid);

/**
 * ioemu_vm_put() - drop a reference
 * @vm: domain
 *
 * The last one gives the domain up: nothing of it stays mapped.
 *
 * Context: process context; waits for all use of guest memory to end.
 */
void ioemu_vm_put(struct ioemu_vm *vm);

/**
 * ioemu_vm_claim_slot() - reserve a PCI device number
 * @vm: domain
 * @slot: device number on bus 0
 *
 * Return: 0; -EBUSY when another controller has it.
 */
int ioemu_vm_claim_slot(struct ioemu_vm *vm, unsigned int slot);

/**
 * ioemu_vm_release_slot() - give it back
 * @vm: domain
 * @slot: device number
 */
void ioemu_vm_release_slot(struct ioemu_vm *vm, unsigned int slot);

/**
 * ioemu_vm_start() - let the guest see a controller
 * @vm: domain
 * @ctrl: controller that was created for it
 *
 * Context: process context.
 * Return: 0 or the model's error.
 */
int ioemu_vm_start(struct ioemu_vm *vm, struct ioemu_controller *ctrl);

/**
 * ioemu_vm_stop() - take a controller from the guest
 * @vm: domain
 * @ctrl: controller that was started
 *
 * Context: process context; waits for its requests.
 */
void ioemu_vm_stop(struct ioemu_vm *vm, struct ioemu_controller *ctrl);

/**
 * ioemu_vm_log_dirty() - report writes to guest memory to Xen, or no longer
 * @vm: domain
 * @on: somebody copies the domain's memory while it runs; calls are counted
 *
 * Requests in flight are reported too.
 *
 * Context: process context.
 */
void ioemu_vm_log_dirty(struct ioemu_vm *vm, bool on);

/**
 * ioemu_vm_alive() - is the domain still there?
 * @vm: domain
 *
 * Context: process context.
 */
bool ioemu_vm_alive(const struct ioemu_vm *vm);

/**
 * ioemu_vm_dir() - the domain's debugfs directory
 * @vm: domain
 */
struct dentry *ioemu_vm_dir(const struct ioemu_vm *vm);

#endif /* _IOEMU_VM_CORE_H */
