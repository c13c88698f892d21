/*
 * booked.c
 *		Rows of routing.reservation as the bookings that they are.
 */
#include "ledger/booked.h"

#include "base/engine.h"
#include "base/quantity.h"
#include "ledger/channels.h"

/* Fill a zeroed BookedRow from a row of the result of SPI. */
void
booked_read(BookedRow *booked, int32 tenant_id, int row)
{
	StockBooking *stock = &booked->stock;
	const char **path;
	bool		isnull;

	booked->row.tenant_id = tenant_id;
	booked->row.order_id = spi_text(row, 1);
	booked->row.line_no = DatumGetInt32(spi_datum(row, 2, &isnull));
	booked->row.part = DatumGetInt32(spi_datum(row, 3, &isnull));
	booked->quantity = scaled_from_datum(spi_datum(row, 4, &isnull));
	stock->needed_on = DatumGetDateADT(spi_datum(row, 5, &isnull));
	booked->deliver_on = DatumGetDateADT(spi_datum(row, 6, &isnull));
	stock->min_expiry = DatumGetDateADT(spi_datum(row, 7, &isnull));
	stock->ship_on = DatumGetDateADT(spi_datum(row, 8, &isnull));
	stock->lot = spi_text(row, 9);
	stock->pool = spi_text(row, 10);
	stock->npath = channel_path(tenant_id, spi_text(row, 11), &path);
	stock->path = path;
}
