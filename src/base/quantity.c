/*
 * quantity.c
 *		Conversion between numeric and int64 ten-thousandths, exact or refused.
 */
#include "base/quantity.h"

#include "common/int.h"

/*
 * Parse decimal text as numeric's output writes it (no exponent).
 *
 * Text is the one representation of a numeric that is both exact and public;
 * a multiplication by 10000 would cost as much and still need the scale
 * checked.
 */
ScaledStatus
scaled_from_text(const char *text, int64 *result)
{
	const char *p = text;
	bool		negative = false;
	int64		value = 0;
	int			decimals = 0;

	*result = 0;
	if (*p == '-')
	{
		negative = true;
		p++;
	}
	if (*p < '0' || *p > '9')
		return SCALED_NOT_FINITE;
	for (; *p >= '0' && *p <= '9'; p++)
	{
		value = value * 10 + (*p - '0');
		if (value > SCALED_MAX / SCALE)
			return SCALED_OUT_OF_RANGE;
	}
	if (*p == '.')
	{
		for (p++; *p >= '0' && *p <= '9'; p++)
		{
			if (decimals == 4)
			{
				if (*p != '0')
					return SCALED_TOO_PRECISE;
				continue;
			}
			value = value * 10 + (*p - '0');
			decimals++;
		}
	}
	if (*p != '\0')
		return SCALED_NOT_FINITE;
	for (; decimals < 4; decimals++)
		value *= 10;
	if (value > SCALED_MAX)
		return SCALED_OUT_OF_RANGE;
	*result = negative ? -value : value;
	return SCALED_OK;
}

/*
 * A numeric as it is stored: two bytes of sign and weight, then its digits to
 * the base of 10000, which is our scale.  Only for those that are short and in
 * range; false if the text has to tell.
 */
static bool
read_digits(Numeric num, int64 *result)
{
	const char *data = VARDATA((struct varlena *) num);
	int			ndigits = ((int) VARSIZE(num) - VARHDRSZ - (int) sizeof(uint16)) / (int) sizeof(int16);
	uint16		header;
	int			weight;
	int64		value = 0;

	memcpy(&header, data, sizeof(header));
	if ((header & 0xC000) != 0x8000)
		return false;
	weight = header & 0x003F;
	if (header & 0x0040)
		weight -= 0x0040;
	if (ndigits == 0)
	{
		*result = 0;
		return true;
	}
	if (weight < -1 || weight > 2 || ndigits > weight + 2)
		return false;
	for (int i = 0; i < weight + 2; i++)
	{
		int16		digit = 0;

		if (i < ndigits)
			memcpy(&digit, data + sizeof(header) + sizeof(digit) * i, sizeof(digit));
		value = value * 10000 + digit;
	}
	*result = (header & 0x2000) ? -value : value;
	return value <= SCALED_MAX;
}

/* How numerics are stored is the server's own business: does it do so? */
static bool
can_read_digits(void)
{
	static int	can = -1;
	static const int64 probes[] = {
		0, 1, -1, 10000, -10000, 123456789012, 99990000, 100000000, 1000000000000, -999999999999999
	};

	for (int i = 0; can < 0 && i < (int) lengthof(probes); i++)
	{
		Numeric		num = int64_div_fast_to_numeric(probes[i], 4);
		int64		value;

		if (!read_digits(num, &value) || value != probes[i])
			can = 0;
		pfree(num);
	}
	if (can < 0)
		can = 1;
	return can == 1;
}

/* The same for a numeric. */
ScaledStatus
scaled_from_numeric(Numeric num, int64 *result)
{
	char	   *text;
	ScaledStatus status;

	if (can_read_digits() && read_digits(num, result))
		return SCALED_OK;
	*result = 0;
	if (numeric_is_nan(num) || numeric_is_inf(num))
		return SCALED_NOT_FINITE;
	text = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(num)));
	status = scaled_from_text(text, result);
	pfree(text);
	return status;
}

/* What to say of a number that was refused. */
const char *
scaled_problem(ScaledStatus status)
{
	switch (status)
	{
		case SCALED_OK:
			return "is valid";
		case SCALED_NOT_FINITE:
			return "is not a finite number";
		case SCALED_TOO_PRECISE:
			return "has more than 4 decimals";
		case SCALED_OUT_OF_RANGE:
			return "is beyond 100000000000";
	}
	return "is not valid";
}

/* As a numeric without trailing zeros. */
Numeric
scaled_to_numeric(int64 value)
{
	int			decimals = 4;

	while (decimals > 0 && value % 10 == 0)
	{
		value /= 10;
		decimals--;
	}
	return decimals == 0 ? int64_to_numeric(value) :
		int64_div_fast_to_numeric(value, decimals);
}

/* Write it as text without trailing zeros, and a zero byte; returns the length. */
int
scaled_write(int64 value, char *buf)
{
	char	   *p = buf;
	uint64		u = value < 0 ? (uint64) 0 - (uint64) value : (uint64) value;
	uint32		rest = (uint32) (u % SCALE);

	/* by hand: every amount of every decision and event comes through here */
	if (value < 0)
		*p++ = '-';
	p += pg_ulltoa_n(u / SCALE, p);
	if (rest != 0)
	{
		*p++ = '.';
		for (uint32 digit = 1000; rest != 0; digit /= 10)
		{
			*p++ = (char) ('0' + rest / digit);
			rest %= digit;
		}
	}
	*p = '\0';
	return p - buf;
}

/* The same, allocated. */
char *
scaled_to_text(int64 value)
{
	char		buf[SCALED_TEXT];

	(void) scaled_write(value, buf);
	return pstrdup(buf);
}

static void
out_of_range(void)
{
	ereport(ERROR,
			(errcode(RT_BAD_QUANTITY),
			 errmsg("sum of quantities is out of range"),
			 errhint("The quantities of one item at one node may add up to some 900 trillion units.")));
}

/* Sums of quantities: an overflow is an error, never a wrong number. */
int64
scaled_add(int64 a, int64 b)
{
	int64		result;

	if (pg_add_s64_overflow(a, b, &result))
		out_of_range();
	return result;
}

int64
scaled_sub(int64 a, int64 b)
{
	int64		result;

	if (pg_sub_s64_overflow(a, b, &result))
		out_of_range();
	return result;
}

/*
 * Check a quantity that somebody orders.  Returns it, or 0 with a fault that
 * names field and value.
 */
int64
quantity_check(Numeric num, const char *field, Fault *fault)
{
	int64		value;
	ScaledStatus status = scaled_from_numeric(num, &value);

	if (status == SCALED_OK && value > 0)
		return value;
	fault_set(fault, RT_BAD_QUANTITY,
			  "A quantity is more than 0, at most 100000000000, and has at most 4 decimals.",
			  "%s %s %s", field,
			  DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(num))),
			  status == SCALED_OK ? "is not more than 0" : scaled_problem(status));
	return 0;
}
