/*
 * lots_test.c
 *		The sweep over lots against maximum flows, on random instances.
 *
 * Prints TAP.  "lots_test SEED COUNT" runs others than the usual ones.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lots_flow.h"

#define TODAY		100
#define LAST		150			/* nothing changes after that day */
#define MOST_LOTS	8
#define MOST_NEEDS	10

static uint64_t state;
static int	test_number;
static int	failed;

static int
below(int n)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (int) ((state >> 33) % (uint64_t) n);
}

typedef struct Instance
{
	LotSupply	supplies[MOST_LOTS];
	LotDemand	demands[MOST_NEEDS];
	LotBook		book;
} Instance;

typedef enum Kind
{
	MIXED,						/* everything at once */
	PLAIN,						/* no lot ends, nobody is pinned */
	FEASIBLE,					/* as booked: all demands can be served */
	NUM_KINDS
} Kind;

static void
check(int ok, const char *what, long instances)
{
	printf("%sok %d - %s (%ld instances)\n", ok ? "" : "not ", ++test_number, what, instances);
	failed += !ok;
}

static void
make_book(Instance *in, int nsupplies, int ndemands)
{
	free(in->book.work);
	in->book.today = TODAY;
	in->book.nsupplies = nsupplies;
	in->book.supplies = in->supplies;
	in->book.ndemands = ndemands;
	in->book.demands = in->demands;
	in->book.work = malloc(lots_work_size(nsupplies, ndemands) + 1);
}

static void
random_instance(Instance *in, Kind kind)
{
	int			nsupplies = below(MOST_LOTS + 1);
	int			ndemands = below(MOST_NEEDS + 1);
	int			ends[3];

	for (int pin = 0; pin < 3; pin++)
		ends[pin] = below(4) == 0 ? INT32_MAX : TODAY - 3 + below(30);
	for (int i = 0; i < nsupplies; i++)
	{
		LotSupply  *s = &in->supplies[i];

		s->day = below(3) == 0 ? INT32_MIN : TODAY - 4 + below(24);
		s->pin = kind != PLAIN && below(3) == 0 ? 1 + below(2) : 0;
		s->expiry = kind == PLAIN ? INT32_MAX : s->pin != 0 ? ends[s->pin] :
			below(6) == 0 ? INT32_MAX : TODAY - 4 + below(34);
		s->quantity = below(12) == 0 && kind != FEASIBLE ? -below(5) : below(9);
	}
	for (int i = 0; i < ndemands; i++)
	{
		LotDemand  *d = &in->demands[i];

		d->day = TODAY - 3 + below(24);
		d->min_expiry = below(9) == 0 ? INT32_MIN : d->day + below(9);
		d->pin = kind != PLAIN && below(4) == 0 ? 1 + below(2) : 0;
		d->quantity = 1 + below(6);
	}
	make_book(in, nsupplies, ndemands);
	if (kind == FEASIBLE)
		for (int i = 0; i < in->book.ndemands;)
		{
			int			all = in->book.ndemands;

			/* who does not fit is taken out again */
			in->book.ndemands = i + 1;
			if (flow_served(&in->book, NULL) == flow_demanded(&in->book))
			{
				in->book.ndemands = all;
				i++;
				continue;
			}
			in->demands[i] = in->demands[all - 1];
			in->book.ndemands = all - 1;
		}
}

static int64_t
flow_extra(const LotBook *book, int day, int min_expiry, int pin)
{
	LotDemand	extra = {day, min_expiry, pin, 1000000};

	return flow_served(book, &extra) - flow_demanded(book);
}

/* the definition: the largest quantity with which everybody is served */
static int64_t
largest_extra(const LotBook *book, int day, int min_expiry, int pin)
{
	LotDemand	extra = {day, min_expiry, pin, 0};

	do
		extra.quantity++;
	while (flow_served(book, &extra) == flow_demanded(book) + extra.quantity);
	return extra.quantity - 1;
}

static int64_t
on_day(const LotStep *steps, int n, int day)
{
	int64_t		available = 0;

	for (int i = 0; i < n && steps[i].day <= day; i++)
		available = steps[i].available;
	return available;
}

static int
deficit_agrees(const Instance *in)
{
	return lots_deficit(&in->book) == flow_demanded(&in->book) - flow_served(&in->book, NULL);
}

static int
extra_agrees(const Instance *in, int by_definition)
{
	int			day = TODAY + below(28);
	int			min_expiry = day + below(9);
	int			pin = below(3) == 0 ? 1 + below(2) : 0;
	int64_t		expected = by_definition ? largest_extra(&in->book, day, min_expiry, pin) :
		flow_extra(&in->book, day, min_expiry, pin);

	return lots_extra(&in->book, day, min_expiry, pin) == expected;
}

static int
steps_agree(const Instance *in)
{
	LotStep		steps[2 * MOST_LOTS + 1];
	int			life = below(9);
	int			pin = below(4) == 0 ? 1 + below(2) : 0;
	int			n = lots_steps(&in->book, life, pin, steps);

	for (int i = 1; i < n; i++)
		if (steps[i].day <= steps[i - 1].day || steps[i].available == steps[i - 1].available)
			return 0;
	if (n > 0 && steps[0].day != TODAY)
		return 0;
	for (int day = TODAY; day <= LAST; day++)
	{
		int64_t		expected = flow_extra(&in->book, day, day + life, pin);

		if (on_day(steps, n, day) != (expected > 0 ? expected : 0))
			return 0;
	}
	return 1;
}

/* where nothing ends, the least balance from the day on, and no other rule */
static int
balance_agrees(const Instance *in)
{
	LotStep		steps[2 * MOST_LOTS + 1];
	int			n = lots_steps(&in->book, below(9), 0, steps);

	for (int day = TODAY; day <= LAST; day++)
	{
		int64_t		least = INT64_MAX;

		for (int s = day; s <= LAST; s++)
		{
			int64_t		balance = 0;

			for (int i = 0; i < in->book.nsupplies; i++)
				if (in->supplies[i].day <= s)
					balance += in->supplies[i].quantity;
			for (int i = 0; i < in->book.ndemands; i++)
				if (in->demands[i].day <= s)
					balance -= in->demands[i].quantity;
			if (balance < least)
				least = balance;
		}
		if (on_day(steps, n, day) != (least > 0 ? least : 0))
			return 0;
	}
	return 1;
}

/* without one demand, or a part of it, the deficit falls by no more than that part */
static int
repair_agrees(Instance *in)
{
	int64_t		deficit = lots_deficit(&in->book);

	for (int i = 0; i < in->book.ndemands; i++)
	{
		int64_t		whole = in->demands[i].quantity;
		int64_t		without;
		int64_t		part;

		in->demands[i].quantity = 0;
		without = lots_deficit(&in->book);
		part = deficit - without;
		in->demands[i].quantity = whole - part;
		if (part < 0 || part > whole || lots_deficit(&in->book) != without)
			return 0;
		in->demands[i].quantity = whole;
	}
	return 1;
}

/* the trap: 10 today that end on day 3, 10 on day 5; each answer alone says 10 */
static void
check_coupling(void)
{
	Instance	in = {.book = {0}};
	LotStep		steps[2 * MOST_LOTS + 1];
	int			n;

	in.supplies[0] = (LotSupply) {INT32_MIN, TODAY + 3, 0, 10};
	in.supplies[1] = (LotSupply) {TODAY + 5, INT32_MAX, 0, 10};
	make_book(&in, 2, 0);
	n = lots_steps(&in.book, 0, 0, steps);
	check(n == 3 && steps[0].available == 10 && steps[1].day == TODAY + 4 && steps[1].available == 0 &&
		  steps[2].day == TODAY + 5 && steps[2].available == 10, "nothing between the end of one lot and the next", 1);
	/* 20 in total, of which 10 are not there yet and 10 do not last: nothing for day 2 usable until day 4 */
	check(lots_extra(&in.book, TODAY + 2, TODAY + 4, 0) == 0, "dates and life are coupled", 1);
	in.demands[0] = (LotDemand) {TODAY + 5, TODAY + 5, 0, 10};
	make_book(&in, 2, 1);
	check(lots_extra(&in.book, TODAY, TODAY, 0) == 10 && lots_extra(&in.book, TODAY + 5, TODAY + 5, 0) == 0,
		  "a booking for later does not keep the lot that ends before", 1);
	free(in.book.work);
}

static void
measure(void)
{
	enum {LOTS = 50, NEEDS = 200, TIMES = 200};
	LotSupply	supplies[LOTS];
	LotDemand	demands[NEEDS];
	LotStep		steps[2 * LOTS + 1];
	LotBook		book = {TODAY, LOTS, supplies, NEEDS, demands, malloc(lots_work_size(LOTS, NEEDS))};
	clock_t		began;

	for (int i = 0; i < LOTS; i++)
		supplies[i] = (LotSupply) {TODAY + below(60), TODAY + 30 + below(90), 0, 100 + below(100)};
	for (int i = 0; i < NEEDS; i++)
	{
		int			day = TODAY + below(60);

		demands[i] = (LotDemand) {day, day + below(20), 0, 1 + below(20)};
	}
	began = clock();
	for (int i = 0; i < TIMES; i++)
		(void) lots_steps(&book, i % 10, 0, steps);
	printf("# %d lots, %d demands: %.1f us for all steps\n", LOTS, NEEDS,
		   (double) (clock() - began) * 1e6 / CLOCKS_PER_SEC / TIMES);
	free(book.work);
}

int
main(int argc, char **argv)
{
	long		count = argc > 2 ? atol(argv[2]) : 10000;
	int			ok[6] = {1, 1, 1, 1, 1, 1};
	long		infeasible = 0;
	Instance	in = {.book = {0}};

	state = argc > 1 ? (uint64_t) atoll(argv[1]) : 1;
	for (long i = 0; i < count; i++)
	{
		random_instance(&in, MIXED);
		infeasible += flow_served(&in.book, NULL) < flow_demanded(&in.book);
		ok[0] &= deficit_agrees(&in);
		ok[1] &= extra_agrees(&in, 0);
		ok[2] &= steps_agree(&in);
		ok[3] &= repair_agrees(&in);
		random_instance(&in, FEASIBLE);
		ok[0] &= lots_deficit(&in.book) == 0;
		ok[4] &= extra_agrees(&in, 1);
		ok[2] &= steps_agree(&in);
		random_instance(&in, PLAIN);
		ok[5] &= balance_agrees(&in);
	}
	free(in.book.work);
	check(ok[0], "what cannot be served is what a maximum flow leaves", 2 * count);
	check(ok[1], "what can be had in addition, with shortages", count);
	check(ok[2], "the steps say the same for every day", 2 * count);
	check(ok[3], "a part taken out repairs exactly that part", count);
	check(ok[4], "what can be had in addition, by definition", count);
	check(ok[5], "without ends it is the least balance to come", count);
	check(infeasible > count / 10 && infeasible < count - count / 10, "shortages are there, and are not everywhere", count);
	check_coupling();
	measure();
	printf("1..%d\n", test_number);
	return failed != 0;
}
