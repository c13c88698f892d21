/*
 * side.h
 *		One of two plans of an order that are put side by side.
 */
#ifndef ROUTING_ORDERS_SIDE_H
#define ROUTING_ORDERS_SIDE_H

#include "orders/record.h"

/* what of a line leaves from a node together */
typedef struct SidePart
{
	int			line_no;
	const char *node;
	const char *service;
	DateADT		ship_on;
	DateADT		deliver_on;
	const char *item;			/* if it is not the line's: a component or a substitute; else "" */
	int64		per;			/* then: units of it for one of the line's; else SCALE */
	bool		counts;			/* stands for the line's quantity: of a kit its first component */
	int64		quantity;		/* of what leaves */
} SidePart;

typedef struct SideLoad
{
	const char *node;
	int			nlines;
	int64		units;			/* of the lines' items: kits, what is replaced */
} SideLoad;

typedef struct PlanSide
{
	int			nparts;			/* sorted, each once */
	SidePart   *parts;
	int			nlines;			/* lines with something unserved */
	int		   *lines;
	int64	   *unserved;
	int64		backordered;	/* of all lines */
	int			nshipments;
	int			days_late;		/* of the last part of each line that has a day, summed */
	bool		has_promised;
	DateADT		promised;		/* when the order is complete */
	int			nloads;			/* by node */
	SideLoad   *loads;
	int64		cost;
} PlanSide;

extern int	record_component(const DecisionRecord *d, int part);
extern void side_of_record(PlanSide *side, const DecisionRecord *d, bool by_ship_day);
extern void side_of_order(PlanSide *side, const SalesOrder *order);
extern bool sides_differ(const PlanSide *a, const PlanSide *b);
extern Datum side_nodes(const PlanSide *side);
extern Datum side_node_lines(const PlanSide *side);
extern Datum side_node_units(const PlanSide *side);

#endif							/* ROUTING_ORDERS_SIDE_H */
