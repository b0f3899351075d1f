// SPDX-License-Identifier: GPL-2.0
/*
 * Guest frames as kernel pages: the cache and its generations.
 *
 * A map is an xarray from guest frame number to page. It only grows; nothing is
 * ever taken out of it while it lives, so a lookup takes no lock and a page
 * found stays good for as long as the map is referenced. When guest memory goes
 * away, or the map is full, a new map takes its place and the old one is
 * unmapped as a whole after its last reference is gone.
 *
 * Who holds references on a map: the cache itself on the current one, every
 * queue for its rings, every request in flight, and every call that looks
 * frames up in between. Getting one costs a per-CPU increment.
 *
 * Xen keeps a frame that is mapped here allocated to the guest, so a write
 * through an old map can reach only what is, or was, that guest's own.
 *
 * Lock order: ioemu_gmap.lock is a leaf.
 */

#include <linux/delay.h>
#include <linux/error-injection.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/percpu-refcount.h>
#include <linux/rcupdate.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "dmop.h"
#include "foreign.h"
#include "guestmem.h"

/*
 * There is no new map while there are so many, or times @limit frames in them.
 * An old map lives as long as requests that use it, which takes seconds with a disk
 * that is slow or limited, and a guest that gives memory back needs a new
 * one every 2 MiB.
 */
#define GUESTMEM_MAX_MAPS	64
#define GUESTMEM_MAX_FRAMES	4

/* Between two attempts to have a new map. */
#define GUESTMEM_WAIT_MS	20

/**
 * struct ioemu_guestmem - the cache
 * @domid: domain
 * @limit: frames after which @full is called
 * @full: see ioemu_guestmem_full_t
 * @owner: argument of @full
 * @log_dirty: report writes
 * @current_map: the map for new requests; NULL when being destroyed
 * @nr_maps: maps that exist
 * @released: woken when a map is gone
 * @unmap_wq: runs the release of maps
 * @nr_mapped: frames mapped in all maps
 * @nr_lookups: frames that had to be mapped
 * @nr_batches: hypercalls that did so
 * @nr_replaced: maps replaced
 */
struct ioemu_guestmem {
	domid_t domid;
	unsigned long limit;
	ioemu_guestmem_full_t full;
	void *owner;
	bool log_dirty;
	struct ioemu_gmap __rcu *current_map;
	atomic_t nr_maps;
	wait_queue_head_t released;
	struct workqueue_struct *unmap_wq;
	atomic_long_t nr_mapped;
	atomic_long_t nr_lookups;
	atomic_long_t nr_batches;
	atomic_long_t nr_replaced;
};

/**
 * struct ioemu_gmap - one generation
 * @ref: dropped to zero after the map was replaced
 * @gm: the cache; outlives all maps
 * @pages: page by guest frame number; entries are added under @lock
 * @lock: held to map missing frames
 * @nr: frames in @pages, written under @lock
 * @full: the owner was told, under @lock
 * @release: unmaps and frees; a reference that was killed drops to zero only after a
 *           grace period, when lookups of the then current map are over
 */
struct ioemu_gmap {
	struct percpu_ref ref;
	struct ioemu_guestmem *gm;
	struct xarray pages;
	struct mutex lock;
	unsigned long nr;
	bool full;
	struct work_struct release;
};

static void gmap_unmap_batch(struct ioemu_guestmem *gm, struct page **pages,
			     unsigned int nr)
{
	ioemu_foreign_unmap(pages, nr);
	atomic_long_sub(nr, &gm->nr_mapped);
}

static void gmap_release_work(struct work_struct *work)
{
	struct ioemu_gmap *map = container_of(work, struct ioemu_gmap, release);
	struct page *batch[IOEMU_FOREIGN_BATCH];
	struct ioemu_guestmem *gm = map->gm;
	unsigned int nr = 0;
	unsigned long gfn;
	struct page *page;

	xa_for_each(&map->pages, gfn, page) {
		batch[nr++] = page;
		if (nr == ARRAY_SIZE(batch)) {
			gmap_unmap_batch(gm, batch, nr);
			nr = 0;
			cond_resched();
		}
	}
	if (nr)
		gmap_unmap_batch(gm, batch, nr);

	xa_destroy(&map->pages);
	percpu_ref_exit(&map->ref);
	mutex_destroy(&map->lock);
	kfree(map);
	/* The cache stays until its workqueue is destroyed. */
	atomic_dec(&gm->nr_maps);
	wake_up_all(&gm->released);
}

static void gmap_release(struct percpu_ref *ref)
{
	struct ioemu_gmap *map = container_of(ref, struct ioemu_gmap, ref);

	/* May be hard irq context: a request's last reference. */
	queue_work(map->gm->unmap_wq, &map->release);
}

static noinline int gmap_init_ref(struct ioemu_gmap *map)
{
	return percpu_ref_init(&map->ref, gmap_release, 0, GFP_KERNEL);
}
ALLOW_ERROR_INJECTION(gmap_init_ref, ERRNO);

static struct ioemu_gmap *gmap_create(struct ioemu_guestmem *gm)
{
	struct ioemu_gmap *map;
	int ret;

	map = kzalloc(sizeof(*map), GFP_KERNEL);
	if (!map)
		return ERR_PTR(-ENOMEM);
	ret = gmap_init_ref(map);
	if (ret) {
		kfree(map);
		return ERR_PTR(ret);
	}
	map->gm = gm;
	xa_init(&map->pages);
	mutex_init(&map->lock);
	INIT_WORK(&map->release, gmap_release_work);
	atomic_inc(&gm->nr_maps);
	return map;
}

struct ioemu_guestmem *ioemu_guestmem_create(domid_t domid, unsigned long limit,
					     ioemu_guestmem_full_t full,
					     void *owner)
{
	struct ioemu_guestmem *gm;
	struct ioemu_gmap *map;

	gm = kzalloc(sizeof(*gm), GFP_KERNEL);
	if (!gm)
		return ERR_PTR(-ENOMEM);
	gm->domid = domid;
	gm->limit = limit;
	gm->full = full;
	gm->owner = owner;
	init_waitqueue_head(&gm->released);
	gm->unmap_wq = alloc_workqueue("ioemu-unmap/%u", WQ_UNBOUND, 0, domid);
	if (!gm->unmap_wq) {
		map = ERR_PTR(-ENOMEM);
		goto err_free;
	}
	map = gmap_create(gm);
	if (IS_ERR(map))
		goto err_wq;
	RCU_INIT_POINTER(gm->current_map, map);
	return gm;

err_wq:
	destroy_workqueue(gm->unmap_wq);
err_free:
	kfree(gm);
	return ERR_CAST(map);
}

void ioemu_guestmem_destroy(struct ioemu_guestmem *gm)
{
	struct ioemu_gmap *map;

	map = rcu_replace_pointer(gm->current_map, NULL, true);
	percpu_ref_kill(&map->ref);
	wait_event(gm->released, !atomic_read(&gm->nr_maps));
	destroy_workqueue(gm->unmap_wq);
	kfree(gm);
}

struct ioemu_gmap *ioemu_guestmem_current(struct ioemu_guestmem *gm)
{
	struct ioemu_gmap *map;

	rcu_read_lock();
	do {
		/* A killed map is no longer current: look again. */
		map = rcu_dereference(gm->current_map);
	} while (map && unlikely(!percpu_ref_tryget_live_rcu(&map->ref)));
	rcu_read_unlock();
	return map;
}

static bool guestmem_has_room(struct ioemu_guestmem *gm)
{
	return atomic_read(&gm->nr_maps) < GUESTMEM_MAX_MAPS &&
	       atomic_long_read(&gm->nr_mapped) <=
	       GUESTMEM_MAX_FRAMES * gm->limit;
}

int ioemu_guestmem_replace(struct ioemu_guestmem *gm)
{
	struct ioemu_gmap *map, *old;

	if (!guestmem_has_room(gm))
		return -EAGAIN;
	map = gmap_create(gm);
	if (IS_ERR(map))
		return PTR_ERR(map);
	old = rcu_replace_pointer(gm->current_map, map, true);
	atomic_long_inc(&gm->nr_replaced);
	percpu_ref_kill(&old->ref);
	return 0;
}

void ioemu_guestmem_wait(struct ioemu_guestmem *gm, int err)
{
	if (err != -EAGAIN) {
		pr_warn_ratelimited("domain %u waits for memory\n", gm->domid);
		msleep(GUESTMEM_WAIT_MS);
	}
	/* A guest chooses how long: nothing that hangs. */
	wait_event_idle(gm->released, guestmem_has_room(gm));
}

void ioemu_guestmem_set_log_dirty(struct ioemu_guestmem *gm, bool enabled)
{
	WRITE_ONCE(gm->log_dirty, enabled);
}

void ioemu_guestmem_show(struct ioemu_guestmem *gm, struct seq_file *m)
{
	seq_printf(m, "mapped frames: %ld (limit %lu)\n",
		   atomic_long_read(&gm->nr_mapped), gm->limit);
	seq_printf(m, "map misses: %ld in %ld hypercalls\n",
		   atomic_long_read(&gm->nr_lookups),
		   atomic_long_read(&gm->nr_batches));
	seq_printf(m, "maps: %d, replaced: %ld\n", atomic_read(&gm->nr_maps),
		   atomic_long_read(&gm->nr_replaced));
}

void ioemu_gmap_get(struct ioemu_gmap *map)
{
	percpu_ref_get(&map->ref);
}

void ioemu_gmap_put(struct ioemu_gmap *map)
{
	percpu_ref_put(&map->ref);
}

static int gmap_insert(struct ioemu_gmap *map, u64 gfn, struct page *page)
{
	int ret;

	ret = xa_err(xa_store(&map->pages, gfn, page, GFP_KERNEL));
	if (ret)
		return ret;
	map->nr++;
	atomic_long_inc(&map->gm->nr_mapped);
	return 0;
}

/* Map up to a batch of distinct frames that are not in @map. */
static int gmap_map_missing(struct ioemu_gmap *map, const u64 *gfns,
			    unsigned int nr)
{
	struct page *pages[IOEMU_FOREIGN_BATCH];
	unsigned int i;
	int ret, err;

	lockdep_assert_held(&map->lock);

	ret = ioemu_foreign_map_gfns(map->gm->domid, gfns, nr, pages);
	if (ret < 0)
		return ret;
	atomic_long_inc(&map->gm->nr_batches);
	atomic_long_add(nr, &map->gm->nr_lookups);
	err = ret == nr ? 0 : -EFAULT;

	for (i = 0; i < nr; i++) {
		if (!pages[i])
			continue;
		ret = gmap_insert(map, gfns[i], pages[i]);
		if (ret) {
			ioemu_foreign_unmap(&pages[i], 1);
			err = ret;
		}
	}
	return err;
}

static bool gfn_in(const u64 *gfns, unsigned int nr, u64 gfn)
{
	while (nr--)
		if (gfns[nr] == gfn)
			return true;
	return false;
}

static int gmap_fill(struct ioemu_gmap *map, const u64 *gfns, unsigned int nr)
{
	u64 missing[IOEMU_FOREIGN_BATCH];
	unsigned int i, nr_missing = 0;
	int ret = 0;

	mutex_lock(&map->lock);
	/* A guest cannot make dom0's memory the price of its wild addresses. */
	if (map->nr > 2 * map->gm->limit) {
		ret = -EAGAIN;
		goto out_unlock;
	}
	for (i = 0; i < nr && !ret; i++) {
		if (!xa_load(&map->pages, gfns[i]) &&
		    !gfn_in(missing, nr_missing, gfns[i]))
			missing[nr_missing++] = gfns[i];
		if (nr_missing == ARRAY_SIZE(missing)) {
			ret = gmap_map_missing(map, missing, nr_missing);
			nr_missing = 0;
		}
	}
	if (nr_missing && !ret)
		ret = gmap_map_missing(map, missing, nr_missing);
	if (map->nr > map->gm->limit && !map->full) {
		map->full = true;
		map->gm->full(map->gm->owner);
	}
out_unlock:
	mutex_unlock(&map->lock);
	return ret;
}

int ioemu_gmap_pages(struct ioemu_gmap *map, const u64 *gfns, unsigned int nr,
		     struct page **pages)
{
	unsigned int i;
	int ret;

	for (i = 0; i < nr; i++) {
		pages[i] = xa_load(&map->pages, gfns[i]);
		if (likely(pages[i]))
			continue;
		ret = gmap_fill(map, gfns + i, nr - i);
		if (ret)
			return ret;
		pages[i] = xa_load(&map->pages, gfns[i]);
	}
	return 0;
}

static int gmap_mark_dirty(struct ioemu_gmap *map, u64 gfn, unsigned int nr)
{
	struct xen_dmop_extent extent = { .nr = nr, .first_pfn = gfn };
	struct xen_dmop op = {
		.op = XEN_DMOP_MODIFIED_MEMORY,
		.u.modified.nr_extents = 1,
	};
	struct xen_dm_op_buf bufs[2];

	set_xen_guest_handle(bufs[0].h, &op);
	bufs[0].size = sizeof(op);
	set_xen_guest_handle(bufs[1].h, &extent);
	bufs[1].size = sizeof(extent);
	return HYPERVISOR_dm_op(map->gm->domid, ARRAY_SIZE(bufs), bufs);
}

void ioemu_gmap_dirty(struct ioemu_gmap *map, u64 gfn, unsigned int nr)
{
	if (likely(!READ_ONCE(map->gm->log_dirty)))
		return;

	/*
	 * A frame that is gone needs no marking. But Xen refuses an extent as a
	 * whole when it ends with the guest's last frame, which it takes to be
	 * beyond the end: that frame cannot be marked, those before it can.
	 */
	if (gmap_mark_dirty(map, gfn, nr) == -EINVAL && nr > 1)
		while (nr--)
			gmap_mark_dirty(map, gfn++, 1);
}
