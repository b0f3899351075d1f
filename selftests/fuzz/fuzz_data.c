// SPDX-License-Identifier: GPL-2.0
/*
 * Where a command's data is, as a guest says it: PRP entries, PRP lists and SGLs
 * of all kinds, in memory with holes, which may change whenever it is looked at.
 *
 * What comes out is compared with a second reading of the specification, entry by
 * entry, as long as memory keeps still. A page that was looked up to read a list
 * may be used until the next lookup and no longer.
 */
#include <sanitizer/asan_interface.h>

#include <standin/kernel.h>
#include <standin/mem.h>

#include <ioemu/guestmem.h>

#include "input.h"
#include "nvme/nvme.h"

#define NR_FRAMES	24	/* the upper third is a hole */
#define NR_PRESENT	16
#define MAX_WRITTEN	2048
#define MAX_LOOKUPS	2200	/* of one command, with one page each at worst */

#define CHECK(c) do {							\
	if (!(c))							\
		standin_die("%s:%d: %s", __func__, __LINE__, #c); } while (0)

struct ioemu_gmap {
	int refs;
};

static u8 mem[NR_PRESENT][NVME_PAGE_SIZE] __aligned(4096);
static struct page frames[NR_PRESENT];
static struct ioemu_gmap map;
static struct ioemu_nvme_sq sq;
static struct ioemu_nvme_scratch scratch;
static struct ioemu_nvme_req req;
static struct ioemu_nvme_big big;
static struct input in;
static bool racing, have_big;
static unsigned int lookups, fail_at;
static u32 open_frames;		/* those of the last lookup */
static u16 written[MAX_WRITTEN];
static unsigned int nr_written;

/* ---- guest memory ------------------------------------------------------ */

#define GUEST	__attribute__((no_sanitize("address"))) static

GUEST u64 get(u64 at)
{
	return ((volatile u64 *)mem)[at / 8];
}

GUEST void set(u64 at, u64 value)
{
	((volatile u64 *)mem)[at / 8] = value;
}

static void put(u64 at, u64 value)
{
	at %= sizeof(mem);
	if (nr_written == MAX_WRITTEN)
		return;
	written[nr_written++] = at / 8;
	set(at, cpu_to_le64(value));
}

static bool present(u64 addr)
{
	return addr >> NVME_PAGE_SHIFT < NR_PRESENT;
}

static void close_frames(void)
{
	unsigned int i;

	for (i = 0; open_frames; i++, open_frames >>= 1)
		if (open_frames & 1)
			ASAN_POISON_MEMORY_REGION(mem[i], NVME_PAGE_SIZE);
}

int ioemu_gmap_pages(struct ioemu_gmap *m, const u64 *gfns, unsigned int nr,
		     struct page **pages)
{
	unsigned int i;

	CHECK(m == &map && nr && nr <= NVME_MAX_SEGS);
	CHECK(++lookups <= MAX_LOOKUPS);
	if (lookups == fail_at)
		return -ENOMEM;
	if (racing && in.left)
		put(input_u16(&in) * 8, input_u64(&in));
	close_frames();
	for (i = 0; i < nr; i++) {
		if (gfns[i] >= NR_PRESENT)
			return -EFAULT;
		open_frames |= 1u << gfns[i];
		ASAN_UNPOISON_MEMORY_REGION(mem[gfns[i]], NVME_PAGE_SIZE);
		pages[i] = &frames[gfns[i]];
	}
	return 0;
}

void ioemu_gmap_get(struct ioemu_gmap *m)
{
	m->refs++;
}

void ioemu_gmap_put(struct ioemu_gmap *m)
{
	m->refs--;
}

struct ioemu_nvme_big *ioemu_nvme_take_big(struct ioemu_nvme_req *r)
{
	if (!have_big)
		return NULL;
	r->big = &big;
	return r->big;
}

/* ---- the second reading ------------------------------------------------ */

struct want {
	u16 status;
	unsigned int nr;
	struct ioemu_nvme_seg segs[NVME_MAX_SEGS];
};

static struct want want;

static u16 error(u16 status)
{
	want.status = status | NVME_SC_DNR;
	return want.status;
}

static u16 add(u64 addr, u32 len)
{
	if (want.nr == NVME_MAX_SEGS)
		return error(NVME_SC_SGL_COUNT);
	want.segs[want.nr++] = (struct ioemu_nvme_seg) {
		.gfn = addr >> 12, .offset = addr & 4095, .len = len,
	};
	return 0;
}

static void read_prp(u64 prp1, u64 prp2, u32 bytes)
{
	u32 first = min_t(u32, bytes, 4096 - prp1 % 4096);
	u64 at = prp2, entry;

	if (prp1 % 4) {
		error(NVME_SC_PRP_OFFSET);
		return;
	}
	if (prp1 % 4096 + bytes > 9 * 4096 && !have_big) {
		want.status = NVME_PARK;
		return;
	}
	add(prp1, first);
	bytes -= first;
	if (bytes && bytes <= 4096) {
		if (prp2 % 4096)
			error(NVME_SC_PRP_OFFSET);
		add(prp2, bytes);
		return;
	}
	if (bytes && at % 8) {
		error(NVME_SC_PRP_OFFSET);
		return;
	}
	while (bytes) {
		if (!present(at)) {
			error(NVME_SC_DATA_TRANSFER);
			return;
		}
		entry = get(at);
		if (entry % 4096) {
			error(NVME_SC_PRP_OFFSET);
			return;
		}
		if (at % 4096 == 4088 && bytes > 4096) {
			at = entry;
			continue;
		}
		add(entry, min(bytes, 4096u));
		bytes -= min(bytes, 4096u);
		at += 8;
	}
}

struct sgl {
	u64 addr;
	u32 length;
	u8 type;
};

static struct sgl sgl_at(u64 at)
{
	u64 word = get(at + 8);

	return (struct sgl) { get(at), word, word >> 56 };
}

static u16 read_block(struct sgl s, u32 *left)
{
	u32 part;

	if (s.addr % 4 || s.length % 4)
		return error(NVME_SC_SGL_GRANULARITY);
	while (s.length && *left) {
		part = min_t(u32, 4096 - s.addr % 4096, min(s.length, *left));
		if (add(s.addr, part))
			return want.status;
		s.addr += part;
		s.length -= part;
		*left -= part;
	}
	return 0;
}

/* Descriptors are read 64 at a time, 1024 in all. */
static void read_sgl(struct sgl s, u32 left)
{
	unsigned int i, n, seen = 0;
	u64 at, k;
	bool last;

	if (s.type == 0) {
		if (!read_block(s, &left) && left)
			error(NVME_SC_SGL_DATA_LENGTH);
		return;
	}
	if (s.type != 0x20 && s.type != 0x30) {
		error(NVME_SC_SGL_TYPE);
		return;
	}
again:
	last = s.type == 0x30;
	if (!s.length || s.length % 16 || s.addr % 8) {
		error(NVME_SC_SGL_SEGMENT);
		return;
	}
	at = s.addr;
	n = s.length / 16;
	for (i = 0; i < n; i++, at += 16) {
		struct sgl d;

		if (i % 64 == 0) {
			u64 chunk = min(n - i, 64u);

			if (seen + chunk > 1024) {
				error(NVME_SC_SGL_COUNT);
				return;
			}
			seen += chunk;
			for (k = 0; k < chunk * 16; k += 8) {
				if (!present(at + k)) {
					error(NVME_SC_DATA_TRANSFER);
					return;
				}
			}
		}
		if (!left)
			return;
		d = sgl_at(at);
		if (d.type == 0x20 || d.type == 0x30) {
			if (i + 1 != n) {
				error(NVME_SC_SGL_COUNT);
				return;
			}
			if (last) {
				error(NVME_SC_SGL_SEGMENT);
				return;
			}
			s = d;
			goto again;
		}
		if (d.type) {
			error(NVME_SC_SGL_TYPE);
			return;
		}
		if (read_block(d, &left))
			return;
	}
	if (left)
		error(last ? NVME_SC_SGL_DATA_LENGTH : NVME_SC_SGL_SEGMENT);
}

static void read_again(u32 bytes)
{
	const struct nvme_sqe *sqe = &scratch.sqe;
	unsigned int i;

	want.status = 0;
	want.nr = 0;
	switch (sqe->flags >> 6) {
	case 0:
		read_prp(sqe->prp1, sqe->prp2, bytes);
		break;
	case 1: case 2:
		if (sq.qid) {
			read_sgl((struct sgl) { sqe->sgl.addr, sqe->sgl.length,
						sqe->sgl.type }, bytes);
			if (!want.status && want.nr > 9 && !have_big)
				want.status = NVME_PARK;
			break;
		}
		fallthrough;
	default:
		error(NVME_SC_INVALID_FIELD);
	}
	for (i = 0; !want.status && i < want.nr; i++)
		if (want.segs[i].gfn >= NR_PRESENT)
			error(NVME_SC_DATA_TRANSFER);
}

/* ---- what the input says ----------------------------------------------- */

/* Mostly in memory, often where a page begins or is about to end. */
static u64 address(void)
{
	u16 how = input_u16(&in);
	u64 page = (u64)(how & 0x1f) % NR_FRAMES << 12;

	switch (how >> 13) {
	case 0 ... 2:
		return page;
	case 3:
		return page + 4096 - (how >> 5 & 15) * 8;
	case 4:
		return page + (how >> 5 & 0xff) * 16;
	case 5:
		return page + input_u16(&in) % 4096;
	case 6:
		return page + (input_u16(&in) % 1024) * 4;
	default:
		return input_u64(&in);
	}
}

static u64 sgl_word(void)
{
	static const u8 types[] = {
		0, 0, 0, 0, 0, 0, 0x20, 0x30, 0x20, 0x30, 0x10, 0x01, 0x21, 0x40,
	};
	u8 how = input_u8(&in);
	u64 length = how & 0x80 ? input_u32(&in) : input_u8(&in) * 16u;

	return length | (u64)types[(how & 0x7f) % ARRAY_SIZE(types)] << 56;
}

static void lists(void)
{
	u8 how = input_u8(&in), n = input_u8(&in);
	u64 at = address() & ~7ull, value;
	unsigned int i;

	switch (how & 3) {
	case 0:
		for (i = 0; i < n; i++)
			put(at + i * 8, (u64)((how >> 2) + i) % NR_PRESENT << 12);
		break;
	case 1:
		for (i = 0; i < n % 16u; i++)
			put(at + i * 8, address());
		break;
	case 2:
		for (i = 0; i < n % 16u; i++) {
			put(at + i * 16, address());
			put(at + i * 16 + 8, sgl_word());
		}
		break;
	case 3:
		/* Many of one kind */
		value = sgl_word();
		for (i = 0; i < n; i++) {
			put(at + i * 16, (u64)(i % NR_PRESENT) << 12);
			put(at + i * 16 + 8, value);
		}
		break;
	}
}

static void command(u8 how)
{
	struct nvme_sqe *sqe = &scratch.sqe;
	u64 word;

	memset(sqe, 0, sizeof(*sqe));
	sqe->flags = how & 0xc0;
	sqe->prp1 = cpu_to_le64(address());
	if (how & 0xc0) {
		word = sgl_word();
		memcpy(&sqe->prp2, &word, 8);
	} else {
		sqe->prp2 = cpu_to_le64(address());
	}
}

/* ---- what came out ----------------------------------------------------- */

static void check_data(u32 bytes)
{
	unsigned int i;
	u32 sum = 0;

	CHECK(req.nr_vecs && req.nr_vecs <= NVME_MAX_SEGS);
	CHECK(req.map == &map && map.refs == 1);
	CHECK(req.vecs == (req.big ? big.vecs : req.inline_vecs));
	CHECK(req.big || req.nr_vecs <= NVME_INLINE_SEGS);
	for (i = 0; i < req.nr_vecs; i++) {
		const struct bio_vec *v = &req.vecs[i];

		CHECK(req.gfns[i] < NR_PRESENT);
		CHECK(v->bv_page == &frames[req.gfns[i]]);
		CHECK(v->bv_len && v->bv_len % 4 == 0 && v->bv_offset % 4 == 0);
		CHECK(v->bv_len <= 4096 && v->bv_offset <= 4096 - v->bv_len);
		sum += v->bv_len;
	}
	CHECK(sum == bytes);
}

static void check_reading(u16 status)
{
	unsigned int i;

	CHECK(status == want.status);
	if (status)
		return;
	CHECK(req.nr_vecs == want.nr);
	for (i = 0; i < want.nr; i++) {
		CHECK(req.gfns[i] == want.segs[i].gfn);
		CHECK(req.vecs[i].bv_offset == want.segs[i].offset);
		CHECK(req.vecs[i].bv_len == want.segs[i].len);
	}
}

/* A reply that is shorter than the room for it, and back. */
static void check_copies(u32 bytes)
{
	static u8 from[64], to[4096];
	unsigned int i, n = min_t(u32, bytes, sizeof(from));
	const struct bio_vec *v = req.vecs;
	u32 at, part, len = min_t(u32, bytes, sizeof(to));

	memset(from, 0x5a, sizeof(from));
	ioemu_nvme_copy_out(&req, from, n);
	CHECK(req.dirty);
	ioemu_nvme_copy_in(&req, to, len);
	for (at = 0; at < len; at += part, v++) {
		part = min(len - at, v->bv_len);
		CHECK(!memcmp(to + at, page_address(v->bv_page) + v->bv_offset,
			      part));
	}
	/* It wrote more than is remembered. */
	for (i = 0; i < req.nr_vecs; i++)
		memset(page_address(req.vecs[i].bv_page), 0, 4096);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u32 bytes;
	unsigned int i;
	u16 status;
	u8 how, more;

	in = (struct input) { data, size };
	if (!sq.scratch) {
		standin_fail_aborts = true;
		for (i = 0; i < NR_PRESENT; i++)
			frames[i] = (struct page) { .virtual = mem[i], .index = i };
		ASAN_POISON_MEMORY_REGION(mem, sizeof(mem));
		sq.scratch = &scratch;
		sq.ring.map = &map;
	}
	map.refs = 0;
	lookups = 0;
	nr_written = 0;
	req = (struct ioemu_nvme_req) { .sq = &sq };

	how = input_u8(&in);
	more = input_u8(&in);
	racing = false;
	sq.qid = !!(more & 0xe0);
	have_big = how & 15;
	fail_at = how & 0x20 ? more & 0x1f : 0;
	bytes = how & 0x10 ? input_u32(&in) % NVME_MAX_BYTES : input_u16(&in);
	bytes = (bytes & ~3u) + 4;
	command(how);
	for (i = 0; i < 12 && in.left > 16 && in.left > size / 4; i++)
		lists();
	if (!(more & 1) && !fail_at)
		read_again(bytes);
	else
		racing = more & 1;

	status = ioemu_nvme_map_data(&req, bytes);
	if (!status)
		check_data(bytes);
	else
		CHECK(!map.refs && !req.map);
	if (!racing && !fail_at)
		check_reading(status);
	if (!status && how & 1)
		check_copies(bytes);

	close_frames();
	for (i = 0; i < nr_written; i++)
		set(written[i] * 8ull, 0);
	return 0;
}
