/*
 * rules.h
 *		What nodes and services may serve, apart from stock: cached reference data.
 */
#ifndef ROUTING_NETWORK_RULES_H
#define ROUTING_NETWORK_RULES_H

#include "network/network.h"

/* a row of routing.restriction; NULL: any */
typedef struct NetRestriction
{
	char	   *restriction;
	char	   *item;
	char	   *item_class;
	char	   *node;
	char	   *channel;
	char	   *country;
	char	   *zone;
	char	   *customer_group;
	char	   *service;
	char	   *reason;
} NetRestriction;

/* what a node may serve; by its index in the network */
typedef struct NodeRules
{
	char	   *kind;
	int			nchannels;		/* -1: all */
	char	  **channels;
	int			nhazmat;
	char	  **hazmat;			/* classes it has a permit for */
	bool		has_place;
	double		latitude;		/* degrees */
	double		longitude;
} NodeRules;

typedef struct NetRules
{
	bool		any_channels;	/* some node serves some channels only */
	NodeRules  *nodes;
	int			nhazmat_services;
	char	  **hazmat_services;	/* those that carry hazardous goods */
	int			nany;			/* restrictions of any item come first, */
	int			nrestrictions;	/* then the others, by item */
	NetRestriction *restrictions;
} NetRules;

#define KM_UNKNOWN	(-1)

extern const NetRules *network_rules(const Network *net);
extern int	rules_of_item(const NetRules *rules, const char *item, const NetRestriction **first);
extern bool rules_list_has(char *const *list, int n, const char *code);
extern int	node_distance(const NodeRules *node, double latitude, double longitude);

#endif							/* ROUTING_NETWORK_RULES_H */
