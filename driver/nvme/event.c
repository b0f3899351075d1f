// SPDX-License-Identifier: GPL-2.0
/*
 * Asynchronous events, section 5.2: requests stay parked until something
 * happens. After an event no other one of its type is reported until the guest
 * has read the log page that goes with it.
 */
#include "nvme.h"

/**
 * ioemu_nvme_event_reset() - forget all events
 * @ctrl: controller
 *
 * Context: any.
 */
void ioemu_nvme_event_reset(struct ioemu_nvme *ctrl)
{
	unsigned long flags;

	spin_lock_irqsave(&ctrl->event_lock, flags);
	ctrl->events_pending = 0;
	ctrl->events_masked = 0;
	spin_unlock_irqrestore(&ctrl->event_lock, flags);
}

/**
 * ioemu_nvme_event_raise() - something happened that the guest may want to know
 * @ctrl: controller
 * @type: NVME_AER_*
 * @info: what in particular
 * @log_page: where the guest reads more
 *
 * Context: any, hard irq included, no lock below ctrl->lock held.
 */
void ioemu_nvme_event_raise(struct ioemu_nvme *ctrl, unsigned int type,
			    unsigned int info, unsigned int log_page)
{
	struct ioemu_nvme_sq *sq;
	unsigned long flags;

	spin_lock_irqsave(&ctrl->event_lock, flags);
	ctrl->events_pending |= 1u << type;
	ctrl->event_info[type] = log_page << 16 | info << 8 | type;
	spin_unlock_irqrestore(&ctrl->event_lock, flags);

	/* The admin queue's work delivers it. */
	rcu_read_lock();
	sq = rcu_dereference(ctrl->sqs[0]);
	if (sq)
		kthread_queue_work(sq->worker, &sq->work);
	rcu_read_unlock();
}

/**
 * ioemu_nvme_event_clear() - the guest read the log page of a type of events
 * @ctrl: controller
 * @type: NVME_AER_*
 * @pending: an event that was not reported yet need not be any more
 *
 * Context: the controller's thread within the admin queue's work, ctrl->lock
 * held.
 */
void ioemu_nvme_event_clear(struct ioemu_nvme *ctrl, unsigned int type,
			    bool pending)
{
	unsigned long flags;

	spin_lock_irqsave(&ctrl->event_lock, flags);
	ctrl->events_masked &= ~(1u << type);
	if (pending)
		ctrl->events_pending &= ~(1u << type);
	spin_unlock_irqrestore(&ctrl->event_lock, flags);
	ioemu_nvme_event_deliver(ctrl);
}

/**
 * ioemu_nvme_event_deliver() - complete parked requests with pending events
 * @ctrl: controller
 *
 * Context: the controller's thread within the admin queue's work, ctrl->lock
 * held.
 */
void ioemu_nvme_event_deliver(struct ioemu_nvme *ctrl)
{
	struct ioemu_nvme_req *req;
	unsigned int type, ready;
	unsigned long flags;

	lockdep_assert_held(&ctrl->lock);

	while (ctrl->nr_aers) {
		spin_lock_irqsave(&ctrl->event_lock, flags);
		ready = ctrl->events_pending & ~ctrl->events_masked;
		req = NULL;
		if (ready) {
			type = __ffs(ready);
			req = ctrl->aers[--ctrl->nr_aers];
			req->result = ctrl->event_info[type];
			ctrl->events_pending &= ~(1u << type);
			ctrl->events_masked |= 1u << type;
		}
		spin_unlock_irqrestore(&ctrl->event_lock, flags);
		if (!req)
			break;
		ioemu_nvme_complete(req, NVME_SC_SUCCESS);
	}
}

/**
 * ioemu_nvme_async_event() - the Asynchronous Event Request command
 * @req: request
 *
 * Context: the controller's thread, ctrl->lock held.
 * Return: status or NVME_PENDING.
 */
u16 ioemu_nvme_async_event(struct ioemu_nvme_req *req)
{
	struct ioemu_nvme *ctrl = req->sq->ctrl;

	if (ctrl->nr_aers == NVME_MAX_AERS)
		return ioemu_nvme_dnr(NVME_SC_AER_LIMIT);
	ctrl->aers[ctrl->nr_aers++] = req;
	ioemu_nvme_event_deliver(ctrl);
	return NVME_PENDING;
}

/**
 * ioemu_nvme_abort_aer() - abort a parked request
 * @ctrl: controller
 * @cid: its command identifier
 *
 * Context: the controller's thread, ctrl->lock held.
 * Return: true if there was one.
 */
bool ioemu_nvme_abort_aer(struct ioemu_nvme *ctrl, u16 cid)
{
	struct ioemu_nvme_req *req;
	unsigned int i;

	for (i = 0; i < ctrl->nr_aers; i++) {
		req = ctrl->aers[i];
		if (req->cid == cid) {
			ctrl->aers[i] = ctrl->aers[--ctrl->nr_aers];
			ioemu_nvme_complete(req, NVME_SC_ABORT_REQUESTED);
			return true;
		}
	}
	return false;
}
