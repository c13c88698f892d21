/*
 * lots_sweep.h
 *		Lots and who needs them: whether all are served, and what is left.
 *
 * Pure C of structs: no SQL, no clock, no server headers, so that it can be
 * tested outside a server.  Days are day numbers of any epoch; quantities are
 * counts of any unit, whose sums must fit into 63 bits.
 */
#ifndef ROUTING_LEDGER_LOTS_SWEEP_H
#define ROUTING_LEDGER_LOTS_SWEEP_H

#include <stddef.h>
#include <stdint.h>

/* supply of one lot, or of all lots that are alike and pinned by nobody */
typedef struct LotSupply
{
	int32_t		day;			/* there from then on, as things are today */
	int32_t		expiry;			/* last usable day; INT32_MAX: none */
	int32_t		pin;			/* which lot, for those who want that one only; or 0 */
	int64_t		quantity;		/* negative: somebody took it already */
} LotSupply;

typedef struct LotDemand
{
	int32_t		day;			/* needed then; before today: today */
	int32_t		min_expiry;		/* must be usable until then, and on the day of need */
	int32_t		pin;			/* from that lot only; 0: from any */
	int64_t		quantity;		/* > 0 */
} LotDemand;

typedef struct LotBook
{
	int32_t		today;
	int32_t		nsupplies;
	const LotSupply *supplies;
	int32_t		ndemands;
	const LotDemand *demands;
	void	   *work;			/* lots_work_size() bytes */
} LotBook;

/* from "day" on, "available" can be had */
typedef struct LotStep
{
	int32_t		day;
	int64_t		available;
} LotStep;

extern size_t lots_work_size(int32_t nsupplies, int32_t ndemands);

/* how much of the demand cannot be served; 0: all of it can be */
extern int64_t lots_deficit(const LotBook *book);

/*
 * The largest quantity that somebody can have in addition who needs it on
 * "day" and usable until "min_expiry", without anybody else having less;
 * less what is missing already, so that it may be negative.
 */
extern int64_t lots_extra(const LotBook *book, int32_t day, int32_t min_expiry, int32_t pin);

/*
 * The same for every day from today on, for somebody who wants "life" more
 * days of use from the day of need: not below 0, days ascending strictly, the
 * first is today.  "steps" has room for 2 * nsupplies + 1; returns how many
 * are filled, 0 when there is nothing on any day.
 */
extern int32_t lots_steps(const LotBook *book, int32_t life, int32_t pin, LotStep *steps);

#endif							/* ROUTING_LEDGER_LOTS_SWEEP_H */
