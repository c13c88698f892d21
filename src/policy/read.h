/*
 * read.h
 *		Reading values of a policy's definition.
 *
 * Private to the policy room.  Functions that find something wrong set the
 * reader's fault, the first one stays, and return a value of no use; "is" says
 * what a value should be, for the message.
 */
#ifndef ROUTING_POLICY_READ_H
#define ROUTING_POLICY_READ_H

#include "policy/compile.h"

typedef struct Reader
{
	Policy	   *p;
	MemoryContext context;		/* of what the policy keeps */
	PolicyTerms builtin;
	Fault	   *fault;
} Reader;

/* one member of an object after the other */
typedef struct Members
{
	JsonbIterator *it;
	char	   *key;
	JsonbValue	value;
} Members;

extern void reader_bad(Reader *r, const char *path, const char *what);
extern bool reader_failed(const Reader *r);
extern bool reader_is_object(const JsonbValue *v);
extern void reader_bad_value(Reader *r, const char *path, const JsonbValue *v, const char *is);
extern const char *member_path(const char *path, const char *key);
extern bool next_member(Members *m);
extern JsonbValue *read_elements(Reader *r, const char *path, const JsonbValue *v, int max, const char *is, int *n);
extern void reader_unknown_key(Reader *r, const char *path, const char *key, const char *const *keys, int nkeys);
extern int64 read_number(Reader *r, const char *path, const JsonbValue *v, int64 min, int64 max, const char *is);
extern int32 read_count(Reader *r, const char *path, const JsonbValue *v, int64 min, int64 max, const char *is);
extern char *read_text(Reader *r, const char *path, const JsonbValue *v, int max, const char *is);
extern char **read_codes(Reader *r, const char *path, const JsonbValue *v, int *n);

#endif							/* ROUTING_POLICY_READ_H */
