-- what time brings: late supply, promises beyond the horizon, and roll()
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
-- so many days later
create procedure t.later(days int) language plpgsql as $$
begin
	perform set_config('routing.clock_offset', (days * 86400)::text, false);
end
$$;
create view t.h as
	select order_id as "order", line_no as line, part > 1000000 as by_supply, quantity, t.rel(needed_on) as needed, basis, state, t.rel(order_by) as order_by, "to" is null as open
	from routing.reservation order by order_id, line_no, "from", part;
create view t.q as
	select order_id as "order", line_no as line, item, node, rank, quantity from routing.claim order by item, node, rank, claimed_at;
create procedure t.again() language plpgsql as $$
begin
	call t.later(0); call t.reset(); delete from routing.item_node; commit;
	delete from routing.exception; delete from routing.event; delete from routing.reservation; delete from routing.pending;
end
$$;
\set ECHO all

-- nothing is due
call t.stock('A', 'CHI', 10, 1); call t.ord('P', 5, 'A 4'); call t.ord('Q', 6, 'A 4');
select routing.roll();
-- three days later the purchase has not come: it is taken to come on day 4, which is in time for both
call t.later(3);
select t.atp('A', 'CHI', 3, 4) as "0 2", routing.roll();
-- on day 4 it is taken to come on day 5: P needs it on day 4; what is read does not wait for roll()
call t.later(4);
select t.atp('A', 'CHI', 4, 5) as "0 2"; table t.r;
select routing.roll();
table t.r; table t.l; table t.x;
select payload - 'old' - 'new' - 'promise_id' - 'decision_id' as event from routing.event where type = 'promise.changed.v1';
select routing.roll(); select t.atp('A', 'CHI', 4, 5);
-- and so on every day, until it comes
call t.later(5); select routing.roll(); select "order", needed, arrives, state from t.r; table t.x;
update routing.supply set available_on = '-infinity', kind = 'on_hand';
select "order", needed, arrives, state, basis from t.r; table t.x;
select rolled_at is not null as rolled from routing.setting;

-- beyond the lead time anything is promised: planned, outside the balance, to be ordered by a day
call t.again();
insert into routing.item_node (item, node, lead_time_days) values ('A', 'CHI', 10);
call t.stock('A', 'CHI', 3);
call t.ord('H1', 20, 'A 5'); call t.ord('H2', 22, 'A 4'); call t.ord('H3', 20, 'A 2', customer => 'GOLD');
table t.l; table t.h;
select payload ->> 'order_id' as "order", payload ->> 'quantity' as quantity, payload ->> 'node' as node,
	   t.rel((payload ->> 'order_by')::date) as order_by, t.rel((payload ->> 'needed_on')::date) as needed
from routing.event where type = 'replenishment.requested.v1' order by seq;
select t.atp('A', 'CHI', 0) as "0";
-- 5 are ordered: by rank H3 has them first, then H1, who was before H2
call t.stock('A', 'CHI', 5, 15);
select * from t.h where open; table t.l;
-- more than all of it
call t.stock('A', 'CHI', 5, 16);
select * from t.h where open; table t.x;
-- nobody ordered in time: an exception, and another plan.  On day 19 the purchases are late: H1 and H3, who need
-- 7 then, have 3, and H1 is less important; his 4 go to day 20, before H4's, which are planned for day 29
call t.ord('H4', 30, 'A 10');
select * from t.h where "order" = 'H4';
call t.later(19); select routing.roll(); select * from t.h where open; table t.x;
call t.later(20); select routing.roll(); select * from t.h where "order" = 'H4'; select * from t.l where "order" = 'H4'; table t.x; table t.q;

-- so many at once
call t.again();
call t.stock('A', 'CHI', 1, 1); call t.stock('B', 'CHI', 1, 1); call t.ord('N', 3, 'A 1, B 1');
call t.later(2);
select routing.roll(1); select routing.roll(1); select routing.roll(1);
select t.try('select routing.roll(0)');
begin; set transaction read only; select t.try('select routing.roll()'); rollback;
call t.later(0);
