// SPDX-License-Identifier: GPL-2.0
/*
 * Shadow doorbells, sections 5.7 and 7.13: two pages of guest memory. The guest
 * writes doorbells to one, and rings the real one only if that crosses the event
 * index which the controller keeps in the other. Entry 2 * qid is the tail of
 * submission queue qid, entry 2 * qid + 1 the head of completion queue qid. The
 * admin queues are not part of it.
 *
 * Submission queues: the event index lags while the thread runs and is set to
 * the head before it sleeps (nvme_sq_may_sleep()). Completion queues: the head
 * matters only once the ring looks full, so the event index lags until then
 * (nvme_cq_full_slow()). The legacy interrupt pin needs to know it always
 * (ioemu_nvme_irq_update()).
 *
 * A queue's pointers into the pages change under sq->run_lock or cq->lock, like
 * everything that the queue keeps of guest memory. The maps are put after all
 * queues have been switched over.
 */
#include <ioemu/guestmem.h>

#include "nvme.h"

static __le32 *nvme_dbbuf_entry(const struct ioemu_nvme_ring *page,
				unsigned int index)
{
	return page->map ? (__le32 *)page->pages[0] + index : NULL;
}

static void nvme_dbbuf_point_sq(struct ioemu_nvme_sq *sq)
{
	struct ioemu_nvme *ctrl = sq->ctrl;

	sq->shadow_tail = nvme_dbbuf_entry(&ctrl->dbbuf_shadow, 2 * sq->qid);
	sq->event_idx = nvme_dbbuf_entry(&ctrl->dbbuf_event, 2 * sq->qid);
}

static void nvme_dbbuf_point_cq(struct ioemu_nvme_cq *cq)
{
	struct ioemu_nvme *ctrl = cq->ctrl;

	cq->shadow_head = nvme_dbbuf_entry(&ctrl->dbbuf_shadow,
					   2 * cq->qid + 1);
	cq->event_idx = nvme_dbbuf_entry(&ctrl->dbbuf_event, 2 * cq->qid + 1);
}

/**
 * ioemu_nvme_dbbuf_attach_sq() - start using a queue's shadow doorbell
 * @sq: an I/O queue, or any queue while there are no shadow doorbells
 *
 * The shadow may hold anything, for example what an earlier queue of that number
 * left: it is set to what the real doorbell said last.
 *
 * Context: process context, ctrl->lock held; sq->run_lock held or @sq not
 * published yet.
 */
void ioemu_nvme_dbbuf_attach_sq(struct ioemu_nvme_sq *sq)
{
	if (!sq->qid || !sq->ctrl->dbbuf_on)
		return;
	/* Other pages: the real doorbell is as old as the first ones. */
	WRITE_ONCE(sq->tail, ioemu_nvme_sq_tail(sq));
	nvme_dbbuf_point_sq(sq);
	if (!sq->shadow_tail)
		return;
	WRITE_ONCE(*sq->event_idx, cpu_to_le32(sq->head));
	WRITE_ONCE(*sq->shadow_tail, cpu_to_le32(READ_ONCE(sq->tail)));
}

/**
 * ioemu_nvme_dbbuf_attach_cq() - likewise for a completion queue
 * @cq: an I/O queue, or any queue while there are no shadow doorbells
 *
 * Context: process context, ctrl->lock held; cq->lock held or @cq not published
 * yet.
 */
void ioemu_nvme_dbbuf_attach_cq(struct ioemu_nvme_cq *cq)
{
	if (!cq->qid || !cq->ctrl->dbbuf_on)
		return;
	if (cq->shadow_head)
		ioemu_nvme_cq_look(cq);
	nvme_dbbuf_point_cq(cq);
	if (!cq->shadow_head)
		return;
	WRITE_ONCE(*cq->event_idx, cpu_to_le32(cq->head));
	WRITE_ONCE(*cq->shadow_head, cpu_to_le32(cq->head));
}

static void nvme_dbbuf_dirty(struct ioemu_nvme *ctrl)
{
	if (ctrl->dbbuf_shadow.map)
		ioemu_gmap_dirty(ctrl->dbbuf_shadow.map,
				 ctrl->dbbuf_shadow.gfn, 1);
	if (ctrl->dbbuf_event.map)
		ioemu_gmap_dirty(ctrl->dbbuf_event.map,
				 ctrl->dbbuf_event.gfn, 1);
}

/**
 * ioemu_nvme_dbbuf_written() - an event index was written
 * @ctrl: controller
 *
 * Context: any, under the lock of the queue whose event index it was: the map
 * stays until that queue has been switched over to another one.
 */
void ioemu_nvme_dbbuf_written(struct ioemu_nvme *ctrl)
{
	struct ioemu_gmap *map = READ_ONCE(ctrl->dbbuf_event.map);

	if (map)
		ioemu_gmap_dirty(map, ctrl->dbbuf_event.gfn, 1);
}

/*
 * All I/O queues follow the pages; @attach: for the first time. Where the pages
 * are gone nobody knows any more which commands are new.
 */
static void nvme_dbbuf_all_queues(struct ioemu_nvme *ctrl, bool attach)
{
	struct ioemu_nvme_sq *sq;
	struct ioemu_nvme_cq *cq;
	unsigned int qid;

	for (qid = 1; qid <= NVME_MAX_QID; qid++) {
		sq = ioemu_nvme_sq(ctrl, qid);
		if (sq) {
			mutex_lock(&sq->own_lock);
			if (!ctrl->dbbuf_shadow.map)
				ioemu_nvme_sq_break(sq);
			if (attach)
				ioemu_nvme_dbbuf_attach_sq(sq);
			else
				nvme_dbbuf_point_sq(sq);
			mutex_unlock(&sq->own_lock);
			/* It asks for a doorbell when it has nothing to do. */
			kthread_queue_work(sq->worker, &sq->work);
		}
		cq = ioemu_nvme_cq(ctrl, qid);
		if (cq) {
			spin_lock_irq(&cq->lock);
			if (attach)
				ioemu_nvme_dbbuf_attach_cq(cq);
			else
				nvme_dbbuf_point_cq(cq);
			spin_unlock_irq(&cq->lock);
		}
	}
	nvme_dbbuf_dirty(ctrl);
}

/**
 * ioemu_nvme_dbbuf_config() - the Doorbell Buffer Config command
 * @req: request
 *
 * Context: the controller's thread, ctrl->lock held.
 * Return: status, or NVME_PARK.
 */
u16 ioemu_nvme_dbbuf_config(struct ioemu_nvme_req *req)
{
	struct ioemu_nvme *ctrl = req->sq->ctrl;
	const struct nvme_sqe *sqe = &req->sq->scratch->sqe;
	u64 prp1 = le64_to_cpu(sqe->prp1), prp2 = le64_to_cpu(sqe->prp2);
	struct ioemu_nvme_ring shadow = {}, event = {};
	struct ioemu_nvme_ring old_shadow, old_event;
	int err;

	if ((prp1 | prp2) & NVME_PAGE_MASK)
		return ioemu_nvme_dnr(NVME_SC_PRP_OFFSET);
	if (prp1 == prp2)
		return ioemu_nvme_dnr(NVME_SC_INVALID_FIELD);
	err = ioemu_nvme_ring_init(ctrl, &shadow, prp1, NVME_PAGE_SIZE);
	if (err)
		return ioemu_nvme_map_status(err);
	err = ioemu_nvme_ring_init(ctrl, &event, prp2, NVME_PAGE_SIZE);
	if (err) {
		ioemu_nvme_ring_free(&shadow);
		return ioemu_nvme_map_status(err);
	}

	old_shadow = ctrl->dbbuf_shadow;
	old_event = ctrl->dbbuf_event;
	ctrl->dbbuf_shadow = shadow;
	ctrl->dbbuf_event = event;
	ctrl->dbbuf_on = true;
	nvme_dbbuf_all_queues(ctrl, true);
	ioemu_nvme_ring_free(&old_shadow);
	ioemu_nvme_ring_free(&old_event);
	return NVME_SC_SUCCESS;
}

/* Look one page up anew; returns the map that it was in until now. */
static struct ioemu_gmap *nvme_dbbuf_move(struct ioemu_nvme *ctrl,
					  struct ioemu_nvme_ring *page,
					  struct ioemu_gmap *map)
{
	if (!page->map)
		map = NULL;
	if (map && ioemu_nvme_ring_lookup(ctrl, page, map))
		map = NULL;
	return ioemu_nvme_ring_commit(ctrl, page, map);
}

/**
 * ioemu_nvme_dbbuf_remap() - guest memory changed
 * @ctrl: controller
 * @map: the current map, or NULL when there is none any more
 *
 * Context: process context, ctrl->lock held.
 */
void ioemu_nvme_dbbuf_remap(struct ioemu_nvme *ctrl, struct ioemu_gmap *map)
{
	struct ioemu_gmap *old_shadow, *old_event;

	if (!ctrl->dbbuf_on)
		return;
	old_shadow = nvme_dbbuf_move(ctrl, &ctrl->dbbuf_shadow, map);
	old_event = nvme_dbbuf_move(ctrl, &ctrl->dbbuf_event, map);
	if (!ctrl->dbbuf_shadow.map || !ctrl->dbbuf_event.map) {
		if (ctrl->dbbuf_shadow.map)
			ioemu_gmap_put(ctrl->dbbuf_shadow.map);
		if (ctrl->dbbuf_event.map)
			ioemu_gmap_put(ctrl->dbbuf_event.map);
		ctrl->dbbuf_shadow.map = NULL;
		ctrl->dbbuf_event.map = NULL;
		ioemu_nvme_fatal(ctrl, "memory of the doorbells is gone");
	}
	nvme_dbbuf_all_queues(ctrl, false);
	if (old_shadow)
		ioemu_gmap_put(old_shadow);
	if (old_event)
		ioemu_gmap_put(old_event);
}

/**
 * ioemu_nvme_dbbuf_off() - no shadow doorbells any more
 * @ctrl: controller without queues
 *
 * Context: process context, ctrl->lock held.
 */
void ioemu_nvme_dbbuf_off(struct ioemu_nvme *ctrl)
{
	ctrl->dbbuf_on = false;
	ioemu_nvme_ring_free(&ctrl->dbbuf_shadow);
	ioemu_nvme_ring_free(&ctrl->dbbuf_event);
}
