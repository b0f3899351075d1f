// SPDX-License-Identifier: GPL-2.0
/* The parts of the stand-ins that are not in headers. See standin/hooks.h. */
#include <errno.h>
#include <sched.h>
#include <stdarg.h>

#include <standin/bio.h>
#include <standin/io.h>
#include <standin/locks.h>
#include <standin/mem.h>
#include <standin/sched.h>

/* ---- judgement --------------------------------------------------------- */

static unsigned int failures;
bool standin_fail_aborts;
bool standin_warn_expected;
unsigned int standin_warnings;

void standin_die(const char *fmt, ...)
{
	va_list args;

	fflush(stdout);
	fputs("# standin: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}

void standin_fail(const char *fmt, ...)
{
	va_list args;

	printf("# ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	failures++;
	if (standin_fail_aborts) {
		fflush(stdout);
		abort();
	}
}

unsigned int standin_failures(void)
{
	return failures;
}

bool standin_warn(bool condition, const char *what, const char *file, int line)
{
	if (condition) {
		standin_warnings++;
		if (!standin_warn_expected)
			standin_fail("%s:%d: WARN_ON(%s)", file, line, what);
	}
	return condition;
}

/* ---- log --------------------------------------------------------------- */

unsigned int standin_log_warnings;
char standin_log_last[512];
bool standin_log_print;

void standin_log(int level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(standin_log_last, sizeof(standin_log_last), fmt, args);
	va_end(args);
	if (level <= 4)
		standin_log_warnings++;
	if (standin_log_print)
		printf("# <%d> %s", level, standin_log_last);
}

/* ---- context ----------------------------------------------------------- */

static __thread unsigned int atomic_depth;
static __thread unsigned int irq_depth;
static __thread unsigned int rcu_depth;

void standin_atomic_enter(void)
{
	atomic_depth++;
}

void standin_atomic_exit(void)
{
	if (!atomic_depth--)
		standin_die("left atomic context without having entered it");
}

bool standin_in_atomic(void)
{
	return atomic_depth;
}

void standin_irq_enter(void)
{
	irq_depth++;
	atomic_depth++;
}

void standin_irq_exit(void)
{
	irq_depth--;
	standin_atomic_exit();
}

bool standin_in_irq(void)
{
	return irq_depth;
}

void standin_might_sleep(const char *where)
{
	if (atomic_depth || rcu_depth)
		standin_die("%s: sleeps in atomic context", where);
}

/* ---- locks ------------------------------------------------------------- */

void standin_lock_init(struct standin_lock *l)
{
	memset(l, 0, sizeof(*l));
	l->magic = STANDIN_LOCK_MAGIC;
}

static void check_lock(const struct standin_lock *l, const char *where)
{
	if (l->magic != STANDIN_LOCK_MAGIC)
		standin_die("%s: lock was not initialised", where);
}

static bool owned(const struct standin_lock *l)
{
	return __atomic_load_n(&l->owner, __ATOMIC_RELAXED) == pthread_self();
}

bool standin_lock_mine(const struct standin_lock *l)
{
	if (__atomic_load_n(&l->writer, __ATOMIC_ACQUIRE))
		return owned(l);
	/* Readers are only counted: one of them is taken to be the caller. */
	return __atomic_load_n(&l->readers, __ATOMIC_RELAXED) > 0;
}

bool standin_trylock(struct standin_lock *l, const char *where)
{
	unsigned int free = 0;

	check_lock(l, where);
	if (!__atomic_compare_exchange_n(&l->writer, &free, 1, 0,
					 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return false;
	if (__atomic_load_n(&l->readers, __ATOMIC_SEQ_CST)) {
		__atomic_store_n(&l->writer, 0, __ATOMIC_SEQ_CST);
		return false;
	}
	__atomic_store_n(&l->owner, pthread_self(), __ATOMIC_RELAXED);
	return true;
}

/* With one thread, nobody can ever give a lock back that is not free. */
static __thread unsigned int spins;

static void spin(const char *where)
{
	if (++spins > 100 * 1000 * 1000)
		standin_die("%s: the lock is never given back", where);
	sched_yield();
}

void standin_lock(struct standin_lock *l, const char *where)
{
	spins = 0;
	while (!standin_trylock(l, where)) {
		if (__atomic_load_n(&l->writer, __ATOMIC_ACQUIRE) && owned(l))
			standin_die("%s: lock taken twice", where);
		spin(where);
	}
}

void standin_unlock(struct standin_lock *l, const char *where)
{
	check_lock(l, where);
	if (!__atomic_load_n(&l->writer, __ATOMIC_RELAXED) || !owned(l))
		standin_die("%s: lock given back that is not held", where);
	__atomic_store_n(&l->owner, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&l->writer, 0, __ATOMIC_SEQ_CST);
}

void standin_read_lock(struct standin_lock *l, const char *where)
{
	check_lock(l, where);
	spins = 0;
	for (;;) {
		__atomic_add_fetch(&l->readers, 1, __ATOMIC_SEQ_CST);
		if (!__atomic_load_n(&l->writer, __ATOMIC_SEQ_CST))
			return;
		__atomic_sub_fetch(&l->readers, 1, __ATOMIC_SEQ_CST);
		if (owned(l))
			standin_die("%s: lock taken twice", where);
		spin(where);
	}
}

void standin_read_unlock(struct standin_lock *l, const char *where)
{
	check_lock(l, where);
	if (__atomic_sub_fetch(&l->readers, 1, __ATOMIC_SEQ_CST) < 0)
		standin_die("%s: lock given back that is not held", where);
}

/* ---- RCU --------------------------------------------------------------- */

static long rcu_readers;
static unsigned long rcu_started, rcu_completed;
static struct rcu_head *rcu_waiting;
unsigned long standin_grace_periods;

void standin_rcu_read_lock(void)
{
	if (!rcu_depth++)
		__atomic_add_fetch(&rcu_readers, 1, __ATOMIC_SEQ_CST);
}

void standin_rcu_read_unlock(void)
{
	if (!rcu_depth)
		standin_die("rcu_read_unlock: not in a read section");
	if (!--rcu_depth)
		__atomic_sub_fetch(&rcu_readers, 1, __ATOMIC_SEQ_CST);
}

bool standin_rcu_held(void)
{
	return rcu_depth;
}

void standin_rcu_drain(void)
{
	struct rcu_head *head = xchg(&rcu_waiting, NULL);

	while (head) {
		struct rcu_head *next = head->next;

		if (head->func)
			head->func(head);
		else
			standin_free(head->object);
		head = next;
	}
}

/*
 * Readers that come meanwhile are waited for as well: stricter than RCU, and
 * enough here.
 */
void synchronize_rcu(void)
{
	unsigned long cookie;

	standin_might_sleep(__func__);
	if (rcu_depth)
		standin_die("synchronize_rcu: in a read section");
	cookie = __atomic_add_fetch(&rcu_started, 1, __ATOMIC_SEQ_CST);
	spins = 0;
	while (__atomic_load_n(&rcu_readers, __ATOMIC_SEQ_CST))
		spin(__func__);
	__atomic_add_fetch(&standin_grace_periods, 1, __ATOMIC_RELAXED);
	if (__atomic_load_n(&rcu_completed, __ATOMIC_SEQ_CST) < cookie)
		__atomic_store_n(&rcu_completed, cookie, __ATOMIC_SEQ_CST);
	standin_rcu_drain();
}

unsigned long get_state_synchronize_rcu(void)
{
	return __atomic_load_n(&rcu_started, __ATOMIC_SEQ_CST) + 1;
}

unsigned long get_completed_synchronize_rcu(void)
{
	return 0;
}

void cond_synchronize_rcu(unsigned long cookie)
{
	standin_might_sleep(__func__);
	if (__atomic_load_n(&rcu_completed, __ATOMIC_SEQ_CST) < cookie)
		synchronize_rcu();
}

static void rcu_queue(struct rcu_head *head)
{
	head->next = READ_ONCE(rcu_waiting);
	while (!try_cmpxchg(&rcu_waiting, &head->next, head))
		;
}

void call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head))
{
	head->func = func;
	head->object = NULL;
	rcu_queue(head);
}

void standin_free_rcu(struct rcu_head *head, void *object)
{
	head->func = NULL;
	head->object = object;
	rcu_queue(head);
}

void synchronize_srcu(struct srcu_struct *s)
{
	standin_might_sleep(__func__);
	spins = 0;
	while (atomic_read(&s->readers))
		spin(__func__);
}

/* ---- memory ------------------------------------------------------------ */

static unsigned long live_allocs, nr_allocs, fail_countdown;
static bool fail_on;

void standin_fail_alloc(unsigned long nth, bool on)
{
	fail_countdown = nth;
	fail_on = on;
}

unsigned long standin_live_allocs(void)
{
	return __atomic_load_n(&live_allocs, __ATOMIC_RELAXED);
}

unsigned long standin_nr_allocs(void)
{
	return __atomic_load_n(&nr_allocs, __ATOMIC_RELAXED);
}

static bool alloc_fails(gfp_t gfp)
{
	__atomic_add_fetch(&nr_allocs, 1, __ATOMIC_RELAXED);
	if (!fail_countdown || gfp & __GFP_NOFAIL)
		return false;
	if (fail_countdown == 1) {
		if (!fail_on)
			fail_countdown = 0;
		return true;
	}
	fail_countdown--;
	return false;
}

/* Powers of two are aligned to themselves, up to a page, as in the kernel. */
void *standin_alloc(size_t size, gfp_t gfp, const char *where)
{
	size_t align = 16;
	void *p;

	if (gfp & STANDIN_GFP_SLEEPS)
		standin_might_sleep(where);
	if (alloc_fails(gfp))
		return NULL;
	if (size > 1UL << 32)
		return NULL;
	if (is_power_of_2(size) && size > align)
		align = size < PAGE_SIZE ? size : PAGE_SIZE;
	if (posix_memalign(&p, align, size ? size : 1))
		return NULL;
	__atomic_add_fetch(&live_allocs, 1, __ATOMIC_RELAXED);
	memset(p, gfp & __GFP_ZERO ? 0 : 0xa5, size);
	return p;
}

void standin_free(const void *p)
{
	if (!p || IS_ERR(p))
		return;
	__atomic_sub_fetch(&live_allocs, 1, __ATOMIC_RELAXED);
	free((void *)p);
}

void *standin_realloc(void *old, size_t size, gfp_t gfp, const char *where)
{
	if (gfp & STANDIN_GFP_SLEEPS)
		standin_might_sleep(where);
	if (alloc_fails(gfp))
		return NULL;
	if (!old)
		__atomic_add_fetch(&live_allocs, 1, __ATOMIC_RELAXED);
	return realloc(old, size);
}

char *standin_strndup(const char *s, size_t max, gfp_t gfp, const char *where)
{
	size_t n;
	char *copy;

	if (!s)
		return NULL;
	n = strnlen(s, max);
	copy = standin_alloc(n + 1, gfp, where);
	if (copy) {
		memcpy(copy, s, n);
		copy[n] = 0;
	}
	return copy;
}

char *kvasprintf(gfp_t gfp, const char *fmt, va_list args)
{
	char text[8192];

	vsnprintf(text, sizeof(text), fmt, args);
	return standin_strndup(text, sizeof(text), gfp, __func__);
}

char *kasprintf(gfp_t gfp, const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	text = kvasprintf(gfp, fmt, args);
	va_end(args);
	return text;
}

struct kmem_cache *kmem_cache_create(const char *name, size_t size,
				     unsigned int align, unsigned int flags,
				     void (*ctor)(void *object))
{
	struct kmem_cache *c = kzalloc(sizeof(*c), GFP_KERNEL);

	(void)name;
	(void)align;
	(void)flags;
	if (c) {
		c->size = size;
		c->ctor = ctor;
	}
	return c;
}

void kmem_cache_destroy(struct kmem_cache *c)
{
	standin_free(c);
}

struct page *standin_alloc_page(gfp_t gfp, const char *where)
{
	struct page *p = standin_alloc(sizeof(*p), gfp | __GFP_ZERO, where);

	if (!p)
		return NULL;
	p->virtual = standin_alloc(PAGE_SIZE, gfp, where);
	if (!p->virtual) {
		standin_free(p);
		return NULL;
	}
	return p;
}

void standin_free_page(struct page *p)
{
	standin_free(p->virtual);
	standin_free(p);
}

/* ---- seq_file, numbers ------------------------------------------------- */

void seq_printf(struct seq_file *m, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (m->count + n + 1 > m->size) {
		m->size = (m->count + n + 1) * 2;
		m->buf = realloc(m->buf, m->size);
		if (!m->buf)
			standin_die("seq_printf: no memory");
	}
	va_start(args, fmt);
	vsnprintf(m->buf + m->count, n + 1, fmt, args);
	va_end(args);
	m->count += n;
}

int kstrtou64(const char *s, unsigned int base, u64 *v)
{
	char *end;

	errno = 0;
	if (!isxdigit((unsigned char)*s))
		return -EINVAL;
	*v = strtoull(s, &end, base);
	if (*end == '\n')
		end++;
	if (*end)
		return -EINVAL;
	return errno ? -ERANGE : 0;
}

int kstrtouint(const char *s, unsigned int base, unsigned int *v)
{
	u64 wide;
	int ret = kstrtou64(s, base, &wide);

	if (ret)
		return ret;
	if (wide > UINT_MAX)
		return -ERANGE;
	*v = wide;
	return 0;
}
