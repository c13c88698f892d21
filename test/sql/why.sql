-- questions: every node scored, the options of an order, why not another node, the same decision again
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
\set ECHO all
-- days relative to today
create function t.doc(want int, lines jsonb) returns jsonb language sql stable
	return jsonb_strip_nulls(jsonb_build_object('customer', 'C1', 'requested_on', t.day(want)::text,
		'ship_to', '{"country": "US", "postal_code": "60614"}'::jsonb, 'lines', lines));
create function t.days(line text) returns text language plpgsql stable as $$
begin
	for d in -2 .. 30 loop
		line := replace(line, to_char(t.day(d), 'YYYY-MM-DD'), 'day ' || d);
	end loop;
	return line;
end
$$;
create function t.why(id text, node text)
	returns table (what text, line int, item text, seen text, needed text, change text, wins boolean, known text)
	language sql stable as $$
	select what, line_no, item, t.days(seen), t.days(needed), t.days(change), wins, known from routing.why_not(id, node)
$$;
call t.stock('A', 'CHI', 8); call t.stock('A', 'DAL', 40); call t.stock('B', 'CHI', 22);
call t.stock('C', 'DAL', 6); call t.stock('C', 'CHI', 7, 9);
-- every node scored: one shipment from it; CHI has enough of C on day 9 only, 7 days late at 2 lines x 2.50
select node, rank, feasible, t.days(reason) as reason, service, quantity, handling, freight, lateness, backorder, total, t.rel(deliver_on) as arrives
from routing.score_nodes(t.doc(3, '[{"item": "A", "quantity": "5"}, {"item": "C", "quantity": "5"}]'));
-- a service that is dearer but faster when it must be today
select node, service, freight, lateness, total, t.rel(deliver_on) as arrives
from routing.score_nodes(t.doc(0, '[{"item": "A", "quantity": "5"}]'));
-- the options: A 5 and C 8, of which 6 are at DAL and the rest comes to CHI
select option, shipments, t.days(plan) as plan, t.rel(first_on) as first, t.rel(complete_on) as complete_on, complete, quantity, unserved, spend, cost
from routing.promise_options(t.doc(3, '[{"item": "B", "quantity": "5"}, {"item": "C", "quantity": "8"}]'));
-- the same for everything: one row
select option, shipments, spend, cost from routing.promise_options(t.doc(3, '[{"item": "B", "quantity": "5"}]'));
-- nothing anywhere
select option, shipments, complete, quantity, unserved from routing.promise_options(t.doc(3, '[{"item": "D", "quantity": "5"}]'));
-- neither wrote anything
select count(*) from routing.decision;
-- why not: 4 more of A at CHI would do; DAL is chosen
call t.ord('NEAR', 3, 'A 12');
select * from t.why('NEAR', 'CHI');
select * from t.why('NEAR', 'DAL');
select * from t.why('NEAR', 'NYC');
select * from t.why('NEAR', 'SAT');
-- feasible but dearer: how much each term would have to give
call t.ord('DEAR', 3, 'A 4');
select * from t.why('DEAR', 'DAL');
-- the date: C is at CHI on day 9, so an order for day 10 goes from there
call t.ord('DATE', 5, 'C 6');
select * from t.why('DATE', 'CHI');
-- every node of the decision
select node, rank, outcome, t.days(reason) as reason, service, bound, freight, total, margin, known from routing.explain_rows('NEAR');
select node, rank, outcome, t.days(reason) as reason, service, bound, freight, total, margin, known from routing.explain_rows('DEAR');
-- again, after the network, the policy and the stock have changed
update routing.node set handling_cost = 50 where node = 'DAL';
delete from routing.lane where node = 'CHI';
insert into routing.policy (policy, version, state, definition) values ('standard', 1, 'active', '{"split_penalty": 0}');
update routing.supply set quantity = quantity + 100;
select line_no, item, node, service, quantity, t.rel(needed_on) as needed, t.rel(ship_on) as ship, t.rel(deliver_on) as arrives, shipment_no, same
from routing.sales_order o, routing.replay(o.decision_id) where order_id in ('NEAR', 'DEAR') order by order_id;
select count(*), bool_and(routing.record_same(record)) from routing.decision;
-- a record that is not one
select t.try($$select routing.record_same('\x02')$$);
select t.try($$select routing.record_same('\x01024444')$$);
select t.try(format('select routing.record_same(%L)', substr(record, 1, length(record) - 3))) from routing.decision order by decision_id limit 1;
select t.try('select * from routing.replay(0)');
select t.try($$select * from routing.why_not('nobody', 'CHI')$$);
select t.try($$select * from routing.why_not('DEAR', 'NOWHERE')$$);
select t.try($$select * from routing.score_nodes('{"customer": "C1"}')$$);
select * from routing.verify();
