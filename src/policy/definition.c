/*
 * definition.c
 *		Reading the JSON definition of a policy.
 *
 * Every fault names the path of the value, with array indexes from 0 as JSON
 * tools count, and the value itself.  The first fault found is reported; what
 * was read until then is of no use.
 */
#include "policy/read.h"

#include "base/json.h"
#include "base/quantity.h"

#define NAME_MAX_LEN	63		/* bytes of a name that a policy gives */

static void
read_lateness(Reader *r, const char *path, const JsonbValue *v, const PolicyField *f, Settings *set)
{
	Members		m = {0};

	if (!reader_is_object(v))
	{
		reader_bad_value(r, path, v, "an object");
		return;
	}
	m.it = JsonbIteratorInit(v->val.binary.data);
	while (next_member(&m) && !reader_failed(r))
	{
		int			priority = strlen(m.key) == 1 ? m.key[0] - '0' : 0;

		if (priority < 1 || priority > POLICY_PRIORITIES)
		{
			reader_bad(r, member_path(path, m.key), "is not a priority from 1 to 9");
			return;
		}
		set->values.lateness[priority] = m.value.type == jbvNull ? r->builtin.lateness[priority] :
			read_number(r, member_path(path, m.key), &m.value, f->min, f->max, f->is);
		set->priorities |= 1 << priority;
	}
}

static uint32
read_soft(Reader *r, const char *path, const JsonbValue *v)
{
	static const char *const is =
	"max_distance, max_late_days, margin_floor, split_min, keep, max_shipments or nodes";
	uint32		soft = 0;
	int			n;
	JsonbValue *all = read_elements(r, path, v, 32, "an array of names of constraints", &n);

	for (int i = 0; i < n && !reader_failed(r); i++)
	{
		const char *at = psprintf("%s[%d]", path, i);
		int			bit = all[i].type == jbvString ? policy_find_name(policy_soft_names, json_value_text(&all[i])) : -1;

		if (bit < 0)
			reader_bad_value(r, at, &all[i], is);
		else if (soft & (1U << bit))
			reader_bad(r, at, psprintf("%s is there twice", policy_soft_names[bit]));
		else
			soft |= 1U << bit;
	}
	return soft;
}

static void
read_nodes(Reader *r, const char *path, const JsonbValue *v, PolicyNodes *nodes)
{
	static const char *const keys[] = {"list", "step", "only"};
	Members		m = {0};

	if (!reader_is_object(v))
	{
		reader_bad_value(r, path, v, "an object");
		return;
	}
	/* the step may be there already, of a goal */
	nodes->n = 0;
	nodes->only = false;
	m.it = JsonbIteratorInit(v->val.binary.data);
	while (next_member(&m) && !reader_failed(r))
	{
		const char *at = member_path(path, m.key);

		if (strcmp(m.key, "list") == 0)
			nodes->nodes = read_codes(r, at, &m.value, &nodes->n);
		else if (strcmp(m.key, "step") == 0)
			nodes->step = read_number(r, at, &m.value, 0, 1000000, "an amount from 0 to 1000000 with at most 4 decimals");
		else if (strcmp(m.key, "only") == 0 && m.value.type == jbvBool)
			nodes->only = m.value.val.boolean;
		else if (strcmp(m.key, "only") == 0)
			reader_bad_value(r, at, &m.value, "true or false");
		else
			reader_unknown_key(r, path, m.key, keys, lengthof(keys));
	}
	if (nodes->n == 0 && !reader_failed(r))
		reader_bad(r, member_path(path, "list"), "is missing or empty");
}

static void
read_keeps(Reader *r, const char *path, const JsonbValue *v, PolicyTerms *terms)
{
	static const char *const keys[] = {"kind", "node", "quantity"};
	int			n;
	JsonbValue *all = read_elements(r, path, v, MAX_CODES, "an array of objects", &n);

	terms->keeps = MemoryContextAllocZero(r->context, sizeof(PolicyKeep) * Max(n, 1));
	terms->nkeeps = n;
	for (int i = 0; i < n && !reader_failed(r); i++)
	{
		PolicyKeep *k = &terms->keeps[i];
		const char *at = psprintf("%s[%d]", path, i);
		bool		has_quantity = false;
		Members		m = {0};

		if (!reader_is_object(&all[i]))
		{
			reader_bad_value(r, at, &all[i], "an object");
			return;
		}
		m.it = JsonbIteratorInit(all[i].val.binary.data);
		while (next_member(&m) && !reader_failed(r))
		{
			const char *to = member_path(at, m.key);

			if (strcmp(m.key, "kind") == 0)
				k->kind = read_text(r, to, &m.value, 100, "a kind of nodes");
			else if (strcmp(m.key, "node") == 0)
				k->node = read_text(r, to, &m.value, 100, "the code of a node");
			else if (strcmp(m.key, "quantity") == 0)
			{
				k->quantity = read_number(r, to, &m.value, 0, 1000000000,
										  "a quantity from 0 to 1000000000 with at most 4 decimals");
				has_quantity = true;
			}
			else
				reader_unknown_key(r, at, m.key, keys, lengthof(keys));
		}
		if (reader_failed(r))
			return;
		if ((k->kind == NULL) == (k->node == NULL))
			reader_bad(r, at, "does not name either a kind or a node");
		else if (!has_quantity)
			reader_bad(r, member_path(at, "quantity"), "is missing");
		for (int j = 0; j < i && !reader_failed(r); j++)
		{
			const PolicyKeep *o = &terms->keeps[j];

			if ((k->kind && o->kind && strcmp(k->kind, o->kind) == 0) ||
				(k->node && o->node && strcmp(k->node, o->node) == 0))
				reader_bad(r, at, psprintf("%s is there twice", k->kind ? k->kind : k->node));
		}
	}
}

/* The name of a function, or its signature as regprocedure writes it. */
static char *
read_function(Reader *r, const char *path, const JsonbValue *v)
{
	static const char *const signature = "(text,text,jsonb)";
	char	   *name = read_text(r, path, v, 200, "the name of a function");
	int			len = (int) strlen(name);
	int			slen = (int) strlen(signature);
	char	   *full;

	if (reader_failed(r))
		return name;
	if (len > slen && strcmp(name + len - slen, signature) == 0)
		name[len -= slen] = '\0';
	if (strchr(name, '.') == NULL)
		reader_bad(r, path, psprintf("%s is not qualified by its schema", name));
	else if (strchr(name, '(') != NULL)
		reader_bad(r, path, psprintf("%s has other arguments than %s", name, signature));
	full = MemoryContextAlloc(r->context, len + slen + 1);
	memcpy(full, name, len);
	strcpy(full + len, signature);
	return full;
}

static void
read_custom(Reader *r, const char *path, const JsonbValue *v, PolicyTerms *terms)
{
	static const char *const keys[] = {"name", "function", "weight", "limit_ms"};
	int			n;
	JsonbValue *all = read_elements(r, path, v, MAX_CUSTOM, "an array of objects", &n);

	terms->custom = MemoryContextAllocZero(r->context, sizeof(PolicyCustom) * Max(n, 1));
	terms->ncustom = n;
	for (int i = 0; i < n && !reader_failed(r); i++)
	{
		PolicyCustom *c = &terms->custom[i];
		const char *at = psprintf("%s[%d]", path, i);
		Members		m = {0};

		if (!reader_is_object(&all[i]))
		{
			reader_bad_value(r, at, &all[i], "an object");
			return;
		}
		c->weight = SCALE;
		c->limit_ms = 50;
		m.it = JsonbIteratorInit(all[i].val.binary.data);
		while (next_member(&m) && !reader_failed(r))
		{
			const char *to = member_path(at, m.key);

			if (strcmp(m.key, "name") == 0)
				c->name = read_text(r, to, &m.value, NAME_MAX_LEN, "a name");
			else if (strcmp(m.key, "function") == 0)
				c->function = read_function(r, to, &m.value);
			else if (strcmp(m.key, "weight") == 0)
				c->weight = read_number(r, to, &m.value, 0, 1000, "a weight from 0 to 1000 with at most 4 decimals");
			else if (strcmp(m.key, "limit_ms") == 0)
				c->limit_ms = read_count(r, to, &m.value, 1, 10000, "a whole number from 1 to 10000");
			else
				reader_unknown_key(r, at, m.key, keys, lengthof(keys));
		}
		if (c->name == NULL)
			reader_bad(r, member_path(at, "name"), "is missing");
		else if (c->function == NULL)
			reader_bad(r, member_path(at, "function"), "is missing");
		for (int j = 0; j < i && !reader_failed(r); j++)
		{
			if (strcmp(c->name, terms->custom[j].name) == 0)
				reader_bad(r, at, psprintf("%s is there twice", c->name));
		}
	}
}

/* The value of one key.  JSON null stands for the built-in value. */
static void
read_field(Reader *r, const char *path, const JsonbValue *v, int field, Settings *set)
{
	const PolicyField *f = &policy_fields[field];
	char	   *member = (char *) &set->values + f->offset;

	set->fields |= 1U << field;
	if (v->type == jbvNull)
	{
		memcpy(member, (char *) &r->builtin + f->offset, f->size);
		if (f->type == FIELD_LATENESS)
			set->priorities = 0xffff;
		return;
	}
	switch (f->type)
	{
		case FIELD_AMOUNT:
			*(int64 *) member = read_number(r, path, v, f->min, f->max, f->is);
			break;
		case FIELD_COUNT:
			*(int32 *) member = read_count(r, path, v, f->min, f->max, f->is);
			break;
		case FIELD_BOOL:
			if (v->type != jbvBool)
				reader_bad_value(r, path, v, "true or false");
			else
				*(bool *) member = v->val.boolean;
			break;
		case FIELD_LATENESS:
			read_lateness(r, path, v, f, set);
			break;
		case FIELD_SOFT:
			set->values.soft = read_soft(r, path, v);
			break;
		case FIELD_REST:
			{
				int			n = v->type == jbvString ? policy_find_name(policy_rest_names, json_value_text(v)) : -1;

				if (n < 0)
					reader_bad_value(r, path, v, "backorder, cancel or wait");
				set->values.rest = (RestAction) Max(n, 0);
				break;
			}
		case FIELD_NODES:
			read_nodes(r, path, v, &set->values.list);
			break;
		case FIELD_KEEP:
			read_keeps(r, path, v, &set->values);
			break;
		case FIELD_CUSTOM:
			read_custom(r, path, v, &set->values);
			break;
	}
}

static int
find_field(const char *key)
{
	for (int i = 0; i < policy_nfields; i++)
	{
		if (strcmp(policy_fields[i].name, key) == 0)
			return i;
	}
	return -1;
}

/* The goal of an object comes first: its other keys override it. */
static void
read_goal(Reader *r, const char *path, JsonbContainer *object, Settings *set)
{
	JsonbValue *v = json_get(object, "goal");
	int			goal;

	if (v == NULL)
		return;
	goal = v->type == jbvString ? policy_find_name(policy_goal_names, json_value_text(v)) : -1;
	path = member_path(path, "goal");
	if (goal < 0)
		reader_bad_value(r, path, v, "lowest_cost, nearest_first, fewest_shipments, priority_list or stock_balance");
	else if (strcmp(policy_goal_names[goal], "priority_list") == 0 && json_get(object, "nodes") == NULL)
		reader_bad(r, path, "priority_list needs \"nodes\" beside it");
	else
		policy_goal(goal, set);
}

/* The keys that may stand in the definition and in rules alike. */
static void
read_settings(Reader *r, const char *path, JsonbContainer *object, Settings *set)
{
	Members		m = {0};

	set->values.list.step = NODE_STEP;
	read_goal(r, path, object, set);
	m.it = JsonbIteratorInit(object);
	while (next_member(&m) && !reader_failed(r))
	{
		int			field = find_field(m.key);

		if (field >= 0)
			read_field(r, member_path(path, m.key), &m.value, field, set);
	}
}

/* Who waits must be told how long. */
static void
check_rest(Reader *r, const char *path, const Settings *set, const PolicyTerms *terms)
{
	PolicyTerms all = *terms;

	policy_apply(set, &all);
	if (all.rest == REST_WAIT && all.rest_days == 0 && !reader_failed(r))
		reader_bad(r, member_path(path, "rest"), "wait needs \"rest_days\"");
}

static int
compare_codes(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

static void
read_when(Reader *r, const char *path, const JsonbValue *v, PolicyRule *rule)
{
	Members		m = {0};
	bool		any = false;

	if (!reader_is_object(v))
	{
		reader_bad_value(r, path, v, "an object");
		return;
	}
	m.it = JsonbIteratorInit(v->val.binary.data);
	while (next_member(&m) && !reader_failed(r))
	{
		const char *at = member_path(path, m.key);
		WhenCodes  *when = NULL;

		for (int w = 0; w < NUM_WHEN; w++)
		{
			if (strcmp(m.key, policy_when_names[w]) == 0)
				when = &rule->when[w];
		}
		if (when == NULL)
		{
			reader_unknown_key(r, path, m.key, policy_when_names, NUM_WHEN);
			return;
		}
		when->codes = read_codes(r, at, &m.value, &when->n);
		if (reader_failed(r))
			return;
		if (when->n == 0)
			reader_bad(r, at, "is empty");
		else
			qsort(when->codes, when->n, sizeof(char *), compare_codes);
		any = true;
	}
	if (!any && !reader_failed(r))
		reader_bad(r, path, "names no condition");
	r->p->by_item_class |= rule->when[WHEN_ITEM_CLASS].n > 0;
}

static void
read_rule(Reader *r, const char *path, const JsonbValue *v, PolicyRule *rule)
{
	static const char *const keys[] = {"name", "when", "set"};
	Members		m = {0};
	bool		has_when = false,
				has_set = false;

	if (!reader_is_object(v))
	{
		reader_bad_value(r, path, v, "an object");
		return;
	}
	m.it = JsonbIteratorInit(v->val.binary.data);
	while (next_member(&m) && !reader_failed(r))
	{
		const char *at = member_path(path, m.key);

		if (strcmp(m.key, "name") == 0)
			rule->name = read_text(r, at, &m.value, NAME_MAX_LEN, "a name");
		else if (strcmp(m.key, "when") == 0)
		{
			has_when = true;
			read_when(r, at, &m.value, rule);
		}
		else if (strcmp(m.key, "set") != 0)
			reader_unknown_key(r, path, m.key, keys, lengthof(keys));
		else if (!reader_is_object(&m.value))
			reader_bad_value(r, at, &m.value, "an object");
		else
		{
			Members		s = {0};
			const char *known[64];
			int			n = 0;

			has_set = true;
			for (; n < policy_nfields; n++)
				known[n] = policy_fields[n].name;
			known[n++] = "goal";
			s.it = JsonbIteratorInit(m.value.val.binary.data);
			while (next_member(&s))
			{
				if (find_field(s.key) < 0 && strcmp(s.key, "goal") != 0)
					reader_unknown_key(r, at, s.key, known, n);
			}
			read_settings(r, at, m.value.val.binary.data, &rule->set);
			check_rest(r, at, &rule->set, &r->p->terms);
		}
	}
	if (!has_when && !reader_failed(r))
		reader_bad(r, member_path(path, "when"), "is missing");
	if (!has_set && !reader_failed(r))
		reader_bad(r, member_path(path, "set"), "is missing");
}

/* The rules follow those of the policy that this one extends. */
static void
read_rules(Reader *r, const JsonbValue *v)
{
	int			n;
	int			inherited = r->p->nrules;
	JsonbValue *all = read_elements(r, "rules", v, MAX_RULES, "an array of objects", &n);
	PolicyRule *rules = MemoryContextAllocZero(r->context, sizeof(PolicyRule) * Max(n + inherited, 1));

	if (inherited > 0)
		memcpy(rules, r->p->rules, sizeof(PolicyRule) * inherited);
	for (int i = 0; i < n && !reader_failed(r); i++)
	{
		const char *at = psprintf("rules[%d]", i);
		PolicyRule *rule = &rules[inherited + i];

		read_rule(r, at, &all[i], rule);
		for (int j = inherited; j < inherited + i && rule->name != NULL && !reader_failed(r); j++)
		{
			if (rules[j].name != NULL && strcmp(rules[j].name, rule->name) == 0)
				reader_bad(r, member_path(at, "name"), psprintf("%s is there twice", rule->name));
		}
	}
	r->p->rules = rules;
	r->p->nrules = inherited + n;
}

/*
 * Read a definition into a policy, over what it has already: the built-in
 * values, or the policy that it extends.
 */
void
policy_read(Policy *p, Jsonb *definition, MemoryContext context, Fault *fault)
{
	static const char *const others[] = {"goal", "extends", "retention_days", "rules"};
	const char *known[64];
	int			n = 0;
	Reader		r = {p, context, {0}, fault};
	Settings	set;
	Members		m = {0};
	JsonbValue *v;

	memset(&set, 0, sizeof(set));
	policy_builtin(&r.builtin);
	if (!JB_ROOT_IS_OBJECT(definition))
	{
		reader_bad(&r, "definition", "is not an object");
		return;
	}
	for (; n < policy_nfields; n++)
		known[n] = policy_fields[n].name;
	for (int i = 0; i < (int) lengthof(others); i++)
		known[n++] = others[i];
	m.it = JsonbIteratorInit(&definition->root);
	while (next_member(&m))
	{
		bool		is_known = false;

		for (int i = 0; i < n; i++)
			is_known |= strcmp(known[i], m.key) == 0;
		if (!is_known)
			reader_unknown_key(&r, "", m.key, known, n);
	}
	if ((v = json_get(&definition->root, "extends")) != NULL)
		(void) read_text(&r, "extends", v, NAMEDATALEN - 1, "the code of a policy");
	if ((v = json_get(&definition->root, "retention_days")) != NULL)
		p->retention_days = read_count(&r, "retention_days", v, 0, 36500, "a whole number from 0 to 36500");
	read_settings(&r, "", &definition->root, &set);
	if (reader_failed(&r))
		return;
	check_rest(&r, "", &set, &p->terms);
	policy_apply(&set, &p->terms);
	if ((v = json_get(&definition->root, "rules")) != NULL)
		read_rules(&r, v);
}
