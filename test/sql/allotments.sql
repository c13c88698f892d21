-- allotments: what is kept for channels, limits, buffers; groups, periods, ranks
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
\set ECHO all
insert into routing.channel (channel) values ('edi'), ('vip'), ('market');
create procedure t.by(ch text, id text, want int, lines text) language sql begin atomic
	insert into routing.sales_order (order_id, customer, channel, country, postal_code, requested_on, date_basis)
	values (id, 'C1', ch, 'US', '60614', t.day(want), 'ship');
	insert into routing.sales_order_line (order_id, line_no, item, quantity, node)
	select id, n, split_part(x, ' ', 1), split_part(x, ' ', 2)::numeric, coalesce(nullif(split_part(x, ' ', 3), ''), 'CHI')
	from string_to_table(lines, ', ') with ordinality as u(x, n);
end;
create function t.sees(item text, day int, variadic chs text[]) returns text language sql stable
	return (select string_agg(coalesce(ch, '-') || ' ' || routing.atp(item, 'CHI', t.day(day), ch), ', ' order by n)
			from unnest(chs) with ordinality u(ch, n));
create view t.u as
	select item, channel, nullif(t.rel(valid_from), 'on hand') as "from", case when valid_to <> 'infinity' then t.rel(valid_to) end as "to",
		   rank, buffer, quota, consumed, remaining, max_quantity as max, used, limit_left as left
	from routing.allotment_use order by item, channel, valid_from;
create view t.b as
	select order_id as "order", line_no as line, row_number() over (partition by order_id, line_no order by part) as part, quantity, channel, pool, state, basis
	from routing.reservation where "to" is null order by order_id, line_no, part;

-- ATP 100, web protected 20, VIP protected 40: EDI sees 40, web 60, VIP 80; a marketplace with limit 25 of which 20 are used sees 5
call t.stock('A', 'CHI', 100);
select routing.put_allotment('A', 'CHI', 'vip', 40, rank => 1), routing.put_allotment('A', 'CHI', 'web', 20, rank => 2),
	   routing.put_allotment('A', 'CHI', 'market', max_quantity => 25);
select t.sees('A', 0, 'edi', 'web', 'vip', 'market', null) as "40 60 80 25 40";
table t.u;
select on_hand, promised, atp from routing.availability where item = 'A';
select node, atp from routing.atp_nodes('A', channel => 'vip');
call t.by('market', 'M1', 0, 'A 20'); table t.b; table t.u; select * from routing.verify();
select t.sees('A', 0, 'edi', 'web', 'vip', 'market', null) as "20 40 60 5 20";
-- no more than the limit, and nobody sells what is kept; M2 waits for 1, so EDI is left 14 of 15
call t.by('market', 'M2', 0, 'A 6'); call t.by('edi', 'EX1', 0, 'A 21');
select "order", quantity, status, reason from t.l; table t.b; select * from routing.verify();
select t.sees('A', 0, 'edi', 'web', 'vip', 'market', null) as "0 20 40 0 0";
-- VIP takes its own first; what is cancelled returns where it came from
select routing.cancel_order('M2'), routing.cancel_order('EX1');
call t.by('vip', 'V1', 0, 'A 45'); select * from t.b where "order" = 'V1'; table t.u;
select t.sees('A', 0, 'edi', 'web', 'vip', 'market') as "15 35 15 5";
select routing.cancel_order('V1');
select t.sees('A', 0, 'edi', 'web', 'vip', 'market') as "20 40 60 5"; table t.u; select * from routing.verify();
-- a line that gets smaller returns its last part
call t.by('vip', 'V2', 0, 'A 45'); update routing.sales_order_line set quantity = 42 where order_id = 'V2';
select * from t.b where "order" = 'V2'; select t.sees('A', 0, 'edi', 'vip') as "18 18";
update routing.sales_order_line set quantity = 30 where order_id = 'V2';
select * from t.b where "order" = 'V2'; select t.sees('A', 0, 'edi', 'vip') as "20 30";
update routing.sales_order_line set quantity = 44 where order_id = 'V2';
select * from t.b where "order" = 'V2'; table t.u; select * from routing.verify();
-- a quota below what is consumed: nothing remains
update routing.allotment set quota = 25 where channel = 'vip'; table t.u;
select t.sees('A', 0, 'edi', 'web', 'vip') as "16 36 16"; select * from routing.verify();
call t.reset(); delete from routing.allotment; select count(*) from routing.position where quotas is not null or allotted is not null;

-- when supply falls to 50, protection is kept by rank
call t.stock('A', 'CHI', 50);
insert into routing.allotment (item, node, channel, quota, rank) values ('A', 'CHI', 'vip', 40, 1), ('A', 'CHI', 'web', 20, 2);
select t.sees('A', 0, 'vip', 'web', 'edi') as "40 10 0";
update routing.allotment set rank = 3 where channel = 'vip'; select t.sees('A', 0, 'vip', 'web', 'edi') as "30 20 0";
update routing.supply set quantity = 15; select t.sees('A', 0, 'vip', 'web', 'edi') as "0 15 0";
-- 15 of web's 20 are kept and taken; the rest of the quota stays
call t.by('web', 'W1', 0, 'A 15'); table t.b; table t.u;
update routing.supply set quantity = 35; select t.sees('A', 0, 'vip', 'web', 'edi') as "15 5 0"; select * from routing.verify();
-- safety stock comes before, a buffer after
insert into routing.item_node (item, node, safety_stock) values ('A', 'CHI', 5);
select t.sees('A', 0, 'vip', 'web', 'edi') as "10 5 0";
update routing.allotment set buffer = 2; select t.sees('A', 0, 'vip', 'web', 'edi') as "8 3 0";
delete from routing.item_node; call t.reset(); delete from routing.allotment;

-- groups: online 50 holds web 20 and app 10; each takes its own, then the group's, then what is free, never a sibling's
insert into routing.channel (channel, parent) values ('online', null);
update routing.channel set parent = 'online' where channel in ('web', 'market');
insert into routing.channel (channel, parent) values ('app', 'online'), ('app-de', 'app');
call t.stock('A', 'CHI', 100);
insert into routing.allotment (item, node, channel, quota, max_quantity) values
	('A', 'CHI', 'online', 50, 60), ('A', 'CHI', 'web', 20, null), ('A', 'CHI', 'app', 10, 35);
select t.sees('A', 0, 'edi', 'online', 'web', 'app', 'app-de', 'market') as "50 60(70) 60(90) 35 35 60(70)"; table t.u;
call t.by('web', 'G1', 0, 'A 55'); select * from t.b; table t.u;
select t.sees('A', 0, 'edi', 'online', 'web', 'app', 'app-de', 'market') as "35 5 5 5 5 5";
select * from routing.verify();
-- of the limit of online 5 are left; the app takes them from its own
call t.by('app-de', 'G2', 0, 'A 6'); select * from t.b where "order" = 'G2'; table t.u; select * from routing.verify();
select t.sees('A', 0, 'edi', 'web') as "34 0"; -- G2 waits for 1
select routing.cancel_order('G1'); table t.u; select * from routing.verify();
-- a channel that leaves its group: its bookings no longer use the group's limit
update routing.channel set parent = null where channel = 'app'; table t.u; select * from routing.verify();
update routing.channel set parent = 'online' where channel = 'app'; table t.u; select * from routing.verify();
select routing.cancel_order('G2'); table t.u; select * from routing.verify();
call t.reset(); delete from routing.allotment;

-- periods are those of the ship day: 30 for VIP from day 3 to day 5
call t.stock('A', 'CHI', 40);
select routing.put_allotment('A', 'CHI', 'vip', 30, valid_from => t.day(3), valid_to => t.day(5)),
	   routing.put_allotment('A', 'CHI', 'vip', 10, 12, valid_from => t.day(8), valid_to => t.day(8));
select d as day, t.sees('A', d, 'edi', 'vip') from unnest(array[0, 2, 3, 5, 6, 7, 8, 9]) d;
call t.by('vip', 'P1', 4, 'A 5'); call t.by('vip', 'P2', 8, 'A 3'); call t.by('edi', 'P3', 5, 'A 3');
table t.b; table t.u; select * from routing.verify();
select d as day, t.sees('A', d, 'edi', 'vip') from unnest(array[2, 3, 6, 8, 9]) d;
-- what EDI wants on day 4 it gets on day 6
call t.by('edi', 'P4', 4, 'A 10'); select quantity, t.rel(ship_on) from routing.reservation where order_id = 'P4' and "to" is null order by ship_on;
select * from routing.verify(); call t.reset(); delete from routing.allotment;

-- several orders of one transaction see each other's
call t.stock('A', 'CHI', 100); insert into routing.allotment (item, node, channel, quota) values ('A', 'CHI', 'vip', 40), ('A', 'CHI', 'web', 20);
begin; call t.by('web', 'T1', 0, 'A 20'); call t.by('edi', 'T2', 0, 'A 40'); call t.by('vip', 'T3', 0, 'A 41'); commit;
select "order", quantity, status from t.l; table t.b; table t.u; select * from routing.verify();
-- lost supply is no consumption: of VIP's 40 there are 25 left
update routing.supply set quantity = 85; select * from t.b; table t.u; select * from routing.verify();
call t.reset(); delete from routing.allotment;

-- bookings from before count against a limit that comes later, and return to it
call t.stock('A', 'CHI', 100); call t.by('market', 'L1', 0, 'A 20'); call t.by('edi', 'L2', 0, 'A 1'); table t.b;
select routing.put_allotment('A', 'CHI', 'online', max_quantity => 25); select t.sees('A', 0, 'market', 'edi') as "5 79"; table t.b;
select routing.cancel_order('L1'); select t.sees('A', 0, 'market', 'edi') as "25 99"; select * from routing.verify();
-- promise() shows one line, not its pools
select routing.put_allotment('A', 'CHI', 'market', 4);
select line_no, node, quantity, status from routing.promise(
	'{"customer":"C1","channel":"market","ship_to":{"country":"US","postal_code":"60614"},"lines":[{"line_no":1,"item":"A","quantity":"10"}]}');
call t.reset(); delete from routing.allotment;

-- beyond the horizon anything can be promised, up to the limit; it is of the quota too
call t.stock('A', 'CHI', 10); insert into routing.item_node (item, node, lead_time_days) values ('A', 'CHI', 10);
select routing.put_allotment('A', 'CHI', 'vip', 6), routing.put_allotment('A', 'CHI', 'market', 0, 12);
call t.by('market', 'H1', 15, 'A 20'); call t.by('vip', 'H2', 15, 'A 9'); table t.b; table t.u; select * from routing.verify();
select t.sees('A', 0, 'edi', 'vip', 'market');
select routing.cancel_order('H1'), routing.cancel_order('H2'); table t.u; select * from routing.verify();
delete from routing.item_node; call t.reset(); delete from routing.allotment;

-- a hold takes of quota and limit until it expires, without anybody doing anything; a confirmed one for good
call t.stock('A', 'CHI', 50);
select routing.put_allotment('A', 'CHI', 'vip', 30, 40);
create function t.quote(qty numeric) returns jsonb language sql as $$
	select format('{"customer":"C1","channel":"vip","requested_on":"%s","ship_to":{"country":"US","postal_code":"60614"},"lines":[{"item":"A","quantity":"%s"}]}', t.day(3), qty)::jsonb $$;
select t.sees('A', 0, 'edi', 'vip') as "20 40";
select routing.hold(t.quote(34), '15 minutes') as h \gset
select quantity, channel, pool, state from routing.reservation where "to" is null order by part; table t.u;
select t.sees('A', 0, 'edi', 'vip') as "16 6"; select * from routing.verify();
set routing.clock_offset = 960; select t.sees('A', 0, 'edi', 'vip') as "20 40"; table t.u;
call t.by('edi', 'HX', 0, 'A 1'); select t.sees('A', 0, 'edi', 'vip') as "19 40", cardinality(allotted) from routing.position where item = 'A' and node = 'CHI'; select * from routing.verify();
reset routing.clock_offset;
select routing.hold(t.quote(34), '15 minutes') as h \gset
select routing.confirm_hold(:'h') is not null as confirmed; table t.u; select t.sees('A', 0, 'edi', 'vip') as "15 6"; select * from routing.verify();
select routing.hold(t.quote(3), '15 minutes') as h \gset
select t.sees('A', 0, 'edi', 'vip') as "12 3"; select routing.cancel_hold(:'h'); select t.sees('A', 0, 'edi', 'vip') as "15 6";
select * from routing.verify(); call t.reset(); delete from routing.allotment;

-- what contradicts itself is not committed
call t.stock('A', 'CHI', 10);
\set VERBOSITY sqlstate
insert into routing.allotment (item, node, channel, quota) values ('A', 'CHI', 'online', 30), ('A', 'CHI', 'web', 40);
insert into routing.allotment (item, node, channel, quota) values ('A', 'CHI', 'online', 30), ('A', 'CHI', 'web', 20), ('A', 'CHI', 'app', 11);
\set VERBOSITY default
insert into routing.allotment (item, node, channel, quota, valid_to) values ('A', 'CHI', 'online', 30, '2031-01-05');
insert into routing.allotment (item, node, channel, quota, valid_from) values ('A', 'CHI', 'web', 40, '2031-01-05');
insert into routing.allotment (item, node, channel, quota, valid_from) values ('A', 'CHI', 'web', 40, '2031-01-06'), ('A', 'CHI', 'vip', 9, '2031-01-06');
insert into routing.allotment (item, node, channel, quota, valid_to) values ('A', 'CHI', 'vip', 9, '2031-01-06');
select routing.put_allotment('A', 'CHI', 'vip', 9, valid_from => '2031-01-03', valid_to => '2031-01-09');
-- one statement may go through what one row at a time may not; a parent cannot be lowered
update routing.allotment set quota = 29 where channel = 'online'; update routing.allotment set valid_to = 'infinity', quota = 39 where channel = 'online';
update routing.allotment set valid_to = 'infinity', quota = 40 where channel = 'online'; update routing.allotment set quota = quota * 2;
begin; update routing.allotment set quota = 90 where channel = 'web'; update routing.allotment set quota = 90 where channel = 'online'; commit;
-- a channel that moves below a group that has less
update routing.channel set parent = 'web' where channel = 'vip'; insert into routing.allotment (item, node, channel, quota) values ('A', 'CHI', 'market', 1);
update routing.channel set parent = 'market' where channel = 'vip';
\set VERBOSITY sqlstate
update routing.channel set parent = 'app' where channel = 'online';
update routing.channel set parent = 'app-de' where channel = 'app-de';
\set VERBOSITY default
select t.try($$insert into routing.channel (channel, parent) values ('x', 'y'), ('y', 'x')$$);
select channel, parent from routing.channel order by 1; select channel, valid_from, valid_to, quota, remaining from routing.allotment_use order by 1, 2; select * from routing.verify();
select t.try(format('select routing.put_allotment(%s)', a)) from unnest(array[
	$$'A', 'CHI', 'nope'$$, $$'nope', 'CHI', 'vip'$$, $$'A', 'nope', 'vip'$$, $$null, null, null$$, $$'A', 'CHI', null$$,
	$$'A', 'CHI', 'edi', -1$$, $$'A', 'CHI', 'edi', 'NaN'$$, $$'A', 'CHI', 'edi', 1, 1e12$$, $$'A', 'CHI', 'edi', 1, 1, 0.00001$$,
	$$'A', 'CHI', 'edi', 1, valid_from => '2027-01-02', valid_to => '2027-01-01'$$, $$'A', 'CHI', 'edi', 1, valid_from => 'infinity'$$,
	$$'A', 'CHI', 'edi', 1, valid_to => '5000-01-01'$$, $$'A', 'CHI', 'edi', 'infinity'$$]) a;
truncate routing.allotment; select count(*) from routing.position where quotas is not null; select * from routing.verify();

-- who waits is served of what is kept for his channel, though nobody else is offered anything: new stock, given back, more kept
select routing.put_allotment('D', 'NYC', 'vip', 9);
create procedure t.vip(id text, lines text) language plpgsql as $$ begin
	call t.ord(id, null, lines); update routing.sales_order set channel = 'vip' where order_id = id;
end $$;
call t.vip('V1', 'D 5 NYC'); call t.ord('V2', null, 'D 1 NYC'); call t.vip('V3', 'D 4 NYC');
select order_id, status from routing.sales_order where order_id like 'V_' order by 1;
call t.stock('D', 'NYC', 5);
select order_id, status from routing.sales_order where order_id like 'V_' order by 1;
select routing.cancel_order('V1');
select order_id, status from routing.sales_order where order_id like 'V_' order by 1;
select routing.put_allotment('D', 'NYC', 'vip', 4);
select order_id, status from routing.sales_order where order_id like 'V_' order by 1;
select * from routing.verify();
-- what was shipped stays consumed, also when supply is summed anew; in another period it does not count
call t.reset(); call t.stock('A', 'CHI', 100); select routing.put_allotment('A', 'CHI', 'vip', 30, 40);
call t.by('vip', 'SH', 0, 'A 10'); select routing.confirm_ship('SH');
update routing.supply set quantity = 90; select state, channel, pool, quantity from routing.reservation where order_id = 'SH' and state = 'shipped'; table t.u;
update routing.supply set quantity = 95; table t.u; select t.sees('A', 0, 'vip', 'edi') as "30 75"; select * from routing.verify();
update routing.allotment set valid_from = t.day(1); table t.u; select * from routing.verify();
