/*
 * uuid.c
 *		Ids of events: UUID version 7 (RFC 9562), which sort by time.
 */
#include "events/uuid.h"

#include "miscadmin.h"

#define RANDOM_BYTES	10			/* of a UUID */

/*
 * Random bytes for one UUID.  Asking for them costs the same for one as for
 * many; each is used once.  A backend begins with none: none are left over
 * from the process that it was forked from, which writes no events.
 */
static void
random_bytes(unsigned char *to)
{
	static unsigned char stock[RANDOM_BYTES * 128];
	static int	left = 0;

	if (left == 0)
	{
		if (!pg_strong_random(stock, sizeof(stock)))
			ereport(ERROR,
					(errcode(ERRCODE_INTERNAL_ERROR),
					 errmsg("could not generate random values")));
		left = sizeof(stock);
	}
	left -= RANDOM_BYTES;
	memcpy(to, stock + left, RANDOM_BYTES);
}

/* Milliseconds since 1970 in 48 bits, then random bits. */
void
uuid_v7(pg_uuid_t *uuid, TimestampTz at)
{
	uint64		ms = (uint64) (at / 1000 +
							   (int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * 86400 * 1000);

	random_bytes(uuid->data + UUID_LEN - RANDOM_BYTES);
	for (int i = 0; i < 6; i++)
		uuid->data[i] = (unsigned char) (ms >> (8 * (5 - i)));
	uuid->data[6] = (uuid->data[6] & 0x0f) | 0x70;
	uuid->data[8] = (uuid->data[8] & 0x3f) | 0x80;
}

/*
 * Read the usual form, eight, four, four, four and twelve hexadecimal digits.
 * No error: what a setting holds is checked where no error may be thrown.
 */
bool
uuid_parse(const char *text, pg_uuid_t *uuid)
{
	int			digits = 0;

	if (strlen(text) != 36)
		return false;
	for (int i = 0; i < 36; i++)
	{
		char		c = text[i];
		int			digit;

		if (i == 8 || i == 13 || i == 18 || i == 23)
		{
			if (c != '-')
				return false;
			continue;
		}
		if (c >= '0' && c <= '9')
			digit = c - '0';
		else if (c >= 'a' && c <= 'f')
			digit = c - 'a' + 10;
		else if (c >= 'A' && c <= 'F')
			digit = c - 'A' + 10;
		else
			return false;
		uuid->data[digits / 2] = (unsigned char) (digits % 2 == 0 ? digit << 4 : uuid->data[digits / 2] | digit);
		digits++;
	}
	return true;
}
