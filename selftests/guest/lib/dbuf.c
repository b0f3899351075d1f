// SPDX-License-Identifier: GPL-2.0
#include "dbuf.h"
#include "harness.h"
#include "mem.h"
#include "string.h"

#define GUARD	0x6b
#define POISON	0xd7

void dbuf_alloc(struct dbuf *b, enum dbuf_shape shape, u32 off, u32 len)
{
	u32 i, n = ALIGN_UP(off + len, PAGE_SIZE) >> PAGE_SHIFT;
	u8 *mem;

	if (n > DBUF_PAGES)
		test_fatal("buffer of %u pages", n);
	b->off = off;
	b->len = len;
	b->pages = n;
	if (shape == DBUF_CONTIGUOUS) {
		mem = page_alloc(n);
		for (i = 0; i < n; i++)
			b->page[i] = mem + i * PAGE_SIZE;
	} else {
		mem = page_alloc(2 * n);
		for (i = 0; i < n; i++)
			b->page[i] = mem + 2 * (n - 1 - i) * PAGE_SIZE;
	}
}

u8 *dbuf_at(struct dbuf *b, u32 pos)
{
	pos += b->off;
	return b->page[pos >> PAGE_SHIFT] + (pos & PAGE_MASK);
}

/* The longest run within one page from @pos on, at most @len. */
static u32 run(struct dbuf *b, u32 pos, u32 len)
{
	return min(len, PAGE_SIZE - ((pos + b->off) & PAGE_MASK));
}

static void guards(struct dbuf *b)
{
	u32 tail = (b->off + b->len) & PAGE_MASK;

	memset(b->page[0], GUARD, b->off);
	if (tail)
		memset(b->page[b->pages - 1] + tail, GUARD, PAGE_SIZE - tail);
}

static bool guards_check(struct dbuf *b)
{
	u32 tail = (b->off + b->len) & PAGE_MASK;
	int bad;

	bad = bytes_check(b->page[0], b->off, GUARD);
	if (bad >= 0) {
		test_fail("byte %d before the buffer (offset %u) was written", bad, b->off);
		return false;
	}
	if (tail) {
		bad = bytes_check(b->page[b->pages - 1] + tail, PAGE_SIZE - tail, GUARD);
		if (bad >= 0) {
			test_fail("byte %d after the buffer of %u was written", bad, b->len);
			return false;
		}
	}
	return true;
}

void dbuf_fill(struct dbuf *b, u32 seed)
{
	u32 pos, n;

	guards(b);
	for (pos = 0; pos < b->len; pos += n) {
		n = run(b, pos, b->len - pos);
		pattern_fill(dbuf_at(b, pos), n, seed, pos);
	}
}

void dbuf_poison(struct dbuf *b)
{
	u32 pos, n;

	guards(b);
	for (pos = 0; pos < b->len; pos += n) {
		n = run(b, pos, b->len - pos);
		memset(dbuf_at(b, pos), POISON, n);
	}
}

bool dbuf_is_poison(struct dbuf *b)
{
	u32 pos, n;

	for (pos = 0; pos < b->len; pos += n) {
		n = run(b, pos, b->len - pos);
		if (bytes_check(dbuf_at(b, pos), n, POISON) >= 0)
			return false;
	}
	return guards_check(b);
}

bool dbuf_check_part(struct dbuf *b, u32 pos, u32 len, u32 seed, u32 seed_pos)
{
	u32 done, n;
	int bad;

	for (done = 0; done < len; done += n) {
		n = run(b, pos + done, len - done);
		bad = pattern_check(dbuf_at(b, pos + done), n, seed, seed_pos + done);
		if (bad >= 0) {
			test_fail("byte %u of %u (buffer offset %u) is wrong: %02x",
				  pos + done + bad, b->len, b->off,
				  *dbuf_at(b, pos + done + bad));
			return false;
		}
	}
	return guards_check(b);
}

bool dbuf_check(struct dbuf *b, u32 seed)
{
	return dbuf_check_part(b, 0, b->len, seed, 0);
}

void dbuf_prp(struct dbuf *b, struct nvme_cmd *c, u32 list_off)
{
	u32 i, slot;
	u64 *list;

	c->prp1 = phys(b->page[0]) + b->off;
	c->prp2 = 0;
	if (b->pages == 2)
		c->prp2 = phys(b->page[1]);
	if (b->pages <= 2)
		return;
	list = page_alloc(1);
	slot = list_off / 8;
	c->prp2 = phys(&list[slot]);
	for (i = 1; i < b->pages; i++) {
		/* The last entry of a page leads on, unless it is the very last. */
		if (slot == PAGE_SIZE / 8 - 1 && i < b->pages - 1) {
			u64 *next = page_alloc(1);

			list[slot] = phys(next);
			list = next;
			slot = 0;
		}
		list[slot++] = phys(b->page[i]);
	}
}

void dbuf_sgl(struct dbuf *b, struct nvme_cmd *c, u32 per_segment)
{
	struct sgl_desc *link = &c->sgl, *seg;
	u32 i = 0, pos = 0, in_seg, n;

	c->flags |= CMD_PSDT_SGL;
	memset(link, 0, sizeof(*link));
	if (b->pages == 1 || b->page[1] == b->page[0] + PAGE_SIZE) {
		link->addr = phys(b->page[0]) + b->off;
		link->len = b->len;
		link->type = SGL_DATA;
		return;
	}
	while (i < b->pages) {
		u32 left = b->pages - i;
		bool last = left <= per_segment;

		/* A segment which is not the last ends in the descriptor of the next. */
		in_seg = last ? left : per_segment - 1;
		seg = page_alloc(ALIGN_UP(per_segment * 16, PAGE_SIZE) >> PAGE_SHIFT);
		link->addr = phys(seg);
		link->len = (last ? left : per_segment) * sizeof(*seg);
		link->type = last ? SGL_LAST : SGL_SEGMENT;
		while (in_seg--) {
			n = run(b, pos, b->len - pos);
			seg->addr = phys(dbuf_at(b, pos));
			seg->len = n;
			seg->type = SGL_DATA;
			seg++;
			pos += n;
			i++;
		}
		link = seg;
	}
}
