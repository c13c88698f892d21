/*
 * kits.h
 *		Kits and substitutes: cached reference data.
 */
#ifndef ROUTING_LEDGER_KITS_H
#define ROUTING_LEDGER_KITS_H

#include "base/compat.h"
#include "base/errors.h"

#include "utils/date.h"

/* a component of a kit; in order of its code */
typedef struct KitPart
{
	int32		tenant_id;
	char	   *kit;
	char	   *item;
	int64		quantity;		/* for one unit of the kit */
} KitPart;

typedef struct Substitute
{
	int32		tenant_id;
	char	   *original;
	char	   *item;
	int64		ratio;			/* units of it for one unit of the original */
	int64		penalty;		/* money for each unit of the original */
	bool		needs_consent;
	DateADT		valid_from;
	DateADT		valid_to;
} Substitute;

/* valid until the end of the transaction */
extern int	kit_parts(int32 tenant_id, const char *item, const KitPart **parts);
extern bool is_substitute(int32 tenant_id, const char *item);
extern int	substitutes_of(int32 tenant_id, const char *item, const Substitute **first);
extern void kit_check_supply(int32 tenant_id, const char *item, const char *node, Fault *fault);

#endif							/* ROUTING_LEDGER_KITS_H */
