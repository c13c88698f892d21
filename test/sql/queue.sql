-- who waits keeps his place, and gets what comes
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
-- claims by age; verify() compares them with the positions too
create view t.q as
	select order_id as "order", line_no as line, item, node, rank, quantity, t.rel(wanted_on) as wanted from routing.claim
	order by item, node, rank, claimed_at;
create view t.bad as
	select coalesce(c.item, p.item) as item, coalesce(c.node, p.node) as node, c.q, p.q as held
	from (select item, node, array_agg(x order by rank, n) as q
		  from (select item, node, rank, (sum(quantity) * 10000)::bigint as total from routing.claim group by 1, 2, 3) r,
			   unnest(array[rank, total]) with ordinality u(x, n)
		  group by 1, 2) c
	full join (select item, node,
					  (select array_agg(x.v order by rank, x.n)
					   from (select g.claims[i] as rank, g.claims[i:i + 1] as pair
							 from generate_series(1, cardinality(g.claims), 2) i) y,
							unnest(y.pair) with ordinality x(v, n)) as q
			   from routing.position g where claims is not null) p using (item, node)
	where c.q is distinct from p.q;
create view t.p as select key, reason from routing.pending where binding = '' order by key;
create procedure t.again() language plpgsql as $$
begin
	call t.reset(); commit;
	delete from routing.exception; delete from routing.event; delete from routing.pending;
end
$$;
\set ECHO all

-- 80 wait at rank 1, 100 come, an order of rank 9 for 50 gets 20, even while nobody has served the 80
set routing.settle_reroute_limit = 0;
call t.ord('G', 4, 'A 80', customer => 'GOLD');
table t.q; table t.bad;
call t.stock('A', 'CHI', 100);
table t.p; select t.atp('A', 'CHI', 0) as "20";
call t.ord('L', 4, 'A 50', customer => 'LAST');
select * from t.l; table t.q; table t.bad; select * from routing.verify();
-- one of the same rank who comes later comes later; one of a better rank goes before
call t.ord('G2', 4, 'A 1', customer => 'GOLD');
select * from t.l where "order" = 'G2';
-- the jobs serve the queue in its order
select routing.run_jobs();
select * from t.l; table t.q; table t.p; table t.bad; select * from routing.verify();
call t.again();
select count(*) as claims from routing.claim; table t.bad;

-- better supply serves the queue in its order: rank, then age, who is served in part keeps his place
reset routing.settle_reroute_limit;
call t.ord('R1', 4, 'A 4'); call t.ord('R2', 4, 'A 4'); call t.ord('R3', 4, 'A 4', customer => 'GOLD');
table t.q;
call t.stock('A', 'CHI', 6);
select "order", quantity, node, state from t.r; table t.q; table t.bad; table t.p;
call t.stock('A', 'CHI', 5, null, 'more');
select "order", quantity, node, state from t.r; table t.q; table t.bad; select * from routing.verify();
-- what another gives back, at any node
call t.stock('A', 'DAL', 3);
call t.ord('R4', 4, 'A 3'); call t.ord('R5', 4, 'A 2');
select * from t.l where "order" in ('R2', 'R4', 'R5'); table t.q;
select routing.cancel_order('R3');
select * from t.l where "order" in ('R2', 'R4', 'R5'); table t.q; table t.bad; select * from routing.verify();
update routing.sales_order_line set quantity = 1 where order_id = 'R1';
select * from t.l where "order" in ('R1', 'R5'); table t.q; table t.bad; select * from routing.verify();

-- a few lines at once, the others by the jobs, in the same order
call t.again();
set routing.settle_reroute_limit = 1;
call t.ord('T1', 4, 'B 2'); call t.ord('T2', 4, 'B 2'); call t.ord('T3', 4, 'B 2'); call t.ord('T4', 4, 'B 2');
call t.stock('B', 'CHI', 5);
select "order", quantity, node from t.r; table t.p;
select routing.run_jobs();
select "order", quantity, node from t.r; table t.q; table t.p; table t.bad; select * from routing.verify();
reset routing.settle_reroute_limit;

-- a claim follows its line: less, more, another priority, another item, pinned, cancelled, deleted
call t.again();
call t.stock('A', 'NYC', 1); call t.ord('U0', 4, 'A 1');
call t.ord('U1', 4, 'A 5, B 2'); call t.ord('U2', 4, 'A 5');
table t.q;
update routing.sales_order_line set quantity = 3 where order_id = 'U1' and line_no = 1;
update routing.sales_order_line set quantity = 9 where order_id = 'U2';
table t.q; table t.bad;
update routing.sales_order set priority = 2 where order_id = 'U2';
table t.q; table t.bad;
update routing.sales_order_line set item = 'C' where order_id = 'U1' and line_no = 2;
update routing.sales_order_line set node = 'DAL' where order_id = 'U1' and line_no = 1;
table t.q; table t.bad; select * from routing.verify();
update routing.sales_order_line set status = 'cancelled' where order_id = 'U1' and line_no = 2;
table t.q;
select routing.cancel_order('U2');
delete from routing.sales_order_line where order_id = 'U1'; delete from routing.sales_order where order_id = 'U1';
table t.q; table t.bad; select * from routing.verify();
-- and goes with its table
call t.ord('U3', 4, 'A 5');
begin; truncate routing.sales_order, routing.sales_order_line; commit;
table t.q; table t.bad; select * from routing.verify();

-- who rests on inbound that is later than he wants gets what comes before it
call t.again();
call t.stock('A', 'CHI', 10, 7); call t.ord('E', 3, 'A 4');
table t.r;
call t.stock('A', 'CHI', 4, 2, 'early');
table t.r; select * from t.l;
select payload ->> 'direction' as direction, payload ->> 'cause' as cause from routing.event where type = 'promise.changed.v1';
-- and is left alone by what does not help him
call t.stock('A', 'CHI', 4, 9, 'later');
select count(*) from routing.decision where order_id = 'E';
select * from routing.verify();
-- rolled back, nothing of it was there
call t.ord('E2', 3, 'A 40');
table t.q;
begin; call t.stock('A', 'CHI', 100); rollback;
begin; call t.ord('E3', 3, 'A 1'); rollback;
table t.q; table t.bad; select * from routing.verify();

-- two lines of one order that wait for one item do not stand in each other's way
call t.again();
call t.ord('W1', 3, 'A 3, A 2'); call t.ord('W2', 3, 'A 4');
call t.stock('A', 'CHI', 5);
select "order", line, quantity, status from t.l; table t.q; table t.bad; select * from routing.verify();

-- who was overlooked is found by the jobs, in the order of the queue; who cannot be served is left alone
call t.again();
call t.ord('N1', 3, 'A 4'); call t.ord('N2', 3, 'A 4', 'GOLD'); call t.ord('N3', 3, 'B 2');
set routing.settle_reroute_limit = 0; call t.stock('A', 'CHI', 5); call t.stock('B', 'SAT', 9); reset routing.settle_reroute_limit;
table t.p; delete from routing.pending;
select routing.run_jobs() as "0"; select "order", line, quantity, status, reason from t.l; table t.q; table t.bad;
select order_id, count(*) from routing.decision where order_id like 'N%' group by 1 order by 1;
select routing.run_jobs() as "0"; select order_id, count(*) from routing.decision where order_id like 'N%' group by 1 order by 1; select * from routing.verify();
