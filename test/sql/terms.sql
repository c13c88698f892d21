-- what policies say: terms of the cost and constraints, where each of them decides
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
\set ECHO all
update routing.node set latitude = 41.88, longitude = -87.63 where node = 'CHI'; update routing.node set latitude = 32.78, longitude = -96.8 where node = 'DAL';
update routing.node set latitude = 40.71, longitude = -74.0, kind = 'store' where node = 'NYC';
update routing.item set unit_cost = 5; update routing.channel set name = 'Web';
call t.stock('A', 'CHI', 10); call t.stock('A', 'DAL', 10); call t.stock('A', 'NYC', 10);
create procedure t.policy(definition jsonb) language sql begin atomic
	delete from routing.policy;
	insert into routing.policy (policy, version, state, definition) values ('standard', 1, 'active', definition);
end;
-- where a document's lines 'A 4 9' (item, quantity, price) to Chicago, for day 9, would go
create function t.goes(lines text, more jsonb default '{}') returns text language sql stable
	return (select string_agg(format('%s %s', p.line_no, coalesce(p.node || ' ' || p.quantity, 'waits ' || p.quantity)), ', ' order by p.line_no, p.node)
			from routing.promise(jsonb_build_object('customer', 'C1', 'requested_on', t.day(9), 'ship_to', '{"country": "US", "postal_code": "60614", "latitude": 41.9, "longitude": -87.6}'::jsonb,
				'lines', (select jsonb_agg(jsonb_build_object('item', split_part(x, ' ', 1), 'quantity', split_part(x, ' ', 2)) ||
						  case when split_part(x, ' ', 3) = '' then '{}' else jsonb_build_object('price', split_part(x, ' ', 3)) end)
						  from string_to_table(lines, ', ') x)) || more) p);
-- freight to MW: CHI 11 + 0.2 per kg, DAL 13 + 0.3, NYC 14 + 0.3
select t.goes('A 4');

-- maximum distance: DAL is 1,294 km away, NYC 1,145; nothing is known of where DAL is, or the order goes
call t.policy('{"max_distance": 1200, "nodes": {"list": ["DAL", "NYC"], "only": true}}'); select t.goes('A 4');
call t.policy('{"max_distance": 1294, "nodes": {"list": ["DAL", "NYC"], "only": true}}'); select t.goes('A 4');
call t.policy('{"max_distance": 1293, "nodes": {"list": ["DAL", "NYC"], "only": true}}'); select t.goes('A 4'), t.goes('A 4', '{"ship_to": {"country": "US", "postal_code": "60614"}}') as unknown;
update routing.node set latitude = null where node = 'DAL'; select t.goes('A 4'); update routing.node set latitude = 32.78 where node = 'DAL';
-- a price for distance: per 100 km; CHI is next door
update routing.lane set base_cost = 30 where node = 'CHI'; call t.policy('{}'); select t.goes('A 4');
call t.policy('{"distance_price": "1"}'); select t.goes('A 4'); call t.policy('{"distance_price": "2"}'); select t.goes('A 4');
update routing.lane set base_cost = 9 where node = 'CHI' and service = 'ground';

-- lists: money for each place down the list, and only those
call t.policy('{"nodes": {"list": ["NYC", "DAL"], "step": "1"}}'); select t.goes('A 4');
call t.policy('{"nodes": {"list": ["NYC", "DAL"], "step": "2"}}'); select t.goes('A 4');
call t.policy('{"nodes": {"list": ["DAL"], "only": true}}'); select t.goes('A 4'), t.goes('A 12') as more;

-- cost of goods: 1 a unit less at DAL
insert into routing.item_node (item, node, unit_cost) values ('A', 'DAL', 4) on conflict (tenant_id, item, node) do update set unit_cost = 4;
call t.policy('{}'); select t.goes('A 4'); call t.policy('{"goods_weight": "0.5"}'); select t.goes('A 4'), t.goes('A 8') as more; call t.policy('{"goods_weight": "1"}'); select t.goes('A 4');
-- margin floor: price 5 leaves -0.2 at CHI and 0.7 at DAL, which is 14 %; without a price nothing is asked
call t.policy('{"margin_floor": "0"}'); select t.goes('A 4 5'), t.goes('A 4 6') as dearer, t.goes('A 4') as no_price;
call t.policy('{"margin_floor": "0.14"}'); select t.goes('A 4 5'); call t.policy('{"margin_floor": "0.15"}'); select t.goes('A 4 5'), t.goes('A 4 5', '{"freight_terms": "collect"}') as collect;
update routing.item_node set unit_cost = null;

-- what nodes keep back, all of a kind or one
call t.policy('{"keep": [{"node": "CHI", "quantity": "7"}]}'); select t.goes('A 3'), t.goes('A 4') as more;
call t.policy('{"keep": [{"kind": "warehouse", "quantity": "7"}]}'); select t.goes('A 3'), t.goes('A 4') as more;
call t.policy('{"keep": [{"kind": "store", "quantity": "7"}], "nodes": {"list": ["NYC"], "only": true}}'); select t.goes('A 4');

-- balancing: taking 4 of 10 at CHI costs 8, of 10 at DAL too; with 100 at NYC 0.8
call t.policy('{"stock_balance": 20}'); select t.goes('A 4'); update routing.supply set quantity = 100 where node = 'NYC'; select t.goes('A 4');
update routing.supply set quantity = 10 where node = 'NYC';

-- a split is worth while from a quantity, and from a value, of both parts
call t.policy('{"split_min_quantity": 3}'); select t.goes('A 12'), t.goes('A 13') as more;
call t.policy('{"split_min_value": 15}'); select t.goes('A 12'), t.goes('A 12 7.5') as price;

-- nothing is promised later than so many days after the requested one: of 10 on day 12 by air, 3 days late
update routing.supply set quantity = 0; call t.stock('A', 'CHI', 10, 12);
call t.policy('{"max_late_days": 3}'); select t.goes('A 4'); call t.policy('{"max_late_days": 2}'); select t.goes('A 4');
-- the customer's own number of days comes first
update routing.customer set max_late_days = 3; select t.goes('A 4'); update routing.customer set max_late_days = 2; call t.policy('{}'); select t.goes('A 4');
update routing.customer set max_late_days = null;
delete from routing.supply where ref <> ''; update routing.supply set quantity = 10;

-- soft ones give way for what is unserved, and only for that
call t.policy('{"nodes": {"list": ["DAL"], "only": true}, "soft": ["nodes"]}'); select t.goes('A 4'), t.goes('A 12') as more;
call t.policy('{"max_distance": 100, "soft": ["max_distance"]}'); select t.goes('A 4'), t.goes('A 12') as more;
call t.policy('{"keep": [{"node": "CHI", "quantity": "7"}, {"node": "DAL", "quantity": 10}, {"node": "NYC", "quantity": 10}], "soft": ["keep"]}'); select t.goes('A 3'), t.goes('A 5') as more, t.goes('A 30') as all, t.goes('A 31') as too_much;
call t.policy('{"margin_floor": "0.9", "soft": ["margin_floor"]}'); select t.goes('A 4 5');
call t.policy('{"split_min_quantity": 3, "soft": ["split_min"]}'); select t.goes('A 12');
call t.policy('{"max_shipments": 1, "soft": ["max_shipments"]}'); select t.goes('A 12'), t.goes('A 30') as more;
call t.policy('{"max_shipments": 1, "max_distance": 100, "soft": ["max_distance"]}'); select t.goes('A 12');
call t.policy('{"max_late_days": 0, "soft": ["max_late_days"]}'); update routing.supply set quantity = 3; call t.stock('A', 'CHI', 10, 12); select t.goes('A 15');
call t.ord('S1', 9, 'A 15'); select quantity, node, needed from t.r; select routing.decision_detail(decision_id) -> 'relaxed' as relaxed from routing.sales_order; select * from routing.verify();
select bool_and(same) as replayed from routing.replay((select decision_id from routing.sales_order));
call t.reset(); call t.stock('A', 'CHI', 10); call t.stock('A', 'DAL', 10); call t.stock('A', 'NYC', 10);

-- by class of item: each line has its own
call t.stock('B', 'CHI', 10); call t.stock('B', 'DAL', 10); update routing.item set item_class = 'bulky' where item = 'B';
call t.policy('{"rules": [{"when": {"item_class": ["bulky"]}, "set": {"keep": [{"node": "CHI", "quantity": 8}]}}]}'); select t.goes('A 4, B 4'), t.goes('A 9') as a, t.goes('B 3') as b;

-- custom terms: a function of the tenant's
select t.try('drop owned by regress_routing_owner') is not null as dropped; drop role if exists regress_routing_owner; create role regress_routing_owner;
grant create, usage on schema t to regress_routing_owner; select routing.grant_access('regress_routing_owner', 'read');
set role regress_routing_owner;
create function t.co2(item text, node text, "order" jsonb) returns numeric language sql stable
	return case node when 'CHI' then 3.5 * ("order" #>> '{lines,0,open}')::numeric else 0 end;
create function t.whoami(item text, node text, "order" jsonb) returns numeric language plpgsql stable as
	$$ begin return case when current_user = 'regress_routing_owner' and current_setting('search_path') like 'pg_catalog%' and node = 'CHI' then 100 end; end $$;
create function t.broken(item text, node text, "order" jsonb) returns numeric language sql stable return 1 / (length(node) - 3);
create function t.nan(item text, node text, "order" jsonb) returns numeric language sql stable return 'NaN'::numeric;
create function t.negative(item text, node text, "order" jsonb) returns numeric language sql stable return -1;
create function t.endless(item text, node text, "order" jsonb) returns numeric language plpgsql stable as $$ begin loop null; end loop; end $$;
create function t.volatile(item text, node text, "order" jsonb) returns numeric language sql volatile return 100;
create function t.writes(item text, node text, "order" jsonb) returns numeric language plpgsql stable as $$ begin create temporary table x (); return 1; end $$;
reset role;
create function t.super(item text, node text, "order" jsonb) returns numeric language sql stable return 100;
create function t.custom(function text, weight numeric default 1) returns text language plpgsql as $$
begin
	call t.policy(jsonb_build_object('custom', jsonb_build_array(jsonb_build_object('name', 'co2', 'function', function, 'weight', weight, 'limit_ms', 50))));
	return t.goes('A 4');
end
$$;
select t.custom('t.co2'), t.custom('t.co2', 0.1) as light, t.custom('t.whoami') as whoami;
-- what is wrong with a term costs the order that term only
select f, t.custom('t.' || f) from unnest('{broken,nan,negative,endless,volatile,writes,super}'::text[]) f;
call t.policy('{"custom": [{"name": "bad", "function": "t.nan"}, {"name": "good", "function": "t.co2"}]}');
call t.ord('K1', 9, 'A 4'); select line, quantity, node from t.r;
select routing.decision_detail(decision_id) -> 'dropped' as dropped from routing.sales_order;
delete from routing.tenant_member where role = 'regress_routing_owner'; select t.custom('t.co2');
select * from routing.verify();
drop owned by regress_routing_owner; drop role regress_routing_owner;
