/*
 * same.c
 *		Whether two searches came to the same answer, and what was asked in one.
 */
#include <string.h>

#include "pack.h"

static void *
grow(const SrcProblem *problem, const void *old, size_t size, int32_t n, int32_t *most)
{
	void	   *larger;

	*most = n > 0 ? 2 * n : 16;
	larger = problem->alloc(problem->arg, size * (size_t) *most);
	if (n > 0)
		memcpy(larger, old, size * (size_t) n);
	return larger;
}

void
src_note_profile(const SrcProblem *problem, SrcAsked *asked, int32_t node,
				 int32_t item, const SrcProfile *profile)
{
	SrcAskedProfile *own;

	if (asked->nprofiles == asked->maxprofiles)
		asked->profiles = grow(problem, asked->profiles, sizeof(SrcAskedProfile),
							   asked->nprofiles, &asked->maxprofiles);
	own = &asked->profiles[asked->nprofiles++];
	own->node = node;
	own->item = item;
	own->profile = *profile;
}

void
src_note_room(const SrcProblem *problem, SrcAsked *asked, int32_t node,
			  int32_t ship_day, const SrcRoom *room)
{
	SrcAskedRoom *own;

	if (asked->nrooms == asked->maxrooms)
		asked->rooms = grow(problem, asked->rooms, sizeof(SrcAskedRoom),
							asked->nrooms, &asked->maxrooms);
	own = &asked->rooms[asked->nrooms++];
	own->node = node;
	own->ship_day = ship_day;
	own->room = *room;
}

/* Steele, Lea and Flood's 64-bit finalizer over a running sum */
static inline uint64_t
mix(uint64_t state, int64_t value)
{
	uint64_t	x = state + (uint64_t) value + UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

uint32_t
src_fingerprint(const SrcPlan *plan, int32_t nlines, const int32_t *node_of,
				const int32_t *lane_of)
{
	uint64_t	state = mix(0, plan->total);
	int32_t		i;

	for (i = 0; i < plan->nshipments; i++)
	{
		const SrcShipment *own = &plan->shipments[i];

		state = mix(state, node_of ? node_of[i] : own->node);
		state = mix(state, lane_of ? lane_of[i] : own->lane);
		state = mix(state, own->day);
		state = mix(state, own->ship);
		state = mix(state, own->arrival);
	}
	for (i = 0; i < plan->nparts; i++)
	{
		state = mix(state, plan->parts[i].line);
		state = mix(state, plan->parts[i].shipment);
		state = mix(state, plan->parts[i].quantity);
	}
	for (i = 0; i < nlines; i++)
		state = mix(state, plan->unserved[i]);
	return (uint32_t) (state ^ (state >> 32));
}

void
src_pack_maps(const SrcProblem *problem, const SrcResult *result,
			  int32_t *node_map, int32_t *lane_map)
{
	int32_t		nnodes = 0;
	int32_t		nlanes = 0;
	int32_t		i;
	int32_t		j;

	for (i = 0; i < problem->nnodes; i++)
		node_map[i] = -1;
	for (i = 0; i < problem->nlanes; i++)
		lane_map[i] = -1;
	for (i = 0; i < result->nodes_read; i++)
		node_map[result->read_order[i]] = 0;
	for (i = 0; i < problem->nnodes; i++)
	{
		const SrcNode *node = &problem->nodes[i];

		if (node_map[i] < 0)
			continue;
		node_map[i] = nnodes++;
		for (j = node->first_lane; j < node->first_lane + node->nlanes; j++)
			lane_map[j] = nlanes++;
	}
}

static bool
shipments_equal(const SrcShipment *a, const SrcShipment *b,
				const int32_t *node_map, const int32_t *lane_map)
{
	return (node_map ? node_map[a->node] : a->node) == b->node &&
		(lane_map ? lane_map[a->lane] : a->lane) == b->lane &&
		a->day == b->day && a->ship == b->ship && a->arrival == b->arrival &&
		a->weight == b->weight && a->handling == b->handling &&
		a->preference == b->preference && a->distance == b->distance &&
		a->capacity == b->capacity && a->base == b->base &&
		a->by_weight == b->by_weight && a->split == b->split;
}

static bool
parts_equal(const SrcPart *a, const SrcPart *b)
{
	return a->line == b->line && a->shipment == b->shipment &&
		a->quantity == b->quantity && a->days_late == b->days_late &&
		a->lateness == b->lateness && a->goods == b->goods &&
		a->custom == b->custom && a->risk == b->risk && a->balance == b->balance;
}

bool
src_plans_equal(const SrcPlan *a, const SrcPlan *b, int32_t nlines,
				const int32_t *node_map, const int32_t *lane_map)
{
	int32_t		i;

	if (a->nshipments != b->nshipments || a->nparts != b->nparts ||
		a->total != b->total || a->handling != b->handling ||
		a->preference != b->preference || a->distance != b->distance ||
		a->capacity != b->capacity || a->freight != b->freight ||
		a->split != b->split || a->lateness != b->lateness ||
		a->goods != b->goods || a->custom != b->custom || a->risk != b->risk ||
		a->balance != b->balance || a->backorder != b->backorder)
		return false;
	for (i = 0; i < a->nshipments; i++)
		if (!shipments_equal(&a->shipments[i], &b->shipments[i], node_map, lane_map))
			return false;
	for (i = 0; i < a->nparts; i++)
		if (!parts_equal(&a->parts[i], &b->parts[i]))
			return false;
	for (i = 0; i < nlines; i++)
		if (a->unserved[i] != b->unserved[i])
			return false;
	return true;
}

bool
src_results_equal(const SrcResult *a, const SrcResult *b, int32_t nlines,
				  const int32_t *node_map, const int32_t *lane_map)
{
	return a->nodes_read == b->nodes_read && a->has_next == b->has_next &&
		src_plans_equal(&a->best, &b->best, nlines, node_map, lane_map) &&
		(!a->has_next ||
		 src_plans_equal(&a->next, &b->next, nlines, node_map, lane_map));
}
