/*
 * trace.c
 *		Where an event comes from, as the caller says: correlation, cause, trace.
 *
 * The trace is W3C Trace Context, level 1: "traceparent" is version, trace id,
 * parent id and flags in lower-case hexadecimal digits, neither id all zeros.
 * A session sets it for a transaction (SET LOCAL routing.traceparent); if it
 * does not, a comment of the running statement may carry it, as client
 * libraries append it: traceparent='...' (and tracestate='...'), values
 * percent-encoded.  A comment that is malformed is no trace and no error.
 */
#include "events/trace.h"

#include "tcop/tcopprot.h"
#include "utils/guc.h"

#define TRACEPARENT_LEN		55
#define TRACESTATE_MAX		512		/* what must at least be passed on */

/* a comment is looked for in so many characters at the statement's ends */
#define COMMENT_REACH		1024

char	   *guc_correlation_id = NULL;

static char *guc_causation_id = NULL;
static char *guc_traceparent = NULL;
static char *guc_tracestate = NULL;

static bool
hex_digits(const char *s, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (!((s[i] >= '0' && s[i] <= '9') || (s[i] >= 'a' && s[i] <= 'f')))
			return false;
	}
	return true;
}

static bool
all_zeros(const char *s, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (s[i] != '0')
			return false;
	}
	return true;
}

static bool
traceparent_valid(const char *s)
{
	return strlen(s) == TRACEPARENT_LEN &&
		s[2] == '-' && s[35] == '-' && s[52] == '-' &&
		hex_digits(s, 2) && strncmp(s, "ff", 2) != 0 &&
		hex_digits(s + 3, 32) && !all_zeros(s + 3, 32) &&
		hex_digits(s + 36, 16) && !all_zeros(s + 36, 16) &&
		hex_digits(s + 53, 2);
}

/* A list of key=value; only that it can be passed on is looked at. */
static bool
tracestate_valid(const char *s)
{
	size_t		len = strlen(s);

	for (size_t i = 0; i < len; i++)
	{
		if (s[i] < 0x20 || s[i] > 0x7e)
			return false;
	}
	return len <= TRACESTATE_MAX;
}

static bool
check_traceparent(char **newval, void **extra, GucSource source)
{
	if ((*newval)[0] == '\0' || traceparent_valid(*newval))
		return true;
	GUC_check_errdetail("It is \"00-\", 32 digits, \"-\", 16 digits, \"-\", two digits; the digits are lower-case hexadecimal, neither id is zero.");
	return false;
}

static bool
check_tracestate(char **newval, void **extra, GucSource source)
{
	if (tracestate_valid(*newval))
		return true;
	GUC_check_errdetail("It has at most %d characters, all of them printable ASCII.", TRACESTATE_MAX);
	return false;
}

static bool
check_causation_id(char **newval, void **extra, GucSource source)
{
	pg_uuid_t	ignored;

	if ((*newval)[0] == '\0' || uuid_parse(*newval, &ignored))
		return true;
	GUC_check_errdetail("It is the id of an event, a UUID.");
	return false;
}

void
trace_define_settings(void)
{
	DefineCustomStringVariable("routing.correlation_id",
							   "Correlation id of the events that this transaction causes.",
							   "Empty: the order's own correlation id, or its id.",
							   &guc_correlation_id, "",
							   PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("routing.causation_id",
							   "Id of the event that this transaction is the consequence of.",
							   "It becomes causationid of the first event of each order, item-node or exception.",
							   &guc_causation_id, "",
							   PGC_USERSET, 0, check_causation_id, NULL, NULL);
	DefineCustomStringVariable("routing.traceparent",
							   "Trace context of the events that this transaction causes.",
							   "Empty: what a comment of the statement says, if anything.",
							   &guc_traceparent, "",
							   PGC_USERSET, 0, check_traceparent, NULL, NULL);
	DefineCustomStringVariable("routing.tracestate",
							   "Vendor part of the trace context.",
							   "It is used together with routing.traceparent.",
							   &guc_tracestate, "",
							   PGC_USERSET, 0, check_tracestate, NULL, NULL);
}

/* The value of name='...' within a comment, percent-decoded; NULL if there is none. */
static char *
comment_value(const char *text, size_t len, const char *name)
{
	char	   *part = pnstrdup(text, len);
	char	   *at = strstr(part, "/*");
	char	   *end;
	char	   *to;

	at = at ? strstr(at, name) : NULL;
	if (at == NULL)
		return NULL;
	at += strlen(name);
	if (strncmp(at, "='", 2) != 0 || (end = strchr(at + 2, '\'')) == NULL)
		return NULL;
	to = at + 2;
	for (const char *p = at + 2; p < end; p++)
	{
		if (p[0] == '%' && end - p > 2 && isxdigit((unsigned char) p[1]) && isxdigit((unsigned char) p[2]))
		{
			char		digits[3] = {p[1], p[2], '\0'};

			*to++ = (char) strtol(digits, NULL, 16);
			p += 2;
		}
		else
			*to++ = *p;
	}
	*to = '\0';
	return at + 2;
}

/* What the running statement's comment says, looked for at its end, then at its beginning. */
static char *
statement_value(const char *name)
{
	size_t		len;
	char	   *value;

	if (debug_query_string == NULL)
		return NULL;
	len = strlen(debug_query_string);
	value = len > COMMENT_REACH ?
		comment_value(debug_query_string + len - COMMENT_REACH, COMMENT_REACH, name) : NULL;
	return value ? value : comment_value(debug_query_string, Min(len, COMMENT_REACH), name);
}

/* Fill *trace; its strings live as long as the current memory context. */
void
trace_context(TraceContext *trace)
{
	memset(trace, 0, sizeof(*trace));
	trace->has_cause = guc_causation_id[0] != '\0' && uuid_parse(guc_causation_id, &trace->cause);
	if (guc_traceparent[0] != '\0')
	{
		trace->traceparent = guc_traceparent;
		trace->tracestate = guc_tracestate[0] != '\0' ? guc_tracestate : NULL;
	}
	else
	{
		char	   *value = statement_value("traceparent");

		if (value == NULL || !traceparent_valid(value))
			return;
		trace->traceparent = value;
		value = statement_value("tracestate");
		trace->tracestate = value && value[0] != '\0' && tracestate_valid(value) ? value : NULL;
	}
	trace->span_context = trace->tracestate == NULL ?
		psprintf("traceparent=%s\n", trace->traceparent) :
		psprintf("traceparent=%s\ntracestate=%s\n", trace->traceparent, trace->tracestate);
}
