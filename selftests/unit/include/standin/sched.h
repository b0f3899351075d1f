/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stand-in: threads, deferred work, timers, waiting, time.
 *
 * There are no threads. Work that is queued runs on the caller's stack within
 * run_pending(), or when somebody waits for it; current then names the thread
 * that would run it. Who waits for a condition runs pending work until it holds.
 */
#ifndef STANDIN_SCHED_H
#define STANDIN_SCHED_H

#include <standin/list.h>
#include <standin/locks.h>

struct task_struct {
	char comm[32];
	int pid;
	unsigned int flags;
};

extern __thread struct task_struct *standin_current;
struct task_struct *standin_get_current(void);
#define current			standin_get_current()
bool standin_in_irq(void);
void standin_irq_enter(void);
void standin_irq_exit(void);
#define in_task()		(!standin_in_irq())
#define in_interrupt()		standin_in_irq()
#undef in_hardirq
#define in_hardirq()		standin_in_irq()
#define in_irq()		standin_in_irq()

#define HZ			250
#define NSEC_PER_SEC		1000000000L
#define NSEC_PER_MSEC		1000000L
#define NSEC_PER_USEC		1000L
#define USEC_PER_SEC		1000000L
#define USEC_PER_MSEC		1000L
#define MSEC_PER_SEC		1000L
#define MAX_SCHEDULE_TIMEOUT	LONG_MAX
#define TASK_COMM_LEN		16
#define TASK_RUNNING		0
#define TASK_INTERRUPTIBLE	1
#define TASK_UNINTERRUPTIBLE	2
#define TASK_IDLE		0x402

u64 standin_clock(void);
u64 standin_clock_quiet(void);
#define jiffies			((unsigned long)(standin_clock_quiet() / (NSEC_PER_SEC / HZ)))
#define get_jiffies_64()	((u64)jiffies)
#define time_after(a, b)	((long)((b) - (a)) < 0)
#define time_before(a, b)	time_after(b, a)
#define time_after_eq(a, b)	((long)((a) - (b)) >= 0)
#define time_before_eq(a, b)	time_after_eq(b, a)
#define time_is_before_jiffies(a)	time_after(jiffies, a)
#define time_is_after_jiffies(a)	time_before(jiffies, a)
static inline unsigned long msecs_to_jiffies(unsigned int ms)
{
	return DIV_ROUND_UP((u64)ms * HZ, MSEC_PER_SEC);
}

static inline unsigned long usecs_to_jiffies(unsigned int us)
{
	return DIV_ROUND_UP((u64)us * HZ, USEC_PER_SEC);
}

static inline unsigned long nsecs_to_jiffies(u64 ns)
{
	return ns / (NSEC_PER_SEC / HZ);
}

#define secs_to_jiffies(s)	((unsigned long)(s) * HZ)
#define jiffies_to_msecs(j)	((unsigned int)((j) * (MSEC_PER_SEC / HZ)))
#define ktime_get_ns()		standin_clock()
#define ktime_get_boottime_ns()	standin_clock()
#define ktime_get_real_ns()	(standin_clock() + 1700000000ULL * NSEC_PER_SEC)
#define ktime_get_real_seconds() ((s64)(ktime_get_real_ns() / NSEC_PER_SEC))
#define ktime_get_seconds()	((s64)(standin_clock() / NSEC_PER_SEC))
#define ktime_get()		((ktime_t)standin_clock())
#define ktime_get_real()	((ktime_t)ktime_get_real_ns())
#define ktime_get_mono_fast_ns() standin_clock()
#define local_clock()		standin_clock()
#define sched_clock()		standin_clock()
#define ktime_to_ns(k)		((s64)(k))
#define ktime_to_us(k)		((s64)(k) / NSEC_PER_USEC)
#define ktime_to_ms(k)		((s64)(k) / NSEC_PER_MSEC)
#define ns_to_ktime(n)		((ktime_t)(n))
#define ms_to_ktime(n)		((ktime_t)(n) * NSEC_PER_MSEC)
#define us_to_ktime(n)		((ktime_t)(n) * NSEC_PER_USEC)
#define ktime_add_ns(k, n)	((ktime_t)((k) + (n)))
#define ktime_add_us(k, n)	ktime_add_ns(k, (n) * NSEC_PER_USEC)
#define ktime_add(a, b)		((ktime_t)((a) + (b)))
#define ktime_sub(a, b)		((ktime_t)((a) - (b)))
#define ktime_set(s, n)		((ktime_t)((s) * NSEC_PER_SEC + (n)))
#define ktime_after(a, b)	((a) > (b))
#define ktime_before(a, b)	((a) < (b))
#define ktime_us_delta(a, b)	ktime_to_us(ktime_sub(a, b))
#define ktime_ms_delta(a, b)	ktime_to_ms(ktime_sub(a, b))

/* Called while the driver looks for something, or sleeps; it is what happens. */
extern void (*standin_relax)(void);
void standin_cpu_relax(void);
#define cpu_relax()		standin_cpu_relax()
#define ndelay(n)		standin_advance_ns(n)
#define udelay(n)		standin_advance_ns((u64)(n) * 1000)
#define mdelay(n)		standin_advance_ns((u64)(n) * 1000000)
void standin_sleep_ns(u64 ns);
#define msleep(n)		standin_sleep_ns((u64)(n) * 1000000)
#define usleep_range(a, b)	standin_sleep_ns((u64)(a) * 1000)
/* A thread may sleep with a lock of its own: nobody else's work runs meanwhile. */
void standin_nap_ns(u64 ns);
#define schedule_hrtimeout_range(t, d, m) ({ standin_nap_ns(*(t)); 0; })
#define fsleep(n)		standin_sleep_ns((u64)(n) * 1000)
#define schedule()		standin_sleep_ns(0)
#define schedule_timeout(j)	(standin_sleep_ns((u64)(j) * 4000000), 0L)
#define schedule_timeout_uninterruptible(j) schedule_timeout(j)
#define need_resched()		false
#define __set_current_state(s)	((void)(s))
#define set_current_state(s)	((void)(s))
#define signal_pending(t)	false

/* A piece of work of any kind, and the thread that runs it. */
struct standin_item {
	struct list_head node;
	struct standin_queue *queue;
	void (*run)(struct standin_item *item);
	bool pending;
	unsigned int running;
};

struct standin_queue {
	struct list_head all;
	struct list_head items;
	struct standin_item *running;
	struct task_struct task;
};

struct standin_timer {
	struct list_head node;
	void (*fire)(struct standin_timer *timer);
	u64 expires;
	bool armed;
};

void standin_queue_init(struct standin_queue *q, const char *name);
void standin_queue_exit(struct standin_queue *q);
bool standin_queue_item(struct standin_queue *q, struct standin_item *item);
bool standin_flush_item(struct standin_item *item);
bool standin_cancel_item(struct standin_item *item, bool sync);
void standin_flush_queue(struct standin_queue *q);
/* Called when somebody has waited for the end of work: what happens meanwhile. */
extern void (*standin_cancelled)(void);
/* Run the oldest piece of work of any queue, even beside another one of it. */
bool standin_run_beside(void);
bool standin_timer_arm(struct standin_timer *t, u64 expires);
bool standin_timer_disarm(struct standin_timer *t);

/* ---- kthread_worker ---------------------------------------------------- */

struct kthread_work;
typedef void (*kthread_work_func_t)(struct kthread_work *work);

struct kthread_work {
	struct standin_item item;
	kthread_work_func_t func;
};

struct kthread_worker {
	struct standin_queue queue;
	struct task_struct *task;
};

struct kthread_delayed_work {
	struct kthread_work work;
	struct standin_timer timer;
	struct kthread_worker *worker;
};

void standin_kthread_init_work(struct kthread_work *w, kthread_work_func_t f);
void standin_kthread_init_delayed(struct kthread_delayed_work *d,
				  kthread_work_func_t f);
struct kthread_worker *kthread_create_worker(unsigned int flags,
					     const char *name, ...)
	__printf(2, 3);
#define kthread_run_worker(...)		kthread_create_worker(__VA_ARGS__)
#define kthread_create_worker_on_cpu(cpu, flags, ...)			\
	((void)(cpu), kthread_create_worker(flags, __VA_ARGS__))
void kthread_destroy_worker(struct kthread_worker *worker);
#define kthread_init_work(w, f)		standin_kthread_init_work(w, f)
#define kthread_init_delayed_work(d, f)	standin_kthread_init_delayed(d, f)
#define kthread_queue_work(wk, w)					\
	standin_queue_item(&(wk)->queue, &(w)->item)
#define kthread_flush_work(w)						\
	((void)standin_flush_item(&(w)->item))
#define kthread_flush_worker(wk)	standin_flush_queue(&(wk)->queue)
#define kthread_cancel_work_sync(w)	standin_cancel_item(&(w)->item, true)
bool kthread_queue_delayed_work(struct kthread_worker *worker,
				struct kthread_delayed_work *d,
				unsigned long delay);
bool kthread_mod_delayed_work(struct kthread_worker *worker,
			      struct kthread_delayed_work *d,
			      unsigned long delay);
bool kthread_cancel_delayed_work_sync(struct kthread_delayed_work *d);
#define kthread_should_stop()		false
#define set_user_nice(t, n)		((void)(t))
#define sched_set_fifo(t)		((void)(t))
#define sched_set_normal(t, n)		((void)(t))
#define wake_up_process(t)		((void)(t))

/* ---- workqueue --------------------------------------------------------- */

struct work_struct;
typedef void (*work_func_t)(struct work_struct *work);

struct work_struct {
	struct standin_item item;
	work_func_t func;
};

struct workqueue_struct {
	struct standin_queue queue;
};

struct delayed_work {
	struct work_struct work;
	struct standin_timer timer;
	struct workqueue_struct *wq;
};

extern struct workqueue_struct *standin_system_wq(void);
#define system_wq		standin_system_wq()
#define system_unbound_wq	standin_system_wq()
#define system_highpri_wq	standin_system_wq()
#define system_long_wq		standin_system_wq()

#define WQ_UNBOUND		2
#define WQ_FREEZABLE		4
#define WQ_MEM_RECLAIM		8
#define WQ_HIGHPRI		16
#define WQ_SYSFS		64

void standin_init_work(struct work_struct *w, work_func_t f);
void standin_init_delayed(struct delayed_work *d, work_func_t f);
struct workqueue_struct *standin_alloc_workqueue(const char *name);
void destroy_workqueue(struct workqueue_struct *wq);
#define alloc_workqueue(name, flags, max, ...)				\
	((void)(flags), (void)(max), standin_alloc_workqueue(name))
#define alloc_ordered_workqueue(name, flags, ...)			\
	((void)(flags), standin_alloc_workqueue(name))
#define INIT_WORK(w, f)			standin_init_work(w, f)
#define DECLARE_DELAYED_WORK(n, f)					\
	struct delayed_work n;						\
	__attribute__((constructor)) static void n##_init(void)		\
	{ standin_init_delayed(&n, f); }
#define INIT_DELAYED_WORK(d, f)		standin_init_delayed(d, f)
#define INIT_DEFERRABLE_WORK(d, f)	standin_init_delayed(d, f)
#define queue_work(q, w)		standin_queue_item(&(q)->queue, &(w)->item)
#define queue_work_on(c, q, w)		((void)(c), queue_work(q, w))
#define schedule_work(w)		queue_work(system_wq, w)
#define flush_work(w)			standin_flush_item(&(w)->item)
#define cancel_work_sync(w)		standin_cancel_item(&(w)->item, true)
#define cancel_work(w)			standin_cancel_item(&(w)->item, false)
#define work_pending(w)			((w)->item.pending)
#define flush_workqueue(q)		standin_flush_queue(&(q)->queue)
#define drain_workqueue(q)		standin_flush_queue(&(q)->queue)
#define flush_scheduled_work()		flush_workqueue(system_wq)
#define to_delayed_work(w)		container_of(w, struct delayed_work, work)
bool queue_delayed_work(struct workqueue_struct *wq, struct delayed_work *d,
			unsigned long delay);
bool mod_delayed_work(struct workqueue_struct *wq, struct delayed_work *d,
		      unsigned long delay);
#define schedule_delayed_work(d, j)	queue_delayed_work(system_wq, d, j)
bool cancel_delayed_work(struct delayed_work *d);
bool cancel_delayed_work_sync(struct delayed_work *d);
bool flush_delayed_work(struct delayed_work *d);
#define delayed_work_pending(d)						\
	((d)->timer.armed || work_pending(&(d)->work))

/* ---- timers ------------------------------------------------------------ */

struct timer_list {
	struct standin_timer timer;
	void (*function)(struct timer_list *t);
};

void standin_timer_setup(struct timer_list *t, void (*f)(struct timer_list *));
#define timer_setup(t, f, flags)	standin_timer_setup(t, f)
int mod_timer(struct timer_list *t, unsigned long expires);
#define timer_pending(t)		((t)->timer.armed)
#define timer_delete(t)			standin_timer_disarm(&(t)->timer)
#define timer_delete_sync(t)		timer_delete(t)
#define timer_shutdown_sync(t)		timer_delete(t)
#define del_timer(t)			timer_delete(t)
#define del_timer_sync(t)		timer_delete(t)
#define from_timer(v, t, m)		container_of(t, __typeof__(*(v)), m)
#define timer_container_of(v, t, m)	container_of(t, __typeof__(*(v)), m)

enum hrtimer_restart { HRTIMER_NORESTART, HRTIMER_RESTART };
enum hrtimer_mode { HRTIMER_MODE_ABS, HRTIMER_MODE_REL,
		    HRTIMER_MODE_REL_PINNED, HRTIMER_MODE_REL_HARD,
		    HRTIMER_MODE_REL_PINNED_HARD };

struct hrtimer {
	struct standin_timer timer;
	bool running;
	enum hrtimer_restart (*function)(struct hrtimer *t);
};

void standin_hrtimer_setup(struct hrtimer *t,
			   enum hrtimer_restart (*f)(struct hrtimer *));
void hrtimer_start(struct hrtimer *t, ktime_t when, enum hrtimer_mode mode);
#define hrtimer_setup(t, f, c, m)	standin_hrtimer_setup(t, f)
#define hrtimer_init(t, c, m)		standin_hrtimer_setup(t, NULL)
#define hrtimer_cancel(t)		standin_timer_disarm(&(t)->timer)
#define hrtimer_try_to_cancel(t)	standin_timer_disarm(&(t)->timer)
#define hrtimer_active(t)		((t)->timer.armed || (t)->running)
#define hrtimer_is_queued(t)		((t)->timer.armed)

/* ---- waiting ----------------------------------------------------------- */

typedef struct wait_queue_head {
	unsigned int magic;
	unsigned long woken;
} wait_queue_head_t;

#define STANDIN_WAIT_MAGIC		0x3a17ed
#define DECLARE_WAIT_QUEUE_HEAD(n)					\
	wait_queue_head_t n = { .magic = STANDIN_WAIT_MAGIC }
#define init_waitqueue_head(w)						\
	((w)->magic = STANDIN_WAIT_MAGIC, (w)->woken = 0)
void standin_wake(wait_queue_head_t *w);
#define wake_up(w)			standin_wake(w)
#define wake_up_all(w)			standin_wake(w)
#define wake_up_interruptible(w)	standin_wake(w)
#define wq_has_sleeper(w)		true
#define waitqueue_active(w)		true

/* Bring the program on by one step, or die: nothing could end the wait. */
void standin_wait_step(const char *where);
/* The same with an end in time; false when it has come. */
bool standin_wait_step_until(u64 deadline);

#define wait_event(w, c) do {						\
	standin_might_sleep(__func__);					\
	if ((w).magic != STANDIN_WAIT_MAGIC)				\
		standin_die("%s: wait queue not initialised", __func__);\
	while (!(c))							\
		standin_wait_step(__func__); } while (0)
#define wait_event_interruptible(w, c)	({ wait_event(w, c); 0; })
#define wait_event_killable(w, c)	({ wait_event(w, c); 0; })
#define wait_event_idle(w, c)		wait_event(w, c)
#define wait_event_timeout(w, c, j) ({					\
	u64 __end = standin_clock_quiet() +				\
		    (u64)(j) * (NSEC_PER_SEC / HZ);			\
	long __left = 0;						\
	bool __done;							\
	standin_might_sleep(__func__);					\
	while (!(__done = (c)) && standin_wait_step_until(__end))	\
		;							\
	if (__done) {							\
		__left = ((s64)(__end - standin_clock_quiet())) /	\
			 (NSEC_PER_SEC / HZ);				\
		__left = __left < 1 ? 1 : __left;			\
	}								\
	__left; })
#define wait_event_interruptible_timeout(w, c, j) wait_event_timeout(w, c, j)

struct completion {
	unsigned int done;
	wait_queue_head_t wait;
};

#define DECLARE_COMPLETION_ONSTACK(n)					\
	struct completion n = { 0, { .magic = STANDIN_WAIT_MAGIC } }
#define DECLARE_COMPLETION(n)		DECLARE_COMPLETION_ONSTACK(n)

static inline void init_completion(struct completion *c)
{
	c->done = 0;
	init_waitqueue_head(&c->wait);
}

static inline void reinit_completion(struct completion *c) { c->done = 0; }
static inline bool completion_done(struct completion *c)
{
	return READ_ONCE(c->done);
}

static inline void complete(struct completion *c)
{
	if (c->done != UINT_MAX)
		c->done++;
	standin_wake(&c->wait);
}

static inline void complete_all(struct completion *c)
{
	c->done = UINT_MAX;
	standin_wake(&c->wait);
}

static inline void standin_completion_take(struct completion *c)
{
	if (c->done != UINT_MAX)
		c->done--;
}

static inline void wait_for_completion(struct completion *c)
{
	wait_event(c->wait, c->done);
	standin_completion_take(c);
}

static inline unsigned long
wait_for_completion_timeout(struct completion *c, unsigned long j)
{
	long left = wait_event_timeout(c->wait, c->done, j);

	if (left)
		standin_completion_take(c);
	return left;
}

static inline bool try_wait_for_completion(struct completion *c)
{
	if (!c->done)
		return false;
	standin_completion_take(c);
	return true;
}

#define wait_for_completion_interruptible(c) (wait_for_completion(c), 0)
#define wait_for_completion_killable(c)	(wait_for_completion(c), 0)

/* ---- CPUs -------------------------------------------------------------- */

#define num_online_cpus()		standin_nr_cpus
#define num_possible_cpus()		standin_nr_cpus
#define nr_cpu_ids			standin_nr_cpus
#define smp_processor_id()		0
#define raw_smp_processor_id()		0
#define get_cpu()			(standin_atomic_enter(), 0)
#define put_cpu()			standin_atomic_exit()
#define cpu_to_node(c)			((void)(c), 0)
#define numa_node_id()			0
#define NUMA_NO_NODE			(-1)
#define for_each_possible_cpu(c)	for ((c) = 0; (c) < 1; (c)++)
#define for_each_online_cpu(c)		for_each_possible_cpu(c)

/* ---- percpu_ref: one counter; confirmed at once ------------------------ */

struct percpu_ref;
typedef void (percpu_ref_func_t)(struct percpu_ref *ref);

struct percpu_ref {
	atomic_long_t count;
	bool dying;
	percpu_ref_func_t *release;
};

#define PERCPU_REF_INIT_ATOMIC		1
#define PERCPU_REF_INIT_DEAD		2
#define PERCPU_REF_ALLOW_REINIT		4

static inline int percpu_ref_init(struct percpu_ref *r,
				  percpu_ref_func_t *release,
				  unsigned int flags, gfp_t gfp)
{
	(void)gfp;
	r->dying = flags & PERCPU_REF_INIT_DEAD;
	atomic_long_set(&r->count, r->dying ? 0 : 1);
	r->release = release;
	return 0;
}

static inline void percpu_ref_exit(struct percpu_ref *r) { r->release = NULL; }
static inline void percpu_ref_get(struct percpu_ref *r)
{
	atomic_long_inc(&r->count);
}

static inline bool percpu_ref_tryget(struct percpu_ref *r)
{
	return atomic_long_inc_not_zero(&r->count);
}

static inline bool percpu_ref_tryget_live(struct percpu_ref *r)
{
	return !READ_ONCE(r->dying) && percpu_ref_tryget(r);
}

static inline void percpu_ref_put(struct percpu_ref *r)
{
	long left = atomic_long_dec_return(&r->count);

	if (left < 0)
		standin_die("percpu_ref: dropped below zero");
	if (!left)
		r->release(r);
}

static inline void percpu_ref_kill(struct percpu_ref *r)
{
	if (r->dying)
		standin_die("percpu_ref: killed twice");
	WRITE_ONCE(r->dying, true);
	percpu_ref_put(r);
}

static inline void percpu_ref_kill_and_confirm(struct percpu_ref *r,
					       percpu_ref_func_t *confirm)
{
	percpu_ref_get(r);
	percpu_ref_kill(r);
	if (confirm)
		confirm(r);
	percpu_ref_put(r);
}

static inline void percpu_ref_reinit(struct percpu_ref *r)
{
	r->dying = false;
	percpu_ref_get(r);
}

#define percpu_ref_resurrect(r)		percpu_ref_reinit(r)
#define percpu_ref_is_zero(r)		(!atomic_long_read(&(r)->count))
#define percpu_ref_is_dying(r)		READ_ONCE((r)->dying)

#endif /* STANDIN_SCHED_H */
