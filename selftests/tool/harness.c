// SPDX-License-Identifier: GPL-2.0
/*
 * Running the tool within the test program, and TAP.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "../../userspace/host.h"
#include "../../userspace/tool.h"
#include "harness.h"

#define ARGS_MAX	64

char tool_out[65536];
char tool_err[65536];

static unsigned int nr_tests, nr_failed;

int tool_main(int argc, char **argv);
int dm_main(int argc, char **argv);
int __wrap_stat(const char *path, struct stat *st);
int __wrap_fstat(int fd, struct stat *st);
int __wrap_ftruncate(int fd, off_t size);
ssize_t __wrap_read(int fd, void *buffer, size_t size);
ssize_t __real_read(int fd, void *buffer, size_t size);
int __wrap_mkdir(const char *path, mode_t mode);
int __real_mkdir(const char *path, mode_t mode);
int __wrap_rmdir(const char *path);
int __real_rmdir(const char *path);
unsigned int __wrap_sleep(unsigned int seconds);
unsigned int __real_sleep(unsigned int seconds);
int __wrap_clock_gettime(clockid_t id, struct timespec *ts);
int __real_clock_gettime(clockid_t id, struct timespec *ts);

bool ok(bool good, const char *fmt, ...)
{
	va_list ap;

	nr_tests++;
	nr_failed += !good;
	printf("%sok %u - ", good ? "" : "not ", nr_tests);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	return good;
}

static void comment(const char *what, const char *text)
{
	printf("#   %s:\n#     ", what);
	for (; *text; text++) {
		putchar(*text);
		if (*text == '\n' && text[1])
			fputs("#     ", stdout);
	}
	putchar('\n');
}

bool same(const char *got, const char *wanted, const char *name)
{
	if (ok(!strcmp(got, wanted), "%s", name))
		return true;
	comment("got", got);
	comment("wanted", wanted);
	return false;
}

bool out_has(const char *text, const char *name)
{
	return ok(strstr(tool_out, text) != NULL, "%s", name);
}

/*
 * /dev/fakeN are block devices, 252:N, /dev/alias0 is another name of the first;
 * /dev/file is a file, others do not exist.
 */
int __wrap_stat(const char *path, struct stat *st)
{
	memset(st, 0, sizeof(*st));
	if (!strncmp(path, "/dev/fake", 9) || !strcmp(path, "/dev/alias0")) {
		st->st_mode = S_IFBLK;
		path += strcspn(path, "0123456789");
		st->st_rdev = makedev(252, (unsigned int)atoi(path));
		return 0;
	}
	if (!strcmp(path, "/dev/file") || !strcmp(path, "/srv/disk.img")) {
		st->st_mode = S_IFREG;
		st->st_ino = strlen(path);
		st->st_size = 1048576;
		return 0;
	}
	if (!strcmp(path, "/dev/dir")) {
		st->st_mode = S_IFDIR;
		return 0;
	}
	errno = ENOENT;
	return -1;
}

long long truncated_to;

/* All that the tool opens to change its size. */
int __wrap_fstat(int fd, struct stat *st)
{
	(void)fd;
	return __wrap_stat("/srv/disk.img", st);
}

int __wrap_ftruncate(int fd, off_t size)
{
	(void)fd;
	truncated_to = size;
	return 0;
}

void (*fake_sleep)(void);
static time_t slept;

unsigned int __wrap_sleep(unsigned int seconds)
{
	if (!fake_sleep)
		return __real_sleep(seconds);
	slept += seconds;
	fake_sleep();
	return 0;
}

int __wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
	if (!fake_sleep)
		return __real_clock_gettime(id, ts);
	ts->tv_sec = slept;
	ts->tv_nsec = 0;
	return 0;
}

void (*fake_read)(void);
int fake_read_error;

ssize_t __wrap_read(int fd, void *buffer, size_t size)
{
	if (fake_read)
		fake_read();
	if (fake_read_error) {
		errno = fake_read_error;
		fake_read_error = 0;
		return -1;
	}
	return __real_read(fd, buffer, size);
}

static int trace_pipe = -1;

void fake_trace(const char *text)
{
	if (write(trace_pipe, text, strlen(text)) != (ssize_t)strlen(text))
		abort();
}

/* As tracefs does, with its files. */
int __wrap_mkdir(const char *path, mode_t mode)
{
	static const char *const files[] = {
		"enable", "filter"
	};
	char name[512];
	size_t i;

	if (!strstr(path, "/tracing/instances/"))
		return __real_mkdir(path, mode);
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(name, sizeof(name), "%s/events/xen_ioemu/%s",
			 path + strlen(host_root), files[i]);
		fake_file(name, "");
	}
	snprintf(name, sizeof(name), "%s/trace_pipe", path);
	if (mkfifo(name, 0600))
		abort();
	trace_pipe = open(name, O_RDWR);
	return 0;
}

int __wrap_rmdir(const char *path)
{
	char command[512];

	if (!strstr(path, "/tracing/instances/"))
		return __real_rmdir(path);
	close(trace_pipe);
	snprintf(command, sizeof(command), "rm -r '%s'", path);
	return system(command);
}

void fake_file(const char *path, const char *text)
{
	static char root[32];
	char whole[512], *slash;
	FILE *f;

	if (!*host_root) {
		strcpy(root, "/tmp/xen-ioemu-test.XXXXXX");
		if (!mkdtemp(root))
			abort();
		host_root = root;
	}
	snprintf(whole, sizeof(whole), "%s%s", root, path);
	for (slash = whole + strlen(root) + 1; (slash = strchr(slash, '/'));
	     slash++) {
		*slash = '\0';
		__real_mkdir(whole, 0700);
		*slash = '/';
	}
	f = fopen(whole, "w");
	if (!f)
		abort();
	fputs(text, f);
	fclose(f);
}

void fake_program(const char *path)
{
	char whole[512];

	fake_file(path, "");
	snprintf(whole, sizeof(whole), "%s%s", host_root, path);
	chmod(whole, 0700);
}

static int redirect(int fd, FILE *to)
{
	int old = dup(fd);

	if (old < 0 || dup2(fileno(to), fd) < 0)
		abort();
	return old;
}

static void restore(int fd, int old, FILE *from, char *text, size_t size)
{
	size_t n;

	if (dup2(old, fd) < 0)
		abort();
	close(old);
	rewind(from);
	n = fread(text, 1, size - 1, from);
	text[n] = '\0';
	fclose(from);
}

static int split(char *args, char **argv)
{
	int argc = 0;
	char *p;

	argv[argc++] = "xen-ioemu";
	while (args && argc < ARGS_MAX - 1) {
		argv[argc] = strsep(&args, " ");
		for (p = argv[argc]; *p; p++)
			if (*p == '%')
				*p = ' ';
		argc++;
	}
	argv[argc] = NULL;
	return argc;
}

static int run(int (*program)(int argc, char **argv), const char *args)
{
	FILE *out = tmpfile(), *err = tmpfile();
	char *copy = strdup(args);
	char *argv[ARGS_MAX];
	int argc, status, old_out, old_err;

	if (!out || !err || !copy)
		abort();
	argc = split(*copy ? copy : NULL, argv);
	fflush(stdout);
	old_out = redirect(STDOUT_FILENO, out);
	old_err = redirect(STDERR_FILENO, err);
	optind = 0;
	status = program(argc, argv);
	fflush(stdout);
	restore(STDOUT_FILENO, old_out, out, tool_out, sizeof(tool_out));
	restore(STDERR_FILENO, old_err, err, tool_err, sizeof(tool_err));
	free(copy);
	return status;
}

int tool(const char *args)
{
	return run(tool_main, args);
}

int dm(const char *args)
{
	int status = run(dm_main, args);

	complain_to(NULL);
	return status;
}

bool tool_says(const char *args, int status, const char *err)
{
	int got = tool(args);

	if (ok(got == status && strstr(tool_err, err) && !fake_xs_open_ends(),
	       "'%.60s': status %d, '%.*s'", args, status,
	       (int)strcspn(err, "\n"), err))
		return true;
	printf("#   status %d, %u open ends\n", got, fake_xs_open_ends());
	comment("standard error", tool_err);
	return false;
}

void fresh_store(void)
{
	fake_xs_reset();
	fake_xs_set("/local/domain/0/name", "Domain-0");
	fake_xs_set("/local/domain/0/domid", "0");
	fake_xs_set("domid", "0");
	fake_xs_set("/local/domain/3/name", "guest");
}

static const char *state_of(unsigned int domid, unsigned int devid,
			    char *path, size_t size)
{
	snprintf(path, size, "/local/domain/0/backend/ioemu/%u/%u/state", domid,
		 devid);
	return fake_xs_get(path);
}

static void answer(const char *state, const char *reply, const char *status)
{
	unsigned int devid;
	const char *now;
	char path[128];

	for (devid = 0; devid < 32; devid++) {
		now = state_of(3, devid, path, sizeof(path));
		if (!now || strcmp(now, state))
			continue;
		fake_xs_set(path, reply);
		if (!status)
			continue;
		snprintf(path, sizeof(path),
			 "/local/domain/0/backend/ioemu/3/%u/hotplug-status",
			 devid);
		fake_xs_set(path, status);
	}
}

void driver_connects(void)
{
	answer("1", "4", "connected");
}

void driver_refuses(void)
{
	const char *state = fake_xs_get(BACKEND "/state");

	if (!state || strcmp(state, "1"))
		return;
	fake_xs_set(BACKEND "/hotplug-error",
		    "disk/0/params: /dev/fake0: device or resource busy");
	answer("1", "6", "error");
}

void driver_closes(void)
{
	const char *state = fake_xs_get(FRONTEND "/state");

	if (state && !strcmp(state, "5"))
		answer("4", "6", NULL);
}

void forget_fake_files(void)
{
	char command[128];

	if (!*host_root)
		return;
	snprintf(command, sizeof(command), "rm -rf '%s'", host_root);
	if (system(command))
		abort();
	host_root = "";
}

/* Of those who started this, some ignore signals that tests send. */
static void default_signals(void)
{
	static const int signals[] = {
		SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE
	};
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_DFL);
}

int main(void)
{
	default_signals();
	puts("TAP version 13");
	test_args();
	test_attach();
	test_detach();
	test_dm();
	test_disks();
	test_lib();
	test_list();
	test_loop();
	test_stats();
	test_trace();
	printf("1..%u\n", nr_tests);
	fake_xs_reset();
	forget_fake_files();
	return nr_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
