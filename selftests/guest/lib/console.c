// SPDX-License-Identifier: GPL-2.0
/*
 * Text output to Xen's console (port 0xe9) and COM1. Each character on its own
 * would cost a round trip to the device model, so a whole line leaves by one
 * string instruction: Xen passes that on as one request.
 */
#include "console.h"
#include "boot.h"
#include "io.h"
#include "string.h"

#define PORT_XEN	0xe9
#define PORT_COM1	0x3f8
#define COM_IER		1
#define COM_FCR		2
#define COM_LCR		3
#define COM_SCR		7

#define LINE_MAX	160

static char line[LINE_MAX];
static u32 line_len;
static volatile u32 console_lock;
static bool use_serial;
static bool use_xen = true;
/* Port 0xe9 gets no more than what the reader of xl dmesg needs. */
static bool xen_brief;

static bool serial_init(void)
{
	outb(PORT_COM1 + COM_SCR, 0x5a);
	if (inb(PORT_COM1 + COM_SCR) != 0x5a)
		return false;
	outb(PORT_COM1 + COM_IER, 0);
	outb(PORT_COM1 + COM_LCR, 0x80);
	outb(PORT_COM1, 1);		/* 115200 baud */
	outb(PORT_COM1 + COM_IER, 0);
	outb(PORT_COM1 + COM_LCR, 3);
	outb(PORT_COM1 + COM_FCR, 0);
	return true;
}

static bool starts(const char *s)
{
	return line_len >= strlen(s) && !strncmp(line, s, strlen(s));
}

void console_flush(void)
{
	if (!line_len)
		return;
	/* No flow control: the emulated UART sends faster than it is fed. */
	if (use_serial)
		outsb(PORT_COM1, line, line_len);
	if (use_xen && (!xen_brief || starts("not ok") || starts("# tiny-guest:") ||
			starts("Bail out!")))
		outsb(PORT_XEN, line, line_len);
	line_len = 0;
}

static void console_putc(char c)
{
	line[line_len++] = c;
	if (c == '\n' || line_len == sizeof(line))
		console_flush();
}

void console_init(const char *how)
{
	bool xen_only = arg_is("console", "xen");

	use_serial = !xen_only && serial_init();
	use_xen = strcmp(how, "serial") || !use_serial;
	xen_brief = use_serial && strcmp(how, "both");
}

struct out {
	char *buf;		/* NULL: to the console */
	size_t size, len;
};

static void emit(struct out *o, char c)
{
	if (!o->buf)
		console_putc(c);
	else if (o->len + 1 < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void emit_str(struct out *o, const char *s, u32 len, int width, bool left)
{
	int pad = width - (int)len;

	for (; !left && pad > 0; pad--)
		emit(o, ' ');
	while (len--)
		emit(o, *s++);
	for (; left && pad > 0; pad--)
		emit(o, ' ');
}

static void emit_num(struct out *o, u64 v, u32 base, bool neg, int width,
		     bool zero, bool left)
{
	char tmp[24];
	u32 n = sizeof(tmp);

	do {
		u32 d;

		v = div_u64(v, base, &d);
		tmp[--n] = d < 10 ? '0' + d : 'a' + d - 10;
	} while (v);
	if (zero)
		while (n > 1 && (int)(sizeof(tmp) - n) < width - neg)
			tmp[--n] = '0';
	if (neg)
		tmp[--n] = '-';
	emit_str(o, tmp + n, sizeof(tmp) - n, width, left);
}

static void format(struct out *o, const char *fmt, va_list ap)
{
	for (; *fmt; fmt++) {
		bool zero = false, left = false;
		int width = 0, wide = 0;
		const char *s;
		char c;
		u64 v;

		if (*fmt != '%') {
			emit(o, *fmt);
			continue;
		}
		for (fmt++; *fmt == '0' || *fmt == '-'; fmt++) {
			zero |= *fmt == '0';
			left |= *fmt == '-';
		}
		for (; *fmt >= '0' && *fmt <= '9'; fmt++)
			width = width * 10 + *fmt - '0';
		for (; *fmt == 'l'; fmt++)
			wide++;
		switch (*fmt) {
		case 'd':
			v = wide > 1 ? va_arg(ap, u64) : (u64)(int64_t)va_arg(ap, int);
			if ((int64_t)v < 0)
				emit_num(o, -v, 10, true, width, zero, left);
			else
				emit_num(o, v, 10, false, width, zero, left);
			break;
		case 'u':
		case 'x':
			v = wide > 1 ? va_arg(ap, u64) : va_arg(ap, u32);
			emit_num(o, v, *fmt == 'x' ? 16 : 10, false, width, zero, left);
			break;
		case 'p':
			emit_str(o, "0x", 2, 0, false);
			emit_num(o, va_arg(ap, u32), 16, false, 8, true, false);
			break;
		case 's':
			s = va_arg(ap, const char *);
			if (!s)
				s = "(null)";
			emit_str(o, s, strlen(s), width, left);
			break;
		case 'c':
			c = (char)va_arg(ap, int);
			emit_str(o, &c, 1, width, left);
			break;
		case '%':
			emit(o, '%');
			break;
		default:
			return;
		}
	}
}

void vprintf(const char *fmt, va_list ap)
{
	struct out o = {};

	while (__sync_lock_test_and_set(&console_lock, 1))
		cpu_pause();
	format(&o, fmt, ap);
	__sync_lock_release(&console_lock);
}

void printf(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct out o = { .buf = buf, .size = size };

	format(&o, fmt, ap);
	if (size)
		buf[min(o.len, size - 1)] = '\0';
	return o.len;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return len;
}
