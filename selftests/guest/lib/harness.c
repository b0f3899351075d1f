// SPDX-License-Identifier: GPL-2.0
/* Choosing and running tests, and their report in the Test Anything Protocol. */
#include "harness.h"
#include "apic.h"
#include "io.h"
#include "mem.h"
#include "smp.h"
#include "string.h"
#include "time.h"
#include "xen.h"

#define FAILURES_SHOWN	10

enum { END_ABORT = 1, END_SKIP };

extern const struct test __tests_start[], __tests_end[];
extern const struct suite __suites_start[], __suites_end[];

static struct jump test_end;
static bool in_test;
static volatile u32 failures;
static char reason[200];		/* first failure, or why it was skipped */

bool test_failed(void)
{
	return failures;
}

static void vfail(const char *fmt, va_list ap)
{
	char msg[200];
	u32 n = __sync_add_and_fetch(&failures, 1);

	vsnprintf(msg, sizeof(msg), fmt, ap);
	if (n == 1)
		memcpy(reason, msg, sizeof(msg));
	if (n <= FAILURES_SHOWN)
		printf("# %s\n", msg);
	else if (n == FAILURES_SHOWN + 1)
		printf("# ... more failures\n");
}

void test_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfail(fmt, ap);
	va_end(ap);
}

void test_note(const char *fmt, ...)
{
	char msg[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	printf("# %s\n", msg);
}

void test_abort(void)
{
	if (in_test && smp_cpu() == 0)
		jump_restore(&test_end, END_ABORT);
	if (!in_test) {
		printf("Bail out! %s\n", reason);
		guest_exit(1);
	}
	/* Another CPU: nothing to return to; the boot CPU's wait runs out. */
	for (;;)
		__asm__ __volatile__("cli; hlt");
}

void test_fatal(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfail(fmt, ap);
	va_end(ap);
	test_abort();
}

void test_skip(const char *fmt, ...)
{
	va_list ap;

	if (!failures) {
		va_start(ap, fmt);
		vsnprintf(reason, sizeof(reason), fmt, ap);
		va_end(ap);
	}
	jump_restore(&test_end, END_SKIP);
}

void test_exception(const char *name, const struct int_frame *f)
{
	const u32 *stack = &f->eflags + 1;
	u32 cr2;

	__asm__ __volatile__("movl %%cr2, %0" : "=r"(cr2));
	console_flush();
	test_fail("exception: %s, error %x, eip %x, cr2 %x", name, f->error, f->eip, cr2);
	test_note("eax %x ebx %x ecx %x edx %x esi %x edi %x ebp %x eflags %x",
		  f->eax, f->ebx, f->ecx, f->edx, f->esi, f->edi, f->ebp, f->eflags);
	/* No change of stacks: what was on it follows the frame. */
	test_note("stack %x %x %x %x %x %x %x %x", stack[0], stack[1], stack[2],
		  stack[3], stack[4], stack[5], stack[6], stack[7]);
	test_abort();
}

static const char *base_name(const char *path)
{
	const char *p;

	for (p = path; *p; p++)
		if (*p == '/')
			path = p + 1;
	return path;
}

bool expect_true(bool ok, const char *file, int line, const char *expr)
{
	if (!ok)
		test_fail("%s:%d: not true: %s", base_name(file), line, expr);
	return ok;
}

bool expect_eq(u64 got, u64 want, const char *file, int line, const char *expr)
{
	if (got != want)
		test_fail("%s:%d: %s is 0x%llx, expected 0x%llx",
			  base_name(file), line, expr, got, want);
	return got == want;
}

bool expect_ne(u64 got, u64 other, const char *file, int line, const char *expr)
{
	if (got == other)
		test_fail("%s:%d: %s is 0x%llx, expected another value",
			  base_name(file), line, expr, got);
	return got != other;
}

u64 timeout_ns(void)
{
	return arg_u64("timeout", 30) * NSEC_PER_SEC;
}

u64 quiet_ns(void)
{
	return arg_u64("quiet", xen_present() ? 300 : 100) * NSEC_PER_MSEC;
}

static const struct suite *suite_of(const struct test *t)
{
	const struct suite *s;

	for (s = __suites_start; s < __suites_end; s++)
		if (!strcmp(s->name, t->suite))
			return s;
	return NULL;
}

static bool pattern_matches(const char *pat, const struct test *t, bool manual)
{
	u32 len = strlen(t->suite);
	char full[96];

	if (manual && (strncmp(pat, t->suite, len) || (pat[len] && pat[len] != '.')))
		return false;
	snprintf(full, sizeof(full), "%s.%s", t->suite, t->name);
	return glob_match(pat, t->suite) || glob_match(pat, full);
}

/* The next word of the arguments into @word; where to go on, or NULL. */
static const char *next_word(const char *p, char *word, u32 size)
{
	u32 n = 0;

	while (*p == ' ')
		p++;
	if (!*p)
		return NULL;
	for (; *p && *p != ' '; p++)
		if (n + 1 < size)
			word[n++] = *p;
	word[n] = '\0';
	return p;
}

static bool has_equals(const char *s)
{
	for (; *s; s++)
		if (*s == '=')
			return true;
	return false;
}

/* Words without '=' choose: names or patterns, "^name" takes out. */
static bool selected(const struct test *t)
{
	const struct suite *s = suite_of(t);
	bool manual = s && (s->flags & SUITE_MANUAL);
	bool any = false, in = false, out = false;
	const char *p = boot.args;
	char word[96];

	while ((p = next_word(p, word, sizeof(word)))) {
		if (has_equals(word) || !strcmp(word, "list"))
			continue;
		if (word[0] == '^') {
			out |= pattern_matches(word + 1, t, false);
			continue;
		}
		any = true;
		in |= pattern_matches(word, t, manual);
	}
	return (any ? in : !manual) && !out;
}

static bool listing(void)
{
	const char *p = boot.args;
	char word[96];

	while ((p = next_word(p, word, sizeof(word))))
		if (!strcmp(word, "list"))
			return true;
	return false;
}

static void guarded(void (*fn)(void), int *end)
{
	if (!fn)
		return;
	in_test = true;
	*end = jump_save(&test_end);
	if (!*end)
		fn();
	in_test = false;
	irq_disable();
	console_flush();
}

/* One test with its fixture; true if it passed or was skipped. */
static bool run_test(u32 number, const struct test *t)
{
	const struct suite *s = suite_of(t);
	u32 mark = mem_mark();
	u64 start = now_ns();
	int end = 0, ignore;

	failures = 0;
	reason[0] = '\0';
	if (s)
		guarded(s->setup, &end);
	if (!end && !failures)
		guarded(t->fn, &end);
	if (s)
		guarded(s->teardown, &ignore);
	mem_release(mark);

	if (failures)
		printf("not ok %u - %s.%s # %s\n", number, t->suite, t->name, reason);
	else if (end == END_SKIP)
		printf("ok %u - %s.%s # SKIP %s\n", number, t->suite, t->name, reason);
	else
		printf("ok %u - %s.%s\n", number, t->suite, t->name);
	if (arg_u64("times", 0))
		printf("# %llu ms\n", div_u64(now_ns() - start, 1000000, NULL));
	return !failures;
}

int harness_run(void)
{
	u32 total = 0, number = 0, failed = 0;
	const struct test *t;

	for (t = __tests_start; t < __tests_end; t++)
		total += selected(t);
	if (listing()) {
		for (t = __tests_start; t < __tests_end; t++)
			if (selected(t))
				printf("# %s.%s\n", t->suite, t->name);
		return 0;
	}
	printf("TAP version 13\n1..%u\n", total);
	if (!total) {
		printf("Bail out! no test matches \"%s\"\n", boot.args);
		return 1;
	}
	for (t = __tests_start; t < __tests_end; t++)
		if (selected(t))
			failed += !run_test(++number, t);
	printf("# %u of %u failed\n", failed, total);
	return failed;
}
