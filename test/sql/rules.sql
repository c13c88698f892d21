-- what changes the days of supply is settled at once; units of open lines stay
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
\set ECHO all
insert into routing.supply (item, node, ref, quantity, available_on, kind, status) values
	('A', 'CHI', 'PO-1', 10, t.day(4), 'purchase', 'confirmed'), ('A', 'CHI', 'PO-2', 5, t.day(4), 'purchase', 'unconfirmed'),
	('A', 'CHI', '', 3, '-infinity', 'on_hand', 'quarantine');
call t.ord('O1', 6, 'A 8 CHI');
create view t.line as select t.rel(on_date) as day, supply, demand, atp from routing.atp_timeline('A', 'CHI') order by on_date;
table t.line;
-- two days in the dock: the purchase is stock on day 6, the need was day 5
update routing.node set dock_days = 2 where node = 'CHI';
table t.line; select "order", quantity, needed, arrives, state from t.r; table t.x;
update routing.node set dock_days = 0, name = 'Chicago' where node = 'CHI';
-- the one that is not confirmed is taken to come as it says, purchases a day late, and what is in quarantine counts
insert into routing.supply_rule (status, delay_days) values ('unconfirmed', 0), ('quarantine', 0);
table t.line;
insert into routing.supply_rule (kind, delay_days) values ('purchase', 1);
table t.line;
update routing.supply_rule set kind = 'transfer' where kind = 'purchase';
table t.line;
delete from routing.supply_rule where status = 'quarantine';
table t.line;
truncate routing.supply_rule;
table t.line;
-- overdue: tomorrow, or as the rule says; with the calendar, nobody writing anything
set routing.clock_offset = '20d';
select routing.atp('A', 'CHI', t.day(n)) from generate_series(19, 23) n;
insert into routing.supply_rule (kind, late_days) values ('purchase', 3);
select routing.atp('A', 'CHI', t.day(n)) from generate_series(19, 23) n;
truncate routing.supply_rule;
reset routing.clock_offset;
select * from routing.verify();

-- units
insert into routing.item_uom (item, uom, factor) values ('B', 'box', 12), ('B', 'bag', 0.3333);
call t.stock('B', 'DAL', 100);
begin; call t.ord('U1', null, 'B 2 DAL'); update routing.sales_order_line set uom = 'box' where order_id = 'U1'; commit;
select "order", item, quantity, needed from t.r where "order" = 'U1';
select t.try($$update routing.item_uom set factor = 10 where uom = 'box'$$);
select t.try($$delete from routing.item_uom where uom = 'box'$$);
update routing.item_uom set factor = 0.5 where uom = 'bag';
select routing.cancel_order('U1');
update routing.item_uom set factor = 10 where uom = 'box';
select * from routing.verify();

-- ids that are not orders'
call t.ord('hold:1', null, 'B 1');
call t.ord('demand:1', null, 'B 1');
