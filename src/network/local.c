/*
 * local.c
 *		Dates and times of day where a node is.
 *
 * Where the clocks change, a time of day may not exist on a day, or exist
 * twice.  What happens at a time of day happens at the first moment of the day
 * at which the clock shows that time or a later one.
 */
#include "network/network.h"

#include "base/clock.h"

#include "utils/datetime.h"

#define UNIX_TO_POSTGRES	((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY)

static pg_time_t
unix_time(TimestampTz at)
{
	/* downwards, also before 2000 */
	return (at >= 0 ? at / USECS_PER_SEC : -((-at + USECS_PER_SEC - 1) / USECS_PER_SEC)) + UNIX_TO_POSTGRES;
}

static TimestampTz
postgres_time(pg_time_t at)
{
	return (at - UNIX_TO_POSTGRES) * USECS_PER_SEC;
}

/* The date at the node at an instant. */
DateADT
node_date(const NetNode *node, TimestampTz at)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			tz;

	if (timestamp2tm(at, &tz, &tm, &fsec, NULL, node->tz) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	return date2j(tm.tm_year, tm.tm_mon, tm.tm_mday) - POSTGRES_EPOCH_JDATE;
}

/* The time of day at the node, with the zone's name: "2026-11-23 09:14 America/Chicago". */
char *
node_local_time(const NetNode *node, TimestampTz at)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			tz;

	if (timestamp2tm(at, &tz, &tm, &fsec, NULL, node->tz) != 0)
		return pstrdup("");
	return psprintf("%04d-%02d-%02d %02d:%02d %s", tm.tm_year, tm.tm_mon, tm.tm_mday,
					tm.tm_hour, tm.tm_min, pg_get_timezone_name(node->tz));
}

/* The first moment of a day at which the clock at the node shows a time, or a later one. */
TimestampTz
node_instant(const NetNode *node, DateADT day, TimeADT time)
{
	int64		wall = (int64) day * USECS_PER_DAY + time;
	pg_time_t	before = unix_time(wall) - SECS_PER_DAY;
	pg_time_t	boundary;
	TimestampTz change;
	long int	offset;
	long int	next_offset;
	int			is_dst;
	int			next_is_dst;
	int			found = pg_next_dst_boundary(&before, &offset, &is_dst, &boundary, &next_offset,
											 &next_is_dst, node->tz);

	if (found < 0)
		return wall;
	if (found == 0)
		return wall - (int64) offset * USECS_PER_SEC;
	change = postgres_time(boundary);
	if (wall - (int64) offset * USECS_PER_SEC < change)
		return wall - (int64) offset * USECS_PER_SEC;
	/* the clock may have jumped over it */
	return Max(wall - (int64) next_offset * USECS_PER_SEC, change);
}

/* The next instant at which the clocks at the node change. */
TimestampTz
node_next_change(const NetNode *node, TimestampTz at)
{
	pg_time_t	now = unix_time(at);
	pg_time_t	boundary;
	long int	offset;
	long int	next_offset;
	int			is_dst;
	int			next_is_dst;

	if (pg_next_dst_boundary(&now, &offset, &is_dst, &boundary, &next_offset, &next_is_dst, node->tz) <= 0)
		return DT_NOEND;
	return postgres_time(boundary);
}

PG_FUNCTION_INFO_V1(routing_node_today);

/* SQL: the current date in the node's time zone, UTC for an unknown node. */
Datum
routing_node_today(PG_FUNCTION_ARGS)
{
	const Network *net = network_get(PG_GETARG_INT32(0));
	const NetNode *node = network_node(net, text_to_cstring(PG_GETARG_TEXT_PP(1)));
	NetNode		utc;

	if (node != NULL)
		PG_RETURN_DATEADT(node_date(node, clock_of_transaction()));
	utc.tz = pg_tzset("GMT");
	PG_RETURN_DATEADT(node_date(&utc, clock_of_transaction()));
}

PG_FUNCTION_INFO_V1(routing_time_zone_known);

/* SQL: whether the server knows a time zone, for doctor(). */
Datum
routing_time_zone_known(PG_FUNCTION_ARGS)
{
	pg_tz	   *tz = pg_tzset(text_to_cstring(PG_GETARG_TEXT_PP(0)));

	PG_RETURN_BOOL(tz != NULL && pg_tz_acceptable(tz));
}
