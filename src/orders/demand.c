/*
 * demand.c
 *		Demand that is no order, booked like orders.
 *
 * A row of routing.demand has one line of bookings, of the "order" demand:REF:
 * firm what ATP covers, uncovered the rest, with an exception.  It is the
 * company's own demand: it may use safety stock and what is kept for channels,
 * but comes after who waits with a better rank.
 *
 * A transfer is one pair: what its source covers, or has shipped, is inbound
 * supply at its destination until it is received.  That row of supply is the
 * engine's, known by its source_key.  A change of it is noted and settled in
 * the next pass, where it may hit others in turn.
 *
 * A ref is settled by one transaction at a time.  Its row would not do as the
 * lock: it may be deleted and come again.  Lock order: orders, then by ref the
 * supply rows at destinations and the ref, then positions.  What a judgement or new
 * supply does to demand that was not noted is only tried; what somebody else
 * holds is left pending for run_jobs().
 */
#include "orders/demand.h"

#include "base/engine.h"
#include "base/quantity.h"
#include "ledger/reference.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "storage/proc.h"

/* further passes that transfers of transfers may take; the rest is queued */
#define MAX_FOLLOWS		4

#define LOCK_CLASS		4710	/* objsubid of advisory locks; SQL uses 1 and 2, escrow slots 4711 and up */

#define DEMAND_COLUMNS	\
	"item, node, quantity - shipped, needed_on, COALESCE(arrives_on, needed_on), to_node, shipped - received, priority"

static EnginePlan plan_read = {
	"SELECT " DEMAND_COLUMNS " FROM routing.demand WHERE tenant_id = $1 AND ref = $2",
	2, {INT4OID, TEXTOID}, NULL
};

static EnginePlan plan_bookings = {
	"SELECT part, item, node, quantity, needed_on, deliver_on, state = 'firm', basis FROM routing.reservation"
	" WHERE tenant_id = $1 AND order_id = $2 AND line_no = 1 AND \"to\" IS NULL AND state <> 'issued' ORDER BY part",
	2, {INT4OID, TEXTOID}, NULL
};

static EnginePlan plan_arrivals = {
	"SELECT item, node, quantity, available_on FROM routing.supply"
	" WHERE tenant_id = $1 AND ref = $2 AND source_key = $3 ORDER BY item, node",
	3, {INT4OID, TEXTOID, TEXTOID}, NULL
};

static EnginePlan plan_lock_arrivals = {
	"SELECT 1 FROM routing.supply WHERE tenant_id = $1 AND ref = $2 AND source_key = $3"
	" ORDER BY item, node FOR UPDATE",
	3, {INT4OID, TEXTOID, TEXTOID}, NULL
};

static EnginePlan plan_try_lock_arrivals = {
	"SELECT 1 FROM routing.supply WHERE tenant_id = $1 AND ref = $2 AND source_key = $3"
	" ORDER BY item, node FOR UPDATE SKIP LOCKED",
	3, {INT4OID, TEXTOID, TEXTOID}, NULL
};

/* who waits at these item-nodes, in the order in which they are served */
static EnginePlan plan_waiting = {
	"SELECT d.tenant_id, d.ref FROM unnest($1, $2, $3) AS k(t, i, n)"
	" JOIN routing.demand d ON d.tenant_id = k.t AND d.item = k.i AND d.node = k.n"
	" WHERE EXISTS (SELECT FROM routing.reservation r"
	"  WHERE r.tenant_id = d.tenant_id AND r.order_id = '" DEMAND_PREFIX "' || d.ref AND r.line_no = 1"
	"    AND r.\"to\" IS NULL AND r.state NOT IN ('firm', 'issued'))"
	" ORDER BY 1, 2",
	3, {INT4ARRAYOID, TEXTARRAYOID, TEXTARRAYOID}, NULL
};

static EnginePlan plan_all_waiting = {
	"SELECT p.key FROM routing.pending p WHERE p.tenant_id = $1 AND p.binding = '' AND p.concept = 'demand'"
	" UNION"
	" SELECT d.ref FROM routing.demand d WHERE d.tenant_id = $1"
	"  AND EXISTS (SELECT FROM routing.reservation r"
	"   WHERE r.tenant_id = d.tenant_id AND r.order_id = '" DEMAND_PREFIX "' || d.ref AND r.line_no = 1"
	"     AND r.\"to\" IS NULL AND r.state NOT IN ('firm', 'issued'))"
	" ORDER BY 1",
	1, {INT4OID}, NULL
};

static EnginePlan plan_orphans = {
	"SELECT DISTINCT r.tenant_id, pg_catalog.substr(r.order_id, 8) FROM routing.reservation r"
	" WHERE r.\"to\" IS NULL AND r.state <> 'issued' AND r.order_id LIKE '" DEMAND_PREFIX "%' AND NOT EXISTS (SELECT FROM routing.demand d"
	"  WHERE d.tenant_id = r.tenant_id AND r.order_id = '" DEMAND_PREFIX "' || d.ref)"
	/* of what has left in full only the arrival is there */
	" UNION"
	" SELECT s.tenant_id, s.ref FROM routing.supply s"
	" WHERE s.binding = '' AND s.kind = 'transfer' AND s.source_key = '" DEMAND_PREFIX "' || s.ref"
	"  AND NOT EXISTS (SELECT FROM routing.demand d WHERE d.tenant_id = s.tenant_id AND d.ref = s.ref)"
	" ORDER BY 1, 2",
	0, {0}, NULL
};

static int	follows = 0;
static LocalTransactionId follows_of = InvalidLocalTransactionId;

/* ------------------------------------------------------------------------
 * Reading
 * ------------------------------------------------------------------------ */

/* $1 to $3 of statements about its supply: tenant, ref, source_key. */
void
demand_key_args(const Demand *d, Datum *args)
{
	args[0] = Int32GetDatum(d->tenant_id);
	args[1] = CStringGetTextDatum(d->ref);
	args[2] = CStringGetTextDatum(d->id);
}

/* $1 and $2 of statements about its bookings and exceptions: tenant, order_id. */
void
demand_id_args(const Demand *d, Datum *args)
{
	args[0] = Int32GetDatum(d->tenant_id);
	args[1] = CStringGetTextDatum(d->id);
}

static void
load_row(Demand *d)
{
	Datum		args[3];
	bool		isnull;

	demand_key_args(d, args);
	d->exists = engine_exec(&plan_read, args, NULL, ENGINE_FRESH) > 0;
	if (d->exists)
	{
		d->item = spi_text(0, 1);
		d->node = spi_text(0, 2);
		d->open = Max(scaled_from_datum(spi_datum(0, 3, &isnull)), 0);
		d->needed_on = DatumGetDateADT(spi_datum(0, 4, &isnull));
		d->deliver_on = DatumGetDateADT(spi_datum(0, 5, &isnull));
		d->to_node = spi_text(0, 6);
		d->under_way = scaled_from_datum(spi_datum(0, 7, &isnull));
		d->priority = DatumGetInt32(spi_datum(0, 8, &isnull));
	}
	SPI_freetuptable(SPI_tuptable);
}

/* Its open bookings, as they are now, but what has left: that waits for its stock to fall. */
void
demand_load_bookings(Demand *d)
{
	Datum		args[2];
	bool		isnull;

	demand_id_args(d, args);
	d->nbookings = (int) engine_exec(&plan_bookings, args, NULL, ENGINE_FRESH);
	d->bookings = palloc(sizeof(DemandBooking) * Max(d->nbookings, 1));
	for (int i = 0; i < d->nbookings; i++)
	{
		DemandBooking *b = &d->bookings[i];

		b->part = DatumGetInt32(spi_datum(i, 1, &isnull));
		b->item = spi_text(i, 2);
		b->node = spi_text(i, 3);
		b->quantity = scaled_from_datum(spi_datum(i, 4, &isnull));
		b->needed_on = DatumGetDateADT(spi_datum(i, 5, &isnull));
		b->deliver_on = DatumGetDateADT(spi_datum(i, 6, &isnull));
		b->firm = DatumGetBool(spi_datum(i, 7, &isnull));
		b->basis = spi_text(i, 8);
	}
	SPI_freetuptable(SPI_tuptable);
}

/*
 * What the engine has put as inbound at its destination, or destinations that
 * it had: read the rows from SPI_tuptable.
 */
int
demand_arrivals(const Demand *d)
{
	Datum		args[3];

	demand_key_args(d, args);
	return (int) engine_exec(&plan_arrivals, args, NULL, ENGINE_FRESH);
}

static Demand *
make_demand(int32 tenant_id, const char *ref)
{
	Demand	   *d = palloc0(sizeof(Demand));

	d->tenant_id = tenant_id;
	d->ref = pstrdup(ref);
	d->id = psprintf("%s%s", DEMAND_PREFIX, ref);
	return d;
}

static void
append_demand(Settlement *s, Demand *d)
{
	if (s->ndemands == s->cap_demands)
	{
		s->cap_demands = s->cap_demands ? s->cap_demands * 2 : 8;
		s->demands = s->demands == NULL ? palloc(sizeof(Demand *) * s->cap_demands) :
			repalloc_huge(s->demands, sizeof(Demand *) * s->cap_demands);
	}
	s->demands[s->ndemands++] = d;
}

static bool
in_hand(const Settlement *s, int32 tenant_id, const char *ref)
{
	for (int i = 0; i < s->ndemands; i++)
	{
		if (s->demands[i]->tenant_id == tenant_id && strcmp(s->demands[i]->ref, ref) == 0)
			return true;
	}
	return false;
}

/* ------------------------------------------------------------------------
 * Taking demand in hand
 * ------------------------------------------------------------------------ */

/* Lock a ref until the end of the transaction. */
static bool
lock_ref(const Demand *d, bool wait)
{
	LOCKTAG		tag;
	uint64		h = hash_bytes_extended((const unsigned char *) d->ref, strlen(d->ref), d->tenant_id);

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) (h >> 32), (uint32) h, LOCK_CLASS);
	return LockAcquire(&tag, ExclusiveLock, false, !wait) != LOCKACQUIRE_NOT_AVAIL;
}

static void
check_references(const Demand *d)
{
	Fault		fault = {0};
	const Network *net = network_get(d->tenant_id);
	char	   *where = psprintf("demand \"%s\": ", d->ref);

	if (!item_exists(d->tenant_id, d->item))
		fault_unknown_item(&fault, where, d->item);
	else if (network_find_node(net, d->node) < 0)
		fault_unknown_node(&fault, where, d->node);
	else if (d->to_node && network_find_node(net, d->to_node) < 0)
		fault_unknown_node(&fault, where, d->to_node);
	if (fault.sqlerrcode)
		fault_raise(&fault);
}

/*
 * Demand that somebody changed, or that is to be looked at again.  Waits for
 * its rows, and has its positions locked with all others.  Add them by tenant
 * and ref, before anything is locked.
 */
static Demand *
add_demand(Settlement *s, int32 tenant_id, const char *ref)
{
	Demand	   *d = make_demand(tenant_id, ref);
	Datum		args[3];
	int			n;

	demand_key_args(d, args);
	/* who received a part of it holds these already */
	(void) engine_exec(&plan_lock_arrivals, args, NULL, ENGINE_FRESH);
	(void) lock_ref(d, true);
	load_row(d);
	demand_load_bookings(d);
	if (d->exists)
	{
		check_references(d);
		settlement_touch(s, tenant_id, d->item, d->node);
		if (d->to_node)
			settlement_touch(s, tenant_id, d->item, d->to_node);
	}
	for (int i = 0; i < d->nbookings; i++)
		settlement_touch(s, tenant_id, d->bookings[i].item, d->bookings[i].node);
	n = demand_arrivals(d);
	for (int i = 0; i < n; i++)
		settlement_touch(s, tenant_id, spi_text(i, 1), spi_text(i, 2));
	SPI_freetuptable(SPI_tuptable);
	append_demand(s, d);
	return d;
}

/*
 * Demand whose supply changed: positions are locked already, so nothing is
 * waited for.  False if somebody holds a part of it.
 */
static bool
try_demand(Settlement *s, int32 tenant_id, const char *ref)
{
	Demand	   *d = make_demand(tenant_id, ref);
	Datum		args[3];
	int			n;
	bool		free = true;

	if (!lock_ref(d, false))
		return false;
	demand_key_args(d, args);
	n = (int) engine_exec(&plan_try_lock_arrivals, args, NULL, ENGINE_FRESH);
	if (demand_arrivals(d) != n)
		return false;
	for (int i = 0; i < n && free; i++)
		free = ledger_lock(s->ledger, ledger_get(s->ledger, tenant_id, spi_text(i, 1), spi_text(i, 2)), false);
	SPI_freetuptable(SPI_tuptable);
	load_row(d);
	if (!free || !d->exists)
		return false;
	if (d->to_node)
	{
		Position   *pos = ledger_get(s->ledger, tenant_id, d->item, d->to_node);

		pos->whole = true;
		free = ledger_lock(s->ledger, pos, false) && pos->exists;
	}
	demand_load_bookings(d);
	for (int i = 0; i < d->nbookings && free; i++)
		free = ledger_get(s->ledger, tenant_id, d->bookings[i].item, d->bookings[i].node)->locked;
	if (free)
		append_demand(s, d);
	return free;
}

/* Noted demand; "emptied": and that whose row went with a TRUNCATE. */
void
demands_add_noted(Settlement *s, Note **notes, int n, bool emptied)
{
	if (emptied)
	{
		int			rows = (int) engine_exec(&plan_orphans, NULL, NULL, ENGINE_FRESH);
		Note	  **all = palloc_extended(sizeof(Note *) * (n + rows + 1), MCXT_ALLOC_HUGE);

		memcpy(all, notes, sizeof(Note *) * n);
		notes = all;
		for (int i = 0; i < rows; i++)
		{
			bool		isnull;

			notes[n] = palloc0(sizeof(Note));
			notes[n]->tenant_id = DatumGetInt32(spi_datum(i, 1, &isnull));
			notes[n]->a = spi_text(i, 2);
			notes[n++]->b = "";
		}
		SPI_freetuptable(SPI_tuptable);
	}
	/* "shipped" after "": the last of a group has it */
	qsort(notes, n, sizeof(Note *), note_compare);
	for (int i = 0; i < n; i++)
	{
		Demand	   *d;

		CHECK_FOR_INTERRUPTS();
		if (i + 1 < n && notes[i]->tenant_id == notes[i + 1]->tenant_id &&
			strcmp(notes[i]->a, notes[i + 1]->a) == 0)
			continue;
		d = add_demand(s, notes[i]->tenant_id, notes[i]->a);
		d->noted = true;
		d->shipping = strcmp(notes[i]->b, "shipped") == 0;
	}
}

/* Demand that cannot be had now: what it is short of is said all the same. */
static void
leave_pending(Settlement *s, int32 tenant_id, const char *ref)
{
	Demand	   *d = make_demand(tenant_id, ref);
	int64		missing = 0;

	pending_add(tenant_id, "", "demand", ref, "its supply changed while somebody else held it",
				ERRCODE_LOCK_NOT_AVAILABLE);
	load_row(d);
	demand_load_bookings(d);
	for (int i = 0; i < d->nbookings; i++)
	{
		if (!d->bookings[i].firm)
			missing = scaled_add(missing, d->bookings[i].quantity);
	}
	if (d->exists)
		demand_sync_exception(s, d, missing);
}

/*
 * Take in hand what waits at the positions that were judged: their victims,
 * and who was short before and may be served now.
 */
void
demands_follow(Settlement *s)
{
	Datum		args[3];
	Datum	   *tenants;
	char	  **items;
	char	  **nodes;
	int			n;

	if (s->npositions == 0)
		return;
	tenants = palloc_extended(sizeof(Datum) * s->npositions, MCXT_ALLOC_HUGE);
	items = palloc_extended(sizeof(char *) * s->npositions, MCXT_ALLOC_HUGE);
	nodes = palloc_extended(sizeof(char *) * s->npositions, MCXT_ALLOC_HUGE);
	for (int i = 0; i < s->npositions; i++)
	{
		tenants[i] = Int32GetDatum(s->positions[i]->key.tenant_id);
		items[i] = unconstify(char *, s->positions[i]->key.item);
		nodes[i] = unconstify(char *, s->positions[i]->key.node);
	}
	args[0] = PointerGetDatum(construct_array(tenants, s->npositions, INT4OID, 4, true, TYPALIGN_INT));
	args[1] = text_array(items, s->npositions);
	args[2] = text_array(nodes, s->npositions);
	n = (int) engine_exec(&plan_waiting, args, NULL, ENGINE_FRESH);
	if (n > 0)
	{
		char	  **refs = palloc(sizeof(char *) * n);
		int32	   *tenant_ids = palloc(sizeof(int32) * n);

		for (int i = 0; i < n; i++)
		{
			bool		isnull;

			tenant_ids[i] = DatumGetInt32(spi_datum(i, 1, &isnull));
			refs[i] = spi_text(i, 2);
		}
		SPI_freetuptable(SPI_tuptable);
		if (follows_of != routing_my_lxid)
			follows = 0;
		follows_of = routing_my_lxid;
		follows++;
		for (int i = 0; i < n; i++)
		{
			CHECK_FOR_INTERRUPTS();
			if (in_hand(s, tenant_ids[i], refs[i]))
				continue;
			if (follows > MAX_FOLLOWS || !try_demand(s, tenant_ids[i], refs[i]))
				leave_pending(s, tenant_ids[i], refs[i]);
		}
	}
}

/* ------------------------------------------------------------------------
 * Calls
 * ------------------------------------------------------------------------ */

/* Book what is open of all demand that is short or pending, if it can be; SPI is connected. */
void
demands_run(int32 tenant_id)
{
	Settlement *s;
	Datum		args[1];
	int			n;
	char	  **refs;

	args[0] = Int32GetDatum(tenant_id);
	n = (int) engine_exec(&plan_all_waiting, args, NULL, ENGINE_FRESH);
	refs = palloc(sizeof(char *) * Max(n, 1));
	for (int i = 0; i < n; i++)
		refs[i] = spi_text(i, 1);
	SPI_freetuptable(SPI_tuptable);
	if (n == 0)
		return;
	s = settlement_begin();
	for (int i = 0; i < n; i++)
		(void) add_demand(s, tenant_id, refs[i]);
	settlement_finish(s);
	for (int i = 0; i < n; i++)
		pending_remove(tenant_id, "", "demand", refs[i]);
}
