// SPDX-License-Identifier: GPL-2.0
/*
 * Writing JSON (RFC 8259).
 */
#include <inttypes.h>

#include "json.h"

void json_init(struct json *json, FILE *out)
{
	json->out = out;
	json->depth = 0;
	json->first = true;
	json->one_line = false;
}

static void new_line(struct json *json)
{
	unsigned int i;

	if (json->one_line)
		return;
	fputc('\n', json->out);
	for (i = 0; i < json->depth; i++)
		fputs("  ", json->out);
}

static bool continuation(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/* Bytes of the UTF-8 sequence at @s (RFC 3629), 0 when there is none. */
static unsigned int utf8_length(const unsigned char *s)
{
	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		return continuation(s[1]) ? 2 : 0;
	if (s[0] >= 0xe0 && s[0] <= 0xef) {
		if ((s[0] == 0xe0 && s[1] < 0xa0) ||
		    (s[0] == 0xed && s[1] > 0x9f))
			return 0;
		return continuation(s[1]) && continuation(s[2]) ? 3 : 0;
	}
	if (s[0] >= 0xf0 && s[0] <= 0xf4) {
		if ((s[0] == 0xf0 && s[1] < 0x90) ||
		    (s[0] == 0xf4 && s[1] > 0x8f))
			return 0;
		return continuation(s[1]) && continuation(s[2]) &&
		       continuation(s[3]) ? 4 : 0;
	}
	return 0;
}

static void quoted(FILE *out, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	unsigned int n;

	fputc('"', out);
	while (*s) {
		n = utf8_length(s);
		if (!n) {
			fputs("\\ufffd", out);
			s++;
		} else if (*s < ' ' || *s == 0x7f) {
			fprintf(out, "\\u%04x", *s++);
		} else {
			if (*s == '"' || *s == '\\')
				fputc('\\', out);
			fwrite(s, 1, n, out);
			s += n;
		}
	}
	fputc('"', out);
}

static void begin_value(struct json *json, const char *key)
{
	if (!json->first)
		fputs(json->one_line ? ", " : ",", json->out);
	if (json->depth)
		new_line(json);
	if (key) {
		quoted(json->out, key);
		fputs(": ", json->out);
	}
	json->first = false;
}

void json_open(struct json *json, const char *key, char bracket)
{
	begin_value(json, key);
	fputc(bracket, json->out);
	json->depth++;
	json->first = true;
}

void json_close(struct json *json, char bracket)
{
	json->depth--;
	if (!json->first)
		new_line(json);
	fputc(bracket, json->out);
	json->first = false;
	if (!json->depth)
		fputc('\n', json->out);
}

void json_string(struct json *json, const char *key, const char *text)
{
	begin_value(json, key);
	if (text)
		quoted(json->out, text);
	else
		fputs("null", json->out);
}

void json_number(struct json *json, const char *key, uint64_t number)
{
	begin_value(json, key);
	fprintf(json->out, "%" PRIu64, number);
}

void json_bool(struct json *json, const char *key, bool value)
{
	begin_value(json, key);
	fputs(value ? "true" : "false", json->out);
}
