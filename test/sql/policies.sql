-- policies: what a definition may say, who may change its state, when it counts
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
set client_min_messages = warning;
do $$
declare
	r	text;
begin
	foreach r in array array['regress_routing_ann', 'regress_routing_bob', 'regress_routing_eve', 'regress_routing_team'] loop
		if exists (select from pg_roles where rolname = r) then
			execute format('drop owned by %I', r);
			execute format('drop role %I', r);
		end if;
	end loop;
end
$$;
reset client_min_messages;
create function t.put(definition text) returns text language sql as
	$$ select t.try(format('select routing.put_policy(%L, %L)', 'web', definition)) $$;
\set ECHO all

-- ---------------------------------------------------------------- what a definition may say
-- nothing, and everything: what is said comes back as it is meant
select routing.put_policy('full', '{}');
select * from routing.policy_effective('full', version => 1);
select routing.put_policy('full', '{
	"split_penalty": 1, "backorder_penalty": "999999.9999", "lateness_per_day": {"1": "20", "9": 0}, "sla_penalty": "7.5",
	"goods_weight": "0.5", "stock_balance": 3, "distance_price": "0.0001", "substitute_price": 2, "max_shipments": 3,
	"max_distance": 800, "max_late_days": 0, "margin_floor": "-0.25", "split_min_value": 50, "split_min_quantity": "2.5",
	"soft": ["max_distance", "keep"], "rest": "wait", "rest_days": 14,
	"nodes": {"list": ["DAL", "CHI"], "step": "6", "only": true},
	"keep": [{"kind": "store", "quantity": "5"}, {"node": "NYC", "quantity": 0}],
	"custom": [{"name": "co2", "function": "t.co2"}, {"name": "odd", "function": "t.co2(text,text,jsonb)", "weight": "0.1", "limit_ms": 5}],
	"retention_days": 90, "rules": []}');
select * from routing.policy_effective('full', version => 2);
-- null is the built-in value
select routing.put_policy('full', '{"goal": null, "max_distance": null, "nodes": null, "keep": null, "rest": null, "split_penalty": null, "rules": null}');
select count(*) from (select * from routing.policy_effective('full', version => 1) except select * from routing.policy_effective('full', version => 3)) x;
-- goals, and what overrides them
select g, (select string_agg(key || ' ' || value, ', ' order by key) from routing.policy_effective('goal', version =>
	routing.put_policy('goal', jsonb_build_object('goal', g, 'nodes', '{"list": ["DAL"]}'::jsonb)))
	where key in ('split_penalty', 'goods_weight', 'distance_price', 'stock_balance', 'nodes')) from
	unnest(array['lowest_cost', 'nearest_first', 'fewest_shipments', 'priority_list', 'stock_balance']) g;
select value from routing.policy_effective('goal', version => routing.put_policy('goal', '{"split_penalty": 55, "goal": "fewest_shipments"}')) where key = 'split_penalty';

-- what it may not say: the path, the value, and a hint
select t.put(null);
select t.put('[]');
select t.put('"x"');
select t.put('{"color": "red"}');
select t.put('{"split_penalti": 1}');
select t.put('{"goal": "cheap"}');
select t.put('{"goal": "priority_list"}');
select t.put('{"split_penalty": -1}');
select t.put('{"split_penalty": "x"}');
select t.put('{"split_penalty": true}');
select t.put('{"split_penalty": {"a": 1}}');
select t.put('{"split_penalty": 1000000.0001}');
select t.put('{"backorder_penalty": "1.00001"}');
select t.put('{"backorder_penalty": "NaN"}');
select t.put('{"sla_penalty": 1e300}');
select t.put('{"sla_penalty": ""}');
select t.put('{"goods_weight": -0.5}');
select t.put('{"lateness_per_day": 3}');
select t.put('{"lateness_per_day": {"0": 1}}');
select t.put('{"lateness_per_day": {"1": -1}}');
select t.put('{"max_shipments": 0}');
select t.put('{"max_shipments": 2.5}');
select t.put('{"max_distance": -1}');
select t.put('{"margin_floor": 2}');
select t.put('{"soft": "keep"}');
select t.put('{"soft": ["keep", "price"]}');
select t.put('{"soft": ["keep", "keep"]}');
select t.put('{"soft": [["keep"]]}');
select t.put('{"rest": "sell"}');
select t.put('{"rest": "wait"}');
select t.put('{"rest_days": 0}');
select t.put('{"nodes": ["CHI"]}');
select t.put('{"nodes": {"step": 1}}');
select t.put('{"nodes": {"list": []}}');
select t.put('{"nodes": {"list": ["CHI", "DAL", "CHI"]}}');
select t.put('{"nodes": {"list": ["CHI", 7]}}');
select t.put('{"nodes": {"list": ["CHI"], "step": -1}}');
select t.put('{"nodes": {"list": ["CHI"], "only": "yes"}}');
select t.put('{"nodes": {"list": ["CHI"], "olny": true}}');
select t.put('{"keep": {"node": "CHI"}}');
select t.put('{"keep": [{"quantity": 5}]}');
select t.put('{"keep": [{"kind": "store"}]}');
select t.put('{"keep": [{"kind": "store", "node": "CHI", "quantity": 5}]}');
select t.put('{"keep": [{"kind": "store", "quantity": -5}]}');
select t.put('{"keep": [{"kind": "store", "quantity": 5}, {"kind": "store", "quantity": 6}]}');
select t.put('{"custom": [{"name": "x"}]}');
select t.put('{"custom": [{"function": "t.x"}]}');
select t.put('{"custom": [{"name": "x", "function": "x"}]}');
select t.put('{"custom": [{"name": "x", "function": "t.x(int)"}]}');
select t.put('{"custom": [{"name": "x", "function": "t.x", "weight": -1}]}');
select t.put('{"custom": [{"name": "x", "function": "t.x", "limit_ms": 0}]}');
select t.put('{"custom": [{"name": "x", "function": "t.x"}, {"name": "x", "function": "t.y"}]}');
select t.put('{"retention_days": -1}');
select t.put('{"extends": 5}');
select t.put('{"rules": {}}');
select t.put('{"rules": [7]}');
select t.put('{"rules": [{"set": {}}]}');
select t.put('{"rules": [{"when": {"zone": ["MW"]}}]}');
select t.put('{"rules": [{"when": {}, "set": {}}]}');
select t.put('{"rules": [{"when": {"zone": []}, "set": {}}]}');
select t.put('{"rules": [{"when": {"zone": "MW"}, "set": {}}]}');
select t.put('{"rules": [{"when": {"region": ["MW"]}, "set": {}}]}');
select t.put('{"rules": [{"when": {"zone": ["MW", "MW"]}, "set": {}}]}');
select t.put('{"rules": [{"when": {"zone": ["MW"]}, "set": {}}, {"when": {"zone": ["MW"]}, "set": {"split_penalty": -4}}]}');
select t.put('{"rules": [{"when": {"zone": ["MW"]}, "set": {"retention_days": 4}}]}');
select t.put('{"rules": [{"when": {"zone": ["MW"]}, "set": {"rest": "wait"}}]}');
select t.put('{"rules": [{"when": {"zone": ["MW"]}, "set": {}, "if": 1}]}');
select t.put('{"rules": [{"name": "a", "when": {"zone": ["MW"]}, "set": {}}, {"name": "a", "when": {"zone": ["MW"]}, "set": {}}]}');
select t.put(jsonb_build_object('rules', (select jsonb_agg(n) from generate_series(1, 201) n))::text);
select t.put(jsonb_build_object('rest', repeat('ä', 100))::text);
select t.put(jsonb_build_object(repeat('ä', 100), 1)::text);
select t.try(format('select routing.put_policy(%L, %L)', p, '{}')) from unnest(array['', repeat('x', 64), null]) p;
-- nothing of it was stored; plain SQL is checked alike
select count(*) from routing.policy where policy = 'web';
select t.try($$insert into routing.policy (policy, version, definition) values ('web', 3, '{"rules": [{"when": {"zone": ["MW"]}, "set": {"goods_weight": -1}}]}')$$);
select t.try($$update routing.policy set definition = '{"max_shipments": 99}' where policy = 'full' and version = 1$$);

-- ---------------------------------------------------------------- rules
select routing.put_policy('ruled', '{"split_penalty": 1, "lateness_per_day": {"2": 5}, "rules": [
	{"name": "shops", "when": {"channel": ["shop", "outlet"]}, "set": {"split_penalty": 2, "lateness_per_day": {"1": 9}}},
	{"when": {"zone": ["MW"], "country": ["US"]}, "set": {"split_penalty": 3, "max_distance": 100}},
	{"when": {"item_class": ["bulky"]}, "set": {"max_shipments": 1, "keep": [{"kind": "store", "quantity": 5}]}},
	{"when": {"customer_group": ["vip"]}, "set": {"goal": "nearest_first", "max_distance": null}}]}');
create function t.eff(variadic a text[]) returns text language sql as $$
	select string_agg(key || ' ' || value, ', ' order by key) from routing.policy_effective('ruled', a[1], a[2], a[3], a[4], a[5], 1)
	where key in ('split_penalty', 'max_distance', 'max_shipments', 'keep', 'distance_price') or key = 'lateness_per_day' and a[1] is not null $$;
select t.eff(null, null, null, null, null);
select t.eff('shop', null, null, null, null);
select t.eff('sho', null, 'MW', 'US', null);
select t.eff(null, null, 'MW', 'CA', null);
select t.eff(null, null, 'MW', 'US', 'bulky');
select t.eff(null, 'vip', 'MW', 'US', null);
select t.eff('outlet', 'vip', null, null, 'bulky');

-- ---------------------------------------------------------------- the life of a version
create role regress_routing_team; create role regress_routing_ann in role regress_routing_team;
create role regress_routing_bob in role regress_routing_team; create role regress_routing_eve;
grant usage on schema t to public; grant execute on all functions in schema t to public;
select routing.grant_access('regress_routing_ann', 'admin'), routing.grant_access('regress_routing_bob', 'admin'), routing.grant_access('regress_routing_team', 'admin'), routing.grant_access('regress_routing_eve', 'write');
set session authorization regress_routing_ann;
select routing.put_policy('web', '{"split_penalty": "6", "keep": [{"kind": "store", "quantity": 1}]}', 'fewer parcels');
select routing.put_policy('web', '{"split_penalty": 7, "keep": [], "rules": [{"when": {"channel": ["web"]}, "set": {"max_shipments": 1}}]}');
select * from routing.policy_diff('web', 1, 2);
select t.try($$select routing.policy_diff('web', 1, 3)$$);
-- not by the author, not without approval, not by another name
select t.try($$select routing.approve_policy('web', 1)$$);
select t.try($$select routing.activate_policy('web', 1)$$);
select t.try($$update routing.policy set state = 'approved' where policy = 'web' and version = 1$$);
select t.try($$update routing.policy set state = 'active' where policy = 'web' and version = 1$$);
select t.try($$insert into routing.policy (policy, version, state) values ('mine', 1, 'active')$$);
select t.try($$insert into routing.policy (policy, version, state, author) values ('mine', 1, 'approved', 'regress_routing_bob')$$);
set role regress_routing_team;
select t.try($$select routing.approve_policy('web', 1)$$);
reset role;
update routing.policy set author = 'regress_routing_bob', approved_by = 'regress_routing_bob' where policy = 'web' and version = 1;
select t.try($$select routing.approve_policy('web', 1)$$);
insert into routing.policy (policy, version, author, approved_by, approved_at, activated_at, effective_at) values ('mine', 1, 'regress_routing_bob', 'regress_routing_bob', now(), now(), now());
select author, approved_by, approved_at, activated_at, effective_at from routing.policy where policy = 'mine';
select t.try($$select routing.approve_policy('mine', 1)$$);
-- who changes a draft is its author
set session authorization regress_routing_bob;
update routing.policy set definition = '{"split_penalty": 8}', author = 'regress_routing_ann' where policy = 'mine';
select t.try($$select routing.approve_policy('mine', 1)$$);
select t.try($$update routing.policy set definition = '{}', state = 'approved' where policy = 'web' and version = 1$$);
delete from routing.policy where policy = 'mine';
-- somebody else approves; approving again changes nothing
select routing.approve_policy('web', 1), routing.approve_policy('web', 1);
select state, author, approved_by, approved_at is not null as at, effective_at from routing.policies where policy = 'web' and version = 1;
select t.try($$update routing.policy set definition = '{}' where policy = 'web' and version = 1$$);
select t.try($$update routing.policy set state = 'draft' where policy = 'web' and version = 1$$);
select t.try($$update routing.policy set version = 9 where policy = 'web' and version = 1$$);
update routing.policy set comment = 'as discussed' where policy = 'web' and version = 1;
-- nor the one who may only enter orders
set session authorization regress_routing_eve;
select t.try($$select routing.put_policy('web', '{}')$$);
select t.try($$select routing.approve_policy('web', 2)$$);
select t.try($$select routing.activate_policy('web', 1)$$);
select version, state from routing.policies where policy = 'web' order by 1;
select key, value from routing.policy_effective('web', version => 1) where key = 'split_penalty';
set session authorization regress_routing_ann;
select routing.activate_policy('web', 1);
select t.try($$delete from routing.policy where policy = 'web' and version = 1$$);
select t.try($$update routing.policy set definition = '{}' where policy = 'web' and version = 1$$);
select t.try($$select routing.approve_policy('web', 1)$$);
select t.try($$select routing.approve_policy('web', 9)$$);
select t.try($$select routing.activate_policy('none', 1)$$);
select t.try($$select routing.activate_policy(null, null)$$);
select t.try($$select routing.retire_policy('web', 9)$$);
reset session authorization;
-- the owner, who may insert what he likes, does not approve his own either
select routing.put_policy('own', '{}');
select replace(t.try($$select routing.approve_policy('own', 1)$$), session_user || ' wrote', 'the owner wrote');
select replace(t.try($$insert into routing.policy (policy, version, state) values ('own', 2, 'approved')$$), session_user || ' wrote', 'the owner wrote');
insert into routing.policy (policy, version, state, definition) values ('own', 3, 'active', '{"max_shipments": 1}');
select version, state, effective_at = activated_at as at_once, approved_by from routing.policies where policy = 'own' order by 1;

-- ---------------------------------------------------------------- what is named must be there when it is approved
set session authorization regress_routing_ann;
select routing.put_policy('ref', '{"nodes": {"list": ["CHI", "MARS"]}}'), routing.put_policy('ref', '{"keep": [{"node": "MARS", "quantity": 1}]}'),
	routing.put_policy('ref', '{"rules": [{"when": {"channel": ["web", "fax"]}, "set": {}}]}'), routing.put_policy('ref', '{"rules": [{"when": {"zone": ["MW"]}, "set": {"nodes": {"list": ["MARS"]}}}]}'),
	routing.put_policy('ref', '{"rules": [{"when": {"zone": ["TEX", "MOON"]}, "set": {}}]}'), routing.put_policy('ref', '{"custom": [{"name": "x", "function": "t.nothing"}]}'),
	routing.put_policy('ref', '{"custom": [{"name": "x", "function": "t.text_term"}]}'), routing.put_policy('ref', '{"extends": "nobody"}'),
	routing.put_policy('ref', '{"custom": [{"name": "x", "function": "t.\"''; drop"}]}'),
	routing.put_policy('ref', '{"nodes": {"list": ["CHI"]}, "custom": [{"name": "x", "function": "t.term"}], "extends": "standard", "rules": [{"when": {"zone": ["MW"], "channel": ["web"], "country": ["XX"]}, "set": {}}]}');
reset session authorization;
create function t.term(item text, node text, o jsonb) returns numeric language sql return 1;
create function t.text_term(item text, node text, o jsonb) returns text language sql return 1;
set session authorization regress_routing_bob;
select n, t.try(format('select routing.approve_policy(%L, %s)', 'ref', n)) from generate_series(1, 10) n;
reset session authorization;
-- or has gone since
drop function t.term;
select t.try($$select routing.activate_policy('ref', 10)$$);
select state from routing.policies where policy = 'ref' and version = 10;

-- ---------------------------------------------------------------- one that builds on another
insert into routing.policy (policy, version, state, definition) values
	('eu', 1, 'active', '{"split_penalty": 8, "retention_days": 30, "max_shipments": 2, "rules": [{"when": {"zone": ["MW"]}, "set": {"split_penalty": 9}}]}'),
	('de', 1, 'active', '{"extends": "eu", "split_penalty": 10, "rules": [{"when": {"channel": ["web"]}, "set": {"max_shipments": 1}}]}');
select key, value from routing.policy_effective('de') where key in ('split_penalty', 'max_shipments', 'retention_days');
select key, value from routing.policy_effective('de', 'web', zone => 'MW') where key in ('split_penalty', 'max_shipments');
select extends, base_version from routing.policies where policy = 'de';
-- what it says does not change with the other one; a new version takes the new one
insert into routing.policy (policy, version, state, definition) values ('eu', 2, 'active', '{"max_shipments": 3}');
select key, value from routing.policy_effective('de') where key in ('split_penalty', 'max_shipments');
insert into routing.policy (policy, version, state, definition) values ('de', 2, 'active', '{"extends": "eu", "split_penalty": 10}');
select key, value from routing.policy_effective('de') where key in ('split_penalty', 'max_shipments');
-- in a circle
select t.try($$select routing.put_policy('de', '{"extends": "de"}')$$);
select t.try($$select routing.put_policy('eu', '{"extends": "de"}')$$);
select routing.put_policy('a', '{"extends": "b"}'), routing.put_policy('b', '{"extends": "c"}');
select t.try($$select routing.put_policy('c', '{"extends": "a"}')$$);
-- nor without end; and what is wrong in the other one is told of there
select count(routing.put_policy('p' || n, jsonb_build_object('extends', 'p' || n - 1))) from generate_series(1, 7) n;
select t.try($$select routing.put_policy('p8', '{"extends": "p7"}')$$);
set session_replication_role = replica; alter table routing.policy disable trigger guard_policy;
update routing.policy set definition = '{"split_penalty": "much"}' where policy in ('p1', 'eu');
alter table routing.policy enable always trigger guard_policy; reset session_replication_role;
select t.try($$select routing.put_policy('p3', '{"extends": "p2"}')$$);
-- an order that comes upon it is refused; doctor() tells; it can still be retired
select severity, subject, problem from routing.doctor() where subject like 'policy %' order by 2;
begin;
insert into routing.sales_order (order_id, customer, country, postal_code, policy) values ('X1', 'C1', 'US', '60614', 'de');
insert into routing.sales_order_line (order_id, line_no, item, quantity) values ('X1', 1, 'A', 1);
commit;
\echo :LAST_ERROR_SQLSTATE
select routing.retire_policy('eu', 2);

-- ---------------------------------------------------------------- when it counts
call t.reset();
call t.stock('C', 'CHI', 50); call t.stock('D', 'DAL', 50); call t.stock('C', 'NYC', 50); call t.stock('D', 'NYC', 50);
update routing.lane set base_cost = 27.4 where node = 'NYC';
-- NYC has both for 30; CHI and DAL for 24.5 and the split penalty of 4
set session authorization regress_routing_ann;
select routing.put_policy('standard', '{"split_penalty": 5}'), routing.put_policy('standard', '{"split_penalty": 6}');
set session authorization regress_routing_bob;
select routing.approve_policy('standard', 1), routing.approve_policy('standard', 2);
reset session authorization;
call t.ord('S1', 4, 'C 1, D 1');
select routing.activate_policy('standard', 1);
call t.ord('S2', 4, 'C 1, D 1');
-- in an hour
select routing.activate_policy('standard', 2, now() + '1 hour');
select version, state from routing.policies order by 1;
call t.ord('S3', 4, 'C 1, D 1');
set routing.clock_offset = '59min';
call t.ord('S4', 4, 'C 1, D 1');
set routing.clock_offset = '61min';
call t.ord('S5', 4, 'C 1, D 1');
select version, state from routing.policies order by 1;
reset routing.clock_offset;
call t.ord('S6', 4, 'C 1, D 1');
select order_id, policy_version, string_agg(distinct r.node, ' ') from routing.decision d join routing.reservation r using (tenant_id, order_id) group by 1, 2 order by 1;
-- the one in effect goes on; it cannot be put off, nor anything be activated for the past
select t.try($$select routing.activate_policy('standard', 1, now() + '2 hours')$$);
select t.try($$select routing.activate_policy('standard', 2, now() - interval '1 hour')$$) ~ '^RT106 effective_at .* is not now or later';
select t.try($$select routing.activate_policy('standard', 2, 'infinity')$$);
-- at once, also for a transaction that began before
begin;
select value from routing.policy_effective('standard') where key = 'split_penalty';
select routing.activate_policy('standard', 2);
select value from routing.policy_effective('standard') where key = 'split_penalty';
select version, state from routing.policies order by 1;
rollback;
select value from routing.policy_effective('standard') where key = 'split_penalty';
select routing.activate_policy('standard', 2);
select version, state from routing.policies order by 1;
-- back to the old one, and to none
select routing.activate_policy('standard', 1);
select version, state from routing.policies order by 1;
select value from routing.policy_effective('standard') where key = 'split_penalty';
select routing.retire_policy('standard', 1);
select value from routing.policy_effective('standard') where key = 'split_penalty';
select value from routing.policy_effective('standard', version => 2) where key = 'split_penalty';
select value from routing.policy_effective('standard', version => 0) where key = 'split_penalty';
select t.try($$select * from routing.policy_effective('standard', version => 3)$$);
select t.try($$select * from routing.policy_effective('nobody')$$);
select t.try($$select * from routing.policy_effective(null)$$);
-- a superseded one is not in effect again before it is activated again
select routing.activate_policy('standard', 1), routing.activate_policy('standard', 2, now() + '1 hour');
set routing.clock_offset = '2h';
select version, state from routing.policies order by 1;
select routing.retire_policy('standard', 2);
select value from routing.policy_effective('standard') where key = 'split_penalty';
reset routing.clock_offset;
select policy, version, state from routing.policy order by 1, 2;

-- ---------------------------------------------------------------- rules route an order
delete from routing.policy;
insert into routing.policy (policy, version, state, definition) values
	('standard', 1, 'active', '{"rules": [{"when": {"channel": ["web"]}, "set": {"split_penalty": 6}}, {"when": {"zone": ["TEX"]}, "set": {"max_shipments": 1}}]}');
begin;
insert into routing.sales_order (order_id, customer, country, postal_code, channel, requested_on) values
	('R1', 'C1', 'US', '60614', 'web', t.day(4)), ('R2', 'C1', 'US', '60614', null, t.day(4));
insert into routing.sales_order_line (order_id, line_no, item, quantity) values ('R1', 1, 'C', 1), ('R1', 2, 'D', 1), ('R2', 1, 'C', 1), ('R2', 2, 'D', 1);
commit;
select "order", line, node from t.r where "order" in ('R1', 'R2');


-- how long decisions are kept is said by the version in effect, or what it extends: of what is done, none
call t.ord('K1', 4, 'C 1');
select routing.cancel_order('K1');
select routing.purge_decisions();
insert into routing.policy (policy, version, state, definition) values ('short', 1, 'active', '{"retention_days": 0}');
insert into routing.policy (policy, version, state, definition) values ('standard', 2, 'active', '{"extends": "short"}');
insert into routing.policy (policy, version, state, definition, effective_at) values ('standard', 3, 'active', '{"retention_days": 9}', now() + '1 day');
select routing.purge_decisions() > 0 as some;
select (select count(*) from routing.decision where order_id = 'K1') as "K1", (select count(*) from routing.decision where order_id = 'R1') as "R1";

-- more policies than a session keeps compiled, and those of another tenant by the same names
insert into routing.policy (policy, version, state, definition)
select 'n' || n, 1, 'active', jsonb_build_object('max_shipments', n, 'nodes', jsonb_build_object('list', array['CHI', 'DAL'], 'step', n)) from generate_series(1, 20) n;
select count(*), bool_and(value::int = n) from generate_series(1, 3), generate_series(1, 20) n, routing.policy_effective('n' || n) where key = 'max_shipments';
insert into routing.tenant (tenant_id, tenant) values (2, 'acme');
insert into routing.policy (tenant_id, policy, version, state, definition) values (2, 'n1', 1, 'active', '{"max_shipments": 17}'), (2, 'n1', 2, 'draft', '{}');
select value from routing.policy_effective('n1') where key = 'max_shipments';
set routing.tenant = 'acme';
select value from routing.policy_effective('n1') where key = 'max_shipments';
select t.try($$select * from routing.policy_effective('n2')$$);
-- nodes are the tenant's own
select routing.put_policy('n1', '{"nodes": {"list": ["CHI"]}}');
select t.try($$update routing.policy set state = 'active' where tenant_id = 2 and policy = 'n1' and version = 3$$);
set session authorization regress_routing_bob;
select t.try($$select routing.approve_policy('n1', 2)$$);
select t.try($$select * from routing.policy_effective('n1')$$);
reset routing.tenant;
select t.try($$select routing.approve_policy('n1', 2)$$);
select t.try($$insert into routing.policy (tenant_id, policy, version, definition) values (2, 'n1', 4, '{"extends": "n1"}')$$);
select count(*) from routing.policies where tenant_id = 2;
reset session authorization;

call t.reset();
delete from routing.tenant where tenant_id = 2;
select * from routing.verify();
reset client_min_messages;
drop owned by regress_routing_ann, regress_routing_bob, regress_routing_eve, regress_routing_team;
drop role regress_routing_ann, regress_routing_bob, regress_routing_eve, regress_routing_team;
