// SPDX-License-Identifier: GPL-2.0
/*
 * What the core calls: &ioemu_nvme_model.
 */
#include <linux/err.h>
#include <linux/error-injection.h>
#include <linux/ktime.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <ioemu/vm.h>

#include "nvme.h"

static const struct ioemu_pci_ops nvme_pci_ops = {
	.bar_read	= ioemu_nvme_bar_read,
	.bar_write	= ioemu_nvme_bar_write,
	.reset		= ioemu_nvme_ctrl_reset,
	.master		= ioemu_nvme_ctrl_master,
	.irq_mode	= ioemu_nvme_irq_mode,
};

static const struct ioemu_pci_config nvme_pci_config = {
	.vendor		= NVME_PCI_VENDOR,
	.device		= NVME_PCI_DEVICE,
	.subsys_vendor	= NVME_PCI_VENDOR,
	.subsys_device	= NVME_PCI_DEVICE,
	.revision	= 1,
	.class		= NVME_PCI_CLASS,
	.bars		= {
		[0]	= { .size = NVME_BAR_SIZE, .is_64bit = true },
	},
	.nr_vectors	= NVME_NR_VECTORS,
	.msix_bar	= 0,
	.msix_offset	= NVME_MSIX_OFFSET,
};

static struct ioemu_nvme *nvme_from_base(struct ioemu_controller *base)
{
	return container_of(base, struct ioemu_nvme, base);
}

static noinline int nvme_create_worker(struct ioemu_nvme *ctrl)
{
	ctrl->worker = kthread_create_worker(0, "ioemu/%u.%u",
					     ioemu_vm_domid(ctrl->vm),
					     ctrl->slot);
	return PTR_ERR_OR_ZERO(ctrl->worker);
}
ALLOW_ERROR_INJECTION(nvme_create_worker, ERRNO);

static struct ioemu_controller *
nvme_create(const struct ioemu_model_config *cfg)
{
	struct ioemu_nvme *ctrl;
	unsigned int i;
	int err;

	ctrl = kvzalloc(sizeof(*ctrl), GFP_KERNEL);
	if (!ctrl)
		return ERR_PTR(-ENOMEM);
	ctrl->base.model = &ioemu_nvme_model;
	ctrl->vm = cfg->vm;
	ctrl->slot = cfg->slot;
	ctrl->exits = cfg->exits;
	strscpy(ctrl->serial, cfg->serial, sizeof(ctrl->serial));
	mutex_init(&ctrl->lock);
	spin_lock_init(&ctrl->reg_lock);
	spin_lock_init(&ctrl->irq_lock);
	spin_lock_init(&ctrl->event_lock);
	spin_lock_init(&ctrl->log_lock);
	init_waitqueue_head(&ctrl->drain_wq);
	kthread_init_work(&ctrl->work, ioemu_nvme_ctrl_work);
	ctrl->created = ktime_get_seconds();
	for (i = 0; i < IOEMU_MAX_DISKS; i++)
		if (cfg->disks[i])
			ioemu_nvme_ns_add(ctrl, i, cfg->disks[i]);
	ioemu_nvme_features_reset(ctrl);

	ctrl->buffer = kzalloc(NVME_PAGE_SIZE, GFP_KERNEL);
	if (!ctrl->buffer) {
		err = -ENOMEM;
		goto free_ctrl;
	}
	err = nvme_create_worker(ctrl);
	if (err)
		goto free_buffer;
	err = ioemu_pci_init(&ctrl->pci, cfg->vm, cfg->slot, &nvme_pci_config,
			     &nvme_pci_ops);
	if (err)
		goto destroy_worker;
	return &ctrl->base;

destroy_worker:
	kthread_destroy_worker(ctrl->worker);
free_buffer:
	kfree(ctrl->buffer);
free_ctrl:
	kvfree(ctrl);
	return ERR_PTR(err);
}

static int nvme_start(struct ioemu_controller *base)
{
	return ioemu_pci_add(&nvme_from_base(base)->pci);
}

static void nvme_stop(struct ioemu_controller *base)
{
	struct ioemu_nvme *ctrl = nvme_from_base(base);

	/* No register access from here on. */
	ioemu_pci_remove(&ctrl->pci);
	ioemu_nvme_ctrl_gone(ctrl);
}

static void nvme_destroy(struct ioemu_controller *base)
{
	struct ioemu_nvme *ctrl = nvme_from_base(base);

	ioemu_pci_destroy(&ctrl->pci);
	kthread_destroy_worker(ctrl->worker);
	kfree(ctrl->buffer);
	kvfree(ctrl);
}

static void nvme_memory_changed(struct ioemu_controller *base)
{
	ioemu_nvme_memory_changed(nvme_from_base(base));
}

static void nvme_disk_changed(struct ioemu_controller *base, unsigned int index)
{
	struct ioemu_nvme *ctrl = nvme_from_base(base);

	mutex_lock(&ctrl->lock);
	ioemu_nvme_ns_changed(ctrl, index);
	mutex_unlock(&ctrl->lock);
}

static void nvme_disk_added(struct ioemu_controller *base, unsigned int index,
			    struct ioemu_disk *disk)
{
	struct ioemu_nvme *ctrl = nvme_from_base(base);

	mutex_lock(&ctrl->lock);
	ioemu_nvme_ns_add(ctrl, index, disk);
	mutex_unlock(&ctrl->lock);
}

static void nvme_disk_removed(struct ioemu_controller *base, unsigned int index)
{
	struct ioemu_nvme *ctrl = nvme_from_base(base);
	struct ioemu_disk *disk = ctrl->ns[index].disk;

	mutex_lock(&ctrl->lock);
	ioemu_nvme_ns_remove(ctrl, index);
	mutex_unlock(&ctrl->lock);
	/* One that does not answer holds up nothing but its removal. */
	ioemu_disk_drain(disk);
	/*
	 * A request that has more steps must see that there is no disk before
	 * there is another one, and a thread may still look for the end of a
	 * request that another one has ended.
	 */
	mutex_lock(&ctrl->lock);
	ioemu_nvme_queues_settle(ctrl);
	mutex_unlock(&ctrl->lock);
}

static void nvme_show_sq(const struct ioemu_nvme_sq *sq, struct seq_file *m)
{
	const struct ioemu_nvme_sq_stats *s = &sq->stats;

	seq_printf(m, "sq%u: size %u cq %u head %u tail %u commands %llu reads %llu read_blocks %llu writes %llu write_blocks %llu errors %llu doorbells %llu batches %llu gathers %llu polls %llu naps %llu starved %llu polled %llu in_flight %u\n",
		   sq->qid, sq->size, sq->cq->qid, READ_ONCE(sq->head),
		   READ_ONCE(sq->tail), READ_ONCE(s->commands),
		   READ_ONCE(s->reads), READ_ONCE(s->read_blocks),
		   READ_ONCE(s->writes), READ_ONCE(s->write_blocks),
		   READ_ONCE(sq->errors), READ_ONCE(sq->doorbells),
		   READ_ONCE(s->batches), READ_ONCE(sq->pace.gathers),
		   READ_ONCE(sq->pace.polls), READ_ONCE(sq->pace.naps),
		   READ_ONCE(s->starved), READ_ONCE(s->polled),
		   READ_ONCE(sq->nr_taken) - READ_ONCE(sq->nr_freed));
}

static void nvme_show_cq(const struct ioemu_nvme_cq *cq, struct seq_file *m)
{
	seq_printf(m, "cq%u: size %u vector %u ien %u head %u tail %u posted %llu full %llu doorbells %llu interrupts %llu deferred %llu\n",
		   cq->qid, cq->size, cq->vector, cq->ien, READ_ONCE(cq->head),
		   READ_ONCE(cq->tail), READ_ONCE(cq->posted),
		   READ_ONCE(cq->full), READ_ONCE(cq->doorbells),
		   READ_ONCE(cq->interrupts), READ_ONCE(cq->deferred));
}

static const char * const nvme_state_names[] = {
	[NVME_STATE_DISABLED]	= "disabled",
	[NVME_STATE_ENABLED]	= "enabled",
	[NVME_STATE_FAILED]	= "failed",
	[NVME_STATE_GONE]	= "gone",
};

static void nvme_show(struct ioemu_controller *base, struct seq_file *m)
{
	struct ioemu_nvme *ctrl = nvme_from_base(base);
	struct ioemu_nvme_sq *sq;
	struct ioemu_nvme_cq *cq;
	unsigned int i;

	mutex_lock(&ctrl->lock);
	seq_printf(m, "state: %s cc %#x csts %#x resets %llu errors %llu shadow_doorbells %u parked_events %u\n",
		   nvme_state_names[ctrl->state], READ_ONCE(ctrl->cc),
		   READ_ONCE(ctrl->csts), ctrl->resets,
		   READ_ONCE(ctrl->error_count), ctrl->dbbuf_on,
		   ctrl->nr_aers);
	for (i = 0; i < ctrl->nn; i++)
		if (ctrl->ns[i].disk)
			seq_printf(m, "ns%u: blocks %llu block_size %u read_only %u\n",
				   i + 1, READ_ONCE(ctrl->ns[i].nsze),
				   1u << ctrl->ns[i].block_shift,
				   ctrl->ns[i].read_only);
	for (i = 0; i <= NVME_MAX_QID; i++) {
		sq = ioemu_nvme_sq(ctrl, i);
		if (sq)
			nvme_show_sq(sq, m);
		cq = ioemu_nvme_cq(ctrl, i);
		if (cq)
			nvme_show_cq(cq, m);
	}
	mutex_unlock(&ctrl->lock);
}

const struct ioemu_model ioemu_nvme_model = {
	.name		= "nvme",
	.create		= nvme_create,
	.start		= nvme_start,
	.stop		= nvme_stop,
	.destroy	= nvme_destroy,
	.memory_changed	= nvme_memory_changed,
	.disk_changed	= nvme_disk_changed,
	.disk_added	= nvme_disk_added,
	.disk_removed	= nvme_disk_removed,
	.show		= nvme_show,
};
