/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stand-in, same meaning and more checks: locks, RCU, lockdep. They work between
 * threads, and die when a thread takes a lock twice, takes a lock that was never
 * initialised, gives one back that it does not hold, or sleeps where it may not.
 */
#ifndef STANDIN_LOCKS_H
#define STANDIN_LOCKS_H

#include <pthread.h>
#include <standin/atomic.h>

#define STANDIN_LOCK_MAGIC	0x10c4ed5u

struct standin_lock {
	unsigned int magic;
	unsigned int writer;		/* held, and by whom */
	int readers;
	pthread_t owner;
};

#define STANDIN_LOCK_INIT	{ .magic = STANDIN_LOCK_MAGIC }

void standin_lock_init(struct standin_lock *l);
void standin_lock(struct standin_lock *l, const char *where);
bool standin_trylock(struct standin_lock *l, const char *where);
void standin_unlock(struct standin_lock *l, const char *where);
void standin_read_lock(struct standin_lock *l, const char *where);
void standin_read_unlock(struct standin_lock *l, const char *where);
bool standin_lock_mine(const struct standin_lock *l);

struct mutex { struct standin_lock l; };
struct rw_semaphore { struct standin_lock l; };
typedef struct raw_spinlock { struct standin_lock l; } raw_spinlock_t;
typedef struct spinlock { struct standin_lock l; } spinlock_t;
typedef struct rwlock { struct standin_lock l; } rwlock_t;

struct lock_class_key { int unused; };

#define DEFINE_MUTEX(n)		struct mutex n = { STANDIN_LOCK_INIT }
#define DEFINE_SPINLOCK(n)	spinlock_t n = { STANDIN_LOCK_INIT }
#define DEFINE_RAW_SPINLOCK(n)	raw_spinlock_t n = { STANDIN_LOCK_INIT }
#define DECLARE_RWSEM(n)	struct rw_semaphore n = { STANDIN_LOCK_INIT }

#define mutex_init(m)		standin_lock_init(&(m)->l)
#define mutex_lock_nested(m, s)	mutex_lock(m)
#define init_rwsem(s)		standin_lock_init(&(s)->l)
#define spin_lock_init(s)	standin_lock_init(&(s)->l)
#define raw_spin_lock_init(s)	standin_lock_init(&(s)->l)
#define rwlock_init(s)		standin_lock_init(&(s)->l)
#define lockdep_set_class(l, k)	((void)(k))

#define mutex_destroy(m) do {						\
	if ((m)->l.writer)						\
		standin_die("%s: destroyed while held", __func__);	\
	(m)->l.magic = 0; } while (0)
#define mutex_lock(m)							\
	(standin_might_sleep(__func__), standin_lock(&(m)->l, __func__))
#define mutex_trylock(m)	standin_trylock(&(m)->l, __func__)
#define mutex_lock_interruptible(m)	(mutex_lock(m), 0)
#define mutex_lock_killable(m)	(mutex_lock(m), 0)
#define mutex_unlock(m)		standin_unlock(&(m)->l, __func__)
#define mutex_is_locked(m)	(!!(m)->l.writer)

#define down_write(s)							\
	(standin_might_sleep(__func__), standin_lock(&(s)->l, __func__))
#define up_write(s)		standin_unlock(&(s)->l, __func__)
#define down_read(s)							\
	(standin_might_sleep(__func__), standin_read_lock(&(s)->l, __func__))
#define up_read(s)		standin_read_unlock(&(s)->l, __func__)

#define raw_spin_lock(s)						\
	(standin_atomic_enter(), standin_lock(&(s)->l, __func__))
#define raw_spin_unlock(s)						\
	(standin_unlock(&(s)->l, __func__), standin_atomic_exit())
#define raw_spin_lock_irqsave(s, f)					\
	do { (f) = 0; raw_spin_lock(s); } while (0)
#define raw_spin_unlock_irqrestore(s, f)				\
	do { (void)(f); raw_spin_unlock(s); } while (0)
#define raw_spin_lock_irq(s)	raw_spin_lock(s)
#define raw_spin_unlock_irq(s)	raw_spin_unlock(s)
static inline bool standin_spin_trylock(struct standin_lock *l)
{
	if (!standin_trylock(l, __func__))
		return false;
	standin_atomic_enter();
	return true;
}

#define raw_spin_trylock(s)	standin_spin_trylock(&(s)->l)
#define raw_spin_trylock_irqsave(s, f)	((f) = 0, raw_spin_trylock(s))
#define spin_lock(s)		raw_spin_lock(s)
#define spin_unlock(s)		raw_spin_unlock(s)
#define spin_lock_bh(s)		raw_spin_lock(s)
#define spin_unlock_bh(s)	raw_spin_unlock(s)
#define spin_lock_irq(s)	raw_spin_lock(s)
#define spin_unlock_irq(s)	raw_spin_unlock(s)
#define spin_lock_irqsave(s, f)	raw_spin_lock_irqsave(s, f)
#define spin_unlock_irqrestore(s, f)	raw_spin_unlock_irqrestore(s, f)
#define spin_trylock(s)		raw_spin_trylock(s)
#define spin_trylock_irqsave(s, f)	raw_spin_trylock_irqsave(s, f)
#define spin_is_locked(s)	(!!(s)->l.writer)
#define read_lock(s)							\
	(standin_atomic_enter(), standin_read_lock(&(s)->l, __func__))
#define read_unlock(s)							\
	(standin_read_unlock(&(s)->l, __func__), standin_atomic_exit())
#define write_lock(s)		raw_spin_lock(s)
#define write_unlock(s)		raw_spin_unlock(s)

#define lockdep_is_held(x)	standin_lock_mine(&(x)->l)
#define lockdep_assert(c)						\
	do { if (!(c)) standin_die("%s: %s", __func__, #c); } while (0)
#define lockdep_assert_held(x)						\
	do { if (!lockdep_is_held(x))					\
		standin_die("%s: %s is not held", __func__, #x); } while (0)
#define lockdep_assert_held_write(x)					\
	do { if (!(x)->l.writer)					\
		standin_die("%s: %s is not held", __func__, #x); } while (0)
#define lockdep_assert_held_read(x)					\
	do { if (!(x)->l.readers)					\
		standin_die("%s: %s is not held", __func__, #x); } while (0)
#define lockdep_assert_not_held(x)					\
	do { if ((x)->l.writer && lockdep_is_held(x))			\
		standin_die("%s: %s is held", __func__, #x); } while (0)
#define lockdep_assert_irqs_disabled()	((void)0)
#define lockdep_assert_once(c)	lockdep_assert(c)

#define local_irq_save(f)	do { (f) = 0; standin_atomic_enter(); } while (0)
#define local_irq_restore(f)	do { (void)(f); standin_atomic_exit(); } while (0)
#define local_irq_disable()	standin_atomic_enter()
#define local_irq_enable()	standin_atomic_exit()
#define preempt_disable()	standin_atomic_enter()
#define preempt_enable()	standin_atomic_exit()
#define irqs_disabled()		standin_in_atomic()
#define in_hardirq()		standin_in_atomic()
#define in_atomic()		standin_in_atomic()

void standin_rcu_read_lock(void);
void standin_rcu_read_unlock(void);
bool standin_rcu_held(void);
void synchronize_rcu(void);
unsigned long get_state_synchronize_rcu(void);
unsigned long get_completed_synchronize_rcu(void);
void cond_synchronize_rcu(unsigned long cookie);
void call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head));
void standin_free_rcu(struct rcu_head *head, void *object);

#define synchronize_rcu_expedited()	synchronize_rcu()
#define cond_synchronize_rcu_expedited(c) cond_synchronize_rcu(c)
#define rcu_barrier()			synchronize_rcu()
#define rcu_read_lock()			standin_rcu_read_lock()
#define rcu_read_unlock()		standin_rcu_read_unlock()
#define rcu_read_lock_held()		standin_rcu_held()
#define rcu_dereference_raw(p)		__atomic_load_n(&(p), __ATOMIC_ACQUIRE)
#define rcu_dereference(p) ({						\
	if (!standin_rcu_held())					\
		standin_die("%s: RCU pointer read outside", __func__);	\
	rcu_dereference_raw(p); })
#define rcu_dereference_check(p, c) ({					\
	if (!standin_rcu_held() && !(c))				\
		standin_die("%s: RCU pointer read outside", __func__);	\
	rcu_dereference_raw(p); })
#define rcu_dereference_protected(p, c) ({				\
	if (!(c))							\
		standin_die("%s: RCU pointer unprotected", __func__);	\
	(p); })
#define rcu_access_pointer(p)		READ_ONCE(p)
#define rcu_assign_pointer(p, v)	__atomic_store_n(&(p), (v), __ATOMIC_RELEASE)
#define RCU_INIT_POINTER(p, v)		WRITE_ONCE(p, v)
#define rcu_replace_pointer(p, v, c) ({					\
	__typeof__(p) __was = rcu_dereference_protected(p, c);		\
	rcu_assign_pointer(p, v);					\
	__was; })
#define kfree_rcu(p, member)	standin_free_rcu(&(p)->member, (p))
#define kvfree_rcu(p, member)	kfree_rcu(p, member)

struct srcu_struct {
	atomic_t readers;
};

static inline int init_srcu_struct(struct srcu_struct *s)
{
	atomic_set(&s->readers, 0);
	return 0;
}

static inline int srcu_read_lock(struct srcu_struct *s)
{
	atomic_inc(&s->readers);
	return 1;
}

static inline void srcu_read_unlock(struct srcu_struct *s, int index)
{
	if (index != 1 || atomic_dec_return(&s->readers) < 0)
		standin_die("srcu: unlocked without being locked");
}

void synchronize_srcu(struct srcu_struct *s);
#define synchronize_srcu_expedited(s)	synchronize_srcu(s)
#define srcu_dereference(p, s)		rcu_dereference_raw(p)
#define srcu_dereference_check(p, s, c)	rcu_dereference_raw(p)

static inline void cleanup_srcu_struct(struct srcu_struct *s)
{
	if (atomic_read(&s->readers))
		standin_die("srcu: destroyed with readers");
}

typedef struct seqcount {
	unsigned int sequence;
} seqcount_t;

#define seqcount_init(s)	((s)->sequence = 0)
#define write_seqcount_begin(s)						\
	do { WRITE_ONCE((s)->sequence, (s)->sequence + 1); smp_wmb(); } while (0)
#define write_seqcount_end(s)						\
	do { smp_wmb(); WRITE_ONCE((s)->sequence, (s)->sequence + 1); } while (0)

static inline unsigned int read_seqcount_begin(const seqcount_t *s)
{
	unsigned int v;

	while ((v = smp_load_acquire(&s->sequence)) & 1)
		;
	return v;
}

static inline bool read_seqcount_retry(const seqcount_t *s, unsigned int v)
{
	smp_rmb();
	return READ_ONCE(s->sequence) != v;
}

#endif /* STANDIN_LOCKS_H */
