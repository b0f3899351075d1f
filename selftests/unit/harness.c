// SPDX-License-Identifier: GPL-2.0
/* See harness.h. Arguments: -l lists, -f runs in one process, others are names. */
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

#define EXIT_SKIP	4

static struct harness_test *tests, **tests_end = &tests;
static struct harness_test *many;
static struct harness_variant *variants, **variants_end = &variants;
static unsigned int failed;
jmp_buf harness_out;

void harness_add(struct harness_test *t)
{
	*tests_end = t;
	tests_end = &t->next;
}

void harness_add_variant(struct harness_variant *v)
{
	*variants_end = v;
	variants_end = &v->next;
}

void harness_add_for_variants(struct harness_test *t)
{
	t->next = many;
	many = t;
}

void harness_failed(const char *file, int line, const char *fmt, ...)
{
	va_list args;

	printf("# %s:%d: expected ", file, line);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	failed++;
}

void harness_skip(const char *why)
{
	printf("# SKIP %s\n", why);
	fflush(stdout);
	_exit(EXIT_SKIP);
}

static void title(char *to, size_t size, const struct harness_test *t)
{
	snprintf(to, size, "%s%s%s%s%s", t->fixture ? t->fixture : "",
		 t->fixture ? "." : "", t->variant ? t->variant : "",
		 t->variant ? "." : "", t->name);
}

/* Tests that run for each variant, in the order in which they were written. */
static void spread_variants(void)
{
	struct harness_test *t, *next, *order = NULL;
	struct harness_variant *v;

	for (t = many; t; t = next) {
		next = t->next;
		t->next = order;
		order = t;
	}
	for (t = order; t; t = t->next) {
		for (v = variants; v; v = v->next) {
			struct harness_test *copy;

			if (strcmp(v->fixture, t->fixture))
				continue;
			copy = malloc(sizeof(*copy));
			*copy = *t;
			copy->variant = v->name;
			copy->variant_data = v->data;
			copy->next = NULL;
			harness_add(copy);
		}
	}
}

static void run_here(const struct harness_test *t)
{
	unsigned long allocs = standin_live_allocs();

	t->run(t->variant_data);
	if (standin_in_atomic())
		standin_fail("the test ended in atomic context");
	standin_rcu_drain();
	if (!failed && standin_live_allocs() != allocs)
		standin_fail("%ld allocations were not freed",
			     (long)(standin_live_allocs() - allocs));
}

static int run_apart(const struct harness_test *t)
{
	int status;
	pid_t pid;

	fflush(stdout);
	fflush(stderr);
	pid = fork();
	if (pid < 0)
		return 1;
	if (!pid) {
		/* A test that hangs is ended. */
		alarm(120);
		run_here(t);
		fflush(stdout);
		exit(failed || standin_failures() ? 1 : 0);
	}
	if (waitpid(pid, &status, 0) != pid)
		return 1;
	if (WIFSIGNALED(status)) {
		printf("# killed by signal %d\n", WTERMSIG(status));
		return 1;
	}
	return WEXITSTATUS(status);
}

static bool chosen(const char *name, int argc, char **argv)
{
	bool any = false;
	int i;

	for (i = 1; i < argc; i++) {
		if (argv[i][0] == '-')
			continue;
		any = true;
		if (strstr(name, argv[i]))
			return true;
	}
	return !any;
}

int main(int argc, char **argv)
{
	unsigned int nr = 0, pass = 0, fail = 0, skip = 0;
	bool list = false, apart = true;
	struct harness_test *t;
	char name[256];
	int i, ret;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-l"))
			list = true;
		else if (!strcmp(argv[i], "-f"))
			apart = false;
		else if (!strcmp(argv[i], "-v"))
			standin_log_print = true;
	}

	spread_variants();
	for (t = tests; t; t = t->next) {
		title(name, sizeof(name), t);
		nr += chosen(name, argc, argv);
		if (list)
			puts(name);
	}
	if (list)
		return 0;

	printf("TAP version 13\n1..%u\n", nr);
	for (t = tests, i = 1; t; t = t->next) {
		title(name, sizeof(name), t);
		if (!chosen(name, argc, argv))
			continue;
		if (apart) {
			ret = run_apart(t);
		} else {
			unsigned int before = failed + standin_failures();

			run_here(t);
			ret = failed + standin_failures() != before;
		}
		if (ret == EXIT_SKIP) {
			skip++;
			printf("ok %d %s # SKIP\n", i++, name);
		} else if (ret) {
			fail++;
			printf("not ok %d %s\n", i++, name);
		} else {
			pass++;
			printf("ok %d %s\n", i++, name);
		}
	}
	printf("# Totals: pass:%u fail:%u xfail:0 xpass:0 skip:%u error:0\n",
	       pass, fail, skip);
	return fail ? 1 : 0;
}
