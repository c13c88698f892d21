-- what an item demands of its stock is changed only as far as stock and bookings agree
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
create procedure t.lot(item text, node text, lot text, quantity numeric, ref text default '') language sql begin atomic
	insert into routing.supply (item, node, lot, quantity, ref) values (item, node, lot, quantity, ref);
end;
create function t.become(item text, control text) returns text language sql
	return t.try(format('with u as (update routing.item set control = %L where item = %L returning control) select control from u', control, item));
\set ECHO all

-- nothing on hand: anything; back to none always
select t.become('A', 'lot'); select t.become('A', 'serial'); select t.become('A', 'none');
-- stock without lots: what is on its way may be so, and a row of 0
call t.stock('A', 'CHI', 3); call t.stock('A', 'CHI', 5, 4);
select t.become('A', 'lot'); select t.become('A', 'serial'); select item, control from routing.item where item = 'A';
update routing.supply set quantity = 0 where ref = ''; select t.become('A', 'lot');
-- lots are no serial numbers
call t.lot('A', 'CHI', 'L1', 2); select t.become('A', 'serial');
update routing.supply set quantity = 1 where lot = 'L1'; call t.lot('A', 'DAL', 'L1', 1); select t.become('A', 'serial');
delete from routing.supply where node = 'DAL';
-- bookings of a part of a unit, and who waits for one
call t.ord('S1', 9, 'A 1.5 CHI'); select t.become('A', 'serial');
update routing.sales_order_line set quantity = 1; call t.ord('S2', 9, 'A 0.5 NYC'); select t.become('A', 'serial');
select routing.cancel_order('S2');
-- now it can, and the unit is known: it cannot be anywhere else as well
select t.become('A', 'serial'); select lot, serial from routing.supply where lot <> '';
select t.try($$call t.lot('A', 'DAL', 'L1', 1)$$);
select t.try($$call t.lot('A', 'DAL', 'L2', 2)$$);
select * from routing.verify();
-- several items at once, one of them with a reason; other columns are nobody's concern
call t.stock('B', 'CHI', 1);
select t.try($$update routing.item set control = 'lot' where item in ('B', 'C')$$);
update routing.item set name = 'b', weight_kg = 2 where item = 'B'; select item, name, control from routing.item where item in ('A', 'B', 'C') order by 1;
-- back: the same number may be at two places
select t.become('A', 'lot'); call t.lot('A', 'DAL', 'L1', 2); select t.become('A', 'none'); call t.stock('A', 'DAL', 1); select * from routing.verify();
