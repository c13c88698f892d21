/*
 * quantity.h
 *		Quantities and money: numeric outside, int64 ten-thousandths inside.
 */
#ifndef ROUTING_BASE_QUANTITY_H
#define ROUTING_BASE_QUANTITY_H

#include "base/errors.h"
#include "utils/numeric.h"

#define SCALE			INT64CONST(10000)
#define SCALED_MAX		(INT64CONST(100000000000) * SCALE)	/* 1e11 units */
#define SCALED_TEXT		32			/* bytes that scaled_write() may need */

/* what is wrong with a number, if anything */
typedef enum ScaledStatus
{
	SCALED_OK,
	SCALED_NOT_FINITE,
	SCALED_TOO_PRECISE,
	SCALED_OUT_OF_RANGE
} ScaledStatus;

extern ScaledStatus scaled_from_text(const char *text, int64 *result);
extern ScaledStatus scaled_from_numeric(Numeric num, int64 *result);
extern const char *scaled_problem(ScaledStatus status);
extern Numeric scaled_to_numeric(int64 value);
extern int	scaled_write(int64 value, char *buf);
extern char *scaled_to_text(int64 value);
extern int64 scaled_add(int64 a, int64 b);
extern int64 scaled_sub(int64 a, int64 b);

/* a quantity ordered or booked: more than 0; faults name field and value */
extern int64 quantity_check(Numeric num, const char *field, Fault *fault);

static inline int64
scaled_from_datum(Datum d)
{
	int64		v = 0;

	/* for columns that a CHECK constraint keeps in range */
	(void) scaled_from_numeric(DatumGetNumeric(d), &v);
	return v;
}

#endif							/* ROUTING_BASE_QUANTITY_H */
