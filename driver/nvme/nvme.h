/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The NVMe controller's own structures.
 *
 * Duties
 *   model.c     what the core calls: create, start, stop, ...
 *   regs.c      BAR 0: registers and doorbells, in any context
 *   ns.c        namespaces that come, go and change
 *   ctrl.c      enable, reset, shutdown; memory changes
 *   irq.c       interrupts in their three forms
 *   queue.c     making and removing queues, rings in guest memory
 *   engine.c    fetching commands, posting completions
 *   admin.c     admin commands; identify.c, features.c, log.c, event.c: parts
 *   io.c        I/O commands
 *   prp.c, sgl.c  where a command's data is
 *   dbbuf.c     shadow doorbells
 *
 * Contexts
 *   A submission queue is served by one kernel thread, the admin queue by the
 *   controller's thread. Doorbells arrive in hard irq and only store a value and
 *   queue the thread's work. Disk completions arrive in any context.
 *
 * Lock order
 *   ctrl->lock -> sq->own_lock -> cq->lock -> the thread's queue lock
 *   ctrl->irq_lock, ctrl->reg_lock, ctrl->event_lock and ctrl->log_lock are
 *   innermost; none is taken within another.
 *   PCI's locks are outside of ctrl->lock (its callbacks take it), therefore
 *   ioemu_pci_add() and ioemu_pci_remove() are called without ctrl->lock.
 *
 * Lifetime
 *   ctrl->sqs[] and ctrl->cqs[] change under ctrl->lock and are read under RCU
 *   by doorbells. A queue is published when it is whole. To remove a submission
 *   queue: unpublish, halt, wait until each request that was taken was given
 *   back, synchronize_rcu(), stop the thread, free. Whoever gives a request back
 *   from outside of the thread does so within an RCU read section that also
 *   covers the interrupt it sends afterwards; hence nothing of the queue, the
 *   controller or the domain is in use after that. A completion queue outlives
 *   its submission queues.
 *
 * Requests
 *   A request is on exactly one list or in one place: sq->free (thread), the
 *   disk, sq->done (thread: finished within a batch), sq->cont (has more steps
 *   to run in the thread), sq->parked, cq->wait (the ring is full), sq->freed,
 *   or, for Asynchronous Event Requests, ctrl->aers[]. It leaves through
 *   ioemu_nvme_complete() and only there.
 */
#ifndef _IOEMU_NVME_H
#define _IOEMU_NVME_H

#include <linux/bio.h>
#include <linux/bitmap.h>
#include <linux/cache.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

#include <ioemu/disk.h>
#include <ioemu/model.h>
#include <ioemu/pci.h>

#include "spec.h"

struct ioemu_gmap;
struct ioemu_nvme;
struct ioemu_nvme_cq;
struct ioemu_nvme_sq;
struct page;

#define NVME_MAX_QID		64	/* I/O queue pairs */
#define NVME_MAX_ENTRIES	1024	/* of an I/O queue */
#define NVME_MAX_RING_PAGES	64	/* 4096 admin commands */
#define NVME_MDTS		7
#define NVME_MAX_BYTES		(NVME_PAGE_SIZE << NVME_MDTS)
#define NVME_MAX_SEGS		512	/* pieces of a command's data */
#define NVME_INLINE_SEGS	9	/* 32 KiB at any offset */
#define NVME_MAX_REQS		256	/* in flight in one queue */
#define NVME_MAX_BIGS		32	/* of them with more than NVME_INLINE_SEGS */
#define NVME_BATCH		64	/* commands until another work may run */
#define NVME_MAX_AERS		8
#define NVME_ERROR_ENTRIES	64

/*
 * The Xen project's vendor identifier. No guest driver knows the device
 * identifier, so that drivers bind by class and apply no quirks. It is in the
 * part of the range for the community's own use and not registered yet.
 */
#define NVME_PCI_VENDOR		0x5853
#define NVME_PCI_DEVICE		0x0e00
#define NVME_PCI_CLASS		0x010802

#define NVME_MODEL		"Xen ioemu NVMe"
#define NVME_FIRMWARE		"1.0     "	/* padded, no NUL on the wire */

/* Kelvin. There is nothing to measure. */
#define NVME_TEMPERATURE	303
#define NVME_WARNING_TEMP	343
#define NVME_CRITICAL_TEMP	353

#define NVME_NR_VECTORS		(NVME_MAX_QID + 1)
#define NVME_BAR_SIZE		0x4000
#define NVME_MSIX_OFFSET	0x2000

/**
 * struct ioemu_nvme_big - room for a command with much data
 * @next: free list of the submission queue's thread
 * @gfns: guest frame of each piece
 * @vecs: pieces
 * @ranges: or the ranges of a Dataset Management command
 */
struct ioemu_nvme_big {
	struct ioemu_nvme_big *next;
	u64 gfns[NVME_MAX_SEGS];
	union {
		struct bio_vec vecs[NVME_MAX_SEGS];
		struct nvme_dsm_range ranges[NVME_DSM_MAX_RANGES];
	};
};

/**
 * struct ioemu_nvme_req - a command between fetch and completion
 * @io: the disk's part
 * @next: link in the one list that it is in
 * @sq: its queue, fixed
 * @map: holds the pages of @vecs; a reference, or NULL
 * @vecs: the data, &inline_vecs or those of @big
 * @gfns: guest frame of each of @vecs
 * @nr_vecs: used entries
 * @dirty: @vecs are written by us
 * @out: debug builds: fetched and not completed yet
 * @cid: command identifier
 * @opcode: opcode
 * @status: status field without phase, once finished
 * @result: completion dword 0
 * @nsid: namespace, for the error log
 * @slba: first block, for the error log
 * @step: called in the thread after each disk request instead of completing
 * @step_ns: namespace that the steps work on
 * @step_index: progress of @step
 * @step_count: end of @step
 * @step_done: progress within one step
 * @step_flags: command dword 12, for @step
 * @big: large room that it has, or NULL
 * @inline_gfns: for few pieces
 * @inline_vecs: for few pieces
 */
struct ioemu_nvme_req {
	struct ioemu_disk_io io;
	struct ioemu_nvme_req *next;
	struct ioemu_nvme_sq *sq;
	struct ioemu_gmap *map;
	struct bio_vec *vecs;
	u64 *gfns;
	u16 nr_vecs;
	bool dirty;
#ifdef IOEMU_DEBUG
	bool out;
#endif
	u8 opcode;
	u16 cid;
	u16 status;
	u32 result;
	u32 nsid;
	u64 slba;
	void (*step)(struct ioemu_nvme_req *req);
	struct ioemu_nvme_ns *step_ns;
	u32 step_index;
	u32 step_count;
	u64 step_done;
	u32 step_flags;
	struct ioemu_nvme_big *big;
	u64 inline_gfns[NVME_INLINE_SEGS];
	struct bio_vec inline_vecs[NVME_INLINE_SEGS];
} ____cacheline_aligned_in_smp;

/**
 * struct ioemu_nvme_ring - a queue's memory, or one page of it
 * @map: reference that keeps @pages, NULL when the memory is gone
 * @gfn: first guest frame
 * @nr_pages: frames
 * @pages: kernel's addresses of them
 */
struct ioemu_nvme_ring {
	struct ioemu_gmap *map;
	u64 gfn;
	unsigned int nr_pages;
	void **pages;
};

/**
 * struct ioemu_nvme_seg - a piece of guest memory within one frame
 * @gfn: guest frame
 * @offset: first byte in it
 * @len: bytes
 */
struct ioemu_nvme_seg {
	u64 gfn;
	u32 offset;
	u32 len;
};

/**
 * struct ioemu_nvme_scratch - a submission queue's working memory
 * @sqe: copy of the command that is being executed, or of the parked one
 * @list: copy of one piece of a PRP list
 * @sgls: copy of one piece of an SGL segment
 * @segs: what an SGL comes to
 * @pages: lookups
 *
 * Under sq->run_lock.
 */
struct ioemu_nvme_scratch {
	struct nvme_sqe sqe;
	union {
		__le64 list[NVME_PAGE_SIZE / sizeof(__le64)];
		struct nvme_sgl sgls[64];
	};
	struct ioemu_nvme_seg segs[NVME_MAX_SEGS];
	struct page *pages[NVME_MAX_SEGS];
};

/* Why a submission queue does not fetch; &ioemu_nvme_sq.halt, under cq->lock */
#define NVME_HALT_REMOVED	0x1	/* being deleted, or the controller reset */
#define NVME_HALT_MASTER	0x2	/* bus mastering is off */
#define NVME_HALT_BROKEN	0x4	/* its memory, or its doorbell, is gone */

/**
 * struct ioemu_nvme_sq_stats - counters, written by the queue's thread
 * @commands: fetched
 * @reads: Read commands
 * @writes: Write commands
 * @read_blocks: 512-byte units read
 * @write_blocks: 512-byte units written
 * @batches: runs that fetched something
 * @starved: runs that ended for want of a free request, a large room or a map
 * @polled: reads and writes whose end the thread looked for
 */
struct ioemu_nvme_sq_stats {
	u64 commands;
	u64 reads;
	u64 writes;
	u64 read_blocks;
	u64 write_blocks;
	u64 batches;
	u64 starved;
	u64 polled;
};

/**
 * struct ioemu_nvme_pace - when a queue's thread waits; see pace.c
 * @asleep: when the thread last went to sleep until a doorbell; 0 while it runs
 * @gap_ns: after a doorbell: how long it slept; otherwise 0
 * @wake_ns: from a doorbell to the thread, on average
 * @batch: commands that were there when the thread last looked
 * @poll_ns: how long to look for commands before asking for a doorbell
 * @nap_ns: how long to sleep instead
 * @nap_shift: how fast to shorten that
 * @nap_misses: naps in a row after which there was no command
 * @napped: the commands were waited for by a nap
 * @gather_skip: runs until it is worth while again to wait for company
 * @gather_backoff: how many runs to skip after the next failure
 * @gather_credit: failures before that
 * @polls: commands came while looking
 * @naps: commands came during a nap
 * @gathers: waits for company that were worth it
 *
 * The queue's thread's own.
 */
struct ioemu_nvme_pace {
	u64 asleep;
	u32 gap_ns;
	u32 wake_ns;
	u32 batch;
	u32 poll_ns;
	u32 nap_ns;
	u8 nap_shift;
	u8 nap_misses;
	bool napped;
	u32 gather_skip;
	u32 gather_backoff;
	u32 gather_credit;
	u64 polls;
	u64 naps;
	u64 gathers;
};

/**
 * struct ioemu_nvme_sq - a submission queue
 * @ctrl: its controller
 * @cq: where its completions go; one of cq->nr_sqs
 * @run_lock: &own_lock, or &ctrl->lock for the admin queue: held by the thread
 *            over a batch; guards what says so
 * @worker: its thread's worker; the controller's for the admin queue
 * @task: its thread
 * @size: entries
 * @qid: identifier
 * @nr_reqs: entries of @reqs
 * @reqs: all requests
 * @bigs_mem: all large rooms
 * @scratch: working memory of the thread
 * @ring: the commands; @run_lock
 * @shadow_tail: doorbell in guest memory or NULL; @run_lock
 * @event_idx: tail at which the guest rings again; @run_lock
 * @halt: NVME_HALT_*; written under cq->lock
 * @tail: last doorbell; written by doorbells
 * @doorbells: how many of them
 * @rung: when the last one was
 * @work: runs the queue
 * @head: next entry to fetch; written by the thread, read by completions
 * @free: free requests; @run_lock
 * @bigs: free large rooms; @run_lock
 * @done: finished within this batch, oldest first; @run_lock
 * @done_tail: its end; @run_lock
 * @parked: waits for a large room or another map, its command is in scratch;
 *          @run_lock
 * @wants_big: it waits for a large room; @run_lock
 * @nr_taken: requests ever taken from @free; @run_lock
 * @seen_rung: the doorbell that was accounted; @run_lock
 * @fetch_ns: how long the thread took from it; @run_lock
 * @fetch_new: that is to be accounted with the next command; @run_lock
 * @watching: the thread is one of cq->watchers; @run_lock
 * @polled_next: request to look after next; @run_lock
 * @polled_ns: since when it has looked in vain, or 0; @run_lock
 * @polled: requests by index that the thread has to look after until they are done
 * @stats: counters
 * @pace: when the thread waits; @run_lock
 * @own_lock: see @run_lock
 * @freed: given back by completions; cq->lock
 * @cont: have another step to run; cq->lock
 * @nr_freed: requests ever given back; cq->lock
 * @nr_waiting: requests in cq->wait; cq->lock
 * @errors: completions with an error; cq->lock
 * @starved: the thread wants to run when something is given back; cq->lock
 * @draining: someone waits on ctrl->drain_wq for requests; cq->lock
 */
struct ioemu_nvme_sq {
	struct ioemu_nvme *ctrl;
	struct ioemu_nvme_cq *cq;
	struct mutex *run_lock;
	struct kthread_worker *worker;
	struct task_struct *task;
	u32 size;
	u16 qid;
	u16 nr_reqs;
	struct ioemu_nvme_req *reqs;
	struct ioemu_nvme_big *bigs_mem;
	struct ioemu_nvme_scratch *scratch;
	struct ioemu_nvme_ring ring;
	__le32 *shadow_tail;
	__le32 *event_idx;
	unsigned int halt;

	u32 tail ____cacheline_aligned_in_smp;
	u64 doorbells;
	u64 rung;
	struct kthread_work work;

	u32 head ____cacheline_aligned_in_smp;
	u32 nr_taken;
	struct ioemu_nvme_req *free;
	struct ioemu_nvme_big *bigs;
	struct ioemu_nvme_req *done;
	struct ioemu_nvme_req *done_tail;
	struct ioemu_nvme_req *parked;
	bool wants_big;
	u64 seen_rung;
	u64 fetch_ns;
	bool fetch_new;
	bool watching;
	u32 polled_next;
	u64 polled_ns;
	DECLARE_BITMAP(polled, NVME_MAX_REQS);
	struct ioemu_nvme_sq_stats stats;
	struct ioemu_nvme_pace pace;
	struct mutex own_lock;

	struct ioemu_nvme_req *freed ____cacheline_aligned_in_smp;
	struct ioemu_nvme_req *cont;
	u32 nr_freed;
	u32 nr_waiting;
	u64 errors;
	bool starved;
	bool draining;
};

/**
 * struct ioemu_nvme_cq - a completion queue
 * @ctrl: its controller
 * @size: entries
 * @qid: identifier
 * @vector: interrupt vector
 * @ien: interrupts enabled
 * @nr_sqs: submission queues that use it; ctrl->lock
 * @lock: guards all that follows
 * @dead: nothing is posted any more, requests are given back at once
 * @stalled: bus mastering is off, requests wait
 * @head: next entry that the guest has not consumed
 * @tail: next entry to post
 * @phase: phase tag of the entry at @tail
 * @wait: requests that found the ring full, oldest first
 * @wait_tail: its end
 * @shadow_head: doorbell in guest memory or NULL
 * @event_idx: head at which the guest rings again
 * @ring: the entries
 * @posted: entries posted
 * @full: times that a request had to wait
 * @doorbells: head doorbells
 * @interrupts: asked for
 * @told: @posted when the last of them was asked for
 * @held: entries posted without an interrupt since
 * @deferred: entries ever that no interrupt was asked for at once, unasked
 * @watchers: threads of submission queues that look after @held
 * @timer: ends the wait for more of them
 */
struct ioemu_nvme_cq {
	struct ioemu_nvme *ctrl;
	u32 size;
	u16 qid;
	u16 vector;
	bool ien;
	unsigned int nr_sqs;

	spinlock_t lock ____cacheline_aligned_in_smp;
	bool dead;
	bool stalled;
	u16 phase;
	u32 head;
	u32 tail;
	struct ioemu_nvme_req *wait;
	struct ioemu_nvme_req *wait_tail;
	__le32 *shadow_head;
	__le32 *event_idx;
	struct ioemu_nvme_ring ring;
	u64 posted;
	u64 full;
	u64 doorbells;
	u64 interrupts;
	u64 told;
	u32 held;
	u32 watchers;
	u64 deferred;
	struct hrtimer timer;
};

/**
 * struct ioemu_nvme_ns - a namespace
 * @disk: its disk, NULL for an inactive namespace; changes under ctrl->lock, and
 *        away from a disk only between batches of all queues
 * @nsze: blocks; written by disk_changed
 * @block_shift: log2 of the block size
 * @read_only: writes are refused
 * @uuid: stable identifier, see ioemu_nvme_ns_identity()
 * @nguid: likewise
 * @eui64: likewise
 * @error_recovery: feature 05h; ctrl->lock
 */
struct ioemu_nvme_ns {
	struct ioemu_disk *disk;
	u64 nsze;
	unsigned int block_shift;
	bool read_only;
	u8 uuid[16];
	u8 nguid[16];
	u8 eui64[8];
	u32 error_recovery;
};

/**
 * struct ioemu_nvme_features - what Set Features set; ctrl->lock
 * @arbitration: feature 01h, kept and not used
 * @power: feature 02h
 * @temp_over: feature 04h, Kelvin
 * @temp_under: likewise
 * @irq_coalescing: feature 08h
 * @write_atomicity: feature 0Ah, kept and not used
 * @async_event: feature 0Bh, which events are wanted
 * @irq_no_coalescing: feature 09h by vector
 */
struct ioemu_nvme_features {
	u32 arbitration;
	u32 power;
	u32 temp_over;
	u32 temp_under;
	u32 irq_coalescing;
	u32 write_atomicity;
	u32 async_event;
	DECLARE_BITMAP(irq_no_coalescing, NVME_NR_VECTORS);
};

/* ctrl->state; ctrl->lock */
enum ioemu_nvme_state {
	NVME_STATE_DISABLED,	/* no queues; CSTS.RDY and CFS clear */
	NVME_STATE_ENABLED,	/* admin queue exists; CSTS.RDY set */
	NVME_STATE_FAILED,	/* enabling failed; CSTS.CFS set, no queues */
	NVME_STATE_GONE,	/* taken from the guest for good; no queues */
};

/* ctrl->requests; ctrl->reg_lock */
#define NVME_REQ_RESET		0x1	/* CC.EN was cleared */
#define NVME_REQ_SHUTDOWN	0x2	/* CC.SHN was set */
#define NVME_REQ_GONE		0x4	/* the function was removed */
#define NVME_REQ_MASTER		0x8	/* bus mastering was switched */

/**
 * struct ioemu_nvme - a controller
 * @base: what the core sees
 * @pci: the PCI function
 * @vm: domain
 * @slot: PCI device number
 * @nn: highest namespace identifier ever; written under @lock
 * @force_fua: the guest switched the write cache off; feature 06h
 * @ns: namespaces by identifier - 1
 * @sqs: submission queues; RCU, ctrl->lock
 * @cqs: completion queues; RCU, ctrl->lock
 * @worker: the controller's thread
 * @work: brings @state to what the registers ask for
 * @drain_wq: waiting for requests to come back
 * @serial: of the controller
 * @exits: counters that outlive the queues
 *
 * @lock: serialises everything in process context that is not the data path
 * @master: bus mastering is on; moves in the controller's thread only
 * @state: see the states
 * @features: see there
 * @aers: parked Asynchronous Event Requests
 * @nr_aers: used entries
 * @changed_ns: bits of namespaces for log page 04h
 * @dbbuf_on: Doorbell Buffer Config was done since the last reset
 * @dbbuf_shadow: page of shadow doorbells
 * @dbbuf_event: page of event indexes
 * @past: counters of queues that are gone
 * @lookup_gfns: scratch of ring lookups
 * @lookup_pages: likewise
 * @buffer: a page for the data of admin commands
 * @created: time of creation, seconds
 * @resets: how often the controller was disabled
 *
 * @reg_lock: guards the registers, @requests and @want_master
 * @requests: what @work has to do, see NVME_REQ_*
 * @want_master: what @master is to be
 * @intms: interrupt mask
 * @cc: controller configuration
 * @csts: controller status
 * @aqa: sizes of the admin queues
 * @asq: where the admin submission queue is
 * @acq: where the admin completion queue is
 *
 * @irq_lock: guards @intx_wish and orders changes of the pin
 * @intx_wish: last value given to ioemu_pci_set_intx()
 *
 * @event_lock: guards the three that follow
 * @events_pending: types of events to report
 * @events_masked: types whose log page has to be read first
 * @event_info: completion dword 0 by type
 *
 * @log_lock: guards the three that follow
 * @error_count: entries ever made
 * @media_errors: of them with a media error
 * @error_log: the last ones, by count
 */
struct ioemu_nvme {
	struct ioemu_controller base;
	struct ioemu_pci pci;
	struct ioemu_vm *vm;
	unsigned int slot;
	u32 nn;
	bool force_fua;
	struct ioemu_nvme_ns ns[IOEMU_MAX_DISKS];
	struct ioemu_nvme_sq __rcu *sqs[NVME_MAX_QID + 1];
	struct ioemu_nvme_cq __rcu *cqs[NVME_MAX_QID + 1];
	struct kthread_worker *worker;
	struct kthread_work work;
	wait_queue_head_t drain_wq;
	char serial[21];
	struct ioemu_exits __percpu *exits;

	struct mutex lock;
	bool master;
	enum ioemu_nvme_state state;
	struct ioemu_nvme_features features;
	struct ioemu_nvme_req *aers[NVME_MAX_AERS];
	unsigned int nr_aers;
	DECLARE_BITMAP(changed_ns, IOEMU_MAX_DISKS);
	bool dbbuf_on;
	struct ioemu_nvme_ring dbbuf_shadow;
	struct ioemu_nvme_ring dbbuf_event;
	struct ioemu_nvme_sq_stats past;
	u64 lookup_gfns[NVME_MAX_RING_PAGES];
	struct page *lookup_pages[NVME_MAX_RING_PAGES];
	void *buffer;
	time64_t created;
	u64 resets;

	spinlock_t reg_lock;
	unsigned int requests;
	bool want_master;
	u32 intms;
	u32 cc;
	u32 csts;
	u32 aqa;
	u64 asq;
	u64 acq;

	spinlock_t irq_lock;
	bool intx_wish;

	spinlock_t event_lock;
	unsigned int events_pending;
	unsigned int events_masked;
	u32 event_info[NVME_AER_TYPES];

	spinlock_t log_lock;
	u64 error_count;
	u64 media_errors;
	struct nvme_error_entry error_log[NVME_ERROR_ENTRIES];
};

static inline struct ioemu_nvme *ioemu_nvme_from_pci(struct ioemu_pci *pci)
{
	return container_of(pci, struct ioemu_nvme, pci);
}

/* Queues, to callers that hold ctrl->lock. */
static inline struct ioemu_nvme_sq *ioemu_nvme_sq(struct ioemu_nvme *ctrl,
						  unsigned int qid)
{
	return rcu_dereference_protected(ctrl->sqs[qid],
					 lockdep_is_held(&ctrl->lock));
}

static inline struct ioemu_nvme_cq *ioemu_nvme_cq(struct ioemu_nvme *ctrl,
						  unsigned int qid)
{
	return rcu_dereference_protected(ctrl->cqs[qid],
					 lockdep_is_held(&ctrl->lock));
}

/**
 * ioemu_nvme_dnr() - an error that a retry does not cure
 * @status: status code and type
 */
static inline u16 ioemu_nvme_dnr(u16 status)
{
	return status | NVME_SC_DNR;
}

/*
 * What executing a command returns instead of the status to complete it with.
 * NVME_PENDING: it completes by itself, perhaps did so; do not touch it.
 * NVME_PARK: no large room is free, or the map of guest memory is full: execute it
 * again later.
 */
#define NVME_PENDING		0xfffe
#define NVME_PARK		0xffff

/*
 * Debug builds (make IOEMU_DEBUG=y) keep accounts: each command that is fetched
 * completes, and once.
 */
#ifdef IOEMU_DEBUG
static inline void ioemu_nvme_account_fetch(struct ioemu_nvme_req *req)
{
	WARN_ON(xchg(&req->out, true));
}

static inline void ioemu_nvme_account_complete(struct ioemu_nvme_req *req)
{
	WARN_ON(!xchg(&req->out, false));
}

static inline void ioemu_nvme_account_end(const struct ioemu_nvme_sq *sq)
{
	/* Parked event requests end with the admin queue. */
	WARN_ON(sq->qid && sq->nr_taken != sq->nr_freed);
}
#else
static inline void ioemu_nvme_account_fetch(struct ioemu_nvme_req *req) {}
static inline void ioemu_nvme_account_complete(struct ioemu_nvme_req *req) {}
static inline void ioemu_nvme_account_end(const struct ioemu_nvme_sq *sq) {}
#endif

/* regs.c */
u64 ioemu_nvme_bar_read(struct ioemu_pci *pci, unsigned int bar, u64 offset,
			unsigned int size);
void ioemu_nvme_bar_write(struct ioemu_pci *pci, unsigned int bar, u64 offset,
			  unsigned int size, u64 value);

/* ns.c */
void ioemu_nvme_ns_add(struct ioemu_nvme *ctrl, unsigned int index,
		       struct ioemu_disk *disk);
void ioemu_nvme_ns_remove(struct ioemu_nvme *ctrl, unsigned int index);
void ioemu_nvme_ns_changed(struct ioemu_nvme *ctrl, unsigned int index);

/* ctrl.c */
void ioemu_nvme_ctrl_work(struct kthread_work *work);
void ioemu_nvme_ctrl_reset(struct ioemu_pci *pci);
void ioemu_nvme_ctrl_master(struct ioemu_pci *pci, bool enabled);
void ioemu_nvme_ctrl_gone(struct ioemu_nvme *ctrl);
void ioemu_nvme_memory_changed(struct ioemu_nvme *ctrl);
blk_status_t ioemu_nvme_flush_disks(struct ioemu_nvme *ctrl);
void ioemu_nvme_fatal(struct ioemu_nvme *ctrl, const char *why);

/* irq.c */
void ioemu_nvme_notify(struct ioemu_nvme *ctrl, unsigned int vector);
void ioemu_nvme_irq_update(struct ioemu_nvme *ctrl);
void ioemu_nvme_irq_mode(struct ioemu_pci *pci);
void ioemu_nvme_irq_unmasked(struct ioemu_nvme *ctrl, u32 vectors);

/* queue.c */
int ioemu_nvme_ring_init(struct ioemu_nvme *ctrl, struct ioemu_nvme_ring *ring,
			 u64 addr, size_t bytes);
void ioemu_nvme_ring_free(struct ioemu_nvme_ring *ring);
int ioemu_nvme_ring_lookup(struct ioemu_nvme *ctrl,
			   const struct ioemu_nvme_ring *ring,
			   struct ioemu_gmap *map);
struct ioemu_gmap *ioemu_nvme_ring_commit(struct ioemu_nvme *ctrl,
					  struct ioemu_nvme_ring *ring,
					  struct ioemu_gmap *map);
int ioemu_nvme_cq_create(struct ioemu_nvme *ctrl, unsigned int qid, u64 addr,
			 u32 size, unsigned int vector, bool ien);
int ioemu_nvme_sq_create(struct ioemu_nvme *ctrl, unsigned int qid, u64 addr,
			 u32 size, unsigned int cqid);
void ioemu_nvme_sq_delete(struct ioemu_nvme *ctrl, unsigned int qid);
void ioemu_nvme_cq_delete(struct ioemu_nvme *ctrl, unsigned int qid);
void ioemu_nvme_queues_delete(struct ioemu_nvme *ctrl);
void ioemu_nvme_queues_settle(struct ioemu_nvme *ctrl);
void ioemu_nvme_queues_pause(struct ioemu_nvme *ctrl);
void ioemu_nvme_queues_resume(struct ioemu_nvme *ctrl);
void ioemu_nvme_queues_remap(struct ioemu_nvme *ctrl, struct ioemu_gmap *map);
void ioemu_nvme_sq_break(struct ioemu_nvme_sq *sq);

/* engine.c */
void ioemu_nvme_sq_work(struct kthread_work *work);
void ioemu_nvme_complete(struct ioemu_nvme_req *req, u16 status);
u16 ioemu_nvme_halt_status(const struct ioemu_nvme_sq *sq);
void ioemu_nvme_continue(struct ioemu_nvme_req *req);
void ioemu_nvme_req_unmap(struct ioemu_nvme_req *req);
struct ioemu_nvme_big *ioemu_nvme_take_big(struct ioemu_nvme_req *req);
void ioemu_nvme_sq_doorbell(struct ioemu_nvme_sq *sq, u32 value);
void ioemu_nvme_cq_doorbell(struct ioemu_nvme_cq *cq, u32 value);
void ioemu_nvme_cq_look(struct ioemu_nvme_cq *cq);
void ioemu_nvme_cq_ask(struct ioemu_nvme_cq *cq);
void ioemu_nvme_cq_settle(struct ioemu_nvme_cq *cq);
void ioemu_nvme_cq_watch(struct ioemu_nvme_sq *sq, bool watch);
bool ioemu_nvme_cq_drain(struct ioemu_nvme_cq *cq);
void ioemu_nvme_cq_kill(struct ioemu_nvme_cq *cq);
enum hrtimer_restart ioemu_nvme_cq_timer(struct hrtimer *timer);

/* prp.c, sgl.c */
u16 ioemu_nvme_map_data(struct ioemu_nvme_req *req, unsigned int bytes);
u16 ioemu_nvme_map_sgl(struct ioemu_nvme_req *req, unsigned int bytes);
u16 ioemu_nvme_map_segs(struct ioemu_nvme_req *req,
			const struct ioemu_nvme_seg *segs, unsigned int nr);
u16 ioemu_nvme_map_status(int err);
u16 ioemu_nvme_guest_read(struct ioemu_nvme_sq *sq, u64 addr, void *to,
			  size_t bytes);
void ioemu_nvme_copy_in(struct ioemu_nvme_req *req, void *to, size_t bytes);
void ioemu_nvme_copy_out(struct ioemu_nvme_req *req, const void *from,
			 size_t bytes);

/* io.c */
u16 ioemu_nvme_exec_io(struct ioemu_nvme_req *req);
u16 ioemu_nvme_blk_status(blk_status_t status, bool write);

/* admin.c */
u16 ioemu_nvme_exec_admin(struct ioemu_nvme_req *req);
u16 ioemu_nvme_reply(struct ioemu_nvme_req *req, const void *data,
		     size_t bytes);

/* identify.c */
u16 ioemu_nvme_identify(struct ioemu_nvme_req *req);
void ioemu_nvme_ns_identity(struct ioemu_nvme_ns *ns, const char *serial,
			    unsigned int salt);

/* features.c */
void ioemu_nvme_features_reset(struct ioemu_nvme *ctrl);
u16 ioemu_nvme_set_features(struct ioemu_nvme_req *req);
u16 ioemu_nvme_get_features(struct ioemu_nvme_req *req);
bool ioemu_nvme_temperature_critical(const struct ioemu_nvme *ctrl);

/* log.c */
u16 ioemu_nvme_get_log_page(struct ioemu_nvme_req *req);
void ioemu_nvme_log_error(struct ioemu_nvme_req *req);
void ioemu_nvme_log_doorbell(struct ioemu_nvme *ctrl, unsigned int qid);
void ioemu_nvme_stats_add(struct ioemu_nvme_sq_stats *sum,
			  const struct ioemu_nvme_sq_stats *s);

/* event.c */
void ioemu_nvme_event_reset(struct ioemu_nvme *ctrl);
void ioemu_nvme_event_raise(struct ioemu_nvme *ctrl, unsigned int type,
			    unsigned int info, unsigned int log_page);
void ioemu_nvme_event_clear(struct ioemu_nvme *ctrl, unsigned int type,
			    bool pending);
void ioemu_nvme_event_deliver(struct ioemu_nvme *ctrl);
u16 ioemu_nvme_async_event(struct ioemu_nvme_req *req);
bool ioemu_nvme_abort_aer(struct ioemu_nvme *ctrl, u16 cid);

/* dbbuf.c */
u16 ioemu_nvme_dbbuf_config(struct ioemu_nvme_req *req);
void ioemu_nvme_dbbuf_attach_sq(struct ioemu_nvme_sq *sq);
void ioemu_nvme_dbbuf_attach_cq(struct ioemu_nvme_cq *cq);
void ioemu_nvme_dbbuf_written(struct ioemu_nvme *ctrl);
void ioemu_nvme_dbbuf_remap(struct ioemu_nvme *ctrl, struct ioemu_gmap *map);
void ioemu_nvme_dbbuf_off(struct ioemu_nvme *ctrl);

/* pace.c */

void ioemu_nvme_gather(struct ioemu_nvme_sq *sq);
void ioemu_nvme_woken(struct ioemu_nvme_sq *sq);
bool ioemu_nvme_polls(const struct ioemu_nvme_sq *sq);
bool ioemu_nvme_polls_disk(const struct ioemu_disk *disk);
void ioemu_nvme_polled_in_vain(struct ioemu_nvme_sq *sq);
bool ioemu_nvme_wait(struct ioemu_nvme_sq *sq);

/**
 * ioemu_nvme_sq_tail() - where the guest's tail is
 * @sq: submission queue
 *
 * The shadow doorbell is the guest's: what it says is checked.
 *
 * Context: the queue's thread, sq->run_lock held.
 * Return: an index below the size of the queue.
 */
static inline u32 ioemu_nvme_sq_tail(struct ioemu_nvme_sq *sq)
{
	u32 tail;

	if (sq->shadow_tail) {
		tail = le32_to_cpu(READ_ONCE(*sq->shadow_tail));
		if (likely(tail < sq->size))
			goto out;
	}
	tail = READ_ONCE(sq->tail);
out:
	/*
	 * The tail is read before the commands below it; pairs with the
	 * guest's barrier between them.
	 */
	smp_rmb();
	return tail;
}

#endif /* _IOEMU_NVME_H */
