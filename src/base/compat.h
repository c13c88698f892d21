/*
 * compat.h
 *		The server headers that every file needs, and the differences between
 *		server versions 15 to 18 that touch us.  No version test elsewhere.
 */
#ifndef ROUTING_BASE_COMPAT_H
#define ROUTING_BASE_COMPAT_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#if PG_VERSION_NUM < 150000
#error "routing needs PostgreSQL 15 or later"
#endif

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* the module magic carries name and version from 18 on */
#if PG_VERSION_NUM >= 180000
#define ROUTING_MODULE_MAGIC \
	PG_MODULE_MAGIC_EXT(.name = "routing", .version = ROUTING_VERSION)
#else
#define ROUTING_MODULE_MAGIC PG_MODULE_MAGIC
#endif

/* ownership tests have one function for all kinds of objects from 16 on */
#if PG_VERSION_NUM >= 160000
#define routing_owns_table(relid, userid) \
	object_ownercheck(RelationRelationId, (relid), (userid))
#else
#define routing_owns_table(relid, userid) pg_class_ownercheck((relid), (userid))
#endif

/* 18 puts "does not return" before the declaration */
#if PG_VERSION_NUM >= 180000
#define routing_noreturn pg_noreturn
#else
#define routing_noreturn pg_attribute_noreturn()
#endif

/* 18: arguments for deferrable keys and for instrumentation */
#if PG_VERSION_NUM >= 180000
#define routing_primary_key(rel) RelationGetPrimaryKeyIndex((rel), false)
#define routing_beginscan(heap, index, snapshot, nkeys) \
	index_beginscan((heap), (index), (snapshot), NULL, (nkeys), 0)
#else
#define routing_primary_key(rel) RelationGetPrimaryKeyIndex(rel)
#define routing_beginscan(heap, index, snapshot, nkeys) \
	index_beginscan((heap), (index), (snapshot), (nkeys), 0)
#endif

/* where a backend keeps its local transaction id moved in 17 */
#if PG_VERSION_NUM >= 170000
#define routing_my_lxid (MyProc->vxid.lxid)
#else
#define routing_my_lxid (MyProc->lxid)
#endif

/* 16 tells apart indexes that only summarize, which an update may need alone */
#if PG_VERSION_NUM >= 160000
#define RoutingUpdateIndexes TU_UpdateIndexes
#define routing_needs_indexes(u) ((u) != TU_None)
#define routing_only_summarizing(u) ((u) == TU_Summarizing)
#define routing_insert_index_tuples(rri, slot, estate, update, only_summarizing) \
	ExecInsertIndexTuples((rri), (slot), (estate), (update), false, NULL, NIL, (only_summarizing))
#else
#define RoutingUpdateIndexes bool
#define routing_needs_indexes(u) (u)
#define routing_only_summarizing(u) false
#define routing_insert_index_tuples(rri, slot, estate, update, only_summarizing) \
	ExecInsertIndexTuples((rri), (slot), (estate), (update), false, NULL, NIL)
#endif

/* a decoded change has its tuple in a wrapper up to 16 */
#if PG_VERSION_NUM >= 170000
#define routing_new_tuple(change) ((change)->data.tp.newtuple)
#else
#define routing_new_tuple(change) \
	((change)->data.tp.newtuple != NULL ? &(change)->data.tp.newtuple->tuple : NULL)
#endif

#endif							/* ROUTING_BASE_COMPAT_H */
