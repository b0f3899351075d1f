/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Writing JSON (RFC 8259).
 */
#ifndef XEN_IOEMU_JSON_H
#define XEN_IOEMU_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/**
 * struct json - a text in the making
 * @out: where it goes
 * @depth: open arrays and objects
 * @first: nothing stands in the innermost one yet
 * @one_line: no new lines within it; false unless set after json_init()
 */
struct json {
	FILE *out;
	unsigned int depth;
	bool first;
	bool one_line;
};

/**
 * json_init() - begin a text
 * @json: filled
 * @out: where it goes
 */
void json_init(struct json *json, FILE *out);

/*
 * Each of these writes one value; @key is its name within an object, NULL within
 * an array and at the top. json_open() takes '[' or '{', json_close() the
 * counterpart. A @text of NULL is written as null; what is not UTF-8 in it is
 * replaced.
 */
void json_open(struct json *json, const char *key, char bracket);
void json_close(struct json *json, char bracket);
void json_string(struct json *json, const char *key, const char *text);
void json_number(struct json *json, const char *key, uint64_t number);
void json_bool(struct json *json, const char *key, bool value);

#endif /* XEN_IOEMU_JSON_H */
