-- what is kept for channels, in policies tried on what has happened
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\set past :abs_srcdir '/sql/past.psql'
\set simulated :abs_srcdir '/sql/simulated.psql'
\i :common
\i :past
\i :simulated
\set ECHO all
create procedure t.drafts() language sql begin atomic
	insert into routing.policy (policy, version, definition) values
		('standard', 1, '{"goal": "priority_list", "nodes": {"list": ["DAL", "CHI", "NYC"]}}'),
		('standard', 2, '{"max_shipments": 1}');
end;
call t.drafts();

insert into routing.channel (channel, parent) values ('shops', null), ('edi', null), ('vip', 'shops'), ('market', 'shops');
create procedure t.by(ch text, id text, want int, lines text) language sql begin atomic
	insert into routing.sales_order (order_id, customer, channel, country, postal_code, requested_on)
	values (id, 'C1', ch, 'US', '60614', t.day(want));
	insert into routing.sales_order_line (order_id, line_no, item, quantity)
	select id, n, split_part(x, ' ', 1), split_part(x, ' ', 2)::numeric from string_to_table(lines, ', ') with ordinality as u(x, n);
end;

/*
 * Of 20 at CHI the shops are kept 12, VIP 6 of them; the market gets 5 at
 * most.  Before the start VIP takes 4.  EDI sees 8 there, so its 9 come from
 * DAL.  The market takes 3 of the shops' 6.  What V0 gives back is VIP's
 * again, and 2 of V1 are the shops'.  2 of its limit are left to the market.
 */
call t.stock('A', 'CHI', 20); call t.stock('A', 'DAL', 20);
select routing.put_allotment('A', 'CHI', 'shops', 12), routing.put_allotment('A', 'CHI', 'vip', 6),
	   routing.put_allotment('A', 'CHI', 'market', max_quantity => 5);
call t.by('vip', 'V0', 5, 'A 4');
call t.mark('start');
call t.by('edi', 'E1', 5, 'A 9'); call t.by('market', 'M1', 5, 'A 3');
select routing.cancel_order('V0');
call t.by('vip', 'V1', 5, 'A 8'); call t.by('edi', 'E2', 5, 'A 1'); call t.by('market', 'M2', 5, 'A 3');
select order_id, channel, pool, node, quantity from routing.reservation where "to" is null order by order_id, node, pool;
select * from t.sim(0);
-- DAL first: E1, M1 and V1 are its 20; E2 has one of CHI, and the market 3 of its 5 there
select * from t.sim(1);
select pg_current_xact_id_if_assigned() is null as no_xid from t.sim(1) limit 1;
select channel, consumed, used from routing.allotment_use order by 1;
-- what has left stays taken; a hold takes while it lasts
call t.mark('left');
update routing.node set stock_feed = false;
select routing.confirm_ship('M1');
call t.stock('A', 'NYC', 20);
call t.by('market', 'M3', 5, 'A 3');
create table t.hold as select routing.hold(jsonb_build_object('customer', 'C1', 'channel', 'vip', 'ship_to', jsonb_build_object('country', 'US', 'postal_code', '60614'),
	'lines', jsonb_build_array(jsonb_build_object('line_no', 1, 'item', 'A', 'quantity', '2'))), interval '1 hour') as id;
call t.by('vip', 'V2', 5, 'A 2');
select routing.cancel_hold(id) from t.hold;
call t.by('vip', 'V3', 5, 'A 2');
select * from t.sim(0, 'left');
select * from t.sim(0);
update routing.node set stock_feed = true;

-- whatever happens one after the other, the policy that was in effect gives what was decided
call t.reset();
call t.drafts();
delete from routing.allotment;
insert into routing.allotment (item, node, channel, quota, max_quantity, buffer, rank)
select i, n, c, case c when 'shops' then 20 when 'edi' then 8 when 'vip' then 10 else 5 end, case c when 'market' then 25 end,
	   case c when 'edi' then 2 else 0 end, case c when 'vip' then 1 else 2 end
from unnest('{A,B}'::text[]) i, unnest('{CHI,DAL}'::text[]) n, unnest('{shops,edi,vip,market}'::text[]) c;
create procedure t.random_days(first int, last int) language plpgsql as $$
declare
	r	float8;
	it	text;
	nd	text;
begin
	perform setseed(0.5 + first / 1000.0);
	for i in first .. last loop
		r := random();
		it := (array['A', 'B', 'C'])[1 + floor(random() * 3)];
		nd := (array['CHI', 'DAL', 'NYC'])[1 + floor(random() * 3)];
		if r < 0.6 then
			call t.by((array['edi', 'vip', 'market', null])[1 + floor(random() * 4)], 'R' || i, case when random() < 0.9 then floor(random() * 6)::int end,
				it || ' ' || 1 + floor(random() * 9) || case when random() < 0.5 then ', ' || (array['A', 'B', 'C'])[1 + floor(random() * 3)] || ' ' || 1 + floor(random() * 9) else '' end);
		elsif r < 0.75 then
			insert into routing.supply (item, node, quantity) values (it, nd, 5 + floor(random() * 40))
			on conflict (tenant_id, item, node, ref, lot) do update set quantity = routing.supply.quantity + 15;
		elsif r < 0.90 then
			call t.cancel_some(i);
		else
			call t.change_some(i);
		end if;
		commit;
	end loop;
end
$$;
call t.mark('random');
call t.random_days(1, 400);
select count(*) > 100 as many, count(*) filter (where changed) as changed, count(problem) as problems,
	   count(distinct recorded_nodes) > 4 as used
from routing.simulate('standard', 0, t.at('random'));
select count(*) filter (where changed) > 5 as changed from routing.simulate('standard', 2, t.at('random'));
select * from routing.verify();
