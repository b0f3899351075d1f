// SPDX-License-Identifier: GPL-2.0
/*
 * A xenstore in memory.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <xenstore.h>

#include "fake_xs.h"

#define NODES_MAX	1024
#define WATCHES_MAX	8
#define EVENTS_MAX	4096
#define RIGHTS_SIZE	64

struct node {
	char *path;
	char *value;
	char rights[RIGHTS_SIZE];
};

/* Sorted by path. */
struct tree {
	struct node nodes[NODES_MAX];
	unsigned int n;
};

struct watch {
	char *path;
	char *token;
};

struct xs_handle {
	int fd;
};

struct fake_xs fake_xs;

static struct tree *store;
static struct tree *transaction;
static struct watch watches[WATCHES_MAX];
static unsigned int nr_watches;
static struct watch events[EVENTS_MAX];
static unsigned int first_event, last_event;
static struct xs_handle *connection;

static char *copy_string(const char *s)
{
	char *copy = strdup(s);

	if (!copy)
		abort();
	return copy;
}

static void tree_free(struct tree *tree)
{
	unsigned int i;

	if (!tree)
		return;
	for (i = 0; i < tree->n; i++) {
		free(tree->nodes[i].path);
		free(tree->nodes[i].value);
	}
	free(tree);
}

static struct tree *tree_copy(const struct tree *tree)
{
	struct tree *copy = calloc(1, sizeof(*copy));
	unsigned int i;

	if (!copy)
		abort();
	if (!tree)
		return copy;
	copy->n = tree->n;
	for (i = 0; i < tree->n; i++) {
		copy->nodes[i] = tree->nodes[i];
		copy->nodes[i].path = copy_string(tree->nodes[i].path);
		copy->nodes[i].value = copy_string(tree->nodes[i].value);
	}
	return copy;
}

static struct node *find(struct tree *tree, const char *path)
{
	unsigned int i;

	for (i = 0; i < tree->n; i++)
		if (!strcmp(tree->nodes[i].path, path))
			return &tree->nodes[i];
	return NULL;
}

static bool below(const char *path, const char *top)
{
	size_t n = strlen(top);

	return !strncmp(path, top, n) && (path[n] == '/' || !path[n]);
}

/* As xenstored does: parents come into being, children inherit rights. */
static struct node *make(struct tree *tree, const char *path)
{
	struct node *node = find(tree, path);
	char rights[RIGHTS_SIZE] = "n0";
	const char *slash = strrchr(path, '/');
	unsigned int i;

	if (node)
		return node;
	if (slash && slash != path) {
		char *parent = copy_string(path);

		parent[slash - path] = '\0';
		strcpy(rights, make(tree, parent)->rights);
		free(parent);
	}
	if (tree->n == NODES_MAX)
		abort();
	for (i = 0; i < tree->n && strcmp(tree->nodes[i].path, path) < 0; i++)
		;
	memmove(&tree->nodes[i + 1], &tree->nodes[i],
		(tree->n - i) * sizeof(tree->nodes[0]));
	tree->n++;
	node = &tree->nodes[i];
	node->path = copy_string(path);
	node->value = copy_string("");
	strcpy(node->rights, rights);
	return node;
}

static void assign(struct tree *tree, const char *path, const char *value)
{
	struct node *node = make(tree, path);

	free(node->value);
	node->value = copy_string(value);
}

static bool discard(struct tree *tree, const char *path)
{
	unsigned int i, out = 0, removed;

	for (i = 0; i < tree->n; i++) {
		if (below(tree->nodes[i].path, path)) {
			free(tree->nodes[i].path);
			free(tree->nodes[i].value);
		} else {
			tree->nodes[out++] = tree->nodes[i];
		}
	}
	removed = tree->n - out;
	tree->n = out;
	return removed;
}

static void fire(const struct watch *watch, const char *path)
{
	uint64_t one = 1;

	if (last_event == EVENTS_MAX)
		abort();
	events[last_event].path = copy_string(path);
	events[last_event].token = copy_string(watch->token);
	last_event++;
	if (write(connection->fd, &one, sizeof(one)) != sizeof(one))
		abort();
}

static void changed(const char *path)
{
	unsigned int i;

	for (i = 0; i < nr_watches; i++)
		if (below(path, watches[i].path))
			fire(&watches[i], path);
}

static void changed_by_tool(const char *path)
{
	if (transaction)
		return;
	changed(path);
	if (fake_xs.on_change)
		fake_xs.on_change();
}

static struct tree *view(xs_transaction_t t)
{
	return t ? transaction : store;
}

static bool fails(void)
{
	fake_xs.calls++;
	if (fake_xs.on_call)
		fake_xs.on_call();
	if (fake_xs.calls != fake_xs.fail_call)
		return false;
	errno = fake_xs.fail_error ? fake_xs.fail_error : EIO;
	return true;
}

/* ---- the test's side ---- */

static void drop_events(void)
{
	while (first_event < last_event) {
		free(events[first_event].path);
		free(events[first_event].token);
		first_event++;
	}
	first_event = 0;
	last_event = 0;
}

static void drop_watches(void)
{
	while (nr_watches) {
		nr_watches--;
		free(watches[nr_watches].path);
		free(watches[nr_watches].token);
	}
}

void fake_xs_reset(void)
{
	memset(&fake_xs, 0, sizeof(fake_xs));
	drop_events();
	drop_watches();
	tree_free(transaction);
	transaction = NULL;
	tree_free(store);
	store = tree_copy(NULL);
}

void fake_xs_set(const char *path, const char *value)
{
	assign(store, path, value);
	changed(path);
}

const char *fake_xs_get(const char *path)
{
	struct node *node = find(store, path);

	return node ? node->value : NULL;
}

void fake_xs_remove(const char *path)
{
	discard(store, path);
	changed(path);
}

const char *fake_xs_rights(const char *path)
{
	struct node *node = find(store, path);

	return node ? node->rights : NULL;
}

void fake_xs_dump(FILE *out, const char *path)
{
	unsigned int i;

	for (i = 0; i < store->n; i++)
		if (below(store->nodes[i].path, path) && store->nodes[i].value[0])
			fprintf(out, "%s = %s\n",
				store->nodes[i].path + strlen(path) + 1,
				store->nodes[i].value);
}

unsigned int fake_xs_count(const char *path)
{
	unsigned int i, n = 0;

	for (i = 0; i < store->n; i++)
		n += below(store->nodes[i].path, path);
	return n;
}

unsigned int fake_xs_open_ends(void)
{
	return nr_watches + !!transaction + !!connection;
}

/* ---- libxenstore ---- */

struct xs_handle *xs_open(unsigned long flags)
{
	(void)flags;
	if (fake_xs.refuse_open) {
		errno = ENOENT;
		return NULL;
	}
	connection = calloc(1, sizeof(*connection));
	if (!connection)
		abort();
	connection->fd = eventfd(0, EFD_NONBLOCK | EFD_SEMAPHORE);
	return connection;
}

void xs_close(struct xs_handle *h)
{
	drop_events();
	close(h->fd);
	free(h);
	connection = NULL;
}

char **xs_directory(struct xs_handle *h, xs_transaction_t t, const char *path,
		    unsigned int *num)
{
	struct tree *tree = view(t);
	unsigned int i, n = 0;
	size_t skip = strlen(path) + 1, size = 0;
	char **names;
	char *text;

	(void)h;
	if (fails())
		return NULL;
	if (!find(tree, path)) {
		errno = ENOENT;
		return NULL;
	}
	for (i = 0; i < tree->n; i++) {
		size += strlen(tree->nodes[i].path) + 1;
		size += sizeof(char *);
	}
	names = malloc(size + 1);
	if (!names)
		abort();
	text = (char *)(names + tree->n);
	for (i = 0; i < tree->n; i++) {
		const char *node = tree->nodes[i].path;

		if (!below(node, path) || strlen(node) < skip ||
		    strchr(node + skip, '/'))
			continue;
		names[n++] = text;
		strcpy(text, node + skip);
		text += strlen(text) + 1;
	}
	*num = n;
	return names;
}

void *xs_read(struct xs_handle *h, xs_transaction_t t, const char *path,
	      unsigned int *len)
{
	struct node *node;

	(void)h;
	if (fails())
		return NULL;
	node = find(view(t), path);
	if (!node) {
		errno = ENOENT;
		return NULL;
	}
	if (len)
		*len = (unsigned int)strlen(node->value);
	return copy_string(node->value);
}

bool xs_write(struct xs_handle *h, xs_transaction_t t, const char *path,
	      const void *data, unsigned int len)
{
	char value[4096];

	(void)h;
	if (fails())
		return false;
	if (len >= sizeof(value))
		abort();
	memcpy(value, data, len);
	value[len] = '\0';
	assign(view(t), path, value);
	changed_by_tool(path);
	return true;
}

bool xs_mkdir(struct xs_handle *h, xs_transaction_t t, const char *path)
{
	(void)h;
	if (fails())
		return false;
	make(view(t), path);
	changed_by_tool(path);
	return true;
}

bool xs_rm(struct xs_handle *h, xs_transaction_t t, const char *path)
{
	(void)h;
	if (fails())
		return false;
	if (!discard(view(t), path)) {
		errno = ENOENT;
		return false;
	}
	changed_by_tool(path);
	return true;
}

bool xs_set_permissions(struct xs_handle *h, xs_transaction_t t,
			const char *path, struct xs_permissions *perms,
			unsigned int num_perms)
{
	struct node *node = find(view(t), path);
	static const char letters[] = "nrwb";
	unsigned int i;
	size_t n = 0;

	(void)h;
	if (fails())
		return false;
	if (!node) {
		errno = ENOENT;
		return false;
	}
	for (i = 0; i < num_perms; i++)
		n += (size_t)snprintf(node->rights + n, RIGHTS_SIZE - n,
				      "%s%c%u", i ? "," : "",
				      letters[perms[i].perms & 3], perms[i].id);
	return true;
}

bool xs_watch(struct xs_handle *h, const char *path, const char *token)
{
	struct watch *watch = &watches[nr_watches];

	(void)h;
	if (fails())
		return false;
	if (nr_watches == WATCHES_MAX)
		abort();
	watch->path = copy_string(path);
	watch->token = copy_string(token);
	nr_watches++;
	/* xenstored fires every new watch once. */
	fire(watch, path);
	return true;
}

int xs_fileno(struct xs_handle *h)
{
	return h->fd;
}

char **xs_check_watch(struct xs_handle *h)
{
	struct watch event;
	uint64_t one;
	char **vec;

	if (fake_xs.on_watch)
		fake_xs.on_watch();
	if (fails())
		return NULL;
	if (first_event == last_event) {
		errno = EAGAIN;
		return NULL;
	}
	if (read(h->fd, &one, sizeof(one)) != sizeof(one))
		abort();
	event = events[first_event++];
	vec = malloc(2 * sizeof(char *) + strlen(event.path) +
		     strlen(event.token) + 2);
	if (!vec)
		abort();
	vec[0] = (char *)(vec + 2);
	strcpy(vec[0], event.path);
	vec[1] = vec[0] + strlen(event.path) + 1;
	strcpy(vec[1], event.token);
	free(event.path);
	free(event.token);
	return vec;
}

bool xs_unwatch(struct xs_handle *h, const char *path, const char *token)
{
	unsigned int i;

	(void)h;
	for (i = 0; i < nr_watches; i++) {
		if (strcmp(watches[i].path, path) ||
		    strcmp(watches[i].token, token))
			continue;
		free(watches[i].path);
		free(watches[i].token);
		watches[i] = watches[--nr_watches];
		return true;
	}
	errno = ENOENT;
	return false;
}

xs_transaction_t xs_transaction_start(struct xs_handle *h)
{
	(void)h;
	if (fails())
		return XBT_NULL;
	if (transaction)
		abort();
	if (fake_xs.on_transaction)
		fake_xs.on_transaction();
	transaction = tree_copy(store);
	return 1;
}

bool xs_transaction_end(struct xs_handle *h, xs_transaction_t t, bool abandon)
{
	struct tree *done = transaction, *old = store;
	unsigned int i;

	(void)h;
	(void)t;
	transaction = NULL;
	if (fails()) {
		tree_free(done);
		return false;
	}
	if (abandon) {
		tree_free(done);
		return true;
	}
	if (fake_xs.conflicts) {
		fake_xs.conflicts--;
		tree_free(done);
		errno = EAGAIN;
		return false;
	}
	store = done;
	for (i = 0; i < old->n; i++)
		if (!find(store, old->nodes[i].path))
			changed(old->nodes[i].path);
	for (i = 0; i < store->n; i++) {
		struct node *was = find(old, store->nodes[i].path);

		if (!was || strcmp(was->value, store->nodes[i].value))
			changed(store->nodes[i].path);
	}
	tree_free(old);
	if (fake_xs.on_change)
		fake_xs.on_change();
	return true;
}
