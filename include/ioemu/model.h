/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A device model: the one interface between the core and NVMe, PVSCSI, ...
 */
#ifndef _IOEMU_MODEL_H
#define _IOEMU_MODEL_H

#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/types.h>

struct ioemu_disk;
struct ioemu_vm;
struct seq_file;

#define IOEMU_MAX_DISKS		16	/* disks of one controller */

/**
 * struct ioemu_exits - what a controller costs its guest, one CPU's part
 * @commands: fetched
 * @doorbells: writes of doorbells that were trapped
 * @interrupts: sent
 *
 * Each of the latter two takes a virtual CPU out of its guest, as a rule.
 */
struct ioemu_exits {
	u64 commands;
	u64 doorbells;
	u64 interrupts;
};

/**
 * struct ioemu_model_config - what a controller is made of
 * @vm: domain; outlives the controller
 * @slot: PCI device number on bus 0
 * @serial: controller's serial number, NUL terminated, up to 20 characters
 * @exits: where it counts; outlives the controller
 * @disks: disks by index; NULL where there is none. They outlive the controller.
 */
struct ioemu_model_config {
	struct ioemu_vm *vm;
	unsigned int slot;
	char serial[21];
	struct ioemu_exits __percpu *exits;
	struct ioemu_disk *disks[IOEMU_MAX_DISKS];
};

struct ioemu_controller;

/**
 * struct ioemu_model - a kind of controller
 * @name: as in xenstore
 * @create: build a controller that the guest cannot see yet; ERR_PTR on failure
 * @start: let the guest see it
 * @stop: take it from the guest and finish or abort all requests: when it
 *        returns, no guest memory, disk or domain is used any more. Called once,
 *        after a successful @start.
 * @destroy: free it; not started, or stopped
 * @memory_changed: guest memory went away; whatever the controller holds of
 *                  guest memory between requests (rings) must be looked up anew
 *                  through the now current map, and references on the old one
 *                  dropped
 * @disk_changed: the capacity of a disk changed
 * @disk_added: there is one more disk, which outlives the controller or @disk_removed
 * @disk_removed: a disk goes: when it returns, nobody knows the disk any more
 * @show: print state and counters for people
 *
 * All in process context, may sleep. Those about disks and @show come between @start
 * and @stop only; @memory_changed also while @stop runs and after it.
 */
struct ioemu_model {
	const char *name;
	struct ioemu_controller *(*create)(const struct ioemu_model_config *cfg);
	int (*start)(struct ioemu_controller *ctrl);
	void (*stop)(struct ioemu_controller *ctrl);
	void (*destroy)(struct ioemu_controller *ctrl);
	void (*memory_changed)(struct ioemu_controller *ctrl);
	void (*disk_changed)(struct ioemu_controller *ctrl, unsigned int index);
	void (*disk_added)(struct ioemu_controller *ctrl, unsigned int index,
			   struct ioemu_disk *disk);
	void (*disk_removed)(struct ioemu_controller *ctrl, unsigned int index);
	void (*show)(struct ioemu_controller *ctrl, struct seq_file *m);
};

/**
 * struct ioemu_controller - base of every model's own controller structure
 * @model: its kind, set by @create
 * @vm_entry: the domain's
 */
struct ioemu_controller {
	const struct ioemu_model *model;
	struct list_head vm_entry;
};

extern const struct ioemu_model ioemu_nvme_model;

#endif /* _IOEMU_MODEL_H */
