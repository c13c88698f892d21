/*
 * reader.c
 *		A record that is being unpacked; nothing in it is believed.
 */
#include <string.h>

#include "reader.h"

void *
src_r_memory(const SrcReader *r, size_t size, int64_t n)
{
	const SrcHost *host = &r->out->host;
	size_t		bytes = size * (size_t) (n > 0 ? n : 1);
	void	   *memory = host->alloc(host->arg, bytes);

	memset(memory, 0, bytes);
	return memory;
}

uint64_t
src_r_get(SrcReader *r)
{
	uint64_t	value = 0;
	int			shift;

	for (shift = 0; shift < 64 && r->at < r->end; shift += 7)
	{
		uint8_t		byte = *r->at++;

		if (shift == 63 && byte > 1)
			break;
		value |= (uint64_t) (byte & 0x7f) << shift;
		if (byte < 0x80)
			return value;
	}
	r->bad = true;
	return 0;
}

/* a number of things that take at least a byte each */
int32_t
src_r_count(SrcReader *r)
{
	uint64_t	n = src_r_get(r);

	if (n > (uint64_t) (r->end - r->at) || n >= INT32_MAX / 2)
	{
		r->bad = true;
		return 0;
	}
	return (int32_t) n;
}

int64_t
src_r_amount(SrcReader *r)
{
	static const int64_t power[4] = {1, 100, 10000, 1000000};
	uint64_t	code = src_r_get(r);
	uint64_t	value;

	if (code == 0)
		return INT64_MAX;
	if (code == 1)
		value = src_r_get(r);
	else
	{
		code -= 2;
		value = code >> 2;
		if (__builtin_mul_overflow(value, (uint64_t) power[code & 3], &value))
			r->bad = true;
	}
	if (value > INT64_MAX)
		r->bad = true;
	return r->bad ? 0 : (int64_t) value;
}

int64_t
src_r_unzigzag(uint64_t code)
{
	return (int64_t) (code >> 1) ^ -(int64_t) (code & 1);
}

int32_t
src_r_check_day(SrcReader *r, int64_t day)
{
	if (day < INT32_MIN || day > INT32_MAX)
	{
		r->bad = true;
		return 0;
	}
	return (int32_t) day;
}

int32_t
src_r_day(SrcReader *r)
{
	uint64_t	code = src_r_get(r);
	int64_t		days;

	if (code < 2)
		return code == 0 ? INT32_MIN : INT32_MAX;
	days = src_r_unzigzag(code - 2);
	if (days > UINT32_MAX || days < -(int64_t) UINT32_MAX)
		r->bad = true;
	return r->bad ? 0 : src_r_check_day(r, r->base + days);
}

/* a row, over the one before */
void
src_r_row(SrcReader *r, const RecordKind *kind, int64_t *row)
{
	uint64_t	differs = src_r_get(r);
	int32_t		i;

	for (i = 0; kind->fields[i] != '\0' && !r->bad; i++)
	{
		uint64_t	number;

		if ((differs >> i & 1) == 0)
			continue;
		if (kind->fields[i] == 'A')
			row[i] = src_r_amount(r);
		else if (kind->fields[i] == 'D')
			row[i] = src_r_day(r);
		else
		{
			number = src_r_get(r);
			if (number > (kind->fields[i] == 'B' ? 1 : INT64_MAX))
				r->bad = true;
			row[i] = r->bad ? 0 : (int64_t) number;
		}
	}
	if (differs >> i != 0)
		r->bad = true;
}

void
src_r_first(const RecordKind *kind, int64_t *row)
{
	memcpy(row, kind->defaults, sizeof(kind->defaults));
}

/* a number of days of work, or anything else that is small */
int32_t
src_r_check_below(SrcReader *r, int64_t value, int64_t limit)
{
	if (value < 0 || value >= limit)
	{
		r->bad = true;
		return 0;
	}
	return (int32_t) value;
}

SrcText
src_r_text(SrcReader *r)
{
	uint64_t	code = src_r_get(r);
	SrcText		text = {NULL, 0};
	int32_t		known = r->ntexts < REC_TEXTS ? r->ntexts : REC_TEXTS;

	if (code > 0)
	{
		if (code <= (uint64_t) known)
			return r->texts[code - 1];
		r->bad = true;
		return text;
	}
	text.length = src_r_count(r);
	text.text = (const char *) r->at;
	r->at += text.length;
	r->texts[r->ntexts % REC_TEXTS] = text;
	r->ntexts = r->ntexts + 1 < 2 * REC_TEXTS ? r->ntexts + 1 : REC_TEXTS;
	return text;
}
