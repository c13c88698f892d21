/*
 * document.c
 *		The order document: an order as JSON.
 *
 * Everything that is wrong is an error naming the field (and the line): an
 * unknown field, a missing one, a wrong type.  Nothing is guessed.
 */
#include "orders/document.h"

#include "base/json.h"
#include "base/quantity.h"
#include "orders/resolve.h"

#include "utils/date.h"

routing_noreturn static void bad_document(const char *where, const char *field, const char *what);

static void
bad_document(const char *where, const char *field, const char *what)
{
	ereport(ERROR,
			(errcode(RT_BAD_DOCUMENT),
			 errmsg("order document: %sfield \"%s\" %s", where, field, what),
			 errhint("The fields of an order document are described in doc/reference.md.")));
}

static void
check_fields(JsonbContainer *object, const char *where, const char *const *known)
{
	JsonbIterator *it = JsonbIteratorInit(object);
	JsonbValue	v;
	JsonbIteratorToken token;

	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		bool		found = false;

		if (token != WJB_KEY)
			continue;
		for (const char *const *k = known; *k != NULL && !found; k++)
			found = (int) strlen(*k) == v.val.string.len &&
				memcmp(*k, v.val.string.val, v.val.string.len) == 0;
		if (!found)
			bad_document(where, pnstrdup(v.val.string.val, v.val.string.len), "is unknown");
	}
}

static char *
text_field(JsonbContainer *object, const char *where, const char *field, bool required)
{
	JsonbValue *v = json_get(object, field);

	if (v == NULL)
	{
		if (required)
			bad_document(where, field, "is missing");
		return NULL;
	}
	if (v->type != jbvString || v->val.string.len == 0)
		bad_document(where, field, "is not a text");
	return pnstrdup(v->val.string.val, v->val.string.len);
}

static bool
date_field(JsonbContainer *object, const char *where, const char *field, DateADT *value)
{
	char	   *text = text_field(object, where, field, false);
	int			y,
				m,
				d,
				used = 0;

	if (text == NULL)
		return false;
	if (sscanf(text, "%4d-%2d-%2d%n", &y, &m, &d, &used) != 3 || text[used] != '\0' ||
		m < 1 || m > 12 || d < 1 || d > day_tab[isleap(y)][m - 1])
		bad_document(where, field, "is not a date of the form YYYY-MM-DD");
	*value = date2j(y, m, d) - POSTGRES_EPOCH_JDATE;
	return true;
}

static bool
int_field(JsonbContainer *object, const char *where, const char *field, int low, int high, int *value)
{
	JsonbValue *v = json_get(object, field);
	int64		scaled;

	if (v == NULL)
		return false;
	if (v->type != jbvNumeric || scaled_from_numeric(v->val.numeric, &scaled) != SCALED_OK ||
		scaled % SCALE != 0 || scaled < low * SCALE || scaled > high * SCALE)
		bad_document(where, field, psprintf("is not a whole number from %d to %d", low, high));
	*value = (int) (scaled / SCALE);
	return true;
}

/* A decimal, as a string (preferred: exact in every client) or a number. */
static Numeric
decimal_field(JsonbContainer *object, const char *where, const char *field, bool required)
{
	JsonbValue *v = json_get(object, field);
	char	   *text;
	const char *p;

	if (v == NULL)
	{
		if (required)
			bad_document(where, field, "is missing");
		return NULL;
	}
	if (v->type == jbvNumeric)
		return v->val.numeric;
	if (v->type != jbvString)
		bad_document(where, field, "is not a decimal");
	text = pnstrdup(v->val.string.val, v->val.string.len);
	p = text + (*text == '-' || *text == '+');
	if (pg_strcasecmp(text, "nan") != 0 && pg_strncasecmp(p, "inf", 3) != 0 &&
		(*p == '\0' || strspn(p, "0123456789.") != strlen(p) || strlen(p) > 100 ||
		 strchr(p, '.') != strrchr(p, '.') || strcmp(p, ".") == 0))
		bad_document(where, field, "is not a decimal");
	if (pg_strncasecmp(p, "inf", 3) == 0 && pg_strcasecmp(p, "inf") != 0 &&
		pg_strcasecmp(p, "infinity") != 0)
		bad_document(where, field, "is not a decimal");
	return DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(text),
											   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

static bool
bool_field(JsonbContainer *object, const char *where, const char *field, bool otherwise)
{
	JsonbValue *v = json_get(object, field);

	if (v == NULL)
		return otherwise;
	if (v->type != jbvBool)
		bad_document(where, field, "is neither true nor false");
	return v->val.boolean;
}

/* Where it is, in degrees; false if it is not said. */
static bool
degrees_field(JsonbContainer *object, const char *where, const char *field, double limit, double *value)
{
	Numeric		v = decimal_field(object, where, field, false);
	double		degrees;

	if (v == NULL)
		return false;
	degrees = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(v)));
	if (!(degrees >= -limit && degrees <= limit))
		bad_document(where, field, psprintf("is not from %g to %g", -limit, limit));
	*value = degrees;
	return true;
}

static void
read_line(SalesOrder *order, OrderLine *line, JsonbValue *v, int index)
{
	static const char *const known[] = {
		"line_no", "item", "quantity", "uom", "price", "requested_on", "node", "lot", "min_life_days",
		"line_group", "splittable", "substitutes", NULL
	};
	char	   *where = psprintf("line %d: ", index + 1);
	JsonbContainer *object;
	Fault		fault = {0};
	Numeric		quantity;
	Numeric		price;

	if (v->type != jbvBinary || !JsonContainerIsObject(v->val.binary.data))
		bad_document(where, "lines", "is not an array of objects");
	object = v->val.binary.data;
	check_fields(object, where, known);

	line->line_no = index + 1;
	(void) int_field(object, where, "line_no", 1, 1000000, &line->line_no);
	for (int i = 0; i < index; i++)
	{
		if (order->lines[i].line_no == line->line_no)
			ereport(ERROR,
					(errcode(RT_DUPLICATE_LINE),
					 errmsg("order document: line_no %d is there twice", line->line_no),
					 errhint("Give every line of an order a number of its own.")));
	}
	line->item = text_field(object, where, "item", true);
	quantity = decimal_field(object, where, "quantity", true);
	line->quantity = quantity_check(quantity, psprintf("%squantity", where), &fault);
	if (fault.sqlerrcode)
		fault_raise(&fault);
	price = decimal_field(object, where, "price", false);
	if (price != NULL && (scaled_from_numeric(price, &line->price) != SCALED_OK || line->price < 0))
		bad_document(where, "price", "is not an amount of 0 or more with at most 4 decimals");
	line->uom = text_field(object, where, "uom", false);
	line->has_requested = date_field(object, where, "requested_on", &line->requested);
	line->pinned = text_field(object, where, "node", false);
	line->lot = text_field(object, where, "lot", false);
	if (line->lot == NULL)
		line->lot = "";
	line->min_life = -1;
	(void) int_field(object, where, "min_life_days", 0, MAX_LIFE_DAYS, &line->min_life);
	line->has_price = price != NULL;
	line->has_group = int_field(object, where, "line_group", -1000000, 1000000, &line->group);
	line->unsplittable = !bool_field(object, where, "splittable", true);
	line->substitutes = text_field(object, where, "substitutes", false);
	line->status = "received";
}

static void
read_ship_to(SalesOrder *order, JsonbContainer *document)
{
	static const char *const known[] = {"country", "postal_code", "latitude", "longitude", NULL};
	JsonbValue *v = json_get(document, "ship_to");

	if (v == NULL)
		return;					/* order_check() tells */
	if (v->type != jbvBinary || !JsonContainerIsObject(v->val.binary.data))
		bad_document("", "ship_to", "is not an object");
	check_fields(v->val.binary.data, "ship_to: ", known);
	order->country = text_field(v->val.binary.data, "ship_to: ", "country", false);
	order->postal_code = text_field(v->val.binary.data, "ship_to: ", "postal_code", false);
	order->has_place = degrees_field(v->val.binary.data, "ship_to: ", "latitude", 90, &order->latitude);
	order->has_place &= degrees_field(v->val.binary.data, "ship_to: ", "longitude", 180, &order->longitude);
}

/* Read an order document; SPI is connected.  The order is not checked yet. */
SalesOrder *
order_from_document(int32 tenant_id, Jsonb *document)
{
	static const char *const known[] = {
		"order_id", "customer", "channel", "priority", "requested_on", "date_basis",
		"completeness", "rest", "rest_days", "ship_not_before", "cancel_after", "early_ok", "freight_terms",
		"policy", "ship_to", "lines", "idempotency_key", "correlation_id", NULL
	};
	SalesOrder *order = palloc0(sizeof(SalesOrder));
	JsonbContainer *object = &document->root;
	JsonbValue *lines;
	bool		has_priority;
	char	   *basis;

	if (!JB_ROOT_IS_OBJECT(document))
		ereport(ERROR,
				(errcode(RT_BAD_DOCUMENT),
				 errmsg("order document is not an object"),
				 errhint("The fields of an order document are described in doc/reference.md.")));
	check_fields(object, "", known);
	order->policy = &policy_none;
	order->tenant_id = tenant_id;
	order->exists = true;
	order->status = "received";
	order->order_id = text_field(object, "", "order_id", false);
	if (order->order_id == NULL)
		order->order_id = "(new)";
	if (strncmp(order->order_id, HOLD_PREFIX, strlen(HOLD_PREFIX)) == 0)
		bad_document("", "order_id", "begins with \"" HOLD_PREFIX "\"");
	order->customer = text_field(object, "", "customer", true);
	order->channel = text_field(object, "", "channel", false);
	order->has_requested = date_field(object, "", "requested_on", &order->requested);
	basis = text_field(object, "", "date_basis", false);
	if (basis != NULL && strcmp(basis, "ship") != 0 && strcmp(basis, "deliver") != 0)
		bad_document("", "date_basis", "is neither \"ship\" nor \"deliver\"");
	order->by_ship_day = basis != NULL && strcmp(basis, "ship") == 0;
	order->completeness = text_field(object, "", "completeness", false);
	if (order->completeness == NULL)
		order->completeness = "none";
	order->rest = text_field(object, "", "rest", false);
	(void) int_field(object, "", "rest_days", 0, 3650, &order->rest_days);
	order->has_not_before = date_field(object, "", "ship_not_before", &order->not_before);
	order->has_cancel_after = date_field(object, "", "cancel_after", &order->cancel_after);
	order->early_ok = bool_field(object, "", "early_ok", false);
	order->freight_terms = text_field(object, "", "freight_terms", false);
	if (order->freight_terms == NULL)
		order->freight_terms = "prepaid";
	order->quote = true;
	order->policy_code = text_field(object, "", "policy", false);
	if (order->policy_code == NULL)
		order->policy_code = "standard";
	(void) text_field(object, "", "idempotency_key", false);
	order->correlation_id = text_field(object, "", "correlation_id", false);
	read_ship_to(order, object);

	has_priority = int_field(object, "", "priority", 1, 9, &order->priority);
	lines = json_get(object, "lines");
	if (lines != NULL && lines->type == jbvBinary && JsonContainerIsArray(lines->val.binary.data))
		order->nlines = (int) JsonContainerSize(lines->val.binary.data);
	if (lines == NULL || order->nlines == 0)
	{
		bad_document("", "lines", lines == NULL ? "is missing" : "is not an array of objects");
		return NULL;			/* keep analyzers quiet */
	}
	order->lines = palloc0(sizeof(OrderLine) * order->nlines);
	for (int i = 0; i < order->nlines; i++)
		read_line(order, &order->lines[i],
				  getIthJsonbValueFromContainer(lines->val.binary.data, i), i);
	order_resolve(order, has_priority);
	return order;
}
