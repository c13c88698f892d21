-- what leaves on a transfer and the fall of stock that a feed tells, whichever is heard first
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
create view t.b as
	select substr(order_id, 8) as ref, quantity, node, state, "to" is null as open
	from routing.reservation where order_id like 'demand:%' and ("to" is null or state in ('shipped', 'cancelled'))
	order by 1, state, quantity, part;
create view t.w as
	select item, node, trim_scale(coalesce(sum(q) filter (where q > 0), 0) / 10000) as fallen,
		   trim_scale(coalesce(sum(-q) filter (where q < 0), 0) / 10000) as expected
	from routing.position, unnest(falls) with ordinality u(q, k) where k % 2 = 0 group by 1, 2 order by 1, 2;
update routing.setting set issue_grace = '30 minutes';
\set ECHO all

-- the shipment first: 5 of 6 have left, stock is 10 in the books until the feed tells; 4 are free all the while
call t.stock('A', 'CHI', 10);
select routing.put_transfer('T1', 'A', 'CHI', 'DAL', 6, t.day(1), t.day(3));
select t.atp('A', 'CHI', 0) as "4";
select routing.confirm_transfer_shipped('T1', 5, 's1') as "1";
table t.b; table t.w; select t.atp('A', 'CHI', 0) as "4", t.atp('A', 'DAL', 3) as "6"; select * from routing.verify();
-- another order cannot have what has left
call t.ord('O1', 3, 'A 6 CHI'); select status, reason from t.l;
-- the fall comes in two parts; nobody is at risk
update routing.supply set quantity = 8 where node = 'CHI'; table t.b; table t.w; select * from routing.verify();
update routing.supply set quantity = 5 where node = 'CHI'; table t.b; table t.w; select t.atp('A', 'CHI', 0) as "0";
select item, state, quantity from t.r; select * from routing.verify();
-- the rest leaves, all arrives: the transfer is forgotten, what has left still counts until it falls
select routing.confirm_transfer_shipped('T1', 1, 's2') as "0", routing.receive('T1', 6, 'g1') as "6";
select count(*) as "0" from routing.demand; table t.b; table t.w; select * from routing.verify();
update routing.supply set quantity = 4 where node = 'CHI'; table t.b; table t.w; select t.atp('A', 'CHI', 0) as "0"; select * from routing.verify();
call t.reset();

-- the fall first: 6 of 10 leave, what it leaves uncovered is at risk; the shipment tells why
call t.stock('B', 'CHI', 10);
select routing.put_transfer('T2', 'B', 'CHI', 'DAL', 6, t.day(1), t.day(3));
update routing.supply set quantity = 4 where node = 'CHI'; table t.b; table t.w;
select routing.confirm_transfer_shipped('T2', 6, 's3') as "0"; table t.b; table t.w; select t.atp('B', 'CHI', 0) as "4"; table t.x; select * from routing.verify();
select routing.receive('T2', 6, 'g2') as "6";
-- both in one transaction
select routing.put_transfer('T3', 'B', 'CHI', 'DAL', 3, t.day(1), t.day(3));
begin; select routing.confirm_transfer_shipped('T3', 3, 's4') as "0"; update routing.supply set quantity = 1 where node = 'CHI' and item = 'B'; commit;
table t.b; table t.w; select t.atp('B', 'CHI', 0) as "1"; select * from routing.verify();
-- the feed never tells: an exception, and it counts on
update routing.setting set issue_grace = '0';
select routing.put_transfer('T4', 'B', 'CHI', 'DAL', 1, t.day(1), t.day(3));
select routing.confirm_transfer_shipped('T4', 1, 's5') as "0"; select routing.run_jobs();
table t.w; table t.x; select t.atp('B', 'CHI', 0) as "0"; select * from routing.verify();
-- emptied: what is under way is written off, what has left goes on waiting for its fall
select node, ref, quantity from routing.supply where kind = 'transfer';
truncate routing.demand; select node, ref, quantity from routing.supply where kind = 'transfer'; select t.atp('B', 'DAL', 3) as "6"; select * from t.b where open; select * from routing.verify();
update routing.supply set quantity = 0 where node = 'CHI' and item = 'B'; select * from t.b where open; table t.x; select * from routing.verify();
