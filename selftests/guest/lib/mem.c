// SPDX-License-Identifier: GPL-2.0
#include "mem.h"
#include "boot.h"
#include "harness.h"
#include "string.h"

static u32 next, end;

void mem_init(void)
{
	next = ALIGN_UP(boot.mem_start, PAGE_SIZE);
	end = boot.mem_end & ~PAGE_MASK;
}

void *page_alloc(u32 n)
{
	void *p = (void *)next;

	if (!n || n > (end - next) >> PAGE_SHIFT)
		test_fatal("out of memory: %u pages asked, %u free", n,
			   mem_pages_free());
	next += n << PAGE_SHIFT;
	memset(p, 0, n << PAGE_SHIFT);
	return p;
}

u32 mem_mark(void)
{
	return next;
}

void mem_release(u32 mark)
{
	next = mark;
}

u32 mem_pages_free(void)
{
	return (end - next) >> PAGE_SHIFT;
}

static u32 pattern_word(u32 seed, u32 pos)
{
	u32 v = (seed ^ 0x5bd1e995) + (pos >> 2) * 0x9e3779b1;

	return v ^ v >> 15;
}

void pattern_fill(void *buf, u32 len, u32 seed, u32 pos)
{
	u32 i, *p = buf;

	for (i = 0; i < len / 4; i++)
		p[i] = pattern_word(seed, pos + i * 4);
}

int pattern_check(const void *buf, u32 len, u32 seed, u32 pos)
{
	const u32 *p = buf;
	u32 i;

	for (i = 0; i < len / 4; i++) {
		u32 want = pattern_word(seed, pos + i * 4);

		if (p[i] != want)
			return i * 4 + __builtin_ctz(p[i] ^ want) / 8;
	}
	return -1;
}

int bytes_check(const void *buf, u32 len, u8 c)
{
	const u8 *p = buf;
	u32 i;

	for (i = 0; i < len; i++)
		if (p[i] != c)
			return i;
	return -1;
}
