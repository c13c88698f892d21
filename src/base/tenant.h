/*
 * tenant.h
 *		The current tenant and who is a member of which.
 */
#ifndef ROUTING_BASE_TENANT_H
#define ROUTING_BASE_TENANT_H

#include "base/compat.h"

extern char *guc_tenant;

extern void tenant_setting_changed(void);
extern int32 tenant_current(void);
extern bool tenant_is_member(int32 tenant_id);
extern const char *tenant_code(int32 tenant_id);
extern const char *tenant_currency(int32 tenant_id);
extern bool tenant_is_only(void);
extern int	tenant_ids(int32 **ids);

#endif							/* ROUTING_BASE_TENANT_H */
