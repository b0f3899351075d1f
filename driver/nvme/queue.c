// SPDX-License-Identifier: GPL-2.0
/*
 * Making and removing queues, and where they are in guest memory.
 *
 * Queues are made and removed in the controller's thread only, under ctrl->lock.
 */
#include <linux/err.h>
#include <linux/error-injection.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include <ioemu/guestmem.h>
#include <ioemu/vm.h>

#include "nvme.h"

/* ---- rings ------------------------------------------------------------- */

/**
 * ioemu_nvme_ring_lookup() - find a ring's pages
 * @ctrl: controller
 * @ring: ring
 * @map: where to look
 *
 * The pages are left in ctrl->lookup_pages for ioemu_nvme_ring_commit().
 *
 * Context: process context, ctrl->lock held.
 * Return: as ioemu_gmap_pages().
 */
int ioemu_nvme_ring_lookup(struct ioemu_nvme *ctrl,
			   const struct ioemu_nvme_ring *ring,
			   struct ioemu_gmap *map)
{
	unsigned int i;

	lockdep_assert_held(&ctrl->lock);

	for (i = 0; i < ring->nr_pages; i++)
		ctrl->lookup_gfns[i] = ring->gfn + i;
	return ioemu_gmap_pages(map, ctrl->lookup_gfns, ring->nr_pages,
				ctrl->lookup_pages);
}

/**
 * ioemu_nvme_ring_commit() - use the pages that were looked up
 * @ctrl: controller
 * @ring: ring
 * @map: where they were found, or NULL if the memory is gone
 *
 * Context: any, under the lock that guards the ring, and ctrl->lock held by the
 * same or another context.
 * Return: the map used until now, whose reference is the caller's to drop.
 */
struct ioemu_gmap *ioemu_nvme_ring_commit(struct ioemu_nvme *ctrl,
					  struct ioemu_nvme_ring *ring,
					  struct ioemu_gmap *map)
{
	struct ioemu_gmap *old = ring->map;
	unsigned int i;

	if (map) {
		ioemu_gmap_get(map);
		for (i = 0; i < ring->nr_pages; i++)
			ring->pages[i] = page_address(ctrl->lookup_pages[i]);
	}
	ring->map = map;
	return old;
}

/**
 * ioemu_nvme_ring_init() - find guest memory that stays in use
 * @ctrl: controller
 * @ring: ring, zeroed
 * @addr: guest physical address, page aligned
 * @bytes: its size, at most NVME_MAX_RING_PAGES pages
 *
 * Context: process context, ctrl->lock held.
 * Return: 0, -ENOMEM, -ESHUTDOWN, or as ioemu_gmap_pages().
 */
int ioemu_nvme_ring_init(struct ioemu_nvme *ctrl, struct ioemu_nvme_ring *ring,
			 u64 addr, size_t bytes)
{
	struct ioemu_gmap *map;
	int err;

	map = ioemu_vm_gmap_get(ctrl->vm);
	if (!map)
		return -ESHUTDOWN;
	ring->gfn = addr >> NVME_PAGE_SHIFT;
	ring->nr_pages = DIV_ROUND_UP(bytes, NVME_PAGE_SIZE);
	ring->pages = kcalloc(ring->nr_pages, sizeof(*ring->pages), GFP_KERNEL);
	if (!ring->pages) {
		err = -ENOMEM;
		goto put_map;
	}
	err = ioemu_nvme_ring_lookup(ctrl, ring, map);
	if (err)
		goto free_pages;
	ioemu_nvme_ring_commit(ctrl, ring, map);
	ioemu_gmap_put(map);
	return 0;

free_pages:
	kfree(ring->pages);
	ring->pages = NULL;
put_map:
	ioemu_gmap_put(map);
	return err;
}

/**
 * ioemu_nvme_ring_free() - undo ioemu_nvme_ring_init()
 * @ring: ring that nobody uses any more; may be zeroed
 *
 * Context: process context.
 */
void ioemu_nvme_ring_free(struct ioemu_nvme_ring *ring)
{
	if (ring->map)
		ioemu_gmap_put(ring->map);
	kfree(ring->pages);
	memset(ring, 0, sizeof(*ring));
}

/* ---- completion queues ------------------------------------------------- */

/**
 * ioemu_nvme_cq_create() - make a completion queue
 * @ctrl: controller
 * @qid: identifier without a queue
 * @addr: guest physical address of the ring, page aligned
 * @size: entries, at least 2
 * @vector: interrupt vector
 * @ien: interrupts enabled
 *
 * Context: the controller's thread, ctrl->lock held.
 * Return: 0 or a negative errno as ioemu_nvme_ring_init().
 */
int ioemu_nvme_cq_create(struct ioemu_nvme *ctrl, unsigned int qid, u64 addr,
			 u32 size, unsigned int vector, bool ien)
{
	struct ioemu_nvme_cq *cq;
	int err;

	cq = kzalloc(sizeof(*cq), GFP_KERNEL);
	if (!cq)
		return -ENOMEM;
	cq->ctrl = ctrl;
	cq->size = size;
	cq->qid = qid;
	cq->vector = vector;
	cq->ien = ien;
	cq->phase = 1;
	spin_lock_init(&cq->lock);
	hrtimer_setup(&cq->timer, ioemu_nvme_cq_timer, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL);
	err = ioemu_nvme_ring_init(ctrl, &cq->ring, addr,
				   (size_t)size << NVME_CQES);
	if (err) {
		kfree(cq);
		return err;
	}
	cq->stalled = !ctrl->master;
	ioemu_nvme_dbbuf_attach_cq(cq);
	rcu_assign_pointer(ctrl->cqs[qid], cq);
	return 0;
}

static void nvme_cq_free(struct ioemu_nvme_cq *cq)
{
	hrtimer_cancel(&cq->timer);
	ioemu_nvme_ring_free(&cq->ring);
	kfree(cq);
}

/**
 * ioemu_nvme_cq_delete() - remove a completion queue
 * @ctrl: controller
 * @qid: queue that no submission queue uses
 *
 * Context: the controller's thread, ctrl->lock held; sleeps.
 */
void ioemu_nvme_cq_delete(struct ioemu_nvme *ctrl, unsigned int qid)
{
	struct ioemu_nvme_cq *cq = ioemu_nvme_cq(ctrl, qid);

	RCU_INIT_POINTER(ctrl->cqs[qid], NULL);
	synchronize_rcu();
	nvme_cq_free(cq);
	ioemu_nvme_irq_update(ctrl);
}

/* ---- submission queues ------------------------------------------------- */

static void nvme_sq_free(struct ioemu_nvme_sq *sq)
{
	ioemu_nvme_ring_free(&sq->ring);
	kvfree(sq->scratch);
	kvfree(sq->bigs_mem);
	kvfree(sq->reqs);
	kfree(sq);
}

static int nvme_sq_alloc_reqs(struct ioemu_nvme_sq *sq)
{
	unsigned int i, nr_bigs;

	if (sq->qid) {
		sq->nr_reqs = min_t(u32, sq->size, NVME_MAX_REQS);
		nr_bigs = min_t(u32, sq->nr_reqs, NVME_MAX_BIGS);
	} else {
		/* Parked event requests are no longer in the ring. */
		sq->nr_reqs = clamp_t(u32, sq->size, 2 * NVME_MAX_AERS,
				      NVME_MAX_REQS);
		nr_bigs = 1;
	}
	sq->reqs = kvcalloc(sq->nr_reqs, sizeof(*sq->reqs), GFP_KERNEL);
	sq->bigs_mem = kvcalloc(nr_bigs, sizeof(*sq->bigs_mem), GFP_KERNEL);
	sq->scratch = kvzalloc(sizeof(*sq->scratch), GFP_KERNEL);
	if (!sq->reqs || !sq->bigs_mem || !sq->scratch)
		return -ENOMEM;

	for (i = sq->nr_reqs; i--;) {
		sq->reqs[i].sq = sq;
		sq->reqs[i].io.owner = sq;
		sq->reqs[i].next = sq->free;
		sq->free = &sq->reqs[i];
	}
	for (i = nr_bigs; i--;) {
		sq->bigs_mem[i].next = sq->bigs;
		sq->bigs = &sq->bigs_mem[i];
	}
	return 0;
}

static noinline int nvme_sq_create_worker(struct ioemu_nvme_sq *sq)
{
	struct ioemu_nvme *ctrl = sq->ctrl;

	sq->worker = kthread_create_worker(0, "ioemu/%u.%u-q%u",
					   ioemu_vm_domid(ctrl->vm), ctrl->slot,
					   sq->qid);
	return PTR_ERR_OR_ZERO(sq->worker);
}
ALLOW_ERROR_INJECTION(nvme_sq_create_worker, ERRNO);

/**
 * ioemu_nvme_sq_create() - make a submission queue
 * @ctrl: controller
 * @qid: identifier without a queue
 * @addr: guest physical address of the ring, page aligned
 * @size: entries, at least 2
 * @cqid: an existing completion queue
 *
 * Context: the controller's thread, ctrl->lock held.
 * Return: 0 or a negative errno as ioemu_nvme_ring_init().
 */
int ioemu_nvme_sq_create(struct ioemu_nvme *ctrl, unsigned int qid, u64 addr,
			 u32 size, unsigned int cqid)
{
	struct ioemu_nvme_cq *cq = ioemu_nvme_cq(ctrl, cqid);
	struct ioemu_nvme_sq *sq;
	int err;

	sq = kzalloc(sizeof(*sq), GFP_KERNEL);
	if (!sq)
		return -ENOMEM;
	sq->ctrl = ctrl;
	sq->cq = cq;
	sq->size = size;
	sq->qid = qid;
	mutex_init(&sq->own_lock);
	sq->run_lock = qid ? &sq->own_lock : &ctrl->lock;
	kthread_init_work(&sq->work, ioemu_nvme_sq_work);
	if (!ctrl->master)
		sq->halt = NVME_HALT_MASTER;
	err = nvme_sq_alloc_reqs(sq);
	if (err)
		goto free_sq;
	err = ioemu_nvme_ring_init(ctrl, &sq->ring, addr,
				   (size_t)size << NVME_SQES);
	if (err)
		goto free_sq;
	if (qid) {
		err = nvme_sq_create_worker(sq);
		if (err)
			goto free_sq;
	} else {
		sq->worker = ctrl->worker;
	}
	sq->task = sq->worker->task;
	cq->nr_sqs++;
	ioemu_nvme_dbbuf_attach_sq(sq);
	rcu_assign_pointer(ctrl->sqs[qid], sq);
	return 0;

free_sq:
	nvme_sq_free(sq);
	return err;
}

static void nvme_sq_halt(struct ioemu_nvme_sq *sq, unsigned int why)
{
	spin_lock_irq(&sq->cq->lock);
	WRITE_ONCE(sq->halt, sq->halt | why);
	sq->draining = true;
	spin_unlock_irq(&sq->cq->lock);
}

/*
 * Wait for what the thread is at, and was told to do: then it has seen sq->halt. The
 * admin queue's thread is the one that waits.
 */
static void nvme_sq_settle(struct ioemu_nvme_sq *sq)
{
	if (sq->qid)
		kthread_flush_work(&sq->work);
}

/**
 * ioemu_nvme_queues_settle() - let all threads finish what they are at
 * @ctrl: controller
 *
 * And what they were told to do before: steps of requests, above all.
 *
 * Context: process context, ctrl->lock held; sleeps.
 */
void ioemu_nvme_queues_settle(struct ioemu_nvme *ctrl)
{
	struct ioemu_nvme_sq *sq;
	unsigned int qid;

	for (qid = 0; qid <= NVME_MAX_QID; qid++) {
		sq = ioemu_nvme_sq(ctrl, qid);
		if (sq)
			nvme_sq_settle(sq);
	}
}

/*
 * Queues are about to be waited for, whose threads have settled: what a limit holds
 * back of @sq, or with NULL of all, is given up.
 */
static void nvme_cancel(struct ioemu_nvme *ctrl, const struct ioemu_nvme_sq *sq)
{
	unsigned int i;

	for (i = 0; i < ctrl->nn; i++)
		if (ctrl->ns[i].disk)
			ioemu_disk_cancel(ctrl->ns[i].disk, sq);
}

/* Nothing with the disk: all requests were given back, wait or are parked. */
static bool nvme_sq_quiet(struct ioemu_nvme_sq *sq)
{
	u32 idle;

	spin_lock_irq(&sq->cq->lock);
	idle = sq->nr_freed + sq->nr_waiting + !!READ_ONCE(sq->parked);
	if (!sq->qid)
		idle += sq->ctrl->nr_aers;
	spin_unlock_irq(&sq->cq->lock);
	return idle == READ_ONCE(sq->nr_taken);
}

/* Give back what waits for room in a completion queue that stays. */
static void nvme_sq_purge(struct ioemu_nvme_sq *sq)
{
	struct ioemu_nvme_cq *cq = sq->cq;
	struct ioemu_nvme_req *req, **link;

	spin_lock_irq(&cq->lock);
	cq->wait_tail = NULL;
	for (link = &cq->wait; (req = *link);) {
		if (req->sq == sq) {
			*link = req->next;
			WRITE_ONCE(sq->nr_waiting, sq->nr_waiting - 1);
			WRITE_ONCE(sq->nr_freed, sq->nr_freed + 1);
		} else {
			cq->wait_tail = req;
			link = &req->next;
		}
	}
	spin_unlock_irq(&cq->lock);
}

/*
 * First half of removal: no doorbell starts it any more, the thread stops
 * fetching and gives up what it holds.
 */
static void nvme_sq_remove_begin(struct ioemu_nvme_sq *sq)
{
	RCU_INIT_POINTER(sq->ctrl->sqs[sq->qid], NULL);
	nvme_sq_halt(sq, NVME_HALT_REMOVED);
	nvme_sq_settle(sq);
	kthread_queue_work(sq->worker, &sq->work);
}

/* Second half, after an RCU grace period. */
static void nvme_sq_remove_end(struct ioemu_nvme_sq *sq)
{
	struct ioemu_nvme *ctrl = sq->ctrl;

	/* This is the controller's thread, so the admin work is not running. */
	if (sq->qid)
		kthread_destroy_worker(sq->worker);
	else
		kthread_cancel_work_sync(&sq->work);
	ioemu_nvme_account_end(sq);
	ioemu_nvme_stats_add(&ctrl->past, &sq->stats);
	sq->cq->nr_sqs--;
	nvme_sq_free(sq);
}

/**
 * ioemu_nvme_sq_delete() - remove a submission queue
 * @ctrl: controller
 * @qid: an I/O queue
 *
 * Commands that the disk has are waited for, and complete normally where the
 * completion queue has room; those that a limit holds back are aborted. Section 5.6.
 *
 * Context: the controller's thread, ctrl->lock held; sleeps.
 */
void ioemu_nvme_sq_delete(struct ioemu_nvme *ctrl, unsigned int qid)
{
	struct ioemu_nvme_sq *sq = ioemu_nvme_sq(ctrl, qid);

	nvme_sq_remove_begin(sq);
	nvme_sq_purge(sq);
	nvme_cancel(ctrl, sq);
	wait_event(ctrl->drain_wq, nvme_sq_quiet(sq));
	synchronize_rcu();
	nvme_sq_remove_end(sq);
}

/* ---- all of them ------------------------------------------------------- */

/**
 * ioemu_nvme_queues_delete() - remove all queues
 * @ctrl: controller
 *
 * Nothing is posted any more from the start; all requests are waited for.
 * Parked event requests are dropped. When this returns, no guest memory is in
 * use on behalf of a queue.
 *
 * Context: the controller's thread, ctrl->lock held; sleeps.
 */
void ioemu_nvme_queues_delete(struct ioemu_nvme *ctrl)
{
	struct ioemu_nvme_sq *sqs[NVME_MAX_QID + 1];
	struct ioemu_nvme_cq *cqs[NVME_MAX_QID + 1];
	unsigned int qid;
	bool any = false;

	for (qid = 0; qid <= NVME_MAX_QID; qid++) {
		sqs[qid] = ioemu_nvme_sq(ctrl, qid);
		cqs[qid] = ioemu_nvme_cq(ctrl, qid);
		if (!cqs[qid])
			continue;
		any = true;
		RCU_INIT_POINTER(ctrl->cqs[qid], NULL);
		rcu_read_lock();
		spin_lock_irq(&cqs[qid]->lock);
		ioemu_nvme_cq_kill(cqs[qid]);
		spin_unlock_irq(&cqs[qid]->lock);
		rcu_read_unlock();
	}
	if (!any)
		return;

	for (qid = 0; qid <= NVME_MAX_QID; qid++)
		if (sqs[qid])
			nvme_sq_remove_begin(sqs[qid]);
	nvme_cancel(ctrl, NULL);
	for (qid = 0; qid <= NVME_MAX_QID; qid++)
		if (sqs[qid])
			wait_event(ctrl->drain_wq, nvme_sq_quiet(sqs[qid]));
	ctrl->nr_aers = 0;
	synchronize_rcu();
	for (qid = 0; qid <= NVME_MAX_QID; qid++)
		if (sqs[qid])
			nvme_sq_remove_end(sqs[qid]);
	for (qid = 0; qid <= NVME_MAX_QID; qid++)
		if (cqs[qid])
			nvme_cq_free(cqs[qid]);
	ioemu_nvme_irq_update(ctrl);
}

/**
 * ioemu_nvme_queues_pause() - bus mastering goes off
 * @ctrl: controller
 *
 * When this returns the controller does not touch guest memory.
 *
 * Context: the controller's thread, ctrl->lock held; sleeps.
 */
void ioemu_nvme_queues_pause(struct ioemu_nvme *ctrl)
{
	struct ioemu_nvme_sq *sq;
	struct ioemu_nvme_cq *cq;
	unsigned int qid;

	for (qid = 0; qid <= NVME_MAX_QID; qid++) {
		sq = ioemu_nvme_sq(ctrl, qid);
		if (sq)
			nvme_sq_halt(sq, NVME_HALT_MASTER);
	}
	ioemu_nvme_queues_settle(ctrl);
	nvme_cancel(ctrl, NULL);
	for (qid = 0; qid <= NVME_MAX_QID; qid++) {
		sq = ioemu_nvme_sq(ctrl, qid);
		if (!sq)
			continue;
		wait_event(ctrl->drain_wq, nvme_sq_quiet(sq));
		spin_lock_irq(&sq->cq->lock);
		sq->draining = false;
		spin_unlock_irq(&sq->cq->lock);
	}
	for (qid = 0; qid <= NVME_MAX_QID; qid++) {
		cq = ioemu_nvme_cq(ctrl, qid);
		if (!cq)
			continue;
		spin_lock_irq(&cq->lock);
		cq->stalled = true;
		spin_unlock_irq(&cq->lock);
	}
}

/**
 * ioemu_nvme_queues_resume() - bus mastering is on again
 * @ctrl: controller
 *
 * Context: the controller's thread, ctrl->lock held.
 */
void ioemu_nvme_queues_resume(struct ioemu_nvme *ctrl)
{
	struct ioemu_nvme_sq *sq;
	struct ioemu_nvme_cq *cq;
	unsigned int qid;
	bool notify;

	for (qid = 0; qid <= NVME_MAX_QID; qid++) {
		cq = ioemu_nvme_cq(ctrl, qid);
		if (!cq)
			continue;
		rcu_read_lock();
		spin_lock_irq(&cq->lock);
		cq->stalled = false;
		ioemu_nvme_cq_drain(cq);
		notify = cq->ien && cq->head != cq->tail;
		spin_unlock_irq(&cq->lock);
		if (notify)
			ioemu_nvme_notify(ctrl, cq->vector);
		rcu_read_unlock();
	}
	for (qid = 0; qid <= NVME_MAX_QID; qid++) {
		sq = ioemu_nvme_sq(ctrl, qid);
		if (!sq)
			continue;
		spin_lock_irq(&sq->cq->lock);
		WRITE_ONCE(sq->halt, sq->halt & ~NVME_HALT_MASTER);
		spin_unlock_irq(&sq->cq->lock);
		kthread_queue_work(sq->worker, &sq->work);
	}
}

/**
 * ioemu_nvme_sq_break() - fetch nothing any more until the controller is reset
 * @sq: submission queue whose memory, or whose doorbell, is gone
 *
 * Context: process context, ctrl->lock held.
 */
void ioemu_nvme_sq_break(struct ioemu_nvme_sq *sq)
{
	spin_lock_irq(&sq->cq->lock);
	WRITE_ONCE(sq->halt, sq->halt | NVME_HALT_BROKEN);
	spin_unlock_irq(&sq->cq->lock);
}

static void nvme_sq_remap(struct ioemu_nvme_sq *sq, struct ioemu_gmap *map)
{
	struct ioemu_nvme *ctrl = sq->ctrl;
	struct ioemu_gmap *old;
	bool run;

	if (!sq->ring.map)
		return;
	if (map && ioemu_nvme_ring_lookup(ctrl, &sq->ring, map))
		map = NULL;
	if (sq->qid)
		mutex_lock(&sq->own_lock);
	if (!map)
		ioemu_nvme_sq_break(sq);
	old = ioemu_nvme_ring_commit(ctrl, &sq->ring, map);
	/* What is parked may go on; without memory it is given up, as are steps. */
	run = sq->parked || !map;
	if (sq->qid)
		mutex_unlock(&sq->own_lock);
	ioemu_gmap_put(old);
	if (run)
		kthread_queue_work(sq->worker, &sq->work);
	if (!map)
		ioemu_nvme_fatal(ctrl, "memory of a submission queue is gone");
}

static void nvme_cq_remap(struct ioemu_nvme_cq *cq, struct ioemu_gmap *map)
{
	struct ioemu_nvme *ctrl = cq->ctrl;
	struct ioemu_gmap *old;

	if (!cq->ring.map)
		return;
	if (map && ioemu_nvme_ring_lookup(ctrl, &cq->ring, map))
		map = NULL;
	rcu_read_lock();
	spin_lock_irq(&cq->lock);
	if (!map)
		ioemu_nvme_cq_kill(cq);
	old = ioemu_nvme_ring_commit(ctrl, &cq->ring, map);
	spin_unlock_irq(&cq->lock);
	rcu_read_unlock();
	ioemu_gmap_put(old);
	if (!map)
		ioemu_nvme_fatal(ctrl, "memory of a completion queue is gone");
}

/**
 * ioemu_nvme_queues_remap() - look all rings up anew
 * @ctrl: controller
 * @map: the current map, or NULL when there is none any more
 *
 * A queue whose memory is gone does nothing until the controller is reset.
 *
 * Context: process context, ctrl->lock held; sleeps.
 */
void ioemu_nvme_queues_remap(struct ioemu_nvme *ctrl, struct ioemu_gmap *map)
{
	struct ioemu_nvme_sq *sq;
	struct ioemu_nvme_cq *cq;
	unsigned int qid;

	for (qid = 0; qid <= NVME_MAX_QID; qid++) {
		sq = ioemu_nvme_sq(ctrl, qid);
		if (sq)
			nvme_sq_remap(sq, map);
		cq = ioemu_nvme_cq(ctrl, qid);
		if (cq)
			nvme_cq_remap(cq, map);
	}
}
