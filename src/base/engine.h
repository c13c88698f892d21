/*
 * engine.h
 *		Running SQL of our own: saved plans, snapshots, rights.
 */
#ifndef ROUTING_BASE_ENGINE_H
#define ROUTING_BASE_ENGINE_H

#include "base/compat.h"
#include "executor/spi.h"
#include "utils/snapshot.h"

/*
 * A statement that is planned once per backend.  Declare as a static
 * variable with text and parameter types; the plan is made on first use.
 */
typedef struct EnginePlan
{
	const char *sql;
	int			nargs;
	Oid			argtypes[24];
	SPIPlanPtr	plan;
} EnginePlan;

/* how a statement reads */
typedef enum EngineMode
{
	ENGINE_READ,				/* the caller's snapshot; writes nothing */
	ENGINE_FRESH				/* a fresh snapshot at every isolation level; what
								 * fills a cache must use it, or an old
								 * transaction would cache old rows */
} EngineMode;

/* a plan of an SQL text; kept: until SPI_freeplan(), else until the connection ends */
extern SPIPlanPtr engine_prepare(const char *sql, int nargs, Oid *argtypes, bool kept);

extern uint64 engine_exec(EnginePlan *plan, Datum *values, const char *nulls,
						  EngineMode mode);

/* column of a result row, NULL text for SQL null */
extern char *spi_text(int row, int col);
extern Datum spi_datum(int row, int col, bool *isnull);

/* rights of the extension's owner and a pinned search path */
typedef struct EngineScope
{
	Oid			userid;
	int			sec_context;
	int			guc_level;
} EngineScope;

extern void engine_enter(EngineScope *scope);
extern void engine_leave(EngineScope *scope);
extern void role_enter(EngineScope *scope, Oid role);
extern void role_leave(EngineScope *scope);
extern Oid	relation_owner(Oid relid);

/* while the engine itself writes: at which depth its writes fire triggers; else 0 */
extern int	engine_writing;
extern int	engine_write_begin(void);
extern bool engine_is_writing(void);

/* a settlement at commit where no row event brings one */
extern void settle_queue_token(void);
extern void settle_clear_token(void);

extern void engine_utility(const char *sql);
extern TupleDesc engine_row_result(FunctionCallInfo fcinfo);
extern Datum text_array(char **values, int n);

#endif							/* ROUTING_BASE_ENGINE_H */
