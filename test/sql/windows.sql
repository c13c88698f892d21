-- when an order may be delivered; destinations in no zone
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
\set ECHO all
call t.stock('A', 'CHI', 10); call t.stock('A', 'DAL', 10); call t.stock('B', 'CHI', 10, 12);
create procedure t.order(id text, want int, lines text, more text) language plpgsql as $$
begin
	call t.ord(id, want, lines);
	execute format('update routing.sales_order set %s where order_id = %L', more, id);
end
$$;
create view t.b as
	select order_id as "order", line_no as line, quantity, node, service, t.rel(ship_on) as ships, t.rel(deliver_on) as arrives
	from routing.reservation where "to" is null order by order_id, line_no, ship_on, quantity;
-- as if days had gone by
create procedure t.over(id text, day date) language plpgsql as $$
begin
	alter table routing.sales_order disable trigger user;
	update routing.sales_order set cancel_after = day where order_id = id;
	alter table routing.sales_order enable always trigger note_order; alter table routing.sales_order enable always trigger note_truncate; alter table routing.sales_order enable always trigger settle;
	update routing.order_lapse set lapses_on = day where order_id = id;
end
$$;
-- backward from the day wanted; as soon as that is allowed
call t.ord('W1', 5, 'A 1'); call t.order('W2', 5, 'A 1', format('ship_not_before = %L', t.day(4))); call t.order('W3', 5, 'A 1', format('ship_not_before = %L', t.day(7)));
call t.order('W4', null, 'A 1', format('ship_not_before = %L', t.day(3))); table t.b; table t.l;
-- moved, what is booked is planned anew
update routing.sales_order set ship_not_before = t.day(6) where order_id = 'W2'; select * from t.b where "order" = 'W2';
-- nothing later than that; by the day that counts
call t.reset(); call t.stock('B', 'CHI', 10, 12); call t.stock('A', 'CHI', 10);
call t.order('C1', 5, 'B 1', format('cancel_after = %L', t.day(12))); call t.order('C2', 5, 'B 1', format('cancel_after = %L', t.day(11)));
call t.ord('C3', 5, 'B 1', basis => 'ship'); update routing.sales_order set cancel_after = t.day(11) where order_id = 'C3'; table t.b; table t.l;
select order_id, t.rel(lapses_on) from routing.order_lapse order by 1;
update routing.sales_order set cancel_after = t.day(14) where order_id = 'C2'; table t.b; select order_id, t.rel(lapses_on) from routing.order_lapse; select * from routing.verify();
-- it is over: what is unserved is cancelled, what is booked stays
update routing.sales_order_line set quantity = 20 where order_id = 'C1'; table t.b; select order_id, t.rel(lapses_on) from routing.order_lapse order by 1;
update routing.order_lapse set lapses_on = t.day(-2) where order_id = 'C1'; select routing.roll() >= 0 as rolled; select "order", quantity, status from t.l;
call t.over('C1', t.day(-2)); select routing.roll() >= 0 as rolled; table t.b; table t.l; select order_id, t.rel(lapses_on) from routing.order_lapse;
update routing.sales_order set cancel_after = t.day(-2) where order_id = 'C3'; table t.l; select * from routing.verify();
-- early: a lot that ends before the day wanted serves who takes it early
call t.reset(); insert into routing.supply (item, node, quantity, ref, lot, expires_on) values ('A', 'CHI', 5, '', 'L1', t.day(5));
call t.ord('E1', 9, 'A 1'); call t.order('E2', 9, 'A 1', 'early_ok = true'); table t.b; table t.l; select * from routing.verify();

-- a destination in no zone: the order is kept, with an exception, until there is one
call t.reset(); call t.stock('A', 'CHI', 10); delete from routing.exception;
call t.ord('Z1', 5, 'A 2', postal => '80001'); call t.ord('Z2', 5, 'A 1', postal => '90001'); call t.ord('Z3', 5, 'A 1'); table t.b; table t.l; table t.o;
select type, order_id, facts, state from routing.exception order by exception_id; table routing.pending; select * from routing.verify();
select type from routing.event where aggregateid = 'Z1' order by seq;
-- routing it again changes nothing; another zone does not concern it
select status from routing.route_order('Z1'); select type, order_id, state from routing.exception order by exception_id;
insert into routing.zone (zone) values ('WEST'); insert into routing.zone_area (country, postal_prefix, zone) values ('CA', '80', 'WEST'); select key from routing.pending;
insert into routing.lane (node, zone, service, transit_days, base_cost) values ('CHI', 'WEST', 'ground', 3, 10);
insert into routing.zone_area (country, postal_prefix, zone) values ('US', '80', 'WEST'); select key, reason from routing.pending;
select routing.run_jobs() >= 0 as ran; table t.b; table t.o; select type, order_id, state from routing.exception order by exception_id; table routing.pending;
-- or the order changes; or it is cancelled
update routing.sales_order set postal_code = '60614' where order_id = 'Z2'; call t.ord('Z4', 5, 'A 1', postal => '90001'); select routing.cancel_order('Z4');
update routing.sales_order set postal_code = '99999' where order_id = 'Z3'; table t.b; table t.o; select type, order_id, state from routing.exception order by exception_id;
select * from routing.verify();
-- a question about such a destination is an error
select t.try($$select routing.promise('{"customer": "C1", "ship_to": {"country": "US", "postal_code": "99999"}, "lines": [{"item": "A", "quantity": 1}]}')$$);
