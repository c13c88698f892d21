-- holds: quotes that count until they expire, and become orders
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
-- a document to 60614 of C1 for a day, with lines as in t.ord; more: further fields
create function t.doc(want int, lines text, more jsonb default '{}') returns jsonb language sql stable
begin atomic
	select jsonb_build_object('customer', 'C1', 'ship_to', '{"country": "US", "postal_code": "60614"}'::jsonb,
							  'lines', jsonb_agg(jsonb_strip_nulls(jsonb_build_object('item', split_part(x, ' ', 1),
												 'quantity', split_part(x, ' ', 2), 'node', nullif(split_part(x, ' ', 3), ''))) order by n))
		   || case when want is null then '{}' else jsonb_build_object('requested_on', t.day(want)) end || more
	from string_to_table(lines, ', ') with ordinality as u(x, n);
end;
-- names for the ids of holds
create table t.name (id text, name text);
create procedure t.hold(name text, doc jsonb, ttl interval default '15 minutes') language sql as $$
	insert into t.name select routing.hold(doc, ttl), hold.name;
$$;
create function t.id(name text) returns text language sql stable return (select n.id from t.name n where n.name = id.name);
create view t.h as
	select n.name as hold, h.state, coalesce(o.name, h.order_id) as "order" from routing.hold h join t.name n on n.id = h.hold_id
		left join t.name o on o.id = h.order_id order by n.name;
-- every schedule line of holds, the closed ones too
create view t.held as
	select n.name as hold, r.line_no as line, row_number() over (partition by r.order_id, r.line_no order by r.part) as part, r.item, r.node, r.quantity, t.rel(r.needed_on) as needed, r.basis, r.state,
		   r."to" is null as open, r."to" = r.expires_at as at_expiry
	from routing.reservation r join t.name n on r.order_id = 'hold:' || n.id order by 1, 2, 3;
-- the entries of the positions
create view t.p as
	select p.item, p.node, trim_scale(p.holds[i + 1] / 10000.0) as quantity from routing.position p, generate_series(3, cardinality(p.holds), 4) i order by 1, 2, 3;
\set ECHO all
call t.stock('A', 'CHI', 10); call t.stock('A', 'DAL', 4); call t.stock('B', 'CHI', 2); call t.stock('B', 'CHI', 9, 6);

-- what is held is not available to others; nothing but bookings is written
call t.hold('one', t.doc(3, 'A 8, B 4'));
select * from t.held;
select line_no, item, node, quantity, t.rel(ship_on) as ship, t.rel(deliver_on) as deliver, expires_at > now() + '14 minutes' as lasts
from routing.hold_lines(t.id('one'));
select t.atp('A', 'CHI', 0, 9), t.atp('B', 'CHI', 0, 9), routing.atp_total('A');
select atp from routing.availability where item = 'A' and node = 'CHI';
select count(*) as orders from routing.sales_order; select count(*) as decisions from routing.decision;
select * from t.h; select * from routing.verify();
-- what cannot be had is not held: 6 of 100
call t.hold('two', t.doc(9, 'A 100'));
select * from t.held where hold = 'two';
call t.ord('O1', 3, 'A 1'); select * from t.o;
select * from routing.verify();
-- cancelled: it is there again, once, for who waits first
select routing.cancel_hold(t.id('two')), routing.cancel_hold(t.id('two')); select * from t.o;
select * from t.held where hold = 'two';
select t.atp('A', 'CHI', 0), routing.atp_total('A');
select count(*) from routing.hold_lines(t.id('two'));
select * from t.h; select * from routing.verify();

-- confirmed: the held parts become the order's, counted once; with the rest of a line that was not held
call t.stock('A', 'NYC', 3);
select t.atp('A', 'CHI', 0, 9), routing.atp_total('A');
select t.id('one') = routing.confirm_hold(t.id('one')) as same_id, t.id('one') = routing.confirm_hold(t.id('one')) as again;
select t.atp('A', 'CHI', 0, 9), routing.atp_total('A');
select * from t.held where hold = 'one';
select line, item, quantity, node, needed, arrives, basis, state from t.r;
select line, item, quantity, status, promised, node, split, reason from t.l where "order" = t.id('one');
select replace(id, t.id('one'), 'one') as id, version, type from t.e where id = t.id('one');
select count(*) from routing.explain(t.id('one')) where explain like '%CHI%';
select * from t.h; select count(*) from routing.hold_lines(t.id('one')); select * from t.p; select * from routing.verify();

-- exactly enough, held and confirmed; under the document's own id; the rest is routed now
call t.reset(); delete from t.name; call t.stock('C', 'CHI', 5);
call t.hold('all', t.doc(3, 'C 7', '{"order_id": "SO-7", "priority": 2, "correlation_id": "c7", "channel": "web", "policy": "standard"}'));
select * from t.held; select routing.atp_total('C');
call t.stock('C', 'DAL', 1);
select routing.confirm_hold(t.id('all'));
select * from t.r; select * from t.l;
select customer, channel, country, postal_code, t.rel(requested_on) as wanted, date_basis, priority, completeness, policy, correlation_id, status from routing.sales_order;
select routing.atp_total('C'); select * from routing.verify();
-- as an order it lives on like any other
select routing.cancel_order('SO-7'); select routing.atp_total('C');
select replace(t.try(format('select routing.cancel_hold(%L)', t.id('all'))), t.id('all'), 'all');
select routing.confirm_hold(t.id('all'));
select * from routing.verify();

-- expiry counts when it passes, without anybody doing anything, for who only reads too
call t.reset(); delete from t.name; call t.stock('D', 'CHI', 3); call t.stock('D', 'CHI', 4, 5);
call t.hold('short', t.doc(3, 'D 3'), '10 minutes'); call t.hold('long', t.doc(8, 'D 2'), '1 hour');
select t.atp('D', 'CHI', 0, 9), (select sum(quantity) from routing.hold_lines(t.id('short'))) as short;
set routing.clock_offset = 660;
begin transaction read only;
select t.atp('D', 'CHI', 0, 9), (select sum(quantity) from routing.hold_lines(t.id('short'))) as short;
select quantity, node from routing.promise(t.doc(3, 'D 3'));
commit;
select * from t.h; select * from t.held; select * from t.p; select * from routing.verify();
select t.try(format('select routing.confirm_hold(%L)', t.id('short'))) ~ '^RT050 hold "H[0-9]+" expired at ....-..-..T' as expired;
select routing.cancel_hold(t.id('short'));
-- whoever writes the position then sweeps it
call t.ord('E1', 3, 'D 1');
select * from t.h; select * from t.held; select * from t.p; select * from t.o; select * from routing.verify();
select t.try(format('select routing.confirm_hold(%L)', t.id('short'))) ~ '^RT050' as expired, routing.cancel_hold(t.id('short'));
-- so does an adjustment of stock
set routing.clock_offset = 3660;
update routing.supply set quantity = 4 where item = 'D' and available_on = '-infinity';
select * from t.h; select * from t.held where hold = 'long'; select * from t.p; select t.atp('D', 'CHI', 0, 9); select * from routing.verify();
reset routing.clock_offset;

-- supply shrinks: holds give way before orders, the youngest first, only what is missing
call t.reset(); delete from t.name; call t.stock('A', 'CHI', 10);
call t.ord('S1', 3, 'A 4', 'LAST'); call t.hold('old', t.doc(3, 'A 3')); call t.hold('new', t.doc(3, 'A 3'));
update routing.supply set quantity = 8;
select * from t.held; select * from t.p; select * from t.o; select t.atp('A', 'CHI', 0); select * from routing.verify();
update routing.supply set quantity = 5;
select * from t.held; select * from t.p; select * from t.o; select * from routing.verify();
update routing.supply set quantity = 2;
select * from t.held; select * from t.p; select * from t.o; select * from routing.verify();
-- what is left of them is confirmed, and what is not is routed
update routing.supply set quantity = 9;
select routing.route_order('S1') is not null as routed;
select quantity, node from routing.hold_lines(t.id('old'));
select routing.confirm_hold(t.id('old')) = t.id('old') as confirmed; select quantity, node, state from t.r; select * from routing.verify();
-- a hold for a later day gives way only for that day; what orders repair is not taken from it
call t.reset(); delete from t.name; call t.stock('A', 'CHI', 5); call t.stock('A', 'CHI', 5, 10);
call t.ord('L1', 2, 'A 5'); call t.hold('later', t.doc(14, 'A 5'));
update routing.supply set quantity = 3 where available_on = '-infinity';
select * from t.held; select status from t.o; select * from routing.verify();
update routing.supply set quantity = 4 where available_on > '-infinity';
select * from t.held; select status from t.o; select * from routing.verify();
-- a smaller order in the transaction that takes the stock: the hold gives way to what the order keeps
call t.reset(); delete from t.name; call t.stock('B', 'CHI', 10);
call t.ord('K1', 3, 'B 8'); call t.hold('k', t.doc(3, 'B 2'));
begin;
update routing.sales_order_line set quantity = 5;
update routing.supply set quantity = 6;
commit;
select * from t.held; select "order", quantity, node, state from t.r where "order" = 'K1'; select t.atp('B', 'CHI', 0); select * from routing.verify();

-- a repeated call with the same key returns the open hold; the content must be the same
call t.reset(); delete from t.name; call t.stock('A', 'CHI', 10);
call t.hold('r', t.doc(3, 'A 2', '{"idempotency_key": "k1"}'));
select routing.hold(t.doc(3, 'A 2', '{"idempotency_key": "k1"}')) = t.id('r') as same, routing.atp_total('A');
select replace(t.try(format('select routing.hold(%L)', t.doc(3, 'A 3', '{"idempotency_key": "k1"}'))), t.id('r'), 'r');
select routing.cancel_hold(t.id('r'));
select routing.hold(t.doc(3, 'A 3', '{"idempotency_key": "k1"}')) <> t.id('r') as another; select routing.atp_total('A');
set routing.clock_offset = 1000;
select routing.hold(t.doc(3, 'A 9', '{"idempotency_key": "k1"}')) <> t.id('r') as another; select routing.atp_total('A');
reset routing.clock_offset;
select state, count(*) from routing.hold where document ->> 'idempotency_key' = 'k1' group by 1 order by 1;

-- a line in another unit; its factor changes before it is confirmed
call t.reset(); delete from t.name; call t.stock('A', 'CHI', 30);
insert into routing.item_uom (item, uom, factor) values ('A', 'box', 12);
call t.hold('b1', t.doc(3, 'A 1', '{"lines": [{"item": "A", "quantity": "1", "uom": "box"}]}'));
call t.hold('b2', t.doc(3, 'A 1', '{"lines": [{"line_no": 4, "item": "A", "quantity": 1.0, "uom": "box", "price": "2.50"}, {"line_no": 2, "item": "A", "quantity": "+.5", "lot": null}]}'));
select * from t.held; select routing.atp_total('A');
update routing.item_uom set factor = 6;
select routing.confirm_hold(t.id('b1')) = t.id('b1') as confirmed;
select routing.confirm_hold(t.id('b2')) = t.id('b2') as confirmed;
select case l."order" when t.id('b1') then 'b1' when t.id('b2') then 'b2' end as "order", l.line, l.item, l.quantity, o.uom, o.price, l.status
from t.l join routing.sales_order_line o on o.order_id = l."order" and o.line_no = l.line where l."order" like 'H%' order by 1, 2;
select line, quantity, state from t.r; select routing.atp_total('A');
delete from routing.sales_order_line; delete from routing.sales_order; delete from routing.item_uom;

-- nothing is held beyond the horizon, where nothing is scarce; the order is planned there
call t.reset(); delete from t.name; insert into routing.item_node (item, node, lead_time_days) values ('D', 'CHI', 5);
call t.stock('D', 'CHI', 1);
call t.hold('far', t.doc(20, 'D 3 CHI'));
select item, node, quantity, state from t.held; select routing.confirm_hold(t.id('far')) = t.id('far') as confirmed;
select item, node, quantity, basis, state from t.r;
select * from routing.verify(); delete from routing.item_node;

-- a hot position: holds are in its first row
call t.reset(); delete from t.name; set routing.escrow = always; call t.stock('B', 'CHI', 802);
call t.ord('HOT', null, 'B 2 CHI'); call t.hold('h3', t.doc(null, 'B 3 CHI')); call t.hold('h9', t.doc(null, 'B 9 CHI'));
select slot > 0 as slot, count(*), sum(cardinality(holds)) as holds from routing.position where item = 'B' and node = 'CHI' group by 1 order by 1;
select routing.confirm_hold(t.id('h3')) = t.id('h3') as confirmed; select t.atp('B', 'CHI', 0); select * from routing.verify();
call t.hold('rest', t.doc(null, 'B 788 CHI')); select sum(quantity) from routing.hold_lines(t.id('rest')); select t.atp('B', 'CHI', 0);
select routing.confirm_hold(t.id('rest')) = t.id('rest') as confirmed; select routing.cancel_hold(t.id('h9')); select t.atp('B', 'CHI', 0);
select slot > 0 as slot, count(*), sum(cardinality(holds)) as holds from routing.position where item = 'B' and node = 'CHI' group by 1 order by 1;
select * from routing.verify(); reset routing.escrow;

-- lots: a hold gives way when no lot can serve it besides what is booked, though no balance is negative
call t.reset(); delete from t.name;
insert into routing.item (item, weight_kg, control) values ('L', 1, 'lot');
insert into routing.supply (item, node, quantity, lot, expires_on) values ('L', 'CHI', 5, 'L1', t.day(6)), ('L', 'CHI', 5, 'L2', t.day(40));
call t.ord('LO', 20, 'L 3'); call t.hold('now', t.doc(3, 'L 5')); call t.hold('next', t.doc(20, 'L 2'));
select routing.atp('L', 'CHI', t.day(2)), routing.atp('L', 'CHI', t.day(19));
update routing.supply set expires_on = t.day(10), quantity = 4 where lot = 'L2' and item = 'L';
select hold, part, quantity, needed, state from t.held; select order_id, status from t.o; select * from routing.verify();
update routing.supply set expires_on = t.day(40) where lot = 'L2' and item = 'L';
select hold, part, quantity, needed, state from t.held; select order_id, status from t.o; select * from routing.verify();
select routing.confirm_hold(t.id('now')) = t.id('now') as confirmed; select quantity, needed, state from t.r; select * from routing.verify();
call t.reset(); delete from routing.item where item = 'L';

-- undone with its transaction
call t.reset(); delete from t.name; call t.stock('A', 'CHI', 10); call t.hold('u', t.doc(3, 'A 6'));
begin; select routing.confirm_hold(t.id('u')) is not null as confirmed; select routing.atp_total('A'); rollback;
begin; savepoint s; select routing.cancel_hold(t.id('u')); select routing.atp_total('A'); rollback to s; select routing.atp_total('A'); commit;
select * from t.h; select * from t.held; select * from t.o; select routing.atp_total('A'); select * from routing.verify();
-- an order's rows emptied leave holds alone
set client_min_messages = warning; truncate routing.sales_order, routing.sales_order_line; reset client_min_messages;
select * from t.held; select * from routing.verify();

-- what is refused, and leaves everything as it is
select t.try('select routing.confirm_hold(null)'); select t.try('select routing.cancel_hold(null)'); select t.try('select * from routing.hold_lines(null)');
select t.try($$select routing.confirm_hold('H0')$$); select t.try($$select routing.cancel_hold('')$$); select t.try($$select * from routing.hold_lines('nope')$$);
select t.try('select routing.hold(null)'); select t.try($$select routing.hold('[]')$$); select t.try($$select routing.hold('7')$$);
do $$
declare
	ttl	text;
	d	jsonb;
begin
	foreach ttl in array array['0', '-1 minute', '367 days', '1000000 years', '178000000 years', '1 month -30 days', '13 months', '-1 month 31 days'] loop
		raise notice '%', t.try(format('select routing.hold(%L, %L)', t.doc(3, 'A 1'), ttl));
	end loop;
	raise notice '%', t.try(format('select routing.hold(%L, null)', t.doc(3, 'A 1')));
	for d in select x from jsonb_array_elements('[{"customer": "XYZ"}, {"color": 1}, {"lines": []}, {"order_id": "hold:1"}, {"completeness": "all"},
		{"ship_to": {"country": "US", "postal_code": "99999"}}, {"ship_to": {"country": "US", "postal_code": "60614", "latitude": 1e300}},
		{"ship_to": {"country": "US", "postal_code": "60614", "longitude": "NaN"}}]') x
	loop
		raise notice '%', t.try(format('select routing.hold(%L)', t.doc(3, 'A 1') || d));
	end loop;
end
$$;
call t.ord('TAKEN', 3, 'A 1');
select t.try(format('select routing.hold(%L)', t.doc(3, 'A 1', '{"order_id": "TAKEN"}')));
call t.hold('v', t.doc(3, 'A 1', '{"order_id": "LATER"}')); call t.ord('LATER', 3, 'A 1');
select t.try(format('select routing.confirm_hold(%L)', t.id('v')));
-- what the document names is gone
call t.hold('w', t.doc(3, 'A 1', '{"channel": "web"}')); delete from routing.channel;
select t.try(format('select routing.confirm_hold(%L)', t.id('w')));
insert into routing.channel (channel) values ('web');
select routing.cancel_hold(t.id('u')); select replace(t.try(format('select routing.confirm_hold(%L)', t.id('u'))), t.id('u'), 'u');
begin transaction read only; select t.try(format('select routing.hold(%L)', t.doc(3, 'A 1'))); select t.try($$select routing.confirm_hold('H0')$$); select t.try($$select routing.cancel_hold('H0')$$); rollback;
select * from t.h; select routing.atp_total('A'); select * from routing.verify();

-- another tenant knows nothing of it
insert into routing.tenant (tenant_id, tenant) values (2, 'acme'); insert into routing.tenant_member values (2, 'postgres');
set routing.tenant = 'acme';
select replace(t.try(format('select routing.confirm_hold(%L)', t.id('v'))), t.id('v'), 'v');
select replace(t.try(format('select * from routing.hold_lines(%L)', t.id('v'))), t.id('v'), 'v');
reset routing.tenant;
-- what a hold gives back when it is cancelled serves who waits, as many lines as one call may route; the others are
-- left to run_jobs()
call t.stock('D', 'NYC', 9);
call t.hold('qw', t.doc(null, 'D 9 NYC'));
call t.ord('W1', null, 'D 2 NYC'); call t.ord('W2', null, 'D 3 NYC');
set routing.settle_reroute_limit = 1;
select routing.cancel_hold(t.id('qw'));
select "order", status from t.l where item = 'D';
select key, reason from routing.pending;
reset routing.settle_reroute_limit;
select routing.run_jobs();
select "order", status from t.l where item = 'D';

-- a hold has expired: who comes next finds it, and who waits for it is first
call t.hold('qx', t.doc(null, 'D 4 NYC'));
call t.ord('W3', null, 'D 4 NYC');
set routing.clock_offset = 1000;
call t.ord('W4', null, 'D 1 NYC');
reset routing.clock_offset;
select "order", status from t.l where item = 'D';
-- the same if the next is a quote
select routing.cancel_order('W3'), routing.cancel_order('W1'), routing.cancel_order('W2');
call t.hold('qy', t.doc(null, 'D 8 NYC'));
call t.ord('W5', null, 'D 6 NYC');
set routing.clock_offset = 1000;
call t.hold('qz', t.doc(null, 'D 1 NYC'));
select "order", status from t.l where item = 'D';
select * from routing.verify();
reset routing.clock_offset;
-- readers see, writers hold
set client_min_messages = warning;
do $$
declare
	r	text;
begin
	foreach r in array array['regress_routing_holds_r', 'regress_routing_holds_w'] loop
		if exists (select from pg_roles where rolname = r) then
			execute format('drop owned by %I', r);
			execute format('drop role %I', r);
		end if;
	end loop;
end
$$;
reset client_min_messages;
create role regress_routing_holds_r; create role regress_routing_holds_w;
grant usage on schema t to public; grant execute on all functions in schema t to public; grant select on all tables in schema t to public;
set role regress_routing_holds_r; select t.try($$select * from routing.hold_lines('H0')$$); select t.try($$select routing.hold('{}')$$); reset role;
select routing.grant_access('regress_routing_holds_r'), routing.grant_access('regress_routing_holds_w', 'write');
set role regress_routing_holds_r; select quantity, node from routing.hold_lines(t.id('v'));
select t.try($$select routing.hold('{}')$$); select t.try($$select routing.confirm_hold('H0')$$); select t.try($$select routing.cancel_hold('H0')$$);
set role regress_routing_holds_w; select routing.hold(t.doc(3, 'A 1')) is not null as held, routing.cancel_hold(t.id('v'));
select t.try($$update routing.hold set state = 'open'$$); reset role;
drop owned by regress_routing_holds_r, regress_routing_holds_w; drop role regress_routing_holds_r, regress_routing_holds_w;
select * from routing.verify();
