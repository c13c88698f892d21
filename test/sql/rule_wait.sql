-- what no node may serve is tried again when rules change
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
\set ECHO all
create view t.s as select order_id as "order", line_no as line, item, node, quantity from routing.reservation where "to" is null order by 1, 2, 3, 4;
create view t.w as select order_id as "order", line_no as line, item from routing.rule_wait order by 1, 2;
create view t.c as select distinct item, order_id as "order" from routing.rule_change order by 1, 2;
call t.stock('A', 'CHI', 50); call t.stock('B', 'CHI', 50);
-- a node that is closed is nothing to wait at: no claim, but the order is known to wait
update routing.node set status = 'closed';
call t.ord('N1', null, 'A 4, B 1'); call t.ord('N2', null, 'C 1');
table t.s; table t.w; select * from routing.claim;
-- it is tried once, since rules might have been changing; and then no more
select count(*) from routing.decision;
select routing.run_jobs(), (select count(*) from routing.rule_change);
select routing.run_jobs(), (select count(*) from routing.decision);
table t.s; select * from routing.verify();
-- what does not concern who may be served is not noted, what does is noted by whoever changes it
update routing.node set name = 'x'; table t.c;
update routing.node set status = 'open' where node = 'CHI'; table t.c;
select count(*) from routing.pending;
-- what is served has a place, and what is not has one in a queue
select routing.run_jobs(); table t.s; table t.w; select order_id, item, node from routing.claim;
select * from routing.verify();

-- rolled back, nothing has changed
call t.reset(); call t.stock('A', 'CHI', 50); call t.stock('B', 'CHI', 50); update routing.node set status = 'open';
insert into routing.restriction (restriction, item, country) values ('no-a', 'A', 'US'), ('no-b', 'B', 'US');
call t.ord('R1', null, 'A 4'); call t.ord('R2', null, 'B 1'); call t.ord('R3', null, 'A 1, B 1');
select routing.run_jobs(); table t.w;
begin; delete from routing.restriction; rollback;
select routing.run_jobs(); table t.c; table t.s;
-- of an item: those that wait for it
delete from routing.restriction where item = 'A'; table t.c;
select routing.run_jobs(); table t.s; table t.w;
-- one that says less now; then one for all items
update routing.restriction set country = 'CA'; table t.c;
select routing.run_jobs(); table t.s; table t.w;
select * from routing.verify();
call t.reset(); call t.stock('A', 'CHI', 50); truncate routing.restriction;
insert into routing.restriction (restriction, zone, node) values ('not-chi', 'MW', 'CHI'), ('not-dal', 'MW', 'DAL'), ('not-nyc', 'MW', 'NYC');
call t.ord('R4', null, 'A 4'); select routing.run_jobs(); table t.s;
truncate routing.restriction; select routing.run_jobs(); table t.s;

-- who was cancelled, or has gone, is not tried
call t.reset(); call t.stock('A', 'CHI', 50);
update routing.node set channels = '{}';
call t.ord('G1', null, 'A 4'); call t.ord('G2', null, 'A 4'); call t.ord('G3', null, 'A 4');
select routing.run_jobs();
select routing.cancel_order('G1');
begin; delete from routing.sales_order_line where order_id = 'G2'; delete from routing.sales_order where order_id = 'G2'; commit;
update routing.node set channels = null;
select routing.run_jobs(); table t.s; table t.w;
select * from routing.verify();

-- hazardous goods: a permit of the node, then a service that carries them
call t.reset(); call t.stock('A', 'CHI', 50); update routing.item set hazmat_class = '3' where item = 'A';
call t.ord('H1', null, 'A 4'); select routing.run_jobs(); table t.w;
update routing.node set hazmat_classes = '{3}' where node = 'CHI'; select routing.run_jobs(); table t.w;
update routing.service set hazmat = true where service = 'air'; select routing.run_jobs(); table t.s; table t.w;
-- or the goods are not hazardous any more
call t.ord('H2', null, 'A 4 DAL'); call t.stock('A', 'DAL', 9); select routing.run_jobs(); table t.w;
update routing.item set hazmat_class = null where item = 'A'; select routing.run_jobs(); table t.s; table t.w;
select * from routing.verify();

-- no lane leads there, until one does
call t.reset(); call t.stock('A', 'SAT', 50); delete from routing.lane where zone = 'MW';
call t.ord('L1', null, 'A 4'); select routing.run_jobs(); table t.w;
insert into routing.lane (node, zone, service, transit_days) values ('SAT', 'MW', 'ground', 3); select routing.run_jobs(); table t.s;

-- what is in a queue is found there: a substitute that there is now, then one that is restricted no more
call t.reset(); call t.stock('B', 'SAT', 50);
insert into routing.restriction (restriction, item, country) values ('no-b', 'B', 'US');
update routing.customer set substitutes = 'allowed' where customer = 'C1';
call t.ord('S1', null, 'A 4'); call t.ord('S2', null, 'C 4'); select routing.run_jobs(); table t.w; select order_id, item, node from routing.claim;
insert into routing.item_substitute (item, substitute, needs_consent) values ('A', 'B', false); select routing.run_jobs(); table t.s; table t.w;
delete from routing.restriction; table t.c; select routing.run_jobs(); table t.s;
select * from routing.verify();

-- a kit that is made of something else now: from no queue, and from that of a component that it had
call t.reset(); delete from routing.item_substitute; call t.stock('A', 'SAT', 50); call t.stock('B', 'SAT', 50);
insert into routing.item (item) values ('KIT'); insert into routing.item_component (item, component, quantity) values ('KIT', 'A', 1), ('KIT', 'C', 1);
call t.ord('K1', null, 'KIT 2');
select item, node from routing.claim;
update routing.item_component set component = 'B' where component = 'C';
select routing.run_jobs(); table t.s; select item, node from routing.claim;
select * from routing.verify();
