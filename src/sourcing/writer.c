/*
 * writer.c
 *		The record that is being packed: bytes that grow, and what they are made of.
 */
#include <string.h>

#include "writer.h"

void *
src_w_memory(const SrcWriter *w, size_t size, int64_t n)
{
	return w->problem->alloc(w->problem->arg, size * (size_t) (n > 0 ? n : 1));
}

/* room for so many bytes more */
void
src_w_ensure(SrcWriter *w, size_t need)
{
	size_t		used = (size_t) (w->at - w->start);
	size_t		size = (size_t) (w->end - w->start);
	uint8_t    *larger;

	if (size - used >= need)
		return;
	while (size - used < need)
		size *= 2;
	larger = src_w_memory(w, 1, (int64_t) size);
	memcpy(larger, w->start, used);
	w->start = larger;
	w->at = larger + used;
	w->end = larger + size;
}

void
src_w_amount(SrcWriter *w, int64_t value)
{
	uint64_t	code = 0;

	if (value < 0)
		w->fits = false;
	else if (value == INT64_MAX)
		src_w_put(w, 0);
	else if (value >= (int64_t) 1 << 60)
	{
		src_w_put(w, 1);
		src_w_put(w, (uint64_t) value);
	}
	else
	{
		if (value % 10000 == 0 && value > 0)
		{
			value /= 10000;
			code = 2;
		}
		if (value % 100 == 0 && value > 0)
		{
			value /= 100;
			code++;
		}
		src_w_put(w, (((uint64_t) value << 2) | code) + 2);
	}
}

void
src_w_day(SrcWriter *w, int64_t day)
{
	if (day == INT32_MIN)
		src_w_put(w, 0);
	else if (day == INT32_MAX)
		src_w_put(w, 1);
	else
		src_w_put(w, src_w_zigzag(day - w->base) + 2);
}

/* a row: what differs from the row before, which it then replaces */
void
src_w_row(SrcWriter *w, const RecordKind *kind, int64_t *before, const int64_t *row)
{
	uint32_t	differs = 0;
	int32_t		i;

	src_w_ensure(w, SRC_W_ROOM);
	for (i = 0; kind->fields[i] != '\0'; i++)
		differs |= (uint32_t) (row[i] != before[i]) << i;
	src_w_put(w, differs);
	for (; differs != 0; differs &= differs - 1)
	{
		i = __builtin_ctz(differs);
		before[i] = row[i];
		if (kind->fields[i] == 'A')
			src_w_amount(w, row[i]);
		else if (kind->fields[i] == 'D')
			src_w_day(w, row[i]);
		else
		{
			if (row[i] < 0)
				w->fits = false;
			src_w_put(w, (uint64_t) row[i]);
		}
	}
}

void
src_w_single(SrcWriter *w, const RecordKind *kind, const int64_t *row)
{
	int64_t		before[REC_MOST_FIELDS];

	memcpy(before, kind->defaults, sizeof(before));
	src_w_row(w, kind, before, row);
}

/* 0 and a new text, or the number of one of the last REC_TEXTS */
void
src_w_text(SrcWriter *w, SrcText text)
{
	int32_t		known = w->ntexts < REC_TEXTS ? w->ntexts : REC_TEXTS;
	int32_t		i;

	if (text.text == NULL || text.length < 0)
		text.length = 0;
	src_w_ensure(w, (size_t) text.length + SRC_W_SMALL);
	for (i = 0; i < known; i++)
		if (w->texts[i].length == text.length &&
			(text.length == 0 ||
			 memcmp(w->texts[i].text, text.text, (size_t) text.length) == 0))
			break;
	if (i < known)
	{
		src_w_put(w, (uint64_t) i + 1);
		return;
	}
	src_w_put(w, 0);
	src_w_put(w, (uint64_t) text.length);
	if (text.length > 0)
		memcpy(w->at, text.text, (size_t) text.length);
	w->at += text.length;
	w->texts[w->ntexts++ % REC_TEXTS] = text;
}
