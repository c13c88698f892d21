-- promise: the plan that would be chosen now; writes nothing
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
\set ECHO all
call t.stock('A', 'CHI', 5); call t.stock('A', 'DAL', 4); call t.stock('B', 'CHI', 2); call t.stock('B', 'CHI', 9, 6);
-- an order to 60614 of C1 for a day, with lines; more: further fields
create function t.ask(want int, lines jsonb, more jsonb default '{}')
	returns table (line int, item text, node text, service text, quantity numeric, ship text, deliver text,
				   status text, shipment int, cost numeric) language sql stable
begin atomic
	select p.line_no, p.item, p.node, p.service, p.quantity, t.rel(p.ship_on), t.rel(p.deliver_on), p.status, p.shipment_no, p.shipment_cost
	from routing.promise(jsonb_build_object('customer', 'C1', 'ship_to', '{"country": "US", "postal_code": "60614"}'::jsonb, 'lines', lines)
						 || case when want is null then '{}' else jsonb_build_object('requested_on', t.day(want)) end || more) p
	order by 1, 3, 6;
end;

select * from t.ask(3, '[{"item": "A", "quantity": "2"}]');
-- as soon as possible; quantities as strings or numbers; lines numbered; a split; what is not there
select * from t.ask(null, '[{"item": "A", "quantity": 6}, {"line_no": 9, "item": "B", "quantity": "1.5", "uom": "ea", "price": "3.20"}]');
select * from t.ask(9, '[{"item": "A", "quantity": 100}, {"item": "C", "quantity": 1}]');
-- dated inbound: in time, and too late
select * from t.ask(8, '[{"item": "B", "quantity": 4}]');
select * from t.ask(2, '[{"item": "B", "quantity": 9}]');
select * from t.ask(8, '[{"item": "A", "quantity": 1}]', '{"date_basis": "ship"}');
-- lines that share an item count together; a pinned node; a day of the line's own
select * from t.ask(3, '[{"item": "A", "quantity": 3}, {"item": "A", "quantity": 3}]');
select * from t.ask(3, jsonb_build_array(jsonb_build_object('item', 'A', 'quantity', 1, 'node', 'DAL', 'requested_on', t.day(7))));
-- every field of the document
select * from t.ask(3, '[{"line_no": 1, "item": "A", "quantity": "1", "uom": "ea", "price": "1", "node": "CHI"}]',
	'{"order_id": "X", "channel": "web", "priority": 1, "completeness": "none", "policy": "standard", "idempotency_key": "k", "correlation_id": "c",
	  "ship_to": {"country": "US", "postal_code": "60614", "latitude": 41.9, "longitude": "-87.6"}}');
-- it is what happens
select * from t.ask(4, '[{"item": "A", "quantity": 7}, {"item": "B", "quantity": 5}]');
call t.ord('P1', 4, 'A 7, B 5');
select "order", line, item, quantity, node, service, needed, arrives, basis from t.r;
select * from t.ask(4, '[{"item": "A", "quantity": 7}]');

-- writes nothing: no transaction id, in a read-only transaction, and by joins
begin transaction read only;
select count(*) from t.ask(3, '[{"item": "A", "quantity": "2"}]');
select pg_current_xact_id_if_assigned() is null as wrote_nothing;
commit;
begin;
select count(*) from t.ask(3, '[{"item": "A", "quantity": "2"}]');
select pg_current_xact_id_if_assigned() is null as wrote_nothing;
commit;
select q, p.node, p.quantity from generate_series(1, 3) q, t.ask(3, jsonb_build_array(jsonb_build_object('item', 'A', 'quantity', q))) p order by 1, 2;
-- it sees the network as its transaction has changed it; supply counts from the commit on
begin;
call t.stock('A', 'DAL', 1, null, 'found');
update routing.node set status = 'closed' where node = 'CHI';
select node, quantity, status from t.ask(3, '[{"item": "A", "quantity": 2}]');
rollback;

-- what is wrong, by name and value
create function t.bad(more jsonb, drop_field text default null) returns text language sql
	return t.try(format('select * from routing.promise(%L)',
		('{"customer": "C1", "ship_to": {"country": "US", "postal_code": "60614"}, "lines": [{"item": "A", "quantity": 1}]}'::jsonb
		 || more) - coalesce(drop_field, '')));
do $$
declare
	d	jsonb;
	f	text;
begin
	foreach f in array array['customer', 'ship_to', 'lines'] loop
		raise notice 'without %: %', f, t.bad('{}', f);
	end loop;
	for d in select x from jsonb_array_elements('[
		{"color": "red"}, {"order_id": 7}, {"order_id": ""}, {"customer": 7}, {"customer": "XYZ"}, {"customer": null},
		{"channel": 1}, {"channel": "tv"}, {"priority": 0}, {"priority": 10}, {"priority": "1"}, {"priority": 1.5}, {"priority": 1e30},
		{"requested_on": 7}, {"requested_on": "tomorrow"}, {"requested_on": "2026-02-30"}, {"requested_on": "2026-1-1x"},
		{"requested_on": "1899-12-31"}, {"requested_on": "3000-01-01"}, {"requested_on": "infinity"},
		{"date_basis": "arrive"}, {"date_basis": 1}, {"completeness": "line"}, {"completeness": "all"}, {"policy": "mine"},
		{"ship_to": "US"}, {"ship_to": {}}, {"ship_to": {"country": "US"}}, {"ship_to": {"postal_code": "60614"}},
		{"ship_to": {"country": "US", "postal_code": 60614}}, {"ship_to": {"country": "US", "postal_code": "60614", "city": "Chicago"}},
		{"ship_to": {"country": "US", "postal_code": "60614", "latitude": "north"}},
		{"ship_to": {"country": "US", "postal_code": "99999"}}, {"ship_to": {"country": "DE", "postal_code": "60614"}},
		{"idempotency_key": 3}, {"correlation_id": []},
		{"lines": []}, {"lines": {}}, {"lines": "A"}, {"lines": [1]}, {"lines": [[]]}, {"lines": [{}]},
		{"lines": [{"item": "A"}]}, {"lines": [{"quantity": 1}]}, {"lines": [{"item": 7, "quantity": 1}]},
		{"lines": [{"item": "XYZ", "quantity": 1}]}, {"lines": [{"item": "A", "quantity": 1}, {"item": "XYZ", "quantity": 1}]},
		{"lines": [{"item": "A", "quantity": 0}]}, {"lines": [{"item": "A", "quantity": -1}]}, {"lines": [{"item": "A", "quantity": "NaN"}]},
		{"lines": [{"item": "A", "quantity": "Infinity"}]}, {"lines": [{"item": "A", "quantity": "-inf"}]}, {"lines": [{"item": "A", "quantity": 0.00001}]},
		{"lines": [{"item": "A", "quantity": "100000000000.0001"}]}, {"lines": [{"item": "A", "quantity": 1e30}]}, {"lines": [{"item": "A", "quantity": "1e3"}]},
		{"lines": [{"item": "A", "quantity": "ten"}]}, {"lines": [{"item": "A", "quantity": ""}]}, {"lines": [{"item": "A", "quantity": true}]},
		{"lines": [{"item": "A", "quantity": null}]}, {"lines": [{"item": "A", "quantity": "1.2.3"}]},
		{"lines": [{"item": "A", "quantity": 1, "uom": "kg"}]}, {"lines": [{"item": "A", "quantity": 1, "uom": 1}]},
		{"lines": [{"item": "A", "quantity": 1, "price": "x"}]}, {"lines": [{"item": "A", "quantity": 1, "price": -1}]},
		{"lines": [{"item": "A", "quantity": 1, "price": "NaN"}]}, {"lines": [{"item": "A", "quantity": 1, "requested_on": "soon"}]},
		{"lines": [{"item": "A", "quantity": 1, "requested_on": "3000-01-01"}]},
		{"lines": [{"item": "A", "quantity": 1, "node": "XYZ"}]}, {"lines": [{"item": "A", "quantity": 1, "node": 1}]},
		{"lines": [{"item": "A", "quantity": 1, "colour": "red"}]},
		{"lines": [{"item": "A", "quantity": 1, "line_no": 0}]}, {"lines": [{"item": "A", "quantity": 1, "line_no": "1"}]},
		{"lines": [{"item": "A", "quantity": 1, "line_no": 2000000000}]},
		{"lines": [{"item": "A", "quantity": 1, "line_no": 2}, {"item": "A", "quantity": 1}]},
		{"lines": [{"item": "A", "quantity": 1, "line_no": 7}, {"item": "A", "quantity": 1, "line_no": 7}]}]') x
	loop
		raise notice E'%\n  %', d, t.bad(d);
	end loop;
end
$$;
select t.try($$select * from routing.promise(null)$$);
select t.try($$select * from routing.promise('[]')$$);
select t.try($$select * from routing.promise('7')$$);
select t.try($$select * from routing.promise('null')$$);
select count(*) as orders from routing.sales_order; select * from routing.verify();
