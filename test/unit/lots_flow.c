/*
 * lots_flow.c
 *		Lots and demands as a maximum flow, found by augmenting paths.
 */
#include "lots_flow.h"

#include <string.h>

#define MOST	40

static int
served_by(const LotBook *book, const LotDemand *d, const LotSupply *s)
{
	int			day = d->day < book->today ? book->today : d->day;
	int			until = d->min_expiry < day ? day : d->min_expiry;

	return s->quantity > 0 && s->day <= day && s->expiry >= until && (d->pin == 0 || d->pin == s->pin);
}

/* a negative supply row, as the demand that it is */
static LotDemand
taken_already(const LotBook *book, const LotSupply *s)
{
	LotDemand	d = {0};

	d.day = s->day < book->today ? book->today : s->day;
	d.min_expiry = d.day;
	d.quantity = -s->quantity;
	return d;
}

int64_t
flow_demanded(const LotBook *book)
{
	int64_t		sum = 0;

	for (int i = 0; i < book->ndemands; i++)
		sum += book->demands[i].quantity;
	for (int i = 0; i < book->nsupplies; i++)
		if (book->supplies[i].quantity < 0)
			sum -= book->supplies[i].quantity;
	return sum;
}

int64_t
flow_served(const LotBook *book, const LotDemand *extra)
{
	static int64_t arc[MOST][MOST];
	LotDemand	demands[MOST];
	int			m = 0;
	int			lot0;
	int			sink;
	int64_t		total = 0;

	for (int i = 0; i < book->ndemands; i++)
		demands[m++] = book->demands[i];
	for (int i = 0; i < book->nsupplies; i++)
		if (book->supplies[i].quantity < 0)
			demands[m++] = taken_already(book, &book->supplies[i]);
	if (extra != NULL)
		demands[m++] = *extra;

	/* vertices: source 0, demands from 1, lots, sink */
	lot0 = 1 + m;
	sink = lot0 + book->nsupplies;
	memset(arc, 0, sizeof(arc));
	for (int i = 0; i < m; i++)
	{
		arc[0][1 + i] = demands[i].quantity;
		for (int j = 0; j < book->nsupplies; j++)
			if (served_by(book, &demands[i], &book->supplies[j]))
				arc[1 + i][lot0 + j] = INT32_MAX;
	}
	for (int j = 0; j < book->nsupplies; j++)
		if (book->supplies[j].quantity > 0)
			arc[lot0 + j][sink] = book->supplies[j].quantity;

	for (;;)
	{
		int			from[MOST];
		int			queue[MOST];
		int			head = 0;
		int			tail = 0;
		int64_t		least = INT64_MAX;

		for (int v = 0; v <= sink; v++)
			from[v] = -1;
		queue[tail++] = 0;
		from[0] = 0;
		while (head < tail && from[sink] < 0)
		{
			int			v = queue[head++];

			for (int w = 1; w <= sink; w++)
				if (from[w] < 0 && arc[v][w] > 0)
				{
					from[w] = v;
					queue[tail++] = w;
				}
		}
		if (from[sink] < 0)
			return total;
		for (int v = sink; v != 0; v = from[v])
			if (arc[from[v]][v] < least)
				least = arc[from[v]][v];
		for (int v = sink; v != 0; v = from[v])
		{
			arc[from[v]][v] -= least;
			arc[v][from[v]] += least;
		}
		total += least;
	}
}
