-- events: what of exceptions, edited orders, supply, availability, nodes, counts and policies they tell
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
\set ECHO all
-- numbers, days and times as far as they can be foreseen
create function t.mask(doc jsonb) returns text language plpgsql stable as $$
declare
	d	text := (doc - 'decision' - 'total_cost' - 'split_count' - 'allocations' - 'unallocated' - 'lines')::text;
begin
	for n in -3..20 loop
		d := replace(d, t.day(n)::text, t.rel(t.day(n)));
	end loop;
	d := regexp_replace(d, '"(exception_id|decision_id)": "\d+"', '"\1": "..."', 'g');
	d := regexp_replace(d, '"duration_s": \d+', '"duration_s": ...', 'g');
	d := regexp_replace(d, '/1\d{6}"', '/..."', 'g');
	-- the day of an hour ago depends on the hour
	return regexp_replace(regexp_replace(d, 'T\d\d:\d\d:\d\d\.\d{6}Z', 'T...', 'g'), '"as_of": "day -?\d+T', '"as_of": "T');
end
$$;
-- what was appended since the last look
create table t.seen (seq bigint); insert into t.seen values (0);
create function t.news() returns table (id text, version bigint, type text, payload text) language plpgsql as $$
#variable_conflict use_column
declare
	since	bigint;
begin
	select max(seq) into since from t.seen;
	insert into t.seen select max(seq) from routing.event;
	return query select regexp_replace(e.aggregateid, '^\d+$', '...'), e.aggregateversion, regexp_replace(e.type, '\.v1$', ''), t.mask(e.payload)
		from routing.event e where e.seq > since order by e.seq;
end
$$;
\pset format unaligned
-- dated supply: announced, put off, raised, closed; the net change of a transaction; a call that says nothing new
insert into routing.supply (item, node, ref, quantity, available_on) values ('A', 'CHI', 'PO1', 10, t.day(5));
update routing.supply set available_on = t.day(7) where ref = 'PO1';
begin; update routing.supply set quantity = 99 where ref = 'PO1'; update routing.supply set quantity = 12 where ref = 'PO1'; commit;
begin; update routing.supply set quantity = 99 where ref = 'PO1'; update routing.supply set quantity = 12 where ref = 'PO1'; commit;
begin; savepoint s; update routing.supply set quantity = 99 where ref = 'PO1'; rollback to s; update routing.supply set lot = lot where ref = 'PO1'; commit;
select routing.put_supply('A', 'CHI', 12, t.day(7), 'PO1');
select routing.put_supply('A', 'CHI', 12, t.day(8), 'PO1');
begin; insert into routing.supply (item, node, ref, quantity, available_on) values ('A', 'CHI', 'PO2', 1, t.day(5)); delete from routing.supply where ref = 'PO2'; commit;
-- the engine's own: what a transfer brings
select routing.put_supply('D', 'DAL', 5) ; select routing.put_transfer('T1', 'D', 'DAL', 'CHI', 3, t.day(1), t.day(3));
select * from t.news();
-- why stock on hand changed, and when availability crosses a line
insert into routing.item_node (item, node, safety_stock) values ('A', 'CHI', 4);
select routing.receive('PO1', 12, 'R1');
select routing.adjust_on_hand('A', 'CHI', -9, 'R2', 'damage');
select routing.adjust_on_hand('A', 'CHI', -1, 'R3', 'spilt');
select routing.put_snapshot('A', 'CHI', 6, now() - interval '1 minute', 'COUNT1'); select routing.put_snapshot('A', 'CHI', 6, now() - interval '1 minute', 'COUNT1');
select routing.put_snapshot('A', 'CHI', 5, now() - interval '1 hour');
begin; select routing.adjust_on_hand('A', 'CHI', 1, 'R4'); select routing.adjust_on_hand('A', 'CHI', -1, 'R5', 'damage'); select routing.adjust_on_hand('A', 'CHI', 1, 'R6'); commit;
update routing.supply set quantity = 10 where item = 'A';
update routing.node set stock_feed = false where node = 'DAL'; select routing.confirm_transfer_shipped('T1', 3, 'R7');
select routing.put_snapshot('CHI', now(), '[{"item": "A", "quantity": "10"}, {"item": "B", "quantity": 2}]');
select * from t.news();
-- an order that empties an item-node; issues
update routing.node set stock_feed = false where node = 'CHI';
call t.ord('O1', 3, 'B 2'); select routing.confirm_ship('O1', reference => 'GI1');
select * from t.news();
-- edited orders: what is other, once for a transaction, also where nothing is planned anew
call t.ord('O2', 3, 'A 2, A 1');
update routing.sales_order_line set quantity = 3 where order_id = 'O2' and line_no = 1;
update routing.sales_order set priority = 2 where order_id = 'O2';
begin;
update routing.sales_order set priority = 3, requested_on = t.day(4), postal_code = '60601' where order_id = 'O2';
update routing.sales_order_line set requested_on = t.day(5) where order_id = 'O2' and line_no = 1;
delete from routing.sales_order_line where order_id = 'O2' and line_no = 2;
insert into routing.sales_order_line (order_id, line_no, item, quantity) values ('O2', 3, 'A', 1);
update routing.sales_order set priority = null where order_id = 'O2';
commit;
begin; update routing.sales_order_line set quantity = 9 where order_id = 'O2'; update routing.sales_order_line set quantity = case line_no when 1 then 3 else 1 end where order_id = 'O2'; commit;
update routing.sales_order set freight_terms = 'prepaid' where order_id = 'O2';
select * from t.news() where type <> 'order.received';
-- a shortage: one change of supply is the cause of what comes of it; the exception is opened, changed, resolved
update routing.supply set quantity = 3 where item = 'A';
update routing.supply set quantity = 0 where item = 'A';
select * from t.news();
update routing.supply set quantity = 20 where item = 'A';
select * from t.news();
select e.type, c.type as cause, c.aggregateid from routing.event e left join routing.event c on c.id = e.causationid
where e.seq > (select seq from t.seen order by seq desc offset 3 limit 1) order by e.seq;
-- of stock, of other demand, of a destination
update routing.supply set quantity = -2 where item = 'B'; update routing.supply set quantity = -3 where item = 'B'; update routing.supply set quantity = 1 where item = 'B';
select routing.put_demand('W1', 'C', 'CHI', 5, t.day(2), 'production'); select routing.put_demand('W1', 'C', 'CHI', 6, t.day(2), 'production'); select routing.cancel_demand('W1');
call t.ord('O3', 3, 'A 1', postal => '99501');
delete from routing.sales_order where order_id = 'O3';
select * from t.news() where id = '...' or id like 'B@%';
-- by hand
insert into routing.supply (item, node, quantity) values ('C', 'CHI', -1);
update routing.exception set facts = facts || '{"note": "seen", "on_hand": "-1.5"}' where item = 'C' and state = 'open';
update routing.exception set state = 'resolved' where item = 'C' and state = 'open';
update routing.exception set state = 'open' where item = 'C' and type = 'negative_on_hand';
update routing.exception set opened_at = opened_at where item = 'C';
select * from t.news() where id = '...';
-- nodes and capacities: net, and as they were changed
update routing.node set status = 'closed', rank = 9 where node = 'NYC';
begin; update routing.node set status = 'open' where node = 'NYC'; savepoint s; update routing.node set status = 'closed' where node = 'NYC'; rollback to s; commit;
update routing.node set rank = 3 where node = 'NYC';
insert into routing.capacity (node, kind, quantity) values ('NYC', 'orders', 100);
insert into routing.capacity (node, kind, weekday, quantity, hard, price_from, price) values ('NYC', 'units', 5, 10.5, false, 0.8, 2);
update routing.capacity set quantity = 120 where node = 'NYC' and kind = 'orders';
update routing.capacity set quantity = quantity where node = 'NYC';
update routing.capacity set weekday = 0, on_date = t.day(9) where node = 'NYC' and kind = 'units';
delete from routing.capacity where node = 'NYC';
-- as a restore does
insert into routing.capacity (node, kind, quantity, since) values ('NYC', 'orders', 100, now() - interval '1 day');
select * from t.news();
delete from routing.capacity;
-- policies: no event of what is inserted, as a restore does
insert into routing.policy (policy, version, state, author, approved_by, approved_at, activated_by, activated_at, effective_at)
values ('web', 1, 'active', 'ann', 'bob', '2026-01-01', 'bob', '2026-01-01', '2026-01-01');
insert into routing.policy (policy, version, author) values ('web', 2, 'ann');
select routing.approve_policy('web', 2); select routing.activate_policy('web', 2);
select routing.retire_policy('web', 2);
select id, version, type, regexp_replace(payload, '"(by)": "[^"]*"', '"\1": "..."') as payload from t.news() where id <> 'NYC';
-- tables that are emptied: every dated supply and every limit that was there before
call t.stock('C', 'DAL', 5, 6, 'PO8'); call t.stock('C', 'DAL', 4, 7, 'PO9'); insert into routing.capacity (node, kind, quantity) values ('NYC', 'orders', 50), ('CHI', 'lines', 60);
select count(*) > 0 as some from t.news();
begin; truncate routing.supply, routing.capacity; rollback;
begin; truncate routing.supply, routing.capacity; call t.stock('C', 'DAL', 5, 8, 'PO8'); commit;
select * from t.news() where type ~ 'inbound|capacity';
-- versions have no gaps, every event is in the catalogue, and nothing is left
select aggregatetype, aggregateid from routing.event group by 1, 2 having count(*) <> max(aggregateversion);
select type, routing.event_problem(type, payload, schemaversion) from routing.event where routing.event_problem(type, payload, schemaversion) is not null;
select e.exception_id from routing.exception e where e.event_version is distinct from
	(select max(v.aggregateversion) from routing.event v where v.aggregatetype = 'exception' and v.aggregateid = e.exception_id::text);
select * from routing.verify();
