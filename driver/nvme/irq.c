// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts: MSI-X at once; MSI and the legacy pin behind INTMS and INTMC
 * (section 7.5.1).
 */
#include <linux/rcupdate.h>

#include "nvme.h"

static bool nvme_send(struct ioemu_nvme *ctrl, unsigned int vector)
{
	this_cpu_inc(ctrl->exits->interrupts);
	return ioemu_pci_notify(&ctrl->pci, vector);
}

static bool nvme_cq_unconsumed(const struct ioemu_nvme_cq *cq)
{
	return cq->ien && READ_ONCE(cq->head) != READ_ONCE(cq->tail);
}

/**
 * ioemu_nvme_irq_update() - bring the legacy pin to what the queues say
 * @ctrl: controller
 *
 * The pin is asserted while a completion queue with interrupts enabled holds an
 * entry that was not consumed and bit 0 of the mask is clear. Called after every
 * change of one of these; the last caller sees all changes.
 *
 * Context: any, no lock held.
 */
void ioemu_nvme_irq_update(struct ioemu_nvme *ctrl)
{
	struct ioemu_nvme_cq *cq;
	unsigned long flags;
	unsigned int qid;
	bool intx, level = false;

	rcu_read_lock();
	intx = ioemu_pci_irq_mode(&ctrl->pci) == IOEMU_PCI_IRQ_INTX;
	/* The pin falls when entries are consumed: no doorbell may be missed. */
	for (qid = 1; intx && qid <= NVME_MAX_QID; qid++) {
		cq = rcu_dereference(ctrl->cqs[qid]);
		if (cq && cq->ien && READ_ONCE(cq->shadow_head))
			ioemu_nvme_cq_ask(cq);
	}
	spin_lock_irqsave(&ctrl->irq_lock, flags);
	if (intx && !(READ_ONCE(ctrl->intms) & 1)) {
		for (qid = 0; qid <= NVME_MAX_QID && !level; qid++) {
			cq = rcu_dereference(ctrl->cqs[qid]);
			level = cq && nvme_cq_unconsumed(cq);
		}
	}
	if (level != ctrl->intx_wish) {
		WRITE_ONCE(ctrl->intx_wish, level);
		if (level)
			this_cpu_inc(ctrl->exits->interrupts);
		ioemu_pci_set_intx(&ctrl->pci, level);
	}
	spin_unlock_irqrestore(&ctrl->irq_lock, flags);
	rcu_read_unlock();
}

/**
 * ioemu_nvme_irq_mode() - the guest chose another kind of interrupt
 * @pci: the controller's PCI function
 *
 * Context: process context.
 */
void ioemu_nvme_irq_mode(struct ioemu_pci *pci)
{
	ioemu_nvme_irq_update(ioemu_nvme_from_pci(pci));
}

static noinline void nvme_notify_slow(struct ioemu_nvme *ctrl,
				      unsigned int vector)
{
	enum ioemu_pci_irq_mode mode = ioemu_pci_irq_mode(&ctrl->pci);

	/*
	 * The new entry is visible before the mask is read; pairs with the one
	 * in ioemu_nvme_irq_unmasked().
	 */
	smp_mb();
	if (mode == IOEMU_PCI_IRQ_MSIX ||
	    (mode == IOEMU_PCI_IRQ_MSI &&
	     !(vector < 32 && (READ_ONCE(ctrl->intms) & (1u << vector)))))
		nvme_send(ctrl, vector);
	ioemu_nvme_irq_update(ctrl);
}

/**
 * ioemu_nvme_notify() - tell the guest about new completion queue entries
 * @ctrl: controller
 * @vector: the queue's vector
 *
 * Context: any, within an RCU read section unless in the queue's own thread; no
 * lock held.
 */
void ioemu_nvme_notify(struct ioemu_nvme *ctrl, unsigned int vector)
{
	/* Not sent: the mode may have changed since it was looked at. */
	if (unlikely(ioemu_pci_irq_mode(&ctrl->pci) != IOEMU_PCI_IRQ_MSIX ||
		     READ_ONCE(ctrl->intx_wish) || !nvme_send(ctrl, vector)))
		nvme_notify_slow(ctrl, vector);
}

/**
 * ioemu_nvme_irq_unmasked() - INTMC was written
 * @ctrl: controller
 * @vectors: bits that were set in INTMS and are clear now
 *
 * Context: any, no lock held.
 */
void ioemu_nvme_irq_unmasked(struct ioemu_nvme *ctrl, u32 vectors)
{
	struct ioemu_nvme_cq *cq;
	unsigned int qid;

	if (ioemu_pci_irq_mode(&ctrl->pci) == IOEMU_PCI_IRQ_MSI) {
		/*
		 * The mask is clear before the queues are looked at; pairs with
		 * the one in nvme_notify_slow().
		 */
		smp_mb();
		rcu_read_lock();
		for (qid = 0; qid <= NVME_MAX_QID; qid++) {
			cq = rcu_dereference(ctrl->cqs[qid]);
			if (cq && cq->vector < 32 &&
			    (vectors & (1u << cq->vector)) &&
			    nvme_cq_unconsumed(cq)) {
				nvme_send(ctrl, cq->vector);
				vectors &= ~(1u << cq->vector);
			}
		}
		rcu_read_unlock();
	}
	ioemu_nvme_irq_update(ctrl);
}
