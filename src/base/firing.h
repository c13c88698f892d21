/*
 * firing.h
 *		Whether a trigger that runs now runs at commit or in mid-transaction.
 */
#ifndef ROUTING_BASE_FIRING_H
#define ROUTING_BASE_FIRING_H

extern void firing_install_hooks(void);
extern bool firing_at_commit(void);

#endif							/* ROUTING_BASE_FIRING_H */
