-- nodes scored and alternatives offered where substitutes may be delivered
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
create function t.doc(want int, lines jsonb, more jsonb default '{}') returns jsonb language sql stable return jsonb_build_object('customer', 'C1', 'requested_on', t.day(want),
	'ship_to', '{"country": "US", "postal_code": "60614"}'::jsonb, 'lines', lines) || more;
create function t.day_text(x text) returns text language sql stable
	return (select string_agg(case when w ~ '^\d{4}-' then t.rel(left(w, 10)::date) || substr(w, 11) else w end, ' ' order by n) from string_to_table(x, ' ') with ordinality u(w, n));
\set ECHO all
insert into routing.item_substitute (item, substitute, ratio, penalty, needs_consent) values ('A', 'B', 2, 1.5, true);
call t.stock('A', 'CHI', 3); call t.stock('A', 'CHI', 10, 20); call t.stock('B', 'CHI', 10); call t.stock('A', 'DAL', 4); call t.stock('B', 'NYC', 12);
-- without consent: 2 of 5 A come late from CHI, as on day 21
select node, rank, feasible, t.day_text(reason) as reason, quantity, custom, substitution, total, substitutes from routing.score_nodes(t.doc(3, '[{"item": "A", "quantity": 5}]'));
-- with: at CHI 2 A are 4 B for 1.5 each, at DAL there is none, at NYC all 5 are 10 B
select node, rank, feasible, t.day_text(reason) as reason, quantity, custom, substitution, total, substitutes from routing.score_nodes(t.doc(3, '[{"item": "A", "quantity": 5, "substitutes": "consented"}]'));
-- where the line says nothing, the customer is asked
update routing.customer set substitutes = 'consented' where customer = 'C1';
select node, feasible, substitutes from routing.score_nodes(t.doc(3, '[{"item": "A", "quantity": 5}]'));
select node, feasible, substitutes from routing.score_nodes(t.doc(3, '[{"item": "A", "quantity": 5, "substitutes": "never"}]'));
-- B is wanted, too: what is left of it stands in
select node, feasible, quantity, substitution, substitutes from routing.score_nodes(t.doc(3, '[{"item": "A", "quantity": 5}, {"item": "B", "quantity": 8}]'));
-- the plan of a stored order is that of "as ordered", and of the node scored best
select option, shipments, t.day_text(plan) as plan, complete, quantity, unserved, spend, cost, substitutes from routing.promise_options(t.doc(3, '[{"item": "A", "quantity": 5}]'));
select option, shipments, t.day_text(plan) as plan, complete, quantity, unserved, spend, cost, substitutes from routing.promise_options(t.doc(3, '[{"item": "A", "quantity": 5, "substitutes": "never"}]'));
call t.ord('S1', 3, 'A 5'); select cost from routing.decision; select item, node, quantity from t.r;
delete from routing.sales_order_line; delete from routing.sales_order;
-- 14 A: 3 and 5 by 10 B at CHI, 6 by 12 B at NYC; or all from CHI on day 21, of which there are 13
select option, shipments, t.day_text(plan) as plan, complete, quantity, unserved, spend, cost, substitutes from routing.promise_options(t.doc(3, '[{"item": "A", "quantity": 14}]'));
call t.ord('S2', 3, 'A 14'); select cost from routing.decision d join routing.sales_order using (decision_id); select item, node, quantity from t.r;
select * from routing.verify();
