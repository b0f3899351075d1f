/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TINY_STRING_H
#define TINY_STRING_H

#include "types.h"

void *memcpy(void *d, const void *s, size_t n);
void *memmove(void *d, const void *s, size_t n);
void *memset(void *d, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);

/* Shell-like match of the whole of @s: '*' any run, '?' any one character. */
bool glob_match(const char *pat, const char *s);

/* Decimal, or hexadecimal after 0x; stops at the first other character. */
u64 str_to_u64(const char *s, const char **end);

/* 64 by 32 bit division without help from a compiler library. */
static inline u64 div_u64(u64 n, u32 d, u32 *rem)
{
	u32 hi = n >> 32, lo = (u32)n, r;
	u32 qhi = hi / d;

	r = hi % d;
	__asm__("divl %4" : "=a"(lo), "=d"(r) : "0"(lo), "1"(r), "rm"(d) : "cc");
	if (rem)
		*rem = r;
	return (u64)qhi << 32 | lo;
}

#endif
