/*
 * workers.h
 *		Processes of our own: the launcher and one worker per database.
 */
#ifndef ROUTING_WORKERS_WORKERS_H
#define ROUTING_WORKERS_WORKERS_H

#include "base/compat.h"

extern int	guc_tick_interval;	/* milliseconds */

extern void workers_init(void);

extern PGDLLEXPORT void routing_launcher_main(Datum arg);
extern PGDLLEXPORT void routing_worker_main(Datum arg);

#endif							/* ROUTING_WORKERS_WORKERS_H */
