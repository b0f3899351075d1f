// SPDX-License-Identifier: GPL-2.0
/*
 * Power cuts: what dm-log-writes recorded, up to some moment, onto a disk.
 *
 * The device mapper's target logs a write when a flush has made it durable, or at
 * once if it is forced (FUA). Each prefix of the log that ends with one of these, or
 * with a mark that somebody set, is therefore what a disk without luck holds when
 * the power fails then.
 *
 *	log-replay LOG			list these states: how many entries each has,
 *					flush, fua or mark, and the text of a mark
 *	log-replay LOG DISK FROM TO	what has FROM entries is made to have TO
 *	log-replay --order LOG		check numbered blocks; see below
 *
 * The format is that of drivers/md/dm-log-writes.c: a superblock in the first
 * sector, then entries of one sector each, followed by their data.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOG_MAGIC	0x6a736677736872ull
#define LOG_FLUSH	1u
#define LOG_FUA		2u
#define LOG_DISCARD	4u
#define LOG_MARK	8u
#define SECTOR		512u

/*
 * Numbered blocks begin with "round NUMBER block NUMBER\n", the first counted from
 * 1, the second from 0. A round is acknowledged as durable before the next one
 * begins; the mark "round-NUMBER" is set in between.
 */
#define BLOCK		4096u
#define ROUND_BLOCKS	8u

struct log_super {
	uint64_t magic, version, nr_entries;
	uint32_t sectorsize;
} __attribute__((packed));

struct log_entry {
	uint64_t sector, nr_sectors, flags, data_len;
} __attribute__((packed));

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "log-replay: %s: %s\n", what, strerror(errno));
	exit(2);
}

static int open_or_die(const char *path, int flags)
{
	int fd = open(path, flags);

	if (fd < 0)
		die(path);
	return fd;
}

static void read_at(int fd, void *buf, size_t n, off_t at)
{
	if (pread(fd, buf, n, at) != (ssize_t)n)
		die("reading");
}

/* Called for each entry; where its data is in the log. A mark has text only. */
typedef void (*entry_fn)(void *arg, const struct log_entry *e, int log, off_t data,
			 const char *text);

static void for_each_entry(const char *path, entry_fn fn, void *arg)
{
	int fd = open_or_die(path, O_RDONLY);
	struct log_super super;
	char sector[SECTOR + 1] = "";
	struct log_entry e;
	uint64_t i;
	off_t at;

	read_at(fd, &super, sizeof(super), 0);
	if (le64toh(super.magic) != LOG_MAGIC || le32toh(super.sectorsize) != SECTOR) {
		errno = EINVAL;
		die("not a log of 512-byte sectors");
	}
	at = SECTOR;
	for (i = 0; i < le64toh(super.nr_entries); i++) {
		read_at(fd, sector, SECTOR, at);
		memcpy(&e, sector, sizeof(e));
		e.sector = le64toh(e.sector);
		e.nr_sectors = le64toh(e.nr_sectors);
		e.flags = le64toh(e.flags);
		e.data_len = le64toh(e.data_len);
		at += SECTOR;
		fn(arg, &e, fd, at, e.flags & LOG_MARK ? sector + sizeof(e) : "");
		if (!(e.flags & LOG_DISCARD))
			at += e.nr_sectors * SECTOR;
	}
	close(fd);
}

static void list(void *arg, const struct log_entry *e, int log, off_t data,
		 const char *text)
{
	uint64_t *entries = arg;

	(void)log;
	(void)data;
	++*entries;
	if (e->flags & (LOG_FLUSH | LOG_FUA | LOG_MARK))
		printf("%llu %s %s\n", (unsigned long long)*entries,
		       e->flags & LOG_MARK ? "mark" :
		       e->flags & LOG_FUA ? "fua" : "flush", text);
}

struct replay {
	int disk;
	uint64_t from, to, entries;
};

static void apply(void *arg, const struct log_entry *e, int log, off_t data,
		  const char *text)
{
	struct replay *r = arg;
	uint64_t now = r->entries++;
	size_t n = e->nr_sectors * SECTOR;
	char *buf;

	(void)text;
	if (now < r->from || now >= r->to || !n || (e->flags & (LOG_DISCARD | LOG_MARK)))
		return;
	buf = malloc(n);
	if (!buf)
		die("memory");
	read_at(log, buf, n, data);
	if (pwrite(r->disk, buf, n, e->sector * SECTOR) != (ssize_t)n)
		die("writing");
	free(buf);
}

struct order {
	unsigned int round, seen, acked, bad;
};

/* The mark of a round proves that all of it is there, and nothing of the next. */
static void check_order(void *arg, const struct log_entry *e, int log, off_t data,
			const char *mark)
{
	struct order *o = arg;
	unsigned int round, block;
	char text[64] = "";
	uint64_t i;

	if (sscanf(mark, "round-%u", &round) == 1) {
		if (round != o->round || o->seen != (1u << ROUND_BLOCKS) - 1) {
			printf("round %u is acknowledged, round %u is there: %x\n",
			       round, o->round, o->seen);
			o->bad++;
		}
		o->acked++;
	}
	if (e->flags & (LOG_DISCARD | LOG_MARK))
		return;
	for (i = 0; i + BLOCK / SECTOR <= e->nr_sectors; i += BLOCK / SECTOR) {
		read_at(log, text, sizeof(text) - 1, data + i * SECTOR);
		if (sscanf(text, "round %u block %u\n", &round, &block) != 2)
			continue;
		if (round == o->round + 1) {
			if (o->acked != o->round) {
				printf("round %u begins, the last mark is of round %u\n",
				       round, o->acked);
				o->bad++;
			}
			o->round = round;
			o->seen = 0;
		} else if (round != o->round) {
			printf("round %u after round %u\n", round, o->round);
			o->bad++;
		}
		o->seen |= 1u << block % ROUND_BLOCKS;
	}
}

int main(int argc, char **argv)
{
	struct order order = { 0 };
	uint64_t entries = 0;
	struct replay r;

	if (argc == 3 && !strcmp(argv[1], "--order")) {
		for_each_entry(argv[2], check_order, &order);
		printf("%u\n", order.acked);
		return !!order.bad;
	}
	if (argc == 5) {
		r = (struct replay) {
			.disk = open_or_die(argv[2], O_WRONLY),
			.from = strtoull(argv[3], NULL, 0),
			.to = strtoull(argv[4], NULL, 0),
		};
		for_each_entry(argv[1], apply, &r);
		if (fsync(r.disk))
			die("flushing");
		return 0;
	}
	if (argc != 2) {
		fprintf(stderr, "usage: log-replay LOG [DISK FROM TO] | --order LOG\n");
		return 2;
	}
	for_each_entry(argv[1], list, &entries);
	return 0;
}
