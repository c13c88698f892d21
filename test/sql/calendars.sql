-- calendars, cut-offs, time zones: which day follows from which
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
\set ECHO all
-- the engine's clock is set to a time; not before it, and a moment later at the most
create procedure t.at(at text) language sql
begin atomic
	select set_config('routing.clock_offset', ceil(extract(epoch from at::timestamptz - now()))::int::text, false);
end;
-- as soon as possible, or for a day, from a node: which service, when it ships, when it arrives
create function t.ships(item text, want date default null, node text default 'CHI', customer text default 'C1') returns text
	language sql stable
begin atomic
	select coalesce(string_agg(format('%s %s ships %s, arrives %s', p.node, p.service, to_char(p.ship_on, 'Dy DD Mon'),
									  to_char(p.deliver_on, 'Dy DD Mon')), '; '), 'nothing')
	from routing.promise(jsonb_build_object('customer', customer, 'ship_to', '{"country": "US", "postal_code": "60614"}'::jsonb,
		'requested_on', want, 'lines', jsonb_build_array(jsonb_build_object('item', item, 'quantity', 1, 'node', node)))) p
	where p.node is not null;
end;
create view t.dated as
	select order_id as "order", quantity, to_char(needed_on, 'Dy DD Mon') as needed, to_char(ship_on, 'Dy DD Mon') as ships,
		   to_char(deliver_on, 'Dy DD Mon') as arrives, basis, state
	from routing.reservation where "to" is null order by tenant_id, order_id, line_no, needed_on, part;
create view t.stock_days as
	select item, to_char(on_date, 'Dy DD Mon') as day, supply, atp from routing.item i, routing.atp_timeline(i.item, 'CHI') order by item, on_date;

-- Chicago works Monday to Friday, as does the carrier; Thanksgiving is a holiday of both
insert into routing.calendar (calendar) values ('work'), ('carrier');
insert into routing.calendar_day (calendar, day, name) values ('work', '2026-11-26', 'Thanksgiving'), ('carrier', '2026-11-26', 'Thanksgiving');
delete from routing.lane where service = 'air' or node <> 'CHI';
update routing.node set time_zone = 'America/Chicago', calendar = 'work', handling_days = 1, dock_days = 1 where node = 'CHI';
update routing.service set calendar = 'carrier' where service = 'ground';
update routing.lane set transit_days = 2;

-- deliver Wed 25 Nov: ships Mon 23, stock is needed Fri 20; what comes Thu 19 is in time
call t.at('2026-11-16 10:00 America/Chicago');
insert into routing.supply (item, node, ref, kind, quantity, available_on) values
	('A', 'CHI', 'PO-A', 'purchase', 5, '2026-11-19'), ('B', 'CHI', 'PO-B', 'purchase', 5, '2026-11-20');
select * from t.stock_days;
insert into routing.sales_order (order_id, customer, country, postal_code, requested_on) values ('O1', 'C1', 'US', '60614', '2026-11-25');
insert into routing.sales_order_line (order_id, line_no, item, quantity) values ('O1', 1, 'A', 5);
select * from t.dated; select status, promised_on from routing.sales_order_line where order_id = 'O1';
-- what comes Fri 20 is stock on Mon 23, ships Tue 24, arrives Fri 27
insert into routing.sales_order (order_id, customer, country, postal_code, requested_on) values ('O2', 'C1', 'US', '60614', '2026-11-25');
insert into routing.sales_order_line (order_id, line_no, item, quantity) values ('O2', 1, 'B', 5);
select * from t.dated where "order" = 'O2'; select status, promised_on from routing.sales_order_line where order_id = 'O2';
select * from routing.verify();

-- placed on 23 Nov for 21 Dec: ships 17 Dec on the purchase of 10 Dec; what is there today is untouched
call t.reset();
call t.at('2026-11-23 10:00 America/Chicago');
insert into routing.supply (item, node, ref, kind, quantity, available_on) values ('A', 'CHI', '', 'on_hand', 5, '-infinity'), ('A', 'CHI', 'PO', 'purchase', 10, '2026-12-10');
insert into routing.sales_order (order_id, customer, country, postal_code, requested_on) values ('O3', 'C1', 'US', '60614', '2026-12-21');
insert into routing.sales_order_line (order_id, line_no, item, quantity) values ('O3', 1, 'A', 8);
select * from t.dated;
select day, routing.atp('A', 'CHI', day::date) as "5 5 7 7" from unnest(array['2026-11-23', '2026-12-10', '2026-12-11', '2026-12-16']) day;

-- a new holiday moves what is in the dock: PO is stock on Mon 14, and an order that needed it on Fri 11 ships a day later
insert into routing.sales_order (order_id, customer, country, postal_code, requested_on, date_basis) values ('O4', 'C1', 'US', '60614', '2026-12-14', 'ship');
insert into routing.sales_order_line (order_id, line_no, item, quantity) values ('O4', 1, 'A', 6);
select * from t.dated where "order" = 'O4';
insert into routing.calendar_day (calendar, day) values ('work', '2026-12-11');
select * from t.dated where "order" = 'O4';
select * from t.stock_days where item = 'A'; select * from routing.verify();
update routing.calendar_day set open = true where day = '2026-12-11'; select * from t.stock_days where item = 'A';
delete from routing.calendar_day where day = '2026-12-11'; select * from t.stock_days where item = 'A';
-- so does the week; a day of extra work; what comes while nobody works is taken in on the next day of work
update routing.calendar set weekdays = '{1,2}' where calendar = 'work'; select * from t.stock_days where item = 'A';
insert into routing.calendar_day (calendar, day, open) values ('work', '2026-12-12', true); select * from t.stock_days where item = 'A';
truncate routing.calendar_day; select * from t.stock_days where item = 'A';
update routing.node set calendar = null where node = 'CHI'; select * from t.stock_days where item = 'A';
update routing.node set calendar = 'work' where node = 'CHI'; select * from t.stock_days where item = 'A';
select * from routing.verify();

-- the records of all these decisions give the same plans again
select d.order_id, count(distinct d.decision_id) > 0 as decided, bool_and(r.same) as same
from routing.decision d, routing.replay(d.decision_id) r group by 1 order by 1;

-- receiving days of the customer: Tuesdays; the shipment arrives on Mon 30 and waits
call t.reset(); call t.stock('A', 'CHI', 9);
update routing.calendar set weekdays = '{1,2,3,4,5}' where calendar = 'work';
insert into routing.calendar (calendar, weekdays) values ('tuesdays', '{2}');
update routing.customer set calendar = 'tuesdays' where customer = 'GOLD';
call t.at('2026-11-25 10:00 America/Chicago');
-- handled Wed 25, ships Thu 26, two days of the carrier
select t.ships('A'), t.ships('A', customer => 'GOLD');
-- wanted on a Wednesday: the Tuesday before is the last that is in time
select t.ships('A', '2026-12-09'), t.ships('A', '2026-12-09', customer => 'GOLD');

-- cut-off: by the clock at the node; what is heard of later counts as of its next day of work
update routing.node set cut_off = '14:00' where node = 'CHI';
call t.at('2026-11-20 13:59:30 America/Chicago'); select t.ships('A') as "Mon 23";
call t.at('2026-11-20 14:00 America/Chicago'); select t.ships('A') as "Tue 24";
-- on a Saturday it counts as of Monday, cut-off or not
call t.at('2026-11-21 10:00 America/Chicago'); select t.ships('A') as "Tue 24";
call t.at('2026-11-22 23:00 America/Chicago'); select t.ships('A') as "Tue 24";
-- Monday begins at the node, not elsewhere
call t.at('2026-11-23 05:59:30 UTC'); select t.ships('A') as "Tue 24";
call t.at('2026-11-23 06:00 UTC'); select t.ships('A') as "Tue 24";
call t.at('2026-11-23 20:00 UTC'); select t.ships('A') as "Wed 25";

-- pick-ups: Mondays until 10:00, Thursdays in two rounds; the last counts
update routing.node set cut_off = default, handling_days = 0, calendar = null where node = 'CHI';
update routing.service set calendar = null;
insert into routing.pickup (node, service, weekday, cut_off, pick_up) values
	('CHI', 'ground', 1, '10:00', '10:30'), ('CHI', 'ground', 4, '09:00', '09:15'), ('CHI', 'ground', 4, '16:00', '17:00');
call t.at('2026-11-23 09:59:30 America/Chicago'); select t.ships('A') as "Mon 23";
call t.at('2026-11-23 10:00 America/Chicago'); select t.ships('A') as "Thu 26";
call t.at('2026-11-26 15:59:30 America/Chicago'); select t.ships('A') as "Thu 26";
call t.at('2026-11-26 16:00 America/Chicago'); select t.ships('A') as "Mon 30";
-- a day on which the node does not work has no pick-up
update routing.node set calendar = 'work' where node = 'CHI';
insert into routing.calendar_day (calendar, day) values ('work', '2026-11-30');
select t.ships('A') as "Thu 3";
-- to ship on a Wednesday: the Monday before
select p.ship_on from routing.promise('{"customer": "C1", "ship_to": {"country": "US", "postal_code": "60614"}, "date_basis": "ship", "requested_on": "2026-12-09",
	"lines": [{"item": "A", "quantity": 1}]}') p;
-- an extra day of work is not one of pick-up; only Saturdays would be
insert into routing.calendar_day (calendar, day, open) values ('work', '2026-11-28', true);
select t.ships('A') as "Thu 3";
insert into routing.pickup (node, service, weekday) values ('CHI', 'ground', 6);
select t.ships('A') as "Sat 28";
delete from routing.pickup; delete from routing.calendar_day where day in ('2026-11-28', '2026-11-30');
update routing.node set calendar = null where node = 'CHI';

-- clocks change: 14 March 2027 has no 02:30, so it comes at 03:00
update routing.node set cut_off = '02:30' where node = 'CHI';
call t.at('2027-03-14 07:59:30 UTC'); select t.ships('A') as "Sun 14";
call t.at('2027-03-14 08:00 UTC'); select t.ships('A') as "Mon 15";
-- 7 November 2027 has 01:30 twice: the first counts, also when it is 01:15 for the second time
update routing.node set cut_off = '01:30' where node = 'CHI';
call t.at('2027-11-07 06:29:30 UTC'); select t.ships('A') as "Sun 7";
call t.at('2027-11-07 06:30 UTC'); select t.ships('A') as "Mon 8";
call t.at('2027-11-07 07:15 UTC'); select t.ships('A') as "Mon 8";
-- as does that of a pick-up
update routing.node set cut_off = default where node = 'CHI';
insert into routing.pickup (node, service, weekday, cut_off) select 'CHI', 'ground', d, '01:30' from generate_series(1, 7) d;
select t.ships('A') as "Mon 8";
call t.at('2027-11-07 06:29:30 UTC'); select t.ships('A') as "Sun 7";
delete from routing.pickup;
-- the day after the long and the short one begin at midnight there
call t.at('2027-11-08 05:59:30 UTC'); select t.ships('A') as "Sun 7";
call t.at('2027-11-08 06:00 UTC'); select t.ships('A') as "Mon 8";
call t.at('2027-03-15 04:59:30 UTC'); select t.ships('A') as "Sun 14";
call t.at('2027-03-15 05:00 UTC'); select t.ships('A') as "Mon 15";
-- where midnight itself does not exist: Beirut, 28 March 2027
update routing.node set time_zone = 'Asia/Beirut' where node = 'CHI';
call t.at('2027-03-27 21:59:30 UTC'); select t.ships('A') as "Sat 27";
call t.at('2027-03-27 22:00 UTC'); select t.ships('A') as "Sun 28";
update routing.node set time_zone = 'Australia/Lord_Howe', cut_off = '02:15' where node = 'CHI';
-- half an hour: 02:00 becomes 02:30 on 3 October 2027, 15:30 UTC
call t.at('2027-10-02 15:29:30 UTC'); select t.ships('A') as "Sun 3";
call t.at('2027-10-02 15:30 UTC'); select t.ships('A') as "Mon 4";
update routing.node set time_zone = 'America/Chicago', cut_off = default where node = 'CHI';

-- what is not a calendar, and codes that are unknown
select t.try($$insert into routing.calendar (calendar, weekdays) values ('x', '{0}')$$);
select t.try($$insert into routing.calendar (calendar, weekdays) values ('x', '{1,null}')$$);
select t.try($$update routing.calendar set weekdays = '{8}' where calendar = 'work'$$);
select t.try($$insert into routing.calendar (calendar, weekdays) values ('x', null)$$);
insert into routing.calendar (calendar, weekdays) values ('x', '{}');
begin; insert into routing.calendar (calendar, weekdays) values ('x', '{}'); insert into routing.calendar_day (calendar, day) values ('x', '2026-12-24'); commit;
begin; insert into routing.calendar (calendar, weekdays) values ('x', '{}'); insert into routing.calendar_day (calendar, day, open) values ('x', '2026-12-24', true); commit;
update routing.calendar_day set open = false where calendar = 'x';
delete from routing.calendar_day where calendar = 'x';
update routing.calendar set weekdays = '{}' where calendar = 'work';
begin; delete from routing.calendar_day where calendar = 'x'; delete from routing.calendar where calendar = 'x'; commit;
select t.try($$delete from routing.calendar where calendar = 'tuesdays'$$);
select t.try($$update routing.node set calendar = 'nowhere' where node = 'CHI'$$);
select t.try($$update routing.service set calendar = 'nowhere' where service = 'air'$$);
select t.try($$update routing.customer set calendar = 'nowhere' where customer = 'C1'$$);
select t.try($$insert into routing.calendar_day (calendar, day) values ('nowhere', '2026-12-24')$$);
select t.try($$insert into routing.calendar_day (calendar, day) values ('work', 'infinity')$$);
select t.try($$insert into routing.lane (node, zone, service, transit_days) values ('CHI', 'nowhere', 'ground', 1)$$);
select t.try($$insert into routing.lane (node, zone, service, transit_days) values ('CHI', 'MW', 'nothing', 1)$$);
select t.try($$insert into routing.zone_area (country, zone) values ('CA', 'nowhere')$$);
select t.try($$insert into routing.service (service, carrier) values ('x', 'nobody')$$);
select t.try($$insert into routing.pickup (node, service, weekday) values ('NIL', 'ground', 1)$$);
select t.try($$insert into routing.pickup (node, service, weekday) values ('CHI', 'ground', 8)$$);
select t.try($$insert into routing.pickup (node, service, weekday, cut_off, pick_up) values ('CHI', 'ground', 1, '10:00', '09:00')$$);

-- a node whose last day of work is over: nothing, and the doctor knows
begin; insert into routing.calendar (calendar, weekdays) values ('fair', '{}'); insert into routing.calendar_day (calendar, day, open) values ('fair', '2027-11-10', true); commit;
update routing.node set calendar = 'fair' where node = 'CHI';
call t.at('2027-11-10 10:00 UTC'); select t.ships('A') as "Wed 10";
call t.at('2027-11-11 10:00 UTC'); select t.ships('A') as "nothing";
select subject, problem from routing.doctor() where subject like 'calendar%';
-- inbound that has too few days of work ahead is never stock
update routing.node set dock_days = 2 where node = 'CHI';
insert into routing.supply (item, node, ref, kind, quantity, available_on) values ('C', 'CHI', 'PO', 'purchase', 5, '2027-11-12');
select routing.atp('C', 'CHI', '2999-12-31'); select * from routing.verify();
reset routing.clock_offset;
call t.clean();
