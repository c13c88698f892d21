-- who waits for an item is woken by what may stand in for it
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
create view t.q as select order_id as "order", line_no as line, item, node, rank, quantity from routing.claim order by item, node, rank, claimed_at;
create view t.k as select order_id as "order", item, for_item as "for", quantity, node, t.rel(deliver_on) as arrives, basis from routing.reservation where "to" is null order by tenant_id, order_id, line_no, item, node, part;
create view t.v as select what, item, order_id, line_no, expected, found from routing.verify();
create view t.p as select key, reason from routing.pending where binding = '' order by key;
\set ECHO all
insert into routing.item_substitute (item, substitute, ratio, penalty, needs_consent) values ('A', 'B', 2, 1.5, true), ('A', 'C', 1, 0.5, false);
-- 4 wait for 3 A each: never, with what needs no consent, with all, and what the customer says
update routing.customer set substitutes = 'allowed' where customer = 'GOLD';
call t.ord('N', 4, 'A 3'); call t.ord('W', 4, 'A 3'); call t.ord('X', 4, 'A 3'); call t.ord('G', 4, 'A 3', customer => 'GOLD');
update routing.sales_order_line set substitutes = case order_id when 'N' then 'never' when 'W' then 'allowed' when 'X' then 'consented' end where order_id <> 'G';
table t.q;
-- 4 B: 2 A of X
call t.stock('B', 'DAL', 4); table t.k; table t.q; table t.v;
-- 5 C: 3 of G, who comes first, 2 of W, and none is left for X
call t.stock('C', 'CHI', 5); table t.k; table t.q; table t.v;
-- who waits for the substitute itself comes before those for whom it stands in: 2 C of Y, then 1 of W
call t.ord('Y', 4, 'C 2'); call t.stock('C', 'DAL', 3); table t.k; table t.q; table t.v;
-- what is given back is there, too: X, who still lacks 1 A, gets one of the 3 C of G; 2 are left
select routing.cancel_order('G'); table t.k; table t.q; table t.v;
-- one that is not valid any more wakes nobody; when it is valid again, run_jobs() looks who could be served now; N takes none
call t.ord('Z', 4, 'A 5', customer => 'GOLD'); table t.q;
update routing.item_substitute set valid_to = t.day(-1) where substitute = 'C'; call t.stock('C', 'NYC', 9); table t.q; select t.atp('C', 'NYC', 1) as "9";
update routing.item_substitute set valid_to = 'infinity' where substitute = 'C'; select routing.run_jobs() >= 0 as ran; table t.q; select t.atp('C', 'NYC', 1) as "6"; table t.v;
-- beyond what a settlement may route it is for the jobs
call t.reset(); set routing.settle_reroute_limit = 0;
call t.ord('J1', 4, 'A 2', customer => 'GOLD'); call t.ord('J2', 4, 'A 2'); update routing.sales_order_line set substitutes = 'consented';
call t.stock('B', 'CHI', 6); table t.p; select routing.run_jobs() >= 0 as ran; table t.k; table t.q; table t.v;
reset routing.settle_reroute_limit;
-- who rests on late inbound is woken, too
call t.reset(); call t.stock('A', 'CHI', 10, 20); call t.ord('L1', 4, 'A 3'); call t.ord('L2', 4, 'A 3'); update routing.sales_order_line set substitutes = 'consented' where order_id = 'L2';
table t.k; call t.stock('B', 'CHI', 9); table t.k; table t.v;
