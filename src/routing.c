/*
 * routing.c
 *		Module initialisation and settings, nothing else.
 *
 * Nothing here needs shared_preload_libraries; the library loads when one of
 * its functions is first called.
 */
#include "base/compat.h"

#include <limits.h>

#include "base/clock.h"
#include "base/firing.h"
#include "base/notes.h"
#include "base/tenant.h"
#include "erp/settle.h"
#include "events/envelope.h"
#include "events/trace.h"
#include "events/validate.h"
#include "ledger/position.h"
#include "orders/eligibility.h"
#include "orders/settle.h"
#include "workers/workers.h"

#include "utils/guc.h"

ROUTING_MODULE_MAGIC;

int			guc_clock_offset = 0;

void		_PG_init(void);

static const struct config_enum_entry escrow_modes[] = {
	{"auto", ESCROW_AUTO, false},
	{"off", ESCROW_OFF, false},
	{"always", ESCROW_ALWAYS, false},
	{NULL, 0, false}
};

static void
assign_tenant(const char *newval, void *extra)
{
	tenant_setting_changed();
}

void
_PG_init(void)
{
	DefineCustomStringVariable("routing.tenant",
							   "Code of the tenant that the session works for.",
							   "It selects among the tenants that the role is a member of.",
							   &guc_tenant, "default",
							   PGC_USERSET, 0, NULL, assign_tenant, NULL);
	trace_define_settings();
	envelope_define_settings();
	validate_define_settings();
	DefineCustomIntVariable("routing.settle_timeout",
							"Longest time that the settlement of bound tables may take.",
							"After that the ERP's transaction goes on and the keys become pending; 0 turns the limit off.",
							&guc_settle_timeout, 10000, 0, INT_MAX,
							PGC_USERSET, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("routing.settle_lock_timeout",
							"Longest wait for a lock in the settlement of bound tables.",
							"After that the ERP's transaction goes on and the keys become pending; 0 turns the limit off.",
							&guc_settle_lock_timeout, 2000, 0, INT_MAX,
							PGC_USERSET, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomEnumVariable("routing.escrow",
							 "Whether hot item-nodes are divided so that orders do not wait for each other.",
							 "auto: where waits are seen; always: wherever there is enough, for tests.",
							 &guc_escrow, ESCROW_AUTO, escrow_modes,
							 PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("routing.settle_reroute_limit",
							"Order lines that a settlement routes again because supply went or came.",
							"The others wait in routing.pending for run_jobs().",
							&guc_settle_reroute_limit, 20, 0, 10000,
							PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("routing.clock_offset",
							"Seconds by which the engine's clock differs from the server's.",
							"For tests and rehearsals: what tomorrow brings.",
							&guc_clock_offset, 0, -INT_MAX, INT_MAX,
							PGC_SUSET, GUC_UNIT_S | GUC_NOT_IN_SAMPLE, NULL, NULL, NULL);
	workers_init();
	MarkGUCPrefixReserved("routing");

	notes_install_callbacks();
	firing_install_hooks();
	erp_install_hook();
	allowed_install_hook();
}

PG_FUNCTION_INFO_V1(routing_library_version);

/* SQL: what doctor() compares with the version of the SQL objects. */
Datum
routing_library_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(ROUTING_VERSION));
}
