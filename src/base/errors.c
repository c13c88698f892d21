/*
 * errors.c
 *		Faults: errors as values.
 */
#include "base/errors.h"

#include "lib/stringinfo.h"

/*
 * Record the fault unless there is one already: the first is reported.
 * Message and hint live in the current memory context.
 */
void
fault_set(Fault *fault, int sqlerrcode, const char *hint, const char *fmt,...)
{
	StringInfoData buf;

	if (fault->sqlerrcode != 0)
		return;
	initStringInfo(&buf);
	for (;;)
	{
		va_list		args;
		int			needed;

		va_start(args, fmt);
		needed = appendStringInfoVA(&buf, fmt, args);
		va_end(args);
		if (needed == 0)
			break;
		enlargeStringInfo(&buf, needed);
	}
	fault->sqlerrcode = sqlerrcode;
	fault->message = buf.data;
	fault->hint = pstrdup(hint);
}

/* Raise the fault as an error. */
void
fault_raise(const Fault *fault)
{
	ereport(ERROR,
			(errcode(fault->sqlerrcode),
			 errmsg_internal("%s", fault->message),
			 errhint("%s", fault->hint)));
}
