-- what is picked or packed never gives way: the books may be short of it, as long as somebody is told
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
-- the warehouse's states, as nobody but an owner with triggers switched off can set them
create procedure t.set(id text, state text) language plpgsql as $$
begin
	alter table routing.sales_order_line disable trigger user;
	update routing.sales_order_line set status = state where order_id = id;
	alter table routing.sales_order_line enable always trigger note_order;
	alter table routing.sales_order_line enable always trigger settle;
	alter table routing.sales_order_line enable always trigger note_truncate;
end
$$;
create view t.v as select what, item, node, expected, split_part(found, ' on ', 1) as found from routing.verify();
create procedure t.again() language plpgsql as $$
begin
	call t.reset(); commit;
	delete from routing.exception; delete from routing.reservation; delete from routing.deleted_order; delete from routing.pending;
	delete from routing.event; delete from routing.claim;
end
$$;
\set ECHO all

-- 10 on hand: P has picked 6, F wants 3; a count says 4: F gives way, of P 2 are missing in the books
call t.stock('A', 'CHI', 10); call t.ord('P', 4, 'A 6 CHI'); call t.ord('F', 4, 'A 3 CHI');
call t.set('P', 'picked');
update routing.supply set quantity = 4;
select "order", quantity, state from t.r; table t.x; select t.atp('A', 'CHI', 0) as "0"; table t.v;
-- a unit less, a unit more: the same exception tells; nobody else gets any
update routing.supply set quantity = 3; select quantity, state from t.x where type = 'picked_short'; table t.v;
update routing.supply set quantity = 5; select quantity, state from t.x where type = 'picked_short'; select t.atp('A', 'CHI', 0) as "0"; table t.v;
call t.stock('A', 'CHI', 4, 6); select "order", quantity, needed, state from t.r; table t.v;
-- nobody was told, or the line is not picked any more: found; roll() judges again
update routing.exception set state = 'resolved' where type = 'picked_short'; table t.v;
select routing.roll(); select quantity, state from t.x where type = 'picked_short'; table t.v;
begin; call t.set('P', 'allocated'); table t.v; rollback;
-- who waits behind what came is no excuse: a booking of F on what is not there is found
begin; update routing.reservation set needed_on = t.day(3) where order_id = 'F' and "to" is null;
update routing.position set timeline = routing.expected_timeline(tenant_id, item, node) where item = 'A'; table t.v; rollback;
-- it leaves: the feed tells 0, which is right
select routing.confirm_ship('P'); update routing.supply set quantity = 0 where ref = '';
select quantity, state from t.x where type = 'picked_short'; table t.v;
call t.again();

-- the count is corrected
call t.stock('A', 'CHI', 10); call t.ord('P', 4, 'A 6 CHI'); call t.set('P', 'packed');
update routing.supply set quantity = 4; select quantity, state from t.x;
update routing.supply set quantity = 6; select quantity, state from t.x; table t.v;
-- the order is cancelled: roll() finds that nothing is short
update routing.supply set quantity = 4; call t.set('P', 'allocated'); select routing.cancel_order('P');
select quantity, state from t.x; select routing.roll() as "1"; select quantity, state from t.x; select routing.roll() as "0"; table t.v;
call t.again();

-- a lot that is blocked: F gives way, P has picked 4 of it
insert into routing.supply (item, node, lot, quantity, expires_on) values ('B', 'CHI', 'L1', 5, t.day(60)), ('B', 'CHI', 'L2', 3, t.day(90));
call t.ord('P', 4, 'B 4 CHI'); call t.ord('F', 4, 'B 3 CHI'); call t.set('P', 'picked');
insert into routing.supply_rule (kind, status, usable) values ('*', 'blocked', false);
update routing.supply set status = 'blocked' where lot = 'L1';
select "order", quantity, state from t.r; select quantity, state from t.x where type = 'picked_short'; table t.v;
update routing.exception set state = 'resolved' where type = 'picked_short'; table t.v;
update routing.supply set status = 'confirmed'; select "order", quantity, state from t.r; table t.v;
