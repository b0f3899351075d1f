/* SPDX-License-Identifier: GPL-2.0 */
/* Stand-in, same meaning: atomic counters, references, bit maps. */
#ifndef STANDIN_ATOMIC_H
#define STANDIN_ATOMIC_H

#include <standin/kernel.h>

#define ATOMIC_INIT(v)		{ (v) }
#define ATOMIC64_INIT(v)	{ (v) }
#define ATOMIC_LONG_INIT(v)	{ (v) }

#define STANDIN_ATOMIC(prefix, type, num)				\
static inline num prefix##_read(const type *a)				\
{ return __atomic_load_n(&a->counter, __ATOMIC_RELAXED); }		\
static inline num prefix##_read_acquire(const type *a)			\
{ return __atomic_load_n(&a->counter, __ATOMIC_ACQUIRE); }		\
static inline void prefix##_set(type *a, num v)				\
{ __atomic_store_n(&a->counter, v, __ATOMIC_RELAXED); }			\
static inline void prefix##_set_release(type *a, num v)			\
{ __atomic_store_n(&a->counter, v, __ATOMIC_RELEASE); }			\
static inline void prefix##_add(num v, type *a)				\
{ __atomic_add_fetch(&a->counter, v, __ATOMIC_RELAXED); }		\
static inline void prefix##_sub(num v, type *a)				\
{ __atomic_sub_fetch(&a->counter, v, __ATOMIC_RELAXED); }		\
static inline num prefix##_add_return(num v, type *a)			\
{ return __atomic_add_fetch(&a->counter, v, __ATOMIC_SEQ_CST); }	\
static inline num prefix##_sub_return(num v, type *a)			\
{ return __atomic_sub_fetch(&a->counter, v, __ATOMIC_SEQ_CST); }	\
static inline num prefix##_fetch_add(num v, type *a)			\
{ return __atomic_fetch_add(&a->counter, v, __ATOMIC_SEQ_CST); }	\
static inline num prefix##_fetch_sub(num v, type *a)			\
{ return __atomic_fetch_sub(&a->counter, v, __ATOMIC_SEQ_CST); }	\
static inline num prefix##_fetch_or(num v, type *a)			\
{ return __atomic_fetch_or(&a->counter, v, __ATOMIC_SEQ_CST); }		\
static inline num prefix##_fetch_and(num v, type *a)			\
{ return __atomic_fetch_and(&a->counter, v, __ATOMIC_SEQ_CST); }	\
static inline void prefix##_or(num v, type *a)				\
{ __atomic_fetch_or(&a->counter, v, __ATOMIC_RELAXED); }		\
static inline void prefix##_and(num v, type *a)				\
{ __atomic_fetch_and(&a->counter, v, __ATOMIC_RELAXED); }		\
static inline num prefix##_xchg(type *a, num v)				\
{ return __atomic_exchange_n(&a->counter, v, __ATOMIC_SEQ_CST); }	\
static inline num prefix##_cmpxchg(type *a, num o, num n)		\
{ __atomic_compare_exchange_n(&a->counter, &o, n, 0, __ATOMIC_SEQ_CST,	\
			      __ATOMIC_SEQ_CST); return o; }		\
static inline bool prefix##_try_cmpxchg(type *a, num *o, num n)		\
{ return __atomic_compare_exchange_n(&a->counter, o, n, 0,		\
			      __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); }	\
static inline void prefix##_inc(type *a) { prefix##_add(1, a); }	\
static inline void prefix##_dec(type *a) { prefix##_sub(1, a); }	\
static inline num prefix##_inc_return(type *a)				\
{ return prefix##_add_return(1, a); }					\
static inline num prefix##_dec_return(type *a)				\
{ return prefix##_sub_return(1, a); }					\
static inline num prefix##_fetch_inc(type *a)				\
{ return prefix##_fetch_add(1, a); }					\
static inline bool prefix##_inc_and_test(type *a)			\
{ return !prefix##_add_return(1, a); }					\
static inline bool prefix##_dec_and_test(type *a)			\
{ return !prefix##_sub_return(1, a); }					\
static inline bool prefix##_sub_and_test(num v, type *a)		\
{ return !prefix##_sub_return(v, a); }					\
static inline bool prefix##_add_unless(type *a, num v, num u)		\
{									\
	num c = prefix##_read(a);					\
									\
	while (c != u)							\
		if (prefix##_try_cmpxchg(a, &c, c + v))			\
			return true;					\
	return false;							\
}									\
static inline bool prefix##_inc_not_zero(type *a)			\
{ return prefix##_add_unless(a, 1, 0); }

STANDIN_ATOMIC(atomic, atomic_t, int)
STANDIN_ATOMIC(atomic64, atomic64_t, s64)
STANDIN_ATOMIC(atomic_long, atomic_long_t, long)

typedef struct refcount_struct {
	atomic_t refs;
} refcount_t;

#define REFCOUNT_INIT(n)	{ .refs = ATOMIC_INIT(n) }

static inline void refcount_set(refcount_t *r, int n)
{
	atomic_set(&r->refs, n);
}

static inline unsigned int refcount_read(const refcount_t *r)
{
	return atomic_read(&r->refs);
}

static inline void refcount_add(int n, refcount_t *r)
{
	if (atomic_fetch_add(n, &r->refs) <= 0)
		standin_die("refcount: taken when it was not held");
}

static inline void refcount_inc(refcount_t *r)
{
	refcount_add(1, r);
}

static inline bool refcount_inc_not_zero(refcount_t *r)
{
	return atomic_inc_not_zero(&r->refs);
}

static inline bool refcount_sub_and_test(int n, refcount_t *r)
{
	int left = atomic_sub_return(n, &r->refs);

	if (left < 0)
		standin_die("refcount: dropped below zero");
	return !left;
}

static inline bool refcount_dec_and_test(refcount_t *r)
{
	return refcount_sub_and_test(1, r);
}

static inline void refcount_dec(refcount_t *r)
{
	if (refcount_dec_and_test(r))
		standin_die("refcount: dropped to zero unseen");
}

struct kref {
	refcount_t refcount;
};

static inline void kref_init(struct kref *k) { refcount_set(&k->refcount, 1); }
static inline void kref_get(struct kref *k) { refcount_inc(&k->refcount); }
static inline unsigned int kref_read(const struct kref *k)
{
	return refcount_read(&k->refcount);
}

static inline int kref_get_unless_zero(struct kref *k)
{
	return refcount_inc_not_zero(&k->refcount);
}

static inline int kref_put(struct kref *k, void (*release)(struct kref *k))
{
	if (!refcount_dec_and_test(&k->refcount))
		return 0;
	release(k);
	return 1;
}

static inline bool test_bit(long n, const unsigned long *m)
{
	return __atomic_load_n(&m[BIT_WORD(n)], __ATOMIC_RELAXED) & BIT_MASK(n);
}

static inline void set_bit(long n, unsigned long *m)
{
	__atomic_fetch_or(&m[BIT_WORD(n)], BIT_MASK(n), __ATOMIC_RELAXED);
}

static inline void clear_bit(long n, unsigned long *m)
{
	__atomic_fetch_and(&m[BIT_WORD(n)], ~BIT_MASK(n), __ATOMIC_RELAXED);
}

static inline void change_bit(long n, unsigned long *m)
{
	__atomic_fetch_xor(&m[BIT_WORD(n)], BIT_MASK(n), __ATOMIC_RELAXED);
}

static inline bool test_and_set_bit(long n, unsigned long *m)
{
	return __atomic_fetch_or(&m[BIT_WORD(n)], BIT_MASK(n),
				 __ATOMIC_SEQ_CST) & BIT_MASK(n);
}

static inline bool test_and_clear_bit(long n, unsigned long *m)
{
	return __atomic_fetch_and(&m[BIT_WORD(n)], ~BIT_MASK(n),
				  __ATOMIC_SEQ_CST) & BIT_MASK(n);
}

#define __set_bit(n, m)			set_bit(n, m)
#define __clear_bit(n, m)		clear_bit(n, m)
#define __change_bit(n, m)		change_bit(n, m)
#define __test_and_set_bit(n, m)	test_and_set_bit(n, m)
#define __test_and_clear_bit(n, m)	test_and_clear_bit(n, m)
#define test_and_set_bit_lock(n, m)	test_and_set_bit(n, m)
#define assign_bit(n, m, v)	((v) ? set_bit(n, m) : clear_bit(n, m))
#define __assign_bit(n, m, v)	assign_bit(n, m, v)

static inline void clear_bit_unlock(long n, unsigned long *m)
{
	__atomic_fetch_and(&m[BIT_WORD(n)], ~BIT_MASK(n), __ATOMIC_RELEASE);
}

static inline unsigned long find_next_bit(const unsigned long *m,
					  unsigned long size, unsigned long n)
{
	while (n < size && !test_bit(n, m))
		n++;
	return n < size ? n : size;
}

static inline unsigned long find_next_zero_bit(const unsigned long *m,
					       unsigned long size,
					       unsigned long n)
{
	while (n < size && test_bit(n, m))
		n++;
	return n < size ? n : size;
}

static inline unsigned long find_last_bit(const unsigned long *m,
					  unsigned long size)
{
	unsigned long n;

	for (n = size; n; n--)
		if (test_bit(n - 1, m))
			return n - 1;
	return size;
}

#define find_first_bit(m, s)		find_next_bit(m, s, 0)
#define find_first_zero_bit(m, s)	find_next_zero_bit(m, s, 0)
#define for_each_set_bit(n, m, s)					\
	for ((n) = find_first_bit(m, s); (n) < (s);			\
	     (n) = find_next_bit(m, s, (n) + 1))
#define for_each_clear_bit(n, m, s)					\
	for ((n) = find_first_zero_bit(m, s); (n) < (s);		\
	     (n) = find_next_zero_bit(m, s, (n) + 1))
#define bitmap_empty(m, s)		(find_first_bit(m, s) == (s))
#define bitmap_full(m, s)		(find_first_zero_bit(m, s) == (s))

static inline void bitmap_set(unsigned long *m, unsigned int start,
			      unsigned int nr)
{
	while (nr--)
		set_bit(start++, m);
}

static inline void bitmap_clear(unsigned long *m, unsigned int start,
				unsigned int nr)
{
	while (nr--)
		clear_bit(start++, m);
}

static inline void bitmap_zero(unsigned long *m, unsigned int nr)
{
	bitmap_clear(m, 0, ALIGN(nr, BITS_PER_LONG));
}

static inline void bitmap_fill(unsigned long *m, unsigned int nr)
{
	bitmap_set(m, 0, ALIGN(nr, BITS_PER_LONG));
}

static inline unsigned int bitmap_weight(const unsigned long *m,
					 unsigned int nr)
{
	unsigned int n, w = 0;

	for_each_set_bit(n, m, nr)
		w++;
	return w;
}

#endif /* STANDIN_ATOMIC_H */
