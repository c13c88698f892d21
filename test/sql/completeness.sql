-- what goes together, and what becomes of the rest
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
\set ECHO all
-- an order of that completeness; lines as in t.ord(), with a line_group behind a colon; further columns
create procedure t.whole(id text, completeness text, want int, lines text, more text default '') language plpgsql as $$
begin
	execute format('insert into routing.sales_order (order_id, customer, country, postal_code, requested_on, completeness) values (%L, ''C1'', ''US'', ''60614'', %L, %L)', id, t.day(want), completeness);
	if more <> '' then
		execute format('update routing.sales_order set %s where order_id = %L', more, id);
	end if;
	insert into routing.sales_order_line (order_id, line_no, item, quantity, node, line_group)
	select id, n, split_part(split_part(x, ':', 1), ' ', 1), split_part(split_part(x, ':', 1), ' ', 2)::numeric, nullif(split_part(split_part(x, ':', 1), ' ', 3), ''), nullif(split_part(x, ':', 2), '')::int
	from string_to_table(lines, ', ') with ordinality as u(x, n);
end
$$;
create view t.b as select "order", line, quantity, node, service, needed, arrives from t.r;
create procedure t.supplies() language sql begin atomic
	insert into routing.supply (item, node, quantity) values ('A', 'CHI', 5), ('A', 'DAL', 4), ('B', 'DAL', 9), ('C', 'CHI', 2);
end;
call t.supplies();

-- none: what there is; line: CHI has 5 and DAL 4, so 6 of A wait and B goes
call t.whole('N1', 'none', 9, 'A 6, B 1'); table t.b; call t.reset(); call t.supplies();
call t.whole('L1', 'line', 9, 'A 6, B 1'); table t.b; table t.l; select * from routing.verify();
-- it goes when one node has all of it; more of the line is another question, and it is planned anew as a whole
call t.stock('A', 'DAL', 3, null, 'more'); table t.b; table t.l;
update routing.sales_order_line set quantity = 7 where line_no = 1; table t.b; select * from routing.verify();
update routing.sales_order_line set quantity = 8 where line_no = 1; table t.b; table t.l; select * from routing.verify();
update routing.sales_order_line set quantity = 4 where line_no = 1; table t.b; select * from routing.verify();
-- what loses its supply loses the line, and goes whole from elsewhere
update routing.supply set quantity = 0 where item = 'A' and node = 'CHI'; table t.b; update routing.supply set quantity = 0 where item = 'A' and node = 'DAL' and ref = ''; table t.b; table t.l;
select * from routing.verify(); call t.reset(); call t.supplies();

-- group: A and B only together, C as it likes
call t.whole('G1', 'group', 9, 'A 5:1, B 1:1, C 3'); table t.b; table t.l;
update routing.sales_order_line set quantity = 4 where line_no = 1; table t.b; select * from routing.verify();
-- a line more in the group, which CHI has: none goes
insert into routing.sales_order_line (order_id, line_no, item, quantity, line_group) values ('G1', 4, 'C', 1, 1); table t.b; table t.l; select * from routing.verify();
-- a line of the group that no node can serve
update routing.sales_order_line set node = 'SAT' where line_no = 4; table t.b; delete from routing.sales_order_line where line_no = 4; table t.b;
select * from routing.verify(); call t.reset(); call t.supplies();

-- one shipment with everything, or nothing
call t.whole('S1', 'order_one_shipment', 9, 'A 4, B 1'); call t.whole('S2', 'order_one_shipment', 9, 'A 5, B 1'); table t.b; table t.l;
call t.stock('A', 'DAL', 5, null, 'more'); table t.b; select * from routing.verify();
-- another line: it joins the shipment, or the order waits
insert into routing.sales_order_line (order_id, line_no, item, quantity) values ('S1', 3, 'B', 2); table t.b;
insert into routing.sales_order_line (order_id, line_no, item, quantity) values ('S1', 4, 'C', 1); table t.b; table t.o; select * from routing.verify();
-- an order of two shipments that is to become one
call t.reset(); call t.supplies(); call t.whole('S3', 'none', 9, 'A 4 DAL, C 1'); table t.b;
update routing.sales_order set completeness = 'order_one_shipment'; table t.b; update routing.sales_order_line set node = null; table t.b;
select * from routing.verify(); call t.reset(); call t.supplies();

-- one date: from as many nodes as it takes, arriving together
call t.stock('C', 'CHI', 8, 5); call t.whole('D1', 'order_one_date', 3, 'A 4, B 1'); call t.whole('D2', 'order_one_date', 3, 'A 1, C 6'); table t.b; table t.l;
-- what is added is there later: all of it arrives then
insert into routing.sales_order_line (order_id, line_no, item, quantity) values ('D1', 3, 'C', 2); table t.b; select * from routing.verify();
call t.whole('D3', 'order_one_date', 3, 'A 1, D 1'); select * from t.l where "order" = 'D3';
call t.reset(); call t.supplies();

-- fill or kill: everything, in time, or the order is cancelled at once
call t.whole('F1', 'fill_or_kill', 9, 'A 6, B 1'); call t.whole('F2', 'fill_or_kill', 9, 'A 6, B 1'); table t.b; table t.o; table t.l;
call t.whole('F3', 'fill_or_kill', 1, 'B 1'); call t.whole('F4', 'fill_or_kill', 2, 'B 1'); call t.whole('F5', 'fill_or_kill', null, 'B 1'); table t.o;
select type, payload #>> '{reason,code}' as reason, payload ->> 'scope' as scope from routing.event where aggregateid = 'F3' order by seq;
-- of a change that cannot be filled nothing is left
update routing.sales_order_line set quantity = 20 where order_id = 'F4'; table t.b; table t.o; select * from routing.verify();
select "order", line, quantity, cancelled_quantity from routing.sales_order_line l join (select order_id as "order", line_no as line from routing.sales_order_line) x on "order" = order_id and line = line_no order by 1, 2;
call t.reset(); call t.supplies();

-- the rest: cancelled at once; waited for; by the order, else by the policy
call t.whole('R1', 'none', 9, 'A 12, B 1', $$rest = 'cancel'$$); table t.b; table t.l; table t.o;
select type, payload -> 'lines' as lines, payload #>> '{reason,code}' as reason, payload ->> 'scope' as scope from routing.event where aggregateid = 'R1' and type = 'order.cancelled.v1';
-- stock that comes is not for it; what is ordered on top is served, and less takes from the cancelled part first
call t.stock('A', 'CHI', 2, null, 'more'); select quantity, cancelled_quantity from routing.sales_order_line where line_no = 1; table t.b;
update routing.sales_order_line set quantity = 13 where line_no = 1; table t.b; select * from routing.verify();
update routing.sales_order_line set quantity = 11 where line_no = 1; table t.b; select quantity, cancelled_quantity, status from routing.sales_order_line where line_no = 1;
update routing.sales_order_line set quantity = 8 where line_no = 1; table t.b; select quantity, cancelled_quantity, status from routing.sales_order_line where line_no = 1; select * from routing.verify();
call t.whole('R2', 'none', 9, 'D 1', $$rest = 'cancel'$$); select * from t.o where order_id = 'R2'; table routing.claim;
insert into routing.policy (policy, version, state, definition) values ('standard', 1, 'active', '{"rest": "cancel"}');
call t.whole('R3', 'none', 9, 'D 1'); call t.whole('R4', 'none', 9, 'D 1', $$rest = 'backorder'$$); select order_id, status from routing.sales_order order by 1; select * from routing.verify();
-- waited for 2 days
call t.reset(); call t.whole('W1', 'none', 9, 'D 2', $$rest = 'wait', rest_days = 2$$); call t.whole('W2', 'line', 9, 'D 3', $$cancel_after = '2000-01-01'$$);
select order_id, lapses_on - since as days from routing.order_lapse; table t.o;
select routing.roll() >= 0 as rolled; table t.o;
update routing.order_lapse set since = since - 3, lapses_on = lapses_on - 3; call t.stock('D', 'CHI', 1); select routing.roll() >= 0 as rolled; table t.l; table t.o; table routing.order_lapse; select * from routing.verify();
-- whoever is served in time waits for nothing
call t.reset(); call t.whole('W3', 'none', 9, 'D 2', $$rest = 'wait', rest_days = 2$$); call t.stock('D', 'CHI', 2); table t.o; table routing.order_lapse; select * from routing.verify();
