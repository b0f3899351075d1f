// SPDX-License-Identifier: GPL-2.0
/*
 * The sanitizer's defaults for fuzzing: memory that was freed is kept aside, but
 * not so much of it that every allocation comes from the kernel, page by page.
 */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "quarantine_size_mb=16:thread_local_quarantine_size_kb=64:"
	       "allocator_release_to_os_interval_ms=-1:malloc_context_size=8";
}
