/* SPDX-License-Identifier: GPL-2.0 */
/* Stand-in: memory. Allocations fail when the test says so. */
#ifndef STANDIN_MEM_H
#define STANDIN_MEM_H

#include <string.h>
#include <standin/atomic.h>
#include <standin/list.h>

#define GFP_KERNEL		0x01u
#define GFP_ATOMIC		0x02u
#define GFP_NOWAIT		0x02u
#define GFP_NOIO		0x01u
#define GFP_NOFS		0x01u
#define GFP_KERNEL_ACCOUNT	0x01u
#define __GFP_ZERO		0x10u
#define __GFP_NOWARN		0x20u
#define __GFP_NORETRY		0x40u
#define __GFP_NOFAIL		0x80u
#define __GFP_RETRY_MAYFAIL	0x100u
#define __GFP_HIGHMEM		0x200u
#define STANDIN_GFP_SLEEPS	0x01u

void *standin_alloc(size_t size, gfp_t gfp, const char *where);
void *standin_realloc(void *p, size_t size, gfp_t gfp, const char *where);
void standin_free(const void *p);

static inline void *standin_alloc_array(size_t n, size_t size, gfp_t gfp,
					const char *where)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return standin_alloc(bytes, gfp, where);
}

#define kmalloc(s, g)		standin_alloc(s, g, __func__)
#define kzalloc(s, g)		standin_alloc(s, (g) | __GFP_ZERO, __func__)
#define kmalloc_array(n, s, g)	standin_alloc_array(n, s, g, __func__)
#define kcalloc(n, s, g)						\
	standin_alloc_array(n, s, (g) | __GFP_ZERO, __func__)
#define kmalloc_node(s, g, n)	((void)(n), kmalloc(s, g))
#define kzalloc_node(s, g, n)	((void)(n), kzalloc(s, g))
#define kcalloc_node(c, s, g, n)	((void)(n), kcalloc(c, s, g))
#define kvmalloc(s, g)		kmalloc(s, g)
#define kvzalloc(s, g)		kzalloc(s, g)
#define kvmalloc_array(n, s, g)	kmalloc_array(n, s, g)
#define kvcalloc(n, s, g)	kcalloc(n, s, g)
#define vmalloc(s)		kmalloc(s, GFP_KERNEL)
#define vzalloc(s)		kzalloc(s, GFP_KERNEL)
#define vcalloc(n, s)		kcalloc(n, s, GFP_KERNEL)
#define krealloc(p, s, g)	standin_realloc(p, s, g, __func__)
#define kfree(p)		standin_free(p)
#define kvfree(p)		standin_free(p)
#define vfree(p)		standin_free(p)
#define kfree_sensitive(p)	standin_free(p)
#define kfree_const(p)		standin_free(p)
#define ksize(p)		0
#define ZERO_OR_NULL_PTR(p)	(!(p))
char *standin_strndup(const char *s, size_t max, gfp_t gfp, const char *where);
#define kstrdup(s, g)		standin_strndup(s, SIZE_MAX, g, __func__)
#define kstrndup(s, n, g)	standin_strndup(s, n, g, __func__)
char *kvasprintf(gfp_t gfp, const char *fmt, va_list args);
char *kasprintf(gfp_t gfp, const char *fmt, ...) __printf(2, 3);

static inline void *kmemdup(const void *from, size_t n, gfp_t gfp)
{
	void *p = standin_alloc(n, gfp, __func__);

	if (p)
		memcpy(p, from, n);
	return p;
}

struct kmem_cache {
	size_t size;
	void (*ctor)(void *object);
};

struct kmem_cache *kmem_cache_create(const char *name, size_t size,
				     unsigned int align, unsigned int flags,
				     void (*ctor)(void *object));
void kmem_cache_destroy(struct kmem_cache *c);
#define KMEM_CACHE(s, flags)						\
	kmem_cache_create(#s, sizeof(struct s), __alignof__(struct s), flags, NULL)
#define SLAB_HWCACHE_ALIGN	0
#define kmem_cache_alloc(c, g)	standin_alloc((c)->size, g, __func__)
#define kmem_cache_zalloc(c, g)						\
	standin_alloc((c)->size, (g) | __GFP_ZERO, __func__)
#define kmem_cache_free(c, p)	((void)(c), standin_free(p))

/* ---- pages ------------------------------------------------------------- */

#define PAGE_SHIFT		12
#undef PAGE_SIZE
#define PAGE_SIZE		4096UL
#undef PAGE_MASK
#define PAGE_MASK		(~(PAGE_SIZE - 1))
#define PAGE_ALIGN(x)		ALIGN(x, PAGE_SIZE)
#define PAGE_ALIGNED(x)		IS_ALIGNED((unsigned long)(x), PAGE_SIZE)
#define offset_in_page(p)	((unsigned long)(p) & ~PAGE_MASK)
#define PFN_UP(x)		(((x) + PAGE_SIZE - 1) >> PAGE_SHIFT)
#define PFN_DOWN(x)		((x) >> PAGE_SHIFT)
#define PFN_PHYS(x)		((u64)(x) << PAGE_SHIFT)

/*
 * The next page in memory is not the next struct page: code that steps from
 * page to page by arithmetic goes wrong here, as it does with mapped frames.
 */
struct page {
	void *virtual;
	u64 index;
	unsigned long private;
	atomic_t refs;
	struct list_head lru;
};

static inline void *page_address(const struct page *p)
{
	return p->virtual;
}

struct page *standin_alloc_page(gfp_t gfp, const char *where);
void standin_free_page(struct page *p);
#define alloc_page(g)		standin_alloc_page(g, __func__)
#define __free_page(p)		standin_free_page(p)
#define put_page(p)		standin_free_page(p)
#define get_zeroed_page(g)						\
	((unsigned long)standin_alloc(PAGE_SIZE, (g) | __GFP_ZERO, __func__))
#define __get_free_page(g)						\
	((unsigned long)standin_alloc(PAGE_SIZE, g, __func__))
#define free_page(a)		standin_free((void *)(a))
#define kmap_local_page(p)	page_address(p)
#define kunmap_local(a)		((void)(a))
#define kmap_atomic(p)		page_address(p)
#define kunmap_atomic(a)	((void)(a))
#define flush_dcache_page(p)	((void)(p))

static inline void memcpy_from_page(char *to, struct page *p, size_t offset,
				    size_t len)
{
	memcpy(to, (char *)page_address(p) + offset, len);
}

static inline void memcpy_to_page(struct page *p, size_t offset,
				  const char *from, size_t len)
{
	memcpy((char *)page_address(p) + offset, from, len);
}

static inline void memzero_page(struct page *p, size_t offset, size_t len)
{
	memset((char *)page_address(p) + offset, 0, len);
}

#define clear_page(a)		memset(a, 0, PAGE_SIZE)

#define bitmap_zalloc(n, g)						\
	((unsigned long *)kcalloc(BITS_TO_LONGS(n), sizeof(long), g))
#define bitmap_alloc(n, g)						\
	((unsigned long *)kmalloc_array(BITS_TO_LONGS(n), sizeof(long), g))
#define bitmap_free(m)		standin_free(m)

#endif /* STANDIN_MEM_H */
