// SPDX-License-Identifier: GPL-2.0
/*
 * One HVM domain: its ioreq server, its guest memory, its I/O address map and
 * its controllers.
 *
 * Lock order: vms_lock -> ioemu_vm.lock -> the locks of iospace and pci -> the
 * models' own. Requests from the guest take none of the first two, except
 * INVALIDATE, which takes ioemu_vm.lock.
 *
 * Teardown goes from the guest inwards: controllers stop (the guest cannot see
 * them any more, their requests are finished), then the ioreq server goes, then
 * guest memory is unmapped.
 */

#include <linux/bitops.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <ioemu/guestmem.h>
#include <ioemu/iospace.h>
#include <ioemu/model.h>

#include "debugfs.h"
#include "dmop.h"
#include "guestmem.h"
#include "ioreq.h"
#include "vm.h"

static int map_limit_set(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 16, 1024 * 1024);
}

static const struct kernel_param_ops map_limit_ops = {
	.set = map_limit_set,
	.get = param_get_uint,
};

/*
 * Mapped frames cost dom0 a page structure and a page-table entry each, about
 * 2% of their size. Once over the limit, a domain's mappings are dropped and
 * begun anew.
 */
static unsigned int map_limit = 1024;
module_param_cb(map_limit, &map_limit_ops, &map_limit, 0644);
MODULE_PARM_DESC(map_limit,
		 "MiB of a guest's memory that stay mapped, 16 to 1048576 (default 1024); for domains bound afterwards");

/**
 * struct ioemu_vm - a domain
 * @domid: domain
 * @refs: references, under vms_lock
 * @entry: in vms, under vms_lock
 * @space: I/O address map
 * @mem: guest memory
 * @server: ioreq server
 * @lock: guards @controllers and the replacement of the memory map
 * @controllers: those started
 * @nr_log_dirty: controllers that were told of log-dirty mode, under @lock
 * @slots: PCI device numbers in use, atomic bits
 * @refresh: replaces a memory map that became full
 * @dir: debugfs
 */
struct ioemu_vm {
	domid_t domid;
	unsigned int refs;
	struct list_head entry;
	struct ioemu_iospace space;
	struct ioemu_guestmem *mem;
	struct ioemu_ioreq_server *server;
	struct mutex lock;
	struct list_head controllers;
	unsigned int nr_log_dirty;
	unsigned long slots;
	struct work_struct refresh;
	struct dentry *dir;
};

static LIST_HEAD(vms);
static DEFINE_MUTEX(vms_lock);

u16 ioemu_vm_domid(const struct ioemu_vm *vm)
{
	return vm->domid;
}

struct ioemu_iospace *ioemu_vm_iospace(struct ioemu_vm *vm)
{
	return &vm->space;
}

struct ioemu_gmap *ioemu_vm_gmap_get(struct ioemu_vm *vm)
{
	return ioemu_guestmem_current(vm->mem);
}

void ioemu_vm_inject_msi(struct ioemu_vm *vm, u64 addr, u32 data)
{
	struct xen_dmop op = {
		.op = XEN_DMOP_INJECT_MSI,
		.u.msi = { .addr = addr, .data = data },
	};

	ioemu_dmop(vm->domid, &op);
}

void ioemu_vm_set_intx(struct ioemu_vm *vm, unsigned int slot,
		       unsigned int pin, bool level)
{
	struct xen_dmop op = {
		.op = XEN_DMOP_SET_PCI_INTX_LEVEL,
		.u.intx = { .device = slot, .intx = pin, .level = level },
	};

	ioemu_dmop(vm->domid, &op);
}

static int vm_map_range(void *owner, enum ioemu_io_type type, u64 start,
			u64 end)
{
	struct ioemu_vm *vm = owner;

	return ioemu_ioreq_map_range(vm->server, type, start, end);
}

static void vm_unmap_range(void *owner, enum ioemu_io_type type, u64 start,
			   u64 end)
{
	struct ioemu_vm *vm = owner;

	ioemu_ioreq_unmap_range(vm->server, type, start, end);
}

static const struct ioemu_iospace_ops vm_iospace_ops = {
	.map = vm_map_range,
	.unmap = vm_unmap_range,
};

/*
 * Have everybody use a new map of guest memory. As long as there is none, the vCPU
 * that gave memory back waits: with the old one, what is read for the guest would
 * go where its memory was.
 */
static void vm_memory_changed(struct ioemu_vm *vm)
{
	struct ioemu_controller *ctrl;
	int err;

	mutex_lock(&vm->lock);
	while ((err = ioemu_guestmem_replace(vm->mem))) {
		mutex_unlock(&vm->lock);
		ioemu_guestmem_wait(vm->mem, err);
		mutex_lock(&vm->lock);
	}
	list_for_each_entry(ctrl, &vm->controllers, vm_entry)
		ctrl->model->memory_changed(ctrl);
	mutex_unlock(&vm->lock);
}

static void vm_refresh(struct work_struct *work)
{
	vm_memory_changed(container_of(work, struct ioemu_vm, refresh));
}

static void vm_map_full(void *owner)
{
	struct ioemu_vm *vm = owner;

	/* It may wait for the guest's disks. */
	queue_work(system_unbound_wq, &vm->refresh);
}

static bool ioreq_space(const struct ioemu_ioreq *req, enum ioemu_io_type *type)
{
	switch (req->type) {
	case XEN_IOREQ_TYPE_PIO:
		*type = IOEMU_IO_PORT;
		return true;
	case XEN_IOREQ_TYPE_COPY:
		*type = IOEMU_IO_MEMORY;
		return true;
	case XEN_IOREQ_TYPE_PCI_CONFIG:
		*type = IOEMU_IO_PCI;
		return true;
	default:
		return false;
	}
}

/* Hard irq context: the one access of a plain instruction. */
static bool vm_ioreq_fast(void *owner, struct ioemu_ioreq *req)
{
	struct ioemu_vm *vm = owner;
	enum ioemu_io_result result;
	enum ioemu_io_type type;

	if (unlikely(req->data_is_ptr || req->count != 1 ||
		     !ioreq_space(req, &type)))
		return false;

	if (req->read)
		result = ioemu_iospace_read(&vm->space, type, req->addr,
					    req->size, false, &req->data);
	else
		result = ioemu_iospace_write(&vm->space, type, req->addr,
					     req->size, false, req->data);
	return result != IOEMU_IO_SLEEPS;
}

/* Copy a few bytes from or to guest memory; what is not there reads as ones. */
static void vm_copy(struct ioemu_vm *vm, struct ioemu_gmap *map, u64 gpa,
		    void *buf, unsigned int size, bool to_guest)
{
	while (size) {
		unsigned int offset = offset_in_page(gpa);
		unsigned int len = min_t(unsigned int, size,
					 PAGE_SIZE - offset);
		u64 gfn = gpa >> PAGE_SHIFT;
		struct page *page;

		if (ioemu_gmap_pages(map, &gfn, 1, &page)) {
			if (!to_guest)
				memset(buf, 0xff, len);
		} else if (to_guest) {
			memcpy(page_address(page) + offset, buf, len);
			ioemu_gmap_dirty(map, gfn, 1);
		} else {
			memcpy(buf, page_address(page) + offset, len);
		}
		gpa += len;
		buf += len;
		size -= len;
	}
}

/*
 * REP INS, OUTS, MOVS and the like: memory addresses advance by the size of an
 * access (backwards with the direction flag), port numbers do not.
 */
static void vm_ioreq_repeat(struct ioemu_vm *vm, struct ioemu_ioreq *req,
			    enum ioemu_io_type type)
{
	s64 step = req->down ? -(s64)req->size : req->size;
	u64 addr = req->addr, gpa = req->data;
	struct ioemu_gmap *map = NULL;
	u64 value = req->data;
	u32 i;

	if (req->size != 1 && req->size != 2 && req->size != 4 &&
	    req->size != 8)
		return;
	if (req->data_is_ptr) {
		map = ioemu_vm_gmap_get(vm);
		if (!map)
			return;
	}

	for (i = 0; i < req->count; i++) {
		if (!req->read) {
			if (map) {
				value = 0;
				vm_copy(vm, map, gpa, &value, req->size, false);
			}
			ioemu_iospace_write(&vm->space, type, addr, req->size,
					    true, value);
		} else {
			ioemu_iospace_read(&vm->space, type, addr, req->size,
					   true, &value);
			if (map)
				vm_copy(vm, map, gpa, &value, req->size, true);
			else
				req->data = value;
		}
		if (type == IOEMU_IO_MEMORY)
			addr += step;
		gpa += step;
		cond_resched();
	}

	if (map)
		ioemu_gmap_put(map);
}

/* Process context: everything else. */
static void vm_ioreq_slow(void *owner, struct ioemu_ioreq *req)
{
	struct ioemu_vm *vm = owner;
	enum ioemu_io_type type;

	if (ioreq_space(req, &type))
		vm_ioreq_repeat(vm, req, type);
	else if (req->type == XEN_IOREQ_TYPE_INVALIDATE)
		vm_memory_changed(vm);
	else if (req->read && !req->data_is_ptr)
		req->data = ~0ULL;
}

static const struct ioemu_ioreq_ops vm_ioreq_ops = {
	.fast = vm_ioreq_fast,
	.slow = vm_ioreq_slow,
};

static int vm_show(struct seq_file *m, void *unused)
{
	struct ioemu_vm *vm = m->private;

	ioemu_ioreq_show(vm->server, m);
	ioemu_guestmem_show(vm->mem, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(vm);

static struct ioemu_vm *vm_create(domid_t domid)
{
	struct ioemu_vm *vm;
	char name[8];
	int ret;

	vm = kzalloc(sizeof(*vm), GFP_KERNEL);
	if (!vm)
		return ERR_PTR(-ENOMEM);
	vm->domid = domid;
	vm->refs = 1;
	mutex_init(&vm->lock);
	INIT_LIST_HEAD(&vm->controllers);
	INIT_WORK(&vm->refresh, vm_refresh);

	ret = ioemu_iospace_init(&vm->space, &vm_iospace_ops, vm);
	if (ret)
		goto err_free;
	vm->mem = ioemu_guestmem_create(domid,
					(unsigned long)map_limit << (20 - PAGE_SHIFT),
					vm_map_full, vm);
	if (IS_ERR(vm->mem)) {
		ret = PTR_ERR(vm->mem);
		goto err_space;
	}
	/* Requests, if only INVALIDATE, come from here on. */
	vm->server = ioemu_ioreq_create(domid, &vm_ioreq_ops, vm);
	if (IS_ERR(vm->server)) {
		ret = PTR_ERR(vm->server);
		goto err_mem;
	}

	snprintf(name, sizeof(name), "%u", domid);
	vm->dir = debugfs_create_dir(name, ioemu_debugfs_root());
	debugfs_create_file("domain", 0400, vm->dir, vm, &vm_fops);
	return vm;

err_mem:
	ioemu_guestmem_destroy(vm->mem);
err_space:
	ioemu_iospace_destroy(&vm->space);
err_free:
	mutex_destroy(&vm->lock);
	kfree(vm);
	return ERR_PTR(ret);
}

static void vm_destroy(struct ioemu_vm *vm)
{
	debugfs_remove(vm->dir);
	ioemu_ioreq_destroy(vm->server);
	cancel_work_sync(&vm->refresh);
	ioemu_guestmem_destroy(vm->mem);
	ioemu_iospace_destroy(&vm->space);
	mutex_destroy(&vm->lock);
	kfree(vm);
}

struct ioemu_vm *ioemu_vm_get(domid_t domid)
{
	struct ioemu_vm *vm;

	mutex_lock(&vms_lock);
	list_for_each_entry(vm, &vms, entry) {
		if (vm->domid == domid) {
			vm->refs++;
			goto out_unlock;
		}
	}
	vm = vm_create(domid);
	if (!IS_ERR(vm))
		list_add(&vm->entry, &vms);
out_unlock:
	mutex_unlock(&vms_lock);
	return vm;
}

void ioemu_vm_put(struct ioemu_vm *vm)
{
	/* Held throughout, so that a new object finds the old one gone. */
	mutex_lock(&vms_lock);
	if (!--vm->refs) {
		list_del(&vm->entry);
		vm_destroy(vm);
	}
	mutex_unlock(&vms_lock);
}

int ioemu_vm_claim_slot(struct ioemu_vm *vm, unsigned int slot)
{
	return test_and_set_bit(slot, &vm->slots) ? -EBUSY : 0;
}

void ioemu_vm_release_slot(struct ioemu_vm *vm, unsigned int slot)
{
	clear_bit(slot, &vm->slots);
}

int ioemu_vm_start(struct ioemu_vm *vm, struct ioemu_controller *ctrl)
{
	int ret;

	mutex_lock(&vm->lock);
	ret = ctrl->model->start(ctrl);
	if (!ret)
		list_add_tail(&ctrl->vm_entry, &vm->controllers);
	mutex_unlock(&vm->lock);
	return ret;
}

void ioemu_vm_stop(struct ioemu_vm *vm, struct ioemu_controller *ctrl)
{
	/* Until it has stopped it uses guest memory, and is told of changes. */
	ctrl->model->stop(ctrl);
	mutex_lock(&vm->lock);
	list_del(&ctrl->vm_entry);
	mutex_unlock(&vm->lock);
}

void ioemu_vm_log_dirty(struct ioemu_vm *vm, bool on)
{
	mutex_lock(&vm->lock);
	vm->nr_log_dirty += on ? 1 : -1;
	ioemu_guestmem_set_log_dirty(vm->mem, vm->nr_log_dirty);
	mutex_unlock(&vm->lock);
}

bool ioemu_vm_alive(const struct ioemu_vm *vm)
{
	return ioemu_ioreq_domain_alive(vm->server);
}

struct dentry *ioemu_vm_dir(const struct ioemu_vm *vm)
{
	return vm->dir;
}
