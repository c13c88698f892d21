-- holds of one lot: what is held is nobody else's until the hold ends, however others want the item
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
create table t.name (id text, name text);
create procedure t.hold(name text, want int, quantity numeric, lot text, ttl interval default '15 minutes') language sql as $$
	insert into t.name select routing.hold(jsonb_build_object('customer', 'C1', 'requested_on', t.day(want),
		'ship_to', '{"country": "US", "postal_code": "60614"}'::jsonb, 'lines', jsonb_build_array(jsonb_strip_nulls(
			jsonb_build_object('item', 'L', 'quantity', quantity, 'lot', lot)))), ttl), hold.name;
$$;
create function t.id(name text) returns text language sql stable return (select n.id from t.name n where n.name = id.name);
create view t.held as
	select n.name as hold, r.lot, r.quantity, r.state, r."to" is null as open
	from routing.reservation r join t.name n on r.order_id = 'hold:' || n.id order by 1, 2, 3, 4;
create view t.b as
	select coalesce(n.name, r.order_id) as "order", r.lot, r.quantity, t.rel(r.needed_on) as needed, r.state
	from routing.reservation r left join t.name n on n.id = r.order_id
	where r."to" is null and r.order_id not like 'hold:%' order by 1, 2, 3;
insert into routing.item (item, weight_kg, control) values ('L', 1, 'lot');
\set ECHO all

-- 5 of the old lot and 5 of the new one, which alone lasts until day 20; a quote for the new one by its number
insert into routing.supply (item, node, quantity, lot, expires_on) values ('L', 'CHI', 5, 'OLD', t.day(10)), ('L', 'CHI', 5, 'NEW', t.day(60));
call t.hold('q', 3, 5, 'NEW');
table t.held; select t.atp('L', 'CHI', 0, 9, 19) as "5 5 0"; select * from routing.verify();
-- who wants it for day 20 would need the new one: he waits; for day 3 the old one does
call t.ord('SOON', 3, 'L 5'); call t.ord('LATE', 20, 'L 2'); select "order", status, reason from t.l; table t.b;
select t.atp('L', 'CHI', 0) as "0";
-- so the quote can be confirmed
select routing.confirm_hold(t.id('q')) = t.id('q') as confirmed; table t.b; select * from routing.verify();
call t.reset(); delete from t.name; delete from routing.exception;

-- its lot shrinks: the quote gives way though there is enough of the other; what is left can be confirmed
insert into routing.supply (item, node, quantity, lot, expires_on) values ('L', 'CHI', 9, 'OLD', t.day(10)), ('L', 'CHI', 5, 'NEW', t.day(60));
call t.hold('q', 3, 5, 'NEW'); call t.hold('r', 3, 2, 'OLD'); call t.hold('any', 3, 1, null);
update routing.supply set quantity = 3 where lot = 'NEW'; table t.held; select t.atp('L', 'CHI', 0) as "6"; select * from routing.verify();
-- another by number sees what is left of each
select t.try($$select routing.hold('{"customer":"C1","ship_to":{"country":"US","postal_code":"60614"},"lines":[{"item":"L","quantity":"1","lot":"NEW"}]}') is null$$);
select lot, quantity from routing.reservation where order_id = (select 'hold:' || hold_id from routing.hold order by made_at desc, hold_id desc limit 1) and "to" is null;
call t.hold('s', 3, 8, 'OLD'); select * from t.held where hold = 's' and open;
-- cancelled, or past its time: free for everybody again
select routing.cancel_hold(t.id('q')); select t.atp('L', 'CHI', 19) as "3";
call t.hold('u', 3, 2, 'NEW', '1 second'); select t.atp('L', 'CHI', 19) as "1";
set routing.clock_offset = '2 s'; select t.atp('L', 'CHI', 19) as "3"; reset routing.clock_offset;
select * from routing.verify();
call t.reset(); delete from t.name;
