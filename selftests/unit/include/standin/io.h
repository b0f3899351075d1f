/* SPDX-License-Identifier: GPL-2.0 */
/* Stand-in: log lines, strings, byte order, seq_file. */
#ifndef STANDIN_IO_H
#define STANDIN_IO_H

#include <string.h>
#include <standin/kernel.h>

#ifndef pr_fmt
#define pr_fmt(fmt) fmt
#endif

#define KERN_ERR		"3"
#define KERN_WARNING		"4"
#define KERN_NOTICE		"5"
#define KERN_INFO		"6"
#define KERN_DEBUG		"7"

void standin_log(int level, const char *fmt, ...) __printf(2, 3);
#define printk(fmt, ...)	standin_log(6, fmt, ##__VA_ARGS__)
#define pr_err(fmt, ...)	standin_log(3, pr_fmt(fmt), ##__VA_ARGS__)
#define pr_warn(fmt, ...)	standin_log(4, pr_fmt(fmt), ##__VA_ARGS__)
#define pr_notice(fmt, ...)	standin_log(5, pr_fmt(fmt), ##__VA_ARGS__)
#define pr_info(fmt, ...)	standin_log(6, pr_fmt(fmt), ##__VA_ARGS__)
#define pr_debug(fmt, ...)	standin_log(7, pr_fmt(fmt), ##__VA_ARGS__)
#define pr_devel(fmt, ...)	pr_debug(fmt, ##__VA_ARGS__)
/* Nothing is limited: a test wants to count. */
#define pr_err_ratelimited	pr_err
#define pr_warn_ratelimited	pr_warn
#define pr_notice_ratelimited	pr_notice
#define pr_info_ratelimited	pr_info
#define pr_debug_ratelimited	pr_debug
#define pr_err_once		pr_err
#define pr_warn_once		pr_warn
#define pr_info_once		pr_info
#define dev_err(d, ...)		((void)(d), pr_err(__VA_ARGS__))
#define dev_warn(d, ...)	((void)(d), pr_warn(__VA_ARGS__))
#define dev_info(d, ...)	((void)(d), pr_info(__VA_ARGS__))
#define dev_dbg(d, ...)		((void)(d), pr_debug(__VA_ARGS__))
#define dev_err_ratelimited	dev_err
#define dev_warn_ratelimited	dev_warn
#define dump_stack()		((void)0)

struct ratelimit_state {
	int unused;
};

#define DEFINE_RATELIMIT_STATE(n, i, b)	struct ratelimit_state n = { 0 }
#define DEFAULT_RATELIMIT_INTERVAL	1250
#define DEFAULT_RATELIMIT_BURST		10
#define ratelimit_state_init(r, i, b)	((void)(r))
#define __ratelimit(r)			((void)(r), true)
#define printk_ratelimit()		true

static inline ssize_t strscpy_len(char *to, const char *from, size_t size)
{
	size_t n = strnlen(from, size);

	if (!size)
		return -E2BIG;
	if (n == size)
		n = size - 1;
	memcpy(to, from, n);
	to[n] = 0;
	return from[n] ? -E2BIG : (ssize_t)n;
}

/* The size may be left out for an array. */
#define STANDIN_STRSCPY(to, from, size, ...)	strscpy_len(to, from, size)
#define strscpy(to, from, ...)						\
	STANDIN_STRSCPY(to, from, ##__VA_ARGS__, sizeof(to))
#define strscpy_pad(to, from, ...) ({					\
	memset(to, 0, STANDIN_SECOND(0, ##__VA_ARGS__, sizeof(to)));	\
	strscpy(to, from, ##__VA_ARGS__); })
#define STANDIN_SECOND(a, b, ...)	(b)

static inline size_t standin_strlcat(char *to, const char *from, size_t size)
{
	size_t at = strnlen(to, size);

	if (at == size)
		standin_die("strlcat: no end within %zu bytes", size);
	strscpy_len(to + at, from, size - at);
	return at + strlen(from);
}

#define strlcat(to, from, size)		standin_strlcat(to, from, size)

static inline const char *kbasename(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static inline int scnprintf(char *to, size_t size, const char *fmt, ...)
	__printf(3, 4);
static inline int scnprintf(char *to, size_t size, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(to, size, fmt, args);
	va_end(args);
	return n < (int)size ? n : size ? (int)size - 1 : 0;
}

static inline void *memchr_inv(const void *p, int c, size_t n)
{
	const u8 *b = p;

	for (; n; n--, b++)
		if (*b != (u8)c)
			return (void *)b;
	return NULL;
}

static inline bool mem_is_zero(const void *p, size_t n)
{
	return !memchr_inv(p, 0, n);
}

static inline void memcpy_and_pad(void *to, size_t room, const void *from,
				  size_t n, int pad)
{
	if (n > room)
		n = room;
	memcpy(to, from, n);
	memset((char *)to + n, pad, room - n);
}

static inline void *memset64(u64 *p, u64 v, size_t n)
{
	while (n--)
		p[n] = v;
	return p;
}

static inline void *memset32(u32 *p, u32 v, size_t n)
{
	while (n--)
		p[n] = v;
	return p;
}

#define memzero_explicit(p, n)	memset(p, 0, n)
#define str_yes_no(b)		((b) ? "yes" : "no")
#define str_on_off(b)		((b) ? "on" : "off")
#define str_enabled_disabled(b)	((b) ? "enabled" : "disabled")
#define str_read_write(b)	((b) ? "read" : "write")

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "these stand-ins are for little-endian machines, like the driver"
#endif
#define cpu_to_le16(x)		((__le16)(x))
#define cpu_to_le32(x)		((__le32)(x))
#define cpu_to_le64(x)		((__le64)(x))
#define le16_to_cpu(x)		((u16)(x))
#define le32_to_cpu(x)		((u32)(x))
#define le64_to_cpu(x)		((u64)(x))
#define le16_to_cpup(p)		(*(const __le16 *)(p))
#define le32_to_cpup(p)		(*(const __le32 *)(p))
#define le64_to_cpup(p)		(*(const __le64 *)(p))
#define cpu_to_be16(x)		((__be16)__builtin_bswap16(x))
#define cpu_to_be32(x)		((__be32)__builtin_bswap32(x))
#define cpu_to_be64(x)		((__be64)__builtin_bswap64(x))
#define be16_to_cpu(x)		__builtin_bswap16(x)
#define be32_to_cpu(x)		__builtin_bswap32(x)
#define be64_to_cpu(x)		__builtin_bswap64(x)
#define swab16(x)		__builtin_bswap16(x)
#define swab32(x)		__builtin_bswap32(x)
#define swab64(x)		__builtin_bswap64(x)
#define __constant_cpu_to_le16(x)	cpu_to_le16(x)
#define __constant_cpu_to_le32(x)	cpu_to_le32(x)
static inline void le16_add_cpu(__le16 *p, u16 v) { *p += v; }
static inline void le32_add_cpu(__le32 *p, u32 v) { *p += v; }
static inline void le64_add_cpu(__le64 *p, u64 v) { *p += v; }

#define get_unaligned(p) ({						\
	__typeof__(*(p)) __v; memcpy(&__v, (p), sizeof(__v)); __v; })
#define put_unaligned(v, p) do {					\
	__typeof__(*(p)) __v = (v); memcpy((p), &__v, sizeof(__v)); } while (0)
#define STANDIN_UNALIGNED(bits)						\
static inline u##bits get_unaligned_le##bits(const void *p)		\
{ u##bits v; memcpy(&v, p, sizeof(v)); return v; }			\
static inline void put_unaligned_le##bits(u##bits v, void *p)		\
{ memcpy(p, &v, sizeof(v)); }						\
static inline u##bits get_unaligned_be##bits(const void *p)		\
{ u##bits v; memcpy(&v, p, sizeof(v)); return __builtin_bswap##bits(v); }\
static inline void put_unaligned_be##bits(u##bits v, void *p)		\
{ v = __builtin_bswap##bits(v); memcpy(p, &v, sizeof(v)); }
STANDIN_UNALIGNED(16)
STANDIN_UNALIGNED(32)
STANDIN_UNALIGNED(64)

static inline void put_unaligned_be24(u32 v, void *p)
{
	u8 *b = p;

	b[0] = v >> 16;
	b[1] = v >> 8;
	b[2] = v;
}

static inline u32 get_unaligned_be24(const void *p)
{
	const u8 *b = p;

	return b[0] << 16 | b[1] << 8 | b[2];
}

/* Grows as it is written; free() the buffer. */
struct seq_file {
	char *buf;
	size_t size;
	size_t count;
	void *private;
};

void seq_printf(struct seq_file *m, const char *fmt, ...) __printf(2, 3);
#define seq_puts(m, s)		seq_printf(m, "%s", s)
#define seq_putc(m, c)		seq_printf(m, "%c", c)
#define seq_has_overflowed(m)	false

typedef struct { u8 b[16]; } uuid_t;
typedef struct { u8 b[16]; } guid_t;
#define UUID_SIZE		16

int kstrtou64(const char *s, unsigned int base, u64 *v);
int kstrtouint(const char *s, unsigned int base, unsigned int *v);

#endif /* STANDIN_IO_H */
