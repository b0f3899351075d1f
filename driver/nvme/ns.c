// SPDX-License-Identifier: GPL-2.0
/*
 * Namespaces that come, go and change, and how the guest learns of it.
 */
#include <linux/string.h>

#include "nvme.h"

static bool nvme_ns_is_twin(struct ioemu_nvme *ctrl,
			    const struct ioemu_nvme_ns *ns)
{
	unsigned int i;

	for (i = 0; i < ctrl->nn; i++)
		if (ctrl->ns[i].disk && &ctrl->ns[i] != ns &&
		    !memcmp(ctrl->ns[i].uuid, ns->uuid, sizeof(ns->uuid)))
			return true;
	return false;
}

/* Namespace Attribute Changed, figure 149 */
static void nvme_ns_announce(struct ioemu_nvme *ctrl, unsigned int index)
{
	if (ctrl->state != NVME_STATE_ENABLED)
		return;
	__set_bit(index, ctrl->changed_ns);
	if (ctrl->features.async_event & NVME_AEC_NS_ATTR)
		ioemu_nvme_event_raise(ctrl, NVME_AER_NOTICE,
				       NVME_AER_NOTICE_NS_ATTR,
				       NVME_LOG_CHANGED_NS);
}

/**
 * ioemu_nvme_ns_add() - a disk becomes a namespace
 * @ctrl: controller
 * @index: of the disk; the namespace identifier is one more
 * @disk: disk
 *
 * Context: process context, ctrl->lock held or @ctrl not visible yet.
 */
void ioemu_nvme_ns_add(struct ioemu_nvme *ctrl, unsigned int index,
		       struct ioemu_disk *disk)
{
	struct ioemu_nvme_ns *ns = &ctrl->ns[index];
	struct ioemu_disk_info info;
	unsigned int salt = 0;

	ioemu_disk_info(disk, &info);
	WRITE_ONCE(ns->nsze, info.nr_blocks);
	ns->block_shift = info.block_shift;
	ns->read_only = info.read_only;
	ns->error_recovery = 0;
	/* Two disks with one serial number still are two namespaces. */
	do {
		ioemu_nvme_ns_identity(ns, info.serial, salt++);
	} while (nvme_ns_is_twin(ctrl, ns));
	/* All of it is there before the disk. Pairs with ioemu_nvme_exec_io(). */
	smp_store_release(&ns->disk, disk);
	if (index >= ctrl->nn)
		WRITE_ONCE(ctrl->nn, index + 1);
	nvme_ns_announce(ctrl, index);
}

/**
 * ioemu_nvme_ns_remove() - a namespace goes
 * @ctrl: controller
 * @index: of its disk
 *
 * When this returns nothing is submitted to the disk any more. What was is not
 * waited for, and may have more steps to run.
 *
 * Context: process context, ctrl->lock held; sleeps.
 */
void ioemu_nvme_ns_remove(struct ioemu_nvme *ctrl, unsigned int index)
{
	WRITE_ONCE(ctrl->ns[index].disk, NULL);
	ioemu_nvme_queues_settle(ctrl);
	nvme_ns_announce(ctrl, index);
}

/**
 * ioemu_nvme_ns_changed() - the capacity of a disk changed
 * @ctrl: controller
 * @index: of the disk
 *
 * Context: process context, ctrl->lock held.
 */
void ioemu_nvme_ns_changed(struct ioemu_nvme *ctrl, unsigned int index)
{
	struct ioemu_nvme_ns *ns = &ctrl->ns[index];

	WRITE_ONCE(ns->nsze, ioemu_disk_nr_blocks(ns->disk));
	nvme_ns_announce(ctrl, index);
}
