-- two orders have line numbers twice in the file; a clerk renumbers their lines
SET ROLE aw_erp;
UPDATE aw.web_order_line l SET line_item = n.n
FROM (SELECT order_number, line_id, row_number() OVER (PARTITION BY order_number ORDER BY line_id) AS n
	  FROM aw.web_order_line WHERE order_number IN ('SO62019', 'SO72019')) n
WHERE l.order_number = n.order_number AND l.line_id = n.line_id AND l.line_item <> n.n;
