// SPDX-License-Identifier: GPL-2.0
/*
 * The data path: fetching commands from submission queues and posting
 * completions. Sections 4.1, 4.6 and 7.2.
 */
#include <linux/blkdev.h>
#include <linux/ktime.h>
#include <linux/preempt.h>
#include <linux/sched.h>

#include <ioemu/guestmem.h>

#include "nvme.h"
#include "trace.h"

/* Entries in a page of a ring, as powers of two */
#define NVME_SQE_PAGE_SHIFT	(NVME_PAGE_SHIFT - NVME_SQES)
#define NVME_CQE_PAGE_SHIFT	(NVME_PAGE_SHIFT - NVME_CQES)

/*
 * How long an interrupt is held back from a guest that is busy with the queue, if
 * neither its doorbell nor a thread ends that, as they nearly always do
 */
#define NVME_HELD_NS		(100 * NSEC_PER_USEC)
#define NVME_HELD_WATCHED_NS	NSEC_PER_MSEC

/* ---- completion queues ------------------------------------------------- */

static u32 nvme_cq_next(const struct ioemu_nvme_cq *cq, u32 index)
{
	return ++index == cq->size ? 0 : index;
}

/* Entries between two indexes of a queue, going up from @from. */
static u32 nvme_distance(u32 from, u32 to, u32 size)
{
	return to >= from ? to - from : to + size - from;
}

/**
 * ioemu_nvme_cq_look() - take over what the guest consumed without a doorbell
 * @cq: completion queue with a shadow doorbell
 *
 * What cannot be is ignored.
 *
 * Context: any, cq->lock held.
 */
void ioemu_nvme_cq_look(struct ioemu_nvme_cq *cq)
{
	u32 shadow = le32_to_cpu(READ_ONCE(*cq->shadow_head));

	if (shadow < cq->size &&
	    nvme_distance(cq->head, shadow, cq->size) <=
	    nvme_distance(cq->head, cq->tail, cq->size))
		WRITE_ONCE(cq->head, shadow);
}

/* The guest shall ring when it consumes the next entry. cq->lock is held. */
static void nvme_cq_ask(struct ioemu_nvme_cq *cq)
{
	ioemu_nvme_cq_look(cq);
	WRITE_ONCE(*cq->event_idx, cpu_to_le32(cq->head));
	ioemu_nvme_dbbuf_written(cq->ctrl);
	/*
	 * The event index is visible before the doorbell is read once more; the
	 * guest writes the doorbell, then reads the event index, with a full
	 * barrier in between.
	 */
	smp_mb();
	ioemu_nvme_cq_look(cq);
}

/**
 * ioemu_nvme_cq_ask() - want to know when the guest consumes entries
 * @cq: completion queue
 *
 * Context: any, no lock of the controller below ctrl->lock held, within an RCU
 * read section.
 */
void ioemu_nvme_cq_ask(struct ioemu_nvme_cq *cq)
{
	unsigned long flags;

	spin_lock_irqsave(&cq->lock, flags);
	if (cq->shadow_head && !cq->stalled)
		nvme_cq_ask(cq);
	spin_unlock_irqrestore(&cq->lock, flags);
}

/*
 * The ring looks full. With shadow doorbells the guest may have consumed
 * entries: look, and if it did not, ask for a doorbell. cq->lock is held.
 */
static bool nvme_cq_full_slow(struct ioemu_nvme_cq *cq)
{
	u32 next = nvme_cq_next(cq, cq->tail);

	if (!cq->shadow_head)
		return true;
	ioemu_nvme_cq_look(cq);
	if (cq->head == next)
		nvme_cq_ask(cq);
	return cq->head == next;
}

/*
 * Post a request's entry. False when it has to wait; true when the request can
 * be given back. cq->lock is held.
 */
static bool nvme_cq_post(struct ioemu_nvme_cq *cq, struct ioemu_nvme_req *req)
{
	const struct ioemu_nvme_sq *sq = req->sq;
	u32 tail = cq->tail, next = nvme_cq_next(cq, tail);
	u64 *entry;

	if (unlikely(cq->dead))
		return true;
	if (unlikely(cq->stalled))
		return false;
	if (unlikely(next == cq->head) && nvme_cq_full_slow(cq))
		return false;

	entry = cq->ring.pages[tail >> NVME_CQE_PAGE_SHIFT] +
		(tail << NVME_CQES & NVME_PAGE_MASK);
	WRITE_ONCE(entry[0], (__force u64)cpu_to_le64(req->result));
	/*
	 * The entry is whole before its phase tag changes; pairs with the
	 * guest's read of the phase tag before the rest.
	 */
	smp_wmb();
	WRITE_ONCE(entry[1], (__force u64)
		   cpu_to_le64((u64)READ_ONCE(sq->head) |
			       (u64)sq->qid << 16 |
			       (u64)req->cid << 32 |
			       (u64)(u16)(req->status << 1 | cq->phase) << 48));
	if (next == 0)
		cq->phase ^= 1;
	WRITE_ONCE(cq->tail, next);
	cq->posted++;
	return true;
}

/* How long the guest wants interrupts to be held back, section 5.21.1.8; or 0. */
static u64 nvme_cq_coalescing_ns(const struct ioemu_nvme_cq *cq)
{
	const struct ioemu_nvme_features *f = &cq->ctrl->features;
	u32 coalescing = READ_ONCE(f->irq_coalescing);

	if (likely(!NVME_COALESCING_TIME(coalescing)) ||
	    test_bit(cq->vector, f->irq_no_coalescing))
		return 0;
	return (u64)NVME_COALESCING_TIME(coalescing) * 100 * NSEC_PER_USEC;
}

/*
 * Has the guest entries to consume that it was told of? Then it is about to look
 * at the queue, or at it, and may well find what is posted now. cq->lock is held.
 */
static bool nvme_cq_busy(struct ioemu_nvme_cq *cq)
{
	if (cq->shadow_head)
		ioemu_nvme_cq_look(cq);
	return cq->posted - nvme_distance(cq->head, cq->tail, cq->size) <
	       cq->told;
}

static bool nvme_cq_tell(struct ioemu_nvme_cq *cq)
{
	cq->held = 0;
	cq->told = cq->posted;
	cq->interrupts++;
	return true;
}

/* No interrupt now, but when @ns are over. */
static bool nvme_cq_hold(struct ioemu_nvme_cq *cq, u64 ns)
{
	/* If it is running, it may have looked already. */
	if (!hrtimer_is_queued(&cq->timer))
		hrtimer_start(&cq->timer, ns_to_ktime(ns), HRTIMER_MODE_REL);
	return false;
}

/*
 * Entries were posted: interrupt the guest now? Not before there are more than a
 * threshold or a time is over, if it asked for that. If it did not, not as long as
 * it has not consumed what it was told of: then the queue is looked at once more
 * when it has, by its doorbell or by a thread that watches the shadow doorbell.
 * The admin queue's are never held back. cq->lock is held.
 */
static bool nvme_cq_interrupt(struct ioemu_nvme_cq *cq, u32 posted)
{
	u64 ns;

	if (unlikely(!cq->ien))
		return false;
	if (unlikely(!cq->qid))
		return nvme_cq_tell(cq);
	ns = nvme_cq_coalescing_ns(cq);
	if (unlikely(ns)) {
		u32 coalescing = READ_ONCE(cq->ctrl->features.irq_coalescing);

		cq->held += posted;
		if (cq->held > NVME_COALESCING_THR(coalescing))
			return nvme_cq_tell(cq);
		return nvme_cq_hold(cq, ns);
	}
	if ((cq->shadow_head && !cq->watchers) || !nvme_cq_busy(cq))
		return nvme_cq_tell(cq);
	cq->held += posted;
	cq->deferred += posted;
	return nvme_cq_hold(cq, cq->watchers ? NVME_HELD_WATCHED_NS :
					       NVME_HELD_NS);
}

/*
 * The guest may have consumed entries: tell it now of those that were held back?
 * Not if it found them already. With @force, whether it did the others or not.
 * cq->lock is held.
 */
static bool nvme_cq_settle(struct ioemu_nvme_cq *cq, bool force)
{
	bool busy;

	if (likely(!cq->held) || unlikely(cq->dead))
		return false;
	busy = nvme_cq_busy(cq);
	if (cq->head == cq->tail) {
		cq->held = 0;
		return false;
	}
	return (force || !busy) && nvme_cq_tell(cq);
}

/* Likewise, but what the guest itself wants to be held back is left to the timer. */
static bool nvme_cq_catch_up(struct ioemu_nvme_cq *cq, bool force)
{
	return unlikely(cq->held) && !nvme_cq_coalescing_ns(cq) &&
	       nvme_cq_settle(cq, force);
}

/**
 * ioemu_nvme_cq_settle() - look after an interrupt that was held back
 * @cq: completion queue
 *
 * Context: thread of a submission queue that watches @cq.
 */
void ioemu_nvme_cq_settle(struct ioemu_nvme_cq *cq)
{
	bool notify;

	if (likely(!READ_ONCE(cq->held)))
		return;
	spin_lock_irq(&cq->lock);
	notify = nvme_cq_catch_up(cq, false);
	spin_unlock_irq(&cq->lock);
	if (notify)
		ioemu_nvme_notify(cq->ctrl, cq->vector);
}

/**
 * ioemu_nvme_cq_watch() - begin or stop to look after interrupts held back
 * @sq: submission queue
 * @watch: begin; its thread will call ioemu_nvme_cq_settle() until it stops
 *
 * Context: the queue's thread, sq->run_lock held.
 */
void ioemu_nvme_cq_watch(struct ioemu_nvme_sq *sq, bool watch)
{
	struct ioemu_nvme_cq *cq = sq->cq;
	bool notify = false;

	if (sq->watching == watch)
		return;
	sq->watching = watch;
	spin_lock_irq(&cq->lock);
	if (watch)
		cq->watchers++;
	else if (!--cq->watchers)
		notify = nvme_cq_catch_up(cq, true);
	spin_unlock_irq(&cq->lock);
	if (notify)
		ioemu_nvme_notify(cq->ctrl, cq->vector);
}

/**
 * ioemu_nvme_cq_timer() - an interrupt was held back long enough
 * @timer: the completion queue's
 *
 * Context: hard irq, or softirq with PREEMPT_RT.
 */
enum hrtimer_restart ioemu_nvme_cq_timer(struct hrtimer *timer)
{
	struct ioemu_nvme_cq *cq = container_of(timer, struct ioemu_nvme_cq,
						timer);
	unsigned long flags;
	bool notify;

	spin_lock_irqsave(&cq->lock, flags);
	notify = nvme_cq_settle(cq, true);
	spin_unlock_irqrestore(&cq->lock, flags);
	if (notify)
		ioemu_nvme_notify(cq->ctrl, cq->vector);
	return HRTIMER_NORESTART;
}

/* Tell that entries from @from up to the tail were written. cq->lock is held. */
static void nvme_cq_dirty(struct ioemu_nvme_cq *cq, u32 from)
{
	u32 first = from >> NVME_CQE_PAGE_SHIFT;
	u32 last = (cq->tail ? cq->tail : cq->size) - 1;

	if (unlikely(cq->dead))
		return;
	if (unlikely(last < from)) {
		ioemu_gmap_dirty(cq->ring.map, cq->ring.gfn,
				 cq->ring.nr_pages);
		return;
	}
	ioemu_gmap_dirty(cq->ring.map, cq->ring.gfn + first,
			 (last >> NVME_CQE_PAGE_SHIFT) - first + 1);
}

/*
 * Give a request back from outside of the thread. cq->lock is held, and the
 * caller is in an RCU read section.
 */
static void nvme_req_free(struct ioemu_nvme_sq *sq, struct ioemu_nvme_req *req)
{
	req->next = sq->freed;
	WRITE_ONCE(sq->freed, req);
	WRITE_ONCE(sq->nr_freed, sq->nr_freed + 1);
	if (unlikely(sq->starved)) {
		sq->starved = false;
		kthread_queue_work(sq->worker, &sq->work);
	}
	if (unlikely(sq->draining))
		wake_up(&sq->ctrl->drain_wq);
}

/* The ring is full: let a request wait for the head to move. cq->lock held. */
static void nvme_cq_wait(struct ioemu_nvme_cq *cq, struct ioemu_nvme_req *req)
{
	struct ioemu_nvme_sq *sq = req->sq;

	req->next = NULL;
	if (cq->wait)
		cq->wait_tail->next = req;
	else
		cq->wait = req;
	cq->wait_tail = req;
	cq->full++;
	WRITE_ONCE(sq->nr_waiting, sq->nr_waiting + 1);
	if (unlikely(sq->draining))
		wake_up(&sq->ctrl->drain_wq);
}

/**
 * ioemu_nvme_cq_drain() - post what waits for room
 * @cq: completion queue
 *
 * Bounded by the size of the ring.
 *
 * Context: any, cq->lock held, within an RCU read section.
 * Return: true if the guest has to be notified.
 */
bool ioemu_nvme_cq_drain(struct ioemu_nvme_cq *cq)
{
	struct ioemu_nvme_req *req;
	struct ioemu_nvme_sq *sq;
	u32 from = cq->tail;
	u64 posted = cq->posted;

	lockdep_assert_held(&cq->lock);

	while ((req = cq->wait) && nvme_cq_post(cq, req)) {
		cq->wait = req->next;
		sq = req->sq;
		WRITE_ONCE(sq->nr_waiting, sq->nr_waiting - 1);
		nvme_req_free(sq, req);
	}
	if (cq->posted == posted)
		return false;
	nvme_cq_dirty(cq, from);
	return nvme_cq_interrupt(cq, cq->posted - posted);
}

/**
 * ioemu_nvme_cq_kill() - post nothing any more
 * @cq: completion queue
 *
 * What waits is given back at once, and so is whatever finishes later.
 *
 * Context: any, cq->lock held, within an RCU read section.
 */
void ioemu_nvme_cq_kill(struct ioemu_nvme_cq *cq)
{
	cq->dead = true;
	ioemu_nvme_cq_drain(cq);
}

/**
 * ioemu_nvme_cq_doorbell() - the guest consumed entries
 * @cq: completion queue
 * @value: its new head
 *
 * Section 3.1.26: the head may move up to the tail, no further.
 *
 * Context: any, hard irq included, within an RCU read section.
 */
void ioemu_nvme_cq_doorbell(struct ioemu_nvme_cq *cq, u32 value)
{
	struct ioemu_nvme *ctrl = cq->ctrl;
	unsigned int vector = cq->vector;
	bool bad, notify = false;
	unsigned long flags;

	spin_lock_irqsave(&cq->lock, flags);
	cq->doorbells++;
	bad = value >= cq->size ||
	      nvme_distance(cq->head, value, cq->size) >
	      nvme_distance(cq->head, cq->tail, cq->size);
	if (likely(!bad)) {
		WRITE_ONCE(cq->head, value);
		if (unlikely(cq->wait))
			notify = ioemu_nvme_cq_drain(cq);
		notify |= nvme_cq_catch_up(cq, false);
	}
	spin_unlock_irqrestore(&cq->lock, flags);

	if (notify)
		ioemu_nvme_notify(ctrl, vector);
	else if (unlikely(READ_ONCE(ctrl->intx_wish) ||
			  ioemu_pci_irq_mode(&ctrl->pci) == IOEMU_PCI_IRQ_INTX))
		ioemu_nvme_irq_update(ctrl);
	if (unlikely(bad)) {
		ioemu_nvme_log_doorbell(ctrl, cq->qid);
		ioemu_nvme_event_raise(ctrl, NVME_AER_ERROR,
				       NVME_AER_ERR_DB_VALUE, NVME_LOG_ERROR);
	}
}

/* ---- the end of a request ---------------------------------------------- */

/**
 * ioemu_nvme_req_unmap() - let go of a request's data
 * @req: request
 *
 * Context: any.
 */
void ioemu_nvme_req_unmap(struct ioemu_nvme_req *req)
{
	unsigned int i, run;

	if (!req->map)
		return;
	if (req->dirty) {
		for (i = 0; i < req->nr_vecs; i += run) {
			for (run = 1; i + run < req->nr_vecs &&
			     req->gfns[i + run] == req->gfns[i] + run; run++)
				;
			ioemu_gmap_dirty(req->map, req->gfns[i], run);
		}
	}
	ioemu_gmap_put(req->map);
	req->map = NULL;
}

/**
 * ioemu_nvme_complete() - a command is done
 * @req: request; gone when this returns
 * @status: status field without phase tag
 *
 * The one way out of a command. Within a batch of the queue's own thread the
 * request is put on sq->done, to be posted with the rest of the batch; from
 * anywhere else the entry is posted and the guest notified at once.
 *
 * Context: any, hard irq included; no lock held.
 */
void ioemu_nvme_complete(struct ioemu_nvme_req *req, u16 status)
{
	struct ioemu_nvme_sq *sq = req->sq;
	struct ioemu_nvme_cq *cq = sq->cq;
	struct ioemu_nvme *ctrl = sq->ctrl;
	bool notify = false;
	unsigned int vector;
	unsigned long flags;
	u32 from;

	ioemu_nvme_account_complete(req);
	req->status = status;
	ioemu_nvme_req_unmap(req);
	trace_ioemu_nvme_complete(req);
	if (unlikely(status))
		ioemu_nvme_log_error(req);

	if (current == sq->task && in_task()) {
		req->next = NULL;
		if (sq->done)
			sq->done_tail->next = req;
		else
			sq->done = req;
		sq->done_tail = req;
		return;
	}

	rcu_read_lock();
	spin_lock_irqsave(&cq->lock, flags);
	sq->errors += !!status;
	vector = cq->vector;
	from = cq->tail;
	if (likely(!cq->wait) && nvme_cq_post(cq, req)) {
		nvme_req_free(sq, req);
		if (likely(!cq->dead)) {
			nvme_cq_dirty(cq, from);
			notify = nvme_cq_interrupt(cq, 1);
		}
	} else if (unlikely(sq->halt & NVME_HALT_REMOVED)) {
		nvme_req_free(sq, req);
	} else {
		nvme_cq_wait(cq, req);
	}
	spin_unlock_irqrestore(&cq->lock, flags);
	if (notify)
		ioemu_nvme_notify(ctrl, vector);
	rcu_read_unlock();
}

/**
 * ioemu_nvme_halt_status() - what becomes of a command of a queue that halts
 * @sq: submission queue that is halted
 *
 * Context: any.
 * Return: status field. A guest that switched bus mastering off may try again.
 */
u16 ioemu_nvme_halt_status(const struct ioemu_nvme_sq *sq)
{
	return READ_ONCE(sq->halt) & ~NVME_HALT_MASTER ?
	       NVME_SC_ABORT_SQ_DELETED : NVME_SC_INTERRUPTED;
}

/**
 * ioemu_nvme_continue() - run a request's next step in the queue's thread
 * @req: request with @step set, whose disk request is done
 *
 * Context: any, hard irq included.
 */
void ioemu_nvme_continue(struct ioemu_nvme_req *req)
{
	struct ioemu_nvme_sq *sq = req->sq;
	struct ioemu_nvme_cq *cq = sq->cq;
	unsigned long flags;

	rcu_read_lock();
	spin_lock_irqsave(&cq->lock, flags);
	req->next = sq->cont;
	WRITE_ONCE(sq->cont, req);
	kthread_queue_work(sq->worker, &sq->work);
	spin_unlock_irqrestore(&cq->lock, flags);
	rcu_read_unlock();
}

/* ---- submission queues, in their thread -------------------------------- */

/* Back onto the thread's own lists; sq->run_lock is held. */
static void nvme_req_put(struct ioemu_nvme_sq *sq, struct ioemu_nvme_req *req)
{
	if (unlikely(req->big)) {
		req->big->next = sq->bigs;
		sq->bigs = req->big;
		req->big = NULL;
	}
	req->next = sq->free;
	sq->free = req;
}

/*
 * Take over what completions gave back. If there is nothing, they will run the
 * queue when there is. Returns false then.
 */
static bool nvme_sq_refill(struct ioemu_nvme_sq *sq, bool wanted)
{
	struct ioemu_nvme_req *req, *next;

	spin_lock_irq(&sq->cq->lock);
	req = sq->freed;
	WRITE_ONCE(sq->freed, NULL);
	if (!req && wanted)
		sq->starved = true;
	spin_unlock_irq(&sq->cq->lock);

	if (!req)
		return false;
	for (; req; req = next) {
		next = req->next;
		nvme_req_put(sq, req);
	}
	return true;
}

/**
 * ioemu_nvme_take_big() - get a large room
 * @req: request that is being executed
 *
 * Context: the queue's thread.
 * Return: the room, which now belongs to @req; or NULL, then the command must be
 *         parked: the thread runs again when one is given back.
 */
struct ioemu_nvme_big *ioemu_nvme_take_big(struct ioemu_nvme_req *req)
{
	struct ioemu_nvme_sq *sq = req->sq;

	if (req->big)
		return req->big;
	while (unlikely(!sq->bigs)) {
		if (!nvme_sq_refill(sq, true)) {
			sq->wants_big = true;
			return NULL;
		}
	}
	req->big = sq->bigs;
	sq->bigs = req->big->next;
	return req->big;
}

/*
 * What finished within the batch has waited for the rest of it. The disk may have
 * been removed meanwhile; one that is seen here stays while sq->run_lock is held.
 */
static void nvme_sq_account_post(struct ioemu_nvme_sq *sq)
{
	const struct ioemu_nvme *ctrl = sq->ctrl;
	const struct ioemu_nvme_req *req;
	u64 now = ktime_get_ns();
	struct ioemu_disk *disk;

	for (req = sq->done; req; req = req->next) {
		if (!req->io.disk || req->nsid - 1 >= READ_ONCE(ctrl->nn))
			continue;
		disk = READ_ONCE(ctrl->ns[req->nsid - 1].disk);
		if (disk == req->io.disk)
			ioemu_disk_latency(disk, IOEMU_STAGE_POST,
					   now - req->io.stamp);
	}
}

/* Post what finished within the batch: one lock, one interrupt. */
static void nvme_sq_flush(struct ioemu_nvme_sq *sq)
{
	struct ioemu_nvme_req *req = sq->done, *next;
	struct ioemu_nvme_cq *cq = sq->cq;
	bool notify = false;
	u32 from, freed = 0;
	u64 posted;

	nvme_sq_account_post(sq);
	sq->done = NULL;
	spin_lock_irq(&cq->lock);
	from = cq->tail;
	posted = cq->posted;
	for (; req; req = next) {
		next = req->next;
		sq->errors += !!req->status;
		if ((likely(!cq->wait) && nvme_cq_post(cq, req)) ||
		    unlikely(sq->halt & NVME_HALT_REMOVED)) {
			nvme_req_put(sq, req);
			freed++;
		} else {
			nvme_cq_wait(cq, req);
		}
	}
	WRITE_ONCE(sq->nr_freed, sq->nr_freed + freed);
	if (cq->posted != posted) {
		nvme_cq_dirty(cq, from);
		notify = nvme_cq_interrupt(cq, cq->posted - posted);
	}
	if (unlikely(sq->draining))
		wake_up(&sq->ctrl->drain_wq);
	spin_unlock_irq(&cq->lock);

	if (notify)
		ioemu_nvme_notify(sq->ctrl, cq->vector);
}

/* Copy a command, once; nothing looks at guest memory for it again. */
static void nvme_sq_fetch(struct ioemu_nvme_sq *sq, struct nvme_sqe *sqe)
{
	const u64 *from = sq->ring.pages[sq->head >> NVME_SQE_PAGE_SHIFT] +
			  (sq->head << NVME_SQES & NVME_PAGE_MASK);
	u64 *to = (u64 *)sqe;
	unsigned int i;

	for (i = 0; i < NVME_SQE_SIZE / sizeof(u64); i++)
		to[i] = READ_ONCE(from[i]);
}

/*
 * Execute the command in the scratch. False when it must be parked.
 */
static bool nvme_sq_execute(struct ioemu_nvme_sq *sq,
			    struct ioemu_nvme_req *req)
{
	u16 status;

	if (likely(sq->qid))
		status = ioemu_nvme_exec_io(req);
	else
		status = ioemu_nvme_exec_admin(req);
	if (status == NVME_PENDING)
		return true;
	if (unlikely(status == NVME_PARK))
		return false;
	ioemu_nvme_complete(req, status);
	return true;
}

/*
 * With shadow doorbells: ask for a doorbell before the thread sleeps. False if
 * commands arrived meanwhile.
 */
static bool nvme_sq_may_sleep(struct ioemu_nvme_sq *sq)
{
	if (!sq->event_idx)
		return true;
	WRITE_ONCE(*sq->event_idx, cpu_to_le32(sq->head));
	ioemu_nvme_dbbuf_written(sq->ctrl);
	/*
	 * The event index is visible before the shadow doorbell is read again.
	 * The guest writes the doorbell and reads the event index with a full
	 * barrier in between: one of the two sees the other's write.
	 */
	smp_mb();
	return ioemu_nvme_sq_tail(sq) == sq->head;
}

/*
 * Requests whose disk request is done and that have more to do; but not once someone
 * waits for the disk to have none of them.
 */
static void nvme_sq_continue(struct ioemu_nvme_sq *sq)
{
	struct ioemu_nvme_req *req, *next;

	spin_lock_irq(&sq->cq->lock);
	req = sq->cont;
	WRITE_ONCE(sq->cont, NULL);
	spin_unlock_irq(&sq->cq->lock);

	for (; req; req = next) {
		next = req->next;
		if (unlikely(READ_ONCE(sq->halt)))
			ioemu_nvme_complete(req, ioemu_nvme_halt_status(sq));
		else
			req->step(req);
	}
}

/* The parked command, if any, goes first. False if it remains parked. */
static bool nvme_sq_unpark(struct ioemu_nvme_sq *sq)
{
	struct ioemu_nvme_req *req = sq->parked;

	WRITE_ONCE(sq->parked, NULL);
	sq->wants_big = false;
	if (nvme_sq_execute(sq, req))
		return true;
	WRITE_ONCE(sq->parked, req);
	return false;
}

/* Fetch and execute up to the tail or the budget. */
static void nvme_sq_run_batch(struct ioemu_nvme_sq *sq, unsigned int budget)
{
	struct nvme_sqe *sqe = &sq->scratch->sqe;
	u32 tail = ioemu_nvme_sq_tail(sq);
	struct ioemu_nvme_req *req;
	u64 now, rung;
	u32 next;

	if (sq->head == tail)
		return;
	now = ktime_get_ns();
	rung = READ_ONCE(sq->rung);
	if (rung != sq->seen_rung) {
		sq->seen_rung = rung;
		sq->fetch_ns = now > rung ? now - rung : 0;
		sq->fetch_new = true;
	}
	sq->stats.batches++;
	sq->pace.batch = nvme_distance(sq->head, tail, sq->size);
	if (READ_ONCE(sq->freed))
		nvme_sq_refill(sq, false);

	for (; sq->head != tail && budget && !READ_ONCE(sq->halt); budget--) {
		req = sq->free;
		if (unlikely(!req)) {
			if (!nvme_sq_refill(sq, true)) {
				sq->stats.starved++;
				return;
			}
			req = sq->free;
		}
		sq->free = req->next;
		WRITE_ONCE(sq->nr_taken, sq->nr_taken + 1);
		ioemu_nvme_account_fetch(req);

		nvme_sq_fetch(sq, sqe);
		next = sq->head + 1 == sq->size ? 0 : sq->head + 1;
		/*
		 * The command was copied before the guest learns from a
		 * completion that it may overwrite it.
		 */
		smp_store_release(&sq->head, next);

		sq->stats.commands++;
		this_cpu_inc(sq->ctrl->exits->commands);
		req->cid = le16_to_cpu(sqe->cid);
		req->opcode = sqe->opcode;
		req->nsid = le32_to_cpu(sqe->nsid);
		req->result = 0;
		req->io.disk = NULL;
		req->io.polled = false;
		req->io.stamp = now;
		req->dirty = false;
		req->step = NULL;
		trace_ioemu_nvme_cmd(sq, sqe);
		if (unlikely(!nvme_sq_execute(sq, req))) {
			WRITE_ONCE(sq->parked, req);
			sq->stats.starved++;
			return;
		}
		/* What is finished does not wait for one after the other of these. */
		if (unlikely(req->opcode == NVME_CMD_WRITE_ZEROES))
			return;
	}
}

/*
 * Look after one of the requests that a disk finishes only when it is looked at;
 * what else its queue has finished comes with it. Returns whether any are left.
 */
static bool nvme_sq_poll(struct ioemu_nvme_sq *sq)
{
	unsigned int i = find_next_bit(sq->polled, sq->nr_reqs, sq->polled_next);

	if (i >= sq->nr_reqs)
		i = find_first_bit(sq->polled, sq->nr_reqs);
	if (likely(i >= sq->nr_reqs))
		return false;
	sq->polled_next = i + 1;
	ioemu_disk_poll(&sq->reqs[i].io);
	return !bitmap_empty(sq->polled, sq->nr_reqs);
}

/**
 * ioemu_nvme_sq_work() - run a submission queue
 * @work: the queue's work
 *
 * Context: the queue's thread.
 */
void ioemu_nvme_sq_work(struct kthread_work *work)
{
	struct ioemu_nvme_sq *sq = container_of(work, struct ioemu_nvme_sq,
						work);
	struct blk_plug plug;
	bool again = false, polled;
	unsigned int halt;

	mutex_lock(sq->run_lock);
	ioemu_nvme_woken(sq);
	ioemu_nvme_cq_watch(sq, ioemu_nvme_polls(sq));
	ioemu_nvme_cq_settle(sq->cq);
	if (unlikely(!sq->qid))
		ioemu_nvme_event_deliver(sq->ctrl);

	blk_start_plug(&plug);
	if (unlikely(READ_ONCE(sq->cont)))
		nvme_sq_continue(sq);
	halt = READ_ONCE(sq->halt);
	if (unlikely(halt)) {
		if (sq->parked && (halt & ~NVME_HALT_MASTER)) {
			ioemu_nvme_complete(sq->parked,
					    ioemu_nvme_halt_status(sq));
			WRITE_ONCE(sq->parked, NULL);
		}
	} else if (likely(!sq->parked) || nvme_sq_unpark(sq)) {
		ioemu_nvme_gather(sq);
		nvme_sq_run_batch(sq, NVME_BATCH);
	}
	blk_finish_plug(&plug);

	polled = nvme_sq_poll(sq);
	if (polled && !sq->done)
		ioemu_nvme_polled_in_vain(sq);
	else
		sq->polled_ns = 0;
	if (sq->done)
		nvme_sq_flush(sq);
	if (unlikely(polled)) {
		again = true;
	} else if (likely(!READ_ONCE(sq->halt))) {
		if (unlikely(sq->parked))
			again = sq->wants_big && sq->bigs;
		else if (sq->head != ioemu_nvme_sq_tail(sq))
			again = sq->free || nvme_sq_refill(sq, true);
		else
			again = ioemu_nvme_wait(sq) || !nvme_sq_may_sleep(sq);
	}
	if (again)
		kthread_queue_work(sq->worker, &sq->work);
	else
		ioemu_nvme_cq_watch(sq, false);
	mutex_unlock(sq->run_lock);
}

/**
 * ioemu_nvme_sq_doorbell() - the guest added commands
 * @sq: submission queue
 * @value: its new tail
 *
 * Section 3.1.25.
 *
 * Context: any, hard irq included, within an RCU read section.
 */
void ioemu_nvme_sq_doorbell(struct ioemu_nvme_sq *sq, u32 value)
{
	if (unlikely(value >= sq->size)) {
		ioemu_nvme_log_doorbell(sq->ctrl, sq->qid);
		ioemu_nvme_event_raise(sq->ctrl, NVME_AER_ERROR,
				       NVME_AER_ERR_DB_VALUE, NVME_LOG_ERROR);
		return;
	}
	WRITE_ONCE(sq->doorbells, sq->doorbells + 1);
	WRITE_ONCE(sq->rung, ktime_get_ns());
	WRITE_ONCE(sq->tail, value);
	kthread_queue_work(sq->worker, &sq->work);
}
