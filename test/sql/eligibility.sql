-- what may serve a line: each rule decides, and goes again
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
\set ECHO all
call t.stock('A', 'CHI', 50); call t.stock('A', 'DAL', 50); call t.stock('A', 'NYC', 50); call t.stock('B', 'CHI', 50); call t.stock('B', 'DAL', 50);
update routing.item set unit_cost = 5; update routing.node set kind = 'store' where node = 'NYC';
-- the nodes that would serve a document's lines now, and why something waits
create function t.goes(lines text, more jsonb default '{}') returns text language sql stable
	return (select string_agg(format('%s %s', p.line_no, coalesce(p.node || ' ' || p.service || ' ' || p.quantity, 'waits ' || p.quantity)), ', ' order by p.line_no, p.node)
			from routing.promise(jsonb_build_object('customer', 'C1', 'channel', 'web', 'ship_to', '{"country": "US", "postal_code": "60614", "latitude": 41.9, "longitude": -87.6}'::jsonb,
				'lines', (select jsonb_agg(jsonb_build_object('item', split_part(x, ' ', 1), 'quantity', split_part(x, ' ', 2), 'price', split_part(x, ' ', 3)))
						  from string_to_table(lines, ', ') x)) || more) p);
create procedure t.policy(definition jsonb) language sql begin atomic
	delete from routing.policy;
	insert into routing.policy (policy, version, state, definition) values ('standard', 1, 'active', definition);
end;
-- without any rule the cheapest node serves it
select t.goes('A 4 9');

-- the node does not serve the channel; a group of it, or no channel at all
update routing.node set channels = '{edi}' where node = 'CHI';
select t.goes('A 4 9'), t.goes('A 4 9', '{"channel": null}') as none;
insert into routing.channel (channel) values ('online'); update routing.channel set parent = 'online' where channel = 'web';
update routing.node set channels = '{edi,online}' where node = 'CHI';
select t.goes('A 4 9'), t.goes('A 4 9', '{"channel": null}') as none, t.goes('A 4 9', '{"channel": "online"}') as the_group;
update routing.node set channels = '{}' where node = 'CHI';
select t.goes('A 4 9');
update routing.node set channels = null;

-- restrictions: all that is given must match
update routing.item set item_class = 'spirits' where item = 'A'; update routing.customer set customer_group = 'minor' where customer = 'C1';
create function t.restricted(columns text, vals text) returns text language plpgsql as $$
declare
	result	text;
begin
	execute format('insert into routing.restriction (restriction, reason, %s) values (''R'', ''by law'', %s)', columns, vals);
	result := t.goes('A 4 9, B 4 9');
	delete from routing.restriction;
	return result;
end
$$;
select t.restricted('node', $$'CHI'$$) as node, t.restricted('item, node', $$'A', 'CHI'$$) as item_node, t.restricted('item_class, node', $$'spirits', 'CHI'$$) as class_node;
select t.restricted('item', $$'A'$$) as item, t.restricted('item_class', $$'spirits'$$) as class, t.restricted('item_class', $$'beer'$$) as other_class;
select t.restricted('item, customer_group', $$'A', 'minor'$$) as group, t.restricted('item, customer_group', $$'A', 'adult'$$) as other_group;
select t.restricted('item, country', $$'A', 'US'$$) as country, t.restricted('item, country', $$'A', 'CA'$$) as other_country, t.restricted('item, zone', $$'A', 'MW'$$) as zone, t.restricted('item, zone', $$'A', 'TEX'$$) as other_zone;
select t.restricted('item, channel', $$'A', 'online'$$) as channel_group, t.restricted('item, service', $$'A', 'ground'$$) as service, t.restricted('item, service, node', $$'A', 'ground', 'CHI'$$) as service_node;
-- a stored order says so, and a restriction that goes lets it be served
insert into routing.restriction (restriction, item, country, reason) values ('no-spirits', 'A', 'US', 'not to the US');
call t.ord('E1', null, 'A 4, B 2'); select "order", line, status, node, reason from t.l; select * from routing.verify();
delete from routing.restriction; select line_no, node, status from routing.route_order('E1'); table t.o;
call t.reset(); call t.stock('A', 'CHI', 50); call t.stock('A', 'DAL', 50); call t.stock('A', 'NYC', 50); call t.stock('B', 'CHI', 50); call t.stock('B', 'DAL', 50);

-- hazardous goods: a permit of the node, and a service that carries them
update routing.item set hazmat_class = '3' where item = 'A';
select t.goes('A 4 9, B 4 9');
update routing.node set hazmat_classes = '{8,3}' where node in ('CHI', 'DAL'); select t.goes('A 4 9');
update routing.service set hazmat = true where service = 'air'; select t.goes('A 4 9');
update routing.service set hazmat = true; select t.goes('A 4 9');
update routing.node set hazmat_classes = '{8}' where node = 'CHI'; select t.goes('A 4 9, B 4 9');
update routing.item set hazmat_class = null; update routing.node set hazmat_classes = null;

-- pinned, closed
select t.goes('A 4 9', '{"lines": [{"item": "A", "quantity": 4, "node": "NYC"}]}');
update routing.node set status = 'closed' where node = 'CHI'; select t.goes('A 4 9'); update routing.node set status = 'open';

-- freight that somebody else pays is no cost of ours: as soon as possible the fastest wins, else the first by rank
update routing.node set rank = 0 where node = 'NYC';
select t.goes('A 4 9'), t.goes('A 4 9', '{"freight_terms": "collect"}') as collect, t.goes('A 4 9', '{"freight_terms": "third_party"}') as third_party;
select t.goes('A 4 9', jsonb_build_object('freight_terms', terms, 'requested_on', t.day(9))) from unnest('{prepaid,collect,third_party}'::text[]) terms;
select sum(shipment_cost) from routing.promise('{"customer": "C1", "freight_terms": "collect", "ship_to": {"country": "US", "postal_code": "60614"}, "lines": [{"item": "A", "quantity": 4}]}');
update routing.node set rank = 3 where node = 'NYC';

-- minimum, maximum and multiple of what a shipment has of a line
update routing.supply set quantity = case node when 'CHI' then 5 when 'DAL' then 3 else 0 end where item = 'A';
select t.goes('A 8 9');
update routing.item set min_ship_quantity = 4 where item = 'A'; select t.goes('A 8 9'), t.goes('A 3 9') as less, t.goes('A 4 9') as enough;
update routing.item set min_ship_quantity = 6 where item = 'A'; select t.goes('A 8 9');
update routing.item set min_ship_quantity = null, max_ship_quantity = 2 where item = 'A'; select t.goes('A 8 9', '{"requested_on": null}');
update routing.item set max_ship_quantity = null, ship_multiple = 4 where item = 'A'; select t.goes('A 8 9'), t.goes('A 5 9') as odd;
update routing.item set ship_multiple = null;
-- a line that is not to be divided
select t.goes('A 8 9', '{"lines": [{"item": "A", "quantity": 8, "splittable": false}]}'), t.goes('A 5 9', '{"lines": [{"item": "A", "quantity": 5, "splittable": false}]}') as fits;
-- of a larger line the rest may be less than the minimum
update routing.item set min_ship_quantity = 2 where item = 'A';
call t.ord('E2', null, 'A 9'); select line, quantity, node from t.r; call t.stock('A', 'NYC', 4, null, 'N'); select line, quantity, node from t.r; table t.l;
select * from routing.verify();
-- who waits keeps nothing where he may not be served; explanation and replay of such decisions
call t.reset(); call t.stock('A', 'DAL', 5); update routing.item set min_ship_quantity = null; insert into routing.item_node (item, node) values ('A', 'CHI');
insert into routing.restriction (restriction, item, node, reason) values ('no-chi', 'A', 'CHI', 'too heavy');
call t.ord('Q1', null, 'A 9', 'GOLD'); select node, quantity from routing.claim; call t.stock('A', 'CHI', 4); call t.ord('Q2', null, 'A 4 CHI'); select "order", line, quantity, node from t.r;
delete from routing.restriction; call t.ord('Q3', null, 'A 4 CHI'); select "order", status, reason from t.l; select * from routing.verify();
