-- Writes the psql script that enters the orders as an ERP does: the header, the
-- lines one by one, commit.  Reads nothing but the ERP's own tables.
\set ON_ERROR_STOP 1
\pset tuples_only on
\pset format unaligned

SELECT concat(
	'BEGIN;', E'\n',
	format('INSERT INTO erp.order_head (doc_no, deb_no, ship_ctry, ship_zip, wish_date) VALUES (%s, %L, %L, %L, %L);',
		   100000 + w.n, w.deb_no, d.ctry, d.zip, current_date + w.in_days), E'\n',
	string_agg(format('INSERT INTO erp.order_pos (doc_no, pos_no, art_no, qty, unit_price) VALUES (%s, %s, %L, %s, %s);',
					  100000 + w.n, w.pos, a.art_no, w.qty, round(a.std_cost * 1.6, 2)), E'\n' ORDER BY w.pos), E'\n',
	'COMMIT;',
	CASE WHEN w.n % 50 = 0 THEN E'\n\\echo ' || w.n END)
FROM erp.wish w
JOIN erp.debitor d USING (deb_no)
JOIN erp.article a USING (seller)
GROUP BY w.n, w.deb_no, w.in_days, d.ctry, d.zip
ORDER BY w.n;
