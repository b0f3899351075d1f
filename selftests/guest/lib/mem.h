/* SPDX-License-Identifier: GPL-2.0 */
/* Pages, and patterns to tell whose data they hold. */
#ifndef TINY_MEM_H
#define TINY_MEM_H

#include "types.h"

void mem_init(void);

/*
 * Zeroed, physically contiguous pages. There is no free: the harness gives all
 * that a test took back after it, by mem_mark() and mem_release(). Out of
 * memory ends the test as failed.
 */
void *page_alloc(u32 n);
u32 mem_mark(void);
void mem_release(u32 mark);
u32 mem_pages_free(void);

/*
 * Fill @len bytes (a multiple of 4) with a pattern of @seed for the bytes that
 * are number @pos and following in the whole transfer; and compare. The result
 * is the offset of the first wrong byte, or -1.
 */
void pattern_fill(void *buf, u32 len, u32 seed, u32 pos);
int pattern_check(const void *buf, u32 len, u32 seed, u32 pos);
/* The offset of the first byte which is not @c, or -1. */
int bytes_check(const void *buf, u32 len, u8 c);

#endif
