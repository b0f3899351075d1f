// SPDX-License-Identifier: GPL-2.0
/*
 * fileops DIRECTORY SEED [STOP]: random operations on a few files, each of which is
 * known byte for byte: write, read and compare, truncate, punch holes, write
 * through a mapping, sync, rename, remove and make anew. Now and then all pages are
 * given back first, so that what is compared comes from the disk.
 *
 * Runs until the file STOP is there (or for 1000 operations), prints how much was
 * done and exits with 0; with 1 when a byte is not what it should be.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define FILES		4u
#define MAX_SIZE	(1u << 20)
#define MAX_PIECE	(96u << 10)

struct file {
	char name[32];
	int fd;
	size_t size;
	uint8_t bytes[MAX_SIZE];	/* what it holds; zeros behind @size */
};

static struct file files[FILES];
static uint64_t state, compared;
static uint8_t buf[MAX_SIZE];
static unsigned int names;

static uint32_t rnd(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 16) % below;
}

static void make(struct file *f)
{
	snprintf(f->name, sizeof(f->name), "file%u", names++);
	f->fd = open(f->name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (f->fd < 0)
		err(1, "%s: create", f->name);
	f->size = 0;
	memset(f->bytes, 0, sizeof(f->bytes));
}

/* A piece of at least one byte that begins within the first @limit bytes. */
static void piece(size_t limit, size_t *at, size_t *len)
{
	*at = rnd(limit);
	*len = 1 + rnd(MAX_PIECE);
	if (!rnd(3)) {
		*at &= ~4095ul;
		*len = (*len + 4095) & ~4095ul;
	}
	if (*at + *len > limit)
		*len = limit - *at;
}

static void fill(struct file *f, size_t at, size_t len)
{
	size_t i;

	for (i = at; i < at + len; i++)
		f->bytes[i] = rnd(256);
	if (at + len > f->size)
		f->size = at + len;
}

static void write_piece(struct file *f)
{
	size_t at, len;

	piece(MAX_SIZE, &at, &len);
	fill(f, at, len);
	if (pwrite(f->fd, f->bytes + at, len, at) != (ssize_t)len)
		err(1, "%s: write %zu at %zu", f->name, len, at);
}

static void compare(struct file *f)
{
	size_t i;
	ssize_t n;

	if (rnd(2)) {
		if (fdatasync(f->fd))
			err(1, "%s: fdatasync", f->name);
		posix_fadvise(f->fd, 0, 0, POSIX_FADV_DONTNEED);
	}
	n = pread(f->fd, buf, sizeof(buf), 0);
	if (n < 0)
		err(1, "%s: read", f->name);
	if ((size_t)n != f->size)
		errx(1, "%s: %zd bytes, expected %zu", f->name, n, f->size);
	for (i = 0; i < f->size; i++)
		if (buf[i] != f->bytes[i])
			errx(1, "%s: byte %zu of %zu is %02x, expected %02x", f->name, i,
			     f->size, buf[i], f->bytes[i]);
	compared += n;
}

static void resize(struct file *f)
{
	size_t size = rnd(MAX_SIZE);

	if (ftruncate(f->fd, size))
		err(1, "%s: truncate to %zu", f->name, size);
	if (size < f->size)
		memset(f->bytes + size, 0, f->size - size);
	f->size = size;
}

static void punch(struct file *f)
{
	size_t at, len;

	if (!f->size)
		return;
	piece(f->size, &at, &len);
	if (fallocate(f->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, len)) {
		if (errno == EOPNOTSUPP)
			return;
		err(1, "%s: hole of %zu at %zu", f->name, len, at);
	}
	memset(f->bytes + at, 0, len);
}

static void write_mapped(struct file *f)
{
	size_t at, len;
	uint8_t *map;

	if (!f->size)
		return;
	piece(f->size, &at, &len);
	map = mmap(NULL, f->size, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
	if (map == MAP_FAILED)
		err(1, "%s: mmap", f->name);
	fill(f, at, len);
	memcpy(map + at, f->bytes + at, len);
	if (rnd(2) && msync(map, f->size, MS_SYNC))
		err(1, "%s: msync", f->name);
	munmap(map, f->size);
}

static void rename_file(struct file *f)
{
	char name[sizeof(f->name)];

	snprintf(name, sizeof(name), "file%u", names++);
	if (rename(f->name, name))
		err(1, "%s: rename", f->name);
	memcpy(f->name, name, sizeof(name));
}

static void make_anew(struct file *f)
{
	close(f->fd);
	if (unlink(f->name))
		err(1, "%s: unlink", f->name);
	make(f);
}

int main(int argc, char **argv)
{
	unsigned int n, i;

	if (argc < 3)
		errx(2, "usage: fileops DIRECTORY SEED [STOP]");
	state = strtoull(argv[2], NULL, 0) * 0x9e3779b97f4a7c15ull + 1;
	if (chdir(argv[1]))
		err(2, "%s", argv[1]);
	/* Whoever asks how it goes comes first. */
	if (setpriority(PRIO_PROCESS, 0, 5))
		err(2, "setpriority");
	for (i = 0; i < FILES; i++)
		make(&files[i]);
	for (n = 0; argc > 3 ? access(argv[3], F_OK) != 0 : n < 1000; n++) {
		struct file *f = &files[rnd(FILES)];

		switch (rnd(16)) {
		case 0:
		case 1:
			resize(f);
			break;
		case 2:
		case 3:
			punch(f);
			break;
		case 4:
		case 5:
			write_mapped(f);
			break;
		case 6:
			rename_file(f);
			break;
		case 7:
			if (!rnd(4))
				make_anew(f);
			break;
		case 8:
			if (fsync(f->fd))
				err(1, "%s: fsync", f->name);
			break;
		case 9:
		case 10:
		case 11:
			compare(f);
			break;
		default:
			write_piece(f);
		}
	}
	for (i = 0; i < FILES; i++)
		compare(&files[i]);
	printf("operations %u compared %llu KiB\n", n, (unsigned long long)compared >> 10);
	return 0;
}
