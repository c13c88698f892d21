-- orders as they come, change and go, by plain SQL
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
\set ECHO all
call t.stock('A', 'CHI', 20); call t.stock('A', 'DAL', 10); call t.stock('B', 'CHI', 20); call t.stock('C', 'CHI', 20);

-- header and lines in one transaction are routed at its commit, not before
begin;
insert into routing.sales_order (order_id, customer, country, postal_code, requested_on) values ('R1', 'C1', 'US', '60614', t.day(4));
insert into routing.sales_order_line (order_id, line_no, item, quantity) values ('R1', 1, 'A', 3), ('R1', 2, 'B', 1);
select order_id, status from t.o; select count(*) from t.r; select t.atp('A', 'CHI', 0) as "20";
commit;
table t.l; select t.atp('A', 'CHI', 0) as "17";
-- the header first and the lines in a later transaction
insert into routing.sales_order (order_id, customer, country, postal_code, requested_on) values ('R2', 'C1', 'US', '60614', t.day(4));
select order_id, status, decision_id is null as undecided from routing.sales_order where order_id = 'R2';
select * from routing.verify();
insert into routing.sales_order_line (order_id, line_no, item, quantity) values ('R2', 1, 'A', 2);
select * from t.l where "order" = 'R2';
insert into routing.sales_order_line (order_id, line_no, item, quantity) values ('R2', 2, 'B', 2);
-- the lines first
begin;
insert into routing.sales_order_line (order_id, line_no, item, quantity) values ('R3', 1, 'A', 1);
insert into routing.sales_order (order_id, customer, country, postal_code, requested_on) values ('R3', 'C1', 'US', '60614', t.day(4));
commit;
-- one statement
with o as (
	insert into routing.sales_order (order_id, customer, country, postal_code, requested_on)
	values ('R4', 'C1', 'US', '60614', t.day(4)) returning order_id)
insert into routing.sales_order_line (order_id, line_no, item, quantity) select order_id, 1, 'A', 1 from o;
-- several orders in one transaction, and by COPY
begin;
call t.ord('R5', 4, 'A 1'); call t.ord('R6', 4, 'A 1');
commit;
begin;
copy routing.sales_order (order_id, customer, country, postal_code) from stdin (format csv);
R7,C1,US,60614
R8,C1,US,60614
\.
copy routing.sales_order_line (order_id, line_no, item, quantity) from stdin (format csv);
R7,1,A,1
R8,1,A,1
R7,2,C,1
\.
commit;
-- many orders in one statement, wanting more than there is: the first ones get it
with o as (
	insert into routing.sales_order (order_id, customer, country, postal_code)
	select 'X' || n, 'C1', 'US', '60614' from generate_series(1, 5) n returning order_id)
insert into routing.sales_order_line (order_id, line_no, item, quantity) select order_id, 1, 'B', 5 from o;
-- on conflict
insert into routing.sales_order (order_id, customer, country, postal_code) values ('R8', 'GOLD', 'US', '60614')
on conflict do nothing;
insert into routing.sales_order_line (order_id, line_no, item, quantity) values ('R8', 1, 'A', 2), ('R8', 2, 'C', 1)
on conflict (tenant_id, order_id, line_no) do update set quantity = excluded.quantity;
table t.l; table t.o; select * from routing.verify();
select * from routing.availability order by item, node;
-- supply is there before the order of the same transaction
begin;
call t.ord('R9', 4, 'D 3'); call t.stock('D', 'CHI', 3);
commit;
select * from t.l where "order" = 'R9';
call t.reset();

-- more: what is booked stays, the difference is planned
call t.stock('A', 'CHI', 10); call t.stock('A', 'DAL', 30); call t.stock('B', 'CHI', 9);
call t.ord('Q1', 4, 'A 10'); call t.ord('Q2', 4, 'B 4');
select line_no, part, quantity, node, decision_id, "from" into temp before from routing.reservation where order_id = 'Q1';
update routing.sales_order_line set quantity = 14 where order_id = 'Q1';
select * from t.r; select * from t.l; select * from routing.verify();
select count(*) as kept from before b join routing.reservation r using (line_no, part, quantity, node, decision_id, "from")
where r.order_id = 'Q1' and r.state = 'firm';
-- less: the rest stays, the last made goes first
update routing.sales_order_line set quantity = 12 where order_id = 'Q1';
select * from t.r where "order" = 'Q1';
update routing.sales_order_line set quantity = 7 where order_id = 'Q1';
select * from t.r where "order" = 'Q1'; select * from t.l where "order" = 'Q1';
select t.atp('A', 'CHI', 0) as "3", t.atp('A', 'DAL', 0) as "30"; select * from routing.verify();
-- up and down in one transaction is nothing
select max(decision_id) as last from routing.decision \gset
begin;
update routing.sales_order_line set quantity = 9 where order_id = 'Q1';
update routing.sales_order_line set quantity = 7 where order_id = 'Q1';
commit;
update routing.sales_order_line set quantity = 7.000 where order_id = 'Q1';
update routing.sales_order_line set price = 3.5 where order_id = 'Q1';
select count(*) as decisions from routing.decision where decision_id > :last;
-- another day, another place, another node, another item: planned anew
update routing.sales_order set requested_on = t.day(8) where order_id = 'Q1';
select * from t.r where "order" = 'Q1';
update routing.sales_order_line set requested_on = t.day(6) where order_id = 'Q1';
select * from t.r where "order" = 'Q1';
update routing.sales_order_line set node = 'DAL' where order_id = 'Q1';
select * from t.r where "order" = 'Q1';
update routing.sales_order_line set item = 'B', quantity = 5, node = null where order_id = 'Q1';
select * from t.r where "order" = 'Q1'; select t.atp('A', 'DAL', 0) as "30", t.atp('B', 'CHI', 0) as "0";
update routing.sales_order set postal_code = '70001' where order_id = 'Q1';
select * from t.l where "order" = 'Q1'; select t.atp('B', 'CHI', 0) as "5";
-- the first promise is kept beside the current one
select line_no, t.rel(first_promised_on), t.rel(promised_on) from routing.sales_order_line where order_id = 'Q1';
select * from routing.verify();
-- a line more, a line gone
insert into routing.sales_order_line (order_id, line_no, item, quantity) values ('Q2', 2, 'A', 1);
select * from t.r where "order" = 'Q2';
delete from routing.sales_order_line where order_id = 'Q2' and line_no = 1;
select * from t.r where "order" = 'Q2'; select t.atp('B', 'CHI', 0) as "9";
-- all lines deleted and inserted again, under other numbers too, in one transaction
begin;
delete from routing.sales_order_line where order_id = 'Q2';
insert into routing.sales_order_line (order_id, line_no, item, quantity) values ('Q2', 2, 'A', 1), ('Q2', 7, 'B', 2);
commit;
select * from t.r where "order" = 'Q2'; select * from t.l where "order" = 'Q2'; select * from routing.verify();
-- one line cancelled
update routing.sales_order_line set status = 'cancelled' where order_id = 'Q2' and line_no = 2;
select * from t.r where "order" = 'Q2'; select * from t.l where "order" = 'Q2'; select * from t.o where order_id = 'Q2';
-- the number of an order, of a line
update routing.sales_order_line set line_no = 8 where order_id = 'Q2' and line_no = 7;
select * from t.r where "order" = 'Q2';
begin;
update routing.sales_order set order_id = 'Q3' where order_id = 'Q2';
update routing.sales_order_line set order_id = 'Q3' where order_id = 'Q2';
commit;
select * from t.r; select * from t.l; select t.atp('B', 'CHI', 0) as "7"; select * from routing.verify();
-- all lines gone; and the order with them
call t.ord('Q4', 4, 'A 5');
delete from routing.sales_order_line where order_id = 'Q4';
select * from t.o where order_id = 'Q4'; select count(*) from t.r where "order" = 'Q4';
select * from routing.verify();
-- gone and here again, in one transaction and in two: a new order under an old number
call t.ord('Q5', 4, 'A 5, B 2'); call t.ord('Q6', 4, 'C 5');
begin;
delete from routing.sales_order_line where order_id in ('Q5', 'Q6'); delete from routing.sales_order where order_id in ('Q5', 'Q6');
call t.ord('Q5', 4, 'A 4, B 2'); call t.ord('Q6', 4, 'C 4');
commit;
select * from t.r where "order" in ('Q5', 'Q6'); select * from t.o where order_id in ('Q5', 'Q6');
begin;
delete from routing.sales_order_line where order_id in ('Q5', 'Q6'); delete from routing.sales_order where order_id in ('Q5', 'Q6');
commit;
select t.atp('A', 'CHI', 0) as "10";
call t.ord('Q5', 4, 'A 3'); call t.ord('Q6', 4, 'C 3');
select * from t.r where "order" in ('Q5', 'Q6'); select * from t.o where order_id in ('Q5', 'Q6');
select aggregateid, count(*) = max(aggregateversion) and min(aggregateversion) = 1 and count(distinct aggregateversion) = count(*) as gap_free
from routing.event where aggregateid in ('Q5', 'Q6') group by 1 order by 1;
-- the same for a line
delete from routing.sales_order_line where order_id = 'Q5';
insert into routing.sales_order_line (order_id, line_no, item, quantity) values ('Q5', 1, 'A', 6);
select * from t.r where "order" = 'Q5'; select * from routing.verify();
begin;
delete from routing.sales_order where order_id in ('Q5', 'Q6');
delete from routing.sales_order_line where order_id in ('Q5', 'Q6');
commit;
begin;
delete from routing.sales_order where order_id in ('Q3', 'Q4');
delete from routing.sales_order_line where order_id in ('Q3', 'Q4');
commit;
table t.r; table t.o; select t.atp('A', 'CHI', 0) as "10", t.atp('B', 'CHI', 0) as "9"; select * from routing.verify();
call t.reset();

-- cancel: by status and by call; the stock is there again
call t.stock('A', 'CHI', 10);
call t.ord('C1', 4, 'A 4'); call t.ord('C2', 4, 'A 4');
update routing.sales_order set status = 'cancelled' where order_id = 'C1';
select * from t.l; select * from t.o; select t.atp('A', 'CHI', 0) as "6";
select routing.cancel_order('C2'), routing.cancel_order('C2', 'again'), routing.cancel_order('C1');
select * from t.o; select * from t.l; select t.atp('A', 'CHI', 0) as "10"; select * from t.r;
select order_id, state, "to" is not null as ended, quantity from routing.reservation where order_id in ('C1', 'C2') order by 1;
-- who wants units that a cancellation of the same transaction gives back gets them
call t.ord('C3', 4, 'A 10');
begin;
select routing.cancel_order('C3', 'fraud');
call t.ord('C4', 4, 'A 10');
commit;
select * from t.o where order_id > 'C2'; select * from t.r;
begin;
update routing.sales_order set status = 'cancelled' where order_id = 'C4';
call t.ord('C5', 4, 'A 9');
commit;
select * from t.r; select * from routing.verify();
-- cancelled in the transaction that enters it; cancelled and deleted
begin;
call t.ord('C6', 4, 'A 1');
update routing.sales_order set status = 'cancelled' where order_id = 'C6';
commit;
select * from t.o where order_id = 'C6'; select * from t.r;
begin;
call t.ord('C7', 4, 'A 1');
delete from routing.sales_order_line where order_id = 'C7'; delete from routing.sales_order where order_id = 'C7';
commit;
delete from routing.sales_order_line where order_id = 'C4'; delete from routing.sales_order where order_id = 'C4';
-- a cancelled order is not routed again, a changed one stays cancelled
select t.try($$select routing.route_order('C2')$$);
update routing.sales_order_line set quantity = 1 where order_id = 'C2';
update routing.sales_order set requested_on = t.day(9) where order_id = 'C2';
select * from t.l where "order" = 'C2'; select * from t.r; select * from routing.verify();
call t.reset();

-- route_order: nothing happens if nothing changed
call t.stock('A', 'CHI', 5);
call t.ord('O1', 4, 'A 3'); call t.ord('O2', 4, 'A 3');
select max(decision_id) as last, (select count(*) from routing.event) as events from routing.decision \gset
select line_no, item, node, service, quantity, t.rel(ship_on) as ship, t.rel(deliver_on) as deliver, status, shipment_no from routing.route_order('O1');
select line_no, item, node, service, quantity, t.rel(ship_on) as ship, t.rel(deliver_on) as deliver, status, shipment_no from routing.route_order('O2');
select count(*) as decisions from routing.decision where decision_id > :last;
select count(*) - :events as events from routing.event;
-- more supply serves who waits, and what it had stays; routed again nothing changes
call t.stock('A', 'DAL', 5);
select * from t.l where "order" = 'O2';
select line_no, item, node, quantity, status from routing.route_order('O2');
select * from t.l where "order" = 'O2'; select * from t.r where "order" = 'O2';
-- in the transaction that inserts the order
begin;
call t.ord('O3', 4, 'A 1');
select line_no, item, node, quantity, status from routing.route_order('O3');
commit;
select count(*) from routing.decision where order_id = 'O3'; select * from t.r where "order" = 'O3';
select t.try($$select routing.route_order('nobody')$$);
select t.try($$select routing.route_order(null)$$);
select t.try($$select routing.cancel_order('nobody')$$);
select t.try($$select routing.cancel_order(null)$$);
select * from routing.verify();
call t.reset();

-- roll back: all of it, or to a savepoint
call t.stock('A', 'CHI', 10);
begin; call t.ord('B1', 4, 'A 6'); rollback;
begin;
call t.ord('B2', 4, 'A 1');
savepoint s1;
call t.ord('B3', 4, 'A 6');
update routing.sales_order_line set quantity = 5 where order_id = 'B2';
savepoint s2;
call t.ord('B4', 4, 'A 1');
release s2;
rollback to s1;
call t.ord('B5', 4, 'A 2');
savepoint s3;
select count(*) from routing.route_order('B5');
rollback to s3;
commit;
table t.l; select t.atp('A', 'CHI', 0) as "7";
begin;
select routing.cancel_order('B2');
savepoint s;
select routing.cancel_order('B5');
rollback to s;
commit;
begin;
savepoint s;
call t.ord('B6', 4, 'A 1');
rollback to s;
call t.ord('B7', 4, 'A 1');
commit;
begin;
call t.ord('B8', 4, 'A 1');
savepoint s;
delete from routing.supply;
rollback to s;
commit;
table t.l; select t.atp('A', 'CHI', 0) as "6"; select * from routing.verify();
-- SET CONSTRAINTS fires us in mid-transaction: nothing is routed before the commit
begin;
insert into routing.sales_order (order_id, customer, country, postal_code) values ('B9', 'C1', 'US', '60614');
insert into routing.sales_order_line (order_id, line_no, item, quantity) values ('B9', 1, 'A', 2);
set constraints all immediate;
insert into routing.sales_order_line (order_id, line_no, item, quantity) values ('B9', 2, 'A', 3);
select count(*) from t.r where "order" = 'B9';
commit;
select * from t.r where "order" = 'B9'; select count(*) from routing.decision where order_id = 'B9';
-- a commit inside a procedure
create procedure t.two() language plpgsql as $$
begin
	call t.ord('BA', 4, 'A 1'); commit;
	call t.ord('BB', 4, 'A 9'); commit;
	call t.ord('BC', 4, 'A 9'); rollback;
end
$$;
call t.two();
select * from t.l where "order" between 'BA' and 'BZ'; select * from routing.verify();

-- two phases
call t.stock('A', 'DAL', 1);
begin; call t.ord('BD', 4, 'A 1');
prepare transaction 'routing_test';
select count(*) from t.l where "order" = 'BD';
commit prepared 'routing_test';
select * from t.l where "order" = 'BD';

-- truncate
truncate routing.sales_order, routing.sales_order_line;
table t.r; select t.atp('A', 'CHI', 0) as "10"; select * from routing.verify();
call t.ord('D1', 4, 'A 3');
begin; truncate routing.sales_order, routing.sales_order_line; rollback;
select * from t.r;
begin;
truncate routing.sales_order, routing.sales_order_line;
call t.ord('D2', 4, 'A 10');
commit;
select * from t.r; select * from routing.verify();

-- a line that comes to an order that was entered as cancelled; an order cancelled for nothing else
insert into routing.sales_order (order_id, customer, country, postal_code, status) values ('D3', 'C1', 'US', '60614', 'cancelled');
insert into routing.sales_order_line (order_id, line_no, item, quantity) values ('D3', 1, 'A', 1);
update routing.sales_order_line set status = 'received' where order_id = 'D3';
update routing.sales_order set status = 'received' where order_id = 'D3';
select "order", status from t.l where "order" = 'D3'; select order_id, status from t.o where order_id = 'D3';
-- a status is the engine's to set
update routing.sales_order set status = 'backordered' where order_id = 'D2';
update routing.sales_order_line set status = 'scheduled' where order_id = 'D2';
select * from t.l where "order" = 'D2'; select * from t.o where order_id = 'D2'; select * from routing.verify();

-- a row that was routed elsewhere, as a restore brings it, is left alone
insert into routing.sales_order (order_id, customer, country, postal_code, status, decision_id) values ('E1', 'C1', 'US', '60614', 'backordered', 1);
insert into routing.sales_order_line (order_id, line_no, item, quantity, status) values ('E1', 1, 'A', 1, 'backordered');
select * from t.l where "order" = 'E1';
select count(*) from routing.event where aggregateid = 'E1';
select * from routing.verify();
