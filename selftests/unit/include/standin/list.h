/* SPDX-License-Identifier: GPL-2.0 */
/* Stand-in, same meaning: linked lists. */
#ifndef STANDIN_LIST_H
#define STANDIN_LIST_H

#include <standin/kernel.h>

#define LIST_HEAD_INIT(n)	{ &(n), &(n) }
#define LIST_HEAD(n)		struct list_head n = LIST_HEAD_INIT(n)

static inline void INIT_LIST_HEAD(struct list_head *h)
{
	h->next = h;
	h->prev = h;
}

static inline void standin_link(struct list_head *n, struct list_head *prev,
				struct list_head *next)
{
	if (prev->next != next || next->prev != prev)
		standin_die("list: corrupt");
	n->prev = prev;
	n->next = next;
	prev->next = n;
	next->prev = n;
}

static inline void list_add(struct list_head *n, struct list_head *h)
{
	standin_link(n, h, h->next);
}

static inline void list_add_tail(struct list_head *n, struct list_head *h)
{
	standin_link(n, h->prev, h);
}

static inline void __list_del_entry(struct list_head *n)
{
	if (!n->next || n->next->prev != n || n->prev->next != n)
		standin_die("list: deleting what is in none");
	n->next->prev = n->prev;
	n->prev->next = n->next;
}

static inline void list_del(struct list_head *n)
{
	__list_del_entry(n);
	n->next = NULL;
	n->prev = NULL;
}

static inline void list_del_init(struct list_head *n)
{
	__list_del_entry(n);
	INIT_LIST_HEAD(n);
}

static inline bool list_empty(const struct list_head *h)
{
	return READ_ONCE(h->next) == h;
}

#define list_empty_careful(h)	list_empty(h)

static inline bool list_is_singular(const struct list_head *h)
{
	return !list_empty(h) && h->next == h->prev;
}

static inline bool list_is_last(const struct list_head *n,
				const struct list_head *h)
{
	return n->next == h;
}

static inline void list_move(struct list_head *n, struct list_head *h)
{
	__list_del_entry(n);
	list_add(n, h);
}

static inline void list_move_tail(struct list_head *n, struct list_head *h)
{
	__list_del_entry(n);
	list_add_tail(n, h);
}

static inline void list_splice_tail(struct list_head *from, struct list_head *h)
{
	if (list_empty(from))
		return;
	from->next->prev = h->prev;
	h->prev->next = from->next;
	from->prev->next = h;
	h->prev = from->prev;
}

static inline void list_splice(struct list_head *from, struct list_head *h)
{
	if (list_empty(from))
		return;
	from->prev->next = h->next;
	h->next->prev = from->prev;
	from->next->prev = h;
	h->next = from->next;
}

static inline void list_splice_init(struct list_head *from, struct list_head *h)
{
	list_splice(from, h);
	INIT_LIST_HEAD(from);
}

static inline void list_splice_tail_init(struct list_head *from,
					 struct list_head *h)
{
	list_splice_tail(from, h);
	INIT_LIST_HEAD(from);
}

static inline size_t list_count_nodes(struct list_head *h)
{
	struct list_head *p;
	size_t n = 0;

	for (p = h->next; p != h; p = p->next)
		n++;
	return n;
}

#define list_entry(p, t, m)		container_of(p, t, m)
#define list_first_entry(h, t, m)	list_entry((h)->next, t, m)
#define list_last_entry(h, t, m)	list_entry((h)->prev, t, m)
#define list_next_entry(p, m)						\
	list_entry((p)->m.next, __typeof__(*(p)), m)
#define list_first_entry_or_null(h, t, m)				\
	(list_empty(h) ? NULL : list_first_entry(h, t, m))
#define list_for_each(p, h)						\
	for ((p) = (h)->next; (p) != (h); (p) = (p)->next)
#define list_for_each_safe(p, n, h)					\
	for ((p) = (h)->next, (n) = (p)->next; (p) != (h);		\
	     (p) = (n), (n) = (p)->next)
#define list_for_each_entry(p, h, m)					\
	for ((p) = list_entry((h)->next, __typeof__(*(p)), m);		\
	     &(p)->m != (h);						\
	     (p) = list_entry((p)->m.next, __typeof__(*(p)), m))
#define list_for_each_entry_reverse(p, h, m)				\
	for ((p) = list_entry((h)->prev, __typeof__(*(p)), m);		\
	     &(p)->m != (h);						\
	     (p) = list_entry((p)->m.prev, __typeof__(*(p)), m))
#define list_for_each_entry_safe(p, n, h, m)				\
	for ((p) = list_entry((h)->next, __typeof__(*(p)), m),		\
	     (n) = list_entry((p)->m.next, __typeof__(*(p)), m);	\
	     &(p)->m != (h);						\
	     (p) = (n), (n) = list_entry((n)->m.next, __typeof__(*(n)), m))
#define list_add_rcu(n, h)		list_add(n, h)
#define list_add_tail_rcu(n, h)		list_add_tail(n, h)
#define list_del_rcu(n)			__list_del_entry(n)
#define list_for_each_entry_rcu(p, h, m, ...) list_for_each_entry(p, h, m)

struct llist_node {
	struct llist_node *next;
};

struct llist_head {
	struct llist_node *first;
};

#define LLIST_HEAD_INIT(n)	{ NULL }
#define LLIST_HEAD(n)		struct llist_head n = LLIST_HEAD_INIT(n)

static inline void init_llist_head(struct llist_head *h)
{
	h->first = NULL;
}

static inline bool llist_empty(const struct llist_head *h)
{
	return !READ_ONCE(h->first);
}

/* True when the list was empty. */
static inline bool llist_add(struct llist_node *n, struct llist_head *h)
{
	struct llist_node *first = READ_ONCE(h->first);

	do {
		n->next = first;
	} while (!try_cmpxchg(&h->first, &first, n));
	return !first;
}

static inline struct llist_node *llist_del_all(struct llist_head *h)
{
	return xchg(&h->first, NULL);
}

static inline struct llist_node *llist_reverse_order(struct llist_node *n)
{
	struct llist_node *done = NULL;

	while (n) {
		struct llist_node *next = n->next;

		n->next = done;
		done = n;
		n = next;
	}
	return done;
}

#define llist_entry(p, t, m)	container_of(p, t, m)
#define llist_for_each_entry_safe(p, n, node, m)			\
	for ((p) = (node) ? llist_entry(node, __typeof__(*(p)), m) : NULL;\
	     (p) && ((n) = (p)->m.next ?				\
		     llist_entry((p)->m.next, __typeof__(*(p)), m) : NULL,\
		     1);						\
	     (p) = (n))
#define llist_for_each_entry(p, node, m)				\
	for ((p) = (node) ? llist_entry(node, __typeof__(*(p)), m) : NULL;\
	     (p);							\
	     (p) = (p)->m.next ?					\
		   llist_entry((p)->m.next, __typeof__(*(p)), m) : NULL)

#endif /* STANDIN_LIST_H */
