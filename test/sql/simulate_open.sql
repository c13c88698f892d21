-- open shipments in a simulation: its own, and those of its first instant
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\set past :abs_srcdir '/sql/past.psql'
\i :common
\i :past
\set ECHO all
create function t.sim(version int, start text) returns table (ord text, changed boolean, problem text, recorded numeric, simulated numeric, nodes text) language sql stable as $$
	select order_id, changed, problem, recorded_cost, simulated_cost, format('%s > %s', recorded_nodes, simulated_nodes)
	from routing.simulate('standard', version, t.at(start), clock_timestamp()) order by order_id $$;
insert into routing.policy (policy, version, state, definition) values ('standard', 1, 'active', '{"consolidate": true}'), ('standard', 2, 'draft', '{}');
call t.stock('A', 'CHI', 1000); call t.stock('A', 'DAL', 1000);
call t.mark('first');
-- a shipment of its own is 2 + 9 + 5 x 0.2, one that is joined 2 + 5 x 0.2
call t.ord('S1', 3, 'A 5');
call t.mark('second');
call t.ord('S2', 3, 'A 5');
call t.mark('third');
call t.ord('S3', 3, 'A 5', postal => '60615'); call t.ord('S4', 3, 'A 5', 'GOLD');
select order_id, cost from routing.decision order by decision_id;
-- as it was: from the start, and from where the shipment was open already
select * from t.sim(1, 'first');
select * from t.sim(1, 'second');
select * from t.sim(1, 'third');
-- without consolidating
select * from t.sim(2, 'first');
-- a node of its own is joined where it is cheaper than another alone: DAL 2 + 5 x 0.3 instead of 2 + 9 + 5 x 0.2
call t.mark('dal');
call t.ord('D1', 6, 'A 5 DAL', postal => '60616'); call t.ord('D2', 6, 'A 5', postal => '60616');
select * from t.sim(1, 'dal');
select * from t.sim(2, 'dal');
-- who is cancelled takes its shipment along
call t.mark('gone');
call t.ord('G1', 6, 'A 5', postal => '60617'); select routing.cancel_order('G1'); call t.ord('G2', 6, 'A 5', postal => '60617'); call t.ord('G3', 6, 'A 5', postal => '60617');
select * from t.sim(1, 'gone');
-- as it would have been from the first
update routing.policy set state = 'retired' where version = 1; update routing.policy set state = 'active' where version = 2;
call t.mark('never');
call t.ord('N1', 9, 'A 5'); call t.ord('N2', 9, 'A 5');
select * from t.sim(1, 'never');
