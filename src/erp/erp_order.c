/*
 * erp_order.c
 *		Reading an order of the ERP through its mapping.
 */
#include "erp/erp_order.h"

#include "base/quantity.h"

/* An integer column, false if it is null; bind() looked at its type. */
static bool
mapping_int(Mapping *m, SPITupleTable *rows, int row, Field field, int *value, const char *where, Fault *fault)
{
	char	   *text = mapping_value(m, rows, row, field);
	int64		n;

	if (text == NULL)
		return false;
	n = DatumGetInt64(DirectFunctionCall1(int8in, CStringGetDatum(text)));
	if (n < PG_INT32_MIN || n > PG_INT32_MAX)
		fault_set(fault, RT_BAD_DOCUMENT, "It is a small whole number.", "%s%s is out of range", where,
				  field_names[field]);
	*value = (int) n;
	return true;
}

static bool
mapping_bool(Mapping *m, SPITupleTable *rows, int row, Field field, bool otherwise)
{
	char	   *text = mapping_value(m, rows, row, field);

	return text == NULL ? otherwise : text[0] == 't';
}

static void
read_delivery(SalesOrder *order, Mapping *m, SPITupleTable *rows, Fault *fault)
{
	char	   *where = psprintf("order \"%s\": ", order->order_id);

	order->rest = mapping_value(m, rows, 0, F_REST);
	(void) mapping_int(m, rows, 0, F_REST_DAYS, &order->rest_days, where, fault);
	order->has_not_before = mapping_date(m, rows, 0, F_SHIP_NOT_BEFORE, &order->not_before);
	order->has_cancel_after = mapping_date(m, rows, 0, F_CANCEL_AFTER, &order->cancel_after);
	order->early_ok = mapping_bool(m, rows, 0, F_EARLY_OK, false);
	order->freight_terms = mapping_value(m, rows, 0, F_FREIGHT_TERMS);
	if (order->freight_terms == NULL)
		order->freight_terms = "prepaid";
}

static void
read_line(ErpOrder *erp, Mapping *m, SPITupleTable *rows, int row, Fault *fault)
{
	SalesOrder *order = erp->order;
	OrderLine  *line = &order->lines[row];
	char	   *number = mapping_value(m, rows, row, F_LINE_NO);
	char	   *where = psprintf("order \"%s\", line %s: ", order->order_id,
								 number ? number : psprintf("%d", row + 1));
	Datum		quantity;
	bool		isnull;

	line->status = "received";
	line->lot = "";
	line->min_life = -1;
	line->item = mapping_value(m, rows, row, F_ITEM);
	line->uom = mapping_value(m, rows, row, F_UOM);
	line->pinned = mapping_value(m, rows, row, F_NODE);
	line->has_requested = mapping_date(m, rows, row, F_REQUESTED_ON, &line->requested);
	line->has_group = mapping_int(m, rows, row, F_LINE_GROUP, &line->group, where, fault);
	line->unsplittable = !mapping_bool(m, rows, row, F_SPLITTABLE, true);
	line->substitutes = mapping_value(m, rows, row, F_SUBSTITUTES);
	erp->source_keys[row] = mapping_key(m, rows, row, m->norder_keys, m->nkeys - m->norder_keys);
	if (number != NULL)
	{
		/* integers only: bind() looked at the type */
		int64		n = DatumGetInt64(DirectFunctionCall1(int8in, CStringGetDatum(number)));

		if (n < 1 || n > PG_INT32_MAX)
			fault_set(fault, RT_BAD_DOCUMENT, "Line numbers are from 1 to 2147483647.",
					  "%sline_no is out of range", where);
		else
			line->line_no = (int) n;
		erp->numbered[row] = true;
		for (int i = 0; i < row; i++)
		{
			if (order->lines[i].line_no == line->line_no)
				fault_set(fault, RT_DUPLICATE_LINE, "Give every line of an order a number of its own.",
						  "%sline_no is there twice", where);
		}
	}
	if (line->item == NULL)
		fault_set(fault, RT_UNKNOWN_ITEM, "Give the line an item.", "%sitem is null", where);
	quantity = SPI_getbinval(rows->vals[row], rows->tupdesc, m->columns[F_QUANTITY], &isnull);
	if (isnull)
		fault_set(fault, RT_BAD_QUANTITY, "A quantity is more than 0.", "%squantity is null", where);
	else
	{
		char	   *text = mapping_value(m, rows, row, F_QUANTITY);

		(void) quantity;
		line->quantity = quantity_check(DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(text),
																			ObjectIdGetDatum(InvalidOid),
																			Int32GetDatum(-1))),
										psprintf("%squantity", where), fault);
	}
	if (m->columns[F_PRICE] != 0)
	{
		char	   *text = mapping_value(m, rows, row, F_PRICE);
		int64		price;

		if (text != NULL && scaled_from_text(text, &price) == SCALED_OK && price >= 0)
		{
			line->price = price;
			line->has_price = true;
		}
	}
}

static char *
text_or(char *value, const char *otherwise)
{
	return value != NULL ? value : pstrdup(otherwise);
}

/* Read an order of the ERP; what cannot be used of it is a fault. */
ErpOrder *
erp_order_read(Binding *binding, const char *key, Fault *fault)
{
	ErpOrder   *erp = palloc0(sizeof(ErpOrder));
	SalesOrder *order = palloc0(sizeof(SalesOrder));
	Mapping    *m = &binding->concepts[C_ORDERS];
	Mapping    *ml = &binding->concepts[C_LINES];
	SPITupleTable *rows;
	char	   *value;
	int			n;

	erp->order = order;
	order->policy = &policy_none;
	order->tenant_id = binding->tenant_id;
	order->order_id = pstrdup(key);
	order->binding = binding->name;
	n = mapping_read(binding, C_ORDERS, key, &rows);
	order->exists = n > 0;
	if (n > 1)
		fault_set(fault, RT_BAD_BINDING, "The key of a mapping identifies one row.",
				  "order \"%s\": the mapping gives %d rows for it", key, n);
	if (n == 0)
		return erp;

	value = mapping_value(m, rows, 0, F_STATUS);
	erp->cancelled = value != NULL && strcmp(value, "cancelled") == 0;
	order->status = "received";
	order->customer = mapping_value(m, rows, 0, F_CUSTOMER);
	order->channel = mapping_value(m, rows, 0, F_CHANNEL);
	order->country = mapping_value(m, rows, 0, F_COUNTRY);
	order->postal_code = mapping_value(m, rows, 0, F_POSTAL_CODE);
	order->has_requested = mapping_date(m, rows, 0, F_REQUESTED_ON, &order->requested);
	value = mapping_value(m, rows, 0, F_DATE_BASIS);
	order->by_ship_day = value != NULL && strcmp(value, "ship") == 0;
	if (value != NULL && strcmp(value, "ship") != 0 && strcmp(value, "deliver") != 0)
		fault_set(fault, RT_BAD_DOCUMENT, "It is \"ship\" or \"deliver\".",
				  "order \"%s\": date_basis \"%s\" is unknown", key, value);
	value = mapping_value(m, rows, 0, F_PRIORITY);
	if (value != NULL)
	{
		if (strlen(value) == 1 && value[0] >= '1' && value[0] <= '9')
		{
			order->priority = value[0] - '0';
			erp->has_priority = true;
		}
		else
			fault_set(fault, RT_BAD_DOCUMENT, "Priorities are from 1 to 9, 1 is best.",
					  "order \"%s\": priority %s is out of range", key, value);
	}
	order->completeness = text_or(mapping_value(m, rows, 0, F_COMPLETENESS), "none");
	order->policy_code = text_or(mapping_value(m, rows, 0, F_POLICY), "standard");
	read_delivery(order, m, rows, fault);
	erp->latitude = mapping_value(m, rows, 0, F_LATITUDE);
	erp->longitude = mapping_value(m, rows, 0, F_LONGITUDE);
	order->has_place = erp->latitude != NULL && erp->longitude != NULL;
	if (order->has_place)
	{
		order->latitude = DatumGetFloat8(DirectFunctionCall1(float8in, CStringGetDatum(erp->latitude)));
		order->longitude = DatumGetFloat8(DirectFunctionCall1(float8in, CStringGetDatum(erp->longitude)));
	}
	erp->ordered_at = mapping_value(m, rows, 0, F_ORDERED_AT);
	if (order->customer == NULL)
		fault_set(fault, RT_UNKNOWN_CUSTOMER, "Give the order a customer.",
				  "order \"%s\": customer is null", key);
	SPI_freetuptable(rows);

	n = mapping_read(binding, C_LINES, key, &rows);
	order->nlines = n;
	order->lines = palloc0(sizeof(OrderLine) * Max(n, 1));
	erp->source_keys = palloc0(sizeof(char *) * Max(n, 1));
	erp->numbered = palloc0(sizeof(bool) * Max(n, 1));
	for (int i = 0; i < n; i++)
		read_line(erp, ml, rows, i, fault);
	SPI_freetuptable(rows);
	return erp;
}
