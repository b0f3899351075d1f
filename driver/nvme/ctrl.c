// SPDX-License-Identifier: GPL-2.0
/*
 * The controller as a whole: enable, reset, shutdown (sections 3.1.5, 7.3 and
 * 7.6), bus mastering, and changes of guest memory.
 *
 * ctrl->state moves in the controller's thread only. Whoever wants it to move
 * sets a bit in ctrl->requests, or CC, and queues ctrl->work.
 */
#include <linux/completion.h>
#include <linux/printk.h>

#include <ioemu/guestmem.h>
#include <ioemu/vm.h>

#include "nvme.h"
#include "trace.h"

/**
 * ioemu_nvme_fatal() - the controller cannot go on
 * @ctrl: controller
 * @why: for the log
 *
 * Sets CSTS.CFS; the guest has to reset the controller (section 9.5).
 *
 * Context: any, no lock of the controller below ctrl->lock held.
 */
void ioemu_nvme_fatal(struct ioemu_nvme *ctrl, const char *why)
{
	unsigned long flags;
	bool first;

	spin_lock_irqsave(&ctrl->reg_lock, flags);
	first = !(ctrl->csts & NVME_CSTS_CFS);
	/* A guest that has begun a reset already is not to see it. */
	if (!(ctrl->requests & NVME_REQ_RESET))
		WRITE_ONCE(ctrl->csts, ctrl->csts | NVME_CSTS_CFS);
	spin_unlock_irqrestore(&ctrl->reg_lock, flags);
	if (first)
		pr_notice_ratelimited("domain %u, slot %u: NVMe controller stopped: %s\n",
				      ioemu_vm_domid(ctrl->vm), ctrl->slot,
				      why);
}

static int nvme_check_config(u32 cc, u32 aqa)
{
	if (cc & (NVME_CC_CSS_MASK | NVME_CC_MPS_MASK | NVME_CC_AMS_MASK))
		return -EINVAL;
	/* A queue has two entries at least, section 4.1.3. */
	if (!(aqa & NVME_AQA_SIZE_MASK) ||
	    !(aqa >> NVME_AQA_ACQS_SHIFT & NVME_AQA_SIZE_MASK))
		return -EINVAL;
	return 0;
}

/* CC.EN was set. ctrl->lock is held. */
static void nvme_enable(struct ioemu_nvme *ctrl)
{
	unsigned long flags;
	u32 cc, aqa, csts;
	u64 asq, acq;
	int err;

	spin_lock_irqsave(&ctrl->reg_lock, flags);
	cc = ctrl->cc;
	aqa = ctrl->aqa;
	asq = ctrl->asq;
	acq = ctrl->acq;
	spin_unlock_irqrestore(&ctrl->reg_lock, flags);

	if (nvme_check_config(cc, aqa)) {
		ctrl->state = NVME_STATE_FAILED;
		ioemu_nvme_fatal(ctrl, "CC or AQA is not supported");
		return;
	}
	err = ioemu_nvme_cq_create(ctrl, 0, acq,
				   (aqa >> NVME_AQA_ACQS_SHIFT &
				    NVME_AQA_SIZE_MASK) + 1, 0, true);
	if (!err)
		err = ioemu_nvme_sq_create(ctrl, 0, asq,
					   (aqa & NVME_AQA_SIZE_MASK) + 1, 0);
	if (err) {
		ioemu_nvme_queues_delete(ctrl);
		ctrl->state = NVME_STATE_FAILED;
		ioemu_nvme_fatal(ctrl, "no admin queues at ASQ and ACQ");
		return;
	}
	ctrl->state = NVME_STATE_ENABLED;
	spin_lock_irqsave(&ctrl->reg_lock, flags);
	csts = ctrl->csts;
	/* CC.EN may have been cleared meanwhile: then it never was ready. */
	if (!(ctrl->requests & NVME_REQ_RESET))
		csts |= NVME_CSTS_RDY;
	WRITE_ONCE(ctrl->csts, csts);
	spin_unlock_irqrestore(&ctrl->reg_lock, flags);
	trace_ioemu_nvme_ctrl(ctrl, cc, csts);
}

/*
 * CC.EN was cleared, or the function was reset: section 7.3.2. ctrl->lock is
 * held.
 */
static void nvme_disable(struct ioemu_nvme *ctrl)
{
	unsigned long flags;
	u32 cc;

	ioemu_nvme_queues_delete(ctrl);
	ioemu_nvme_dbbuf_off(ctrl);
	ioemu_nvme_features_reset(ctrl);
	ioemu_nvme_event_reset(ctrl);
	bitmap_zero(ctrl->changed_ns, IOEMU_MAX_DISKS);
	ctrl->resets++;
	ctrl->state = NVME_STATE_DISABLED;

	spin_lock_irqsave(&ctrl->reg_lock, flags);
	WRITE_ONCE(ctrl->intms, 0);
	/* A shutdown that was asked for meanwhile is still to be done. */
	if (ctrl->requests & NVME_REQ_SHUTDOWN)
		WRITE_ONCE(ctrl->csts, NVME_CSTS_SHST_BUSY);
	else
		WRITE_ONCE(ctrl->csts, 0);
	cc = ctrl->cc;
	spin_unlock_irqrestore(&ctrl->reg_lock, flags);
	trace_ioemu_nvme_ctrl(ctrl, cc, 0);
}

struct nvme_flush {
	struct ioemu_disk_io io;
	struct completion done;
	blk_status_t status;
};

static void nvme_flush_done(struct ioemu_disk_io *io, blk_status_t status)
{
	struct nvme_flush *flush = container_of(io, struct nvme_flush, io);

	flush->status = status;
	complete(&flush->done);
}

/**
 * ioemu_nvme_flush_disks() - let all disks write what they have cached
 * @ctrl: controller
 *
 * Context: process context, ctrl->lock held; waits for the disks.
 * Return: what the first one said that failed.
 */
blk_status_t ioemu_nvme_flush_disks(struct ioemu_nvme *ctrl)
{
	blk_status_t status = BLK_STS_OK;
	struct nvme_flush flush;
	unsigned int i;

	for (i = 0; i < ctrl->nn; i++) {
		if (!ctrl->ns[i].disk || ctrl->ns[i].read_only)
			continue;
		init_completion(&flush.done);
		flush.io.done = nvme_flush_done;
		flush.io.stamp = ktime_get_ns();
		ioemu_disk_flush(ctrl->ns[i].disk, &flush.io);
		wait_for_completion(&flush.done);
		if (status == BLK_STS_OK)
			status = flush.status;
	}
	return status;
}

/* CC.SHN was set: section 7.6.2. ctrl->lock is held. */
static void nvme_shutdown(struct ioemu_nvme *ctrl)
{
	unsigned long flags;

	ioemu_nvme_flush_disks(ctrl);
	spin_lock_irqsave(&ctrl->reg_lock, flags);
	WRITE_ONCE(ctrl->csts, (ctrl->csts & ~NVME_CSTS_SHST_MASK) |
		   NVME_CSTS_SHST_DONE);
	spin_unlock_irqrestore(&ctrl->reg_lock, flags);
}

/* ctrl->lock is held. */
static void nvme_set_master(struct ioemu_nvme *ctrl, bool master)
{
	ctrl->master = master;
	if (master)
		ioemu_nvme_queues_resume(ctrl);
	else
		ioemu_nvme_queues_pause(ctrl);
}

/**
 * ioemu_nvme_ctrl_work() - do what the registers ask for
 * @work: ctrl->work
 *
 * Context: the controller's thread.
 */
void ioemu_nvme_ctrl_work(struct kthread_work *work)
{
	struct ioemu_nvme *ctrl = container_of(work, struct ioemu_nvme, work);
	unsigned int requests;
	bool enabled, master;
	unsigned long flags;

	mutex_lock(&ctrl->lock);
	for (;;) {
		spin_lock_irqsave(&ctrl->reg_lock, flags);
		requests = ctrl->requests;
		ctrl->requests = 0;
		enabled = ctrl->cc & NVME_CC_EN;
		master = ctrl->want_master;
		spin_unlock_irqrestore(&ctrl->reg_lock, flags);

		if (requests & NVME_REQ_GONE) {
			nvme_disable(ctrl);
			ctrl->state = NVME_STATE_GONE;
		}
		if (ctrl->state == NVME_STATE_GONE)
			break;
		if (requests & NVME_REQ_RESET)
			nvme_disable(ctrl);
		if (master != ctrl->master)
			nvme_set_master(ctrl, master);
		if (requests & NVME_REQ_SHUTDOWN)
			nvme_shutdown(ctrl);
		if (enabled && ctrl->state == NVME_STATE_DISABLED)
			nvme_enable(ctrl);
		else if (!requests)
			break;
	}
	mutex_unlock(&ctrl->lock);
}

/* Let the controller's thread do something, and wait for it. */
static void nvme_request(struct ioemu_nvme *ctrl, unsigned int request)
{
	unsigned long flags;

	spin_lock_irqsave(&ctrl->reg_lock, flags);
	ctrl->requests |= request;
	spin_unlock_irqrestore(&ctrl->reg_lock, flags);
	kthread_queue_work(ctrl->worker, &ctrl->work);
	kthread_flush_work(&ctrl->work);
}

/**
 * ioemu_nvme_ctrl_reset() - function-level reset
 * @pci: the controller's PCI function
 *
 * All registers return to their initial values, those of the admin queues too.
 *
 * Context: process context, sleeps until nothing is in flight.
 */
void ioemu_nvme_ctrl_reset(struct ioemu_pci *pci)
{
	struct ioemu_nvme *ctrl = ioemu_nvme_from_pci(pci);
	unsigned long flags;

	spin_lock_irqsave(&ctrl->reg_lock, flags);
	WRITE_ONCE(ctrl->cc, 0);
	WRITE_ONCE(ctrl->aqa, 0);
	WRITE_ONCE(ctrl->asq, 0);
	WRITE_ONCE(ctrl->acq, 0);
	/* The command register is reset too. */
	ctrl->want_master = false;
	ctrl->requests &= ~NVME_REQ_SHUTDOWN;
	spin_unlock_irqrestore(&ctrl->reg_lock, flags);
	nvme_request(ctrl, NVME_REQ_RESET);
}

/**
 * ioemu_nvme_ctrl_gone() - the guest lost the controller for good
 * @ctrl: controller, whose function was removed
 *
 * Context: process context, sleeps until nothing is in flight.
 */
void ioemu_nvme_ctrl_gone(struct ioemu_nvme *ctrl)
{
	nvme_request(ctrl, NVME_REQ_GONE);
	kthread_flush_worker(ctrl->worker);
}

/**
 * ioemu_nvme_ctrl_master() - bus mastering was switched
 * @pci: the controller's PCI function
 * @enabled: on or off
 *
 * Context: process context; when it goes off, sleeps until nothing is in flight.
 */
void ioemu_nvme_ctrl_master(struct ioemu_pci *pci, bool enabled)
{
	struct ioemu_nvme *ctrl = ioemu_nvme_from_pci(pci);
	unsigned long flags;

	spin_lock_irqsave(&ctrl->reg_lock, flags);
	ctrl->want_master = enabled;
	spin_unlock_irqrestore(&ctrl->reg_lock, flags);
	nvme_request(ctrl, NVME_REQ_MASTER);
}

/**
 * ioemu_nvme_memory_changed() - look up anew what is kept of guest memory
 * @ctrl: controller
 *
 * Requests in flight keep the map that they started with.
 *
 * Context: process context, sleeps.
 */
void ioemu_nvme_memory_changed(struct ioemu_nvme *ctrl)
{
	struct ioemu_gmap *map;

	mutex_lock(&ctrl->lock);
	map = ioemu_vm_gmap_get(ctrl->vm);
	ioemu_nvme_queues_remap(ctrl, map);
	ioemu_nvme_dbbuf_remap(ctrl, map);
	if (map)
		ioemu_gmap_put(map);
	mutex_unlock(&ctrl->lock);
}
