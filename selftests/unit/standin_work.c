// SPDX-License-Identifier: GPL-2.0
/* Time, deferred work and waiting. See standin/hooks.h and standin/sched.h. */
#include <stdarg.h>

#include <standin/locks.h>
#include <standin/mem.h>
#include <standin/sched.h>

/* ---- time and timers --------------------------------------------------- */

static u64 now = 1000 * 1000 * 1000;
static struct list_head timers = LIST_HEAD_INIT(timers);
u64 standin_clock_step_ns = 100;
unsigned int standin_nr_cpus = 4;

u64 standin_clock_quiet(void)
{
	return __atomic_load_n(&now, __ATOMIC_RELAXED);
}

u64 standin_clock(void)
{
	return __atomic_add_fetch(&now, standin_clock_step_ns,
				  __ATOMIC_RELAXED);
}

void (*standin_relax)(void);

void standin_cpu_relax(void)
{
	standin_clock();
	if (standin_relax)
		standin_relax();
}

bool standin_timer_arm(struct standin_timer *t, u64 expires)
{
	struct standin_timer *other;
	bool was = standin_timer_disarm(t);
	struct list_head *where = &timers;

	t->expires = expires;
	t->armed = true;
	list_for_each_entry(other, &timers, node) {
		if (other->expires > expires) {
			where = &other->node;
			break;
		}
	}
	list_add_tail(&t->node, where);
	return was;
}

bool standin_timer_disarm(struct standin_timer *t)
{
	if (!t->armed)
		return false;
	t->armed = false;
	list_del(&t->node);
	return true;
}

static bool fire_first_timer(u64 until)
{
	struct standin_timer *t;

	t = list_first_entry_or_null(&timers, struct standin_timer, node);
	if (!t || t->expires > until)
		return false;
	if (t->expires > now)
		now = t->expires;
	standin_timer_disarm(t);
	standin_irq_enter();
	t->fire(t);
	standin_irq_exit();
	return true;
}

void standin_advance_ns(u64 ns)
{
	u64 until = standin_clock_quiet() + ns;

	while (fire_first_timer(until))
		;
	if (until > now)
		now = until;
}

void standin_sleep_ns(u64 ns)
{
	standin_might_sleep(__func__);
	run_pending();
	standin_advance_ns(ns);
}

void standin_nap_ns(u64 ns)
{
	standin_might_sleep(__func__);
	if (standin_relax)
		standin_relax();
	standin_advance_ns(ns);
}

static void fire_timer_list(struct standin_timer *t)
{
	struct timer_list *timer = container_of(t, struct timer_list, timer);

	timer->function(timer);
}

void standin_timer_setup(struct timer_list *t, void (*f)(struct timer_list *))
{
	memset(t, 0, sizeof(*t));
	t->timer.fire = fire_timer_list;
	t->function = f;
}

static u64 jiffies_to_clock(unsigned long j)
{
	return (u64)j * (NSEC_PER_SEC / HZ);
}

int mod_timer(struct timer_list *t, unsigned long expires)
{
	return standin_timer_arm(&t->timer, jiffies_to_clock(expires));
}

static void fire_hrtimer(struct standin_timer *t)
{
	struct hrtimer *timer = container_of(t, struct hrtimer, timer);

	timer->running = true;
	if (timer->function(timer) == HRTIMER_RESTART)
		standin_timer_arm(t, t->expires);
	timer->running = false;
}

void standin_hrtimer_setup(struct hrtimer *t,
			   enum hrtimer_restart (*f)(struct hrtimer *))
{
	memset(t, 0, sizeof(*t));
	t->timer.fire = fire_hrtimer;
	t->function = f;
}

void hrtimer_start(struct hrtimer *t, ktime_t when, enum hrtimer_mode mode)
{
	standin_timer_arm(&t->timer, mode == HRTIMER_MODE_ABS ?
			  (u64)when : now + (u64)when);
}

/* ---- deferred work ----------------------------------------------------- */

static struct list_head queues = LIST_HEAD_INIT(queues);
static struct task_struct main_task = { .comm = "main", .pid = 1 };
__thread struct task_struct *standin_current;
bool (*standin_idle)(void *arg);
void *standin_idle_arg;

/* Work may be queued by any thread; it runs in one. */
static pthread_mutex_t queue_mutex = PTHREAD_MUTEX_INITIALIZER;

struct task_struct *standin_get_current(void)
{
	return standin_current ? standin_current : &main_task;
}

void standin_queue_init(struct standin_queue *q, const char *name)
{
	static int pid = 100;

	memset(q, 0, sizeof(*q));
	INIT_LIST_HEAD(&q->items);
	snprintf(q->task.comm, sizeof(q->task.comm), "%s", name);
	q->task.pid = pid++;
	list_add_tail(&q->all, &queues);
}

void standin_queue_exit(struct standin_queue *q)
{
	standin_flush_queue(q);
	list_del(&q->all);
}

bool standin_queue_item(struct standin_queue *q, struct standin_item *item)
{
	bool queued = false;

	if (!item->run)
		standin_die("work was not initialised");
	pthread_mutex_lock(&queue_mutex);
	if (!item->pending) {
		item->pending = true;
		item->queue = q;
		list_add_tail(&item->node, &q->items);
		queued = true;
	}
	pthread_mutex_unlock(&queue_mutex);
	return queued;
}

/* Run the oldest piece of work of a queue. */
static bool run_one(struct standin_queue *q)
{
	struct task_struct *before = standin_current;
	struct standin_queue *outer = q;
	struct standin_item *item;

	if (q->running)
		return false;
	pthread_mutex_lock(&queue_mutex);
	item = list_first_entry_or_null(&q->items, struct standin_item, node);
	if (item) {
		list_del(&item->node);
		item->pending = false;
	}
	pthread_mutex_unlock(&queue_mutex);
	if (!item)
		return false;

	/* The work may free itself, and its queue's owner may not. */
	standin_current = &outer->task;
	q->running = item;
	item->run(item);
	q->running = NULL;
	standin_current = before;
	if (standin_in_atomic() || standin_rcu_held())
		standin_die("work returned in atomic context");
	return true;
}

bool run_pending_one(void)
{
	struct standin_queue *q;

	standin_might_sleep(__func__);
	list_for_each_entry(q, &queues, all)
		if (run_one(q)) {
			/* Let the others have their turn first. */
			list_move_tail(&q->all, &queues);
			return true;
		}
	return false;
}

bool standin_run_beside(void)
{
	struct standin_item *running;
	struct standin_queue *q;
	bool ran;

	list_for_each_entry(q, &queues, all) {
		running = q->running;
		q->running = NULL;
		ran = run_one(q);
		q->running = running;
		if (ran)
			return true;
	}
	return false;
}

unsigned long run_pending(void)
{
	unsigned long n = 0;

	while (run_pending_one())
		if (++n > 1000 * 1000)
			standin_die("run_pending: work without end");
	return n;
}

unsigned long nr_pending(void)
{
	struct standin_queue *q;
	unsigned long n = 0;

	list_for_each_entry(q, &queues, all)
		n += list_count_nodes(&q->items);
	return n;
}

static void check_not_inside(struct standin_queue *q, const char *where)
{
	if (q->running && standin_get_current() == &q->task)
		standin_die("%s: waits for itself", where);
}

void standin_flush_queue(struct standin_queue *q)
{
	standin_might_sleep(__func__);
	check_not_inside(q, __func__);
	while (!list_empty(&q->items) || q->running)
		if (!run_one(q))
			standin_wait_step(__func__);
}

bool standin_flush_item(struct standin_item *item)
{
	struct standin_queue *q = item->queue;
	bool was = item->pending;

	standin_might_sleep(__func__);
	if (!q)
		return false;
	if (q->running == item)
		check_not_inside(q, __func__);
	while (item->pending || q->running == item)
		if (!run_one(q))
			standin_wait_step(__func__);
	return was;
}

void (*standin_cancelled)(void);

bool standin_cancel_item(struct standin_item *item, bool sync)
{
	struct standin_queue *q = item->queue;
	bool was;

	if (sync)
		standin_might_sleep(__func__);
	if (!q)
		return false;
	pthread_mutex_lock(&queue_mutex);
	was = item->pending;
	if (was) {
		list_del(&item->node);
		item->pending = false;
	}
	pthread_mutex_unlock(&queue_mutex);
	if (sync && q->running == item)
		standin_die("cancel: waits for itself");
	if (sync && standin_cancelled)
		standin_cancelled();
	return was;
}

static void run_kthread_work(struct standin_item *item)
{
	struct kthread_work *w = container_of(item, struct kthread_work, item);

	w->func(w);
}

void standin_kthread_init_work(struct kthread_work *w, kthread_work_func_t f)
{
	memset(w, 0, sizeof(*w));
	w->item.run = run_kthread_work;
	w->func = f;
}

struct kthread_worker *kthread_create_worker(unsigned int flags,
					     const char *name, ...)
{
	struct kthread_worker *worker = kzalloc(sizeof(*worker), GFP_KERNEL);
	char text[64];
	va_list args;

	(void)flags;
	if (!worker)
		return ERR_PTR(-ENOMEM);
	va_start(args, name);
	vsnprintf(text, sizeof(text), name, args);
	va_end(args);
	standin_queue_init(&worker->queue, text);
	worker->task = &worker->queue.task;
	return worker;
}

void kthread_destroy_worker(struct kthread_worker *worker)
{
	standin_queue_exit(&worker->queue);
	standin_free(worker);
}

static void fire_kthread_delayed(struct standin_timer *t)
{
	struct kthread_delayed_work *d =
		container_of(t, struct kthread_delayed_work, timer);

	kthread_queue_work(d->worker, &d->work);
}

void standin_kthread_init_delayed(struct kthread_delayed_work *d,
				  kthread_work_func_t f)
{
	memset(d, 0, sizeof(*d));
	standin_kthread_init_work(&d->work, f);
	d->timer.fire = fire_kthread_delayed;
}

bool kthread_queue_delayed_work(struct kthread_worker *worker,
				struct kthread_delayed_work *d,
				unsigned long delay)
{
	if (d->timer.armed || d->work.item.pending)
		return false;
	d->worker = worker;
	if (delay)
		standin_timer_arm(&d->timer, now + jiffies_to_clock(delay));
	else
		kthread_queue_work(worker, &d->work);
	return true;
}

bool kthread_mod_delayed_work(struct kthread_worker *worker,
			      struct kthread_delayed_work *d,
			      unsigned long delay)
{
	bool was = standin_timer_disarm(&d->timer);

	was |= standin_cancel_item(&d->work.item, false);
	kthread_queue_delayed_work(worker, d, delay);
	return was;
}

bool kthread_cancel_delayed_work_sync(struct kthread_delayed_work *d)
{
	bool was = standin_timer_disarm(&d->timer);

	return standin_cancel_item(&d->work.item, true) || was;
}

static void run_work(struct standin_item *item)
{
	struct work_struct *w = container_of(item, struct work_struct, item);

	w->func(w);
}

void standin_init_work(struct work_struct *w, work_func_t f)
{
	memset(w, 0, sizeof(*w));
	w->item.run = run_work;
	w->func = f;
}

struct workqueue_struct *standin_alloc_workqueue(const char *name)
{
	struct workqueue_struct *wq = kzalloc(sizeof(*wq), GFP_KERNEL);

	if (wq)
		standin_queue_init(&wq->queue, name);
	return wq;
}

void destroy_workqueue(struct workqueue_struct *wq)
{
	standin_queue_exit(&wq->queue);
	standin_free(wq);
}

struct workqueue_struct *standin_system_wq(void)
{
	static struct workqueue_struct wq;

	if (!wq.queue.items.next)
		standin_queue_init(&wq.queue, "events");
	return &wq;
}

static void fire_delayed(struct standin_timer *t)
{
	struct delayed_work *d = container_of(t, struct delayed_work, timer);

	queue_work(d->wq, &d->work);
}

void standin_init_delayed(struct delayed_work *d, work_func_t f)
{
	memset(d, 0, sizeof(*d));
	standin_init_work(&d->work, f);
	d->timer.fire = fire_delayed;
}

bool queue_delayed_work(struct workqueue_struct *wq, struct delayed_work *d,
			unsigned long delay)
{
	if (delayed_work_pending(d))
		return false;
	d->wq = wq;
	if (delay)
		standin_timer_arm(&d->timer, now + jiffies_to_clock(delay));
	else
		queue_work(wq, &d->work);
	return true;
}

bool mod_delayed_work(struct workqueue_struct *wq, struct delayed_work *d,
		      unsigned long delay)
{
	bool was = cancel_delayed_work(d);

	queue_delayed_work(wq, d, delay);
	return was;
}

bool cancel_delayed_work(struct delayed_work *d)
{
	bool was = standin_timer_disarm(&d->timer);

	return cancel_work(&d->work) || was;
}

bool cancel_delayed_work_sync(struct delayed_work *d)
{
	bool was = standin_timer_disarm(&d->timer);

	return cancel_work_sync(&d->work) || was;
}

bool flush_delayed_work(struct delayed_work *d)
{
	if (standin_timer_disarm(&d->timer))
		queue_work(d->wq, &d->work);
	return flush_work(&d->work);
}

/* ---- waiting ----------------------------------------------------------- */

void standin_wake(wait_queue_head_t *w)
{
	if (w->magic != STANDIN_WAIT_MAGIC)
		standin_die("wake_up: wait queue not initialised");
	w->woken++;
}

static bool progress(void)
{
	return run_pending_one() ||
	       (standin_idle && standin_idle(standin_idle_arg));
}

void standin_wait_step(const char *where)
{
	if (progress())
		return;
	if (!fire_first_timer(U64_MAX))
		standin_die("%s: waits for what will never happen", where);
}

bool standin_wait_step_until(u64 deadline)
{
	if (progress() || fire_first_timer(deadline))
		return true;
	if (now >= deadline)
		return false;
	now = deadline;
	return true;
}
